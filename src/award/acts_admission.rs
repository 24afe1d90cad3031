//! The examination of a lot's bids: begun by the buyer, who decides who is eligible; what is offered is decided by the panel, whose chair
//! records what its majority found. Each function is one transaction's worth of work, permission first, event last. Public parts of events
//! say that something was decided and never by whom of the panel.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::acts_panels::{tell, title};
use crate::award::acts_seats::seated;
use crate::award::desk::{Known, goes_on, known};
use crate::award::rules_admission::{
    ADMISSION_CLOSED, ADMISSION_DECIDED_BY_RULE, ADMISSION_DECIDED_TOO_OFTEN, ADMISSION_NO_DISSENT,
    ADMISSION_NOT_BEGUN, ADMISSION_NOT_OPENED, BID_DISQUALIFIED, DECIDED_AT_ONCE_MAX, DECISIONS_MAX,
    Decision, Disqualification, Dissent, Examined, ExaminedItem, Ground, REASON_LENGTH_MAX, Side,
};
use crate::award::rules_checklist::{Sources, examined};
use crate::award::rules_panel::{MemberState, PANEL_DISCLOSED, PANEL_NOT_CHAIR, said};
use crate::award::{store_admission as store, store_evaluations, store_panels};
use crate::bids::acts_opened;
use crate::bids::rules::BidId;
use crate::bids::rules_opening::{OpeningRecord, Outcome};
use crate::bids::rules_responses::indicator_codes;
use crate::bids::{store_openings, store_securities};
use crate::books::rules::LotId;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault, Refusal};
use crate::kernel::text::Text;
use crate::outbox::content::{BidDisqualified, Content};
use crate::outbox::wording::Both;
use crate::registry::acts_organisations::account;
use crate::registry::rules_text::Form;
use crate::registry::store_contacts;
use crate::standards::rules_indicators::Line;
use crate::standards::store_versions as standards;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Securities for one lot that are looked at, at most.
const SECURITIES_MAX: i64 = 2_000;
/// Characters of a reason that a mail repeats.
const TOLD_LENGTH_MAX: usize = 500;

/// A lot of a public book, if the actor may do this with what is its buyer's.
fn of_buyer(conn: &mut Conn, actor: &Actor, action: Action, lot: &LotId) -> Answer<Known> {
    policy::allow_at_all(actor, action)?;
    let known = known(conn, lot)?;
    policy::allow(
        actor,
        action,
        Matter::of_organisation(&known.book.organisation_id),
    )?;
    Ok(known)
}

/// The account of somebody who acts.
pub(super) fn account_of(actor: &Actor) -> Answer<AccountId> {
    let id = account(actor)?.parse();
    Ok(id.map_err(|error| Fault::caused("the account that acts", error))?)
}

/// Reads and decrypts a lot's opened bids, and generates what is examined of each. Writes nothing: opened bids never change.
///
/// # Errors
/// Permission; not found; [`ADMISSION_NOT_OPENED`].
pub fn prepare(conn: &mut Conn, actor: &Actor, lot: &LotId, now: Instant) -> Answer<Vec<Examined>> {
    let known = of_buyer(conn, actor, Action::CheckEligibility, lot)?;
    let opening = store_openings::of_lot(conn, lot)?;
    let opening = opening.filter(|opening| opening.outcome == Outcome::Opened);
    let opening = opening.ok_or_else(|| ADMISSION_NOT_OPENED.refuse())?;
    let record: OpeningRecord = serde_json::from_str(&opening.content)
        .map_err(|error| Fault::caused("read the record of an opening", error))?;
    let document = known.document()?;
    let standard = match &document.standard_version_id {
        Some(id) => standards::version_of_id(conn, id)?,
        None => None,
    };
    let indicators = indicator_codes(standard.as_ref().map(|one| &one.content), document);
    let securities = store_securities::securities(conn, lot, None, None, SECURITIES_MAX)?;
    let mut bids = Vec::with_capacity(record.opened.len());
    for opened in &record.opened {
        let bid = acts_opened::document(conn, (lot, &opened.bid_id))?;
        let own = securities
            .iter()
            .filter(|one| one.supplier_id == opened.supplier_id);
        let states: Vec<_> = own.map(|one| one.state).collect();
        bids.push(examined(Sources {
            lot_id: lot,
            opened,
            document: &bid,
            book: known.book.content.document(),
            lot: document,
            indicators: &indicators,
            securities: &states,
            profile: &known.profile,
            now,
        })?);
    }
    Ok(bids)
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    lot: &LotId,
    (data, private): (Value, Value),
) -> Answer<()> {
    let event = Event {
        kind,
        subject: lot.to_string(),
        data,
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// Begins the examination of a lot with what was prepared. One that was begun before stays as it is.
///
/// # Errors
/// Permission; not found; those of [`Known::may_go_on`]; [`ADMISSION_NOT_OPENED`].
pub fn begin(tx: &mut Tx<'_>, actor: &Actor, lot: &LotId, prepared: &[Examined]) -> Answer<()> {
    let known = of_buyer(tx.conn(), actor, Action::CheckEligibility, lot)?;
    known.may_go_on(tx.now())?;
    if store::begun_at(tx.conn(), lot)?.is_some() {
        tx.nothing_to_change();
        return Ok(());
    }
    store::insert(tx, (&known.book.id, lot), prepared)?;
    let items: usize = prepared.iter().map(|bid| bid.items.len()).sum();
    let data = json!({"book_id": known.book.id, "bids": prepared.len(), "items": items});
    record(tx, actor, "admission.begun", lot, (data, Value::Null))
}

/// The bids of a lot whose examination is going on.
///
/// # Errors
/// [`ADMISSION_NOT_BEGUN`]; [`ADMISSION_CLOSED`] once the lot was judged.
pub(super) fn open(conn: &mut Conn, lot: &LotId) -> Answer<Vec<Examined>> {
    if store::begun_at(conn, lot)?.is_none() {
        return Err(ADMISSION_NOT_BEGUN.refuse().into());
    }
    if store_evaluations::last_of_lot(conn, lot)?.is_some() {
        return Err(ADMISSION_CLOSED.refuse().into());
    }
    store::examined(conn, lot)
}

/// A lot, and the actor as the chair of its panel.
///
/// # Errors
/// Permission; not found, for everybody who holds no seat; those of [`Known::may_go_on`]; a panel that cannot work yet; [`PANEL_NOT_CHAIR`].
pub(super) fn chaired(tx: &mut Tx<'_>, actor: &Actor, lot: &LotId) -> Answer<Known> {
    policy::allow_at_all(actor, Action::SitOnPanel)?;
    let now = tx.now();
    let known = known(tx.conn(), lot)?;
    let (_, panel, member) = seated(tx.conn(), actor, Action::SitOnPanel, &known.book.id)?;
    known.may_go_on(now)?;
    panel.works()?;
    if member.is_chair {
        Ok(known)
    } else {
        Err(PANEL_NOT_CHAIR.refuse().into())
    }
}

/// A decision of an item.
#[derive(Clone, Debug)]
pub struct Decide {
    /// Of which bid.
    pub bid_id: BidId,
    /// Which item.
    pub code: String,
    /// Whether the bid passes.
    pub passes: bool,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
}

fn item<'e>(bids: &'e [Examined], bid: &BidId, code: &str) -> Option<&'e ExaminedItem> {
    let bid = bids.iter().find(|one| one.bid_id == *bid)?;
    bid.items.iter().find(|item| item.code == code)
}

/// Decides items of one side: eligibility for the buyer, responsiveness for the panel. What was decided the same way before is no change.
///
/// # Errors
/// Permission; not found; those of [`Known::may_go_on`]; [`ADMISSION_NOT_BEGUN`]; [`ADMISSION_CLOSED`]; every fault of what was sent; [`ADMISSION_DECIDED_BY_RULE`];
/// [`ADMISSION_DECIDED_TOO_OFTEN`]; for the panel's side those of a panel that cannot work yet, and of whoever is not its chair.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot, side): (&LotId, Side),
    decisions: &[Decide],
) -> Answer<()> {
    match side {
        Side::Eligibility => {
            let known = of_buyer(tx.conn(), actor, Action::CheckEligibility, lot)?;
            known.may_go_on(tx.now())?;
        }
        Side::Responsiveness => {
            chaired(tx, actor, lot)?;
        }
    }
    let bids = open(tx.conn(), lot)?;
    checked(&bids, side, decisions)?;
    let (by, now) = (account_of(actor)?, tx.now());
    let mut made = Vec::new();
    for one in decisions {
        let Some(item) = item(&bids, &one.bid_id, &one.code) else {
            continue;
        };
        let reason = Line {
            zh: one.reason_zh.trim().to_owned(),
            en: one.reason_en.trim().to_owned(),
        };
        let before = item.decision();
        if before.is_some_and(|before| before.passes == one.passes && before.reason == reason) {
            continue;
        }
        let decision = Decision {
            number: before.map_or(1, |before| before.number.saturating_add(1)),
            passes: one.passes,
            reason,
            decided_by: Some(by.clone()),
            decided_at: now,
        };
        store::insert_decision(tx, (lot, &one.bid_id, &one.code), &decision)?;
        made.push(json!([one.bid_id, one.code, decision.number, one.passes]));
    }
    if made.is_empty() {
        tx.nothing_to_change();
        return Ok(());
    }
    let data = json!({"side": side.name(), "decided": made.len()});
    record(tx, actor, "admission.decided", lot, (data, Value::Array(made)))
}

fn checked(bids: &[Examined], side: Side, decisions: &[Decide]) -> Result<(), Refusal> {
    let mut form = Form::new();
    let mut seen = BTreeSet::new();
    if decisions.is_empty() || decisions.len() > DECIDED_AT_ONCE_MAX {
        let detail = crate::text!(
            "应为 1 至 {DECIDED_AT_ONCE_MAX} 项",
            "must be 1 to {DECIDED_AT_ONCE_MAX} of them"
        );
        form.object("/decisions", detail);
    }
    for (index, one) in decisions.iter().take(DECIDED_AT_ONCE_MAX).enumerate() {
        let at = |field: &str| format!("/decisions/{index}/{field}");
        form.line(&at("reason_zh"), &one.reason_zh, REASON_LENGTH_MAX);
        form.line(&at("reason_en"), &one.reason_en, REASON_LENGTH_MAX);
        if !bids.iter().any(|bid| bid.bid_id == one.bid_id) {
            let detail = Text::fixed("不是本标段的投标", "is no opened bid for this lot");
            form.object(&at("bid_id"), detail);
        } else if item(bids, &one.bid_id, &one.code).is_none_or(|item| item.side != side) {
            let detail = Text::fixed("没有由您审查的此项", "is no item that is yours to decide");
            form.object(&at("code"), detail);
        }
        if !seen.insert((&one.bid_id, one.code.as_str())) {
            form.object(&at("code"), Text::fixed("不得重复", "is there already"));
        }
    }
    form.finish(())?;
    for (index, one) in decisions.iter().enumerate() {
        let Some(item) = item(bids, &one.bid_id, &one.code) else {
            continue;
        };
        let place = format!("/decisions/{index}");
        if item.asked.by_rule.is_some() {
            return Err(ADMISSION_DECIDED_BY_RULE.refuse().at(place));
        }
        if item.decision().is_some_and(|last| last.number >= DECISIONS_MAX) {
            return Err(ADMISSION_DECIDED_TOO_OFTEN.refuse().at(place));
        }
    }
    Ok(())
}

/// A sitting member notes what they hold against a decision of the panel's.
///
/// # Errors
/// Permission; not found, for everybody who does not sit, or if there is no such item; [`ADMISSION_NOT_BEGUN`]; [`ADMISSION_CLOSED`];
/// [`ADMISSION_NO_DISSENT`]; a reason that is none.
pub fn dissent(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot, bid, code): (&LotId, &BidId, &str),
    reason: &str,
) -> Answer<()> {
    policy::allow_at_all(actor, Action::SitOnPanel)?;
    let known = known(tx.conn(), lot)?;
    let (book, _, member) = seated(tx.conn(), actor, Action::SitOnPanel, &known.book.id)?;
    goes_on(&book)?;
    if member.state != MemberState::Sitting {
        return Err(NOT_FOUND.refuse().into());
    }
    let bids = open(tx.conn(), lot)?;
    let item = item(&bids, bid, code).filter(|item| item.side == Side::Responsiveness);
    let item = item.ok_or_else(|| NOT_FOUND.refuse())?;
    let mut form = Form::new();
    let reason = said(&mut form, "/reason", reason);
    let reason = form.finish(reason)?;
    let decided = item.decision().is_some_and(|one| one.decided_by.is_some());
    let noted = item
        .dissents
        .iter()
        .any(|one| one.account_id == member.account_id);
    if !decided || noted {
        return Err(ADMISSION_NO_DISSENT.refuse().into());
    }
    let dissent = Dissent {
        account_id: member.account_id,
        reason,
        noted_at: tx.now(),
    };
    store::insert_dissent(tx, (lot, bid, code), &dissent)?;
    let private = json!({"bid_id": bid, "code": code, "reason": dissent.reason});
    record(tx, actor, "admission.dissented", lot, (json!({}), private))
}

/// Puts a bid out at any time before the result is public: false statements, collusion, and what else makes it invalid then.
///
/// # Errors
/// Permission; not found, if there is no such opened bid; a book that was cancelled; [`PANEL_DISCLOSED`] once the result is public;
/// [`BID_DISQUALIFIED`]; a reason that is none.
pub fn disqualify(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot, bid): (&LotId, &BidId),
    (ground, reason_zh, reason_en): (Ground, &str, &str),
) -> Answer<()> {
    let known = of_buyer(tx.conn(), actor, Action::DisqualifyBid, lot)?;
    goes_on(&known.book)?;
    let opened = store_openings::opened_bid(tx.conn(), lot, bid)?;
    let opened = opened.ok_or_else(|| NOT_FOUND.refuse())?;
    let mut form = Form::new();
    let reason = Line {
        zh: form.line("/reason_zh", reason_zh, REASON_LENGTH_MAX),
        en: form.line("/reason_en", reason_en, REASON_LENGTH_MAX),
    };
    let reason = form.finish(reason)?;
    let panel = store_panels::of_book(tx.conn(), &known.book.id)?;
    if panel.is_some_and(|panel| panel.disclosed_at.is_some()) {
        return Err(PANEL_DISCLOSED.refuse().into());
    }
    if store::disqualified(tx.conn(), lot)?.contains_key(bid) {
        return Err(BID_DISQUALIFIED.refuse().into());
    }
    let by = account_of(actor)?;
    let disqualification = Disqualification {
        ground,
        reason,
        at: tx.now(),
    };
    store::disqualify(tx, (lot, bid), &by, &disqualification)?;
    let reason = &disqualification.reason;
    let data =
        json!({"bid_id": bid, "ground": ground.name(), "reason_zh": reason.zh, "reason_en": reason.en});
    record(tx, actor, "bid.disqualified", lot, (data, Value::Null))?;
    let shortened = |text: &str| text.chars().take(TOLD_LENGTH_MAX).collect::<String>();
    let content = Content::from(BidDisqualified {
        book: title(&known.book),
        lot: known.lot.code.clone(),
        reason: Both::new(shortened(&reason.zh), shortened(&reason.en)),
    });
    let readers = store_contacts::acting_for(tx.conn(), &opened.supplier_id)?;
    tell(tx, readers, &format!("{bid}:disqualified"), &content, None)
}

/// Whether the actor may see how a lot's bids are examined: the buyer's people, auditors, the regulator, and who sits on the panel.
///
/// # Errors
/// Permission; not found.
pub fn readable(conn: &mut Conn, actor: &Actor, lot: &LotId) -> Answer<Known> {
    policy::allow_at_all(actor, Action::ReadAdmission)?;
    let known = known(conn, lot)?;
    let panel = store_panels::of_book(conn, &known.book.id)?;
    let sits = panel.is_some_and(|panel| {
        let seat = actor.id().and_then(|id| panel.seat_of(id));
        seat.is_some_and(|member| member.state == MemberState::Sitting)
    });
    let matter = Matter {
        organisation: Some(&known.book.organisation_id),
        account: actor.id().filter(|_| sits),
        ..Matter::default()
    };
    // To whoever has no part in it there is nothing to see.
    if policy::allows(actor, Action::ReadAdmission, matter) {
        Ok(known)
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// What an opened bid says, for a member of the panel who has declared to have no interest.
///
/// # Errors
/// Permission; not found, for everybody who does not sit.
pub fn judged_bid(
    conn: &mut Conn,
    actor: &Actor,
    (lot, bid): (&LotId, &BidId),
) -> Answer<crate::bids::rules_document::BidDocument> {
    policy::allow_at_all(actor, Action::ReadJudgedBids)?;
    let known = known(conn, lot)?;
    let (_, _, member) = seated(conn, actor, Action::ReadJudgedBids, &known.book.id)?;
    if member.state != MemberState::Sitting {
        return Err(NOT_FOUND.refuse().into());
    }
    acts_opened::document(conn, (lot, bid))
}
