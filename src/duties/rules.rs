//! Separation of duties: on one matter nobody checks their own work. One table of pairs says which duties are kept apart;
//! every slice asks it in the same way. Pure.

use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::text;

/// The person has done something on this matter that this must not be done beside.
pub static SEPARATION_OF_DUTIES: Reason = Reason::new(
    Kind::Forbidden,
    "separation_of_duties",
    "同一事项的不相容职责须由不同人员承担",
    "Duties that check each other are done by different people",
);

/// Something that is done on a matter and that another duty may have to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Duty {
    /// Entered an organisation, or claimed something of it (a qualification, a size class).
    Register,
    /// Found the evidence for it good or bad.
    Verify,
    /// Asked for a change that takes two people: a bank account, a transfer between budget lines.
    Propose,
    /// Agreed to it; of a payment: said what the bank has done.
    Confirm,
    /// Wrote a contract book, an addendum, a variation.
    Draft,
    /// Was consulted on it as a reviewer of the need.
    Review,
    /// Approved what was drafted.
    Approve,
    /// Sat on the panel that judged the bids.
    Judge,
    /// Inspected the work.
    Inspect,
    /// Decided what the contractor holds against an inspection, or a certificate of acceptance.
    DecideContest,
    /// Handled the contract in daily work.
    Handle,
    /// Accepted the work.
    Accept,
    /// Claimed a payment.
    Claim,
    /// Certified the claim.
    Certify,
    /// Approved its payment.
    Authorise,
    /// Executed the payment.
    Execute,
}

use Duty::{
    Accept, Approve, Authorise, Certify, Claim, Confirm, DecideContest, Draft, Execute, Handle, Inspect,
    Judge, Propose, Register, Review, Verify,
};

impl Duty {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Register,
        Verify,
        Propose,
        Confirm,
        Draft,
        Review,
        Approve,
        Judge,
        Inspect,
        DecideContest,
        Handle,
        Accept,
        Claim,
        Certify,
        Authorise,
        Execute,
    ];

    /// The name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Register => "register",
            Verify => "verify",
            Propose => "propose",
            Confirm => "confirm",
            Draft => "draft",
            Review => "review",
            Approve => "approve",
            Judge => "judge",
            Inspect => "inspect",
            DecideContest => "decide_contest",
            Handle => "handle",
            Accept => "accept",
            Claim => "claim",
            Certify => "certify",
            Authorise => "authorise",
            Execute => "execute",
        }
    }

    /// The duty of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|duty| duty.name() == name)
    }

    const fn zh(self) -> &'static str {
        match self {
            Register => "登记",
            Verify => "核验",
            Propose => "提出变更",
            Confirm => "确认变更",
            Draft => "起草",
            Review => "论证评审",
            Approve => "审批",
            Judge => "评审投标",
            Inspect => "考核",
            DecideContest => "裁定异议",
            Handle => "经办",
            Accept => "验收",
            Claim => "请款",
            Certify => "核定",
            Authorise => "批准支付",
            Execute => "执行支付",
        }
    }

    /// What is done, after "who has".
    const fn en(self) -> &'static str {
        match self {
            Register => "registered it",
            Verify => "verified it",
            Propose => "proposed it",
            Confirm => "confirmed it",
            Draft => "drafted it",
            Review => "reviewed the need",
            Approve => "approved it",
            Judge => "judged the bids",
            Inspect => "inspected the work",
            DecideContest => "decided what was contested",
            Handle => "handled the contract",
            Accept => "accepted the work",
            Claim => "claimed the payment",
            Certify => "certified the claim",
            Authorise => "authorised the payment",
            Execute => "executed the payment",
        }
    }
}

/// Which duties no one person may do on one matter, in either order. Sources: the handler of a purchase is not the one who
/// accepts it, who accepts is not the one who pays, be it by approving the payment or by executing it (政府采购法 art 61); who moves money is not the one who
/// checks with the bank that it has moved (财会〔2012〕21号, on the control of money); the reviewers of a need are others than who drafted it
/// (财库〔2021〕22号), and whoever gave their opinion on what is asked does not judge what is offered (87号令 art 47); the rest is the product's
/// own rule that drafter, approver and payer are three people, and that nobody judges bids for a book of their own.
pub const APART: &[(Duty, Duty)] = &[
    (Register, Verify),
    (Propose, Confirm),
    (Draft, Review),
    (Draft, Approve),
    (Draft, Judge),
    (Draft, Accept),
    (Draft, DecideContest),
    (Draft, Execute),
    (Review, Judge),
    (Approve, Judge),
    (Approve, Execute),
    (Inspect, DecideContest),
    (DecideContest, Accept),
    (Handle, Accept),
    (Accept, Authorise),
    (Accept, Execute),
    (Claim, Certify),
    (Claim, Authorise),
    (Claim, Execute),
    (Certify, Authorise),
    (Certify, Execute),
    (Authorise, Execute),
    (Claim, Confirm),
    (Certify, Confirm),
    (Authorise, Confirm),
    (Execute, Confirm),
];

/// Duties that whoever does `duty` must not have done on the same matter.
pub fn apart_from(duty: Duty) -> Vec<Duty> {
    APART
        .iter()
        .filter_map(|(one, other)| match duty {
            duty if duty == *one => Some(*other),
            duty if duty == *other => Some(*one),
            _ => None,
        })
        .collect()
}

/// Whether someone who has done these duties on a matter may do this one as well.
///
/// # Errors
/// [`SEPARATION_OF_DUTIES`], naming the duties that stand against it in the order of [`Duty`].
pub fn may_undertake(duty: Duty, done: &[Duty]) -> Result<(), Refusal> {
    let apart = apart_from(duty);
    let mut against: Vec<Duty> = done
        .iter()
        .copied()
        .filter(|known| apart.contains(known))
        .collect();
    against.sort_unstable();
    against.dedup();
    if against.is_empty() {
        return Ok(());
    }
    let (zh, en) = (
        against
            .iter()
            .map(|duty| duty.zh())
            .collect::<Vec<_>>()
            .join("、"),
        against
            .iter()
            .map(|duty| duty.en())
            .collect::<Vec<_>>()
            .join(" and "),
    );
    let (this_zh, this_en) = (duty.zh(), duty.en());
    Err(SEPARATION_OF_DUTIES.because(text!(
        "已承担该事项的“{zh}”，不得再承担“{this_zh}”",
        "who has {en} cannot be who has {this_en}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_distinct_and_lead_back() {
        for duty in Duty::ALL {
            assert_eq!(Duty::named(duty.name()), Some(duty));
        }
        assert_eq!(Duty::named("brew_tea"), None);
    }

    #[test]
    fn who_drafts_neither_approves_nor_pays_and_who_pays_did_nothing_else() {
        assert!(may_undertake(Approve, &[]).is_ok());
        assert!(may_undertake(Approve, &[Draft]).is_err());
        assert!(may_undertake(Draft, &[Approve]).is_err());
        for before in [Draft, Approve, Accept, Claim, Certify, Authorise] {
            assert!(may_undertake(Execute, &[before]).is_err(), "{before:?}");
        }
        assert!(may_undertake(Accept, &[Handle]).is_err() && may_undertake(Accept, &[Inspect]).is_ok());
        for other in [Draft, DecideContest, Authorise, Execute] {
            assert!(may_undertake(Accept, &[other]).is_err(), "{other:?}");
        }
        assert!(may_undertake(Accept, &[Certify]).is_ok() && may_undertake(DecideContest, &[Draft]).is_err());
        let refusal = may_undertake(Execute, &[Certify, Draft, Certify]).unwrap_err();
        let said = refusal.detail.unwrap();
        assert!(
            said.in_language(crate::kernel::text::Language::English).contains(
                "who has drafted it and certified the claim cannot be who has executed the payment"
            )
        );
    }

    proptest! {
        #[test]
        fn it_does_not_matter_who_was_first(one in 0..Duty::ALL.len(), other in 0..Duty::ALL.len()) {
            let (one, other) = (Duty::ALL[one], Duty::ALL[other]);
            prop_assert_eq!(may_undertake(one, &[other]).is_ok(), may_undertake(other, &[one]).is_ok());
            // The same duty again (a corrected draft, a second inspection) is nobody's check of themself.
            prop_assert!(may_undertake(one, &[one]).is_ok());
        }
    }
}
