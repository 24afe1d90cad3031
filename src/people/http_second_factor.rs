//! Second factors over HTTP. Secrets are shown once and never remembered under an `Idempotency-Key`.

use actix_web::{HttpRequest, HttpResponse, delete, post, web};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::kernel::id;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::people::acts_second_factor as acts;
use crate::people::gate::AtGate;
use crate::people::rules::Email;
use crate::people::rules_totp::{self as rules, RECOVERY_CODE_LENGTH, RECOVERY_CODES, SECRET_LENGTH};
use crate::people::throttle::Tried;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Pixels of the QR code's side at least.
const QR_SIDE_MIN: u32 = 200;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(propose)
        .service(confirm)
        .service(remove)
        .service(remove_lost);
}

/// A secret for an authenticator app; shown once.
#[derive(Serialize, ToSchema)]
pub struct ProposedSecondFactor {
    /// The secret in base 32, to be typed in.
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    pub secret: String,
    /// The same as an address that authenticator apps read.
    #[schema(
        example = "otpauth://totp/ward.example:chen.jing%40ward.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=ward.example&algorithm=SHA1&digits=6&period=30"
    )]
    pub otpauth_uri: String,
    /// The address as a QR code, an SVG picture.
    #[schema(example = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>")]
    pub qr_svg: String,
}

/// A code of the authenticator app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorCode {
    /// Six digits; to remove a second factor, a recovery code will do as well.
    #[schema(min_length = 6, max_length = 30, example = "287082")]
    code: String,
}

/// Codes to sign in with if the device is lost; shown once.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each is good once.
    #[schema(example = json!(["abcd-efgh-ijkl-mnop"]))]
    pub recovery_codes: Vec<String>,
}

/// The second factor is no more.
#[derive(Serialize, ToSchema)]
pub struct SecondFactorRemoved {
    /// True: it is not asked for any more, and roles that need it are withheld.
    #[schema(example = true)]
    pub removed: bool,
}

/// Propose a second factor
///
/// Makes a secret for an authenticator app. It counts from the moment at which it is confirmed by a code.
#[utoipa::path(
    operation_id = "propose_second_factor",
    tag = "people",
    responses(
        (status = 201, description = "The secret, shown once", body = ProposedSecondFactor),
        (status = 409, description = "`second_factor_enabled`, `session_needed`"),
    ),
    extensions(("x-action" = json!("ManageSecondFactor")), ("x-secret-answer" = json!(true))),
)]
#[post("/me/second-factor")]
async fn propose(context: Shared, gate: AtGate, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ManageSecondFactor, Matter::default())?;
    let secret = Zeroizing::new(id::random::<SECRET_LENGTH>()?);
    let (at_gate, kept) = (gate.clone(), secret.clone());
    let account = context
        .db
        .upkeep(move |tx| acts::propose(tx, &actor, &at_gate.keys, kept.as_slice()))
        .await?;
    let email = account.email.as_ref().map_or("", Email::whole);
    let uri = rules::otpauth_uri(secret.as_slice(), gate.host(), email);
    let qr = QrCode::new(uri.as_bytes()).map_err(|error| Fault::caused("make a QR code", error))?;
    let qr_svg = qr
        .render::<svg::Color<'_>>()
        .min_dimensions(QR_SIDE_MIN, QR_SIDE_MIN)
        .build();
    Ok(HttpResponse::Created().json(ProposedSecondFactor {
        secret: rules::base32(secret.as_slice()),
        otpauth_uri: uri,
        qr_svg,
    }))
}

/// Confirm a second factor
///
/// By a code that the app shows. From now on it is asked for at every sign-in, and this session may act in the roles that need
/// it. The recovery codes are shown this once.
#[utoipa::path(
    operation_id = "confirm_second_factor",
    tag = "people",
    request_body = SecondFactorCode,
    responses(
        (status = 200, description = "The recovery codes, shown once", body = RecoveryCodes),
        (status = 409, description = "`second_factor_missing`, `second_factor_enabled`, `session_needed`"),
        (status = 422, description = "`second_factor_refused`"),
    ),
    extensions(("x-action" = json!("ManageSecondFactor")), ("x-secret-answer" = json!(true))),
)]
#[post("/me/second-factor/confirmation")]
async fn confirm(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    actor: Actor,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ManageSecondFactor, Matter::default())?;
    let code = Zeroizing::new(incoming.json::<SecondFactorCode>().await?.value.code);
    let trier = gate.trier(&request, &context, actor.id().unwrap_or_default(), None)?;
    gate.count(Tried::Secret, &trier, context.clock.now())?;
    let mut codes = Vec::new();
    for _ in 0..RECOVERY_CODES {
        let bytes = id::random::<RECOVERY_CODE_LENGTH>()?;
        codes.push(Zeroizing::new(rules::recovery_code(&bytes)));
    }
    let recovery_codes = codes.iter().map(|code| code.to_string()).collect();
    let at_gate = gate.clone();
    context
        .db
        .write(move |tx| acts::confirm(tx, &actor, &at_gate.keys, &code, &codes))
        .await?;
    gate.forgive(Tried::Secret, &trier);
    Ok(HttpResponse::Ok().json(RecoveryCodes { recovery_codes }))
}

/// Remove a second factor
///
/// By a code of it, or a recovery code. Roles that need one are withheld from now on, in every session.
#[utoipa::path(
    operation_id = "remove_second_factor",
    tag = "people",
    request_body = SecondFactorCode,
    responses(
        (status = 200, description = "It is no more", body = SecondFactorRemoved),
        (status = 409, description = "`second_factor_missing`, `session_needed`"),
        (status = 422, description = "`second_factor_refused`"),
    ),
    extensions(("x-action" = json!("ManageSecondFactor"))),
)]
#[delete("/me/second-factor")]
async fn remove(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    actor: Actor,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ManageSecondFactor, Matter::default())?;
    let code = Zeroizing::new(incoming.json::<SecondFactorCode>().await?.value.code);
    let trier = gate.trier(&request, &context, actor.id().unwrap_or_default(), None)?;
    gate.count(Tried::Secret, &trier, context.clock.now())?;
    let at_gate = gate.clone();
    context
        .db
        .write(move |tx| acts::remove(tx, &actor, &at_gate.keys, &code))
        .await?;
    gate.forgive(Tried::Secret, &trier);
    Ok(HttpResponse::Ok().json(SecondFactorRemoved { removed: true }))
}

/// Remove somebody's lost second factor
///
/// For whoever has lost both the device and the recovery codes; make sure that it is they who ask. They get a mail, and add another one
/// before they can act in roles that need one. Nobody removes their own in this way.
#[utoipa::path(
    operation_id = "remove_lost_second_factor",
    tag = "people",
    params(("id" = AccountId, Path, description = "The account")),
    responses(
        (status = 200, description = "It is no more", body = SecondFactorRemoved),
        (status = 404, description = "There is no such account"),
        (status = 409, description = "`second_factor_missing`, `second_factor_own`"),
    ),
    extensions(("x-action" = json!("RemoveLostSecondFactor"))),
)]
#[delete("/accounts/{id}/second-factor")]
async fn remove_lost(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::RemoveLostSecondFactor, Matter::default())?;
    let id: AccountId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    context
        .db
        .write(move |tx| acts::remove_lost(tx, &actor, &id))
        .await?;
    Ok(HttpResponse::Ok().json(SecondFactorRemoved { removed: true }))
}
