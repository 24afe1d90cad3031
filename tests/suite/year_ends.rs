//! What is still held when a fiscal year is over: nothing is paid with it before two people have decided; carried over it is held for the same in the next year's line, and paid
//! there; given back it is held for nothing.

use std::sync::Barrier;

use serde_json::{Value, json};
use wardbook::kernel::party::OrganisationKind;
use wardbook::web::policy::Role;

use crate::awards::go_to;
use crate::books::ok;
use crate::cast::{Person, organisation};
use crate::claims::{Counter, by_halves, by_months};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::spending;
use crate::treasury::{Treasury, gets, made, of, posts, yuan};

fn undecided(ward: &Ward, treasury: &Treasury) -> Vec<Value> {
    let list = ok(&gets(
        ward,
        &treasury.anna,
        &format!("/funds/{}/undecided-holds", treasury.fund),
    ));
    list["items"].as_array().unwrap().clone()
}

fn proposes(ward: &Ward, who: &Person, hold: &Value, body: &Value) -> Reply {
    posts(
        ward,
        who,
        &format!("/ledger/holds/{}/year-ends", hold["id"].as_str().unwrap()),
        Some(body),
    )
}

fn decides(ward: &Ward, who: &Person, id: &str, what: &str) -> Reply {
    let body = json!({"reason": "另议"});
    posts(
        ward,
        who,
        &format!("/year-ends/{id}/{what}"),
        (what != "confirmation").then_some(&body),
    )
}

/// What is free, committed, kept back, spent and given back of a line.
fn stands(ward: &Ward, treasury: &Treasury, line: &str) -> [String; 5] {
    let all = treasury.balances(ward, line);
    ["available", "committed", "retained", "spent", "returned"]
        .map(|code| all[code].as_str().unwrap().to_owned())
}

on_both! { in "test";
    fn a_contract_goes_on_in_the_next_years_line_once_two_people_have_said_so(ward) {
        let counter = Counter::new(&ward, "2027-04-30", by_months);
        let executes = &counter.executes;
        let office = &counter.work.case.office;
        let treasury = &office.treasury;
        go_to(&ward, "2026-06-01T02:00:00Z");
        counter.accepts(1);
        let first = counter.approved(&Counter::of_period(1, "100000.00", "A"));
        let second = counter.approved(&Counter::of_period(1, "91550.00", "B"));
        for claim in [&first, &second] {
            ok(&counter.acts(executes, claim, "execution"));
        }
        go_to(&ward, "2026-07-01T02:00:00Z");
        counter.accepts(2);
        let third = counter.approved(&Counter::of_period(2, "191550.00", "C"));
        assert!(undecided(&ward, treasury).is_empty());
        let old = stands(&ward, treasury, &office.line);
        assert_eq!(old, ["7701400.00", "2107050.00", "0.00", "191550.00", "0.00"]);

        // The year is over: what is held waits, and nothing is paid with it.
        go_to(&ward, "2027-01-04T02:00:00Z");
        let next = treasury.line(&ward, "N-27", 2027, &treasury.department);
        refused(&counter.acts(executes, &third, "execution"), 409, "fiscal_year_undecided");
        let waiting = undecided(&ward, treasury);
        assert_eq!((waiting.len(), &waiting[0]["remaining"], &waiting[0]["matter"], &waiting[0]["code"]), (1, &yuan("2107050.00"), &json!(counter.work.contract), &json!("committed")));
        let hold = &waiting[0];
        let carry = json!({"kind": "carry_over", "to_line_id": next, "reason": "跨年合同"});
        let stranger = of(&ward, Role::FinanceOfficer, &organisation(&ward, OrganisationKind::Department, None));
        refused(&proposes(&ward, &stranger, hold, &carry), 404, "not_found");
        refused(&proposes(&ward, &treasury.boris, hold, &carry), 403, "forbidden");
        assert_eq!(proposes(&ward, &treasury.anna, hold, &json!({"kind": "carry_over", "reason": " "})).faults().into_iter().map(|(place, _)| place).collect::<Vec<_>>(), ["/to_line_id", "/reason"]);
        refused(&proposes(&ward, &treasury.anna, hold, &json!({"kind": "carry_over", "to_line_id": office.line, "reason": "因"})), 409, "budget_lines_do_not_fit");
        let taken = made(&proposes(&ward, &treasury.anna, hold, &carry));
        refused(&proposes(&ward, &treasury.anna, hold, &json!({"kind": "return", "reason": "因"})), 409, "year_end_proposed_already");
        ok(&decides(&ward, &treasury.anna, &taken, "withdrawal"));
        let refused_one = made(&proposes(&ward, &treasury.anna, hold, &carry));
        ok(&decides(&ward, &treasury.boris, &refused_one, "refusal"));
        refused(&decides(&ward, &treasury.boris, &refused_one, "confirmation"), 409, "year_end_decided");
        let id = made(&proposes(&ward, &treasury.anna, hold, &carry));
        refused(&decides(&ward, &treasury.anna, &id, "confirmation"), 403, "separation_of_duties");
        refused(&decides(&ward, &stranger, &id, "confirmation"), 404, "not_found");
        refused(&counter.acts(executes, &third, "execution"), 409, "fiscal_year_undecided");
        assert_eq!(stands(&ward, treasury, &office.line), old, "nothing has moved yet");
        // Four confirm it at once: once.
        let start = Barrier::new(4);
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| { start.wait(); decides(&ward, &treasury.boris, &id, "confirmation") });
            }
        });
        let list = ok(&gets(&ward, &treasury.boris, &format!("/funds/{}/year-ends?state=confirmed", treasury.fund)));
        if list["items"].as_array().unwrap().is_empty() {
            ok(&decides(&ward, &treasury.boris, &id, "confirmation"));
        }
        assert_eq!(stands(&ward, treasury, &office.line), ["7701400.00", "0.00", "0.00", "191550.00", "0.00"]);
        assert_eq!(stands(&ward, treasury, &next), ["0.00", "2107050.00", "0.00", "0.00", "0.00"]);
        assert!(undecided(&ward, treasury).is_empty());
        assert_eq!(counter.totals()["committed"], yuan("2107050.00"));

        // Paid out of the new line, and back into it.
        ok(&counter.acts(executes, &third, "execution"));
        assert_eq!(stands(&ward, treasury, &next), ["0.00", "1915500.00", "0.00", "191550.00", "0.00"]);
        // Interest for what is late comes out of the line that the contract is paid from now.
        let late = counter.claimed(&Counter::of_part("interest", "0.01", "I"));
        refused(&counter.certifies(counter.officer(), &late, &json!({})), 409, "claim_interest_unfunded");
        // What was paid in the old year and comes back in the new one is money of the old year, and waits to be decided.
        ok(&counter.ends(&counter.reconciles, &second, "failure"));
        assert_eq!(stands(&ward, treasury, &office.line), ["7701400.00", "91550.00", "0.00", "100000.00", "0.00"]);
        let again = counter.approved(&Counter::of_period(1, "91550.00", "B"));
        refused(&counter.acts(executes, &again, "execution"), 409, "fiscal_year_undecided");
        let hold = undecided(&ward, treasury).remove(0);
        let back = made(&proposes(&ward, &treasury.anna, &hold, &json!({"kind": "return", "reason": "上缴"})));
        ok(&decides(&ward, &treasury.boris, &back, "confirmation"));
        assert_eq!(stands(&ward, treasury, &office.line), ["7701400.00", "0.00", "0.00", "100000.00", "91550.00"]);
        ok(&counter.acts(executes, &again, "execution"));
        ok(&counter.ends(&counter.reconciles, &third, "failure"));
        assert_eq!(stands(&ward, treasury, &next), ["0.00", "2015500.00", "0.00", "91550.00", "0.00"]);
        let events = ward.events("year_end.*");
        assert_eq!(events.len(), 8, "four proposed, one withdrawn, one refused, two confirmed");
        assert!(!events.iter().any(|event| event["entry"].to_string().contains("2107050")), "how much is for whoever may see the budget");
        for statement in ["UPDATE year_ends SET amount_fen = 1", "UPDATE year_ends SET state = 'proposed', decided_by = NULL, decided_at = NULL WHERE state = 'confirmed'", "DELETE FROM year_ends"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
        spending::is_made_again(&ward);
    }

    fn what_is_kept_back_is_carried_over_as_well_and_reservations_of_books_are_not(ward) {
        let counter = Counter::new(&ward, "2026-10-31", by_halves);
        let executes = &counter.executes;
        let office = &counter.work.case.office;
        let treasury = &office.treasury;
        go_to(&ward, "2026-08-03T02:00:00Z");
        counter.accepts(1);
        let first = counter.approved(&Counter::of_period(1, "976905.00", "P1"));
        ok(&counter.acts(executes, &first, "execution"));
        assert_eq!(stands(&ward, treasury, &office.line), ["7701400.00", "1264230.00", "57465.00", "976905.00", "0.00"]);
        // A reservation by hand.
        let by_hand = posts(&ward, &treasury.anna, &format!("/budget-lines/{}/reservations", office.line), Some(&json!({"amount": yuan("1000.00"), "purpose": "零星采购"})));
        made(&by_hand);
        go_to(&ward, "2026-11-16T02:00:00Z");
        counter.accepts(2);
        go_to(&ward, "2027-01-04T02:00:00Z");
        let next = treasury.line(&ward, "N-27", 2027, &treasury.department);
        let carry = json!({"kind": "carry_over", "to_line_id": next, "reason": "跨年合同"});
        let waiting = undecided(&ward, treasury);
        let mut codes: Vec<_> = waiting.iter().map(|hold| hold["code"].as_str().unwrap()).collect();
        codes.sort_unstable();
        assert_eq!(codes, ["committed", "reserved", "retained"]);
        for hold in &waiting {
            let id = made(&proposes(&ward, &treasury.anna, hold, &carry));
            ok(&decides(&ward, &treasury.boris, &id, "confirmation"));
        }
        assert_eq!(stands(&ward, treasury, &next), ["0.00", "1264230.00", "57465.00", "0.00", "0.00"]);
        assert_eq!(treasury.balances(&ward, &next)["reserved"], "1000.00");
        // The rest of the contract, and what was kept back, in the next year.
        let last = counter.approved(&Counter::of_period(2, "976905.00", "P2"));
        ok(&counter.acts(executes, &last, "execution"));
        let kept = counter.approved(&Counter::of_part("retention", "114930.00", "R"));
        ok(&counter.acts(executes, &kept, "execution"));
        assert_eq!(stands(&ward, treasury, &next), ["0.00", "229860.00", "0.00", "1091835.00", "0.00"]);
        ok(&counter.ends(&counter.reconciles, &kept, "failure"));
        assert_eq!(stands(&ward, treasury, &next), ["0.00", "229860.00", "114930.00", "976905.00", "0.00"]);
    }
}
