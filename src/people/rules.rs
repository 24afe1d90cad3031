//! Accounts: what makes one, and which state follows which. Pure. A mail address is personal: it is never printed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
pub use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Kind, Objection, Reason, Refusal};
pub use crate::kernel::text::is_hidden;
use crate::kernel::text::{FORMULA, Language, Text};
use crate::text;
use crate::web::problem::INVALID;

/// Characters of a mail address at most (RFC 5321 §4.5.3.1.3, less the angle brackets).
pub const EMAIL_LENGTH_MAX: usize = 254;
/// Characters of the part before the `@` at most (RFC 5321 §4.5.3.1.1).
const LOCAL_PART_LENGTH_MAX: usize = 64;
/// Characters of a person's name.
pub const DISPLAY_NAME_LENGTH_MAX: usize = 100;

/// Another account has the mail address.
pub static EMAIL_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "account_email_taken",
    "该邮箱已有账户",
    "Another account has this mail address",
);
/// What is asked for does not follow from the state that the account is in.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "account_wrong_state",
    "账户当前状态不允许此操作",
    "The account is not in a state for this",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&EMAIL_TAKEN, &WRONG_STATE];

/// A mail address in lower case. Its `Debug` and `Display` hide it; [`Email::whole`] is for the table and for mail.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// The text is no mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a mail address")]
pub struct NotAnEmail;

impl Email {
    /// The address itself.
    pub fn whole(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

impl FromStr for Email {
    type Err = NotAnEmail;

    /// Stricter than RFC 5321: no quoted local parts, no addresses of numbers, nothing but ASCII. Whoever has such an address
    /// has another one too.
    fn from_str(text: &str) -> Result<Self, NotAnEmail> {
        let text = text.trim().to_ascii_lowercase();
        let (local, domain) = text.split_once('@').ok_or(NotAnEmail)?;
        let local_fits = (1..=LOCAL_PART_LENGTH_MAX).contains(&local.len())
            && local.split('.').all(|atom| {
                !atom.is_empty()
                    && atom
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
            });
        let label_fits = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let named = domain.contains('.')
            && domain.split('.').all(label_fits)
            && domain.bytes().any(|byte| byte.is_ascii_alphabetic());
        if local_fits && named && text.len() <= EMAIL_LENGTH_MAX {
            Ok(Self(text))
        } else {
            Err(NotAnEmail)
        }
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// The mail address of a request.
///
/// # Errors
/// [`INVALID`] at `/email`.
pub fn email(text: &str) -> Result<Email, Refusal> {
    text.parse().map_err(|_| {
        INVALID
            .because(Text::fixed("不是有效的邮箱地址", "not a mail address"))
            .at("/email")
    })
}

/// Where an account is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountState)]
pub enum State {
    /// Made, but nobody has taken it over yet.
    Invited,
    /// In use.
    Active,
    /// Closed for a while.
    Suspended,
    /// Closed for good; its history stays.
    Left,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Invited, Self::Active, Self::Suspended, Self::Left];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Left => "left",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    const fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Invited => ("已邀请", "invited"),
            Self::Active => ("正常", "active"),
            Self::Suspended => ("已停用", "suspended"),
            Self::Left => ("已离任", "left"),
        }
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The mail address; none once the person is erased.
    pub email: Option<Email>,
    /// The person's name; none until they have given it, and once they are erased.
    pub display_name: Option<String>,
    /// The language that they read.
    pub language: Language,
    /// Where it is in its life.
    pub state: State,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was made, UTC.
    pub created_at: Instant,
    /// When it was last changed, UTC.
    pub updated_at: Instant,
}

/// Checks a person's name, which may be in any script.
///
/// # Errors
/// [`INVALID`] at `/display_name`.
pub fn display_name(text: &str) -> Result<String, Refusal> {
    let name = text.trim();
    match name_fits(name) {
        Ok(()) => Ok(name.to_owned()),
        Err(detail) => Err(INVALID.because(detail).at("/display_name")),
    }
}

fn name_fits(name: &str) -> Result<(), Text> {
    if !(1..=DISPLAY_NAME_LENGTH_MAX).contains(&name.chars().count()) {
        return Err(text!(
            "姓名应为 1 至 {DISPLAY_NAME_LENGTH_MAX} 个字符",
            "a name has 1 to {DISPLAY_NAME_LENGTH_MAX} characters"
        ));
    }
    if name.chars().any(is_hidden) {
        return Err(Text::fixed(
            "姓名含有不可见字符",
            "the name has invisible characters",
        ));
    }
    if name.starts_with(FORMULA) {
        return Err(Text::fixed(
            "姓名不得以 = + - @ 开头",
            "a name does not begin with = + - or @",
        ));
    }
    Ok(())
}

/// Keeps the first objections of several checks together.
pub fn all_faults(checks: impl IntoIterator<Item = Option<Refusal>>) -> Result<(), Refusal> {
    let objections: Vec<Objection> = checks
        .into_iter()
        .flatten()
        .flat_map(|refusal| refusal.objections)
        .collect();
    if objections.is_empty() {
        Ok(())
    } else {
        Err(INVALID.refuse().listing(objections))
    }
}

/// A new account, which nobody has taken over yet.
pub fn invite(id: AccountId, email: Email, language: Language, now: Instant) -> Account {
    Account {
        id,
        email: Some(email),
        display_name: None,
        language,
        state: State::Invited,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The account once its person has taken it over.
///
/// # Errors
/// [`WRONG_STATE`] unless it is invited.
pub fn activate(
    account: Account,
    display_name: String,
    language: Language,
    now: Instant,
) -> Result<Account, Refusal> {
    in_state(&account, &[State::Invited])?;
    Ok(Account {
        display_name: Some(display_name),
        language,
        ..moved(account, State::Active, now)
    })
}

/// The account under another name, or with another language; `None` if it has them already.
///
/// # Errors
/// [`WRONG_STATE`] unless it is in use.
pub fn change(
    account: Account,
    display_name: Option<String>,
    language: Option<Language>,
    now: Instant,
) -> Result<Option<Account>, Refusal> {
    in_state(&account, &[State::Active])?;
    let changed = Account {
        display_name: display_name.or(account.display_name.clone()),
        language: language.unwrap_or(account.language),
        ..moved(account.clone(), State::Active, now)
    };
    let same = (&changed.display_name, changed.language) == (&account.display_name, account.language);
    Ok((!same).then_some(changed))
}

/// The account closed for a while.
///
/// # Errors
/// [`WRONG_STATE`] unless it is in use.
pub fn suspend(account: Account, now: Instant) -> Result<Account, Refusal> {
    in_state(&account, &[State::Active])?;
    Ok(moved(account, State::Suspended, now))
}

/// The account in use again.
///
/// # Errors
/// [`WRONG_STATE`] unless it is suspended.
pub fn reinstate(account: Account, now: Instant) -> Result<Account, Refusal> {
    in_state(&account, &[State::Suspended])?;
    Ok(moved(account, State::Active, now))
}

/// The account closed for good.
///
/// # Errors
/// [`WRONG_STATE`] if it is already.
pub fn leave(account: Account, now: Instant) -> Result<Account, Refusal> {
    in_state(&account, &[State::Invited, State::Active, State::Suspended])?;
    Ok(moved(account, State::Left, now))
}

fn moved(account: Account, state: State, now: Instant) -> Account {
    Account {
        state,
        version: account.version.saturating_add(1),
        updated_at: now,
        ..account
    }
}

fn in_state(account: &Account, states: &[State]) -> Result<(), Refusal> {
    if states.contains(&account.state) {
        return Ok(());
    }
    let (zh, en) = account.state.text();
    Err(WRONG_STATE.because(text!("账户状态为“{zh}”", "the account is {en}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn at(day: u32) -> Instant {
        chrono::Utc.with_ymd_and_hms(2026, 3, day, 0, 0, 0).unwrap()
    }

    fn invited() -> Account {
        let email = "li.wei@ward.example".parse().unwrap();
        invite(AccountId::mint(at(1)), email, Language::Chinese, at(1))
    }

    #[test]
    fn an_address_is_read_strictly_kept_in_lower_case_and_never_printed() {
        let email: Email = " Li.Wei+ward@Ward.Example ".parse().unwrap();
        assert_eq!(email.whole(), "li.wei+ward@ward.example");
        assert_eq!(email.local_part(), "li.wei+ward");
        assert!(!format!("{email:?}").contains("wei"));
        let long = format!("{}@ward.example", "x".repeat(65));
        for bad in [
            "",
            "@",
            "a@",
            "@b.c",
            "a@b",
            "a b@c.d",
            "a@b..c",
            ".a@b.c",
            "a.@b.c",
            "a..b@c.d",
            "a@-b.c",
            "a@b-.c",
            "\"a\"@b.c",
            "a@b.c\r\nBcc: x@y.z",
            "李@b.c",
            "a@127.0.0.1",
            "a@[::1]",
            "a@b@c.d",
            &long,
        ] {
            assert_eq!(bad.parse::<Email>(), Err(NotAnEmail), "{bad}");
        }
    }

    #[test]
    fn an_account_is_taken_over_once() {
        let active = activate(invited(), "李伟".into(), Language::English, at(2)).unwrap();
        assert_eq!(
            (active.state, active.version, active.updated_at),
            (State::Active, 2, at(2))
        );
        assert_eq!(
            (active.display_name.as_deref(), active.language),
            (Some("李伟"), Language::English)
        );
        let refusal = activate(active, "x".into(), Language::English, at(3)).unwrap_err();
        assert_eq!(refusal.reason.code, "account_wrong_state");
    }

    #[test]
    fn who_has_left_comes_back_by_no_way() {
        let active = activate(invited(), "李伟".into(), Language::Chinese, at(2)).unwrap();
        let suspended = suspend(active.clone(), at(3)).unwrap();
        assert!(suspend(suspended.clone(), at(4)).is_err() && reinstate(active.clone(), at(4)).is_err());
        assert_eq!(reinstate(suspended.clone(), at(4)).unwrap().state, State::Active);
        for account in [invited(), active.clone(), suspended] {
            let left = leave(account, at(5)).unwrap();
            assert!(leave(left.clone(), at(6)).is_err() && reinstate(left.clone(), at(6)).is_err());
            assert!(suspend(left.clone(), at(6)).is_err() && change(left, None, None, at(6)).is_err());
        }
        assert_eq!(
            change(active.clone(), None, Some(Language::Chinese), at(6)).unwrap(),
            None
        );
        let changed = change(active, Some("李薇".into()), None, at(6)).unwrap().unwrap();
        assert_eq!(
            (changed.display_name.as_deref(), changed.version),
            (Some("李薇"), 3)
        );
    }

    #[test]
    fn a_name_hides_nothing_and_is_no_formula() {
        assert_eq!(display_name(" 李伟 ").unwrap(), "李伟");
        for bad in ["", "a\u{200b}", "=1+1", "a\nb", &"字".repeat(101)] {
            assert!(display_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_states_lead_back() {
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
        }
    }
}
