//! What people are written about their accounts: always through the outbox, in the transaction of the act.

use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::outbox;
use crate::outbox::content::Content;
use crate::outbox::notice::{Notice, Recipient};
use crate::people::rules::{Account, Email};

/// Queues a mail to an account's owner. One whose person is erased gets none. `key` tells mails of one account apart.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    account: &Account,
    key: &str,
    content: impl Into<Content>,
    useful_until: Option<Instant>,
) -> Answer<()> {
    let Some(email) = &account.email else {
        return Ok(());
    };
    let name = account.display_name.as_deref().unwrap_or_default();
    let address = address_of(email)?;
    let to = Recipient::account(account.id.as_str(), address, name, account.language);
    let mut notice = Notice::new(format!("{}:{key}", account.id), to, content);
    notice.useful_until = useful_until;
    outbox::store::enqueue(tx, &notice)?;
    Ok(())
}

/// Queues a mail to an address that is no account's.
pub(super) fn tell_stranger(
    tx: &mut Tx<'_>,
    email: &Email,
    language: Language,
    key: &str,
    content: impl Into<Content>,
    useful_until: Instant,
) -> Answer<()> {
    let to = Recipient::stranger(address_of(email)?, language);
    let notice = Notice::new(key, to, content).useful_until(useful_until);
    outbox::store::enqueue(tx, &notice)?;
    Ok(())
}

fn address_of(email: &Email) -> Result<outbox::address::Address, Fault> {
    email
        .whole()
        .parse()
        .map_err(|_| Fault::broken("a mail address that the outbox does not know as one"))
}
