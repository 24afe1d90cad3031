//! The area tree, as its users meet it.

use serde_json::json;
use wardbook::web::policy::Role;

use crate::on_both;

on_both! {
    fn an_area_is_added_read_renamed_and_moved_and_each_leaves_one_event(ward) {
        let city = ward.area(None, "凤城市");
        let (here, there) = (ward.area(Some(&city), "凤鸣区"), ward.area(Some(&city), "青溪区"));
        let body = json!({"parent_id": here, "name_zh": "梧桐街道", "name_en": "Wutong", "code": "990101001"});
        let created = ward.post("/api/v1/areas", &body);
        assert_eq!(created.status, 201, "{}", created.text);
        let street = created.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(created.header("location"), Some(format!("/api/v1/areas/{street}").as_str()));
        assert_eq!(created.header("etag"), Some("\"v1\""));
        assert_eq!(created.json()["level"], "street");

        let path = format!("/api/v1/areas/{street}");
        let read = ward.get(&path);
        assert_eq!(read.json(), created.json());
        let again = ward.ask("GET", &path).header("if-none-match", read.header("etag").unwrap()).send();
        assert_eq!((again.status, again.text.as_str()), (304, ""));

        let names = json!({"name_zh": "梧桐里街道", "code": null});
        let rename = || ward.ask("PATCH", &path).by(Role::Admin).json(&names);
        assert_eq!(rename().send().code(), "version_missing");
        assert_eq!(rename().header("if-match", "\"v7\"").send().status, 412);
        let renamed = rename().header("if-match", "\"v1\"").send();
        assert_eq!(renamed.status, 200, "{}", renamed.text);
        assert_eq!(renamed.json()["name_zh"], "梧桐里街道");
        assert_eq!(renamed.json()["name_en"], "Wutong");
        assert_eq!(renamed.json()["code"], json!(null));
        assert_eq!(rename().header("if-match", "\"v1\"").send().code(), "version_stale");

        let community = ward.area(Some(&street), "桂园社区");
        let body = json!({"parent_id": there});
        let moved = ward.ask("POST", &format!("{path}/move")).by(Role::Admin).header("if-match", "\"v2\"").json(&body).send();
        assert_eq!(moved.status, 200, "{}", moved.text);
        assert_eq!(moved.json()["parent_id"], json!(there));
        let below = ward.get(&format!("/api/v1/areas?within={there}")).json();
        let ids: Vec<_> = below["items"].as_array().unwrap().iter().map(|area| area["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 2);
        assert!(ids.contains(&street.as_str()) && ids.contains(&community.as_str()));
        assert_eq!(ward.get(&format!("/api/v1/areas?within={here}")).json()["items"], json!([]));

        assert_eq!(ward.events("area.created").len(), 5);
        assert_eq!(ward.events("area.renamed").len(), 1);
        let moves = ward.events("area.moved");
        assert_eq!(moves.len(), 1);
        assert_eq!(moves[0]["entry"]["data"]["areas_below"], 1);
        assert_eq!(moves[0]["opened"]["actor"], "user_admin");
        assert_eq!(moves[0]["opened"]["matches"], true);
    }
}

on_both! {
    fn writes_go_on_when_the_log_grows_beyond_its_first_tile(ward) {
        let city = ward.area(None, "凤城市");
        for n in 0..300 {
            ward.area(Some(&city), &format!("区{n}"));
        }
        ward.settle();
        let size = ward.get("/audit/checkpoint").text.lines().nth(1).unwrap().to_owned();
        assert_eq!(size, "302");
    }
}
