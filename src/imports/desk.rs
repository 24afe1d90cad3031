//! What the handlers of imports share: where uploads wait, and how many may.

use std::io::{self, Write as _};
use std::path::PathBuf;
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
            let file = tempfile::Builder::new()
                .prefix("import-")
                .tempfile_in(&directory)?;
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
        };
        Ok((arrived.file, new))
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
