//! The standards that come with the program: every figure of them, written down here a second time, and how they come into a
//! ward and what becomes of them there.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::standards::rules_indicators::Content;
use wardbook::standards::{acts, built_in, rules, store, store_versions};
use wardbook::web::actor::Actor;
use wardbook::web::policy::Role;

use crate::harness::{Reply, Ward};
use crate::on_both;

/// Code, unit, operator, and the thresholds in the order of the grades, or one for all.
type Line = (&'static str, &'static str, &'static str, &'static [&'static str]);

const SANITATION: &[Line] = &[
    ("peel", "piece_per_thousand_m2", "at_most", &["4", "6", "8", "10"]),
    (
        "paper_and_film",
        "piece_per_thousand_m2",
        "at_most",
        &["4", "6", "10", "12"],
    ),
    (
        "cigarette_ends",
        "piece_per_thousand_m2",
        "at_most",
        &["4", "8", "10", "15"],
    ),
    ("spit", "spot_per_thousand_m2", "at_most", &["4", "8", "10", "15"]),
    (
        "dirty_water",
        "square_metre_per_thousand_m2",
        "at_most",
        &["0", "0.5", "1.0", "1.5"],
    ),
    (
        "other_litter",
        "spot_per_thousand_m2",
        "at_most",
        &["0", "2", "6", "8"],
    ),
    ("sweeps", "per_day", "at_least", &["3", "2", "2", "1"]),
    (
        "patrol_hours",
        "hour_per_day",
        "at_least",
        &["16", "14", "12", "8"],
    ),
    ("washing", "per_week", "at_least", &["3", "1", "–", "–"]),
    ("first_sweep", "time_of_day", "at_most", &["07:30"]),
    ("swept_waste", "hour", "at_most", &["1"]),
    ("rain_water", "hour", "at_most", &["4"]),
    ("bins_washed", "per_month", "at_least", &["1"]),
    ("waste_removed", "percent", "at_least", &["100"]),
];

const GREENING: &[Line] = &[
    ("hedge_trims", "per_year", "at_least", &["6", "4"]),
    ("lawn_mows_cool_season", "per_year", "at_least", &["10"]),
    ("lawn_mows_warm_season", "per_year", "at_least", &["3"]),
    ("lawn_height_cool_season", "centimetre", "at_most", &["10"]),
    ("lawn_height_warm_season", "centimetre", "at_most", &["6"]),
    ("watering_spring", "per_week", "at_least", &["2"]),
    ("watering_other_seasons", "per_week", "at_least", &["1"]),
    ("organic_fertiliser", "gram_per_m2_year", "at_least", &["500"]),
    ("dead_branches", "hour", "at_most", &["24"]),
    ("replacement_tree", "day", "at_most", &["14"]),
    ("replacement_shrub", "day", "at_most", &["3"]),
    ("replacement_bare_lawn", "day", "at_most", &["7"]),
    ("replacement_street_tree", "day", "at_most", &["2"]),
    ("emergency_arrival", "minute", "at_most", &["15"]),
    ("plants_intact", "percent", "at_least", &["99"]),
    ("lawn_cover", "percent", "at_least", &["100", "95"]),
    ("survival", "percent", "at_least", &["98"]),
];

const SECURITY: &[Line] = &[
    ("certified_guards", "percent", "at_least", &["100"]),
    ("post_coverage", "percent", "at_least", &["100"]),
    ("patrol_interval_day", "hour", "at_most", &["2"]),
    ("patrol_interval_night", "hour", "at_most", &["1"]),
    ("patrol_length", "minute", "at_least", &["30"]),
    ("response", "minute", "at_most", &["10"]),
    ("vacancy_filled", "working_day", "at_most", &["7"]),
    ("video_kept", "day", "at_least", &["30"]),
    ("fire_drills", "per_year", "at_least", &["2"]),
    ("visitor_check_missed", "occurrence", "at_most", &["0"]),
    ("asleep_on_duty", "occurrence", "at_most", &["0"]),
    ("absent_from_duty", "occurrence", "at_most", &["0"]),
];

const PROPERTY: &[Line] = &[
    ("satisfaction", "percent", "at_least", &["95", "85"]),
    ("valid_complaints", "percent", "less_than", &["2"]),
    ("complaints_handled", "percent", "at_least", &["100"]),
    ("complaints_answered", "day", "at_most", &["2"]),
    ("equipment_intact", "percent", "at_least", &["95"]),
    ("repairs_on_time", "percent", "at_least", &["100"]),
    ("rework", "percent", "at_most", &["1"]),
    ("repair_arrival", "minute", "at_most", &["30"]),
    ("water_tank_cleaned", "per_year", "at_least", &["2"]),
    ("toilets_cleaned", "per_day", "at_least", &["7"]),
    ("shared_parts_patrolled", "per_month", "at_least", &["2"]),
    ("households_contacted", "percent", "at_least", &["70"]),
    ("accounts_posted", "per_year", "at_least", &["2"]),
];

/// What one occurrence costs; no other indicator of the catalogue says anything of points.
const POINTS: [(&str, &str); 3] = [
    ("visitor_check_missed", "3"),
    ("asleep_on_duty", "1"),
    ("absent_from_duty", "2"),
];

/// Category, code of the standard, its grades, its lines.
const CATALOGUE: [(&str, &str, &[&str], &[Line]); 4] = [
    ("greening", "greening_upkeep", &["grade_1", "grade_2"], GREENING),
    ("property", "property_service", &["top", "basic"], PROPERTY),
    (
        "sanitation",
        "street_sanitation",
        &["class_1", "class_2", "class_3", "class_4"],
        SANITATION,
    ),
    ("security", "security_service", &[], SECURITY),
];

fn items(ward: &Ward, path: &str) -> Vec<Value> {
    let reply = ward.get(path);
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["items"].as_array().unwrap().clone()
}

fn version_of(ward: &Ward, standard: &Value, number: u32) -> Value {
    let id = standard["id"].as_str().unwrap();
    let reply = ward.get(&format!("/api/v1/standards/{id}/versions/{number}"));
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

on_both! {
    in "cn";

    fn every_figure_of_the_catalogue_is_the_one_it_should_be(ward) {
        let standards = items(&ward, "/api/v1/standards");
        let heads: Vec<_> = standards.iter().map(|one| (one["category"].as_str().unwrap(), one["code"].as_str().unwrap())).collect();
        assert_eq!(heads, CATALOGUE.map(|(category, code, ..)| (category, code)));
        let points = BTreeMap::from(POINTS);
        let mut points_seen = 0;
        for (standard, (_, code, grades, lines)) in standards.iter().zip(CATALOGUE) {
            let version = version_of(&ward, standard, 1);
            assert_eq!((&version["version"]["state"], &version["version"]["built_in"]), (&json!("published"), &json!(true)));
            let content = &version["content"];
            let found: Vec<_> = content["grades"].as_array().unwrap().iter().map(|grade| grade["code"].as_str().unwrap()).collect();
            assert_eq!(found, grades, "{code}");
            let indicators = content["indicators"].as_array().unwrap();
            assert_eq!(indicators.len(), lines.len(), "{code}");
            for (indicator, (code, unit, operator, thresholds)) in indicators.iter().zip(lines) {
                assert_eq!(indicator["code"], *code);
                assert_eq!((&indicator["unit"], &indicator["operator"]), (&json!(unit), &json!(operator)), "{code}");
                let graded = thresholds.len() > 1;
                let expected: Vec<Value> = thresholds.iter().enumerate().map(|(at, threshold)| {
                    let grade = graded.then(|| grades[at]);
                    let threshold = (*threshold != "–").then_some(threshold);
                    json!({ "grade": grade, "threshold": threshold, "threshold_to": null })
                }).collect();
                assert_eq!(indicator["limits"], Value::Array(expected), "{code}");
                for words in ["name_zh", "name_en", "text_zh", "text_en", "method_zh", "method_en"] {
                    assert!(!indicator[words].as_str().unwrap().is_empty(), "{code}.{words}");
                }
                let loss = points.get(code).map(|points| json!({"kind": "per_occurrence", "points": points, "step": null}));
                points_seen += usize::from(loss.is_some());
                assert_eq!(indicator["loss"], json!(loss), "{code}");
                assert_eq!((&indicator["points"], &indicator["frequency"]), (&json!(null), &json!(null)), "{code}: nothing is invented");
            }
            for words in ["title_zh", "title_en", "source_zh", "source_en"] {
                assert!(!standard[words].as_str().unwrap().is_empty());
            }
        }
        assert_eq!(points_seen, 3);
        assert!(standards[2]["source_zh"].as_str().unwrap().contains("CJJ/T 126"));
        let categories: Vec<_> = items(&ward, "/api/v1/service-categories").iter().map(|one| (one["code"].clone(), one["name_zh"].clone(), one["name_en"].clone())).collect();
        let expected = [("greening", "绿化", "Greening"), ("property", "物业", "Property"), ("sanitation", "环卫", "Sanitation"), ("security", "保安", "Security")];
        assert_eq!(categories, expected.map(|(code, zh, en)| (json!(code), json!(zh), json!(en))));
    }

    /// A time limit that runs for each case by itself says from when.
    fn limits_of_time_that_run_say_from_when(ward) {
        let mut from = BTreeMap::new();
        for standard in items(&ward, "/api/v1/standards") {
            for indicator in version_of(&ward, &standard, 1)["content"]["indicators"].as_array().unwrap() {
                if indicator["counts_from"] != json!(null) {
                    from.insert(indicator["code"].as_str().unwrap().to_owned(), indicator["counts_from"].as_str().unwrap().to_owned());
                }
            }
        }
        let occurrence = ["rain_water", "swept_waste", "vacancy_filled"];
        let report = [
            "complaints_answered", "dead_branches", "emergency_arrival", "repair_arrival", "replacement_bare_lawn",
            "replacement_shrub", "replacement_street_tree", "replacement_tree", "response",
        ];
        let expected: BTreeMap<String, String> = occurrence.map(|code| (code, "occurrence")).into_iter()
            .chain(report.map(|code| (code, "report")))
            .map(|(code, from)| (code.to_owned(), from.to_owned()))
            .collect();
        assert_eq!(from, expected);
    }

    fn they_are_there_once_however_often_the_ward_starts(ward) {
        let mut ward = ward;
        let before = items(&ward, "/api/v1/standards");
        ward.restart(|_| {});
        assert_eq!(items(&ward, "/api/v1/standards"), before);
        for (kind, count) in [("service_category.added", 4), ("standard.created", 4), ("standard.published", 4)] {
            let events = ward.events(kind);
            assert_eq!(events.len(), count, "{kind}");
            assert!(events.iter().all(|event| event["opened"]["actor"] == "system"));
        }
        // What the log commits to is what is shown.
        let published = ward.events("standard.published");
        for standard in before {
            let head = version_of(&ward, &standard, 1)["version"].clone();
            let event = published.iter().find(|event| event["entry"]["subject"] == head["id"]).unwrap();
            assert_eq!(event["entry"]["data"]["sha256"], head["sha256"]);
        }
        let again = ward.context().db.write_and_wait(|tx| acts::load_built_in(tx, &Actor::system(), "cn"));
        assert_eq!(again.unwrap(), 0);
        assert!(ward.context().db.write_and_wait(|tx| acts::load_built_in(tx, &Actor::public(), "cn")).is_err());
    }

    /// A newer program brings the next version to a ward that has an older one of the program's own, and leaves a keeper's alone.
    fn a_newer_program_adds_a_version_and_overrides_nobody(ward) {
        let standards = items(&ward, "/api/v1/standards");
        let id = standards[0]["id"].as_str().unwrap().to_owned();
        // As if an older program had published something else after it.
        let of = id.clone();
        ward.context().db.write_and_wait(move |tx| {
            let newest = store_versions::newest(tx.conn(), &of.parse().unwrap())?.unwrap();
            let content = Content { indicators: newest.content.indicators[1..].to_vec(), ..newest.content };
            let draft = rules::draft(rules::StandardVersionId::mint(tx.now()), newest.standard_id, newest.number, content, tx.now())?;
            let written = draft.content.document().written()?;
            let older = rules::Version { built_in: true, sha256: rules::sha256(&written), ..rules::publish(draft, tx.now())? };
            store_versions::insert(tx, &older, &written)?;
            let event = Event { kind: "standard.published", subject: older.id.to_string(), data: json!({}), private: Value::Null };
            audit::store::append(tx, &Actor::system(), &event)?;
            Ok(())
        }).unwrap();
        let load = || ward.context().db.write_and_wait(|tx| acts::load_built_in(tx, &Actor::system(), "cn")).unwrap();
        assert_eq!((load(), load()), (1, 0));
        let numbers: Vec<_> = items(&ward, &format!("/api/v1/standards/{id}/versions")).iter().map(|one| (one["number"].clone(), one["indicators"].clone())).collect();
        assert_eq!(numbers, [(json!(3), json!(17)), (json!(2), json!(16)), (json!(1), json!(17))]);

        // A keeper's version: from now on the program keeps its own to itself.
        let keeper = |method: &str, path: &str, body: Value| -> Reply {
            let reply = ward.ask(method, path).by(Role::StandardsKeeper).header("if-match", "*").json(&body).send();
            assert!(matches!(reply.status, 200 | 201), "{}", reply.text);
            reply
        };
        let draft = keeper("POST", &format!("/api/v1/standards/{id}/versions"), json!({})).json();
        let mut content = draft["content"].clone();
        content["indicators"].as_array_mut().unwrap().truncate(3);
        let path = format!("/api/v1/standards/{id}/versions/4");
        keeper("PUT", &path, content);
        let published = ward.ask("POST", &format!("{path}/publication")).by(Role::StandardsKeeper).header("if-match", "\"v2\"").send();
        assert_eq!(published.status, 200, "{}", published.text);
        assert_eq!(load(), 0);
        assert!(ward.context().db.read_and_wait(|conn| acts::built_in_are_there(conn, "cn")).unwrap());
    }
}

on_both! {
    fn a_ward_elsewhere_begins_with_nothing(ward) {
        assert_eq!(items(&ward, "/api/v1/standards"), [json!(null); 0]);
        assert_eq!(items(&ward, "/api/v1/service-categories"), [json!(null); 0]);
        assert!(!built_in::catalogue().unwrap().is_empty());
        assert_eq!(ward.context().db.read_and_wait(|conn| store::standard_of_code(conn, "street_sanitation")).unwrap(), None);
    }
}
