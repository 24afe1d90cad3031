//! Bank accounts of organisations over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_bank_accounts::{self as acts, Which};
use crate::registry::http_organisations::{may, parsed};
use crate::registry::rules_bank_accounts::{
    BankAccount, BankAccountChange, BankAccountChangeId, ChangeState,
};
use crate::registry::store_bank_accounts as store;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(read)
        .service(disclose)
        .service(list)
        .service(propose)
        .service(confirm)
        .service(withdraw);
}

/// A bank account, its number masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankAccount)]
pub struct BankAccountView {
    /// In whose name it is.
    #[schema(example = "梧桐洁城环境服务有限公司")]
    pub holder: String,
    /// The bank and its branch.
    #[schema(example = "某银行梧桐支行")]
    pub bank_name: String,
    /// The branch's code in the interbank payment system.
    #[schema(example = "102100099996")]
    pub bank_code: String,
    /// The last four digits of the number.
    #[schema(example = "**** **** 8903")]
    pub number_masked: String,
}

impl From<&BankAccount> for BankAccountView {
    fn from(account: &BankAccount) -> Self {
        Self {
            holder: account.holder.clone(),
            bank_name: account.bank_name.clone(),
            bank_code: account.bank_code.clone(),
            number_masked: account.masked(),
        }
    }
}

/// A bank account whole, for whoever pays to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct BankAccountWhole {
    /// The account, its number masked.
    pub account: BankAccountView,
    /// All digits of the number; `null` in an answer that was given before, because no copy of it is kept.
    #[schema(required = true, example = "6222021112345678903")]
    pub number: Option<String>,
}

/// A change of an organisation's bank account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankAccountChange, example = json!({
    "id": "accountchange_01jd3n8f5teqkrzvq1c0m6h2ax", "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "account": {"holder": "梧桐洁城环境服务有限公司", "bank_name": "某银行梧桐支行", "bank_code": "102100099996", "number_masked": "**** **** 8903"},
    "state": "proposed", "proposed_by": "user_01jd3n8f5teqkrzvq1c0m6h2ax", "proposed_at": "2026-03-02T08:00:00.000000Z",
    "decided_by": null, "decided_at": null
}))]
pub struct BankAccountChangeView {
    /// Its id.
    pub id: BankAccountChangeId,
    /// Whose account it is.
    pub organisation_id: OrganisationId,
    /// The account, its number masked.
    pub account: BankAccountView,
    /// How far it has come.
    pub state: ChangeState,
    /// Which account proposed it.
    pub proposed_by: String,
    /// When, UTC.
    pub proposed_at: String,
    /// Which account confirmed it or took it back.
    #[schema(required = true)]
    pub decided_by: Option<String>,
    /// When, UTC.
    #[schema(required = true)]
    pub decided_at: Option<String>,
}

impl From<BankAccountChange> for BankAccountChangeView {
    fn from(change: BankAccountChange) -> Self {
        let (decided_by, decided_at) = change.decided.unzip();
        Self {
            account: BankAccountView::from(&change.account),
            id: change.id,
            organisation_id: change.organisation_id,
            state: change.state,
            proposed_by: change.proposed_by,
            proposed_at: rfc3339(change.proposed_at),
            decided_by,
            decided_at: decided_at.map(rfc3339),
        }
    }
}

/// A bank account that is to be an organisation's.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBankAccount {
    /// In whose name it is.
    #[schema(min_length = 1, max_length = 100, example = "梧桐洁城环境服务有限公司")]
    holder: String,
    /// The bank and its branch.
    #[schema(min_length = 1, max_length = 100, example = "某银行梧桐支行")]
    bank_name: String,
    /// The branch's twelve digits in the interbank payment system (CNAPS).
    #[schema(pattern = "^[0-9]{12}$", example = "102100099996")]
    bank_code: String,
    /// 8 to 32 digits; spaces between them do not count.
    #[schema(
        min_length = 8,
        max_length = 60,
        pattern = "^[0-9 ]+$",
        example = "6222021112345678903"
    )]
    number: String,
}

/// Read an organisation's bank account
///
/// The one that was confirmed last, its number masked.
#[utoipa::path(
    operation_id = "read_bank_account",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation")),
    responses(
        (status = 200, description = "The account", body = BankAccountView),
        (status = 404, description = "There is no such organisation, or it has no account"),
    ),
    extensions(("x-action" = json!("OpenOrganisation"))),
)]
#[get("/organisations/{id}/bank-account")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenOrganisation)?;
    let id = parsed(&id)?;
    may(&context, &actor, Action::OpenOrganisation, id.clone()).await?;
    let change = context
        .db
        .glance(move |conn| store::newest(conn, &id, ChangeState::Confirmed))
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok().json(BankAccountView::from(&change.account)))
}

/// See the whole number of an organisation's bank account
///
/// For whoever pays to it. That it was looked at, and by whom, is an event of the log.
#[utoipa::path(
    operation_id = "disclose_bank_account",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation")),
    responses(
        (status = 200, description = "The account", body = BankAccountWhole),
        (status = 404, description = "There is no such organisation, or it has no account"),
    ),
    extensions(("x-action" = json!("OpenBankAccount"))),
)]
#[post("/organisations/{id}/bank-account/disclosure")]
async fn disclose(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenBankAccount)?;
    let id = parsed(&id)?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let account = acts::look_at(tx, by, &id)?.account;
            let shown = |number| BankAccountWhole {
                account: BankAccountView::from(&account),
                number,
            };
            let whole = Reply::json(200, &shown(Some(account.number.clone())))?;
            Ok(whole.remembered_as(&shown(None))?)
        })
        .await
}

/// List changes of an organisation's bank account
///
/// Newest first.
#[utoipa::path(
    operation_id = "list_bank_account_changes",
    tag = "organisations",
    params(
        ("id" = OrganisationId, Path, description = "The organisation"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<BankAccountChangeView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such organisation, or it is not public"),
    ),
    extensions(("x-action" = json!("OpenOrganisation"))),
)]
#[get("/organisations/{id}/bank-account-changes")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenOrganisation)?;
    let id = parsed(&id)?;
    may(&context, &actor, Action::OpenOrganisation, id.clone()).await?;
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["bank account changes", id.as_str()]);
    let before = question
        .after(cursor.as_deref(), 1)?
        .and_then(|parts| parts.into_iter().next());
    let found = context
        .db
        .glance(move |conn| store::changes(conn, &id, before.as_deref(), i64::from(limit).saturating_add(1)))
        .await?;
    let page = Page::cut(found, limit, &question, |change| vec![change.id.to_string()])
        .map(BankAccountChangeView::from);
    Ok(page.answer(&request))
}

/// Propose another bank account
///
/// By one of the organisation's people; another of them must confirm it. One change may wait at a time.
#[utoipa::path(
    operation_id = "propose_bank_account",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation")),
    request_body = NewBankAccount,
    responses(
        (status = 201, description = "The change that waits", body = BankAccountChangeView),
        (status = 404, description = "There is no such organisation, or it is not public"),
        (status = 409, description = "`bank_account_change_open`"),
    ),
    extensions(("x-action" = json!("ProposeBankAccount"))),
)]
#[post("/organisations/{id}/bank-account-changes")]
async fn propose(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ProposeBankAccount)?;
    let id = parsed(&id)?;
    may(&context, &actor, Action::ProposeBankAccount, id.clone()).await?;
    let body = incoming.json::<NewBankAccount>().await?;
    let new = body.value;
    let account = BankAccount::new(&new.holder, &new.bank_name, &new.bank_code, &new.number)?;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(201, acts::propose(tx, by, &id, &account)?)
        })
        .await
}

/// Confirm another bank account
///
/// By another of the organisation's people than who proposed it. From then on the organisation is paid there.
#[utoipa::path(
    operation_id = "confirm_bank_account",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("change" = BankAccountChangeId, Path, description = "The change")),
    responses(
        (status = 200, description = "The change as it is now", body = BankAccountChangeView),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such organisation or change"),
        (status = 409, description = "`bank_account_change_decided`"),
    ),
    extensions(("x-action" = json!("ConfirmBankAccount"))),
)]
#[post("/organisations/{id}/bank-account-changes/{change}/confirmation")]
async fn confirm(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConfirmBankAccount)?;
    let which = which(path.into_inner())?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            reply(200, acts::confirm(tx, by, &which)?)
        })
        .await
}

/// Take a change of the bank account back
///
/// As long as it waits, by any of those who may propose one.
#[utoipa::path(
    operation_id = "withdraw_bank_account",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("change" = BankAccountChangeId, Path, description = "The change")),
    responses(
        (status = 200, description = "The change as it is now", body = BankAccountChangeView),
        (status = 404, description = "There is no such organisation or change"),
        (status = 409, description = "`bank_account_change_decided`"),
    ),
    extensions(("x-action" = json!("ProposeBankAccount"))),
)]
#[post("/organisations/{id}/bank-account-changes/{change}/withdrawal")]
async fn withdraw(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ProposeBankAccount)?;
    let which = which(path.into_inner())?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            reply(200, acts::withdraw(tx, by, &which)?)
        })
        .await
}

fn which((organisation, change): (String, String)) -> Answer<Which> {
    Ok(Which {
        organisation_id: parsed(&organisation)?,
        id: change.parse().map_err(|_| NOT_FOUND.refuse())?,
    })
}

fn reply(status: u16, change: BankAccountChange) -> Answer<Reply> {
    Ok(Reply::json(status, &BankAccountChangeView::from(change))?)
}
