//! Organisations, as their people, the platform and everyone else meet them.

use diesel::RunQueryDsl;
use diesel::sql_query;
use serde_json::{Value, json};
use wardbook::both;
use wardbook::db::conn::{Access, connect};
use wardbook::kernel::party::OrganisationId;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::cast::{person, person_with};
use crate::harness::{Ask, Reply, Ward};
use crate::on_both;

/// Codes whose check character fits.
pub const CODES: [&str; 4] = [
    "914403001922038216",
    "9144030071526726XG",
    "91330100799655058B",
    "91440300192317458F",
];

/// What nobody may find where it does not belong.
pub const PRIVATE: [&str; 5] = [
    "高清岚",
    "秦联络",
    "13912345678",
    "office@jiecheng.example.com",
    "梧桐巷七号",
];

/// A company that lacks nothing.
pub fn company(name: &str, code: &str) -> Value {
    json!({
        "kind": "company", "name_zh": name, "name_en": name, "credit_code": code, "legal_representative": PRIVATE[0],
        "contact_name": PRIVATE[1], "phone": PRIVATE[2], "mail": PRIVATE[3], "address": PRIVATE[4],
        "size": {"industry": "other_services", "employees": 42}
    })
}

/// A POST to the organisations by somebody in a role.
pub fn post(ward: &Ward, by: Role, body: &Value) -> Reply {
    ward.ask("POST", "/api/v1/organisations").by(by).json(body).send()
}

/// Registers an organisation and returns its id.
pub fn registered(ward: &Ward, by: Role, body: &Value) -> String {
    let reply = post(ward, by, body);
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// Registers a company as a supplier's agent and verifies it as the regulator.
pub fn verified(ward: &Ward, name: &str, code: &str) -> String {
    let id = registered(ward, Role::SupplierAgent, &company(name, code));
    let reply = act(
        ward,
        Role::Regulator,
        &id,
        "verification",
        "*",
        &json!({"evidence": "营业执照"}),
    )
    .send();
    assert_eq!(reply.status, 200, "{}", reply.text);
    id
}

fn act<'w>(ward: &'w Ward, by: Role, id: &str, what: &str, version: &str, body: &Value) -> Ask<'w> {
    ward.ask("POST", &format!("/api/v1/organisations/{id}/{what}"))
        .by(by)
        .header("if-match", version)
        .json(body)
}

fn change(ward: &Ward, by: Role, id: &str, version: &str, body: &Value) -> Reply {
    ward.ask("PATCH", &format!("/api/v1/organisations/{id}"))
        .by(by)
        .header("if-match", version)
        .json(body)
        .send()
}

fn read(ward: &Ward, by: Role, id: &str) -> Reply {
    ward.ask("GET", &format!("/api/v1/organisations/{id}"))
        .by(by)
        .send()
}

fn names(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let items = json["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{}", reply.text));
    items
        .iter()
        .map(|item| item["name_zh"].as_str().unwrap().to_owned())
        .collect()
}

/// Runs a statement past the service.
pub fn sql(ward: &Ward, statement: &str) -> Result<usize, diesel::result::Error> {
    let url = ward.server().house.as_ref().unwrap().settings.database().unwrap();
    let mut conn = connect(&url, Access::Write).unwrap();
    both!(&mut conn, c => sql_query(statement).execute(c))
}

pub fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (status, code),
        "{}",
        reply.text
    );
}

/// The private part of an event, as the auditor reads it.
pub fn opened(event: &Value) -> Value {
    serde_json::from_str(event["opened"]["content"].as_str().unwrap()).unwrap()
}

/// No private particular is in a text.
pub fn holds_nothing_private(text: &str, what: &str) {
    for word in PRIVATE {
        assert!(!text.contains(word), "{what} tells {word}: {text}");
    }
}

on_both! {
    fn a_supplier_registers_itself_is_verified_by_another_and_public_from_then_on(ward) {
        let created = post(&ward, Role::SupplierAgent, &company("洁城公司", CODES[0]));
        assert_eq!((created.status, created.header("etag")), (201, Some("\"v1\"")), "{}", created.text);
        let id = created.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(created.header("location"), Some(format!("/api/v1/organisations/{id}").as_str()));
        let view = created.json();
        assert_eq!((&view["state"], &view["size_class"], &view["size_derived"]), (&json!("registered"), &json!("small"), &json!(true)));
        assert_eq!(view["private"]["legal_representative"], PRIVATE[0]);

        // Its own business and the platform's, and nobody else's: not its name, not even that it is there.
        for stranger in [Role::Public, Role::Resident, Role::BuyerOfficer, Role::FinanceOfficer] {
            refused(&read(&ward, stranger, &id), 404, "not_found");
            assert_eq!(names(&ward.ask("GET", "/api/v1/organisations").by(stranger).send()), [""; 0]);
        }
        for insider in [Role::SupplierAgent, Role::Admin, Role::Auditor, Role::Regulator] {
            assert_eq!(read(&ward, insider, &id).json()["private"]["phone"], PRIVATE[2], "{insider:?}");
            assert_eq!(names(&ward.ask("GET", "/api/v1/organisations?state=registered").by(insider).send()), ["洁城公司"]);
        }
        let stranger = || ward.ask("PATCH", &format!("/api/v1/organisations/{id}")).by(Role::Resident);
        refused(&stranger().header("if-match", "*").body("image/png", "%").send(), 404, "not_found");
        refused(&act(&ward, Role::Resident, &id, "closure", "*", &json!({"reason": "x"})).send(), 404, "not_found");
        refused(&ward.ask("GET", &format!("/api/v1/organisations/{id}/versions/1")).by(Role::Resident).send(), 404, "not_found");
        refused(&act(&ward, Role::Auditor, &id, "verification", "*", &json!({"evidence": "x"})).send(), 403, "forbidden");

        let evidence = json!({"evidence": "营业执照 高清岚"});
        refused(&ward.ask("POST", &format!("/api/v1/organisations/{id}/verification")).by(Role::Regulator).json(&evidence).send(), 428, "version_missing");
        refused(&act(&ward, Role::Regulator, &id, "verification", "\"v2\"", &evidence).send(), 412, "version_stale");
        let done = act(&ward, Role::Regulator, &id, "verification", "\"v1\"", &evidence).send();
        assert_eq!((done.status, done.header("etag")), (200, Some("\"v2\"")), "{}", done.text);
        assert_eq!(done.json()["private"]["verified_by"], "user_regulator");
        assert_eq!(done.json()["private"]["evidence"], "营业执照 高清岚");
        refused(&act(&ward, Role::Regulator, &id, "verification", "*", &evidence).send(), 409, "organisation_wrong_state");

        let seen = read(&ward, Role::Public, &id);
        assert_eq!((seen.status, seen.json()["private"].clone()), (200, json!(null)));
        assert_eq!(seen.json()["verified_at"], "2026-03-02T00:00:00.000000Z");
        // Whoever registered it is one of its people only by a role; the account of this token has none.
        assert_eq!(read(&ward, Role::SupplierAgent, &id).json()["private"], json!(null));
        refused(&change(&ward, Role::SupplierAgent, &id, "*", &json!({"phone": "10000"})), 403, "forbidden");
        refused(&ward.ask("GET", &format!("/api/v1/organisations/{id}/versions")).by(Role::SupplierAgent).send(), 403, "forbidden");
        refused(&ward.ask("GET", &format!("/api/v1/organisations/{id}/versions")).send(), 401, "unauthenticated");
    }

    fn who_registers_does_not_verify(ward) {
        let id = registered(&ward, Role::Admin, &company("洁城公司", CODES[0]));
        let evidence = json!({"evidence": "我说的"});
        let own = act(&ward, Role::Admin, &id, "verification", "*", &evidence).header("accept-language", "en").send();
        refused(&own, 403, "separation_of_duties");
        assert!(own.text.contains("who has registered it cannot be who has verified it"), "{}", own.text);
        let own = act(&ward, Role::Admin, &id, "refusal", "*", &json!({"reason": "x"})).send();
        refused(&own, 403, "separation_of_duties");
        assert!(own.text.contains("已承担该事项的“登记”"), "{}", own.text);
        assert_eq!(act(&ward, Role::Regulator, &id, "verification", "*", &evidence).send().status, 200);
        // Nor does who verified change what was verified, the telephone number they may.
        let other = registered(&ward, Role::SupplierAgent, &company("德润公司", CODES[1]));
        assert_eq!(act(&ward, Role::Admin, &other, "verification", "*", &evidence).send().status, 200);
        refused(&change(&ward, Role::Admin, &other, "*", &json!({"name_zh": "新名"})), 403, "separation_of_duties");
        assert_eq!(change(&ward, Role::Admin, &other, "*", &json!({"phone": "13800000001"})).json()["state"], "verified");
        assert_eq!(ward.events("organisation.verified").len(), 2);
    }

    fn another_name_needs_another_verification_and_what_was_refused_can_be_sent_again(ward) {
        let id = registered(&ward, Role::SupplierAgent, &company("洁城公司", CODES[0]));
        let refusal = act(&ward, Role::Regulator, &id, "refusal", "\"v1\"", &json!({"reason": "名称与执照不符"})).send();
        assert_eq!((refusal.status, refusal.json()["state"].clone()), (200, json!("refused")), "{}", refusal.text);
        assert_eq!(read(&ward, Role::SupplierAgent, &id).json()["private"]["note"], "名称与执照不符");
        assert_eq!(read(&ward, Role::Public, &id).status, 404);
        let again = change(&ward, Role::SupplierAgent, &id, "\"v2\"", &json!({}));
        assert_eq!((again.json()["state"].clone(), again.json()["version"].clone()), (json!("registered"), json!(3)), "{}", again.text);
        let again = change(&ward, Role::SupplierAgent, &id, "\"v3\"", &json!({"name_zh": "洁城环境公司"}));
        assert_eq!(again.header("etag"), Some("\"v4\""));
        assert_eq!(act(&ward, Role::Regulator, &id, "verification", "\"v3\"", &json!({"evidence": "x"})).send().status, 412, "what is verified is what was looked at");
        assert_eq!(act(&ward, Role::Regulator, &id, "verification", "\"v4\"", &json!({"evidence": "x"})).send().status, 200);
        // Its address and telephone are its own affair; its name, code and representative are not.
        let moved = change(&ward, Role::Admin, &id, "\"v5\"", &json!({"address": null, "phone": "13800000001", "size": null}));
        assert_eq!((moved.status, moved.json()["state"].clone()), (200, json!("verified")), "{}", moved.text);
        assert_eq!((moved.json()["private"]["address"].clone(), moved.json()["size_class"].clone()), (json!(null), json!(null)));
        let renamed = change(&ward, Role::Admin, &id, "\"v6\"", &json!({"legal_representative": "另一人"}));
        assert_eq!((renamed.json()["state"].clone(), renamed.json()["verified_at"].clone()), (json!("registered"), json!(null)), "{}", renamed.text);
        assert_eq!(read(&ward, Role::Public, &id).json()["state"], "registered", "it stays public, and says what it is");
        // The same once more changes nothing and records nothing.
        assert_eq!(change(&ward, Role::Admin, &id, "\"v7\"", &json!({"legal_representative": " 另一人 "})).header("etag"), Some("\"v7\""));
        refused(&change(&ward, Role::Admin, &id, "\"v6\"", &json!({})), 412, "version_stale");
        assert_eq!(ward.events("organisation.changed").len(), 4);
        let closed = act(&ward, Role::Admin, &id, "closure", "*", &json!({"reason": "注销"})).send();
        assert_eq!(closed.json()["state"], "closed", "{}", closed.text);
        refused(&change(&ward, Role::Admin, &id, "*", &json!({"phone": "13800000002"})), 409, "organisation_wrong_state");
        refused(&act(&ward, Role::Admin, &id, "closure", "*", &json!({"reason": "again"})).send(), 409, "organisation_wrong_state");
        refused(&act(&ward, Role::Regulator, &id, "refusal", "*", &json!({"reason": "again"})).send(), 409, "organisation_wrong_state");
        assert_eq!(read(&ward, Role::Public, &id).json()["state"], "closed");

        let versions = ward.ask("GET", &format!("/api/v1/organisations/{id}/versions?limit=5")).by(Role::Auditor).send();
        let json = versions.json();
        let numbers: Vec<_> = json["items"].as_array().unwrap().iter().map(|version| version["version"].as_i64().unwrap()).collect();
        assert_eq!(numbers, [8, 7, 6, 5, 4]);
        let next = versions.header("link").unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
        let rest = ward.ask("GET", &next).by(Role::Auditor).send().json();
        assert_eq!((rest["items"].as_array().unwrap().len(), rest["next_cursor"].clone()), (3, json!(null)));
        let first = |n: &str| ward.ask("GET", &format!("/api/v1/organisations/{id}/versions/{n}")).by(Role::Auditor).send();
        assert_eq!(first("1").json()["name_zh"], "洁城公司");
        assert_eq!(first("2").json()["private"]["note"], "名称与执照不符");
        assert_eq!(first("5").json()["private"]["evidence"], "x");
        for none in ["0", "9", "-1", "x", "99999999999999999999"] {
            assert_eq!(first(none).status, 404, "{none}");
        }
    }

    fn a_version_is_never_changed_whoever_asks(ward) {
        verified(&ward, "洁城公司", CODES[0]);
        for statement in [
            "UPDATE organisation_versions SET name_zh = 'x'", "UPDATE organisation_versions SET phone = NULL",
            "UPDATE organisation_versions SET verified_by = 'user_x' WHERE version = 2", "DELETE FROM organisation_versions",
        ] {
            let why = sql(&ward, statement).unwrap_err().to_string();
            assert!(why.contains("append-only"), "{statement}: {why}");
        }
        if ward.database.is_some() {
            assert!(sql(&ward, "TRUNCATE organisation_versions").unwrap_err().to_string().contains("append-only"));
        }
    }

    fn public_bodies_are_entered_by_the_platform_and_public_at_once(ward) {
        let city = ward.area(None, "凤城市");
        let body = json!({"kind": "street_office", "name_zh": "梧桐街道办事处", "name_en": "Wutong Street Office", "area_id": city});
        for role in [Role::SupplierAgent, Role::Regulator, Role::BuyerOfficer] {
            refused(&post(&ward, role, &body), 403, "forbidden");
        }
        let id = registered(&ward, Role::Admin, &body);
        let seen = read(&ward, Role::Public, &id).json();
        assert_eq!((&seen["state"], &seen["size_class"], &seen["may_supply"]), (&json!("registered"), &json!("not_applicable"), &json!(false)));
        refused(&act(&ward, Role::Admin, &id, "verification", "*", &json!({"evidence": "x"})).send(), 403, "separation_of_duties");
        assert_eq!(act(&ward, Role::Regulator, &id, "verification", "*", &json!({"evidence": "机构编制文件"})).send().status, 200);
        let community = registered(&ward, Role::Admin, &json!({"kind": "community", "name_zh": "桂园社区", "name_en": "Guiyuan"}));
        assert_eq!(read(&ward, Role::Public, &community).json()["may_supply"], true);
        assert_eq!(ward.events("role.given").len(), 0, "the platform's administrator gets no role in what it enters");
    }

    fn every_kind_has_the_particulars_it_must_have(ward) {
        let city = ward.area(None, "凤城市");
        let district = ward.area(Some(&city), "凤鸣区");
        let street = ward.area(Some(&district), "梧桐街道");
        let community = ward.area(Some(&street), "桂园社区");
        let faults = |body: Value| {
            let reply = post(&ward, Role::SupplierAgent, &body);
            assert_eq!((reply.status, reply.code().as_str()), (422, "invalid"), "{}", reply.text);
            reply.faults().into_iter().map(|(pointer, _)| pointer).collect::<Vec<_>>()
        };
        assert_eq!(faults(json!({"kind": "company", "name_zh": "甲", "name_en": "A", "member_count": 3})),
            ["/credit_code", "/legal_representative", "/contact_name", "/phone", "/member_count"]);
        assert_eq!(faults(json!({"kind": "residents_group", "name_zh": "=甲", "name_en": "a\u{202e}", "credit_code": CODES[0],
            "legal_representative": "@x", "contact_name": "+1", "phone": "call me", "mail": "a@b", "address": "x\ny", "size": {"industry": "post", "class": "small"}})),
            ["/name_zh", "/name_en", "/credit_code", "/legal_representative", "/contact_name", "/phone", "/mail", "/address", "/member_count", "/area_id", "/size"]);
        let mut by_schema = faults(json!({"kind": "company", "name_zh": "", "colour": "red"}));
        by_schema.sort();
        assert_eq!(by_schema, ["/colour", "/name_en", "/name_zh"]);
        let mut wrong = company("甲", "914403001922038217");
        assert_eq!(faults(wrong.clone()), ["/credit_code"]);
        wrong["credit_code"] = json!("91440300192203821i");
        wrong["size"] = json!({"industry": "other_services", "employees": 42, "class": "micro"});
        assert_eq!(faults(wrong.clone()), ["/credit_code", "/size/class"]);
        wrong["credit_code"] = json!(CODES[0]);
        wrong["size"] = json!({"industry": "retail", "revenue": {"amount": "-1.00", "currency": "CNY"}});
        assert_eq!(faults(wrong.clone()), ["/size/revenue", "/size/class"]);
        wrong["size"] = json!({"industry": "retail", "employees": 3, "class": "micro"});
        let declared = post(&ward, Role::SupplierAgent, &wrong).json();
        assert_eq!((&declared["size_class"], &declared["size_derived"]), (&json!("micro"), &json!(false)));
        assert_eq!(declared["private"]["size"]["declared_by"], "user_supplier_agent");

        let group = |area: &str| json!({"kind": "residents_group", "name_zh": "桂园绿化队", "name_en": "Guiyuan greeners", "area_id": area,
            "legal_representative": PRIVATE[0], "contact_name": PRIVATE[1], "phone": PRIVATE[2], "member_count": 12});
        assert_eq!(registered(&ward, Role::Resident, &group(&community)).len(), 30);
        refused(&post(&ward, Role::Resident, &group(&street)), 409, "organisation_area_wrong_level");
        let nowhere = post(&ward, Role::Resident, &group("area_01jd3n8f5teqkrzvq1c0m6h2ax"));
        assert_eq!(nowhere.faults(), [("/area_id".to_owned(), "organisation_area_unknown".to_owned())]);
        refused(&post(&ward, Role::Public, &group(&community)), 401, "unauthenticated");
    }

    fn a_credit_code_is_held_back_for_public_organisations_only(ward) {
        // Whoever registers with another's code keeps nobody out.
        let impostor = registered(&ward, Role::Resident, &company("冒名公司", CODES[0]));
        let real = registered(&ward, Role::SupplierAgent, &company("洁城公司", CODES[0]));
        let evidence = json!({"evidence": "营业执照"});
        assert_eq!(act(&ward, Role::Regulator, &real, "verification", "*", &evidence).send().status, 200);
        let second = act(&ward, Role::Regulator, &impostor, "verification", "*", &evidence).send();
        refused(&second, 409, "organisation_credit_code_taken");
        assert_eq!(second.faults(), [("/credit_code".to_owned(), "organisation_credit_code_taken".to_owned())]);
        assert_eq!(act(&ward, Role::Regulator, &impostor, "refusal", "*", &json!({"reason": "冒名"})).send().status, 200);
        let other = verified(&ward, "德润公司", CODES[1]);
        refused(&change(&ward, Role::Admin, &other, "*", &json!({"credit_code": CODES[0]})), 409, "organisation_credit_code_taken");
        assert_eq!(change(&ward, Role::Admin, &other, "*", &json!({"credit_code": CODES[2]})).status, 200);
        assert_eq!(names(&ward.get(&format!("/api/v1/organisations?q={}", CODES[0]))), ["洁城公司"]);
        assert_eq!(names(&ward.get(&format!("/api/v1/organisations?q={}", CODES[1]))), [""; 0]);
    }

    fn two_of_one_code_verified_at_once_are_not_both_public(ward) {
        let ids = [registered(&ward, Role::Resident, &company("甲公司", CODES[0])), registered(&ward, Role::SupplierAgent, &company("乙公司", CODES[0]))];
        let line = std::sync::Barrier::new(2);
        let mut codes = std::thread::scope(|threads| {
            ids.each_ref().map(|id| {
                let (ward, line) = (&ward, &line);
                threads.spawn(move || {
                    line.wait();
                    act(ward, Role::Regulator, id, "verification", "*", &json!({"evidence": "x"})).send().status
                })
            }).map(|thread| thread.join().unwrap())
        });
        codes.sort_unstable();
        assert_eq!(codes, [200, 409]);
    }

    fn an_account_has_ten_registrations_that_wait(ward) {
        for n in 0..10 {
            registered(&ward, Role::Resident, &company(&format!("公司{n}"), CODES[0]));
        }
        refused(&post(&ward, Role::Resident, &company("又一家", CODES[0])), 409, "organisation_registrations_too_many");
        registered(&ward, Role::SupplierAgent, &company("别人的", CODES[0]));
        let list = ward.ask("GET", "/api/v1/organisations").by(Role::Resident).send();
        let first = list.json()["items"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(act(&ward, Role::Resident, &first, "closure", "*", &json!({"reason": "误填"})).send().status, 200);
        registered(&ward, Role::Resident, &company("又一家", CODES[0]));
    }

    fn whoever_registered_a_supplier_is_its_first_administrator(ward) {
        let founder = person(&ward, &[]);
        let reply = founder.asks(&ward, "POST", "/api/v1/organisations").json(&company("洁城公司", CODES[0])).send();
        assert_eq!(reply.status, 201, "{}", reply.text);
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/organisations/{id}");
        let changes = |n: u8| founder.asks(&ward, "PATCH", &path).header("if-match", "*").json(&json!({"phone": format!("1380000000{n}")})).send();
        assert_eq!(changes(1).status, 200);
        assert_eq!(act(&ward, Role::Regulator, &id, "verification", "*", &json!({"evidence": "营业执照"})).send().status, 200);
        let given = ward.events("role.given");
        assert_eq!(given.len(), 1);
        assert_eq!(given[0]["entry"]["data"], json!({"role": "organisation_admin", "organisation_id": id, "area_id": null}));
        assert!(!given[0]["entry"].to_string().contains(founder.id.as_str()));
        assert_eq!(changes(2).json()["private"]["phone"], "13800000002");
        // Who has left has no part in it, and another verification does not bring them back.
        let ended = format!("UPDATE role_grants SET ended_by = 'user_x', ended_at = '2026-03-02 00:00:00' WHERE organisation_id = '{id}' \
            AND account_id = '{}' AND role = 'organisation_admin' AND granted_by = 'user_regulator' AND ended_at IS NULL", founder.id);
        assert_eq!(sql(&ward, &ended).unwrap(), 1);
        refused(&changes(3), 403, "forbidden");
        assert_eq!(founder.asks(&ward, "GET", &path).send().json()["private"], json!(null));
        assert_eq!(change(&ward, Role::Admin, &id, "*", &json!({"name_zh": "新名公司"})).json()["state"], "registered");
        assert_eq!(act(&ward, Role::Regulator, &id, "verification", "*", &json!({"evidence": "x"})).send().status, 200);
        assert_eq!(ward.events("role.given").len(), 1);
        refused(&changes(4), 403, "forbidden");
        // An account that is in use no more gets nothing.
        let gone = person(&ward, &[]);
        let reply = gone.asks(&ward, "POST", "/api/v1/organisations").json(&company("德润公司", CODES[1])).send();
        sql(&ward, &format!("UPDATE accounts SET state = 'left' WHERE id = '{}'", gone.id)).unwrap();
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(act(&ward, Role::Regulator, &id, "verification", "*", &json!({"evidence": "x"})).send().status, 200);
        assert_eq!(ward.events("role.given").len(), 1);
    }

    fn an_organisations_people_see_it_and_no_other(ward) {
        let (mine, other) = (verified(&ward, "洁城公司", CODES[0]), verified(&ward, "德润公司", CODES[1]));
        let (mine_id, other_id) = (mine.parse().unwrap(), other.parse().unwrap());
        for role in [Role::OrganisationAdmin, Role::SupplierAgent, Role::FinanceOfficer] {
            let one = person(&ward, &[Grant::of(role).in_organisation(OrganisationId::clone(&mine_id))]);
            let sees = |id: &str| one.asks(&ward, "GET", &format!("/api/v1/organisations/{id}")).send().json()["private"].clone();
            assert_eq!((sees(&mine)["phone"].clone(), sees(&other)), (json!(PRIVATE[2]), json!(null)), "{role:?}");
            let history = |id: &str| one.asks(&ward, "GET", &format!("/api/v1/organisations/{id}/versions")).send();
            assert_eq!(history(&mine).status, 200);
            refused(&history(&other), 403, "forbidden");
            let changes = |id: &str| one.asks(&ward, "PATCH", &format!("/api/v1/organisations/{id}")).header("if-match", "*").json(&json!({"address": role.name()})).send().status;
            assert_eq!((changes(&mine), changes(&other)), (if role == Role::OrganisationAdmin { 200 } else { 403 }, 403), "{role:?}");
        }
        // A token made for reading reads.
        let grants = [Grant::of(Role::OrganisationAdmin).in_organisation(OrganisationId::clone(&other_id))];
        let reader = person_with(&ward, &grants, true, &["organisations.read"]);
        assert_eq!(reader.asks(&ward, "GET", &format!("/api/v1/organisations/{other}")).send().json()["private"]["phone"], PRIVATE[2]);
        refused(&reader.asks(&ward, "PATCH", &format!("/api/v1/organisations/{other}")).header("if-match", "*").json(&json!({"address": "x"})).send(), 403, "scope_missing");
        let writer = person_with(&ward, &grants, true, &["organisations.write"]);
        let changed = writer.asks(&ward, "PATCH", &format!("/api/v1/organisations/{other}")).header("if-match", "*").json(&json!({"address": "x"})).send();
        assert_eq!((changed.status, changed.json()["private"].clone()), (200, json!(null)), "it writes what it may not read");
    }

    fn each_view_has_an_etag_of_its_own(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let (open, closed) = (read(&ward, Role::Admin, &id), read(&ward, Role::Public, &id));
        assert_eq!((open.header("etag"), closed.header("etag")), (Some("\"v2\""), Some("\"v2-public\"")));
        assert_eq!((open.header("cache-control"), closed.header("cache-control")), (Some("private, no-cache"), Some("no-cache")));
        let path = format!("/api/v1/organisations/{id}");
        let with = |by: Role, etag: &str| ward.ask("GET", &path).by(by).header("if-none-match", etag).send().status;
        assert_eq!((with(Role::Public, "\"v2-public\""), with(Role::Admin, "\"v2\"")), (304, 304));
        assert_eq!((with(Role::Public, "\"v2\""), with(Role::Admin, "\"v2-public\"")), (200, 200));
        refused(&change(&ward, Role::Admin, &id, "\"v2-public\"", &json!({"phone": "13800000001"})), 412, "version_stale");
    }

    fn organisations_are_found_by_kind_place_state_and_name(ward) {
        let city = ward.area(None, "凤城市");
        let (here, there) = (ward.area(Some(&city), "凤鸣区"), ward.area(Some(&city), "青溪区"));
        for (n, (kind, area)) in [("department", &here), ("street_office", &here), ("department", &there), ("audit_office", &city)].into_iter().enumerate() {
            registered(&ward, Role::Admin, &json!({"kind": kind, "name_zh": format!("机构{n}"), "name_en": format!("Body {n}"), "area_id": area}));
        }
        verified(&ward, "洁城公司", CODES[0]);
        registered(&ward, Role::Resident, &company("未核验公司", CODES[1]));
        let found = |query: &str| names(&ward.get(&format!("/api/v1/organisations?{query}")));
        assert_eq!(found(""), ["机构0", "机构1", "机构2", "机构3", "洁城公司"]);
        assert_eq!(found("kind=department"), ["机构0", "机构2"]);
        assert_eq!(found(&format!("within={city}")), ["机构0", "机构1", "机构2", "机构3"]);
        assert_eq!(found(&format!("within={here}&kind=department")), ["机构0"]);
        assert_eq!(found("within=area_01jd3n8f5teqkrzvq1c0m6h2ax"), [""; 0]);
        assert_eq!(found("state=verified"), ["洁城公司"]);
        assert_eq!(found("q=BODY&sort=-name&limit=2"), ["机构3", "机构2"]);
        assert_eq!(found("q=%25"), [""; 0]);
        assert_eq!(found("debarred=false").len(), 5);
        assert_eq!(found("debarred=true"), [""; 0]);
        for (up, down) in [("name", "-name"), ("created_at", "-created_at")] {
            let walk = |sort: &str| {
                let (mut all, mut path) = (Vec::new(), Some(format!("/api/v1/organisations?sort={sort}&limit=2")));
                while let Some(at) = path {
                    let reply = ward.get(&at);
                    all.extend(names(&reply));
                    path = reply.header("link").map(|link| link.split(['<', '>']).nth(1).unwrap().to_owned());
                }
                all
            };
            let mut rising = walk(up);
            assert_eq!(rising.len(), 5);
            rising.reverse();
            assert_eq!(rising, walk(down));
        }
        let cursor = ward.get("/api/v1/organisations?limit=1").json()["next_cursor"].as_str().unwrap().to_owned();
        refused(&ward.get(&format!("/api/v1/organisations?kind=company&cursor={cursor}")), 400, "malformed");
        let mut faults = ward.get("/api/v1/organisations?kind=club&state=odd&debarred=perhaps&within=x&sort=size&limit=0&colour=red").faults();
        faults.sort();
        let pointers: Vec<_> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers, ["?colour", "?debarred", "?kind", "?limit", "?sort", "?state", "?within"]);
        let table = ward.ask("GET", "/api/v1/organisations?kind=company").header("accept", "text/csv").send();
        let rows: Vec<_> = table.text.lines().collect();
        assert_eq!(rows[0], "id,kind,state,name_zh,name_en,credit_code,area_id,size_class");
        assert!(rows[1].ends_with(&format!(",company,verified,洁城公司,洁城公司,{},,small", CODES[0])), "{}", rows[1]);
        assert_eq!((rows.len(), table.header("content-disposition")), (2, Some("attachment; filename=\"organisations.csv\"")));
    }

    fn nothing_private_is_in_lists_tables_events_or_refusals(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let hidden = registered(&ward, Role::SupplierAgent, &company("藏着的公司", CODES[1]));
        assert_eq!(change(&ward, Role::Admin, &id, "*", &json!({"mail": null})).status, 200);
        assert_eq!(change(&ward, Role::Admin, &id, "*", &json!({"mail": PRIVATE[3]})).status, 200);
        ward.settle();
        for path in [
            "/api/v1/organisations".to_owned(), format!("/api/v1/organisations/{id}"), "/api/v1/audit/events?limit=200".to_owned(),
        ] {
            for accept in ["application/json", "text/csv"] {
                let reply = ward.ask("GET", &path).header("accept", accept).send();
                holds_nothing_private(&reply.text, &path);
                assert!(!reply.text.contains("藏着的公司") && !reply.text.contains(CODES[1]), "{path}: {}", reply.text);
            }
        }
        let all = ward.ask("GET", "/api/v1/organisations").by(Role::Admin).send().text;
        holds_nothing_private(&all, "the list of the platform");
        assert!(all.contains("藏着的公司"));
        holds_nothing_private(&ward.ask("GET", "/audit/tile/entries/000.p/9").send().text, "the log");
        // Events open for the auditor tell everything, the entry that everyone reads nothing.
        let events = ward.events("organisation.registered");
        assert_eq!(events.len(), 2);
        for event in &events {
            holds_nothing_private(&event["entry"].to_string(), "an entry");
            assert_eq!(opened(event)["legal_representative"], PRIVATE[0]);
        }
        let of_hidden = events.iter().find(|event| event["entry"]["subject"] == json!(hidden)).unwrap();
        assert_eq!(of_hidden["entry"]["data"], json!({"kind": "company", "version": 1, "state": "registered"}));
        assert_eq!(opened(of_hidden)["name_zh"], "藏着的公司");
        // A refusal does not say again what it refuses.
        let mut wrong = company("丙公司", "914403001922038217");
        wrong["mail"] = json!("office@jiecheng.example.com, x@y.cn");
        let reply = post(&ward, Role::Resident, &wrong);
        assert_eq!(reply.status, 422);
        holds_nothing_private(&reply.text, "a refusal");
    }
}
