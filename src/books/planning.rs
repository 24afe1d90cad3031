//! What went before a book, looked up for the rules that judge whether it may be published: its intention notice, the consultation on
//! its need, and what its buyer buys alike.

use std::collections::BTreeSet;

use crate::books::rules::{Book, State};
use crate::books::rules_consultations;
use crate::books::rules_readiness::Planning;
use crate::books::{store, store_consultations, store_intentions};
use crate::budget::rules::BudgetLineId;
use crate::db::conn::Conn;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};
use crate::statutes::codes::EVALUATION_METHODS;
use crate::statutes::profile::Profile;

/// What went before a book. A notice or record counts only if it is the same buyer's; a notice only if it is of the book's
/// category and was not withdrawn.
///
/// # Errors
/// A rule that is not set; a fault of the database.
pub fn of(conn: &mut Conn, book: &Book, profile: &Profile) -> Answer<Planning> {
    let document = book.content.document();
    let intention = match &document.intention_id {
        Some(id) => store_intentions::intention(conn, id)?,
        None => None,
    };
    let intention = intention
        .filter(|notice| notice.organisation_id == book.organisation_id && notice.withdrawn.is_none())
        .filter(|notice| {
            let told = notice.current.as_ref();
            told.is_some_and(|version| version.content.category == document.category)
        });
    let consultation = match &document.consultation_id {
        Some(id) => store_consultations::consultation(conn, id)?,
        None => None,
    };
    let consultation = consultation.filter(|record| record.organisation_id == book.organisation_id);
    Ok(Planning {
        intention_published_at: intention.and_then(|notice| notice.published_at),
        consultation_concluded: consultation
            .is_some_and(|record| record.state() == rules_consultations::State::Concluded),
        spent_alike: spent_alike(conn, book, profile)?,
    })
}

/// The ceilings of the same buyer's other books of the category that are public and not tendered openly, as far as they are on the same
/// budget lines, which are of one fiscal year each. What is bought without a book is not known here.
fn spent_alike(conn: &mut Conn, book: &Book, profile: &Profile) -> Answer<Money> {
    let document = book.content.document();
    let lines: BTreeSet<&BudgetLineId> = document
        .lots
        .iter()
        .filter_map(|lot| lot.budget_line_id.as_ref())
        .collect();
    let open = profile.rule(EVALUATION_METHODS)?;
    let mut alike = Vec::new();
    for id in store::books_on(conn, &lines)? {
        let Some(other) = store::book(conn, &id)? else {
            continue;
        };
        let said = other.content.document();
        let is_open = said.method.is_none_or(|method| open.names(method.name()));
        let counts = other.id != book.id
            && other.state == State::Published
            && other.organisation_id == book.organisation_id
            && said.category == document.category
            && !is_open;
        if counts {
            let on_them = said.lots.iter().filter(|lot| {
                lot.budget_line_id
                    .as_ref()
                    .is_some_and(|line| lines.contains(line))
            });
            alike.extend(on_them.filter_map(|lot| lot.ceiling));
        }
    }
    Ok(Money::sum(alike).map_err(|error| Fault::caused("add up what is bought alike", error))?)
}
