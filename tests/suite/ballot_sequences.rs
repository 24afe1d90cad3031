//! Random sequences of votes against a small model: who votes what in which order, twice, at once, again, too early and too late; what is counted is the last
//! vote of each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::award_sequences::Dice;
use crate::awards::go_to;
use crate::ballots::{Polled, recomputed, votes};
use crate::books::{at_once, ok};
use crate::on_both;
use crate::organisations::refused;
use crate::treasury::made;

const QUESTIONS: [&str; 2] = ["streets", "bins"];
const SCALE: [(&str, i64); 5] = [
    ("very_satisfied", 100),
    ("satisfied", 80),
    ("fair", 60),
    ("dissatisfied", 40),
    ("very_dissatisfied", 0),
];
const STEPS: usize = 150;

/// What somebody says to each question: the place in the scale, or nothing.
type Vote = [Option<usize>; 2];

fn answers(vote: Vote) -> Value {
    let choice = |said: Option<usize>| said.map_or("abstain", |place| SCALE[place].0);
    QUESTIONS
        .iter()
        .zip(vote)
        .map(|(question, said)| json!({"question": question, "choice": choice(said)}))
        .collect()
}

fn vote(dice: &mut Dice) -> Vote {
    [(); 2].map(|()| Some(dice.roll(6)).filter(|place| *place < SCALE.len()))
}

on_both! { in "test";
    fn what_is_counted_is_the_last_vote_of_each(ward) {
        let polled = Polled::with(&ward, [14, 13]);
        let questions: Value = QUESTIONS.iter().zip([3, 1]).map(|(code, weight)| json!({"code": code, "text_zh": format!("问{code}"), "text_en": format!("Asked {code}"), "weight": weight})).collect();
        let ballot = made(&polled.calls(polled.officer(), |body| body["questions"] = questions));
        let mut codes: Vec<(usize, String)> = Vec::new();
        for community in 0..2 {
            codes.extend(polled.codes(community, &ballot).into_iter().map(|code| (community, code)));
        }
        let mut dice = Dice(20_260_520);
        refused(&votes(&ward, &codes[0].1, &answers(vote(&mut dice))), 409, "ballot_not_open");
        go_to(&ward, "2026-05-20T00:00:00Z");
        let mut model: BTreeMap<usize, Vote> = BTreeMap::new();
        let (mut first, mut replaced) = (0, 0);
        for _ in 0..STEPS {
            // Some never vote.
            let who = dice.roll(codes.len() - 4);
            let said = vote(&mut dice);
            let body = answers(said);
            // The number of a phone that sends the same again: one for each vote of each voter.
            let nonce = format!("voter-{who:04}-{:02}-{:02}", said[0].unwrap_or(9), said[1].unwrap_or(9));
            let cast = || ward.ask("POST", "/api/v1/ballot-votes").json(&json!({"code": codes[who].1, "answers": body, "nonce": nonce})).send();
            let known = model.get(&who).copied();
            let twice = dice.roll(4) == 0;
            let receipts = if twice { Vec::from(at_once([&cast, &cast])) } else { vec![cast()] };
            let receipts: Vec<Value> = receipts.iter().map(ok).collect();
            assert!(receipts.iter().all(|receipt| receipt["slips"] == receipts[0]["slips"]));
            match known {
                None => first += 1,
                Some(before) if before == said => {}
                Some(_) => replaced += 1,
            }
            model.insert(who, said);
        }
        let cast = ward.events("ballot.cast");
        let replacing = cast.iter().filter(|event| event["entry"]["data"]["replaces"] == true).count();
        assert_eq!((cast.len() - replacing, replacing), (first, replaced));

        go_to(&ward, "2026-05-27T00:00:00Z");
        refused(&votes(&ward, &codes[0].1, &answers(vote(&mut dice))), 409, "ballot_closed");
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["ballots"], &tally["participations"]), (&json!(model.len()), &json!(model.len())));
        // Every cell that is told is what the model says of it.
        let cells = tally["cells"].as_array().unwrap();
        for cell in cells {
            let own = |who: &usize| cell["community_id"].is_null() || cell["community_id"] == json!(polled.communities[codes[*who].0].id);
            let votes: Vec<Vote> = model.iter().filter(|(who, _)| own(who)).map(|(_, vote)| *vote).collect();
            assert!(votes.len() >= 10 && cell["ballots"] == json!(votes.len()), "{cell}");
            for (question, told) in cell["questions"].as_array().unwrap().iter().enumerate() {
                for (place, (choice, _)) in SCALE.iter().enumerate() {
                    let counted = votes.iter().filter(|vote| vote[question] == Some(place)).count();
                    assert_eq!((&told["counts"][place]["choice"], &told["counts"][place]["count"]), (&json!(choice), &json!(counted)));
                }
            }
        }
        // The score: means weighted three to one, in hundredths, half up, over a common denominator.
        let sums: Vec<(i64, i64)> = (0..2).map(|question| {
            let points: Vec<i64> = model.values().filter_map(|vote| vote[question]).map(|place| SCALE[place].1).collect();
            (points.iter().sum(), i64::try_from(points.len()).unwrap())
        }).collect();
        let [(a, na), (b, nb)] = [sums[0], sums[1]];
        let (above, below) = (3 * a * nb + b * na, 4 * na * nb);
        let hundredths = (200 * above + below) / (2 * below);
        assert_eq!(tally["score"], json!(format!("{}.{:02}", hundredths / 100, hundredths % 100)));
        let record = ward.get(&format!("/api/v1/ballots/{ballot}/record")).text;
        let held = recomputed(&ward, &record, true);
        assert_eq!(held.status.code(), Some(0), "{held:?}");
    }
}
