//! Writes the demo's five contract books, by the street office's people and the acts that everybody uses: one drafts, another approves
//! and publishes. What went before them is given as known, because the demo begins with the books.

use chrono::{DateTime, Duration, NaiveTime};

use crate::app::demo_stage::cast;
use crate::books::acts::{self, Beginning};
use crate::books::acts_publication::{self, Place};
use crate::books::custody::Custody;
use crate::books::rules_documents::{
    BookDocument, LotDocument, Method, PlaceDocument, QuantityDocument, SmeDocument, TimetableDocument,
};
use crate::books::store::{self as books, DraftFilter, PublicFilter};
use crate::books::templates;
use crate::budget::store::{self as budget, LineFilter};
use crate::db::writer::Tx;
use crate::kernel::calendar::local_date;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::store as areas;
use crate::standards::{store as standards, store_versions};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;

/// A book of the demo.
struct Plan {
    line: &'static str,
    template: &'static str,
    standard: &'static str,
    title: (&'static str, &'static str),
    area: &'static str,
    yuan: i64,
    /// Name in both languages, amount, unit in both languages, grade.
    quantities: &'static [Quantity],
    /// Whether it is published, or still a draft.
    is_published: bool,
}

type Quantity = (
    &'static str,
    &'static str,
    &'static str,
    (&'static str, &'static str),
    Option<&'static str>,
);

const M2: (&str, &str) = ("平方米", "m²");

const PLANS: [Plan; 5] = [
    Plan {
        line: "SAN-01",
        template: "sanitation",
        standard: "street_sanitation",
        title: ("梧桐街道道路保洁", "Street sanitation of Wutong Street"),
        area: "990101001",
        yuan: 2_350_200,
        quantities: &[
            ("一级道路", "Class 1 roads", "58000", M2, Some("class_1")),
            ("二级道路", "Class 2 roads", "96000", M2, Some("class_2")),
            ("三级道路", "Class 3 roads", "82000", M2, Some("class_3")),
        ],
        is_published: true,
    },
    Plan {
        line: "GRN-01",
        template: "greening",
        standard: "greening_upkeep",
        title: ("梧桐街道绿化养护", "Greening upkeep of Wutong Street"),
        area: "990101001",
        yuan: 580_400,
        quantities: &[
            ("街头绿地", "Street gardens", "22000", M2, Some("grade_1")),
            ("行道绿带", "Green strips", "50000", M2, Some("grade_2")),
            ("社区绿地", "Community greens", "20000", M2, Some("grade_2")),
        ],
        is_published: true,
    },
    Plan {
        line: "SEC-01",
        template: "security",
        standard: "security_service",
        title: ("梧桐街道治安巡防", "Security patrol of Wutong Street"),
        area: "990101001",
        yuan: 705_600,
        quantities: &[(
            "二十四小时岗位",
            "Posts kept round the clock",
            "3",
            ("个", "posts"),
            None,
        )],
        is_published: true,
    },
    Plan {
        line: "PRO-01",
        template: "property",
        standard: "property_service",
        title: ("老旧小区准物业", "Upkeep of older estates"),
        area: "990101001002",
        yuan: 841_800,
        quantities: &[("服务建筑面积", "Floor area served", "61000", M2, Some("basic"))],
        is_published: true,
    },
    Plan {
        line: "SAN-02",
        template: "sanitation",
        standard: "street_sanitation",
        title: (
            "桂园社区公厕与绿地自管",
            "Toilets and greens of Guiyuan, kept by its residents",
        ),
        area: "990101001001",
        yuan: 96_000,
        quantities: &[
            ("公厕", "Toilets", "6", ("座", "toilets"), Some("class_2")),
            ("绿地", "Greens", "4800", M2, Some("class_2")),
        ],
        is_published: false,
    },
];

/// Writes the books, unless there are any. One that the rules of the day do not allow to be published stays approved.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn write(tx: &mut Tx<'_>, place: Place<'_>, custody: &Custody) -> Answer<()> {
    let drafts = books::drafts(tx.conn(), &DraftFilter::default(), 1)?;
    if !drafts.is_empty() || !books::public(tx.conn(), &PublicFilter::default(), 1)?.is_empty() {
        tx.nothing_to_change();
        return Ok(());
    }
    let (officer, approver) = (cast(tx, "officer")?, cast(tx, "approver")?);
    for plan in &PLANS {
        let document = document(tx, plan, place)?;
        let street = street_of(&officer)?;
        let beginning = Beginning::Content(Box::new(document));
        let book = acts::create(tx, &officer, &street, beginning)?;
        if !plan.is_published {
            continue;
        }
        acts::submit(tx, &officer, &book.id, Expected::Any)?;
        let approved = acts::approve(tx, &approver, &book.id, Expected::Any)?;
        let now = tx.now();
        let (items, _) = acts_publication::judged(tx.conn(), &approved, place, now)?;
        if items.is_empty() {
            let with = (place, custody);
            acts_publication::publish(tx, &approver, &book.id, Expected::Any, with)?;
        }
    }
    Ok(())
}

fn street_of(actor: &Actor) -> Answer<crate::kernel::party::OrganisationId> {
    let own = actor.grants().iter().find_map(|grant| grant.organisation.clone());
    Ok(own.ok_or_else(|| missing("an officer's organisation"))?)
}

fn missing(what: &str) -> Fault {
    Fault::broken(format!("the demo has no {what}"))
}

fn document(tx: &mut Tx<'_>, plan: &Plan, place: Place<'_>) -> Answer<BookDocument> {
    let template = templates::template(plan.template)?.ok_or_else(|| missing(plan.template))?;
    let area = areas::areas_of_codes(tx.conn(), &[plan.area])?;
    let line = budget::lines(tx.conn(), &LineFilter::default(), 100)?;
    let line = line.into_iter().find(|line| line.code == plan.line);
    let standard = standards::standard_of_code(tx.conn(), plan.standard)?;
    let standard = standard.ok_or_else(|| missing(plan.standard))?;
    let version = store_versions::newest(tx.conn(), &standard.id)?;
    let is_open = plan.yuan > 2_000_000;
    let ceiling = Money::from_yuan(plan.yuan).map_err(|error| Fault::caused("the demo", error))?;
    let lots = template.lots.iter().cloned().map(|lot| LotDocument {
        title_zh: plan.title.0.to_owned(),
        title_en: plan.title.1.to_owned(),
        quantities: plan.quantities.iter().map(quantity).collect(),
        places: vec![PlaceDocument {
            name_zh: "见作业范围图".to_owned(),
            name_en: "As on the map of the area".to_owned(),
        }],
        standard_version_id: version.as_ref().map(|version| version.id.clone()),
        budget_line_id: line.as_ref().map(|line| line.id.clone()),
        ceiling: Some(ceiling),
        sme: if is_open {
            deduction()
        } else {
            Some(SmeDocument::Reserved {})
        },
        ..lot
    });
    Ok(BookDocument {
        title_zh: plan.title.0.to_owned(),
        title_en: plan.title.1.to_owned(),
        areas: area.into_iter().map(|area| area.id).collect(),
        method: if plan.is_published {
            template.method
        } else {
            Some(Method::Appraisal)
        },
        timetable: timetable(tx.now(), place),
        bid_security_percent: if is_open { "2".parse().ok() } else { None },
        lots: lots.collect(),
        ..template
    })
}

fn deduction() -> Option<SmeDocument> {
    Some(SmeDocument::Deduction {
        percent: "10".parse().ok()?,
        consortium_percent: "4".parse().ok(),
    })
}

fn quantity(one: &Quantity) -> QuantityDocument {
    let (name_zh, name_en, amount, unit, grade) = *one;
    QuantityDocument {
        name_zh: name_zh.to_owned(),
        name_en: name_en.to_owned(),
        amount: amount.to_owned(),
        unit_zh: unit.0.to_owned(),
        unit_en: unit.1.to_owned(),
        grade: grade.map(str::to_owned),
    }
}

/// Enquiries for ten days, answers for five more, bids until the thirtieth; the service begins two months on and lasts a year.
fn timetable(now: Instant, place: Place<'_>) -> TimetableDocument {
    let today = local_date(now, place.calendar.zone);
    let at = |days: i64| -> Option<DateTime<chrono::Utc>> {
        let day = today.checked_add_signed(Duration::days(days))?;
        let nine = day.and_time(NaiveTime::from_hms_opt(9, 0, 0)?);
        let local = nine.and_local_timezone(place.calendar.zone).earliest()?;
        Some(local.with_timezone(&chrono::Utc))
    };
    TimetableDocument {
        enquiry_deadline: at(10),
        answer_deadline: at(15),
        bid_deadline: at(30),
        opening: at(30),
        service_from: today.checked_add_signed(Duration::days(61)),
        service_until: today.checked_add_signed(Duration::days(424)),
    }
}
