//! The check against splitting (化整为零): what a buyer spends on one thing in one year counts together, however many purchases it is
//! cut into, when the question is whether the tender has to be open. What counts as one thing is the statute's to say. Pure.

use crate::budget::rules::BudgetLineId;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::statutes::codes::{
    PLANNING_OPEN_TENDER_THRESHOLD, PLANNING_SPLITTING_FORBIDDEN, PLANNING_SPLITTING_SUMMED_OVER,
};
use crate::statutes::profile::Profile;

/// A purchase, planned or made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The id of what it is: a book's lot, a contract.
    pub matter: String,
    /// Who buys.
    pub buyer: OrganisationId,
    /// Of which category of services.
    pub category: String,
    /// From which budget line.
    pub budget_line: BudgetLineId,
    /// In which fiscal year.
    pub fiscal_year: i64,
    /// For how much.
    pub amount: Money,
    /// True if the tender is open: then nothing is avoided, and it counts for nothing here.
    pub is_open_tender: bool,
}

/// What the statute says about splitting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplittingRule {
    /// Counts together what is of one buyer.
    pub by_buyer: bool,
    /// Counts together what is of one category.
    pub by_category: bool,
    /// Counts together what is of one budget line.
    pub by_budget_line: bool,
    /// Counts together what is of one fiscal year.
    pub by_fiscal_year: bool,
    /// From this amount on the tender is open.
    pub threshold: Money,
    /// True if to split is forbidden.
    pub forbidden: bool,
}

impl SplittingRule {
    /// What a profile says.
    ///
    /// # Errors
    /// A refusal if it does not set one of the rules.
    pub fn of(profile: &Profile) -> Answer<Self> {
        let over = profile.rule(PLANNING_SPLITTING_SUMMED_OVER)?;
        Ok(Self {
            by_buyer: over.names("buyer"),
            by_category: over.names("category"),
            by_budget_line: over.names("budget_line"),
            by_fiscal_year: over.names("fiscal_year"),
            threshold: profile.rule(PLANNING_OPEN_TENDER_THRESHOLD)?,
            forbidden: profile.rule(PLANNING_SPLITTING_FORBIDDEN)?,
        })
    }

    /// True if two purchases count together.
    pub fn together(&self, one: &Purchase, other: &Purchase) -> bool {
        (!self.by_buyer || one.buyer == other.buyer)
            && (!self.by_category || one.category == other.category)
            && (!self.by_budget_line || one.budget_line == other.budget_line)
            && (!self.by_fiscal_year || one.fiscal_year == other.fiscal_year)
    }
}

/// What a purchase comes to together with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splitting {
    /// The sum.
    pub sum: Money,
    /// What it consists of: the purchase itself first, then the others in the order given.
    pub matters: Vec<String>,
    /// True if a tender of that sum would have to be open.
    pub reaches_threshold: bool,
    /// True if the purchase may not be made without an open tender.
    pub forbidden: bool,
}

/// Judges a purchase by the others of its buyer. Others of the same matter are what the purchase itself was before, and do not count
/// twice; open tenders count for nothing. A purchase that reaches the threshold alone is forbidden as well, unless its tender is open.
///
/// # Errors
/// A fault if the amounts add up to more than money can be.
pub fn judge(purchase: &Purchase, others: &[Purchase], rule: &SplittingRule) -> Result<Splitting, Fault> {
    let too_much = |error: MoneyError| Fault::caused("add purchases up", error);
    let mut sum = purchase.amount;
    let mut matters = vec![purchase.matter.clone()];
    for other in others {
        let counts =
            other.matter != purchase.matter && !other.is_open_tender && rule.together(purchase, other);
        if counts {
            sum = sum.checked_add(other.amount).map_err(too_much)?;
            matters.push(other.matter.clone());
        }
    }
    let reaches_threshold = sum >= rule.threshold;
    Ok(Splitting {
        sum,
        matters,
        reaches_threshold,
        forbidden: rule.forbidden && reaches_threshold && !purchase.is_open_tender,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::clock::Instant;
    use crate::statutes::built_in;
    use chrono::{TimeZone, Utc};
    use proptest::prelude::*;

    fn ids() -> &'static (Vec<OrganisationId>, Vec<BudgetLineId>) {
        static IDS: std::sync::OnceLock<(Vec<OrganisationId>, Vec<BudgetLineId>)> =
            std::sync::OnceLock::new();
        let now: Instant = Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap();
        IDS.get_or_init(|| {
            (
                vec![OrganisationId::mint(now), OrganisationId::mint(now)],
                vec![BudgetLineId::mint(now), BudgetLineId::mint(now)],
            )
        })
    }

    fn rule() -> SplittingRule {
        SplittingRule::of(&built_in::profiles_for("cn").unwrap().pop().unwrap()).unwrap()
    }

    fn purchase(matter: &str, yuan: i64) -> Purchase {
        Purchase {
            matter: matter.to_owned(),
            buyer: ids().0[0].clone(),
            category: "sanitation".to_owned(),
            budget_line: ids().1[0].clone(),
            fiscal_year: 2026,
            amount: Money::from_yuan(yuan).unwrap(),
            is_open_tender: false,
        }
    }

    #[test]
    fn the_statute_says_what_counts_together_and_from_when() {
        let rule = rule();
        assert!(
            rule.by_buyer && rule.by_category && rule.by_budget_line && rule.by_fiscal_year && rule.forbidden
        );
        let (one, other) = (purchase("a", 1_200_000), purchase("b", 800_000));
        let judged = judge(&one, std::slice::from_ref(&other), &rule).unwrap();
        assert_eq!(judged.matters, ["a", "b"]);
        assert!(judged.forbidden && judged.sum == Money::from_yuan(2_000_000).unwrap());
        let fen_less = Purchase {
            amount: Money::from_fen(79_999_999).unwrap(),
            ..other.clone()
        };
        assert!(!judge(&one, &[fen_less], &rule).unwrap().forbidden);
        let open = Purchase {
            is_open_tender: true,
            ..one.clone()
        };
        let judged = judge(&open, std::slice::from_ref(&other), &rule).unwrap();
        assert!(judged.reaches_threshold && !judged.forbidden);
        let lenient = SplittingRule {
            forbidden: false,
            ..rule
        };
        assert!(!judge(&one, &[other], &lenient).unwrap().forbidden);
    }

    #[test]
    fn another_buyer_category_line_or_year_is_another_thing() {
        let (rule, one) = (rule(), purchase("a", 1_999_999));
        let others = [
            Purchase {
                buyer: ids().0[1].clone(),
                ..purchase("b", 1)
            },
            Purchase {
                category: "greening".to_owned(),
                ..purchase("c", 1)
            },
            Purchase {
                budget_line: ids().1[1].clone(),
                ..purchase("d", 1)
            },
            Purchase {
                fiscal_year: 2027,
                ..purchase("e", 1)
            },
            Purchase {
                is_open_tender: true,
                ..purchase("f", 1)
            },
            purchase("a", 1),
        ];
        assert_eq!(judge(&one, &others, &rule).unwrap().matters, ["a"]);
        let wider = SplittingRule {
            by_budget_line: false,
            ..rule
        };
        assert_eq!(judge(&one, &others, &wider).unwrap().matters, ["a", "d"]);
    }

    fn any_purchase() -> impl Strategy<Value = Purchase> {
        (
            0..30_u8,
            0..2_usize,
            0..2_usize,
            0..2_usize,
            2026..2028_i64,
            1..300_000_000_i64,
            any::<bool>(),
        )
            .prop_map(
                |(matter, buyer, line, category, fiscal_year, fen, is_open_tender)| Purchase {
                    matter: format!("m{matter}"),
                    buyer: ids().0[buyer].clone(),
                    category: ["sanitation", "greening"][category].to_owned(),
                    budget_line: ids().1[line].clone(),
                    fiscal_year,
                    amount: Money::from_fen(fen).unwrap(),
                    is_open_tender,
                },
            )
    }

    proptest! {
        #[test]
        fn cutting_a_purchase_into_parts_changes_nothing(whole in 2..400_000_000_i64, cut in 1..100_i64, others in prop::collection::vec(any_purchase(), 0..8)) {
            let rule = rule();
            let amount = |fen| Money::from_fen(fen).unwrap();
            let part = whole * cut / 100;
            let one = Purchase { amount: amount(whole), ..purchase("whole", 1) };
            let first = Purchase { amount: amount(whole - part), ..purchase("whole", 1) };
            let second = Purchase { amount: amount(part), ..purchase("part", 1) };
            let together: Vec<Purchase> = others.iter().cloned().chain([second]).collect();
            let (before, after) = (judge(&one, &others, &rule).unwrap(), judge(&first, &together, &rule).unwrap());
            prop_assert_eq!(before.sum, after.sum);
            prop_assert_eq!(before.forbidden, after.forbidden);
        }

        #[test]
        fn the_order_of_others_and_those_that_do_not_count_make_no_difference(one in any_purchase(), others in prop::collection::vec(any_purchase(), 0..12)) {
            let rule = rule();
            let judged = judge(&one, &others, &rule).unwrap();
            let reversed: Vec<Purchase> = others.iter().rev().cloned().collect();
            prop_assert_eq!(judge(&one, &reversed, &rule).unwrap().sum, judged.sum);
            let counted: Vec<Purchase> = others
                .iter()
                .filter(|other| !other.is_open_tender && other.matter != one.matter && rule.together(&one, other))
                .cloned()
                .collect();
            prop_assert_eq!(judge(&one, &counted, &rule).unwrap(), judged.clone());
            prop_assert!(judged.sum >= one.amount && judged.matters.len() == counted.len() + 1);
            prop_assert_eq!(judged.forbidden, judged.reaches_threshold && !one.is_open_tender);
        }

        #[test]
        fn more_purchases_never_make_it_lawful(one in any_purchase(), others in prop::collection::vec(any_purchase(), 0..8), more in any_purchase()) {
            let rule = rule();
            let before = judge(&one, &others, &rule).unwrap();
            let more: Vec<Purchase> = others.into_iter().chain([more]).collect();
            prop_assert!(!before.forbidden || judge(&one, &more, &rule).unwrap().forbidden);
        }
    }
}
