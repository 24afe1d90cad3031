//! Ballots: what residents are asked, for how long, and when their answer binds. A ballot is called once, cannot be changed, and is counted once.
//! Never to be used for elections. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ballots::rules_double_tally::DoubleTerms;
pub use crate::books::rules_ballots::{
    ABSTAIN, CHOICE_LENGTH_MAX, CHOICES_MAX, Choice, QUESTION_LENGTH_MAX, QUESTIONS_MAX, Question, Unit,
    WEIGHT_MAX,
};
use crate::kernel::clock::Instant;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Fault, Kind as ReasonKind, Reason, Refusal};

crate::ids! {
    /// A ballot.
    BallotId "ballot"
    /// That a resident represents others, or has no vote on somebody's work.
    VoterListingId "voterlisting"
}

/// Voters at most.
pub const ELECTORATE_MAX: usize = 100_000;
/// Voters at least: of fewer nothing could ever be published.
pub const ELECTORATE_MIN: usize = 10;
/// Slips that a box can hold at most: voters times questions.
pub const SLIPS_MAX: usize = 300_000;
/// Hours for which a ballot is open at least.
pub const HOURS_OPEN_MIN: i64 = 1;
/// Days for which it is open at most.
pub const DAYS_OPEN_MAX: i64 = 62;
/// Days before its opening at which it can be called.
pub const DAYS_AHEAD_MAX: i64 = 62;
/// Ballots in a cell of which anything is published, at least; a statute may ask for more, and never for less.
pub const CELL_BALLOTS_MIN: u32 = 10;

/// Nobody may vote yet.
pub static NOT_OPEN: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_not_open",
    "投票尚未开始",
    "The ballot is not open yet",
);
/// Nobody may vote any more.
pub static CLOSED: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_closed",
    "投票已经截止",
    "The ballot is closed",
);
/// It was taken back before it opened.
pub static WITHDRAWN: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_withdrawn",
    "投票已撤回",
    "The ballot was withdrawn",
);
/// It has opened and cannot be taken back.
pub static OPENED: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_opened",
    "投票已经开始，不得撤回",
    "The ballot has opened and is not withdrawn any more",
);
/// There is one about the matter.
pub static EXISTS: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_exists",
    "该事项已有投票",
    "There is a ballot about this already",
);
/// The roll has too few who may vote.
pub static ELECTORATE_TOO_SMALL: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_electorate_too_small",
    "有投票权的人数过少，结果无法公布",
    "Too few may vote for the result ever to be published",
);
/// It has too many, for so many questions.
pub static ELECTORATE_TOO_LARGE: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_electorate_too_large",
    "有投票权的人数与问题数过多",
    "More may vote, on more questions, than one ballot can hold",
);
/// Whoever asks is not among the voters.
pub static NOT_A_VOTER: Reason = Reason::new(
    ReasonKind::Forbidden,
    "ballot_not_a_voter",
    "您不在本次投票的名册上",
    "You are not on the roll of this ballot",
);
/// The code is no voter's.
pub static CODE_NOT_GOOD: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_code_not_good",
    "投票码无效，请核对每一位，或向社区居委会索取新的",
    "This code is no voter's; check every character, or ask your community for another one",
);
/// The votes are not counted yet.
pub static NOT_COUNTED: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_not_counted",
    "投票尚未计票",
    "The votes are not counted yet",
);
/// Too few have voted for anything to be shown.
pub static WITHHELD: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_withheld",
    "投票人数过少，票箱只供审计查阅",
    "Too few have voted: the box is for auditors only",
);
/// It is counted, and the result waits for the panel.
pub static RESULT_HELD: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_result_held",
    "已计票；待评标委员会全部提交评分表后公布",
    "It is counted; the result is told when the panel has handed in all its scores",
);
/// Areas are to be tallied, and the roll lacks some.
pub static AREA_UNKNOWN: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_area_unknown",
    "名册上缺少部分住户的建筑面积，无法按面积计票",
    "The roll does not have the area of every dwelling, so areas cannot be tallied",
);
/// The roll does not say any more what it said when it was frozen.
pub static ENTRY_CHANGED: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_entry_changed",
    "名册上的这一条记录已被改动，不能据此投票；请告知街道办事处和审计人员",
    "This entry of the roll is not what it was when the roll was frozen, and has no vote; tell your street office and the auditors",
);
/// The ballot is not the one that was called.
pub static TERMS_CHANGED: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_terms_changed",
    "该投票的内容已被改动，与发起时载入日志的不同，不能据此投票；请告知街道办事处和审计人员",
    "This ballot is not as it was called: something of it was changed since, and it takes no votes as it stands; tell your street office and the auditors",
);
/// A letter is not what was printed.
pub static LETTER_CHANGED: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_letter_changed",
    "这份投票函的记录已被改动，不能据此投票；请用账户或邮件中的链接投票，或再次索取投票函，并告知街道办事处和审计人员",
    "What is kept of this letter is not what was printed, and it has no vote; vote with your account, by the link in your mail or with another letter, and tell your street office and the auditors",
);
/// An account stands on the roll in a place that the log does not know it to have claimed.
pub static ACCOUNT_UNVOUCHED: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_account_unvouched",
    "日志中没有该账户认领名册位置的记录，不能据此投票；请用投票函投票，并告知街道办事处和审计人员",
    "The log does not have that this account has claimed its place on the roll, so it has no vote by it; vote with a letter, and tell your street office and the auditors",
);
/// The letters are shown once.
pub static LETTERS_PRINTED: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_letters_printed",
    "投票函已生成且只显示一次；如未收到，请使用新的 Idempotency-Key 重新生成，旧码随即作废",
    "These letters were printed and are shown once only; print new ones with another Idempotency-Key, which makes the old codes void",
);
/// Everybody has a letter.
pub static NOBODY_TO_WRITE: Reason = Reason::new(
    ReasonKind::Conflict,
    "ballot_nobody_to_write",
    "没有需要投票函的居民",
    "There is nobody to print a letter for",
);
/// A resident who is listed is not on the roll of the community.
pub static LISTING_UNKNOWN: Reason = Reason::new(
    ReasonKind::Conflict,
    "voter_listing_unknown",
    "名册上没有该居民，或该单位不存在",
    "No such resident is on the roll, or there is no such organisation",
);
/// They are listed so already.
pub static LISTED: Reason = Reason::new(
    ReasonKind::Conflict,
    "voter_listing_exists",
    "该居民已如此登记",
    "The resident is listed so already",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 21] = [
    &NOT_OPEN,
    &CLOSED,
    &WITHDRAWN,
    &OPENED,
    &EXISTS,
    &ELECTORATE_TOO_SMALL,
    &ELECTORATE_TOO_LARGE,
    &NOT_A_VOTER,
    &CODE_NOT_GOOD,
    &NOT_COUNTED,
    &WITHHELD,
    &RESULT_HELD,
    &AREA_UNKNOWN,
    &ENTRY_CHANGED,
    &TERMS_CHANGED,
    &LETTER_CHANGED,
    &ACCOUNT_UNVOUCHED,
    &LETTERS_PRINTED,
    &NOBODY_TO_WRITE,
    &LISTING_UNKNOWN,
    &LISTED,
];

/// What a ballot is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BallotKind)]
pub enum Kind {
    /// 群众评议: the bids for a lot.
    Appraisal,
    /// 满意度测评: the work of a period of a contract.
    Rating,
}

impl Kind {
    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Appraisal => "appraisal",
            Self::Rating => "rating",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Appraisal, Self::Rating]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// How far a ballot has come. It follows from the clock, and from what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BallotState)]
pub enum State {
    /// It was called, and is not open yet.
    Called,
    /// Votes are taken.
    Open,
    /// No votes are taken any more, and they are not counted yet.
    Closed,
    /// They are counted.
    Counted,
    /// It was taken back before it opened.
    Withdrawn,
}

/// The terms of a ballot: what is fixed when it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Who has a vote.
    pub unit: Unit,
    /// The communities that take part, in the order of their ids.
    pub communities: Vec<AreaId>,
    /// The questions.
    pub questions: Vec<Question>,
    /// What can be answered to each.
    pub scale: Vec<Choice>,
    /// Whether a question may be left without an answer.
    pub may_abstain: bool,
    /// The part of the voters who have to vote for the result to bind, in percent.
    pub quorum_percent: u32,
    /// Ballots in a cell of which anything is published, at least.
    pub cell_ballots_min: u32,
    /// How area is tallied beside heads, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub double_tally: Option<DoubleTerms>,
}

impl Terms {
    /// The choice of that code.
    pub fn choice(&self, code: &str) -> Option<&Choice> {
        self.scale.iter().find(|choice| choice.code == code)
    }
}

/// A ballot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// Its id.
    pub id: BallotId,
    /// What it is about.
    pub kind: Kind,
    /// The id of that.
    pub matter_id: String,
    /// Which part of it: the number of a period.
    pub matter_number: i64,
    /// Who has called it.
    pub organisation_id: OrganisationId,
    /// What it is about, in Chinese.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
    /// What was fixed.
    pub terms: Terms,
    /// From when on votes are taken, UTC.
    pub opens_at: Instant,
    /// From when on they are not, UTC.
    pub closes_at: Instant,
    /// How many may vote.
    pub electorate: i64,
    /// SHA-256 of the roll.
    pub roll_sha256: [u8; 32],
    /// The key under which papers are sealed, itself sealed; destroyed when they are counted.
    pub sealed_key: Option<Vec<u8>>,
    /// When it was called, UTC.
    pub called_at: Instant,
    /// When it was taken back, UTC.
    pub withdrawn_at: Option<Instant>,
    /// When it was counted, UTC.
    pub counted_at: Option<Instant>,
}

impl Ballot {
    /// How far it has come at an instant.
    pub fn state(&self, now: Instant) -> State {
        if self.withdrawn_at.is_some() {
            State::Withdrawn
        } else if self.counted_at.is_some() {
            State::Counted
        } else if now < self.opens_at {
            State::Called
        } else if now < self.closes_at {
            State::Open
        } else {
            State::Closed
        }
    }

    /// Whether votes are taken: from the opening on, and strictly before the close.
    ///
    /// # Errors
    /// [`WITHDRAWN`], [`NOT_OPEN`], [`CLOSED`].
    pub fn takes_votes(&self, now: Instant) -> Result<(), Refusal> {
        match self.state(now) {
            State::Open => Ok(()),
            State::Withdrawn => Err(WITHDRAWN.refuse()),
            State::Called => Err(NOT_OPEN.refuse()),
            State::Closed | State::Counted => Err(CLOSED.refuse()),
        }
    }

    /// Whether it can still be taken back.
    ///
    /// # Errors
    /// [`WITHDRAWN`], [`OPENED`].
    pub fn may_be_withdrawn(&self, now: Instant) -> Result<(), Refusal> {
        match self.state(now) {
            State::Called => Ok(()),
            State::Withdrawn => Err(WITHDRAWN.refuse()),
            State::Open | State::Closed | State::Counted => Err(OPENED.refuse()),
        }
    }
}

/// How many ballots reach the quorum: the whole number at or above the part of the voters.
///
/// # Errors
/// A fault of arithmetic.
pub fn quorum_ballots(electorate: i64, percent: u32) -> Result<i64, Fault> {
    let failed = || Fault::broken("the quorum of a ballot");
    let whole = electorate.checked_mul(i64::from(percent)).ok_or_else(failed)?;
    whole
        .checked_add(99)
        .and_then(|above| above.checked_div(100))
        .ok_or_else(failed)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ballots::rules_questions::{usual_question, usual_scale};
    use chrono::{Duration, TimeZone, Utc};

    pub fn at(day: u32, hour: u32) -> Instant {
        Utc.with_ymd_and_hms(2026, 5, day, hour, 0, 0).unwrap()
    }

    pub fn terms() -> Terms {
        Terms {
            unit: Unit::Residents,
            communities: vec!["area_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap()],
            questions: vec![usual_question()],
            scale: usual_scale(),
            may_abstain: true,
            quorum_percent: 30,
            cell_ballots_min: 10,
            double_tally: None,
        }
    }

    #[test]
    fn votes_are_taken_from_the_opening_on_and_strictly_before_the_close() {
        let ballot = Ballot {
            id: BallotId::mint(at(1, 0)),
            kind: Kind::Rating,
            matter_id: "contract_1".to_owned(),
            matter_number: 1,
            organisation_id: OrganisationId::mint(at(1, 0)),
            title_zh: "甲".to_owned(),
            title_en: "A".to_owned(),
            terms: terms(),
            opens_at: at(2, 0),
            closes_at: at(9, 0),
            electorate: 100,
            roll_sha256: [0; 32],
            sealed_key: None,
            called_at: at(1, 0),
            withdrawn_at: None,
            counted_at: None,
        };
        let told = |ballot: &Ballot, now| ballot.takes_votes(now).err().map(|refusal| refusal.reason.code);
        let second = Duration::seconds(1);
        assert_eq!(told(&ballot, at(2, 0) - second), Some("ballot_not_open"));
        assert_eq!(
            (told(&ballot, at(2, 0)), told(&ballot, at(9, 0) - second)),
            (None, None)
        );
        assert_eq!(told(&ballot, at(9, 0)), Some("ballot_closed"));
        assert!(ballot.may_be_withdrawn(at(1, 5)).is_ok() && ballot.may_be_withdrawn(at(2, 0)).is_err());
        let withdrawn = Ballot {
            withdrawn_at: Some(at(1, 1)),
            ..ballot
        };
        assert_eq!(told(&withdrawn, at(3, 0)), Some("ballot_withdrawn"));
    }

    #[test]
    fn a_quorum_is_rounded_up() {
        let of = |electorate, percent| quorum_ballots(electorate, percent).unwrap();
        assert_eq!(
            (of(60, 66), of(60, 67), of(100, 30), of(101, 30), of(10, 1)),
            (40, 41, 30, 31, 1)
        );
        assert!(quorum_ballots(i64::MAX, 2).is_err());
    }
}
