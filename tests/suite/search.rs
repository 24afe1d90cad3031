//! The public search: what is found, what is never found, and that people are told once of what their saved searches find.

use serde_json::{Value, json};
use wardbook::books::acts_search;
use wardbook::web::policy::Role;

use crate::cast::Person;
use crate::files::wait;
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::refused;
use crate::outbox::lines;
use crate::planning::Desk;
use crate::treasury::{CATEGORY, gets, made, of, posts, yuan};

fn hits(ward: &Ward, query: &str) -> Vec<Value> {
    let encoded: String = query
        .bytes()
        .map(|byte| match byte {
            b' ' | 128.. => format!("%{byte:02X}"),
            byte => char::from(byte).to_string(),
        })
        .collect();
    let reply = ward.get(&format!("/api/v1/search?{encoded}"));
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["items"].as_array().unwrap().clone()
}

fn ids(ward: &Ward, query: &str) -> Vec<String> {
    hits(ward, query)
        .iter()
        .map(|hit| hit["id"].as_str().unwrap().to_owned())
        .collect()
}

/// What the service does by itself once a minute.
fn tell(ward: &Ward) {
    while !wait(ward.context().db.upkeep(acts_search::tell_hits)).unwrap() {}
}

on_both! {
    fn what_is_public_is_found_inside_longer_words(ward) {
        let desk = Desk::new(&ward);
        let with = |zh: &str, en: &str, overview: &str, budget: &str| {
            let mut content = desk.content();
            (content["title_zh"], content["title_en"], content["budget"]) = (json!(zh), json!(en), yuan(budget));
            (content["overview_zh"], content["overview_en"]) = (json!(overview), json!("As before"));
            content
        };
        let titled = desk.published(&ward, &with("道路环卫保洁", "Street sanitation", "全年", "300.00"));
        let mentioned = desk.published(&ward, &with("公厕管理", "Public toilets", "含环卫设施", "200.00"));
        let other = desk.published(&ward, &with("环境卫生宣传", "Campaign on sanitary habits", "全年", "100.00"));
        let secret = made(&desk.drafts(&ward, &with("环卫秘密", "Secret sanitation", "环卫", "1.00")));
        for (query, expected) in [
            ("q=环卫", vec![&titled, &mentioned]),
            ("q=环卫&sort=date", vec![&mentioned, &titled]),
            ("q=SANIT", vec![&other, &titled]),
            ("q=sanitation", vec![&titled]),
            ("q=环卫 sanitation", vec![&titled]),
            ("q=秘密", vec![]),
            ("q=secret", vec![]),
            ("", vec![&other, &mentioned, &titled]),
            ("value_min=150.00&value_max=250", vec![&mentioned]),
            ("q=全年&value_max=200.00", vec![&other]),
            ("kind=intention_notice&category=cooking", vec![]),
            ("from=2027-01-01T00:00:00Z", vec![]),
            ("until=2027-01-01T00:00:00Z&q=公厕", vec![&mentioned]),
        ] {
            assert_eq!(ids(&ward, query), expected.into_iter().cloned().collect::<Vec<_>>(), "{query}");
        }
        assert_eq!(ids(&ward, &format!("buyer={}&area_id={}&category={CATEGORY}&q=公厕", desk.treasury.department, desk.area)), std::slice::from_ref(&mentioned));
        assert_eq!(ids(&ward, "area_id=area_01jd3n8f5teqkrzvq1c0m6h2ax"), Vec::<String>::new());
        // Not even its own people find a draft here.
        assert_eq!(gets(&ward, &desk.officer, "/search?q=secret").json()["items"], json!([]));
        let found = &hits(&ward, "q=环卫")[1];
        assert_eq!(found["snippet_zh"], json!([{"text": "含", "hit": false}, {"text": "环卫", "hit": true}, {"text": "设施", "hit": false}]));
        assert_eq!((found["buyer"].clone(), found["value"].clone()), (json!(desk.treasury.department), yuan("200.00")));
        // Page by page in either order.
        for sort in ["relevance", "date"] {
            let mut seen = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = ward.get(&format!("/api/v1/search?q=%E5%B9%B4&sort={sort}&limit=1{cursor}")).json();
                seen.push(page["items"][0]["id"].as_str().unwrap().to_owned());
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(seen, [other.clone(), titled.clone()], "{sort}");
        }
        refused(&ward.get("/api/v1/search?q=!!"), 400, "malformed");
        refused(&ward.get(&format!("/api/v1/search?q={}", "a".repeat(101))), 400, "malformed");
        refused(&ward.get("/api/v1/search?sort=size"), 400, "malformed");

        // A correction is found as it is now; what was withdrawn is not found.
        let mut corrected = with("公厕保洁", "Public toilets", "全年", "200.00");
        (corrected["reason_zh"], corrected["reason_en"]) = (json!("笔误"), json!("A slip"));
        assert_eq!(desk.corrects(&ward, &mentioned, &corrected).status, 200);
        assert_eq!(ids(&ward, "q=设施"), std::slice::from_ref(&mentioned));
        assert_eq!(desk.publishes(&ward, &mentioned).status, 200);
        assert_eq!((ids(&ward, "q=设施"), ids(&ward, "q=公厕保洁")), (vec![], vec![mentioned]));
        let why = json!({"reason_zh": "不再采购", "reason_en": "No longer planned"});
        assert_eq!(posts(&ward, &desk.treasury.boris, &format!("/intention-notices/{titled}/withdrawal"), Some(&why)).status, 200);
        assert_eq!(ids(&ward, "q=sanitation"), Vec::<String>::new());
        assert_eq!(desk.publishes(&ward, &secret).status, 200);
        assert_eq!(ids(&ward, "q=sanitation"), [secret]);
    }

    fn one_is_told_once_of_what_a_saved_search_finds(ward) {
        let desk = Desk::new(&ward);
        let before = desk.published(&ward, &desk.content());
        let reader = ward.person("reader", &[]);
        let reader = Person { id: reader.id.parse().unwrap(), token: reader.access().to_owned() };
        let anna = of(&ward, Role::BuyerOfficer, &desk.treasury.department);
        let search = json!({"name": "保洁", "question": {"q": "环卫", "category": CATEGORY}});
        let saved = made(&posts(&ward, &reader, "/me/saved-searches", Some(&search)));
        refused(&posts(&ward, &reader, "/me/saved-searches", Some(&json!({"name": "x", "question": {"q": "!!"}}))), 422, "invalid");
        refused(&posts(&ward, &reader, "/me/saved-searches", Some(&json!({"name": "x", "question": {"stage": "tea"}}))), 422, "invalid");
        refused(&posts(&ward, &reader, "/me/saved-searches", Some(&json!({"name": "x", "question": {"kind": "tea"}}))), 422, "invalid");
        let queued = || lines(&ward, "SELECT dedup_key AS line FROM outbox WHERE kind = 'followed.happened' ORDER BY id");
        tell(&ward);
        assert_eq!(queued(), Vec::<String>::new(), "{before} was public before");
        let first = desk.published(&ward, &desk.content());
        let mut other = desk.content();
        (other["title_zh"], other["title_en"]) = (json!("绿化"), json!("Greening"));
        desk.published(&ward, &other);
        made(&desk.drafts(&ward, &desk.content()));
        for _ in 0..2 {
            tell(&ward);
            assert_eq!(queued(), [format!("{saved}:{first}")]);
        }
        let many: Vec<String> = (0..45).map(|_| desk.published(&ward, &desk.content())).collect();
        tell(&ward);
        let mut expected: Vec<String> = [vec![first], many].concat().iter().map(|id| format!("{saved}:{id}")).collect();
        let mut told = queued();
        expected.sort();
        told.sort();
        assert_eq!(told, expected);

        // Nobody else sees it or takes it away, and no event says what it is.
        assert_eq!(gets(&ward, &anna, "/me/saved-searches").json()["items"], json!([]));
        let remove = |who: &Person| who.asks(&ward, "DELETE", &format!("/api/v1/me/saved-searches/{saved}")).send();
        refused(&remove(&anna), 404, "not_found");
        assert_eq!(gets(&ward, &reader, "/me/saved-searches").json()["items"][0]["question"]["q"], "环卫");
        assert_eq!(remove(&reader).status, 200);
        refused(&remove(&reader), 404, "not_found");
        assert!(ward.events("saved_search.saved").iter().all(|event| !event.to_string().contains("环卫")));
        desk.published(&ward, &desk.content());
        tell(&ward);
        assert_eq!(queued().len(), expected.len());
        for _ in 0..20 {
            made(&posts(&ward, &reader, "/me/saved-searches", Some(&search)));
        }
        refused(&posts(&ward, &reader, "/me/saved-searches", Some(&search)), 409, "saved_searches_too_many");
    }
}
