//! The ledger, for the command that verifies it: one snapshot of the database, beside a service that goes on or without one.

use chrono_tz::Tz;

use crate::app::demo;
use crate::app::server::House;
use crate::app::settings::Settings;
use crate::ballots::measures;
use crate::books::reservations;
use crate::books::rules::LotId;
use crate::budget::spending;
use crate::budget::store_imported_verification::rebuild_totals as rebuild_imported_totals;
use crate::budget::store_spending::{is_older, undescribed};
use crate::budget::store_spending_verification::rebuild_totals;
use crate::budget::verify::{self, LedgerVerdict};
use crate::contracts::commitments;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_variations::VariationId;
use crate::db::conn::DatabaseUrl;
use crate::db::writer::Tx;
use crate::imports::verify as imports;
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::moves_claims;
use crate::payments::rules_claims::ClaimId;

/// Adds up every entry of the ledger and compares with what stands in its rows.
///
/// # Errors
/// A fault if the database cannot be read: then nobody can tell.
pub fn verify(settings: Settings) -> Result<LedgerVerdict, Fault> {
    // Opening a house that is not there would build one.
    if let DatabaseUrl::Sqlite(path) = settings.database()?
        && !path.exists()
    {
        return Err(Fault::broken(format!("there is nothing at {}", path.display())));
    }
    let house = House::open(settings, demo::start())?;
    house
        .context
        .db
        .read_and_wait(|conn| {
            let mut verdict = verify::verify(conn)?;
            imports::compare(conn, &mut verdict)?;
            Ok(verdict)
        })
        .map_err(|stop| Fault::caused("verify the ledger", stop))
}

/// Matters read at once.
const MATTERS_AT_ONCE: i64 = 500;

/// What describes a matter of one kind.
type Describe = fn(&mut Tx<'_>, &str) -> Answer<()>;

/// What money is held for, by what its ids begin with, those first of which the others say that they are counted where they are.
const MATTERS: [(&str, Describe); 4] = [
    (LotId::PREFIX, reservations::describe_again),
    (ContractId::PREFIX, commitments::describe_again),
    (VariationId::PREFIX, commitments::describe_variation_again),
    (ClaimId::PREFIX, moves_claims::describe_again),
];

/// Measures what was never measured of the ledger, as a ledger that is older than that needs, and makes the totals of spending anew. All of it follows from what stands in
/// the ledger, in books, contracts, counted ballots and imported releases, so that nothing of the ward changes by it. Tells how many transfers were measured.
///
/// # Errors
/// A fault of the database, or of money that is held for what is not there.
pub fn measure(tx: &mut Tx<'_>, zone: Tz) -> Answer<u64> {
    for (prefix, describe) in MATTERS {
        let mut after = String::new();
        loop {
            let matters = undescribed(tx.conn(), prefix, &after, MATTERS_AT_ONCE)?;
            let Some(last) = matters.last() else { break };
            after.clone_from(last);
            for matter in &matters {
                describe(tx, matter)?;
            }
        }
    }
    let measured = spending::catch_up(tx, zone)?;
    measures::catch_up(tx, zone)?;
    rebuild_totals(tx)?;
    imports::recount(tx)?;
    rebuild_imported_totals(tx)?;
    Ok(measured)
}

/// The same for a command, while the ward is served.
///
/// # Errors
/// As [`measure`].
pub fn rebuild_spending(house: &House) -> Result<u64, Fault> {
    let zone = house.settings.zone;
    let db = &house.context.db;
    db.upkeep_and_wait(move |tx| measure(tx, zone))
        .map_err(|stop| Fault::caused("measure what is spent anew", stop))
}

/// The same for a server that begins, if nothing was measured yet: the ledger is older than that.
///
/// # Errors
/// As [`measure`].
pub fn measure_older(house: &House) -> Result<(), Fault> {
    let caused = |stop| Fault::caused("measure what was spent before", stop);
    if house.context.db.halted().is_some() {
        return Ok(());
    }
    if !house.context.db.read_primary_and_wait(is_older).map_err(caused)? {
        return Ok(());
    }
    let transfers = rebuild_spending(house)?;
    tracing::info!(transfers, "measured what was spent before that was measured");
    Ok(())
}
