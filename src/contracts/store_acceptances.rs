//! The tables of acceptances, of the certificates that were drafted, and of the people served who were invited. Drafts are added to and never changed.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptance_findings::ServedPerson;
use crate::contracts::rules_acceptances::{
    Acceptance, AcceptanceId, Beginning, Conclusion, Decided, HandOver, Inspecting, Objecting, Signed,
};
use crate::contracts::rules_periods::Span;
use crate::db::conn::Conn;
use crate::db::schema::{acceptance_drafts, acceptance_served_people, contract_acceptances};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::weight::Weight;
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = contract_acceptances)]
struct AcceptanceRow {
    id: AcceptanceId,
    contract_id: ContractId,
    period: i64,
    round: i64,
    beginning: String,
    begun_at: NaiveDateTime,
    first_day: NaiveDate,
    last_day: NaiveDate,
    hand_over: Option<String>,
    handed_over_by: Option<AccountId>,
    handed_over_at: Option<NaiveDateTime>,
    inspect_until: Option<NaiveDate>,
    silent_at: Option<NaiveDateTime>,
    drafts: i64,
    conclusion: Option<String>,
    undisputed: Option<i64>,
    score: Option<String>,
    grade: Option<String>,
    content_sha256: Option<Vec<u8>>,
    signed_by: Option<AccountId>,
    signed_at: Option<NaiveDateTime>,
    object_until: Option<NaiveDate>,
    objection: Option<String>,
    objected_by: Option<AccountId>,
    objected_at: Option<NaiveDateTime>,
    is_upheld: Option<bool>,
    decision_zh: Option<String>,
    decision_en: Option<String>,
    decided_by: Option<AccountId>,
    decided_at: Option<NaiveDateTime>,
    silence_noted_at: Option<NaiveDateTime>,
    revision: i64,
}

/// Percent in units of 0.0001, as they are stored.
fn stored(part: Weight) -> i64 {
    i64::try_from(part.ten_thousandths()).unwrap_or(i64::MAX)
}

impl AcceptanceRow {
    fn signature(&self) -> Result<Option<Signed>, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", self.id));
        let Some(conclusion) = &self.conclusion else {
            return Ok(None);
        };
        let missing = || broken("a part of its signature is missing");
        let sha256 = self.content_sha256.clone().ok_or_else(missing)?;
        let score = self.score.as_deref().map(str::parse).transpose();
        let undisputed = Weight::new(Decimal::new(self.undisputed.ok_or_else(missing)?, 4).normalize());
        Ok(Some(Signed {
            conclusion: Conclusion::named(conclusion).ok_or_else(|| broken("its conclusion is none"))?,
            undisputed: undisputed.map_err(|error| Fault::caused("what is undisputed", error))?,
            score: score.map_err(|error| Fault::caused("the score of a certificate", error))?,
            grade: self.grade.clone(),
            sha256: sha256.try_into().map_err(|_| broken("its hash is none"))?,
            by: self.signed_by.clone().ok_or_else(missing)?,
            at: self.signed_at.ok_or_else(missing)?.and_utc(),
            object_until: self.object_until.ok_or_else(missing)?,
        }))
    }

    fn objecting(&self) -> Option<Objecting> {
        let decided = self.is_upheld.zip(self.decided_at);
        let words = self.decision_zh.clone().zip(self.decision_en.clone());
        let decided = decided.zip(words).zip(self.decided_by.clone());
        let made = self.objection.clone().zip(self.objected_by.clone());
        made.zip(self.objected_at).map(|((words, by), at)| Objecting {
            words,
            by,
            at: at.and_utc(),
            decided: decided.map(|(((is_upheld, at), (zh, en)), by)| Decided {
                is_upheld,
                words: Line { zh, en },
                by,
                at: at.and_utc(),
            }),
        })
    }

    fn acceptance(self) -> Result<Acceptance, Fault> {
        let signed = self.signature()?;
        let objection = self.objecting();
        let beginning = Beginning::named(&self.beginning);
        let handed_over = self.hand_over.zip(self.handed_over_by).zip(self.handed_over_at);
        Ok(Acceptance {
            beginning: beginning
                .ok_or_else(|| Fault::broken(format!("{}: its beginning is none", self.id)))?,
            id: self.id,
            contract_id: self.contract_id,
            period: self.period,
            round: self.round,
            begun_at: self.begun_at.and_utc(),
            served: Span {
                first: self.first_day,
                last: self.last_day,
            },
            hand_over: handed_over.map(|((words, by), at)| HandOver {
                words,
                by,
                at: at.and_utc(),
            }),
            inspecting: self.inspect_until.map(|until| Inspecting {
                until,
                silent_at: self.silent_at.map(|at| at.and_utc()),
            }),
            drafts: self.drafts,
            signed,
            objection,
            silence_noted_at: self.silence_noted_at.map(|at| at.and_utc()),
            revision: self.revision,
        })
    }
}

/// The acceptance of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn acceptance(conn: &mut Conn, id: &AcceptanceId) -> Answer<Option<Acceptance>> {
    let row: Option<AcceptanceRow> = contract_acceptances::table
        .find(id)
        .select(AcceptanceRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(AcceptanceRow::acceptance).transpose()?)
}

/// The last round of a period, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn last(conn: &mut Conn, contract: &ContractId, period: i64) -> Answer<Option<Acceptance>> {
    let row: Option<AcceptanceRow> = contract_acceptances::table
        .filter(contract_acceptances::contract_id.eq(contract))
        .filter(contract_acceptances::period.eq(period))
        .order(contract_acceptances::round.desc())
        .select(AcceptanceRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(AcceptanceRow::acceptance).transpose()?)
}

/// Up to `max` acceptances of a contract after a period and round, in the order of both.
///
/// # Errors
/// A fault of the database.
pub fn of_contract(
    conn: &mut Conn,
    contract: &ContractId,
    (period, after): (Option<i64>, Option<(i64, i64)>),
    max: i64,
) -> Answer<Vec<Acceptance>> {
    let mut query = contract_acceptances::table
        .filter(contract_acceptances::contract_id.eq(contract))
        .into_boxed();
    if let Some(period) = period {
        query = query.filter(contract_acceptances::period.eq(period));
    }
    if let Some((period, round)) = after {
        let same = contract_acceptances::period
            .eq(period)
            .and(contract_acceptances::round.gt(round));
        query = query.filter(contract_acceptances::period.gt(period).or(same));
    }
    let rows: Vec<AcceptanceRow> = query
        .order((contract_acceptances::period, contract_acceptances::round))
        .limit(max)
        .select(AcceptanceRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(AcceptanceRow::acceptance)
        .collect::<Result<_, Fault>>()?)
}

/// Some acceptances that silence has given and of which that is not written down yet.
///
/// # Errors
/// A fault of the database.
pub fn silent(conn: &mut Conn, now: Instant, max: i64) -> Answer<Vec<Acceptance>> {
    let rows: Vec<AcceptanceRow> = contract_acceptances::table
        .filter(contract_acceptances::signed_at.is_null())
        .filter(contract_acceptances::silence_noted_at.is_null())
        .filter(contract_acceptances::silent_at.le(now.naive_utc()))
        .order((contract_acceptances::silent_at, contract_acceptances::id))
        .limit(max)
        .select(AcceptanceRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(AcceptanceRow::acceptance)
        .collect::<Result<_, Fault>>()?)
}

/// Adds a round.
///
/// # Errors
/// A fault of the database, or if its period has one of that number.
pub fn insert(tx: &mut Tx<'_>, one: &Acceptance) -> Answer<()> {
    let handed_over = one.hand_over.as_ref();
    let silent_at = one.silent_at();
    diesel::insert_into(contract_acceptances::table)
        .values((
            contract_acceptances::id.eq(&one.id),
            contract_acceptances::contract_id.eq(&one.contract_id),
            contract_acceptances::period.eq(one.period),
            contract_acceptances::round.eq(one.round),
            contract_acceptances::beginning.eq(one.beginning.name()),
            contract_acceptances::begun_at.eq(one.begun_at.naive_utc()),
            contract_acceptances::first_day.eq(one.served.first),
            contract_acceptances::last_day.eq(one.served.last),
            contract_acceptances::hand_over.eq(handed_over.map(|done| &done.words)),
            contract_acceptances::handed_over_by.eq(handed_over.map(|done| &done.by)),
            contract_acceptances::handed_over_at.eq(handed_over.map(|done| done.at.naive_utc())),
            contract_acceptances::inspect_until.eq(one.inspecting.map(|time| time.until)),
            contract_acceptances::silent_at.eq(silent_at.map(|at| at.naive_utc())),
            contract_acceptances::drafts.eq(one.drafts),
            contract_acceptances::revision.eq(one.revision),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves how far a round has come over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, one: &Acceptance) -> Answer<()> {
    let (handed_over, signed) = (one.hand_over.as_ref(), one.signed.as_ref());
    let objection = one.objection.as_ref();
    let decided = objection.and_then(|objection| objection.decided.as_ref());
    let silent_at = one.silent_at();
    let before = contract_acceptances::table
        .find(&one.id)
        .filter(contract_acceptances::revision.eq(one.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            contract_acceptances::hand_over.eq(handed_over.map(|done| &done.words)),
            contract_acceptances::handed_over_by.eq(handed_over.map(|done| &done.by)),
            contract_acceptances::handed_over_at.eq(handed_over.map(|done| done.at.naive_utc())),
            contract_acceptances::inspect_until.eq(one.inspecting.map(|time| time.until)),
            contract_acceptances::silent_at.eq(silent_at.map(|at| at.naive_utc())),
            contract_acceptances::drafts.eq(one.drafts),
            contract_acceptances::conclusion.eq(signed.map(|signed| signed.conclusion.name())),
            contract_acceptances::undisputed.eq(signed.map(|signed| stored(signed.undisputed))),
            contract_acceptances::score
                .eq(signed.and_then(|signed| signed.score.map(|score| score.to_string()))),
            contract_acceptances::grade.eq(signed.and_then(|signed| signed.grade.as_ref())),
            contract_acceptances::content_sha256.eq(signed.map(|signed| signed.sha256.as_slice())),
            contract_acceptances::signed_by.eq(signed.map(|signed| &signed.by)),
            contract_acceptances::signed_at.eq(signed.map(|signed| signed.at.naive_utc())),
            contract_acceptances::object_until.eq(signed.map(|signed| signed.object_until)),
            contract_acceptances::objection.eq(objection.map(|made| &made.words)),
            contract_acceptances::objected_by.eq(objection.map(|made| &made.by)),
            contract_acceptances::objected_at.eq(objection.map(|made| made.at.naive_utc())),
            contract_acceptances::is_upheld.eq(decided.map(|decided| decided.is_upheld)),
            contract_acceptances::decision_zh.eq(decided.map(|decided| &decided.words.zh)),
            contract_acceptances::decision_en.eq(decided.map(|decided| &decided.words.en)),
            contract_acceptances::decided_by.eq(decided.map(|decided| &decided.by)),
            contract_acceptances::decided_at.eq(decided.map(|decided| decided.at.naive_utc())),
            contract_acceptances::silence_noted_at.eq(one.silence_noted_at.map(|at| at.naive_utc())),
            contract_acceptances::revision.eq(one.revision),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} acceptances changed instead of one")).into())
    }
}

/// A certificate as it was drafted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The round.
    pub acceptance_id: AcceptanceId,
    /// Its number, from 1.
    pub number: i64,
    /// Its bytes.
    pub content: String,
    /// SHA-256 of them.
    pub sha256: [u8; 32],
    /// By whom.
    pub drafted_by: AccountId,
    /// When, UTC.
    pub drafted_at: Instant,
}

/// A draft of a round, if there is one of that number.
///
/// # Errors
/// A fault of the database, or of bytes that are not what was hashed.
pub fn draft(conn: &mut Conn, id: &AcceptanceId, number: i64) -> Answer<Option<Draft>> {
    type Row = (String, Vec<u8>, AccountId, NaiveDateTime);
    let row: Option<Row> = acceptance_drafts::table
        .find((id, number))
        .select((
            acceptance_drafts::content,
            acceptance_drafts::content_sha256,
            acceptance_drafts::drafted_by,
            acceptance_drafts::drafted_at,
        ))
        .first(conn)
        .optional()?;
    let Some((content, hash, drafted_by, drafted_at)) = row else {
        return Ok(None);
    };
    let sha256: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    if hash != sha256 {
        return Err(Fault::broken(format!("{id}: the bytes of a draft are not what was hashed")).into());
    }
    Ok(Some(Draft {
        acceptance_id: id.clone(),
        number,
        content,
        sha256,
        drafted_by,
        drafted_at: drafted_at.and_utc(),
    }))
}

/// Who was invited, by a draft.
///
/// # Errors
/// A fault of the database.
pub fn served(conn: &mut Conn, id: &AcceptanceId, draft: i64) -> Answer<Vec<ServedPerson>> {
    let rows: Vec<(String, bool, Option<String>)> = acceptance_served_people::table
        .filter(acceptance_served_people::acceptance_id.eq(id))
        .filter(acceptance_served_people::draft.eq(draft))
        .order(acceptance_served_people::number)
        .select((
            acceptance_served_people::name,
            acceptance_served_people::took_part,
            acceptance_served_people::words,
        ))
        .load(conn)?;
    let person = |(name, took_part, words)| ServedPerson {
        name,
        took_part,
        words,
    };
    Ok(rows.into_iter().map(person).collect())
}

/// Adds a draft with the people it names.
///
/// # Errors
/// A fault of the database, or if its round has one of that number.
pub fn insert_draft(tx: &mut Tx<'_>, draft: &Draft, served: &[ServedPerson]) -> Answer<()> {
    diesel::insert_into(acceptance_drafts::table)
        .values((
            acceptance_drafts::acceptance_id.eq(&draft.acceptance_id),
            acceptance_drafts::number.eq(draft.number),
            acceptance_drafts::content.eq(&draft.content),
            acceptance_drafts::content_sha256.eq(draft.sha256.as_slice()),
            acceptance_drafts::drafted_by.eq(&draft.drafted_by),
            acceptance_drafts::drafted_at.eq(draft.drafted_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    for (number, person) in (1_i64..).zip(served) {
        diesel::insert_into(acceptance_served_people::table)
            .values((
                acceptance_served_people::acceptance_id.eq(&draft.acceptance_id),
                acceptance_served_people::draft.eq(draft.number),
                acceptance_served_people::number.eq(number),
                acceptance_served_people::name.eq(&person.name),
                acceptance_served_people::took_part.eq(person.took_part),
                acceptance_served_people::words.eq(&person.words),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}
