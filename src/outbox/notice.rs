//! What an act wants to have told to somebody: given to `store::enqueue` in the transaction of the act.

use crate::kernel::clock::Instant;
use crate::kernel::text::Language;
use crate::outbox::address::{Address, NAME_LENGTH_MAX, one_line};
use crate::outbox::content::Content;

/// Whom it is told to. Has no `Debug`: it is personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The account; without one, nobody can have chosen anything about it.
    pub account_id: Option<String>,
    /// Where to.
    pub address: Address,
    /// The name that the mail begins with.
    pub name: String,
    /// The account's language; a choice in the mail preferences goes over it.
    pub language: Language,
}

impl Recipient {
    /// Somebody with an account.
    pub fn account(id: &str, address: Address, name: &str, language: Language) -> Self {
        Self {
            account_id: Some(id.to_owned()),
            address,
            name: one_line(name, NAME_LENGTH_MAX),
            language,
        }
    }

    /// Somebody of whom only the address is known.
    pub fn stranger(address: Address, language: Language) -> Self {
        Self {
            account_id: None,
            address,
            name: String::new(),
            language,
        }
    }
}

/// Something to be told once.
#[derive(Clone)]
pub struct Notice {
    /// To whom.
    pub to: Recipient,
    /// What.
    pub content: Content,
    /// Told once, whoever asks for it again and in whatever transaction: visible ASCII, like
    /// `qualification_01…:expiring:30:user_01…`. Part of no mail; holds nothing personal.
    pub key: String,
    /// Not before this instant.
    pub not_before: Option<Instant>,
    /// Useless from this instant on.
    pub useful_until: Option<Instant>,
}

impl Notice {
    /// Something to be told as soon as the act is done.
    pub fn new(key: impl Into<String>, to: Recipient, content: impl Into<Content>) -> Self {
        Self {
            to,
            content: content.into(),
            key: key.into(),
            not_before: None,
            useful_until: None,
        }
    }

    /// The same, but not before an instant.
    #[must_use]
    pub fn not_before(mut self, instant: Instant) -> Self {
        self.not_before = Some(instant);
        self
    }

    /// The same, but never from an instant on, at which a code has expired, say.
    #[must_use]
    pub fn useful_until(mut self, instant: Instant) -> Self {
        self.useful_until = Some(instant);
        self
    }
}
