//! Tells who shows a credential: asked for every request, of the database, so that a right that was taken is gone at once.
//! Remembers in passing when machines' tokens were used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::people::rules_roles::{self as rules, ApiTokenId};
use crate::people::store_api_tokens;
use crate::people::store_grants::{self, GrantFilter};
use crate::people::store_sessions;
use crate::web::actor::{Actor, Credential, Grant, Identify};
use crate::web::policy::Role;

/// Tokens whose use is remembered until it is written down; more than this in a minute are not.
const USED_MAX: usize = 10_000;

/// Who is who.
pub struct Identities {
    /// Roles that are acted in only after a second factor.
    second_factor_roles: Vec<Role>,
    used: Mutex<HashMap<ApiTokenId, Instant>>,
}

impl Identities {
    /// Nobody has been asked about yet.
    pub fn new(second_factor_roles: Vec<Role>) -> Self {
        Self {
            second_factor_roles,
            used: Mutex::default(),
        }
    }

    /// As the extractor of actors wants it.
    pub fn identify(self: &Arc<Self>) -> Identify {
        let this = self.clone();
        Arc::new(move |conn, credential, now| this.who(conn, credential, now))
    }

    fn who(&self, conn: &mut Conn, credential: &Credential, now: Instant) -> Answer<Option<Actor>> {
        match credential {
            Credential::ApiToken(digest) => self.of_api_token(conn, digest, now),
            Credential::Session { account, session } => self.of_session(conn, account, session, now),
        }
    }

    fn of_session(
        &self,
        conn: &mut Conn,
        account: &str,
        session: &str,
        now: Instant,
    ) -> Answer<Option<Actor>> {
        let (Ok(account_id), Ok(session_id)) = (account.parse(), session.parse()) else {
            return Ok(None);
        };
        let Some(strong) = store_sessions::is_alive(conn, &account_id, &session_id, now)? else {
            return Ok(None);
        };
        let grants = grants_of(conn, account, now)?;
        let (granted, withheld) = rules::by_strength(grants, strong, &self.second_factor_roles);
        let actor = Actor::in_session(account.to_owned(), session.to_owned(), granted);
        Ok(Some(actor.withholding(withheld)))
    }

    fn of_api_token(&self, conn: &mut Conn, digest: &[u8; 32], now: Instant) -> Answer<Option<Actor>> {
        let Some(token) = store_api_tokens::good(conn, digest, now)? else {
            return Ok(None);
        };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() < USED_MAX || used.contains_key(&token.id) {
            used.insert(token.id.clone(), now);
        }
        drop(used);
        let account = token.account_id.to_string();
        let (granted, withheld) = rules::by_strength(
            grants_of(conn, &account, now)?,
            token.strong,
            &self.second_factor_roles,
        );
        let actor = Actor::by_api_token(account, token.id.to_string(), token.scopes, granted);
        Ok(Some(actor.withholding(withheld)))
    }

    /// When which token was last used, since this was last asked.
    pub fn take_used(&self) -> HashMap<ApiTokenId, Instant> {
        std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Everything that an account may act as: its own roles, and those it is deputy in.
///
/// # Errors
/// A fault of the database.
pub fn grants_of(conn: &mut Conn, account: &str, now: Instant) -> Answer<Vec<Grant>> {
    let Ok(account_id) = account.parse() else {
        return Ok(Vec::new());
    };
    let own = GrantFilter {
        account_id: Some(account_id),
        in_force: true,
        ..GrantFilter::default()
    };
    let mut grants: Vec<Grant> = store_grants::grants(conn, &own, i64::MAX)?
        .into_iter()
        .map(|given| given.grant)
        .collect();
    grants.extend(store_grants::lent_to(conn, account, now)?);
    Ok(grants)
}
