//! Reading what a bank says of payments: each entry of it is compared with the claim that it names, and confirms it, or takes its money back. Whatever else it is, is reported
//! with its place, and changes nothing; so does the same file once more. Permission first, event last.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::contracts::desk;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::acts_claims::{doing, not_own_claim};
use crate::payments::acts_payments;
use crate::payments::rules_bank_results::{
    BankStatementId, Before, Entry, Known, Outcome, PAYMENTS_MAX, Reading, Subject, UNREADABLE,
    WORDS_LENGTH_MAX, why, words,
};
use crate::payments::rules_batches::{PaymentBatchId, State as BatchState, reference};
use crate::payments::rules_claims::{Claim, ClaimId, REFERENCE_LENGTH_MAX, State as ClaimState};
use crate::payments::store_bank_statements::{self as store, Statement};
use crate::payments::view_bank_statements::{EntryView, told};
use crate::payments::{store_batches, store_claims};
use crate::registry::rules_bank_accounts::ChangeState;
use crate::registry::store_bank_accounts;
use crate::text;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A file to read: its bytes, and what they say.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Of whose payments it is.
    pub buyer_id: OrganisationId,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub reading: Reading,
}

/// What came of a file.
pub struct Came {
    /// As what it was kept; `None` of a trial, or of a file that was read before and changes nothing.
    pub kept: Option<Statement>,
    /// Whether the same bytes were read before.
    pub is_repeat: bool,
    /// What came of each entry.
    pub entries: Vec<EntryView>,
}

/// The claim that an entry names, if it is one of the buyer's.
fn claim(conn: &mut Conn, buyer: &OrganisationId, id: &str) -> Answer<Option<Claim>> {
    let id = format!("{}_{id}", ClaimId::PREFIX);
    let Ok(id) = id.parse::<ClaimId>() else {
        return Ok(None);
    };
    let Some(claim) = store_claims::claim(conn, &id)? else {
        return Ok(None);
    };
    let signed = desk::signed(conn, &claim.contract_id)?;
    Ok(Some(claim).filter(|_| signed.contract.buyer_id == *buyer))
}

/// The claim that an entry names, as it stands by now, looked up once.
fn known<'k>(
    conn: &mut Conn,
    actor: &Actor,
    buyer: &OrganisationId,
    (subject, claims): (&Subject, &'k mut BTreeMap<String, Option<Known>>),
) -> Answer<Option<&'k mut Known>> {
    let Subject::Payment(id) = subject else {
        return Ok(None);
    };
    let id = id.to_ascii_lowercase();
    if !claims.contains_key(&id) {
        let found = match claim(conn, buyer, &id)? {
            Some(claim) => Some(stands(conn, actor, buyer, &claim)?),
            None => None,
        };
        claims.insert(id.clone(), found);
    }
    Ok(claims.get_mut(&id).and_then(Option::as_mut))
}

fn stands(conn: &mut Conn, actor: &Actor, buyer: &OrganisationId, claim: &Claim) -> Answer<Known> {
    let batch = store_batches::paid_with(conn, &claim.id)?;
    // What was paid by itself was paid from the account that the buyer has.
    let debtor = match &batch {
        Some(batch) => store_bank_accounts::change(conn, &batch.account_id)?,
        None => store_bank_accounts::newest(conn, buyer, ChangeState::Confirmed)?,
    };
    let creditor = store_bank_accounts::change(conn, &claim.account_id)?;
    let creditor = creditor.ok_or_else(|| Fault::broken(format!("{} has no account", claim.id)))?;
    let signed = desk::signed(conn, &claim.contract_id)?;
    Ok(Known {
        claim_id: claim.id.clone(),
        state: claim.state,
        amount: claim
            .certified
            .as_ref()
            .map_or(claim.entered.amount, |certified| certified.amount),
        message_id: batch.map(|batch| reference(batch.id.as_str()).to_owned()),
        debtor: debtor.map(|account| account.account.number),
        creditor: creditor.account.number,
        is_own: not_own_claim(actor, &signed).is_err(),
        has_hand: acts_payments::has_hand(conn, actor, (&signed, &claim.id))?,
    })
}

/// One entry for each payment that it speaks of: what is said of a file is said of all its payments.
fn apart(conn: &mut Conn, buyer: &OrganisationId, entry: &Entry) -> Answer<Vec<Entry>> {
    let Subject::Message(message) = &entry.subject else {
        return Ok(vec![entry.clone()]);
    };
    let id = format!("{}_{}", PaymentBatchId::PREFIX, message.to_ascii_lowercase());
    let batch = match id.parse::<PaymentBatchId>() {
        Ok(id) => store_batches::batch(conn, &id)?,
        Err(_) => None,
    };
    let own = batch.filter(|batch| batch.buyer_id == *buyer && batch.state == BatchState::Executed);
    let Some(batch) = own else {
        return Ok(vec![entry.clone()]);
    };
    let of = |id: &ClaimId| Entry {
        subject: Subject::Payment(reference(id.as_str()).to_owned()),
        ..entry.clone()
    };
    Ok(batch.items.iter().map(|item| of(&item.claim_id)).collect())
}

/// By what the bank can be asked for the payment: its reference, what it calls the file, or what the payment is called.
fn called(entry: &Entry, reading: &Reading, claim: &ClaimId) -> String {
    let names = [entry.reference.as_deref(), reading.name.as_deref()];
    let name = names
        .into_iter()
        .flatten()
        .find_map(|name| words(name, REFERENCE_LENGTH_MAX));
    name.unwrap_or_else(|| reference(claim.as_str()).to_owned())
}

/// What comes of each entry, in their order.
///
/// # Errors
/// [`UNREADABLE`] if it speaks of too many payments; those of what is done.
fn each(at: &mut At<'_, '_>, actor: &Actor, incoming: &Incoming) -> Answer<Vec<EntryView>> {
    let (buyer, reading) = (&incoming.buyer_id, &incoming.reading);
    let mut before = Before::default();
    let (mut messages, mut claims) = (BTreeSet::new(), BTreeMap::new());
    let mut views = Vec::with_capacity(reading.entries.len());
    for entry in &reading.entries {
        if let Subject::Message(message) = &entry.subject
            && !messages.insert(message)
        {
            views.push(told(entry, None, Outcome::Doubled));
            continue;
        }
        for entry in apart(at.conn(), buyer, entry)? {
            if views.len() >= PAYMENTS_MAX {
                let why = text!(
                    "最多 {PAYMENTS_MAX} 笔",
                    "it must speak of at most {PAYMENTS_MAX} payments"
                );
                return Err(UNREADABLE.because(why).into());
            }
            let known = known(at.conn(), actor, buyer, (&entry.subject, &mut claims))?;
            let outcome = before.next(&entry, known.as_deref());
            views.push(told(&entry, known.as_deref(), outcome));
            if let (Some(known), true) = (known, outcome.is_effective()) {
                known.state = if outcome == Outcome::Confirmed {
                    ClaimState::Confirmed
                } else {
                    ClaimState::Failed
                };
                at.does(actor, outcome, (&entry, reading, &known.claim_id))?;
            }
        }
    }
    Ok(views)
}

/// Where entries are judged: in a trial, or in a transaction that does what they say.
enum At<'a, 'tx> {
    Trial(&'a mut Conn),
    Earnest(&'a mut Tx<'tx>),
}

impl At<'_, '_> {
    fn conn(&mut self) -> &mut Conn {
        match self {
            Self::Trial(conn) => conn,
            Self::Earnest(tx) => tx.conn(),
        }
    }

    fn does(
        &mut self,
        actor: &Actor,
        outcome: Outcome,
        (entry, reading, claim): (&Entry, &Reading, &ClaimId),
    ) -> Answer<()> {
        let Self::Earnest(tx) = self else {
            return Ok(());
        };
        if outcome == Outcome::Confirmed {
            let name = called(entry, reading, claim);
            acts_payments::confirm(tx, actor, (claim, Expected::Any), &name)?;
        } else {
            let (zh, en) = why(entry.reason.as_deref());
            acts_payments::come_back(tx, actor, claim, (&zh, &en))?;
        }
        Ok(())
    }
}

/// What would come of a file. Nothing is done.
///
/// # Errors
/// Permission; a fault of the database.
pub fn tried(conn: &mut Conn, actor: &Actor, incoming: &Incoming) -> Answer<Came> {
    allowed(actor, &incoming.buyer_id)?;
    let sha256: [u8; 32] = Sha256::digest(&incoming.bytes).into();
    Ok(Came {
        kept: None,
        is_repeat: store::is_known(conn, &incoming.buyer_id, &sha256)?,
        entries: each(&mut At::Trial(conn), actor, incoming)?,
    })
}

fn allowed(actor: &Actor, buyer: &OrganisationId) -> Answer<()> {
    policy::allow(actor, Action::ConfirmPayment, Matter::of_organisation(buyer))
}

/// Reads a file: each payment that it says was made is confirmed, and of each that came back the money is held again. All of it in one transaction.
///
/// # Errors
/// Permission; those of the acts on claims, and of the ledger.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, incoming: &Incoming) -> Answer<Came> {
    allowed(actor, &incoming.buyer_id)?;
    let buyer = &incoming.buyer_id;
    let sha256: [u8; 32] = Sha256::digest(&incoming.bytes).into();
    let is_repeat = store::is_known(tx.conn(), buyer, &sha256)?;
    let entries = each(&mut At::Earnest(tx), actor, incoming)?;
    let count = |what: Option<Outcome>| {
        let counted = entries
            .iter()
            .filter(|one| what.is_none_or(|what| one.outcome == what));
        i64::try_from(counted.count()).map_err(|error| Fault::caused("count entries of a bank", error))
    };
    let (confirmed, failed) = (count(Some(Outcome::Confirmed))?, count(Some(Outcome::Failed))?);
    if is_repeat && confirmed == 0 && failed == 0 {
        tx.nothing_to_change();
        return Ok(Came {
            kept: None,
            is_repeat,
            entries,
        });
    }
    let report = serde_json::to_string(&entries);
    let kept = Statement {
        id: BankStatementId::mint(tx.now()),
        buyer_id: buyer.clone(),
        format: incoming.reading.format,
        sha256,
        counts: (count(None)?, confirmed, failed),
        report: report.map_err(|error| Fault::caused("write down what a bank said", error))?,
        done: doing(tx, actor)?,
    };
    store::insert(tx, &kept, &incoming.bytes)?;
    let event = Event {
        kind: "bank_statement.read",
        subject: kept.id.to_string(),
        data: json!({
            "buyer": buyer, "format": kept.format, "sha256": hex::encode(sha256), "entries": kept.counts.0,
            "confirmed": confirmed, "failed": failed,
        }),
        private: serde_json::Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(Came {
        kept: Some(kept),
        is_repeat,
        entries,
    })
}

/// What a bank said, by its id: for the buyer's finance officers and auditors.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, actor: &Actor, id: &BankStatementId) -> Answer<Statement> {
    let one = store::statement(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let matter = Matter::of_organisation(&one.buyer_id);
    if policy::allows(actor, Action::ReadPaymentBatches, matter) {
        Ok(one)
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// Words of a bank that are shown.
pub(super) fn shown(text: Option<&str>) -> Option<String> {
    text.and_then(|text| words(text, WORDS_LENGTH_MAX))
}
