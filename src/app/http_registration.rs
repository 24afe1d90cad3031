//! Opening an account with a letter, over HTTP.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::app::registration::{self, Ask, Open};
use crate::kernel::party::{AccountId, AreaId};
use crate::kernel::refusal::Answer;
use crate::kernel::text::Language;
use crate::people::gate::AtGate;
use crate::people::http_accounts::LanguageView;
use crate::people::rules_links::REGISTRATION_HOURS;
use crate::registry::rules_roll::ResidentId;
use crate::web::actor::Shared;
use crate::web::body::Incoming;
use crate::web::operations::Operations;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(ask).service(open);
}

/// Somebody with a letter and without an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRegistration {
    /// The code of the letter: the one in its link, or the one in print, with or without hyphens.
    #[schema(min_length = 1, max_length = 60, example = "7ZQK-2M4V-9XHD-0RCP")]
    code: String,
    /// The date of birth of the resident whom the letter invites.
    #[schema(min_length = 1, max_length = 20, example = "1984-07-19")]
    birth_date: String,
    /// The mail address that the account is to have.
    #[schema(min_length = 1, max_length = 254, example = "wang.xiaomei@mail.example")]
    email: String,
    /// The language of the mail.
    language: LanguageView,
}

/// A mail is on its way.
#[derive(Serialize, ToSchema)]
pub struct RegistrationSent {
    /// How long the link in it is good, at most: not longer than the letter.
    #[schema(example = 24)]
    pub hours: u32,
}

/// What somebody says who opens their account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountOpening {
    /// The date of birth of the resident once more: the link alone, which may have reached a stranger, opens nothing.
    #[schema(min_length = 1, max_length = 20, example = "1984-07-19")]
    birth_date: String,
    /// The name that the account is to have. It need not be the one on the roll, and is not taken from there.
    #[schema(min_length = 1, max_length = 100, example = "三栋的小梅")]
    display_name: String,
    /// The language that they read.
    language: LanguageView,
    /// Their password: 12 to 128 characters, none of the common ones.
    #[schema(min_length = 1, max_length = 128, example = "violet tram under paper rain")]
    password: String,
}

/// An account that is a resident's from the first moment.
#[derive(Serialize, ToSchema)]
pub struct AccountOpened {
    /// The account, in use.
    pub account_id: AccountId,
    /// The resident that it is.
    pub resident_id: ResidentId,
    /// The community, as whose resident it may act.
    pub area_id: AreaId,
}

/// Ask for an account with a letter
///
/// For a resident who has no account. Sends a link to the address, good once and for a day, by which the account is opened; if the
/// address has an account, a mail that says so and how to claim with it. The answer is the same, and takes the same time. A wrong code,
/// a wrong date of birth, a used letter and an old one are refused alike, and nothing is sent. Asked again, the link before is void.
#[utoipa::path(
    operation_id = "ask_for_residence_registration",
    tag = "roll",
    request_body = NewRegistration,
    responses(
        (status = 202, description = "A mail is on its way", body = RegistrationSent),
        (status = 409, description = "`residence_code_not_good`"),
        (status = 429, description = "Too many wrong codes or dates, or too much mail for this letter or to this address"),
    ),
    extensions(("x-action" = json!("Everyone")), ("x-secret-answer" = json!(true))),
)]
#[post("/residence-registrations")]
async fn ask(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let said = incoming.json::<NewRegistration>().await?.value;
    let said = Ask {
        code: said.code,
        birth_date: said.birth_date,
        email: said.email,
        language: Language::from(said.language),
    };
    registration::ask(&request, &context, &gate, &said).await?;
    Ok(HttpResponse::Accepted().json(RegistrationSent {
        hours: REGISTRATION_HOURS,
    }))
}

/// Open an account with a letter
///
/// By the link that was sent. The account, its place on the roll and the end of the letter are one: if any of it cannot be, nothing is
/// done. Five dates of birth are heard with a link. A link whose letter was used, printed anew or has expired, or whose resident has left
/// the roll, is refused like one that never was. Sign in afterwards.
#[utoipa::path(
    operation_id = "open_account_with_letter",
    tag = "roll",
    params(("token" = String, Path, max_length = 100, description = "The secret of the link", example = "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM")),
    request_body = AccountOpening,
    responses(
        (status = 201, description = "The account is open, and is that resident from now on", body = AccountOpened),
        (status = 404, description = "`link_refused`"),
        (status = 409, description = "`residence_birth_date_wrong`, `account_email_taken`, `residence_code_not_good`"),
    ),
    extensions(("x-action" = json!("Everyone")), ("x-secret-answer" = json!(true))),
)]
#[post("/residence-registrations/{token}")]
async fn open(
    context: Shared,
    gate: AtGate,
    token: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let said = incoming.json::<AccountOpening>().await?.value;
    let said = Open {
        birth_date: said.birth_date,
        display_name: said.display_name,
        language: Language::from(said.language),
        password: Zeroizing::new(said.password),
    };
    let opened = registration::open(&context, &gate, &token, said).await?;
    Ok(HttpResponse::Created().json(AccountOpened {
        account_id: opened.account.id,
        resident_id: opened.resident.id,
        area_id: opened.resident.area_id,
    }))
}
