//! Links and codes that work once, over HTTP. A request for a mail is always answered alike: with the same bytes and, by waiting,
//! after the same time, whether there is such an account or not.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Refusal};
use crate::kernel::text::Language;
use crate::people::acts_links::{self, Accept};
use crate::people::gate::{AtGate, Evenly};
use crate::people::http_accounts::{AccountView, LanguageView};
use crate::people::rules::{self, Account, Email};
use crate::people::rules_links::{CODE_MINUTES, ChallengeId, LINK_REFUSED, Purpose, RESET_MINUTES};
use crate::people::secrets::{self, hash_of};
use crate::people::throttle::Tried;
use crate::people::{store, store_links};
use crate::web::actor::Shared;
use crate::web::body::Incoming;
use crate::web::context::Context;
use crate::web::operations::Operations;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(accept_invitation)
        .service(ask_for_code)
        .service(ask_for_reset)
        .service(reset);
}

/// What somebody says who takes an account over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// Their name.
    #[schema(min_length = 1, max_length = 100, example = "陈静")]
    pub(super) display_name: String,
    /// The language that they read.
    pub(super) language: LanguageView,
    /// Their password: 12 to 128 characters, none of the common ones. Without one they sign in by mail.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 128,
        example = "violet tram under paper rain"
    )]
    pub(super) password: Option<String>,
    /// Their mail address; asked of the first administrator only, whose link was not sent by mail.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 3,
        max_length = 254,
        example = "chen.jing@ward.example"
    )]
    pub(super) email: Option<String>,
}

/// Whose mail address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailTo {
    /// The account's mail address, in either case.
    #[schema(min_length = 1, max_length = 254, example = "chen.jing@ward.example")]
    email: String,
    /// The `device_token` of an earlier sign-in on this device: what others ask for elsewhere is not counted against it.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100, example = "m0ne0f0urs")]
    device_token: Option<String>,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// 12 to 128 characters, none of the common ones.
    #[schema(min_length = 1, max_length = 128, example = "violet tram under paper rain")]
    password: String,
}

/// A code is on its way, if there is such an account.
#[derive(Serialize, ToSchema)]
pub struct CodeSent {
    /// Send it with the code to sign in.
    pub challenge_id: ChallengeId,
    /// How long the code is good.
    #[schema(example = 10)]
    pub minutes: u32,
}

/// A link is on its way, if there is such an account.
#[derive(Serialize, ToSchema)]
pub struct ResetSent {
    /// How long the link is good.
    #[schema(example = 60)]
    pub minutes: u32,
}

/// The password is another one.
#[derive(Serialize, ToSchema)]
pub struct PasswordWasReset {
    /// True: all sessions have ended.
    #[schema(example = true)]
    pub signed_out_everywhere: bool,
}

/// Accept an invitation
///
/// Takes an account over by the link that was sent, or opens the first administrator's account by the link that the service
/// printed at its start. Sign in afterwards.
#[utoipa::path(
    operation_id = "accept_invitation",
    tag = "people",
    params(("token" = String, Path, max_length = 100, description = "The secret of the link", example = "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM")),
    request_body = Acceptance,
    responses(
        (status = 201, description = "The account, in use", body = AccountView),
        (status = 404, description = "`link_refused`"),
        (status = 409, description = "`account_email_taken`"),
    ),
    extensions(("x-action" = json!("Everyone")), ("x-secret-answer" = json!(true))),
)]
#[post("/invitations/{token}")]
async fn accept_invitation(
    context: Shared,
    gate: AtGate,
    token: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let said = incoming.json::<Acceptance>().await?.value;
    let account = take_over(&context, &gate, &token, said).await?;
    Ok(HttpResponse::Created().json(AccountView::from(account)))
}

/// Checks what somebody says who takes an account over, before anything is hashed or written.
pub(super) async fn check_acceptance(
    context: &Context,
    gate: &AtGate,
    token: &str,
    said: &Acceptance,
) -> Answer<Option<Email>> {
    let (purpose, known) = address_of_link(context, token).await?.ok_or_else(refused)?;
    if !matches!(purpose, Purpose::Invitation | Purpose::Bootstrap) {
        return Err(refused().into());
    }
    let given = said.email.as_deref().map(rules::email).transpose()?;
    let email = match (&known, &given) {
        (Some(known), None) => known,
        (None, Some(given)) => given,
        (Some(_), Some(_)) => {
            return Err(crate::web::problem::INVALID.refuse().at("/email").into());
        }
        (None, None) => return Err(rules::email("").err().unwrap_or_else(refused).into()),
    };
    let name_fault = rules::display_name(&said.display_name).err();
    let password_fault = said
        .password
        .as_ref()
        .and_then(|password| gate.check_password(password, email).err());
    rules::all_faults([name_fault, password_fault])?;
    Ok(given)
}

/// Takes an account over by its link: what the API and the page do.
pub(super) async fn take_over(
    context: &Context,
    gate: &AtGate,
    token: &str,
    said: Acceptance,
) -> Answer<Account> {
    let given = check_acceptance(context, gate, token, &said).await?;
    let password_hash = match said.password.map(Zeroizing::new) {
        Some(password) => Some(gate.hasher.hash(password).await?),
        None => None,
    };
    let command = Accept {
        display_name: said.display_name,
        language: Language::from(said.language),
        password_hash,
        email: given,
    };
    let link = hash_of(token);
    context
        .db
        .write(move |tx| acts_links::accept(tx, &link, &command))
        .await
}

fn refused() -> Refusal {
    LINK_REFUSED.refuse()
}

/// What a link is good for, and the mail address of its account, if it is of one.
async fn address_of_link(context: &Context, token: &str) -> Answer<Option<(Purpose, Option<Email>)>> {
    let found = account_of_link(context, token).await?;
    Ok(found.map(|(purpose, account)| (purpose, account.and_then(|account| account.email))))
}

/// What a link is good for, and its account, if it is of one.
pub(super) async fn account_of_link(
    context: &Context,
    token: &str,
) -> Answer<Option<(Purpose, Option<Account>)>> {
    let (link, now) = (hash_of(token), context.clock.now());
    context
        .db
        .read(move |conn| {
            let Some((purpose, account)) = store_links::link(conn, &link, now)? else {
                return Ok(None);
            };
            let account = match account {
                Some(id) => store::account(conn, &id)?,
                None => None,
            };
            Ok(Some((purpose, account)))
        })
        .await
}

/// Ask for a code
///
/// Sends a one-time code of six digits to sign in with, good for ten minutes and five tries. The answer is the same whether there
/// is such an account or not.
#[utoipa::path(
    operation_id = "ask_for_sign_in_code",
    tag = "people",
    request_body = MailTo,
    responses(
        (status = 202, description = "It is on its way, if there is such an account", body = CodeSent),
        (status = 429, description = "Too many requests for mail to this address"),
    ),
    extensions(("x-action" = json!("Everyone")), ("x-secret-answer" = json!(true))),
)]
#[post("/sign-in-codes")]
async fn ask_for_code(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let asked = incoming.json::<MailTo>().await?.value;
    let challenge_id = send_code(&request, &context, &gate, &asked).await?;
    Ok(HttpResponse::Accepted().json(CodeSent {
        challenge_id,
        minutes: CODE_MINUTES,
    }))
}

/// Sends a code to sign in with, if there is such an account: what the API and the page do.
///
/// # Errors
/// [`crate::web::limits::TOO_MANY_REQUESTS`]; a fault of the database.
pub async fn send_code(
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    asked: &MailTo,
) -> Answer<ChallengeId> {
    let evenly = Evenly::begin();
    let email = asked_for_mail(request, context, gate, asked)?;
    let challenge_id = ChallengeId::mint(context.clock.now());
    if let Some(email) = email {
        let (gate, challenge, code) = (gate.clone(), challenge_id.clone(), secrets::mint_code()?);
        let job = move |tx: &mut Tx<'_>| acts_links::send_code(tx, &gate.keys, &email, &challenge, &code);
        context.db.upkeep(job).await?;
    }
    evenly.end().await;
    Ok(challenge_id)
}

/// Ask to reset a password
///
/// Sends a link by which another password is chosen, good once and for an hour. The answer is the same whether there is such an
/// account or not.
#[utoipa::path(
    operation_id = "ask_for_password_reset",
    tag = "people",
    request_body = MailTo,
    responses(
        (status = 202, description = "It is on its way, if there is such an account", body = ResetSent),
        (status = 429, description = "Too many requests for mail to this address"),
    ),
    extensions(("x-action" = json!("Everyone")), ("x-secret-answer" = json!(true))),
)]
#[post("/password-resets")]
async fn ask_for_reset(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let asked = incoming.json::<MailTo>().await?.value;
    send_reset(&request, &context, &gate, &asked).await?;
    Ok(HttpResponse::Accepted().json(ResetSent {
        minutes: RESET_MINUTES,
    }))
}

/// Sends a link to choose another password by, if there is such an account: what the API and the page do.
pub(super) async fn send_reset(
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    asked: &MailTo,
) -> Answer<()> {
    let evenly = Evenly::begin();
    let email = asked_for_mail(request, context, gate, asked)?;
    if let Some(email) = email {
        let secret = secrets::mint()?;
        let job = move |tx: &mut Tx<'_>| acts_links::send_reset(tx, &email, &secret);
        context.db.upkeep(job).await?;
    }
    evenly.end().await;
    Ok(())
}

/// The address that a mail is asked for; `None` for what is no address, which nobody has.
fn asked_for_mail(
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    asked: &MailTo,
) -> Answer<Option<Email>> {
    let email = asked.email.trim().to_ascii_lowercase();
    let trier = gate.trier(request, context, &email, asked.device_token.as_deref())?;
    gate.count(Tried::Mail, &trier, context.clock.now())?;
    Ok(email.parse().ok())
}

impl MailTo {
    /// Whoever has this address, on no device in particular.
    pub fn address(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            device_token: None,
        }
    }
}

/// Reset a password
///
/// Chooses another one by the link that was sent. All sessions end; a second factor stays.
#[utoipa::path(
    operation_id = "reset_password",
    tag = "people",
    params(("token" = String, Path, max_length = 100, description = "The secret of the link", example = "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM")),
    request_body = NewPassword,
    responses(
        (status = 200, description = "The password is another one", body = PasswordWasReset),
        (status = 404, description = "`link_refused`"),
    ),
    extensions(("x-action" = json!("Everyone")), ("x-secret-answer" = json!(true))),
)]
#[post("/password-resets/{token}")]
async fn reset(
    context: Shared,
    gate: AtGate,
    token: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let password = Zeroizing::new(incoming.json::<NewPassword>().await?.value.password);
    choose_password(&context, &gate, &token, password).await?;
    Ok(HttpResponse::Ok().json(PasswordWasReset {
        signed_out_everywhere: true,
    }))
}

/// Chooses another password by a link: what the API and the page do.
pub(super) async fn choose_password(
    context: &Context,
    gate: &AtGate,
    token: &str,
    password: Zeroizing<String>,
) -> Answer<()> {
    let Some((Purpose::PasswordReset, Some(email))) = address_of_link(context, token).await? else {
        return Err(refused().into());
    };
    let hash = gate.new_password(password, &email).await?;
    let link = hash_of(token);
    context
        .db
        .write(move |tx| acts_links::reset_password(tx, &link, &hash))
        .await
}
