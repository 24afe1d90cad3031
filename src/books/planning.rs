//! What went before a book, looked up for the rules that judge whether it may be published: its intention notice, the consultation on
//! its need, and what its buyer buys alike.

use std::collections::BTreeSet;

use crate::books::rules::{Book, BookId, State};
use crate::books::rules_consultations;
use crate::books::rules_intentions::IntentionId;
use crate::books::rules_readiness::{Intended, Planning};
use crate::books::rules_splitting::{Purchase, SplittingRule};
use crate::books::{store, store_consultations, store_intentions};
use crate::budget::rules::BudgetLineId;
use crate::budget::{store as budget, store_ledger};
use crate::db::conn::Conn;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};
use crate::statutes::codes::EVALUATION_METHODS;
use crate::statutes::profile::Profile;

/// What went before a book. A notice or record counts only if it is the same buyer's and of the book's category; a notice only if it was not
/// withdrawn.
///
/// # Errors
/// A rule that is not set; a fault of the database.
pub fn of(conn: &mut Conn, book: &Book, profile: &Profile) -> Answer<Planning> {
    let document = book.content.document();
    let consultation = match &document.consultation_id {
        Some(id) => store_consultations::consultation(conn, id)?,
        None => None,
    };
    let consultation = consultation.filter(|record| {
        record.organisation_id == book.organisation_id && record.content.category == document.category
    });
    let intended = match &document.intention_id {
        Some(id) => intended(conn, book, id)?,
        None => None,
    };
    Ok(Planning {
        intended,
        consultation_concluded: consultation
            .is_some_and(|record| record.state() == rules_consultations::State::Concluded),
        own: own(conn, book, profile)?,
        others: others(conn, book, profile)?,
    })
}

fn intended(conn: &mut Conn, book: &Book, id: &IntentionId) -> Answer<Option<Intended>> {
    let notice = store_intentions::intention(conn, id)?
        .filter(|notice| notice.organisation_id == book.organisation_id && notice.withdrawn.is_none());
    let Some(notice) = notice else { return Ok(None) };
    let (Some(version), Some(published_at)) = (&notice.current, notice.published_at) else {
        return Ok(None);
    };
    if version.content.category != book.content.document().category {
        return Ok(None);
    }
    let mut taken = Vec::new();
    for other in store::keeping_to(conn, id)? {
        if other != book.id {
            taken.push(taken_for(conn, &other)?);
        }
    }
    Ok(Some(Intended {
        published_at,
        budget: version.content.budget,
        taken: added(taken)?,
    }))
}

/// What the lots of a public book have taken of their lines: a lot that came to nothing has taken nothing.
fn taken_for(conn: &mut Conn, book: &BookId) -> Answer<Money> {
    let mut taken = Vec::new();
    for lot in store::lots_of(conn, book)? {
        taken.push(store_ledger::taken_for(conn, lot.id.as_str())?);
    }
    added(taken)
}

fn added(amounts: Vec<Money>) -> Answer<Money> {
    Ok(Money::sum(amounts).map_err(|error| Fault::caused("add purchases up", error))?)
}

/// The lots of the book itself as purchases, as far as they say what they cost and who pays.
fn own(conn: &mut Conn, book: &Book, profile: &Profile) -> Answer<Vec<Purchase>> {
    let is_open = is_open(book, profile)?;
    let mut purchases = Vec::new();
    for lot in &book.content.document().lots {
        if let (Some(line), Some(amount)) = (&lot.budget_line_id, lot.ceiling) {
            purchases.extend(purchase(conn, book, (&lot.code, line, amount), is_open)?);
        }
    }
    Ok(purchases)
}

/// What the same buyer's other public books have taken, lot by lot: of the same budget lines if those are what the statute counts by, and
/// otherwise in the same category. What is bought without a book is not known here.
fn others(conn: &mut Conn, book: &Book, profile: &Profile) -> Answer<Vec<Purchase>> {
    let document = book.content.document();
    let lines: BTreeSet<&BudgetLineId> = document
        .lots
        .iter()
        .filter_map(|lot| lot.budget_line_id.as_ref())
        .collect();
    let mut purchases = Vec::new();
    let known = if SplittingRule::of(profile)?.by_budget_line {
        store::books_on(conn, &lines)?
    } else {
        store::published_of(conn, &book.organisation_id, &document.category)?
    };
    for id in known {
        let other = store::book(conn, &id)?;
        let other = other.filter(|other| other.id != book.id && other.state == State::Published);
        let Some(other) = other else { continue };
        let is_open = is_open(&other, profile)?;
        for lot in store::lots_of(conn, &id)? {
            let amount = store_ledger::taken_for(conn, lot.id.as_str())?;
            let of = (lot.id.as_str(), &lot.budget_line_id, amount);
            purchases.extend(purchase(conn, &other, of, is_open)?);
        }
    }
    Ok(purchases)
}

fn is_open(book: &Book, profile: &Profile) -> Answer<bool> {
    let methods = profile.rule(EVALUATION_METHODS)?;
    let method = book.content.document().method;
    Ok(method.is_none_or(|method| methods.names(method.name())))
}

fn purchase(
    conn: &mut Conn,
    book: &Book,
    (matter, line, amount): (&str, &BudgetLineId, Money),
    is_open_tender: bool,
) -> Answer<Option<Purchase>> {
    let known = budget::line(conn, line)?;
    Ok(known.map(|known| Purchase {
        matter: matter.to_owned(),
        buyer: book.organisation_id.clone(),
        category: book.content.document().category.clone(),
        budget_line: line.clone(),
        fiscal_year: known.fiscal_year,
        amount,
        is_open_tender,
    }))
}
