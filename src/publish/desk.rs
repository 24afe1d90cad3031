//! Looks up what everybody may know of a process, in the slices below. What it reads is what these show to everybody: books and notices once they are
//! published, bids once they are opened, results once they are disclosed, contracts once both parties have signed.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::award::desk as awards;
use crate::award::rules_notice::derived;
use crate::award::rules_results::Evaluation;
use crate::award::{store_awards, store_scores};
use crate::bids::rules::BidId;
use crate::bids::rules_opening::OpeningRecord;
use crate::bids::{store as bids, store_openings};
use crate::books::rules::{Book, BookId};
use crate::books::rules_documents::{LotDocument, SourceKind};
use crate::books::rules_enquiries::Answer as EnquiryAnswer;
use crate::books::rules_intentions::IntentionId;
use crate::books::rules_readiness_lots::kept;
use crate::books::store::Lot;
use crate::books::{store as books, store_enquiries, store_intentions, store_versions};
use crate::contracts::rules::Contract;
use crate::contracts::rules_acceptance_standing::Standing;
use crate::contracts::rules_source_scores::State as ScoreState;
use crate::contracts::rules_variations::VARIATIONS_MAX;
use crate::contracts::store::ContractFilter;
use crate::contracts::{
    acts_periods, desk as contracts, desk_acceptances, store as contract_store, store_acceptances,
    store_terminations, store_variations,
};
use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::score::Score;
use crate::payments::rules_claims::{Claim, Kind as ClaimKind, State as ClaimState};
use crate::payments::store_claims;
use crate::publish::rules_facts::{
    Acceptance, AddendumFacts, BookFacts, ContractFacts, LotFacts, PaymentFacts, PenaltyFacts, PlannedFacts,
};
use crate::standards::rules_indicators::{Content, Indicator};
use crate::standards::store_versions as standards;
use crate::web::context::WardCalendar;

/// Answers of one book that are published.
const ANSWERS_MAX: i64 = 1_000;
/// Contracts of one book: each lot has one at a time, and one after another at most as often as it has awards.
const CONTRACTS_MAX: i64 = 2_000;
/// Acceptances of one contract.
const ACCEPTANCES_MAX: i64 = 4_000;
/// Ballots without which a result is nobody's to publish (only aggregates of ten ballots and more are).
const BALLOTS_MIN: u32 = 10;

/// What is public of a notice of what is planned, if it was ever published.
///
/// # Errors
/// A fault of the database.
pub fn planned(conn: &mut Conn, id: &IntentionId) -> Answer<Option<PlannedFacts>> {
    let Some(intention) = store_intentions::intention(conn, id)?.filter(|one| one.published_at.is_some())
    else {
        return Ok(None);
    };
    let buyer = contract_store::party(conn, &intention.organisation_id)?;
    Ok(Some(PlannedFacts { intention, buyer }))
}

/// What is public of a book, if it was ever published.
///
/// # Errors
/// A fault of the database.
pub fn published(conn: &mut Conn, id: &BookId, at: (&WardCalendar, Instant)) -> Answer<Option<BookFacts>> {
    let Some(book) = books::book(conn, id)? else {
        return Ok(None);
    };
    let Some(publication) = book.publication.clone() else {
        return Ok(None);
    };
    let document = book.content.document().clone();
    let mut lots = Vec::new();
    for lot in books::lots_of(conn, id)? {
        let said = document.lots.iter().find(|said| said.code == lot.code);
        let said = said.ok_or_else(|| Fault::broken(format!("{} is no lot of its book", lot.id)))?;
        lots.push(lot_facts(conn, (&book, &lot), said)?);
    }
    let filter = ContractFilter {
        book: Some(id.clone()),
        ..ContractFilter::default()
    };
    let mut signed = contract_store::signed(conn, &filter, CONTRACTS_MAX)?;
    signed.sort_by(|one, other| one.id.cmp(&other.id));
    let mut found = Vec::with_capacity(signed.len());
    for contract in &signed {
        found.push(contract_facts(conn, contract, at)?);
    }
    let enquiries = store_enquiries::answered(conn, id, 0, ANSWERS_MAX)?;
    let answers: Vec<EnquiryAnswer> = enquiries.into_iter().filter_map(|one| one.answer).collect();
    Ok(Some(BookFacts {
        parties: parties(conn, &book.organisation_id, &lots, &signed)?,
        addenda: addenda(conn, id, publication.versions)?,
        id: book.id,
        buyer: book.organisation_id,
        document,
        published_at: publication.at,
        opened_at: book.opened_at,
        cancelled_at: book.cancelled.map(|(at, _)| at),
        answers,
        lots,
        contracts: found,
    }))
}

fn addenda(conn: &mut Conn, id: &BookId, versions: i64) -> Answer<Vec<AddendumFacts>> {
    let mut addenda = Vec::new();
    for number in 2..=versions {
        let version = store_versions::version(conn, id, number)?;
        let version = version.ok_or_else(|| Fault::broken(format!("version {number} of {id} is gone")))?;
        addenda.push(AddendumFacts {
            number: number.saturating_sub(1),
            at: version.published_at,
            reason: version.reason,
        });
    }
    Ok(addenda)
}

/// Everybody who is named.
fn parties(
    conn: &mut Conn,
    buyer: &OrganisationId,
    lots: &[LotFacts],
    contracts: &[Contract],
) -> Answer<BTreeMap<OrganisationId, crate::contracts::rules_document::PartyDocument>> {
    let mut named = BTreeSet::from([buyer.clone()]);
    for lot in lots {
        if let Some(record) = &lot.opening {
            named.extend(record.opened.iter().map(|bid| bid.supplier_id.clone()));
            named.extend(record.unopenable.iter().map(|bid| bid.supplier_id.clone()));
        }
        named.extend(lot.awards.iter().map(|award| award.supplier_id.clone()));
    }
    for contract in contracts {
        named.extend([contract.buyer_id.clone(), contract.supplier_id.clone()]);
    }
    let mut parties = BTreeMap::new();
    for id in named {
        let party = contract_store::party(conn, &id)?;
        parties.insert(id, party);
    }
    Ok(parties)
}

/// The indicators of a lot: those of its standard, with its own in the place of those of the same code.
fn indicators(conn: &mut Conn, lot: &LotDocument) -> Answer<Vec<Indicator>> {
    let standard = match &lot.standard_version_id {
        None => Content::default(),
        Some(id) => {
            let found = standards::version_of_id(conn, id)?;
            found
                .ok_or_else(|| Fault::broken(format!("the standard {id} is gone")))?
                .content
        }
    };
    Ok(kept(&standard, lot)
        .map_err(|_| Fault::broken(format!("the indicators of lot {} are none", lot.code)))?)
}

fn lot_facts(conn: &mut Conn, (book, lot): (&Book, &Lot), document: &LotDocument) -> Answer<LotFacts> {
    let opening = match store_openings::of_lot(conn, &lot.id)? {
        Some(_) => Some(awards::opening_of(conn, &lot.id)?),
        None => None,
    };
    let (standing, _) = awards::standing_of(conn, lot, book.state)?;
    let mut noticed = store_awards::of_lot(conn, &lot.id)?;
    noticed.retain(|award| award.is_public());
    let results = match store_scores::last_disclosed(conn, &lot.id)? {
        Some(round) => Some(results(&round)?),
        None => None,
    };
    Ok(LotFacts {
        id: lot.id.clone(),
        document: document.clone(),
        indicators: indicators(conn, document)?,
        standing,
        received: received(conn, opening.as_ref())?,
        opening,
        results,
        awards: noticed,
    })
}

fn results(
    round: &Evaluation,
) -> Result<
    (
        Vec<crate::award::rules_results::Place>,
        Vec<crate::award::rules_notice::Derived>,
    ),
    Fault,
> {
    Ok((round.places.clone(), derived(round)?))
}

/// When the bids that were opened had come in: by then all of it is public.
fn received(conn: &mut Conn, record: Option<&OpeningRecord>) -> Answer<BTreeMap<BidId, Instant>> {
    let mut received = BTreeMap::new();
    let opened = record.map(|record| record.opened.as_slice()).unwrap_or_default();
    for bid in opened {
        let versions = bids::versions_of(conn, &bid.bid_id)?;
        let counted = versions.iter().find(|version| version.number == bid.version);
        if let Some(version) = counted {
            received.insert(bid.bid_id.clone(), version.received_at);
        }
    }
    Ok(received)
}

fn contract_facts(
    conn: &mut Conn,
    contract: &Contract,
    at: (&WardCalendar, Instant),
) -> Answer<ContractFacts> {
    let signed = contracts::signed(conn, &contract.id)?;
    let indicators = signed.indicators(conn)?.indicators;
    let (_, schedule) = acts_periods::seen(conn, &contract.id)?;
    let mut accepted = BTreeMap::new();
    for one in store_acceptances::of_contract(conn, &contract.id, (None, None), ACCEPTANCES_MAX)? {
        if let Entry::Vacant(place) = accepted.entry(one.period) {
            let standing = match desk_acceptances::known(conn, &contract.id, one.period, at)? {
                Standing::Accepted(accepted) => Acceptance::Accepted(accepted.since),
                Standing::Refused => Acceptance::Refused,
                _ => Acceptance::Open,
            };
            place.insert(standing);
        }
    }
    let claims = store_claims::of_contract(conn, &contract.id)?;
    let mut variations = store_variations::of_contract(conn, &contract.id)?;
    variations.retain(|one| one.is_concluded());
    variations.truncate(VARIATIONS_MAX);
    let ended = store_terminations::of_contract(conn, &contract.id)?
        .into_iter()
        .find(|one| one.state == crate::contracts::rules_terminations::State::Decided)
        .and_then(|one| one.closed);
    Ok(ContractFacts {
        ratings: ratings(conn, &signed, &accepted, at)?,
        term: signed.term(),
        contract: signed.contract,
        document: signed.document,
        indicators,
        schedule,
        accepted,
        payments: claims.iter().filter_map(payment).collect(),
        penalties: claims.iter().flat_map(penalties).collect(),
        variations,
        ended,
    })
}

/// What residents say of the periods that an acceptance was begun for, where enough have voted that nobody is known by it, and the result binds.
fn ratings(
    conn: &mut Conn,
    signed: &contracts::Signed,
    periods: &BTreeMap<i64, Acceptance>,
    at: (&WardCalendar, Instant),
) -> Answer<BTreeMap<i64, (Score, u32)>> {
    let sources = &signed.document.lot.score_sources;
    let asked = sources.iter().find(|source| source.kind == SourceKind::Rating);
    let Some(asked) = asked.map(|source| source.code.clone()) else {
        return Ok(BTreeMap::new());
    };
    let mut ratings = BTreeMap::new();
    for period in periods.keys() {
        let (_, scores) = acts_periods::scores(conn, &signed.contract.id, *period, at)?;
        let rated = scores
            .iter()
            .find(|one| one.source == asked && one.state == ScoreState::Settled);
        if let Some((score, count)) = rated.and_then(|one| Some((one.score?, one.count)))
            && count >= BALLOTS_MIN
        {
            ratings.insert(*period, (score, count));
        }
    }
    Ok(ratings)
}

/// What was paid of the price by a claim: once the bank has said so, because until then it can fail. Interest for being late is no part of the price.
fn payment(claim: &Claim) -> Option<PaymentFacts> {
    if claim.entered.kind == ClaimKind::Interest {
        return None;
    }
    let certified = claim.certified.as_ref()?;
    let executed = claim.executed.as_ref()?;
    (claim.state == ClaimState::Confirmed).then(|| PaymentFacts {
        id: claim.id.to_string(),
        period: claim.entered.period,
        amount: certified.amount,
        at: executed.done.at,
    })
}

fn penalties(claim: &Claim) -> Vec<PenaltyFacts> {
    let (Some(period), Some(certified)) = (claim.entered.period, &claim.certified) else {
        return Vec::new();
    };
    if claim.state != ClaimState::Confirmed {
        return Vec::new();
    }
    let counted = certified.penalties.iter().map(|one| PenaltyFacts {
        period,
        penalty: one.penalty,
        count: one.count,
    });
    counted.collect()
}
