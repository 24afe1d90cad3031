//! How the demo's contracts are paid, until the day on which the demo begins. The estates: a claim in each state of its life, the money of April paid at last
//! and ten days late, May's claimed in three parts and less than was asked for. The toilets: each month in time, and what was settled at the end. All invented. Data only; `demo_payments.rs` does it.

use crate::app::demo;
use crate::app::demo_scenes::{Deed, Scene, When};

/// Who has to do with the money of a contract.
pub struct Counter {
    /// The budget line of its book.
    pub line: &'static str,
    /// Who acts for the contractor.
    pub agent: &'static str,
    /// Who administers it.
    pub owner: &'static str,
    /// Who certifies.
    pub officer: &'static str,
    /// Who approves.
    pub approves: &'static str,
    /// Who pays.
    pub executes: &'static str,
    /// Says what the bank has done.
    pub reconciles: &'static str,
    /// In whose name the bank account is.
    pub holder: &'static str,
}

/// Of the estates.
static ESTATES: Counter = Counter {
    line: demo::ESTATES,
    agent: "anju.agent",
    owner: "anju.owner",
    officer: "officer",
    approves: "finance",
    executes: "finance2",
    reconciles: "finance3",
    holder: "安居里物业服务有限公司",
};
/// Of the toilets.
static TOILETS: Counter = Counter {
    line: demo::TOILETS,
    agent: "green.agent",
    owner: "green.owner",
    officer: "guiyuan.officer",
    approves: "guiyuan.finance",
    executes: "guiyuan.finance2",
    reconciles: "guiyuan.finance3",
    holder: "桂园社区环卫绿化队",
};

/// An invoice, and the claim of a part of a period's price with it.
pub struct Bill {
    /// The period; none of what is settled at the end.
    pub period: Option<i64>,
    /// The number of the invoice, by which the claim is found.
    pub invoice: &'static str,
    /// Its month and day.
    pub on: (u32, u32),
    /// How much.
    pub amount: &'static str,
}

/// A step on the way to the money.
pub enum Paying {
    /// The contractor proposes a bank account: its number.
    Account(&'static str),
    /// Its administrator confirms it.
    ConfirmAccount,
    /// The contractor claims.
    Claim(&'static Bill),
    /// The officer sends it back, for a reason.
    Return(&'static Bill, Reason),
    /// The officer certifies it, and says why less than was claimed if it is less.
    Certify(&'static Bill, Option<Reason>),
    /// A finance officer approves it.
    Approve(&'static Bill),
    /// Another pays it.
    Execute(&'static Bill),
    /// The bank has paid it, by a reference.
    Confirm(&'static Bill, &'static str),
    /// The bank could not, for a reason.
    Fail(&'static Bill, Reason),
}

/// A reason in Chinese and in English.
pub type Reason = (&'static str, &'static str);

const fn bill(period: i64, invoice: &'static str, on: (u32, u32), amount: &'static str) -> Bill {
    Bill {
        period: Some(period),
        invoice,
        on,
        amount,
    }
}

/// In the name of the wrong buyer.
static APRIL_WRONG: Bill = bill(1, "26992000000000310017", (5, 9), "68883.33");
/// Claimed twice, because the bank sent the money back the first time.
static APRIL: Bill = bill(1, "26992000000000310024", (5, 13), "68883.33");
/// Wages; paid, and not yet confirmed.
static MAY_WAGES: Bill = bill(2, "26992000000000310038", (7, 1), "40000.00");
/// Material; approved.
static MAY_MATERIAL: Bill = bill(2, "26992000000000310041", (7, 1), "20000.00");
/// What is left of May's price; certified for less.
static MAY_REST: Bill = bill(2, "26992000000000310055", (7, 21), "8883.33");
/// Waits for June to be accepted.
static JUNE: Bill = bill(3, "26992000000000310062", (7, 22), "68883.33");

/// April of the toilets.
static TOILETS_APRIL: Bill = bill(1, "26992000000000880013", (5, 8), "8000.00");
/// May of the toilets.
static TOILETS_MAY: Bill = bill(2, "26992000000000880021", (6, 5), "8000.00");
/// What is settled of the toilets at the end: June.
static TOILETS_END: Bill = Bill {
    period: None,
    invoice: "26992000000000880039",
    on: (7, 2),
    amount: "8000.00",
};

const fn scene(at: When, step: Paying) -> Scene {
    Scene {
        at,
        deed: Deed::Pay(&ESTATES, step),
    }
}

const fn toilets(at: When, step: Paying) -> Scene {
    Scene {
        at,
        deed: Deed::Pay(&TOILETS, step),
    }
}

/// What happens about the money of the toilets, in its order.
pub static PAYMENTS_OF_TOILETS: &[Scene] = &[
    toilets((5, 6, 2, 20), Paying::Account("6217001180034407711")),
    toilets((5, 6, 3, 5), Paying::ConfirmAccount),
    toilets((5, 8, 6, 20), Paying::Claim(&TOILETS_APRIL)),
    toilets((5, 11, 6, 20), Paying::Certify(&TOILETS_APRIL, None)),
    toilets((5, 12, 6, 20), Paying::Approve(&TOILETS_APRIL)),
    toilets((5, 13, 6, 20), Paying::Execute(&TOILETS_APRIL)),
    toilets(
        (5, 14, 2, 20),
        Paying::Confirm(&TOILETS_APRIL, "凤城银行 20260513000288"),
    ),
    toilets((6, 5, 6, 20), Paying::Claim(&TOILETS_MAY)),
    toilets((6, 8, 2, 20), Paying::Certify(&TOILETS_MAY, None)),
    toilets((6, 9, 6, 20), Paying::Approve(&TOILETS_MAY)),
    toilets((6, 10, 6, 20), Paying::Execute(&TOILETS_MAY)),
    toilets(
        (6, 11, 2, 20),
        Paying::Confirm(&TOILETS_MAY, "凤城银行 20260610000301"),
    ),
    toilets((7, 3, 2, 20), Paying::Claim(&TOILETS_END)),
    toilets((7, 6, 2, 20), Paying::Certify(&TOILETS_END, None)),
    toilets((7, 7, 2, 20), Paying::Approve(&TOILETS_END)),
    toilets((7, 8, 2, 20), Paying::Execute(&TOILETS_END)),
    toilets(
        (7, 9, 3, 20),
        Paying::Confirm(&TOILETS_END, "凤城银行 20260708000166"),
    ),
];

/// What happens about the money of the estates, in its order.
pub static PAYMENTS: &[Scene] = &[
    scene((5, 9, 1, 20), Paying::Account("6222021112340012107")),
    scene((5, 9, 2, 5), Paying::ConfirmAccount),
    scene((5, 11, 3, 20), Paying::Claim(&APRIL_WRONG)),
    scene(
        (5, 12, 3, 30),
        Paying::Return(
            &APRIL_WRONG,
            (
                "发票购买方名称有误，请重新开具。",
                "The invoice names another buyer; please issue it anew.",
            ),
        ),
    ),
    scene((5, 14, 6, 10), Paying::Claim(&APRIL)),
    scene((5, 18, 2, 30), Paying::Certify(&APRIL, None)),
    scene((5, 20, 1, 50), Paying::Approve(&APRIL)),
    scene((5, 21, 2, 40), Paying::Execute(&APRIL)),
    scene(
        (5, 25, 6, 30),
        Paying::Fail(
            &APRIL,
            (
                "收款账户已销户，银行退汇。",
                "The account was closed, and the bank sent the money back.",
            ),
        ),
    ),
    scene((6, 3, 1, 30), Paying::Account("6222021112340045520")),
    scene((6, 3, 3, 15), Paying::ConfirmAccount),
    scene((6, 4, 2, 30), Paying::Claim(&APRIL)),
    scene((6, 8, 6, 40), Paying::Certify(&APRIL, None)),
    scene((6, 12, 6, 20), Paying::Approve(&APRIL)),
    scene((6, 18, 2, 20), Paying::Execute(&APRIL)),
    scene((6, 22, 6, 30), Paying::Confirm(&APRIL, "凤城银行 20260618000417")),
    scene((7, 2, 3, 20), Paying::Claim(&MAY_WAGES)),
    scene((7, 2, 3, 25), Paying::Claim(&MAY_MATERIAL)),
    scene((7, 6, 1, 30), Paying::Certify(&MAY_WAGES, None)),
    scene((7, 6, 1, 35), Paying::Certify(&MAY_MATERIAL, None)),
    scene((7, 21, 6, 20), Paying::Approve(&MAY_WAGES)),
    scene((7, 22, 1, 30), Paying::Approve(&MAY_MATERIAL)),
    scene((7, 22, 3, 30), Paying::Claim(&MAY_REST)),
    scene((7, 23, 3, 20), Paying::Claim(&JUNE)),
    scene((7, 24, 2, 30), Paying::Execute(&MAY_WAGES)),
    scene(
        (7, 24, 6, 20),
        Paying::Certify(
            &MAY_REST,
            Some((
                "五月得分 89.30，不足 90 分，按责任书扣款。",
                "May scores 89.30, which is below 90; the book takes that off.",
            )),
        ),
    ),
];
