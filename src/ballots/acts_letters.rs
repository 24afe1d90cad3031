//! Letters by which one votes without an account, printed by the registrar of a community: for everybody on the roll of the ballot alike, because the
//! registrar does not know who has voted. The codes are kept as hashes. Printing for somebody again makes their older letter void, which the log counts and the
//! voter is told, where they can be: whoever prints a letter and uses it must not stay unseen.

use serde_json::json;

use crate::ballots::acts::{append, seen};
use crate::ballots::polling::{BallotKey, Polling};
use crate::ballots::rules::{
    Ballot, BallotId, CLOSED, ENTRY_CHANGED, NOBODY_TO_WRITE, NOT_A_VOTER, State, WITHDRAWN,
};
use crate::ballots::rules_slips::{PrintedLetter, is_vouched, letter_seal};
use crate::ballots::store::Voting;
use crate::ballots::{acts_mail, store, store_letters};
use crate::db::writer::Tx;
use crate::kernel::id;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault, Objection, Refusal};
use crate::registry::acts_roll::community;
use crate::registry::rules::Area;
use crate::registry::rules_letters::{self as codes, Codes};
use crate::registry::rules_roll::{self as roll, ResidentId};
use crate::registry::store_roll_reading as reading;
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::Action;

/// Letters printed at once.
pub const LETTERS_MAX: usize = 500;
/// How often bytes are drawn for a code before something must be wrong with the source of chance.
const DRAWS_MAX: usize = 200;

/// For whom letters are printed.
#[derive(Clone, Debug)]
pub enum Readers {
    /// For these.
    Named(Vec<ResidentId>),
    /// For everybody in the community who has none, as many as go into one batch.
    Everyone,
}

/// A letter, with the codes that exist nowhere else.
#[derive(Clone)]
pub struct LetterText {
    /// To whom.
    pub name: String,
    /// Their household.
    pub household: String,
    /// Its codes.
    pub codes: Codes,
}

/// A batch of letters.
#[derive(Clone)]
pub struct Printed {
    /// The community.
    pub area: Area,
    /// The ballot.
    pub ballot: Ballot,
    /// The letters, by household.
    pub letters: Vec<LetterText>,
    /// How many more would be written to by another batch of everyone.
    pub remaining: i64,
    /// How many entries of the community got none because the ballot's key does not vouch for them.
    pub unvouched: i64,
}

/// For whom letters are made.
struct Chosen {
    voters: Vec<(i64, ResidentId)>,
    remaining: i64,
    unvouched: i64,
}

/// Makes letters for voters of a community, and none for an entry that was put into the roll or changed since it was frozen.
///
/// # Errors
/// In this order: permission; a community that is not there; a ballot that is not; [`WITHDRAWN`], [`CLOSED`]; [`NOT_A_VOTER`] with everyone who is none, and
/// [`ENTRY_CHANGED`] with everyone whose entry is not the one that was frozen; [`NOBODY_TO_WRITE`].
pub fn print(
    tx: &mut Tx<'_>,
    actor: &Actor,
    polling: &Polling,
    (area, ballot): (&AreaId, &BallotId),
    readers: &Readers,
) -> Answer<Printed> {
    let area = community(tx.conn(), actor, Action::PrintBallotLetters, area)?;
    let ballot = seen(tx.conn(), ballot)?;
    match ballot.state(tx.now()) {
        State::Called | State::Open => {}
        State::Withdrawn => return Err(WITHDRAWN.refuse().into()),
        State::Closed | State::Counted => return Err(CLOSED.refuse().into()),
    }
    let key = polling.key(&ballot)?;
    let Chosen {
        voters,
        remaining,
        unvouched,
    } = match readers {
        Readers::Named(ids) => named(tx, (&area, &ballot), &key, ids)?,
        Readers::Everyone => everyone(tx, (&area, &ballot), &key)?,
    };
    let (mut letters, mut replaced) = (Vec::new(), 0_i64);
    let is_named = matches!(readers, Readers::Named(_));
    for (number, resident) in voters {
        let Some(found) = reading::one(tx.conn(), &resident)? else {
            continue;
        };
        let Ok(person) = roll::on_roll(&found.resident) else {
            continue;
        };
        let (name, codes) = (person.name.clone(), draw()?);
        let (link, typed) = (codes::link_hash(&codes.link), codes::typed_hash(&codes.typed));
        let void = store_letters::letter(tx.conn(), &ballot.id, number)?;
        let printings = void.map_or(1, |letter| letter.printings.saturating_add(1));
        let letter = PrintedLetter {
            number,
            link: &link,
            code: &typed,
            printings,
            printed_at: tx.now(),
        };
        store_letters::put(tx, &ballot.id, &letter, &letter_seal(&key, &ballot.id, &letter)?)?;
        if printings > 1 {
            replaced = replaced.saturating_add(1);
        }
        // One that is printed for somebody by name is told also where it is their first: they may have voted by other means.
        if printings > 1 || is_named {
            acts_mail::tell_printed(tx, (polling, &ballot), (&resident, printings), &link)?;
        }
        letters.push(LetterText {
            name,
            household: found
                .household
                .map(|household| household.code)
                .unwrap_or_default(),
            codes,
        });
    }
    if letters.is_empty() {
        return Err(nobody(unvouched).into());
    }
    letters.sort_by(|one, other| one.household.cmp(&other.household));
    let data =
        json!({ "area_id": area.id, "letters": letters.len(), "replaced": replaced, "unvouched": unvouched });
    append(tx, actor, "ballot.letters_printed", &ballot.id, data)?;
    Ok(Printed {
        area,
        ballot,
        letters,
        remaining,
        unvouched,
    })
}

/// Whether the roll was frozen with this entry.
fn is_frozen(ballot: &Ballot, key: &BallotKey, voter: &Voting) -> Result<bool, Fault> {
    is_vouched(
        key,
        &ballot.id,
        &ballot.roll_sha256,
        (&voter.entry(), voter.seal()),
    )
}

/// Nobody gets a letter: because all have one, or because of what the key does not vouch for.
fn nobody(unvouched: i64) -> Refusal {
    if unvouched == 0 {
        return NOBODY_TO_WRITE.refuse();
    }
    NOBODY_TO_WRITE.because(text!(
        "名册上有 {unvouched} 条记录在冻结后被改动，不能为其打印投票函；请告知审计人员",
        "{unvouched} entries of the roll are not those that were frozen, and get no letter; tell the auditors"
    ))
}

/// Everybody in the community who has no letter, as many as go into one batch.
fn everyone(tx: &mut Tx<'_>, (area, ballot): (&Area, &Ballot), key: &BallotKey) -> Answer<Chosen> {
    let (mut voters, mut unvouched) = (Vec::new(), 0_i64);
    for voter in store_letters::without_letter(tx.conn(), &ballot.id, &area.id)? {
        if is_frozen(ballot, key, &voter)? {
            voters.push((voter.number, voter.resident_id));
        } else {
            unvouched = unvouched.saturating_add(1);
        }
    }
    let remaining = i64::try_from(voters.len().saturating_sub(LETTERS_MAX)).unwrap_or(i64::MAX);
    voters.truncate(LETTERS_MAX);
    Ok(Chosen {
        voters,
        remaining,
        unvouched,
    })
}

fn named(
    tx: &mut Tx<'_>,
    (area, ballot): (&Area, &Ballot),
    key: &BallotKey,
    ids: &[ResidentId],
) -> Answer<Chosen> {
    let (mut voters, mut objections) = (Vec::new(), Vec::new());
    for (at, id) in ids.iter().enumerate() {
        let found = store::voter_who_is(tx.conn(), &ballot.id, id)?;
        let reason = match found.filter(|voter| voter.community_id == area.id) {
            Some(voter) if !is_frozen(ballot, key, &voter)? => &ENTRY_CHANGED,
            Some(voter) => {
                if voters.iter().all(|(number, _)| *number != voter.number) {
                    voters.push((voter.number, voter.resident_id));
                }
                continue;
            }
            None => &NOT_A_VOTER,
        };
        objections.push(Objection {
            pointer: format!("/resident_ids/{at}"),
            code: reason.code,
            detail: reason.title.clone(),
        });
    }
    if objections.is_empty() {
        Ok(Chosen {
            voters,
            remaining: 0,
            unvouched: 0,
        })
    } else {
        Err(crate::web::problem::INVALID.refuse().listing(objections).into())
    }
}

fn draw() -> Answer<Codes> {
    for _ in 0..DRAWS_MAX {
        if let Some(codes) = codes::codes(id::random()?, id::random()?) {
            return Ok(codes);
        }
    }
    Err(Fault::broken("chance draws the same all the time").into())
}
