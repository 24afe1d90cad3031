//! Sessions: how long they last and why they end. Pure; of a token only its hash is known here.

use chrono::Duration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::people::rules::is_hidden;
use crate::web::problem::INVALID;

crate::ids! {
    /// A session: one sign-in on one device.
    SessionId "session"
}

/// How long an access token is valid.
pub const ACCESS_LIFETIME: Duration = Duration::minutes(10);
/// How long a refresh token is valid, and with it the session that nobody uses.
pub const REFRESH_LIFETIME: Duration = Duration::days(30);
/// How long a session lasts at most, however busy.
pub const SESSION_LIFETIME: Duration = Duration::days(90);
/// How long an ended session is remembered.
pub const REMEMBERED_FOR: Duration = Duration::days(30);
/// Sessions of one account at a time; one more ends the one that was used longest ago.
pub const SESSIONS_MAX: usize = 50;
/// Characters of a device's name.
pub const DEVICE_NAME_LENGTH_MAX: usize = 100;

/// Whoever signs in is not let in. Says no word about what was wrong: not whether there is such an account.
pub static CREDENTIALS_REFUSED: Reason = Reason::new(
    Kind::Invalid,
    "credentials_refused",
    "登录信息不正确",
    "These credentials are not accepted",
);
/// The refresh token is not one that may be used.
pub static REFRESH_REFUSED: Reason = Reason::new(
    Kind::Invalid,
    "refresh_token_refused",
    "刷新凭证无效，请重新登录",
    "The refresh token is not accepted; sign in again",
);
/// More hashes of passwords are being computed than this machine has memory for.
pub static SIGN_IN_BUSY: Reason = Reason::new(
    Kind::Busy,
    "sign_in_busy",
    "登录繁忙，请稍后重试",
    "Too many people are signing in at once; try again shortly",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 3] = [&CREDENTIALS_REFUSED, &REFRESH_REFUSED, &SIGN_IN_BUSY];

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// With a password.
    Password,
    /// With a one-time code by mail.
    Code,
    /// By a link that was sent to them: an invitation.
    Link,
    /// Through another provider.
    Oidc,
}

impl Means {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Password, Self::Code, Self::Link, Self::Oidc];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
            Self::Link => "link",
            Self::Oidc => "oidc",
        }
    }

    /// The means of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|means| means.name() == name)
    }
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its owner signed out, on this device or of this session.
    SignedOut,
    /// Its owner signed out everywhere.
    SignedOutEverywhere,
    /// A refresh token of it was shown twice.
    ReuseDetected,
    /// The password is another one.
    PasswordChanged,
    /// The account was suspended.
    Suspended,
    /// Its owner left.
    Left,
}

impl End {
    /// The name in the log and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::ReuseDetected => "reuse_detected",
            Self::PasswordChanged => "password_changed",
            Self::Suspended => "suspended",
            Self::Left => "left",
        }
    }
}

/// A session that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What the device calls itself.
    pub device_name: Option<String>,
    /// How they signed in.
    pub means: Means,
    /// True if a second factor was shown.
    pub second_factor: bool,
    /// When it began, UTC.
    pub created_at: Instant,
    /// When it was last refreshed, UTC.
    pub used_at: Instant,
    /// When it ends if it is not refreshed, UTC.
    pub expires_at: Instant,
}

/// When a session that began at `created_at` ends, if it is refreshed now and then no more.
pub fn expiry(created_at: Instant, now: Instant) -> Instant {
    (now + REFRESH_LIFETIME).min(created_at + SESSION_LIFETIME)
}

/// What a device calls itself.
///
/// # Errors
/// [`INVALID`] at `/device_name`.
pub fn device_name(text: &str) -> Result<String, Refusal> {
    let name = text.trim();
    let fits = (1..=DEVICE_NAME_LENGTH_MAX).contains(&name.chars().count()) && !name.chars().any(is_hidden);
    if fits {
        Ok(name.to_owned())
    } else {
        let detail = Text::fixed(
            "设备名称应为 1 至 100 个可见字符",
            "a device's name has 1 to 100 visible characters",
        );
        Err(INVALID.because(detail).at("/device_name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn a_session_that_is_used_lasts_longer_but_not_for_ever() {
        let begun = chrono::Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap();
        assert_eq!(expiry(begun, begun), begun + REFRESH_LIFETIME);
        let later = begun + Duration::days(20);
        assert_eq!(expiry(begun, later), later + REFRESH_LIFETIME);
        let late = begun + Duration::days(89);
        assert_eq!(expiry(begun, late), begun + SESSION_LIFETIME);
    }

    #[test]
    fn names_lead_back_and_a_devices_name_hides_nothing() {
        for means in Means::ALL {
            assert_eq!(Means::named(means.name()), Some(means));
        }
        assert_eq!(device_name(" Pad im Büro ").unwrap(), "Pad im Büro");
        for bad in ["", " ", "a\u{202e}b", &"x".repeat(101)] {
            assert!(device_name(bad).is_err(), "{bad}");
        }
    }
}
