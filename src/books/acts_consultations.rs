//! What is done to records of consultation: each function is one transaction's worth of work, permission first, event last. No event
//! has a name or an opinion in it: who was asked is known to whoever may read the record.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::json;

use crate::audit;
use crate::audit::entry::Event;
use crate::books::rules_consultations::{
    self as rules, Consultation, ConsultationId, Entered, MINUTES_MAX, TOO_MANY_MINUTES,
};
use crate::books::store_consultations as store;
use crate::budget::acts::{may_see, public_body};
use crate::budget::rules::CATEGORY_UNKNOWN;
use crate::budget::store::category_is_active;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::files;
use crate::files::access::Access;
use crate::files::media::MediaType;
use crate::files::rules::{Attachment, AttachmentId, Use, Visibility};
use crate::kernel::local_day::local_date;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::registry::acts_organisations::{account, capacity};
use crate::registry::rules_organisations::Doing;
use crate::text;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// What minutes are: documents that are not changed by opening them, and pictures of them.
const TYPES: &[MediaType] = &[MediaType::Pdf, MediaType::Png, MediaType::Jpeg, MediaType::Webp];

/// A record to begin.
#[derive(Clone)]
pub struct DraftConsultation {
    /// Whose need it is.
    pub organisation_id: OrganisationId,
    /// What the record says.
    pub entered: Entered,
}

/// What came of a consultation, as it is entered.
#[derive(Clone, Debug)]
pub struct EnteredConclusion {
    /// In Chinese and English.
    pub said: (String, String),
    /// On which day.
    pub on: String,
}

/// What of a record becomes public with the book that it belongs to: that there is one, and what came of it. Neither names nor
/// opinions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicConsultation {
    /// Its id.
    pub id: ConsultationId,
    /// Its title.
    pub title: Text,
    /// What came of it.
    pub conclusion: Text,
    /// On which day.
    pub concluded_on: NaiveDate,
    /// How many were consulted.
    pub consulted: usize,
    /// How many reviewed the need.
    pub reviewers: usize,
}

/// Begins a record.
///
/// # Errors
/// Permission; those of the rules; no public body; a category that there is not.
pub fn draft(tx: &mut Tx<'_>, actor: &Actor, command: &DraftConsultation) -> Answer<Consultation> {
    let organisation = &command.organisation_id;
    let matter = Matter::of_organisation(organisation);
    policy::allow(actor, Action::DraftConsultation, matter)?;
    public_body(tx.conn(), organisation, "/organisation_id")?;
    let id = ConsultationId::mint(tx.now());
    let doing = doing(tx, actor)?;
    let drafted = rules::draft(id, organisation.clone(), &command.entered, doing)?;
    has_category(tx, &drafted)?;
    undertake(tx, actor, Action::DraftConsultation, &drafted, Duty::Draft)?;
    store::insert(tx, &drafted)?;
    audit::store::append(tx, actor, &event("consultation.drafted", &drafted))?;
    Ok(drafted)
}

/// Writes a record anew.
///
/// # Errors
/// Permission; not found; a stale revision; separation of duties; those of the rules; a category that there is not.
pub fn rewrite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ConsultationId,
    expected: Expected,
    entered: &Entered,
) -> Answer<Consultation> {
    let before = found(tx, actor, Action::DraftConsultation, id)?;
    expected.check(before.revision)?;
    let doing = doing(tx, actor)?;
    let rewritten = rules::rewrite(before, entered, doing)?;
    has_category(tx, &rewritten)?;
    undertake(tx, actor, Action::DraftConsultation, &rewritten, Duty::Draft)?;
    store::update(tx, &rewritten)?;
    audit::store::append(tx, actor, &event("consultation.redrafted", &rewritten))?;
    Ok(rewritten)
}

/// Adds the actor's own opinion as a reviewer: of what others wrote (财库〔2021〕22号).
///
/// # Errors
/// Permission; not found; separation of duties; those of the rules.
pub fn review(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ConsultationId,
    said: (&str, &str),
) -> Answer<Consultation> {
    let before = found(tx, actor, Action::ReviewConsultation, id)?;
    let doing = doing(tx, actor)?;
    let reviewed = rules::review(before, said, doing)?;
    undertake(tx, actor, Action::ReviewConsultation, &reviewed, Duty::Review)?;
    store::update(tx, &reviewed)?;
    if let Some(last) = reviewed.reviews.last() {
        store::insert_review(tx, id, last)?;
    }
    audit::store::append(tx, actor, &event("consultation.reviewed", &reviewed))?;
    Ok(reviewed)
}

/// Hangs minutes on a record that is not concluded, for good.
///
/// # Errors
/// Permission; not found; those of the rules; [`TOO_MANY_MINUTES`]; those of [`files::acts::attach`].
pub fn add_minutes(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ConsultationId,
    attachments: &[AttachmentId],
) -> Answer<Vec<Attachment>> {
    let record = rules::open(found(tx, actor, Action::DraftConsultation, id)?)?;
    let hanging = files::store::attached_to(tx.conn(), record.id.as_str())?.len();
    if hanging.saturating_add(attachments.len()) > MINUTES_MAX {
        let detail = text!(
            "最多 {MINUTES_MAX} 份，已有 {hanging} 份",
            "at most {MINUTES_MAX}; there are {hanging}"
        );
        return Err(TOO_MANY_MINUTES.because(detail).at("/attachment_ids").into());
    }
    for (at, attachment) in attachments.iter().enumerate() {
        let to = Use {
            matter_kind: ConsultationId::PREFIX,
            matter_id: record.id.as_str(),
            visibility: Visibility::Matter,
            types: TYPES,
            pointer: &format!("/attachment_ids/{at}"),
        };
        files::acts::attach(tx, actor, attachment, to)?;
    }
    files::store::attached_to(tx.conn(), record.id.as_str())
}

/// Concludes a record that another person wrote. Nothing of it changes any more.
///
/// # Errors
/// Permission; not found; a stale revision; separation of duties; those of the rules, with everything that is missing.
pub fn conclude(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ConsultationId,
    expected: Expected,
    (entered, zone): (&EnteredConclusion, Tz),
) -> Answer<Consultation> {
    let before = found(tx, actor, Action::ConcludeConsultation, id)?;
    expected.check(before.revision)?;
    let minutes = files::store::attached_to(tx.conn(), id.as_str())?.len();
    let today = local_date(tx.now(), zone);
    let doing = doing(tx, actor)?;
    let said = (entered.said.0.as_str(), entered.said.1.as_str());
    let concluded = rules::conclude(before, said, (&entered.on, today), minutes, doing)?;
    undertake(tx, actor, Action::ConcludeConsultation, &concluded, Duty::Approve)?;
    store::update(tx, &concluded)?;
    audit::store::append(tx, actor, &event("consultation.concluded", &concluded))?;
    Ok(concluded)
}

/// The record of that id, if the actor may read it.
///
/// # Errors
/// Not found.
pub fn known(conn: &mut Conn, actor: &Actor, id: &ConsultationId) -> Answer<Consultation> {
    let record = store::consultation(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    if may_see(actor, Action::ReadConsultation, &[&record.organisation_id]) {
        Ok(record)
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// What of a record everyone may know once its book is published; `None` of one that is not concluded, or not there.
///
/// # Errors
/// A fault of the database.
pub fn public_part(conn: &mut Conn, id: &ConsultationId) -> Answer<Option<PublicConsultation>> {
    let record = store::consultation(conn, id)?;
    Ok(record.and_then(|record| {
        let conclusion = record.conclusion?;
        Some(PublicConsultation {
            id: record.id,
            title: record.content.title,
            conclusion: conclusion.said,
            concluded_on: conclusion.on,
            consulted: record.content.consulted.len(),
            reviewers: record
                .reviews
                .len()
                .saturating_add(record.content.outsiders.len()),
        })
    }))
}

fn doing<'a>(tx: &Tx<'_>, actor: &'a Actor) -> Answer<Doing<'a>> {
    Ok(Doing {
        by: account(actor)?,
        at: tx.now(),
    })
}

fn found(tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &ConsultationId) -> Answer<Consultation> {
    policy::allow_at_all(actor, action)?;
    let record = known(tx.conn(), actor, id)?;
    policy::allow(actor, action, Matter::of_organisation(&record.organisation_id))?;
    Ok(record)
}

fn has_category(tx: &mut Tx<'_>, record: &Consultation) -> Answer<()> {
    if category_is_active(tx.conn(), &record.content.category)? {
        Ok(())
    } else {
        Err(CATEGORY_UNKNOWN.refuse().at("/category").into())
    }
}

fn undertake(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: Action,
    record: &Consultation,
    duty: Duty,
) -> Answer<()> {
    let matter = Matter::of_organisation(&record.organisation_id);
    let capacity = capacity(actor, action, matter);
    duties::undertake(tx, actor, capacity, duty, record.id.as_str())
}

/// Whose need is talked over is nobody's business before there is a book.
fn event(kind: &'static str, record: &Consultation) -> Event {
    Event {
        kind,
        subject: record.id.to_string(),
        data: json!({}),
        private: json!({
            "organisation": record.organisation_id, "state": record.state(), "revision": record.revision,
            "consulted": record.content.consulted.len(), "outsiders": record.content.outsiders.len(),
            "reviews": record.reviews.len(),
            "concluded_on": record.conclusion.as_ref().map(|conclusion| conclusion.on.to_string()),
        }),
    }
}

/// Answers for the minutes of consultations.
pub struct MinutesAccess;

impl Access for MinutesAccess {
    fn matter_kind(&self) -> &'static str {
        ConsultationId::PREFIX
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let id: ConsultationId = matter_id
            .parse()
            .map_err(|_| Fault::broken("minutes hang on what is no record of consultation"))?;
        let record = store::consultation(conn, &id)?;
        Ok(record.is_some_and(|record| may_see(actor, Action::ReadConsultation, &[&record.organisation_id])))
    }
}
