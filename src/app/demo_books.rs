//! Writes the demo's five contract books, by their buyers' people and the acts that everybody uses: one drafts, another approves and
//! publishes. What is asked about them, and what follows, is in `demo_enquiries.rs`.

use chrono::{DateTime, NaiveDate, NaiveTime};

use crate::app::demo_ballots;
use crate::app::demo_planning::{notice_of, record_of};
use crate::app::demo_plans::{Dates, Own, PLANS, Plan, Quantity};
use crate::app::demo_stage::{cast, organisation_of};
use crate::books::acts::{self, Beginning};
use crate::books::acts_publication::{self, Place};
use crate::books::custody::Custody;
use crate::books::rules::{Book, BookId, State};
use crate::books::rules_documents::{
    BookDocument, CriterionDocument, CriterionKind, LotDocument, Method, PlaceDocument, QuantityDocument,
    SmeDocument, SourceDocument, SourceKind, TimetableDocument,
};
use crate::books::store::{self as books, DraftFilter, PublicFilter};
use crate::books::{acts_search, templates};
use crate::budget::store::{self as budget, LineFilter};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files;
use crate::files::acts::Upload;
use crate::files::rules::{AttachmentId, Limits};
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::weight::Weight;
use crate::registry::store as areas;
use crate::standards::rules::Version;
use crate::standards::rules_documents::{CountsFrom, IndicatorDocument, LimitDocument, Operator};
use crate::standards::rules_units::Unit;
use crate::standards::{store as standards, store_versions};
use crate::web::conditional::Expected;

/// Books that are looked through for one of the demo's.
const LOOKED_AT_MAX: i64 = 100;

/// The plans of which no book was begun yet, either the early ones or the others.
///
/// # Errors
/// A fault of the database.
pub fn unbegun(conn: &mut Conn, early: bool) -> Answer<Vec<&'static Plan>> {
    let drafts = books::drafts(conn, &DraftFilter::default(), LOOKED_AT_MAX)?;
    let public = books::public(conn, &PublicFilter::default(), LOOKED_AT_MAX)?;
    let is_begun = |plan: &Plan| {
        let mut titles = drafts.iter().chain(&public).map(|head| &head.title_zh);
        titles.any(|title| title == plan.title.0)
    };
    let plans = PLANS.iter().filter(|plan| plan.is_early() == early);
    Ok(plans.filter(|plan| !is_begun(plan)).collect())
}

/// The book of a plan, if it is public.
///
/// # Errors
/// A fault of the database.
pub fn public(conn: &mut Conn, plan: &Plan) -> Answer<Option<Book>> {
    let heads = books::public(conn, &PublicFilter::default(), LOOKED_AT_MAX)?;
    let Some(head) = heads.into_iter().find(|head| head.title_zh == plan.title.0) else {
        return Ok(None);
    };
    let book = books::book(conn, &head.id)?;
    Ok(Some(book.ok_or_else(|| missing("book"))?))
}

/// Drafts the book of a plan with the list of its places, and submits it.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn draft(
    tx: &mut Tx<'_>,
    plan: &Plan,
    places: &Upload,
    (limits, place): (&Limits, Place<'_>),
) -> Answer<()> {
    let officer = cast(tx, plan.office.officer)?;
    let uploaded = files::acts::upload(tx, &officer, places, limits)?;
    let document = document(tx, plan, uploaded.attachment.id, place)?;
    let beginning = Beginning::Content(Box::new(document));
    let book = acts::create(tx, &officer, &organisation_of(&officer)?, beginning)?;
    acts::submit(tx, &officer, &book.id, Expected::Any)?;
    Ok(())
}

/// Approves the books that were submitted.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn approve(tx: &mut Tx<'_>) -> Answer<()> {
    let waiting = ours(tx.conn(), State::Submitted)?;
    if waiting.is_empty() {
        tx.nothing_to_change();
    }
    for (plan, id) in waiting {
        let approver = cast(tx, plan.office.approver)?;
        acts::approve(tx, &approver, &id, Expected::Any)?;
    }
    Ok(())
}

/// Publishes the books that were approved, and puts the standards that they keep into the search with them. One that the rules of the
/// day do not allow stays as it is.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn publish(tx: &mut Tx<'_>, place: Place<'_>, custody: &Custody) -> Answer<()> {
    let mut published = 0_usize;
    for (plan, id) in ours(tx.conn(), State::Approved)? {
        let Some(book) = books::book(tx.conn(), &id)? else {
            continue;
        };
        let now = tx.now();
        let (items, _) = acts_publication::judged(tx.conn(), &book, place, now)?;
        if items.is_empty() {
            let approver = cast(tx, plan.office.approver)?;
            acts_publication::publish(tx, &approver, &id, Expected::Any, (place, custody))?;
            published = published.saturating_add(1);
        }
    }
    if published == 0 {
        tx.nothing_to_change();
        return Ok(());
    }
    while !acts_search::catch_up(tx)? {}
    Ok(())
}

/// The demo's books in a state before publication, with their plans, in the order of the plans.
fn ours(conn: &mut Conn, state: State) -> Answer<Vec<(&'static Plan, BookId)>> {
    let filter = DraftFilter {
        state: Some(state),
        ..DraftFilter::default()
    };
    let heads = books::drafts(conn, &filter, LOOKED_AT_MAX)?;
    let of = |plan: &'static Plan| {
        let head = heads.iter().find(|head| head.title_zh == plan.title.0);
        head.map(|head| (plan, head.id.clone()))
    };
    Ok(PLANS.iter().filter_map(of).collect())
}

fn missing(what: &str) -> Fault {
    Fault::broken(format!("the demo has no {what}"))
}

fn document(tx: &mut Tx<'_>, plan: &Plan, places: AttachmentId, place: Place<'_>) -> Answer<BookDocument> {
    let template = templates::template(plan.category)?.ok_or_else(|| missing(plan.category))?;
    let area = areas::areas_of_codes(tx.conn(), &[plan.area])?;
    let is_open = plan.yuan > 2_000_000;
    let first = template.lots.first().cloned().ok_or_else(|| missing("lot"))?;
    let lot = lot(tx, plan, first, is_open)?;
    Ok(BookDocument {
        title_zh: plan.title.0.to_owned(),
        title_en: plan.title.1.to_owned(),
        areas: area.into_iter().map(|area| area.id).collect(),
        method: if plan.by_ballot {
            Some(Method::Appraisal)
        } else {
            template.method
        },
        timetable: timetable(plan.dates, place),
        bid_security_percent: if is_open { "2".parse().ok() } else { None },
        intention_id: notice_of(tx.conn(), plan)?.map(|notice| notice.id),
        consultation_id: record_of(tx.conn(), plan)?.map(|record| record.id),
        documents: vec![places],
        lots: vec![lot],
        ..template
    })
}

fn lot(tx: &mut Tx<'_>, plan: &Plan, template: LotDocument, is_open: bool) -> Answer<LotDocument> {
    let line = budget::lines(tx.conn(), &LineFilter::default(), 100)?;
    let line = line.into_iter().find(|line| line.code == plan.line);
    let standard = standards::standard_of_code(tx.conn(), plan.standard)?;
    let standard = standard.ok_or_else(|| missing(plan.standard))?;
    let version = store_versions::newest(tx.conn(), &standard.id)?;
    let version = version.ok_or_else(|| missing(plan.standard))?;
    let ceiling = Money::from_yuan(plan.yuan).map_err(|error| Fault::caused("the demo", error))?;
    let named = |(zh, en): &(&str, &str)| PlaceDocument {
        name_zh: (*zh).to_owned(),
        name_en: (*en).to_owned(),
    };
    let own: Result<Vec<_>, Fault> = plan.own.iter().map(|own| indicator(own, &version)).collect();
    Ok(LotDocument {
        title_zh: plan.title.0.to_owned(),
        title_en: plan.title.1.to_owned(),
        quantities: plan.quantities.iter().map(quantity).collect(),
        places: plan.places.iter().map(named).collect(),
        indicators: own?,
        standard_version_id: Some(version.id),
        budget_line_id: line.map(|line| line.id),
        ceiling: Some(ceiling),
        criteria: if plan.by_ballot {
            vec![ballot()]
        } else {
            template.criteria
        },
        score_sources: template.score_sources.into_iter().map(rated).collect(),
        sme: if is_open {
            deduction()
        } else {
            Some(SmeDocument::Reserved {})
        },
        bidders_min: if plan.by_ballot {
            Some(1)
        } else {
            template.bidders_min
        },
        ..template
    })
}

/// A source with what residents are asked, where they are.
fn rated(source: SourceDocument) -> SourceDocument {
    SourceDocument {
        ballot: (source.kind == SourceKind::Rating).then(demo_ballots::rating),
        ..source
    }
}

fn ballot() -> CriterionDocument {
    CriterionDocument {
        code: "A1".to_owned(),
        kind: CriterionKind::Appraisal,
        name_zh: "居民代表会议评议".to_owned(),
        name_en: "Appraisal by the representatives’ meeting".to_owned(),
        weight: Weight::HUNDRED,
        scale_zh: "居民代表 60 人，参与不少于 40 人方为有效，按参与代表的评分平均计算".to_owned(),
        scale_en: "Of sixty representatives at least forty take part; the mean of the points that they give"
            .to_owned(),
        ballot: Some(demo_ballots::appraisal()),
    }
}

fn deduction() -> Option<SmeDocument> {
    Some(SmeDocument::Deduction {
        percent: "10".parse().ok()?,
        consortium_percent: "4".parse().ok(),
    })
}

fn quantity(one: &Quantity) -> QuantityDocument {
    QuantityDocument {
        name_zh: one.name.0.to_owned(),
        name_en: one.name.1.to_owned(),
        amount: one.amount.to_owned(),
        unit_zh: one.unit.0.to_owned(),
        unit_en: one.unit.1.to_owned(),
        grade: one.grade.map(str::to_owned),
    }
}

/// An indicator of the lot's own: the standard's with another threshold, or one that it does not have.
fn indicator(own: &Own, standard: &Version) -> Result<IndicatorDocument, Fault> {
    let limits = vec![LimitDocument {
        grade: None,
        threshold: Some(own.threshold.to_owned()),
        threshold_to: None,
    }];
    let Some((name, text, unit)) = own.added else {
        let known = standard.content.indicator(own.code);
        let known = known.ok_or_else(|| missing(own.code))?.document();
        return Ok(IndicatorDocument { limits, ..known });
    };
    Ok(IndicatorDocument {
        code: own.code.to_owned(),
        name_zh: name.0.to_owned(),
        name_en: name.1.to_owned(),
        text_zh: text.0.to_owned(),
        text_en: text.1.to_owned(),
        unit: Unit::named(unit).ok_or_else(|| missing(unit))?,
        operator: if own.is_time {
            Operator::AtMost
        } else {
            Operator::AtLeast
        },
        limits,
        method_zh: "现场检查并拍照".to_owned(),
        method_en: "Looked at on site, with a photo".to_owned(),
        frequency: None,
        counts_from: own.is_time.then_some(CountsFrom::Report),
        points: None,
        loss: None,
        source_zh: None,
        source_en: None,
    })
}

fn timetable(dates: &Dates, place: Place<'_>) -> TimetableDocument {
    let day = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day);
    let at = |date| -> Option<DateTime<chrono::Utc>> {
        let nine = day(date)?.and_time(NaiveTime::from_hms_opt(9, 0, 0)?);
        let local = nine.and_local_timezone(place.calendar.zone).earliest()?;
        Some(local.with_timezone(&chrono::Utc))
    };
    TimetableDocument {
        enquiry_deadline: at(dates.enquiries),
        answer_deadline: at(dates.answers),
        bid_deadline: at(dates.bids),
        opening: at(dates.bids),
        service_from: day(dates.service_from),
        service_until: day(dates.service_until),
    }
}
