//! A page for people on what everybody may see of an opened bid: residents who appraise bids are led to it. It shows what the API shows to everybody, and nothing else, by
//! the names that the book gives to quantities, criteria and indicators. No SQL and no rule.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde_json::Value;

use crate::bids::acts_confidentiality::{Shown, shown};
use crate::bids::acts_opened::NamedBid;
use crate::bids::desk;
use crate::bids::rules_confidentiality::redacted;
use crate::books::rules_documents::{LotDocument, QuantityDocument};
use crate::books::rules_readiness_lots::kept;
use crate::db::conn::Conn;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::registry::store_organisations;
use crate::standards::store_versions;
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::page::{Reader, Sheet};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Every page of this file, and the methods that it has.
pub const PAGES: [(&str, &[&str]); 1] = [("/opened-bids/{lot}/{bid}", &["GET"])];

/// Serves it.
pub fn pages(config: &mut web::ServiceConfig) {
    config.service(show);
}

/// What the book calls what a bid answers.
#[derive(Default)]
struct Names {
    /// The quantities, in their order.
    quantities: Vec<QuantityDocument>,
    /// The criteria, by their codes.
    criteria: BTreeMap<String, Text>,
    /// The indicators, by their codes.
    indicators: BTreeMap<String, Text>,
}

/// A bid, the name of its bidder in both languages, and what the book calls what it answers.
struct Named {
    shown: Shown,
    bidder: Text,
    names: Names,
}

fn names(conn: &mut Conn, lot: &LotDocument) -> Answer<Names> {
    let standard = match &lot.standard_version_id {
        Some(id) => store_versions::version_of_id(conn, id)?.map(|version| version.content),
        None => None,
    };
    // What has no name is told by its code.
    let indicators = kept(&standard.unwrap_or_default(), lot).unwrap_or_default();
    let criteria = lot.criteria.iter().map(|one| {
        (
            one.code.clone(),
            Text::made(one.name_zh.clone(), one.name_en.clone()),
        )
    });
    Ok(Names {
        quantities: lot.quantities.clone(),
        criteria: criteria.collect(),
        indicators: indicators
            .into_iter()
            .map(|one| (one.code, Text::made(one.name.zh, one.name.en)))
            .collect(),
    })
}

async fn named(context: &Shared, (lot, bid): &(String, String)) -> Answer<Named> {
    policy::allow(&Actor::public(), Action::ReadOpenings, Matter::default())?;
    let of = NamedBid {
        lot: lot.parse().map_err(|_| NOT_FOUND.refuse())?,
        bid: bid.parse().map_err(|_| NOT_FOUND.refuse())?,
    };
    let now = context.clock.now();
    context
        .db
        .read(move |conn| {
            let shown = shown(conn, of.clone(), now)?;
            let found = store_organisations::organisation(conn, &shown.opened.supplier_id)?;
            let gone = || Fault::broken(format!("the bidder {} is gone", shown.opened.supplier_id));
            let particulars = found.ok_or_else(gone)?.current.particulars;
            let known = desk::known(conn, &of.lot)?;
            Ok(Named {
                bidder: Text::made(particulars.name_zh, particulars.name_en),
                names: names(conn, known.document()?)?,
                shown,
            })
        })
        .await
}

/// What is kept stands there as kept.
fn said(value: &Value) -> Text {
    match value.as_str() {
        Some(said) => Text::made(said.to_owned(), said.to_owned()),
        None => Text::fixed("（不公开）", "(not public)"),
    }
}

fn of(value: &Value, member: &str) -> Text {
    said(value.get(member).unwrap_or(&Value::Null))
}

fn items<'v>(bid: &'v Value, member: &str) -> impl Iterator<Item = &'v Value> {
    bid.get(member).and_then(Value::as_array).into_iter().flatten()
}

/// What the book calls something, by its code; the code where it does not.
fn called(names: &BTreeMap<String, Text>, code: &Text) -> Text {
    names.get(code.en()).unwrap_or(code).clone()
}

/// What a quantity costs: of what, how much, for one unit, and together.
fn priced(line: &Value, names: &Names) -> Text {
    let number = line.get("quantity").and_then(Value::as_u64).unwrap_or_default();
    let place = usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1));
    let unit_price = of(line, "unit_price");
    let amount = said(line.pointer("/amount/amount").unwrap_or(&Value::Null));
    let (price_zh, price_en) = (unit_price.zh(), unit_price.en());
    let (amount_zh, amount_en) = (amount.zh(), amount.en());
    match place.and_then(|place| names.quantities.get(place)) {
        Some(quantity) => {
            let many = &quantity.amount;
            let (name_zh, name_en) = (&quantity.name_zh, &quantity.name_en);
            let (unit_zh, unit_en) = (&quantity.unit_zh, &quantity.unit_en);
            text!(
                "明细 {number}：{name_zh}，{many} {unit_zh}，单价 {price_zh} 元，合计 {amount_zh} 元",
                "Line {number}: {name_en}, {many} {unit_en} at {price_en} yuan each, {amount_en} yuan in all"
            )
        }
        None => text!(
            "明细 {number}：单价 {price_zh} 元，合计 {amount_zh} 元",
            "Line {number}: at {price_en} yuan each, {amount_en} yuan in all"
        ),
    }
}

/// Where an offer departs from what is demanded; nothing of an indicator from which it does not.
fn departs(response: &Value, names: &Names) -> Option<Text> {
    let how = match response.get("deviation").and_then(Value::as_str) {
        Some("none") => return None,
        Some("positive") => Text::fixed("优于要求", "better than demanded"),
        Some("negative") => Text::fixed("低于要求", "worse than demanded"),
        _ => Text::fixed("（不公开）", "(not public)"),
    };
    let (name, offered) = (
        called(&names.indicators, &of(response, "code")),
        of(response, "text"),
    );
    let (name_zh, name_en) = (name.zh(), name.en());
    let (how_zh, how_en) = (how.zh(), how.en());
    let (zh, en) = (offered.zh(), offered.en());
    Some(text!(
        "偏离：{name_zh}，{how_zh}：{zh}",
        "Departs from what is demanded: {name_en}, {how_en}: {en}"
    ))
}

/// All deviations, or that there is none.
fn deviations(bid: &Value, names: &Names) -> Vec<Text> {
    let Some(responses) = bid.get("indicators").and_then(Value::as_array) else {
        return vec![Text::fixed(
            "对作业标准的响应（不公开）",
            "How it answers what is demanded (not public)",
        )];
    };
    let found: Vec<Text> = responses.iter().filter_map(|one| departs(one, names)).collect();
    if found.is_empty() {
        vec![Text::fixed(
            "对作业标准无偏离。",
            "It departs from nothing that is demanded.",
        )]
    } else {
        found
    }
}

/// What of a bid is said in words, in the order of the page.
fn words(bid: &Value, names: &Names) -> Vec<Text> {
    let price = said(bid.pointer("/total/amount").unwrap_or(&Value::Null));
    let (price_zh, price_en) = (price.zh(), price.en());
    let mut words = vec![text!("报价：{price_zh} 元", "Price: {price_en} yuan")];
    words.extend(items(bid, "price_lines").map(|line| priced(line, names)));
    for one in items(bid, "criteria") {
        let (name, offered) = (called(&names.criteria, &of(one, "code")), of(one, "text"));
        let (name_zh, name_en) = (name.zh(), name.en());
        let (zh, en) = (offered.zh(), offered.en());
        words.push(text!(
            "方案（{name_zh}）：{zh}",
            "What is offered for {name_en}: {en}"
        ));
    }
    words.extend(deviations(bid, names));
    for one in items(bid, "key_staff") {
        let (position, qualification) = (of(one, "position"), of(one, "qualification"));
        let (position_zh, position_en) = (position.zh(), position.en());
        let (zh, en) = (qualification.zh(), qualification.en());
        words.push(text!(
            "人员：{position_zh}；资格：{zh}",
            "Staff: {position_en}; qualified by: {en}"
        ));
    }
    words
}

fn page(named: Named) -> Result<Sheet, Fault> {
    let Named { shown, bidder, names } = named;
    let bid = redacted(&shown.document, &shown.places)?;
    let mut sheet = Sheet::new(bidder).says(Text::fixed(
        "以下是该投标可以公开的内容。人员姓名不公开；投标人标明保密且尚未决定公开的内容不显示。",
        "This is what everybody may see of the bid. Names of people are not shown, nor what the bidder has marked as confidential as long as it is.",
    ));
    for one in words(&bid, &names) {
        sheet = sheet.says(one);
    }
    for (document, attachment) in &shown.files {
        let name = &document.name;
        sheet = match attachment {
            Some(id) => sheet.points_to(
                text!("文件：{name}", "Document: {name}"),
                format!("/api/v1/attachments/{id}/content"),
            ),
            None => sheet.says(text!(
                "文件：{name}（未提交）",
                "Document: {name} (not handed in)"
            )),
        };
    }
    Ok(sheet)
}

#[get("/opened-bids/{lot}/{bid}")]
async fn show(request: HttpRequest, path: web::Path<(String, String)>, context: Shared) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match named(&context, &path).await {
        Ok(named) => match page(named) {
            Ok(sheet) => reader.show(StatusCode::OK, &sheet),
            Err(fault) => Err(fault.into()),
        },
        Err(stop) => Err(stop),
    };
    reader.answer(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named() -> Names {
        let name =
            |code: &str, zh: &str, en: &str| (code.to_owned(), Text::made(zh.to_owned(), en.to_owned()));
        Names {
            quantities: vec![QuantityDocument {
                name_zh: "一级道路".to_owned(),
                name_en: "Class 1 roads".to_owned(),
                amount: "58000".to_owned(),
                unit_zh: "平方米".to_owned(),
                unit_en: "m²".to_owned(),
                grade: None,
            }],
            criteria: BTreeMap::from([name("T1", "作业方案", "Plan of work")]),
            indicators: BTreeMap::from([name("peel", "果皮纸屑", "Peel and paper")]),
        }
    }

    fn in_both(bid: &Value) -> (Vec<String>, Vec<String>) {
        let words = words(bid, &named());
        let of = |say: fn(&Text) -> &str| words.iter().map(|one| say(one).to_owned()).collect();
        (of(Text::zh), of(Text::en))
    }

    #[test]
    fn a_bid_is_told_line_by_line_by_the_names_of_its_book() {
        let bid = json!({
            "total": {"amount": "788800.00"},
            "price_lines": [
                {"quantity": 1, "unit_price": "13.6", "amount": {"amount": "788800.00"}},
                {"quantity": 2, "unit_price": "1", "amount": {"amount": "1.00"}}
            ],
            "criteria": [{"code": "T1", "text": "两班"}, {"code": "T9", "text": null}],
            "indicators": [
                {"code": "peel", "deviation": "positive", "text": "更少"},
                {"code": "dust", "deviation": "negative", "text": null},
                {"code": "other", "deviation": "none", "text": null}
            ],
            "key_staff": [{"name": null, "position": "项目经理", "qualification": null}]
        });
        let (zh, en) = in_both(&bid);
        assert_eq!(
            zh,
            [
                "报价：788800.00 元",
                "明细 1：一级道路，58000 平方米，单价 13.6 元，合计 788800.00 元",
                "明细 2：单价 1 元，合计 1.00 元",
                "方案（作业方案）：两班",
                "方案（T9）：（不公开）",
                "偏离：果皮纸屑，优于要求：更少",
                "偏离：dust，低于要求：（不公开）",
                "人员：项目经理；资格：（不公开）",
            ]
        );
        assert_eq!(
            en,
            [
                "Price: 788800.00 yuan",
                "Line 1: Class 1 roads, 58000 m² at 13.6 yuan each, 788800.00 yuan in all",
                "Line 2: at 1 yuan each, 1.00 yuan in all",
                "What is offered for Plan of work: 两班",
                "What is offered for T9: (not public)",
                "Departs from what is demanded: Peel and paper, better than demanded: 更少",
                "Departs from what is demanded: dust, worse than demanded: (not public)",
                "Staff: 项目经理; qualified by: (not public)",
            ]
        );
    }

    #[test]
    fn that_nothing_departs_is_said_where_it_is_known() {
        let last = |indicators: Value| in_both(&json!({ "indicators": indicators })).1.pop().unwrap();
        assert_eq!(last(json!([])), "It departs from nothing that is demanded.");
        assert_eq!(
            last(json!([{"code": "peel", "deviation": "none", "text": null}])),
            "It departs from nothing that is demanded."
        );
        assert_eq!(last(Value::Null), "How it answers what is demanded (not public)");
        assert_eq!(
            last(json!([null])),
            "Departs from what is demanded: (not public), (not public): (not public)"
        );
    }
}
