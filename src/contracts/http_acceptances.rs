//! Acceptances over HTTP: handing over, drafting and reading; parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::desk::{one_more, page_or_table, parsed};
use crate::contracts::acts_acceptances as acts;
use crate::contracts::acts_periods;
use crate::contracts::desk;
use crate::contracts::desk_acceptances::{Prefilled, Seen, acceptable, prefilled, seen};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptance_findings::{Entered, EnteredFinding, ServedPerson};
use crate::contracts::rules_acceptances::{AcceptanceId, Conclusion};
use crate::contracts::rules_acceptances_document::{
    AcceptanceDocument, BasisDocument, Finding, GradeDocument, RatingDocument, ScoreDocument,
};
use crate::contracts::store_acceptances as store;
use crate::contracts::view_acceptances::{AcceptanceView, ServedPeopleView, shown};
use crate::db::conn::Conn;
use crate::files::rules::AttachmentId;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::kernel::score::Score;
use crate::kernel::weight::Weight;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional;
use crate::web::format::{Format, csv_table};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(hand_over)
        .service(prefill)
        .service(draft)
        .service(list)
        .service(read)
        .service(read_content)
        .service(read_served);
}

/// What was done in a period.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewHandOver, example = json!({"hand_over": "按合同完成五月保洁，机扫每日三次", "attachment_ids": []}))]
pub struct HandOverBody {
    /// What was done. It is public.
    #[schema(min_length = 1, max_length = 2000)]
    hand_over: String,
    /// Files that show it: PDF, PNG, JPEG or WebP; for the parties and auditors.
    #[serde(default)]
    #[schema(max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
}

/// What the officer finds of an indicator.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAcceptanceFinding, example = json!({"indicator": "cigarette_ends", "finding": "not_met", "words": null}))]
pub struct FindingBody {
    /// The code of the indicator.
    #[schema(min_length = 1, max_length = 40)]
    indicator: String,
    /// What is found.
    finding: Finding,
    /// Why; needed where it differs from what inspections say. It is public.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    words: Option<String>,
}

/// Somebody whom the service is for, and who was invited.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewServedPerson, example = json!({"name": "张三", "took_part": true, "words": "早上很干净"}))]
pub struct ServedBody {
    /// Who; for the buyer's people and auditors alone.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Whether they took part.
    took_part: bool,
    /// What they said; public without the name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    words: Option<String>,
}

/// A certificate to draft.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAcceptanceDraft, example = json!({
    "findings": [{"indicator": "cigarette_ends", "finding": "met", "words": null}], "served": [{"name": "张三", "took_part": true, "words": "早上很干净"}],
    "summary_zh": "总体满意", "summary_en": "Content on the whole", "conclusion": "accepted", "undisputed_percent": null, "reason_zh": null, "reason_en": null
}))]
pub struct DraftBody {
    /// What is found of each indicator.
    #[schema(max_items = 400)]
    findings: Vec<FindingBody>,
    /// Who was invited of those whom the service is for.
    #[serde(default)]
    #[schema(max_items = 100)]
    served: Vec<ServedBody>,
    /// What they think of it, in Chinese. It is public.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    summary_zh: Option<String>,
    /// In English.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    summary_en: Option<String>,
    /// What is concluded.
    conclusion: Conclusion,
    /// With reservations: the part that is undisputed, in percent, above 0.
    #[serde(default)]
    undisputed_percent: Option<Weight>,
    /// What is outstanding, or why it is refused, in Chinese. It is public.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    reason_zh: Option<String>,
    /// In English.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    reason_en: Option<String>,
}

impl From<DraftBody> for Entered {
    fn from(body: DraftBody) -> Self {
        let finding = |one: FindingBody| EnteredFinding {
            indicator: one.indicator,
            finding: one.finding,
            words: one.words,
        };
        let person = |one: ServedBody| ServedPerson {
            name: one.name,
            took_part: one.took_part,
            words: one.words,
        };
        Self {
            findings: body.findings.into_iter().map(finding).collect(),
            served: body.served.into_iter().map(person).collect(),
            summary: (body.summary_zh, body.summary_en),
            conclusion: body.conclusion,
            undisputed: body.undisputed_percent,
            reason: (body.reason_zh, body.reason_en),
        }
    }
}

/// What a certificate of a period rests on, as it is now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AcceptancePrefill, example = json!({"findings": [], "scores": [], "score": null, "grade": null, "rating": null}))]
pub struct PrefillView {
    /// What inspections say of each indicator that has to be covered.
    #[schema(max_items = 400)]
    pub findings: Vec<BasisDocument>,
    /// What the period scores, by source.
    #[schema(max_items = 10)]
    pub scores: Vec<ScoreDocument>,
    /// What it scores in all; `null` where a source is not settled.
    #[schema(required = true)]
    pub score: Option<Score>,
    /// The grade of that.
    #[schema(required = true)]
    pub grade: Option<GradeDocument>,
    /// What the residents' rating gave.
    #[schema(required = true)]
    pub rating: Option<RatingDocument>,
}

impl From<Prefilled> for PrefillView {
    fn from(found: Prefilled) -> Self {
        Self {
            findings: found.bases,
            scores: found.scores,
            score: found.score,
            grade: found.grade,
            rating: found.rating,
        }
    }
}

/// The answer to an act on an acceptance.
pub(super) fn replied(
    (conn, actor): (&mut Conn, &Actor),
    status: u16,
    seen: &Seen,
    now: Instant,
) -> Answer<Reply> {
    let view = shown(conn, actor, seen, now)?;
    Ok(Reply::json(status, &view)?.etag(conditional::etag(view.revision)))
}

/// Hand a period over
///
/// By the contractor, once its last day is over: what was done, in words and files. The time for inspection begins; if the buyer has signed no certificate by
/// the end of its last day, silence accepts the period. After a certificate that refuses it, a period is handed over again in a further round.
#[utoipa::path(
    operation_id = "hand_over_period",
    tag = "inspections",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the period", example = "1"),
    ),
    request_body = HandOverBody,
    responses(
        (status = 201, description = "The acceptance", body = AcceptanceView, headers(("ETag" = String, description = "The revision"), ("Location" = String, description = "Where it is"))),
        (status = 404, description = "There is no such contract or period"),
        (status = 409, description = "`acceptance_period_never_ran`, `acceptance_period_not_over`, `acceptance_silent`, `acceptance_concluded`, `acceptance_objection_open`, `acceptance_too_many_rounds`, `acceptance_handed_over_already`, `calendar_ends`, and those of attachments"),
    ),
    extensions(("x-action" = json!("HandOverPeriod"))),
)]
#[post("/contracts/{id}/periods/{number}/hand-over")]
async fn hand_over(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::HandOverPeriod)?;
    let body = incoming.json::<HandOverBody>().await?;
    let (id, number) = (parsed::<ContractId>(&path.0)?, parsed::<i64>(&path.1)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let what = (said.hand_over.as_str(), said.attachment_ids.as_slice());
            let seen = acts::hand_over(tx, by, (&id, number), what, &asked.calendar)?;
            let (location, now) = (format!("/api/v1/acceptances/{}", seen.acceptance.id), tx.now());
            Ok(replied((tx.conn(), by), 201, &seen, now)?.location(location))
        })
        .await
}

/// Read what a certificate rests on
///
/// What inspections say of each indicator of the contract, and what the period scores, as it is now: what a draft is filled in from. For the buyer's people
/// and auditors.
#[utoipa::path(
    operation_id = "read_acceptance_prefill",
    tag = "inspections",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the period", example = "1"),
    ),
    responses(
        (status = 200, description = "What there is", body = PrefillView),
        (status = 404, description = "There is no such contract or period"),
        (status = 409, description = "`acceptance_period_never_ran`, `acceptance_period_not_over`"),
    ),
    extensions(("x-action" = json!("OpenAcceptances"))),
)]
#[get("/contracts/{id}/periods/{number}/acceptance-draft")]
async fn prefill(context: Shared, actor: Actor, path: web::Path<(String, String)>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenAcceptances)?;
    let (id, number) = (parsed::<ContractId>(&path.0)?, parsed::<i64>(&path.1)?);
    let asked = context.clone();
    let found = context
        .db
        .read(move |conn| {
            let at = (&asked.calendar, asked.clock.now());
            let signed = desk::signed(conn, &id)?;
            policy::allow(&actor, Action::OpenAcceptances, signed.of_buyer())?;
            let (signed, period) = acts_periods::period(conn, &id, number)?;
            acceptable(&signed, &period, at)?;
            prefilled(conn, &id, number, at)
        })
        .await?;
    Ok(HttpResponse::Ok().json(PrefillView::from(found)))
}

/// Draft a certificate of acceptance
///
/// By the buyer's officer. It covers each indicator of the contract's standard and of its lot's own, says who was invited of the people served and what they think,
/// and concludes. Where nothing was handed over it begins the acceptance; a further draft takes the place of the one before.
#[utoipa::path(
    operation_id = "draft_acceptance",
    tag = "inspections",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the period", example = "1"),
    ),
    request_body = DraftBody,
    responses(
        (status = 201, description = "The acceptance", body = AcceptanceView, headers(("ETag" = String, description = "The revision"), ("Location" = String, description = "Where it is"))),
        (status = 403, description = "`acceptance_of_own_work`, `separation_of_duties`"),
        (status = 404, description = "There is no such contract or period"),
        (status = 409, description = "`acceptance_period_never_ran`, `acceptance_period_not_over`, `acceptance_silent`, `acceptance_concluded`, `acceptance_objection_open`, `acceptance_too_many_rounds`, `acceptance_too_many_drafts`"),
        (status = 422, description = "Something of it does not fit; every fault is listed: `not_covered`, `finding_differs`, `unknown_indicator`, `twice` among them"),
    ),
    extensions(("x-action" = json!("DraftAcceptance"))),
)]
#[post("/contracts/{id}/periods/{number}/acceptance-draft")]
async fn draft(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftAcceptance)?;
    let body = incoming.json::<DraftBody>().await?;
    let (id, number) = (parsed::<ContractId>(&path.0)?, parsed::<i64>(&path.1)?);
    let (entered, asked) = (Entered::from(body.value), context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let seen = acts::draft(tx, by, (&id, number), entered.clone(), &asked.calendar)?;
            let (location, now) = (format!("/api/v1/acceptances/{}", seen.acceptance.id), tx.now());
            Ok(replied((tx.conn(), by), 201, &seen, now)?.location(location))
        })
        .await
}

/// List the acceptances of a contract
///
/// By period and round. They are public. As CSV with `Accept: text/csv`.
#[utoipa::path(
    operation_id = "list_acceptances",
    tag = "inspections",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("period" = Option<i64>, Query, minimum = 1, maximum = 120, description = "Of this period"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", content(
            (Page<AcceptanceView> = "application/json"),
            (String = "text/csv", example = "id,contract_id,period,round,state,handed_over_at,inspect_until,accepted_since,undisputed_percent,score,grade,sha256\r\n")
        ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such contract"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/acceptances")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let id = parsed::<ContractId>(&id)?;
    let mut query = Query::of(&request);
    let period = query.parsed::<i64>("period");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let wanted = period.map(|period| period.to_string()).unwrap_or_default();
    let question = Question::of(&["acceptances", id.as_str(), &wanted]);
    let after = match question.after(cursor.as_deref(), 2)?.as_deref() {
        Some([period, round]) => {
            let number = |text: &String| text.parse::<i64>().map_err(|_| bad_cursor());
            Some((number(period)?, number(round)?))
        }
        _ => None,
    };
    let asked = context.clone();
    let views = context
        .db
        .read(move |conn| {
            let mut signed = desk::signed(conn, &id)?;
            let now = asked.clock.now();
            let mut views = Vec::new();
            for acceptance in store::of_contract(conn, &id, (period, after), one_more(limit))? {
                let seen = Seen { signed, acceptance };
                views.push(shown(conn, &actor, &seen, now)?);
                signed = seen.signed;
            }
            Ok(views)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &AcceptanceView| {
        vec![one.period.to_string(), one.round.to_string()]
    });
    page_or_table(&request, page, format, ("acceptances.csv", table))
}

fn table(items: &[AcceptanceView]) -> Answer<Vec<u8>> {
    let columns = [
        "id",
        "contract_id",
        "period",
        "round",
        "state",
        "handed_over_at",
        "inspect_until",
        "accepted_since",
        "undisputed_percent",
        "score",
        "grade",
        "sha256",
    ];
    let cell = |text: &Option<String>| text.clone().unwrap_or_default();
    let rows: Vec<[String; 12]> = items
        .iter()
        .map(|item| {
            [
                item.id.to_string(),
                item.contract_id.to_string(),
                item.period.to_string(),
                item.round.to_string(),
                item.state.name().to_owned(),
                cell(&item.handed_over_at),
                cell(&item.inspect_until.map(|day| day.to_string())),
                cell(&item.accepted_since),
                cell(&item.undisputed_percent.map(|part| part.to_string())),
                cell(&item.score.map(|score| score.to_string())),
                cell(&item.grade),
                cell(&item.sha256),
            ]
        })
        .collect();
    Ok(csv_table(
        &columns,
        rows.iter().map(|row| row.each_ref().map(String::as_str)),
    )?)
}

/// Read an acceptance
///
/// Everybody may; why the contractor objects, who signed and what was handed in, the parties and auditors; what is drafted, the buyer's people and auditors.
#[utoipa::path(
    operation_id = "read_acceptance",
    tag = "inspections",
    params(("id" = AcceptanceId, Path, description = "The acceptance")),
    responses(
        (status = 200, description = "The acceptance", body = AcceptanceView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such acceptance"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/acceptances/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, asked) = (parsed::<AcceptanceId>(&id)?, context.clone());
    let view = context
        .db
        .read(move |conn| {
            let seen = seen(conn, &id)?;
            shown(conn, &actor, &seen, asked.clock.now())
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(view.revision)))
        .json(view))
}

/// Read a certificate
///
/// The bytes that were signed, whose hash the log has; everybody may. Before that the last draft, which is what is signed: for the buyer's people and auditors.
#[utoipa::path(
    operation_id = "read_acceptance_content",
    tag = "inspections",
    params(
        ("id" = AcceptanceId, Path, description = "The acceptance"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The certificate", body = AcceptanceDocument, headers(("ETag" = String, description = "The number of the draft"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the one there is"),
        (status = 404, description = "There is no such acceptance, or nothing of it is signed, or drafted"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/acceptances/{id}/content")]
async fn read_content(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<AcceptanceId>(&id)?;
    let certificate = context
        .db
        .read(move |conn| {
            let seen = seen(conn, &id)?;
            let is_known = seen.acceptance.signed.is_some() || seen.is_drafters(&actor);
            let last = store::draft(conn, &id, seen.acceptance.drafts)?;
            let last = last.filter(|_| is_known);
            Ok(last.ok_or_else(|| NOT_FOUND.refuse())?)
        })
        .await?;
    let etag = conditional::etag(certificate.number);
    let current = conditional::is_current(&request, &etag);
    let mut response = if current {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("private, no-cache")));
    if current {
        return Ok(response.finish());
    }
    Ok(response
        .content_type("application/json")
        .body(certificate.content))
}

/// List who was invited to an acceptance
///
/// By the last draft. The names are for the buyer's people and auditors; how many they are and what they said is in the certificate.
#[utoipa::path(
    operation_id = "list_served_people",
    tag = "inspections",
    params(("id" = AcceptanceId, Path, description = "The acceptance")),
    responses(
        (status = 200, description = "All of them", body = ServedPeopleView),
        (status = 404, description = "There is no such acceptance"),
    ),
    extensions(("x-action" = json!("OpenAcceptances"))),
)]
#[get("/acceptances/{id}/served-people")]
async fn read_served(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenAcceptances)?;
    let id = parsed::<AcceptanceId>(&id)?;
    let people = context
        .db
        .read(move |conn| {
            let seen = seen(conn, &id)?;
            policy::allow(&actor, Action::OpenAcceptances, seen.signed.of_buyer())?;
            store::served(conn, &id, seen.acceptance.drafts)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("private, no-store")))
        .json(ServedPeopleView {
            items: people.into_iter().map(Into::into).collect(),
        }))
}
