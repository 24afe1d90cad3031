//! Compares what is counted of imported processes with what their stored releases say, and counts them anew. Reads one process at a time, however many there are.

use std::collections::BTreeMap;

use crate::budget::imported as spending;
use crate::budget::rules_imported::{Fact, Process as Counted, SUM_TOO_LARGE, facts};
use crate::budget::store_imported as counted_store;
use crate::budget::verify::LedgerVerdict;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::imports::desk_joined::joined;
use crate::imports::rules::{Kind, RELEASES_MAX};
use crate::imports::rules_counted::counted;
use crate::imports::rules_findings::Code;
use crate::imports::rules_process::{Process, Reference};
use crate::imports::rules_understood::{Joined, said, suppliers, understood};
use crate::imports::store_processes::{Filter, ProcessRow};
use crate::imports::{store, store_processes};
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::publish::acts::parsed;
use crate::registry::store_named;

/// Processes whose heads are read at once.
const PROCESSES_AT_ONCE: i64 = 100;

/// Compares the counted rows of every process with what its releases say, and adds what does not hold to the verdict. What follows from registers that have changed since is
/// taken as it was: the area of a process, and of a contract from a table which of the ward's own organisations it named. A process that an import has said not to count may have no
/// rows.
///
/// # Errors
/// A fault of the database, or of a stored release that is none.
pub fn compare(conn: &mut Conn, verdict: &mut LedgerVerdict) -> Answer<()> {
    each(conn, |conn, head| {
        let (process, due) = due(conn, head, &Joined::default())?;
        let due = facts(&due);
        let kept = counted_store::facts_in_order(conn, &head.ocid)?;
        if kept.is_empty() && (due.is_empty() || is_left_out(conn, &head.ocid)?) {
            return Ok(());
        }
        if !is_same(conn, (head, &process), (due, &kept))? {
            verdict.fault(format!(
                "imported spending: {} is counted otherwise than its releases say",
                head.ocid
            ));
        }
        Ok(())
    })?;
    for ocid in counted_store::without_process(conn)? {
        verdict.fault(format!(
            "imported spending: {ocid} is counted, and nothing was imported of it"
        ));
    }
    Ok(())
}

/// Counts every imported process anew from its releases, by the registers as they are now.
///
/// # Errors
/// As [`compare`].
pub fn recount(tx: &mut Tx<'_>) -> Answer<()> {
    let mut after = None;
    loop {
        let heads =
            store_processes::page(tx.conn(), &Filter::default(), after.as_deref(), PROCESSES_AT_ONCE)?;
        let Some(last) = heads.last() else { return Ok(()) };
        after = Some(last.ocid.clone());
        for head in &heads {
            let kept = counted_store::facts_in_order(tx.conn(), &head.ocid)?;
            if kept.is_empty() && is_left_out(tx.conn(), &head.ocid)? {
                continue;
            }
            let (process, _) = due(tx.conn(), head, &Joined::default())?;
            let kind = kind_of(tx.conn(), head)?;
            let joined = joined(tx.conn(), kind, &process)?;
            let (_, due) = due(tx.conn(), head, &joined)?;
            match spending::replace(tx, std::slice::from_ref(&due)) {
                Err(Stop::Refused(refusal)) if std::ptr::eq(refusal.reason, &raw const SUM_TOO_LARGE) => {
                    spending::clear(tx, std::slice::from_ref(&due.ocid))?;
                }
                done => done?,
            }
        }
    }
}

fn each(conn: &mut Conn, mut with: impl FnMut(&mut Conn, &ProcessRow) -> Answer<()>) -> Answer<()> {
    let mut after = None;
    loop {
        let heads = store_processes::page(conn, &Filter::default(), after.as_deref(), PROCESSES_AT_ONCE)?;
        let Some(last) = heads.last() else { return Ok(()) };
        after = Some(last.ocid.clone());
        for head in &heads {
            with(conn, head)?;
        }
    }
}

/// What a process is by its releases, and what has to be counted of it.
fn due(conn: &mut Conn, head: &ProcessRow, joined: &Joined) -> Answer<(Process, Counted)> {
    let mut all = Vec::new();
    for row in store_processes::releases(conn, &head.ocid, RELEASES_MAX)? {
        all.push(said(&row.release_id, &row.content_sha256, &parsed(&row.content)?));
    }
    let (process, mut found) = understood(&head.ocid, all);
    let due = counted(&process, joined, &mut found);
    Ok((process, due))
}

fn kind_of(conn: &mut Conn, head: &ProcessRow) -> Answer<Kind> {
    let import = store::import(conn, &head.import_id)?;
    let import = import.ok_or_else(|| Fault::broken(format!("{}: no import has brought it", head.ocid)))?;
    Ok(import.kind)
}

/// Whether an import has told that it counts nothing of a process.
fn is_left_out(conn: &mut Conn, ocid: &str) -> Answer<bool> {
    store::was_told(conn, &[Code::SumTooLarge.name(), Code::OwnProcess.name()], ocid)
}

/// Whether rows are those that are due but for what follows from the ward's registers.
fn is_same(
    conn: &mut Conn,
    (head, process): (&ProcessRow, &Process),
    (due, kept): (Vec<Fact>, &[Fact]),
) -> Answer<bool> {
    let area = kept.first().and_then(|fact| fact.area.clone());
    if due.len() != kept.len() || (area.is_some() && process.area.is_none()) {
        return Ok(false);
    }
    let called = |ones: Vec<&Reference>| -> Vec<String> {
        let all = ones
            .into_iter()
            .flat_map(|one| [one.id.clone(), one.name.clone()]);
        all.filter(|called| !called.is_empty()).collect()
    };
    let (buyers, suppliers) = (
        called(process.buyer.iter().collect()),
        called(suppliers(process).collect()),
    );
    let is_of_table = kind_of(conn, head)? == Kind::Contracts;
    let mut known: BTreeMap<(bool, String), bool> = BTreeMap::new();
    for (mut due, kept) in due.into_iter().zip(kept) {
        due.area.clone_from(&area);
        for (is_buyer, due, kept) in [
            (true, &mut due.buyer, &kept.buyer),
            (false, &mut due.supplier, &kept.supplier),
        ] {
            let Some(id) = kept
                .as_ref()
                .filter(|kept| is_of_table && due.as_ref() != Some(kept))
            else {
                continue;
            };
            let key = (is_buyer, id.clone());
            let is_own = match known.get(&key) {
                Some(is_own) => *is_own,
                None => store_named::was_called(conn, id, if is_buyer { &buyers } else { &suppliers })?,
            };
            known.insert(key, is_own);
            if is_own {
                due.clone_from(kept);
            }
        }
        if due != *kept {
            return Ok(false);
        }
    }
    Ok(true)
}
