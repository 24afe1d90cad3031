//! How the demo's contracts are paid: claimed by the contractor, certified by the officer, approved, paid and confirmed by three finance officers. All by the acts.

use chrono::NaiveDate;

use crate::app::demo_bills::{Bill, Counter, Paying};
use crate::app::demo_service::{Ward, contract_of};
use crate::app::demo_stage::{cast, organisation_of};
use crate::contracts::rules::ContractId;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::acts_claims::{self, Certifying};
use crate::payments::rules_claims::{ClaimId, Entered, Kind};
use crate::payments::{acts_payments, store_claims};
use crate::registry::acts_bank_accounts::{self, Which};
use crate::registry::rules_bank_accounts::{BankAccount, ChangeState};
use crate::registry::store_bank_accounts;
use crate::web::conditional::Expected;

/// The bank of every account, and the code of its branch.
const BANK: (&str, &str) = ("凤城银行梧桐支行", "313990101017");
const YEAR: i32 = 2026;

fn missing(what: &str) -> Fault {
    Fault::broken(format!("the demo has no such {what}"))
}

/// A step on the way to the money.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn pay(tx: &mut Tx<'_>, ward: &Ward, (counter, step): (&Counter, &Paying)) -> Answer<()> {
    let contract = contract_of(tx.conn(), counter.line)?.id;
    match step {
        Paying::Account(number) => propose_account(tx, counter, number),
        Paying::ConfirmAccount => confirm_account(tx, counter),
        Paying::Claim(bill) => {
            let agent = cast(tx, counter.agent)?;
            let said = (entered(bill)?, &[][..]);
            acts_claims::claim(tx, &agent, &contract, said, ward.calendar()).map(drop)
        }
        Paying::Certify(bill, less) => {
            let officer = cast(tx, counter.officer)?;
            let id = claim_of(tx.conn(), &contract, bill)?;
            let words = |one: &str| Some(one.to_owned());
            let certifying = Certifying {
                penalties: None,
                less: less.map_or((None, None), |(zh, en)| (words(zh), words(en))),
            };
            acts_claims::certify(tx, &officer, (&id, Expected::Any), certifying, ward.calendar()).map(drop)
        }
        Paying::Return(bill, reason) => {
            let officer = cast(tx, counter.officer)?;
            let id = claim_of(tx.conn(), &contract, bill)?;
            acts_claims::send_back(tx, &officer, (&id, Expected::Any), *reason).map(drop)
        }
        Paying::Approve(bill) => {
            let finance = cast(tx, counter.approves)?;
            let id = claim_of(tx.conn(), &contract, bill)?;
            acts_claims::approve(tx, &finance, (&id, Expected::Any), ward.calendar()).map(drop)
        }
        Paying::Execute(bill) => {
            let finance = cast(tx, counter.executes)?;
            let id = claim_of(tx.conn(), &contract, bill)?;
            acts_payments::execute(tx, &finance, (&id, Expected::Any), ward.calendar()).map(drop)
        }
        Paying::Confirm(bill, reference) => {
            let finance = cast(tx, counter.reconciles)?;
            let id = claim_of(tx.conn(), &contract, bill)?;
            acts_payments::confirm(tx, &finance, (&id, Expected::Any), reference).map(drop)
        }
        Paying::Fail(bill, reason) => {
            let finance = cast(tx, counter.reconciles)?;
            let id = claim_of(tx.conn(), &contract, bill)?;
            acts_payments::fail(tx, &finance, (&id, Expected::Any), *reason).map(drop)
        }
    }
}

fn propose_account(tx: &mut Tx<'_>, counter: &Counter, number: &str) -> Answer<()> {
    let agent = cast(tx, counter.agent)?;
    let organisation = organisation_of(&agent)?;
    let (bank, code) = BANK;
    let account = BankAccount::new(counter.holder, bank, code, number)?;
    acts_bank_accounts::propose(tx, &agent, &organisation, &account).map(drop)
}

fn confirm_account(tx: &mut Tx<'_>, counter: &Counter) -> Answer<()> {
    let owner = cast(tx, counter.owner)?;
    let organisation_id = organisation_of(&owner)?;
    let proposed = store_bank_accounts::newest(tx.conn(), &organisation_id, ChangeState::Proposed)?;
    let id = proposed.ok_or_else(|| missing("bank account"))?.id;
    let which = Which { organisation_id, id };
    acts_bank_accounts::confirm(tx, &owner, &which).map(drop)
}

fn entered(bill: &Bill) -> Answer<Entered> {
    let (month, day) = bill.on;
    let amount: Result<Money, _> = bill.amount.parse();
    Ok(Entered {
        kind: bill.period.map_or(Kind::Settlement, |_| Kind::Period),
        period: bill.period,
        invoice_number: bill.invoice.to_owned(),
        invoice_on: NaiveDate::from_ymd_opt(YEAR, month, day).ok_or_else(|| missing("day"))?,
        amount: amount.map_err(|error| Fault::caused("an amount of the demo", error))?,
    })
}

/// The newest claim with an invoice: what has failed is claimed again with the same.
fn claim_of(conn: &mut Conn, contract: &ContractId, bill: &Bill) -> Answer<ClaimId> {
    let all = store_claims::of_contract(conn, contract)?.into_iter().rev();
    let mut of_bill = all.filter(|claim| claim.entered.invoice_number == bill.invoice);
    Ok(of_bill.next().ok_or_else(|| missing("claim"))?.id)
}
