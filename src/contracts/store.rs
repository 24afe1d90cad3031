//! The tables of contracts and of who has signed them. A contract is added once; that it is signed is added once more.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::award::rules_awards::AwardId;
use crate::books::rules::{BookId, LotId};
use crate::contracts::rules::{Contract, ContractId, Party, Signature, Since};
use crate::contracts::rules_document::PartyDocument;
use crate::contracts::{store_terminations, store_variations};
use crate::db::conn::Conn;
use crate::db::schema::{books, contract_signatures, contracts, organisations};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = contracts)]
struct ContractRow {
    id: ContractId,
    award_id: AwardId,
    lot_id: LotId,
    book_id: BookId,
    buyer_id: OrganisationId,
    supplier_id: OrganisationId,
    price_fen: i64,
    security_fen: i64,
    content: String,
    content_sha256: Vec<u8>,
    prepared_at: NaiveDateTime,
    signed_at: Option<NaiveDateTime>,
}

type SignatureRow = (String, AccountId, Vec<u8>, NaiveDateTime);

impl ContractRow {
    fn contract(self, signed: Vec<SignatureRow>) -> Result<Contract, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", self.id));
        let sha256: [u8; 32] = Sha256::digest(self.content.as_bytes()).into();
        if self.content_sha256 != sha256 {
            return Err(broken("its bytes are not what was hashed"));
        }
        let mut signatures = Vec::with_capacity(signed.len());
        for (party, account_id, hash, at) in signed {
            if hash != sha256 {
                return Err(broken("somebody has signed other bytes"));
            }
            signatures.push(Signature {
                party: Party::named(&party).ok_or_else(|| broken("a party is none"))?,
                account_id,
                at: at.and_utc(),
            });
        }
        signatures.sort_by_key(|one| one.party);
        Ok(Contract {
            price: Money::from_fen(self.price_fen).map_err(|_| broken("its price is none"))?,
            security: Money::from_fen(self.security_fen).map_err(|_| broken("its security is none"))?,
            id: self.id,
            award_id: self.award_id,
            lot_id: self.lot_id,
            book_id: self.book_id,
            buyer_id: self.buyer_id,
            supplier_id: self.supplier_id,
            content: self.content,
            sha256,
            prepared_at: self.prepared_at.and_utc(),
            signatures,
            signed_at: self.signed_at.map(|at| at.and_utc()),
            since: Since::default(),
        })
    }
}

fn whole(conn: &mut Conn, row: Option<ContractRow>) -> Answer<Option<Contract>> {
    let Some(row) = row else { return Ok(None) };
    let since = match row.signed_at {
        Some(_) => Since {
            terminated_on: store_terminations::decided_on(conn, &row.id)?,
            ..store_variations::since(conn, &row.id)?
        },
        None => Since::default(),
    };
    let signed: Vec<SignatureRow> = contract_signatures::table
        .filter(contract_signatures::contract_id.eq(&row.id))
        .order(contract_signatures::party)
        .select((
            contract_signatures::party,
            contract_signatures::account_id,
            contract_signatures::content_sha256,
            contract_signatures::signed_at,
        ))
        .load(conn)?;
    Ok(Some(Contract {
        since,
        ..row.contract(signed)?
    }))
}

/// The contract of that id, if there is one.
///
/// # Errors
/// A fault of the database, or of bytes that are not what was hashed.
pub fn contract(conn: &mut Conn, id: &ContractId) -> Answer<Option<Contract>> {
    let row = contracts::table
        .find(id)
        .select(ContractRow::as_select())
        .first(conn)
        .optional()?;
    whole(conn, row)
}

/// The contract of an award, if it was prepared.
///
/// # Errors
/// As [`contract`].
pub fn of_award(conn: &mut Conn, award: &AwardId) -> Answer<Option<Contract>> {
    let row = contracts::table
        .filter(contracts::award_id.eq(award))
        .select(ContractRow::as_select())
        .first(conn)
        .optional()?;
    whole(conn, row)
}

/// Which signed contracts are listed.
#[derive(Clone, Debug, Default)]
pub struct ContractFilter {
    /// Of this lot.
    pub lot: Option<LotId>,
    /// Of this book.
    pub book: Option<BookId>,
    /// Of this buyer.
    pub buyer: Option<OrganisationId>,
    /// Of this supplier.
    pub supplier: Option<OrganisationId>,
    /// Of a book of this category of services.
    pub category: Option<String>,
    /// Signed at this instant or later.
    pub signed_from: Option<Instant>,
    /// Signed before this instant.
    pub signed_until: Option<Instant>,
    /// Signed before this one, or at the same instant with a lower id.
    pub before: Option<(NaiveDateTime, String)>,
}

/// Up to `max` signed contracts, the one signed last first.
///
/// # Errors
/// As [`contract`].
pub fn signed(conn: &mut Conn, filter: &ContractFilter, max: i64) -> Answer<Vec<Contract>> {
    let mut query = contracts::table
        .filter(contracts::signed_at.is_not_null())
        .into_boxed();
    if let Some(lot) = &filter.lot {
        query = query.filter(contracts::lot_id.eq(lot));
    }
    if let Some(book) = &filter.book {
        query = query.filter(contracts::book_id.eq(book));
    }
    if let Some(buyer) = &filter.buyer {
        query = query.filter(contracts::buyer_id.eq(buyer));
    }
    if let Some(supplier) = &filter.supplier {
        query = query.filter(contracts::supplier_id.eq(supplier));
    }
    if let Some(category) = &filter.category {
        let of_category = books::table
            .filter(books::category.eq(category))
            .select(books::id);
        query = query.filter(contracts::book_id.eq_any(of_category));
    }
    if let Some(from) = filter.signed_from {
        query = query.filter(contracts::signed_at.ge(from.naive_utc()));
    }
    if let Some(until) = filter.signed_until {
        query = query.filter(contracts::signed_at.lt(until.naive_utc()));
    }
    if let Some((at, id)) = &filter.before {
        let same = contracts::signed_at.eq(at).and(contracts::id.lt(id));
        query = query.filter(contracts::signed_at.lt(at).or(same));
    }
    let rows: Vec<ContractRow> = query
        .order((contracts::signed_at.desc(), contracts::id.desc()))
        .limit(max)
        .select(ContractRow::as_select())
        .load(conn)?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.extend(whole(conn, Some(row))?);
    }
    Ok(all)
}

/// A party as it is registered now.
///
/// # Errors
/// A fault of the database, or if there is no such organisation.
pub fn party(conn: &mut Conn, id: &OrganisationId) -> Answer<PartyDocument> {
    let (name_zh, name_en, credit_code) = organisations::table
        .find(id)
        .select((
            organisations::name_zh,
            organisations::name_en,
            organisations::credit_code,
        ))
        .first(conn)?;
    Ok(PartyDocument {
        id: id.clone(),
        name_zh,
        name_en,
        credit_code,
    })
}

/// Adds a prepared contract.
///
/// # Errors
/// A fault of the database, or if its award has one.
pub fn insert(tx: &mut Tx<'_>, contract: &Contract) -> Answer<()> {
    diesel::insert_into(contracts::table)
        .values((
            contracts::id.eq(&contract.id),
            contracts::award_id.eq(&contract.award_id),
            contracts::lot_id.eq(&contract.lot_id),
            contracts::book_id.eq(&contract.book_id),
            contracts::buyer_id.eq(&contract.buyer_id),
            contracts::supplier_id.eq(&contract.supplier_id),
            contracts::price_fen.eq(contract.price.fen()),
            contracts::security_fen.eq(contract.security.fen()),
            contracts::content.eq(&contract.content),
            contracts::content_sha256.eq(contract.sha256.as_slice()),
            contracts::prepared_at.eq(contract.prepared_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Adds the signature of a party.
///
/// # Errors
/// A fault of the database, or if the party has signed before.
pub fn sign(tx: &mut Tx<'_>, contract: &Contract, signature: &Signature) -> Answer<()> {
    diesel::insert_into(contract_signatures::table)
        .values((
            contract_signatures::contract_id.eq(&contract.id),
            contract_signatures::party.eq(signature.party.name()),
            contract_signatures::account_id.eq(&signature.account_id),
            contract_signatures::content_sha256.eq(contract.sha256.as_slice()),
            contract_signatures::signed_at.eq(signature.at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves that both parties have signed.
///
/// # Errors
/// A fault of the database, or if they had before.
pub fn conclude(tx: &mut Tx<'_>, id: &ContractId) -> Answer<()> {
    let now = tx.now().naive_utc();
    let open = contracts::table.find(id).filter(contracts::signed_at.is_null());
    let changed = diesel::update(open)
        .set(contracts::signed_at.eq(now))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} contracts changed instead of one")).into())
    }
}
