//! Random sequences of acts on awards against a small model: what the model says is what is answered, what is refused leaves the database as it
//! was, and the ledger balances after every step.

use std::collections::BTreeSet;

use serde_json::json;

use crate::awards::{Case, why};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::outbox::lines;
use crate::publication_checks;
use crate::treasury::{gets, made, posts};

/// Lots, of which each is played through by itself.
const LOTS: usize = 3;
/// Acts on each.
const STEPS: usize = 20;
/// The ceiling of a lot, and the price of each bidder, in fen.
const CEILING: i64 = 235_020_000;
const PRICES: [i64; 3] = [224_800_000, 229_860_000, 233_100_000];
/// What the line has.
const LINE: i64 = 1_000_000_000;
/// Rules with short times, so that a year is enough for all of it.
pub const BRISK: [(&str, &str, u32); 4] = [
    ("award.public_notice_working_days", "working_days", 1),
    ("disputes.challenge_filing_working_days_max", "working_days", 2),
    ("disputes.challenge_reply_working_days_max", "working_days", 7),
    ("contract.signing_days_max", "days", 100),
];

/// Numbers that look random and are the same every time.
pub struct Dice(pub u64);

impl Dice {
    /// One of so many, from 0.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(sides).unwrap()).unwrap()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Propose,
    Decide,
    Notice,
    Days,
    Confirm,
    Prepare,
    SignForSupplier,
    SignForBuyer,
    Challenge,
    Reject,
    Uphold,
    Cancel,
    Disqualify,
    Withdraw,
}

use Act::{
    Cancel, Challenge, Confirm, Days, Decide, Disqualify, Notice, Prepare, Propose, Reject, SignForBuyer,
    SignForSupplier, Uphold, Withdraw,
};

const ALL: [Act; 14] = [
    Propose,
    Decide,
    Notice,
    Days,
    Confirm,
    Prepare,
    SignForSupplier,
    SignForBuyer,
    Challenge,
    Reject,
    Uphold,
    Cancel,
    Disqualify,
    Withdraw,
];

/// An award as the model knows it, the last one of its lot.
#[derive(Clone)]
struct Known {
    id: String,
    state: &'static str,
    winner: usize,
    is_public: bool,
    is_over: bool,
    challenge: Option<(String, &'static str)>,
    contract: Option<(String, String)>,
    signed: BTreeSet<&'static str>,
}

/// A lot as the model knows it.
struct Model {
    award: Option<Known>,
    out: BTreeSet<usize>,
    has_ended: bool,
}

/// What the model expects of a step: done, nothing to do, or refused with a code.
type Outcome = Result<bool, &'static str>;

/// Who wins, in this order: the ranking of every lot.
const ORDER: [usize; 3] = [1, 0, 2];

impl Model {
    fn next(&self) -> Option<usize> {
        ORDER.into_iter().find(|bidder| !self.out.contains(bidder))
    }

    fn proposed(&mut self, winner: usize) {
        self.award = Some(Known {
            id: String::new(),
            state: "proposed",
            winner,
            is_public: false,
            is_over: false,
            challenge: None,
            contract: None,
            signed: BTreeSet::new(),
        });
    }

    /// Whether there is something that the act can be tried on.
    fn has_subject(&self, act: Act) -> bool {
        let award = self.award.as_ref();
        match act {
            Propose | Days => true,
            Reject | Uphold => award.is_some_and(|one| one.challenge.is_some()),
            SignForSupplier | SignForBuyer => award.is_some_and(|one| one.contract.is_some()),
            _ => award.is_some(),
        }
    }

    /// What leads on, mostly; otherwise anything.
    fn chosen(&self, dice: &mut Dice) -> Act {
        let onward = match self
            .award
            .as_ref()
            .map(|one| (one.state, one.contract.is_some(), one.is_over))
        {
            Some(("proposed", ..)) => Decide,
            Some(("decided", ..)) => Notice,
            Some(("noticed", _, false)) => Days,
            Some(("noticed", _, true)) => Confirm,
            Some(("confirmed", false, _)) => Prepare,
            Some(("confirmed", true, _)) if dice.roll(2) == 0 => SignForSupplier,
            Some(("confirmed", true, _)) => SignForBuyer,
            _ => Propose,
        };
        if dice.roll(10) < 5 {
            return onward;
        }
        loop {
            let act = ALL[dice.roll(ALL.len())];
            // Time passes where somebody waits for it, so that the year is enough.
            if self.has_subject(act) && (act != Days || onward == Days) {
                return act;
            }
        }
    }

    /// What a step does to the model, and what is answered.
    fn steps(&mut self, act: Act) -> Outcome {
        if act == Propose {
            if self.has_ended {
                return Err("lot_ended");
            }
            if self.award.as_ref().is_some_and(|one| one.state != "ended") {
                return Err("award_open_already");
            }
            let next = self.next().unwrap();
            self.proposed(next);
            return Ok(true);
        }
        let award = self.award.as_mut().unwrap();
        let wrong = Err("award_wrong_state");
        let is_open = matches!(award.state, "proposed" | "decided" | "noticed" | "confirmed");
        match act {
            Propose => unreachable!("it is done above"),
            Days => award.is_over = true,
            Decide if award.state == "proposed" => award.state = "decided",
            Notice if award.state == "decided" => (award.state, award.is_public) = ("noticed", true),
            Confirm if award.state == "noticed" => {
                if !award.is_over {
                    return Err("award_standstill");
                }
                let stands = award.challenge.as_ref().map(|(_, state)| *state);
                if matches!(stands, Some("filed" | "upheld")) {
                    return Err("award_blocked");
                }
                award.state = "confirmed";
            }
            Prepare if award.contract.is_some() => return Ok(false),
            Prepare if award.state == "confirmed" => award.contract = Some(Default::default()),
            SignForSupplier | SignForBuyer => {
                let party = if act == SignForBuyer { "buyer" } else { "supplier" };
                if award.signed.contains(party) {
                    return Err("contract_signed_already");
                }
                if award.state != "confirmed" {
                    return Err("contract_void");
                }
                award.signed.insert(party);
                if award.signed.len() == 2 {
                    award.state = "signed";
                }
            }
            Challenge if !award.is_public => return Err("not_found"),
            Challenge if award.state == "ended" => return wrong,
            Challenge if award.is_over => return Err("challenge_late"),
            Challenge if award.challenge.is_some() => return Err("challenge_filed_already"),
            Challenge => award.challenge = Some((String::new(), "filed")),
            Reject | Uphold => {
                let (_, state) = award.challenge.as_mut().unwrap();
                if *state != "filed" {
                    return Err("challenge_closed");
                }
                *state = if act == Uphold { "upheld" } else { "rejected" };
            }
            Cancel if is_open => award.state = "ended",
            Withdraw if !award.is_public => return Err("not_found"),
            Withdraw if !matches!(award.state, "noticed" | "confirmed") => return wrong,
            Disqualify if !is_open => return wrong,
            Disqualify | Withdraw => {
                award.state = "ended";
                let fallen = award.winner;
                self.out.insert(fallen);
                match self.next() {
                    Some(next) => self.proposed(next),
                    None => self.has_ended = true,
                }
            }
            Decide | Notice | Confirm | Prepare | Cancel => return wrong,
        }
        Ok(true)
    }
}

/// What is played on.
struct Stage<'w> {
    ward: &'w Ward,
    case: &'w Case,
    lot: usize,
}

impl Stage<'_> {
    fn does(&self, model: &Model, act: Act) -> Option<Reply> {
        let (ward, case) = (self.ward, self.case);
        let (officer, approver) = (&case.office.officer, &case.office.approver);
        if act == Propose {
            return Some(case.proposes(ward, self.lot));
        }
        if act == Days {
            let later = ward.context().clock.now() + chrono::Duration::days(12);
            ward.context().clock.advance(later);
            return None;
        }
        let known = model.award.as_ref().unwrap();
        let award = &known.id;
        let challenge = known.challenge.clone().unwrap_or_default().0;
        let (contract, hash) = known.contract.clone().unwrap_or_default();
        let ends = |what: &str| posts(ward, approver, &format!("/awards/{award}/{what}"), Some(&why()));
        Some(match act {
            Propose | Days => unreachable!("they are done above"),
            Decide => case.decides(ward, award),
            Notice => case.notices(ward, award),
            Confirm => case.confirms(ward, award),
            Prepare => posts(ward, officer, &format!("/awards/{award}/contract"), None),
            SignForSupplier => {
                let agent = &case.bidders[known.winner].agent;
                case.signs(ward, agent, (&contract, "supplier", &hash))
            }
            SignForBuyer => case.signs(ward, approver, (&contract, "buyer", &hash)),
            Challenge => case.challenges(ward, 2, award),
            Reject => case.replies(ward, &challenge, "rejected", false),
            Uphold => case.replies(ward, &challenge, "upheld", true),
            Cancel => ends("cancellation"),
            Disqualify => ends("disqualification"),
            Withdraw => case.withdraws(ward, known.winner, award),
        })
    }

    /// Tells the model which ids the service has given.
    fn learn(&self, model: &mut Model, act: Act, reply: &Reply) {
        let lot = &self.case.lots[self.lot];
        let Some(award) = model.award.as_mut() else { return };
        if award.id.is_empty() {
            let all = gets(
                self.ward,
                &self.case.office.officer,
                &format!("/lots/{lot}/awards"),
            )
            .json();
            award.id = all["items"].as_array().unwrap().last().unwrap()["id"]
                .as_str()
                .unwrap()
                .to_owned();
        }
        match act {
            Challenge => award.challenge.as_mut().unwrap().0 = made(reply),
            Prepare => {
                let word = |member: &str| reply.json()[member].as_str().unwrap().to_owned();
                let (contract, winner) = (word("id"), award.winner);
                award.contract = Some((contract.clone(), word("sha256")));
                self.case.secures(self.ward, winner, &contract, "120000.00");
            }
            _ => {}
        }
    }

    /// Everything that an act on an award could have changed.
    fn traces(&self) -> Vec<String> {
        let queries = [
            "SELECT id || state || revision || COALESCE(end_cause, '') AS line FROM awards ORDER BY id",
            "SELECT id || state || revision AS line FROM challenges ORDER BY id",
            "SELECT contract_id || party AS line FROM contract_signatures ORDER BY contract_id, party",
            "SELECT id || COALESCE(CAST(signed_at AS TEXT), '') AS line FROM contracts ORDER BY id",
            "SELECT lot_id AS line FROM lot_endings ORDER BY lot_id",
            "SELECT lot_id || supplier_id AS line FROM bid_security_returns ORDER BY lot_id, supplier_id",
            "SELECT id || balance_fen || '/' || entries AS line FROM ledger_accounts ORDER BY id",
            "SELECT id || remaining_fen AS line FROM ledger_holds ORDER BY id",
            "SELECT matter || duty || person AS line FROM duties ORDER BY matter, duty, person",
            "SELECT 'events ' || COUNT(*) AS line FROM audit_events",
            "SELECT 'mail ' || COUNT(*) AS line FROM outbox",
        ];
        queries.iter().flat_map(|query| lines(self.ward, query)).collect()
    }

    /// The award and the money as they are, beside the model.
    fn compare(&self, model: &Model, act: Act, (reserved, committed): (i64, i64)) {
        if let Some(known) = &model.award {
            let path = format!("/awards/{}", known.id);
            let shown = gets(self.ward, &self.case.office.officer, &path).json();
            let supplier = &self.case.bidders[known.winner].id;
            assert_eq!(
                (&shown["state"], &shown["supplier_id"]),
                (&json!(known.state), &json!(supplier)),
                "{act:?}"
            );
        }
        let balances = self.case.balances(self.ward);
        let money = |fen: i64| format!("{}.{:02}", fen / 100, fen % 100);
        let expected = [LINE - reserved - committed, reserved, committed];
        assert_eq!(balances, expected.map(money), "{act:?}");
        let ledger = self
            .ward
            .context()
            .db
            .read_and_wait(wardbook::budget::verify::verify)
            .unwrap();
        assert!(ledger.holds(), "{act:?}: {ledger}");
    }

    /// Plays one lot through; `others` is what the other lots have reserved and committed. What this one has at its end.
    fn plays(&self, dice: &mut Dice, others: (i64, i64), met: &mut BTreeSet<String>) -> (i64, i64) {
        let mut model = Model {
            award: None,
            out: BTreeSet::new(),
            has_ended: false,
        };
        let mut own = (CEILING, 0);
        let mut before = self.traces();
        for _ in 0..STEPS {
            let act = model.chosen(dice);
            let reply = self.does(&model, act);
            let expected = model.steps(act);
            publication_checks::publish(self.ward);
            met.insert(format!(
                "{act:?} {}",
                expected.map_or_else(str::to_owned, |done| done.to_string())
            ));
            let Some(reply) = reply else { continue };
            let after = self.traces();
            match expected {
                Ok(done) => {
                    assert!((200..300).contains(&reply.status), "{act:?}: {}", reply.text);
                    assert_eq!(after != before, done, "{act:?}");
                    if done {
                        self.learn(&mut model, act, &reply);
                    }
                }
                Err(code) => {
                    assert_eq!(reply.code(), code, "{act:?}: {}", reply.text);
                    assert_eq!(after, before, "{act:?} was refused");
                }
            }
            let signed = model.award.as_ref().filter(|one| one.state == "signed");
            own = match signed {
                Some(known) => (0, PRICES[known.winner]),
                None if model.has_ended => (0, 0),
                None => (CEILING, 0),
            };
            self.compare(&model, act, (others.0 + own.0, others.1 + own.1));
            before = self.traces();
        }
        own
    }
}

on_both! { in "test";
    fn sequences_of_acts_on_awards_go_as_the_model_says_and_refusals_leave_no_trace(ward) {
        let case = Case::new(&ward, LOTS, &BRISK);
        for lot in 0..LOTS {
            case.judged(&ward, lot, 1, &ORDER);
        }
        let lots = i64::try_from(LOTS).unwrap();
        let (mut dice, mut met, mut played) = (Dice(2_826), BTreeSet::new(), (0, 0));
        for lot in 0..LOTS {
            let left = lots - 1 - i64::try_from(lot).unwrap();
            let others = (played.0 + left * CEILING, played.1);
            let stage = Stage { ward: &ward, case: &case, lot };
            let own = stage.plays(&mut dice, others, &mut met);
            played = (played.0 + own.0, played.1 + own.1);
        }
        // Whatever has happened, what is published of it holds.
        publication_checks::holds(&ward);
        // A test of random sequences that meets nothing tests nothing.
        for wanted in WANTED {
            assert!(met.contains(wanted), "{wanted} was never met: {met:#?}");
        }
    }
}

const WANTED: [&str; 12] = [
    "Confirm true",
    "Confirm award_blocked",
    "Prepare true",
    "Prepare false",
    "SignForBuyer true",
    "SignForBuyer contract_signed_already",
    "Cancel true",
    "Disqualify true",
    "Withdraw true",
    "Withdraw not_found",
    "Challenge true",
    "Propose award_open_already",
];
