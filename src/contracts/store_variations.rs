//! The tables of variations, of who has signed them, and of what they do to each period. A variation is added once and closed once.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::contracts::rules::{ContractId, Party, Signature, Since};
use crate::contracts::rules_periods::Span;
use crate::contracts::rules_variations::{Cause, Entered, Kind, Part, State, Variation, VariationId};
use crate::db::conn::Conn;
use crate::db::schema::{contract_variation_parts, contract_variation_signatures, contract_variations};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = contract_variations)]
struct VariationRow {
    id: VariationId,
    contract_id: ContractId,
    number: i64,
    kind: String,
    cause: String,
    words_zh: String,
    words_en: String,
    amount_fen: i64,
    from_period: Option<i64>,
    until_before: NaiveDate,
    until_day: Option<NaiveDate>,
    content: String,
    content_sha256: Vec<u8>,
    state: String,
    proposed_by: AccountId,
    proposed_at: NaiveDateTime,
    closed_at: Option<NaiveDateTime>,
    end_reason_zh: Option<String>,
    end_reason_en: Option<String>,
    revision: i64,
}

type SignatureRow = (String, AccountId, Vec<u8>, NaiveDateTime);
type PartRow = (i64, i64, NaiveDate, NaiveDate, bool);

impl VariationRow {
    fn variation(self, signed: Vec<SignatureRow>, parts: Vec<PartRow>) -> Result<Variation, Fault> {
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
        let money = |fen: i64| Money::from_fen(fen).map_err(|_| broken("an amount is none"));
        let parts = parts.into_iter().map(|(period, fen, first, last, is_added)| {
            Ok(Part {
                period,
                span: Span { first, last },
                amount: money(fen)?,
                is_added,
            })
        });
        let entered = Entered {
            kind: Kind::named(&self.kind).ok_or_else(|| broken("its kind is none"))?,
            cause: Cause::named(&self.cause).ok_or_else(|| broken("its cause is none"))?,
            words: Line {
                zh: self.words_zh.clone(),
                en: self.words_en.clone(),
            },
            amount: money(self.amount_fen)?,
            from_period: self.from_period,
            until: self.until_day,
        };
        Ok(Variation {
            state: State::named(&self.state).ok_or_else(|| broken("its state is none"))?,
            parts: parts.collect::<Result<_, Fault>>()?,
            entered,
            id: self.id,
            contract_id: self.contract_id,
            number: self.number,
            until_before: self.until_before,
            content: self.content,
            sha256,
            proposed_by: self.proposed_by,
            proposed_at: self.proposed_at.and_utc(),
            signatures,
            closed_at: self.closed_at.map(|at| at.and_utc()),
            end_reason: self
                .end_reason_zh
                .zip(self.end_reason_en)
                .map(|(zh, en)| Line { zh, en }),
            revision: self.revision,
        })
    }
}

fn whole(conn: &mut Conn, row: VariationRow) -> Answer<Variation> {
    let signed: Vec<SignatureRow> = contract_variation_signatures::table
        .filter(contract_variation_signatures::variation_id.eq(&row.id))
        .order(contract_variation_signatures::party)
        .select((
            contract_variation_signatures::party,
            contract_variation_signatures::account_id,
            contract_variation_signatures::content_sha256,
            contract_variation_signatures::signed_at,
        ))
        .load(conn)?;
    let parts: Vec<PartRow> = contract_variation_parts::table
        .filter(contract_variation_parts::variation_id.eq(&row.id))
        .order(contract_variation_parts::period)
        .select((
            contract_variation_parts::period,
            contract_variation_parts::amount_fen,
            contract_variation_parts::first_day,
            contract_variation_parts::last_day,
            contract_variation_parts::is_added,
        ))
        .load(conn)?;
    Ok(row.variation(signed, parts)?)
}

/// The variation of that id, if there is one.
///
/// # Errors
/// A fault of the database, or of bytes that are not what was hashed.
pub fn variation(conn: &mut Conn, id: &VariationId) -> Answer<Option<Variation>> {
    let row: Option<VariationRow> = contract_variations::table
        .find(id)
        .select(VariationRow::as_select())
        .first(conn)
        .optional()?;
    row.map(|row| whole(conn, row)).transpose()
}

/// The variations of a contract in their order: there are never more than a hundred.
///
/// # Errors
/// As [`variation`].
pub fn of_contract(conn: &mut Conn, contract: &ContractId) -> Answer<Vec<Variation>> {
    let rows: Vec<VariationRow> = contract_variations::table
        .filter(contract_variations::contract_id.eq(contract))
        .order(contract_variations::number)
        .select(VariationRow::as_select())
        .load(conn)?;
    rows.into_iter().map(|row| whole(conn, row)).collect()
}

/// What the concluded variations of a contract have made of its price and of its last day.
///
/// # Errors
/// A fault of the database or of arithmetic.
pub fn since(conn: &mut Conn, contract: &ContractId) -> Answer<Since> {
    let rows: Vec<(i64, Option<NaiveDate>)> = contract_variations::table
        .filter(contract_variations::contract_id.eq(contract))
        .filter(contract_variations::state.eq(State::Concluded.name()))
        .order(contract_variations::number)
        .select((contract_variations::amount_fen, contract_variations::until_day))
        .load(conn)?;
    let broken = |_| Fault::broken(format!("the variations of {contract} add up to no amount"));
    let amounts: Result<Vec<Money>, _> = rows.iter().map(|(fen, _)| Money::from_fen(*fen)).collect();
    Ok(Since {
        varied: Money::sum(amounts.map_err(broken)?).map_err(broken)?,
        prolonged_until: rows.iter().filter_map(|(_, until)| *until).max(),
        terminated_on: None,
    })
}

/// Adds a proposed variation.
///
/// # Errors
/// A fault of the database, or if another of its contract is pending.
pub fn insert(tx: &mut Tx<'_>, variation: &Variation) -> Answer<()> {
    let entered = &variation.entered;
    diesel::insert_into(contract_variations::table)
        .values((
            contract_variations::id.eq(&variation.id),
            contract_variations::contract_id.eq(&variation.contract_id),
            contract_variations::number.eq(variation.number),
            contract_variations::kind.eq(entered.kind.name()),
            contract_variations::cause.eq(entered.cause.name()),
            contract_variations::words_zh.eq(&entered.words.zh),
            contract_variations::words_en.eq(&entered.words.en),
            contract_variations::amount_fen.eq(entered.amount.fen()),
            contract_variations::from_period.eq(entered.from_period),
            contract_variations::until_before.eq(variation.until_before),
            contract_variations::until_day.eq(entered.until),
            contract_variations::content.eq(&variation.content),
            contract_variations::content_sha256.eq(variation.sha256.as_slice()),
            contract_variations::state.eq(variation.state.name()),
            contract_variations::proposed_by.eq(&variation.proposed_by),
            contract_variations::proposed_at.eq(variation.proposed_at.naive_utc()),
            contract_variations::revision.eq(variation.revision),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Adds the signature of a party.
///
/// # Errors
/// A fault of the database, or if the party has signed before.
pub fn sign(tx: &mut Tx<'_>, variation: &Variation, signature: &Signature) -> Answer<()> {
    diesel::insert_into(contract_variation_signatures::table)
        .values((
            contract_variation_signatures::variation_id.eq(&variation.id),
            contract_variation_signatures::party.eq(signature.party.name()),
            contract_variation_signatures::account_id.eq(&signature.account_id),
            contract_variation_signatures::content_sha256.eq(variation.sha256.as_slice()),
            contract_variation_signatures::signed_at.eq(signature.at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves that a variation is concluded, with its parts, or came to nothing, over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn close(tx: &mut Tx<'_>, variation: &Variation) -> Answer<()> {
    let (reason_zh, reason_en) = variation
        .end_reason
        .as_ref()
        .map(|reason| (&reason.zh, &reason.en))
        .unzip();
    let before = contract_variations::table
        .find(&variation.id)
        .filter(contract_variations::revision.eq(variation.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            contract_variations::state.eq(variation.state.name()),
            contract_variations::closed_at.eq(variation.closed_at.map(|at| at.naive_utc())),
            contract_variations::end_reason_zh.eq(reason_zh),
            contract_variations::end_reason_en.eq(reason_en),
            contract_variations::revision.eq(variation.revision),
        ))
        .execute(tx.conn())?;
    if changed != 1 {
        return Err(Fault::broken(format!("{changed} variations changed instead of one")).into());
    }
    for part in &variation.parts {
        diesel::insert_into(contract_variation_parts::table)
            .values((
                contract_variation_parts::variation_id.eq(&variation.id),
                contract_variation_parts::period.eq(part.period),
                contract_variation_parts::amount_fen.eq(part.amount.fen()),
                contract_variation_parts::first_day.eq(part.span.first),
                contract_variation_parts::last_day.eq(part.span.last),
                contract_variation_parts::is_added.eq(part.is_added),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}
