//! Evaluations on the command line: a derivation is recomputed and compared, an input alone is reckoned.

use std::fmt::Write as _;

use crate::app::recompute::{Compared, Told, conclude, done, push, unreadable};
use crate::award::rules_evaluation::{AbnormallyLow, Input};
use crate::award::rules_evaluation_derivation::{Derivation, Step};
use crate::award::rules_evaluation_deriving::{Subject, derive};
use crate::award::rules_evaluation_recomputing::{Claim, Document, document, recomputed};
use crate::kernel::refusal::Fault;
use crate::kernel::weight::Weight;
use crate::statutes::built_in::{JURISDICTION_DEFAULT, profiles_for};
use crate::statutes::codes::{self, Key};
use crate::statutes::value::Percent;

/// What is told of a document.
///
/// # Errors
/// A fault if what was reckoned cannot be written, or the rules that the program brings along cannot be read.
pub(super) fn told(text: &str, with_steps: bool) -> Result<Told, Fault> {
    match document(text) {
        Err(faults) => Ok(unreadable(&faults)),
        Ok(Document::Input(input)) => reckoned(*input),
        Ok(Document::Derivation(claim)) => checked(&claim, with_steps),
    }
}

fn reckoned(input: Input) -> Result<Told, Fault> {
    match derive(Subject::default(), completed(input)?) {
        Ok(derivation) => Ok(done(derivation.written()?)),
        Err(faults) => Ok(unreadable(&faults)),
    }
}

/// What an input leaves out and the law says is taken from the newest rules that the program brings along; the derivation carries it
/// in its input, so that it can be recomputed when there are others.
fn completed(mut input: Input) -> Result<Input, Fault> {
    let Some(profile) = profiles_for(JURISDICTION_DEFAULT)?
        .into_iter()
        .max_by_key(|profile| profile.effective_from)
    else {
        return Ok(input);
    };
    if input.min_bidders.is_none() {
        let min = profile.rule_if_set(codes::EVALUATION_RESPONSIVE_BIDS_MIN)?;
        input.min_bidders = min.map(|count| count.0);
    }
    if input.abnormally_low.is_none() {
        let percent = |key: Key<Percent>| -> Result<Option<Weight>, Fault> {
            Ok(profile.rule_if_set(key)?.map(|percent| percent.0))
        };
        input.abnormally_low = Some(AbnormallyLow {
            average_percent: percent(codes::EVALUATION_ABNORMALLY_LOW_AVERAGE_PERCENT)?,
            second_lowest_percent: percent(codes::EVALUATION_ABNORMALLY_LOW_SECOND_LOWEST_PERCENT)?,
            ceiling_percent: percent(codes::EVALUATION_ABNORMALLY_LOW_CEILING_PERCENT)?,
        });
    }
    Ok(input)
}

fn checked(claim: &Claim, with_steps: bool) -> Result<Told, Fault> {
    let verdict = match recomputed(claim)? {
        Ok(verdict) => verdict,
        Err(faults) => return Ok(unreadable(&faults)),
    };
    let derivation: &Derivation = &verdict.derivation;
    let mut output = String::new();
    if with_steps {
        for step in &derivation.steps {
            push(&mut output, &shown(step));
        }
    }
    let ranking = derivation.result.ranking.join(", ");
    push(&mut output, &format!("{}: {ranking}", derivation.result.outcome));
    let compared = Compared {
        differences: &verdict.differences,
        is_bytewise: verdict.is_bytewise,
        found: &claim.written,
        written: &derivation.written()?,
    };
    let exit_code = conclude(&mut output, &compared);
    Ok(Told {
        output: output.trim_end().to_owned(),
        remarks: Vec::new(),
        exit_code,
    })
}

fn shown(step: &Step) -> String {
    let mut line = format!("{:?}", step.step);
    for part in [&step.of, &step.bidder].into_iter().flatten() {
        let _ = write!(line, " {part}");
    }
    let _ = write!(line, ": {}", step.formula);
    if !step.numbers.is_empty() {
        let _ = write!(line, ": {}", step.numbers);
    }
    let _ = write!(line, " = {}", step.result);
    line
}
