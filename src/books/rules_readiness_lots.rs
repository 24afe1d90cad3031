//! What the lots of a book lack before it may be published: the second half of `rules_readiness.rs`. Pure.

use chrono::Datelike;
use rust_decimal::Decimal;

use crate::books::rules_documents::{BookDocument, CriterionKind, LotDocument, Method, SmeDocument};
use crate::books::rules_readiness::{Findings, LineFacts, MISSING, UNFIT};
use crate::kernel::fixed::Rounding;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault, Objection};
use crate::kernel::text::Text;
use crate::kernel::weight::Weight;
use crate::standards::rules::Version;
use crate::standards::rules_documents::ContentDocument;
use crate::standards::rules_evaluation::departures;
use crate::standards::rules_indicators::{Content as StandardContent, Indicator};
use crate::statutes::codes::{self, Key};
use crate::text;

impl Findings<'_> {
    pub(super) fn scope(&mut self, place: &str, lot: &LotDocument) {
        for (field, is_missing) in [
            ("quantities", lot.quantities.is_empty()),
            ("places", lot.places.is_empty()),
            ("payment", lot.payment.is_none()),
            ("score_sources", lot.score_sources.is_empty()),
            ("triggers", lot.triggers.is_empty()),
            ("bidders_min", lot.bidders_min.is_none()),
            ("standard_version_id", lot.standard_version_id.is_none()),
            ("budget_line_id", lot.budget_line_id.is_none()),
            ("ceiling", lot.ceiling.is_none()),
        ] {
            self.missing_if(
                is_missing,
                &format!("{place}/{field}"),
                Text::fixed("未写明", "is not said"),
            );
        }
        self.missing_if(
            !lot.pay_tables.iter().any(|table| table.source.is_none()),
            &format!("{place}/pay_tables"),
            Text::fixed("缺少总分对应的付款表", "has no table for the whole score"),
        );
    }

    pub(super) fn standard(&mut self, place: &str, lot: &LotDocument, standard: Option<&Version>) {
        if lot.standard_version_id.is_none() {
            return;
        }
        let Some(standard) = standard else {
            self.add(
                &format!("{place}/standard_version_id"),
                UNFIT,
                Text::fixed(
                    "没有该标准版本，或已停用",
                    "there is no such version, or it was withdrawn",
                ),
            );
            return;
        };
        let content = &standard.content;
        for (index, quantity) in lot.quantities.iter().enumerate() {
            let known = match &quantity.grade {
                Some(grade) => content.grades.iter().any(|known| known.code == *grade),
                None => content.grades.is_empty(),
            };
            if !known {
                let detail = Text::fixed(
                    "应为该标准的一个等级",
                    "must be one of the grades of the standard",
                );
                self.add(&format!("{place}/quantities/{index}/grade"), UNFIT, detail);
            }
        }
        match kept(content, lot) {
            Ok(kept) => {
                for departure in departures(&content.indicators, &kept) {
                    let code = departure.code;
                    let index = lot.indicators.iter().position(|one| one.code == code);
                    let pointer = match index {
                        Some(index) => format!("{place}/indicators/{index}"),
                        None => format!("{place}/indicators"),
                    };
                    let detail = text!(
                        "指标 {code} 较标准放宽",
                        "the indicator {code} is less strict than the standard's"
                    );
                    self.add(&pointer, UNFIT, detail);
                }
            }
            Err(faults) => {
                for fault in faults {
                    self.add(&format!("{place}{}", fault.pointer), UNFIT, fault.detail);
                }
            }
        }
    }

    pub(super) fn money(
        &mut self,
        place: &str,
        book: &BookDocument,
        lot: &LotDocument,
        known: Option<&LineFacts>,
    ) {
        if lot.budget_line_id.is_none() {
            return;
        }
        let pointer = format!("{place}/budget_line_id");
        let own = known.filter(|known| known.line.organisation_id == *self.facts.organisation_id);
        let Some(known) = own else {
            self.add(
                &pointer,
                UNFIT,
                Text::fixed("本单位没有该预算项", "the buyer has no such budget line"),
            );
            return;
        };
        if known.line.category != book.category {
            self.add(
                &pointer,
                UNFIT,
                Text::fixed("预算项属于其他服务类别", "is of another category of services"),
            );
        }
        // What is reserved already stays so, even after the line was closed or its year is over; more is not taken from it.
        let before = self.published_lot(&lot.code);
        if before.is_some_and(|before| lot.ceiling <= before.ceiling) {
            return;
        }
        if known.line.state != crate::budget::rules::State::Open {
            self.add(&pointer, UNFIT, Text::fixed("预算项已关闭", "is closed"));
        }
        if known.line.fiscal_year != i64::from(self.today().year()) {
            self.add(
                &pointer,
                UNFIT,
                Text::fixed("不是本财政年度的预算项", "is of another fiscal year"),
            );
        }
    }

    /// The ceilings of all lots that one line pays, against what is free of it, or reserved for this book already.
    pub(super) fn lines_suffice(&mut self, book: &BookDocument) {
        for (index, lot) in book.lots.iter().enumerate() {
            let known = self.facts.lots.get(index).and_then(|known| known.line.as_ref());
            let Some((line, known)) = lot.budget_line_id.as_ref().zip(known) else {
                continue;
            };
            let until_here = book.lots.iter().take(index.saturating_add(1));
            let ceilings = until_here
                .filter(|other| other.budget_line_id.as_ref() == Some(line))
                .filter_map(|other| other.ceiling);
            let before = self.facts.published.map(|before| before.content.document());
            let reserved = before
                .iter()
                .flat_map(|before| &before.lots)
                .filter(|other| other.budget_line_id.as_ref() == Some(line))
                .filter_map(|other| other.ceiling);
            let reserved = Money::sum(reserved).unwrap_or(Money::ZERO);
            let available = known.available.checked_add(reserved).unwrap_or(known.available);
            if Money::sum(ceilings).is_ok_and(|sum| sum <= available) {
                continue;
            }
            let detail = text!(
                "预算项可用金额为 {available} 元",
                "only {available} yuan of the budget line are free"
            );
            self.add(&format!("/lots/{index}/ceiling"), UNFIT, detail);
        }
    }

    pub(super) fn judged(
        &mut self,
        place: &str,
        book: &BookDocument,
        lot: &LotDocument,
        budget: Option<Money>,
    ) -> Answer<()> {
        let by_ballot = book.method == Some(Method::Appraisal);
        if lot.criteria.is_empty() {
            let detail = Text::fixed("未写明评审因素", "says no criteria");
            self.add(&format!("{place}/criteria"), MISSING, detail);
        } else if !by_ballot {
            self.price_weight(place, book, lot)?;
        }
        self.threshold(place, book, lot);
        let min = self.rule(codes::TENDER_BIDS_MIN)?.0;
        if !by_ballot && lot.bidders_min.is_some_and(|bidders| bidders < min) {
            let detail = text!("不得少于 {min} 家", "is at least {min}");
            self.unlawful(codes::TENDER_BIDS_MIN, &format!("{place}/bidders_min"), detail);
        }
        if let Some(budget) = budget {
            self.sme(place, lot, budget)?;
        }
        Ok(())
    }

    /// The parties may agree on more days than the rules have where nothing is agreed, and only on so many (国务院令第802号).
    pub(super) fn payment_days(&mut self, place: &str, lot: &LotDocument) -> Answer<()> {
        let agreed = lot.payment.as_ref().and_then(|payment| payment.payment_days);
        let max = self.rule(codes::PAYMENT_DAYS_MAX_IF_AGREED)?.0;
        if agreed.is_some_and(|days| days > max) {
            self.unlawful(
                codes::PAYMENT_DAYS_MAX_IF_AGREED,
                &format!("{place}/payment/payment_days"),
                text!("不得超过 {max} 日", "is at most {max} days"),
            );
        }
        Ok(())
    }

    /// Quality and cost are weighed with a threshold for quality, which a bid can reach; no other method has one.
    fn threshold(&mut self, place: &str, book: &BookDocument, lot: &LotDocument) {
        let pointer = format!("{place}/technical_threshold");
        let Some(threshold) = lot.technical_threshold else {
            self.missing_if(
                book.method == Some(Method::QualityAndCostBased),
                &pointer,
                Text::fixed("未写明", "is not said"),
            );
            return;
        };
        if book.method != Some(Method::QualityAndCostBased) {
            let detail = Text::fixed(
                "仅用于质量与费用综合评审",
                "belongs to `quality_and_cost_based` alone",
            );
            self.add(&pointer, UNFIT, detail);
            return;
        }
        let of_quality = lot.criteria.iter().filter(|one| one.kind != CriterionKind::Price);
        let most = of_quality.fold(Decimal::ZERO, |sum, one| sum + one.weight.percent());
        if threshold.points() > most {
            let detail = text!(
                "不得高于 {most} 分",
                "is at most {most}, which is all that there is"
            );
            self.add(&pointer, UNFIT, detail);
        }
    }

    fn price_weight(&mut self, place: &str, book: &BookDocument, lot: &LotDocument) -> Answer<()> {
        let price = lot
            .criteria
            .iter()
            .filter(|one| one.kind == CriterionKind::Price)
            .map(|one| one.weight.ten_thousandths())
            .fold(0_u64, u64::saturating_add);
        let pointer = format!("{place}/criteria");
        if book.method == Some(Method::LowestEvaluatedPrice) {
            if price != Weight::HUNDRED.ten_thousandths() {
                let detail = Text::fixed(
                    "最低评标价法只评价格",
                    "the lowest evaluated price judges nothing but the price",
                );
                self.unlawful(codes::EVALUATION_LOWEST_PRICE_ADJUSTMENTS, &pointer, detail);
            }
            return Ok(());
        }
        let key = codes::EVALUATION_PRICE_WEIGHT_PERCENT_MIN_SERVICES;
        let min = self.rule(key)?.0;
        if price < min.ten_thousandths() {
            let detail = text!("价格权重不得低于 {min}%", "the price weighs at least {min} %");
            self.unlawful(key, &pointer, detail);
        }
        Ok(())
    }

    fn sme(&mut self, place: &str, lot: &LotDocument, budget: Money) -> Answer<()> {
        let pointer = format!("{place}/sme");
        let full = self.rule(codes::SME_FULL_RESERVE_BUDGET_MAX)?;
        match lot.sme {
            Some(SmeDocument::Reserved {}) => Ok(()),
            _ if budget <= full => {
                let detail = text!(
                    "预算不超过 {full} 元的，应全部预留给中小企业",
                    "up to a budget of {full} yuan everything is reserved for small and medium enterprises"
                );
                self.unlawful(codes::SME_FULL_RESERVE_BUDGET_MAX, &pointer, detail);
                Ok(())
            }
            None => {
                let key = codes::SME_DEDUCTION_DECLARED_IN_BOOK;
                if self.rule(key)? {
                    let detail = Text::fixed(
                        "未预留的应写明价格扣除比例",
                        "what is not reserved declares its price deduction",
                    );
                    self.unlawful(key, &pointer, detail);
                }
                Ok(())
            }
            Some(SmeDocument::Deduction {
                percent,
                consortium_percent,
            }) => {
                let (from, to) = (codes::SME_DEDUCTION_PERCENT_MIN, codes::SME_DEDUCTION_PERCENT_MAX);
                self.within(from, to, &format!("{pointer}/percent"), percent)?;
                let Some(percent) = consortium_percent else {
                    return Ok(());
                };
                let (from, to) = (
                    codes::SME_CONSORTIUM_DEDUCTION_PERCENT_MIN,
                    codes::SME_CONSORTIUM_DEDUCTION_PERCENT_MAX,
                );
                self.within(from, to, &format!("{pointer}/consortium_percent"), percent)
            }
        }
    }

    fn within(
        &mut self,
        min: Key<crate::statutes::value::Percent>,
        max: Key<crate::statutes::value::Percent>,
        pointer: &str,
        percent: Weight,
    ) -> Answer<()> {
        let (from, to) = (self.rule(min)?.0, self.rule(max)?.0);
        let key = if percent < from { min } else { max };
        if percent < from || percent > to {
            let detail = text!("应在 {from}% 至 {to}% 之间", "lies between {from} % and {to} %");
            self.unlawful(key, pointer, detail);
        }
        Ok(())
    }
}

/// The indicators that a lot keeps: the standard's, of which those of the same code are replaced, and those that it adds.
///
/// # Errors
/// The faults of the indicators, with their places in the lot.
pub fn kept(standard: &StandardContent, lot: &LotDocument) -> Result<Vec<Indicator>, Vec<Objection>> {
    let document = ContentDocument {
        note_zh: None,
        note_en: None,
        grades: standard.document().grades,
        indicators: lot.indicators.clone(),
    };
    let own = StandardContent::checked(&document)?.indicators;
    let mut kept: Vec<Indicator> = standard
        .indicators
        .iter()
        .map(|demanded| {
            own.iter()
                .find(|one| one.code == demanded.code)
                .unwrap_or(demanded)
        })
        .cloned()
        .collect();
    let is_new = |one: &&Indicator| standard.indicator(&one.code).is_none();
    kept.extend(own.iter().filter(is_new).cloned());
    Ok(kept)
}

/// What a bidder lodges for a lot.
///
/// # Errors
/// A fault if it is beyond all bounds.
pub fn bid_security(book: &BookDocument, lot: &LotDocument) -> Result<Option<Money>, Fault> {
    let Some((percent, ceiling)) = book.bid_security_percent.zip(lot.ceiling) else {
        return Ok(None);
    };
    // Down: what is asked for never exceeds the share that the law allows.
    ceiling
        .percent_of(percent.percent(), Rounding::Down)
        .map(Some)
        .map_err(|error| Fault::caused("a bid security", error))
}
