//! What is done to categories of services: added, renamed, retired. Permission first, event last.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::standards::rules::{self, CATEGORY_TAKEN, Category, CategoryState};
use crate::standards::store;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A category to add.
#[derive(Clone, Debug)]
pub struct AddCategory {
    /// Its code.
    pub code: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
}

/// Another name or state; what is `None` stays as it is.
#[derive(Clone, Debug)]
pub struct ChangeCategory {
    /// Which category.
    pub code: String,
    /// Which version of it.
    pub expected: Expected,
    /// Chinese name.
    pub name_zh: Option<String>,
    /// English name.
    pub name_en: Option<String>,
    /// Whether it takes new standards.
    pub state: Option<CategoryState>,
}

/// Adds a category.
///
/// # Errors
/// Permission; those of the rules; [`CATEGORY_TAKEN`].
pub fn add(tx: &mut Tx<'_>, actor: &Actor, command: &AddCategory) -> Answer<Category> {
    policy::allow(actor, Action::KeepServiceCategories, Matter::default())?;
    let names = (command.name_zh.as_str(), command.name_en.as_str());
    let category = rules::category(&command.code, names, tx.now())?;
    if store::category(tx.conn(), &category.code)?.is_some() {
        return Err(CATEGORY_TAKEN.refuse().at("/code").into());
    }
    store::insert_category(tx, &category)?;
    audit::store::append(tx, actor, &event("service_category.added", &category))?;
    Ok(category)
}

/// Renames a category, retires it, or opens it again. As it is already, nothing changes.
///
/// # Errors
/// Permission; not found; a stale version; those of the rules.
pub fn change(tx: &mut Tx<'_>, actor: &Actor, command: &ChangeCategory) -> Answer<Category> {
    policy::allow(actor, Action::KeepServiceCategories, Matter::default())?;
    let before = store::category(tx.conn(), &command.code)?.ok_or_else(|| NOT_FOUND.refuse())?;
    command.expected.check(before.version)?;
    let name_zh = command.name_zh.as_deref().unwrap_or(&before.name.zh);
    let name_en = command.name_en.as_deref().unwrap_or(&before.name.en);
    let state = command.state.unwrap_or(before.state);
    let changed = rules::change_category(before.clone(), (name_zh, name_en), state, tx.now())?;
    let Some(changed) = changed else {
        tx.nothing_to_change();
        return Ok(before);
    };
    store::update_category(tx, &changed)?;
    audit::store::append(tx, actor, &event("service_category.changed", &changed))?;
    Ok(changed)
}

fn event(kind: &'static str, category: &Category) -> Event {
    Event {
        kind,
        subject: category.code.clone(),
        data: json!({
            "name_zh": category.name.zh,
            "name_en": category.name.en,
            "state": category.state,
        }),
        private: Value::Null,
    }
}
