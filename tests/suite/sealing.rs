//! Sealing a bid with the commands and with the `age` of a distribution: what one seals the other opens.

use std::path::Path;
use std::process::{Command, Output};

use wardbook::bids::sealing;

fn wardbook(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wardbook"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The distribution's `age`, if it is there; where it must be, `WARDBOOK_TEST_REQUIRE_AGE` says so.
fn stock_age(arguments: &[&str]) -> Option<Output> {
    match Command::new("age").args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) => {
            assert!(
                std::env::var_os("WARDBOOK_TEST_REQUIRE_AGE").is_none(),
                "age: {error}"
            );
            None
        }
    }
}

#[test]
fn a_bid_is_sealed_and_reopened_offline_and_stock_age_does_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let bid = serde_json::json!({
        "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "book_version": 1,
        "price_lines": [{"quantity": 1, "unit_price": "13.6", "amount": {"amount": "788800.00", "currency": "CNY"}}],
        "total": {"amount": "788800.00", "currency": "CNY"}, "criteria": [], "indicators": [], "size": null, "key_staff": [],
        "subcontractors": [], "consortium": [], "ties": [], "interests": [], "documents": [], "confidential": []
    });
    let (odd, bid) = (
        bid.to_string().replacen("788800.00", "788800.01", 1),
        bid.to_string(),
    );
    let bid = bid.as_bytes();
    std::fs::write(at("bid.json"), bid).unwrap();

    let made = wardbook(&["bid", "seal", text(&at("bid.json")), "--to", &recipient]);
    assert!(made.status.success(), "{made:?}");
    let sealed = std::fs::read(at("bid.json.age")).unwrap();
    let opened = sealing::open(&sealing::arrived(&sealed).unwrap(), &identity).unwrap();
    assert_eq!(opened.content, bid);
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(said.contains(&format!("{} bytes", sealed.len())), "{said}");
    let key = opened.file_key.to_hex();
    let shown = wardbook(&["bid", "open", text(&at("bid.json.age")), "--file-key", &key]);
    assert!(
        shown.status.success() && shown.stdout.starts_with(bid),
        "{shown:?}"
    );
    for wrong in ["00", &"0".repeat(32)] {
        let refused = wardbook(&["bid", "open", text(&at("bid.json.age")), "--file-key", wrong]);
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    }
    // Never over a file that is there, never to nobody, and nothing that is no bid or does not add up.
    let again = wardbook(&["bid", "seal", text(&at("bid.json")), "--to", &recipient]);
    assert_eq!(
        (again.status.code(), std::fs::read(at("bid.json.age")).unwrap()),
        (Some(1), sealed)
    );
    std::fs::write(at("letter.txt"), r#"{"dear": "street office"}"#).unwrap();
    std::fs::write(at("odd.json"), odd).unwrap();
    for (file, to) in [
        ("letter.txt", recipient.as_str()),
        ("odd.json", &recipient),
        ("bid.json", "age1nobody"),
    ] {
        let output = at("other.age");
        let refused = wardbook(&[
            "bid",
            "seal",
            text(&at(file)),
            "--to",
            to,
            "--output",
            text(&output),
        ]);
        assert_eq!(
            (refused.status.code(), output.exists()),
            (Some(1), false),
            "{refused:?}"
        );
    }

    for armor in ["--encrypt", "--armor"] {
        let by_age = at(armor);
        let Some(made) = stock_age(&[
            armor,
            "-r",
            &recipient,
            "-o",
            text(&by_age),
            text(&at("bid.json")),
        ]) else {
            return;
        };
        assert!(made.status.success(), "{made:?}");
        let arrived = sealing::arrived(&std::fs::read(&by_age).unwrap()).unwrap();
        assert_eq!(sealing::open(&arrived, &identity).unwrap().content, bid);
    }
    use age::secrecy::ExposeSecret as _;
    std::fs::write(at("opening.key"), identity.to_string().expose_secret()).unwrap();
    let shown = stock_age(&["-d", "-i", text(&at("opening.key")), text(&at("bid.json.age"))]).unwrap();
    assert!(shown.status.success(), "{shown:?}");
    let content: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(
        content["total"]["amount"], "788800.00",
        "blanks after it mean nothing to JSON"
    );
}
