//! What the rules of mainland China say of contract books as they become public: from which amount a tender is open, what counts together
//! against that, and how far a deadline lies behind a change.

use serde_json::{Value, json};

use crate::addenda::addendum;
use crate::books::{Office, ok};
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::planning::{concluded, puts};
use crate::treasury::{CATEGORY, gets, made, posts, yuan};

/// A book with everything that went before it, thirty days later.
pub fn ready(ward: &Ward, office: &Office) -> Value {
    let mut body = office.whole(ward);
    let notice = json!({"organisation_id": office.treasury.department, "content": {"category": CATEGORY, "area_ids": [body["content"]["areas"][0]],
        "title_zh": "试", "title_en": "Testing", "overview_zh": "试", "overview_en": "Testing", "budget": yuan("9000000.00"), "expected_month": "2026-05", "contact": "王磊 0990-1234567"}});
    let intention = made(&posts(ward, &office.officer, "/intention-notices", Some(&notice)));
    ok(&posts(
        ward,
        &office.approver,
        &format!("/intention-notices/{intention}/publication"),
        None,
    ));
    let content = &mut body["content"];
    content["intention_id"] = json!(intention);
    content["consultation_id"] = json!(concluded(ward, &office.treasury, &office.officer));
    content["timetable"] = json!({"enquiry_deadline": "2026-04-15T01:00:00Z", "answer_deadline": "2026-04-20T01:00:00Z", "bid_deadline": "2026-05-10T01:00:00Z",
        "opening": "2026-05-10T01:00:00Z", "service_from": "2026-06-01", "service_until": "2027-05-31"});
    ward.context()
        .clock
        .advance("2026-04-01T00:00:00Z".parse().unwrap());
    body
}

/// The same by a ballot of the residents, for so much of a line.
fn by_ballot(body: &Value, line: &str, ceiling: &str) -> Value {
    let mut body = body.clone();
    body["content"]["method"] = json!("appraisal");
    body["content"]["lots"][0]["budget_line_id"] = json!(line);
    body["content"]["lots"][0]["ceiling"] = yuan(ceiling);
    body
}

on_both! { in "cn";
    fn small_purchases_by_ballot_count_together_and_large_ones_are_tendered(ward) {
        let office = Office::with(&ward, "9000000.00", "4000000.00");
        let body = ready(&ward, &office);
        let line = office.line.clone();
        let items = |path: &str| {
            let readiness = ok(&gets(&ward, &office.officer, &format!("{path}/readiness")));
            let items = readiness["items"].as_array().unwrap().iter();
            items.map(|item| (item["pointer"].as_str().unwrap().to_owned(), item["rule"].as_str().or(item["code"].as_str()).unwrap().to_owned())).collect::<Vec<_>>()
        };
        let item = |pointer: &str, rule: &str| vec![(pointer.to_owned(), rule.to_owned())];
        // From the threshold on the residents do not decide alone.
        let large = office.drafts(&ward, &by_ballot(&body, &line, "2000000.00"));
        assert_eq!(items(&format!("/contract-books/{large}")), item("/method", "evaluation.methods"));
        let mut open = by_ballot(&body, &line, "2000000.00");
        open["content"]["method"] = json!("comprehensive_scoring");
        assert_eq!(items(&format!("/contract-books/{}", office.drafts(&ward, &open))), []);
        let (first, first_book) = office.published(&ward, &by_ballot(&body, &line, "1500000.00"));

        // What is bought alike on the line counts with it, to the last fen; what is tendered openly, or elsewhere, does not.
        let split = item("/lots", "planning.splitting_forbidden");
        let second = office.approved(&ward, &by_ballot(&body, &line, "500000.00"));
        assert_eq!(items(&format!("/contract-books/{second}")), split);
        let refusal = office.publishes(&ward, &second);
        refused(&refusal, 409, "book_not_ready");
        assert_eq!(refusal.faults(), [("/lots".to_owned(), "planning.splitting_forbidden".to_owned())]);
        assert!(refusal.text.contains("政府采购法") || refusal.text.contains("Government Procurement Law"), "{}", refusal.text);
        let mut open = by_ballot(&body, &line, "500000.00");
        open["content"]["method"] = json!("comprehensive_scoring");
        assert_eq!(items(&format!("/contract-books/{}", office.drafts(&ward, &open))), []);
        let elsewhere = office.treasury.filled(&ward, "SAN-02", "600000.00");
        assert_eq!(items(&format!("/contract-books/{}", office.drafts(&ward, &by_ballot(&body, &elsewhere, "500000.00")))), []);
        let (third, third_book) = office.published(&ward, &by_ballot(&body, &line, "499999.99"));

        // One notice covers several books as far as its budget goes.
        let mut beyond = by_ballot(&body, &line, "7000000.02");
        beyond["content"]["method"] = json!("comprehensive_scoring");
        let announced = item("/intention_id", "planning.intention_notice_contents").remove(0);
        assert!(items(&format!("/contract-books/{}", office.drafts(&ward, &beyond))).contains(&announced));
        beyond["content"]["lots"][0]["ceiling"] = yuan("7000000.01");
        assert!(!items(&format!("/contract-books/{}", office.drafts(&ward, &beyond))).contains(&announced));

        // An addendum raises no book over what it would not have been published at.
        let raises = |book: &str, content: &Value, ceiling: &str| {
            let raised = addendum(content, |content| content["lots"][0]["ceiling"] = yuan(ceiling));
            made(&posts(&ward, &office.officer, &format!("/contract-books/{book}/addenda"), Some(&raised)))
        };
        let over = raises(&third, &third_book, "500000.00");
        assert_eq!(items(&format!("/addenda/{over}")), split);
        refused(&posts(&ward, &office.approver, &format!("/addenda/{over}/publication"), None), 409, "addendum_not_ready");
        let over = raises(&first, &first_book, "2000000.00");
        assert_eq!(items(&format!("/addenda/{over}")), item("/method", "evaluation.methods"));
        // Nor over what its notice announced, with what others have taken of that.
        for (ceiling, is_over) in [("8500000.02", true), ("8500000.01", false)] {
            ok(&puts(&ward, &office.officer, &format!("/addenda/{over}"), &addendum(&first_book, |content| content["lots"][0]["ceiling"] = yuan(ceiling))));
            assert_eq!(items(&format!("/addenda/{over}")).contains(&announced), is_over, "{ceiling}");
        }
        // Cancelled, the first counts for nothing.
        ok(&posts(&ward, &office.approver, &format!("/contract-books/{first}/cancellation"), Some(&json!({"reason_zh": "暂停", "reason_en": "Paused"}))));
        assert_eq!(items(&format!("/contract-books/{second}")), []);
    }

    fn what_makes_no_sense_or_shuts_suppliers_out_is_listed_and_not_published(ward) {
        let office = Office::new(&ward);
        // A notice of another category, as old as that of the book.
        sql(&ward, "INSERT INTO service_categories (code, name_zh, name_en, state, version, created_at, updated_at) \
             SELECT 'other', '他', 'Other', state, version, created_at, updated_at FROM service_categories WHERE code = 'testing'").unwrap();
        let notice = json!({"organisation_id": office.treasury.department, "content": {"category": "other", "area_ids": [ward.area(None, "凤城市")],
            "title_zh": "他", "title_en": "Other", "overview_zh": "他", "overview_en": "Other", "budget": yuan("9000000.00"), "expected_month": "2026-06", "contact": "王磊 0990-1234567"}});
        let other = made(&posts(&ward, &office.officer, "/intention-notices", Some(&notice)));
        ok(&posts(&ward, &office.approver, &format!("/intention-notices/{other}/publication"), None));
        let body = ready(&ward, &office);
        let listed = |change: &dyn Fn(&mut Value)| {
            let mut changed = body.clone();
            change(&mut changed["content"]);
            let id = office.approved(&ward, &changed);
            let refusal = office.publishes(&ward, &id);
            refused(&refusal, 409, "book_not_ready");
            refusal.faults()
        };
        let fault = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
        // Nobody is chosen before the day after the opening, 10 May.
        assert_eq!(listed(&|content| { content["timetable"]["service_from"] = json!("2026-05-10"); content["timetable"]["service_until"] = json!("2027-05-09"); }), [fault("/timetable/service_from", "unfit")]);
        assert_eq!(listed(&|content| content["lots"][0]["quantities"][0]["amount"] = json!("0.00")), [fault("/lots/0/quantities/0/amount", "unfit")]);
        // 87号令 art 17, in either language.
        let forbidden = "planning.conditions_forbidden";
        assert_eq!(listed(&|content| content["qualifications"] = json!([{"name_zh": "注册资本一千万元以上", "name_en": "Ten million"}])), [fault("/qualifications/0", forbidden)]);
        assert_eq!(listed(&|content| content["lots"][0]["criteria"][1]["name_en"] = json!("Yearly Turnover")), [fault("/lots/0/criteria/1", forbidden)]);

        // A notice of something else is no notice of this.
        assert_eq!(listed(&|content| content["intention_id"] = json!(other)), [fault("/intention_id", "planning.intention_notice_days_min")]);

        // The book itself is published, and an addendum that changes nothing is not.
        let (book, published) = office.published(&ward, &body);
        let idle = made(&posts(&ward, &office.officer, &format!("/contract-books/{book}/addenda"), Some(&addendum(&published, |_| {}))));
        let readiness = ok(&gets(&ward, &office.officer, &format!("/addenda/{idle}/readiness")));
        assert_eq!((&readiness["ready"], &readiness["items"][0]["code"]), (&json!(false), &json!("missing")), "{readiness}");
    }

    fn a_change_that_affects_bids_moves_a_deadline_that_is_too_near(ward) {
        let office = Office::new(&ward);
        let (book, published) = office.published(&ward, &ready(&ward, &office));
        let worded = |deadline: &str| addendum(&published, |content| {
            content["clauses"][0]["text_en"] = json!("Another clause.");
            for field in ["bid_deadline", "opening"] {
                content["timetable"][field] = json!(deadline);
            }
        });
        let id = made(&posts(&ward, &office.officer, &format!("/contract-books/{book}/addenda"), Some(&worded("2026-05-10T01:00:00Z"))));
        let path = format!("/addenda/{id}");
        let readiness = || ok(&gets(&ward, &office.approver, &format!("{path}/readiness")));
        // The fifteenth day before 10 May is 25 April.
        ward.context().clock.advance("2026-04-25T15:59:59Z".parse().unwrap());
        assert_eq!(readiness()["ready"], true, "{}", readiness());
        ward.context().clock.advance("2026-04-25T16:00:00Z".parse().unwrap());
        let now = readiness();
        assert_eq!((&now["affects_bids"], &now["earliest_bid_deadline"], &now["items"][0]["pointer"], &now["items"][0]["rule"]),
            (&json!(true), &json!("2026-05-11T01:00:00.000000Z"), &json!("/timetable/bid_deadline"), &json!("tender.clarification_moves_deadline")));
        assert!(now["items"][0]["citations"].to_string().contains("\"31\"") && now["items"].as_array().unwrap().len() == 1, "{now}");
        refused(&posts(&ward, &office.approver, &format!("{path}/publication"), None), 409, "addendum_not_ready");
        ok(&puts(&ward, &office.officer, &path, &worded("2026-05-11T01:00:00Z")));
        ok(&posts(&ward, &office.approver, &format!("{path}/publication"), None));
        assert_eq!(ok(&ward.get(&format!("/api/v1/contract-books/{book}")))["content"]["timetable"]["bid_deadline"], "2026-05-11T01:00:00Z");
    }
}
