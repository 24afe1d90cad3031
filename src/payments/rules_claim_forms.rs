//! The forms of claims: what a contractor enters, and words in both languages, with every fault at once. Pure.

use chrono::NaiveDate;

use crate::kernel::money::Money;
use crate::kernel::refusal::Refusal;
use crate::kernel::text::Text;
use crate::payments::rules_claims::{Entered, INVOICE_LENGTH_MAX, Kind, WORDS_LENGTH_MAX};
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;

/// Words in both languages.
///
/// # Errors
/// Every fault of the form.
pub fn words(member: &str, (zh, en): (&str, &str)) -> Result<Line, Refusal> {
    let mut form = Form::new();
    let line = Line {
        zh: form.line(&format!("/{member}_zh"), zh, WORDS_LENGTH_MAX),
        en: form.line(&format!("/{member}_en"), en, WORDS_LENGTH_MAX),
    };
    form.finish(line)
}

/// What a contractor enters: a claim for a period names it, and no other does; the invoice has a number and a day that is not to come; the amount is more than
/// nothing.
///
/// # Errors
/// Every fault of the form.
pub fn entered(raw: Entered, today: NaiveDate) -> Result<Entered, Refusal> {
    let mut form = Form::new();
    match (raw.kind, raw.period) {
        (Kind::Period, None) => form.object("/period", Text::fixed("应填写期数", "must name the period")),
        (Kind::Period, Some(_)) | (_, None) => {}
        (_, Some(_)) => form.object(
            "/period",
            Text::fixed("仅分期请款填写", "is for claims of a period alone"),
        ),
    }
    let invoice_number = form.line("/invoice_number", &raw.invoice_number, INVOICE_LENGTH_MAX);
    if raw.invoice_on > today {
        form.object("/invoice_on", Text::fixed("不得晚于今天", "must not be to come"));
    }
    if raw.amount <= Money::ZERO {
        form.object("/amount", Text::fixed("应大于零", "must be more than zero"));
    }
    form.finish(Entered {
        invoice_number,
        ..raw
    })
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;
    use crate::payments::rules_claims::tests::{now, yuan};

    fn places(result: Result<Entered, Refusal>) -> Vec<String> {
        let refusal = result.err();
        let objections = refusal.into_iter().flat_map(|refusal| refusal.objections);
        objections.map(|one| one.pointer).collect()
    }

    #[test]
    fn everything_that_is_wrong_with_a_claim_is_named() {
        let of = |kind, period, number: &str, days, amount: &str| {
            let raw = Entered {
                kind,
                period,
                invoice_number: number.to_owned(),
                invoice_on: now().date_naive() + Duration::days(days),
                amount: yuan(amount),
            };
            places(entered(raw, now().date_naive()))
        };
        assert!(of(Kind::Period, Some(1), " 1 ", 0, "0.01").is_empty());
        assert!(of(Kind::Advance, None, "1", -40, "1.00").is_empty());
        assert_eq!(
            of(Kind::Period, None, " ", 1, "0.00"),
            ["/period", "/invoice_number", "/invoice_on", "/amount"]
        );
        assert_eq!(
            of(Kind::Retention, Some(1), "1", 0, "-1.00"),
            ["/period", "/amount"]
        );
        assert_eq!(
            of(Kind::Settlement, Some(1), &"1".repeat(41), 0, "1.00"),
            ["/period", "/invoice_number"]
        );
    }
}
