//! The ledger over HTTP: accounts, entries, transfers, the trial balance. Reading only. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::budget::acts::{may_see, own_organisations};
use crate::budget::desk::{self, attached, parsed};
use crate::budget::rules::{BudgetLineId, FundId};
use crate::budget::rules_ledger::{
    AccountCode, LedgerAccount, LedgerAccountId, Phase, Transfer, TransferCode, TransferId,
};
use crate::budget::store;
use crate::budget::store_ledger::{self, AccountFilter, Entry, EntryFilter};
use crate::budget::store_sums::{self, Sum};
use crate::db::conn::Conn;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::web::actor::{Actor, Shared};
use crate::web::format::{Format, csv_table};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list)
        .service(read)
        .service(list_entries)
        .service(read_transfer)
        .service(trial_balance);
}

/// An account of the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerAccount, example = json!({
    "id": "ledgeraccount_01jd3n8f5teqkrzvq1c0m6h2ax", "fund_id": "fund_01jd3n8f5teqkrzvq1c0m6h2ax", "fiscal_year": 2026,
    "line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax", "code": "available", "balance": {"amount": "2400000.00", "currency": "CNY"},
    "entries": 1, "as_of": "2026-03-02T00:00:00.000000Z"
}))]
pub struct AccountView {
    /// Its id.
    pub id: LedgerAccountId,
    /// Of which fund.
    pub fund_id: FundId,
    /// Of which fiscal year.
    pub fiscal_year: i64,
    /// Of which budget line; `null` for the accounts of a fund's year.
    #[schema(required = true)]
    pub line_id: Option<BudgetLineId>,
    /// What it is for.
    pub code: AccountCode,
    /// Credits less debits: what is in it. Of `source` it is less than zero: what was appropriated.
    pub balance: Money,
    /// How many entries add up to that.
    pub entries: i64,
    /// The instant at which it stands so, UTC.
    pub as_of: String,
}

impl AccountView {
    fn of(account: LedgerAccount, as_of: Instant) -> Self {
        Self {
            id: account.id,
            fund_id: account.fund_id,
            fiscal_year: account.fiscal_year,
            line_id: account.line_id,
            code: account.code,
            balance: account.balance,
            entries: account.entries,
            as_of: rfc3339(as_of),
        }
    }
}

/// Money that went from one account to another.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerTransfer, example = json!({
    "id": "transfer_01jd3n8f5teqkrzvq1c0m6h2ax", "from_account_id": "ledgeraccount_01jd3n8f5teqkrzvq1c0m6h2ax",
    "to_account_id": "ledgeraccount_01jd3n8f5teqkrzvq1c0m6h2ay", "amount": {"amount": "2400000.00", "currency": "CNY"},
    "code": "allocation", "phase": "direct", "hold_id": null, "matter": "movement_01jd3n8f5teqkrzvq1c0m6h2ax",
    "made_at": "2026-03-02T00:00:00.000000Z"
}))]
pub struct TransferView {
    /// Its id.
    pub id: TransferId,
    /// From which account.
    pub from_account_id: LedgerAccountId,
    /// To which.
    pub to_account_id: LedgerAccountId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub code: TransferCode,
    /// Whether it was done at once, began a hold, or took from one.
    pub phase: Phase,
    /// From which hold.
    #[schema(required = true)]
    pub hold_id: Option<TransferId>,
    /// The id of what it was for.
    pub matter: String,
    /// When, UTC.
    pub made_at: String,
}

impl From<Transfer> for TransferView {
    fn from(transfer: Transfer) -> Self {
        let order = transfer.order;
        Self {
            id: order.id,
            from_account_id: order.from,
            to_account_id: order.to,
            amount: order.amount,
            code: order.code,
            phase: transfer.phase,
            hold_id: order.hold,
            matter: order.matter,
            made_at: rfc3339(transfer.made_at),
        }
    }
}

/// What a transfer did to an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub struct EntryView {
    /// Its number in the account, from 1 without a gap.
    #[schema(example = 1)]
    pub number: i64,
    /// What it added to the balance; less than zero if it took from it.
    pub amount: Money,
    /// The balance after it.
    pub balance: Money,
    /// The transfer.
    pub transfer: TransferView,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            number: entry.number,
            amount: entry.amount,
            balance: entry.balance,
            transfer: entry.transfer.into(),
        }
    }
}

/// A line of the trial balance: all accounts of one code of a fund's year.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrialBalanceItem, example = json!({
    "fund_id": "fund_01jd3n8f5teqkrzvq1c0m6h2ax", "fiscal_year": 2026, "code": "available",
    "debit": {"amount": "0.00", "currency": "CNY"}, "credit": {"amount": "2400000.00", "currency": "CNY"}
}))]
pub struct TrialItem {
    /// Of which fund.
    pub fund_id: FundId,
    /// Of which fiscal year.
    pub fiscal_year: i64,
    /// Of which code.
    pub code: AccountCode,
    /// Their balance, if it is a debit.
    pub debit: Money,
    /// Their balance, if it is a credit.
    pub credit: Money,
}

/// All balances, added up by fund, year and code. Debits and credits are always equal.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrialBalance {
    /// The instant at which it stands so, UTC.
    #[schema(example = "2026-03-02T00:00:00.000000Z")]
    pub as_of: String,
    /// The lines.
    pub items: Vec<TrialItem>,
    /// All debits.
    pub debits: Money,
    /// All credits.
    pub credits: Money,
}

/// List accounts of the ledger
///
/// To auditors and the regulator all, to others those of their organisations' lines and funds.
#[utoipa::path(
    operation_id = "list_ledger_accounts",
    tag = "ledger",
    params(
        ("fund_id" = Option<FundId>, Query, description = "Of this fund"),
        ("fiscal_year" = Option<i64>, Query, minimum = 2000, maximum = 2199, description = "Of this fiscal year"),
        ("line_id" = Option<BudgetLineId>, Query, description = "Of this budget line"),
        ("code" = Option<AccountCode>, Query, description = "Of this code"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<AccountView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ListBudget"))),
)]
#[get("/ledger/accounts")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ListBudget, Matter::default())?;
    let mut query = Query::of(&request);
    let fund = query.parsed::<FundId>("fund_id");
    let fiscal_year = desk::fiscal_year(&mut query);
    let line = query.parsed::<BudgetLineId>("line_id");
    let code = query.one_of("code", &AccountCode::ALL.map(|code| (code.name(), code)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "ledger accounts",
        fund.as_ref().map_or("", FundId::as_str),
        &fiscal_year.map(|year| year.to_string()).unwrap_or_default(),
        line.as_ref().map_or("", BudgetLineId::as_str),
        code.map_or("", AccountCode::name),
    ]);
    let filter = AccountFilter {
        fund,
        fiscal_year,
        line,
        code,
        organisations: own_organisations(&actor, Action::ReadBudget),
        after: desk::after(&question, cursor.as_deref())?,
    };
    let now = context.clock.now();
    let found = context
        .db
        .glance(move |conn| store_ledger::accounts(conn, &filter, desk::one_more(limit)))
        .await?;
    let page = Page::cut(found, limit, &question, |account| vec![account.id.to_string()])
        .map(|account| AccountView::of(account, now));
    Ok(page.answer(&request))
}

/// Read an account of the ledger
///
/// As it stands, or with `as_of` as it stood: then added up from its entries until that instant, the instant itself included.
#[utoipa::path(
    operation_id = "read_ledger_account",
    tag = "ledger",
    params(
        ("id" = LedgerAccountId, Path, description = "The account"),
        ("as_of" = Option<String>, Query, format = DateTime, description = "At this instant, RFC 3339"),
    ),
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = 404, description = "There is no such account, or it is not your organisations'"),
    ),
    extensions(("x-action" = json!("ReadBudget"))),
)]
#[get("/ledger/accounts/{id}")]
async fn read(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadBudget)?;
    let id: LedgerAccountId = parsed(&id)?;
    let mut query = Query::of(&request);
    let as_of = query.instant("as_of");
    query.finish()?;
    let account = context
        .db
        .read(move |conn| {
            let account = known(conn, &actor, &id)?;
            let Some(at) = as_of else { return Ok(account) };
            let (balance, entries) = store_ledger::balance_at(conn, &id, at)?;
            Ok(LedgerAccount {
                balance,
                entries,
                ..account
            })
        })
        .await?;
    let at = as_of.unwrap_or_else(|| context.clock.now());
    Ok(HttpResponse::Ok().json(AccountView::of(account, at)))
}

/// List an account's entries
///
/// Oldest first: a statement of the account, for any span of time. As CSV with `Accept: text/csv`.
#[utoipa::path(
    operation_id = "list_ledger_entries",
    tag = "ledger",
    params(
        ("id" = LedgerAccountId, Path, description = "The account"),
        ("from" = Option<String>, Query, format = DateTime, description = "Not before this instant, RFC 3339"),
        ("until" = Option<String>, Query, format = DateTime, description = "Before this instant, RFC 3339"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", content(
            (Page<EntryView> = "application/json"),
            (String = "text/csv", example = "number,made_at,code,phase,matter,amount,balance,transfer_id,from_account_id,to_account_id\r\n1,2026-03-02T00:00:00.000000Z,allocation,direct,movement_01jd3n8f5teqkrzvq1c0m6h2ax,2400000.00,2400000.00,transfer_01jd3n8f5teqkrzvq1c0m6h2ax,ledgeraccount_01jd3n8f5teqkrzvq1c0m6h2ax,ledgeraccount_01jd3n8f5teqkrzvq1c0m6h2ay\r\n")
        ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such account, or it is not your organisations'"),
    ),
    extensions(("x-action" = json!("ReadBudget"))),
)]
#[get("/ledger/accounts/{id}/entries")]
async fn list_entries(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadBudget)?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let id: LedgerAccountId = parsed(&id)?;
    let mut query = Query::of(&request);
    let (from, until) = (query.instant("from"), query.instant("until"));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "ledger entries",
        id.as_str(),
        &from.map(rfc3339).unwrap_or_default(),
        &until.map(rfc3339).unwrap_or_default(),
    ]);
    let after = match desk::after(&question, cursor.as_deref())? {
        Some(number) => Some(number.parse::<i64>().map_err(|_| bad_cursor())?),
        None => None,
    };
    let filter = EntryFilter { from, until, after };
    let found = context
        .db
        .read(move |conn| {
            let account = known(conn, &actor, &id)?;
            store_ledger::entries(conn, &account.id, &filter, desk::one_more(limit))
        })
        .await?;
    let page =
        Page::cut(found, limit, &question, |entry| vec![entry.number.to_string()]).map(EntryView::from);
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    if format == Format::Json {
        return Ok(response.json(page));
    }
    let table = csv_table(&ENTRY_COLUMNS, page.items.iter().map(entry_row))?;
    Ok(attached(response, "ledger-entries.csv", table))
}

const ENTRY_COLUMNS: [&str; 10] = [
    "number",
    "made_at",
    "code",
    "phase",
    "matter",
    "amount",
    "balance",
    "transfer_id",
    "from_account_id",
    "to_account_id",
];

fn entry_row(entry: &EntryView) -> [String; 10] {
    let transfer = &entry.transfer;
    [
        entry.number.to_string(),
        transfer.made_at.clone(),
        transfer.code.name().to_owned(),
        transfer.phase.name().to_owned(),
        transfer.matter.clone(),
        entry.amount.to_string(),
        entry.balance.to_string(),
        transfer.id.to_string(),
        transfer.from_account_id.to_string(),
        transfer.to_account_id.to_string(),
    ]
}

/// Read a transfer
///
/// For whoever may see one of its two accounts.
#[utoipa::path(
    operation_id = "read_ledger_transfer",
    tag = "ledger",
    params(("id" = TransferId, Path, description = "The transfer")),
    responses(
        (status = 200, description = "The transfer", body = TransferView),
        (status = 404, description = "There is no such transfer, or it is not your organisations'"),
    ),
    extensions(("x-action" = json!("ReadBudget"))),
)]
#[get("/ledger/transfers/{id}")]
async fn read_transfer(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadBudget)?;
    let id: TransferId = parsed(&id)?;
    let transfer = context
        .db
        .read(move |conn| {
            let transfer = store_ledger::transfer(conn, &id)?.ok_or_else(|| NOT_FOUND.refuse())?;
            match known(conn, &actor, &transfer.order.from) {
                Err(Stop::Refused(_)) => known(conn, &actor, &transfer.order.to)?,
                seen => seen?,
            };
            Ok(transfer)
        })
        .await?;
    Ok(HttpResponse::Ok().json(TransferView::from(transfer)))
}

/// Read the trial balance
///
/// For everyone: how the ward's money stands, by fund, year and what it is for. As it stands, or with `as_of` as it stood, then added
/// up from the entries. As CSV with `Accept: text/csv`.
#[utoipa::path(
    operation_id = "read_trial_balance",
    tag = "ledger",
    params(
        ("fund_id" = Option<FundId>, Query, description = "Of this fund"),
        ("fiscal_year" = Option<i64>, Query, minimum = 2000, maximum = 2199, description = "Of this fiscal year"),
        ("as_of" = Option<String>, Query, format = DateTime, description = "At this instant, RFC 3339"),
    ),
    responses((status = 200, description = "The trial balance. Of one year alone debits and credits differ by what was carried over", content(
        (TrialBalance = "application/json"),
        (String = "text/csv", example = "fund_id,fiscal_year,code,debit,credit\r\nfund_01jd3n8f5teqkrzvq1c0m6h2ax,2026,available,0.00,2400000.00\r\n")
    ))),
    extensions(("x-action" = json!("ReadFunds"))),
)]
#[get("/ledger/trial-balance")]
async fn trial_balance(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadFunds, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let mut query = Query::of(&request);
    let fund = query.parsed::<FundId>("fund_id");
    let year = desk::fiscal_year(&mut query);
    let as_of = query.instant("as_of");
    query.finish()?;
    let sums = context
        .db
        .read(move |conn| store_sums::sums(conn, fund.as_ref(), year, as_of))
        .await?;
    let items: Vec<TrialItem> = sums.into_iter().map(item).collect();
    if format == Format::Csv {
        let rows = items.iter().map(|item| {
            [
                item.fund_id.to_string(),
                item.fiscal_year.to_string(),
                item.code.name().to_owned(),
                item.debit.to_string(),
                item.credit.to_string(),
            ]
        });
        let table = csv_table(&["fund_id", "fiscal_year", "code", "debit", "credit"], rows)?;
        return Ok(attached(HttpResponse::Ok(), "trial-balance.csv", table));
    }
    let total = |amounts: Vec<Money>| {
        Money::sum(amounts).map_err(|error| Fault::caused("add up the trial balance", error))
    };
    Ok(HttpResponse::Ok().json(TrialBalance {
        as_of: rfc3339(as_of.unwrap_or_else(|| context.clock.now())),
        debits: total(items.iter().map(|item| item.debit).collect())?,
        credits: total(items.iter().map(|item| item.credit).collect())?,
        items,
    }))
}

fn item(sum: Sum) -> TrialItem {
    let is_debit = sum.balance.is_negative();
    TrialItem {
        fund_id: sum.fund_id,
        fiscal_year: sum.fiscal_year,
        code: sum.code,
        debit: if is_debit {
            sum.balance.negated()
        } else {
            Money::ZERO
        },
        credit: if is_debit { Money::ZERO } else { sum.balance },
    }
}

/// The account of that id as far as the actor may know of it.
fn known(conn: &mut Conn, actor: &Actor, id: &LedgerAccountId) -> Answer<LedgerAccount> {
    let account = store_ledger::account(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let fund = store::fund(conn, &account.fund_id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let line = match &account.line_id {
        Some(line) => store::line(conn, line)?,
        None => None,
    };
    let mut owners = vec![&fund.organisation_id];
    owners.extend(line.as_ref().map(|line| &line.organisation_id));
    if may_see(actor, Action::ReadBudget, &owners) {
        Ok(account)
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}
