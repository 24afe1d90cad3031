//! The pay of periods on the command line: a derivation is recomputed and compared, an input alone is reckoned.

use crate::app::recompute::{Compared, Told, conclude, done, push, unreadable};
use crate::kernel::refusal::Fault;
use crate::payments::rules_pay::{Step, Subject};
use crate::payments::rules_pay_deriving::derive;
use crate::payments::rules_pay_recomputing::{Claim, Document, document, recomputed};

/// What is told of a document.
///
/// # Errors
/// A fault if what was reckoned cannot be written.
pub(super) fn told(text: &str, with_steps: bool) -> Result<Told, Fault> {
    match document(text) {
        Err(faults) => Ok(unreadable(&faults)),
        Ok(Document::Input(input)) => Ok(done(derive(Subject::default(), *input)?.written()?)),
        Ok(Document::Derivation(claim)) => checked(&claim, with_steps),
    }
}

fn checked(claim: &Claim, with_steps: bool) -> Result<Told, Fault> {
    let verdict = recomputed(claim)?;
    let derivation = &verdict.derivation;
    let mut output = String::new();
    if with_steps {
        for step in &derivation.steps {
            push(&mut output, &shown(step));
        }
    }
    let score = derivation.result.score.as_deref().unwrap_or("none");
    let (deducted, payable) = (derivation.result.deducted, derivation.result.payable);
    push(
        &mut output,
        &format!("score {score}: {deducted} deducted, {payable} payable"),
    );
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
    let of = step.of.as_deref().map(|of| format!(" {of}")).unwrap_or_default();
    format!(
        "{:?}{of}: {}: {} = {}",
        step.step, step.formula, step.numbers, step.result
    )
}
