//! The rules of funds and budget lines: where money comes from, and who may spend how much of it on what. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::text;

crate::ids! {
    /// A fund.
    FundId "fund"
    /// A budget line.
    BudgetLineId "budgetline"
}

/// Characters of a code.
pub const CODE_LENGTH: std::ops::RangeInclusive<usize> = 2..=20;
/// Characters of a fund's name.
pub const NAME_LENGTH_MAX: usize = 100;
/// Characters of what a fund or line is for or stands on.
pub const PURPOSE_LENGTH_MAX: usize = 200;
/// Characters of a reason.
pub const REASON_LENGTH_MAX: usize = 500;
/// Fiscal years that are kept books of. A fiscal year is a calendar year (预算法 art 18).
pub const YEARS: std::ops::RangeInclusive<i64> = 2000..=2199;

/// There is another fund, or line of that fund and year, of that code.
pub static CODE_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "budget_code_taken",
    "该编码已被使用",
    "The code is taken",
);
/// The fund is closed.
pub static FUND_CLOSED: Reason = Reason::new(
    Kind::Conflict,
    "fund_closed",
    "该专项已关闭",
    "The fund is closed",
);
/// The line is closed.
pub static LINE_CLOSED: Reason = Reason::new(
    Kind::Conflict,
    "budget_line_closed",
    "该预算项已关闭",
    "The budget line is closed",
);
/// There is still money in it.
pub static NOT_EMPTY: Reason = Reason::new(
    Kind::Conflict,
    "budget_not_empty",
    "尚有余额，不能关闭",
    "There is still money in it, so it cannot be closed",
);
/// No such service category, or it is not used any more.
pub static CATEGORY_UNKNOWN: Reason = Reason::new(
    Kind::Invalid,
    "service_category_unknown",
    "没有该服务类别，或已停用",
    "There is no such service category, or it is not used any more",
);
/// Only public bodies have money of the ward.
pub static NO_PUBLIC_BODY: Reason = Reason::new(
    Kind::Invalid,
    "budget_no_public_body",
    "只有部门、街道办事处、社区等公共机构可以持有预算",
    "Only public bodies keep funds or have budget lines",
);

/// There is no such budget line.
pub static LINE_UNKNOWN: Reason = Reason::new(
    Kind::Invalid,
    "budget_line_unknown",
    "没有该预算项",
    "There is no such budget line",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 7] = [
    &LINE_UNKNOWN,
    &CODE_TAKEN,
    &FUND_CLOSED,
    &LINE_CLOSED,
    &NOT_EMPTY,
    &CATEGORY_UNKNOWN,
    &NO_PUBLIC_BODY,
];

/// What sort of fund it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FundKind {
    /// 年度预算: the budget of a body for a year.
    AnnualBudget,
    /// 专项基金: money for one thing.
    SpecialFund,
}

impl FundKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AnnualBudget, Self::SpecialFund];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnnualBudget => "annual_budget",
            Self::SpecialFund => "special_fund",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Whether a fund or line is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BudgetState)]
pub enum State {
    /// In use.
    Open,
    /// Nothing moves in it any more.
    Closed,
}

impl State {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Open, Self::Closed];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A fund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fund {
    /// Its id.
    pub id: FundId,
    /// Its code, which never changes.
    pub code: String,
    /// What sort of fund it is.
    pub kind: FundKind,
    /// Which body keeps it.
    pub organisation_id: OrganisationId,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// The document that it stands on.
    pub basis: String,
    /// Whether it is in use.
    pub state: State,
    /// Counts the changes, from 1.
    pub version: i64,
    /// Since when there is this fund, UTC.
    pub created_at: Instant,
    /// When it was changed last, UTC.
    pub updated_at: Instant,
}

/// A fund as it is entered.
#[derive(Clone, Debug)]
pub struct NewFund {
    /// Its code.
    pub code: String,
    /// What sort of fund it is.
    pub kind: FundKind,
    /// Which body keeps it.
    pub organisation_id: OrganisationId,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// The document that it stands on.
    pub basis: String,
}

/// A budget line: what an organisation may spend of a fund in a year on one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetLine {
    /// Its id.
    pub id: BudgetLineId,
    /// Of which fund.
    pub fund_id: FundId,
    /// Of which fiscal year.
    pub fiscal_year: i64,
    /// Its code within the fund's year, which never changes.
    pub code: String,
    /// Who may spend it.
    pub organisation_id: OrganisationId,
    /// On which category of services.
    pub category: String,
    /// On what, in Chinese.
    pub purpose_zh: String,
    /// On what, in English.
    pub purpose_en: String,
    /// Whether it is in use.
    pub state: State,
    /// Counts the changes, from 1.
    pub version: i64,
    /// Since when there is this line, UTC.
    pub created_at: Instant,
    /// When it was changed last, UTC.
    pub updated_at: Instant,
}

/// A budget line as it is entered.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// Of which fiscal year.
    pub fiscal_year: i64,
    /// Its code.
    pub code: String,
    /// Who may spend it.
    pub organisation_id: OrganisationId,
    /// On which category of services.
    pub category: String,
    /// On what, in Chinese.
    pub purpose_zh: String,
    /// On what, in English.
    pub purpose_en: String,
}

/// A fund that is made now; every fault is listed.
///
/// # Errors
/// [`crate::web::problem::INVALID`].
pub fn fund(id: FundId, new: &NewFund, now: Instant) -> Result<Fund, Refusal> {
    let mut form = Form::new();
    let code = code(&mut form, &new.code);
    let name_zh = form.line("/name_zh", &new.name_zh, NAME_LENGTH_MAX);
    let name_en = form.line("/name_en", &new.name_en, NAME_LENGTH_MAX);
    let basis = form.line("/basis", &new.basis, PURPOSE_LENGTH_MAX);
    form.finish(Fund {
        id,
        code,
        kind: new.kind,
        organisation_id: new.organisation_id.clone(),
        name_zh,
        name_en,
        basis,
        state: State::Open,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// What is to be changed of a fund; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct FundChange {
    /// Its Chinese name.
    pub name_zh: Option<String>,
    /// Its English name.
    pub name_en: Option<String>,
    /// The document that it stands on.
    pub basis: Option<String>,
}

/// The fund with what is changed of it.
///
/// # Errors
/// [`FUND_CLOSED`]; [`crate::web::problem::INVALID`].
pub fn change_fund(fund: Fund, change: &FundChange, now: Instant) -> Result<Fund, Refusal> {
    let fund = open_fund(fund)?;
    let mut form = Form::new();
    let mut line = |pointer, changed: &Option<String>, known: String, max| match changed {
        Some(text) => form.line(pointer, text, max),
        None => known,
    };
    let changed = Fund {
        name_zh: line("/name_zh", &change.name_zh, fund.name_zh, NAME_LENGTH_MAX),
        name_en: line("/name_en", &change.name_en, fund.name_en, NAME_LENGTH_MAX),
        basis: line("/basis", &change.basis, fund.basis, PURPOSE_LENGTH_MAX),
        version: fund.version.saturating_add(1),
        updated_at: now,
        ..fund
    };
    form.finish(changed)
}

/// The fund, closed. `is_empty` tells whether nothing of it is left that could be spent.
///
/// # Errors
/// [`FUND_CLOSED`], [`NOT_EMPTY`].
pub fn close_fund(fund: Fund, is_empty: bool, now: Instant) -> Result<Fund, Refusal> {
    let fund = open_fund(fund)?;
    if !is_empty {
        return Err(NOT_EMPTY.refuse());
    }
    Ok(Fund {
        state: State::Closed,
        version: fund.version.saturating_add(1),
        updated_at: now,
        ..fund
    })
}

/// The fund if it is in use.
///
/// # Errors
/// [`FUND_CLOSED`].
pub fn open_fund(fund: Fund) -> Result<Fund, Refusal> {
    match fund.state {
        State::Open => Ok(fund),
        State::Closed => Err(FUND_CLOSED.refuse()),
    }
}

/// A budget line that is made now; every fault is listed.
///
/// # Errors
/// [`crate::web::problem::INVALID`].
pub fn line(id: BudgetLineId, fund_id: FundId, new: &NewLine, now: Instant) -> Result<BudgetLine, Refusal> {
    let mut form = Form::new();
    let code = code(&mut form, &new.code);
    fiscal_year(&mut form, new.fiscal_year);
    let purpose_zh = form.line("/purpose_zh", &new.purpose_zh, PURPOSE_LENGTH_MAX);
    let purpose_en = form.line("/purpose_en", &new.purpose_en, PURPOSE_LENGTH_MAX);
    form.finish(BudgetLine {
        id,
        fund_id,
        fiscal_year: new.fiscal_year,
        code,
        organisation_id: new.organisation_id.clone(),
        category: new.category.clone(),
        purpose_zh,
        purpose_en,
        state: State::Open,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// What is to be changed of a budget line; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct LineChange {
    /// On what, in Chinese.
    pub purpose_zh: Option<String>,
    /// On what, in English.
    pub purpose_en: Option<String>,
}

/// The line with what is changed of it.
///
/// # Errors
/// [`LINE_CLOSED`]; [`crate::web::problem::INVALID`].
pub fn change_line(line: BudgetLine, change: &LineChange, now: Instant) -> Result<BudgetLine, Refusal> {
    let line = open_line(line)?;
    let mut form = Form::new();
    let mut text = |pointer, changed: &Option<String>, known: String| match changed {
        Some(text) => form.line(pointer, text, PURPOSE_LENGTH_MAX),
        None => known,
    };
    let changed = BudgetLine {
        purpose_zh: text("/purpose_zh", &change.purpose_zh, line.purpose_zh),
        purpose_en: text("/purpose_en", &change.purpose_en, line.purpose_en),
        version: line.version.saturating_add(1),
        updated_at: now,
        ..line
    };
    form.finish(changed)
}

/// The line, closed. `is_empty` tells whether nothing of it is left that could be spent.
///
/// # Errors
/// [`LINE_CLOSED`], [`NOT_EMPTY`].
pub fn close_line(line: BudgetLine, is_empty: bool, now: Instant) -> Result<BudgetLine, Refusal> {
    let line = open_line(line)?;
    if !is_empty {
        return Err(NOT_EMPTY.refuse());
    }
    Ok(BudgetLine {
        state: State::Closed,
        version: line.version.saturating_add(1),
        updated_at: now,
        ..line
    })
}

/// The line if it is in use.
///
/// # Errors
/// [`LINE_CLOSED`].
pub fn open_line(line: BudgetLine) -> Result<BudgetLine, Refusal> {
    match line.state {
        State::Open => Ok(line),
        State::Closed => Err(LINE_CLOSED.refuse()),
    }
}

/// A code: capital letters, digits and hyphens.
fn code(form: &mut Form, code: &str) -> String {
    let plain = code
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
    let framed = code.starts_with('-') || code.ends_with('-');
    if !CODE_LENGTH.contains(&code.len()) || !plain || framed {
        let (least, most) = (CODE_LENGTH.start(), CODE_LENGTH.end());
        form.object(
            "/code",
            text!(
                "应为 {least} 至 {most} 个大写字母、数字或连字符，首尾不得为连字符",
                "must be {least} to {most} capital letters, digits and hyphens, without a hyphen at either end"
            ),
        );
    }
    code.to_owned()
}

/// A fiscal year that books are kept of.
pub fn fiscal_year(form: &mut Form, year: i64) {
    if !YEARS.contains(&year) {
        form.object(
            "/fiscal_year",
            Text::fixed("应为 2000 至 2199 之间的年度", "must be a year from 2000 to 2199"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Instant {
        "2026-03-02T00:00:00Z".parse().unwrap()
    }

    fn new() -> NewFund {
        NewFund {
            code: "WT-2026".to_owned(),
            kind: FundKind::SpecialFund,
            organisation_id: "org_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            name_zh: "社区服务专项".to_owned(),
            name_en: "Community services".to_owned(),
            basis: "凤财预〔2026〕3号".to_owned(),
        }
    }

    fn pointers(result: Result<Fund, Refusal>) -> Vec<String> {
        let refusal = result.err();
        refusal
            .map(|refusal| refusal.objections.into_iter().map(|one| one.pointer).collect())
            .unwrap_or_default()
    }

    #[test]
    fn all_faults_of_a_fund_come_back_at_once() {
        let made = |change: fn(&mut NewFund)| {
            let mut entered = new();
            change(&mut entered);
            fund(FundId::mint(at()), &entered, at())
        };
        assert!(made(|_| ()).is_ok());
        let all = made(|one| {
            one.code = "wt".to_owned();
            one.name_zh = " ".to_owned();
            one.name_en = "=1".to_owned();
            one.basis = "x".repeat(201);
        });
        assert_eq!(pointers(all), ["/code", "/name_zh", "/name_en", "/basis"]);
        for code in ["A", "-A", "A-", "A B", "ａＢ", "123456789012345678901"] {
            let mut entered = new();
            code.clone_into(&mut entered.code);
            assert_eq!(
                pointers(fund(FundId::mint(at()), &entered, at())),
                ["/code"],
                "{code}"
            );
        }
    }

    #[test]
    fn a_fund_is_closed_when_it_is_empty_and_then_never_changes() {
        let made = fund(FundId::mint(at()), &new(), at()).unwrap();
        assert_eq!(
            close_fund(made.clone(), false, at()).unwrap_err().reason,
            &NOT_EMPTY
        );
        let closed = close_fund(made, true, at()).unwrap();
        assert_eq!((closed.state, closed.version), (State::Closed, 2));
        assert_eq!(
            close_fund(closed.clone(), true, at()).unwrap_err().reason,
            &FUND_CLOSED
        );
        assert_eq!(
            change_fund(closed, &FundChange::default(), at())
                .unwrap_err()
                .reason,
            &FUND_CLOSED
        );
    }

    #[test]
    fn a_line_is_of_a_year_that_books_are_kept_of() {
        let entered = |fiscal_year| NewLine {
            fiscal_year,
            code: "SAN-01".to_owned(),
            organisation_id: "org_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            category: "sanitation".to_owned(),
            purpose_zh: "道路保洁".to_owned(),
            purpose_en: "Street sanitation".to_owned(),
        };
        let made = |year| line(BudgetLineId::mint(at()), FundId::mint(at()), &entered(year), at());
        assert!(made(2000).is_ok() && made(2199).is_ok());
        for year in [1999, 2200, i64::MIN] {
            assert_eq!(made(year).unwrap_err().objections[0].pointer, "/fiscal_year");
        }
        let closed = close_line(made(2026).unwrap(), true, at()).unwrap();
        assert_eq!(open_line(closed.clone()).unwrap_err().reason, &LINE_CLOSED);
        assert_eq!(
            change_line(closed, &LineChange::default(), at())
                .unwrap_err()
                .reason,
            &LINE_CLOSED
        );
    }
}
