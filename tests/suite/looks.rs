//! What auditors are shown as auditors is in the log: who looked, when and at what, for auditors; that somebody looked, for everybody. What cannot be recorded is not shown.

use serde_json::{Value, json};
use wardbook::kernel::party::OrganisationKind;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::cast::{organisation, person};
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::refused;
use crate::treasury::{Treasury, gets, of};

/// What auditors have looked at, by whom: the private parts. Reading them is a look as well, which comes after them.
fn looks(ward: &Ward) -> Vec<(String, Value)> {
    ward.events("auditor.looked")
        .iter()
        .map(|event| {
            let opened = &event["opened"];
            assert_eq!(opened["matches"], json!(true));
            let content: Value = serde_json::from_str(opened["content"].as_str().unwrap()).unwrap();
            (opened["actor"].as_str().unwrap().to_owned(), content)
        })
        .collect()
}

/// The same without those that this test makes by reading them.
fn looks_of(ward: &Ward, who: &str) -> Vec<String> {
    let all = looks(ward).into_iter().filter(|(by, _)| by == who);
    all.map(|(_, look)| look["asked"].as_str().unwrap().to_owned())
        .collect()
}

on_both! { in "test";
    fn what_auditors_see_as_auditors_is_in_the_log_and_what_everybody_sees_is_not(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let line = treasury.filled(&ward, "L-1", "400.00");
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        let id = auditor.id.to_string();
        assert_eq!(looks_of(&ward, &id), Vec::<String>::new());

        let path = format!("/budget-lines/{line}");
        assert_eq!(gets(&ward, &auditor, &path).status, 200);
        assert_eq!(looks_of(&ward, &id), [format!("/api/v1{path}")]);
        assert_eq!(gets(&ward, &auditor, "/ledger/accounts?limit=3").status, 200);
        assert_eq!(looks_of(&ward, &id).last().unwrap(), "/api/v1/ledger/accounts?limit=3");
        let actions: Vec<Value> = looks(&ward).into_iter().filter(|(by, _)| *by == id).map(|(_, look)| look["as_auditor"].clone()).collect();
        assert_eq!(actions, [json!(["ReadBudget"]), json!(["ReadBudget", "ListBudget"])]);
        assert_eq!(auditor.asks(&ward, "HEAD", &format!("/api/v1{path}")).send().status, 200);
        assert_eq!(looks_of(&ward, &id).len(), 3);

        // What is sent part by part is recorded before the first.
        for accept in ["application/jsonl", "text/csv"] {
            let export = auditor.asks(&ward, "GET", "/api/v1/audit/export").header("accept", accept).send();
            assert_eq!(export.status, 200);
            assert_eq!(looks_of(&ward, &id).last().unwrap(), "/api/v1/audit/export");
        }
        assert_eq!(looks_of(&ward, &id).len(), 5);

        // What everybody sees, what is not there, what is refused: nothing was seen as an auditor.
        for public in ["/areas", "/spending?group_by=fund", "/statutes", "/contract-books"] {
            assert_eq!(gets(&ward, &auditor, public).status, 200, "{public}");
        }
        assert_eq!(gets(&ward, &auditor, "/budget-lines/budgetline_01jd3n8f5teqkrzvq1c0m6h2ax").status, 404);
        refused(&gets(&ward, &auditor, "/admin/mail"), 403, "forbidden");
        assert_eq!(looks_of(&ward, &id).len(), 5);

        // Others who see the same in another capacity leave nothing; who has two leaves what they see as an auditor alone.
        assert_eq!(gets(&ward, &treasury.anna, &path).status, 200);
        assert_eq!(looks_of(&ward, treasury.anna.id.as_str()), Vec::<String>::new());
        let grant = Grant::of(Role::FinanceOfficer).in_organisation(treasury.department.clone());
        let both = person(&ward, &[Grant::of(Role::Auditor), grant]);
        assert_eq!(gets(&ward, &both, &path).status, 200);
        assert_eq!(looks_of(&ward, both.id.as_str()), Vec::<String>::new());
        let elsewhere = organisation(&ward, OrganisationKind::Department, None);
        let other = treasury.line(&ward, "L-2", 2026, &elsewhere);
        let foreign = format!("/budget-lines/{other}");
        assert_eq!(gets(&ward, &both, &foreign).status, 200);
        let seen = looks_of(&ward, both.id.as_str());
        let allowed_as_keeper = seen.is_empty();
        // Whoever keeps the fund sees all of its lines.
        assert!(allowed_as_keeper || seen == [format!("/api/v1{foreign}")], "{seen:?}");
    }

    fn that_somebody_looked_is_public_and_who_and_at_what_is_not(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        assert_eq!(gets(&ward, &auditor, "/ledger/accounts?limit=3").status, 200);
        ward.settle();
        let public = ward.get("/api/v1/audit/events?type=auditor.looked").json();
        let events = public["items"].as_array().unwrap();
        assert_eq!((events.len(), &events[0]["entry"]["data"], &events[0]["opened"]), (1, &json!({}), &Value::Null));
        let text = public.to_string();
        for secret in [auditor.id.as_str(), "ledger", "ReadBudget", treasury.fund.as_str()] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        // They themselves, and nobody else who is no auditor, see that it was they.
        let own = gets(&ward, &auditor, &format!("/audit/events?actor={}&type=auditor.looked", auditor.id));
        assert!(own.json()["items"][0]["opened"]["content"].as_str().unwrap().contains("/api/v1/ledger/accounts?limit=3"), "{}", own.text);
        let officer = of(&ward, Role::BuyerOfficer, &treasury.department);
        refused(&gets(&ward, &officer, &format!("/audit/events?actor={}", auditor.id)), 403, "forbidden");
        // A query that is longer than what is kept is cut, and looked at all the same.
        let long = format!("/ledger/accounts?cursor={}", "x".repeat(3_000));
        assert!(gets(&ward, &auditor, &long).status >= 400);
    }

    fn what_cannot_be_recorded_is_not_shown(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let line = treasury.filled(&ward, "L-1", "400.00");
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        let path = format!("/budget-lines/{line}");
        ward.settle();
        ward.context().db.halt(wardbook::text!("试", "a test"));
        let unseen = gets(&ward, &auditor, &path);
        refused(&unseen, 503, "read_only");
        assert!(!unseen.text.contains("400.00"), "{}", unseen.text);
        // Others read on.
        assert_eq!(gets(&ward, &treasury.anna, &path).status, 200);
        assert_eq!(gets(&ward, &auditor, "/areas").status, 200);
    }
}
