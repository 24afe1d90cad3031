//! Saved searches over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::acts_search as acts;
use crate::books::rules_saved_searches::{SavedSearch, SavedSearchId, Wish};
use crate::books::store_saved_searches::of_account;
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
    config.service(list).service(save).service(remove);
}

/// A saved search.
#[derive(Serialize, ToSchema)]
#[schema(as = SavedSearch, example = json!({
    "id": "savedsearch_01jd3n8f5teqkrzvq1c0m6h2ax", "name": "保洁", "question": {"q": "环卫"}, "created_at": "2026-03-02T01:00:00.000000Z"
}))]
pub struct SavedView {
    /// Its id.
    pub id: SavedSearchId,
    /// What you call it.
    pub name: String,
    /// What is searched for.
    pub question: Wish,
    /// When it was saved, UTC.
    pub created_at: String,
}

impl From<SavedSearch> for SavedView {
    fn from(saved: SavedSearch) -> Self {
        Self {
            id: saved.id,
            name: saved.name,
            question: saved.wish,
            created_at: rfc3339(saved.created_at),
        }
    }
}

/// All that one has saved; never more than twenty.
#[derive(Serialize, ToSchema)]
pub struct SavedSearches {
    /// Oldest first.
    pub items: Vec<SavedView>,
}

/// A search to save.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "保洁", "question": {"q": "环卫", "category": "sanitation"}}))]
pub struct NewSavedSearch {
    /// What you call it: the subject of the mail about it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What is searched for.
    question: Wish,
}

/// List your saved searches
#[utoipa::path(
    operation_id = "list_saved_searches",
    tag = "planning",
    responses((status = 200, description = "All of them", body = SavedSearches)),
    extensions(("x-action" = json!("ReadOwnSavedSearches"))),
)]
#[get("/me/saved-searches")]
async fn list(context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOwnSavedSearches, Matter::default())?;
    let account = account(&actor)?.to_owned();
    let found = context.db.glance(move |conn| of_account(conn, &account)).await?;
    let items = found.into_iter().map(SavedView::from).collect();
    Ok(HttpResponse::Ok().json(SavedSearches { items }))
}

/// Save a search
///
/// From now on you are mailed what becomes public and fits, each hit once: at once or in one mail each morning, as your mail
/// preferences say of news. Delete it to hear no more of it.
#[utoipa::path(
    operation_id = "save_search",
    tag = "planning",
    request_body = NewSavedSearch,
    responses(
        (status = 201, description = "The saved search", body = SavedView),
        (status = 409, description = "`saved_searches_too_many`"),
    ),
    extensions(("x-action" = json!("ChangeOwnSavedSearches"))),
)]
#[post("/me/saved-searches")]
async fn save(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ChangeOwnSavedSearches, Matter::default())?;
    let body = incoming.json::<NewSavedSearch>().await?;
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let saved = acts::save(tx, &by, &body.value.name, &body.value.question)?;
            Ok(Reply::json(201, &SavedView::from(saved))?)
        })
        .await
}

/// Delete a saved search
#[utoipa::path(
    operation_id = "delete_saved_search",
    tag = "planning",
    params(("id" = SavedSearchId, Path, description = "The saved search")),
    responses(
        (status = 200, description = "What was deleted", body = SavedView),
        (status = 404, description = "You have no such search"),
    ),
    extensions(("x-action" = json!("ChangeOwnSavedSearches"))),
)]
#[delete("/me/saved-searches/{id}")]
async fn remove(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ChangeOwnSavedSearches, Matter::default())?;
    let id: SavedSearchId = parsed(&id)?;
    let deleted = context.db.write(move |tx| acts::delete(tx, &actor, &id)).await?;
    Ok(HttpResponse::Ok().json(SavedView::from(deleted)))
}
