//! Whether what a derivation of pay says follows from its input, without believing any of it. Pure.

use serde_json::Value;

use crate::award::rules_evaluation_json::{Reading, parsed};
use crate::award::rules_evaluation_recomputing::{Difference, compare};
use crate::kernel::refusal::{Fault, Objection};
use crate::kernel::text::Text;
use crate::payments::rules_pay::{Derivation, FORMAT, Input, Subject};
use crate::payments::rules_pay_deriving::derive;
use crate::payments::rules_pay_reading::read_value;

/// Characters of the id of a contract.
const ID_LENGTH_MAX: usize = 80;
/// The highest number of a period.
const PERIOD_MAX: u32 = 120;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// What a period's pay goes in with.
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

/// What came of recomputing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What comes of the input.
    pub derivation: Derivation,
    /// Where the document says something else.
    pub differences: Vec<Difference>,
    /// Whether the bytes are those that a ward would store.
    pub is_bytewise: bool,
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
    let known = ["format", "contract_id", "period", "input", "steps", "result"];
    let members = reading.members("", &whole, &known);
    for name in ["format", "input", "steps", "result"] {
        reading.needed(&members, name);
    }
    let format = members.get("format").and_then(Value::as_str);
    if members.get("format").is_some() && format != Some(FORMAT) {
        reading.faults.object(
            "/format",
            Text::fixed("应为 wardbook/period-pay/v1", "must be wardbook/period-pay/v1"),
        );
    }
    let subject = Subject {
        contract_id: reading
            .line(&members, "contract_id", ID_LENGTH_MAX)
            .map(str::to_owned),
        period: reading.count(&members, "period", 1..=PERIOD_MAX),
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

/// Reckons again, and compares.
///
/// # Errors
/// A fault if what comes of it cannot be written.
pub fn recomputed(claim: &Claim) -> Result<Verdict, Fault> {
    let derivation = derive(claim.subject.clone(), claim.input.clone())?;
    let written = derivation.written()?;
    let expected: Value =
        serde_json::from_str(&written).map_err(|error| Fault::caused("read a derivation of pay", error))?;
    let mut differences = Vec::new();
    for (pointer, name) in [("/steps", "steps"), ("/result", "result")] {
        compare(
            pointer,
            claim.whole.get(name),
            expected.get(name),
            &mut differences,
        );
    }
    Ok(Verdict {
        is_bytewise: written == claim.written,
        derivation,
        differences,
    })
}
