//! Answers a question about spending: groups, their names, what all of them come to, and what was paid for each unit. Reading only.

use std::collections::HashMap;

use crate::budget::rules_spending::Measures;
use crate::db::conn::Conn;
use crate::kernel::refusal::Answer;
use crate::oversight::rules_spending::{
    Dimension, Filters, GROUPS_MAX, Group, Grouping, Measure, Place, QUANTITIES_MAX, Sort, TOO_MANY_GROUPS,
    per_unit, why_absent,
};
use crate::oversight::store_spending as store;
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
}

/// Answers a question.
///
/// # Errors
/// [`TOO_MANY_GROUPS`], if groups have to be sorted, or all are wanted, and are more than [`GROUPS_MAX`]; a fault of the database.
pub fn answer(conn: &mut Conn, asked: &Asked) -> Answer<Answered> {
    let (groups, total, next) = groups(conn, asked)?;
    let dimensions = &asked.grouping.0;
    let wants_units = why_absent(Measure::PaidPerUnit, &asked.grouping, &asked.filters).is_none();
    let has_too_many_contracts =
        wants_units && store::contracts(conn, QUANTITIES_MAX.saturating_add(1))? > QUANTITIES_MAX;
    let (mut units, mut of_all) = (HashMap::new(), None);
    if wants_units && !has_too_many_contracts {
        for row in store::quantities(conn, dimensions, &asked.filters)? {
            units.insert(row.keys(dimensions.len()), row);
        }
        of_all = store::quantities(conn, &[], &asked.filters)?.pop();
    }
    let priced = |measures: &Measures, row: Option<&store::QuantityRow>| {
        let row = row?;
        Some(PerUnit {
            amount: per_unit(measures.paid, row.millionths)?,
            unit_zh: row.unit_zh.clone(),
            unit_en: row.unit_en.clone(),
        })
    };
    let mut told: Vec<Told> = groups
        .into_iter()
        .map(|group| Told {
            per_unit: priced(&group.measures, units.get(&group.keys)),
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
            group: Group {
                keys: Vec::new(),
                measures: total,
            },
            names: Vec::new(),
        },
        has_too_many_contracts,
        next,
    })
}

type Cut = (Vec<Group>, Measures, Option<Place>);

fn groups(conn: &mut Conn, asked: &Asked) -> Answer<Cut> {
    let (filters, sort) = (&asked.filters, &asked.sort);
    let kept = match asked.grouping.0.as_slice() {
        [one] if filters.is_open() => Some(*one),
        _ => None,
    };
    if let (Some(dimension), Some((limit, after)), None, false) =
        (kept, &asked.page, sort.by, sort.is_descending)
    {
        let after = after
            .as_ref()
            .and_then(|(_, keys)| keys.first())
            .map(String::as_str);
        let max = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
        let found = store::from_totals(conn, dimension, filters.source, (after, max))?;
        // Every dimension adds up to the same, and of years there are few.
        let all = store::from_totals(conn, Dimension::FiscalYear, filters.source, (None, i64::MAX))?;
        return Ok(cut(found, sum(&all)?, (sort, *limit)));
    }
    let max = i64::try_from(GROUPS_MAX.saturating_add(1)).unwrap_or(i64::MAX);
    let mut found = match kept {
        Some(dimension) => store::from_totals(conn, dimension, filters.source, (None, max))?,
        None => store::from_facts(conn, &asked.grouping.0, filters, max)?,
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

fn cut(mut found: Vec<Group>, total: Measures, (sort, limit): (&Sort, usize)) -> Cut {
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = if has_more {
        found.last().map(|last| sort.place(last))
    } else {
        None
    };
    (found, total, next)
}

fn sum(groups: &[Group]) -> Answer<Measures> {
    let mut sum = Measures::default();
    for group in groups {
        sum = sum.with(&group.measures)?;
    }
    Ok(sum)
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
        _ => None,
    }
}
