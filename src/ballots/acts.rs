//! Calling ballots, and taking them back before they open: each function is one transaction's worth of work, permission first, event last. What a ballot
//! is about is known to the floor above, which says so in facts.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::ballots::polling::Polling;
use crate::ballots::rules::{self, Ballot, BallotId, CELL_BALLOTS_MIN, EXISTS, Kind, Terms};
use crate::ballots::rules_double_tally::{Area, DoubleTerms};
use crate::ballots::rules_electorate::{Basis, Candidate, Voter, electorate};
use crate::ballots::rules_questions::{NewBallot, checked};
use crate::ballots::rules_slips::{entry_seal, roll_sha256};
use crate::ballots::rules_terms::told;
use crate::ballots::{store, store_letters};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::local_day::local_date;
use crate::kernel::party::{AccountId, AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::score::Score;
use crate::registry::rules::Level;
use crate::registry::rules_person::DwellingArea;
use crate::registry::rules_roll::HouseholdId;
use crate::registry::store::{self as areas, AreaFilter, Sort};
use crate::registry::store_roll;
use crate::statutes::codes::{
    PROPERTY_ORDINARY_AREA_MAJORITY, PROPERTY_ORDINARY_HEADS_MAJORITY, PROPERTY_PARTICIPATION_AREA_MIN,
    PROPERTY_PARTICIPATION_HEADS_MIN, RATING_CELL_BALLOTS_MIN, RESIDENTS_VOTER_AGE_YEARS_MIN,
};
use crate::statutes::profile::Profile;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// What tells the log of a call.
pub(super) const CALLED: &str = "ballot.called";
/// Communities of one ballot at most.
const COMMUNITIES_MAX: i64 = 500;

/// A ballot to be called, with what the floor above knows.
pub struct Call<'c> {
    /// What it is about.
    pub kind: Kind,
    /// The id of that.
    pub matter_id: &'c str,
    /// Which part of it.
    pub matter_number: i64,
    /// Who calls it.
    pub organisation_id: &'c OrganisationId,
    /// What it is about, in Chinese.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
    /// The areas that are served.
    pub areas: &'c [AreaId],
    /// Whose work it is about: those tied to them have no vote.
    pub about: &'c [OrganisationId],
    /// What is asked, and when.
    pub new: &'c NewBallot,
    /// The rules that hold for it.
    pub profile: &'c Profile,
    /// The ward's zone.
    pub zone: Tz,
}

/// The ballot of that id. Ballots are public.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, id: &BallotId) -> Answer<Ballot> {
    Ok(store::ballot(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// Calls a ballot. The roll is frozen now and not when it opens, so that letters can be printed and handed out in between; who is of age is judged by
/// the day of the opening.
///
/// # Errors
/// In this order: permission; what does not hold, all of it listed; [`EXISTS`]; a rule that is not set; an electorate that is too small or too large, or whose areas are not known where they are tallied.
pub fn call(tx: &mut Tx<'_>, actor: &Actor, polling: &Polling, call: &Call<'_>) -> Answer<Ballot> {
    policy::allow(
        actor,
        Action::CallBallot,
        Matter::of_organisation(call.organisation_id),
    )?;
    let (questions, scale) = checked(call.new, tx.now())?;
    if store::of_matter(tx.conn(), call.kind, call.matter_id, call.matter_number)?.is_some() {
        return Err(EXISTS.refuse().into());
    }
    let years_min = call.profile.rule(RESIDENTS_VOTER_AGE_YEARS_MIN)?;
    let cell_min = call.profile.rule(RATING_CELL_BALLOTS_MIN)?.0;
    let communities = communities(tx.conn(), call.areas)?;
    let (mut tied, mut representatives) = (BTreeSet::new(), BTreeSet::new());
    let mut candidates = Vec::new();
    for community in &communities {
        tied.append(&mut store_letters::tied(tx.conn(), community, call.about)?);
        representatives.append(&mut store_letters::representatives(tx.conn(), community)?);
        candidates.append(&mut on_roll(tx.conn(), community)?);
    }
    let basis = Basis {
        unit: call.new.unit,
        day: local_date(call.new.opens_at, call.zone),
        years_min: i32::try_from(years_min.0).unwrap_or(i32::MAX),
        tied: &tied,
        representatives: &representatives,
        questions: questions.len(),
        by_area: call.new.double_tally.is_some(),
    };
    let voters = electorate(candidates, &basis)?;
    let double_tally = match call.new.double_tally {
        Some(approves_from) => Some(by_area(call.profile, approves_from, &voters)?),
        None => None,
    };
    let id = BallotId::mint(tx.now());
    let ballot = Ballot {
        kind: call.kind,
        matter_id: call.matter_id.to_owned(),
        matter_number: call.matter_number,
        organisation_id: call.organisation_id.clone(),
        title_zh: call.title_zh.clone(),
        title_en: call.title_en.clone(),
        terms: Terms {
            unit: call.new.unit,
            communities,
            questions,
            scale,
            may_abstain: call.new.may_abstain,
            quorum_percent: call.new.quorum_percent,
            cell_ballots_min: cell_min.max(CELL_BALLOTS_MIN),
            double_tally,
        },
        opens_at: call.new.opens_at,
        closes_at: call.new.closes_at,
        electorate: i64::try_from(voters.len()).map_err(|error| Fault::caused("count voters", error))?,
        roll_sha256: roll_sha256(&id, &voters),
        sealed_key: Some(polling.make_key(&id)?),
        called_at: tx.now(),
        withdrawn_at: None,
        counted_at: None,
        id,
    };
    let terms = serde_json::to_string(&ballot.terms)
        .map_err(|error| Fault::caused("write the terms of a ballot", error))?;
    store::insert(tx, &ballot, &terms, &acting(actor)?)?;
    let voters = vouched(polling, &ballot, voters)?;
    store::insert_voters(tx, &ballot.id, &voters)?;
    let mut data = Map::from_iter(told(&ballot)?.map(|(name, value)| (name.to_owned(), value)));
    data.insert(
        "roll_sha256".to_owned(),
        Value::from(hex::encode(ballot.roll_sha256)),
    );
    append(tx, actor, CALLED, &ballot.id, Value::Object(data))?;
    Ok(ballot)
}

/// The roll with what vouches for each entry of it.
fn vouched(polling: &Polling, ballot: &Ballot, voters: Vec<Voter>) -> Answer<Vec<(Voter, [u8; 32])>> {
    let key = polling.key(ballot)?;
    let seal = |voter: Voter| {
        let seal = entry_seal(&key, &ballot.id, &ballot.roll_sha256, &voter)?;
        Ok((voter, seal))
    };
    Ok(voters.into_iter().map(seal).collect::<Result<_, Fault>>()?)
}

/// What the civil code asks of area and heads (art 278), and the area of everybody who has a vote.
fn by_area(profile: &Profile, approves_from: Score, voters: &[Voter]) -> Answer<DoubleTerms> {
    Ok(DoubleTerms {
        approves_from,
        area_m2: Area::sum(voters.iter().filter_map(|voter| voter.area))?,
        participation_area: profile.rule(PROPERTY_PARTICIPATION_AREA_MIN)?,
        participation_heads: profile.rule(PROPERTY_PARTICIPATION_HEADS_MIN)?,
        majority_area: profile.rule(PROPERTY_ORDINARY_AREA_MAJORITY)?,
        majority_heads: profile.rule(PROPERTY_ORDINARY_HEADS_MAJORITY)?,
    })
}

/// The communities that areas are or have, each once, in the order of their ids.
fn communities(conn: &mut Conn, served: &[AreaId]) -> Answer<Vec<AreaId>> {
    let mut found = BTreeSet::new();
    for id in served {
        let Some(area) = areas::area(conn, id)? else {
            continue;
        };
        if area.level == Level::Community {
            found.insert(area.id);
            continue;
        }
        let within = AreaFilter {
            parent_id: None,
            within: Some(area.id),
            level: Some(Level::Community),
            text: None,
            sort: Sort::Created,
            after: None,
        };
        found.extend(
            areas::areas(conn, &within, COMMUNITIES_MAX)?
                .into_iter()
                .map(|area| area.id),
        );
    }
    Ok(found.into_iter().collect())
}

fn on_roll(conn: &mut Conn, community: &AreaId) -> Answer<Vec<Candidate>> {
    let roll = store_roll::roll(conn, community)?;
    let areas: BTreeMap<HouseholdId, DwellingArea> = roll
        .households
        .into_iter()
        .filter_map(|household| Some((household.id, household.dwelling_area?)))
        .collect();
    let candidate = |resident: crate::registry::rules_roll::Resident| {
        let person = resident.person?;
        Some(Candidate {
            resident_id: resident.id,
            community_id: resident.area_id,
            area: areas.get(&person.household_id).copied(),
            household_id: person.household_id,
            born: person.birth_date,
            is_owner: person.is_owner,
        })
    };
    Ok(roll.residents.into_iter().filter_map(candidate).collect())
}

/// Takes a ballot back that is not open yet. Another one may be called about the same.
///
/// # Errors
/// In this order: permission; not found; those of [`Ballot::may_be_withdrawn`].
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, id: &BallotId) -> Answer<Ballot> {
    policy::allow_at_all(actor, Action::CallBallot)?;
    let ballot = seen(tx.conn(), id)?;
    policy::allow(
        actor,
        Action::CallBallot,
        Matter::of_organisation(&ballot.organisation_id),
    )?;
    ballot.may_be_withdrawn(tx.now())?;
    store::withdraw(tx, id)?;
    append(tx, actor, "ballot.withdrawn", id, json!({}))?;
    Ok(Ballot {
        withdrawn_at: Some(tx.now()),
        sealed_key: None,
        ..ballot
    })
}

/// Writes an event about a ballot. It never has a private part: who votes, and what, is nobody's to open.
pub(super) fn append(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    ballot: &BallotId,
    data: Value,
) -> Answer<()> {
    let event = Event {
        kind,
        subject: ballot.to_string(),
        data,
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// The account that acts.
pub(super) fn acting(actor: &Actor) -> Answer<AccountId> {
    let id = actor
        .id()
        .ok_or_else(|| Fault::broken("a ballot is called by somebody"))?;
    Ok(id
        .parse()
        .map_err(|error| Fault::caused("the account that acts", error))?)
}

/// Whether a ballot is counted; the first one who asks after its close counts it.
///
/// # Errors
/// A fault of the database.
pub fn is_due(conn: &mut Conn, id: &BallotId, now: crate::kernel::clock::Instant) -> Answer<bool> {
    Ok(seen(conn, id)?.state(now) == rules::State::Closed)
}
