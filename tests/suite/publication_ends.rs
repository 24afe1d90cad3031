//! What is published of how a contract went and ended: completed when all is accepted and nothing is held for it any more, with the defects that were upheld and nothing of
//! who has reported them; and the files of a book, of which nothing is told that no published version lists.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wardbook::publish::rules_json::Object;
use wardbook::web::policy::Role;

use crate::acceptances::Work;
use crate::addenda::addendum;
use crate::awards::go_to;
use crate::books::{Office, ok};
use crate::claims::{Counter, by_halves};
use crate::defects::{Stage, settles};
use crate::harness::Ward;
use crate::on_both;
use crate::planning::uploaded;
use crate::publication_checks::{at, everything, holds};
use crate::treasury::{gets, made, of, posts};

fn words<'o>(release: &'o Object, path: &[&str]) -> Vec<&'o str> {
    at(release, path)
        .iter()
        .filter_map(|value| value.as_text())
        .collect()
}

/// What the last release says: its tags, the status of the contract, when it ended and what was paid under it.
fn end(releases: &[Object]) -> (Vec<&str>, Vec<&str>, Vec<&str>, Vec<String>) {
    let last = releases.last().unwrap();
    let of_work = |name: &'static str| ["contracts", "implementation", name];
    let total = at(last, &["contracts", "implementation", "finalValue", "amount"]);
    (
        words(last, &["tag"]),
        words(last, &["contracts", "status"]),
        words(last, &of_work("endDate")),
        total.iter().map(|amount| amount.written()).collect(),
    )
}

/// Both halves accepted, of which the first scores 80.00, and as much of the price paid and confirmed as these claims ask for.
fn served<'w>(ward: &'w Ward, claims: &[Value]) -> Counter<'w> {
    let counter = Counter::new(ward, "2026-10-31", by_halves);
    go_to(ward, "2026-05-11T01:00:00Z");
    for day in 1..=5 {
        counter
            .work
            .inspects(&format!("2026-05-0{day}"), if day == 5 { "4" } else { "7" });
    }
    go_to(ward, "2026-11-02T02:00:00Z");
    for period in [1, 2] {
        counter.accepts(period);
    }
    for claim in claims {
        let id = counter.approved(claim);
        ok(&counter.acts(&counter.executes, &id, "execution"));
        ok(&counter.confirms(&counter.reconciles, &id));
    }
    counter
}

/// What a contract ends with that ran out on 31 October.
const LAST: &str = "2026-10-31T15:59:59.999999Z";

on_both! { in "test";
    fn a_contract_that_ran_out_is_completed_with_the_bank_s_last_word(ward) {
        let counter = served(&ward, &[
            Counter::of_part("advance", "229860.00", "A"),
            Counter::of_period(1, "928059.75", "B"),
            Counter::of_period(2, "976905.00", "C"),
        ]);
        let open = holds(&ward);
        assert_eq!((end(&open).1, end(&open).2, end(&open).3), (vec!["active"], vec![], vec![]), "the retention is still kept back");
        let last = counter.approved(&Counter::of_part("retention", "114930.00", "D"));
        ok(&counter.acts(&counter.executes, &last, "execution"));
        assert_eq!(counter.balances()[1..], ["0.00", "0.00", "2249754.75"], "nothing is held any more");
        assert_eq!(holds(&ward).len(), open.len(), "and what was sent to the bank can still come back");
        ok(&counter.confirms(&counter.reconciles, &last));
        let done = holds(&ward);
        assert_eq!(done.len(), open.len() + 1);
        assert_eq!(end(&done), (vec!["implementationUpdate", "contractTermination"], vec!["terminated"], vec![LAST], vec!["2249754.75".to_owned()]));
        let release = done.last().unwrap();
        let details = words(release, &["contracts", "implementation", "finalValueDetails"]);
        assert!(details.len() == 1 && details[0].contains(" 48845.25 "), "{details:?}");
        assert_eq!((words(release, &["contracts", "implementation", "endDateDetails"]), words(release, &["awards", "status"])), (vec![], vec!["active"]));

        // What comes after it changes nothing of that: nothing is left to be claimed, and interest is no part of the price.
        let late = counter.claimed(&Counter::of_period(1, "1.00", "E"));
        assert_eq!(holds(&ward).len(), done.len());
        ok(&counter.ends(counter.officer(), &late, "return"));
        assert_eq!(holds(&ward).len(), done.len());
    }

    fn money_that_goes_back_at_the_end_of_a_year_completes_a_contract_as_well(ward) {
        let counter = served(&ward, &[
            Counter::of_part("advance", "229860.00", "A"),
            Counter::of_period(1, "928059.75", "B"),
            Counter::of_period(2, "976905.00", "C"),
        ]);
        go_to(&ward, "2027-01-04T02:00:00Z");
        let open = holds(&ward);
        assert_eq!(end(&open).1, ["active"]);
        let treasury = &counter.work.case.office.treasury;
        let waiting = ok(&gets(&ward, &treasury.anna, &format!("/funds/{}/undecided-holds", treasury.fund)));
        let waiting = waiting["items"].as_array().unwrap();
        assert_eq!(waiting.len(), 2, "what was kept back with each half: {waiting:?}");
        for hold in waiting {
            let path = format!("/ledger/holds/{}/year-ends", hold["id"].as_str().unwrap());
            let back = made(&posts(&ward, &treasury.anna, &path, Some(&json!({"kind": "return", "reason": "不再支付"}))));
            assert_eq!(holds(&ward).len(), open.len(), "a proposal moves nothing, and the first half of it is not all");
            ok(&posts(&ward, &treasury.boris, &format!("/year-ends/{back}/confirmation"), None));
        }
        let done = holds(&ward);
        assert_eq!(end(&done), (vec!["implementationUpdate", "contractTermination"], vec!["terminated"], vec![LAST], vec!["2134824.75".to_owned()]));
    }

    fn a_certificate_that_falls_opens_a_completed_contract_again(ward) {
        let counter = served(&ward, &[
            Counter::of_part("advance", "229860.00", "A"),
            Counter::of_period(1, "928059.75", "B"),
            Counter::of_period(2, "976905.00", "C"),
            Counter::of_part("retention", "114930.00", "D"),
        ]);
        let done = holds(&ward);
        assert_eq!(end(&done).1, ["terminated"]);
        let work = &counter.work;
        let shown = ok(&ward.get(&format!("/api/v1/contracts/{}/acceptances", work.contract)));
        let second = shown["items"].as_array().unwrap().iter().find(|one| one["period"] == 2).unwrap();
        let second = second["id"].as_str().unwrap();
        ok(&work.objects(work.supplier(), second));
        let objected = holds(&ward);
        assert_eq!((end(&objected).1, end(&objected).2), (vec!["active"], vec![]), "it can still fall");
        ok(&work.decides(&work.second, second, false));
        let again = holds(&ward);
        assert_eq!((end(&again).1, end(&again).3), (vec!["terminated"], vec!["2249754.75".to_owned()]));
        assert!(end(&again).0.contains(&"contractTermination"));
    }

    fn upheld_defects_are_counted_by_period_and_nobody_learns_by_whom(ward) {
        let stage = Stage::served(&ward);
        let officer = stage.officer();
        let private = ["wang.xiaomei@mail.example", "王小梅", "13900001111", "门前积水"];
        let mut seen = Vec::new();
        // Two that are put right, one of them confirmed by an officer and one by silence; one that was none; one that nobody sees to.
        for (category, contact) in [("rain_water", private[0]), ("bench", private[0]), ("branch", private[0]), ("post", private[0])] {
            let text = format!("{} {}", private[1], private[2]);
            let reply = stage.reports(&ward, None, category, &[("contact", contact), ("text", text.as_str())], &[]);
            assert_eq!(reply.status, 201, "{}", reply.text);
            let id = reply.json()["defect_id"].as_str().unwrap().to_owned();
            if reply.json()["state"] == "reported" {
                ok(&stage.does(&ward, officer, &id, "dispatch", None));
            }
            seen.push(id);
        }
        ok(&stage.fixes(&ward, &seen[0]));
        ok(&stage.does(&ward, officer, &seen[0], "confirmation", Some(&json!({}))));
        ok(&stage.fixes(&ward, &seen[1]));
        ok(&stage.does(&ward, officer, &seen[2], "rejection", Some(&json!({"reason": "不属本合同"}))));
        let before = holds(&ward);
        assert_eq!(at(before.last().unwrap(), &["contracts", "implementation", "performanceFailures"]).len(), 0, "nothing is told report by report");

        go_to(&ward, "2026-06-01T02:00:00Z");
        let second = of(&ward, Role::BuyerApprover, &stage.case.office.treasury.department);
        let agent = stage.agent().clone();
        let work = Work { ward: &ward, contract: stage.contract.clone(), case: stage.case, second };
        assert_eq!(work.hands_over(&agent, 1).status, 201);
        let handed = holds(&ward);
        let failures = |releases: &[Object]| {
            let last = releases.last().unwrap();
            let path = |name: &'static str| ["contracts", "implementation", "performanceFailures", name];
            let counts: Vec<String> = at(last, &path("events")).iter().map(|count| count.written()).collect();
            let ids: Vec<String> = words(last, &path("id")).into_iter().map(str::to_owned).collect();
            (ids, counts, words(last, &path("category")).into_iter().map(str::to_owned).collect::<Vec<_>>())
        };
        let (ids, _, categories) = failures(&handed);
        assert!(ids.contains(&"defects-1-rain_water".to_owned()) && categories.contains(&"时限 rain_water（已认定的问题）".to_owned()), "{ids:?} {categories:?}");

        // What silence has confirmed counts once it is written down.
        settles(&ward);
        let settled = holds(&ward);
        let (ids, counts, _) = failures(&settled);
        assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), ["defects-1-bench", "defects-1-rain_water"].map(str::to_owned).into());
        assert_eq!(counts, ["1", "1"]);
        let all = everything(&ward, &[2026]);
        for word in private {
            assert!(!all.contains(word), "{word} is published");
        }
        for defect in &seen {
            assert!(!all.contains(defect.as_str()), "{defect} is published");
        }
    }

    fn files_are_published_that_a_published_version_lists_and_no_others(ward) {
        let office = Office::new(&ward);
        let [listed, dropped, added] = [(); 3].map(|()| uploaded(&ward, &office.officer));
        let mut body = office.whole(&ward);
        body["content"]["documents"] = json!([listed, dropped]);
        let draft = office.drafts(&ward, &body);
        let path = format!("/contract-books/{draft}");
        body["content"]["documents"] = json!([listed]);
        let written = office.officer.asks(&ward, "PUT", &format!("/api/v1{path}")).header("if-match", "*").json(&body["content"]).send();
        ok(&written);
        ok(&posts(&ward, &office.officer, &format!("{path}/submission"), None));
        ok(&posts(&ward, &office.approver, &format!("{path}/approval"), None));
        let book = ok(&office.publishes(&ward, &draft));
        let files = |releases: &[Object]| -> Vec<Object> {
            let last = releases.last().unwrap();
            let all = at(last, &["tender", "documents"]).into_iter().filter_map(|one| one.as_object().cloned());
            all.filter(|one| one.text("documentType") == Some("biddingDocuments")).collect()
        };
        let first = holds(&ward);
        let told = files(&first);
        assert_eq!(told.len(), 1, "{told:?}");
        let word = |object: &Object, name: &str| object.text(name).unwrap().to_owned();
        assert_eq!((word(&told[0], "id"), word(&told[0], "format")), (listed.clone(), "application/pdf".to_owned()));
        let dates: Vec<&str> = words(first.last().unwrap(), &["tender", "documents", "datePublished"]);
        assert!(dates.len() == 2 && dates[0] == dates[1], "with the version that lists it: {dates:?}");
        assert!(told[0].text("title").is_some_and(|title| title.contains("minutes")) && told[0].get("language").is_none(), "{told:?}");

        // An addendum lists another one and no longer the first: what was published stays, and a draft tells nothing.
        let body = addendum(&book, |content| content["documents"] = json!([added]));
        let id = made(&posts(&ward, &office.officer, &format!("{path}/addenda"), Some(&body)));
        assert_eq!(holds(&ward).len(), first.len());
        assert!(!everything(&ward, &[2026]).contains(&added));
        ok(&posts(&ward, &office.approver, &format!("/addenda/{id}/publication"), None));
        let amended = holds(&ward);
        let told = files(&amended);
        assert_eq!(told.iter().map(|one| word(one, "id")).collect::<Vec<_>>(), [listed, added]);
        let print = ward.get(&format!("/api/v1{path}/versions/2/print?lang=en"));
        assert!(print.status == 200 && print.text.contains("minutes"), "the version on paper lists it too: {}", print.text);
        // Each is where it says, for everybody.
        for one in &told {
            let url = word(one, "url");
            let reply = ward.ask("GET", url.strip_prefix("http://ward.test").unwrap()).send();
            assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/pdf")), "{url}");
        }
        assert!(!everything(&ward, &[2026]).contains(&dropped), "what no version lists is not told of");
    }
}
