//! Lets the demo's street office plan: two intention notices that are public, and the record of whom it asked about one of them. All by
//! the acts; whoever publishes and reviews is another person than who writes.

use chrono_tz::Tz;

use crate::app::demo_stage::cast;
use crate::books::acts_consultations::{self, DraftConsultation};
use crate::books::acts_intentions::{self, DraftIntention};
use crate::books::rules_consultations::{self, Consulted, ConsultedKind, Outsider};
use crate::books::rules_intentions::Entered;
use crate::books::store_intentions::{IntentionFilter, intentions};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::store::areas_of_codes;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;

/// The street's code in the area tree.
const STREET: &str = "990101001";

/// An intention notice of the demo.
struct Notice {
    category: &'static str,
    title: (&'static str, &'static str),
    overview: (&'static str, &'static str),
    yuan: i64,
    month: &'static str,
}

const NOTICES: [Notice; 2] = [
    Notice {
        category: "sanitation",
        title: ("梧桐街道道路环卫保洁", "Street sanitation of Wutong Street"),
        overview: (
            "主次干道和背街小巷的日常保洁、洒水与垃圾收运，为期 12 个月。",
            "Daily cleaning of main roads and back lanes, sprinkling and collection of waste, for twelve months.",
        ),
        yuan: 2_350_200,
        month: "2026-04",
    },
    Notice {
        category: "greening",
        title: (
            "梧桐街道公共绿地养护",
            "Upkeep of the public greens of Wutong Street",
        ),
        overview: (
            "街头绿地和行道树的浇灌、修剪与病虫害防治，为期 12 个月。",
            "Watering, pruning and pest control of street greens and trees, for twelve months.",
        ),
        yuan: 580_400,
        month: "2026-05",
    },
];

/// Makes the notices and the record, unless there are some.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn plan(tx: &mut Tx<'_>, zone: Tz) -> Answer<()> {
    if !intentions(tx.conn(), &IntentionFilter::default(), 1)?.is_empty() {
        tx.nothing_to_change();
        return Ok(());
    }
    let (officer, approver) = (cast(tx, "officer")?, cast(tx, "approver")?);
    let own = officer
        .grants()
        .iter()
        .find_map(|grant| grant.organisation.clone());
    let street = own.ok_or_else(|| Fault::broken("somebody of the demo is in no organisation"))?;
    let area = areas_of_codes(tx.conn(), &[STREET])?.pop();
    let area = area
        .ok_or_else(|| Fault::broken("an area of the demo is missing"))?
        .id;
    for notice in &NOTICES {
        let command = DraftIntention {
            organisation_id: street.clone(),
            entered: entered(notice, &area)?,
        };
        let drafted = acts_intentions::draft(tx, &officer, &command)?;
        acts_intentions::publish(tx, &approver, &drafted.id, Expected::Any, zone)?;
    }
    consult(tx, &officer, street)
}

fn entered(notice: &Notice, area: &AreaId) -> Answer<Entered> {
    let two = |(zh, en): (&str, &str)| (zh.to_owned(), en.to_owned());
    Ok(Entered {
        category: notice.category.to_owned(),
        area_ids: vec![area.clone()],
        title: two(notice.title),
        overview: two(notice.overview),
        budget: Money::from_yuan(notice.yuan)
            .map_err(|error| Fault::caused("an amount of the demo", error))?,
        expected_month: notice.month.to_owned(),
        contact: "王磊 0990-5550101".to_owned(),
        reason: None,
    })
}

/// Records whom the office asked about the first of the two. It is reviewed, and not concluded: its minutes are not uploaded yet.
fn consult(tx: &mut Tx<'_>, officer: &Actor, street: OrganisationId) -> Answer<()> {
    let said = |kind, who: (&str, &str), opinion: (&str, &str)| Consulted {
        kind,
        who_zh: who.0.to_owned(),
        who_en: who.1.to_owned(),
        opinion_zh: opinion.0.to_owned(),
        opinion_en: opinion.1.to_owned(),
    };
    let entered = rules_consultations::Entered {
        category: "sanitation".to_owned(),
        title: (
            "道路环卫保洁需求论证".to_owned(),
            "Consultation on street sanitation".to_owned(),
        ),
        need: (
            "主次干道每日两扫、全天巡回保洁，背街小巷每日一扫。".to_owned(),
            "Main roads are swept twice a day and kept clean all day; back lanes are swept once.".to_owned(),
        ),
        consulted: vec![
            said(
                ConsultedKind::Users,
                (
                    "五个社区的居民代表",
                    "Representatives of the residents of all five communities",
                ),
                (
                    "希望菜市场周边增加晚间保洁。",
                    "They ask for cleaning in the evening round the market.",
                ),
            ),
            said(
                ConsultedKind::MarketSurvey,
                ("三家环卫企业", "Three cleaning companies"),
                (
                    "现有作业标准和预算可行。",
                    "The standard and the budget are feasible.",
                ),
            ),
        ],
        outsiders: vec![Outsider {
            name: "方圆".to_owned(),
            role_zh: "环卫专家".to_owned(),
            role_en: "expert in street cleaning".to_owned(),
            opinion_zh: "需求合理，指标可考核。".to_owned(),
            opinion_en: "The need is reasonable and can be measured.".to_owned(),
        }],
    };
    let command = DraftConsultation {
        organisation_id: street,
        entered,
    };
    let record = acts_consultations::draft(tx, officer, &command)?;
    let reviewer = cast(tx, "officer2")?;
    let opinion = (
        "同意，建议写明晚间保洁的路段。",
        "Agreed; the roads that are cleaned in the evening should be named.",
    );
    acts_consultations::review(tx, &reviewer, &record.id, opinion)?;
    Ok(())
}
