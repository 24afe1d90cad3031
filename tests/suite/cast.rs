//! People and organisations for the tests: real accounts with real grants, who ask with a machine's token of their own.
//! Rows are written in one transaction with one event, as an act writes them; what the acts that make them do is tested
//! elsewhere.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::Duration;
use diesel::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::db::schema::{accounts, organisations};
use wardbook::kernel::id;
use wardbook::kernel::party::{AccountId, AreaId, OrganisationId, OrganisationKind};
use wardbook::people::rules_roles::{ApiTokenId, GrantId};
use wardbook::people::store_api_tokens::{self, ApiToken};
use wardbook::people::store_grants;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::scopes;

use crate::harness::{Ask, Ward};

/// Somebody with an account.
#[derive(Clone)]
pub struct Person {
    /// The account.
    pub id: AccountId,
    /// A machine's token of theirs, good for everything that tokens are good for.
    pub token: String,
}

impl Person {
    /// Begins a request of theirs.
    pub fn asks<'w>(&self, ward: &'w Ward, method: &str, path: &str) -> Ask<'w> {
        ward.ask(method, path)
            .header("authorization", &format!("Bearer {}", self.token))
            .header("accept-language", "en")
    }
}

fn event(kind: &'static str, subject: &str) -> Event {
    Event {
        kind,
        subject: subject.to_owned(),
        data: json!({}),
        private: Value::Null,
    }
}

/// A verified organisation; a community's needs its area.
pub fn organisation(ward: &Ward, kind: OrganisationKind, area: Option<&AreaId>) -> OrganisationId {
    organisation_in_state(ward, kind, area, "verified")
}

/// An organisation in any state.
pub fn organisation_in_state(
    ward: &Ward,
    kind: OrganisationKind,
    area: Option<&AreaId>,
    state: &'static str,
) -> OrganisationId {
    let area = area.cloned();
    ward.context()
        .db
        .write_and_wait(move |tx| {
            let id = OrganisationId::mint(tx.now());
            let now = tx.now().naive_utc();
            diesel::insert_into(organisations::table)
                .values((
                    organisations::id.eq(&id),
                    organisations::kind.eq(kind.name()),
                    organisations::name_zh.eq(format!("组织{}", kind.name())),
                    organisations::name_en.eq(format!("Organisation {}", kind.name())),
                    organisations::area_id.eq(&area),
                    organisations::state.eq(state),
                    organisations::version.eq(1_i64),
                    organisations::created_at.eq(now),
                    organisations::updated_at.eq(now),
                ))
                .execute(tx.conn())?;
            audit::store::append(tx, &Actor::system(), &event("organisation.cast", id.as_str()))?;
            Ok(id)
        })
        .unwrap()
}

/// An active account with these grants and a strong token.
pub fn person(ward: &Ward, grants: &[Grant]) -> Person {
    person_with(ward, grants, true, &scopes())
}

/// An active account with these grants, and a token with these scopes; a weak one is of a session without a second factor.
pub fn person_with(ward: &Ward, grants: &[Grant], strong: bool, scopes: &[&str]) -> Person {
    let grants = grants.to_vec();
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let secret: [u8; 32] = id::random().unwrap();
    let token = format!("wardbook_{}", BASE64_URL_SAFE_NO_PAD.encode(secret));
    let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    let id = ward
        .context()
        .db
        .write_and_wait(move |tx| {
            let account_id = AccountId::mint(tx.now());
            let now = tx.now();
            diesel::insert_into(accounts::table)
                .values((
                    accounts::id.eq(&account_id),
                    accounts::display_name.eq("某人"),
                    accounts::language.eq("zh-CN"),
                    accounts::state.eq("active"),
                    accounts::version.eq(1_i64),
                    accounts::created_at.eq(now.naive_utc()),
                    accounts::updated_at.eq(now.naive_utc()),
                ))
                .execute(tx.conn())?;
            for grant in &grants {
                store_grants::insert(tx, &GrantId::mint(now), &account_id, grant, "system")?;
            }
            let api_token = ApiToken {
                id: ApiTokenId::mint(now),
                account_id: account_id.clone(),
                name: "test".to_owned(),
                scopes: scopes.clone(),
                strong,
                created_at: now,
                expires_at: now + Duration::days(366),
                revoked_at: None,
                last_used_at: None,
            };
            store_api_tokens::insert(tx, &api_token, &digest)?;
            audit::store::append(tx, &Actor::system(), &event("account.cast", account_id.as_str()))?;
            Ok(account_id)
        })
        .unwrap();
    Person { id, token }
}
