//! What is done to the pool of experts, by the regulator who keeps it (财库〔2016〕198号): each function is one transaction's worth of work,
//! permission first, event last. Who is in the pool is not public, so the events tell only that it was changed.

use std::collections::BTreeSet;

use serde_json::json;

use crate::audit;
use crate::audit::entry::Event;
use crate::award::rules_experts::{
    Checked, EXPERT_LISTED, EXPERT_UNFIT, EXPERT_WITHDRAWN, Entered, Expert, checked,
};
use crate::award::store_experts as store;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Stop};
use crate::registry::store_organisations;
use crate::standards::store as standards;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// What the events of the pool are about.
const SUBJECT: &str = "panel-experts";

/// What was entered, held against what there is.
fn entered(conn: &mut Conn, entered: Entered) -> Answer<Checked> {
    let mut categories = BTreeSet::new();
    for code in &entered.categories {
        if standards::category(conn, code)?.is_some() {
            categories.insert(code.clone());
        }
    }
    let mut organisations: BTreeSet<OrganisationId> = BTreeSet::new();
    for employer in &entered.employers {
        let id = &employer.organisation_id;
        if store_organisations::standing(conn, id)?.is_some() {
            organisations.insert(id.clone());
        }
    }
    let known = |code: &str| categories.contains(code);
    let exists = |id: &OrganisationId| organisations.contains(id);
    Ok(checked(entered, known, exists)?)
}

fn record(tx: &mut Tx<'_>, actor: &Actor, kind: &'static str, expert: &Expert) -> Answer<()> {
    let event = Event {
        kind,
        subject: SUBJECT.to_owned(),
        data: json!({}),
        private: json!({
            "account_id": expert.account_id,
            "version": expert.version,
            "categories": expert.categories,
            "employers": expert.employers,
            "unavailable_until": expert.unavailable_until,
        }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// Adds somebody to the pool, or somebody who has left it again.
///
/// # Errors
/// Permission; those of the rules; [`EXPERT_UNFIT`] for whoever is no evaluator with an account in use; [`EXPERT_LISTED`].
pub fn add(tx: &mut Tx<'_>, actor: &Actor, account: &AccountId, command: Entered) -> Answer<Expert> {
    policy::allow(actor, Action::KeepExperts, Matter::default())?;
    let Checked {
        categories,
        employers,
        unavailable_until,
    } = entered(tx.conn(), command)?;
    if !store::is_evaluator(tx.conn(), account)? {
        return Err(EXPERT_UNFIT.refuse().at("/account_id").into());
    }
    let now = tx.now();
    let before = store::expert(tx.conn(), account)?;
    if before
        .as_ref()
        .is_some_and(|before| before.withdrawn_at.is_none())
    {
        return Err(EXPERT_LISTED.refuse().at("/account_id").into());
    }
    let expert = Expert {
        account_id: account.clone(),
        version: before
            .as_ref()
            .map_or(1, |before| before.version.saturating_add(1)),
        categories,
        employers,
        unavailable_until,
        listed_at: now,
        changed_at: now,
        withdrawn_at: None,
    };
    if before.is_some() {
        store::update(tx, &expert)?;
    } else {
        store::insert(tx, &expert)?;
    }
    record(tx, actor, "expert.listed", &expert)?;
    Ok(expert)
}

fn listed(conn: &mut Conn, account: &AccountId) -> Answer<Expert> {
    let expert = store::expert(conn, account)?.ok_or_else(|| NOT_FOUND.refuse())?;
    if expert.withdrawn_at.is_some() {
        return Err(Stop::from(EXPERT_WITHDRAWN.refuse()));
    }
    Ok(expert)
}

/// Changes what is known of an expert.
///
/// # Errors
/// Permission; not found; [`EXPERT_WITHDRAWN`]; another version than the one that is meant; those of the rules.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (account, expected): (&AccountId, Expected),
    command: Entered,
) -> Answer<Expert> {
    policy::allow(actor, Action::KeepExperts, Matter::default())?;
    let before = listed(tx.conn(), account)?;
    expected.check(before.version)?;
    let Checked {
        categories,
        employers,
        unavailable_until,
    } = entered(tx.conn(), command)?;
    if (&categories, &employers, unavailable_until)
        == (&before.categories, &before.employers, before.unavailable_until)
    {
        tx.nothing_to_change();
        return Ok(before);
    }
    let changed = Expert {
        version: before.version.saturating_add(1),
        categories,
        employers,
        unavailable_until,
        changed_at: tx.now(),
        ..before
    };
    store::update(tx, &changed)?;
    record(tx, actor, "expert.changed", &changed)?;
    Ok(changed)
}

/// Takes an expert out of the pool. Seats that they hold they keep.
///
/// # Errors
/// Permission; not found; [`EXPERT_WITHDRAWN`]; another version than the one that is meant.
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (account, expected): (&AccountId, Expected),
) -> Answer<Expert> {
    policy::allow(actor, Action::KeepExperts, Matter::default())?;
    let before = listed(tx.conn(), account)?;
    expected.check(before.version)?;
    let now = tx.now();
    let gone = Expert {
        version: before.version.saturating_add(1),
        changed_at: now,
        withdrawn_at: Some(now),
        ..before
    };
    store::update(tx, &gone)?;
    record(tx, actor, "expert.withdrawn", &gone)?;
    Ok(gone)
}

/// What the pool says of an expert, for whoever may know.
///
/// # Errors
/// Permission; not found, to an evaluator of everybody else as well.
pub fn known(conn: &mut Conn, actor: &Actor, account: &AccountId) -> Answer<Expert> {
    policy::allow_at_all(actor, Action::ReadExpert)?;
    let matter = Matter::of_account(account.as_str());
    if !policy::allows(actor, Action::ReadExpert, matter) {
        return Err(NOT_FOUND.refuse().into());
    }
    Ok(store::expert(conn, account)?.ok_or_else(|| NOT_FOUND.refuse())?)
}
