//! Variations of contracts over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::http_awards::ReasonBody;
use crate::budget::desk::parsed;
use crate::contracts::acts_variations as acts;
use crate::contracts::http::{SignatureBody, SignatureView};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_variations::{Cause, Entered, Kind, State, Variation, VariationId};
use crate::contracts::rules_variations_document::{PartDocument, VariationDocument};
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::refusal::Answer;
use crate::standards::rules_indicators::Line;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(propose)
        .service(list)
        .service(read)
        .service(read_content)
        .service(sign)
        .service(withdraw)
        .service(refuse);
}

/// What is to be changed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVariation, example = json!({
    "kind": "supplement", "cause": "area", "words_zh": "新增两条背街小巷", "words_en": "Two more back lanes",
    "amount": {"amount": "10000.00", "currency": "CNY"}, "from_period": 4, "until": null
}))]
pub struct VariationBody {
    /// What it does.
    kind: Kind,
    /// Why.
    cause: Cause,
    /// What exactly, and why, in Chinese.
    #[schema(min_length = 1, max_length = 2000)]
    words_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    words_en: String,
    /// How much more; below zero for a reduction. Nothing, for an extension that costs nothing.
    amount: Money,
    /// From which period on it is spread, evenly over those that have not begun; `null` for the first of them.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 120)]
    from_period: Option<i64>,
    /// The new last day, of an extension or a renewal.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    until: Option<NaiveDate>,
}

/// A variation of a contract.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Variation, example = json!({
    "id": "variation_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "number": 1, "kind": "supplement", "cause": "area",
    "words_zh": "新增两条背街小巷", "words_en": "Two more back lanes", "amount": {"amount": "10000.00", "currency": "CNY"}, "from_period": 4, "until": null,
    "state": "concluded", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "proposed_at": "2026-07-15T02:00:00.000000Z",
    "signatures": [{"party": "buyer", "signed_at": "2026-07-16T02:00:00.000000Z"}, {"party": "supplier", "signed_at": "2026-07-16T03:00:00.000000Z"}],
    "closed_at": "2026-07-16T03:00:00.000000Z", "end_reason_zh": null, "end_reason_en": null,
    "parts": [{"period": 12, "first_day": "2027-04-01", "last_day": "2027-04-30", "amount": {"amount": "10000.00", "currency": "CNY"}, "is_added": false}],
    "revision": 2
}))]
pub struct VariationView {
    /// Its id.
    pub id: VariationId,
    /// The contract.
    pub contract_id: ContractId,
    /// Its number among the contract's variations, from 1.
    pub number: i64,
    /// What it does.
    pub kind: Kind,
    /// Why.
    pub cause: Cause,
    /// What exactly, and why, in Chinese.
    pub words_zh: String,
    /// In English.
    pub words_en: String,
    /// How much more; below zero for less.
    pub amount: Money,
    /// From which period on it was asked for.
    pub from_period: Option<i64>,
    /// The new last day, of an extension or a renewal.
    #[schema(value_type = Option<String>)]
    pub until: Option<NaiveDate>,
    /// How far it has come.
    pub state: State,
    /// SHA-256 of its bytes: what both parties sign, and what the log has.
    pub sha256: String,
    /// When it was proposed, UTC.
    pub proposed_at: String,
    /// Who has signed.
    #[schema(max_items = 2)]
    pub signatures: Vec<SignatureView>,
    /// When it was concluded or came to nothing, UTC.
    pub closed_at: Option<String>,
    /// Why it came to nothing, in Chinese.
    pub end_reason_zh: Option<String>,
    /// In English.
    pub end_reason_en: Option<String>,
    /// What it does to each period, once it is concluded; what is proposed is in the content.
    #[schema(max_items = 120)]
    pub parts: Vec<PartDocument>,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
}

impl From<Variation> for VariationView {
    fn from(variation: Variation) -> Self {
        let entered = variation.entered;
        let (end_reason_zh, end_reason_en) = variation.end_reason.map(|one| (one.zh, one.en)).unzip();
        Self {
            id: variation.id,
            contract_id: variation.contract_id,
            number: variation.number,
            kind: entered.kind,
            cause: entered.cause,
            words_zh: entered.words.zh,
            words_en: entered.words.en,
            amount: entered.amount,
            from_period: entered.from_period,
            until: entered.until,
            state: variation.state,
            sha256: hex::encode(variation.sha256),
            proposed_at: rfc3339(variation.proposed_at),
            signatures: SignatureView::all(variation.signatures),
            closed_at: variation.closed_at.map(rfc3339),
            end_reason_zh,
            end_reason_en,
            parts: variation.parts.iter().map(PartDocument::from).collect(),
            revision: variation.revision,
        }
    }
}

/// The variations of a contract.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Variations, example = json!({"items": []}))]
pub struct VariationsView {
    /// In their order.
    #[schema(max_items = 100)]
    pub items: Vec<VariationView>,
}

fn replied(status: u16, variation: Variation) -> Answer<Reply> {
    let etag = conditional::etag(variation.revision);
    Ok(Reply::json(status, &VariationView::from(variation))?.etag(etag))
}

/// Propose a variation
///
/// By the buyer's officer, one at a time. What is added by supplements and extensions together stays within the law's part of the original price, whatever
/// was taken away (政府采购法 art 49); an extension adds its own periods and is bounded likewise in days; a renewal is what the book promises for good scores.
/// Periods that have begun are not changed.
#[utoipa::path(
    operation_id = "propose_variation",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    request_body = VariationBody,
    responses(
        (status = 201, description = "The variation", body = VariationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such contract"),
        (status = 409, description = "`contract_terminated`, `variation_pending`, `variation_too_many`, `contract_without_periods`, `renewal_not_agreed`, `renewal_scores_unknown`, `renewal_not_met`, `renewal_too_long`, `renewal_dearer`, `contract_term_over`, `variation_over_cap`, `variation_extended_too_long`, `variation_no_period_left`, `variation_too_many_periods`, `variation_below_zero`, `variation_beyond_commitment`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("ProposeVariation"))),
)]
#[post("/contracts/{id}/variations")]
async fn propose(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ProposeVariation)?;
    let body = incoming.json::<VariationBody>().await?;
    let (id, asked, new) = (parsed::<ContractId>(&id)?, context.clone(), body.value);
    let entered = Entered {
        kind: new.kind,
        cause: new.cause,
        words: Line {
            zh: new.words_zh,
            en: new.words_en,
        },
        amount: new.amount,
        from_period: new.from_period,
        until: new.until,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let variation = acts::propose(tx, by, &id, entered.clone(), &asked.calendar)?;
            let location = format!("/api/v1/variations/{}", variation.id);
            Ok(replied(201, variation)?.location(location))
        })
        .await
}

/// List the variations of a contract
///
/// In their order. Everybody sees those that are concluded; the parties and auditors also what is proposed and what came to nothing.
#[utoipa::path(
    operation_id = "list_variations",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    responses(
        (status = 200, description = "All of them", body = VariationsView),
        (status = 404, description = "There is no such contract"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/variations")]
async fn list(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<ContractId>(&id)?;
    let found = context
        .db
        .read(move |conn| acts::of_contract(conn, &actor, &id))
        .await?;
    Ok(HttpResponse::Ok().json(VariationsView {
        items: found.into_iter().map(VariationView::from).collect(),
    }))
}

/// Read a variation
///
/// Everybody may once it is concluded; the parties and auditors before.
#[utoipa::path(
    operation_id = "read_variation",
    tag = "contracts",
    params(("id" = VariationId, Path, description = "The variation")),
    responses(
        (status = 200, description = "The variation", body = VariationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such variation, or not for you yet"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/variations/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<VariationId>(&id)?;
    let (variation, _) = context.db.read(move |conn| acts::seen(conn, &actor, &id)).await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(variation.revision)))
        .json(VariationView::from(variation)))
}

/// Read what a variation says
///
/// The bytes that both parties sign, whose hash the log has: with what it does to each period.
#[utoipa::path(
    operation_id = "read_variation_content",
    tag = "contracts",
    params(
        ("id" = VariationId, Path, description = "The variation"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The variation", body = VariationDocument, headers(("ETag" = String, description = "It never changes"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the one there is"),
        (status = 404, description = "There is no such variation, or not for you yet"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/variations/{id}/content")]
async fn read_content(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<VariationId>(&id)?;
    let (variation, _) = context.db.read(move |conn| acts::seen(conn, &actor, &id)).await?;
    let etag = conditional::etag(1);
    let current = conditional::is_current(&request, &etag);
    let mut response = if current {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    if current {
        return Ok(response.finish());
    }
    Ok(response.content_type("application/json").body(variation.content))
}

/// Sign a variation
///
/// For the buyer, by somebody else than who has proposed it, or for the supplier. Both sign the same bytes: the hash has to be that of the variation. With the
/// second signature it holds and is public: what it adds is committed out of the line's free money, what it takes away goes back there.
#[utoipa::path(
    operation_id = "sign_variation",
    tag = "contracts",
    params(("id" = VariationId, Path, description = "The variation")),
    request_body = SignatureBody,
    responses(
        (status = 200, description = "The variation as it is now", body = VariationView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such variation, or it is not yours to see"),
        (status = 409, description = "`variation_wrong_state`, `variation_signed_already`, `variation_hash_differs`, `variation_overtaken`, `variation_beyond_commitment`, `ledger_would_overdraw`, and those of a proposal"),
    ),
    extensions(("x-action" = json!("SignContract"))),
)]
#[post("/variations/{id}/signatures")]
async fn sign(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SignContract)?;
    let body = incoming.json::<SignatureBody>().await?;
    let (id, asked, new) = (parsed::<VariationId>(&id)?, context.clone(), body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            replied(200, acts::sign(tx, by, &id, new.what(), &asked.calendar)?)
        })
        .await
}

/// Withdraw a variation
///
/// By the buyer, before both have signed. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "withdraw_variation",
    tag = "contracts",
    params(
        ("id" = VariationId, Path, description = "The variation"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The variation as it is now", body = VariationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such variation, or it is not yours to see"),
        (status = 409, description = "`variation_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("WithdrawVariation"))),
)]
#[post("/variations/{id}/withdrawal")]
async fn withdraw(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::WithdrawVariation)?;
    let body = incoming.json::<ReasonBody>().await?;
    let (id, expected, said) = (parsed::<VariationId>(&id)?, Expected::of(&request)?, body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let reason = (said.reason_zh.as_str(), said.reason_en.as_str());
            replied(200, acts::withdraw(tx, by, (&id, expected), reason)?)
        })
        .await
}

/// Refuse a variation
///
/// By the supplier, before both have signed. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "refuse_variation",
    tag = "contracts",
    params(
        ("id" = VariationId, Path, description = "The variation"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The variation as it is now", body = VariationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such variation, or it is not yours to see"),
        (status = 409, description = "`variation_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("SignForSupplier"))),
)]
#[post("/variations/{id}/refusal")]
async fn refuse(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SignForSupplier)?;
    let body = incoming.json::<ReasonBody>().await?;
    let (id, expected, said) = (parsed::<VariationId>(&id)?, Expected::of(&request)?, body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let reason = (said.reason_zh.as_str(), said.reason_en.as_str());
            replied(200, acts::refuse(tx, by, (&id, expected), reason)?)
        })
        .await
}
