//! Attachments, as their users meet them: uploads good and bad, ranges, quotas, who may read what, and what becomes of files that
//! nobody uses.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::{QueryResult, RunQueryDsl, sql_query};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::app::files::verify;
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::both;
use wardbook::db::conn::{Access as Purpose, Conn, connect};
use wardbook::db::migrate;
use wardbook::files::access::Access;
use wardbook::files::media::MediaType;
use wardbook::files::rules::{Attachment, Use, Visibility};
use wardbook::files::sweep::{self, KEPT_UNUSED_FOR, Swept};
use wardbook::files::{acts, verify::Fault};
use wardbook::kernel::refusal::{Answer, Stop};
use wardbook::web::actor::Actor;
use wardbook::web::policy::Role;

use crate::bucket::{self, Bucket};
use crate::faults::eventually;
use crate::harness::{Reply, Ward, account, settings_in};
use crate::wire::{self, Wire};
use crate::{on_both, on_both_sites};

const PATH: &str = "/api/v1/attachments";

/// A small PDF that says what is in it.
pub fn pdf(text: &str) -> Vec<u8> {
    format!("%PDF-1.7\n{text}\n%%EOF\n").into_bytes()
}

/// A JPEG as phones write them, turned by a quarter, with a place in it.
pub fn phone_jpeg(n: u8) -> Vec<u8> {
    let segment = |kind: u8, content: &[u8]| {
        let size = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, kind][..], &size, content].concat()
    };
    let exif = [
        &b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"[..],
        b"30.2741N 120.1551E",
    ]
    .concat();
    [
        vec![0xff, 0xd8],
        segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"),
        segment(0xe1, &exif),
        segment(0xdb, &[n; 65]),
        segment(0xc0, b"\x08\0\x01\0\x01\x01\x01\x11\0"),
        segment(0xda, b"\x01\x01\0\0\x3f\0"),
        vec![0x55, n, 0xff, 0xd9],
    ]
    .concat()
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Uploads a file as somebody in this role.
fn send(ward: &Ward, role: Role, name: &str, kind: &str, bytes: &[u8]) -> Reply {
    let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    ward.ask("POST", PATH)
        .by(role)
        .header(
            "content-disposition",
            &format!("attachment; filename*=UTF-8''{encoded}"),
        )
        .body(kind, bytes)
        .send()
}

/// Uploads a PDF and returns its id.
fn sent(ward: &Ward, role: Role, bytes: &[u8]) -> String {
    let reply = send(ward, role, "方案.pdf", "application/pdf", bytes);
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// The files in a ward's folder, by path.
fn lying(ward: &Ward) -> BTreeMap<String, Vec<u8>> {
    let root = ward.dir.path().join("files");
    let (mut found, mut open) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(path).unwrap_or_default());
            }
        }
    }
    found
}

fn path_of(ward: &Ward, sha256: &str) -> PathBuf {
    let found = lying(ward);
    let name = found
        .keys()
        .find(|name| name.contains(sha256))
        .expect("it lies there");
    ward.dir.path().join("files").join(name)
}

pub fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(work)
}

fn swept(ward: &Ward) -> Swept {
    let (files, db) = (&ward.house().files, &ward.context().db);
    wait(sweep::round(files, db, ward.context().clock.now())).unwrap()
}

fn strays(ward: &Ward) -> usize {
    let (files, db) = (&ward.house().files, &ward.context().db);
    wait(sweep::strays(files, db, ward.context().clock.now())).unwrap()
}

fn later(ward: &Ward, by: chrono::Duration) {
    let clock = &ward.context().clock;
    assert!(clock.advance(clock.now() + by));
}

/// As an act of another slice does it.
fn attach(ward: &Ward, role: Role, id: &str, matter: &str, visibility: Visibility) -> Answer<Attachment> {
    let (actor, id, matter) = (
        Actor::signed_in(account(role), vec![role]),
        id.parse().unwrap(),
        matter.to_owned(),
    );
    ward.context().db.write_and_wait(move |tx| {
        let to = Use {
            matter_kind: "book",
            matter_id: &matter,
            visibility,
            types: &[MediaType::Pdf],
            pointer: "/attachments/0",
        };
        let attached = acts::attach(tx, &actor, &id, to)?;
        let event = Event {
            kind: "book.drafted",
            subject: matter.clone(),
            data: json!({}),
            private: json!({}),
        };
        audit::store::append(tx, &actor, &event)?;
        Ok(attached)
    })
}

fn code(stop: Stop) -> &'static str {
    match stop {
        Stop::Refused(refusal) => refusal.reason.code,
        Stop::Fault(fault) => panic!("{fault}"),
    }
}

on_both! {
    fn a_file_is_uploaded_read_downloaded_and_removed(ward) {
        let bytes = pdf("梧桐街道");
        let reply = send(&ward, Role::SupplierAgent, "梧桐街道 方案.pdf", "application/pdf", &bytes);
        assert_eq!(reply.status, 201, "{}", reply.text);
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        let path = format!("{PATH}/{id}");
        assert_eq!(reply.header("location"), Some(path.as_str()));
        assert_eq!(
            reply.json(),
            json!({"id": id, "name": "梧桐街道 方案.pdf", "media_type": "application/pdf", "bytes": bytes.len(), "metadata_removed": false, "sha256": hash(&bytes),
                "uploaded_at": "2026-03-02T00:00:00.000000Z", "attached_to": null})
        );
        let ask = |method: &str, path: &str| ward.ask(method, path).by(Role::SupplierAgent);
        assert_eq!(ask("GET", &path).send().json(), reply.json());
        assert_eq!(ask("GET", PATH).send().json()["items"], json!([reply.json()]));

        let content = format!("{path}/content");
        let whole = ask("GET", &content).header("accept-encoding", "gzip").send();
        assert_eq!((whole.status, whole.text.as_bytes()), (200, bytes.as_slice()));
        let digest = format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(&bytes)));
        for (name, value) in [
            ("content-type", "application/pdf"),
            ("content-length", bytes.len().to_string().as_str()),
            ("content-disposition", "attachment; filename=\"____ __.pdf\"; filename*=UTF-8''%E6%A2%A7%E6%A1%90%E8%A1%97%E9%81%93%20%E6%96%B9%E6%A1%88.pdf"),
            ("etag", format!("\"{}\"", hash(&bytes)).as_str()),
            ("repr-digest", digest.as_str()),
            ("accept-ranges", "bytes"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("cache-control", "private, no-cache"),
        ] {
            assert_eq!(whole.header(name), Some(value), "{name}");
        }
        assert_eq!(whole.header("content-encoding"), None);

        // The same bytes twice are two attachments and one file.
        let other = sent(&ward, Role::Evaluator, &bytes);
        assert_eq!(lying(&ward).into_values().collect::<Vec<_>>(), std::slice::from_ref(&bytes));
        let gone = ask("DELETE", &path).send();
        assert_eq!((gone.status, gone.json()), (200, reply.json()));
        assert_eq!(ask("GET", &content).send().code(), "not_found");
        assert_eq!(ask("DELETE", &path).send().code(), "not_found");
        assert_eq!(ask("GET", PATH).send().json()["items"], json!([]));
        let read = ward.ask("GET", &format!("{PATH}/{other}/content")).by(Role::Evaluator).send();
        assert_eq!((read.status, read.text.as_bytes()), (200, bytes.as_slice()));

        let uploads = ward.events("attachment.uploaded");
        assert_eq!(uploads.len(), 2);
        let entry = &uploads[0]["entry"];
        assert_eq!(entry["subject"], id.as_str());
        assert_eq!(entry["data"], json!({"sha256": hash(&bytes), "bytes": bytes.len(), "media_type": "application/pdf"}));
        assert_eq!(uploads[0]["opened"]["content"], json!({"name": "梧桐街道 方案.pdf"}).to_string());
        assert!(!entry.to_string().contains("方案"));
        assert_eq!(ward.events("attachment.removed").len(), 1);
    }

    fn a_part_of_a_file_is_what_was_asked_for(ward) {
        let bytes = pdf("0123456789");
        let id = sent(&ward, Role::Resident, &bytes);
        let path = format!("{PATH}/{id}/content");
        let (length, tag) = (bytes.len(), format!("\"{}\"", hash(&bytes)));
        let ask = |method: &str, headers: &[(&str, &str)]| {
            let mut ask = ward.ask(method, &path).by(Role::Resident);
            for (name, value) in headers {
                ask = ask.header(name, value);
            }
            ask.send()
        };
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=9-18", 9..19),
            ("bytes=9-", 9..length),
            ("bytes=-6", length - 6..length),
            ("bytes=0-999999", 0..length),
            ("bytes=-999999", 0..length),
        ] {
            let reply = ask("GET", &[("range", range)]);
            assert_eq!((reply.status, reply.text.as_bytes()), (206, &bytes[part.clone()]), "{range}");
            let expected = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            assert_eq!(reply.header("content-range"), Some(expected.as_str()));
            assert_eq!(reply.header("content-length"), Some(part.len().to_string().as_str()));
            assert_eq!(reply.header("etag"), Some(tag.as_str()));
        }
        for outside in [format!("bytes={length}-"), "bytes=-0".to_owned(), "bytes=99999999999999999999-".to_owned()] {
            let reply = ask("GET", &[("range", &outside)]);
            assert_eq!((reply.status, reply.code().as_str()), (416, "range_not_satisfiable"), "{outside}");
            assert_eq!(reply.header("content-range"), Some(format!("bytes */{length}").as_str()));
        }
        for whole in ["bytes=0-1,3-4", "bytes=5-2", "lines=1-2", "bytes=x"] {
            let reply = ask("GET", &[("range", whole)]);
            assert_eq!((reply.status, reply.text.as_bytes()), (200, bytes.as_slice()), "{whole}");
        }
        let same = ask("GET", &[("range", "bytes=0-3"), ("if-range", &tag)]);
        assert_eq!((same.status, same.text.as_str()), (206, "%PDF"));
        for other in ["\"other\"", "Mon, 02 Mar 2026 00:00:00 GMT", &format!("W/{tag}")] {
            assert_eq!(ask("GET", &[("range", "bytes=0-3"), ("if-range", other)]).status, 200, "{other}");
        }
        let known = ask("GET", &[("if-none-match", &tag), ("range", "bytes=0-3")]);
        assert_eq!((known.status, known.text.as_str(), known.header("etag")), (304, "", Some(tag.as_str())));
        let head = ask("HEAD", &[]);
        assert_eq!((head.status, head.text.as_str()), (200, ""));
        assert_eq!(head.header("content-length"), Some(length.to_string().as_str()));
        let head = ask("HEAD", &[("range", "bytes=2-4")]);
        assert_eq!((head.status, head.header("content-length")), (206, Some("3")));
    }

    fn what_is_not_what_it_says_or_not_taken_is_refused_and_nothing_is_left(ward) {
        let refused = |kind: &str, bytes: &[u8]| {
            let reply = send(&ward, Role::Resident, "a.pdf", kind, bytes);
            (reply.status, reply.code())
        };
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        for (kind, bytes, expected) in [
            ("application/pdf", &png[..], (415, "attachment_type_differs")),
            ("image/png", &pdf("x")[..], (415, "attachment_type_differs")),
            ("text/plain", &pdf("x")[..], (415, "attachment_type_differs")),
            ("text/html", b"plain", (415, "attachment_type_differs")),
            ("", b"plain", (415, "attachment_type_differs")),
            ("application/octet-stream", b"MZ\x90\0\x03\0", (415, "attachment_type_not_allowed")),
            ("text/plain", b"<!DOCTYPE html><script>alert(1)</script>", (415, "attachment_type_not_allowed")),
            ("image/svg+xml", b"<?xml version=\"1.0\"?><svg/>", (415, "attachment_type_not_allowed")),
            ("text/plain", b"a\0b", (415, "attachment_type_not_allowed")),
            ("text/csv", b"\xb5\xd8\xbf,1\n", (415, "attachment_type_not_allowed")),
            ("application/pdf", b"", (422, "invalid")),
        ] {
            assert_eq!(refused(kind, bytes), (expected.0, expected.1.to_owned()), "{kind} {}", String::from_utf8_lossy(bytes));
        }
        let gzip = ward.ask("POST", &format!("{PATH}?name=a")).by(Role::Resident).header("content-encoding", "gzip").body("application/pdf", pdf("x")).send();
        assert_eq!((gzip.status, gzip.code().as_str()), (415, "unsupported_content"));
        let nameless = ward.ask("POST", PATH).by(Role::Resident).body("application/pdf", pdf("x")).send();
        assert_eq!((nameless.status, nameless.faults()), (422, vec![("?name".to_owned(), "invalid".to_owned())]));
        let hidden = send(&ward, Role::Resident, "\u{202e}/..", "application/pdf", &pdf("x"));
        assert_eq!((hidden.status, hidden.faults()), (422, vec![("?name".to_owned(), "invalid".to_owned())]));
        let unreadable = ward.ask("POST", PATH).by(Role::Resident).header("content-disposition", "attachment; filename*=UTF-8''%FF").body("application/pdf", pdf("x")).send();
        assert_eq!((unreadable.status, unreadable.code().as_str()), (400, "malformed"));
        let stranger = ward.ask("POST", &format!("{PATH}?name=a")).body("application/pdf", pdf("x")).send();
        assert_eq!((stranger.status, stranger.code().as_str()), (401, "unauthenticated"));
        eventually("all of it is taken away", || lying(&ward).is_empty().then_some(()));
        assert_eq!(ward.events("attachment.*").len(), 0);
    }

    fn a_name_leads_nowhere_and_ends_as_its_type_does(ward) {
        let mut n = 0;
        let mut kept = |name: &str, kind: &str, bytes: &[u8]| {
            n += 1;
            let reply = send(&ward, Role::Resident, name, kind, bytes);
            assert_eq!(reply.status, 201, "{name:?}: {}", reply.text);
            let path = format!("{PATH}/{}/content", reply.json()["id"].as_str().unwrap());
            let header = ward.ask("HEAD", &path).by(Role::Resident).send().header("content-disposition").unwrap().to_owned();
            assert!(header.starts_with("attachment; filename=\"") && header.matches('"').count() == 2, "{header}");
            reply.json()["name"].as_str().unwrap().to_owned()
        };
        let bytes = pdf("x");
        assert_eq!(kept("../../../etc/cron.d/x.pdf", "application/pdf", &bytes), "x.pdf");
        assert_eq!(kept("a\r\nSet-Cookie: x=1; \"b.pdf", "application/pdf", &bytes), "aSet-Cookie_ x=1; _b.pdf");
        assert_eq!(kept("invoice\u{202e}fdp.exe", "application/pdf", &bytes), "invoicefdp.exe.pdf");
        assert_eq!(kept("run.bat", "text/plain", b"echo"), "run.bat.txt");
        assert_eq!(kept(&"长".repeat(400), "application/pdf", &bytes), format!("{}.pdf", "长".repeat(196)));
        let in_query = ward.ask("POST", &format!("{PATH}?name=%E8%A1%A8.csv")).by(Role::Resident).body("text/csv; charset=utf-8", "a,b\n").send();
        assert_eq!(in_query.json()["name"], "表.csv");
        let quoted = ward.ask("POST", PATH).by(Role::Resident).header("content-disposition", "attachment; filename=\"b.csv\"").body("text/csv", "a,b\n").send();
        assert_eq!(quoted.json()["name"], "b.csv");

        // A picture is kept without what it says of place and time, unless that is wanted; one that cannot be walked through is not taken.
        let phone = phone_jpeg(7);
        let uploads = |query: &str, bytes: &[u8], key: &str| ward.ask("POST", &format!("{PATH}?name=a.jpg{query}")).by(Role::Resident).header("idempotency-key", key).body("image/jpeg", bytes).send();
        let read = |reply: &Reply| ward.ask("GET", &format!("{PATH}/{}/content", reply.json()["id"].as_str().unwrap())).by(Role::Resident).bytes();
        let says_where = |bytes: &[u8]| bytes.windows(8).any(|window| window == b"30.2741N");
        let clean = uploads("", &phone, "a");
        let bytes = read(&clean);
        assert!(says_where(&phone) && !says_where(&bytes));
        assert_eq!((&clean.json()["metadata_removed"], &clean.json()["sha256"], &clean.json()["bytes"]), (&json!(true), &json!(hash(&bytes)), &json!(bytes.len())));
        let whole = uploads("&keep_metadata=true", &phone, "b");
        assert_eq!((whole.json()["metadata_removed"].clone(), read(&whole)), (json!(false), phone.clone()));
        assert_eq!(uploads("&keep_metadata=false", &bytes, "c").json()["metadata_removed"], json!(false), "there was nothing to remove");
        assert_eq!((uploads("", &phone, "a").json(), uploads("&keep_metadata=true", &phone, "a").code()), (clean.json(), "idempotency_key_reused".to_owned()));
        let cut = &phone[..phone.len() - 2];
        assert_eq!((uploads("", cut, "d").code(), uploads("&keep_metadata=true", cut, "e").status, uploads("&keep_metadata=yes", &phone, "f").status), ("attachment_picture_broken".to_owned(), 201, 400));
    }

    fn a_file_that_is_too_large_is_cut_off(ward) {
        let mut ward = ward;
        ward.restart(|settings| settings.file_bytes_max = 3_000_000);
        let token = format!("Bearer {}", ward.token(Role::Resident));
        let exactly: Vec<u8> = [pdf(""), vec![b'x'; 3_000_000]].concat()[..3_000_000].to_vec();
        assert_eq!(send(&ward, Role::Resident, "a.pdf", "application/pdf", &exactly).status, 201);
        let target = format!("{PATH}?name=a.pdf");
        let headers: [(&str, &[u8]); 3] = [("Authorization", token.as_bytes()), ("Content-Type", b"application/pdf"), ("Content-Length", b"3000001")];
        // It says so itself, and need not send a byte.
        let mut wire = Wire::to(ward.server().address);
        wire.send(&wire::request("POST", &target, &headers, None));
        let reply = wire.answer(false).unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"));
        // It does not say how long it is, and is stopped on the way.
        let headers: [(&str, &[u8]); 3] = [("Authorization", token.as_bytes()), ("Content-Type", b"application/pdf"), ("Transfer-Encoding", b"chunked")];
        let mut wire = Wire::to(ward.server().address);
        wire.send(&wire::request("POST", &target, &headers, None));
        let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
        for _ in 0..46 {
            wire.send(&chunk);
        }
        let reply = wire.answer(false).unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"));
        eventually("what had arrived is taken away", || (lying(&ward).len() == 1).then_some(()));
    }

    fn a_body_that_breaks_off_leaves_nothing(ward) {
        let token = format!("Bearer {}", ward.token(Role::Resident));
        let headers: [(&str, &[u8]); 3] = [("Authorization", token.as_bytes()), ("Content-Type", b"application/pdf"), ("Content-Length", b"5000000")];
        let mut wire = Wire::to(ward.server().address);
        wire.send(&wire::request("POST", &format!("{PATH}?name=a.pdf"), &headers, None));
        wire.send(&[pdf(""), vec![b'x'; 2_500_000]].concat());
        eventually("it has begun to arrive", || (!lying(&ward).is_empty()).then_some(()));
        drop(wire);
        eventually("it is taken away", || lying(&ward).is_empty().then_some(()));
        assert_eq!(ward.events("attachment.*").len(), 0);
        // The turn is given back.
        for n in 0..5 {
            sent(&ward, Role::Resident, &pdf(&n.to_string()));
        }
    }

    fn an_upload_may_take_longer_than_another_request_but_not_fall_silent(ward) {
        let mut ward = ward;
        ward.restart(|settings| settings.request_timeout_seconds = 1);
        let token = format!("Bearer {}", ward.token(Role::Resident));
        let bytes = pdf("slow");
        let length = bytes.len().to_string();
        let headers: [(&str, &[u8]); 3] = [("Authorization", token.as_bytes()), ("Content-Type", b"application/pdf"), ("Content-Length", length.as_bytes())];
        let head = wire::request("POST", &format!("{PATH}?name=a.pdf"), &headers, None);
        let mut wire = Wire::to(ward.server().address);
        wire.send(&head);
        for piece in bytes.chunks(bytes.len() / 4) {
            std::thread::sleep(Duration::from_millis(400));
            wire.send(piece);
        }
        assert_eq!(wire.answer(false).unwrap().status, 201);
        let mut wire = Wire::to(ward.server().address);
        wire.send(&head);
        wire.send(&bytes[..9]);
        let reply = wire.answer(false).unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (503, "timed_out"));
    }

    fn quotas_hold_and_a_new_day_begins(ward) {
        let mut ward = ward;
        let bytes = pdf("0123456789");
        let size = u64::try_from(bytes.len()).unwrap();
        ward.restart(|settings| {
            settings.files_quota_bytes_per_day = 3 * size;
            settings.files_quota_bytes_unattached = 2 * size;
        });
        let again = |role| send(&ward, role, "a.pdf", "application/pdf", &bytes);
        let first = sent(&ward, Role::Resident, &bytes);
        sent(&ward, Role::Resident, &bytes);
        let full = again(Role::Resident);
        assert_eq!((full.status, full.code().as_str()), (409, "attachment_quota_of_unattached"));
        assert_eq!(again(Role::Registrar).status, 201, "another account has quotas of its own");
        // Removing makes room, but the day remembers.
        assert_eq!(ward.ask("DELETE", &format!("{PATH}/{first}")).by(Role::Resident).send().status, 200);
        let third = sent(&ward, Role::Resident, &bytes);
        assert_eq!(ward.ask("DELETE", &format!("{PATH}/{third}")).by(Role::Resident).send().status, 200);
        let full = again(Role::Resident);
        assert_eq!((full.status, full.code().as_str()), (429, "attachment_quota_of_day"));
        // The ward's day ends at 16:00 UTC.
        later(&ward, chrono::Duration::hours(15));
        assert_eq!(again(Role::Resident).status, 429);
        later(&ward, chrono::Duration::hours(1));
        assert_eq!(again(Role::Resident).status, 201);
        let full = again(Role::Resident);
        assert_eq!((full.status, full.code().as_str()), (409, "attachment_quota_of_unattached"));
        assert_eq!(lying(&ward).len(), 1, "refused uploads of the same bytes leave nothing");
    }

    fn what_hangs_on_nothing_goes_in_time_and_its_bytes_later(ward) {
        let (orphan, used, both) = (pdf("orphan"), pdf("used"), pdf("both"));
        sent(&ward, Role::Resident, &orphan);
        let id = sent(&ward, Role::Resident, &used);
        sent(&ward, Role::Resident, &both);
        let kept = sent(&ward, Role::Registrar, &both);
        attach(&ward, Role::Resident, &id, "book_1", Visibility::Public).unwrap();
        attach(&ward, Role::Registrar, &kept, "book_1", Visibility::Public).unwrap();
        assert_eq!(swept(&ward), Swept::default());
        later(&ward, chrono::Duration::hours(24));
        assert_eq!(swept(&ward), Swept::default());
        later(&ward, chrono::Duration::seconds(1));
        assert_eq!(swept(&ward), Swept { orphans: 2, unused: 0 });
        assert_eq!(swept(&ward), Swept::default());
        let removed = ward.events("attachment.removed");
        assert_eq!((removed.len(), removed[0]["opened"]["actor"].as_str()), (2, Some("system")));
        assert_eq!(lying(&ward).len(), 3, "a backup made just now still finds the bytes");
        later(&ward, KEPT_UNUSED_FOR);
        assert_eq!(swept(&ward), Swept::default());
        later(&ward, chrono::Duration::seconds(1));
        assert_eq!(swept(&ward), Swept { orphans: 0, unused: 1 });
        let mut left: Vec<Vec<u8>> = lying(&ward).into_values().collect();
        left.sort();
        let mut expected = vec![used, both];
        expected.sort();
        assert_eq!(left, expected);
        // What was forgotten can be uploaded again.
        let id = sent(&ward, Role::Resident, &orphan);
        let read = ward.ask("GET", &format!("{PATH}/{id}/content")).by(Role::Resident).send();
        assert_eq!(read.text.as_bytes(), orphan);
    }

    fn bytes_that_are_used_again_in_time_stay(ward) {
        let bytes = pdf("x");
        let id = sent(&ward, Role::Resident, &bytes);
        assert_eq!(ward.ask("DELETE", &format!("{PATH}/{id}")).by(Role::Resident).send().status, 200);
        later(&ward, chrono::Duration::hours(40));
        let again = sent(&ward, Role::Registrar, &bytes);
        attach(&ward, Role::Registrar, &again, "book_1", Visibility::Public).unwrap();
        later(&ward, chrono::Duration::hours(100));
        assert_eq!(swept(&ward), Swept::default());
        assert_eq!(ward.get(&format!("{PATH}/{again}/content")).text.as_bytes(), bytes);
    }

    fn what_a_crash_left_is_taken_away_and_what_is_not_ours_stays(ward) {
        let bytes = pdf("kept");
        let id = sent(&ward, Role::Resident, &bytes);
        attach(&ward, Role::Resident, &id, "book_1", Visibility::Public).unwrap();
        let root = ward.dir.path().join("files");
        let now = ward.context().clock.now().timestamp();
        std::fs::create_dir_all(root.join("sha256/ab")).unwrap();
        std::fs::create_dir_all(root.join("arriving")).unwrap();
        for left in [format!("sha256/ab/abcd-{now}-00ff"), format!("arriving/{now}-00ff"), format!("arriving/{now}-00fe#1"), "README".to_owned()] {
            std::fs::write(root.join(left), "x").unwrap();
        }
        later(&ward, KEPT_UNUSED_FOR);
        assert_eq!(strays(&ward), 0);
        later(&ward, chrono::Duration::seconds(1));
        assert_eq!(strays(&ward), 3);
        assert_eq!(strays(&ward), 0);
        let left = lying(&ward);
        assert_eq!(left.len(), 2);
        assert!(left.contains_key("README") && left.values().any(|found| *found == bytes));
    }
}

/// Books whose id says who may read them.
struct Books;

impl Access for Books {
    fn matter_kind(&self) -> &'static str {
        "book"
    }

    fn may_read(&self, _: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        Ok(matter_id == "book_of_auditors" && actor.has(Role::Auditor))
    }
}

on_both! {
    fn the_matter_decides_who_may_read(ward) {
        let get = |role: Role, path: String| ward.ask("GET", &path).by(role).send();
        let statuses = |id: &str| {
            [Role::Resident, Role::Auditor, Role::Admin, Role::Public].map(|role| {
                let (read, content) = (get(role, format!("{PATH}/{id}")), get(role, format!("{PATH}/{id}/content")));
                assert_eq!(read.status, content.status);
                assert!(read.status == 200 || (read.code() == "not_found" && read.text.matches(id).count() == 0));
                read.status
            })
        };
        let mine = sent(&ward, Role::Resident, &pdf("mine"));
        assert_eq!(statuses(&mine), [200, 404, 404, 404], "until it hangs on something it is its uploader's");
        let public = sent(&ward, Role::Resident, &pdf("public"));
        attach(&ward, Role::Resident, &public, "book_1", Visibility::Public).unwrap();
        assert_eq!(statuses(&public), [200; 4]);
        assert_eq!(get(Role::Public, format!("{PATH}/{public}/content")).header("cache-control"), Some("no-cache"));
        let theirs = sent(&ward, Role::Resident, &pdf("theirs"));
        attach(&ward, Role::Resident, &theirs, "book_of_auditors", Visibility::Matter).unwrap();
        assert_eq!(statuses(&theirs), [404; 4], "nobody answers for books yet");
        ward.house().files.deciders.register(Arc::new(Books));
        assert_eq!(statuses(&theirs), [404, 200, 404, 404]);
        let nobodys = sent(&ward, Role::Resident, &pdf("nobodys"));
        attach(&ward, Role::Resident, &nobodys, "book_2", Visibility::Matter).unwrap();
        assert_eq!(statuses(&nobodys), [404; 4]);
        let shown = get(Role::Auditor, format!("{PATH}/{theirs}")).json();
        assert_eq!(
            shown["attached_to"],
            json!({"matter_kind": "book", "matter_id": "book_of_auditors", "visibility": "matter", "attached_at": "2026-03-02T00:00:00.000000Z"})
        );
        let listed = get(Role::Resident, PATH.to_owned()).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
        assert_eq!(statuses("file_01jd3n8f5teqkrzvq1c0m6h2ax"), [404; 4]);
        assert_eq!(statuses("nonsense"), [404; 4]);
    }

    fn an_attachment_is_hung_once_by_its_uploader_and_stays(ward) {
        let id = sent(&ward, Role::Resident, &pdf("x"));
        let hang = |role: Role, id: &str| attach(&ward, role, id, "book_1", Visibility::Public).map_err(code);
        assert_eq!(hang(Role::Registrar, &id).unwrap_err(), "attachment_unknown");
        assert_eq!(hang(Role::Resident, "file_01jd3n8f5teqkrzvq1c0m6h2ax").unwrap_err(), "attachment_unknown");
        let table = ward.ask("POST", &format!("{PATH}?name=a.csv")).by(Role::Resident).body("text/csv", "a,b\n").send().json();
        assert_eq!(hang(Role::Resident, table["id"].as_str().unwrap()).unwrap_err(), "attachment_type_not_for_use");
        assert_eq!(hang(Role::Resident, &id).unwrap().id.as_str(), id);
        assert_eq!(hang(Role::Resident, &id).unwrap_err(), "attachment_already_attached");
        let remove = |role| ward.ask("DELETE", &format!("{PATH}/{id}")).by(role).send();
        assert_eq!((remove(Role::Resident).status, remove(Role::Resident).code().as_str()), (409, "attachment_already_attached"));
        assert_eq!(remove(Role::Registrar).code(), "not_found");
        let events = ward.events("attachment.attached");
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["entry"]["data"]["matter"], "book_1");
        let attached = ward.context().db.read_and_wait(|conn| wardbook::files::store::attached_to(conn, "book_1")).unwrap();
        assert_eq!(attached.len(), 1);
    }

    fn a_key_makes_an_upload_once(ward) {
        let upload = |key: &str, name: &str, text: &str| {
            ward.ask("POST", &format!("{PATH}?name={name}")).by(Role::Resident).header("idempotency-key", key).body("application/pdf", pdf(text)).send()
        };
        let first = upload("k1", "a.pdf", "x");
        assert_eq!(first.status, 201);
        let again = upload("k1", "a.pdf", "x");
        assert_eq!((again.status, again.json(), again.header("idempotent-replayed")), (201, first.json(), Some("true")));
        assert_eq!(upload("k1", "b.pdf", "x").code(), "idempotency_key_reused");
        assert_eq!(upload("k1", "a.pdf", "y").code(), "idempotency_key_reused");
        assert_eq!((lying(&ward).len(), ward.events("attachment.uploaded").len()), (1, 1));
    }

    fn a_damaged_file_is_never_received_as_whole_and_verification_finds_it(ward) {
        let (sound, damaged, lost) = (pdf("sound"), pdf("damaged"), pdf("lost"));
        let ids = [&sound, &damaged, &lost].map(|bytes| sent(&ward, Role::Resident, bytes));
        let settings = settings_in(&ward.dir, ward.database.as_ref());
        let verdict = verify(&settings, &mut |_| {}).unwrap();
        assert_eq!((verdict.sound, verdict.exit_code()), (3, 0), "{verdict}");
        let mut bytes = damaged.clone();
        bytes[10] ^= 1;
        std::fs::write(path_of(&ward, &hash(&damaged)), &bytes).unwrap();
        std::fs::remove_file(path_of(&ward, &hash(&lost))).unwrap();
        let verdict = verify(&settings, &mut |_| {}).unwrap();
        let mut faults: Vec<_> = verdict.faults.iter().map(|(sha256, _, fault)| (sha256.clone(), *fault)).collect();
        faults.sort_by_key(|(_, fault)| *fault == Fault::Damaged);
        assert_eq!(faults, [(hash(&lost), Fault::Missing), (hash(&damaged), Fault::Damaged)]);
        assert_eq!((verdict.sound, verdict.exit_code()), (1, 1));
        assert!(verdict.to_string().contains(&format!("DAMAGED {}", hash(&damaged))), "{verdict}");

        let token = format!("Bearer {}", ward.token(Role::Resident));
        let fetch = |id: &str| {
            let mut wire = Wire::to(ward.server().address);
            wire.send(&wire::request("GET", &format!("{PATH}/{id}/content"), &[("Authorization", token.as_bytes())], None));
            wire.answer(false)
        };
        assert_eq!(fetch(&ids[0]).unwrap().text.as_bytes(), sound);
        assert!(fetch(&ids[1]).is_none(), "the connection ends before the file does");
        assert_eq!(fetch(&ids[2]).unwrap().code(), "internal");
        std::fs::write(path_of(&ward, &hash(&damaged)), &damaged[..9]).unwrap();
        assert_eq!(fetch(&ids[1]).unwrap().code(), "internal", "its length says it already");
        assert!(verify(&wardbook::app::settings::Settings { data_dir: ward.dir.path().join("none"), ..settings }, &mut |_| {}).is_err());
    }
}

/// A clamd that finds a word and counts what it was asked; on a free port.
struct Clamd {
    address: String,
    asked: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Clamd {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let (asked, seen) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<u8>>>::default());
        let (asked_too, seen_too) = (asked.clone(), seen.clone());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                asked_too.fetch_add(1, Ordering::SeqCst);
                let mut command = [0; 10];
                stream.read_exact(&mut command).unwrap();
                assert_eq!(&command, b"zINSTREAM\0");
                let mut file = Vec::new();
                loop {
                    let mut length = [0; 4];
                    stream.read_exact(&mut length).unwrap();
                    let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
                    if length == 0 {
                        break;
                    }
                    let mut piece = vec![0; length];
                    stream.read_exact(&mut piece).unwrap();
                    file.extend(piece);
                }
                let has = |word: &[u8]| file.windows(word.len()).any(|some| some == word);
                let answer: &[u8] = match () {
                    () if has(b"VIRUS") => b"stream: Ward.Test.Virus FOUND\0",
                    () if has(b"TROUBLE") => b"INSTREAM size limit exceeded. ERROR\0",
                    () if has(b"SILENCE") => b"",
                    () => b"stream: OK\0",
                };
                *seen_too.lock().unwrap() = file;
                let _ = stream.write_all(answer);
            }
        });
        Self { address, asked, seen }
    }
}

on_both! {
    fn a_file_is_scanned_before_it_is_taken(ward) {
        let mut ward = ward;
        let clamd = Clamd::open();
        ward.restart(|settings| settings.files_clamd = clamd.address.clone());
        let long = [pdf(""), vec![b'x'; 2_000_000]].concat();
        let clean = sent(&ward, Role::Resident, &long);
        assert!(*clamd.seen.lock().unwrap() == long, "all of it was shown to the scanner");
        let infected = send(&ward, Role::Resident, "王小明.pdf", "application/pdf", &pdf("VIRUS"));
        assert_eq!((infected.status, infected.code().as_str()), (422, "attachment_infected"));
        for trouble in ["TROUBLE", "SILENCE"] {
            let reply = send(&ward, Role::Resident, "a.pdf", "application/pdf", &pdf(trouble));
            assert_eq!((reply.status, reply.code().as_str(), reply.header("retry-after")), (503, "scanner_unavailable", Some("10")));
        }
        assert_eq!(clamd.asked.load(Ordering::SeqCst), 4);
        // What is not taken anyway need not be scanned.
        assert_eq!(send(&ward, Role::Resident, "a.pdf", "image/png", &pdf("x")).status, 415);
        assert_eq!(clamd.asked.load(Ordering::SeqCst), 4);
        eventually("nothing of them is left", || (lying(&ward).len() == 1).then_some(()));
        let events = ward.events("attachment.infected");
        assert_eq!(events.len(), 1);
        let data = &events[0]["entry"]["data"];
        assert_eq!((&data["finding"], &data["sha256"]), (&json!("Ward.Test.Virus"), &json!(hash(&pdf("VIRUS")))));
        assert!(!events[0]["entry"].to_string().contains("王小明"));
        assert_eq!(ward.events("attachment.uploaded").len(), 1);
        assert_eq!(ward.ask("GET", PATH).by(Role::Resident).send().json()["items"][0]["id"], json!(clean));

        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        ward.restart(|settings| settings.files_clamd = format!("tcp://{nobody}"));
        let reply = send(&ward, Role::Resident, "a.pdf", "application/pdf", &pdf("x"));
        assert_eq!((reply.status, reply.code().as_str()), (503, "scanner_unavailable"));
        eventually("nothing of it is left", || (lying(&ward).len() == 1).then_some(()));
    }

    fn files_lie_in_a_bucket_as_well_as_in_a_folder(ward) {
        let mut ward = ward;
        let bucket = Bucket::open();
        ward.restart(|settings| {
            settings.files_url = format!("s3://{}/of/the/ward", bucket::NAME);
            settings.files_s3_endpoint = bucket.endpoint.clone();
            settings.files_s3_region = "eu-ward-1".to_owned();
            settings.files_s3_access_key_id = bucket::KEY.to_owned();
            settings.files_s3_secret_access_key = serde_json::from_value(Value::from("secret")).unwrap();
        });
        // Three parts, the last of which is short.
        let long = [pdf(""), (0..12_000_000_u32).map(|n| n.to_le_bytes()[1]).collect()].concat();
        let (first, second) = (sent(&ward, Role::Resident, &long), sent(&ward, Role::Resident, &pdf("x")));
        sent(&ward, Role::Registrar, &long);
        let objects = bucket.objects();
        assert_eq!((objects.len(), bucket.parts()), (2, 0));
        let hash = hash(&long);
        let (key, _) = objects.iter().find(|(_, bytes)| **bytes == long).expect("it lies there");
        assert!(key.starts_with(&format!("of/the/ward/sha256/{}/{hash}-", &hash[..2])), "{key}");

        let token = format!("Bearer {}", ward.token(Role::Resident));
        let mut wire = Wire::to(ward.server().address);
        let target = format!("{PATH}/{first}/content");
        wire.send(&wire::request("GET", &target, &[("Authorization", token.as_bytes())], None));
        let (reply, read) = wire.answer_of_bytes().unwrap();
        assert!(reply.status == 200 && read == long);
        wire.send(&wire::request("GET", &target, &[("Authorization", token.as_bytes()), ("Range", b"bytes=6000000-6000009")], None));
        let (reply, read) = wire.answer_of_bytes().unwrap();
        assert!(reply.status == 206 && read == long[6_000_000..6_000_010]);

        assert_eq!(send(&ward, Role::Resident, "a.png", "image/png", &long).status, 415);
        assert_eq!(bucket.objects().len(), 2);
        let headers: [(&str, &[u8]); 3] = [("Authorization", token.as_bytes()), ("Content-Type", b"application/pdf"), ("Content-Length", b"12000000")];
        let mut wire = Wire::to(ward.server().address);
        wire.send(&wire::request("POST", &format!("{PATH}?name=a.pdf"), &headers, None));
        wire.send(&long[..6_000_000]);
        eventually("a part has arrived", || (bucket.parts() == 1).then_some(()));
        drop(wire);
        eventually("the bucket is told that it broke off", || (bucket.parts() == 0).then_some(()));

        assert_eq!(ward.ask("DELETE", &format!("{PATH}/{second}")).by(Role::Resident).send().status, 200);
        later(&ward, KEPT_UNUSED_FOR + chrono::Duration::seconds(1));
        assert_eq!(swept(&ward), Swept { orphans: 2, unused: 1 });
        assert_eq!((strays(&ward), bucket.objects().len()), (0, 1));

        let id = sent(&ward, Role::Resident, &long);
        bucket.fail(true);
        let reply = ward.ask("GET", &format!("{PATH}/{id}/content")).by(Role::Resident).send();
        assert_eq!((reply.status, reply.code().as_str()), (503, "file_store_unavailable"));
    }
}

on_both_sites! {
    /// What the acts see to, the database sees to as well.
    fn the_tables_of_files_refuse_what_must_not_be(site) {
        std::fs::create_dir_all(site.dir.path().join("data")).unwrap();
        migrate::up(&site.database_url()).unwrap();
        let mut conn = connect(&site.database_url(), Purpose::Write).unwrap();
        let mut run = |statement: &str| -> QueryResult<usize> { both!(&mut conn, c => sql_query(statement).execute(c)) };
        let (hash, at) = ("a".repeat(64), "'2026-03-02 00:00:00'");
        let content = |sha256: &str, bytes: i64, place: &str| {
            format!("INSERT INTO file_objects (sha256, bytes, place, stored_at) VALUES ('{sha256}', {bytes}, '{place}', {at})")
        };
        let attachment = |id: &str, name: &str, hangs: &str| {
            format!(
                "INSERT INTO attachments (id, sha256, bytes, media_type, name, uploaded_by, uploaded_at, matter_kind, matter_id, visibility, attached_at) \
                 VALUES ('{id}', '{hash}', 1, 'application/pdf', '{name}', 'user_1', {at}, {hangs})"
            )
        };
        let (free, hung) = ("NULL, NULL, NULL, NULL", format!("'book', 'book_1', 'public', {at}"));
        run(&content(&hash, 1, "p")).unwrap();
        run(&attachment("file_1", "n", free)).unwrap();
        run(&attachment("file_2", "n", &hung)).unwrap();
        let usage = |bytes: i64| format!("INSERT INTO attachment_usage (account, day, bytes) VALUES ('user_{bytes}', '2026-03-02', {bytes})");
        run(&usage(1)).unwrap();
        for wrong in [
            content("abc", 1, "q"),
            content(&"b".repeat(64), 0, "q"),
            content(&"b".repeat(64), 1, ""),
            attachment("file_3", "", free),
            attachment("file_3", &"长".repeat(201), free),
            attachment("file_3", "n", "'book', NULL, NULL, NULL"),
            attachment("file_3", "n", "'book', 'book_1', NULL, NULL"),
            attachment("file_3", "n", &format!("'book', 'book_1', 'nobody', {at}")),
            attachment("file_3", "n", "'book', 'book_1', 'public', NULL"),
            usage(0),
        ] {
            let outcome = run(&wrong);
            assert!(matches!(outcome, Err(DieselError::DatabaseError(DatabaseErrorKind::CheckViolation, _))), "{wrong}: {outcome:?}");
        }
        for (wrong, kind) in [
            (content(&"b".repeat(64), 1, "p"), "UniqueViolation"),
            (format!("DELETE FROM file_objects WHERE sha256 = '{hash}'"), "ForeignKeyViolation"),
        ] {
            let Err(DieselError::DatabaseError(found, _)) = run(&wrong) else { panic!("{wrong}") };
            assert_eq!(format!("{found:?}"), kind, "{wrong}");
        }
        for wrong in [
            "DELETE FROM attachments WHERE id = 'file_2'",
            "UPDATE attachments SET matter_id = 'book_2' WHERE id = 'file_2'",
            "UPDATE attachments SET visibility = 'matter' WHERE id = 'file_2'",
            "UPDATE attachments SET matter_kind = NULL, matter_id = NULL, visibility = NULL, attached_at = NULL WHERE id = 'file_2'",
            "UPDATE attachments SET name = 'm' WHERE id = 'file_1'",
            "UPDATE attachments SET uploaded_by = 'user_2' WHERE id = 'file_1'",
        ] {
            let Err(DieselError::DatabaseError(_, why)) = run(wrong) else { panic!("{wrong}") };
            assert!(why.message().contains("append-only"), "{wrong}: {}", why.message());
        }
        assert_eq!(run("DELETE FROM attachments WHERE id = 'file_1'").unwrap(), 1);
    }
}
