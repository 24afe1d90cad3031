//! Acceptance: handed over, drafted from what inspections say, signed by somebody who neither handled nor drafted, objected to and replaced; accepted by
//! silence to the instant; what a contract that ended leaves to accept; what two at once come to, and who sees what.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::contracts::acts_acceptance_objections::note_silence;
use wardbook::contracts::desk_acceptances::known;
use wardbook::contracts::rules_acceptance_standing::{Accepted, How, Standing};
use wardbook::kernel::clock::rfc3339;
use wardbook::people::rules_roles::GrantId;
use wardbook::people::store_grants;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::Role;

use crate::award_sequences::BRISK;
use crate::awards::{Case, go_to};
use crate::books::{at_once, ok};
use crate::cast::{Person, person};
use crate::evidence::uploaded;
use crate::faults::block_on;
use crate::files::pdf;
use crate::harness::{Reply, Ward};
use crate::inspections::inspection;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::periods::inspected;
use crate::terminations::ending;
use crate::treasury::{gets, made, of, posts};

/// What is done to accept periods of a contract.
pub struct Work<'w> {
    pub ward: &'w Ward,
    pub case: Case,
    pub contract: String,
    /// A second approver of the buyer.
    pub second: Person,
}

impl<'w> Work<'w> {
    /// A contract whose periods score by daily inspections alone, under rules that demand everything of a certificate.
    pub fn new(ward: &'w Ward) -> Self {
        let case = Case::with(ward, 1, &BRISK, |lot| {
            inspected(lot);
            lot["score_sources"] = json!([{"code": "daily", "kind": "inspection", "name_zh": "日常考核", "name_en": "Daily", "weight": "100"}]);
        });
        let contract = case.signed(ward);
        let second = of(ward, Role::BuyerApprover, &case.office.treasury.department);
        Self {
            ward,
            case,
            contract,
            second,
        }
    }

    pub fn supplier(&self) -> &Person {
        &self.case.bidders[1].agent
    }

    pub fn hands_over(&self, who: &Person, period: i64) -> Reply {
        let path = format!("/contracts/{}/periods/{period}/hand-over", self.contract);
        posts(
            self.ward,
            who,
            &path,
            Some(&json!({"hand_over": "按合同完成保洁", "attachment_ids": []})),
        )
    }

    /// A draft that finds what inspections say, with something changed.
    pub fn draft_of(&self, period: i64, conclusion: &str) -> Value {
        let path = format!("/contracts/{}/periods/{period}/acceptance-draft", self.contract);
        let prefill = ok(&gets(self.ward, &self.case.office.officer, &path));
        let finding = |one: &Value| json!({"indicator": one["indicator"], "finding": one["suggested"]});
        let findings: Vec<Value> = prefill["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(finding)
            .collect();
        let mut body = json!({
            "findings": findings, "conclusion": conclusion,
            "served": [{"name": "张三丰", "took_part": true, "words": "早上很干净"}, {"name": "李四光", "took_part": false}]
        });
        if conclusion != "accepted" {
            body["reason_zh"] = json!("桂园路口未清");
            body["reason_en"] = json!("The crossing is not cleared");
        }
        if conclusion == "accepted_with_reservations" {
            body["undisputed_percent"] = json!("90");
        }
        body
    }

    pub fn drafts(&self, who: &Person, period: i64, body: &Value) -> Reply {
        let path = format!("/contracts/{}/periods/{period}/acceptance-draft", self.contract);
        posts(self.ward, who, &path, Some(body))
    }

    /// Drafted by the officer: the id of the acceptance.
    pub fn drafted(&self, period: i64, conclusion: &str) -> String {
        made(&self.drafts(
            &self.case.office.officer,
            period,
            &self.draft_of(period, conclusion),
        ))
    }

    /// Signs the last draft, whatever it is.
    pub fn signs(&self, who: &Person, id: &str) -> Reply {
        let shown = ok(&gets(
            self.ward,
            &self.case.office.officer,
            &format!("/acceptances/{id}"),
        ));
        let hash = shown["draft_sha256"]
            .as_str()
            .unwrap_or(&"0".repeat(64))
            .to_owned();
        posts(
            self.ward,
            who,
            &format!("/acceptances/{id}/signature"),
            Some(&json!({"sha256": hash})),
        )
    }

    pub fn objects(&self, who: &Person, id: &str) -> Reply {
        let body = json!({"objection": "路口属他人范围", "attachment_ids": []});
        posts(
            self.ward,
            who,
            &format!("/acceptances/{id}/objection"),
            Some(&body),
        )
    }

    pub fn decides(&self, who: &Person, id: &str, is_upheld: bool) -> Reply {
        let body = json!({"is_upheld": is_upheld, "decision_zh": "经复核", "decision_en": "Looked at again"});
        posts(
            self.ward,
            who,
            &format!("/acceptances/{id}/objection-decision"),
            Some(&body),
        )
    }

    pub fn shown(&self, id: &str) -> Value {
        ok(&self.ward.get(&format!("/api/v1/acceptances/{id}")))
    }

    /// What whoever pays is told.
    pub fn known(&self, period: i64) -> Standing {
        let (context, id) = (self.ward.context(), self.contract.parse().unwrap());
        let at = (&context.calendar, context.clock.now());
        context
            .db
            .read_and_wait(|conn| known(conn, &id, period, at))
            .unwrap()
    }

    fn accepted(&self, period: i64) -> Accepted {
        match self.known(period) {
            Standing::Accepted(accepted) => accepted,
            other => panic!("{other:?}"),
        }
    }

    /// Records what was counted on the day.
    pub fn inspects(&self, on: &str, ends: &str) -> String {
        let mut body = inspection(ends, None);
        body["started_at"] = json!(format!("{on}T00:30:00Z"));
        let path = format!("/contracts/{}/inspections", self.contract);
        made(&posts(self.ward, &self.case.office.officer, &path, Some(&body)))
    }

    fn notes_silence(&self) {
        assert!(block_on(self.ward.context().db.write(note_silence)).unwrap());
    }
}

/// Gives somebody one more role of an organisation.
fn also(ward: &Ward, who: &Person, grant: Grant) {
    let id = who.id.clone();
    let give = move |tx: &mut wardbook::db::writer::Tx<'_>| {
        store_grants::insert(tx, &GrantId::mint(tx.now()), &id, &grant, "system")?;
        let event = Event {
            kind: "role.cast",
            subject: id.to_string(),
            data: json!({}),
            private: Value::Null,
        };
        audit::store::append(tx, &Actor::system(), &event)?;
        Ok(())
    };
    ward.context().db.write_and_wait(give).unwrap();
}

fn places(reply: &Reply) -> Vec<(String, String)> {
    assert_eq!(reply.status, 422, "{}", reply.text);
    reply.faults()
}

on_both! { in "test";
    fn a_period_is_handed_over_certified_objected_to_and_certified_anew(ward) {
        let work = Work::new(&ward);
        let (office, supplier) = (&work.case.office, work.supplier());
        let (officer, approver) = (&office.officer, &office.approver);
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        for (who, name) in [(supplier, "supplier"), (approver, "approver")] {
            sql(&ward, &format!("UPDATE accounts SET email = '{name}@people.example' WHERE id = '{}'", who.id)).unwrap();
        }
        // 75.00 of six points for seven ends, and 100.00 for four.
        go_to(&ward, "2026-05-08T01:00:00Z");
        let (bad, good) = (work.inspects("2026-05-06", "7"), work.inspects("2026-05-08", "4"));

        // Not before its last day is over, and by the contractor alone.
        go_to(&ward, "2026-05-31T15:59:59Z");
        assert_eq!(work.known(1), Standing::NotOver);
        refused(&work.hands_over(supplier, 1), 409, "acceptance_period_not_over");
        let prefill = format!("/contracts/{}/periods/1/acceptance-draft", work.contract);
        refused(&gets(&ward, officer, &prefill), 409, "acceptance_period_not_over");
        go_to(&ward, "2026-06-01T02:00:00Z");
        assert_eq!(work.known(1), Standing::NotBegun);
        for who in [officer, approver, &auditor, &work.case.bidders[0].agent] {
            refused(&work.hands_over(who, 1), 403, "forbidden");
        }
        refused(&work.hands_over(supplier, 13), 404, "not_found");
        refused(&work.hands_over(supplier, 2), 409, "acceptance_period_not_over");
        let path = format!("/contracts/{}/periods/1/hand-over", work.contract);
        assert_eq!(posts(&ward, supplier, &path, Some(&json!({"hand_over": " "}))).faults()[0].0, "/hand_over");
        let file = uploaded(supplier.asks(&ward, "POST", "/api/v1/attachments"), "application/pdf", &pdf("report"));
        let first = made(&posts(&ward, supplier, &path, Some(&json!({"hand_over": "五月保洁已完成", "attachment_ids": [file]}))));
        refused(&work.hands_over(supplier, 1), 409, "acceptance_handed_over_already");
        let shown = work.shown(&first);
        assert_eq!((&shown["state"], &shown["inspect_until"], &shown["silent_at"], &shown["attachment_ids"]), (&json!("open"), &json!("2026-06-10"), &json!("2026-06-10T16:00:00.000000Z"), &json!([])));
        assert_eq!(ok(&gets(&ward, officer, &format!("/acceptances/{first}")))["attachment_ids"], json!([file]));
        let reads = |who: &Person| gets(&ward, who, &format!("/attachments/{file}/content")).status;
        assert_eq!((reads(officer), reads(&work.case.bidders[0].agent)), (200, 404));
        assert_eq!(work.known(1), Standing::Waiting { silent_at: Some("2026-06-10T16:00:00Z".parse().unwrap()) });
        refused(&work.signs(approver, &first), 409, "acceptance_not_drafted");

        // Filled in from what inspections say; every indicator is covered.
        go_to(&ward, "2026-06-03T02:00:00Z");
        for who in [supplier, &work.case.bidders[0].agent] {
            refused(&gets(&ward, who, &prefill), 403, "forbidden");
        }
        let basis = ok(&gets(&ward, officer, &prefill));
        assert_eq!((&basis["score"], &basis["grade"]["code"], &basis["rating"], &basis["scores"][0]["state"]), (&json!("87.50"), &json!("good"), &Value::Null, &json!("settled")));
        let codes: Vec<_> = basis["findings"].as_array().unwrap().iter().map(|one| (one["indicator"].as_str().unwrap(), one["suggested"].as_str().unwrap())).collect();
        assert_eq!(codes, [("arrival", "met"), ("ends", "not_met"), ("asleep", "not_inspected")]);
        let values = basis["findings"][1]["values"].as_array().unwrap().clone();
        assert_eq!((values.len(), &values[0]["inspection_id"], &values[0]["value"], &values[1]["inspection_id"]), (2, &json!(bad), &json!("7"), &json!(good)));
        let draft = work.draft_of(1, "accepted_with_reservations");
        let with = |change: &dyn Fn(&mut Value)| {
            let mut body = draft.clone();
            change(&mut body);
            work.drafts(officer, 1, &body)
        };
        let place = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
        let missing = with(&|body| { body["findings"].as_array_mut().unwrap().remove(1); });
        assert_eq!(places(&missing), [place("/findings", "not_covered")]);
        assert!(missing.text.contains("ends"), "{}", missing.text);
        assert_eq!(places(&with(&|body| { body["findings"][1]["finding"] = json!("met"); body["served"] = json!([]); body["undisputed_percent"] = Value::Null; })),
            [place("/findings/1/words", "finding_differs"), place("/served", "invalid"), place("/summary_zh", "invalid"), place("/undisputed_percent", "invalid")]);
        assert_eq!(places(&with(&|body| body["served"][0]["words"] = Value::Null)), [place("/summary_zh", "invalid")]);
        for who in [supplier, approver, &auditor] {
            refused(&work.drafts(who, 1, &draft), 403, "forbidden");
        }
        let interested = person(&ward, &[
            Grant::of(Role::BuyerOfficer).in_organisation(office.treasury.department.clone()),
            Grant::of(Role::SupplierAgent).in_organisation(work.case.bidders[1].id.parse().unwrap()),
        ]);
        refused(&work.drafts(&interested, 1, &draft), 403, "acceptance_of_own_work");
        assert_eq!(made(&work.drafts(officer, 1, &draft)), first, "in the round that was handed over");

        // What is drafted is the buyer's until it is signed; the names of who was invited stay so.
        let content = |who: Option<&Person>| {
            let path = format!("/acceptances/{first}/content");
            who.map_or_else(|| ward.get(&format!("/api/v1{path}")), |who| gets(&ward, who, &path))
        };
        assert_eq!([content(None).status, content(Some(supplier)).status, content(Some(approver)).status, content(Some(&auditor)).status], [404, 404, 200, 200]);
        assert_eq!((&work.shown(&first)["drafts"], &work.shown(&first)["draft_sha256"]), (&Value::Null, &Value::Null));
        let served = |who: &Person| gets(&ward, who, &format!("/acceptances/{first}/served-people"));
        assert_eq!((&ok(&served(officer))["items"][0]["name"], ok(&served(&auditor))["items"].as_array().unwrap().len()), (&json!("张三丰"), 2));
        refused(&served(supplier), 403, "forbidden");

        // Signed by an approver who has neither prepared the contract nor drafted the certificate, and who means these bytes.
        for who in [supplier, officer, &auditor] {
            refused(&work.signs(who, &first), 403, "forbidden");
        }
        let department = || office.treasury.department.clone();
        let both = person(&ward, &[Role::BuyerOfficer, Role::BuyerApprover].map(|role| Grant::of(role).in_organisation(department())));
        assert_eq!(made(&work.drafts(&both, 1, &draft)), first);
        refused(&work.signs(&both, &first), 403, "separation_of_duties");
        also(&ward, officer, Grant::of(Role::BuyerApprover).in_organisation(department()));
        refused(&work.signs(officer, &first), 403, "separation_of_duties");
        let signature = |hash: &str, etag: &str| approver.asks(&ward, "POST", &format!("/api/v1/acceptances/{first}/signature")).header("if-match", etag).json(&json!({"sha256": hash})).send();
        refused(&signature(&"0".repeat(64), "*"), 409, "acceptance_hash_differs");
        refused(&signature(&"0".repeat(64), "\"v1\""), 412, "version_stale");
        let signed = ok(&work.signs(approver, &first));
        assert_eq!((&signed["state"], &signed["undisputed_percent"], &signed["score"], &signed["grade"], &signed["object_until"]),
            (&json!("accepted_with_reservations"), &json!("90"), &json!("87.50"), &json!("good"), &json!("2026-06-10")));
        refused(&work.signs(&work.second, &first), 409, "acceptance_wrong_state");
        refused(&work.hands_over(supplier, 1), 409, "acceptance_concluded");
        refused(&work.drafts(officer, 1, &draft), 409, "acceptance_concluded");
        let accepted = work.accepted(1);
        assert_eq!((accepted.how, rfc3339(accepted.since), accepted.undisputed.to_string(), accepted.acceptance_id.to_string()), (How::Certificate, "2026-06-03T02:00:00.000000Z".to_owned(), "90".to_owned(), first.clone()));

        // Public, by its bytes, whose hash the log has, without anybody's name.
        let bytes = content(None);
        assert_eq!(signed["sha256"], json!(hex::encode(Sha256::digest(bytes.text.as_bytes()))));
        let told = ward.events("acceptance.signed").pop().unwrap()["entry"]["data"].clone();
        assert_eq!((&told["sha256"], &told["conclusion"], &told["score"]), (&signed["sha256"], &json!("accepted_with_reservations"), &json!("87.50")));
        let document = bytes.json();
        assert_eq!((&document["draft"], &document["opinion"]["invited"], &document["opinion"]["took_part"], &document["opinion"]["statements"]), (&json!(2), &json!(2), &json!(1), &json!(["早上很干净"])));
        assert_eq!((&document["findings"][1]["finding"], &document["findings"][1]["basis"]["not_met"], &document["unsettled"]), (&json!("not_met"), &json!(1), &json!([])));
        let everything = format!("{}{}{}", bytes.text, ward.get(&format!("/api/v1/acceptances/{first}")).text, ward.events("acceptance.*").iter().map(ToString::to_string).collect::<String>());
        assert!(!everything.contains("张三丰") && !everything.contains("李四光") && work.shown(&first)["signed_by"].is_null());

        // Objected to once; somebody else decides, and the certificate falls.
        for who in [officer, approver, &work.case.bidders[0].agent] {
            refused(&work.objects(who, &first), 403, "forbidden");
        }
        refused(&work.decides(&work.second, &first, true), 409, "acceptance_no_objection");
        go_to(&ward, "2026-06-10T15:59:59Z");
        ok(&work.objects(supplier, &first));
        refused(&work.objects(supplier, &first), 409, "acceptance_objected_already");
        assert_eq!((&work.shown(&first)["objection"], &ok(&gets(&ward, approver, &format!("/acceptances/{first}")))["objection"]), (&Value::Null, &json!("路口属他人范围")));
        assert!(work.accepted(1).is_objected);
        refused(&work.decides(supplier, &first, true), 403, "forbidden");
        refused(&work.decides(approver, &first, true), 403, "separation_of_duties");
        refused(&work.decides(&both, &first, true), 403, "separation_of_duties");
        let bare = json!({"is_upheld": true, "decision_zh": "", "decision_en": "x"});
        assert_eq!(posts(&ward, &work.second, &format!("/acceptances/{first}/objection-decision"), Some(&bare)).status, 422);
        assert_eq!(ok(&work.decides(&work.second, &first, true))["state"], "replaced");
        refused(&work.decides(&work.second, &first, true), 409, "acceptance_no_objection");
        let list = |query: &str| ok(&ward.get(&format!("/api/v1/contracts/{}/acceptances{query}", work.contract)))["items"].as_array().unwrap().clone();
        let rounds = list("?period=1");
        assert_eq!((rounds.len(), &rounds[1]["state"], &rounds[1]["beginning"], &rounds[1]["inspect_until"]), (2, &json!("open"), &json!("objection"), &json!("2026-06-22")));
        let again = rounds[1]["id"].as_str().unwrap().to_owned();
        refused(&work.hands_over(supplier, 1), 409, "acceptance_handed_over_already");

        // The next round rests on what holds now; of two signatures at once one is the certificate.
        assert_eq!(work.drafted(1, "accepted"), again);
        ok(&posts(&ward, &work.second, &format!("/inspections/{bad}/annulment"), Some(&json!({"reason": "地点记错"}))));
        refused(&work.signs(approver, &again), 409, "acceptance_overtaken");
        assert_eq!(work.drafted(1, "accepted"), again);
        let two = at_once([&|| work.signs(approver, &again), &|| work.signs(&work.second, &again)]);
        let mut statuses = two.each_ref().map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", two[0].text, two[1].text);
        let done = work.shown(&again);
        assert_eq!((&done["state"], &done["score"], &done["grade"], &done["undisputed_percent"]), (&json!("accepted"), &json!("100.00"), &json!("excellent"), &json!("100")));
        assert_eq!(ward.events("acceptance.signed").len(), 2);
        assert_eq!(work.accepted(1).acceptance_id.to_string(), again);
        go_to(&ward, "2026-06-18T16:00:00Z");
        refused(&work.objects(supplier, &again), 409, "acceptance_objection_late");
        refused(&work.objects(supplier, &first), 409, "acceptance_wrong_state");

        // Lists, a table, mail to both sides, and nothing of it is ever changed.
        let page = ok(&ward.get(&format!("/api/v1/contracts/{}/acceptances?limit=1", work.contract)));
        let cursor = page["next_cursor"].as_str().unwrap();
        assert_eq!((&page["items"][0]["id"], &list(&format!("?limit=1&cursor={cursor}"))[0]["id"]), (&json!(first), &json!(again)));
        let table = ward.ask("GET", &format!("/api/v1/contracts/{}/acceptances", work.contract)).header("accept", "text/csv").send();
        assert!(table.text.lines().count() == 3 && table.text.contains(&format!("{again},{},1,2,accepted,", work.contract)), "{}", table.text);
        let mails = |who: &Person, what: &str| lines(&ward, &format!("SELECT dedup_key AS line FROM outbox WHERE kind = 'inspection.happened' AND dedup_key LIKE 'acceptance%' AND account_id = '{}'", who.id)).iter().filter(|key| key.contains(what)).count();
        let both_sides = [":handed_over:", ":drafted:", ":signed:", ":objected:", ":decided:"].map(|what| (mails(supplier, what), mails(approver, what)));
        assert_eq!(both_sides, [(0, 1), (0, 4), (2, 2), (0, 1), (1, 1)]);
        for statement in ["UPDATE contract_acceptances SET undisputed = 1", "UPDATE contract_acceptances SET revision = revision + 1, conclusion = 'refused'", "UPDATE contract_acceptances SET revision = revision + 1, objection = 'x' WHERE round = 1",
            "UPDATE contract_acceptances SET period = 2", "DELETE FROM contract_acceptances", "UPDATE acceptance_drafts SET content = '{}'", "DELETE FROM acceptance_drafts", "UPDATE acceptance_served_people SET name = 'x'", "DELETE FROM acceptance_served_people"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
        refused(&ward.get("/api/v1/acceptances/acceptance_01jd3n8f5teqkrzvq1c0m6h2ax"), 404, "not_found");
    }

    fn silence_accepts_at_its_instant_whoever_signs_then(ward) {
        let work = Work::new(&ward);
        let (office, supplier) = (&work.case.office, work.supplier());
        for (who, name) in [(supplier, "supplier"), (&office.approver, "approver")] {
            sql(&ward, &format!("UPDATE accounts SET email = '{name}@people.example' WHERE id = '{}'", who.id)).unwrap();
        }
        // 12 June is a Friday; the Dragon Boat Festival on the 19th is no working day.
        go_to(&ward, "2026-06-12T02:00:00Z");
        let id = made(&work.hands_over(supplier, 1));
        assert_eq!((&work.shown(&id)["inspect_until"], &work.shown(&id)["silent_at"]), (&json!("2026-06-24"), &json!("2026-06-24T16:00:00.000000Z")));
        assert_eq!(work.drafted(1, "refused"), id);
        go_to(&ward, "2026-06-24T15:59:59.999999Z");
        assert_eq!(work.shown(&id)["state"], "open");
        work.notes_silence();
        assert_eq!(ward.events("acceptance.silence_noted").len(), 0);

        // From then on it is accepted whether anybody has written that down or not.
        go_to(&ward, "2026-06-24T16:00:00Z");
        let silent = work.shown(&id);
        assert_eq!((&silent["state"], &silent["accepted_since"], &silent["undisputed_percent"], &silent["conclusion"]), (&json!("accepted_by_silence"), &json!("2026-06-24T16:00:00.000000Z"), &json!("100"), &Value::Null));
        let accepted = work.accepted(1);
        assert_eq!((accepted.how, rfc3339(accepted.since), accepted.undisputed.to_string()), (How::Silence, "2026-06-24T16:00:00.000000Z".to_owned(), "100".to_owned()));
        let [signed, noted] = at_once([&|| work.signs(&office.approver, &id), &|| { work.notes_silence(); ward.get(&format!("/api/v1/acceptances/{id}")) }]);
        refused(&signed, 409, "acceptance_silent");
        assert_eq!(ok(&noted)["state"], "accepted_by_silence");
        work.notes_silence();
        let events = ward.events("acceptance.silence_noted");
        assert_eq!((events.len(), &events[0]["entry"]["data"]["accepted_since"]), (1, &json!("2026-06-24T16:00:00.000000Z")));
        let mails = |who: &Person| lines(&ward, &format!("SELECT dedup_key AS line FROM outbox WHERE kind = 'inspection.happened' AND dedup_key LIKE 'acceptance%' AND account_id = '{}'", who.id)).iter().filter(|key| key.contains(":silent:")).count();
        assert_eq!((mails(supplier), mails(&office.approver)), (1, 1));
        refused(&work.hands_over(supplier, 1), 409, "acceptance_silent");
        refused(&work.drafts(&office.officer, 1, &work.draft_of(1, "accepted")), 409, "acceptance_silent");
        refused(&work.objects(supplier, &id), 409, "acceptance_wrong_state");
        refused(&ward.get(&format!("/api/v1/acceptances/{id}/content")), 404, "not_found");

        // What the buyer begins by itself waits for no silence; the contractor can still hand it over. What is refused is handed over again.
        go_to(&ward, "2026-07-02T02:00:00Z");
        sql(&ward, &format!("UPDATE accounts SET email = 'officer.too@people.example' WHERE id = '{}'", office.officer.id)).unwrap();
        let begun = work.drafted(2, "refused");
        // That a draft waits is told to those who can sign it, and to no officer, who hears of other things.
        let told = |who: &Person, step: &str| lines(&ward, &format!("SELECT dedup_key AS line FROM outbox WHERE dedup_key LIKE 'acceptance%{step}%' AND account_id = '{}'", who.id)).len();
        assert_eq!((told(&office.officer, ":drafted:"), told(&office.approver, ":drafted:") > 0), (0, true));
        assert_eq!((&work.shown(&begun)["beginning"], &work.shown(&begun)["silent_at"]), (&json!("buyer"), &Value::Null));
        go_to(&ward, "2026-08-03T02:00:00Z");
        assert_eq!(work.known(2), Standing::Waiting { silent_at: None });
        assert_eq!(made(&work.hands_over(supplier, 2)), begun);
        assert!(told(&office.officer, "") > 0, "the officer is written to");
        refused(&work.signs(&office.approver, &begun), 409, "acceptance_overtaken");
        assert_eq!(work.drafted(2, "refused"), begun);
        assert_eq!(ok(&work.signs(&office.approver, &begun))["state"], "refused");
        refused(&work.drafts(&office.officer, 2, &work.draft_of(2, "accepted")), 409, "acceptance_objection_time");
        assert_eq!(work.known(2), Standing::Refused);
        let [objected, over] = at_once([&|| work.objects(supplier, &begun), &|| work.hands_over(supplier, 2)]);
        // Whichever was first: a period is not handed over while the refusal is objected to, and not objected to once it is handed over anew.
        match (objected.status, over.status) {
            (200, 409) => {
                assert_eq!(over.code(), "acceptance_objection_open");
                ok(&work.decides(&work.second, &begun, false));
                made(&work.hands_over(supplier, 2));
            }
            (409, 201) => assert_eq!(objected.code(), "acceptance_wrong_state"),
            other => panic!("{other:?}: {} {}", objected.text, over.text),
        }
        let rounds = ok(&ward.get(&format!("/api/v1/contracts/{}/acceptances?period=2", work.contract)))["items"].clone();
        assert_eq!((&rounds[0]["state"], &rounds[1]["state"], &rounds[1]["beginning"]), (&json!("refused"), &json!("open"), &json!("hand_over")));
    }

    fn a_hand_over_and_a_draft_at_once_are_of_one_round(ward) {
        let work = Work::new(&ward);
        go_to(&ward, "2026-06-01T02:00:00Z");
        let draft = work.draft_of(1, "accepted");
        let [over, drafted] = at_once([&|| work.hands_over(work.supplier(), 1), &|| work.drafts(&work.case.office.officer, 1, &draft)]);
        let id = made(&over);
        assert_eq!(made(&drafted), id);
        let [first, second] = at_once([&|| work.hands_over(work.supplier(), 1), &|| work.drafts(&work.case.office.officer, 1, &draft)]);
        refused(&first, 409, "acceptance_handed_over_already");
        assert_eq!(made(&second), id);
        let all = ok(&gets(&ward, &work.case.office.officer, &format!("/contracts/{}/acceptances", work.contract)))["items"].clone();
        assert_eq!((all.as_array().unwrap().len(), &all[0]["drafts"], &all[0]["inspect_until"]), (1, &json!(2), &json!("2026-06-10")));
    }

    fn a_signature_a_moment_before_the_instant_is_in_time(ward) {
        let work = Work::new(&ward);
        go_to(&ward, "2026-06-01T02:00:00Z");
        let id = made(&work.hands_over(work.supplier(), 1));
        work.drafted(1, "accepted");
        go_to(&ward, "2026-06-10T15:59:59.999999Z");
        let [signed, _] = at_once([&|| work.signs(&work.case.office.approver, &id), &|| { work.notes_silence(); ward.get(&format!("/api/v1/acceptances/{id}")) }]);
        assert_eq!(ok(&signed)["state"], "accepted");
        go_to(&ward, "2026-06-10T16:00:00Z");
        work.notes_silence();
        assert_eq!((&work.shown(&id)["state"], ward.events("acceptance.silence_noted").len()), (&json!("accepted"), 0));
        assert_eq!(work.accepted(1).how, How::Certificate);
    }

    fn of_a_contract_that_ended_what_was_served_is_accepted(ward) {
        let work = Work::new(&ward);
        let (office, supplier) = (&work.case.office, work.supplier());
        go_to(&ward, "2026-06-02T02:00:00Z");
        let mut end = ending("100.00");
        (end["effective_on"], end["statement_until"]) = (json!("2026-06-10"), json!("2026-06-05"));
        let termination = made(&posts(&ward, &office.officer, &format!("/contracts/{}/terminations", work.contract), Some(&end)));
        ok(&posts(&ward, supplier, &format!("/terminations/{termination}/statement"), Some(&json!({"statement": "无异议"}))));
        ok(&posts(&ward, &office.approver, &format!("/terminations/{termination}/decision"), Some(&json!({"ends": true, "decision_zh": "同意", "decision_en": "Agreed"}))));
        go_to(&ward, "2026-06-10T15:59:59Z");
        refused(&work.hands_over(supplier, 2), 409, "acceptance_period_not_over");
        go_to(&ward, "2026-06-10T16:00:00Z");
        let running = made(&work.hands_over(supplier, 2));
        assert_eq!((&work.shown(&running)["first_day"], &work.shown(&running)["last_day"]), (&json!("2026-06-01"), &json!("2026-06-10")));
        refused(&work.hands_over(supplier, 3), 409, "acceptance_period_never_ran");
        refused(&work.drafts(&office.officer, 3, &work.draft_of(2, "accepted")), 409, "acceptance_period_never_ran");
        assert_eq!((work.known(3), work.known(1)), (Standing::NeverRan, Standing::NotBegun));
        work.drafted(2, "accepted");
        ok(&work.signs(&office.approver, &running));
        let accepted = work.accepted(2);
        assert_eq!(accepted.served.last.to_string(), "2026-06-10");
        assert!(made(&work.hands_over(supplier, 1)) != running, "what was over before is accepted whole");
        let document = ok(&ward.get(&format!("/api/v1/acceptances/{running}/content")));
        assert_eq!((&document["last_day"], &document["unsettled"], &document["score"]), (&json!("2026-06-10"), &json!(["daily"]), &Value::Null));
    }
}
