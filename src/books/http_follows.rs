//! Following books and categories over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::acts_follows as acts;
use crate::books::rules::BookId;
use crate::books::rules_follows::{Follow, FollowId, Followed};
use crate::books::store_follows::of_account;
use crate::budget::desk::parsed;
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::account;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(list).service(begin).service(end);
}

/// Something that one follows.
#[derive(Serialize, ToSchema)]
#[schema(as = Follow, example = json!({
    "id": "follow_01jd3n8f5teqkrzvq1c0m6h2ax", "book_id": null, "category": "sanitation", "begun_at": "2026-03-02T01:00:00.000000Z"
}))]
pub struct FollowView {
    /// Its id.
    pub id: FollowId,
    /// The book; `null` if it is a category.
    #[schema(required = true)]
    pub book_id: Option<BookId>,
    /// The code of the category; `null` if it is a book.
    #[schema(required = true)]
    pub category: Option<String>,
    /// Since when, UTC.
    pub begun_at: String,
}

impl From<Follow> for FollowView {
    fn from(follow: Follow) -> Self {
        let (book_id, category) = match follow.followed {
            Followed::Book(id) => (Some(id), None),
            Followed::Category(code) => (None, Some(code)),
        };
        Self {
            id: follow.id,
            book_id,
            category,
            begun_at: rfc3339(follow.begun_at),
        }
    }
}

/// All that one follows; never more than two hundred.
#[derive(Serialize, ToSchema)]
pub struct Follows {
    /// Oldest first.
    pub items: Vec<FollowView>,
}

/// What to follow: a book or a category, one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"category": "sanitation"}))]
pub struct NewFollow {
    /// A public book.
    #[serde(default)]
    #[schema(nullable = false)]
    book_id: Option<BookId>,
    /// The code of a category of services.
    #[serde(default)]
    #[schema(nullable = false, pattern = "^[a-z0-9_]{2,40}$")]
    category: Option<String>,
}

/// List what you follow
#[utoipa::path(
    operation_id = "list_follows",
    tag = "books",
    responses((status = 200, description = "All of it", body = Follows)),
    extensions(("x-action" = json!("ReadOwnFollows"))),
)]
#[get("/me/follows")]
async fn list(context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOwnFollows, Matter::default())?;
    let account = account(&actor)?.to_owned();
    let found = context.db.glance(move |conn| of_account(conn, &account)).await?;
    let items = found.into_iter().map(FollowView::from).collect();
    Ok(HttpResponse::Ok().json(Follows { items }))
}

/// Follow a book or a category
///
/// From now on you are mailed when a book of the category is published or cancelled, and when the book is amended or cancelled: at once
/// or in one mail each morning, as your mail preferences say of news. To follow what you follow already changes nothing.
#[utoipa::path(
    operation_id = "begin_to_follow",
    tag = "books",
    request_body = NewFollow,
    responses(
        (status = 200, description = "You follow it already", body = FollowView),
        (status = 201, description = "What you follow from now on", body = FollowView),
        (status = 404, description = "There is no such public book, or no such category"),
        (status = 409, description = "`follows_too_many`"),
        (status = 422, description = "`follow_unclear`"),
    ),
    extensions(("x-action" = json!("ChangeOwnFollows"))),
)]
#[post("/me/follows")]
async fn begin(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ChangeOwnFollows, Matter::default())?;
    let body = incoming.json::<NewFollow>().await?;
    let followed = Followed::named(body.value.book_id, body.value.category)?;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let (follow, was_there) = acts::begin(tx, by, followed.clone())?;
            let status = if was_there { 200 } else { 201 };
            Ok(Reply::json(status, &FollowView::from(follow))?)
        })
        .await
}

/// Follow something no longer
#[utoipa::path(
    operation_id = "end_to_follow",
    tag = "books",
    params(("id" = FollowId, Path, description = "What you follow")),
    responses(
        (status = 200, description = "What you followed", body = FollowView),
        (status = 404, description = "You follow no such thing"),
    ),
    extensions(("x-action" = json!("ChangeOwnFollows"))),
)]
#[delete("/me/follows/{id}")]
async fn end(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ChangeOwnFollows, Matter::default())?;
    let id: FollowId = parsed(&id)?;
    let ended = context.db.write(move |tx| acts::end(tx, &actor, &id)).await?;
    Ok(HttpResponse::Ok().json(FollowView::from(ended)))
}
