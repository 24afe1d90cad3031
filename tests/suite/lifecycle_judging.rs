//! How the bids of the lifecycle are judged: by panels of experts, by the buyer and by the residents, at a meeting or by a ballot.

use serde_json::{Value, json};

use crate::faults::eventually;
use crate::lifecycle_books::{Bid, Book, REPRESENTATIVES};
use crate::lifecycle_story::{Story, text};
use crate::lifecycle_tender::{bid_of, buyer, lot, minutes, named};
use crate::lifecycle_ward::{EXPERTS, residents};
use crate::roll_letters::codes;

/// Five of the experts are drawn and elect the first of them; who it is is returned.
pub fn seat(story: &Story<'_>, book: &Book) -> String {
    let path = format!("/contract-books/{}/panel", story.id(&named(book, "book")));
    let body = json!({"size": 5, "buyer_members": []});
    story.does(&buyer(book, "approver"), &path, &body);
    let declares = |who: &&&str| {
        let body = json!({"interests": []});
        let reply = story.asks(who, "POST", &format!("{path}/declaration"), Some(&body));
        reply.status == 200 && reply.json()["state"] == "sitting"
    };
    let sitting: Vec<&str> = EXPERTS.iter().filter(declares).copied().collect();
    assert_eq!(sitting.len(), 5);
    for member in &sitting[..3] {
        story.does(
            member,
            &format!("{path}/chair-votes"),
            &json!({"account_id": story.id(sitting[0])}),
        );
    }
    sitting[0].to_owned()
}

fn members(story: &Story<'_>, book: &Book) -> Vec<&'static str> {
    let path = format!("/contract-books/{}/panel", story.id(&named(book, "book")));
    let sits = |who: &&&str| story.asks(who, "GET", &path, None).status == 200;
    EXPERTS.iter().filter(sits).copied().collect()
}

/// The buyer looks at who may bid, the panel at what is offered.
pub fn examine(story: &Story<'_>, book: &Book, chair: &str) {
    let (officer, lot) = (buyer(book, "officer"), lot(story, book));
    let seen = story.just_does(&officer, &format!("/lots/{lot}/admission"));
    let open: Vec<String> = seen["missing"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(one, "pointer"))
        .collect();
    for (who, side) in [(officer.as_str(), "eligibility"), (chair, "responsiveness")] {
        let mut decisions = Vec::new();
        for bid in seen["bids"].as_array().unwrap() {
            for item in bid["items"].as_array().unwrap() {
                let pointer = format!("/bids/{}/items/{}", text(bid, "bid_id"), text(item, "code"));
                if item["side"] == side && open.contains(&pointer) {
                    decisions.push(json!({"bid_id": bid["bid_id"], "code": item["code"], "passes": true, "reason_zh": "符合", "reason_en": "As asked"}));
                }
            }
        }
        if !decisions.is_empty() {
            story.does(
                who,
                &format!("/lots/{lot}/admission/{side}"),
                &json!({"decisions": decisions}),
            );
        }
    }
    let settled = story.sees(&officer, &format!("/lots/{lot}/admission"));
    assert_eq!(settled["is_settled"], true, "{settled}");
}

fn given(story: &Story<'_>, book: &Book, points: impl Fn(&Bid) -> Value) -> Value {
    let of_bid = |bid| json!({"bid_id": story.id(&bid_of(book, bid)), "criteria": points(bid)});
    book.bids.iter().map(of_bid).collect()
}

/// Each member scores alone, the residents' meeting gives its points, and the chair concludes.
pub fn score(story: &Story<'_>, book: &Book) {
    let lot = lot(story, book);
    let by_members = given(story, book, |bid| {
        let [plan, means, experience, _] = bid.points;
        json!([{"code": "T1", "score": plan}, {"code": "T2", "score": means}, {"code": "B1", "score": experience}])
    });
    for member in members(story, book) {
        story.writes(
            member,
            &format!("/lots/{lot}/score-sheets/own"),
            &json!({"scores": by_members}),
        );
        story.just_does(member, &format!("/lots/{lot}/score-sheets/own/handing-in"));
    }
    let officer = buyer(book, "officer");
    let by_residents = given(story, book, |bid| json!([{"code": "A1", "score": bid.points[3]}]));
    let body = json!({"held_on": "2026-04-24", "eligible": 60, "present": 44, "minutes_id": minutes(story, &officer), "points": by_residents});
    story.writes(&officer, &format!("/lots/{lot}/appraisal"), &body);
    story.just_does(
        &buyer(book, "approver"),
        &format!("/lots/{lot}/appraisal/confirmation"),
    );
    conclude(story, book);
}

fn conclude(story: &Story<'_>, book: &Book) {
    let chair = story.id(&named(book, "chair"));
    let result = story.just_does(&chair, &format!("/lots/{}/evaluation", lot(story, book)));
    assert_eq!(result["outcome"], "ranked", "{result}");
}

/// The registrar lists sixty who represent the residents, and the officer asks them about the only bid.
pub fn ask_representatives(story: &Story<'_>, book: &Book) -> Value {
    let area = story.id(book.area);
    for resident in residents(story, 60) {
        story.does(
            "registrar",
            &format!("/areas/{area}/voter-listings"),
            &json!({"resident_id": resident}),
        );
    }
    let body = json!({"opens_at": "2026-04-24T05:00:00Z", "closes_at": "2026-04-27T04:00:00Z", "unit": "representatives", "quorum_percent": 66});
    let ballot = story.does(
        &buyer(book, "officer"),
        &format!("/lots/{}/appraisal-ballot", lot(story, book)),
        &body,
    );
    assert_eq!(ballot["electorate"], 60);
    ballot
}

/// Forty-four of them vote.
pub fn representatives_vote(story: &Story<'_>, ballot: &Value) {
    let letters = residents(story, REPRESENTATIVES.iter().sum());
    vote(story, ballot, &letters, REPRESENTATIVES);
}

/// The registrar prints a letter for each of these residents, and so many of them say what.
pub fn vote(story: &Story<'_>, ballot: &Value, residents: &[String], counts: [usize; 5]) {
    let path = format!("/areas/{}/ballot-letters", story.id("990101001001"));
    let body = json!({"ballot_id": ballot["id"], "resident_ids": residents});
    let reply = story.asks("registrar", "POST", &path, Some(&body));
    assert_eq!(reply.status, 200, "{}", reply.text);
    let scale = ballot["scale"].as_array().unwrap();
    let choices = scale
        .iter()
        .zip(counts)
        .flat_map(|(choice, count)| std::iter::repeat_n(&choice["code"], count));
    let codes = codes(&reply.text);
    assert_eq!(codes.len(), counts.iter().sum::<usize>());
    for (code, choice) in codes.into_iter().zip(choices) {
        let answers: Vec<Value> = ballot["questions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|question| json!({"question": question["code"], "choice": choice}))
            .collect();
        story.anybody_does("/ballot-votes", &json!({"code": code, "answers": answers}));
    }
}

/// Its result, once the service has counted it.
pub fn counted(story: &Story<'_>, ballot: &Value) -> Value {
    let path = format!("/ballots/{}", text(ballot, "id"));
    eventually("a count", || {
        let result = story.public(&path)["result"].clone();
        (!result.is_null()).then_some(result)
    })
}

/// What they say decides.
pub fn conclude_by_ballot(story: &Story<'_>, book: &Book, ballot: &Value) {
    let result = counted(story, ballot);
    let expected = json!({"ballots": 44, "quorum_ballots": 40, "outcome": "binding", "score": "85.45"});
    assert_eq!(result, expected);
    conclude(story, book);
}
