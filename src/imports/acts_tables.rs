//! A ward's running data from tables: each row goes through the same act as it would alone, all of them in one transaction, or none. A trial does all of it and
//! then undoes it, so that what it says is what would be.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike as _;

use crate::budget::rules::{self as budget_rules, BudgetLineId, FundId, NewLine};
use crate::budget::rules_imported::SUM_TOO_LARGE;
use crate::budget::store::FundFilter;
use crate::budget::{acts as budget, store as budget_store};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::imports::acts::{self, Batch, NewImport};
use crate::imports::rules::{Counts, Import, Kind, State};
use crate::imports::rules_findings::Code;
use crate::imports::rules_repairs::Findings;
use crate::imports::rules_tables::{Faults, Row, Sort, filled, release, running};
use crate::imports::{runs, store_processes};
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::kernel::text::Text;
use crate::registry::acts_organisations::{self as organisations, RegisterOrganisation};
use crate::registry::rules_organisations::{
    CREDIT_CODE_TAKEN, Entered, Organisation, OrganisationKind, Size,
};
use crate::registry::store_organisations::{Audience, OrganisationFilter, Sort as Order};
use crate::registry::{store as registry, store_named, store_organisations};
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
    let mut faults = filled(rows, Sort::Organisations);
    let areas = areas(tx.conn(), rows, &mut faults)?;
    let mut made = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let named = row.cell("kind");
        let kind = OrganisationKind::ALL
            .into_iter()
            .find(|kind| kind.name() == named);
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
        let is_public = kind.is_some_and(OrganisationKind::is_public_body);
        refuse_known(tx.conn(), (at, row), is_public, &mut faults)?;
        // Of a kind that is none, what every organisation has is judged all the same: nothing that this makes stays, because of the fault.
        let command = RegisterOrganisation {
            kind: kind.unwrap_or(OrganisationKind::Department),
            entered: entered(
                row,
                &areas,
                members.and_then(Result::ok).filter(|_| kind.is_some()),
            ),
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

/// What stands in an English column; else what stands in the Chinese one. Of an empty Chinese one, which is a fault of its own, nothing is told twice.
fn other_or(row: &Row, column: &str, zh: &str) -> String {
    let zh = if zh.is_empty() { "…" } else { zh };
    row.some(column).unwrap_or_else(|| zh.to_owned())
}

/// An organisation as its row says.
fn entered(row: &Row, areas: &BTreeMap<String, AreaId>, member_count: Option<i64>) -> Entered {
    let name_zh = row.cell("name_zh").to_owned();
    Entered {
        name_en: other_or(row, "name_en", &name_zh),
        name_zh,
        credit_code: row.some("credit_code"),
        area_id: areas.get(row.cell("area_code")).cloned(),
        legal_representative: row.some("legal_representative"),
        contact_name: row.some("contact_name"),
        phone: row.some("phone"),
        mail: row.some("mail"),
        address: row.some("address"),
        member_count,
        size: Size::Undeclared,
    }
}

/// Funds by their codes.
fn funds(conn: &mut Conn) -> Answer<BTreeMap<String, FundId>> {
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

/// The public body of an id, or of a name that only one has.
fn body(conn: &mut Conn, named: &str) -> Answer<Option<OrganisationId>> {
    if let Ok(id) = named.parse::<OrganisationId>() {
        return Ok(Some(id));
    }
    match store_named::of_name(conn, named, true)?.as_slice() {
        [only] => Ok(Some(only.clone())),
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
    } else if is_public && !store_named::of_name(conn, row.cell("name_zh"), true)?.is_empty() {
        let detail = Text::fixed("已有同名的公共机构", "there is a public body of this name");
        faults.add(at, "name_zh", "organisation_known", detail);
    }
    Ok(())
}

/// What no public body is called.
fn nobody(at: usize, column: &'static str, faults: &mut Faults) {
    let detail = Text::fixed(
        "没有这个名称的公共机构，或不止一个",
        "no public body has this name, or more than one",
    );
    faults.add(at, column, "organisation_unknown", detail);
}

/// The categories of rows that there are; each other one is a fault of its row.
fn categories(conn: &mut Conn, rows: &[Row], faults: &mut Faults) -> Answer<()> {
    let mut known: BTreeMap<&str, bool> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let category = row.cell("category");
        let is_known = match known.get(category) {
            Some(is_known) => *is_known,
            None => budget_store::category_is_active(conn, category)?,
        };
        known.insert(category, is_known);
        if !is_known {
            let detail = budget_rules::CATEGORY_UNKNOWN.title.clone();
            faults.add(at, "category", budget_rules::CATEGORY_UNKNOWN.code, detail);
        }
    }
    Ok(())
}

fn lines(tx: &mut Tx<'_>, actor: &Actor, rows: &[Row]) -> Answer<Came> {
    let mut faults = filled(rows, Sort::BudgetLines);
    let funds = funds(tx.conn())?;
    categories(tx.conn(), rows, &mut faults)?;
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
            nobody(at, "organisation", &mut faults);
        }
        if year.is_none() {
            faults.add(
                at,
                "fiscal_year",
                "not_valid",
                Text::fixed("应为年份", "must be a year"),
            );
        }
        let is_whole = !faults.has(at);
        let (of, now) = (BudgetLineId::mint(tx.now()), tx.now());
        let purpose_zh = row.cell("purpose_zh").to_owned();
        let new = NewLine {
            fiscal_year: year.unwrap_or_else(|| i64::from(tx.today().year())),
            code: row.cell("code").to_owned(),
            organisation_id: organisation.unwrap_or_else(|| OrganisationId::mint(now)),
            category: row.cell("category").to_owned(),
            purpose_en: other_or(row, "purpose_en", &purpose_zh),
            purpose_zh,
        };
        match fund.filter(|_| is_whole) {
            Some(fund) => {
                let done = budget::create_line(tx, actor, fund, &new);
                made.extend(each(at, done, &mut faults)?.map(|one| one.id.to_string()));
            }
            // What cannot be made is judged by itself.
            None => {
                let fund = fund.cloned().unwrap_or_else(|| FundId::mint(now));
                if let Err(refusal) = budget_rules::line(of, fund, &new, now) {
                    faults.take(at, refusal);
                }
            }
        }
    }
    faults.finish()?;
    Ok(Came {
        made,
        ..Came::default()
    })
}

fn contracts(tx: &mut Tx<'_>, actor: &Actor, table: &Table) -> Answer<Came> {
    policy::allow(actor, Action::ImportHistory, Matter::default())?;
    let mut faults = filled(&table.rows, Sort::Contracts);
    areas(tx.conn(), &table.rows, &mut faults)?;
    categories(tx.conn(), &table.rows, &mut faults)?;
    let today = tx.today();
    let (mut bodies, mut seen) = (BTreeMap::new(), BTreeMap::new());
    let mut batch = Batch::default();
    for (at, row) in table.rows.iter().enumerate() {
        let (buyer, number) = (row.cell("buyer"), row.cell("number"));
        let is_body = match bodies.get(buyer) {
            Some(is_body) => *is_body,
            None => store_named::of_name(tx.conn(), buyer, true)?.len() == 1,
        };
        bodies.insert(buyer, is_body);
        if !is_body {
            nobody(at, "buyer", &mut faults);
        }
        if let Some(line) = seen.insert((buyer, number), row.line) {
            let detail = crate::text!(
                "与第 {line} 行是同一合同",
                "is the same contract as in line {line}"
            );
            faults.add(at, "number", "repeated", detail);
        }
        let Some(one) = running(at, row, today, &mut faults) else {
            continue;
        };
        let holder = store_processes::head(tx.conn(), &one.plain_ocid())?;
        let ocid = one.ocid(holder.and_then(|holder| holder.buyer_name).as_deref());
        runs::release_of(
            &release(&one, &ocid),
            &format!("/{at}"),
            Findings::default(),
            &mut batch,
        );
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
