//! Access tokens that were put together by hand: whatever is wrong with one, the answer is the same 401. And the life of
//! the keys: old tokens outlive a rotation, other instances learn of new keys, dead ones are deleted.

use std::path::PathBuf;
use std::time::{Duration as RealTime, Instant as Stopwatch};

use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use chrono::Duration;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::app::keys;
use wardbook::app::server::Server;
use wardbook::web::policy::Role;

use crate::harness::{Reply, Ward, settings_in, start};
use crate::on_both;
use crate::wire::{self, Wire};

/// A token in the making.
struct Forgery {
    header: Value,
    claims: Value,
    key: SigningKey,
}

impl Forgery {
    /// What the ward itself would have issued just now.
    fn of(ward: &Ward) -> Self {
        let now = ward.context().clock.now().timestamp();
        let (file, _) = key_files(ward).pop().unwrap();
        let seed = hex::decode(std::fs::read_to_string(file).unwrap().trim()).unwrap();
        Self {
            header: json!({"typ": "JWT", "alg": "EdDSA", "kid": ward.context().tokens.jwks().keys[0].kid}),
            claims: json!({
                "iss": "http://ward.test", "aud": "http://ward.test/api", "sub": "user_admin", "iat": now, "nbf": now,
                "exp": now + 3_600, "jti": "token_1", "roles": ["admin"],
            }),
            key: SigningKey::from_bytes(&seed.try_into().unwrap()),
        }
    }

    fn header(mut self, name: &str, value: Value) -> Self {
        self.header[name] = value;
        self
    }

    fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims[name] = value;
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.claims.as_object_mut().unwrap().remove(name).unwrap();
        self
    }

    /// Header and claims as they are signed.
    fn message(&self) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }

    fn token(self) -> String {
        let message = self.message();
        let signature = self.key.sign(message.as_bytes()).to_bytes();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// Signed with HMAC instead, as somebody would who takes the public key for a shared secret.
    fn token_by_hmac(self, secret: &[u8]) -> String {
        let message = self.message();
        format!(
            "{message}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(hmac_sha256(secret, message.as_bytes()))
        )
    }
}

/// RFC 2104, for secrets of at most a block.
fn hmac_sha256(secret: &[u8], message: &[u8]) -> [u8; 32] {
    assert!(secret.len() <= 64);
    let padded = |with: u8| -> [u8; 64] {
        std::array::from_fn(|at| secret.get(at).copied().unwrap_or_default() ^ with)
    };
    let inner = Sha256::new()
        .chain_update(padded(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(padded(0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

#[test]
fn the_hmac_of_these_tests_is_the_one_of_rfc_4231() {
    let code = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(
        hex::encode(code),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

/// The files of the token keys, oldest first, with their content.
fn key_files(ward: &Ward) -> Vec<(PathBuf, String)> {
    let mut files: Vec<_> = std::fs::read_dir(ward.dir.path().join("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("token-"))
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// An operation that reads the account and needs none.
fn show(ward: &Ward, authorization: &str) -> Reply {
    ward.ask("GET", "/api/v1/areas?limit=1")
        .header("authorization", authorization)
        .header("accept-language", "en")
        .send()
}

fn bearer(ward: &Ward, token: &str) -> Reply {
    show(ward, &format!("Bearer {token}"))
}

/// Asserts that a token is refused, and with the very same words as any other.
fn assert_refused(reply: &Reply, what: &str) {
    assert_eq!(reply.status, 401, "{what}: {}", reply.text);
    assert_eq!(
        reply.header("www-authenticate"),
        Some("Bearer realm=\"wardbook\""),
        "{what}"
    );
    let mut body = reply.json();
    body.as_object_mut().unwrap().remove("request_id").unwrap();
    let expected = json!({
        "type": "/problems/invalid_token", "title": "The access token is not valid or has expired", "status": 401, "code": "invalid_token",
    });
    assert_eq!(body, expected, "{what}");
}

on_both! {
    fn a_token_that_was_made_by_hand_as_the_ward_makes_them_is_good(ward) {
        // Otherwise the refusals below would prove nothing.
        let token = Forgery::of(&ward).token();
        assert_eq!(bearer(&ward, &token).status, 200);
        let created = ward.ask("POST", "/api/v1/areas").header("authorization", &format!("bEaReR   {token}")).json(&json!({"name_zh": "市", "name_en": "City"})).send();
        assert_eq!(created.status, 201, "{}", created.text);
        assert_eq!(ward.events("area.created")[0]["opened"]["actor"], "user_admin");
    }

    fn no_other_algorithm_is_listened_to(ward) {
        let public = BASE64_URL_SAFE_NO_PAD.decode(&ward.context().tokens.jwks().keys[0].x).unwrap();
        for algorithm in ["HS256", "HS384", "HS512", "none", "None", "nOnE", "RS256", "ES256", "PS256", "eddsa", "Ed25519", "EdDSA ", ""] {
            let forged = || Forgery::of(&ward).header("alg", json!(algorithm));
            assert_refused(&bearer(&ward, &forged().token()), algorithm);
            for secret in [&public[..], ward.context().tokens.jwks().keys[0].x.as_bytes(), b""] {
                assert_refused(&bearer(&ward, &forged().token_by_hmac(secret)), algorithm);
            }
            let bare = forged().message();
            for token in [bare.clone(), format!("{bare}."), format!("{bare}.AA")] {
                assert_refused(&bearer(&ward, &token), algorithm);
            }
        }
        // The right algorithm in the header changes nothing about a code that is none of ours.
        assert_refused(&bearer(&ward, &Forgery::of(&ward).token_by_hmac(&public)), "EdDSA in name only");
        assert_refused(&bearer(&ward, &Forgery::of(&ward).header("alg", json!(null)).token()), "no algorithm");
    }

    fn a_key_is_found_by_its_id_in_the_wards_own_directory_only(ward) {
        let other = SigningKey::from_bytes(&[7; 32]);
        let signed_by = |key: &SigningKey, forgery: Forgery| Forgery { key: key.clone(), ..forgery }.token();
        assert_refused(&bearer(&ward, &signed_by(&other, Forgery::of(&ward))), "another key under the ward's id");
        let x = BASE64_URL_SAFE_NO_PAD.encode(other.verifying_key().to_bytes());
        let own_key = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA", "kid": "mine"});
        for (name, value) in [("jwk", own_key), ("jku", json!("http://127.0.0.1:1/jwks.json")), ("x5u", json!("http://127.0.0.1:1/cert"))] {
            assert_refused(&bearer(&ward, &signed_by(&other, Forgery::of(&ward).header(name, value.clone()))), name);
            assert_refused(&bearer(&ward, &signed_by(&other, Forgery::of(&ward).header(name, value).header("kid", json!("mine")))), name);
        }
        for kid in [json!("0000000000000000"), json!(""), json!("../../etc/passwd"), json!("' OR 1=1"), json!(null), json!(5), json!(["a"]), json!("k".repeat(4_000))] {
            assert_refused(&bearer(&ward, &Forgery::of(&ward).header("kid", kid.clone()).token()), &kid.to_string());
        }
    }

    fn claims_that_are_missing_or_not_meant_for_this_ward_are_refused(ward) {
        for name in ["iss", "aud", "sub", "iat", "nbf", "exp", "jti", "roles"] {
            assert_refused(&bearer(&ward, &Forgery::of(&ward).without(name).token()), name);
            for odd in [json!(null), json!({}), json!(true), json!("")] {
                let token = Forgery::of(&ward).claim(name, odd.clone()).token();
                // A token id may be any text: nothing is decided by it.
                if name != "jti" || odd != "" {
                    assert_refused(&bearer(&ward, &token), &format!("{name}: {odd}"));
                }
            }
        }
        for (name, value) in [
            ("iss", json!("http://ward.test/")), ("iss", json!("http://other.test")), ("iss", json!(["http://other.test"])),
            ("aud", json!("http://ward.test")), ("aud", json!("http://other.test/api")), ("aud", json!(["http://other.test/api"])),
            ("roles", json!("admin")), ("roles", json!(["public"])), ("roles", json!(["admin", "public"])), ("roles", json!(["system"])),
            ("roles", json!(["admin", "system"])), ("roles", json!(["Admin"])), ("roles", json!(["mayor"])), ("roles", json!([["admin"]])), ("sub", json!(7)),
            // A token of a session names no roles, and one without names some; whose session it is, the database says.
            ("sid", json!("session_01jd3n8f5teqkrzvq1c0m6h2ax")), ("sid", json!("")), ("sid", json!(7)), ("roles", json!([])),
        ] {
            assert_refused(&bearer(&ward, &Forgery::of(&ward).claim(name, value.clone()).token()), &format!("{name}: {value}"));
        }
    }

    fn a_session_or_a_machines_token_that_nobody_has_is_refused(ward) {
        let unknown = Forgery::of(&ward).without("roles").claim("sid", json!("session_01jd3n8f5teqkrzvq1c0m6h2ax")).token();
        assert_refused(&bearer(&ward, &unknown), "a session that was never begun");
        for token in ["wardbook_", "wardbook_0123456789abcdef"] {
            assert_refused(&bearer(&ward, token), token);
        }
    }

    fn a_token_is_good_from_its_beginning_to_its_end_and_no_longer_than_a_day(ward) {
        let now = start().timestamp();
        let day = 24 * 3_600;
        let times = |nbf: i64, iat: i64, exp: i64| Forgery::of(&ward).claim("nbf", json!(nbf)).claim("iat", json!(iat)).claim("exp", json!(exp)).token();
        for (nbf, iat, exp, what) in [
            (now, now, now, "expires now"),
            (now - 10, now - 10, now - 1, "has expired"),
            (now + 31, now, now + 60, "not yet valid"),
            (now, now + 31, now + 60, "issued in the future"),
            (now, now, now + day + 1, "too long"),
            (now, now - 1, now + day, "too long"),
            (now, i64::MIN, i64::MAX, "longer than can be counted"),
            (i64::MIN, i64::MIN, now + 60, "since for ever"),
            (now, now, i64::MAX, "for ever"),
        ] {
            assert_refused(&bearer(&ward, &times(nbf, iat, exp)), what);
        }
        for (name, value) in [("exp", json!(1e9)), ("exp", json!((now + 60).to_string())), ("nbf", json!(-0.5)), ("exp", json!(1e300))] {
            assert_refused(&bearer(&ward, &Forgery::of(&ward).claim(name, value.clone()).token()), &format!("{name}: {value}"));
        }
        // Another instance's clock may be ahead by half a minute.
        assert_eq!(bearer(&ward, &times(now + 30, now + 30, now + 60)).status, 200);
        let whole_day = times(now, now, now + day);
        let minute = times(now, now, now + 60);
        assert_eq!((bearer(&ward, &whole_day).status, bearer(&ward, &minute).status), (200, 200));
        ward.context().clock.advance(start() + Duration::milliseconds(59_999));
        assert_eq!(bearer(&ward, &minute).status, 200);
        ward.context().clock.advance(start() + Duration::seconds(60));
        assert_refused(&bearer(&ward, &minute), "expired since it was last seen");
        assert_eq!(bearer(&ward, &whole_day).status, 200);
        ward.context().clock.advance(start() + Duration::hours(24));
        assert_refused(&bearer(&ward, &whole_day), "a day later");
    }

    fn not_a_character_of_a_token_can_be_changed(ward) {
        let token = Forgery::of(&ward).token();
        let parts: Vec<&str> = token.split('.').collect();
        for at in (0..token.len()).step_by(3).chain([token.len() - 1]) {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = match bytes[at] { b'A' => b'B', b'.' => b'-', _ => b'A' };
            assert_refused(&bearer(&ward, &String::from_utf8(bytes).unwrap()), &format!("character {at}"));
        }
        // A signature of 64 bytes leaves two bits of its last character unused; only one spelling has them zero.
        let last = token.chars().last().unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let place = alphabet.find(last).unwrap();
        assert_eq!(place % 16, 0);
        for other in 1..4 {
            let spelt = format!("{}{}", &token[..token.len() - 1], alphabet.chars().nth(place + other).unwrap());
            assert_refused(&bearer(&ward, &spelt), "the same bytes spelt otherwise");
        }
        let padded = BASE64_URL_SAFE.encode(BASE64_URL_SAFE_NO_PAD.decode(parts[2]).unwrap());
        let short = BASE64_URL_SAFE_NO_PAD.encode(&BASE64_URL_SAFE_NO_PAD.decode(parts[2]).unwrap()[..63]);
        for odd in [
            format!("{}.{}.{padded}", parts[0], parts[1]), format!("{}.{}.{short}", parts[0], parts[1]), format!("{token}."), format!("{token}.x"), format!("{token}A"),
            format!("{token}AAAA"), format!(".{token}"), format!("{}.{}", parts[0], parts[1]), format!("{}..{}", parts[0], parts[2]), format!("{}.{}.", parts[0], parts[1]),
            format!("{} {}", &token[..9], &token[9..]), token.replace('.', ","), token.replace('.', ". "), format!("{token},{token}"), format!("{token} {token}"), format!("\"{token}\""),
            parts[1].to_owned(), "..".to_owned(), ".".to_owned(), "a.b.c".to_owned(), "e30.e30.e30".to_owned(), "null".to_owned(),
        ] {
            assert_refused(&bearer(&ward, &odd), &odd);
        }
    }

    fn a_token_has_at_most_8_kib(ward) {
        let padded = |length: usize| {
            let base = Forgery::of(&ward).token().len();
            let fill = (length - base) * 3 / 4;
            (0..8).map(|more| Forgery::of(&ward).claim("jti", json!("j".repeat(fill + more))).token()).min_by_key(|token| token.len().abs_diff(length)).unwrap()
        };
        let (good, bad) = (padded(8_190), padded(8_200));
        assert!(good.len() <= 8_192 && bad.len() > 8_192, "{} {}", good.len(), bad.len());
        assert_eq!(bearer(&ward, &good).status, 200);
        assert_refused(&bearer(&ward, &bad), "a token of more than 8 KiB");
    }

    fn only_one_bearer_token_is_an_authorization(ward) {
        let token = Forgery::of(&ward).token();
        for odd in ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Digest username=\"a\"", "Token x", "bearer"] {
            assert_refused(&show(&ward, odd), odd);
        }
        for scheme in ["Basic", "Token", "JWT", "Bearer:", "\"Bearer\"", "XBearer", "Bearer,"] {
            assert_refused(&show(&ward, &format!("{scheme} {token}")), scheme);
        }
        assert_refused(&show(&ward, &token), "no scheme");
        let (good, bad) = (format!("Bearer {token}"), "Bearer x".to_owned());
        for lines in [[&good, &good], [&good, &bad], [&bad, &good]] {
            let headers = lines.map(|line| ("Authorization", line.as_bytes()));
            let mut wire = Wire::to(ward.server().address);
            wire.send(&wire::request("GET", "/api/v1/areas", &[headers[0], headers[1], ("Accept-Language", b"en")], None));
            assert_refused(&wire.answer(false).unwrap(), "two headers");
        }
        for bytes in [&b"Bearer \xff\xfe"[..], b"\xe4\xbd\xa0", b"Bearer a.b.\xc3\xa9"] {
            let mut wire = Wire::to(ward.server().address);
            wire.send(&wire::request("GET", "/api/v1/areas", &[("Authorization", bytes), ("Accept-Language", b"en")], None));
            assert_refused(&wire.answer(false).unwrap(), "not text");
        }
        // Whoever says nothing is the public, which may read; a bad token is refused even where none is needed.
        assert_eq!(ward.get("/api/v1/areas").status, 200);
    }

    fn old_tokens_outlive_a_rotation_and_dead_keys_are_deleted(ward) {
        let house = ward.server().house.as_ref().unwrap();
        let (clock, tokens) = (&ward.context().clock, &ward.context().tokens);
        let listed = || -> Vec<String> {
            let reply = ward.get("/.well-known/jwks.json");
            assert_eq!(reply.header("cache-control"), Some("public, max-age=60"));
            reply.json()["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
        };
        let first = listed();
        assert_eq!(first.len(), 1);
        let old = tokens.issue("user_admin", &[Role::Admin], Duration::hours(24), clock.now()).unwrap();
        assert_eq!(bearer(&ward, &old).status, 200);

        clock.advance(start() + Duration::hours(1));
        let second = keys::rotate(house).unwrap();
        assert_eq!(listed(), [second.clone(), first[0].clone()], "newest first");
        let new = Forgery::of(&ward).token();
        assert_eq!(bearer(&ward, &new).status, 200);
        assert_eq!(bearer(&ward, &old).status, 200);
        let kid = |token: &str| -> Value { serde_json::from_slice::<Value>(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()["kid"].clone() };
        let issued = tokens.issue("user_admin", &[Role::Admin], Duration::hours(1), clock.now()).unwrap();
        assert_eq!((kid(&issued), kid(&old)), (json!(second), json!(first[0])));
        for (file, content) in key_files(&ward) {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
            assert!(!ward.get("/.well-known/jwks.json").text.contains(content.trim()), "a seed is published");
        }

        // The old key signed its last token an hour in, and that lives for a day: until then it is needed.
        clock.advance(start() + Duration::hours(24) - Duration::seconds(1));
        assert_eq!(bearer(&ward, &old).status, 200);
        keys::rotate(house).unwrap();
        assert_eq!(listed().len(), 3);
        clock.advance(start() + Duration::hours(24));
        assert_refused(&bearer(&ward, &old), "expired");
        clock.advance(start() + Duration::hours(26));
        let newest = keys::rotate(house).unwrap();
        assert_eq!(listed().len(), 3);
        assert_eq!(listed()[0], newest);
        assert!(!listed().contains(&first[0]), "the first key is dead");
        assert_eq!(key_files(&ward).len(), 3);
        assert_eq!(ward.events("token_key.rotated").len(), 3);
    }

    fn a_token_of_a_key_that_was_deleted_is_not_trusted_any_more(ward) {
        let token = Forgery::of(&ward).token();
        assert_eq!(bearer(&ward, &token).status, 200);
        keys::rotate(ward.server().house.as_ref().unwrap()).unwrap();
        std::fs::remove_file(&key_files(&ward)[0].0).unwrap();
        ward.context().tokens.reload().unwrap();
        assert_refused(&bearer(&ward, &token), "its key is gone");
    }
}

#[test]
fn an_instance_that_shares_the_keys_learns_of_a_new_one() {
    let Some(ward) = Ward::postgres() else { return };
    let other = Server::start(settings_in(&ward.dir, ward.database.as_ref()), start()).unwrap();
    let ask = |target: &str, token: Option<&str>| {
        let authorization = format!("Bearer {}", token.unwrap_or_default());
        let headers: &[(&str, &[u8])] = &[
            ("Authorization", authorization.as_bytes()),
            ("Accept-Language", b"en"),
        ];
        let mut wire = Wire::to(other.address);
        wire.send(&wire::request(
            "GET",
            target,
            if token.is_some() { headers } else { &[] },
            None,
        ));
        wire.answer(false).unwrap()
    };
    let before = Forgery::of(&ward).token();
    assert_eq!(ask("/api/v1/areas", Some(&before)).status, 200);
    let kid = keys::rotate(ward.server().house.as_ref().unwrap()).unwrap();
    let after = Forgery::of(&ward).header("kid", json!(kid)).token();
    assert_eq!(bearer(&ward, &after).status, 200);
    // The other looks into the directory only so often.
    until(|| ask("/api/v1/areas", Some(&after)).status == 200);
    assert!(ask("/.well-known/jwks.json", None).text.contains(&kid));
    assert_eq!(ask("/api/v1/areas", Some(&before)).status, 200);
    assert_refused(
        &ask(
            "/api/v1/areas",
            Some(
                &Forgery::of(&ward)
                    .header("kid", json!("0000000000000000"))
                    .token(),
            ),
        ),
        "a key that nobody has",
    );
    other.stop().unwrap();
}

/// Asks again and again until it is so.
fn until(mut so: impl FnMut() -> bool) {
    let begun = Stopwatch::now();
    while !so() {
        assert!(
            begun.elapsed() < RealTime::from_secs(30),
            "it does not come about"
        );
        std::thread::yield_now();
    }
}
