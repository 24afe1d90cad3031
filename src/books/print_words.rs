//! What the names in a book are called in print, in both languages. Pure.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::books::rules::State;
use crate::books::rules_ballots::Unit as Voters;
use crate::books::rules_documents::{
    Counting, CriterionKind, CustodyDocument, Method, Outcome, PenaltyPer, PeriodKind, RoundingDocument,
    RoundingStage, SmeDocument, SourceKind, TieRule, WithoutScore,
};
use crate::kernel::clock::Instant;
use crate::kernel::fixed::Rounding;
use crate::kernel::money::Money;
use crate::kernel::text::Text;
use crate::kernel::weight::Weight;
use crate::outbox::wording;
use crate::standards::rules_documents::{CountsFrom, Frequency, Operator, Period};
use crate::standards::rules_indicators::{Indicator, Line, Loss, NOTHING, Threshold};
use crate::standards::rules_units::Unit;
use crate::text;

pub(super) fn two(zh: &str, en: &str) -> Text {
    Text::made(zh.trim().to_owned(), en.trim().to_owned())
}

pub(super) fn line(line: &Line) -> Text {
    two(&line.zh, &line.en)
}

/// The same in both languages.
pub(super) fn same(text: impl ToString) -> Text {
    let text = text.to_string();
    Text::made(text.clone(), text)
}

pub(super) fn without_score(without: WithoutScore) -> Text {
    match without {
        WithoutScore::Redistributed => Text::fixed(
            "没有得分或测评无效的来源，其权重由其他来源按比例分担",
            "What has no score, or none that binds, gives its weight to the other sources",
        ),
        WithoutScore::FullMarks => Text::fixed(
            "没有得分或测评无效的来源，按满分计",
            "What has no score, or none that binds, counts as full marks",
        ),
    }
}

pub(super) fn unsaid() -> Text {
    Text::fixed("（未写明）", "(not said)")
}

pub(super) fn money(amount: Money) -> Text {
    let amount = amount.grouped();
    text!("{amount} 元", "CNY {amount}")
}

pub(super) fn percent(percent: Weight) -> Text {
    same(format!("{percent}%"))
}

pub(super) fn moment(at: Option<Instant>, zone: Tz) -> Text {
    at.map_or_else(unsaid, |at| Text::from(wording::moment(at, zone)))
}

pub(super) fn day(day: Option<NaiveDate>) -> Text {
    day.map_or_else(unsaid, |day| Text::from(wording::day(day)))
}

pub(super) fn state(state: State) -> Text {
    match state {
        State::Draft => Text::fixed("草稿", "Draft"),
        State::Submitted => Text::fixed("待审批", "Waiting for approval"),
        State::Approved => Text::fixed("已批准，待发布", "Approved, not published"),
        State::Published => Text::fixed("已发布", "Published"),
        State::Cancelled => Text::fixed("已终止", "Cancelled"),
        State::Discarded => Text::fixed("已放弃", "Given up"),
    }
}

pub(super) fn method(method: Option<Method>) -> Text {
    match method {
        None => unsaid(),
        Some(Method::ComprehensiveScoring) => Text::fixed("综合评分法", "Comprehensive scoring"),
        Some(Method::LowestEvaluatedPrice) => Text::fixed("最低评标价法", "Lowest evaluated price"),
        Some(Method::QualityAndCostBased) => {
            Text::fixed("质量与价格综合评定法", "Quality and cost based evaluation")
        }
        Some(Method::Appraisal) => Text::fixed("群众评议发包", "Residents' appraisal decides"),
    }
}

pub(super) fn tie_rule(rule: Option<TieRule>) -> Text {
    match rule {
        None => unsaid(),
        Some(TieRule::PriceThenDraw) => Text::fixed(
            "总分相同的，报价低者优先；仍相同的，以可复核的抽签确定",
            "With equal totals the lower price wins, then a draw that can be reproduced",
        ),
        Some(TieRule::PriceThenTechnicalThenDraw) => Text::fixed(
            "总分相同的，报价低者优先；仍相同的，技术得分高者优先；再相同的，以可复核的抽签确定",
            "With equal totals the lower price wins, then more technical points, then a draw that can be reproduced",
        ),
        Some(TieRule::TechnicalThenPriceThenDraw) => Text::fixed(
            "总分相同的，技术得分高者优先；仍相同的，报价低者优先；再相同的，以可复核的抽签确定",
            "With equal totals more technical points win, then the lower price, then a draw that can be reproduced",
        ),
    }
}

pub(super) fn rounding(rounding: RoundingDocument) -> Text {
    let places = rounding.places;
    let (how_zh, how_en) = match rounding.mode {
        Rounding::HalfUp => ("四舍五入", "half up"),
        Rounding::HalfEven => ("四舍六入五成双", "half to even"),
        Rounding::Down => ("舍去", "down"),
    };
    let (when_zh, when_en) = match rounding.stage {
        RoundingStage::Factor => ("每项因素得分", "the score of each factor"),
        RoundingStage::Total => ("总分一次", "the total, once"),
    };
    text!(
        "{when_zh}{how_zh}，保留 {places} 位小数",
        "{when_en} is rounded {how_en} to {places} places"
    )
}

pub(super) fn custody(custody: Option<&CustodyDocument>) -> Text {
    match custody {
        None => unsaid(),
        Some(CustodyDocument::Custodial {}) => Text::fixed(
            "由本系统加密保管，密钥与数据库分离；投标截止前不得开启",
            "Kept by this service, encrypted under a key outside the database; not to be used before the deadline for bids",
        ),
        Some(CustodyDocument::Shared { threshold, witnesses }) => {
            let all = witnesses.len();
            text!(
                "由 {all} 名见证人分持，{threshold} 人共同开启",
                "Shared among {all} witnesses, of whom it takes {threshold}"
            )
        }
    }
}

pub(super) fn criterion(kind: CriterionKind) -> Text {
    match kind {
        CriterionKind::Price => Text::fixed("价格", "Price"),
        CriterionKind::Technical => Text::fixed("技术", "Technical"),
        CriterionKind::Business => Text::fixed("商务", "Business"),
        CriterionKind::Appraisal => Text::fixed("群众评议", "Residents' appraisal"),
    }
}

pub(super) fn sme(policy: Option<SmeDocument>) -> Text {
    match policy {
        None => Text::fixed("未预留，不作价格扣除", "Not reserved; no price deduction"),
        Some(SmeDocument::Reserved {}) => Text::fixed(
            "本标段专门面向中小企业采购",
            "The lot is reserved for small and medium enterprises",
        ),
        Some(SmeDocument::Deduction {
            percent,
            consortium_percent,
        }) => {
            let (mut zh, mut en) = (
                format!("小微企业报价评审时扣除 {percent}%"),
                format!("Prices of small and micro enterprises are judged as {percent}% lower"),
            );
            if let Some(percent) = consortium_percent {
                zh.push_str(&format!("，含小微企业的联合体扣除 {percent}%"));
                en.push_str(&format!(", of a consortium with one of them as {percent}% lower"));
            }
            zh.push_str("；合同按投标报价签订");
            en.push_str("; the contract keeps the price of the bid");
            Text::made(zh, en)
        }
    }
}

pub(super) fn period(kind: PeriodKind, periods: u32) -> Text {
    match kind {
        PeriodKind::Month => text!("按月，共 {periods} 期", "Monthly, {periods} periods"),
        PeriodKind::Quarter => text!("按季，共 {periods} 期", "Quarterly, {periods} periods"),
        PeriodKind::Custom => text!(
            "按约定比例，共 {periods} 期",
            "By the shares below, {periods} periods"
        ),
    }
}

/// Who has a vote.
pub(super) const fn voters(unit: Voters) -> Text {
    match unit {
        Voters::Residents => Text::fixed("居民，每人一票", "residents, one vote each"),
        Voters::Households => Text::fixed("住户，每户一票", "households, one vote each"),
        Voters::Representatives => {
            Text::fixed("居民代表，每人一票", "residents’ representatives, one vote each")
        }
    }
}

pub(super) fn source(kind: SourceKind) -> Text {
    match kind {
        SourceKind::Inspection => Text::fixed("考核检查", "Inspections"),
        SourceKind::Rating => Text::fixed("居民满意度测评", "Residents' rating"),
        SourceKind::Response => Text::fixed("问题整改时效", "How soon defects are seen to"),
    }
}

pub(super) fn outcome(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Rectification => ("限期整改", "rectification within a set time"),
        Outcome::ReplaceManager => ("更换项目负责人", "the manager is replaced"),
        Outcome::Termination => ("解除合同", "the contract is terminated"),
        Outcome::Renewal => ("可以续签", "the contract may be renewed"),
    }
}

pub(super) fn counting(counting: Counting) -> (&'static str, &'static str) {
    match counting {
        Counting::Consecutive => ("连续", "consecutive"),
        Counting::Cumulative => ("累计", "cumulative"),
    }
}

pub(super) fn per(per: PenaltyPer) -> Text {
    match per {
        PenaltyPer::Case => Text::fixed("每次", "Each case"),
        PenaltyPer::Day => Text::fixed("每日", "Each day"),
    }
}

/// Never parted from its number by the end of a line.
const fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::AtMost => "≤\u{a0}",
        Operator::LessThan => "<\u{a0}",
        Operator::AtLeast => "≥\u{a0}",
        Operator::MoreThan => ">\u{a0}",
        Operator::EqualTo => "=\u{a0}",
        Operator::Between => "",
    }
}

/// What an indicator demands, with its sign, and with its unit unless that stands elsewhere.
pub(super) fn demand(indicator: &Indicator, threshold: Option<Threshold>, has_unit: bool) -> Text {
    let unit = indicator.unit;
    let value = match threshold {
        None => return same(NOTHING),
        Some(Threshold::At(at)) => {
            format!("{}{}", sign(indicator.operator), unit.written(at.decimal()))
        }
        Some(Threshold::Between(from, to)) => {
            format!("{}–{}", unit.written(from.decimal()), unit.written(to.decimal()))
        }
    };
    match unit {
        _ if !has_unit => same(value),
        Unit::TimeOfDay => same(value),
        Unit::Percent | Unit::PerMille => same(format!("{value}{}", unit.label().0)),
        _ => {
            let (zh, en) = unit.label();
            text!("{value} {zh}", "{value} {en}")
        }
    }
}

pub(super) fn frequency(frequency: Frequency) -> Text {
    let times = frequency.times;
    let (zh, en) = match frequency.per {
        Period::Day => ("日", "a day"),
        Period::Week => ("周", "a week"),
        Period::Month => ("月", "a month"),
        Period::Quarter => ("季度", "a quarter"),
        Period::Year => ("年", "a year"),
    };
    text!("每{zh} {times} 次", "{times} times {en}")
}

pub(super) fn counts_from(from: CountsFrom) -> Text {
    match from {
        CountsFrom::Occurrence => Text::fixed("自发生起计", "Counted from when it happened"),
        CountsFrom::Report => Text::fixed("自报告或发现起计", "Counted from when it was reported or found"),
    }
}

pub(super) fn loss(loss: Loss, unit: Unit) -> Text {
    match loss {
        Loss::AllOrNothing => Text::fixed(
            "不达标扣除该项全部分值",
            "All its points are lost if it is not met",
        ),
        Loss::PerExcess(points, step) => {
            // A step of a time of day is in minutes.
            let unit = if unit == Unit::TimeOfDay {
                Unit::Minute
            } else {
                unit
            };
            let (zh, en) = unit.label();
            let step = step.to_string();
            text!(
                "每超出 {step} {zh}扣 {points} 分",
                "{points} points for each {step} {en} beyond"
            )
        }
        Loss::PerOccurrence(points) => text!("每次（处）扣 {points} 分", "{points} points for each"),
    }
}

/// The numerals of headings in Chinese.
const NUMERALS: [&str; 10] = ["〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/// A number below one hundred as a Chinese heading has it.
pub(super) fn numeral(number: usize) -> String {
    let digit = |digit: usize| NUMERALS.get(digit).copied().unwrap_or_default();
    match (number / 10, number % 10) {
        (0, ones) => digit(ones).to_owned(),
        (1, 0) => "十".to_owned(),
        (1, ones) => format!("十{}", digit(ones)),
        (tens, 0) => format!("{}十", digit(tens)),
        (tens, ones) => format!("{}十{}", digit(tens), digit(ones)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_numbered_as_chinese_numbers_them() {
        for (number, expected) in [
            (1, "一"),
            (9, "九"),
            (10, "十"),
            (12, "十二"),
            (20, "二十"),
            (31, "三十一"),
        ] {
            assert_eq!(numeral(number), expected);
        }
    }
}
