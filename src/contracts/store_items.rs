//! The table of what signed contracts buy, item by item. Added with the second signature and never changed.

use diesel::prelude::*;

use crate::both;
use crate::contracts::rules::Contract;
use crate::contracts::rules_items::Item;
use crate::db::schema::contract_items;
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::refusal::Answer;

/// Adds the items of a contract. Those that were added before stay as they are.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, contract: &Contract, items: &[Item]) -> Answer<()> {
    for item in items {
        both!(tx.conn(), c => diesel::insert_into(contract_items::table)
            .values((
                contract_items::contract_id.eq(&contract.id),
                contract_items::number.eq(item.number),
                contract_items::name_zh.eq(&item.name_zh),
                contract_items::name_en.eq(&item.name_en),
                contract_items::unit_zh.eq(&item.unit_zh),
                contract_items::unit_en.eq(&item.unit_en),
                contract_items::quantity_millionths.eq(item.quantity_millionths),
                contract_items::unit_price.eq(item.unit_price),
                contract_items::ceiling_fen.eq(item.ceiling.map(Money::fen)),
                contract_items::price_fen.eq(contract.price.fen()),
            ))
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(())
}
