//! A signed contract and all that holds for it, as whatever happens under it looks it up.

use crate::award::desk as awards;
use crate::contracts::rules::{Contract, ContractId};
use crate::contracts::rules_document::ContractDocument;
use crate::contracts::store;
use crate::db::conn::Conn;
use crate::kernel::refusal::{Answer, Fault};
use crate::statutes::profile::Profile;
use crate::web::policy::Matter;
use crate::web::problem::NOT_FOUND;

/// A contract that both parties have signed.
pub struct Signed {
    /// The contract.
    pub contract: Contract,
    /// What it says: the bytes that both signed, read.
    pub document: ContractDocument,
    /// The rules under which its book was published.
    pub profile: Profile,
}

impl Signed {
    /// Whose it is to act for the buyer.
    pub fn of_buyer(&self) -> Matter<'_> {
        Matter::of_organisation(&self.contract.buyer_id)
    }

    /// Whose it is to act for the supplier.
    pub fn of_supplier(&self) -> Matter<'_> {
        Matter::of_organisation(&self.contract.supplier_id)
    }
}

/// The contract of that id, if both parties have signed it. Signed contracts are public.
///
/// # Errors
/// Not found; a fault of the database, or of bytes that are no contract.
pub fn signed(conn: &mut Conn, id: &ContractId) -> Answer<Signed> {
    let contract = store::contract(conn, id)?.filter(|contract| contract.signed_at.is_some());
    let contract = contract.ok_or_else(|| NOT_FOUND.refuse())?;
    let document = serde_json::from_str(&contract.content)
        .map_err(|error| Fault::caused(format!("read the contract {id}"), error))?;
    let profile = awards::known(conn, &contract.lot_id)?.profile;
    Ok(Signed {
        contract,
        document,
        profile,
    })
}
