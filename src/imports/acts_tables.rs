//! A ward's running data from tables: each row goes through the same act as it would alone, all of them in one transaction, or none. A trial does all of it and
//! then undoes it, so that what it says is what would be.

use std::collections::{BTreeMap, BTreeSet};

use crate::budget::rules::NewLine;
use crate::budget::rules_imported::SUM_TOO_LARGE;
use crate::budget::store::FundFilter;
use crate::budget::{acts as budget, store as budget_store};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::imports::acts::{self, Batch, NewImport};
use crate::imports::rules::{Counts, Import, Kind, State};
use crate::imports::rules_findings::Code;
use crate::imports::rules_repairs::Findings;
use crate::imports::rules_tables::{Faults, Row, Sort, release, running};
use crate::imports::runs;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::kernel::text::Text;
use crate::registry::acts_organisations::{self as organisations, RegisterOrganisation};
use crate::registry::rules_organisations::{
    CREDIT_CODE_TAKEN, Entered, Organisation, OrganisationKind, Size,
};
use crate::registry::store_organisations::{Audience, OrganisationFilter, Sort as Order};
use crate::registry::{store as registry, store_organisations};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};

/// A table to read in.
#[derive(Clone, Debug)]
pub struct Table {
    /// What it is of.
    pub sort: Sort,
    /// Its rows.
    pub rows: Vec<Row>,
    /// The file that it was.
    pub file: NewImport,
    /// Whether nothing is to be done.
    pub is_trial: bool,
}

/// What came of a table, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// Ids of what was made, in the order of the rows.
    pub made: Vec<String>,
    /// The import that it is kept as, if it is one of contracts.
    pub import: Option<Import>,
    /// What of that is new.
    pub counts: Counts,
    /// Whether the same table was read in before.
    pub is_known: bool,
}

/// Reads a table in.
///
/// # Errors
/// Permission; [`crate::web::problem::INVALID`] with every fault of every row.
pub fn read_in(tx: &mut Tx<'_>, actor: &Actor, table: &Table) -> Answer<Came> {
    policy::allow_at_all(actor, Action::ImportTables)?;
    let came = match table.sort {
        Sort::Organisations => registered(tx, actor, &table.rows)?,
        Sort::BudgetLines => lines(tx, actor, &table.rows)?,
        Sort::Contracts => contracts(tx, actor, table)?,
    };
    if table.is_trial {
        tx.nothing_to_change();
    }
    Ok(came)
}

/// What an act makes of one row: its fault is one of the table's.
fn each<T>(row: usize, done: Answer<T>, faults: &mut Faults) -> Answer<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(Stop::Refused(refusal)) => {
            faults.take(row, *refusal);
            Ok(None)
        }
        Err(fault @ Stop::Fault(_)) => Err(fault),
    }
}

/// The areas that a column names, by their codes; a code that none has is a fault.
fn areas(conn: &mut Conn, rows: &[Row], faults: &mut Faults) -> Answer<BTreeMap<String, AreaId>> {
    let codes: BTreeSet<&str> = rows
        .iter()
        .map(|row| row.cell("area_code"))
        .filter(|code| !code.is_empty())
        .collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    let mut known = BTreeMap::new();
    for area in registry::areas_of_codes(conn, &codes)? {
        if let Some(code) = area.designation.code {
            known.insert(code, area.id);
        }
    }
    for (at, row) in rows.iter().enumerate() {
        let code = row.cell("area_code");
        if !code.is_empty() && !known.contains_key(code) {
            let detail = Text::fixed("没有这个代码的区域", "there is no area of this code");
            faults.add(at, "area_code", "area_unknown", detail);
        }
    }
    Ok(known)
}

fn registered(tx: &mut Tx<'_>, actor: &Actor, rows: &[Row]) -> Answer<Came> {
    let mut faults = Faults::default();
    let areas = areas(tx.conn(), rows, &mut faults)?;
    let mut made = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let kind = OrganisationKind::ALL
            .into_iter()
            .find(|kind| kind.name() == row.cell("kind"));
        let members = row.some("member_count").map(|count| count.parse::<i64>());
        if kind.is_none() {
            let names: Vec<&str> = OrganisationKind::ALL.iter().map(|kind| kind.name()).collect();
            let names = names.join(", ");
            faults.add(
                at,
                "kind",
                "not_one_of",
                crate::text!("应为 {names} 之一", "must be one of {names}"),
            );
        }
        if let Some(Err(_)) = members {
            faults.add(
                at,
                "member_count",
                "not_valid",
                Text::fixed("应为整数", "must be a whole number"),
            );
        }
        let (Some(kind), None | Some(Ok(_))) = (kind, &members) else {
            continue;
        };
        refuse_known(tx.conn(), (at, row), kind.is_public_body(), &mut faults)?;
        let name_zh = row.cell("name_zh").to_owned();
        let command = RegisterOrganisation {
            kind,
            entered: Entered {
                name_en: row.some("name_en").unwrap_or_else(|| name_zh.clone()),
                name_zh,
                credit_code: row.some("credit_code"),
                area_id: areas.get(row.cell("area_code")).cloned(),
                legal_representative: row.some("legal_representative"),
                contact_name: row.some("contact_name"),
                phone: row.some("phone"),
                mail: row.some("mail"),
                address: row.some("address"),
                member_count: members.and_then(Result::ok),
                size: Size::Undeclared,
            },
        };
        let done = organisations::register(tx, actor, &command);
        made.extend(each(at, done, &mut faults)?.map(|one| one.id.to_string()));
    }
    faults.finish()?;
    Ok(Came {
        made,
        ..Came::default()
    })
}

/// Funds by their codes.
fn funds(conn: &mut Conn) -> Answer<BTreeMap<String, crate::budget::rules::FundId>> {
    const AT_ONCE: i64 = 1_000;
    let mut known = BTreeMap::new();
    let mut filter = FundFilter::default();
    loop {
        let some = budget_store::funds(conn, &filter, AT_ONCE)?;
        filter.after = some.last().map(|fund| fund.code.clone());
        let is_last = i64::try_from(some.len()).map_or(true, |count| count < AT_ONCE);
        known.extend(some.into_iter().map(|fund| (fund.code, fund.id)));
        if is_last {
            return Ok(known);
        }
    }
}

/// Organisations with this text in a name, or with this credit code.
fn found(conn: &mut Conn, text: &str) -> Answer<Vec<Organisation>> {
    let filter = OrganisationFilter {
        audience: Audience::Platform,
        kind: None,
        within: None,
        state: None,
        text: Some(text.to_owned()),
        debarred: None,
        sort: Order::Name,
        after: None,
    };
    store_organisations::organisations(conn, &filter, 200)
}

/// Public bodies of a name.
fn bodies(conn: &mut Conn, name: &str) -> Answer<Vec<Organisation>> {
    let mut found = found(conn, name)?;
    found.retain(|one| one.kind.is_public_body() && one.current.particulars.name_zh == name);
    Ok(found)
}

/// The public body of an id, or of a name that only one has.
fn body(conn: &mut Conn, named: &str) -> Answer<Option<OrganisationId>> {
    if let Ok(id) = named.parse::<OrganisationId>() {
        return Ok(Some(id));
    }
    match bodies(conn, named)?.as_slice() {
        [only] => Ok(Some(only.id.clone())),
        _ => Ok(None),
    }
}

/// A row whose organisation is there already, by its credit code or as a public body of its name: the same table twice makes nobody twice.
fn refuse_known(
    conn: &mut Conn,
    (at, row): (usize, &Row),
    is_public: bool,
    faults: &mut Faults,
) -> Answer<()> {
    if let Some(code) = row.some("credit_code") {
        let known = found(conn, &code)?;
        let has_it = |one: &Organisation| {
            let known = one.current.particulars.credit_code.as_ref();
            known.is_some_and(|known| known.as_str() == code)
        };
        if known.iter().any(has_it) {
            faults.add(
                at,
                "credit_code",
                CREDIT_CODE_TAKEN.code,
                CREDIT_CODE_TAKEN.title.clone(),
            );
        }
    } else if is_public && !bodies(conn, row.cell("name_zh"))?.is_empty() {
        let detail = Text::fixed("已有同名的公共机构", "there is a public body of this name");
        faults.add(at, "name_zh", "organisation_known", detail);
    }
    Ok(())
}

fn lines(tx: &mut Tx<'_>, actor: &Actor, rows: &[Row]) -> Answer<Came> {
    let mut faults = Faults::default();
    let funds = funds(tx.conn())?;
    let mut made = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let fund = funds.get(row.cell("fund_code"));
        let organisation = body(tx.conn(), row.cell("organisation"))?;
        let year = row.cell("fiscal_year").parse::<i64>().ok();
        if fund.is_none() {
            faults.add(
                at,
                "fund_code",
                "fund_unknown",
                Text::fixed("没有这个编码的资金", "there is no fund of this code"),
            );
        }
        if organisation.is_none() {
            let detail = Text::fixed(
                "没有这个名称的公共机构，或不止一个",
                "no public body has this name, or more than one",
            );
            faults.add(at, "organisation", "organisation_unknown", detail);
        }
        if year.is_none() {
            faults.add(
                at,
                "fiscal_year",
                "not_valid",
                Text::fixed("应为年份", "must be a year"),
            );
        }
        let (Some(fund), Some(organisation_id), Some(fiscal_year)) = (fund, organisation, year) else {
            continue;
        };
        let purpose_zh = row.cell("purpose_zh").to_owned();
        let new = NewLine {
            fiscal_year,
            code: row.cell("code").to_owned(),
            organisation_id,
            category: row.cell("category").to_owned(),
            purpose_en: row.some("purpose_en").unwrap_or_else(|| purpose_zh.clone()),
            purpose_zh,
        };
        let done = budget::create_line(tx, actor, fund, &new);
        made.extend(each(at, done, &mut faults)?.map(|one| one.id.to_string()));
    }
    faults.finish()?;
    Ok(Came {
        made,
        ..Came::default()
    })
}

fn contracts(tx: &mut Tx<'_>, actor: &Actor, table: &Table) -> Answer<Came> {
    policy::allow(actor, Action::ImportHistory, Matter::default())?;
    let mut faults = Faults::default();
    areas(tx.conn(), &table.rows, &mut faults)?;
    let (mut categories, mut seen) = (BTreeMap::new(), BTreeMap::new());
    let mut batch = Batch::default();
    for (at, row) in table.rows.iter().enumerate() {
        let Some(one) = running(at, row, &mut faults) else {
            continue;
        };
        let is_known = match categories.get(one.category()) {
            Some(is_known) => *is_known,
            None => {
                let is_known = budget_store::category_is_active(tx.conn(), one.category())?;
                categories.insert(one.category().to_owned(), is_known);
                is_known
            }
        };
        if !is_known {
            let detail = crate::budget::rules::CATEGORY_UNKNOWN.title.clone();
            faults.add(at, "category", "service_category_unknown", detail);
        }
        if let Some(line) = seen.insert(one.ocid(), row.line) {
            let detail = crate::text!(
                "与第 {line} 行是同一合同",
                "is the same contract as in line {line}"
            );
            faults.add(at, "number", "repeated", detail);
        }
        runs::release_of(&release(&one), &format!("/{at}"), Findings::default(), &mut batch);
    }
    faults.finish()?;
    let file = NewImport {
        kind: Kind::Contracts,
        ..table.file.clone()
    };
    let (import, is_new) = acts::begin(tx, actor, &file)?;
    if !is_new {
        return Ok(Came {
            import: Some(import),
            is_known: true,
            ..Came::default()
        });
    }
    let loaded = acts::load(tx, actor, &import.id, &batch)?;
    // One fault keeps all of a table out, and this is one.
    if loaded
        .findings
        .iter()
        .any(|finding| finding.code == Code::SumTooLarge)
    {
        return Err(SUM_TOO_LARGE.refuse().into());
    }
    let import = acts::end(tx, actor, &import.id, State::Done)?;
    if import.counts.releases != i64::try_from(table.rows.len()).unwrap_or(i64::MAX) {
        return Err(Fault::broken("a row of a table of contracts was lost").into());
    }
    Ok(Came {
        import: Some(import),
        counts: loaded.counts,
        ..Came::default()
    })
}
