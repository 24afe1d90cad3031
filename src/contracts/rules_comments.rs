//! What voters say of a period in their own words, apart from how they vote: each once, while the ballot is open. An officer of the buyer releases it or withholds
//! it for a reason; to what is released the contractor replies once. Nothing leads from a comment to a voter or a vote. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ballots::rules::BallotId;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_defect_reports::only_words;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Kind as ReasonKind, Reason, Refusal};

crate::ids! {
    /// A comment on a period.
    RatingCommentId "ratingcomment"
}

/// Each voter says something once.
pub static COMMENTED: Reason = Reason::new(
    ReasonKind::Conflict,
    "rating_commented",
    "您已就本期提交过意见",
    "You have said something of this period already",
);
/// The ballot is not about the work of a period.
pub static COMMENT_NOT_HERE: Reason = Reason::new(
    ReasonKind::Conflict,
    "rating_comment_not_here",
    "该投票不接受文字意见",
    "Nothing is said in words to this ballot",
);
/// An officer has decided.
pub static COMMENT_DECIDED: Reason = Reason::new(
    ReasonKind::Conflict,
    "rating_comment_decided",
    "该意见已审核",
    "It was decided about this comment already",
);
/// It is not public.
pub static COMMENT_NOT_RELEASED: Reason = Reason::new(
    ReasonKind::Conflict,
    "rating_comment_not_released",
    "该意见尚未公开",
    "This comment is not public",
);
/// The contractor has replied.
pub static COMMENT_REPLIED: Reason = Reason::new(
    ReasonKind::Conflict,
    "rating_comment_replied",
    "已回复过该意见",
    "There is a reply to this comment already",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 5] = [
    &COMMENTED,
    &COMMENT_NOT_HERE,
    &COMMENT_DECIDED,
    &COMMENT_NOT_RELEASED,
    &COMMENT_REPLIED,
];

/// How far a comment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RatingCommentState)]
pub enum State {
    /// It waits for an officer.
    Received,
    /// Everybody reads it.
    Released,
    /// Nobody but the buyer's people and auditors reads it.
    Withheld,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Received, Self::Released, Self::Withheld];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Released => "released",
            Self::Withheld => "withheld",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What an officer decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everybody may read it.
    Release,
    /// Nobody may, for this reason.
    Withhold(String),
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: RatingCommentId,
    /// The ballot whose voter has said it.
    pub ballot_id: BallotId,
    /// The contract.
    pub contract_id: ContractId,
    /// The number of the period.
    pub period: i64,
    /// What was said.
    pub words: String,
    /// What was decided, by whom, and when, UTC.
    pub decided: Option<(Verdict, AccountId, Instant)>,
    /// What the contractor replies, by whom, and when, UTC.
    pub reply: Option<(String, AccountId, Instant)>,
}

impl Comment {
    /// How far it has come.
    pub const fn state(&self) -> State {
        match &self.decided {
            None => State::Received,
            Some((Verdict::Release, ..)) => State::Released,
            Some((Verdict::Withhold(_), ..)) => State::Withheld,
        }
    }

    /// The comment, decided.
    ///
    /// # Errors
    /// In this order: [`COMMENT_DECIDED`]; a reason that is none.
    pub fn decided(self, verdict: Verdict, by: AccountId, at: Instant) -> Result<Self, Refusal> {
        if self.decided.is_some() {
            return Err(COMMENT_DECIDED.refuse());
        }
        let verdict = match verdict {
            Verdict::Release => Verdict::Release,
            Verdict::Withhold(reason) => Verdict::Withhold(only_words("/reason", &reason)?),
        };
        Ok(Self {
            decided: Some((verdict, by, at)),
            ..self
        })
    }

    /// The comment with the contractor's reply.
    ///
    /// # Errors
    /// In this order: [`COMMENT_NOT_RELEASED`]; [`COMMENT_REPLIED`]; a reply that is none.
    pub fn replied(self, reply: &str, by: AccountId, at: Instant) -> Result<Self, Refusal> {
        if self.state() != State::Released {
            return Err(COMMENT_NOT_RELEASED.refuse());
        }
        if self.reply.is_some() {
            return Err(COMMENT_REPLIED.refuse());
        }
        Ok(Self {
            reply: Some((only_words("/reply", reply)?, by, at)),
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::*;

    fn at(hour: u32) -> Instant {
        Utc.with_ymd_and_hms(2026, 5, 2, hour, 0, 0).unwrap()
    }

    fn comment() -> Comment {
        Comment {
            id: RatingCommentId::mint(at(1)),
            ballot_id: BallotId::mint(at(0)),
            contract_id: ContractId::mint(at(0)),
            period: 1,
            words: "夜里噪声大".to_owned(),
            decided: None,
            reply: None,
        }
    }

    #[test]
    fn it_is_decided_once_and_replied_to_once_where_everybody_reads_it() {
        let by = || AccountId::mint(at(0));
        let code = |told: Result<Comment, Refusal>| told.err().map(|refusal| refusal.reason.code);
        assert_eq!(
            code(comment().replied("已调整", by(), at(3))),
            Some("rating_comment_not_released")
        );
        let hidden = comment()
            .decided(Verdict::Withhold("指名道姓".to_owned()), by(), at(2))
            .unwrap();
        assert_eq!(hidden.state(), State::Withheld);
        assert_eq!(
            code(hidden.clone().decided(Verdict::Release, by(), at(3))),
            Some("rating_comment_decided")
        );
        assert_eq!(
            code(hidden.replied("已调整", by(), at(3))),
            Some("rating_comment_not_released")
        );
        assert_eq!(
            code(comment().decided(Verdict::Withhold("  ".to_owned()), by(), at(2))),
            Some("invalid")
        );
        let shown = comment().decided(Verdict::Release, by(), at(2)).unwrap();
        assert_eq!(code(shown.clone().replied("", by(), at(3))), Some("invalid"));
        let replied = shown.replied("已调整作业时间", by(), at(3)).unwrap();
        assert_eq!(
            (replied.state(), code(replied.replied("再说", by(), at(4)))),
            (State::Released, Some("rating_comment_replied"))
        );
    }

    #[test]
    fn every_state_has_its_name() {
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
        }
        assert_eq!(State::named("gone"), None);
    }
}
