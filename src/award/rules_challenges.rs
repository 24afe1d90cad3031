//! What a bidder can say to the buyer about a result: a query (询问), and a challenge (质疑) with numbered grounds, within its time and once for
//! each award; and the buyer's replies (政府采购法 arts 51–54; 94号令 arts 10–16). Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::rules_awards::{Award, AwardId, State as AwardState, TEXT_LENGTH_MAX, WRONG_STATE};
use crate::books::rules::{BookId, LotId};
use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::text;

crate::ids! {
    /// A question about a result.
    QueryId "query"
    /// A challenge of an award.
    ChallengeId "challenge"
}

/// Grounds of one challenge at most.
pub const GROUNDS_MAX: usize = 20;
/// Open queries of one supplier about one lot at most.
pub const QUERIES_OPEN_MAX: i64 = 10;
/// Characters of a reply to a challenge, or of a statement to the regulator.
pub const STATEMENT_LENGTH_MAX: usize = 8_000;

/// Only whose bid was opened has a say.
pub static NOT_A_BIDDER: Reason = Reason::new(
    Kind::Forbidden,
    "dispute_not_a_bidder",
    "仅参加本标段投标的供应商可以提出",
    "Only suppliers whose bid for the lot was opened may do this",
);
/// Nothing is public yet that could be asked about.
pub static NO_NOTICE: Reason = Reason::new(
    Kind::Conflict,
    "dispute_no_notice",
    "尚未发布中标公告",
    "There is no notice of an award yet",
);
/// There are as many open ones as there may be.
pub static TOO_MANY_QUERIES: Reason = Reason::new(
    Kind::Conflict,
    "query_too_many",
    "尚未答复的询问过多",
    "There are as many open queries as there may be",
);
/// It was replied to.
pub static QUERY_CLOSED: Reason = Reason::new(
    Kind::Conflict,
    "query_closed",
    "该询问已经答复",
    "The query has been replied to",
);
/// Its time is over.
pub static CHALLENGE_LATE: Reason = Reason::new(
    Kind::Conflict,
    "challenge_late",
    "质疑期限已过",
    "The time for challenges is over",
);
/// Everything against one award is said at once.
pub static CHALLENGED_ALREADY: Reason = Reason::new(
    Kind::Conflict,
    "challenge_filed_already",
    "对同一中标结果应一次性提出质疑",
    "The supplier has challenged this award before; all grounds are given at once",
);
/// It was replied to, or withdrawn.
pub static CHALLENGE_CLOSED: Reason = Reason::new(
    Kind::Conflict,
    "challenge_closed",
    "该质疑已经答复或撤回",
    "The challenge was replied to or withdrawn",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 7] = [
    &NOT_A_BIDDER,
    &NO_NOTICE,
    &TOO_MANY_QUERIES,
    &QUERY_CLOSED,
    &CHALLENGE_LATE,
    &CHALLENGED_ALREADY,
    &CHALLENGE_CLOSED,
];

/// A question about a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Its id.
    pub id: QueryId,
    /// The award that stood when it was asked.
    pub award_id: AwardId,
    /// The lot.
    pub lot_id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// Who asks.
    pub supplier_id: OrganisationId,
    /// Through whom.
    pub asked_by: AccountId,
    /// What.
    pub question: String,
    /// When, UTC.
    pub asked_at: Instant,
    /// When it was replied to, UTC, and how.
    pub reply: Option<(Instant, String)>,
}

/// A question as it is entered.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID).
pub fn question(entered: &str) -> Result<String, Refusal> {
    let mut form = Form::new();
    let question = form.line("/question", entered, TEXT_LENGTH_MAX);
    form.finish(question)
}

/// The query, replied to.
///
/// # Errors
/// A reply that is none; [`QUERY_CLOSED`].
pub fn reply_to_query(before: Query, reply: &str, now: Instant) -> Result<Query, Refusal> {
    let mut form = Form::new();
    let reply = form.line("/reply", reply, TEXT_LENGTH_MAX);
    let reply = form.finish(reply)?;
    if before.reply.is_some() {
        return Err(QUERY_CLOSED.refuse());
    }
    Ok(Query {
        reply: Some((now, reply)),
        ..before
    })
}

/// What a challenge rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChallengeGround, example = json!({"facts": "T1 项评分与量化标准不符", "basis": "87号令第55条", "claim": "重新评审该项"}))]
pub struct Ground {
    /// What happened.
    #[schema(min_length = 1, max_length = 2000)]
    pub facts: String,
    /// By which rule it should not have.
    #[schema(min_length = 1, max_length = 2000)]
    pub basis: String,
    /// What is asked for.
    #[schema(min_length = 1, max_length = 2000)]
    pub claim: String,
}

/// Checks grounds; every fault is listed. They are numbered from 1 in their order.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID).
pub fn grounds(entered: &[Ground]) -> Result<Vec<Ground>, Refusal> {
    let mut form = Form::new();
    if !(1..=GROUNDS_MAX).contains(&entered.len()) {
        form.object(
            "/grounds",
            text!("应为 1 至 {GROUNDS_MAX} 项", "must be 1 to {GROUNDS_MAX}"),
        );
    }
    let mut checked = Vec::with_capacity(entered.len());
    for (index, ground) in entered.iter().enumerate() {
        let mut line =
            |field: &str, text: &str| form.line(&format!("/grounds/{index}/{field}"), text, TEXT_LENGTH_MAX);
        checked.push(Ground {
            facts: line("facts", &ground.facts),
            basis: line("basis", &ground.basis),
            claim: line("claim", &ground.claim),
        });
    }
    form.finish(checked)
}

/// How far a challenge has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChallengeState)]
pub enum State {
    /// The buyer has to reply.
    Filed,
    /// The buyer has replied.
    Replied,
    /// The bidder has withdrawn it.
    Withdrawn,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Filed, Self::Replied, Self::Withdrawn];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filed => "filed",
            Self::Replied => "replied",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What the buyer replied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChallengeOutcome)]
pub enum Outcome {
    /// The bidder is right.
    Upheld,
    /// With some grounds.
    PartlyUpheld,
    /// With none.
    Rejected,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Upheld, Self::PartlyUpheld, Self::Rejected];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upheld => "upheld",
            Self::PartlyUpheld => "partly_upheld",
            Self::Rejected => "rejected",
        }
    }

    /// The outcome of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// What the buyer replied to a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// With which outcome.
    pub outcome: Outcome,
    /// Whether the result cannot stand as it is.
    pub affects_result: bool,
    /// Why.
    pub words: String,
}

/// A challenge of an award.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Its id.
    pub id: ChallengeId,
    /// The award.
    pub award_id: AwardId,
    /// The lot.
    pub lot_id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// Through whom it was filed.
    pub filed_by: AccountId,
    /// When, UTC.
    pub filed_at: Instant,
    /// On what it rests; the first has the number 1.
    pub grounds: Vec<Ground>,
    /// How far it has come.
    pub state: State,
    /// What was replied.
    pub reply: Option<Reply>,
    /// When it was replied to or withdrawn, UTC.
    pub closed_at: Option<Instant>,
    /// Counts the changes, from 1.
    pub revision: i64,
}

impl Challenge {
    /// Whether its award may not be confirmed or signed: nobody has replied yet, or the buyer has found that the result cannot stand.
    pub fn stands_against(&self) -> bool {
        match self.state {
            State::Filed => true,
            State::Replied => self.reply.as_ref().is_some_and(|reply| reply.affects_result),
            State::Withdrawn => false,
        }
    }
}

/// Whether an award may be challenged now, by somebody who has done so before or not.
///
/// # Errors
/// In this order: [`WRONG_STATE`] unless it is noticed and not ended; [`CHALLENGE_LATE`]; [`CHALLENGED_ALREADY`].
pub fn may_challenge(award: &Award, until: Instant, has_before: bool, now: Instant) -> Result<(), Refusal> {
    match award.state {
        AwardState::Noticed | AwardState::Confirmed | AwardState::Signed => {}
        AwardState::Proposed | AwardState::Decided | AwardState::Ended => {
            let name = award.state.name();
            return Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")));
        }
    }
    if now >= until {
        return Err(CHALLENGE_LATE.refuse());
    }
    if has_before {
        return Err(CHALLENGED_ALREADY.refuse());
    }
    Ok(())
}

fn open(challenge: &Challenge) -> Result<(), Refusal> {
    match challenge.state {
        State::Filed => Ok(()),
        State::Replied | State::Withdrawn => Err(CHALLENGE_CLOSED.refuse()),
    }
}

fn closed(before: Challenge, state: State, reply: Option<Reply>, now: Instant) -> Challenge {
    Challenge {
        state,
        reply,
        closed_at: Some(now),
        revision: before.revision.saturating_add(1),
        ..before
    }
}

/// The challenge, replied to.
///
/// # Errors
/// Words that are none, or a rejection that is said to affect the result; [`CHALLENGE_CLOSED`].
pub fn reply(before: Challenge, entered: &Reply, now: Instant) -> Result<Challenge, Refusal> {
    let mut form = Form::new();
    let words = form.line("/reply", &entered.words, STATEMENT_LENGTH_MAX);
    if entered.outcome == Outcome::Rejected && entered.affects_result {
        form.object(
            "/affects_result",
            Text::fixed(
                "质疑不成立时不影响结果",
                "what is rejected does not affect the result",
            ),
        );
    }
    let words = form.finish(words)?;
    open(&before)?;
    let reply = Reply {
        words,
        ..entered.clone()
    };
    Ok(closed(before, State::Replied, Some(reply), now))
}

/// The challenge, withdrawn.
///
/// # Errors
/// [`CHALLENGE_CLOSED`].
pub fn withdraw(before: Challenge, now: Instant) -> Result<Challenge, Refusal> {
    open(&before)?;
    Ok(closed(before, State::Withdrawn, None, now))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};

    pub fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 4, 10, 0, 0, 0).unwrap()
    }

    fn ground(text: &str) -> Ground {
        Ground {
            facts: text.to_owned(),
            basis: "87号令第55条".to_owned(),
            claim: "重新评审".to_owned(),
        }
    }

    /// A challenge with so many grounds.
    pub fn challenge(count: usize) -> Challenge {
        Challenge {
            id: ChallengeId::mint(now()),
            award_id: AwardId::mint(now()),
            lot_id: LotId::mint(now()),
            book_id: BookId::mint(now()),
            supplier_id: OrganisationId::mint(now()),
            filed_by: AccountId::mint(now()),
            filed_at: now(),
            grounds: vec![ground("事实"); count],
            state: State::Filed,
            reply: None,
            closed_at: None,
            revision: 1,
        }
    }

    fn said(outcome: Outcome, affects_result: bool) -> Reply {
        Reply {
            outcome,
            affects_result,
            words: "经核查".to_owned(),
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
        }
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::named(outcome.name()), Some(outcome));
        }
    }

    #[test]
    fn every_fault_of_the_grounds_is_listed() {
        let refusal = grounds(&[ground(" "), ground("=1+1")]).unwrap_err();
        let places: Vec<&str> = refusal
            .objections
            .iter()
            .map(|one| one.pointer.as_str())
            .collect();
        assert_eq!(places, ["/grounds/0/facts", "/grounds/1/facts"]);
        assert!(grounds(&[]).is_err() && grounds(&vec![ground("甲"); GROUNDS_MAX + 1]).is_err());
        assert_eq!(grounds(&[ground(" 甲 ")]).unwrap()[0].facts, "甲");
    }

    #[test]
    fn a_challenge_is_closed_once_and_stands_until_then_or_if_the_result_cannot() {
        let open = challenge(2);
        assert!(open.stands_against());
        let stands = |outcome, affects| {
            reply(open.clone(), &said(outcome, affects), now())
                .unwrap()
                .stands_against()
        };
        assert!(stands(Outcome::Upheld, true) && stands(Outcome::PartlyUpheld, true));
        assert!(!stands(Outcome::Upheld, false) && !stands(Outcome::Rejected, false));
        assert_eq!(
            reply(open.clone(), &said(Outcome::Rejected, true), now())
                .unwrap_err()
                .reason
                .code,
            "invalid"
        );
        let withdrawn = withdraw(open, now()).unwrap();
        assert!(!withdrawn.stands_against());
        let again = reply(withdrawn.clone(), &said(Outcome::Upheld, true), now());
        assert_eq!(again.unwrap_err().reason.code, "challenge_closed");
        assert_eq!(
            withdraw(withdrawn, now()).unwrap_err().reason.code,
            "challenge_closed"
        );
    }
}
