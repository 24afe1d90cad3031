//! Interest for what was paid late: claimed once that is paid, no more than has accrued, out of the line's free money and by the same hands.

use serde_json::json;

use crate::awards::go_to;
use crate::books::ok;
use crate::claims::{Counter, by_months};
use crate::on_both;
use crate::organisations::refused;
use crate::spending;
use crate::treasury::yuan;

on_both! { in "test";
    fn what_was_late_is_paid_for_once_and_out_of_free_money(ward) {
        let counter = Counter::new(&ward, "2027-04-30", by_months);
        let (work, officer) = (&counter.work, counter.officer());
        let (approves, executes) = (&counter.approves, &counter.executes);
        let interest = |amount: &str, invoice: &str| Counter::of_part("interest", amount, invoice);
        go_to(&ward, "2026-06-01T02:00:00Z");
        counter.accepts(1);
        let late = counter.approved(&Counter::of_period(1, "191550.00", "P1"));
        // Ten days late, and not paid: interest is shown, and cannot be claimed yet.
        go_to(&ward, "2026-07-11T02:00:00Z");
        assert_eq!((&counter.shown(&late)["days_late"], &counter.shown(&late)["interest"]), (&json!(10), &yuan("957.75")));
        refused(&counter.claims(work.supplier(), &interest("957.75", "I1")), 409, "claim_no_interest");
        ok(&counter.acts(executes, &late, "execution"));
        assert_eq!(counter.balances(), ["7701400.00", "2107050.00", "0.00", "191550.00"]);
        refused(&counter.claims(work.supplier(), &interest("957.76", "I1")), 409, "claim_beyond_price");
        refused(&counter.claims(officer, &interest("957.75", "I1")), 403, "forbidden");

        // Certified out of the line's free money, which waits for this claim alone.
        let claim = counter.claimed(&interest("957.75", "I1"));
        let certified = ok(&counter.certifies(officer, &claim, &json!({})));
        assert_eq!((&certified["certified"]["amount"], &certified["certified"]["sha256"]), (&yuan("957.75"), &json!(null)));
        assert_eq!(counter.balances(), ["7700442.25", "2108007.75", "0.00", "191550.00"]);
        assert_eq!(counter.totals()["committed"], yuan("2107050.00"), "what is committed for the contract is not touched");
        let more = counter.claimed(&interest("1.00", "I2"));
        refused(&counter.certifies(officer, &more, &json!({})), 409, "claim_nothing_payable");
        // Sent back, it is free again.
        ok(&counter.ends(approves, &claim, "return"));
        assert_eq!(counter.balances(), ["7701400.00", "2107050.00", "0.00", "191550.00"]);
        let claim = counter.claimed(&interest("957.75", "I1"));
        ok(&counter.certifies(officer, &claim, &json!({})));
        refused(&counter.acts(officer, &claim, "approval"), 403, "forbidden");
        ok(&counter.acts(approves, &claim, "approval"));
        refused(&counter.acts(approves, &claim, "execution"), 403, "separation_of_duties");
        ok(&counter.acts(executes, &claim, "execution"));
        assert_eq!(counter.balances(), ["7700442.25", "2107050.00", "0.00", "192507.75"]);
        // It comes back, is free again, and is claimed anew.
        ok(&counter.ends(&counter.reconciles, &claim, "failure"));
        assert_eq!(counter.balances(), ["7701400.00", "2107050.00", "0.00", "191550.00"]);
        let claim = counter.approved(&interest("957.75", "I1"));
        go_to(&ward, "2026-09-30T02:00:00Z");
        ok(&counter.acts(executes, &claim, "execution"));
        ok(&counter.confirms(&counter.reconciles, &claim));
        // Interest that is late bears none.
        let shown = counter.shown(&claim);
        assert_eq!((&shown["interest"], shown["days_late"].as_i64().unwrap() > 0), (&yuan("0.00"), true));
        let totals = counter.totals();
        assert_eq!(["paid", "interest", "interest_claimed", "interest_paid"].map(|member| totals[member].clone()), ["191550.00", "957.75", "958.75", "957.75"].map(yuan));
        refused(&counter.certifies(officer, &more, &json!({})), 409, "claim_nothing_payable");

        // As much as the line has, and nothing if it has nothing.
        counter.accepts(2);
        let second = counter.approved(&Counter::of_period(2, "191550.00", "P2"));
        go_to(&ward, "2026-11-29T02:00:00Z");
        ok(&counter.acts(executes, &second, "execution"));
        let accrued = counter.shown(&second)["interest"]["amount"].as_str().unwrap().to_owned();
        assert!(accrued != "0.00");
        let office = &counter.work.case.office;
        let withdraw = |amount: &str| {
            let body = json!({"kind": "withdrawal", "fiscal_year": 2026, "from_line_id": office.line, "amount": yuan(amount), "reason": "收回"});
            office.treasury.moves(&ward, &body);
        };
        withdraw("7700441.25");
        let third = counter.claimed(&interest(&accrued, "I3"));
        let less = json!({"less_zh": "预算项余额不足", "less_en": "The line has no more"});
        assert_eq!(ok(&counter.certifies(officer, &third, &less))["certified"]["amount"], yuan("1.00"));
        assert_eq!(counter.balances()[0], "0.00");
        let fourth = counter.claimed(&interest(&accrued, "I4"));
        refused(&counter.certifies(officer, &fourth, &less), 409, "claim_interest_unfunded");
        ok(&counter.ends(approves, &third, "return"));
        assert_eq!(counter.balances()[0], "1.00");
        spending::is_made_again(&ward);
    }
}
