//! The tables of scoring: rounds, sheets, dissents, residents' appraisals, and which results everybody may see.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::award::rules_appraisals::Appraisal;
use crate::award::rules_evaluation::{Meeting, Quorum};
use crate::award::rules_results::{Evaluation, EvaluationId};
use crate::award::rules_scores::{Ground, Sheet};
use crate::award::store_evaluations;
use crate::books::rules::LotId;
use crate::db::conn::Conn;
use crate::db::schema::{
    evaluation_disclosures, evaluation_dissents, lot_appraisals, score_rounds, score_sheets,
};
use crate::db::writer::Tx;
use crate::files::rules::AttachmentId;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = score_sheets)]
struct SheetRow {
    lot_id: LotId,
    round: i64,
    account_id: AccountId,
    version: i64,
    content: String,
    saved_at: NaiveDateTime,
    handed_in_at: Option<NaiveDateTime>,
}

impl TryFrom<SheetRow> for Sheet {
    type Error = Fault;

    fn try_from(row: SheetRow) -> Result<Self, Fault> {
        let scores = serde_json::from_str(&row.content)
            .map_err(|error| Fault::caused("read a stored score sheet", error))?;
        Ok(Self {
            lot_id: row.lot_id,
            round: row.round,
            account_id: row.account_id,
            version: row.version,
            scores,
            saved_at: row.saved_at.and_utc(),
            handed_in_at: row.handed_in_at.map(|at| at.and_utc()),
        })
    }
}

/// The number of a lot's last round of scoring; 1 if it was never scored again.
///
/// # Errors
/// A fault of the database.
pub fn round_of(conn: &mut Conn, lot: &LotId) -> Answer<i64> {
    let last: Option<i64> = score_rounds::table
        .filter(score_rounds::lot_id.eq(lot))
        .order(score_rounds::round.desc())
        .select(score_rounds::round)
        .first(conn)
        .optional()?;
    Ok(last.unwrap_or(1))
}

/// Adds a round.
///
/// # Errors
/// A fault of the database.
pub fn insert_round(
    tx: &mut Tx<'_>,
    (lot, round): (&LotId, i64),
    (ground, reason): (Ground, &Line),
    by: &str,
) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(score_rounds::table)
        .values((
            score_rounds::lot_id.eq(lot),
            score_rounds::round.eq(round),
            score_rounds::ground.eq(ground.name()),
            score_rounds::reason_zh.eq(&reason.zh),
            score_rounds::reason_en.eq(&reason.en),
            score_rounds::opened_by.eq(by),
            score_rounds::opened_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The sheets of a round, by their members.
///
/// # Errors
/// A fault of the database, or of a sheet that cannot be read.
pub fn sheets(conn: &mut Conn, lot: &LotId, round: i64) -> Answer<Vec<Sheet>> {
    let rows: Vec<SheetRow> = score_sheets::table
        .filter(score_sheets::lot_id.eq(lot))
        .filter(score_sheets::round.eq(round))
        .order(score_sheets::account_id)
        .select(SheetRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Sheet::try_from)
        .collect::<Result<_, Fault>>()?)
}

/// The sheet of a member in a round, if there is one.
///
/// # Errors
/// As [`sheets`].
pub fn sheet(conn: &mut Conn, (lot, round): (&LotId, i64), account: &str) -> Answer<Option<Sheet>> {
    let row: Option<SheetRow> = score_sheets::table
        .filter(score_sheets::lot_id.eq(lot))
        .filter(score_sheets::round.eq(round))
        .filter(score_sheets::account_id.eq(account))
        .select(SheetRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Sheet::try_from).transpose()?)
}

/// Adds a sheet.
///
/// # Errors
/// A fault of the database.
pub fn insert_sheet(tx: &mut Tx<'_>, sheet: &Sheet) -> Answer<()> {
    diesel::insert_into(score_sheets::table)
        .values((
            score_sheets::lot_id.eq(&sheet.lot_id),
            score_sheets::round.eq(sheet.round),
            score_sheets::account_id.eq(&sheet.account_id),
            score_sheets::version.eq(sheet.version),
            score_sheets::content.eq(Sheet::written(&sheet.scores)?),
            score_sheets::saved_at.eq(sheet.saved_at.naive_utc()),
            score_sheets::handed_in_at.eq(sheet.handed_in_at.map(|at| at.naive_utc())),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Writes the next version of a sheet.
///
/// # Errors
/// A fault of the database, or if the version before is not what is there.
pub fn update_sheet(tx: &mut Tx<'_>, sheet: &Sheet) -> Answer<()> {
    let changed = diesel::update(
        score_sheets::table
            .filter(score_sheets::lot_id.eq(&sheet.lot_id))
            .filter(score_sheets::round.eq(sheet.round))
            .filter(score_sheets::account_id.eq(&sheet.account_id))
            .filter(score_sheets::version.eq(sheet.version.saturating_sub(1)))
            .filter(score_sheets::handed_in_at.is_null()),
    )
    .set((
        score_sheets::version.eq(sheet.version),
        score_sheets::content.eq(Sheet::written(&sheet.scores)?),
        score_sheets::saved_at.eq(sheet.saved_at.naive_utc()),
        score_sheets::handed_in_at.eq(sheet.handed_in_at.map(|at| at.naive_utc())),
    ))
    .execute(tx.conn())?;
    once(changed, "a score sheet")
}

fn once(changed: usize, what: &str) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{what} was changed {changed} times")).into())
    }
}

/// What members of the panel hold against a result, the first one first: who, what, and when.
///
/// # Errors
/// A fault of the database.
pub fn dissents(conn: &mut Conn, evaluation: &EvaluationId) -> Answer<Vec<(AccountId, String, Instant)>> {
    let rows: Vec<(AccountId, String, NaiveDateTime)> = evaluation_dissents::table
        .filter(evaluation_dissents::evaluation_id.eq(evaluation))
        .order((evaluation_dissents::noted_at, evaluation_dissents::account_id))
        .select((
            evaluation_dissents::account_id,
            evaluation_dissents::reason,
            evaluation_dissents::noted_at,
        ))
        .load(conn)?;
    let dissent = |(who, reason, at): (AccountId, String, NaiveDateTime)| (who, reason, at.and_utc());
    Ok(rows.into_iter().map(dissent).collect())
}

/// Adds a dissent.
///
/// # Errors
/// A fault of the database.
pub fn insert_dissent(tx: &mut Tx<'_>, evaluation: &EvaluationId, by: &str, reason: &str) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(evaluation_dissents::table)
        .values((
            evaluation_dissents::evaluation_id.eq(evaluation),
            evaluation_dissents::account_id.eq(by),
            evaluation_dissents::reason.eq(reason),
            evaluation_dissents::noted_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// When everybody was let see how bids were judged in a round; `None` if not yet.
///
/// # Errors
/// A fault of the database.
pub fn disclosed_at(conn: &mut Conn, evaluation: &EvaluationId) -> Answer<Option<Instant>> {
    let at: Option<NaiveDateTime> = evaluation_disclosures::table
        .find(evaluation)
        .select(evaluation_disclosures::disclosed_at)
        .first(conn)
        .optional()?;
    Ok(at.map(|at| at.and_utc()))
}

/// The last round of a lot that everybody may see.
///
/// # Errors
/// A fault of the database.
pub fn last_disclosed(conn: &mut Conn, lot: &LotId) -> Answer<Option<Evaluation>> {
    for evaluation in store_evaluations::of_lot(conn, lot)?.into_iter().rev() {
        if disclosed_at(conn, &evaluation.id)?.is_some() {
            return Ok(Some(evaluation));
        }
    }
    Ok(None)
}

/// Lets everybody see how a lot's bids were judged in the last round, from now on; finds nothing to do if they were not judged. The act that
/// publishes the result calls it; it writes the event.
///
/// # Errors
/// A fault of the database.
pub fn disclose(tx: &mut Tx<'_>, lot: &LotId) -> Answer<()> {
    let Some(evaluation) = store_evaluations::last_of_lot(tx.conn(), lot)? else {
        return Ok(());
    };
    if disclosed_at(tx.conn(), &evaluation.id)?.is_some() {
        return Ok(());
    }
    let now = tx.now().naive_utc();
    diesel::insert_into(evaluation_disclosures::table)
        .values((
            evaluation_disclosures::evaluation_id.eq(&evaluation.id),
            evaluation_disclosures::disclosed_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = lot_appraisals)]
struct AppraisalRow {
    lot_id: LotId,
    version: i64,
    held_on: NaiveDate,
    eligible: i64,
    present: i64,
    quorum_numerator: i64,
    quorum_denominator: i64,
    quorum_exceeded: bool,
    minutes: AttachmentId,
    points: String,
    recorded_by: AccountId,
    recorded_at: NaiveDateTime,
    confirmed_by: Option<AccountId>,
    confirmed_at: Option<NaiveDateTime>,
}

impl TryFrom<AppraisalRow> for Appraisal {
    type Error = Fault;

    fn try_from(row: AppraisalRow) -> Result<Self, Fault> {
        let count =
            |stored: i64| u32::try_from(stored).map_err(|error| Fault::caused("a stored count", error));
        let points = serde_json::from_str(&row.points)
            .map_err(|error| Fault::caused("read a stored appraisal", error))?;
        Ok(Self {
            meeting: Meeting {
                eligible: count(row.eligible)?,
                present: count(row.present)?,
                quorum: Quorum {
                    numerator: count(row.quorum_numerator)?,
                    denominator: count(row.quorum_denominator)?,
                    exceeded: row.quorum_exceeded,
                },
            },
            lot_id: row.lot_id,
            version: row.version,
            held_on: row.held_on,
            minutes: row.minutes,
            points,
            recorded_by: row.recorded_by,
            recorded_at: row.recorded_at.and_utc(),
            confirmed: row.confirmed_by.zip(row.confirmed_at.map(|at| at.and_utc())),
        })
    }
}

/// What the residents gave a lot's bids, if that was recorded.
///
/// # Errors
/// A fault of the database, or of a record that cannot be read.
pub fn appraisal(conn: &mut Conn, lot: &LotId) -> Answer<Option<Appraisal>> {
    let row: Option<AppraisalRow> = lot_appraisals::table
        .find(lot)
        .select(AppraisalRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Appraisal::try_from).transpose()?)
}

/// Adds a record, or writes its next version.
///
/// # Errors
/// A fault of the database, or if the version before is not what is there.
pub fn save_appraisal(tx: &mut Tx<'_>, appraisal: &Appraisal) -> Answer<()> {
    let meeting = appraisal.meeting;
    let (confirmed_by, confirmed_at) = appraisal.confirmed.clone().unzip();
    let values = (
        lot_appraisals::version.eq(appraisal.version),
        lot_appraisals::held_on.eq(appraisal.held_on),
        lot_appraisals::eligible.eq(i64::from(meeting.eligible)),
        lot_appraisals::present.eq(i64::from(meeting.present)),
        lot_appraisals::quorum_numerator.eq(i64::from(meeting.quorum.numerator)),
        lot_appraisals::quorum_denominator.eq(i64::from(meeting.quorum.denominator)),
        lot_appraisals::quorum_exceeded.eq(meeting.quorum.exceeded),
        lot_appraisals::minutes.eq(&appraisal.minutes),
        lot_appraisals::points.eq(Sheet::written(&appraisal.points)?),
        lot_appraisals::recorded_by.eq(&appraisal.recorded_by),
        lot_appraisals::recorded_at.eq(appraisal.recorded_at.naive_utc()),
        lot_appraisals::confirmed_by.eq(confirmed_by),
        lot_appraisals::confirmed_at.eq(confirmed_at.map(|at| at.naive_utc())),
    );
    if appraisal.version == 1 {
        diesel::insert_into(lot_appraisals::table)
            .values((lot_appraisals::lot_id.eq(&appraisal.lot_id), values))
            .execute(tx.conn())?;
        return Ok(());
    }
    let before = lot_appraisals::table
        .filter(lot_appraisals::lot_id.eq(&appraisal.lot_id))
        .filter(lot_appraisals::version.eq(appraisal.version.saturating_sub(1)))
        .filter(lot_appraisals::confirmed_at.is_null());
    let changed = diesel::update(before).set(values).execute(tx.conn())?;
    once(changed, "an appraisal")
}
