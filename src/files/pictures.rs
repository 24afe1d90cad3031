//! Pictures without what they say beside what they show: where and when they were taken, by whom and with what. What is kept is listed, and all
//! else is left out, because nobody can list what cameras and phones write: in a JPEG what it takes to decode it, its colour profile and which way up
//! it is; likewise in PNG and WebP. What follows the end of a picture (a film, a second picture with its own place) goes too. The picture itself
//! is not decoded and keeps every bit. Pure; it never reads beyond its bytes, and needs no more memory than a copy of them.
//!
//! The containers are walked here and not by a crate: the one that was looked at (img-parts) follows nested lists of a WebP without a limit, so that a
//! small file could end the process, and leaves it to its caller to read which way up a picture is.

use flate2::Crc;

use crate::files::media::MediaType;
use crate::kernel::refusal::{Kind, Reason};

/// The picture cannot be walked through from its beginning to its end.
pub static PICTURE_BROKEN: Reason = Reason::new(
    Kind::Invalid,
    "attachment_picture_broken",
    "图片已损坏，无法去除其中的元数据；确需原样保存的，请加 keep_metadata=true",
    "The picture is damaged, so that its metadata cannot be removed; if it is to be kept as it is, upload it with keep_metadata=true",
);

/// Why a picture could not be walked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// True for the types of files that are pictures, whose metadata is removed.
pub const fn is_picture(media_type: MediaType) -> bool {
    matches!(media_type, MediaType::Jpeg | MediaType::Png | MediaType::Webp)
}

/// The picture without its metadata; what is no picture stays as it is.
///
/// # Errors
/// [`Broken`].
pub fn without_metadata(media_type: MediaType, bytes: &[u8]) -> Result<Vec<u8>, Broken> {
    let kept = match media_type {
        MediaType::Jpeg => jpeg(bytes),
        MediaType::Png => png(bytes),
        MediaType::Webp => webp(bytes),
        _ => Some(bytes.to_vec()),
    };
    kept.ok_or(Broken)
}

/// What is left to read.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

fn length(number: u32) -> Option<usize> {
    usize::try_from(number).ok()
}

/// Markers of a JPEG (ISO/IEC 10918-1, table B.1).
mod marker {
    pub const TEM: u8 = 0x01;
    pub const RST0: u8 = 0xd0;
    pub const RST7: u8 = 0xd7;
    pub const SOI: u8 = 0xd8;
    pub const EOI: u8 = 0xd9;
    pub const SOS: u8 = 0xda;
    pub const APP0: u8 = 0xe0;
    pub const APP1: u8 = 0xe1;
    pub const APP2: u8 = 0xe2;
    pub const APP14: u8 = 0xee;
    pub const APP15: u8 = 0xef;
    pub const COM: u8 = 0xfe;
}

/// What EXIF data in a JPEG begins with.
const EXIF: &[u8] = b"Exif\0\0";

fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Rest(bytes);
    if rest.array()? != [0xff, marker::SOI] {
        return None;
    }
    let mut kept = Vec::with_capacity(bytes.len());
    kept.extend([0xff, marker::SOI]);
    // Behind JFIF's segment, which has to be the first.
    let mut exif_at = kept.len();
    let (mut turned, mut is_scanned) = (None, false);
    loop {
        let kind = next_marker(&mut rest)?;
        match kind {
            marker::EOI => break,
            marker::TEM | marker::RST0..=marker::RST7 => continue,
            marker::SOI | 0 => return None,
            _ => {}
        }
        let size = u16::from_be_bytes(*rest.0.first_chunk()?);
        let segment = rest.take(usize::from(size))?;
        let content = segment.get(2..)?;
        if kind == marker::APP1 && content.starts_with(EXIF) {
            turned = turned.or_else(|| orientation(content.get(EXIF.len()..)?));
        }
        if !is_needed(kind, content) {
            continue;
        }
        kept.extend([0xff, kind]);
        kept.extend(segment);
        match kind {
            marker::APP0 if exif_at == 2 => exif_at = kept.len(),
            marker::SOS => {
                kept.extend(entropy(&mut rest)?);
                is_scanned = true;
            }
            _ => {}
        }
    }
    kept.extend([0xff, marker::EOI]);
    if let Some(turned) = turned {
        let exif = [EXIF, &only_orientation(turned)].concat();
        let size = u16::try_from(exif.len().checked_add(2)?).ok()?;
        let segment = [&[0xff, marker::APP1][..], &size.to_be_bytes(), &exif].concat();
        kept.splice(exif_at..exif_at, segment);
    }
    is_scanned.then_some(kept)
}

/// The next marker; fill bytes before it are skipped.
fn next_marker(rest: &mut Rest<'_>) -> Option<u8> {
    if rest.byte()? != 0xff {
        return None;
    }
    loop {
        match rest.byte()? {
            0xff => {}
            kind => return Some(kind),
        }
    }
}

/// Whether a segment is needed to decode the picture in its colours.
fn is_needed(kind: u8, content: &[u8]) -> bool {
    match kind {
        marker::APP0 => content.starts_with(b"JFIF\0"),
        marker::APP2 => content.starts_with(b"ICC_PROFILE\0"),
        marker::APP14 => content.starts_with(b"Adobe"),
        marker::APP1 | marker::COM => false,
        other => !(marker::APP0..=marker::APP15).contains(&other),
    }
}

/// The coded data up to the next marker that is none of its own.
fn entropy<'b>(rest: &mut Rest<'b>) -> Option<&'b [u8]> {
    let own = |kind: u8| kind == 0 || kind == 0xff || (marker::RST0..=marker::RST7).contains(&kind);
    let ends = rest
        .0
        .windows(2)
        .position(|pair| matches!(pair, [0xff, kind] if !own(*kind)))?;
    rest.take(ends)
}

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Chunks of a PNG that are not critical and change how it looks, animations included.
const PNG_KEPT: [&[u8; 4]; 16] = [
    b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"pHYs",
    b"hIST", b"sPLT", b"acTL", b"fcTL", b"fdAT",
];

fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Rest(bytes);
    if rest.take(PNG_SIGNATURE.len())? != PNG_SIGNATURE {
        return None;
    }
    let mut kept = Vec::with_capacity(bytes.len());
    kept.extend(PNG_SIGNATURE);
    let mut is_first = true;
    // Where the data begins, before which the way up has to be said.
    let (mut turned, mut data_at) = (None, None);
    loop {
        let size = length(u32::from_be_bytes(*rest.0.first_chunk()?))?;
        let chunk = rest.take(size.checked_add(12)?)?;
        let kind: &[u8; 4] = chunk.get(4..8)?.try_into().ok()?;
        if is_first != (kind == b"IHDR") {
            return None;
        }
        is_first = false;
        if kind == b"eXIf" {
            turned = turned.or_else(|| orientation(chunk.get(8..chunk.len().checked_sub(4)?)?));
        }
        if kind == b"IDAT" && data_at.is_none() {
            data_at = Some(kept.len());
        }
        let is_critical = kind.first().is_some_and(u8::is_ascii_uppercase);
        if is_critical || PNG_KEPT.contains(&kind) {
            kept.extend(chunk);
        }
        if kind == b"IEND" {
            break;
        }
    }
    let data_at = data_at?;
    if let Some(turned) = turned {
        let content = [&b"eXIf"[..], &only_orientation(turned)].concat();
        let size = u32::try_from(content.len().checked_sub(4)?).ok()?;
        let mut crc = Crc::new();
        crc.update(&content);
        let chunk = [&size.to_be_bytes()[..], &content, &crc.sum().to_be_bytes()].concat();
        kept.splice(data_at..data_at, chunk);
    }
    Some(kept)
}

/// Chunks of a WebP that it takes to show it.
const WEBP_KEPT: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ICCP", b"ALPH", b"ANIM", b"ANMF"];
/// The flags of `VP8X` that say that there is EXIF, or XMP.
const WEBP_EXIF: u8 = 0b0000_1000;
const WEBP_XMP: u8 = 0b0000_0100;

fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Rest(bytes);
    if rest.take(4)? != b"RIFF" {
        return None;
    }
    let size = length(u32::from_le_bytes(rest.array()?))?;
    let mut rest = Rest(rest.take(size)?);
    if rest.take(4)? != b"WEBP" {
        return None;
    }
    let mut kept = b"WEBP".to_vec();
    let (mut turned, mut flags_at, mut is_shown) = (None, None, false);
    while !rest.0.is_empty() {
        let kind: [u8; 4] = rest.array()?;
        let declared: [u8; 4] = rest.array()?;
        let size = length(u32::from_le_bytes(declared))?;
        let content = rest.take(size)?;
        if !size.is_multiple_of(2) {
            // The last one may lack what fills it up.
            rest.byte();
        }
        if &kind == b"EXIF" {
            let tiff = content.strip_prefix(EXIF).unwrap_or(content);
            turned = turned.or_else(|| orientation(tiff));
        }
        if !WEBP_KEPT.contains(&&kind) {
            continue;
        }
        if &kind == b"VP8X" {
            flags_at = Some(kept.len().checked_add(8)?);
        }
        is_shown |= matches!(&kind, b"VP8 " | b"VP8L" | b"ANMF");
        kept.extend(kind);
        kept.extend(declared);
        kept.extend(content);
        if !size.is_multiple_of(2) {
            kept.push(0);
        }
    }
    if let Some(flags) = flags_at.and_then(|at| kept.get_mut(at)) {
        *flags &= !(WEBP_EXIF | WEBP_XMP);
        if let Some(turned) = turned {
            *flags |= WEBP_EXIF;
            let exif = only_orientation(turned);
            kept.extend(b"EXIF");
            kept.extend(u32::try_from(exif.len()).ok()?.to_le_bytes());
            kept.extend(exif);
        }
    }
    let size = u32::try_from(kept.len()).ok()?.to_le_bytes();
    is_shown.then(|| [b"RIFF", &size, kept.as_slice()].concat())
}

/// The tag of the way up in EXIF data (EXIF 2.3, table 4).
const ORIENTATION: u16 = 0x0112;
/// Entries of a directory that are looked through.
const ENTRIES_MAX: usize = 1_000;

/// Which way up a picture is, by its EXIF data (TIFF 6.0); nothing if it says nothing, or that it stands upright.
fn orientation(tiff: &[u8]) -> Option<u16> {
    let is_little = match tiff.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let bytes: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
    let directory = length(if is_little {
        u32::from_le_bytes(bytes)
    } else {
        u32::from_be_bytes(bytes)
    })?;
    let count = usize::from(short(directory)?).min(ENTRIES_MAX);
    let entry = |index: usize| directory.checked_add(2)?.checked_add(index.checked_mul(12)?);
    let found = (0..count)
        .filter_map(entry)
        .find(|at| short(*at) == Some(ORIENTATION))?;
    let turned = short(found.checked_add(8)?)?;
    (2..=8).contains(&turned).then_some(turned)
}

/// EXIF data that say which way up a picture is, and nothing else.
fn only_orientation(turned: u16) -> Vec<u8> {
    let [high, low] = turned.to_be_bytes();
    vec![
        b'M', b'M', 0, 42, 0, 0, 0, 8, // the header: the directory begins at 8
        0, 1, // one entry
        0x01, 0x12, 0, 3, 0, 0, 0, 1, high, low, 0, 0, // the way up, one short number
        0, 0, 0, 0, // no further directory
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What must not be in any picture that was cleaned.
    const SECRET: &[u8] = b"30.2741N 120.1551E";

    fn has(bytes: &[u8], what: &[u8]) -> bool {
        bytes.windows(what.len()).any(|window| window == what)
    }

    /// EXIF data of a phone: turned by a quarter, and a place.
    fn exif(turned: u16) -> Vec<u8> {
        let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
        tiff.extend(b"\x0f\x01\x02\0\x12\0\0\0\x26\0\0\0");
        tiff.extend(b"\x12\x01\x03\0\x01\0\0\0");
        tiff.extend(turned.to_le_bytes());
        tiff.extend([0; 6]);
        tiff.extend(SECRET);
        tiff
    }

    fn segment(kind: u8, content: &[u8]) -> Vec<u8> {
        let size = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, kind][..], &size, content].concat()
    }

    /// A JPEG with everything that a phone writes, and a film behind it.
    pub fn phone_jpeg(turned: u16) -> Vec<u8> {
        [
            vec![0xff, 0xd8],
            segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"),
            segment(0xe1, &[EXIF, &exif(turned)].concat()),
            segment(
                0xe1,
                &[b"http://ns.adobe.com/xap/1.0/\0".as_slice(), SECRET].concat(),
            ),
            segment(0xe2, b"ICC_PROFILE\0\x01\x01profile"),
            segment(0xe2, &[b"MPF\0".as_slice(), SECRET].concat()),
            segment(0xed, &[b"Photoshop 3.0\0".as_slice(), SECRET].concat()),
            segment(0xee, b"Adobe\0\x64\0\0\0\0\x01"),
            segment(0xfe, SECRET),
            vec![0xff],
            segment(0xdb, &[1; 65]),
            segment(0xc2, b"\x08\0\x01\0\x01\x01\x01\x11\0"),
            segment(0xda, b"\x01\x01\0\0\0\0"),
            b"ab\xff\0cd\xff\xd0ef".to_vec(),
            segment(0xc4, &[2; 20]),
            segment(0xda, b"\x01\x01\0\0\0\0"),
            b"gh".to_vec(),
            vec![0xff, 0xd9],
            b"ftypmp42".to_vec(),
            SECRET.to_vec(),
        ]
        .concat()
    }

    fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let body = [kind.as_slice(), content].concat();
        let mut crc = Crc::new();
        crc.update(&body);
        let size = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&size[..], &body, &crc.sum().to_be_bytes()].concat()
    }

    fn camera_png() -> Vec<u8> {
        [
            PNG_SIGNATURE.to_vec(),
            chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]),
            chunk(b"tEXt", SECRET),
            chunk(b"eXIf", &exif(6)),
            chunk(b"pHYs", &[0; 9]),
            chunk(b"IDAT", b"data"),
            chunk(b"iTXt", SECRET),
            chunk(b"IDAT", b"more"),
            chunk(b"IEND", b""),
            SECRET.to_vec(),
        ]
        .concat()
    }

    fn riff(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        let fill: &[u8] = if content.len() % 2 == 1 { &[0] } else { &[] };
        [kind.as_slice(), &size, content, fill].concat()
    }

    fn camera_webp() -> Vec<u8> {
        let chunks = [
            b"WEBP".to_vec(),
            riff(b"VP8X", &[0b0010_1100, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            riff(b"ICCP", b"odd"),
            riff(b"VP8 ", b"frame"),
            riff(b"EXIF", &[EXIF, &exif(8)].concat()),
            riff(b"XMP ", SECRET),
            riff(b"LIST", SECRET),
        ]
        .concat();
        [riff(b"RIFF", &chunks), SECRET.to_vec()].concat()
    }

    #[test]
    fn a_jpeg_keeps_what_it_shows_its_colours_and_which_way_up_it_is() {
        let phone = phone_jpeg(6);
        let kept = without_metadata(MediaType::Jpeg, &phone).unwrap();
        assert!(has(&phone, SECRET) && !has(&kept, SECRET) && !has(&kept, b"ftyp") && !has(&kept, b"MPF"));
        for part in [
            &b"JFIF"[..],
            b"ICC_PROFILE",
            b"Adobe",
            b"ab\xff\0cd\xff\xd0ef",
            b"gh\xff\xd9",
        ] {
            assert!(has(&kept, part), "{part:?}");
        }
        assert!(kept.ends_with(b"gh\xff\xd9"));
        // The first segment stays JFIF's, and the second says nothing but which way up.
        assert_eq!(kept.get(2..4).unwrap(), [0xff, 0xe0]);
        let said = kept.windows(6).position(|window| window == EXIF).unwrap();
        assert_eq!(orientation(&kept[said + 6..]), Some(6));
        assert_eq!(
            without_metadata(MediaType::Jpeg, &kept).unwrap(),
            kept,
            "twice is as good as once"
        );
        // Who stands upright needs no word about it.
        assert!(!has(
            &without_metadata(MediaType::Jpeg, &phone_jpeg(1)).unwrap(),
            EXIF
        ));
    }

    #[test]
    fn a_png_and_a_webp_likewise() {
        let kept = without_metadata(MediaType::Png, &camera_png()).unwrap();
        assert!(!has(&kept, SECRET) && has(&kept, b"pHYs") && kept.ends_with(&chunk(b"IEND", b"")));
        let before_data = [chunk(b"eXIf", &only_orientation(6)), chunk(b"IDAT", b"data")].concat();
        assert!(has(&kept, &before_data) && has(&kept, &chunk(b"IDAT", b"more")));
        assert_eq!(without_metadata(MediaType::Png, &kept).unwrap(), kept);

        let kept = without_metadata(MediaType::Webp, &camera_webp()).unwrap();
        assert!(
            !has(&kept, SECRET) && has(&kept, &riff(b"ICCP", b"odd")) && has(&kept, &riff(b"VP8 ", b"frame"))
        );
        assert_eq!(
            kept[20], 0b0010_1000,
            "the profile and the way up are said to be there, XMP is not"
        );
        assert!(kept.ends_with(&riff(b"EXIF", &only_orientation(8))));
        let declared = u32::from_le_bytes(kept[4..8].try_into().unwrap());
        assert_eq!(usize::try_from(declared).unwrap() + 8, kept.len());
        assert_eq!(without_metadata(MediaType::Webp, &kept).unwrap(), kept);
    }

    #[test]
    fn what_is_cut_off_is_broken_and_what_is_no_picture_stays() {
        let pictures = [
            (MediaType::Jpeg, phone_jpeg(6)),
            (MediaType::Png, camera_png()),
            (MediaType::Webp, camera_webp()),
        ];
        for (kind, whole) in pictures {
            let ends = whole.len() - SECRET.len() - if kind == MediaType::Jpeg { 8 } else { 0 };
            for cut in 0..ends {
                assert_eq!(
                    without_metadata(kind, &whole[..cut]),
                    Err(Broken),
                    "{kind:?} {cut}"
                );
            }
            assert!(without_metadata(kind, &whole[..ends]).is_ok(), "{kind:?}");
        }
        assert_eq!(
            without_metadata(MediaType::Png, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            Err(Broken)
        );
        assert_eq!(without_metadata(MediaType::Pdf, b"%PDF").unwrap(), b"%PDF");
        assert!(is_picture(MediaType::Webp) && !is_picture(MediaType::Pdf));
    }

    #[test]
    fn data_that_lead_astray_say_nothing() {
        for tiff in [
            &b""[..],
            b"II",
            b"II*\0\xff\xff\xff\xff",
            b"MM\0*\0\0\0\x08\xff\xff",
            b"XX*\0\x08\0\0\0",
        ] {
            assert_eq!(orientation(tiff), None);
        }
        assert_eq!(orientation(&exif(9)), None);
        assert_eq!(orientation(&only_orientation(3)), Some(3));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_what_comes_out_is_clean(kind in prop::sample::select(vec![MediaType::Jpeg, MediaType::Png, MediaType::Webp]), at in 0_usize..400, bytes in prop::collection::vec(any::<u8>(), 0..8)) {
            let mut picture = match kind {
                MediaType::Jpeg => phone_jpeg(6),
                MediaType::Png => camera_png(),
                _ => camera_webp(),
            };
            let at = at % picture.len();
            let until = (at + bytes.len()).min(picture.len());
            picture.splice(at..until, bytes);
            if let Ok(kept) = without_metadata(kind, &picture) {
                prop_assert!(kept.len() <= picture.len() + 40);
                let again = without_metadata(kind, &kept);
                prop_assert_eq!(again, Ok(kept));
            }
        }
    }
}
