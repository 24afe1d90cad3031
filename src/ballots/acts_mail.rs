//! Writing to voters: to all of them when a ballot opens, and once more to those who have not voted when a third of the time is left. The service knows to
//! whom, and no person learns it: links are sealed until they are sent, keys of mails are made with the ballot's key, and all of it is forgotten at the count; lists of mail have no address of these. It is upkeep and no event: an event for each mail would tell who has not voted yet.

use crate::ballots::acts_voting::{is_claimed, token};
use crate::ballots::polling::Polling;
use crate::ballots::rules::{Ballot, BallotId, State};
use crate::ballots::rules_slips::mail_tag;
use crate::ballots::{store, store_letters};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Language;
use crate::outbox;
use crate::outbox::address::Address;
use crate::outbox::content::{BallotLetterReplaced, BallotOpened};
use crate::outbox::notice::{Notice, Recipient};
use crate::outbox::wording::Both;
use crate::registry::rules_roll::{self as roll, ResidentId};
use crate::registry::{store_contacts, store_roll};

/// Voters who are written to in one transaction.
const AT_ONCE: i64 = 100;

/// Which mail it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailing {
    /// That it is open.
    Opening,
    /// That it is still open.
    Reminder,
}

impl Mailing {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Opening, Self::Reminder];

    const fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Reminder => "reminder",
        }
    }
}

/// When those who have not voted are reminded: when two thirds of the time are over.
pub fn reminded_at(ballot: &Ballot) -> Instant {
    let open_for = ballot.closes_at.signed_duration_since(ballot.opens_at);
    ballot
        .opens_at
        .checked_add_signed(open_for * 2 / 3)
        .unwrap_or(ballot.closes_at)
}

/// Writes to some more voters of a ballot. Tells whether there are none left.
///
/// # Errors
/// A fault of the database.
pub fn write_to_some(tx: &mut Tx<'_>, polling: &Polling, id: &BallotId, mailing: Mailing) -> Answer<bool> {
    let now = tx.now();
    let Some(ballot) = store::ballot(tx.conn(), id)? else {
        return Ok(true);
    };
    if ballot.state(now) != State::Open || (mailing == Mailing::Reminder && now < reminded_at(&ballot)) {
        return Ok(true);
    }
    let through = store_letters::mailed_through(tx.conn(), id, mailing.name())?;
    let voters = store::voters_after(tx.conn(), id, through, AT_ONCE)?;
    let Some(last) = voters.last().map(|voter| voter.number) else {
        return Ok(true);
    };
    let key = polling.key(&ballot)?;
    for voter in voters {
        // Nobody gets a link for an entry that was put into the roll.
        if voter.has_voted || !polling.vouches_for(&ballot, &voter)? {
            continue;
        }
        let Some(reader) = reader(tx.conn(), polling, &voter.resident_id)? else {
            continue;
        };
        let content = BallotOpened {
            ballot: Both::new(&ballot.title_zh, &ballot.title_en),
            closes_at: ballot.closes_at,
            is_reminder: mailing == Mailing::Reminder,
            path: polling.sealed_link(&format!("/v/{}", token(&key, id, voter.number)?))?,
            is_link: true,
        };
        let tag = hex::encode(mail_tag(&key, id, voter.number)?);
        let notice = Notice::new(format!("{id}:{}:{tag}", mailing.name()), reader, content);
        outbox::store::enqueue(tx, &notice.useful_until(ballot.closes_at))?;
    }
    store_letters::note_mailed(tx, id, mailing.name(), last)?;
    Ok(false)
}

/// Tells a voter, where they can be reached, that a letter was printed for them, and makes their older one void if they had one. It holds no link: it is about who else may have one.
///
/// # Errors
/// A fault of the database.
pub(super) fn tell_printed(
    tx: &mut Tx<'_>,
    (polling, ballot): (&Polling, &Ballot),
    (resident, printings): (&ResidentId, i64),
    letter: &[u8; 32],
) -> Answer<()> {
    let Some(reader) = reader(tx.conn(), polling, resident)? else {
        return Ok(());
    };
    let content = BallotLetterReplaced {
        ballot: Both::new(&ballot.title_zh, &ballot.title_en),
        closes_at: ballot.closes_at,
        is_first: printings == 1,
    };
    let key = format!("{}:letter:{}", ballot.id, hex::encode(letter));
    outbox::store::enqueue(tx, &Notice::new(key, reader, content))?;
    Ok(())
}

/// How a voter is reached: by the account that the log has to have claimed their place, or by the address on the roll. Whoever has left the roll is not written to.
fn reader(conn: &mut Conn, polling: &Polling, resident: &ResidentId) -> Answer<Option<Recipient>> {
    let Some(resident) = store_roll::resident(conn, resident)? else {
        return Ok(None);
    };
    let Ok(person) = roll::on_roll(&resident) else {
        return Ok(None);
    };
    // An account that somebody has written into the place of a resident gets no link of theirs.
    if let Some(account) = &resident.account_id
        && is_claimed(conn, polling, (&resident.id, account))?
        && let Some(reader) = store_contacts::account(conn, account.as_str())?
    {
        return Ok(Some(reader));
    }
    let address: Option<Address> = person.email.as_deref().and_then(|email| email.parse().ok());
    Ok(address.map(|address| Recipient::stranger(address, Language::default())))
}
