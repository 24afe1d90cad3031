//! What organisations show for what they say, and what their people are told by mail.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use wardbook::db::writer::Tx;
use wardbook::registry::acts_qualifications::{self, Reminded};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::cast::Person;
use crate::faults::eventually;
use crate::files::{pdf, wait};
use crate::harness::{Ask, Reply, Ward};
use crate::on_both;
use crate::organisations::{CODES, company, refused, registered, verified};
use crate::outbox::lines;
use crate::people_accounts::mails_to;
use crate::suppliers::{account, debarment, licence, of};

/// Uploads a file and returns its id.
pub fn uploaded(ask: Ask<'_>, kind: &str, bytes: &[u8]) -> String {
    let reply = ask
        .header("content-disposition", "attachment; filename=\"evidence\"")
        .body(kind, bytes)
        .send();
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json()["id"].as_str().unwrap().to_owned()
}

fn upload(ward: &Ward, who: &Person, text: &str) -> String {
    uploaded(
        who.asks(ward, "POST", "/api/v1/attachments"),
        "application/pdf",
        &pdf(text),
    )
}

fn upload_by(ward: &Ward, role: Role, text: &str) -> String {
    uploaded(
        ward.ask("POST", "/api/v1/attachments").by(role),
        "application/pdf",
        &pdf(text),
    )
}

fn ids(ids: &[&str]) -> Value {
    json!({ "attachment_ids": ids })
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, reply.code())
}

/// Mails in the order in which they were queued: their kind, then their key.
fn queued(ward: &Ward) -> Vec<String> {
    lines(
        ward,
        "SELECT kind || ' ' || dedup_key AS line FROM outbox WHERE category = 'duty' ORDER BY id",
    )
}

fn kinds(ward: &Ward) -> Vec<String> {
    queued(ward)
        .iter()
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

/// What the service does by itself at the beginning of a day.
fn remind(ward: &Ward) {
    let zone = ward.context().calendar.zone;
    let mut after: Option<Reminded> = None;
    loop {
        let from = after.take();
        let job = move |tx: &mut Tx<'_>| acts_qualifications::remind(tx, zone, from.as_ref());
        after = wait(ward.context().db.upkeep(job)).unwrap();
        if after.is_none() {
            return;
        }
    }
}

fn at(ward: &Ward, instant: &str) {
    assert!(
        ward.context()
            .clock
            .advance(instant.parse::<DateTime<Utc>>().unwrap())
    );
}

fn administrator(ward: &Ward, name: &str, organisation: &str) -> String {
    let grant = Grant::of(Role::OrganisationAdmin).in_organisation(organisation.parse().unwrap());
    ward.person(name, &[grant]).id
}

on_both! {
    fn evidence_is_read_by_those_concerned_and_by_nobody_else(ward) {
        let id = registered(&ward, Role::SupplierAgent, &company("洁城公司", CODES[0]));
        let other = verified(&ward, "德润公司", CODES[1]);
        let stranger = of(&ward, Role::OrganisationAdmin, &other);
        let path = format!("/api/v1/organisations/{id}/evidence");
        let first = upload_by(&ward, Role::SupplierAgent, "营业执照");
        let content = format!("/api/v1/attachments/{first}/content");
        let give = |role: Role, body: &Value| ward.ask("POST", &path).by(role).json(body).send();
        assert_eq!(code(&give(Role::Regulator, &ids(&[&first]))), (409, "attachment_unknown".to_owned()), "it is not theirs");
        assert_eq!(code(&give(Role::BuyerOfficer, &ids(&[&first]))), (404, "not_found".to_owned()));
        let given = give(Role::SupplierAgent, &ids(&[&first]));
        assert_eq!((given.status, &given.json()["items"][0]["id"], &given.json()["items"][0]["attached_to"]["matter_id"]), (201, &json!(first), &json!(id)), "{}", given.text);
        assert_eq!(code(&give(Role::SupplierAgent, &ids(&[&first]))), (409, "attachment_already_attached".to_owned()));
        let read = |ask: Ask<'_>| ask.send().status;
        for role in [Role::SupplierAgent, Role::Regulator, Role::Auditor, Role::Admin] {
            assert_eq!(read(ward.ask("GET", &content).by(role)), 200, "{}", role.name());
            let listed = ward.ask("GET", &path).by(role).send();
            assert_eq!(listed.json()["items"], given.json()["items"], "{}", role.name());
        }
        for role in [Role::Resident, Role::FinanceOfficer, Role::Registrar] {
            assert_eq!(read(ward.ask("GET", &content).by(role)), 404, "{}", role.name());
            assert!(read(ward.ask("GET", &path).by(role)) >= 400, "{}", role.name());
        }
        assert_eq!((read(stranger.asks(&ward, "GET", &content)), read(stranger.asks(&ward, "GET", &path))), (404, 404));
        assert_eq!(read(ward.ask("GET", &content)), 404);

        // Once it is public its own people read it, and whoever registered it is not one of them by that alone.
        let verification = ward.ask("POST", &format!("/api/v1/organisations/{id}/verification")).by(Role::Regulator).header("if-match", "*").json(&json!({"evidence": "营业执照"})).send();
        assert_eq!(verification.status, 200, "{}", verification.text);
        let own = of(&ward, Role::SupplierAgent, &id);
        assert_eq!(read(own.asks(&ward, "GET", &content)), 200);
        assert_eq!(read(ward.ask("GET", &content).by(Role::SupplierAgent)), 404);
        assert_eq!((read(stranger.asks(&ward, "GET", &content)), read(stranger.asks(&ward, "GET", &path))), (404, 403));
        // Those who verify add what they compared, and it is evidence only if nobody can change it by opening it.
        let text = uploaded(ward.ask("POST", "/api/v1/attachments").by(Role::Regulator), "text/plain", "just words".as_bytes());
        let refusal = give(Role::Regulator, &ids(&[&upload_by(&ward, Role::Regulator, "查询结果"), &text]));
        assert_eq!((code(&refusal), refusal.faults()[0].0.as_str()), ((409, "attachment_type_not_for_use".to_owned()), "/attachment_ids/1"));
        assert_eq!(ward.events("attachment.attached").len(), 1, "all of it or nothing");
        assert_eq!(ward.events("attachment.attached")[0]["entry"]["data"]["matter"], json!(id));
        assert!(ward.ask("DELETE", &format!("/api/v1/attachments/{first}")).by(Role::SupplierAgent).send().status >= 400, "it stays");
    }

    fn evidence_is_given_as_long_as_something_is_to_be_decided(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let (anna, boris) = (of(&ward, Role::SupplierAgent, &id), of(&ward, Role::OrganisationAdmin, &id));
        let at = |path: &str| format!("/api/v1/organisations/{id}/{path}");
        let made = |who: &Person, path: &str, body: &Value| {
            let reply = who.asks(&ward, "POST", &at(path)).json(body).send();
            assert_eq!(reply.status, 201, "{}", reply.text);
            reply.json()["id"].as_str().unwrap().to_owned()
        };
        let give = |who: &Person, path: &str| who.asks(&ward, "POST", path).json(&ids(&[&upload(&ward, who, path)])).send();
        let seen = |path: &str, role: Role| ward.ask("GET", path).by(role).send();

        let change = made(&anna, "bank-account-changes", &account("6222021112345678903"));
        let evidence = at(&format!("bank-account-changes/{change}/evidence"));
        let given = give(&anna, &evidence);
        assert_eq!(given.status, 201, "{}", given.text);
        let content = format!("/api/v1/attachments/{}/content", given.json()["items"][0]["id"].as_str().unwrap());
        assert_eq!((boris.asks(&ward, "GET", &content).send().status, seen(&content, Role::Auditor).status, seen(&content, Role::Resident).status), (200, 200, 404));
        assert_eq!(boris.asks(&ward, "POST", &at(&format!("bank-account-changes/{change}/confirmation"))).send().status, 200);
        assert_eq!(code(&give(&boris, &evidence)), (409, "bank_account_change_decided".to_owned()));
        assert_eq!(seen(&evidence, Role::Regulator).json()["items"].as_array().unwrap().len(), 1, "it stays to be read");
        assert_eq!(code(&give(&boris, &at("bank-account-changes/accountchange_01jd3n8f5teqkrzvq1c0m6h2ax/evidence"))).0, 404);

        let qualification = made(&anna, "qualifications", &licence("一号", None));
        let evidence = at(&format!("qualifications/{qualification}/evidence"));
        assert_eq!(give(&anna, &evidence).status, 201);
        let compared = upload_by(&ward, Role::Regulator, "查询结果");
        let by_verifier = ward.ask("POST", &evidence).by(Role::Regulator).json(&ids(&[&compared])).send();
        assert_eq!(by_verifier.json()["items"].as_array().unwrap().len(), 2, "{}", by_verifier.text);
        let refusal = ward.ask("POST", &at(&format!("qualifications/{qualification}/refusal"))).by(Role::Admin).json(&json!({"reason": "查无此证"})).send();
        assert_eq!(refusal.status, 200, "{}", refusal.text);
        assert_eq!(code(&give(&anna, &evidence)), (409, "qualification_wrong_state".to_owned()));

        let debarred = ward.ask("POST", "/api/v1/debarments").by(Role::Regulator).json(&debarment(&id, "2026-03-02", "2027-03-01")).send();
        let debarment = debarred.json()["id"].as_str().unwrap().to_owned();
        let evidence = format!("/api/v1/debarments/{debarment}/evidence");
        assert_eq!(code(&give(&anna, &evidence)), (403, "forbidden".to_owned()));
        let ruling = upload_by(&ward, Role::Regulator, "处罚决定书");
        assert_eq!(ward.ask("POST", &evidence).by(Role::Regulator).json(&ids(&[&ruling])).send().status, 201);
        assert_eq!((anna.asks(&ward, "GET", &evidence).send().status, seen(&evidence, Role::Auditor).status, seen(&evidence, Role::Resident).code()), (200, 200, "forbidden".to_owned()));
        let ruling = format!("/api/v1/attachments/{ruling}/content");
        assert_eq!((anna.asks(&ward, "GET", &ruling).send().status, seen(&ruling, Role::Resident).status, ward.get(&ruling).status), (200, 404, 404));
        let lifted = ward.ask("POST", &format!("/api/v1/debarments/{debarment}/lifting")).by(Role::Regulator).json(&json!({"reason_zh": "复议撤销", "reason_en": "Quashed"})).send();
        assert_eq!(lifted.status, 200, "{}", lifted.text);
        let late = upload_by(&ward, Role::Regulator, "更正");
        assert_eq!(code(&ward.ask("POST", &evidence).by(Role::Regulator).json(&ids(&[&late])).send()), (409, "debarment_ended".to_owned()));
    }

    fn there_is_an_end_to_evidence(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let agent = of(&ward, Role::SupplierAgent, &id);
        let path = format!("/api/v1/organisations/{id}/evidence");
        let files: Vec<String> = (0..20).map(|n| upload(&ward, &agent, &n.to_string())).collect();
        let all: Vec<&str> = files.iter().map(String::as_str).collect();
        let give = |body: &Value| agent.asks(&ward, "POST", &path).json(body).send();
        assert_eq!(give(&ids(&all)).status, 201);
        let one_more = upload(&ward, &agent, "one more");
        let refusal = give(&ids(&[&one_more]));
        assert_eq!((code(&refusal), refusal.faults()[0].0.as_str()), ((409, "evidence_too_much".to_owned()), "/attachment_ids"));
        assert_eq!(give(&json!({"attachment_ids": []})).status, 422);
        let closed = agent.asks(&ward, "POST", &format!("/api/v1/organisations/{id}/closure")).header("if-match", "*").json(&json!({"reason": "x"})).send();
        refused(&closed, 403, "forbidden");
        let closed = ward.ask("POST", &format!("/api/v1/organisations/{id}/closure")).by(Role::Admin).header("if-match", "*").json(&json!({"reason": "注销"})).send();
        assert_eq!(closed.status, 200, "{}", closed.text);
        assert_eq!(code(&give(&ids(&[&one_more]))), (409, "organisation_wrong_state".to_owned()));
    }

    fn an_organisations_people_are_told_what_becomes_of_it(ward) {
        // Whoever registered it hears that it was refused, though it has no administrator yet, and that it was verified.
        let founder = ward.person("founder", &[]);
        let english = ward.ask("PATCH", &format!("/api/v1/accounts/{}", founder.id)).in_session(founder.access()).header("if-match", "*").json(&json!({"language": "en"})).send();
        assert_eq!(english.status, 200, "{}", english.text);
        let reply = ward.ask("POST", "/api/v1/organisations").in_session(founder.access()).json(&company("洁城公司", CODES[0])).send();
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        let decide = |what: &str, body: Value| {
            let reply = ward.ask("POST", &format!("/api/v1/organisations/{id}/{what}")).by(Role::Regulator).header("if-match", "*").json(&body).send();
            assert_eq!(reply.status, 200, "{}", reply.text);
        };
        decide("refusal", json!({"reason": "名称不符 <b>"}));
        let corrected = ward.ask("PATCH", &format!("/api/v1/organisations/{id}")).in_session(founder.access()).header("if-match", "*").json(&json!({"name_en": "Jiecheng"})).send();
        assert_eq!(corrected.status, 200, "{}", corrected.text);
        decide("verification", json!({"evidence": "营业执照"}));
        let after_decision = queued(&ward);
        assert_eq!(kinds(&ward), ["organisation.refused", "organisation.verified"]);
        assert!(after_decision.iter().all(|line| line.ends_with(&founder.id)), "{after_decision:?}");
        eventually("both mails", || {
            let mails = mails_to(&ward, &founder.email);
            (mails.len() == 2 && mails.iter().any(|mail| mail.contains("Jiecheng has been verified"))).then_some(())
        });

        // Two administrators are told of every step of a change of the bank account; its agent is none.
        let second = administrator(&ward, "second", &id);
        let (anna, boris) = (of(&ward, Role::SupplierAgent, &id), of(&ward, Role::FinanceOfficer, &id));
        let path = format!("/api/v1/organisations/{id}/bank-account-changes");
        let propose = |number: &str| anna.asks(&ward, "POST", &path).json(&account(number)).send().json()["id"].as_str().unwrap().to_owned();
        let withdrawn = propose("6222021112345678903");
        assert_eq!(anna.asks(&ward, "POST", &format!("{path}/{withdrawn}/withdrawal")).send().status, 200);
        let confirmed = propose("1111222233334444");
        assert_eq!(anna.asks(&ward, "POST", &format!("{path}/{confirmed}/confirmation")).send().status, 403);
        assert_eq!(boris.asks(&ward, "POST", &format!("{path}/{confirmed}/confirmation")).send().status, 200);
        let steps: Vec<String> = queued(&ward).split_off(2);
        for (change, state, kind) in [(&withdrawn, "proposed", "change_proposed"), (&withdrawn, "withdrawn", "change_withdrawn"), (&confirmed, "proposed", "change_proposed"), (&confirmed, "confirmed", "changed")] {
            for reader in [&founder.id, &second] {
                assert!(steps.contains(&format!("bank_account.{kind} {change}:{state}:{reader}")), "{change} {state} {reader}: {steps:#?}");
            }
        }
        assert_eq!(steps.len(), 8, "who was refused told nobody: {steps:#?}");
        let bodies = eventually("the mails", || {
            let mails = mails_to(&ward, &founder.email);
            (mails.len() == 6).then(|| mails.concat())
        });
        assert!(bodies.contains("**** **** 4444") && !bodies.contains("1111222233334444") && !bodies.contains("6222021112345678903"));

        // A debarment, and that it was lifted, in the words of each reader's language.
        let debarred = ward.ask("POST", "/api/v1/debarments").by(Role::Regulator).json(&debarment(&id, "2026-03-02", "2027-03-01")).send();
        let record = debarred.json()["id"].as_str().unwrap().to_owned();
        let lifted = ward.ask("POST", &format!("/api/v1/debarments/{record}/lifting")).by(Role::Regulator).json(&json!({"reason_zh": "复议撤销", "reason_en": "Quashed on review"})).send();
        assert_eq!(lifted.status, 200, "{}", lifted.text);
        assert_eq!(kinds(&ward).split_off(10), ["debarment.recorded", "debarment.recorded", "debarment.lifted", "debarment.lifted"]);
        eventually("the last mail", || mails_to(&ward, &founder.email).concat().contains("Quashed on review").then_some(()));
    }

    fn who_does_not_belong_to_it_any_more_is_not_told(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let gone = administrator(&ward, "gone", &id);
        let stays = administrator(&ward, "stays", &id);
        assert_eq!(ward.post(&format!("/api/v1/accounts/{gone}/departure"), &json!({})).status, 200);
        let debarred = ward.ask("POST", "/api/v1/debarments").by(Role::Regulator).json(&debarment(&id, "2026-03-02", "2027-03-01")).send();
        assert_eq!(debarred.status, 201, "{}", debarred.text);
        let told: Vec<String> = queued(&ward).into_iter().filter(|line| line.starts_with("debarment")).collect();
        assert_eq!((told.len(), told[0].ends_with(&stays)), (1, true), "{told:?}");
    }
}

/// The reminders that were queued: distance and reader, sorted.
fn reminders(ward: &Ward, qualification: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = queued(ward)
        .into_iter()
        .filter_map(|line| {
            line.strip_prefix(&format!("qualification.expiring {qualification}:expiring:2:"))
                .map(str::to_owned)
        })
        .map(|rest| {
            rest.split_once(':')
                .map(|(distance, reader)| (distance.to_owned(), reader.to_owned()))
                .unwrap()
        })
        .collect();
    found.sort();
    found
}

on_both! {
    fn one_is_reminded_of_a_qualification_once_at_each_distance(ward) {
        let mut ward = ward;
        let id = verified(&ward, "洁城公司", CODES[0]);
        let agent = of(&ward, Role::SupplierAgent, &id);
        let path = format!("/api/v1/organisations/{id}/qualifications");
        let verify = |ward: &Ward, body: &Value| {
            let reply = agent.asks(ward, "POST", &path).json(body).send();
            assert_eq!(reply.status, 201, "{}", reply.text);
            let which = reply.json()["id"].as_str().unwrap().to_owned();
            let reply = ward.ask("POST", &format!("{path}/{which}/verification")).by(Role::Regulator).json(&json!({"evidence": "原件"})).send();
            assert_eq!(reply.status, 200, "{}", reply.text);
            which
        };
        let which = verify(&ward, &licence("一号", Some("2026-06-30")));
        let endless = verify(&ward, &json!({"kind": "work_safety", "issuer": "x", "number": "2", "valid_from": "2026-01-01"}));
        let mut readers = [administrator(&ward, "anna", &id), administrator(&ward, "boris", &id)];
        readers.sort();
        let told = |distances: &[&str]| -> Vec<(String, String)> {
            let mut told: Vec<_> = distances.iter().flat_map(|distance| readers.iter().map(|reader| ((*distance).to_owned(), reader.clone()))).collect();
            told.sort();
            told
        };

        // The last moment of 30 April in Shanghai, sixty-one days before; then the first of May.
        at(&ward, "2026-04-30T15:59:59Z");
        remind(&ward);
        assert_eq!(reminders(&ward, &which), []);
        at(&ward, "2026-04-30T16:00:00Z");
        eventually("the service to remind by itself", || (reminders(&ward, &which) == told(&["60"])).then_some(()));
        let facts = lines(&ward, "SELECT facts AS line FROM outbox WHERE kind = 'qualification.expiring' AND facts IS NOT NULL");
        assert!(facts.iter().all(|facts| facts.contains("\"days_left\":60") && facts.contains("保安服务许可证（一号）")), "{facts:?}");
        remind(&ward);
        ward.restart(|_| {});
        remind(&ward);
        assert_eq!(reminders(&ward, &which), told(&["60"]), "neither a second time nor after a restart");

        // The service stood still on the thirtieth day before: the nearest distance is told, and only that.
        at(&ward, "2026-06-10T02:00:00Z");
        remind(&ward);
        assert_eq!(reminders(&ward, &which), told(&["60", "30"]));
        let facts = lines(&ward, "SELECT facts AS line FROM outbox WHERE kind = 'qualification.expiring' AND dedup_key LIKE '%:30:%'");
        assert!(facts.iter().all(|facts| facts.contains("\"days_left\":20")), "{facts:?}");

        // Replaced, there is nothing to be reminded of; if what replaces it is taken back, there is.
        let next = verify(&ward, &json!({"kind": "security_service", "issuer": "凤城市公安局", "number": "三号", "valid_from": "2026-07-01", "valid_to": "2029-06-30"}));
        at(&ward, "2026-06-25T02:00:00Z");
        remind(&ward);
        assert_eq!(reminders(&ward, &which), told(&["60", "30"]));
        let withdrawn = agent.asks(&ward, "POST", &format!("{path}/{next}/withdrawal")).json(&json!({"reason": "误填"})).send();
        assert_eq!(withdrawn.status, 200, "{}", withdrawn.text);
        remind(&ward);
        assert_eq!(reminders(&ward, &which), told(&["60", "30", "7"]));

        at(&ward, "2026-06-30T16:00:00Z");
        remind(&ward);
        assert_eq!(reminders(&ward, &which), told(&["60", "30", "7"]), "it has ended");
        assert_eq!((reminders(&ward, &endless), reminders(&ward, &next)), (vec![], vec![]));
    }

    fn many_qualifications_are_all_thought_of_and_closed_organisations_are_left_alone(ward) {
        let (id, closed) = (verified(&ward, "洁城公司", CODES[0]), verified(&ward, "德润公司", CODES[1]));
        let anna = administrator(&ward, "anna", &id);
        administrator(&ward, "carla", &closed);
        let verify = |organisation: &str, agent: &Person, n: usize| {
            let path = format!("/api/v1/organisations/{organisation}/qualifications");
            let body = json!({"kind": format!("kind_{n}"), "issuer": "x", "number": n.to_string(), "valid_from": "2026-01-01", "valid_to": "2026-06-30"});
            let which = agent.asks(&ward, "POST", &path).json(&body).send().json()["id"].as_str().unwrap().to_owned();
            let reply = ward.ask("POST", &format!("{path}/{which}/verification")).by(Role::Regulator).json(&json!({"evidence": "原件"})).send();
            assert_eq!(reply.status, 200, "{}", reply.text);
        };
        let (agent, other) = (of(&ward, Role::SupplierAgent, &id), of(&ward, Role::SupplierAgent, &closed));
        (0..100).for_each(|n| verify(&id, &agent, n));
        (0..2).for_each(|n| verify(&closed, &other, n));
        let closure = ward.ask("POST", &format!("/api/v1/organisations/{closed}/closure")).by(Role::Admin).header("if-match", "*").json(&json!({"reason": "注销"})).send();
        assert_eq!(closure.status, 200, "{}", closure.text);
        at(&ward, "2026-06-20T02:00:00Z");
        remind(&ward);
        let told: Vec<String> = queued(&ward).into_iter().filter(|line| line.starts_with("qualification.expiring")).collect();
        assert_eq!(told.len(), 100);
        assert!(told.iter().all(|line| line.contains(":30:") && line.ends_with(&anna)), "{told:?}");
    }
}
