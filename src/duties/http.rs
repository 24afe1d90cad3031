//! Who did what on a matter, for auditors.

use actix_web::{HttpRequest, HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::duties::store::{self, Done};
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::{Answer, Objection};
use crate::kernel::text::Text;
use crate::web::actor::{Actor, Shared};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::MALFORMED;
use crate::web::query::Query;

/// Every operation of this slice.
pub fn operations(config: &mut impl Operations) {
    config.service(list);
}

/// Something that was done on a matter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Duty)]
pub struct DutyView {
    /// What was done.
    #[schema(example = "verify")]
    pub duty: &'static str,
    /// The account whose doing it counts as.
    #[schema(example = "user_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub person: String,
    /// The account that did it: the same, or a deputy.
    #[schema(example = "user_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub done_by: String,
    /// When, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub done_at: String,
}

impl From<Done> for DutyView {
    fn from(done: Done) -> Self {
        Self {
            duty: done.duty.name(),
            person: done.person,
            done_by: done.done_by,
            done_at: rfc3339(done.done_at.and_utc()),
        }
    }
}

/// What was done on a matter, by whom.
#[derive(Debug, Serialize, ToSchema)]
pub struct DutyList {
    /// Oldest first.
    pub items: Vec<DutyView>,
}

/// List who did what on a matter
///
/// Duties that check each other are done by different people; this shows by whom.
#[utoipa::path(
    operation_id = "list_duties",
    tag = "people",
    params(("matter" = String, Query, description = "The id of the matter: an organisation, a contract book, a claim", example = "org_01jd3n8f5teqkrzvq1c0m6h2ax")),
    responses((status = 200, description = "Everything done on it; nothing if nobody did anything", body = DutyList)),
    extensions(("x-action" = json!("ReadDuties"))),
)]
#[get("/duties")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadDuties, Matter::default())?;
    let mut query = Query::of(&request);
    let matter = query.text("matter");
    query.finish()?;
    let matter = matter.ok_or_else(|| {
        MALFORMED.refuse().listing(vec![Objection {
            pointer: "?matter".to_owned(),
            code: "required",
            detail: Text::fixed("必填", "is required"),
        }])
    })?;
    let done = context
        .db
        .glance(move |conn| store::done_on(conn, &matter))
        .await?;
    let items = done.into_iter().map(DutyView::from).collect();
    Ok(HttpResponse::Ok().json(DutyList { items }))
}
