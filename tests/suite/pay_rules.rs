//! What a book says of pay: an advance that the periods take back, days that were agreed on, sources without a score; and periods that come to nothing, whose money goes back to
//! the line. Exact to the fen on the ledger.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::awards::go_to;
use crate::books::{Office, ok};
use crate::cast::{Person, person};
use crate::claims::Counter;
use crate::harness::Reply;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::recompute::reckon;
use crate::treasury::{gets, made, of, posts, yuan};

/// Two periods, five percent kept back, and an advance of so many percent that the periods take back.
pub fn by_halves_with_recovery(lot: &mut Value, advance: &str) {
    lot["payment"] = json!({
        "advance_percent": advance, "periods_percent": "95", "retention_percent": "5", "period": "custom", "periods": 2, "shares": ["47.5", "47.5"],
        "advance_recovery": "spread"
    });
}

fn by_months(lot: &mut Value) {
    lot["payment"] = json!({
        "advance_percent": "0", "periods_percent": "100", "retention_percent": "0", "period": "month", "periods": 12, "shares": []
    });
}

fn closes(counter: &Counter<'_>, who: &Person, period: i64, body: &Value) -> Reply {
    let path = format!("/contracts/{}/periods/{period}/closing", counter.work.contract);
    posts(counter.ward(), who, &path, Some(body))
}

fn less() -> Value {
    json!({"less_zh": "得分不足 90，扣回预付款", "less_en": "The score is below 90, and the advance is taken back"})
}

on_both! { in "test";
    fn what_a_book_says_of_pay_holds_together(ward) {
        let office = Office::new(&ward);
        let body = office.whole(&ward);
        let drafted = |changes: &Value| {
            let mut body = body.clone();
            let payment = body["content"]["lots"][0]["payment"].as_object_mut().unwrap();
            payment.extend(changes.as_object().unwrap().clone());
            posts(&ward, &office.officer, "/contract-books", Some(&body))
        };
        let places = |changes: &Value| -> Vec<String> {
            let reply = drafted(changes);
            assert_eq!(reply.status, 422, "{}", reply.text);
            reply.faults().into_iter().map(|(place, _)| place.rsplit_once("/lots/0").unwrap().1.to_owned()).collect()
        };
        assert_eq!(places(&json!({"advance_recovery": "spread"})), ["/payment/advance_percent"]);
        assert_eq!(places(&json!({"advance_recovery": "spread", "advance_percent": "30", "periods_percent": "20", "retention_percent": "5"})), ["/payment", "/payment/advance_percent"]);
        assert_eq!(places(&json!({"advance_percent": "30"})), ["/payment"], "beside the periods it is a part of the price");
        for days in [0, 366] {
            assert_eq!(places(&json!({"payment_days": days})), ["/payment/payment_days"]);
        }
        assert_eq!(drafted(&json!({"without_score": "half_marks"})).status, 422);
        let good = json!({"advance_recovery": "spread", "advance_percent": "30", "without_score": "full_marks", "payment_days": 45});
        let id = made(&drafted(&good));
        let shown = ok(&gets(&ward, &office.officer, &format!("/contract-books/{id}")));
        let payment = &shown["content"]["lots"][0]["payment"];
        assert!(good.as_object().unwrap().iter().all(|(member, value)| payment[member] == *value), "{payment}");
        let print = |lang: &str| office.officer.asks(&ward, "GET", &format!("/api/v1/contract-books/{id}/print?lang={lang}")).send().text;
        let (zh, en) = (print("zh-CN"), print("en"));
        for said in ["预付款由各期付款平均扣回", "验收合格后 45 日内", "按满分计"] {
            assert!(zh.contains(said), "{said}");
        }
        for said in ["Each period takes an even share of the advance back", "within 45 days after the acceptance", "counts as full marks"] {
            assert!(en.contains(said), "{said}");
        }
    }

    fn the_periods_take_an_advance_back_to_the_fen(ward) {
        let counter = Counter::new(&ward, "2026-10-31", |lot| by_halves_with_recovery(lot, "30"));
        let (work, officer, executes) = (&counter.work, counter.officer(), &counter.executes);
        let periods = ok(&ward.get(&format!("/api/v1/contracts/{}/periods", work.contract)));
        assert_eq!((&periods["advance"], &periods["advance_recovery"], &periods["retention"]), (&yuan("689580.00"), &json!("spread"), &yuan("114930.00")));
        assert_eq!((&periods["items"][0]["amount"], &periods["items"][1]["amount"]), (&yuan("1091835.00"), &yuan("1091835.00")));

        // Nothing is taken back of what was not paid.
        assert_eq!(counter.pay(1)["derivation"]["result"]["recovered"], "0.00");
        go_to(&ward, "2026-04-20T02:00:00Z");
        let mut advance = Counter::of_part("advance", "689580.00", "A1");
        advance["invoice_on"] = json!("2026-04-20");
        let advance = counter.approved(&advance);
        assert_eq!(counter.pay(1)["derivation"]["input"]["advance_recovery"], "0.00");
        ok(&counter.acts(executes, &advance, "execution"));
        assert_eq!(counter.balances(), ["7701400.00", "1609020.00", "0.00", "689580.00"]);
        assert_eq!(counter.totals()["advance_left"], yuan("689580.00"));

        // 80.00 points take 5 % off, and half of the advance comes back: 1,091,835.00 - 54,591.75 - 344,790.00.
        go_to(&ward, "2026-05-11T01:00:00Z");
        for day in 1..=5 {
            work.inspects(&format!("2026-05-0{day}"), if day == 5 { "4" } else { "7" });
        }
        go_to(&ward, "2026-08-03T02:00:00Z");
        counter.accepts(1);
        let result = counter.pay(1)["derivation"]["result"].clone();
        assert_eq!((&result["deducted"], &result["recovered"], &result["payable"]), (&json!("54591.75"), &json!("344790.00"), &json!("692453.25")));
        let first = counter.claimed(&Counter::of_period(1, "1091835.00", "P1"));
        let certified = ok(&counter.certifies(officer, &first, &less()))["certified"].clone();
        assert_eq!((&certified["amount"], &certified["recovered"], &certified["deducted"]), (&yuan("692453.25"), &yuan("344790.00"), &yuan("54591.75")));
        assert_eq!(ward.events("claim.certified").pop().unwrap()["entry"]["data"]["recovered"], yuan("344790.00"));
        let derivation = ward.get(&format!("/api/v1/claims/{first}/derivation"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &derivation.text).unwrap();
        assert_eq!(reckon("payment", &[file.path().to_str().unwrap()]).status.code(), Some(0));
        ok(&counter.acts(&counter.approves, &first, "approval"));
        let paid = ok(&counter.acts(executes, &first, "execution"));
        assert_eq!((&paid["retained"], &paid["released"]), (&yuan("57465.00"), &yuan("54591.75")));
        // What is left is the second half without its part of the advance, and its part of the retention.
        assert_eq!(counter.balances(), ["7755991.75", "804510.00", "57465.00", "1382033.25"]);
        assert_eq!(counter.totals()["advance_left"], yuan("344790.00"));

        // If the payment fails, nothing was taken back by it; it is taken back with the next one, once.
        ok(&counter.ends(&counter.reconciles, &first, "failure"));
        assert_eq!(counter.totals()["advance_left"], yuan("689580.00"));
        assert_eq!(counter.pay(2)["derivation"]["result"]["recovered"], "344790.00");
        let again = counter.approved(&Counter::of_period(1, "692453.25", "P1"));
        ok(&counter.acts(executes, &again, "execution"));
        assert_eq!(counter.balances(), ["7755991.75", "804510.00", "57465.00", "1382033.25"]);

        // The last one takes the rest, and then what was kept back.
        go_to(&ward, "2026-11-02T02:00:00Z");
        counter.accepts(2);
        let last = counter.claimed(&Counter::of_period(2, "1091835.00", "P2"));
        assert_eq!(ok(&counter.certifies(officer, &last, &less()))["certified"]["amount"], yuan("747045.00"));
        ok(&counter.acts(&counter.approves, &last, "approval"));
        ok(&counter.acts(executes, &last, "execution"));
        assert_eq!(counter.balances(), ["7755991.75", "0.00", "114930.00", "2129078.25"]);
        let kept = counter.approved(&Counter::of_part("retention", "114930.00", "R1"));
        ok(&counter.acts(executes, &kept, "execution"));
        // All of the price but what was deducted.
        assert_eq!(counter.balances(), ["7755991.75", "0.00", "0.00", "2244008.25"]);
        let totals = counter.totals();
        assert_eq!(["paid", "released", "advance_left", "committed"].map(|member| totals[member].clone()), ["2244008.25", "54591.75", "0.00", "0.00"].map(yuan));
    }

    fn a_period_that_cannot_give_its_share_leaves_it_to_the_last(ward) {
        let counter = Counter::new(&ward, "2026-10-31", |lot| by_halves_with_recovery(lot, "30"));
        let (officer, executes) = (counter.officer(), &counter.executes);
        go_to(&ward, "2026-05-11T01:00:00Z");
        let advance = counter.approved(&Counter::of_part("advance", "689580.00", "A1"));
        ok(&counter.acts(executes, &advance, "execution"));
        go_to(&ward, "2026-08-03T02:00:00Z");
        counter.accepts(1);
        // 80 days at one percent: a fifth of 1,091,835.00 is left, which is less than the share.
        let late = json!({"penalties": [{"penalty": 1, "count": 80, "reason_zh": "逾期八十日", "reason_en": "Eighty days late"}]});
        refused(&closes(&counter, officer, 1, &json!({})), 409, "period_still_payable");
        let closed = ok(&closes(&counter, officer, 1, &late));
        assert_eq!((&closed["derivation"]["result"]["deducted"], &closed["derivation"]["result"]["recovered"], &closed["derivation"]["result"]["payable"]), (&json!("873468.00"), &json!("218367.00"), &json!("0.00")));
        assert_eq!((&closed["released"], &closed["certified"], counter.totals()["advance_left"].clone()), (&yuan("873468.00"), &yuan("0.00"), yuan("471213.00")));
        // 2,298,600.00 - 689,580.00 - 873,468.00.
        assert_eq!(counter.balances(), ["8574868.00", "735552.00", "0.00", "689580.00"]);
        go_to(&ward, "2026-11-02T02:00:00Z");
        counter.accepts(2);
        assert_eq!(counter.pay(2)["derivation"]["result"]["recovered"], "471213.00");
        let last = counter.approved(&Counter::of_period(2, "620622.00", "P2"));
        assert_eq!(ok(&counter.acts(executes, &last, "execution"))["retained"], yuan("57465.00"));
        let kept = counter.approved(&Counter::of_part("retention", "114930.00", "R1"));
        ok(&counter.acts(executes, &kept, "execution"));
        assert_eq!(counter.balances(), ["8574868.00", "0.00", "0.00", "1425132.00"]);
        assert_eq!(counter.totals()["advance_left"], yuan("0.00"));
    }

    fn a_period_that_comes_to_nothing_is_closed_and_its_money_goes_back(ward) {
        let counter = Counter::new(&ward, "2027-04-30", by_months);
        let (work, officer) = (&counter.work, counter.officer());
        let department = work.case.office.treasury.department.clone();
        let nothing = json!({});
        sql(&ward, &format!("UPDATE accounts SET email = 'supplier@people.example' WHERE id = '{}'", work.supplier().id)).unwrap();
        let all = json!({"penalties": [{"penalty": 1, "count": 100, "reason_zh": "全月未到岗", "reason_en": "Nobody came all month"}]});
        go_to(&ward, "2026-05-31T02:00:00Z");
        refused(&closes(&counter, officer, 1, &all), 409, "claim_not_accepted");
        go_to(&ward, "2026-06-01T02:00:00Z");
        let acceptance = counter.accepts(1);
        for who in [work.supplier(), &work.case.office.approver, &counter.approves, &person(&ward, &[Grant::of(Role::Auditor)])] {
            refused(&closes(&counter, who, 1, &all), 403, "forbidden");
        }
        let stranger = of(&ward, Role::BuyerOfficer, &work.case.bidders[0].id.parse().unwrap());
        refused(&closes(&counter, &stranger, 1, &all), 403, "forbidden");
        let both = person(&ward, &[Grant::of(Role::BuyerOfficer).in_organisation(department.clone()), Grant::of(Role::SupplierAgent).in_organisation(work.case.bidders[1].id.parse().unwrap())]);
        refused(&closes(&counter, &both, 1, &all), 403, "claim_of_own_organisation");
        refused(&closes(&counter, officer, 1, &nothing), 409, "period_still_payable");
        refused(&closes(&counter, officer, 13, &nothing), 404, "not_found");
        let odd = closes(&counter, officer, 1, &json!({"penalties": [{"penalty": 2, "count": 1, "reason_zh": " ", "reason_en": "Because"}]}));
        assert_eq!(odd.faults().into_iter().map(|(place, _)| place).collect::<Vec<_>>(), ["/penalties/0/penalty", "/penalties/0/reason_zh"]);
        assert_eq!(counter.balances(), ["7701400.00", "2298600.00", "0.00", "0.00"]);
        let closed = ok(&closes(&counter, officer, 1, &all));
        assert_eq!((&closed["released"], &closed["open"], &closed["penalties"][0]["count"]), (&yuan("191550.00"), &yuan("0.00"), &json!(100)));
        assert_eq!(closed["closed_at"], "2026-06-01T02:00:00.000000Z");
        assert_eq!(counter.balances(), ["7892950.00", "2107050.00", "0.00", "0.00"]);
        assert_eq!(counter.pay(1), closed, "it is public");
        refused(&closes(&counter, officer, 1, &all), 409, "period_closed_already");
        let claim = counter.claimed(&Counter::of_period(1, "1.00", "1"));
        refused(&counter.certifies(officer, &claim, &nothing), 409, "claim_nothing_payable");

        // By what it was closed anybody reckons again, and the log has its hash.
        let told = ward.events("period.closed").pop().unwrap()["entry"]["data"].clone();
        let path = format!("/api/v1/contracts/{}/periods/1/closing/derivation", work.contract);
        let derivation = ward.get(&path);
        assert_eq!((&told["sha256"], &told["acceptance_id"], &told["released"]), (&json!(hex::encode(Sha256::digest(derivation.text.as_bytes()))), &json!(acceptance), &yuan("191550.00")));
        assert_eq!((told["transfers"].as_array().unwrap().len(), derivation.json()), (1, closed["derivation"].clone()));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &derivation.text).unwrap();
        assert_eq!(reckon("payment", &[file.path().to_str().unwrap()]).status.code(), Some(0));
        refused(&ward.get(&path.replace("/1/", "/2/")), 404, "not_found");
        let mails = lines(&ward, &format!("SELECT dedup_key AS line FROM outbox WHERE dedup_key LIKE '{}:period-closed:1:%'", work.contract));
        assert_eq!(mails.len(), 1, "{mails:?}");
        for statement in ["UPDATE period_closings SET released_fen = 1", "DELETE FROM period_closings", "UPDATE period_closing_penalties SET count = 1", "DELETE FROM period_closing_penalties"] {
            assert!(sql(&ward, statement).unwrap_err().to_string().contains("append-only"), "{statement}");
        }

        // Paid before its scores were settled, as it turned out in full: what was deducted goes back when they are.
        go_to(&ward, "2026-06-30T02:00:00Z");
        work.inspects("2026-06-29", "7");
        go_to(&ward, "2026-07-01T02:00:00Z");
        counter.accepts(2);
        let early = counter.claimed(&Counter::of_period(2, "191550.00", "2"));
        // 75.00 takes a tenth off.
        let certified = ok(&counter.certifies(officer, &early, &less()))["certified"].clone();
        assert_eq!((&certified["amount"], &certified["is_settled"]), (&yuan("172395.00"), &json!(false)));
        go_to(&ward, "2026-07-28T02:00:00Z");
        refused(&closes(&counter, officer, 2, &nothing), 409, "period_still_payable");
        let finance = person(&ward, &[Grant::of(Role::BuyerOfficer).in_organisation(department.clone()), Grant::of(Role::FinanceOfficer).in_organisation(department)]);
        ok(&counter.acts(&finance, &early, "approval"));
        assert_eq!(ok(&counter.acts(&counter.executes, &early, "execution"))["released"], yuan("0.00"));
        assert_eq!(counter.balances(), ["7892950.00", "1934655.00", "0.00", "172395.00"]);
        refused(&closes(&counter, &finance, 2, &nothing), 403, "separation_of_duties");
        assert_eq!(ok(&closes(&counter, officer, 2, &nothing))["released"], yuan("19155.00"));
        assert_eq!(counter.balances(), ["7912105.00", "1915500.00", "0.00", "172395.00"]);
        assert_eq!(counter.totals()["released"], yuan("210705.00"));

        // A period of which nothing was deducted has nothing to go back; one that can still change is not closed.
        go_to(&ward, "2026-08-03T02:00:00Z");
        counter.accepts(3);
        let whole = counter.approved(&Counter::of_period(3, "191550.00", "3"));
        ok(&counter.acts(&counter.executes, &whole, "execution"));
        refused(&closes(&counter, officer, 3, &nothing), 409, "period_nothing_to_close");
        go_to(&ward, "2026-08-31T02:00:00Z");
        work.inspects("2026-08-31", "4");
        go_to(&ward, "2026-09-01T02:00:00Z");
        counter.accepts(4);
        refused(&closes(&counter, officer, 4, &all), 409, "period_not_settled");
    }

    fn days_that_were_agreed_on_and_full_marks_for_what_has_no_score(ward) {
        let counter = Counter::new(&ward, "2027-04-30", |lot| {
            by_months(lot);
            lot["payment"]["payment_days"] = json!(45);
            lot["payment"]["without_score"] = json!("full_marks");
            lot["score_sources"] = json!([
                {"code": "daily", "kind": "inspection", "name_zh": "日常考核", "name_en": "Daily", "weight": "80"},
                {"code": "rating", "kind": "rating", "name_zh": "满意度", "name_en": "Rating", "weight": "20"}
            ]);
        });
        let work = &counter.work;
        let document = ok(&ward.get(&format!("/api/v1/contracts/{}/content", work.contract)));
        assert_eq!((&document["lot"]["payment"]["payment_days"], &document["lot"]["payment"]["without_score"]), (&json!(45), &json!("full_marks")), "it is signed with the rest");
        go_to(&ward, "2026-05-12T01:00:00Z");
        work.inspects("2026-05-11", "7");
        go_to(&ward, "2026-06-08T02:00:00Z");
        counter.accepts(1);
        // 0.8 × 75.00 + 0.2 × 100: 5 % less.
        let pay = counter.pay(1);
        assert_eq!((&pay["derivation"]["result"]["score"], &pay["derivation"]["result"]["payable"], &pay["due_on"]), (&json!("80.00"), &json!("181972.50"), &json!("2026-07-23")));
        assert_eq!(pay["derivation"]["steps"][0]["formula"], "it counts as full marks");
        // Triggers and grades go by the same score.
        let record = ok(&ward.get(&format!("/api/v1/organisations/{}/performance", work.case.bidders[1].id)));
        assert_eq!(record["items"][0]["periods"][0]["score"], "80.00");
        let claim = counter.claimed(&Counter::of_period(1, "191550.00", "1"));
        let certified = ok(&counter.certifies(counter.officer(), &claim, &less()));
        assert_eq!((&certified["certified"]["amount"], &certified["due_on"]), (&yuan("181972.50"), &json!("2026-07-23")));
        ok(&counter.acts(&counter.approves, &claim, "approval"));
        go_to(&ward, "2026-07-24T02:00:00Z");
        ok(&counter.acts(&counter.executes, &claim, "execution"));
        // A day late: 0.05 % of 181,972.50.
        assert_eq!((&counter.shown(&claim)["days_late"], &counter.shown(&claim)["interest"]), (&json!(1), &yuan("90.99")));
    }
}
