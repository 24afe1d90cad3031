//! What a contract buys, item by item: the quantities of its lot, each with what was bid for one unit. Pure.

use crate::contracts::rules_document::ContractDocument;
use crate::kernel::fixed::{Shape, read};
use crate::kernel::money::Money;
use crate::kernel::refusal::Fault;

/// An item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its number in the lot, from 1.
    pub number: i64,
    /// What it is, in Chinese.
    pub name_zh: String,
    /// What it is, in English.
    pub name_en: String,
    /// Its unit in Chinese.
    pub unit_zh: String,
    /// Its unit in English.
    pub unit_en: String,
    /// How much, in millionths of the unit.
    pub quantity_millionths: i64,
    /// What was bid for one unit and the whole term, in hundred-millionths of a yuan.
    pub unit_price: i64,
    /// The highest price of its lot.
    pub ceiling: Option<Money>,
}

fn units(text: &str, places: u32) -> Result<i64, Fault> {
    let shape = Shape {
        places_max: places,
        signed: false,
    };
    let number = read(text, shape).map_err(|error| Fault::caused("read an item of a contract", error))?;
    let units = number.units_at(places);
    units.ok_or_else(|| Fault::broken(format!("an item of a contract has {text} units")))
}

/// The items of a contract: those quantities of its lot that a price was bid for.
///
/// # Errors
/// A fault of numbers that are none, which the book and the bid were refused for.
pub fn items(document: &ContractDocument) -> Result<Vec<Item>, Fault> {
    let mut items = Vec::new();
    for (number, quantity) in (1_u32..).zip(&document.lot.quantities) {
        let mut lines = document.bid.price_lines.iter();
        let Some(line) = lines.find(|line| line.quantity == number) else {
            continue;
        };
        items.push(Item {
            number: i64::from(number),
            name_zh: quantity.name_zh.clone(),
            name_en: quantity.name_en.clone(),
            unit_zh: quantity.unit_zh.clone(),
            unit_en: quantity.unit_en.clone(),
            quantity_millionths: units(&quantity.amount, 6)?,
            unit_price: units(&line.unit_price, 8)?,
            ceiling: document.lot.ceiling,
        });
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_in_their_smallest_unit() {
        assert_eq!(units("13.6", 8).ok(), Some(1_360_000_000));
        assert_eq!(units("58000", 6).ok(), Some(58_000_000_000));
        assert_eq!(units("999999999.99999999", 8).ok(), Some(99_999_999_999_999_999));
        assert!(units("1.123456789", 8).is_err() && units("-1", 8).is_err() && units("viel", 8).is_err());
    }
}
