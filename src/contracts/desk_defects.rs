//! What the acts and queries about defects look up: a contract with what its standard demands, who is looking, and who may see photos.

use crate::contracts::desk::{Signed, signed};
use crate::contracts::rules::{Contract, ContractId};
use crate::contracts::rules_defect_reports::{DefectReport, DefectReportId, Reader, Reporter, shows};
use crate::contracts::rules_defects::{Category, Defect, DefectId, State};
use crate::contracts::rules_defects_clock::{Calls, Demand, categories, categories_to_report, demand};
use crate::contracts::rules_places::{PlaceRef, ServedPlace};
use crate::contracts::{store, store_defect_reports, store_defects, store_places};
use crate::db::conn::Conn;
use crate::files::access::Access;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::kernel::score::Score;
use crate::standards::rules as standards;
use crate::standards::rules_documents::{ContentDocument, GradeDocument};
use crate::standards::rules_indicators::Indicator;
use crate::standards::store_versions;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter, Role};
use crate::web::problem::NOT_FOUND;

/// A signed contract, and what it is measured by.
pub struct Known {
    /// The contract.
    pub signed: Signed,
    /// The indicators that hold: those of the fixed version of the standard, and in their place or besides those of the lot.
    pub indicators: Vec<Indicator>,
    /// The grades of places that the standard knows.
    pub grades: Vec<GradeDocument>,
}

impl Known {
    /// What can be wrong at its places.
    pub fn categories(&self) -> Vec<Category> {
        categories(&self.indicators)
    }

    /// The same in the order in which somebody who passes by looks for it.
    pub fn categories_to_report(&self) -> Vec<Category> {
        categories_to_report(&self.indicators)
    }

    /// What is demanded of a category at a place.
    pub fn demand(&self, category: &str, place: &ServedPlace) -> Demand {
        demand(&self.indicators, category, place.grade.as_deref())
    }
}

/// Looks a signed contract up with its standard.
///
/// # Errors
/// Not found; a fault of the database, or of a standard that is none.
pub fn known(conn: &mut Conn, id: &ContractId) -> Answer<Known> {
    let signed = signed(conn, id)?;
    let lot = &signed.document.lot;
    let version = match &lot.standard_version_id {
        Some(version) => store_versions::version_of_id(conn, version)?,
        None => None,
    };
    let content = version.map(|version| version.content).unwrap_or_default();
    let grades = content.document().grades;
    let own = ContentDocument {
        grades: grades.clone(),
        indicators: lot.indicators.clone(),
        ..ContentDocument::default()
    };
    let own = standards::content(&own)
        .map_err(|refusal| Fault::caused(format!("the indicators of {id}"), Stop::from(refusal)))?;
    let is_replaced = |indicator: &Indicator| own.indicator(&indicator.code).is_some();
    let mut indicators: Vec<Indicator> = content
        .indicators
        .into_iter()
        .filter(|indicator| !is_replaced(indicator))
        .collect();
    indicators.extend(own.indicators.iter().cloned());
    Ok(Known {
        signed,
        indicators,
        grades,
    })
}

/// The place with a code that is meant, with its contract.
///
/// # Errors
/// Not found.
pub fn place(conn: &mut Conn, meant: &PlaceRef) -> Answer<(ServedPlace, Known)> {
    let place = store_places::in_use(conn, meant)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let known = known(conn, &place.contract_id)?;
    Ok((place, known))
}

/// Who somebody is to a contract.
pub fn reader(actor: &Actor, contract: &Contract) -> Reader {
    let of_buyer = Matter::of_organisation(&contract.buyer_id);
    let of_supplier = Matter::of_organisation(&contract.supplier_id);
    if policy::allows(actor, Action::OpenDefects, of_buyer) {
        Reader::Buyer
    } else if policy::allows(actor, Action::HandleDefects, of_supplier) {
        Reader::Contractor
    } else {
        Reader::Public
    }
}

/// In which capacity somebody reports under a contract.
pub fn reporter(actor: &Actor, contract: &Contract) -> Reporter {
    let of_buyer = Matter::of_organisation(&contract.buyer_id);
    if policy::allows(actor, Action::DecideDefects, of_buyer) {
        Reporter::Officer
    } else if actor.has(Role::Resident) {
        Reporter::Resident
    } else if actor.id().is_some() {
        Reporter::Account
    } else {
        Reporter::Anonymous
    }
}

/// A defect as somebody sees it.
pub struct Seen {
    /// The defect as it is now.
    pub defect: Defect,
    /// The contract.
    pub contract: Contract,
    /// Who is looking.
    pub reader: Reader,
}

/// The contract of a defect.
fn contract_of(conn: &mut Conn, defect: &Defect) -> Answer<Contract> {
    let contract = store::contract(conn, &defect.contract_id)?;
    Ok(contract.ok_or_else(|| Fault::broken(format!("{} is of no contract", defect.id)))?)
}

/// The defect of that id, if the actor may know of it: everybody once the contractor was told, the buyer's people and auditors always, and whoever has
/// reported it.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, actor: &Actor, id: &DefectId, now: Instant) -> Answer<Seen> {
    let defect = store_defects::defect(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let defect = defect.as_of(now);
    let contract = contract_of(conn, &defect)?;
    let reader = reader(actor, &contract);
    let is_known = defect.state.is_public() || reader == Reader::Buyer;
    if !is_known && !has_reported(conn, actor, &defect)? {
        return Err(NOT_FOUND.refuse().into());
    }
    Ok(Seen {
        defect,
        contract,
        reader,
    })
}

fn has_reported(conn: &mut Conn, actor: &Actor, defect: &Defect) -> Answer<bool> {
    let Some(account) = actor.id() else {
        return Ok(false);
    };
    let reports = store_defect_reports::of_defects(conn, &[&defect.id])?;
    let mut accounts = reports.iter().filter_map(|report| report.account_id.as_deref());
    Ok(accounts.any(|author| author == account))
}

/// Whether the words and photos of a report are shown to an actor who looks at its defect so.
pub fn is_shown(report: &DefectReport, actor: &Actor, reader: Reader, state: State) -> bool {
    let is_author = actor.id().is_some() && actor.id() == report.account_id.as_deref();
    let reader = if is_author { Reader::Author } else { reader };
    shows(report.visibility, reader, state.is_public())
}

/// Photos of reports are for whoever may read the report.
pub struct DefectReportAccess;

impl Access for DefectReportAccess {
    fn matter_kind(&self) -> &'static str {
        DefectReportId::PREFIX
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let Ok(id) = matter_id.parse::<DefectReportId>() else {
            return Ok(false);
        };
        let Some(report) = store_defect_reports::report(conn, &id)? else {
            return Ok(false);
        };
        let Some(defect) = store_defects::defect(conn, &report.defect_id)? else {
            return Ok(false);
        };
        let contract = contract_of(conn, &defect)?;
        Ok(is_shown(&report, actor, reader(actor, &contract), defect.state))
    }
}

/// How a contract stands in a time.
pub struct Statistics {
    /// How many defects are in which state now, in the order of the states.
    pub states: Vec<(State, i64)>,
    /// What came of the calls that were due in the time.
    pub calls: Calls,
    /// The score of responses; `None` if nothing was due.
    pub response: Option<Score>,
}

/// What came of the calls to a contractor that were due in a time, the end left out: a period's `response` source is [`Calls::response`] of it.
///
/// # Errors
/// A fault of the database.
pub fn calls(
    conn: &mut Conn,
    contract: &ContractId,
    time: (Instant, Instant),
    now: Instant,
) -> Answer<Calls> {
    Ok(Calls::counted(store_defects::calls(conn, contract, time)?, now))
}

/// The statistics of a signed contract.
///
/// # Errors
/// Not found.
pub fn statistics(
    conn: &mut Conn,
    contract: &ContractId,
    time: (Instant, Instant),
    now: Instant,
) -> Answer<Statistics> {
    signed(conn, contract)?;
    let silent = store_defects::silent_count(conn, contract, now)?;
    let stored = store_defects::counts(conn, contract)?;
    let of = |state: State| {
        let mut known = stored.iter().filter(|(known, _)| *known == state);
        let count = known.next().map_or(0, |(_, count)| *count);
        match state {
            State::Fixed => count.saturating_sub(silent),
            State::Confirmed => count.saturating_add(silent),
            _ => count,
        }
    };
    let calls = calls(conn, contract, time, now)?;
    Ok(Statistics {
        states: State::ALL.into_iter().map(|state| (state, of(state))).collect(),
        calls,
        response: calls.response(),
    })
}
