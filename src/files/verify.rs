//! `wardbook verify files`: reads every file that an attachment has and compares it with its hash. Believes the database about
//! what should be there, and the store about nothing.

use crate::db::conn::Conn;
use crate::files::shelf::Shelf;
use crate::files::store;
use crate::kernel::refusal::Answer;

/// Contents asked of the database at once.
const AT_ONCE: i64 = 500;

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing lies where it should.
    Missing,
    /// Something else lies there.
    Damaged,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Files that are what they should be.
    pub sound: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The others: their hash, where they should lie, and what is wrong.
    pub faults: Vec<(String, String, Fault)>,
}

impl Verdict {
    /// 0: every file holds, 1: some do not.
    pub fn exit_code(&self) -> u8 {
        u8::from(!self.faults.is_empty())
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (sha256, place, fault) in &self.faults {
            let what = match fault {
                Fault::Missing => "MISSING",
                Fault::Damaged => "DAMAGED",
            };
            writeln!(f, "{what} {sha256} at {place}")?;
        }
        let (sound, bytes) = (self.sound, self.bytes);
        match self.faults.len() {
            0 => write!(f, "OK: {sound} files, {bytes} bytes, each as its hash says"),
            faults => write!(f, "NOT OK: {faults} files missing or damaged, {sound} sound"),
        }
    }
}

/// Reads every file. `progress` is told how many are done, now and then.
///
/// # Errors
/// A fault of the database; that the store is not available.
pub async fn verify(conn: &mut Conn, shelf: &Shelf, progress: &mut dyn FnMut(u64)) -> Answer<Verdict> {
    let mut verdict = Verdict::default();
    let (mut after, mut done) = (String::new(), 0_u64);
    loop {
        let contents = store::contents(conn, &after, AT_ONCE)?;
        let Some(last) = contents.last() else {
            return Ok(verdict);
        };
        after.clone_from(&last.sha256);
        for content in contents {
            let found = shelf.digest(&content.place).await?;
            let fault = match found {
                None => Some(Fault::Missing),
                Some((sha256, bytes))
                    if sha256 == content.sha256 && i64::try_from(bytes) == Ok(content.bytes) =>
                {
                    verdict.sound = verdict.sound.saturating_add(1);
                    verdict.bytes = verdict.bytes.saturating_add(bytes);
                    None
                }
                Some(_) => Some(Fault::Damaged),
            };
            // A server that runs meanwhile may have taken it away in the regular course.
            if let Some(fault) = fault
                && store::content(conn, &content.sha256)?.as_ref() == Some(&content)
            {
                verdict.faults.push((content.sha256, content.place, fault));
            }
            done = done.saturating_add(1);
            if done.is_multiple_of(1_000) {
                progress(done);
            }
        }
    }
}
