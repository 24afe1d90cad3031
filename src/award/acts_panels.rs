//! The drawing of panels: each function is one transaction's worth of work, permission first, event last.
//!
//! A panel is drawn after the opening and not before: who has bid is only known then, and nobody who has to do with a bidder may be drawn
//! (条例 art 9). A panel is drawn once. Whoever falls out is followed by the next in the same order, so that nobody can draw until they like
//! what comes out; only when everybody drawn was called, and a seat is still free, those who have come into the pool since are drawn from.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::desk::may_go_on;
use crate::award::rules_draw::{self, DRAWS_MAX};
use crate::award::rules_experts::{Against, EXPERTS_MAX, Expert, Standing, Unfit, unfit};
use crate::award::rules_panel::{
    BuyersMember, Composition, Draw, Member, MemberKind, MemberState, PANEL_DISCLOSED, PANEL_EXISTS,
    PANEL_NO_SEAT, PANEL_POOL_TOO_SMALL, PANEL_STILL_CALLING, PANEL_TOO_EARLY, Panel, composed, named,
    waiting,
};
use crate::award::{store_experts, store_panels};
use crate::bids::rules_opening::Outcome;
use crate::bids::store_openings;
use crate::books::acts::profile_of;
use crate::books::rules::{Book, BookId};
use crate::books::store as books;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::{Duty, may_undertake};
use crate::duties::store as duties;
use crate::kernel::clock::Instant;
use crate::kernel::id;
use crate::kernel::local_day::local_date;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox;
use crate::outbox::content::{Content, PanelCalled, PanelIncomplete};
use crate::outbox::notice::{Notice, Recipient};
use crate::outbox::wording::Both;
use crate::registry::store_contacts;
use crate::statutes::codes;
use crate::statutes::profile::Profile;
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter, Role};
use crate::web::problem::NOT_FOUND;

/// What a buyer asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Seats.
    pub size: u32,
    /// Who sits for the buyer.
    pub buyer_members: Vec<AccountId>,
    /// Whether the impact of the book on society is large.
    pub has_large_impact: bool,
}

/// A public book, if the actor may do this with what is its buyer's.
///
/// # Errors
/// Permission; not found.
pub(super) fn found(conn: &mut Conn, actor: &Actor, action: Action, id: &BookId) -> Answer<Book> {
    policy::allow_at_all(actor, action)?;
    let book = books::book(conn, id)?.filter(|book| book.state.is_public());
    let book = book.ok_or_else(|| NOT_FOUND.refuse())?;
    policy::allow(actor, action, Matter::of_organisation(&book.organisation_id))?;
    Ok(book)
}

/// Everybody whose bid for any lot of a book was opened; nobody before the opening.
pub(super) fn bidders(conn: &mut Conn, book: &BookId) -> Answer<Vec<OrganisationId>> {
    let mut found = Vec::new();
    for opening in store_openings::of_book(conn, book)? {
        if opening.outcome == Outcome::Opened {
            found.extend(store_openings::bidders(conn, &opening.lot_id)?);
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// What candidates for a book's panel are held against, with what has to be looked up for it.
pub(super) struct Pool {
    buyer: OrganisationId,
    bidders: Vec<OrganisationId>,
    category: String,
    today: chrono::NaiveDate,
    recusal_years: u32,
    duties: Vec<(String, Duty)>,
}

impl Pool {
    /// What is to be looked up of a book.
    pub(super) fn of(
        conn: &mut Conn,
        book: &Book,
        profile: &Profile,
        (now, zone): (Instant, Tz),
    ) -> Answer<Self> {
        let document = book.content.document();
        let mut done = duties::done_on(conn, book.id.as_str())?;
        if let Some(consultation) = &document.consultation_id {
            let of_consultation = duties::done_on(conn, consultation.as_str())?;
            done.extend(of_consultation.into_iter().filter(|one| one.duty == Duty::Review));
        }
        Ok(Self {
            buyer: book.organisation_id.clone(),
            bidders: bidders(conn, &book.id)?,
            category: document.category.clone(),
            today: local_date(now, zone),
            recusal_years: profile.rule(codes::TENDER_RECUSAL_YEARS)?.0,
            duties: done.into_iter().map(|one| (one.person, one.duty)).collect(),
        })
    }

    fn duties_of(&self, account: &AccountId) -> Vec<Duty> {
        let own = self
            .duties
            .iter()
            .filter(|(person, _)| person == account.as_str());
        own.map(|(_, duty)| *duty).collect()
    }

    /// What stands against each of these, in their order.
    fn judged(&self, conn: &mut Conn, experts: &[Expert]) -> Answer<Vec<Option<Unfit>>> {
        let ids: Vec<AccountId> = experts.iter().map(|one| one.account_id.clone()).collect();
        let evaluators = store_experts::evaluators(conn, &ids)?;
        let mut organisations = self.bidders.clone();
        organisations.push(self.buyer.clone());
        let acting = store_experts::acting_for(conn, &ids, &organisations)?;
        let against = Against {
            category: &self.category,
            buyer: &self.buyer,
            bidders: &self.bidders,
            today: self.today,
            recusal_years: self.recusal_years,
        };
        let judge = |expert: &Expert| {
            let own = acting.iter().filter(|(account, _)| *account == expert.account_id);
            let standing = Standing {
                is_evaluator: evaluators.contains(&expert.account_id),
                organisations: own.map(|(_, organisation)| organisation.clone()).collect(),
                duties: self.duties_of(&expert.account_id),
            };
            unfit(expert, &standing, against)
        };
        Ok(experts.iter().map(judge).collect())
    }

    /// Everybody of the pool who can be drawn now, but for those who were drawn or named before.
    fn candidates(&self, conn: &mut Conn, but: &[&AccountId]) -> Answer<Vec<AccountId>> {
        let experts = store_experts::listed(conn, Some(&self.category), None, EXPERTS_MAX)?;
        let judged = self.judged(conn, &experts)?;
        let mut fit: Vec<AccountId> = experts
            .into_iter()
            .zip(judged)
            .filter(|(expert, unfit)| unfit.is_none() && !but.contains(&&expert.account_id))
            .map(|(expert, _)| expert.account_id)
            .collect();
        fit.sort();
        Ok(fit)
    }

    /// What stands by now against somebody who was drawn.
    fn stands_against(&self, conn: &mut Conn, account: &AccountId) -> Answer<Option<Unfit>> {
        let Some(expert) = store_experts::expert(conn, account)? else {
            return Ok(Some(Unfit::NotInPool));
        };
        Ok(self.judged(conn, &[expert])?.into_iter().next().flatten())
    }

    /// Whether somebody can sit for the buyer.
    fn named(&self, conn: &mut Conn, account: &AccountId, was_called: bool, pointer: &str) -> Answer<()> {
        let acting = |role| store_contacts::holds(conn, account, &self.buyer, role);
        let roles = [Role::BuyerOfficer, Role::BuyerApprover];
        let acts_for_buyer = roles.into_iter().map(acting).collect::<Answer<Vec<bool>>>()?;
        let of = std::slice::from_ref(account);
        let facts = BuyersMember {
            acts_for_buyer: acts_for_buyer.contains(&true),
            acts_for_bidder: !store_experts::acting_for(conn, of, &self.bidders)?.is_empty(),
            did_duty: may_undertake(Duty::Judge, &self.duties_of(account)).is_err(),
            was_called,
        };
        Ok(named(facts, pointer)?)
    }
}

/// What the lots of a book may cost at most, together.
fn budget(book: &Book) -> Answer<Money> {
    let lots = book.content.document().lots.iter();
    let sum = Money::sum(lots.filter_map(|lot| lot.ceiling));
    Ok(sum.map_err(|error| Fault::caused("the ceilings of a book", error))?)
}

/// Draws the panel of a book, and calls whoever comes first to the experts' seats; the buyer's members are called to the others.
///
/// # Errors
/// Permission; not found; a book that was cancelled or is suspended; [`PANEL_EXISTS`]; [`PANEL_TOO_EARLY`]; those of [`composed`] and [`named`];
/// [`PANEL_POOL_TOO_SMALL`].
pub fn draw(tx: &mut Tx<'_>, actor: &Actor, id: &BookId, request: &Request, zone: Tz) -> Answer<Panel> {
    let book = found(tx.conn(), actor, Action::DrawPanel, id)?;
    let now = tx.now();
    may_go_on(tx.conn(), &book, now)?;
    if store_panels::of_book(tx.conn(), id)?.is_some() {
        return Err(PANEL_EXISTS.refuse().into());
    }
    let profile = profile_of(tx.conn(), &book)?;
    let pool = Pool::of(tx.conn(), &book, &profile, (now, zone))?;
    if pool.bidders.is_empty() {
        return Err(PANEL_TOO_EARLY.refuse().into());
    }
    let buyers = u32::try_from(request.buyer_members.len()).unwrap_or(u32::MAX);
    let asked = Composition {
        size: request.size,
        buyers,
        budget: budget(&book)?,
        has_large_impact: request.has_large_impact,
    };
    composed(asked, &profile)?;
    for (index, member) in request.buyer_members.iter().enumerate() {
        let before = request.buyer_members.get(..index).unwrap_or_default();
        let pointer = format!("/buyer_members/{index}");
        pool.named(tx.conn(), member, before.contains(member), &pointer)?;
    }
    let experts = i64::from(request.size.saturating_sub(buyers));
    let panel = Panel {
        book_id: id.clone(),
        size: i64::from(request.size),
        experts,
        has_large_impact: request.has_large_impact,
        requested_at: now,
        disclosed_at: None,
        draws: Vec::new(),
        members: Vec::new(),
    };
    store_panels::insert(tx, &panel)?;
    let (draw, candidates) = make_draw(tx, &pool, (&panel, &request.buyer_members), 1, experts)?;
    for (seat, account) in (experts.saturating_add(1)..).zip(&request.buyer_members) {
        let member = called((account.clone(), seat), MemberKind::Buyer, None, now);
        store_panels::insert_member(tx, id, &member)?;
        tell_called(tx, &book, &member)?;
    }
    let data = json!({
        "size": panel.size,
        "experts": panel.experts,
        "has_large_impact": panel.has_large_impact,
        "draw": told(&draw, candidates),
    });
    let private = json!({"buyer_members": request.buyer_members});
    record(tx, actor, "panel.drawn", id, data, private)?;
    fill(tx, &book, &pool)?;
    panel_of(tx.conn(), id)
}

fn make_draw(
    tx: &mut Tx<'_>,
    pool: &Pool,
    (panel, named): (&Panel, &[AccountId]),
    number: i64,
    needed: i64,
) -> Answer<(Draw, usize)> {
    let mut but: Vec<&AccountId> = named.iter().collect();
    but.extend(panel.members.iter().map(|member| &member.account_id));
    but.extend(panel.draws.iter().flat_map(|draw| &draw.candidates));
    let candidates = pool.candidates(tx.conn(), &but)?;
    let count = candidates.len();
    if i64::try_from(count).unwrap_or(i64::MAX) < needed {
        return Err(PANEL_POOL_TOO_SMALL
            .because(text!(
                "需 {needed} 名，可抽取 {count} 名",
                "{needed} are needed, and {count} can be drawn"
            ))
            .into());
    }
    let draw = Draw {
        number,
        seed: id::random()?,
        candidates,
        drawn_at: tx.now(),
    };
    store_panels::insert_draw(tx, &panel.book_id, &draw)?;
    Ok((draw, count))
}

/// What the log tells of a draw: by these hashes seed and candidates are known when they are published.
fn told(draw: &Draw, candidates: usize) -> Value {
    json!({
        "number": draw.number,
        "candidates": candidates,
        "seed_sha256": hex::encode(rules_draw::commitment(&draw.seed)),
        "candidates_sha256": hex::encode(rules_draw::candidates_sha256(&draw.candidates)),
    })
}

/// The event of something that happened to a panel. Its public part never says who.
pub(super) fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    book: &BookId,
    data: Value,
    private: Value,
) -> Answer<()> {
    let event = Event {
        kind,
        subject: book.to_string(),
        data,
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// The panel of a book that has one.
pub(super) fn panel_of(conn: &mut Conn, id: &BookId) -> Answer<Panel> {
    let panel = store_panels::of_book(conn, id)?;
    Ok(panel.ok_or_else(|| NOT_FOUND.refuse())?)
}

fn called(
    (account_id, seat): (AccountId, i64),
    kind: MemberKind,
    drawn: Option<(i64, i64)>,
    now: Instant,
) -> Member {
    Member {
        account_id,
        seat,
        kind,
        drawn,
        state: MemberState::Called,
        called_at: now,
        declared_at: None,
        interests: Vec::new(),
        ended_at: None,
        reason: None,
        vote: None,
        is_chair: false,
    }
}

/// Calls whoever comes next in the order of the draw to each free seat of the experts. Who cannot be called any more is passed over, and that
/// is recorded. Tells the buyer if nobody is left and a seat stays free.
pub(super) fn fill(tx: &mut Tx<'_>, book: &Book, pool: &Pool) -> Answer<()> {
    let now = tx.now();
    let panel = panel_of(tx.conn(), &book.id)?;
    let mut next = waiting(&panel).into_iter();
    for seat in panel.free(MemberKind::Expert) {
        loop {
            let Some((draw, place, account)) = next.next() else {
                return tell_incomplete(tx, book);
            };
            let mut member = called((account, seat), MemberKind::Expert, Some((draw, place)), now);
            if let Some(unfit) = pool.stands_against(tx.conn(), &member.account_id)? {
                member.state = MemberState::PassedOver;
                member.ended_at = Some(now);
                member.reason = Some(unfit.name().to_owned());
                store_panels::insert_member(tx, &book.id, &member)?;
                continue;
            }
            store_panels::insert_member(tx, &book.id, &member)?;
            tell_called(tx, book, &member)?;
            break;
        }
    }
    if !panel.free(MemberKind::Buyer).is_empty() {
        tell_incomplete(tx, book)?;
    }
    Ok(())
}

/// The title of a book, as mails have it.
pub(super) fn title(book: &Book) -> Both {
    let document = book.content.document();
    Both::new(&document.title_zh, &document.title_en)
}

/// Tells readers something once for each `key`.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    readers: Vec<Recipient>,
    key: &str,
    content: &Content,
    until: Option<Instant>,
) -> Answer<()> {
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let mut notice = Notice::new(format!("{key}:{account}"), reader, content.clone());
        if let Some(until) = until {
            notice = notice.useful_until(until);
        }
        outbox::store::enqueue(tx, &notice)?;
    }
    Ok(())
}

fn tell_called(tx: &mut Tx<'_>, book: &Book, member: &Member) -> Answer<()> {
    let reader = store_contacts::account(tx.conn(), member.account_id.as_str())?;
    let content = Content::from(PanelCalled {
        book: title(book),
        for_buyer: member.kind == MemberKind::Buyer,
        path: format!("/api/v1/contract-books/{}/panel", book.id),
    });
    let key = format!("{}:panel:called", book.id);
    tell(tx, reader.into_iter().collect(), &key, &content, None)
}

fn tell_incomplete(tx: &mut Tx<'_>, book: &Book) -> Answer<()> {
    let panel = panel_of(tx.conn(), &book.id)?;
    let content = Content::from(PanelIncomplete {
        book: title(book),
        path: format!("/api/v1/contract-books/{}/panel", book.id),
    });
    // Once for each time that somebody has fallen out.
    let key = format!("{}:panel:incomplete:{}", book.id, panel.members.len());
    let approvers = store_contacts::people(tx.conn(), &book.organisation_id, Role::BuyerApprover)?;
    tell(tx, approvers, &key, &content, None)
}

/// A panel that still changes.
pub(super) fn secret(conn: &mut Conn, id: &BookId) -> Answer<Panel> {
    let panel = panel_of(conn, id)?;
    if panel.disclosed_at.is_some() {
        return Err(PANEL_DISCLOSED.refuse().into());
    }
    Ok(panel)
}

/// Draws from those who have come into the pool since, when everybody drawn was called and experts' seats are still free.
///
/// # Errors
/// Permission; not found; a book that was cancelled or is suspended; [`PANEL_DISCLOSED`]; [`PANEL_STILL_CALLING`]; [`PANEL_POOL_TOO_SMALL`].
pub fn draw_again(tx: &mut Tx<'_>, actor: &Actor, id: &BookId, zone: Tz) -> Answer<Panel> {
    let book = found(tx.conn(), actor, Action::DrawPanel, id)?;
    let now = tx.now();
    may_go_on(tx.conn(), &book, now)?;
    let panel = secret(tx.conn(), id)?;
    let free = panel.free(MemberKind::Expert).len();
    let number = i64::try_from(panel.draws.len())
        .unwrap_or(DRAWS_MAX)
        .saturating_add(1);
    if free == 0 || !waiting(&panel).is_empty() || number > DRAWS_MAX {
        return Err(PANEL_STILL_CALLING.refuse().into());
    }
    let profile = profile_of(tx.conn(), &book)?;
    let pool = Pool::of(tx.conn(), &book, &profile, (now, zone))?;
    let needed = i64::try_from(free).unwrap_or(i64::MAX);
    let (draw, candidates) = make_draw(tx, &pool, (&panel, &[]), number, needed)?;
    let data = json!({"draw": told(&draw, candidates)});
    record(tx, actor, "panel.drawn_again", id, data, Value::Null)?;
    fill(tx, &book, &pool)?;
    panel_of(tx.conn(), id)
}

/// Calls somebody else of the buyer's to the first of its seats that is free.
///
/// # Errors
/// Permission; not found; a book that was cancelled or is suspended; [`PANEL_DISCLOSED`]; [`PANEL_NO_SEAT`]; those of [`named`].
pub fn name_member(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BookId,
    account: &AccountId,
    zone: Tz,
) -> Answer<Panel> {
    let book = found(tx.conn(), actor, Action::DrawPanel, id)?;
    let now = tx.now();
    may_go_on(tx.conn(), &book, now)?;
    let panel = secret(tx.conn(), id)?;
    let free = panel.free(MemberKind::Buyer).into_iter().next();
    let seat = free.ok_or_else(|| PANEL_NO_SEAT.refuse())?;
    let profile = profile_of(tx.conn(), &book)?;
    let pool = Pool::of(tx.conn(), &book, &profile, (now, zone))?;
    let was_called = panel.member(account.as_str()).is_some();
    pool.named(tx.conn(), account, was_called, "/account_id")?;
    let member = called((account.clone(), seat), MemberKind::Buyer, None, now);
    store_panels::insert_member(tx, id, &member)?;
    let private = json!({"account_id": account});
    record(
        tx,
        actor,
        "panel.member_named",
        id,
        json!({"seat": seat}),
        private,
    )?;
    tell_called(tx, &book, &member)?;
    panel_of(tx.conn(), id)
}
