//! The harness: opens a ward for one test, asks it things, and, when the test is over, checks that its log holds and
//! that its mail is accounted for. Never sleeps to wait for time to pass: the ward's clock is moved instead.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Once, OnceLock};
use std::time::{Duration, Instant as Stopwatch};

use chrono::{TimeZone, Utc};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel::{Connection, PgConnection, RunQueryDsl as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use wardbook::app::server::{House, Server};
use wardbook::app::settings::{ClockKind, Environment, Settings};
use wardbook::audit::note::Verifier;
use wardbook::audit::source::HttpSource;
use wardbook::audit::store;
use wardbook::audit::verdict::Verdict;
use wardbook::audit::verify::verify_log;
use wardbook::db::conn::DatabaseUrl;
use wardbook::db::migrate;
use wardbook::db::writer::Tx;
use wardbook::kernel::clock::Instant;
use wardbook::kernel::text::Language;
use wardbook::people::acts::{self, CreateAccount};
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::Role;

/// Names the database server that tests may make databases on; `tests/run` sets it.
const POSTGRES: &str = "WARDBOOK_TEST_POSTGRES_URL";
/// Set where it is an error that there is none.
const REQUIRED: &str = "WARDBOOK_TEST_REQUIRE_POSTGRES";
/// Held on the server by whoever looks whether the template is there, and makes it: a number of ours.
const TEMPLATE_LOCK: i64 = 7_723_901_144;

/// `on_both! { fn name(ward) { … } }`: a scenario as two tests, `name::sqlite` and `name::postgres`.
/// `on_both! { in "cn"; fn name(ward) { … } }`: in a ward to which the rules of that jurisdiction apply.
#[macro_export]
macro_rules! on_both {
    ($($(#[$doc:meta])* fn $name:ident($ward:ident) $body:block)+) => {
        $crate::on_both! { in $crate::harness::NOWHERE; $($(#[$doc])* fn $name($ward) $body)+ }
    };
    (in $jurisdiction:expr; $($(#[$doc:meta])* fn $name:ident($ward:ident) $body:block)+) => {$(
        $(#[$doc])*
        fn $name($ward: $crate::harness::Ward) $body

        // A module and a function may share a name.
        mod $name {
            #[test]
            fn sqlite() {
                super::$name($crate::harness::Ward::sqlite_in($jurisdiction));
            }

            #[test]
            fn postgres() {
                if let Some(ward) = $crate::harness::Ward::postgres_in($jurisdiction) {
                    super::$name(ward);
                }
            }
        }
    )+};
}

/// A jurisdiction whose rules nobody has loaded: in the log of a ward there is nothing at first but that it was started.
pub const NOWHERE: &str = "xx";

/// Where every test's clock begins: Monday, 2 March 2026, 08:00 in Shanghai.
pub fn start() -> Instant {
    Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap()
}

/// A database of one test on the PostgreSQL server; dropped with it.
pub struct PostgresDatabase {
    server: String,
    name: String,
}

impl PostgresDatabase {
    /// A fresh database, or `None`, said aloud, if there is no server to make it on.
    pub fn make() -> Option<Self> {
        static SAID: Once = Once::new();
        let Ok(server) = std::env::var(POSTGRES) else {
            assert!(
                std::env::var(REQUIRED).is_err(),
                "{REQUIRED} is set, but {POSTGRES} names no server"
            );
            SAID.call_once(|| {
                // Not eprintln!, which is shown only of tests that fail.
                let mut error = std::io::stderr();
                let said = writeln!(
                    error,
                    "NOT RUN ON POSTGRESQL: {POSTGRES} names no server (tests/run starts one)"
                );
                said.expect("standard error can be written to");
            });
            return None;
        };
        Some(Self::named(server, ""))
    }

    /// A copy of it as it stands. Nobody may be connected to it.
    pub fn copy(&self) -> Self {
        Self::named(self.server.clone(), &format!(" TEMPLATE {}", self.name))
    }

    /// A fresh database with everything that our migrations make, or `None` if there is no server.
    pub fn migrated() -> Option<Self> {
        static TEMPLATE: OnceLock<String> = OnceLock::new();
        let server = std::env::var(POSTGRES).ok();
        let Some(server) = server else {
            return Self::make();
        };
        let template = TEMPLATE.get_or_init(|| template(&server));
        // Files are copied in half the time that it takes to write all their pages into the log of changes.
        static STRATEGY: OnceLock<&str> = OnceLock::new();
        let strategy = STRATEGY.get_or_init(|| strategy(&server));
        let how = format!(" TEMPLATE {template}{strategy}");
        Some(Self::named(server, &how))
    }

    fn named(server: String, how: &str) -> Self {
        let name = wardbook::kernel::id::mint("t", Utc.timestamp_opt(1_780_000_000, 0).unwrap());
        let unique = format!("{name}_{}", std::process::id());
        let mut conn = PgConnection::establish(&server).expect("the PostgreSQL server answers");
        conn.batch_execute(&format!("CREATE DATABASE {unique}{how}"))
            .expect("a database can be made");
        Self { server, name: unique }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        let (head, query) = self
            .server
            .split_once('?')
            .map_or((self.server.as_str(), None), |(h, q)| (h, Some(q)));
        let (base, _) = head.rsplit_once('/').expect("the server's URL has a database");
        format!(
            "{base}/{}{}",
            self.name,
            query.map(|query| format!("?{query}")).unwrap_or_default()
        )
    }

    /// Lets nobody connect to it, or everybody again. Who is connected stays so.
    pub fn allow_connections(&self, allowed: bool) {
        let mut conn = PgConnection::establish(&self.server).expect("the PostgreSQL server answers");
        conn.batch_execute(&format!(
            "ALTER DATABASE {} ALLOW_CONNECTIONS {allowed}",
            self.name
        ))
        .expect("a database can be closed");
    }

    /// Something that ends every connection to it, as a failing network does, and returns when they are gone.
    pub fn cutter(&self) -> impl Fn() + Send + Sync + use<> {
        let (server, name) = (self.server.clone(), self.name.clone());
        move || {
            let mut conn = PgConnection::establish(&server).expect("the PostgreSQL server answers");
            conn.batch_execute(&format!(
                "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = '{name}'"
            ))
            .expect("connections can be ended");
        }
    }
}

/// How this server is told to copy files; before PostgreSQL 15 it knows nothing else.
fn strategy(server: &str) -> &'static str {
    let mut conn = PgConnection::establish(server).expect("the PostgreSQL server answers");
    let knows_it = "current_setting('server_version_num')::integer >= 150000";
    let knows_it: bool = diesel::select(sql::<Bool>(knows_it))
        .get_result(&mut conn)
        .expect("the server has a version");
    if knows_it { " STRATEGY FILE_COPY" } else { "" }
}

/// The bytes of an SQLite database in which the migrations have run.
fn migrated_file() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("wardbook.db");
        migrate::up(&DatabaseUrl::Sqlite(file.clone())).expect("the migrations run");
        std::fs::read(file).unwrap()
    })
}

/// The name of a database on this server in which the migrations of today have run: copying it takes half the time of running
/// them. Made by whichever test comes first, of all processes, and left there for the next run, by a name that changes with
/// the migrations.
fn template(server: &str) -> String {
    let name = format!("wardbook_template_{}", hex::encode(&migrations_sha256()[..8]));
    let mut conn = PgConnection::establish(server).expect("the PostgreSQL server answers");
    let run = |conn: &mut PgConnection, statement: String| {
        conn.batch_execute(&statement).expect("a template can be made");
    };
    run(&mut conn, format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})"));
    let is_there = format!("EXISTS (SELECT 1 FROM pg_database WHERE datname = '{name}')");
    let is_there: bool = diesel::select(sql::<Bool>(&is_there))
        .get_result(&mut conn)
        .expect("databases can be listed");
    if !is_there {
        let making = PostgresDatabase {
            server: server.to_owned(),
            name: format!("{name}_making"),
        };
        run(
            &mut conn,
            format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", making.name),
        );
        run(&mut conn, format!("CREATE DATABASE {}", making.name));
        migrate::up(&making.url().parse().expect("a URL of PostgreSQL")).expect("the migrations run");
        // Nobody may be connected to what is copied.
        making.cutter()();
        run(
            &mut conn,
            format!("ALTER DATABASE {} RENAME TO {name}", making.name),
        );
        run(
            &mut conn,
            format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
        );
    }
    run(&mut conn, format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})"));
    name
}

/// A hash of the migrations as they lie in the source.
fn migrations_sha256() -> [u8; 32] {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("up.sql"))
        .collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(std::fs::read(file).unwrap());
    }
    hash.finalize().into()
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        if let Ok(mut conn) = PgConnection::establish(&self.server) {
            let _ = conn.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

/// A ward that is served for one test.
pub struct Ward {
    /// The server; taken to stop it.
    pub server: Option<Server>,
    /// Its data directory, and whatever else the test wants to keep.
    pub dir: TempDir,
    /// Its database, if that is on PostgreSQL.
    pub database: Option<PostgresDatabase>,
    /// False if the test has broken the log on purpose.
    pub log_must_hold: bool,
    agent: ureq::Agent,
}

impl Ward {
    /// A ward on SQLite.
    pub fn sqlite() -> Self {
        Self::sqlite_in(NOWHERE)
    }

    /// A ward on SQLite to which these rules apply.
    pub fn sqlite_in(jurisdiction: &str) -> Self {
        Self::with(None, |settings| settings.jurisdiction = jurisdiction.to_owned())
    }

    /// A ward on PostgreSQL, if there is a server.
    pub fn postgres() -> Option<Self> {
        Self::postgres_in(NOWHERE)
    }

    /// A ward on PostgreSQL to which these rules apply, if there is a server.
    pub fn postgres_in(jurisdiction: &str) -> Option<Self> {
        let database = PostgresDatabase::migrated()?;
        let change = |settings: &mut Settings| settings.jurisdiction = jurisdiction.to_owned();
        Some(Self::with(Some(database), change))
    }

    /// A ward with settings of its own.
    pub fn with(database: Option<PostgresDatabase>, change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        if database.is_none() {
            let file = dir.path().join("wardbook.db");
            std::fs::write(&file, migrated_file()).unwrap();
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        }
        Self::over(dir, database, change)
    }

    /// A ward over data that is there already.
    pub fn over(
        dir: TempDir,
        database: Option<PostgresDatabase>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = settings_in(&dir, database.as_ref());
        change(&mut settings);
        let server = Server::start(settings, start()).expect("the ward opens");
        Self {
            server: Some(server),
            dir,
            database,
            log_must_hold: true,
            agent: agent(),
        }
    }

    /// Stops the server and starts it again over the same data, with other settings if the test wants. The rules that apply
    /// stay the same.
    pub fn restart(&mut self, change: impl FnOnce(&mut Settings)) {
        let house = self.server.as_ref().and_then(|server| server.house.as_ref());
        let jurisdiction = house.map(|house| house.settings.jurisdiction.clone());
        if let Some(server) = self.server.take() {
            server.stop().expect("the ward stops");
        }
        let mut settings = settings_in(&self.dir, self.database.as_ref());
        settings.jurisdiction = jurisdiction.unwrap_or(settings.jurisdiction);
        change(&mut settings);
        self.server = Some(Server::start(settings, start()).expect("the ward opens again"));
    }

    /// The server.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("the server runs")
    }

    /// The inside of the server.
    pub fn house(&self) -> &House {
        self.server().house.as_ref().expect("the house is open")
    }

    /// The shared state of the server.
    pub fn context(&self) -> &wardbook::web::context::Context {
        &self.house().context
    }

    /// An address on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server().address)
    }

    /// A token for somebody in this role, always the same account for the same role.
    pub fn token(&self, role: Role) -> String {
        let now = self.context().clock.now();
        self.context()
            .tokens
            .issue(&account(role), &[role], chrono::Duration::hours(24), now)
            .unwrap()
    }

    /// Makes an account that holds these roles, and signs it in with its password.
    pub fn person(&self, name: &str, grants: &[Grant]) -> Person {
        let password = format!("{name} walks under seven plane trees");
        let gate = &self.server().house.as_ref().expect("the house is open").gate;
        let command = CreateAccount {
            email: format!("{name}@people.example").parse().unwrap(),
            display_name: name.to_owned(),
            language: Language::Chinese,
            password_hash: Some(gate.hasher.hash_and_wait(&password).unwrap()),
            grants: grants.to_vec(),
        };
        let create = move |tx: &mut Tx<'_>| acts::create(tx, &Actor::system(), &command);
        let account = self.context().db.write_and_wait(create).unwrap();
        let email = format!("{name}@people.example");
        let signed_in = self.sign_in(&email, &password);
        assert_eq!(signed_in.status, 201, "{}", signed_in.text);
        let tokens = signed_in.json();
        Person {
            id: account.id.to_string(),
            email,
            password,
            tokens,
        }
    }

    /// Signs in with a password.
    pub fn sign_in(&self, email: &str, password: &str) -> Reply {
        let body = serde_json::json!({ "email": email, "password": password });
        self.ask("POST", "/api/v1/sessions").json(&body).send()
    }

    /// Begins a request.
    pub fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask {
            ward: self,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// A GET by nobody in particular.
    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path).send()
    }

    /// A POST of JSON by the administrator.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path).by(Role::Admin).json(body).send()
    }

    /// Adds an area and returns its id.
    pub fn area(&self, parent: Option<&str>, name: &str) -> String {
        let body = serde_json::json!({ "parent_id": parent, "name_zh": name, "name_en": name });
        let reply = self.post("/api/v1/areas", &body);
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// Waits until every event has its place in the log: at once on SQLite, a moment on PostgreSQL.
    pub fn settle(&self) {
        let begun = Stopwatch::now();
        loop {
            let waiting = self
                .context()
                .db
                .read_and_wait(|conn| store::waiting(conn, 1))
                .unwrap();
            if waiting.is_empty() {
                return;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "the sequencer does not keep up"
            );
            std::thread::yield_now();
        }
    }

    /// Events of a type, oldest first, as the auditor sees them.
    pub fn events(&self, kind: &str) -> Vec<Value> {
        self.settle();
        let reply = self
            .ask("GET", &format!("/api/v1/audit/events?limit=200&type={kind}"))
            .by(Role::Auditor)
            .send();
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["items"].as_array().unwrap().clone()
    }

    /// What the verifier, which trusts nobody, says of the log.
    pub fn verdict(&self) -> Verdict {
        self.settle();
        let key: Verifier = self.get("/audit/key").text.trim().parse().unwrap();
        verify_log(&HttpSource::new(&self.url("/audit")), &key, None, &mut |_, _| {})
    }
}

impl Drop for Ward {
    fn drop(&mut self) {
        if self.server.is_some() && self.log_must_hold && !std::thread::panicking() {
            let verdict = self.verdict();
            assert_eq!(verdict.exit_code(), 0, "{verdict}");
            assert_eq!(crate::outbox::impossible(self), Vec::<String>::new());
            let ledger = self.context().db.read_and_wait(wardbook::budget::verify::verify);
            let ledger = ledger.unwrap();
            assert!(ledger.holds(), "{ledger}");
        }
    }
}

/// Somebody with an account, signed in.
pub struct Person {
    /// The account.
    pub id: String,
    /// Its mail address.
    pub email: String,
    /// Its password.
    pub password: String,
    /// What signing in has given.
    pub tokens: Value,
}

impl Person {
    /// The access token.
    pub fn access(&self) -> &str {
        self.tokens["access_token"].as_str().unwrap()
    }

    /// The first refresh token.
    pub fn refresh(&self) -> &str {
        self.tokens["refresh_token"].as_str().unwrap()
    }
}

/// Settings of a test: a fresh directory, a free port, a simulated clock, no limits that a busy test would meet.
pub fn settings_in(dir: &TempDir, database: Option<&PostgresDatabase>) -> Settings {
    Settings {
        environment: Environment::Development,
        clock: ClockKind::Simulated,
        listen: "127.0.0.1:0".parse().unwrap(),
        public_url: "http://ward.test".to_owned(),
        data_dir: dir.path().to_owned(),
        database_url: database.map(PostgresDatabase::url).unwrap_or_default(),
        jurisdiction: NOWHERE.to_owned(),
        // Each worker compiles the patterns of all routes, which takes longer than most tests.
        workers: 1,
        database_readers: 4,
        database_writers: 4,
        rate_per_address: 0,
        rate_per_account: 0,
        shutdown_timeout_seconds: 5,
        // As cheap as argon2 allows: what is tested is not its strength.
        password_memory_kib: 64,
        password_passes: 1,
        ..Settings::default()
    }
}

/// The account that acts in a role.
pub fn account(role: Role) -> String {
    format!("user_{}", role.name())
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .max_redirects(0)
        .build()
        .new_agent()
}

/// A request being put together.
pub struct Ask<'w> {
    ward: &'w Ward,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Ask<'_> {
    /// By somebody in this role; `public` says nothing of who it is.
    pub fn by(self, role: Role) -> Self {
        if role == Role::Public {
            return self;
        }
        let token = self.ward.token(role);
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// In a session.
    pub fn in_session(self, access_token: &str) -> Self {
        self.header("authorization", &format!("Bearer {access_token}"))
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().into_bytes())
    }

    /// With a body of this kind.
    pub fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", kind)
    }

    /// Sends it, and gives the bytes of an answer that is no text.
    pub fn bytes(self) -> Vec<u8> {
        let (reply, bytes) = self.answered();
        assert_eq!(reply.status, 200, "{}", reply.text);
        bytes
    }

    /// Sends it.
    pub fn send(self) -> Reply {
        self.answered().0
    }

    fn answered(self) -> (Reply, Vec<u8>) {
        let mut request = ureq::http::Request::builder()
            .method(self.method.as_str())
            .uri(self.ward.url(&self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let sent = match self.body {
            Some(body) => self.ward.agent.run(request.body(body).unwrap()),
            None => self.ward.agent.run(request.body(()).unwrap()),
        };
        let mut response = sent.unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path));
        let headers = response
            .headers()
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_str().unwrap_or_default().to_owned()));
        let headers = headers.collect();
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_vec()
            .unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        let reply = Reply {
            status,
            headers,
            text,
        };
        (reply, body)
    }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub text: String,
}

impl Reply {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The `code` of a problem document.
    pub fn code(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        self.json()["code"].as_str().unwrap().to_owned()
    }

    /// The `pointer` and `code` of every fault in a problem document.
    pub fn faults(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let json = self.json();
        let errors = json["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| (text(&error["pointer"]), text(&error["code"])))
            .collect()
    }
}
