//! Whether a bid answers its lot: every quantity priced, every criterion and indicator responded to, sums exact. All faults at once, each
//! with its place. Asked when a bid comes in the open, and again of what the opening shows. Pure.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use crate::bids::rules_confidentiality::is_public_anyway;
use crate::bids::rules_document::{
    BidDocument, CONFIDENTIAL_MAX, CRITERIA_MAX, CriterionResponse, DOCUMENT_BYTES_MAX, DOCUMENTS_MAX,
    Deviation, INDICATORS_MAX, IndicatorResponse, LINES_MAX, NAME_LENGTH_MAX, PARTNERS_MAX, PartnerDocument,
    PriceLineDocument, REMARK_LENGTH_MAX, RESPONSE_LENGTH_MAX, STAFF_MAX, SizeDocument, TIES_MAX,
};
use crate::books::rules::LotId;
use crate::books::rules_documents::{CriterionKind, LotDocument};
use crate::kernel::fixed::{self, Shape};
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Refusal;
use crate::kernel::text::{Text, is_hidden};
use crate::kernel::weight::Weight;
use crate::registry::rules_credit_code::CreditCode;
use crate::registry::rules_size::{EMPLOYEES_MAX, SizeClass, SizeFacts, derived};
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Content as StandardContent;
use crate::text;

/// Decimals of a unit price.
const UNIT_PRICE_PLACES: u32 = 8;
/// Decimals of a quantity.
const QUANTITY_PLACES: u32 = 6;
/// Digits of a unit price before the point.
const UNIT_PRICE_DIGITS_MAX: usize = 9;

/// What a bid is held against.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The lot.
    pub lot_id: &'a LotId,
    /// Who bids.
    pub supplier_id: &'a OrganisationId,
    /// What the book says of the lot.
    pub lot: &'a LotDocument,
    /// The codes of all its indicators; see [`indicator_codes`].
    pub indicators: &'a [String],
}

/// The codes of the indicators that hold for a lot, in their order: those of its standard, then those that the lot adds.
pub fn indicator_codes(standard: Option<&StandardContent>, lot: &LotDocument) -> Vec<String> {
    let of_standard = standard.into_iter().flat_map(|content| &content.indicators);
    let mut codes: Vec<String> = of_standard.map(|one| one.code.clone()).collect();
    for added in &lot.indicators {
        if !codes.contains(&added.code) {
            codes.push(added.code.clone());
        }
    }
    codes
}

/// Whether the bid is for this lot and by this bidder: what at the opening keeps a copy of another bid from counting.
pub fn is_addressed(document: &BidDocument, lot: &LotId, supplier: &OrganisationId) -> bool {
    document.lot_id == *lot && document.supplier_id == *supplier
}

/// Whether the bid answers its lot.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID) with every fault.
pub fn answers(document: &BidDocument, asked: Asked<'_>) -> Result<(), Refusal> {
    let mut form = Form::new();
    if document.lot_id != *asked.lot_id {
        form.object("/lot_id", Text::fixed("不是本标段", "is not this lot"));
    }
    if document.supplier_id != *asked.supplier_id {
        form.object("/supplier_id", Text::fixed("不是本投标人", "is not this bidder"));
    }
    prices(&mut form, document, asked.lot);
    criteria(&mut form, document, asked.lot);
    indicators(&mut form, &document.indicators, asked.indicators);
    if let Some(size) = &document.size {
        sized(&mut form, "/size", size);
    }
    people(&mut form, document);
    partners(&mut form, "/subcontractors", &document.subcontractors);
    partners(&mut form, "/consortium", &document.consortium);
    ties(&mut form, document);
    documents(&mut form, document);
    confidential(&mut form, document);
    form.finish(())
}

fn at_most(form: &mut Form, pointer: &str, count: usize, max: usize) {
    if count > max {
        form.object(pointer, text!("最多 {max} 项", "at most {max} of them"));
    }
}

/// Text of several lines: nothing in it is hidden but the ends of its lines.
fn prose(form: &mut Form, pointer: &str, text: &str, length_max: usize) {
    let length = text.trim().chars().count();
    if !(1..=length_max).contains(&length) {
        form.object(
            pointer,
            text!(
                "应为 1 至 {length_max} 个字符",
                "must have 1 to {length_max} characters"
            ),
        );
    }
    if text
        .chars()
        .any(|character| character != '\n' && is_hidden(character))
    {
        form.object(
            pointer,
            Text::fixed("含有不可见字符", "must not have invisible characters"),
        );
    }
}

/// Unit price times quantity, rounded half up to the fen; `None` if one of them is no number, or the product beyond all bounds.
pub fn line_amount(unit_price: &str, quantity: &str) -> Option<Money> {
    let units = |text: &str, places: u32, digits_max: usize| {
        if text.split('.').next()?.len() > digits_max {
            return None;
        }
        let shape = Shape {
            places_max: places,
            signed: false,
        };
        let read = fixed::read(text, shape).ok()?;
        read.units_at(places).map(i128::from)
    };
    let product = units(unit_price, UNIT_PRICE_PLACES, UNIT_PRICE_DIGITS_MAX)?.checked_mul(units(
        quantity,
        QUANTITY_PLACES,
        UNIT_PRICE_DIGITS_MAX,
    )?)?;
    // 8 and 6 decimals of a yuan are 12 decimals of a fen.
    let fen = 1_000_000_000_000_i128;
    let rounded = product.checked_add(fen / 2)?.checked_div(fen)?;
    Money::from_fen(i64::try_from(rounded).ok()?).ok()
}

/// What the lines come to by unit price and quantity, which goes before what they and the total say (87号令 art 59); `None` if a line
/// cannot be reckoned, or is missing.
pub fn corrected_total(document: &BidDocument, lot: &LotDocument) -> Option<Money> {
    let mut amounts = Vec::new();
    for (number, quantity) in (1_u32..).zip(&lot.quantities) {
        let line = document.price_lines.iter().find(|line| line.quantity == number)?;
        amounts.push(line_amount(&line.unit_price, &quantity.amount)?);
    }
    Money::sum(amounts).ok()
}

fn prices(form: &mut Form, document: &BidDocument, lot: &LotDocument) {
    at_most(form, "/price_lines", document.price_lines.len(), LINES_MAX);
    let mut priced = HashSet::new();
    for (index, line) in document.price_lines.iter().take(LINES_MAX).enumerate() {
        let pointer = format!("/price_lines/{index}");
        if !priced.insert(line.quantity) {
            form.object(
                &format!("{pointer}/quantity"),
                Text::fixed("不得重复", "is there already"),
            );
        }
        price_line(form, &pointer, line, lot);
    }
    for (number, quantity) in (1_u32..).zip(&lot.quantities) {
        if !priced.contains(&number) {
            let (zh, en) = (&quantity.name_zh, &quantity.name_en);
            form.object(
                "/price_lines",
                text!(
                    "第 {number} 项“{zh}”未报价",
                    "quantity {number}, {en}, has no price"
                ),
            );
        }
    }
    match Money::sum(document.price_lines.iter().map(|line| line.amount)) {
        Ok(sum) if sum == document.total => {}
        Ok(sum) => form.object("/total", text!("各项之和为 {sum}", "the lines add up to {sum}")),
        Err(_) => form.object("/total", Text::fixed("超出范围", "is beyond all bounds")),
    }
    if document.total.fen() <= 0 {
        form.object("/total", Text::fixed("应大于 0", "must be more than 0"));
    }
    if let Some(ceiling) = lot.ceiling.filter(|ceiling| document.total > *ceiling) {
        form.object(
            "/total",
            text!("超过最高限价 {ceiling}", "is above the ceiling, {ceiling}"),
        );
    }
}

fn price_line(form: &mut Form, pointer: &str, line: &PriceLineDocument, lot: &LotDocument) {
    let quantity = usize::try_from(line.quantity)
        .ok()
        .and_then(|number| lot.quantities.get(number.checked_sub(1)?));
    let Some(quantity) = quantity else {
        let count = lot.quantities.len();
        form.object(
            &format!("{pointer}/quantity"),
            text!("标段共 {count} 项", "the lot has {count} quantities"),
        );
        return;
    };
    match line_amount(&line.unit_price, &quantity.amount) {
        None => form.object(
            &format!("{pointer}/unit_price"),
            text!(
                "应为不小于 0 的数，最多 {UNIT_PRICE_PLACES} 位小数，且金额不超出范围",
                "must be a number from 0 on with at most {UNIT_PRICE_PLACES} decimals, and its amount within bounds"
            ),
        ),
        Some(amount) if amount != line.amount => form.object(
            &format!("{pointer}/amount"),
            text!(
                "单价乘以数量为 {amount}（87号令第59条以单价为准）",
                "unit price times quantity is {amount}, which is what counts (87号令 art 59)"
            ),
        ),
        Some(_) => {}
    }
    if line.amount.is_negative() {
        form.object(
            &format!("{pointer}/amount"),
            Text::fixed("不得为负数", "must not be negative"),
        );
    }
}

/// Every code of `wanted` once, and none beside.
fn each_once<'a>(
    form: &mut Form,
    pointer: &str,
    given: impl Iterator<Item = &'a str>,
    wanted: &BTreeSet<&str>,
) {
    let mut seen = BTreeSet::new();
    for (index, code) in given.enumerate() {
        let place = format!("{pointer}/{index}/code");
        if !wanted.contains(code) {
            form.object(&place, Text::fixed("标段没有此项", "the lot has no such one"));
        } else if !seen.insert(code) {
            form.object(&place, Text::fixed("不得重复", "is there already"));
        }
    }
    for missing in wanted.difference(&seen) {
        form.object(
            pointer,
            text!("未响应 {missing}", "there is no response to {missing}"),
        );
    }
}

fn criteria(form: &mut Form, document: &BidDocument, lot: &LotDocument) {
    at_most(form, "/criteria", document.criteria.len(), CRITERIA_MAX);
    let wanted: BTreeSet<&str> = lot
        .criteria
        .iter()
        .filter(|one| one.kind != CriterionKind::Price)
        .map(|one| one.code.as_str())
        .collect();
    let given = document.criteria.iter().take(CRITERIA_MAX);
    each_once(
        form,
        "/criteria",
        given.clone().map(|one| one.code.as_str()),
        &wanted,
    );
    for (index, one) in given.enumerate() {
        response(form, &format!("/criteria/{index}"), one, document.documents.len());
    }
}

fn response(form: &mut Form, pointer: &str, one: &CriterionResponse, documents: usize) {
    prose(form, &format!("{pointer}/text"), &one.text, RESPONSE_LENGTH_MAX);
    at_most(
        form,
        &format!("{pointer}/documents"),
        one.documents.len(),
        DOCUMENTS_MAX,
    );
    for (index, number) in one.documents.iter().take(DOCUMENTS_MAX).enumerate() {
        let there = usize::try_from(number.0).is_ok_and(|number| (1..=documents).contains(&number));
        if !there {
            form.object(
                &format!("{pointer}/documents/{index}"),
                text!("共 {documents} 份文件", "there are {documents} documents"),
            );
        }
    }
}

fn indicators(form: &mut Form, given: &[IndicatorResponse], codes: &[String]) {
    at_most(form, "/indicators", given.len(), INDICATORS_MAX);
    let wanted: BTreeSet<&str> = codes.iter().map(String::as_str).collect();
    let given = given.iter().take(INDICATORS_MAX);
    each_once(
        form,
        "/indicators",
        given.clone().map(|one| one.code.as_str()),
        &wanted,
    );
    for (index, one) in given.enumerate() {
        let pointer = format!("/indicators/{index}/text");
        match (&one.text, one.deviation) {
            (Some(text), _) => prose(form, &pointer, text, REMARK_LENGTH_MAX),
            (None, Deviation::None) => {}
            (None, _) => form.object(
                &pointer,
                Text::fixed("有偏离时须说明", "is needed where an offer departs"),
            ),
        }
    }
}

fn sized(form: &mut Form, pointer: &str, size: &SizeDocument) {
    if size
        .employees
        .is_some_and(|count| !(0..=EMPLOYEES_MAX).contains(&count))
    {
        form.object(
            &format!("{pointer}/employees"),
            text!("应为 0 至 {EMPLOYEES_MAX}", "must be from 0 to {EMPLOYEES_MAX}"),
        );
    }
    for (field, amount) in [("revenue", size.revenue), ("assets", size.assets)] {
        if amount.is_some_and(Money::is_negative) {
            form.object(
                &format!("{pointer}/{field}"),
                Text::fixed("不得为负数", "must not be negative"),
            );
        }
    }
    let facts = SizeFacts {
        industry: size.industry,
        employees: size.employees,
        revenue: size.revenue,
        assets: size.assets,
    };
    let class = format!("{pointer}/class");
    match derived(&facts) {
        Some(follows) if follows != size.class => {
            let name = follows.name();
            form.object(
                &class,
                text!("按所报数据应为 {name}", "by these figures it is {name}"),
            );
        }
        None if size.class == SizeClass::NotApplicable => {
            form.object(&class, Text::fixed("须申报", "must be declared"));
        }
        _ => {}
    }
}

fn people(form: &mut Form, document: &BidDocument) {
    at_most(form, "/key_staff", document.key_staff.len(), STAFF_MAX);
    for (index, one) in document.key_staff.iter().take(STAFF_MAX).enumerate() {
        let at = |field: &str| format!("/key_staff/{index}/{field}");
        form.line(&at("name"), &one.name, NAME_LENGTH_MAX);
        form.line(&at("position"), &one.position, NAME_LENGTH_MAX);
        if let Some(qualification) = &one.qualification {
            prose(form, &at("qualification"), qualification, REMARK_LENGTH_MAX);
        }
    }
    at_most(form, "/interests", document.interests.len(), TIES_MAX);
    for (index, one) in document.interests.iter().take(TIES_MAX).enumerate() {
        let at = |field: &str| format!("/interests/{index}/{field}");
        form.line(&at("name"), &one.name, NAME_LENGTH_MAX);
        prose(form, &at("text"), &one.text, REMARK_LENGTH_MAX);
    }
}

fn credit_code(form: &mut Form, pointer: &str, code: &str) {
    if code.parse::<CreditCode>().is_err() {
        form.object(
            pointer,
            Text::fixed(
                "不是有效的统一社会信用代码",
                "is no valid unified social credit code",
            ),
        );
    }
}

fn partners(form: &mut Form, pointer: &str, partners: &[PartnerDocument]) {
    at_most(form, pointer, partners.len(), PARTNERS_MAX);
    let mut seen = BTreeMap::new();
    for (index, one) in partners.iter().take(PARTNERS_MAX).enumerate() {
        let at = |field: &str| format!("{pointer}/{index}/{field}");
        form.line(&at("name"), &one.name, NAME_LENGTH_MAX);
        credit_code(form, &at("credit_code"), &one.credit_code);
        if seen.insert(one.credit_code.as_str(), index).is_some() {
            form.object(&at("credit_code"), Text::fixed("不得重复", "is there already"));
        }
        prose(form, &at("work"), &one.work, REMARK_LENGTH_MAX);
        if one.percent.ten_thousandths() == 0 {
            form.object(&at("percent"), Text::fixed("应大于 0", "must be more than 0"));
        }
        if let Some(size) = &one.size {
            sized(form, &at("size"), size);
        }
    }
    let percent = partners
        .iter()
        .map(|one| one.percent.ten_thousandths())
        .fold(0, u64::saturating_add);
    if percent >= Weight::HUNDRED.ten_thousandths() {
        form.object(
            pointer,
            Text::fixed("合计应小于 100 %", "must leave a part for the bidder"),
        );
    }
}

fn ties(form: &mut Form, document: &BidDocument) {
    at_most(form, "/ties", document.ties.len(), TIES_MAX);
    for (index, one) in document.ties.iter().take(TIES_MAX).enumerate() {
        let at = |field: &str| format!("/ties/{index}/{field}");
        form.line(&at("name"), &one.name, NAME_LENGTH_MAX);
        credit_code(form, &at("credit_code"), &one.credit_code);
    }
}

fn documents(form: &mut Form, document: &BidDocument) {
    at_most(form, "/documents", document.documents.len(), DOCUMENTS_MAX);
    let mut seen = HashSet::new();
    for (index, one) in document.documents.iter().take(DOCUMENTS_MAX).enumerate() {
        let at = |field: &str| format!("/documents/{index}/{field}");
        form.line(&at("name"), &one.name, NAME_LENGTH_MAX);
        let digits = one.sha256.len() == 64
            && one
                .sha256
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
        if !digits {
            form.object(
                &at("sha256"),
                Text::fixed(
                    "应为 64 位小写十六进制",
                    "must be 64 digits of base 16, lower case",
                ),
            );
        } else if !seen.insert(one.sha256.as_str()) {
            form.object(&at("sha256"), Text::fixed("不得重复", "is there already"));
        }
        if !(1..=DOCUMENT_BYTES_MAX).contains(&one.bytes) {
            form.object(
                &at("bytes"),
                text!(
                    "应为 1 至 {DOCUMENT_BYTES_MAX}",
                    "must be from 1 to {DOCUMENT_BYTES_MAX}"
                ),
            );
        }
    }
}

fn confidential(form: &mut Form, document: &BidDocument) {
    at_most(
        form,
        "/confidential",
        document.confidential.len(),
        CONFIDENTIAL_MAX,
    );
    if document.confidential.is_empty() {
        return;
    }
    let whole = serde_json::to_value(document).unwrap_or(Value::Null);
    for (index, one) in document.confidential.iter().take(CONFIDENTIAL_MAX).enumerate() {
        let at = |field: &str| format!("/confidential/{index}/{field}");
        if is_public_anyway(&one.pointer) {
            form.object(
                &at("pointer"),
                Text::fixed(
                    "开标后须公开，不得标注",
                    "becomes public at the opening in any case",
                ),
            );
        } else if !one.pointer.starts_with('/') || whole.pointer(&one.pointer).is_none() {
            form.object(
                &at("pointer"),
                Text::fixed("投标中没有此处", "points to nothing in the bid"),
            );
        }
        prose(form, &at("reason"), &one.reason, REMARK_LENGTH_MAX);
    }
}

/// A bid with everything that a lot asks for, to be filled in. It answers nothing yet.
pub fn blank(asked: Asked<'_>, book_version: i64) -> BidDocument {
    let price_lines = (1_u32..)
        .zip(&asked.lot.quantities)
        .map(|(quantity, _)| PriceLineDocument {
            quantity,
            unit_price: "0".to_owned(),
            amount: Money::ZERO,
        });
    let criteria = asked
        .lot
        .criteria
        .iter()
        .filter(|one| one.kind != CriterionKind::Price);
    let criteria = criteria.map(|one| CriterionResponse {
        code: one.code.clone(),
        text: String::new(),
        documents: Vec::new(),
    });
    let indicators = asked.indicators.iter().map(|code| IndicatorResponse {
        code: code.clone(),
        deviation: Deviation::None,
        text: None,
    });
    BidDocument {
        lot_id: asked.lot_id.clone(),
        supplier_id: asked.supplier_id.clone(),
        book_version,
        price_lines: price_lines.collect(),
        total: Money::ZERO,
        criteria: criteria.collect(),
        indicators: indicators.collect(),
        size: None,
        key_staff: Vec::new(),
        subcontractors: Vec::new(),
        consortium: Vec::new(),
        ties: Vec::new(),
        interests: Vec::new(),
        documents: Vec::new(),
        confidential: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bids::rules_document::{
        ConfidentialDocument, ConfidentialKind, DocumentNumber, DocumentReference, StaffDocument,
    };
    use crate::books::rules_documents::BookDocument;
    use proptest::prelude::*;

    fn lot() -> LotDocument {
        let book = include_str!("../books/templates/sanitation.json");
        let mut value: Value = serde_json::from_str(book).unwrap();
        for quantity in [("58000", "一级道路"), ("96000.5", "二级道路")] {
            let mut one = value["lots"][0]["quantities"][0].clone();
            one["amount"] = quantity.0.into();
            one["name_zh"] = quantity.1.into();
            value["lots"][0]["quantities"].as_array_mut().unwrap().push(one);
        }
        let book: BookDocument = serde_json::from_value(value).unwrap();
        let mut lot = book.lots.into_iter().next().unwrap();
        lot.ceiling = Some("2350200.00".parse().unwrap());
        lot
    }

    fn with<T>(check: impl FnOnce(Asked<'_>) -> T) -> T {
        let (lot_id, supplier_id) = (
            "lot_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            "org_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
        );
        let (lot, indicators) = (lot(), ["litter".to_owned(), "bins".to_owned()]);
        check(Asked {
            lot_id: &lot_id,
            supplier_id: &supplier_id,
            lot: &lot,
            indicators: &indicators,
        })
    }

    fn filled(asked: Asked<'_>) -> BidDocument {
        let mut bid = blank(asked, 1);
        for (line, quantity) in bid.price_lines.iter_mut().zip(&asked.lot.quantities) {
            line.unit_price = "10.20000001".to_owned();
            line.amount = line_amount(&line.unit_price, &quantity.amount).unwrap();
        }
        bid.total = Money::sum(bid.price_lines.iter().map(|line| line.amount)).unwrap();
        for criterion in &mut bid.criteria {
            criterion.text = "两班作业\n机械化清扫".to_owned();
        }
        bid
    }

    fn faults(document: &BidDocument) -> Vec<String> {
        let refused = with(|asked| answers(document, asked));
        refused.err().map_or(Vec::new(), |refusal| {
            refusal.objections.into_iter().map(|one| one.pointer).collect()
        })
    }

    #[test]
    fn unit_price_times_quantity_is_rounded_once_to_the_fen() {
        let amount =
            |unit: &str, quantity: &str| line_amount(unit, quantity).map(|amount| amount.to_string());
        assert_eq!(amount("13.6", "58000"), Some("788800.00".to_owned()));
        assert_eq!(amount("0.005", "1"), Some("0.01".to_owned()));
        assert_eq!(amount("0.00499999", "1"), Some("0.00".to_owned()));
        assert_eq!(amount("0.00000001", "500000"), Some("0.01".to_owned()));
        assert_eq!(amount("999999999.99999999", "999999999.999999"), None);
        for bad in ["", "-1", "1.123456789", "1e3", "01", "1000000000", " 1", "1."] {
            assert_eq!(amount(bad, "1"), None, "{bad}");
        }
    }

    #[test]
    fn a_filled_bid_answers_and_a_blank_one_lacks_everything_that_is_asked() {
        with(|asked| {
            assert_eq!(answers(&filled(asked), asked), Ok(()));
            let blank = blank(asked, 1);
            let read = BidDocument::read(&blank.written().unwrap()).unwrap();
            assert_eq!(read, blank);
            assert_eq!(
                faults(&blank),
                [
                    "/total",
                    "/criteria/0/text",
                    "/criteria/1/text",
                    "/criteria/2/text",
                    "/criteria/3/text"
                ]
            );
            let filled = filled(asked);
            assert_eq!(corrected_total(&filled, asked.lot), Some(filled.total));
        });
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let mut bid = with(filled);
        bid.price_lines[1].amount = Money::ZERO;
        bid.price_lines[2].quantity = 9;
        bid.total = "3000000.00".parse().unwrap();
        bid.criteria[0].documents = vec![DocumentNumber(1)];
        bid.criteria[1].code = "T9".to_owned();
        bid.indicators[0].deviation = Deviation::Negative;
        bid.indicators[1].code = "litter".to_owned();
        bid.key_staff.push(StaffDocument {
            name: "=x".to_owned(),
            position: "项目经理".to_owned(),
            qualification: None,
        });
        bid.subcontractors.push(PartnerDocument {
            name: "洁城".to_owned(),
            credit_code: "914403001922038217".to_owned(),
            work: "清运".to_owned(),
            percent: Weight::HUNDRED,
            size: None,
        });
        bid.documents.push(DocumentReference {
            name: "a.pdf".to_owned(),
            sha256: "ABC".to_owned(),
            bytes: 0,
        });
        let mark = |pointer: &str| ConfidentialDocument {
            pointer: pointer.to_owned(),
            kind: ConfidentialKind::Personal,
            reason: "个人信息".to_owned(),
        };
        bid.confidential = vec![
            mark("/key_staff/0"),
            mark("/total"),
            mark("/nowhere"),
            mark("key_staff"),
        ];
        let expected = [
            "/price_lines/1/amount",
            "/price_lines/2/quantity",
            "/price_lines",
            "/total",
            "/total",
            "/criteria/1/code",
            "/criteria",
            "/criteria/0/documents/0",
            "/indicators/1/code",
            "/indicators",
            "/indicators/0/text",
            "/key_staff/0/name",
            "/subcontractors/0/credit_code",
            "/subcontractors",
            "/documents/0/sha256",
            "/documents/0/bytes",
            "/confidential/1/pointer",
            "/confidential/2/pointer",
            "/confidential/3/pointer",
        ];
        let found = faults(&bid);
        // The document that was added is there, so the response that names it is right.
        let expected: Vec<&str> = expected
            .into_iter()
            .filter(|at| *at != "/criteria/0/documents/0")
            .collect();
        assert_eq!(found, expected);
        let other = "lot_01jd3n8f5teqkrzvq1c0m6h2ay".parse().unwrap();
        let own = bid.supplier_id.clone();
        assert!(!is_addressed(&bid, &other, &own) && is_addressed(&bid, &bid.lot_id.clone(), &own));
    }

    proptest! {
        /// The parser of opened bids takes whatever was sealed: it answers with a bid or with why there is none, and never stops.
        #[test]
        fn whatever_was_sealed_is_a_bid_or_is_not(noise in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..2_000, cut in 0_usize..2_000) {
            let _ = BidDocument::read(&noise);
            let whole = with(filled).written().unwrap();
            let mut damaged = whole.clone();
            damaged.truncate(cut);
            prop_assert!(cut >= whole.len() || BidDocument::read(&damaged).is_err());
            let mut damaged = whole.clone();
            let place = at % damaged.len();
            damaged.splice(place..place, noise.iter().copied());
            if let Ok(read) = BidDocument::read(&damaged) {
                let _ = with(|asked| answers(&read, asked));
                prop_assert_eq!(BidDocument::read(&read.written().unwrap()), Ok(read));
            }
        }

        /// Texts and numbers beyond all bounds are refused and break nothing.
        #[test]
        fn odd_values_are_refused_with_their_place(unit in ".{0,40}", text in ".{0,40}", fen in any::<i64>(), number in any::<u32>(), percent in 0_u32..=100) {
            let mut bid = with(filled);
            bid.price_lines[0].unit_price = unit.clone();
            bid.criteria[0].text = text.clone();
            bid.criteria[0].documents = vec![DocumentNumber(number)];
            bid.price_lines[1].quantity = number;
            if let Ok(amount) = Money::from_fen(fen) {
                bid.total = amount;
            }
            bid.subcontractors.push(PartnerDocument { name: text.clone(), credit_code: unit, work: text, percent: Weight::new(percent.into()).unwrap(), size: None });
            let found = faults(&bid);
            prop_assert!(found.iter().any(|at| at == "/criteria/0/documents/0"));
        }
    }

    #[test]
    fn a_member_too_many_or_twice_makes_it_no_bid() {
        let whole = String::from_utf8(with(filled).written().unwrap()).unwrap();
        let twice = whole.replacen('{', "{\"book_version\":2,", 1);
        let unknown = whole.replacen('{', "{\"x\":1,", 1);
        for bad in [
            twice,
            unknown,
            format!("{whole}{{}}"),
            "[]".to_owned(),
            "[".repeat(100_000),
        ] {
            assert!(BidDocument::read(bad.as_bytes()).is_err());
        }
        assert!(BidDocument::read(&vec![b' '; crate::bids::rules::BID_BYTES_MAX + 1]).is_err());
        assert!(BidDocument::read(format!("{whole}  \n").as_bytes()).is_ok());
    }
}
