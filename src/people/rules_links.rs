//! Links and codes that work once: what for, and how long. Pure.

use chrono::Duration;

use crate::kernel::refusal::{Kind, Reason};

crate::ids! {
    /// A one-time code that was sent by mail, or would have been.
    ChallengeId "challenge"
}

/// How long an invitation is good.
pub const INVITATION_LIFETIME: Duration = Duration::days(7);
/// How long the first administrator's link is good.
pub const BOOTSTRAP_LIFETIME: Duration = Duration::hours(24);
/// Hours that a link to open an account with a letter is good.
pub const REGISTRATION_HOURS: u32 = 24;
/// Minutes that a link to choose another password is good.
pub const RESET_MINUTES: u32 = 60;
/// Minutes that a code is good.
pub const CODE_MINUTES: u32 = 10;
/// Tries of one code.
pub const CODE_ATTEMPTS_MAX: i64 = 5;

/// There is no such link, or it was used, or it has expired.
pub static LINK_REFUSED: Reason = Reason::new(
    Kind::Hidden,
    "link_refused",
    "链接无效、已使用或已过期",
    "This link is not valid any more, or never was",
);

/// What a link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To take an account over.
    Invitation,
    /// To open the first administrator's account.
    Bootstrap,
    /// To choose another password.
    PasswordReset,
    /// To open an account on the strength of something that another slice knows.
    Registration,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Invitation,
        Self::Bootstrap,
        Self::PasswordReset,
        Self::Registration,
    ];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Bootstrap => "bootstrap",
            Self::PasswordReset => "password_reset",
            Self::Registration => "registration",
        }
    }

    /// The purpose of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::named(purpose.name()), Some(purpose));
        }
        assert_eq!(Purpose::named("tea"), None);
    }
}
