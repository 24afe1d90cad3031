//! Random sequences of claims, certifications, approvals, payments, confirmations, returns and failures against a small model: what the model says is what is answered, what is
//! refused leaves the database as it was, and the ledger stands at every step where the model has it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::award_sequences::Dice;
use crate::awards::go_to;
use crate::claims::{Counter, by_halves};
use crate::harness::Reply;
use crate::on_both;
use crate::outbox::lines;
use crate::treasury::made;

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
}

impl Act {
    /// Whether it is done to a claim in that state.
    fn fits(self, state: &str) -> bool {
        match self {
            Claim => false,
            Certify => state == "claimed",
            Approve | Return => state == "certified",
            Execute => state == "approved",
            Confirm | Fail => state == "executed",
        }
    }
}

use Act::{Approve, Certify, Claim, Confirm, Execute, Fail, Return};

const ALL: [Act; 18] = [
    Claim, Claim, Claim, Certify, Certify, Certify, Certify, Approve, Approve, Approve, Execute, Execute,
    Execute, Confirm, Confirm, Return, Fail, Fail,
];

/// A part of the price: the first half, which scores 80.00, the second, the advance and the retention.
struct Part {
    kind: &'static str,
    period: Option<i64>,
    price: i64,
    payable: i64,
}

const PARTS: [Part; 4] = [
    Part {
        kind: "period",
        period: Some(1),
        price: 97_690_500,
        payable: 92_805_975,
    },
    Part {
        kind: "period",
        period: Some(2),
        price: 97_690_500,
        payable: 97_690_500,
    },
    Part {
        kind: "advance",
        period: None,
        price: 22_986_000,
        payable: 22_986_000,
    },
    Part {
        kind: "retention",
        period: None,
        price: 11_493_000,
        payable: 11_493_000,
    },
];

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

    fn waiting(&self) -> i64 {
        if self.is_paid() { 0 } else { self.counted() }
    }
}

/// What the model knows.
#[derive(Default)]
struct Model {
    claims: Vec<One>,
    available: i64,
    committed: i64,
    retained: i64,
    spent: i64,
    kept_back: [i64; 2],
    released: [i64; 2],
}

impl Model {
    fn sum(&self, of: impl Fn(&One) -> i64) -> i64 {
        self.claims.iter().map(of).sum()
    }

    /// What may be certified of a part.
    fn open(&self, part: usize) -> i64 {
        let of = |one: &One, is: bool| {
            if (one.part == RETENTION) == is {
                one.waiting()
            } else {
                0
            }
        };
        let (of_retention, others) = (self.sum(|one| of(one, true)), self.sum(|one| of(one, false)));
        let free = (self.committed - others - (of_retention - self.retained).max(0)).max(0);
        let free = if part == RETENTION {
            free + (self.retained - of_retention).max(0)
        } else {
            free
        };
        let released = self.released.get(part).copied().unwrap_or(0);
        let most = PARTS[part].payable.min(PARTS[part].price - released);
        let before = self.sum(|one| if one.part == part { one.counted() } else { 0 });
        (most - before).min(free).max(0)
    }

    fn claim(&mut self, one: One) -> Result<(), &'static str> {
        if one.amount > PARTS[one.part].price {
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
        let paid: i64 = self.sum(|one| {
            if one.part == part && one.is_paid() {
                one.counted()
            } else {
                0
            }
        });
        self.retained -= from_retained;
        self.committed -= amount - from_retained;
        self.spent += amount;
        if part < ADVANCE {
            if self.kept_back[part] == 0 {
                let kept = SHARE.min(self.committed);
                self.kept_back[part] = kept;
                self.committed -= kept;
                self.retained += kept;
            }
            if self.released[part] == 0 && paid + amount == PARTS[part].payable {
                let back = (PARTS[part].price - PARTS[part].payable).min(self.committed);
                self.released[part] = back;
                self.committed -= back;
                self.available += back;
            }
        }
        self.claims[at].from_retained = from_retained;
        Ok(())
    }

    fn steps(&mut self, act: Act, at: usize) -> Result<(), &'static str> {
        let state = self.claims[at].state;
        let next = match (act, state) {
            (Certify, "claimed") => {
                let amount = self.open(self.claims[at].part).min(self.claims[at].amount);
                if amount == 0 {
                    return Err("claim_nothing_payable");
                }
                self.claims[at].certified = amount;
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
        Confirm => counter.confirms(&counter.executes, id),
        Return => counter.ends(counter.officer(), id, "return"),
        Fail => counter.ends(&counter.executes, id, "failure"),
        Claim => unreachable!("it is no act on a claim"),
    }
}

fn body(one: &One) -> Value {
    let part = &PARTS[one.part];
    match part.period {
        Some(period) => Counter::of_period(period, &yuan(one.amount), &one.invoice),
        None => Counter::of_part(part.kind, &yuan(one.amount), &one.invoice),
    }
}

on_both! { in "test";
    fn sequences_of_claims_go_as_the_model_says_and_refusals_leave_no_trace(ward) {
        let counter = Counter::new(&ward, "2026-10-31", by_halves);
        go_to(&ward, "2026-05-11T01:00:00Z");
        for day in 1..=5 {
            counter.work.inspects(&format!("2026-05-0{day}"), if day == 5 { "4" } else { "7" });
        }
        go_to(&ward, "2026-11-02T02:00:00Z");
        for period in [1, 2] {
            counter.accepts(period);
        }
        let mut model = Model { available: 770_140_000, committed: 229_860_000, ..Model::default() };
        let (mut dice, mut met) = (Dice(7_001), BTreeSet::new());
        for step in 0..STEPS {
            let act = ALL[dice.roll(ALL.len())];
            if act != Claim && model.claims.is_empty() {
                continue;
            }
            let before = traces(&counter);
            let (reply, expected) = if act == Claim {
                let part = dice.roll(PARTS.len());
                let amount = match dice.roll(12) {
                    0 => PARTS[part].price,
                    1 => PARTS[part].payable,
                    2 => PARTS[part].price + 1,
                    3..=5 => 1 + i64::try_from(dice.roll(1_000_000)).unwrap(),
                    _ => PARTS[part].price / 5,
                };
                // One time in three the invoice of the last claim, which may still use it.
                let old = model.claims.last().filter(|_| dice.roll(3) == 0);
                let invoice = old.map_or_else(|| format!("F{step}"), |one| one.invoice.clone());
                let mut one = One { id: String::new(), part, amount, invoice, state: "claimed", certified: 0, from_retained: 0 };
                let reply = counter.claims(counter.work.supplier(), &body(&one));
                if reply.status == 201 {
                    one.id = made(&reply);
                }
                (reply, model.claim(one))
            } else {
                // Mostly one that waits for just this, else any of the latest.
                let back = dice.roll(model.claims.len().min(6));
                let fitting = model.claims.iter().rposition(|one| act.fits(one.state));
                let any = model.claims.len() - 1 - back;
                let at = fitting.filter(|_| dice.roll(4) > 0).unwrap_or(any);
                (does(&counter, act, &model, at), model.steps(act, at))
            };
            met.insert(format!("{act:?} {}", expected.err().unwrap_or("done")));
            let after = traces(&counter);
            match expected {
                Ok(()) => assert!((200..300).contains(&reply.status) && after != before, "{step} {act:?}: {}", reply.text),
                Err(code) => {
                    assert_eq!(reply.code(), code, "{step} {act:?}: {}", reply.text);
                    assert_eq!(after, before, "{step} {act:?} was refused");
                }
            }
            assert_eq!(counter.balances(), model.balances(), "{step} {act:?}");
        }
        let paid = yuan(model.sum(|one| if one.is_paid() { one.counted() } else { 0 }));
        assert_eq!((&counter.totals()["paid"]["amount"], &counter.totals()["committed"]["amount"]), (&json!(paid), &json!(yuan(model.committed))));
        // A test of random sequences that meets nothing tests nothing.
        for wanted in WANTED {
            assert!(met.contains(wanted), "{wanted} was never met: {met:#?}");
        }
    }
}

const WANTED: [&str; 15] = [
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
