//! Witnesses of openings over HTTP: their recipients, their shares, rehearsing and handing in. Parse, call one act or query, render. No SQL
//! and no rule.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::acts_witnesses as acts;
use crate::books::custody::Custody;
use crate::books::rules::BookId;
use crate::books::rules_witnesses::{SharedCustody, WitnessKey};
use crate::books::{store, store_witnesses};
use crate::budget::desk::parsed;
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::{Answer, Stop};
use crate::registry::acts_organisations::account;
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list_keys)
        .service(register)
        .service(read_custody)
        .service(read_canary)
        .service(read_share)
        .service(rehearse)
        .service(hand_in);
}

/// A recipient to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWitnessKey, example = json!({"recipient": "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"}))]
pub struct NewKeyBody {
    /// An age X25519 recipient, as `age-keygen` and `wardbook share key` print it. The secret key stays with you.
    #[schema(min_length = 10, max_length = 100)]
    recipient: String,
}

/// A recipient of a witness.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WitnessKey, example = json!({"number": 1, "recipient": "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa", "registered_at": "2026-03-02T00:00:00.000000Z"}))]
pub struct KeyView {
    /// Counts your recipients, from 1; shares are sealed to the last one.
    pub number: i64,
    /// The recipient.
    pub recipient: String,
    /// When it was registered, UTC.
    pub registered_at: String,
}

impl From<WitnessKey> for KeyView {
    fn from(key: WitnessKey) -> Self {
        Self {
            number: key.number,
            recipient: key.recipient,
            registered_at: rfc3339(key.registered_at),
        }
    }
}

/// All recipients that one has registered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WitnessKeys)]
pub struct KeysView {
    /// The one that counts first.
    #[schema(max_items = 1000)]
    pub items: Vec<KeyView>,
}

/// Who keeps the key that opens a book's bids, and how far they are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpeningCustody, example = json!({"kind": "shared", "recipient": "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa", "threshold": 2, "given": 0, "shares": [{"number": 1, "account_id": "user_01jd3n8f5teqkrzvq1c0m6h2ax", "commitment": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "rehearsed_at": null, "given_at": null}]}))]
pub struct CustodyView {
    /// `custodial`, kept by the service, or `shared` among witnesses.
    pub kind: &'static str,
    /// To whom bids are sealed.
    pub recipient: String,
    /// How many shares it takes; `null` if it is not shared.
    #[schema(minimum = 2, maximum = 9)]
    pub threshold: Option<u8>,
    /// How many were handed in.
    #[schema(minimum = 0, maximum = 9)]
    pub given: usize,
    /// The shares; none if it is not shared.
    #[schema(max_items = 9)]
    pub shares: Vec<ShareView>,
}

/// A share of an opening key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpeningShare, example = json!({"number": 1, "account_id": "user_01jd3n8f5teqkrzvq1c0m6h2ax", "commitment": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "rehearsed_at": null, "given_at": null}))]
pub struct ShareView {
    /// Which one, counted from 1.
    #[schema(minimum = 1, maximum = 9)]
    pub number: u8,
    /// Whose.
    pub account_id: String,
    /// SHA-256 of book and share, by which a share is known when it is handed in.
    pub commitment: String,
    /// When its witness showed to have opened it, UTC.
    pub rehearsed_at: Option<String>,
    /// When it was handed in, UTC.
    pub given_at: Option<String>,
}

impl From<SharedCustody> for CustodyView {
    fn from(custody: SharedCustody) -> Self {
        Self {
            kind: "shared",
            threshold: Some(custody.threshold),
            given: custody.given(),
            recipient: custody.recipient,
            shares: custody
                .shares
                .into_iter()
                .map(|share| ShareView {
                    number: share.number,
                    account_id: share.account_id,
                    commitment: hex::encode(share.commitment),
                    rehearsed_at: share.rehearsed_at.map(rfc3339),
                    given_at: share.given_at.map(rfc3339),
                })
                .collect(),
        }
    }
}

/// The word that was sealed beside a share.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShareRehearsal, example = json!({"word": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}))]
pub struct RehearsalBody {
    /// 64 digits of base 16: the line `word` of your sheet, and never the line `share`.
    #[schema(min_length = 1, max_length = 200)]
    word: String,
}

/// A share to hand in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GivenShare, example = json!({"share": "01abababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababab"}))]
pub struct ShareBody {
    /// 150 digits of base 16: the line `share` of your sheet.
    #[schema(min_length = 1, max_length = 400)]
    share: String,
}

/// List your recipients as a witness
#[utoipa::path(
    operation_id = "list_witness_keys",
    tag = "openings",
    responses((status = 200, description = "All of them, the one that counts first", body = KeysView)),
    extensions(("x-action" = json!("RegisterWitnessKey"))),
)]
#[get("/me/witness-keys")]
async fn list_keys(context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::RegisterWitnessKey, Matter::default())?;
    let account = account(&actor)?.to_owned();
    let found = context
        .db
        .glance(move |conn| store_witnesses::keys_of(conn, &account))
        .await?;
    Ok(HttpResponse::Ok().json(KeysView {
        items: found.into_iter().map(KeyView::from).collect(),
    }))
}

/// Register your recipient as a witness
///
/// Shares of opening keys are sealed to it when books are published that name you as a witness. Make it with `wardbook share key` or `age-keygen`
/// and keep the secret key where only you can read it: without it your shares are lost. Registering another one replaces it for books that are
/// published from then on.
#[utoipa::path(
    operation_id = "register_witness_key",
    tag = "openings",
    request_body = NewKeyBody,
    responses(
        (status = 201, description = "Your recipient", body = KeyView),
        (status = 409, description = "`witness_key_taken`, `witness_keys_too_many`"),
        (status = 422, description = "`witness_key_invalid`"),
    ),
    extensions(("x-action" = json!("RegisterWitnessKey"))),
)]
#[post("/me/witness-keys")]
async fn register(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::RegisterWitnessKey, Matter::default())?;
    let body = incoming.json::<NewKeyBody>().await?;
    let recipient = body.value.recipient;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let key = acts::register(tx, by, &recipient)?;
            Ok(Reply::json(201, &KeyView::from(key))?)
        })
        .await
}

/// See who keeps a book's opening key
///
/// Whether the service keeps it, or which witnesses share it: how many of them it takes, the hash of each share, who has shown to have opened theirs,
/// and, from the opening on, who has handed theirs in.
#[utoipa::path(
    operation_id = "read_opening_custody",
    tag = "openings",
    params(("id" = BookId, Path, description = "The book")),
    responses(
        (status = 200, description = "Who keeps it", body = CustodyView),
        (status = 404, description = "There is no such book that is public"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books/{id}/custody")]
async fn read_custody(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let id = parsed::<BookId>(&id)?;
    let view = context
        .db
        .glance(move |conn| {
            let book = store::book(conn, &id)?.filter(|book| book.state.is_public());
            let publication = book.and_then(|book| book.publication);
            let publication = publication.ok_or_else(|| NOT_FOUND.refuse())?;
            Ok(match store_witnesses::custody(conn, &id)? {
                Some(custody) => CustodyView::from(custody),
                None => CustodyView {
                    kind: "custodial",
                    recipient: publication.recipient,
                    threshold: None,
                    given: 0,
                    shares: Vec::new(),
                },
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Download the canary of a shared opening key
///
/// An age file to the book's recipient, of which everybody knows what it says: with `wardbook share rehearse` witnesses can try for themselves, on a machine of
/// their own, that their shares open it.
#[utoipa::path(
    operation_id = "read_opening_canary",
    tag = "openings",
    params(("id" = BookId, Path, description = "The book")),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "There is no such book, or its key is not shared"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books/{id}/canary")]
async fn read_canary(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let id = parsed::<BookId>(&id)?;
    let found = context
        .db
        .glance(move |conn| store_witnesses::canary(conn, &id))
        .await?;
    Ok(age_file("canary.age", found.ok_or_else(|| NOT_FOUND.refuse())?))
}

/// Download your share of a book's opening key
///
/// Sealed to the recipient that you had registered when the book was published. `age -d` or `wardbook share open` shows the share and the word beside it.
#[utoipa::path(
    operation_id = "read_opening_share",
    tag = "openings",
    params(("id" = BookId, Path, description = "The book")),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "There is no such book, or no share of its key is yours"),
    ),
    extensions(("x-action" = json!("ReadOwnShare"))),
)]
#[get("/contract-books/{id}/share")]
async fn read_share(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOwnShare, Matter::default())?;
    let (id, account) = (parsed::<BookId>(&id)?, account(&actor)?.to_owned());
    let found = context
        .db
        .glance(move |conn| store_witnesses::sealed_share(conn, &id, &account))
        .await?;
    Ok(age_file("share.age", found.ok_or_else(|| NOT_FOUND.refuse())?))
}

fn age_file(name: &str, content: Vec<u8>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.insert_header((CONTENT_DISPOSITION, disposition));
    }
    response
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .body(content)
}

/// Show that you can open your share
///
/// With the word that was sealed beside it. The share itself is handed in at the opening and never before: whoever has as many as it takes can open.
/// A wrong word is refused and recorded in the log.
#[utoipa::path(
    operation_id = "rehearse_opening_share",
    tag = "openings",
    params(("id" = BookId, Path, description = "The book")),
    request_body = RehearsalBody,
    responses(
        (status = 200, description = "Who shares the key, and how far they are", body = CustodyView),
        (status = 404, description = "There is no such book, or no share of its key is yours"),
        (status = 409, description = "`book_wrong_state`, `rehearsal_over`, `rehearsal_word_wrong`"),
    ),
    extensions(("x-action" = json!("RehearseShare"))),
)]
#[post("/contract-books/{id}/rehearsal")]
async fn rehearse(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::RehearseShare, Matter::default())?;
    let body = incoming.json::<RehearsalBody>().await?;
    let (id, word) = (parsed::<BookId>(&id)?, body.value.word);
    let (of, who) = (id.clone(), actor.clone());
    let answer = context
        .act_once(actor, once, body.digest, move |tx, by| {
            let custody = acts::rehearse(tx, by, &id, &word)?;
            Ok(Reply::json(200, &CustodyView::from(custody))?)
        })
        .await;
    recorded(&context, who, of, answer).await
}

/// Hand in your share
///
/// From the instant of the opening on. It is compared with the hash that was published with the book; a wrong one is refused and recorded in the log. The
/// same one again changes nothing. It is kept encrypted until the bids are open, and then forgotten.
#[utoipa::path(
    operation_id = "hand_in_opening_share",
    tag = "openings",
    params(("id" = BookId, Path, description = "The book")),
    request_body = ShareBody,
    responses(
        (status = 200, description = "Who shares the key, and how far they are", body = CustodyView),
        (status = 404, description = "There is no such book, or no share of its key is yours"),
        (status = 409, description = "`book_wrong_state`, `opening_not_yet`, `opening_share_wrong`"),
        (status = 422, description = "`opening_share_malformed`"),
    ),
    extensions(("x-action" = json!("HandInShare"))),
)]
#[post("/contract-books/{id}/shares")]
async fn hand_in(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
    custody: web::Data<Custody>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::HandInShare, Matter::default())?;
    let body = incoming.json::<ShareBody>().await?;
    let (id, share) = (parsed::<BookId>(&id)?, zeroize::Zeroizing::new(body.value.share));
    let (of, who) = (id.clone(), actor.clone());
    let answer = context
        .act_once(actor, once, body.digest, move |tx, by| {
            let shared = acts::hand_in(tx, by, &id, &share, &custody)?;
            Ok(Reply::json(200, &CustodyView::from(shared))?)
        })
        .await;
    recorded(&context, who, of, answer).await
}

/// The answer, after what the log is to have of it was written: a refusal undoes its own transaction, and so its event has one of its own. Only so many
/// of an account's wrong ones are written, so that nobody floods the log; a right one is heard all the same, for no number of tries finds 256 bits.
async fn recorded(
    context: &Shared,
    actor: Actor,
    id: BookId,
    answer: Answer<HttpResponse>,
) -> Answer<HttpResponse> {
    if let Err(Stop::Refused(refusal)) = &answer
        && acts::is_told(refusal)
    {
        let code = refusal.reason.code;
        let who = actor.id().unwrap_or_default();
        context
            .throttle
            .guess(who)
            .map_err(|stop| too_many_wrong(stop, code))?;
        context
            .db
            .write(move |tx| acts::refused(tx, &actor, &id, code))
            .await?;
    }
    answer
}

/// The refusal of one wrong share or word too many, and why it is not in the log.
fn too_many_wrong(stop: Stop, code: &str) -> Stop {
    let Stop::Refused(mut refusal) = stop else {
        return stop;
    };
    refusal.detail = Some(text!(
        "此前提交的错误份额或口令过多：本次同样有误（{code}），未记入日志。正确的份额或口令随时受理",
        "Too many wrong shares or words were handed in before: this one is wrong too ({code}) and was not logged. The right one is taken at any time"
    ));
    Stop::Refused(refusal)
}
