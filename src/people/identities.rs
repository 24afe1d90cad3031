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
use crate::web::actor::{Actor, Credential, Grant, Identify};

/// Tokens whose use is remembered until it is written down; more than this in a minute are not.
const USED_MAX: usize = 10_000;

/// Who is who.
#[derive(Default)]
pub struct Identities {
    used: Mutex<HashMap<ApiTokenId, Instant>>,
}

impl Identities {
    /// As the extractor of actors wants it.
    pub fn identify(self: &Arc<Self>) -> Identify {
        let this = self.clone();
        Arc::new(move |conn, credential, now| this.who(conn, credential, now))
    }

    fn who(&self, conn: &mut Conn, credential: &Credential, now: Instant) -> Answer<Option<Actor>> {
        match credential {
            Credential::ApiToken(digest) => self.of_api_token(conn, digest, now),
            Credential::Session { .. } => Ok(None),
        }
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
        let (granted, withheld) = rules::by_strength(grants_of(conn, &account, now)?, token.strong);
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
