//! The tables of imported processes. Releases are added and never changed; what is read of them together is written anew whenever one is added.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{
    imported_awards, imported_contracts, imported_parties, imported_processes, imported_releases,
    imported_suppliers, imported_transactions,
};
use crate::db::writer::Tx;
use crate::imports::rules::ImportId;
use crate::imports::rules_process::{Award, Contract, Party, Process, Reference, Transaction, Value};
use crate::imports::store::ROWS_AT_ONCE;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};

/// A release as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = imported_releases)]
pub struct ReleaseRow {
    /// Of which process.
    pub ocid: String,
    /// Its number among those of the process, in the order in which they were imported.
    pub number: i64,
    /// Its id.
    pub release_id: String,
    /// SHA-256 of its content.
    pub content_sha256: Vec<u8>,
    /// Its date, UTC.
    pub dated_at: Option<NaiveDateTime>,
    /// By which import it came.
    pub import_id: ImportId,
    /// What was published, without white space.
    pub content: String,
}

/// The head of a process.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = imported_processes, primary_key(ocid), treat_none_as_null = true)]
pub struct ProcessRow {
    /// Its id.
    pub ocid: String,
    /// What it is called.
    pub title: String,
    /// Who buys.
    pub buyer_id: Option<String>,
    /// Their name.
    pub buyer_name: Option<String>,
    /// How.
    pub method: Option<String>,
    /// What sort of thing.
    pub category: Option<String>,
    /// The class of the first item.
    pub classification: Option<String>,
    /// The area of the first item that has one.
    pub area: Option<String>,
    /// The tender's status.
    pub status: Option<String>,
    /// What it was estimated at, in hundredths.
    pub amount_hundredths: Option<i64>,
    /// Of which currency.
    pub currency: Option<String>,
    /// From when bids were taken.
    pub tender_starts_at: Option<NaiveDateTime>,
    /// Until when.
    pub tender_ends_at: Option<NaiveDateTime>,
    /// How many bid.
    pub tenderers: Option<i64>,
    /// The year that it counts to.
    pub year: Option<i64>,
    /// How many releases there are.
    pub releases: i64,
    /// Their bytes.
    pub bytes: i64,
    /// The import that changed it last.
    pub import_id: ImportId,
    /// When, UTC.
    pub changed_at: NaiveDateTime,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = imported_parties)]
struct PartyRow {
    ocid: String,
    number: i64,
    id: String,
    name: String,
    roles: String,
    identifier: Option<String>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = imported_awards)]
struct AwardRow {
    ocid: String,
    number: i64,
    id: String,
    title: String,
    status: Option<String>,
    awarded_at: Option<NaiveDateTime>,
    amount_hundredths: Option<i64>,
    currency: Option<String>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = imported_contracts)]
struct ContractRow {
    ocid: String,
    number: i64,
    id: String,
    award_id: Option<String>,
    title: String,
    status: Option<String>,
    signed_at: Option<NaiveDateTime>,
    starts_at: Option<NaiveDateTime>,
    ends_at: Option<NaiveDateTime>,
    amount_hundredths: Option<i64>,
    currency: Option<String>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = imported_suppliers)]
struct SupplierRow {
    ocid: String,
    of_kind: String,
    of_number: i64,
    number: i64,
    supplier_id: String,
    supplier_name: String,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = imported_transactions)]
struct TransactionRow {
    ocid: String,
    number: i64,
    contract_id: String,
    id: String,
    paid_at: Option<NaiveDateTime>,
    amount_hundredths: Option<i64>,
    currency: Option<String>,
    payer_id: Option<String>,
    payer_name: Option<String>,
    payee_id: Option<String>,
    payee_name: Option<String>,
}

/// The head of a process, if it is known.
///
/// # Errors
/// A fault of the database.
pub fn head(conn: &mut Conn, ocid: &str) -> Answer<Option<ProcessRow>> {
    Ok(imported_processes::table
        .find(ocid)
        .select(ProcessRow::as_select())
        .first(conn)
        .optional()?)
}

/// The releases of a process in the order in which they were imported.
///
/// # Errors
/// A fault of the database.
pub fn releases(conn: &mut Conn, ocid: &str, max: i64) -> Answer<Vec<ReleaseRow>> {
    Ok(imported_releases::table
        .filter(imported_releases::ocid.eq(ocid.to_owned()))
        .order(imported_releases::number)
        .limit(max)
        .select(ReleaseRow::as_select())
        .load(conn)?)
}

/// Adds a release.
///
/// # Errors
/// A fault of the database.
pub fn insert_release(tx: &mut Tx<'_>, row: &ReleaseRow) -> Answer<()> {
    diesel::insert_into(imported_releases::table)
        .values(row)
        .execute(tx.conn())?;
    Ok(())
}

/// The head of a process as it is written.
pub fn head_of(
    process: &Process,
    (releases, bytes): (i64, i64),
    (import, now): (&ImportId, Instant),
) -> ProcessRow {
    let instant = |at: Option<Instant>| at.map(|at| at.naive_utc());
    ProcessRow {
        ocid: process.ocid.clone(),
        title: process.title.clone(),
        buyer_id: process.buyer.as_ref().map(|buyer| buyer.id.clone()),
        buyer_name: process.buyer.as_ref().map(|buyer| buyer.name.clone()),
        method: process.method.clone(),
        category: process.category.clone(),
        classification: process.classification.clone(),
        area: process.area.clone(),
        status: process.status.clone(),
        amount_hundredths: process.value.hundredths,
        currency: process.value.currency.clone(),
        tender_starts_at: instant(process.tender_starts_at),
        tender_ends_at: instant(process.tender_ends_at),
        tenderers: process.tenderers,
        year: process.year,
        releases,
        bytes,
        import_id: import.clone(),
        changed_at: now.naive_utc(),
    }
}

/// Adds the head of a process, or writes it anew if `before` releases of it were known.
///
/// # Errors
/// A fault of the database, or if another transaction was faster.
pub fn save_head(tx: &mut Tx<'_>, row: &ProcessRow, before: i64) -> Answer<()> {
    let done = if before == 0 {
        diesel::insert_into(imported_processes::table)
            .values(row)
            .execute(tx.conn())?
    } else {
        let known = imported_processes::table
            .filter(imported_processes::ocid.eq(&row.ocid))
            .filter(imported_processes::releases.eq(before));
        diesel::update(known).set(row).execute(tx.conn())?
    };
    if done == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{} was changed meanwhile", row.ocid)).into())
    }
}

fn number(at: usize) -> Answer<i64> {
    let number = i64::try_from(at.saturating_add(1));
    Ok(number.map_err(|error| Fault::caused("number what was imported", error))?)
}

/// Writes what tables hold of a process; what they held before goes.
///
/// # Errors
/// A fault of the database.
pub fn save_parts(tx: &mut Tx<'_>, process: &Process, is_known: bool) -> Answer<()> {
    let ocid = process.ocid.as_str();
    if is_known {
        diesel::delete(imported_parties::table.filter(imported_parties::ocid.eq(ocid))).execute(tx.conn())?;
        diesel::delete(imported_awards::table.filter(imported_awards::ocid.eq(ocid))).execute(tx.conn())?;
        diesel::delete(imported_contracts::table.filter(imported_contracts::ocid.eq(ocid)))
            .execute(tx.conn())?;
        diesel::delete(imported_suppliers::table.filter(imported_suppliers::ocid.eq(ocid)))
            .execute(tx.conn())?;
        diesel::delete(imported_transactions::table.filter(imported_transactions::ocid.eq(ocid)))
            .execute(tx.conn())?;
    }
    let instant = |at: Option<Instant>| at.map(|at| at.naive_utc());
    let (mut parties, mut awards, mut contracts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut suppliers, mut transactions) = (Vec::new(), Vec::new());
    for (at, party) in process.parties.iter().enumerate() {
        parties.push(PartyRow {
            ocid: ocid.to_owned(),
            number: number(at)?,
            id: party.id.clone(),
            name: party.name.clone(),
            roles: party.roles.clone(),
            identifier: party.identifier.clone(),
        });
    }
    for (at, award) in process.awards.iter().enumerate() {
        let place = number(at)?;
        suppliers.extend(bound(ocid, "award", place, &award.suppliers)?);
        awards.push(AwardRow {
            ocid: ocid.to_owned(),
            number: place,
            id: award.id.clone(),
            title: award.title.clone(),
            status: award.status.clone(),
            awarded_at: instant(award.at),
            amount_hundredths: award.value.hundredths,
            currency: award.value.currency.clone(),
        });
    }
    for (at, contract) in process.contracts.iter().enumerate() {
        let place = number(at)?;
        suppliers.extend(bound(ocid, "contract", place, &contract.suppliers)?);
        contracts.push(ContractRow {
            ocid: ocid.to_owned(),
            number: place,
            id: contract.id.clone(),
            award_id: contract.award_id.clone(),
            title: contract.title.clone(),
            status: contract.status.clone(),
            signed_at: instant(contract.signed_at),
            starts_at: instant(contract.starts_at),
            ends_at: instant(contract.ends_at),
            amount_hundredths: contract.value.hundredths,
            currency: contract.value.currency.clone(),
        });
    }
    for (at, paid) in process.transactions.iter().enumerate() {
        let of = |who: &Option<Reference>| {
            who.clone()
                .map_or((None, None), |who| (Some(who.id), Some(who.name)))
        };
        let ((payer_id, payer_name), (payee_id, payee_name)) = (of(&paid.payer), of(&paid.payee));
        transactions.push(TransactionRow {
            ocid: ocid.to_owned(),
            number: number(at)?,
            contract_id: paid.contract_id.clone(),
            id: paid.id.clone(),
            paid_at: instant(paid.at),
            amount_hundredths: paid.value.hundredths,
            currency: paid.value.currency.clone(),
            payer_id,
            payer_name,
            payee_id,
            payee_name,
        });
    }
    for rows in parties.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::insert_into(imported_parties::table).values(rows).execute(c))?;
    }
    for rows in awards.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::insert_into(imported_awards::table).values(rows).execute(c))?;
    }
    for rows in contracts.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::insert_into(imported_contracts::table).values(rows).execute(c))?;
    }
    for rows in suppliers.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::insert_into(imported_suppliers::table).values(rows).execute(c))?;
    }
    for rows in transactions.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::insert_into(imported_transactions::table).values(rows).execute(c))?;
    }
    Ok(())
}

fn bound(ocid: &str, kind: &str, of: i64, suppliers: &[Reference]) -> Answer<Vec<SupplierRow>> {
    let rows = suppliers.iter().enumerate().map(|(at, supplier)| {
        Ok(SupplierRow {
            ocid: ocid.to_owned(),
            of_kind: kind.to_owned(),
            of_number: of,
            number: number(at)?,
            supplier_id: supplier.id.clone(),
            supplier_name: supplier.name.clone(),
        })
    });
    rows.collect()
}

/// What tables hold of a process beside its head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Who took part.
    pub parties: Vec<Party>,
    /// What was awarded.
    pub awards: Vec<Award>,
    /// What was contracted.
    pub contracts: Vec<Contract>,
    /// What was paid.
    pub transactions: Vec<Transaction>,
}

/// Rows of one kind of a process at most: no release has more values than this.
const PARTS_MAX: i64 = 200_000;

/// What tables hold of a process beside its head.
///
/// # Errors
/// A fault of the database.
pub fn parts(conn: &mut Conn, ocid: &str) -> Answer<Parts> {
    let instant = |at: Option<NaiveDateTime>| at.map(|at| at.and_utc());
    let value = |hundredths, currency| Value { hundredths, currency };
    let suppliers: Vec<SupplierRow> = imported_suppliers::table
        .filter(imported_suppliers::ocid.eq(ocid.to_owned()))
        .order((
            imported_suppliers::of_kind,
            imported_suppliers::of_number,
            imported_suppliers::number,
        ))
        .limit(PARTS_MAX)
        .select(SupplierRow::as_select())
        .load(conn)?;
    let mut bound: BTreeMap<(String, i64), Vec<Reference>> = BTreeMap::new();
    for row in suppliers {
        let place = bound.entry((row.of_kind, row.of_number)).or_default();
        place.push(Reference {
            id: row.supplier_id,
            name: row.supplier_name,
        });
    }
    let mut of = |kind: &str, number: i64| bound.remove(&(kind.to_owned(), number)).unwrap_or_default();
    let parties: Vec<PartyRow> = imported_parties::table
        .filter(imported_parties::ocid.eq(ocid.to_owned()))
        .order(imported_parties::number)
        .limit(PARTS_MAX)
        .select(PartyRow::as_select())
        .load(conn)?;
    let awards: Vec<AwardRow> = imported_awards::table
        .filter(imported_awards::ocid.eq(ocid.to_owned()))
        .order(imported_awards::number)
        .limit(PARTS_MAX)
        .select(AwardRow::as_select())
        .load(conn)?;
    let contracts: Vec<ContractRow> = imported_contracts::table
        .filter(imported_contracts::ocid.eq(ocid.to_owned()))
        .order(imported_contracts::number)
        .limit(PARTS_MAX)
        .select(ContractRow::as_select())
        .load(conn)?;
    let transactions: Vec<TransactionRow> = imported_transactions::table
        .filter(imported_transactions::ocid.eq(ocid.to_owned()))
        .order(imported_transactions::number)
        .limit(PARTS_MAX)
        .select(TransactionRow::as_select())
        .load(conn)?;
    let named = |id: Option<String>, name: Option<String>| {
        id.map(|id| Reference {
            id,
            name: name.unwrap_or_default(),
        })
    };
    Ok(Parts {
        parties: parties
            .into_iter()
            .map(|row| Party {
                id: row.id,
                name: row.name,
                roles: row.roles,
                identifier: row.identifier,
            })
            .collect(),
        awards: awards
            .into_iter()
            .map(|row| Award {
                suppliers: of("award", row.number),
                id: row.id,
                title: row.title,
                status: row.status,
                at: instant(row.awarded_at),
                value: value(row.amount_hundredths, row.currency),
            })
            .collect(),
        contracts: contracts
            .into_iter()
            .map(|row| Contract {
                suppliers: of("contract", row.number),
                id: row.id,
                award_id: row.award_id,
                title: row.title,
                status: row.status,
                signed_at: instant(row.signed_at),
                starts_at: instant(row.starts_at),
                ends_at: instant(row.ends_at),
                value: value(row.amount_hundredths, row.currency),
            })
            .collect(),
        transactions: transactions
            .into_iter()
            .map(|row| Transaction {
                contract_id: row.contract_id,
                id: row.id,
                at: instant(row.paid_at),
                value: value(row.amount_hundredths, row.currency),
                payer: named(row.payer_id, row.payer_name),
                payee: named(row.payee_id, row.payee_name),
            })
            .collect(),
    })
}

/// Which processes are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Whose buyer has this id, or this name.
    pub buyer: Option<String>,
    /// Of which an award or contract went to this id, or this name.
    pub supplier: Option<String>,
    /// Of this year.
    pub year: Option<i64>,
}

/// Up to `max` processes after an ocid.
///
/// # Errors
/// A fault of the database.
pub fn page(conn: &mut Conn, filter: &Filter, after: Option<&str>, max: i64) -> Answer<Vec<ProcessRow>> {
    Ok(both!(conn, c => {
        let mut query = imported_processes::table
            .order(imported_processes::ocid)
            .limit(max)
            .select(ProcessRow::as_select())
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(imported_processes::ocid.gt(after.to_owned()));
        }
        if let Some(buyer) = &filter.buyer {
            query = query.filter(
                imported_processes::buyer_id.eq(buyer.clone()).or(imported_processes::buyer_name.eq(buyer.clone())),
            );
        }
        if let Some(supplier) = &filter.supplier {
            let got = imported_suppliers::table
                .filter(
                    imported_suppliers::supplier_id.eq(supplier.clone())
                        .or(imported_suppliers::supplier_name.eq(supplier.clone())),
                )
                .select(imported_suppliers::ocid);
            query = query.filter(imported_processes::ocid.eq_any(got));
        }
        if let Some(year) = filter.year {
            query = query.filter(imported_processes::year.eq(year));
        }
        query.load(c)
    })?)
}
