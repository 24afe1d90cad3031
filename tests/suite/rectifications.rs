//! Rectification: issued, acknowledged, reported late, refused, reported again and accepted by another person; and who sees the files.

use serde_json::{Value, json};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::awards::{go_to, why};
use crate::books::{at_once, ok};
use crate::cast::{Person, person};
use crate::evidence::uploaded;
use crate::files::pdf;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::treasury::{gets, made, posts};
use crate::variations::contract;

on_both! { in "test";
    fn what_is_wrong_is_put_right_in_time_or_counted(ward) {
        let (case, contract) = contract(&ward);
        let (office, supplier) = (&case.office, &case.bidders[1].agent);
        go_to(&ward, "2026-05-11T02:00:00Z");
        let path = format!("/contracts/{contract}/rectifications");
        let file = |who: &Person, n: &str| uploaded(who.asks(&ward, "POST", "/api/v1/attachments"), "application/pdf", &pdf(n));
        let photo = file(&office.officer, "wrong");
        let notice = |more: Value| {
            let mut body = json!({"wrong_zh": "果皮超标", "wrong_en": "Too much peel", "matters": ["inspection_1"], "indicators": ["arrival"], "working_days": 3, "attachment_ids": []});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for who in [&office.approver, supplier] {
            refused(&posts(&ward, who, &path, Some(&notice(json!({})))), 403, "forbidden");
        }
        let places = |more: Value| posts(&ward, &office.officer, &path, Some(&notice(more))).faults().into_iter().map(|fault| fault.0).collect::<Vec<_>>();
        assert_eq!(places(json!({"indicators": ["dust"], "matters": ["=1"]})), ["/matters/0", "/indicators/0"]);
        assert_eq!(places(json!({"due_at": "2026-05-20T00:00:00Z"})), ["/due_at"]);
        assert_eq!(places(json!({"working_days": null, "due_at": "2026-05-11T02:00:00Z"})), ["/due_at"]);
        assert_eq!(places(json!({"attachment_ids": ["attachment_01jd3n8f5teqkrzvq1c0m6h2ax"]})), ["/attachment_ids/0"]);
        assert_eq!(ok(&ward.get(&format!("/api/v1{path}")))["items"], json!([]));

        // Public at once, its files between the parties.
        let one = made(&posts(&ward, &office.officer, &path, Some(&notice(json!({"attachment_ids": [photo]})))));
        let own = format!("/rectifications/{one}");
        let shown = |who: Option<&Person>| ok(&who.map_or_else(|| ward.get(&format!("/api/v1{own}")), |who| gets(&ward, who, &own)));
        assert_eq!((&shown(None)["due_at"], &shown(None)["late_days"], &shown(None)["attachment_ids"]), (&json!("2026-05-14T16:00:00.000000Z"), &json!(0), &json!([])));
        assert_eq!(shown(Some(supplier))["attachment_ids"], json!([photo]));
        let reads = |who: &Person, file: &str| gets(&ward, who, &format!("/attachments/{file}/content")).status;
        assert_eq!((reads(supplier, &photo), reads(&case.bidders[0].agent, &photo)), (200, 404));

        // The contractor: acknowledged once, reported a day and a half late.
        let acts = |who: &Person, what: &str, body: Option<&Value>| posts(&ward, who, &format!("{own}/{what}"), body);
        refused(&acts(&case.bidders[0].agent, "acknowledgement", None), 403, "forbidden");
        refused(&supplier.asks(&ward, "POST", &format!("/api/v1{own}/acknowledgement")).send(), 428, "version_missing");
        ok(&acts(supplier, "acknowledgement", None));
        refused(&acts(supplier, "acknowledgement", None), 409, "rectification_acknowledged_already");
        let decision = |is_accepted: bool, days: Value| json!({"is_accepted": is_accepted, "decision_zh": "晚间仍有积存", "decision_en": "Still litter in the evening", "working_days": days});
        refused(&acts(&office.approver, "decision", Some(&decision(true, Value::Null))), 409, "rectification_wrong_state");
        go_to(&ward, "2026-05-16T02:00:00Z");
        assert_eq!((&shown(None)["is_overdue"], &shown(None)["late_days"]), (&json!(true), &json!(2)));
        let proof = file(supplier, "right");
        let report = json!({"report": "已补扫", "attachment_ids": [proof]});
        let reported = ok(&acts(supplier, "report", Some(&report)));
        assert_eq!((&reported["state"], &reported["attachment_ids"]), (&json!("reported"), &json!([photo, proof])));
        refused(&acts(supplier, "report", Some(&json!({"report": "再报"}))), 409, "rectification_wrong_state");

        // Another person of the buyer looks, refuses with a further deadline, and accepts.
        go_to(&ward, "2026-05-20T02:00:00Z");
        refused(&acts(supplier, "decision", Some(&decision(true, Value::Null))), 403, "forbidden");
        refused(&acts(&office.officer, "decision", Some(&decision(true, Value::Null))), 403, "separation_of_duties");
        assert_eq!(acts(&office.approver, "decision", Some(&decision(false, Value::Null))).faults()[0].0, "/due_at");
        let refused_once = ok(&acts(&office.approver, "decision", Some(&decision(false, json!(1)))));
        assert_eq!((&refused_once["state"], &refused_once["due_at"], &refused_once["late_days"]), (&json!("issued"), &json!("2026-05-21T16:00:00.000000Z"), &json!(2)));
        ok(&acts(supplier, "report", Some(&json!({"report": "已增加晚间巡查"}))));
        let officer = crate::treasury::of(&ward, Role::BuyerOfficer, &office.treasury.department);
        let both = at_once([&|| acts(&office.approver, "decision", Some(&decision(true, Value::Null))), &|| acts(&officer, "decision", Some(&decision(false, json!(1))))]);
        let mut statuses = both.each_ref().map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", both[0].text, both[1].text);
        if both[0].status == 409 {
            ok(&acts(supplier, "report", Some(&json!({"report": "已增加晚间巡查"}))));
            ok(&acts(&office.approver, "decision", Some(&decision(true, Value::Null))));
        }
        go_to(&ward, "2026-06-20T02:00:00Z");
        let done = shown(None);
        assert_eq!((&done["state"], &done["is_overdue"], &done["late_days"], &done["rounds"][0]["is_accepted"]), (&json!("accepted"), &json!(false), &json!(2), &json!(false)));
        refused(&acts(&office.approver, "withdrawal", Some(&why())), 409, "rectification_wrong_state");

        // Another one is taken back, and was never late.
        let other = made(&posts(&ward, &office.officer, &path, Some(&notice(json!({"working_days": null, "due_at": "2026-06-21T00:00:00Z"})))));
        go_to(&ward, "2026-06-25T00:00:00Z");
        let taken = |who: &Person| posts(&ward, who, &format!("/rectifications/{other}/withdrawal"), Some(&why()));
        refused(&taken(&office.officer), 403, "separation_of_duties");
        assert_eq!(ok(&taken(&office.approver))["late_days"], 0);
        let listed = |query: &str| ok(&ward.get(&format!("/api/v1{path}{query}")));
        let first = listed("?limit=1");
        assert_eq!((&first["items"][0]["number"], listed("?state=accepted")["items"][0]["number"].clone()), (&json!(2), json!(1)));
        let next = first["next_cursor"].as_str().unwrap();
        assert_eq!(listed(&format!("?limit=1&cursor={next}"))["items"][0]["id"], json!(one));
        let stranger = person(&ward, &[Grant::of(Role::BuyerOfficer)]);
        refused(&posts(&ward, &stranger, &path, Some(&notice(json!({})))), 403, "forbidden");
        for statement in ["UPDATE rectifications SET wrong_zh = 'x'", "DELETE FROM rectifications", "UPDATE rectification_rounds SET due_at = '2030-01-01 00:00:00'", "UPDATE rectification_rounds SET is_accepted = NULL, decision_zh = NULL, decision_en = NULL, decided_by = NULL, decided_at = NULL WHERE decided_at IS NOT NULL"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
    }
}
