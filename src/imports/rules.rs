//! What an import is, and how far it may go. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::imports::rules_findings::Tally;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Kind as Sort, Reason};

crate::ids! {
    /// A file that was read in.
    ImportId "import"
}

/// Releases of one process that are kept.
pub const RELEASES_MAX: i64 = 500;
/// Bytes of all of them.
pub const PROCESS_BYTES_MAX: i64 = 32 * 1024 * 1024;
/// Releases that are loaded in one transaction.
pub const BATCH_RELEASES_MAX: usize = 100;
/// Bytes of them, if there is more than one.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Findings of one import that are kept; a report has all of them, and the counts count all.
pub const FINDINGS_KEPT_MAX: i64 = 200_000;
/// Characters of a file's name.
pub const NAME_LENGTH_MAX: usize = 200;
/// Minutes without a batch, and without a word that it still waits, after which an import is taken to have been given up.
pub const SILENCE_MINUTES_MAX: i64 = 10;

/// Another run of the same file has taken over.
pub static IMPORT_OVERTAKEN: Reason = Reason::new(
    Sort::Conflict,
    "import_overtaken",
    "同一文件的另一次导入已接手",
    "Another import of the same file has taken over",
);
/// As many imports wait as may.
pub static IMPORTS_BUSY: Reason = Reason::new(
    Sort::Busy,
    "imports_busy",
    "已有导入在进行或等候，请稍后再试",
    "As many imports are running and waiting as may; try again later",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&IMPORT_OVERTAKEN, &IMPORTS_BUSY];

/// What sort of file was read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportKind)]
pub enum Kind {
    /// Open contracting data.
    Ocds,
    /// A table of contracts that are running.
    Contracts,
}

impl Kind {
    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ocds => "ocds",
            Self::Contracts => "contracts",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Ocds, Self::Contracts]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportState)]
pub enum State {
    /// It waits for its turn, behind others. Never written down: it is what [`Import::state_at`] makes of one that was not started.
    Waiting,
    /// It goes on.
    Running,
    /// All of the file was read.
    Done,
    /// The file could not be read to its end; what was loaded of it stays.
    Failed,
    /// It was broken off, by the service's end or by another run; what was loaded of it stays.
    Interrupted,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Interrupted,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What an import has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Releases that were read.
    pub releases: i64,
    /// Of these, those that were known before.
    pub releases_known: i64,
    /// Of these, those that were added.
    pub releases_added: i64,
    /// Processes that are new.
    pub processes_added: i64,
    /// Processes that say something else than before.
    pub processes_changed: i64,
    /// What was found.
    pub found: Tally,
    /// Findings that are kept.
    pub findings_kept: i64,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            releases: self.releases.saturating_add(other.releases),
            releases_known: self.releases_known.saturating_add(other.releases_known),
            releases_added: self.releases_added.saturating_add(other.releases_added),
            processes_added: self.processes_added.saturating_add(other.processes_added),
            processes_changed: self.processes_changed.saturating_add(other.processes_changed),
            found: Tally {
                repairs: self.found.repairs.saturating_add(other.found.repairs),
                rejections: self.found.rejections.saturating_add(other.found.rejections),
                notes: self.found.notes.saturating_add(other.found.notes),
            },
            findings_kept: self.findings_kept.saturating_add(other.findings_kept),
        }
    }
}

/// A file that was read in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// The file's name.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// How many bytes.
    pub bytes: i64,
    /// What sort of file it is.
    pub kind: Kind,
    /// How far it has come, as it was written down; see [`Self::state_at`].
    pub state: State,
    /// What it has come to.
    pub counts: Counts,
    /// Who began it.
    pub begun_by: String,
    /// When.
    pub begun_at: Instant,
    /// When its last batch was loaded, it said that it waits, or it ended.
    pub moved_at: Instant,
    /// When its turn came; none while it waits.
    pub started_at: Option<Instant>,
}

impl Import {
    /// How far it has come: one that has not moved for long was broken off, and one that was not started waits.
    pub fn state_at(&self, now: Instant) -> State {
        let silence = now.signed_duration_since(self.moved_at);
        match (self.state, self.started_at) {
            (State::Running, _) if silence.num_minutes() >= SILENCE_MINUTES_MAX => State::Interrupted,
            (State::Running, None) => State::Waiting,
            (state, _) => state,
        }
    }

    /// Whether it found nothing that was not there before.
    pub const fn is_unchanged(&self) -> bool {
        self.counts.releases_added == 0 && self.counts.processes_changed == 0
    }
}

/// Whether a process is one of the ward's own: its id begins with the prefix that the ward publishes under. Where the ward has none, it has published nothing.
pub fn is_own(ocid: &str, prefix: Option<&str>) -> bool {
    let rest = prefix.filter(|prefix| !prefix.is_empty());
    rest.and_then(|prefix| ocid.strip_prefix(prefix))
        .is_some_and(|rest| rest.starts_with('-'))
}

/// A file's name as it is kept: its last part, without what cannot be shown.
pub fn kept_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last
        .chars()
        .filter(|c| !c.is_control())
        .take(NAME_LENGTH_MAX)
        .collect();
    match plain.trim() {
        "" => "ocds".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, TimeZone, Utc};

    use super::*;

    #[test]
    fn names_are_the_last_part_only() {
        assert_eq!(kept_name("../a/b\u{0}.json"), "b.json");
        assert_eq!(kept_name("c:\\x\\y.jsonl"), "y.jsonl");
        assert_eq!(kept_name("a/"), "ocds");
    }

    #[test]
    fn a_process_is_the_wards_own_by_its_prefix() {
        let own = |ocid| is_own(ocid, Some("ocds-a1b2c3"));
        assert!(own("ocds-a1b2c3-01jd") && own("ocds-a1b2c3-"));
        assert!(!own("ocds-a1b2c34-01jd") && !own("ocds-a1b2c3") && !own("x-ocds-a1b2c3-1"));
        assert!(!is_own("ocds-a1b2c3-1", None) && !is_own("-1", Some("")));
    }

    #[test]
    fn an_import_without_a_batch_for_long_was_broken_off() {
        let at = Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap();
        let mut import = Import {
            id: ImportId::mint(at),
            name: "a".into(),
            sha256: [0; 32],
            bytes: 0,
            kind: Kind::Ocds,
            state: State::Running,
            counts: Counts::default(),
            begun_by: "system".into(),
            begun_at: at,
            moved_at: at,
            started_at: Some(at),
        };
        assert_eq!(import.state_at(at + Duration::minutes(9)), State::Running);
        assert_eq!(import.state_at(at + Duration::minutes(10)), State::Interrupted);
        import.state = State::Done;
        assert_eq!(import.state_at(at + Duration::days(9)), State::Done);
        // One that waits is not broken off as long as it says so.
        import.state = State::Running;
        import.started_at = None;
        assert_eq!(import.state_at(at + Duration::minutes(9)), State::Waiting);
        assert_eq!(import.state_at(at + Duration::minutes(10)), State::Interrupted);
        import.moved_at = at + Duration::minutes(9);
        assert_eq!(import.state_at(at + Duration::minutes(18)), State::Waiting);
    }
}
