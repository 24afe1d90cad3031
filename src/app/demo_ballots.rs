//! Asks the residents of the demo: their representatives appraise the one bid for the toilets and greens that residents keep themselves, and the residents of
//! the older estates rate the months of the contract that is served. All by the acts, each by whom it is the duty of. Whose letter is which is chance; how many vote
//! how is not.

use actix_web::web;

use crate::app::demo_judging::{chair_of, lot_of};
use crate::app::demo_plans::Plan;
use crate::app::demo_scenes::Poll;
use crate::app::demo_service::{Ward, at, contract};
use crate::app::demo_stage::{cast, community, organisation_of};
use crate::app::server::House;
use crate::award::{acts_appraisal_ballots, acts_evaluation, rules_appraisal_ballots};
use crate::ballots::acts_letters::{self, Readers};
use crate::ballots::acts_voting::{self, Given, Shown};
use crate::ballots::polling::Polling;
use crate::ballots::rules::{Ballot, Kind, State, Unit};
use crate::ballots::rules_asked::Asked;
use crate::ballots::rules_questions::{Answered, usual_question, usual_scale};
use crate::ballots::{acts_counting, acts_listings, store};
use crate::books::custody::Custody;
use crate::books::rules_ballots::BallotDocument;
use crate::contracts::acts_ratings;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_person::age_on;
use crate::registry::{rules_roll as roll, store_roll};
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;

/// How many represent the residents of Guiyuan.
const REPRESENTATIVES: usize = 60;
/// How many members of the bidder live there, and have no vote on its bid.
const MEMBERS: usize = 3;
/// The part of the representatives who have to vote, in percent: forty of sixty.
const QUORUM_PERCENT: u32 = 66;
/// The part of the residents who have to rate a month, in percent.
const RATING_QUORUM_PERCENT: u32 = 25;
/// How many representatives say what of the bid, from the best to the worst: 85.45 points.
const APPRAISED: [usize; 5] = [22, 14, 6, 2, 0];
/// Years from which on a resident may represent others.
const AGE_MIN: i32 = 18;
/// Who bids for the toilets.
const BIDDER: &str = "green.agent";
/// Where the residents live who are asked, and who keeps their roll: of Guiyuan, and of Huaiyin.
const GUIYUAN: (&str, &str) = ("990101001001", "guiyuan.registrar");
const HUAIYIN: (&str, &str) = ("990101001002", "huaiyin.registrar");

/// A call that says when alone: the rest stands in the book.
fn when(opens_at: Instant, closes_at: Instant) -> Asked {
    Asked {
        opens_at: rfc3339(opens_at),
        closes_at: rfc3339(closes_at),
        ..Asked::default()
    }
}

/// What the books say of the ratings of a month.
pub fn rating() -> BallotDocument {
    BallotDocument {
        unit: Unit::Residents,
        quorum_percent: RATING_QUORUM_PERCENT,
        may_abstain: true,
        questions: vec![usual_question()],
        scale: usual_scale(),
        approves_from: None,
    }
}

/// What the book of the toilets says of the appraisal of its bids.
pub fn appraisal() -> BallotDocument {
    BallotDocument {
        unit: Unit::Representatives,
        quorum_percent: QUORUM_PERCENT,
        may_abstain: false,
        questions: Vec::new(),
        scale: rules_appraisal_ballots::usual_scale(),
        approves_from: None,
    }
}

fn missing(what: &str) -> Fault {
    Fault::broken(format!("the demo has no such {what}"))
}

/// Where the demo's votes come in.
///
/// # Errors
/// A fault if the keys cannot be read.
pub fn polling(house: &House) -> Answer<Polling> {
    let custody = Custody::open(&house.settings.keys_dir())?;
    Ok(house.polling(web::Data::new(custody)))
}

fn of_lot(conn: &mut Conn, plan: &Plan) -> Answer<Option<Ballot>> {
    let (_, lot) = lot_of(conn, plan)?;
    store::of_matter(conn, Kind::Appraisal, lot.id.as_str(), 1)
}

/// The registrar lists who represents the residents, and who of them belongs to the bidder.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn represent(tx: &mut Tx<'_>, plan: &Plan, calendar: &WardCalendar) -> Answer<()> {
    let (code, registrar) = GUIYUAN;
    let (area, registrar) = (community(tx, code)?, cast(tx, registrar)?);
    if of_lot(tx.conn(), plan)?.is_some() {
        tx.nothing_to_change();
        return Ok(());
    }
    let bidder = organisation_of(&cast(tx, BIDDER)?)?;
    let today = local_date(tx.now(), calendar.zone);
    let residents = store_roll::roll(tx.conn(), &area)?.residents;
    let adults = residents
        .iter()
        .filter(|resident| roll::on_roll(resident).is_ok_and(|one| age_on(one.birth_date, today) >= AGE_MIN));
    for (place, resident) in adults.take(MEMBERS.saturating_add(REPRESENTATIVES)).enumerate() {
        let of = (place < MEMBERS).then_some(&bidder);
        acts_listings::list(tx, &registrar, &area, (&resident.id, of))?;
    }
    Ok(())
}

/// The officer asks the representatives about the bid, unless they were asked.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn ask(
    tx: &mut Tx<'_>,
    (plan, polling): (&Plan, &Polling),
    (opens_at, closes_at): (Instant, Instant),
    calendar: &WardCalendar,
) -> Answer<()> {
    if of_lot(tx.conn(), plan)?.is_some() {
        tx.nothing_to_change();
        return Ok(());
    }
    let (_, lot) = lot_of(tx.conn(), plan)?;
    let officer = cast(tx, plan.office.officer)?;
    let asked = when(opens_at, closes_at);
    acts_appraisal_ballots::call(tx, &officer, polling, &lot.id, (&asked, calendar))?;
    Ok(())
}

/// The registrar hands letters to all representatives, and most of them vote.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn appraise(tx: &mut Tx<'_>, plan: &Plan, polling: &Polling) -> Answer<()> {
    let ballot = of_lot(tx.conn(), plan)?.ok_or_else(|| missing("ballot"))?;
    if ballot.state(tx.now()) != State::Open {
        tx.nothing_to_change();
        return Ok(());
    }
    vote(tx, polling, (&ballot, GUIYUAN), APPRAISED)
}

/// So many of those who have letters say what, from the best of the scale to the worst, of each question.
fn vote(
    tx: &mut Tx<'_>,
    polling: &Polling,
    (ballot, (code, registrar)): (&Ballot, (&str, &str)),
    counts: [usize; 5],
) -> Answer<()> {
    let (area, registrar) = (community(tx, code)?, cast(tx, registrar)?);
    let printed = acts_letters::print(tx, &registrar, polling, (&area, &ballot.id), &Readers::Everyone)?;
    let choices = ballot
        .terms
        .scale
        .iter()
        .zip(counts)
        .flat_map(|(choice, count)| std::iter::repeat_n(&choice.code, count));
    for (letter, choice) in printed.letters.into_iter().zip(choices) {
        let answer = |question: &crate::ballots::rules::Question| Answered {
            question: question.code.clone(),
            choice: choice.clone(),
        };
        let answers: Vec<Answered> = ballot.terms.questions.iter().map(answer).collect();
        let shown = Shown::Code(letter.codes.typed);
        let given = Given {
            answers: &answers,
            nonce: None,
        };
        acts_voting::cast(tx, &Actor::public(), polling, &shown, given)?;
    }
    Ok(())
}

/// The votes are counted, and the chair concludes by them, unless that was done.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn decide(tx: &mut Tx<'_>, plan: &Plan, polling: &Polling) -> Answer<()> {
    let (book, lot) = lot_of(tx.conn(), plan)?;
    if crate::award::store_evaluations::last_of_lot(tx.conn(), &lot.id)?.is_some() {
        tx.nothing_to_change();
        return Ok(());
    }
    let ballot = of_lot(tx.conn(), plan)?.ok_or_else(|| missing("ballot"))?;
    if ballot.state(tx.now()) == State::Closed {
        acts_counting::count(tx, polling, &ballot.id)?;
    }
    let chair = chair_of(tx, &book)?;
    acts_evaluation::conclude(tx, &chair, &lot.id).map(drop)
}

/// A step of the rating of a month.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn rate(tx: &mut Tx<'_>, ward: &Ward, (period, step): (i64, &Poll)) -> Answer<()> {
    let id = contract(tx.conn())?.id;
    if let Poll::Call { opens, closes } = step {
        let officer = cast(tx, "officer")?;
        let asked = when(at(*opens), at(*closes));
        let about = (&id, period);
        acts_ratings::call(tx, &officer, ward.polling(), about, (&asked, ward.calendar()))?;
        return Ok(());
    }
    let ballot = store::of_matter(tx.conn(), Kind::Rating, id.as_str(), period)?;
    let ballot = ballot.ok_or_else(|| missing("rating"))?;
    match step {
        Poll::Call { .. } => Ok(()),
        Poll::Vote(counts) => vote(tx, ward.polling(), (&ballot, HUAIYIN), *counts),
        // A server that runs meanwhile may have been faster.
        Poll::Count if ballot.state(tx.now()) == State::Closed => {
            acts_counting::count(tx, ward.polling(), &ballot.id).map(drop)
        }
        Poll::Count => Ok(()),
    }
}
