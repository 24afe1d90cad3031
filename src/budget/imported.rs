//! Keeps what is counted of imported processes: the rows of each, and totals beside them. It moves no money, asks no permission and writes no event; the act that imports does.

use std::collections::{BTreeMap, BTreeSet};

use crate::budget::rules_imported::{Currency, Fact, Process, SUM_MAX, SUM_TOO_LARGE, Sums, facts};
use crate::budget::store_imported as store;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;

/// What is added to the totals: by currency and dimension, then by value.
type Changes = BTreeMap<(Currency, &'static str), BTreeMap<String, Sums>>;

/// Makes what is counted of these processes exactly what is handed over; of one without entries nothing is. The same twice changes nothing, and of two with one id the later
/// counts. Many at once cost less than one by one: a few hundred are a good number. What is refused has changed nothing, so that the caller may go on without it.
///
/// # Errors
/// [`SUM_TOO_LARGE`]; a fault of the database, or of an area that does not exist.
pub fn replace(tx: &mut Tx<'_>, processes: &[Process]) -> Answer<()> {
    let latest: BTreeMap<&str, &Process> = processes
        .iter()
        .map(|process| (process.ocid.as_str(), process))
        .collect();
    let ocids: Vec<&str> = latest.keys().copied().collect();
    let mut changes = Changes::new();
    let known = store::facts(tx.conn(), &ocids)?;
    for fact in &known {
        add(&mut changes, fact, &fact.sums.negated())?;
    }
    let mut new = Vec::with_capacity(latest.len());
    for (ocid, process) in &latest {
        let facts = facts(process);
        for fact in &facts {
            add(&mut changes, fact, &fact.sums)?;
        }
        new.push((*ocid, facts));
    }
    let totals = totals(tx, &changes)?;
    store::remove(tx, &ocids)?;
    for (ocid, facts) in new {
        store::insert(tx, ocid, facts)?;
    }
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for process in latest.values() {
        for entry in &process.entries {
            for party in [&entry.buyer, &entry.supplier].into_iter().flatten() {
                if let Some(name) = &party.name {
                    names.insert(party.key.as_str(), name);
                }
            }
        }
    }
    for (id, name) in names {
        store::call(tx, id, name)?;
    }
    let before: BTreeSet<&str> = known
        .iter()
        .flat_map(|fact| [&fact.buyer, &fact.supplier])
        .filter_map(Option::as_deref)
        .collect();
    let before: Vec<&str> = before.into_iter().collect();
    store::forget_names(tx, &before)?;
    for (of, totals) in totals {
        store::save_totals(tx, of, &totals)?;
    }
    Ok(())
}

/// Counts nothing of these processes any more.
///
/// # Errors
/// A fault of the database.
pub fn clear(tx: &mut Tx<'_>, ocids: &[String]) -> Answer<()> {
    let empty: Vec<Process> = ocids
        .iter()
        .map(|ocid| Process {
            ocid: ocid.clone(),
            entries: Vec::new(),
        })
        .collect();
    replace(tx, &empty)
}

fn add(changes: &mut Changes, fact: &Fact, more: &Sums) -> Answer<()> {
    for (dimension, value) in fact.values() {
        let of = changes.entry((fact.currency.clone(), dimension)).or_default();
        let sums = of.entry(value).or_default();
        *sums = sums.with(more).map_err(|_| SUM_TOO_LARGE.refuse())?;
    }
    Ok(())
}

/// Totals of a currency and dimension, each with its value.
type Totals<'c> = Vec<((&'c Currency, &'static str), Vec<(&'c str, Sums)>)>;

/// What the totals come to with the changes.
fn totals<'c>(tx: &mut Tx<'_>, changes: &'c Changes) -> Answer<Totals<'c>> {
    let mut all = Vec::with_capacity(changes.len());
    for ((currency, dimension), changed) in changes {
        let of = (currency, *dimension);
        let values: Vec<&str> = changed
            .iter()
            .filter(|(_, more)| **more != Sums::default())
            .map(|(value, _)| value.as_str())
            .collect();
        let known = store::totals(tx.conn(), of, &values)?;
        let mut totals = Vec::with_capacity(values.len());
        for value in values {
            let (before, more) = (known.get(value).copied().unwrap_or_default(), changed.get(value));
            let after = before
                .with(&more.copied().unwrap_or_default())
                .map_err(|_| SUM_TOO_LARGE.refuse())?;
            if after.amount > SUM_MAX {
                return Err(SUM_TOO_LARGE.refuse().into());
            }
            totals.push((value, after));
        }
        all.push((of, totals));
    }
    Ok(all)
}
