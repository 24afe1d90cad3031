//! Instants as the databases keep them. The same text and the same column type as diesel's own, but read and written
//! without going through format strings, which on SQLite costs more than the rest of a row.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Timestamp;
use diesel::sqlite::{Sqlite, SqliteValue};

use crate::db::conn::{MultiBackend, MultiRawValue};
use crate::kernel::clock::Instant;

/// An instant in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamp)]
pub struct Moment(NaiveDateTime);

impl From<Instant> for Moment {
    fn from(instant: Instant) -> Self {
        Self(instant.naive_utc())
    }
}

impl From<Moment> for Instant {
    fn from(moment: Moment) -> Self {
        DateTime::<Utc>::from_naive_utc_and_offset(moment.0, Utc)
    }
}

impl FromSql<Timestamp, Sqlite> for Moment {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        match read(value.read_text().as_bytes()) {
            Some(moment) => Ok(Self(moment)),
            // Whatever else SQLite's tools may have written.
            None => FromSql::<Timestamp, Sqlite>::from_sql(value).map(Self),
        }
    }
}

impl FromSql<Timestamp, Pg> for Moment {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<Timestamp, Pg>::from_sql(value).map(Self)
    }
}

impl FromSql<Timestamp, MultiBackend> for Moment {
    fn from_sql(value: MultiRawValue<'_>) -> deserialize::Result<Self> {
        FromSql::<Timestamp, MultiBackend>::from_sql(value).map(Self)
    }
}

impl ToSql<Timestamp, Sqlite> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        match written(self.0) {
            Some(text) => {
                out.set_value(text);
                Ok(IsNull::No)
            }
            None => ToSql::<Timestamp, Sqlite>::to_sql(&self.0, out),
        }
    }
}

impl ToSql<Timestamp, Pg> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Timestamp, Pg>::to_sql(&self.0, out)
    }
}

impl ToSql<Timestamp, MultiBackend> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        ToSql::<Timestamp, MultiBackend>::to_sql(&self.0, out)
    }
}

/// Reads `2026-03-01 08:00:00`, with up to six decimals; nothing else.
fn read(text: &[u8]) -> Option<NaiveDateTime> {
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b' ',
        h1,
        h2,
        b':',
        i1,
        i2,
        b':',
        s1,
        s2,
        rest @ ..,
    ] = text
    else {
        return None;
    };
    let micros = match rest {
        [] => 0,
        [b'.', decimals @ ..] if (1..=6).contains(&decimals.len()) => {
            let missing = 6_u32.saturating_sub(u32::try_from(decimals.len()).ok()?);
            number(decimals)? * 10_u32.pow(missing)
        }
        _ => return None,
    };
    NaiveDate::from_ymd_opt(
        i32::try_from(number(&[*y1, *y2, *y3, *y4])?).ok()?,
        number(&[*m1, *m2])?,
        number(&[*d1, *d2])?,
    )?
    .and_hms_micro_opt(
        number(&[*h1, *h2])?,
        number(&[*i1, *i2])?,
        number(&[*s1, *s2])?,
        micros,
    )
}

/// The number that at most six digits write.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number: u32, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
    })
}

/// Writes what diesel would: as many decimals as there are, in groups of three. None for years that need a sign.
fn written(at: NaiveDateTime) -> Option<String> {
    let year = u32::try_from(at.year()).ok().filter(|year| *year <= 9_999)?;
    let nanos = at.nanosecond();
    // A leap second is a number of nanoseconds beyond the second.
    if nanos >= 1_000_000_000 {
        return None;
    }
    let mut text = String::with_capacity(26);
    digits(&mut text, year, 4);
    for (before, number) in [
        ('-', at.month()),
        ('-', at.day()),
        (' ', at.hour()),
        (':', at.minute()),
        (':', at.second()),
    ] {
        text.push(before);
        digits(&mut text, number, 2);
    }
    if nanos > 0 {
        text.push('.');
        if nanos.is_multiple_of(1_000_000) {
            digits(&mut text, nanos / 1_000_000, 3);
        } else if nanos.is_multiple_of(1_000) {
            digits(&mut text, nanos / 1_000, 6);
        } else {
            digits(&mut text, nanos, 9);
        }
    }
    Some(text)
}

/// The last `count` decimal digits of a number.
fn digits(text: &mut String, number: u32, count: u32) {
    for place in (0..count).rev() {
        text.push(char::from_digit(number / 10_u32.pow(place) % 10, 10).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use diesel::prelude::*;
    use proptest::prelude::*;

    diesel::define_sql_function! {
        /// The text that SQLite keeps.
        #[sql_name = "trim"]
        fn kept(at: Timestamp) -> Text;
    }

    fn both_texts(conn: &mut SqliteConnection, at: NaiveDateTime) -> (String, String) {
        let ours = diesel::select(kept(Moment(at).into_sql::<Timestamp>())).get_result(conn);
        let theirs = diesel::select(kept(at.into_sql::<Timestamp>())).get_result(conn);
        (ours.unwrap(), theirs.unwrap())
    }

    #[test]
    fn odd_instants_are_written_and_read_as_diesel_does() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        for text in [
            "2026-03-01T08:00:00",
            "2026-12-31T23:59:59.999999",
            "0001-01-01T00:00:00.000001",
            "9999-12-31T23:59:59.1",
            "2016-12-31T23:59:60.5",
            "-0044-03-15T12:00:00",
            "+12026-03-01T08:00:00.123456789",
        ] {
            let at: NaiveDateTime = text.parse().unwrap();
            let (ours, theirs) = both_texts(&mut conn, at);
            assert_eq!(ours, theirs);
        }
        for (text, expected) in [
            ("2026-03-01 08:00", "2026-03-01T08:00:00"),
            ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00"),
            ("2026-03-01 08:00:00.1234567", "2026-03-01T08:00:00.1234567"),
        ] {
            let read: Moment = diesel::select(diesel::dsl::sql::<Timestamp>(&format!("'{text}'")))
                .get_result(&mut conn)
                .unwrap();
            assert_eq!(read.0, expected.parse::<NaiveDateTime>().unwrap(), "{text}");
        }
        let nonsense = diesel::select(diesel::dsl::sql::<Timestamp>("'2026-02-30 08:00:00'"));
        assert!(nonsense.get_result::<Moment>(&mut conn).is_err());
    }

    proptest! {
        #[test]
        fn any_instant_is_written_and_read_as_diesel_does(micros in -60_000_000_000_000_000_i64..250_000_000_000_000_000) {
            let at = chrono::Utc.timestamp_micros(micros).unwrap().naive_utc();
            let text = written(at).unwrap();
            prop_assert_eq!(&text, &at.format("%F %T%.f").to_string());
            prop_assert_eq!(read(text.as_bytes()), Some(at));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = read(text.as_bytes());
        }
    }
}
