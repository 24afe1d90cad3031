//! The main job, whole: from an empty ward to the last payment of five contracts, through the REST API alone, as the different people who have a part in it,
//! with the figures of the worked examples and of the demo ward. `lifecycle_books.rs` says what has to come out.

use std::path::PathBuf;

use rust_decimal::Decimal;
use wardbook::app::demo_cast::{PUBLIC_BODIES, SUPPLIERS};
use wardbook::app::settings::Settings;
use wardbook::publish::rules_json::Object;

use crate::harness::{PostgresDatabase, Ward};
use crate::lifecycle_books::{BOOKS, PAID};
use crate::lifecycle_story::Story;
use crate::lifecycle_tender::contract;
use crate::lifecycle_ward::RESIDENTS;
use crate::publication_checks::{at, everything, holds, kept};
use crate::{lifecycle_service, lifecycle_tender, lifecycle_ward};

/// A ward by the rules of mainland China that nobody has set up, in which nobody is asked for a second factor, and which knows the working days of 2027 too:
/// the service goes on into that year, and days that were not announced are never guessed.
fn empty(database: Option<PostgresDatabase>) -> Ward {
    Ward::with(database, |settings: &mut Settings| {
        settings.jurisdiction = "cn".to_owned();
        settings.second_factor_roles.clear();
        settings.working_days_file = working_days(&settings.data_dir);
    })
}

/// The table that is built in, and a year of Mondays to Fridays after it.
fn working_days(dir: &std::path::Path) -> PathBuf {
    let known = include_str!("../../src/kernel/working_days_cn.csv");
    let file = dir.join("working-days.csv");
    let next = "2027-01-01,year,试用,For trying out\n2027-01-01,holiday,元旦,New Year's Day\n";
    std::fs::write(&file, format!("{}\n{next}", known.trim_end())).unwrap();
    file
}

fn the_whole_life(ward: &Ward) {
    let story = Story::begin(ward);
    lifecycle_ward::set_up(&story);
    lifecycle_tender::buy(&story);
    is_published(&story);
    lifecycle_service::serve(&story);
    the_ward_adds_up(&story);
    ends_are_told(&is_published(&story), &story);
    kept(ward);
}

/// What is published of it is right by the standard, and has nothing of anybody in it.
fn is_published(story: &Story<'_>) -> Vec<Object> {
    let releases = holds(story.ward);
    let all = everything(story.ward, &[2026, 2027]);
    let bodies = PUBLIC_BODIES.iter().chain(&SUPPLIERS);
    let in_charge = bodies.filter_map(|body| body.in_charge);
    let others = [
        "石坚",
        "周桂芬",
        "0990-5550301",
        "people.example",
        "6222021112345678903",
        "凤城银行",
        "user_",
        "resident_",
    ];
    for private in in_charge.chain(others) {
        assert!(!all.contains(private), "{private} is published");
    }
    for number in 1..=RESIDENTS {
        assert!(!all.contains(&format!("居民{number}")), "a resident is published");
    }
    releases
}

/// Each contract ran out: it is completed, with what was paid under it.
fn ends_are_told(releases: &[Object], story: &Story<'_>) {
    for (place, book) in BOOKS.iter().enumerate() {
        let id = contract(story, book);
        let own = releases
            .iter()
            .rev()
            .flat_map(|release| release.objects("contracts"));
        let last = own.into_iter().find(|one| one.text("id") == Some(id.as_str()));
        let last = last.unwrap_or_else(|| panic!("{id} is not published"));
        let paid = if place == 0 { PAID } else { book.winner.1 };
        let total = at(last, &["implementation", "finalValue", "amount"]);
        let short = paid.strip_suffix(".00").unwrap_or(paid);
        assert_eq!(
            total.iter().map(|amount| amount.written()).collect::<Vec<_>>(),
            [short],
            "{}",
            book.title.1
        );
        assert_eq!(last.text("status"), Some("terminated"), "{}", book.title.1);
        let less = at(last, &["implementation", "finalValueDetails"]);
        assert_eq!(
            less.len(),
            usize::from(place == 0),
            "what was taken off is told of"
        );
    }
}

/// Every yuan is in one place: what was paid, what came back to the lines, and what nobody was given.
fn the_ward_adds_up(story: &Story<'_>) {
    let table = story
        .ward
        .ask("GET", "/api/v1/ledger/trial-balance")
        .header("accept", "text/csv")
        .send();
    // Of both years: what was not paid when the first one was over was carried into the second.
    let credit = |code: &str| {
        let lines = table.text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let of_code = lines.filter(|line| line.get(2) == Some(&code));
        let credits: Vec<Decimal> = of_code.map(|line| line[4].parse().unwrap()).collect();
        assert!(!credits.is_empty(), "{}", table.text);
        credits.iter().sum::<Decimal>().to_string()
    };
    // 2,271,591.45 + 566,400.00 + 676,800.00 + 826,600.00 + 96,000.00.
    assert_eq!(
        ["reserved", "committed", "retained", "spent"].map(credit),
        ["0.00", "0.00", "0.00", "4437391.45"]
    );
}

#[test]
fn five_books_live_from_an_empty_ward_to_their_last_payment_on_sqlite() {
    the_whole_life(&empty(None));
}

#[test]
fn five_books_live_from_an_empty_ward_to_their_last_payment_on_postgres() {
    if let Some(database) = PostgresDatabase::migrated() {
        the_whole_life(&empty(Some(database)));
    }
}
