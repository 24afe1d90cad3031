//! The check at start: the stored hashes must give the tree that was last signed. A restored backup is the classic fork:
//! it is caught by the mark, a copy of the newest checkpoint that lies beside the keys and not in the database.

use std::path::{Path, PathBuf};

use crate::audit::note::{Checkpoint, Verifier};
use crate::audit::store;
use crate::audit::tree::{Frontier, Hash};
use crate::db::conn::Conn;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::text;
use crate::web::secret_file;

/// Leaves read at once.
const PAGE: i64 = 16_384;

/// What the check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The log holds, with so many entries.
    Sound(u64),
    /// It does not; nothing may be signed over it.
    Broken(Text),
}

impl Finding {
    /// Why the log does not hold, if so.
    pub fn broken(self) -> Option<Text> {
        match self {
            Self::Sound(_) => None,
            Self::Broken(why) => Some(why),
        }
    }
}

/// Rebuilds the tree from the stored hashes and compares it with the stored nodes, with the last signed checkpoint and with
/// the mark. Entries themselves are checked by `wardbook verify log`, which needs no trust in this.
///
/// # Errors
/// A fault of the database.
pub fn check(conn: &mut Conn, verifier: &Verifier, mark: Option<&Checkpoint>) -> Answer<Finding> {
    let Some(last) = store::last_checkpoint(conn)? else {
        let strays = store::placed_beyond(conn, 0)?;
        return Ok(match mark {
            Some(mark) => Finding::Broken(lost(mark, 0)),
            None if strays > 0 => Finding::Broken(text!(
                "日志有 {strays} 条记录却没有检查点",
                "the log has {strays} entries but no checkpoint"
            )),
            None => Finding::Sound(0),
        });
    };
    let signed = match verifier.open_checkpoint(last.note.as_bytes()) {
        Ok(signed) => signed,
        Err(error) => {
            return Ok(Finding::Broken(text!(
                "最新检查点无效：{error}",
                "the newest checkpoint does not verify: {error}"
            )));
        }
    };
    let size = i64::try_from(signed.size).map_err(|error| Fault::caused("the log's size", error))?;
    if let Some(mark) = mark.filter(|mark| mark.size > signed.size) {
        return Ok(Finding::Broken(lost(mark, signed.size)));
    }
    if size != last.size || store::placed_beyond(conn, size)? > 0 {
        return Ok(Finding::Broken(Text::fixed(
            "日志条目数与最新检查点不符",
            "the number of entries is not that of the newest checkpoint",
        )));
    }
    let mut frontier = Frontier::new();
    let mut differing = None;
    while frontier.size() < signed.size {
        let first = i64::try_from(frontier.size()).map_err(|error| Fault::caused("the log's size", error))?;
        let leaves = store::leaf_hashes(conn, first, PAGE.min(size - first))?;
        if leaves.is_empty() {
            return Ok(Finding::Broken(text!(
                "日志缺少第 {first} 条",
                "entry {first} of the log is missing"
            )));
        }
        let mut complete = Vec::new();
        for leaf in leaves {
            frontier.push(leaf, &mut |level, index, hash| {
                if level % 8 == 0 {
                    complete.push((level, index, hash));
                }
            });
            if let Some(mark) =
                mark.filter(|mark| mark.size == frontier.size() && mark.root != frontier.root())
            {
                return Ok(Finding::Broken(forked(mark)));
            }
        }
        differing = differing.or(first_differing(conn, &complete)?);
    }
    if let Some((level, index)) = differing {
        return Ok(Finding::Broken(text!(
            "第 {level} 层第 {index} 个节点的散列与其下的记录不符",
            "the stored hash at level {level}, place {index}, is not that of the entries below it"
        )));
    }
    if frontier.root() != signed.root || frontier.to_bytes() != last.frontier {
        return Ok(Finding::Broken(Text::fixed(
            "由已存散列重建的根与最新检查点不符",
            "the root rebuilt from the stored hashes is not the one that was last signed",
        )));
    }
    Ok(Finding::Sound(signed.size))
}

/// The first stored node that is not what the leaves below it give.
fn first_differing(conn: &mut Conn, complete: &[(u8, u64, Hash)]) -> Answer<Option<(u8, u64)>> {
    for (level, index, hash) in complete {
        let place = i64::try_from(*index).map_err(|error| Fault::caused("a node's place", error))?;
        if store::node_hashes(conn, i64::from(*level), place, 1)?.first() != Some(hash) {
            return Ok(Some((*level, *index)));
        }
    }
    Ok(None)
}

fn lost(mark: &Checkpoint, size: u64) -> Text {
    let marked = mark.size;
    text!(
        "日志曾签署到第 {marked} 条，而数据库只有 {size} 条：疑似恢复了旧备份。为避免日志分叉，停止写入",
        "the log was signed up to {marked} entries, but this database has {size}: it looks like an older backup. \
         Nothing is written, because going on would fork the log"
    )
}

fn forked(mark: &Checkpoint) -> Text {
    let marked = mark.size;
    text!(
        "前 {marked} 条与已签署的检查点不符：日志已分叉，停止写入",
        "the first {marked} entries are not those that were signed: the log has been forked. Nothing is written"
    )
}

/// The file that keeps the newest checkpoint outside the database.
#[derive(Clone, Debug)]
pub struct Mark(PathBuf);

impl Mark {
    /// The mark in this directory.
    pub fn in_directory(directory: &Path) -> Self {
        Self(directory.join("log-mark"))
    }

    /// The checkpoint it holds, if there is one and the key has signed it.
    ///
    /// # Errors
    /// A fault if the file cannot be read or is not a checkpoint of this log.
    pub fn read(&self, verifier: &Verifier) -> Result<Option<Checkpoint>, Fault> {
        let note = match std::fs::read(&self.0) {
            Ok(note) => note,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Fault::caused(format!("read {}", self.0.display()), error)),
        };
        verifier.open_checkpoint(&note).map(Some).map_err(|error| {
            Fault::caused(
                format!("{} is not a checkpoint of this log", self.0.display()),
                error,
            )
        })
    }

    /// Replaces the mark; the old one or the new one is there at every moment.
    ///
    /// # Errors
    /// A fault if the file cannot be written.
    pub fn write(&self, note: &str) -> Result<(), Fault> {
        secret_file::replace(&self.0, note.as_bytes())
    }

    /// Forgets the mark: for the restoration of a backup whose losses are accepted.
    ///
    /// # Errors
    /// A fault if the file cannot be deleted.
    pub fn forget(&self) -> Result<(), Fault> {
        match std::fs::remove_file(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Fault::caused(format!("delete {}", self.0.display()), error))
            }
            _ => Ok(()),
        }
    }
}
