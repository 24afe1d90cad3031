//! The types of files that may be taken, and what bytes really are. Pure: it is shown the bytes as they arrive, keeps only
//! their beginning and their end, and never believes a name or a header.

use std::collections::VecDeque;

use serde::Deserialize;

/// Bytes from the beginning that are kept: all signatures lie within them.
const HEAD_BYTES: usize = 8 * 1024;
/// Bytes from the end that are kept: the list of contents of a packed document must lie within them.
const TAIL_BYTES: usize = 256 * 1024;
/// Files packed into one document, at most.
const PACKED_MAX: usize = 10_000;

/// A type of file that the ward can be told to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaType {
    /// Portable Document Format.
    Pdf,
    /// A picture, PNG.
    Png,
    /// A picture, JPEG.
    Jpeg,
    /// A picture, WebP.
    Webp,
    /// A text document, Office Open XML.
    Docx,
    /// A spreadsheet, Office Open XML.
    Xlsx,
    /// A presentation, Office Open XML.
    Pptx,
    /// A text document, OpenDocument.
    Odt,
    /// A spreadsheet, OpenDocument.
    Ods,
    /// A table as text, UTF-8.
    Csv,
    /// Text, UTF-8.
    #[serde(rename = "txt")]
    Text,
    /// A packed folder. Not usually taken, because nobody has looked at what is in it.
    Zip,
}

impl MediaType {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Pdf,
        Self::Png,
        Self::Jpeg,
        Self::Webp,
        Self::Docx,
        Self::Xlsx,
        Self::Pptx,
        Self::Odt,
        Self::Ods,
        Self::Csv,
        Self::Text,
        Self::Zip,
    ];

    /// Those that are taken unless the configuration says otherwise.
    pub const USUAL: &[Self] = Self::ALL.split_at(11).0;

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Pptx => "pptx",
            Self::Odt => "odt",
            Self::Ods => "ods",
            Self::Csv => "csv",
            Self::Text => "txt",
            Self::Zip => "zip",
        }
    }

    /// The media type without parameters, in the API and in the database.
    pub const fn essence(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Ods => "application/vnd.oasis.opendocument.spreadsheet",
            Self::Csv => "text/csv",
            Self::Text => "text/plain",
            Self::Zip => "application/zip",
        }
    }

    /// The type of that media type.
    pub fn of_essence(essence: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.essence() == essence)
    }

    /// The media type as a download says it.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            other => other.essence(),
        }
    }

    /// What names of such files end with; the first is the usual one.
    pub const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Webp => &["webp"],
            Self::Docx => &["docx"],
            Self::Xlsx => &["xlsx"],
            Self::Pptx => &["pptx"],
            Self::Odt => &["odt"],
            Self::Ods => &["ods"],
            Self::Csv => &["csv"],
            Self::Text => &["txt", "text", "md", "log"],
            Self::Zip => &["zip"],
        }
    }
}

/// Looks at bytes as they arrive and says in the end what they are.
pub struct Sniffer {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    text: Utf8,
}

impl Default for Sniffer {
    fn default() -> Self {
        Self {
            head: Vec::new(),
            tail: VecDeque::new(),
            text: Utf8::So {
                unfinished: Vec::new(),
            },
        }
    }
}

impl Sniffer {
    /// Looks at the next bytes.
    pub fn look(&mut self, bytes: &[u8]) {
        let missing = HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(missing));
        if self.head.starts_with(b"PK") {
            let last = bytes.len().saturating_sub(TAIL_BYTES);
            self.tail.extend(bytes.iter().skip(last));
            let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
            self.tail.drain(..surplus);
        }
        self.text.look(bytes);
    }

    /// What the bytes were: one type, or, for text, those that text can be. Nothing if it is of no type that is known here.
    pub fn found(mut self) -> Vec<MediaType> {
        let known = infer::get(&self.head);
        let essence = known.map(|known| known.mime_type());
        let packed = self.head.starts_with(b"PK\x03\x04");
        if let Some(found) = essence.and_then(MediaType::of_essence)
            && !packed
        {
            return vec![found];
        }
        if packed {
            // OpenDocument says what it is at a fixed place; the rest is told by what is packed.
            return match essence.and_then(MediaType::of_essence) {
                Some(found @ (MediaType::Odt | MediaType::Ods)) => vec![found],
                _ => packed_document(self.tail.make_contiguous()),
            };
        }
        // A signature of two letters is no reason to call a text something else; a page or a program is no plain text.
        let is_program = known.is_some_and(|known| known.matcher_type() == infer::MatcherType::Text);
        if self.text.holds() && !is_program {
            return vec![MediaType::Csv, MediaType::Text];
        }
        Vec::new()
    }
}

/// Whether everything so far is text: UTF-8, without control characters but those that lay out lines.
enum Utf8 {
    So { unfinished: Vec<u8> },
    Not,
}

impl Utf8 {
    fn look(&mut self, bytes: &[u8]) {
        let Self::So { unfinished } = self else { return };
        let mut joined = std::mem::take(unfinished);
        joined.extend_from_slice(bytes);
        let (text, rest) = match std::str::from_utf8(&joined) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (valid, rest) = joined.split_at(error.valid_up_to());
                if error.error_len().is_some() {
                    *self = Self::Not;
                    return;
                }
                (std::str::from_utf8(valid).unwrap_or("\0"), rest)
            }
        };
        let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}');
        *self = if text.contains(odd) {
            Self::Not
        } else {
            Self::So {
                unfinished: rest.to_vec(),
            }
        };
    }

    fn holds(&self) -> bool {
        matches!(self, Self::So { unfinished } if unfinished.is_empty())
    }
}

/// What a ZIP archive is, by the list of its contents, which stands at its end (APPNOTE.TXT §4.3.12, §4.3.16). A document
/// with a program in it is none that is known here, whatever its name says.
fn packed_document(tail: &[u8]) -> Vec<MediaType> {
    let Some(names) = packed_names(tail) else {
        return Vec::new();
    };
    let has = |wanted: &str| names.contains(&wanted.as_bytes());
    if !has("[Content_Types].xml") {
        return vec![MediaType::Zip];
    }
    let program = |name: &&[u8]| name.to_ascii_lowercase().ends_with(b"vbaproject.bin");
    if names.iter().any(program) {
        return Vec::new();
    }
    let kinds = [
        ("word/document.xml", MediaType::Docx),
        ("xl/workbook.xml", MediaType::Xlsx),
        ("ppt/presentation.xml", MediaType::Pptx),
    ];
    let found: Vec<MediaType> = kinds
        .into_iter()
        .filter(|(part, _)| has(part))
        .map(|(_, kind)| kind)
        .collect();
    if found.len() == 1 {
        found
    } else {
        vec![MediaType::Zip]
    }
}

/// The names in the list of contents; `None` if there is no such list, or it is not all within `tail`.
fn packed_names(tail: &[u8]) -> Option<Vec<&[u8]>> {
    let end = tail.windows(4).rposition(|four| four == b"PK\x05\x06")?;
    let trailer = tail.get(end..)?;
    let (count, length) = (number(trailer, 10, 2)?, number(trailer, 12, 4)?);
    let mut list = tail.get(end.checked_sub(length)?..end)?;
    let mut names = Vec::new();
    while !list.is_empty() {
        if !list.starts_with(b"PK\x01\x02") || names.len() >= PACKED_MAX {
            return None;
        }
        let (name, extra, comment) = (number(list, 28, 2)?, number(list, 30, 2)?, number(list, 32, 2)?);
        names.push(list.get(46..46_usize.checked_add(name)?)?);
        list = list.get(46 + name + extra + comment..)?;
    }
    (names.len() == count).then_some(names)
}

/// A little-endian number of `length` bytes at `at`.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(length)?)?;
    let value = field
        .iter()
        .rev()
        .fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    usize::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(bytes: &[u8]) -> Vec<MediaType> {
        let mut sniffer = Sniffer::default();
        for chunk in bytes.chunks(7) {
            sniffer.look(chunk);
        }
        sniffer.found()
    }

    /// A ZIP archive of empty files of these names.
    fn packed(names: &[&str]) -> Vec<u8> {
        let le = |n: usize, length: usize| n.to_le_bytes()[..length].to_vec();
        let (mut files, mut list) = (Vec::new(), Vec::new());
        for name in names {
            let at = files.len();
            files.extend([b"PK\x03\x04".to_vec(), vec![0; 22], le(name.len(), 2), le(0, 2)].concat());
            files.extend(name.as_bytes());
            list.extend(
                [
                    b"PK\x01\x02".to_vec(),
                    vec![0; 24],
                    le(name.len(), 2),
                    vec![0; 12],
                    le(at, 4),
                ]
                .concat(),
            );
            list.extend(name.as_bytes());
        }
        let (at, length, count) = (files.len(), list.len(), names.len());
        let end = [
            b"PK\x05\x06".to_vec(),
            vec![0; 4],
            le(count, 2),
            le(count, 2),
            le(length, 4),
            le(at, 4),
            le(0, 2),
        ];
        [files, list, end.concat()].concat()
    }

    #[test]
    fn bytes_say_what_they_are() {
        assert_eq!(found(b"%PDF-1.7\n%%EOF\n"), [MediaType::Pdf]);
        assert_eq!(found(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), [MediaType::Png]);
        assert_eq!(found(b"\xff\xd8\xff\xe0\0\x10JFIF\0"), [MediaType::Jpeg]);
        assert_eq!(found(b"RIFF\x10\0\0\0WEBPVP8 "), [MediaType::Webp]);
        let text = [MediaType::Csv, MediaType::Text];
        assert_eq!(found("\u{feff}序号,名称\r\n1,梧桐\r\n".as_bytes()), text);
        // Two letters that a program or a picture could begin with.
        assert_eq!(found(b"MZ is not a program\n"), text);
        assert_eq!(found(b"BM,1\n"), text);
    }

    #[test]
    fn what_is_not_known_or_could_be_run_is_nothing() {
        for bytes in [
            &b"MZ\x90\0\x03\0\0\0"[..],
            b"\x7fELF\x02\x01\x01\0",
            b"<!DOCTYPE html><p>x",
            b"<html>\n<script>",
            b"<?xml version=\"1.0\"?><svg/>",
            b"#!/bin/sh\necho\n",
            b"GIF89a\0\0",
            b"a\0b",
            b"\x1b[2J",
            b"\xb5\xd8\xbf",
            "字".as_bytes().split_at(2).0,
            b"PK\x03\x04",
        ] {
            assert_eq!(found(bytes), [], "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_packed_document_is_told_by_what_is_packed() {
        let all = "[Content_Types].xml";
        assert_eq!(
            found(&packed(&["_rels/.rels", "word/document.xml", all])),
            [MediaType::Docx]
        );
        assert_eq!(found(&packed(&[all, "xl/workbook.xml"])), [MediaType::Xlsx]);
        assert_eq!(found(&packed(&[all, "ppt/presentation.xml"])), [MediaType::Pptx]);
        assert_eq!(found(&packed(&["word/document.xml"])), [MediaType::Zip]);
        assert_eq!(found(&packed(&["a.exe"])), [MediaType::Zip]);
        assert_eq!(
            found(&packed(&[all, "xl/workbook.xml", "word/document.xml"])),
            [MediaType::Zip]
        );
        assert_eq!(
            found(&packed(&[all, "word/document.xml", "word/vbaProject.bin"])),
            []
        );
        let mut odt = b"PK\x03\x04".to_vec();
        odt.extend([0; 22]);
        odt.extend(b"\x08\0\0\0mimetypeapplication/vnd.oasis.opendocument.text");
        assert_eq!(found(&odt), [MediaType::Odt]);
    }

    #[test]
    fn the_end_of_a_long_archive_is_enough_and_a_cut_one_is_nothing() {
        let document = packed(&["[Content_Types].xml", "word/document.xml"]);
        let begins = b"PK\x03\x04".iter().copied();
        let mut long: Vec<u8> = begins.chain(std::iter::repeat_n(7, 3 * TAIL_BYTES)).collect();
        long.extend(&document);
        assert_eq!(found(&long), [MediaType::Docx]);
        assert_eq!(found(&document[..document.len() - 23]), []);
    }

    #[test]
    fn every_type_has_names_of_its_own() {
        for one in MediaType::ALL {
            let named: MediaType = serde_json::from_value(one.name().into()).unwrap();
            assert_eq!(named, one);
            assert_eq!(MediaType::of_essence(one.essence()), Some(one));
            assert!(!one.endings().is_empty() && one.content_type().starts_with(one.essence()));
        }
        assert!(!MediaType::USUAL.contains(&MediaType::Zip));
        assert_eq!(MediaType::USUAL.len(), MediaType::ALL.len() - 1);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(head in prop::sample::select(vec![&b""[..], b"PK\x03\x04", b"PK\x05\x06", b"%PDF", b"RIFF"]), bytes: Vec<u8>) {
            found(&[head, &bytes].concat());
        }

        #[test]
        fn a_damaged_archive_does_not_panic(at in 0_usize..260, byte: u8) {
            let mut document = packed(&["[Content_Types].xml", "word/document.xml"]);
            if let Some(one) = document.get_mut(at) {
                *one = byte;
            }
            found(&document);
        }

        #[test]
        fn text_is_text_however_it_is_cut(text in "[a-z字🌳é\n]{0,60}", cut in 1_usize..9) {
            let mut sniffer = Sniffer::default();
            for chunk in text.as_bytes().chunks(cut) {
                sniffer.look(chunk);
            }
            prop_assert!(sniffer.text.holds());
        }
    }
}
