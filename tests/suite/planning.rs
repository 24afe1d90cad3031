//! What is planned before there is a book: intention notices, records of consultation, and what purchases add up to.

use serde_json::{Value, json};
use wardbook::books::acts_consultations;
use wardbook::kernel::party::OrganisationKind;
use wardbook::web::policy::Role;

use crate::cast::{Person, organisation, person};
use crate::files::pdf;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::treasury::{CATEGORY, Treasury, gets, made, of, posts, yuan};

/// A department with somebody who writes and somebody who publishes.
pub struct Desk {
    /// The department and its money.
    pub treasury: Treasury,
    /// Writes.
    pub officer: Person,
    /// An area.
    pub area: String,
}

impl Desk {
    /// A department with a fund of which nothing is appropriated.
    pub fn new(ward: &Ward) -> Self {
        let treasury = Treasury::new(ward);
        Self {
            officer: of(ward, Role::BuyerOfficer, &treasury.department),
            area: ward.area(None, "凤城市"),
            treasury,
        }
    }

    /// What a notice says.
    pub fn content(&self) -> Value {
        json!({"category": CATEGORY, "area_ids": [self.area], "title_zh": "道路环卫保洁", "title_en": "Street sanitation",
            "overview_zh": "主次干道日常保洁\n12 个月", "overview_en": "Daily cleaning\n12 months", "budget": yuan("2350200.00"),
            "expected_month": "2026-05", "contact": "王磊 0990-1234567"})
    }

    /// Begins a notice.
    pub fn drafts(&self, ward: &Ward, content: &Value) -> Reply {
        let body = json!({"organisation_id": self.treasury.department, "content": content});
        posts(ward, &self.officer, "/intention-notices", Some(&body))
    }

    /// Publishes what is written of one.
    pub fn publishes(&self, ward: &Ward, id: &str) -> Reply {
        posts(
            ward,
            &self.treasury.boris,
            &format!("/intention-notices/{id}/publication"),
            None,
        )
    }

    /// A notice that is public.
    pub fn published(&self, ward: &Ward, content: &Value) -> String {
        let id = made(&self.drafts(ward, content));
        let published = self.publishes(ward, &id);
        assert_eq!(published.status, 200, "{}", published.text);
        id
    }

    /// Writes a notice anew.
    pub fn corrects(&self, ward: &Ward, id: &str, content: &Value) -> Reply {
        puts(
            ward,
            &self.officer,
            &format!("/intention-notices/{id}/draft"),
            content,
        )
    }

    fn consultation(&self) -> Value {
        json!({"organisation_id": self.treasury.department, "content": record()})
    }
}

fn record() -> Value {
    json!({"category": CATEGORY, "title_zh": "保洁需求论证", "title_en": "Consultation on cleaning", "need_zh": "每日保洁", "need_en": "Daily cleaning",
        "consulted": [{"kind": "users", "who_zh": "居民代表", "who_en": "Residents", "opinion_zh": "加夜班", "opinion_en": "At night too"}],
        "outsiders": [{"name": "方圆圆", "role_zh": "专家", "role_en": "Expert", "opinion_zh": "合理", "opinion_en": "Reasonable"}]})
}

fn conclusion() -> Value {
    json!({"conclusion_zh": "可行", "conclusion_en": "Feasible", "concluded_on": "2026-03-02"})
}

/// A PUT.
pub fn puts(ward: &Ward, who: &Person, path: &str, body: &Value) -> Reply {
    who.asks(ward, "PUT", &format!("/api/v1{path}"))
        .header("if-match", "*")
        .json(body)
        .send()
}

/// A PDF of somebody's own that hangs on nothing yet.
pub fn uploaded(ward: &Ward, who: &Person) -> String {
    let upload = who.asks(ward, "POST", "/api/v1/attachments");
    let upload = upload.header("content-disposition", "attachment; filename=\"minutes\"");
    made(&upload.body("application/pdf", pdf("会议记录")).send())
}

/// A consultation on a need that was reviewed and concluded.
pub fn concluded(ward: &Ward, treasury: &Treasury, officer: &Person) -> String {
    let body = json!({"organisation_id": treasury.department, "content": record()});
    let id = made(&posts(ward, officer, "/consultations", Some(&body)));
    let path = format!("/consultations/{id}");
    let reviewer = of(ward, Role::BuyerOfficer, &treasury.department);
    let opinion = json!({"opinion_zh": "合理", "opinion_en": "Reasonable"});
    let minutes = json!({"attachment_ids": [uploaded(ward, officer)]});
    for (who, what, body) in [
        (&reviewer, "reviews", &opinion),
        (officer, "minutes", &minutes),
        (&treasury.boris, "conclusion", &conclusion()),
    ] {
        let reply = posts(ward, who, &format!("{path}/{what}"), Some(body));
        assert!((200..300).contains(&reply.status), "{}", reply.text);
    }
    id
}

/// The ids of a public list.
fn listed(ward: &Ward, query: &str) -> Vec<String> {
    let reply = ward.get(&format!("/api/v1/intention-notices{query}"));
    assert_eq!(reply.status, 200, "{}", reply.text);
    let items = reply.json()["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

on_both! {
    fn a_notice_is_written_by_one_and_published_by_another(ward) {
        let desk = Desk::new(&ward);
        let drafted = desk.drafts(&ward, &desk.content());
        let id = made(&drafted);
        assert_eq!(drafted.header("location"), Some(format!("/api/v1/intention-notices/{id}").as_str()));
        let path = format!("/api/v1/intention-notices/{id}");
        // Nobody outside knows of it.
        refused(&ward.get(&path), 404, "not_found");
        assert_eq!(listed(&ward, ""), Vec::<String>::new());
        assert_eq!(listed(&ward, "?state=draft"), Vec::<String>::new());
        let elsewhere = of(&ward, Role::BuyerOfficer, &organisation(&ward, OrganisationKind::StreetOffice, None));
        refused(&gets(&ward, &elsewhere, &format!("/intention-notices/{id}")), 404, "not_found");
        refused(&puts(&ward, &elsewhere, &format!("/intention-notices/{id}/draft"), &desk.content()), 404, "not_found");
        assert_eq!(gets(&ward, &elsewhere, "/intention-notices").json()["items"], json!([]));
        assert_eq!(gets(&ward, &desk.officer, "/intention-notices").json()["items"][0]["draft"]["title_zh"], "道路环卫保洁");
        for event in ward.events("intention.drafted") {
            assert!(!event.to_string().contains("保洁"), "{event}");
            assert_eq!(event["entry"]["data"], json!({}), "whose draft it is, is nobody's business");
        }
        let both = person(&ward, &[wardbook::web::actor::Grant::of(Role::BuyerOfficer).in_organisation(desk.treasury.department.clone()),
            wardbook::web::actor::Grant::of(Role::BuyerApprover).in_organisation(desk.treasury.department.clone())]);
        assert_eq!(puts(&ward, &both, &format!("/intention-notices/{id}/draft"), &desk.content()).status, 200);
        refused(&posts(&ward, &both, &format!("/intention-notices/{id}/publication"), None), 403, "separation_of_duties");
        refused(&posts(&ward, &desk.officer, &format!("/intention-notices/{id}/publication"), None), 403, "forbidden");

        let published = desk.publishes(&ward, &id);
        assert_eq!((published.status, published.json()["state"].clone()), (200, json!("published")), "{}", published.text);
        let first = published.json()["published_at"].clone();
        let seen = ward.get(&path).json();
        assert_eq!((seen["current"]["budget"].clone(), seen["draft"].clone(), seen["current"]["number"].clone()), (yuan("2350200.00"), json!(null), json!(1)));
        refused(&desk.publishes(&ward, &id), 409, "intention_no_draft");

        // A correction has a reason and is invisible until somebody else publishes it.
        let mut other = desk.content();
        other["budget"] = yuan("2400000.00");
        assert_eq!(desk.corrects(&ward, &id, &other).faults().len(), 2);
        other["reason_zh"] = json!("预算调整");
        other["reason_en"] = json!("The budget was changed");
        let corrected = desk.corrects(&ward, &id, &other);
        assert_eq!((corrected.status, corrected.json()["draft"]["number"].clone()), (200, json!(2)), "{}", corrected.text);
        assert_eq!(ward.get(&path).json()["draft"], json!(null));
        assert_eq!(ward.get(&format!("{path}/versions")).json()["items"].as_array().unwrap().len(), 1);
        ward.context().clock.advance("2026-03-05T00:00:00Z".parse().unwrap());
        assert_eq!(desk.publishes(&ward, &id).status, 200);
        let seen = ward.get(&path).json();
        assert_eq!((seen["published_at"].clone(), seen["current"]["budget"].clone()), (first, yuan("2400000.00")));
        let versions = ward.get(&format!("{path}/versions")).json();
        assert_eq!((versions["items"][0]["reason_en"].clone(), versions["items"][1]["budget"].clone()), (json!("The budget was changed"), yuan("2350200.00")));

        let why = json!({"reason_zh": "改由社区自管", "reason_en": "The community does it"});
        let withdrawn = posts(&ward, &desk.treasury.boris, &format!("/intention-notices/{id}/withdrawal"), Some(&why));
        assert_eq!(withdrawn.status, 200, "{}", withdrawn.text);
        assert_eq!(ward.get(&path).json()["withdrawal_en"], "The community does it");
        refused(&desk.corrects(&ward, &id, &other), 409, "intention_wrong_state");
        refused(&posts(&ward, &desk.treasury.boris, &format!("/intention-notices/{id}/withdrawal"), Some(&why)), 409, "intention_wrong_state");
        assert_eq!(ward.events("intention.published").len(), 2);
        // What was published is not changed behind the service's back either.
        for change in ["UPDATE intention_notices SET published_at = '2026-01-01 00:00:00'", "DELETE FROM intention_notices",
            "UPDATE intention_versions SET title_zh = '乙' WHERE number = 1", "DELETE FROM intention_versions"] {
            assert!(sql(&ward, change).is_err(), "{change}");
        }
    }

    fn notices_are_found_by_what_they_say(ward) {
        let desk = Desk::new(&ward);
        let (district, elsewhere) = (ward.area(Some(&desk.area), "凤鸣区"), ward.area(None, "青城市"));
        let with = |member: &str, value: Value| { let mut content = desk.content(); content[member] = value; content };
        let one = desk.published(&ward, &with("area_ids", json!([district])));
        let two = desk.published(&ward, &with("expected_month", json!("2026-07")));
        let three = desk.published(&ward, &with("area_ids", json!([elsewhere])));
        made(&desk.drafts(&ward, &desk.content()));
        assert_eq!(listed(&ward, ""), [three.clone(), two.clone(), one.clone()]);
        assert_eq!(listed(&ward, &format!("?area_id={}", desk.area)), [two.clone(), one.clone()]);
        assert_eq!(listed(&ward, &format!("?area_id={district}")), std::slice::from_ref(&one));
        assert_eq!(listed(&ward, "?area_id=area_01jd3n8f5teqkrzvq1c0m6h2ax"), Vec::<String>::new());
        assert_eq!(listed(&ward, "?expected_month=2026-07"), std::slice::from_ref(&two));
        assert_eq!(listed(&ward, "?category=cooking"), Vec::<String>::new());
        assert_eq!(listed(&ward, &format!("?organisation_id={}&category={CATEGORY}&state=published", desk.treasury.department)).len(), 3);
        assert_eq!(ward.get("/api/v1/intention-notices?expected_month=2026-13").status, 400);
        let page = ward.get("/api/v1/intention-notices?limit=2").json();
        let next = ward.get(&format!("/api/v1/intention-notices?limit=2&cursor={}", page["next_cursor"].as_str().unwrap())).json();
        assert_eq!((next["items"][0]["id"].clone(), next["next_cursor"].clone()), (json!(one), json!(null)));
        let table = ward.ask("GET", "/api/v1/intention-notices").header("accept", "text/csv").send();
        assert_eq!(table.text.lines().count(), 4, "{}", table.text);
        assert!(table.text.contains(&format!("{one},{},published,1,{CATEGORY},道路环卫保洁,", desk.treasury.department)), "{}", table.text);
    }

    fn what_no_notice_can_say_is_refused(ward) {
        let desk = Desk::new(&ward);
        let with = |member: &str, value: Value| { let mut content = desk.content(); content[member] = value; desk.drafts(&ward, &content) };
        refused(&with("category", json!("cooking")), 422, "service_category_unknown");
        refused(&with("area_ids", json!(["area_01jd3n8f5teqkrzvq1c0m6h2ax"])), 422, "intention_area_unknown");
        refused(&with("budget", yuan("0.00")), 422, "invalid");
        refused(&with("expected_month", json!("2026-13")), 422, "invalid");
        let id = made(&with("expected_month", json!("2026-02")));
        refused(&desk.publishes(&ward, &id), 409, "intention_month_past");
        let stale = desk.officer.asks(&ward, "PUT", &format!("/api/v1/intention-notices/{id}/draft")).header("if-match", "\"v7\"").json(&desk.content()).send();
        refused(&stale, 412, "version_stale");
        assert_eq!(listed(&ward, ""), Vec::<String>::new());
    }

    fn a_need_is_reviewed_by_others_and_then_never_changes(ward) {
        let desk = Desk::new(&ward);
        let id = made(&posts(&ward, &desk.officer, "/consultations", Some(&desk.consultation())));
        let path = format!("/consultations/{id}");
        let opinion = json!({"opinion_zh": "合理", "opinion_en": "Reasonable"});
        refused(&posts(&ward, &desk.officer, &format!("{path}/reviews"), Some(&opinion)), 403, "separation_of_duties");
        let second = of(&ward, Role::BuyerOfficer, &desk.treasury.department);
        let reviewed = posts(&ward, &second, &format!("{path}/reviews"), Some(&opinion));
        assert_eq!(reviewed.status, 201, "{}", reviewed.text);
        refused(&posts(&ward, &second, &format!("{path}/reviews"), Some(&opinion)), 409, "consultation_reviewed_already");
        refused(&puts(&ward, &second, &path, &record()), 403, "separation_of_duties");
        let mut other = record();
        other["need_en"] = json!("Weekly");
        refused(&puts(&ward, &desk.officer, &path, &other), 409, "consultation_reviewed");

        let incomplete = posts(&ward, &desk.treasury.boris, &format!("{path}/conclusion"), Some(&conclusion()));
        refused(&incomplete, 409, "consultation_incomplete");
        assert_eq!(incomplete.faults(), [("/minutes".to_owned(), "missing".to_owned())]);
        let file = uploaded(&ward, &desk.officer);
        let hung = posts(&ward, &desk.officer, &format!("{path}/minutes"), Some(&json!({"attachment_ids": [file]})));
        assert_eq!(hung.status, 201, "{}", hung.text);
        refused(&posts(&ward, &desk.officer, &format!("{path}/conclusion"), Some(&conclusion())), 403, "forbidden");
        let concluded = posts(&ward, &desk.treasury.boris, &format!("{path}/conclusion"), Some(&conclusion()));
        assert_eq!((concluded.status, concluded.json()["state"].clone()), (200, json!("concluded")), "{}", concluded.text);
        for (refusal, what) in [
            (puts(&ward, &desk.officer, &path, &record()), "rewritten"),
            (posts(&ward, &desk.officer, &format!("{path}/minutes"), Some(&json!({"attachment_ids": [file]}))), "more minutes"),
            (posts(&ward, &desk.treasury.boris, &format!("{path}/conclusion"), Some(&conclusion())), "concluded again"),
        ] {
            assert_eq!(refusal.code(), "consultation_wrong_state", "{what}");
        }
        for change in ["UPDATE consultations SET conclusion_zh = '不可行'", "DELETE FROM consultations", "UPDATE consultation_reviews SET opinion_zh = '乙'"] {
            assert!(sql(&ward, change).is_err(), "{change}");
        }

        // Who sees it, and its minutes.
        let elsewhere = of(&ward, Role::BuyerOfficer, &organisation(&ward, OrganisationKind::StreetOffice, None));
        let auditor = person(&ward, &[wardbook::web::actor::Grant::of(Role::Auditor)]);
        for (who, status) in [(&elsewhere, 404), (&auditor, 200), (&desk.treasury.anna, 200)] {
            assert_eq!(gets(&ward, who, &path).status, status);
            assert_eq!(gets(&ward, who, &format!("{path}/minutes")).status, status);
            assert_eq!(gets(&ward, who, &format!("/attachments/{file}")).status, status);
        }
        assert_eq!(gets(&ward, &elsewhere, "/consultations").json()["items"], json!([]));
        assert_eq!(gets(&ward, &auditor, "/consultations").json()["items"][0]["id"], json!(id));
        refused(&ward.get(&format!("/api/v1{path}")), 401, "unauthenticated");
        // Names are in no event, and in nothing that becomes public.
        for kind in ["consultation.drafted", "consultation.reviewed", "consultation.concluded"] {
            let events = ward.events(kind);
            assert!(!events.is_empty() && events.iter().all(|event| !event.to_string().contains("方圆圆")), "{kind}");
            assert!(events.iter().all(|event| event["entry"]["data"] == json!({})), "{kind}: {events:?}");
        }
        let wanted = id.parse().unwrap();
        let public = ward.context().db.read_and_wait(move |conn| acts_consultations::public_part(conn, &wanted)).unwrap().unwrap();
        assert_eq!((public.conclusion.en(), public.consulted, public.reviewers), ("Feasible", 1, 2));
        assert!(!format!("{public:?}").contains("方圆圆"));
        let draft = made(&posts(&ward, &desk.officer, "/consultations", Some(&desk.consultation()))).parse().unwrap();
        assert_eq!(ward.context().db.read_and_wait(move |conn| acts_consultations::public_part(conn, &draft)).unwrap(), None);
    }
}

on_both! {
    in "cn";

    fn what_is_reserved_and_committed_adds_up_beside_the_threshold(ward) {
        let treasury = Treasury::with(&ward, "5000000.00");
        let (one, two) = (treasury.filled(&ward, "ONE", "2500000.00"), treasury.filled(&ward, "TWO", "500000.00"));
        let officer = of(&ward, Role::BuyerOfficer, &treasury.department);
        let path = format!("/purchase-totals?organisation_id={}&category={CATEGORY}&fiscal_year=2026", treasury.department);
        let totals = || { let reply = gets(&ward, &officer, &path); assert_eq!(reply.status, 200, "{}", reply.text); reply.json() };
        let reserve = |line: &str, amount: &str| made(&posts(&ward, &officer, &format!("/budget-lines/{line}/reservations"), Some(&json!({"amount": yuan(amount), "purpose": "保洁"}))));
        assert_eq!((totals()["sum"].clone(), totals()["threshold"].clone()), (yuan("0.00"), yuan("2000000.00")));
        let hold = reserve(&one, "1200000.00");
        reserve(&two, "500000.00");
        reserve(&one, "799999.99");
        let now = totals();
        assert_eq!((now["sum"].clone(), now["reaches_threshold"].clone(), now["lines"][0]["sum"].clone()), (yuan("2499999.99"), json!(false), yuan("1999999.99")), "two lines do not count together");
        let committed = posts(&ward, &treasury.anna, &format!("/ledger/holds/{hold}/commitment"), Some(&json!({"amount": yuan("1200000.00")})));
        assert_eq!(committed.status, 200, "{}", committed.text);
        assert_eq!((totals()["lines"][0]["committed"].clone(), totals()["lines"][0]["sum"].clone()), (yuan("1200000.00"), yuan("1999999.99")));
        reserve(&one, "0.01");
        let now = totals();
        assert_eq!((now["reaches_threshold"].clone(), now["lines"][1]["reaches_threshold"].clone()), (json!(true), json!(false)));
        assert!(now["citations"].to_string().contains("政府采购法"), "{now}");
        let elsewhere = of(&ward, Role::BuyerOfficer, &organisation(&ward, OrganisationKind::StreetOffice, None));
        refused(&gets(&ward, &elsewhere, &path), 404, "not_found");
        refused(&gets(&ward, &officer, "/purchase-totals?fiscal_year=2026"), 400, "malformed");
        refused(&ward.get(&format!("/api/v1{path}")), 401, "unauthenticated");
    }
}
