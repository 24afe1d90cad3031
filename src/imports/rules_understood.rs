//! What the releases of a process come to: the one way from what is stored to what is told and counted, whether it is imported or recomputed. Pure.

use std::collections::BTreeMap;

use crate::imports::rules_merging::{Said, merged};
use crate::imports::rules_process::{Process, Reference};
use crate::imports::rules_reading::read;
use crate::imports::rules_repairs::{Findings, repaired};
use crate::kernel::party::{AreaId, OrganisationId};
use crate::publish::rules_json::Object;

/// What of a process follows from the ward's own registers, as they are when it is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// The ward's area that has the process's code.
    pub area_id: Option<AreaId>,
    /// The ward's own organisations that the process refers to, by the ids that it refers to them with.
    pub organisations: BTreeMap<String, OrganisationId>,
}

/// A stored release as it is read. What is found in it was told when it was imported.
pub fn said(id: &str, sha256: &[u8], published: &Object) -> Said {
    Said {
        id: id.to_owned(),
        sha256: sha256.to_vec(),
        release: repaired(published, &mut Findings::default()),
    }
}

/// What releases say of a process together, and what is found in that.
pub fn understood(ocid: &str, releases: Vec<Said>) -> (Process, Findings) {
    let mut found = Findings::default();
    let whole = merged(releases, &mut found);
    let process = read(ocid, &whole, &mut found);
    (process, found)
}

/// Every organisation that a process names as one that supplied: of awards, of contracts, of payments.
pub fn suppliers(process: &Process) -> impl Iterator<Item = &Reference> {
    let awards = process.awards.iter().flat_map(|award| &award.suppliers);
    let contracts = process.contracts.iter().flat_map(|contract| &contract.suppliers);
    let paid = process.transactions.iter().filter_map(|paid| paid.payee.as_ref());
    awards.chain(contracts).chain(paid)
}
