//! `wardbook import`: files of open contracting data, and tables of a ward's running data, read in on this machine. Tells how it goes on, and writes every finding into
//! a report if it is asked to.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use crate::app::demo;
use crate::app::server::House;
use crate::app::settings::Settings;
use crate::imports::acts;
use crate::imports::acts_tables::{self, Came, Table};
use crate::imports::rules::{Counts, Import};
use crate::imports::rules_findings::{Code, Finding};
use crate::imports::rules_tables::{self, Sort};
use crate::imports::runs::{self, Listener};
use crate::imports::store;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::people::identities::grants_of;
use crate::publish::rules_publisher::Prefix;
use crate::registry::import_roll::decode;
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::FORBIDDEN;

/// What can be read in.
#[derive(Subcommand)]
pub enum OnImports {
    /// Open contracting data: packages, records, releases, one after the other or in an array, packed with gzip or not
    Ocds {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Write every repair, rejection and note here, a JSON document on each line
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
    },
    /// A table of a ward's running data; all of it is read in, or nothing
    Csv {
        /// What it is of: organisations, budget-lines, contracts
        #[arg(value_parser = sort)]
        kind: Sort,
        /// The file, with headings in Chinese or English, in UTF-8 or GB18030
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Judge everything, do nothing
        #[arg(long)]
        dry_run: bool,
        /// Write every fault, or what was made, here, a JSON document on each line
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// In whose name, `user_…`: an account that may do it. Without it, in the service's own, which makes no budget lines: those are made by a finance officer of their fund's keeper
        #[arg(long = "as", value_name = "ACCOUNT", value_parser = crate::app::first_admin::account)]
        account: Option<String>,
    },
}

/// Runs the command. `None` if a file is none; false if a table has faults, or a file could not be read.
///
/// # Errors
/// Those of [`ocds`] and [`table`].
pub fn run(settings: Settings, what: &OnImports, told: Told<'_>) -> Result<Option<bool>, Fault> {
    let files = match what {
        OnImports::Ocds { files, .. } => files.as_slice(),
        OnImports::Csv { file, .. } => std::slice::from_ref(file),
    };
    if let Some(missing) = files.iter().find(|file| !file.is_file()) {
        told.1(&format!("{} is not a file", missing.display()));
        return Ok(None);
    }
    let house = House::open(settings, demo::start())?;
    let done = match what {
        OnImports::Ocds { report, .. } => ocds(&house, files, report.as_deref(), told),
        OnImports::Csv {
            kind,
            file,
            dry_run,
            report,
            account,
        } => {
            let of = OfTable {
                sort: *kind,
                path: file,
                is_trial: *dry_run,
                report: report.as_deref(),
                account: account.as_deref(),
            };
            table(&house, &of, told)
        }
    };
    house.close();
    done.map(Some)
}

fn sort(name: &str) -> Result<Sort, String> {
    Sort::named(name).ok_or_else(|| "must be organisations, budget-lines or contracts".to_owned())
}

/// A table to read in.
pub struct OfTable<'t> {
    /// What it is of.
    pub sort: Sort,
    /// The file.
    pub path: &'t Path,
    /// Whether nothing is to be done.
    pub is_trial: bool,
    /// Where the report goes.
    pub report: Option<&'t Path>,
    /// In whose name.
    pub account: Option<&'t str>,
}

/// Reads a table in. False if it has faults, which are told and reported.
///
/// # Errors
/// A fault if the file cannot be read, or the report not be written.
pub fn table(house: &House, of: &OfTable<'_>, (say, tell): Told<'_>) -> Result<bool, Fault> {
    let failed = |stop| Fault::caused("import a table", stop);
    let name = of.path.display().to_string();
    let bytes = std::fs::read(of.path).map_err(|error| Fault::caused(name.clone(), error))?;
    let file = runs::described(of.path, &name)?;
    let actor = match of.account {
        None => Actor::system(),
        Some(id) => {
            let now = house.context.clock.now();
            let grants = house
                .context
                .db
                .read_and_wait(|conn| grants_of(conn, id, now))
                .map_err(failed)?;
            Actor::on_machine(id.to_owned(), grants)
        }
    };
    let named = if of.sort == Sort::BudgetLines && of.account.is_none() {
        let why = text!(
            "预算科目由资金管理单位的财务人员建立：请用 --as 指明账号",
            "budget lines are made by a finance officer of their fund's keeper: say with --as in whose name"
        );
        Err(FORBIDDEN.because(why))
    } else {
        Ok(())
    };
    let judged = named
        .and_then(|()| decode(&bytes, None))
        .and_then(|text| rules_tables::rows(&text, of.sort));
    let (lines, done) = match judged {
        Err(refusal) => (Vec::new(), Err(Stop::from(refusal))),
        Ok(rows) => {
            let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
            let table = Table {
                sort: of.sort,
                rows,
                file,
                is_trial: of.is_trial,
            };
            let db = &house.context.db;
            let done = db.write_and_wait(move |tx| acts_tables::read_in(tx, &actor, &table));
            (lines, done)
        }
    };
    let mut report = Vec::new();
    let holds = match done {
        Ok(came) => {
            say(&format!("{name}: {}", came_to(&came, lines.len(), of.is_trial)));
            report.extend(
                came.made
                    .iter()
                    .map(|id| json!({ "file": name, "made": id, "dry_run": of.is_trial })),
            );
            true
        }
        Err(Stop::Refused(refusal)) => {
            let why = refusal.detail.as_ref().unwrap_or(&refusal.reason.title);
            tell(&format!("{name}: {} / {}", why.zh(), why.en()));
            for fault in &refusal.objections {
                let (line, column) = place(&fault.pointer, &lines);
                let at = line.map_or_else(String::new, |line| format!("line {line}, "));
                tell(&format!(
                    "  {at}{column}: {} / {}",
                    fault.detail.zh(),
                    fault.detail.en()
                ));
                report.push(json!({
                    "file": name, "line": line, "column": column, "code": fault.code,
                    "meaning_zh": fault.detail.zh(), "meaning_en": fault.detail.en(),
                }));
            }
            false
        }
        Err(fault @ Stop::Fault(_)) => return Err(failed(fault)),
    };
    if let Some(path) = of.report {
        let text: String = report.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(path, text).map_err(|error| Fault::caused(path.display().to_string(), error))?;
    }
    Ok(holds)
}

/// The line and the column of a fault at `/row/column`.
fn place<'p>(pointer: &'p str, lines: &[u64]) -> (Option<u64>, &'p str) {
    let rest = pointer.trim_start_matches('/');
    let (row, column) = rest.split_once('/').unwrap_or((rest, ""));
    let line = row.parse::<usize>().ok().and_then(|row| lines.get(row));
    (line.copied(), column)
}

fn came_to(came: &Came, rows: usize, is_trial: bool) -> String {
    let would = if is_trial { "would be done: " } else { "" };
    match &came.import {
        Some(import) if came.is_known => format!("unchanged, it was read in as {}", import.id),
        Some(import) => format!("{would}{}", told(import, 0)),
        None => format!("{would}{} made of {rows} rows", came.made.len()),
    }
}

/// What gets what came of a file, and what gets how it goes on.
pub type Told<'t> = (&'t dyn Fn(&str), &'t dyn Fn(&str));

/// How often is told how it goes on.
const TOLD_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Reads files in, one after the other. `say` gets what came of each, `tell` how it goes on. False if there is one of which nothing could be read, or which breaks off: the others
/// are read all the same.
///
/// # Errors
/// A fault if a file cannot be read, or what is in it not be stored; what was stored before stays.
pub fn ocds(
    house: &House,
    files: &[PathBuf],
    report: Option<&Path>,
    (say, tell): Told<'_>,
) -> Result<bool, Fault> {
    let publisher = house.settings.publisher()?;
    let own_prefix = publisher.prefix.as_ref().map(Prefix::as_str);
    let mut are_read = true;
    let mut report = report
        .map(|path| {
            let file =
                File::create(path).map_err(|error| Fault::caused(path.display().to_string(), error))?;
            Ok::<_, Fault>(BufWriter::new(file))
        })
        .transpose()?;
    for path in files {
        let name = path.display().to_string();
        let failed = |stop| Fault::caused(format!("import {name}"), stop);
        let (import, is_read) = one(house, (path, own_prefix), report.as_mut(), tell).map_err(failed)?;
        say(&format!("{name}: {import}"));
        if !is_read {
            are_read = false;
            tell(&format!("{name}: it could not be read, or not to its end"));
        }
    }
    if let Some(report) = &mut report {
        report
            .flush()
            .map_err(|error| Fault::caused("write the report", error))?;
    }
    Ok(are_read)
}

/// What came of a file, and whether it could be read to its end.
fn one(
    house: &House,
    (path, own_prefix): (&Path, Option<&str>),
    report: Option<&mut BufWriter<File>>,
    tell: &dyn Fn(&str),
) -> Answer<(String, bool)> {
    let name = path.display().to_string();
    let new = runs::described(path, &name)?;
    let actor = Actor::system();
    let by = actor.clone();
    let (import, is_new) = house
        .context
        .db
        .write_and_wait(move |tx| acts::begin(tx, &by, &new))?;
    if !is_new {
        let came = format!("unchanged, it was read in as {}", import.id);
        return Ok((came, is_read(house, &import)?));
    }
    let mut teller = Teller {
        name: &name,
        report,
        tell,
        begun: Instant::now(),
        told: Instant::now(),
    };
    let source = runs::Source {
        id: &import.id,
        path,
        own_prefix,
    };
    let done = runs::run(&house.context.db, &actor, source, &mut teller)?;
    Ok((told(&done, teller.rate(&done.counts)), is_read(house, &done)?))
}

/// Whether a file could be read: something of it was, or nothing had to be left out, and it does not break off.
fn is_read(house: &House, import: &Import) -> Answer<bool> {
    if import.counts.releases == 0 && import.counts.found.rejections > 0 {
        return Ok(false);
    }
    let id = import.id.clone();
    let broken_off = (Some(Code::BrokenOff.name()), None);
    let found = house
        .context
        .db
        .read_and_wait(move |conn| store::findings(conn, &id, broken_off, 0, 1))?;
    Ok(found.is_empty())
}

fn told(import: &Import, rate: u128) -> String {
    let counts = &import.counts;
    let unchanged = if import.is_unchanged() { "unchanged, " } else { "" };
    format!(
        "{unchanged}{} releases ({} added, {} known) of {} new and {} changed processes{}; {} repairs, {} rejections, {} notes ({})",
        counts.releases,
        counts.releases_added,
        counts.releases_known,
        counts.processes_added,
        counts.processes_changed,
        if rate > 0 {
            format!(", {rate} a second")
        } else {
            String::new()
        },
        counts.found.repairs,
        counts.found.rejections,
        counts.found.notes,
        import.id,
    )
}

struct Teller<'t> {
    name: &'t str,
    report: Option<&'t mut BufWriter<File>>,
    tell: &'t dyn Fn(&str),
    begun: Instant,
    told: Instant,
}

impl Teller<'_> {
    /// Releases a second so far.
    fn rate(&self, counts: &Counts) -> u128 {
        let releases = u128::try_from(counts.releases).unwrap_or_default();
        releases.saturating_mul(1_000) / self.begun.elapsed().as_millis().max(1)
    }
}

/// A finding in the report.
#[derive(Serialize)]
struct Line<'f> {
    file: &'f str,
    code: &'static str,
    nature: &'static str,
    meaning_zh: &'f str,
    meaning_en: &'f str,
    ocid: Option<&'f str>,
    release_id: Option<&'f str>,
    pointer: &'f str,
    found: &'f str,
    made: &'f str,
}

impl Listener for Teller<'_> {
    fn heard(&mut self, counts: &Counts, findings: &[Finding]) -> Result<(), Fault> {
        if let Some(report) = &mut self.report {
            for finding in findings {
                let words = finding.code.words();
                let line = Line {
                    file: self.name,
                    code: finding.code.name(),
                    nature: finding.code.nature().name(),
                    meaning_zh: words.zh(),
                    meaning_en: words.en(),
                    ocid: finding.ocid.as_deref(),
                    release_id: finding.release_id.as_deref(),
                    pointer: &finding.pointer,
                    found: &finding.found,
                    made: &finding.made,
                };
                let written = serde_json::to_writer(&mut **report, &line).map_err(std::io::Error::from);
                written
                    .and_then(|()| report.write_all(b"\n"))
                    .map_err(|error| Fault::caused("write the report", error))?;
            }
        }
        if self.told.elapsed() >= TOLD_EVERY {
            self.told = Instant::now();
            let (releases, rate) = (counts.releases, self.rate(counts));
            (self.tell)(&format!("{}: {releases} releases, {rate} a second …", self.name));
        }
        Ok(())
    }
}
