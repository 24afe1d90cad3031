//! A signed contract and all that holds for it, as whatever happens under it looks it up.

use chrono::NaiveDate;

use crate::award::desk as awards;
use crate::books::rules_readiness_lots::kept;
use crate::contracts::rules::{Contract, ContractId, TERMINATED};
use crate::contracts::rules_document::ContractDocument;
use crate::contracts::store;
use crate::db::conn::Conn;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault, Kind, Reason, Refusal};
use crate::standards::rules_indicators::Content;
use crate::standards::store_versions;
use crate::statutes::profile::Profile;
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Somebody of the one party acted for the other.
pub static OTHER_PARTY: Reason = Reason::new(
    Kind::Forbidden,
    "contract_acting_for_both",
    "承接主体的人员不得代表采购人处理同一合同",
    "Whoever acts for the contractor does nothing for the buyer under the same contract",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 1] = [&OTHER_PARTY];

/// Lets somebody do something for a contract's buyer: who may, and acts for the contractor in no capacity.
///
/// # Errors
/// In this order: permission; [`OTHER_PARTY`].
pub fn allow_for_buyer(actor: &Actor, action: Action, contract: &Contract) -> Answer<()> {
    policy::allow(actor, action, Matter::of_organisation(&contract.buyer_id))?;
    let mut grants = actor.grants().iter();
    if grants.any(|grant| grant.organisation.as_ref() == Some(&contract.supplier_id)) {
        return Err(OTHER_PARTY.refuse().into());
    }
    Ok(())
}

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

    /// Whether somebody sees what is between the parties: their own people, and auditors.
    pub fn is_insider(&self, actor: &Actor) -> bool {
        [self.of_buyer(), self.of_supplier()]
            .into_iter()
            .any(|matter| policy::allows(actor, Action::OpenContracts, matter))
    }

    /// The indicators that hold under the contract: the standard's, in the version that its lot fixed, and the lot's own in the place of those of the
    /// same code. A version that was withdrawn since holds on.
    ///
    /// # Errors
    /// A fault of the database, or if there is no such version, or the lot's own indicators are none.
    pub fn indicators(&self, conn: &mut Conn) -> Answer<Content> {
        let id = &self.contract.id;
        let standard = match &self.document.lot.standard_version_id {
            None => Content::default(),
            Some(version) => {
                let found = store_versions::version_of_id(conn, version)?;
                let found = found.ok_or_else(|| Fault::broken(format!("the standard of {id} is gone")))?;
                found.content
            }
        };
        let indicators = kept(&standard, &self.document.lot)
            .map_err(|_| Fault::broken(format!("the indicators of {id} are none")))?;
        Ok(Content {
            note: None,
            grades: standard.grades,
            indicators,
        })
    }

    /// The first and the last day of the service, as far as they are known: as it was signed, or with what has changed since.
    pub fn term(&self) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let since = &self.contract.since;
        let changed = since.terminated_on.or(since.prolonged_until);
        (
            self.document.service_from,
            changed.or(self.document.service_until),
        )
    }

    /// Whether work under the contract can still fall on a day: after the last day that its termination has left it, none does.
    pub fn runs_on(&self, day: NaiveDate) -> bool {
        self.contract.since.terminated_on.is_none_or(|last| day <= last)
    }

    /// Whether something that belongs to the performance of the contract can still be done on a day.
    ///
    /// # Errors
    /// [`TERMINATED`], unless the contract [`runs_on`](Self::runs_on) that day.
    pub fn may_go_on(&self, day: NaiveDate) -> Result<(), Refusal> {
        match self.contract.since.terminated_on {
            Some(last) if !self.runs_on(day) => {
                Err(TERMINATED.because(text!("最后一日为 {last}", "its last day was {last}")))
            }
            _ => Ok(()),
        }
    }
}

/// The account that acts.
///
/// # Errors
/// A fault if nobody in particular does, which permission excludes.
pub(super) fn acting(actor: &Actor) -> Answer<AccountId> {
    let id = actor
        .id()
        .ok_or_else(|| Fault::broken("a contract is acted on by somebody"))?;
    Ok(id
        .parse()
        .map_err(|error| Fault::caused("the account that acts", error))?)
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
