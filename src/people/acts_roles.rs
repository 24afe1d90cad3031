//! Roles are given and taken, lent to deputies, and machines get tokens: each function is one transaction's worth of work,
//! permission first, event last. Events say publicly which role was given in which organisation, never to whom.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::Duration;
use chrono_tz::Tz;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::audit;
use crate::audit::entry::Event;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::calendar::local_date;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::id;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox::content::{DeputyAppointed, DeputyEnded, RoleGiven, RoleTaken};
use crate::people::letters::{name_of, place_in_words, role_in_words, tell};
use crate::people::rules::{Account, State};
use crate::people::rules_roles::{
    self as rules, ACCOUNT_UNKNOWN, ALREADY_ENDED, API_TOKENS_MAX, ApiTokenId, DEPUTATIONS_MAX, DeputationId,
    Giver, GrantId, LAST_ADMIN, Lending, ORGANISATION_UNKNOWN, ROLE_HELD, SESSION_NEEDED, TOO_MANY_TOKENS,
};
use crate::people::store as accounts;
use crate::people::store_api_tokens::{self, ApiToken};
use crate::people::store_grants::{self as store, Deputation, DeputationFilter, GivenRole, GrantFilter};
use crate::web::actor::{API_TOKEN_PREFIX, Actor, Grant};
use crate::web::policy::{self, Action, Matter, Role};
use crate::web::problem::NOT_FOUND;

/// A role to give.
#[derive(Clone, Debug)]
pub struct GiveRole {
    /// To whom.
    pub account_id: AccountId,
    /// Which.
    pub role: Role,
    /// In which organisation; none for a role of the platform.
    pub organisation_id: Option<OrganisationId>,
}

/// A role to lend.
#[derive(Clone, Debug)]
pub struct AppointDeputy {
    /// The grant that is lent; the actor's own.
    pub grant_id: GrantId,
    /// To whom.
    pub deputy_id: AccountId,
    /// From when; none: from now.
    pub from: Option<Instant>,
    /// Until when.
    pub until: Instant,
    /// The ward's time zone: the deputy is told days.
    pub zone: Tz,
}

/// A machine's token to make.
#[derive(Clone, Debug)]
pub struct MakeApiToken {
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// Until when.
    pub expires_at: Instant,
}

/// Who may give or take a role, and as what.
fn giver(actor: &Actor, action: Action, organisation: Option<&OrganisationId>) -> Answer<Giver> {
    let matter = organisation.map_or_else(Matter::default, Matter::of_organisation);
    policy::allow(actor, action, matter)?;
    let administers = |grant: &Grant| {
        grant.role == Role::OrganisationAdmin
            && organisation.is_some()
            && grant.organisation.as_ref() == organisation
    };
    Ok(if actor.has(Role::System) {
        Giver::System
    } else if actor.grants().iter().any(administers) {
        Giver::OrganisationAdmin
    } else {
        Giver::Admin
    })
}

/// Gives an account a role.
///
/// # Errors
/// Permission; [`ORGANISATION_UNKNOWN`]; [`ACCOUNT_UNKNOWN`]; those of [`rules::give`]; [`ROLE_HELD`].
pub fn give_role(tx: &mut Tx<'_>, actor: &Actor, command: &GiveRole) -> Answer<GivenRole> {
    let giver = giver(actor, Action::GiveRole, command.organisation_id.as_ref())?;
    let employer = match &command.organisation_id {
        Some(id) => Some(
            store::employer(tx.conn(), id)?
                .ok_or_else(|| ORGANISATION_UNKNOWN.refuse().at("/organisation_id"))?,
        ),
        None => None,
    };
    if !store::account_can_hold(tx.conn(), &command.account_id)? {
        return Err(ACCOUNT_UNKNOWN.refuse().at("/account_id").into());
    }
    let is_own = actor.id() == Some(command.account_id.as_str());
    let grant = rules::give(giver, is_own, command.role, employer.as_ref())?;
    let known = GrantFilter {
        account_id: Some(command.account_id.clone()),
        role: Some(command.role),
        in_force: true,
        ..GrantFilter::default()
    };
    let held = store::grants(tx.conn(), &known, i64::MAX)?;
    if held.iter().any(|given| given.grant == grant) {
        return Err(ROLE_HELD.refuse().at("/role").into());
    }
    let id = GrantId::mint(tx.now());
    let by = actor.id().unwrap_or("public");
    store::insert(tx, &id, &command.account_id, &grant, by)?;
    let event = role_event("role.given", &id, &grant, &command.account_id);
    audit::store::append(tx, actor, &event)?;
    // Whoever is invited reads it in the invitation, and who sets a ward up tells its people.
    let account = account_in_use(tx.conn(), &command.account_id)?;
    if let Some(account) = account.filter(|_| giver != Giver::System) {
        let letter = RoleGiven {
            role: role_in_words(grant.role),
            organisation: place_in_words(tx.conn(), &grant)?,
            by: name_of(tx.conn(), actor)?,
        };
        tell(tx, &account, &format!("{id}:given"), letter, None)?;
    }
    granted(tx.conn(), &id)
}

/// Takes a role away; whoever stands in for it does so no longer.
///
/// # Errors
/// Not found; permission; [`ALREADY_ENDED`]; [`LAST_ADMIN`].
pub fn take_role(tx: &mut Tx<'_>, actor: &Actor, id: &GrantId) -> Answer<GivenRole> {
    policy::allow_at_all(actor, Action::TakeRole)?;
    let given = store::grant(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    giver(actor, Action::TakeRole, given.grant.organisation.as_ref())?;
    if given.ended_at.is_some() {
        return Err(ALREADY_ENDED.refuse().into());
    }
    if given.grant.role == Role::Admin && store::others_with(tx.conn(), Role::Admin, &given.account_id)? == 0
    {
        return Err(LAST_ADMIN.refuse().into());
    }
    if !store::end(tx, id, actor.id().unwrap_or("public"))? {
        return Err(ALREADY_ENDED.refuse().into());
    }
    let event = role_event("role.taken", id, &given.grant, &given.account_id);
    audit::store::append(tx, actor, &event)?;
    if let Some(account) = account_in_use(tx.conn(), &given.account_id)? {
        let letter = RoleTaken {
            role: role_in_words(given.grant.role),
            organisation: place_in_words(tx.conn(), &given.grant)?,
        };
        tell(tx, &account, &format!("{id}:taken"), letter, None)?;
    }
    for lent in open_deputations(tx, id)? {
        tell_deputy_ended(tx, &lent)?;
    }
    granted(tx.conn(), id)
}

fn granted(conn: &mut Conn, id: &GrantId) -> Answer<GivenRole> {
    Ok(store::grant(conn, id)?.ok_or_else(|| Fault::broken("a grant that was just written is gone"))?)
}

/// What the log says of a role: to whom it was given is private.
pub(super) fn role_event(kind: &'static str, id: &GrantId, grant: &Grant, account_id: &AccountId) -> Event {
    Event {
        kind,
        subject: id.to_string(),
        data: json!({ "role": grant.role, "organisation_id": grant.organisation, "area_id": grant.area }),
        private: json!({ "account_id": account_id }),
    }
}

/// Appoints a deputy for one of the actor's own roles.
///
/// # Errors
/// Permission; not found unless the grant is the actor's own and in force; those of [`rules::period`] and [`rules::lend`].
pub fn appoint_deputy(tx: &mut Tx<'_>, actor: &Actor, command: &AppointDeputy) -> Answer<Deputation> {
    policy::allow(actor, Action::AppointDeputy, Matter::default())?;
    let given = store::grant(tx.conn(), &command.grant_id)?
        .filter(|given| actor.id() == Some(given.account_id.as_str()) && given.ended_at.is_none())
        .ok_or_else(|| NOT_FOUND.refuse().at("/grant_id"))?;
    let period = rules::period(command.from, command.until, tx.now())?;
    let others: Vec<_> = open_deputations(tx, &given.id)?
        .into_iter()
        .map(|other| (other.deputy_id, other.period))
        .collect();
    rules::lend(&Lending {
        role: given.grant.role,
        principal: &given.account_id,
        deputy: &command.deputy_id,
        deputy_belongs: belongs(tx.conn(), &command.deputy_id, given.grant.organisation.as_ref())?,
        period,
        others: &others,
    })?;
    let new = Deputation {
        id: DeputationId::mint(tx.now()),
        grant_id: given.id,
        principal_id: given.account_id,
        deputy_id: command.deputy_id.clone(),
        period,
        revoked_at: None,
        grant: given.grant,
    };
    store::insert_deputation(tx, &new)?;
    audit::store::append(tx, actor, &deputation_event("deputy.appointed", &new))?;
    if let Some(deputy) = account_in_use(tx.conn(), &new.deputy_id)? {
        let letter = DeputyAppointed {
            principal: name_of(tx.conn(), actor)?,
            role: role_in_words(new.grant.role),
            organisation: place_in_words(tx.conn(), &new.grant)?,
            from: local_date(new.period.from, command.zone),
            // The period ends before that instant: at midnight it is the day before that is the last.
            until: local_date(new.period.until - Duration::microseconds(1), command.zone),
        };
        tell(tx, &deputy, &format!("{}:appointed", new.id), letter, None)?;
    }
    Ok(new)
}

/// The deputations of a grant that are not over.
fn open_deputations(tx: &mut Tx<'_>, grant: &GrantId) -> Answer<Vec<Deputation>> {
    let open = DeputationFilter {
        grant_id: Some(grant.clone()),
        not_over_at: Some(tx.now()),
        ..DeputationFilter::default()
    };
    let most = i64::try_from(DEPUTATIONS_MAX).unwrap_or(i64::MAX);
    store::deputations(tx.conn(), &open, most)
}

fn tell_deputy_ended(tx: &mut Tx<'_>, ended: &Deputation) -> Answer<()> {
    let Some(deputy) = account_in_use(tx.conn(), &ended.deputy_id)? else {
        return Ok(());
    };
    let principal = accounts::account(tx.conn(), &ended.principal_id)?;
    let letter = DeputyEnded {
        principal: principal.and_then(|one| one.display_name).unwrap_or_default(),
        role: role_in_words(ended.grant.role),
        organisation: place_in_words(tx.conn(), &ended.grant)?,
    };
    tell(tx, &deputy, &format!("{}:ended", ended.id), letter, None)
}

/// An account that somebody reads the mail of.
fn account_in_use(conn: &mut Conn, id: &AccountId) -> Answer<Option<Account>> {
    let found = accounts::account(conn, id)?;
    Ok(found.filter(|account| account.state == State::Active))
}

/// True if the account is active and has some role in that organisation.
fn belongs(conn: &mut Conn, account_id: &AccountId, organisation: Option<&OrganisationId>) -> Answer<bool> {
    if organisation.is_none() || !store::account_can_hold(conn, account_id)? {
        return Ok(false);
    }
    let held = GrantFilter {
        account_id: Some(account_id.clone()),
        organisation_id: organisation.cloned(),
        in_force: true,
        ..GrantFilter::default()
    };
    Ok(!store::grants(conn, &held, 1)?.is_empty())
}

/// Revokes a deputation: by the principal, or by the organisation's administrator.
///
/// # Errors
/// Not found, also to whoever may not know of it; [`ALREADY_ENDED`].
pub fn revoke_deputy(tx: &mut Tx<'_>, actor: &Actor, id: &DeputationId) -> Answer<Deputation> {
    policy::allow_at_all(actor, Action::RevokeDeputy)?;
    let found = deputation(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let matter = Matter {
        account: Some(found.principal_id.as_str()),
        organisation: found.grant.organisation.as_ref(),
        ..Matter::default()
    };
    if !policy::allows(actor, Action::RevokeDeputy, matter) {
        return Err(NOT_FOUND.refuse().into());
    }
    if found.period.until <= tx.now() || !store::revoke_deputation(tx, id, actor.id().unwrap_or("public"))? {
        return Err(ALREADY_ENDED.refuse().into());
    }
    audit::store::append(tx, actor, &deputation_event("deputy.revoked", &found))?;
    tell_deputy_ended(tx, &found)?;
    let revoked_at = Some(tx.now());
    Ok(Deputation { revoked_at, ..found })
}

fn deputation(conn: &mut Conn, id: &DeputationId) -> Answer<Option<Deputation>> {
    let only = DeputationFilter {
        id: Some(id.clone()),
        ..DeputationFilter::default()
    };
    Ok(store::deputations(conn, &only, 1)?.pop())
}

fn deputation_event(kind: &'static str, deputation: &Deputation) -> Event {
    let Deputation {
        id,
        principal_id,
        deputy_id,
        period,
        grant,
        ..
    } = deputation;
    Event {
        kind,
        subject: id.to_string(),
        data: json!({
            "role": grant.role,
            "organisation_id": grant.organisation,
            "from": rfc3339(period.from),
            "until": rfc3339(period.until),
        }),
        private: json!({ "principal_id": principal_id, "deputy_id": deputy_id }),
    }
}

/// Makes a machine's token. Its text is given here and never again.
///
/// # Errors
/// Permission; [`SESSION_NEEDED`]; those of the rules; [`TOO_MANY_TOKENS`].
pub fn make_api_token(
    tx: &mut Tx<'_>,
    actor: &Actor,
    command: &MakeApiToken,
) -> Answer<(ApiToken, Zeroizing<String>)> {
    policy::allow(actor, Action::ManageApiTokens, Matter::default())?;
    let (Some(account), Some(_)) = (actor.id(), actor.session()) else {
        return Err(SESSION_NEEDED.refuse().into());
    };
    let account_id: AccountId = account
        .parse()
        .map_err(|error| Fault::caused("the account of a session", error))?;
    let scopes = rules::scopes(&command.scopes)?;
    let expires_at = rules::expiry(command.expires_at, tx.now())?;
    let now = tx.now();
    if store_api_tokens::count_good(tx.conn(), &account_id, now)? >= API_TOKENS_MAX {
        return Err(TOO_MANY_TOKENS.refuse().into());
    }
    let secret = Zeroizing::new(id::random::<32>()?);
    let text = Zeroizing::new(format!(
        "{API_TOKEN_PREFIX}{}",
        BASE64_URL_SAFE_NO_PAD.encode(secret.as_slice())
    ));
    let new = ApiToken {
        id: ApiTokenId::mint(now),
        account_id,
        name: command.name.clone(),
        scopes,
        strong: actor.withheld().is_empty(),
        created_at: now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    store_api_tokens::insert(tx, &new, &Sha256::digest(text.as_bytes()).into())?;
    let data = json!({ "scopes": new.scopes, "expires_at": rfc3339(new.expires_at) });
    audit::store::append(tx, actor, &token_event("api_token.made", &new.id, data))?;
    Ok((new, text))
}

/// Revokes one of the actor's own tokens, at once.
///
/// # Errors
/// Permission; not found; [`ALREADY_ENDED`].
pub fn revoke_api_token(tx: &mut Tx<'_>, actor: &Actor, id: &ApiTokenId) -> Answer<ApiToken> {
    policy::allow(actor, Action::ManageApiTokens, Matter::default())?;
    let account = actor.id().unwrap_or_default().to_owned();
    let found = store_api_tokens::one(tx.conn(), &account, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    if !store_api_tokens::revoke(tx, &account, id)? {
        return Err(ALREADY_ENDED.refuse().into());
    }
    audit::store::append(tx, actor, &token_event("api_token.revoked", id, Value::Null))?;
    let revoked_at = Some(tx.now());
    Ok(ApiToken { revoked_at, ..found })
}

fn token_event(kind: &'static str, id: &ApiTokenId, data: Value) -> Event {
    Event {
        kind,
        subject: id.to_string(),
        data,
        private: Value::Null,
    }
}
