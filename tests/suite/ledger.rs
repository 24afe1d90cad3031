//! The ledger: nothing is made or lost, nothing is overdrawn, whoever moves money at once; what is held goes where it was meant to or
//! back; and whoever changes a row behind its back is found out.

use std::sync::Barrier;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::budget::posting;
use wardbook::budget::rules::BudgetLineId;
use wardbook::budget::rules_ledger::{AccountCode, LedgerAccountId, Order, TransferCode, TransferId};
use wardbook::budget::{store_ledger, verify};
use wardbook::db::writer::Tx;
use wardbook::kernel::money::Money;
use wardbook::kernel::party::OrganisationKind;
use wardbook::kernel::refusal::{Answer, Stop};
use wardbook::web::actor::Actor;
use wardbook::web::policy::Role;

use crate::cast::organisation;
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::treasury::{Treasury, gets, made, of, posts, yuan};

/// A line's account.
pub fn account(ward: &Ward, line: &str, code: AccountCode) -> LedgerAccountId {
    let line: BudgetLineId = line.parse().unwrap();
    let found = ward
        .context()
        .db
        .read_and_wait(move |conn| store_ledger::account_of_line(conn, &line, code));
    found.unwrap().id
}

/// Posts as an act does, with an event.
pub fn post(tx: &mut Tx<'_>, orders: Vec<Order>) -> Answer<()> {
    let transfers = posting::post(tx, orders)?;
    let event = Event {
        kind: "ledger.tested",
        subject: "x".to_owned(),
        data: json!({ "transfers": posting::told(&transfers) }),
        private: Value::Null,
    };
    audit::store::append(tx, &Actor::system(), &event)?;
    Ok(())
}

fn order(from: &LedgerAccountId, to: &LedgerAccountId, fen: i64) -> impl Fn(&Tx<'_>) -> Order + Send + use<> {
    let (from, to) = (from.clone(), to.clone());
    move |tx| Order {
        id: TransferId::mint(tx.now()),
        from: from.clone(),
        to: to.clone(),
        amount: Money::from_fen(fen).unwrap(),
        code: TransferCode::Transfer,
        hold: None,
        matter: "test".to_owned(),
    }
}

/// How it ended.
pub fn code(result: Result<(), Stop>) -> &'static str {
    match result {
        Ok(()) => "done",
        Err(Stop::Refused(refusal)) => refusal.reason.code,
        Err(Stop::Fault(fault)) => panic!("{fault}"),
    }
}

/// What checking the whole ledger finds.
pub fn verdict(ward: &Ward) -> verify::LedgerVerdict {
    ward.context().db.read_and_wait(verify::verify).unwrap()
}

on_both! {
    fn linked_transfers_all_happen_or_none(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let lines = [treasury.filled(&ward, "LA", "100.00"), treasury.filled(&ward, "LB", "0.01"), treasury.filled(&ward, "LC", "5.00")];
        let [a, b, c] = lines.each_ref().map(|line| account(&ward, line, AccountCode::Available));
        let before = lines.each_ref().map(|line| treasury.balances(&ward, line));
        let chain = [order(&a, &b, 5_000), order(&b, &c, 5_001), order(&c, &a, 5_502)];
        let done = ward.context().db.write_and_wait(move |tx| { let orders = chain.iter().map(|order| order(tx)).collect(); post(tx, orders) });
        assert_eq!(code(done), "ledger_would_overdraw", "the last of the three");
        assert_eq!(lines.each_ref().map(|line| treasury.balances(&ward, line)), before);
        let chain = [order(&a, &b, 5_000), order(&b, &c, 5_001), order(&c, &a, 5_501)];
        let done = ward.context().db.write_and_wait(move |tx| { let orders = chain.iter().map(|order| order(tx)).collect(); post(tx, orders) });
        assert_eq!(code(done), "done");
        assert_eq!(lines.each_ref().map(|line| treasury.balances(&ward, line)["available"].clone()), [json!("105.01"), json!("0.00"), json!("0.00")]);
    }

    fn the_same_transfer_twice_is_one(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let lines = [treasury.filled(&ward, "LA", "100.00"), treasury.filled(&ward, "LB", "1.00")];
        let [a, b] = lines.each_ref().map(|line| account(&ward, line, AccountCode::Available));
        let id = TransferId::mint(ward.context().clock.now());
        let again = |fen: i64| {
            let (order, id) = (order(&a, &b, fen), id.clone());
            code(ward.context().db.write_and_wait(move |tx| { let order = Order { id: id.clone(), ..order(tx) }; post(tx, vec![order]) }))
        };
        assert_eq!([again(700), again(700), again(701)], ["done", "done", "ledger_transfer_differs"]);
        assert_eq!(treasury.balances(&ward, &lines[1])["available"], "8.00");
    }

    fn what_is_reserved_is_committed_by_another_or_goes_back(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let line = treasury.filled(&ward, "LA", "800.00");
        let (officer, approver) = (of(&ward, Role::BuyerOfficer, &treasury.department), of(&ward, Role::FinanceOfficer, &treasury.department));
        let reserve = |amount: &str| posts(&ward, &officer, &format!("/budget-lines/{line}/reservations"), Some(&json!({"amount": yuan(amount), "purpose": "续签的安保合同"})));
        refused(&reserve("800.01"), 409, "ledger_would_overdraw");
        refused(&reserve("0.00"), 422, "ledger_amount_not_positive");
        let hold = made(&reserve("705.60"));
        assert_eq!(gets(&ward, &officer, &format!("/budget-lines/{line}/holds")).json()["items"][0]["remaining"], yuan("705.60"));
        assert_eq!(gets(&ward, &officer, &format!("/budget-lines/{line}/holds")).json()["items"][0]["purpose"], "续签的安保合同");
        let commitment = format!("/ledger/holds/{hold}/commitment");
        let commit = |who, amount: &str| posts(&ward, who, &commitment, Some(&json!({"amount": yuan(amount)})));
        refused(&commit(&officer, "676.80"), 403, "forbidden");
        refused(&commit(&approver, "705.61"), 409, "ledger_hold_exceeded");
        refused(&commit(&approver, "0.00"), 422, "ledger_amount_not_positive");
        let committed = commit(&approver, "676.80");
        assert_eq!((committed.status, committed.json()["code"].clone()), (200, json!("committed")), "{}", committed.text);
        let balances = treasury.balances(&ward, &line);
        assert_eq!(balances, json!({"available": "123.20", "reserved": "0.00", "committed": "676.80", "retained": "0.00", "spent": "0.00", "returned": "0.00"}));
        refused(&commit(&approver, "1.00"), 409, "ledger_hold_ended");
        refused(&posts(&ward, &approver, &format!("/ledger/holds/{hold}/release"), None), 409, "ledger_hold_ended");
        let held = committed.json()["id"].as_str().unwrap().to_owned();
        refused(&posts(&ward, &approver, &format!("/ledger/holds/{held}/commitment"), Some(&json!({"amount": yuan("1.00")}))), 409, "ledger_not_reserved");
        let released = posts(&ward, &approver, &format!("/ledger/holds/{held}/release"), None);
        assert_eq!(released.json()["remaining"], yuan("0.00"));
        assert_eq!(treasury.balances(&ward, &line)["available"], "800.00");
        // One person alone does not commit what they reserved.
        let own = made(&posts(&ward, &approver, &format!("/budget-lines/{line}/reservations"), Some(&json!({"amount": yuan("1.00"), "purpose": "试"}))));
        refused(&posts(&ward, &approver, &format!("/ledger/holds/{own}/commitment"), Some(&json!({"amount": yuan("1.00")}))), 403, "separation_of_duties");
        let listed = gets(&ward, &officer, &format!("/budget-lines/{line}/holds?code=available"));
        assert_eq!((listed.status, listed.faults()[0].0.clone()), (400, "?code".to_owned()));
        ward.settle();
        let events = ward.events("budget.committed");
        let private: Value = serde_json::from_str(events[0]["opened"]["content"].as_str().unwrap()).unwrap();
        assert_eq!(private["transfers"].as_array().unwrap().len(), 2, "the rest goes back in the same act");
        for event in ward.events("budget.*") {
            assert_eq!(event["entry"]["data"], json!({}), "what is held is told to whoever may see the budget");
        }
    }

    fn a_statement_tells_how_an_account_stood_at_any_instant(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let line = treasury.filled(&ward, "LA", "800.00");
        let id = account(&ward, &line, AccountCode::Available);
        for (hour, amount) in [(1, "10.00"), (2, "20.00"), (3, "30.00")] {
            ward.context().clock.advance(format!("2026-03-02T0{hour}:00:00Z").parse().unwrap());
            made(&posts(&ward, &treasury.anna, &format!("/budget-lines/{line}/reservations"), Some(&json!({"amount": yuan(amount), "purpose": "试"}))));
        }
        let at = |at: &str| { let account = gets(&ward, &treasury.anna, &format!("/ledger/accounts/{id}?as_of={at}")).json(); (account["balance"]["amount"].as_str().unwrap().to_owned(), account["entries"].as_i64().unwrap()) };
        assert_eq!(at("2026-03-01T00:00:00Z"), ("0.00".to_owned(), 0));
        assert_eq!(at("2026-03-02T00:59:59Z"), ("800.00".to_owned(), 1));
        assert_eq!(at("2026-03-02T01:00:00Z"), ("790.00".to_owned(), 2), "what happens at the instant counts");
        assert_eq!(at("2026-03-02T02:30:00Z"), ("770.00".to_owned(), 3));
        assert_eq!(at("2030-01-01T00:00:00Z"), ("740.00".to_owned(), 4));
        let entries = gets(&ward, &treasury.anna, &format!("/ledger/accounts/{id}/entries?from=2026-03-02T01:00:00Z&until=2026-03-02T03:00:00Z")).json();
        let told: Vec<_> = entries["items"].as_array().unwrap().iter().map(|entry| (entry["number"].clone(), entry["amount"]["amount"].clone(), entry["balance"]["amount"].clone())).collect();
        assert_eq!(told, [(json!(2), json!("-10.00"), json!("790.00")), (json!(3), json!("-20.00"), json!("770.00"))]);
        let table = treasury.anna.asks(&ward, "GET", &format!("/api/v1/ledger/accounts/{id}/entries?limit=1")).header("accept", "text/csv").send();
        assert!(table.text.contains("1,2026-03-02T00:00:00.000000Z,allocation,direct,movement_") && table.header("link").is_some(), "{}", table.text);
        let transfer = entries["items"][0]["transfer"]["id"].as_str().unwrap();
        assert_eq!(gets(&ward, &treasury.anna, &format!("/ledger/transfers/{transfer}")).json()["phase"], "pending");
        // Σ = 0 at any instant.
        for instant in ["2026-03-01T00:00:00Z", "2026-03-02T01:00:00Z", "2026-03-02T02:30:00Z"] {
            let trial = ward.get(&format!("/api/v1/ledger/trial-balance?as_of={instant}")).json();
            assert_eq!(trial["debits"], trial["credits"], "{trial}");
        }
    }

    fn a_row_that_was_changed_behind_the_ledgers_back_is_found(ward) {
        let mut ward = ward;
        let treasury = Treasury::with(&ward, "1000.00");
        let line = treasury.filled(&ward, "LA", "800.00");
        made(&posts(&ward, &treasury.anna, &format!("/budget-lines/{line}/reservations"), Some(&json!({"amount": yuan("10.00"), "purpose": "试"}))));
        let found = verdict(&ward);
        assert!(found.holds(), "{found}");
        assert_eq!((found.accounts, found.transfers, found.entries, found.holds), (8, 3, 6, 1));
        for forbidden in ["UPDATE ledger_transfers SET amount_fen = 1", "DELETE FROM ledger_entries", "UPDATE ledger_entries SET amount_fen = 1", "DELETE FROM ledger_accounts",
            "UPDATE ledger_holds SET amount_fen = 1", "DELETE FROM budget_movements", "UPDATE budget_movements SET amount_fen = 1"] {
            assert!(sql(&ward, forbidden).unwrap_err().to_string().contains("append-only"), "{forbidden}");
        }
        sql(&ward, "UPDATE ledger_accounts SET balance_fen = -1 WHERE code = 'available'").unwrap_err();
        sql(&ward, "UPDATE ledger_accounts SET balance_fen = balance_fen + 1 WHERE code = 'available'").unwrap();
        let found = verdict(&ward);
        assert!(!found.holds() && found.to_string().contains("the row says 79001 fen in 2 entries, there are 79000 in 2") && found.to_string().contains("add up to 1 fen"), "{found}");
        sql(&ward, "UPDATE ledger_accounts SET balance_fen = balance_fen - 1 WHERE code = 'available'").unwrap();
        sql(&ward, "UPDATE ledger_holds SET remaining_fen = 999").unwrap();
        let found = verdict(&ward);
        assert!(found.to_string().contains("999 fen are held in it, and 1000 are in it") && found.to_string().contains("of 1000 fen held 0 were taken, and 999 are left"), "{found}");
        sql(&ward, "UPDATE ledger_holds SET remaining_fen = 1000").unwrap();
        assert!(verdict(&ward).holds());
        // Money that is moved with both entries and both balances right, and that nobody moved.
        let other = treasury.line(&ward, "LB", 2026, &treasury.department);
        let [from, to] = [&line, &other].map(|line| account(&ward, line, AccountCode::Available));
        let forged = "transfer_01jd3n8f5teqkrzvq1c0m6h2ax";
        let at = "'2026-03-02 00:00:00'";
        sql(&ward, &format!("INSERT INTO ledger_transfers VALUES ('{forged}', '{from}', '{to}', 100, 'transfer', 'direct', NULL, 'x', {at})")).unwrap();
        sql(&ward, &format!("INSERT INTO ledger_entries VALUES ('{from}', 3, '{forged}', -100, 78900, {at})")).unwrap();
        sql(&ward, &format!("INSERT INTO ledger_entries VALUES ('{to}', 1, '{forged}', 100, 100, {at})")).unwrap();
        sql(&ward, &format!("UPDATE ledger_accounts SET balance_fen = 78900, entries = 3 WHERE id = '{from}'")).unwrap();
        sql(&ward, &format!("UPDATE ledger_accounts SET balance_fen = 100, entries = 1 WHERE id = '{to}'")).unwrap();
        let found = verdict(&ward);
        // The log does not tell of it, and neither line is measured with it.
        assert_eq!((found.faults_found, found.faults[0].as_str()), (3, "of 4 transfers the log tells of 3"), "{found}");
        ward.restart(|_| ());
        assert_eq!(verdict(&ward).faults_found, 3);
        ward.log_must_hold = false; // Nor must the ledger.
    }

    fn what_was_decided_and_held_is_compared_with_what_moved(ward) {
        let mut ward = ward;
        ward.log_must_hold = false; // Nor must the ledger.
        let treasury = Treasury::with(&ward, "1000.00");
        let line = treasury.filled(&ward, "LA", "800.00");
        let other = treasury.filled(&ward, "LB", "100.00");
        let street = organisation(&ward, OrganisationKind::StreetOffice, None);
        let waiting = made(&treasury.proposes(&ward, &json!({"kind": "return", "fiscal_year": 2026, "from_line_id": line, "amount": yuan("1.00"), "reason": "上缴"})));
        let body = json!({"from_organisation_id": treasury.department, "to_organisation_id": street, "amount": yuan("5.00"), "from_line_id": line, "to_line_id": other});
        let drafted = made(&posts(&ward, &treasury.anna, "/delegations", Some(&body)));
        let hold = made(&posts(&ward, &treasury.anna, &format!("/budget-lines/{line}/reservations"), Some(&json!({"amount": yuan("10.00"), "purpose": "试"}))));
        assert!(verdict(&ward).holds());
        let faults = |found: &str| { let verdict = verdict(&ward); assert!(verdict.to_string().contains(found), "{found}: {verdict}"); verdict.faults_found };
        // A delegation is put into effect without its money.
        sql(&ward, &format!("UPDATE delegations SET state = 'effective', effective_by = 'x', effective_at = drafted_at WHERE id = '{drafted}'")).unwrap();
        assert_eq!(faults(&format!("{drafted}: it is effective with Some(500) fen, and its transfer moved None")), 1);
        // A movement is confirmed without its money.
        sql(&ward, &format!("UPDATE budget_movements SET state = 'confirmed', decided_by = 'x', decided_at = proposed_at WHERE id = '{waiting}'")).unwrap();
        assert_eq!(faults(&format!("{waiting}: it is confirmed")), 2);
        // A hold goes back to another line than it came from, in the name of a transfer that began none.
        let [from, elsewhere] = [&line, &other].map(|line| account(&ward, line, AccountCode::Available));
        let allocation = format!("(SELECT transfer_id FROM ledger_entries WHERE account_id = '{from}' AND number = 1)");
        sql(&ward, &format!("INSERT INTO ledger_holds SELECT {allocation}, account_id, '{elsewhere}', matter, 1, 0, opened_at FROM ledger_holds WHERE id = '{hold}'")).unwrap();
        assert_eq!(faults("it is not the hold that its transfer begins"), 4, "and nothing was taken from it");
    }

    fn whoever_moves_money_at_once_it_adds_up_and_nothing_is_overdrawn(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let lines = ["LA", "LB", "LC"].map(|code| treasury.filled(&ward, code, "1.00"));
        let accounts = lines.each_ref().map(|line| account(&ward, line, AccountCode::Available));
        let mut runner = TestRunner::new(Config { cases: 3, failure_persistence: None, ..Config::default() });
        let step = (0_usize..3, 0_usize..3, 1_i64..60);
        runner.run(&proptest::collection::vec(proptest::collection::vec(step, 12), 4), |clients| {
            let start = Barrier::new(clients.len());
            let told: Vec<Vec<&str>> = std::thread::scope(|threads| {
                let running: Vec<_> = clients.iter().map(|steps| {
                    let (ward, accounts, start) = (&ward, &accounts, &start);
                    threads.spawn(move || {
                        start.wait();
                        steps.iter().map(|(from, to, fen)| {
                            let order = order(&accounts[*from], &accounts[*to], *fen);
                            code(ward.context().db.write_and_wait(move |tx| { let order = order(tx); post(tx, vec![order]) }))
                        }).collect()
                    })
                }).collect();
                running.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            for outcome in told.iter().flatten() {
                prop_assert!(["done", "ledger_would_overdraw", "ledger_same_account"].contains(outcome), "{outcome}");
            }
            let found = verdict(&ward);
            prop_assert!(found.holds(), "{found}");
            let total: i64 = lines.iter().map(|line| treasury.balances(&ward, line)["available"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap()).sum();
            prop_assert_eq!(total, 300);
            Ok(())
        }).unwrap();
    }

    fn the_last_fen_goes_to_one_of_many(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let line = treasury.filled(&ward, "LA", "10.00");
        let start = Barrier::new(6);
        let mut statuses = std::thread::scope(|threads| {
            let running: Vec<_> = (0..6).map(|_| threads.spawn(|| {
                start.wait();
                posts(&ward, &treasury.anna, &format!("/budget-lines/{line}/reservations"), Some(&json!({"amount": yuan("4.00"), "purpose": "试"}))).status
            })).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 201, 409, 409, 409, 409]);
        assert_eq!(treasury.balances(&ward, &line)["available"], "2.00");
    }
}
