//! The front door, as somebody meets it who knows nothing of the service: in both languages, without an account, and with no way that leads nowhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::refused;
use crate::pages::is_page;

fn opened(ward: &Ward, path: &str, language: &str) -> Reply {
    ward.ask("GET", path).header("accept-language", language).send()
}

/// Where the links of a page lead.
fn links(page: &Reply) -> Vec<String> {
    let parts = page.text.split("<a ").skip(1);
    let hrefs = parts.filter_map(|part| part.split_once("href=\"")?.1.split_once('"'));
    hrefs.map(|(href, _)| href.to_owned()).collect()
}

on_both! {
    fn whoever_comes_finds_what_to_do_first_and_how_to_check_it(ward) {
        for (language, residents, auditors, checks) in [("zh-CN", "居民", "怎样核对我们", "日志的签名"), ("en", "You live here", "How to check us", "The signature of the log")] {
            let front = opened(&ward, "/", language);
            is_page(&front, 200);
            assert!(front.text.contains(residents) && front.text.contains(auditors) && !front.text.contains("<script"), "{}", front.text);
            let check = opened(&ward, "/check", language);
            is_page(&check, 200);
            assert!(check.text.contains(checks) && !check.text.contains("<script"), "{}", check.text);
            // Every way leads somewhere, for somebody without an account; other pages stay in the language.
            let mut seen = 0;
            for href in [links(&front), links(&check)].concat().iter().filter(|href| href.starts_with('/')) {
                let there = opened(&ward, href, language);
                assert!(there.status == 200, "{href}: {}", there.status);
                assert_eq!(href.contains("?lang="), there.header("content-type") == Some("text/html; charset=utf-8") && !href.starts_with("/docs/"), "{href}");
                seen += 1;
            }
            assert!(seen > 9, "{seen}");
        }
    }

    fn the_commands_name_this_service_and_take_its_files_apart_as_they_are(ward) {
        let check = opened(&ward, "/check", "en").text.replace("&#47;", "/").replace("&#38;", "&");
        let address = ward.context().settings.public_url.trim_end_matches('/').to_owned();
        for path in ["/audit/key", "/audit/checkpoint", "/api/v1/lots/$LOT/opening", "/api/v1/lots/$LOT/evaluation/derivation", "/api/v1/ballots/$BALLOT/record", "/api/v1/ballots/$BALLOT/box", "/api/v1/claims/$CLAIM/derivation", "/audit/proof/$EVENT"] {
            assert!(check.contains(&format!("{address}{path}")), "{path}");
            // What is not there yet is no address that nobody knows: it is asked for by an id.
            let asked = path.replace("$LOT", "lot_01jd3n8f5teqkrzvq1c0m6h2ax").replace("$BALLOT", "ballot_01jd3n8f5teqkrzvq1c0m6h2ax").replace("$CLAIM", "claim_01jd3n8f5teqkrzvq1c0m6h2ax").replace("$EVENT", "event_01jd3n8f5teqkrzvq1c0m6h2ax");
            let reply = ward.get(&asked);
            if path.contains('$') {
                refused(&reply, 404, "not_found");
            } else {
                assert_eq!(reply.status, 200, "{path}");
            }
        }
        // The key is the name, four bytes of its hash, and after a byte that says Ed25519 the 32 bytes of it; a signature is four bytes of that hash and 64.
        let key = ward.get("/audit/key").text;
        let mut parts = key.trim_end().splitn(3, '+');
        let bytes = |text: &str| BASE64.decode(text).unwrap();
        let public = bytes(parts.nth(2).unwrap());
        assert_eq!((public.len(), public[0]), (33, 1));
        let checkpoint = ward.get("/audit/checkpoint").text;
        let (signed, signatures) = checkpoint.split_once("\n\n").unwrap();
        let signature = bytes(signatures.lines().next_back().unwrap().rsplit_once(' ').unwrap().1);
        assert_eq!(signature.len(), 68);
        let key = ed25519_dalek::VerifyingKey::from_bytes(&public[1..].try_into().unwrap()).unwrap();
        let signature = ed25519_dalek::Signature::from_bytes(&signature[4..].try_into().unwrap());
        assert!(key.verify_strict(format!("{signed}\n").as_bytes(), &signature).is_ok());
    }
}
