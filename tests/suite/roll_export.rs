//! The roll as a table for its registrar's spreadsheet.

use encoding_rs::GB18030;
use serde_json::json;
use wardbook::web::policy::Role;

use crate::harness::{Ask, Ward};
use crate::on_both;
use crate::organisations::{opened, refused};
use crate::rolls::{Community, by};
use crate::wire::{self, Wire};

const TABLE: &str = "户号,姓名,出生日期,面积,业主,手机,邮箱\n\
    3-2-501,王小梅,1984-07-19,89.35,是,+8613800138000,mei@home.example\n\
    3-2-501,王大山,2012-05-01,,否,,\n\
    3-2-502,\"𠮷, '田\",1931-05-17,,否,13912345678,\n";

/// The bytes of an export, which are no UTF-8 in one of the encodings.
fn exported(ward: &Ward, community: &Community, query: &str, language: &str) -> (String, Vec<u8>) {
    let target = format!("/api/v1/areas/{}/residents/export{query}", community.id);
    let token = format!("Bearer {}", community.registrar.token);
    let headers = [
        ("Authorization", token.as_bytes()),
        ("Accept-Language", language.as_bytes()),
        ("Content-Length", b"0".as_slice()),
    ];
    let mut wire = Wire::to(ward.server().address);
    wire.send(&wire::request("POST", &target, &headers, None));
    let (reply, bytes) = wire.answer_of_bytes().unwrap();
    assert_eq!(
        (reply.status, reply.header("cache-control")),
        (200, Some("no-store")),
        "{}",
        String::from_utf8_lossy(&bytes)
    );
    assert_eq!(
        reply.header("content-disposition"),
        Some("attachment; filename=\"roll.csv\"")
    );
    (reply.header("content-type").unwrap().to_owned(), bytes)
}

on_both! {
    fn a_roll_is_taken_away_as_a_table_and_read_again(ward) {
        let [gui, huai] = Community::two(&ward);
        gui.imported(&ward, "", TABLE);
        let gone = gui.enter(&ward, "9", "走了的人", "1980-01-01");
        gui.about(&ward, "POST", &format!("residents/{gone}/departure")).header("if-match", "*").json(&json!({"reason": "moved_away"})).send();

        let (kind, bytes) = exported(&ward, &gui, "", "zh-CN");
        assert_eq!(kind, "text/csv; charset=utf-8");
        let text = String::from_utf8(bytes.clone()).unwrap();
        let expected = "\u{feff}户号,姓名,出生日期,面积,业主,手机,邮箱\r\n\
            3-2-501,王小梅,1984-07-19,89.35,是,'+8613800138000,mei@home.example\r\n\
            3-2-501,王大山,2012-05-01,89.35,否,,\r\n\
            3-2-502,\"𠮷, '田\",1931-05-17,,否,13912345678,\r\n";
        let sorted = |text: &str| { let mut lines: Vec<String> = text.lines().map(str::to_owned).collect(); lines[1..].sort(); lines };
        assert_eq!(sorted(&text), sorted(expected), "those of one household in any order");
        let (kind, gb18030) = exported(&ward, &gui, "?encoding=gb18030", "zh-CN");
        assert_eq!(kind, "text/csv; charset=gb18030");
        assert_eq!(GB18030.decode_without_bom_handling(&gb18030).0, text.trim_start_matches('\u{feff}'));
        let (_, english) = exported(&ward, &gui, "?encoding=utf-8", "en");
        assert!(String::from_utf8(english).unwrap().starts_with("\u{feff}household,name,birth_date,dwelling_area,owner,phone,email\r\n"));

        // What was taken away is what an import reads, in either encoding: here it changes nothing, elsewhere it makes the same roll.
        for (charset, bytes) in [("utf-8", &bytes), ("gb18030", &gb18030)] {
            let trial = gui.ask(&ward, "POST", "residents/import?dry_run=true&mode=replace").body(&format!("text/csv; charset={charset}"), bytes.clone()).send();
            let report = trial.json();
            assert_eq!((trial.status, &report["unchanged"], &report["changed"], &report["departed"]), (200, &json!(3), &json!(0), &json!(0)), "{}", trial.text);
        }
        huai.imported(&ward, "", &text);
        let mei = huai.all(&ward).into_iter().find(|one| one["name"] == "王小梅").unwrap();
        assert_eq!(mei["phone"], "+8613800138000");
    }

    fn who_took_a_roll_away_is_known_and_nobody_else_gets_it(ward) {
        let [gui, huai] = Community::two(&ward);
        gui.imported(&ward, "", TABLE);
        exported(&ward, &gui, "", "en");
        let events = ward.events("roll.exported");
        assert_eq!((events.len(), &events[0]["entry"]["subject"], &events[0]["entry"]["data"]), (1, &json!(gui.id), &json!({"encoding": "utf-8"})));
        assert_eq!((opened(&events[0])["residents"].clone(), &events[0]["opened"]["actor"]), (json!(3), &json!(gui.registrar.id)));
        let path = format!("/api/v1/areas/{}/residents/export", gui.id);
        refused(&by(&ward, &huai.registrar, "POST", &path).send(), 404, "not_found");
        for role in [Role::Admin, Role::Auditor, Role::Regulator, Role::Resident] {
            refused(&ward.ask("POST", &path).by(role).send(), 403, "forbidden");
        }
        refused(&ward.ask("POST", &path).send(), 401, "unauthenticated");
        let own = |ask: Ask<'_>| ask.send();
        assert_eq!(own(gui.ask(&ward, "POST", "residents/export?encoding=utf-16")).code(), "malformed");
        assert_eq!(own(gui.ask(&ward, "POST", "residents/export?encodings=utf-8")).code(), "malformed");
        gui.enter(&ward, "7", "\u{e5e5}", "1980-01-01");
        let no_form = own(gui.ask(&ward, "POST", "residents/export?encoding=gb18030"));
        assert_eq!((no_form.status, no_form.faults()), (422, vec![("?encoding".to_owned(), "invalid".to_owned())]), "{}", no_form.text);
        assert_eq!(ward.events("roll.exported").len(), 1, "whoever got nothing took nothing away");
    }
}
