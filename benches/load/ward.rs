//! The service, started for one measurement: the real program in a process of its own, over a fresh database.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use chrono::Duration;
use diesel::connection::SimpleConnection;
use diesel::deserialize::QueryableByName;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, RunQueryDsl};
use tempfile::TempDir;
use wardbook::app::settings::{Environment, Settings};
use wardbook::audit::store;
use wardbook::db::conn::{Access, DatabaseUrl, connect};
use wardbook::kernel::clock::Clock;
use wardbook::kernel::id;
use wardbook::web::policy::Role;
use wardbook::web::token::Tokens;

use crate::Which;
use crate::client::{self, Request};
use crate::machine::PLACE;

const POSTGRES: &str = "WARDBOOK_TEST_POSTGRES_URL";
const PUBLIC_URL: &str = "http://ward.test";

/// A kind of database to measure on.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file.
    Sqlite,
    /// A server on which databases may be made.
    Postgres(String),
}

/// Those that are wanted and there.
pub fn databases(wanted: Which) -> Vec<Database> {
    let mut databases = Vec::new();
    if wanted != Which::Postgres {
        databases.push(Database::Sqlite);
    }
    if wanted != Which::Sqlite {
        match std::env::var(POSTGRES) {
            Ok(server) => databases.push(Database::Postgres(server)),
            Err(_) => {
                println!("not measured on PostgreSQL: {POSTGRES} names no server (benches/run starts one)")
            }
        }
    }
    databases
}

#[derive(QueryableByName)]
struct Shown {
    #[diesel(sql_type = Text)]
    value: String,
}

impl Database {
    /// The name in the table.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// What it is and how durable.
    pub fn describe(&self) -> String {
        let Self::Postgres(server) = self else {
            return format!("SQLite {}, WAL, synchronous=FULL", rusqlite::version());
        };
        let mut conn = PgConnection::establish(server).expect("the PostgreSQL server answers");
        let mut show = |name: &str| {
            diesel::sql_query(format!("SELECT current_setting('{name}') AS value"))
                .get_result::<Shown>(&mut conn)
                .expect("a setting can be read")
                .value
        };
        let version = show("server_version");
        let settings = ["fsync", "synchronous_commit", "full_page_writes"];
        let settings = settings.map(|name| format!("{name}={}", show(name))).join(", ");
        format!("PostgreSQL {version}, {settings}")
    }

    /// A fresh one.
    pub fn make(&self) -> Made {
        let dir = TempDir::new_in(PLACE).expect("a directory can be made");
        match self {
            Self::Sqlite => Made {
                url: DatabaseUrl::Sqlite(dir.path().join("wardbook.db")),
                dir,
                on_server: None,
            },
            Self::Postgres(server) => {
                let name = id::mint("load", Clock::system().now());
                on(server, &format!("CREATE DATABASE {name}"));
                let (head, query) = server.split_once('?').unwrap_or((server, ""));
                let (base, _) = head.rsplit_once('/').expect("the server's URL names a database");
                let url = format!("{base}/{name}?{query}");
                Made {
                    url: DatabaseUrl::Postgres(url.trim_end_matches('?').to_owned()),
                    dir,
                    on_server: Some((server.clone(), name)),
                }
            }
        }
    }
}

fn on(server: &str, sql: &str) {
    let mut conn = PgConnection::establish(server).expect("the PostgreSQL server answers");
    conn.batch_execute(sql)
        .expect("databases can be made and dropped");
}

/// A database that is gone when this is.
pub struct Made {
    /// Its address.
    pub url: DatabaseUrl,
    /// A directory for it and whatever else.
    pub dir: TempDir,
    on_server: Option<(String, String)>,
}

impl Made {
    /// The size of its log, and how many events have no place in it yet.
    pub fn log(&self) -> (i64, usize) {
        let mut conn = connect(&self.url, Access::Read).expect("the database can be read");
        // In this order: what is placed between the two reads is in the size, and nothing waited when it was taken.
        let waiting = store::waiting(&mut conn, i64::MAX).expect("the log can be read");
        let size = store::last_checkpoint(&mut conn)
            .expect("the log can be read")
            .map_or(0, |last| last.size);
        (size, waiting.len())
    }
}

impl Made {
    /// The settings under which it is opened without a server.
    pub fn settings(&self) -> Settings {
        Settings {
            environment: Environment::Development,
            public_url: PUBLIC_URL.to_owned(),
            data_dir: self.dir.path().to_owned(),
            database_url: self.address(),
            ..Settings::default()
        }
    }

    fn address(&self) -> String {
        match &self.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        }
    }

    /// The service over it as it is by default, but for the limits of what one address and one account may ask for.
    pub fn serve(&self, workers: usize) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardbook"));
        command
            .arg("serve")
            .current_dir(self.dir.path())
            .env("WARDBOOK_LISTEN", "127.0.0.1:0")
            .env("WARDBOOK_PUBLIC_URL", PUBLIC_URL)
            .env("WARDBOOK_DATA_DIR", self.dir.path())
            .env("WARDBOOK_DATABASE_URL", self.address())
            .env("WARDBOOK_WORKERS", workers.to_string())
            .env("WARDBOOK_RATE_PER_ADDRESS", "0")
            .env("WARDBOOK_RATE_PER_ACCOUNT", "0");
        command
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.on_server {
            on(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

/// A server in a process of its own.
pub struct Served {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Served {
    /// Starts a program whose first line of output ends in the address that it listens on.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // The lines are made, at the level of the default; where they are kept is not measured here.
            .stderr(Stdio::null())
            .spawn()
            .expect("the server can be started");
        let mut line = String::new();
        let output = child.stdout.take().expect("the server's output");
        let read = BufReader::new(output).read_line(&mut line);
        let address = line
            .trim()
            .rsplit("//")
            .next()
            .and_then(|address| address.parse().ok());
        match (read, address) {
            (Ok(_), Some(address)) => Self { child, address },
            _ => {
                let _ = child.kill();
                panic!("the server did not start: {line:?}");
            }
        }
    }

    /// Seconds of processor time that it has used so far, of all its threads.
    pub fn cpu(&self) -> f64 {
        // The 14th and 15th value of the line (proc_pid_stat(5)), user and system, in hundredths of a second. The second
        // one, the program's name in brackets, may hold spaces.
        let line = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let rest = line.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: f64 = rest
            .split_ascii_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|ticks| ticks.parse::<f64>().ok())
            .sum();
        ticks / 100.0
    }

    /// Ends it as a power cut would: what it has acknowledged must be there all the same.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The service with an empty ward.
pub struct Ward {
    /// Its process; first, so that it ends before its database goes.
    pub served: Served,
    /// Its database.
    pub database: Made,
    /// Who may add areas.
    pub token: String,
}

impl Ward {
    /// Starts it as it is by default, but for the limits of what one address and one account may ask for.
    pub fn start(database: &Database, workers: usize, group_max: Option<usize>) -> Self {
        let made = database.make();
        let mut command = made.serve(workers);
        if let Some(group_max) = group_max {
            command.env("WARDBOOK_WRITE_GROUP_MAX", group_max.to_string());
        }
        let served = Served::start(&mut command);
        let now = Clock::system().now();
        let tokens =
            Tokens::open(&made.dir.path().join("keys"), PUBLIC_URL, now).expect("the keys can be read");
        let token = tokens
            .issue("user_load", &[Role::Admin], Duration::hours(1), now)
            .expect("a token");
        Self {
            served,
            database: made,
            token,
        }
    }

    /// Adds an area and gives its id.
    pub fn area(&self, parent: Option<&str>, name: &str) -> String {
        let body = serde_json::json!({ "parent_id": parent, "name_zh": name, "name_en": name }).to_string();
        let (status, answer) = client::ask(
            self.served.address,
            &Request::post("/api/v1/areas", &self.token, "", &body),
        );
        assert_eq!(status, 201, "{answer}");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("an area is JSON");
        answer["id"].as_str().expect("an area has an id").to_owned()
    }

    /// A street in a district in a city.
    pub fn street(&self) -> String {
        let city = self.area(None, "凤城市");
        let district = self.area(Some(&city), "凤鸣区");
        self.area(Some(&district), "梧桐街道")
    }
}
