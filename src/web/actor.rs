//! Who is asking: taken from the access token of the request, never from anything else in it. A token says which account
//! and which session it is of; what that account may do is asked of the database anew for every request, so that whoever
//! leaves loses their rights at once.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use sha2::{Digest, Sha256};

use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Kind, Reason, Stop};
use crate::web::context::Context;
use crate::web::policy::{Action, Role};

/// The request carries a token that is not valid.
pub static INVALID_TOKEN: Reason = Reason::new(
    Kind::Unauthenticated,
    "invalid_token",
    "登录凭证无效或已过期",
    "The access token is not valid or has expired",
);

/// What the text of a machine's token begins with, so that scanners for leaked secrets can find it.
pub const API_TOKEN_PREFIX: &str = "wardbook_";

/// A capacity in which somebody may act, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The capacity.
    pub role: Role,
    /// The organisation in whose name; none for the roles of residents and of the platform.
    pub organisation: Option<OrganisationId>,
    /// The community, for residents and registrars.
    pub area: Option<AreaId>,
    /// The account whose deputy this is; what is done counts as that person's doing too when duties are kept apart.
    pub deputy_of: Option<String>,
}

impl Grant {
    /// A role for nobody in particular.
    pub fn of(role: Role) -> Self {
        Self {
            role,
            organisation: None,
            area: None,
            deputy_of: None,
        }
    }

    /// The same role in the name of an organisation.
    #[must_use]
    pub fn in_organisation(mut self, organisation: OrganisationId) -> Self {
        self.organisation = Some(organisation);
        self
    }

    /// The same role for a community.
    #[must_use]
    pub fn in_area(mut self, area: AreaId) -> Self {
        self.area = Some(area);
        self
    }

    /// The same role as somebody's deputy.
    #[must_use]
    pub fn as_deputy_of(mut self, account: &str) -> Self {
        self.deputy_of = Some(account.to_owned());
        self
    }
}

/// By what somebody is known.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Means {
    /// By nothing.
    Unknown,
    /// The service itself.
    Service,
    /// A token that was issued on the machine itself, with the roles that it names.
    Operator,
    /// A session, by its id.
    Session(String),
    /// A machine's token, by its id, and what it may be used for.
    ApiToken { id: String, scopes: Arc<[String]> },
}

/// Whoever acts: a person, a program, the service itself, or nobody in particular.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    id: Option<String>,
    grants: Arc<[Grant]>,
    withheld: Arc<[Grant]>,
    means: Means,
    looks: Looks,
}

/// What was allowed to an auditor because they are one, and would not be to everybody, while a request is answered. All copies of an actor share it, and no actor is another for it.
#[derive(Clone, Debug, Default)]
struct Looks(Arc<Mutex<BTreeSet<Action>>>);

impl PartialEq for Looks {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Looks {}

impl Actor {
    /// Somebody who did not say who they are.
    pub fn public() -> Self {
        Self::known_by(Means::Unknown, None, Vec::new())
    }

    /// Whoever shows a token that was issued on the machine itself, in these roles.
    pub fn signed_in(id: String, roles: Vec<Role>) -> Self {
        Self::known_by(
            Means::Operator,
            Some(id),
            roles.into_iter().map(Grant::of).collect(),
        )
    }

    /// An account in whose name somebody acts who is at the machine itself, with what it may do.
    pub fn on_machine(id: String, grants: Vec<Grant>) -> Self {
        Self::known_by(Means::Operator, Some(id), grants)
    }

    /// Somebody in a session.
    pub fn in_session(id: String, session: String, grants: Vec<Grant>) -> Self {
        Self::known_by(Means::Session(session), Some(id), grants)
    }

    /// A program with a token of an account, good for these scopes only.
    pub fn by_api_token(id: String, token: String, scopes: Vec<String>, grants: Vec<Grant>) -> Self {
        let scopes = scopes.into();
        Self::known_by(Means::ApiToken { id: token, scopes }, Some(id), grants)
    }

    /// The service itself: the scheduler, the demo ward, a command of the operator.
    pub fn system() -> Self {
        let grants = vec![Grant::of(Role::System)];
        Self::known_by(Means::Service, Some("system".to_owned()), grants)
    }

    fn known_by(means: Means, id: Option<String>, grants: Vec<Grant>) -> Self {
        Self {
            id,
            grants: grants.into(),
            withheld: Arc::default(),
            means,
            looks: Looks::default(),
        }
    }

    /// Marks that this was allowed to them as an auditor alone.
    pub(super) fn looks_as_auditor(&self, action: Action) {
        self.looks
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(action);
    }

    /// What was allowed to them as an auditor alone since the request came.
    pub fn looks(&self) -> BTreeSet<Action> {
        self.looks
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The same actor with rights that they would have, had they shown a second factor.
    #[must_use]
    pub fn withholding(mut self, grants: Vec<Grant>) -> Self {
        self.withheld = grants.into();
        self
    }

    /// The account, where there is one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The session, where there is one.
    pub fn session(&self) -> Option<&str> {
        match &self.means {
            Means::Session(id) => Some(id),
            _ => None,
        }
    }

    /// The machine's token, where it is one that asks.
    pub fn api_token(&self) -> Option<&str> {
        match &self.means {
            Means::ApiToken { id, .. } => Some(id),
            _ => None,
        }
    }

    /// True if the actor may act in this role, for whomever. Everyone is `public`.
    pub fn has(&self, role: Role) -> bool {
        role == Role::Public || self.grants.iter().any(|grant| grant.role == role)
    }

    /// In which capacities the actor may act; `public` not counted.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Those that a second factor would add.
    pub fn withheld(&self) -> &[Grant] {
        &self.withheld
    }

    /// True if what asks may be used for this: a person for everything, a machine's token for its scopes.
    pub fn within_scope(&self, scope: &str) -> bool {
        match &self.means {
            Means::ApiToken { scopes, .. } => scopes.iter().any(|known| known == scope),
            _ => true,
        }
    }
}

/// What a request shows to say who it is of, when only the database can tell what that is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// An access token whose signature and time are good.
    Session {
        /// The account it names.
        account: String,
        /// The session it belongs to.
        session: String,
    },
    /// A machine's token, by its SHA-256.
    ApiToken([u8; 32]),
}

/// Tells who shows a credential; `None` if it is not worth anything any more. Made by `app/` from the accounts' store, which
/// lies on a floor above this one.
pub type Identify = Arc<dyn Fn(&mut Conn, &Credential, Instant) -> Answer<Option<Actor>> + Send + Sync>;

/// What is known where there are no accounts: nobody.
pub fn nobody_is_known() -> Identify {
    Arc::new(|_, _, _| Ok(None))
}

impl FromRequest for Actor {
    type Error = Stop;
    type Future = Pin<Box<dyn Future<Output = Answer<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let actor = of_request(&request).await?;
            if actor.has(Role::Auditor) {
                // What they are shown is recorded after the handler has decided what that is.
                request.extensions_mut().insert(actor.clone());
            }
            Ok(actor)
        })
    }
}

async fn of_request(request: &HttpRequest) -> Answer<Actor> {
    let Some(token) = bearer(request)? else {
        return Ok(Actor::public());
    };
    let context = Context::of(request)?;
    let now = context.clock.now();
    let credential = if token.starts_with(API_TOKEN_PREFIX) {
        Credential::ApiToken(Sha256::digest(token.as_bytes()).into())
    } else {
        let claimed = context.tokens.claimed(token, now)?;
        match claimed.session {
            Some(session) => Credential::Session {
                account: claimed.account,
                session,
            },
            None => return counted(context, Actor::signed_in(claimed.account, claimed.roles)),
        }
    };
    let identify = context.identify.clone();
    // Of a replica that lags behind one would learn what was, not what is.
    let actor = context
        .db
        .glance_primary(move |conn| identify(conn, &credential, now))
        .await?
        .ok_or_else(|| INVALID_TOKEN.refuse())?;
    counted(context, actor)
}

fn counted(context: &Context, actor: Actor) -> Answer<Actor> {
    if let Some(id) = actor.id() {
        context.throttle.account(id)?;
    }
    Ok(actor)
}

/// The token of the request, if it carries one.
fn bearer(request: &HttpRequest) -> Answer<Option<&str>> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else {
        return Ok(None);
    };
    if headers.next().is_some() {
        // A proxy that looked at the other one must not have looked at another person.
        return Err(INVALID_TOKEN.refuse().into());
    }
    let token = header
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| INVALID_TOKEN.refuse())?;
    Ok(Some(token))
}

/// Marks handlers that read the shared state.
pub type Shared = web::Data<Context>;
