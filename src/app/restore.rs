//! `wardbook restore`: a backup into an empty database, of either kind, and its keys into the directory of keys. Checks the
//! archive before it writes anything, and the log that it loaded before it commits. Never overwrites a key, and never
//! goes back behind what is known to have been signed unless it is told to and says so in the log.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::app::backup::{Inventory, key_files, signer_of};
use crate::app::settings::{ClockKind, Settings};
use crate::audit::acts::{self, Loss};
use crate::audit::note::{Checkpoint, Verifier};
use crate::audit::sequencer::Sequencer;
use crate::audit::startup::{self, Finding, Mark, Marked};
use crate::audit::store;
use crate::audit::tree::{Frontier, Hash};
use crate::db::archive::{Header, KeyFile, LogFacts};
use crate::db::backup::Progress;
use crate::db::conn::{Conn, DatabaseUrl};
use crate::db::restore::{Contents, examine, load, refuse_unless_empty_at};
use crate::db::writer::Tx;
use crate::kernel::clock::{Clock, Instant};
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::web::secret_file;

/// What was done.
#[derive(Debug)]
pub struct Done {
    /// What the backup held.
    pub backup: Inventory,
    /// What the operator should know.
    pub remarks: Vec<String>,
}

/// Restores a backup. With `accept_loss` also one that is older than the newest checkpoint this machine knows of: the
/// mark beside the keys is then forgotten, and the loss recorded in the log (see [`acts::record_loss`] for what that
/// does not heal).
///
/// # Errors
/// A fault that says why nothing was restored.
pub fn restore(
    settings: &Settings,
    file: &Path,
    accept_loss: bool,
    progress: Progress<'_>,
) -> Result<Done, Fault> {
    let contents = examine(file)?;
    let url = settings.database()?;
    refuse_unless_empty_at(&url)?;
    let keys = Keys::plan(settings.keys_dir(), &contents)?;
    let mark = Mark::in_directory(&keys.directory);
    let log = Log::of(&contents.header, &mark, accept_loss)?;
    log.refuse_loss(keys.sequencer.is_some())?;

    prepare(settings, &url, &keys.directory)?;
    let now = now(settings, &contents.header);
    let lost = load(&url, file, &contents, now, progress, |tx| {
        let lost = log.judge(tx)?;
        if let Some(sequencer) = &keys.sequencer {
            // Events that had no place yet when the backup was made get theirs.
            let now = tx.now();
            sequencer.run_all(tx.conn(), now)?;
        }
        // Last of all: should the commit fail, the same keys are there for the next attempt.
        keys.write()?;
        Ok(lost)
    })
    .map_err(|stop| Fault::broken(stop.to_string()))?;
    if lost.is_some() {
        // Only now: had the load failed, the mark would still be needed.
        mark.forget()?;
    }
    Ok(Done {
        backup: Inventory::of(&contents.header, &contents.trailer, contents.keys.len()),
        remarks: keys
            .remark()
            .into_iter()
            .chain(lost.as_ref().map(remark))
            .collect(),
    })
}

/// A restored ward with a simulated clock stands where it stood when the backup was made.
fn now(settings: &Settings, header: &Header) -> Instant {
    let made_at = match settings.clock {
        ClockKind::Simulated => header.made_at.parse().ok(),
        ClockKind::System => None,
    };
    made_at.unwrap_or_else(|| Clock::system().now())
}

/// Makes what the database and the keys need to lie in, as the first start of a server would.
fn prepare(settings: &Settings, url: &DatabaseUrl, keys: &Path) -> Result<(), Fault> {
    secret_file::private_directory(&settings.data_dir)?;
    secret_file::private_directory(keys)?;
    match url {
        DatabaseUrl::Sqlite(path) if !path.exists() => secret_file::write_new(path, b""),
        _ => Ok(()),
    }
}

/// The keys of the backup and those that are there already.
struct Keys {
    directory: PathBuf,
    missing: Vec<KeyFile>,
    /// With the key of the log, if it is in either place.
    sequencer: Option<Sequencer>,
}

impl Keys {
    /// Which keys of the backup are to be written.
    fn plan(directory: PathBuf, contents: &Contents) -> Result<Self, Fault> {
        let present = key_files(&directory)?;
        let mut missing = Vec::new();
        for key in &contents.keys {
            match present.iter().find(|other| other.name == key.name) {
                None => missing.push(key.clone()),
                Some(same) if same.content.trim_ascii() == key.content.trim_ascii() => {}
                Some(_) => {
                    return Err(Fault::broken(format!(
                        "{} is another key than the backup's; a key is never overwritten. Move it away, or name another \
                         directory (keys_dir). Nothing was restored",
                        directory.join(&key.name).display()
                    )));
                }
            }
        }
        let log = &contents.header.log;
        let signer = signer_of(&contents.keys, &log.origin)?
            .map_or_else(|| signer_of(&present, &log.origin), |signer| Ok(Some(signer)))?;
        if signer
            .as_ref()
            .is_some_and(|signer| signer.verifier().to_string() != log.key)
        {
            return Err(Fault::broken(format!(
                "{} is not the key of this backup's log. Nothing was restored",
                directory.join("log.key").display()
            )));
        }
        Ok(Self {
            directory,
            missing,
            sequencer: signer.map(Sequencer::new),
        })
    }

    fn write(&self) -> Result<(), Fault> {
        for key in &self.missing {
            secret_file::write_new(&self.directory.join(&key.name), &key.content)?;
        }
        Ok(())
    }

    /// Said if nobody can go on with the log yet.
    fn remark(&self) -> Option<String> {
        let wanted = self.directory.join("log.key");
        self.sequencer.is_none().then(|| {
            format!(
                "The backup was made without keys: put the ward's log.key at {} before it is served.",
                wanted.display()
            )
        })
    }
}

/// The log of a backup, and what is known of it on this machine.
struct Log<'a> {
    header: &'a Header,
    stood: Checkpoint,
    verifier: Verifier,
    /// The newest checkpoint known to have been signed.
    mark: Option<Checkpoint>,
    accept_loss: bool,
}

impl<'a> Log<'a> {
    fn of(header: &'a Header, mark: &Mark, accept_loss: bool) -> Result<Self, Fault> {
        let LogFacts {
            origin,
            key,
            size,
            root,
        } = &header.log;
        let verifier: Verifier = key
            .parse()
            .map_err(|error| Fault::caused("the key of the backup's log", error))?;
        let root: Option<Hash> = BASE64.decode(root).ok().and_then(|root| root.try_into().ok());
        let stood = Checkpoint {
            origin: origin.clone(),
            size: *size,
            root: root.ok_or_else(|| Fault::broken("the root of the backup's log is none"))?,
        };
        let mark = match mark.read(&verifier)? {
            Marked::Nothing => None,
            Marked::At(mark) => Some(mark),
            Marked::Illegible(why) => {
                let why = why.in_language(Language::English);
                return Err(Fault::broken(format!("{why}. Nothing was restored")));
            }
        };
        Ok(Self {
            header,
            stood,
            mark,
            verifier,
            accept_loss,
        })
    }

    /// Refuses what can be seen before anything is loaded.
    fn refuse_loss(&self, has_key: bool) -> Result<(), Fault> {
        let Some(mark) = self.mark.as_ref().filter(|mark| mark.size > self.stood.size) else {
            return Ok(());
        };
        let (signed, kept) = (mark.size, self.stood.size);
        if !self.accept_loss {
            return Err(Fault::broken(format!(
                "the log was signed up to {signed} entries, but this backup has {kept}: restoring it loses what came \
                 after, and everybody who has seen a later checkpoint will notice. Look for a newer backup; if there is \
                 none, --accept-loss restores this one and records the loss in the log. Nothing was restored"
            )));
        }
        if !has_key {
            return Err(Fault::broken(
                "--accept-loss writes into the log, which takes its key: put log.key into the directory of keys first. \
                 Nothing was restored",
            ));
        }
        Ok(())
    }

    /// Checks the log that was loaded, and records what is lost of it; tells what that is.
    fn judge(&self, tx: &mut Tx<'_>) -> Answer<Option<Loss>> {
        if let Finding::Broken(why) = startup::check(tx.conn(), &self.verifier, &Marked::Nothing)? {
            let why = why.in_language(Language::English);
            return Err(Fault::broken(format!(
                "the log in this backup does not hold: {why}. Nothing was restored"
            ))
            .into());
        }
        if stands(tx.conn())?.as_ref() != Some(&self.stood) {
            return Err(Fault::broken(
                "the log in this backup is not the one that its header names. Nothing was restored",
            )
            .into());
        }
        let Some(mark) = &self.mark else {
            return Ok(None);
        };
        let Finding::Broken(why) = startup::check(tx.conn(), &self.verifier, &Marked::At(mark.clone()))?
        else {
            return Ok(None);
        };
        if !self.accept_loss {
            let why = why.in_language(Language::English);
            return Err(Fault::broken(format!("{why}. Nothing was restored")).into());
        }
        let loss = Loss {
            lost: mark.clone(),
            kept: self.stood.clone(),
            made_at: self.header.made_at.clone(),
        };
        acts::record_loss(tx, &loss)?;
        Ok(Some(loss))
    }
}

/// Where the log of a database stands, if it has one.
fn stands(conn: &mut Conn) -> Answer<Option<Checkpoint>> {
    let Some(log) = store::log(conn)? else {
        return Ok(None);
    };
    let (size, root) = match store::last_checkpoint(conn)? {
        Some(last) => (last.size, last.root.try_into().ok()),
        None => (0, Some(Frontier::new().root())),
    };
    Ok(u64::try_from(size).ok().zip(root).map(|(size, root)| Checkpoint {
        origin: log.origin,
        size,
        root,
    }))
}

fn remark(loss: &Loss) -> String {
    format!(
        "The log had been signed up to {} entries and goes on from {}; the event log.restored says so. Whoever holds a \
         later checkpoint will see a rollback or a fork, and is right: tell them what happened.",
        loss.lost.size, loss.kept.size
    )
}
