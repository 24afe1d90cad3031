//! Residents' ballots about a lot's bids: who is asked about what, that a lot has a ballot or a meeting and never both, what comes of too few votes, and that
//! the points are those that follow from the box.

use std::process::Command;

use chrono::Duration;
use serde_json::{Value, json};
use wardbook::kernel::clock::rfc3339;

use crate::books::ok;
use crate::evaluations::Judging;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::refused;
use crate::pages::{is_page, opened, sent};
use crate::planning::uploaded;
use crate::roll_letters::codes;
use crate::rolls::Community;
use crate::treasury::{made, posts};

/// A lot that residents decide, in a community with so many grown-up residents.
struct Appraised {
    community: Community,
    voters: Vec<String>,
    judging: Judging,
}

impl Appraised {
    fn new(ward: &Ward, voters: usize) -> Self {
        Self::saying(ward, voters, None)
    }

    /// With what the book says of the ballot.
    fn saying(ward: &Ward, voters: usize, ballot: Option<Value>) -> Self {
        let [community, _] = Community::two(ward);
        let enter = |number: usize| {
            community.enter(
                ward,
                &format!("{number}-1"),
                &format!("居民{number}"),
                "1980-05-01",
            )
        };
        let voters = (1..=voters).map(enter).collect();
        community.enter(ward, "1-1", "小童", "2015-05-01");
        let judging = Judging::new(
            ward,
            |content| {
                decided_by_residents(content, &community);
                if let Some(ballot) = &ballot {
                    content["lots"][0]["criteria"][0]["ballot"] = ballot.clone();
                }
            },
            &["500", "450", "400", "350"],
        );
        Self {
            community,
            voters,
            judging,
        }
    }

    fn calls(&self, ward: &Ward, quorum_percent: u32) -> Reply {
        let officer = &self.judging.tender.office.officer;
        self.judging.posts(
            ward,
            officer,
            "/appraisal-ballot",
            Some(&asked(ward, quorum_percent)),
        )
    }

    /// Letters for everybody, in the order of their households.
    fn letters(&self, ward: &Ward, ballot: &str) -> Vec<String> {
        let body = json!({"ballot_id": ballot, "everyone": true});
        let reply = self
            .community
            .ask(ward, "POST", "ballot-letters")
            .json(&body)
            .send();
        assert_eq!(reply.status, 200, "{}", reply.text);
        codes(&reply.text)
    }

    fn concludes(&self, ward: &Ward) -> Reply {
        self.judging
            .posts(ward, &self.judging.tender.office.officer, "/evaluation", None)
    }
}

fn decided_by_residents(content: &mut Value, community: &Community) {
    content["areas"] = json!([community.id]);
    content["method"] = json!("appraisal");
    content["lots"][0]["criteria"] = json!([{"code": "A1", "kind": "appraisal", "name_zh": "居民评议", "name_en": "The residents",
        "weight": "100", "scale_zh": "由居民投票", "scale_en": "By a ballot of the residents"}]);
}

/// A scale that a book says.
fn said_scale() -> Value {
    json!([{"code": "good", "name_zh": "好", "name_en": "Good", "value": "100"}, {"code": "poor", "name_zh": "差", "name_en": "Poor", "value": "0"}])
}

fn asked(ward: &Ward, quorum_percent: u32) -> Value {
    let opens_at = ward.context().clock.now() + Duration::hours(1);
    json!({"opens_at": rfc3339(opens_at), "closes_at": rfc3339(opens_at + Duration::days(2)), "unit": "residents", "quorum_percent": quorum_percent})
}

fn goes_on(ward: &Ward, hours: i64) {
    let clock = &ward.context().clock;
    clock.advance(clock.now() + Duration::hours(hours));
}

/// One voter says something of each bid, in the order of the questions.
fn votes(ward: &Ward, code: &str, choices: &[&str]) -> Reply {
    let answers: Vec<Value> = (1..)
        .zip(choices)
        .map(|(number, choice)| json!({"question": format!("bid_{number}"), "choice": choice}))
        .collect();
    ward.post("/api/v1/ballot-votes", &json!({"code": code, "answers": answers}))
}

fn ballots(ward: &Ward, judging: &Judging) -> Vec<Value> {
    ok(&ward.get(&format!("/api/v1/ballots?matter_id={}", judging.lot)))["items"]
        .as_array()
        .unwrap()
        .clone()
}

/// Whether the public record of a ballot follows from itself.
fn recomputed(ward: &Ward, ballot: &str) {
    let record = ward.get(&format!("/api/v1/ballots/{ballot}/record"));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ballot.json");
    std::fs::write(&file, &record.text).unwrap();
    let told = Command::new(env!("CARGO_BIN_EXE_wardbook"))
        .args(["recompute", "ballot", file.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(told.status.success(), "{} {told:?}", record.text);
}

on_both! {
    in "test";
    /// What the book says of the appraisal is what is asked; whoever calls it chooses the time alone.
    fn an_appraisal_is_asked_as_the_book_says(ward) {
        let appraised = Appraised::saying(&ward, 13, Some(json!({"unit": "residents", "quorum_percent": 84, "scale": said_scale()})));
        let (judging, office) = (&appraised.judging, &appraised.judging.tender.office);
        judging.examined(&ward, &[0]);
        let calls = |body: &Value| judging.posts(&ward, &office.officer, "/appraisal-ballot", Some(body));
        let mut other = asked(&ward, 1);
        other["unit"] = json!("households");
        other["scale"] = json!([{"code": "good", "name_zh": "好", "name_en": "Good", "value": "100"}, {"code": "poor", "name_zh": "差", "name_en": "Poor", "value": "100"}]);
        let pointers: Vec<String> = calls(&other).faults().into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(pointers, ["/unit", "/quorum_percent", "/scale"]);
        let mut when = asked(&ward, 84);
        for said in ["unit", "quorum_percent"] {
            when.as_object_mut().unwrap().remove(said);
        }
        let called = calls(&when);
        assert_eq!(called.status, 201, "{}", called.text);
        let ballot = called.json();
        assert_eq!((&ballot["unit"], &ballot["quorum_percent"], &ballot["scale"], &ballot["may_abstain"]), (&json!("residents"), &json!(84), &said_scale(), &json!(false)));
    }

    fn residents_decide_by_a_ballot_and_anybody_can_reckon_it_again(ward) {
        let appraised = Appraised::new(&ward, 13);
        let (judging, office) = (&appraised.judging, &appraised.judging.tender.office);
        // Kin of a bidder that is out has no vote either.
        let tied = json!({"resident_id": appraised.voters[12], "organisation_id": judging.bidders[0].id});
        made(&appraised.community.ask(&ward, "POST", "voter-listings").json(&tied).send());
        refused(&appraised.calls(&ward, 84), 409, "admission_not_begun");
        judging.examined(&ward, &[0]);
        refused(&judging.posts(&ward, &office.approver, "/appraisal-ballot", Some(&asked(&ward, 84))), 403, "forbidden");
        let mut wrong = asked(&ward, 84);
        wrong["opens_at"] = json!("2026-01-01T00:00:00Z");
        wrong["scale"] = json!([{"code": "good", "name_zh": "好", "name_en": "Good", "value": "101"}]);
        let refusal = judging.posts(&ward, &office.officer, "/appraisal-ballot", Some(&wrong));
        refused(&refusal, 422, "invalid");
        let pointers: Vec<String> = refusal.faults().into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(pointers, ["/opens_at", "/closes_at", "/scale", "/scale/0/value"]);
        assert_eq!(ballots(&ward, judging), Vec::<Value>::new());

        let called = appraised.calls(&ward, 84);
        assert_eq!(called.status, 201, "{}", called.text);
        let ballot = called.json();
        let id = ballot["id"].as_str().unwrap();
        assert_eq!((&ballot["electorate"], &ballot["kind"], &ballot["matter_id"], &ballot["matter_number"], &ballot["may_abstain"]),
            (&json!(12), &json!("appraisal"), &json!(judging.lot), &json!(1), &json!(false)));
        let mut bids: Vec<&String> = judging.bids.iter().skip(1).collect();
        bids.sort();
        let said: Vec<&str> = ballot["questions"].as_array().unwrap().iter().map(|one| one["about"].as_str().unwrap()).collect();
        assert_eq!(said, bids);

        // While it runs there is no other, no meeting, and no conclusion.
        let minutes = uploaded(&ward, &office.officer);
        let points: Value = judging.bids.iter().skip(1).map(|bid| json!({"bid_id": bid, "criteria": [{"code": "A1", "score": "80"}]})).collect();
        let meets = || {
            let body = json!({"held_on": "2026-04-01", "eligible": 60, "present": 43, "minutes_id": minutes, "points": points});
            office.officer.asks(&ward, "PUT", &judging.path("/appraisal")).json(&body).send()
        };
        refused(&appraised.calls(&ward, 84), 409, "appraisal_by_ballot");
        refused(&meets(), 409, "appraisal_by_ballot");
        refused(&appraised.concludes(&ward), 409, "appraisal_not_counted");

        // Three of twelve vote: it does not count, and another one may be called.
        let letters = appraised.letters(&ward, id);
        assert_eq!(letters.len(), 12);
        refused(&votes(&ward, &letters[0], &["good"; 3]), 409, "ballot_not_open");
        goes_on(&ward, 2);
        refused(&votes(&ward, &letters[0], &["good", "good"]), 422, "invalid");
        // Beside each question stands the way to what is public of its bid, in words and in either language; the form stays open.
        let form = sent(&ward, "/vote", &[("step", "code"), ("code", &letters[0])]);
        is_page(&form, 200);
        for bid in &said {
            let shown = format!("/opened-bids/{}/{bid}", judging.lot);
            assert!(form.text.contains(&format!("<a href=\"{shown}?lang=en\" target=\"_blank\" rel=\"noopener\">")), "{}", form.text);
            let page = opened(&ward, &shown);
            is_page(&page, 200);
            let public = ok(&ward.get(&format!("/api/v1/lots/{}/opened-bids/{bid}/public-view", judging.lot)));
            let price = public["document"]["total"]["amount"].as_str().unwrap();
            assert!(page.text.contains(&format!("Price: {price} yuan")), "{}", page.text);
            let in_chinese = ward.get(&format!("{shown}?lang=zh-CN"));
            assert!(in_chinese.text.contains(&format!("报价：{price} 元")), "{}", in_chinese.text);
            // Line by line, and each criterion by its title, not by its code.
            let book = ok(&ward.get(&format!("/api/v1/contract-books/{}", judging.book)));
            let lot = &book["content"]["lots"][0];
            for line in public["document"]["price_lines"].as_array().unwrap() {
                let quantity = &lot["quantities"][usize::try_from(line["quantity"].as_u64().unwrap()).unwrap() - 1];
                let of = |name: &str| quantity[name].as_str().unwrap().to_owned();
                let (unit_price, amount) = (line["unit_price"].as_str().unwrap(), line["amount"]["amount"].as_str().unwrap());
                let told = format!("{}, {} {} at {unit_price} yuan each, {amount} yuan in all", of("name_en"), of("amount"), of("unit_en"));
                assert!(page.text.contains(&told), "{told}: {}", page.text);
                assert!(in_chinese.text.contains(&format!("单价 {unit_price} 元，合计 {amount} 元")), "{}", in_chinese.text);
            }
            for one in public["document"]["criteria"].as_array().unwrap() {
                let named = lot["criteria"].as_array().unwrap().iter().find(|criterion| criterion["code"] == one["code"]).unwrap();
                assert!(page.text.contains(&format!("What is offered for {}:", named["name_en"].as_str().unwrap())), "{}", page.text);
                assert!(in_chinese.text.contains(&format!("方案（{}）：", named["name_zh"].as_str().unwrap())), "{}", in_chinese.text);
            }
            assert!(page.text.contains("It departs from nothing that is demanded") || page.text.contains("Departs from what is demanded:"), "{}", page.text);
            // Nobody's name is there, and what is kept is told as kept.
            for place in public["kept"].as_array().unwrap() {
                assert!(public["document"].pointer(place.as_str().unwrap()).is_none_or(Value::is_null));
            }
        }
        is_page(&opened(&ward, &format!("/opened-bids/{}/nobody", judging.lot)), 404);
        is_page(&opened(&ward, &format!("/opened-bids/{}/{}", judging.lot, judging.lot)), 404);
        for code in &letters[..3] {
            ok(&votes(&ward, code, &["very_poor"; 3]));
        }
        goes_on(&ward, 48);
        let refusal = appraised.concludes(&ward);
        refused(&refusal, 409, "appraisal_not_binding");
        assert!(refusal.text.contains("投票") || refusal.text.contains("ballot"), "{}", refusal.text);
        assert_eq!(ballots(&ward, judging)[0]["result"]["outcome"], "withheld");
        // Taken back before it opens, it is as if it had never been called.
        let second = made(&appraised.calls(&ward, 84));
        ok(&posts(&ward, &office.officer, &format!("/ballots/{second}/withdrawal"), None));
        let called = appraised.calls(&ward, 84);
        let second = made(&called);
        assert_eq!(called.json()["matter_number"], 2);
        let letters = appraised.letters(&ward, &second);
        goes_on(&ward, 2);
        for (voter, code) in letters.iter().enumerate().take(11) {
            let one = if voter < 8 { "very_good" } else { "good" };
            ok(&votes(&ward, code, &["fair", one, "poor"]));
        }
        goes_on(&ward, 48);
        let concluded = appraised.concludes(&ward);
        assert_eq!(concluded.status, 201, "{}", concluded.text);
        let shown = ballots(&ward, judging);
        let outcomes: Vec<&Value> = shown.iter().map(|one| &one["result"]["outcome"]).collect();
        assert_eq!(outcomes, [&json!("binding"), &Value::Null, &json!("withheld")]);
        recomputed(&ward, &second);
        let derivation = judging.holds(&ward, &office.officer, &concluded.json());
        let meeting = json!({"eligible": 12, "present": 11, "quorum": {"numerator": 84, "denominator": 100, "exceeded": false}});
        assert_eq!(derivation["input"]["meeting"], meeting);
        let score = |bid: &str| {
            let bids = derivation["input"]["bids"].as_array().unwrap();
            bids.iter().find(|one| one["bidder"] == bid).unwrap()["scores"].clone()
        };
        // (8 × 100 + 3 × 80) ÷ 11 = 94.5454…
        assert_eq!((score(bids[1]), score(bids[0])), (json!({"A1": ["94.55"]}), json!({"A1": ["60.00"]})));
        assert_eq!(derivation["result"]["ranking"], json!([bids[1], bids[0], bids[2]]));
        refused(&appraised.calls(&ward, 84), 409, "scoring_concluded");
        refused(&meets(), 409, "scoring_concluded");
    }

    fn a_lot_with_a_recorded_meeting_has_no_ballot_and_after_a_ballot_that_failed_there_may_be_a_meeting(ward) {
        let appraised = Appraised::new(&ward, 10);
        let (judging, office) = (&appraised.judging, &appraised.judging.tender.office);
        judging.examined(&ward, &[]);
        let ballot = made(&appraised.calls(&ward, 100));
        goes_on(&ward, 50);
        let minutes = uploaded(&ward, &office.officer);
        let points: Value = judging.bids.iter().map(|bid| json!({"bid_id": bid, "criteria": [{"code": "A1", "score": "80"}]})).collect();
        let body = json!({"held_on": "2026-04-02", "eligible": 60, "present": 43, "minutes_id": minutes, "points": points});
        let meets = || office.officer.asks(&ward, "PUT", &judging.path("/appraisal")).json(&body).send();
        // Nobody has voted, which is found when somebody asks for the next step.
        ok(&meets());
        assert_eq!(ok(&ward.get(&format!("/api/v1/ballots/{ballot}")))["result"]["outcome"], "withheld");
        refused(&appraised.calls(&ward, 50), 409, "appraisal_by_meeting");
        ok(&judging.posts(&ward, &office.approver, "/appraisal/confirmation", None));
        let concluded = appraised.concludes(&ward);
        assert_eq!(concluded.status, 201, "{}", concluded.text);
        let derivation = judging.holds(&ward, &office.officer, &concluded.json());
        assert_eq!(derivation["input"]["meeting"]["eligible"], 60);
    }

    fn where_residents_appraise_nothing_there_is_no_ballot_about_it(ward) {
        let judging = Judging::new(&ward, |content| {
            content["method"] = json!("lowest_evaluated_price");
            let mut price = content["lots"][0]["criteria"][0].clone();
            price["weight"] = json!("100");
            content["lots"][0]["criteria"] = json!([price]);
        }, &["500", "450", "400"]);
        judging.examined(&ward, &[]);
        let officer = &judging.tender.office.officer;
        refused(&judging.posts(&ward, officer, "/appraisal-ballot", Some(&asked(&ward, 50))), 409, "appraisal_nothing");
    }
}
