//! How panels are shown, to each what is theirs to see: before the result the buyer sees how far the seats are, a member sees their own and,
//! once everybody sits, the others; auditors see all. What is shown is decided here once.

use serde::Serialize;
use utoipa::ToSchema;

use crate::award::rules_draw;
use crate::award::rules_panel::{Interest, Member, MemberKind, MemberState, Panel};
use crate::award::store_panels;
use crate::books::rules::{Book, BookId};
use crate::books::store as books;
use crate::db::conn::Conn;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Answer;
use crate::registry::store_contacts;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A seat of a panel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PanelSeat, example = json!({"seat": 1, "kind": "expert", "state": "called", "is_chair": false, "is_own": true, "account_id": "user_01jd3n8f5teqkrzvq1c0m6h2ax", "name": "沈知行"}))]
pub struct SeatView {
    /// Which one, from 1; the experts' come first.
    pub seat: i64,
    /// Whose it is.
    pub kind: MemberKind,
    /// How far whoever was called to it is; `null` if it is free.
    pub state: Option<MemberState>,
    /// Whether they have the chair.
    pub is_chair: bool,
    /// Whether it is yours.
    pub is_own: bool,
    /// Who it is; `null` where you may not know.
    pub account_id: Option<AccountId>,
    /// Their name; `null` where you may not know.
    pub name: Option<String>,
}

/// A draw, before its seed is public.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PanelDraw, example = json!({"number": 1, "drawn_at": "2026-04-01T02:00:00.000000Z", "candidates": 9, "seed_sha256": "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925", "candidates_sha256": "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"}))]
pub struct DrawView {
    /// Counts the draws, from 1.
    pub number: i64,
    /// When, UTC.
    pub drawn_at: String,
    /// How many could be drawn.
    pub candidates: usize,
    /// SHA-256 of the seed, as the log has it.
    pub seed_sha256: String,
    /// SHA-256 of the candidates, as the log has it.
    pub candidates_sha256: String,
}

/// What became of somebody who was called; for auditors.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PanelCall, example = json!({
    "seat": 1, "account_id": "user_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "sitting", "called_at": "2026-04-01T02:00:00.000000Z",
    "declared_at": "2026-04-01T03:00:00.000000Z", "interests": [], "ended_at": null, "reason": null
}))]
pub struct CallView {
    /// To which seat.
    pub seat: i64,
    /// Who.
    pub account_id: AccountId,
    /// What became of it.
    pub state: MemberState,
    /// When they were called, UTC.
    pub called_at: String,
    /// When they declared, UTC.
    pub declared_at: Option<String>,
    /// Which interests.
    pub interests: Vec<Interest>,
    /// When they stopped holding the seat, UTC.
    pub ended_at: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

impl From<&Member> for CallView {
    fn from(member: &Member) -> Self {
        Self {
            seat: member.seat,
            account_id: member.account_id.clone(),
            state: member.state,
            called_at: rfc3339(member.called_at),
            declared_at: member.declared_at.map(rfc3339),
            interests: member.interests.clone(),
            ended_at: member.ended_at.map(rfc3339),
            reason: member.reason.clone(),
        }
    }
}

/// The panel of a book, as far as you may see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Panel, example = json!({
    "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "size": 5, "experts": 4, "has_large_impact": false, "is_complete": false,
    "requested_at": "2026-04-01T02:00:00.000000Z", "disclosed_at": null, "record_sha256": null, "draws": [],
    "seats": [{"seat": 1, "kind": "expert", "state": "called", "is_chair": false, "is_own": false, "account_id": null, "name": null}], "calls": null
}))]
pub struct PanelView {
    /// The book.
    pub book_id: BookId,
    /// Seats.
    pub size: i64,
    /// How many of them are experts'.
    pub experts: i64,
    /// Whether its impact on society is large.
    pub has_large_impact: bool,
    /// Whether somebody sits on every seat.
    pub is_complete: bool,
    /// When it was drawn first, UTC.
    pub requested_at: String,
    /// When its names became public, UTC; its record is there from then on.
    pub disclosed_at: Option<String>,
    /// SHA-256 of that record, as the log has it.
    pub record_sha256: Option<String>,
    /// The draws.
    #[schema(max_items = 9)]
    pub draws: Vec<DrawView>,
    /// The seats.
    #[schema(max_items = 99)]
    pub seats: Vec<SeatView>,
    /// Everybody who was called, for auditors; `null` for everybody else.
    #[schema(max_items = 10_000)]
    pub calls: Option<Vec<CallView>>,
}

/// What somebody may see of a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sight {
    /// All that there is.
    everything: bool,
    /// Who holds the seats.
    holders: bool,
    /// How far the seats are, and who sits for the buyer.
    progress: bool,
}

fn sight(actor: &Actor, book: &Book, panel: &Panel) -> Sight {
    let own = actor.id().and_then(|id| panel.seat_of(id));
    let is_member = own.is_some_and(|member| member.state == MemberState::Sitting);
    let matter = Matter::of_organisation(&book.organisation_id);
    let everything = policy::allows(actor, Action::OpenPanelNames, Matter::default());
    Sight {
        everything,
        holders: everything || panel.disclosed_at.is_some() || (is_member && panel.is_complete()),
        progress: everything
            || panel.disclosed_at.is_some()
            || own.is_some()
            || policy::allows(actor, Action::OpenPanel, matter),
    }
}

/// The panel of a public book, as far as the actor may see it.
///
/// # Errors
/// Not found, to whoever may see nothing of it.
pub fn shown(conn: &mut Conn, actor: &Actor, id: &BookId) -> Answer<PanelView> {
    let not_found = || NOT_FOUND.refuse();
    let book = books::book(conn, id)?.filter(|book| book.state.is_public());
    let book = book.ok_or_else(not_found)?;
    let panel = store_panels::of_book(conn, id)?.ok_or_else(not_found)?;
    let sight = sight(actor, &book, &panel);
    if !sight.progress {
        return Err(not_found().into());
    }
    let buys = policy::allows(
        actor,
        Action::OpenPanel,
        Matter::of_organisation(&book.organisation_id),
    );
    let disclosed = store_panels::disclosed(conn, id)?;
    let mut seats = Vec::new();
    for seat in 1..=panel.size {
        seats.push(seat_view(conn, actor, &panel, (seat, sight, buys))?);
    }
    Ok(PanelView {
        book_id: panel.book_id.clone(),
        size: panel.size,
        experts: panel.experts,
        has_large_impact: panel.has_large_impact,
        is_complete: panel.is_complete(),
        requested_at: rfc3339(panel.requested_at),
        disclosed_at: panel.disclosed_at.map(rfc3339),
        record_sha256: disclosed.map(|one| hex::encode(one.sha256)),
        draws: panel
            .draws
            .iter()
            .map(|draw| DrawView {
                number: draw.number,
                drawn_at: rfc3339(draw.drawn_at),
                candidates: draw.candidates.len(),
                seed_sha256: hex::encode(rules_draw::commitment(&draw.seed)),
                candidates_sha256: hex::encode(rules_draw::candidates_sha256(&draw.candidates)),
            })
            .collect(),
        seats,
        calls: sight
            .everything
            .then(|| panel.members.iter().map(CallView::from).collect()),
    })
}

fn seat_view(
    conn: &mut Conn,
    actor: &Actor,
    panel: &Panel,
    (seat, sight, buys): (i64, Sight, bool),
) -> Answer<SeatView> {
    let kind = panel.kind_of(seat);
    let holder = panel.holder(seat);
    let is_own = holder.is_some_and(|member| Some(member.account_id.as_str()) == actor.id());
    // Whom the buyer named, the buyer knows.
    let is_known = is_own || sight.holders || (buys && kind == MemberKind::Buyer);
    let known = holder.filter(|_| is_known);
    let name = match known {
        Some(member) => store_contacts::name(conn, member.account_id.as_str())?,
        None => None,
    };
    Ok(SeatView {
        seat,
        kind,
        state: holder.map(|member| member.state),
        is_chair: holder.is_some_and(|member| member.is_chair),
        is_own,
        account_id: known.map(|member| member.account_id.clone()),
        name,
    })
}
