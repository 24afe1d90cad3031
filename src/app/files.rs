//! The store of files, outside of requests: opened as the configuration says, kept in order while the server runs, verified by
//! command.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;

use crate::app::settings::Settings;
use crate::db::conn::{Access, DatabaseUrl, connect};
use crate::files::desk::{Desk, Files};
use crate::files::rules::Limits;
use crate::files::scanner::Scanner;
use crate::files::shelf::{Bucket, Location, Shelf};
use crate::files::sweep;
use crate::files::verify::{self, Verdict};
use crate::kernel::clock::Clock;
use crate::kernel::refusal::Fault;
use crate::web::context::Context;

/// How often the store of files is kept in order.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// Everything in it is looked at once in so many rounds: every day.
const STRAYS_EVERY: u64 = 144;

/// Checks what the configuration says of files.
///
/// # Errors
/// A fault that names the setting which makes no sense.
pub fn check(settings: &Settings) -> Result<(), Fault> {
    location(settings)?;
    scanner(settings).map(|_| ())
}

/// Where the store of files is.
///
/// # Errors
/// A fault if `files_url` is neither a folder nor a bucket.
pub fn location(settings: &Settings) -> Result<Location, Fault> {
    let url = settings.files_url.as_str();
    if url.is_empty() {
        return Ok(Location::Folder(settings.data_dir.join("files")));
    }
    if let Some(path) = url.strip_prefix("file://").filter(|path| path.starts_with('/')) {
        return Ok(Location::Folder(path.into()));
    }
    let (name, prefix) = match url.strip_prefix("s3://") {
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        None => ("", ""),
    };
    if name.is_empty() {
        return Err(Fault::broken(format!(
            "files_url is neither file:///path nor s3://bucket/prefix: {url}"
        )));
    }
    Ok(Location::Bucket(Bucket {
        name: name.to_owned(),
        prefix: prefix.to_owned(),
        endpoint: settings.files_s3_endpoint.clone(),
        region: settings.files_s3_region.clone(),
        access_key_id: settings.files_s3_access_key_id.clone(),
        secret_access_key: settings.files_s3_secret_access_key.0.clone(),
    }))
}

/// The virus scanner, if there is one.
fn scanner(settings: &Settings) -> Result<Option<Scanner>, Fault> {
    if settings.files_clamd.is_empty() {
        return Ok(None);
    }
    let scanner = settings.files_clamd.parse();
    scanner
        .map(Some)
        .map_err(|error| Fault::caused("files_clamd", error))
}

/// Opens all that deals with files.
///
/// # Errors
/// A fault if the store cannot be opened.
pub fn open(settings: &Settings) -> Result<Files, Fault> {
    let limits = Limits {
        file_bytes_max: settings.file_bytes_max,
        day_bytes_max: settings.files_quota_bytes_per_day,
        unattached_bytes_max: settings.files_quota_bytes_unattached,
        orphan_after: chrono::Duration::hours(i64::from(settings.files_orphan_hours)),
        types: settings.files_types.clone(),
        zone: settings.zone,
    };
    let timeout = Duration::from_secs(settings.files_timeout_seconds.max(1));
    let shelf = Shelf::open(&location(settings)?)?;
    Ok(Files::new(shelf, limits, scanner(settings)?, timeout))
}

/// Keeps the store of files in order while the server runs: first at its start, because the last one may have ended badly, and
/// then again and again.
pub async fn keep(context: web::Data<Context>, files: Desk) {
    let mut rounds: u64 = 0;
    loop {
        if context.db.halted().is_none() {
            let now = context.clock.now();
            match sweep::round(&files, &context.db, now).await {
                Ok(swept) if swept != sweep::Swept::default() => tracing::info!(?swept, "swept the files"),
                Ok(_) => {}
                Err(stop) => tracing::warn!(%stop, "the files could not be swept"),
            }
            if rounds.is_multiple_of(STRAYS_EVERY) {
                match sweep::strays(&files, &context.db, now).await {
                    Ok(0) => {}
                    Ok(strays) => tracing::info!(strays, "took files away that belonged to nothing"),
                    Err(stop) => tracing::warn!(%stop, "the files could not be looked through"),
                }
            }
        }
        rounds = rounds.wrapping_add(1);
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}

/// Reads every file that an attachment has. `progress` is told how many are done, now and then.
///
/// # Errors
/// A fault if the database or the store cannot be read: then nobody can tell.
pub fn verify(settings: &Settings, progress: &mut dyn FnMut(u64)) -> Result<Verdict, Fault> {
    let url = settings.database()?;
    let place = location(settings)?;
    // Opening either would make a new one.
    let mut needed = Vec::new();
    if let DatabaseUrl::Sqlite(path) = &url {
        needed.push(path.clone());
    }
    if let Location::Folder(folder) = &place {
        needed.push(folder.clone());
    }
    if let Some(missing) = needed.iter().find(|path| !path.exists()) {
        return Err(Fault::broken(format!(
            "there is nothing at {}",
            missing.display()
        )));
    }
    let shelf = Shelf::open(&place)?;
    let mut conn = connect(&url, Access::Read)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::caused("start a runtime", error))?;
    runtime
        .block_on(verify::verify(&mut conn, &shelf, progress))
        .map_err(|stop| Fault::caused("verify the files", stop))
}

/// Says who decides about the files of each kind of matter.
pub fn register(files: &Desk, clock: &Clock) {
    for decider in crate::registry::acts_evidence::deciders() {
        files.deciders.register(Arc::new(decider));
    }
    files
        .deciders
        .register(Arc::new(crate::books::acts_consultations::MinutesAccess));
    files.deciders.register(Arc::new(crate::books::acts::BookAccess));
    files
        .deciders
        .register(Arc::new(crate::books::acts_addenda::AddendumAccess));
    files
        .deciders
        .register(Arc::new(crate::award::acts_prices::BidAccess {
            clock: clock.clone(),
        }));
    files
        .deciders
        .register(Arc::new(crate::award::acts_evaluation::AppraisalMinutesAccess));
    files
        .deciders
        .register(Arc::new(crate::contracts::acts_inspections::PhotoAccess));
    files
        .deciders
        .register(Arc::new(crate::contracts::acts_contests::ContestAccess));
    files
        .deciders
        .register(Arc::new(crate::contracts::desk_defects::DefectReportAccess));
    files.deciders.register(Arc::new(
        crate::contracts::acts_rectifications::RectificationAccess,
    ));
    files
        .deciders
        .register(Arc::new(crate::contracts::desk_acceptances::AcceptanceAccess));
    files
        .deciders
        .register(Arc::new(crate::payments::desk_claims::ClaimAccess));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::media::MediaType;

    fn load(environment: &[(&str, &str)]) -> Result<Settings, Fault> {
        let environment = environment
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Settings::load(None, environment, &[])
    }

    #[test]
    fn files_lie_in_a_folder_or_a_bucket_and_its_key_is_never_shown() {
        let at = |url: &str| {
            let key = ("WARDBOOK_FILES_S3_SECRET_ACCESS_KEY", "hunter2");
            let settings = load(&[("WARDBOOK_FILES_URL", url), ("WARDBOOK_DATA_DIR", "/d"), key])?;
            assert!(!format!("{settings:?}").contains("hunter2"));
            location(&settings)
        };
        assert_eq!(at("").unwrap(), Location::Folder("/d/files".into()));
        assert_eq!(
            at("file:///srv/files").unwrap(),
            Location::Folder("/srv/files".into())
        );
        for (url, prefix) in [("s3://ward", ""), ("s3://ward/", ""), ("s3://ward/a/b", "a/b")] {
            let Location::Bucket(bucket) = at(url).unwrap() else {
                unreachable!()
            };
            assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), ("ward", prefix));
            assert_eq!(bucket.secret_access_key, "hunter2");
        }
        for bad in ["files", "file://files", "s3://", "s3:///x", "http://x/y"] {
            assert!(at(bad).is_err(), "{bad}");
        }
        assert!(load(&[("WARDBOOK_FILES_CLAMD", "127.0.0.1:3310")]).is_err());
        assert!(load(&[("WARDBOOK_FILES_TYPES", "pdf,exe")]).is_err());
        let some = load(&[("WARDBOOK_FILES_TYPES", "pdf, zip")]).unwrap();
        assert_eq!(some.files_types, [MediaType::Pdf, MediaType::Zip]);
    }
}
