//! The store of files: a folder, or a bucket that speaks S3. Knows places and bytes and nothing of who may have them. What
//! arrives is written beside the shelf first, in parts of bounded size, and is put on it, under its hash, when it is whole;
//! what breaks off on the way is taken away again. A place is never used twice.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::web::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};

use crate::files::rules::STORE_UNAVAILABLE;
use crate::kernel::clock::Instant;
use crate::kernel::id;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::web::secret_file;

/// Where arriving files are written.
const ARRIVING: &str = "arriving";
/// Where whole files lie.
const SHELVED: &str = "sha256";

/// Bytes of a part of what arrives, in a folder.
const FOLDER_PART_BYTES: usize = 1024 * 1024;
/// Bytes of a part of what arrives, in a bucket: S3 takes no smaller ones.
#[cfg(feature = "s3")]
const BUCKET_PART_BYTES: usize = 5 * 1024 * 1024;

/// How often a request to a bucket is repeated, and for how long: the caller waits.
#[cfg(feature = "s3")]
const RETRIES_MAX: usize = 3;
#[cfg(feature = "s3")]
const RETRIES_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

/// Where the store of files is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A folder; made if it is missing.
    Folder(PathBuf),
    /// A bucket that speaks S3.
    Bucket(Bucket),
}

/// A bucket that speaks S3, and how to get in. What is empty is taken from the environment (`AWS_…`) or from the machine's role.
#[derive(Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What the names of all objects begin with.
    pub prefix: String,
    /// The server, where it is not Amazon's.
    pub endpoint: String,
    /// The region.
    pub region: String,
    /// Who asks.
    pub access_key_id: String,
    /// Proof of it.
    pub secret_access_key: String,
}

impl std::fmt::Debug for Bucket {
    /// Never the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{} at `{}`", self.name, self.prefix, self.endpoint)
    }
}

/// The store of files. Clones share it.
#[derive(Clone)]
pub struct Shelf {
    store: Arc<dyn ObjectStore>,
    part_bytes: usize,
    folder: Option<PathBuf>,
}

/// A file read from the shelf.
pub struct Fetched {
    /// Bytes of the whole file.
    pub bytes: u64,
    /// The part that was asked for.
    pub stream: BoxStream<'static, Result<Bytes, Error>>,
}

/// Something that lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lying {
    /// Where.
    pub place: String,
    /// When its place was made up, by the ward's clock; `None` if that was not here.
    pub since: Option<Instant>,
}

impl Shelf {
    /// Opens the store. A folder is made if it is missing; a bucket is first asked when it is needed.
    ///
    /// # Errors
    /// A fault if the folder cannot be made, or the bucket's settings make no sense, or this build knows no buckets.
    pub fn open(location: &Location) -> Result<Self, Fault> {
        match location {
            Location::Folder(folder) => {
                secret_file::private_directory(folder)?;
                let store = LocalFileSystem::new_with_prefix(folder)
                    .map_err(|error| Fault::caused(format!("open {}", folder.display()), error))?;
                Ok(Self {
                    store: Arc::new(store.with_fsync(true)),
                    part_bytes: FOLDER_PART_BYTES,
                    folder: Some(folder.clone()),
                })
            }
            Location::Bucket(bucket) => Self::open_bucket(bucket),
        }
    }

    #[cfg(feature = "s3")]
    fn open_bucket(bucket: &Bucket) -> Result<Self, Fault> {
        use object_store::aws::AmazonS3Builder;
        use object_store::prefix::PrefixStore;
        use object_store::{ClientOptions, RetryConfig};
        // The client takes whichever TLS the process has; it is the one used everywhere here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Over plain HTTP only where the configuration says so itself.
        let plain = bucket.endpoint.starts_with("http://");
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(&bucket.name)
            .with_client_options(ClientOptions::new().with_allow_http(plain))
            .with_virtual_hosted_style_request(false)
            .with_retry(RetryConfig {
                max_retries: RETRIES_MAX,
                retry_timeout: RETRIES_WITHIN,
                ..RetryConfig::default()
            })
            // One by one: not every server that speaks S3 can delete many at once.
            .with_disable_bulk_delete(true);
        if !bucket.endpoint.is_empty() {
            builder = builder.with_endpoint(bucket.endpoint.trim_end_matches('/'));
        }
        if !bucket.region.is_empty() {
            builder = builder.with_region(&bucket.region);
        }
        if !bucket.access_key_id.is_empty() {
            builder = builder
                .with_access_key_id(&bucket.access_key_id)
                .with_secret_access_key(&bucket.secret_access_key);
        }
        let store = builder
            .build()
            .map_err(|error| Fault::caused(format!("open {bucket:?}"), error))?;
        let store: Arc<dyn ObjectStore> = match bucket.prefix.trim_matches('/') {
            "" => Arc::new(store),
            prefix => Arc::new(PrefixStore::new(store, prefix)),
        };
        Ok(Self {
            store,
            part_bytes: BUCKET_PART_BYTES,
            folder: None,
        })
    }

    #[cfg(not(feature = "s3"))]
    fn open_bucket(bucket: &Bucket) -> Result<Self, Fault> {
        Err(Fault::broken(format!(
            "files_url names {bucket:?}, but this build knows only folders; build with --features s3"
        )))
    }

    /// Begins to write a file.
    ///
    /// # Errors
    /// [`STORE_UNAVAILABLE`].
    pub async fn receive(&self, now: Instant) -> Answer<Arriving> {
        let place = Path::from(format!("{ARRIVING}/{}", unique(now)?));
        let upload = self.store.put_multipart(&place).await.map_err(unavailable)?;
        Ok(Arriving {
            shelf: self.clone(),
            place,
            upload: Some(upload),
            part: Vec::new(),
            hash: Sha256::new(),
            bytes: 0,
            now,
        })
    }

    /// Opens a file, or a part of it.
    ///
    /// # Errors
    /// A fault if nothing lies there; [`STORE_UNAVAILABLE`].
    pub async fn fetch(&self, place: &str, part: Option<Range<u64>>) -> Answer<Fetched> {
        let options = GetOptions {
            range: part.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let found = self.store.get_opts(&Path::from(place), options).await;
        let found = found.map_err(unavailable)?;
        Ok(Fetched {
            bytes: found.meta.size,
            stream: found.into_stream(),
        })
    }

    /// Takes a file away; if nothing lies there, that is as good.
    ///
    /// # Errors
    /// [`STORE_UNAVAILABLE`].
    pub async fn delete(&self, place: &str) -> Answer<()> {
        match self.store.delete(&Path::from(place)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Everything that lies in the store, in no order.
    pub fn everything(&self) -> BoxStream<'static, Answer<Lying>> {
        let of = |meta: object_store::ObjectMeta| Lying {
            since: since(meta.location.as_ref()),
            place: meta.location.to_string(),
        };
        self.store.list(None).map_ok(of).map_err(unavailable).boxed()
    }

    /// Takes away what was begun in a folder before `before` and never ended, because the process was killed, and tells how
    /// many there were. A bucket has to be told itself to forget parts of uploads that were broken off.
    ///
    /// # Errors
    /// A fault if the folder cannot be read.
    pub fn forget_begun(&self, before: Instant) -> Result<usize, Fault> {
        let Some(folder) = self.folder.as_ref().map(|folder| folder.join(ARRIVING)) else {
            return Ok(0);
        };
        let failed = |error| Fault::caused(format!("clear {}", folder.display()), error);
        let mut forgotten: usize = 0;
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if name.contains('#') && since(name).is_some_and(|since| since < before) {
                // Its upload may just have ended after all.
                if std::fs::remove_file(&path).is_ok() {
                    forgotten = forgotten.saturating_add(1);
                }
            }
        }
        Ok(forgotten)
    }

    /// The hash and the length of what lies at a place; `None` if nothing does.
    ///
    /// # Errors
    /// [`STORE_UNAVAILABLE`].
    pub async fn digest(&self, place: &str) -> Answer<Option<(String, u64)>> {
        let found = match self.store.get(&Path::from(place)).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(unavailable(error)),
        };
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        let mut stream = found.into_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(unavailable)?;
            bytes = bytes.saturating_add(length(&chunk));
            hash.update(&chunk);
        }
        Ok(Some((hex::encode(hash.finalize()), bytes)))
    }
}

/// What is written into the log of operation when a store fails; the caller is told to come back. That nothing lies where
/// something should is no failure of the store, but a loss.
pub(super) fn unavailable(error: Error) -> Stop {
    if matches!(error, Error::NotFound { .. }) {
        return Fault::caused("read a file that should be in the store", error).into();
    }
    tracing::error!(%error, "the store of files failed");
    STORE_UNAVAILABLE.refuse().retry_after(5).into()
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// A name that nothing else has, and that says when it was made up: whether something has lain about for too long is judged
/// by the ward's clock, which a store's own times do not follow.
fn unique(now: Instant) -> Result<String, Fault> {
    let chance: [u8; 10] = id::random()?;
    Ok(format!("{:010}-{}", now.timestamp().max(0), hex::encode(chance)))
}

fn since(place: &str) -> Option<Instant> {
    let (name, _) = place.rsplit('/').next()?.rsplit_once('-')?;
    let seconds = name.rsplit('-').next()?.parse().ok()?;
    Instant::from_timestamp(seconds, 0)
}

/// A file that is being written. Unless it is put on the shelf, it is taken away again, whatever happens to the request.
pub struct Arriving {
    shelf: Shelf,
    place: Path,
    upload: Option<Box<dyn MultipartUpload>>,
    part: Vec<u8>,
    hash: Sha256,
    bytes: u64,
    now: Instant,
}

impl Arriving {
    /// Writes more of it.
    ///
    /// # Errors
    /// [`STORE_UNAVAILABLE`].
    pub async fn write(&mut self, bytes: &[u8]) -> Answer<()> {
        self.hash.update(bytes);
        self.bytes = self.bytes.saturating_add(length(bytes));
        self.part.extend_from_slice(bytes);
        while self.part.len() >= self.shelf.part_bytes {
            let rest = self.part.split_off(self.shelf.part_bytes);
            self.send_part(rest).await?;
        }
        Ok(())
    }

    /// Sends the part that has gathered, and begins the next with `rest`.
    async fn send_part(&mut self, rest: Vec<u8>) -> Answer<()> {
        let part = std::mem::replace(&mut self.part, rest);
        let upload = self.upload.as_mut().ok_or_else(over)?;
        // One part at a time: whoever sends faster than the store takes has to wait.
        upload.put_part(part.into()).await.map_err(unavailable)
    }

    /// Ends the writing.
    ///
    /// # Errors
    /// [`STORE_UNAVAILABLE`].
    pub async fn finish(mut self) -> Answer<Arrived> {
        self.send_part(Vec::new()).await?;
        let upload = self.upload.as_mut().ok_or_else(over)?;
        upload.complete().await.map_err(unavailable)?;
        self.upload = None;
        let hash = std::mem::take(&mut self.hash);
        Ok(Arrived {
            shelf: self.shelf.clone(),
            place: Some(self.place.clone()),
            sha256: hash.finalize().into(),
            bytes: self.bytes,
            now: self.now,
        })
    }
}

fn over() -> Fault {
    Fault::broken("a file was written to after its end")
}

impl Drop for Arriving {
    fn drop(&mut self) {
        // A folder forgets a broken upload by itself; a bucket keeps its parts until it is told.
        if let (Some(mut upload), Ok(runtime)) = (self.upload.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = upload.abort().await {
                    tracing::warn!(%error, "a broken upload could not be taken back");
                }
            });
        }
    }
}

/// A file that has been written as a whole and is not on the shelf yet.
pub struct Arrived {
    shelf: Shelf,
    place: Option<Path>,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// How many.
    pub bytes: u64,
    now: Instant,
}

impl Arrived {
    /// Reads it once more.
    ///
    /// # Errors
    /// As [`Shelf::fetch`].
    pub async fn read(&self) -> Answer<Fetched> {
        let place = self.place.as_ref().ok_or_else(over)?;
        self.shelf.fetch(place.as_ref(), None).await
    }

    /// Puts it on the shelf, under its hash, and tells where. It is durable then.
    ///
    /// # Errors
    /// [`STORE_UNAVAILABLE`].
    pub async fn shelve(mut self) -> Answer<String> {
        let hash = hex::encode(self.sha256);
        let folder = hash.get(..2).unwrap_or_default();
        let place = Path::from(format!("{SHELVED}/{folder}/{hash}-{}", unique(self.now)?));
        let from = self.place.as_ref().ok_or_else(over)?;
        self.shelf.store.rename(from, &place).await.map_err(unavailable)?;
        self.place = None;
        Ok(place.to_string())
    }

    /// Takes it away.
    ///
    /// # Errors
    /// [`STORE_UNAVAILABLE`].
    pub async fn discard(mut self) -> Answer<()> {
        match self.place.take() {
            Some(place) => self.shelf.delete(place.as_ref()).await,
            None => Ok(()),
        }
    }
}

impl Drop for Arrived {
    fn drop(&mut self) {
        if let (Some(place), Ok(runtime)) = (self.place.take(), tokio::runtime::Handle::try_current()) {
            let shelf = self.shelf.clone();
            runtime.spawn(async move {
                // Where it fails, the sweep comes by.
                let _ = shelf.delete(place.as_ref()).await;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn at(seconds: i64) -> Instant {
        chrono::Utc.timestamp_opt(seconds, 0).unwrap()
    }

    async fn shelved(shelf: &Shelf, bytes: &[u8]) -> String {
        let mut arriving = shelf.receive(at(1_790_000_000)).await.unwrap();
        for chunk in bytes.chunks(700_000) {
            arriving.write(chunk).await.unwrap();
        }
        let arrived = arriving.finish().await.unwrap();
        assert_eq!(arrived.bytes, length(bytes));
        assert_eq!(arrived.sha256, <[u8; 32]>::from(Sha256::digest(bytes)));
        arrived.shelve().await.unwrap()
    }

    async fn everything(shelf: &Shelf) -> Vec<Lying> {
        shelf.everything().try_collect().await.unwrap()
    }

    #[tokio::test]
    async fn a_file_is_written_in_parts_read_in_ranges_and_taken_away() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(&Location::Folder(dir.path().join("files"))).unwrap();
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let (place, again) = (shelved(&shelf, &bytes).await, shelved(&shelf, &bytes).await);
        assert_ne!(place, again, "a place is never used twice");
        let hash = hex::encode(Sha256::digest(&bytes));
        assert!(place.starts_with(&format!("sha256/{}/{hash}-1790000000-", &hash[..2])));
        let found = everything(&shelf).await;
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|lying| lying.since == Some(at(1_790_000_000))));

        let whole = shelf.fetch(&place, None).await.unwrap();
        assert_eq!(whole.bytes, 3_000_000);
        let read: Vec<Bytes> = whole.stream.try_collect().await.unwrap();
        assert!(read.concat() == bytes);
        let part = shelf.fetch(&place, Some(1_000_000..1_000_003)).await.unwrap();
        let read: Vec<Bytes> = part.stream.try_collect().await.unwrap();
        assert_eq!(read.concat(), bytes[1_000_000..1_000_003]);
        assert_eq!(shelf.digest(&place).await.unwrap(), Some((hash, 3_000_000)));

        shelf.delete(&place).await.unwrap();
        shelf.delete(&place).await.unwrap();
        assert_eq!(shelf.digest(&place).await.unwrap(), None);
        assert!(matches!(shelf.fetch(&place, None).await, Err(Stop::Fault(_))));
        assert_eq!(everything(&shelf).await.len(), 1);
    }

    #[tokio::test]
    async fn what_is_dropped_on_the_way_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(&Location::Folder(dir.path().to_owned())).unwrap();
        let mut arriving = shelf.receive(at(5)).await.unwrap();
        arriving.write(&[0; 2_000_000]).await.unwrap();
        drop(arriving);
        let mut arriving = shelf.receive(at(5)).await.unwrap();
        arriving.write(&[0; 2_000_000]).await.unwrap();
        drop(arriving.finish().await.unwrap());
        let mut arriving = shelf.receive(at(5)).await.unwrap();
        arriving.write(b"x").await.unwrap();
        arriving.finish().await.unwrap().discard().await.unwrap();
        let left = || std::fs::read_dir(dir.path().join(ARRIVING)).unwrap().count();
        for _ in 0..10_000 {
            if left() == 0 {
                return;
            }
            tokio::task::yield_now().await;
            std::thread::yield_now();
        }
        assert_eq!(left(), 0);
    }

    #[tokio::test]
    async fn what_a_killed_process_had_begun_is_forgotten_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(&Location::Folder(dir.path().to_owned())).unwrap();
        assert_eq!(shelf.forget_begun(at(10)).unwrap(), 0);
        let mut arriving = shelf.receive(at(5)).await.unwrap();
        arriving.write(&[0; 2_000_000]).await.unwrap();
        // As if there had been no time to take it back.
        std::mem::forget(arriving);
        assert_eq!(shelf.forget_begun(at(5)).unwrap(), 0);
        assert_eq!(shelf.forget_begun(at(6)).unwrap(), 1);
        assert_eq!(std::fs::read_dir(dir.path().join(ARRIVING)).unwrap().count(), 0);
    }

    #[test]
    fn a_place_says_since_when_it_is_one() {
        assert_eq!(since("arriving/1790000000-00ff"), Some(at(1_790_000_000)));
        assert_eq!(since("sha256/ab/abcd-1790000000-00ff"), Some(at(1_790_000_000)));
        for other in ["", "README", "sha256/ab/abcd", "arriving/x-00ff"] {
            assert_eq!(since(other), None, "{other}");
        }
    }

    #[test]
    fn a_buckets_key_is_never_shown() {
        let bucket = Bucket {
            name: "ward".into(),
            prefix: "files".into(),
            endpoint: String::new(),
            region: String::new(),
            access_key_id: "AKIA".into(),
            secret_access_key: "hunter2".into(),
        };
        let shown = format!("{:?}", Location::Bucket(bucket));
        assert!(shown.contains("s3://ward/files") && !shown.contains("hunter2") && !shown.contains("AKIA"));
    }
}
