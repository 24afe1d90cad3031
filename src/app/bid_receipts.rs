//! The command that checks a receipt for a bid: reads files, asks no server and no database.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::audit::note::Verifier;
use crate::bids::receipts;

/// What a check came to.
pub struct Checked {
    /// 0: it holds; 1: it does not; 2: it cannot be told.
    pub exit_code: u8,
    /// The same in words.
    pub told: String,
}

/// What is to be checked.
#[derive(Debug, Args)]
pub struct Asked {
    /// The receipt: the text of `receipt` in the answer, as a file
    pub receipt: PathBuf,
    /// The log's key, as you were given it by somebody else than the server; or a file that holds it
    #[arg(long)]
    pub key: String,
    /// The sealed bid that the receipt is to be of
    #[arg(long, value_name = "FILE")]
    pub bid: Option<PathBuf>,
}

/// Checks the receipt in a file with a key, or the file that holds it, and, where they are at hand, the sealed bytes.
pub fn check(asked: &Asked) -> Checked {
    let cannot_tell = |told: String| Checked { exit_code: 2, told };
    let key = std::fs::read_to_string(&asked.key).unwrap_or_else(|_| asked.key.clone());
    let key: Verifier = match key.trim().parse() {
        Ok(key) => key,
        Err(error) => {
            return cannot_tell(format!(
                "--key is neither a verifier key nor a file that holds one: {error}"
            ));
        }
    };
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| cannot_tell(format!("{}: {error}", path.display())))
    };
    let note = match read(&asked.receipt) {
        Ok(note) => note,
        Err(cannot_tell) => return cannot_tell,
    };
    let sealed = match asked.bid.as_deref().map(read).transpose() {
        Ok(sealed) => sealed,
        Err(cannot_tell) => return cannot_tell,
    };
    match receipts::verify(&note, &key, sealed.as_deref()) {
        Ok(receipt) => Checked {
            exit_code: 0,
            told: format!(
                "the receipt holds: {} bytes with SHA-256 {}, {} of {} for {}, received at {}",
                receipt.bytes,
                hex::encode(receipt.sha256),
                receipt.kind.name(),
                receipt.bid_id,
                receipt.lot_id,
                receipt.received_at,
            ),
        },
        Err(why) => Checked {
            exit_code: 1,
            told: format!("the receipt does not hold: {why}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::note::Signer;
    use crate::bids::rules::{Kind, hash, receipt_text};
    use chrono::{TimeZone, Utc};

    #[test]
    fn a_receipt_is_checked_from_files_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = directory.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let signer = Signer::new("ward.test/audit", &[1; 32]).unwrap();
        let text = receipt_text(
            Kind::Sealed,
            &"lot_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            &"bid_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            (&hash(b"sealed"), 6),
            Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap(),
        );
        let receipt = file("receipt.txt", signer.sign(&text).unwrap().as_bytes());
        let (sealed, other) = (file("bid.age", b"sealed"), file("other.age", b"opened"));
        let key = signer.verifier().to_string();
        let kept = file("key.txt", key.as_bytes());
        let code = |receipt: &Path, key: &str, sealed: Option<&Path>| {
            let asked = Asked {
                receipt: receipt.to_owned(),
                key: key.to_owned(),
                bid: sealed.map(Path::to_owned),
            };
            check(&asked).exit_code
        };
        let nowhere = directory.path().join("nowhere");
        assert_eq!(code(&receipt, &key, None), 0);
        assert_eq!(code(&receipt, kept.to_str().unwrap(), Some(&sealed)), 0);
        assert_eq!(code(&receipt, &key, Some(&other)), 1);
        let foreign = Signer::new("ward.test/audit", &[2; 32])
            .unwrap()
            .verifier()
            .to_string();
        assert_eq!(code(&receipt, &foreign, None), 1);
        assert_eq!(code(&receipt, "no key", None), 2);
        assert_eq!(code(&receipt, &key, Some(&nowhere)), 2);
        assert_eq!(code(&nowhere, &key, None), 2);
    }
}
