//! Random sequences of acts on a defect against a small model: what the model says is what is answered, and what is refused leaves the database as it was.

use chrono::Duration;
use serde_json::{Value, json};

use crate::defects::{Stage, taken};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::outbox::lines;

/// Acts that are tried.
const STEPS: usize = 90;

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
    Report,
    Dispatch,
    Acknowledge,
    Fix,
    ConfirmByLink,
    ConfirmByOfficer,
    ReopenByLink,
    ReopenByOfficer,
    Reject,
    Withdraw,
    Days,
}

use Act::{
    Acknowledge, ConfirmByLink, ConfirmByOfficer, Days, Dispatch, Fix, Reject, ReopenByLink, ReopenByOfficer,
    Report, Withdraw,
};

const ALL: [Act; 11] = [
    Report,
    Dispatch,
    Acknowledge,
    Fix,
    ConfirmByLink,
    ConfirmByOfficer,
    ReopenByLink,
    ReopenByOfficer,
    Reject,
    Withdraw,
    Days,
];

/// The last defect of the category as the model knows it.
#[derive(Clone)]
struct Model {
    id: String,
    link: String,
    state: &'static str,
    count: i64,
    round: i64,
    days_since_fix: i64,
}

type Outcome = Result<(), &'static str>;

impl Model {
    fn is_open(&self) -> bool {
        !matches!(self.state, "confirmed" | "rejected" | "withdrawn")
    }

    /// What a step does to the model, and what is answered.
    fn steps(&mut self, act: Act) -> Outcome {
        let wrong = Err("defect_wrong_state");
        let is_hidden = matches!(self.state, "reported" | "withdrawn");
        let is_called = matches!(self.state, "dispatched" | "acknowledged" | "reopened");
        match act {
            Report => unreachable!("it is done apart"),
            Days => {
                self.days_since_fix += 2;
                // The day of the fix and seven more.
                if self.state == "fixed" && self.days_since_fix >= 8 {
                    self.state = "confirmed";
                }
            }
            Dispatch if self.state == "reported" => (self.state, self.round) = ("dispatched", 1),
            Acknowledge | Fix if is_hidden => return Err("not_found"),
            Acknowledge if matches!(self.state, "dispatched" | "reopened") => self.state = "acknowledged",
            Fix if is_called => (self.state, self.days_since_fix) = ("fixed", 0),
            ConfirmByLink | ConfirmByOfficer if self.state == "fixed" => {
                if act == ConfirmByLink && self.days_since_fix >= 4 {
                    return Err("defect_reporter_late");
                }
                self.state = "confirmed";
            }
            ReopenByLink | ReopenByOfficer if self.state == "fixed" => {
                let by_link = act == ReopenByLink;
                if self.round >= if by_link { 5 } else { 20 } {
                    return Err("defect_reopened_too_often");
                }
                if by_link && self.days_since_fix >= 4 {
                    return Err("defect_reporter_late");
                }
                (self.state, self.round) = ("reopened", self.round + 1);
            }
            Reject if is_called || self.state == "reported" => self.state = "rejected",
            Withdraw if matches!(self.state, "reported" | "dispatched") => {
                if self.count > 1 {
                    return Err("defect_shared");
                }
                self.state = "withdrawn";
            }
            Dispatch | Acknowledge | Fix | ConfirmByLink | ConfirmByOfficer | ReopenByLink
            | ReopenByOfficer | Reject | Withdraw => return wrong,
        }
        Ok(())
    }

    /// What leads on, mostly; otherwise anything.
    fn chosen(&self, dice: &mut Dice) -> Act {
        let onward = match self.state {
            "reported" => Dispatch,
            "dispatched" | "reopened" if dice.roll(2) == 0 => Acknowledge,
            "dispatched" | "reopened" | "acknowledged" => Fix,
            "fixed" => [
                ReopenByLink,
                ReopenByOfficer,
                ReopenByOfficer,
                ConfirmByLink,
                Days,
            ][dice.roll(5)],
            _ => Report,
        };
        if dice.roll(10) < 6 {
            onward
        } else {
            ALL[dice.roll(ALL.len())]
        }
    }
}

fn does(ward: &Ward, stage: &Stage, model: &Model, act: Act) -> Option<Reply> {
    let (officer, agent) = (stage.officer(), stage.agent());
    let by_link = |what: &str, body: Value| {
        let path = format!("/api/v1/defects/{}/{what}", model.id);
        ward.ask("POST", &path).header("if-match", "*").json(&body).send()
    };
    let by_officer =
        |what: &str, body: Option<Value>| stage.does(ward, officer, &model.id, what, body.as_ref());
    Some(match act {
        Report => return None,
        Days => {
            let clock = &ward.context().clock;
            clock.advance(clock.now() + Duration::days(2));
            return None;
        }
        Dispatch => by_officer("dispatch", None),
        Acknowledge => stage.does(ward, agent, &model.id, "acknowledgement", None),
        Fix => stage.fixes(ward, &model.id),
        ConfirmByLink => by_link("confirmation", json!({"follow_up": model.link})),
        ConfirmByOfficer => by_officer("confirmation", Some(json!({}))),
        ReopenByLink => by_link("reopening", json!({"follow_up": model.link, "reason": "未解决"})),
        ReopenByOfficer => by_officer("reopening", Some(json!({"reason": "未解决"}))),
        Reject => by_officer("rejection", Some(json!({"reason": "不成立"}))),
        Withdraw => by_link("withdrawal", json!({"follow_up": model.link})),
    })
}

/// Everything that an act on a defect could have changed.
fn traces(ward: &Ward) -> Vec<String> {
    let queries = [
        "SELECT id || state || revision || '/' || reports_count || '/' || round AS line FROM defects ORDER BY id",
        "SELECT defect_id || number || COALESCE(CAST(fixed_at AS TEXT), '') || COALESCE(reopened_by, '') AS line FROM defect_rounds ORDER BY defect_id, number",
        "SELECT id || visibility AS line FROM defect_reports ORDER BY id",
        "SELECT 'defect events ' || COUNT(*) AS line FROM audit_events WHERE kind LIKE 'defect%'",
        "SELECT 'mail ' || COUNT(*) AS line FROM outbox",
    ];
    queries.iter().flat_map(|query| lines(ward, query)).collect()
}

on_both! { in "test";
    fn what_happens_to_a_defect_is_what_the_model_says(ward) {
        let mut ward = ward;
        ward.restart(|settings| settings.defect_reports_per_network = 0);
        let stage = Stage::served(&ward);
        let mut dice = Dice(0x0DEF_EC75);
        let mut model: Option<Model> = None;
        let (mut done, mut refused, mut over) = (0, 0, 0);
        for step in 0..STEPS {
            let act = model.as_ref().map_or(Report, |model| model.chosen(&mut dice));
            let told = |reply: &Reply| format!("step {step}, {act:?}: {} {}", reply.status, reply.text);
            if act == Report {
                let reply = stage.reports(&ward, None, "bench", &[], &[]);
                match model.as_mut().filter(|model| model.is_open()) {
                    Some(open) => {
                        open.count += 1;
                        let joined = taken(&reply, "joined");
                        assert_eq!((&joined["defect_id"], &joined["reports_count"], &joined["state"]), (&json!(open.id), &json!(open.count), &json!(open.state)), "{}", told(&reply));
                    }
                    None => {
                        let new = taken(&reply, "opened");
                        let word = |member: &str| new[member].as_str().unwrap().to_owned();
                        over += usize::from(model.is_some());
                        model = Some(Model { id: word("defect_id"), link: word("follow_up"), state: "reported", count: 1, round: 0, days_since_fix: 0 });
                    }
                }
                continue;
            }
            let known = model.as_mut().unwrap();
            let before = traces(&ward);
            let expected = known.clone().steps(act);
            let reply = does(&ward, &stage, known, act);
            known.steps(act).ok();
            let Some(reply) = reply else { continue };
            match expected {
                Ok(()) => {
                    assert_eq!((reply.status, &reply.json()["state"]), (200, &json!(known.state)), "{}", told(&reply));
                    assert_eq!(reply.json()["rounds"].as_array().unwrap().len(), usize::try_from(known.round).unwrap(), "{}", told(&reply));
                    done += 1;
                }
                Err(code) => {
                    assert!(reply.status >= 400 && reply.code() == code, "{code} at {}", told(&reply));
                    assert_eq!(traces(&ward), before, "{}", told(&reply));
                    refused += 1;
                }
            }
        }
        assert!(done > 20 && refused > 10 && over > 3, "{done} done, {refused} refused, {over} over");
    }
}
