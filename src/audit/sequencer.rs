//! The sequencer: gives events their places in the log and signs the tree over them, all in one transaction. On SQLite it
//! runs inside every group of writes, just before the commit; on PostgreSQL one instance is elected and runs it again
//! and again. It reads where the log stands from the database every time, so that any number of processes may take turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::audit::note::{Signer, Verifier};
use crate::audit::startup::{self, Mark};
use crate::audit::store::{self, CheckpointRow, NewNode};
use crate::audit::tree::Frontier;
use crate::db::conn::{Conn, DatabaseUrl};
use crate::db::database::Db;
use crate::db::seat::Seat;
use crate::kernel::clock::{Clock, Instant};
use crate::kernel::refusal::{Answer, Fault};

/// Events placed in one transaction.
pub const BATCH_MAX: i64 = 5_000;

/// How long the elected instance rests when nothing waits, and how often the others ask for the seat.
const REST: Duration = Duration::from_millis(20);

/// How long anyone rests after a failure.
const REST_AFTER_FAILURE: Duration = Duration::from_millis(500);

/// PostgreSQL's advisory lock of the sequencer's seat: any number, but always the same.
const SEAT: i64 = 0x7761_7264_0002;

/// Places events and signs checkpoints.
#[derive(Clone)]
pub struct Sequencer(Arc<Signer>);

impl Sequencer {
    /// A sequencer that signs with this key.
    pub fn new(signer: Signer) -> Self {
        Self(Arc::new(signer))
    }

    /// The key that checks what this sequencer signs.
    pub fn verifier(&self) -> &Verifier {
        self.0.verifier()
    }

    /// Places the events that wait, up to [`BATCH_MAX`], and signs the tree. Tells how many there were.
    ///
    /// # Errors
    /// A fault of the database, or a stored log that contradicts itself.
    pub fn run(&self, conn: &mut Conn, now: Instant) -> Answer<usize> {
        let waiting = store::waiting(conn, BATCH_MAX)?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let mut frontier = match store::last_checkpoint(conn)? {
            Some(last) => Frontier::from_bytes(&last.frontier)
                .map_err(|error| Fault::caused("the stored tree", error))?,
            None => Frontier::new(),
        };
        let first = i64::try_from(frontier.size()).map_err(|error| Fault::caused("the log's size", error))?;
        let mut nodes = Vec::new();
        for (_, leaf) in &waiting {
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
        let ids: Vec<&str> = waiting.iter().map(|(id, _)| id.as_str()).collect();
        store::place(conn, &ids, first)?;
        let nodes = nodes.into_iter().map(|(level, index, hash)| {
            let node_index = i64::try_from(index).map_err(|error| Fault::caused("a node's place", error))?;
            Ok(NewNode {
                level: i64::from(level),
                node_index,
                hash: hash.to_vec(),
            })
        });
        store::insert_nodes(conn, &nodes.collect::<Result<Vec<_>, Fault>>()?)?;
        let note = self
            .0
            .sign_checkpoint(frontier.size(), frontier.root())
            .map_err(|error| Fault::caused("sign a checkpoint", error))?;
        let size = i64::try_from(frontier.size()).map_err(|error| Fault::caused("the log's size", error))?;
        let row = CheckpointRow {
            size,
            root: frontier.root().to_vec(),
            note,
            frontier: frontier.to_bytes(),
        };
        store::insert_checkpoint(conn, &row, now)?;
        Ok(waiting.len())
    }

    /// PostgreSQL: takes the seat when it is free and sequences until told to stop. Whoever takes it over first checks the
    /// log that it found, and halts the service rather than sign over a broken one.
    pub fn serve(&self, url: &DatabaseUrl, mark: &Mark, db: &Db, clock: &Clock, stop: &AtomicBool) {
        let mut seat = Seat::new(url.clone(), SEAT);
        let mut checked = false;
        while !stop.load(Ordering::SeqCst) {
            let rest = match self.turn(&mut seat, &mut checked, mark, db, clock) {
                Ok(0) => REST,
                Ok(_) => continue,
                Err(stop) => {
                    tracing::error!(%stop, "sequencing failed");
                    seat.leave();
                    checked = false;
                    REST_AFTER_FAILURE
                }
            };
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
        if !seat.take()? {
            *checked = false;
            return Ok(0);
        }
        if db.halted().is_some() {
            return Ok(0);
        }
        if !*checked {
            let mark = mark.read(self.verifier())?;
            if let Some(why) = seat
                .transaction(|conn| startup::check(conn, self.verifier(), &mark))?
                .broken()
            {
                tracing::error!("the log does not hold; the service is read-only from now on");
                db.halt(why);
                return Ok(0);
            }
            *checked = true;
            tracing::info!("this instance sequences the log now");
        }
        let now = clock.now();
        seat.transaction(|conn| self.run(conn, now))
    }
}
