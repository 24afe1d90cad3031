//! The files of the demo: minutes of consultations and lists of places, made here and shelved as uploads are. They are small, and no
//! scanner is asked about what the program itself has written.

use sha2::{Digest, Sha256};

use crate::app::demo_offers::Offer;
use crate::app::demo_plans::Plan;
use crate::app::server::House;
use crate::files::acts::Upload;
use crate::files::media::MediaType;
use crate::kernel::refusal::{Answer, Fault};

/// Shelves a file; an act makes it somebody's attachment.
///
/// # Errors
/// A fault or a refusal of the store.
pub fn shelve(house: &House, name: &str, media_type: MediaType, bytes: &[u8]) -> Answer<Upload> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::caused("start a runtime", error))?;
    let (shelf, now) = (&house.files.shelf, house.context.clock.now());
    let place = runtime.block_on(async {
        let mut arriving = shelf.receive(now).await?;
        arriving.write(bytes).await?;
        arriving.finish().await?.shelve().await
    })?;
    Ok(Upload {
        sha256: hex::encode(Sha256::digest(bytes)),
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        media_type,
        name: name.to_owned(),
        metadata_removed: false,
        place,
    })
}

/// The places of a book as a table, in both languages.
pub fn places(plan: &Plan) -> String {
    let mut table = "number,place_zh,place_en\r\n".to_owned();
    for (number, (zh, en)) in (1_usize..).zip(plan.places) {
        table.push_str(&format!("{number},{zh},\"{en}\"\r\n"));
    }
    table
}

/// The minutes of a plan's consultation, a page of PDF in both languages.
pub fn minutes(plan: &Plan) -> Vec<u8> {
    let lines = [
        plan.title.0,
        plan.title.1,
        "需求论证会议记录 Minutes of the consultation",
        plan.need.0,
        plan.need.1,
        plan.wish.0,
        plan.wish.1,
        plan.conclusion.0,
        plan.conclusion.1,
    ];
    page(&lines)
}

/// The minutes of the meeting whose representatives appraised the bids for a plan's book, so many of whom came, in both languages.
pub fn appraisal(plan: &Plan, (eligible, present): (u32, u32)) -> Vec<u8> {
    let came = format!("应到 {eligible} 人，实到 {present} 人 {present} of {eligible} representatives came");
    page(&[
        plan.title.0,
        plan.title.1,
        "居民代表会议评议记录 Minutes of the residents' appraisal",
        &came,
    ])
}

/// What a bidder offers in words, as the document that its bid names by its hash: a page of PDF in both languages.
pub fn proposal(plan: &Plan, offer: &Offer) -> Vec<u8> {
    let mut lines = vec![plan.title.0, plan.title.1, "响应文件 Proposal"];
    for (zh, en) in [offer.work, offer.means, offer.experience] {
        lines.extend([zh, en]);
    }
    page(&lines)
}

/// One page of PDF with a line of text under each other, in the Chinese font that readers of PDF bring along.
fn page(lines: &[&str]) -> Vec<u8> {
    let mut text = "BT /F1 9 Tf 50 790 Td 18 TL\n".to_owned();
    for line in lines {
        let codes: String = line.encode_utf16().map(|unit| format!("{unit:04X}")).collect();
        text.push_str(&format!("<{codes}> Tj T*\n"));
    }
    text.push_str("ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>".to_owned(),
        format!("<</Length {}>>stream\n{text}\nendstream", text.len()),
        "<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[6 0 R]>>".to_owned(),
        "<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>\
         /DW 1000/W[1 94 500]/FontDescriptor 7 0 R>>"
            .to_owned(),
        "<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 880/Descent -120\
         /CapHeight 880/StemV 93>>"
            .to_owned(),
    ];
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1_usize..).zip(&objects) {
        places.push(file.len());
        file.extend_from_slice(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    let table = file.len();
    let count = objects.len().saturating_add(1);
    file.extend_from_slice(format!("xref\n0 {count}\n0000000000 65535 f \n").as_bytes());
    for place in places {
        file.extend_from_slice(format!("{place:010} 00000 n \n").as_bytes());
    }
    let trailer = format!("trailer\n<</Size {count}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n");
    file.extend_from_slice(trailer.as_bytes());
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::demo_plans::PLANS;
    use crate::files::media::Sniffer;

    #[test]
    fn the_minutes_are_what_an_upload_of_them_would_be_taken_for() {
        let all = PLANS
            .iter()
            .flat_map(|plan| [minutes(plan), appraisal(plan, (60, 44))]);
        for bytes in all {
            let mut sniffer = Sniffer::default();
            sniffer.look(&bytes);
            assert!(sniffer.found().contains(&MediaType::Pdf));
            let text = String::from_utf8_lossy(&bytes).into_owned();
            // Every object begins where the table says.
            let table = text.split("xref\n").nth(1).unwrap();
            let listed = table.lines().filter(|line| line.ends_with(" n "));
            for (number, line) in (1_usize..).zip(listed) {
                let place: usize = line.split(' ').next().unwrap().parse().unwrap();
                assert!(text[place..].starts_with(&format!("{number} 0 obj")), "{line}");
            }
        }
    }
}
