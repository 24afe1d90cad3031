//! Evaluations on the command line: a derivation is recomputed and compared, an input alone is reckoned. No server is asked, and nothing
//! that a derivation says of itself is believed.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use sha2::{Digest, Sha256};

use crate::app::evaluation_schemas;
use crate::app::share_files::read_up_to;
use crate::award::rules_evaluation::{AbnormallyLow, Input};
use crate::award::rules_evaluation_derivation::{Derivation, Step};
use crate::award::rules_evaluation_deriving::{Subject, derive};
use crate::award::rules_evaluation_recomputing::{Claim, Document, Verdict, document, recomputed};
use crate::kernel::refusal::{Fault, Objection};
use crate::kernel::weight::Weight;
use crate::statutes::built_in::{JURISDICTION_DEFAULT, profiles_for};
use crate::statutes::codes::{self, Key};
use crate::statutes::value::Percent;

/// Bytes of a file at most: several times what a ward stores, because a file may be laid out for people.
const FILE_BYTES_MAX: usize = 67_108_864;
/// The name that stands for the standard input.
const STANDARD_INPUT: &str = "-";

/// What is reckoned again.
#[derive(Subcommand)]
pub enum OnRecompute {
    /// Evaluate a lot's bids again and compare with the derivation; 0: it holds, 1: it does not, 2: it cannot be read. Of an input
    /// alone, print its derivation
    Evaluation(Asked),
}

/// What is asked.
#[derive(Args)]
pub struct Asked {
    /// A derivation, or the input of one, as JSON; - for the standard input
    #[arg(required_unless_present = "schema")]
    file: Option<PathBuf>,
    /// Leave the steps out of the report on a derivation
    #[arg(long)]
    quiet: bool,
    /// Print the JSON schema of an input or of a derivation instead
    #[arg(long, conflicts_with_all = ["file", "quiet"])]
    schema: Option<Schema>,
}

/// What there is a schema of.
#[derive(Clone, Copy, ValueEnum)]
pub enum Schema {
    /// What an evaluation goes in with.
    Input,
    /// A derivation.
    Derivation,
}

/// What is printed, and what the command ends with.
struct Told {
    output: String,
    remarks: Vec<String>,
    exit_code: u8,
}

/// Answers, in lines for the standard output and for the standard error, and with the code that the command ends with: 0 holds or reckoned,
/// 1 does not hold, 2 cannot be read.
///
/// # Errors
/// A fault if what was reckoned cannot be written, or the rules that the program brings along cannot be read.
pub fn run(what: &OnRecompute, say: &dyn Fn(&str), say_error: &dyn Fn(&str)) -> Result<u8, Fault> {
    let OnRecompute::Evaluation(asked) = what;
    let told = told(asked)?;
    for remark in &told.remarks {
        say_error(remark);
    }
    if !told.output.is_empty() {
        say(&told.output);
    }
    Ok(told.exit_code)
}

fn told(asked: &Asked) -> Result<Told, Fault> {
    if let Some(schema) = asked.schema {
        let output = match schema {
            Schema::Input => evaluation_schemas::input()?,
            Schema::Derivation => evaluation_schemas::derivation()?,
        };
        return Ok(done(output.trim_end().to_owned()));
    }
    let text = match read(asked.file.as_deref().unwrap_or_else(|| Path::new(STANDARD_INPUT))) {
        Ok(text) => text,
        Err(fault) => return Ok(unreadable(vec![fault.to_string()])),
    };
    match document(&text) {
        Err(faults) => Ok(unreadable(lines(&faults))),
        Ok(Document::Input(input)) => reckoned(*input),
        Ok(Document::Derivation(claim)) => checked(&claim, !asked.quiet),
    }
}

fn read(file: &Path) -> Result<String, Fault> {
    let bytes = if file == Path::new(STANDARD_INPUT) {
        let mut bytes = Vec::new();
        let max = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
        std::io::stdin()
            .lock()
            .take(max)
            .read_to_end(&mut bytes)
            .map_err(|error| Fault::caused("read the standard input", error))?;
        bytes
    } else {
        read_up_to(file, FILE_BYTES_MAX)?.to_vec()
    };
    String::from_utf8(bytes).map_err(|error| Fault::caused(format!("{} is no text", file.display()), error))
}

const fn done(output: String) -> Told {
    Told {
        output,
        remarks: Vec::new(),
        exit_code: 0,
    }
}

const fn unreadable(remarks: Vec<String>) -> Told {
    Told {
        output: String::new(),
        remarks,
        exit_code: 2,
    }
}

fn lines(faults: &[Objection]) -> Vec<String> {
    let line = |fault: &Objection| {
        let place = if fault.pointer.is_empty() {
            "(the whole document)"
        } else {
            &fault.pointer
        };
        format!("{place}: {} / {}", fault.detail.en(), fault.detail.zh())
    };
    faults.iter().map(line).collect()
}

fn reckoned(input: Input) -> Result<Told, Fault> {
    match derive(Subject::default(), completed(input)?) {
        Ok(derivation) => Ok(done(derivation.written()?)),
        Err(faults) => Ok(unreadable(lines(&faults))),
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
        Err(faults) => return Ok(unreadable(lines(&faults))),
    };
    let mut output = String::new();
    if with_steps {
        for step in &verdict.derivation.steps {
            push(&mut output, &shown(step));
        }
    }
    summary(&mut output, claim, &verdict)?;
    Ok(Told {
        output: output.trim_end().to_owned(),
        remarks: Vec::new(),
        exit_code: u8::from(!verdict.holds()),
    })
}

fn push(output: &mut String, line: &str) {
    // Writing into a text cannot fail.
    let _ = writeln!(output, "{line}");
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

fn summary(output: &mut String, claim: &Claim, verdict: &Verdict) -> Result<(), Fault> {
    let derivation: &Derivation = &verdict.derivation;
    push(
        output,
        &format!(
            "{}: {}",
            derivation.result.outcome,
            derivation.result.ranking.join(", ")
        ),
    );
    for difference in &verdict.differences {
        let or_nothing = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
        push(
            output,
            &format!(
                "DIFFERS {}: it says {}, and {} comes of the input",
                difference.pointer,
                or_nothing(&difference.found),
                or_nothing(&difference.expected)
            ),
        );
    }
    let sha256 = |text: &str| hex::encode(Sha256::digest(text.as_bytes()));
    let written = derivation.written()?;
    if verdict.holds() && verdict.is_bytewise {
        push(
            output,
            &format!("it holds, byte by byte; SHA-256 {}", sha256(&written)),
        );
    } else if verdict.holds() {
        push(
            output,
            &format!(
                "it holds; SHA-256 of the file is {}, and of the derivation as a ward writes it {}",
                sha256(&claim.written),
                sha256(&written)
            ),
        );
    } else {
        push(output, "it does not hold");
    }
    Ok(())
}
