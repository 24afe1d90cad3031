//! What is published as tables: rows made of what processes say last, by year. A cell that a spreadsheet would take for a formula is kept from being one. Pure.

use std::collections::BTreeMap;

use crate::kernel::money::Money;
use crate::kernel::text::plain_cell;
use crate::publish::rules_json::{Json, Object};

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Contract books, by the year in which they were published.
    Books,
    /// Their lots, by the same.
    Lots,
    /// Awards, by the year of their notices.
    Awards,
    /// Contracts, by the year in which the second party signed.
    Contracts,
    /// Periods, by the year in which they end.
    Periods,
    /// Payments, by the year in which they were made.
    Payments,
    /// Suppliers: what each was awarded, signed for and was paid in the year.
    Suppliers,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Books,
        Self::Lots,
        Self::Awards,
        Self::Contracts,
        Self::Periods,
        Self::Payments,
        Self::Suppliers,
    ];

    /// The name in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Books => "books",
            Self::Lots => "lots",
            Self::Awards => "awards",
            Self::Contracts => "contracts",
            Self::Periods => "periods",
            Self::Payments => "payments",
            Self::Suppliers => "suppliers",
        }
    }

    /// The table of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The names of its columns.
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Books => &[
                "ocid",
                "book_id",
                "title_zh",
                "title_en",
                "buyer_id",
                "buyer",
                "status",
                "method",
                "ceiling",
                "published_at",
                "bid_deadline",
                "opened_at",
                "service_from",
                "service_until",
                "bidders",
            ],
            Self::Lots => &[
                "ocid", "book_id", "lot_id", "title_zh", "title_en", "status", "ceiling", "bids",
            ],
            Self::Awards => &[
                "ocid",
                "award_id",
                "lot_id",
                "status",
                "noticed_at",
                "price",
                "supplier_id",
                "supplier",
                "bid_id",
            ],
            Self::Contracts => &[
                "ocid",
                "contract_id",
                "award_id",
                "status",
                "signed_at",
                "price",
                "from",
                "until",
                "buyer_id",
                "supplier_id",
                "supplier",
                "paid",
            ],
            Self::Periods => &[
                "ocid",
                "contract_id",
                "period",
                "ends_at",
                "status",
                "accepted_since",
            ],
            Self::Payments => &[
                "ocid",
                "contract_id",
                "payment_id",
                "paid_at",
                "amount",
                "payer_id",
                "payee_id",
                "payee",
                "period",
            ],
            Self::Suppliers => &[
                "supplier_id",
                "supplier",
                "awards",
                "contracts",
                "signed_for",
                "payments",
                "paid",
            ],
        }
    }
}

/// What lies at a path of members.
fn at<'o>(object: &'o Object, path: &[&str]) -> Option<&'o Json> {
    let (last, before) = path.split_last()?;
    let mut object = object;
    for name in before {
        object = object.get(name)?.as_object()?;
    }
    object.get(last)
}

fn text(object: &Object, path: &[&str]) -> String {
    match at(object, path) {
        Some(Json::Text(text)) => plain_cell(text),
        Some(Json::Number(number)) => number.clone(),
        _ => String::new(),
    }
}

/// An amount with two decimals.
fn amount(object: &Object, path: &[&str]) -> String {
    money(object, path).map_or_else(String::new, |amount| amount.to_string())
}

pub(super) fn money(object: &Object, path: &[&str]) -> Option<Money> {
    let value = at(object, path)?.as_object()?;
    match value.get("amount") {
        Some(Json::Number(number)) => number.parse().ok(),
        _ => None,
    }
}

fn first<'o>(object: &'o Object, name: &str) -> Option<&'o Object> {
    object.objects(name).next()
}

/// The year of an instant as it is written, UTC.
fn is_of(year: &str, instant: &str) -> bool {
    instant.get(..4) == Some(year)
}

/// The rows of a table that the last release of a process has for a year; none of suppliers, which are added up by [`Suppliers`].
pub fn rows(table: Table, year: &str, release: &Object) -> Vec<Vec<String>> {
    match table {
        Table::Books => books(year, release),
        Table::Lots => lots(year, release),
        Table::Awards => awards(year, release),
        Table::Contracts => contracts(year, release),
        Table::Periods => periods(year, release),
        Table::Payments => payments(year, release),
        Table::Suppliers => Vec::new(),
    }
}

fn published(release: &Object) -> String {
    text(release, &["tender", "tenderPeriod", "startDate"])
}

fn books(year: &str, release: &Object) -> Vec<Vec<String>> {
    let at = published(release);
    if !is_of(year, &at) {
        return Vec::new();
    }
    let of = |path: &[&str]| text(release, path);
    vec![vec![
        of(&["ocid"]),
        of(&["tender", "id"]),
        of(&["tender", "title"]),
        of(&["tender", "title_en"]),
        of(&["buyer", "id"]),
        of(&["buyer", "name"]),
        of(&["tender", "status"]),
        of(&["tender", "procurementMethodDetails"]),
        amount(release, &["tender", "value"]),
        at,
        of(&["tender", "tenderPeriod", "endDate"]),
        of(&["tender", "bidOpening", "date"]),
        of(&["tender", "contractPeriod", "startDate"]),
        of(&["tender", "contractPeriod", "endDate"]),
        of(&["tender", "numberOfTenderers"]),
    ]]
}

fn lots(year: &str, release: &Object) -> Vec<Vec<String>> {
    let Some(tender) = release.get("tender").and_then(Json::as_object) else {
        return Vec::new();
    };
    if !is_of(year, &published(release)) {
        return Vec::new();
    }
    let bids = release.get("bids").and_then(Json::as_object);
    let row = |lot: &Object| {
        let count = bids.map(|bids| {
            let of_lot = |bid: &&Object| {
                let lots = bid
                    .get("relatedLots")
                    .and_then(Json::as_array)
                    .unwrap_or_default();
                lots.first() == lot.get("id")
            };
            bids.objects("details").filter(of_lot).count().to_string()
        });
        vec![
            text(release, &["ocid"]),
            text(tender, &["id"]),
            text(lot, &["id"]),
            text(lot, &["title"]),
            text(lot, &["title_en"]),
            text(lot, &["status"]),
            amount(lot, &["value"]),
            count.unwrap_or_default(),
        ]
    };
    tender.objects("lots").map(row).collect()
}

fn awards(year: &str, release: &Object) -> Vec<Vec<String>> {
    let of_year = release
        .objects("awards")
        .filter(|award| is_of(year, &text(award, &["date"])));
    let row = |award: &Object| {
        let supplier = first(award, "suppliers");
        let lot = award
            .get("relatedLots")
            .and_then(Json::as_array)
            .and_then(<[Json]>::first);
        vec![
            text(release, &["ocid"]),
            text(award, &["id"]),
            lot.and_then(Json::as_text).unwrap_or_default().to_owned(),
            text(award, &["status"]),
            text(award, &["date"]),
            amount(award, &["value"]),
            supplier.map_or_else(String::new, |one| text(one, &["id"])),
            supplier.map_or_else(String::new, |one| text(one, &["name"])),
            text(award, &["relatedBid"]),
        ]
    };
    of_year.map(row).collect()
}

fn transactions(contract: &Object) -> impl Iterator<Item = &Object> {
    let work = contract.get("implementation").and_then(Json::as_object);
    work.into_iter().flat_map(|work| work.objects("transactions"))
}

fn contracts(year: &str, release: &Object) -> Vec<Vec<String>> {
    let of_year = release
        .objects("contracts")
        .filter(|contract| is_of(year, &text(contract, &["dateSigned"])));
    let row = |contract: &Object| {
        let supplier = first(contract, "suppliers");
        let paid = Money::sum(transactions(contract).filter_map(|one| money(one, &["value"])));
        vec![
            text(release, &["ocid"]),
            text(contract, &["id"]),
            text(contract, &["awardID"]),
            text(contract, &["status"]),
            text(contract, &["dateSigned"]),
            amount(contract, &["value"]),
            text(contract, &["period", "startDate"]),
            text(contract, &["period", "endDate"]),
            text(release, &["buyer", "id"]),
            supplier.map_or_else(String::new, |one| text(one, &["id"])),
            supplier.map_or_else(String::new, |one| text(one, &["name"])),
            paid.map_or_else(|_| String::new(), |paid| paid.to_string()),
        ]
    };
    of_year.map(row).collect()
}

fn periods(year: &str, release: &Object) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for contract in release.objects("contracts") {
        let work = contract.get("implementation").and_then(Json::as_object);
        let promised = contract.objects("milestones");
        for milestone in promised.filter(|one| is_of(year, &text(one, &["dueDate"]))) {
            let mut told = work.into_iter().flat_map(|work| work.objects("milestones"));
            let told = told.find(|one| one.get("id") == milestone.get("id"));
            let now = told.unwrap_or(milestone);
            let number = text(milestone, &["id"]);
            rows.push(vec![
                text(release, &["ocid"]),
                text(contract, &["id"]),
                number.strip_prefix("period-").unwrap_or(&number).to_owned(),
                text(milestone, &["dueDate"]),
                text(now, &["status"]),
                text(now, &["dateMet"]),
            ]);
        }
    }
    rows
}

fn payments(year: &str, release: &Object) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for contract in release.objects("contracts") {
        for payment in transactions(contract).filter(|one| is_of(year, &text(one, &["date"]))) {
            let period = text(payment, &["relatedImplementationMilestone", "id"]);
            rows.push(vec![
                text(release, &["ocid"]),
                text(contract, &["id"]),
                text(payment, &["id"]),
                text(payment, &["date"]),
                amount(payment, &["value"]),
                text(payment, &["payer", "id"]),
                text(payment, &["payee", "id"]),
                text(payment, &["payee", "name"]),
                period.strip_prefix("period-").unwrap_or_default().to_owned(),
            ]);
        }
    }
    rows
}

/// What suppliers were awarded, signed for and were paid in a year, added up over processes.
#[derive(Debug, Default)]
pub struct Suppliers(BTreeMap<String, Line>);

#[derive(Debug, Default)]
struct Line {
    name: String,
    awards: usize,
    contracts: usize,
    signed_for: Money,
    payments: usize,
    paid: Money,
}

impl Suppliers {
    /// Adds what the last release of a process says. Awards that came to nothing are none.
    pub fn add(&mut self, year: &str, release: &Object) {
        for award in release.objects("awards") {
            let counts = award.text("status") == Some("active") && is_of(year, &text(award, &["date"]));
            if let (true, Some(supplier)) = (counts, first(award, "suppliers")) {
                let line = self.line(supplier);
                line.awards = line.awards.saturating_add(1);
            }
        }
        for contract in release.objects("contracts") {
            if let (true, Some(supplier)) = (
                is_of(year, &text(contract, &["dateSigned"])),
                first(contract, "suppliers"),
            ) {
                let line = self.line(supplier);
                line.contracts = line.contracts.saturating_add(1);
                add(&mut line.signed_for, money(contract, &["value"]));
            }
            for payment in transactions(contract).filter(|one| is_of(year, &text(one, &["date"]))) {
                if let Some(payee) = payment.get("payee").and_then(Json::as_object) {
                    let line = self.line(payee);
                    line.payments = line.payments.saturating_add(1);
                    add(&mut line.paid, money(payment, &["value"]));
                }
            }
        }
    }

    fn line(&mut self, supplier: &Object) -> &mut Line {
        let line = self.0.entry(text(supplier, &["id"])).or_default();
        line.name = text(supplier, &["name"]);
        line
    }

    /// The rows.
    pub fn rows(self) -> Vec<Vec<String>> {
        let row = |(id, line): (String, Line)| {
            vec![
                id,
                line.name,
                line.awards.to_string(),
                line.contracts.to_string(),
                line.signed_for.to_string(),
                line.payments.to_string(),
                line.paid.to_string(),
            ]
        };
        self.0.into_iter().map(row).collect()
    }
}

/// Adds an amount; beyond what amounts can be it stays where it is.
fn add(sum: &mut Money, amount: Option<Money>) {
    if let Some(Ok(more)) = amount.map(|amount| sum.checked_add(amount)) {
        *sum = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Object {
        let text = r#"{"ocid":"ocds-213czf-1","buyer":{"id":"org_b","name":"=甲"},
            "tender":{"id":"book_1","title":"保洁","status":"complete","value":{"amount":100.50,"currency":"CNY"},"tenderPeriod":{"startDate":"2025-12-31T23:59:59.000000Z"},"lots":[{"id":"lot_1","status":"complete"}]},
            "bids":{"details":[{"id":"bid_1","relatedLots":["lot_1"]},{"id":"bid_2","relatedLots":["lot_2"]}]},
            "awards":[{"id":"award_1","status":"active","date":"2026-01-02T00:00:00.000000Z","value":{"amount":100,"currency":"CNY"},"suppliers":[{"id":"org_s","name":"乙"}],"relatedLots":["lot_1"],"relatedBid":"bid_1"},
                {"id":"award_0","status":"cancelled","date":"2026-01-01T00:00:00.000000Z","suppliers":[{"id":"org_s","name":"乙"}]}],
            "contracts":[{"id":"contract_1","awardID":"award_1","status":"active","dateSigned":"2026-01-03T00:00:00.000000Z","value":{"amount":100,"currency":"CNY"},"suppliers":[{"id":"org_s","name":"乙"}],
                "milestones":[{"id":"period-1","dueDate":"2026-02-01T00:00:00.000000Z","status":"scheduled"},{"id":"period-2","dueDate":"2027-02-01T00:00:00.000000Z","status":"scheduled"}],
                "implementation":{"milestones":[{"id":"period-1","status":"met","dateMet":"2026-02-02T00:00:00.000000Z"}],
                    "transactions":[{"id":"claim_1","date":"2026-02-03T00:00:00.000000Z","value":{"amount":40.25,"currency":"CNY"},"payee":{"id":"org_s","name":"乙"},"relatedImplementationMilestone":{"id":"period-1"}},
                        {"id":"claim_2","date":"2027-02-03T00:00:00.000000Z","value":{"amount":20,"currency":"CNY"},"payee":{"id":"org_s","name":"乙"}}]}}]}"#;
        match Json::parse(text) {
            Ok(Json::Object(object)) => object,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn rows_are_those_of_the_year() {
        let release = release();
        let row = |table: Table, year: &str| {
            rows(table, year, &release)
                .iter()
                .map(|row| row.join("|"))
                .collect::<Vec<_>>()
        };
        assert_eq!(row(Table::Books, "2026"), Vec::<String>::new());
        let book = row(Table::Books, "2025");
        assert!(
            book[0].starts_with("ocds-213czf-1|book_1|保洁||org_b|'=甲|complete||100.50|"),
            "{book:?}"
        );
        assert!(row(Table::Lots, "2025")[0].ends_with("|complete||1"));
        assert_eq!(row(Table::Awards, "2026").len(), 2);
        assert!(row(Table::Contracts, "2026")[0].ends_with("|org_b|org_s|乙|60.25"));
        assert_eq!(
            row(Table::Periods, "2026"),
            ["ocds-213czf-1|contract_1|1|2026-02-01T00:00:00.000000Z|met|2026-02-02T00:00:00.000000Z"]
        );
        assert_eq!(
            row(Table::Periods, "2027"),
            ["ocds-213czf-1|contract_1|2|2027-02-01T00:00:00.000000Z|scheduled|"]
        );
        assert_eq!(
            row(Table::Payments, "2026"),
            ["ocds-213czf-1|contract_1|claim_1|2026-02-03T00:00:00.000000Z|40.25||org_s|乙|1"]
        );
        for table in Table::ALL {
            for year in ["2025", "2026", "2027"] {
                assert!(
                    rows(table, year, &release)
                        .iter()
                        .all(|row| row.len() == table.columns().len())
                );
            }
            assert_eq!(Table::named(table.name()), Some(table));
        }
    }

    #[test]
    fn suppliers_are_added_up_to_the_fen() {
        let mut suppliers = Suppliers::default();
        suppliers.add("2026", &release());
        suppliers.add("2026", &release());
        assert_eq!(
            suppliers.rows(),
            [["org_s", "乙", "2", "2", "200.00", "2", "80.50"].map(str::to_owned)]
        );
        let mut later = Suppliers::default();
        later.add("2027", &release());
        assert_eq!(
            later.rows(),
            [["org_s", "乙", "0", "0", "0.00", "1", "20.00"].map(str::to_owned)]
        );
    }
}
