//! What a bid's price is when it says several (87号令 art 59): the corrections of the statutes, one after the other in their order, each of
//! what the one before has left. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::money::Money;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::statutes::value::Choices;

/// Minutes that a bidder gets at least to confirm a correction, which no statute says.
pub const ANSWER_MINUTES_MIN: u32 = 10;
/// Minutes that anybody gets at most to answer the panel: two weeks.
pub const ANSWER_MINUTES_MAX: u32 = 20_160;

/// The bid says one price everywhere.
pub static CORRECTION_NEEDLESS: Reason = Reason::new(
    Kind::Conflict,
    "correction_needless",
    "投标报价前后一致，无需修正",
    "The bid says the same price everywhere; there is nothing to correct",
);
/// The price was put to the bidder already.
pub static CORRECTION_EXISTS: Reason = Reason::new(
    Kind::Conflict,
    "correction_exists",
    "该投标的报价已经修正",
    "The price of this bid was corrected already",
);
/// Nothing waits for the bidder's answer.
pub static CORRECTION_NOT_OPEN: Reason = Reason::new(
    Kind::Conflict,
    "correction_not_open",
    "没有等待确认的报价修正",
    "No corrected price waits for an answer",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 3] = [&CORRECTION_NEEDLESS, &CORRECTION_EXISTS, &CORRECTION_NOT_OPEN];

/// What a bid says of its price, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// In the opening list: what was read out.
    pub opening_list: Money,
    /// In its body, where that is another amount.
    pub body: Option<Money>,
    /// In words.
    pub words: Option<Money>,
    /// What unit prices and quantities come to; `None` if they cannot be reckoned.
    pub lines: Option<Money>,
}

/// One correction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceCorrectionStep, example = json!({"rule": "unit_price_over_total", "from": {"amount": "500.01", "currency": "CNY"}, "to": {"amount": "500.00", "currency": "CNY"}}))]
pub struct Step {
    /// Which of the statute's order.
    #[schema(max_length = 60)]
    pub rule: String,
    /// The price before it.
    pub from: Money,
    /// The price after it.
    pub to: Money,
}

/// What a price comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// The price.
    pub price: Money,
    /// How it was arrived at; nothing if the bid says the same everywhere.
    pub steps: Vec<Step>,
}

/// Corrects a price by the order of the statutes. What the order does not name is not corrected by.
pub fn corrected(said: &Said, order: &Choices) -> Corrected {
    let mut price = said.body.unwrap_or(said.opening_list);
    let mut steps = Vec::new();
    for choice in &order.0 {
        let to = match choice.code.as_str() {
            "opening_list_over_body" => Some(said.opening_list),
            "words_over_figures" => said.words,
            "unit_price_over_total" => said.lines,
            _ => None,
        };
        let Some(to) = to.filter(|to| *to != price) else {
            continue;
        };
        steps.push(Step {
            rule: choice.code.clone(),
            from: price,
            to,
        });
        price = to;
    }
    Corrected { price, steps }
}

/// What the panel read in a bid, checked.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID) with every fault; [`CORRECTION_NEEDLESS`].
pub fn proposed(
    (opening_list, lines): (Money, Option<Money>),
    body: Option<Money>,
    words: Option<&str>,
    order: &Choices,
) -> Result<(Said, Corrected), Refusal> {
    let mut form = Form::new();
    if body.is_some_and(|body| body.fen() <= 0) {
        form.object("/body", Text::fixed("应大于 0", "must be more than 0"));
    }
    let read = words.map(Money::from_words_zh).transpose();
    let words = read.unwrap_or_else(|_| {
        form.object(
            "/words",
            Text::fixed(
                "不是规范的中文大写金额",
                "is no amount in Chinese capital numerals",
            ),
        );
        None
    });
    if words.is_some_and(|words| words.fen() <= 0) {
        form.object("/words", Text::fixed("应大于 0", "must be more than 0"));
    }
    let said = form.finish(Said {
        opening_list,
        body,
        words,
        lines,
    })?;
    let corrected = corrected(&said, order);
    if corrected.steps.is_empty() {
        return Err(CORRECTION_NEEDLESS.refuse());
    }
    Ok((said, corrected))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::statutes::built_in;
    use crate::statutes::codes::EVALUATION_CORRECTION_ORDER;
    use proptest::prelude::*;

    fn fen(amount: i64) -> Money {
        Money::from_fen(amount).unwrap()
    }

    fn order() -> &'static Choices {
        static OF_CN: LazyLock<Choices> = LazyLock::new(|| {
            let profiles = built_in::profiles_for("cn").unwrap();
            let newest = profiles.last().unwrap();
            newest.rule(EVALUATION_CORRECTION_ORDER).unwrap()
        });
        &OF_CN
    }

    fn price(list: i64, body: Option<i64>, words: Option<i64>, lines: Option<i64>) -> (i64, Vec<String>) {
        let said = Said {
            opening_list: fen(list),
            body: body.map(fen),
            words: words.map(fen),
            lines: lines.map(fen),
        };
        let corrected = corrected(&said, order());
        (
            corrected.price.fen(),
            corrected.steps.into_iter().map(|step| step.rule).collect(),
        )
    }

    #[test]
    fn each_correction_is_of_what_the_one_before_has_left() {
        const LIST: &str = "opening_list_over_body";
        const WORDS: &str = "words_over_figures";
        const LINES: &str = "unit_price_over_total";
        type Case = (
            i64,
            Option<i64>,
            Option<i64>,
            Option<i64>,
            i64,
            &'static [&'static str],
        );
        let cases: [Case; 8] = [
            (100, None, None, None, 100, &[]),
            (100, Some(100), Some(100), Some(100), 100, &[]),
            (100, Some(90), None, None, 100, &[LIST]),
            (100, None, Some(90), None, 90, &[WORDS]),
            (100, None, None, Some(90), 90, &[LINES]),
            (100, Some(80), Some(90), Some(95), 95, &[LIST, WORDS, LINES]),
            // The words are right after all: the figures are corrected by them, and the lines agree.
            (100, Some(90), Some(90), Some(90), 90, &[LIST, WORDS]),
            (100, None, Some(90), Some(100), 100, &[WORDS, LINES]),
        ];
        for (list, body, words, lines, expected, steps) in cases {
            let (found, rules) = price(list, body, words, lines);
            assert_eq!(
                (found, rules.as_slice()),
                (
                    expected,
                    steps
                        .iter()
                        .map(|one| (*one).to_owned())
                        .collect::<Vec<_>>()
                        .as_slice()
                )
            );
        }
    }

    #[test]
    fn a_statute_without_an_order_corrects_nothing() {
        let said = Said {
            opening_list: fen(100),
            body: None,
            words: Some(fen(1)),
            lines: Some(fen(2)),
        };
        let corrected = corrected(&said, &Choices(Vec::new()));
        assert_eq!((corrected.price, corrected.steps), (fen(100), Vec::new()));
    }

    #[test]
    fn what_the_panel_reads_is_checked() {
        let code = |body, words: Option<&str>, lines| {
            let result = proposed((fen(50_000), lines), body, words, order());
            result
                .map(|(_, corrected)| corrected.price.fen())
                .map_err(|refusal| {
                    let places: Vec<String> = refusal.objections.into_iter().map(|one| one.pointer).collect();
                    (refusal.reason.code, places)
                })
        };
        assert_eq!(
            code(None, Some("伍佰元整"), Some(fen(50_000))),
            Err(("correction_needless", vec![]))
        );
        assert_eq!(code(None, Some("伍佰零壹元整"), Some(fen(50_100))), Ok(50_100));
        assert_eq!(code(None, Some("人民币伍佰零壹元整"), None), Ok(50_100));
        assert_eq!(
            code(Some(fen(0)), Some("五百块"), None),
            Err(("invalid", vec!["/body".to_owned(), "/words".to_owned()]))
        );
    }

    proptest! {
        #[test]
        fn the_last_that_says_something_has_its_way(list in 1_i64..1_000, body in proptest::option::of(1_i64..1_000), words in proptest::option::of(1_i64..1_000), lines in proptest::option::of(1_i64..1_000)) {
            let (found, steps) = price(list, body, words, lines);
            prop_assert_eq!(found, lines.or(words).unwrap_or(list));
            let differ = [body, words, lines].into_iter().flatten().any(|one| one != list);
            prop_assert!(differ || steps.is_empty());
        }
    }
}
