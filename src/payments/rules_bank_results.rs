//! What a bank says of payments, and what it changes: an entry of its answer is compared with the claim that it names, and has an effect only if the claim waits for it and amount
//! and accounts are the same to the fen. Whatever else an entry is, it is said, and changes nothing. Pure.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::money::Money;
use crate::kernel::refusal::{Kind, Reason};
use crate::payments::rules_claims::{ClaimId, State as ClaimState};
use crate::registry::rules_text::line_fits;
use crate::text;

crate::ids! {
    /// What a bank said, as it was read.
    BankStatementId "bankstatement"
}

/// Bytes of one file at most.
pub const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Entries of one file at most.
pub const ENTRIES_MAX: usize = 5_000;
/// Payments that one file speaks of at most, those of files that it speaks of as a whole among them.
pub const PAYMENTS_MAX: usize = 10_000;
/// Characters of what is kept of an entry's words.
pub const WORDS_LENGTH_MAX: usize = 200;

/// The file is none that can be read.
pub static UNREADABLE: Reason = Reason::new(
    Kind::Malformed,
    "bank_statement_unreadable",
    "无法读取银行文件",
    "The bank's file cannot be read",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 1] = [&UNREADABLE];

/// What sort of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BankStatementFormat)]
pub enum Format {
    /// ISO 20022 `pain.002`: what became of a file of payments.
    #[serde(rename = "pain_002")]
    Pain002,
    /// ISO 20022 `camt.053`: an account's statement.
    #[serde(rename = "camt_053")]
    Camt053,
    /// A table, as CSV.
    Table,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pain002, Self::Camt053, Self::Table];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pain002 => "pain_002",
            Self::Camt053 => "camt_053",
            Self::Table => "table",
        }
    }

    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What the bank says of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// It was paid.
    Paid,
    /// It was rejected, or came back.
    Returned,
    /// It is not through with it.
    Pending,
    /// It is no payment that was ordered here: money that came in.
    Other,
    /// What it says cannot be read.
    Unreadable,
}

/// Of what it says that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Of the payment with this end-to-end identification.
    Payment(String),
    /// Of every payment of the file with this message identification.
    Message(String),
    /// Of nothing that it names.
    Nobody,
}

/// An amount as the bank gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    /// An amount of CNY.
    Exact(Money),
    /// Something else, of another currency for instance.
    Odd,
}

impl Amount {
    /// An amount in a currency. Zeros after the fen are none.
    pub fn read(text: &str, currency: Option<&str>) -> Self {
        let text = text.trim();
        let text = match text.split_once('.') {
            Some((_, places)) if places.len() > 2 => {
                let cut = text.trim_end_matches('0');
                cut.strip_suffix('.').unwrap_or(cut)
            }
            _ => text,
        };
        match (currency, text.parse::<Money>()) {
            (None | Some("CNY"), Ok(money)) if !money.is_negative() => Self::Exact(money),
            _ => Self::Odd,
        }
    }
}

/// One entry of what a bank says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands in the file.
    pub place: String,
    /// Of what.
    pub subject: Subject,
    /// The message identification of the file that the payment was in, if it is said.
    pub message_id: Option<String>,
    /// What.
    pub said: Said,
    /// How much, if it is said.
    pub amount: Option<Amount>,
    /// From which account, if it is said.
    pub debtor: Option<String>,
    /// To which account, if it is said.
    pub creditor: Option<String>,
    /// The bank's reference.
    pub reference: Option<String>,
    /// On which day.
    pub booked_on: Option<NaiveDate>,
    /// Why it was rejected or came back.
    pub reason: Option<String>,
}

impl Entry {
    /// One that says nothing yet.
    pub fn at(place: String) -> Self {
        Self {
            place,
            subject: Subject::Nobody,
            message_id: None,
            said: Said::Unreadable,
            amount: None,
            debtor: None,
            creditor: None,
            reference: None,
            booked_on: None,
            reason: None,
        }
    }
}

/// A file, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What sort of file it is.
    pub format: Format,
    /// What the bank calls it.
    pub name: Option<String>,
    /// What it says.
    pub entries: Vec<Entry>,
}

/// The claim that an entry names, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub claim_id: ClaimId,
    /// How far it has come.
    pub state: ClaimState,
    /// What was paid of it.
    pub amount: Money,
    /// By which message identification the bank knows its file, if it was paid with one.
    pub message_id: Option<String>,
    /// From which account; `None` if the buyer has none.
    pub debtor: Option<String>,
    /// To which account.
    pub creditor: String,
    /// Whether whoever reads the file acts for the contractor.
    pub is_own: bool,
    /// Whether whoever reads the file has claimed, certified, approved or executed it.
    pub has_hand: bool,
}

/// What comes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BankEntryOutcome)]
pub enum Outcome {
    /// The payment is confirmed by the bank's reference.
    Confirmed,
    /// The payment failed: its money is back.
    Failed,
    /// The bank is not through with it.
    Pending,
    /// It is no payment that was ordered: money that came in.
    OtherMoney,
    /// No payment of the buyer is called so.
    Unknown,
    /// The file has said the same of the payment before.
    Doubled,
    /// It was known already.
    DoneAlready,
    /// The claim was not executed here.
    NotExecuted,
    /// It failed before, and the bank says that it was paid.
    Contradicts,
    /// It is another amount.
    AmountDiffers,
    /// It is another account.
    AccountDiffers,
    /// Whoever reads the file acts for the contractor.
    OwnClaim,
    /// Whoever reads the file had a hand in the payment: somebody else has to read it.
    SeparationOfDuties,
    /// What it says cannot be read.
    Unreadable,
}

impl Outcome {
    /// Whether it changes something.
    pub const fn is_effective(self) -> bool {
        matches!(self, Self::Confirmed | Self::Failed)
    }
}

/// What comes of an entry, by the first of these that applies: it cannot be read; is other money; names nobody; is not final; is of the reader's own claim; is another amount, or
/// account; is said of what was not executed; was said before; would take effect by somebody who had a hand in the payment.
pub fn judged(entry: &Entry, known: Option<&Known>) -> Outcome {
    match (entry.said, known) {
        (Said::Unreadable, _) => Outcome::Unreadable,
        (Said::Other, _) => Outcome::OtherMoney,
        (_, None) => Outcome::Unknown,
        (_, Some(known)) if entry.message_id.is_some() && entry.message_id != known.message_id => {
            Outcome::Unknown
        }
        (Said::Pending, _) => Outcome::Pending,
        (_, Some(known)) if known.is_own => Outcome::OwnClaim,
        (said, Some(known)) => compared(said, entry, known),
    }
}

fn compared(said: Said, entry: &Entry, known: &Known) -> Outcome {
    let is_amount = entry
        .amount
        .as_ref()
        .is_none_or(|amount| *amount == Amount::Exact(known.amount));
    if !is_amount {
        return Outcome::AmountDiffers;
    }
    let is_debtor = entry.debtor.is_none() || entry.debtor == known.debtor;
    let is_creditor = entry.creditor.as_ref().is_none_or(|account| {
        // What comes back is sometimes told with the parties exchanged.
        *account == known.creditor || (said == Said::Returned && known.debtor.as_ref() == Some(account))
    });
    if !is_debtor || !is_creditor {
        return Outcome::AccountDiffers;
    }
    let is_new = match said {
        Said::Paid => known.state == ClaimState::Executed,
        Said::Returned => matches!(known.state, ClaimState::Executed | ClaimState::Confirmed),
        _ => false,
    };
    if is_new && known.has_hand {
        return Outcome::SeparationOfDuties;
    }
    match (said, known.state) {
        (Said::Paid, ClaimState::Executed) => Outcome::Confirmed,
        (Said::Returned, ClaimState::Executed | ClaimState::Confirmed) => Outcome::Failed,
        (Said::Paid, ClaimState::Confirmed) | (Said::Returned, ClaimState::Failed) => Outcome::DoneAlready,
        (_, ClaimState::Failed) => Outcome::Contradicts,
        _ => Outcome::NotExecuted,
    }
}

/// What came of the entries of a file until now.
#[derive(Debug, Default)]
pub struct Before {
    said: BTreeSet<(String, Said)>,
}

impl Before {
    /// What comes of the next entry. What the file has said of the payment before, with effect, is not said again.
    pub fn next(&mut self, entry: &Entry, known: Option<&Known>) -> Outcome {
        let key = known.map(|known| (known.claim_id.to_string(), entry.said));
        if key.as_ref().is_some_and(|key| self.said.contains(key)) {
            return Outcome::Doubled;
        }
        let outcome = judged(entry, known);
        if outcome.is_effective() {
            self.said.extend(key);
        }
        outcome
    }
}

/// Words of a bank as they may be kept: without what cannot be seen, at most so many characters, and nothing that a spreadsheet would run; `None` if that leaves nothing.
pub fn words(text: &str, length_max: usize) -> Option<String> {
    let seen: String = text
        .chars()
        .map(|one| {
            if line_fits(&format!("a{one}a"), 3).is_ok() {
                one
            } else {
                ' '
            }
        })
        .collect();
    let seen =
        seen.trim_start_matches(|one: char| one.is_whitespace() || matches!(one, '=' | '+' | '-' | '@'));
    let cut: String = seen.chars().take(length_max).collect();
    let cut = cut.trim().to_owned();
    line_fits(&cut, length_max).is_ok().then_some(cut)
}

/// Why a payment failed, in both languages, from what the bank says.
pub fn why(reason: Option<&str>) -> (String, String) {
    let reason = reason.and_then(|reason| words(reason, WORDS_LENGTH_MAX));
    let told = match reason {
        Some(reason) => text!("银行退回：{reason}", "The bank sent it back: {reason}"),
        None => text!("银行退回，未说明原因", "The bank sent it back and said no reason"),
    };
    let say = |language| told.in_language(language).to_owned();
    (
        say(crate::kernel::text::Language::Chinese),
        say(crate::kernel::text::Language::English),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::rules_claims::tests::{now, yuan};

    fn known(state: ClaimState) -> Known {
        Known {
            claim_id: ClaimId::mint(now()),
            state,
            amount: yuan("188868.30"),
            message_id: Some("m1".to_owned()),
            debtor: Some("1100".to_owned()),
            creditor: "6222".to_owned(),
            is_own: false,
            has_hand: false,
        }
    }

    fn entry(said: Said) -> Entry {
        Entry {
            said,
            amount: Some(Amount::read("188868.30", Some("CNY"))),
            debtor: Some("1100".to_owned()),
            creditor: Some("6222".to_owned()),
            ..Entry::at("/1".to_owned())
        }
    }

    #[test]
    fn amounts_are_the_same_to_the_fen_and_in_the_same_money() {
        for same in ["188868.30", "188868.3", "188868.30000", " 188868.3000 "] {
            assert_eq!(
                Amount::read(same, Some("CNY")),
                Amount::Exact(yuan("188868.30")),
                "{same}"
            );
        }
        assert_eq!(Amount::read("100.000", None), Amount::Exact(yuan("100.00")));
        for (odd, currency) in [
            ("188868.301", "CNY"),
            ("188868.30", "USD"),
            ("-1.00", "CNY"),
            ("1e3", "CNY"),
            ("", "CNY"),
        ] {
            assert_eq!(Amount::read(odd, Some(currency)), Amount::Odd, "{odd}");
        }
    }

    /// Every state of a claim against everything that a bank can say of it.
    #[test]
    fn only_what_waits_for_the_bank_is_changed_by_it() {
        use ClaimState::{Approved, Certified, Claimed, Confirmed, Executed, Failed, Returned};
        for state in ClaimState::ALL {
            let (paid, returned) = match state {
                Claimed | Certified | Approved | Returned => (Outcome::NotExecuted, Outcome::NotExecuted),
                Executed => (Outcome::Confirmed, Outcome::Failed),
                Confirmed => (Outcome::DoneAlready, Outcome::Failed),
                Failed => (Outcome::Contradicts, Outcome::DoneAlready),
            };
            let known = known(state);
            for (said, outcome) in [
                (Said::Paid, paid),
                (Said::Returned, returned),
                (Said::Pending, Outcome::Pending),
                (Said::Other, Outcome::OtherMoney),
                (Said::Unreadable, Outcome::Unreadable),
            ] {
                assert_eq!(judged(&entry(said), Some(&known)), outcome, "{state:?} {said:?}");
            }
        }
        assert_eq!(judged(&entry(Said::Paid), None), Outcome::Unknown);
    }

    /// Whoever had a hand in a payment does not say what the bank has done with it; what was known already may be read by anybody.
    #[test]
    fn who_had_a_hand_in_a_payment_does_not_speak_for_the_bank() {
        for state in ClaimState::ALL {
            let others = known(state);
            let own = Known {
                has_hand: true,
                ..others.clone()
            };
            for said in [Said::Paid, Said::Returned, Said::Pending, Said::Other] {
                let otherwise = judged(&entry(said), Some(&others));
                let expected = if otherwise.is_effective() {
                    Outcome::SeparationOfDuties
                } else {
                    otherwise
                };
                assert_eq!(judged(&entry(said), Some(&own)), expected, "{state:?} {said:?}");
            }
        }
    }

    #[test]
    fn amount_accounts_and_file_are_compared_first() {
        let executed = known(ClaimState::Executed);
        let with = |change: &dyn Fn(&mut Entry)| {
            let mut entry = entry(Said::Paid);
            change(&mut entry);
            judged(&entry, Some(&executed))
        };
        assert_eq!(
            with(&|one| one.amount = Some(Amount::read("188868.29", None))),
            Outcome::AmountDiffers
        );
        assert_eq!(
            with(&|one| one.amount = Some(Amount::Odd)),
            Outcome::AmountDiffers
        );
        assert_eq!(with(&|one| one.amount = None), Outcome::Confirmed);
        assert_eq!(
            with(&|one| one.debtor = Some("1".to_owned())),
            Outcome::AccountDiffers
        );
        assert_eq!(
            with(&|one| one.creditor = Some("1100".to_owned())),
            Outcome::AccountDiffers
        );
        assert_eq!(
            with(&|one| (one.creditor, one.said) = (Some("1100".to_owned()), Said::Returned)),
            Outcome::Failed
        );
        assert_eq!(
            with(&|one| one.message_id = Some("m2".to_owned())),
            Outcome::Unknown
        );
        assert_eq!(
            with(&|one| one.message_id = Some("m1".to_owned())),
            Outcome::Confirmed
        );
        let own = Known {
            is_own: true,
            ..executed.clone()
        };
        assert_eq!(judged(&entry(Said::Paid), Some(&own)), Outcome::OwnClaim);
        let nowhere = Known {
            debtor: None,
            ..executed.clone()
        };
        assert_eq!(
            judged(&entry(Said::Paid), Some(&nowhere)),
            Outcome::AccountDiffers
        );
    }

    #[test]
    fn a_file_says_a_thing_once_and_may_say_another_of_the_same_payment() {
        let mut before = Before::default();
        let executed = known(ClaimState::Executed);
        let confirmed = Known {
            state: ClaimState::Confirmed,
            ..executed.clone()
        };
        assert_eq!(
            before.next(&entry(Said::Paid), Some(&executed)),
            Outcome::Confirmed
        );
        assert_eq!(
            before.next(&entry(Said::Paid), Some(&confirmed)),
            Outcome::Doubled
        );
        assert_eq!(
            before.next(&entry(Said::Returned), Some(&confirmed)),
            Outcome::Failed
        );
        let mut again = Before::default();
        assert_eq!(
            again.next(&entry(Said::Paid), Some(&confirmed)),
            Outcome::DoneAlready
        );
        assert_eq!(
            again.next(&entry(Said::Paid), Some(&confirmed)),
            Outcome::DoneAlready
        );
    }

    #[test]
    fn words_of_a_bank_are_kept_as_they_can_be_read() {
        assert_eq!(
            words(" =+-@AC04 \u{7}closed\n", 40).as_deref(),
            Some("AC04  closed")
        );
        assert_eq!(words("洁城公司", 2).as_deref(), Some("洁城"));
        assert_eq!(words("=\u{0}", 40), None);
        assert_eq!(why(None).1, "The bank sent it back and said no reason");
        assert_eq!(why(Some("AC04")).0, "银行退回：AC04");
        for format in Format::ALL {
            assert_eq!(Format::named(format.name()), Some(format));
        }
    }
}
