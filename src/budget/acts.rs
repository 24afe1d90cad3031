//! What is done to funds and budget lines: each function is one transaction's worth of work, permission first, event last.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::budget::posting;
use crate::budget::rules::{
    self, BudgetLine, BudgetLineId, CATEGORY_UNKNOWN, CODE_TAKEN, Fund, FundChange, FundId, LineChange,
    NO_PUBLIC_BODY, NewFund, NewLine,
};
use crate::budget::rules_ledger::AccountCode;
use crate::budget::{store, store_ledger, store_sums};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::party::{OrganisationId, OrganisationKind};
use crate::kernel::refusal::Answer;
use crate::registry::rules_organisations::State;
use crate::registry::store_organisations;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Makes a fund.
///
/// # Errors
/// Permission; those of the rules; [`NO_PUBLIC_BODY`]; [`CODE_TAKEN`].
pub fn create_fund(tx: &mut Tx<'_>, actor: &Actor, new: &NewFund) -> Answer<Fund> {
    policy::allow(
        actor,
        Action::ManageFund,
        Matter::of_organisation(&new.organisation_id),
    )?;
    let fund = rules::fund(FundId::mint(tx.now()), new, tx.now())?;
    public_body(tx.conn(), &fund.organisation_id, "/organisation_id")?;
    if store::fund_code_taken(tx.conn(), &fund.code)? {
        return Err(CODE_TAKEN.refuse().at("/code").into());
    }
    store::insert_fund(tx, &fund)?;
    audit::store::append(tx, actor, &fund_event("fund.created", &fund))?;
    Ok(fund)
}

/// Gives a fund another name or basis.
///
/// # Errors
/// Permission; not found; a stale version; those of the rules.
pub fn change_fund(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &FundId,
    expected: Expected,
    change: &FundChange,
) -> Answer<Fund> {
    let fund = managed(tx, actor, Action::ManageFund, id)?;
    expected.check(fund.version)?;
    let changed = rules::change_fund(fund.clone(), change, tx.now())?;
    if (&fund.name_zh, &fund.name_en, &fund.basis) == (&changed.name_zh, &changed.name_en, &changed.basis) {
        tx.nothing_to_change();
        return Ok(fund);
    }
    store::update_fund(tx, &changed)?;
    audit::store::append(tx, actor, &fund_event("fund.changed", &changed))?;
    Ok(changed)
}

/// Closes a fund that nothing is left of to spend.
///
/// # Errors
/// Permission; not found; a stale version; those of the rules.
pub fn close_fund(tx: &mut Tx<'_>, actor: &Actor, id: &FundId, expected: Expected) -> Answer<Fund> {
    let fund = managed(tx, actor, Action::ManageFund, id)?;
    expected.check(fund.version)?;
    let sums = store_sums::sums(tx.conn(), Some(id), None, None)?;
    let is_empty = sums.iter().all(|sum| sum.balance.is_zero() || is_final(sum.code));
    let closed = rules::close_fund(fund, is_empty, tx.now())?;
    store::update_fund(tx, &closed)?;
    audit::store::append(tx, actor, &fund_event("fund.closed", &closed))?;
    Ok(closed)
}

/// Makes a budget line of a fund, with its accounts.
///
/// # Errors
/// Permission; not found; a closed fund; those of the rules; [`NO_PUBLIC_BODY`]; [`CATEGORY_UNKNOWN`]; [`CODE_TAKEN`].
pub fn create_line(tx: &mut Tx<'_>, actor: &Actor, fund: &FundId, new: &NewLine) -> Answer<BudgetLine> {
    let fund = rules::open_fund(managed(tx, actor, Action::ManageBudgetLine, fund)?)?;
    let line = rules::line(BudgetLineId::mint(tx.now()), fund.id, new, tx.now())?;
    public_body(tx.conn(), &line.organisation_id, "/organisation_id")?;
    if !store::category_is_active(tx.conn(), &line.category)? {
        return Err(CATEGORY_UNKNOWN.refuse().at("/category").into());
    }
    if store::line_code_taken(tx.conn(), &line)? {
        return Err(CODE_TAKEN.refuse().at("/code").into());
    }
    store::insert_line(tx, &line)?;
    posting::open_line(tx, &line)?;
    audit::store::append(tx, actor, &line_event("budget_line.created", &line))?;
    Ok(line)
}

/// Words a budget line's purpose anew.
///
/// # Errors
/// Permission; not found; a stale version; those of the rules.
pub fn change_line(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BudgetLineId,
    expected: Expected,
    change: &LineChange,
) -> Answer<BudgetLine> {
    let line = managed_line(tx, actor, id)?;
    expected.check(line.version)?;
    let changed = rules::change_line(line.clone(), change, tx.now())?;
    if (&line.purpose_zh, &line.purpose_en) == (&changed.purpose_zh, &changed.purpose_en) {
        tx.nothing_to_change();
        return Ok(line);
    }
    store::update_line(tx, &changed)?;
    audit::store::append(tx, actor, &line_event("budget_line.changed", &changed))?;
    Ok(changed)
}

/// Closes a budget line that nothing is left of to spend.
///
/// # Errors
/// Permission; not found; a stale version; those of the rules.
pub fn close_line(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BudgetLineId,
    expected: Expected,
) -> Answer<BudgetLine> {
    let line = managed_line(tx, actor, id)?;
    expected.check(line.version)?;
    let accounts = store_ledger::accounts_of_line(tx.conn(), id)?;
    let is_empty = accounts
        .iter()
        .all(|account| account.balance.is_zero() || is_final(account.code));
    let closed = rules::close_line(line, is_empty, tx.now())?;
    store::update_line(tx, &closed)?;
    audit::store::append(tx, actor, &line_event("budget_line.closed", &closed))?;
    Ok(closed)
}

/// True for accounts whose money has been where it was to go.
const fn is_final(code: AccountCode) -> bool {
    matches!(
        code,
        AccountCode::Source | AccountCode::Spent | AccountCode::Returned
    )
}

/// The fund of that id, if the actor may do this with it.
///
/// # Errors
/// Permission; not found.
pub fn managed(tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &FundId) -> Answer<Fund> {
    policy::allow_at_all(actor, action)?;
    let fund = store::fund(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    policy::allow(actor, action, Matter::of_organisation(&fund.organisation_id))?;
    Ok(fund)
}

fn managed_line(tx: &mut Tx<'_>, actor: &Actor, id: &BudgetLineId) -> Answer<BudgetLine> {
    policy::allow_at_all(actor, Action::ManageBudgetLine)?;
    let (line, fund) = known_line(tx.conn(), actor, id)?;
    policy::allow(
        actor,
        Action::ManageBudgetLine,
        Matter::of_organisation(&fund.organisation_id),
    )?;
    Ok(line)
}

/// The budget line of that id and its fund, as far as the actor may know of them.
///
/// # Errors
/// Not found if there is none or the actor may not see it.
pub fn known_line(conn: &mut Conn, actor: &Actor, id: &BudgetLineId) -> Answer<(BudgetLine, Fund)> {
    let line = store::line(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let fund = store::fund(conn, &line.fund_id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let own = [&line.organisation_id, &fund.organisation_id];
    if may_see(actor, Action::ReadBudget, &own) {
        Ok((line, fund))
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// Whether the actor may see what belongs to one of these organisations.
pub fn may_see(actor: &Actor, action: Action, owners: &[&OrganisationId]) -> bool {
    owners
        .iter()
        .any(|owner| policy::allows(actor, action, Matter::of_organisation(owner)))
}

/// The organisations whose money the actor may see; `None` if all.
pub fn own_organisations(actor: &Actor, action: Action) -> Option<Vec<OrganisationId>> {
    if policy::allows(actor, action, Matter::default()) {
        return None;
    }
    let mut own: Vec<OrganisationId> = actor
        .grants()
        .iter()
        .filter_map(|grant| grant.organisation.clone())
        .filter(|organisation| policy::allows(actor, action, Matter::of_organisation(organisation)))
        .collect();
    own.sort();
    own.dedup();
    Some(own)
}

/// What sort of public body an organisation is.
///
/// # Errors
/// [`NO_PUBLIC_BODY`] if it is none, or closed, or not there at all; a fault of the database.
pub fn public_body(conn: &mut Conn, id: &OrganisationId, pointer: &str) -> Answer<OrganisationKind> {
    let standing = store_organisations::standing(conn, id)?;
    let body = standing.filter(|(kind, state)| kind.is_public_body() && *state != State::Closed);
    Ok(body
        .map(|(kind, _)| kind)
        .ok_or_else(|| NO_PUBLIC_BODY.refuse().at(pointer))?)
}

fn fund_event(kind: &'static str, fund: &Fund) -> Event {
    Event {
        kind,
        subject: fund.id.to_string(),
        data: json!({
            "code": fund.code, "kind": fund.kind, "organisation": fund.organisation_id, "name_zh": fund.name_zh,
            "name_en": fund.name_en, "basis": fund.basis, "state": fund.state, "version": fund.version,
        }),
        private: Value::Null,
    }
}

/// What a line is of is for whoever may see the budget.
fn line_event(kind: &'static str, line: &BudgetLine) -> Event {
    Event {
        kind,
        subject: line.id.to_string(),
        data: json!({
            "fund": line.fund_id, "fiscal_year": line.fiscal_year, "state": line.state, "version": line.version,
        }),
        private: json!({
            "code": line.code, "organisation": line.organisation_id, "category": line.category, "purpose_zh": line.purpose_zh,
            "purpose_en": line.purpose_en,
        }),
    }
}
