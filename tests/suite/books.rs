//! Contract books: drafted by one, approved by another, published with their money, cancelled; and what nobody outside learns of them.

use std::sync::Barrier;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::books::{acts_search, notices};
use wardbook::kernel::party::OrganisationKind;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::addenda::addendum;
use crate::cast::{Person, organisation, person};
use crate::files::wait;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::planning::{concluded, puts};
use crate::standards_life::keeper;
use crate::standards_tables::published_standard;
use crate::treasury::{CATEGORY, Treasury, gets, made, of, posts, yuan};

fn template() -> Value {
    serde_json::from_str(include_str!("../../src/books/templates/sanitation.json")).unwrap()
}

/// A draft to begin that says nearly everything.
pub fn begun(treasury: &Treasury, line: &str) -> Value {
    let mut content = template();
    content["category"] = json!(CATEGORY);
    content["lots"][0]["budget_line_id"] = json!(line);
    content["lots"][0]["ceiling"] = yuan("600.00");
    json!({"organisation_id": treasury.department, "content": content})
}

/// A department with money, somebody who drafts its books and somebody who approves them.
pub struct Office {
    /// The department and its money.
    pub treasury: Treasury,
    /// Drafts.
    pub officer: Person,
    /// Approves.
    pub approver: Person,
    /// Pays for its books.
    pub line: String,
}

impl Office {
    /// A department with 5000 yuan, of which a line has 1000.
    pub fn new(ward: &Ward) -> Self {
        Self::with(ward, "5000.00", "1000.00")
    }

    /// A department with so much, of which a line has so much.
    pub fn with(ward: &Ward, all: &str, of_line: &str) -> Self {
        let treasury = Treasury::with(ward, all);
        Self {
            officer: of(ward, Role::BuyerOfficer, &treasury.department),
            approver: of(ward, Role::BuyerApprover, &treasury.department),
            line: treasury.filled(ward, "SAN-01", of_line),
            treasury,
        }
    }

    /// A whole book of the test's rules.
    pub fn whole(&self, ward: &Ward) -> Value {
        let standard = published_standard(ward);
        let version = ward
            .get(&format!("/api/v1/standards/{standard}/versions/1"))
            .json();
        let mut body = begun(&self.treasury, &self.line);
        let content = &mut body["content"];
        content["areas"] = json!([ward.area(None, "梧桐街道")]);
        content["timetable"] = json!({"enquiry_deadline": "2026-03-12T01:00:00Z", "answer_deadline": "2026-03-17T01:00:00Z",
            "bid_deadline": "2026-04-01T01:00:00Z", "opening": "2026-04-01T01:00:00Z", "service_from": "2026-05-01", "service_until": "2027-04-30"});
        content["lots"][0]["places"] = json!([{"name_zh": "全街", "name_en": "Everywhere"}]);
        content["lots"][0]["quantities"][0]["grade"] = version["content"]["grades"][0]["code"].clone();
        content["lots"][0]["standard_version_id"] = version["version"]["id"].clone();
        body
    }

    /// Begins a book.
    pub fn drafts(&self, ward: &Ward, body: &Value) -> String {
        made(&posts(ward, &self.officer, "/contract-books", Some(body)))
    }

    /// Submitted and approved.
    pub fn approved(&self, ward: &Ward, body: &Value) -> String {
        let id = self.drafts(ward, body);
        ok(&posts(
            ward,
            &self.officer,
            &format!("/contract-books/{id}/submission"),
            None,
        ));
        ok(&posts(
            ward,
            &self.approver,
            &format!("/contract-books/{id}/approval"),
            None,
        ));
        id
    }

    /// Publishes a book.
    pub fn publishes(&self, ward: &Ward, id: &str) -> Reply {
        posts(
            ward,
            &self.approver,
            &format!("/contract-books/{id}/publication"),
            None,
        )
    }

    /// A book that is public, and its id.
    pub fn published(&self, ward: &Ward, body: &Value) -> (String, Value) {
        let id = self.approved(ward, body);
        let book = ok(&self.publishes(ward, &id));
        (id, book)
    }
}

/// Does two things at once.
pub fn at_once(acts: [&(dyn Fn() -> Reply + Sync); 2]) -> [Reply; 2] {
    let barrier = Barrier::new(2);
    let begin = |act: &(dyn Fn() -> Reply + Sync)| {
        barrier.wait();
        act()
    };
    std::thread::scope(|scope| {
        let threads = acts.map(|act| scope.spawn(|| begin(act)));
        threads.map(|thread| thread.join().unwrap())
    })
}

/// What was answered, which is 200.
pub fn ok(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

on_both! { in "test";
    fn a_draft_is_given_up_and_nothing_becomes_of_it_any_more(ward) {
        let office = Office::new(&ward);
        let body = office.whole(&ward);
        let (draft, approved) = (office.drafts(&ward, &body), office.approved(&ward, &body));
        let path = |id: &str| format!("/contract-books/{id}/discarding");
        let gives_up = |who: &Person, id: &str, tag: &str| who.asks(&ward, "POST", &format!("/api/v1{}", path(id))).header("if-match", tag).send();
        let stranger = person(&ward, &[Grant::of(Role::BuyerOfficer)]);
        refused(&gives_up(&stranger, &draft, "*"), 404, "not_found");
        refused(&gives_up(&office.officer, &draft, "\"v7\""), 412, "version_stale");
        refused(&office.officer.asks(&ward, "POST", &format!("/api/v1{}", path(&draft))).send(), 428, "version_missing");
        assert_eq!(ok(&gives_up(&office.officer, &draft, "\"v1\""))["state"], "discarded");
        assert_eq!(ok(&gives_up(&office.approver, &approved, "*"))["state"], "discarded");
        refused(&gives_up(&office.officer, &draft, "*"), 409, "book_wrong_state");
        refused(&office.publishes(&ward, &approved), 409, "book_wrong_state");
        let listed = |query: &str| ok(&gets(&ward, &office.officer, &format!("/contract-book-drafts{query}")))["items"].as_array().unwrap().len();
        assert_eq!((listed(""), listed("?state=discarded"), listed("?state=approved")), (0, 2, 0));
        assert_eq!(ward.get(&format!("/api/v1/contract-books/{draft}")).status, 404);
        assert_eq!(ok(&gets(&ward, &office.officer, &format!("/contract-books/{draft}")))["content"], body["content"]);
        assert_eq!((ward.events("book.discarded").len(), ward.events("book.drafted").len()), (0, 0), "nobody outside learns that anything was drafted");
        assert!(sql(&ward, "UPDATE books SET discarded_at = NULL").is_err(), "a book that was given up stays so");
        let (published, _) = office.published(&ward, &body);
        refused(&gives_up(&office.approver, &published, "*"), 409, "book_wrong_state");
        assert_eq!((ward.events("book.drafted").len(), ward.events("book.approved").len()), (1, 1), "with its publication the log tells how it was written");
        // The soonest deadline first, page by page.
        let list = |query: &str| ward.get(&format!("/api/v1/contract-books{query}"));
        let page = ok(&list("?sort=deadline&limit=1"));
        assert_eq!((page["items"][0]["id"].as_str(), &page["next_cursor"]), (Some(published.as_str()), &json!(null)));
        let mut cheaper = body.clone();
        cheaper["content"]["lots"][0]["ceiling"] = yuan("400.00");
        let (other, _) = office.published(&ward, &cheaper);
        let page = ok(&list("?sort=deadline&limit=1"));
        let next = ok(&list(&format!("?sort=deadline&limit=1&cursor={}", page["next_cursor"].as_str().unwrap())));
        let ids = [&page["items"][0]["id"], &next["items"][0]["id"]];
        assert_eq!(ids, [&json!(published), &json!(other)]);
    }

    fn a_book_goes_from_a_draft_to_publication_and_its_money_with_it(ward) {
        let office = Office::new(&ward);
        let body = office.whole(&ward);
        let id = office.drafts(&ward, &body);
        let path = format!("/contract-books/{id}");
        let readiness = ok(&gets(&ward, &office.officer, &format!("{path}/readiness")));
        assert_eq!((&readiness["ready"], &readiness["items"]), (&json!(true), &json!([])));
        refused(&office.publishes(&ward, &id), 409, "book_wrong_state");
        refused(&posts(&ward, &office.approver, &format!("{path}/approval"), None), 409, "book_wrong_state");
        ok(&posts(&ward, &office.officer, &format!("{path}/submission"), None));
        refused(&office.officer.asks(&ward, "PUT", &format!("/api/v1{path}")).header("if-match", "*").json(&body["content"]).send(), 409, "book_wrong_state");
        let back = ok(&posts(&ward, &office.approver, &format!("{path}/return"), Some(&json!({"reason": "请复核"}))));
        assert_eq!((&back["state"], &back["sent_back"]), (&json!("draft"), &json!("请复核")));
        ok(&posts(&ward, &office.officer, &format!("{path}/submission"), None));
        refused(&posts(&ward, &office.officer, &format!("{path}/approval"), None), 403, "forbidden");
        let approved = ok(&posts(&ward, &office.approver, &format!("{path}/approval"), None));
        assert_eq!((&approved["state"], &approved["sha256"], &approved["lots"]), (&json!("approved"), &json!(null), &json!([])));
        refused(&office.approver.asks(&ward, "POST", &format!("/api/v1{path}/publication")).header("if-match", "\"v1\"").send(), 412, "version_stale");
        assert_eq!(ward.get(&format!("/api/v1{path}")).status, 404);
        let print = |who: Option<&Person>, query: &str| {
            let printed = format!("/api/v1{path}{query}");
            who.map_or_else(|| ward.get(&printed), |who| who.asks(&ward, "GET", &printed).send())
        };
        assert_eq!(print(None, "/print").status, 404, "a draft is not printed for everyone");
        let draft = print(Some(&office.officer), "/print?lang=zh-CN");
        assert!(draft.status == 200 && draft.text.contains("本件尚未发布"), "{}", draft.text);
        let published = ok(&office.publishes(&ward, &id));
        assert!(published["recipient"].as_str().unwrap().starts_with("age1"), "{published}");
        assert_eq!((&published["published_at"], &published["versions"]), (&json!("2026-03-02T00:00:00.000000Z"), &json!(1)));
        assert_eq!((&office.treasury.balances(&ward, &office.line)["available"], &office.treasury.balances(&ward, &office.line)["reserved"]), (&json!("400.00"), &json!("600.00")));

        // Again is harmless, and later too.
        ward.context().clock.advance("2026-03-03T00:00:00Z".parse().unwrap());
        assert_eq!(ok(&office.publishes(&ward, &id)), published);
        let public = ok(&ward.get(&format!("/api/v1{path}")));
        assert_eq!(public, published);
        let version = ok(&ward.get(&format!("/api/v1{path}/versions/1")));
        assert_eq!((&version["sha256"], &version["content"]), (&published["sha256"], &published["content"]));
        assert_eq!(ok(&ward.get(&format!("/api/v1{path}/versions/1/differences?from=1")))["items"], json!([]));
        let without = ward.get(&format!("/api/v1{path}/versions/1/differences"));
        refused(&without, 400, "malformed");
        assert_eq!(without.faults()[0].0, "?from");
        assert_eq!(ward.get(&format!("/api/v1{path}/versions/2")).status, 404);
        // What is printed says all of it; what is fetched is what was hashed.
        let hash = published["sha256"].as_str().unwrap();
        for (query, language) in [("/print", "zh-CN, en"), ("/print?lang=en", "en"), ("/versions/1/print?lang=zh-CN", "zh-CN")] {
            let page = print(None, query);
            assert_eq!((page.status, page.header("content-language")), (200, Some(language)), "{query}");
            assert!(page.text.contains(hash) && page.text.contains(published["recipient"].as_str().unwrap()), "{query}");
            assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'; style-src 'sha256-")), "{query}");
        }
        assert!(print(None, "/print?lang=zh-CN").text.contains("按本责任书约定的标准和频次考核") && !print(None, "/print?lang=zh-CN").text.contains("本件尚未发布"));
        assert_eq!((print(None, "/print?lang=fr").status, print(None, "/versions/2/print").status, print(None, "/versions/2/content").status), (400, 404, 404));
        let content = print(None, "/versions/1/content");
        assert_eq!(hex::encode(Sha256::digest(content.text.as_bytes())), hash);
        assert_eq!((content.header("etag"), content.json()), (Some(format!("\"{hash}\"").as_str()), published["content"].clone()));
        assert!(sql(&ward, "UPDATE book_versions SET content = '{}'").is_err());
        assert!(sql(&ward, "UPDATE books SET content = '{}', revision = 99").is_err());
        assert!(sql(&ward, "DELETE FROM lots").is_err());
        ward.settle();
        let told = ward.events("book.published");
        assert_eq!((told.len(), &told[0]["entry"]["data"]["sha256"]), (1, &published["sha256"]));

        let why = json!({"reason_zh": "预算调整", "reason_en": "The budget was cut"});
        refused(&posts(&ward, &office.officer, &format!("{path}/cancellation"), Some(&why)), 403, "forbidden");
        let cancelled = ok(&posts(&ward, &office.approver, &format!("{path}/cancellation"), Some(&why)));
        assert_eq!((&cancelled["state"], &cancelled["cancellation_en"]), (&json!("cancelled"), &json!("The budget was cut")));
        assert_eq!(office.treasury.balances(&ward, &office.line)["available"], "1000.00");
        refused(&posts(&ward, &office.approver, &format!("{path}/cancellation"), Some(&why)), 409, "book_wrong_state");
        refused(&office.publishes(&ward, &id), 409, "book_wrong_state");
    }

    fn nobody_outside_learns_of_a_draft_and_everybody_reads_what_is_public(ward) {
        let office = Office::new(&ward);
        let body = office.whole(&ward);
        let id = office.drafts(&ward, &body);
        let other = crate::cast::organisation(&ward, wardbook::kernel::party::OrganisationKind::StreetOffice, None);
        let stranger = of(&ward, Role::BuyerOfficer, &other);
        let no_such = "book_01jd3n8f5teqkrzvq1c0m6h2ax";
        for path in ["", "/readiness", "/versions/1"] {
            let (there, none) = (gets(&ward, &stranger, &format!("/contract-books/{id}{path}")), gets(&ward, &stranger, &format!("/contract-books/{no_such}{path}")));
            assert_eq!((there.status, there.code()), (404, none.code()), "{path}");
        }
        refused(&posts(&ward, &stranger, &format!("/contract-books/{id}/submission"), None), 404, "not_found");
        refused(&posts(&ward, &stranger, "/contract-books", Some(&json!({"organisation_id": other, "copy_of": id}))), 404, "not_found");
        assert_eq!(gets(&ward, &stranger, "/contract-book-drafts").json()["items"], json!([]));
        assert_eq!(ward.get("/api/v1/contract-books").json()["items"], json!([]));
        assert_eq!(gets(&ward, &office.approver, "/contract-book-drafts?state=draft").json()["items"].as_array().unwrap().len(), 1);
        let auditor = crate::cast::person(&ward, &[wardbook::web::actor::Grant::of(Role::Auditor)]);
        assert_eq!(gets(&ward, &auditor, &format!("/contract-books/{id}")).status, 200);

        ok(&posts(&ward, &office.officer, &format!("/contract-books/{id}/submission"), None));
        ok(&posts(&ward, &office.approver, &format!("/contract-books/{id}/approval"), None));
        let book = ok(&office.publishes(&ward, &id));
        let area = book["content"]["areas"][0].as_str().unwrap();
        let below = ward.area(Some(area), "桂园社区");
        let found = |query: &str| ward.get(&format!("/api/v1/contract-books?{query}")).json()["items"].as_array().unwrap().len();
        for (query, count) in [
            (format!("category={CATEGORY}"), 1), ("category=tea".to_owned(), 0), (format!("area_id={area}"), 1), (format!("area_id={below}"), 1),
            (format!("organisation_id={}", office.treasury.department), 1), (format!("organisation_id={other}"), 0), ("state=published".to_owned(), 1),
            ("state=cancelled".to_owned(), 0), ("published_from=2026-03-02T00:00:00Z".to_owned(), 1), ("published_until=2026-03-02T00:00:00Z".to_owned(), 0),
            ("deadline_from=2026-04-01T01:00:00Z".to_owned(), 1), ("deadline_from=2026-04-01T01:00:01Z".to_owned(), 0),
        ] {
            assert_eq!(found(&query), count, "{query}");
        }
        assert!(ward.ask("GET", "/api/v1/contract-books").header("accept", "text/csv").send().text.contains(&id));
        let copy = posts(&ward, &stranger, "/contract-books", Some(&json!({"organisation_id": other, "copy_of": id})));
        assert!(made(&copy).starts_with("book_"), "what is public may be copied by anybody who buys");
        assert_eq!((&copy.json()["content"]["timetable"]["bid_deadline"], &copy.json()["content"]["clauses"]), (&json!(null), &book["content"]["clauses"]));
        // Pages follow each other, newest first.
        let mut second = body.clone();
        second["content"]["lots"][0]["ceiling"] = yuan("1.00");
        let second = office.approved(&ward, &second);
        ok(&office.publishes(&ward, &second));
        let first_page = ward.get("/api/v1/contract-books?limit=1").json();
        let next = ward.get(&format!("/api/v1/contract-books?limit=1&cursor={}", first_page["next_cursor"].as_str().unwrap())).json();
        let ids: Vec<&str> = [&first_page, &next].map(|page| page["items"][0]["id"].as_str().unwrap()).to_vec();
        assert_eq!((ids, &next["next_cursor"]), (vec![second.as_str(), id.as_str()], &json!(null)));
    }

    fn published_books_are_found_and_those_whom_they_concern_are_told_once(ward) {
        let office = Office::new(&ward);
        let body = office.whole(&ward);
        // A supplier of that category, one whose licence is over, one that is debarred; whoever follows the category; and nobody else.
        let supplier = |name: &str, last_day: &str| {
            let id = organisation(&ward, OrganisationKind::Company, None);
            let row = format!("INSERT INTO qualifications (id, organisation_id, kind, issuer, number, valid_from, valid_to, state, version, claimed_by, claimed_at, decided_by, decided_at) \
                VALUES ('qualification_{name}', '{id}', '{CATEGORY}', '局', '1', '2026-01-01', '{last_day}', 'verified', 2, 'a', '2026-01-01 00:00:00', 'b', '2026-01-02 00:00:00')");
            sql(&ward, &row).unwrap();
            (ward.person(name, &[Grant::of(Role::SupplierAgent).in_organisation(id.clone())]), id)
        };
        let (agent, _) = supplier("agent", "2026-12-31");
        let (_, debarred) = supplier("debarred", "2026-12-31");
        supplier("expired", "2026-03-01");
        let sanction = format!("INSERT INTO debarments (id, organisation_id, from_date, until_date, reason_zh, reason_en, decision, recorded_by, recorded_at) \
            VALUES ('debarment_1', '{debarred}', '2026-03-02', '2026-03-31', '由', 'Why', '文', 'a', '2026-03-01 00:00:00')");
        sql(&ward, &sanction).unwrap();
        let follower = ward.person("follower", &[]);
        let follows = |follow: &Value| ward.ask("POST", "/api/v1/me/follows").in_session(follower.access()).json(follow).send();
        let category = follows(&json!({"category": CATEGORY}));
        assert_eq!((category.status, follows(&json!({"category": CATEGORY})).json()), (201, category.json()));
        assert_eq!(follows(&json!({"category": CATEGORY})).status, 200, "what is followed already");
        refused(&follows(&json!({"category": "tea"})), 404, "not_found");
        refused(&follows(&json!({})), 422, "follow_unclear");
        assert_eq!(ward.get("/api/v1/me/follows").status, 401);

        // Two save a search that finds it, of whom one follows its category and hears of it anyway.
        let reader = ward.person("reader", &[]);
        for who in [&follower, &reader] {
            let saved = ward.ask("POST", "/api/v1/me/saved-searches").in_session(who.access()).json(&json!({"name": "环卫", "question": {"category": CATEGORY}})).send();
            assert_eq!(saved.status, 201, "{}", saved.text);
        }
        let id = office.approved(&ward, &body);
        refused(&follows(&json!({"book_id": id})), 404, "not_found");
        let street = body["content"]["areas"][0].as_str().unwrap().to_owned();
        let (below, beside) = (ward.area(Some(&street), "桂园社区"), ward.area(None, "另一条街"));
        let found = |query: &str| -> Vec<String> {
            let hits = ward.get(&format!("/api/v1/search?kind=contract_book&{query}")).json()["items"].as_array().unwrap().clone();
            hits.iter().map(|hit| hit["stage"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(found(""), Vec::<String>::new());
        ok(&office.publishes(&ward, &id));
        // By what it says in either language, by where it serves (also within a larger area), by stage, buyer, money and time.
        for query in ["q=%E5%85%A8%E8%A1%97", "q=everywhere", "q=overtime", "stage=open", "sort=value", "value_max=600.00", "until=2026-03-03T00:00:00Z", "category=testing"] {
            let expected = usize::from(query != "q=overtime");
            assert_eq!(found(query).len(), expected, "{query}");
        }
        for (area, expected) in [(&street, 1), (&below, 1), (&beside, 0)] {
            assert_eq!(found(&format!("area_id={area}")).len(), expected, "{area}");
            assert_eq!(ward.get(&format!("/api/v1/contract-books?area_id={area}")).json()["items"].as_array().unwrap().len(), expected);
        }
        assert_eq!((found("stage=closed"), found("stage=planned"), found("value_min=600.01")), (vec![], vec![], vec![]));

        let tell = || while !wait(ward.context().db.upkeep(|tx| notices::tell(tx, chrono_tz::Asia::Shanghai))).unwrap() {};
        let told = || {
            let mut told = lines(&ward, "SELECT dedup_key AS line FROM outbox WHERE kind IN ('book.published', 'book.cancelled')");
            told.sort();
            told
        };
        let expected = |what: &str, version: u8, readers: &[&str]| {
            let mut keys: Vec<String> = readers.iter().map(|reader| format!("{id}:{what}:{version}:{reader}")).collect();
            keys.sort();
            keys
        };
        let published = expected("published", 1, &[&agent.id, &follower.id]);
        assert_eq!((found("sort=deadline").len(), ward.get("/api/v1/search?sort=deadline&kind=service_standard").json()["items"].as_array().unwrap().len()), (1, 0));
        for _ in 0..2 {
            tell();
            assert_eq!(told(), published);
        }
        while !wait(ward.context().db.upkeep(acts_search::tell_hits)).unwrap() {}
        assert_eq!(lines(&ward, "SELECT account_id AS line FROM outbox WHERE kind = 'followed.happened'"), [reader.id.as_str()], "nobody hears of it twice");
        let book = follows(&json!({"book_id": id}));
        assert_eq!(book.status, 201, "{}", book.text);
        let own = ward.ask("GET", "/api/v1/me/follows").in_session(follower.access()).send();
        assert_eq!(own.json()["items"], json!([category.json(), book.json()]));
        let end = |who: &str, follow: &Reply| ward.ask("DELETE", &format!("/api/v1/me/follows/{}", follow.json()["id"].as_str().unwrap())).in_session(who).send();
        refused(&end(agent.access(), &book), 404, "not_found");
        assert_eq!(end(follower.access(), &category).status, 200);
        refused(&end(follower.access(), &category), 404, "not_found");
        assert!(ward.events("follow.begun").iter().all(|event| !event.to_string().contains(CATEGORY) && !event.to_string().contains(&id)));

        // An addendum that affects bids is told as widely as the publication, by mail that nobody can switch off; one that gives more time is news to
        // followers of the book alone. The book is found by its new words.
        let amends = |change: &dyn Fn(&mut Value)| {
            let entered = addendum(&ok(&ward.get(&format!("/api/v1/contract-books/{id}"))), |content| change(content));
            let written = made(&posts(&ward, &office.officer, &format!("/contract-books/{id}/addenda"), Some(&entered)));
            ok(&posts(&ward, &office.approver, &format!("/addenda/{written}/publication"), None));
            tell();
            let mut told = lines(&ward, "SELECT dedup_key || ' ' || category AS line FROM outbox WHERE kind = 'book.amended'");
            told.sort();
            told
        };
        let duties: Vec<String> = expected("amended", 2, &[&agent.id, &follower.id]).iter().map(|key| format!("{key} duty")).collect();
        assert_eq!(amends(&|content| content["title_en"] = json!("Sweeping with quokkas")), duties);
        assert_eq!((found("q=quokkas").len(), found("q=everywhere").len()), (1, 1));
        let news = format!("{id}:amended:3:{} news", follower.id);
        assert_eq!(amends(&|content| content["timetable"]["enquiry_deadline"] = json!("2026-03-13T01:00:00Z")), [duties, vec![news]].concat());

        // After the deadline no bids are taken; a cancelled book is found as such, and its readers hear of it.
        ward.context().clock.advance("2026-04-01T01:00:00Z".parse().unwrap());
        assert_eq!((found("stage=closed"), found("stage=open")), (vec!["closed".to_owned()], vec![]));
        ok(&posts(&ward, &office.approver, &format!("/contract-books/{id}/cancellation"), Some(&json!({"reason_zh": "预算调整", "reason_en": "The budget was cut"}))));
        assert_eq!((found("stage=cancelled"), found("stage=closed")), (vec!["cancelled".to_owned()], vec![]));
        tell();
        // Standards come into the search from above, and books that it lacks; what was withdrawn goes out of it.
        let catch_up = || while !wait(ward.context().db.upkeep(acts_search::catch_up)).unwrap() {};
        let standards = || ward.get("/api/v1/search?kind=service_standard&q=arrival").json()["items"].as_array().unwrap().clone();
        sql(&ward, &format!("UPDATE search_documents SET subject_id = 'nothing', shown = FALSE WHERE subject_id = '{id}'")).unwrap();
        assert_eq!((standards().len(), found("")), (0, vec![]));
        catch_up();
        let version = &body["content"]["lots"][0]["standard_version_id"];
        assert_eq!((standards().len(), &standards()[0]["id"], &standards()[0]["stage"]), (1, version, &json!(null)));
        assert_eq!(found(""), ["cancelled"]);
        let path = standards()[0]["path"].as_str().unwrap().to_owned();
        let withdrawn = keeper(&ward, "POST", &format!("{path}/withdrawal")).json(&json!({"reason_zh": "停用", "reason_en": "No longer used"})).send();
        assert_eq!(withdrawn.status, 200, "{}", withdrawn.text);
        catch_up();
        assert_eq!(standards().len(), 0);

        // The debarment is over by then.
        let after: Vec<String> = told().into_iter().filter(|key| key.contains(":cancelled:")).collect();
        assert_eq!(after.len(), 3, "{after:?}");
        assert!(expected("cancelled", 3, &[&agent.id, &follower.id]).iter().all(|key| after.contains(key)), "{after:?}");
    }

    fn what_does_not_hold_together_is_refused_whole_and_never_saved(ward) {
        let office = Office::new(&ward);
        let body = office.whole(&ward);
        let id = office.drafts(&ward, &body);
        let mut odd = body["content"].clone();
        odd["timetable"]["opening"] = json!("2026-03-01T00:00:00Z");
        odd["lots"][0]["criteria"][0]["weight"] = json!("29.9999");
        odd["lots"][0]["payment"]["retention_percent"] = json!("5");
        odd["lots"][0]["pay_tables"][0]["bands"][1]["from"] = json!("71");
        odd["clauses"][1]["number"] = odd["clauses"][0]["number"].clone();
        odd["lots"][0]["penalties"][0]["percent"] = json!(null);
        let put = |content: &Value, etag: &str| office.officer.asks(&ward, "PUT", &format!("/api/v1/contract-books/{id}")).header("if-match", etag).json(content).send();
        let reply = put(&odd, "*");
        let pointers: Vec<String> = reply.faults().into_iter().map(|(at, _)| at).collect();
        assert_eq!((reply.status, pointers), (422, ["/clauses/1/number", "/timetable/opening", "/lots/0/criteria", "/lots/0/payment", "/lots/0/pay_tables/0/bands/1/from", "/lots/0/penalties/0"].map(str::to_owned).to_vec()), "{}", reply.text);
        assert_eq!(gets(&ward, &office.officer, &format!("/contract-books/{id}")).json()["content"]["timetable"], body["content"]["timetable"].clone());
        assert_eq!(ok(&put(&body["content"], "\"v1\""))["revision"], 1, "nothing to change");
        let mut other = body["content"].clone();
        other["title_en"] = json!("Another");
        assert_eq!(ok(&put(&other, "\"v1\""))["revision"], 2);
        refused(&put(&body["content"], "\"v1\""), 412, "version_stale");
        other["category"] = json!("tea");
        refused(&put(&other, "*"), 422, "book_category_closed");
        for unclear in [json!({"organisation_id": office.treasury.department}), json!({"organisation_id": office.treasury.department, "template": "sanitation", "copy_of": id})] {
            refused(&posts(&ward, &office.officer, "/contract-books", Some(&unclear)), 422, "book_beginning_unclear");
        }
        refused(&posts(&ward, &office.officer, "/contract-books", Some(&json!({"organisation_id": office.treasury.department, "template": "tea"}))), 409, "book_template_unknown");
        assert_eq!(ward.get("/api/v1/contract-book-templates/sanitation").json(), {
            let mut template = template();
            for field in ["enquiry_deadline", "answer_deadline", "bid_deadline", "opening", "service_from", "service_until"] {
                template["timetable"][field] = json!(null);
            }
            template
        });
    }

    fn two_at_once_end_in_one_of_the_lawful_outcomes(ward) {
        let office = Office::new(&ward);
        let body = office.whole(&ward);
        let id = office.drafts(&ward, &body);
        let submitted = ok(&posts(&ward, &office.officer, &format!("/contract-books/{id}/submission"), None));
        let second = of(&ward, Role::BuyerApprover, &office.treasury.department);
        let etag = format!("\"v{}\"", submitted["revision"]);
        let approve = |who: &Person| who.asks(&ward, "POST", &format!("/api/v1/contract-books/{id}/approval")).header("if-match", &etag).send();
        let mut statuses = at_once([&|| approve(&office.approver), &|| approve(&second)]).map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);

        // A publication and a withdrawal of the same money: one of them, never both.
        let line = &office.line;
        let withdrawal = json!({"kind": "withdrawal", "fiscal_year": 2026, "from_line_id": line, "amount": yuan("500.00"), "reason": "收回"});
        let movement = made(&office.treasury.proposes(&ward, &withdrawal));
        let [published, confirmed] = at_once([&|| office.publishes(&ward, &id), &|| office.treasury.confirms(&ward, &movement)]);
        let balances = office.treasury.balances(&ward, line);
        let stands = (balances["available"].as_str().unwrap().to_owned(), balances["reserved"].as_str().unwrap().to_owned());
        match (published.status, confirmed.status) {
            (200, 409) => assert_eq!(stands, ("400.00".to_owned(), "600.00".to_owned())),
            (409, 200) => assert_eq!((published.code(), stands), ("book_not_ready".to_owned(), ("500.00".to_owned(), "0.00".to_owned()))),
            other => panic!("{other:?}: {} {}", published.text, confirmed.text),
        }
    }
}

on_both! { in "cn";
    fn what_is_missing_or_unlawful_is_listed_with_rule_and_source_and_refuses_publication(ward) {
        let office = Office::new(&ward);
        let mut body = office.whole(&ward);
        let content = &mut body["content"];
        content["timetable"]["bid_deadline"] = json!("2026-03-20T01:00:00Z");
        content["timetable"]["service_until"] = json!("2027-05-01");
        content["performance_security_percent"] = json!("10.5");
        content["bid_security_percent"] = json!("2.0001");
        content["tie_rule"] = json!(null);
        content["custody"] = json!({"kind": "shared", "threshold": 2, "witnesses": [office.officer.id, office.approver.id]});
        content["lots"][0]["sme"] = json!({"kind": "deduction", "percent": "5", "consortium_percent": null});
        content["lots"][0]["bidders_min"] = json!(2);
        content["lots"][0]["technical_threshold"] = json!("60");
        content["lots"][0]["ceiling"] = yuan("1000.01");
        content["lots"][0]["payment"]["payment_days"] = json!(61);
        let id = office.approved(&ward, &body);
        let readiness = ok(&gets(&ward, &office.officer, &format!("/contract-books/{id}/readiness")));
        let items = readiness["items"].as_array().unwrap();
        let told: Vec<(&str, &str)> = items.iter().map(|item| (item["pointer"].as_str().unwrap(), item["rule"].as_str().or(item["code"].as_str()).unwrap())).collect();
        assert_eq!(told, [
            ("/tie_rule", "missing"),
            ("/custody/witnesses/0", "unfit"),
            ("/custody/witnesses/1", "unfit"),
            ("/timetable/bid_deadline", "tender.period_days_min"),
            ("/timetable/opening", "tender.opening_at_deadline"),
            ("/timetable/service_until", "planning.term_years_max"),
            ("/intention_id", "planning.intention_notice_days_min"),
            ("/consultation_id", "planning.consultation_record_required"),
            ("/bid_security_percent", "tender.bid_security_percent_max"),
            ("/performance_security_percent", "contract.performance_security_percent_max"),
            ("/lots/0/payment/payment_days", "payment.days_max_if_agreed"),
            ("/lots/0/technical_threshold", "unfit"),
            ("/lots/0/bidders_min", "tender.bids_min"),
            ("/lots/0/sme", "sme.full_reserve_budget_max"),
            ("/lots/0/ceiling", "unfit"),
        ]);
        assert!(items.iter().all(|item| (item["code"] == "unlawful") != item["citations"].as_array().unwrap().is_empty()), "{readiness}");
        let refusal = office.publishes(&ward, &id);
        refused(&refusal, 409, "book_not_ready");
        let pointers: Vec<(String, String)> = refusal.faults();
        assert_eq!(pointers.len(), told.len(), "{}", refusal.text);
        assert_eq!(office.treasury.balances(&ward, &office.line)["reserved"], "0.00");

        // Where quality and cost are weighed, the lot says the threshold for quality, and one that can be reached.
        let of_threshold = |threshold: Value| {
            let mut body = body.clone();
            body["content"]["method"] = json!("quality_and_cost_based");
            body["content"]["lots"][0]["technical_threshold"] = threshold;
            let id = office.drafts(&ward, &body);
            let readiness = ok(&gets(&ward, &office.officer, &format!("/contract-books/{id}/readiness")));
            let found = readiness["items"].as_array().unwrap().iter().find(|item| item["pointer"] == "/lots/0/technical_threshold");
            found.map(|item| item["code"].as_str().unwrap().to_owned())
        };
        // The parties may agree on sixty days, and on less than the thirty that hold where they do not.
        let of_days = |days: Value| {
            let mut body = body.clone();
            body["content"]["lots"][0]["payment"]["payment_days"] = days;
            let id = office.drafts(&ward, &body);
            let readiness = ok(&gets(&ward, &office.officer, &format!("/contract-books/{id}/readiness")));
            let mut items = readiness["items"].as_array().unwrap().iter();
            items.find(|item| item["pointer"] == "/lots/0/payment/payment_days").map(|item| item["citations"].to_string().contains("国务院令第802号"))
        };
        assert_eq!([json!(61), json!(60), json!(15), json!(null)].map(of_days), [Some(true), None, None, None]);
        assert_eq!([json!(null), json!("70.01"), json!("70")].map(of_threshold), [Some("missing".to_owned()), Some("unfit".to_owned()), None]);
    }

    fn what_went_before_a_book_is_looked_up(ward) {
        let office = Office::new(&ward);
        let mut body = office.whole(&ward);
        let area = body["content"]["areas"][0].clone();
        let notice = json!({"organisation_id": office.treasury.department, "content": {"category": CATEGORY, "area_ids": [area], "title_zh": "试", "title_en": "Testing",
            "overview_zh": "试", "overview_en": "Testing", "budget": yuan("1000.00"), "expected_month": "2026-05", "contact": "王磊 0990-1234567"}});
        let intention = made(&posts(&ward, &office.officer, "/intention-notices", Some(&notice)));
        body["content"]["intention_id"] = json!(intention);
        let id = office.drafts(&ward, &body);
        let lacks = |rule: &str| {
            let readiness = ok(&gets(&ward, &office.officer, &format!("/contract-books/{id}/readiness")));
            readiness["items"].as_array().unwrap().iter().any(|item| item["rule"] == rule)
        };
        let notice_rule = "planning.intention_notice_days_min";
        assert!(lacks(notice_rule), "a draft of a notice is none");
        ok(&posts(&ward, &office.approver, &format!("/intention-notices/{intention}/publication"), None));
        assert!(lacks(notice_rule), "it has been public for no day yet");
        ward.context().clock.advance("2026-03-31T15:59:59Z".parse().unwrap());
        assert!(lacks(notice_rule), "on the thirtieth day it has been public for 29");
        ward.context().clock.advance("2026-03-31T16:00:00Z".parse().unwrap());
        assert!(!lacks(notice_rule));
        assert!(lacks("planning.consultation_record_required"));
        // It covers what it announced, and no more.
        let announced = "planning.intention_notice_contents";
        assert!(!lacks(announced));
        let mut dearer = body.clone();
        dearer["content"]["lots"][0]["ceiling"] = yuan("1000.01");
        let other = office.drafts(&ward, &dearer);
        let readiness = ok(&gets(&ward, &office.officer, &format!("/contract-books/{other}/readiness")));
        assert!(readiness["items"].as_array().unwrap().iter().any(|item| item["rule"] == announced && item["pointer"] == "/intention_id"), "{readiness}");
        // A consultation on something else is none on this.
        let consulted = concluded(&ward, &office.treasury, &office.officer);
        body["content"]["consultation_id"] = json!(consulted);
        ok(&puts(&ward, &office.officer, &format!("/contract-books/{id}"), &body["content"]));
        assert!(!lacks("planning.consultation_record_required"));
        sql(&ward, "INSERT INTO service_categories (code, name_zh, name_en, state, version, created_at, updated_at) \
             SELECT 'other', '他', 'Other', state, version, created_at, updated_at FROM service_categories WHERE code = 'testing'").unwrap();
        let mut other = body["content"].clone();
        other["category"] = json!("other");
        ok(&puts(&ward, &office.officer, &format!("/contract-books/{id}"), &other));
        assert!(lacks("planning.consultation_record_required"));
        ok(&puts(&ward, &office.officer, &format!("/contract-books/{id}"), &body["content"]));
        // Withdrawn, it counts for nothing.
        let withdrawn = posts(&ward, &office.approver, &format!("/intention-notices/{intention}/withdrawal"), Some(&json!({"reason_zh": "取消", "reason_en": "Not bought"})));
        assert_eq!(withdrawn.status, 200, "{}", withdrawn.text);
        assert!(lacks(notice_rule));
    }
}
