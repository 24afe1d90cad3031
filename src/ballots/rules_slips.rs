//! The bytes that stand for votes: slips and their hashes, the box, the roll, receipts, and what is made with a ballot's key. One slip for each
//! question, each with a salt of its own: a pattern over several questions would mark a voter. Pure; chance arrives as a value.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::ballots::rules::{ABSTAIN, BallotId, Question, Terms};
use crate::ballots::rules_electorate::Voter;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::party::AreaId;
use crate::kernel::refusal::Fault;

/// What a receipt begins with.
pub const RECEIPT: &str = "wardbook/ballot-receipt/v1";
/// What a box begins with.
pub const BOX: &str = "wardbook/ballot-box/v1";
/// What a roll begins with.
pub const ROLL: &str = "wardbook/ballot-roll/v1";
/// What is hashed for a slip begins with this.
pub const SLIP: &str = "wardbook/ballot-slip/v1";
/// Bytes of the code in a mailed link.
pub const LINK_CODE_BYTES: usize = 16;
/// What is hashed of what its voter alone holds begins with this.
pub const OWN: &str = "wardbook/ballot-own/v1";
/// What is hashed for the salt of a slip begins with this.
pub const SALT: &str = "wardbook/ballot-salt/v1";
/// Bytes that a paper begins with: the hash of what its voter alone holds.
const PAPER_OWN: usize = 32;
/// Bytes of a question in a paper: the place of the choice, and the service's part of the salt.
const PAPER_PART: usize = 33;
/// What stands in a paper for an abstention.
const NO_CHOICE: u8 = 255;

/// A slip: the answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// The code of the question.
    pub question: String,
    /// The code of the choice, or `abstain`.
    pub choice: String,
    /// Made for this slip alone, of what its voter holds and of chance.
    pub salt: [u8; 32],
}

/// The hash of what a voter alone holds: a number of their own, the code of their letter or link, or the id of their account. SHA-256 of
/// `wardbook/ballot-own/v1`, the ballot, and that, each on a line of its own.
pub fn own_part(ballot: &BallotId, held: &str) -> [u8; 32] {
    Sha256::digest(format!("{OWN}\n{ballot}\n{held}\n")).into()
}

/// The salt of a slip: SHA-256 of `wardbook/ballot-salt/v1`, the question, the voter's part and the service's part, both in hexadecimal, each on a line of its own.
/// Whoever holds something else has another salt, and so another slip.
pub fn salt(question: &str, own: &[u8; 32], part: &[u8; 32]) -> [u8; 32] {
    let (own, part) = (hex::encode(own), hex::encode(part));
    Sha256::digest(format!("{SALT}\n{question}\n{own}\n{part}\n")).into()
}

/// A slip with the service's part of its salt, as its voter gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The slip.
    pub slip: Slip,
    /// Drawn by chance for it alone.
    pub part: [u8; 32],
}

/// A paper that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// The hash of what its voter holds.
    pub own: [u8; 32],
    /// A slip for each question.
    pub drawn: Vec<Drawn>,
}

impl Paper {
    /// The slips alone.
    pub fn into_slips(self) -> Vec<Slip> {
        self.drawn.into_iter().map(|one| one.slip).collect()
    }

    /// Whether two papers are the same vote by the same means: then one receipt is good for both.
    pub fn is_same_vote(&self, other: &Self) -> bool {
        let choices = |paper: &Self| -> Vec<(String, String)> {
            let of = |one: &Drawn| (one.slip.question.clone(), one.slip.choice.clone());
            paper.drawn.iter().map(of).collect()
        };
        self.own == other.own && choices(self) == choices(other)
    }
}

impl Slip {
    /// Its hash: SHA-256 of `wardbook/ballot-slip/v1`, the ballot, the question, the choice and the salt in hexadecimal, each on a line of its own.
    pub fn hash(&self, ballot: &BallotId) -> [u8; 32] {
        let salt = hex::encode(self.salt);
        let (question, choice) = (&self.question, &self.choice);
        Sha256::digest(format!("{SLIP}\n{ballot}\n{question}\n{choice}\n{salt}\n")).into()
    }
}

/// A slip in the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boxed {
    /// Its hash, by which the box is sorted.
    pub hash: [u8; 32],
    /// The slip.
    pub slip: Slip,
    /// The community of whoever voted, where that is published.
    pub community: Option<AreaId>,
}

/// The box as text: a line for each slip, by hash. No time, no voter, nothing that joins two slips.
pub fn box_text(ballot: &BallotId, slips: &[Boxed]) -> String {
    let mut text = format!("{BOX}\n{ballot}\n");
    for Boxed {
        hash,
        slip,
        community,
    } in slips
    {
        let community = community.as_ref().map_or("-", AreaId::as_str);
        let (question, choice) = (&slip.question, &slip.choice);
        text.push_str(&hex::encode(hash));
        text.push_str(&format!(
            " {question} {choice} {} {community}\n",
            hex::encode(slip.salt)
        ));
    }
    text
}

/// Reads a box; why it is none, if so.
///
/// # Errors
/// What is wrong, with the number of the line.
pub fn read_box(ballot: &BallotId, text: &str) -> Result<Vec<Boxed>, String> {
    let mut lines = text.split_terminator('\n');
    if lines.next() != Some(BOX) || lines.next() != Some(ballot.as_str()) || !text.ends_with('\n') {
        return Err("the box does not begin or end as one of this ballot does".to_owned());
    }
    let mut slips = Vec::new();
    for (line, number) in lines.zip(3_usize..) {
        slips.push(read_line(line).ok_or_else(|| format!("line {number} of the box is no slip"))?);
    }
    Ok(slips)
}

fn read_line(line: &str) -> Option<Boxed> {
    let mut parts = line.split(' ');
    let bytes = |text: &str| -> Option<[u8; 32]> {
        let is_lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        hex::decode(text).ok().filter(|_| is_lower)?.try_into().ok()
    };
    let hash = bytes(parts.next()?)?;
    let (question, choice) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let salt = bytes(parts.next()?)?;
    let community = match parts.next()? {
        "-" => None,
        id => Some(id.parse().ok()?),
    };
    parts.next().is_none().then_some(Boxed {
        hash,
        slip: Slip {
            question,
            choice,
            salt,
        },
        community,
    })
}

fn roll_line(voter: &Voter) -> String {
    let Voter {
        number,
        resident_id,
        community_id,
        area,
    } = voter;
    let area = area.map_or_else(String::new, |area| format!(" {}", area.dm2()));
    format!("{number} {community_id} {resident_id}{area}\n")
}

/// The roll as it is hashed: a line for each voter, with the area of the dwelling in hundredths of a square metre where areas are tallied.
pub fn roll_sha256(ballot: &BallotId, voters: &[Voter]) -> [u8; 32] {
    let mut hash = Sha256::new().chain_update(format!("{ROLL}\n{ballot}\n"));
    for voter in voters {
        hash.update(roll_line(voter));
    }
    hash.finalize().into()
}

/// What is signed for somebody who has voted: the ballot and the hashes of their slips, without a name and without a time.
pub fn receipt_text(ballot: &BallotId, hashes: &[[u8; 32]]) -> String {
    let mut text = format!("{RECEIPT}\n{ballot}\n");
    for hash in hashes {
        text.push_str(&hex::encode(hash));
        text.push('\n');
    }
    text
}

/// A paper as it is sealed: the voter's part, and for each question the place of the choice and the service's part of the salt. As long for every vote, so that its
/// length tells nothing.
///
/// # Errors
/// A fault if a place does not fit, which no scale has.
pub fn paper(own: &[u8; 32], vote: &[Option<usize>], parts: &[[u8; 32]]) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::with_capacity(vote.len().saturating_mul(PAPER_PART).saturating_add(PAPER_OWN));
    bytes.extend_from_slice(own);
    for (choice, part) in vote.iter().zip(parts) {
        let place = match choice {
            None => NO_CHOICE,
            Some(place) => {
                u8::try_from(*place).map_err(|error| Fault::caused("a place in a scale", error))?
            }
        };
        bytes.push(place);
        bytes.extend_from_slice(part);
    }
    Ok(bytes)
}

/// Reads a paper; `None` if it is not one of a ballot with these terms.
pub fn read_paper(terms: &Terms, paper: &[u8]) -> Option<Paper> {
    let (own, answers) = paper.split_first_chunk::<PAPER_OWN>()?;
    let (parts, rest) = answers.as_chunks::<PAPER_PART>();
    if !rest.is_empty() || parts.len() != terms.questions.len() {
        return None;
    }
    let of = |(question, part): (&Question, &[u8; PAPER_PART])| {
        let (place, part) = part.split_first()?;
        let part: [u8; 32] = part.try_into().ok()?;
        let choice = match *place {
            NO_CHOICE => ABSTAIN.to_owned(),
            place => terms.scale.get(usize::from(place))?.code.clone(),
        };
        Some(Drawn {
            slip: Slip {
                question: question.code.clone(),
                choice,
                salt: salt(&question.code, own, &part),
            },
            part,
        })
    };
    let drawn = terms.questions.iter().zip(parts).map(of).collect::<Option<_>>()?;
    Some(Paper { own: *own, drawn })
}

fn keyed(key: &[u8; 32], purpose: &str, ballot: &BallotId, number: i64) -> Result<Hmac<Sha256>, Fault> {
    let mut code =
        Hmac::<Sha256>::new_from_slice(key).map_err(|error| Fault::caused("the key of a ballot", error))?;
    code.update(format!("{purpose}\n{ballot}\n{number}\n").as_bytes());
    Ok(code)
}

/// The tag under which a voter's paper lies: without the ballot's key nobody can tell whose it is.
///
/// # Errors
/// A fault if HMAC refuses the key, which it never does.
pub fn voter_tag(key: &[u8; 32], ballot: &BallotId, number: i64) -> Result<[u8; 32], Fault> {
    Ok(keyed(key, "wardbook/ballot-voter/v1", ballot, number)?
        .finalize()
        .into_bytes()
        .into())
}

/// The code in the link that is mailed to a voter. It is made anew whenever it is sent, and stored nowhere.
///
/// # Errors
/// As [`voter_tag`].
pub fn link_code(key: &[u8; 32], ballot: &BallotId, number: i64) -> Result<[u8; LINK_CODE_BYTES], Fault> {
    let whole = keyed(key, "wardbook/ballot-link/v1", ballot, number)?
        .finalize()
        .into_bytes();
    let code = whole.first_chunk::<LINK_CODE_BYTES>();
    code.copied()
        .ok_or_else(|| Fault::broken("a code of a link is too short"))
}

/// Whether a code is that of a voter's link, in constant time.
///
/// # Errors
/// As [`voter_tag`].
pub fn is_link_code(key: &[u8; 32], ballot: &BallotId, number: i64, code: &[u8]) -> Result<bool, Fault> {
    let made = keyed(key, "wardbook/ballot-link/v1", ballot, number)?;
    Ok(code.len() == LINK_CODE_BYTES && made.verify_truncated_left(code).is_ok())
}

fn vouching(
    key: &[u8; 32],
    ballot: &BallotId,
    roll: &[u8; 32],
    voter: &Voter,
) -> Result<Hmac<Sha256>, Fault> {
    let mut code = keyed(key, "wardbook/ballot-entry/v1", ballot, voter.number)?;
    code.update(format!("{}\n{}", hex::encode(roll), roll_line(voter)).as_bytes());
    Ok(code)
}

/// What vouches for an entry of the roll, made when it is frozen: HMAC-SHA-256 under the ballot's key of `wardbook/ballot-entry/v1`, the ballot, the number, the
/// hash of the whole roll, and the entry as it is hashed into that, each on a line of its own.
///
/// # Errors
/// As [`voter_tag`].
pub fn entry_seal(
    key: &[u8; 32],
    ballot: &BallotId,
    roll: &[u8; 32],
    voter: &Voter,
) -> Result<[u8; 32], Fault> {
    Ok(vouching(key, ballot, roll, voter)?.finalize().into_bytes().into())
}

/// Whether an entry of the roll stands there as it did when the roll was frozen, in constant time.
///
/// # Errors
/// As [`voter_tag`].
pub fn is_vouched(
    key: &[u8; 32],
    ballot: &BallotId,
    roll: &[u8; 32],
    (voter, seal): (&Voter, &[u8]),
) -> Result<bool, Fault> {
    Ok(vouching(key, ballot, roll, voter)?.verify_slice(seal).is_ok())
}

/// A letter as it was printed, without its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrintedLetter<'l> {
    /// The voter's number.
    pub number: i64,
    /// SHA-256 of the code in its link.
    pub link: &'l [u8],
    /// SHA-256 of the code in print.
    pub code: &'l [u8],
    /// The how manieth of theirs it is.
    pub printings: i64,
    /// When it was printed, UTC.
    pub printed_at: Instant,
}

fn vouching_letter(
    key: &[u8; 32],
    ballot: &BallotId,
    letter: &PrintedLetter<'_>,
) -> Result<Hmac<Sha256>, Fault> {
    let mut code = keyed(key, "wardbook/ballot-letter/v1", ballot, letter.number)?;
    let (link, typed) = (hex::encode(letter.link), hex::encode(letter.code));
    let (printings, at) = (letter.printings, rfc3339(letter.printed_at));
    code.update(format!("{link}\n{typed}\n{printings}\n{at}\n").as_bytes());
    Ok(code)
}

/// What vouches for a letter, made when it is printed: HMAC-SHA-256 under the ballot's key of `wardbook/ballot-letter/v1`, the ballot, the number, the SHA-256 of
/// each of its codes, the how manieth it is, and when it was printed, each on a line of its own.
///
/// # Errors
/// As [`voter_tag`].
pub fn letter_seal(key: &[u8; 32], ballot: &BallotId, letter: &PrintedLetter<'_>) -> Result<[u8; 32], Fault> {
    Ok(vouching_letter(key, ballot, letter)?
        .finalize()
        .into_bytes()
        .into())
}

/// Whether a letter is kept as it was printed, in constant time.
///
/// # Errors
/// As [`voter_tag`].
pub fn is_letter_vouched(
    key: &[u8; 32],
    ballot: &BallotId,
    (letter, seal): (&PrintedLetter<'_>, &[u8]),
) -> Result<bool, Fault> {
    Ok(vouching_letter(key, ballot, letter)?.verify_slice(seal).is_ok())
}

/// What a mail to a voter is known by, so that it is sent once: without the ballot's key nobody can tell whose it is.
///
/// # Errors
/// As [`voter_tag`].
pub fn mail_tag(key: &[u8; 32], ballot: &BallotId, number: i64) -> Result<[u8; 32], Fault> {
    Ok(keyed(key, "wardbook/ballot-mail/v1", ballot, number)?
        .finalize()
        .into_bytes()
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ballots::rules::Question;
    use crate::ballots::rules::tests::{at, terms};
    use crate::ballots::rules_questions::usual_question;
    use crate::registry::rules_person::DwellingArea;

    fn ballot() -> BallotId {
        "ballot_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap()
    }

    #[test]
    fn a_slips_hash_is_what_the_documentation_says() {
        let slip = Slip {
            question: "overall".to_owned(),
            choice: "satisfied".to_owned(),
            salt: [7; 32],
        };
        let text = format!(
            "wardbook/ballot-slip/v1\nballot_01jd3n8f5teqkrzvq1c0m6h2ax\noverall\nsatisfied\n{}\n",
            "07".repeat(32)
        );
        assert_eq!(slip.hash(&ballot()), <[u8; 32]>::from(Sha256::digest(text)));
        let other = Slip {
            salt: [8; 32],
            ..slip.clone()
        };
        assert_ne!(slip.hash(&ballot()), other.hash(&ballot()));
    }

    #[test]
    fn a_paper_comes_back_and_is_as_long_for_every_vote() {
        let mut terms = terms();
        terms.questions.push(Question {
            code: "noise".to_owned(),
            ..usual_question()
        });
        let (own, parts) = ([9; 32], [[1; 32], [2; 32]]);
        let sealed = paper(&own, &[Some(4), None], &parts).unwrap();
        let back = read_paper(&terms, &sealed).unwrap();
        let said: Vec<(&str, &str, u8)> = back
            .drawn
            .iter()
            .map(|one| (one.slip.question.as_str(), one.slip.choice.as_str(), one.part[0]))
            .collect();
        assert_eq!(back.own, own);
        assert_eq!(
            said,
            [("overall", "very_dissatisfied", 1), ("noise", "abstain", 2)]
        );
        assert_eq!(sealed.len(), paper(&own, &[None, Some(0)], &parts).unwrap().len());
        assert_eq!(read_paper(&terms, &sealed[1..]), None);
        assert_eq!(read_paper(&terms, &sealed[..20]), None);
        assert_eq!(
            read_paper(&terms, &paper(&own, &[Some(5), None], &parts).unwrap()),
            None
        );
        // The same choices by somebody else are other slips, whatever chance draws; and another vote.
        let other = read_paper(&terms, &paper(&[8; 32], &[Some(4), None], &parts).unwrap()).unwrap();
        let hashes = |paper: &Paper| -> Vec<[u8; 32]> {
            paper.drawn.iter().map(|one| one.slip.hash(&ballot())).collect()
        };
        assert!(
            hashes(&back)
                .iter()
                .zip(hashes(&other))
                .all(|(one, other)| *one != other)
        );
        let again = read_paper(
            &terms,
            &paper(&own, &[Some(4), None], &[[3; 32], [4; 32]]).unwrap(),
        )
        .unwrap();
        let changed = read_paper(&terms, &paper(&own, &[Some(3), None], &parts).unwrap()).unwrap();
        assert!(back.is_same_vote(&again) && !back.is_same_vote(&other) && !back.is_same_vote(&changed));
    }

    #[test]
    fn a_salt_is_what_the_documentation_says() {
        let own = own_part(&ballot(), "7ZQK2M4V9XHD0RCP");
        let text = "wardbook/ballot-own/v1\nballot_01jd3n8f5teqkrzvq1c0m6h2ax\n7ZQK2M4V9XHD0RCP\n";
        assert_eq!(own, <[u8; 32]>::from(Sha256::digest(text)));
        let text = format!(
            "wardbook/ballot-salt/v1\noverall\n{}\n{}\n",
            hex::encode(own),
            "07".repeat(32)
        );
        assert_eq!(
            salt("overall", &own, &[7; 32]),
            <[u8; 32]>::from(Sha256::digest(text))
        );
    }

    #[test]
    fn a_box_comes_back_and_nothing_else_is_one() {
        let slip = Slip {
            question: "overall".to_owned(),
            choice: "fair".to_owned(),
            salt: [3; 32],
        };
        let boxed = Boxed {
            hash: slip.hash(&ballot()),
            slip,
            community: None,
        };
        let text = box_text(&ballot(), std::slice::from_ref(&boxed));
        assert_eq!(read_box(&ballot(), &text), Ok(vec![boxed]));
        for broken in [
            text.replace(" -\n", "\n"),
            text.replace("box/v1", "box/v2"),
            text.trim_end().to_owned(),
            text.replace('\n', "\n\n"),
            text.to_uppercase(),
        ] {
            assert!(read_box(&ballot(), &broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn an_entry_is_vouched_for_as_it_was_frozen_and_not_otherwise() {
        let voter = Voter {
            number: 3,
            resident_id: crate::registry::rules_roll::ResidentId::mint(at(1, 0)),
            community_id: AreaId::mint(at(1, 0)),
            area: DwellingArea::of_dm2(9_000),
        };
        let (key, roll) = ([1; 32], [2; 32]);
        let seal = entry_seal(&key, &ballot(), &roll, &voter).unwrap();
        let holds = |key: &[u8; 32], ballot: &BallotId, roll: &[u8; 32], voter: &Voter, seal: &[u8]| {
            is_vouched(key, ballot, roll, (voter, seal)).unwrap()
        };
        assert!(holds(&key, &ballot(), &roll, &voter, &seal));
        let mut others = [voter.clone(), voter.clone(), voter.clone(), voter.clone()];
        others[0].number = 4;
        others[1].resident_id = crate::registry::rules_roll::ResidentId::mint(at(2, 0));
        others[2].community_id = AreaId::mint(at(2, 0));
        others[3].area = None;
        assert!(
            others
                .iter()
                .all(|other| !holds(&key, &ballot(), &roll, other, &seal))
        );
        assert!(!holds(&[9; 32], &ballot(), &roll, &voter, &seal));
        assert!(!holds(&key, &BallotId::mint(at(1, 0)), &roll, &voter, &seal));
        assert!(!holds(&key, &ballot(), &[9; 32], &voter, &seal));
        assert!(
            !holds(&key, &ballot(), &roll, &voter, &[]) && !holds(&key, &ballot(), &roll, &voter, &seal[1..])
        );
    }

    #[test]
    fn a_letter_is_vouched_for_as_it_was_printed_and_not_otherwise() {
        let (link, code) = ([5; 32], [6; 32]);
        let letter = PrintedLetter {
            number: 3,
            link: &link,
            code: &code,
            printings: 1,
            printed_at: at(1, 0),
        };
        let seal = letter_seal(&[1; 32], &ballot(), &letter).unwrap();
        let holds = |key: u8, ballot: &BallotId, letter: PrintedLetter<'_>, seal: &[u8]| {
            is_letter_vouched(&[key; 32], ballot, (&letter, seal)).unwrap()
        };
        assert!(holds(1, &ballot(), letter, &seal));
        let mut others = [letter; 5];
        others[0].number = 4;
        others[1].link = &code;
        others[2].code = &link;
        others[3].printings = 2;
        others[4].printed_at = at(1, 1);
        assert!(others.iter().all(|other| !holds(1, &ballot(), *other, &seal)));
        assert!(!holds(2, &ballot(), letter, &seal) && !holds(1, &BallotId::mint(at(1, 0)), letter, &seal));
        assert!(!holds(1, &ballot(), letter, &[]) && !holds(1, &ballot(), letter, &seal[1..]));
    }

    #[test]
    fn tags_and_links_are_of_one_voter_one_ballot_and_one_key() {
        let other = BallotId::mint(at(1, 0));
        let tag = |key: u8, ballot: &BallotId, number| voter_tag(&[key; 32], ballot, number).unwrap();
        let all = [
            tag(1, &ballot(), 1),
            tag(1, &ballot(), 2),
            tag(2, &ballot(), 1),
            tag(1, &other, 1),
        ];
        let mut unique = all.to_vec();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), all.len());
        let code = link_code(&[1; 32], &ballot(), 1).unwrap();
        assert!(is_link_code(&[1; 32], &ballot(), 1, &code).unwrap());
        assert!(
            !is_link_code(&[1; 32], &ballot(), 2, &code).unwrap()
                && !is_link_code(&[1; 32], &ballot(), 1, &code[1..]).unwrap()
        );
        assert_ne!(code.as_slice(), &all[0][..LINK_CODE_BYTES]);
    }
}
