//! Whether what a book says holds together: every fault with its place, all at once. What is not settled yet is no fault here, and
//! what the law says is asked in `rules_readiness.rs`. Pure.

use std::collections::HashSet;

use chrono::Timelike;

use crate::books::rules_ballots::{self as ballots, Of};
use crate::books::rules_bands as bands;
use crate::books::rules_documents::{
    AREAS_MAX, AdvanceRecovery, BANDS_MAX, BookDocument, CLAUSES_MAX, CODE_LENGTH_MAX, CRITERIA_MAX,
    CriterionDocument, CriterionKind, CustodyDocument, DOCUMENTS_MAX, INDICATORS_MAX, LOTS_MAX, LotDocument,
    Outcome, PAYMENT_DAYS_MAX, PENALTIES_MAX, PERIODS_MAX, PLACES_MAX, PaymentDocument, PenaltyDocument,
    PeriodKind, QUALIFICATIONS_MAX, QUANTITIES_MAX, SOURCES_MAX, SourceDocument, SourceKind, TABLES_MAX,
    TEXT_LENGTH_MAX, TIMES_MAX, TITLE_LENGTH_MAX, TRIGGERS_MAX, TimetableDocument, TriggerDocument,
    UNIT_LENGTH_MAX, WITNESSES_MAX,
};
use crate::books::rules_trimming::trimmed;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Refusal;
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::kernel::weight::{Weight, WeightError, weights_sum_to_hundred};
use crate::registry::rules_qualifications::is_code;
use crate::registry::rules_text::Form;
use crate::standards::rules_units::Amount;
use crate::text;

/// What a book says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(BookDocument);

impl Content {
    /// A document as it is entered: trimmed, if it holds together.
    ///
    /// # Errors
    /// As [`Self::checked`].
    pub fn entered(document: BookDocument) -> Result<Self, Refusal> {
        Self::checked(trimmed(document))
    }

    /// The document as it stands, if it holds together.
    ///
    /// # Errors
    /// [`INVALID`](crate::web::problem::INVALID) with every fault.
    pub fn checked(document: BookDocument) -> Result<Self, Refusal> {
        let mut form = Form::new();
        head(&mut form, &document);
        timetable(&mut form, &document.timetable);
        distinct(
            &mut form,
            "/lots",
            "code",
            document.lots.iter().map(|lot| lot.code.as_str()),
        );
        for (index, one) in document.lots.iter().enumerate() {
            lot(&mut form, &format!("/lots/{index}"), one);
        }
        form.finish(Self(document))
    }

    /// What it says.
    pub const fn document(&self) -> &BookDocument {
        &self.0
    }

    /// The ceilings of all lots together; `None` if one is missing, or the sum is beyond all bounds.
    pub fn budget(&self) -> Option<Money> {
        let ceilings: Option<Vec<Money>> = self.0.lots.iter().map(|lot| lot.ceiling).collect();
        Money::sum(ceilings?).ok()
    }
}

fn lines(form: &mut Form, pointer: &str, length_max: usize, of: &[(&str, &str)]) {
    for (field, line) in of {
        form.line(&format!("{pointer}/{field}"), line, length_max);
    }
}

fn at_most(form: &mut Form, pointer: &str, count: usize, max: usize) {
    if count > max {
        form.object(pointer, text!("最多 {max} 项", "at most {max} of them"));
    }
}

fn distinct<'a>(form: &mut Form, pointer: &str, field: &str, codes: impl Iterator<Item = &'a str>) {
    let mut seen = HashSet::new();
    for (index, code) in codes.enumerate() {
        let place = format!("{pointer}/{index}/{field}");
        form.line(&place, code, CODE_LENGTH_MAX);
        if !seen.insert(code) {
            form.object(&place, Text::fixed("不得重复", "is there already"));
        }
    }
}

fn head(form: &mut Form, book: &BookDocument) {
    lines(
        form,
        "",
        TITLE_LENGTH_MAX,
        &[("title_zh", &book.title_zh), ("title_en", &book.title_en)],
    );
    at_most(form, "/areas", book.areas.len(), AREAS_MAX);
    at_most(form, "/clauses", book.clauses.len(), CLAUSES_MAX);
    at_most(form, "/documents", book.documents.len(), DOCUMENTS_MAX);
    at_most(form, "/lots", book.lots.len(), LOTS_MAX);
    at_most(
        form,
        "/qualifications",
        book.qualifications.len(),
        QUALIFICATIONS_MAX,
    );
    for (index, area) in book.areas.iter().enumerate() {
        if book.areas.iter().take(index).any(|other| other == area) {
            form.object(
                &format!("/areas/{index}"),
                Text::fixed("不得重复", "is there already"),
            );
        }
    }
    for (index, document) in book.documents.iter().enumerate() {
        if book.documents.iter().take(index).any(|other| other == document) {
            form.object(
                &format!("/documents/{index}"),
                Text::fixed("不得重复", "is there already"),
            );
        }
    }
    distinct(
        form,
        "/clauses",
        "number",
        book.clauses.iter().map(|clause| clause.number.as_str()),
    );
    for (index, clause) in book.clauses.iter().enumerate() {
        let texts = [
            ("text_zh", clause.text_zh.as_str()),
            ("text_en", clause.text_en.as_str()),
        ];
        lines(form, &format!("/clauses/{index}"), TEXT_LENGTH_MAX, &texts);
    }
    for (index, one) in book.qualifications.iter().enumerate() {
        let names = [
            ("name_zh", one.name_zh.as_str()),
            ("name_en", one.name_en.as_str()),
        ];
        lines(
            form,
            &format!("/qualifications/{index}"),
            TITLE_LENGTH_MAX,
            &names,
        );
        if one.kind.as_deref().is_some_and(|kind| !is_code(kind)) {
            form.object(
                &format!("/qualifications/{index}/kind"),
                Text::fixed(
                    "应为 2 至 40 个小写字母、数字或下划线",
                    "must be 2 to 40 lower-case letters, digits and underscores",
                ),
            );
        }
    }
    if book.rounding.places > 6 {
        form.object(
            "/rounding/places",
            Text::fixed("最多 6 位小数", "at most 6 places"),
        );
    }
    if let Some(CustodyDocument::Shared { threshold, witnesses }) = &book.custody {
        witnessed(form, *threshold, witnesses);
    }
}

fn witnessed(form: &mut Form, threshold: u32, witnesses: &[AccountId]) {
    let count = witnesses.len();
    if count > WITNESSES_MAX || !usize::try_from(threshold).is_ok_and(|it| (2..=count).contains(&it)) {
        form.object(
            "/custody/threshold",
            text!(
                "应为 2 至见证人数之间，见证人最多 {WITNESSES_MAX} 名",
                "must lie between 2 and the number of witnesses, of whom there are at most {WITNESSES_MAX}"
            ),
        );
    }
    for (index, witness) in witnesses.iter().enumerate() {
        if witnesses.iter().take(index).any(|other| other == witness) {
            form.object(
                &format!("/custody/witnesses/{index}"),
                Text::fixed("不得重复", "is there already"),
            );
        }
    }
}

/// The dates come in the order in which they are named.
fn timetable(form: &mut Form, timetable: &TimetableDocument) {
    let instants: [(&str, Option<Instant>); 4] = [
        ("enquiry_deadline", timetable.enquiry_deadline),
        ("answer_deadline", timetable.answer_deadline),
        ("bid_deadline", timetable.bid_deadline),
        ("opening", timetable.opening),
    ];
    let mut before: Option<Instant> = None;
    for (field, instant) in instants {
        let Some(instant) = instant else { continue };
        let pointer = format!("/timetable/{field}");
        if instant.second() != 0 || instant.nanosecond() != 0 {
            form.object(&pointer, Text::fixed("应为整分钟", "must be a whole minute"));
        }
        if before.is_some_and(|before| instant < before) {
            form.object(
                &pointer,
                Text::fixed("不得早于前一时点", "must not come before the one before it"),
            );
        }
        before = Some(instant);
    }
    if let (Some(from), Some(until)) = (timetable.service_from, timetable.service_until)
        && until < from
    {
        form.object(
            "/timetable/service_until",
            Text::fixed("不得早于服务开始日", "must not come before the first day"),
        );
    }
}

fn lot(form: &mut Form, pointer: &str, lot: &LotDocument) {
    let at = |field: &str| format!("{pointer}/{field}");
    lines(
        form,
        pointer,
        TITLE_LENGTH_MAX,
        &[("title_zh", &lot.title_zh), ("title_en", &lot.title_en)],
    );
    at_most(form, &at("quantities"), lot.quantities.len(), QUANTITIES_MAX);
    at_most(form, &at("places"), lot.places.len(), PLACES_MAX);
    at_most(form, &at("indicators"), lot.indicators.len(), INDICATORS_MAX);
    at_most(form, &at("criteria"), lot.criteria.len(), CRITERIA_MAX);
    at_most(form, &at("score_sources"), lot.score_sources.len(), SOURCES_MAX);
    at_most(form, &at("pay_tables"), lot.pay_tables.len(), TABLES_MAX);
    at_most(form, &at("triggers"), lot.triggers.len(), TRIGGERS_MAX);
    at_most(form, &at("penalties"), lot.penalties.len(), PENALTIES_MAX);
    if lot.ceiling.is_some_and(|ceiling| ceiling.fen() <= 0) {
        form.object(&at("ceiling"), Text::fixed("应大于 0", "must be more than 0"));
    }
    if lot.bidders_min == Some(0) {
        form.object(&at("bidders_min"), Text::fixed("至少 1 家", "at least 1"));
    }
    if lot
        .technical_threshold
        .is_some_and(|threshold| threshold <= Score::ZERO)
    {
        form.object(
            &at("technical_threshold"),
            Text::fixed("应大于 0", "must be more than 0"),
        );
    }
    quantities(form, pointer, lot);
    criteria(form, &at("criteria"), &lot.criteria);
    if let Some(payment) = &lot.payment {
        paid(form, &at("payment"), payment);
    }
    sources(form, &at("score_sources"), &lot.score_sources);
    pay_tables(form, pointer, lot);
    for (index, trigger) in lot.triggers.iter().enumerate() {
        triggered(form, &format!("{pointer}/triggers/{index}"), trigger);
    }
    for (index, penalty) in lot.penalties.iter().enumerate() {
        penalised(form, &format!("{pointer}/penalties/{index}"), penalty);
    }
}

fn quantities(form: &mut Form, pointer: &str, lot: &LotDocument) {
    for (index, one) in lot.quantities.iter().enumerate() {
        let place = format!("{pointer}/quantities/{index}");
        lines(
            form,
            &place,
            TITLE_LENGTH_MAX,
            &[("name_zh", &one.name_zh), ("name_en", &one.name_en)],
        );
        lines(
            form,
            &place,
            UNIT_LENGTH_MAX,
            &[("unit_zh", &one.unit_zh), ("unit_en", &one.unit_en)],
        );
        if let Err(detail) = Amount::read(&one.amount) {
            form.object(&format!("{place}/amount"), detail);
        }
        form.optional_line(&format!("{place}/grade"), one.grade.as_deref(), 40);
    }
    for (index, one) in lot.places.iter().enumerate() {
        let names = [
            ("name_zh", one.name_zh.as_str()),
            ("name_en", one.name_en.as_str()),
        ];
        lines(
            form,
            &format!("{pointer}/places/{index}"),
            TITLE_LENGTH_MAX,
            &names,
        );
    }
}

/// None yet, or exactly one hundred.
fn hundred(form: &mut Form, pointer: &str, weights: &[Weight]) {
    if let (false, Err(WeightError::NotHundred { sum })) =
        (weights.is_empty(), weights_sum_to_hundred(weights))
    {
        form.object(
            pointer,
            text!("合计应为 100，现为 {sum}", "must add up to 100, and not to {sum}"),
        );
    }
}

fn criteria(form: &mut Form, pointer: &str, criteria: &[CriterionDocument]) {
    distinct(
        form,
        pointer,
        "code",
        criteria.iter().map(|one| one.code.as_str()),
    );
    for (index, one) in criteria.iter().enumerate() {
        let place = format!("{pointer}/{index}");
        lines(
            form,
            &place,
            TITLE_LENGTH_MAX,
            &[("name_zh", &one.name_zh), ("name_en", &one.name_en)],
        );
        lines(
            form,
            &place,
            TEXT_LENGTH_MAX,
            &[("scale_zh", &one.scale_zh), ("scale_en", &one.scale_en)],
        );
        if one.weight.ten_thousandths() == 0 {
            form.object(
                &format!("{place}/weight"),
                Text::fixed("应大于 0", "must be more than 0"),
            );
        }
    }
    let of = |one: &CriterionDocument| match one.kind {
        CriterionKind::Appraisal => Of::Bids,
        _ => Of::Nothing,
    };
    ballots::said_once(
        form,
        pointer,
        criteria.iter().map(|one| (one.ballot.as_ref(), of(one))),
    );
    let weights: Vec<Weight> = criteria.iter().map(|one| one.weight).collect();
    hundred(form, pointer, &weights);
}

fn paid(form: &mut Form, pointer: &str, payment: &PaymentDocument) {
    let advance = payment.advance_percent;
    let rest = [payment.periods_percent, payment.retention_percent];
    match payment.advance_recovery {
        AdvanceRecovery::PartOfPrice => hundred(form, pointer, &[&rest[..], &[advance]].concat()),
        AdvanceRecovery::Spread => {
            hundred(form, pointer, &rest);
            recovered(form, pointer, payment);
        }
    }
    if payment
        .payment_days
        .is_some_and(|days| !(1..=PAYMENT_DAYS_MAX).contains(&days))
    {
        form.object(
            &format!("{pointer}/payment_days"),
            text!(
                "应为 1 至 {PAYMENT_DAYS_MAX} 日",
                "must be 1 to {PAYMENT_DAYS_MAX} days"
            ),
        );
    }
    if !(1..=PERIODS_MAX).contains(&payment.periods) {
        form.object(
            &format!("{pointer}/periods"),
            text!("应为 1 至 {PERIODS_MAX} 期", "must be 1 to {PERIODS_MAX}"),
        );
    }
    let shares = format!("{pointer}/shares");
    if payment.period != PeriodKind::Custom {
        if !payment.shares.is_empty() {
            form.object(
                &shares,
                Text::fixed("仅用于 custom", "are given for `custom` alone"),
            );
        }
        return;
    }
    if u32::try_from(payment.shares.len()) != Ok(payment.periods) {
        form.object(&shares, Text::fixed("应每期一项", "must be one for each period"));
    }
    let sum: u64 = payment
        .shares
        .iter()
        .map(|share| share.ten_thousandths())
        .fold(0, u64::saturating_add);
    if sum != payment.periods_percent.ten_thousandths() {
        form.object(
            &shares,
            Text::fixed("合计应为各期总比例", "must add up to `periods_percent`"),
        );
    }
}

/// What is to come back out of the periods is something, and no more than they are.
fn recovered(form: &mut Form, pointer: &str, payment: &PaymentDocument) {
    let place = format!("{pointer}/advance_percent");
    if payment.advance_percent.ten_thousandths() == 0 {
        form.object(
            &place,
            Text::fixed("没有预付款则无可扣回", "must be more than 0 to be recovered"),
        );
    }
    if payment.advance_percent > payment.periods_percent {
        form.object(
            &place,
            Text::fixed("不得超过各期总比例", "must not exceed `periods_percent`"),
        );
    }
}

fn sources(form: &mut Form, pointer: &str, sources: &[SourceDocument]) {
    distinct(form, pointer, "code", sources.iter().map(|one| one.code.as_str()));
    for (index, one) in sources.iter().enumerate() {
        let names = [
            ("name_zh", one.name_zh.as_str()),
            ("name_en", one.name_en.as_str()),
        ];
        lines(form, &format!("{pointer}/{index}"), TITLE_LENGTH_MAX, &names);
    }
    let of = |one: &SourceDocument| match one.kind {
        SourceKind::Rating => Of::Work,
        _ => Of::Nothing,
    };
    ballots::said_once(
        form,
        pointer,
        sources.iter().map(|one| (one.ballot.as_ref(), of(one))),
    );
    let weights: Vec<Weight> = sources.iter().map(|one| one.weight).collect();
    hundred(form, pointer, &weights);
}

fn pay_tables(form: &mut Form, pointer: &str, lot: &LotDocument) {
    for (index, table) in lot.pay_tables.iter().enumerate() {
        let place = format!("{pointer}/pay_tables/{index}");
        let mut earlier = lot.pay_tables.iter().take(index);
        if earlier.any(|other| other.source == table.source) {
            form.object(
                &format!("{place}/source"),
                Text::fixed("不得重复", "is there already"),
            );
        }
        if let Some(source) = &table.source
            && !lot.score_sources.iter().any(|known| known.code == *source)
        {
            form.object(
                &format!("{place}/source"),
                Text::fixed("没有该评分来源", "is no source of the score"),
            );
        }
        at_most(form, &format!("{place}/bands"), table.bands.len(), BANDS_MAX);
        if table.bands.is_empty() {
            form.object(
                &format!("{place}/bands"),
                Text::fixed("至少一档", "at least one band"),
            );
        } else {
            bands::check(form, &format!("{place}/bands"), &table.bands);
        }
    }
}

fn triggered(form: &mut Form, pointer: &str, trigger: &TriggerDocument) {
    if trigger.below <= Score::ZERO || trigger.below > Score::HUNDRED {
        form.object(
            &format!("{pointer}/below"),
            Text::fixed("应在 0 至 100 之间", "must lie between 0 and 100"),
        );
    }
    if !(1..=TIMES_MAX).contains(&trigger.times) {
        form.object(
            &format!("{pointer}/times"),
            text!("应为 1 至 {TIMES_MAX}", "must be 1 to {TIMES_MAX}"),
        );
    }
    if (trigger.outcome == Outcome::Renewal) != trigger.months_max.is_some() {
        form.object(
            &format!("{pointer}/months_max"),
            Text::fixed(
                "续签须写明，其他不写",
                "belongs to a renewal, and to nothing else",
            ),
        );
    }
}

fn penalised(form: &mut Form, pointer: &str, penalty: &PenaltyDocument) {
    lines(
        form,
        pointer,
        TITLE_LENGTH_MAX,
        &[("name_zh", &penalty.name_zh), ("name_en", &penalty.name_en)],
    );
    if penalty.amount.is_some() == penalty.percent.is_some() {
        form.object(
            pointer,
            Text::fixed("金额与比例应选其一", "must have an amount or a percentage"),
        );
    }
    if penalty.amount.is_some_and(|amount| amount.fen() <= 0) {
        form.object(
            &format!("{pointer}/amount"),
            Text::fixed("应大于 0", "must be more than 0"),
        );
    }
}
