//! Answers a question about spending: groups, their names, what all of them come to, and what was paid for each unit. Reading only.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::budget::rules_imported::Currency;
use crate::budget::rules_spending::Measures;
use crate::db::conn::Conn;
use crate::kernel::refusal::Answer;
use crate::oversight::rules_spending::{
    Dimension, Filters, GROUPS_MAX, Group, Grouping, Measure, Place, QUANTITIES_MAX, Sort, Source,
    TOO_MANY_GROUPS, per_unit, why_absent,
};
use crate::oversight::{store_imported as imported, store_spending as store};
use crate::text;

/// A question.
#[derive(Clone, Debug)]
pub struct Asked {
    /// By what is grouped.
    pub grouping: Grouping,
    /// What narrows it.
    pub filters: Filters,
    /// In which order the groups come.
    pub sort: Sort,
    /// How many groups are wanted, and after which place; all of them if it is left out.
    pub page: Option<(usize, Option<Place>)>,
}

/// What was paid for each unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerUnit {
    /// In ten-thousandths of a yuan.
    pub amount: i64,
    /// The unit in Chinese.
    pub unit_zh: String,
    /// The unit in English.
    pub unit_en: String,
}

/// A group as it is told.
#[derive(Clone, Debug)]
pub struct Told {
    /// The group.
    pub group: Group,
    /// What was paid for each unit, where its contracts have one.
    pub per_unit: Option<PerUnit>,
    /// What its values are called, in both languages, where they have a name.
    pub names: Vec<Option<(String, String)>>,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The groups.
    pub groups: Vec<Told>,
    /// All groups together, also those of other pages.
    pub total: Told,
    /// Whether contracts are too many to add up what they buy.
    pub has_too_many_contracts: bool,
    /// Where the next page begins.
    pub next: Option<Place>,
    /// Other currencies of records, which the answer does not count.
    pub other_currencies: Vec<String>,
}

/// Answers a question.
///
/// # Errors
/// [`TOO_MANY_GROUPS`], if groups have to be sorted, or all are wanted, and are more than [`GROUPS_MAX`]; a fault of the database.
pub fn answer(conn: &mut Conn, asked: &Asked) -> Answer<Answered> {
    let (groups, total, next) = groups(conn, asked)?;
    let (dimensions, filters) = (&asked.grouping.0, &asked.filters);
    let other_currencies = other_currencies(conn, filters)?;
    let wants_units = why_absent(Measure::PaidPerUnit, &asked.grouping, filters).is_none();
    let has_too_many_contracts =
        wants_units && store::contracts(conn, QUANTITIES_MAX.saturating_add(1))? > QUANTITIES_MAX;
    let (mut units, mut of_all) = (HashMap::new(), None);
    if wants_units && !has_too_many_contracts {
        for row in store::quantities(conn, dimensions, filters)? {
            units.insert(row.keys(dimensions.len()), row);
        }
        of_all = store::quantities(conn, &[], filters)?.pop();
    }
    let priced = |group: &Group, row: Option<&store::QuantityRow>| {
        // How much imported contracts buy, nobody has said.
        let row = row.filter(|_| !group.is_imported)?;
        Some(PerUnit {
            amount: per_unit(group.measures.paid, row.millionths)?,
            unit_zh: row.unit_zh.clone(),
            unit_en: row.unit_en.clone(),
        })
    };
    let mut told: Vec<Told> = groups
        .into_iter()
        .map(|group| Told {
            per_unit: priced(&group, units.get(&group.keys)),
            names: Vec::with_capacity(dimensions.len()),
            group,
        })
        .collect();
    for (at, dimension) in (0_usize..).zip(dimensions) {
        name(conn, *dimension, at, &mut told)?;
    }
    Ok(Answered {
        groups: told,
        total: Told {
            per_unit: priced(&total, of_all.as_ref()),
            group: total,
            names: Vec::new(),
        },
        has_too_many_contracts,
        next,
        other_currencies,
    })
}

/// The currencies of records that an answer in one of them does not count.
fn other_currencies(conn: &mut Conn, filters: &Filters) -> Answer<Vec<String>> {
    let mut all: BTreeSet<String> = BTreeSet::new();
    if filters.has_imported() {
        all.extend(imported::currencies(conn)?);
    }
    if filters.source != Source::Imported {
        all.insert(Currency::yuan().as_str().to_owned());
    }
    all.remove(filters.currency.as_str());
    Ok(all.into_iter().collect())
}

type Cut = (Vec<Group>, Group, Option<Place>);

/// The ward's own groups and imported ones, both in one order, as one list of up to `max`.
fn together(own: Vec<Group>, imported: Vec<Group>, (max, is_descending): (i64, bool)) -> Answer<Vec<Group>> {
    let mut all: BTreeMap<Vec<String>, Group> =
        own.into_iter().map(|group| (group.keys.clone(), group)).collect();
    for group in imported {
        let merged = match all.get(&group.keys) {
            Some(known) => Group {
                measures: known.measures.with(&group.measures)?,
                ..group
            },
            None => group,
        };
        all.insert(merged.keys.clone(), merged);
    }
    let mut all: Vec<Group> = all.into_values().collect();
    if is_descending {
        all.reverse();
    }
    all.truncate(usize::try_from(max).unwrap_or(usize::MAX));
    Ok(all)
}

/// Groups of one dimension from what is kept of it.
fn kept_groups(
    conn: &mut Conn,
    dimension: Dimension,
    filters: &Filters,
    part: store::Part<'_>,
) -> Answer<Vec<Group>> {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    if filters.has_own() {
        own = store::from_totals(conn, dimension, part)?;
    }
    if filters.has_imported() {
        others = imported::from_totals(conn, (dimension, &filters.currency), part)?;
    }
    together(own, others, (part.max, part.is_descending))
}

/// Groups from what was recorded.
fn summed_groups(conn: &mut Conn, asked: &Asked, max: i64) -> Answer<Vec<Group>> {
    let (dimensions, filters) = (&asked.grouping.0, &asked.filters);
    let (mut own, mut others) = (Vec::new(), Vec::new());
    if filters.has_own() {
        own = store::from_facts(conn, dimensions, filters, max)?;
    }
    if filters.has_imported() {
        others = imported::from_rows(conn, dimensions, filters, max)?;
    }
    together(own, others, (max, false))
}

fn groups(conn: &mut Conn, asked: &Asked) -> Answer<Cut> {
    let (filters, sort) = (&asked.filters, &asked.sort);
    let kept = match asked.grouping.0.as_slice() {
        [one] if filters.is_open() => Some(*one),
        _ => None,
    };
    let whole = |max| store::Part {
        after: None,
        max,
        is_descending: false,
    };
    if let (Some(dimension), Some((limit, after)), None) = (kept, &asked.page, sort.by) {
        let part = store::Part {
            after: after
                .as_ref()
                .and_then(|(_, keys)| keys.first())
                .map(String::as_str),
            max: i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX),
            is_descending: sort.is_descending,
        };
        let found = kept_groups(conn, dimension, filters, part)?;
        // Every dimension adds up to the same, and of years there are few.
        let all = kept_groups(conn, Dimension::FiscalYear, filters, whole(i64::MAX))?;
        return Ok(cut(found, sum(&all)?, (sort, *limit)));
    }
    let max = i64::try_from(GROUPS_MAX.saturating_add(1)).unwrap_or(i64::MAX);
    let mut found = match kept {
        Some(dimension) => kept_groups(conn, dimension, filters, whole(max))?,
        None => summed_groups(conn, asked, max)?,
    };
    if found.len() > GROUPS_MAX {
        let detail = text!(
            "最多 {GROUPS_MAX} 组；请增加筛选条件（如 fiscal_year、area_id），减少 group_by 的维度，或按键排序分页读取单一维度",
            "at most {GROUPS_MAX} groups: add a filter (fiscal_year or area_id, for instance), group by fewer dimensions, or read a single dimension page by page in the order of its keys"
        );
        return Err(TOO_MANY_GROUPS.because(detail).at("?group_by").into());
    }
    let total = sum(&found)?;
    found.sort_by(|one, other| sort.order(&sort.place(one), &sort.place(other)));
    let Some((limit, after)) = &asked.page else {
        return Ok((found, total, None));
    };
    if let Some(after) = after {
        found.retain(|one| sort.order(&sort.place(one), after).is_gt());
    }
    Ok(cut(found, total, (sort, *limit)))
}

fn cut(mut found: Vec<Group>, total: Group, (sort, limit): (&Sort, usize)) -> Cut {
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = if has_more {
        found.last().map(|last| sort.place(last))
    } else {
        None
    };
    (found, total, next)
}

/// All groups as one without keys.
fn sum(groups: &[Group]) -> Answer<Group> {
    let mut measures = Measures::default();
    for group in groups {
        measures = measures.with(&group.measures)?;
    }
    Ok(Group {
        keys: Vec::new(),
        measures,
        is_imported: groups.iter().any(|group| group.is_imported),
    })
}

/// Says what the values of one dimension are called.
fn name(conn: &mut Conn, dimension: Dimension, at: usize, told: &mut [Told]) -> Answer<()> {
    let mut values: Vec<&str> = told
        .iter()
        .filter_map(|one| one.group.keys.get(at).map(String::as_str))
        .filter(|value| !value.is_empty())
        .collect();
    values.sort_unstable();
    values.dedup();
    let mut names = HashMap::new();
    for row in store::names(conn, dimension, &values)? {
        names.insert(row.id, row.name_zh.zip(row.name_en));
    }
    if matches!(dimension, Dimension::Buyer | Dimension::Supplier) {
        let others: Vec<&str> = values.into_iter().filter(|id| !names.contains_key(*id)).collect();
        for row in imported::names(conn, &others)? {
            names.insert(row.id, row.name_zh.zip(row.name_en));
        }
    }
    for one in told {
        let value = one.group.keys.get(at).map_or("", String::as_str);
        let name = match dimension {
            Dimension::SupplierKind => kind(value),
            Dimension::Method => method(value),
            _ => names.get(value).cloned().flatten(),
        };
        one.names.push(name);
    }
    Ok(())
}

fn both(zh: &str, en: &str) -> Option<(String, String)> {
    Some((zh.to_owned(), en.to_owned()))
}

fn kind(value: &str) -> Option<(String, String)> {
    match value {
        "department" => both("部门", "Department"),
        "street_office" => both("街道办事处", "Street office"),
        "community" => both("居民委员会", "Residents' committee"),
        "company" => both("公司", "Company"),
        "social_organisation" => both("社会组织", "Social organisation"),
        "residents_group" => both("居民小组", "Residents' group"),
        "audit_office" => both("审计机关", "Audit office"),
        "finance_bureau" => both("财政局", "Finance bureau"),
        _ => None,
    }
}

fn method(value: &str) -> Option<(String, String)> {
    match value {
        "comprehensive_scoring" => both("综合评分法", "Comprehensive scoring"),
        "lowest_evaluated_price" => both("最低评标价法", "Lowest evaluated price"),
        "quality_and_cost_based" => both("质量与费用综合评审", "Quality and cost based"),
        "appraisal" => both("群众评议", "Residents' appraisal"),
        "open" => both("公开（导入）", "Open (imported)"),
        "selective" => both("邀请（导入）", "Selective (imported)"),
        "limited" => both("限制（导入）", "Limited (imported)"),
        "direct" => both("直接（导入）", "Direct (imported)"),
        _ => None,
    }
}
