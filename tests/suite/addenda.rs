//! Addenda to published books: drafted by one, published by another as another version, with their money; what they may not do; and what
//! nobody outside learns of them before.

use serde_json::{Value, json};
use wardbook::books::rules::BookId;
use wardbook::books::rules_addenda::needs_confirmation;
use wardbook::books::store_versions;
use wardbook::kernel::party::OrganisationKind;
use wardbook::web::policy::Role;

use crate::books::{Office, at_once, ok};
use crate::cast::organisation;
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::planning::{puts, uploaded};
use crate::treasury::{gets, made, of, posts, yuan};

/// An addendum that makes a book say something else.
pub fn addendum(book: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut content = book["content"].clone();
    change(&mut content);
    json!({"reason_zh": "更正", "reason_en": "Corrected", "affects_bids": false, "content": content})
}

fn last_affecting(ward: &Ward, book: &str) -> Option<i64> {
    let book: BookId = book.parse().unwrap();
    ward.context()
        .db
        .read_and_wait(move |conn| store_versions::last_affecting(conn, &book))
        .unwrap()
}

on_both! { in "test";
    fn an_addendum_is_another_version_of_a_book_with_its_money(ward) {
        let office = Office::new(&ward);
        let body = office.whole(&ward);
        let draft = office.drafts(&ward, &body);
        refused(&posts(&ward, &office.officer, &format!("/contract-books/{draft}/addenda"), Some(&addendum(&body, |_| {}))), 409, "book_wrong_state");
        let (book, published) = office.published(&ward, &body);
        let addenda = format!("/contract-books/{book}/addenda");
        let file = uploaded(&ward, &office.officer);
        let raised = addendum(&published, |content| {
            content["lots"][0]["ceiling"] = yuan("700.00");
            content["title_en"] = json!(" Street cleaning,  corrected ");
            content["documents"] = json!([file]);
        });
        // Who may begin one, and how many at a time.
        let stranger = of(&ward, Role::BuyerOfficer, &organisation(&ward, OrganisationKind::StreetOffice, None));
        for who in [&stranger, &office.approver] {
            refused(&posts(&ward, who, &addenda, Some(&raised)), 403, "forbidden");
        }
        let mut odd = raised.clone();
        odd["content"]["lots"][0]["criteria"][0]["weight"] = json!("29");
        let reply = posts(&ward, &office.officer, &addenda, Some(&odd));
        assert_eq!((reply.status, reply.faults()), (422, vec![("/content/lots/0/criteria".to_owned(), "invalid".to_owned())]), "{}", reply.text);
        let begun = posts(&ward, &office.officer, &addenda, Some(&raised));
        let id = made(&begun);
        refused(&posts(&ward, &office.officer, &addenda, Some(&raised)), 409, "addendum_already_open");
        let path = format!("/addenda/{id}");
        assert_eq!(begun.header("location"), Some(format!("/api/v1{path}").as_str()));

        // Nobody outside learns of it, nor of what hangs on it.
        for outside in ["", "/readiness"] {
            assert_eq!(gets(&ward, &stranger, &format!("{path}{outside}")).status, 404);
        }
        assert_eq!(ward.get(&format!("/api/v1{path}")).status, 404);
        assert_eq!(ward.get(&format!("/api/v1{addenda}")).json()["items"], json!([]));
        assert_eq!(gets(&ward, &office.approver, &addenda).json()["items"][0]["state"], "draft");
        assert_eq!(ward.get(&format!("/api/v1/attachments/{file}")).status, 404);
        assert_eq!(gets(&ward, &office.approver, &format!("/attachments/{file}")).status, 200);
        assert_eq!(ward.events("addendum.drafted").len(), 0, "it comes into the log with the publication");

        // It is written over with `If-Match`, and published by another person.
        let put = |etag: &str, body: &Value| office.officer.asks(&ward, "PUT", &format!("/api/v1{path}")).header("if-match", etag).json(body).send();
        assert_eq!(ok(&put("\"v1\"", &raised))["revision"], 1, "nothing to change");
        let mut reworded = raised.clone();
        reworded["reason_en"] = json!("The ceiling was too low");
        let draft = ok(&put("\"v1\"", &reworded));
        assert_eq!((&draft["revision"], &draft["affects_bids"], &draft["said_to_affect_bids"], &draft["number"]), (&json!(2), &json!(true), &json!(false), &json!(null)));
        refused(&put("\"v1\"", &raised), 412, "version_stale");
        let changed: Vec<&str> = draft["changes"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
        assert_eq!(changed, ["/documents/0", "/lots/1/ceiling/amount", "/title_en"]);
        let readiness = ok(&gets(&ward, &office.officer, &format!("{path}/readiness")));
        assert_eq!((&readiness["ready"], &readiness["items"], &readiness["earliest_bid_deadline"]), (&json!(true), &json!([]), &json!("2026-04-01T01:00:00.000000Z")), "{readiness}");
        let publishes = || posts(&ward, &office.approver, &format!("{path}/publication"), None);
        refused(&posts(&ward, &office.officer, &format!("{path}/publication"), None), 403, "forbidden");
        refused(&office.approver.asks(&ward, "POST", &format!("/api/v1{path}/publication")).header("if-match", "\"v1\"").send(), 412, "version_stale");
        assert_eq!(last_affecting(&ward, &book), None);
        let done = ok(&publishes());
        assert_eq!((&done["state"], &done["number"], &done["from"]), (&json!("published"), &json!(1), &json!(1)));
        assert_eq!(ok(&publishes()), done, "again is harmless");
        refused(&put("*", &raised), 409, "addendum_wrong_state");
        let stands = office.treasury.balances(&ward, &office.line);
        assert_eq!((&stands["available"], &stands["reserved"]), (&json!("300.00"), &json!("700.00")));

        // The book is what it says, and what was published before stays.
        let now = ok(&ward.get(&format!("/api/v1/contract-books/{book}")));
        assert_eq!((&now["versions"], &now["content"]["title_en"], &now["sha256"], &now["lots"]), (&json!(2), &json!("Street cleaning,  corrected"), &done["sha256"], &published["lots"]));
        assert_eq!(ok(&ward.get(&format!("/api/v1/contract-books/{book}/versions/1")))["sha256"], published["sha256"]);
        let second = ok(&ward.get(&format!("/api/v1/contract-books/{book}/versions/2")));
        assert_eq!((&second["reason_en"], &second["affects_bids"], &second["sha256"]), (&json!("The ceiling was too low"), &json!(true), &done["sha256"]));
        assert_eq!(ok(&ward.get(&format!("/api/v1/contract-books/{book}/versions/2/differences?from=1")))["items"], done["changes"]);
        assert_eq!(ok(&ward.get(&format!("/api/v1{addenda}")))["items"][0]["number"], 1);
        assert_eq!(ward.get(&format!("/api/v1/attachments/{file}")).status, 200);
        assert_eq!(ward.get("/api/v1/contract-books").json()["items"][0]["title_en"], "Street cleaning,  corrected");
        let drafted = ward.events("addendum.drafted");
        assert_eq!((drafted.len(), &drafted[0]["entry"]["subject"], &drafted[0]["entry"]["data"], ward.events("addendum.redrafted").len()), (1, &json!(id), &json!({}), 1));
        let told = ward.events("book.amended");
        assert_eq!((told.len(), &told[0]["entry"]["data"]["sha256"], &told[0]["entry"]["data"]["transfers"].as_array().unwrap().len()), (1, &done["sha256"], &2));
        assert!(last_affecting(&ward, &book) == Some(2) && needs_confirmation(1, last_affecting(&ward, &book)));
        for change in ["UPDATE addenda SET reason_en = 'x'", "DELETE FROM addenda"] {
            assert!(sql(&ward, change).is_err(), "{change}");
        }

        // More time alone affects no bid, but its drafter may say that it does; less money goes back.
        let later = addendum(&now, |content| {
            for field in ["bid_deadline", "opening"] {
                content["timetable"][field] = json!("2026-04-08T01:00:00Z");
            }
        });
        let id = made(&posts(&ward, &office.officer, &addenda, Some(&later)));
        assert_eq!(ok(&posts(&ward, &office.approver, &format!("/addenda/{id}/publication"), None))["affects_bids"], false);
        assert_eq!(last_affecting(&ward, &book), Some(2));
        let now = ok(&ward.get(&format!("/api/v1/contract-books/{book}")));
        assert_eq!(ward.get("/api/v1/contract-books").json()["items"][0]["bid_deadline"], "2026-04-08T01:00:00.000000Z");
        let mut lowered = addendum(&now, |content| content["lots"][0]["ceiling"] = yuan("100.00"));
        lowered["affects_bids"] = json!(true);
        let id = made(&posts(&ward, &office.officer, &addenda, Some(&lowered)));
        ok(&posts(&ward, &office.approver, &format!("/addenda/{id}/publication"), None));
        let stands = office.treasury.balances(&ward, &office.line);
        assert_eq!((&stands["available"], &stands["reserved"]), (&json!("900.00"), &json!("100.00")));
        assert!(last_affecting(&ward, &book) == Some(4) && !needs_confirmation(4, last_affecting(&ward, &book)));

        // Cancelled, all of it is free, and nothing is amended any more.
        let now = ok(&ward.get(&format!("/api/v1/contract-books/{book}")));
        let id = made(&posts(&ward, &office.officer, &addenda, Some(&addendum(&now, |content| content["title_en"] = json!("Another")))));
        ok(&posts(&ward, &office.approver, &format!("/contract-books/{book}/cancellation"), Some(&json!({"reason_zh": "暂停", "reason_en": "Paused"}))));
        refused(&posts(&ward, &office.approver, &format!("/addenda/{id}/publication"), None), 409, "book_wrong_state");
        assert_eq!(office.treasury.balances(&ward, &office.line)["available"], "1000.00");
        ok(&posts(&ward, &office.approver, &format!("/addenda/{id}/discarding"), None));
        refused(&posts(&ward, &office.officer, &format!("/addenda/{id}/discarding"), None), 409, "addendum_wrong_state");
    }

    fn what_an_addendum_may_not_do_is_listed_and_refuses_it(ward) {
        let office = Office::new(&ward);
        let (book, published) = office.published(&ward, &office.whole(&ward));
        let addenda = format!("/contract-books/{book}/addenda");
        let id = made(&posts(&ward, &office.officer, &addenda, Some(&addendum(&published, |_| {}))));
        let path = format!("/addenda/{id}");
        let publishes = || posts(&ward, &office.approver, &format!("{path}/publication"), None);
        refused(&publishes(), 409, "addendum_changes_nothing");
        let elsewhere = office.treasury.filled(&ward, "SAN-02", "700.00");
        ok(&puts(&ward, &office.officer, &path, &addendum(&published, |content| {
            content["category"] = json!("lifts");
            content["areas"] = json!([]);
            content["qualifications"] = json!([{"name_zh": "许可证", "name_en": "A licence"}]);
            content["custody"] = json!(null);
            content["timetable"]["bid_deadline"] = json!("2026-03-31T01:00:00Z");
            content["tie_rule"] = json!(null);
            content["lots"][0]["ceiling"] = yuan("1000.01");
        })));
        let never = "tender.clarification_never_changes";
        let readiness = ok(&gets(&ward, &office.officer, &format!("{path}/readiness")));
        let items = readiness["items"].as_array().unwrap();
        let told: Vec<(&str, &str)> = items.iter().map(|item| (item["pointer"].as_str().unwrap(), item["rule"].as_str().or(item["code"].as_str()).unwrap())).collect();
        assert_eq!(told, [("/category", never), ("/areas", never), ("/qualifications", never), ("/custody", "unfit"), ("/tie_rule", "unfit"), ("/timetable/bid_deadline", "unfit"),
            ("/areas", "missing"), ("/tie_rule", "missing"), ("/custody", "missing"), ("/lots/0/budget_line_id", "unfit"), ("/lots/0/ceiling", "unfit")]);
        assert!(items.iter().all(|item| (item["code"] == "unlawful") != item["citations"].as_array().unwrap().is_empty()), "{readiness}");
        let refusal = publishes();
        refused(&refusal, 409, "addendum_not_ready");
        assert_eq!(refusal.faults().len(), told.len(), "{}", refusal.text);
        // What is judged and what it weighs is frozen; how points are given may be put in better words.
        let criteria = |change: &dyn Fn(&mut Value)| {
            ok(&puts(&ward, &office.officer, &path, &addendum(&published, |content| change(&mut content["lots"][0]["criteria"]))));
            let readiness = ok(&gets(&ward, &office.officer, &format!("{path}/readiness")));
            readiness["items"].as_array().unwrap().iter().any(|item| item["pointer"] == "/lots/0/criteria" && item["code"] == "unfit")
        };
        assert!(criteria(&|all| all.as_array_mut().unwrap().swap(0, 1)));
        assert!(!criteria(&|all| all[0]["scale_en"] = json!("As before, in better words")));
        // The other line has money, and yet the ceiling rises only within its own.
        ok(&puts(&ward, &office.officer, &path, &addendum(&published, |content| content["lots"][0]["budget_line_id"] = json!(elsewhere))));
        assert_eq!(publishes().faults(), [("/lots/0/budget_line_id".to_owned(), "unfit".to_owned())]);
        assert_eq!(office.treasury.balances(&ward, &office.line)["reserved"], "600.00");
        // All that the line has is enough, and a line that is empty then is no fault of an addendum that takes nothing more.
        ok(&puts(&ward, &office.officer, &path, &addendum(&published, |content| content["lots"][0]["ceiling"] = yuan("1000.00"))));
        ok(&publishes());
        let now = ok(&ward.get(&format!("/api/v1/contract-books/{book}")));
        let worded = addendum(&now, |content| content["clauses"][0]["text_en"] = json!("Another clause."));
        let id = made(&posts(&ward, &office.officer, &addenda, Some(&worded)));

        // Whoever approved the book does not write on it, and whoever wrote on it does not publish that.
        let both = crate::cast::person(&ward, &[Role::BuyerOfficer, Role::BuyerApprover].map(|role| wardbook::web::actor::Grant::of(role).in_organisation(office.treasury.department.clone())));
        let mut again = worded.clone();
        again["affects_bids"] = json!(true);
        ok(&puts(&ward, &both, &format!("/addenda/{id}"), &again));
        refused(&posts(&ward, &both, &format!("/addenda/{id}/publication"), None), 403, "separation_of_duties");

        // From the deadline on nothing is amended: strictly before it, it still is.
        ward.context().clock.advance("2026-04-01T00:59:59Z".parse().unwrap());
        assert_eq!(ok(&gets(&ward, &office.officer, &format!("/addenda/{id}/readiness")))["ready"], true);
        ward.context().clock.advance("2026-04-01T01:00:00Z".parse().unwrap());
        refused(&posts(&ward, &office.approver, &format!("/addenda/{id}/publication"), None), 409, "book_bids_closed");
        ok(&posts(&ward, &office.officer, &format!("/addenda/{id}/discarding"), None));
        refused(&posts(&ward, &office.officer, &addenda, Some(&worded)), 409, "book_bids_closed");
    }

    fn two_at_once_end_in_one_of_the_lawful_outcomes(ward) {
        let office = Office::new(&ward);
        let body = office.whole(&ward);
        let (book, published) = office.published(&ward, &body);
        let addenda = format!("/contract-books/{book}/addenda");
        let raised = addendum(&published, |content| content["lots"][0]["ceiling"] = yuan("900.00"));
        let begins = || posts(&ward, &office.officer, &addenda, Some(&raised));
        let mut begun = at_once([&begins, &begins]);
        begun.sort_by_key(|reply| reply.status);
        assert_eq!((begun[0].status, begun[1].status, begun[1].code().as_str()), (201, 409, "addendum_already_open"));
        let path = format!("/addenda/{}/publication", made(&begun[0]));
        let publishes = || posts(&ward, &office.approver, &path, None);

        // A higher ceiling and a withdrawal of the same money: one of them, never both.
        let withdrawal = json!({"kind": "withdrawal", "fiscal_year": 2026, "from_line_id": office.line, "amount": yuan("300.00"), "reason": "收回"});
        let movement = made(&office.treasury.proposes(&ward, &withdrawal));
        let [amended, confirmed] = at_once([&publishes, &|| office.treasury.confirms(&ward, &movement)]);
        let stands = office.treasury.balances(&ward, &office.line);
        match (amended.status, confirmed.status) {
            (200, 409) => assert_eq!((&stands["available"], &stands["reserved"]), (&json!("100.00"), &json!("900.00"))),
            (409, 200) => {
                assert_eq!((amended.code().as_str(), &stands["available"], &stands["reserved"]), ("addendum_not_ready", &json!("100.00"), &json!("600.00")));
                let allocation = json!({"kind": "allocation", "fiscal_year": 2026, "to_line_id": office.line, "amount": yuan("300.00"), "reason": "调整"});
                office.treasury.moves(&ward, &allocation);
                ok(&publishes());
            }
            other => panic!("{other:?}: {} {}", amended.text, confirmed.text),
        }
        assert_eq!(office.treasury.balances(&ward, &office.line)["available"], "100.00");

        // Twice at once it is one version; and beside a cancellation it is one before that, or none.
        let now = ok(&ward.get(&format!("/api/v1/contract-books/{book}")));
        let next = |now: &Value, title: &str| made(&posts(&ward, &office.officer, &addenda, Some(&addendum(now, |content| content["title_en"] = json!(title)))));
        let id = next(&now, "Once");
        let publishes = || posts(&ward, &office.approver, &format!("/addenda/{id}/publication"), None);
        assert_eq!(at_once([&publishes, &publishes]).map(|reply| reply.status), [200, 200]);
        let now = ok(&ward.get(&format!("/api/v1/contract-books/{book}")));
        assert_eq!((&now["versions"], ward.events("book.amended").len()), (&json!(3), 2));
        let id = next(&now, "Again");
        let publishes = || posts(&ward, &office.approver, &format!("/addenda/{id}/publication"), None);
        let why = json!({"reason_zh": "暂停", "reason_en": "Paused"});
        let cancels = || posts(&ward, &office.approver, &format!("/contract-books/{book}/cancellation"), Some(&why));
        let [amended, cancelled] = at_once([&publishes, &cancels]);
        assert_eq!(cancelled.status, 200, "{}", cancelled.text);
        let versions = ok(&ward.get(&format!("/api/v1/contract-books/{book}")))["versions"].clone();
        match amended.status {
            200 => assert_eq!(versions, 4),
            _ => assert_eq!((amended.code().as_str(), versions), ("book_wrong_state", json!(3))),
        }
        let stands = office.treasury.balances(&ward, &office.line);
        assert_eq!((&stands["available"], &stands["reserved"]), (&json!("1000.00"), &json!("0.00")));
    }
}
