//! The random draw of a panel, and the record of it from which anybody can make it again: the candidates are frozen, each is given the
//! SHA-256 of a secret seed and their own account id, and they are called in the order of these. The log has the hashes of seed and
//! candidates when the draw is made; both are published with the result. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::rules_panel::{MemberKind, MemberState};
use crate::books::rules::BookId;
use crate::kernel::draw;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Fault;

pub use crate::kernel::draw::commitment;

/// What a record of this form begins with.
pub const FORMAT: &str = "wardbook/panel/v1";
/// Bytes of a stored record at most.
pub const RECORD_BYTES_MAX: usize = 4_194_304;
/// Draws of one panel at most.
pub const DRAWS_MAX: i64 = 9;

/// The hash of the frozen candidates, as the log has it from the draw on: their ids, each followed by the end of a line, sorted, each once.
pub fn candidates_sha256(candidates: &[AccountId]) -> [u8; 32] {
    draw::candidates_sha256(candidates.iter().map(AccountId::as_str))
}

/// In which order the candidates are called: by SHA-256(seed ‖ account id), the lowest first.
pub fn order(seed: &[u8; 32], candidates: &[AccountId]) -> Vec<AccountId> {
    let ordered = draw::order(seed, candidates, AccountId::as_str);
    ordered.into_iter().cloned().collect()
}

/// A draw, as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PanelDrawRecord)]
pub struct DrawRecord {
    /// Counts the draws, from 1. Another one is made only when everybody of those before was called.
    #[schema(minimum = 1, maximum = 9)]
    pub number: i64,
    /// When, UTC.
    #[schema(max_length = 40)]
    pub drawn_at: String,
    /// The seed.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub seed: String,
    /// SHA-256 of its 32 bytes, as the log has it since the draw.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub seed_sha256: String,
    /// Everybody who could have been drawn, sorted.
    #[schema(max_items = 5000)]
    pub candidates: Vec<AccountId>,
    /// SHA-256 of the candidates, each followed by the end of a line, as the log has it since the draw.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub candidates_sha256: String,
}

/// Somebody who was called to a seat, as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PanelMemberRecord)]
pub struct MemberRecord {
    /// Which seat.
    #[schema(minimum = 1, maximum = 99)]
    pub seat: i64,
    /// Who.
    pub account_id: AccountId,
    /// Their name; only of those who sat.
    #[serde(default)]
    #[schema(nullable = true, max_length = 200)]
    pub name: Option<String>,
    /// As an expert, or for the buyer.
    pub kind: MemberKind,
    /// In which draw; `null` for the buyer's.
    #[serde(default)]
    #[schema(nullable = true, minimum = 1, maximum = 9)]
    pub draw: Option<i64>,
    /// Where in its order, from 1.
    #[serde(default)]
    #[schema(nullable = true, minimum = 1, maximum = 10_000)]
    pub place: Option<i64>,
    /// What became of it.
    pub state: MemberState,
    /// Since when they sat, UTC; `null` if they never did.
    #[serde(default)]
    #[schema(nullable = true, max_length = 40)]
    pub sat_from: Option<String>,
    /// Until when, UTC: what was judged before that was judged with them; `null` if they sat to the end, or never did.
    #[serde(default)]
    #[schema(nullable = true, max_length = 40)]
    pub sat_until: Option<String>,
    /// Whether they took the chair.
    pub is_chair: bool,
}

/// The record of a panel, published with the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PanelRecord, example = json!({
    "format": "wardbook/panel/v1", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "size": 1, "experts": 1,
    "draws": [{"number": 1, "drawn_at": "2026-04-01T02:00:00.000000Z", "seed": "0000000000000000000000000000000000000000000000000000000000000000",
        "seed_sha256": "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925", "candidates": ["user_01jd3n8f5teqkrzvq1c0m6h2ax"],
        "candidates_sha256": "ac81433dcc080e88645b9171ab4d446ac03eb2c6a5d65d0bc85ad3983ecf5e1f"}],
    "members": [{"seat": 1, "account_id": "user_01jd3n8f5teqkrzvq1c0m6h2ax", "name": "沈知行", "kind": "expert", "draw": 1, "place": 1, "state": "sitting", "sat_from": "2026-04-01T03:00:00.000000Z", "sat_until": null, "is_chair": true}]
}))]
pub struct PanelRecord {
    /// `wardbook/panel/v1`
    #[schema(max_length = 40)]
    pub format: String,
    /// The book.
    pub book_id: BookId,
    /// Seats.
    #[schema(minimum = 1, maximum = 99)]
    pub size: i64,
    /// How many of them are experts'.
    #[schema(minimum = 0, maximum = 99)]
    pub experts: i64,
    /// The draws, the first one first.
    #[schema(max_items = 9)]
    pub draws: Vec<DrawRecord>,
    /// Everybody who was called, by draw and place, the buyer's last.
    #[schema(max_items = 10_000)]
    pub members: Vec<MemberRecord>,
}

impl PanelRecord {
    /// The bytes that are stored and hashed, once.
    ///
    /// # Errors
    /// A fault if it cannot be written, or is longer than a record may be.
    pub fn written(&self) -> Result<String, Fault> {
        let written = serde_json::to_string(self)
            .map_err(|error| Fault::caused("write the record of a panel", error))?;
        if written.len() > RECORD_BYTES_MAX {
            return Err(Fault::broken(format!("a record of {} bytes", written.len())));
        }
        Ok(written)
    }
}

/// Everything in a record that does not follow from its seeds and candidates, in words; nothing if the draw was as it should be.
pub fn check(record: &PanelRecord) -> Vec<String> {
    let mut faults = Vec::new();
    if record.format != FORMAT {
        faults.push(format!("the format is {}, not {FORMAT}", record.format));
    }
    let mut drawn_before: Vec<&AccountId> = Vec::new();
    for (index, draw) in (1_i64..).zip(&record.draws) {
        if draw.number != index {
            faults.push(format!("draw {} stands where draw {index} belongs", draw.number));
        }
        check_draw(&mut faults, record, draw);
        if draw.candidates.iter().any(|one| drawn_before.contains(&one)) {
            faults.push(format!("draw {index}: a candidate was in an earlier draw"));
        }
        drawn_before.extend(&draw.candidates);
    }
    check_seats(&mut faults, record);
    faults
}

fn check_draw(faults: &mut Vec<String>, record: &PanelRecord, draw: &DrawRecord) {
    let number = draw.number;
    let seed = hex::decode(&draw.seed)
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let Some(seed) = seed else {
        faults.push(format!("draw {number}: its seed is not 32 bytes"));
        return;
    };
    if hex::encode(commitment(&seed)) != draw.seed_sha256 {
        faults.push(format!(
            "draw {number}: the seed is not the one that was committed to"
        ));
    }
    if hex::encode(candidates_sha256(&draw.candidates)) != draw.candidates_sha256 {
        faults.push(format!(
            "draw {number}: the candidates are not those that were committed to"
        ));
    }
    let order = order(&seed, &draw.candidates);
    let mut called: Vec<&MemberRecord> = record
        .members
        .iter()
        .filter(|member| member.draw == Some(number))
        .collect();
    called.sort_by_key(|member| member.place);
    for (place, member) in (1_i64..).zip(called) {
        let expected = usize::try_from(place - 1).ok().and_then(|index| order.get(index));
        if member.place != Some(place) {
            faults.push(format!("draw {number}: nobody was called at place {place}"));
            return;
        }
        if expected != Some(&member.account_id) {
            let who = &member.account_id;
            faults.push(format!("draw {number}: {who} does not come at place {place}"));
        }
    }
}

fn check_seats(faults: &mut Vec<String>, record: &PanelRecord) {
    let sitting = || {
        record
            .members
            .iter()
            .filter(|member| member.state == MemberState::Sitting)
    };
    for seat in 1..=record.size {
        let of_seat: Vec<&MemberRecord> = sitting().filter(|member| member.seat == seat).collect();
        let kind = if seat <= record.experts {
            MemberKind::Expert
        } else {
            MemberKind::Buyer
        };
        match of_seat.as_slice() {
            [one] if one.kind == kind => {}
            [_] => faults.push(format!("seat {seat} is taken by somebody of the other kind")),
            [] => faults.push(format!("nobody sits on seat {seat}")),
            _ => faults.push(format!("several sit on seat {seat}")),
        }
    }
    if sitting().any(|member| !(1..=record.size).contains(&member.seat)) {
        faults.push("somebody sits on a seat that there is not".to_owned());
    }
    if record
        .members
        .iter()
        .any(|member| (member.kind == MemberKind::Expert) != member.draw.is_some())
    {
        faults.push("an expert was not drawn, or somebody of the buyer's was".to_owned());
    }
    if sitting().filter(|member| member.is_chair).count() > 1 {
        faults.push("there are several chairs".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn account(number: u32) -> AccountId {
        format!("user_01jd3n8f5teqkrzvq1c0{number:06}").parse().unwrap()
    }

    fn accounts(count: u32) -> Vec<AccountId> {
        (0..count).map(account).collect()
    }

    /// A panel of three experts and one of the buyer's, drawn from so many, of whom the first two did not sit.
    fn record(seed: [u8; 32], count: u32) -> PanelRecord {
        let candidates = accounts(count);
        let called = order(&seed, &candidates).into_iter().take(5);
        let mut members: Vec<MemberRecord> = (1_i64..)
            .zip(called)
            .map(|(place, account_id)| MemberRecord {
                seat: if place <= 3 { place } else { place - 3 },
                account_id,
                name: None,
                kind: MemberKind::Expert,
                draw: Some(1),
                place: Some(place),
                state: match place {
                    1 => MemberState::SteppedBack,
                    2 => MemberState::Absent,
                    _ => MemberState::Sitting,
                },
                sat_from: None,
                sat_until: None,
                is_chair: place == 3,
            })
            .collect();
        members.push(MemberRecord {
            seat: 4,
            account_id: account(999_999),
            name: None,
            kind: MemberKind::Buyer,
            draw: None,
            place: None,
            state: MemberState::Sitting,
            sat_from: None,
            sat_until: None,
            is_chair: false,
        });
        PanelRecord {
            format: FORMAT.to_owned(),
            book_id: "book_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            size: 4,
            experts: 3,
            draws: vec![DrawRecord {
                number: 1,
                drawn_at: "2026-04-01T02:00:00.000000Z".to_owned(),
                seed: hex::encode(seed),
                seed_sha256: hex::encode(commitment(&seed)),
                candidates_sha256: hex::encode(candidates_sha256(&candidates)),
                candidates,
            }],
            members,
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_order_everywhere() {
        // Found with `printf '…' | sha256sum`, and so that nobody changes the construction without noticing.
        let order: Vec<String> = order(&[0; 32], &accounts(4))
            .iter()
            .map(|one| one.as_str()[25..].to_owned())
            .collect();
        assert_eq!(order, ["000002", "000003", "000000", "000001"]);
        assert_eq!(
            hex::encode(commitment(&[0; 32])),
            "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
        );
        assert_eq!(
            hex::encode(candidates_sha256(&accounts(4))),
            "4eb19d8bcb7217911d5cac15096ac066da3b1022dc7ae8dc49fdf2deb8b6cfb6"
        );
    }

    #[test]
    fn a_record_holds_as_it_was_drawn_and_not_otherwise() {
        type Change = fn(&mut PanelRecord);
        let good = record([7; 32], 9);
        assert_eq!(check(&good), Vec::<String>::new());
        let changed = |change: Change| {
            let mut record = good.clone();
            change(&mut record);
            check(&record)
        };
        let changes: [(&str, Change); 11] = [
            ("another seed", |record| {
                record.draws[0].seed = hex::encode([8; 32])
            }),
            ("no seed", |record| record.draws[0].seed = "07".to_owned()),
            ("a candidate less", |record| {
                record.draws[0].candidates.pop();
            }),
            ("two members changed places", |record| {
                let other = record.members[4].account_id.clone();
                record.members[4].account_id = std::mem::replace(&mut record.members[3].account_id, other);
            }),
            ("somebody left out", |record| {
                record.members.remove(1);
            }),
            ("a seat empty", |record| {
                record.members[4].state = MemberState::Declined;
            }),
            ("a seat taken twice", |record| record.members[4].seat = 1),
            ("an expert who was not drawn", |record| {
                record.members[5].kind = MemberKind::Expert;
            }),
            ("two chairs", |record| record.members[4].is_chair = true),
            ("a second draw from the same", |record| {
                let mut again = record.draws[0].clone();
                again.number = 2;
                record.draws.push(again);
            }),
            ("another format", |record| record.format.push('2')),
        ];
        for (what, change) in changes {
            assert!(!changed(change).is_empty(), "{what}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let record = record([1; 32], 6);
        let written = record.written().unwrap();
        assert_eq!(serde_json::from_str::<PanelRecord>(&written).unwrap(), record);
    }

    proptest! {
        #[test]
        fn everybody_comes_once_whatever_the_order_they_were_listed_in(seed: [u8; 32], count in 0_u32..40, turn in 0_usize..40) {
            let candidates = accounts(count);
            let drawn = order(&seed, &candidates);
            let mut turned = candidates.clone();
            if !turned.is_empty() {
                let by = turn % turned.len();
                turned.rotate_left(by);
            }
            prop_assert_eq!(&drawn, &order(&seed, &turned));
            prop_assert_eq!(candidates_sha256(&candidates), candidates_sha256(&turned));
            let mut sorted = drawn;
            sorted.sort();
            prop_assert_eq!(sorted, candidates);
        }
    }

    #[test]
    fn nobody_is_preferred() {
        // Over many seeds each of ten comes first about as often as the others: 1000 times each, within five standard deviations.
        let candidates = accounts(10);
        let mut first = [0_u32; 10];
        for number in 0..10_000_u32 {
            let seed = commitment(&{
                let mut seed = [0; 32];
                seed[..4].copy_from_slice(&number.to_be_bytes());
                seed
            });
            let winner = order(&seed, &candidates).into_iter().next().unwrap();
            first[candidates.iter().position(|one| *one == winner).unwrap()] += 1;
        }
        assert!(
            first.iter().all(|times| (850..=1150).contains(times)),
            "{first:?}"
        );
    }
}
