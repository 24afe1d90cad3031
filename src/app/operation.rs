//! What operators and programs ask of the service itself: is it alive, is it ready, its metrics, its keys, what its
//! problems mean.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, get, web};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::Serialize;
use std::sync::OnceLock;
use utoipa::ToSchema;

use crate::audit;
use crate::db::conn::DATABASE_TIMED_OUT;
use crate::db::database::{DATABASE_UNAVAILABLE, READ_ONLY};
use crate::kernel::refusal::{Answer, Fault, Reason};
use crate::kernel::text::Language::{Chinese, English};
use crate::web::actor::Shared;
use crate::web::operations::Operations;
use crate::web::problem::{self, NOT_FOUND};
use crate::web::token::Jwks;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(live)
        .service(ready)
        .service(metrics_text)
        .service(jwks)
        .service(problems)
        .service(problem_of);
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`; what is not comes as a problem document.
    #[schema(example = "ok")]
    pub status: &'static str,
    /// The version of the program.
    #[schema(example = "0.1.0")]
    pub version: &'static str,
}

const HEALTHY: Health = Health {
    status: "ok",
    version: env!("CARGO_PKG_VERSION"),
};

/// Is it alive
///
/// The process answers. Restart it if it does not.
#[utoipa::path(
    operation_id = "health_live",
    tag = "operation",
    responses((status = 200, description = "It is", body = Health)),
    extensions(("x-action" = json!("Everyone"))),
)]
#[get("/health/live")]
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(HEALTHY)
}

/// Is it ready
///
/// It reads and writes. Send it no requests while it does not.
#[utoipa::path(
    operation_id = "health_ready",
    tag = "operation",
    responses(
        (status = 200, description = "It is", body = Health),
        (status = 503, description = "`read_only`, `database_unavailable`"),
    ),
    extensions(("x-action" = json!("Everyone"))),
)]
#[get("/health/ready")]
async fn ready(context: Shared) -> Answer<HttpResponse> {
    context.db.read(audit::store::last_checkpoint).await?;
    if let Some(why) = context.db.halted() {
        return Err(READ_ONLY.because(why).into());
    }
    if !context.db.writer_is_alive() {
        return Err(DATABASE_UNAVAILABLE.refuse().into());
    }
    Ok(HttpResponse::Ok().json(HEALTHY))
}

/// Metrics
///
/// In the text format of Prometheus. Not here if the configuration puts them on another port.
#[utoipa::path(
    operation_id = "read_metrics",
    tag = "operation",
    responses(
        (status = 200, description = "Counters, gauges and histograms", body = String, content_type = "text/plain",
            example = "# TYPE wardbook_writes_waiting gauge\nwardbook_writes_waiting 0\n"),
        (status = 404, description = "They are on another port"),
    ),
    extensions(("x-action" = json!("Everyone"))),
)]
#[get("/metrics")]
async fn metrics_text(context: Shared) -> Answer<HttpResponse> {
    if !context.settings.metrics_in_public {
        return Err(NOT_FOUND.refuse().into());
    }
    rendered(&context)
}

/// The metrics as text.
///
/// # Errors
/// A fault if no recorder was installed.
pub fn rendered(context: &Shared) -> Answer<HttpResponse> {
    let waiting = u32::try_from(context.db.writes_waiting()).unwrap_or(u32::MAX);
    metrics::gauge!("wardbook_writes_waiting").set(f64::from(waiting));
    let recorder = RECORDER
        .get()
        .ok_or_else(|| Fault::broken("no metrics are recorded"))?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(recorder.render()))
}

/// Sums up the samples of the histograms. Without it they would be kept until somebody asks for the metrics.
pub fn sum_up_metrics() {
    if let Some(recorder) = RECORDER.get() {
        recorder.run_upkeep();
    }
}

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the process's recorder of metrics; the first call counts.
///
/// # Errors
/// A fault if another recorder is there.
pub fn record_metrics() -> Result<(), Fault> {
    const SECONDS: [f64; 12] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
    ];
    const JOBS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
    if RECORDER.get().is_some() {
        return Ok(());
    }
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_jobs".to_owned()), &JOBS))
        .map_err(|error| Fault::caused("set up metrics", error))?;
    let recorder = builder.build_recorder();
    if RECORDER.set(recorder.handle()).is_ok() {
        metrics::set_global_recorder(recorder).map_err(|error| Fault::broken(error.to_string()))?;
    }
    Ok(())
}

/// Keys that sign access tokens
///
/// A JSON Web Key Set (RFC 7517), newest first.
#[utoipa::path(
    operation_id = "read_token_keys",
    tag = "operation",
    responses((status = 200, description = "Public keys", body = Jwks)),
    extensions(("x-action" = json!("Everyone"))),
)]
#[get("/.well-known/jwks.json")]
async fn jwks(context: Shared) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("public, max-age=60")))
        .json(context.tokens.jwks())
}

/// What a problem's `code` means.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemMeaning {
    /// The code.
    #[schema(example = "version_stale")]
    pub code: &'static str,
    /// The HTTP status code that comes with it.
    #[schema(example = 412)]
    pub status: u16,
    /// In Chinese.
    #[schema(example = "内容已被他人修改，请重新读取")]
    pub title_zh: &'static str,
    /// In English.
    #[schema(example = "It has changed since; read it again")]
    pub title_en: &'static str,
}

fn meaning(reason: &'static Reason) -> ProblemMeaning {
    ProblemMeaning {
        code: reason.code,
        status: problem::status(reason).as_u16(),
        title_zh: reason.title.in_language(Chinese),
        title_en: reason.title.in_language(English),
    }
}

/// Every reason the service can give for not doing something, by code.
pub fn reasons() -> Vec<&'static Reason> {
    use crate::db::writer;
    use crate::web::{actor, conditional, idempotency, limits, page, policy};
    let mut reasons: Vec<&'static Reason> = problem::REASONS.to_vec();
    reasons.extend(policy::REASONS);
    reasons.extend(crate::registry::rules_organisations::REASONS);
    reasons.extend(crate::registry::rules_bank_accounts::REASONS);
    reasons.extend(crate::registry::rules_qualifications::REASONS);
    reasons.extend(crate::registry::rules_debarments::REASONS);
    reasons.push(&crate::registry::acts_evidence::TOO_MUCH);
    reasons.extend(crate::registry::rules::REASONS);
    reasons.extend(crate::outbox::rules::REASONS);
    reasons.extend(crate::people::rules_roles::REASONS);
    reasons.extend(crate::registry::rules_roll::REASONS);
    reasons.extend(crate::registry::rules_letters::REASONS);
    reasons.extend(crate::registry::acts_roll_import::REASONS);
    reasons.extend(crate::people::rules::REASONS);
    reasons.extend(crate::people::rules_sessions::REASONS);
    reasons.extend(crate::files::rules::REASONS);
    reasons.extend(crate::people::rules_totp::REASONS);
    reasons.extend(crate::people::rules_outside::REASONS);
    reasons.push(&crate::people::rules_links::LINK_REFUSED);
    reasons.push(&crate::duties::rules::SEPARATION_OF_DUTIES);
    reasons.extend(crate::statutes::rules::REASONS);
    reasons.extend(crate::standards::rules::REASONS);
    reasons.extend(crate::budget::rules::REASONS);
    reasons.extend(crate::budget::rules_ledger::REASONS);
    reasons.extend(crate::budget::rules_movements::REASONS);
    reasons.extend(crate::budget::rules_year_ends::REASONS);
    reasons.extend(crate::budget::rules_delegations::REASONS);
    reasons.extend(crate::budget::acts_holds::REASONS);
    reasons.extend(crate::books::rules_intentions::REASONS);
    reasons.extend(crate::books::rules_consultations::REASONS);
    reasons.extend(crate::books::rules_saved_searches::REASONS);
    reasons.extend(crate::books::rules_follows::REASONS);
    reasons.extend(crate::books::rules::REASONS);
    reasons.extend(crate::books::rules_addenda::REASONS);
    reasons.extend(crate::books::rules_witnesses::REASONS);
    reasons.extend(crate::bids::sealing::REASONS);
    reasons.extend(crate::books::rules_enquiries::REASONS);
    reasons.extend(crate::bids::rules_confidentiality::REASONS);
    reasons.extend(crate::bids::rules_documents::REASONS);
    reasons.extend(crate::bids::rules_opening::REASONS);
    reasons.extend(crate::bids::rules::REASONS);
    reasons.extend(crate::bids::rules_securities::REASONS);
    reasons.extend(crate::ballots::rules::REASONS);
    reasons.extend(crate::award::rules_awards::REASONS);
    reasons.extend(crate::award::rules_challenges::REASONS);
    reasons.extend(crate::award::rules_complaints::REASONS);
    reasons.extend(crate::award::rules_scores::REASONS);
    reasons.extend(crate::award::rules_appraisals::REASONS);
    reasons.extend(crate::award::rules_appraisal_ballots::REASONS);
    reasons.push(&crate::kernel::days::CALENDAR_ENDS);
    reasons.extend(crate::award::rules_endings::REASONS);
    reasons.extend(crate::award::rules_experts::REASONS);
    reasons.extend(crate::award::rules_corrections::REASONS);
    reasons.extend(crate::contracts::rules::REASONS);
    reasons.extend(crate::contracts::desk::REASONS);
    reasons.extend(crate::contracts::rules_securities::REASONS);
    reasons.extend(crate::contracts::rules_periods::REASONS);
    reasons.extend(crate::contracts::acts_ratings::REASONS);
    reasons.extend(crate::contracts::rules_comments::REASONS);
    reasons.extend(crate::contracts::rules_plans::REASONS);
    reasons.extend(crate::contracts::rules_inspections::REASONS);
    reasons.extend(crate::contracts::rules_contests::REASONS);
    reasons.extend(crate::contracts::rules_places::REASONS);
    reasons.extend(crate::contracts::rules_defects::REASONS);
    reasons.extend(crate::contracts::rules_defect_reports::REASONS);
    reasons.extend(crate::contracts::reception::REASONS);
    reasons.extend(crate::contracts::rules_variations::REASONS);
    reasons.extend(crate::contracts::rules_variation_bounds::REASONS);
    reasons.extend(crate::contracts::rules_rectifications::REASONS);
    reasons.extend(crate::contracts::rules_triggers::REASONS);
    reasons.extend(crate::contracts::rules_terminations::REASONS);
    reasons.extend(crate::contracts::rules_acceptances::REASONS);
    reasons.extend(crate::payments::rules_claims::REASONS);
    reasons.extend(crate::payments::rules_closings::REASONS);
    reasons.extend(crate::payments::rules_batches::REASONS);
    reasons.extend(crate::payments::rules_bank_file::REASONS);
    reasons.extend(crate::payments::rules_bank_results::REASONS);
    reasons.extend(crate::budget::rules_imported::REASONS);
    reasons.extend(crate::oversight::rules_spending::REASONS);
    reasons.extend(crate::oversight::desk_trace::REASONS);
    reasons.extend(crate::imports::rules::REASONS);
    reasons.extend(crate::award::rules_panel::REASONS);
    reasons.extend(crate::award::rules_admission::REASONS);
    reasons.push(&crate::books::http::BEGINNING_UNCLEAR);
    reasons.extend([
        &writer::WRITE_QUEUE_FULL,
        &writer::CONTENTION,
        &writer::SHUTTING_DOWN,
        &READ_ONLY,
        &DATABASE_UNAVAILABLE,
        &DATABASE_TIMED_OUT,
        &actor::INVALID_TOKEN,
        &conditional::VERSION_MISSING,
        &conditional::VERSION_STALE,
        &idempotency::KEY_REUSED,
        &idempotency::IN_PROGRESS,
        &limits::TOO_MANY_REQUESTS,
        &page::FROM_ELSEWHERE,
        &audit::http_tiles::NOT_SEQUENCED,
        &super::time::CLOCK_GOES_FORWARD,
    ]);
    reasons.sort_by_key(|reason| reason.code);
    reasons
}

/// All problems
///
/// Every `code` that a problem document can carry.
#[utoipa::path(
    operation_id = "list_problems",
    tag = "operation",
    responses((status = 200, description = "All of them", body = Vec<ProblemMeaning>)),
    extensions(("x-action" = json!("Everyone"))),
)]
#[get("/problems")]
async fn problems() -> HttpResponse {
    HttpResponse::Ok().json(reasons().into_iter().map(meaning).collect::<Vec<_>>())
}

/// What a problem means
#[utoipa::path(
    operation_id = "read_problem",
    tag = "operation",
    params(("code" = String, Path, max_length = 100, description = "The `code` of a problem document", example = "version_stale")),
    responses(
        (status = 200, description = "Its meaning in both languages", body = ProblemMeaning),
        (status = 404, description = "No problem has this code"),
    ),
    extensions(("x-action" = json!("Everyone"))),
)]
#[get("/problems/{code}")]
async fn problem_of(code: web::Path<String>) -> Answer<HttpResponse> {
    let reason = reasons()
        .into_iter()
        .find(|reason| reason.code == *code)
        .ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok().json(meaning(reason)))
}
