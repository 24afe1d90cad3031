//! Ballots on the command line: a public record is reckoned again and compared with itself and, where the log is at hand, with the log. Whether the log itself
//! holds is for `wardbook verify log` to say.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use crate::app::recompute::read;
use crate::audit::note::Checkpoint;
use crate::audit::source::{self, Source, SourceError};
use crate::audit::tile::{Bundle, Resource, bundles, decode_entries};
use crate::ballots::rules_recomputing::{self as rules, Logged, Record, Verdict};
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Fault;

/// Bytes of a signed checkpoint at most.
const CHECKPOINT_BYTES_MAX: usize = 100_000;

/// What is asked.
#[derive(Args)]
pub struct Asked {
    /// The record of a ballot (`GET /api/v1/ballots/{id}/record`), as JSON; - for the standard input
    file: PathBuf,
    /// The log, by its address (https://ward.example/audit) or a directory with its files: also compare the record with what it says
    #[arg(long, value_name = "PLACE")]
    log: Option<String>,
    /// Leave the steps out of the report
    #[arg(long)]
    quiet: bool,
}

/// Answers in lines, and with the code that the command ends with: 0 holds, 1 does not hold, 2 cannot be read.
///
/// # Errors
/// A fault of arithmetic.
pub fn run(asked: &Asked, say: &dyn Fn(&str), say_error: &dyn Fn(&str)) -> Result<u8, Fault> {
    let record = match record(&asked.file) {
        Ok(record) => record,
        Err(why) => {
            say_error(&why);
            return Ok(2);
        }
    };
    let logged = match &asked.log {
        None => None,
        Some(place) => match logged(&*source::open(place), &Window::of(&record)) {
            Ok(logged) => Some(logged),
            Err(why) => {
                say_error(&format!("{place}: {why}"));
                return Ok(2);
            }
        },
    };
    let verdict = rules::recomputed(&record, logged.as_ref())?;
    tell(&verdict, asked.quiet, say);
    Ok(u8::from(!verdict.differences.is_empty()))
}

fn record(file: &Path) -> Result<Record, String> {
    let text = read(file).map_err(|fault| fault.to_string())?;
    rules::read(&text)
}

fn tell(verdict: &Verdict, is_quiet: bool, say: &dyn Fn(&str)) {
    for step in verdict.steps.iter().filter(|_| !is_quiet) {
        say(step);
    }
    for difference in &verdict.differences {
        say(&format!("DIFFERS {difference}"));
    }
    let sha256 = &verdict.sha256;
    if verdict.differences.is_empty() {
        say(&format!("it holds; SHA-256 of the tally is {sha256}"));
    } else {
        say("it does not hold");
    }
}

/// A ballot, and when it takes votes.
struct Window {
    ballot: String,
    opens_at: Option<Instant>,
    closes_at: Option<Instant>,
}

impl Window {
    fn of(record: &Record) -> Self {
        let said = &record.derivation;
        Self {
            ballot: said.ballot_id.to_string(),
            opens_at: said.opens_at.parse().ok(),
            closes_at: said.closes_at.parse().ok(),
        }
    }

    /// Whether votes are taken then. What is no instant is none at which they are.
    fn has(&self, at: &str) -> bool {
        let at: Option<Instant> = at.parse().ok();
        let is_open = |at: Instant| Some((self.opens_at? <= at) && at < self.closes_at?);
        at.and_then(is_open).unwrap_or_default()
    }
}

/// What a log has of a ballot.
fn logged(source: &dyn Source, of: &Window) -> Result<Logged, String> {
    let note = source
        .get("checkpoint", CHECKPOINT_BYTES_MAX)
        .map_err(|error| format!("checkpoint: {error}"))?;
    let note = String::from_utf8(note).map_err(|error| format!("checkpoint: {error}"))?;
    let (text, _) = note
        .split_once("\n\n")
        .ok_or("the checkpoint is no signed note")?;
    let head = Checkpoint::parse(&format!("{text}\n")).map_err(|error| format!("checkpoint: {error}"))?;
    let mut logged = Logged::default();
    for bundle in bundles(head.size) {
        let (width, content) = fetched(source, bundle)?;
        let entries = decode_entries(&content, width).map_err(|error| error.to_string())?;
        for entry in entries.into_iter().take(usize::from(bundle.width())) {
            let entry: Value = serde_json::from_slice(entry).map_err(|error| format!("an entry: {error}"))?;
            note_entry(&mut logged, &entry, of);
        }
    }
    Ok(logged)
}

/// A bundle, or the full one that it is the beginning of.
fn fetched(source: &dyn Source, bundle: Bundle) -> Result<(u16, Vec<u8>), String> {
    let wanted = Resource::Bundle(bundle);
    for candidate in [wanted, wanted.full()] {
        match source.get(&candidate.to_string(), candidate.bytes_max()) {
            Ok(content) => return Ok((candidate.width(), content)),
            Err(SourceError::Missing) => {}
            Err(error) => return Err(format!("{candidate}: {error}")),
        }
    }
    Err(format!("{wanted}: {}", SourceError::Missing))
}

fn note_entry(logged: &mut Logged, entry: &Value, of: &Window) {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("subject") != of.ballot {
        return;
    }
    let data = entry.get("data").cloned().unwrap_or_default();
    match text("type") {
        "ballot.called" => logged.called = Some(data),
        "ballot.closed" => logged.closed.push(data),
        "ballot.cast" => {
            if !of.has(text("at")) {
                logged.casts_outside = logged.casts_outside.saturating_add(1);
            }
            if !logged.closed.is_empty() {
                logged.casts_after = logged.casts_after.saturating_add(1);
            }
            if data.get("replaces") == Some(&Value::Bool(false)) {
                logged.first_casts = logged.first_casts.saturating_add(1);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_log_has_of_one_ballot_is_counted() {
        let mut logged = Logged::default();
        let window = Window {
            ballot: "ballot_a".to_owned(),
            opens_at: "2026-05-20T00:00:00Z".parse().ok(),
            closes_at: "2026-05-27T00:00:00Z".parse().ok(),
        };
        let mut note_at = |at: &str, kind: &str, subject: &str, data: Value| {
            let entry = json!({"type": kind, "at": at, "subject": subject, "data": data});
            note_entry(&mut logged, &entry, &window);
        };
        let mut note = |kind: &str, subject: &str, data: Value| {
            note_at("2026-05-20T00:00:00.000000Z", kind, subject, data)
        };
        note("ballot.called", "ballot_a", json!({"electorate": 12}));
        note("ballot.cast", "ballot_a", json!({"replaces": false}));
        note("ballot.cast", "ballot_a", json!({"replaces": true}));
        note("ballot.cast", "ballot_b", json!({"replaces": false}));
        note("ballot.closed", "ballot_a", json!({"ballots": 1}));
        note("ballot.cast", "ballot_a", json!({"replaces": false}));
        let again = json!({"replaces": true});
        for at in [
            "2026-05-19T23:59:59.999999Z",
            "2026-05-27T00:00:00.000000Z",
            "never",
        ] {
            note_at(at, "ballot.cast", "ballot_a", again.clone());
        }
        note_at("2026-05-26T23:59:59.999999Z", "ballot.cast", "ballot_a", again);
        let expected = Logged {
            called: Some(json!({"electorate": 12})),
            first_casts: 2,
            casts_after: 5,
            casts_outside: 3,
            closed: vec![json!({"ballots": 1})],
        };
        assert_eq!(logged, expected);
    }
}
