//! `wardbook backup`: the whole ward in one file, made while it is served. Reads the database and the keys, and writes
//! nothing but that file, which only its owner may read.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tempfile::TempPath;

use crate::app::settings::{ClockKind, Settings};
use crate::app::time;
use crate::audit::note::Signer;
use crate::audit::store;
use crate::audit::tree::Frontier;
use crate::db::archive::{FORMAT, Header, KeyFile, LogFacts, Trailer};
use crate::db::backup::{Preface, Progress, write};
use crate::db::conn::{Conn, DatabaseUrl};
use crate::kernel::clock::{Clock, Instant, rfc3339};
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::web::secret_file;

/// What a backup holds, in numbers.
#[derive(Clone, Copy, Debug)]
pub struct Inventory {
    /// Tables.
    pub tables: usize,
    /// Rows of all of them.
    pub rows: u64,
    /// Entries of the log under its newest checkpoint.
    pub entries: u64,
    /// Key files.
    pub keys: usize,
}

impl Inventory {
    /// That of an archive.
    pub fn of(header: &Header, trailer: &Trailer, keys: usize) -> Self {
        Self {
            tables: trailer.rows.len(),
            rows: trailer.rows.values().sum(),
            entries: header.log.size,
            keys,
        }
    }
}

impl std::fmt::Display for Inventory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            tables,
            rows,
            entries,
            keys,
        } = self;
        write!(f, "{rows} rows of {tables} tables, a log of {entries} entries, ")?;
        match keys {
            0 => f.write_str("no keys"),
            1 => f.write_str("1 key"),
            _ => write!(f, "{keys} keys"),
        }
    }
}

/// Makes a backup.
///
/// # Errors
/// A fault if the file exists, the database cannot be read, or the keys are not those of the log.
pub fn make(
    settings: &Settings,
    file: &Path,
    with_keys: bool,
    progress: Progress<'_>,
) -> Result<Inventory, Fault> {
    let url = settings.database()?;
    // Opening it would make a new one.
    if let DatabaseUrl::Sqlite(path) = &url
        && !path.is_file()
    {
        return Err(Fault::broken(format!(
            "there is no database at {}",
            path.display()
        )));
    }
    let keys_dir = with_keys.then(|| settings.keys_dir());
    let partial = Partial::create(file)?;
    let mut keys = 0;
    let written = write(
        &url,
        &partial.file,
        |conn, migrations| {
            let preface = preface(conn, migrations, keys_dir.as_deref(), clock_of(settings))?;
            keys = preface.keys.len();
            Ok(preface)
        },
        progress,
    );
    let (header, trailer, _) = written.map_err(|stop| match stop {
        Stop::Fault(fault) => fault,
        refused @ Stop::Refused(_) => Fault::caused("back up", refused),
    })?;
    partial.complete()?;
    Ok(Inventory::of(&header, &trailer, keys))
}

fn clock_of(settings: &Settings) -> impl FnOnce(&mut Conn) -> Answer<Instant> {
    let simulated = settings.clock == ClockKind::Simulated;
    move |conn| {
        let stands = if simulated { time::stands_at(conn)? } else { None };
        Ok(stands.unwrap_or_else(|| Clock::system().now()))
    }
}

fn preface(
    conn: &mut Conn,
    migrations: Vec<String>,
    keys_dir: Option<&Path>,
    now: impl FnOnce(&mut Conn) -> Answer<Instant>,
) -> Answer<Preface> {
    if migrations.is_empty() {
        return Err(Fault::broken("this is not the database of a wardbook").into());
    }
    let log = store::log(conn)?
        .ok_or_else(|| Fault::broken("this database has never been served: there is nothing to back up"))?;
    let (size, root) = match store::last_checkpoint(conn)? {
        Some(last) => (last.size, BASE64.encode(last.root)),
        None => (0, BASE64.encode(Frontier::new().root())),
    };
    let keys = match keys_dir {
        Some(directory) => key_files(directory)?,
        None => Vec::new(),
    };
    if let Some(directory) = keys_dir {
        let signer = signer_of(&keys, &log.origin)?;
        if signer.is_none_or(|signer| signer.verifier().to_string() != log.verifier_key) {
            return Err(Fault::broken(format!(
                "{} does not hold the key of this database's log; name the directory that does (keys_dir), or make the \
                 backup --without-keys",
                directory.display()
            ))
            .into());
        }
    }
    let header = Header {
        format: FORMAT.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: rfc3339(now(conn)?),
        migrations,
        log: LogFacts {
            origin: log.origin,
            key: log.verifier_key,
            size: u64::try_from(size).map_err(|error| Fault::caused("the log's size", error))?,
            root,
        },
    };
    Ok(Preface { header, keys })
}

/// The key files of a directory, by name; none if there is no such directory.
///
/// # Errors
/// A fault if one cannot be read.
pub fn key_files(directory: &Path) -> Result<Vec<KeyFile>, Fault> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let failed = |error: std::io::Error| Fault::caused(format!("read {}", directory.display()), error);
    let mut keys = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "key") {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let content = fs::read(&path).map_err(failed)?.into();
            keys.push(KeyFile { name, content });
        }
    }
    keys.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(keys)
}

/// The signer of a log of that name, if its key is among these.
///
/// # Errors
/// A fault if the key is none.
pub fn signer_of(keys: &[KeyFile], origin: &str) -> Result<Option<Signer>, Fault> {
    let Some(key) = keys.iter().find(|key| key.name == "log.key") else {
        return Ok(None);
    };
    let seed = secret_file::seed(&key.content)
        .ok_or_else(|| Fault::broken("log.key does not hold a key of 64 hexadecimal digits"))?;
    Signer::new(origin, &seed)
        .map(Some)
        .map_err(|error| Fault::caused("the log's name", error))
}

/// A file that gets its name when it is whole, and is deleted if it never becomes so.
struct Partial {
    file: File,
    path: TempPath,
    target: PathBuf,
}

impl Partial {
    fn create(target: &Path) -> Result<Self, Fault> {
        if target.exists() {
            return Err(Fault::broken(format!(
                "{} exists; a backup never overwrites anything",
                target.display()
            )));
        }
        let mut partial = OsString::from(target);
        partial.push(".partial");
        let name = Path::new(&partial).display();
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial).map_err(|error| {
            let hint = match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    " (another backup is being made, or one was interrupted: then delete it)"
                }
                _ => "",
            };
            Fault::caused(format!("create {name}{hint}"), error)
        })?;
        let path = TempPath::try_from_path(&partial)
            .map_err(|error| Fault::caused(format!("create {name}"), error))?;
        Ok(Self {
            file,
            path,
            target: target.to_owned(),
        })
    }

    fn complete(self) -> Result<(), Fault> {
        let failed = |error: std::io::Error| Fault::caused(format!("write {}", self.target.display()), error);
        self.file.sync_all().map_err(failed)?;
        self.path
            .persist_noclobber(&self.target)
            .map_err(|error| failed(error.error))?;
        secret_file::sync_directory(&self.target).map_err(failed)
    }
}
