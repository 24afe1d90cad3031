//! What is reckoned again on the command line from what it rests on: evaluations of bids, the pay of periods, and ballots. No server is asked but for the log of a
//! ballot, and nothing that a document says of itself is believed.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use sha2::{Digest, Sha256};

use crate::app::share_files::read_up_to;
use crate::app::{ballot_recomputing, evaluation, evaluation_schemas, period_pay};
use crate::award::rules_evaluation_recomputing::Difference;
use crate::kernel::refusal::{Fault, Objection};

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
    /// Reckon again what is paid for a period and compare with the derivation; 0: it holds, 1: it does not, 2: it cannot be read. Of an
    /// input alone, print its derivation
    Payment(Asked),
    /// Count a ballot again from its box, and compare; 0: it holds, 1: it does not, 2: it cannot be read
    Ballot(ballot_recomputing::Asked),
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
    /// What it goes in with.
    Input,
    /// A derivation.
    Derivation,
}

/// What is printed, and what the command ends with.
pub(super) struct Told {
    pub output: String,
    pub remarks: Vec<String>,
    pub exit_code: u8,
}

/// Answers, in lines for the standard output and for the standard error, and with the code that the command ends with: 0 holds or reckoned,
/// 1 does not hold, 2 cannot be read.
///
/// # Errors
/// A fault if what was reckoned cannot be written, or the rules that the program brings along cannot be read.
pub fn run(what: &OnRecompute, say: &dyn Fn(&str), say_error: &dyn Fn(&str)) -> Result<u8, Fault> {
    let told = match what {
        OnRecompute::Evaluation(asked) => told(
            asked,
            |schema| match schema {
                Schema::Input => evaluation_schemas::input(),
                Schema::Derivation => evaluation_schemas::derivation(),
            },
            evaluation::told,
        )?,
        OnRecompute::Payment(asked) => told(
            asked,
            |schema| match schema {
                Schema::Input => evaluation_schemas::pay_input(),
                Schema::Derivation => evaluation_schemas::pay_derivation(),
            },
            period_pay::told,
        )?,
        OnRecompute::Ballot(asked) => return ballot_recomputing::run(asked, say, say_error),
    };
    for remark in &told.remarks {
        say_error(remark);
    }
    if !told.output.is_empty() {
        say(&told.output);
    }
    Ok(told.exit_code)
}

fn told(
    asked: &Asked,
    schema: impl FnOnce(Schema) -> Result<String, Fault>,
    of: impl FnOnce(&str, bool) -> Result<Told, Fault>,
) -> Result<Told, Fault> {
    if let Some(wanted) = asked.schema {
        return Ok(done(schema(wanted)?.trim_end().to_owned()));
    }
    match read(asked.file.as_deref().unwrap_or_else(|| Path::new(STANDARD_INPUT))) {
        Ok(text) => of(&text, !asked.quiet),
        Err(fault) => Ok(Told {
            output: String::new(),
            remarks: vec![fault.to_string()],
            exit_code: 2,
        }),
    }
}

/// The text of a file, or of the standard input.
///
/// # Errors
/// A fault if it cannot be read, is too long, or is no text.
pub(super) fn read(file: &Path) -> Result<String, Fault> {
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

/// What was asked for, and nothing else.
pub(super) const fn done(output: String) -> Told {
    Told {
        output,
        remarks: Vec::new(),
        exit_code: 0,
    }
}

/// That a document cannot be read, with every fault.
pub(super) fn unreadable(faults: &[Objection]) -> Told {
    let line = |fault: &Objection| {
        let place = if fault.pointer.is_empty() {
            "(the whole document)"
        } else {
            &fault.pointer
        };
        format!("{place}: {} / {}", fault.detail.en(), fault.detail.zh())
    };
    Told {
        output: String::new(),
        remarks: faults.iter().map(line).collect(),
        exit_code: 2,
    }
}

/// A line more.
pub(super) fn push(output: &mut String, line: &str) {
    // Writing into a text cannot fail.
    let _ = writeln!(output, "{line}");
}

/// How a derivation, as it was found, compares with the one that was reckoned.
pub(super) struct Compared<'c> {
    pub differences: &'c [Difference],
    pub is_bytewise: bool,
    /// As it was found.
    pub found: &'c str,
    /// As a ward writes it.
    pub written: &'c str,
}

/// Says where a derivation differs, or that it holds; the code that the command ends with.
pub(super) fn conclude(output: &mut String, compared: &Compared<'_>) -> u8 {
    for difference in compared.differences {
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
    let written = sha256(compared.written);
    if !compared.differences.is_empty() {
        push(output, "it does not hold");
        return 1;
    }
    if compared.is_bytewise {
        push(output, &format!("it holds, byte by byte; SHA-256 {written}"));
    } else {
        push(
            output,
            &format!(
                "it holds; SHA-256 of the file is {}, and of the derivation as a ward writes it {written}",
                sha256(compared.found)
            ),
        );
    }
    0
}
