//! What a buyer has planned to spend or spent, beside the open-tender threshold, over HTTP: parse, call one query, render. No SQL and
//! no rule.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::books::rules_splitting::SplittingRule;
use crate::budget::acts::may_see;
use crate::budget::desk;
use crate::budget::rules::BudgetLineId;
use crate::budget::rules_ledger::{AccountCode, LedgerAccount};
use crate::budget::store::{self, LineFilter};
use crate::budget::store_ledger;
use crate::kernel::local_day::local_date;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::statutes;
use crate::statutes::codes::{PLANNING_OPEN_TENDER_THRESHOLD, PLANNING_SPLITTING_SUMMED_OVER};
use crate::statutes::profile::{Citation, Profile};
use crate::web::actor::{Actor, Shared};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::{Query, required};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(totals);
}

/// Lines of one body, category and year that are added up at most.
const LINES_MAX: i64 = 1_000;

/// Money that is planned with or spent, by stage.
const STAGES: [AccountCode; 4] = [
    AccountCode::Reserved,
    AccountCode::Committed,
    AccountCode::Retained,
    AccountCode::Spent,
];

/// What is planned with or spent of one budget line.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineTotal {
    /// The line.
    pub budget_line_id: BudgetLineId,
    /// Its code.
    pub code: String,
    /// Held for books.
    pub reserved: Money,
    /// Held for contracts.
    pub committed: Money,
    /// Held back from payments.
    pub retained: Money,
    /// Paid.
    pub spent: Money,
    /// All of that.
    pub sum: Money,
    /// True if a tender of this sum would have to be open.
    pub reaches_threshold: bool,
}

/// What a body has planned to spend or spent on a category of services in a year, beside the threshold from which a tender is open.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "category": "sanitation", "fiscal_year": 2026,
    "lines": [], "sum": {"amount": "0.00", "currency": "CNY"}, "summed_over": ["buyer", "category", "budget_line", "fiscal_year"],
    "threshold": {"amount": "2000000.00", "currency": "CNY"}, "reaches_threshold": false,
    "text_zh": "公开招标数额标准", "text_en": "The open-tender threshold", "citations": []
}))]
pub struct PurchaseTotals {
    /// Who buys.
    pub organisation_id: OrganisationId,
    /// Which category of services.
    pub category: String,
    /// Which fiscal year.
    pub fiscal_year: i64,
    /// Line by line.
    pub lines: Vec<LineTotal>,
    /// All lines together.
    pub sum: Money,
    /// What of purchases has to be the same for them to count together.
    pub summed_over: Vec<String>,
    /// From this amount on a tender is open.
    pub threshold: Money,
    /// True if what counts together reaches it somewhere.
    pub reaches_threshold: bool,
    /// What the statute says of the threshold, in Chinese.
    pub text_zh: String,
    /// What the statute says of the threshold, in English.
    pub text_en: String,
    /// Where it stands.
    pub citations: Vec<Citation>,
}

struct Asked {
    organisation_id: OrganisationId,
    category: String,
    fiscal_year: i64,
}

fn asked(request: &HttpRequest) -> Answer<Asked> {
    let mut query = Query::of(request);
    let organisation_id = query.parsed::<OrganisationId>("organisation_id");
    let category = query.text("category");
    let fiscal_year = desk::fiscal_year(&mut query);
    query.finish()?;
    Ok(Asked {
        organisation_id: required(organisation_id, "organisation_id")?,
        category: required(category, "category")?,
        fiscal_year: required(fiscal_year, "fiscal_year")?,
    })
}

/// Add up what is planned or spent
///
/// Of one buyer, category and fiscal year, line by line as the ledger has it, beside the threshold from which the tender is open.
/// Open tenders are among it: the sum says when to look closer, not that something is unlawful.
#[utoipa::path(
    operation_id = "read_purchase_totals",
    tag = "planning",
    params(
        ("organisation_id" = OrganisationId, Query, description = "Who buys"),
        ("category" = String, Query, max_length = 40, description = "Which category of services", example = "sanitation"),
        ("fiscal_year" = i64, Query, minimum = 2000, maximum = 2199, description = "Which fiscal year", example = 2026),
    ),
    responses(
        (status = 200, description = "The totals", body = PurchaseTotals),
        (status = 404, description = "There is no such organisation, or it is not yours"),
        (status = 409, description = "`no_statute_in_force`, `rule_not_set`"),
    ),
    extensions(("x-action" = json!("ListBudget"))),
)]
#[get("/purchase-totals")]
async fn totals(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ListBudget, Matter::default())?;
    let asked = asked(&request)?;
    if !may_see(&actor, Action::ReadBudget, &[&asked.organisation_id]) {
        return Err(NOT_FOUND.refuse().into());
    }
    let jurisdiction = context.settings.jurisdiction.clone();
    let today = local_date(context.clock.now(), context.calendar.zone);
    let totals = context
        .db
        .read(move |conn| {
            let statute = statutes::acts::in_force(conn, &jurisdiction, today)?;
            let filter = LineFilter {
                organisation: Some(asked.organisation_id.clone()),
                category: Some(asked.category.clone()),
                fiscal_year: Some(asked.fiscal_year),
                ..LineFilter::default()
            };
            let lines = store::lines(conn, &filter, LINES_MAX)?;
            let ids: Vec<&BudgetLineId> = lines.iter().map(|line| &line.id).collect();
            let accounts = store_ledger::accounts_of_lines(conn, &ids)?;
            let codes = lines.into_iter().map(|line| (line.id, line.code)).collect();
            told(asked, codes, &accounts, &statute.profile)
        })
        .await?;
    Ok(HttpResponse::Ok().json(totals))
}

fn told(
    asked: Asked,
    codes: Vec<(BudgetLineId, String)>,
    accounts: &[LedgerAccount],
    profile: &Profile,
) -> Answer<PurchaseTotals> {
    let rule = SplittingRule::of(profile)?;
    let mut lines = Vec::with_capacity(codes.len());
    for (id, code) in codes {
        let own = accounts
            .iter()
            .filter(|account| account.line_id.as_ref() == Some(&id));
        let balances: BTreeMap<AccountCode, Money> =
            own.map(|account| (account.code, account.balance)).collect();
        let of = |code: AccountCode| balances.get(&code).copied().unwrap_or(Money::ZERO);
        let sum = added(STAGES.map(of))?;
        lines.push(LineTotal {
            budget_line_id: id,
            code,
            reserved: of(AccountCode::Reserved),
            committed: of(AccountCode::Committed),
            retained: of(AccountCode::Retained),
            spent: of(AccountCode::Spent),
            sum,
            reaches_threshold: sum >= rule.threshold,
        });
    }
    let sum = added(lines.iter().map(|line| line.sum))?;
    let some_line = lines.iter().any(|line| line.reaches_threshold);
    let over = profile.rule(PLANNING_SPLITTING_SUMMED_OVER)?;
    let threshold = profile.find(PLANNING_OPEN_TENDER_THRESHOLD.code());
    Ok(PurchaseTotals {
        organisation_id: asked.organisation_id,
        category: asked.category,
        fiscal_year: asked.fiscal_year,
        lines,
        sum,
        summed_over: over.0.into_iter().map(|choice| choice.code).collect(),
        threshold: rule.threshold,
        reaches_threshold: if rule.by_budget_line {
            some_line
        } else {
            sum >= rule.threshold
        },
        text_zh: threshold.map(|rule| rule.text_zh.clone()).unwrap_or_default(),
        text_en: threshold.map(|rule| rule.text_en.clone()).unwrap_or_default(),
        citations: threshold.map(|rule| rule.citations.clone()).unwrap_or_default(),
    })
}

fn added(amounts: impl IntoIterator<Item = Money>) -> Answer<Money> {
    Ok(Money::sum(amounts).map_err(|error| Fault::caused("add budget lines up", error))?)
}
