//! What the handlers of imports share: where uploads wait, how many may, and how those that a killed process has left are told from those of one that runs.

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::web;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::imports::acts::NewImport;
use crate::imports::rules::{IMPORTS_BUSY, Kind, kept_name};
use crate::kernel::refusal::{Answer, Fault};
use crate::web::body::Stream;

/// Files that are received, wait or are read in at once.
const PLACES: usize = 4;
/// Bytes that are written at a time.
const PORTION: usize = 1024 * 1024;
/// What names of uploads begin with.
const PREFIX: &str = "import-";
/// The file that is locked by whoever makes an upload, or looks for those that nobody has any more.
const LOCK: &str = "lock";

/// How the handlers get it.
pub type AtImports = web::Data<Imports>;

/// Where uploads wait, and how many may.
pub struct Imports {
    directory: PathBuf,
    /// Bytes of a file.
    pub bytes_max: u64,
    places: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

impl Imports {
    /// With a directory of its own, made at the first upload.
    pub fn new(directory: PathBuf, bytes_max: u64) -> Self {
        Self {
            directory,
            bytes_max,
            places: Arc::new(Semaphore::new(PLACES)),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// Deletes uploads that a killed process has left, and says how many. Those of a running one stay, be it this or another that shares the directory: each is locked
    /// as long as its process has it, and the system unlocks it whichever way that ends.
    ///
    /// # Errors
    /// A fault of the disk.
    pub fn sweep(&self) -> Result<usize, Fault> {
        swept(&self.directory).map_err(|error| Fault::caused("sweep files that wait to be imported", error))
    }

    /// The same, swept; how that went is logged. What cannot be deleted takes room and does no other harm.
    #[must_use]
    pub fn swept(self) -> Self {
        match self.sweep() {
            Ok(0) => {}
            Ok(swept) => tracing::info!(
                swept,
                "deleted files that were never imported: their process was killed"
            ),
            Err(fault) => tracing::warn!(%fault, "files that were never imported could not be deleted"),
        }
        self
    }

    /// A place for one file, until it is read in.
    ///
    /// # Errors
    /// [`IMPORTS_BUSY`].
    pub fn place(&self) -> Answer<OwnedSemaphorePermit> {
        let place = self.places.clone().try_acquire_owned();
        Ok(place.map_err(|_| IMPORTS_BUSY.refuse().retry_after(60))?)
    }

    /// Waits until no other file is being read in.
    ///
    /// # Errors
    /// A fault when the service ends.
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let turn = self.turn.clone().acquire_owned().await;
        turn.map_err(|error| Fault::caused("wait to import", error))
    }

    /// Receives a file and says what it is. It is gone when it is dropped.
    ///
    /// # Errors
    /// Those of the body; a fault of the disk.
    pub async fn receive(&self, mut body: Stream, name: &str) -> Answer<(NamedTempFile, NewImport)> {
        let directory = self.directory.clone();
        let mut arriving = blocking(move || {
            std::fs::create_dir_all(&directory)?;
            let file = upload_in(&directory)?;
            Ok(Arriving {
                file,
                hash: Sha256::new(),
                bytes: 0,
            })
        })
        .await?;
        let mut portion = Vec::new();
        while let Some(piece) = body.next().await? {
            portion.extend_from_slice(&piece);
            if portion.len() >= PORTION {
                let full = std::mem::take(&mut portion);
                arriving = blocking(move || arriving.with(&full)).await?;
            }
        }
        let arrived = blocking(move || arriving.with(&portion)).await?;
        let new = NewImport {
            name: kept_name(name),
            sha256: arrived.hash.finalize().into(),
            bytes: arrived.bytes,
            kind: Kind::Ocds,
            waits: true,
        };
        Ok((arrived.file, new))
    }
}

/// Locks a file where the disk can, and waits for it; where it cannot, nothing is ever swept.
fn lock(file: &File) -> io::Result<()> {
    match file.lock() {
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
        done => done,
    }
}

/// The directory, for as long as the answer is kept.
fn held(directory: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    let file = options.open(directory.join(LOCK))?;
    lock(&file)?;
    Ok(file)
}

/// A new upload, locked before anybody can take it for one that nobody has.
fn upload_in(directory: &Path) -> io::Result<NamedTempFile> {
    let _held = held(directory)?;
    let file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(directory)?;
    lock(file.as_file())?;
    Ok(file)
}

fn swept(directory: &Path) -> io::Result<usize> {
    if !directory.is_dir() {
        return Ok(0);
    }
    let _held = held(directory)?;
    let mut count = 0_usize;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_upload = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(PREFIX));
        if is_upload && path.is_file() && is_left(&path)? {
            std::fs::remove_file(&path)?;
            count = count.saturating_add(1);
        }
    }
    Ok(count)
}

/// Whether nobody has the file any more. One that is gone meanwhile is not left.
fn is_left(path: &Path) -> io::Result<bool> {
    match File::open(path) {
        Ok(file) => Ok(file.try_lock().is_ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

struct Arriving {
    file: NamedTempFile,
    hash: Sha256,
    bytes: i64,
}

impl Arriving {
    fn with(mut self, portion: &[u8]) -> io::Result<Self> {
        self.file.write_all(portion)?;
        self.hash.update(portion);
        self.bytes = self
            .bytes
            .saturating_add(i64::try_from(portion.len()).unwrap_or(i64::MAX));
        Ok(self)
    }
}

async fn blocking<T: Send + 'static>(job: impl FnOnce() -> io::Result<T> + Send + 'static) -> Answer<T> {
    let done = web::block(job).await;
    let done = done.map_err(|error| Fault::caused("receive a file", error))?;
    Ok(done.map_err(|error| Fault::caused("keep a file until it is imported", error))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_has_left_is_swept_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let (at, imports) = (
            directory.path().join("imports"),
            Imports::new(directory.path().join("imports"), 1),
        );
        assert_eq!(imports.sweep().unwrap(), 0, "there is nothing yet");
        std::fs::create_dir_all(&at).unwrap();
        let running = upload_in(&at).unwrap();
        let names = ["import-left1", "import-left2", "other"];
        for name in names {
            std::fs::write(at.join(name), "x").unwrap();
        }
        std::fs::create_dir(at.join("import-directory")).unwrap();
        assert_eq!(imports.sweep().unwrap(), 2);
        assert_eq!(imports.sweep().unwrap(), 0);
        assert!(running.path().exists() && at.join("other").exists());
        assert!(!at.join("import-left1").exists() && at.join("import-directory").exists());
        // Once nobody has it any more it is one that was left: as if its process had been killed.
        let (file, path) = running.keep().unwrap();
        assert_eq!(imports.sweep().unwrap(), 0);
        drop(file);
        assert_eq!(imports.sweep().unwrap(), 1);
        assert!(!path.exists());
    }
}
