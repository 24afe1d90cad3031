//! Names of files: what of a name that somebody sent is kept, and how it is written into a download's headers. Pure. A name
//! never leads anywhere, never hides characters, and always ends as its type's names do, so that what opens a file by its
//! name treats it as what it is.

use crate::files::media::MediaType;
use crate::kernel::text::is_hidden;

/// Characters of a name at most.
pub const NAME_LENGTH_MAX: usize = 200;

/// The name of a file of this type, cleaned: without the folders before it, without control characters and those that turn
/// the direction of text or cannot be seen, without what no file system takes, at most [`NAME_LENGTH_MAX`] long; with the
/// type's ending, if it has none of those. `None` if nothing is left.
pub fn cleaned(name: &str, media_type: MediaType) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last
        .chars()
        .filter(|c| !is_hidden(*c))
        .map(|c| if taken(c) { '_' } else { c })
        .collect();
    let plain = plain.trim_matches(|c: char| c == '.' || c.is_whitespace());
    if plain.is_empty() {
        return None;
    }
    let endings = media_type.endings();
    let (stem, ending) = match plain.rsplit_once('.') {
        Some((stem, ending)) if endings.contains(&ending.to_ascii_lowercase().as_str()) => (stem, ending),
        _ => (plain, endings.first().copied().unwrap_or_default()),
    };
    let room = NAME_LENGTH_MAX
        .saturating_sub(ending.chars().count())
        .saturating_sub(1);
    let stem: String = stem.chars().take(room).collect();
    Some(format!("{stem}.{ending}"))
}

/// What some file system keeps for itself.
fn taken(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*')
}

/// `Content-Disposition` of a download (RFC 6266, RFC 8187): never shown in the page, and with its name twice, in ASCII for
/// old programs and whole for all others.
pub fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | '-' | '_' | '(' | ')' => c,
            _ => '_',
        })
        .collect();
    let whole: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pdf(name: &str) -> Option<String> {
        cleaned(name, MediaType::Pdf)
    }

    #[test]
    fn a_name_keeps_what_is_readable_and_leads_nowhere() {
        let kept = |name: &str| pdf(name).unwrap();
        assert_eq!(kept("梧桐街道 清扫方案.pdf"), "梧桐街道 清扫方案.pdf");
        assert_eq!(kept("../../etc/passwd.pdf"), "passwd.pdf");
        assert_eq!(kept("C:\\Users\\x\\a.PDF"), "a.PDF");
        assert_eq!(kept("  .hidden.pdf. "), "hidden.pdf");
        assert_eq!(kept("a\r\nSet-Cookie: b.pdf"), "aSet-Cookie_ b.pdf");
        assert_eq!(kept("a\"; filename=\"b.exe"), "a_; filename=_b.exe.pdf");
        assert_eq!(kept("gpj.\u{202e}fdp.exe"), "gpj.fdp.exe.pdf");
        assert_eq!(kept("a\u{200b}b\u{feff}.pdf"), "ab.pdf");
        for nothing in ["", " ", "..", "/", "a/", "\u{202e}\u{200b}", "\0"] {
            assert_eq!(pdf(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_name_ends_as_its_type_does() {
        assert_eq!(cleaned("run.bat", MediaType::Text).unwrap(), "run.bat.txt");
        assert_eq!(cleaned("table.csv", MediaType::Text).unwrap(), "table.csv.txt");
        assert_eq!(cleaned("notes.md", MediaType::Text).unwrap(), "notes.md");
        assert_eq!(cleaned("photo.JPEG", MediaType::Jpeg).unwrap(), "photo.JPEG");
        assert_eq!(cleaned("photo", MediaType::Jpeg).unwrap(), "photo.jpg");
        assert_eq!(cleaned("pdf", MediaType::Pdf).unwrap(), "pdf.pdf");
        let long = pdf(&"字".repeat(500)).unwrap();
        assert_eq!(long.chars().count(), NAME_LENGTH_MAX);
        assert!(long.ends_with("字.pdf"));
    }

    #[test]
    fn a_download_has_its_name_twice() {
        assert_eq!(
            disposition("方案 (1).pdf"),
            "attachment; filename=\"__ (1).pdf\"; filename*=UTF-8''%E6%96%B9%E6%A1%88%20%281%29.pdf"
        );
        assert_eq!(
            disposition("a\"b'%.pdf"),
            "attachment; filename=\"a_b__.pdf\"; filename*=UTF-8''a%22b%27%25.pdf"
        );
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_its_header(name in "\\PC*|[\\x00-\\x7f\u{202e}\u{200b}]*") {
            if let Some(kept) = pdf(&name) {
                prop_assert!(kept.chars().count() <= NAME_LENGTH_MAX);
                let breaks_out = kept.contains(['/', '\\', '\0', '\r', '\n', '"', '\u{202e}', '\u{200b}']);
                prop_assert!(!breaks_out);
                prop_assert!(kept.to_ascii_lowercase().ends_with(".pdf") && !kept.starts_with('.'));
                let again = pdf(&kept);
                prop_assert_eq!(again.as_ref(), Some(&kept));
                let header = disposition(&kept);
                prop_assert!(header.is_ascii() && !header.contains(char::is_control));
                prop_assert_eq!(header.matches('"').count(), 2);
            }
        }
    }
}
