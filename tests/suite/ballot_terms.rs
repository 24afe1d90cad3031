//! What becomes of a ballot whose terms are changed behind the service's back, by whoever can write the database: it is counted, and binds nobody.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use wardbook::ballots::acts_counting::count;
use wardbook::ballots::rules_derivation::{Derivation, Outcome};
use wardbook::db::writer::Tx;
use wardbook::kernel::refusal::{Answer, Fault};

use crate::awards::go_to;
use crate::ballot_rolls::{disarmed, reachable};
use crate::ballots::{Polled, polling, recomputed, says};
use crate::books::ok;
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::pages::{is_page, opened};
use crate::treasury::made;

const OPENS: &str = "2026-05-20T00:00:00Z";
const CLOSES: &str = "2026-05-27T00:00:00Z";

/// What a ballot would come to if somebody changed this of it: all of it is undone.
fn supposed(ward: &Ward, ballot: &str, change: &str) -> Derivation {
    let (polling, id): (_, wardbook::ballots::rules::BallotId) = (polling(ward), ballot.parse().unwrap());
    let statement = format!("UPDATE ballots SET {change}");
    let undone = move |tx: &mut Tx<'_>| -> Answer<Derivation> {
        tx.conn()
            .batch_execute(&statement)
            .map_err(|error| Fault::caused("change a ballot", error))?;
        let found = count(tx, &polling, &id)?;
        tx.nothing_to_change();
        Ok(found)
    };
    ward.context().db.write_and_wait(undone).unwrap()
}

/// Terms in which one text stands for another.
fn with(one: &str, other: &str) -> String {
    format!("terms = replace(terms, '{one}', '{other}')")
}

on_both! { in "test";
    fn a_ballot_under_other_terms_than_it_was_called_with_binds_nobody(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let auditor = reachable(&ward, &polled);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        for code in &codes {
            ok(&polled.votes(code, &says("satisfied")));
        }
        go_to(&ward, CLOSES);
        disarmed(&ward);
        // As it is, it binds.
        let honest = supposed(&ward, &ballot, "title_en = title_en");
        assert_eq!((honest.outcome, honest.terms_changed.len()), (Outcome::Binding, 0));
        let terms = "terms_sha256";
        let double = r#""double_tally":{"approves_from":"60","area_m2":"1200","participation_area":{"numerator":2,"denominator":3,"exceeded":false},"participation_heads":{"numerator":2,"denominator":3,"exceeded":false},"majority_area":{"numerator":1,"denominator":2,"exceeded":true},"majority_heads":{"numerator":1,"denominator":2,"exceeded":true}},"quorum_percent""#;
        let changes = [
            ("opens_at = '2026-05-19 00:00:00'".to_owned(), "opens_at"),
            ("closes_at = '2026-05-26 00:00:00'".to_owned(), "closes_at"),
            ("electorate = 99".to_owned(), "electorate"),
            ("matter_number = 2".to_owned(), "matter_number"),
            ("kind = 'appraisal'".to_owned(), "kind"),
            (with(r#""quorum_percent":50"#, r#""quorum_percent":1"#), terms),
            (with(r#""unit":"residents""#, r#""unit":"households""#), terms),
            (with("All in all, how satisfied", "All in all, how dissatisfied"), terms),
            (with(r#""weight":1"#, r#""weight":2"#), terms),
            (with(r#""value":"80""#, r#""value":"99""#), terms),
            (with("Very satisfied", "Not satisfied"), terms),
            (with(r#""may_abstain":true"#, r#""may_abstain":false"#), terms),
            (with(r#""cell_ballots_min":10"#, r#""cell_ballots_min":1"#), terms),
            // Nobody has a dwelling of which the roll has the area.
            (with(r#""quorum_percent""#, double), terms),
        ];
        for (change, name) in &changes {
            let found = supposed(&ward, &ballot, change);
            assert_eq!((found.outcome, found.terms_changed.as_slice(), found.ballots), (Outcome::TermsChanged, &[(*name).to_owned()][..], 13), "{change}");
            // All votes together, and no part of them.
            assert_eq!((found.cells.len(), found.double_tally.is_none(), found.cell_ballots_min), (1, true, 10), "{change}");
        }
        // A question more than was answered: nothing can be read, and nothing is told.
        let question = r#""questions":[{"code":"more","text_zh":"甲","text_en":"A","weight":1},"#;
        let found = supposed(&ward, &ballot, &with(r#""questions":["#, question));
        assert_eq!((found.outcome, found.ballots, found.terms_changed.len()), (Outcome::Withheld, 0, 1));

        // Whoever does it in earnest is found out by everybody.
        assert_eq!(sql(&ward, &format!("UPDATE ballots SET {}", with(r#""value":"80""#, r#""value":"99""#))).unwrap(), 1);
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["outcome"], &tally["terms_changed"], &tally["score"]), (&json!("terms_changed"), &json!([terms]), &json!("99.00")));
        assert_eq!(ok(&ward.get(&format!("/api/v1/ballots/{ballot}")))["result"]["outcome"], "terms_changed");
        assert_eq!(polled.rating(), ("non_binding".to_owned(), Value::Null, 13));
        let closed = ward.events("ballot.closed").remove(0)["entry"]["data"].clone();
        assert_eq!((&closed["terms_changed"], &closed["outcome"]), (&json!([terms]), &json!("terms_changed")));
        let output = recomputed(&ward, &ward.get(&format!("/api/v1/ballots/{ballot}/record")).text, true);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(1) && said.contains("the terms have changed since the call") && said.contains("and the log's call"), "{said}");
        let mut readers = vec![polled.officer().id.to_string(), auditor.id.to_string()];
        readers.sort();
        assert_eq!(lines(&ward, "SELECT account_id AS line FROM outbox WHERE kind = 'ballot.terms_changed' ORDER BY account_id"), readers);
    }

    /// Whoever swaps what choices are called while others vote, and puts it back before the count, would turn votes round unseen: there are none meanwhile.
    fn words_that_are_swapped_while_others_vote_take_no_votes(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        for code in &codes[1..] {
            ok(&polled.votes(code, &says("satisfied")));
        }
        disarmed(&ward);
        let page = format!("/v/{}", codes[0]);
        is_page(&opened(&ward, &page), 200);
        for change in [with("Very satisfied", "Not satisfied"), "title_en = 'Something else'".to_owned()] {
            let kept = lines(&ward, "SELECT terms || '|' || title_en AS line FROM ballots").remove(0);
            let (terms, title) = kept.rsplit_once('|').unwrap();
            assert_eq!(sql(&ward, &format!("UPDATE ballots SET {change}")).unwrap(), 1);
            refused(&polled.votes(&codes[0], &says("fair")), 409, "ballot_terms_changed");
            refused(&polled.votes(&codes[1], &says("fair")), 409, "ballot_terms_changed");
            is_page(&opened(&ward, &page), 409);
            let back = format!("UPDATE ballots SET terms = '{}', title_en = '{}'", terms.replace('\'', "''"), title.replace('\'', "''"));
            assert_eq!(sql(&ward, &back).unwrap(), 1);
        }
        ok(&polled.votes(&codes[0], &says("fair")));
        go_to(&ward, CLOSES);
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["outcome"], &tally["ballots"]), (&json!("binding"), &json!(13)));
    }

    /// A close that is put off takes no votes after that of the call, and what was cast before binds nobody.
    fn a_close_that_is_put_off_binds_nobody(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        for code in &codes[1..] {
            ok(&polled.votes(code, &says("satisfied")));
        }
        disarmed(&ward);
        assert_eq!(sql(&ward, "UPDATE ballots SET closes_at = '2026-05-28 00:00:00'").unwrap(), 1);
        go_to(&ward, CLOSES);
        refused(&polled.votes(&codes[0], &says("very_dissatisfied")), 409, "ballot_terms_changed");
        go_to(&ward, "2026-05-28T00:00:00Z");
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["outcome"], &tally["terms_changed"], &tally["ballots"]), (&json!("terms_changed"), &json!(["closes_at"]), &json!(12)));
        assert_eq!(polled.rating().0, "non_binding");
        let output = recomputed(&ward, &ward.get(&format!("/api/v1/ballots/{ballot}/record")).text, true);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(1) && said.contains("closes_at"), "{said}");
    }
}
