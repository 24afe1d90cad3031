//! What complaints do to a lot: they stop everything that goes on with its book but what nobody may be kept from, and end in a withdrawal, in a new
//! round of judging, in the end of the lot, or in what is paid because the contract stays.

use serde_json::{Value, json};
use wardbook::books::rules::{BookId, LotId};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::awards::{Case, STRICT, go_to, lodged, regulator, why};
use crate::books::ok;
use crate::cast::{Person, person};
use crate::evaluations::{examined, seated};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::panels::{evaluator, listed};
use crate::treasury::{gets, made, posts, yuan};

/// A sheet that gives these parts, in percent, of all points to the bids.
fn sheet(bids: &[String], parts: &[u32], criteria: &[(String, u32)]) -> Value {
    let of_bid = |(bid, part): (&String, &u32)| {
        let scores = criteria.iter().map(|(code, points)| {
            let hundredths = points * part;
            json!({"code": code, "score": format!("{}.{:02}", hundredths / 100, hundredths % 100)})
        });
        json!({"bid_id": bid, "criteria": scores.collect::<Value>()})
    };
    json!({"scores": bids.iter().zip(parts).map(of_bid).collect::<Value>()})
}

/// A list as a table: its columns and how many rows it has.
fn table(ward: &Ward, who: &Person, path: &str, name: &str) -> (String, usize) {
    let reply = who
        .asks(ward, "GET", &format!("/api/v1{path}"))
        .header("accept", "text/csv")
        .send();
    assert_eq!(reply.status, 200, "{}", reply.text);
    let disposition = reply.header("content-disposition").unwrap();
    assert_eq!(disposition, format!("attachment; filename=\"{name}\""));
    let mut rows = reply.text.lines();
    (rows.next().unwrap().to_owned(), rows.count())
}

on_both! { in "test";
    fn a_suspension_stops_the_judging_and_complaints_end_in_what_the_regulator_decides(ward) {
        // What the panel scores is all but the price.
        let case = Case::with(&ward, 4, &STRICT, |lot| {
            for criterion in lot["criteria"].as_array_mut().unwrap() {
                if criterion["kind"] == "appraisal" {
                    criterion["kind"] = json!("business");
                }
            }
        });
        let (office, bidders, regulator) = (&case.office, &case.bidders, regulator(&ward));
        let book: BookId = case.book.parse().unwrap();
        let members = seated(&ward, &book, 3);
        let (chair, gone) = (&members[0], &members[2]);
        let of_lot = |lot: usize, rest: &str| format!("/lots/{}/{rest}", case.lots[lot]);
        let of_panel = |rest: &str| format!("/contract-books/{book}/panel/{rest}");
        go_to(&ward, "2026-04-02T02:00:00Z");
        for lot in 0..3 {
            case.judged(&ward, lot, 1, &[1, 0, 2]);
        }
        let awards: Vec<String> = (0..3).map(|lot| case.noticed(&ward, lot)).collect();
        // The fourth lot is examined, and one of its bidders asked to confirm another price.
        assert_eq!(posts(&ward, &office.officer, &of_lot(3, "admission"), None).status, 201);
        let record = ok(&ward.get(&format!("/api/v1/lots/{}/opening", case.lots[3])));
        let asked = &record["opened"][0];
        let of_bid = |rest: &str| of_lot(3, &format!("opened-bids/{}/{rest}", asked["bid_id"].as_str().unwrap()));
        let body = json!({"body": yuan("2000000.00"), "minutes": 60});
        ok(&posts(&ward, chair, &of_bid("price-correction"), Some(&body)));

        // Two bidders complain of the first award, one of the others.
        let complains = |bidder: usize, award: &str| {
            let challenge = made(&case.challenges(&ward, bidder, award));
            ok(&case.replies(&ward, &challenge, "rejected", false));
            let body = json!({"grounds": [2], "statement": "未说明依据"});
            made(&posts(&ward, &bidders[bidder].agent, &format!("/challenges/{challenge}/complaint"), Some(&body)))
        };
        let complaints: Vec<String> = awards.iter().map(|award| complains(0, award)).collect();
        let second = complains(2, &awards[0]);
        let does = |who: &Person, complaint: &str, what: &str, body: Value| posts(&ward, who, &format!("/complaints/{complaint}/{what}"), Some(&body));
        let accepts = |complaint: &str, days: Value| ok(&does(&regulator, complaint, "acceptance", json!({"suspension_days": days})));
        let decides = |complaint: &str, consequence: &str| does(&regulator, complaint, "decision", json!({"outcome": "upheld", "consequence": consequence, "decision_zh": "投诉成立", "decision_en": "Upheld"}));
        accepts(&complaints[0], json!(30));

        // Nobody judges as long as the book is suspended.
        let scores = |who: &Person, body: &Value, lot: usize| who.asks(&ward, "PUT", &format!("/api/v1{}", of_lot(lot, "score-sheets/own"))).json(body).send();
        let round = |ground: &str| json!({"ground": ground, "reason_zh": "投诉成立", "reason_en": "The complaint was upheld"});
        let meeting = json!({"held_on": "2026-04-01", "eligible": 60, "present": 43, "minutes_id": "file_01jd3n8f5teqkrzvq1c0m6h2ax", "points": []});
        let decision = json!({"decisions": [{"bid_id": asked["bid_id"], "code": "not_debarred", "passes": true, "reason_zh": "无", "reason_en": "Nothing"}]});
        let found = json!({"accepted": true, "reason_zh": "合理", "reason_en": "Plausible"});
        let stopped: Vec<Reply> = vec![
            posts(&ward, &office.approver, &format!("/contract-books/{book}/panel"), Some(&json!({"size": 5, "buyer_members": []}))),
            posts(&ward, &office.approver, &of_panel("draws"), None),
            posts(&ward, &office.approver, &of_panel("buyer-members"), Some(&json!({"account_id": gone.id}))),
            posts(&ward, &office.officer, &of_panel("absences"), Some(&json!({"seat": 2, "reason": "未到场"}))),
            posts(&ward, gone, &of_panel("declaration"), Some(&json!({"interests": []}))),
            posts(&ward, gone, &of_panel("chair-votes"), Some(&json!({"account_id": chair.id}))),
            posts(&ward, &office.officer, &of_lot(2, "admission"), None),
            posts(&ward, &office.officer, &of_lot(3, "admission/eligibility"), Some(&decision)),
            posts(&ward, chair, &of_lot(3, "admission/responsiveness"), Some(&decision)),
            posts(&ward, chair, &of_bid("price-correction"), Some(&body)),
            posts(&ward, chair, &of_bid("price-question"), Some(&json!({"minutes": 30}))),
            posts(&ward, chair, &of_bid("price-judgement"), Some(&found)),
            scores(chair, &json!({"scores": []}), 3),
            posts(&ward, chair, &of_lot(3, "score-sheets/own/handing-in"), None),
            posts(&ward, chair, &of_lot(3, "evaluation"), None),
            posts(&ward, chair, &of_lot(0, "scoring-rounds"), Some(&round("miscalculated"))),
            office.officer.asks(&ward, "PUT", &format!("/api/v1{}", of_lot(3, "appraisal"))).json(&meeting).send(),
            posts(&ward, &office.approver, &of_lot(3, "appraisal/confirmation"), None),
        ];
        for (number, reply) in stopped.iter().enumerate() {
            assert_eq!((reply.status, reply.code().as_str()), (409, "book_suspended"), "{number}: {}", reply.text);
        }
        // But for what nobody may be kept from: to answer, and to step back. Nobody is left to be called, and the buyer is told.
        let bidder = bidders.iter().find(|one| asked["supplier_id"] == one.id.as_str()).unwrap();
        ok(&posts(&ward, &bidder.agent, &of_bid("correction-answer"), Some(&json!({"confirms": true}))));
        sql(&ward, &format!("UPDATE accounts SET email = 'approver@people.example' WHERE id = '{}'", office.approver.id)).unwrap();
        let interest = json!({"interests": [{"kind": "employee", "supplier_id": bidders[0].id, "text": "曾任职"}]});
        assert_eq!(ok(&posts(&ward, gone, &of_panel("declaration"), Some(&interest)))["state"], "stepped_back");
        assert_eq!(lines(&ward, "SELECT kind AS line FROM outbox WHERE kind LIKE 'panel%'"), ["panel.incomplete"]);

        // Withdrawn by whoever filed it, a complaint suspends nothing any more; and a panel with a free seat judges nothing.
        let withdraws = |who: &Person| posts(&ward, who, &format!("/complaints/{}/withdrawal", complaints[0]), None);
        refused(&withdraws(&bidders[2].agent), 404, "not_found");
        refused(&withdraws(&regulator), 403, "forbidden");
        let withdrawn = ok(&withdraws(&bidders[0].agent));
        assert_eq!((&withdrawn["state"], &withdrawn["suspended_until"]), (&json!("withdrawn"), &json!("2026-04-02T02:00:00.000000Z")));
        assert_eq!(ok(&ward.get(&format!("/api/v1/lots/{}", case.lots[0])))["suspended_until"], Value::Null);
        refused(&decides(&complaints[0], "award_cancelled"), 409, "complaint_wrong_state");
        for reply in [scores(chair, &json!({"scores": []}), 1), posts(&ward, chair, &of_lot(1, "evaluation"), None), posts(&ward, chair, &of_lot(3, "admission/responsiveness"), Some(&decision))] {
            refused(&reply, 409, "panel_incomplete");
        }
        let next = evaluator(&ward);
        assert_eq!(listed(&ward, &next, &json!([])).status, 201);
        ok(&posts(&ward, &office.approver, &of_panel("draws"), None));
        ok(&posts(&ward, &next, &of_panel("declaration"), Some(&json!({"interests": []}))));

        // The bids are judged anew because the regulator has ordered it, on no other ground, and before anybody is proposed.
        accepts(&complaints[1], Value::Null);
        ok(&decides(&complaints[1], "reevaluation"));
        assert_eq!((case.standing(&ward, 1), ok(&ward.get(&format!("/api/v1/awards/{}", awards[1])))["end_cause"].clone()), (json!("opened"), json!("reevaluation")));
        refused(&case.proposes(&ward, 1), 409, "award_needs_new_round");
        refused(&posts(&ward, chair, &of_lot(1, "scoring-rounds"), Some(&round("miscalculated"))), 409, "rescoring_ground");
        let opened = posts(&ward, &office.approver, &of_lot(1, "scoring-rounds"), Some(&round("ordered_anew")));
        assert_eq!((opened.status, &opened.json()["round"]), (201, &json!(2)), "{}", opened.text);
        refused(&posts(&ward, chair, &of_lot(1, "scoring-rounds"), Some(&round("ordered_anew"))), 409, "rescoring_not_concluded");
        refused(&case.proposes(&ward, 1), 409, "award_needs_new_round");
        let lot: LotId = case.lots[1].parse().unwrap();
        examined(&ward, (&book, &lot), &office.approver, &[]);
        let published = ok(&ward.get(&format!("/api/v1/contract-books/{book}")));
        let criteria = published["content"]["lots"][1]["criteria"].as_array().unwrap().iter().filter(|one| one["kind"] != "price");
        let criteria: Vec<(String, u32)> = criteria.map(|one| (one["code"].as_str().unwrap().to_owned(), one["weight"].as_str().unwrap().parse().unwrap())).collect();
        let record = ok(&ward.get(&format!("/api/v1/lots/{lot}/opening")));
        let bids: Vec<String> = record["opened"].as_array().unwrap().iter().map(|one| one["bid_id"].as_str().unwrap().to_owned()).collect();
        go_to(&ward, "2026-04-03T02:00:00Z");
        for member in [chair, &members[1], &next] {
            ok(&scores(member, &sheet(&bids, &[50, 50, 100], &criteria), 1));
            ok(&posts(&ward, member, &of_lot(1, "score-sheets/own/handing-in"), None));
        }
        assert_eq!(posts(&ward, chair, &of_lot(1, "evaluation"), None).status, 201);
        let again = made(&case.proposes(&ward, 1));
        let proposed = ok(&gets(&ward, &office.officer, &format!("/awards/{again}")));
        assert_eq!((&proposed["bid_id"], &proposed["place"], &proposed["number"]), (&json!(bids[2]), &json!(1), &json!(2)));

        // The lot comes to nothing, and its money is free again.
        accepts(&complaints[2], Value::Null);
        let before = case.balances(&ward);
        ok(&decides(&complaints[2], "lot_unsuccessful"));
        assert_eq!((case.standing(&ward, 2), ok(&ward.get(&format!("/api/v1/awards/{}", awards[2])))["end_cause"].clone()), (json!("unsuccessful"), json!("dropped")));
        assert_eq!((before[1].as_str(), case.balances(&ward)[1].as_str()), ("9400800.00", "7050600.00"));
        refused(&case.proposes(&ward, 2), 409, "lot_ended");

        // A complaint that was taken up without a suspension keeps nobody from signing; upheld afterwards, it leaves the contract as it is.
        accepts(&second, Value::Null);
        go_to(&ward, "2026-04-15T16:00:00Z");
        ok(&case.confirms(&ward, &awards[0]));
        let (contract, hash) = case.prepared(&ward, &awards[0]);
        let (supplier, finance) = (&bidders[1].agent, &office.treasury.anna);
        let securities = format!("/contracts/{contract}/performance-securities");
        let security = made(&posts(&ward, supplier, &securities, Some(&lodged("114930.00"))));
        let goes_back = |who: &Person, on: &str| posts(&ward, who, &format!("/performance-securities/{security}/return"), Some(&json!({"returned_on": on, "reference": "20270501001"})));
        refused(&goes_back(finance, "2026-04-15"), 409, "performance_security_wrong_state");
        ok(&posts(&ward, finance, &format!("/performance-securities/{security}/decision"), Some(&json!({"is_there": true, "decision": "已到账"}))));
        for (who, party) in [(supplier, "supplier"), (&office.approver, "buyer")] {
            ok(&case.signs(&ward, who, (&contract, party, &hash)));
        }
        let signed = case.balances(&ward);
        refused(&decides(&second, "award_cancelled"), 409, "complaint_wrong_consequence");
        let decided = ok(&decides(&second, "compensation"));
        assert_eq!((&decided["consequence"], case.standing(&ward, 0), case.balances(&ward)), (&json!("compensation"), json!("signed"), signed));
        assert_eq!(ok(&ward.get(&format!("/api/v1/contracts/{contract}")))["state"], "signed");

        // The security goes back once, on a day on which it can have.
        refused(&goes_back(supplier, "2026-04-15"), 403, "forbidden");
        let stranger = person(&ward, &[Grant::of(Role::FinanceOfficer)]);
        assert!([403, 404].contains(&goes_back(&stranger, "2026-04-15").status));
        for day in ["2026-03-31", "2026-04-17"] {
            assert_eq!(goes_back(finance, day).faults()[0].0, "/returned_on");
        }
        let back = ok(&goes_back(finance, "2026-04-16"));
        assert_eq!((&back["state"], &back["returned_on"], &back["return_reference"]), (&json!("returned"), &json!("2026-04-16"), &json!("20270501001")));
        refused(&goes_back(finance, "2026-04-16"), 409, "performance_security_wrong_state");
        assert_eq!((ok(&gets(&ward, supplier, &securities))["items"][0]["state"].clone(), ward.events("performance_security.returned").len()), (json!("returned"), 1));

        // The lists as tables.
        let lot = &case.lots[0];
        for (path, name, columns, rows) in [
            (format!("/lots/{lot}/awards"), "awards.csv", "id,lot_id,book_id,number,place,bid_id,supplier_id,price,state,proposed_at,decided_at,noticed_at,confirmed_at,signed_at,ended_at,end_cause", 1),
            (format!("/lots/{lot}/challenges"), "challenges.csv", "id,award_id,lot_id,supplier_id,state,filed_at,reply_due,outcome,affects_result,closed_at", 2),
            ("/complaints?limit=3".to_owned(), "complaints.csv", "id,challenge_id,award_id,lot_id,book_id,supplier_id,state,filed_at,decision_due,accepted_at,suspended_until,outcome,consequence,closed_at", 3),
            (format!("/contracts?lot_id={lot}"), "contracts.csv", "id,book_id,lot_id,buyer_id,supplier_id,price,sha256,signed_at", 1),
        ] {
            assert_eq!(table(&ward, &regulator, &path, name), (columns.to_owned(), rows), "{path}");
        }
        assert_eq!(table(&ward, supplier, &format!("/lots/{lot}/challenges"), "challenges.csv").1, 0, "what others said is not theirs to see");
        assert_eq!(posts(&ward, &office.approver, &format!("/awards/{again}/cancellation"), Some(&why())).status, 200);
    }
}
