//! What of an imported process is counted in spending: what was agreed, by contract or by an award that none is known of, and each payment. Pure.

use rust_decimal::Decimal;

use crate::budget::rules_imported::{Amount, Entry, Key, Party, Process as Counted, What};
use crate::imports::rules_findings::Code;
use crate::imports::rules_process::{Contract, Process, Reference, Value};
use crate::imports::rules_repairs::Findings;
use crate::imports::rules_understood::Joined;
use crate::kernel::clock::Instant;

/// Statuses under which nothing is owed.
const NOTHING: [&str; 4] = ["cancelled", "unsuccessful", "pending", "draft"];

fn counts(status: Option<&str>) -> bool {
    status.is_none_or(|status| !NOTHING.contains(&status.to_ascii_lowercase().as_str()))
}

impl Joined {
    /// An organisation as it is counted: under its own id, if it is one of the ward's.
    fn party(&self, reference: &Reference) -> Option<Party> {
        let own = self.organisations.get(&reference.id);
        let id = own.map_or(reference.id.as_str(), |own| own.as_str());
        Party::of(Some(id), Some(&reference.name))
    }

    /// Whoever supplied, if it was one; the same under two ids is one.
    fn only(&self, suppliers: &[Reference]) -> Option<Party> {
        let mut parties = suppliers.iter().map(|one| self.party(one));
        let first = parties.next()??;
        parties
            .all(|one| one.is_some_and(|one| one.key == first.key))
            .then_some(first)
    }
}

/// What is counted of a process. What cannot be, for want of a currency or beyond all bounds, is told.
pub fn counted(process: &Process, joined: &Joined, findings: &mut Findings) -> Counted {
    let mut counting = Counting {
        process,
        joined,
        entries: Vec::new(),
        findings,
    };
    for (at, contract) in process.contracts.iter().enumerate() {
        if counts(contract.status.as_deref()) {
            let award = award_of(process, contract);
            let day = contract
                .signed_at
                .or(award.and_then(|award| award.at))
                .or(contract.starts_at);
            let value = match (contract.value.hundredths, award) {
                // A contract without a value comes to what was awarded, if it is the only one of its award.
                (None, Some(award)) if is_only(process, &award.id) => &award.value,
                _ => &contract.value,
            };
            let of = (
                What::Agreed,
                contract.id.clone(),
                joined.only(&contract.suppliers),
            );
            counting.add(of, (value, day), &format!("/contracts/{at}/value"));
        }
    }
    for (at, award) in process.awards.iter().enumerate() {
        let is_contracted = process
            .contracts
            .iter()
            .any(|one| one.award_id.as_deref() == Some(&award.id));
        if counts(award.status.as_deref()) && !is_contracted {
            let is_taken = process.contracts.iter().any(|contract| contract.id == award.id);
            let name = if is_taken {
                format!("award {}", award.id)
            } else {
                award.id.clone()
            };
            let of = (What::Agreed, name, joined.only(&award.suppliers));
            counting.add(of, (&award.value, award.at), &format!("/awards/{at}/value"));
        }
    }
    for paid in &process.transactions {
        let contract = process
            .contracts
            .iter()
            .find(|contract| contract.id == paid.contract_id);
        let supplier = contract.and_then(|contract| joined.only(&contract.suppliers));
        let supplier = supplier.or_else(|| paid.payee.as_ref().and_then(|payee| joined.party(payee)));
        let of = (What::Paid, paid.contract_id.clone(), supplier);
        counting.add(of, (&paid.value, paid.at), "/contracts");
    }
    Counted {
        ocid: process.ocid.clone(),
        entries: counting.entries,
    }
}

fn award_of<'p>(
    process: &'p Process,
    contract: &Contract,
) -> Option<&'p crate::imports::rules_process::Award> {
    let id = contract.award_id.as_deref()?;
    process.awards.iter().find(|award| award.id == id)
}

fn is_only(process: &Process, award: &str) -> bool {
    let of = process
        .contracts
        .iter()
        .filter(|one| one.award_id.as_deref() == Some(award));
    of.count() == 1
}

struct Counting<'p> {
    process: &'p Process,
    joined: &'p Joined,
    entries: Vec<Entry>,
    findings: &'p mut Findings,
}

impl Counting<'_> {
    fn add(
        &mut self,
        (what, agreement, supplier): (What, String, Option<Party>),
        (value, at): (&Value, Option<Instant>),
        pointer: &str,
    ) {
        let Some(hundredths) = value.hundredths else {
            return;
        };
        let currency = value.currency.as_deref().and_then(|code| code.parse().ok());
        let amount = Amount::of(Decimal::new(hundredths, 2));
        let (Some(currency), Some(amount)) = (currency, amount) else {
            let shown = crate::imports::rules_values::decimal(hundredths);
            self.findings.add(Code::NotCounted, pointer, &shown, "");
            return;
        };
        let of = self.process;
        self.entries.push(Entry {
            what,
            agreement: Some(agreement),
            currency,
            amount,
            day: at.map(|at| at.date_naive()),
            buyer: of.buyer.as_ref().and_then(|buyer| self.joined.party(buyer)),
            supplier,
            supplier_kind: None,
            category: of
                .category
                .as_deref()
                .or(of.classification.as_deref())
                .and_then(Key::of),
            area_id: self.joined.area_id.clone(),
            method: of
                .method
                .as_deref()
                .map(|method| method.chars().take(40).collect::<String>())
                .as_deref()
                .and_then(Key::of),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::rules_reading::read;
    use crate::imports::rules_repairs::repaired;
    use crate::publish::rules_json::Json;

    /// What an entry is, of which agreement, how much, and by whom.
    type Told = (What, String, i64, Option<String>);

    fn of(text: &str) -> (Vec<Told>, usize) {
        let Json::Object(release) = Json::parse(text).unwrap() else {
            panic!("no object")
        };
        let mut findings = Findings::default();
        let process = read("o", &repaired(&release, &mut findings), &mut findings);
        let mut findings = Findings::default();
        let counted = counted(&process, &Joined::default(), &mut findings);
        let entries = counted.entries.into_iter().map(|entry| {
            let supplier = entry.supplier.map(|supplier| supplier.key.as_str().to_owned());
            (
                entry.what,
                entry.agreement.unwrap(),
                entry.amount.hundredths(),
                supplier,
            )
        });
        (entries.collect(), findings.into_all().len())
    }

    #[test]
    fn contracts_awards_without_one_and_payments_are_counted_once_each() {
        let (entries, told) = of(r#"{"buyer":{"id":"B"},"parties":[{"id":"S"},{"id":"T"}],
            "awards":[
                {"id":"1","value":{"amount":10,"currency":"CNY"},"suppliers":[{"id":"S"}]},
                {"id":"2","value":{"amount":20,"currency":"CNY"},"suppliers":[{"id":"S"},{"id":"T"}]},
                {"id":"3","status":"cancelled","value":{"amount":30,"currency":"CNY"}}],
            "contracts":[{"id":"1","awardID":"1","implementation":{"transactions":[{"id":"t","value":{"amount":4,"currency":"CNY"}}]}},
                {"id":"2","awardID":"9","value":{"amount":7,"currency":"CNY"}}]}"#);
        assert_eq!(
            entries,
            [
                (What::Agreed, "1".to_owned(), 1_000, Some("S".to_owned())),
                (What::Agreed, "2".to_owned(), 700, None),
                (What::Agreed, "award 2".to_owned(), 2_000, None),
                (What::Paid, "1".to_owned(), 400, Some("S".to_owned())),
            ]
        );
        assert_eq!(told, 0);
    }

    #[test]
    fn what_cannot_be_counted_is_told() {
        let (entries, told) = of(
            r#"{"awards":[{"id":"1","value":{"amount":10}},{"id":"2","value":{"amount":20000000000000,"currency":"PYG"}}]}"#,
        );
        assert_eq!((entries.len(), told), (1, 1));
        let (entries, told) = of(r#"{"awards":[{"id":"1","value":{"amount":10}}]}"#);
        assert_eq!((entries.len(), told), (0, 1));
    }
}
