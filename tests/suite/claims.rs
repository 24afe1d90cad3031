//! Claims: from an accepted period to the bank's reference with the figures of E3 and E4, returned, failed and paid again; advance and retention; who may do what beside
//! what; certificates that fall; contracts that end; and many who pay at once.

use std::sync::Barrier;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::contracts::acts_acceptance_objections::note_silence;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::acceptances::Work;
use crate::award_sequences::BRISK;
use crate::awards::{Case, Sums, go_to};
use crate::books::ok;
use crate::cast::{Person, person};
use crate::evidence::uploaded;
use crate::faults::block_on;
use crate::files::pdf;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::periods::inspected;
use crate::recompute::reckon;
use crate::suppliers::account;
use crate::terminations::ending;
use crate::treasury::{gets, made, of, posts, yuan};

/// What is done to pay a contract.
pub struct Counter<'w> {
    pub work: Work<'w>,
    /// Approves payments.
    pub approves: Person,
    /// Executes them.
    pub executes: Person,
    /// Says what the bank has done with them.
    pub reconciles: Person,
    /// Confirms the supplier's bank accounts.
    admin: Person,
}

/// Two periods, a tenth in advance, five percent kept back.
pub fn by_halves(lot: &mut Value) {
    lot["payment"] = json!({
        "advance_percent": "10", "periods_percent": "85", "retention_percent": "5", "period": "custom", "periods": 2, "shares": ["42.5", "42.5"]
    });
}

/// Twelve months that are all of the price.
pub fn by_months(lot: &mut Value) {
    lot["payment"] = json!({
        "advance_percent": "0", "periods_percent": "100", "retention_percent": "0", "period": "month", "periods": 12, "shares": []
    });
}

impl<'w> Counter<'w> {
    /// A contract for 2,298,600.00 whose periods score by daily inspections alone, and pay by the table of E3; with the supplier's bank account.
    pub fn new(ward: &'w Ward, until: &str, change: impl Fn(&mut Value)) -> Self {
        let counter = Self::without_account(ward, until, change);
        counter.banks("6222021112345678903");
        counter
    }

    /// The same for other sums.
    pub fn summed(ward: &'w Ward, until: &str, sums: Sums, change: impl Fn(&mut Value)) -> Self {
        let counter = Self::of_sums(ward, (until, 1), Some(sums), change);
        counter.banks("6222021112345678903");
        counter
    }

    fn without_account(ward: &'w Ward, until: &str, change: impl Fn(&mut Value)) -> Self {
        Self::of_sums(ward, (until, 1), None, change)
    }

    /// The same for the first of several lots.
    pub fn of_lots(ward: &'w Ward, (until, lots): (&str, usize), change: impl Fn(&mut Value)) -> Self {
        let counter = Self::of_sums(ward, (until, lots), None, change);
        counter.banks("6222021112345678903");
        counter
    }

    fn of_sums(
        ward: &'w Ward,
        (until, lots): (&str, usize),
        sums: Option<Sums>,
        change: impl Fn(&mut Value),
    ) -> Self {
        let rules: Vec<_> = BRISK
            .into_iter()
            .chain([("payment.days_max", "days", 30)])
            .collect();
        let terms = (until, |lot: &mut Value| {
            inspected(lot);
            lot["score_sources"] = json!([{"code": "daily", "kind": "inspection", "name_zh": "日常考核", "name_en": "Daily", "weight": "100"}]);
            change(lot);
        });
        let case = match sums {
            Some(sums) => Case::summed(ward, lots, &rules, terms, sums),
            None => Case::until(ward, lots, &rules, terms),
        };
        let contract = case.signed(ward);
        let department = case.office.treasury.department.clone();
        let supplier = case.bidders[1].id.parse().unwrap();
        Self {
            approves: of(ward, Role::FinanceOfficer, &department),
            executes: of(ward, Role::FinanceOfficer, &department),
            reconciles: of(ward, Role::FinanceOfficer, &department),
            admin: of(ward, Role::OrganisationAdmin, &supplier),
            work: Work {
                second: of(ward, Role::BuyerApprover, &department),
                ward,
                case,
                contract,
            },
        }
    }

    pub fn ward(&self) -> &'w Ward {
        self.work.ward
    }

    pub fn officer(&self) -> &Person {
        &self.work.case.office.officer
    }

    /// Gives the supplier a bank account, which its administrator confirms.
    pub fn banks(&self, number: &str) {
        let path = format!(
            "/organisations/{}/bank-account-changes",
            self.work.case.bidders[1].id
        );
        let change = made(&posts(
            self.ward(),
            self.work.supplier(),
            &path,
            Some(&account(number)),
        ));
        ok(&posts(
            self.ward(),
            &self.admin,
            &format!("{path}/{change}/confirmation"),
            None,
        ));
    }

    /// What is claimed for a period.
    pub fn of_period(period: i64, amount: &str, invoice: &str) -> Value {
        json!({"kind": "period", "period": period, "amount": yuan(amount), "invoice_number": invoice, "invoice_on": "2026-05-01"})
    }

    /// What is claimed beside periods.
    pub fn of_part(kind: &str, amount: &str, invoice: &str) -> Value {
        json!({"kind": kind, "amount": yuan(amount), "invoice_number": invoice, "invoice_on": "2026-05-01"})
    }

    pub fn claims(&self, who: &Person, body: &Value) -> Reply {
        posts(
            self.ward(),
            who,
            &format!("/contracts/{}/claims", self.work.contract),
            Some(body),
        )
    }

    pub fn claimed(&self, body: &Value) -> String {
        made(&self.claims(self.work.supplier(), body))
    }

    pub fn certifies(&self, who: &Person, id: &str, body: &Value) -> Reply {
        posts(
            self.ward(),
            who,
            &format!("/claims/{id}/certification"),
            Some(body),
        )
    }

    pub fn acts(&self, who: &Person, id: &str, what: &str) -> Reply {
        posts(self.ward(), who, &format!("/claims/{id}/{what}"), None)
    }

    pub fn ends(&self, who: &Person, id: &str, what: &str) -> Reply {
        let body = json!({"reason_zh": "退票", "reason_en": "It came back"});
        posts(self.ward(), who, &format!("/claims/{id}/{what}"), Some(&body))
    }

    pub fn confirms(&self, who: &Person, id: &str) -> Reply {
        let body = json!({"bank_reference": "2026061500012345"});
        posts(
            self.ward(),
            who,
            &format!("/claims/{id}/confirmation"),
            Some(&body),
        )
    }

    /// Certified for all that is claimed, and approved.
    pub fn approved(&self, body: &Value) -> String {
        let id = self.claimed(body);
        ok(&self.certifies(self.officer(), &id, &json!({})));
        ok(&self.acts(&self.approves, &id, "approval"));
        id
    }

    pub fn shown(&self, id: &str) -> Value {
        ok(&self.ward().get(&format!("/api/v1/claims/{id}")))
    }

    pub fn pay(&self, period: i64) -> Value {
        ok(&self.ward().get(&format!(
            "/api/v1/contracts/{}/periods/{period}/pay",
            self.work.contract
        )))
    }

    pub fn totals(&self) -> Value {
        ok(&self
            .ward()
            .get(&format!("/api/v1/contracts/{}/payments", self.work.contract)))
    }

    /// What is free, committed, kept back and spent.
    pub fn balances(&self) -> [String; 4] {
        let office = &self.work.case.office;
        let all = office.treasury.balances(self.ward(), &office.line);
        ["available", "committed", "retained", "spent"].map(|code| all[code].as_str().unwrap().to_owned())
    }

    /// Accepted as a whole by a certificate, now.
    pub fn accepts(&self, period: i64) -> String {
        let id = self.work.drafted(period, "accepted");
        ok(&self.work.signs(&self.work.case.office.approver, &id));
        id
    }

    fn inspects(&self, days: impl Iterator<Item = (String, &'static str)>) {
        for (day, ends) in days {
            self.work.inspects(&day, ends);
        }
    }

    fn recomputes(&self, id: &str) -> Value {
        let reply = self.ward().get(&format!("/api/v1/claims/{id}/derivation"));
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(
            self.shown(id)["certified"]["sha256"],
            json!(hex::encode(Sha256::digest(reply.text.as_bytes())))
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &reply.text).unwrap();
        let told = reckon("payment", &[file.path().to_str().unwrap()]);
        assert_eq!(
            told.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&told.stdout)
        );
        reply.json()
    }
}

fn less() -> Value {
    json!({"less_zh": "得分不足 90", "less_en": "The score is below 90"})
}

fn places(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 422, "{}", reply.text);
    reply.faults().into_iter().map(|(place, _)| place).collect()
}

on_both! { in "test";
    fn a_period_is_claimed_certified_approved_paid_and_confirmed_to_the_fen(ward) {
        let counter = Counter::without_account(&ward, "2027-04-30", by_months);
        let (work, officer) = (&counter.work, counter.officer());
        let (supplier, approver) = (work.supplier(), &work.case.office.approver);
        let (approves, executes, reconciles) = (&counter.approves, &counter.executes, &counter.reconciles);
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        for (who, name) in [(supplier, "supplier"), (officer, "officer"), (approves, "approves"), (executes, "executes")] {
            sql(&ward, &format!("UPDATE accounts SET email = '{name}@people.example' WHERE id = '{}'", who.id)).unwrap();
        }
        assert_eq!(counter.balances(), ["7701400.00", "2298600.00", "0.00", "0.00"]);

        // 13 times 91.67 and 15 times 83.33: E3's 87.20, which pays 188,868.30 of 191,550.00.
        go_to(&ward, "2026-05-29T01:00:00Z");
        counter.inspects((1..=28).map(|day| (format!("2026-05-{day:02}"), if day <= 13 { "5" } else { "6" })));
        let before = counter.pay(1);
        assert_eq!((&before["standing"], &before["is_settled"], &before["due_on"], &before["price_now"]), (&json!("not_over"), &json!(false), &Value::Null, &yuan("191550.00")));
        assert_eq!((&before["derivation"]["result"]["score"], &before["derivation"]["result"]["payable"], &before["open"]), (&json!("87.20"), &json!("188868.30"), &yuan("0.00")));

        // Who may claim what, and when.
        let body = Counter::of_period(1, "191550.00", "24312000000000000001");
        refused(&counter.claims(supplier, &body), 409, "claim_period_not_over");
        go_to(&ward, "2026-06-01T02:00:00Z");
        refused(&counter.claims(supplier, &body), 409, "claim_account_missing");
        counter.banks("6222021112345678903");
        for who in [officer, approver, approves, &auditor, &work.case.bidders[0].agent] {
            refused(&counter.claims(who, &body), 403, "forbidden");
        }
        let with = |member: &str, value: Value| {
            let mut body = body.clone();
            body[member] = value;
            counter.claims(supplier, &body)
        };
        assert_eq!(places(&with("period", json!(13))), ["/period"]);
        assert_eq!(places(&with("period", Value::Null)), ["/period"]);
        assert_eq!(places(&with("invoice_on", json!("2026-06-02"))), ["/invoice_on"]);
        assert_eq!(places(&with("amount", yuan("0.00"))), ["/amount"]);
        assert_eq!(places(&with("kind", json!("advance"))), ["/period"]);
        refused(&with("amount", yuan("191550.01")), 409, "claim_beyond_price");
        refused(&with("period", json!(2)), 409, "claim_period_not_over");
        for kind in ["advance", "retention"] {
            refused(&counter.claims(supplier, &Counter::of_part(kind, "1.00", "9")), 409, "claim_no_such_part");
        }
        refused(&counter.claims(supplier, &Counter::of_part("settlement", "1.00", "9")), 409, "claim_not_terminated");
        let file = uploaded(supplier.asks(&ward, "POST", "/api/v1/attachments"), "application/pdf", &pdf("invoice"));
        let first = made(&with("attachment_ids", json!([file])));
        refused(&counter.claims(supplier, &body), 409, "invoice_duplicate");

        // Between the parties: the invoice, the account, the files.
        let public = counter.shown(&first);
        let private = ["invoice_number", "invoice_on", "bank_account_id", "bank_account", "claimed_by"];
        assert!(private.iter().all(|member| public[member].is_null()) && public["attachment_ids"] == json!([]));
        for who in [supplier, officer, executes, &auditor] {
            let seen = ok(&gets(&ward, who, &format!("/claims/{first}")));
            assert_eq!((&seen["invoice_number"], &seen["bank_account"], &seen["attachment_ids"]), (&json!("24312000000000000001"), &json!("**** **** 8903"), &json!([file])));
            assert_eq!(gets(&ward, who, &format!("/attachments/{file}/content")).status, 200);
        }
        assert_eq!(gets(&ward, &work.case.bidders[0].agent, &format!("/attachments/{file}/content")).status, 404);
        assert!(!ward.events("claim.*").iter().any(|event| event["entry"].to_string().contains("24312000000000000001")));

        // Not before the period is accepted.
        for who in [supplier, approver, approves, &auditor] {
            refused(&counter.certifies(who, &first, &less()), 403, "forbidden");
        }
        refused(&counter.certifies(officer, &first, &less()), 409, "claim_not_accepted");
        refused(&counter.acts(approves, &first, "approval"), 409, "claim_wrong_state");
        go_to(&ward, "2026-06-08T02:00:00Z");
        let acceptance = counter.accepts(1);
        let accepted = counter.pay(1);
        assert_eq!((&accepted["standing"], &accepted["accepted_since"], &accepted["due_on"], &accepted["open"]), (&json!("accepted"), &json!("2026-06-08T02:00:00.000000Z"), &json!("2026-07-08"), &yuan("188868.30")));
        go_to(&ward, "2026-06-30T02:00:00Z");
        assert_eq!(counter.pay(1)["is_settled"], json!(true));

        // What it comes to is computed; that it is less than was claimed is explained.
        assert_eq!(places(&counter.certifies(officer, &first, &json!({}))), ["/less_zh", "/less_en"]);
        let odd = json!({"penalties": [{"penalty": 2, "count": 1, "reason_zh": "因", "reason_en": "Because"}, {"penalty": 1, "count": 1, "reason_zh": " ", "reason_en": "Because"}], "less_zh": "因", "less_en": "Because"});
        assert_eq!(places(&counter.certifies(officer, &first, &odd)), ["/penalties/0/penalty", "/penalties/1/reason_zh"]);
        let stale = officer.asks(&ward, "POST", &format!("/api/v1/claims/{first}/certification")).header("if-match", "\"v9\"").json(&less()).send();
        refused(&stale, 412, "version_stale");
        let certified = ok(&counter.certifies(officer, &first, &less()));
        let said = &certified["certified"];
        assert_eq!((&said["payable"], &said["deducted"], &said["amount"], &said["before"], &said["is_settled"]), (&yuan("188868.30"), &yuan("2681.70"), &yuan("188868.30"), &yuan("0.00"), &json!(true)));
        assert_eq!((&said["acceptance_id"], &said["due_on"], &certified["due_on"], &certified["days_late"]), (&json!(acceptance), &json!("2026-07-08"), &json!("2026-07-08"), &json!(0)));
        let derivation = counter.recomputes(&first);
        assert_eq!((&derivation["contract_id"], &derivation["period"], &derivation["result"]["score"]), (&json!(work.contract), &json!(1), &json!("87.20")));
        let told = ward.events("claim.certified").pop().unwrap()["entry"]["data"].clone();
        assert_eq!((&told["sha256"], &told["certified"], &told["payable"]), (&said["sha256"], &yuan("188868.30"), &yuan("188868.30")));
        assert_eq!(counter.balances(), ["7701400.00", "2298600.00", "0.00", "0.00"], "nothing has moved yet");
        assert_eq!(counter.pay(1)["open"], yuan("0.00"));

        // Approved by one, paid by another, confirmed.
        refused(&counter.acts(officer, &first, "approval"), 403, "forbidden");
        refused(&counter.acts(executes, &first, "execution"), 409, "claim_wrong_state");
        ok(&counter.acts(approves, &first, "approval"));
        refused(&counter.acts(approves, &first, "execution"), 403, "separation_of_duties");
        refused(&counter.confirms(reconciles, &first), 409, "claim_wrong_state");
        let paid = ok(&counter.acts(executes, &first, "execution"));
        assert_eq!((&paid["state"], &paid["retained"], &paid["released"]), (&json!("executed"), &yuan("0.00"), &yuan("2681.70")));
        // 191,550.00 of the commitment are settled: 188,868.30 are spent, 2,681.70 are free again.
        assert_eq!(counter.balances(), ["7704081.70", "2107050.00", "0.00", "188868.30"]);
        let moved = ward.events("claim.executed").pop().unwrap()["entry"]["data"]["transfers"].clone();
        let codes: Vec<_> = moved.as_array().unwrap().iter().map(|one| (one["code"].as_str().unwrap(), one["phase"].as_str().unwrap(), &one["amount"])).collect();
        assert_eq!(codes, [("payment", "posted", &yuan("188868.30")), ("deduction", "voided", &yuan("2681.70"))]);
        refused(&counter.acts(executes, &first, "execution"), 409, "claim_wrong_state");
        refused(&counter.ends(officer, &first, "return"), 409, "claim_wrong_state");
        // What the bank has done says neither who certified, nor who approved, nor who executed.
        for who in [approves, executes] {
            refused(&counter.confirms(who, &first), 403, "separation_of_duties");
            refused(&counter.ends(who, &first, "failure"), 403, "separation_of_duties");
        }
        assert_eq!(ok(&counter.confirms(reconciles, &first))["state"], "confirmed");
        refused(&counter.ends(reconciles, &first, "failure"), 409, "claim_wrong_state");
        assert!(counter.shown(&first)["bank_reference"].is_null());
        assert_eq!(ok(&gets(&ward, supplier, &format!("/claims/{first}")))["bank_reference"], "2026061500012345");

        // A period that pays all of its price, ten days late: 957.75 (E4).
        work.inspects("2026-06-29", "4");
        go_to(&ward, "2026-07-01T02:00:00Z");
        counter.accepts(2);
        let second = counter.claimed(&Counter::of_period(2, "191550.00", "24312000000000000002"));
        assert_eq!(counter.shown(&second)["due_on"], "2026-07-31");
        ok(&counter.certifies(officer, &second, &json!({})));
        ok(&counter.acts(approves, &second, "approval"));
        go_to(&ward, "2026-08-10T02:00:00Z");
        ok(&counter.acts(executes, &second, "execution"));
        go_to(&ward, "2026-08-20T02:00:00Z");
        let late = counter.shown(&second);
        assert_eq!((&late["due_on"], &late["days_late"], &late["interest"]), (&json!("2026-07-31"), &json!(10), &yuan("957.75")));
        assert_eq!((&counter.pay(2)["interest"], &counter.pay(2)["paid"], &counter.pay(2)["is_settled"]), (&yuan("957.75"), &yuan("191550.00"), &json!(true)));
        let totals = counter.totals();
        let of = |member: &str| totals[member].clone();
        assert_eq!([of("claimed"), of("certified"), of("paid"), of("confirmed"), of("released"), of("committed"), of("interest")],
            ["383100.00", "380418.30", "380418.30", "188868.30", "2681.70", "1915500.00", "957.75"].map(yuan));
        assert_eq!([of("claims"), of("claims_open"), of("claims_late")], [json!(2), json!(0), json!(1)]);

        // A penalty that the officer has counted; 80.00 of E3 pays 181,972.50, and two late days take 2 % off that fee.
        counter.inspects((1..=5).map(|day| (format!("2026-07-{day:02}"), if day == 5 { "4" } else { "7" })));
        counter.accepts(3);
        let third = counter.claimed(&Counter::of_period(3, "191550.00", "24312000000000000003"));
        assert_eq!(counter.pay(3)["derivation"]["result"]["payable"], "181972.50");
        let penal = json!({"penalties": [{"penalty": 1, "count": 2, "reason_zh": "逾期两日", "reason_en": "Two days late"}], "less_zh": "因", "less_en": "Because"});
        let certified = ok(&counter.certifies(officer, &third, &penal));
        assert_eq!((&certified["certified"]["amount"], &certified["certified"]["penalties"][0]["count"]), (&yuan("178141.50"), &json!(2)));
        assert_eq!(counter.recomputes(&third)["result"]["deductions"][1], json!({"of": "逾期整改", "amount": "3831.00"}));
        assert_eq!((&counter.pay(3)["derivation"]["result"]["payable"], &counter.pay(3)["penalties"][0]["reason_en"]), (&json!("178141.50"), &json!("Two days late")));

        // Lists, a table, mail to whoever is next and to the contractor; nothing of it is ever changed.
        let list = |query: &str| ok(&ward.get(&format!("/api/v1/contracts/{}/claims{query}", work.contract)));
        let page = list("?limit=2");
        let cursor = page["next_cursor"].as_str().unwrap();
        assert_eq!((&page["items"][0]["id"], &list(&format!("?limit=2&cursor={cursor}"))["items"][0]["id"], list("?state=executed")["items"].as_array().unwrap().len()), (&json!(first), &json!(third), 1));
        let table = ward.ask("GET", &format!("/api/v1/contracts/{}/claims", work.contract)).header("accept", "text/csv").send();
        assert!(table.text.lines().count() == 4 && table.text.contains(&format!("{first},{},1,period,1,confirmed,191550.00,188868.30,2681.70,2026-07-08,0,0.00,", work.contract)), "{}", table.text);
        let mails = |who: &Person, what: &str| lines(&ward, &format!("SELECT dedup_key AS line FROM outbox WHERE dedup_key LIKE '{first}%' AND account_id = '{}'", who.id)).iter().filter(|key| key.contains(what)).count();
        let told = [":made:", ":certified:", ":approved:", ":executed:", ":confirmed:"].map(|what| (mails(supplier, what), mails(officer, what), mails(executes, what)));
        assert_eq!(told, [(0, 1, 0), (1, 0, 1), (1, 0, 1), (1, 0, 1), (1, 0, 0)]);
        for statement in ["UPDATE payment_claims SET amount_fen = 1", "UPDATE payment_claims SET revision = revision + 1, state = 'approved' WHERE state = 'confirmed'", "UPDATE payment_claims SET revision = revision + 1, state = 'confirmed' WHERE state = 'certified'",
            "DELETE FROM payment_claims", "UPDATE claim_certifications SET amount_fen = 1", "DELETE FROM claim_certifications", "UPDATE claim_penalties SET count = 1", "UPDATE claim_executions SET released_fen = 1", "DELETE FROM claim_executions", "UPDATE claim_confirmations SET bank_reference = 'x'"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
        refused(&ward.get("/api/v1/claims/claim_01jd3n8f5teqkrzvq1c0m6h2ax"), 404, "not_found");
        refused(&ward.get(&format!("/api/v1/contracts/{}/periods/13/pay", work.contract)), 404, "not_found");
    }

    fn what_comes_back_is_claimed_and_paid_again_and_what_is_kept_back_is_paid_at_the_end(ward) {
        let counter = Counter::new(&ward, "2026-10-31", by_halves);
        let (work, officer) = (&counter.work, counter.officer());
        let (approves, executes, reconciles) = (&counter.approves, &counter.executes, &counter.reconciles);

        // The advance, a part of the price of its own: before the work begins, returned once, and then paid. Nobody takes it back from the periods.
        go_to(&ward, "2026-04-20T02:00:00Z");
        let advance = Counter::of_part("advance", "229860.00", "A1");
        let mut early = advance.clone();
        early["invoice_on"] = json!("2026-04-20");
        let returned = counter.claimed(&early);
        for who in [work.supplier(), &work.case.office.approver, &work.case.bidders[0].agent] {
            refused(&counter.ends(who, &returned, "return"), 403, "forbidden");
        }
        let bare = json!({"reason_zh": " ", "reason_en": "="});
        assert_eq!(places(&posts(&ward, officer, &format!("/claims/{returned}/return"), Some(&bare))), ["/reason_zh", "/reason_en"]);
        assert_eq!(ok(&counter.ends(officer, &returned, "return"))["state"], "returned");
        assert!(counter.shown(&returned)["reason_en"].is_null());
        assert_eq!(ok(&gets(&ward, work.supplier(), &format!("/claims/{returned}")))["reason_en"], "It came back");
        refused(&counter.certifies(officer, &returned, &json!({})), 409, "claim_wrong_state");
        let again = counter.approved(&early);
        refused(&ward.get(&format!("/api/v1/claims/{again}/derivation")), 404, "not_found");
        ok(&counter.acts(executes, &again, "execution"));
        assert_eq!(counter.balances(), ["7701400.00", "2068740.00", "0.00", "229860.00"]);
        early["invoice_number"] = json!("A2");
        let more = counter.claimed(&early);
        refused(&counter.certifies(officer, &more, &json!({})), 409, "claim_nothing_payable");

        // The first half at 80.00: 5 % of 976,905.00 are deducted. Claimed in two parts; what is kept back goes with the first, what is given back with the last.
        go_to(&ward, "2026-05-11T01:00:00Z");
        counter.inspects((1..=5).map(|day| (format!("2026-05-{day:02}"), if day == 5 { "4" } else { "7" })));
        go_to(&ward, "2026-08-03T02:00:00Z");
        counter.accepts(1);
        let part = counter.approved(&Counter::of_period(1, "900000.00", "P1"));
        let paid = ok(&counter.acts(executes, &part, "execution"));
        assert_eq!((&paid["retained"], &paid["released"]), (&yuan("57465.00"), &yuan("0.00")));
        assert_eq!(counter.balances(), ["7701400.00", "1111275.00", "57465.00", "1129860.00"]);

        // The bank sends it back: the money is held again, the invoice can be used again, and nothing is kept back twice.
        refused(&counter.ends(officer, &part, "failure"), 403, "forbidden");
        assert_eq!(ok(&counter.ends(reconciles, &part, "failure"))["state"], "failed");
        assert_eq!(counter.balances(), ["7701400.00", "2011275.00", "57465.00", "229860.00"]);
        refused(&counter.acts(executes, &part, "execution"), 409, "claim_wrong_state");
        let part = counter.approved(&Counter::of_period(1, "900000.00", "P1"));

        // To another account than the supplier's now nothing is paid.
        counter.banks("6222021112345670000");
        refused(&counter.acts(executes, &part, "execution"), 409, "claim_account_changed");
        ok(&counter.ends(approves, &part, "return"));
        let part = counter.approved(&Counter::of_period(1, "900000.00", "P1"));
        assert_eq!(ok(&counter.acts(executes, &part, "execution"))["retained"], yuan("0.00"));
        let rest = counter.claimed(&Counter::of_period(1, "976905.00", "P2"));
        let certified = ok(&counter.certifies(officer, &rest, &less()))["certified"].clone();
        // 928,059.75 in all.
        assert_eq!((&certified["before"], &certified["amount"], &certified["payable"]), (&yuan("900000.00"), &yuan("28059.75"), &yuan("928059.75")));
        ok(&counter.acts(approves, &rest, "approval"));
        assert_eq!(ok(&counter.acts(executes, &rest, "execution"))["released"], yuan("48845.25"));
        assert_eq!(counter.balances(), ["7750245.25", "1034370.00", "57465.00", "1157919.75"]);
        // What went back to the line is not paid any more, even if that last payment fails; what was paid is claimed again.
        ok(&counter.ends(reconciles, &rest, "failure"));
        let rest = counter.approved(&Counter::of_period(1, "28059.75", "P2"));
        assert_eq!(ok(&counter.acts(executes, &rest, "execution"))["released"], yuan("0.00"));
        assert_eq!(counter.balances(), ["7750245.25", "1034370.00", "57465.00", "1157919.75"]);

        // The second half by silence, and then what was kept back.
        let retention = |invoice: &str| Counter::of_part("retention", "114930.00", invoice);
        let early = counter.claimed(&retention("R1"));
        refused(&counter.certifies(officer, &early, &json!({})), 409, "claim_retention_early");
        go_to(&ward, "2026-11-02T02:00:00Z");
        made(&work.hands_over(work.supplier(), 2));
        go_to(&ward, "2026-12-01T02:00:00Z");
        assert!(block_on(ward.context().db.write(note_silence)).unwrap());
        assert_eq!((&counter.pay(2)["standing"], &counter.pay(2)["open"]), (&json!("accepted_by_silence"), &yuan("976905.00")));
        // What was kept back is certified while the last period waits; what that still needs of the commitment stays there.
        ok(&counter.certifies(officer, &early, &json!({})));
        ok(&counter.acts(approves, &early, "approval"));
        let last = counter.approved(&Counter::of_period(2, "976905.00", "P3"));
        assert_eq!(ok(&counter.acts(executes, &last, "execution"))["retained"], yuan("57465.00"));
        assert_eq!(counter.balances(), ["7750245.25", "0.00", "114930.00", "2134824.75"]);
        ok(&counter.acts(executes, &early, "execution"));
        assert_eq!(counter.balances(), ["7750245.25", "0.00", "0.00", "2249754.75"]);
        ok(&counter.ends(reconciles, &early, "failure"));
        assert_eq!(counter.balances(), ["7750245.25", "0.00", "114930.00", "2134824.75"]);
        let kept = counter.approved(&retention("R1"));
        ok(&counter.acts(executes, &kept, "execution"));
        ok(&counter.confirms(reconciles, &kept));
        let totals = counter.totals();
        assert_eq!(["paid", "confirmed", "retained", "released", "committed"].map(|member| totals[member].clone()), ["2249754.75", "114930.00", "0.00", "48845.25", "0.00"].map(yuan));
    }

    fn nobody_does_two_of_the_duties_and_nobody_pays_what_they_accepted(ward) {
        let counter = Counter::new(&ward, "2027-04-30", by_months);
        let (work, officer) = (&counter.work, counter.officer());
        let department = work.case.office.treasury.department.clone();
        let supplier = work.case.bidders[1].id.parse().unwrap();
        let with = |roles: &[Role]| {
            let grants: Vec<Grant> = roles.iter().map(|role| Grant::of(*role).in_organisation(department.clone())).collect();
            person(&ward, &grants)
        };
        let everything = with(&[Role::BuyerOfficer, Role::BuyerApprover, Role::FinanceOfficer]);
        let interested = person(&ward, &[
            Grant::of(Role::BuyerOfficer).in_organisation(department.clone()),
            Grant::of(Role::FinanceOfficer).in_organisation(department.clone()),
            Grant::of(Role::SupplierAgent).in_organisation(supplier),
        ]);
        go_to(&ward, "2026-06-01T02:00:00Z");
        counter.accepts(1);
        let claim = |invoice: &str| counter.claimed(&Counter::of_period(1, "1000.00", invoice));
        let own = counter.claims(&interested, &Counter::of_period(1, "1000.00", "X"));
        let own = made(&own);
        for (reply, code) in [
            (counter.certifies(&interested, &own, &json!({})), "claim_of_own_organisation"),
            (counter.acts(&interested, &own, "approval"), "claim_of_own_organisation"),
            (counter.acts(&interested, &own, "execution"), "claim_of_own_organisation"),
            (counter.confirms(&interested, &own), "claim_of_own_organisation"),
            (counter.ends(&interested, &own, "return"), "claim_of_own_organisation"),
            (counter.ends(&interested, &own, "failure"), "claim_of_own_organisation"),
        ] {
            refused(&reply, 403, code);
        }

        // Certified, approved and executed are three people, on each pair.
        let first = claim("1");
        ok(&counter.certifies(&everything, &first, &json!({})));
        refused(&counter.acts(&everything, &first, "approval"), 403, "separation_of_duties");
        ok(&counter.acts(&counter.approves, &first, "approval"));
        refused(&counter.acts(&everything, &first, "execution"), 403, "separation_of_duties");
        refused(&counter.acts(&counter.approves, &first, "execution"), 403, "separation_of_duties");
        ok(&counter.acts(&counter.executes, &first, "execution"));
        for who in [&everything, &counter.approves, &counter.executes] {
            refused(&counter.confirms(who, &first), 403, "separation_of_duties");
            refused(&counter.ends(who, &first, "failure"), 403, "separation_of_duties");
        }
        // Nor do two finance officers change places within one acceptance.
        let second = claim("2");
        ok(&counter.certifies(officer, &second, &json!({})));
        refused(&counter.acts(&counter.executes, &second, "approval"), 403, "separation_of_duties");
        ok(&counter.acts(&counter.approves, &second, "approval"));

        // Who has accepted the work, or drafted the certificate, does not pay.
        go_to(&ward, "2026-07-01T02:00:00Z");
        let drafter = with(&[Role::BuyerOfficer, Role::FinanceOfficer]);
        let acceptor = with(&[Role::BuyerApprover, Role::FinanceOfficer]);
        let drafted = made(&work.drafts(&drafter, 2, &work.draft_of(2, "accepted")));
        ok(&work.signs(&acceptor, &drafted));
        let third = counter.claimed(&Counter::of_period(2, "1000.00", "3"));
        ok(&counter.certifies(officer, &third, &json!({})));
        refused(&counter.acts(&acceptor, &third, "approval"), 403, "separation_of_duties");
        ok(&counter.acts(&counter.approves, &third, "approval"));
        for who in [&acceptor, &drafter] {
            refused(&counter.acts(who, &third, "execution"), 403, "separation_of_duties");
        }
        // Of another period of the contract neither.
        refused(&counter.acts(&acceptor, &second, "execution"), 403, "separation_of_duties");
        ok(&counter.acts(&counter.executes, &third, "execution"));
        // Who has paid a period does not accept it.
        go_to(&ward, "2026-08-03T02:00:00Z");
        let duties = ok(&gets(&ward, &person(&ward, &[Grant::of(Role::Auditor)]), &format!("/duties?matter={third}")));
        let names: Vec<&str> = duties["items"].as_array().unwrap().iter().map(|one| one["duty"].as_str().unwrap()).collect();
        assert_eq!(names.len(), 4, "{duties}");
    }

    fn what_is_disputed_waits_and_what_has_fallen_is_not_paid(ward) {
        let counter = Counter::new(&ward, "2027-04-30", by_months);
        let (work, officer) = (&counter.work, counter.officer());
        let approver = &work.case.office.approver;
        go_to(&ward, "2026-06-01T02:00:00Z");
        // 90 % are undisputed.
        let first = work.drafted(1, "accepted_with_reservations");
        ok(&work.signs(approver, &first));
        let claim = counter.claimed(&Counter::of_period(1, "191550.00", "1"));
        let certified = ok(&counter.certifies(officer, &claim, &less()))["certified"].clone();
        assert_eq!((&certified["amount"], &certified["undisputed_percent"], &certified["payable"], &certified["is_settled"]), (&yuan("172395.00"), &json!("90"), &yuan("191550.00"), &json!(false)));
        let rest = counter.claimed(&Counter::of_period(1, "19155.00", "2"));
        refused(&counter.certifies(officer, &rest, &json!({})), 409, "claim_nothing_payable");
        // The certificate falls: nothing that rests on it is approved or paid.
        ok(&work.objects(work.supplier(), &first));
        ok(&counter.acts(&counter.approves, &claim, "approval"));
        ok(&work.decides(&work.second, &first, true));
        refused(&counter.acts(&counter.executes, &claim, "execution"), 409, "claim_not_accepted");
        ok(&counter.ends(&counter.executes, &claim, "return"));
        assert_eq!((&counter.pay(1)["standing"], &counter.pay(1)["open"]), (&json!("waiting"), &yuan("0.00")));
        let again = work.drafted(1, "accepted");
        ok(&work.signs(approver, &again));
        let whole = counter.approved(&Counter::of_period(1, "191550.00", "1"));
        ok(&counter.acts(&counter.executes, &whole, "execution"));
        assert_eq!(counter.balances(), ["7701400.00", "2107050.00", "0.00", "191550.00"]);
        refused(&counter.certifies(officer, &rest, &json!({})), 409, "claim_nothing_payable");

        // The contract ends with a settlement: that is paid, and no period any more; what is on its way is paid out of it.
        let mut end = ending("200000.00");
        (end["effective_on"], end["statement_until"]) = (json!("2026-06-10"), json!("2026-06-05"));
        let termination = made(&posts(&ward, officer, &format!("/contracts/{}/terminations", work.contract), Some(&end)));
        ok(&posts(&ward, work.supplier(), &format!("/terminations/{termination}/statement"), Some(&json!({"statement": "无异议"}))));
        ok(&posts(&ward, approver, &format!("/terminations/{termination}/decision"), Some(&json!({"ends": true, "decision_zh": "同意", "decision_en": "Agreed"}))));
        assert_eq!(counter.balances(), ["9608450.00", "200000.00", "0.00", "191550.00"]);
        go_to(&ward, "2026-06-15T02:00:00Z");
        refused(&counter.claims(work.supplier(), &Counter::of_period(2, "1.00", "3")), 409, "claim_contract_settled");
        refused(&counter.certifies(officer, &rest, &json!({})), 409, "claim_contract_settled");
        refused(&counter.claims(work.supplier(), &Counter::of_part("settlement", "200000.01", "3")), 409, "claim_beyond_price");
        let part = counter.approved(&Counter::of_part("settlement", "150000.00", "3"));
        let over = counter.claimed(&Counter::of_part("settlement", "150000.00", "4"));
        assert_eq!(ok(&counter.certifies(officer, &over, &less()))["certified"]["amount"], yuan("50000.00"));
        ok(&counter.acts(&counter.approves, &over, "approval"));
        for id in [&part, &over] {
            ok(&counter.acts(&counter.executes, id, "execution"));
        }
        assert_eq!(counter.balances(), ["9608450.00", "0.00", "0.00", "391550.00"]);
        ok(&counter.ends(&counter.reconciles, &over, "failure"));
        let again = counter.approved(&Counter::of_part("settlement", "50000.00", "4"));
        ok(&counter.acts(&counter.executes, &again, "execution"));
        assert_eq!(counter.balances(), ["9608450.00", "0.00", "0.00", "391550.00"]);
        assert_eq!(counter.pay(1)["is_terminated"], json!(true));
    }

    fn whoever_certifies_and_pays_at_once_never_a_fen_too_much_is_paid(ward) {
        let counter = Counter::new(&ward, "2027-04-30", by_months);
        let officer = counter.officer();
        go_to(&ward, "2026-06-01T02:00:00Z");
        counter.accepts(1);
        // Six claims of 50,000.00 for a period of 191,550.00: three fit as a whole, a fourth for what is left.
        let claims: Vec<String> = (0..6).map(|n| counter.claimed(&Counter::of_period(1, "50000.00", &format!("N{n}")))).collect();
        let at_once = |act: &(dyn Fn(&str) -> Reply + Sync)| -> Vec<Reply> {
            let start = Barrier::new(claims.len());
            std::thread::scope(|threads| {
                let running: Vec<_> = claims.iter().map(|id| { let start = &start; threads.spawn(move || { start.wait(); act(id) }) }).collect();
                running.into_iter().map(|thread| thread.join().unwrap()).collect()
            })
        };
        let whole = at_once(&|id| counter.certifies(officer, id, &json!({})));
        assert_eq!(whole.iter().filter(|reply| reply.status == 200).count(), 3, "{:?}", whole.iter().map(|reply| &reply.text).collect::<Vec<_>>());
        let rest = at_once(&|id| counter.certifies(officer, id, &less()));
        let certified: Vec<_> = rest.iter().filter(|reply| reply.status == 200).map(|reply| reply.json()["certified"]["amount"].clone()).collect();
        assert_eq!(certified, [yuan("41550.00")]);
        at_once(&|id| counter.acts(&counter.approves, id, "approval"));
        // Each is paid by many at once, and once.
        for _ in 0..2 {
            at_once(&|id| counter.acts(&counter.executes, id, "execution"));
        }
        assert_eq!(counter.balances(), ["7701400.00", "2107050.00", "0.00", "191550.00"]);
        let first = &claims[0..1];
        let start = Barrier::new(6);
        let failed = std::thread::scope(|threads| {
            let running: Vec<_> = (0..6).map(|_| threads.spawn(|| { start.wait(); counter.ends(&counter.reconciles, &first[0], "failure").status })).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).filter(|status| *status == 200).count()
        });
        assert!(failed <= 1, "it comes back once");
        let state = counter.shown(&first[0])["state"].clone();
        let back = if state == "failed" { counter.shown(&first[0])["certified"]["amount"].clone() } else { yuan("0.00") };
        let spent = 19_155_000 - back["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
        assert_eq!(counter.balances()[3].replace('.', "").parse::<i64>().unwrap(), spent);
    }
}
