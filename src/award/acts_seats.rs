//! What is done on the seats of panels: declarations of interest, stepping back, the election of the chair; and the end of secrecy. Each
//! function is one transaction's worth of work, permission first, event last.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::award::acts_panels::{Pool, bidders, fill, found, panel_of, record, secret, tell, title};
use crate::award::desk::{goes_on, may_go_on};
use crate::award::rules_draw::{self, DrawRecord, FORMAT, MemberRecord, PanelRecord};
use crate::award::rules_panel::{
    Interest, Member, MemberKind, MemberState, PANEL_DECLARED, PANEL_NO_SEAT, Panel, declared, elected,
    may_chair, said,
};
use crate::award::store_panels as store;
use crate::books::acts::profile_of;
use crate::books::rules::{Book, BookId};
use crate::books::store as books;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox::content::{Content, PanelLeft};
use crate::registry::acts_organisations::capacity;
use crate::registry::rules_text::Form;
use crate::registry::store_contacts;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Characters of a reason that a mail repeats.
const TOLD_LENGTH_MAX: usize = 500;

/// A public book, its panel, and the seat that the actor holds on it. To everybody else there is no panel.
///
/// # Errors
/// Permission; not found.
pub fn seated(conn: &mut Conn, actor: &Actor, action: Action, id: &BookId) -> Answer<(Book, Panel, Member)> {
    policy::allow_at_all(actor, action)?;
    let not_found = || NOT_FOUND.refuse();
    let account = actor.id().ok_or_else(not_found)?;
    let book = books::book(conn, id)?.filter(|book| book.state.is_public());
    let book = book.ok_or_else(not_found)?;
    let panel = panel_of(conn, id)?;
    let member = panel.seat_of(account).cloned().ok_or_else(not_found)?;
    policy::allow(actor, action, Matter::of_account(account))?;
    Ok((book, panel, member))
}

/// The same, for what changes the panel. A suspension of the book keeps nobody from stepping back.
fn acting(tx: &mut Tx<'_>, actor: &Actor, id: &BookId) -> Answer<(Book, Panel, Member)> {
    let (book, _, member) = seated(tx.conn(), actor, Action::SitOnPanel, id)?;
    goes_on(&book)?;
    let panel = secret(tx.conn(), id)?;
    Ok((book, panel, member))
}

/// Takes a member's declaration: without an interest they sit from now on, with one they step back and the next in the order is called. Who
/// sits and learns of an interest later declares it then, also while the book is suspended; nobody takes a seat as long as it is.
///
/// # Errors
/// Permission; not found, for everybody who holds no seat; a book that was cancelled; [`PANEL_DISCLOSED`](crate::award::rules_panel::PANEL_DISCLOSED);
/// without an interest, a book that is suspended; [`PANEL_DECLARED`]; those of [`declared`]; duties that are kept apart.
pub fn declare(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BookId,
    interests: Vec<Interest>,
    zone: Tz,
) -> Answer<Member> {
    let (book, _, member) = acting(tx, actor, id)?;
    let now = tx.now();
    if interests.is_empty() {
        may_go_on(tx.conn(), &book, now)?;
    }
    let profile = profile_of(tx.conn(), &book)?;
    let bidders = bidders(tx.conn(), id)?;
    let interests = declared(interests, &bidders, &profile)?;
    let seat = member.seat;
    if interests.is_empty() {
        if member.state == MemberState::Sitting {
            return Err(PANEL_DECLARED.refuse().into());
        }
        let matter = Matter {
            account: actor.id(),
            ..Matter::default()
        };
        let capacity = capacity(actor, Action::SitOnPanel, matter);
        duties::undertake(tx, actor, capacity, Duty::Judge, id.as_str())?;
        let sitting = Member {
            state: MemberState::Sitting,
            declared_at: Some(now),
            ..member
        };
        store::update_member(tx, id, &sitting)?;
        let data = json!({"seat": seat, "steps_back": false});
        record(tx, actor, "panel.declared", id, data, Value::Null)?;
        return Ok(sitting);
    }
    let gone = Member {
        state: MemberState::SteppedBack,
        // Who sat until now had declared before.
        declared_at: member.declared_at.or(Some(now)),
        ended_at: Some(now),
        interests,
        is_chair: false,
        ..member
    };
    store::update_member(tx, id, &gone)?;
    let private = json!({"interests": gone.interests});
    let data = json!({"seat": seat, "steps_back": true});
    record(tx, actor, "panel.declared", id, data, private)?;
    refill(tx, &book, zone)?;
    Ok(gone)
}

fn refill(tx: &mut Tx<'_>, book: &Book, zone: Tz) -> Answer<()> {
    let (now, profile) = (tx.now(), profile_of(tx.conn(), book)?);
    let pool = Pool::of(tx.conn(), book, &profile, (now, zone))?;
    fill(tx, book, &pool)
}

/// A member does not accept, or cannot go on: the next in the order is called.
///
/// # Errors
/// Permission; not found, for everybody who holds no seat; a book that was cancelled; a panel that is public; a reason that is none.
pub fn decline(tx: &mut Tx<'_>, actor: &Actor, id: &BookId, reason: &str, zone: Tz) -> Answer<Member> {
    let (book, _, member) = acting(tx, actor, id)?;
    let mut form = Form::new();
    let reason = said(&mut form, "/reason", reason);
    let reason = form.finish(reason)?;
    let gone = leave(tx, id, member, MemberState::Declined, reason)?;
    let data = json!({"seat": gone.seat});
    record(
        tx,
        actor,
        "panel.declined",
        id,
        data,
        json!({"reason": gone.reason}),
    )?;
    refill(tx, &book, zone)?;
    Ok(gone)
}

fn leave(tx: &mut Tx<'_>, id: &BookId, member: Member, state: MemberState, reason: String) -> Answer<Member> {
    let gone = Member {
        state,
        ended_at: Some(tx.now()),
        reason: Some(reason),
        is_chair: false,
        ..member
    };
    store::update_member(tx, id, &gone)?;
    Ok(gone)
}

/// The buyer records that whoever holds a seat did not come, without learning who that is: the next in the order is called. The member is told,
/// so that nobody is got rid of unnoticed.
///
/// # Errors
/// Permission; not found; a book that was cancelled or is suspended; a panel that is public; [`PANEL_NO_SEAT`] for a seat that nobody holds; a reason that is none.
pub fn absent(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BookId,
    (seat, reason): (i64, &str),
    zone: Tz,
) -> Answer<Panel> {
    let book = found(tx.conn(), actor, Action::RunPanel, id)?;
    let now = tx.now();
    may_go_on(tx.conn(), &book, now)?;
    let panel = secret(tx.conn(), id)?;
    let mut form = Form::new();
    let reason = said(&mut form, "/reason", reason);
    let reason = form.finish(reason)?;
    let member = panel.holder(seat).cloned();
    let member = member.ok_or_else(|| PANEL_NO_SEAT.refuse().at("/seat"))?;
    let gone = leave(tx, id, member, MemberState::Absent, reason.clone())?;
    let private = json!({"account_id": gone.account_id, "reason": reason});
    record(tx, actor, "panel.absent", id, json!({"seat": seat}), private)?;
    let reader = store_contacts::account(tx.conn(), gone.account_id.as_str())?;
    let content = Content::from(PanelLeft {
        book: title(&book),
        reason: reason.chars().take(TOLD_LENGTH_MAX).collect(),
    });
    let key = format!("{id}:panel:left");
    tell(tx, reader.into_iter().collect(), &key, &content, None)?;
    refill(tx, &book, zone)?;
    panel_of(tx.conn(), id)
}

/// A member says whom they want in the chair. Whoever more than half of the seats want has it.
///
/// # Errors
/// Permission; not found, for everybody who holds no seat; a book that was cancelled; a panel that is public; a book that is suspended; those of
/// [`may_chair`].
pub fn vote(tx: &mut Tx<'_>, actor: &Actor, id: &BookId, candidate: &AccountId) -> Answer<Panel> {
    let (book, panel, member) = acting(tx, actor, id)?;
    let now = tx.now();
    may_go_on(tx.conn(), &book, now)?;
    let profile = profile_of(tx.conn(), &book)?;
    may_chair(&panel, candidate, &profile)?;
    if member.vote.as_ref() == Some(candidate) {
        tx.nothing_to_change();
        return Ok(panel);
    }
    let voter = Member {
        vote: Some(candidate.clone()),
        ..member
    };
    store::update_member(tx, id, &voter)?;
    let panel = panel_of(tx.conn(), id)?;
    let private = json!({"vote": candidate});
    record(tx, actor, "panel.voted", id, json!({"seat": voter.seat}), private)?;
    let Some(chair) = elected(&panel) else {
        return Ok(panel);
    };
    let chair = panel.seat_of(chair.as_str()).cloned();
    let chair = Member {
        is_chair: true,
        ..chair.ok_or_else(|| Fault::broken("a chair who does not sit was elected"))?
    };
    store::update_member(tx, id, &chair)?;
    let private = json!({"account_id": chair.account_id});
    let data = json!({"seat": chair.seat});
    record(tx, &Actor::system(), "panel.chair_elected", id, data, private)?;
    panel_of(tx.conn(), id)
}

/// Publishes who sat on a book's panel, and how it was drawn, with the seeds. A part of the act that publishes the result of the last of the
/// book's lots: as long as one of them is judged, its panel stays secret. A book without a panel, or whose panel is public, stays as it is.
///
/// # Errors
/// A fault of the database, or of a record that is too long.
pub fn disclose(tx: &mut Tx<'_>, actor: &Actor, id: &BookId) -> Answer<Option<[u8; 32]>> {
    let Some(panel) = store::of_book(tx.conn(), id)?.filter(|panel| panel.disclosed_at.is_none()) else {
        return Ok(None);
    };
    let content = record_of(tx.conn(), &panel)?.written()?;
    let sha256 = store::disclose(tx, id, &content)?;
    let seeds: Vec<String> = panel.draws.iter().map(|draw| hex::encode(draw.seed)).collect();
    let data = json!({"sha256": hex::encode(sha256), "seeds": seeds});
    record(tx, actor, "panel.disclosed", id, data, Value::Null)?;
    Ok(Some(sha256))
}

fn record_of(conn: &mut Conn, panel: &Panel) -> Answer<PanelRecord> {
    let draws = panel.draws.iter().map(|draw| DrawRecord {
        number: draw.number,
        drawn_at: rfc3339(draw.drawn_at),
        seed: hex::encode(draw.seed),
        seed_sha256: hex::encode(rules_draw::commitment(&draw.seed)),
        candidates: draw.candidates.clone(),
        candidates_sha256: hex::encode(rules_draw::candidates_sha256(&draw.candidates)),
    });
    let draws = draws.collect();
    let mut members = Vec::with_capacity(panel.members.len());
    for member in &panel.members {
        let sat = member.sat();
        let name = match sat {
            Some(_) => store_contacts::name(conn, member.account_id.as_str())?,
            None => None,
        };
        members.push(MemberRecord {
            seat: member.seat,
            account_id: member.account_id.clone(),
            name,
            kind: member.kind,
            draw: member.drawn.map(|(draw, _)| draw),
            place: member.drawn.map(|(_, place)| place),
            state: member.state,
            sat_from: sat.map(|(from, _)| rfc3339(from)),
            sat_until: sat.and_then(|(_, until)| until).map(rfc3339),
            is_chair: member.is_chair,
        });
    }
    members.sort_by_key(|one| (one.kind == MemberKind::Buyer, one.draw, one.place, one.seat));
    Ok(PanelRecord {
        format: FORMAT.to_owned(),
        book_id: panel.book_id.clone(),
        size: panel.size,
        experts: panel.experts,
        draws,
        members,
    })
}
