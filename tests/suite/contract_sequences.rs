//! Random sequences of acts under a signed contract against a small model: what the model says is what is answered, what is refused leaves the database as it
//! was, and the ledger balances after every step.

use std::collections::BTreeSet;

use serde_json::json;

use crate::award_sequences::Dice;
use crate::awards::{Case, why};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::outbox::lines;
use crate::publication_checks;
use crate::terminations::ending;
use crate::treasury::{gets, made, posts};
use crate::variations::{asked, contract, proposes, signs};

/// Acts in all.
const STEPS: usize = 70;
/// The price, which is also the cap of all increases by these rules, and what the line has, in fen.
const PRICE: i64 = 229_860_000;
const LINE: i64 = 1_000_000_000;
/// What is settled.
const SETTLED: i64 = 10_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Add,
    Lessen,
    SignForBuyer,
    SignForSupplier,
    Withdraw,
    Refuse,
    ProposeEnd,
    State,
    End,
    Reject,
}

use Act::{Add, End, Lessen, ProposeEnd, Refuse, Reject, SignForBuyer, SignForSupplier, State, Withdraw};

const ALL: [Act; 12] = [
    Add,
    Add,
    Lessen,
    SignForBuyer,
    SignForBuyer,
    SignForSupplier,
    SignForSupplier,
    Withdraw,
    Refuse,
    ProposeEnd,
    State,
    Reject,
];

/// The last variation.
struct Pending {
    id: String,
    amount: i64,
    is_open: bool,
    signed: BTreeSet<&'static str>,
}

/// The contract as the model knows it.
struct Model {
    increases: i64,
    price_now: i64,
    committed: i64,
    has_ended: bool,
    variation: Option<Pending>,
    /// The last proposal to end it: its id, whether it is open, whether the supplier was heard.
    ending: Option<(String, bool, bool)>,
}

impl Model {
    fn has_subject(&self, act: Act) -> bool {
        match act {
            Add | Lessen | ProposeEnd => true,
            SignForBuyer | SignForSupplier | Withdraw | Refuse => self.variation.is_some(),
            State | End | Reject => self.ending.is_some(),
        }
    }

    /// What a step does to the model, and what is answered.
    fn steps(&mut self, act: Act, amount: i64) -> Result<(), &'static str> {
        match act {
            Add | Lessen if self.has_ended => Err("contract_terminated"),
            Add | Lessen if self.variation.as_ref().is_some_and(|one| one.is_open) => {
                Err("variation_pending")
            }
            Add if self.increases + amount > PRICE => Err("variation_over_cap"),
            Add | Lessen => {
                self.variation = Some(Pending {
                    id: String::new(),
                    amount,
                    is_open: true,
                    signed: BTreeSet::new(),
                });
                Ok(())
            }
            SignForBuyer | SignForSupplier | Withdraw | Refuse => self.on_variation(act),
            ProposeEnd if self.has_ended => Err("contract_terminated"),
            ProposeEnd if self.ending.as_ref().is_some_and(|(_, is_open, _)| *is_open) => {
                Err("termination_pending")
            }
            ProposeEnd => {
                self.ending = Some((String::new(), true, false));
                Ok(())
            }
            State | End | Reject => self.on_ending(act),
        }
    }

    fn on_variation(&mut self, act: Act) -> Result<(), &'static str> {
        let one = self.variation.as_mut().unwrap();
        if !one.is_open {
            return Err("variation_wrong_state");
        }
        if matches!(act, Withdraw | Refuse) {
            one.is_open = false;
            return Ok(());
        }
        if !one
            .signed
            .insert(if act == SignForBuyer { "buyer" } else { "supplier" })
        {
            return Err("variation_signed_already");
        }
        if one.signed.len() == 2 {
            one.is_open = false;
            self.increases += one.amount.max(0);
            self.price_now += one.amount;
            self.committed += one.amount;
        }
        Ok(())
    }

    fn on_ending(&mut self, act: Act) -> Result<(), &'static str> {
        let (_, is_open, was_heard) = self.ending.as_mut().unwrap();
        match act {
            _ if !*is_open => return Err("termination_wrong_state"),
            State if *was_heard => return Err("termination_stated_already"),
            State => *was_heard = true,
            End if !*was_heard => return Err("termination_hearing_open"),
            End => {
                *is_open = false;
                self.has_ended = true;
                self.committed = SETTLED;
                if let Some(one) = &mut self.variation {
                    one.is_open = false;
                }
            }
            _ => *is_open = false,
        }
        Ok(())
    }
}

fn money(fen: i64) -> String {
    format!(
        "{}{}.{:02}",
        if fen < 0 { "-" } else { "" },
        fen.abs() / 100,
        fen.abs() % 100
    )
}

/// What is played on.
struct Stage<'w> {
    ward: &'w Ward,
    case: &'w Case,
    contract: &'w str,
}

impl Stage<'_> {
    fn does(&self, model: &Model, act: Act, amount: i64) -> Reply {
        let (ward, case) = (self.ward, self.case);
        let (office, supplier) = (&case.office, &case.bidders[1].agent);
        let about = (case, self.contract);
        let variation = || model.variation.as_ref().unwrap().id.clone();
        let ended = || model.ending.as_ref().unwrap().0.clone();
        let decides = |ends: bool| {
            let body = json!({"ends": ends, "decision_zh": "同意", "decision_en": "Agreed"});
            posts(
                ward,
                &office.approver,
                &format!("/terminations/{}/decision", ended()),
                Some(&body),
            )
        };
        match act {
            Add => proposes(ward, about, &asked("supplement", &money(amount), None)),
            Lessen => proposes(ward, about, &asked("reduction", &money(amount), None)),
            SignForBuyer => signs(ward, case, (&variation(), "buyer")),
            SignForSupplier => signs(ward, case, (&variation(), "supplier")),
            Withdraw => posts(
                ward,
                &office.officer,
                &format!("/variations/{}/withdrawal", variation()),
                Some(&why()),
            ),
            Refuse => posts(
                ward,
                supplier,
                &format!("/variations/{}/refusal", variation()),
                Some(&why()),
            ),
            ProposeEnd => {
                let path = format!("/contracts/{}/terminations", self.contract);
                posts(ward, &office.officer, &path, Some(&ending(&money(SETTLED))))
            }
            State => {
                let body = json!({"statement": "请求继续履行"});
                posts(
                    ward,
                    supplier,
                    &format!("/terminations/{}/statement", ended()),
                    Some(&body),
                )
            }
            End => decides(true),
            Reject => decides(false),
        }
    }

    /// Everything that an act could have changed.
    fn traces(&self) -> Vec<String> {
        let queries = [
            "SELECT id || state || revision AS line FROM contract_variations ORDER BY id",
            "SELECT variation_id || party AS line FROM contract_variation_signatures ORDER BY variation_id, party",
            "SELECT variation_id || period || '/' || amount_fen AS line FROM contract_variation_parts ORDER BY variation_id, period",
            "SELECT id || state || revision AS line FROM contract_terminations ORDER BY id",
            "SELECT id || balance_fen || '/' || entries AS line FROM ledger_accounts ORDER BY id",
            "SELECT id || remaining_fen AS line FROM ledger_holds ORDER BY id",
            "SELECT matter || duty || person AS line FROM duties ORDER BY matter, duty, person",
            "SELECT 'events ' || COUNT(*) AS line FROM audit_events",
            "SELECT 'mail ' || COUNT(*) AS line FROM outbox",
        ];
        queries.iter().flat_map(|query| lines(self.ward, query)).collect()
    }

    /// The contract and the money as they are, beside the model.
    fn compare(&self, model: &Model, act: Act) {
        let shown = gets(
            self.ward,
            &self.case.office.officer,
            &format!("/contracts/{}", self.contract),
        )
        .json();
        let state = if model.has_ended { "terminated" } else { "signed" };
        assert_eq!(
            (&shown["state"], &shown["price_now"]["amount"]),
            (&json!(state), &json!(money(model.price_now))),
            "{act:?}"
        );
        let expected = [LINE - model.committed, 0, model.committed].map(money);
        assert_eq!(self.case.balances(self.ward), expected, "{act:?}");
        let db = &self.ward.context().db;
        let ledger = db.read_and_wait(wardbook::budget::verify::verify).unwrap();
        assert!(ledger.holds(), "{act:?}: {ledger}");
    }
}

on_both! { in "test";
    fn sequences_of_acts_under_a_contract_go_as_the_model_says_and_refusals_leave_no_trace(ward) {
        let (case, contract) = contract(&ward);
        let stage = Stage { ward: &ward, case: &case, contract: &contract };
        let mut model = Model { increases: 0, price_now: PRICE, committed: PRICE, has_ended: false, variation: None, ending: None };
        let (mut dice, mut met) = (Dice(10_964), BTreeSet::new());
        let mut before = stage.traces();
        for step in 0..STEPS {
            let mut act = ALL[dice.roll(ALL.len())];
            // The end comes near the end, so that there is something before it.
            if matches!(act, Reject | Withdraw) && step > STEPS - 20 {
                act = End;
            }
            if !model.has_subject(act) {
                continue;
            }
            let size = i64::try_from(dice.roll(150_000_000)).unwrap() + 1;
            let amount = if act == Lessen { -(size % 1_000_000) - 1 } else { size };
            let reply = stage.does(&model, act, amount);
            let expected = model.steps(act, amount);
            met.insert(format!("{act:?} {}", expected.err().unwrap_or("done")));
            publication_checks::publish(&ward);
            let after = stage.traces();
            match expected {
                Ok(()) => {
                    assert!((200..300).contains(&reply.status), "{act:?}: {}", reply.text);
                    assert_ne!(after, before, "{act:?}");
                    match act {
                        Add | Lessen => model.variation.as_mut().unwrap().id = made(&reply),
                        ProposeEnd => model.ending.as_mut().unwrap().0 = made(&reply),
                        _ => {}
                    }
                }
                Err(code) => {
                    assert_eq!(reply.code(), code, "{act:?}: {}", reply.text);
                    assert_eq!(after, before, "{act:?} was refused");
                }
            }
            stage.compare(&model, act);
            before = after;
        }
        // Whatever has happened, what is published of it holds.
        publication_checks::holds(&ward);
        // A test of random sequences that meets nothing tests nothing.
        for wanted in WANTED {
            assert!(met.contains(wanted), "{wanted} was never met: {met:#?}");
        }
    }
}

const WANTED: [&str; 14] = [
    "Add done",
    "Add variation_over_cap",
    "Add variation_pending",
    "Add contract_terminated",
    "Lessen done",
    "SignForBuyer done",
    "SignForBuyer variation_signed_already",
    "SignForSupplier variation_wrong_state",
    "Withdraw done",
    "Refuse done",
    "ProposeEnd done",
    "State done",
    "End termination_hearing_open",
    "End done",
];
