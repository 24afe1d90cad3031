//! The sequencer: gives events their places in the log and signs the tree over them, all in one transaction. On SQLite it
//! runs inside every group of writes, just before the commit; on PostgreSQL one instance is elected and runs it again
//! and again. It reads where the log stands from the database every time, so that any number of processes may take turns.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::audit::note::{Checkpoint, Signer, Verifier};
use crate::audit::startup::{self, Mark};
use crate::audit::store::{self, CheckpointRow, NewNode};
use crate::audit::tree::Frontier;
use crate::db::conn::{Conn, DatabaseUrl};
use crate::db::database::{Db, READ_ONLY};
use crate::db::seat::Seat;
use crate::kernel::clock::{Clock, Instant};
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::text;

/// Events placed in one transaction.
pub const BATCH_MAX: i64 = 5_000;

/// How long the elected instance rests when nothing waits, and how often the others ask for the seat.
const REST: Duration = Duration::from_millis(20);

/// How long anyone rests after a failure.
const REST_AFTER_FAILURE: Duration = Duration::from_millis(500);

/// PostgreSQL's advisory lock of the sequencer's seat: any number, but always the same.
const SEAT: i64 = 0x7761_7264_0002;

/// Places events and signs checkpoints. Clones share what they know.
#[derive(Clone)]
pub struct Sequencer(Arc<Inner>);

struct Inner {
    signer: Signer,
    memory: Mutex<Memory>,
}

/// What a sequencer remembers between two runs. The database cannot make it forget.
#[derive(Default)]
struct Memory {
    /// The furthest checkpoint that it has seen committed, and its signed note.
    seen: Option<(Checkpoint, String)>,
    /// The last one that it has signed itself, whether or not it was committed.
    signed: Option<(Checkpoint, String)>,
    /// Why it signs nothing any more.
    distrust: Option<Text>,
}

impl Sequencer {
    /// A sequencer that signs with this key.
    pub fn new(signer: Signer) -> Self {
        Self(Arc::new(Inner {
            signer,
            memory: Mutex::default(),
        }))
    }

    /// The key that checks what this sequencer signs.
    pub fn verifier(&self) -> &Verifier {
        self.0.signer.verifier()
    }

    /// The note of another text, signed with the key of the log: so that whoever knows that one key can check it.
    ///
    /// # Errors
    /// A fault if the text could be taken for a checkpoint of this log, or no note can carry it.
    pub fn sign_text(&self, text: &str) -> Result<String, Fault> {
        if text
            .lines()
            .next()
            .is_none_or(|first| first == self.verifier().name())
        {
            return Err(Fault::broken(
                "a text that begins as a checkpoint of the log does",
            ));
        }
        let signed = self.0.signer.sign(text);
        signed.map_err(|error| Fault::caused("sign a note", error))
    }

    /// Why it signs nothing any more, if it has met a log that it must not go on from.
    pub fn distrust(&self) -> Option<Text> {
        self.memory(|memory| memory.distrust.clone())
    }

    /// The signed note of the furthest checkpoint that it has seen committed. Worth keeping outside the database, most of
    /// all when the database no longer has it.
    pub fn witnessed(&self) -> Option<String> {
        self.memory(|memory| memory.seen.as_ref().map(|(_, note)| note.clone()))
    }

    fn memory<T>(&self, use_it: impl FnOnce(&mut Memory) -> T) -> T {
        use_it(&mut self.0.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The tree to go on from: the one that the newest checkpoint signs, and one that contains all that was signed before.
    /// Otherwise somebody has changed the log since the check at start, and a signature would make it a fork.
    fn tree(&self, last: Option<&CheckpointRow>) -> Answer<Frontier> {
        let found = match last {
            Some(last) => self.signed_tree(last),
            None => Ok((Frontier::new(), None)),
        };
        let found = found.and_then(|(frontier, signed)| {
            self.memory(|memory| match (&memory.seen, &signed) {
                (Some((seen, _)), now) if now.as_ref().is_none_or(|(now, _)| now.size < seen.size) => {
                    Err(startup::lost(seen, frontier.size()))
                }
                (Some((seen, _)), Some((now, _))) if now.size == seen.size && now.root != seen.root => {
                    Err(startup::forked(seen))
                }
                _ => {
                    memory.seen = signed;
                    Ok(frontier)
                }
            })
        });
        found.map_err(|why| {
            self.memory(|memory| memory.distrust = Some(why.clone()));
            READ_ONLY.because(why).retry_after(60).into()
        })
    }

    fn signed_tree(&self, last: &CheckpointRow) -> Result<(Frontier, Option<(Checkpoint, String)>), Text> {
        // What it has signed itself, byte for byte, need not be verified again.
        let own = self.memory(|memory| memory.signed.clone().filter(|(_, note)| *note == last.note));
        let signed = match own {
            Some((signed, _)) => signed,
            None => self
                .verifier()
                .open_checkpoint(last.note.as_bytes())
                .map_err(|error| {
                    text!(
                        "最新检查点无效：{error}",
                        "the newest checkpoint does not verify: {error}"
                    )
                })?,
        };
        match Frontier::from_bytes(&last.frontier) {
            Ok(frontier) if frontier.size() == signed.size && frontier.root() == signed.root => {
                Ok((frontier, Some((signed, last.note.clone()))))
            }
            _ => Err(Text::fixed(
                "已存的树与最新检查点不符",
                "the stored tree is not the one that the newest checkpoint signs",
            )),
        }
    }

    /// Takes the next events into the tree, up to [`BATCH_MAX`], and signs it. Tells how many there were.
    ///
    /// # Errors
    /// A fault of the database; [`READ_ONLY`] if the stored log is not one to go on from, see [`Self::distrust`].
    pub fn run(&self, conn: &mut Conn, now: Instant) -> Answer<usize> {
        self.batches(conn, now, 1)
    }

    /// As [`Self::run`], but all there are: for SQLite, where nobody comes after the group that is being committed.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_all(&self, conn: &mut Conn, now: Instant) -> Answer<()> {
        self.batches(conn, now, usize::MAX).map(drop)
    }

    fn batches(&self, conn: &mut Conn, now: Instant, max: usize) -> Answer<usize> {
        let mut waiting = store::waiting(conn, BATCH_MAX)?;
        // Only SQLite gives places while events are written.
        let gives_places = matches!(conn, Conn::Sqlite(_));
        if waiting.is_empty() && !gives_places {
            return Ok(0);
        }
        let last = store::last_checkpoint(conn)?;
        let size = last.as_ref().map_or(0, |last| last.size);
        let mut placed = match gives_places {
            true => store::placed_from(conn, size, BATCH_MAX)?,
            false => Vec::new(),
        };
        if waiting.is_empty() && placed.is_empty() {
            return Ok(0);
        }
        let mut frontier = self.tree(last.as_ref())?;
        let mut count = 0_usize;
        for _ in 0..max {
            if !placed.is_empty() {
                count = count.saturating_add(placed.len());
                take_placed(conn, &mut frontier, &placed)?;
                placed = store::placed_from(conn, size_of(&frontier)?, BATCH_MAX)?;
            } else if !waiting.is_empty() {
                count = count.saturating_add(waiting.len());
                place(conn, &mut frontier, &waiting)?;
                waiting = store::waiting(conn, BATCH_MAX)?;
            } else {
                break;
            }
        }
        self.sign(conn, &frontier, now)?;
        Ok(count)
    }

    fn sign(&self, conn: &mut Conn, frontier: &Frontier, now: Instant) -> Answer<()> {
        let note = self
            .0
            .signer
            .sign_checkpoint(frontier.size(), frontier.root())
            .map_err(|error| Fault::caused("sign a checkpoint", error))?;
        let checkpoint = Checkpoint {
            origin: self.verifier().name().to_owned(),
            size: frontier.size(),
            root: frontier.root(),
        };
        self.memory(|memory| memory.signed = Some((checkpoint, note.clone())));
        let row = CheckpointRow {
            size: size_of(frontier)?,
            root: frontier.root().to_vec(),
            note,
            frontier: frontier.to_bytes(),
        };
        store::insert_checkpoint(conn, &row, now)
    }

    /// PostgreSQL: takes the seat when it is free and sequences until told to stop, and then once more what the last writes
    /// left. Whoever takes the seat over first checks the log that it found, and halts the service rather than sign over
    /// a broken one.
    pub fn serve(&self, url: &DatabaseUrl, mark: &Mark, db: &Db, clock: &Clock, stop: &AtomicBool) {
        let mut seat = Seat::new(url.clone(), SEAT);
        let mut checked = false;
        loop {
            let last_turn = stop.load(Ordering::SeqCst);
            let rest = match self.turn(&mut seat, &mut checked, mark, db, clock) {
                Ok(0) => REST,
                // A full batch: there may be more.
                Ok(placed) if !last_turn || i64::try_from(placed) == Ok(BATCH_MAX) => continue,
                Ok(_) => REST,
                Err(stop) => {
                    tracing::error!(%stop, "sequencing failed");
                    seat.leave();
                    checked = false;
                    REST_AFTER_FAILURE
                }
            };
            if last_turn {
                return;
            }
            std::thread::sleep(rest);
        }
    }

    fn turn(
        &self,
        seat: &mut Seat,
        checked: &mut bool,
        mark: &Mark,
        db: &Db,
        clock: &Clock,
    ) -> Answer<usize> {
        if db.halted().is_some() {
            // Another instance may know better, and must not find the seat taken by one that does nothing.
            seat.leave();
            return Ok(0);
        }
        if !seat.take()? {
            *checked = false;
            return Ok(0);
        }
        if !*checked {
            let mark = mark.read(self.verifier())?;
            let found = seat.transaction(|conn| startup::check(conn, self.verifier(), &mark))?;
            if let Some(why) = found.broken() {
                tracing::error!("the log does not hold; the service is read-only from now on");
                db.halt(why);
                return Ok(0);
            }
            *checked = true;
            tracing::info!("this instance sequences the log now");
        }
        let now = clock.now();
        let placed = seat.transaction(|conn| self.run(conn, now));
        if let Some(why) = self.distrust() {
            db.halt(why);
        }
        placed
    }
}

/// Gives these events the next places of the tree, and stores the nodes that they complete.
fn place(conn: &mut Conn, frontier: &mut Frontier, waiting: &[(String, Vec<u8>)]) -> Answer<()> {
    let ids: Vec<&str> = waiting.iter().map(|(id, _)| id.as_str()).collect();
    store::place(conn, &ids, size_of(frontier)?)?;
    grow(conn, frontier, waiting.iter().map(|(_, leaf)| leaf))
}

/// Takes events into the tree that have the next places already.
fn take_placed(conn: &mut Conn, frontier: &mut Frontier, placed: &[(Option<i64>, Vec<u8>)]) -> Answer<()> {
    let first = size_of(frontier)?;
    if placed
        .iter()
        .zip(first..)
        .any(|((place, _), next)| *place != Some(next))
    {
        return Err(Fault::broken(format!("the places of the log have a gap after {first}")).into());
    }
    grow(conn, frontier, placed.iter().map(|(_, leaf)| leaf))
}

fn grow<'l>(
    conn: &mut Conn,
    frontier: &mut Frontier,
    leaves: impl Iterator<Item = &'l Vec<u8>>,
) -> Answer<()> {
    let mut nodes = Vec::new();
    for leaf in leaves {
        let leaf = leaf
            .as_slice()
            .try_into()
            .map_err(|_| Fault::broken("a stored leaf hash is not 32 bytes"))?;
        frontier.push(leaf, &mut |level, index, hash| {
            if level % 8 == 0 {
                nodes.push((level, index, hash));
            }
        });
    }
    let nodes = nodes.into_iter().map(|(level, index, hash)| {
        let node_index = i64::try_from(index).map_err(|error| Fault::caused("a node's place", error))?;
        Ok(NewNode {
            level: i64::from(level),
            node_index,
            hash: hash.to_vec(),
        })
    });
    store::insert_nodes(conn, &nodes.collect::<Result<Vec<_>, Fault>>()?)
}

fn size_of(frontier: &Frontier) -> Result<i64, Fault> {
    i64::try_from(frontier.size()).map_err(|error| Fault::caused("the log's size", error))
}
