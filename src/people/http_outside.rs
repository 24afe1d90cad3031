//! Signing in through another provider, over HTTP. The client begins, sends the browser to the provider, and finishes with what the
//! browser brings back and what it kept itself: neither alone is good for anything, so nobody can be made to sign in as somebody
//! else, nor finish what another began.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::{Language, Text};
use crate::people::acts_links::Accept;
use crate::people::acts_outside::{self as acts, BeginAttempt, SignInOutside, Taken};
use crate::people::acts_sessions::{Begun, own_account};
use crate::people::gate::AtGate;
use crate::people::http_accounts::LanguageView;
use crate::people::http_sessions::{SessionTokens, begun, proved, tokens};
use crate::people::provider::{Brought, Kept, Proof};
use crate::people::rules;
use crate::people::rules_outside::{ANSWER_REFUSED, ATTEMPT_LIFETIME, Aim, AttemptId, Identity, IdentityId};
use crate::people::rules_sessions::{self, Means};
use crate::people::secrets::{self, hash_of};
use crate::people::throttle::Tried;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::envelope::client_network;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{INVALID, NOT_FOUND};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(providers)
        .service(begin)
        .service(finish)
        .service(begin_linking)
        .service(finish_linking)
        .service(unlink);
}

/// A provider through which people sign in.
#[derive(Serialize, ToSchema)]
#[schema(as = SignInProvider)]
pub struct ProviderView {
    /// What its button says, in Chinese.
    #[schema(example = "区统一身份认证")]
    pub name_zh: String,
    /// What its button says, in English.
    #[schema(example = "The district's single sign-on")]
    pub name_en: String,
}

/// The providers; at most one.
#[derive(Serialize, ToSchema)]
pub struct SignInProviders {
    /// None if no other provider is configured.
    pub items: Vec<ProviderView>,
}

/// What a sign-in through the provider is for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutsideStart {
    /// The secret of an invitation's link, to accept it with the identity; left out to sign in.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        example = "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM"
    )]
    invitation: Option<String>,
}

/// An attempt that has begun.
#[derive(Serialize, ToSchema)]
pub struct OutsideAttempt {
    /// Keep it where nobody else can read it; the attempt is finished with it only.
    #[schema(example = "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM")]
    pub attempt_token: String,
    /// Where to send the browser.
    #[schema(example = "https://id.ward.example/authorize?response_type=code")]
    pub authorization_url: String,
    /// Until when the attempt is good, UTC.
    #[schema(example = "2026-03-02T00:10:00.000000Z")]
    pub expires_at: String,
}

/// What somebody says who accepts an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutsideAcceptance {
    /// Their name.
    #[schema(min_length = 1, max_length = 100, example = "陈静")]
    display_name: String,
    /// The language that they read.
    language: LanguageView,
}

/// What finishes an attempt.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutsideEnd {
    /// What was given when it began.
    #[schema(
        min_length = 1,
        max_length = 100,
        example = "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM"
    )]
    attempt_token: String,
    /// What the browser brought back: `code` and `state`. Left out when the same attempt goes on with a second factor.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 2000,
        example = "SplxlOBeZQQYbYS6WxSbIA"
    )]
    code: Option<String>,
    /// Comes with the code.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "af0ifjsldkj")]
    state: Option<String>,
    /// `iss`, if the browser brought one.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 500,
        example = "https://id.ward.example"
    )]
    iss: Option<String>,
    /// A code of the authenticator app or a recovery code, if the account has a second factor.
    #[serde(default)]
    #[schema(nullable = false, min_length = 6, max_length = 30, example = "287082")]
    second_factor: Option<String>,
    /// What the device calls itself, for the list of one's sessions.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100, example = "办公室电脑")]
    device_name: Option<String>,
    /// Needed where an invitation is accepted.
    #[serde(default)]
    #[schema(nullable = false)]
    acceptance: Option<OutsideAcceptance>,
}

/// What finishes the linking of an identity.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkEnd {
    /// What was given when it began.
    #[schema(
        min_length = 1,
        max_length = 100,
        example = "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM"
    )]
    attempt_token: String,
    /// What the browser brought back.
    #[schema(min_length = 1, max_length = 2000, example = "SplxlOBeZQQYbYS6WxSbIA")]
    code: String,
    /// Comes with the code.
    #[schema(min_length = 1, max_length = 200, example = "af0ifjsldkj")]
    state: String,
    /// `iss`, if the browser brought one.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 500,
        example = "https://id.ward.example"
    )]
    iss: Option<String>,
}

/// Who one is at another provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Identity)]
pub struct IdentityView {
    /// Its id here.
    pub id: IdentityId,
    /// The provider.
    #[schema(example = "https://id.ward.example")]
    pub issuer: String,
    /// When it was linked, UTC.
    #[schema(example = "2026-03-02T00:00:00.000000Z")]
    pub linked_at: String,
    /// When one last signed in with it, UTC.
    #[schema(required = true, example = "2026-03-02T00:00:00.000000Z")]
    pub used_at: Option<String>,
}

impl From<Identity> for IdentityView {
    fn from(identity: Identity) -> Self {
        Self {
            id: identity.id,
            issuer: identity.issuer,
            linked_at: rfc3339(identity.created_at),
            used_at: identity.used_at.map(rfc3339),
        }
    }
}

/// An identity that is linked no more.
#[derive(Serialize, ToSchema)]
pub struct IdentityUnlinked {
    /// True: nobody signs in with it any more, and what was begun with it elsewhere has ended.
    #[schema(example = true)]
    pub unlinked: bool,
}

/// List providers of sign-ins
///
/// Through whom else people sign in here, besides passwords and mailed codes.
#[utoipa::path(
    operation_id = "list_sign_in_providers",
    tag = "people",
    responses((status = 200, description = "The provider, if one is configured", body = SignInProviders)),
    extensions(("x-action" = json!("Everyone"))),
)]
#[get("/sign-in-providers")]
async fn providers(gate: AtGate) -> HttpResponse {
    let view = |provider: &crate::people::provider::Provider| ProviderView {
        name_zh: provider.settings.name_zh.clone(),
        name_en: provider.settings.name_en.clone(),
    };
    let items = gate.provider.iter().map(|provider| view(provider)).collect();
    HttpResponse::Ok().json(SignInProviders { items })
}

/// Begin to sign in through the provider
///
/// Gives an address to send the browser to, and a token to finish with. An attempt is good for ten minutes and once. With the secret
/// of an invitation's link, the invitation is accepted by the identity that comes of it.
#[utoipa::path(
    operation_id = "begin_outside_sign_in",
    tag = "people",
    request_body = OutsideStart,
    responses(
        (status = 201, description = "It has begun", body = OutsideAttempt),
        (status = 404, description = "`outside_sign_in_not_offered`, `link_refused`"),
        (status = 503, description = "`provider_unavailable`"),
    ),
    extensions(("x-action" = json!("Everyone")), ("x-secret-answer" = json!(true))),
)]
#[post("/outside-sign-ins")]
async fn begin(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let body = incoming.json::<OutsideStart>().await?.value;
    let aim = match body.invitation.map(Zeroizing::new) {
        Some(secret) => Aim::Invitation(hash_of(&secret)),
        None => Aim::SignIn,
    };
    begun_attempt(&request, &context, &gate, Actor::public(), aim).await
}

async fn begun_attempt(
    request: &HttpRequest,
    context: &Shared,
    gate: &AtGate,
    actor: Actor,
    aim: Aim,
) -> Answer<HttpResponse> {
    let provider = gate.provider()?;
    let network = client_network(request, context).to_string();
    let trier = gate.trier(request, context, &network, None)?;
    gate.count(Tried::Outside, &trier, context.clock.now())?;
    let (token, state) = (secrets::mint()?, secrets::mint()?);
    let kept = Kept {
        nonce: secrets::mint()?.to_string(),
        verifier: secrets::mint()?.to_string(),
    };
    let now = context.clock.now();
    let authorization_url = provider.address(&state, &kept, now).await?;
    let command = BeginAttempt {
        aim,
        state: hash_of(&state),
        holder: hash_of(&token),
        kept,
    };
    let at_gate = gate.clone();
    context
        .db
        .upkeep(move |tx| acts::begin(tx, &actor, &at_gate.keys, &command))
        .await?;
    Ok(HttpResponse::Created().json(OutsideAttempt {
        attempt_token: token.to_string(),
        authorization_url,
        expires_at: rfc3339(now + ATTEMPT_LIFETIME),
    }))
}

/// Finish signing in through the provider
///
/// With what was given at the beginning and what the browser brought back. If a second factor is asked for, send the same
/// `attempt_token` again with `second_factor` and without `code` and `state`. Which account it is follows from the identities that
/// people have linked, from the invitation, or, where that is configured, from a mail address that the provider has verified.
#[utoipa::path(
    operation_id = "finish_outside_sign_in",
    tag = "people",
    request_body = OutsideEnd,
    responses(
        (status = 201, description = "Signed in", body = SessionTokens),
        (status = 404, description = "`outside_sign_in_not_offered`, `link_refused`"),
        (status = 409, description = "`identity_taken`, `too_many_identities`"),
        (status = 422, description = "`outside_sign_in_refused`, `outside_proof_too_weak`, `identity_unknown`, `credentials_refused`, \
            `second_factor_needed`, `second_factor_refused`"),
        (status = 429, description = "Too many guesses"),
        (status = 503, description = "`provider_unavailable`"),
    ),
    extensions(("x-action" = json!("Everyone")), ("x-secret-answer" = json!(true))),
)]
#[post("/outside-sign-ins/completion")]
async fn finish(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let shown = incoming.json::<OutsideEnd>().await?.value;
    let device_name = shown
        .device_name
        .as_deref()
        .map(rules_sessions::device_name)
        .transpose()?;
    let acceptance = shown.acceptance.map(accepted).transpose()?;
    let brought = brought(shown.code, shown.state, shown.iss)?;
    let held = Zeroizing::new(shown.attempt_token);
    let accepts = acceptance.is_some();
    let serves = move |aim: &Aim| match aim {
        Aim::SignIn => !accepts,
        Aim::Invitation(_) => accepts,
        Aim::Link(_) => false,
    };
    let (attempt, aim, proof) = taken(&request, &context, &gate, &held, brought, serves).await?;
    // Whoever has somebody's identity has not got their second factor yet, in however many attempts.
    let trier = gate.trier(&request, &context, &format!("outside {}", proof.subject), None)?;
    gate.count(Tried::Secret, &trier, context.clock.now())?;
    let token = secrets::mint()?;
    let mut session = proved(rules::AccountId::mint(context.clock.now()), Means::Oidc);
    session.second_factor = shown.second_factor.map(Zeroizing::new);
    session.device_name = device_name;
    session.token = hash_of(&token);
    let command = SignInOutside {
        attempt: attempt.clone(),
        aim,
        proof: proof.clone(),
        by: gate.vouching()?,
        acceptance,
        session,
    };
    let at_gate = gate.clone();
    let signed_in = context
        .db
        .write(move |tx| acts::sign_in(tx, &at_gate.keys, &command))
        .await?;
    if matches!(signed_in, Begun::SecondFactorNeeded | Begun::SecondFactorRefused) {
        let at_gate = gate.clone();
        context
            .db
            .upkeep(move |tx| acts::keep_proof(tx, &at_gate.keys, &attempt, &proof))
            .await?;
    }
    if !matches!(signed_in, Begun::SecondFactorRefused) {
        gate.forgive(Tried::Secret, &trier);
    }
    let (session, _) = begun(signed_in)?;
    Ok(HttpResponse::Created().json(tokens(&context, &session, &token, None)?))
}

fn accepted(acceptance: OutsideAcceptance) -> Answer<Accept> {
    rules::display_name(&acceptance.display_name)?;
    Ok(Accept {
        display_name: acceptance.display_name,
        language: Language::from(acceptance.language),
        password_hash: None,
        email: None,
    })
}

/// What the browser brought: both or neither.
fn brought(
    code: Option<String>,
    state: Option<String>,
    issuer: Option<String>,
) -> Answer<Option<(Brought, Zeroizing<String>)>> {
    match (code, state) {
        (Some(code), Some(state)) => Ok(Some((Brought { code, issuer }, Zeroizing::new(state)))),
        (None, None) if issuer.is_none() => Ok(None),
        _ => {
            let detail = Text::fixed(
                "code 与 state 应同时提供",
                "code and state come together, and iss with them",
            );
            Err(INVALID.because(detail).at("").into())
        }
    }
}

/// Takes an attempt up, and asks the provider whom it vouches for unless that is known.
async fn taken(
    request: &HttpRequest,
    context: &Shared,
    gate: &AtGate,
    held: &str,
    brought: Option<(Brought, Zeroizing<String>)>,
    serves: impl Fn(&Aim) -> bool + Send + 'static,
) -> Answer<(AttemptId, Aim, Proof)> {
    let provider = gate.provider()?;
    let holder = hash_of(held);
    let trier = gate.trier(request, context, &hex::encode(holder), None)?;
    gate.count(Tried::Secret, &trier, context.clock.now())?;
    let at_gate = gate.clone();
    let state = brought.as_ref().map(|(_, state)| hash_of(state));
    let found = context
        .db
        .upkeep(move |tx| acts::take(tx, &at_gate.keys, &holder, state.as_ref(), &serves))
        .await?;
    let Some((attempt, aim, taken)) = found else {
        metrics::counter!("wardbook_sign_ins_refused_total").increment(1);
        return Err(ANSWER_REFUSED.refuse().into());
    };
    let proof = match (taken, brought) {
        (Taken::Fresh(kept), Some((brought, _))) => {
            provider.proof(brought, kept, context.clock.now()).await?
        }
        (Taken::Proved(proof), _) => proof,
        (Taken::Fresh(_), None) => return Err(Fault::broken("an attempt was taken without a code").into()),
    };
    gate.forgive(Tried::Secret, &trier);
    Ok((attempt, aim, proof))
}

/// Begin to link an identity
///
/// As beginning to sign in, but what comes of it is that one can sign in with this identity from then on.
#[utoipa::path(
    operation_id = "begin_linking_identity",
    tag = "people",
    responses(
        (status = 201, description = "It has begun", body = OutsideAttempt),
        (status = 404, description = "`outside_sign_in_not_offered`"),
        (status = 409, description = "`session_needed`"),
        (status = 503, description = "`provider_unavailable`"),
    ),
    extensions(("x-action" = json!("ManageIdentities")), ("x-secret-answer" = json!(true))),
)]
#[post("/me/identities")]
async fn begin_linking(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    actor: Actor,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ManageIdentities, Matter::default())?;
    let account = own_account(&actor)?;
    begun_attempt(&request, &context, &gate, actor, Aim::Link(account)).await
}

/// Link an identity
///
/// With what was given at the beginning and what the browser brought back. Its owner gets a mail.
#[utoipa::path(
    operation_id = "finish_linking_identity",
    tag = "people",
    request_body = LinkEnd,
    responses(
        (status = 201, description = "It is linked", body = IdentityView),
        (status = 404, description = "`outside_sign_in_not_offered`"),
        (status = 409, description = "`identity_taken`, `too_many_identities`, `session_needed`"),
        (status = 422, description = "`outside_sign_in_refused`, `outside_proof_too_weak`"),
        (status = 503, description = "`provider_unavailable`"),
    ),
    extensions(("x-action" = json!("ManageIdentities")), ("x-secret-answer" = json!(true))),
)]
#[post("/me/identities/completion")]
async fn finish_linking(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    actor: Actor,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ManageIdentities, Matter::default())?;
    let shown = incoming.json::<LinkEnd>().await?.value;
    let own = Aim::Link(own_account(&actor)?);
    let brought = brought(Some(shown.code), Some(shown.state), shown.iss)?;
    let held = Zeroizing::new(shown.attempt_token);
    let (attempt, aim, proof) =
        taken(&request, &context, &gate, &held, brought, move |aim| *aim == own).await?;
    let by = gate.vouching()?;
    let identity = context
        .db
        .write(move |tx| acts::link(tx, &actor, &attempt, &aim, &by, &proof))
        .await?;
    Ok(HttpResponse::Created().json(IdentityView::from(identity)))
}

/// Unlink an identity
///
/// Nobody signs in with it any more; what was begun through the provider on other devices ends. Its owner gets a mail.
#[utoipa::path(
    operation_id = "unlink_identity",
    tag = "people",
    params(("id" = IdentityId, Path, description = "The identity")),
    responses(
        (status = 200, description = "It is linked no more", body = IdentityUnlinked),
        (status = 404, description = "There is no such identity of yours"),
        (status = 409, description = "`session_needed`"),
    ),
    extensions(("x-action" = json!("ManageIdentities"))),
)]
#[delete("/me/identities/{id}")]
async fn unlink(context: Shared, gate: AtGate, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ManageIdentities, Matter::default())?;
    let id: IdentityId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    // It can be unlinked also when its provider is not offered any more.
    let by = gate.vouching().ok();
    context
        .db
        .write(move |tx| acts::unlink(tx, &actor, &id, by.as_ref()))
        .await?;
    Ok(HttpResponse::Ok().json(IdentityUnlinked { unlinked: true }))
}
