//! What a ballot can come to: whether it binds, and if not, why. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a ballot comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BallotOutcome)]
pub enum Outcome {
    /// The quorum was reached: the score counts.
    Binding,
    /// It was not, or nobody has answered: the score is published, and counts for nothing.
    NonBinding,
    /// So few have voted that nothing of it is published.
    Withheld,
    /// The roll is not what it was when it was frozen: the score is published, and counts for nothing.
    RollChanged,
    /// The terms are not those under which it was called: the score by those that were found is published, and counts for nothing.
    TermsChanged,
}

impl Outcome {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::NonBinding => "non_binding",
            Self::Withheld => "withheld",
            Self::RollChanged => "roll_changed",
            Self::TermsChanged => "terms_changed",
        }
    }
}
