//! Votes that are tallied by area and by heads: whose dwellings count, that the roll's areas are frozen with it, that the two tallies are apart, and that no area of
//! a single dwelling is told.

use serde_json::{Value, json};

use crate::awards::go_to;
use crate::ballots::{Polled, recomputed, says};
use crate::books::ok;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::treasury::{gets, made, posts};

const OPENS: &str = "2026-05-20T00:00:00Z";
const CLOSES: &str = "2026-05-27T00:00:00Z";

/// Thirty dwellings with an owner each, half of them of 120 m² and half of 60.50 m², in the order of their codes, and one that is let.
fn owned(ward: &crate::harness::Ward, polled: &Polled<'_>) {
    let mut table = String::from("户号,姓名,出生日期,面积,业主\n");
    for at in 0..30 {
        let area = if at < 15 { "120" } else { "60.50" };
        table.push_str(&format!(
            "d{at:02}-1,业主{at},1970-01-01,{area},是\nd{at:02}-1,家人{at},1950-01-01,{area},否\n"
        ));
    }
    table.push_str("e00-1,租客,1980-01-01,88,否\n");
    polled.communities[0].imported(ward, "", &table);
}

on_both! { in "test";
    fn owners_decide_by_area_and_by_heads_apart(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        owned(&ward, &polled);
        let officer = polled.officer();
        let by_area = |unit: &str, from: &str| polled.calls(officer, |body| {
            body["unit"] = json!(unit);
            body["double_tally"] = json!({"approves_from": from});
        });
        assert_eq!(by_area("residents", "60").faults(), [("/double_tally".to_owned(), "invalid".to_owned())]);
        assert_eq!(by_area("households", "0").faults(), [("/double_tally/approves_from".to_owned(), "invalid".to_owned())]);
        // Somebody owns a dwelling of which the roll has no area.
        let gui = &polled.communities[0];
        gui.imported(&ward, "", "户号,姓名,出生日期,业主\nf00-1,无面积,1970-01-01,是\n");
        refused(&by_area("households", "60"), 409, "ballot_area_unknown");
        let without = gui.all(&ward).iter().find(|one| one["name"] == "无面积").unwrap()["id"].as_str().unwrap().to_owned();
        let left = gui.about(&ward, "POST", &format!("residents/{without}/departure")).header("if-match", "*").json(&json!({"reason": "moved_away"})).send();
        assert_eq!(left.status, 200, "{}", left.text);

        let ballot = made(&by_area("households", "60"));
        let path = format!("/api/v1/ballots/{ballot}");
        let view = ok(&ward.get(&path));
        // Fifteen of 120 m², fifteen of 60.50 m²; who rents has no vote, nor has who is not known to own.
        assert_eq!((&view["electorate"], &view["double_tally"]["area_m2"], &view["double_tally"]["approves_from"]), (&json!(30), &json!("2707.50"), &json!("60")));
        assert_eq!(view["double_tally"]["majority_area"], json!({"numerator": 1, "denominator": 2, "exceeded": true}));
        let codes = polled.codes(0, &ballot);
        assert_eq!(codes.len(), 30);
        // What the roll says afterwards changes nothing.
        let household = gui.all(&ward).iter().find(|one| one["name"] == "业主0").unwrap()["household"]["id"].as_str().unwrap().to_owned();
        let changed = gui.about(&ward, "PATCH", &format!("households/{household}")).header("if-match", "*").json(&json!({"dwelling_area_m2": "99999"})).send();
        assert_eq!(changed.status, 200, "{}", changed.text);
        assert!(sql(&ward, "UPDATE ballot_voters SET area_dm2 = 1").is_err());

        // Ten large dwellings approve, ten small ones do not: more than half of the area, and no more than half of the heads.
        go_to(&ward, OPENS);
        for code in &codes[..10] {
            ok(&polled.votes(code, &says("fair")));
        }
        for code in &codes[20..] {
            ok(&polled.votes(code, &says("dissatisfied")));
        }
        go_to(&ward, CLOSES);
        let tally = ok(&ward.get(&format!("{path}/tally")));
        assert_eq!((&tally["outcome"], &tally["score"]), (&json!("binding"), &json!("50.00")));
        let double = &tally["double_tally"];
        assert_eq!((&double["participating_heads"], &double["participating_area_m2"], &double["by_heads"], &double["by_area"]), (&json!(20), &json!("1805.00"), &json!(true), &json!(true)));
        assert_eq!(double["questions"], json!([{"question": "overall", "approving_heads": 10, "by_heads": false, "approving_area_m2": "1200.00", "by_area": true, "is_approved": false}]));

        // The box has no area; anybody reckons again what follows, and the log has what does not.
        let record = ward.get(&format!("{path}/record")).text;
        let boxed = ward.get(&format!("{path}/box")).text;
        assert!(!["120", "60.50", "12000", "6050"].iter().any(|area| boxed.lines().skip(2).any(|line| line.split(' ').any(|word| word == *area))));
        let told = |text: &str, with_log: bool| recomputed(&ward, text, with_log).status.code().unwrap();
        assert_eq!(told(&record, true), 0);
        for (from, to, alone) in [
            ("\"approving_area_m2\":\"1200.00\"", "\"approving_area_m2\":\"1300.00\"", 0),
            ("\"approving_area_m2\":\"1200.00\"", "\"approving_area_m2\":\"700.00\"", 1),
            ("\"approving_area_m2\":\"1200.00\"", "\"approving_area_m2\":null", 0),
            ("\"participating_area_m2\":\"1805.00\"", "\"participating_area_m2\":\"2707.50\"", 1),
            ("\"area_m2\":\"2707.50\"", "\"area_m2\":\"2700.00\"", 0),
            ("\"is_approved\":false", "\"is_approved\":true", 1),
        ] {
            let forged = record.replacen(from, to, 1);
            assert_ne!(forged, record, "{from}");
            assert_eq!([told(&forged, false), told(&forged, true)], [alone, 1], "{from} {to}");
        }
    }

    fn the_area_of_few_dwellings_is_not_told_and_counts_all_the_same(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        owned(&ward, &polled);
        let ballot = made(&polled.calls(polled.officer(), |body| {
            body["unit"] = json!("households");
            body["double_tally"] = json!({"approves_from": "80"});
        }));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        // All but one take part, and all but one of these approve: a difference would tell the area of who did not.
        for code in &codes[1..29] {
            ok(&polled.votes(code, &says("satisfied")));
        }
        ok(&polled.votes(&codes[29], &says("fair")));
        go_to(&ward, CLOSES);
        let record = ward.get(&format!("/api/v1/ballots/{ballot}/record")).text;
        let value: Value = serde_json::from_str(&record).unwrap();
        let double = &value["derivation"]["double_tally"];
        assert_eq!((&double["participating_heads"], &double["participating_area_m2"], &double["by_area"]), (&json!(29), &Value::Null, &json!(true)));
        let one = &double["questions"][0];
        assert_eq!((&one["approving_heads"], &one["approving_area_m2"], &one["is_approved"]), (&json!(28), &Value::Null, &json!(true)));
        assert_eq!(recomputed(&ward, &record, true).status.code(), Some(0));
        // Nor anywhere else: 2,707.50 less 120 take part.
        let told: String = ["ballot.called", "ballot.closed"].iter().flat_map(|kind| ward.events(kind)).map(|event| event.to_string()).collect();
        assert!(!told.contains("2587.5") && !record.contains("2587.5"), "{told}");
        assert_eq!(lines(&ward, "SELECT CAST(count(*) AS TEXT) AS line FROM ballot_papers"), ["0"]);
        ok(&gets(&ward, polled.officer(), &format!("/ballots/{ballot}/tally")));
        refused(&posts(&ward, polled.officer(), &format!("/ballots/{ballot}/withdrawal"), None), 409, "ballot_opened");
    }
}
