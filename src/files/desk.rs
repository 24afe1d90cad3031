//! What the handlers of files share: the store, the scanner, the limits, who answers for matters, and whose turn it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web;
use tokio::sync::Semaphore;

use crate::files::access::Deciders;
use crate::files::rules::{Limits, UPLOADS_AT_ONCE, UPLOADS_BUSY};
use crate::files::scanner::Scanner;
use crate::files::shelf::Shelf;
use crate::kernel::refusal::Answer;

/// Uploads that run at once in this process: each holds a part or two of its file in memory.
pub const UPLOADS_MAX: usize = 16;
/// Pictures that are cleaned at once in this process: each is in memory as a whole, and once more without its metadata.
pub const PICTURES_MAX: usize = 4;
/// Uploads of one account that run at once.
pub const UPLOADS_PER_ACCOUNT_MAX: usize = 4;

/// Marks handlers that read or write files.
pub type Desk = web::Data<Files>;

/// The state shared by all that deals with files.
pub struct Files {
    /// The store.
    pub shelf: Shelf,
    /// How much may be uploaded.
    pub limits: Arc<Limits>,
    /// The virus scanner, if there is one.
    pub scanner: Option<Scanner>,
    /// Who answers for the matters that attachments hang on.
    pub deciders: Deciders,
    /// How long one upload or download may take.
    pub timeout: Duration,
    /// Whose turn it is to have a picture cleaned; the others wait.
    pub cleaning: Semaphore,
    running: Arc<Mutex<HashMap<String, usize>>>,
}

impl Files {
    /// The shared state.
    pub fn new(shelf: Shelf, limits: Limits, scanner: Option<Scanner>, timeout: Duration) -> Self {
        Self {
            shelf,
            limits: Arc::new(limits),
            scanner,
            deciders: Deciders::default(),
            timeout,
            cleaning: Semaphore::new(PICTURES_MAX),
            running: Arc::default(),
        }
    }

    /// Lets an account begin an upload, which runs until the turn is dropped.
    ///
    /// # Errors
    /// [`UPLOADS_AT_ONCE`], then [`UPLOADS_BUSY`].
    pub fn turn(&self, account: &str) -> Answer<Turn> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let own = running.get(account).copied().unwrap_or_default();
        if own >= UPLOADS_PER_ACCOUNT_MAX {
            return Err(UPLOADS_AT_ONCE.refuse().retry_after(5).into());
        }
        if running.values().sum::<usize>() >= UPLOADS_MAX {
            return Err(UPLOADS_BUSY.refuse().retry_after(5).into());
        }
        running.insert(account.to_owned(), own.saturating_add(1));
        Ok(Turn {
            running: self.running.clone(),
            account: account.to_owned(),
        })
    }
}

/// The right to upload one file now.
pub struct Turn {
    running: Arc<Mutex<HashMap<String, usize>>>,
    account: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match running.get_mut(&self.account) {
            Some(own) if *own > 1 => *own = own.saturating_sub(1),
            _ => drop(running.remove(&self.account)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::media::MediaType;
    use crate::files::shelf::Location;
    use crate::kernel::refusal::Stop;

    #[test]
    fn an_account_has_a_few_turns_and_all_together_a_few_more() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits {
            file_bytes_max: 1,
            day_bytes_max: 1,
            unattached_bytes_max: 1,
            orphan_after: chrono::Duration::hours(1),
            types: MediaType::USUAL.to_vec(),
            zone: chrono_tz::UTC,
        };
        let shelf = Shelf::open(&Location::Folder(dir.path().to_owned())).unwrap();
        let files = Files::new(shelf, limits, None, Duration::from_secs(1));
        let code = |account: &str| match files.turn(account) {
            Err(Stop::Refused(refusal)) => refusal.reason.code,
            Err(other) => unreachable!("{other}"),
            Ok(_) => "",
        };
        let mut turns: Vec<Turn> = (0..UPLOADS_PER_ACCOUNT_MAX)
            .map(|_| files.turn("user_a").unwrap())
            .collect();
        assert_eq!(code("user_a"), "uploads_at_once");
        assert_eq!(code("user_b"), "");
        turns.pop();
        assert_eq!(code("user_a"), "");
        for n in turns.len()..UPLOADS_MAX {
            turns.push(files.turn(&format!("user_{n}")).unwrap());
        }
        assert_eq!(code("user_z"), "uploads_busy");
        turns.clear();
        assert!(files.running.lock().unwrap().is_empty());
    }
}
