//! Payment batches: put together by one finance officer and executed by another, all claims or none; the file for the bank, whose bytes the log has.

use std::sync::Barrier;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::awards::go_to;
use crate::books::ok;
use crate::cast::{Person, person};
use crate::claims::{Counter, by_months};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::suppliers::account;
use crate::treasury::{gets, made, of, posts, yuan};

/// Twelve months, with the buyer's bank account.
pub struct Desk<'w> {
    pub counter: Counter<'w>,
    pub buyer: String,
}

impl<'w> Desk<'w> {
    pub fn new(ward: &'w Ward) -> Self {
        let desk = Self::without_account(ward);
        desk.banks("11001234567890123456");
        desk
    }

    fn without_account(ward: &'w Ward) -> Self {
        let counter = Counter::new(ward, "2027-04-30", by_months);
        let buyer = counter.work.case.office.treasury.department.to_string();
        Self { counter, buyer }
    }

    pub fn ward(&self) -> &'w Ward {
        self.counter.ward()
    }

    /// Gives the buyer a bank account.
    pub fn banks(&self, number: &str) {
        let ward = self.ward();
        let buyer = &self.buyer;
        for statement in [
            format!("UPDATE organisations SET public_at = '2026-01-01 00:00:00' WHERE id = '{buyer}'"),
            // The register shows an organisation as its newest version says.
            format!(
                "INSERT INTO organisation_versions (organisation_id, version, state, name_zh, name_en, changed_by, changed_at) \
                 SELECT id, version, state, name_zh, name_en, 'system', created_at FROM organisations WHERE id = '{buyer}' \
                 AND NOT EXISTS (SELECT 1 FROM organisation_versions WHERE organisation_id = '{buyer}')"
            ),
        ] {
            sql(ward, &statement).unwrap();
        }
        let admin = || {
            of(
                ward,
                Role::OrganisationAdmin,
                &self.counter.work.case.office.treasury.department,
            )
        };
        let path = format!("/organisations/{}/bank-account-changes", self.buyer);
        let change = made(&posts(ward, &admin(), &path, Some(&account(number))));
        ok(&posts(
            ward,
            &admin(),
            &format!("{path}/{change}/confirmation"),
            None,
        ));
    }

    /// What is asked for: these claims, to be paid on the day that it is.
    pub fn body(&self, claims: &[&str], day: &str) -> Value {
        json!({"buyer_id": self.buyer, "claim_ids": claims, "execution_on": day, "names": "chinese"})
    }

    pub fn batches(&self, who: &Person, body: &Value) -> Reply {
        posts(self.ward(), who, "/payment-batches", Some(body))
    }

    pub fn acts(&self, who: &Person, id: &str, what: &str) -> Reply {
        posts(self.ward(), who, &format!("/payment-batches/{id}/{what}"), None)
    }

    /// A batch of these claims, executed on a day.
    pub fn executed(&self, claims: &[&str], day: &str) -> String {
        let id = made(&self.batches(&self.counter.approves, &self.body(claims, day)));
        ok(&self.acts(&self.counter.executes, &id, "execution"));
        id
    }

    pub fn file(&self, who: &Person, id: &str) -> Reply {
        gets(self.ward(), who, &format!("/payment-batches/{id}/file"))
    }
}

/// What stands in the elements of this name, in their order.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let (mut texts, mut inside) = (Vec::new(), None);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) if start.local_name().as_ref() == name.as_bytes() => {
                inside = Some(String::new())
            }
            Event::Text(text) => {
                if let Some(inside) = &mut inside {
                    inside.push_str(&text.decode().unwrap());
                }
            }
            Event::End(end) if end.local_name().as_ref() == name.as_bytes() => {
                texts.extend(inside.take().map(|text: String| text.trim().to_owned()))
            }
            Event::Eof => return texts,
            _ => {}
        }
    }
}

/// The elements of the file in the order in which they begin, each as its path below the message.
fn paths(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let (mut path, mut paths) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                path.push(String::from_utf8(start.local_name().as_ref().to_vec()).unwrap());
                paths.push(path.join("/"));
            }
            Event::End(_) => {
                path.pop();
            }
            Event::Eof => return paths,
            _ => {}
        }
    }
}

/// Those of the published schema that a file of one payment has, in its order.
const PATHS: &[&str] = &[
    "Document",
    "Document/CstmrCdtTrfInitn",
    "Document/CstmrCdtTrfInitn/GrpHdr",
    "Document/CstmrCdtTrfInitn/GrpHdr/MsgId",
    "Document/CstmrCdtTrfInitn/GrpHdr/CreDtTm",
    "Document/CstmrCdtTrfInitn/GrpHdr/NbOfTxs",
    "Document/CstmrCdtTrfInitn/GrpHdr/CtrlSum",
    "Document/CstmrCdtTrfInitn/GrpHdr/InitgPty",
    "Document/CstmrCdtTrfInitn/GrpHdr/InitgPty/Nm",
    "Document/CstmrCdtTrfInitn/PmtInf",
    "Document/CstmrCdtTrfInitn/PmtInf/PmtInfId",
    "Document/CstmrCdtTrfInitn/PmtInf/PmtMtd",
    "Document/CstmrCdtTrfInitn/PmtInf/BtchBookg",
    "Document/CstmrCdtTrfInitn/PmtInf/NbOfTxs",
    "Document/CstmrCdtTrfInitn/PmtInf/CtrlSum",
    "Document/CstmrCdtTrfInitn/PmtInf/ReqdExctnDt",
    "Document/CstmrCdtTrfInitn/PmtInf/ReqdExctnDt/Dt",
    "Document/CstmrCdtTrfInitn/PmtInf/Dbtr",
    "Document/CstmrCdtTrfInitn/PmtInf/Dbtr/Nm",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAcct",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAcct/Id",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAcct/Id/Othr",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAcct/Id/Othr/Id",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAcct/Ccy",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAgt",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAgt/FinInstnId",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAgt/FinInstnId/ClrSysMmbId",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAgt/FinInstnId/ClrSysMmbId/ClrSysId",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAgt/FinInstnId/ClrSysMmbId/ClrSysId/Cd",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAgt/FinInstnId/ClrSysMmbId/MmbId",
    "Document/CstmrCdtTrfInitn/PmtInf/DbtrAgt/FinInstnId/Nm",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/PmtId",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/PmtId/EndToEndId",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Amt",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Amt/InstdAmt",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAgt",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId/ClrSysMmbId",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId/ClrSysMmbId/ClrSysId",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId/ClrSysMmbId/ClrSysId/Cd",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId/ClrSysMmbId/MmbId",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId/Nm",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Cdtr",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Cdtr/Nm",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAcct",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAcct/Id",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAcct/Id/Othr",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAcct/Id/Othr/Id",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAcct/Ccy",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/RmtInf",
    "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/RmtInf/Ustrd",
];

/// What stands against each claim, by its place.
fn against(reply: &Reply) -> Vec<(String, String)> {
    refused(reply, 409, "payment_batch_blocked");
    let faults = reply.json()["errors"].clone();
    let faults = faults.as_array().unwrap().iter();
    faults
        .map(|one| {
            (
                one["pointer"].as_str().unwrap().to_owned(),
                one["code"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(place, code)| ((*place).to_owned(), (*code).to_owned()))
        .collect()
}

on_both! { in "test";
    fn claims_are_paid_together_and_the_file_says_so_to_the_fen(ward) {
        let desk = Desk::without_account(&ward);
        let counter = &desk.counter;
        let (approves, executes) = (&counter.approves, &counter.executes);
        for (who, name) in [(approves, "approves"), (executes, "executes")] {
            sql(&ward, &format!("UPDATE accounts SET email = '{name}@people.example' WHERE id = '{}'", who.id)).unwrap();
        }
        go_to(&ward, "2026-07-01T02:00:00Z");
        counter.accepts(1);
        counter.accepts(2);
        let first = counter.approved(&Counter::of_period(1, "191550.00", "24312000000000000001"));
        let second = counter.approved(&Counter::of_period(2, "100000.07", "24312000000000000002"));
        let waits = counter.claimed(&Counter::of_period(2, "1.00", "24312000000000000003"));
        let day = "2026-07-02";

        // Who may, of which claims, and when.
        let body = desk.body(&[&first, &second], day);
        refused(&desk.batches(approves, &body), 409, "payment_batch_account_missing");
        desk.banks("11001234567890123456");
        for who in [counter.officer(), counter.work.supplier(), &counter.work.case.office.approver] {
            refused(&desk.batches(who, &body), 403, "forbidden");
        }
        let with = |member: &str, value: Value| {
            let mut body = body.clone();
            body[member] = value;
            desk.batches(approves, &body)
        };
        for (member, value, place) in [
            ("execution_on", json!("2026-06-30"), "/execution_on"), ("execution_on", json!("2026-08-31"), "/execution_on"),
            ("claim_ids", json!([first, second, first]), "/claim_ids/2"), ("claim_ids", json!([]), "/claim_ids"),
            ("names", json!("greek"), "/names"), ("claims_max", json!(201), "/claims_max"),
        ] {
            let reply = with(member, value);
            assert_eq!(reply.status, 422, "{}", reply.text);
            assert_eq!(reply.faults().into_iter().map(|(place, _)| place).collect::<Vec<_>>(), [place]);
        }
        let nobody = "claim_01jd3n8f5teqkrzvq1c0m6h2ax";
        assert_eq!(against(&with("claim_ids", json!([first, waits, nobody]))), named(&[("/claim_ids/1", "claim_wrong_state"), ("/claim_ids/2", "not_found")]));

        // Whose is it to know.
        let id = made(&desk.batches(approves, &body));
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        for who in [executes, &auditor] {
            let seen = ok(&gets(&ward, who, &format!("/payment-batches/{id}")));
            assert_eq!((&seen["state"], &seen["count"], &seen["total"], &seen["bank_account"]), (&json!("made"), &json!(2), &yuan("291550.07"), &json!("**** **** 3456")));
            assert_eq!((&seen["claims"][1]["claim_id"], &seen["claims"][1]["state"], &seen["claims"][1]["amount"]), (&json!(second), &json!("approved"), &yuan("100000.07")));
        }
        for who in [counter.officer(), counter.work.supplier()] {
            refused(&gets(&ward, who, &format!("/payment-batches/{id}")), 403, "forbidden");
        }
        let stranger = of(&ward, Role::FinanceOfficer, &crate::cast::organisation(&ward, wardbook::kernel::party::OrganisationKind::Department, None));
        refused(&gets(&ward, &stranger, &format!("/payment-batches/{id}")), 404, "not_found");
        refused(&desk.acts(&stranger, &id, "execution"), 404, "not_found");
        refused(&gets(&ward, &stranger, &format!("/payment-batches?buyer_id={}", desk.buyer)), 403, "forbidden");

        // In one batch at a time, and by itself no more.
        assert_eq!(against(&desk.batches(executes, &desk.body(&[&first], day))), named(&[("/claim_ids/0", "claim_in_payment_batch")]));
        let mut all = body.clone();
        all.as_object_mut().unwrap().remove("claim_ids");
        refused(&desk.batches(executes, &all), 409, "payment_batch_empty");
        refused(&counter.acts(executes, &first, "execution"), 409, "claim_in_payment_batch");
        assert_eq!(counter.balances()[3], "0.00");

        // By another one than who has made it and who has approved its claims.
        refused(&desk.acts(approves, &id, "execution"), 403, "separation_of_duties");
        refused(&desk.acts(counter.officer(), &id, "execution"), 403, "forbidden");
        refused(&desk.file(executes, &id), 409, "payment_batch_not_executed");
        let stale = executes.asks(&ward, "POST", &format!("/api/v1/payment-batches/{id}/execution")).header("if-match", "\"v9\"").send();
        refused(&stale, 412, "version_stale");
        let own = made(&desk.batches(executes, &{ ok(&desk.acts(executes, &id, "withdrawal")); body.clone() }));
        // A third one has not made it; the one who approved the claims still cannot.
        assert_eq!(against(&desk.acts(approves, &own, "execution")), named(&[("/claims/0", "separation_of_duties"), ("/claims/1", "separation_of_duties")]));
        refused(&desk.acts(executes, &own, "execution"), 403, "separation_of_duties");
        ok(&desk.acts(approves, &own, "withdrawal"));
        refused(&desk.acts(approves, &own, "withdrawal"), 409, "payment_batch_wrong_state");
        refused(&desk.acts(executes, &id, "execution"), 409, "payment_batch_wrong_state");
        let id = made(&desk.batches(approves, &all));
        let paid = ok(&desk.acts(executes, &id, "execution"));
        assert_eq!((&paid["state"], &paid["claims"][0]["state"], &paid["claims"][1]["state"]), (&json!("executed"), &json!("executed"), &json!("executed")));
        assert_eq!(counter.balances(), ["7701400.00", "2007049.93", "0.00", "291550.07"]);
        refused(&desk.acts(executes, &id, "execution"), 409, "payment_batch_wrong_state");

        // The file.
        for who in [&auditor, counter.officer()] {
            refused(&desk.file(who, &id), 403, "forbidden");
        }
        let file = desk.file(executes, &id);
        assert_eq!((file.status, file.header("content-type")), (200, Some("application/xml")));
        let hash = hex::encode(Sha256::digest(file.text.as_bytes()));
        assert_eq!(paid["sha256"], json!(hash));
        for kind in ["payment_batch.made", "payment_batch.executed"] {
            let event = ward.events(kind).pop().unwrap();
            assert_eq!((&event["entry"]["data"]["sha256"], &event["entry"]["data"]["total"]), (&json!(hash), &yuan("291550.07")));
        }
        assert!(!ward.events("payment_batch.*").iter().any(|event| event["entry"].to_string().contains("3456")));
        let of = |name: &str| texts(&file.text, name);
        let end = |id: &str| id.rsplit('_').next().unwrap().to_owned();
        assert_eq!((of("MsgId"), of("EndToEndId")), (vec![end(&id)], vec![end(&first), end(&second)]));
        assert_eq!((of("NbOfTxs"), of("CtrlSum")), (vec!["2".to_owned(); 2], vec!["291550.07".to_owned(); 2]));
        assert_eq!((of("InstdAmt"), of("Dt"), of("PmtMtd")), (vec!["191550.00".to_owned(), "100000.07".to_owned()], vec![day.to_owned()], vec!["TRF".to_owned()]));
        assert_eq!(of("Ustrd"), ["第1期 发票 24312000000000000001", "第2期 发票 24312000000000000002"]);
        assert_eq!(of("Othr"), ["11001234567890123456", "6222021112345678903", "6222021112345678903"]);
        let mut seen = Vec::new();
        for path in paths(&file.text) {
            if !seen.contains(&path) {
                seen.push(path);
            }
        }
        assert_eq!(seen, PATHS);
        if let Ok(path) = std::env::var("WARDBOOK_TEST_KEEP_PAIN001") {
            std::fs::write(path, &file.text).unwrap();
        }

        // Lists, mail, and rows that stay.
        let list = |query: &str| ok(&gets(&ward, executes, &format!("/payment-batches?buyer_id={}{query}", desk.buyer)));
        let page = list("&limit=1");
        let cursor = page["next_cursor"].as_str().unwrap();
        assert_eq!((&page["items"][0]["id"], list(&format!("&limit=2&cursor={cursor}"))["items"].as_array().unwrap().len()), (&json!(id), 2));
        assert_eq!(list("&state=executed")["items"].as_array().unwrap().len(), 1);
        assert_eq!(gets(&ward, executes, "/payment-batches").status, 400);
        let mails = |step: &str| lines(&ward, &format!("SELECT dedup_key AS line FROM outbox WHERE dedup_key LIKE '{id}:{step}:%'")).len();
        assert_eq!((mails("made"), mails("executed")), (2, 2));
        for statement in ["UPDATE payment_batches SET content = 'xx'", "UPDATE payment_batches SET revision = revision + 1, state = 'withdrawn' WHERE state = 'executed'",
            "DELETE FROM payment_batches", "UPDATE payment_batch_claims SET amount_fen = 1", "DELETE FROM payment_batch_claims"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
    }

    fn all_of_a_batch_is_paid_or_none(ward) {
        let desk = Desk::new(&ward);
        let counter = &desk.counter;
        let (approves, executes) = (&counter.approves, &counter.executes);
        go_to(&ward, "2026-07-01T02:00:00Z");
        let certificate = counter.accepts(1);
        let claims: Vec<String> = (1..=3).map(|n| counter.approved(&Counter::of_period(1, "1000.00", &format!("N{n}")))).collect();
        let ids: Vec<&str> = claims.iter().map(String::as_str).collect();
        let mut body = desk.body(&ids, "2026-07-02");
        body["names"] = json!("latin");
        let id = made(&desk.batches(approves, &body));
        // One is sent back: none is paid, and each that stands in the way is named.
        ok(&counter.ends(approves, ids[1], "return"));
        assert_eq!(against(&desk.acts(executes, &id, "execution")), named(&[("/claims/1", "claim_wrong_state")]));
        assert_eq!((counter.balances()[3].as_str(), &counter.shown(ids[0])["state"]), ("0.00", &json!("approved")));
        // To another account than that of the claim nothing is paid, nor from another one than that of the batch.
        counter.banks("6222021112345670000");
        assert_eq!(against(&desk.acts(executes, &id, "execution")), named(&[("/claims/0", "claim_account_changed"), ("/claims/1", "claim_wrong_state"), ("/claims/2", "claim_account_changed")]));
        desk.banks("11001234567890129999");
        refused(&desk.acts(executes, &id, "execution"), 409, "payment_batch_account_changed");
        go_to(&ward, "2026-07-03T02:00:00Z");
        refused(&desk.acts(executes, &id, "execution"), 409, "payment_batch_day_over");
        ok(&desk.acts(executes, &id, "withdrawal"));
        for claim in [ids[0], ids[2]] {
            ok(&counter.ends(approves, claim, "return"));
        }

        // Of the oldest that can be paid as many as are asked for; a batch whose acceptance falls is not paid.
        let claims: Vec<String> = (1..=3).map(|n| counter.approved(&Counter::of_period(1, "1000.00", &format!("N{n}")))).collect();
        let all = json!({"buyer_id": desk.buyer, "claims_max": 2, "execution_on": "2026-07-03", "names": "latin"});
        let two = ok_made(&desk.batches(approves, &all));
        assert_eq!([&two["claims"][0]["claim_id"], &two["claims"][1]["claim_id"]], [&json!(claims[0]), &json!(claims[1])]);
        let id = two["id"].as_str().unwrap();
        // Six execute it at once: once.
        let start = Barrier::new(6);
        let done = std::thread::scope(|threads| {
            let running: Vec<_> = (0..6).map(|_| threads.spawn(|| { start.wait(); desk.acts(executes, id, "execution").status })).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).filter(|status| *status == 200).count()
        });
        assert!(done <= 1);
        if done == 0 {
            ok(&desk.acts(executes, id, "execution"));
        }
        assert_eq!(counter.balances(), ["7701400.00", "2296600.00", "0.00", "2000.00"]);
        let file = desk.file(executes, id);
        assert!(file.text.is_ascii(), "{}", file.text);
        if let Ok(path) = std::env::var("WARDBOOK_TEST_KEEP_PAIN001") {
            std::fs::write(format!("{path}.latin"), &file.text).unwrap();
        }
        assert_eq!(texts(&file.text, "Ustrd"), ["PERIOD 1 INVOICE N1", "PERIOD 1 INVOICE N2"]);
        let last = made(&desk.batches(approves, &all));
        ok(&counter.work.objects(counter.work.supplier(), &certificate));
        ok(&counter.work.decides(&counter.work.second, &certificate, true));
        assert_eq!(against(&desk.acts(executes, &last, "execution")), named(&[("/claims/0", "claim_not_accepted")]));
        assert_eq!(counter.balances()[3], "2000.00");
    }
}

fn ok_made(reply: &Reply) -> Value {
    made(reply);
    reply.json()
}
