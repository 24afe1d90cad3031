//! The tables of what is measured of spending: what matters are counted under, what each transfer added, and totals. All but the totals is added and never changed, and
//! the totals are nothing but sums of it.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::upsert::excluded;

use crate::both;
use crate::budget::rules::BudgetLineId;
use crate::budget::rules_ledger::{LedgerAccountId, TransferCode, TransferId};
use crate::budget::rules_spending::{Contracted, Described, Measures, Quantity, Subject, SubjectId, month};
use crate::db::conn::Conn;
use crate::db::schema::{
    ledger_holds, ledger_transfers, spending_facts, spending_matters, spending_subjects, spending_totals,
};
use crate::db::writer::Tx;
use crate::kernel::party::{AreaId, OrganisationId, OrganisationKind};
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = spending_matters)]
struct MatterRow {
    line_id: BudgetLineId,
    lot_id: String,
    contract_id: Option<String>,
    area_id: Option<AreaId>,
    method: Option<String>,
    supplier_id: Option<OrganisationId>,
    supplier_kind: Option<String>,
    unit_zh: Option<String>,
    unit_en: Option<String>,
    quantity_millionths: Option<i64>,
}

impl TryFrom<MatterRow> for Described {
    type Error = Fault;

    fn try_from(row: MatterRow) -> Result<Self, Fault> {
        let units = row.unit_zh.zip(row.unit_en).zip(row.quantity_millionths);
        let quantity = units.map(|((unit_zh, unit_en), millionths)| Quantity {
            unit_zh,
            unit_en,
            millionths,
        });
        let contracted = match (row.contract_id, row.supplier_id, row.supplier_kind) {
            (Some(contract_id), Some(supplier_id), Some(kind)) => Some(Contracted {
                contract_id,
                supplier_id,
                supplier_kind: OrganisationKind::named(&kind)
                    .ok_or_else(|| Fault::broken(format!("a supplier that is a {kind}")))?,
                quantity,
            }),
            _ => None,
        };
        Ok(Self {
            line_id: row.line_id,
            lot_id: row.lot_id,
            area_id: row.area_id,
            method: row.method,
            contracted,
        })
    }
}

/// What is known of a matter, if somebody has said it.
///
/// # Errors
/// A fault of the database.
pub fn described(conn: &mut Conn, matter: &str) -> Answer<Option<Described>> {
    let row: Option<MatterRow> = both!(conn, c => spending_matters::table
        .find(matter)
        .select(MatterRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Described::try_from).transpose()?)
}

/// Says what a matter is counted under. What was said first holds.
///
/// # Errors
/// A fault of the database.
pub fn describe(tx: &mut Tx<'_>, matter: &str, one: &Described) -> Answer<()> {
    let contracted = one.contracted.as_ref();
    let quantity = contracted.and_then(|contracted| contracted.quantity.as_ref());
    let row = (
        spending_matters::matter.eq(matter),
        spending_matters::line_id.eq(&one.line_id),
        spending_matters::lot_id.eq(&one.lot_id),
        spending_matters::contract_id.eq(contracted.map(|contracted| &contracted.contract_id)),
        spending_matters::area_id.eq(&one.area_id),
        spending_matters::method.eq(&one.method),
        spending_matters::supplier_id.eq(contracted.map(|contracted| &contracted.supplier_id)),
        spending_matters::supplier_kind.eq(contracted.map(|contracted| contracted.supplier_kind.name())),
        spending_matters::unit_zh.eq(quantity.map(|quantity| &quantity.unit_zh)),
        spending_matters::unit_en.eq(quantity.map(|quantity| &quantity.unit_en)),
        spending_matters::quantity_millionths.eq(quantity.map(|quantity| quantity.millionths)),
    );
    both!(tx.conn(), c => diesel::insert_into(spending_matters::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// A subject as it is stored, as far as totals are kept of it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = spending_subjects)]
pub struct SubjectRow {
    /// Its id.
    pub id: i64,
    shard: i64,
    fund_id: String,
    fiscal_year: i64,
    line_id: Option<String>,
    buyer_id: Option<String>,
    category: Option<String>,
    contract_id: Option<String>,
    area_id: Option<String>,
    method: Option<String>,
    supplier_id: Option<String>,
    supplier_kind: Option<String>,
}

/// The subject of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn subject(conn: &mut Conn, id: SubjectId) -> Answer<Option<SubjectRow>> {
    Ok(both!(conn, c => spending_subjects::table
        .find(id)
        .select(SubjectRow::as_select())
        .first(c)
        .optional())?)
}

/// Adds a subject, unless it is there.
///
/// # Errors
/// A fault of the database.
pub fn insert_subject(tx: &mut Tx<'_>, one: &Subject) -> Answer<SubjectRow> {
    let (key, line, described) = (one.key(), one.line.as_ref(), one.described.as_ref());
    let contracted = described.and_then(|described| described.contracted.as_ref());
    let quantity = contracted.and_then(|contracted| contracted.quantity.as_ref());
    let row = (
        spending_subjects::id.eq(key.id()),
        spending_subjects::shard.eq(key.shard()),
        spending_subjects::fund_id.eq(&one.fund_id),
        spending_subjects::fiscal_year.eq(one.fiscal_year),
        spending_subjects::line_id.eq(line.map(|line| &line.id)),
        spending_subjects::buyer_id.eq(line.map(|line| &line.organisation_id)),
        spending_subjects::category.eq(line.map(|line| &line.category)),
        spending_subjects::lot_id.eq(described.map(|described| &described.lot_id)),
        spending_subjects::contract_id.eq(contracted.map(|contracted| &contracted.contract_id)),
        spending_subjects::area_id.eq(described.and_then(|described| described.area_id.as_ref())),
        spending_subjects::method.eq(described.and_then(|described| described.method.as_ref())),
        spending_subjects::supplier_id.eq(contracted.map(|contracted| &contracted.supplier_id)),
        spending_subjects::supplier_kind.eq(contracted.map(|contracted| contracted.supplier_kind.name())),
        spending_subjects::unit_zh.eq(quantity.map(|quantity| &quantity.unit_zh)),
        spending_subjects::unit_en.eq(quantity.map(|quantity| &quantity.unit_en)),
        spending_subjects::quantity_millionths.eq(quantity.map(|quantity| quantity.millionths)),
    );
    both!(tx.conn(), c => diesel::insert_into(spending_subjects::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    let found = subject(tx.conn(), key.id())?;
    Ok(found.ok_or_else(|| Fault::broken("a subject of spending that was added is not there"))?)
}

/// The subject under which something was paid into an account for a matter, if anything was.
///
/// # Errors
/// A fault of the database.
pub fn paid_under(conn: &mut Conn, matter: &str, account: &LedgerAccountId) -> Answer<Option<SubjectRow>> {
    let id: Option<i64> = both!(conn, c => spending_facts::table
        .inner_join(ledger_transfers::table.on(ledger_transfers::id.eq(spending_facts::source_id)))
        .filter(ledger_transfers::matter.eq(matter))
        .filter(ledger_transfers::to_account_id.eq(account))
        .filter(spending_facts::paid_fen.gt(0))
        .order(ledger_transfers::id)
        .select(spending_facts::subject_id)
        .first(c)
        .optional())?;
    match id {
        Some(id) => subject(conn, id),
        None => Ok(None),
    }
}

/// Whether another transfer of that kind was made for a matter, and measured.
///
/// # Errors
/// A fault of the database.
pub fn has_another(conn: &mut Conn, matter: &str, code: TransferCode, but: &TransferId) -> Answer<bool> {
    let found: Option<TransferId> = both!(conn, c => ledger_transfers::table
        .inner_join(spending_facts::table.on(spending_facts::source_id.eq(ledger_transfers::id)))
        .filter(ledger_transfers::matter.eq(matter))
        .filter(ledger_transfers::code.eq(code.name()))
        .filter(ledger_transfers::id.ne(but))
        .select(ledger_transfers::id)
        .first(c)
        .optional())?;
    Ok(found.is_some())
}

/// Up to `max` transfers after an id that have added nothing to the facts, in the order of their ids.
///
/// # Errors
/// A fault of the database.
pub fn unmeasured(conn: &mut Conn, after: &str, max: i64) -> Answer<Vec<TransferId>> {
    Ok(both!(conn, c => ledger_transfers::table
        .left_join(spending_facts::table.on(spending_facts::source_id.eq(ledger_transfers::id)))
        .filter(ledger_transfers::id.gt(after))
        .filter(spending_facts::source_id.is_null())
        .order(ledger_transfers::id)
        .limit(max)
        .select(ledger_transfers::id)
        .load(c))?)
}

/// Whether a transfer, or a ballot, has added something to the facts.
///
/// # Errors
/// A fault of the database.
pub fn is_measured(conn: &mut Conn, source: &str) -> Answer<bool> {
    let found: Option<i64> = both!(conn, c => spending_facts::table
        .filter(spending_facts::source_id.eq(source))
        .select(spending_facts::subject_id)
        .first(c)
        .optional())?;
    Ok(found.is_some())
}

/// Whether the ledger has transfers and none of them was ever measured: it is older than what is measured.
///
/// # Errors
/// A fault of the database.
pub fn is_older(conn: &mut Conn) -> Answer<bool> {
    let fact: Option<i64> = both!(conn, c => spending_facts::table
        .select(spending_facts::subject_id)
        .first(c)
        .optional())?;
    if fact.is_some() {
        return Ok(false);
    }
    let transfer: Option<TransferId> = both!(conn, c => ledger_transfers::table
        .select(ledger_transfers::id)
        .first(c)
        .optional())?;
    Ok(transfer.is_some())
}

/// Up to `max` matters after one that money is or was held for and that nobody has described, of those whose ids begin so.
///
/// # Errors
/// A fault of the database.
pub fn undescribed(conn: &mut Conn, prefix: &str, after: &str, max: i64) -> Answer<Vec<String>> {
    // Ids are a prefix and an underscore; the next character is the backquote.
    let (from, until) = (format!("{prefix}_"), format!("{prefix}`"));
    Ok(both!(conn, c => ledger_holds::table
        .left_join(spending_matters::table.on(spending_matters::matter.eq(ledger_holds::matter)))
        .filter(ledger_holds::matter.ge(from))
        .filter(ledger_holds::matter.lt(until))
        .filter(ledger_holds::matter.gt(after))
        .filter(spending_matters::matter.is_null())
        .order(ledger_holds::matter)
        .limit(max)
        .select(ledger_holds::matter)
        .distinct()
        .load(c))?)
}

/// A row of the totals.
#[derive(Insertable)]
#[diesel(table_name = spending_totals)]
struct TotalRow {
    dimension: &'static str,
    value: String,
    shard: i64,
    appropriated_fen: i64,
    budgeted_fen: i64,
    reserved_fen: i64,
    committed_fen: i64,
    retained_fen: i64,
    paid_fen: i64,
    deducted_fen: i64,
    refunded_fen: i64,
    payments: i64,
    ballots: i64,
    satisfaction: i64,
}

impl SubjectRow {
    /// The rows of the totals that something under this subject is added to. What few add to at once is not kept apart.
    fn totals(&self, day: NaiveDate, added: &Measures) -> Vec<TotalRow> {
        let given = |value: &Option<String>| value.clone().unwrap_or_default();
        let values = [
            ("month", month(day).to_string(), self.shard),
            ("fiscal_year", self.fiscal_year.to_string(), self.shard),
            ("fund", self.fund_id.clone(), self.shard),
            ("budget_line", given(&self.line_id), 0),
            ("buyer", given(&self.buyer_id), self.shard),
            ("area", given(&self.area_id), self.shard),
            ("category", given(&self.category), self.shard),
            ("supplier", given(&self.supplier_id), self.shard),
            ("supplier_kind", given(&self.supplier_kind), self.shard),
            ("method", given(&self.method), self.shard),
            ("contract", given(&self.contract_id), self.shard),
        ];
        let row = |(dimension, value, shard)| TotalRow {
            dimension,
            value,
            shard,
            appropriated_fen: added.appropriated,
            budgeted_fen: added.budgeted,
            reserved_fen: added.reserved,
            committed_fen: added.committed,
            retained_fen: added.retained,
            paid_fen: added.paid,
            deducted_fen: added.deducted,
            refunded_fen: added.refunded,
            payments: added.payments,
            ballots: added.ballots,
            satisfaction: added.satisfaction,
        };
        values.into_iter().map(row).collect()
    }
}

/// The totals, each with so much more.
macro_rules! add_totals {
    ($c:ident, $rows:expr) => {
        diesel::insert_into(spending_totals::table)
            .values($rows)
            .on_conflict((
                spending_totals::dimension,
                spending_totals::value,
                spending_totals::shard,
            ))
            .do_update()
            .set((
                spending_totals::appropriated_fen
                    .eq(spending_totals::appropriated_fen + excluded(spending_totals::appropriated_fen)),
                spending_totals::budgeted_fen
                    .eq(spending_totals::budgeted_fen + excluded(spending_totals::budgeted_fen)),
                spending_totals::reserved_fen
                    .eq(spending_totals::reserved_fen + excluded(spending_totals::reserved_fen)),
                spending_totals::committed_fen
                    .eq(spending_totals::committed_fen + excluded(spending_totals::committed_fen)),
                spending_totals::retained_fen
                    .eq(spending_totals::retained_fen + excluded(spending_totals::retained_fen)),
                spending_totals::paid_fen.eq(spending_totals::paid_fen + excluded(spending_totals::paid_fen)),
                spending_totals::deducted_fen
                    .eq(spending_totals::deducted_fen + excluded(spending_totals::deducted_fen)),
                spending_totals::refunded_fen
                    .eq(spending_totals::refunded_fen + excluded(spending_totals::refunded_fen)),
                spending_totals::payments.eq(spending_totals::payments + excluded(spending_totals::payments)),
                spending_totals::ballots.eq(spending_totals::ballots + excluded(spending_totals::ballots)),
                spending_totals::satisfaction
                    .eq(spending_totals::satisfaction + excluded(spending_totals::satisfaction)),
            ))
            .execute($c)
    };
}

/// What happened, and when.
#[derive(Clone, Copy, Debug)]
pub struct Happened<'h> {
    /// The id of the transfer, or of the ballot.
    pub source: &'h str,
    /// The amount that moved, in fen; nothing if none did.
    pub amount_fen: i64,
    /// The ward's local date.
    pub day: NaiveDate,
}

/// Adds what something has added under a subject, to the facts and to the totals.
///
/// # Errors
/// A fault of the database, or if the same was added before.
pub fn add(tx: &mut Tx<'_>, happened: Happened<'_>, subject: &SubjectRow, added: &Measures) -> Answer<()> {
    add_fact(tx, happened, subject.id, added)?;
    let rows = subject.totals(happened.day, added);
    match tx.conn() {
        Conn::Sqlite(c) => {
            for row in &rows {
                add_totals!(c, row)?;
            }
        }
        Conn::Postgres(c) => {
            add_totals!(c, &rows)?;
        }
    }
    Ok(())
}

/// Adds it to the facts alone, for measuring what the totals cost.
///
/// # Errors
/// As [`add`].
pub fn add_fact(tx: &mut Tx<'_>, happened: Happened<'_>, subject: SubjectId, added: &Measures) -> Answer<()> {
    both!(tx.conn(), c => diesel::insert_into(spending_facts::table)
        .values((
            spending_facts::source_id.eq(happened.source),
            spending_facts::subject_id.eq(subject),
            spending_facts::made_on.eq(happened.day),
            spending_facts::month.eq(month(happened.day)),
            spending_facts::amount_fen.eq(happened.amount_fen),
            spending_facts::appropriated_fen.eq(added.appropriated),
            spending_facts::budgeted_fen.eq(added.budgeted),
            spending_facts::reserved_fen.eq(added.reserved),
            spending_facts::committed_fen.eq(added.committed),
            spending_facts::retained_fen.eq(added.retained),
            spending_facts::paid_fen.eq(added.paid),
            spending_facts::deducted_fen.eq(added.deducted),
            spending_facts::refunded_fen.eq(added.refunded),
            spending_facts::payments.eq(added.payments),
            spending_facts::ballots.eq(added.ballots),
            spending_facts::satisfaction.eq(added.satisfaction),
        ))
        .execute(c))?;
    Ok(())
}
