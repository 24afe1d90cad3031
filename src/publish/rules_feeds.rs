//! What is new, as Atom (RFC 4287). Pure.

use std::fmt::Write as _;

use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::text::Text;
use crate::publish::rules_publisher::Publisher;

/// Something that is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is, which is also its id.
    pub url: String,
    /// What it is.
    pub title: String,
    /// More about it.
    pub summary: String,
    /// Since when, UTC.
    pub at: Instant,
}

/// A text as XML has it; what XML cannot have is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c < ' ' || c == '\u{fffe}' || c == '\u{ffff}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A feed: the newest first. An empty feed is as old as `now`.
pub fn atom(publisher: &Publisher, (own, title): (&str, &Text), entries: &[Entry], now: Instant) -> String {
    let updated = entries.iter().map(|entry| entry.at).max().unwrap_or(now);
    let title = escaped(&format!("{} · {}", title.zh(), title.en()));
    let author = escaped(publisher.ward.zh());
    let own = escaped(own);
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"zh-CN\">\n<id>{own}</id>\n<title>{title}</title>\n\
         <updated>{}</updated>\n<link rel=\"self\" href=\"{own}\"/>\n<author><name>{author}</name></author>\n",
        rfc3339(updated)
    );
    for entry in entries {
        let url = escaped(&entry.url);
        // Writing into a text does not fail.
        let _ = writeln!(
            feed,
            "<entry><id>{url}</id><title>{}</title><updated>{}</updated><link href=\"{url}\"/><summary>{}</summary></entry>",
            escaped(&entry.title),
            rfc3339(entry.at),
            escaped(&entry.summary),
        );
    }
    feed.push_str("</feed>\n");
    feed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publisher() -> Publisher {
        Publisher {
            prefix: None,
            public_url: "https://ward.example".to_owned(),
            ward: Text::fixed("梧桐街道", "Wutong"),
            scheme: String::new(),
            uid: String::new(),
            license: String::new(),
            zone: chrono_tz::Asia::Shanghai,
        }
    }

    #[test]
    fn what_was_typed_is_only_text_in_a_feed() {
        let at: Instant = "2026-03-02T00:00:00Z".parse().unwrap();
        let entry = Entry {
            url: "https://ward.example/a?b=1&c=2".to_owned(),
            title: "</title><script>\u{1}".to_owned(),
            summary: "\"甲\" & 乙".to_owned(),
            at,
        };
        let feed = atom(
            &publisher(),
            ("https://ward.example/f", &Text::fixed("新", "New")),
            &[entry],
            at,
        );
        assert!(
            feed.contains("<title>&lt;/title&gt;&lt;script&gt;</title>"),
            "{feed}"
        );
        assert!(
            feed.contains("<link href=\"https://ward.example/a?b=1&amp;c=2\"/>"),
            "{feed}"
        );
        assert!(
            feed.contains("<summary>&quot;甲&quot; &amp; 乙</summary>"),
            "{feed}"
        );
        let empty = atom(
            &publisher(),
            ("https://ward.example/f", &Text::fixed("新", "New")),
            &[],
            at,
        );
        assert!(
            empty.contains("<updated>2026-03-02T00:00:00.000000Z</updated>") && !empty.contains("<entry>")
        );
    }
}
