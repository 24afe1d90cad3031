//! What the acts and queries of this slice look up: a lot with its book and its rules, what stands against an award, and how far a lot has come.

use serde_json::Value;

use crate::award::rules_awards::{Award, BLOCKED, NEEDS_NEW_ROUND};
use crate::award::rules_complaints::{self as complaints, SUSPENDED, Suspension, suspended_days};
use crate::award::rules_deadlines::{self as deadlines, Deadlines};
use crate::award::rules_results::{Evaluation, Outcome, Place};
use crate::award::rules_standing::{Facts, LotStanding, standing};
use crate::award::{
    store_admission, store_awards, store_challenges, store_complaints, store_endings, store_evaluations,
    store_scores,
};
use crate::bids::acts::lot as found_lot;
use crate::bids::rules_opening::OpeningRecord;
use crate::bids::store_openings;
use crate::books::acts::profile_of;
use crate::books::rules::{Book, LotId, State as BookState, WRONG_STATE as BOOK_WRONG_STATE};
use crate::books::rules_documents::LotDocument;
use crate::books::store::{self as books, Lot};
use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::days::Days;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault, Refusal};
use crate::statutes::profile::Profile;
use crate::text;
use crate::web::context::WardCalendar;
use crate::web::policy::Matter;
use crate::web::problem::NOT_FOUND;

/// The ward's days, as rules take them.
pub fn days(calendar: &WardCalendar) -> Days<'_> {
    calendar.counted()
}

/// What an event says, with what every event of its kind says besides.
pub fn joined(mut data: Value, more: Value) -> Value {
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    data
}

/// A lot of a public book, and what holds for it.
#[derive(Debug)]
pub struct Known {
    /// The lot.
    pub lot: Lot,
    /// Its book as it is now.
    pub book: Book,
    /// The rules under which it was published.
    pub profile: Profile,
    /// Every suspension of the book.
    pub suspensions: Vec<Suspension>,
}

impl Known {
    /// Whose it is to act for the buyer.
    pub fn matter(&self) -> Matter<'_> {
        Matter::of_organisation(&self.book.organisation_id)
    }

    /// What the book says of the lot.
    ///
    /// # Errors
    /// A fault if it is not in its book.
    pub fn document(&self) -> Result<&LotDocument, Fault> {
        let mut lots = self.book.content.document().lots.iter();
        let found = lots.find(|one| one.code == self.lot.code);
        found.ok_or_else(|| Fault::broken(format!("{} is not in its book", self.lot.id)))
    }

    /// Whether the purchase may go on: its book was not cancelled, and nobody has suspended it.
    ///
    /// # Errors
    /// In this order: [`BOOK_WRONG_STATE`], [`SUSPENDED`].
    pub fn may_go_on(&self, now: Instant) -> Result<(), Refusal> {
        goes_on(&self.book)?;
        runs(&self.suspensions, now)
    }

    /// How many days the book was suspended since an instant.
    pub fn suspended_since(&self, from: Instant, now: Instant) -> u32 {
        suspended_days(&self.suspensions, from, now)
    }

    /// The deadlines of one of the lot's awards.
    ///
    /// # Errors
    /// A fault of the database, or if the round that it rests on is gone.
    pub fn deadlines(
        &self,
        conn: &mut Conn,
        award: &Award,
        calendar: &WardCalendar,
        now: Instant,
    ) -> Answer<Deadlines> {
        let round = round_of(conn, award)?;
        let suspended = award
            .notice
            .as_ref()
            .map_or(0, |notice| self.suspended_since(notice.at, now));
        let facts = (round.concluded_at, suspended);
        Ok(deadlines::of_award(
            award,
            facts,
            &self.profile,
            (days(calendar), now),
        ))
    }
}

/// Refuses for a book that was cancelled. What somebody answers, gives up or notes asks for no more than this, also while the book is suspended.
///
/// # Errors
/// [`BOOK_WRONG_STATE`].
pub fn goes_on(book: &Book) -> Result<(), Refusal> {
    if book.state == BookState::Published {
        return Ok(());
    }
    let name = book.state.name();
    Err(BOOK_WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")))
}

fn runs(suspensions: &[Suspension], now: Instant) -> Result<(), Refusal> {
    if suspensions.iter().any(|one| one.runs_at(now)) {
        return Err(SUSPENDED.refuse());
    }
    Ok(())
}

/// As [`Known::may_go_on`], of a book as a whole.
///
/// # Errors
/// In this order: [`BOOK_WRONG_STATE`], [`SUSPENDED`]; a fault of the database.
pub fn may_go_on(conn: &mut Conn, book: &Book, now: Instant) -> Answer<()> {
    goes_on(book)?;
    Ok(runs(&store_complaints::suspensions_of(conn, &book.id)?, now)?)
}

/// Looks a lot of a public book up.
///
/// # Errors
/// Not found; a fault of the database.
pub fn known(conn: &mut Conn, id: &LotId) -> Answer<Known> {
    let lot = found_lot(conn, id)?;
    let book = books::book(conn, &lot.book_id)?.filter(|book| book.state.is_public());
    let book = book.ok_or_else(|| NOT_FOUND.refuse())?;
    let profile = profile_of(conn, &book)?;
    let suspensions = store_complaints::suspensions_of(conn, &book.id)?;
    Ok(Known {
        lot,
        book,
        profile,
        suspensions,
    })
}

/// The round of judging that an award rests on.
///
/// # Errors
/// A fault of the database, or if there is none.
pub fn round_of(conn: &mut Conn, award: &Award) -> Answer<Evaluation> {
    let rounds = store_evaluations::of_lot(conn, &award.lot_id)?;
    let round = rounds.into_iter().find(|round| round.id == award.evaluation_id);
    Ok(round.ok_or_else(|| Fault::broken(format!("{} rests on no round", award.id)))?)
}

/// A round as it holds now: what was disqualified since has no place in it.
///
/// # Errors
/// A fault of the database.
pub fn as_it_holds(conn: &mut Conn, round: Evaluation) -> Answer<Evaluation> {
    let out = store_admission::disqualified(conn, &round.lot_id)?;
    let places = round.places.into_iter().map(|place| Place {
        place: place.place.filter(|_| !out.contains_key(&place.bid_id)),
        ..place
    });
    Ok(Evaluation {
        places: places.collect(),
        ..round
    })
}

/// The record of a lot's opening.
///
/// # Errors
/// A fault of the database, or if there is none.
pub fn opening_of(conn: &mut Conn, lot: &LotId) -> Answer<OpeningRecord> {
    let opening = store_openings::of_lot(conn, lot)?;
    let opening = opening.ok_or_else(|| Fault::broken(format!("{lot} was never opened")))?;
    let record = serde_json::from_str(&opening.content);
    Ok(record.map_err(|error| Fault::caused(format!("the opening of {lot}"), error))?)
}

/// Whether an organisation's bid for a lot was opened.
///
/// # Errors
/// A fault of the database.
pub fn has_bid(conn: &mut Conn, lot: &LotId, supplier: &OrganisationId) -> Answer<bool> {
    let opened = store_openings::opened_suppliers(conn, lot)?;
    Ok(opened.iter().any(|(_, bidder)| bidder == supplier))
}

/// Whether an award may go on to be decided and noticed: its round is the last one and is not scored again, and its bid was not disqualified since.
///
/// # Errors
/// In this order: [`NEEDS_NEW_ROUND`], [`BLOCKED`].
pub fn still_holds(conn: &mut Conn, award: &Award) -> Answer<()> {
    let round = round_of(conn, award)?.round;
    if store_scores::round_of(conn, &award.lot_id)? > round {
        return Err(NEEDS_NEW_ROUND.refuse().into());
    }
    if is_disqualified(conn, award)? {
        return Err(BLOCKED.refuse().into());
    }
    Ok(())
}

fn is_disqualified(conn: &mut Conn, award: &Award) -> Answer<bool> {
    Ok(store_admission::disqualified(conn, &award.lot_id)?.contains_key(&award.bid_id))
}

/// Whether something keeps an award from being confirmed and signed: what was said against it, or that its bid was disqualified.
///
/// # Errors
/// A fault of the database.
pub fn is_blocked(conn: &mut Conn, award: &Award, known: &Known, now: Instant) -> Answer<bool> {
    if is_disqualified(conn, award)? {
        return Ok(true);
    }
    let challenges = store_challenges::of_award(conn, &award.id)?;
    if challenges.iter().any(|one| one.stands_against()) {
        return Ok(true);
    }
    let open = store_complaints::open_of_lot(conn, &award.lot_id)?;
    Ok(open.iter().any(|one| {
        let mut ordered = known.suspensions.iter();
        let suspension = ordered.find(|suspension| suspension.complaint_id == one.id);
        complaints::stands_against(one, suspension, now)
    }))
}

/// How far a lot has come, and its award that everybody may know of, if that has not ended.
///
/// # Errors
/// A fault of the database.
pub fn standing_of(conn: &mut Conn, lot: &Lot, state: BookState) -> Answer<(LotStanding, Option<Award>)> {
    let opening = store_openings::of_lot(conn, &lot.id)?;
    let round = store_evaluations::last_of_lot(conn, &lot.id)?;
    let awards = store_awards::of_lot(conn, &lot.id)?;
    let ordered_at = store_complaints::ordered_anew(conn, &lot.id)?;
    let is_ranked = round.is_some_and(|round| {
        round.outcome == Outcome::Ranked && ordered_at.is_none_or(|at| round.concluded_at > at)
    });
    let award = awards.into_iter().find(Award::is_standing);
    let facts = Facts {
        is_cancelled: state == BookState::Cancelled,
        opening: opening.map(|opening| opening.outcome),
        is_ranked,
        award: award.as_ref().map(|award| award.state),
        has_ended: store_endings::of_lot(conn, &lot.id)?.is_some(),
    };
    Ok((standing(facts), award.filter(Award::is_public)))
}
