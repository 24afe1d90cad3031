//! Signing in and out over HTTP. Whatever is wrong with what is shown, the answer is the same, byte for byte and at the same
//! expense: nobody learns here who has an account.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::kernel::clock::rfc3339;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Refusal};
use crate::kernel::text::Text;
use crate::people::acts_links;
use crate::people::acts_sessions::{self, BeginSession, Begun, Refreshed};
use crate::people::gate::{AtGate, Evenly};
use crate::people::rules::{Account, Email, State};
use crate::people::rules_links::ChallengeId;
use crate::people::rules_sessions::{
    self, ACCESS_LIFETIME, CREDENTIALS_REFUSED, Means, REFRESH_REFUSED, Session, SessionId,
};
use crate::people::rules_totp::{SECOND_FACTOR_NEEDED, SECOND_FACTOR_REFUSED};
use crate::people::throttle::Tried;
use crate::people::{secrets, store, store_sessions};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::context::Context;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{INVALID, NOT_FOUND};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(sign_in)
        .service(refresh)
        .service(list)
        .service(end_current)
        .service(end_one)
        .service(end_all);
}

/// What somebody shows to sign in: mail address and password, or a mailed code.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The account's mail address, in either case.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 254,
        example = "li.wei@ward.example"
    )]
    email: Option<String>,
    /// The password.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 128,
        example = "violet tram under paper rain"
    )]
    password: Option<String>,
    /// Instead of address and password: what was given when a code was asked for.
    #[serde(default)]
    #[schema(nullable = false)]
    challenge_id: Option<ChallengeId>,
    /// The code that came by mail.
    #[serde(default)]
    #[schema(nullable = false, min_length = 6, max_length = 6, example = "123456")]
    code: Option<String>,
    /// A code of the authenticator app or a recovery code, if the account has a second factor.
    #[serde(default)]
    #[schema(nullable = false, min_length = 6, max_length = 30, example = "287082")]
    second_factor: Option<String>,
    /// What the device calls itself, for the list of one's sessions.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100, example = "办公室电脑")]
    device_name: Option<String>,
    /// The `device_token` of an earlier sign-in on this device: guesses that are made elsewhere are not counted against it.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100, example = "m0ne0f0urs")]
    device_token: Option<String>,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The newest refresh token of the session.
    #[schema(
        min_length = 1,
        max_length = 100,
        example = "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM"
    )]
    refresh_token: String,
}

/// What a session is used with.
#[derive(Serialize, ToSchema)]
pub struct SessionTokens {
    /// The session.
    pub session_id: SessionId,
    /// The account.
    pub account_id: AccountId,
    /// For the header `Authorization: Bearer …`.
    #[schema(example = "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl")]
    pub access_token: String,
    /// Until when it is good, UTC.
    #[schema(example = "2026-03-02T00:10:00.000000Z")]
    pub access_expires_at: String,
    /// For the next access token; good once. Shown a second time it ends the session.
    #[schema(example = "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM")]
    pub refresh_token: String,
    /// Until when it is good, UTC.
    #[schema(example = "2026-04-01T00:00:00.000000Z")]
    pub refresh_expires_at: String,
    /// True if a second factor was shown.
    #[schema(example = false)]
    pub second_factor: bool,
    /// Keep it on this device and send it when you sign in again: guesses that others make are then not counted against you. It
    /// lets nobody in. Not there in the answer to a refresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "m0ne0f0urs")]
    pub device_token: Option<String>,
}

/// A session of one's own.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// What the device called itself.
    #[schema(required = true, example = "办公室电脑")]
    pub device_name: Option<String>,
    /// How it began.
    pub means: Means,
    /// True if a second factor was shown.
    #[schema(example = false)]
    pub second_factor: bool,
    /// True for the session that asks.
    #[schema(example = true)]
    pub current: bool,
    /// When it began, UTC.
    #[schema(example = "2026-03-02T00:00:00.000000Z")]
    pub created_at: String,
    /// When it was last refreshed, UTC.
    #[schema(example = "2026-03-02T00:10:00.000000Z")]
    pub used_at: String,
    /// When it ends if it is not refreshed, UTC.
    #[schema(example = "2026-04-01T00:10:00.000000Z")]
    pub expires_at: String,
}

/// The sessions of an account; never more than fifty.
#[derive(Serialize, ToSchema)]
pub struct Sessions {
    /// Newest first.
    pub items: Vec<SessionView>,
}

/// How many sessions were ended.
#[derive(Serialize, ToSchema)]
pub struct SessionsEnded {
    /// So many.
    #[schema(example = 1)]
    pub ended: usize,
}

/// Sign in
///
/// With mail address and password, or with a code that came by mail (`challenge_id` and `code`). Whatever is wrong, whether there is such an account or not, the answer is
/// `credentials_refused`. Not remembered under an `Idempotency-Key`, because the answer holds secrets.
#[utoipa::path(
    operation_id = "sign_in",
    tag = "people",
    request_body(content = SignIn, example = json!({"email": "li.wei@ward.example", "password": "violet tram under paper rain"})),
    responses(
        (status = 201, description = "Signed in", body = SessionTokens),
        (status = 422, description = "`credentials_refused`, `second_factor_needed`, `second_factor_refused`"),
        (status = 429, description = "Too many guesses for this address from here"),
        (status = 503, description = "`sign_in_busy`"),
    ),
    extensions(("x-action" = json!("Everyone")), ("x-secret-answer" = json!(true))),
)]
#[post("/sessions")]
async fn sign_in(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let shown = incoming.json::<SignIn>().await?.value;
    let tokens = signed_in(&request, &context, &gate, shown).await?;
    Ok(HttpResponse::Created().json(tokens))
}

/// Begins a session with what somebody shows: what the API does, and a page where one signs in for a single act.
///
/// # Errors
/// Those of the operation.
pub async fn signed_in(
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    shown: SignIn,
) -> Answer<SessionTokens> {
    let device_name = shown
        .device_name
        .as_deref()
        .map(rules_sessions::device_name)
        .transpose()?;
    let token = secrets::mint()?;
    let means = match (shown.email, shown.password, shown.challenge_id, shown.code) {
        (Some(email), Some(password), None, None) => Shown::Password(email, Zeroizing::new(password)),
        (None, None, Some(challenge), Some(code)) => Shown::Code(challenge, Zeroizing::new(code)),
        _ => return Err(one_or_the_other().into()),
    };
    let (trier, mut command) = match means {
        Shown::Password(email, password) => {
            // What is no address is an address that nobody has.
            let asked = email.trim().to_ascii_lowercase();
            let trier = gate.trier(request, context, &asked, shown.device_token.as_deref())?;
            gate.count(Tried::Secret, &trier, context.clock.now())?;
            (trier, by_password(context, gate, &asked, password).await?)
        }
        Shown::Code(challenge, code) => {
            let trier = gate.trier(request, context, challenge.as_str(), None)?;
            gate.count(Tried::Secret, &trier, context.clock.now())?;
            (trier, by_code(context, gate, challenge, code).await?)
        }
    };
    command.device_name = device_name;
    command.second_factor = shown.second_factor.map(Zeroizing::new);
    command.token = secrets::hash_of(&token);
    let (session, email) = begin(context, gate, command).await?;
    gate.forgive(Tried::Secret, &trier);
    let device_token = match email {
        Some(email) => Some(gate.keys.device_token(email.whole())?),
        None => None,
    };
    tokens(context, &session, &token, device_token)
}

impl SignIn {
    /// With mail address and password.
    pub fn with_password(email: &str, password: &str) -> Self {
        Self {
            email: Some(email.to_owned()),
            password: Some(password.to_owned()),
            ..Self::default()
        }
    }

    /// With a code that came by mail.
    pub fn with_code(challenge_id: ChallengeId, code: &str) -> Self {
        Self {
            challenge_id: Some(challenge_id),
            code: Some(code.to_owned()),
            ..Self::default()
        }
    }

    /// The same with a second factor, if there is one.
    #[must_use]
    pub fn and(self, second_factor: Option<&str>) -> Self {
        Self {
            second_factor: second_factor.map(str::to_owned),
            ..self
        }
    }
}

/// What is shown first.
enum Shown {
    Password(String, Zeroizing<String>),
    Code(ChallengeId, Zeroizing<String>),
}

fn one_or_the_other() -> Refusal {
    let detail = Text::fixed(
        "请提供 email 与 password，或 challenge_id 与 code",
        "send email and password, or challenge_id and code",
    );
    INVALID.because(detail).at("")
}

/// Somebody whose first proof was good; the rest of the command is filled in by the caller.
pub(super) fn proved(account_id: AccountId, means: Means) -> BeginSession {
    BeginSession {
        account_id,
        means,
        second_factor: None,
        challenge: None,
        strong_elsewhere: false,
        device_name: None,
        password_hash: None,
        rehashed: None,
        token: [0; 32],
    }
}

async fn by_password(
    context: &Context,
    gate: &AtGate,
    email: &str,
    password: Zeroizing<String>,
) -> Answer<BeginSession> {
    let found = account_in_use(context, email).await?;
    let hash = found.as_ref().and_then(|(_, hash)| hash.clone());
    let right = gate.hasher.is_right(password.clone(), hash.clone()).await?;
    let Some((account, Some(hash))) = found.filter(|_| right) else {
        return Err(refused().into());
    };
    let rehashed = if gate.hasher.is_outdated(&hash) {
        Some(gate.hasher.hash(password).await?)
    } else {
        None
    };
    Ok(BeginSession {
        password_hash: Some(hash),
        rehashed,
        ..proved(account.id, Means::Password)
    })
}

/// A wrong code and a challenge that there never was take the same time.
async fn by_code(
    context: &Context,
    gate: &AtGate,
    challenge: ChallengeId,
    code: Zeroizing<String>,
) -> Answer<BeginSession> {
    let evenly = Evenly::begin();
    let (at_gate, id) = (gate.clone(), challenge.clone());
    let account = context
        .db
        .upkeep(move |tx| acts_links::try_code(tx, &at_gate.keys, &id, &code))
        .await?;
    let Some(account) = account else {
        evenly.end().await;
        return Err(refused().into());
    };
    Ok(BeginSession {
        challenge: Some(challenge),
        ..proved(account, Means::Code)
    })
}

fn refused() -> Refusal {
    metrics::counter!("wardbook_sign_ins_refused_total").increment(1);
    CREDENTIALS_REFUSED.refuse()
}

/// The account of an address, and the hash of its password, if it is one that may sign in.
async fn account_in_use(context: &Context, email: &str) -> Answer<Option<(Account, Option<String>)>> {
    let Ok(email) = email.parse::<Email>() else {
        return Ok(None);
    };
    let found = context
        .db
        .read(move |conn| store::account_of_email(conn, &email))
        .await?;
    Ok(found.filter(|(account, _)| account.state == State::Active))
}

/// The session, and the mail address of its account.
async fn begin(context: &Context, gate: &AtGate, command: BeginSession) -> Answer<(Session, Option<Email>)> {
    let at_gate = gate.clone();
    let begun = context
        .db
        .write(move |tx| acts_sessions::begin(tx, &at_gate.keys, &command))
        .await?;
    self::begun(begun)
}

/// The session that has begun, and the mail address of its account; or why none has.
pub(super) fn begun(begun: Begun) -> Answer<(Session, Option<Email>)> {
    match begun {
        Begun::Session(session, email) => Ok((session, email)),
        Begun::Refused => Err(refused().into()),
        Begun::SecondFactorNeeded => Err(SECOND_FACTOR_NEEDED.refuse().at("/second_factor").into()),
        Begun::SecondFactorRefused => Err(SECOND_FACTOR_REFUSED.refuse().at("/second_factor").into()),
    }
}

pub(super) fn tokens(
    context: &Context,
    session: &Session,
    refresh_token: &str,
    device_token: Option<String>,
) -> Answer<SessionTokens> {
    let now = context.clock.now();
    let (account, id) = (session.account_id.as_str(), session.id.as_str());
    Ok(SessionTokens {
        session_id: session.id.clone(),
        account_id: session.account_id.clone(),
        access_token: context
            .tokens
            .issue_in_session(account, id, ACCESS_LIFETIME, now)?,
        access_expires_at: rfc3339(now + ACCESS_LIFETIME),
        refresh_token: refresh_token.to_owned(),
        refresh_expires_at: rfc3339(session.expires_at),
        second_factor: session.second_factor,
        device_token,
    })
}

/// Refresh a session
///
/// Gives the next access token and the next refresh token. A refresh token is good once; shown a second time it ends the
/// session, even a moment later, so a client refreshes one request at a time and signs in again if it lost an answer.
#[utoipa::path(
    operation_id = "refresh_session",
    tag = "people",
    request_body = Refresh,
    responses(
        (status = 200, description = "The session goes on", body = SessionTokens),
        (status = 422, description = "`refresh_token_refused`"),
    ),
    extensions(("x-action" = json!("Everyone")), ("x-secret-answer" = json!(true))),
)]
#[post("/sessions/refresh")]
async fn refresh(context: Shared, incoming: Incoming) -> Answer<HttpResponse> {
    let shown = Zeroizing::new(incoming.json::<Refresh>().await?.value.refresh_token);
    let next = secrets::mint()?;
    let (hash, next_hash) = (secrets::hash_of(&shown), secrets::hash_of(&next));
    let refreshed = context
        .db
        .upkeep(move |tx| acts_sessions::refresh(tx, &hash, &next_hash))
        .await?;
    match refreshed {
        Refreshed::On(session) => Ok(HttpResponse::Ok().json(tokens(&context, &session, &next, None)?)),
        Refreshed::Reused(_) => {
            metrics::counter!("wardbook_refresh_tokens_reused_total").increment(1);
            Err(REFRESH_REFUSED.refuse().into())
        }
        Refreshed::Refused => Err(REFRESH_REFUSED.refuse().into()),
    }
}

/// List one's sessions
///
/// Where one is signed in. No addresses are kept.
#[utoipa::path(
    operation_id = "list_own_sessions",
    tag = "people",
    responses((status = 200, description = "Those that have not ended", body = Sessions)),
    extensions(("x-action" = json!("ReadOwnSessions"))),
)]
#[get("/sessions")]
async fn list(context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOwnSessions, Matter::default())?;
    let now = context.clock.now();
    let sessions = match actor.id().and_then(|id| id.parse::<AccountId>().ok()) {
        Some(account) => {
            let query = move |conn: &mut _| store_sessions::sessions_of(conn, &account, now);
            context.db.glance(query).await?
        }
        None => Vec::new(),
    };
    let view = |session: Session| SessionView {
        current: actor.session() == Some(session.id.as_str()),
        id: session.id,
        device_name: session.device_name,
        means: session.means,
        second_factor: session.second_factor,
        created_at: rfc3339(session.created_at),
        used_at: rfc3339(session.used_at),
        expires_at: rfc3339(session.expires_at),
    };
    let items = sessions.into_iter().map(view).collect();
    Ok(HttpResponse::Ok().json(Sessions { items }))
}

/// Sign out
///
/// Ends the session whose access token the request carries.
#[utoipa::path(
    operation_id = "end_current_session",
    tag = "people",
    responses(
        (status = 200, description = "It has ended", body = SessionsEnded),
        (status = 404, description = "The token is of no session"),
    ),
    extensions(("x-action" = json!("EndOwnSessions"))),
)]
#[delete("/sessions/current")]
async fn end_current(context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::EndOwnSessions, Matter::default())?;
    let id = actor.session().map(str::to_owned);
    end(context, actor, id.as_deref().unwrap_or_default()).await
}

/// End one of one's sessions
///
/// On another device, for one.
#[utoipa::path(
    operation_id = "end_session",
    tag = "people",
    params(("id" = SessionId, Path, description = "The session")),
    responses(
        (status = 200, description = "It has ended", body = SessionsEnded),
        (status = 404, description = "There is no such session of yours"),
    ),
    extensions(("x-action" = json!("EndOwnSessions"))),
)]
#[delete("/sessions/{id}")]
async fn end_one(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::EndOwnSessions, Matter::default())?;
    end(context, actor, &id).await
}

async fn end(context: Shared, actor: Actor, id: &str) -> Answer<HttpResponse> {
    let id: SessionId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    let ended = context
        .db
        .write(move |tx| acts_sessions::sign_out(tx, &actor, &id))
        .await?;
    Ok(HttpResponse::Ok().json(SessionsEnded { ended }))
}

/// Sign out everywhere
///
/// Ends all of one's sessions, this one too.
#[utoipa::path(
    operation_id = "end_all_sessions",
    tag = "people",
    responses((status = 200, description = "They have ended", body = SessionsEnded)),
    extensions(("x-action" = json!("EndOwnSessions"))),
)]
#[delete("/sessions")]
async fn end_all(context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::EndOwnSessions, Matter::default())?;
    let ended = context
        .db
        .write(move |tx| acts_sessions::sign_out_everywhere(tx, &actor))
        .await?;
    Ok(HttpResponse::Ok().json(SessionsEnded { ended }))
}
