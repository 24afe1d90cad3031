//! From the need to the signed contract: announced, talked over, published, bid for in secret, opened, awarded and signed. How bids are judged is in
//! `lifecycle_judging.rs`.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::files::pdf;
use crate::lifecycle_books::{BOOKS, Bid, Book};
use crate::lifecycle_judging::{
    ask_representatives, conclude_by_ballot, examine, representatives_vote, score, seat,
};
use crate::lifecycle_story::{Story, text, yuan};
use crate::lifecycle_ward::{of, supplier};

/// When bids end and are opened.
const OPENING: &str = "2026-04-24T01:00:00Z";

/// Somebody of the buyer of a book.
pub fn buyer(book: &Book, what: &str) -> String {
    format!("{}.{what}", book.buyer)
}

/// What a book is called in the story.
pub fn named(book: &Book, what: &str) -> String {
    format!("{what} {}", book.line)
}

/// Its lot.
pub fn lot(story: &Story<'_>, book: &Book) -> String {
    story.id(&named(book, "lot"))
}

/// Its contract.
pub fn contract(story: &Story<'_>, book: &Book) -> String {
    story.id(&named(book, "contract"))
}

/// Buys all five books.
pub fn buy(story: &Story<'_>) {
    for book in &BOOKS {
        announce(story, book);
    }
    story.go_to("2026-03-16T02:00:00Z");
    for book in &BOOKS {
        talk_over(story, book);
    }
    story.go_to("2026-04-02T01:00:00Z");
    for book in &BOOKS {
        publish(story, book);
    }
    story.go_to("2026-04-16T02:00:00Z");
    for book in &BOOKS {
        for bid in book.bids {
            offer(story, book, bid);
        }
    }
    story.go_to(OPENING);
    for book in &BOOKS {
        open(story, book);
        let chair = seat(story, book);
        story.call(&named(book, "chair"), &json!({"id": chair}));
        examine(story, book, &chair);
    }
    let ballot = ask_representatives(story, &BOOKS[4]);
    for book in BOOKS.iter().filter(|book| !book.is_by_ballot()) {
        score(story, book);
    }
    story.go_to("2026-04-25T02:00:00Z");
    representatives_vote(story, &ballot);
    story.go_to("2026-04-27T05:00:00Z");
    conclude_by_ballot(story, &BOOKS[4], &ballot);
    award(story);
    for book in &BOOKS {
        sign(story, book);
    }
}

fn announce(story: &Story<'_>, book: &Book) {
    let (zh, en) = book.title;
    let content = json!({"category": book.category, "area_ids": [story.id(book.area)], "title_zh": zh, "title_en": en, "overview_zh": "为期十二个月",
        "overview_en": "For twelve months", "budget": yuan(book.budget), "expected_month": "2026-04", "contact": "王磊 0990-5550101"});
    let body = json!({"organisation_id": story.id(book.buyer), "content": content});
    let notice = story.does(&buyer(book, "officer"), "/intention-notices", &body);
    let notice = story.call(&named(book, "notice"), &notice);
    story.just_does(
        &buyer(book, "approver"),
        &format!("/intention-notices/{notice}/publication"),
    );
}

/// Minutes of a meeting, which somebody sends.
pub fn minutes(story: &Story<'_>, who: &str) -> String {
    text(
        &story.sends(who, "/attachments", "application/pdf", &pdf("会议记录")),
        "id",
    )
}

fn talk_over(story: &Story<'_>, book: &Book) {
    let said = |kind: &str| json!({"kind": kind, "who_zh": "居民代表", "who_en": "Residents", "opinion_zh": "可行", "opinion_en": "Feasible"});
    let (zh, en) = book.title;
    let content = json!({"category": book.category, "title_zh": zh, "title_en": en, "need_zh": "日常养护", "need_en": "Daily upkeep",
        "consulted": [said("users"), said("market_survey")], "outsiders": [{"name": "方圆", "role_zh": "专家", "role_en": "Expert", "opinion_zh": "合理", "opinion_en": "Reasonable"}]});
    let (officer, body) = (
        buyer(book, "officer"),
        json!({"organisation_id": story.id(book.buyer), "content": content}),
    );
    let record = story.call(
        &named(book, "record"),
        &story.does(&officer, "/consultations", &body),
    );
    let path = format!("/consultations/{record}");
    let opinion = json!({"opinion_zh": "同意", "opinion_en": "Agreed"});
    story.does(&buyer(book, "reviewer"), &format!("{path}/reviews"), &opinion);
    let attached = json!({"attachment_ids": [minutes(story, &officer)]});
    story.does(&officer, &format!("{path}/minutes"), &attached);
    let conclusion = json!({"conclusion_zh": "需求成立", "conclusion_en": "The need is there", "concluded_on": "2026-03-16"});
    story.does(
        &buyer(book, "approver"),
        &format!("{path}/conclusion"),
        &conclusion,
    );
}

/// What the book says: the template of its category with what is its own.
fn content(story: &Story<'_>, book: &Book) -> Value {
    let (officer, (zh, en)) = (buyer(book, "officer"), book.title);
    let mut content = story.sees(&officer, &format!("/contract-book-templates/{}", book.category));
    let standards = story.public(&format!("/standards?category={}", book.category));
    let standard = text(&standards["items"][0], "id");
    let versions = story.public(&format!("/standards/{standard}/versions"));
    for (member, value) in [
        ("title_zh", json!(zh)),
        ("title_en", json!(en)),
        ("areas", json!([story.id(book.area)])),
        ("intention_id", json!(story.id(&named(book, "notice")))),
        ("consultation_id", json!(story.id(&named(book, "record")))),
        (
            "timetable",
            json!({"enquiry_deadline": "2026-04-10T01:00:00Z", "answer_deadline": "2026-04-14T01:00:00Z", "bid_deadline": OPENING,
            "opening": OPENING, "service_from": "2026-06-01", "service_until": "2027-05-31"}),
        ),
    ] {
        content[member] = value;
    }
    let quantity = |(zh, en, amount, unit, grade): &(&str, &str, &str, (&str, &str), Option<&str>)| json!({"name_zh": zh, "name_en": en, "amount": amount, "unit_zh": unit.0, "unit_en": unit.1, "grade": grade});
    // What is found wrong costs a tenth of a point each.
    let faults = json!({"code": "faults", "name_zh": "考核扣分", "name_en": "Faults", "text_zh": "发现的问题每处扣 0.1 分", "text_en": "A tenth of a point for each",
        "unit": "piece", "operator": "at_most", "limits": [{"threshold": "0"}], "method_zh": "现场检查", "method_en": "Looked at on site",
        "loss": {"kind": "per_occurrence", "points": "0.1"}});
    let lot = &mut content["lots"][0];
    for (member, value) in [
        ("title_zh", json!(zh)),
        ("title_en", json!(en)),
        ("quantities", book.quantities.iter().map(quantity).collect()),
        (
            "places",
            json!([{"name_zh": "梧桐大道", "name_en": "Wutong Avenue"}]),
        ),
        ("indicators", json!([faults])),
        ("standard_version_id", versions["items"][0]["id"].clone()),
        ("budget_line_id", json!(story.id(book.line))),
        ("ceiling", yuan(book.budget)),
        ("sme", json!({"kind": "reserved"})),
    ] {
        lot[member] = value;
    }
    if book.is_open() {
        lot["sme"] = json!({"kind": "deduction", "percent": "10", "consortium_percent": "4"});
        content["bid_security_percent"] = json!("2");
    } else if book.is_by_ballot() {
        lot["bidders_min"] = json!(1);
        lot["criteria"] = json!([{"code": "A1", "kind": "appraisal", "name_zh": "居民代表会议评议", "name_en": "By the representatives", "weight": "100",
            "scale_zh": "按参与代表评分平均", "scale_en": "The mean of their points"}]);
        content["method"] = json!("appraisal");
    }
    content
}

/// Drafted by one, approved and published by another; from then on its whole budget is reserved.
fn publish(story: &Story<'_>, book: &Book) {
    let body = json!({"organisation_id": story.id(book.buyer), "content": content(story, book)});
    let officer = buyer(book, "officer");
    let id = story.call(
        &named(book, "book"),
        &story.does(&officer, "/contract-books", &body),
    );
    story.just_does(&officer, &format!("/contract-books/{id}/submission"));
    for what in ["approval", "publication"] {
        story.just_does(&buyer(book, "approver"), &format!("/contract-books/{id}/{what}"));
    }
    let lots = story.public(&format!("/contract-books/{id}"));
    story.call(&named(book, "lot"), &lots["lots"][0]);
    let line = story.sees(
        &buyer(book, "finance"),
        &format!("/budget-lines/{}", story.id(book.line)),
    );
    assert_eq!(line["balances"]["reserved"], yuan(book.budget), "{line}");
}

/// A unit price times an amount, half up to the fen.
fn line_amount(unit_price: &str, amount: &str) -> Value {
    let [price, amount] = [unit_price, amount].map(|text| text.parse::<Decimal>().unwrap());
    let product = (price * amount).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    yuan(&format!("{product:.2}"))
}

/// The bidder lodges what the book asks for, fills the form in, and the service seals it.
fn offer(story: &Story<'_>, book: &Book, bid: &Bid) {
    let (lot, id) = (lot(story, book), story.id(&of(bid.by)));
    if book.is_open() {
        // At most 2 % of 2,350,200.00.
        let security = |amount: &str| json!({"supplier_id": id, "kind": "transfer", "amount": yuan(amount), "issuer": "凤城银行", "reference": bid.by, "lodged_on": "2026-04-16"});
        let path = format!("/lots/{lot}/bid-securities");
        let lodged = story.does(bid.by, &path, &security("47004.00"));
        story.call(&format!("bid security {}", bid.by), &lodged);
    }
    let form = story.sees(bid.by, &format!("/lots/{lot}/bid-form?supplier_id={id}"));
    let mut document = form["document"].clone();
    let prices = document["price_lines"].as_array_mut().unwrap().iter_mut();
    for ((line, price), (.., amount, _, _)) in prices.zip(bid.unit_prices).zip(book.quantities) {
        line["unit_price"] = json!(price);
        line["amount"] = line_amount(price, amount);
    }
    document["total"] = yuan(bid.total);
    for criterion in document["criteria"].as_array_mut().unwrap() {
        criterion["text"] = json!("按责任书执行");
    }
    if let Some(figures) = supplier(bid.by).size {
        // As it follows from what the supplier has registered with.
        let class = story.public(&format!("/organisations/{id}"))["size_class"].clone();
        let amount = |yuan: i64| json!({"amount": format!("{yuan}.00"), "currency": "CNY"});
        document["size"] = json!({"industry": figures.industry, "employees": figures.employees, "revenue": amount(figures.revenue_yuan),
            "assets": figures.assets_yuan.map(amount), "class": class});
    }
    story.does(bid.by, &format!("/lots/{lot}/bids"), &document);
}

/// Nobody reads a bid before the opening; then everybody sees who has bid what.
fn open(story: &Story<'_>, book: &Book) {
    let (id, lot) = (story.id(&named(book, "book")), lot(story, book));
    assert_eq!(story.ward.get(&format!("/api/v1/lots/{lot}/opening")).status, 404);
    story.just_does(&buyer(book, "officer"), &format!("/contract-books/{id}/opening"));
    let record = story.public(&format!("/lots/{lot}/opening"));
    let opened = record["opened"].as_array().unwrap();
    assert_eq!(
        (opened.len(), &record["outcome"]),
        (book.bids.len(), &json!("opened"))
    );
    for bid in book.bids {
        let found = opened
            .iter()
            .find(|one| one["supplier_id"] == story.id(&of(bid.by)));
        let found = found.unwrap();
        assert_eq!(
            (&found["total"], &found["findings"]),
            (&yuan(bid.total), &json!([]))
        );
        story.call(&bid_of(book, bid), &json!({"id": found["bid_id"]}));
        if book.is_open() {
            // Until then nobody else knew of it.
            let path = format!(
                "/bid-securities/{}/decision",
                story.id(&format!("bid security {}", bid.by))
            );
            let there = json!({"is_there": true, "decision": "已到账"});
            story.does(&buyer(book, "finance"), &path, &there);
        }
    }
}

/// What a bid is called in the story.
pub fn bid_of(book: &Book, bid: &Bid) -> String {
    format!("bid {} {}", book.line, bid.by)
}

/// Proposed, decided, noticed, and confirmed when the time for challenges is over. With the notice the result is public, as the law has it.
fn award(story: &Story<'_>) {
    for book in &BOOKS {
        let report = json!({"report": "推荐排名第一的投标人"});
        let award = story.does(
            &buyer(book, "officer"),
            &format!("/lots/{}/award-proposal", lot(story, book)),
            &report,
        );
        story.call(&named(book, "award"), &award);
    }
    story.go_to("2026-04-28T02:00:00Z");
    for book in &BOOKS {
        let path = format!("/awards/{}", story.id(&named(book, "award")));
        story.does(
            &buyer(book, "approver"),
            &format!("{path}/decision"),
            &json!({"decision": "同意"}),
        );
        story.just_does(&buyer(book, "officer"), &format!("{path}/notice"));
        assert_eq!(ranking(story, book), book.result, "{}", book.title.1);
    }
    story.go_to("2026-05-15T02:00:00Z");
    for book in &BOOKS {
        let path = format!("/awards/{}", story.id(&named(book, "award")));
        story.just_does(&buyer(book, "approver"), &format!("{path}/confirmation"));
    }
}

/// The price that is judged, its points, the total and the rank of each bid, in the order of the bids; everybody sees them.
fn ranking(story: &Story<'_>, book: &Book) -> Vec<[String; 4]> {
    let derivation = story.public(&format!("/lots/{}/evaluation/derivation", lot(story, book)));
    let all = derivation["result"]["bids"].as_array().unwrap();
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let row = |bid: &Bid| {
        let id = story.id(&bid_of(book, bid));
        let found = all
            .iter()
            .find(|one| one["bidder"] == id)
            .unwrap_or_else(|| panic!("{derivation}"));
        ["evaluated_price", "price_score", "total", "rank"].map(|member| shown(&found[member]))
    };
    book.bids.iter().map(row).collect()
}

/// Both parties sign the same bytes, once what secures the performance is there: the price is committed, and the rest of the budget free again.
fn sign(story: &Story<'_>, book: &Book) {
    let (supplier, price) = book.winner;
    let award = story.id(&named(book, "award"));
    let made = story.just_does(&buyer(book, "officer"), &format!("/awards/{award}/contract"));
    let id = story.call(&named(book, "contract"), &made);
    assert_eq!(
        (&made["price"], &made["supplier_id"]),
        (&yuan(price), &json!(story.id(&of(supplier))))
    );
    assert_eq!(made["performance_security"], yuan(book.security));
    let security = |amount: &str| json!({"kind": "transfer", "amount": yuan(amount), "issuer": "凤城银行", "reference": "0515", "lodged_on": "2026-05-15"});
    let lodged = story.does(
        supplier,
        &format!("/contracts/{id}/performance-securities"),
        &security(book.security),
    );
    let lodged = story.call(&named(book, "security"), &lodged);
    let found = json!({"is_there": true, "decision": "已到账"});
    story.does(
        &buyer(book, "finance"),
        &format!("/performance-securities/{lodged}/decision"),
        &found,
    );
    let bytes = story
        .asks(supplier, "GET", &format!("/contracts/{id}/content"), None)
        .text;
    let sha256 = hex::encode(Sha256::digest(bytes.as_bytes()));
    for (who, party) in [
        (supplier.to_owned(), "supplier"),
        (buyer(book, "approver"), "buyer"),
    ] {
        story.does(
            &who,
            &format!("/contracts/{id}/signatures"),
            &json!({"party": party, "sha256": sha256}),
        );
    }
    let line = story.sees(
        &buyer(book, "finance"),
        &format!("/budget-lines/{}", story.id(book.line)),
    );
    assert_eq!(
        (&line["balances"]["committed"], &line["balances"]["reserved"]),
        (&yuan(price), &yuan("0.00"))
    );
}
