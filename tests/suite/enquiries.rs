//! Enquiries about published books: asked by verified suppliers, answered in public, and never told whose they were.

use serde_json::{Value, json};
use wardbook::audit::entry::commitment;
use wardbook::books::acts_enquiries;
use wardbook::db::writer::Tx;
use wardbook::kernel::party::OrganisationKind;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::addenda::addendum;
use crate::books::{Office, at_once, ok};
use crate::cast::{Person, organisation, organisation_in_state, person};
use crate::files::wait;
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::{opened, refused, sql};
use crate::outbox::lines;
use crate::treasury::{gets, made, of, posts};

fn asks(ward: &Ward, who: &Person, book: &str, supplier: &str, question: &str) -> crate::harness::Reply {
    let body = json!({"organisation_id": supplier, "question": question});
    posts(
        ward,
        who,
        &format!("/contract-books/{book}/enquiries"),
        Some(&body),
    )
}

fn answer(addendum: Option<i64>) -> Value {
    json!({"question_zh": "面积多大？", "question_en": "How large is it?", "answer_zh": "以补遗为准。", "answer_en": "See the addendum.", "addendum": addendum})
}

fn escalates(ward: &Ward) -> Vec<String> {
    let escalate = |tx: &mut Tx<'_>| acts_enquiries::escalate(tx, None);
    assert_eq!(wait(ward.context().db.upkeep(escalate)).unwrap(), None);
    lines(
        ward,
        "SELECT dedup_key AS line FROM outbox WHERE kind = 'enquiries.unanswered'",
    )
}

/// Gives accounts of the tests, which have none, an address to write to.
fn reachable(ward: &Ward, people: &[&Person]) {
    for who in people {
        let id = &who.id;
        sql(
            ward,
            &format!("UPDATE accounts SET email = '{id}@people.example' WHERE id = '{id}'"),
        )
        .unwrap();
    }
}

on_both! { in "test";
    fn suppliers_ask_and_everyone_reads_the_answer_and_nobody_learns_who_asked(ward) {
        let office = Office::new(&ward);
        let (book, published) = office.published(&ward, &office.whole(&ward));
        let supplier = organisation(&ward, OrganisationKind::Company, None);
        let (agent, colleague) = (of(&ward, Role::SupplierAgent, &supplier), of(&ward, Role::SupplierAgent, &supplier));
        let rival_supplier = organisation(&ward, OrganisationKind::Company, None);
        let rival = of(&ward, Role::SupplierAgent, &rival_supplier);
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        let elsewhere = of(&ward, Role::BuyerOfficer, &organisation(&ward, OrganisationKind::StreetOffice, None));
        reachable(&ward, &[&agent, &office.officer, &office.approver]);

        // Who may not ask.
        refused(&asks(&ward, &rival, &book, supplier.as_str(), "x"), 403, "forbidden");
        refused(&asks(&ward, &office.officer, &book, office.treasury.department.as_str(), "x"), 403, "forbidden");
        let registered = organisation_in_state(&ward, OrganisationKind::Company, None, "registered");
        refused(&asks(&ward, &of(&ward, Role::SupplierAgent, &registered), &book, registered.as_str(), "x"), 409, "enquiry_not_verified");
        let debarred = organisation(&ward, OrganisationKind::Company, None);
        let columns = "id, organisation_id, from_date, until_date, reason_zh, reason_en, decision, recorded_by, recorded_at";
        sql(&ward, &format!("INSERT INTO debarments ({columns}) VALUES ('debarment_01jd3n8f5teqkrzvq1c0m6h2ax', '{debarred}', '2026-03-02', '2027-03-01', '串通投标', 'Collusion', '凤财采罚 2026-3', 'user_x', '2026-03-02 00:00:00')")).unwrap();
        refused(&asks(&ward, &of(&ward, Role::SupplierAgent, &debarred), &book, debarred.as_str(), "x"), 409, "enquiry_debarred");
        let other_draft = office.drafts(&ward, &json!({"organisation_id": office.treasury.department, "content": published["content"]}));
        refused(&asks(&ward, &agent, &other_draft, supplier.as_str(), "x"), 404, "not_found");
        for text in ["  ", "=1+1"] {
            let reply = asks(&ward, &agent, &book, supplier.as_str(), text);
            assert_eq!((reply.status, reply.faults()), (422, vec![("/question".to_owned(), "invalid".to_owned())]), "{}", reply.text);
        }

        // Asked, it is seen by its supplier, the buyer and auditors: without who asked.
        let asked = asks(&ward, &agent, &book, supplier.as_str(), " 面积多大？\n含绿化带吗？ ");
        let id = made(&asked);
        let path = format!("/enquiries/{id}");
        assert_eq!(asked.json()["question"], "面积多大？\n含绿化带吗？");
        let second = made(&asks(&ward, &rival, &book, rival_supplier.as_str(), "几时开工？"));
        assert_eq!(ward.get(&format!("/api/v1/contract-books/{book}/enquiries")).json()["items"], json!([]));
        for (who, status) in [(&agent, 200), (&colleague, 200), (&office.officer, 200), (&auditor, 200), (&rival, 404), (&elsewhere, 404)] {
            assert_eq!(gets(&ward, who, &path).status, status);
        }
        let own = |who: &Person, of: &str| gets(&ward, who, &format!("/organisations/{of}/enquiries?book_id={book}"));
        assert_eq!(own(&colleague, supplier.as_str()).json()["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>(), [json!(id)]);
        refused(&own(&rival, supplier.as_str()), 403, "forbidden");
        let unanswered = gets(&ward, &office.officer, &format!("/contract-books/{book}/unanswered-enquiries"));
        assert_eq!(unanswered.json()["items"].as_array().unwrap().len(), 2);
        assert_eq!(gets(&ward, &elsewhere, &format!("/contract-books/{book}/unanswered-enquiries")).status, 404);
        let readiness = ok(&gets(&ward, &office.officer, &format!("/contract-books/{book}/readiness")));
        assert_eq!((&readiness["unanswered_enquiries"], &readiness["answers_overdue"]), (&json!(2), &json!(false)));

        // Answered, by the buyer's officer alone and once, it is public.
        let answers = |who: &Person, id: &str, addendum| posts(&ward, who, &format!("/enquiries/{id}/answer"), Some(&answer(addendum)));
        refused(&answers(&office.approver, &id, None), 403, "forbidden");
        refused(&answers(&elsewhere, &id, None), 404, "not_found");
        refused(&answers(&office.officer, &id, Some(1)), 409, "enquiry_addendum_unknown");
        let changed = made(&posts(&ward, &office.officer, &format!("/contract-books/{book}/addenda"), Some(&addendum(&published, |content| content["title_en"] = json!("Another")))));
        ok(&posts(&ward, &office.approver, &format!("/addenda/{changed}/publication"), None));
        let answered = ok(&answers(&office.officer, &id, Some(1)));
        assert_eq!((&answered["state"], &answered["answer"]["number"], &answered["answer"]["addendum"]), (&json!("answered"), &json!(1), &json!(1)));
        refused(&answers(&office.officer, &id, None), 409, "enquiry_wrong_state");
        refused(&answers(&elsewhere, &id, None), 403, "forbidden");
        refused(&posts(&ward, &agent, &format!("{path}/withdrawal"), None), 409, "enquiry_wrong_state");
        let public = ward.get(&format!("/api/v1/contract-books/{book}/enquiries")).json();
        assert_eq!((&public["items"][0]["answer"], &public["items"][0]["question"], &public["items"][0]["asked_at"]), (&answered["answer"], &json!(null), &json!(null)));
        assert_eq!(ward.get(&format!("/api/v1{path}")).json()["question"], json!(null));

        // Taken back, it is there for nobody but its supplier.
        refused(&posts(&ward, &agent, &format!("/enquiries/{second}/withdrawal"), None), 404, "not_found");
        assert_eq!(ok(&posts(&ward, &rival, &format!("/enquiries/{second}/withdrawal"), None))["state"], "withdrawn");
        refused(&answers(&office.officer, &second, None), 404, "not_found");
        assert_eq!((gets(&ward, &office.officer, &format!("/enquiries/{second}")).status, gets(&ward, &rival, &format!("/enquiries/{second}")).status), (404, 200));

        // Neither the log, nor what the auditor opens of it, nor mail says who asked, before the opening.
        let told: Vec<Value> = ["enquiry.made", "enquiry.answered", "enquiry.withdrawn"].iter().flat_map(|kind| ward.events(kind)).collect();
        assert_eq!(told.len(), 4);
        let mail = lines(&ward, "SELECT kind || ' ' || facts AS line FROM outbox WHERE kind LIKE 'enquir%' OR kind = 'followed.happened'");
        assert_eq!(mail.len(), 3, "two to the officer, one to the asker in words that fit anybody: {mail:?}");
        let everything = format!("{told:?} {mail:?} {} {} {}", unanswered.text, answered, public);
        for secret in [supplier.as_str(), agent.id.as_str(), rival_supplier.as_str(), rival.id.as_str()] {
            assert!(!everything.contains(secret), "{secret} in {everything}");
        }
        assert_eq!(opened(&told[0])["book_id"], json!(book));
        let askers = || gets(&ward, &auditor, &format!("/contract-books/{book}/enquiry-askers"));
        refused(&askers(), 409, "enquiry_askers_sealed");
        refused(&gets(&ward, &office.officer, &format!("/contract-books/{book}/enquiry-askers")), 403, "forbidden");
        for change in ["UPDATE enquiries SET answer_en = 'x'", "DELETE FROM enquiries"] {
            assert!(sql(&ward, change).is_err(), "{change}");
        }

        // What is not answered in time is told once to who approves, and shown; it blocks nothing.
        let third = made(&asks(&ward, &agent, &book, supplier.as_str(), "几时开标？"));
        ward.context().clock.advance("2026-03-12T00:59:59Z".parse().unwrap());
        assert_eq!(asks(&ward, &agent, &book, supplier.as_str(), "最后一问").status, 201);
        ward.context().clock.advance("2026-03-12T01:00:00Z".parse().unwrap());
        refused(&asks(&ward, &agent, &book, supplier.as_str(), "迟了"), 409, "enquiry_closed");
        ward.context().clock.advance("2026-03-17T00:59:59Z".parse().unwrap());
        assert_eq!(escalates(&ward), Vec::<String>::new());
        ward.context().clock.advance("2026-03-17T01:00:00Z".parse().unwrap());
        let keys = escalates(&ward);
        assert_eq!((keys.len(), escalates(&ward)), (1, keys.clone()), "{keys:?}");
        assert!(keys[0].starts_with(&book) && keys[0].ends_with(office.approver.id.as_str()), "{keys:?}");
        assert_eq!(ok(&gets(&ward, &office.officer, &format!("/contract-books/{book}/readiness")))["answers_overdue"], true);
        let current = ok(&ward.get(&format!("/api/v1/contract-books/{book}")));
        let late = made(&posts(&ward, &office.officer, &format!("/contract-books/{book}/addenda"), Some(&addendum(&current, |content| content["budget_is_stable"] = json!(true)))));
        let readiness = ok(&gets(&ward, &office.officer, &format!("/addenda/{late}/readiness")));
        assert_eq!((&readiness["ready"], &readiness["unanswered_enquiries"], &readiness["answers_overdue"]), (&json!(true), &json!(2), &json!(true)));
        assert_eq!(ok(&answers(&office.officer, &third, None))["answer"]["number"], 2, "late is better than never");

        // After the opening auditors see who asked, and that it is who the log committed to.
        ward.context().clock.advance("2026-04-01T01:00:00Z".parse().unwrap());
        let named = ok(&askers());
        let first = named["items"].as_array().unwrap().iter().find(|one| one["enquiry_id"] == json!(id)).unwrap().clone();
        assert_eq!((&first["organisation_id"], &first["account_id"]), (&json!(supplier), &json!(agent.id)));
        let salt = hex::decode(first["salt"].as_str().unwrap()).unwrap();
        let made_event = told.iter().find(|event| event["entry"]["subject"] == json!(id)).unwrap();
        assert_eq!(made_event["entry"]["data"]["asker"], json!(commitment(&salt, &format!("{}\n{supplier}", agent.id))));
    }

    fn a_supplier_asks_so_often_and_of_an_answer_and_a_withdrawal_one_comes_first(ward) {
        let office = Office::new(&ward);
        let (book, _) = office.published(&ward, &office.whole(&ward));
        let supplier = organisation(&ward, OrganisationKind::SocialOrganisation, None);
        let agent = of(&ward, Role::SupplierAgent, &supplier);
        let ids: Vec<String> = (0..20).map(|number| made(&asks(&ward, &agent, &book, supplier.as_str(), &format!("第 {number} 问")))).collect();
        refused(&asks(&ward, &agent, &book, supplier.as_str(), "再问"), 409, "enquiry_too_many");
        let id = &ids[0];
        let [answered, withdrawn] = at_once([
            &|| posts(&ward, &office.officer, &format!("/enquiries/{id}/answer"), Some(&answer(None))),
            &|| posts(&ward, &agent, &format!("/enquiries/{id}/withdrawal"), None),
        ]);
        match (answered.status, withdrawn.status) {
            (200, 409) => assert_eq!(withdrawn.code(), "enquiry_wrong_state"),
            (404, 200) => {}
            other => panic!("{other:?}: {} {}", answered.text, withdrawn.text),
        }
        // Two answers at once have two numbers; one enquiry has one answer.
        let [one, other] = at_once([
            &|| posts(&ward, &office.officer, &format!("/enquiries/{}/answer", ids[1]), Some(&answer(None))),
            &|| posts(&ward, &office.officer, &format!("/enquiries/{}/answer", ids[2]), Some(&answer(None))),
        ]);
        assert_ne!(ok(&one)["answer"]["number"], ok(&other)["answer"]["number"]);
        let twice = || posts(&ward, &office.officer, &format!("/enquiries/{}/answer", ids[3]), Some(&answer(None)));
        let mut statuses = at_once([&twice, &twice]).map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        // Pages follow each other in the order of the answers.
        let first = ward.get(&format!("/api/v1/contract-books/{book}/enquiries?limit=2")).json();
        let next = ward.get(&format!("/api/v1/contract-books/{book}/enquiries?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).json();
        let numbers: Vec<i64> = [&first, &next].iter().flat_map(|page| page["items"].as_array().unwrap()).map(|one| one["answer"]["number"].as_i64().unwrap()).collect();
        assert!(numbers.len() >= 3 && numbers.iter().zip(1..).all(|(number, place)| *number == place), "{numbers:?}");
        // A cancelled book is asked about no more.
        ok(&posts(&ward, &office.approver, &format!("/contract-books/{book}/cancellation"), Some(&json!({"reason_zh": "暂停", "reason_en": "Paused"}))));
        let late = organisation(&ward, OrganisationKind::Company, None);
        refused(&asks(&ward, &of(&ward, Role::SupplierAgent, &late), &book, late.as_str(), "还买吗？"), 409, "book_wrong_state");
        refused(&posts(&ward, &office.officer, &format!("/enquiries/{}/answer", ids[4]), Some(&answer(None))), 409, "book_wrong_state");
    }
}
