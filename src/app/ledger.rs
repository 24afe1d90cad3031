//! The ledger, for the command that verifies it: one snapshot of the database, beside a service that goes on or without one.

use crate::app::demo;
use crate::app::server::House;
use crate::app::settings::Settings;
use crate::budget::store_spending_verification::rebuild_totals;
use crate::budget::verify::{self, LedgerVerdict};
use crate::db::conn::DatabaseUrl;
use crate::kernel::refusal::Fault;

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
        .read_and_wait(verify::verify)
        .map_err(|stop| Fault::caused("verify the ledger", stop))
}

/// Makes the totals of spending anew. They are nothing but sums of what transfers have added, so that nothing of the ward changes by it.
///
/// # Errors
/// A fault if the database cannot be written.
pub fn rebuild_spending(house: &House) -> Result<(), Fault> {
    actix_web::rt::System::new()
        .block_on(house.context.db.upkeep(rebuild_totals))
        .map_err(|stop| Fault::caused("make the totals of spending anew", stop))
}
