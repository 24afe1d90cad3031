//! What is new, as Atom (RFC 4287), and the deadlines of books as a calendar (RFC 5545). Pure.

use std::fmt::Write as _;

use chrono::NaiveDate;

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

/// When something is due: at an instant, or on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At an instant, UTC.
    At(Instant),
    /// On a day of the ward.
    On(NaiveDate),
}

/// A date in a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Date {
    /// What tells it from the others of its book, the same in every version of the calendar.
    pub id: String,
    /// When.
    pub due: Due,
    /// What.
    pub title: String,
    /// Where more about it is.
    pub url: String,
    /// Whether it was called off.
    pub is_cancelled: bool,
    /// How often it was changed.
    pub revision: i64,
}

/// A text as a calendar has it.
fn calendar_text(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                written.push('\\');
                written.push(c);
            }
            '\n' => written.push_str("\\n"),
            c if c.is_control() => {}
            c => written.push(c),
        }
    }
    written
}

/// A line, folded where it is longer than 75 bytes.
fn line(text: &str, out: &mut String) {
    let mut width = 0_usize;
    for c in text.chars() {
        if width.saturating_add(c.len_utf8()) > 74 {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width = width.saturating_add(c.len_utf8());
    }
    out.push_str("\r\n");
}

/// A calendar of dates; `at` is when it was made.
pub fn calendar(name: &str, dates: &[Date], at: Instant) -> String {
    let mut out = String::new();
    for head in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//wardbook//deadlines//ZH",
        "CALSCALE:GREGORIAN",
    ] {
        line(head, &mut out);
    }
    line(&format!("X-WR-CALNAME:{}", calendar_text(name)), &mut out);
    let instant = |at: Instant| at.format("%Y%m%dT%H%M%SZ").to_string();
    for date in dates {
        line("BEGIN:VEVENT", &mut out);
        line(&format!("UID:{}", date.id), &mut out);
        line(&format!("DTSTAMP:{}", instant(at)), &mut out);
        line(&format!("SEQUENCE:{}", date.revision), &mut out);
        match date.due {
            Due::At(at) => line(&format!("DTSTART:{}", instant(at)), &mut out),
            Due::On(day) => line(&format!("DTSTART;VALUE=DATE:{}", day.format("%Y%m%d")), &mut out),
        }
        line(&format!("SUMMARY:{}", calendar_text(&date.title)), &mut out);
        line(&format!("URL:{}", date.url), &mut out);
        if date.is_cancelled {
            line("STATUS:CANCELLED", &mut out);
        }
        line("END:VEVENT", &mut out);
    }
    line("END:VCALENDAR", &mut out);
    out
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

    #[test]
    fn a_calendar_is_folded_and_what_was_typed_is_only_text_in_it() {
        let at: Instant = "2026-03-02T00:00:00Z".parse().unwrap();
        let date = |due: Due, is_cancelled: bool| Date {
            id: "book_1-bids@ward.example".to_owned(),
            due,
            title: "投标截止；道路保洁, a; b\\c\nEND:VCALENDAR 一二三四五六七八九十一二三四五六七八九十"
                .to_owned(),
            url: "https://ward.example/b".to_owned(),
            is_cancelled,
            revision: 3,
        };
        let day: NaiveDate = "2026-05-01".parse().unwrap();
        let written = calendar("期限", &[date(Due::At(at), false), date(Due::On(day), true)], at);
        assert!(written.lines().all(|line| line.len() <= 75), "{written}");
        assert!(written.split("\r\n").all(|line| !line.contains('\n')));
        assert_eq!(written.matches("\r\nEND:VCALENDAR").count(), 1);
        let unfolded = written.replace("\r\n ", "");
        assert!(
            unfolded.contains("SUMMARY:投标截止；道路保洁\\, a\\; b\\\\c\\nEND:VCALENDAR 一二"),
            "{unfolded}"
        );
        assert!(
            unfolded.contains("DTSTART:20260302T000000Z\r\n")
                && unfolded.contains("DTSTART;VALUE=DATE:20260501\r\n")
        );
        assert_eq!(unfolded.matches("STATUS:CANCELLED").count(), 1);
    }
}
