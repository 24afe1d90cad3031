//! Passwords over HTTP, for whoever is signed in.

use actix_web::{HttpRequest, HttpResponse, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::kernel::refusal::Answer;
use crate::people::acts_passwords::{self as acts, ChangePassword};
use crate::people::acts_sessions::own_account;
use crate::people::gate::AtGate;
use crate::people::rules_sessions::CREDENTIALS_REFUSED;
use crate::people::store;
use crate::people::throttle::Tried;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(change);
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present one.
    #[schema(min_length = 1, max_length = 128, example = "violet tram under paper rain")]
    current_password: String,
    /// The new one: 12 to 128 characters, none of the common ones.
    #[schema(min_length = 1, max_length = 128, example = "seven herons on the east wall")]
    password: String,
}

/// The password is another one.
#[derive(Serialize, ToSchema)]
pub struct PasswordIsChanged {
    /// So many sessions have ended: all but the one that asked.
    #[schema(example = 2)]
    pub sessions_ended: usize,
}

/// Change one's password
///
/// Needs the present one. All other sessions end, and a mail says that it was changed. Whoever has no password yet, or has forgotten
/// it, resets it by mail.
#[utoipa::path(
    operation_id = "change_own_password",
    tag = "people",
    request_body = PasswordChange,
    responses(
        (status = 200, description = "It is another one", body = PasswordIsChanged),
        (status = 409, description = "`session_needed`"),
        (status = 422, description = "`credentials_refused`, if the present one is another"),
        (status = 429, description = "Too many guesses"),
    ),
    extensions(("x-action" = json!("ChangeOwnPassword")), ("x-secret-answer" = json!(true))),
)]
#[post("/me/password")]
async fn change(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    actor: Actor,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ChangeOwnPassword, Matter::default())?;
    let shown = incoming.json::<PasswordChange>().await?.value;
    let (current, new) = (
        Zeroizing::new(shown.current_password),
        Zeroizing::new(shown.password),
    );
    let id = own_account(&actor)?;
    let trier = gate.trier(&request, &context, id.as_str(), None)?;
    gate.count(Tried::Secret, &trier, context.clock.now())?;
    let read = move |conn: &mut _| Ok((store::account(conn, &id)?, store::password(conn, &id)?));
    let (account, known) = context.db.glance_primary(read).await?;
    let right = gate.hasher.is_right(current, known.clone()).await?;
    let email = account.and_then(|account| account.email);
    let (true, Some(known_hash), Some(email)) = (right, known, email) else {
        return Err(CREDENTIALS_REFUSED.refuse().at("/current_password").into());
    };
    gate.forgive(Tried::Secret, &trier);
    let command = ChangePassword {
        known_hash,
        new_hash: gate.new_password(new, &email).await?,
    };
    let sessions_ended = context
        .db
        .write(move |tx| acts::change(tx, &actor, &command))
        .await?;
    Ok(HttpResponse::Ok().json(PasswordIsChanged { sessions_ended }))
}
