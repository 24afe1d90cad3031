//! Signing in through another provider: what it has to vouch for, and what that is worth here. Pure; knows nothing of how the
//! provider is asked.

use chrono::Duration;

use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::people::rules::is_hidden;

crate::ids! {
    /// Who somebody is at another provider.
    IdentityId "identity"
    /// An attempt to sign in through another provider.
    AttemptId "attempt"
}

/// How long an attempt may take, from the moment at which it began.
pub const ATTEMPT_LIFETIME: Duration = Duration::minutes(10);
/// Identities of one account.
pub const IDENTITIES_MAX: usize = 10;
/// Characters of a subject; the standard says so.
pub const SUBJECT_LENGTH_MAX: usize = 255;
/// Characters of a code that a provider sends by the browser.
pub const CODE_LENGTH_MAX: usize = 2_000;

/// This service offers no other provider.
pub static NOT_OFFERED: Reason = Reason::new(
    Kind::Hidden,
    "outside_sign_in_not_offered",
    "本系统未启用外部登录",
    "Signing in through another provider is not offered here",
);
/// The provider does not answer, or not as it should.
pub static PROVIDER_UNAVAILABLE: Reason = Reason::new(
    Kind::Busy,
    "provider_unavailable",
    "外部登录服务暂时不可用，请稍后重试或改用其他登录方式",
    "The provider cannot be asked at the moment; try again later or sign in another way",
);
/// What came back from the provider is not good, or not for this attempt. Says no word about what was wrong.
pub static ANSWER_REFUSED: Reason = Reason::new(
    Kind::Invalid,
    "outside_sign_in_refused",
    "外部登录未通过验证，请重新开始",
    "What the provider sent is not accepted; begin again",
);
/// The provider does not vouch for as much as is asked for here.
pub static PROOF_TOO_WEAK: Reason = Reason::new(
    Kind::Invalid,
    "outside_proof_too_weak",
    "外部登录的验证强度不足",
    "The provider does not vouch for a sign-in as strong as is needed here",
);
/// Nobody here has linked this identity.
pub static IDENTITY_UNKNOWN: Reason = Reason::new(
    Kind::Invalid,
    "identity_unknown",
    "该外部身份未关联任何账户",
    "This identity is linked to no account here; sign in another way and link it, or accept your invitation with it",
);
/// Somebody has linked this identity already.
pub static IDENTITY_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "identity_taken",
    "该外部身份已关联账户",
    "This identity is linked to an account already",
);
/// An account cannot have more of them.
pub static TOO_MANY_IDENTITIES: Reason = Reason::new(
    Kind::Conflict,
    "too_many_identities",
    "关联的外部身份过多",
    "The account has as many identities as it can have; unlink one first",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 7] = [
    &NOT_OFFERED,
    &PROVIDER_UNAVAILABLE,
    &ANSWER_REFUSED,
    &PROOF_TOO_WEAK,
    &IDENTITY_UNKNOWN,
    &IDENTITY_TAKEN,
    &TOO_MANY_IDENTITIES,
];

/// Who somebody is at another provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id here.
    pub id: IdentityId,
    /// Whose it is.
    pub account_id: AccountId,
    /// Which provider.
    pub issuer: String,
    /// When it was linked, UTC.
    pub created_at: Instant,
    /// When somebody last signed in with it, UTC.
    pub used_at: Option<Instant>,
}

/// What an attempt is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aim {
    /// To sign in.
    SignIn,
    /// To link an identity to this account.
    Link(AccountId),
    /// To accept the invitation whose link has this hash, and to sign in.
    Invitation([u8; 32]),
}

/// How far an attempt has come. Each stage is left once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The browser is on its way.
    Begun,
    /// Its code is being exchanged, or was.
    Taken,
    /// Who it is is known; a second factor is asked for.
    Proved,
    /// It has done what it was for.
    Done,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Begun, Self::Taken, Self::Proved, Self::Done];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Taken => "taken",
            Self::Proved => "proved",
            Self::Done => "done",
        }
    }

    /// The stage of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// What the provider has to say about how somebody proved who they are. Empty: nothing is asked.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// One of these classes (`acr`) is needed to sign in.
    pub required_acr: Vec<String>,
    /// One of these methods (`amr`) is needed to sign in.
    pub required_amr: Vec<String>,
    /// One of these classes counts as a second factor here.
    pub second_factor_acr: Vec<String>,
    /// One of these methods counts as a second factor here.
    pub second_factor_amr: Vec<String>,
}

impl Demands {
    /// Whether a sign-in counts as one with a second factor.
    ///
    /// # Errors
    /// [`PROOF_TOO_WEAK`].
    pub fn weigh(&self, acr: Option<&str>, amr: &[String]) -> Result<bool, Refusal> {
        let of_class = |wanted: &[String]| wanted.iter().any(|wanted| acr == Some(wanted.as_str()));
        let by_method = |wanted: &[String]| wanted.iter().any(|wanted| amr.contains(wanted));
        let class_is_missing = !self.required_acr.is_empty() && !of_class(&self.required_acr);
        let method_is_missing = !self.required_amr.is_empty() && !by_method(&self.required_amr);
        if class_is_missing || method_is_missing {
            return Err(PROOF_TOO_WEAK.refuse());
        }
        Ok(of_class(&self.second_factor_acr) || by_method(&self.second_factor_amr))
    }
}

/// True for what can be a subject: the standard allows ASCII only, up to a length.
pub fn is_subject(text: &str) -> bool {
    (1..=SUBJECT_LENGTH_MAX).contains(&text.len()) && text.is_ascii() && !text.chars().any(is_hidden)
}

/// True for what can be a code or a state: what is shown on a page must not be able to say anything.
pub fn is_opaque(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    (1..=CODE_LENGTH_MAX).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for stage in Stage::ALL {
            assert_eq!(Stage::named(stage.name()), Some(stage));
        }
        assert_eq!(Stage::named("tea"), None);
    }

    #[test]
    fn what_the_provider_says_of_a_second_factor_counts_only_where_it_is_configured() {
        let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let none = Demands::default();
        assert!(!none.weigh(Some("gold"), &words(&["otp", "mfa"])).unwrap());
        let demands = Demands {
            required_acr: words(&["silver", "gold"]),
            required_amr: words(&["pwd"]),
            second_factor_acr: words(&["gold"]),
            second_factor_amr: words(&["hwk"]),
        };
        for (acr, amr, expected) in [
            (Some("silver"), &["pwd"][..], Some(false)),
            (Some("gold"), &["pwd"], Some(true)),
            (Some("silver"), &["pwd", "hwk"], Some(true)),
            (Some("bronze"), &["pwd", "hwk"], None),
            (None, &["pwd"], None),
            (Some("gold"), &[], None),
        ] {
            assert_eq!(demands.weigh(acr, &words(amr)).ok(), expected, "{acr:?} {amr:?}");
        }
    }

    #[test]
    fn what_is_shown_or_kept_cannot_say_anything() {
        assert!(is_subject("248289761001") && is_subject("auth0|a b"));
        for bad in ["", "李伟", "a\0b", &"x".repeat(256)] {
            assert!(!is_subject(bad), "{bad}");
        }
        assert!(is_opaque("SplxlOBeZQQYbYS6WxSbIA.-_~+/="));
        for bad in ["", "call 110", "<b>", "a\u{202e}", &"x".repeat(2_001)] {
            assert!(!is_opaque(bad), "{bad}");
        }
    }
}
