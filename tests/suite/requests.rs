//! What holds for every request, whatever it asks for: problem documents, languages, limits, caching, headers, proxies,
//! browsers of other origins, metrics, and the pages beside the operations.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::SocketAddr;
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wardbook::app::openapi;
use wardbook::kernel::text::Text;
use wardbook::web::policy::Role;

use crate::api_spec::operations;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::wire::{self, Wire};

/// One request by hand.
fn by_hand(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &[u8])],
    body: Option<&[u8]>,
) -> Reply {
    let mut wire = Wire::to(address);
    wire.send(&wire::request(method, target, headers, body));
    wire.answer(method == "HEAD").expect("the server answers")
}

/// The headers of every answer.
fn assert_enveloped(reply: &Reply, what: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{what}: {name}");
    }
    assert!(
        reply
            .header("x-request-id")
            .is_some_and(|id| id.starts_with("request_")),
        "{what}: {reply:?}"
    );
    assert!(reply.header("cache-control").is_some(), "{what}: {reply:?}");
    let policy = reply
        .header("content-security-policy")
        .unwrap_or_else(|| panic!("{what}: {reply:?}"));
    assert!(
        policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"),
        "{what}: {policy}"
    );
    let varies = reply
        .headers
        .iter()
        .filter(|(name, _)| name == "vary")
        .map(|(_, value)| value.to_ascii_lowercase())
        .collect::<Vec<_>>()
        .join(", ");
    for name in ["accept", "accept-encoding", "accept-language", "authorization"] {
        assert!(varies.split(", ").any(|one| one == name), "{what}: {varies}");
    }
    if reply.status >= 400 {
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json"),
            "{what}: {reply:?}"
        );
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{what}");
        if !reply.text.is_empty() {
            let problem = reply.json();
            assert_eq!(problem["status"], reply.status, "{what}");
            assert_eq!(
                problem["request_id"].as_str(),
                reply.header("x-request-id"),
                "{what}"
            );
            assert_eq!(
                problem["type"],
                format!("/problems/{}", problem["code"].as_str().unwrap()),
                "{what}"
            );
        }
    }
}

/// Asks until the server says that it is too often; it must say so soon.
fn until_throttled(mut ask: impl FnMut() -> Reply) -> Reply {
    (0..200)
        .map(|_| ask())
        .find(|reply| reply.status == 429)
        .expect("a limit of one request a second is met")
}

fn add(ward: &Ward, kind: &str, body: &[u8]) -> Reply {
    ward.ask("POST", "/api/v1/areas")
        .by(Role::Admin)
        .body(kind, body)
        .send()
}

on_both! {
    fn a_problem_is_told_in_the_callers_language(ward) {
        let ask = |language: &str| ward.ask("POST", "/api/v1/areas").by(Role::Admin).header("accept-language", language).json(&json!({"name_zh": "", "name_en": "x"})).send();
        let (zh, en) = (ask("zh-CN,zh;q=0.9,en;q=0.8"), ask("fr, en-GB;q=0.7, zh;q=0.2"));
        assert_eq!((zh.header("content-language"), en.header("content-language")), (Some("zh-CN"), Some("en")));
        let (zh, en) = (zh.json(), en.json());
        assert_eq!((zh["title"].as_str(), en["title"].as_str()), (Some("内容不符合要求"), Some("Some values are not valid")));
        assert_eq!(en["errors"], json!([{"pointer": "/name_zh", "code": "too_short", "detail": "at least 1 characters"}]));
        assert_eq!(zh["errors"][0]["detail"], "至少 1 个字符");
        for name in ["code", "type", "status"] {
            assert_eq!(zh[name], en[name]);
        }
        for language in ["", "fr", "*", "en;q=0", "x".repeat(5_000).as_str()] {
            assert_eq!(ask(language).header("content-language"), Some("zh-CN"), "{language:.20}");
        }
        // Refusals that the framework or the envelope make are no exception.
        assert_eq!(ward.ask("GET", "/nowhere").header("accept-language", "en").send().json()["title"], "Not found");
        assert_eq!(ward.ask("DELETE", "/api/v1/areas").header("accept-language", "en").send().json()["title"], "This method is not offered here");
    }

    fn every_fault_of_a_body_is_told_at_once(ward) {
        let body = json!({"name_zh": "", "name_en": 5, "code": "x", "parent_id": "nobody", "colour": "red", "a/b~c": 1});
        let reply = ward.post("/api/v1/areas", &body);
        assert_eq!((reply.status, reply.code().as_str()), (422, "invalid"));
        let mut faults = reply.faults();
        faults.sort();
        let expected = [
            ("/a~1b~0c", "unknown_member"), ("/code", "wrong_form"), ("/colour", "unknown_member"), ("/name_en", "wrong_type"),
            ("/name_zh", "too_short"), ("/parent_id", "wrong_form"),
        ];
        assert_eq!(faults, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
        let missing = ward.post("/api/v1/areas", &json!({}));
        assert_eq!(missing.faults(), [("/name_zh", "required"), ("/name_en", "required")].map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
        for other in [json!([]), json!("x"), json!(1), json!(null), json!(true)] {
            assert_eq!(ward.post("/api/v1/areas", &other).faults(), [(String::new(), "wrong_type".to_owned())], "{other}");
        }
        // A body with endlessly many faults gets an answer that ends.
        let many: serde_json::Map<String, Value> = (0..5_000).map(|n| (format!("m{n}"), json!(n))).collect();
        let reply = ward.post("/api/v1/areas", &Value::Object(many));
        assert_eq!((reply.status, reply.faults().len()), (422, 100));
        assert_eq!(ward.get("/api/v1/areas").json()["items"], json!([]));
    }

    fn what_is_no_json_is_malformed(ward) {
        let bad: [&[u8]; 16] = [
            b"", b" ", b"{", b"[1,", b"nul", b"{\"a\":1,}", b"{'a':1}", b"\xef\xbb\xbf{}", b"\xff\xfe{}", b"{}{}", b"NaN", b"01", b"\"\\ud800\"", b"\"\t\"", b"{\"name_zh\":\"\xff\"}", b"// x\n{}",
        ];
        for body in bad {
            let reply = add(&ward, "application/json", body);
            assert_eq!((reply.status, reply.code().as_str()), (400, "malformed"), "{}", String::from_utf8_lossy(body));
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(add(&ward, "application/json", nested(32).as_bytes()).code(), "invalid");
        for depth in [33, 1_000, 100_000] {
            let reply = add(&ward, "application/json", nested(depth).as_bytes());
            assert_eq!((reply.status, reply.code().as_str()), (400, "malformed"), "{depth}");
            assert!(reply.json()["detail"].as_str().unwrap().contains("32"), "{}", reply.text);
        }
        assert_eq!(add(&ward, "application/json", "[".repeat(100_000).as_bytes()).code(), "malformed");
    }

    fn a_body_is_json_and_not_larger_than_the_maximum(ward) {
        let good = json!({"name_zh": "市", "name_en": "City"}).to_string().into_bytes();
        for kind in ["", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/problem+json", "application/jsonx", "multipart/form-data; boundary=x"] {
            let reply = add(&ward, kind, &good);
            assert_eq!((reply.status, reply.code().as_str()), (415, "unsupported_content"), "{kind}");
        }
        let reply = ward.ask("POST", "/api/v1/areas").by(Role::Admin).header("content-encoding", "gzip").body("application/json", good.clone()).send();
        assert_eq!((reply.status, reply.code().as_str()), (415, "unsupported_content"));
        let padded = |length: usize| [good.clone(), vec![b' '; length - good.len()]].concat();
        let large = add(&ward, "application/json", &padded(262_145));
        assert_eq!((large.status, large.code().as_str()), (413, "body_too_large"));
        assert_eq!(ward.get("/api/v1/areas").json()["items"], json!([]));
        assert_eq!(add(&ward, "Application/JSON ;charset=utf-8", &padded(262_144)).status, 201);

        // Nobody need say how long a body is before it is too long.
        let token = format!("Bearer {}", ward.token(Role::Admin));
        let mut wire = Wire::to(ward.server().address);
        let headers: [(&str, &[u8]); 3] = [("Authorization", token.as_bytes()), ("Content-Type", b"application/json"), ("Transfer-Encoding", b"chunked")];
        wire.send(&wire::request("POST", "/api/v1/areas", &headers, None));
        for _ in 0..5 {
            wire.send(&[b"10000\r\n".to_vec(), vec![b' '; 65_536], b"\r\n".to_vec()].concat());
        }
        assert_eq!(wire.answer(false).unwrap().code(), "body_too_large");
    }

    fn a_path_that_is_not_there_is_told_from_a_method_that_is_not(ward) {
        let document = openapi::document().unwrap();
        let mut paths: Vec<(String, BTreeSet<String>)> = Vec::new();
        for (path, method, _) in operations(&document) {
            match paths.iter_mut().find(|(known, _)| *known == path) {
                Some((_, methods)) => drop(methods.insert(method)),
                None => paths.push((path, BTreeSet::from([method]))),
            }
        }
        for beside in ["/api/openapi.json", "/docs", "/docs/", "/docs/index.html"] {
            paths.push((beside.to_owned(), BTreeSet::from(["GET".to_owned()])));
        }
        for (path, mut methods) in paths {
            if methods.contains("GET") {
                methods.insert("HEAD".to_owned());
            }
            let target = path.replace(['{', '}'], "");
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
                if methods.contains(method) {
                    continue;
                }
                let reply = by_hand(ward.server().address, method, &target, &[], None);
                assert_eq!(reply.status, 405, "{method} {target}: {}", reply.text);
                let allow: BTreeSet<String> = reply.header("allow").unwrap().split(", ").map(str::to_owned).collect();
                assert_eq!(allow, methods, "{method} {target}");
                assert_enveloped(&reply, &target);
            }
        }
        for path in ["/checks", "/api", "/api/v1", "/api/v1/", "/api/v1/area", "/api/v1/areas/", "/api/v1/areas/a/b", "/api/v2/areas", "/API/v1/areas", "//api/v1/areas", "/docsx", "/docs/nothing.js", "/problems/"] {
            for method in ["GET", "POST", "OPTIONS"] {
                let reply = by_hand(ward.server().address, method, path, &[], None);
                let beside = path == "/docs/nothing.js" && method != "GET";
                assert_eq!((reply.status, reply.code().as_str()), if beside { (405, "method_not_allowed") } else { (404, "not_found") }, "{method} {path}");
                assert_enveloped(&reply, path);
            }
        }
        for id in ["area_01jd3n8f5teqkrzvq1c0m6h2ax", "area_01JD3N8F5TEQKRZVQ1C0M6H2AX", "event_01jd3n8f5teqkrzvq1c0m6h2ax", "1", "%00", "%ff", "..%2f..", "%E6%A1%90"] {
            assert_eq!(ward.get(&format!("/api/v1/areas/{id}")).code(), "not_found", "{id}");
            assert_eq!(ward.get(&format!("/api/v1/audit/events/{id}")).code(), "not_found", "{id}");
            assert_eq!(ward.get(&format!("/audit/proof/{id}")).code(), "not_found", "{id}");
        }
    }

    fn whatever_can_be_got_can_be_asked_for_by_head(ward) {
        let area = ward.area(None, "凤城市");
        let event = ward.events("area.created")[0]["id"].as_str().unwrap().to_owned();
        let document = openapi::document().unwrap();
        let mut targets: Vec<String> = operations(&document).into_iter().filter(|(_, method, _)| method == "GET").map(|(path, ..)| path).collect();
        targets.extend(["/api/openapi.json", "/docs", "/docs/", "/docs/swagger-ui.css", "/nowhere", "/api/v1/areas/nobody"].map(str::to_owned));
        assert!(targets.len() > 15);
        for target in targets {
            let target = match target.as_str() {
                "/api/v1/areas/{id}" => format!("/api/v1/areas/{area}"),
                "/api/v1/audit/events/{id}" => format!("/api/v1/audit/events/{event}"),
                "/audit/proof/{event}" => format!("/audit/proof/{event}"),
                "/audit/tile/{tile}" => "/audit/tile/entries/000.p/2".to_owned(),
                "/problems/{code}" => "/problems/malformed".to_owned(),
                other => other.to_owned(),
            };
            for encoding in [&b"identity"[..], b"gzip"] {
                // One connection: if HEAD were answered with a body, the next answer would begin with it.
                let mut wire = Wire::to(ward.server().address);
                let headers = [("Accept-Encoding", encoding)];
                let mut ask = |method: &str| {
                    wire.send(&wire::request(method, &target, &headers, None));
                    wire.answer(method == "HEAD").unwrap_or_else(|| panic!("{method} {target}"))
                };
                let (head, get, again) = (ask("HEAD"), ask("GET"), ask("HEAD"));
                assert_eq!((head.status, again.status), (get.status, get.status), "{target}");
                assert_enveloped(&head, &target);
                for name in ["content-type", "content-encoding", "etag", "location", "transfer-encoding", "content-disposition"] {
                    assert_eq!(head.header(name), get.header(name), "{target}: {name}");
                }
                if target != "/metrics" && get.status < 400 {
                    assert_eq!(head.header("content-length"), get.header("content-length"), "{target}");
                }
            }
        }
    }

    fn a_copy_that_is_current_is_not_sent_again(ward) {
        let area = ward.area(None, "凤城市");
        let path = format!("/api/v1/areas/{area}");
        let ask = |known: &str| ward.ask("GET", &path).header("if-none-match", known).send();
        for known in ["\"v1\"", "W/\"v1\"", "\"v0\", \"v1\"", "*"] {
            let reply = ask(known);
            assert_eq!((reply.status, reply.text.as_str(), reply.header("etag")), (304, "", Some("\"v1\"")), "{known}");
            assert_enveloped(&reply, known);
        }
        for other in ["\"v2\"", "v1", "\"\"", "\"v1", ""] {
            assert_eq!(ask(other).status, 200, "{other}");
        }
        let by_gzip = ward.ask("GET", &path).header("if-none-match", "\"v1\"").header("accept-encoding", "gzip").send();
        assert_eq!((by_gzip.status, by_gzip.text.as_str()), (304, ""));
        ward.ask("PATCH", &path).by(Role::Admin).header("if-match", "\"v1\"").json(&json!({"name_en": "Fengcheng"})).send();
        assert_eq!(ask("\"v1\"").status, 200);
        assert_eq!(ask("\"v2\"").status, 304);
    }

    fn a_parameter_that_is_unknown_or_there_twice_is_refused(ward) {
        for (path, pointer, code) in [
            ("/api/v1/areas?page=2", "?page", "unknown_parameter"),
            ("/api/v1/areas?Q=a", "?Q", "unknown_parameter"),
            ("/api/v1/areas?q=a&q=a", "?q", "repeated"),
            ("/api/v1/audit/events?kind=x", "?kind", "unknown_parameter"),
            ("/api/v1/audit/events?from=yesterday", "?from", "not_an_instant"),
            ("/api/v1/audit/events?to=2026-02-30T00:00:00Z", "?to", "not_an_instant"),
            ("/api/v1/audit/events?sort=id", "?sort", "not_one_of"),
            ("/api/v1/audit/events?limit=1000", "?limit", "out_of_range"),
            ("/api/v1/audit/events?cursor=x", "?cursor", "malformed"),
            ("/api/v1/audit/export?limit=5", "?limit", "unknown_parameter"),
            ("/api/v1/audit/export?cursor=5", "?cursor", "unknown_parameter"),
        ] {
            let reply = ward.get(path);
            assert_eq!((reply.status, reply.code().as_str()), (400, "malformed"), "{path}");
            assert_eq!(reply.faults(), [(pointer.to_owned(), code.to_owned())], "{path}");
        }
        for accept in ["image/png", "application/json", "text/html;q=1", "text/csv;q=0"] {
            let reply = ward.ask("GET", "/api/v1/audit/export").header("accept", accept).send();
            assert_eq!((reply.status, reply.code().as_str()), (406, "not_acceptable"), "{accept}");
        }
    }

    /// Whatever the operation, and whether it has parameters or not: one that is ignored would mean something else to whoever
    /// sent it.
    fn every_operation_refuses_parameters_that_it_does_not_know(ward) {
        let document = openapi::document().unwrap();
        let mut asked = 0;
        for (path, method, operation) in operations(&document) {
            let roles = openapi::roles_of(operation["x-action"].as_str().unwrap());
            let ways = operation["security"].as_array().unwrap();
            let strangers = ways.is_empty() || ways.contains(&json!({}));
            let named = roles.into_iter().find(|role| *role != Role::Public);
            let role = if strangers { Role::Public } else { named.unwrap_or(Role::Resident) };
            let target = format!("{}?unknown=1&b%C3%A4r", path.replace(['{', '}'], ""));
            let mut methods = vec![method.as_str()];
            methods.extend((method == "GET").then_some("HEAD"));
            for method in methods {
                let reply = ward.ask(method, &target).by(role).send();
                assert_eq!(reply.status, 400, "{method} {target}: {reply:?}");
                assert_enveloped(&reply, &target);
                if method != "HEAD" {
                    let mut faults = reply.faults();
                    faults.sort();
                    assert_eq!(faults, ["?bär", "?unknown"].map(|pointer| (pointer.to_owned(), "unknown_parameter".to_owned())), "{method} {target}");
                }
                asked += 1;
            }
        }
        assert!(asked > 25, "{asked}");
        // An empty query is none.
        assert_eq!(ward.get("/health/live?").status, 200);
        assert_eq!(ward.get("/health/live?a=1&a=2").faults(), [("?a", "repeated"), ("?a", "unknown_parameter")].map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    }

    fn every_answer_has_an_id_and_the_security_headers(ward) {
        let mut ward = ward;
        let city = ward.area(None, "凤城市");
        let mut ids = BTreeSet::new();
        let mut check = |reply: Reply, status: u16, what: &str| {
            assert_eq!(reply.status, status, "{what}: {}", reply.text);
            assert_enveloped(&reply, what);
            assert!(ids.insert(reply.header("x-request-id").unwrap().to_owned()), "{what}: an id is given twice");
            assert_eq!(reply.header("strict-transport-security"), None, "{what}: not over plain HTTP");
        };
        for path in ["/api/v1/areas", &format!("/api/v1/areas/{city}"), "/api/openapi.json", "/docs/", "/docs/swagger-ui-bundle.js", "/metrics", "/health/live", "/audit/checkpoint", "/api/v1/audit/export", "/problems"] {
            check(ward.get(path), 200, path);
        }
        check(ward.get("/docs"), 308, "/docs");
        check(ward.get("/nowhere"), 404, "404");
        check(ward.get("/docs/nowhere"), 404, "404 of the page");
        check(ward.ask("OPTIONS", "/api/v1/areas").send(), 405, "405");
        check(ward.ask("POST", "/api/v1/areas").json(&json!({})).send(), 401, "401");
        check(ward.ask("POST", "/api/v1/areas").by(Role::Resident).json(&json!({})).send(), 403, "403");
        check(ward.ask("GET", "/api/v1/areas").header("accept", "a/b").send(), 406, "406");
        check(ward.ask("GET", "/api/v1/areas").header("accept-encoding", "identity;q=0, *;q=0").send(), 406, "406 of the encoding");
        check(ward.post("/api/v1/areas", &json!({"name_zh": "凤城市", "name_en": "x"})), 409, "409");
        check(add(&ward, "application/json", &vec![b' '; 300_000]), 413, "413");
        check(add(&ward, "text/plain", b""), 415, "415");
        check(ward.post("/api/v1/areas", &json!({})), 422, "422");
        check(ward.post(&format!("/api/v1/areas/{city}/move"), &json!({"parent_id": city})), 428, "428");
        check(ward.ask("GET", &format!("/api/v1/areas/{city}")).header("if-none-match", "*").send(), 304, "304");
        ward.settle();
        ward.context().db.halt(Text::fixed("测试", "a test"));
        check(ward.post("/api/v1/areas", &json!({"name_zh": "市", "name_en": "x"})), 503, "503");
        ward.restart(|settings| {
            settings.rate_per_address = 1;
            settings.public_url = "https://ward.test".to_owned();
        });
        ward.log_must_hold = false; // The verifier would ask too often.
        let reply = until_throttled(|| ward.get("/nowhere"));
        assert_enveloped(&reply, "429");
        assert_eq!(reply.header("strict-transport-security"), Some("max-age=31536000; includeSubDomains"));
    }

    fn the_id_of_a_request_is_believed_from_a_proxy_only(ward) {
        let mut ward = ward;
        let ask = |ward: &Ward, id: &str| ward.ask("GET", "/nowhere").header("x-request-id", id).send();
        let own = ask(&ward, "from-a-client");
        assert_enveloped(&own, "not believed");
        ward.restart(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]);
        let believed = ask(&ward, "From-a_Proxy-1");
        assert_eq!((believed.header("x-request-id"), believed.json()["request_id"].as_str()), (Some("From-a_Proxy-1"), Some("From-a_Proxy-1")));
        assert_eq!(ask(&ward, &"i".repeat(64)).header("x-request-id"), Some("i".repeat(64).as_str()));
        for bad in ["", "two words", "a;b", "\"x\"", "<script>", &"i".repeat(65)] {
            assert_enveloped(&ask(&ward, bad), bad);
        }
        ward.restart(|settings| settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()]);
        assert_enveloped(&ask(&ward, "from-elsewhere"), "not that proxy");
    }

    fn pages_of_other_origins_may_use_the_api_only_if_the_configuration_says_so(ward) {
        let mut ward = ward;
        let city = ward.area(None, "凤城市");
        let allow = "access-control-allow-origin";
        let preflight = |ward: &Ward, origin: &str, method: &str, header: &str| {
            ward.ask("OPTIONS", "/api/v1/areas").header("origin", origin).header("access-control-request-method", method).header("access-control-request-headers", header).send()
        };
        let simple = |ward: &Ward, origin: &str, path: &str| ward.ask("GET", path).header("origin", origin).send();
        let off = preflight(&ward, "https://app.example", "POST", "authorization");
        assert_eq!((off.status, off.header(allow)), (405, None));
        assert_eq!(simple(&ward, "https://app.example", "/api/v1/areas").header(allow), None);

        ward.restart(|settings| settings.cors_origins = vec!["https://app.example".to_owned()]);
        for header in ["authorization", "content-type, if-match, idempotency-key", "accept-language"] {
            let on = preflight(&ward, "https://app.example", "PATCH", header);
            assert_eq!((on.status, on.header(allow)), (200, Some("https://app.example")), "{header}: {}", on.text);
            assert_enveloped(&on, "preflight");
            assert_eq!(on.header("access-control-max-age"), Some("3600"));
            assert_eq!(on.header("access-control-allow-credentials"), None, "there are no cookies to send");
        }
        for (origin, method, header) in [("https://evil.example", "POST", "authorization"), ("https://app.example.evil.example", "GET", "accept"), ("null", "GET", "accept"), ("https://app.example", "BREW", "accept"), ("https://app.example", "POST", "x-odd")] {
            let no = preflight(&ward, origin, method, header);
            assert_eq!((no.status, no.header(allow)), (400, None), "{origin} {method} {header}");
            assert_enveloped(&no, origin);
        }
        // Refusals can be read as well, those that no handler saw among them.
        for (path, status) in [(format!("/api/v1/areas/{city}"), 200), ("/nowhere".to_owned(), 404), ("/api/v1/areas?x=1".to_owned(), 400)] {
            let reply = simple(&ward, "https://app.example", &path);
            assert_eq!((reply.status, reply.header(allow)), (status, Some("https://app.example")), "{path}");
            let shown = reply.header("access-control-expose-headers").unwrap().to_ascii_lowercase();
            for name in ["etag", "link", "location", "retry-after", "x-request-id", "idempotent-replayed"] {
                assert!(shown.contains(name), "{shown}");
            }
            assert!(reply.headers.iter().any(|(name, value)| name == "vary" && value.to_ascii_lowercase().contains("origin")), "{reply:?}");
            assert_eq!(simple(&ward, "https://evil.example", &path).header(allow), None);
        }
        ward.restart(|settings| {
            settings.cors_origins = vec!["https://app.example".to_owned()];
            settings.rate_per_address = 1;
        });
        ward.log_must_hold = false; // The verifier would ask too often.
        let reply = until_throttled(|| simple(&ward, "https://app.example", "/health/live"));
        assert_eq!(reply.header(allow), Some("https://app.example"));
    }

    fn an_address_that_asks_too_often_waits_and_others_do_not(ward) {
        let mut ward = ward;
        ward.log_must_hold = false; // The verifier would ask too often.
        ward.restart(|settings| settings.rate_per_address = 1);
        let from = |ward: &Ward, forwarded: &str| ward.ask("GET", "/health/live").header("x-forwarded-for", forwarded).send();
        // Nobody gets a fresh account of requests by writing another address into a header.
        let mut n = 0;
        let refused = until_throttled(|| {
            n += 1;
            from(&ward, &format!("203.0.113.{}", n % 256))
        });
        assert_eq!(refused.code(), "too_many_requests");
        let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=2).contains(&wait), "{wait}");

        ward.restart(|settings| {
            settings.rate_per_address = 1;
            settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        });
        let throttled = |lines: &[&str]| {
            let headers: Vec<(&str, &[u8])> = lines.iter().map(|line| ("X-Forwarded-For", line.as_bytes())).collect();
            by_hand(ward.server().address, "GET", "/health/live", &headers, None).status == 429
        };
        until_throttled(|| from(&ward, "203.0.113.1"));
        assert!(!throttled(&["203.0.113.2"]), "another address");
        // What a client writes before its proxy's word counts for nothing, in one line or in several.
        assert!((0..20).any(|n| throttled(&[&format!("198.51.100.{n}, 203.0.113.1")])));
        assert!((0..20).any(|n| throttled(&[&format!("198.51.100.{n}"), "203.0.113.1"])));
        assert!((0..20).any(|n| throttled(&[&format!("198.51.101.{n}"), "203.0.113.1", "127.0.0.1"])));
        assert!(!throttled(&["203.0.113.1", "203.0.113.3"]), "the last line is the proxy's");
        // An IPv6 network counts as one.
        until_throttled(|| from(&ward, "2001:db8:1:2::1"));
        assert!((0..20).any(|n| throttled(&[&format!("2001:db8:1:2::{n}")])));
        assert!(!throttled(&["2001:db8:1:3::1"]));
    }

    fn an_account_that_asks_too_often_waits_and_others_do_not(ward) {
        let mut ward = ward;
        ward.restart(|settings| settings.rate_per_account = 1);
        let ask = |role: Role| ward.ask("GET", "/api/v1/areas").by(role).send();
        let refused = until_throttled(|| ask(Role::Admin));
        assert_eq!(refused.code(), "too_many_requests");
        assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
        assert_eq!((ask(Role::Resident).status, ask(Role::Public).status), (200, 200));
        // A token that is not valid is nobody's, so it cannot use up somebody's account.
        for _ in 0..20 {
            let forged = ward.ask("GET", "/api/v1/areas").header("authorization", "Bearer a.b.c").send();
            assert_eq!(forged.status, 401);
        }
    }

    fn a_request_that_takes_too_long_is_given_up(ward) {
        let mut ward = ward;
        ward.restart(|settings| {
            settings.request_timeout_seconds = 1;
            settings.cors_origins = vec!["https://app.example".to_owned()];
        });
        let token = format!("Bearer {}", ward.token(Role::Admin));
        // Pages of other origins can read it, if they may read anything.
        for (origin, readable) in [("https://app.example", true), ("https://evil.example", false)] {
            let headers: [(&str, &[u8]); 4] =
                [("Authorization", token.as_bytes()), ("Content-Type", b"application/json"), ("Content-Length", b"100"), ("Origin", origin.as_bytes())];
            let mut wire = Wire::to(ward.server().address);
            wire.send(&wire::request("POST", "/api/v1/areas", &headers, None));
            wire.send(b"{\"name_zh\":");
            let reply = wire.answer(false).unwrap();
            assert_eq!((reply.status, reply.code().as_str(), reply.header("retry-after")), (503, "timed_out", Some("1")));
            assert_enveloped(&reply, "timed out");
            assert_eq!(reply.header("access-control-allow-origin"), readable.then_some(origin));
            let shown = reply.header("access-control-expose-headers").unwrap_or_default();
            assert_eq!(shown.contains("retry-after") && shown.contains("x-request-id"), readable, "{shown}");
            assert!(!readable || reply.headers.iter().any(|(name, value)| name == "vary" && value == "origin"), "{reply:?}");
        }
        assert_eq!(ward.get("/api/v1/areas").json()["items"], json!([]));
    }

    fn answers_are_compressed_for_whoever_wants_that(ward) {
        let plain = ward.get("/api/openapi.json");
        assert_eq!(plain.header("content-encoding"), None);
        let headers: [(&str, &[u8]); 2] = [("Accept-Encoding", b"br, gzip"), ("Connection", b"close")];
        let mut wire = Wire::to(ward.server().address);
        wire.send(&wire::request("GET", "/api/openapi.json", &headers, None));
        let (packed, bytes) = wire.answer_of_bytes().unwrap();
        assert_eq!((packed.status, packed.header("content-encoding")), (200, Some("gzip")));
        assert_enveloped(&packed, "gzip");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, plain.text);
        assert!(bytes.len() * 3 < text.len(), "{} of {}", bytes.len(), text.len());
        for unknown in ["br", "zstd;q=1, identity;q=0.1", "", "gzip;q=0"] {
            let reply = ward.ask("GET", "/api/openapi.json").header("accept-encoding", unknown).send();
            assert_eq!((reply.status, reply.header("content-encoding")), (200, None), "{unknown}");
        }
        // A problem document can be read as it is.
        let problem = ward.ask("GET", "/nowhere").header("accept-encoding", "gzip").send();
        assert_eq!((problem.header("content-encoding"), problem.code().as_str()), (None, "not_found"));
    }

    fn metrics_count_by_pattern_and_can_have_a_port_of_their_own(ward) {
        let mut ward = ward;
        let area = ward.area(None, "凤城市");
        ward.get(&format!("/api/v1/areas/{area}"));
        ward.get(&format!("/api/v1/areas/{area}?secret=1"));
        ward.get("/nowhere/at/all");
        by_hand(ward.server().address, "BREW", "/nowhere", &[], None);
        let metrics = ward.get("/metrics");
        assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        for line in [
            "wardbook_http_requests_total{method=\"GET\",route=\"/api/v1/areas/{id}\",status=\"200\"} ",
            "wardbook_http_requests_total{method=\"GET\",route=\"/api/v1/areas/{id}\",status=\"400\"} ",
            "wardbook_http_requests_total{method=\"POST\",route=\"/api/v1/areas\",status=\"201\"} ",
            "wardbook_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} ",
            "wardbook_http_requests_total{method=\"other\",route=\"none\",status=\"404\"} ",
            "wardbook_http_request_seconds_bucket{route=\"/api/v1/areas/{id}\",le=\"0.0005\"} ",
            "wardbook_http_request_seconds_count{route=\"/api/v1/areas/{id}\"} ",
            "wardbook_writes_waiting ",
        ] {
            assert!(metrics.text.lines().any(|found| found.starts_with(line)), "{line} is not in\n{}", metrics.text);
        }
        for secret in [area.as_str(), "secret", "nowhere", "BREW", "user_"] {
            assert!(!metrics.text.contains(secret), "{secret} is in the metrics");
        }
        assert_eq!(ward.server().metrics_address, None);

        ward.restart(|settings| settings.metrics_listen = "127.0.0.1:0".to_owned());
        assert_eq!(ward.get("/metrics").code(), "not_found");
        let own = ward.server().metrics_address.unwrap();
        assert_ne!(own, ward.server().address);
        let metrics = by_hand(own, "GET", "/metrics", &[], None);
        assert_eq!(metrics.status, 200);
        assert!(metrics.text.contains("wardbook_http_requests_total{"), "{}", metrics.text);
        for path in ["/", "/api/v1/areas", "/health/live", "/docs/"] {
            assert_eq!(by_hand(own, "GET", path, &[], None).status, 404, "{path}");
        }
    }

    fn health_is_told_and_a_ward_that_cannot_write_is_not_ready(ward) {
        let version = env!("CARGO_PKG_VERSION");
        for path in ["/health/live", "/health/ready"] {
            let reply = ward.get(path);
            assert_eq!((reply.status, reply.json()), (200, json!({"status": "ok", "version": version})), "{path}");
            assert_eq!(reply.header("cache-control"), Some("no-store"));
        }
        let area = ward.area(None, "凤城市");
        ward.settle();
        ward.context().db.halt(Text::fixed("日志有误", "the log does not hold"));
        assert_eq!(ward.get("/health/live").status, 200);
        let ready = ward.ask("GET", "/health/ready").header("accept-language", "en").send();
        assert_eq!((ready.status, ready.code().as_str(), ready.json()["detail"].as_str()), (503, "read_only", Some("the log does not hold")));
        let refused = ward.post("/api/v1/areas", &json!({"name_zh": "市", "name_en": "x"}));
        assert_eq!((refused.status, refused.code().as_str(), refused.header("retry-after")), (503, "read_only", Some("60")));
        assert_eq!(ward.get(&format!("/api/v1/areas/{area}")).status, 200);
    }

    /// What the container's health check runs.
    fn the_command_health_asks_the_server_itself(ward) {
        let health = || {
            Command::new(env!("CARGO_BIN_EXE_wardbook"))
                .arg("health")
                .env("WARDBOOK_LISTEN", ward.server().address.to_string())
                .env("WARDBOOK_DATA_DIR", ward.dir.path())
                .envs(["http_proxy", "HTTP_PROXY", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:1")))
                .env_remove("NO_PROXY")
                .env_remove("no_proxy")
                .output()
                .unwrap()
        };
        let ready = health();
        assert!(ready.status.success(), "{ready:?}");
        assert!(String::from_utf8_lossy(&ready.stdout).contains("\"ok\""), "{ready:?}");
        ward.settle();
        ward.context().db.halt(Text::fixed("测试", "a test"));
        let not_ready = health();
        assert_eq!(not_ready.status.code(), Some(1), "{not_ready:?}");
    }

    fn every_problem_is_explained(ward) {
        let all = ward.get("/problems").json();
        let all = all.as_array().unwrap();
        let codes: Vec<&str> = all.iter().map(|one| one["code"].as_str().unwrap()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "sorted, and none twice: {codes:?}");
        for one in all {
            let code = one["code"].as_str().unwrap();
            assert_eq!(&ward.get(&format!("/problems/{code}")).json(), one);
            assert!(one["status"].as_u64().is_some_and(|status| (400..600).contains(&status)), "{one}");
            for title in ["title_zh", "title_en"] {
                assert!(!one[title].as_str().unwrap().is_empty(), "{one}");
            }
        }
        // Whatever reason the source knows is in the catalogue.
        let mut known = 0;
        for file in sources(concat!(env!("CARGO_MANIFEST_DIR"), "/src").as_ref()) {
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for made in text.split("Reason = Reason::new(").skip(1) {
                let code = made.split('"').nth(1).unwrap();
                assert!(codes.contains(&code), "{code} of {} is not explained", file.display());
                known += 1;
            }
        }
        assert_eq!(known, codes.len());
        assert_eq!(ward.get("/problems/nothing").code(), "not_found");
        // And its address is the `type` of the document.
        let problem = ward.get("/nowhere").json();
        assert_eq!(ward.get(problem["type"].as_str().unwrap()).json()["code"], "not_found");
    }

    fn the_token_keys_are_published_as_a_key_set(ward) {
        let reply = ward.get("/.well-known/jwks.json");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let key = reply.json()["keys"][0].clone();
        for (name, value) in [("kty", "OKP"), ("crv", "Ed25519"), ("alg", "EdDSA"), ("use", "sig")] {
            assert_eq!(key[name], value);
        }
        assert_eq!(key.as_object().unwrap().len(), 6, "and no private part: {key}");
        let public: [u8; 32] = BASE64_URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap().try_into().unwrap();
        let public = ed25519_dalek::VerifyingKey::from_bytes(&public).unwrap();
        let token = ward.token(Role::Resident);
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        public.verify_strict(message.as_bytes(), &ed25519_dalek::Signature::from_slice(&signature).unwrap()).unwrap();
    }

    fn the_page_of_the_document_needs_no_other_host(ward) {
        let redirect = ward.get("/docs");
        assert_eq!((redirect.status, redirect.header("location")), (308, Some("/docs/")));
        let page = ward.get("/docs/");
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html")));
        let policy = page.header("content-security-policy").unwrap();
        assert_eq!(
            policy,
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
             frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        );
        assert!(!page.text.contains("<script>") && !page.text.contains(" onload="), "the policy forbids scripts in the page itself");
        let attributes = page.text.split(['"', '\'']).collect::<Vec<_>>();
        let assets: Vec<String> = attributes
            .windows(2)
            .filter(|pair| pair[0].ends_with("src=") || pair[0].ends_with("href="))
            .map(|pair| format!("/docs/{}", pair[1].trim_start_matches("./")))
            .collect();
        assert!(assets.len() >= 6, "{assets:?}");
        for asset in &assets {
            let reply = ward.get(asset);
            let kind = reply.header("content-type").unwrap_or_default();
            assert!(reply.status == 200 && !reply.text.is_empty(), "{asset}: {}", reply.status);
            let fits = [(".js", "javascript"), (".css", "text/css"), (".png", "image/png")].iter().any(|(end, word)| asset.ends_with(end) && kind.contains(word));
            assert!(fits, "{asset} is of the kind {kind}");
        }
        let initializer = ward.get("/docs/swagger-initializer.js").text;
        assert!(initializer.contains("\"/api/openapi.json\"") && initializer.contains("\"validatorUrl\": \"none\""), "{initializer}");
        for text in [&page.text, &initializer, &ward.get("/docs/swagger-ui.css").text] {
            let strange = text.split("http").skip(1).find(|rest| rest.starts_with("://") || rest.starts_with("s://"));
            // The name of SVG is no address.
            assert!(strange.is_none_or(|rest| rest.contains("www.w3.org/2000/svg")), "http{}", &strange.unwrap_or_default()[..60]);
        }
    }

    fn the_document_that_is_served_is_the_one_the_command_prints(ward) {
        let served = ward.get("/api/openapi.json");
        assert_eq!((served.status, served.header("content-type")), (200, Some("application/json")));
        let run = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_wardbook")).arg("openapi").args(arguments).output().unwrap();
        let printed = run(&[]);
        assert!(printed.status.success());
        let text = String::from_utf8(printed.stdout).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), served.json());
        let file = ward.dir.path().join("openapi.json");
        let file = file.to_str().unwrap();
        assert!(run(&["--write", file]).status.success());
        assert_eq!(std::fs::read_to_string(file).unwrap(), text);
        assert!(run(&["--check", file]).status.success());
        std::fs::write(file, text.replace("list_areas", "list_area")).unwrap();
        let refused = run(&["--check", file]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("--write"));
    }
}

/// Every source file below a directory.
fn sources(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files
}
