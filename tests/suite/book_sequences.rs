//! Random sequences of acts on contract books against a small model: what the model says is what is answered, what is refused leaves the
//! database as it was, and the ledger balances after every step.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::addenda::addendum;
use crate::books::Office;
use crate::cast::{Person, person};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::outbox::lines;
use crate::publication_checks;
use crate::treasury::yuan;

/// Sequences, each with a book of its own.
const SEQUENCES: u64 = 4;
/// Acts of each before the deadline for bids, and after it.
const STEPS: (usize, usize) = (24, 4);

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(sides).unwrap()).unwrap()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Rewrite,
    Submit,
    SendBack,
    Approve,
    Publish,
    Cancel,
    DraftAddendum,
    RewriteAddendum,
    DiscardAddendum,
    PublishAddendum,
    Withdraw,
    Allocate,
}

use Act::{
    Allocate, Approve, Cancel, DiscardAddendum, DraftAddendum, Publish, PublishAddendum, Rewrite,
    RewriteAddendum, SendBack, Submit, Withdraw,
};

impl Act {
    const ALL: [Self; 12] = [
        Rewrite,
        Submit,
        SendBack,
        Approve,
        Publish,
        Cancel,
        DraftAddendum,
        RewriteAddendum,
        DiscardAddendum,
        PublishAddendum,
        Withdraw,
        Allocate,
    ];

    const fn is_drafters(self) -> bool {
        matches!(self, Rewrite | Submit | DraftAddendum | RewriteAddendum)
    }
}

/// An addendum as the model knows it.
#[derive(Clone)]
struct Known {
    id: String,
    state: &'static str,
    ceiling: i64,
    changes: bool,
}

/// A book as the model knows it.
struct Model {
    id: String,
    state: &'static str,
    revision: i64,
    versions: i64,
    ceiling: i64,
    is_closed: bool,
    addendum: Option<Known>,
    drafted: BTreeSet<usize>,
    approved: BTreeSet<usize>,
    free: i64,
    reserved: i64,
}

/// A step: what is done, by whom, with which ceiling, of a revision that there is not.
#[derive(Clone, Copy, Debug)]
struct Step {
    act: Act,
    by: usize,
    amount: i64,
    stale: bool,
}

/// What the model expects of a step: done, nothing to do, or refused with a code.
type Outcome = Result<bool, &'static str>;

impl Model {
    /// What a step does to the model, and what is answered: refusals in the documented order of each act.
    fn steps(&mut self, step: Step) -> Outcome {
        let Step {
            act,
            by,
            amount,
            stale,
        } = step;
        let may_draft = by != 1;
        let may_approve = by != 0;
        let allowed = match act {
            DiscardAddendum | Withdraw | Allocate => true,
            act if act.is_drafters() => may_draft,
            _ => may_approve,
        };
        if !allowed {
            return Err("forbidden");
        }
        let fresh = if stale { Err("version_stale") } else { Ok(()) };
        match act {
            Rewrite => {
                fresh?;
                self.must_be(&["draft"])?;
                if self.ceiling == amount {
                    return Ok(false);
                }
                self.drafts(by)?;
                self.ceiling = amount;
            }
            Submit => {
                fresh?;
                self.must_be(&["draft"])?;
                self.drafts(by)?;
                self.state = "submitted";
            }
            SendBack => {
                fresh?;
                self.must_be(&["submitted", "approved"])?;
                self.state = "draft";
            }
            Approve => {
                fresh?;
                self.must_be(&["submitted"])?;
                self.approves(by)?;
                self.state = "approved";
            }
            Publish => {
                if self.state == "published" {
                    return Ok(false);
                }
                fresh?;
                self.must_be(&["approved"])?;
                if self.is_closed || self.ceiling > self.free {
                    return Err("book_not_ready");
                }
                self.approves(by)?;
                self.state = "published";
                self.versions = 1;
                self.reserve(self.ceiling);
            }
            Cancel => {
                fresh?;
                self.must_be(&["published"])?;
                self.state = "cancelled";
                self.reserve(0);
            }
            Withdraw | Allocate => {
                self.free += if act == Allocate { amount } else { -amount };
                return Ok(true);
            }
            _ => return self.amends(step, fresh),
        }
        self.revision += 1;
        Ok(true)
    }

    fn amends(&mut self, Step { act, by, amount, .. }: Step, fresh: Result<(), &'static str>) -> Outcome {
        if act == DraftAddendum {
            self.may_amend()?;
            if self.addendum.as_ref().is_some_and(|known| known.state == "draft") {
                return Err("addendum_already_open");
            }
            self.drafts(by)?;
            let changes = amount != self.ceiling;
            self.addendum = Some(Known {
                id: String::new(),
                state: "draft",
                ceiling: amount,
                changes,
            });
            return Ok(true);
        }
        let known = self.addendum.clone().unwrap();
        if act == PublishAddendum && known.state == "published" {
            return Ok(false);
        }
        fresh?;
        if known.state != "draft" {
            return Err("addendum_wrong_state");
        }
        let state = match act {
            RewriteAddendum if known.ceiling == amount => return Ok(false),
            RewriteAddendum => {
                self.drafts(by)?;
                let changes = amount != self.ceiling;
                self.addendum = Some(Known {
                    ceiling: amount,
                    changes,
                    ..known
                });
                return Ok(true);
            }
            DiscardAddendum => "discarded",
            _ => {
                self.may_amend()?;
                if !known.changes {
                    return Err("addendum_changes_nothing");
                }
                if known.ceiling > self.free + self.reserved {
                    return Err("addendum_not_ready");
                }
                self.approves(by)?;
                self.ceiling = known.ceiling;
                self.versions += 1;
                self.revision += 1;
                self.reserve(known.ceiling);
                "published"
            }
        };
        self.addendum = Some(Known { state, ..known });
        Ok(true)
    }

    fn may_amend(&self) -> Result<(), &'static str> {
        self.must_be(&["published"])?;
        if self.is_closed {
            Err("book_bids_closed")
        } else {
            Ok(())
        }
    }

    fn must_be(&self, states: &[&str]) -> Result<(), &'static str> {
        if states.contains(&self.state) {
            Ok(())
        } else {
            Err("book_wrong_state")
        }
    }

    fn drafts(&mut self, by: usize) -> Result<(), &'static str> {
        if self.approved.contains(&by) {
            return Err("separation_of_duties");
        }
        self.drafted.insert(by);
        Ok(())
    }

    fn approves(&mut self, by: usize) -> Result<(), &'static str> {
        if self.drafted.contains(&by) {
            return Err("separation_of_duties");
        }
        self.approved.insert(by);
        Ok(())
    }

    fn reserve(&mut self, amount: i64) {
        self.free += self.reserved - amount;
        self.reserved = amount;
    }

    /// A step that fits the state, three times out of four; any other else.
    fn chosen(&self, dice: &mut Dice) -> Step {
        let fitting: &[Act] = match (self.state, &self.addendum) {
            ("draft", _) => &[Rewrite, Submit, Submit],
            ("submitted", _) => &[Approve, Approve, SendBack],
            ("approved", _) => &[Publish, Publish, Publish, SendBack],
            ("published", Some(known)) if known.state == "draft" => {
                &[PublishAddendum, PublishAddendum, RewriteAddendum, DiscardAddendum]
            }
            ("published", _) => &[DraftAddendum, DraftAddendum, DraftAddendum, Publish, Cancel],
            _ => &Act::ALL,
        };
        let mut act = if dice.roll(4) > 0 {
            fitting[dice.roll(fitting.len())]
        } else {
            Act::ALL[dice.roll(Act::ALL.len())]
        };
        if self.addendum.is_none() && matches!(act, RewriteAddendum | DiscardAddendum | PublishAddendum) {
            act = DraftAddendum;
        }
        let whole = [100, 300, 600, 900, 1_200][dice.roll(5)];
        let moved = whole.min(self.free);
        if matches!(act, Withdraw) && moved == 0 {
            act = Allocate;
        }
        let amount = match act {
            Withdraw => moved,
            Allocate => 50,
            _ => whole,
        };
        // Whoever may do both is met now and then; so is somebody who may not.
        let by = match (act.is_drafters(), dice.roll(5)) {
            (_, 0) => 2,
            (_, 1) => dice.roll(3),
            (true, _) => 0,
            (false, _) => 1,
        };
        Step {
            act,
            by,
            amount,
            stale: dice.roll(12) == 0,
        }
    }
}

/// The stage on which sequences are played.
struct Stage<'w> {
    ward: &'w Ward,
    office: &'w Office,
    people: [Person; 3],
    body: Value,
    deadline: chrono::DateTime<chrono::Utc>,
}

impl Stage<'_> {
    /// What a book says with this ceiling, its dates counted from now.
    fn content(&self, ceiling: i64) -> Value {
        let day = |days: i64| self.deadline + chrono::Duration::days(days);
        let instant = |days: i64| json!(day(days).to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        let mut content = self.body["content"].clone();
        content["timetable"] = json!({"enquiry_deadline": instant(-20), "answer_deadline": instant(-15), "bid_deadline": instant(0),
            "opening": instant(0), "service_from": day(30).date_naive(), "service_until": day(200).date_naive()});
        content["lots"][0]["ceiling"] = yuan(&format!("{ceiling}.00"));
        content
    }

    fn does(&self, model: &Model, step: Step) -> Reply {
        let (book, who) = (&model.id, &self.people[step.by]);
        let addendum_id = model
            .addendum
            .as_ref()
            .map(|known| known.id.clone())
            .unwrap_or_default();
        let treasury = &self.office.treasury;
        let (method, path, body) = match step.act {
            Rewrite => (
                "PUT",
                format!("/contract-books/{book}"),
                self.content(step.amount),
            ),
            Submit => ("POST", format!("/contract-books/{book}/submission"), Value::Null),
            SendBack => (
                "POST",
                format!("/contract-books/{book}/return"),
                json!({"reason": "复核"}),
            ),
            Approve => ("POST", format!("/contract-books/{book}/approval"), Value::Null),
            Publish => ("POST", format!("/contract-books/{book}/publication"), Value::Null),
            Cancel => (
                "POST",
                format!("/contract-books/{book}/cancellation"),
                json!({"reason_zh": "暂停", "reason_en": "Paused"}),
            ),
            DraftAddendum => (
                "POST",
                format!("/contract-books/{book}/addenda"),
                self.addendum(step.amount),
            ),
            RewriteAddendum => (
                "PUT",
                format!("/addenda/{addendum_id}"),
                self.addendum(step.amount),
            ),
            DiscardAddendum => ("POST", format!("/addenda/{addendum_id}/discarding"), Value::Null),
            PublishAddendum => ("POST", format!("/addenda/{addendum_id}/publication"), Value::Null),
            Withdraw | Allocate => {
                let (kind, line) = if step.act == Withdraw {
                    ("withdrawal", "from_line_id")
                } else {
                    ("allocation", "to_line_id")
                };
                let mut body = json!({"kind": kind, "fiscal_year": 2026, "amount": yuan(&format!("{}.00", step.amount)), "reason": "调整"});
                body[line] = json!(self.office.line);
                let movement = crate::treasury::made(&treasury.proposes(self.ward, &body));
                return treasury.confirms(self.ward, &movement);
            }
        };
        let etag = if step.stale { "\"v99\"" } else { "*" };
        let ask = who
            .asks(self.ward, method, &format!("/api/v1{path}"))
            .header("if-match", etag);
        if body.is_null() {
            ask.send()
        } else {
            ask.json(&body).send()
        }
    }

    fn addendum(&self, ceiling: i64) -> Value {
        addendum(&json!({"content": self.content(ceiling)}), |_| {})
    }

    /// Everything that an act on a book could have changed.
    fn traces(&self) -> Vec<String> {
        let queries = [
            "SELECT id || state || revision || updated_at || COALESCE(versions, 0) AS line FROM books ORDER BY id",
            "SELECT book_id || number || affects_bids AS line FROM book_versions ORDER BY book_id, number",
            "SELECT id || state || revision || updated_at AS line FROM addenda ORDER BY id",
            "SELECT id AS line FROM lots ORDER BY id",
            "SELECT book_id || recipient AS line FROM opening_keys ORDER BY book_id",
            "SELECT id || balance_fen || '/' || entries AS line FROM ledger_accounts ORDER BY id",
            "SELECT id || remaining_fen AS line FROM ledger_holds ORDER BY id",
            "SELECT matter || duty || person AS line FROM duties ORDER BY matter, duty, person",
            "SELECT 'events ' || COUNT(*) AS line FROM audit_events",
            "SELECT 'mail ' || COUNT(*) AS line FROM outbox",
        ];
        queries.iter().flat_map(|query| lines(self.ward, query)).collect()
    }

    /// The book and its line as they are, beside the model.
    fn compare(&self, model: &Model, step: Step) {
        let book = crate::treasury::gets(
            self.ward,
            &self.people[0],
            &format!("/contract-books/{}", model.id),
        )
        .json();
        let shown = (
            book["state"].clone(),
            book["revision"].clone(),
            book["versions"].clone(),
            book["content"]["lots"][0]["ceiling"].clone(),
        );
        let versions = if model.versions == 0 {
            Value::Null
        } else {
            json!(model.versions)
        };
        let ceiling = yuan(&format!("{}.00", model.ceiling));
        assert_eq!(
            shown,
            (json!(model.state), json!(model.revision), versions, ceiling),
            "{step:?}"
        );
        let stands = self.office.treasury.balances(self.ward, &self.office.line);
        let money = |fen: i64| json!(format!("{fen}.00"));
        assert_eq!(
            (&stands["available"], &stands["reserved"]),
            (&money(model.free), &money(model.reserved)),
            "{step:?}"
        );
        let ledger = self
            .ward
            .context()
            .db
            .read_and_wait(wardbook::budget::verify::verify)
            .unwrap();
        assert!(ledger.holds(), "{step:?}: {ledger}");
    }

    /// Plays one sequence; what is free of the line at its end.
    fn plays(&mut self, dice: &mut Dice, free: i64, met: &mut BTreeSet<String>) -> i64 {
        self.deadline = self.ward.context().clock.now() + chrono::Duration::days(25);
        let body = json!({"organisation_id": self.office.treasury.department, "content": self.content(300)});
        let id = self.office.drafts(self.ward, &body);
        let mut model = Model {
            id,
            state: "draft",
            revision: 1,
            versions: 0,
            ceiling: 300,
            is_closed: false,
            addendum: None,
            drafted: BTreeSet::from([0]),
            approved: BTreeSet::new(),
            free,
            reserved: 0,
        };
        let mut before = self.traces();
        for number in 0..STEPS.0 + STEPS.1 {
            if number == STEPS.0 {
                self.ward.context().clock.advance(self.deadline);
                model.is_closed = true;
            }
            let step = model.chosen(dice);
            let reply = self.does(&model, step);
            let expected = model.steps(step);
            if number % 3 == 0 {
                publication_checks::publish(self.ward);
            }
            met.insert(format!(
                "{:?} {}",
                step.act,
                expected.map_or_else(str::to_owned, |done| done.to_string())
            ));
            let after = self.traces();
            match expected {
                Ok(done) => {
                    assert!((200..300).contains(&reply.status), "{step:?}: {}", reply.text);
                    assert_eq!(after != before, done, "{step:?}");
                    if step.act == DraftAddendum {
                        model.addendum.as_mut().unwrap().id = crate::treasury::made(&reply);
                    }
                }
                Err(code) => {
                    assert_eq!(reply.code(), code, "{step:?}: {}", reply.text);
                    assert_eq!(after, before, "{step:?} was refused");
                }
            }
            self.compare(&model, step);
            before = after;
        }
        if model.state == "published" {
            let step = Step {
                act: Cancel,
                by: 1,
                amount: 0,
                stale: false,
            };
            assert_eq!(
                (self.does(&model, step).status, model.steps(step)),
                (200, Ok(true))
            );
        }
        model.free
    }
}

on_both! { in "test";
    fn sequences_of_acts_go_as_the_model_says_and_refusals_leave_no_trace(ward) {
        let office = Office::new(&ward);
        let both = [Role::BuyerOfficer, Role::BuyerApprover].map(|role| Grant::of(role).in_organisation(office.treasury.department.clone()));
        let mut stage = Stage {
            ward: &ward,
            office: &office,
            people: [office.officer.clone(), office.approver.clone(), person(&ward, &both)],
            body: office.whole(&ward),
            deadline: ward.context().clock.now(),
        };
        let (mut dice, mut free, mut met) = (Dice(2_821), 1_000, BTreeSet::new());
        for _ in 0..SEQUENCES {
            free = stage.plays(&mut dice, free, &mut met);
        }
        // Whatever has happened, what is published of it holds.
        publication_checks::holds(&ward);
        // A test of random sequences that meets nothing tests nothing.
        for wanted in ["Publish true", "Publish false", "Publish book_not_ready", "Cancel true", "PublishAddendum true", "PublishAddendum addendum_not_ready", "PublishAddendum addendum_changes_nothing",
            "PublishAddendum separation_of_duties", "PublishAddendum book_bids_closed", "DiscardAddendum true", "DraftAddendum addendum_already_open", "Approve separation_of_duties",
            "RewriteAddendum addendum_wrong_state", "Rewrite book_wrong_state", "Rewrite version_stale", "Submit forbidden"] {
            assert!(met.contains(wanted), "{wanted} was never met: {met:#?}");
        }
    }
}
