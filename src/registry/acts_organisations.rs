//! What is done to organisations: each function is one transaction's worth of work, permission first, event last. What of an
//! organisation is personal is only ever in the private part of an event, and so is everything of one that is not public.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store::{self as duties, Capacity};
use crate::kernel::id;
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_organisations::{
    self as rules, CREDIT_CODE_TAKEN, Doing, Entered, Organisation, OrganisationKind, Particulars,
    REGISTRATIONS_OPEN_MAX, Size, TOO_MANY_REGISTRATIONS,
};
use crate::registry::{store, store_organisations, tidings};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter, Role};
use crate::web::problem::NOT_FOUND;

/// An organisation to register.
#[derive(Clone, Debug)]
pub struct RegisterOrganisation {
    /// What sort it is.
    pub kind: OrganisationKind,
    /// Its particulars.
    pub entered: Entered,
}

/// Other particulars for an organisation; what is `None` stays as it is, and `Some(None)` takes it away.
#[derive(Clone, Debug)]
pub struct ChangeOrganisation {
    /// Which one.
    pub id: OrganisationId,
    /// Which version of it.
    pub expected: Expected,
    /// Chinese name.
    pub name_zh: Option<String>,
    /// English name.
    pub name_en: Option<String>,
    /// Unified social credit code.
    pub credit_code: Option<Option<String>>,
    /// Where it is at home.
    pub area_id: Option<Option<AreaId>>,
    /// Legal representative or leader.
    pub legal_representative: Option<Option<String>>,
    /// Whom to talk to.
    pub contact_name: Option<Option<String>>,
    /// Their telephone number.
    pub phone: Option<Option<String>>,
    /// Their mail address.
    pub mail: Option<Option<String>>,
    /// Registered address.
    pub address: Option<Option<String>>,
    /// Members of a residents' group.
    pub member_count: Option<Option<i64>>,
    /// What a company declares of its size.
    pub size: Option<Size>,
}

/// A decision about an organisation and what it rests on.
#[derive(Clone, Debug)]
pub struct DecideOrganisation {
    /// Which one.
    pub id: OrganisationId,
    /// Which version of it.
    pub expected: Expected,
    /// Evidence or reason.
    pub grounds: String,
}

/// What of an organisation the policy looks at. Whoever registered it counts as long as it is not public: from then on its own
/// people do, and whoever leaves it has no part in it any more.
pub fn matter(organisation: &Organisation) -> Matter<'_> {
    Matter {
        organisation: Some(&organisation.id),
        caused_by: organisation
            .registered_by
            .as_deref()
            .filter(|_| organisation.public_at.is_none()),
        ..Matter::default()
    }
}

/// The organisation of that id as far as the actor may know of it.
///
/// # Errors
/// Not found if there is none, or if it is not public and not the actor's business.
pub fn known(conn: &mut Conn, actor: &Actor, id: &OrganisationId) -> Answer<Organisation> {
    let found = store_organisations::organisation(conn, id)?;
    let visible = found.filter(|organisation| {
        organisation.public_at.is_some()
            || policy::allows(actor, Action::OpenOrganisation, matter(organisation))
    });
    Ok(visible.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// In which capacity an actor does something: decides for whom a deputy acts.
pub fn capacity<'a>(actor: &'a Actor, action: Action, matter: Matter<'_>) -> Capacity<'a> {
    let grant = policy::grant_for(actor, action, matter);
    Capacity {
        role: grant.map_or(Role::Public, |grant| grant.role),
        organisation: grant.and_then(|grant| grant.organisation.as_ref()),
    }
}

/// Registers a supplier, or enters a public body.
///
/// # Errors
/// Permission; [`TOO_MANY_REGISTRATIONS`]; those of the rules; a credit code that is taken.
pub fn register(tx: &mut Tx<'_>, actor: &Actor, command: &RegisterOrganisation) -> Answer<Organisation> {
    let action = if command.kind.is_public_body() {
        Action::EnterOrganisation
    } else {
        Action::RegisterOrganisation
    };
    policy::allow(actor, action, Matter::default())?;
    let by = account(actor)?;
    // Whoever enters public bodies enters a ward's known suppliers too; the bound is for strangers.
    if !command.kind.is_public_body()
        && !policy::allows(actor, Action::EnterOrganisation, Matter::default())
        && store_organisations::open_registrations(tx.conn(), by)? >= REGISTRATIONS_OPEN_MAX
    {
        return Err(TOO_MANY_REGISTRATIONS.refuse().into());
    }
    let doing = Doing { by, at: tx.now() };
    let particulars = rules::particulars(command.kind, &command.entered, doing)?;
    let organisation = rules::register(OrganisationId::mint(tx.now()), command.kind, particulars, doing);
    refuse_misplaced(tx, &organisation)?;
    refuse_taken(tx, &organisation)?;
    duties::undertake(
        tx,
        actor,
        capacity(actor, action, Matter::default()),
        Duty::Register,
        organisation.id.as_str(),
    )?;
    store_organisations::insert(tx, &organisation)?;
    audit::store::append(tx, actor, &event("organisation.registered", &organisation))?;
    Ok(organisation)
}

/// Gives an organisation other particulars. The same as before change nothing and record nothing, unless they were refused.
///
/// # Errors
/// Permission; not found; a stale version; those of the rules; a credit code that is taken.
pub fn change(tx: &mut Tx<'_>, actor: &Actor, command: &ChangeOrganisation) -> Answer<Organisation> {
    let before = expected(
        tx,
        actor,
        Action::ChangeOrganisation,
        &command.id,
        command.expected,
    )?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let entered = entered(&before.current.particulars, command);
    let particulars = rules::particulars(before.kind, &entered, doing)?;
    let due = rules::needs_verification(&before, &particulars);
    let Some(changed) = rules::change(before.clone(), particulars, doing)? else {
        tx.nothing_to_change();
        return Ok(before);
    };
    if changed.current.particulars.area_id != before.current.particulars.area_id {
        refuse_misplaced(tx, &changed)?;
    }
    refuse_taken(tx, &changed)?;
    if due {
        let capacity = capacity(actor, Action::ChangeOrganisation, matter(&before));
        duties::undertake(tx, actor, capacity, Duty::Register, changed.id.as_str())?;
    }
    store_organisations::update(tx, &changed)?;
    audit::store::append(tx, actor, &event("organisation.changed", &changed))?;
    Ok(changed)
}

/// Finds an organisation's particulars true. Whoever registered a supplier becomes its administrator.
///
/// # Errors
/// Permission; not found; a stale version; separation of duties; a wrong state; a credit code that is taken.
pub fn verify(tx: &mut Tx<'_>, actor: &Actor, command: &DecideOrganisation) -> Answer<Organisation> {
    let before = expected(
        tx,
        actor,
        Action::VerifyOrganisation,
        &command.id,
        command.expected,
    )?;
    let by = account(actor)?.to_owned();
    let doing = Doing {
        by: &by,
        at: tx.now(),
    };
    let first = before.public_at.is_none();
    let verified = rules::verify(before, &command.grounds, doing)?;
    refuse_taken(tx, &verified)?;
    let capacity = capacity(actor, Action::VerifyOrganisation, Matter::default());
    duties::undertake(tx, actor, capacity, Duty::Verify, verified.id.as_str())?;
    store_organisations::update(tx, &verified)?;
    audit::store::append(tx, actor, &event("organisation.verified", &verified))?;
    if let Some(registrant) = verified.registered_by.as_deref().filter(|_| first) {
        let id = id::mint("grant", tx.now());
        if store_organisations::grant_administration(tx, &id, registrant, &verified.id, &by)? {
            let granted = Event {
                kind: "role.given",
                subject: id,
                data: json!({ "role": Role::OrganisationAdmin, "organisation_id": verified.id, "area_id": null }),
                private: json!({ "account_id": registrant }),
            };
            audit::store::append(tx, actor, &granted)?;
        }
    }
    tidings::verified(tx, &verified)?;
    Ok(verified)
}

/// Finds an organisation's particulars not borne out.
///
/// # Errors
/// Permission; not found; a stale version; separation of duties; a wrong state.
pub fn refuse(tx: &mut Tx<'_>, actor: &Actor, command: &DecideOrganisation) -> Answer<Organisation> {
    let before = expected(
        tx,
        actor,
        Action::VerifyOrganisation,
        &command.id,
        command.expected,
    )?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let refused = rules::refuse(before, &command.grounds, doing)?;
    let capacity = capacity(actor, Action::VerifyOrganisation, Matter::default());
    duties::undertake(tx, actor, capacity, Duty::Verify, refused.id.as_str())?;
    store_organisations::update(tx, &refused)?;
    audit::store::append(tx, actor, &event("organisation.refused", &refused))?;
    tidings::refused(tx, &refused)?;
    Ok(refused)
}

/// Closes an organisation.
///
/// # Errors
/// Permission; not found; a stale version; a wrong state.
pub fn close(tx: &mut Tx<'_>, actor: &Actor, command: &DecideOrganisation) -> Answer<Organisation> {
    let before = expected(
        tx,
        actor,
        Action::CloseOrganisation,
        &command.id,
        command.expected,
    )?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let closed = rules::close(before, &command.grounds, doing)?;
    store_organisations::update(tx, &closed)?;
    audit::store::append(tx, actor, &event("organisation.closed", &closed))?;
    Ok(closed)
}

/// The organisation that the actor may do this with, in the version meant.
fn expected(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: Action,
    id: &OrganisationId,
    version: Expected,
) -> Answer<Organisation> {
    policy::allow_at_all(actor, action)?;
    let organisation = known(tx.conn(), actor, id)?;
    policy::allow(actor, action, matter(&organisation))?;
    version.check(organisation.current.version)?;
    Ok(organisation)
}

/// The account that acts; the policy has asked for one.
pub fn account(actor: &Actor) -> Answer<&str> {
    let id = actor.id();
    Ok(id.ok_or_else(|| Fault::broken("an organisation is changed by somebody"))?)
}

fn entered(known: &Particulars, command: &ChangeOrganisation) -> Entered {
    fn or<T: Clone>(given: Option<&Option<T>>, known: Option<T>) -> Option<T> {
        given.cloned().unwrap_or(known)
    }
    let before = Entered::from(known);
    Entered {
        name_zh: command.name_zh.clone().unwrap_or(before.name_zh),
        name_en: command.name_en.clone().unwrap_or(before.name_en),
        credit_code: or(command.credit_code.as_ref(), before.credit_code),
        area_id: or(command.area_id.as_ref(), before.area_id),
        legal_representative: or(command.legal_representative.as_ref(), before.legal_representative),
        contact_name: or(command.contact_name.as_ref(), before.contact_name),
        phone: or(command.phone.as_ref(), before.phone),
        mail: or(command.mail.as_ref(), before.mail),
        address: or(command.address.as_ref(), before.address),
        member_count: or(command.member_count.as_ref(), before.member_count),
        size: command.size.clone().unwrap_or(before.size),
    }
}

fn refuse_misplaced(tx: &mut Tx<'_>, organisation: &Organisation) -> Answer<()> {
    let Some(id) = &organisation.current.particulars.area_id else {
        return Ok(());
    };
    let area = store::area(tx.conn(), id)?;
    rules::at_home(organisation.kind, area.map(|area| area.level))?;
    Ok(())
}

/// A credit code is held back for public organisations only, so that nobody can keep another from registering with theirs.
fn refuse_taken(tx: &mut Tx<'_>, organisation: &Organisation) -> Answer<()> {
    let code = organisation.current.particulars.credit_code.as_ref();
    let Some(code) = code.filter(|_| organisation.public_at.is_some()) else {
        return Ok(());
    };
    if store_organisations::credit_code_taken(tx.conn(), code, &organisation.id)? {
        return Err(CREDIT_CODE_TAKEN.refuse().at("/credit_code").into());
    }
    Ok(())
}

fn event(kind: &'static str, organisation: &Organisation) -> Event {
    let current = &organisation.current;
    let public = json!({
        "name_zh": current.particulars.name_zh,
        "name_en": current.particulars.name_en,
        "credit_code": current.particulars.credit_code.as_ref().map(ToString::to_string),
        "area_id": current.particulars.area_id,
        "size_class": rules::size_class(organisation.kind, &current.particulars),
    });
    let mut data = json!({
        "kind": organisation.kind,
        "version": current.version,
        "state": current.state,
    });
    let mut private = personal(organisation);
    // What registered itself is nobody's business before it is verified.
    let target = if organisation.public_at.is_some() {
        &mut data
    } else {
        &mut private
    };
    if let (Value::Object(target), Value::Object(public)) = (target, public) {
        target.extend(public);
    }
    Event {
        kind,
        subject: organisation.id.to_string(),
        data,
        private,
    }
}

fn personal(organisation: &Organisation) -> Value {
    let current = &organisation.current;
    let particulars = &current.particulars;
    let fen = |amount: Option<Money>| amount.map(Money::fen);
    json!({
        "legal_representative": particulars.legal_representative,
        "contact_name": particulars.contact_name,
        "phone": particulars.phone,
        "mail": particulars.mail,
        "address": particulars.address,
        "member_count": particulars.member_count,
        "size": particulars.size.as_ref().map(|size| json!({
            "industry": size.facts.industry,
            "employees": size.facts.employees,
            "revenue_fen": fen(size.facts.revenue),
            "assets_fen": fen(size.facts.assets),
            "derived": size.derived,
        })),
        "evidence": current.verification.as_ref().map(|verification| &verification.evidence),
        "note": current.note,
    })
}
