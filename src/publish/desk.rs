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
use crate::books::store_versions::Version;
use crate::books::{store as books, store_enquiries, store_intentions, store_versions};
use crate::contracts::rules::Contract;
use crate::contracts::rules_acceptance_standing::Standing;
use crate::contracts::rules_periods::Schedule;
use crate::contracts::rules_source_scores::State as ScoreState;
use crate::contracts::rules_variations::VARIATIONS_MAX;
use crate::contracts::store::ContractFilter;
use crate::contracts::{
    acts_periods, desk as contracts, desk_acceptances, store as contract_store, store_acceptances,
    store_defects, store_terminations, store_variations,
};
use crate::db::conn::Conn;
use crate::files::store as files;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::{end_of_day, start_of_day};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::score::Score;
use crate::payments::rules_claims::{Claim, Counted, Kind as ClaimKind, State as ClaimState};
use crate::payments::rules_closings::Closing;
use crate::payments::{desk_completion, store_claims, store_closings};
use crate::publish::rules_facts::{
    Acceptance, AddendumFacts, BookFacts, ContractFacts, DefectFacts, FileFacts, LotFacts, PaymentFacts,
    PenaltyFacts, PlannedFacts,
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
    let versions = versions(conn, id, publication.versions)?;
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
        addenda: addenda(&versions),
        files: listed(conn, &versions)?,
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

/// The published versions of a book.
fn versions(conn: &mut Conn, id: &BookId, count: i64) -> Answer<Vec<Version>> {
    let mut versions = Vec::new();
    for number in 1..=count {
        let version = store_versions::version(conn, id, number)?;
        versions.push(version.ok_or_else(|| Fault::broken(format!("version {number} of {id} is gone")))?);
    }
    Ok(versions)
}

fn addenda(versions: &[Version]) -> Vec<AddendumFacts> {
    let later = versions.iter().skip(1).map(|version| AddendumFacts {
        number: version.number.saturating_sub(1),
        at: version.published_at,
        reason: version.reason.clone(),
    });
    later.collect()
}

/// The files that versions list, each once: whoever may read the book may read them. What was uploaded for a book and is in none of its versions was never published.
fn listed(conn: &mut Conn, versions: &[Version]) -> Answer<Vec<FileFacts>> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for version in versions {
        for id in &version.content.document().documents {
            if !known.insert(id.to_string()) {
                continue;
            }
            let file = files::attachment(conn, id)?;
            let file = file.ok_or_else(|| Fault::broken(format!("{id} is listed and is not there")))?;
            found.push(FileFacts {
                file,
                at: version.published_at,
            });
        }
    }
    Ok(found)
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
    let closings = store_closings::of_contract(conn, &contract.id)?;
    let mut variations = store_variations::of_contract(conn, &contract.id)?;
    variations.retain(|one| one.is_concluded());
    variations.truncate(VARIATIONS_MAX);
    let ended = store_terminations::of_contract(conn, &contract.id)?
        .into_iter()
        .find(|one| one.state == crate::contracts::rules_terminations::State::Decided)
        .and_then(|one| one.closed);
    Ok(ContractFacts {
        is_completed: desk_completion::is_completed(conn, &signed, &claims, at)?,
        defects: upheld(conn, (contract, schedule.as_ref()), &accepted, at.0)?,
        ratings: ratings(conn, &signed, &accepted, at)?,
        term: signed.term(),
        contract: signed.contract,
        document: signed.document,
        indicators,
        schedule,
        accepted,
        payments: claims.iter().filter_map(payment).collect(),
        penalties: penalties(&claims, &closings),
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

/// What was upheld of what was reported in the periods that an acceptance was begun for: in sum, so that a release is not made with each report.
fn upheld(
    conn: &mut Conn,
    (contract, schedule): (&Contract, Option<&Schedule>),
    begun: &BTreeMap<i64, Acceptance>,
    calendar: &WardCalendar,
) -> Answer<Vec<DefectFacts>> {
    let no_such_day = |error| Fault::caused("the days of a period", error);
    let periods = schedule.into_iter().flat_map(|schedule| &schedule.periods);
    let mut found = Vec::new();
    for period in periods.filter(|period| begun.contains_key(&period.number)) {
        let from = start_of_day(period.span.first, calendar.zone).map_err(no_such_day)?;
        let until = end_of_day(period.span.last, calendar.zone).map_err(no_such_day)?;
        let counted = store_defects::upheld(conn, &contract.id, (from, until))?;
        found.extend(counted.into_iter().map(|(category, count)| DefectFacts {
            period: period.number,
            category,
            count,
        }));
    }
    Ok(found)
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

/// What was counted of penalties of each period in the end: when it was closed, or with the claim for it that was certified last of those that were paid. Each of these counts all of
/// them anew.
fn penalties(claims: &[Claim], closings: &[Closing]) -> Vec<PenaltyFacts> {
    let mut last: BTreeMap<i64, (Instant, &[Counted])> = BTreeMap::new();
    for claim in claims.iter().filter(|claim| claim.state == ClaimState::Confirmed) {
        if let (Some(period), Some(certified)) = (claim.entered.period, &claim.certified) {
            let known = last.get(&period).map(|(at, _)| *at);
            if known.is_none_or(|at| at <= certified.done.at) {
                last.insert(period, (certified.done.at, certified.penalties.as_slice()));
            }
        }
    }
    for closing in closings {
        last.insert(closing.period, (closing.done.at, closing.penalties.as_slice()));
    }
    let of = |(period, (_, counted)): (i64, (Instant, &[Counted]))| {
        let told = counted.iter().map(move |one| PenaltyFacts {
            period,
            penalty: one.penalty,
            count: one.count,
        });
        told.collect::<Vec<_>>()
    };
    last.into_iter().flat_map(of).collect()
}
