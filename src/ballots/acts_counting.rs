//! Counting: when a ballot has closed, its papers are opened, taken apart into slips, sorted by hash and put into the box; papers, tags and key are
//! destroyed in the same transaction. It happens once, by whoever comes first.

use std::collections::BTreeMap;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::ballots::acts::{append, seen};
use crate::ballots::polling::{self, Polling};
use crate::ballots::rules::{Ballot, BallotId, NOT_COUNTED, State};
use crate::ballots::rules_cells::shown;
use crate::ballots::rules_derivation::{Derivation, derive};
use crate::ballots::rules_slips::{Boxed, Slip, slips, voter_tag};
use crate::ballots::{store, store_papers};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};

/// What was voted by one person, and where they live.
struct Opened {
    community: AreaId,
    slips: Vec<Slip>,
}

/// Counts a ballot that has closed. One that is counted stays as it is.
///
/// # Errors
/// In this order: permission; not found; [`NOT_COUNTED`] before its close, or if it was taken back.
pub fn count(tx: &mut Tx<'_>, polling: &Polling, id: &BallotId) -> Answer<Derivation> {
    // Nobody in particular does it: it is done by the clock.
    let actor = Actor::system();
    policy::allow(&actor, Action::CountBallot, Matter::default())?;
    let ballot = seen(tx.conn(), id)?;
    if let Some((derivation, _)) = store::result(tx.conn(), id)? {
        tx.nothing_to_change();
        return Ok(derivation);
    }
    if ballot.state(tx.now()) != State::Closed {
        return Err(NOT_COUNTED.refuse().into());
    }
    let voted = store::who_have_voted(tx.conn(), id)?;
    let participations = i64::try_from(voted.len()).map_err(|error| Fault::caused("count voters", error))?;
    let opened = opened(tx.conn(), polling, &ballot, voted)?;
    let boxed = boxed(&ballot, opened);
    let derivation = derive(&ballot, participations, &boxed)?;
    let text = derivation.written()?;
    let sha256: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    store_papers::insert_slips(tx, id, &boxed)?;
    store_papers::forget(tx, id)?;
    store::count(tx, id, &text, &sha256)?;
    let data = json!({
        "sha256": hex::encode(sha256), "box_sha256": derivation.box_sha256, "roll_sha256": derivation.roll_sha256, "electorate": derivation.electorate,
        "participations": derivation.participations, "ballots": derivation.ballots, "outcome": derivation.outcome,
    });
    append(tx, &actor, "ballot.closed", id, data)?;
    Ok(derivation)
}

/// The votes of those who have voted. A paper that does not open, or is under a tag that is nobody's, counts for nothing: then there are other ballots
/// than people who have voted, which everybody sees.
fn opened(
    conn: &mut Conn,
    polling: &Polling,
    ballot: &Ballot,
    voted: Vec<(i64, AreaId)>,
) -> Answer<Vec<Opened>> {
    let key = polling.key(ballot)?;
    let papers: BTreeMap<Vec<u8>, Vec<u8>> = store_papers::papers(conn, &ballot.id)?.into_iter().collect();
    let mut opened = Vec::with_capacity(voted.len());
    for (number, community) in voted {
        let tag = voter_tag(&key, &ballot.id, number)?;
        let paper = papers
            .get(tag.as_slice())
            .and_then(|sealed| polling::opened(&key, &tag, sealed));
        if let Some(slips) = paper.and_then(|paper| slips(&ballot.terms, &paper)) {
            opened.push(Opened { community, slips });
        }
    }
    Ok(opened)
}

/// The box: slips by hash, each with its community where that may be published.
fn boxed(ballot: &Ballot, opened: Vec<Opened>) -> Vec<Boxed> {
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
        .filter_map(|(community, place): (_, usize)| shown.contains(&place).then_some(community))
        .collect();
    let mut boxed = Vec::new();
    for Opened { community, slips } in opened {
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
