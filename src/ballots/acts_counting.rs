//! Counting: when a ballot has closed, its papers are opened, taken apart into slips, sorted by hash and put into the box; papers, tags and key are
//! destroyed in the same transaction. It happens once, by whoever comes first.

use std::collections::BTreeMap;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::ballots::acts::{append, seen};
use crate::ballots::polling::{self, Polling};
use crate::ballots::rules::{Ballot, BallotId, Kind, NOT_COUNTED, State};
use crate::ballots::rules_cells::shown;
use crate::ballots::rules_derivation::{Derivation, derive, derived};
use crate::ballots::rules_double_tally::{Double, Weighed, weighed};
use crate::ballots::rules_electorate::RollFound;
use crate::ballots::rules_slips::{Boxed, Paper, Slip, is_vouched, read_paper, roll_sha256, voter_tag};
use crate::ballots::rules_terms::guarded;
use crate::ballots::{measures, store, store_papers, tidings};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::id;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox;
use crate::outbox::content::{BallotLetterReplaced, BallotOpened};
use crate::registry::rules_person::DwellingArea;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};

/// Somebody who has voted, as it is needed to count.
struct HasVoted {
    number: i64,
    community: AreaId,
    area: Option<DwellingArea>,
}

/// What was voted by one person, and where they live.
struct Opened {
    community: AreaId,
    area: Option<DwellingArea>,
    slips: Vec<Slip>,
}

/// Counts a ballot that has closed. One that is counted stays as it is.
///
/// # Errors
/// In this order: permission; not found; [`NOT_COUNTED`] before its close, or if it was taken back.
pub fn count(tx: &mut Tx<'_>, polling: &Polling, of: &BallotId) -> Answer<Derivation> {
    // Nobody in particular does it: it is done by the clock.
    let actor = Actor::system();
    policy::allow(&actor, Action::CountBallot, Matter::default())?;
    let ballot = seen(tx.conn(), of)?;
    if let Some((derivation, _)) = store::result(tx.conn(), of)? {
        tx.nothing_to_change();
        return Ok(derivation);
    }
    if ballot.state(tx.now()) != State::Closed {
        return Err(NOT_COUNTED.refuse().into());
    }
    let (roll, voted) = checked_roll(tx.conn(), polling, &ballot)?;
    let terms_changed = polling.terms_changed(tx.conn(), &ballot)?;
    let (derivation, boxed) = if terms_changed.is_empty() {
        let opened = opened(tx.conn(), polling, &ballot, voted)?;
        let double = by_area(&ballot, &opened)?;
        let boxed = boxed(&ballot, opened, true);
        (derive(&ballot, &roll, &boxed, double)?, boxed)
    } else {
        // Terms that somebody has chosen could make cells and sums tell of few: then nothing is told but all votes together.
        let ballot = guarded(ballot.clone());
        let boxed = boxed(&ballot, opened(tx.conn(), polling, &ballot, voted)?, false);
        let stated = Derivation {
            terms_changed,
            ..derive(&ballot, &roll, &boxed, None)?
        };
        (derived(stated, &boxed)?, boxed)
    };
    let derivation = Derivation {
        blind: blind(ballot.kind)?,
        ..derivation
    };
    let text = derivation.written()?;
    let sha256: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    store_papers::insert_slips(tx, of, &boxed)?;
    store_papers::forget(tx, of)?;
    for kind in [BallotOpened::KIND, BallotLetterReplaced::KIND] {
        outbox::store::forget_kind(tx, kind, of.as_str())?;
    }
    store::count(tx, of, &text, &sha256)?;
    let today = tx.today();
    measures::rate(tx, (of, &derivation), today)?;
    let data = json!({
        "sha256": hex::encode(sha256), "box_sha256": derivation.box_sha256, "roll_sha256": derivation.roll_sha256, "electorate": derivation.electorate,
        "roll_counted_sha256": derivation.roll_counted_sha256, "unvouched": derivation.unvouched, "terms_changed": derivation.terms_changed,
        "participations": derivation.participations, "ballots": derivation.ballots, "outcome": derivation.outcome,
    });
    append(tx, &actor, "ballot.closed", of, data)?;
    if derivation.is_roll_changed() {
        tidings::roll_changed(tx, &ballot)?;
    }
    if !derivation.terms_changed.is_empty() {
        tidings::terms_changed(tx, &ballot)?;
    }
    Ok(derivation)
}

/// The roll as it stands now, hashed anew, and those on it who have voted. An entry that is not what was frozen counts for nothing, whoever has voted by it.
fn checked_roll(conn: &mut Conn, polling: &Polling, ballot: &Ballot) -> Answer<(RollFound, Vec<HasVoted>)> {
    let key = polling.key(ballot)?;
    let (mut entries, mut voted, mut unvouched) = (Vec::new(), Vec::new(), 0_u32);
    for voter in store::roll(conn, &ballot.id)? {
        let entry = voter.entry();
        if !is_vouched(&key, &ballot.id, &ballot.roll_sha256, (&entry, voter.seal()))? {
            unvouched = unvouched.saturating_add(1);
        } else if voter.has_voted {
            voted.push(HasVoted {
                number: entry.number,
                community: entry.community_id.clone(),
                area: entry.area,
            });
        }
        entries.push(entry);
    }
    let found = RollFound {
        sha256: roll_sha256(&ballot.id, &entries),
        unvouched,
        participations: i64::try_from(voted.len()).map_err(|error| Fault::caused("count voters", error))?,
    };
    Ok((found, voted))
}

/// What keeps the hash of an appraisal's tally from being tried out: there are so few tallies that all of them can be. The box is kept from it by its salts.
fn blind(kind: Kind) -> Answer<Option<String>> {
    Ok(match kind {
        Kind::Rating => None,
        Kind::Appraisal => Some(hex::encode(id::random::<32>()?)),
    })
}

/// The votes of those who have voted. A paper that does not open, or is under a tag that is nobody's, counts for nothing: then there are other ballots
/// than people who have voted, which everybody sees.
fn opened(conn: &mut Conn, polling: &Polling, ballot: &Ballot, voted: Vec<HasVoted>) -> Answer<Vec<Opened>> {
    let key = polling.key(ballot)?;
    let papers: BTreeMap<Vec<u8>, Vec<u8>> = store_papers::papers(conn, &ballot.id)?.into_iter().collect();
    let mut opened = Vec::with_capacity(voted.len());
    for HasVoted {
        number,
        community,
        area,
    } in voted
    {
        let tag = voter_tag(&key, &ballot.id, number)?;
        let paper = papers
            .get(tag.as_slice())
            .and_then(|sealed| polling::opened(&key, &tag, sealed));
        if let Some(slips) = paper
            .and_then(|paper| read_paper(&ballot.terms, &paper))
            .map(Paper::into_slips)
        {
            opened.push(Opened {
                community,
                area,
                slips,
            });
        }
    }
    Ok(opened)
}

/// What areas come to, where they are tallied. Only here are they beside votes.
fn by_area(ballot: &Ballot, opened: &[Opened]) -> Answer<Option<Double>> {
    let terms = &ballot.terms;
    let Some(double) = &terms.double_tally else {
        return Ok(None);
    };
    let approves = |slip: &Slip| {
        let choice = terms.choice(&slip.choice);
        choice.is_some_and(|choice| choice.value >= double.approves_from)
    };
    let mut votes = Vec::with_capacity(opened.len());
    for one in opened {
        let area = one
            .area
            .ok_or_else(|| Fault::broken("a voter without the area that is tallied"))?;
        votes.push(Weighed {
            area,
            approves: one.slips.iter().map(approves).collect(),
        });
    }
    Ok(Some(weighed(terms, double, ballot.electorate, &votes)?))
}

/// The box: slips by hash, each with its community where that may be published, if that of any may be.
fn boxed(ballot: &Ballot, opened: Vec<Opened>, by_community: bool) -> Vec<Boxed> {
    let sizes: Vec<u64> = ballot
        .terms
        .communities
        .iter()
        .map(|community| {
            let own = opened.iter().filter(|one| one.community == *community).count();
            u64::try_from(own).unwrap_or(u64::MAX)
        })
        .collect();
    let shown = shown(&sizes, u64::from(ballot.terms.cell_ballots_min));
    let published: Vec<&AreaId> = ballot
        .terms
        .communities
        .iter()
        .zip(0..)
        .filter_map(|(community, place): (_, usize)| {
            (by_community && shown.contains(&place)).then_some(community)
        })
        .collect();
    let mut boxed = Vec::new();
    for Opened { community, slips, .. } in opened {
        let community = published.contains(&&community).then_some(community);
        boxed.extend(slips.into_iter().map(|slip| Boxed {
            hash: slip.hash(&ballot.id),
            slip,
            community: community.clone(),
        }));
    }
    boxed.sort_by_key(|one| one.hash);
    boxed
}
