//! Inspections: drawn by lot or unannounced, recorded once and for all, contested and decided by two people, annulled; what of it who sees; and what the
//! period scores in the end.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::kernel::draw;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::awards::{Case, go_to};
use crate::bids::Bidder;
use crate::books::{at_once, ok};
use crate::cast::{Person, person};
use crate::evidence::uploaded;
use crate::files::phone_jpeg;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{CODES, opened, refused, sql};
use crate::outbox::lines;
use crate::periods::contract;
use crate::treasury::{gets, made, of, posts};
use crate::variations::{asked, proposes, signs};

/// Uploads a photo.
pub fn photo(ward: &Ward, who: &Person, n: u8) -> String {
    uploaded(
        who.asks(ward, "POST", "/api/v1/attachments"),
        "image/jpeg",
        &phone_jpeg(n),
    )
}

/// An inspection of what `ends` were counted on 1000 m² of the first place; with one stop of a plan, there.
pub fn inspection(ends: &str, planned: Option<(&str, i64)>) -> Value {
    let (plan, stop) = planned.unzip();
    json!({
        "source": "daily", "plan_id": plan, "stop": stop, "place": if plan.is_some() { Value::Null } else { json!(1) },
        "grade": if plan.is_some() { Value::Null } else { json!("a") }, "started_at": "2026-05-04T00:30:00Z",
        "items": [
            {"indicator": "ends", "value": ends, "sample_area_m2": "1000"},
            {"indicator": "arrival", "value": "30"}
        ]
    })
}

/// What is done with a contract's inspections.
pub struct Works<'w> {
    pub ward: &'w Ward,
    pub case: &'w Case,
    pub contract: String,
}

impl Works<'_> {
    pub fn supplier(&self) -> &Person {
        &self.case.bidders[1].agent
    }

    pub fn records(&self, who: &Person, body: &Value) -> Reply {
        posts(
            self.ward,
            who,
            &format!("/contracts/{}/inspections", self.contract),
            Some(body),
        )
    }

    pub fn draws(&self, who: &Person, source: &str, stops: i64) -> Reply {
        let body = json!({"period": 1, "source": source, "stops": stops});
        posts(
            self.ward,
            who,
            &format!("/contracts/{}/inspection-plans", self.contract),
            Some(&body),
        )
    }

    pub fn contests(&self, who: &Person, inspection: &str, item: i64, files: &[String]) -> Reply {
        let body = json!({"item": item, "reason": "样地面积记错", "attachment_ids": files});
        posts(
            self.ward,
            who,
            &format!("/inspections/{inspection}/contests"),
            Some(&body),
        )
    }

    pub fn decides(&self, who: &Person, contest: &str, corrected: Value) -> Reply {
        let body = json!({"decision": "经复核", "corrected": corrected});
        posts(
            self.ward,
            who,
            &format!("/inspection-contests/{contest}/decision"),
            Some(&body),
        )
    }

    pub fn annuls(&self, who: &Person, inspection: &str) -> Reply {
        posts(
            self.ward,
            who,
            &format!("/inspections/{inspection}/annulment"),
            Some(&json!({"reason": "地点记错"})),
        )
    }

    /// How the sources of the first period stand: state, score, how many.
    pub fn scores(&self) -> Vec<(String, Value, i64)> {
        let scores = ok(&self
            .ward
            .get(&format!("/api/v1/contracts/{}/periods/1/scores", self.contract)));
        let of = |one: &Value| {
            (
                one["state"].as_str().unwrap().to_owned(),
                one["score"].clone(),
                one["count"].as_i64().unwrap(),
            )
        };
        scores["items"].as_array().unwrap().iter().map(of).collect()
    }
}

/// A place at which somebody may be, in this role of the buyer's and perhaps in another.
fn roles(ward: &Ward, case: &Case, all: &[Role]) -> Person {
    let department = &case.office.treasury.department;
    let grants: Vec<Grant> = all
        .iter()
        .map(|role| Grant::of(*role).in_organisation(department.clone()))
        .collect();
    person(ward, &grants)
}

on_both! { in "test";
    fn a_period_that_a_variation_has_added_is_planned_like_the_rest(ward) {
        let (case, contract) = contract(&ward);
        let periods = || ok(&ward.get(&format!("/api/v1/contracts/{contract}/periods")))["items"].as_array().unwrap().clone();
        let before = periods();
        let last = before.last().unwrap()["last_day"].as_str().unwrap().parse::<chrono::NaiveDate>().unwrap();
        let until = (last + chrono::Days::new(10)).to_string();
        let variation = made(&proposes(&ward, (&case, &contract), &asked("extension", "0.00", Some(&until))));
        ok(&signs(&ward, &case, (&variation, "supplier")));
        ok(&signs(&ward, &case, (&variation, "buyer")));
        let after = periods();
        let added = &after[before.len()];
        assert_eq!((after.len(), &added["last_day"]), (before.len() + 1, &json!(until)));
        let day = (last + chrono::Days::new(1)).to_string();
        go_to(&ward, &format!("{day}T03:00:00Z"));
        // Sessions do not last for a year.
        let officer = &roles(&ward, &case, &[Role::BuyerOfficer]);
        let number = added["number"].as_i64().unwrap();
        let plan = made(&posts(&ward, officer, &format!("/contracts/{contract}/inspection-plans"), Some(&json!({"period": number, "source": "daily", "stops": 1}))));
        assert_eq!(ok(&gets(&ward, officer, &format!("/inspection-plans/{plan}")))["period"], json!(number));
        // The holidays of that year are not known yet, by which the days for contesting are counted.
        let works = Works { ward: &ward, case: &case, contract: contract.clone() };
        let mut body = inspection("4", None);
        body["started_at"] = json!(format!("{day}T02:00:00Z"));
        refused(&works.records(officer, &body), 409, "calendar_ends");
        let plans = ok(&gets(&ward, officer, &format!("/contracts/{contract}/inspection-plans")));
        assert_eq!(plans["items"].as_array().unwrap().len(), 1);
    }

    fn where_is_inspected_is_drawn_by_lot_and_known_to_nobody_outside_before(ward) {
        let (case, contract) = contract(&ward);
        let works = Works { ward: &ward, case: &case, contract: contract.clone() };
        let (officer, approver) = (&case.office.officer, &case.office.approver);
        go_to(&ward, "2026-05-04T01:00:00Z");
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        for stranger in [approver, works.supplier(), &auditor] {
            refused(&works.draws(stranger, "daily", 2), 403, "forbidden");
        }
        let wrong = posts(&ward, officer, &format!("/contracts/{contract}/inspection-plans"), Some(&json!({"period": 13, "source": "rating", "stops": 2})));
        let pointers: Vec<String> = wrong.faults().into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!((wrong.status, pointers), (422, vec!["/period".to_owned(), "/source".to_owned()]));
        refused(&works.draws(officer, "daily", 4), 409, "inspection_places_too_few");
        let plan = made(&works.draws(officer, "daily", 2));
        refused(&works.draws(officer, "daily", 1), 409, "inspection_plan_open");

        // The log has the hashes, and nothing else tells where; the seed is nobody's.
        let path = format!("/inspection-plans/{plan}");
        let own = ok(&gets(&ward, officer, &path));
        let told = ward.events("inspection_plan.drawn");
        assert_eq!((told.len(), &told[0]["entry"]["data"]["seed_sha256"], &told[0]["entry"]["data"]["candidates"]), (1, &own["seed_sha256"], &json!(3)));
        assert_eq!((own["stops"].as_array().unwrap().len(), &own["seed"], &own["is_disclosed"]), (2, &Value::Null, &json!(false)));
        for other in [&gets(&ward, works.supplier(), &path), &ward.get(&format!("/api/v1{path}"))] {
            let seen = ok(other);
            assert_eq!((&seen["stops"], &seen["candidates"], &seen["seed_sha256"]), (&Value::Null, &Value::Null, &own["seed_sha256"]));
        }
        assert_eq!(ok(&gets(&ward, &auditor, &path))["stops"], own["stops"]);

        // A stop is inspected at its place and as its grade; of two at once one is taken.
        let stop = |n: usize| own["stops"][n - 1].clone();
        let mut elsewhere = inspection("4", Some((&plan, 1)));
        elsewhere["place"] = json!(stop(2)["place"]);
        assert_eq!(works.records(officer, &elsewhere).faults()[0], ("/place".to_owned(), "not_that_of_the_stop".to_owned()));
        for (member, value, pointer) in [("source", json!("monthly"), "/source"), ("stop", json!(3), "/stop"), ("stop", Value::Null, "/stop"), ("plan_id", json!("inspectionplan_01jd3n8f5teqkrzvq1c0m6h2ax"), "/plan_id")] {
            let mut body = inspection("4", Some((&plan, 1)));
            body[member] = value;
            assert_eq!(works.records(officer, &body).faults()[0].0, pointer);
        }
        let records = || works.records(officer, &inspection("4", Some((&plan, 1))));
        let both = at_once([&records, &records]);
        let mut statuses = both.each_ref().map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", both[0].text, both[1].text);
        let first = both.into_iter().find(|reply| reply.status == 201).unwrap().json();
        assert_eq!((&first["place"], &first["grade"], &first["score"]), (&stop(1)["place"], &json!("a"), &json!("100.00")));
        refused(&records(), 409, "inspection_stop_done");

        // What cannot be inspected is left out with its reason, and then everybody can draw again.
        let omits = |who: &Person, stop: i64| posts(&ward, who, &format!("{path}/omissions"), Some(&json!({"stop": stop, "reason": "封闭施工"})));
        refused(&omits(approver, 2), 403, "forbidden");
        refused(&omits(officer, 1), 409, "inspection_stop_done");
        assert_eq!(omits(officer, 3).faults()[0].0, "/stop");
        ok(&omits(officer, 2));
        refused(&works.records(officer, &inspection("4", Some((&plan, 2)))), 409, "inspection_stop_done");
        let public = ok(&ward.get(&format!("/api/v1{path}")));
        assert_eq!((&public["is_disclosed"], &public["stops"][1]["omission"], &public["stops"][0]["inspection_id"]), (&json!(true), &json!("封闭施工"), &first["id"]));
        let seed: [u8; 32] = hex::decode(public["seed"].as_str().unwrap()).unwrap().try_into().unwrap();
        let candidates: Vec<String> = serde_json::from_value(public["candidates"].clone()).unwrap();
        let drawn = draw::order(&seed, &candidates, String::as_str);
        let shown: Vec<String> = public["stops"].as_array().unwrap().iter().map(|stop| format!("{}/{}", stop["place"], stop["grade"].as_str().unwrap())).collect();
        assert_eq!(drawn[..2].iter().copied().cloned().collect::<Vec<_>>(), shown);
        assert_eq!((hex::encode(draw::commitment(&seed)), hex::encode(draw::candidates_sha256(candidates.iter().map(String::as_str)))),
            (public["seed_sha256"].as_str().unwrap().to_owned(), public["candidates_sha256"].as_str().unwrap().to_owned()));

        // Annulled, the stop is open again, and what everybody knows stays known; another plan waits for it.
        ok(&works.annuls(approver, first["id"].as_str().unwrap()));
        let again = ok(&ward.get(&format!("/api/v1{path}")));
        assert_eq!((&again["is_disclosed"], &again["stops"][0]["state"]), (&json!(true), &json!("open")));
        refused(&works.draws(officer, "daily", 1), 409, "inspection_plan_open");
        assert_eq!(records().status, 201);
        let next = made(&works.draws(officer, "daily", 1));
        let list = |query: &str| ok(&ward.get(&format!("/api/v1/contracts/{contract}/inspection-plans{query}")));
        let listed = list("?source=daily&limit=1");
        assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["number"], &list("?source=monthly")["items"], &list("?period=2")["items"]), (&json!(next), &json!(2), &json!([]), &json!([])));
        let cursor = listed["next_cursor"].as_str().unwrap();
        assert_eq!(list(&format!("?source=daily&limit=1&cursor={cursor}"))["items"][0]["id"], json!(plan));

        // When the period is over nothing is drawn for it, and what was drawn is public.
        go_to(&ward, "2026-05-31T16:00:00Z");
        refused(&works.draws(officer, "monthly", 1), 409, "period_over");
        assert_eq!(ok(&ward.get(&format!("/api/v1/inspection-plans/{next}")))["is_disclosed"], json!(true));
        let mut late = inspection("4", Some((&next, 1)));
        late["started_at"] = json!("2026-05-31T16:00:00Z");
        assert_eq!(works.records(officer, &late).faults()[0].0, "/started_at");
        for statement in ["UPDATE inspection_plans SET stops = 1", "DELETE FROM inspection_plans", "UPDATE inspection_omissions SET reason = 'x'", "DELETE FROM inspection_omissions"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
    }

    fn an_inspection_is_recorded_contested_decided_by_another_and_annulled(ward) {
        let (case, contract) = contract(&ward);
        let works = Works { ward: &ward, case: &case, contract: contract.clone() };
        let (officer, approver, supplier) = (&case.office.officer, &case.office.approver, works.supplier());
        let other = Bidder::new(&ward, "路人公司", CODES[3]);
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        for (who, name) in [(supplier, "supplier"), (approver, "approver"), (officer, "officer")] {
            sql(&ward, &format!("UPDATE accounts SET email = '{name}@people.example' WHERE id = '{}'", who.id)).unwrap();
        }

        // Before the service begins there is nothing to inspect, and nobody inspects but the buyer's officers, who do not work for the contractor.
        let early = works.records(officer, &inspection("4", None));
        assert_eq!(early.faults(), [("/started_at".to_owned(), "invalid".to_owned())]);
        go_to(&ward, "2026-05-04T01:00:00Z");
        for stranger in [approver, supplier, &auditor] {
            refused(&works.records(stranger, &inspection("4", None)), 403, "forbidden");
        }
        let interested = person(&ward, &[
            Grant::of(Role::BuyerOfficer).in_organisation(case.office.treasury.department.clone()),
            Grant::of(Role::SupplierAgent).in_organisation(case.bidders[1].id.parse().unwrap()),
        ]);
        refused(&works.records(&interested, &inspection("4", None)), 403, "inspection_of_own_work");

        // All faults at once.
        let mut wrong = inspection("4.5x", None);
        wrong["items"][0]["value"] = json!("4");
        wrong["items"][0]["sample_area_m2"] = json!("0");
        wrong["items"][1] = json!({"indicator": "nothing", "value": "1"});
        wrong["source"] = json!("rating");
        wrong["grade"] = json!("z");
        wrong["place"] = json!(4);
        let pointers: Vec<String> = works.records(officer, &wrong).faults().into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(pointers, ["/source", "/place", "/grade", "/items/0/sample_area_m2", "/items/1/indicator"]);
        for far in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-04-30T15:59:59Z"] {
            let mut body = inspection("4", None);
            body["started_at"] = json!(far);
            assert_eq!(works.records(officer, &body).faults()[0].0, "/started_at", "{far}");
        }

        // Recorded: 7 ends where 4 are allowed, one guard asleep; with photos that are the parties' alone.
        let photos = [photo(&ward, officer, 1), photo(&ward, officer, 2)];
        let mut body = inspection("7", None);
        body["items"].as_array_mut().unwrap().push(json!({"indicator": "asleep", "value": "1", "note": "02:10 岗亭", "photos": [photos[0]]}));
        body["items"][0]["photos"] = json!([photos[1]]);
        let reply = works.records(officer, &body);
        let id = made(&reply);
        let view = reply.json();
        assert_eq!((&view["possible"], &view["obtained"], &view["deducted"], &view["score"], &view["period"]), (&json!("6"), &json!("4.5"), &json!("3"), &json!("72.00"), &json!(1)));
        assert_eq!((&view["items"][0]["lost"], &view["items"][0]["demanded"], &view["items"][2]["basis"], &view["contest_until"]), (&json!("1.5"), &json!("4"), &json!("deduction"), &json!("2026-05-11")));
        let content = ward.get(&format!("/api/v1/inspections/{id}/content"));
        let told = ward.events("inspection.recorded");
        assert_eq!((&told[0]["entry"]["data"]["sha256"], &told[0]["entry"]["data"]["score"]), (&json!(hex::encode(Sha256::digest(content.text.as_bytes()))), &json!("72.00")));
        let shown = |who: &Person| ok(&gets(&ward, who, &format!("/inspections/{id}")));
        assert_eq!((&shown(&other.agent)["inspector_id"], &shown(supplier)["inspector_id"]), (&Value::Null, &json!(officer.id)));
        let photo_of = |who: Option<&Person>| {
            let path = format!("/attachments/{}/content", photos[0]);
            who.map_or_else(|| ward.get(&format!("/api/v1{path}")), |who| gets(&ward, who, &path)).status
        };
        assert_eq!([photo_of(None), photo_of(Some(&other.agent)), photo_of(Some(supplier)), photo_of(Some(approver)), photo_of(Some(&auditor))], [404, 404, 200, 200, 200]);
        let stored = gets(&ward, officer, &format!("/attachments/{}", photos[1])).json();
        assert_eq!((&stored["metadata_removed"], &view["items"][0]["photos"][0]["sha256"]), (&json!(true), &stored["sha256"]));
        let mut again = inspection("4", None);
        again["items"][0]["photos"] = json!([photos[0]]);
        refused(&works.records(officer, &again), 409, "attachment_already_attached");
        let public = photo(&ward, officer, 3);
        again["items"][0]["photos"] = json!([public]);
        (again["photos_are_public"], again["place"], again["location"], again["source"]) = (json!(true), Value::Null, json!("桂园路口"), json!("monthly"));
        let monthly = made(&works.records(officer, &again));
        assert_eq!(ward.get(&format!("/api/v1/attachments/{public}/content")).status, 200);

        // Contested once and in time, by the contractor; why is between the parties.
        refused(&works.contests(officer, &id, 1, &[]), 403, "forbidden");
        refused(&works.contests(&other.agent, &id, 1, &[]), 403, "forbidden");
        assert_eq!(works.contests(supplier, &id, 4, &[]).faults()[0].0, "/item");
        let proof = photo(&ward, supplier, 9);
        let files = || works.contests(supplier, &id, 1, std::slice::from_ref(&proof));
        let plain = || works.contests(supplier, &id, 1, &[]);
        let both = at_once([&files, &plain]);
        let filed: Vec<&Reply> = both.iter().filter(|reply| reply.status == 201).collect();
        assert_eq!((filed.len(), both.iter().filter(|reply| reply.status == 409).count()), (1, 1), "{} {}", both[0].text, both[1].text);
        let contest = filed[0].json()["id"].as_str().unwrap().to_owned();
        refused(&plain(), 409, "inspection_contested_already");
        let third = made(&works.contests(supplier, &id, 3, &[photo(&ward, supplier, 10)]));
        let seen = |who: &Person| ok(&gets(&ward, who, &format!("/inspection-contests/{third}")));
        assert_eq!((&seen(&other.agent)["reason"], seen(&other.agent)["attachment_ids"].as_array().unwrap().len(), seen(officer)["attachment_ids"].as_array().unwrap().len()), (&Value::Null, 0, 1));
        let file = seen(officer)["attachment_ids"][0].as_str().unwrap().to_owned();
        assert_eq!([&other.agent, approver].map(|who| gets(&ward, who, &format!("/attachments/{file}")).status), [404, 200]);
        let told = ward.events("inspection.contested");
        assert!(!told[0]["entry"].to_string().contains("样地") && opened(&told[0])["reason"] == "样地面积记错");
        assert_eq!(works.scores()[0], ("provisional".to_owned(), json!("72.00"), 1));

        // Decided by somebody else of the buyer, with what is right; the record stays and the score follows.
        let right = json!({"value": "4", "sample_area_m2": "1000"});
        refused(&works.decides(officer, &contest, right.clone()), 403, "forbidden");
        refused(&works.decides(supplier, &contest, right.clone()), 403, "forbidden");
        let stale = approver.asks(&ward, "POST", &format!("/api/v1/inspection-contests/{contest}/decision")).header("if-match", "\"v7\"").json(&json!({"decision": "经复核"})).send();
        refused(&stale, 412, "version_stale");
        assert_eq!(works.decides(approver, &contest, json!({"value": "4", "unit": "piece"})).faults()[0].0, "/corrected/sample_area_m2");
        let decided = ok(&works.decides(approver, &contest, right.clone()));
        assert_eq!((&decided["state"], &decided["corrected"]["lost"], &decided["revision"]), (&json!("upheld"), &json!("0"), &json!(2)));
        refused(&works.decides(approver, &contest, Value::Null), 409, "inspection_contest_decided");
        assert_eq!(ok(&works.decides(approver, &third, Value::Null))["state"], "rejected");
        let now = shown(&other.agent);
        assert_eq!((&now["score_recorded"], &now["score"], &now["items"][0]["value"], &now["contests"][0]["corrected"]["value"]), (&json!("72.00"), &json!("97.00"), &json!("7"), &json!("4")));
        assert_eq!(ward.get(&format!("/api/v1/inspections/{id}/content")).text, content.text);
        assert_eq!(works.scores(), [("provisional".to_owned(), json!("97.00"), 1), ("provisional".to_owned(), json!("100.00"), 1), ("no_data".to_owned(), Value::Null, 0)]);

        // Nobody decides about what they inspected themself, in whatever capacity.
        let two_hats = roles(&ward, &case, &[Role::BuyerOfficer, Role::BuyerApprover]);
        let own = made(&works.records(&two_hats, &inspection("9", None)));
        let about_own = made(&works.contests(supplier, &own, 1, &[]));
        refused(&works.decides(&two_hats, &about_own, Value::Null), 403, "separation_of_duties");
        refused(&works.annuls(&two_hats, &own), 403, "separation_of_duties");
        refused(&works.annuls(officer, &own), 403, "forbidden");
        assert_eq!(works.scores()[0], ("provisional".to_owned(), json!("77.67"), 2), "97.00 and 58.33, of which 2.5 of 6 points are lost");

        // Annulled, it counts for nothing, is not contested and not decided, and stays readable.
        ok(&works.annuls(approver, &own));
        refused(&works.annuls(approver, &own), 409, "inspection_annulled");
        refused(&works.decides(approver, &about_own, Value::Null), 409, "inspection_annulled");
        refused(&works.contests(supplier, &own, 2, &[]), 409, "inspection_annulled");
        let kept = ok(&ward.get(&format!("/api/v1/inspections/{own}")));
        assert_eq!((&kept["annulment"], &kept["score"]), (&json!("地点记错"), &json!("58.33")));

        // Lists, a table, and mail to both sides.
        let list = |query: &str| ok(&ward.get(&format!("/api/v1/contracts/{contract}/inspections{query}")))["items"].as_array().unwrap().clone();
        let ids = |query: &str| list(query).iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!((ids("?period=1"), ids("?is_annulled=true"), ids("?source=monthly"), ids("?period=2"), ids("?is_annulled=false&source=daily")),
            (vec![own.clone(), monthly.clone(), id.clone()], vec![own.clone()], vec![monthly.clone()], vec![], vec![id.clone()]));
        let row = &list("?is_annulled=false&source=daily")[0];
        assert_eq!((&row["score"], &row["contests"], &row["contests_open"], &row["items"]), (&json!("97.00"), &json!(2), &json!(0), &json!(3)));
        let table = ward.ask("GET", &format!("/api/v1/contracts/{contract}/inspections?source=monthly")).header("accept", "text/csv").send();
        assert!(table.text.contains("桂园路口") && table.text.lines().count() == 2, "{}", table.text);
        let open = ok(&ward.get(&format!("/api/v1/contracts/{contract}/inspection-contests?state=filed")));
        assert_eq!((open["items"].as_array().unwrap().len(), &open["items"][0]["id"]), (1, &json!(about_own)));
        let mails = |who: &Person| lines(&ward, &format!("SELECT dedup_key AS line FROM outbox WHERE kind = 'inspection.happened' AND account_id = '{}'", who.id));
        let count = |who: &Person, what: &str| mails(who).iter().filter(|key| key.contains(what)).count();
        assert_eq!([":recorded:", ":filed:", ":decided:", ":annulled:"].map(|what| (count(supplier, what), count(approver, what))), [(3, 0), (0, 3), (2, 2), (1, 1)]);

        // When period and time are over the score is settled, and nothing is contested any more.
        go_to(&ward, "2026-05-11T16:00:00Z");
        refused(&works.contests(supplier, &monthly, 1, &[]), 409, "inspection_contest_late");
        assert_eq!(works.scores()[1].0, "provisional");
        go_to(&ward, "2026-05-31T16:00:00Z");
        assert_eq!(works.scores()[1], ("settled".to_owned(), json!("100.00"), 1));
        for statement in ["UPDATE inspections SET score = '100'", "DELETE FROM inspections", "DELETE FROM inspection_annulments", "UPDATE inspection_contests SET reason = 'x'", "UPDATE inspection_contests SET state = 'rejected', corrected = NULL", "DELETE FROM inspection_contests"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
        refused(&ward.get("/api/v1/inspections/inspection_01jd3n8f5teqkrzvq1c0m6h2ax"), 404, "not_found");
        assert_eq!(of(&ward, Role::BuyerOfficer, &case.office.treasury.department).asks(&ward, "GET", &format!("/api/v1/inspections/{id}")).send().status, 200);
    }
}
