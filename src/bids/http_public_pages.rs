//! A page for people on what everybody may see of an opened bid: residents who appraise bids are led to it. It shows what the API shows to everybody, and nothing else.
//! No SQL and no rule.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde_json::Value;

use crate::bids::acts_confidentiality::{Shown, shown};
use crate::bids::acts_opened::NamedBid;
use crate::bids::rules_confidentiality::redacted;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::registry::store_organisations;
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

/// A bid, and the name of its bidder in both languages.
struct Named {
    shown: Shown,
    bidder: Text,
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
            Ok(Named {
                bidder: Text::made(particulars.name_zh, particulars.name_en),
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

fn items<'v>(bid: &'v Value, member: &str) -> impl Iterator<Item = &'v Value> {
    bid.get(member).and_then(Value::as_array).into_iter().flatten()
}

fn page(named: Named) -> Result<Sheet, Fault> {
    let Named { shown, bidder } = named;
    let bid = redacted(&shown.document, &shown.places)?;
    let of = |value: &Value, member: &str| said(value.get(member).unwrap_or(&Value::Null));
    let price = said(bid.pointer("/total/amount").unwrap_or(&Value::Null));
    let (price_zh, price_en) = (price.zh(), price.en());
    let mut sheet = Sheet::new(bidder)
        .says(Text::fixed(
            "以下是该投标可以公开的内容。人员姓名不公开；投标人标明保密且尚未决定公开的内容不显示。",
            "This is what everybody may see of the bid. Names of people are not shown, nor what the bidder has marked as confidential as long as it is.",
        ))
        .says(text!("报价：{price_zh} 元", "Price: {price_en} yuan"));
    for one in items(&bid, "criteria") {
        let (code, text) = (of(one, "code"), of(one, "text"));
        let (code, zh, en) = (code.zh(), text.zh(), text.en());
        sheet = sheet.says(text!("方案 {code}：{zh}", "What is offered for {code}: {en}"));
    }
    for one in items(&bid, "key_staff") {
        let (position, qualification) = (of(one, "position"), of(one, "qualification"));
        let (position_zh, position_en) = (position.zh(), position.en());
        let (zh, en) = (qualification.zh(), qualification.en());
        sheet = sheet.says(text!(
            "人员：{position_zh}；资格：{zh}",
            "Staff: {position_en}; qualified by: {en}"
        ));
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
