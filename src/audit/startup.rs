//! The check at start: the stored hashes must give the tree that was last signed. A restored backup is the classic fork:
//! it is caught by the mark, a copy of the newest checkpoint that lies beside the keys and not in the database.

use std::path::{Path, PathBuf};

use crate::audit::note::{Checkpoint, Verifier};
use crate::audit::store::{self, CheckpointRow};
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
pub fn check(conn: &mut Conn, verifier: &Verifier, mark: &Marked) -> Answer<Finding> {
    let mark = match mark {
        Marked::Nothing => None,
        Marked::At(mark) => Some(mark),
        Marked::Illegible(why) => return Ok(Finding::Broken(why.clone())),
    };
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
    if let Some(mark) = mark.filter(|mark| mark.size > signed.size) {
        return Ok(Finding::Broken(lost(mark, signed.size)));
    }
    let size = place(signed.size)?;
    if size != last.size || store::placed_beyond(conn, size)? > 0 {
        return Ok(Finding::Broken(Text::fixed(
            "日志条目数与最新检查点不符",
            "the number of entries is not that of the newest checkpoint",
        )));
    }
    if store::log(conn)?.is_none() {
        return Ok(Finding::Broken(Text::fixed(
            "日志有检查点却没有名称",
            "the log has checkpoints but no name",
        )));
    }
    Ok(match rebuild(conn, &last, &signed, mark)? {
        Some(why) => Finding::Broken(why),
        None => Finding::Sound(signed.size),
    })
}

/// Rebuilds the tree and says what is wrong with it, if anything is.
fn rebuild(
    conn: &mut Conn,
    last: &CheckpointRow,
    signed: &Checkpoint,
    mark: Option<&Checkpoint>,
) -> Answer<Option<Text>> {
    let mut frontier = Frontier::new();
    let mut nodes: i64 = 0;
    let mut fork = None;
    while frontier.size() < signed.size {
        let first = place(frontier.size())?;
        let count = PAGE.min(last.size - first);
        let leaves = store::leaf_hashes(conn, first, count)?;
        if i64::try_from(leaves.len()) != Ok(count) {
            let missing = store::first_missing(conn, first, count)?;
            return Ok(Some(text!(
                "日志缺少第 {missing} 条",
                "entry {missing} of the log is missing"
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
                fork = Some(forked(mark));
            }
        }
        nodes = nodes.saturating_add(place(complete.len())?);
        if let Some((level, index)) = first_differing(conn, complete)? {
            return Ok(Some(text!(
                "第 {level} 层第 {index} 个节点的散列与其下的记录不符",
                "the stored hash at level {level}, place {index}, is not that of the entries below it"
            )));
        }
    }
    if frontier.root() != signed.root || frontier.to_bytes() != last.frontier {
        return Ok(Some(Text::fixed(
            "由已存散列重建的根与最新检查点不符",
            "the root rebuilt from the stored hashes is not the one that was last signed",
        )));
    }
    // One too many would be served as part of a tile, and would stand in the way of the next.
    if store::nodes(conn)? != nodes {
        return Ok(Some(Text::fixed(
            "已存节点数与日志条目数不符",
            "the number of stored hashes is not that of a tree of this size",
        )));
    }
    // Last, because whatever is wrong with the tree itself says more.
    Ok(fork)
}

/// The first stored node that is not what the leaves below it give.
fn first_differing(conn: &mut Conn, mut complete: Vec<(u8, u64, Hash)>) -> Answer<Option<(u8, u64)>> {
    // Those of one level are consecutive, so one query reads them all.
    complete.sort_unstable_by_key(|(level, index, _)| (*level, *index));
    for row in complete.chunk_by(|(one, ..), (other, ..)| one == other) {
        let Some((level, first, _)) = row.first() else {
            continue;
        };
        let stored = store::node_hashes(conn, i64::from(*level), place(*first)?, place(row.len())?)?;
        let mut stored = stored.iter();
        if let Some((level, index, _)) = row.iter().find(|(_, _, hash)| stored.next() != Some(hash)) {
            return Ok(Some((*level, *index)));
        }
    }
    Ok(None)
}

/// A number of leaves or a place among them, as the database counts.
fn place<T>(number: T) -> Result<i64, Fault>
where
    i64: TryFrom<T>,
    <i64 as TryFrom<T>>::Error: std::error::Error + Send + Sync + 'static,
{
    i64::try_from(number).map_err(|error| Fault::caused("the log's size", error))
}

/// In words: the log was signed up to the mark, but reaches less far now.
pub fn lost(mark: &Checkpoint, size: u64) -> Text {
    let marked = mark.size;
    text!(
        "日志曾签署到第 {marked} 条，而数据库只有 {size} 条：疑似恢复了旧备份。为避免日志分叉，停止写入",
        "the log was signed up to {marked} entries, but this database has {size}: it looks like an older backup. \
         Nothing is written, because going on would fork the log"
    )
}

/// In words: the log begins otherwise than it did when the mark was signed.
pub fn forked(mark: &Checkpoint) -> Text {
    let marked = mark.size;
    text!(
        "前 {marked} 条与已签署的检查点不符：日志已分叉，停止写入",
        "the first {marked} entries are not those that were signed: the log has been forked. Nothing is written"
    )
}

/// The file that keeps the newest checkpoint outside the database.
#[derive(Clone, Debug)]
pub struct Mark(PathBuf);

/// What the mark says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    /// There is none.
    Nothing,
    /// The log was signed up to here.
    At(Checkpoint),
    /// It is there, but the log's key has not signed what it holds. Then nobody can tell how far the log once went.
    Illegible(Text),
}

impl Mark {
    /// The mark in this directory.
    pub fn in_directory(directory: &Path) -> Self {
        Self(directory.join("log-mark"))
    }

    /// What it says.
    ///
    /// # Errors
    /// A fault if the file is there and cannot be read.
    pub fn read(&self, verifier: &Verifier) -> Result<Marked, Fault> {
        let note = match std::fs::read(&self.0) {
            Ok(note) => note,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Marked::Nothing),
            Err(error) => return Err(Fault::caused(format!("read {}", self.0.display()), error)),
        };
        Ok(match verifier.open_checkpoint(&note) {
            Ok(mark) => Marked::At(mark),
            Err(error) => Marked::Illegible(text!(
                "密钥旁的标记文件 log-mark 不是本日志的检查点（{error}），无法判断日志是否被回退，停止写入。\
                 请先用另行保存的检查点核对（wardbook verify log --since），再删除该文件",
                "the file log-mark beside the keys is not a checkpoint of this log ({error}), so nobody can tell whether \
                 the log was rolled back. Nothing is written. Check the log against a checkpoint that was kept elsewhere \
                 (wardbook verify log --since), then delete that file"
            )),
        })
    }

    /// Replaces the mark, but never by one that is not further on: a command that runs beside the server must not take
    /// it back. The old one or the new one is there, whole, at every moment, even if the power fails.
    ///
    /// # Errors
    /// A fault if the file cannot be written.
    pub fn advance(&self, note: &str, verifier: &Verifier) -> Result<(), Fault> {
        let newest = verifier
            .open_checkpoint(note.as_bytes())
            .map_err(|error| Fault::caused("the newest checkpoint", error))?;
        if let Marked::At(mark) = self.read(verifier)?
            && mark.size >= newest.size
        {
            return Ok(());
        }
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
