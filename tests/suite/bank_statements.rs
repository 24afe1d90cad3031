//! What banks say of payments: reports, statements and tables, tried and in earnest; each entry with what comes of it; once, and to the fen.

use std::sync::Barrier;

use serde_json::{Value, json};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::awards::go_to;
use crate::batches::Desk;
use crate::books::ok;
use crate::cast::{Person, person};
use crate::claims::Counter;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::treasury::{gets, made, posts};

const ACCOUNT: &str = "11001234567890123456";
const SUPPLIER: &str = "6222021112345678903";

fn sends(desk: &Desk<'_>, who: &Person, kind: &str, query: &str, content: &str) -> Reply {
    let path = format!("/api/v1/bank-statements?buyer_id={}{query}", desk.buyer);
    who.asks(desk.ward(), "POST", &path)
        .body(kind, content.as_bytes().to_vec())
        .send()
}

/// What came of each entry, by its place.
fn outcomes(reply: &Reply) -> Vec<(String, String)> {
    let entries = ok(reply)["entries"].clone();
    let entries = entries.as_array().unwrap().iter();
    entries
        .map(|one| {
            (
                one["place"].as_str().unwrap().to_owned(),
                one["outcome"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn only(reply: &Reply) -> Vec<String> {
    outcomes(reply).into_iter().map(|(_, outcome)| outcome).collect()
}

fn end(id: &str) -> &str {
    id.rsplit('_').next().unwrap()
}

fn report(message: &str, inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-07-02T10:00:00</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts>{inside}</CstmrPmtStsRpt></Document>"
    )
}

fn status(claim: &str, code: &str) -> String {
    format!(
        "<TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>{code}</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf><AcctSvcrRef>B-{code}</AcctSvcrRef></TxInfAndSts>",
        end(claim)
    )
}

fn statement(account: &str, inside: &str) -> String {
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Id>S1</Id><Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>{inside}</Stmt></BkToCstmrStmt></Document>"
    )
}

fn booked(claim: &str, direction: &str, amount: &str, to: &str) -> String {
    let back = if direction == "CRDT" {
        "<RtrInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>账号户名不符</AddtlInf></RtrInf>"
    } else {
        ""
    };
    format!(
        "<Ntry><Amt Ccy=\"CNY\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-07-02</Dt></BookgDt><AcctSvcrRef>=S{direction}</AcctSvcrRef>\
         <NtryDtls><TxDtls><Refs><EndToEndId>{}</EndToEndId></Refs><RltdPties><CdtrAcct><Id><Othr><Id>{to}</Id></Othr></Id></CdtrAcct></RltdPties>{back}</TxDtls></NtryDtls></Ntry>",
        end(claim)
    )
}

/// Four payments of 1,000.00 in one batch that was executed.
fn four<'w>(ward: &'w Ward) -> (Desk<'w>, Vec<String>, String) {
    let desk = Desk::new(ward);
    go_to(ward, "2026-07-01T02:00:00Z");
    desk.counter.accepts(1);
    let claims: Vec<String> = (1..=4)
        .map(|n| {
            desk.counter
                .approved(&Counter::of_period(1, "1000.00", &format!("N{n}")))
        })
        .collect();
    let ids: Vec<&str> = claims.iter().map(String::as_str).collect();
    let batch = desk.executed(&ids, "2026-07-02");
    (desk, claims, batch)
}

fn states(desk: &Desk<'_>, claims: &[String]) -> Vec<String> {
    claims
        .iter()
        .map(|id| desk.counter.shown(id)["state"].as_str().unwrap().to_owned())
        .collect()
}

on_both! { in "test";
    fn a_report_confirms_what_was_paid_and_takes_back_what_was_not(ward) {
        let (desk, claims, batch) = four(&ward);
        let reconciles = &desk.counter.reconciles;
        assert_eq!(desk.counter.balances(), ["7701400.00", "2294600.00", "0.00", "4000.00"]);
        let nobody = "claim_01jd3n8f5teqkrzvq1c0m6h2ax";
        let text = report(end(&batch), &format!("<OrgnlPmtInfAndSts><OrgnlPmtInfId>{}</OrgnlPmtInfId>{}{}{}{}{}</OrgnlPmtInfAndSts>", end(&batch),
            status(&claims[0], "ACSC"), status(&claims[1], "RJCT"), status(&claims[2], "ACSP"), status(&claims[0], "ACSC"), status(nobody, "ACSC")));
        // Tried: nothing is done.
        for who in [desk.counter.officer(), desk.counter.work.supplier()] {
            refused(&sends(&desk, who, "application/xml", "", &text), 403, "forbidden");
        }
        let expected = ["confirmed", "failed", "pending", "doubled", "unknown"];
        let tried = sends(&desk, reconciles, "application/xml", "&dry_run=true", &text);
        assert_eq!((only(&tried), &tried.json()["is_dry_run"], &tried.json()["id"]), (expected.map(str::to_owned).to_vec(), &json!(true), &Value::Null));
        assert_eq!((states(&desk, &claims), ward.events("bank_statement.read").len()), (vec!["executed".to_owned(); 4], 0));
        // Whoever approved or executed them reads it, and changes nothing; what it says without effect is said to them too.
        for who in [&desk.counter.approves, &desk.counter.executes] {
            let read = sends(&desk, who, "application/xml", "", &text);
            assert_eq!(only(&read), ["separation_of_duties", "separation_of_duties", "pending", "separation_of_duties", "unknown"]);
            assert_eq!((states(&desk, &claims), &read.json()["confirmed"], &read.json()["failed"]), (vec!["executed".to_owned(); 4], &json!(0), &json!(0)));
        }
        // In earnest.
        let read = sends(&desk, reconciles, "application/xml", "", &text);
        assert_eq!(only(&read), expected);
        let read = read.json();
        assert_eq!((&read["format"], &read["confirmed"], &read["failed"], &read["is_repeat"]), (&json!("pain_002"), &json!(1), &json!(1), &json!(true)), "read before, by others, without effect");
        assert_eq!((&read["entries"][0]["claim_id"], &read["entries"][0]["reference"], &read["entries"][0]["place"]), (&json!(claims[0]), &json!("B-ACSC"), &json!("/OrgnlPmtInfAndSts/1/TxInfAndSts/1")));
        assert_eq!(states(&desk, &claims), ["confirmed", "failed", "executed", "executed"]);
        assert_eq!(desk.counter.balances(), ["7701400.00", "2295600.00", "0.00", "3000.00"]);
        let seen = |id: &str| ok(&gets(&ward, reconciles, &format!("/claims/{id}")));
        assert_eq!((&seen(&claims[0])["bank_reference"], &seen(&claims[1])["reason_en"], &seen(&claims[1])["reason_zh"]), (&json!("B-ACSC"), &json!("The bank sent it back: AC04"), &json!("银行退回：AC04")));
        // The same file once more changes nothing, and is not kept again.
        let again = sends(&desk, reconciles, "text/xml", "", &text);
        assert_eq!(only(&again), ["done_already", "done_already", "pending", "done_already", "unknown"]);
        assert_eq!((&again.json()["is_repeat"], &again.json()["id"], ward.events("bank_statement.read").len()), (&json!(true), &Value::Null, 2));
        assert_eq!(desk.counter.balances()[3], "3000.00");
        // Of another file the bank says nothing of these payments; of the whole file it says it of what is left.
        let other = report("01jd3n8f5teqkrzvq1c0m6h2ax", &format!("<OrgnlPmtInfAndSts>{}</OrgnlPmtInfAndSts>", status(&claims[2], "ACSC")));
        assert_eq!(only(&sends(&desk, reconciles, "application/xml", "", &other)), ["unknown"]);
        let whole = report(end(&batch), "").replace("</OrgnlGrpInfAndSts>", "<GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>");
        assert_eq!(only(&sends(&desk, reconciles, "application/xml", "", &whole)), ["failed", "done_already", "failed", "failed"]);
        assert_eq!((states(&desk, &claims), desk.counter.balances()), (vec!["failed".to_owned(); 4], ["7701400.00", "2298600.00", "0.00", "0.00"].map(str::to_owned)));
        // What failed is claimed anew, with the same invoice.
        let anew = desk.counter.approved(&Counter::of_period(1, "1000.00", "N1"));
        desk.executed(&[&anew], "2026-07-02");

        // Whose is it to know, and what stays.
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        let id = read["id"].as_str().unwrap();
        for who in [reconciles, &auditor] {
            let kept = ok(&gets(&ward, who, &format!("/bank-statements/{id}")));
            assert_eq!((&kept["entries"], &kept["sha256"]), (&read["entries"], &read["sha256"]));
            let list = ok(&gets(&ward, who, &format!("/bank-statements?buyer_id={}&limit=2", desk.buyer)));
            assert_eq!((list["items"].as_array().unwrap().len(), list["next_cursor"].is_string()), (2, true));
        }
        refused(&gets(&ward, desk.counter.officer(), &format!("/bank-statements/{id}")), 403, "forbidden");
        let stranger = crate::treasury::of(&ward, Role::FinanceOfficer, &crate::cast::organisation(&ward, wardbook::kernel::party::OrganisationKind::Department, None));
        refused(&gets(&ward, &stranger, &format!("/bank-statements/{id}")), 404, "not_found");
        refused(&sends(&desk, &stranger, "application/xml", "", &text), 403, "forbidden");
        for statement in ["UPDATE bank_statements SET report = '[]'", "DELETE FROM bank_statements"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
    }

    fn a_statement_is_compared_to_the_fen_and_brings_money_back_after_days(ward) {
        let (desk, claims, _) = four(&ward);
        let reconciles = &desk.counter.reconciles;
        let paid = |claim: &str, amount: &str, to: &str| booked(claim, "DBIT", amount, to);
        let text = statement(ACCOUNT, &[
            paid(&claims[0], "999.99", SUPPLIER), paid(&claims[1], "1000.00", "6222000000000000000"), paid(&claims[2], "1000.00", SUPPLIER),
            "<Ntry><Amt Ccy=\"CNY\">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts></Ntry>".to_owned(),
            "<Ntry><Amt Ccy=\"CNY\">5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts></Ntry>".to_owned(),
            paid(&claims[3], "1000.00", SUPPLIER).replace("\"CNY\"", "\"USD\""),
        ].concat());
        assert_eq!(outcomes(&sends(&desk, reconciles, "application/xml", "", &text)), [
            ("/Stmt/1/Ntry/1/TxDtls/1", "amount_differs"), ("/Stmt/1/Ntry/2/TxDtls/1", "account_differs"), ("/Stmt/1/Ntry/3/TxDtls/1", "confirmed"),
            ("/Stmt/1/Ntry/4", "other_money"), ("/Stmt/1/Ntry/5", "unknown"), ("/Stmt/1/Ntry/6/TxDtls/1", "amount_differs"),
        ].map(|(place, outcome)| (place.to_owned(), outcome.to_owned())));
        assert_eq!(states(&desk, &claims), ["executed", "executed", "confirmed", "executed"]);
        assert_eq!(ok(&gets(&ward, reconciles, &format!("/claims/{}", claims[2])))["bank_reference"], "SDBIT", "what a spreadsheet would run is left off");
        let elsewhere = statement("11001234567890129999", &paid(&claims[0], "1000.00", SUPPLIER));
        assert_eq!(only(&sends(&desk, reconciles, "application/xml", "", &elsewhere)), ["account_differs"]);
        // By hand nothing is taken back that the bank has confirmed; the bank itself takes it back.
        refused(&desk.counter.ends(reconciles, &claims[2], "failure"), 409, "claim_wrong_state");
        let back = statement(ACCOUNT, &[booked(&claims[2], "CRDT", "1000.00", SUPPLIER), paid(&claims[0], "1000.00", SUPPLIER), booked(&claims[0], "CRDT", "1000.00", ACCOUNT)].concat());
        assert_eq!(only(&sends(&desk, reconciles, "application/xml", "", &back)), ["failed", "confirmed", "failed"]);
        assert_eq!((states(&desk, &claims), desk.counter.balances()), (["failed", "executed", "failed", "executed"].map(str::to_owned).to_vec(), ["7701400.00", "2296600.00", "0.00", "2000.00"].map(str::to_owned)));
        assert_eq!(ok(&gets(&ward, reconciles, &format!("/claims/{}", claims[2])))["reason_zh"], "银行退回：AC01 账号户名不符");
        // Yesterday's statement does not undo that.
        assert_eq!(only(&sends(&desk, reconciles, "application/xml", "", &text))[2], "contradicts");
        assert_eq!(only(&sends(&desk, reconciles, "application/xml", "", &back)), ["done_already", "contradicts", "done_already"]);
        assert_eq!(desk.counter.balances()[3], "2000.00");
    }

    fn a_table_does_the_same_and_many_at_once_do_it_once(ward) {
        let (desk, claims, _) = four(&ward);
        let reconciles = &desk.counter.reconciles;
        let waits = desk.counter.approved(&Counter::of_period(1, "1.00", "W"));
        let table = format!("claim_id,status,amount,reference,booked_on,reason\n{},paid,1000.00,B1,2026-07-02,\n{},退票,1000.00,,2026-07-02,户名不符\n{},paid,1000.00,,,\n{waits},paid,1.00,B,,\n{},brewed,1000.00,,,\n",
            claims[0], claims[1], claims[2], claims[3]);
        assert_eq!(outcomes(&sends(&desk, reconciles, "text/csv", "&dry_run=true", &table)), [("/0", "confirmed"), ("/1", "failed"), ("/2", "confirmed"), ("/3", "not_executed"), ("/4", "unreadable")]
            .map(|(place, outcome)| (place.to_owned(), outcome.to_owned())));
        // Whoever acts for the contractor reads nothing of its payments in.
        let department = desk.buyer.parse().unwrap();
        let supplier = desk.counter.work.case.bidders[1].id.parse().unwrap();
        let both = person(&ward, &[Grant::of(Role::FinanceOfficer).in_organisation(department), Grant::of(Role::SupplierAgent).in_organisation(supplier)]);
        assert_eq!(only(&sends(&desk, &both, "text/csv", "", &table)), ["own_claim", "own_claim", "own_claim", "own_claim", "unreadable"]);
        let start = Barrier::new(4);
        let confirmed: i64 = std::thread::scope(|threads| {
            let running: Vec<_> = (0..4).map(|_| threads.spawn(|| {
                start.wait();
                let reply = sends(&desk, reconciles, "text/csv", "", &table);
                if reply.status == 200 { reply.json()["confirmed"].as_i64().unwrap() + reply.json()["failed"].as_i64().unwrap() } else { assert!(reply.status < 500 || reply.status == 503, "{}", reply.text); 0 }
            })).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!(confirmed == 3 || confirmed == 0, "{confirmed}");
        sends(&desk, reconciles, "text/csv", "", &table);
        assert_eq!((states(&desk, &claims), desk.counter.balances()), (["confirmed", "failed", "confirmed", "executed"].map(str::to_owned).to_vec(), ["7701400.00", "2295600.00", "0.00", "3000.00"].map(str::to_owned)));
        // What was paid by itself is told in the same way.
        ok(&desk.counter.acts(&desk.counter.executes, &waits, "execution"));
        let single = statement(ACCOUNT, &booked(&waits, "DBIT", "1.00", SUPPLIER));
        assert_eq!(only(&sends(&desk, reconciles, "application/xml", "", &single)), ["confirmed"]);

        // Whoever has made a batch does not say either what the bank has done with it.
        let last = desk.counter.approved(&Counter::of_period(1, "2.00", "L"));
        let batch = made(&desk.batches(reconciles, &desk.body(&[&last], "2026-07-02")));
        ok(&desk.acts(&desk.counter.executes, &batch, "execution"));
        let single = statement(ACCOUNT, &booked(&last, "DBIT", "2.00", SUPPLIER));
        assert_eq!(only(&sends(&desk, reconciles, "application/xml", "", &single)), ["separation_of_duties"]);
        refused(&desk.counter.confirms(reconciles, &last), 403, "separation_of_duties");
        refused(&desk.counter.ends(reconciles, &last, "failure"), 403, "separation_of_duties");
        let other = crate::treasury::of(&ward, Role::FinanceOfficer, &desk.buyer.parse().unwrap());
        assert_eq!(only(&sends(&desk, &other, "application/xml", "", &single)), ["confirmed"]);
    }

    fn no_bytes_break_it(ward) {
        let (desk, claims, batch) = four(&ward);
        let reconciles = &desk.counter.reconciles;
        let whole = statement(ACCOUNT, &booked(&claims[0], "DBIT", "1000.00", SUPPLIER));
        for (kind, text) in [
            ("application/xml", "".to_owned()), ("application/xml", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>".to_owned()),
            ("application/xml", "<a>".repeat(100_000)), ("text/csv", "\u{0}".to_owned()), ("text/csv", "claim_id,status,amount\n\"".to_owned()), ("application/xml", whole.replace("UTF-8", "GBK").replace('>', "")),
            ("application/xml", report(end(&batch), "<a>&c;</a>")),
        ] {
            let reply = sends(&desk, reconciles, kind, "", &text);
            refused(&reply, 400, "bank_statement_unreadable");
        }
        assert_eq!(sends(&desk, reconciles, "application/json", "", "{}").status, 415);
        assert_eq!(sends(&desk, reconciles, "text/csv", "", &"a".repeat(4 * 1024 * 1024 + 1)).status, 413);
        assert_eq!(posts(&ward, reconciles, "/bank-statements", None).status, 400);
        // Each byte of a file in turn is another one: it is read or refused.
        let table = format!("claim_id,status,amount\n{},pending,1000.00\n", claims[0]);
        for (kind, text) in [("application/xml", &whole), ("text/csv", &table)] {
            for at in (0..text.len()).step_by(9) {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = [0, b'<', b'&', b'"', 0xff, b'\n', b'9'][at % 7];
                let path = format!("/api/v1/bank-statements?buyer_id={}&dry_run=true", desk.buyer);
                let reply = reconciles.asks(&ward, "POST", &path).body(kind, bytes).send();
                assert!(reply.status < 500, "{at}: {}", reply.text);
            }
        }
        assert_eq!(states(&desk, &claims), vec!["executed"; 4]);
    }
}
