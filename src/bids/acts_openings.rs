//! The opening of a book's bids. It takes two steps. First everything is read and decrypted, outside of any transaction that writes: at and after
//! the deadline the bids stand still, and so the writer is not held up however many they are. Then one transaction looks whether they are
//! still those that were decrypted, and writes the records, the money that goes back, the events and the mails.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::bids::rules::{Fate, Version, at_opening};
use crate::bids::rules_document::BidDocument;
use crate::bids::rules_eligibility::{self as eligibility, Facts, Rival};
use crate::bids::rules_opening::{
    self as rules, Attempt, FORMAT, Finding, KeyUse, OPENING_OVERTAKEN, OPENING_SHARES_MISSING, OpenedBid,
    OpeningRecord, Outcome, StillSealedBid, UnopenableBid,
};
use crate::bids::rules_responses::{Asked, answers, indicator_codes};
use crate::bids::sealing::{self, OneFileKey};
use crate::bids::store_openings::Opening;
use crate::bids::{acts_disclosure, store, store_openings, warnings};
use crate::books::acts::profile_of;
use crate::books::acts_witnesses;
use crate::books::custody::Custody;
use crate::books::rules::{Book, BookId};
use crate::books::rules_documents::LotDocument;
use crate::books::rules_witnesses::{SharedCustody, may_open};
use crate::books::store::Lot;
use crate::books::{store as books, store_versions, store_witnesses};
use crate::budget::posting;
use crate::budget::rules_ledger::{Order, Transfer, TransferCode, TransferId};
use crate::budget::store_ledger;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::local_day::local_date;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox;
use crate::outbox::content::{BidFate, LotOpened};
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::registry::rules_organisations::Organisation;
use crate::registry::rules_qualifications::State as QualificationState;
use crate::registry::{store_contacts, store_organisations, store_qualifications};
use crate::standards::store_versions as standards;
use crate::statutes::codes;
use crate::statutes::profile::Profile;
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Qualifications of one bidder that are looked at.
const QUALIFICATIONS_MAX: i64 = 200;

/// A book whose bids are decrypted, and of which nothing is written yet.
pub struct Prepared {
    key: KeyUse,
    lots: Vec<PreparedLot>,
}

struct PreparedLot {
    lot: Lot,
    bids_min: u32,
    /// Every version that was there: who, and which number.
    seen: Vec<(OrganisationId, i64)>,
    bids: usize,
    outcome: Outcome,
    opened: Vec<OpenedBid>,
    unopenable: Vec<UnopenableBid>,
    still_sealed: Vec<StillSealedBid>,
    /// What became of each supplier's bid, if anything was opened.
    fates: Vec<(OrganisationId, BidFate)>,
}

/// Where a book is opened.
#[derive(Clone, Copy)]
pub struct Place<'p> {
    /// The ward's zone, in which the day of the opening is told.
    pub zone: Tz,
    /// Who keeps identities and the shares that were handed in.
    pub keeper: &'p Custody,
}

/// The published book, if the actor may open it.
fn found(conn: &mut Conn, actor: &Actor, id: &BookId) -> Answer<Book> {
    policy::allow_at_all(actor, Action::OpenBids)?;
    let book = books::book(conn, id)?.filter(|book| book.state.is_public());
    let book = book.ok_or_else(|| NOT_FOUND.refuse())?;
    policy::allow(
        actor,
        Action::OpenBids,
        Matter::of_organisation(&book.organisation_id),
    )?;
    Ok(book)
}

/// Reads and decrypts a book's bids, and judges them; `None` if they were opened before.
///
/// # Errors
/// Permission; not found; those of [`may_open`]; [`OPENING_SHARES_MISSING`]; a rule that is not set.
pub fn prepare(
    conn: &mut Conn,
    actor: &Actor,
    id: &BookId,
    now: Instant,
    place: Place<'_>,
) -> Answer<Option<Prepared>> {
    let book = found(conn, actor, id)?;
    if !store_openings::of_book(conn, id)?.is_empty() {
        return Ok(None);
    }
    may_open(&book, now)?;
    let custody = store_witnesses::custody(conn, id)?;
    let identity = identity(conn, &book, custody.as_ref(), now, place.keeper)?;
    let profile = profile_of(conn, &book)?;
    let deadline = deadline_of(&book)?;
    let last_affecting = store_versions::last_affecting(conn, id)?;
    let mut prepared = Vec::new();
    for lot in books::lots_of(conn, id)? {
        let seen: Vec<Version> = store::versions_for(conn, &lot.id)?
            .into_iter()
            .filter(|version| version.received_at < deadline)
            .collect();
        let of_lot = OfLot {
            book: &book,
            document: document_of(&book, &lot)?,
            profile: &profile,
            zone: place.zone,
            now,
        };
        let fates = at_opening(seen.clone(), deadline, last_affecting);
        let seen = seen
            .into_iter()
            .map(|one| (one.supplier_id, one.number))
            .collect();
        prepared.push(of_lot.prepare(conn, lot, (fates, seen), &identity)?);
    }
    let key = KeyUse {
        kind: if custody.is_some() { "shared" } else { "custodial" }.to_owned(),
        threshold: custody.as_ref().map(|one| one.threshold),
        shares: custody.map(given_numbers).unwrap_or_default(),
    };
    Ok(Some(Prepared { key, lots: prepared }))
}

fn given_numbers(custody: SharedCustody) -> Vec<u8> {
    let given = custody.shares.iter().filter(|share| share.given_at.is_some());
    given.map(|share| share.number).collect()
}

fn identity(
    conn: &mut Conn,
    book: &Book,
    custody: Option<&SharedCustody>,
    now: Instant,
    keeper: &Custody,
) -> Answer<age::x25519::Identity> {
    if let Some(custody) = custody {
        let recovered = acts_witnesses::recovered(conn, keeper, book, custody, now)?;
        let (given, needed) = (custody.given(), custody.threshold);
        return Ok(recovered.ok_or_else(|| {
            OPENING_SHARES_MISSING.because(text!(
                "需 {needed} 份，已提交 {given} 份",
                "it takes {needed}, and {given} were handed in"
            ))
        })?);
    }
    let kept = books::kept_key(conn, &book.id)?;
    let (recipient, sealed) = kept.ok_or_else(|| Fault::broken(format!("{} has no key", book.id)))?;
    Ok(keeper.identity(&book.id, &recipient, &sealed)?)
}

fn deadline_of(book: &Book) -> Result<Instant, Fault> {
    let deadline = book.content.document().timetable.bid_deadline;
    deadline.ok_or_else(|| Fault::broken(format!("{} is public and has no deadline", book.id)))
}

fn document_of<'b>(book: &'b Book, lot: &Lot) -> Result<&'b LotDocument, Fault> {
    let mut lots = book.content.document().lots.iter();
    let found = lots.find(|one| one.code == lot.code);
    found.ok_or_else(|| Fault::broken(format!("{} is not in its book", lot.id)))
}

/// The last version of each bid, and what becomes of it.
type Fates = Vec<(Version, Fate)>;

/// What a lot's bids are held against.
struct OfLot<'b> {
    book: &'b Book,
    document: &'b LotDocument,
    profile: &'b Profile,
    zone: Tz,
    now: Instant,
}

impl OfLot<'_> {
    fn prepare(
        &self,
        conn: &mut Conn,
        lot: Lot,
        (fates, seen): (Fates, Vec<(OrganisationId, i64)>),
        identity: &age::x25519::Identity,
    ) -> Answer<PreparedLot> {
        let bids_min = match self.document.bidders_min {
            Some(min) => min,
            None => self.profile.rule(codes::TENDER_BIDS_MIN)?.0,
        };
        let (bids, outcome) = rules::outcome(&fates, bids_min);
        let mut prepared = PreparedLot {
            lot,
            bids_min,
            seen,
            bids,
            outcome,
            opened: Vec::new(),
            unopenable: Vec::new(),
            still_sealed: Vec::new(),
            fates: Vec::new(),
        };
        if outcome == Outcome::Unsuccessful {
            return Ok(prepared);
        }
        let (mut versions, mut keys, mut bidders) = (Vec::new(), Vec::new(), Vec::new());
        for (version, fate) in fates {
            let (reason, fate) = match fate {
                Fate::Opened(_) => {
                    match self.attempt(conn, &version, identity)? {
                        Attempt::Opened(opened) => {
                            let (document, key) = *opened;
                            bidders.push((bidder(conn, &version.supplier_id)?, document));
                            keys.push(key);
                            versions.push(version);
                        }
                        Attempt::Unopenable(reason) => {
                            let fate = BidFate::Unopenable {
                                reason: reason.to_owned(),
                            };
                            prepared.fates.push((version.supplier_id.clone(), fate));
                            prepared.unopenable.push(unopenable(version, reason));
                        }
                    }
                    continue;
                }
                Fate::Withdrawn => ("withdrawn", BidFate::Withdrawn),
                Fate::Unconfirmed => ("unconfirmed", BidFate::Unconfirmed),
            };
            prepared.fates.push((version.supplier_id, fate));
            prepared.still_sealed.push(StillSealedBid {
                bid_id: version.bid_id,
                sha256: hex::encode(version.sha256),
                reason: reason.to_owned(),
            });
        }
        let findings = self.findings(conn, &prepared.lot, &bidders)?;
        let judged = bidders.into_iter().zip(findings);
        for (((bidder, document), findings), (version, key)) in judged.zip(versions.into_iter().zip(keys)) {
            let decisive = findings.iter().filter(|finding| finding.is_decisive);
            let against = decisive
                .map(|finding| Both::new(&finding.detail_zh, &finding.detail_en))
                .collect();
            prepared
                .fates
                .push((version.supplier_id.clone(), BidFate::Opened { against }));
            prepared
                .opened
                .push(opened(version, (bidder, &document), &key, findings));
        }
        prepared
            .opened
            .sort_by(|a, b| (a.total.fen(), &a.bid_id).cmp(&(b.total.fen(), &b.bid_id)));
        Ok(prepared)
    }

    fn attempt(
        &self,
        conn: &mut Conn,
        version: &Version,
        identity: &age::x25519::Identity,
    ) -> Answer<Attempt> {
        let sealed = store::ciphertext(conn, version)?;
        let sealed =
            sealed.ok_or_else(|| Fault::broken(format!("the bytes of {} are gone", version.bid_id)))?;
        let opened = sealing::open(&sealed, identity);
        Ok(rules::attempt(opened, &version.lot_id, &version.supplier_id))
    }

    /// What stands against each of the opened bids, in their order: the questions that were asked as warnings before, now with those
    /// who really bid.
    fn findings(
        &self,
        conn: &mut Conn,
        lot: &Lot,
        bidders: &[(Organisation, BidDocument)],
    ) -> Answer<Vec<Vec<Finding>>> {
        let rivals: Vec<Rival> = bidders.iter().map(rules::rival).collect();
        let standard = match &self.document.standard_version_id {
            Some(id) => standards::version_of_id(conn, id)?,
            None => None,
        };
        let indicators = indicator_codes(standard.as_ref().map(|one| &one.content), self.document);
        let today = local_date(self.now, self.zone);
        let mut all = Vec::with_capacity(bidders.len());
        for (supplier, document) in bidders {
            let debarments = warnings::debarments_of(conn, &supplier.id)?;
            let states = [QualificationState::Claimed, QualificationState::Verified];
            let qualifications =
                store_qualifications::qualifications(conn, &supplier.id, &states, None, QUALIFICATIONS_MAX)?;
            let facts = Facts {
                supplier,
                debarments: &debarments,
                qualifications: &qualifications,
                document,
                book: self.book.content.document(),
                lot: self.document,
                shared_accounts: warnings::shared_accounts(conn, &self.book.organisation_id, &supplier.id)?,
                rivals: &rivals,
                today,
                profile: self.profile,
            };
            let is_declared = rules::declared(supplier, document, &rivals);
            let items = eligibility::items(facts)?;
            let mut found: Vec<Finding> = items
                .into_iter()
                .map(|item| Finding::of(item, is_declared))
                .collect();
            let asked = Asked {
                lot_id: &lot.id,
                supplier_id: &supplier.id,
                lot: self.document,
                indicators: &indicators,
            };
            if let Err(refusal) = answers(document, asked) {
                found.push(Finding::does_not_answer(&refusal.objections));
            }
            all.push(found);
        }
        Ok(all)
    }
}

fn bidder(conn: &mut Conn, id: &OrganisationId) -> Answer<Organisation> {
    let organisation = store_organisations::organisation(conn, id)?;
    Ok(organisation.ok_or_else(|| Fault::broken(format!("the bidder {id} is gone")))?)
}

fn unopenable(version: Version, reason: &str) -> UnopenableBid {
    UnopenableBid {
        bid_id: version.bid_id,
        supplier_id: version.supplier_id,
        version: version.sealed_number,
        sha256: hex::encode(version.sha256),
        reason: reason.to_owned(),
    }
}

fn opened(
    version: Version,
    (supplier, document): (Organisation, &BidDocument),
    key: &OneFileKey,
    findings: Vec<Finding>,
) -> OpenedBid {
    OpenedBid {
        bid_id: version.bid_id,
        supplier_id: version.supplier_id,
        supplier_zh: supplier.current.particulars.name_zh,
        supplier_en: supplier.current.particulars.name_en,
        version: version.sealed_number,
        sha256: hex::encode(version.sha256),
        total: document.total,
        file_key: key.to_hex(),
        is_public: rules::is_public(document),
        findings,
    }
}

/// Writes what was prepared. A book that was opened before stays as it was.
///
/// # Errors
/// Permission; not found; those of [`may_open`]; [`OPENING_OVERTAKEN`] if the bids are not those that were decrypted; those of the ledger.
pub fn open(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BookId,
    prepared: Option<&Prepared>,
) -> Answer<(Book, Vec<Opening>)> {
    let book = found(tx.conn(), actor, id)?;
    let known = store_openings::of_book(tx.conn(), id)?;
    if !known.is_empty() {
        tx.nothing_to_change();
        return Ok((book, known));
    }
    let now = tx.now();
    may_open(&book, now)?;
    let prepared = prepared.ok_or_else(|| OPENING_OVERTAKEN.refuse().retry_after(1))?;
    store_openings::note_opened(tx, id)?;
    let mut openings = Vec::with_capacity(prepared.lots.len());
    for lot in &prepared.lots {
        openings.push(open_lot(tx, actor, &book, &prepared.key, lot)?);
    }
    store_witnesses::forget_given(tx, id)?;
    Ok((book, openings))
}

fn open_lot(
    tx: &mut Tx<'_>,
    actor: &Actor,
    book: &Book,
    key: &KeyUse,
    prepared: &PreparedLot,
) -> Answer<Opening> {
    let deadline = deadline_of(book)?;
    let there = store::versions_for(tx.conn(), &prepared.lot.id)?;
    let there = there.into_iter().filter(|version| version.received_at < deadline);
    let there: Vec<(OrganisationId, i64)> = there.map(|one| (one.supplier_id, one.number)).collect();
    if there != prepared.seen {
        return Err(OPENING_OVERTAKEN.refuse().retry_after(1).into());
    }
    let record = OpeningRecord {
        format: FORMAT.to_owned(),
        book_id: book.id.clone(),
        lot_id: prepared.lot.id.clone(),
        lot_code: prepared.lot.code.clone(),
        book_version: book.publication.as_ref().map_or(1, |one| one.versions),
        recipient: book
            .publication
            .as_ref()
            .map(|one| one.recipient.clone())
            .unwrap_or_default(),
        key: key.clone(),
        deadline: rfc3339(deadline),
        opened_at: rfc3339(tx.now()),
        bids_min: prepared.bids_min,
        bids: prepared.bids,
        outcome: prepared.outcome,
        opened: prepared.opened.clone(),
        unopenable: prepared.unopenable.clone(),
        still_sealed: prepared.still_sealed.clone(),
    };
    let opening = store_openings::insert(tx, &record)?;
    let transfers = match prepared.outcome {
        Outcome::Unsuccessful => release(tx, &prepared.lot)?,
        Outcome::Opened => Vec::new(),
    };
    let entries = acts_disclosure::disclose(tx, &prepared.lot.id)?;
    let event = Event {
        kind: match prepared.outcome {
            Outcome::Opened => "lot.opened",
            Outcome::Unsuccessful => "lot.unsuccessful",
        },
        subject: prepared.lot.id.to_string(),
        data: json!({
            "book_id": book.id,
            "sha256": hex::encode(opening.sha256),
            "bids": record.bids,
            "opened": record.opened.len(),
            "unopenable": record.unopenable.len(),
            "entries": entries,
            "transfers": posting::told(&transfers),
        }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    tell(tx, book, prepared, &there)?;
    Ok(opening)
}

/// Frees what was reserved for a lot that came to nothing.
fn release(tx: &mut Tx<'_>, lot: &Lot) -> Answer<Vec<Transfer>> {
    let hold = store_ledger::hold(tx.conn(), &posting::transfer_of(lot.id.as_str())?)?;
    let hold = hold.ok_or_else(|| Fault::broken(format!("{} has no hold", lot.id)))?;
    if hold.remaining.is_zero() {
        return Ok(Vec::new());
    }
    let order = Order {
        id: TransferId::mint(tx.now()),
        from: hold.account_id.clone(),
        to: hold.origin_account_id.clone(),
        amount: hold.remaining,
        code: TransferCode::Release,
        hold: Some(hold.id.clone()),
        matter: hold.matter.clone(),
    };
    posting::post(tx, vec![order])
}

/// Tells everyone who has bid what came of it and what became of their bid; each supplier's administrators and agents, once.
fn tell(
    tx: &mut Tx<'_>,
    book: &Book,
    prepared: &PreparedLot,
    bidders: &[(OrganisationId, i64)],
) -> Answer<()> {
    let lot = &prepared.lot;
    let mut suppliers: Vec<&OrganisationId> = bidders.iter().map(|(supplier, _)| supplier).collect();
    suppliers.dedup();
    for supplier in suppliers {
        let fate = prepared.fates.iter().find(|(whose, _)| whose == supplier);
        let document = book.content.document();
        let content = LotOpened {
            book: Both::new(&document.title_zh, &document.title_en),
            lot: lot.code.clone(),
            is_unsuccessful: prepared.outcome == Outcome::Unsuccessful,
            bid: fate.map(|(_, fate)| fate.clone()),
            path: format!("/api/v1/lots/{}/opening", lot.id),
        };
        for reader in store_contacts::acting_for(tx.conn(), supplier)? {
            let account = reader.account_id.clone().unwrap_or_default();
            let key = format!("{}:opening:{account}", lot.id);
            outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
        }
    }
    Ok(())
}
