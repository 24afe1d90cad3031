//! The examination of bids: who decides what, prices that are corrected and justified in time or not, and which bids are in at the end.

use serde_json::{Value, json};
use wardbook::award::admitted;
use wardbook::web::policy::Role;

use crate::bids::Bidder;
use crate::books::ok;
use crate::cast::Person;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::panels::Opened;
use crate::treasury::{gets, posts, yuan};

/// A lot that is examined, and its bids in the order of their bidders.
struct Bench<'w> {
    ward: &'w Ward,
    opened: Opened,
    bids: Vec<String>,
}

impl<'w> Bench<'w> {
    fn new(ward: &'w Ward, prices: &[(&str, &str)]) -> Self {
        let opened = Opened::with(ward, prices);
        let record = ok(&ward.get(&format!("/api/v1/lots/{}/opening", opened.tender.lot)));
        let bid_of = |bidder: &Bidder| {
            let mut opened = record["opened"].as_array().unwrap().iter();
            let found = opened
                .find(|one| one["supplier_id"] == bidder.id.as_str())
                .unwrap();
            found["bid_id"].as_str().unwrap().to_owned()
        };
        Self {
            bids: opened.bidders.iter().map(bid_of).collect(),
            ward,
            opened,
        }
    }

    fn at(&self, rest: &str) -> String {
        format!("/lots/{}/{rest}", self.opened.tender.lot)
    }

    fn of_bid(&self, bid: usize, rest: &str) -> String {
        self.at(&format!("opened-bids/{}/{rest}", self.bids[bid]))
    }

    fn posts(&self, who: &Person, path: &str, body: &Value) -> Reply {
        posts(self.ward, who, path, Some(body))
    }

    fn seen(&self, who: &Person) -> Value {
        ok(&gets(self.ward, who, &self.at("admission")))
    }

    fn bid<'v>(&self, seen: &'v Value, bid: usize) -> &'v Value {
        let mut bids = seen["bids"].as_array().unwrap().iter();
        bids.find(|one| one["bid_id"] == self.bids[bid].as_str()).unwrap()
    }

    fn out(&self, seen: &Value, bid: usize) -> Option<String> {
        let code = self.bid(seen, bid)["out"]["code"].as_str();
        code.map(str::to_owned)
    }

    /// Everything of a side that is not decided yet, as passed.
    fn passes(&self, who: &Person, side: &str) -> Reply {
        let seen = self.seen(who);
        let mut decisions = Vec::new();
        for bid in seen["bids"].as_array().unwrap() {
            let record = format!(
                "/api/v1/organisations/{}/performance",
                bid["supplier_id"].as_str().unwrap()
            );
            assert_eq!(bid["performance"], json!(record));
            for item in bid["items"].as_array().unwrap() {
                if item["side"] == side && item["decisions"] == json!([]) {
                    decisions.push(decision(
                        bid["bid_id"].as_str().unwrap(),
                        item["code"].as_str().unwrap(),
                        true,
                    ));
                }
            }
        }
        self.posts(
            who,
            &self.at(&format!("admission/{side}")),
            &json!({"decisions": decisions}),
        )
    }

    fn missing(&self, seen: &Value) -> Vec<String> {
        let items = seen["missing"].as_array().unwrap().iter();
        let mut codes: Vec<String> = items
            .map(|one| one["code"].as_str().unwrap().to_owned())
            .collect();
        codes.dedup();
        codes
    }

    fn settled(&self) -> Result<(usize, bool), usize> {
        let (lot, now) = (
            self.opened.tender.lot.parse().unwrap(),
            self.ward.context().clock.now(),
        );
        let db = &self.ward.context().db;
        let settled = db.read_and_wait(move |conn| admitted::settled(conn, &lot, now));
        match settled.unwrap() {
            Ok(verdict) => Ok((verdict.responsive, verdict.is_too_few())),
            Err(missing) => Err(missing.len()),
        }
    }
}

fn decision(bid: &str, code: &str, passes: bool) -> Value {
    json!({"bid_id": bid, "code": code, "passes": passes, "reason_zh": "核对无误", "reason_en": "As it should be"})
}

on_both! { in "cn";
    fn bids_are_examined_by_those_whose_it_is_and_prices_answered_for_in_time(ward) {
        // The first and second say a price that their lines do not come to; the third and fourth are below 45 % of the ceiling, 600.
        let bench = Bench::new(&ward, &[("501.00", "500"), ("511.00", "510"), ("240.00", "240"), ("230.00", "230")]);
        let (office, bidders) = (&bench.opened.tender.office, &bench.opened.bidders);
        let panel = bench.opened.seated(&ward);
        let (chair, member) = (&panel[0], &panel[1]);
        let admission = bench.at("admission");
        sql(&ward, &format!("UPDATE accounts SET email = 'agent@qing.example' WHERE id = '{}'", bidders[0].agent.id)).unwrap();

        refused(&posts(&ward, chair, &admission, None), 403, "forbidden");
        let all = json!({"decisions": [decision(&bench.bids[0], "not_debarred", true)]});
        refused(&bench.posts(&office.officer, &bench.at("admission/eligibility"), &all), 409, "admission_not_begun");
        assert_eq!(posts(&ward, &office.officer, &admission, None).status, 201);
        let begun = posts(&ward, &office.approver, &admission, None);
        assert_eq!((begun.status, ward.events("admission.begun").len()), (201, 1));
        for who in [&bidders[0].agent, &bidders[1].agent] {
            assert!([403, 404].contains(&gets(&ward, who, &admission).status));
        }
        assert_eq!(ward.get(&format!("/api/v1{admission}")).status, 401);

        // Eligibility is the buyer's, the offers are the panel's, and what a rule decides is nobody's.
        refused(&bench.posts(chair, &bench.at("admission/eligibility"), &all), 403, "forbidden");
        let wrong = json!({"decisions": [decision(&bench.bids[0], "terms", true), decision("bid_01jd3n8f5teqkrzvq1c0m6h2ax", "terms", true)]});
        let reply = bench.posts(&office.officer, &bench.at("admission/eligibility"), &wrong);
        assert_eq!((reply.status, reply.faults().into_iter().map(|(at, _)| at).collect::<Vec<_>>()), (422, vec!["/decisions/0/code".to_owned(), "/decisions/1/bid_id".to_owned()]), "{}", reply.text);
        ok(&bench.passes(&office.officer, "eligibility"));
        refused(&bench.passes(member, "responsiveness"), 403, "panel_not_chair");
        let by_rule = json!({"decisions": [decision(&bench.bids[2], "price_within_ceiling", false)]});
        refused(&bench.posts(chair, &bench.at("admission/responsiveness"), &by_rule), 409, "admission_decided_by_rule");
        refused(&bench.posts(chair, &bench.of_bid(2, "price-question"), &json!({"minutes": 30})), 409, "admission_undecided");
        let noted = json!({"bid_id": bench.bids[2], "code": "terms", "reason": "报价过低，难以履约"});
        refused(&bench.posts(member, &bench.at("admission/dissents"), &noted), 409, "admission_no_dissent");
        ok(&bench.passes(chair, "responsiveness"));
        ok(&bench.posts(member, &bench.at("admission/dissents"), &noted));
        refused(&bench.posts(member, &bench.at("admission/dissents"), &noted), 409, "admission_no_dissent");
        let (by_officer, by_member) = (bench.seen(&office.officer), bench.seen(member));
        let terms = |seen: &Value| bench.bid(seen, 2)["items"].as_array().unwrap().iter().find(|one| one["code"] == "terms").unwrap().clone();
        assert_eq!((&terms(&by_officer)["dissents"][0]["account_id"], &terms(&by_officer)["decisions"][0]["account_id"], &terms(&by_officer)["decisions"][0]["by"]), (&json!(null), &json!(null), &json!("panel")));
        assert_eq!(terms(&by_member)["dissents"][0]["account_id"], json!(member.id.as_str()));
        assert_eq!(bench.missing(&by_officer), ["correction_missing", "justification_missing"]);

        // A price that was corrected counts when its bidder confirms it; refused, the bid is out.
        for (bid, minutes, status, code) in [(0, 9, 422, "invalid"), (2, 60, 409, "correction_needless")] {
            refused(&bench.posts(chair, &bench.of_bid(bid, "price-correction"), &json!({"minutes": minutes})), status, code);
        }
        for bid in [0, 1] {
            ok(&bench.posts(chair, &bench.of_bid(bid, "price-correction"), &json!({"minutes": 60})));
        }
        refused(&bench.posts(chair, &bench.of_bid(0, "price-correction"), &json!({"minutes": 60})), 409, "correction_exists");
        assert_eq!(lines(&ward, "SELECT kind AS line FROM outbox WHERE kind LIKE 'price%'"), ["price.corrected"]);
        let asked = ok(&gets(&ward, &bidders[1].agent, &bench.of_bid(1, "questions")));
        assert_eq!((&asked["correction"]["price"], &asked["correction"]["steps"][0]["rule"]), (&yuan("510.00"), &json!("unit_price_over_total")));
        assert_eq!(gets(&ward, &bidders[0].agent, &bench.of_bid(1, "questions")).status, 404);
        assert_eq!(bench.posts(&bidders[0].agent, &bench.of_bid(1, "correction-answer"), &json!({"confirms": false})).status, 404);
        ok(&bench.posts(&bidders[1].agent, &bench.of_bid(1, "correction-answer"), &json!({"confirms": true})));
        ok(&bench.posts(&bidders[0].agent, &bench.of_bid(0, "correction-answer"), &json!({"confirms": false})));
        refused(&bench.posts(&bidders[0].agent, &bench.of_bid(0, "correction-answer"), &json!({"confirms": true})), 409, "correction_not_open");
        let seen = bench.seen(chair);
        assert_eq!((bench.out(&seen, 0).as_deref(), &bench.bid(&seen, 1)["price"], &bench.bid(&seen, 1)["original_price"]), (Some("correction_refused"), &yuan("510.00"), &yuan("511.00")));

        // A price that is abnormally low is justified in time and to the panel's satisfaction, or the bid is out.
        assert_eq!((&bench.bid(&seen, 2)["tests"], &bench.bid(&seen, 1)["tests"]), (&json!(["ceiling"]), &json!([])));
        refused(&bench.posts(chair, &bench.of_bid(1, "price-question"), &json!({"minutes": 30})), 409, "price_not_low");
        refused(&bench.posts(chair, &bench.of_bid(2, "price-question"), &json!({"minutes": 29})), 422, "invalid");
        let said = json!({"text": "人工与机械费用构成如附表。", "documents": []});
        refused(&bench.posts(&bidders[3].agent, &bench.of_bid(3, "justification"), &said), 409, "justification_not_open");
        for bid in [2, 3] {
            ok(&bench.posts(chair, &bench.of_bid(bid, "price-question"), &json!({"minutes": 30})));
        }
        refused(&bench.posts(chair, &bench.of_bid(2, "price-question"), &json!({"minutes": 30})), 409, "justification_exists");
        let judgement = json!({"accepted": true, "reason_zh": "成本构成合理", "reason_en": "The costs are plausible"});
        refused(&bench.posts(chair, &bench.of_bid(3, "price-judgement"), &judgement), 409, "justification_not_answered");
        ok(&bench.posts(&bidders[3].agent, &bench.of_bid(3, "justification"), &said));
        assert_eq!(bench.settled(), Err(2));
        let until = ward.context().clock.now() + chrono::Duration::minutes(30);
        ward.context().clock.advance(until);
        refused(&bench.posts(&bidders[2].agent, &bench.of_bid(2, "justification"), &said), 409, "justification_not_open");
        ok(&bench.posts(chair, &bench.of_bid(3, "price-judgement"), &judgement));
        let seen = bench.seen(&office.officer);
        assert_eq!(((0..4).map(|bid| bench.out(&seen, bid)).collect::<Vec<_>>(), &seen["is_settled"], &seen["responsive"], &seen["responsive_min"]), (vec![Some("correction_refused".to_owned()), None, Some("justification_unanswered".to_owned()), None], &json!(true), &json!(2), &json!(3)));
        assert_eq!(bench.settled(), Ok((2, true)));

        // What comes out later puts a bid out; what was decided stays to be read.
        let why = json!({"ground": "false_statements", "reason_zh": "业绩证明系伪造", "reason_en": "Forged references"});
        refused(&bench.posts(&office.officer, &bench.of_bid(0, "disqualification"), &why), 403, "forbidden");
        ok(&bench.posts(&office.approver, &bench.of_bid(1, "disqualification"), &why));
        refused(&bench.posts(&office.approver, &bench.of_bid(1, "disqualification"), &why), 409, "bid_disqualified");
        assert_eq!(bench.settled(), Ok((1, true)));
        let again = json!({"decisions": [decision(&bench.bids[3], "not_debarred", false)]});
        ok(&bench.posts(&office.officer, &bench.at("admission/eligibility"), &again));
        let auditor = ward.ask("GET", &format!("/api/v1{admission}")).by(Role::Auditor).send();
        let seen = ok(&auditor);
        let item = bench.bid(&seen, 3)["items"].as_array().unwrap().iter().find(|one| one["code"] == "not_debarred").unwrap().clone();
        assert_eq!((bench.out(&seen, 3).as_deref(), item["decisions"].as_array().unwrap().len(), &item["decisions"][0]["passes"]), (Some("not_debarred"), 2, &json!(false)));
        for kind in ["admission.decided", "admission.dissented", "price.corrected", "price.questioned"] {
            assert!(ward.events(kind).iter().all(|event| !event["entry"].to_string().contains("user_")), "{kind}");
        }
        assert!(sql(&ward, "DELETE FROM admission_decisions").is_err() && sql(&ward, "UPDATE admission_items SET side = 'eligibility'").is_err() && sql(&ward, "UPDATE price_corrections SET confirmed = NULL").is_err());
    }
}
