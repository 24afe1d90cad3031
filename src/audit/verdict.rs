//! What the verification of a log concludes, in words a person can act on.
//!
//! Text that comes from the log is always shown quoted and escaped: a log that cheats must never
//! write to the terminal of whoever catches it.

use super::tree::Hash;
use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use std::fmt;

/// The outcome. `Display` writes it out in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything fits.
    Holds {
        /// Which log it is.
        origin: String,
        /// The number of entries, all of which were read.
        size: u64,
        /// The root over them.
        root: Hash,
        /// The size of the older checkpoint that this log extends, if one was given.
        since: Option<u64>,
        /// The signed checkpoint, to keep: with it the next verification notices a rewritten past.
        checkpoint: String,
    },
    /// The log does not keep what it promises.
    Broken {
        /// What is wrong, in the order found; at least one.
        problems: Vec<Problem>,
        /// Why the rest was not looked at, if it was not.
        unfinished: Option<String>,
    },
    /// Nothing was found wrong, but not everything could be looked at.
    CannotTell {
        /// What stood in the way.
        why: String,
    },
}

impl Verdict {
    /// What a command ends with: 0 holds, 1 does not, 2 cannot tell.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Holds { .. } => 0,
            Self::Broken { .. } => 1,
            Self::CannotTell { .. } => 2,
        }
    }
}

/// One thing that is wrong with a log, and where. Entries are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The checkpoint is not signed by the key of the log, or wrongly.
    BadSignature {
        /// In what way.
        reason: String,
    },
    /// The checkpoint is not one.
    BadCheckpoint {
        /// In what way.
        reason: String,
    },
    /// The checkpoint is signed, but of another log.
    WrongOrigin {
        /// The name of the key.
        expected: String,
        /// The origin in the checkpoint.
        found: String,
    },
    /// The log is smaller than it once was.
    Rollback {
        /// The size in the older checkpoint.
        old_size: u64,
        /// The size now.
        size: u64,
    },
    /// The past was rewritten: the log does not begin with what an older checkpoint covers.
    Fork {
        /// The size in the older checkpoint.
        old_size: u64,
        /// The root in the older checkpoint.
        old_root: Hash,
        /// The root of as many entries now.
        root: Hash,
    },
    /// A part that the checkpoint promises is not there.
    Gap {
        /// Its path.
        path: String,
    },
    /// A part is there but is not what its name says.
    BadContent {
        /// Its path.
        path: String,
        /// In what way.
        reason: String,
    },
    /// An entry is not the one whose hash is in the tree.
    EntryMismatch {
        /// Which entry.
        index: u64,
    },
    /// A tile does not follow from the entries.
    TileMismatch {
        /// Its path.
        path: String,
        /// The first hash in it that differs, counted from 0.
        position: usize,
    },
    /// The entries do not lead to the signed root.
    RootMismatch {
        /// The number of entries.
        size: u64,
        /// The root in the checkpoint.
        signed: Hash,
        /// The root that follows from the entries.
        rebuilt: Hash,
    },
    /// An entry is not an event of version 1.
    BadEntry {
        /// Which entry.
        index: u64,
        /// In what way.
        reason: String,
    },
    /// An event is in the log twice.
    DuplicateId {
        /// The later entry.
        index: u64,
        /// The id that an earlier entry bears already, shortened if it is very long.
        id: String,
    },
}

impl Problem {
    /// The name under which people speak of it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::BadSignature { .. } => "BAD SIGNATURE",
            Self::BadCheckpoint { .. } => "BAD CHECKPOINT",
            Self::WrongOrigin { .. } => "WRONG ORIGIN",
            Self::Rollback { .. } => "ROLLBACK",
            Self::Fork { .. } => "FORK",
            Self::Gap { .. } => "GAP",
            Self::BadContent { .. } => "BAD CONTENT",
            Self::EntryMismatch { .. } => "ENTRY MISMATCH",
            Self::TileMismatch { .. } => "TILE MISMATCH",
            Self::RootMismatch { .. } => "ROOT MISMATCH",
            Self::BadEntry { .. } => "BAD ENTRY",
            Self::DuplicateId { .. } => "DUPLICATE ID",
        }
    }

    /// Whether two statements signed by the log contradict each other, which is proof to keep.
    fn is_contradiction(&self) -> bool {
        matches!(self, Self::Rollback { .. } | Self::Fork { .. })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        match self {
            Self::BadSignature { reason } | Self::BadCheckpoint { reason } => f.write_str(reason),
            Self::WrongOrigin { expected, found } => {
                write!(f, "the checkpoint is of {found:?}, the key is of {expected:?}")
            }
            Self::Rollback { old_size, size } => write!(
                f,
                "the log has {size} entries, but once signed that it has {old_size}"
            ),
            Self::Fork {
                old_size,
                old_root,
                root,
            } => write!(
                f,
                "the first {old_size} entries now have the root {}, but the log once signed {}",
                BASE64.encode(root),
                BASE64.encode(old_root)
            ),
            Self::Gap { path } => write!(f, "{path} is missing"),
            Self::BadContent { path, reason } => write!(f, "{path}: {reason}"),
            Self::EntryMismatch { index } => {
                write!(
                    f,
                    "entry {index} does not have the hash that stands in the tree for it"
                )
            }
            Self::TileMismatch { path, position } => {
                write!(
                    f,
                    "{path} does not follow from the entries, first in hash {position}"
                )
            }
            Self::RootMismatch {
                size,
                signed,
                rebuilt,
            } => write!(
                f,
                "the {size} entries have the root {}, but the log signed {}",
                BASE64.encode(rebuilt),
                BASE64.encode(signed)
            ),
            Self::BadEntry { index, reason } => write!(f, "entry {index}: {reason}"),
            Self::DuplicateId { index, id } => {
                write!(f, "entry {index} has the id {id:?}, as an earlier entry has")
            }
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds {
                origin,
                size,
                root,
                since,
                ..
            } => {
                writeln!(f, "The log {origin:?} HOLDS.")?;
                writeln!(
                    f,
                    "All {size} entries lead to the signed root {}.",
                    BASE64.encode(root)
                )?;
                match since {
                    Some(old) => writeln!(f, "The {old} entries of the older checkpoint stand unchanged."),
                    None => writeln!(
                        f,
                        "Whether its past was rewritten shows only against an older checkpoint: keep this \
                         one for the next time."
                    ),
                }
            }
            Self::Broken { problems, unfinished } => write_broken(f, problems, unfinished.as_deref()),
            Self::CannotTell { why } => {
                writeln!(f, "CANNOT TELL whether the log holds: {why}.")?;
                writeln!(
                    f,
                    "Nothing speaks against it so far, nor for it. Put right what stood in the way and try again."
                )
            }
        }
    }
}

fn write_broken(f: &mut fmt::Formatter<'_>, problems: &[Problem], unfinished: Option<&str>) -> fmt::Result {
    writeln!(f, "The log DOES NOT HOLD.")?;
    for problem in problems {
        writeln!(f, "- {problem}")?;
    }
    if let Some(why) = unfinished {
        writeln!(f, "The rest was not looked at: {why}.")?;
    }
    if problems.iter().any(Problem::is_contradiction) {
        writeln!(
            f,
            "Keep both checkpoints: together they prove, with the log's own signatures, that it \
             contradicts itself. Show them to the auditor."
        )
    } else {
        writeln!(
            f,
            "Keep a copy of what the log serves now, and show it to the auditor."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_tells_the_three_outcomes_apart() {
        let holds = Verdict::Holds {
            origin: "ward.example/audit".to_owned(),
            size: 3,
            root: [0; 32],
            since: Some(2),
            checkpoint: String::new(),
        };
        let broken = Verdict::Broken {
            problems: vec![],
            unfinished: None,
        };
        let cannot_tell = Verdict::CannotTell {
            why: "no answer".to_owned(),
        };
        assert_eq!([holds, broken, cannot_tell].map(|it| it.exit_code()), [0, 1, 2]);
    }

    #[test]
    fn a_verdict_says_what_to_do() {
        let fork = Problem::Fork {
            old_size: 2,
            old_root: [0; 32],
            root: [1; 32],
        };
        let gap = Problem::Gap {
            path: "tile/0/000".to_owned(),
        };
        let text = Verdict::Broken {
            problems: vec![fork, gap.clone()],
            unfinished: None,
        }
        .to_string();
        assert!(
            text.contains("- FORK: ") && text.contains("- GAP: tile/0/000"),
            "{text}"
        );
        assert!(text.contains("Keep both checkpoints"), "{text}");
        let unfinished = Some("the server answers 503".to_owned());
        let text = Verdict::Broken {
            problems: vec![gap],
            unfinished,
        }
        .to_string();
        assert!(text.contains("not looked at: the server answers 503"), "{text}");
        assert!(text.contains("Keep a copy"), "{text}");
    }

    #[test]
    fn what_the_log_says_cannot_steer_a_terminal() {
        let id = "\u{1b}[2J\u{9b}\u{7f}".to_owned();
        let origin = Problem::WrongOrigin {
            expected: String::new(),
            found: id.clone(),
        };
        for problem in [Problem::DuplicateId { index: 1, id }, origin] {
            assert!(!problem.to_string().contains(char::is_control), "{problem}");
        }
    }
}
