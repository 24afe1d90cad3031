//! The rules of saved searches: what somebody wants to be told of when it becomes public. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules_search::terms;
use crate::books::rules_stages::Stage;
use crate::books::store_search::{Order, Wanted};
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::web::problem::INVALID;

crate::ids! {
    /// A saved search.
    SavedSearchId "savedsearch"
}

/// Searches that one account saves.
pub const SAVED_MAX: usize = 20;
/// Characters of its name.
pub const NAME_LENGTH_MAX: usize = 100;

/// The account has saved as many as one may.
pub static TOO_MANY: Reason = Reason::new(
    Kind::Conflict,
    "saved_searches_too_many",
    "保存的检索数量已达上限",
    "You have saved as many searches as one may",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 1] = [&TOO_MANY];

/// What is searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SavedSearchQuestion, example = json!({"q": "环卫", "category": "sanitation"}))]
pub struct Wish {
    /// The words, as in `GET /search`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub q: Option<String>,
    /// Of this kind.
    #[serde(default)]
    #[schema(pattern = "^(intention_notice|contract_book|service_standard)$")]
    pub kind: Option<String>,
    /// Of this category of services.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub category: Option<String>,
    /// In this stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^(planned|open|closed|cancelled)$")]
    pub stage: Option<String>,
    /// About this area, one within it, or a larger one that it lies in.
    #[serde(default)]
    pub area_id: Option<AreaId>,
    /// Of this buyer.
    #[serde(default)]
    pub buyer: Option<OrganisationId>,
    /// For at least so much.
    #[serde(default)]
    pub value_min: Option<Money>,
    /// For at most so much.
    #[serde(default)]
    pub value_max: Option<Money>,
}

impl Wish {
    /// As the search is asked at an instant, in the order in which documents became public.
    ///
    /// # Errors
    /// Words that cannot be searched for.
    pub fn wanted(&self, now: Instant) -> Result<Wanted, Refusal> {
        let terms = match &self.q {
            Some(q) => terms(q)?,
            None => Vec::new(),
        };
        Ok(Wanted {
            terms,
            kind: self.kind.clone(),
            category: self.category.clone(),
            area: self.area_id.clone(),
            stage: self
                .stage
                .as_deref()
                .and_then(Stage::named)
                .map(|stage| (stage, now)),
            organisation: self.buyer.clone(),
            from: None,
            until: None,
            value_min: self.value_min,
            value_max: self.value_max,
            order: Order::Sequence(0),
        })
    }
}

/// A saved search. Has no `Debug`: what somebody searches for is their own business.
#[derive(Clone, PartialEq, Eq)]
pub struct SavedSearch {
    /// Its id.
    pub id: SavedSearchId,
    /// Whose it is.
    pub account_id: String,
    /// What its owner calls it.
    pub name: String,
    /// What is searched for.
    pub wish: Wish,
    /// Up to which document it has been asked.
    pub seen: i64,
    /// When it was saved.
    pub created_at: Instant,
}

/// Checks a search that is to be saved.
///
/// # Errors
/// Every fault of it.
pub fn saved(
    id: SavedSearchId,
    account: &str,
    name: &str,
    wish: &Wish,
    (seen, now): (i64, Instant),
) -> Result<SavedSearch, Refusal> {
    let mut form = Form::new();
    let name = form.line("/name", name, NAME_LENGTH_MAX);
    for (pointer, word) in [
        ("/question/kind", &wish.kind),
        ("/question/category", &wish.category),
    ] {
        form.optional_line(pointer, word.as_deref(), 40);
    }
    if wish
        .stage
        .as_deref()
        .is_some_and(|name| Stage::named(name).is_none())
    {
        form.object(
            "/question/stage",
            Text::fixed("没有该阶段", "there is no such stage"),
        );
    }
    let (name, wish) = form.finish((name, wish.clone()))?;
    if let Err(refusal) = wish.wanted(now) {
        let detail = refusal
            .detail
            .unwrap_or_else(|| Text::fixed("无法检索", "cannot be searched for"));
        return Err(INVALID.because(detail).at("/question/q"));
    }
    Ok(SavedSearch {
        id,
        account_id: account.to_owned(),
        name,
        wish,
        seen,
        created_at: now,
    })
}
