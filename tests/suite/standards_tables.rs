//! Tables of indicators in and out, what differs between versions, and measured values judged, all over HTTP.

use encoding_rs::GB18030;
use serde_json::{Value, json};
use wardbook::web::policy::Role;

use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::standards_life::keeper;

/// An indicator of minutes.
pub fn indicator(code: &str, minutes: &str) -> Value {
    json!({
        "code": code, "name_zh": "到场", "name_en": "Arrival", "text_zh": "到场时限", "text_en": "How soon somebody comes",
        "unit": "minute", "operator": "at_most", "limits": [{"threshold": minutes}],
        "method_zh": "查阅记录", "method_en": "Records",
    })
}

/// What a version says, with two grades.
pub fn content(indicators: &[Value]) -> Value {
    json!({
        "grades": [{"code": "a", "name_zh": "甲级", "name_en": "Grade A"}, {"code": "b", "name_zh": "乙级", "name_en": "Grade B"}],
        "indicators": indicators,
    })
}

/// A standard with an empty draft, in a category that is made if it has to be.
pub fn standard(ward: &Ward, category: &str, code: &str) -> String {
    let names = json!({"code": category, "name_zh": "类别", "name_en": "Category"});
    let made = keeper(ward, "POST", "/api/v1/service-categories")
        .json(&names)
        .send();
    assert!(matches!(made.status, 201 | 409), "{}", made.text);
    let body = json!({
        "category": category, "code": code, "title_zh": "标准", "title_en": "Standard", "source_zh": "通知", "source_en": "Notice",
    });
    let made = keeper(ward, "POST", "/api/v1/standards").json(&body).send();
    if made.status == 409 {
        let all = keeper(ward, "GET", &format!("/api/v1/standards?category={category}"))
            .send()
            .json();
        let known = all["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["code"] == code)
            .cloned();
        return known.unwrap()["id"].as_str().unwrap().to_owned();
    }
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

/// A standard whose first version is public.
pub fn published_standard(ward: &Ward) -> String {
    let id = standard(ward, "lifts", "lift_upkeep");
    write(ward, &id, 1, &content(&[indicator("arrival", "30")]));
    publish(ward, &id, 1);
    id
}

fn write(ward: &Ward, id: &str, number: u32, content: &Value) {
    let path = format!("/api/v1/standards/{id}/versions/{number}");
    let reply = keeper(ward, "PUT", &path)
        .header("if-match", "*")
        .json(content)
        .send();
    assert_eq!(reply.status, 200, "{}", reply.text);
}

fn publish(ward: &Ward, id: &str, number: u32) {
    let path = format!("/api/v1/standards/{id}/versions/{number}/publication");
    let reply = keeper(ward, "POST", &path).header("if-match", "*").send();
    assert_eq!(reply.status, 200, "{}", reply.text);
}

fn draft(ward: &Ward, id: &str) {
    let reply = keeper(ward, "POST", &format!("/api/v1/standards/{id}/versions"))
        .json(&json!({}))
        .send();
    assert_eq!(reply.status, 201, "{}", reply.text);
}

fn import(ward: &Ward, id: &str, number: u32, query: &str, kind: &str, table: impl Into<Vec<u8>>) -> Reply {
    let path = format!("/api/v1/standards/{id}/versions/{number}/import{query}");
    keeper(ward, "POST", &path).body(kind, table).send()
}

fn csv(ward: &Ward, id: &str, number: u32) -> Reply {
    let path = format!("/api/v1/standards/{id}/versions/{number}");
    keeper(ward, "GET", &path).header("accept", "text/csv").send()
}

/// JSON pointers to every value in a document but the document itself.
fn places(value: &Value, at: &str) -> Vec<String> {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), member))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(place, item)| (place.to_string(), item))
            .collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (name, member) in members {
        let place = format!("{at}/{name}");
        found.extend(places(member, &place));
        found.push(place);
    }
    found
}

const HEADER: &str = "code,name_zh,name_en,text_zh,text_en,unit,operator,threshold,threshold:a,threshold:b,method_zh,method_en,frequency,counts_from,points,loss,source_zh,source_en";

on_both! {
    fn a_table_is_tried_then_imported_whole_or_not_at_all(ward) {
        let id = standard(&ward, "lifts", "lift_upkeep");
        write(&ward, &id, 1, &content(&[indicator("arrival", "30"), indicator("gone", "5")]));
        let table = format!("{HEADER}\narrival,到场,Arrival,到场时限,How soon somebody comes,minute,at_most,20,,,查阅记录,Records,,report,,,,\n\
                             litter,果皮,Peel,果皮数,Peel,piece_per_thousand_m2,at_most,,4,–,清点,Counted,4/month,,5,per_excess 0.5 per 1,规范,Norm\n");
        let at = format!("/api/v1/standards/{id}/versions/1");
        let before = keeper(&ward, "GET", &at).send().json();
        assert_eq!(import(&ward, &id, 1, "", "text/csv", table.clone()).code(), "preview_missing");
        let trial = import(&ward, &id, 1, "?dry_run=true", "text/csv", table.clone());
        assert_eq!(trial.status, 200, "{}", trial.text);
        let trial = trial.json();
        let changes: Vec<_> = trial["differences"].as_array().unwrap().iter().map(|one| (one["code"].clone(), one["change"].clone(), one["direction"].clone())).collect();
        let expected = [("arrival", "changed", "tighter"), ("gone", "removed", "looser"), ("litter", "added", "tighter")];
        assert_eq!(changes, expected.map(|(code, change, direction)| (json!(code), json!(change), json!(direction))));
        assert_eq!(keeper(&ward, "GET", &at).send().json(), before, "a trial does nothing");
        let preview = trial["preview"].as_str().unwrap().to_owned();
        // Another table, or another draft, is not what was tried.
        assert_eq!(import(&ward, &id, 1, &format!("?preview={preview}"), "text/csv", table.replace(",20,", ",21,")).code(), "preview_stale");
        let done = import(&ward, &id, 1, &format!("?preview={preview}"), "text/csv", table.clone());
        assert_eq!((done.status, &done.json()["version"]["revision"]), (200, &json!(3)), "{}", done.text);
        assert_eq!(import(&ward, &id, 1, &format!("?preview={preview}"), "text/csv", table.clone()).code(), "preview_stale");
        let after = keeper(&ward, "GET", &at).send().json();
        let codes: Vec<_> = after["content"]["indicators"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect();
        assert_eq!(codes, ["arrival", "litter"]);
        assert_eq!(after["content"]["grades"], before["content"]["grades"]);
        assert_eq!(after["content"]["indicators"][1]["limits"], json!([{"grade": "a", "threshold": "4", "threshold_to": null}, {"grade": "b", "threshold": null, "threshold_to": null}]));

        // The same in the encoding of spreadsheets is the same.
        let (bytes, _, _) = GB18030.encode(&table);
        let again = import(&ward, &id, 1, "?dry_run=true", "text/csv; charset=gb18030", bytes.to_vec());
        assert_eq!((again.status, &again.json()["differences"]), (200, &json!([])), "{}", again.text);
        let again = import(&ward, &id, 1, "?dry_run=true", "text/csv", bytes.to_vec());
        assert_eq!(again.json()["differences"], json!([]));
        // What changes nothing records nothing.
        let preview = again.json()["preview"].as_str().unwrap().to_owned();
        assert_eq!(import(&ward, &id, 1, &format!("?preview={preview}"), "text/csv", bytes.to_vec()).status, 200);
        assert_eq!(ward.events("standard.redrafted").len(), 2);
        publish(&ward, &id, 1);
        assert_eq!(import(&ward, &id, 1, "?dry_run=true", "text/csv", table).code(), "standard_wrong_state");
    }

    fn every_fault_of_a_table_is_told_and_nothing_done(ward) {
        let id = standard(&ward, "lifts", "lift_upkeep");
        write(&ward, &id, 1, &content(&[indicator("arrival", "30")]));
        let table = format!("{HEADER}\nBig,=1,Peel,果皮数,,hour,at_most,four,,,查,seen,,,,,,\nok,果皮,Peel,果皮数,Peel,hour,at_most,,x,5,查,seen,0/day,,101,,源,\n");
        let reply = import(&ward, &id, 1, "?dry_run=true", "text/csv", table);
        let found: Vec<_> = reply.faults().into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(found, ["/0/code", "/0/name_zh", "/0/text_en", "/0/threshold", "/1/threshold:a", "/1/frequency", "/1/points", "/1/source_en"]);
        let told = reply.json();
        assert!(told["errors"][0]["detail"].as_str().unwrap().contains("第 2 行"), "{told}");
        for bad in ["", "x", HEADER, "\u{0}", "code\n\"", &format!("{HEADER},threshold:c\na,a,a,a,a,hour,at_most,4,,,a,a,,,,,,,4")] {
            assert_eq!(import(&ward, &id, 1, "?dry_run=true", "text/csv", bad).code(), "malformed", "{bad}");
        }
        let long = format!("{HEADER}\n{}", "a,a,a,a,a,hour,at_most,4,,,a,a,,,,,,\n".repeat(201));
        assert_eq!(import(&ward, &id, 1, "?dry_run=true", "text/csv", long).code(), "malformed");
        assert_eq!(import(&ward, &id, 1, "", "application/json", "{}").code(), "unsupported_content");
        assert_eq!(import(&ward, &id, 1, "", "text/csv; charset=latin-1", "x").code(), "unsupported_content");
        assert_eq!(import(&ward, &id, 7, "?dry_run=true", "text/csv", format!("{HEADER}\na,a,a,a,a,hour,at_most,4,,,a,a,,,,,,\n")).status, 404);
        assert_eq!(keeper(&ward, "GET", &format!("/api/v1/standards/{id}/versions/1")).send().header("etag"), Some("\"v2\""));
    }

    /// Something odd in the place of every value and every cell: told, never a fault, and a refusal leaves the draft as it was.
    fn nothing_that_is_sent_breaks_anything(ward) {
        let id = standard(&ward, "lifts", "lift_upkeep");
        let at = format!("/api/v1/standards/{id}/versions/1");
        let mut whole = indicator("arrival", "30");
        whole["limits"] = json!([{"grade": "a", "threshold": "30", "threshold_to": null}, {"grade": "b", "threshold": null}]);
        for (member, value) in [("frequency", json!({"times": 4, "per": "month"})), ("counts_from", json!("report")), ("points", json!("5")), ("loss", json!({"kind": "per_excess", "points": "1", "step": "1"})), ("source_zh", json!("源")), ("source_en", json!("Norm"))] {
            whole[member] = value;
        }
        let mut good = content(&[whole]);
        good["note_zh"] = json!("首版");
        good["note_en"] = json!("First");
        write(&ward, &id, 1, &good);
        let evaluation = json!({"measurements": [{"indicator": "arrival", "grade": "a", "value": "31", "unit": "minute", "sample_area_m2": null}]});
        let odd = [
            json!(null), json!(""), json!(" "), json!("\u{0}"), json!("=1"), json!("\u{202e}x"), json!("x".repeat(3_000)), json!("1e999"), json!("-1"),
            json!("999999999.999999"), json!("0.0000001"), json!(-1), json!(1e300), json!(u64::MAX), json!([]), json!({"a": [[{}]]}), json!(true), json!("24:00"),
        ];
        let (mut refused, mut sent) = (0, 0);
        let mut judge = |reply: Reply, told: &str| {
            assert!(matches!(reply.status, 200 | 400 | 422), "{told}: {reply:?}");
            sent += 1;
            refused += usize::from(reply.status != 200);
            if reply.status != 200 {
                reply.code();
            }
        };
        for (document, method, path) in [(&good, "PUT", at.clone()), (&evaluation, "POST", format!("{at}/evaluations"))] {
            for place in places(document, "") {
                for value in &odd {
                    let mut body = document.clone();
                    *body.pointer_mut(&place).unwrap() = value.clone();
                    judge(keeper(&ward, method, &path).header("if-match", "*").json(&body).send(), &format!("{place} = {value:.40}"));
                }
            }
        }
        write(&ward, &id, 1, &good);
        let table = csv(&ward, &id, 1).text;
        let (header, row) = table.trim_end().split_once("\r\n").unwrap();
        let cells: Vec<&str> = row.split(',').collect();
        assert_eq!(header.split(',').count(), cells.len());
        for place in 0..cells.len() {
            for value in odd.iter().filter_map(Value::as_str) {
                let mut odd_cells = cells.clone();
                odd_cells[place] = value;
                let reply = import(&ward, &id, 1, "?dry_run=true", "text/csv; charset=utf-8", format!("{header}\r\n{}\r\n", odd_cells.join(",")));
                judge(reply, &format!("cell {place} = {value:.40}"));
            }
        }
        assert!(sent > 500 && refused * 2 > sent, "{refused} of {sent} were refused");
        assert_eq!(csv(&ward, &id, 1).text, table);
    }

    fn what_differs_is_told_field_by_field(ward) {
        let id = published_standard(&ward);
        draft(&ward, &id);
        let mut tighter = indicator("arrival", "20");
        tighter["name_en"] = json!("Arrival of somebody");
        write(&ward, &id, 2, &content(&[tighter, indicator("noise", "5")]));
        let path = |from: &str, to: &str| format!("/api/v1/standards/{id}/versions/{to}/differences?from={from}");
        let told = keeper(&ward, "GET", &path("1", "2")).send().json();
        assert_eq!((&told["from"]["number"], &told["to"]["state"]), (&json!(1), &json!("draft")));
        let expected = json!([
            {"code": "arrival", "change": "changed", "direction": "tighter", "fields": [
                {"field": "name_en", "grade": null, "before": "Arrival", "after": "Arrival of somebody", "direction": "neutral"},
                {"field": "threshold", "grade": null, "before": "30", "after": "20", "direction": "tighter"},
            ]},
            {"code": "noise", "change": "added", "direction": "tighter", "fields": []},
        ]);
        assert_eq!(told["differences"], expected);
        publish(&ward, &id, 2);
        let back = ward.get(&path("2", "1")).json();
        let directions: Vec<_> = back["differences"].as_array().unwrap().iter().map(|one| one["direction"].as_str().unwrap().to_owned()).collect();
        assert_eq!(directions, ["looser", "looser"]);
        assert_eq!(ward.get(&path("1", "1")).json()["differences"], json!([]));
        assert_eq!(ward.get(&format!("/api/v1/standards/{id}/versions/1/differences")).faults(), [("?from".to_owned(), "required".to_owned())]);
        for odd in ["0", "x", "9"] {
            assert_eq!(ward.get(&path(odd, "1")).status, 404, "{odd}");
        }
    }
}

on_both! {
    in "cn";

    /// Out, in, and out again is the same, byte for byte; for all that comes with the program.
    fn what_is_exported_can_be_imported_as_the_same(ward) {
        let standards = ward.get("/api/v1/standards").json()["items"].as_array().unwrap().clone();
        assert_eq!(standards.len(), 4);
        for known in standards {
            let id = known["id"].as_str().unwrap();
            let table = csv(&ward, id, 1);
            assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
            assert_eq!(table.header("etag"), Some("\"v2.csv\""));
            let original = ward.get(&format!("/api/v1/standards/{id}/versions/1")).json();
            draft(&ward, id);
            // Something else first, so that the import has something to do.
            let mut other = original["content"].clone();
            other["indicators"].as_array_mut().unwrap().truncate(1);
            write(&ward, id, 2, &other);
            let trial = import(&ward, id, 2, "?dry_run=true", "text/csv; charset=utf-8", table.text.clone());
            let preview = trial.json()["preview"].as_str().unwrap().to_owned();
            let done = import(&ward, id, 2, &format!("?preview={preview}"), "text/csv; charset=utf-8", table.text.clone());
            assert_eq!(done.status, 200, "{}", done.text);
            publish(&ward, id, 2);
            let again = ward.get(&format!("/api/v1/standards/{id}/versions/2")).json();
            assert_eq!(again["content"], original["content"]);
            assert_eq!(again["version"]["sha256"], original["version"]["sha256"], "the same bytes");
            assert_eq!(csv(&ward, id, 2).text, table.text);
        }
    }

    fn measured_values_are_judged_and_nothing_is_kept(ward) {
        let standards = ward.get("/api/v1/standards").json();
        let of = |code: &str| standards["items"].as_array().unwrap().iter().find(|one| one["code"] == code).unwrap()["id"].as_str().unwrap().to_owned();
        let (streets, guards) = (of("street_sanitation"), of("security_service"));
        let events = ward.events("standard.*").len();
        let judge = |id: &str, measurements: Value| {
            ward.ask("POST", &format!("/api/v1/standards/{id}/versions/1/evaluations")).json(&json!({ "measurements": measurements })).send()
        };
        let reply = judge(&streets, json!([
            {"indicator": "cigarette_ends", "grade": "class_1", "value": "7", "unit": "piece", "sample_area_m2": "500"},
            {"indicator": "cigarette_ends", "grade": "class_4", "value": "15", "unit": "piece_per_thousand_m2"},
            {"indicator": "washing", "grade": "class_3", "value": "0", "unit": "per_week"},
            {"indicator": "washing", "grade": "class_1", "value": "0.5", "unit": "per_day"},
            {"indicator": "rain_water", "value": "250", "unit": "minute"},
            {"indicator": "first_sweep", "value": "07:42", "unit": "time_of_day"},
            {"indicator": "dirty_water", "grade": "class_2", "value": "0.2", "unit": "square_metre", "sample_area_m2": "300"},
        ]));
        assert_eq!(reply.status, 200, "{}", reply.text);
        let told = reply.json();
        let judged: Vec<_> = told["evaluations"].as_array().unwrap().iter().map(|one| {
            let text = |member: &str| one[member].as_str().unwrap_or("null").to_owned();
            format!("{} {} {} {} {}", text("outcome"), text("measured"), text("threshold"), text("shortfall"), text("shortfall_unit"))
        }).collect();
        assert_eq!(judged, [
            "not_met 14 4 10 piece_per_thousand_m2",
            "met 15 15 null piece_per_thousand_m2",
            "no_requirement 0 – null per_week",
            "met 3.5 3 null per_week",
            "not_met 4.166667 4 0.166667 hour",
            "not_met 07:42 07:30 12 minute",
            "not_met 0.666667 0.5 0.166667 square_metre_per_thousand_m2",
        ]);
        assert_eq!((&told["evaluations"][4]["shortfall_is_exact"], &told["evaluations"][0]["shortfall_is_exact"]), (&json!(false), &json!(true)));
        assert_eq!(told["points_lost"], "0", "the standard says nothing of points");

        let told = judge(&guards, json!([
            {"indicator": "visitor_check_missed", "value": "2", "unit": "occurrence"},
            {"indicator": "absent_from_duty", "value": "1", "unit": "occurrence"},
            {"indicator": "asleep_on_duty", "value": "0", "unit": "occurrence"},
            {"indicator": "response", "value": "0.25", "unit": "hour"},
        ])).json();
        let points: Vec<_> = told["evaluations"].as_array().unwrap().iter().map(|one| one["points_lost"].clone()).collect();
        assert_eq!((points, &told["points_lost"]), (vec![json!("6"), json!("2"), json!("0"), json!(null)], &json!("8")));

        let refused = judge(&streets, json!([
            {"indicator": "tea", "value": "1", "unit": "piece"},
            {"indicator": "rain_water", "value": "1", "unit": "working_day"},
            {"indicator": "peel", "value": "1", "unit": "piece_per_thousand_m2"},
            {"indicator": "peel", "grade": "class_9", "value": "1", "unit": "piece_per_thousand_m2"},
            {"indicator": "peel", "grade": "class_1", "value": "1", "unit": "piece"},
            {"indicator": "peel", "grade": "class_1", "value": "1", "unit": "piece", "sample_area_m2": "0"},
            {"indicator": "first_sweep", "value": "7.5", "unit": "time_of_day"},
        ]));
        let expected = [
            ("/measurements/0/indicator", "unknown_indicator"), ("/measurements/1/unit", "wrong_dimension"), ("/measurements/2/grade", "required"),
            ("/measurements/3/grade", "unknown_grade"), ("/measurements/4/sample_area_m2", "required"), ("/measurements/5/sample_area_m2", "out_of_range"),
            ("/measurements/6/value", "not_valid"),
        ];
        assert_eq!((refused.status, refused.faults()), (422, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())).to_vec()));
        for bad in [json!([]), json!([{"indicator": "peel", "value": "-1", "unit": "piece"}]), json!([{"indicator": "peel", "value": 1, "unit": "piece"}]), json!([{"indicator": "peel", "value": "1", "unit": "furlong"}])] {
            assert_eq!(judge(&streets, bad.clone()).status, 422, "{bad}");
        }
        // The most that can be said at once still has an answer.
        let most = json!(vec![json!({"indicator": "visitor_check_missed", "value": "999999999", "unit": "occurrence"}); 11]);
        assert_eq!(judge(&guards, most).code(), "invalid");
        assert_eq!(ward.events("standard.*").len(), events, "nothing is kept");
        let again = ward.ask("POST", &format!("/api/v1/standards/{streets}/versions/1/evaluations")).by(Role::Resident).header("idempotency-key", "k")
            .json(&json!({"measurements": [{"indicator": "rain_water", "value": "3", "unit": "hour"}]})).send();
        assert_eq!((again.status, again.header("idempotent-replayed")), (200, None));
    }

    fn every_unit_is_listed_with_both_names(ward) {
        let units = ward.get("/api/v1/measurement-units").json();
        let units = units.as_array().unwrap();
        assert_eq!(units.len(), 25);
        let density = units.iter().find(|unit| unit["unit"] == "spot_per_thousand_m2").unwrap();
        assert_eq!((&density["counted"], &density["dimension"], &density["label_zh"]), (&json!("spot"), &json!("spot_density"), &json!("处/1000 平方米")));
    }
}
