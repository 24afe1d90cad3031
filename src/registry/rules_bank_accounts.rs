//! The rules of bank accounts: where an organisation is paid is changed by two of its people, one of whom proposes and another
//! confirms. A number is shown by its last four digits; whole only where it is needed to pay. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_organisations::{Doing, NAME_LENGTH_MAX};
use crate::registry::rules_text::Form;
use crate::text;

crate::ids! {
    /// A change of an organisation's bank account.
    BankAccountChangeId "accountchange"
}

/// Digits of an account's number: from 8 to 32, as banks of the mainland have them.
pub const NUMBER_LENGTH: std::ops::RangeInclusive<usize> = 8..=32;
/// Digits of a bank's code in the interbank payment system (大额支付系统行号, CNAPS).
pub const BANK_CODE_LENGTH: usize = 12;

/// Another change of the account waits already.
pub static CHANGE_OPEN: Reason = Reason::new(
    Kind::Conflict,
    "bank_account_change_open",
    "已有待确认的账户变更",
    "Another change of the bank account waits",
);
/// The change was confirmed or withdrawn.
pub static CHANGE_DECIDED: Reason = Reason::new(
    Kind::Conflict,
    "bank_account_change_decided",
    "该账户变更已确认或撤回",
    "The change was confirmed or withdrawn already",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&CHANGE_OPEN, &CHANGE_DECIDED];

/// A bank account, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct BankAccount {
    /// In whose name it is.
    pub holder: String,
    /// The bank and its branch.
    pub bank_name: String,
    /// The branch's twelve digits.
    pub bank_code: String,
    /// Its digits.
    pub number: String,
}

impl std::fmt::Debug for BankAccount {
    /// Never the number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BankAccount({})", self.masked())
    }
}

impl BankAccount {
    /// Checks an account; every fault is listed. Spaces between the digits do not count.
    ///
    /// # Errors
    /// [`crate::web::problem::INVALID`] with the place of every fault.
    pub fn new(holder: &str, bank_name: &str, bank_code: &str, number: &str) -> Result<Self, Refusal> {
        let mut form = Form::new();
        let holder = form.line("/holder", holder, NAME_LENGTH_MAX);
        let bank_name = form.line("/bank_name", bank_name, NAME_LENGTH_MAX);
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if bank_code.len() != BANK_CODE_LENGTH || !digits(bank_code) {
            form.object(
                "/bank_code",
                text!(
                    "应为 {BANK_CODE_LENGTH} 位数字",
                    "must be {BANK_CODE_LENGTH} digits"
                ),
            );
        }
        let number = number.replace(' ', "");
        if !NUMBER_LENGTH.contains(&number.len()) || !digits(&number) {
            form.object(
                "/number",
                Text::fixed("应为 8 至 32 位数字", "must be 8 to 32 digits"),
            );
        }
        form.finish(Self {
            holder,
            bank_name,
            bank_code: bank_code.to_owned(),
            number,
        })
    }

    /// The number as it is shown: its last four digits.
    pub fn masked(&self) -> String {
        let shown = self.number.len().saturating_sub(4);
        format!("**** **** {}", self.number.get(shown..).unwrap_or_default())
    }
}

/// How far a change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BankAccountChangeState)]
pub enum ChangeState {
    /// It waits for another person.
    Proposed,
    /// It holds.
    Confirmed,
    /// It was taken back.
    Withdrawn,
}

impl ChangeState {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Proposed, Self::Confirmed, Self::Withdrawn];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Confirmed => "confirmed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A change of an organisation's bank account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankAccountChange {
    /// Its id.
    pub id: BankAccountChangeId,
    /// Whose account it is.
    pub organisation_id: OrganisationId,
    /// The account that is to be, or was to be, the organisation's.
    pub account: BankAccount,
    /// How far it has come.
    pub state: ChangeState,
    /// Who proposed it.
    pub proposed_by: String,
    /// When, UTC.
    pub proposed_at: Instant,
    /// Who confirmed it or took it back, and when, UTC.
    pub decided: Option<(String, Instant)>,
}

/// A change that waits for another person; `open` tells whether one waits already.
///
/// # Errors
/// [`CHANGE_OPEN`].
pub fn propose(
    id: BankAccountChangeId,
    organisation_id: OrganisationId,
    account: BankAccount,
    open: bool,
    doing: Doing<'_>,
) -> Result<BankAccountChange, Refusal> {
    if open {
        return Err(CHANGE_OPEN.refuse());
    }
    Ok(BankAccountChange {
        id,
        organisation_id,
        account,
        state: ChangeState::Proposed,
        proposed_by: doing.by.to_owned(),
        proposed_at: doing.at,
        decided: None,
    })
}

/// The change, decided: confirmed or withdrawn. That another person confirms than proposed is separation of duties.
///
/// # Errors
/// [`CHANGE_DECIDED`].
pub fn decide(
    change: BankAccountChange,
    state: ChangeState,
    doing: Doing<'_>,
) -> Result<BankAccountChange, Refusal> {
    if change.state != ChangeState::Proposed {
        return Err(CHANGE_DECIDED.refuse());
    }
    Ok(BankAccountChange {
        state,
        decided: Some((doing.by.to_owned(), doing.at)),
        ..change
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_checked_and_its_number_not_shown() {
        let account = BankAccount::new(
            "洁城公司",
            "某银行梧桐支行",
            "102100099996",
            "6222 0211 1234 5678 903",
        )
        .unwrap();
        assert_eq!(account.number, "6222021112345678903");
        assert_eq!(account.masked(), "**** **** 8903");
        assert!(!format!("{account:?}").contains("6222"));
        let faults = |holder: &str, bank: &str, code: &str, number: &str| -> Vec<String> {
            BankAccount::new(holder, bank, code, number)
                .err()
                .map(|refusal| refusal.objections.into_iter().map(|one| one.pointer).collect())
                .unwrap_or_default()
        };
        assert_eq!(
            faults("", "=x", "10210009999", "1234567"),
            ["/holder", "/bank_name", "/bank_code", "/number"]
        );
        assert_eq!(
            faults("a", "b", "10210009999x", &"1".repeat(33)),
            ["/bank_code", "/number"]
        );
        assert_eq!(faults("a", "b", "102100099996", "６２２２０２１１"), ["/number"]);
        assert!(faults("a", "b", "102100099996", "12345678").is_empty());
        assert!(faults("a", "b", "102100099996", &"1".repeat(32)).is_empty());
    }
}
