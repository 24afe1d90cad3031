//! Whether a derivation's steps and result follow from its input, without believing any of them. Pure.

use serde_json::{Map, Value};

use crate::award::rules_evaluation::Input;
use crate::award::rules_evaluation_derivation::{Derivation, FORMAT};
use crate::award::rules_evaluation_deriving::{Subject, derive};
use crate::award::rules_evaluation_json::{Reading, escaped, parsed};
use crate::award::rules_evaluation_reading::read_value;
use crate::award::rules_results::ROUNDS_MAX;
use crate::kernel::refusal::{Fault, Objection};
use crate::kernel::text::Text;

/// Differences that are told at most.
pub const DIFFERENCES_MAX: usize = 100;
/// Characters of the id of a lot or book.
const ID_LENGTH_MAX: usize = 80;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// What an evaluation goes in with.
    Input(Box<Input>),
    /// A derivation.
    Derivation(Box<Claim>),
}

/// A derivation as it was given: its input was read, the rest not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What it is of.
    pub subject: Subject,
    /// Its input.
    pub input: Input,
    /// All of it.
    pub whole: Value,
    /// As it was written.
    pub written: String,
}

/// Somewhere a derivation is not what comes of its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What is there; `None` if nothing is.
    pub found: Option<String>,
    /// What comes of the input.
    pub expected: Option<String>,
}

/// What came of recomputing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What comes of the input.
    pub derivation: Derivation,
    /// Where the document says something else; up to [`DIFFERENCES_MAX`] of them.
    pub differences: Vec<Difference>,
    /// Whether the bytes are those that a ward would store.
    pub is_bytewise: bool,
}

impl Verdict {
    /// Whether the derivation holds.
    pub const fn holds(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Reads a document: a derivation if it has a format, else an input.
///
/// # Errors
/// Every fault, with its place.
pub fn document(text: &str) -> Result<Document, Vec<Objection>> {
    let whole = parsed(text)?;
    let is_derivation = ["format", "steps", "result", "input"]
        .iter()
        .any(|name| whole.get(name).is_some());
    if !is_derivation {
        return read_value("", &whole).map(|input| Document::Input(Box::new(input)));
    }
    let mut reading = Reading::default();
    let known = ["format", "lot_id", "book_id", "round", "input", "steps", "result"];
    let members = reading.members("", &whole, &known);
    for name in ["format", "input", "steps", "result"] {
        reading.needed(&members, name);
    }
    let format = members.get("format").and_then(Value::as_str);
    if members.get("format").is_some() && format != Some(FORMAT) {
        reading.faults.object(
            "/format",
            Text::fixed("应为 wardbook/evaluation/v1", "must be wardbook/evaluation/v1"),
        );
    }
    let rounds = u32::try_from(ROUNDS_MAX).unwrap_or(u32::MAX);
    let subject = Subject {
        lot_id: reading.line(&members, "lot_id", ID_LENGTH_MAX).map(str::to_owned),
        book_id: reading
            .line(&members, "book_id", ID_LENGTH_MAX)
            .map(str::to_owned),
        round: reading.count(&members, "round", 1..=rounds),
    };
    let input = members.get("input").map(|value| read_value("/input", value));
    match (reading.faults.finish(subject), input) {
        (Ok(subject), Some(Ok(input))) => Ok(Document::Derivation(Box::new(Claim {
            subject,
            input,
            whole,
            written: text.to_owned(),
        }))),
        (Ok(_), Some(Err(faults))) => Err(faults),
        (Err(mut faults), Some(Err(more))) => {
            faults.extend(more);
            Err(faults)
        }
        (Err(faults), _) => Err(faults),
        // A missing input was objected to already.
        (Ok(_), None) => Err(Vec::new()),
    }
}

/// Evaluates again, and compares.
///
/// # Errors
/// A fault if the outcome cannot be written; the refusal's objections if the input lacks what a draw is made from.
pub fn recomputed(claim: &Claim) -> Result<Result<Verdict, Vec<Objection>>, Fault> {
    let derivation = match derive(claim.subject.clone(), claim.input.clone()) {
        Ok(derivation) => derivation,
        Err(mut faults) => {
            for fault in &mut faults {
                fault.pointer.insert_str(0, "/input");
            }
            return Ok(Err(faults));
        }
    };
    let written = derivation.written()?;
    let expected: Value =
        serde_json::from_str(&written).map_err(|error| Fault::caused("read a derivation", error))?;
    let mut differences = Vec::new();
    // What the input leaves out and what it says like nobody would write it, such as `2248000` for `2248000.00`, is no difference of the
    // result; that the bytes are others is said apart.
    compare(
        "/steps",
        claim.whole.get("steps"),
        expected.get("steps"),
        &mut differences,
    );
    compare(
        "/result",
        claim.whole.get("result"),
        expected.get("result"),
        &mut differences,
    );
    Ok(Ok(Verdict {
        is_bytewise: written == claim.written,
        derivation,
        differences,
    }))
}

/// Gathers where one document says something else than another, place by place.
pub fn compare(
    pointer: &str,
    found: Option<&Value>,
    expected: Option<&Value>,
    differences: &mut Vec<Difference>,
) {
    if differences.len() >= DIFFERENCES_MAX || found == expected {
        return;
    }
    match (found, expected) {
        (Some(Value::Object(found)), Some(Value::Object(expected))) => {
            for name in names(found, expected) {
                let within = format!("{pointer}/{}", escaped(name));
                compare(&within, found.get(name), expected.get(name), differences);
            }
        }
        (Some(Value::Array(found)), Some(Value::Array(expected))) => {
            for index in 0..found.len().max(expected.len()) {
                let within = format!("{pointer}/{index}");
                compare(&within, found.get(index), expected.get(index), differences);
            }
        }
        _ => differences.push(Difference {
            pointer: pointer.to_owned(),
            found: found.map(Value::to_string),
            expected: expected.map(Value::to_string),
        }),
    }
}

fn names<'m>(found: &'m Map<String, Value>, expected: &'m Map<String, Value>) -> Vec<&'m String> {
    let beside = found.keys().filter(|name| !expected.contains_key(*name));
    expected.keys().chain(beside).collect()
}
