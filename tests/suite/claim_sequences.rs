//! Random sequences of claims, certifications, approvals, payments, confirmations, returns, failures and closings against a small model, of a contract whose advance is a part of the price, and of one whose periods take it back: what the model says is what is answered, what is
//! refused leaves the database as it was, and the ledger stands at every step where the model has it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::award_sequences::Dice;
use crate::awards::go_to;
use crate::claims::{Counter, by_halves};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::outbox::lines;
use crate::pay_rules::by_halves_with_recovery;
use crate::publication_checks;
use crate::spending;
use crate::treasury::{made, posts};

/// Acts in all.
const STEPS: usize = 240;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Claim,
    Certify,
    Approve,
    Execute,
    Confirm,
    Return,
    Fail,
    Close,
}

impl Act {
    /// Whether it is done to a claim in that state.
    fn fits(self, state: &str) -> bool {
        match self {
            Claim | Close => false,
            Certify => state == "claimed",
            Approve | Return => state == "certified",
            Execute => state == "approved",
            Confirm | Fail => state == "executed",
        }
    }
}

use Act::{Approve, Certify, Claim, Close, Confirm, Execute, Fail, Return};

const ALL: [Act; 19] = [
    Close, Claim, Claim, Claim, Certify, Certify, Certify, Certify, Approve, Approve, Approve, Execute,
    Execute, Execute, Confirm, Confirm, Return, Fail, Fail,
];

/// A part of the price: the first half, which scores 80.00, the second, the advance and the retention.
#[derive(Clone, Copy)]
struct Part {
    kind: &'static str,
    period: Option<i64>,
    price: i64,
    deducted: i64,
}

/// The parts of 2,298,600.00 with an advance of a tenth: one beside the halves, or one that they take back.
fn parts(is_recovered: bool) -> [Part; 4] {
    let (price, deducted) = if is_recovered {
        (109_183_500, 5_459_175)
    } else {
        (97_690_500, 4_884_525)
    };
    let part = |kind, period, price, deducted| Part {
        kind,
        period,
        price,
        deducted,
    };
    [
        part("period", Some(1), price, deducted),
        part("period", Some(2), price, 0),
        part("advance", None, 22_986_000, 0),
        part("retention", None, 11_493_000, 0),
    ]
}

/// What is kept back with a half.
const SHARE: i64 = 5_746_500;
const ADVANCE: usize = 2;
const RETENTION: usize = 3;

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

struct One {
    id: String,
    part: usize,
    amount: i64,
    invoice: String,
    state: &'static str,
    certified: i64,
    /// What the part came to when it was certified, and what of the advance it took back.
    payable: i64,
    recovered: i64,
    from_retained: i64,
}

impl One {
    fn counts(&self) -> bool {
        !matches!(self.state, "returned" | "failed")
    }

    fn is_paid(&self) -> bool {
        matches!(self.state, "executed" | "confirmed")
    }

    fn counted(&self) -> i64 {
        if self.counts() { self.certified } else { 0 }
    }

    fn paid(&self) -> i64 {
        if self.is_paid() { self.certified } else { 0 }
    }

    fn waiting(&self) -> i64 {
        if self.is_paid() { 0 } else { self.counted() }
    }
}

/// What the model knows.
struct Model {
    parts: [Part; 4],
    is_recovered: bool,
    claims: Vec<One>,
    available: i64,
    committed: i64,
    retained: i64,
    spent: i64,
    kept_back: [i64; 2],
    released: [i64; 2],
    /// What a half took back of the advance that was closed.
    closed: [Option<i64>; 2],
}

impl Model {
    fn new(is_recovered: bool) -> Self {
        Self {
            parts: parts(is_recovered),
            is_recovered,
            claims: Vec::new(),
            available: 770_140_000,
            committed: 229_860_000,
            retained: 0,
            spent: 0,
            kept_back: [0; 2],
            released: [0; 2],
            closed: [None; 2],
        }
    }

    fn sum(&self, of: impl Fn(&One) -> i64) -> i64 {
        self.claims.iter().map(of).sum()
    }

    fn of_part(&self, part: usize, of: impl Fn(&One) -> i64) -> i64 {
        self.sum(|one| if one.part == part { of(one) } else { 0 })
    }

    /// What a half has taken back of the advance, if it has been asked to.
    fn taken(&self, part: usize) -> Option<i64> {
        let mut certified = self.claims.iter().rev();
        let certified = certified.find(|one| one.part == part && one.counts() && one.certified > 0);
        let closed = self.closed[part].filter(|amount| *amount > 0);
        closed.or(certified.map(|one| one.recovered))
    }

    /// What a part takes back of the advance.
    fn recovery(&self, part: usize) -> i64 {
        if !self.is_recovered || part >= ADVANCE {
            return 0;
        }
        let advanced = self.of_part(ADVANCE, One::paid);
        let (share, other) = (advanced / 2, self.taken(1 - part));
        let left = (advanced - other.unwrap_or(0)).max(0);
        let asked = match (part, other) {
            (0, _) => share.min(left),
            (_, Some(_)) => left,
            (_, None) => (left - share).max(0),
        };
        asked.min(self.parts[part].price - self.parts[part].deducted)
    }

    fn payable(&self, part: usize) -> i64 {
        self.parts[part].price - self.parts[part].deducted - self.recovery(part)
    }

    /// What is committed and certified for nobody, but for one claim.
    fn free(&self, without: Option<usize>) -> i64 {
        let waits = |is_retention: bool| -> i64 {
            let own = (0..)
                .zip(&self.claims)
                .filter(|(at, one)| Some(*at) != without && (one.part == RETENTION) == is_retention);
            own.map(|(_, one)| one.waiting()).sum()
        };
        (self.committed - waits(false) - (waits(true) - self.retained).max(0)).max(0)
    }

    /// What may be certified of a part.
    fn open(&self, part: usize) -> i64 {
        let of_retention = self.of_part(RETENTION, One::waiting);
        let free = self.free(None);
        let free = if part == RETENTION {
            free + (self.retained - of_retention).max(0)
        } else {
            free
        };
        let released = self.released.get(part).copied().unwrap_or(0);
        let most = self.payable(part).min(self.parts[part].price - released);
        (most - self.of_part(part, One::counted)).min(free).max(0)
    }

    fn claim(&mut self, one: One) -> Result<(), &'static str> {
        if one.amount > self.parts[one.part].price {
            return Err("claim_beyond_price");
        }
        if self
            .claims
            .iter()
            .any(|known| known.counts() && known.invoice == one.invoice)
        {
            return Err("invoice_duplicate");
        }
        self.claims.push(one);
        Ok(())
    }

    fn pay(&mut self, at: usize) -> Result<(), &'static str> {
        let (part, amount) = (self.claims[at].part, self.claims[at].certified);
        let from_retained = if part == RETENTION {
            self.retained.min(amount)
        } else {
            0
        };
        if amount - from_retained > self.committed {
            return Err("ledger_hold_exceeded");
        }
        let paid = self.of_part(part, One::paid);
        self.retained -= from_retained;
        self.committed -= amount - from_retained;
        self.spent += amount;
        if part < ADVANCE {
            if self.kept_back[part] == 0 {
                let paid = self.of_part(RETENTION, One::paid);
                let missing = (self.parts[RETENTION].price - paid - self.retained).max(0);
                let kept = SHARE.min(missing).min(self.committed);
                self.kept_back[part] = kept;
                self.committed -= kept;
                self.retained += kept;
            }
            if self.released[part] == 0 && paid + amount == self.claims[at].payable {
                let back = self.parts[part].deducted.min(self.free(Some(at)));
                self.give_back(part, back);
            }
        }
        self.claims[at].from_retained = from_retained;
        Ok(())
    }

    fn give_back(&mut self, part: usize, amount: i64) {
        self.released[part] += amount;
        self.committed -= amount;
        self.available += amount;
    }

    fn close(&mut self, part: usize) -> Result<(), &'static str> {
        let (certified, paid) = (self.of_part(part, One::counted), self.of_part(part, One::paid));
        let recovered = self.recovery(part);
        if self.closed[part].is_some() {
            return Err("period_closed_already");
        }
        if certified < self.payable(part) || paid < certified {
            return Err("period_still_payable");
        }
        let left = (self.parts[part].price - paid - recovered - self.released[part]).max(0);
        let is_recovered_here = certified == 0 && recovered > 0;
        if left == 0 && !is_recovered_here {
            return Err("period_nothing_to_close");
        }
        let back = left.min(self.free(None));
        self.give_back(part, back);
        self.closed[part] = Some(if certified == 0 { recovered } else { 0 });
        Ok(())
    }

    fn steps(&mut self, act: Act, at: usize) -> Result<(), &'static str> {
        let state = self.claims[at].state;
        let next = match (act, state) {
            (Certify, "claimed") => {
                let part = self.claims[at].part;
                let amount = self.open(part).min(self.claims[at].amount);
                if amount == 0 {
                    return Err("claim_nothing_payable");
                }
                let (payable, recovered) = (self.payable(part), self.recovery(part));
                let one = &mut self.claims[at];
                (one.certified, one.payable, one.recovered) = (amount, payable, recovered);
                "certified"
            }
            (Approve, "certified") => "approved",
            (Execute, "approved") => {
                self.pay(at)?;
                "executed"
            }
            (Confirm, "executed") => "confirmed",
            (Return, "claimed" | "certified" | "approved") => "returned",
            (Fail, "executed") => {
                let (amount, kept) = (self.claims[at].certified, self.claims[at].from_retained);
                self.spent -= amount;
                self.retained += kept;
                self.committed += amount - kept;
                "failed"
            }
            _ => return Err("claim_wrong_state"),
        };
        self.claims[at].state = next;
        Ok(())
    }

    fn balances(&self) -> [String; 4] {
        [self.available, self.committed, self.retained, self.spent].map(yuan)
    }
}

/// Everything that an act could have changed.
fn traces(counter: &Counter<'_>) -> Vec<String> {
    let queries = [
        "SELECT id || state || revision AS line FROM payment_claims ORDER BY id",
        "SELECT claim_id || amount_fen AS line FROM claim_certifications ORDER BY claim_id",
        "SELECT claim_id || released_fen AS line FROM claim_executions ORDER BY claim_id",
        "SELECT claim_id || bank_reference AS line FROM claim_confirmations ORDER BY claim_id",
        "SELECT claim_id || amount_fen AS line FROM advance_recoveries ORDER BY claim_id",
        "SELECT contract_id || period || released_fen AS line FROM period_closings ORDER BY period",
        "SELECT id || remaining_fen AS line FROM ledger_holds ORDER BY id",
        "SELECT matter || duty || person AS line FROM duties ORDER BY matter, duty, person",
        "SELECT 'transfers ' || COUNT(*) AS line FROM ledger_transfers",
        "SELECT 'events ' || COUNT(*) AS line FROM audit_events",
        "SELECT 'mail ' || COUNT(*) AS line FROM outbox",
    ];
    queries
        .iter()
        .flat_map(|query| lines(counter.ward(), query))
        .collect()
}

fn does(counter: &Counter<'_>, act: Act, model: &Model, at: usize) -> Reply {
    let one = &model.claims[at];
    let id = one.id.as_str();
    match act {
        Certify => {
            let amount = model.open(one.part);
            let less = if one.state == "claimed" && amount < one.amount {
                json!({"less_zh": "因", "less_en": "Because"})
            } else {
                json!({})
            };
            counter.certifies(counter.officer(), id, &less)
        }
        Approve => counter.acts(&counter.approves, id, "approval"),
        Execute => counter.acts(&counter.executes, id, "execution"),
        Confirm => counter.confirms(&counter.reconciles, id),
        Return => counter.ends(counter.officer(), id, "return"),
        Fail => counter.ends(&counter.reconciles, id, "failure"),
        Claim | Close => unreachable!("it is no act on a claim"),
    }
}

fn closes(counter: &Counter<'_>, part: usize) -> Reply {
    let path = format!(
        "/contracts/{}/periods/{}/closing",
        counter.work.contract,
        part + 1
    );
    posts(counter.ward(), counter.officer(), &path, Some(&json!({})))
}

fn body(one: &One, part: Part) -> Value {
    match part.period {
        Some(period) => Counter::of_period(period, &yuan(one.amount), &one.invoice),
        None => Counter::of_part(part.kind, &yuan(one.amount), &one.invoice),
    }
}

fn runs(ward: &Ward, is_recovered: bool, seed: u64) -> BTreeSet<String> {
    let counter = Counter::new(ward, "2026-10-31", |lot| {
        if is_recovered {
            by_halves_with_recovery(lot, "10");
        } else {
            by_halves(lot);
        }
    });
    go_to(ward, "2026-05-11T01:00:00Z");
    for day in 1..=5 {
        counter
            .work
            .inspects(&format!("2026-05-0{day}"), if day == 5 { "4" } else { "7" });
    }
    go_to(ward, "2026-11-02T02:00:00Z");
    for period in [1, 2] {
        counter.accepts(period);
    }
    let mut model = Model::new(is_recovered);
    let (mut dice, mut met) = (Dice(seed), BTreeSet::new());
    for step in 0..STEPS {
        let act = ALL[dice.roll(ALL.len())];
        if !matches!(act, Claim | Close) && model.claims.is_empty() {
            continue;
        }
        let before = traces(&counter);
        let (reply, expected) = match act {
            Claim => claims(&counter, &mut model, &mut dice, step),
            Close => {
                let part = dice.roll(2);
                (closes(&counter, part), model.close(part))
            }
            _ => {
                // Mostly one that waits for just this, else any of the latest.
                let back = dice.roll(model.claims.len().min(6));
                let fitting = model.claims.iter().rposition(|one| act.fits(one.state));
                let any = model.claims.len() - 1 - back;
                let at = fitting.filter(|_| dice.roll(4) > 0).unwrap_or(any);
                (does(&counter, act, &model, at), model.steps(act, at))
            }
        };
        met.insert(format!("{act:?} {}", expected.err().unwrap_or("done")));
        publication_checks::publish(counter.ward());
        let after = traces(&counter);
        match expected {
            Ok(()) => assert!(
                (200..300).contains(&reply.status) && after != before,
                "{step} {act:?}: {}",
                reply.text
            ),
            Err(code) => {
                assert_eq!(reply.code(), code, "{step} {act:?}: {}", reply.text);
                assert_eq!(after, before, "{step} {act:?} was refused");
            }
        }
        assert_eq!(counter.balances(), model.balances(), "{step} {act:?}");
    }
    let (paid, totals) = (yuan(model.sum(One::paid)), counter.totals());
    assert_eq!(
        (&totals["paid"]["amount"], &totals["committed"]["amount"]),
        (&json!(paid), &json!(yuan(model.committed)))
    );
    is_told(&counter, &model);
    spending::is_made_again(counter.ward());
    // Whatever has happened, what is published of it holds.
    publication_checks::holds(counter.ward());
    met
}

/// What everybody is told of spending is what the model knows, whichever way it is summed.
fn is_told(counter: &Counter<'_>, model: &Model) {
    let paying = model.claims.iter().filter(|one| one.is_paid()).count();
    let contract = &counter.work.contract;
    for question in [
        "group_by=contract".to_owned(),
        format!("group_by=month&contract_id={contract}"),
    ] {
        let told = counter.ward().get(&format!("/api/v1/spending?{question}"));
        let told = told.json()["totals"].clone();
        let measured =
            ["committed", "retained", "paid", "deducted"].map(|measure| told[measure]["amount"].clone());
        let known = [
            model.committed,
            model.retained,
            model.spent,
            model.released.iter().sum(),
        ];
        let known = known.map(|fen| json!(yuan(fen)));
        assert_eq!((measured, &told["count"]), (known, &json!(paying)), "{question}");
    }
}

fn claims(
    counter: &Counter<'_>,
    model: &mut Model,
    dice: &mut Dice,
    step: usize,
) -> (Reply, Result<(), &'static str>) {
    let at = dice.roll(model.parts.len());
    let part = model.parts[at];
    let amount = match dice.roll(12) {
        0 => part.price,
        1 => part.price - part.deducted,
        2 => part.price + 1,
        3..=5 => 1 + i64::try_from(dice.roll(1_000_000)).unwrap(),
        _ => part.price / 5,
    };
    // One time in three the invoice of the last claim, which may still use it.
    let old = model.claims.last().filter(|_| dice.roll(3) == 0);
    let mut one = One {
        id: String::new(),
        part: at,
        amount,
        invoice: old.map_or_else(|| format!("F{step}"), |one| one.invoice.clone()),
        state: "claimed",
        certified: 0,
        payable: 0,
        recovered: 0,
        from_retained: 0,
    };
    let reply = counter.claims(counter.work.supplier(), &body(&one, part));
    if reply.status == 201 {
        one.id = made(&reply);
    }
    (reply, model.claim(one))
}

/// A test of random sequences that meets nothing tests nothing.
fn has_met(met: &BTreeSet<String>) {
    for wanted in WANTED {
        assert!(met.contains(wanted), "{wanted} was never met: {met:#?}");
    }
}

on_both! { in "test";
    fn sequences_of_claims_go_as_the_model_says_and_refusals_leave_no_trace(ward) {
        has_met(&runs(&ward, false, 7_001));
    }

    fn sequences_of_claims_whose_periods_take_the_advance_back_go_as_the_model_says(ward) {
        has_met(&runs(&ward, true, 7_002));
    }
}

const WANTED: [&str; 16] = [
    "Close period_still_payable",
    "Claim done",
    "Claim claim_beyond_price",
    "Claim invoice_duplicate",
    "Certify done",
    "Certify claim_wrong_state",
    "Certify claim_nothing_payable",
    "Approve done",
    "Approve claim_wrong_state",
    "Execute done",
    "Execute claim_wrong_state",
    "Confirm done",
    "Return done",
    "Return claim_wrong_state",
    "Fail done",
    "Fail claim_wrong_state",
];
