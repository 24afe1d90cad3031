//! Machines' tokens over HTTP. The text of a token is in one answer, once; a repeated request gets the same answer without it.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::refusal::Answer;
use crate::people::acts_roles::{self as acts, MakeApiToken};
use crate::people::rules_roles::ApiTokenId;
use crate::people::store_api_tokens::{self as store, ApiToken};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this room.
pub fn operations(config: &mut impl Operations) {
    config.service(list).service(make).service(revoke);
}

/// A machine's token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiToken)]
pub struct ApiTokenView {
    /// Its id.
    pub id: ApiTokenId,
    /// What its owner calls it.
    #[schema(example = "monthly export")]
    pub name: String,
    /// What it may be used for, as far as its owner may do it.
    #[schema(example = json!(["areas.read", "log.read"]))]
    pub scopes: Vec<String>,
    /// When it was made, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub created_at: String,
    /// Until when it is valid, UTC.
    #[schema(example = "2026-09-01T08:00:00.000000Z")]
    pub expires_at: String,
    /// When it was revoked, UTC.
    #[schema(required = true, example = "2026-05-01T08:00:00.000000Z")]
    pub revoked_at: Option<String>,
    /// When it was last shown, UTC, to the minute or so; `null` if it never was.
    #[schema(required = true, example = "2026-04-01T08:00:00.000000Z")]
    pub last_used_at: Option<String>,
}

impl From<ApiToken> for ApiTokenView {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scopes: token.scopes,
            created_at: rfc3339(token.created_at),
            expires_at: rfc3339(token.expires_at),
            revoked_at: token.revoked_at.map(rfc3339),
            last_used_at: token.last_used_at.map(rfc3339),
        }
    }
}

/// A new token, with its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeApiToken {
    /// The token.
    pub token: ApiTokenView,
    /// What to send as `Authorization: Bearer …`. Shown here and never again: `null` when the request is repeated.
    #[schema(
        required = true,
        example = "wardbook_3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    )]
    pub secret: Option<String>,
}

/// The name of a scope.
#[derive(ToSchema)]
#[schema(value_type = String, max_length = 50, pattern = "^[a-z_]+\\.[a-z]+$", example = "areas.read")]
#[expect(dead_code, reason = "describes the items of a list in the document")]
pub struct ScopeName(String);

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiToken {
    /// What you call it.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\x00-\\x1f\\x7f]*$",
        example = "monthly export"
    )]
    name: String,
    /// What it may be used for. A scope that does not exist is refused with the list of those that do.
    #[schema(value_type = Vec<ScopeName>, min_items = 1, max_items = 50, example = json!(["areas.read", "log.read"]))]
    scopes: Vec<String>,
    /// Until when, a year from now at most.
    #[schema(value_type = String, format = DateTime, max_length = 40, example = "2026-09-01T00:00:00Z")]
    expires_at: Instant,
}

/// List one's own tokens
///
/// Newest first, those that were revoked or have expired too.
#[utoipa::path(
    operation_id = "list_api_tokens",
    tag = "people",
    params(
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<ApiTokenView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ManageApiTokens"))),
)]
#[get("/me/api-tokens")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ManageApiTokens, Matter::default())?;
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let account = actor.id().unwrap_or_default().to_owned();
    let question = Question::of(&[&account]);
    let before: Option<ApiTokenId> = match question.after(cursor.as_deref(), 1)?.as_deref() {
        Some([id]) => Some(id.parse().map_err(|_| bad_cursor())?),
        _ => None,
    };
    let most = i64::from(limit).saturating_add(1);
    let tokens = context
        .db
        .glance(move |conn| store::of_account(conn, &account, before.as_ref(), most))
        .await?;
    let page =
        Page::cut(tokens, limit, &question, |token| vec![token.id.to_string()]).map(ApiTokenView::from);
    Ok(page.answer(&request))
}

/// Make a token for a machine
///
/// It may do what you may do, within its scopes, until it expires, is revoked, or you leave. Only from a session; a token
/// made in a session without a second factor has no more rights than that session.
#[utoipa::path(
    operation_id = "make_api_token",
    tag = "people",
    request_body = NewApiToken,
    responses(
        (status = 201, description = "The token, its text shown once", body = MadeApiToken, headers(("Location" = String, description = "Where your tokens are listed"))),
        (status = 409, description = "`session_needed`, `too_many_tokens`"),
    ),
    extensions(("x-action" = json!("ManageApiTokens"))),
)]
#[post("/me/api-tokens")]
async fn make(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ManageApiTokens, Matter::default())?;
    let body = incoming.json::<NewApiToken>().await?;
    let NewApiToken {
        name,
        scopes,
        expires_at,
    } = body.value;
    let command = MakeApiToken {
        name,
        scopes,
        expires_at,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let (token, secret) = acts::make_api_token(tx, by, &command)?;
            let shown = |secret: Option<String>| MadeApiToken {
                token: ApiTokenView::from(token.clone()),
                secret,
            };
            Ok(Reply::json(201, &shown(Some(secret.to_string())))?
                .location("/api/v1/me/api-tokens".to_owned())
                .remembered_as(&shown(None))?)
        })
        .await
}

/// Revoke a token
///
/// At once.
#[utoipa::path(
    operation_id = "revoke_api_token",
    tag = "people",
    params(("id" = ApiTokenId, Path, description = "The token")),
    responses(
        (status = 200, description = "The token as it ended", body = ApiTokenView),
        (status = 404, description = "You have no such token"),
        (status = 409, description = "`already_ended`"),
    ),
    extensions(("x-action" = json!("ManageApiTokens"))),
)]
#[post("/me/api-tokens/{id}/revocation")]
async fn revoke(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ManageApiTokens, Matter::default())?;
    let id: ApiTokenId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            Ok(Reply::json(
                200,
                &ApiTokenView::from(acts::revoke_api_token(tx, by, &id)?),
            )?)
        })
        .await
}
