//! Checking the record of an opening without trusting the server: every opened bid is opened again from its sealed bytes by the key in the
//! record, and compared with it. The record and the bytes come from a ward's address, or from files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use sha2::{Digest, Sha256};

use crate::app::share_files::read_up_to;
use crate::bids::rules_opening::{FORMAT, OpenedBid, OpeningRecord, RECORD_BYTES_MAX, check};
use crate::bids::sealing::SEALED_BYTES_MAX;
use crate::kernel::refusal::Fault;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Where the record of an opening and the sealed bytes are.
pub enum Place {
    /// The address of a record, `https://…/api/v1/lots/{id}/opening`; with a token for bids that are not public.
    Url(String, Option<String>),
    /// A file with the record, and a directory with the sealed bytes, each as `<SHA-256>.age`.
    Files(PathBuf, Option<PathBuf>),
}

/// Which opening is checked.
#[derive(Args)]
pub struct OfOpening {
    /// The address of the record (https://ward.example/api/v1/lots/…/opening), or a file with it
    place: String,
    /// With a file: a directory with the sealed bids, each as SHA-256.age
    #[arg(long, value_name = "DIR")]
    bids: Option<PathBuf>,
    /// With an address: a token, for bids that are not for everybody
    #[arg(long, env = "WARDBOOK_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl From<OfOpening> for Place {
    fn from(of: OfOpening) -> Self {
        if of.place.starts_with("http://") || of.place.starts_with("https://") {
            Self::Url(of.place, of.token)
        } else {
            Self::Files(PathBuf::from(of.place), of.bids)
        }
    }
}

/// Checks it; gives what is to be printed, and what the command ends with: 2 if nobody can tell.
pub fn told(of: OfOpening) -> (String, u8) {
    match verify(&Place::from(of)) {
        Ok(verdict) => (verdict.to_string().trim_end().to_owned(), verdict.exit_code()),
        Err(fault) => (fault.to_string(), 2),
    }
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OpeningVerdict {
    /// SHA-256 of the record: the event of the opening in the log has it.
    pub sha256: String,
    /// How many bids were opened again and are what the record says.
    pub checked: usize,
    /// Bids that are not what the record says, and why.
    pub wrong: Vec<String>,
    /// Bids whose sealed bytes could not be had.
    pub missing: Vec<String>,
}

impl OpeningVerdict {
    /// What a command ends with: 0 holds, 1 does not, 2 cannot tell of every bid.
    pub fn exit_code(&self) -> u8 {
        match (self.wrong.is_empty(), self.missing.is_empty()) {
            (false, _) => 1,
            (true, false) => 2,
            (true, true) => 0,
        }
    }
}

impl std::fmt::Display for OpeningVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "record {}", self.sha256)?;
        writeln!(f, "{} bids opened again and as recorded", self.checked)?;
        for wrong in &self.wrong {
            writeln!(f, "WRONG {wrong}")?;
        }
        for missing in &self.missing {
            writeln!(f, "not checked {missing}")?;
        }
        Ok(())
    }
}

/// Checks the record of an opening.
///
/// # Errors
/// A fault if there is no record to check: then nobody can tell.
pub fn verify(place: &Place) -> Result<OpeningVerdict, Fault> {
    let written = match place {
        Place::Url(url, token) => fetch(url, token.as_deref(), RECORD_BYTES_MAX)?,
        Place::Files(record, _) => read_up_to(record, RECORD_BYTES_MAX)?.to_vec(),
    };
    let record: OpeningRecord = serde_json::from_slice(&written)
        .map_err(|error| Fault::caused("what should be the record of an opening is none", error))?;
    if record.format != FORMAT {
        return Err(Fault::broken("it is a record of a form that is not known here"));
    }
    let mut verdict = OpeningVerdict {
        sha256: hex::encode(Sha256::digest(&written)),
        ..OpeningVerdict::default()
    };
    for bid in &record.opened {
        let id = &bid.bid_id;
        match sealed(place, bid) {
            Ok(sealed) => match check(&record, bid, &sealed) {
                Ok(()) => verdict.checked = verdict.checked.saturating_add(1),
                Err(why) => verdict.wrong.push(format!("{id}: {why}")),
            },
            Err(fault) => verdict.missing.push(format!("{id}: {fault}")),
        }
    }
    if !is_ordered(&record) {
        verdict
            .wrong
            .push("the bids are not in the order of their prices".to_owned());
    }
    Ok(verdict)
}

fn is_ordered(record: &OpeningRecord) -> bool {
    record.opened.is_sorted_by_key(|bid| bid.total.fen())
}

fn sealed(place: &Place, bid: &OpenedBid) -> Result<Vec<u8>, Fault> {
    match place {
        Place::Url(url, token) => {
            let base = url.trim_end_matches('/').trim_end_matches("/opening");
            let url = format!("{base}/opened-bids/{}/sealed", bid.bid_id);
            fetch(&url, token.as_deref(), SEALED_BYTES_MAX)
        }
        Place::Files(_, None) => Err(Fault::broken("no directory with sealed bids was given")),
        Place::Files(_, Some(directory)) => {
            let is_hash = bid.sha256.len() == 64 && bid.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_hash {
                return Err(Fault::broken("its hash is none"));
            }
            let file: &Path = directory.as_ref();
            Ok(read_up_to(&file.join(format!("{}.age", bid.sha256)), SEALED_BYTES_MAX)?.to_vec())
        }
    }
}

/// What is at an address, of so many bytes at most.
pub(super) fn fetch(url: &str, token: Option<&str>, bytes_max: usize) -> Result<Vec<u8>, Fault> {
    let failed = |error: ureq::Error| Fault::caused(url.to_owned(), error);
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(REQUEST_TIMEOUT))
        // A token goes to the address that was named, and nowhere else.
        .max_redirects(0)
        .build()
        .new_agent();
    let mut request = agent.get(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut response = request.call().map_err(failed)?;
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    response
        .body_mut()
        .with_config()
        .limit(limit)
        .read_to_vec()
        .map_err(failed)
}
