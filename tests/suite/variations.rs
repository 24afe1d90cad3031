//! Variations of a signed contract: what may be proposed, who signs it, what the money and the periods do, who sees it when, and what of two at once comes.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::award_sequences::BRISK;
use crate::awards::{Case, go_to, why};
use crate::books::{at_once, ok};
use crate::cast::{Person, person};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::spending;
use crate::treasury::{gets, made, of, posts, yuan};

/// A lot that is paid by the month, and whose book promises a renewal and threatens an end.
pub fn paid_monthly(lot: &mut Value) {
    lot["payment"] = json!({
        "advance_percent": "0", "periods_percent": "100", "retention_percent": "0", "period": "month", "periods": 12, "shares": []
    });
    lot["triggers"] = triggers();
}

/// What a book threatens and promises: rectification, another manager, the end, a renewal.
pub fn triggers() -> Value {
    let trigger = |outcome: &str, below: &str, times: u32, months_max: Value| json!({"outcome": outcome, "below": below, "times": times, "counting": "consecutive", "penalty_percent": null, "months_max": months_max});
    json!([
        trigger("rectification", "80", 1, Value::Null),
        trigger("replace_manager", "75", 1, Value::Null),
        trigger("termination", "70", 2, Value::Null),
        trigger("renewal", "80", 1, json!(36))
    ])
}

/// A contract for 2,298,600.00 from 1 May 2026 to 30 April 2027 in twelve times 191,550.00, signed on 14 April.
pub fn contract(ward: &Ward) -> (Case, String) {
    let case = Case::with(ward, 1, &BRISK, paid_monthly);
    let contract = case.signed(ward);
    (case, contract)
}

/// What a variation asks for.
pub fn asked(kind: &str, amount: &str, until: Option<&str>) -> Value {
    json!({"kind": kind, "cause": "area", "words_zh": "新增两条背街小巷", "words_en": "Two more back lanes", "amount": yuan(amount), "until": until})
}

/// Proposes one as the buyer's officer.
pub fn proposes(ward: &Ward, (case, contract): (&Case, &str), body: &Value) -> Reply {
    let path = format!("/contracts/{contract}/variations");
    posts(ward, &case.office.officer, &path, Some(body))
}

/// Signs one for a party by its own people.
pub fn signs(ward: &Ward, case: &Case, (variation, party): (&str, &str)) -> Reply {
    let who = if party == "buyer" {
        &case.office.approver
    } else {
        &case.bidders[1].agent
    };
    let sha256 = ok(&gets(ward, who, &format!("/variations/{variation}")))["sha256"].clone();
    let body = json!({"party": party, "sha256": sha256});
    posts(
        ward,
        who,
        &format!("/variations/{variation}/signatures"),
        Some(&body),
    )
}

/// Proposed, and signed by both.
fn concluded(ward: &Ward, about: (&Case, &str), body: &Value) -> Value {
    let variation = made(&proposes(ward, about, body));
    ok(&signs(ward, about.0, (&variation, "supplier")));
    ok(&signs(ward, about.0, (&variation, "buyer")))
}

fn places(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 422, "{}", reply.text);
    reply.faults().into_iter().map(|(place, _)| place).collect()
}

on_both! { in "test";
    fn a_contract_is_varied_within_its_bounds_and_the_money_moves_to_the_fen(ward) {
        let (case, contract) = contract(&ward);
        let (office, supplier) = (&case.office, &case.bidders[1].agent);
        let about = (&case, contract.as_str());
        let shown = || ok(&ward.get(&format!("/api/v1/contracts/{contract}")));
        let listed = |who: Option<&Person>| {
            let path = format!("/contracts/{contract}/variations");
            let reply = who.map_or_else(|| ward.get(&format!("/api/v1{path}")), |who| gets(&ward, who, &path));
            ok(&reply)["items"].as_array().unwrap().len()
        };
        assert_eq!((&shown()["price_now"], &shown()["ends_on"], listed(None)), (&yuan("2298600.00"), &Value::Null, 0));

        // Who may, and what of a form.
        let supplement = asked("supplement", "120000.00", None);
        let path = format!("/contracts/{contract}/variations");
        let stranger = person(&ward, &[Grant::of(Role::BuyerOfficer)]);
        for who in [&office.approver, supplier, &stranger] {
            refused(&posts(&ward, who, &path, Some(&supplement)), 403, "forbidden");
        }
        refused(&posts(&ward, &office.officer, "/contracts/contract_01jd3n8f5teqkrzvq1c0m6h2ax/variations", Some(&supplement)), 404, "not_found");
        assert_eq!(places(&proposes(&ward, about, &asked("supplement", "-1.00", Some("2027-05-31")))), ["/amount", "/until"]);
        assert_eq!(places(&proposes(&ward, about, &asked("extension", "1.00", Some("2027-04-30")))), ["/until"]);
        refused(&proposes(&ward, about, &asked("renewal", "1.00", Some("2027-06-30"))), 409, "renewal_scores_unknown");

        // Between the parties until both have signed the same bytes; who drafts does not sign.
        let both = person(&ward, &[Role::BuyerOfficer, Role::BuyerApprover].map(|role| Grant::of(role).in_organisation(office.treasury.department.clone())));
        let proposed = posts(&ward, &both, &path, Some(&supplement));
        let first = made(&proposed);
        let own = format!("/variations/{first}");
        assert_eq!((&proposed.json()["number"], &proposed.json()["state"], &proposed.json()["parts"]), (&json!(1), &json!("proposed"), &json!([])));
        assert_eq!((ward.get(&format!("/api/v1{own}")).status, ward.get(&format!("/api/v1{own}/content")).status, listed(None), listed(Some(supplier))), (404, 404, 0, 1));
        assert!(!ward.events("variation.proposed")[0]["entry"].to_string().contains("120000"), "what is asked for is private");
        refused(&proposes(&ward, about, &supplement), 409, "variation_pending");
        let hash = proposed.json()["sha256"].clone();
        let puts = |who: &Person, party: &str, hash: &Value| posts(&ward, who, &format!("{own}/signatures"), Some(&json!({"party": party, "sha256": hash})));
        refused(&puts(&office.officer, "buyer", &hash), 403, "forbidden");
        refused(&puts(supplier, "buyer", &hash), 403, "forbidden");
        refused(&puts(&case.bidders[0].agent, "supplier", &hash), 404, "not_found");
        refused(&puts(&both, "buyer", &hash), 403, "separation_of_duties");
        refused(&puts(supplier, "supplier", &json!("0".repeat(64))), 409, "variation_hash_differs");
        ok(&puts(supplier, "supplier", &hash));
        refused(&puts(supplier, "supplier", &hash), 409, "variation_signed_already");
        assert_eq!(case.balances(&ward), ["7701400.00", "0.00", "2298600.00"]);
        let done = ok(&puts(&office.approver, "buyer", &hash));
        assert_eq!((&done["state"], done["parts"].as_array().unwrap().len(), &done["parts"][11]["amount"]), (&json!("concluded"), 12, &yuan("10000.00")));
        assert_eq!((case.balances(&ward), &shown()["price_now"], listed(None)), (["7581400.00", "0.00", "2418600.00"].map(str::to_owned), &yuan("2418600.00"), 1));
        let content = ward.get(&format!("/api/v1{own}/content"));
        let told = ward.events("variation.concluded").pop().unwrap()["entry"]["data"].clone();
        assert_eq!((json!(hex::encode(Sha256::digest(content.text.as_bytes()))), &told["sha256"], &content.json()["price_after"]), (hash.clone(), &hash, &yuan("2418600.00")));
        refused(&puts(&office.approver, "buyer", &hash), 409, "variation_wrong_state");

        // Taken back, refused, and less: the contract's own commitment gives it back.
        let second = made(&proposes(&ward, about, &asked("reduction", "-240000.00", None)));
        let ends = |who: &Person, id: &str, what: &str| posts(&ward, who, &format!("/variations/{id}/{what}"), Some(&why()));
        refused(&ends(supplier, &second, "withdrawal"), 403, "forbidden");
        refused(&office.officer.asks(&ward, "POST", &format!("/api/v1/variations/{second}/withdrawal")).header("if-match", "\"v9\"").json(&why()).send(), 412, "version_stale");
        assert_eq!(ok(&ends(&office.officer, &second, "withdrawal"))["state"], "withdrawn");
        refused(&ends(supplier, &second, "refusal"), 409, "variation_wrong_state");
        let third = made(&proposes(&ward, about, &asked("reduction", "-240000.00", None)));
        refused(&ends(&office.approver, &third, "refusal"), 403, "forbidden");
        assert_eq!(ok(&ends(supplier, &third, "refusal"))["end_reason_zh"], "无法履约");
        assert_eq!((case.balances(&ward)[2].as_str(), listed(None), listed(Some(supplier))), ("2418600.00", 1, 3));
        let less = concluded(&ward, about, &asked("reduction", "-240000.00", None));
        assert_eq!((&less["number"], case.balances(&ward)), (&json!(4), ["7821400.00", "0.00", "2178600.00"].map(str::to_owned)));
        refused(&proposes(&ward, about, &asked("reduction", "-2178600.01", None)), 409, "variation_below_zero");

        // A reduction makes no room under the cap, which is all of the price by these rules.
        refused(&proposes(&ward, about, &asked("supplement", "2178600.01", None)), 409, "variation_over_cap");
        refused(&proposes(&ward, about, &asked("extension", "0.00", Some("2028-05-01"))), 409, "variation_extended_too_long");
        let longer = concluded(&ward, about, &asked("extension", "40000.00", Some("2027-05-20")));
        assert_eq!(longer["parts"], json!([{"period": 13, "first_day": "2027-05-01", "last_day": "2027-05-20", "amount": yuan("40000.00"), "is_added": true}]));
        assert_eq!((&shown()["price_now"], &shown()["ends_on"]), (&yuan("2218600.00"), &json!("2027-05-20")));

        // More than the line has is refused by name, and nothing of it is done.
        let back = json!({"kind": "withdrawal", "fiscal_year": 2026, "from_line_id": office.line, "amount": yuan("7781400.00"), "reason": "收回"});
        office.treasury.moves(&ward, &back);
        let dear = made(&proposes(&ward, about, &asked("supplement", "0.01", None)));
        ok(&signs(&ward, &case, (&dear, "supplier")));
        refused(&signs(&ward, &case, (&dear, "buyer")), 409, "ledger_would_overdraw");
        assert_eq!((ok(&gets(&ward, supplier, &format!("/variations/{dear}")))["signatures"].as_array().unwrap().len(), case.balances(&ward)), (1, ["0.00", "0.00", "2218600.00"].map(str::to_owned)));
        ok(&ends(&office.approver, &dear, "withdrawal"));

        // What has begun is not changed, and what both would sign is what holds when they do.
        go_to(&ward, "2026-05-15T02:00:00Z");
        let late = made(&proposes(&ward, about, &asked("reduction", "-12.00", None)));
        let said = ok(&gets(&ward, supplier, &format!("/variations/{late}/content")));
        assert_eq!((said["parts"].as_array().unwrap().len(), &said["parts"][0]["period"]), (12, &json!(2)));
        ok(&signs(&ward, &case, (&late, "supplier")));
        go_to(&ward, "2026-06-10T02:00:00Z");
        refused(&signs(&ward, &case, (&late, "buyer")), 409, "variation_overtaken");
        ok(&ends(&office.officer, &late, "withdrawal"));
        assert_eq!(lines(&ward, "SELECT state AS line FROM contract_variations ORDER BY number"), ["concluded", "withdrawn", "refused", "concluded", "concluded", "withdrawn", "withdrawn"]);
        for statement in ["UPDATE contract_variations SET amount_fen = 1", "DELETE FROM contract_variations", "UPDATE contract_variations SET state = 'proposed', closed_at = NULL", "UPDATE contract_variation_signatures SET party = 'buyer'", "DELETE FROM contract_variation_parts", "UPDATE contract_variation_parts SET amount_fen = 1"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
        spending::is_made_again(&ward);
    }

    fn whoever_acts_for_the_contractor_does_nothing_for_the_buyer(ward) {
        let (case, contract) = contract(&ward);
        let about = (&case, contract.as_str());
        let department = || case.office.treasury.department.clone();
        let both = person(&ward, &[
            Grant::of(Role::BuyerOfficer).in_organisation(department()),
            Grant::of(Role::BuyerApprover).in_organisation(department()),
            Grant::of(Role::SupplierAgent).in_organisation(case.bidders[1].id.parse().unwrap()),
        ]);
        let does = |path: &str, body: &Value| posts(&ward, &both, path, Some(body));
        let forbidden = |reply: &Reply| refused(reply, 403, "contract_acting_for_both");
        let body = asked("supplement", "100.00", None);
        forbidden(&does(&format!("/contracts/{contract}/variations"), &body));
        let variation = made(&proposes(&ward, about, &body));
        let sha256 = ok(&gets(&ward, &both, &format!("/variations/{variation}")))["sha256"].clone();
        let signs = |party: &str| does(&format!("/variations/{variation}/signatures"), &json!({"party": party, "sha256": sha256}));
        forbidden(&signs("buyer"));
        ok(&signs("supplier"));
        forbidden(&does(&format!("/variations/{variation}/withdrawal"), &why()));
        let notice = json!({"wrong_zh": "果皮超标", "wrong_en": "Too much peel", "working_days": 3});
        let path = format!("/contracts/{contract}/rectifications");
        go_to(&ward, "2026-05-04T02:00:00Z");
        forbidden(&does(&path, &notice));
        let notice = made(&posts(&ward, &case.office.officer, &path, Some(&notice)));
        ok(&does(&format!("/rectifications/{notice}/report"), &json!({"report": "已清理", "attachment_ids": []})));
        forbidden(&does(&format!("/rectifications/{notice}/decision"), &json!({"is_accepted": true, "decision_zh": "通过", "decision_en": "Accepted"})));
        let end = json!({"ground": "agreement", "reason_zh": "协商", "reason_en": "Agreed", "effective_on": "2026-06-30", "settlement": yuan("100.00"),
            "basis_zh": "按日", "basis_en": "By days", "statement_until": "2026-05-20"});
        let path = format!("/contracts/{contract}/terminations");
        forbidden(&does(&path, &end));
        let mut beyond = end.clone();
        beyond["effective_on"] = json!("2027-05-01");
        assert_eq!(places(&posts(&ward, &case.office.officer, &path, Some(&beyond))), ["/effective_on"], "an end does not prolong");
        let end = made(&posts(&ward, &case.office.officer, &path, Some(&end)));
        go_to(&ward, "2026-05-21T02:00:00Z");
        forbidden(&does(&format!("/terminations/{end}/decision"), &json!({"ends": true, "decision_zh": "同意", "decision_en": "Agreed"})));
    }

    fn of_two_at_once_one_lawful_thing_comes(ward) {
        let (case, contract) = contract(&ward);
        let about = (&case, contract.as_str());
        let officer = of(&ward, Role::BuyerOfficer, &case.office.treasury.department);
        let body = asked("supplement", "100.00", None);
        let path = format!("/contracts/{contract}/variations");

        // Two proposals: one is pending.
        let replies = at_once([&|| proposes(&ward, about, &body), &|| posts(&ward, &officer, &path, Some(&body))]);
        let mut statuses = replies.each_ref().map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", replies[0].text, replies[1].text);
        let won = usize::from(replies[0].status != 201);
        refused(&replies[1 - won], 409, "variation_pending");
        let first = made(&replies[won]);

        // Both signatures: concluded once.
        let replies = at_once([&|| signs(&ward, &case, (&first, "supplier")), &|| signs(&ward, &case, (&first, "buyer"))]);
        assert_eq!(replies.each_ref().map(|reply| reply.status), [200, 200], "{} {}", replies[0].text, replies[1].text);
        assert_eq!((ward.events("variation.concluded").len(), case.balances(&ward)[2].as_str()), (1, "2298700.00"));

        // The last signature, and the withdrawal.
        let second = made(&proposes(&ward, about, &body));
        ok(&signs(&ward, &case, (&second, "supplier")));
        let withdraw = || posts(&ward, &case.office.officer, &format!("/variations/{second}/withdrawal"), Some(&why()));
        let [signed, withdrawn] = at_once([&|| signs(&ward, &case, (&second, "buyer")), &withdraw]);
        let committed = case.balances(&ward)[2].clone();
        match (signed.status, withdrawn.status) {
            (200, 409) => assert_eq!((withdrawn.code().as_str(), committed.as_str()), ("variation_wrong_state", "2298800.00")),
            (409, 200) => assert_eq!((signed.code().as_str(), committed.as_str()), ("variation_wrong_state", "2298700.00")),
            other => panic!("{other:?}: {} {}", signed.text, withdrawn.text),
        }
    }
}
