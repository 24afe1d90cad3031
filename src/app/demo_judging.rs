//! Lets the bids for some books of the demo be judged: the regulator keeps a pool of experts, panels are drawn from it and declare, what is
//! offered is examined and scored. All by the acts; whatever was done before is left as it is.

use crate::app::demo_cast::EXPERTS;
use crate::app::demo_marks::{self, BY_MEMBERS, BY_RESIDENTS, Marks};
use crate::app::demo_plans::Plan;
use crate::app::demo_stage::{acting, acting_as, cast, organisation_of};
use crate::app::server::House;
use crate::app::{demo_books, demo_files};
use crate::award::acts_admission::{self, Decide};
use crate::award::acts_evaluation::{self, Recorded};
use crate::award::acts_panels::{self, Request};
use crate::award::rules_admission::{Examined, Side};
use crate::award::rules_experts::Entered;
use crate::award::rules_panel::{Panel, sitting};
use crate::award::rules_scores::{BidScores, CriterionScore};
use crate::award::{acts_experts, acts_scores, acts_seats};
use crate::award::{store_admission, store_evaluations, store_experts, store_panels};
use crate::bids::rules::BidId;
use crate::bids::store_openings;
use crate::books::rules::Book;
use crate::books::store::{self as books, Lot};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files;
use crate::files::acts::Upload;
use crate::files::media::MediaType;
use crate::files::rules::Limits;
use crate::kernel::calendar::local_date;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::score::Score;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;

/// How many sit on a panel.
const SEATS: u32 = 5;
/// How many representatives a meeting has, and how many came.
const MEETING: (u32, u32) = (60, 44);
/// Why something that is examined passes.
const PASSES: (&str, &str) = ("经审查符合要求", "It was looked at and is as the book asks");

fn missing(what: &str) -> Fault {
    Fault::broken(format!("the demo has no {what}"))
}

fn account(actor: &Actor) -> Answer<AccountId> {
    let id = actor.id().ok_or_else(|| missing("account"))?.parse();
    Ok(id.map_err(|error| Fault::caused("an account of the demo", error))?)
}

/// The regulator puts the experts into the pool, unless they are there.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn list_experts(tx: &mut Tx<'_>) -> Answer<()> {
    let regulator = cast(tx, "regulator")?;
    let mut listed = 0_usize;
    for (expert, categories) in &EXPERTS {
        let id = account(&cast(tx, expert.name)?)?;
        if store_experts::expert(tx.conn(), &id)?.is_some() {
            continue;
        }
        let entered = Entered {
            categories: categories.iter().map(|code| (*code).to_owned()).collect(),
            employers: Vec::new(),
            unavailable_until: None,
        };
        acts_experts::add(tx, &regulator, &id, entered)?;
        listed = listed.saturating_add(1);
    }
    if listed == 0 {
        tx.nothing_to_change();
    }
    Ok(())
}

/// The book of a plan and its lot.
pub(super) fn lot_of(conn: &mut Conn, plan: &Plan) -> Answer<(Book, Lot)> {
    let book = demo_books::public(conn, plan)?.ok_or_else(|| missing("book"))?;
    let lot = books::lots_of(conn, &book.id)?.into_iter().next();
    Ok((book, lot.ok_or_else(|| missing("lot"))?))
}

fn panel_of(tx: &mut Tx<'_>, book: &Book) -> Answer<Panel> {
    let panel = store_panels::of_book(tx.conn(), &book.id)?;
    Ok(panel.ok_or_else(|| missing("panel"))?)
}

/// Those who sit, in the order of their seats.
fn members(tx: &mut Tx<'_>, panel: &Panel) -> Answer<Vec<Actor>> {
    let mut seats: Vec<_> = sitting(panel).collect();
    seats.sort_by_key(|member| member.seat);
    let now = tx.now();
    let acting = seats
        .into_iter()
        .map(|member| acting_as(tx.conn(), member.account_id.as_str(), now));
    acting.collect()
}

/// Draws the panel of a book; whoever is called declares to have no interest, and they elect whoever has the first seat.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn seat(tx: &mut Tx<'_>, plan: &Plan, zone: chrono_tz::Tz) -> Answer<()> {
    let (book, _) = lot_of(tx.conn(), plan)?;
    if store_panels::of_book(tx.conn(), &book.id)?.is_some() {
        tx.nothing_to_change();
        return Ok(());
    }
    let approver = cast(tx, plan.office.approver)?;
    let request = Request {
        size: SEATS,
        buyer_members: Vec::new(),
        has_large_impact: false,
    };
    let now = tx.now();
    let drawn = acts_panels::draw(tx, &approver, &book.id, &request, zone)?;
    for member in &drawn.members {
        let member = acting_as(tx.conn(), member.account_id.as_str(), now)?;
        acts_seats::declare(tx, &member, &book.id, Vec::new(), zone)?;
    }
    let panel = panel_of(tx, &book)?;
    let members = members(tx, &panel)?;
    let chair = members.first().ok_or_else(|| missing("member of a panel"))?;
    let chair = account(chair)?;
    // More than half of the seats elect; when they have, there is nothing to vote for.
    for member in members.iter().take(members.len().div_euclid(2).saturating_add(1)) {
        acts_seats::vote(tx, member, &book.id, &chair)?;
    }
    Ok(())
}

/// The buyer begins the examination of the bids for a book; if it is to be decided, the buyer and the chair find that all of them pass.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn examine(house: &House, plan: &'static Plan, is_decided: bool) -> Answer<()> {
    let context = &house.context;
    let now = context.clock.now();
    let prepared = context.db.read_primary_and_wait(|conn| {
        let (_, lot) = lot_of(conn, plan)?;
        if store_admission::begun_at(conn, &lot.id)?.is_some() {
            return Ok(None);
        }
        let officer = acting(conn, plan.office.officer, now)?;
        acts_admission::prepare(conn, &officer, &lot.id, now).map(Some)
    })?;
    let Some(prepared) = prepared else {
        return Ok(());
    };
    context.db.write_and_wait(move |tx| {
        let (book, lot) = lot_of(tx.conn(), plan)?;
        let officer = cast(tx, plan.office.officer)?;
        acts_admission::begin(tx, &officer, &lot.id, &prepared)?;
        if !is_decided {
            return Ok(());
        }
        let eligible = passed(&prepared, Side::Eligibility);
        acts_admission::decide(tx, &officer, (&lot.id, Side::Eligibility), &eligible)?;
        let chair = chair_of(tx, &book)?;
        let responsive = passed(&prepared, Side::Responsiveness);
        acts_admission::decide(tx, &chair, (&lot.id, Side::Responsiveness), &responsive)
    })
}

/// Who has the chair of a book's panel.
pub(super) fn chair_of(tx: &mut Tx<'_>, book: &Book) -> Answer<Actor> {
    let panel = panel_of(tx, book)?;
    let chair = panel.chair().ok_or_else(|| missing("chair"))?;
    let now = tx.now();
    acting_as(tx.conn(), chair.account_id.as_str(), now)
}

/// Everything of a side that no rule decides, as passed.
fn passed(bids: &[Examined], side: Side) -> Vec<Decide> {
    let items = bids
        .iter()
        .flat_map(|bid| bid.items.iter().map(move |item| (bid, item)));
    let open = items.filter(|(_, item)| item.side == side && item.asked.by_rule.is_none());
    let decide = |(bid, item): (&Examined, &crate::award::rules_admission::ExaminedItem)| Decide {
        bid_id: bid.bid_id.clone(),
        code: item.code.clone(),
        passes: true,
        reason_zh: PASSES.0.to_owned(),
        reason_en: PASSES.1.to_owned(),
    };
    open.map(decide).collect()
}

/// Members score, residents appraise, and the chair concludes, unless that was done.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn score(house: &House, plan: &'static Plan) -> Answer<()> {
    let db = &house.context.db;
    let is_concluded = db.read_primary_and_wait(|conn| {
        let (_, lot) = lot_of(conn, plan)?;
        Ok(store_evaluations::last_of_lot(conn, &lot.id)?.is_some())
    })?;
    if is_concluded {
        return Ok(());
    }
    let minutes = demo_files::appraisal(plan, MEETING);
    let minutes = demo_files::shelve(house, "评议记录.pdf", MediaType::Pdf, &minutes)?;
    let (limits, zone) = (house.files.limits.clone(), house.context.calendar.zone);
    db.write_and_wait(move |tx| {
        let (book, lot) = lot_of(tx.conn(), plan)?;
        let bids = bids_of(tx, plan, &lot)?;
        let panel = panel_of(tx, &book)?;
        for (seat, member) in members(tx, &panel)?.iter().enumerate() {
            let sheet = sheet(&bids, seat)?;
            acts_scores::save(tx, member, (&lot.id, None), &sheet)?;
            acts_scores::hand_in(tx, member, &lot.id, Expected::Any)?;
        }
        appraise(tx, plan, (&lot, &bids), (&minutes, &limits, zone))?;
        let chair = chair_of(tx, &book)?;
        acts_evaluation::conclude(tx, &chair, &lot.id).map(drop)
    })
}

type Marked = (BidId, &'static Marks);

/// The bids for a lot with what they are given.
fn bids_of(tx: &mut Tx<'_>, plan: &Plan, lot: &Lot) -> Answer<Vec<Marked>> {
    let opened = store_openings::opened_suppliers(tx.conn(), &lot.id)?;
    let mut bids = Vec::with_capacity(opened.len());
    for marks in demo_marks::of(plan) {
        let supplier = organisation_of(&cast(tx, marks.by)?)?;
        let mut all = opened.iter();
        let found = all.find(|(_, bidder)| *bidder == supplier);
        let (bid, _) = found.ok_or_else(|| missing("bid"))?;
        bids.push((bid.clone(), marks));
    }
    Ok(bids)
}

fn given(code: &str, points: &str) -> Answer<CriterionScore> {
    let score: Result<Score, _> = points.parse();
    Ok(CriterionScore {
        code: code.to_owned(),
        score: score.map_err(|error| Fault::caused("points of the demo", error))?,
    })
}

/// What the member on a seat gives, counted from 0.
fn sheet(bids: &[Marked], seat: usize) -> Answer<Vec<BidScores>> {
    let of_bid = |(bid, marks): &Marked| {
        let points = marks.members.get(seat).ok_or_else(|| missing("marks"))?;
        let criteria = BY_MEMBERS.iter().zip(points);
        let criteria: Answer<Vec<_>> = criteria.map(|(code, points)| given(code, points)).collect();
        Ok(BidScores {
            bid_id: bid.clone(),
            criteria: criteria?,
        })
    };
    bids.iter().map(of_bid).collect()
}

/// An officer records what the meeting gave, the approver confirms it.
fn appraise(
    tx: &mut Tx<'_>,
    plan: &Plan,
    (lot, bids): (&Lot, &[Marked]),
    (minutes, limits, zone): (&Upload, &Limits, chrono_tz::Tz),
) -> Answer<()> {
    let (officer, approver) = (cast(tx, plan.office.officer)?, cast(tx, plan.office.approver)?);
    let uploaded = files::acts::upload(tx, &officer, minutes, limits)?;
    let of_bid = |(bid, marks): &Marked| -> Answer<BidScores> {
        Ok(BidScores {
            bid_id: bid.clone(),
            criteria: vec![given(BY_RESIDENTS, marks.residents)?],
        })
    };
    let points: Answer<Vec<_>> = bids.iter().map(of_bid).collect();
    let recorded = Recorded {
        held_on: local_date(tx.now(), zone),
        eligible: MEETING.0,
        present: MEETING.1,
        minutes: uploaded.attachment.id,
        points: points?,
    };
    acts_evaluation::record_appraisal(tx, &officer, (&lot.id, None, zone), &recorded)?;
    acts_evaluation::confirm_appraisal(tx, &approver, &lot.id, Expected::Any)?;
    Ok(())
}
