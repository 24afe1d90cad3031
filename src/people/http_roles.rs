//! Roles and deputies over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::party::{AccountId, AreaId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::people::acts_roles::{self as acts, AppointDeputy, GiveRole};
use crate::people::rules_roles::{DeputationId, GrantId};
use crate::people::store_grants::{self as store, Deputation, DeputationFilter, GivenRole, GrantFilter};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter, Role};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this room.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list_grants)
        .service(give)
        .service(take)
        .service(list_deputations)
        .service(appoint)
        .service(revoke);
}

/// A role that an account holds or held.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleGrant)]
pub struct GrantView {
    /// Its id.
    pub id: GrantId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What that person is called; `null` once they are erased.
    #[schema(required = true, example = "陈静")]
    pub display_name: Option<String>,
    /// The role.
    pub role: Role,
    /// The organisation in whose name; `null` for a role of the platform.
    #[schema(required = true)]
    pub organisation_id: Option<OrganisationId>,
    /// The community, for a registrar or a resident.
    #[schema(required = true)]
    pub area_id: Option<AreaId>,
    /// When it was given, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub granted_at: String,
    /// When it was taken, UTC; `null` while it is in force.
    #[schema(required = true, example = "2026-09-01T08:00:00.000000Z")]
    pub ended_at: Option<String>,
}

impl From<GivenRole> for GrantView {
    fn from(given: GivenRole) -> Self {
        Self {
            id: given.id,
            account_id: given.account_id,
            display_name: given.display_name,
            role: given.grant.role,
            organisation_id: given.grant.organisation,
            area_id: given.grant.area,
            granted_at: rfc3339(given.granted_at),
            ended_at: given.ended_at.map(rfc3339),
        }
    }
}

/// A role to give.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRoleGrant {
    /// To whom: an account that was invited or is active.
    account_id: AccountId,
    /// Which. `resident` is given by the roll of a community, not here.
    role: Role,
    /// In which organisation; leave it out for `admin` and `evaluator`, which are roles of the platform.
    #[serde(default)]
    organisation_id: Option<OrganisationId>,
}

/// A role that is lent to somebody for a time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deputation)]
pub struct DeputationView {
    /// Its id.
    pub id: DeputationId,
    /// The grant that is lent.
    pub grant_id: GrantId,
    /// Whose it is.
    pub principal_id: AccountId,
    /// Who stands in.
    pub deputy_id: AccountId,
    /// The role.
    pub role: Role,
    /// The organisation in whose name.
    #[schema(required = true)]
    pub organisation_id: Option<OrganisationId>,
    /// From this instant on, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub from: String,
    /// Before this instant, UTC.
    #[schema(example = "2026-03-15T08:00:00.000000Z")]
    pub until: String,
    /// When it was revoked, UTC.
    #[schema(required = true, example = "2026-03-10T08:00:00.000000Z")]
    pub revoked_at: Option<String>,
}

impl From<Deputation> for DeputationView {
    fn from(deputation: Deputation) -> Self {
        Self {
            id: deputation.id,
            grant_id: deputation.grant_id,
            principal_id: deputation.principal_id,
            deputy_id: deputation.deputy_id,
            role: deputation.grant.role,
            organisation_id: deputation.grant.organisation,
            from: rfc3339(deputation.period.from),
            until: rfc3339(deputation.period.until),
            revoked_at: deputation.revoked_at.map(rfc3339),
        }
    }
}

/// A role to lend.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeputation {
    /// One of your own grants. Buyers', finance, suppliers', registrars', auditors' and regulators' roles can be lent.
    grant_id: GrantId,
    /// Another active person of the same organisation.
    deputy_id: AccountId,
    /// From when; leave it out for now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 40, example = "2026-12-01T00:00:00Z")]
    from: Option<Instant>,
    /// Until when; a year later at most.
    #[schema(value_type = String, format = DateTime, max_length = 40, example = "2026-12-15T00:00:00Z")]
    until: Instant,
}

/// List grants of roles
///
/// Who holds which role, oldest first. Administrators of an organisation name theirs in `organisation_id`, everyone may name
/// their own account in `account_id`.
#[utoipa::path(
    operation_id = "list_role_grants",
    tag = "people",
    params(
        ("organisation_id" = Option<OrganisationId>, Query, description = "In this organisation"),
        ("account_id" = Option<AccountId>, Query, description = "Of this account"),
        ("role" = Option<Role>, Query, description = "Of this role"),
        ("in_force" = Option<bool>, Query, description = "`true`: only those that have not ended"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<GrantView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadRoles"))),
)]
#[get("/role-grants")]
async fn list_grants(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadRoles)?;
    let mut query = Query::of(&request);
    let organisation_id = query.parsed::<OrganisationId>("organisation_id");
    let account_id = query.parsed::<AccountId>("account_id");
    let role = query.one_of("role", &Role::ALL.map(|role| (role.name(), role)));
    let in_force = query
        .one_of("in_force", &[("true", true), ("false", false)])
        .unwrap_or(false);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let matter = Matter {
        account: account_id.as_ref().map(AccountId::as_str),
        organisation: organisation_id.as_ref(),
        ..Matter::default()
    };
    policy::allow(&actor, Action::ReadRoles, matter)?;
    let question = Question::of(&[
        organisation_id.as_ref().map_or("", OrganisationId::as_str),
        account_id.as_ref().map_or("", AccountId::as_str),
        role.map_or("", Role::name),
        if in_force { "in force" } else { "" },
    ]);
    let filter = GrantFilter {
        account_id,
        organisation_id,
        role,
        in_force,
        after: last(&question, cursor.as_deref())?,
    };
    let grants = context
        .db
        .glance(move |conn| store::grants(conn, &filter, i64::from(limit).saturating_add(1)))
        .await?;
    let page = Page::cut(grants, limit, &question, |given| vec![given.id.to_string()]).map(GrantView::from);
    Ok(page.answer(&request))
}

/// The id that a page ended with.
fn last<I: std::str::FromStr>(question: &Question, cursor: Option<&str>) -> Answer<Option<I>> {
    match question.after(cursor, 1)?.as_deref() {
        Some([id]) => Ok(Some(id.parse().map_err(|_| bad_cursor())?)),
        _ => Ok(None),
    }
}

/// Give a role
///
/// The administrator of an organisation gives the roles of that organisation, the platform's administrator gives `admin`,
/// `evaluator` and `organisation_admin`. Nobody gives themself a role.
#[utoipa::path(
    operation_id = "give_role",
    tag = "people",
    request_body = NewRoleGrant,
    responses(
        (status = 201, description = "The grant", body = GrantView, headers(("Location" = String, description = "Where grants are listed"))),
        (status = 409, description = "`organisation_unknown`, `account_unknown`, `role_to_oneself`, `role_misplaced`, `role_of_organisation`, `organisation_not_verified`, `role_held`"),
    ),
    extensions(("x-action" = json!("GiveRole"))),
)]
#[post("/role-grants")]
async fn give(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::GiveRole)?;
    let body = incoming.json::<NewRoleGrant>().await?;
    let NewRoleGrant {
        account_id,
        role,
        organisation_id,
    } = body.value;
    let command = GiveRole {
        account_id,
        role,
        organisation_id,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let given = acts::give_role(tx, by, &command)?;
            let location = format!("/api/v1/role-grants?account_id={}", given.account_id);
            Ok(Reply::json(201, &GrantView::from(given))?.location(location))
        })
        .await
}

/// Take a role away
///
/// At once: the next request of that account has it no longer, and neither have those who stood in for it.
#[utoipa::path(
    operation_id = "take_role",
    tag = "people",
    params(("id" = GrantId, Path, description = "The grant")),
    responses(
        (status = 200, description = "The grant as it ended", body = GrantView),
        (status = 404, description = "There is no such grant"),
        (status = 409, description = "`already_ended`, `last_admin`"),
    ),
    extensions(("x-action" = json!("TakeRole"))),
)]
#[post("/role-grants/{id}/end")]
async fn take(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::TakeRole)?;
    let id: GrantId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            Ok(Reply::json(200, &GrantView::from(acts::take_role(tx, by, &id)?))?)
        })
        .await
}

/// List deputations
///
/// Who stands in for whom, oldest first: of one's own account (as principal or deputy), or, for its administrator, of an
/// organisation.
#[utoipa::path(
    operation_id = "list_deputations",
    tag = "people",
    params(
        ("organisation_id" = Option<OrganisationId>, Query, description = "Of roles in this organisation"),
        ("account_id" = Option<AccountId>, Query, description = "Where this account is principal or deputy"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<DeputationView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadDeputies"))),
)]
#[get("/deputations")]
async fn list_deputations(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadDeputies)?;
    let mut query = Query::of(&request);
    let organisation_id = query.parsed::<OrganisationId>("organisation_id");
    let account_id = query.parsed::<AccountId>("account_id");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let matter = Matter {
        account: account_id.as_ref().map(AccountId::as_str),
        organisation: organisation_id.as_ref(),
        ..Matter::default()
    };
    policy::allow(&actor, Action::ReadDeputies, matter)?;
    let question = Question::of(&[
        organisation_id.as_ref().map_or("", OrganisationId::as_str),
        account_id.as_ref().map_or("", AccountId::as_str),
    ]);
    let filter = DeputationFilter {
        account_id,
        organisation_id,
        after: last(&question, cursor.as_deref())?,
        ..DeputationFilter::default()
    };
    let found = context
        .db
        .glance(move |conn| store::deputations(conn, &filter, i64::from(limit).saturating_add(1)))
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.id.to_string()]).map(DeputationView::from);
    Ok(page.answer(&request))
}

/// Appoint a deputy
///
/// Lends one of your own roles to somebody of the same organisation for a time. What they do in it counts as your doing too
/// when duties are kept apart.
#[utoipa::path(
    operation_id = "appoint_deputy",
    tag = "people",
    request_body = NewDeputation,
    responses(
        (status = 201, description = "The deputation", body = DeputationView, headers(("Location" = String, description = "Where deputations are listed"))),
        (status = 404, description = "You hold no such grant"),
        (status = 409, description = "`not_deputable`, `deputy_unfit`, `deputation_overlaps`"),
    ),
    extensions(("x-action" = json!("AppointDeputy"))),
)]
#[post("/deputations")]
async fn appoint(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::AppointDeputy, Matter::default())?;
    let body = incoming.json::<NewDeputation>().await?;
    let NewDeputation {
        grant_id,
        deputy_id,
        from,
        until,
    } = body.value;
    let command = AppointDeputy {
        grant_id,
        deputy_id,
        from,
        until,
        zone: context.calendar.zone,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let new = acts::appoint_deputy(tx, by, &command)?;
            let location = format!("/api/v1/deputations?account_id={}", new.principal_id);
            Ok(Reply::json(201, &DeputationView::from(new))?.location(location))
        })
        .await
}

/// Revoke a deputation
///
/// By the principal or the organisation's administrator; the deputy's next request has the role no longer.
#[utoipa::path(
    operation_id = "revoke_deputation",
    tag = "people",
    params(("id" = DeputationId, Path, description = "The deputation")),
    responses(
        (status = 200, description = "The deputation as it ended", body = DeputationView),
        (status = 404, description = "There is no such deputation, or it is not yours to revoke"),
        (status = 409, description = "`already_ended`"),
    ),
    extensions(("x-action" = json!("RevokeDeputy"))),
)]
#[post("/deputations/{id}/revocation")]
async fn revoke(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::RevokeDeputy)?;
    let id: DeputationId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            Ok(Reply::json(
                200,
                &DeputationView::from(acts::revoke_deputy(tx, by, &id)?),
            )?)
        })
        .await
}
