//! The command line. Parses, calls one thing of `app/` or of a slice, prints, and turns what happened into an exit code:
//! 0 done, 1 not done or does not hold, 2 wrong usage or cannot tell.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::Duration;
use clap::{Args, Parser, Subcommand};

use crate::app::first_admin::{account, role};
use crate::app::server::{House, Server};
use crate::app::settings::{ClockKind, Environment, Settings};
use crate::app::{
    bid_files, bid_receipts, demo, demo_service, first_admin, health, logging, open_data, openapi,
    opening_verification, panel_verification, recompute, share_files,
};
use crate::audit::note::Verifier;
use crate::audit::verify::verify_log;
use crate::audit::{mirror, source};
use crate::db::migrate;
use crate::kernel::refusal::Fault;
use crate::web::policy::Role;

#[derive(Parser)]
#[command(
    name = "wardbook",
    version,
    about = "The system of record through which a city ward buys its everyday public services"
)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Options {
    /// Configuration file [default: wardbook.toml, if it is there]
    #[arg(long, global = true, env = "WARDBOOK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// sqlite://path or postgres://…
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Directory of everything that is not configuration
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the ward
    Serve,
    /// Make a demo ward with a simulated clock, say who can sign in, and serve it
    Demo {
        /// Begin anew: delete what an earlier demo left in the data directory
        #[arg(long)]
        fresh: bool,
    },
    /// Bring the database up to this version, take steps back, or show where it stands
    Migrate {
        #[command(subcommand)]
        what: Option<Migrate>,
    },
    /// Print the OpenAPI document
    Openapi {
        /// Compare it with this file instead; exit code 1 if they differ
        #[arg(long, value_name = "FILE")]
        check: Option<PathBuf>,
        /// Write it to this file instead
        #[arg(long, value_name = "FILE", conflicts_with = "check")]
        write: Option<PathBuf>,
    },
    /// Check something without trusting the server
    Verify {
        #[command(subcommand)]
        what: Verify,
    },
    /// Reckon something again from what it rests on, without trusting the server
    Recompute {
        #[command(subcommand)]
        what: recompute::OnRecompute,
    },
    /// Read in what others have published
    Import {
        #[command(subcommand)]
        what: open_data::OnImports,
    },
    /// Write something out as files
    Export {
        #[command(subcommand)]
        what: Export,
    },
    /// Write the whole ward into one file, while it is served
    Backup {
        /// The file; it must not exist yet
        file: PathBuf,
        /// Leave the keys out: without the log's key nobody can go on with the restored ward
        #[arg(long)]
        without_keys: bool,
    },
    /// Load a backup into an empty database, of either kind
    Restore {
        /// The backup
        file: PathBuf,
        /// Restore although the log was signed further than the backup goes, and record that in the log
        #[arg(long)]
        accept_loss: bool,
    },
    /// Seal a bid, or reopen one, on this machine; no server is asked
    Bid {
        #[command(subcommand)]
        what: bid_files::OnBids,
    },
    /// What a witness of openings does on a machine of their own; no server is asked
    Share {
        #[command(subcommand)]
        what: share_files::OnShares,
    },
    /// Ask a running server whether it is ready; exit code 1 if not
    Health,
    /// What only an operator on this machine may do
    Admin {
        #[command(subcommand)]
        what: Admin,
    },
}

#[derive(Subcommand)]
enum Migrate {
    /// Apply what is pending (the default)
    Up,
    /// Take the newest migrations back, with their data
    Down {
        /// How many
        #[arg(default_value_t = 1)]
        count: usize,
    },
    /// Show what is applied and what is pending
    Status,
}

#[derive(Subcommand)]
enum Verify {
    /// Rebuild every tile and the root of a log; 0: it holds, 1: it does not, 2: cannot tell
    Log {
        /// The log's address (https://ward.example/audit) or a directory with its files
        place: String,
        /// The log's key, as you were given it by somebody else than the server; or a file that holds it
        #[arg(long)]
        key: String,
        /// A checkpoint you kept: the log must be a continuation of it
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
    },
    /// Check a receipt for a bid, without asking any server; 0: it holds, 1: it does not, 2: cannot tell
    Receipt(bid_receipts::Asked),
    /// Open every bid of an opening again, by the key in its record, and compare; 0: it holds, 1: it does not, 2: cannot tell
    Opening(opening_verification::OfOpening),
    /// Draw a panel again by the seeds in its record, and compare; 0: it holds, 1: it does not, 2: cannot tell
    Panel(panel_verification::OfPanel),
    /// Read every file that an attachment has and compare it with its hash; 0: they hold, 1: they do not, 2: cannot tell
    Files,
    /// Add up every entry of the ledger and compare with its balances; 0: it holds, 1: it does not, 2: cannot tell
    Ledger,
}

#[derive(Subcommand)]
enum Export {
    /// The log as static files, which any web server can serve and `verify log` can check
    Log {
        /// A directory; made if it is missing
        directory: PathBuf,
    },
}

#[derive(Subcommand)]
enum Admin {
    /// Issue an access token
    Token {
        /// The account, `user_…`
        #[arg(long, value_parser = account)]
        subject: String,
        /// A role; may be given several times
        #[arg(long = "role", required = true, value_parser = role)]
        roles: Vec<Role>,
        /// How long it is valid, at most 1440
        #[arg(long, default_value_t = 15, value_name = "MINUTES")]
        minutes: u32,
    },
    /// Make an account that is taken over by the link printed here; for when nobody can sign in to invite them
    Invite {
        /// Their mail address
        #[arg(long)]
        email: String,
        /// A role of the platform
        #[arg(long, default_value = "admin", value_parser = role)]
        role: Role,
    },
    /// Measure what was never measured of the ledger, and make the totals of spending anew, while the ward is served
    RebuildSpending,
    /// Make a new key that signs access tokens from now on; tokens of the old ones stay valid until they expire
    RotateTokenKey,
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let Cli { options, command } = Cli::parse();
    match execute(&options, command) {
        Ok(code) => code,
        Err(fault) => {
            say_error(&fault.to_string());
            ExitCode::FAILURE
        }
    }
}

fn execute(options: &Options, command: Command) -> Result<ExitCode, Fault> {
    match command {
        Command::Openapi { check, write } => return openapi_command(check.as_deref(), write.as_deref()),
        Command::Verify {
            what: Verify::Log { place, key, since },
        } => return verify(&place, &key, since.as_deref()),
        Command::Verify {
            what: Verify::Opening(of),
        } => {
            let (told, code) = opening_verification::told(of);
            say(&told);
            return Ok(ExitCode::from(code));
        }
        Command::Verify {
            what: Verify::Panel(of),
        } => {
            let (told, code) = panel_verification::told(&of);
            say(&told);
            return Ok(ExitCode::from(code));
        }
        Command::Bid { what } => return printed(&bid_files::run(what)?),
        Command::Share { what } => return printed(&share_files::run(what)?),
        Command::Recompute { what } => {
            return Ok(ExitCode::from(recompute::run(&what, &say, &say_error)?));
        }
        Command::Verify {
            what: Verify::Receipt(asked),
        } => {
            let checked = bid_receipts::check(&asked);
            say(&checked.told);
            return Ok(ExitCode::from(checked.exit_code));
        }
        _ => {}
    }
    let mut settings = load(options)?;
    match command {
        Command::Serve => {
            let _logging = logging::start(&settings)?;
            serve(settings)
        }
        Command::Demo { fresh } => {
            settings.environment = Environment::Development;
            settings.clock = ClockKind::Simulated;
            let _logging = logging::start(&settings)?;
            demo_command(settings, fresh)
        }
        Command::Migrate { what } => migrate_command(&settings, &what.unwrap_or(Migrate::Up)),
        Command::Export {
            what: Export::Log { directory },
        } => {
            let house = House::open(settings, demo::start())?;
            let size = house
                .context
                .db
                .read_and_wait(|conn| mirror::write(conn, &directory))
                .map_err(|stop| Fault::caused("export the log", stop))?;
            say(&format!("{size} entries written to {}", directory.display()));
            Ok(ExitCode::SUCCESS)
        }
        Command::Import { what } => {
            let holds = open_data::run(settings, &what, (&say, &say_error))?;
            Ok(holds.map_or_else(|| ExitCode::from(2), |holds| ExitCode::from(u8::from(!holds))))
        }
        Command::Verify { what: Verify::Files } => Ok(verify_files(&settings)),
        Command::Verify { what: Verify::Ledger } => Ok(verify_ledger(settings)),
        Command::Backup { file, without_keys } => backup(&settings, &file, !without_keys),
        Command::Restore { file, accept_loss } => restore(&settings, &file, accept_loss),
        Command::Health => {
            let (is_ready, told) = health::asked(&settings);
            if is_ready {
                say(&told)
            } else {
                say_error(&told)
            }
            Ok(ExitCode::from(u8::from(!is_ready)))
        }
        Command::Admin { what } => admin(settings, what),
        Command::Openapi { .. }
        | Command::Bid { .. }
        | Command::Share { .. }
        | Command::Recompute { .. }
        | Command::Verify { .. } => Ok(ExitCode::SUCCESS),
    }
}

fn load(options: &Options) -> Result<Settings, Fault> {
    let given = [
        ("listen", &options.listen),
        ("database_url", &options.database_url),
        ("data_dir", &options.data_dir),
    ];
    let flags: Vec<(&str, String)> = given
        .into_iter()
        .filter_map(|(name, value)| value.clone().map(|value| (name, value)))
        .collect();
    Settings::load(options.config.as_deref(), std::env::vars(), &flags)
}

fn serve(settings: Settings) -> Result<ExitCode, Fault> {
    let server = Server::start(settings, demo::start())?;
    say(&format!("wardbook listens on http://{}", server.address));
    if let Some(house) = &server.house {
        let link =
            first_admin::offer(house).map_err(|stop| Fault::caused("offer the first account", stop))?;
        if let Some(link) = link {
            say(
                "There is no administrator yet. Whoever has this link becomes one; it is good once, for 24 hours:",
            );
            say(&link);
        }
    }
    server.wait()?;
    Ok(ExitCode::SUCCESS)
}

fn demo_command(mut settings: Settings, fresh: bool) -> Result<ExitCode, Fault> {
    if fresh && !settings.database_url.is_empty() {
        return Err(Fault::broken(
            "--fresh deletes the demo's own SQLite file only; empty a database of your own yourself",
        ));
    }
    settings.data_dir = settings.data_dir.join("demo");
    demo::name_ward(&mut settings);
    if fresh && settings.data_dir.exists() {
        std::fs::remove_dir_all(&settings.data_dir)
            .map_err(|error| Fault::caused("delete the old demo", error))?;
    }
    let server = Server::start(settings, demo::start())?;
    if let Some(house) = &server.house {
        demo::make(house).map_err(|stop| {
            Fault::caused(
                "make the demo ward; one that another version has begun is begun anew with --fresh",
                stop,
            )
        })?;
        let address = server.address;
        say(&format!(
            "The demo ward 凤鸣区 梧桐街道 is served at http://{address}"
        ));
        say(&format!("  API        http://{address}/docs"));
        say(&format!("  areas      http://{address}/api/v1/areas"));
        say(&format!("  the log    http://{address}/audit/checkpoint"));
        say(&format!(
            "  mail       {}",
            house.settings.data_dir.join("mail").display()
        ));
        say("\nTwo contracts were signed in March. The one for the older estates is served and paid:");
        let sights = demo_service::sights(house, &address.to_string());
        for (name, place) in sights.map_err(|stop| Fault::caused("look at the demo ward", stop))? {
            say(&format!("  {name:<24} {place}"));
        }
        say(&format!(
            "\nEverybody's password is {}; no second factor is asked for here. Sign in with\n  \
             curl -s http://{address}/api/v1/sessions -H 'Content-Type: application/json' \
             -d '{{\"email\":\"{}\",\"password\":\"{}\"}}'",
            demo::PASSWORD,
            demo::address_of("admin"),
            demo::PASSWORD,
        ));
        say("The clock stands still until POST /api/v1/dev/clock moves it. Who can sign in:");
        for line in demo::people() {
            say(&format!("  {line}"));
        }
    }
    server.wait()?;
    Ok(ExitCode::SUCCESS)
}

fn migrate_command(settings: &Settings, what: &Migrate) -> Result<ExitCode, Fault> {
    let url = settings.database()?;
    match what {
        Migrate::Up => {
            crate::web::secret_file::private_directory(&settings.data_dir)?;
            let done = migrate::up(&url)?;
            say(&if done.is_empty() {
                "nothing to do".to_owned()
            } else {
                format!("applied {}", done.join(", "))
            });
        }
        Migrate::Down { count } => {
            let done = migrate::down(&url, *count)?;
            say(&if done.is_empty() {
                "nothing to do".to_owned()
            } else {
                format!("took back {}", done.join(", "))
            });
        }
        Migrate::Status => {
            let status = migrate::status(&url)?;
            for version in status.applied {
                say(&format!("{version} applied"));
            }
            for version in status.pending {
                say(&format!("{version} pending"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn openapi_command(check: Option<&Path>, write: Option<&Path>) -> Result<ExitCode, Fault> {
    let text = openapi::text()?;
    let named = |path: &Path, error| Fault::caused(path.display().to_string(), error);
    if let Some(path) = write {
        std::fs::write(path, text).map_err(|error| named(path, error))?;
    } else if let Some(path) = check {
        let known = std::fs::read_to_string(path).map_err(|error| named(path, error))?;
        if known != text {
            say_error(&format!(
                "{0} is not what the code gives; run `wardbook openapi --write {0}`",
                path.display()
            ));
            return Ok(ExitCode::FAILURE);
        }
    } else {
        say(text.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(place: &str, key: &str, since: Option<&Path>) -> Result<ExitCode, Fault> {
    let key = std::fs::read_to_string(key).unwrap_or_else(|_| key.to_owned());
    let verifier: Verifier = match key.trim().parse() {
        Ok(verifier) => verifier,
        Err(error) => {
            say_error(&format!(
                "--key is neither a verifier key nor a file that holds one: {error}"
            ));
            return Ok(ExitCode::from(2));
        }
    };
    let since = match since.map(std::fs::read).transpose() {
        Ok(since) => since,
        Err(error) => {
            say_error(&format!("--since: {error}"));
            return Ok(ExitCode::from(2));
        }
    };
    let verdict = verify_log(
        &*source::open(place),
        &verifier,
        since.as_deref(),
        &mut |done, size| {
            if done % 25_600 == 0 && done > 0 {
                say_error(&format!("{done} of {size} entries …"));
            }
        },
    );
    say(&verdict.to_string());
    Ok(ExitCode::from(verdict.exit_code()))
}

fn printed(output: &[u8]) -> Result<ExitCode, Fault> {
    let mut out = std::io::stdout();
    // That nobody reads it any more is no fault of the command's.
    let _ = out.write_all(output).and_then(|()| out.write_all(b"\n"));
    Ok(ExitCode::SUCCESS)
}

fn verify_files(settings: &Settings) -> ExitCode {
    let told = |done| say_error(&format!("{done} files …"));
    let verdict = crate::app::files::verify(settings, &mut { told });
    found(verdict.map(|verdict| (verdict.to_string(), verdict.exit_code())))
}

fn verify_ledger(settings: Settings) -> ExitCode {
    let verdict = crate::app::ledger::verify(settings);
    found(verdict.map(|verdict| (verdict.to_string(), u8::from(!verdict.holds()))))
}

/// Tells what was found, or that nobody can tell.
fn found(verdict: Result<(String, u8), Fault>) -> ExitCode {
    match verdict {
        Ok((told, code)) => {
            say(told.trim_end());
            ExitCode::from(code)
        }
        Err(fault) => {
            say_error(&fault.to_string());
            ExitCode::from(2)
        }
    }
}

fn backup(settings: &Settings, file: &Path, with_keys: bool) -> Result<ExitCode, Fault> {
    let made = crate::app::backup::make(settings, file, with_keys, &mut tell_rows)?;
    say(&format!("{made} written to {}", file.display()));
    if made.keys > 0 {
        say_error(
            "The file holds the ward's keys: whoever has it can sign in the ward's name. Keep it as safe as them.",
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn restore(settings: &Settings, file: &Path, accept_loss: bool) -> Result<ExitCode, Fault> {
    if !file.is_file() {
        say_error(&format!("{} is not a file", file.display()));
        return Ok(ExitCode::from(2));
    }
    let done = crate::app::restore::restore(settings, file, accept_loss, &mut tell_rows)?;
    say(&format!("{} restored from {}", done.backup, file.display()));
    for remark in done.remarks {
        say_error(&remark);
    }
    Ok(ExitCode::SUCCESS)
}

fn tell_rows(table: &str, rows: u64) {
    say_error(&format!("{table}: {rows} rows"));
}

fn admin(settings: Settings, what: Admin) -> Result<ExitCode, Fault> {
    let house = House::open(settings, demo::start())?;
    let context = house.context.clone();
    let now = context.clock.now();
    match what {
        Admin::Token {
            subject,
            roles,
            minutes,
        } => {
            say(&context
                .tokens
                .issue(&subject, &roles, Duration::minutes(i64::from(minutes)), now)?);
        }
        Admin::Invite { email, role } => {
            let link = first_admin::invite(&house, first_admin::address(&email)?, role)
                .map_err(|stop| Fault::caused("invite", stop))?;
            say(&link);
        }
        Admin::RebuildSpending => {
            let measured = crate::app::ledger::rebuild_spending(&house)?;
            say(&format!("{measured} transfers measured; totals made anew"));
        }
        Admin::RotateTokenKey => {
            let kid = crate::app::keys::rotate(&house)
                .map_err(|stop| Fault::caused("rotate the token key", stop))?;
            say(&format!("new key {kid}"));
        }
    }
    house.close();
    Ok(ExitCode::SUCCESS)
}

/// The output of a command. That nobody reads it any more is no reason to stop a server.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[expect(clippy::print_stderr, reason = "the output of a command")]
fn say_error(line: &str) {
    eprintln!("{line}");
}
