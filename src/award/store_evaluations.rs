//! The tables of what came of judging bids. Rows are added and never changed.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::award::rules_results::{Evaluation, EvaluationId, Outcome, Place};
use crate::bids::rules::BidId;
use crate::books::rules::{BookId, LotId};
use crate::db::conn::Conn;
use crate::db::schema::{evaluation_places, evaluations};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = evaluations)]
struct EvaluationRow {
    id: EvaluationId,
    lot_id: LotId,
    book_id: BookId,
    round: i64,
    outcome: String,
    concluded_at: NaiveDateTime,
    content: String,
    content_sha256: Vec<u8>,
}

impl EvaluationRow {
    fn evaluation(self, places: Vec<Place>) -> Result<Evaluation, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", self.id));
        let sha256: [u8; 32] = Sha256::digest(self.content.as_bytes()).into();
        if self.content_sha256 != sha256 {
            return Err(broken("its derivation is not what was hashed"));
        }
        Ok(Evaluation {
            outcome: Outcome::named(&self.outcome).ok_or_else(|| broken("its outcome is none"))?,
            id: self.id,
            lot_id: self.lot_id,
            book_id: self.book_id,
            round: self.round,
            concluded_at: self.concluded_at.and_utc(),
            content: self.content,
            sha256,
            places,
        })
    }
}

type PlaceRow = (BidId, OrganisationId, Option<i64>, i64);

fn places(conn: &mut Conn, id: &EvaluationId) -> Answer<Vec<Place>> {
    let rows: Vec<PlaceRow> = evaluation_places::table
        .filter(evaluation_places::evaluation_id.eq(id))
        .order(evaluation_places::bid_id)
        .select((
            evaluation_places::bid_id,
            evaluation_places::supplier_id,
            evaluation_places::place,
            evaluation_places::price_fen,
        ))
        .load(conn)?;
    let place = |(bid_id, supplier_id, place, price): PlaceRow| {
        let price = Money::from_fen(price).map_err(|error| Fault::caused("a stored price", error))?;
        Ok(Place {
            bid_id,
            supplier_id,
            place,
            price,
        })
    };
    let mut places: Vec<Place> = rows.into_iter().map(place).collect::<Result<_, Fault>>()?;
    places.sort_by_key(|one| one.place.unwrap_or(i64::MAX));
    Ok(places)
}

/// The last concluded round of a lot; `None` if there is none.
///
/// # Errors
/// A fault of the database, or of a derivation that is not what was hashed.
pub fn last_of_lot(conn: &mut Conn, lot: &LotId) -> Answer<Option<Evaluation>> {
    let row: Option<EvaluationRow> = evaluations::table
        .filter(evaluations::lot_id.eq(lot))
        .order(evaluations::round.desc())
        .select(EvaluationRow::as_select())
        .first(conn)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let places = places(conn, &row.id)?;
    Ok(Some(row.evaluation(places)?))
}

/// Every concluded round of a lot, the first one first.
///
/// # Errors
/// As [`last_of_lot`].
pub fn of_lot(conn: &mut Conn, lot: &LotId) -> Answer<Vec<Evaluation>> {
    let rows: Vec<EvaluationRow> = evaluations::table
        .filter(evaluations::lot_id.eq(lot))
        .order(evaluations::round)
        .select(EvaluationRow::as_select())
        .load(conn)?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let places = places(conn, &row.id)?;
        all.push(row.evaluation(places)?);
    }
    Ok(all)
}

/// Adds a concluded round.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, evaluation: &Evaluation) -> Answer<()> {
    diesel::insert_into(evaluations::table)
        .values((
            evaluations::id.eq(&evaluation.id),
            evaluations::lot_id.eq(&evaluation.lot_id),
            evaluations::book_id.eq(&evaluation.book_id),
            evaluations::round.eq(evaluation.round),
            evaluations::outcome.eq(evaluation.outcome.name()),
            evaluations::concluded_at.eq(evaluation.concluded_at.naive_utc()),
            evaluations::content.eq(&evaluation.content),
            evaluations::content_sha256.eq(evaluation.sha256.as_slice()),
        ))
        .execute(tx.conn())?;
    for place in &evaluation.places {
        diesel::insert_into(evaluation_places::table)
            .values((
                evaluation_places::evaluation_id.eq(&evaluation.id),
                evaluation_places::bid_id.eq(&place.bid_id),
                evaluation_places::supplier_id.eq(&place.supplier_id),
                evaluation_places::place.eq(place.place),
                evaluation_places::price_fen.eq(place.price.fen()),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}
