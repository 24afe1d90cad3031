//! The table of what banks said. It is added to and never changed.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::bank_statements;
use crate::db::writer::Tx;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::rules_bank_results::{BankStatementId, Format};
use crate::payments::rules_claims::Done;

/// What a bank said, as it was read.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its id.
    pub id: BankStatementId,
    /// Of whose payments.
    pub buyer_id: OrganisationId,
    /// What sort of file it is.
    pub format: Format,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// How many entries it has, confirmed payments, and failed ones.
    pub counts: (i64, i64, i64),
    /// What came of each entry, as JSON.
    pub report: String,
    /// Who read it.
    pub done: Done,
}

/// All of it but the bytes.
#[derive(Queryable, Selectable)]
#[diesel(table_name = bank_statements)]
struct StatementRow {
    id: BankStatementId,
    buyer_id: OrganisationId,
    format: String,
    content_sha256: Vec<u8>,
    entries: i64,
    confirmed: i64,
    failed: i64,
    report: String,
    read_by: AccountId,
    read_at: NaiveDateTime,
}

impl TryFrom<StatementRow> for Statement {
    type Error = Fault;

    fn try_from(row: StatementRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: its {what} is none", row.id));
        Ok(Self {
            format: Format::named(&row.format).ok_or_else(|| broken("format"))?,
            sha256: row
                .content_sha256
                .as_slice()
                .try_into()
                .map_err(|_| broken("hash"))?,
            id: row.id,
            buyer_id: row.buyer_id,
            counts: (row.entries, row.confirmed, row.failed),
            report: row.report,
            done: Done {
                by: row.read_by,
                at: row.read_at.and_utc(),
            },
        })
    }
}

/// The statement of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn statement(conn: &mut Conn, id: &BankStatementId) -> Answer<Option<Statement>> {
    let row: Option<StatementRow> = bank_statements::table
        .find(id)
        .select(StatementRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Statement::try_from).transpose()?)
}

/// Up to `max` statements of a buyer, newest first, before an id.
///
/// # Errors
/// A fault of the database.
pub fn page(
    conn: &mut Conn,
    buyer: &OrganisationId,
    before: Option<&str>,
    max: i64,
) -> Answer<Vec<Statement>> {
    // Every id of a statement sorts before a tilde.
    let rows: Vec<StatementRow> = bank_statements::table
        .filter(bank_statements::buyer_id.eq(buyer))
        .filter(bank_statements::id.lt(before.unwrap_or("~")))
        .order(bank_statements::id.desc())
        .limit(max)
        .select(StatementRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Statement::try_from)
        .collect::<Result<_, _>>()?)
}

/// Whether the same bytes were read for a buyer before.
///
/// # Errors
/// A fault of the database.
pub fn is_known(conn: &mut Conn, buyer: &OrganisationId, sha256: &[u8; 32]) -> Answer<bool> {
    let found: i64 = bank_statements::table
        .filter(bank_statements::buyer_id.eq(buyer))
        .filter(bank_statements::content_sha256.eq(sha256.as_slice()))
        .count()
        .get_result(conn)?;
    Ok(found > 0)
}

/// Adds what a bank said, with the bytes in which it came.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, one: &Statement, content: &[u8]) -> Answer<()> {
    let (entries, confirmed, failed) = one.counts;
    diesel::insert_into(bank_statements::table)
        .values((
            bank_statements::id.eq(&one.id),
            bank_statements::buyer_id.eq(&one.buyer_id),
            bank_statements::format.eq(one.format.name()),
            bank_statements::content.eq(content),
            bank_statements::content_sha256.eq(one.sha256.as_slice()),
            bank_statements::entries.eq(entries),
            bank_statements::confirmed.eq(confirmed),
            bank_statements::failed.eq(failed),
            bank_statements::report.eq(&one.report),
            bank_statements::read_by.eq(&one.done.by),
            bank_statements::read_at.eq(one.done.at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}
