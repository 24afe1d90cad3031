//! The pictures of the demo, drawn here: a wall with a door, and before it what is wrong, or nothing. The same number always gives the same picture, and none
//! was ever a photo of anything.

use std::io::Write;

use flate2::Compression;
use flate2::Crc;
use flate2::write::ZlibEncoder;
use sha2::{Digest, Sha256};

use crate::kernel::refusal::{Answer, Fault};

/// How wide and high a picture is.
const SIZE: (u32, u32) = (120, 80);
/// Its colours: sky, wall, joint, door, ground, what is wrong, a lamp that shines.
const COLOURS: [[u8; 3]; 7] = [
    [176, 204, 226],
    [196, 148, 120],
    [168, 122, 98],
    [92, 74, 64],
    [132, 134, 130],
    [58, 44, 40],
    [250, 232, 160],
];
/// Where everything is in a picture, in points from the left and from above.
struct View {
    door: i64,
    ground: i64,
    lamp: i64,
    spot: i64,
}

impl View {
    /// That of a number: whatever it is, all of it lies within the picture.
    fn of(number: i64) -> Self {
        let digest = Sha256::digest(number.to_be_bytes());
        let mut drawn = digest.iter().map(|byte| i64::from(*byte));
        let mut within = |from: i64, many: i64| {
            let drawn = drawn.next().unwrap_or_default();
            from.saturating_add(drawn.rem_euclid(many))
        };
        Self {
            door: within(8, 90),
            ground: within(52, 12),
            lamp: within(18, 12),
            spot: within(18, 84),
        }
    }
}

/// A picture as a PNG (ISO/IEC 15948).
///
/// # Errors
/// A fault if it cannot be made.
pub fn picture(number: i64, is_whole: bool) -> Answer<Vec<u8>> {
    let ((wide, high), view) = (SIZE, View::of(number));
    let mut lines = Vec::new();
    for y in 0..i64::from(high) {
        // A line without a filter.
        lines.push(0);
        lines.extend((0..i64::from(wide)).map(|x| colour((x, y), &view, is_whole)));
    }
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = packed.write_all(&lines).and_then(|()| packed.finish());
    let packed = packed.map_err(|error| Fault::caused("draw a picture of the demo", error))?;
    // Eight bits for each point, each the number of a colour.
    let head = [&wide.to_be_bytes()[..], &high.to_be_bytes(), &[8, 3, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [
        (b"IHDR", head),
        (b"PLTE", COLOURS.concat()),
        (b"IDAT", packed),
        (b"IEND", Vec::new()),
    ] {
        chunk(&mut file, kind, &content)?;
    }
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) -> Answer<()> {
    let size =
        u32::try_from(content.len()).map_err(|error| Fault::caused("draw a picture of the demo", error))?;
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(content);
    file.extend(size.to_be_bytes());
    file.extend(kind);
    file.extend(content);
    file.extend(crc.sum().to_be_bytes());
    Ok(())
}

/// The number of the colour of a point.
fn colour((x, y): (i64, i64), view: &View, is_whole: bool) -> u8 {
    let is_near = |(a, b): (i64, i64), reach: i64| {
        let (dx, dy) = (x.saturating_sub(a), y.saturating_sub(b).saturating_mul(2));
        let far = dx.saturating_mul(dx).saturating_add(dy.saturating_mul(dy));
        far <= reach.saturating_mul(reach)
    };
    let shift = y.div_euclid(4).rem_euclid(2).saturating_mul(4);
    if is_whole && is_near((view.door.saturating_add(7), view.lamp), 5) {
        6
    } else if !is_whole && is_near((view.spot, 71), 14) {
        5
    } else if y >= view.ground {
        4
    } else if (view.door..view.door.saturating_add(14)).contains(&x) && y >= 32 {
        3
    } else if y < 12 {
        0
    } else if y.rem_euclid(4) == 0 || x.saturating_add(shift).rem_euclid(8) == 0 {
        2
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::media::{MediaType, Sniffer};
    use crate::files::pictures::without_metadata;

    #[test]
    fn a_picture_is_what_an_upload_of_it_would_be_taken_for_and_keeps_every_bit() {
        for (number, is_whole) in [(0, false), (0, true), (i64::MIN, false), (i64::MAX, true)] {
            let bytes = picture(number, is_whole).unwrap();
            assert_eq!(bytes, picture(number, is_whole).unwrap());
            assert!(bytes.len() < 10_000, "{}", bytes.len());
            let mut sniffer = Sniffer::default();
            sniffer.look(&bytes);
            assert!(sniffer.found().contains(&MediaType::Png));
            assert_eq!(without_metadata(MediaType::Png, &bytes).unwrap(), bytes);
        }
    }
}
