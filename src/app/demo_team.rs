//! The demo's second contract: the toilets and greens of Guiyuan, kept by a team of its residents, inspected and accepted each month, and ended by agreement
//! after three of them. All invented; done by the acts.

use chrono::NaiveDate;

use crate::app::demo;
use crate::app::demo_scenes::{Deed, Scene, When};
use crate::app::demo_service::{Ward, at, contract_of, minutes_before};
use crate::app::demo_stage::cast;
use crate::contracts::desk_acceptances::prefilled;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptance_findings::{Entered, EnteredFinding, ServedPerson};
use crate::contracts::rules_acceptances::Conclusion;
use crate::contracts::rules_inspections::{Measurement, NewInspection, NewItem};
use crate::contracts::rules_terminations::{self, Ground, TerminationId};
use crate::contracts::{
    acts_acceptances, acts_inspections, acts_terminations, store_acceptances, store_terminations,
};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;
use crate::web::conditional::Expected;

/// Something about the toilets.
pub enum TeamStep {
    /// The officer inspects: when, and how often a toilet was cleaned on that day, and which part of the lawn is covered.
    Inspect(When, [&'static str; 2]),
    /// The officer drafts the certificate of a month.
    Draft(i64),
    /// The approver signs it.
    Sign(i64),
    /// The officer proposes to end the contract.
    Propose,
    /// The team agrees.
    Agree,
    /// The approver ends it.
    End,
}

const fn scene(at: When, step: TeamStep) -> Scene {
    Scene {
        at,
        deed: Deed::Team(step),
    }
}

const fn inspect(at: When, values: [&'static str; 2]) -> Scene {
    scene(at, TeamStep::Inspect(at, values))
}

/// What happens, in its order.
pub static SCENES_OF_TOILETS: &[Scene] = &[
    inspect((4, 10, 6, 45), ["7", "96.0"]),
    inspect((4, 24, 6, 45), ["8", "96.5"]),
    scene((5, 7, 2, 20), TeamStep::Draft(1)),
    scene((5, 7, 6, 20), TeamStep::Sign(1)),
    inspect((5, 13, 7, 45), ["7", "97.0"]),
    inspect((5, 27, 6, 45), ["7", "97.5"]),
    scene((6, 4, 6, 20), TeamStep::Draft(2)),
    scene((6, 5, 2, 20), TeamStep::Sign(2)),
    scene((6, 10, 7, 20), TeamStep::Propose),
    inspect((6, 11, 6, 45), ["7", "97.5"]),
    scene((6, 12, 7, 20), TeamStep::Agree),
    scene((6, 16, 7, 20), TeamStep::End),
    scene((7, 2, 6, 40), TeamStep::Draft(3)),
    scene((7, 3, 1, 20), TeamStep::Sign(3)),
];

const OFFICER: &str = "guiyuan.officer";
const APPROVER: &str = "guiyuan.approver";
const AGENT: &str = "green.agent";
/// What is inspected.
const LOOKED_AT: [&str; 2] = ["toilets_cleaned", "lawn_cover"];
/// What the team is paid for its last month, in yuan.
const SETTLED_YUAN: i64 = 8_000;

fn missing(what: &str) -> Fault {
    Fault::broken(format!("the demo has no such {what}"))
}

fn line((zh, en): (&str, &str)) -> Line {
    Line {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

/// Does it.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn act(tx: &mut Tx<'_>, ward: &Ward, step: &TeamStep) -> Answer<()> {
    let contract = contract_of(tx.conn(), demo::TOILETS)?.id;
    let calendar = ward.calendar();
    match step {
        TeamStep::Inspect(when, values) => {
            let officer = cast(tx, OFFICER)?;
            let new = inspection(*when, values)?;
            acts_inspections::record(tx, &officer, &contract, (&new, None), calendar).map(drop)
        }
        TeamStep::Draft(period) => {
            let entered = certificate(tx, ward, (&contract, *period))?;
            let officer = cast(tx, OFFICER)?;
            acts_acceptances::draft(tx, &officer, (&contract, *period), entered, calendar).map(drop)
        }
        TeamStep::Sign(period) => {
            let approver = cast(tx, APPROVER)?;
            let last = store_acceptances::last(tx.conn(), &contract, *period)?;
            let last = last.ok_or_else(|| missing("acceptance"))?;
            let draft = store_acceptances::draft(tx.conn(), &last.id, last.drafts)?;
            let sha256 = hex::encode(draft.ok_or_else(|| missing("certificate"))?.sha256);
            acts_acceptances::sign(tx, &approver, (&last.id, Expected::Any), &sha256, calendar).map(drop)
        }
        TeamStep::Propose => {
            let officer = cast(tx, OFFICER)?;
            acts_terminations::propose(tx, &officer, &contract, agreement()?, calendar).map(drop)
        }
        TeamStep::Agree => {
            let agent = cast(tx, AGENT)?;
            let id = proposal(tx.conn(), &contract)?;
            let words = "同意提前结束，六月照常保洁，七月一日移交钥匙和工具。";
            acts_terminations::state(tx, &agent, (&id, Expected::Any), words).map(drop)
        }
        TeamStep::End => {
            let approver = cast(tx, APPROVER)?;
            let id = proposal(tx.conn(), &contract)?;
            let words = ("双方协商一致，同意解除。", "Both agree; the contract ends.");
            acts_terminations::decide(tx, &approver, (&id, Expected::Any), (true, words), calendar).map(drop)
        }
    }
}

fn inspection(when: When, values: &[&str; 2]) -> Answer<NewInspection> {
    let items = LOOKED_AT.iter().zip(values).map(|(indicator, value)| NewItem {
        indicator: (*indicator).to_owned(),
        measured: Measurement {
            value: (*value).to_owned(),
            unit: None,
            sample_area_m2: None,
        },
        note: None,
        photos: Vec::new(),
    });
    Ok(NewInspection {
        source: "inspection".to_owned(),
        place: Some(1),
        location: Some("桂园路 36 号公厕".to_owned()),
        grade: Some("class_2".to_owned()),
        started_at: minutes_before(at(when), 30)?,
        photos_are_public: false,
        items: items.collect(),
        note: None,
    })
}

/// A certificate that finds what inspections say.
fn certificate(tx: &mut Tx<'_>, ward: &Ward, (contract, period): (&ContractId, i64)) -> Answer<Entered> {
    let now = tx.now();
    let found = prefilled(tx.conn(), contract, period, (ward.calendar(), now))?;
    let findings = found.bases.into_iter().map(|basis| EnteredFinding {
        indicator: basis.indicator,
        finding: basis.suggested,
        words: None,
    });
    Ok(Entered {
        findings: findings.collect(),
        served: vec![ServedPerson {
            name: "赵伟".to_owned(),
            took_part: true,
            words: Some("公厕干净，没有异味。".to_owned()),
        }],
        summary: (None, None),
        conclusion: Conclusion::Accepted,
        undisputed: None,
        reason: (None, None),
    })
}

fn agreement() -> Answer<rules_terminations::Entered> {
    let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).ok_or_else(|| missing("day"));
    let settlement = Money::from_yuan(SETTLED_YUAN);
    Ok(rules_terminations::Entered {
        ground: Ground::Agreement,
        reason: line((
            "七月起公厕由区城市管理局统一管护，双方协商一致提前结束。",
            "From July on the district keeps all toilets itself; both parties agree to end earlier.",
        )),
        effective_on: day(6, 30)?,
        settlement: settlement.map_err(|error| Fault::caused("an amount of the demo", error))?,
        basis: line((
            "六月服务费一个月，按合同价十二分之一。",
            "June, a twelfth of the contract's price.",
        )),
        statement_until: day(6, 17)?,
    })
}

fn proposal(conn: &mut Conn, contract: &ContractId) -> Answer<TerminationId> {
    let last = store_terminations::of_contract(conn, contract)?.pop();
    Ok(last.ok_or_else(|| missing("proposal"))?.id)
}
