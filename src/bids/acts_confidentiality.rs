//! What of opened bids everybody sees, and the buyer's decisions about what bidders want to be kept from the public.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::bids::acts::lot;
use crate::bids::acts_documents::{Handed, handed};
use crate::bids::acts_opened::{NamedBid, document_of_opened};
use crate::bids::acts_securities::profile_of;
use crate::bids::rules_confidentiality::{Decision, Judgement, decided, kept, lies_within};
use crate::bids::rules_document::BidDocument;
use crate::bids::store_openings::{self, Readable};
use crate::bids::{store_confidentiality as store, store_openings as openings};
use crate::books::store as books;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox;
use crate::outbox::content::ConfidentialityDecided;
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::registry::acts_organisations::account;
use crate::registry::store_contacts;
use crate::statutes::codes::DISPUTES_CHALLENGE_FILING_WORKING_DAYS_MAX;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// An opened bid, as far as its confidentiality goes.
pub struct Shown {
    /// The bid.
    pub of: NamedBid,
    /// Whose, and which version.
    pub opened: Readable,
    /// What it says, all of it.
    pub document: BidDocument,
    /// The decisions on its marks.
    pub decisions: Vec<Decision>,
    /// The places that everybody may not see now.
    pub places: Vec<String>,
    /// Its documents that everybody may see, each with its file once it was handed in.
    pub files: Vec<Handed>,
}

/// What everybody sees of an opened bid at that instant.
///
/// # Errors
/// Not found, if no bid of that name was opened.
pub fn shown(conn: &mut Conn, of: NamedBid, now: Instant) -> Answer<Shown> {
    let opened = store_openings::opened_bid(conn, &of.lot, &of.bid)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let document = document_of_opened(conn, &of.bid, &opened)?;
    let decisions = store::of_bid(conn, &of.bid)?;
    let places = kept(&document, &decisions, now);
    let files = handed(conn, &of.bid, document.clone())?;
    let seen = |(index, _): &(usize, Handed)| !lies_within(&format!("/documents/{index}"), &places);
    let files = files
        .into_iter()
        .enumerate()
        .filter(seen)
        .map(|(_, one)| one)
        .collect();
    Ok(Shown {
        of,
        opened,
        document,
        decisions,
        places,
        files,
    })
}

/// Whether everybody may have a file that was handed in with a bid, known by its hash.
///
/// # Errors
/// A fault of the database.
pub fn is_file_public(conn: &mut Conn, of: NamedBid, sha256: &str, now: Instant) -> Answer<bool> {
    let shown = shown(conn, of, now)?;
    Ok(shown.files.iter().any(|(document, _)| document.sha256 == sha256))
}

/// Decides about marks of an opened bid. What is not kept becomes public when the bidder's time to challenge the decision is over.
///
/// # Errors
/// In this order: permission; not found; a rule that is not set; those of [`decided`], and a calendar that does not reach so far.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    of: NamedBid,
    judgements: Vec<Judgement>,
    calendar: &WardCalendar,
) -> Answer<Shown> {
    policy::allow_at_all(actor, Action::DecideConfidentiality)?;
    let now = tx.now();
    let before = shown(tx.conn(), of, now)?;
    let lot = lot(tx.conn(), &before.of.lot)?;
    let buyer = books::buyer_of(tx.conn(), &lot.book_id)?;
    policy::allow(
        actor,
        Action::DecideConfidentiality,
        Matter::of_organisation(&buyer),
    )?;
    let profile = profile_of(tx.conn(), &lot)?;
    let days = calendar.counted();
    let window = profile.rule(DISPUTES_CHALLENGE_FILING_WORKING_DAYS_MAX)?.0;
    let last = days.working(days.day(now), window);
    let public_from = last.and_then(|last| days.over(last));
    let by = account(actor)?.parse();
    let by = by.map_err(|error| Fault::caused("an account that decides about a bid", error))?;
    let held = (&before.document, before.decisions.as_slice());
    let decisions = decided(held, judgements, &by, (now, public_from))?;
    if decisions.is_empty() {
        tx.nothing_to_change();
        return Ok(before);
    }
    for decision in &decisions {
        store::insert(tx, &before.of, decision)?;
    }
    record(tx, actor, &before.of, &decisions)?;
    tell(tx, &before, &decisions)?;
    shown(tx.conn(), before.of, now)
}

fn record(tx: &mut Tx<'_>, actor: &Actor, of: &NamedBid, decisions: &[Decision]) -> Answer<()> {
    let told: Vec<Value> = decisions
        .iter()
        .map(|one| {
            json!({
                "mark": one.mark, "is_accepted": one.is_accepted, "reason": one.reason, "public_from": one.public_from.map(rfc3339),
            })
        })
        .collect();
    let event = Event {
        kind: "bid.confidentiality_decided",
        subject: of.bid.to_string(),
        data: json!({ "lot_id": of.lot, "decisions": told }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// Tells whoever acts for the bidder.
fn tell(tx: &mut Tx<'_>, before: &Shown, decisions: &[Decision]) -> Answer<()> {
    let NamedBid { lot, bid } = &before.of;
    let opening =
        openings::of_lot(tx.conn(), lot)?.ok_or_else(|| Fault::broken(format!("{lot} was not opened")))?;
    let book = books::book(tx.conn(), &opening.book_id)?;
    let book = book.ok_or_else(|| Fault::broken(format!("{lot} has no book")))?;
    let said = book.content.document();
    let content = ConfidentialityDecided {
        book: Both::new(said.title_zh.trim(), said.title_en.trim()),
        accepted: decisions.iter().filter(|one| one.is_accepted).count(),
        refused: decisions.iter().filter(|one| !one.is_accepted).count(),
        public_from: decisions.iter().find_map(|one| one.public_from),
        path: format!("/api/v1/lots/{lot}/opened-bids/{bid}/public-view"),
    };
    let numbers = decisions
        .iter()
        .map(|one| format!("{}.{}", one.mark, one.ordinal));
    let numbers = numbers.collect::<Vec<_>>().join("-");
    let key = crate::bids::rules::hash(numbers.as_bytes());
    let key = hex::encode(key);
    let key = key.get(..16).unwrap_or_default();
    for reader in store_contacts::acting_for(tx.conn(), &before.opened.supplier_id)? {
        let account = reader.account_id.clone().unwrap_or_default();
        let notice = Notice::new(
            format!("{bid}:confidentiality:{key}:{account}"),
            reader,
            content.clone(),
        );
        outbox::store::enqueue(tx, &notice)?;
    }
    Ok(())
}
