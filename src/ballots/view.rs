//! How ballots are shown: to everybody the same. Who votes, and who has voted, is shown to nobody.

use serde::Serialize;
use utoipa::ToSchema;

use crate::ballots::polling::Polling;
use crate::ballots::rules::{Ballot, BallotId, Choice, Kind, Question, State, Unit};
use crate::ballots::rules_derivation::Outcome;
use crate::ballots::rules_double_tally::DoubleTerms;
use crate::ballots::store;
use crate::db::conn::Conn;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::kernel::score::Score;

/// What a counted ballot comes to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BallotResult)]
pub struct ResultView {
    /// How many have voted.
    #[schema(minimum = 0, maximum = 100_000)]
    pub ballots: u32,
    /// How many it takes for the result to bind.
    #[schema(minimum = 1, maximum = 100_000)]
    pub quorum_ballots: i64,
    /// Whether it binds, or is shown at all.
    pub outcome: Outcome,
    /// The score, 0 to 100; `null` if nothing was answered, or nothing is shown.
    #[schema(required = true)]
    pub score: Option<Score>,
}

/// A ballot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ballot, example = json!({
    "id": "ballot_01jd3n8f5teqkrzvq1c0m6h2ax", "kind": "rating", "matter_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "matter_number": 1,
    "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "title_zh": "梧桐街道道路保洁：第 1 期", "title_en": "Street sanitation of Wutong Street: period 1",
    "unit": "residents", "communities": ["area_01jd3n8f5teqkrzvq1c0m6h2ax"], "opens_at": "2026-06-01T00:00:00.000000Z", "closes_at": "2026-06-08T00:00:00.000000Z",
    "questions": [{"code": "overall", "text_zh": "总体而言，您对本期的服务是否满意？", "text_en": "All in all, how satisfied are you with the service of this period?", "weight": 1}],
    "scale": [{"code": "satisfied", "name_zh": "满意", "name_en": "Satisfied", "value": "80"}], "may_abstain": true, "quorum_percent": 30,
    "cell_ballots_min": 10, "electorate": 1200, "roll_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "state": "counted",
    "called_at": "2026-05-25T00:00:00.000000Z", "withdrawn_at": null, "counted_at": "2026-06-08T00:00:30.000000Z",
    "is_held": false, "result": {"ballots": 480, "quorum_ballots": 360, "outcome": "binding", "score": "87.60"}
}))]
pub struct BallotView {
    /// Its id.
    pub id: BallotId,
    /// What it is about.
    pub kind: Kind,
    /// The id of that: of a contract, or of a lot.
    pub matter_id: String,
    /// Which part of it: the number of a period; 1 of a lot.
    #[schema(minimum = 1)]
    pub matter_number: i64,
    /// Who has called it.
    pub organisation_id: OrganisationId,
    /// Its title in Chinese.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
    /// Who has a vote.
    pub unit: Unit,
    /// The communities that take part.
    #[schema(max_items = 500)]
    pub communities: Vec<AreaId>,
    /// From when on votes are taken, UTC.
    pub opens_at: String,
    /// From when on they are not, UTC.
    pub closes_at: String,
    /// The questions.
    #[schema(max_items = 10)]
    pub questions: Vec<Question>,
    /// What can be answered to each.
    #[schema(max_items = 10)]
    pub scale: Vec<Choice>,
    /// Whether a question may be left without an answer.
    pub may_abstain: bool,
    /// The part of the voters who have to vote for the result to bind, in percent.
    #[schema(minimum = 1, maximum = 100)]
    pub quorum_percent: u32,
    /// Ballots in a cell of which anything is published, at least.
    #[schema(minimum = 10)]
    pub cell_ballots_min: u32,
    /// How area is tallied beside heads, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub double_tally: Option<DoubleTerms>,
    /// How many have a vote.
    #[schema(minimum = 10, maximum = 100_000)]
    pub electorate: i64,
    /// SHA-256 of the roll, as the log has it.
    pub roll_sha256: String,
    /// How far it has come.
    pub state: State,
    /// When it was called, UTC.
    pub called_at: String,
    /// When it was taken back, UTC.
    #[schema(required = true)]
    pub withdrawn_at: Option<String>,
    /// When it was counted, UTC.
    #[schema(required = true)]
    pub counted_at: Option<String>,
    /// Whether it is counted, and the result waits until the panel has handed in all its scores of the lot.
    #[schema(example = false)]
    pub is_held: bool,
    /// What it comes to, once it is counted and not held back.
    #[schema(required = true)]
    pub result: Option<ResultView>,
}

/// A ballot.
///
/// # Errors
/// A fault of the database.
pub fn ballot(conn: &mut Conn, polling: &Polling, ballot: Ballot, now: Instant) -> Answer<BallotView> {
    let state = ballot.state(now);
    let is_held = polling.is_held(conn, &ballot)?;
    let result = match state {
        State::Counted if !is_held => store::result(conn, &ballot.id)?.map(|(derivation, _)| ResultView {
            ballots: derivation.ballots,
            quorum_ballots: derivation.quorum_ballots,
            outcome: derivation.outcome,
            score: derivation.score,
        }),
        _ => None,
    };
    let terms = ballot.terms;
    Ok(BallotView {
        id: ballot.id,
        kind: ballot.kind,
        matter_id: ballot.matter_id,
        matter_number: ballot.matter_number,
        organisation_id: ballot.organisation_id,
        title_zh: ballot.title_zh,
        title_en: ballot.title_en,
        unit: terms.unit,
        communities: terms.communities,
        opens_at: rfc3339(ballot.opens_at),
        closes_at: rfc3339(ballot.closes_at),
        questions: terms.questions,
        scale: terms.scale,
        may_abstain: terms.may_abstain,
        quorum_percent: terms.quorum_percent,
        cell_ballots_min: terms.cell_ballots_min,
        double_tally: terms.double_tally,
        electorate: ballot.electorate,
        roll_sha256: hex::encode(ballot.roll_sha256),
        state,
        called_at: rfc3339(ballot.called_at),
        withdrawn_at: ballot.withdrawn_at.map(rfc3339),
        counted_at: ballot.counted_at.map(rfc3339),
        is_held,
        result,
    })
}

/// Ballots.
///
/// # Errors
/// A fault of the database.
pub fn ballots(
    conn: &mut Conn,
    polling: &Polling,
    found: Vec<Ballot>,
    now: Instant,
) -> Answer<Vec<BallotView>> {
    found
        .into_iter()
        .map(|one| ballot(conn, polling, one, now))
        .collect()
}
