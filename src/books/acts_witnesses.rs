//! What witnesses of openings do, and the making of a book's opening key, by the service alone or for them to share. A share is handed in
//! when the opening has come and never before; what shows that it is in good hands until then is the word beside it.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::books::acts::record;
use crate::books::custody::{Custody, OpeningKey};
use crate::books::rules::{Book, BookId};
use crate::books::rules_documents::{BookDocument, CustodyDocument};
use crate::books::rules_readiness::WitnessFacts;
use crate::books::rules_witnesses::{
    self as rules, HeldShare, OPENING_SHARE_MALFORMED, OPENING_SHARE_WRONG, REHEARSAL_WORD_WRONG,
    SharedCustody, WitnessKey,
};
use crate::books::shares::{self, SharedKey};
use crate::books::{recipients, store, store_witnesses};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault, Refusal};
use crate::outbox;
use crate::outbox::content::{ShareSealed, SharesAwaited};
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::people::rules::State as AccountState;
use crate::people::store as people;
use crate::people::store_grants::{self, GrantFilter};
use crate::registry::acts_organisations::account;
use crate::registry::store_contacts;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter, Role};
use crate::web::problem::NOT_FOUND;

/// Registers the recipient to which an account's shares are sealed from now on. Shares of books that are public stay as they were sealed.
///
/// # Errors
/// Permission; those of the rules.
pub fn register(tx: &mut Tx<'_>, actor: &Actor, recipient: &str) -> Answer<WitnessKey> {
    policy::allow(actor, Action::RegisterWitnessKey, Matter::default())?;
    let account = account(actor)?;
    let current = store_witnesses::key_of(tx.conn(), account)?;
    let taken = store_witnesses::is_taken(tx.conn(), recipient)?;
    let next = rules::registered(account, recipient, (current.as_ref(), taken), tx.now())?;
    let Some(key) = next else {
        tx.nothing_to_change();
        return Ok(current.ok_or_else(|| Fault::broken("a recipient that is registered is not there"))?);
    };
    store_witnesses::insert_key(tx, &key)?;
    let event = Event {
        kind: "witness.key_registered",
        subject: account.to_owned(),
        data: json!({"number": key.number, "recipient": key.recipient}),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(key)
}

/// What has to be known of the witnesses that a book names, in their order.
///
/// # Errors
/// A fault of the database.
pub fn facts(conn: &mut Conn, document: &BookDocument) -> Answer<Vec<WitnessFacts>> {
    let Some(CustodyDocument::Shared { witnesses, .. }) = &document.custody else {
        return Ok(Vec::new());
    };
    let mut facts = Vec::with_capacity(witnesses.len());
    for witness in witnesses {
        facts.push(WitnessFacts {
            is_witness: is_witness(conn, witness)?,
            recipient: store_witnesses::key_of(conn, witness.as_str())?.map(|key| key.recipient),
        });
    }
    Ok(facts)
}

/// Whether an account in use holds the role itself: a deputy would hold a share that was sealed to somebody else.
fn is_witness(conn: &mut Conn, id: &AccountId) -> Answer<bool> {
    let account = people::account(conn, id)?;
    if !account.is_some_and(|account| account.state == AccountState::Active) {
        return Ok(false);
    }
    let filter = GrantFilter {
        account_id: Some(id.clone()),
        role: Some(Role::OpeningWitness),
        in_force: true,
        ..GrantFilter::default()
    };
    Ok(!store_grants::grants(conn, &filter, 1)?.is_empty())
}

/// The key of a book that is being published.
pub enum NewKey {
    /// The service keeps it.
    Kept(OpeningKey),
    /// Witnesses share it, and nobody has it.
    Shared {
        /// How many shares it takes.
        threshold: u8,
        /// The key.
        key: SharedKey,
        /// To whom its shares are sealed, in their order.
        witnesses: Vec<WitnessKey>,
    },
}

impl NewKey {
    /// To whom bids are sealed.
    pub fn recipient(&self) -> &str {
        match self {
            Self::Kept(key) => &key.recipient,
            Self::Shared { key, .. } => &key.recipient,
        }
    }

    /// What the event of the publication tells of it.
    pub fn told(&self) -> Value {
        match self {
            Self::Kept(_) => json!({"kind": "custodial"}),
            Self::Shared { threshold, key, .. } => {
                let shares = key.shares.iter().map(
                    |share| json!({"number": share.number, "commitment": hex::encode(share.commitment)}),
                );
                json!({"kind": "shared", "threshold": threshold, "shares": shares.collect::<Value>()})
            }
        }
    }
}

/// Makes the key of a book that was found ready.
///
/// # Errors
/// A fault if a witness has gone since it was found ready, or if there is no randomness.
pub fn new_key(tx: &mut Tx<'_>, custody: &Custody, book: &Book) -> Answer<NewKey> {
    let Some(CustodyDocument::Shared { threshold, witnesses }) = &book.content.document().custody else {
        return Ok(NewKey::Kept(custody.make(&book.id)?));
    };
    let gone = || Fault::broken("a witness without a recipient was found ready");
    let (mut keys, mut sealed_to) = (Vec::new(), Vec::new());
    for witness in witnesses {
        let key = store_witnesses::key_of(tx.conn(), witness.as_str())?.ok_or_else(gone)?;
        sealed_to.push(recipients::recipient(&key.recipient).ok_or_else(gone)?);
        keys.push(key);
    }
    let threshold = u8::try_from(*threshold).map_err(|error| Fault::caused("a threshold", error))?;
    Ok(NewKey::Shared {
        threshold,
        key: shares::make(&book.id, threshold, &sealed_to)?,
        witnesses: keys,
    })
}

/// Keeps the key of a book that was just published, and tells the witnesses that there is a share for them.
///
/// # Errors
/// A fault of the database.
pub fn keep(tx: &mut Tx<'_>, book: &Book, key: &NewKey) -> Answer<()> {
    match key {
        NewKey::Kept(kept) => store::keep_key(tx, &book.id, &kept.recipient, &kept.sealed),
        NewKey::Shared {
            threshold,
            key,
            witnesses,
        } => {
            store_witnesses::insert_shared(tx, &book.id, *threshold, key, witnesses)?;
            for witness in witnesses {
                tell(tx, book, &witness.account_id)?;
            }
            Ok(())
        }
    }
}

fn tell(tx: &mut Tx<'_>, book: &Book, account: &str) -> Answer<()> {
    let document = book.content.document();
    let (Some(reader), Some(opening)) = (
        store_contacts::account(tx.conn(), account)?,
        document.timetable.opening,
    ) else {
        return Ok(());
    };
    let content = ShareSealed {
        book: Both::new(&document.title_zh, &document.title_en),
        opening,
        path: format!("/api/v1/contract-books/{}/custody", book.id),
    };
    let notice = Notice::new(format!("{}:share:{account}", book.id), reader, content);
    outbox::store::enqueue(tx, &notice.useful_until(opening))?;
    Ok(())
}

/// Reminds once a day whoever has not handed in a share, and the buyer's people, that bids wait to be opened for want of shares. Nothing to do where
/// there are enough.
///
/// # Errors
/// A fault of the database.
pub fn remind(tx: &mut Tx<'_>, id: &BookId, today: NaiveDate) -> Answer<()> {
    let Some(custody) = store_witnesses::custody(tx.conn(), id)?.filter(|custody| !custody.suffices()) else {
        return Ok(());
    };
    let book = store::book(tx.conn(), id)?.ok_or_else(|| Fault::broken(format!("the book {id} is gone")))?;
    let document = book.content.document();
    let content = |is_witness: bool| SharesAwaited {
        book: Both::new(&document.title_zh, &document.title_en),
        given: custody.given(),
        threshold: custody.threshold,
        is_witness,
        path: format!("/api/v1/contract-books/{id}/custody"),
    };
    let mut readers = Vec::new();
    for share in custody.shares.iter().filter(|share| share.given_at.is_none()) {
        let reader = store_contacts::account(tx.conn(), &share.account_id)?;
        readers.extend(reader.map(|reader| (reader, true)));
    }
    for role in [Role::BuyerOfficer, Role::BuyerApprover] {
        let people = store_contacts::people(tx.conn(), &book.organisation_id, role)?;
        readers.extend(people.into_iter().map(|reader| (reader, false)));
    }
    for (reader, is_witness) in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{id}:shares-awaited:{today}:{account}");
        outbox::store::enqueue(tx, &Notice::new(key, reader, content(is_witness)))?;
    }
    Ok(())
}

/// A public book whose key is shared, and who shares it. Other books have nothing of the kind.
///
/// # Errors
/// Not found; a fault of the database.
pub fn shared(conn: &mut Conn, id: &BookId) -> Answer<(Book, SharedCustody)> {
    let book = store::book(conn, id)?.filter(|book| book.state.is_public());
    let book = book.ok_or_else(|| NOT_FOUND.refuse())?;
    let custody = store_witnesses::custody(conn, id)?;
    Ok((book, custody.ok_or_else(|| NOT_FOUND.refuse())?))
}

/// The book, and the actor's own share of its key.
fn own(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: Action,
    id: &BookId,
) -> Answer<(Book, SharedCustody, HeldShare)> {
    policy::allow(actor, action, Matter::default())?;
    let (book, custody) = shared(tx.conn(), id)?;
    let held = custody.of_account(account(actor)?).cloned();
    let held = held.ok_or_else(|| NOT_FOUND.refuse())?;
    Ok((book, custody, held))
}

/// Records that a witness has shown to have opened their share.
///
/// # Errors
/// Permission; not found, for everyone who holds no share of it; those of the rules.
pub fn rehearse(tx: &mut Tx<'_>, actor: &Actor, id: &BookId, word: &str) -> Answer<SharedCustody> {
    let (book, custody, held) = own(tx, actor, Action::RehearseShare, id)?;
    rules::rehearsed(&book, &held, word, tx.now())?;
    if held.rehearsed_at.is_some() {
        tx.nothing_to_change();
        return Ok(custody);
    }
    store_witnesses::insert_rehearsal(tx, id, held.number)?;
    let data = json!({"number": held.number});
    record(tx, actor, "book.share_rehearsed", &book, data, Value::Null)?;
    custody_of(tx, id)
}

/// Takes a share for the opening. The same one again changes nothing; one more than it takes is noted and not kept.
///
/// # Errors
/// Permission; not found, for everyone who holds no share of it; those of the rules.
pub fn hand_in(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BookId,
    share: &str,
    keeper: &Custody,
) -> Answer<SharedCustody> {
    let (book, custody, held) = own(tx, actor, Action::HandInShare, id)?;
    let share = rules::handed_in(&book, &held, share, tx.now())?;
    if held.given_at.is_some() {
        tx.nothing_to_change();
        return Ok(custody);
    }
    let kept = if custody.suffices() {
        None
    } else {
        Some(keeper.keep_share(id, &share)?)
    };
    store_witnesses::insert_given(tx, id, held.number, kept.as_deref())?;
    let data = json!({"number": held.number});
    record(tx, actor, "book.share_given", &book, data, Value::Null)?;
    custody_of(tx, id)
}

fn custody_of(tx: &mut Tx<'_>, id: &BookId) -> Answer<SharedCustody> {
    let custody = store_witnesses::custody(tx.conn(), id)?;
    Ok(custody.ok_or_else(|| Fault::broken("a shared key is gone"))?)
}

/// Whether a refusal is one that the log is to have: somebody had a share or a word in hand that was not right.
pub fn is_told(refusal: &Refusal) -> bool {
    [
        &REHEARSAL_WORD_WRONG,
        &OPENING_SHARE_MALFORMED,
        &OPENING_SHARE_WRONG,
    ]
    .iter()
    .any(|told| told.code == refusal.reason.code)
}

/// Records that a wrong share or word was refused; what it was is not kept.
///
/// # Errors
/// Not found, for everyone who holds no share of it.
pub fn refused(tx: &mut Tx<'_>, actor: &Actor, id: &BookId, code: &'static str) -> Answer<()> {
    let (book, _, held) = own(tx, actor, Action::HandInShare, id)?;
    let data = json!({"number": held.number, "reason": code});
    record(tx, actor, "book.share_refused", &book, data, Value::Null)
}

/// The identity that the shares that were handed in give back: only when the opening has come.
///
/// # Errors
/// Those of [`rules::may_open`]; `None` as long as there are fewer than it takes; a fault if what was kept does not give it.
pub fn recovered(
    conn: &mut Conn,
    keeper: &Custody,
    book: &Book,
    custody: &SharedCustody,
    now: Instant,
) -> Answer<Option<age::x25519::Identity>> {
    rules::may_open(book, now)?;
    if !custody.suffices() {
        return Ok(None);
    }
    let kept = store_witnesses::kept_shares(conn, &book.id)?;
    let kept: Vec<shares::Share> = kept
        .iter()
        .map(|(number, sealed)| keeper.kept_share(&book.id, *number, sealed))
        .collect::<Result<_, _>>()?;
    let identity = shares::recover(&kept, custody.threshold, &custody.recipient)
        .map_err(|error| Fault::caused("recover an opening key", error))?;
    let canary = store_witnesses::canary(conn, &book.id)?.unwrap_or_default();
    if !shares::opens_canary(&identity, &book.id, &custody.recipient, &canary) {
        return Err(Fault::broken("a recovered opening key does not open its canary").into());
    }
    Ok(Some(identity))
}
