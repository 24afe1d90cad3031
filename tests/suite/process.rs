//! The program itself as a process: started over data that outlives it, put under load, told to end or killed. For what a
//! server inside the test's own process cannot show.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use wardbook::db::conn::DatabaseUrl;
use wardbook::kernel::clock::Clock;
use wardbook::web::policy::Role;
use wardbook::web::token::Tokens;

use crate::faults::{PATIENCE, eventually};
use crate::harness::{NOWHERE, PostgresDatabase, Ward, account};

/// `on_both_sites! { fn name(site) { … } }`: as `on_both!`, but nothing is running yet.
#[macro_export]
macro_rules! on_both_sites {
    ($($(#[$doc:meta])* fn $name:ident($site:ident) $body:block)+) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            fn scenario($site: &$crate::process::Site) $body

            #[test]
            fn sqlite() {
                scenario(&$crate::process::Site::sqlite());
            }

            #[test]
            fn postgres() {
                if let Some(site) = $crate::process::Site::postgres() {
                    scenario(&site);
                }
            }
        }
    )+};
}

/// The service's address as its users see it: part of every token.
pub const PUBLIC_URL: &str = "http://ward.test";

/// Clients of a load, for each server.
const CLIENTS: usize = 4;

/// What outlives a process: the data directory with its keys, and the database.
pub struct Site {
    pub dir: TempDir,
    pub database: Option<PostgresDatabase>,
    /// Where in it the data is.
    data: PathBuf,
    started: AtomicUsize,
}

impl Site {
    pub fn sqlite() -> Self {
        Self::on(None)
    }

    pub fn postgres() -> Option<Self> {
        Some(Self::on(Some(PostgresDatabase::make()?)))
    }

    fn on(database: Option<PostgresDatabase>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            data: dir.path().join("data"),
            dir,
            database,
            started: AtomicUsize::new(0),
        }
    }

    /// What a ward leaves that a test has filled: it stops, and the program goes on over its data.
    pub fn left_by(mut ward: Ward) -> Self {
        if let Some(server) = ward.server.take() {
            server.stop().expect("the ward stops");
        }
        let dir = std::mem::replace(&mut ward.dir, tempfile::tempdir().unwrap());
        Self {
            data: dir.path().to_owned(),
            dir,
            database: ward.database.take(),
            started: AtomicUsize::new(0),
        }
    }

    /// Where the database is.
    pub fn database_url(&self) -> DatabaseUrl {
        match &self.database {
            Some(database) => DatabaseUrl::Postgres(database.url()),
            None => DatabaseUrl::Sqlite(self.data.join("wardbook.db")),
        }
    }

    /// The program over this data, configured by its environment alone.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let url = self.database.as_ref().map(PostgresDatabase::url);
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardbook"));
        command
            .args(arguments)
            .env_clear()
            .current_dir(self.dir.path())
            .env("WARDBOOK_DATA_DIR", &self.data)
            .env("WARDBOOK_DATABASE_URL", url.unwrap_or_default())
            .env("WARDBOOK_PUBLIC_URL", PUBLIC_URL)
            .env("WARDBOOK_LISTEN", "127.0.0.1:0")
            .env("WARDBOOK_JURISDICTION", NOWHERE)
            .env("WARDBOOK_WORKERS", "2")
            .env("WARDBOOK_DATABASE_READERS", "4")
            .env("WARDBOOK_DATABASE_WRITERS", "4")
            .env("WARDBOOK_RATE_PER_ADDRESS", "0")
            .env("WARDBOOK_RATE_PER_ACCOUNT", "0")
            .env("WARDBOOK_LOG_LEVEL", "warn,wardbook::audit=info");
        command
    }

    /// Starts a server and waits until it answers.
    pub fn serve(&self) -> Process {
        self.start().ready()
    }

    /// Starts a server.
    pub fn start(&self) -> Starting {
        self.start_with(&[])
    }

    /// Starts a server with more in its environment.
    pub fn start_with(&self, environment: &[(&str, String)]) -> Starting {
        let n = self.started.fetch_add(1, Ordering::SeqCst);
        let log = self.dir.path().join(format!("{n}.log"));
        let mut child = self
            .command(&["serve"])
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (line, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|said| line.send(said))
        });
        let process = Process {
            child,
            log,
            address: String::new(),
        };
        Starting { process, lines }
    }

    /// A token of the administrator's, signed as the program does it. There must have been a server.
    pub fn token(&self) -> String {
        let now = Clock::system().now();
        Tokens::open(&self.data.join("keys"), PUBLIC_URL, now)
            .and_then(|tokens| {
                tokens.issue(
                    &account(Role::Admin),
                    &[Role::Admin],
                    chrono::Duration::hours(1),
                    now,
                )
            })
            .unwrap()
    }
}

/// A server that may not answer yet.
pub struct Starting {
    process: Process,
    lines: mpsc::Receiver<String>,
}

impl Starting {
    /// Waits until it answers.
    pub fn ready(mut self) -> Process {
        let said = self.lines.recv_timeout(PATIENCE);
        let said = said.unwrap_or_else(|_| panic!("it did not start:\n{}", self.process.log()));
        let address = said.strip_prefix("wardbook listens on ").unwrap();
        address.clone_into(&mut self.process.address);
        self.process
    }
}

/// A running server; killed if the test forgets it.
pub struct Process {
    child: Child,
    log: PathBuf,
    address: String,
}

impl Process {
    /// An address on it.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// What it has written to standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Ends it without a word of warning (SIGKILL).
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(
            Command::new("/bin/sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        eventually("the process to end", || self.child.try_wait().unwrap())
    }

    /// A GET that must succeed.
    pub fn get(&self, path: &str) -> String {
        let mut reply = agent().get(self.url(path)).call().unwrap();
        assert_eq!(reply.status(), 200, "{path}");
        reply
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_string()
            .unwrap()
    }

    /// Adds a district under its own name as the idempotency key.
    pub fn add(&self, token: &str, parent: Option<&str>, name: &str) -> String {
        match add(&agent(), &self.address, token, parent, name) {
            Ok((201, id)) => id,
            other => panic!("{name}: {other:?}\n{}", self.log()),
        }
    }

    /// Entries in the newest checkpoint.
    pub fn log_size(&self) -> u64 {
        let checkpoint = self.get("/audit/checkpoint");
        checkpoint.lines().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{} said:\n{}", self.address, self.log());
        }
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .new_agent()
}

/// The status, and the new area's id or the code of the problem.
fn add(
    agent: &ureq::Agent,
    address: &str,
    token: &str,
    parent: Option<&str>,
    name: &str,
) -> Result<(u16, String), ureq::Error> {
    let mut reply = agent
        .post(format!("{address}/api/v1/areas"))
        .header("authorization", format!("Bearer {token}"))
        .header("idempotency-key", name)
        .content_type("application/json")
        .send(json!({ "parent_id": parent, "name_zh": name, "name_en": name }).to_string())?;
    let status = reply.status().as_u16();
    let body: Value = serde_json::from_str(&reply.body_mut().read_to_string()?).unwrap();
    let text = if status == 201 { &body["id"] } else { &body["code"] };
    Ok((status, text.as_str().unwrap().to_owned()))
}

/// What a load has done.
#[derive(Default)]
pub struct Load {
    /// Name and id of every area whose creation was acknowledged.
    pub acknowledged: BTreeMap<String, String>,
    /// Names for which no answer came.
    pub unanswered: Vec<String>,
    /// Status and code of every answer that was not 201.
    pub refused: Vec<(u16, String)>,
}

/// Puts servers under load, runs `act` meanwhile, and ends when it has returned. `act` can ask how many writes each server
/// has acknowledged. A client ends when its server no longer answers.
pub fn under_load(
    servers: &[String],
    token: &str,
    parent: &str,
    prefix: &str,
    act: impl FnOnce(&dyn Fn() -> Vec<usize>),
) -> Load {
    let stop = AtomicBool::new(false);
    let counts: Vec<AtomicUsize> = servers.iter().map(|_| AtomicUsize::new(0)).collect();
    let loads: Vec<Load> = std::thread::scope(|threads| {
        let mut clients = Vec::new();
        for (s, (address, count)) in servers.iter().zip(&counts).enumerate() {
            for client in 0..CLIENTS {
                let stop = &stop;
                clients.push(threads.spawn(move || {
                    let (agent, mut load) = (agent(), Load::default());
                    for n in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let name = format!("{prefix}-{s}-{client}-{n}");
                        match add(&agent, address, token, Some(parent), &name) {
                            Ok((201, id)) => {
                                load.acknowledged.insert(name, id);
                                count.fetch_add(1, Ordering::SeqCst);
                            }
                            Ok(refused) => load.refused.push(refused),
                            Err(_) => {
                                load.unanswered.push(name);
                                break;
                            }
                        }
                    }
                    load
                }));
            }
        }
        // Stops the clients even if `act` panics, so that the scope can end.
        let at_end = StopAtEnd(&stop);
        act(&|| counts.iter().map(|count| count.load(Ordering::SeqCst)).collect());
        drop(at_end);
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let mut whole = Load::default();
    for load in loads {
        whole.acknowledged.extend(load.acknowledged);
        whole.unanswered.extend(load.unanswered);
        whole.refused.extend(load.refused);
    }
    whole
}

struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
