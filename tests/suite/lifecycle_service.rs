//! Twelve months of service: inspected, rated by residents, accepted, claimed, certified, approved, paid and confirmed, each by whom it is the duty of, to the
//! last payment of each contract.

use chrono::{Datelike, Duration, Months, NaiveDate};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::lifecycle_books::{BOOKS, Book, LATE, MONTHS, PAID, RELEASED};
use crate::lifecycle_judging::{counted, vote};
use crate::lifecycle_story::{Story, text, yuan};
use crate::lifecycle_tender::{buyer, contract};
use crate::lifecycle_ward::{RESIDENTS, chief, line, of, residents};
use crate::organisations::refused;

/// A claim that is approved and not yet paid, with the day on which it is.
type Late = Option<(String, NaiveDate)>;

/// Serves all five contracts to their end.
pub fn serve(story: &Story<'_>) {
    for book in &BOOKS {
        begin(story, book);
    }
    supplements_have_a_bound(story);
    let mut late: Late = None;
    for number in 1..=12 {
        let first = (1..number).fold(day(2026, 6, 1), |first, _| next(first));
        on(story, &mut late, first + Duration::days(9));
        for book in &BOOKS {
            inspect(story, book, number, first + Duration::days(9));
        }
        let ballot = MONTHS.get(number - 1).map(|month| {
            on(story, &mut late, first + Duration::days(25));
            let ballot = ask(story, number, first);
            on(story, &mut late, first + Duration::days(26));
            vote(
                story,
                &ballot,
                &residents(story, month.residents.iter().sum()),
                month.residents,
            );
            ballot
        });
        on(story, &mut late, next(first) + Duration::days(2));
        if let (Some(ballot), Some(month)) = (ballot, MONTHS.get(number - 1)) {
            assert_eq!(counted(story, &ballot)["score"], month.rated, "month {number}");
        }
        for book in &BOOKS {
            accept(story, book, number);
            pay(story, book, number, &mut late);
        }
    }
    on(story, &mut late, day(2027, 6, 20));
    for book in &BOOKS {
        complete(story, book);
    }
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// The first day of the next month.
fn next(first: NaiveDate) -> NaiveDate {
    first.checked_add_months(Months::new(1)).unwrap()
}

/// Time goes on to the morning of a day; what is paid late is paid on its own day, if that comes before.
fn on(story: &Story<'_>, late: &mut Late, until: NaiveDate) {
    if let Some((claim, paid_on)) = late.take_if(|(_, paid_on)| *paid_on <= until) {
        story.go_to(&format!("{paid_on}T02:00:00Z"));
        decide_the_year(story);
        execute(story, &BOOKS[0], &claim);
        let (_, days, interest) = LATE;
        let paid = story.public(&format!("/claims/{claim}"));
        assert_eq!(
            (&paid["days_late"], &paid["interest"]),
            (&json!(days), &yuan(interest)),
            "E4"
        );
    }
    story.go_to(&format!("{until}T02:00:00Z"));
    decide_the_year(story);
}

/// What is still held for the contracts when the year of their money is over is carried over into lines of the next year: proposed by one person, confirmed by another.
fn decide_the_year(story: &Story<'_>) {
    let path = format!("/funds/{}/undecided-holds", story.id("fund"));
    let waiting = story.sees("street.finance", &path);
    for hold in waiting["items"].as_array().unwrap() {
        let matter = text(hold, "matter");
        let book = BOOKS.iter().find(|book| contract(story, book) == matter).unwrap();
        let code = next_line(book);
        line(story, (2027, &code), book.category, book.buyer);
        let carry = json!({"kind": "carry_over", "to_line_id": story.id(&code), "reason": "跨年合同"});
        let path = format!("/ledger/holds/{}/year-ends", text(hold, "id"));
        let proposed = text(&story.does("street.finance", &path, &carry), "id");
        let decided = story.just_does("street.finance2", &format!("/year-ends/{proposed}/confirmation"));
        assert_eq!(
            (&decided["state"], &decided["amount"]),
            (&json!("confirmed"), &hold["remaining"])
        );
    }
}

/// The line of the next year that pays the rest of a book's contract.
fn next_line(book: &Book) -> String {
    format!("{}-27", book.line)
}

/// The schedule is public, and the contractor has a bank account that two of its people have agreed on.
fn begin(story: &Story<'_>, book: &Book) {
    let (supplier, price) = book.winner;
    let periods = story.public(&format!("/contracts/{}/periods", contract(story, book)));
    let amounts: Vec<String> = periods["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(&one["amount"], "amount"))
        .collect();
    let [month, last] = book.months;
    assert_eq!(
        (amounts.len(), amounts[11].as_str(), &periods["price"]),
        (12, last, &yuan(price))
    );
    assert!(amounts[..11].iter().all(|amount| amount == month), "{amounts:?}");
    let path = format!("/organisations/{}/bank-account-changes", story.id(&of(supplier)));
    let account = json!({"holder": supplier, "bank_name": "凤城银行", "bank_code": "313990101017", "number": "6222021112345678903"});
    let change = text(&story.does(supplier, &path, &account), "id");
    story.just_does(&chief(supplier), &format!("{path}/{change}/confirmation"));
}

/// A tenth of the price of the first contract, to the fen.
fn supplements_have_a_bound(story: &Story<'_>) {
    let (book, officer) = (&BOOKS[0], buyer(&BOOKS[0], "officer"));
    let path = format!("/contracts/{}/variations", contract(story, book));
    let supplement = |amount: &str| json!({"kind": "supplement", "cause": "area", "words_zh": "增加一处", "words_en": "One place more", "amount": yuan(amount), "from_period": 1});
    refused(
        &story.asks(&officer, "POST", &path, Some(&supplement("229860.01"))),
        409,
        "variation_over_cap",
    );
    let within = text(&story.does(&officer, &path, &supplement("229860.00")), "id");
    let reason = json!({"reason_zh": "暂缓", "reason_en": "Not now"});
    story.does(&officer, &format!("/variations/{within}/withdrawal"), &reason);
}

/// What is found of a month; of the first book what is to come to the scores of E3.
fn inspect(story: &Story<'_>, book: &Book, number: usize, at: NaiveDate) {
    let is_first = std::ptr::eq(book, &BOOKS[0]);
    let faults = MONTHS
        .get(number - 1)
        .filter(|_| is_first)
        .map_or(0, |month| month.faults);
    let body = json!({"source": "inspection", "place": 1, "location": "12 号门前", "grade": book.quantities[0].4, "started_at": format!("{at}T01:00:00Z"),
        "photos_are_public": false, "items": [{"indicator": "faults", "value": faults.to_string()}]});
    let seen = story.does(
        &buyer(book, "reviewer"),
        &format!("/contracts/{}/inspections", contract(story, book)),
        &body,
    );
    if let Some(month) = MONTHS.get(number - 1).filter(|_| is_first) {
        assert_eq!(seen["score"], month.inspected, "month {number}");
    }
}

/// The residents are asked about a month of the first book.
fn ask(story: &Story<'_>, number: usize, first: NaiveDate) -> Value {
    let (opens, closes) = (first + Duration::days(26), next(first) + Duration::days(1));
    let body = json!({"opens_at": format!("{opens}T00:00:00Z"), "closes_at": format!("{closes}T00:00:00Z"), "unit": "residents", "quorum_percent": 20});
    let path = format!(
        "/contracts/{}/periods/{number}/ratings",
        contract(story, &BOOKS[0])
    );
    let ballot = story.does(&buyer(&BOOKS[0], "officer"), &path, &body);
    assert_eq!(ballot["electorate"], RESIDENTS);
    ballot
}

/// The officer drafts a certificate of what inspections have found, and the approver signs it.
fn accept(story: &Story<'_>, book: &Book, number: usize) {
    let officer = buyer(book, "officer");
    let path = format!(
        "/contracts/{}/periods/{number}/acceptance-draft",
        contract(story, book)
    );
    let found = story.sees(&officer, &path);
    let finding = |one: &Value| json!({"indicator": one["indicator"], "finding": one["suggested"]});
    let findings: Vec<Value> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(finding)
        .collect();
    let body = json!({"findings": findings, "conclusion": "accepted", "served": [{"name": "周桂芬", "took_part": true, "words": "比以前干净"}]});
    let draft = story.does(&officer, &path, &body);
    let path = format!("/acceptances/{}", text(&draft, "id"));
    let sha256 = story.sees(&officer, &path)["draft_sha256"].clone();
    let signed = story.does(
        &buyer(book, "approver"),
        &format!("{path}/signature"),
        &json!({"sha256": sha256}),
    );
    assert_eq!(signed["state"], "accepted", "{signed}");
}

/// Claimed by the contractor, certified by the officer, approved and paid by two finance officers, and confirmed by a third with the bank's reference.
fn pay(story: &Story<'_>, book: &Book, number: usize, late: &mut Late) {
    let (supplier, _) = book.winner;
    let is_first = std::ptr::eq(book, &BOOKS[0]);
    let fee = book.months[number / 12];
    let today = text(&story.public("/time"), "local_date");
    let contract = contract(story, book);
    let body = json!({"kind": "period", "period": number, "amount": yuan(fee), "invoice_number": format!("{}{number:02}", book.line), "invoice_on": today});
    let claim = text(
        &story.does(supplier, &format!("/contracts/{contract}/claims"), &body),
        "id",
    );
    let month = MONTHS.get(number - 1).filter(|_| is_first);
    let payable = month.map_or(fee, |month| month.payable);
    let reason = if payable == fee {
        json!({})
    } else {
        json!({"less_zh": "得分不足 90", "less_en": "The score is below 90"})
    };
    let certified = story.does(
        &buyer(book, "officer"),
        &format!("/claims/{claim}/certification"),
        &reason,
    );
    assert_eq!(
        certified["certified"]["amount"],
        yuan(payable),
        "{} {number}",
        book.line
    );
    if let Some(month) = month {
        let derivation = story.public(&format!("/claims/{claim}/derivation"));
        let result = ["score", "deducted", "payable"].map(|member| text(&derivation["result"], member));
        assert_eq!(
            result,
            [month.score, month.deducted, month.payable],
            "E3, month {number}"
        );
    }
    story.just_does(&buyer(book, "finance"), &format!("/claims/{claim}/approval"));
    let (late_number, days, _) = LATE;
    if is_first && number == late_number {
        let due: NaiveDate = text(&certified, "due_on").parse().unwrap();
        *late = Some((claim, due + Duration::days(days)));
        return;
    }
    execute(story, book, &claim);
}

fn execute(story: &Story<'_>, book: &Book, claim: &str) {
    let pays = buyer(book, "finance2");
    story.just_does(&pays, &format!("/claims/{claim}/execution"));
    let reference = json!({"bank_reference": format!("凤城银行 {}", &claim[claim.len() - 12..])});
    let reconciles = buyer(book, "finance3");
    let paid = story.does(&reconciles, &format!("/claims/{claim}/confirmation"), &reference);
    assert_eq!(paid["state"], "confirmed");
}

/// Everything is over and paid; nothing is committed any more, and what secured the performance goes back.
fn complete(story: &Story<'_>, book: &Book) {
    let (id, (_, price)) = (contract(story, book), book.winner);
    let is_first = std::ptr::eq(book, &BOOKS[0]);
    let (paid, released, interest) = if is_first {
        (PAID, RELEASED, LATE.2)
    } else {
        (price, "0.00", "0.00")
    };
    let totals = story.public(&format!("/contracts/{id}/payments"));
    let of = |member: &str| totals[member].clone();
    let expected = [price, paid, paid, paid, "0.00", released, "0.00", interest].map(yuan);
    assert_eq!(
        [
            "claimed",
            "certified",
            "paid",
            "confirmed",
            "retained",
            "released",
            "committed",
            "interest"
        ]
        .map(of),
        expected,
        "{}",
        book.title.1
    );
    assert_eq!([of("claims"), of("claims_open")], [json!(12), json!(0)]);
    let periods = story.public(&format!("/contracts/{id}/periods"));
    assert!(
        periods["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|period| period["state"] == "over"),
        "{periods}"
    );
    let spent = [book.line.to_owned(), next_line(book)].map(|code| {
        let line = story.sees(
            &buyer(book, "finance"),
            &format!("/budget-lines/{}", story.id(&code)),
        );
        assert_eq!(line["balances"]["committed"], yuan("0.00"), "{line}");
        text(&line["balances"]["spent"], "amount")
            .parse::<Decimal>()
            .unwrap()
    });
    assert!(
        spent
            .iter()
            .all(|spent| spent.is_sign_positive() && !spent.is_zero()),
        "{spent:?}"
    );
    assert_eq!(spent[0] + spent[1], paid.parse().unwrap(), "{}", book.title.1);
    let security = story.id(&format!("security {}", book.line));
    let today = text(&story.public("/time"), "local_date");
    let returned = json!({"returned_on": today, "reference": "0620"});
    story.does(
        &buyer(book, "finance"),
        &format!("/performance-securities/{security}/return"),
        &returned,
    );
    assert_eq!(today.parse::<NaiveDate>().unwrap().year(), 2027);
}
