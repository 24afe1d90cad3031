//! Reports of defects over HTTP: one form with photos, sent by anybody. What is received is counted before it is stored, and what is refused leaves nothing in
//! the store of files.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{HttpMessage, HttpRequest, HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::budget::desk::{after, one_more, parsed};
use crate::contracts::acts_defect_reports::{self as acts, Bounds, Filed, NewReport, Outcome};
use crate::contracts::acts_defects::{PHOTO_TYPES, Setting};
use crate::contracts::desk_defects::{self as desk, Seen};
use crate::contracts::http_defect_views::{DefectView, ReportView, report_view, shown_one};
use crate::contracts::reception::{AtReception, From as Sender, Reception};
use crate::contracts::rules_defect_reports::{
    Day, DefectReportId, PHOTO_BYTES_MAX, PHOTOS_MAX, Reader, Said, Visibility,
};
use crate::contracts::rules_defects::{DefectId, State};
use crate::contracts::rules_places::{PlaceCode, PlaceRef, ServedPlaceId};
use crate::contracts::{store_defect_reports as store, store_defects, store_places};
use crate::files::acts::Upload;
use crate::files::desk::{Desk, Files, Turn as FilesTurn};
use crate::files::intake::{self, Claim};
use crate::files::rules::TYPE_NOT_ALLOWED;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault, Objection, Refusal, Stop};
use crate::kernel::text::{Language, Text};
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::{Incoming, Stream};
use crate::web::conditional::{self, Expected};
use crate::web::context::Context;
use crate::web::envelope::{RequestInfo, client_network};
use crate::web::idempotency::{Once, Reply};
use crate::web::multipart::{Form, FormLimits, Part};
use crate::web::operations::Operations;
use crate::web::page::Filled;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter, Role, UNAUTHENTICATED};
use crate::web::problem::{INVALID, NOT_FOUND};
use crate::web::query::Query;

/// Bytes of a form besides its photos.
const FORM_BYTES_MAX: u64 = 262_144;
/// The fields of a report.
const FIELDS: [&str; 5] = ["place", "category", "text", "occurred_at", "contact"];
/// Under which name answers to those without an account are remembered; keys are for them to choose so that nobody else has the same.
const ANONYMOUS: &str = "anonymous";

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(take_report)
        .service(list_own)
        .service(follow)
        .service(list_of_defect)
        .service(moderate);
}

/// A report, as a form with photos.
#[derive(ToSchema)]
#[schema(as = NewDefectReport, example = json!({"place": "7ZQK2-M4V9X", "category": "rain_water", "text": "公厕门前积水"}))]
#[expect(dead_code, reason = "it is read part by part; this is what the document says of it")]
pub struct ReportForm {
    /// The code that is put up at the place; with an account, its id will do.
    #[schema(max_length = 60)]
    place: String,
    /// One of the place's categories.
    #[schema(max_length = 40)]
    category: String,
    /// What is wrong.
    #[schema(min_length = 1, max_length = 1000)]
    text: String,
    /// When it happened, RFC 3339: from the buyer's officers only.
    #[schema(max_length = 40, example = "2026-05-06T03:00:00Z")]
    occurred_at: Option<String>,
    /// Without an account: a mail address at which you want to hear what came of it. It is shown to nobody and forgotten a month after the end.
    #[schema(max_length = 254, example = "wang.xiaomei@mail.example")]
    contact: Option<String>,
    /// JPEG, PNG or WebP, up to 10 MiB each.
    #[schema(value_type = Vec<String>, max_items = 4, content_media_type = "application/octet-stream")]
    photos: Option<Vec<String>>,
}

/// What became of a report.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = DefectReceipt, example = json!({
    "outcome": "opened", "place_id": "servedplace_01jd3n8f5teqkrzvq1c0m6h2ax", "defect_id": "defect_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "reported",
    "reports_count": 1, "report_id": "defectreport_01jd3n8f5teqkrzvq1c0m6h2ax",
    "follow_up": "defectreport_01jd3n8f5teqkrzvq1c0m6h2ax.CwQ2lI5oJ7hUMnA0yWb0Og"
}))]
pub struct ReceiptView {
    /// `opened`: it is new; `joined`: it was reported before, and is now once more; `counted`: the place has had so many reports today that this one is only
    /// counted.
    #[schema(pattern = "^(opened|joined|counted)$")]
    pub outcome: String,
    /// For which place.
    pub place_id: ServedPlaceId,
    /// The defect; `null` if it was only counted.
    pub defect_id: Option<DefectId>,
    /// How far that has come.
    pub state: Option<State>,
    /// How many have reported it.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub reports_count: Option<i64>,
    /// The report; `null` where enough of the same were kept.
    pub report_id: Option<DefectReportId>,
    /// For those without an account: the token by which they hear what came of it and say whether it is put right. Keep it: nobody else has it.
    #[schema(max_length = 100)]
    pub follow_up: Option<String>,
}

/// Who may see a report.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DefectReportModeration, example = json!({"visibility": "released", "reason": null}))]
pub struct ModerationBody {
    /// `released`: everybody; `hidden`: the buyer's people and auditors only.
    #[schema(pattern = "^(released|hidden)$", value_type = String)]
    visibility: Visibility,
    /// Why it is hidden; for the buyer's people.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

/// The kept reports of a defect.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefectReports, example = json!({"items": []}))]
pub struct ReportsView {
    /// The first ones; more than twenty are only counted.
    #[schema(max_items = 20)]
    pub items: Vec<ReportView>,
}

/// A form that was received, with its photos in the store.
pub(super) struct Received {
    /// What was filled in.
    pub fields: Filled,
    photos: Vec<Upload>,
    digest: [u8; 32],
}

/// Whoever sends a report, and where it is received.
pub(super) struct Counter<'c> {
    pub context: &'c Context,
    pub files: &'c Files,
    pub reception: &'c Reception,
    pub actor: &'c Actor,
    pub network: IpAddr,
    pub now: Instant,
}

impl Counter<'_> {
    /// Receives a form. `more` are fields besides those of a report.
    ///
    /// # Errors
    /// In this order: too many at once; those of the form; too many reports; what is wrong with a photo; fields that are no report's.
    pub(super) async fn receive(&self, incoming: Incoming, more: &[&str]) -> Answer<Received> {
        self.receive_knowing(incoming, Vec::new(), more).await
    }

    async fn receive_knowing(
        &self,
        incoming: Incoming,
        known: Vec<(String, String)>,
        more: &[&str],
    ) -> Answer<Received> {
        let _turn = match self.actor.id() {
            Some(_) => None,
            None => Some(self.reception.turn()?),
        };
        let _files_turn = self.files_turn()?;
        let photos_max = u64::try_from(PHOTOS_MAX).unwrap_or(u64::MAX);
        let file_bytes_max = PHOTO_BYTES_MAX.min(self.files.limits.file_bytes_max);
        let form = incoming.form(FormLimits {
            bytes_max: file_bytes_max.saturating_mul(photos_max).saturating_add(FORM_BYTES_MAX),
            file_bytes_max,
            within: self.files.timeout,
        })?;
        let mut photos = Vec::new();
        let received = self.gather(form, known, &mut photos).await;
        let checked = received.and_then(|(fields, prints)| {
            let written = serde_json::to_vec(&(&fields, &prints))
                .map_err(|error| Fault::caused("write what a form says", error))?;
            let fields = Filled::from_parts(fields)?;
            refuse_unknown(&fields, more)?;
            Ok((fields, Sha256::digest(written).into()))
        });
        match checked {
            Ok((fields, digest)) => Ok(Received {
                fields,
                photos,
                digest,
            }),
            Err(stop) => {
                self.discard(photos.iter().map(|photo| photo.place.as_str())).await;
                Err(stop)
            }
        }
    }

    /// As [`Self::receive`], of a form that stands on the page of a place and need not say which.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub(super) async fn receive_at(&self, incoming: Incoming, code: &PlaceCode, more: &[&str]) -> Answer<Received> {
        let known = vec![("place".to_owned(), code.to_string())];
        self.receive_knowing(incoming, known, more).await
    }

    /// Somebody may send a few files at once.
    fn files_turn(&self) -> Answer<FilesTurn> {
        match self.actor.id() {
            Some(account) => self.files.turn(account),
            None => self.files.turn(&format!("network {}", self.network)),
        }
    }

    /// Reads the parts of a form: what was filled in, and a fingerprint of each photo, which are put into the store.
    async fn gather(
        &self,
        mut form: Form,
        known: Vec<(String, String)>,
        photos: &mut Vec<Upload>,
    ) -> Answer<(Vec<(String, String)>, Vec<String>)> {
        let (mut fields, mut prints) = (known, Vec::new());
        let mut is_counted = false;
        while let Some(part) = form.next().await? {
            match part {
                Part::Words { name, value } => fields.push((name, value)),
                Part::File {
                    name,
                    file_name,
                    media_type,
                    body,
                } => {
                    if name != "photos" {
                        let objection = unknown(&name);
                        return Err(INVALID.refuse().listing(vec![objection]).into());
                    }
                    if !is_counted {
                        self.count(&fields).await?;
                        is_counted = true;
                    }
                    let claim = Claim {
                        name: file_name,
                        media_type,
                    };
                    let at = photos.len();
                    let (photo, print) = self.photo(claim, body, at).await?;
                    photos.push(photo);
                    prints.push(print);
                }
            }
        }
        if !is_counted {
            self.count(&fields).await?;
        }
        Ok((fields, prints))
    }

    async fn photo(&self, claim: Claim, body: Stream, at: usize) -> Answer<(Upload, String)> {
        let pointer = format!("/photos/{at}");
        if at >= PHOTOS_MAX {
            let detail = text!("最多 {PHOTOS_MAX} 张照片", "at most {PHOTOS_MAX} photos");
            return Err(INVALID.because(detail).at(pointer).into());
        }
        if !PHOTO_TYPES.iter().any(|kind| kind.essence() == claim.media_type) {
            let detail = Text::fixed("照片应为 JPEG、PNG 或 WebP", "a photo is JPEG, PNG or WebP");
            return Err(TYPE_NOT_ALLOWED.because(detail).at(pointer).into());
        }
        let uploader = match self.actor.id() {
            Some(_) => self.actor.clone(),
            None => Actor::system(),
        };
        let taken = intake::take_in(self.files, &self.context.db, &uploader, &claim, body, self.now).await;
        let (photo, sha256) = taken.map_err(|stop| match stop {
            Stop::Refused(refusal) => Stop::from(Refusal {
                objections: Vec::new(),
                ..*refusal
            }
            .at(pointer.clone())),
            fault @ Stop::Fault(_) => fault,
        })?;
        let print = hex::encode(intake::fingerprint(sha256, &claim)?);
        Ok((photo, print))
    }

    /// Counts a report, for everybody but officers, who inspect; a refused one is noted for its place.
    async fn count(&self, fields: &[(String, String)]) -> Answer<()> {
        if self.actor.has(Role::BuyerOfficer) {
            return Ok(());
        }
        let sender = match self.actor.id() {
            Some(account) => Sender::Account(account),
            None => Sender::Network(self.network),
        };
        let Err(stop) = self.reception.count(sender, self.now) else {
            return Ok(());
        };
        let place = fields.iter().find(|(name, _)| name == "place");
        let meant = place.and_then(|(_, place)| place.parse::<PlaceRef>().ok());
        if let Some(meant) = meant {
            let found = self.context.db.read(move |conn| store_places::in_use(conn, &meant)).await?;
            if let Some(place) = found {
                let day = local_date(self.now, self.context.calendar.zone);
                self.reception.note_refused(place.id, day);
            }
        }
        Err(stop)
    }

    async fn discard(&self, places: impl Iterator<Item = &str>) {
        for place in places {
            // What the caller has to know is why; a store that fails meanwhile is cleared by the sweep.
            let _ = self.files.shelf.delete(place).await;
        }
    }
}

fn unknown(name: &str) -> Objection {
    Objection {
        pointer: format!("/{name}"),
        code: "unknown_member",
        detail: Text::fixed("没有这个字段", "there is no such member"),
    }
}

fn refuse_unknown(fields: &Filled, more: &[&str]) -> Answer<()> {
    let foreign = fields
        .names()
        .filter(|name| !FIELDS.contains(name) && !more.contains(name));
    let objections: Vec<Objection> = foreign.map(unknown).collect();
    if objections.is_empty() {
        Ok(())
    } else {
        Err(INVALID.refuse().listing(objections).into())
    }
}

/// What a form says, as far as it can be read.
fn said(fields: &Filled) -> Answer<(PlaceRef, Said)> {
    let unreadable = || {
        let detail = Text::fixed("没有此代码的地点", "no place has this code");
        INVALID.because(detail).at("/place")
    };
    let place = fields.get("place").parse().map_err(|()| unreadable())?;
    let occurred_at = match fields.given("occurred_at") {
        Some(at) => {
            let read = DateTime::parse_from_rfc3339(at).map_err(|_| {
                let detail = Text::fixed("应为 RFC 3339 时间", "must be RFC 3339");
                INVALID.because(detail).at("/occurred_at")
            })?;
            Some(read.with_timezone(&Utc))
        }
        None => None,
    };
    let said = Said {
        category: fields.get("category").to_owned(),
        words: fields.get("text").to_owned(),
        occurred_at,
        contact: fields.given("contact").map(str::to_owned),
    };
    Ok((place, said))
}

fn receipt(filed: &Filed) -> ReceiptView {
    let outcome = match filed.outcome {
        Outcome::Opened => "opened",
        Outcome::Joined => "joined",
        Outcome::OnlyCounted => "counted",
    };
    ReceiptView {
        outcome: outcome.to_owned(),
        place_id: filed.place.id.clone(),
        defect_id: filed.defect.as_ref().map(|defect| defect.id.clone()),
        state: filed.defect.as_ref().map(|defect| defect.state),
        reports_count: filed.defect.as_ref().map(|defect| defect.reports_count),
        report_id: filed.report.clone(),
        follow_up: None,
    }
}

/// What an act leaves behind for what follows its transaction.
#[derive(Default)]
struct Aftermath {
    used: Vec<bool>,
    only_counted: Option<(ServedPlaceId, chrono::NaiveDate)>,
}

/// Files what was received, and answers with what became of it.
///
/// # Errors
/// Those of the act.
pub(super) async fn file(
    counter: &Counter<'_>,
    (context, files, reception): (&Shared, &Desk, &AtReception),
    once: Once,
    received: Received,
    language: Language,
) -> Answer<(Reply, ReceiptView)> {
    let places: Vec<String> = received.photos.iter().map(|photo| photo.place.clone()).collect();
    let (place, said) = match said(&received.fields) {
        Ok(read) => read,
        Err(stop) => {
            counter.discard(places.iter().map(String::as_str)).await;
            return Err(stop);
        }
    };
    let new = NewReport {
        place,
        said,
        language,
        photos: received.photos,
    };
    let aftermath: Arc<Mutex<Aftermath>> = Arc::default();
    let left = aftermath.clone();
    let (by, asked, desk, at) = (counter.actor.clone(), context.clone(), files.clone(), reception.clone());
    let done = context
        .reply_once(
            counter.actor.id().or(Some(ANONYMOUS)),
            once,
            received.digest,
            move |tx| {
                let bounds = Bounds {
                    per_place: at.limits.per_place,
                    files: &desk.limits,
                };
                let setting = Setting {
                    calendar: &asked.calendar,
                    key: &at.key,
                };
                // A transaction that lost a race runs again, and leaves behind what its last run does.
                *left.lock().unwrap_or_else(PoisonError::into_inner) = Aftermath::default();
                let filed = acts::report(tx, &by, &new, (bounds, setting))?;
                let only_counted = filed.outcome == Outcome::OnlyCounted;
                *left.lock().unwrap_or_else(PoisonError::into_inner) = Aftermath {
                    used: filed.used.clone(),
                    only_counted: only_counted.then(|| (filed.place.id.clone(), filed.day)),
                };
                let status = if only_counted { 202 } else { 201 };
                Ok(Reply::json(status, &receipt(&filed))?)
            },
        )
        .await;
    let after = std::mem::take(&mut *aftermath.lock().unwrap_or_else(PoisonError::into_inner));
    // A fault does not say whether it was done; the sweep will see.
    if !matches!(done, Err(Stop::Fault(_))) {
        let used = |at: usize| after.used.get(at).copied().unwrap_or_default();
        let unused = places.iter().enumerate().filter(|(at, _)| !used(*at));
        counter.discard(unused.map(|(_, place)| place.as_str())).await;
    }
    if let Some((place, day)) = after.only_counted {
        let more = Day {
            only_counted: 1,
            ..Day::default()
        };
        let one = [(place, day, more)];
        context.db.upkeep(move |tx| acts::count(tx, &one)).await?;
    }
    let reply = done?;
    let mut view: ReceiptView = reply.value()?;
    if counter.actor.id().is_none()
        && let Some(report) = &view.report_id
    {
        view.follow_up = Some(reception.key.token(report)?);
    }
    Ok((reply.saying(&view)?, view))
}

/// The language that the caller reads.
pub(super) fn language_of(request: &HttpRequest) -> Language {
    let extensions = request.extensions();
    let info = extensions.get::<RequestInfo>();
    info.map(|info| info.language).unwrap_or_default()
}

/// Report a defect
///
/// By anybody, in one form (`multipart/form-data`) with up to four photos: with an account, or without one by the code that is put up at the place. The same as
/// somebody has reported and is not put right yet joins that: one defect with a count. What officers and residents report goes to the contractor at once, and so
/// does what has to be put right within a day; anything else waits for the buyer's officer. Words and photos are public once an officer has released them. From one
/// network or account so many reports are taken in an hour, and of one place so many in a day; beyond those a report is only counted. A phone that has lost the
/// answer sends the same form with the same `Idempotency-Key` again, which without an account has to be one that nobody else can think of.
#[utoipa::path(
    operation_id = "report_defect",
    tag = "defects",
    request_body(content = ReportForm, content_type = "multipart/form-data", description = "The form; its photos under the name `photos`, each"),
    responses(
        (status = 201, description = "What became of it", body = ReceiptView),
        (status = 202, description = "It was only counted: the place has had many reports today", body = ReceiptView),
        (status = 404, description = "No place has this code, or it was renewed or retired"),
        (status = 409, description = "`defect_code_needed`, `defect_not_served`, `attachment_quota_of_day`, `attachment_quota_of_unattached`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
        (status = 429, description = "Too many reports; `uploads_at_once`"),
        (status = 503, description = "`defect_reports_busy`, `uploads_busy`, `scanner_unavailable`, `file_store_unavailable`"),
    ),
    extensions(("x-action" = json!("ReportDefect"))),
)]
#[post("/defect-reports")]
async fn take_report(
    (request, context, files, reception): (HttpRequest, Shared, Desk, AtReception),
    actor: Actor,
    once: Once,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReportDefect, Matter::default())?;
    let counter = Counter {
        context: &context,
        files: &files,
        reception: &reception,
        actor: &actor,
        network: client_network(&request, &context),
        now: context.clock.now(),
    };
    let received = counter.receive(incoming, &[]).await?;
    let language = language_of(&request);
    let (reply, _) = file(&counter, (&context, &files, &reception), once, received, language).await?;
    reply.into_response()
}

/// List your own reports
///
/// What you have reported with your account and was kept, the last first.
#[utoipa::path(
    operation_id = "list_own_defect_reports",
    tag = "defects",
    params(
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<ReportView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadOwnDefectReports"))),
)]
#[get("/me/defect-reports")]
async fn list_own(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOwnDefectReports, Matter::default())?;
    let account = actor.id().ok_or_else(|| UNAUTHENTICATED.refuse())?.to_owned();
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["own-defect-reports", &account]);
    let before = after(&question, cursor.as_deref())?;
    let views = context
        .db
        .read(move |conn| {
            let mut views = Vec::new();
            for one in store::by_account(conn, &account, before.as_deref(), one_more(limit))? {
                views.push(report_view(conn, &actor, one, (Reader::Author, State::Dispatched))?);
            }
            Ok(views)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &ReportView| vec![one.id.to_string()]);
    Ok(page.answer(&request))
}

/// Read what came of a report
///
/// For those without an account, by the token that they got with their report.
#[utoipa::path(
    operation_id = "follow_defect_report",
    tag = "defects",
    params(("token" = String, Path, max_length = 100, description = "The token", example = "defectreport_01jd3n8f5teqkrzvq1c0m6h2ax.CwQ2lI5oJ7hUMnA0yWb0Og")),
    responses(
        (status = 200, description = "The defect", body = DefectView),
        (status = 404, description = "There is no such report"),
    ),
    extensions(("x-action" = json!("FollowDefect"))),
)]
#[get("/followed-defect-reports/{token}")]
async fn follow(
    context: Shared,
    reception: AtReception,
    actor: Actor,
    token: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::FollowDefect, Matter::default())?;
    let id = reception.key.report(&token)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let now = context.clock.now();
    let view = context
        .db
        .read(move |conn| {
            let report = store::report(conn, &id)?.ok_or_else(|| NOT_FOUND.refuse())?;
            let defect = store_defects::defect(conn, &report.defect_id)?.ok_or_else(|| NOT_FOUND.refuse())?;
            let mut view = shown_one(conn, &actor, defect.as_of(now), now)?;
            // What they have said themself they may read.
            view.text = view.text.or(Some(report.words));
            Ok(view)
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// List the reports of a defect
///
/// For everybody who may see the defect: in which capacity and when each was made, never by whom. Words and photos are shown as far as you may see them.
#[utoipa::path(
    operation_id = "list_defect_reports",
    tag = "defects",
    params(("id" = DefectId, Path, description = "The defect")),
    responses(
        (status = 200, description = "Those that were kept", body = ReportsView),
        (status = 404, description = "There is no such defect, or not for you yet"),
    ),
    extensions(("x-action" = json!("ReadDefects"))),
)]
#[get("/defects/{id}/reports")]
async fn list_of_defect(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadDefects, Matter::default())?;
    let (id, now) = (parsed::<DefectId>(&id)?, context.clock.now());
    let view = context
        .db
        .read(move |conn| {
            let Seen { defect, reader, .. } = desk::seen(conn, &actor, &id, now)?;
            let mut items = Vec::new();
            for one in store::of_defects(conn, &[&defect.id])? {
                items.push(report_view(conn, &actor, one, (reader, defect.state))?);
            }
            Ok(ReportsView { items })
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Show or hide a report
///
/// By the buyer's officer: its words and photos are for everybody from now on, or for nobody outside the office but auditors. Needs `If-Match` with the `ETag` of the
/// revision you mean.
#[utoipa::path(
    operation_id = "moderate_defect_report",
    tag = "defects",
    params(
        ("id" = DefectReportId, Path, description = "The report"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = ModerationBody,
    responses(
        (status = 200, description = "The report as it is now", body = ReportView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such report"),
        (status = 409, description = "`defect_report_moderated_so`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DecideDefects"))),
)]
#[post("/defect-reports/{id}/moderation")]
async fn moderate(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideDefects)?;
    let body = incoming.json::<ModerationBody>().await?;
    let (id, expected) = (parsed::<DefectReportId>(&id)?, Expected::of(&request)?);
    let said = body.value;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let to = (said.visibility, said.reason.as_deref());
            let moderated = acts::moderate(tx, by, (&id, expected), to)?;
            let etag = conditional::etag(moderated.revision);
            let view = report_view(tx.conn(), by, moderated, (Reader::Buyer, State::Dispatched))?;
            Ok(Reply::json(200, &view)?.etag(etag))
        })
        .await
}
