//! Defects: from a code that is put up at a place to what everybody can see of how fast it was put right. Who may do and see what, how floods end, and that nobody
//! learns who has reported.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::Duration;
use serde_json::{Value, json};
use wardbook::contracts::acts_defects_watch as watch;
use wardbook::contracts::{
    acts_defect_reports, acts_defects::Setting, follow_up::FollowUpKey, rules_defect_reports::Day,
};
use wardbook::kernel::local_day::local_date;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::awards::Case;
use crate::books::ok;
use crate::cast::{Person, person};
use crate::faults::block_on;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::pages::{faulty, is_page, opened};
use crate::treasury::{gets, made, posts};

/// Rules with short times.
pub const BRISK: [(&str, &str, u32); 3] = [
    ("award.public_notice_working_days", "working_days", 1),
    ("disputes.challenge_filing_working_days_max", "working_days", 2),
    ("contract.signing_days_max", "days", 100),
];

/// A picture of one dot.
pub fn photo() -> Vec<u8> {
    let png =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
    BASE64_STANDARD.decode(png).unwrap()
}

/// A limit of time that runs for each case.
fn limit(code: &str, unit: &str, threshold: &str, from: &str) -> Value {
    json!({"code": code, "name_zh": format!("时限 {code}"), "name_en": format!("Limit {code}"), "text_zh": "时限", "text_en": "How soon", "unit": unit,
        "operator": "at_most", "limits": [{"threshold": threshold}], "method_zh": "查看", "method_en": "Looked at", "counts_from": from})
}

/// A signed contract with a place that has a code, on 6 May.
pub struct Stage {
    /// How it came to the contract.
    pub case: Case,
    /// The contract.
    pub contract: String,
    /// The place.
    pub place: String,
    /// Its code.
    pub code: String,
}

impl Stage {
    /// A new one, before the service begins.
    pub fn new(ward: &Ward) -> Self {
        let case = Case::with(ward, 1, &BRISK, |lot| {
            lot["indicators"] = json!([
                limit("rain_water", "hour", "4", "occurrence"),
                limit("branch", "day", "1", "report"),
                limit("bench", "hour", "72", "report"),
                limit("post", "working_day", "2", "report"),
            ]);
            lot["score_sources"] = json!([
                {"code": "daily", "kind": "inspection", "name_zh": "日常考核", "name_en": "Daily inspections", "weight": "80"},
                {"code": "response", "kind": "response", "name_zh": "处置时效", "name_en": "Response", "weight": "20"},
            ]);
            lot["payment"] = json!({"advance_percent": "0", "periods_percent": "100", "retention_percent": "0", "period": "month", "periods": 12, "shares": []});
            lot["places"] = json!([{"name_zh": "公厕甲", "name_en": "Toilet A"}, {"name_zh": "公厕乙", "name_en": "Toilet B"}]);
        });
        let clock = &ward.context().clock;
        clock.advance("2026-04-02T02:00:00Z".parse().unwrap());
        case.judged(ward, 0, 1, &[1, 0, 2]);
        let award = made(&case.proposes(ward, 0));
        ok(&case.decides(ward, &award));
        ok(&case.notices(ward, &award));
        clock.advance("2026-04-20T02:00:00Z".parse().unwrap());
        ok(&case.confirms(ward, &award));
        let prepared = ok(&posts(
            ward,
            &case.office.officer,
            &format!("/awards/{award}/contract"),
            None,
        ));
        let word = |member: &str| prepared[member].as_str().unwrap().to_owned();
        let (contract, hash) = (word("id"), word("sha256"));
        ok(&case.signs(ward, &case.bidders[1].agent, (&contract, "supplier", &hash)));
        case.secures(ward, 1, &contract, "120000.00");
        ok(&case.signs(ward, &case.office.approver, (&contract, "buyer", &hash)));
        let new = json!({"places": [{"number": 1}]});
        let path = format!("/contracts/{contract}/served-places");
        let coded = posts(ward, &case.office.officer, &path, Some(&new));
        assert_eq!(coded.status, 201, "{}", coded.text);
        let place = coded.json()["items"][0].clone();
        let word = |member: &str| place[member].as_str().unwrap().to_owned();
        Self {
            contract,
            place: word("id"),
            code: word("code"),
            case,
        }
    }

    /// The same when the service runs.
    pub fn served(ward: &Ward) -> Self {
        let stage = Self::new(ward);
        ward.context()
            .clock
            .advance("2026-05-06T00:00:00Z".parse().unwrap());
        stage
    }

    pub fn officer(&self) -> &Person {
        &self.case.office.officer
    }

    pub fn agent(&self) -> &Person {
        &self.case.bidders[1].agent
    }

    /// Reports something of a category, as somebody or as nobody in particular.
    pub fn reports(
        &self,
        ward: &Ward,
        who: Option<&Person>,
        category: &str,
        more: &[(&str, &str)],
        photos: &[&[u8]],
    ) -> Reply {
        let mut fields = vec![
            ("place", self.code.as_str()),
            ("category", category),
            ("text", "门前积水"),
        ];
        fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        fields.extend(more);
        let (kind, body) = form(&fields, photos);
        let path = "/api/v1/defect-reports";
        let ask = match who {
            Some(who) => who.asks(ward, "POST", path),
            None => ward.ask("POST", path),
        };
        ask.body(&kind, body).send()
    }

    /// Does something about a defect.
    pub fn does(&self, ward: &Ward, who: &Person, defect: &str, what: &str, body: Option<&Value>) -> Reply {
        posts(ward, who, &format!("/defects/{defect}/{what}"), body)
    }

    /// Says that it is put right, with a photo.
    pub fn fixes(&self, ward: &Ward, defect: &str) -> Reply {
        let uploaded = self
            .agent()
            .asks(ward, "POST", "/api/v1/attachments?name=after.png")
            .body("image/png", photo())
            .send();
        let body = json!({"note": "已清除", "evidence": [made(&uploaded)]});
        self.does(ward, self.agent(), defect, "fix", Some(&body))
    }

    fn statistics(&self, ward: &Ward) -> Value {
        ok(&ward.get(&format!(
            "/api/v1/contracts/{}/defects/statistics?from=2026-05-01&until=2026-06-30",
            self.contract
        )))
    }
}

/// A form with photos as browsers send it.
pub fn form(fields: &[(&str, &str)], photos: &[&[u8]]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    for photo in photos {
        body.extend(b"--edge\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"IMG_1.png\"\r\nContent-Type: image/png\r\n\r\n");
        body.extend_from_slice(photo);
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--\r\n");
    ("multipart/form-data; boundary=edge".to_owned(), body)
}

pub fn taken(reply: &Reply, outcome: &str) -> Value {
    assert_eq!(
        (reply.status, reply.json()["outcome"].as_str()),
        (201, Some(outcome)),
        "{}",
        reply.text
    );
    reply.json()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn later(ward: &Ward, by: Duration) {
    let clock = &ward.context().clock;
    assert!(clock.advance(clock.now() + by));
}

/// Writes down what silence has confirmed.
pub fn settles(ward: &Ward) {
    let context = ward.house().context.clone();
    let key = FollowUpKey::open(&ward.house().settings.keys_dir()).unwrap();
    let settle = move |tx: &mut wardbook::db::writer::Tx<'_>| {
        let setting = Setting {
            calendar: &context.calendar,
            key: &key,
        };
        watch::settle_silent(tx, setting)
    };
    assert!(block_on(ward.context().db.write(settle)).unwrap());
}

on_both! { in "test";
    fn a_defect_is_reported_put_right_reopened_and_closed_and_nobody_learns_by_whom(ward) {
        let stage = Stage::new(&ward);
        let (officer, agent) = (stage.officer(), stage.agent());
        for (who, email) in [(officer, "officer@people.example"), (agent, "agent@people.example")] {
            sql(&ward, &format!("UPDATE accounts SET email = '{email}' WHERE id = '{}'", who.id)).unwrap();
        }
        refused(&stage.reports(&ward, None, "rain_water", &[], &[]), 409, "defect_not_served");
        let early = opened(&ward, &format!("/r/{}", stage.code));
        is_page(&early, 200);
        assert!(early.text.contains("it is served from") && !early.text.contains("<textarea"), "nobody fills in what is not taken: {}", early.text);
        ward.context().clock.advance("2026-05-06T00:00:00Z".parse().unwrap());
        let places = format!("/contracts/{}/served-places", stage.contract);
        let public = ok(&ward.get(&format!("/api/v1{places}")));
        assert_eq!((&public["items"][0]["code"], &public["items"][0]["is_in_use"]), (&Value::Null, &json!(true)));
        refused(&posts(&ward, officer, &places, Some(&json!({"places": [{"number": 1}]}))), 409, "served_place_in_use");
        let sheet = gets(&ward, officer, &format!("{places}/print"));
        assert!(sheet.status == 200 && sheet.text.contains("<svg") && sheet.text.contains(&stage.code), "{}", sheet.text);
        refused(&gets(&ward, agent, &format!("{places}/print")), 403, "forbidden");
        let there = ok(&ward.get(&format!("/api/v1/served-places/{}", stage.code.to_lowercase())));
        assert_eq!(there["place"]["id"], json!(stage.place));
        assert!(there["categories"].as_array().unwrap().iter().any(|one| one["code"] == "rain_water"));

        // Without an account, by the code; what is wrong with it comes back whole, and the photo goes with it.
        refused(&stage.reports(&ward, None, "rain_water", &[("place", &stage.place)], &[]), 409, "defect_code_needed");
        let bad = stage.reports(&ward, None, "tea", &[("text", " "), ("contact", "nowhere")], &[&photo()]);
        let places_of: Vec<String> = bad.faults().into_iter().map(|(at, _)| at).collect();
        assert_eq!(places_of, ["/category", "/text", "/contact"], "{}", bad.text);
        assert_eq!(stage.reports(&ward, None, "rain_water", &[], &[b"GIF89a"]).status, 415);
        assert_eq!(stage.reports(&ward, None, "rain_water", &[("colour", "red")], &[]).faults()[0].0, "/colour");
        assert_eq!(lines(&ward, "SELECT id AS line FROM attachments"), Vec::<String>::new());
        let contact = ("contact", "wang.xiaomei@mail.example");
        let rain = taken(&stage.reports(&ward, None, "rain_water", &[contact], &[&photo()]), "opened");
        let (id, link) = (word(&rain["defect_id"]), word(&rain["follow_up"]));
        assert_eq!(rain["state"], "dispatched", "what has to be done within hours does not wait");
        let again = taken(&stage.reports(&ward, None, "rain_water", &[("text", "还在积水")], &[]), "joined");
        assert_eq!((&again["defect_id"], &again["reports_count"]), (&json!(id), &json!(2)));

        // Everybody sees what and where; words and photos are the parties' until an officer releases them.
        let seen = ok(&ward.get(&format!("/api/v1/defects/{id}")));
        assert_eq!((&seen["text"], &seen["due_at"], &seen["is_overdue"]), (&Value::Null, &json!("2026-05-06T04:00:00.000000Z"), &json!(false)));
        let reports = |who: Option<&Person>| {
            let path = format!("/defects/{id}/reports");
            ok(&who.map_or_else(|| ward.get(&format!("/api/v1{path}")), |who| gets(&ward, who, &path)))["items"][0].clone()
        };
        assert_eq!((&reports(None)["text"], &reports(None)["photos"]), (&Value::Null, &json!([])));
        let of_agent = reports(Some(agent));
        assert_eq!(of_agent["text"], "门前积水");
        let picture = format!("/attachments/{}/content", word(&of_agent["photos"][0]));
        assert_eq!((ward.get(&format!("/api/v1{picture}")).status, gets(&ward, agent, &picture).status), (404, 200));
        let first = word(&of_agent["id"]);
        let moderates = |to: Value| posts(&ward, officer, &format!("/defect-reports/{first}/moderation"), Some(&to));
        refused(&posts(&ward, agent, &format!("/defect-reports/{first}/moderation"), Some(&json!({"visibility": "released"}))), 403, "forbidden");
        ok(&moderates(json!({"visibility": "released"})));
        assert_eq!((reports(None)["text"].clone(), ward.get(&format!("/api/v1{picture}")).status), (json!("门前积水"), 200));
        assert_eq!(moderates(json!({"visibility": "hidden"})).faults()[0].0, "/reason");
        ok(&moderates(json!({"visibility": "hidden", "reason": "含个人信息"})));
        assert_eq!((&reports(Some(agent))["text"], &reports(Some(officer))["text"]), (&Value::Null, &json!("门前积水")));
        refused(&moderates(json!({"visibility": "hidden", "reason": "同上"})), 409, "defect_report_moderated_so");

        // The contractor is reminded once, acknowledges, and shows that it is put right.
        later(&ward, Duration::minutes(200));
        for _ in 0..2 {
            assert_eq!(block_on(ward.context().db.upkeep(|tx| watch::remind(tx, ""))).unwrap(), None);
        }
        assert_eq!(lines(&ward, "SELECT dedup_key AS line FROM outbox WHERE kind = 'defect.happened'").len(), 2, "called, and reminded");
        refused(&stage.does(&ward, officer, &id, "acknowledgement", None), 403, "forbidden");
        let stale = agent.asks(&ward, "POST", &format!("/api/v1/defects/{id}/acknowledgement")).header("if-match", "\"v9\"").send();
        refused(&stale, 412, "version_stale");
        assert_eq!(ok(&stage.does(&ward, agent, &id, "acknowledgement", None))["state"], "acknowledged");
        assert_eq!(stage.does(&ward, agent, &id, "fix", Some(&json!({"note": "好了", "evidence": []}))).faults()[0].0, "/evidence");
        let fixed = ok(&stage.fixes(&ward, &id));
        let evidence = word(&fixed["rounds"][0]["evidence"][0]);
        assert_eq!((&fixed["state"], &fixed["rounds"][0]["is_late"], &fixed["due_at"]), (&json!("fixed"), &json!(false), &Value::Null));
        assert_eq!(ward.get(&format!("/api/v1/attachments/{evidence}/content")).status, 200);
        let news = lines(&ward, "SELECT address AS line FROM outbox WHERE kind = 'defect.news'");
        assert_eq!(news, ["wang.xiaomei@mail.example"]);

        // The first reporter confirms, any reopens; a stranger does neither.
        let speaks = |what: &str, body: Value| ward.ask("POST", &format!("/api/v1/defects/{id}/{what}")).header("if-match", "*").json(&body).send();
        refused(&speaks("confirmation", json!({})), 401, "unauthenticated");
        let stranger = person(&ward, &[Grant::of(Role::Resident)]);
        refused(&stage.does(&ward, &stranger, &id, "confirmation", Some(&json!({}))), 403, "forbidden");
        assert_eq!(speaks("confirmation", json!({"follow_up": "x"})).faults()[0].0, "/follow_up");
        refused(&speaks("confirmation", json!({"follow_up": again["follow_up"]})), 409, "defect_not_first_reporter");
        let reopened = ok(&speaks("reopening", json!({"follow_up": again["follow_up"], "reason": "积水仍在"})));
        assert_eq!((&reopened["state"], &reopened["rounds"][1]["due_at"], &reopened["rounds"][0]["reason"]), (&json!("reopened"), &json!("2026-05-06T07:20:00.000000Z"), &Value::Null));
        assert_eq!(ok(&gets(&ward, agent, &format!("/defects/{id}")))["rounds"][0]["reason"], "积水仍在");
        later(&ward, Duration::hours(5));
        let late = ok(&ward.get("/api/v1/defects?overdue=true"));
        assert_eq!((late["items"].as_array().unwrap().len(), &late["items"][0]["id"]), (1, &json!(id)));
        let today = local_date(ward.context().clock.now(), ward.context().calendar.zone);
        let zone = ward.context().calendar.zone;
        for _ in 0..2 {
            block_on(ward.context().db.upkeep(move |tx| watch::tell_officers(tx, zone))).unwrap();
        }
        let told = lines(&ward, "SELECT dedup_key AS line FROM outbox WHERE kind = 'defects.waiting'");
        assert!(told.len() == 1 && told[0].contains(&today.to_string()), "{told:?}");
        assert_eq!(ok(&stage.fixes(&ward, &id))["rounds"][1]["is_late"], true);
        later(&ward, Duration::days(4));
        refused(&speaks("confirmation", json!({"follow_up": link})), 409, "defect_reporter_late");
        let late = opened(&ward, &format!("/r/reports/{link}"));
        is_page(&late, 200);
        assert!(late.text.contains("the buyer decides") && !late.text.contains("value=\"reopen\"") && !late.text.contains("<textarea"), "{}", late.text);
        assert!(!late.text.contains("积水仍在"), "what another reporter said was released by nobody");
        assert_eq!(ok(&ward.get(&format!("/api/v1/followed-defect-reports/{link}")))["text"], "门前积水");

        // Nobody says anything: it is over at its instant, whether anybody has written that down or not.
        later(&ward, Duration::days(4));
        let over = ok(&ward.get(&format!("/api/v1/defects/{id}")));
        assert_eq!((&over["state"], &over["closed_by"], &over["closed_at"]), (&json!("confirmed"), &json!("silence"), &json!("2026-05-13T16:00:00.000000Z")));
        let of_state = |state: &str| ok(&ward.get(&format!("/api/v1/defects?state={state}")))["items"].as_array().unwrap().len();
        assert_eq!((of_state("confirmed"), of_state("fixed"), ward.events("defect.confirmed").len()), (1, 0, 0));
        settles(&ward);
        assert_eq!((of_state("confirmed"), of_state("fixed"), ward.events("defect.confirmed").len()), (1, 0, 1));
        assert_eq!(ok(&ward.get(&format!("/api/v1/defects/{id}")))["closed_at"], over["closed_at"]);
        refused(&stage.fixes(&ward, &id), 409, "defect_wrong_state");
        let branch = taken(&stage.reports(&ward, Some(officer), "branch", &[("occurred_at", "2026-05-14T00:00:00Z")], &[]), "opened");
        ok(&stage.fixes(&ward, &word(&branch["defect_id"])));
        let standing = stage.statistics(&ward);
        // The period's source for responses is the same, of what was due in the period; until silence has confirmed the last fix it may change.
        let scores = ok(&ward.get(&format!("/api/v1/contracts/{}/periods/1/scores", stage.contract)));
        let response = scores["items"].as_array().unwrap().iter().find(|one| one["source"] == "response").unwrap().clone();
        assert_eq!((&response["score"], &response["state"]), (&standing["response"], &json!("provisional")), "{scores} {standing}");
        assert_eq!((&standing["in_time"], &standing["late"], &standing["response"]), (&json!(1), &json!(2), &json!("33.33")));
        let table = ward.ask("GET", "/api/v1/defects").header("accept", "text/csv").send();
        assert!(table.text.starts_with("id,contract_id") && table.text.lines().count() == 3, "{}", table.text);

        // Whoever has reported is in no event, no answer and no public word, and their address is forgotten in time.
        let log = ward.ask("GET", "/api/v1/audit/export").by(Role::Auditor).header("accept", "application/jsonl").send().text;
        let public = [log, ward.get("/api/v1/defects").text, ward.get(&format!("/api/v1/defects/{id}/reports")).text];
        let partys = [gets(&ward, officer, &format!("/defects/{id}/reports")).text, gets(&ward, agent, "/defects").text];
        for answer in public.iter().chain(&partys) {
            assert!(!answer.contains("xiaomei") && !answer.contains(&link), "{answer}");
        }
        // The parties read what was said, of whomever.
        assert!(public.iter().all(|answer| !answer.contains("还在积水")), "{public:?}");
        let told: Vec<String> = ward.events("defect.*").iter().map(|event| event["entry"].to_string()).collect();
        assert!(told.len() > 8 && !told.iter().any(|entry| entry.contains(officer.id.as_str()) || entry.contains(&first)), "{told:?}");
        let kept = || lines(&ward, "SELECT email AS line FROM defect_contacts").len();
        let forget = || block_on(ward.context().db.upkeep(watch::forget)).unwrap();
        assert_eq!((kept(), forget()), (1, 0));
        later(&ward, Duration::days(31));
        assert_eq!((forget(), kept()), (1, 0));
        for statement in ["DELETE FROM defects", "UPDATE defects SET category = 'x'", "UPDATE defect_rounds SET due_at = NULL", "DELETE FROM defect_rounds", "UPDATE defect_reports SET words = 'x'", "UPDATE served_places SET name_zh = 'x'", "UPDATE defects SET state = 'fixed'"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
    }

    fn fifty_of_the_same_are_one_and_a_flood_only_counts(ward) {
        let mut ward = ward;
        ward.restart(|settings| {
            settings.defect_reports_per_place = 55;
            settings.defect_reports_per_network = 60;
        });
        let stage = Stage::served(&ward);
        let (ward, stage) = (&ward, &stage);
        // At once, and each with its own key.
        std::thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(move || {
                    for _ in 0..5 {
                        let reply = stage.reports(ward, None, "bench", &[], &[]);
                        assert_eq!(reply.status, 201, "{}", reply.text);
                    }
                });
            }
        });
        let all = lines(ward, "SELECT state || ' ' || reports_count AS line FROM defects");
        assert_eq!(all, ["reported 50"]);
        assert_eq!(lines(ward, "SELECT 'kept ' || COUNT(*) AS line FROM defect_reports"), ["kept 20"]);
        assert_eq!((ward.events("defect.reported").len(), ward.events("defect.joined").len()), (1, 49));

        // The same form with the same key is one report, and its link comes again though nobody has stored it.
        let (kind, body) = form(&[("place", &stage.code), ("category", "post"), ("text", "岗亭无人")], &[&photo()]);
        let send = |body: &[u8]| ward.ask("POST", "/api/v1/defect-reports").header("idempotency-key", "phone-7f3a9c").body(&kind, body).send();
        let first = taken(&send(&body), "opened");
        let again = send(&body);
        assert_eq!((again.status, again.json(), again.header("idempotent-replayed")), (201, first.clone(), Some("true")));
        let (_, other) = form(&[("place", &stage.code), ("category", "post"), ("text", "别的")], &[]);
        refused(&send(&other), 422, "idempotency_key_reused");
        let stored = lines(ward, "SELECT body AS line FROM idempotency_keys WHERE actor = 'anonymous'");
        assert!(stored.len() == 1 && stored[0].contains("\"follow_up\":null"), "{stored:?}");
        assert_eq!(lines(ward, "SELECT sha256 AS line FROM attachments").len(), 1);

        // Beyond what is taken of a place in a day nothing is stored but a number, and beyond what is heard of a network not even that.
        let outcomes: Vec<u16> = (0..9).map(|_| stage.reports(ward, None, "rain_water", &[], &[&photo()]).status).collect();
        assert_eq!(outcomes, [201, 201, 201, 201, 202, 202, 202, 429, 429]);
        let refusal = stage.reports(ward, None, "rain_water", &[], &[]);
        assert_eq!((refusal.code().as_str(), refusal.header("retry-after").is_some()), ("too_many_requests", true));
        assert_eq!(lines(ward, "SELECT taken || ' ' || joined || ' ' || only_counted AS line FROM defect_report_days"), ["55 52 3"]);
        let events = ward.events("defect.*").len();
        assert_eq!(taken(&stage.reports(ward, Some(stage.officer()), "rain_water", &[], &[]), "joined")["reports_count"], 5, "an officer inspects");
        let resident = person(ward, &[Grant::of(Role::Resident)]);
        assert_eq!(stage.reports(ward, Some(&resident), "rain_water", &[], &[]).json()["outcome"], "counted");
        assert_eq!(ward.events("defect.*").len(), events + 1);

        // Officers see all of that; others do not.
        let day = local_date(ward.context().clock.now(), ward.context().calendar.zone);
        let more = Day { refused: 3, ..Day::default() };
        let of = [(stage.place.parse().unwrap(), day, more)];
        block_on(ward.context().db.upkeep(move |tx| acts_defect_reports::count(tx, &of))).unwrap();
        let path = format!("/contracts/{}/defects/intake", stage.contract);
        let seen = ok(&gets(ward, stage.officer(), &path))["items"][0].clone();
        assert_eq!((&seen["taken"], &seen["only_counted"], &seen["refused"]), (&json!(56), &json!(4), &json!(3)));
        refused(&gets(ward, stage.agent(), &path), 403, "forbidden");
        refused(&ward.get(&format!("/api/v1{path}")), 401, "unauthenticated");
        // Tomorrow the place is heard again.
        later(ward, Duration::days(1));
        taken(&stage.reports(ward, None, "branch", &[], &[]), "opened");
    }

    fn a_page_takes_a_report_without_script_and_an_officer_decides_what_becomes_of_it(ward) {
        let stage = Stage::served(&ward);
        let officer = stage.officer();
        let path = format!("/r/{}", stage.code.replace('-', ""));
        for lang in ["", "?lang=zh-CN"] {
            let page = opened(&ward, &format!("{path}{lang}"));
            is_page(&page, 200);
            assert!(page.text.contains("multipart/form-data") && page.text.contains("<textarea") && page.text.contains("<option value=\"bench\">"), "{}", page.text);
        }
        is_page(&opened(&ward, "/r/ZZZZZZZZZZ"), 404);
        is_page(&opened(&ward, "/r/tea"), 404);
        let key = opened(&ward, &path).text.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let sends = |fields: &[(&str, &str)], photos: &[&[u8]]| {
            let (kind, body) = form(fields, photos);
            ward.ask("POST", &path).header("accept-language", "en").header("sec-fetch-site", "same-origin").body(&kind, body).send()
        };
        let wrong = sends(&[("key", &key), ("category", "bench"), ("text", ""), ("contact", "nowhere")], &[]);
        is_page(&wrong, 422);
        assert_eq!(faulty(&wrong), ["text", "contact"]);
        let refused_photo = sends(&[("key", &key), ("category", "bench"), ("text", "the bench is broken")], &[b"no picture"]);
        assert_eq!(faulty(&refused_photo), ["photos"]);
        assert!(refused_photo.text.contains("the bench is broken"), "what was typed stays: {}", refused_photo.text);
        let (kind, body) = form(&[("category", "bench"), ("text", "x")], &[]);
        is_page(&ward.ask("POST", &path).header("sec-fetch-site", "cross-site").body(&kind, body).send(), 403);
        let fields = [("key", key.as_str()), ("category", "bench"), ("text", "<b>长椅</b>坏了"), ("contact", ""), ("step", "send")];
        let done = sends(&fields, &[&photo()]);
        is_page(&done, 200);
        let link = format!("/r/reports/{}", done.text.split("href=\"/r/reports/").nth(1).unwrap().split(['?', '"']).next().unwrap());
        is_page(&sends(&fields, &[&photo()]), 200);
        assert_eq!(lines(&ward, "SELECT state || ' ' || reports_count AS line FROM defects"), ["reported 1"], "sent twice by one click");

        // It waits: nobody but the office and its reporter knows of it.
        let waiting = ok(&gets(&ward, officer, "/defects?state=reported"))["items"].clone();
        let id = word(&waiting[0]["id"]);
        assert_eq!((waiting[0]["text"].as_str(), ok(&ward.get("/api/v1/defects"))["items"].as_array().unwrap().len()), (Some("<b>长椅</b>坏了"), 0));
        assert_eq!((ward.get(&format!("/api/v1/defects/{id}")).status, gets(&ward, stage.agent(), &format!("/defects/{id}")).status), (404, 404));
        let progress = opened(&ward, &link);
        is_page(&progress, 200);
        assert!(progress.text.contains("waits for the office") && progress.text.contains("value=\"withdraw\"") && !progress.text.contains("<b>"), "{}", progress.text);
        is_page(&opened(&ward, &format!("{link}x")), 404);
        refused(&stage.does(&ward, stage.agent(), &id, "dispatch", None), 403, "forbidden");
        let called = ok(&stage.does(&ward, officer, &id, "dispatch", None));
        assert_eq!((&called["state"], &called["due_at"]), (&json!("dispatched"), &json!("2026-05-09T00:00:00.000000Z")));
        refused(&stage.does(&ward, officer, &id, "dispatch", None), 409, "defect_wrong_state");
        ok(&stage.fixes(&ward, &id));
        let says = |step: &str, reason: &str| crate::pages::sent(&ward, &link, &[("step", step), ("reason", reason)]);
        assert_eq!(faulty(&says("reopen", "")), ["reason"]);
        let reopened = says("reopen", "still broken");
        is_page(&reopened, 200);
        assert!(reopened.text.contains("told again") && reopened.text.contains("still broken"), "{}", reopened.text);
        is_page(&says("confirm", ""), 409);
        ok(&stage.fixes(&ward, &id));
        let both = opened(&ward, &link);
        let at = |words: &str| both.text.find(words).unwrap_or_else(|| panic!("{words}: {}", both.text));
        assert!(at("Attempt 1") < at("still broken") && at("still broken") < at("Attempt 2"), "each round's words stand with it");
        assert!(both.text.contains("value=\"confirm\"") && both.text.contains("value=\"reopen\""));
        assert!(says("confirm", "").text.contains("It is closed"));
        let closed = ok(&ward.get(&format!("/api/v1/defects/{id}")));
        assert_eq!((&closed["closed_by"], closed["rounds"].as_array().unwrap().len()), (&json!("reporter"), 2));

        // What is none is rejected with a reason for everybody; what one has reported alone one may take back.
        let other = word(&taken(&stage.reports(&ward, None, "other", &[], &[]), "opened")["defect_id"]);
        assert_eq!(stage.does(&ward, officer, &other, "rejection", Some(&json!({"reason": " "}))).status, 422);
        ok(&stage.does(&ward, officer, &other, "rejection", Some(&json!({"reason": "不属于服务范围"}))));
        assert_eq!(ok(&ward.get(&format!("/api/v1/defects/{other}")))["reason"], "不属于服务范围");
        let resident = person(&ward, &[Grant::of(Role::Resident)]);
        let own = taken(&stage.reports(&ward, Some(&resident), "other", &[("place", &stage.place)], &[]), "opened");
        assert_eq!((&own["state"], &own["follow_up"]), (&json!("dispatched"), &Value::Null), "a resident is heard at once");
        let mine = word(&own["defect_id"]);
        assert_eq!(ok(&gets(&ward, &resident, "/me/defect-reports"))["items"][0]["defect_id"], own["defect_id"]);
        taken(&stage.reports(&ward, None, "other", &[], &[]), "joined");
        refused(&stage.does(&ward, &resident, &mine, "withdrawal", Some(&json!({}))), 409, "defect_shared");
        ok(&stage.fixes(&ward, &mine));
        ok(&stage.does(&ward, &resident, &mine, "confirmation", Some(&json!({}))));
        let alone = word(&taken(&stage.reports(&ward, Some(&resident), "branch", &[], &[]), "opened")["defect_id"]);
        ok(&stage.does(&ward, &resident, &alone, "withdrawal", Some(&json!({}))));
        assert_eq!(ward.get(&format!("/api/v1/defects/{alone}")).status, 404);

        // A code that was renewed or retired leads nowhere any more.
        let place = |what: &str| posts(&ward, officer, &format!("/served-places/{}/{what}", stage.place), None);
        let renewed = ok(&place("renewal"));
        is_page(&opened(&ward, &path), 404);
        assert_eq!(stage.reports(&ward, None, "other", &[], &[]).status, 404);
        is_page(&opened(&ward, &format!("/r/{}", renewed["code"].as_str().unwrap())), 200);
        ok(&place("retirement"));
        refused(&place("retirement"), 409, "served_place_retired");
        is_page(&opened(&ward, &format!("/r/{}", renewed["code"].as_str().unwrap())), 404);
        let anew = posts(&ward, officer, &format!("/contracts/{}/served-places", stage.contract), Some(&json!({"places": [{"number": 1}, {"number": 2}]})));
        assert_eq!((anew.status, &anew.json()["items"][0]["id"], &anew.json()["items"][0]["revision"]), (201, &json!(stage.place), &json!(4)));
    }
}
