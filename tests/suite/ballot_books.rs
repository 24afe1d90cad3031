//! That a rating is asked as the book says, so that nobody chooses scale and quorum when it is known what suits them; and that where a book says nothing, what is
//! asked can still be answered both ways.

use serde_json::{Value, json};

use crate::award_sequences::BRISK;
use crate::awards::Case;
use crate::ballots::Polled;
use crate::books::{Office, ok};
use crate::harness::Reply;
use crate::on_both;
use crate::periods::inspected;
use crate::treasury::{made, posts};

fn scale(values: &[&str]) -> Value {
    let choice = |(at, value): (usize, &&str)| json!({"code": format!("c{at}"), "name_zh": format!("选{at}"), "name_en": format!("Choice {at}"), "value": value});
    values.iter().enumerate().map(choice).collect()
}

fn question() -> Value {
    json!({"code": "streets", "text_zh": "道路是否干净？", "text_en": "Are the streets clean?", "weight": 1})
}

fn said() -> Value {
    json!({"unit": "residents", "quorum_percent": 30, "may_abstain": true, "questions": [question()], "scale": scale(&["100", "60", "0"])})
}

fn pointers(reply: &Reply) -> Vec<String> {
    reply.faults().into_iter().map(|(pointer, _)| pointer).collect()
}

on_both! { in "test";
    fn a_rating_is_asked_as_the_book_says(ward) {
        let case = Case::with(&ward, 1, &BRISK, |lot| {
            inspected(lot);
            lot["score_sources"][2]["ballot"] = said();
        });
        let contract = case.signed(&ward);
        let polled = Polled::of(&ward, [12, 0], (case, contract));
        let calls = |change: &dyn Fn(&mut Value)| {
            let mut body = json!({"opens_at": "2026-05-20T00:00:00Z", "closes_at": "2026-05-27T00:00:00Z"});
            change(&mut body);
            posts(&ward, polled.officer(), &format!("/contracts/{}/periods/1/ratings", polled.contract), Some(&body))
        };
        // Both choices worth everything, of one in a hundred: the score would be known beforehand.
        let fixed = calls(&|body| {
            body["scale"] = scale(&["100", "100"]);
            body["quorum_percent"] = json!(1);
            body["unit"] = json!("households");
            body["may_abstain"] = json!(false);
            body["questions"] = json!([{"code": "streets", "text_zh": "道路是否干净？", "text_en": "Are they?", "weight": 1}]);
            body["double_tally"] = json!({"approves_from": "60"});
        });
        assert_eq!((fixed.status, pointers(&fixed)), (422, ["/unit", "/quorum_percent", "/may_abstain", "/questions", "/scale", "/double_tally"].map(str::to_owned).to_vec()));
        assert_eq!(pointers(&calls(&|body| { body["opens_at"] = json!("x"); body["quorum_percent"] = json!(31); })), ["/opens_at", "/quorum_percent"]);
        // To say what the book says is to say nothing else.
        let ballot = made(&calls(&|body| body["quorum_percent"] = json!(30)));
        let view = ok(&ward.get(&format!("/api/v1/ballots/{ballot}")));
        assert_eq!((&view["unit"], &view["quorum_percent"], &view["may_abstain"]), (&json!("residents"), &json!(30), &json!(true)));
        assert_eq!((&view["questions"], &view["scale"]), (&json!([question()]), &said()["scale"]));
        // It stands in the contract, and in the book as it is printed.
        let document = ok(&ward.get(&format!("/api/v1/contract-books/{}", polled.case.book)));
        assert_eq!(document["content"]["lots"][0]["score_sources"][2]["ballot"], said());
    }

    fn where_the_book_says_nothing_a_ballot_can_be_answered_both_ways(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let calls = |change: &dyn Fn(&mut Value)| polled.calls(polled.officer(), change);
        assert_eq!(pointers(&calls(&|body| body["scale"] = scale(&["100", "100"]))), ["/scale/1/value"]);
        assert_eq!(pointers(&calls(&|body| body["scale"] = scale(&["90", "0"]))), ["/scale/0/value"]);
        assert_eq!(pointers(&calls(&|body| body["scale"] = scale(&["100", "10"]))), ["/scale/1/value"]);
        let without = calls(&|body| { body.as_object_mut().unwrap().remove("unit"); body.as_object_mut().unwrap().remove("quorum_percent"); });
        assert_eq!((without.status, pointers(&without)), (422, vec!["/unit".to_owned(), "/quorum_percent".to_owned()]));
        assert_eq!(pointers(&calls(&|body| body["closes_at"] = json!("tomorrow"))), ["/closes_at"]);
        let alike = calls(&|body| {
            body["scale"] = scale(&["100", "0"]);
            body["scale"][1]["name_zh"] = json!("选 ０");
            body["questions"] = json!([question(), {"code": "again", "text_zh": "树木如何？", "text_en": "ARE THE STREETS  CLEAN？", "weight": 1}]);
        });
        assert_eq!((alike.status, pointers(&alike)), (422, ["/questions/1/text_en", "/scale/1/name_zh"].map(str::to_owned).to_vec()), "{}", alike.text);
        made(&calls(&|body| body["scale"] = scale(&["100", "0"])));
    }

    fn a_book_that_would_fix_the_answer_is_refused(ward) {
        let office = Office::with(&ward, "11000000.00", "10000000.00");
        let whole = office.whole(&ward);
        let drafts = |change: &dyn Fn(&mut Value)| {
            let mut body = whole.clone();
            inspected(&mut body["content"]["lots"][0]);
            change(&mut body["content"]["lots"][0]);
            posts(&ward, &office.officer, "/contract-books", Some(&body))
        };
        let wrong = drafts(&|lot| {
            lot["score_sources"][2]["ballot"] = said();
            lot["score_sources"][2]["ballot"]["scale"] = scale(&["100", "100"]);
            lot["score_sources"][0]["ballot"] = said();
        });
        // Each fault with its place in the request, as those of everything else that a book says.
        let found = pointers(&wrong);
        for place in ["score_sources/2/ballot/scale/1/value", "score_sources/0/ballot", "score_sources/2/ballot"] {
            assert!(found.contains(&format!("/content/lots/0/{place}")), "{place}: {found:?}");
        }
        assert!(found.iter().all(|one| one.starts_with("/content/lots/0/score_sources/")), "{found:?}");
        let shapeless = drafts(&|lot| {
            lot["score_sources"][2]["ballot"] = said();
            lot["score_sources"][2]["ballot"]["quorum_percent"] = json!(0);
        });
        assert_eq!((shapeless.status, pointers(&shapeless)), (422, vec!["/content/lots/0/score_sources/2/ballot/quorum_percent".to_owned()]), "{}", shapeless.text);
        let alike = drafts(&|lot| {
            lot["score_sources"][2]["ballot"] = said();
            lot["score_sources"][2]["ballot"]["scale"][1]["name_en"] = json!("ＣＨＯＩＣＥ 0");
            lot["criteria"][0]["ballot"] = said();
        });
        assert_eq!(alike.status, 422);
        let found = pointers(&alike);
        for place in ["score_sources/2/ballot/scale/1/name_en", "criteria/0/ballot"] {
            assert!(found.contains(&format!("/content/lots/0/{place}")), "{place}: {found:?}");
        }
        // Written anew, what the book says is the whole of the request.
        let id = made(&drafts(&|lot| lot["score_sources"][2]["ballot"] = said()));
        let mut content = whole["content"].clone();
        inspected(&mut content["lots"][0]);
        content["lots"][0]["score_sources"][2]["ballot"] = said();
        content["lots"][0]["score_sources"][2]["ballot"]["scale"] = scale(&["100", "100"]);
        let anew = office.officer.asks(&ward, "PUT", &format!("/api/v1/contract-books/{id}")).header("if-match", "*").json(&content).send();
        assert_eq!(pointers(&anew), ["/lots/0/score_sources/2/ballot/scale/1/value"], "{}", anew.text);
        let right = drafts(&|lot| lot["score_sources"][2]["ballot"] = said());
        assert_eq!(right.status, 201, "{}", right.text);
    }
}
