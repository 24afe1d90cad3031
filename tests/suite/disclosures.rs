//! What the law wants shown of a community: derived from what is published, each thing once, in the community itself and wherever its street and city buy for it, page by page, as JSON,
//! as a table and as a page; nothing that publication keeps back.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wardbook::kernel::party::OrganisationKind;
use wardbook::web::policy::Role;

use crate::award_sequences::BRISK;
use crate::awards::{Case, go_to};
use crate::bids::{Bidder, DEADLINE, Tender, taken};
use crate::books::ok;
use crate::cast::organisation;
use crate::claims::{Counter, by_halves};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{CODES, PRIVATE, refused};
use crate::pages::is_page;
use crate::planning::Desk;
use crate::publication_checks::{getting, pages, publish};
use crate::treasury::{made, of, posts};
use crate::variations;

/// The first page of what is shown of an area.
fn page(ward: &Ward, area: &str, query: &str) -> Value {
    ok(&ward.get(&format!("/api/v1/areas/{area}/disclosures{query}")))
}

/// All pages of it, each of so many at most; and how many pages there were.
fn all(ward: &Ward, area: &str, (limit, filter): (usize, &str)) -> (Vec<Value>, usize) {
    let (mut found, mut count, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = page(ward, area, &format!("?limit={limit}{filter}{cursor}"));
        count += 1;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit && count < 1_000);
        found.extend(items.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (found, count),
        }
    }
}

fn shown(ward: &Ward, area: &str) -> Vec<Value> {
    all(ward, area, (200, "")).0
}

fn words<'v>(items: &'v [Value], member: &str) -> Vec<&'v str> {
    items.iter().map(|item| item[member].as_str().unwrap()).collect()
}

/// A community in a street in a district of a city.
fn community(ward: &Ward, city: &str, name: &str) -> String {
    let district = ward.area(Some(city), "凤鸣区");
    let street = ward.area(Some(&district), "桂花街道");
    ward.area(Some(&street), name)
}

fn opened(ward: &Ward, path: &str, language: &str) -> Reply {
    ward.ask("GET", path).header("accept-language", language).send()
}

/// The page of an area in a language.
fn page_of(ward: &Ward, area: &str, language: &str) -> String {
    let reply = opened(ward, &format!("/disclosures/{area}"), language);
    is_page(&reply, 200);
    reply.text.clone()
}

fn table(ward: &Ward, area: &str, query: &str) -> Reply {
    let path = format!("/api/v1/areas/{area}/disclosures{query}");
    ward.ask("GET", &path).header("accept", "text/csv").send()
}

/// Everything that is shown of an area in any form.
fn everything(ward: &Ward, area: &str) -> String {
    let list = ward
        .get(&format!("/api/v1/areas/{area}/disclosures?limit=200"))
        .text
        .clone();
    let table = table(ward, area, "?limit=200").text.clone();
    [
        list,
        table,
        page_of(ward, area, "zh-CN"),
        page_of(ward, area, "en"),
    ]
    .concat()
}

/// Where the link with these words leads.
fn link(page: &str, label: &str) -> String {
    let (before, _) = page
        .split_once(&format!(">{label}</a>"))
        .unwrap_or_else(|| panic!("{label} in {page}"));
    let (_, href) = before.rsplit_once("href=\"").unwrap();
    href.split_once('"').unwrap().0.replace("&#38;", "&")
}

on_both! { in "test";
    fn a_community_of_which_nothing_is_published_is_told_so_in_words(ward) {
        let city = ward.area(None, "凤城市");
        let community = community(&ward, &city, "桂花社区");
        let empty = page(&ward, &community, "");
        assert_eq!((&empty["items"], &empty["next_cursor"], &empty["area_name_zh"]), (&json!([]), &Value::Null, &json!("桂花社区")));
        assert!(empty["note_zh"].as_str().unwrap().starts_with("尚未公布与这里有关的事项") && empty["note_en"].as_str().unwrap().starts_with("Nothing that concerns this place has been published yet"));
        assert_eq!(page(&ward, &community, "?kind=decisions")["note_en"], "There is nothing more of what you ask for.");
        let table = table(&ward, &community, "");
        assert_eq!((table.status, table.header("content-type"), table.text.matches("\r\n").count()), (200, Some("text/csv; charset=utf-8"), 1));
        assert!(page_of(&ward, &community, "zh-CN").contains("尚未公布与这里有关的事项"));
        assert!(page_of(&ward, &community, "en").contains("Nothing that concerns this place has been published yet"));

        // A resident finds it by its name, in either language, and goes on from there; what is asked for stays when the language changes.
        for (path, language, said) in [
            ("/disclosures", "zh-CN", "桂花社区（桂花街道）"), ("/disclosures?q=%E6%A1%82%E8%8A%B1", "en", "桂花社区 (桂花街道)"),
            ("/disclosures?q=x", "zh-CN", "没有这样的社区"), ("/disclosures?q=x", "en", "There is no such community"),
        ] {
            let index = opened(&ward, path, language);
            is_page(&index, 200);
            assert!(index.text.contains(said) && index.text.contains("role=\"search\"") && !index.text.contains("<script"), "{}", index.text);
        }
        let index = opened(&ward, "/disclosures?q=%E6%A1%82%E8%8A%B1", "en").text.clone();
        assert_eq!(link(&index, "中文"), "?q=%E6%A1%82%E8%8A%B1&lang=zh-CN");
        assert_eq!(link(&index, "桂花社区 (桂花街道)"), format!("/disclosures/{community}?lang=en"));

        let unknown = "area_01jd3n8f5teqkrzvq1c0m6h2ax";
        refused(&ward.get(&format!("/api/v1/areas/{unknown}/disclosures")), 404, "not_found");
        refused(&ward.get("/api/v1/areas/somewhere/disclosures"), 404, "not_found");
        for bad in ["?kind=x", "?from=2026", "?until=2026-02-30", "?limit=0", "?limit=201", "?cursor=x", "?page=2"] {
            refused(&ward.get(&format!("/api/v1/areas/{community}/disclosures{bad}")), 400, "malformed");
            if !bad.contains("limit") {
                is_page(&opened(&ward, &format!("/disclosures/{community}{bad}"), "en"), 400);
            }
        }
        is_page(&opened(&ward, &format!("/disclosures/{unknown}"), "en"), 404);
        is_page(&opened(&ward, "/disclosures/somewhere", "zh-CN"), 404);
        is_page(&opened(&ward, "/disclosures?cursor=x", "en"), 400);
        assert_eq!(ward.ask("POST", "/disclosures").send().header("allow"), Some("GET, HEAD"));

        // The list goes on beyond fifty, and has each of them once.
        let street = ok(&ward.get(&format!("/api/v1/areas/{community}")))["parent_id"].as_str().unwrap().to_owned();
        for n in 0..51 {
            ward.area(Some(&street), &format!("{n}号社区"));
        }
        let first = opened(&ward, "/disclosures", "en");
        let second = opened(&ward, &link(&first.text, "More communities"), "zh-CN");
        is_page(&second, 200);
        assert!(second.text.contains("Back to the first page") && !second.text.contains("More communities"));
        let listed = [first.text.as_str(), second.text.as_str()].concat();
        let ids: Vec<&str> = listed.split("/disclosures/area_").skip(1).filter_map(|rest| rest.split_once('?')).map(|(id, _)| id).collect();
        assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (52, 52));
    }

    fn what_a_city_buys_is_shown_in_each_of_its_communities_from_the_book_to_the_variation(ward) {
        let case = Case::until(&ward, 1, &BRISK, ("2027-04-30", variations::paid_monthly));
        let book = ok(&ward.get(&format!("/api/v1/contract-books/{}", case.book)));
        let city = book["content"]["areas"][0].as_str().unwrap().to_owned();
        let [near, also] = ["桂花社区", "槐荫社区"].map(|name| {
            let district = ward.area(Some(&city), &format!("{name}区"));
            let street = ward.area(Some(&district), "街道");
            ward.area(Some(&street), name)
        });
        let elsewhere = community(&ward, &ward.area(None, "别处"), "远方社区");
        publish(&ward);
        let opened = shown(&ward, &near);
        assert!(words(&opened, "what_zh").iter().any(|what| what.contains("已开标，收到投标 3 份")), "{opened:?}");
        let contract = case.signed(&ward);
        publish(&ward);
        go_to(&ward, "2026-04-20T02:00:00Z");
        let variation = made(&variations::proposes(&ward, (&case, &contract), &variations::asked("supplement", "6000.00", None)));
        for party in ["supplier", "buyer"] {
            ok(&variations::signs(&ward, &case, (&variation, party)));
        }
        publish(&ward);

        let items = shown(&ward, &near);
        for (kind, what, amount) in [
            ("decisions", "公布项目承包责任书“", json!("2350200.00")), ("decisions", "已开标，收到投标 3 份。", Value::Null), ("decisions", "的评审结果。", Value::Null),
            ("decisions", "承包已确定，价格 2,298,600.00 元。", json!("2298600.00")), ("government_funds", "合同价 2,298,600.00 元。", json!("2298600.00")),
            ("decisions", "变更：新增两条背街小巷", Value::Null), ("government_funds", "由 2,298,600.00 元变为 2,304,600.00 元。", json!("2304600.00")),
        ] {
            let found: Vec<&Value> = items.iter().filter(|item| item["what_zh"].as_str().unwrap().contains(what)).collect();
            assert_eq!(found.len(), 1, "{what} in {items:#?}");
            assert_eq!((found[0]["kind"].as_str(), &found[0]["amount"]["amount"], found[0]["subject_id"].as_str()), (Some(kind), &amount, Some(case.book.as_str())));
        }
        assert!(words(&items, "what_en").iter().any(|what| what.ends_with("was changed: Two more back lanes")));

        // Each release appears, and each thing of it once; the newest first, since the instant of its release.
        let releases = pages(&getting(&ward), "/ocds/releases", "releases");
        let of_book: BTreeSet<&str> = releases.iter().filter(|release| release.get("tender").is_some()).filter_map(|release| release.text("id")).collect();
        assert_eq!(words(&items, "release_id").into_iter().collect::<BTreeSet<_>>(), of_book);
        let once: BTreeSet<(&str, u64)> = items.iter().map(|item| (item["release_id"].as_str().unwrap(), item["number"].as_u64().unwrap())).collect();
        assert_eq!(once.len(), items.len());
        let since = words(&items, "shown_since");
        assert!(since.is_sorted_by(|one, other| one >= other), "{since:?}");
        for item in &items {
            let release = releases.iter().find(|release| release.text("id") == item["release_id"].as_str()).unwrap();
            assert_eq!(release.text("date"), item["shown_since"].as_str());
            let path = item["url"].as_str().unwrap().strip_prefix("http://ward.test").unwrap();
            assert_eq!(ward.get(path).json()["releases"][0]["id"], item["release_id"]);
        }

        // The same in every community of the city, and of the city itself; nothing elsewhere.
        for area in [&also, &city] {
            assert_eq!(shown(&ward, area), items);
        }
        assert_eq!(shown(&ward, &elsewhere), Vec::<Value>::new());

        // Pages of any length have all of it; so have the kinds together, and the days.
        for limit in [1, 2, 3, 7] {
            let (found, count) = all(&ward, &near, (limit, ""));
            assert_eq!((found, count), (items.clone(), items.len().div_ceil(limit)));
        }
        let mut of_kinds = 0;
        for kind in ["decisions", "government_funds", "service_projects"] {
            let expected: Vec<Value> = items.iter().filter(|item| item["kind"] == kind).cloned().collect();
            for limit in [1, 200] {
                assert_eq!(all(&ward, &near, (limit, &format!("&kind={kind}"))).0, expected, "{kind}");
            }
            of_kinds += expected.len();
        }
        assert_eq!(of_kinds, items.len());
        let between = |from: &str, until: &str| all(&ward, &near, (2, &format!("&from={from}&until={until}"))).0;
        let of_day: Vec<Value> = items.iter().filter(|item| item["shown_since"].as_str().unwrap().starts_with("2026-04-20")).cloned().collect();
        assert_eq!((between("2026-04-20", "2026-04-21"), of_day.len()), (of_day, 2));
        assert_eq!(between("2026-04-21", "2026-05-01"), Vec::<Value>::new());
        assert_eq!([between("2026-01-01", "2026-04-20"), between("2026-04-20", "2026-05-01")].map(|found| found.len()).iter().sum::<usize>(), items.len());
        let first = page(&ward, &near, "?limit=1");
        let other = format!("/api/v1/areas/{near}/disclosures?kind=decisions&cursor={}", first["next_cursor"].as_str().unwrap());
        refused(&ward.get(&other), 400, "malformed");

        // The table has the same, and the page what is newest; in this jurisdiction the law wants no days.
        let whole = table(&ward, &near, "?limit=200");
        assert_eq!(whole.text.matches("\r\n").count(), items.len() + 1);
        assert!(whole.text.starts_with("release_id,number,kind,what_zh,") && whole.text.contains(",2304600.00,"), "{}", whole.text);
        assert!(table(&ward, &near, "?limit=1").header("link").is_some_and(|link| link.contains("rel=\"next\"")));
        assert_eq!((&items[0]["minimum"]["days"], &items[0]["shown_days"]), (&json!(0), &json!(0)));
        for (language, said) in [("zh-CN", "由 2,298,600.00 元变为 2,304,600.00 元。"), ("en", "went from 2,298,600.00 to 2,304,600.00 yuan.")] {
            let text = page_of(&ward, &near, language);
            assert!(text.contains(said) && !text.contains("<script"), "{text}");
        }
        let only = opened_kind(&ward, &near);
        assert!(only.contains("合同价 2,298,600.00 元。") && !only.contains("已开标"), "{only}");
    }

    fn nothing_that_is_sealed_is_shown_before_the_opening(ward) {
        let tender = Tender::new(&ward);
        let area = tender.book["content"]["areas"][0].as_str().unwrap().to_owned();
        publish(&ward);
        let first = shown(&ward, &area);
        assert_eq!(first.len(), 1);
        let mut hidden: Vec<String> = ["洁城公司", "德润公司", "新禾公司"].map(str::to_owned).into();
        let bidders = [("洁城公司", CODES[0]), ("德润公司", CODES[1]), ("新禾公司", CODES[2])].map(|(name, code)| Bidder::new(&ward, name, code));
        for (bidder, unit) in bidders.iter().zip(["501", "403", "407"]) {
            let bid = bidder.bid(&ward, &tender, unit);
            let total = bid["total"]["amount"].as_str().unwrap().trim_end_matches(".00").to_owned();
            let taken = taken(&bidder.submits(&ward, &tender, &bid, None), 201);
            hidden.extend([bidder.id.clone(), taken["bid_id"].as_str().unwrap().to_owned(), format!("{total}.00")]);
        }
        publish(&ward);
        go_to(&ward, DEADLINE);
        publish(&ward);
        let before = everything(&ward, &area);
        for hidden in &hidden {
            assert!(!before.contains(hidden.as_str()), "{hidden} is shown before the opening");
        }
        assert!(!before.contains("收到投标"));
        let (now, then) = (shown(&ward, &area), words(&first, "what_zh"));
        assert_eq!(words(&now, "what_zh"), then, "a bid is nothing that is shown");
        let book = tender.book["id"].as_str().unwrap();
        ok(&posts(&ward, &tender.office.officer, &format!("/contract-books/{book}/opening"), None));
        publish(&ward);
        let opened = shown(&ward, &area);
        assert!(opened[0]["what_zh"].as_str().unwrap().ends_with("已开标，收到投标 3 份。"));
        assert_eq!(opened.len(), 2);
    }

    fn work_and_payments_are_shown_once_the_bank_has_confirmed_them_and_nothing_private_ever(ward) {
        let counter = Counter::new(&ward, "2027-04-30", by_halves);
        let book = ok(&ward.get(&format!("/api/v1/contract-books/{}", counter.work.case.book)));
        let area = book["content"]["areas"][0].as_str().unwrap().to_owned();
        publish(&ward);
        go_to(&ward, "2026-11-02T02:00:00Z");
        counter.accepts(1);
        publish(&ward);
        let of_kind = |kind: &str| all(&ward, &area, (3, &format!("&kind={kind}"))).0;
        assert!(words(&of_kind("service_projects"), "what_zh")[0].ends_with("第 1 期验收合格。"));
        let before = of_kind("government_funds").len();
        let claim = counter.approved(&Counter::of_part("advance", "229860.00", "24312000000000000007"));
        ok(&counter.acts(&counter.executes, &claim, "execution"));
        publish(&ward);
        assert_eq!(of_kind("government_funds").len(), before, "what was sent to the bank can still come back");
        ok(&counter.confirms(&counter.reconciles, &claim));
        publish(&ward);
        let funds = of_kind("government_funds");
        assert_eq!(funds.len(), before + 1);
        assert!(funds[0]["what_zh"].as_str().unwrap().ends_with("付款 229,860.00 元，付给洁城公司。"), "{}", funds[0]);
        assert_eq!(funds[0]["amount"]["amount"], "229860.00");
        let all = everything(&ward, &area);
        for private in ["6222021112345678903", "8903", "24312000000000000007", "2026061500012345", "user_"].into_iter().chain(PRIVATE) {
            assert!(!all.contains(private), "{private} is shown");
        }
    }

    fn a_page_goes_on_where_the_last_one_ended_while_more_is_published(ward) {
        let desk = Desk::new(&ward);
        let community = community(&ward, &desk.area, "桂花社区");
        for _ in 0..104 {
            desk.published(&ward, &desk.content());
        }
        publish(&ward);
        // One request looks at a hundred releases at most.
        let first = page(&ward, &community, "?limit=200");
        assert_eq!(first["items"].as_array().unwrap().len(), 100);
        let (items, count) = all(&ward, &community, (200, ""));
        assert_eq!((items.len(), count), (104, 2));
        assert_eq!(words(&items, "subject_id").into_iter().collect::<BTreeSet<_>>().len(), 104);
        desk.published(&ward, &desk.content());
        publish(&ward);
        let rest = page(&ward, &community, &format!("?limit=200&cursor={}", first["next_cursor"].as_str().unwrap()));
        assert_eq!(rest["items"].as_array().unwrap().as_slice(), &items[100..]);
        assert_eq!(rest["next_cursor"], Value::Null);
        // Where nothing fits in what was looked at, it says so and leads on; of what no tag can have nothing is looked at.
        assert_eq!(page(&ward, &community, "?kind=service_projects")["next_cursor"], Value::Null);

        // On pages too: what is older, and back, in the same language.
        let newest = page_of(&ward, &community, "en");
        assert_eq!(newest.matches("<section class=\"part\">").count(), 21);
        let older = link(&newest, "What is older");
        assert!(older.ends_with("&lang=en"), "{older}");
        let second = opened(&ward, &older, "zh-CN");
        is_page(&second, 200);
        assert!(second.text.contains("What is newest") && second.text.matches("<section class=\"part\">").count() == 21);
        let chinese = link(&second.text, "中文");
        let same = opened(&ward, &format!("/disclosures/{community}{chinese}"), "en");
        assert!(same.text.contains("更早的") && same.text.contains("最新的"), "{}", same.text);
        let (_, data) = second.text.split_once("/ocds/releases/").unwrap();
        assert!(same.text.contains(data.split_once('"').unwrap().0), "the same part in the other language");
    }
}

/// The page of a kind, by the link of the page of all.
fn opened_kind(ward: &Ward, area: &str) -> String {
    let all = page_of(ward, area, "zh-CN");
    let reply = opened(ward, &link(&all, "政府经费及其使用"), "en");
    is_page(&reply, 200);
    reply.text.clone()
}

on_both! { in "cn";
    fn what_is_shown_says_how_long_it_has_been_and_how_long_the_law_wants_it(ward) {
        let desk = Desk::new(&ward);
        let near = community(&ward, &desk.area, "桂花社区");
        let elsewhere = community(&ward, &ward.area(None, "别处"), "远方社区");
        // 07:30 in Shanghai on the 3rd is still the 2nd in UTC: days are the ward's.
        go_to(&ward, "2026-03-02T23:30:00Z");
        desk.published(&ward, &desk.content());
        publish(&ward);
        let item = &shown(&ward, &near)[0];
        assert_eq!((&item["shown_days"], &item["minimum"]["days"], &item["minimum"]["rule"]), (&json!(0), &json!(15), &json!("publicity.days_min")));
        assert_eq!(item["minimum"]["citations"][0]["instrument_zh"], "中华人民共和国城市居民委员会组织法");
        let statute = ok(&ward.get("/api/v1/statutes/in-force?jurisdiction=cn&on=2026-03-03"));
        assert_eq!(item["minimum"]["statute_id"], statute["statute"]["id"]);
        assert_eq!((&item["kind"], &item["amount"]["amount"]), (&json!("decisions"), &json!("2350200.00")));
        go_to(&ward, "2026-03-22T16:00:00Z");
        assert_eq!(shown(&ward, &near)[0]["shown_days"], 20);
        assert!(page_of(&ward, &near, "zh-CN").contains("自 2026-03-03 07:30 起公开，已公开 20 日；法定不少于 15 日（中华人民共和国城市居民委员会组织法）。"));
        assert!(page_of(&ward, &near, "en").contains("Shown since 2026-03-03 07:30; days so far: 20; the law wants at least 15 (Organic Law of Urban Residents&#39; Committees)."));
        assert!(!page(&ward, &near, "?from=2026-03-03")["items"].as_array().unwrap().is_empty());
        assert!(page(&ward, &near, "?until=2026-03-03")["items"].as_array().unwrap().is_empty());

        // What a residents' committee buys is shown in its community, wherever it is for.
        let committee = organisation(&ward, OrganisationKind::Community, Some(&elsewhere.parse().unwrap()));
        let body = json!({"organisation_id": committee, "content": desk.content()});
        let drafted = made(&posts(&ward, &of(&ward, Role::BuyerOfficer, &committee), "/intention-notices", Some(&body)));
        assert_eq!(shown(&ward, &elsewhere).len(), 0);
        ok(&posts(&ward, &of(&ward, Role::BuyerApprover, &committee), &format!("/intention-notices/{drafted}/publication"), None));
        publish(&ward);
        assert_eq!((shown(&ward, &elsewhere).len(), shown(&ward, &near).len()), (1, 2));
    }
}
