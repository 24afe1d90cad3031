//! Sealed bids: taken strictly before the deadline, with a receipt, replaced, confirmed and withdrawn; and what two at once end in.

use std::sync::Barrier;

use serde_json::{Value, json};
use wardbook::audit::note::Verifier;
use wardbook::bids::receipts::{self, NoReceipt};
use wardbook::bids::rules::{Fate, Kind, at_opening, hash};
use wardbook::bids::rules_responses::line_amount;
use wardbook::bids::{acts_amendments, acts_disclosure, sealing, store};
use wardbook::books::rules::LotId;
use wardbook::kernel::clock::Instant;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::books::{Office, ok};
use crate::cast::{Person, person};
use crate::faults::block_on;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{CODES, opened, refused, sql, verified};
use crate::outbox::lines;
use crate::suppliers::{debarment, of};
use crate::treasury::yuan;

/// When bids for the tests' book are due.
pub const DEADLINE: &str = "2026-04-01T01:00:00Z";

/// A book of one lot that takes bids.
pub struct Tender {
    /// Whose it is.
    pub office: Office,
    /// The book, as it was published.
    pub book: Value,
    /// Its lot.
    pub lot: String,
    /// To whom its bids are sealed.
    pub recipient: String,
}

impl Tender {
    /// Published on the first day.
    pub fn new(ward: &Ward) -> Self {
        let office = Office::new(ward);
        let mut body = office.whole(ward);
        body["content"]["bid_security_percent"] = json!("1");
        let id = office.approved(ward, &body);
        let book = ok(&office.publishes(ward, &id));
        Self {
            lot: book["lots"][0]["id"].as_str().unwrap().to_owned(),
            recipient: book["recipient"].as_str().unwrap().to_owned(),
            office,
            book,
        }
    }

    fn lot_id(&self) -> LotId {
        self.lot.parse().unwrap()
    }

    /// A version more of the book, as an addendum makes it.
    pub fn addendum(&self, ward: &Ward, affects_bids: bool) {
        let id = &self.book["id"].as_str().unwrap();
        let now = ward.context().clock.now().naive_utc();
        sql(ward, &format!(
            "INSERT INTO book_versions (book_id, number, content, content_sha256, reason_zh, reason_en, affects_bids, published_at) \
             SELECT id, versions + 1, content, content_sha256, '更正', 'Corrected', {affects_bids}, '{now}' FROM books WHERE id = '{id}'"
        )).unwrap();
        sql(
            ward,
            &format!("UPDATE books SET versions = versions + 1 WHERE id = '{id}'"),
        )
        .unwrap();
    }
}

/// A supplier and its agent.
pub struct Bidder {
    /// The supplier.
    pub id: String,
    /// Who acts for it.
    pub agent: Person,
}

impl Bidder {
    /// A verified company.
    pub fn new(ward: &Ward, name: &str, code: &str) -> Self {
        let id = verified(ward, name, code);
        Self {
            agent: of(ward, Role::SupplierAgent, &id),
            id,
        }
    }

    /// A whole bid for the book as it is.
    pub fn bid(&self, ward: &Ward, tender: &Tender, unit_price: &str) -> Value {
        let path = format!("/api/v1/lots/{}/bid-form?supplier_id={}", tender.lot, self.id);
        let mut bid = ok(&ward.get(&path))["document"].clone();
        let quantity = tender.book["content"]["lots"][0]["quantities"][0]["amount"]
            .as_str()
            .unwrap();
        let amount = yuan(&line_amount(unit_price, quantity).unwrap().to_string());
        bid["price_lines"][0]["unit_price"] = json!(unit_price);
        bid["price_lines"][0]["amount"] = amount.clone();
        bid["total"] = amount;
        for criterion in bid["criteria"].as_array_mut().unwrap() {
            criterion["text"] = json!("两班作业");
        }
        bid["size"] = json!({"industry": "other_services", "employees": 42, "class": "small"});
        bid
    }

    /// Sends it to be sealed; with `etag` to take that version's place.
    pub fn submits(&self, ward: &Ward, tender: &Tender, bid: &Value, etag: Option<&str>) -> Reply {
        let ask = self
            .agent
            .asks(ward, "POST", &format!("/api/v1/lots/{}/bids", tender.lot));
        match etag {
            Some(etag) => ask.header("if-match", etag).json(bid).send(),
            None => ask.json(bid).send(),
        }
    }

    /// Sends sealed bytes.
    pub fn sends(
        &self,
        ward: &Ward,
        tender: &Tender,
        sealed: &[u8],
        (book_version, etag): (i64, Option<&str>),
    ) -> Reply {
        let (lot, id) = (&tender.lot, &self.id);
        let path = format!("/api/v1/lots/{lot}/sealed-bids?supplier_id={id}&book_version={book_version}");
        let ask = self.agent.asks(ward, "POST", &path);
        match etag {
            Some(etag) => ask
                .header("if-match", etag)
                .body("application/age", sealed)
                .send(),
            None => ask.body("application/age", sealed).send(),
        }
    }

    /// Does something to a bid.
    pub fn acts(&self, ward: &Ward, bid: &str, what: &str, body: Option<&Value>) -> Reply {
        let ask = self
            .agent
            .asks(ward, "POST", &format!("/api/v1/bids/{bid}/{what}"))
            .header("if-match", "*");
        match body {
            Some(body) => ask.json(body).send(),
            None => ask.send(),
        }
    }

    fn reads(&self, ward: &Ward, path: &str) -> Reply {
        self.agent.asks(ward, "GET", &format!("/api/v1{path}")).send()
    }
}

/// The version that was taken.
pub fn taken(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text);
    reply.json()["version"].clone()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap()
}

/// Tells whoever has to hear that their bid needs a confirmation, as the house does once a minute; who has been told by then.
fn told(ward: &Ward) -> Vec<String> {
    let now = ward.context().clock.now();
    let db = &ward.context().db;
    for one in db
        .read_and_wait(move |conn| acts_amendments::unaware(conn, now))
        .unwrap()
    {
        let tell = db.upkeep(move |tx| acts_amendments::tell(tx, one.clone()));
        block_on(tell).unwrap();
    }
    let of_amendments =
        "SELECT kind || ' ' || category || ' ' || account_id AS line FROM outbox WHERE kind = 'book.amended'";
    lines(ward, of_amendments)
}

fn needs_confirmation(ward: &Ward, bidder: &Bidder, bid: &str) -> Value {
    ok(&bidder
        .agent
        .asks(ward, "GET", &format!("/api/v1/bids/{bid}"))
        .send())["needs_confirmation"]
        .clone()
}

fn fates(ward: &Ward, tender: &Tender) -> Vec<(String, Fate)> {
    let lot = tender.lot_id();
    let versions = ward
        .context()
        .db
        .read_and_wait(move |conn| store::versions_for(conn, &lot))
        .unwrap();
    let affecting = ward
        .context()
        .db
        .read_and_wait(|conn| {
            let book = tender.book["id"].as_str().unwrap().parse().unwrap();
            wardbook::books::store_versions::last_affecting(conn, &book)
        })
        .unwrap();
    at_opening(versions, DEADLINE.parse().unwrap(), affecting)
        .into_iter()
        .map(|(version, fate)| (version.supplier_id.to_string(), fate))
        .collect()
}

on_both! { in "test";
    fn a_bid_is_sealed_replaced_withdrawn_and_late_and_its_receipt_proves_it(ward) {
        let tender = Tender::new(&ward);
        let (jie, run) = (Bidder::new(&ward, "洁城公司", CODES[0]), Bidder::new(&ward, "德润公司", CODES[1]));
        let bid = jie.bid(&ward, &tender, "500");
        // All faults at once, and who may bid for whom.
        let mut odd = bid.clone();
        odd["total"] = yuan("500.01");
        odd["criteria"][0]["text"] = json!(" ");
        let reply = jie.submits(&ward, &tender, &odd, None);
        assert_eq!((reply.status, reply.faults().into_iter().map(|(at, _)| at).collect::<Vec<_>>()), (422, vec!["/total".to_owned(), "/criteria/0/text".to_owned()]), "{}", reply.text);
        odd["unheard_of"] = json!(1);
        refused(&jie.submits(&ward, &tender, &odd, None), 422, "invalid");
        refused(&run.submits(&ward, &tender, &bid, None), 403, "forbidden");
        refused(&jie.submits(&ward, &tender, &bid, Some("*")), 404, "not_found");

        let path = format!("/api/v1/lots/{}/bids", tender.lot);
        let once = || jie.agent.asks(&ward, "POST", &path).header("idempotency-key", "first").json(&bid).send();
        let reply = once();
        let first = taken(&reply, 201);
        assert_eq!((&first["number"], &first["kind"], reply.header("etag")), (&json!(1), &json!("sealed"), Some("\"v1\"")));
        assert_eq!(reply.json()["warnings"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect::<Vec<_>>(), ["same_control"], "the tests' companies have one person in charge");
        assert!(reply.json()["warnings"][0]["detail_zh"].as_str().unwrap().contains("德润公司"), "and are named");
        let again = once();
        assert_eq!((taken(&again, 201), &again.json()["warnings"]), (first.clone(), &json!(null)), "what a bid says is not kept");
        refused(&jie.submits(&ward, &tender, &bid, None), 409, "bid_exists");
        refused(&jie.submits(&ward, &tender, &bid, Some("\"v2\"")), 412, "version_stale");

        // The receipt holds for the bytes that can be downloaded, and for no others.
        let key: Verifier = ward.get("/audit/key").text.trim().parse().unwrap();
        let id = text(&first, "bid_id");
        let sealed = jie.agent.asks(&ward, "GET", &format!("/api/v1/bids/{id}/versions/1/ciphertext")).bytes();
        let receipt = receipts::verify(text(&first, "receipt").as_bytes(), &key, Some(&sealed)).unwrap();
        assert_eq!((receipt.kind, hex::encode(receipt.sha256), receipt.received_at.as_str()), (Kind::Sealed, text(&first, "sha256").to_owned(), text(&first, "received_at")));
        assert_eq!(receipts::verify(text(&first, "receipt").as_bytes(), &key, Some(b"x")), Err(NoReceipt::OtherBytes));

        // Sealed by the bidder, it takes the place of the first.
        let own = sealing::seal(&serde_json::to_vec(&bid).unwrap(), &tender.recipient).unwrap();
        let second = taken(&jie.sends(&ward, &tender, &own, (1, Some("\"v1\""))), 201);
        assert_eq!((&second["number"], text(&second, "sha256")), (&json!(2), hex::encode(hash(&own)).as_str()));
        refused(&jie.sends(&ward, &tender, &own, (2, Some("*"))), 409, "bid_book_moved_on");
        refused(&jie.sends(&ward, &tender, b"no age file", (1, Some("*"))), 422, "sealed_bid_not_age");
        refused(&jie.sends(&ward, &tender, &own[..own.len() - 65_545], (1, Some("*"))), 422, "sealed_bid_truncated");
        refused(&jie.agent.asks(&ward, "POST", &format!("/api/v1/lots/{}/sealed-bids?supplier_id={}&book_version=1", tender.lot, jie.id)).json(&bid).send(), 415, "unsupported_content");
        refused(&jie.acts(&ward, id, "confirmation", Some(&json!({"book_version": 1}))), 409, "bid_nothing_to_confirm");

        let gone = taken(&jie.acts(&ward, id, "withdrawal", None), 200);
        assert_eq!((&gone["kind"], &gone["sealed_number"], text(&gone, "sha256")), (&json!("withdrawn"), &json!(2), text(&second, "sha256")));
        refused(&jie.acts(&ward, id, "withdrawal", None), 409, "bid_withdrawn");
        refused(&jie.submits(&ward, &tender, &bid, Some("*")), 409, "bid_withdrawn");
        assert_eq!(fates(&ward, &tender), [(jie.id.clone(), Fate::Withdrawn)]);
        let fourth = taken(&jie.submits(&ward, &tender, &bid, None), 201);
        assert_eq!((text(&fourth, "bid_id"), &fourth["number"]), (id, &json!(4)));
        let whole = ok(&jie.reads(&ward, &format!("/bids/{id}")));
        assert_eq!(whole["versions"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect::<Vec<_>>(), ["sealed", "sealed", "withdrawn", "sealed"]);
        let listed = ok(&jie.reads(&ward, &format!("/bids?lot_id={}", tender.lot)));
        assert_eq!(listed["items"].as_array().unwrap().iter().map(|one| one["number"].clone()).collect::<Vec<_>>(), [json!(4)]);
        assert_eq!(jie.reads(&ward, &format!("/bids/{id}/versions/3/ciphertext")).status, 404, "a withdrawal seals nothing");
        assert!(sql(&ward, "UPDATE bid_versions SET number = 9").is_err() && sql(&ward, "DELETE FROM bid_ciphertexts").is_err());
        assert!(sql(&ward, "DELETE FROM audit_withheld").is_err(), "an entry that is not in the log yet is kept");

        // At the last microsecond it is taken; at the deadline it is late, and recorded by its hash.
        let deadline: Instant = DEADLINE.parse().unwrap();
        ward.context().clock.advance(deadline - chrono::Duration::microseconds(1));
        let last = taken(&run.submits(&ward, &tender, &run.bid(&ward, &tender, "400"), None), 201);
        assert_eq!(text(&last, "received_at"), "2026-04-01T00:59:59.999999Z");
        ward.context().clock.advance(deadline);
        refused(&jie.sends(&ward, &tender, &own, (1, Some("*"))), 409, "bid_late");
        refused(&jie.sends(&ward, &tender, &own, (1, Some("*"))), 409, "bid_late");
        refused(&jie.acts(&ward, id, "withdrawal", None), 409, "bid_late");
        assert_eq!(fates(&ward, &tender), [(jie.id.clone(), Fate::Opened(4)), (run.id.clone(), Fate::Opened(1))]);

        // With the opening all of it stands in the log as it was written, and the receipts' events are found there.
        for kind in ["bid.sealed", "bid.withdrawn", "bid.refused_late"] {
            assert_eq!(ward.events(kind).len(), 0, "{kind}");
        }
        let lot = tender.lot_id();
        disclose(&ward, lot);
        let told = ward.events("bid.sealed");
        let events: Vec<&str> = told.iter().map(|one| text(one, "id")).collect();
        assert_eq!(events, [&first, &second, &fourth, &last].map(|version| text(version, "event_id")));
        assert_eq!(told[0]["entry"]["data"], json!({"book_version": 1, "bytes": first["bytes"], "lot_id": tender.lot, "number": 1, "sha256": first["sha256"]}));
        assert_eq!(opened(&told[3]), json!({"supplier_id": run.id}));
        assert!(!told[3]["entry"].to_string().contains(&run.id));
        let late = ward.events("bid.refused_late");
        assert_eq!((late.len(), &late[0]["entry"]["data"]), (1, &json!({"sha256": hex::encode(hash(&own))})));
        let other = sealing::seal(b"{}", &tender.recipient).unwrap();
        refused(&jie.sends(&ward, &tender, &other, (1, Some("*"))), 409, "bid_late");
        assert_eq!(ward.events("bid.refused_late").len(), 2, "after the opening it is told at once");
    }

    fn an_addendum_asks_for_a_confirmation_and_a_debarment_ends_bidding(ward) {
        let tender = Tender::new(&ward);
        let jie = Bidder::new(&ward, "洁城公司", CODES[0]);
        let bid = jie.bid(&ward, &tender, "500");
        let first = taken(&jie.submits(&ward, &tender, &bid, None), 201);
        let id = text(&first, "bid_id").to_owned();
        tender.addendum(&ward, false);
        assert_eq!(fates(&ward, &tender), [(jie.id.clone(), Fate::Opened(1))], "that one leaves bids alone");
        assert_eq!((told(&ward), needs_confirmation(&ward, &jie, &id)), (vec![], json!(false)));
        // Whom it declares to hold it is warned of besides the one who leads both.
        Bidder::new(&ward, "德润公司", CODES[1]);
        let mut tied = bid.clone();
        tied["ties"] = json!([{"kind": "holding", "name": "德润公司", "credit_code": CODES[1]}]);
        let reply = jie.submits(&ward, &tender, &tied, Some("*"));
        taken(&reply, 201);
        let warned: Vec<bool> = reply.json()["warnings"].as_array().unwrap().iter().filter(|one| one["code"] == "same_control").map(|one| one["detail_zh"].as_str().unwrap().contains("控股")).collect();
        assert_eq!(warned, [false, true]);
        tender.addendum(&ward, true);
        assert_eq!(fates(&ward, &tender), [(jie.id.clone(), Fate::Unconfirmed)]);
        sql(&ward, &format!("UPDATE accounts SET email = 'agent@jie.example' WHERE id = '{}'", jie.agent.id)).unwrap();
        // Its agent is told once, by a mail that cannot be switched off and is of the kind that everybody gets.
        let agent = format!("book.amended duty {}", jie.agent.id);
        assert_eq!((told(&ward), told(&ward)), (vec![agent.clone()], vec![agent.clone()]));
        assert_eq!(needs_confirmation(&ward, &jie, &id), json!(true));
        refused(&jie.submits(&ward, &tender, &bid, Some("*")), 409, "bid_book_moved_on");
        refused(&jie.acts(&ward, &id, "confirmation", Some(&json!({"book_version": 2}))), 409, "bid_book_moved_on");
        let confirmed = taken(&jie.acts(&ward, &id, "confirmation", Some(&json!({"book_version": 3}))), 200);
        assert_eq!((&confirmed["kind"], &confirmed["sealed_number"], &confirmed["book_version"]), (&json!("confirmed"), &json!(2), &json!(3)));
        assert_eq!(fates(&ward, &tender), [(jie.id.clone(), Fate::Opened(2))]);
        assert_eq!((told(&ward), needs_confirmation(&ward, &jie, &id)), (vec![agent], json!(false)));

        // A security within its bounds, as long as bids are taken.
        let security = |amount: &str| json!({"supplier_id": jie.id, "kind": "transfer", "amount": yuan(amount), "issuer": "某银行", "reference": if amount == "6.00" { "7" } else { "8" }, "lodged_on": "2026-03-02"});
        let lodges = |amount: &str| jie.agent.asks(&ward, "POST", &format!("/api/v1/lots/{}/bid-securities", tender.lot)).json(&security(amount)).send();
        refused(&lodges("5.99"), 422, "invalid");
        refused(&lodges("600.01"), 422, "invalid");
        let lodged = lodges("6.00");
        assert_eq!(lodged.status, 201, "{}", lodged.text);
        refused(&lodges("6.00"), 409, "bid_security_recorded");
        assert_eq!(lodges("594.01").faults(), [("/amount".to_owned(), "invalid".to_owned())], "together they are more than the cap");
        let lodged = lodged.json();

        let debarred = ward.ask("POST", "/api/v1/debarments").by(Role::Regulator).json(&debarment(&jie.id, "2026-03-02", "2028-03-01")).send();
        assert_eq!(debarred.status, 201, "{}", debarred.text);
        let fresh = jie.bid(&ward, &tender, "400");
        refused(&jie.submits(&ward, &tender, &fresh, Some("*")), 409, "bid_debarred");
        refused(&lodges("6.00"), 409, "bid_debarred");
        taken(&jie.acts(&ward, &id, "withdrawal", None), 200);

        // A cancelled book is never opened; who had bid is nobody's secret from then on, and the security is due.
        let finance = of(&ward, Role::FinanceOfficer, tender.office.treasury.department.as_str());
        let securities = || ok(&finance.asks(&ward, "GET", &format!("/api/v1/lots/{}/bid-securities", tender.lot)).send())["items"].clone();
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        let audited = || ok(&auditor.asks(&ward, "GET", &format!("/api/v1/lots/{}/bid-securities", tender.lot)).send())["items"].clone();
        assert_eq!(audited(), json!([]), "not before the opening");
        assert_eq!(securities(), json!([]));
        let keeps = |what: &str, body: &Value| finance.asks(&ward, "POST", &format!("/api/v1/bid-securities/{}/{what}", text(&lodged, "id"))).header("if-match", "*").json(body).send();
        let found = json!({"is_there": true, "decision": "已到账"});
        refused(&keeps("decision", &found), 404, "not_found");
        let decided = auditor.asks(&ward, "POST", &format!("/api/v1/bid-securities/{}/decision", text(&lodged, "id"))).header("if-match", "*").json(&found).send();
        refused(&decided, 403, "forbidden");
        let why = json!({"reason_zh": "预算调整", "reason_en": "The budget was cut"});
        ok(&crate::treasury::posts(&ward, &tender.office.approver, &format!("/contract-books/{}/cancellation", text(&tender.book, "id")), Some(&why)));
        refused(&jie.submits(&ward, &tender, &fresh, None), 409, "bid_debarred");
        let lots = ward.context().db.read_and_wait(acts_disclosure::ended).unwrap();
        assert_eq!(lots, [tender.lot_id()]);
        disclose(&ward, tender.lot_id());
        assert_eq!(ward.context().db.read_and_wait(acts_disclosure::ended).unwrap(), []);
        let shown = securities();
        assert_eq!(audited(), shown);
        assert_eq!((&shown[0]["id"], &shown[0]["return_due"]), (&lodged["id"], &json!(null)), "the rules for trying out give more days than the calendar has");
        ok(&keeps("decision", &found));
        refused(&keeps("return", &json!({"returned_on": "2026-03-03", "reference": "8"})), 422, "invalid");
        assert_eq!(ok(&keeps("return", &json!({"returned_on": "2026-03-02", "reference": "8"})))["state"], "returned");
        refused(&keeps("decision", &found), 409, "bid_security_wrong_state");
    }

    fn two_at_once_end_in_one_of_the_lawful_outcomes(ward) {
        let tender = Tender::new(&ward);
        let jie = Bidder::new(&ward, "洁城公司", CODES[0]);
        let bid = jie.bid(&ward, &tender, "500");
        let at_once = |acts: [&(dyn Fn() -> Reply + Sync); 2]| {
            let barrier = Barrier::new(2);
            std::thread::scope(|scope| {
                let threads = acts.map(|act| scope.spawn(|| { barrier.wait(); act() }));
                threads.map(|thread| thread.join().unwrap())
            })
        };
        // Two first bids of one supplier: one of them is it.
        let replies = at_once([&|| jie.submits(&ward, &tender, &bid, None), &|| jie.submits(&ward, &tender, &bid, None)]);
        let mut ends: Vec<(u16, String)> = replies.iter().map(|reply| (reply.status, if reply.status == 201 { String::new() } else { reply.code() })).collect();
        ends.sort();
        assert_eq!(ends, [(201, String::new()), (409, "bid_exists".to_owned())]);
        let id = text(&replies.iter().find(|reply| reply.status == 201).unwrap().json()["version"], "bid_id").to_owned();

        // A bid and an addendum that affects bids: taken before it, or refused; never taken as if it had seen it.
        let [submitted, _] = at_once([&|| jie.submits(&ward, &tender, &bid, Some("*")), &|| { tender.addendum(&ward, true); ward.get("/api/v1/time") }]);
        match submitted.status {
            201 => {}
            409 => assert_eq!(submitted.code(), "bid_book_moved_on"),
            other => panic!("{other}: {}", submitted.text),
        }
        assert_eq!(fates(&ward, &tender), [(jie.id.clone(), Fate::Unconfirmed)]);
        taken(&jie.acts(&ward, &id, "confirmation", Some(&json!({"book_version": 2}))), 200);

        // A withdrawal and the deadline: withdrawn before it, or refused as late.
        let deadline: Instant = DEADLINE.parse().unwrap();
        let [withdrawn, _] = at_once([&|| jie.acts(&ward, &id, "withdrawal", None), &|| { ward.context().clock.advance(deadline); ward.get("/api/v1/time") }]);
        let fate = fates(&ward, &tender).remove(0).1;
        match withdrawn.status {
            200 => assert!(text(&withdrawn.json()["version"], "received_at") < "2026-04-01T01" && fate == Fate::Withdrawn),
            409 => assert!(withdrawn.code() == "bid_late" && matches!(fate, Fate::Opened(_))),
            other => panic!("{other}: {}", withdrawn.text),
        }
    }

    fn random_sequences_end_as_a_small_model_says(ward) {
        let tender = Tender::new(&ward);
        let bidders = [Bidder::new(&ward, "洁城公司", CODES[0]), Bidder::new(&ward, "德润公司", CODES[1])];
        let sealed = sealing::seal(b"{}", &tender.recipient).unwrap();
        // Of each bidder: the last version, whether one stands, for which version of the book, and its bid.
        let mut model: [(i64, Option<i64>, String); 2] = Default::default();
        let (mut book, mut affecting, mut chance) = (1_i64, 0_i64, 7_u64);
        for step in 0..60 {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (who, what) = (usize::try_from(chance >> 33).unwrap() % 2, (chance >> 40) % 9);
            let (bidder, (number, stands, id)) = (&bidders[who], &mut model[who]);
            let (reply, expected) = match what {
                0 | 1 => (bidder.sends(&ward, &tender, &sealed, (book, None)), if stands.is_some() { 409 } else { 201 }),
                2 | 3 => (bidder.sends(&ward, &tender, &sealed, (book, Some("*"))), match (*number, *stands) { (0, _) => 404, (_, None) => 409, _ => 201 }),
                4 | 5 if *number > 0 => {
                    let reply = bidder.acts(&ward, id, "confirmation", Some(&json!({"book_version": book})));
                    (reply, if stands.is_some_and(|version| version < book) { 200 } else { 409 })
                }
                6 | 7 if *number > 0 => (bidder.acts(&ward, id, "withdrawal", None), if stands.is_some() { 200 } else { 409 }),
                8 if book < 20 => {
                    let affects = chance & 1 == 1;
                    tender.addendum(&ward, affects);
                    book += 1;
                    affecting = if affects { book } else { affecting };
                    continue;
                }
                _ => continue,
            };
            assert_eq!(reply.status, expected, "step {step}, {what} of {who}: {}", reply.text);
            if matches!(expected, 200 | 201) {
                let version = reply.json()["version"].clone();
                *number += 1;
                assert_eq!(version["number"], *number);
                *id = text(&version, "bid_id").to_owned();
                *stands = (!matches!(what, 6 | 7)).then_some(book);
            }
        }
        let mut expected: Vec<(String, &str)> = (0..2).filter(|who| model[*who].0 > 0).map(|who| (bidders[who].id.clone(), match model[who].1 {
            None => "withdrawn",
            Some(version) if version < affecting => "unconfirmed",
            Some(_) => "opened",
        })).collect();
        expected.sort();
        let found: Vec<(String, &str)> = fates(&ward, &tender).into_iter().map(|(who, fate)| (who, match fate {
            Fate::Withdrawn => "withdrawn",
            Fate::Unconfirmed => "unconfirmed",
            Fate::Opened(_) => "opened",
        })).collect();
        assert_eq!(found, expected);
    }
}

/// Ends the secrecy of a lot's bids, as its opening does.
pub fn disclose(ward: &Ward, lot: LotId) {
    let done = ward
        .context()
        .db
        .write_and_wait(move |tx| acts_disclosure::disclose(tx, &lot));
    done.unwrap();
}
