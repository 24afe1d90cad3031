//! The life of categories, standards and their versions: who may do what, what is seen by whom, what never changes again, and
//! what happens when two people do it at once.

use std::sync::Barrier;

use diesel::prelude::*;
use serde_json::{Value, json};
use wardbook::db::conn::{Access, Conn, connect};
use wardbook::kernel::refusal::Stop;
use wardbook::standards::acts;
use wardbook::standards::rules_documents::INDICATORS_MAX;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::cast::{organisation, person_with};
use crate::harness::{Reply, Ward};
use crate::{on_both, standards_tables};
use standards_tables::{content, indicator, published_standard, standard};
use wardbook::kernel::party::OrganisationKind;

pub fn keeper<'w>(ward: &'w Ward, method: &str, path: &str) -> crate::harness::Ask<'w> {
    ward.ask(method, path).by(Role::StandardsKeeper)
}

fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (status, code),
        "{}",
        reply.text
    );
}

fn done(reply: Reply) -> Value {
    assert!(matches!(reply.status, 200 | 201), "{}", reply.text);
    reply.json()
}

on_both! {
    fn a_category_is_added_renamed_and_retired_and_its_code_stays(ward) {
        let add = |code: &str| keeper(&ward, "POST", "/api/v1/service-categories").json(&json!({"code": code, "name_zh": "电梯", "name_en": "Lifts"})).send();
        let added = add("lifts");
        assert_eq!((added.status, added.header("etag"), added.header("location")), (201, Some("\"v1\""), Some("/api/v1/service-categories/lifts")));
        refused(&add("lifts"), 409, "service_category_taken");
        refused(&add("Lifts"), 422, "invalid");
        let path = "/api/v1/service-categories/lifts";
        let change = |etag: &str, body: Value| keeper(&ward, "PATCH", path).header("if-match", etag).json(&body).send();
        refused(&keeper(&ward, "PATCH", path).json(&json!({})).send(), 428, "version_missing");
        refused(&change("\"v9\"", json!({"name_en": "x"})), 412, "version_stale");
        refused(&change("*", json!({"code": "other"})), 422, "invalid");
        refused(&change("*", json!({"name_en": "=x"})), 422, "invalid");
        assert_eq!(done(change("\"v1\"", json!({"name_en": "Lift upkeep"})))["name_en"], "Lift upkeep");
        assert_eq!(done(change("*", json!({"name_en": "Lift upkeep"})))["version"], 2, "nothing to change");
        // Whoever may write a standard may write one into a category that takes some.
        let id = standard(&ward, "lifts", "lift_upkeep");
        assert_eq!(done(change("\"v2\"", json!({"state": "retired"})))["state"], "retired");
        let closed = json!({"category": "lifts", "code": "another", "title_zh": "甲", "title_en": "A", "source_zh": "乙", "source_en": "B"});
        refused(&keeper(&ward, "POST", "/api/v1/standards").json(&closed).send(), 409, "service_category_closed");
        let unknown = json!({"category": "tea", "code": "another", "title_zh": "甲", "title_en": "A", "source_zh": "乙", "source_en": "B"});
        refused(&keeper(&ward, "POST", "/api/v1/standards").json(&unknown).send(), 409, "service_category_closed");
        assert_eq!(keeper(&ward, "GET", &format!("/api/v1/standards/{id}")).send().status, 200, "what is there stays");
        let states = |query: &str| ward.get(&format!("/api/v1/service-categories{query}")).json()["items"].as_array().unwrap().len();
        assert_eq!((states(""), states("?state=active"), states("?state=retired")), (1, 0, 1));
        assert_eq!(ward.get(path).json()["state"], "retired");
        assert_eq!(ward.ask("GET", path).header("if-none-match", "\"v3\"").send().status, 304);
        for odd in ["Lifts", "%00", "tea", "%ff"] {
            assert_eq!(ward.get(&format!("/api/v1/service-categories/{odd}")).status, 404, "{odd}");
        }
        assert_eq!(ward.events("service_category.added").len(), 1);
        assert_eq!(ward.events("service_category.changed").len(), 2);
    }

    fn a_version_is_drafted_written_published_and_withdrawn(ward) {
        let id = standard(&ward, "lifts", "lift_upkeep");
        let path = format!("/api/v1/standards/{id}/versions/1");
        let publish = |etag: &str| keeper(&ward, "POST", &format!("{path}/publication")).header("if-match", etag).send();
        refused(&publish("\"v1\""), 409, "standard_without_indicators");
        let write = |etag: &str, content: &Value| keeper(&ward, "PUT", &path).header("if-match", etag).json(content).send();
        let first = content(&[indicator("arrival", "30"), indicator("noise", "5")]);
        let written = write("\"v1\"", &first);
        assert_eq!((written.status, written.header("etag")), (200, Some("\"v2\"")), "{}", written.text);
        assert_eq!(written.json()["version"]["sha256"], json!(null), "a draft has no hash that counts");
        assert_eq!(done(write("\"v2\"", &first))["version"]["revision"], 2, "nothing to change");
        refused(&write("\"v1\"", &first), 412, "version_stale");
        refused(&keeper(&ward, "PUT", &path).json(&first).send(), 428, "version_missing");
        refused(&keeper(&ward, "POST", &format!("/api/v1/standards/{id}/versions")).json(&json!({})).send(), 409, "standard_draft_open");
        let why = json!({"reason_zh": "停用", "reason_en": "no longer used"});
        let withdraw = |body: &Value| keeper(&ward, "POST", &format!("{path}/withdrawal")).json(body).send();
        refused(&withdraw(&why), 409, "standard_wrong_state");
        // What is published is what was looked at.
        refused(&publish("\"v1\""), 412, "version_stale");
        refused(&keeper(&ward, "POST", &format!("{path}/publication")).send(), 428, "version_missing");
        let published = done(publish("\"v2\""));
        assert_eq!((&published["version"]["state"], &published["version"]["revision"]), (&json!("published"), &json!(3)));
        refused(&publish("*"), 409, "standard_wrong_state");
        refused(&write("*", &first), 409, "standard_wrong_state");
        assert_eq!(ward.get(&path).json(), published);

        // The next one begins as a copy and does not touch the one before.
        let second = keeper(&ward, "POST", &format!("/api/v1/standards/{id}/versions")).json(&json!({})).send();
        assert_eq!(second.header("location"), Some(format!("/api/v1/standards/{id}/versions/2").as_str()));
        let second = done(second);
        assert_eq!((&second["version"]["number"], &second["content"]), (&json!(2), &published["content"]));
        let path_2 = format!("/api/v1/standards/{id}/versions/2");
        done(keeper(&ward, "PUT", &path_2).header("if-match", "*").json(&content(&[indicator("arrival", "20")])).send());
        done(keeper(&ward, "POST", &format!("{path_2}/publication")).header("if-match", "\"v2\"").send());
        // A draft that is given up is gone, and its number is not given again.
        let begin = || keeper(&ward, "POST", &format!("/api/v1/standards/{id}/versions")).json(&json!({})).send();
        let give_up = |number: &str, etag: &str| keeper(&ward, "POST", &format!("/api/v1/standards/{id}/versions/{number}/discarding")).header("if-match", etag).send();
        assert_eq!(done(begin())["version"]["number"], 3);
        refused(&give_up("3", "\"v4\""), 412, "version_stale");
        refused(&give_up("2", "*"), 409, "standard_wrong_state");
        assert_eq!(give_up("3", "\"v1\"").status, 200);
        refused(&give_up("3", "*"), 404, "not_found");
        assert_eq!(keeper(&ward, "GET", &format!("/api/v1/standards/{id}/versions/3")).send().status, 404);
        assert_eq!(done(begin())["version"]["number"], 4);
        assert_eq!((give_up("4", "*").status, ward.events("standard.discarded").len()), (200, 2));
        refused(&withdraw(&json!({"reason_zh": "=1", "reason_en": "x"})), 422, "invalid");
        let withdrawn = done(withdraw(&why));
        assert_eq!((&withdrawn["version"]["state"], &withdrawn["version"]["withdrawal_en"]), (&json!("withdrawn"), &json!("no longer used")));
        assert_eq!((&withdrawn["content"], &withdrawn["version"]["sha256"]), (&published["content"], &published["version"]["sha256"]));
        refused(&withdraw(&why), 409, "standard_wrong_state");
        assert_eq!(ward.get(&path).status, 200, "it stays public");
        let third = keeper(&ward, "POST", &format!("/api/v1/standards/{id}/versions")).json(&json!({"copy_of": 1})).send();
        assert_eq!(done(third)["content"], published["content"], "a copy of any version");
        for (kind, count) in [("standard.created", 1), ("standard.drafted", 5), ("standard.redrafted", 2), ("standard.published", 2), ("standard.withdrawn", 1)] {
            assert_eq!(ward.events(kind).len(), count, "{kind}");
        }
        // What a book asks: the public one is usable, the withdrawn one and the draft are not.
        let usable = |number: u32| {
            let version = keeper(&ward, "GET", &format!("/api/v1/standards/{id}/versions/{number}")).send().json();
            let id = version["version"]["id"].as_str().unwrap().parse().unwrap();
            match ward.context().db.read_and_wait(move |conn| acts::usable(conn, &id)) {
                Ok(_) => "usable",
                Err(Stop::Refused(refusal)) => refusal.reason.code,
                Err(fault) => panic!("{fault}"),
            }
        };
        assert_eq!([usable(1), usable(2), usable(5)], ["standard_wrong_state", "usable", "not_found"]);
    }

    fn a_standards_title_may_change_and_its_code_may_not(ward) {
        let id = published_standard(&ward);
        let path = format!("/api/v1/standards/{id}");
        let change = |etag: &str, body: Value| keeper(&ward, "PATCH", &path).header("if-match", etag).json(&body).send();
        refused(&keeper(&ward, "PATCH", &path).json(&json!({})).send(), 428, "version_missing");
        refused(&change("\"v2\"", json!({"title_en": "x"})), 412, "version_stale");
        refused(&change("*", json!({"code": "x"})), 422, "invalid");
        let changed = done(change("\"v1\"", json!({"title_en": "Upkeep of lifts"})));
        assert_eq!((&changed["title_en"], &changed["version"]), (&json!("Upkeep of lifts"), &json!(2)));
        assert_eq!(done(change("*", json!({"title_en": "Upkeep of lifts"})))["version"], 2);
        assert_eq!(ward.events("standard.retitled").len(), 1);
        let again = json!({"category": "lifts", "code": "lift_upkeep", "title_zh": "甲", "title_en": "A", "source_zh": "乙", "source_en": "B"});
        refused(&keeper(&ward, "POST", "/api/v1/standards").json(&again).send(), 409, "standard_taken");
    }

    fn drafts_are_seen_by_keepers_alone(ward) {
        let id = standard(&ward, "lifts", "lift_upkeep");
        let paths = [format!("/api/v1/standards/{id}"), format!("/api/v1/standards/{id}/versions"), format!("/api/v1/standards/{id}/versions/1"), format!("/api/v1/standards/{id}/versions/1/differences?from=1")];
        let outsiders = [Role::Public, Role::Admin, Role::BuyerOfficer, Role::Auditor, Role::Regulator, Role::SupplierAgent];
        for path in &paths {
            for role in outsiders {
                refused(&ward.ask("GET", path).by(role).send(), 404, "not_found");
            }
            assert_eq!(keeper(&ward, "GET", path).send().status, 200, "{path}");
        }
        let evaluate = json!({"measurements": [{"indicator": "arrival", "value": "1", "unit": "minute"}]});
        refused(&ward.ask("POST", &format!("/api/v1/standards/{id}/versions/1/evaluations")).json(&evaluate).send(), 404, "not_found");
        let listed = |role: Role, query: &str| ward.ask("GET", &format!("/api/v1/standards{query}")).by(role).send().json()["items"].as_array().unwrap().len();
        assert_eq!((listed(Role::Public, ""), listed(Role::StandardsKeeper, "")), (0, 1));
        assert_eq!((listed(Role::Public, "?state=draft"), listed(Role::StandardsKeeper, "?state=draft")), (0, 1));

        // Not even what it is called is in the public part of an event; the log commits to it.
        let public = ward.get("/api/v1/audit/events?limit=200&type=standard.*").text;
        assert!(public.contains("standard.created") && !public.contains("lift_upkeep"), "{public}");
        assert!(ward.events("standard.created")[0]["opened"]["content"].as_str().unwrap().contains("lift_upkeep"));

        let id = published_standard(&ward);
        done(keeper(&ward, "POST", &format!("/api/v1/standards/{id}/versions")).json(&json!({})).send());
        let versions = |role: Role| ward.ask("GET", &format!("/api/v1/standards/{id}/versions")).by(role).send().json()["items"].as_array().unwrap().len();
        assert_eq!((versions(Role::Public), versions(Role::Admin), versions(Role::StandardsKeeper)), (1, 1, 2));
        refused(&ward.get(&format!("/api/v1/standards/{id}/versions/2")), 404, "not_found");
        refused(&ward.get(&format!("/api/v1/standards/{id}/versions/1/differences?from=2")), 404, "not_found");
        // What stands in a draft is in no event that everyone reads.
        let events = ward.get("/api/v1/audit/events?limit=200&type=standard.*").text;
        assert!(events.contains("standard.drafted") && !events.contains("arrival"), "{events}");
    }

    fn only_keepers_change_the_catalogue_and_only_in_a_strong_session(ward) {
        let id = published_standard(&ward);
        let body = json!({"code": "x", "name_zh": "甲", "name_en": "A"});
        for role in [Role::Admin, Role::Regulator, Role::BuyerApprover, Role::Auditor, Role::Resident] {
            refused(&ward.ask("POST", "/api/v1/service-categories").by(role).json(&body).send(), 403, "forbidden");
            refused(&ward.ask("POST", &format!("/api/v1/standards/{id}/versions")).by(role).json(&json!({})).send(), 403, "forbidden");
            let why = json!({"reason_zh": "停用", "reason_en": "x"});
            refused(&ward.ask("POST", &format!("/api/v1/standards/{id}/versions/1/withdrawal")).by(role).json(&why).send(), 403, "forbidden");
        }
        let office = organisation(&ward, OrganisationKind::Department, None);
        let grant = Grant::of(Role::StandardsKeeper).in_organisation(office);
        let ask = |strong: bool, scopes: &[&str]| person_with(&ward, std::slice::from_ref(&grant), strong, scopes).asks(&ward, "POST", "/api/v1/service-categories").json(&body).send();
        refused(&ask(false, &["standards.write"]), 403, "second_factor_required");
        refused(&ask(true, &["standards.read"]), 403, "scope_missing");
        assert_eq!(ask(true, &["standards.write"]).status, 201);
    }

    /// Two people who both read revision 1: one of them writes, the other is told.
    fn of_two_who_write_at_once_one_is_told(ward) {
        let id = standard(&ward, "lifts", "lift_upkeep");
        let path = format!("/api/v1/standards/{id}/versions/1");
        for round in 1..=4 {
            let line = Barrier::new(2);
            let etag = format!("\"v{round}\"");
            let statuses: Vec<u16> = std::thread::scope(|threads| {
                let writing: Vec<_> = (0..2).map(|who| {
                    let (ward, line, path, etag) = (&ward, &line, &path, &etag);
                    threads.spawn(move || {
                        let body = content(&[indicator("arrival", &format!("{}", round * 10 + who))]);
                        line.wait();
                        keeper(ward, "PUT", path).header("if-match", etag).json(&body).send().status
                    })
                }).collect();
                writing.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let mut sorted = statuses.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [200, 412], "round {round}");
        }
        // Writing races publishing: whatever is published is what somebody saw under that revision.
        let line = Barrier::new(2);
        let (wrote, published) = std::thread::scope(|threads| {
            let writing = threads.spawn(|| {
                line.wait();
                keeper(&ward, "PUT", &path).header("if-match", "\"v5\"").json(&content(&[indicator("arrival", "1")])).send().status
            });
            line.wait();
            let published = keeper(&ward, "POST", &format!("{path}/publication")).header("if-match", "\"v5\"").send().status;
            (writing.join().unwrap(), published)
        });
        assert!(matches!((wrote, published), (200, 412) | (412 | 409, 200)), "{wrote} {published}");
        assert_eq!(ward.events("standard.published").len(), usize::from(published == 200));
        // Two begin the next version at once: there is one draft.
        if published == 412 {
            done(keeper(&ward, "POST", &format!("{path}/publication")).header("if-match", "*").send());
        }
        let line = Barrier::new(2);
        let mut statuses: Vec<u16> = std::thread::scope(|threads| {
            let beginning: Vec<_> = (0..2).map(|_| {
                threads.spawn(|| {
                    line.wait();
                    keeper(&ward, "POST", &format!("/api/v1/standards/{id}/versions")).json(&json!({})).send().status
                })
            }).collect();
            beginning.into_iter().map(|one| one.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
    }

    /// For everyone, the service's own connections included.
    fn the_database_refuses_what_the_rules_refuse(ward) {
        let id = published_standard(&ward);
        done(keeper(&ward, "POST", &format!("/api/v1/standards/{id}/versions")).json(&json!({})).send());
        ward.settle();
        let mut conn = connect(&ward.house().settings.database().unwrap(), Access::Write).unwrap();
        let mut run = |statement: &str| match &mut conn {
            Conn::Sqlite(c) => diesel::sql_query(statement).execute(c),
            Conn::Postgres(c) => diesel::sql_query(statement).execute(c),
        };
        let mut refused = vec![
            "UPDATE standard_versions SET content = '{}' WHERE number = 1",
            "UPDATE standard_versions SET content_sha256 = content_sha256 WHERE number = 1",
            "UPDATE standard_versions SET published_at = '2027-01-01 00:00:00' WHERE number = 1",
            "UPDATE standard_versions SET number = 7",
            "UPDATE standard_versions SET built_in = NOT built_in",
            "UPDATE standard_versions SET standard_id = standard_id WHERE number = 2",
            "UPDATE standard_versions SET state = 'draft', published_at = NULL WHERE number = 1",
            "UPDATE standard_versions SET revision = 9 WHERE number = 1",
            "UPDATE standard_versions SET state = 'withdrawn', published_at = '2027-01-01 00:00:00', withdrawn_at = '2027-01-01 00:00:00', withdrawal_zh = 'z', withdrawal_en = 'e' WHERE number = 2",
            "DELETE FROM standard_versions",
            "DELETE FROM standards",
            "UPDATE standards SET code = 'other'",
            "UPDATE standards SET category = category",
            "DELETE FROM service_categories",
            "UPDATE service_categories SET code = 'other'",
        ];
        if ward.database.is_some() {
            refused.extend(["TRUNCATE standard_versions CASCADE", "TRUNCATE standards CASCADE", "TRUNCATE service_categories CASCADE"]);
        }
        for statement in refused {
            let error = run(statement).unwrap_err().to_string();
            assert!(error.contains("append-only"), "{statement}: {error}");
        }
        for (statement, wrong) in [
            ("UPDATE service_categories SET name_zh = ''", "check"),
            ("UPDATE service_categories SET state = 'lost'", "check"),
            ("UPDATE standards SET title_en = ''", "check"),
            ("UPDATE standard_versions SET revision = 0 WHERE number = 2", "check"),
            ("UPDATE standard_versions SET state = 'published' WHERE number = 2", "check"),
            ("UPDATE standard_versions SET content = '' WHERE number = 2", "check"),
            ("INSERT INTO standard_versions (id, standard_id, number, state, built_in, content, content_sha256, revision, created_at, updated_at) \
              SELECT 'v', standard_id, 3, state, built_in, content, content_sha256, 1, created_at, updated_at FROM standard_versions WHERE number = 2", "unique"),
            ("INSERT INTO standard_versions (id, standard_id, number, state, built_in, content, content_sha256, revision, created_at, updated_at, published_at) \
              SELECT 'v', 'standard_nobody', 3, state, built_in, content, content_sha256, 1, created_at, updated_at, published_at FROM standard_versions WHERE number = 1", "foreign key"),
        ] {
            let error = run(statement).unwrap_err().to_string().to_lowercase();
            assert!(error.contains(wrong), "{statement}: {error}");
        }
        // What may be done: a draft is written, a published version withdrawn.
        assert_eq!(run("UPDATE standard_versions SET revision = revision WHERE number = 2").unwrap(), 1);
        assert_eq!(run("UPDATE standard_versions SET state = 'withdrawn', withdrawn_at = '2027-01-01 00:00:00', withdrawal_zh = 'z', withdrawal_en = 'e' WHERE number = 1").unwrap(), 1);
        let error = run("UPDATE standard_versions SET withdrawal_zh = 'other' WHERE number = 1").unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }

    fn lists_are_filtered_and_read_page_by_page(ward) {
        for n in 0..5 {
            let id = standard(&ward, if n < 3 { "lifts" } else { "gates" }, &format!("standard_{n}"));
            let path = format!("/api/v1/standards/{id}/versions/1");
            done(keeper(&ward, "PUT", &path).header("if-match", "*").json(&content(&[indicator("arrival", "30")])).send());
            if n != 4 {
                done(keeper(&ward, "POST", &format!("{path}/publication")).header("if-match", "*").send());
            }
        }
        let codes = |role: Role, query: &str| -> Vec<String> {
            let reply = ward.ask("GET", &format!("/api/v1/standards?{query}")).by(role).send();
            assert_eq!(reply.status, 200, "{}", reply.text);
            reply.json()["items"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(codes(Role::Public, "category=lifts"), ["standard_0", "standard_1", "standard_2"]);
        assert_eq!(codes(Role::Public, "category=gates"), ["standard_3"]);
        assert_eq!(codes(Role::StandardsKeeper, "category=gates"), ["standard_3", "standard_4"]);
        assert_eq!(codes(Role::StandardsKeeper, "state=draft"), ["standard_4"]);
        assert_eq!(codes(Role::Public, "jurisdiction=cn"), [""; 0]);
        assert_eq!(codes(Role::Public, "jurisdiction=xx&state=published").len(), 4);
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        for _ in 0..3 {
            let page = keeper(&ward, "GET", &format!("/api/v1/standards?limit=2{cursor}")).send().json();
            seen.extend(page["items"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned()));
            cursor = format!("&cursor={}", page["next_cursor"].as_str().unwrap_or_default());
        }
        assert_eq!(seen, ["standard_3", "standard_4", "standard_0", "standard_1", "standard_2"]);
        for bad in ["state=lost", "cursor=x", "limit=0", "jurisdiction=China", "q=x"] {
            refused(&ward.get(&format!("/api/v1/standards?{bad}")), 400, "malformed");
        }
        for odd in ["0", "01", "-1", "99999", "x", "%00", "1.0"] {
            let id = keeper(&ward, "GET", "/api/v1/standards").send().json()["items"][0]["id"].as_str().unwrap().to_owned();
            refused(&keeper(&ward, "GET", &format!("/api/v1/standards/{id}/versions/{odd}")).send(), 404, "not_found");
        }
    }

    fn there_is_an_end_to_everything(ward) {
        let id = standard(&ward, "lifts", "lift_upkeep");
        let path = format!("/api/v1/standards/{id}/versions/1");
        let write = |content: &Value| keeper(&ward, "PUT", &path).header("if-match", "*").json(content).send();
        let many = |count: usize| content(&(0..count).map(|n| indicator(&format!("arrival_{n}"), "30")).collect::<Vec<_>>());
        assert_eq!(write(&many(INDICATORS_MAX)).status, 200);
        let reply = write(&many(INDICATORS_MAX + 1));
        assert_eq!(reply.faults(), [("/indicators".to_owned(), "too_many".to_owned())]);
        for (member, value) in [("name_zh", "长".repeat(101)), ("text_en", "x".repeat(501)), ("method_zh", "长".repeat(501)), ("code", "c".repeat(41)), ("source_zh", "长".repeat(201))] {
            let mut one = indicator("arrival", "30");
            one[member] = json!(value);
            let reply = write(&content(&[one]));
            let at = format!("/indicators/0/{member}");
            assert!(reply.status == 422 && reply.faults().iter().any(|(pointer, code)| *pointer == at && code == "too_long"), "{member}: {}", reply.text);
        }
        // Faults that no schema can say come back all at once as well.
        let mut wrong = content(&[indicator("arrival", "30"), indicator("arrival", "30"), indicator("Big", "30")]);
        wrong["indicators"][0]["counts_from"] = json!("report");
        wrong["indicators"][0]["unit"] = json!("percent");
        wrong["indicators"][2]["limits"] = json!([{"grade": "c", "threshold": "1"}]);
        let faults: Vec<_> = write(&wrong).faults().into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(faults, ["/indicators/0/counts_from", "/indicators/1/code", "/indicators/2/code", "/indicators/2/limits"]);
        let begin = keeper(&ward, "POST", "/api/v1/standards");
        let reply = begin.json(&json!({"category": "lifts", "code": "x", "title_zh": "长".repeat(201), "title_en": "A", "source_zh": "乙", "source_en": ""})).send();
        assert_eq!(reply.faults().len(), 2, "{}", reply.text);
    }
}
