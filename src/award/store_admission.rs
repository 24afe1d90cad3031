//! The tables of examinations: what is examined, what was decided, and what was asked of bidders. Decisions are added and never changed.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::award::rules_admission::{
    Asked, Correction, Decision, Disqualification, Dissent, Examined, ExaminedItem, Found, Ground,
    Justification, Side, Statement,
};
use crate::award::rules_corrections::Step;
use crate::bids::rules::BidId;
use crate::books::rules::{BookId, LotId};
use crate::db::conn::Conn;
use crate::db::schema::{
    admission_bids, admission_decisions, admission_dissents, admission_items, admissions,
    bid_disqualifications, price_corrections, price_justifications,
};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

fn money(fen: i64) -> Result<Money, Fault> {
    Money::from_fen(fen).map_err(|error| Fault::caused("a stored price", error))
}

fn read<'t, T: Deserialize<'t>>(what: &str, text: &'t str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::caused(format!("read {what}"), error))
}

fn written<T: Serialize>(what: &str, value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::caused(format!("write {what}"), error))
}

/// When the examination of a lot's bids began, UTC; `None` if it has not.
///
/// # Errors
/// A fault of the database.
pub fn begun_at(conn: &mut Conn, lot: &LotId) -> Answer<Option<Instant>> {
    let at: Option<NaiveDateTime> = admissions::table
        .find(lot)
        .select(admissions::begun_at)
        .first(conn)
        .optional()?;
    Ok(at.map(|at| at.and_utc()))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = admission_decisions)]
struct DecisionRow {
    bid_id: BidId,
    code: String,
    number: i64,
    passes: bool,
    reason_zh: String,
    reason_en: String,
    decided_by: Option<AccountId>,
    decided_at: NaiveDateTime,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = price_corrections)]
struct CorrectionRow {
    bid_id: BidId,
    content: String,
    corrected_fen: i64,
    proposed_by: AccountId,
    proposed_at: NaiveDateTime,
    answer_until: NaiveDateTime,
    confirmed: Option<bool>,
    answered_at: Option<NaiveDateTime>,
}

#[derive(Serialize, Deserialize)]
struct CorrectionContent {
    body: Option<Money>,
    words: Option<String>,
    steps: Vec<Step>,
}

impl TryFrom<CorrectionRow> for Correction {
    type Error = Fault;

    fn try_from(row: CorrectionRow) -> Result<Self, Fault> {
        let content: CorrectionContent = read("a correction", &row.content)?;
        Ok(Self {
            body: content.body,
            words: content.words,
            steps: content.steps,
            price: money(row.corrected_fen)?,
            proposed_by: row.proposed_by,
            proposed_at: row.proposed_at.and_utc(),
            answer_until: row.answer_until.and_utc(),
            answered: row.answered_at.map(|at| at.and_utc()).zip(row.confirmed),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = price_justifications)]
struct JustificationRow {
    bid_id: BidId,
    tests: String,
    asked_at: NaiveDateTime,
    answer_until: NaiveDateTime,
    statement: Option<String>,
    documents: Option<String>,
    answered_at: Option<NaiveDateTime>,
    accepted: Option<bool>,
    reason_zh: Option<String>,
    reason_en: Option<String>,
    decided_at: Option<NaiveDateTime>,
}

impl TryFrom<JustificationRow> for Justification {
    type Error = Fault;

    fn try_from(row: JustificationRow) -> Result<Self, Fault> {
        let documents = match &row.documents {
            Some(documents) => read("the documents of a justification", documents)?,
            None => Vec::new(),
        };
        let answered = row.statement.zip(row.answered_at).map(|(text, at)| Statement {
            text,
            documents,
            at: at.and_utc(),
        });
        let reason = row.reason_zh.zip(row.reason_en).map(|(zh, en)| Line { zh, en });
        let found = row.accepted.zip(reason).zip(row.decided_at);
        Ok(Self {
            tests: read("the tests of a price", &row.tests)?,
            asked_at: row.asked_at.and_utc(),
            answer_until: row.answer_until.and_utc(),
            answered,
            found: found.map(|((accepted, reason), at)| Found {
                accepted,
                reason,
                at: at.and_utc(),
            }),
        })
    }
}

type ByItem<T> = BTreeMap<(BidId, String), Vec<T>>;

fn decisions_of(conn: &mut Conn, lot: &LotId) -> Answer<ByItem<Decision>> {
    let rows: Vec<DecisionRow> = admission_decisions::table
        .filter(admission_decisions::lot_id.eq(lot))
        .order((
            admission_decisions::bid_id,
            admission_decisions::code,
            admission_decisions::number.desc(),
        ))
        .select(DecisionRow::as_select())
        .load(conn)?;
    let mut found: ByItem<Decision> = BTreeMap::new();
    for row in rows {
        found.entry((row.bid_id, row.code)).or_default().push(Decision {
            number: row.number,
            passes: row.passes,
            reason: Line {
                zh: row.reason_zh,
                en: row.reason_en,
            },
            decided_by: row.decided_by,
            decided_at: row.decided_at.and_utc(),
        });
    }
    Ok(found)
}

fn dissents_of(conn: &mut Conn, lot: &LotId) -> Answer<ByItem<Dissent>> {
    type Columns = (BidId, String, AccountId, String, NaiveDateTime);
    let rows: Vec<Columns> = admission_dissents::table
        .filter(admission_dissents::lot_id.eq(lot))
        .order((admission_dissents::noted_at, admission_dissents::account_id))
        .select((
            admission_dissents::bid_id,
            admission_dissents::code,
            admission_dissents::account_id,
            admission_dissents::reason,
            admission_dissents::noted_at,
        ))
        .load(conn)?;
    let mut found: ByItem<Dissent> = BTreeMap::new();
    for (bid, code, account_id, reason, noted_at) in rows {
        found.entry((bid, code)).or_default().push(Dissent {
            account_id,
            reason,
            noted_at: noted_at.and_utc(),
        });
    }
    Ok(found)
}

fn items_of(conn: &mut Conn, lot: &LotId) -> Answer<BTreeMap<BidId, Vec<ExaminedItem>>> {
    let (mut decisions, mut dissents) = (decisions_of(conn, lot)?, dissents_of(conn, lot)?);
    let rows: Vec<(BidId, String, String, i64, String)> = admission_items::table
        .filter(admission_items::lot_id.eq(lot))
        .order((admission_items::bid_id, admission_items::position))
        .select((
            admission_items::bid_id,
            admission_items::code,
            admission_items::side,
            admission_items::position,
            admission_items::content,
        ))
        .load(conn)?;
    let mut found: BTreeMap<BidId, Vec<ExaminedItem>> = BTreeMap::new();
    for (bid, code, side, position, content) in rows {
        let key = (bid, code);
        let item = ExaminedItem {
            side: Side::named(&side).ok_or_else(|| Fault::broken(format!("an item of side {side}")))?,
            position,
            asked: read("an item", &content)?,
            decisions: decisions.remove(&key).unwrap_or_default(),
            dissents: dissents.remove(&key).unwrap_or_default(),
            code: key.1,
        };
        found.entry(key.0).or_default().push(item);
    }
    Ok(found)
}

fn corrections_of(conn: &mut Conn, lot: &LotId) -> Answer<BTreeMap<BidId, Correction>> {
    let rows: Vec<CorrectionRow> = price_corrections::table
        .filter(price_corrections::lot_id.eq(lot))
        .select(CorrectionRow::as_select())
        .load(conn)?;
    rows.into_iter()
        .map(|row| Ok((row.bid_id.clone(), row.try_into()?)))
        .collect()
}

fn justifications_of(conn: &mut Conn, lot: &LotId) -> Answer<BTreeMap<BidId, Justification>> {
    let rows: Vec<JustificationRow> = price_justifications::table
        .filter(price_justifications::lot_id.eq(lot))
        .select(JustificationRow::as_select())
        .load(conn)?;
    rows.into_iter()
        .map(|row| Ok((row.bid_id.clone(), row.try_into()?)))
        .collect()
}

/// The bids of a lot that were put out later.
///
/// # Errors
/// A fault of the database.
pub fn disqualified(conn: &mut Conn, lot: &LotId) -> Answer<BTreeMap<BidId, Disqualification>> {
    let rows: Vec<(BidId, String, String, String, NaiveDateTime)> = bid_disqualifications::table
        .filter(bid_disqualifications::lot_id.eq(lot))
        .select((
            bid_disqualifications::bid_id,
            bid_disqualifications::ground,
            bid_disqualifications::reason_zh,
            bid_disqualifications::reason_en,
            bid_disqualifications::decided_at,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(bid, ground, zh, en, at)| {
            let ground = Ground::named(&ground).ok_or_else(|| Fault::broken(format!("a ground {ground}")))?;
            let disqualification = Disqualification {
                ground,
                reason: Line { zh, en },
                at: at.and_utc(),
            };
            Ok((bid, disqualification))
        })
        .collect()
}

/// The bids of a lot as far as they were examined, in the order of their ids; none before the examination began.
///
/// # Errors
/// A fault of the database.
pub fn examined(conn: &mut Conn, lot: &LotId) -> Answer<Vec<Examined>> {
    type Columns = (BidId, OrganisationId, i64, Option<i64>, bool, bool);
    let rows: Vec<Columns> = admission_bids::table
        .filter(admission_bids::lot_id.eq(lot))
        .order(admission_bids::bid_id)
        .select((
            admission_bids::bid_id,
            admission_bids::supplier_id,
            admission_bids::total_fen,
            admission_bids::lines_fen,
            admission_bids::is_sme,
            admission_bids::is_sme_consortium,
        ))
        .load(conn)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut items = items_of(conn, lot)?;
    let mut corrections = corrections_of(conn, lot)?;
    let mut justifications = justifications_of(conn, lot)?;
    let mut disqualified = disqualified(conn, lot)?;
    rows.into_iter()
        .map(|(bid_id, supplier_id, total, lines, is_sme, is_sme_consortium)| {
            Ok(Examined {
                supplier_id,
                total: money(total)?,
                lines: lines.map(money).transpose()?,
                is_sme,
                is_sme_consortium,
                items: items.remove(&bid_id).unwrap_or_default(),
                correction: corrections.remove(&bid_id),
                justification: justifications.remove(&bid_id),
                disqualification: disqualified.remove(&bid_id),
                bid_id,
            })
        })
        .collect()
}

/// Begins the examination of a lot: its bids, and what is examined of each.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, (book, lot): (&BookId, &LotId), bids: &[Examined]) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(admissions::table)
        .values((
            admissions::lot_id.eq(lot),
            admissions::book_id.eq(book),
            admissions::begun_at.eq(now),
        ))
        .execute(tx.conn())?;
    for bid in bids {
        diesel::insert_into(admission_bids::table)
            .values((
                admission_bids::lot_id.eq(lot),
                admission_bids::bid_id.eq(&bid.bid_id),
                admission_bids::supplier_id.eq(&bid.supplier_id),
                admission_bids::total_fen.eq(bid.total.fen()),
                admission_bids::lines_fen.eq(bid.lines.map(Money::fen)),
                admission_bids::is_sme.eq(bid.is_sme),
                admission_bids::is_sme_consortium.eq(bid.is_sme_consortium),
            ))
            .execute(tx.conn())?;
        for item in &bid.items {
            insert_item(tx, lot, &bid.bid_id, item)?;
        }
    }
    Ok(())
}

fn insert_item(tx: &mut Tx<'_>, lot: &LotId, bid: &BidId, item: &ExaminedItem) -> Answer<()> {
    diesel::insert_into(admission_items::table)
        .values((
            admission_items::lot_id.eq(lot),
            admission_items::bid_id.eq(bid),
            admission_items::code.eq(&item.code),
            admission_items::side.eq(item.side.name()),
            admission_items::position.eq(item.position),
            admission_items::content.eq(written::<Asked>("an item", &item.asked)?),
        ))
        .execute(tx.conn())?;
    for decision in &item.decisions {
        insert_decision(tx, (lot, bid, &item.code), decision)?;
    }
    Ok(())
}

/// Adds a decision of an item.
///
/// # Errors
/// A fault of the database.
pub fn insert_decision(
    tx: &mut Tx<'_>,
    (lot, bid, code): (&LotId, &BidId, &str),
    decision: &Decision,
) -> Answer<()> {
    diesel::insert_into(admission_decisions::table)
        .values((
            admission_decisions::lot_id.eq(lot),
            admission_decisions::bid_id.eq(bid),
            admission_decisions::code.eq(code),
            admission_decisions::number.eq(decision.number),
            admission_decisions::passes.eq(decision.passes),
            admission_decisions::reason_zh.eq(&decision.reason.zh),
            admission_decisions::reason_en.eq(&decision.reason.en),
            admission_decisions::decided_by.eq(&decision.decided_by),
            admission_decisions::decided_at.eq(decision.decided_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Adds a dissent from a decision of the panel's.
///
/// # Errors
/// A fault of the database.
pub fn insert_dissent(
    tx: &mut Tx<'_>,
    (lot, bid, code): (&LotId, &BidId, &str),
    dissent: &Dissent,
) -> Answer<()> {
    diesel::insert_into(admission_dissents::table)
        .values((
            admission_dissents::lot_id.eq(lot),
            admission_dissents::bid_id.eq(bid),
            admission_dissents::code.eq(code),
            admission_dissents::account_id.eq(&dissent.account_id),
            admission_dissents::reason.eq(&dissent.reason),
            admission_dissents::noted_at.eq(dissent.noted_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Adds a corrected price, which waits for its bidder.
///
/// # Errors
/// A fault of the database.
pub fn insert_correction(
    tx: &mut Tx<'_>,
    (lot, bid): (&LotId, &BidId),
    correction: &Correction,
) -> Answer<()> {
    let content = CorrectionContent {
        body: correction.body,
        words: correction.words.clone(),
        steps: correction.steps.clone(),
    };
    diesel::insert_into(price_corrections::table)
        .values((
            price_corrections::lot_id.eq(lot),
            price_corrections::bid_id.eq(bid),
            price_corrections::content.eq(written("a correction", &content)?),
            price_corrections::corrected_fen.eq(correction.price.fen()),
            price_corrections::proposed_by.eq(&correction.proposed_by),
            price_corrections::proposed_at.eq(correction.proposed_at.naive_utc()),
            price_corrections::answer_until.eq(correction.answer_until.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Notes what a bidder answered to a corrected price.
///
/// # Errors
/// A fault of the database, or if it was answered.
pub fn answer_correction(
    tx: &mut Tx<'_>,
    (lot, bid): (&LotId, &BidId),
    (by, confirms): (&AccountId, bool),
) -> Answer<()> {
    let now = tx.now().naive_utc();
    let waiting = price_corrections::table
        .find((lot, bid))
        .filter(price_corrections::answered_at.is_null());
    let changed = diesel::update(waiting)
        .set((
            price_corrections::confirmed.eq(Some(confirms)),
            price_corrections::answered_by.eq(Some(by)),
            price_corrections::answered_at.eq(Some(now)),
        ))
        .execute(tx.conn())?;
    one(changed, "corrections")
}

fn one(changed: usize, what: &str) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} {what} changed instead of one")).into())
    }
}

/// Adds the question whether a price can be justified.
///
/// # Errors
/// A fault of the database.
pub fn insert_justification(
    tx: &mut Tx<'_>,
    (lot, bid): (&LotId, &BidId),
    asked_by: &AccountId,
    justification: &Justification,
) -> Answer<()> {
    diesel::insert_into(price_justifications::table)
        .values((
            price_justifications::lot_id.eq(lot),
            price_justifications::bid_id.eq(bid),
            price_justifications::tests.eq(written("tests", &justification.tests)?),
            price_justifications::asked_by.eq(asked_by),
            price_justifications::asked_at.eq(justification.asked_at.naive_utc()),
            price_justifications::answer_until.eq(justification.answer_until.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Notes what a bidder says of a price.
///
/// # Errors
/// A fault of the database, or if it was answered.
pub fn answer_justification(
    tx: &mut Tx<'_>,
    (lot, bid): (&LotId, &BidId),
    by: &AccountId,
    statement: &Statement,
) -> Answer<()> {
    let waiting = price_justifications::table
        .find((lot, bid))
        .filter(price_justifications::answered_at.is_null());
    let changed = diesel::update(waiting)
        .set((
            price_justifications::statement.eq(Some(&statement.text)),
            price_justifications::documents.eq(Some(written("documents", &statement.documents)?)),
            price_justifications::answered_by.eq(Some(by)),
            price_justifications::answered_at.eq(Some(statement.at.naive_utc())),
        ))
        .execute(tx.conn())?;
    one(changed, "justifications")
}

/// Notes what the panel found of it.
///
/// # Errors
/// A fault of the database, or if it was judged.
pub fn judge_justification(
    tx: &mut Tx<'_>,
    (lot, bid): (&LotId, &BidId),
    by: &AccountId,
    found: &Found,
) -> Answer<()> {
    let waiting = price_justifications::table
        .find((lot, bid))
        .filter(price_justifications::decided_at.is_null());
    let changed = diesel::update(waiting)
        .set((
            price_justifications::accepted.eq(Some(found.accepted)),
            price_justifications::reason_zh.eq(Some(&found.reason.zh)),
            price_justifications::reason_en.eq(Some(&found.reason.en)),
            price_justifications::decided_by.eq(Some(by)),
            price_justifications::decided_at.eq(Some(found.at.naive_utc())),
        ))
        .execute(tx.conn())?;
    one(changed, "justifications")
}

/// Puts a bid out.
///
/// # Errors
/// A fault of the database.
pub fn disqualify(
    tx: &mut Tx<'_>,
    (lot, bid): (&LotId, &BidId),
    by: &AccountId,
    disqualification: &Disqualification,
) -> Answer<()> {
    diesel::insert_into(bid_disqualifications::table)
        .values((
            bid_disqualifications::lot_id.eq(lot),
            bid_disqualifications::bid_id.eq(bid),
            bid_disqualifications::ground.eq(disqualification.ground.name()),
            bid_disqualifications::reason_zh.eq(&disqualification.reason.zh),
            bid_disqualifications::reason_en.eq(&disqualification.reason.en),
            bid_disqualifications::decided_by.eq(by),
            bid_disqualifications::decided_at.eq(disqualification.at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}
