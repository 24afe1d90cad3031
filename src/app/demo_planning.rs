//! Lets the demo's street office and a community plan their five books: an intention notice for each, public for the thirty days that the
//! law wants, and the record of whom they asked about the need, concluded with its minutes. All by the acts; whoever publishes, reviews
//! and concludes is another person than who writes.

use chrono_tz::Tz;

use crate::app::demo_plans::{PLANS, Pair, Plan};
use crate::app::demo_stage::{cast, organisation_of};
use crate::books::acts_consultations::{self, DraftConsultation, EnteredConclusion};
use crate::books::acts_intentions::{self, DraftIntention};
use crate::books::rules_consultations::{self, Consultation, Consulted, ConsultedKind, Outsider, State};
use crate::books::rules_intentions::{Entered, Intention};
use crate::books::store_consultations::{ConsultationFilter, consultations};
use crate::books::store_intentions::{IntentionFilter, intentions};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files;
use crate::files::acts::Upload;
use crate::files::rules::Limits;
use crate::kernel::calendar::local_date;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::store::areas_of_codes;
use crate::web::conditional::Expected;

/// Notices and records that are looked through for one of the demo's.
const LOOKED_AT_MAX: i64 = 100;

/// Publishes the notices, unless there are some.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn announce(tx: &mut Tx<'_>, zone: Tz) -> Answer<()> {
    if !intentions(tx.conn(), &IntentionFilter::default(), 1)?.is_empty() {
        tx.nothing_to_change();
        return Ok(());
    }
    for plan in &PLANS {
        let (officer, approver) = (cast(tx, plan.office.officer)?, cast(tx, plan.office.approver)?);
        let area = areas_of_codes(tx.conn(), &[plan.area])?.pop();
        let area = area.ok_or_else(|| Fault::broken("an area of the demo is missing"))?;
        let budget =
            Money::from_yuan(plan.yuan).map_err(|error| Fault::caused("an amount of the demo", error))?;
        let command = DraftIntention {
            organisation_id: organisation_of(&officer)?,
            entered: Entered {
                category: plan.category.to_owned(),
                area_ids: vec![area.id],
                title: both(plan.title),
                overview: both(plan.overview),
                budget,
                expected_month: plan.month.to_owned(),
                contact: plan.office.contact.to_owned(),
                reason: None,
            },
        };
        let drafted = acts_intentions::draft(tx, &officer, &command)?;
        acts_intentions::publish(tx, &approver, &drafted.id, Expected::Any, zone)?;
    }
    Ok(())
}

fn both((zh, en): Pair) -> (String, String) {
    (zh.to_owned(), en.to_owned())
}

/// Records whom they asked about each need, and lets it be reviewed, unless there are records.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn consult(tx: &mut Tx<'_>) -> Answer<()> {
    if !consultations(tx.conn(), &ConsultationFilter::default(), 1)?.is_empty() {
        tx.nothing_to_change();
        return Ok(());
    }
    for plan in &PLANS {
        let officer = cast(tx, plan.office.officer)?;
        let command = DraftConsultation {
            organisation_id: organisation_of(&officer)?,
            entered: asked(plan),
        };
        let record = acts_consultations::draft(tx, &officer, &command)?;
        if let Some(reviewer) = plan.office.reviewer {
            let reviewer = cast(tx, reviewer)?;
            let opinion = ("同意，指标可以考核。", "Agreed; the indicators can be measured.");
            acts_consultations::review(tx, &reviewer, &record.id, opinion)?;
        }
    }
    Ok(())
}

fn asked(plan: &Plan) -> rules_consultations::Entered {
    let said = |kind, who: Pair, opinion: Pair| Consulted {
        kind,
        who_zh: who.0.to_owned(),
        who_en: who.1.to_owned(),
        opinion_zh: opinion.0.to_owned(),
        opinion_en: opinion.1.to_owned(),
    };
    rules_consultations::Entered {
        category: plan.category.to_owned(),
        title: both(plan.title),
        need: both(plan.need),
        consulted: vec![
            said(
                ConsultedKind::Users,
                (
                    "所服务社区的居民代表",
                    "Representatives of the residents who are served",
                ),
                plan.wish,
            ),
            said(
                ConsultedKind::MarketSurvey,
                ("三家同类服务单位", "Three suppliers of such services"),
                (
                    "现有标准和预算可行。",
                    "The standard and the budget are feasible.",
                ),
            ),
        ],
        outsiders: vec![Outsider {
            name: "方圆".to_owned(),
            role_zh: "公共服务专家".to_owned(),
            role_en: "expert in public services".to_owned(),
            opinion_zh: "需求合理，指标可考核。".to_owned(),
            opinion_en: "The need is reasonable and can be measured.".to_owned(),
        }],
    }
}

/// The plans whose records wait for their conclusion.
///
/// # Errors
/// A fault of the database.
pub fn unconcluded(conn: &mut Conn) -> Answer<Vec<&'static Plan>> {
    let mut plans = Vec::new();
    for plan in &PLANS {
        if record_of(conn, plan)?.is_some_and(|record| record.state() != State::Concluded) {
            plans.push(plan);
        }
    }
    Ok(plans)
}

/// Hangs its minutes on the record of a plan, and concludes it.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn conclude(tx: &mut Tx<'_>, plan: &Plan, minutes: &Upload, (limits, zone): (&Limits, Tz)) -> Answer<()> {
    let record = record_of(tx.conn(), plan)?;
    let record = record.ok_or_else(|| Fault::broken("a consultation of the demo is missing"))?;
    let (officer, approver) = (cast(tx, plan.office.officer)?, cast(tx, plan.office.approver)?);
    let uploaded = files::acts::upload(tx, &officer, minutes, limits)?;
    acts_consultations::add_minutes(tx, &officer, &record.id, &[uploaded.attachment.id])?;
    let conclusion = EnteredConclusion {
        said: both(plan.conclusion),
        on: local_date(tx.now(), zone).to_string(),
    };
    acts_consultations::conclude(tx, &approver, &record.id, Expected::Any, (&conclusion, zone))?;
    Ok(())
}

/// The notice of a plan.
///
/// # Errors
/// A fault of the database.
pub fn notice_of(conn: &mut Conn, plan: &Plan) -> Answer<Option<Intention>> {
    let found = intentions(conn, &IntentionFilter::default(), LOOKED_AT_MAX)?;
    Ok(found.into_iter().find(|notice| {
        let shown = notice.shown();
        shown.is_some_and(|version| version.content.title.zh() == plan.title.0)
    }))
}

/// The record of a plan.
///
/// # Errors
/// A fault of the database.
pub fn record_of(conn: &mut Conn, plan: &Plan) -> Answer<Option<Consultation>> {
    let found = consultations(conn, &ConsultationFilter::default(), LOOKED_AT_MAX)?;
    Ok(found
        .into_iter()
        .find(|record| record.content.title.zh() == plan.title.0))
}
