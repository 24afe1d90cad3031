//! Ballots over HTTP: what is asked, and what came of it. Whoever asks first after the close has the votes counted. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ballots::acts::{self, seen};
use crate::ballots::acts_counting;
use crate::ballots::polling::{AtPolling, Polling};
use crate::ballots::rules::{BallotId, NOT_COUNTED, RESULT_HELD, WITHHELD};
use crate::ballots::rules_derivation::{Derivation, Outcome};
use crate::ballots::rules_recomputing::{RECORD, Record};
use crate::ballots::rules_slips::box_text;
use crate::ballots::store::{self, BallotFilter};
use crate::ballots::store_papers;
use crate::ballots::view::{self, BallotView};
use crate::budget::desk::parsed;
use crate::db::conn::Conn;
use crate::kernel::refusal::{Answer, Stop};
use crate::kernel::text::Text;
use crate::web::actor::{Actor, Shared};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::INVALID;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list)
        .service(read)
        .service(withdraw)
        .service(read_tally)
        .service(read_box)
        .service(read_record)
        .service(find_slip);
}

/// Counts the votes of a ballot that has closed, unless that was done.
///
/// # Errors
/// Not found; a fault of the database.
pub async fn counted(context: &Shared, polling: &AtPolling, id: &BallotId) -> Answer<()> {
    let (of, now) = (id.clone(), context.clock.now());
    if context.db.read(move |conn| acts::is_due(conn, &of, now)).await? {
        let (of, polling) = (id.clone(), polling.clone());
        let counted: Answer<()> = context
            .db
            .write(move |tx| acts_counting::count(tx, &polling, &of).map(|_| ()))
            .await;
        match counted {
            // Whoever asks is told that it is not counted yet; the service tries again by itself.
            Ok(()) | Err(Stop::Refused(_)) => {}
            Err(stop) => return Err(stop),
        }
    }
    Ok(())
}

/// List ballots
///
/// The one called last first.
#[utoipa::path(
    operation_id = "list_ballots",
    tag = "ballots",
    params(
        ("matter_id" = Option<String>, Query, max_length = 60, description = "About this: the id of a contract, or of a lot"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<BallotView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
    ),
    extensions(("x-action" = json!("ReadBallots"))),
)]
#[get("/ballots")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    polling: AtPolling,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBallots, Matter::default())?;
    let mut query = Query::of(&request);
    let matter_id = query.text("matter_id");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["ballots", matter_id.as_deref().unwrap_or_default()]);
    let before = question
        .after(cursor.as_deref(), 1)?
        .and_then(|mut parts| parts.pop());
    let filter = BallotFilter { matter_id, before };
    let (max, now) = (i64::from(limit).saturating_add(1), context.clock.now());
    let views = context
        .db
        .read(move |conn| {
            let found = store::list(conn, &filter, max)?;
            view::ballots(conn, &polling, found, now)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &BallotView| {
        vec![one.id.to_string()]
    });
    Ok(page.answer(&request))
}

/// Read a ballot
#[utoipa::path(
    operation_id = "read_ballot",
    tag = "ballots",
    params(("id" = BallotId, Path, description = "The ballot")),
    responses(
        (status = 200, description = "The ballot", body = BallotView),
        (status = 404, description = "There is no such ballot"),
    ),
    extensions(("x-action" = json!("ReadBallots"))),
)]
#[get("/ballots/{id}")]
async fn read(
    context: Shared,
    actor: Actor,
    polling: AtPolling,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBallots, Matter::default())?;
    let id = parsed::<BallotId>(&id)?;
    counted(&context, &polling, &id).await?;
    let now = context.clock.now();
    let found = context
        .db
        .read(move |conn| {
            let ballot = seen(conn, &id)?;
            view::ballot(conn, &polling, ballot, now)
        })
        .await?;
    Ok(HttpResponse::Ok().json(found))
}

/// Withdraw a ballot
///
/// By an officer of whoever has called it, before it opens. Another one may be called about the same.
#[utoipa::path(
    operation_id = "withdraw_ballot",
    tag = "ballots",
    params(("id" = BallotId, Path, description = "The ballot")),
    responses(
        (status = 200, description = "The ballot as it is now", body = BallotView),
        (status = 404, description = "There is no such ballot"),
        (status = 409, description = "`ballot_withdrawn`, `ballot_opened`"),
    ),
    extensions(("x-action" = json!("CallBallot"))),
)]
#[post("/ballots/{id}/withdrawal")]
async fn withdraw(
    (context, polling): (Shared, AtPolling),
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::CallBallot)?;
    let id = parsed::<BallotId>(&id)?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let ballot = acts::withdraw(tx, by, &id)?;
            let now = tx.now();
            let shown = view::ballot(tx.conn(), &polling, ballot, now)?;
            Ok(Reply::json(200, &shown)?)
        })
        .await
}

/// Read the tally of a ballot
///
/// What it comes to, and how, byte by byte as it was hashed into the log (`sha256` of `ballot.closed`). Of fewer than `cell_ballots_min` ballots it says only
/// that they were, and of a community only where no published numbers yield a smaller one by subtraction. Of an appraisal it is told to nobody before the panel has handed in all its scores of the lot.
#[utoipa::path(
    operation_id = "read_ballot_tally",
    tag = "ballots",
    params(("id" = BallotId, Path, description = "The ballot")),
    responses(
        (status = 200, description = "The tally", body = Derivation),
        (status = 404, description = "There is no such ballot"),
        (status = 409, description = "`ballot_not_counted`, `ballot_result_held`"),
    ),
    extensions(("x-action" = json!("ReadBallots"))),
)]
#[get("/ballots/{id}/tally")]
async fn read_tally(
    context: Shared,
    actor: Actor,
    polling: AtPolling,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBallots, Matter::default())?;
    let id = parsed::<BallotId>(&id)?;
    counted(&context, &polling, &id).await?;
    let found = context
        .db
        .read(move |conn| {
            not_held(conn, &polling, &id)?;
            store::result(conn, &id)
        })
        .await?;
    let (_, text) = found.ok_or_else(|| NOT_COUNTED.refuse())?;
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}

/// That a ballot is there, and what it comes to is not held back.
fn not_held(conn: &mut Conn, polling: &Polling, id: &BallotId) -> Answer<()> {
    let ballot = seen(conn, id)?;
    if polling.is_held(conn, &ballot)? {
        return Err(RESULT_HELD.refuse().into());
    }
    Ok(())
}

/// The record of a counted ballot, for whoever may see its box.
async fn record(context: &Shared, actor: &Actor, polling: &AtPolling, id: &BallotId) -> Answer<Record> {
    counted(context, polling, id).await?;
    let (of, at) = (id.clone(), polling.clone());
    let found = context
        .db
        .read(move |conn| {
            not_held(conn, &at, &of)?;
            let Some((derivation, _)) = store::result(conn, &of)? else {
                return Ok(None);
            };
            let slips = store_papers::slips(conn, &of)?;
            Ok(Some((derivation, box_text(&of, &slips))))
        })
        .await?;
    let (derivation, slips) = found.ok_or_else(|| NOT_COUNTED.refuse())?;
    let is_public = derivation.outcome != Outcome::Withheld;
    if !is_public && !policy::allows(actor, Action::OpenBallotBox, Matter::default()) {
        return Err(WITHHELD.refuse().into());
    }
    Ok(Record {
        format: RECORD.to_owned(),
        derivation,
        slips,
    })
}

/// Read the box of a ballot
///
/// Every slip: its hash, the question, the choice, the salt, and the community where that may be published, sorted by hash. Of fewer than `cell_ballots_min`
/// ballots it is for auditors only.
#[utoipa::path(
    operation_id = "read_ballot_box",
    tag = "ballots",
    params(("id" = BallotId, Path, description = "The ballot")),
    responses(
        (status = 200, description = "The box", body = String, content_type = "text/plain",
            example = "wardbook/ballot-box/v1\nballot_01jd3n8f5teqkrzvq1c0m6h2ax\n"),
        (status = 404, description = "There is no such ballot"),
        (status = 409, description = "`ballot_not_counted`, `ballot_result_held`, `ballot_withheld`"),
    ),
    extensions(("x-action" = json!("ReadBallots"))),
)]
#[get("/ballots/{id}/box")]
async fn read_box(
    context: Shared,
    actor: Actor,
    polling: AtPolling,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBallots, Matter::default())?;
    let id = parsed::<BallotId>(&id)?;
    let record = record(&context, &actor, &polling, &id).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(record.slips))
}

/// Read the record of a ballot
///
/// Tally and box together: what `wardbook recompute ballot` checks. On the same terms as the box.
#[utoipa::path(
    operation_id = "read_ballot_record",
    tag = "ballots",
    params(("id" = BallotId, Path, description = "The ballot")),
    responses(
        (status = 200, description = "The record", body = Record),
        (status = 404, description = "There is no such ballot"),
        (status = 409, description = "`ballot_not_counted`, `ballot_result_held`, `ballot_withheld`"),
    ),
    extensions(("x-action" = json!("ReadBallots"))),
)]
#[get("/ballots/{id}/record")]
async fn read_record(
    context: Shared,
    actor: Actor,
    polling: AtPolling,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBallots, Matter::default())?;
    let id = parsed::<BallotId>(&id)?;
    Ok(HttpResponse::Ok().json(record(&context, &actor, &polling, &id).await?))
}

/// Whether a slip was counted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BallotSlipFound, example = json!({
    "ballot_id": "ballot_01jd3n8f5teqkrzvq1c0m6h2ax", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "is_counted": true
}))]
pub struct SlipFound {
    /// The ballot.
    pub ballot_id: BallotId,
    /// The hash of the slip.
    pub sha256: String,
    /// Whether it is in the box.
    pub is_counted: bool,
}

/// Was mine counted
///
/// Whether a slip of that hash is in the box; the hash stands in your receipt. Nothing else is told.
#[utoipa::path(
    operation_id = "find_ballot_slip",
    tag = "ballots",
    params(
        ("id" = BallotId, Path, description = "The ballot"),
        ("hash" = String, Path, pattern = "^[0-9a-f]{64}$", description = "The hash of a slip", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
    ),
    responses(
        (status = 200, description = "Whether it was", body = SlipFound),
        (status = 404, description = "There is no such ballot"),
        (status = 409, description = "`ballot_not_counted`"),
        (status = 422, description = "It is no hash"),
    ),
    extensions(("x-action" = json!("ReadBallots"))),
)]
#[get("/ballots/{id}/slips/{hash}")]
async fn find_slip(
    context: Shared,
    actor: Actor,
    polling: AtPolling,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBallots, Matter::default())?;
    let (id, sha256) = (parsed::<BallotId>(&path.0)?, path.1.clone());
    let hash: Option<[u8; 32]> = hex::decode(&sha256).ok().and_then(|bytes| bytes.try_into().ok());
    let hash = hash.filter(|hash| hex::encode(hash) == sha256).ok_or_else(|| {
        INVALID.because(Text::fixed(
            "应为 64 位小写十六进制数",
            "must be 64 hexadecimal digits in lower case",
        ))
    })?;
    counted(&context, &polling, &id).await?;
    let of = id.clone();
    let is_counted = context
        .db
        .read(move |conn| {
            seen(conn, &of)?;
            if store::result(conn, &of)?.is_none() {
                return Err(NOT_COUNTED.refuse().into());
            }
            store_papers::is_in_box(conn, &of, &hash)
        })
        .await?;
    Ok(HttpResponse::Ok().json(SlipFound {
        ballot_id: id,
        sha256,
        is_counted,
    }))
}
