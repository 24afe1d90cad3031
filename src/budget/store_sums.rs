//! The ledger added up: by fund, year and what the money is for.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::both;
use crate::budget::rules::FundId;
use crate::budget::rules_ledger::AccountCode;
use crate::budget::store_ledger::{account_code, money};
use crate::db::conn::Conn;
use crate::db::schema::{ledger_accounts, ledger_entries};
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};

/// What the accounts of one code of a fund's year add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Of which fund.
    pub fund_id: FundId,
    /// Of which fiscal year.
    pub fiscal_year: i64,
    /// Of which code.
    pub code: AccountCode,
    /// The sum of their balances.
    pub balance: Money,
}

/// The balances of all accounts, or of one fund's or year's, added up by fund, year and code: as they stand, or as they stood at
/// an instant, that instant included. The first is read from the balances, the second from the entries.
///
/// # Errors
/// A fault of the database.
pub fn sums(
    conn: &mut Conn,
    fund: Option<&FundId>,
    year: Option<i64>,
    as_of: Option<Instant>,
) -> Answer<Vec<Sum>> {
    let rows: Vec<(FundId, i64, String, i64)> = both!(conn, c => {
        let key = (ledger_accounts::fund_id, ledger_accounts::fiscal_year, ledger_accounts::code);
        match as_of {
            None => {
                let mut query = ledger_accounts::table
                    .group_by(key)
                    .select((
                        ledger_accounts::fund_id, ledger_accounts::fiscal_year, ledger_accounts::code,
                        sql::<BigInt>("CAST(SUM(ledger_accounts.balance_fen) AS BIGINT)"),
                    ))
                    .order(key)
                    .into_boxed();
                if let Some(fund) = fund {
                    query = query.filter(ledger_accounts::fund_id.eq(fund));
                }
                if let Some(year) = year {
                    query = query.filter(ledger_accounts::fiscal_year.eq(year));
                }
                query.load(c)
            }
            Some(at) => {
                let mut query = ledger_accounts::table
                    .inner_join(ledger_entries::table.on(ledger_entries::account_id.eq(ledger_accounts::id)))
                    .filter(ledger_entries::made_at.le(at.naive_utc()))
                    .group_by(key)
                    .select((
                        ledger_accounts::fund_id, ledger_accounts::fiscal_year, ledger_accounts::code,
                        sql::<BigInt>("CAST(SUM(ledger_entries.amount_fen) AS BIGINT)"),
                    ))
                    .order(key)
                    .into_boxed();
                if let Some(fund) = fund {
                    query = query.filter(ledger_accounts::fund_id.eq(fund));
                }
                if let Some(year) = year {
                    query = query.filter(ledger_accounts::fiscal_year.eq(year));
                }
                query.load(c)
            }
        }
    })?;
    let mut sums = rows
        .into_iter()
        .map(|(fund_id, fiscal_year, code, balance)| {
            Ok(Sum {
                fund_id,
                fiscal_year,
                code: account_code(&code)?,
                balance: money(balance)?,
            })
        })
        .collect::<Result<Vec<_>, Fault>>()?;
    sums.sort_by(|a, b| (&a.fund_id, a.fiscal_year, a.code).cmp(&(&b.fund_id, b.fiscal_year, b.code)));
    Ok(sums)
}

/// What has come into all funds in all years, in fen.
///
/// # Errors
/// A fault of the database.
pub fn come_in(conn: &mut Conn) -> Answer<i64> {
    Ok(ledger_accounts::table
        .filter(ledger_accounts::code.eq(AccountCode::Source.name()))
        .select(sql::<BigInt>("CAST(COALESCE(-SUM(balance_fen), 0) AS BIGINT)"))
        .first(conn)?)
}
