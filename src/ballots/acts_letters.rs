//! Letters by which one votes without an account, printed by the registrar of a community: for everybody on the roll of the ballot alike, because the
//! registrar does not know who has voted. The codes are kept as hashes. Printing for somebody again makes their older letter void, which the log counts and the
//! voter is told, where they can be: whoever prints a letter and uses it must not stay unseen.

use serde_json::json;

use crate::ballots::acts::{append, seen};
use crate::ballots::polling::Polling;
use crate::ballots::rules::{BallotId, CLOSED, NOBODY_TO_WRITE, NOT_A_VOTER, State, WITHDRAWN};
use crate::ballots::rules_slips::{PrintedLetter, letter_seal};
use crate::ballots::{acts_mail, rules, store, store_letters};
use crate::db::writer::Tx;
use crate::kernel::id;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault, Objection};
use crate::registry::acts_roll::community;
use crate::registry::rules::Area;
use crate::registry::rules_letters::{self as codes, Codes};
use crate::registry::rules_roll::{self as roll, ResidentId};
use crate::registry::store_roll_reading as reading;
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
    pub ballot: rules::Ballot,
    /// The letters, by household.
    pub letters: Vec<LetterText>,
    /// How many more would be written to by another batch of everyone.
    pub remaining: i64,
}

/// Makes letters for voters of a community.
///
/// # Errors
/// In this order: permission; a community that is not there; a ballot that is not; [`WITHDRAWN`], [`CLOSED`]; [`NOT_A_VOTER`] with everyone who is none;
/// [`NOBODY_TO_WRITE`].
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
    let (voters, remaining) = match readers {
        Readers::Named(ids) => (named(tx, &area, &ballot.id, ids)?, 0),
        Readers::Everyone => {
            let max = i64::try_from(LETTERS_MAX).unwrap_or(i64::MAX);
            let (some, all) = store_letters::without_letter(tx.conn(), &ballot.id, &area.id, max)?;
            let remaining = all.saturating_sub(i64::try_from(some.len()).unwrap_or(i64::MAX));
            (some, remaining)
        }
    };
    let key = polling.key(&ballot)?;
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
            acts_mail::tell_printed(tx, &ballot, (&resident, printings), &link)?;
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
        return Err(NOBODY_TO_WRITE.refuse().into());
    }
    letters.sort_by(|one, other| one.household.cmp(&other.household));
    let data = json!({ "area_id": area.id, "letters": letters.len(), "replaced": replaced });
    append(tx, actor, "ballot.letters_printed", &ballot.id, data)?;
    Ok(Printed {
        area,
        ballot,
        letters,
        remaining,
    })
}

fn named(
    tx: &mut Tx<'_>,
    area: &Area,
    ballot: &BallotId,
    ids: &[ResidentId],
) -> Answer<Vec<(i64, ResidentId)>> {
    let (mut voters, mut objections) = (Vec::new(), Vec::new());
    for (at, id) in ids.iter().enumerate() {
        let found = store::voter_who_is(tx.conn(), ballot, id)?;
        match found.filter(|voter| voter.community_id == area.id) {
            Some(voter) if voters.iter().all(|(number, _)| *number != voter.number) => {
                voters.push((voter.number, voter.resident_id));
            }
            Some(_) => {}
            None => objections.push(Objection {
                pointer: format!("/resident_ids/{at}"),
                code: NOT_A_VOTER.code,
                detail: NOT_A_VOTER.title.clone(),
            }),
        }
    }
    if objections.is_empty() {
        Ok(voters)
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
