//! Panels: drawn by a seed that anybody can draw by again afterwards, replaced in the same order, and secret until the result.

use serde_json::{Value, json};
use wardbook::app::panel_verification;
use wardbook::award::acts_seats;
use wardbook::bids::sealing;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::Role;

use crate::bids::{Bidder, Tender, taken};
use crate::book_thresholds::ready;
use crate::books::{Office, at_once, ok};
use crate::cast::{Person, person};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{CODES, refused, sql};
use crate::outbox::lines;
use crate::treasury::{CATEGORY, gets, of, posts, yuan};

/// A book by the rules of mainland China whose bids are open.
pub struct Opened {
    /// The book, its lot and its buyer.
    pub tender: Tender,
    /// The book's id.
    pub book: String,
    /// Who has bid, in the order of their prices as they were given.
    pub bidders: Vec<Bidder>,
    /// Somebody of the buyer's who has drafted and approved nothing of it.
    pub third: Person,
}

impl Opened {
    /// With a bid for each of these totals; the unit price, where it says another one.
    pub fn with(ward: &Ward, prices: &[(&str, &str)]) -> Self {
        Self::saying(ward, prices, |_| {})
    }

    /// As [`Self::with`], and what each bid says is changed before it is sealed.
    pub fn saying(ward: &Ward, prices: &[(&str, &str)], change: impl Fn(&mut Value)) -> Self {
        let office = Office::new(ward);
        let body = ready(ward, &office);
        let (id, book) = office.published(ward, &body);
        let third = of(ward, Role::BuyerOfficer, &office.treasury.department);
        let tender = Tender {
            lot: book["lots"][0]["id"].as_str().unwrap().to_owned(),
            recipient: book["recipient"].as_str().unwrap().to_owned(),
            office,
            book,
        };
        let names = ["清澜环卫", "梧桐洁城", "德润公司", "新禾公司"];
        let mut bidders = Vec::new();
        for ((total, unit_price), (name, code)) in prices.iter().zip(names.iter().zip(CODES)) {
            let bidder = Bidder::new(ward, name, code);
            let mut bid = bidder.bid(ward, &tender, unit_price);
            bid["total"] = yuan(total);
            change(&mut bid);
            // What does not add up would not be taken in the open.
            let sealed = sealing::seal(bid.to_string().as_bytes(), &tender.recipient).unwrap();
            taken(&bidder.sends(ward, &tender, &sealed, (1, None)), 201);
            bidders.push(bidder);
        }
        let deadline = tender.book["content"]["timetable"]["opening"].as_str().unwrap();
        ward.context().clock.advance(deadline.parse().unwrap());
        let opened = Self {
            book: id,
            tender,
            bidders,
            third,
        };
        ok(&posts(
            ward,
            &opened.tender.office.officer,
            &opened.path("opening"),
            None,
        ));
        opened
    }

    /// A path of the book.
    pub fn path(&self, rest: &str) -> String {
        format!("/contract-books/{}/{rest}", self.book)
    }

    fn draws(&self, ward: &Ward, size: u32, buyers: &[&Person]) -> Reply {
        let ids: Vec<&str> = buyers.iter().map(|one| one.id.as_str()).collect();
        let body = json!({"size": size, "buyer_members": ids});
        posts(
            ward,
            &self.tender.office.approver,
            &self.path("panel"),
            Some(&body),
        )
    }

    /// What an auditor sees of the panel.
    fn audited(&self, ward: &Ward) -> Value {
        let path = format!("/api/v1{}", self.path("panel"));
        ok(&ward.ask("GET", &path).by(Role::Auditor).send())
    }

    /// Whoever of these holds a seat.
    fn holder<'p>(&self, ward: &Ward, seat: usize, people: &'p [Person]) -> &'p Person {
        let id = self.audited(ward)["seats"][seat - 1]["account_id"].clone();
        people.iter().find(|one| id == one.id.as_str()).unwrap()
    }

    fn declares(&self, ward: &Ward, who: &Person, interests: &Value) -> Reply {
        let body = json!({"interests": interests});
        posts(ward, who, &self.path("panel/declaration"), Some(&body))
    }

    fn votes(&self, ward: &Ward, who: &Person, whom: &Person) -> Reply {
        let body = json!({"account_id": whom.id.as_str()});
        posts(ward, who, &self.path("panel/chair-votes"), Some(&body))
    }

    /// A panel of four experts and one of the buyer's, who all sit; the chair first.
    pub fn seated(&self, ward: &Ward) -> Vec<Person> {
        let experts: Vec<Person> = (0..4).map(|_| evaluator(ward)).collect();
        for expert in &experts {
            assert_eq!(listed(ward, expert, &json!([])).status, 201);
        }
        assert_eq!(self.draws(ward, 5, &[&self.third]).status, 201);
        for member in experts.iter().chain([&self.third]) {
            ok(&self.declares(ward, member, &json!([])));
        }
        for member in &experts[1..] {
            ok(&self.votes(ward, member, &experts[0]));
        }
        experts.into_iter().chain([self.third.clone()]).collect()
    }
}

/// Somebody who judges.
pub fn evaluator(ward: &Ward) -> Person {
    person(ward, &[Grant::of(Role::Evaluator)])
}

/// Puts somebody into the pool.
pub fn listed(ward: &Ward, who: &Person, employers: &Value) -> Reply {
    let body = json!({"account_id": who.id.as_str(), "categories": [CATEGORY], "employers": employers});
    ward.ask("POST", "/api/v1/panel-experts")
        .by(Role::Regulator)
        .json(&body)
        .send()
}

fn states(panel: &Value) -> Vec<&str> {
    let seats = panel["seats"].as_array().unwrap().iter();
    seats
        .map(|seat| seat["state"].as_str().unwrap_or("free"))
        .collect()
}

on_both! { in "cn";
    fn a_panel_is_drawn_once_replaced_in_its_order_and_secret_until_the_result(ward) {
        let opened = Opened::with(&ward, &[("500.00", "500"), ("510.00", "510"), ("520.00", "520")]);
        let (office, panel) = (&opened.tender.office, opened.path("panel"));
        // The pool: the regulator's alone; who is in it is told to nobody who buys or bids.
        let mut experts: Vec<Person> = (0..6).map(|_| evaluator(&ward)).collect();
        let stranger = person(&ward, &[Grant::of(Role::Resident)]);
        refused(&listed(&ward, &stranger, &json!([])), 409, "expert_unfit");
        let odd = json!({"account_id": experts[0].id.as_str(), "categories": ["magic"], "employers": [{"organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax"}], "unavailable_until": "2026-02-30"});
        let reply = ward.ask("POST", "/api/v1/panel-experts").by(Role::Regulator).json(&odd).send();
        assert_eq!((reply.status, reply.faults().into_iter().map(|(at, _)| at).collect::<Vec<_>>()), (422, vec!["/categories/0".to_owned(), "/employers/0/organisation_id".to_owned(), "/unavailable_until".to_owned()]), "{}", reply.text);
        refused(&opened.draws(&ward, 5, &[&opened.third]), 409, "panel_pool_too_small");
        for expert in &experts {
            assert_eq!(listed(&ward, expert, &json!([])).status, 201);
        }
        refused(&listed(&ward, &experts[0], &json!([])), 409, "expert_listed");
        let (of_bidder, of_buyer, away, gone) = (evaluator(&ward), evaluator(&ward), evaluator(&ward), evaluator(&ward));
        assert_eq!(listed(&ward, &of_bidder, &json!([{"organisation_id": opened.bidders[0].id, "until": "2023-05-10"}])).status, 201);
        assert_eq!(listed(&ward, &of_buyer, &json!([{"organisation_id": office.treasury.department}])).status, 201);
        for one in [&away, &gone] {
            assert_eq!(listed(&ward, one, &json!([])).status, 201);
        }
        let entry = |who: &Person| format!("/api/v1/panel-experts/{}", who.id);
        let change = json!({"categories": [CATEGORY], "employers": [], "unavailable_until": "2026-05-10"});
        refused(&ward.ask("PUT", &entry(&away)).by(Role::Regulator).header("if-match", "\"v2\"").json(&change).send(), 412, "version_stale");
        assert_eq!(ok(&ward.ask("PUT", &entry(&away)).by(Role::Regulator).header("if-match", "\"v1\"").json(&change).send())["version"], 2);
        ok(&ward.ask("POST", &format!("{}/withdrawal", entry(&gone))).by(Role::Regulator).header("if-match", "*").send());
        refused(&ward.ask("POST", &format!("{}/withdrawal", entry(&gone))).by(Role::Regulator).header("if-match", "*").send(), 409, "expert_withdrawn");
        let pool = ok(&ward.ask("GET", &format!("/api/v1/panel-experts?category={CATEGORY}")).by(Role::Auditor).send());
        assert_eq!(pool["items"].as_array().unwrap().len(), 9);
        refused(&gets(&ward, &office.approver, "/panel-experts"), 403, "forbidden");
        assert_eq!((gets(&ward, &away, entry(&away).trim_start_matches("/api/v1")).status, gets(&ward, &away, entry(&of_buyer).trim_start_matches("/api/v1")).status), (200, 404));

        // Composed as the statutes want it; nobody of the buyer's who wrote or approved the book.
        let composed = opened.draws(&ward, 4, &[&opened.third, &opened.third]);
        refused(&composed, 409, "panel_composition");
        assert_eq!(composed.faults().into_iter().map(|(_, code)| code).collect::<Vec<_>>(), ["panel.members_min", "panel.members_odd", "panel.expert_share_min"]);
        refused(&opened.draws(&ward, 5, &[&office.officer]), 409, "panel_member_unfit");
        refused(&opened.draws(&ward, 5, &[&experts[0]]), 409, "panel_member_unfit");
        refused(&posts(&ward, &office.officer, &panel, Some(&json!({"size": 5, "buyer_members": []}))), 403, "forbidden");
        sql(&ward, &format!("UPDATE accounts SET email = 'third@people.example' WHERE id = '{}'", opened.third.id)).unwrap();
        // Two at once: one panel.
        let draw = || opened.draws(&ward, 5, &[&opened.third]);
        let mut both = at_once([&draw, &draw]);
        both.sort_by_key(|reply| reply.status);
        assert_eq!((both[0].status, both[1].status, both[1].code().as_str()), (201, 409, "panel_exists"), "{}", both[0].text);
        assert_eq!(lines(&ward, "SELECT kind || ' ' || category AS line FROM outbox"), ["panel.called duty"]);

        // The buyer sees seats and whom it named; whoever is drawn their own; bidders and everybody else nothing.
        let seen = ok(&gets(&ward, &office.approver, &panel));
        assert_eq!(states(&seen), ["called"; 5]);
        assert_eq!((&seen["seats"][0]["account_id"], &seen["seats"][4]["account_id"], &seen["draws"][0]["candidates"], &seen["calls"]), (&json!(null), &json!(opened.third.id.as_str()), &json!(6), &json!(null)));
        let drawn: Vec<Person> = (1..=4).map(|seat| opened.holder(&ward, seat, &experts).clone()).collect();
        let own = ok(&gets(&ward, &drawn[1], &panel));
        assert_eq!(own["seats"].as_array().unwrap().iter().filter(|seat| seat["account_id"] != json!(null)).map(|seat| seat["is_own"].clone()).collect::<Vec<_>>(), [json!(true)]);
        assert_eq!(ok(&gets(&ward, &drawn[1], "/me/panel-seats"))["items"][0]["seat"], 2);
        let undrawn = experts.iter().find(|one| drawn.iter().all(|other| other.id != one.id)).unwrap();
        for who in [undrawn, &of_buyer, &opened.bidders[0].agent, &stranger] {
            assert_eq!(gets(&ward, who, &panel).status, 404);
        }
        assert_eq!((ward.get(&format!("/api/v1{panel}")).status, ward.get(&format!("/api/v1{panel}/record")).status), (404, 404));
        let record = ok(&ward.get(&format!("/api/v1/lots/{}/opening", opened.tender.lot)));
        let bid = format!("/lots/{}/judged-bids/{}", opened.tender.lot, record["opened"][0]["bid_id"].as_str().unwrap());
        assert_eq!(gets(&ward, &drawn[0], &bid).status, 404, "nothing is shown before the declaration");

        // One steps back, one does not come, one declines: the next in the order take their seats, until nobody is left.
        let interest = json!([{"kind": "employee", "supplier_id": opened.bidders[0].id, "text": "曾任职"}]);
        let wrong = opened.declares(&ward, &drawn[0], &json!([{"kind": "kin", "supplier_id": office.treasury.department, "text": " "}]));
        assert_eq!((wrong.status, wrong.faults().len()), (422, 2), "{}", wrong.text);
        assert_eq!(ok(&opened.declares(&ward, &drawn[0], &interest))["state"], "stepped_back");
        assert_eq!((opened.declares(&ward, &drawn[0], &json!([])).status, gets(&ward, &drawn[0], &panel).status), (404, 404));
        let absence = json!({"seat": 2, "reason": "未到场"});
        refused(&posts(&ward, &opened.bidders[0].agent, &format!("{panel}/absences"), Some(&absence)), 403, "forbidden");
        assert_eq!(states(&ok(&posts(&ward, &office.officer, &format!("{panel}/absences"), Some(&absence)))), ["called"; 5]);
        refused(&posts(&ward, &office.approver, &format!("{panel}/draws"), None), 409, "panel_still_calling");
        assert_eq!(ok(&posts(&ward, &drawn[2], &format!("{panel}/refusal"), Some(&json!({"reason": "出差"}))))["state"], "declined");
        assert_eq!(states(&ok(&gets(&ward, &office.officer, &panel))), ["called", "called", "free", "called", "called"]);
        refused(&posts(&ward, &office.approver, &format!("{panel}/buyer-members"), Some(&json!({"account_id": opened.third.id.as_str()}))), 409, "panel_no_seat");
        refused(&posts(&ward, &office.approver, &format!("{panel}/draws"), None), 409, "panel_pool_too_small");
        experts.push(evaluator(&ward));
        assert_eq!(listed(&ward, &experts[6], &json!([])).status, 201);
        let again = ok(&posts(&ward, &office.approver, &format!("{panel}/draws"), None));
        assert_eq!((states(&again), &again["draws"][1]["candidates"]), (vec!["called"; 5], &json!(1)));

        // They sit, see each other, and elect a chair, who is not of the buyer's.
        let members: Vec<Person> = (1..=4).map(|seat| opened.holder(&ward, seat, &experts).clone()).collect();
        refused(&opened.votes(&ward, &members[0], &members[1]), 409, "panel_incomplete");
        for member in members.iter().chain([&opened.third]) {
            assert_eq!(ok(&opened.declares(&ward, member, &json!([])))["state"], "sitting");
        }
        refused(&opened.declares(&ward, &members[0], &json!([])), 409, "panel_declared");
        assert_eq!(ok(&gets(&ward, &members[0], &bid))["total"], yuan("500.00"));
        assert_eq!(ok(&gets(&ward, &members[0], &panel))["seats"][3]["account_id"], json!(members[3].id.as_str()));
        assert_eq!(ok(&gets(&ward, &office.officer, &panel))["seats"][3]["account_id"], json!(null));
        refused(&opened.votes(&ward, &members[0], &opened.third), 409, "panel_no_chair");
        for member in [&members[0], &members[1], &opened.third] {
            let seen = ok(&opened.votes(&ward, member, &members[2]));
            assert_eq!(seen["seats"][2]["is_chair"], json!(member.id == opened.third.id));
        }
        refused(&opened.votes(&ward, &members[3], &members[2]), 409, "panel_chair_taken");

        // With the result it is public, and anybody draws again.
        let disclosed = ward.context().db.write_and_wait({
            let id = opened.book.parse().unwrap();
            move |tx| acts_seats::disclose(tx, &Actor::system(), &id)
        });
        let sha256 = hex::encode(disclosed.unwrap().unwrap());
        let public = ok(&ward.get(&format!("/api/v1{panel}")));
        assert_eq!((&public["record_sha256"], &public["seats"][2]["name"], &public["calls"]), (&json!(sha256), &json!("某人"), &json!(null)));
        let record = ward.get(&format!("/api/v1{panel}/record"));
        let (told, code) = panel_verification::checked(record.text.as_bytes()).unwrap();
        assert!(code == 0 && told.starts_with(&format!("record {sha256}")), "{told}");
        let last = members[3].id.as_str();
        let other = record.text.replace(last, gone.id.as_str());
        assert_eq!(panel_verification::checked(other.as_bytes()).unwrap().1, 1);
        refused(&opened.declares(&ward, &members[0], &interest), 409, "panel_disclosed");
        refused(&posts(&ward, &office.officer, &format!("{panel}/absences"), Some(&absence)), 409, "panel_disclosed");
        // The log had the hashes from the draw on, and nobody's id until the end.
        let drawn_events = ward.events("panel.drawn");
        assert_eq!((drawn_events.len(), &drawn_events[0]["entry"]["data"]["draw"]["seed_sha256"]), (1, &record.json()["draws"][0]["seed_sha256"]));
        for kind in ["panel.drawn", "panel.declared", "panel.absent", "panel.voted", "panel.chair_elected", "expert.listed"] {
            for event in ward.events(kind) {
                assert!(!event["entry"].to_string().contains("user_"), "{event}");
            }
        }
        assert!(sql(&ward, "DELETE FROM panel_members").is_err() && sql(&ward, "UPDATE panel_draws SET seed = seed").is_err() && sql(&ward, "UPDATE panels SET size = 9").is_err());
    }
}
