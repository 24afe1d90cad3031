//! From a request's body to a file on the shelf: received in parts, hashed and looked at on the way, judged by what it really
//! is, rid of its metadata if it is a picture, scanned, and only then put under its hash. Whatever is refused is gone from the store before the
//! caller is told.

use actix_web::web;
use futures_util::TryStreamExt;

use crate::db::database::Db;
use crate::files::acts::{self, Upload};
use crate::files::desk::Files;
use crate::files::media::{MediaType, Sniffer};
use crate::files::name::cleaned;
use crate::files::pictures::{self, PICTURE_BROKEN};
use crate::files::rules::{self, INFECTED};
use crate::files::scanner::Finding;
use crate::files::shelf::{self, Arrived};
use crate::files::store;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::kernel::text::Text;
use crate::web::actor::Actor;
use crate::web::body::Stream;
use crate::web::policy::UNAUTHENTICATED;
use crate::web::problem::INVALID;

/// What a request says of the file that it brings.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name, as it was sent.
    pub name: String,
    /// Its media type, without parameters.
    pub media_type: String,
    /// True if a picture is to be kept byte for byte, with all that it says beside what it shows.
    pub keeps_metadata: bool,
}

/// Takes a file in and tells where it lies. Nobody can read it there until an act has made it an attachment.
///
/// # Errors
/// Those of [`rules::admit`], [`rules::agreed`], of the body, of the store and of the scanner; [`INVALID`] for a name of which
/// nothing is left; [`PICTURE_BROKEN`]; [`INFECTED`], which is recorded.
///
/// The hash that comes with the upload is that of what was sent, by which a repeated request is known again.
pub async fn take_in(
    files: &Files,
    db: &Db,
    actor: &Actor,
    claim: &Claim,
    mut body: Stream,
    now: Instant,
) -> Answer<(Upload, [u8; 32])> {
    refuse_over_quota(files, db, actor, now).await?;
    let mut sniffer = Sniffer::default();
    let mut arriving = files.shelf.receive(now).await?;
    while let Some(piece) = body.next().await? {
        sniffer.look(&piece);
        arriving.write(&piece).await?;
    }
    let arrived = arriving.finish().await?;
    let sent_sha256 = arrived.sha256;
    let (media_type, name) = match described(files, claim, sniffer, &arrived) {
        Ok(described) => described,
        Err(stop) => return discarding(arrived, stop).await,
    };
    let (arrived, metadata_removed) = cleaned_of_metadata(files, arrived, (media_type, claim), now).await?;
    let upload = Upload {
        sha256: hex::encode(arrived.sha256),
        bytes: arrived.bytes,
        media_type,
        name,
        metadata_removed,
        place: String::new(),
    };
    match scanned(files, db, actor, upload, &arrived).await {
        Ok(mut upload) => {
            upload.place = arrived.shelve().await?;
            Ok((upload, sent_sha256))
        }
        Err(stop) => discarding(arrived, stop).await,
    }
}

/// Takes away what was refused.
async fn discarding<T>(arrived: Arrived, stop: Stop) -> Answer<T> {
    // What the caller has to know is why; a store that fails meanwhile is cleared by the sweep.
    let _ = arrived.discard().await;
    Err(stop)
}

/// A picture without its metadata, unless they are wanted or there are none; and whether any were removed.
async fn cleaned_of_metadata(
    files: &Files,
    arrived: Arrived,
    (media_type, claim): (MediaType, &Claim),
    now: Instant,
) -> Answer<(Arrived, bool)> {
    if claim.keeps_metadata || !pictures::is_picture(media_type) {
        return Ok((arrived, false));
    }
    let _turn = files
        .cleaning
        .acquire()
        .await
        .map_err(|error| Fault::caused("wait to clean a picture", error))?;
    let mut whole = Vec::new();
    let mut stream = arrived.read().await?.stream;
    while let Some(piece) = stream.try_next().await.map_err(shelf::unavailable)? {
        whole.extend_from_slice(&piece);
    }
    // Copying megabytes is not for a thread that answers others meanwhile.
    let cleaned = web::block(move || {
        let cleaned = pictures::without_metadata(media_type, &whole)?;
        Ok((cleaned != whole).then_some(cleaned))
    });
    let cleaned = match cleaned.await {
        Ok(Ok(Some(cleaned))) => cleaned,
        Ok(Ok(None)) => return Ok((arrived, false)),
        Ok(Err(pictures::Broken)) => return discarding(arrived, PICTURE_BROKEN.refuse().into()).await,
        Err(error) => return Err(Fault::caused("clean a picture", error).into()),
    };
    let mut arriving = files.shelf.receive(now).await?;
    arriving.write(&cleaned).await?;
    let clean = arriving.finish().await?;
    let _ = arrived.discard().await;
    Ok((clean, true))
}

/// Before anything is received: whoever has used up a quota need not send the file. The act asks again.
async fn refuse_over_quota(files: &Files, db: &Db, actor: &Actor, now: Instant) -> Answer<()> {
    let account = actor.id().ok_or_else(|| UNAUTHENTICATED.refuse())?.to_owned();
    let day = local_date(now, files.limits.zone);
    let usage = db.glance(move |conn| store::usage(conn, &account, day)).await?;
    Ok(rules::admit(1, usage, &files.limits)?)
}

/// What a file is, and what it is called.
fn described(
    files: &Files,
    claim: &Claim,
    sniffer: Sniffer,
    arrived: &Arrived,
) -> Answer<(MediaType, String)> {
    if arrived.bytes == 0 {
        return Err(INVALID
            .because(Text::fixed("文件为空", "the file is empty"))
            .into());
    }
    let media_type = rules::agreed(&claim.media_type, &sniffer.found(), &files.limits.types)?;
    let name = cleaned(&claim.name, media_type).ok_or_else(|| {
        let why = Text::fixed(
            "文件名无效",
            "nothing is left of this file name when it is cleaned",
        );
        INVALID.because(why).at("?name")
    })?;
    Ok((media_type, name))
}

async fn scanned(files: &Files, db: &Db, actor: &Actor, upload: Upload, arrived: &Arrived) -> Answer<Upload> {
    let Some(scanner) = &files.scanner else {
        return Ok(upload);
    };
    match scanner.scan(arrived.read().await?.stream).await? {
        Finding::Clean => Ok(upload),
        Finding::Infected(finding) => {
            tracing::warn!(
                sha256 = upload.sha256,
                finding,
                "the virus scanner refused a file"
            );
            let by = actor.clone();
            db.write(move |tx| acts::record_infection(tx, &by, &upload, &finding))
                .await?;
            Err(INFECTED.refuse().into())
        }
    }
}

/// The hash of all that makes an upload what it is, for `Idempotency-Key`: the same bytes under another name are another one.
///
/// # Errors
/// A fault if it cannot be written as JSON, which it always can.
pub fn fingerprint(sha256: [u8; 32], claim: &Claim) -> Result<[u8; 32], Fault> {
    use sha2::{Digest, Sha256};
    let said = serde_json::to_vec(&(&claim.name, &claim.media_type, claim.keeps_metadata))
        .map_err(|error| Fault::caused("write what a request claims", error))?;
    Ok(Sha256::new()
        .chain_update(sha256)
        .chain_update(said)
        .finalize()
        .into())
}
