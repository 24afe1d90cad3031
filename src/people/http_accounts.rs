//! Accounts over HTTP: parse, call one act or query, render. A list of accounts shows no mail addresses; one account shows its
//! own to its owner and to the administrator.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::party::{AccountId, AreaId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::kernel::text::Language;
use crate::people::acts::{self, ChangeAccount};
use crate::people::acts_links::{self, Invite};
use crate::people::http_outside::IdentityView;
use crate::people::rules::{self, Account, State};
use crate::people::store::{self, AccountFilter};
use crate::people::{identities, secrets, store_outside, store_second_factors};
use crate::web::actor::{Actor, Grant, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter, Role};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list)
        .service(invite)
        .service(read)
        .service(change)
        .service(invite_again)
        .service(suspend)
        .service(reinstate)
        .service(leave)
        .service(me);
}

/// The language that somebody reads.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Language)]
pub enum LanguageView {
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl From<Language> for LanguageView {
    fn from(language: Language) -> Self {
        match language {
            Language::Chinese => Self::Chinese,
            Language::English => Self::English,
        }
    }
}

impl From<LanguageView> for Language {
    fn from(language: LanguageView) -> Self {
        match language {
            LanguageView::Chinese => Self::Chinese,
            LanguageView::English => Self::English,
        }
    }
}

/// An account in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountInList)]
pub struct AccountLine {
    /// Its id.
    pub id: AccountId,
    /// The person's name; `null` until they have taken it over, and once they are erased.
    #[schema(required = true, example = "陈静")]
    pub display_name: Option<String>,
    /// Where it is in its life.
    pub state: State,
    /// When it was made, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub created_at: String,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// Its mail address; `null` once the person is erased.
    #[schema(required = true, example = "chen.jing@ward.example")]
    pub email: Option<String>,
    /// The person's name; `null` until they have taken it over, and once they are erased.
    #[schema(required = true, example = "陈静")]
    pub display_name: Option<String>,
    /// The language that they read.
    pub language: LanguageView,
    /// Where it is in its life.
    pub state: State,
    /// Counts the changes, from 1; also the `ETag`.
    #[schema(example = 2)]
    pub version: i64,
    /// When it was made, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub created_at: String,
    /// When it was last changed, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub updated_at: String,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            email: account.email.as_ref().map(|email| email.whole().to_owned()),
            display_name: account.display_name,
            language: account.language.into(),
            state: account.state,
            version: account.version,
            created_at: rfc3339(account.created_at),
            updated_at: rfc3339(account.updated_at),
        }
    }
}

/// Somebody to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Their mail address, which the invitation goes to.
    #[schema(min_length = 3, max_length = 254, example = "chen.jing@ward.example")]
    email: String,
    /// The language of the invitation.
    language: LanguageView,
    /// The role they begin with.
    role: Role,
    /// The organisation in which they hold it; left out for a role of the platform.
    #[serde(default)]
    #[schema(nullable = false)]
    organisation_id: Option<OrganisationId>,
}

/// Another name or language; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountFacts {
    /// The person's name.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100, example = "陈静")]
    display_name: Option<String>,
    /// The language that they read.
    #[serde(default)]
    #[schema(nullable = false)]
    language: Option<LanguageView>,
}

/// A role that one holds, or is deputy in.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnRole {
    /// The role.
    pub role: Role,
    /// The organisation in whose name; `null` for a role of the platform.
    #[schema(required = true)]
    pub organisation_id: Option<OrganisationId>,
    /// The area, for a registrar or a resident.
    #[schema(required = true)]
    pub area_id: Option<AreaId>,
    /// The account whose deputy one is; `null` for a role of one's own.
    #[schema(required = true, example = "user_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub deputy_of: Option<String>,
    /// True if it cannot be acted in now, because no second factor was shown in this session.
    #[schema(example = false)]
    pub withheld: bool,
}

/// Oneself.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// One's account.
    pub account: AccountView,
    /// One's roles.
    pub roles: Vec<OwnRole>,
    /// True if one has a second factor.
    #[schema(example = true)]
    pub has_second_factor: bool,
    /// Recovery codes that are left.
    #[schema(example = 10)]
    pub recovery_codes_left: i64,
    /// Who one is at another provider, so that one can sign in through it; never more than ten.
    pub identities: Vec<IdentityView>,
}

fn own_role(grant: &Grant, withheld: bool) -> OwnRole {
    OwnRole {
        role: grant.role,
        organisation_id: grant.organisation.clone(),
        area_id: grant.area.clone(),
        deputy_of: grant.deputy_of.clone(),
        withheld,
    }
}

/// List accounts
///
/// Newest first, without mail addresses.
#[utoipa::path(
    operation_id = "list_accounts",
    tag = "people",
    params(
        ("state" = Option<State>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<AccountLine>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadAccounts"))),
)]
#[get("/accounts")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAccounts, Matter::default())?;
    let mut query = Query::of(&request);
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["accounts", state.map_or("", State::name)]);
    let before = match question.after(cursor.as_deref(), 1)?.as_deref() {
        Some([id]) => Some(id.parse().map_err(|_| bad_cursor())?),
        _ => None,
    };
    let filter = AccountFilter { state, before };
    let accounts = context
        .db
        .glance(move |conn| store::accounts(conn, &filter, i64::from(limit).saturating_add(1)))
        .await?;
    let key = |account: &Account| vec![account.id.to_string()];
    let page = Page::cut(accounts, limit, &question, key).map(|account| AccountLine {
        id: account.id,
        display_name: account.display_name,
        state: account.state,
        created_at: rfc3339(account.created_at),
    });
    Ok(page.answer(&request))
}

/// Invite somebody
///
/// Makes an account that nobody has taken over yet, with its first role, and sends them a link that is good once and for
/// seven days. An organisation's administrator invites into that organisation only.
#[utoipa::path(
    operation_id = "invite_account",
    tag = "people",
    request_body = NewAccount,
    responses(
        (status = 201, description = "The new account", body = AccountView, headers(("ETag" = String, description = "The version, for `If-Match`"), ("Location" = String, description = "Where the account is"))),
        (status = 409, description = "`account_email_taken`, or the role cannot be given so"),
    ),
    extensions(("x-action" = json!("InviteAccount"))),
)]
#[post("/accounts")]
async fn invite(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::InviteAccount)?;
    let body = incoming.json::<NewAccount>().await?;
    let command = Invite {
        email: rules::email(&body.value.email)?,
        language: body.value.language.into(),
        role: body.value.role,
        organisation_id: body.value.organisation_id,
    };
    let secret = secrets::mint()?;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(201, acts_links::invite(tx, by, &command, &secret, true)?)
        })
        .await
}

/// Read an account
///
/// One's own, or, for the administrator, anybody's.
#[utoipa::path(
    operation_id = "read_account",
    tag = "people",
    params(("id" = AccountId, Path, description = "The account")),
    responses(
        (status = 200, description = "The account", body = AccountView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such account"),
    ),
    extensions(("x-action" = json!("ReadAccount"))),
)]
#[get("/accounts/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAccount, Matter::of_account(&id))?;
    let id = parsed(&id)?;
    let account = context
        .db
        .glance(move |conn| store::account(conn, &id))
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(account.version)))
        .json(AccountView::from(account)))
}

/// Change an account
///
/// Its name or language. Needs `If-Match` with the `ETag` of the version you mean.
#[utoipa::path(
    operation_id = "change_account",
    tag = "people",
    params(("id" = AccountId, Path, description = "The account"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v2\"")),
    request_body = AccountFacts,
    responses(
        (status = 200, description = "The account as it is now", body = AccountView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such account"),
        (status = 409, description = "`account_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ChangeAccount"))),
)]
#[patch("/accounts/{id}")]
async fn change(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ChangeAccount, Matter::of_account(&id))?;
    let body = incoming.json::<AccountFacts>().await?.value;
    let command = ChangeAccount {
        id: parsed(&id)?,
        expected: Expected::of(&request)?,
        display_name: body.display_name,
        language: body.language.map(Language::from),
    };
    let account = context
        .db
        .write(move |tx| acts::change(tx, &actor, &command))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(account.version)))
        .json(AccountView::from(account)))
}

/// Invite somebody again
///
/// Sends whoever has not taken their account over yet another link; the one before is void.
#[utoipa::path(
    operation_id = "invite_account_again",
    tag = "people",
    params(("id" = AccountId, Path, description = "The account")),
    responses(
        (status = 200, description = "The account", body = AccountView, headers(("ETag" = String, description = "The version"))),
        (status = 404, description = "There is no such account"),
        (status = 409, description = "`account_wrong_state`"),
    ),
    extensions(("x-action" = json!("ReinviteAccount"))),
)]
#[post("/accounts/{id}/invitation")]
async fn invite_again(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReinviteAccount, Matter::default())?;
    let (id, secret) = (parsed(&id)?, secrets::mint()?);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            reply(200, acts_links::invite_again(tx, by, &id, &secret)?)
        })
        .await
}

/// Suspend an account
///
/// Closes it for a while. Its sessions end at once; its roles wait.
#[utoipa::path(
    operation_id = "suspend_account",
    tag = "people",
    params(("id" = AccountId, Path, description = "The account")),
    responses(
        (status = 200, description = "The account as it is now", body = AccountView, headers(("ETag" = String, description = "The version"))),
        (status = 404, description = "There is no such account"),
        (status = 409, description = "`account_wrong_state`, `last_admin`"),
    ),
    extensions(("x-action" = json!("SuspendAccount"))),
)]
#[post("/accounts/{id}/suspension")]
async fn suspend(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::SuspendAccount, Matter::default())?;
    let id = parsed(&id)?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            reply(200, acts::suspend(tx, by, &id)?)
        })
        .await
}

/// Reinstate an account
///
/// Opens a suspended account again.
#[utoipa::path(
    operation_id = "reinstate_account",
    tag = "people",
    params(("id" = AccountId, Path, description = "The account")),
    responses(
        (status = 200, description = "The account as it is now", body = AccountView, headers(("ETag" = String, description = "The version"))),
        (status = 404, description = "There is no such account"),
        (status = 409, description = "`account_wrong_state`"),
    ),
    extensions(("x-action" = json!("ReinstateAccount"))),
)]
#[post("/accounts/{id}/reinstatement")]
async fn reinstate(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReinstateAccount, Matter::default())?;
    let id = parsed(&id)?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            reply(200, acts::reinstate(tx, by, &id)?)
        })
        .await
}

/// Close an account
///
/// Its person leaves: all roles are taken, all sessions end, at once and for good. What they did stays.
#[utoipa::path(
    operation_id = "close_account",
    tag = "people",
    params(("id" = AccountId, Path, description = "The account")),
    responses(
        (status = 200, description = "The account as it is now", body = AccountView, headers(("ETag" = String, description = "The version"))),
        (status = 404, description = "There is no such account"),
        (status = 409, description = "`account_wrong_state`, `last_admin`"),
    ),
    extensions(("x-action" = json!("CloseAccount"))),
)]
#[post("/accounts/{id}/departure")]
async fn leave(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::CloseAccount, Matter::default())?;
    let id = parsed(&id)?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            reply(200, acts::leave(tx, by, &id)?)
        })
        .await
}

/// Read oneself
///
/// One's account, one's roles, and which of them a second factor would add.
#[utoipa::path(
    operation_id = "read_me",
    tag = "people",
    responses(
        (status = 200, description = "Oneself", body = Me),
        (status = 404, description = "The token is of no account"),
    ),
    extensions(("x-action" = json!("ReadOwnSessions"))),
)]
#[get("/me")]
async fn me(context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOwnSessions, Matter::default())?;
    let id = parsed(actor.id().unwrap_or_default())?;
    let now = context.clock.now();
    let found = context
        .db
        .read(move |conn| {
            let Some(account) = store::account(conn, &id)? else {
                return Ok(None);
            };
            let grants = identities::grants_of(conn, id.as_str(), now)?;
            let factor = store_second_factors::second_factor(conn, &id)?;
            let left = store_second_factors::recovery_codes_left(conn, &id)?;
            let identities = store_outside::identities_of(conn, &id)?;
            Ok(Some((
                account,
                grants,
                factor.is_some_and(|factor| factor.confirmed),
                left,
                identities,
            )))
        })
        .await?;
    let (account, grants, has_second_factor, recovery_codes_left, identities) =
        found.ok_or_else(|| NOT_FOUND.refuse())?;
    let roles = grants
        .iter()
        .map(|grant| own_role(grant, actor.withheld().contains(grant)))
        .collect();
    Ok(HttpResponse::Ok().json(Me {
        account: account.into(),
        roles,
        has_second_factor,
        recovery_codes_left,
        identities: identities.into_iter().map(IdentityView::from).collect(),
    }))
}

/// What is not an id of an account names no account.
fn parsed(id: &str) -> Answer<AccountId> {
    Ok(id.parse().map_err(|_| NOT_FOUND.refuse())?)
}

fn reply(status: u16, account: Account) -> Answer<Reply> {
    let (etag, location) = (
        conditional::etag(account.version),
        format!("/api/v1/accounts/{}", account.id),
    );
    let reply = Reply::json(status, &AccountView::from(account))?.etag(etag);
    Ok(if status == 201 {
        reply.location(location)
    } else {
        reply
    })
}
