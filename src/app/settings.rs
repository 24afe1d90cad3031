//! The configuration: flags over `WARDBOOK_*` environment over `wardbook.toml` over defaults that work. A setting that
//! does not exist is an error, because a misspelt limit would otherwise be no limit. `wardbook.example.toml` shows all of
//! them; a test compares.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use config::{Config, File, FileFormat, Value, ValueKind};
use ipnet::IpNet;
use serde::Deserialize;

use crate::db::conn::DatabaseUrl;
use crate::db::database::Limits;
use crate::db::writer::WriterLimits;
use crate::files::media::MediaType;
use crate::kernel::calendar::Calendar;
use crate::kernel::refusal::Fault;
use crate::kernel::text::Text;
use crate::people::gate::SignInSettings;
use crate::people::hashing::Cost;
use crate::people::rules_roles::SECOND_FACTOR_ROLES;
use crate::statutes::built_in;
use crate::statutes::profile::Jurisdiction;
use crate::web::context::WebSettings;
use crate::web::policy::Role;

/// Whether lives depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// The real thing: no simulated clock.
    Production,
    /// For trying out and for tests.
    Development,
}

/// Where time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// The machine.
    System,
    /// A clock that stands still until `POST /api/v1/dev/clock` moves it.
    Simulated,
}

/// How the service writes its log of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON document a line.
    Json,
}

/// Where mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTransport {
    /// Into files in the data directory: for trying out, and until a mail server is configured.
    File,
    /// To a mail server.
    Smtp,
}

/// How the way to the mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// Not at all: only for a server on the same machine.
    None,
    /// By STARTTLS, which the server must offer.
    Starttls,
    /// By TLS from the first byte.
    Tls,
}

/// A setting that is never printed.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "hidden" })
    }
}

/// All settings, with their defaults.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `production` or `development`.
    pub environment: Environment,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// The service's address as its users see it; empty: `http://` and `listen`.
    pub public_url: String,
    /// Directory of everything that is not configuration.
    pub data_dir: PathBuf,
    /// `sqlite://path` or `postgres://…`; empty: `wardbook.db` in `data_dir`.
    pub database_url: String,
    /// A replica for reads; empty: none.
    pub database_read_url: String,
    /// Directory of the keys; empty: `keys` in `data_dir`. Instances that share a database share their keys.
    pub keys_dir: PathBuf,
    /// The log's name; empty: the host of `public_url` and `/audit`. Fixed at the first start.
    pub log_origin: String,
    /// `system` or `simulated`.
    pub clock: ClockKind,
    /// The ward's time zone, by its IANA name.
    pub zone: Tz,
    /// Whose rules apply: a jurisdiction of `GET /api/v1/statutes`.
    pub jurisdiction: String,
    /// A table of working days instead of the one built in; empty: that one.
    pub working_days_file: PathBuf,
    /// Threads that answer requests; 0: as many as there are cores.
    pub workers: usize,
    /// Connections open at once, for each worker.
    pub connections_max: usize,
    /// Database connections that read.
    pub database_readers: usize,
    /// Database connections that write; PostgreSQL only.
    pub database_writers: usize,
    /// Writes that may wait before callers are told to come back later.
    pub write_queue_max: usize,
    /// Writes in one SQLite transaction.
    pub write_group_max: usize,
    /// Bytes of a JSON body.
    pub body_bytes_max: usize,
    /// Bytes of an imported table.
    pub import_bytes_max: usize,
    /// Bytes of a file of open contracting data that is read in.
    pub open_data_bytes_max: u64,
    /// `file:///path` or `s3://bucket/prefix`; empty: the folder `files` in `data_dir`.
    pub files_url: String,
    /// The server of the bucket; empty: Amazon's.
    pub files_s3_endpoint: String,
    /// The bucket's region; empty: that of the environment.
    pub files_s3_region: String,
    /// Who asks for the bucket; empty: as the environment or the machine's role says.
    pub files_s3_access_key_id: String,
    /// The key that goes with it.
    pub files_s3_secret_access_key: Secret,
    /// Types of files that are taken.
    pub files_types: Vec<MediaType>,
    /// Bytes of an uploaded file.
    pub file_bytes_max: u64,
    /// Bytes that an account may upload in a day.
    pub files_quota_bytes_per_day: u64,
    /// Bytes of an account's files that hang on nothing.
    pub files_quota_bytes_unattached: u64,
    /// Hours after which a file that hangs on nothing is removed.
    pub files_orphan_hours: u32,
    /// Seconds that an upload or a download may take.
    pub files_timeout_seconds: u64,
    /// The virus scanner, `tcp://host:port` or `unix:///path`; empty: none.
    pub files_clamd: String,
    /// Seconds that a request may take.
    pub request_timeout_seconds: u64,
    /// Seconds that running requests get at shutdown.
    pub shutdown_timeout_seconds: u64,
    /// Requests a second from one address; 0: no limit.
    pub rate_per_address: u32,
    /// Requests a second of one account; 0: no limit.
    pub rate_per_account: u32,
    /// Reports of defects in an hour from one network without an account, and of one account; 0: no limit.
    pub defect_reports_per_network: u32,
    /// Reports of defects of one place in a day that are taken; more are only counted.
    pub defect_reports_per_place: u32,
    /// Origins whose pages may use the API from a browser.
    pub cors_origins: Vec<String>,
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// KiB of memory that the hash of a password takes.
    pub password_memory_kib: u32,
    /// Passes over that memory.
    pub password_passes: u32,
    /// Lanes of it.
    pub password_lanes: u32,
    /// Hashes of passwords that are computed at once.
    pub password_hashes_at_once: usize,
    /// Roles that act only in a session with a second factor.
    pub second_factor_roles: Vec<Role>,
    /// Another provider of sign-ins (OpenID Connect), by its address; empty: none.
    pub oidc_issuer: String,
    /// By what name it knows this service.
    pub oidc_client_id: String,
    /// The secret that goes with it; empty: as the file says, or none.
    pub oidc_client_secret: Secret,
    /// A file that holds the secret; empty: none.
    pub oidc_client_secret_file: PathBuf,
    /// What is asked for besides `openid`.
    pub oidc_scopes: Vec<String>,
    /// Where the provider sends the browser back to; empty: a page of this service.
    pub oidc_redirect_url: String,
    /// What the provider's button says, in Chinese.
    pub oidc_name_zh: String,
    /// What the provider's button says, in English.
    pub oidc_name_en: String,
    /// True if the first sign-in with an identity links it to the account of its verified mail address.
    pub oidc_link_by_verified_email: bool,
    /// Classes of sign-in (`acr`) of which one is needed; empty: any will do.
    pub oidc_required_acr: Vec<String>,
    /// Methods (`amr`) of which one is needed; empty: any will do.
    pub oidc_required_amr: Vec<String>,
    /// Classes that count as a second factor here.
    pub oidc_second_factor_acr: Vec<String>,
    /// Methods that count as a second factor here.
    pub oidc_second_factor_amr: Vec<String>,
    /// A file with the provider's certificate authority (PEM), if it is one of its own; empty: none.
    pub oidc_ca_file: PathBuf,
    /// Seconds that one question to the provider may take.
    pub oidc_timeout_seconds: u64,
    /// Where `/metrics` is served instead of on the public port; empty: on the public port.
    pub metrics_listen: String,
    /// The ward's name in Chinese, at the head of every mail.
    pub ward_name_zh: String,
    /// The ward's name in English.
    pub ward_name_en: String,
    /// What ids of published processes begin with, as the Open Contracting Partnership has issued it; empty: that of examples in development, and nothing
    /// published in production.
    pub ocds_prefix: String,
    /// The register that the publisher's number is of, a code of org-id.guide; empty: the service's own.
    pub ocds_publisher_scheme: String,
    /// The publisher's number there; empty: the host of `public_url`.
    pub ocds_publisher_uid: String,
    /// The address of the licence of what is published.
    pub ocds_license: String,
    /// `file` or `smtp`.
    pub mail_transport: MailTransport,
    /// The address that mail comes from; empty: `wardbook@localhost`, which only files accept.
    pub mail_from: String,
    /// The mail server's name.
    pub smtp_host: String,
    /// Its port; 0: 587, or 465 with `smtp_tls = "tls"`, or 25 with `"none"`.
    pub smtp_port: u16,
    /// `none`, `starttls` or `tls`.
    pub smtp_tls: SmtpTls,
    /// A file with the certificate authority of the mail server (PEM), if it is one of the ward's own; empty: none.
    pub smtp_ca_file: PathBuf,
    /// The name to sign in with; empty: without.
    pub smtp_user: String,
    /// The password that goes with it.
    pub smtp_password: Secret,
    /// Seconds that sending one mail may take.
    pub smtp_timeout_seconds: u64,
    /// `text` or `json`.
    pub log_format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, or a filter of tracing-subscriber.
    pub log_level: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            environment: Environment::Production,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: String::new(),
            data_dir: PathBuf::from("./wardbook-data"),
            database_url: String::new(),
            database_read_url: String::new(),
            keys_dir: PathBuf::new(),
            log_origin: String::new(),
            clock: ClockKind::System,
            zone: crate::kernel::calendar::ZONE_DEFAULT,
            jurisdiction: built_in::JURISDICTION_DEFAULT.to_owned(),
            working_days_file: PathBuf::new(),
            workers: 0,
            connections_max: 10_000,
            database_readers: 8,
            database_writers: 8,
            write_queue_max: 1_024,
            write_group_max: 256,
            body_bytes_max: 262_144,
            import_bytes_max: 4_194_304,
            open_data_bytes_max: 1_073_741_824,
            files_url: String::new(),
            files_s3_endpoint: String::new(),
            files_s3_region: String::new(),
            files_s3_access_key_id: String::new(),
            files_s3_secret_access_key: Secret::default(),
            files_types: MediaType::USUAL.to_vec(),
            file_bytes_max: 20_971_520,
            files_quota_bytes_per_day: 524_288_000,
            files_quota_bytes_unattached: 209_715_200,
            files_orphan_hours: 24,
            files_timeout_seconds: 600,
            files_clamd: String::new(),
            request_timeout_seconds: 30,
            shutdown_timeout_seconds: 20,
            rate_per_address: 100,
            rate_per_account: 50,
            defect_reports_per_network: 60,
            defect_reports_per_place: 200,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            password_memory_kib: 19_456,
            password_passes: 2,
            password_lanes: 1,
            password_hashes_at_once: 4,
            second_factor_roles: SECOND_FACTOR_ROLES.to_vec(),
            oidc_issuer: String::new(),
            oidc_client_id: String::new(),
            oidc_client_secret: Secret::default(),
            oidc_client_secret_file: PathBuf::new(),
            oidc_scopes: vec!["email".to_owned()],
            oidc_redirect_url: String::new(),
            oidc_name_zh: "统一身份认证".to_owned(),
            oidc_name_en: "Single sign-on".to_owned(),
            oidc_link_by_verified_email: false,
            oidc_required_acr: Vec::new(),
            oidc_required_amr: Vec::new(),
            oidc_second_factor_acr: Vec::new(),
            oidc_second_factor_amr: Vec::new(),
            oidc_ca_file: PathBuf::new(),
            oidc_timeout_seconds: 5,
            metrics_listen: String::new(),
            ward_name_zh: "本区公共服务平台".to_owned(),
            ward_name_en: "The ward's public services".to_owned(),
            ocds_prefix: String::new(),
            ocds_publisher_scheme: String::new(),
            ocds_publisher_uid: String::new(),
            ocds_license: "https://creativecommons.org/licenses/by/4.0/".to_owned(),
            mail_transport: MailTransport::File,
            mail_from: String::new(),
            smtp_host: String::new(),
            smtp_port: 0,
            smtp_tls: SmtpTls::Starttls,
            smtp_ca_file: PathBuf::new(),
            smtp_user: String::new(),
            smtp_password: Secret::default(),
            smtp_timeout_seconds: 30,
            log_format: LogFormat::Text,
            log_level: "info".to_owned(),
        }
    }
}

/// Every setting's name.
pub const NAMES: [&str; 80] = [
    "environment",
    "listen",
    "public_url",
    "data_dir",
    "database_url",
    "database_read_url",
    "keys_dir",
    "log_origin",
    "clock",
    "zone",
    "jurisdiction",
    "working_days_file",
    "workers",
    "connections_max",
    "database_readers",
    "database_writers",
    "write_queue_max",
    "write_group_max",
    "body_bytes_max",
    "import_bytes_max",
    "open_data_bytes_max",
    "files_url",
    "files_s3_endpoint",
    "files_s3_region",
    "files_s3_access_key_id",
    "files_s3_secret_access_key",
    "files_types",
    "file_bytes_max",
    "files_quota_bytes_per_day",
    "files_quota_bytes_unattached",
    "files_orphan_hours",
    "files_timeout_seconds",
    "files_clamd",
    "request_timeout_seconds",
    "shutdown_timeout_seconds",
    "rate_per_address",
    "rate_per_account",
    "defect_reports_per_network",
    "defect_reports_per_place",
    "cors_origins",
    "trusted_proxies",
    "password_memory_kib",
    "password_passes",
    "password_lanes",
    "password_hashes_at_once",
    "second_factor_roles",
    "oidc_issuer",
    "oidc_client_id",
    "oidc_client_secret",
    "oidc_client_secret_file",
    "oidc_scopes",
    "oidc_redirect_url",
    "oidc_name_zh",
    "oidc_name_en",
    "oidc_link_by_verified_email",
    "oidc_required_acr",
    "oidc_required_amr",
    "oidc_second_factor_acr",
    "oidc_second_factor_amr",
    "oidc_ca_file",
    "oidc_timeout_seconds",
    "metrics_listen",
    "ward_name_zh",
    "ward_name_en",
    "ocds_prefix",
    "ocds_publisher_scheme",
    "ocds_publisher_uid",
    "ocds_license",
    "mail_transport",
    "mail_from",
    "smtp_host",
    "smtp_port",
    "smtp_tls",
    "smtp_ca_file",
    "smtp_user",
    "smtp_password",
    "smtp_timeout_seconds",
    "log_format",
    "log_level",
    "config",
];

/// What may follow `WARDBOOK_` in the environment without being a setting: what tests use, and what Kubernetes puts there of
/// a service that is called wardbook.
const NOT_SETTINGS: [&str; 3] = ["TEST_", "SERVICE_", "PORT"];

/// Settings that are lists; in the environment their items are separated by commas.
const LISTS: [&str; 9] = [
    "cors_origins",
    "files_types",
    "trusted_proxies",
    "second_factor_roles",
    "oidc_scopes",
    "oidc_required_acr",
    "oidc_required_amr",
    "oidc_second_factor_acr",
    "oidc_second_factor_amr",
];

impl Settings {
    /// Reads the configuration. `file` is the one named by `--config`; without it `wardbook.toml` is read if it is there.
    /// `flags` are settings given on the command line.
    ///
    /// # Errors
    /// A fault that names the setting which does not exist or cannot be read.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Self, Fault> {
        let mut builder = Config::builder();
        builder = match file {
            Some(path) => builder.add_source(File::new(&path.to_string_lossy(), FileFormat::Toml)),
            None => builder.add_source(File::new("wardbook.toml", FileFormat::Toml).required(false)),
        };
        let ours =
            environment.filter_map(|(name, value)| Some((name.strip_prefix("WARDBOOK_")?.to_owned(), value)));
        let (named, strange): (Vec<_>, Vec<_>) = ours
            .filter(|(name, _)| !NOT_SETTINGS.iter().any(|prefix| name.starts_with(prefix)))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .partition(|(name, _)| NAMES.contains(&name.as_str()));
        if !strange.is_empty() {
            let strange: Vec<String> = strange
                .iter()
                .map(|(name, _)| format!("WARDBOOK_{}", name.to_uppercase()))
                .collect();
            return Err(Fault::broken(format!(
                "the environment has {}, but there is no such setting",
                strange.join(", ")
            )));
        }
        let named = named.into_iter().filter(|(name, _)| name != "config");
        let given = flags
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        for (name, value) in named.chain(given) {
            let value = if LISTS.contains(&name.as_str()) {
                list(&value)
            } else {
                Value::from(value)
            };
            builder = builder
                .set_override(&name, value)
                .map_err(|error| Fault::caused("read the configuration", error))?;
        }
        let settings: Self = builder
            .build()
            .and_then(Config::try_deserialize)
            .map_err(|error| Fault::caused("read the configuration", error))?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), Fault> {
        if self.environment == Environment::Production && self.clock == ClockKind::Simulated {
            return Err(Fault::broken(
                "clock = \"simulated\" needs environment = \"development\": deadlines of a real ward follow real time",
            ));
        }
        self.jurisdiction
            .parse::<Jurisdiction>()
            .map_err(|error| Fault::caused("jurisdiction", error))?;
        if self.environment == Environment::Production && self.jurisdiction == built_in::JURISDICTION_OF_TESTS
        {
            return Err(Fault::broken(
                "jurisdiction = \"test\" needs environment = \"development\": its rules protect nobody",
            ));
        }
        let url = self.public_url();
        if !(url.starts_with("http://") || url.starts_with("https://")) || url.contains(['?', '#', ' ']) {
            return Err(Fault::broken(format!(
                "public_url is not an http or https address: {url}"
            )));
        }
        self.database()?;
        super::files::check(self)?;
        super::sign_in::check(self)?;
        super::mail::check(self)
    }

    /// The service's address as its users see it, without a slash at the end.
    pub fn public_url(&self) -> String {
        if self.public_url.is_empty() {
            format!("http://{}", self.listen)
        } else {
            self.public_url.trim_end_matches('/').to_owned()
        }
    }

    /// The database.
    ///
    /// # Errors
    /// A fault if the URL is not one that this build can use.
    pub fn database(&self) -> Result<DatabaseUrl, Fault> {
        if self.database_url.is_empty() {
            return Ok(DatabaseUrl::Sqlite(self.data_dir.join("wardbook.db")));
        }
        self.database_url
            .parse()
            .map_err(|error| Fault::caused("database_url", error))
    }

    /// The replica for reads, if there is one.
    ///
    /// # Errors
    /// As [`Self::database`].
    pub fn read_database(&self) -> Result<Option<DatabaseUrl>, Fault> {
        if self.database_read_url.is_empty() {
            return Ok(None);
        }
        self.database_read_url
            .parse()
            .map(Some)
            .map_err(|error| Fault::caused("database_read_url", error))
    }

    /// Directory of the keys.
    pub fn keys_dir(&self) -> PathBuf {
        if self.keys_dir.as_os_str().is_empty() {
            self.data_dir.join("keys")
        } else {
            self.keys_dir.clone()
        }
    }

    /// The name that a new log gets.
    pub fn log_origin(&self) -> String {
        if !self.log_origin.is_empty() {
            return self.log_origin.clone();
        }
        let url = self.public_url();
        let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
        format!("{}/audit", host.replace('+', "-"))
    }

    /// The calendar of working days.
    ///
    /// # Errors
    /// A fault if the file cannot be read or is not such a table.
    pub fn calendar(&self) -> Result<Calendar, Fault> {
        if self.working_days_file.as_os_str().is_empty() {
            return Calendar::builtin().map_err(|error| Fault::caused("the calendar built in", error));
        }
        let name = self.working_days_file.display();
        let text = std::fs::read_to_string(&self.working_days_file)
            .map_err(|error| Fault::caused(format!("read {name}"), error))?;
        Calendar::parse_csv(&text).map_err(|error| Fault::caused(format!("read {name}"), error))
    }

    /// Sizes of the data layer.
    pub fn limits(&self) -> Limits {
        Limits {
            readers: self.database_readers,
            writer: WriterLimits {
                queue_max: self.write_queue_max,
                group_max: self.write_group_max,
                connections: self.database_writers,
            },
        }
    }

    /// What signing in needs to know.
    pub fn sign_in(&self) -> SignInSettings {
        SignInSettings {
            cost: Cost {
                memory_kib: self.password_memory_kib,
                passes: self.password_passes,
                lanes: self.password_lanes,
            },
            hashes_at_once: self.password_hashes_at_once,
            second_factor_roles: self.second_factor_roles.clone(),
            public_url: self.public_url(),
        }
    }

    /// What requests need to know.
    pub fn web(&self) -> WebSettings {
        WebSettings {
            public_url: self.public_url(),
            ward: Text::made(self.ward_name_zh.clone(), self.ward_name_en.clone()),
            trusted_proxies: self.trusted_proxies.clone(),
            cors_origins: self.cors_origins.clone(),
            body_bytes_max: self.body_bytes_max,
            import_bytes_max: self.import_bytes_max,
            request_timeout: Duration::from_secs(self.request_timeout_seconds.max(1)),
            jurisdiction: self.jurisdiction.clone(),
            metrics_in_public: self.metrics_listen.is_empty(),
            tls: self.public_url.starts_with("https://"),
        }
    }
}

fn list(text: &str) -> Value {
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| Value::from(item.to_owned()));
    Value::new(None, ValueKind::Array(items.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)], flags: &[(&str, String)]) -> Result<Settings, Fault> {
        let environment: Vec<_> = environment
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Settings::load(None, environment.into_iter(), flags)
    }

    #[test]
    fn flags_go_over_the_environment_and_that_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("w.toml");
        std::fs::write(&file, "rate_per_address = 1\nrate_per_account = 1\nworkers = 1\n").unwrap();
        let environment = [
            ("WARDBOOK_RATE_PER_ACCOUNT", "2"),
            ("WARDBOOK_WORKERS", "2"),
            ("WARDBOOK_TEST_X", "y"),
        ];
        let environment = environment.map(|(k, v)| (k.to_owned(), v.to_owned()));
        let settings =
            Settings::load(Some(&file), environment.into_iter(), &[("workers", "3".into())]).unwrap();
        assert_eq!(
            (
                settings.rate_per_address,
                settings.rate_per_account,
                settings.workers
            ),
            (1, 2, 3)
        );
        assert_eq!(settings.body_bytes_max, Settings::default().body_bytes_max);
    }

    #[test]
    fn a_misspelt_setting_and_a_missing_file_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("w.toml");
        std::fs::write(&file, "rate_per_adress = 1\n").unwrap();
        let error = Settings::load(Some(&file), std::iter::empty(), &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("rate_per_adress"), "{error}");
        assert!(Settings::load(Some(&dir.path().join("none.toml")), std::iter::empty(), &[]).is_err());
        let error = load(
            &[("WARDBOOK_RATE_PER_ADRESS", "1"), ("WARDBOOK_LISTENS", "x")],
            &[],
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.contains("WARDBOOK_RATE_PER_ADRESS, WARDBOOK_LISTENS"),
            "{error}"
        );
        let others = [
            ("WARDBOOK_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("WARDBOOK_SERVICE_HOST", "10.0.0.1"),
            ("LISTEN", "x"),
        ];
        assert!(load(&others, &[]).is_ok());
    }

    #[test]
    fn lists_in_the_environment_are_separated_by_commas() {
        let settings = load(
            &[
                ("WARDBOOK_TRUSTED_PROXIES", "10.0.0.0/8, ::1/128"),
                ("WARDBOOK_CORS_ORIGINS", ""),
            ],
            &[],
        )
        .unwrap();
        assert_eq!(settings.trusted_proxies.len(), 2);
        assert!(settings.cors_origins.is_empty());
        assert!(load(&[("WARDBOOK_TRUSTED_PROXIES", "ten")], &[]).is_err());
    }

    #[test]
    fn production_refuses_a_simulated_clock() {
        let error = load(&[("WARDBOOK_CLOCK", "simulated")], &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("development"), "{error}");
        assert!(
            load(
                &[
                    ("WARDBOOK_CLOCK", "simulated"),
                    ("WARDBOOK_ENVIRONMENT", "development")
                ],
                &[]
            )
            .is_ok()
        );
    }

    #[test]
    fn a_jurisdiction_is_well_formed_and_that_of_tests_is_not_for_a_real_ward() {
        assert_eq!(load(&[], &[]).unwrap().jurisdiction, "cn");
        assert_eq!(
            load(&[("WARDBOOK_JURISDICTION", "cn-31")], &[])
                .unwrap()
                .web()
                .jurisdiction,
            "cn-31"
        );
        assert!(load(&[("WARDBOOK_JURISDICTION", "China")], &[]).is_err());
        let error = load(&[("WARDBOOK_JURISDICTION", "test")], &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("development"), "{error}");
        let development = [
            ("WARDBOOK_JURISDICTION", "test"),
            ("WARDBOOK_ENVIRONMENT", "development"),
        ];
        assert!(load(&development, &[]).is_ok());
    }

    #[test]
    fn what_is_left_empty_follows_from_the_rest() {
        let settings = load(
            &[
                ("WARDBOOK_PUBLIC_URL", "https://ward.example/"),
                ("WARDBOOK_DATA_DIR", "/d"),
            ],
            &[],
        )
        .unwrap();
        assert_eq!(settings.log_origin(), "ward.example/audit");
        assert_eq!(settings.keys_dir(), PathBuf::from("/d/keys"));
        assert_eq!(
            settings.database().unwrap(),
            DatabaseUrl::Sqlite("/d/wardbook.db".into())
        );
        assert!(settings.web().tls);
        assert_eq!(Settings::default().log_origin(), "127.0.0.1:8080/audit");
    }

    #[test]
    fn the_example_shows_every_setting_with_its_default() {
        let example = include_str!("../../wardbook.example.toml");
        let shown: Settings = Config::builder()
            .add_source(File::from_str(example, FileFormat::Toml))
            .build()
            .unwrap()
            .try_deserialize()
            .unwrap();
        assert_eq!(format!("{shown:?}"), format!("{:?}", Settings::default()));
        for name in NAMES.iter().filter(|name| **name != "config") {
            assert!(
                example.contains(&format!("\n{name} = ")),
                "{name} is not in the example"
            );
        }
        let lines = example
            .lines()
            .filter(|line| line.contains(" = ") && !line.starts_with('#'))
            .count();
        assert_eq!(lines, NAMES.len() - 1);
        // A setting that is missing in NAMES could not be given in the environment.
        let debugged = format!("{:?}", Settings::default());
        assert_eq!(debugged.matches(": ").count(), NAMES.len() - 1, "{debugged}");
    }
}
