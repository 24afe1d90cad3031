//! What the acts and queries about acceptances look up, and what whoever pays a period asks: whether it is accepted, since when, how, and how much of it is
//! undisputed.

use crate::books::rules_documents::SourceKind;
use crate::contracts::acts_periods;
use crate::contracts::desk::{self, Signed};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptance_findings::{self as findings, Demands, Inspected};
use crate::contracts::rules_acceptance_standing::{Standing, standing};
use crate::contracts::rules_acceptances::{self as rules, Acceptance, AcceptanceId};
use crate::contracts::rules_acceptances_document::{
    BasisDocument, GradeDocument, RatingDocument, ScoreDocument,
};
use crate::contracts::rules_contests::as_they_hold;
use crate::contracts::rules_inspections::INSPECTIONS_MAX;
use crate::contracts::rules_periods::{Period, Span};
use crate::contracts::rules_source_scores::{SourceScore, State as ScoreState};
use crate::contracts::rules_triggers::total;
use crate::contracts::store_inspections::InspectionFilter;
use crate::contracts::{store_acceptances as store, store_contests, store_inspections};
use crate::db::conn::Conn;
use crate::files::access::Access;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::Answer;
use crate::kernel::score::Score;
use crate::statutes::codes::{
    ACCEPTANCE_EACH_STANDARD_COVERED, ACCEPTANCE_GRADES, ACCEPTANCE_OPINION_RECORDED,
    ACCEPTANCE_SERVED_PEOPLE_INVITED,
};
use crate::statutes::profile::Profile;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;

/// An acceptance with its contract.
pub struct Seen {
    /// The contract.
    pub signed: Signed,
    /// The acceptance.
    pub acceptance: Acceptance,
}

impl Seen {
    /// Whether somebody sees what is the buyer's before it is signed, and who was invited: its own people, and auditors.
    pub fn is_drafters(&self, actor: &Actor) -> bool {
        policy::allows(actor, Action::OpenAcceptances, self.signed.of_buyer())
    }
}

/// An acceptance of that id. That there is one, and what came of it, is public.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, id: &AcceptanceId) -> Answer<Seen> {
    let acceptance = store::acceptance(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let signed = desk::signed(conn, &acceptance.contract_id)?;
    Ok(Seen { signed, acceptance })
}

/// The days of a period that can be accepted now.
///
/// # Errors
/// Those of [`rules::acceptable`].
pub(super) fn acceptable(
    signed: &Signed,
    period: &Period,
    (calendar, now): (&WardCalendar, Instant),
) -> Answer<Span> {
    let today = local_date(now, calendar.zone);
    let ended = signed.contract.since.terminated_on;
    Ok(rules::acceptable(period.span, ended, today)?)
}

/// What a certificate rests on, as it is now.
pub struct Prefilled {
    /// What inspections say of each indicator.
    pub bases: Vec<BasisDocument>,
    /// What the period scores, by source.
    pub scores: Vec<ScoreDocument>,
    /// What it scores in all, where everything is settled.
    pub score: Option<Score>,
    /// The grade of that.
    pub grade: Option<GradeDocument>,
    /// What the residents' rating gave.
    pub rating: Option<RatingDocument>,
}

/// What a certificate of a period rests on.
///
/// # Errors
/// Not found; a rule that is not set; a fault of the database or of arithmetic.
pub fn prefilled(
    conn: &mut Conn,
    id: &ContractId,
    number: i64,
    at: (&WardCalendar, Instant),
) -> Answer<Prefilled> {
    let (signed, found) = acts_periods::scores(conn, id, number, at)?;
    let sources = &signed.document.lot.score_sources;
    let score = total(&signed.document.lot, &found)?;
    let grades = signed.profile.rule(ACCEPTANCE_GRADES)?;
    let indicators = signed.indicators(conn)?.indicators;
    let scores = findings::scores(sources, &found);
    Ok(Prefilled {
        bases: findings::bases(&indicators, &inspected(conn, id, number)?),
        rating: known_rating(&scores, &found),
        scores,
        grade: score.and_then(|score| findings::grade(&grades, score)),
        score,
    })
}

/// The inspections of a period that hold, with what was decided of what was contested.
fn inspected(conn: &mut Conn, id: &ContractId, number: i64) -> Answer<Vec<Inspected>> {
    let filter = InspectionFilter {
        period: Some(number),
        is_annulled: Some(false),
        ..InspectionFilter::default()
    };
    let contests = store_contests::of_period(conn, id, number)?;
    let all = store_inspections::of_contract(conn, id, &filter, INSPECTIONS_MAX)?;
    let holding = all.into_iter().map(|one| {
        let own: Vec<_> = contests
            .iter()
            .filter(|contest| contest.inspection_id == one.document.inspection_id)
            .cloned()
            .collect();
        Inspected {
            inspection_id: one.document.inspection_id.clone(),
            inspected_on: one.document.inspected_on,
            items: as_they_hold(&one.document, &own).into_iter().cloned().collect(),
        }
    });
    Ok(holding.collect())
}

/// What the residents' rating of a period gave: the one place in which a certificate learns of it. It is the score of the contract's source of that kind.
fn known_rating(scores: &[ScoreDocument], found: &[SourceScore]) -> Option<RatingDocument> {
    let mut ratings = scores
        .iter()
        .zip(found)
        .filter(|(source, _)| source.kind == SourceKind::Rating);
    ratings.find_map(|(_, found)| {
        Some(RatingDocument {
            score: found.score?,
            count: found.count,
            is_settled: found.state == ScoreState::Settled,
        })
    })
}

/// What the rules of a contract's book demand of its certificates.
///
/// # Errors
/// A rule that is not set.
pub(super) fn demands(profile: &Profile) -> Answer<Demands> {
    Ok(Demands {
        each_standard_covered: profile.rule(ACCEPTANCE_EACH_STANDARD_COVERED)?,
        served_people_invited: profile.rule(ACCEPTANCE_SERVED_PEOPLE_INVITED)?,
        opinion_recorded: profile.rule(ACCEPTANCE_OPINION_RECORDED)?,
    })
}

/// What holds of a period for whoever pays it: since when it is accepted, how, and how much of it is undisputed; or why it is not.
///
/// # Errors
/// Not found; a fault of the database.
pub fn known(
    conn: &mut Conn,
    id: &ContractId,
    number: i64,
    (calendar, now): (&WardCalendar, Instant),
) -> Answer<Standing> {
    let (signed, period) = acts_periods::period(conn, id, number)?;
    let days = rules::served(period.span, signed.contract.since.terminated_on);
    let last = store::last(conn, id, number)?;
    let today = local_date(now, calendar.zone);
    Ok(standing(days, last.as_ref(), (now, today)))
}

/// Answers for what was handed in with a hand-over or an objection: it is the parties' and the auditors'.
pub struct AcceptanceAccess;

impl Access for AcceptanceAccess {
    fn matter_kind(&self) -> &'static str {
        AcceptanceId::PREFIX
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let Ok(id) = matter_id.parse::<AcceptanceId>() else {
            return Ok(false);
        };
        let Some(one) = store::acceptance(conn, &id)? else {
            return Ok(false);
        };
        Ok(desk::signed(conn, &one.contract_id)?.is_insider(actor))
    }
}
