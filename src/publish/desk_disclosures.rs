//! What of all that is published concerns an area, page by page: releases are read and compared at each request, so that there is nothing beside them that could say something else.
//! One request looks at so many of them at most; where that is not enough for a page, the next one goes on.

use chrono::{Days as CalendarDays, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::{local_date, start_of_day};
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::publish::acts::parsed;
use crate::publish::rules_disclosures::{Kind, Told, title, told, versions};
use crate::publish::{store, store_disclosures};
use crate::registry::rules::Area;
use crate::registry::store as registry;
use crate::statutes::codes::PUBLICITY_DAYS_MIN;
use crate::statutes::profile::Citation;
use crate::statutes::rules::StatuteId;
use crate::statutes::store as statutes;
use crate::web::problem::NOT_FOUND;

/// Releases that one request looks at.
pub const LOOKED_AT_MAX: i64 = 100;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The area.
    pub area: AreaId,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Shown on this day of the ward or later.
    pub from: Option<NaiveDate>,
    /// Shown before this day of the ward.
    pub until: Option<NaiveDate>,
    /// What the page before ended with: a release's sequence, and the number of a thing in it.
    pub after: Option<(i64, u32)>,
    /// How many at most, at least one.
    pub max: usize,
}

/// Where and when it is asked.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// Whose rules apply.
    pub jurisdiction: &'a str,
    /// In which zone days are counted.
    pub zone: Tz,
    /// Now, UTC.
    pub now: Instant,
}

/// For how long the law wants something shown, by the version of the rules that was in force when it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minimum {
    /// That version.
    pub statute: StatuteId,
    /// How many days; none if that version does not set it.
    pub days: Option<u32>,
    /// What it says.
    pub text: Text,
    /// Where it stands.
    pub citations: Vec<Citation>,
}

/// Something that is shown.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The sequence of its release.
    pub sequence: i64,
    /// Its number in that release, from 1.
    pub number: u32,
    /// The release.
    pub release_id: String,
    /// The process.
    pub ocid: String,
    /// The book, or the notice of what is planned.
    pub subject_id: String,
    /// What the process is about.
    pub title: Text,
    /// How many versions of the book there were; none of a notice.
    pub versions: usize,
    /// What it is.
    pub told: Told,
    /// Since when it is shown, UTC.
    pub since: Instant,
    /// Since when by the ward's clocks.
    pub since_local: NaiveDateTime,
    /// How many days of the ward it has been shown, the first not counted.
    pub days: i64,
    /// How many it has to be.
    pub minimum: Option<Minimum>,
}

/// A page of what is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The area.
    pub area: Area,
    /// The newest first; what one release says, in its own order.
    pub entries: Vec<Entry>,
    /// What the next page goes on after.
    pub next: Option<(i64, u32)>,
}

/// What is shown of an area.
///
/// # Errors
/// Not found; a fault of the database.
pub fn shown(conn: &mut Conn, asked: &Asked, at: At<'_>) -> Answer<Shown> {
    let area = registry::area(conn, &asked.area)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let beyond = match asked.from.and_then(|day| begins(day, at.zone)) {
        Some(from) => store::before(conn, from)?,
        None => 0,
    };
    let up_to = match asked.until.and_then(|day| begins(day, at.zone)) {
        Some(until) => store::before(conn, until)?,
        None => store::progress(conn)?.last_sequence,
    };
    let up_to = asked.after.map_or(up_to, |(sequence, _)| up_to.min(sequence));
    let tags = asked.kind.unwrap_or(Kind::Decisions).tags();
    let found = store_disclosures::concerning(conn, &area.path, (beyond, up_to), tags, LOOKED_AT_MAX)?;
    let mut page = Page {
        asked,
        at,
        minimum: None,
        entries: Vec::new(),
    };
    for sequence in &found {
        if !page.takes(conn, *sequence)? {
            let next = page.entries.last().map(|last| (last.sequence, last.number));
            let entries = page.entries;
            return Ok(Shown { area, entries, next });
        }
    }
    let is_all = i64::try_from(found.len()).is_ok_and(|count| count < LOOKED_AT_MAX);
    let last = found.last().filter(|_| !is_all);
    Ok(Shown {
        area,
        next: last.map(|sequence| (*sequence, u32::MAX)),
        entries: page.entries,
    })
}

/// The first instant of a day of the ward; of the next one that there is, where the zone's clocks have skipped it.
fn begins(day: NaiveDate, zone: Tz) -> Option<Instant> {
    let days = (0..3).filter_map(|later| day.checked_add_days(CalendarDays::new(later)));
    days.filter_map(|day| start_of_day(day, zone).ok()).next()
}

/// A page that is being filled.
struct Page<'a> {
    asked: &'a Asked,
    at: At<'a>,
    /// The rules that were looked up last, and since when they hold: older things come later, so that they serve until one is older than that.
    minimum: Option<(NaiveDate, Minimum)>,
    entries: Vec<Entry>,
}

impl Page<'_> {
    /// Adds what a release says. False if it says more than there is room for.
    fn takes(&mut self, conn: &mut Conn, sequence: i64) -> Answer<bool> {
        let gone = || Fault::broken(format!("the release of sequence {sequence} is gone"));
        let row = store_disclosures::release(conn, sequence)?.ok_or_else(gone)?;
        let before = match row.number {
            1 => None,
            number => Some(
                store_disclosures::content(conn, &row.ocid, number.saturating_sub(1))?.ok_or_else(gone)?,
            ),
        };
        let before = before.as_deref().map(parsed).transpose()?;
        let release = parsed(&row.content)?;
        for (number, told) in (1_u32..).zip(told(before.as_ref(), &release)) {
            let is_seen = self
                .asked
                .after
                .is_some_and(|(at, seen)| at == sequence && number <= seen);
            let is_other = self.asked.kind.is_some_and(|kind| kind != told.kind);
            if is_seen || is_other {
                continue;
            }
            if self.entries.len() >= self.asked.max {
                return Ok(false);
            }
            let since = row.released_at.and_utc();
            let since_local = since.with_timezone(&self.at.zone).naive_local();
            let since_day = since_local.date();
            let days = local_date(self.at.now, self.at.zone).signed_duration_since(since_day);
            let minimum = self.minimum_on(conn, since_day)?;
            self.entries.push(Entry {
                sequence,
                number,
                release_id: row.release_id.clone(),
                ocid: row.ocid.clone(),
                subject_id: row.subject_id.clone(),
                title: title(&release),
                versions: versions(&release),
                told,
                since,
                since_local,
                days: days.num_days().max(0),
                minimum,
            });
        }
        Ok(true)
    }

    fn minimum_on(&mut self, conn: &mut Conn, day: NaiveDate) -> Answer<Option<Minimum>> {
        if let Some((from, minimum)) = &self.minimum
            && *from <= day
        {
            return Ok(Some(minimum.clone()));
        }
        let Some(statute) = statutes::in_force(conn, self.at.jurisdiction, day)? else {
            return Ok(None);
        };
        let Some(rule) = statute.profile.find(PUBLICITY_DAYS_MIN.code()) else {
            return Ok(None);
        };
        let minimum = Minimum {
            days: statute
                .profile
                .rule_if_set(PUBLICITY_DAYS_MIN)?
                .map(|days| days.0),
            text: Text::made(rule.text_zh.clone(), rule.text_en.clone()),
            citations: rule.citations.clone(),
            statute: statute.id,
        };
        self.minimum = Some((statute.profile.effective_from, minimum.clone()));
        Ok(Some(minimum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_a_zone_skipped_begins_with_the_next() {
        let day: NaiveDate = "2011-12-30".parse().unwrap();
        let next: NaiveDate = "2011-12-31".parse().unwrap();
        let zone = chrono_tz::Pacific::Apia;
        assert!(start_of_day(day, zone).is_err());
        assert_eq!(begins(day, zone), Some(start_of_day(next, zone).unwrap()));
    }
}
