//! The form of a mail: the ward's letterhead round the words, as plain text and as HTML, and the message that goes over the
//! wire. Whatever comes from outside is cleaned here, once for all kinds: a subject or a name is one line of visible
//! characters, and lettre encodes it; HTML is escaped by the template.

use askama::Template;
use chrono_tz::Tz;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};

use crate::kernel::clock::Instant;
use crate::kernel::refusal::Fault;
use crate::kernel::text::{Language, Text};
use crate::outbox::address::{Address, NAME_LENGTH_MAX, one_line, several_lines};
use crate::outbox::content::Content;
use crate::outbox::wording::{Block, Wording};

/// Characters of a subject; what is longer is cut.
pub const SUBJECT_LENGTH_MAX: usize = 150;

/// Characters of a paragraph or a quotation; what is longer is cut.
pub const PARAGRAPH_LENGTH_MAX: usize = 4_000;

/// Who writes: the same on every mail of a ward.
#[derive(Clone, Debug)]
pub struct Letterhead {
    /// The ward's name.
    pub ward: Text,
    /// The service's address as its users see it, without a slash at the end.
    pub public_url: String,
    /// The ward's time zone.
    pub zone: Tz,
    /// The sender's address.
    pub from: Address,
}

impl Letterhead {
    /// A path on this service as an address. What is no character of an address is left out.
    pub fn url(&self, path: &str) -> String {
        let visible = path
            .chars()
            .filter(|c| c.is_ascii_graphic() && !"<>\"'`\\".contains(*c));
        format!(
            "{}/{}",
            self.public_url,
            visible.collect::<String>().trim_start_matches('/')
        )
    }
}

/// Whom a letter is for, and how it is recognised.
pub struct Reader<'a> {
    /// The mail's id, which makes its `Message-ID`: the same however often it is sent.
    pub id: &'a str,
    /// Where to.
    pub address: &'a Address,
    /// By which name; may be empty.
    pub name: &'a str,
    /// In which language.
    pub language: Language,
    /// When it was queued.
    pub written_at: Instant,
    /// Where it is unsubscribed from with one click, if it may be.
    pub unsubscribe: Option<&'a str>,
}

/// A piece of a letter, cleaned and in one language.
enum Piece {
    Paragraph(String),
    Code(String),
    Button { label: String, url: String },
    Quote(Vec<String>),
    List(Vec<Entry>),
}

struct Entry {
    text: String,
    url: Option<String>,
}

/// A letter as its reader sees it.
#[derive(Template)]
#[template(path = "mail.html")]
pub struct Letter {
    lang: &'static str,
    ward: String,
    subject: String,
    greeting: String,
    pieces: Vec<Piece>,
    reason: String,
    home: String,
    other_lang: &'static str,
    other_language: &'static str,
    unsubscribe: Option<String>,
    unsubscribe_label: &'static str,
}

impl Letter {
    /// The letter that tells `content` to its reader.
    pub fn new(content: &Content, head: &Letterhead, reader: &Reader<'_>) -> Self {
        let Wording {
            subject,
            blocks,
            reason,
        } = content.wording(head);
        let language = reader.language;
        let paragraph = |text: &Text| one_line(text.in_language(language), PARAGRAPH_LENGTH_MAX);
        let pieces = blocks.iter().map(|block| match block {
            Block::Paragraph(text) => Piece::Paragraph(paragraph(text)),
            Block::Code(code) => Piece::Code(one_line(code, 20)),
            Block::Button { label, path } => Piece::Button {
                label: paragraph(label),
                url: head.url(path),
            },
            Block::Quote(words) => Piece::Quote(
                several_lines(words, PARAGRAPH_LENGTH_MAX)
                    .lines()
                    .map(str::to_owned)
                    .collect(),
            ),
            Block::List(items) => Piece::List(
                items
                    .iter()
                    .map(|item| Entry {
                        text: one_line(item.text.in_language(language), SUBJECT_LENGTH_MAX),
                        url: item.path.as_deref().map(|path| head.url(path)),
                    })
                    .collect(),
            ),
        });
        let (other_lang, other_language, unsubscribe_label) = match language {
            Language::Chinese => (
                Language::English.tag(),
                "You can have these messages in English: choose it in your mail preferences.",
                "不再接收此类邮件",
            ),
            Language::English => (
                Language::Chinese.tag(),
                "您可以在邮件偏好中改用中文接收邮件。",
                "Stop such messages",
            ),
        };
        Self {
            lang: language.tag(),
            ward: one_line(head.ward.in_language(language), NAME_LENGTH_MAX),
            subject: one_line(subject.in_language(language), SUBJECT_LENGTH_MAX),
            greeting: greeting(reader.name, language),
            pieces: pieces.collect(),
            reason: paragraph(&reason),
            home: head.url("/"),
            other_lang,
            other_language,
            unsubscribe: reader.unsubscribe.map(str::to_owned),
            unsubscribe_label,
        }
    }

    /// The letter as plain text.
    pub fn text(&self) -> String {
        let mut parts = vec![self.ward.clone(), self.greeting.clone()];
        for piece in &self.pieces {
            parts.push(match piece {
                Piece::Paragraph(text) => text.clone(),
                Piece::Code(code) => format!("    {code}"),
                Piece::Button { label, url } => format!("{label}:\n{url}"),
                Piece::Quote(lines) => prefixed(lines, "> "),
                Piece::List(entries) => {
                    let lines = entries.iter().map(|entry| match &entry.url {
                        Some(url) => format!("* {}\n  {url}", entry.text),
                        None => format!("* {}", entry.text),
                    });
                    lines.collect::<Vec<_>>().join("\n")
                }
            });
        }
        // The mark of a signature (RFC 3676 §4.3), which readers fold away.
        parts.push(format!("-- \n{}\n{} · {}", self.reason, self.ward, self.home));
        parts.push(self.other_language.to_owned());
        if let Some(url) = &self.unsubscribe {
            parts.push(format!("{}:\n{url}", self.unsubscribe_label));
        }
        parts.join("\n\n") + "\n"
    }

    /// The letter as HTML.
    ///
    /// # Errors
    /// A fault if the template cannot be filled in, which memory always can.
    pub fn html(&self) -> Result<String, Fault> {
        self.render()
            .map_err(|error| Fault::caused("write a mail as HTML", error))
    }

    /// The bytes that go over the wire.
    ///
    /// # Errors
    /// A fault if lettre cannot put them together.
    pub fn message(&self, head: &Letterhead, reader: &Reader<'_>) -> Result<Vec<u8>, Fault> {
        let from = Mailbox::new(Some(self.ward.clone()), head.from.inner().clone());
        let name = one_line(reader.name, NAME_LENGTH_MAX);
        let to = Mailbox::new((!name.is_empty()).then_some(name), reader.address.inner().clone());
        let mut message = Message::builder()
            .from(from)
            .to(to)
            .subject(self.subject.clone())
            .date(reader.written_at.into())
            .message_id(Some(format!("<{}@{}>", reader.id, head.from.inner().domain())))
            // RFC 3834: nobody's holiday answers this.
            .raw_header(header("Auto-Submitted", "auto-generated"));
        if let Some(url) = &self.unsubscribe {
            // RFC 8058: the mail program shows a button of its own and posts to this address.
            message = message
                .raw_header(header("List-Unsubscribe", &format!("<{url}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        let body = MultiPart::alternative_plain_html(self.text(), self.html()?);
        let message = message
            .multipart(body)
            .map_err(|error| Fault::caused("put a mail together", error))?;
        Ok(message.formatted())
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn greeting(name: &str, language: Language) -> String {
    let name = one_line(name, NAME_LENGTH_MAX);
    match (language, name.is_empty()) {
        (Language::Chinese, true) => "您好：".to_owned(),
        (Language::Chinese, false) => format!("{name}，您好："),
        (Language::English, true) => "Hello,".to_owned(),
        (Language::English, false) => format!("Dear {name},"),
    }
}

fn prefixed(lines: &[String], prefix: &str) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("{prefix}{line}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::local_day::ZONE_DEFAULT;
    use crate::outbox::content::tests::samples;
    use chrono::{TimeZone, Utc};

    fn head() -> Letterhead {
        Letterhead {
            ward: Text::fixed("梧桐街道", "Wutong Street"),
            public_url: "https://ward.example".to_owned(),
            zone: ZONE_DEFAULT,
            from: "ward@ward.example".parse().unwrap(),
        }
    }

    /// The letters of all kinds in one language, their message as it goes over the wire, and the message's head.
    fn letters(hostile: &str, name: &str, language: Language) -> Vec<(String, Letter, String, String)> {
        let address = "wang@example.org".parse().unwrap();
        let reader = Reader {
            id: "mail_01jd3n8f5teqkrzvq1c0m6h2ax",
            address: &address,
            name,
            language,
            written_at: Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap(),
            unsubscribe: Some("https://ward.example/u/user_1.abc"),
        };
        let letters = samples(hostile).into_iter().map(|content| {
            let letter = Letter::new(&content, &head(), &reader);
            let message = String::from_utf8(letter.message(&head(), &reader).unwrap()).unwrap();
            let (top, _) = message.split_once("\r\n\r\n").unwrap();
            let top = top.to_owned();
            (content.kind().to_owned(), letter, message, top)
        });
        letters.collect()
    }

    fn is_chinese(c: char) -> bool {
        ('\u{4e00}'..='\u{9fff}').contains(&c)
    }

    #[test]
    fn every_kind_is_told_in_both_languages_as_text_and_as_html() {
        for language in [Language::Chinese, Language::English] {
            for (kind, letter, ..) in letters("", "", language) {
                let (text, html) = (letter.text(), letter.html().unwrap());
                let ours = |text: &str| text.replace(letter.other_language, "");
                if language == Language::Chinese {
                    assert!(
                        letter.subject.chars().any(is_chinese),
                        "{kind}: {}",
                        letter.subject
                    );
                    assert!(
                        text.contains("梧桐街道") && html.contains("lang=\"zh-CN\""),
                        "{kind}"
                    );
                } else {
                    assert!(!ours(&text).chars().any(is_chinese), "{kind}: {text}");
                    assert!(
                        text.contains("Wutong Street") && html.contains("lang=\"en\""),
                        "{kind}"
                    );
                }
                assert!(letter.reason.chars().count() > 10, "{kind}");
                for part in [&letter.ward, &letter.subject, &letter.reason, &letter.greeting] {
                    assert!(html.contains(&*escaped(part)), "{kind}: {part} in {html}");
                }
                for piece in &letter.pieces {
                    if let Piece::Paragraph(said) | Piece::Code(said) | Piece::Button { label: said, .. } =
                        piece
                    {
                        assert!(
                            text.contains(said.as_str()) && html.contains(&*escaped(said)),
                            "{kind}: {said}"
                        );
                    }
                }
            }
        }
    }

    fn escaped(text: &str) -> String {
        text.replace('&', "&#38;")
            .replace('\'', "&#39;")
            .replace('"', "&#34;")
            .replace('<', "&#60;")
            .replace('>', "&#62;")
    }

    #[test]
    fn whatever_comes_from_outside_stays_text() {
        let hostile = "</p><script>alert(\"1\")</script>'{{ subject }}";
        for (kind, letter, ..) in letters(hostile, hostile, Language::English) {
            let html = letter.html().unwrap();
            assert!(!html.contains("<script"), "{kind}: {html}");
            let links = html.matches("href=\"").count();
            let ours = html.matches("href=\"https://ward.example/").count();
            assert_eq!(links, ours, "{kind}: {html}");
        }
    }

    #[test]
    fn nothing_from_outside_ends_a_header() {
        let long = "长".repeat(100_000);
        for hostile in [
            "\r\nBcc: evil@example.org\r\n\r\nbody",
            "\nX-Evil: 1",
            "\rX-Evil: 1",
            "\0",
            "\u{202e}gpj.exe\u{2066}",
            "\u{2028}X-Evil: 1",
            "=?utf-8?q?=0D=0AX-Evil:_1?=",
            "\" <evil@example.org>, \"",
            long.as_str(),
        ] {
            for (kind, _, message, top) in letters(hostile, hostile, Language::Chinese) {
                let told = || {
                    format!(
                        "{kind} with {:?}: {top}",
                        hostile.chars().take(30).collect::<String>()
                    )
                };
                for line in top.split("\r\n") {
                    assert!(
                        !line.contains(['\r', '\n', '\0']) && line.len() <= 998,
                        "{}",
                        told()
                    );
                    let known = [
                        "From",
                        "To",
                        "Subject",
                        "Date",
                        "Message-ID",
                        "Auto-Submitted",
                        "List-Unsubscribe",
                        "List-Unsubscribe-Post",
                        "MIME-Version",
                        "Content-Type",
                    ];
                    let is_header = line
                        .split_once(": ")
                        .is_some_and(|(name, _)| known.contains(&name));
                    assert!(line.starts_with([' ', '\t']) || is_header, "{line} in {}", told());
                }
                assert!(message.is_ascii(), "{}", told());
                assert!(message.len() < 200_000, "{} bytes, {}", message.len(), told());
                let text = message.replace("\r\n", "");
                assert!(!text.contains(['\r', '\n', '\0']), "{}", told());
                assert_eq!(
                    top.matches("\r\nTo: ").count() + usize::from(top.starts_with("To: ")),
                    1,
                    "{}",
                    told()
                );
            }
        }
    }

    #[test]
    fn a_mail_is_recognised_and_names_where_it_can_be_declined() {
        for (kind, _, _, top) in letters("", "王伟", Language::Chinese) {
            let one = |line: &str| assert!(top.lines().any(|known| known == line), "{kind}: {line} in {top}");
            one("Message-ID: <mail_01jd3n8f5teqkrzvq1c0m6h2ax@ward.example>");
            one("Auto-Submitted: auto-generated");
            one("List-Unsubscribe: <https://ward.example/u/user_1.abc>");
            one("List-Unsubscribe-Post: List-Unsubscribe=One-Click");
            one("Date: Mon, 02 Mar 2026 00:00:00 +0000");
        }
    }

    #[test]
    fn links_lead_to_this_service_only() {
        let head = head();
        assert_eq!(head.url("/a?b=c"), "https://ward.example/a?b=c");
        assert_eq!(
            head.url("//evil.example/x"),
            "https://ward.example/evil.example/x"
        );
        assert_eq!(
            head.url("@evil.example/\r\n\" onclick='"),
            "https://ward.example/@evil.example/onclick="
        );
    }
}
