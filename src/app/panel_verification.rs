//! Checking the record of a panel without trusting the server: the draw is made again from the seeds and the candidates in the record, and
//! compared with who was called. That these are the seeds and candidates of then, the hashes in the log show.

use std::path::PathBuf;

use clap::Args;
use sha2::{Digest, Sha256};

use crate::app::opening_verification::fetch;
use crate::app::share_files::read_up_to;
use crate::award::rules_draw::{PanelRecord, RECORD_BYTES_MAX, check};
use crate::kernel::refusal::Fault;

/// Which panel is checked.
#[derive(Args)]
pub struct OfPanel {
    /// The address of the record (https://ward.example/api/v1/contract-books/…/panel/record), or a file with it
    place: String,
}

/// Checks it; gives what is to be printed, and what the command ends with: 0 holds, 1 does not, 2 if nobody can tell.
pub fn told(of: &OfPanel) -> (String, u8) {
    let written = if of.place.starts_with("http://") || of.place.starts_with("https://") {
        fetch(&of.place, None, RECORD_BYTES_MAX)
    } else {
        read_up_to(&PathBuf::from(&of.place), RECORD_BYTES_MAX).map(|bytes| bytes.to_vec())
    };
    match written.and_then(|written| checked(&written)) {
        Ok(told) => told,
        Err(fault) => (fault.to_string(), 2),
    }
}

/// What is found in the bytes of a record.
///
/// # Errors
/// A fault if they are none.
pub fn checked(written: &[u8]) -> Result<(String, u8), Fault> {
    let record: PanelRecord = serde_json::from_slice(written)
        .map_err(|error| Fault::caused("what should be the record of a panel is none", error))?;
    let mut lines = vec![format!("record {}", hex::encode(Sha256::digest(written)))];
    for draw in &record.draws {
        let (number, count) = (draw.number, draw.candidates.len());
        let (seed, candidates) = (&draw.seed_sha256, &draw.candidates_sha256);
        lines.push(format!(
            "draw {number} of {count} candidates; the log has to have seed {seed} and candidates {candidates}"
        ));
    }
    let wrong = check(&record);
    if wrong.is_empty() {
        lines.push(format!("{} were called, as the seeds say", record.members.len()));
    }
    lines.extend(wrong.iter().map(|wrong| format!("WRONG {wrong}")));
    Ok((lines.join("\n"), u8::from(!wrong.is_empty())))
}
