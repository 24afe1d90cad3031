//! Deadlines of books as a calendar (RFC 5545): of one book, or of all that somebody follows. Pure.

use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use crate::books::rules::{Book, State};
use crate::kernel::clock::Instant;
use crate::kernel::text::{Language, Text};
use crate::publish::rules_publisher::Publisher;

crate::ids! {
    /// A secret address of a calendar.
    CalendarLinkId "calendar"
}

/// Books of which one calendar has the deadlines.
pub const BOOKS_MAX: usize = 200;

/// What changes when calendars are written otherwise than before: copies that programs have are old then.
const FORM: &str = "1";

/// The secret address of an account's calendar. Its secret is kept nowhere, and of the secret only a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarLink {
    /// Its id.
    pub id: CalendarLinkId,
    /// Whose calendar it is.
    pub account_id: String,
    /// Since when, UTC.
    pub made_at: Instant,
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
    /// What tells it from all others, the same in every version of the calendar and in every calendar.
    pub id: String,
    /// When.
    pub due: Due,
    /// What.
    pub title: String,
    /// Where more about it is.
    pub url: String,
    /// Whether it was called off.
    pub is_cancelled: bool,
    /// How often its book was changed.
    pub revision: i64,
    /// When its book was changed last, UTC.
    pub changed_at: Instant,
}

/// A title in a language; in the other one if it was not written in that.
fn titled<'t>(language: Language, zh: &'t str, en: &'t str) -> &'t str {
    match language {
        Language::English if !en.is_empty() => en,
        _ => zh,
    }
}

/// What a book's own calendar is called.
pub fn name_of(book: &Book, language: Language) -> String {
    let said = book.content.document();
    titled(language, &said.title_zh, &said.title_en).to_owned()
}

/// The dates of a book, as everybody sees it: until when questions and bids are taken, the opening, and the service.
pub fn deadlines(book: &Book, publisher: &Publisher, language: Language) -> Vec<Date> {
    let said = book.content.document();
    let table = &said.timetable;
    let (at, on) = (
        |instant: Option<Instant>| instant.map(Due::At),
        |day: Option<NaiveDate>| day.map(Due::On),
    );
    let all = [
        (
            "enquiries",
            at(table.enquiry_deadline),
            Text::fixed("提问截止", "Last questions"),
        ),
        (
            "answers",
            at(table.answer_deadline),
            Text::fixed("答疑截止", "Last answers"),
        ),
        (
            "bids",
            at(table.bid_deadline),
            Text::fixed("投标截止", "Bids until"),
        ),
        ("opening", at(table.opening), Text::fixed("开标", "Opening")),
        (
            "from",
            on(table.service_from),
            Text::fixed("服务开始", "Service begins"),
        ),
        (
            "until",
            on(table.service_until),
            Text::fixed("服务结束", "Service ends"),
        ),
    ];
    let title = titled(language, &said.title_zh, &said.title_en);
    let colon = match language {
        Language::Chinese => "：",
        Language::English => ": ",
    };
    let dates = all.into_iter().filter_map(|(name, due, what)| {
        Some(Date {
            id: format!("{}-{name}@wardbook", book.id),
            due: due?,
            title: format!("{}{colon}{title}", what.in_language(language)),
            url: publisher.url(&format!("/api/v1/contract-books/{}", book.id)),
            is_cancelled: book.state == State::Cancelled,
            revision: book.revision,
            changed_at: book.updated_at,
        })
    });
    dates.collect()
}

/// The `ETag` of a calendar of these books, each with its id, how often it was changed, and when last.
pub fn etag<'b>(language: Language, books: impl Iterator<Item = (&'b str, i64, Instant)>) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{FORM} {}\n", language.tag()));
    for (id, revision, changed_at) in books {
        hash.update(format!("{id} {revision} {}\n", changed_at.timestamp_micros()));
    }
    let hash = hex::encode(hash.finalize());
    format!("\"{}\"", hash.get(..32).unwrap_or(&hash))
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

/// A calendar of dates.
pub fn calendar(name: &str, dates: &[Date], language: Language) -> String {
    let mut out = String::new();
    let name = calendar_text(name);
    for head in [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        format!("PRODID:-//wardbook//deadlines//{}", language.tag()),
        "CALSCALE:GREGORIAN".to_owned(),
        format!("NAME:{name}"),
        format!("X-WR-CALNAME:{name}"),
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H".to_owned(),
        "X-PUBLISHED-TTL:PT1H".to_owned(),
    ] {
        line(&head, &mut out);
    }
    let instant = |at: Instant| at.format("%Y%m%dT%H%M%SZ").to_string();
    for date in dates {
        line("BEGIN:VEVENT", &mut out);
        line(&format!("UID:{}", date.id), &mut out);
        // Without a method both say when it was changed last (RFC 5545 §3.8.7.2).
        line(&format!("DTSTAMP:{}", instant(date.changed_at)), &mut out);
        line(&format!("LAST-MODIFIED:{}", instant(date.changed_at)), &mut out);
        line(&format!("SEQUENCE:{}", date.revision), &mut out);
        match date.due {
            Due::At(at) => line(&format!("DTSTART:{}", instant(at)), &mut out),
            Due::On(day) => line(&format!("DTSTART;VALUE=DATE:{}", day.format("%Y%m%d")), &mut out),
        }
        line(&format!("SUMMARY:{}", calendar_text(&date.title)), &mut out);
        line(&format!("URL:{}", date.url), &mut out);
        // Nobody is busy because of it.
        line("TRANSP:TRANSPARENT", &mut out);
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

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn date(due: Due, is_cancelled: bool) -> Date {
        Date {
            id: "book_1-bids@wardbook".to_owned(),
            due,
            title: "投标截止；道路保洁, a; b\\c\nEND:VCALENDAR 一二三四五六七八九十一二三四五六七八九十"
                .to_owned(),
            url: "https://ward.example/b".to_owned(),
            is_cancelled,
            revision: 3,
            changed_at: at("2026-03-01T02:03:04Z"),
        }
    }

    #[test]
    fn a_calendar_is_folded_and_what_was_typed_is_only_text_in_it() {
        let day: NaiveDate = "2026-05-01".parse().unwrap();
        let dates = [
            date(Due::At(at("2026-03-02T00:00:00Z")), false),
            date(Due::On(day), true),
        ];
        let written = calendar("期限", &dates, Language::Chinese);
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
        assert_eq!(
            unfolded
                .matches("SEQUENCE:3\r\n")
                .count()
                .min(unfolded.matches("LAST-MODIFIED:20260301T020304Z\r\n").count()),
            2
        );
    }

    #[test]
    fn a_copy_is_old_when_a_book_a_change_or_the_language_is_another() {
        let (first, second) = (at("2026-03-01T00:00:00Z"), at("2026-03-02T00:00:00Z"));
        let of = |language: Language, books: &[(&str, i64, Instant)]| etag(language, books.iter().copied());
        let copy = of(Language::Chinese, &[("book_a", 1, first)]);
        assert_eq!(copy, of(Language::Chinese, &[("book_a", 1, first)]));
        assert!(copy.len() == 34 && copy.starts_with('"') && copy.ends_with('"'));
        for other in [
            of(Language::English, &[("book_a", 1, first)]),
            of(Language::Chinese, &[("book_a", 2, first)]),
            of(Language::Chinese, &[("book_a", 1, second)]),
            of(Language::Chinese, &[("book_a", 1, first), ("book_b", 1, first)]),
            of(Language::Chinese, &[]),
        ] {
            assert_ne!(copy, other);
        }
    }
}
