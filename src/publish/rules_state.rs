//! The public state of a process as the Open Contracting Data Standard 1.1 writes it: a pure function of the facts. A release carries all of it, so that each
//! can be read by itself; what is not known is left out, never written as `null` or as something empty.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Duration, NaiveDate};

use crate::award::rules_awards::State as AwardState;
use crate::award::rules_standing::LotStanding;
use crate::books::rules_documents::Method;
use crate::contracts::rules_document::PartyDocument;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::local_day::{end_of_day, start_of_day};
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Fault;
use crate::publish::rules_facts::{BookFacts, FileFacts, PlannedFacts};
use crate::publish::rules_json::{Json, Object};
use crate::publish::rules_publisher::{CREDIT_CODE_SCHEME, OWN_SCHEME, Publisher};
use crate::publish::{
    rules_state_awards as award_part, rules_state_contracts as contract_part, rules_state_lots as lot_part,
};

/// The roles that an organisation can have here, in the order in which they are written.
const ROLES: [&str; 6] = [
    "buyer",
    "procuringEntity",
    "tenderer",
    "supplier",
    "payer",
    "payee",
];

/// Who is referred to, and in which roles: what `parties` is made of, so that every reference joins.
pub(super) struct Referred<'f> {
    parties: &'f BTreeMap<OrganisationId, PartyDocument>,
    roles: BTreeMap<OrganisationId, BTreeSet<usize>>,
}

impl<'f> Referred<'f> {
    fn new(parties: &'f BTreeMap<OrganisationId, PartyDocument>) -> Self {
        Self {
            parties,
            roles: BTreeMap::new(),
        }
    }

    /// A reference to an organisation in a role.
    pub(super) fn to(&mut self, id: &OrganisationId, role: &str) -> Result<Object, Fault> {
        let party = self
            .parties
            .get(id)
            .ok_or_else(|| Fault::broken(format!("{id} is named and not among the parties")))?;
        let role = ROLES.iter().position(|known| *known == role);
        self.roles.entry(id.clone()).or_default().extend(role);
        Ok(Object::new()
            .with("id", id.as_str())
            .with("name", party.name_zh.trim()))
    }

    fn written(&self) -> Vec<Object> {
        let of = |(id, roles): (&OrganisationId, &BTreeSet<usize>)| {
            let party = self.parties.get(id)?;
            let names = roles.iter().filter_map(|role| ROLES.get(*role));
            let names: Vec<Json> = names.map(|role| Json::from(*role)).collect();
            Some(organisation(party).with("roles", names))
        };
        self.roles.iter().filter_map(of).collect()
    }
}

/// An organisation: its names and its number in a register, nothing of people.
fn organisation(party: &PartyDocument) -> Object {
    let (scheme, number) = match &party.credit_code {
        Some(code) => (CREDIT_CODE_SCHEME, code.as_str()),
        None => (OWN_SCHEME, party.id.as_str()),
    };
    let identifier = Object::new()
        .with("scheme", scheme)
        .with("id", number)
        .with("legalName", party.name_zh.trim());
    Object::new()
        .with("id", party.id.as_str())
        .with_words("name", &party.name_zh, &party.name_en)
        .with("identifier", identifier)
}

/// The first instant of a day of the ward.
pub(super) fn begins(day: NaiveDate, publisher: &Publisher) -> Result<Instant, Fault> {
    start_of_day(day, publisher.zone).map_err(|error| Fault::caused("publish a day", error))
}

/// The last instant of a day of the ward, to the microsecond.
pub(super) fn ends(day: NaiveDate, publisher: &Publisher) -> Result<Instant, Fault> {
    let over = end_of_day(day, publisher.zone).map_err(|error| Fault::caused("publish a day", error))?;
    let last = over.checked_sub_signed(Duration::microseconds(1));
    last.ok_or_else(|| Fault::broken("a day before all days"))
}

/// A period of whole days; a last day before the first is none.
pub(super) fn days(
    (first, last): (Option<NaiveDate>, Option<NaiveDate>),
    publisher: &Publisher,
) -> Result<Object, Fault> {
    let last = last.filter(|last| first.is_none_or(|first| first <= *last));
    let start = first.map(|day| begins(day, publisher)).transpose()?;
    let end = last.map(|day| ends(day, publisher)).transpose()?;
    Ok(Object::new().with("startDate", start).with("endDate", end))
}

/// A sum of money.
pub(super) fn sum(amounts: impl Iterator<Item = Money>) -> Result<Money, Fault> {
    Money::sum(amounts).map_err(|error| Fault::caused("add up what is published", error))
}

/// The state of what is planned.
///
/// # Errors
/// A fault if the facts do not fit each other.
pub fn planned(facts: &PlannedFacts) -> Result<Object, Fault> {
    let PlannedFacts { intention, buyer } = facts;
    let Some(version) = &intention.current else {
        return Err(Fault::broken(format!(
            "{} was published and says nothing",
            intention.id
        )));
    };
    let parties = BTreeMap::from([(buyer.id.clone(), buyer.clone())]);
    let mut referred = Referred::new(&parties);
    let buyer = referred.to(&buyer.id, "buyer")?;
    let content = &version.content;
    let budget = Object::new()
        .with("id", intention.id.as_str())
        .with_words("description", content.title.zh(), content.title.en())
        .with("amount", content.budget);
    let planning = Object::new()
        .with_words("rationale", content.overview.zh(), content.overview.en())
        .with("budget", budget);
    Ok(Object::new()
        .with("initiationType", "tender")
        .with("language", "zh")
        .with("buyer", buyer)
        .with("parties", referred.written())
        .with("planning", planning))
}

/// The state of a book and of all that came of it.
///
/// # Errors
/// A fault if the facts do not fit each other.
pub fn book(facts: &BookFacts, publisher: &Publisher) -> Result<Object, Fault> {
    let mut referred = Referred::new(&facts.parties);
    let buyer = referred.to(&facts.buyer, "buyer")?;
    let planning = planning(facts, &mut referred)?;
    let tender = tender(facts, &mut referred, publisher)?;
    let bids = award_part::bids(facts, &mut referred)?;
    let awards = award_part::awards(facts, &mut referred, publisher)?;
    let contracts = contract_part::contracts(facts, &mut referred, publisher)?;
    let related = facts
        .document
        .intention_id
        .as_ref()
        .zip(publisher.prefix.as_ref());
    let related = related.map(|(intention, prefix)| {
        Object::new()
            .with("id", "planning")
            .with("relationship", vec![Json::from("planning")])
            .with("scheme", "ocid")
            .with("identifier", prefix.process_of(intention.as_str()))
    });
    Ok(Object::new()
        .with("initiationType", "tender")
        .with("language", "zh")
        .with("buyer", buyer)
        .with("parties", referred.written())
        .with("planning", planning)
        .with("tender", tender)
        .with("bids", bids)
        .with("awards", awards)
        .with("contracts", contracts)
        .with("relatedProcesses", related.into_iter().collect::<Vec<_>>()))
}

/// What a lot may cost at most.
pub(super) fn ceilings(facts: &BookFacts) -> impl Iterator<Item = Money> {
    facts.lots.iter().filter_map(|lot| lot.document.ceiling)
}

/// The money that is reserved for the lots, each of its own budget line.
fn planning(facts: &BookFacts, referred: &mut Referred<'_>) -> Result<Object, Fault> {
    let mut parts = Vec::new();
    for lot in &facts.lots {
        if let Some(ceiling) = lot.document.ceiling {
            parts.push(
                Object::new()
                    .with("id", lot.id.as_str())
                    .with("description", lot.document.title_zh.trim())
                    .with("amount", ceiling)
                    .with("sourceParty", referred.to(&facts.buyer, "buyer")?),
            );
        }
    }
    let budget = Object::new()
        .with("amount", sum(ceilings(facts))?)
        .with("budgetBreakdown", parts);
    Ok(Object::new().with("budget", budget))
}

/// How far the whole book has come, in the words of the standard. Awards and contracts stand only under a tender that is complete.
fn status(facts: &BookFacts) -> &'static str {
    let mut awards = facts.lots.iter().flat_map(|lot| &lot.awards);
    let is_awarded = awards.any(|award| matches!(award.state, AwardState::Confirmed | AwardState::Signed));
    let all = |standings: &[LotStanding]| facts.lots.iter().all(|lot| standings.contains(&lot.standing));
    if is_awarded || !facts.contracts.is_empty() {
        "complete"
    } else if facts.cancelled_at.is_some() {
        "cancelled"
    } else if all(&[LotStanding::Unsuccessful, LotStanding::Cancelled]) {
        "unsuccessful"
    } else {
        "active"
    }
}

const fn method_words(method: Method) -> (&'static str, &'static str) {
    match method {
        Method::ComprehensiveScoring => ("综合评分法", "Comprehensive scoring"),
        Method::LowestEvaluatedPrice => ("最低评标价法", "Lowest evaluated price"),
        Method::QualityAndCostBased => ("质量和费用评分法", "Quality- and cost-based"),
        Method::Appraisal => ("群众评议", "Residents' appraisal"),
    }
}

fn tender(facts: &BookFacts, referred: &mut Referred<'_>, publisher: &Publisher) -> Result<Object, Fault> {
    let (document, table) = (&facts.document, &facts.document.timetable);
    let method = document.method.map(method_words);
    let criteria = match document.method {
        Some(Method::LowestEvaluatedPrice) => "priceOnly",
        _ => "ratedCriteria",
    };
    let tender_period = Object::new()
        .with("startDate", facts.published_at)
        .with("endDate", table.bid_deadline);
    let enquiry_period = table.enquiry_deadline.map(|end| {
        Object::new()
            .with("startDate", facts.published_at)
            .with("endDate", end)
    });
    let opening = opening(facts);
    let enquiries: Vec<Object> = facts.answers.iter().map(enquiry).collect();
    let mut tender = Object::new()
        .with("id", facts.id.as_str())
        .with_words("title", &document.title_zh, &document.title_en)
        .with("status", status(facts))
        .with("procuringEntity", referred.to(&facts.buyer, "procuringEntity")?)
        .with("value", sum(ceilings(facts))?)
        .with("procurementMethod", "open")
        .with("procurementMethodDetails", method.map(|(zh, _)| zh))
        .with("mainProcurementCategory", "services")
        .with("awardCriteria", criteria)
        .with_words(
            "awardCriteriaDetails",
            method.map_or("", |(zh, _)| zh),
            method.map_or("", |(_, en)| en),
        )
        .with("submissionMethod", vec![Json::from("electronicSubmission")])
        .with("tenderPeriod", tender_period)
        .with("enquiryPeriod", enquiry_period)
        .with("hasEnquiries", !enquiries.is_empty())
        .with("enquiries", enquiries)
        .with("bidOpening", opening)
        .with(
            "contractPeriod",
            days((table.service_from, table.service_until), publisher)?,
        )
        .with("items", lot_part::items(facts))
        .with("lots", lot_part::lots(facts))
        .with("targets", lot_part::targets(facts))
        .with("documents", documents(facts, publisher))
        .with("amendments", addenda(facts));
    if let Some((count, tenderers)) = award_part::tenderers(facts, referred)? {
        tender = tender
            .with("numberOfTenderers", count)
            .with("tenderers", tenderers);
    }
    Ok(tender)
}

/// The opening: when it is planned, in words, because what has a date has happened; and when it was.
fn opening(facts: &BookFacts) -> Object {
    let table = &facts.document.timetable;
    let planned = table.opening.or(table.bid_deadline);
    let planned = planned.map(|at| format!("计划开标时间 {}", rfc3339(at)));
    Object::new()
        .with("date", facts.opened_at)
        .with("description", planned)
}

/// An answer, with the question in the words of whoever answers; never who asked, nor when.
fn enquiry(answer: &crate::books::rules_enquiries::Answer) -> Object {
    Object::new()
        .with("id", answer.number.to_string())
        .with_words("description", &answer.question.zh, &answer.question.en)
        .with_words("answer", &answer.answer.zh, &answer.answer.en)
        .with("dateAnswered", answer.at)
}

/// The book in each of its versions, and the files that these list.
fn documents(facts: &BookFacts, publisher: &Publisher) -> Vec<Object> {
    let version = |number: i64, at: Instant| {
        let path = format!(
            "/api/v1/contract-books/{}/versions/{number}/print?lang=both",
            facts.id
        );
        Object::new()
            .with("id", format!("version-{number}"))
            .with("documentType", "technicalSpecifications")
            .with_words(
                "title",
                &format!("项目承包责任书（第 {number} 版）"),
                &format!("Contract book, version {number}"),
            )
            .with("url", publisher.url(&path))
            .with("datePublished", at)
            .with("format", "text/html")
            .with("language", "zh")
    };
    let addenda = facts.addenda.iter();
    std::iter::once(version(1, facts.published_at))
        .chain(addenda.map(|one| version(one.number.saturating_add(1), one.at)))
        .chain(facts.files.iter().map(|listed| file(listed, publisher)))
        .collect()
}

/// A file of the book, where everybody may download it. In which language it is written nobody has said, so it is not said here.
fn file(listed: &FileFacts, publisher: &Publisher) -> Object {
    let path = format!("/api/v1/attachments/{}/content", listed.file.id);
    Object::new()
        .with("id", listed.file.id.as_str())
        .with("documentType", "biddingDocuments")
        .with("title", listed.file.name.trim())
        .with("url", publisher.url(&path))
        .with("datePublished", listed.at)
        .with("format", listed.file.media_type.essence())
}

fn addenda(facts: &BookFacts) -> Vec<Object> {
    let told = facts.addenda.iter().map(|one| {
        let (zh, en) = one.reason.as_ref().map_or(("补遗", "Addendum"), |reason| {
            (reason.zh.as_str(), reason.en.as_str())
        });
        Object::new()
            .with("id", format!("addendum-{}", one.number))
            .with("date", one.at)
            .with_words("rationale", zh, en)
    });
    told.collect()
}
