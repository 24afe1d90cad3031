//! Contracts over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::desk;
use crate::award::http_awards::ReasonBody;
use crate::award::rules_awards::AwardId;
use crate::books::rules::{BookId, LotId};
use crate::budget::desk::{page_or_table, parsed};
use crate::contracts::acts::{self, Held};
use crate::contracts::rules::{ContractId, Party, Signature, State};
use crate::contracts::rules_document::ContractDocument;
use crate::contracts::store::{self, ContractFilter};
use crate::db::conn::Conn;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional;
use crate::web::context::WardCalendar;
use crate::web::format::{Format, csv_table};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(prepare)
        .service(read_of_award)
        .service(list)
        .service(read)
        .service(read_content)
        .service(sign)
        .service(give_up);
}

/// Which bytes are signed, and for whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewContractSignature, example = json!({"party": "supplier", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}))]
pub struct SignatureBody {
    /// For whom.
    party: Party,
    /// SHA-256 of the contract's bytes, as the signer has computed it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
}

impl SignatureBody {
    /// For whom, and which bytes.
    pub(super) fn what(&self) -> (Party, &str) {
        (self.party, &self.sha256)
    }
}

/// That a party has signed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContractSignature, example = json!({"party": "supplier", "signed_at": "2026-04-24T02:00:00.000000Z"}))]
pub struct SignatureView {
    /// Which.
    pub party: Party,
    /// When, UTC.
    pub signed_at: String,
}

impl SignatureView {
    /// All of them, in their order.
    pub(super) fn all(signatures: Vec<Signature>) -> Vec<Self> {
        let shown = signatures.into_iter().map(|one| Self {
            party: one.party,
            signed_at: rfc3339(one.at),
        });
        shown.collect()
    }
}

/// A contract.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contract, example = json!({
    "id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "award_id": "award_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax",
    "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "buyer_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "price": {"amount": "2298600.00", "currency": "CNY"}, "price_now": {"amount": "2298600.00", "currency": "CNY"}, "ends_on": null,
    "performance_security": {"amount": "114930.00", "currency": "CNY"}, "state": "signed",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "prepared_at": "2026-04-22T02:00:00.000000Z",
    "signatures": [{"party": "buyer", "signed_at": "2026-04-24T02:00:00.000000Z"}, {"party": "supplier", "signed_at": "2026-04-23T02:00:00.000000Z"}],
    "signed_at": "2026-04-24T02:00:00.000000Z", "sign_before": null
}))]
pub struct ContractView {
    /// Its id.
    pub id: ContractId,
    /// The award.
    pub award_id: AwardId,
    /// The lot.
    pub lot_id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// Who buys.
    pub buyer_id: OrganisationId,
    /// Who supplies.
    pub supplier_id: OrganisationId,
    /// For how much.
    pub price: Money,
    /// The price with what concluded variations have changed.
    pub price_now: Money,
    /// The last day, where a variation has made it a later one, or the termination an earlier one.
    #[schema(value_type = Option<String>)]
    pub ends_on: Option<NaiveDate>,
    /// What the supplier lodges before the buyer signs; `null` for nothing.
    pub performance_security: Option<Money>,
    /// How far it has come.
    pub state: State,
    /// SHA-256 of its bytes: what both parties sign, and what the log has.
    pub sha256: String,
    /// When it was prepared, UTC.
    pub prepared_at: String,
    /// Who has signed.
    #[schema(max_items = 2)]
    pub signatures: Vec<SignatureView>,
    /// When the second party did, UTC.
    pub signed_at: Option<String>,
    /// Before when both have to sign, UTC; `null` once that is over with.
    pub sign_before: Option<String>,
}

impl ContractView {
    fn of(held: Held, sign_before: Option<Instant>) -> Answer<Self> {
        let Held { contract, award } = held;
        let state = contract.state(award.state);
        let since = contract.since;
        let price_now = contract.price.checked_add(since.varied);
        Ok(Self {
            price_now: price_now
                .map_err(|error| Fault::caused("the price of a contract as it is now", error))?,
            ends_on: since.terminated_on.or(since.prolonged_until),
            id: contract.id,
            award_id: contract.award_id,
            lot_id: contract.lot_id,
            book_id: contract.book_id,
            buyer_id: contract.buyer_id,
            supplier_id: contract.supplier_id,
            price: contract.price,
            performance_security: Some(contract.security).filter(|amount| !amount.is_zero()),
            state,
            sha256: hex::encode(contract.sha256),
            prepared_at: rfc3339(contract.prepared_at),
            signatures: SignatureView::all(contract.signatures),
            signed_at: contract.signed_at.map(rfc3339),
            sign_before: sign_before.filter(|_| state == State::Prepared).map(rfc3339),
        })
    }
}

fn shown(conn: &mut Conn, held: Held, (calendar, now): (&WardCalendar, Instant)) -> Answer<ContractView> {
    let known = desk::known(conn, &held.contract.lot_id)?;
    let before = acts::signing_over(&held.award, &known, calendar, now).ok();
    ContractView::of(held, before)
}

/// Prepare a contract
///
/// Of a confirmed award: put together from the book's version, the lot, the winning bid and the award, so that nothing is slipped in. One that was prepared
/// before stays as it is.
#[utoipa::path(
    operation_id = "prepare_contract",
    tag = "contracts",
    params(("id" = AwardId, Path, description = "The award")),
    responses(
        (status = 200, description = "The contract", body = ContractView),
        (status = 404, description = "There is no such award, or not for you yet"),
        (status = 409, description = "`award_wrong_state`, `contract_signing_late`"),
    ),
    extensions(("x-action" = json!("PrepareContract"))),
)]
#[post("/awards/{id}/contract")]
async fn prepare(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::PrepareContract)?;
    let (id, asked) = (parsed::<AwardId>(&id)?, context.clone());
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let held = acts::prepare(tx, by, &id, &asked.calendar)?;
            let now = tx.now();
            let view = shown(tx.conn(), held, (&asked.calendar, now))?;
            Ok(Reply::json(200, &view)?)
        })
        .await
}

/// Read the contract of an award
///
/// Everybody may once it is signed; its parties and auditors before.
#[utoipa::path(
    operation_id = "read_contract_of_award",
    tag = "contracts",
    params(("id" = AwardId, Path, description = "The award")),
    responses(
        (status = 200, description = "The contract", body = ContractView),
        (status = 404, description = "There is no such contract, or not for you yet"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/awards/{id}/contract")]
async fn read_of_award(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, asked) = (parsed::<AwardId>(&id)?, context.clone());
    let view = context
        .db
        .read(move |conn| {
            let held = acts::seen_of_award(conn, &actor, &id)?;
            shown(conn, held, (&asked.calendar, asked.clock.now()))
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// List contracts
///
/// Those that both parties have signed, the one signed last first. As CSV with `Accept: text/csv`: the same page as a table.
#[utoipa::path(
    operation_id = "list_contracts",
    tag = "contracts",
    params(
        ("lot_id" = Option<LotId>, Query, description = "Of this lot"),
        ("book_id" = Option<BookId>, Query, description = "Of this book"),
        ("buyer_id" = Option<OrganisationId>, Query, description = "Of this buyer"),
        ("supplier_id" = Option<OrganisationId>, Query, description = "Of this supplier"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<ContractView> = "application/json"),
        (String = "text/csv", example = "id,book_id,lot_id,buyer_id,supplier_id,price,sha256,signed_at\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let mut query = Query::of(&request);
    let lot = query.parsed::<LotId>("lot_id");
    let book = query.parsed::<BookId>("book_id");
    let buyer = query.parsed::<OrganisationId>("buyer_id");
    let supplier = query.parsed::<OrganisationId>("supplier_id");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "contracts",
        lot.as_ref().map_or("", LotId::as_str),
        book.as_ref().map_or("", BookId::as_str),
        buyer.as_ref().map_or("", OrganisationId::as_str),
        supplier.as_ref().map_or("", OrganisationId::as_str),
    ]);
    let before = match question.after(cursor.as_deref(), 2)?.as_deref() {
        Some([at, id]) => Some((instant(at).ok_or_else(bad_cursor)?, id.clone())),
        _ => None,
    };
    let filter = ContractFilter {
        lot,
        book,
        buyer,
        supplier,
        before,
        ..ContractFilter::default()
    };
    let max = i64::from(limit).saturating_add(1);
    let views = context
        .db
        .read(move |conn| {
            let mut views = Vec::new();
            for contract in store::signed(conn, &filter, max)? {
                let held = acts::seen(conn, &Actor::public(), &contract.id)?;
                views.push(ContractView::of(held, None)?);
            }
            Ok(views)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &ContractView| {
        vec![one.signed_at.clone().unwrap_or_default(), one.id.to_string()]
    });
    page_or_table(&request, page, format, ("contracts.csv", table))
}

/// The instant of a cursor.
pub(super) fn instant(text: &str) -> Option<NaiveDateTime> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.naive_utc())
}

fn table(items: &[ContractView]) -> Answer<Vec<u8>> {
    let columns = [
        "id",
        "book_id",
        "lot_id",
        "buyer_id",
        "supplier_id",
        "price",
        "sha256",
        "signed_at",
    ];
    let prices: Vec<String> = items.iter().map(|item| item.price.to_string()).collect();
    let rows = items.iter().zip(&prices).map(|(item, price)| {
        [
            item.id.as_str(),
            item.book_id.as_str(),
            item.lot_id.as_str(),
            item.buyer_id.as_str(),
            item.supplier_id.as_str(),
            price,
            &item.sha256,
            item.signed_at.as_deref().unwrap_or_default(),
        ]
    });
    Ok(csv_table(&columns, rows)?)
}

/// Read a contract
///
/// Everybody may once it is signed; its parties and auditors before.
#[utoipa::path(
    operation_id = "read_contract",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    responses(
        (status = 200, description = "The contract", body = ContractView),
        (status = 404, description = "There is no such contract, or not for you yet"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, asked) = (parsed::<ContractId>(&id)?, context.clone());
    let view = context
        .db
        .read(move |conn| {
            let held = acts::seen(conn, &actor, &id)?;
            shown(conn, held, (&asked.calendar, asked.clock.now()))
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Read what a contract says
///
/// The bytes that both parties sign, whose hash the log has.
#[utoipa::path(
    operation_id = "read_contract_content",
    tag = "contracts",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The contract", body = ContractDocument, headers(("ETag" = String, description = "It never changes"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the one there is"),
        (status = 404, description = "There is no such contract, or not for you yet"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/content")]
async fn read_content(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<ContractId>(&id)?;
    let held = context.db.read(move |conn| acts::seen(conn, &actor, &id)).await?;
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
    Ok(response
        .content_type("application/json")
        .body(held.contract.content))
}

/// Sign a contract
///
/// For the buyer or for the supplier, by their own people, within the time for it. Both sign the same bytes: the hash has to be that of the contract. With the
/// second signature the price is committed to the fen, what is left of the reservation goes back to its line, and the contract is public.
#[utoipa::path(
    operation_id = "sign_contract",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    request_body = SignatureBody,
    responses(
        (status = 200, description = "The contract as it is now", body = ContractView),
        (status = 404, description = "There is no such contract, or it is not yours to see"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `contract_signed_already`, `contract_void`, `contract_hash_differs`, `contract_signing_late`, `award_blocked`, `performance_security_missing`"),
    ),
    extensions(("x-action" = json!("SignContract"))),
)]
#[post("/contracts/{id}/signatures")]
async fn sign(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SignContract)?;
    let body = incoming.json::<SignatureBody>().await?;
    let (id, asked, new) = (parsed::<ContractId>(&id)?, context.clone(), body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let held = acts::sign(tx, by, &id, new.what(), &asked.calendar)?;
            let now = tx.now();
            let view = shown(tx.conn(), held, (&asked.calendar, now))?;
            Ok(Reply::json(200, &view)?)
        })
        .await
}

/// Note that the supplier did not sign in time
///
/// By the buyer, when the time for it is over. The award ends, and the next in rank is proposed; if nobody is left, the lot is unsuccessful.
#[utoipa::path(
    operation_id = "give_up_contract",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The contract as it is now", body = ContractView),
        (status = 404, description = "There is no such contract, or it is not yours to see"),
        (status = 409, description = "`contract_supplier_signed`, `contract_signing_not_over`, `award_wrong_state`, `calendar_ends`"),
    ),
    extensions(("x-action" = json!("EndAward"))),
)]
#[post("/contracts/{id}/failure")]
async fn give_up(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::EndAward)?;
    let body = incoming.json::<ReasonBody>().await?;
    let (id, asked, said) = (parsed::<ContractId>(&id)?, context.clone(), body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let reason = (said.reason_zh.as_str(), said.reason_en.as_str());
            let (held, _) = acts::give_up(tx, by, &id, reason, &asked.calendar)?;
            let now = tx.now();
            let view = shown(tx.conn(), held, (&asked.calendar, now))?;
            Ok(Reply::json(200, &view)?)
        })
        .await
}
