//! Who is asking: taken from the access token of the request, never from anything else in it.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};

use crate::kernel::refusal::{Answer, Kind, Reason, Stop};
use crate::web::context::Context;
use crate::web::policy::Role;

/// The request carries a token that is not valid.
pub static INVALID_TOKEN: Reason = Reason::new(
    Kind::Unauthenticated,
    "invalid_token",
    "登录凭证无效或已过期",
    "The access token is not valid or has expired",
);

/// Whoever acts: a person, a program, the service itself, or nobody in particular.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    id: Option<String>,
    roles: Vec<Role>,
}

impl Actor {
    /// Somebody who did not say who they are.
    pub fn public() -> Self {
        Self {
            id: None,
            roles: Vec::new(),
        }
    }

    /// A person or program with an account.
    pub fn signed_in(id: String, roles: Vec<Role>) -> Self {
        Self { id: Some(id), roles }
    }

    /// The service itself: the scheduler, the demo ward, a command of the operator.
    pub fn system() -> Self {
        Self {
            id: Some("system".to_owned()),
            roles: vec![Role::System],
        }
    }

    /// The account, where there is one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// True if the actor may act in this role. Everyone is `public`.
    pub fn has(&self, role: Role) -> bool {
        role == Role::Public || self.roles.contains(&role)
    }

    /// The roles, `public` not counted.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }
}

impl FromRequest for Actor {
    type Error = Stop;
    type Future = Ready<Answer<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(of_request(request))
    }
}

fn of_request(request: &HttpRequest) -> Answer<Actor> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else {
        return Ok(Actor::public());
    };
    if headers.next().is_some() {
        // A proxy that looked at the other one must not have looked at another person.
        return Err(INVALID_TOKEN.refuse().into());
    }
    let context = Context::of(request)?;
    let token = header
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| INVALID_TOKEN.refuse())?;
    let actor = context.tokens.actor(token, context.clock.now())?;
    if let Some(id) = actor.id() {
        context.throttle.account(id)?;
    }
    Ok(actor)
}

/// Marks handlers that read the shared state.
pub type Shared = web::Data<Context>;
