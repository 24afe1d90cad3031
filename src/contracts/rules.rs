//! The contract of an award: both parties sign the same bytes, within their time, and what the winner has to lodge lies with the buyer before the
//! buyer signs (政府采购法 arts 43–47; 政府采购法实施条例 art 48). Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::rules_awards::{AwardId, BLOCKED, State as AwardState};
use crate::books::rules::{BookId, LotId};
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::text;

crate::ids! {
    /// A contract.
    ContractId "contract"
}

/// Bytes of a stored contract at most.
pub const CONTENT_BYTES_MAX: usize = 4_194_304;

/// The award that it rests on has ended.
pub static VOID: Reason = Reason::new(
    Kind::Conflict,
    "contract_void",
    "中标结果已终止，该合同作废",
    "The award has ended, and the contract with it",
);
/// This party has signed it.
pub static SIGNED_ALREADY: Reason = Reason::new(
    Kind::Conflict,
    "contract_signed_already",
    "该方已经签署",
    "This party has signed it already",
);
/// Other bytes were meant.
pub static HASH_DIFFERS: Reason = Reason::new(
    Kind::Conflict,
    "contract_hash_differs",
    "签署的哈希与合同文本不符",
    "The hash is not that of the contract",
);
/// The time for signing is over.
pub static SIGNING_LATE: Reason = Reason::new(
    Kind::Conflict,
    "contract_signing_late",
    "签订期限已过",
    "The time for signing is over",
);
/// The time for signing is not over.
pub static SIGNING_NOT_OVER: Reason = Reason::new(
    Kind::Conflict,
    "contract_signing_not_over",
    "签订期限未满",
    "The time for signing is not over",
);
/// It is not the supplier who has not signed.
pub static SUPPLIER_SIGNED: Reason = Reason::new(
    Kind::Conflict,
    "contract_supplier_signed",
    "中标人已按期签署",
    "The supplier has signed in time",
);
/// What the supplier has to lodge is not there.
pub static SECURITY_MISSING: Reason = Reason::new(
    Kind::Conflict,
    "performance_security_missing",
    "履约保证金尚未确认到位",
    "The performance security is not confirmed",
);

/// It was ended before its time.
pub static TERMINATED: Reason = Reason::new(
    Kind::Conflict,
    "contract_terminated",
    "合同已解除",
    "The contract was terminated",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 8] = [
    &TERMINATED,
    &VOID,
    &SIGNED_ALREADY,
    &HASH_DIFFERS,
    &SIGNING_LATE,
    &SIGNING_NOT_OVER,
    &SUPPLIER_SIGNED,
    &SECURITY_MISSING,
];

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ContractParty)]
pub enum Party {
    /// 采购人
    Buyer,
    /// 承接主体
    Supplier,
}

impl Party {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Buyer, Self::Supplier];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Supplier => "supplier",
        }
    }

    /// The party of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|party| party.name() == name)
    }
}

/// How far a contract has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ContractState)]
pub enum State {
    /// It waits for signatures.
    Prepared,
    /// Both have signed.
    Signed,
    /// It was decided that it ends before its time.
    Terminated,
    /// Its award ended before both had.
    Void,
}

/// That a party has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Which.
    pub party: Party,
    /// By whom.
    pub account_id: AccountId,
    /// When, UTC.
    pub at: Instant,
}

/// What has become of a contract since both have signed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// What concluded variations have added to the price, or taken from it.
    pub varied: Money,
    /// The last day that a concluded variation has given it.
    pub prolonged_until: Option<NaiveDate>,
    /// The last day that its termination has left it.
    pub terminated_on: Option<NaiveDate>,
}

/// A contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Its id.
    pub id: ContractId,
    /// The award.
    pub award_id: AwardId,
    /// The lot.
    pub lot_id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// Who buys.
    pub buyer_id: OrganisationId,
    /// Who supplies.
    pub supplier_id: OrganisationId,
    /// For how much.
    pub price: Money,
    /// What the supplier has to lodge; nothing if the book asks for nothing.
    pub security: Money,
    /// The bytes that are signed.
    pub content: String,
    /// SHA-256 of them, as the log has it.
    pub sha256: [u8; 32],
    /// When it was prepared, UTC.
    pub prepared_at: Instant,
    /// Who has signed, the buyer first.
    pub signatures: Vec<Signature>,
    /// When the second party did, UTC.
    pub signed_at: Option<Instant>,
    /// What has become of it since.
    pub since: Since,
}

impl Contract {
    /// How far it has come, of an award in this state.
    pub fn state(&self, award: AwardState) -> State {
        match (self.signed_at, award) {
            (Some(_), _) if self.since.terminated_on.is_some() => State::Terminated,
            (Some(_), _) => State::Signed,
            (None, AwardState::Ended) => State::Void,
            (None, _) => State::Prepared,
        }
    }

    /// Whether a party has signed.
    pub fn is_signed_by(&self, party: Party) -> bool {
        self.signatures.iter().any(|one| one.party == party)
    }
}

/// What decides whether a contract can be signed now.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// How far its award has come.
    pub award: AwardState,
    /// When the time for signing is over.
    pub until: Instant,
    /// Whether something stands against the award.
    pub is_blocked: bool,
    /// What of the performance security lies with the buyer.
    pub security: Money,
}

/// Whether a party may sign these bytes now.
///
/// # Errors
/// In this order: [`SIGNED_ALREADY`], [`VOID`], [`HASH_DIFFERS`], [`SIGNING_LATE`], [`BLOCKED`], [`SECURITY_MISSING`].
pub fn may_sign(
    contract: &Contract,
    (party, sha256): (Party, &str),
    facts: Facts,
    now: Instant,
) -> Result<(), Refusal> {
    if contract.is_signed_by(party) {
        return Err(SIGNED_ALREADY.refuse());
    }
    match facts.award {
        AwardState::Confirmed => {}
        AwardState::Proposed
        | AwardState::Decided
        | AwardState::Noticed
        | AwardState::Signed
        | AwardState::Ended => return Err(VOID.refuse()),
    }
    if sha256 != hex::encode(contract.sha256) {
        return Err(HASH_DIFFERS.refuse().at("/sha256"));
    }
    if now >= facts.until {
        return Err(SIGNING_LATE.refuse());
    }
    if facts.is_blocked {
        return Err(BLOCKED.refuse());
    }
    if party == Party::Buyer && facts.security < contract.security {
        let (there, asked) = (facts.security, contract.security);
        return Err(SECURITY_MISSING.because(text!(
            "应为 {asked} 元，已确认 {there} 元",
            "{asked} CNY is asked for, {there} CNY is confirmed"
        )));
    }
    Ok(())
}

/// Whether a contract may still be prepared: one that the buyer prepares when nobody can sign it any more would make its own delay the supplier's failure.
///
/// # Errors
/// [`SIGNING_LATE`].
pub fn may_prepare(until: Instant, now: Instant) -> Result<(), Refusal> {
    if now < until {
        return Ok(());
    }
    Err(SIGNING_LATE.because(Text::fixed(
        "合同未在签订期限内拟就，不能归责于中标人；请取消本次定标并重新提出",
        "It was not prepared while it could be signed, which is not the supplier's failure; cancel the award and propose it again",
    )))
}

/// Whether it can be said now that the supplier did not sign in time.
///
/// # Errors
/// In this order: [`SUPPLIER_SIGNED`], [`SIGNING_NOT_OVER`].
pub fn has_failed(contract: &Contract, until: Instant, now: Instant) -> Result<(), Refusal> {
    if contract.is_signed_by(Party::Supplier) {
        return Err(SUPPLIER_SIGNED.refuse());
    }
    if now < until {
        return Err(SIGNING_NOT_OVER.refuse());
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use chrono::{Duration, TimeZone, Utc};

    pub fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 4, 24, 0, 0, 0).unwrap()
    }

    /// Of book 1 of the demo ward.
    pub fn contract() -> Contract {
        Contract {
            id: ContractId::mint(now()),
            award_id: AwardId::mint(now()),
            lot_id: LotId::mint(now()),
            book_id: BookId::mint(now()),
            buyer_id: OrganisationId::mint(now()),
            supplier_id: OrganisationId::mint(now()),
            price: "2298600.00".parse().unwrap(),
            security: "114930.00".parse().unwrap(),
            content: "{}".to_owned(),
            sha256: [7; 32],
            prepared_at: now(),
            signatures: Vec::new(),
            signed_at: None,
            since: Since::default(),
        }
    }

    fn facts() -> Facts {
        Facts {
            award: AwardState::Confirmed,
            until: now() + Duration::days(1),
            is_blocked: false,
            security: "114930.00".parse().unwrap(),
        }
    }

    fn code(result: Result<(), Refusal>) -> &'static str {
        result.map_or_else(|refusal| refusal.reason.code, |()| "ok")
    }

    #[test]
    fn the_same_bytes_are_signed_in_time_with_nothing_open_and_the_security_there() {
        let contract = contract();
        let hash = hex::encode([7; 32]);
        let signs = |party, hash: &str, facts, at| code(may_sign(&contract, (party, hash), facts, at));
        assert_eq!(signs(Party::Buyer, &hash, facts(), now()), "ok");
        assert_eq!(signs(Party::Buyer, "00", facts(), now()), "contract_hash_differs");
        let late = now() + Duration::days(1);
        assert_eq!(
            signs(Party::Supplier, &hash, facts(), late),
            "contract_signing_late"
        );
        let blocked = Facts {
            is_blocked: true,
            ..facts()
        };
        assert_eq!(signs(Party::Supplier, &hash, blocked, now()), "award_blocked");
        let short = Facts {
            security: "114929.99".parse().unwrap(),
            ..facts()
        };
        assert_eq!(
            signs(Party::Buyer, &hash, short, now()),
            "performance_security_missing"
        );
        assert_eq!(signs(Party::Supplier, &hash, short, now()), "ok");
        for award in AwardState::ALL {
            let expected = if award == AwardState::Confirmed {
                "ok"
            } else {
                "contract_void"
            };
            assert_eq!(
                signs(Party::Buyer, &hash, Facts { award, ..facts() }, now()),
                expected
            );
        }
    }

    #[test]
    fn what_nobody_can_sign_any_more_is_not_prepared() {
        let until = now() + Duration::days(1);
        assert_eq!(code(may_prepare(until, until - Duration::microseconds(1))), "ok");
        assert_eq!(code(may_prepare(until, until)), "contract_signing_late");
    }

    #[test]
    fn nobody_signs_twice_and_who_has_signed_has_not_failed() {
        let mut contract = contract();
        let late = now() + Duration::days(1);
        assert_eq!(
            code(has_failed(&contract, late, now())),
            "contract_signing_not_over"
        );
        assert_eq!(code(has_failed(&contract, late, late)), "ok");
        contract.signatures.push(Signature {
            party: Party::Supplier,
            account_id: AccountId::mint(now()),
            at: now(),
        });
        assert_eq!(
            code(has_failed(&contract, late, late)),
            "contract_supplier_signed"
        );
        let again = may_sign(&contract, (Party::Supplier, "00"), facts(), now());
        assert_eq!(code(again), "contract_signed_already");
        assert_eq!(contract.state(AwardState::Ended), State::Void);
        assert_eq!(contract.state(AwardState::Confirmed), State::Prepared);
        contract.signed_at = Some(now());
        assert_eq!(contract.state(AwardState::Signed), State::Signed);
        contract.since.terminated_on = Some(now().date_naive());
        assert_eq!(contract.state(AwardState::Signed), State::Terminated);
        for party in Party::ALL {
            assert_eq!(Party::named(party.name()), Some(party));
        }
    }
}
