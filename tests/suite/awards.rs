//! Awards: from a ranking to the contract by way of a challenge and a complaint, and from a winner who falls out to the next; what two at once end
//! in, and that the money is exact to the fen.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::award::acts_overdue;
use wardbook::award::rules_results::{Evaluation, EvaluationId, Outcome, Place};
use wardbook::award::store_evaluations;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::Role;

use crate::bids::{Bidder, DEADLINE, Tender, taken};
use crate::books::{Office, at_once, ok};
use crate::cast::{Person, person};
use crate::faults::block_on;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{CODES, refused, sql};
use crate::outbox::lines;
use crate::treasury::{gets, made, posts, yuan};

/// Rules of the law, which the rules for trying out leave aside.
pub const STRICT: [(&str, &str, u32); 14] = [
    ("tender.bid_security_return_working_days_max", "working_days", 5),
    ("award.report_working_days_max", "working_days", 2),
    ("award.decision_working_days_max", "working_days", 5),
    ("award.notice_working_days_max", "working_days", 2),
    ("award.public_notice_working_days", "working_days", 1),
    ("contract.signing_days_max", "days", 30),
    ("disputes.enquiry_reply_working_days_max", "working_days", 3),
    ("disputes.challenge_filing_working_days_max", "working_days", 7),
    ("disputes.challenge_reply_working_days_max", "working_days", 7),
    ("disputes.complaint_filing_working_days_max", "working_days", 15),
    ("disputes.complaint_decision_working_days_max", "working_days", 30),
    ("disputes.suspension_days_max", "days", 30),
    ("disputes.unfounded_complaints_listed", "count", 1),
    ("disputes.unfounded_complaints_months", "months", 12),
];

/// Loads rules under which awards have their times, and goes on to the day on which they hold.
fn be_strict(ward: &Ward, changes: &[(&str, &str, u32)]) {
    let before = ok(&ward.get("/api/v1/statutes/in-force?jurisdiction=test"));
    let from = "2026-03-03";
    let mut rules = before["rules"].clone();
    let of_code = |rules: &mut Value, code: &str, value: Value| {
        let mut all = rules.as_array_mut().unwrap().iter_mut();
        let rule = all.find(|rule| rule["code"] == code).unwrap();
        rule["value"] = value;
        rule["effective_from"] = json!(from);
    };
    for (code, unit, number) in changes {
        of_code(&mut rules, code, json!({ *unit: number }));
    }
    of_code(
        &mut rules,
        "contract.performance_security_percent_max",
        json!({"percent": "10"}),
    );
    of_code(
        &mut rules,
        "disputes.complaint_beyond_challenge_allowed",
        json!({"boolean": false}),
    );
    for demanded in [
        "acceptance.each_standard_covered",
        "acceptance.served_people_invited",
        "acceptance.opinion_recorded",
    ] {
        of_code(&mut rules, demanded, json!({"boolean": true}));
    }
    let document = json!({"jurisdiction": "test", "effective_from": from, "name_zh": "试", "name_en": "Trying", "note_zh": "试。", "note_en": "Trying.", "rules": rules});
    let loaded = ward
        .ask("POST", "/api/v1/statutes")
        .by(Role::Regulator)
        .json(&document)
        .send();
    assert_eq!(loaded.status, 201, "{}", loaded.text);
    go_to(ward, "2026-03-03T00:00:00Z");
}

/// Goes on to an instant.
pub fn go_to(ward: &Ward, at: &str) {
    ward.context().clock.advance(at.parse().unwrap());
}

/// Prices of the three bidders, of which the second wins: what deductions of the evaluation change is no business of a price.
const PRICES: [&str; 3] = ["2248000.00", "2298600.00", "2331000.00"];

/// What a case is about, in yuan.
#[derive(Clone, Copy)]
pub struct Sums {
    /// What is appropriated.
    pub all: &'static str,
    /// What the line has of that.
    pub of_line: &'static str,
    /// The ceiling of each lot.
    pub ceiling: &'static str,
    /// What is lodged with a bid: one percent of it.
    pub bid_security: &'static str,
    /// What the three bid, of whom the second wins.
    pub prices: [&'static str; 3],
    /// What the winner lodges: five percent of its price.
    pub performance_security: &'static str,
}

const SUMS: Sums = Sums {
    all: "11000000.00",
    of_line: "10000000.00",
    ceiling: "2350200.00",
    bid_security: "23502.00",
    prices: PRICES,
    performance_security: "114930.00",
};

/// A book whose lots were opened, with three bids each.
pub struct Case {
    /// Whose it is.
    pub office: Office,
    /// The book.
    pub book: String,
    /// Its lots, each as a tender.
    pub lots: Vec<String>,
    /// Who has bid.
    pub bidders: Vec<Bidder>,
    /// What they lodged for the first lot.
    securities: Vec<String>,
    sums: Sums,
}

impl Case {
    /// Opened on 1 April.
    pub fn new(ward: &Ward, lots: usize, changes: &[(&str, &str, u32)]) -> Self {
        Self::with(ward, lots, changes, |_| {})
    }

    /// The same, of lots that say something else.
    pub fn with(
        ward: &Ward,
        lots: usize,
        changes: &[(&str, &str, u32)],
        change: impl Fn(&mut Value),
    ) -> Self {
        Self::until(ward, lots, changes, ("2027-04-30", change))
    }

    /// The same, of a service from 1 May 2026 up to a day.
    pub fn until(
        ward: &Ward,
        lots: usize,
        changes: &[(&str, &str, u32)],
        of: (&str, impl Fn(&mut Value)),
    ) -> Self {
        Self::summed(ward, lots, changes, of, SUMS)
    }

    /// The same, of other sums.
    pub fn summed(
        ward: &Ward,
        lots: usize,
        changes: &[(&str, &str, u32)],
        (service_until, change): (&str, impl Fn(&mut Value)),
        sums: Sums,
    ) -> Self {
        be_strict(ward, changes);
        let office = Office::with(ward, sums.all, sums.of_line);
        let mut body = office.whole(ward);
        body["content"]["timetable"]["service_until"] = json!(service_until);
        body["content"]["bid_security_percent"] = json!("1");
        let template = body["content"]["lots"][0].clone();
        body["content"]["lots"] = (1..=lots)
            .map(|n| {
                let mut lot = template.clone();
                lot["code"] = json!(n.to_string());
                lot["ceiling"] = yuan(sums.ceiling);
                change(&mut lot);
                lot
            })
            .collect();
        let (book, published) = office.published(ward, &body);
        let names = ["清澜公司", "洁城公司", "新禾公司"];
        let bidders: Vec<Bidder> = names
            .iter()
            .zip(CODES)
            .map(|(name, code)| Bidder::new(ward, name, code))
            .collect();
        let mut case = Self {
            office,
            book,
            lots: Vec::new(),
            bidders,
            securities: Vec::new(),
            sums,
        };
        let ids = published["lots"].as_array().unwrap().iter();
        case.lots = ids.map(|lot| lot["id"].as_str().unwrap().to_owned()).collect();
        for lot in case.lots.clone() {
            let tender = case.tender(&published, &lot);
            for (bidder, price) in case.bidders.iter().zip(sums.prices) {
                let unit = price.trim_end_matches(".00");
                taken(
                    &bidder.submits(ward, &tender, &bidder.bid(ward, &tender, unit), None),
                    201,
                );
            }
        }
        for bidder in &case.bidders {
            let body = json!({"supplier_id": bidder.id, "kind": "transfer", "amount": yuan(sums.bid_security), "issuer": "某银行", "reference": "1", "lodged_on": "2026-03-03", "expires_on": null});
            case.securities.push(made(&posts(
                ward,
                &bidder.agent,
                &format!("/lots/{}/bid-securities", case.lots[0]),
                Some(&body),
            )));
        }
        go_to(ward, DEADLINE);
        let opened = posts(
            ward,
            &case.office.officer,
            &format!("/contract-books/{}/opening", case.book),
            None,
        );
        assert_eq!(ok(&opened)["items"][0]["outcome"], "opened", "{}", opened.text);
        case
    }

    /// What a bidder looks at of a lot of a book that was published; the office stays the case's.
    pub fn tender(&self, published: &Value, lot: &str) -> Tender {
        let office = &self.office;
        Tender {
            office: Office {
                treasury: crate::treasury::Treasury {
                    department: office.treasury.department.clone(),
                    anna: office.treasury.anna.clone(),
                    boris: office.treasury.boris.clone(),
                    fund: office.treasury.fund.clone(),
                },
                officer: office.officer.clone(),
                approver: office.approver.clone(),
                line: office.line.clone(),
            },
            recipient: published["recipient"].as_str().unwrap().to_owned(),
            book: published.clone(),
            lot: lot.to_owned(),
        }
    }

    /// Puts a concluded round in, as the panel would: `order` are the bidders, the best first; whoever is not in it was put out.
    pub fn judged(&self, ward: &Ward, lot: usize, round: i64, order: &[usize]) {
        let record = ok(&ward.get(&format!("/api/v1/lots/{}/opening", self.lots[lot])));
        let opened = record["opened"].as_array().unwrap().clone();
        let bid_of = |index: usize| {
            let mut all = opened.iter();
            all.find(|bid| bid["supplier_id"] == *self.bidders[index].id)
                .unwrap()
                .clone()
        };
        let totals = ["87.81", "90.10", "85.28"];
        let rank = |index: usize| {
            order
                .iter()
                .position(|one| *one == index)
                .map(|place| i64::try_from(place).unwrap() + 1)
        };
        let bids: Value = (0..3)
            .map(|index| {
                let out = if rank(index).is_none() { json!({"code": "not_responsive"}) } else { Value::Null };
                json!({"bidder": bid_of(index)["bid_id"], "evaluated_price": "2068740.00", "price_score": "30.00", "scores": {"T1": "60.10"},
                    "total": totals[index], "rank": rank(index), "flags": [], "out": out})
            })
            .collect();
        let content = json!({"format": "wardbook/evaluation/v1", "round": round, "result": {"outcome": "ranked", "bids": bids}}).to_string();
        let places = (0..3).map(|index| Place {
            bid_id: bid_of(index)["bid_id"].as_str().unwrap().parse().unwrap(),
            supplier_id: self.bidders[index].id.parse().unwrap(),
            place: rank(index),
            price: self.sums.prices[index].parse().unwrap(),
        });
        let places: Vec<Place> = places.collect();
        let (lot, book) = (self.lots[lot].clone(), self.book.clone());
        let insert = move |tx: &mut wardbook::db::writer::Tx<'_>| {
            let evaluation = Evaluation {
                id: EvaluationId::mint(tx.now()),
                lot_id: lot.parse().unwrap(),
                book_id: book.parse().unwrap(),
                round,
                outcome: Outcome::Ranked,
                concluded_at: tx.now(),
                sha256: Sha256::digest(content.as_bytes()).into(),
                content: content.clone(),
                places: places.clone(),
            };
            store_evaluations::insert(tx, &evaluation)?;
            let event = Event {
                kind: "evaluation.cast",
                subject: evaluation.id.to_string(),
                data: json!({}),
                private: Value::Null,
            };
            audit::store::append(tx, &Actor::system(), &event)?;
            Ok(())
        };
        ward.context().db.write_and_wait(insert).unwrap();
    }

    /// Proposes whoever is next in rank.
    pub fn proposes(&self, ward: &Ward, lot: usize) -> Reply {
        let report = json!({"report": "评审报告：推荐第一候选人"});
        posts(
            ward,
            &self.office.officer,
            &format!("/lots/{}/award-proposal", self.lots[lot]),
            Some(&report),
        )
    }

    /// Decides for an award.
    pub fn decides(&self, ward: &Ward, award: &str) -> Reply {
        posts(
            ward,
            &self.office.approver,
            &format!("/awards/{award}/decision"),
            Some(&json!({"decision": "同意"})),
        )
    }

    /// Publishes its notice.
    pub fn notices(&self, ward: &Ward, award: &str) -> Reply {
        posts(
            ward,
            &self.office.officer,
            &format!("/awards/{award}/notice"),
            None,
        )
    }

    /// Confirms it.
    pub fn confirms(&self, ward: &Ward, award: &str) -> Reply {
        posts(
            ward,
            &self.office.approver,
            &format!("/awards/{award}/confirmation"),
            None,
        )
    }

    /// Proposed, decided and noticed.
    pub fn noticed(&self, ward: &Ward, lot: usize) -> String {
        let award = made(&self.proposes(ward, lot));
        ok(&self.decides(ward, &award));
        ok(&self.notices(ward, &award));
        award
    }

    /// The contract of a confirmed award: its id and its hash.
    pub fn prepared(&self, ward: &Ward, award: &str) -> (String, String) {
        let contract = ok(&posts(
            ward,
            &self.office.officer,
            &format!("/awards/{award}/contract"),
            None,
        ));
        let word = |member: &str| contract[member].as_str().unwrap().to_owned();
        (word("id"), word("sha256"))
    }

    /// Signs a contract for a party.
    pub fn signs(&self, ward: &Ward, who: &Person, (contract, party, sha256): (&str, &str, &str)) -> Reply {
        let body = json!({"party": party, "sha256": sha256});
        posts(
            ward,
            who,
            &format!("/contracts/{contract}/signatures"),
            Some(&body),
        )
    }

    /// The security of a contract, lodged by a bidder and found by the buyer.
    pub fn secures(&self, ward: &Ward, bidder: usize, contract: &str, amount: &str) {
        let path = format!("/contracts/{contract}/performance-securities");
        let security = made(&posts(
            ward,
            &self.bidders[bidder].agent,
            &path,
            Some(&lodged(amount)),
        ));
        let found = json!({"is_there": true, "decision": "已到账"});
        ok(&posts(
            ward,
            &self.office.treasury.anna,
            &format!("/performance-securities/{security}/decision"),
            Some(&found),
        ));
    }

    /// The contract of the first lot, won by the second bidder and signed by both; under rules as brisk as those of the sequences.
    pub fn signed(&self, ward: &Ward) -> String {
        go_to(ward, "2026-04-02T02:00:00Z");
        self.judged(ward, 0, 1, &[1, 0, 2]);
        let award = self.noticed(ward, 0);
        go_to(ward, "2026-04-14T02:00:00Z");
        ok(&self.confirms(ward, &award));
        let (contract, hash) = self.prepared(ward, &award);
        self.secures(ward, 1, &contract, self.sums.performance_security);
        ok(&self.signs(ward, &self.bidders[1].agent, (&contract, "supplier", &hash)));
        ok(&self.signs(ward, &self.office.approver, (&contract, "buyer", &hash)));
        contract
    }

    /// Challenges an award on two grounds.
    pub fn challenges(&self, ward: &Ward, bidder: usize, award: &str) -> Reply {
        let ground =
            json!({"facts": "T1 项评分与量化标准不符", "basis": "87号令第55条", "claim": "重新评审"});
        let body = json!({"supplier_id": self.bidders[bidder].id, "grounds": [ground, ground]});
        posts(
            ward,
            &self.bidders[bidder].agent,
            &format!("/awards/{award}/challenges"),
            Some(&body),
        )
    }

    /// Replies to a challenge.
    pub fn replies(&self, ward: &Ward, challenge: &str, outcome: &str, affects: bool) -> Reply {
        let body = json!({"outcome": outcome, "affects_result": affects, "reply": "经复核"});
        posts(
            ward,
            &self.office.approver,
            &format!("/challenges/{challenge}/reply"),
            Some(&body),
        )
    }

    /// Withdraws as the winner.
    pub fn withdraws(&self, ward: &Ward, bidder: usize, award: &str) -> Reply {
        posts(
            ward,
            &self.bidders[bidder].agent,
            &format!("/awards/{award}/withdrawal"),
            Some(&why()),
        )
    }

    /// How far a lot has come.
    pub fn standing(&self, ward: &Ward, lot: usize) -> Value {
        ok(&ward.get(&format!("/api/v1/lots/{}", self.lots[lot])))["standing"].clone()
    }

    /// What is free, reserved and committed.
    pub fn balances(&self, ward: &Ward) -> [String; 3] {
        let all = self.office.treasury.balances(ward, &self.office.line);
        ["available", "reserved", "committed"].map(|code| all[code].as_str().unwrap().to_owned())
    }
}

/// A reason.
pub fn why() -> Value {
    json!({"reason_zh": "无法履约", "reason_en": "It cannot be done"})
}

/// A performance security.
pub fn lodged(amount: &str) -> Value {
    json!({"kind": "transfer", "amount": yuan(amount), "issuer": "某银行", "reference": "20260424001", "lodged_on": "2026-04-01", "expires_on": null})
}

/// The regulator.
pub fn regulator(ward: &Ward) -> Person {
    person(ward, &[Grant::of(Role::Regulator)])
}

on_both! { in "test";
    fn an_award_is_challenged_complained_of_suspended_confirmed_and_signed_to_the_fen(ward) {
        let case = Case::new(&ward, 1, &STRICT);
        let (office, lot) = (&case.office, &case.lots[0]);
        let department = office.treasury.department.clone();
        assert_eq!(case.balances(&ward), ["7649800.00", "2350200.00", "0.00"]);
        go_to(&ward, "2026-04-02T02:00:00Z");
        assert_eq!(case.standing(&ward, 0), "opened");
        refused(&case.proposes(&ward, 0), 409, "award_not_evaluated");
        case.judged(&ward, 0, 1, &[1, 0, 2]);
        assert_eq!(case.standing(&ward, 0), "evaluated");

        // Proposed by one, decided by another, and nobody outside learns of it.
        let report = json!({"report": "评审报告"});
        refused(&posts(&ward, &office.approver, &format!("/lots/{lot}/award-proposal"), Some(&report)), 403, "forbidden");
        let both = person(&ward, &[Role::BuyerOfficer, Role::BuyerApprover].map(|role| Grant::of(role).in_organisation(department.clone())));
        let award = made(&posts(&ward, &both, &format!("/lots/{lot}/award-proposal"), Some(&report)));
        refused(&case.proposes(&ward, 0), 409, "award_open_already");
        refused(&posts(&ward, &both, &format!("/awards/{award}/decision"), Some(&json!({"decision": "同意"}))), 403, "separation_of_duties");
        refused(&case.notices(&ward, &award), 409, "award_wrong_state");
        let path = format!("/api/v1/awards/{award}");
        assert_eq!((ward.get(&path).status, gets(&ward, &case.bidders[1].agent, &path[7..]).status), (404, 404));
        assert_eq!(ok(&ward.get(&format!("/api/v1/lots/{lot}/awards")))["items"], json!([]));
        let told = ward.events("award.proposed");
        assert!(!told[0]["entry"].to_string().contains(&case.bidders[1].id), "whom it is about is private");
        let own = format!("/lots/{lot}/award/own-result");
        refused(&gets(&ward, &case.bidders[0].agent, &own), 404, "not_found");
        let stale = office.approver.asks(&ward, "POST", &format!("{path}/decision")).header("if-match", "\"v7\"").json(&json!({"decision": "同意"})).send();
        refused(&stale, 412, "version_stale");
        let decided = ok(&case.decides(&ward, &award));
        assert_eq!((&decided["deadlines"]["report"], &decided["deadlines"]["decision"]), (&json!({"on": "2026-04-07", "is_overdue": false}), &json!({"on": "2026-04-10", "is_overdue": false})));
        refused(&case.challenges(&ward, 0, &award), 404, "not_found");

        // The notice: everybody's result for everybody, scores for each bidder alone.
        go_to(&ward, "2026-04-03T02:00:00Z");
        let noticed = ok(&case.notices(&ward, &award));
        assert_eq!((&noticed["state"], &noticed["price"], &noticed["deadlines"]["challenges_until"], &noticed["deadlines"]["signing"]["on"]),
            (&json!("noticed"), &yuan("2298600.00"), &json!("2026-04-16"), &json!("2026-05-06")));
        let notice = ward.get(&format!("{path}/notice"));
        let sha256 = hex::encode(Sha256::digest(notice.text.as_bytes()));
        let told = ward.events("award.noticed").pop().unwrap();
        assert_eq!((&told["entry"]["data"]["sha256"], &noticed["notice_sha256"]), (&json!(sha256), &json!(sha256)));
        let results = notice.json()["results"].as_array().unwrap().clone();
        let shown: Vec<_> = results.iter().map(|one| (one["supplier_zh"].as_str().unwrap(), one["place"].as_i64(), one["total"].as_str().unwrap())).collect();
        assert_eq!(shown, [("洁城公司", Some(1), "90.10"), ("清澜公司", Some(2), "87.81"), ("新禾公司", Some(3), "85.28")]);
        assert!(!notice.text.contains("T1"), "scores are told to their bidder alone");
        let mine = ok(&gets(&ward, &case.bidders[0].agent, &own))["items"].clone();
        assert_eq!((mine.as_array().unwrap().len(), &mine[0]["total"], &mine[0]["scores"], &mine[0]["place"]), (1, &json!("87.81"), &json!({"T1": "60.10"}), &json!(2)));
        assert_eq!(case.standing(&ward, 0), "noticed");
        assert!(ok(&ward.get(&path))["report"].is_null());
        let due = |bidder: usize| ok(&gets(&ward, &case.bidders[bidder].agent, &format!("/lots/{lot}/own-bid-securities")))["items"][0]["return_due"].clone();
        assert_eq!((due(0), due(1)), (json!("2026-04-13"), Value::Null), "losers' securities go back after the notice");
        refused(&posts(&ward, &office.officer, &format!("/awards/{award}/contract"), None), 409, "award_wrong_state");

        // Queries and a challenge, of bidders only, and nobody else's to read.
        let stranger = Bidder::new(&ward, "路人公司", CODES[3]);
        let ask = |bidder: &Bidder| posts(&ward, &bidder.agent, &format!("/lots/{lot}/result-queries"), Some(&json!({"supplier_id": bidder.id, "question": "得分依据"})));
        refused(&ask(&stranger), 403, "dispute_not_a_bidder");
        let query = made(&ask(&case.bidders[2]));
        refused(&gets(&ward, &case.bidders[0].agent, &format!("/result-queries/{query}")), 404, "not_found");
        let reply = |who: &Person| posts(&ward, who, &format!("/result-queries/{query}/reply"), Some(&json!({"reply": "按量化标准计分"})));
        refused(&reply(&office.approver), 403, "forbidden");
        assert_eq!(ok(&reply(&office.officer))["reply_due"], "2026-04-09");
        refused(&reply(&office.officer), 409, "query_closed");
        go_to(&ward, "2026-04-10T02:00:00Z");
        refused(&case.confirms(&ward, &award), 409, "award_standstill");
        let challenge = made(&case.challenges(&ward, 0, &award));
        refused(&case.challenges(&ward, 0, &award), 409, "challenge_filed_already");
        let mut foreign = case.challenges(&ward, 2, &award).json();
        let withdrawn = foreign["id"].take();
        ok(&posts(&ward, &case.bidders[2].agent, &format!("/challenges/{}/withdrawal", withdrawn.as_str().unwrap()), None));
        let sees = |who: &Person| gets(&ward, who, &format!("/challenges/{challenge}")).status;
        assert_eq!((sees(&case.bidders[0].agent), sees(&case.bidders[1].agent), sees(&case.bidders[2].agent), sees(&office.officer), sees(&stranger.agent)), (200, 200, 404, 200, 404));
        assert_eq!(ok(&gets(&ward, &case.bidders[2].agent, &format!("/lots/{lot}/challenges")))["items"].as_array().unwrap().len(), 1);
        go_to(&ward, "2026-04-16T16:00:00Z");
        refused(&case.challenges(&ward, 1, &award), 409, "challenge_late");
        refused(&case.confirms(&ward, &award), 409, "award_blocked");

        // Whoever is late is told, once.
        let complain = |grounds: Value| posts(&ward, &case.bidders[0].agent, &format!("/challenges/{challenge}/complaint"), Some(&json!({"grounds": grounds, "statement": "未说明依据"})));
        refused(&complain(json!([1])), 409, "complaint_too_early");
        go_to(&ward, "2026-04-21T16:00:00Z");
        sql(&ward, &format!("UPDATE accounts SET email = 'approver@people.example' WHERE id = '{}'", office.approver.id)).unwrap();
        for kind in acts_overdue::Kind::ALL {
            let context = ward.house().context.clone();
            let upkeep = ward.context().db.upkeep(move |tx| acts_overdue::escalate(tx, &context.calendar, kind, ""));
            assert_eq!(block_on(upkeep).unwrap(), None);
        }
        assert_eq!(lines(&ward, "SELECT kind AS line FROM outbox WHERE kind = 'lot.happened' AND account_id IS NOT NULL").len(), 1);
        let late = ok(&case.replies(&ward, &challenge, "rejected", false));
        assert_eq!((&late["reply_due"], &late["outcome"]), (&json!("2026-04-21"), &json!("rejected")));
        refused(&case.replies(&ward, &challenge, "upheld", true), 409, "challenge_closed");

        // The complaint stays within the challenge; the regulator suspends the book for as long as the rules allow.
        let beyond = complain(json!([2, 3]));
        assert_eq!((beyond.code().as_str(), beyond.faults()[0].0.as_str()), ("complaint_beyond_challenge", "/grounds/1"));
        let complaint = made(&complain(json!([1])));
        refused(&complain(json!([1])), 409, "complaint_filed_already");
        refused(&case.confirms(&ward, &award), 409, "award_blocked");
        let regulator = regulator(&ward);
        let about = format!("/complaints/{complaint}");
        refused(&ward.get(&format!("/api/v1{about}")), 404, "not_found");
        assert_eq!((ok(&ward.get("/api/v1/complaints"))["items"].clone(), ok(&gets(&ward, &regulator, "/complaints"))["items"][0]["statement"].clone()), (json!([]), json!("未说明依据")));
        let accept = |days: u32| posts(&ward, &regulator, &format!("{about}/acceptance"), Some(&json!({"suspension_days": days})));
        assert_eq!(accept(31).faults()[0].0, "/suspension_days");
        assert_eq!(ok(&accept(30))["suspended_until"], "2026-05-22T16:00:00.000000Z");
        refused(&accept(30), 409, "complaint_wrong_state");
        refused(&case.confirms(&ward, &award), 409, "book_suspended");
        assert_eq!(ok(&ward.get(&format!("/api/v1/lots/{lot}")))["suspended_until"], "2026-05-22T16:00:00.000000Z");
        go_to(&ward, "2026-04-28T02:00:00Z");
        let decide = |body: Value| posts(&ward, &regulator, &format!("{about}/decision"), Some(&body));
        let words = |outcome: &str, consequence: Value| json!({"outcome": outcome, "consequence": consequence, "decision_zh": "查无实据", "decision_en": "Unfounded"});
        assert_eq!(decide(words("upheld", Value::Null)).faults()[0].0, "/consequence");
        refused(&decide(words("upheld", json!("compensation"))), 409, "complaint_wrong_consequence");
        ok(&decide(words("rejected_unfounded", Value::Null)));
        refused(&decide(words("rejected", Value::Null)), 409, "complaint_wrong_state");
        let public = ok(&ward.get(&format!("/api/v1{about}")));
        assert_eq!((&public["outcome"], &public["statement"], &public["grounds"], &public["decision_zh"]), (&json!("rejected_unfounded"), &Value::Null, &Value::Null, &json!("查无实据")));
        let listed = ok(&ward.get("/api/v1/listed-complainants"))["items"].clone();
        assert_eq!((&listed[0]["supplier_id"], &listed[0]["complaints"]), (&json!(case.bidders[0].id), &json!([complaint])));

        // Confirmed, prepared, and signed: the same bytes by both, the security before the buyer.
        ok(&case.confirms(&ward, &award));
        assert_eq!(case.standing(&ward, 0), "awarded");
        let (contract, hash) = case.prepared(&ward, &award);
        assert_eq!(case.prepared(&ward, &award), (contract.clone(), hash.clone()));
        let (supplier, buyer) = (&case.bidders[1].agent, &office.approver);
        refused(&gets(&ward, &case.bidders[0].agent, &format!("/contracts/{contract}")), 404, "not_found");
        let view = ok(&gets(&ward, supplier, &format!("/contracts/{contract}")));
        assert_eq!((&view["price"], &view["performance_security"], &view["sign_before"]), (&yuan("2298600.00"), &yuan("114930.00"), &json!("2026-05-11T16:00:00.000000Z")), "days of suspension are not counted");
        refused(&case.signs(&ward, supplier, (&contract, "supplier", &"0".repeat(64))), 409, "contract_hash_differs");
        refused(&case.signs(&ward, supplier, (&contract, "buyer", &hash)), 403, "forbidden");
        refused(&case.signs(&ward, buyer, (&contract, "buyer", &hash)), 409, "performance_security_missing");
        ok(&case.signs(&ward, supplier, (&contract, "supplier", &hash)));
        refused(&case.signs(&ward, supplier, (&contract, "supplier", &hash)), 409, "contract_signed_already");
        for amount in ["114929.99", "229860.01"] {
            assert_eq!(posts(&ward, supplier, &format!("/contracts/{contract}/performance-securities"), Some(&lodged(amount))).faults()[0].0, "/amount");
        }
        case.secures(&ward, 1, &contract, "114930.00");
        let signed = ok(&case.signs(&ward, buyer, (&contract, "buyer", &hash)));
        assert_eq!((&signed["state"], signed["signatures"].as_array().unwrap().len()), (&json!("signed"), 2));
        assert_eq!(case.balances(&ward), ["7701400.00", "0.00", "2298600.00"], "the price is committed, and 51,600 go back");
        let content = ward.get(&format!("/api/v1/contracts/{contract}/content"));
        let told = ward.events("contract.signed").pop().unwrap();
        assert_eq!((hex::encode(Sha256::digest(content.text.as_bytes())), &told["entry"]["data"]["sha256"]), (hash.clone(), &json!(hash)));
        let said = content.json();
        assert_eq!((&said["price"], &said["bid"]["price_lines"][0]["unit_price"], &said["supplier"]["name_zh"], &said["lot"]["code"]), (&yuan("2298600.00"), &json!("2298600"), &json!("洁城公司"), &json!("1")));
        assert_eq!(ok(&ward.get(&format!("/api/v1/contracts?lot_id={lot}")))["items"][0]["id"], json!(contract));
        assert_eq!((case.standing(&ward, 0), due(1)), (json!("signed"), json!("2026-05-08")));
        refused(&case.withdraws(&ward, 1, &award), 409, "award_wrong_state");
        refused(&posts(&ward, buyer, &format!("/contract-books/{}/cancellation", case.book), Some(&why())), 409, "cancellation_nothing_left");
        for statement in ["UPDATE awards SET price_fen = 1", "DELETE FROM contracts", "UPDATE contract_signatures SET party = 'buyer'", "UPDATE complaints SET outcome = 'upheld'", "UPDATE contracts SET signed_at = NULL"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
    }

    fn who_falls_out_is_followed_by_the_next_and_of_two_at_once_one_lawful_thing_comes(ward) {
        let case = Case::new(&ward, 3, &STRICT);
        let office = &case.office;
        go_to(&ward, "2026-04-02T02:00:00Z");
        for lot in 0..3 {
            case.judged(&ward, lot, 1, &[1, 0]);
        }
        let first: Vec<String> = (0..3).map(|lot| case.noticed(&ward, lot)).collect();

        // A challenge at the last instant, and the confirmation at the next.
        go_to(&ward, "2026-04-15T15:59:59.999999Z");
        let confirmed_later = || {
            go_to(&ward, "2026-04-15T16:00:00Z");
            case.confirms(&ward, &first[0])
        };
        let [challenged, confirmed] = at_once([&|| case.challenges(&ward, 0, &first[0]), &confirmed_later]);
        match (challenged.status, confirmed.status) {
            (201, 409) => {
                assert_eq!(confirmed.code(), "award_blocked");
                let challenge = challenged.json()["id"].as_str().unwrap().to_owned();
                // What cannot stand is not confirmed, whatever the clock says; the buyer takes it back, and the ranking is as it was.
                ok(&case.replies(&ward, &challenge, "upheld", true));
                refused(&case.confirms(&ward, &first[0]), 409, "award_blocked");
            }
            (409, 200) => assert_eq!(challenged.code(), "challenge_late"),
            other => panic!("{other:?}: {} {}", challenged.text, confirmed.text),
        }
        ok(&posts(&ward, &office.approver, &format!("/awards/{}/cancellation", first[0]), Some(&why())));
        assert_eq!(case.standing(&ward, 0), "evaluated");
        let again = made(&case.proposes(&ward, 0));
        let proposed = ok(&gets(&ward, &office.officer, &format!("/awards/{again}")));
        assert_eq!((&proposed["number"], &proposed["place"]), (&json!(2), &json!(1)));
        // Disqualified before its notice: the next is proposed, and then nobody is left.
        let next = ok(&posts(&ward, &office.approver, &format!("/awards/{again}/disqualification"), Some(&why())))["next"].clone();
        assert_eq!((&next["place"], &next["supplier_id"], &next["state"]), (&json!(2), &json!(case.bidders[0].id), &json!("proposed")));
        let before = case.balances(&ward);
        let last = ok(&posts(&ward, &office.approver, &format!("/awards/{}/disqualification", next["id"].as_str().unwrap()), Some(&why())));
        assert_eq!((&last["next"], case.standing(&ward, 0)), (&Value::Null, json!("unsuccessful")));
        assert_eq!((before, case.balances(&ward)), (["2949400.00", "7050600.00", "0.00"].map(str::to_owned), ["5299600.00", "4700400.00", "0.00"].map(str::to_owned)));
        refused(&case.proposes(&ward, 0), 409, "lot_ended");

        // Both sign at once: one contract, committed once.
        ok(&case.confirms(&ward, &first[1]));
        let (contract, hash) = case.prepared(&ward, &first[1]);
        case.secures(&ward, 1, &contract, "114930.00");
        let signs = |party: &str| case.signs(&ward, if party == "buyer" { &office.approver } else { &case.bidders[1].agent }, (&contract, party, &hash));
        let replies = at_once([&|| signs("supplier"), &|| signs("buyer")]);
        assert_eq!(replies.each_ref().map(|reply| reply.status), [200, 200], "{} {}", replies[0].text, replies[1].text);
        assert_eq!((ward.events("contract.signed").len(), case.balances(&ward)), (1, ["5351200.00", "2350200.00", "2298600.00"].map(str::to_owned)));

        // The winner withdraws while the buyer signs: a contract, or the next in rank.
        ok(&case.confirms(&ward, &first[2]));
        let (contract, hash) = case.prepared(&ward, &first[2]);
        case.secures(&ward, 1, &contract, "114930.00");
        ok(&case.signs(&ward, &case.bidders[1].agent, (&contract, "supplier", &hash)));
        refused(&posts(&ward, &office.approver, &format!("/contracts/{contract}/failure"), Some(&why())), 409, "contract_supplier_signed");
        let [withdrawn, signed] = at_once([&|| case.withdraws(&ward, 1, &first[2]), &|| case.signs(&ward, &office.approver, (&contract, "buyer", &hash))]);
        match (withdrawn.status, signed.status) {
            (200, 409) => {
                assert_eq!((signed.code().as_str(), &withdrawn.json()["next"]), ("contract_void", &Value::Null), "whom it passes to is not told before the notice");
                assert_eq!(case.balances(&ward), ["5351200.00", "2350200.00", "2298600.00"]);
            }
            (409, 200) => {
                assert_eq!((withdrawn.code().as_str(), case.balances(&ward)), ("award_wrong_state", ["5402800.00", "0.00", "4597200.00"].map(str::to_owned)));
                return;
            }
            other => panic!("{other:?}: {} {}", withdrawn.text, signed.text),
        }
        // The next does not sign in time, and the book is cancelled with what is left of it.
        let awards = ok(&gets(&ward, &office.officer, &format!("/lots/{}/awards", case.lots[2])));
        let second = awards["items"][1]["id"].as_str().unwrap().to_owned();
        ok(&case.decides(&ward, &second));
        ok(&case.notices(&ward, &second));
        go_to(&ward, "2026-05-01T00:00:00Z");
        ok(&case.confirms(&ward, &second));
        let (contract, hash) = case.prepared(&ward, &second);
        refused(&posts(&ward, &office.approver, &format!("/contracts/{contract}/failure"), Some(&why())), 409, "contract_signing_not_over");
        go_to(&ward, "2026-05-18T16:00:00Z");
        refused(&case.signs(&ward, &case.bidders[0].agent, (&contract, "supplier", &hash)), 409, "contract_signing_late");
        let failed = ok(&posts(&ward, &office.approver, &format!("/contracts/{contract}/failure"), Some(&why())));
        assert_eq!((&failed["state"], case.standing(&ward, 2), case.balances(&ward)), (&json!("void"), json!("unsuccessful"), ["7701400.00", "0.00", "2298600.00"].map(str::to_owned)));
    }

    fn what_the_regulator_decides_is_done_at_once_and_a_cancelled_book_ends_what_is_open(ward) {
        let case = Case::new(&ward, 3, &STRICT);
        let (office, regulator) = (&case.office, regulator(&ward));
        let head = person(&ward, &[Grant::of(Role::OrganisationAdmin).in_organisation(case.bidders[0].id.parse().unwrap())]);
        sql(&ward, &format!("UPDATE accounts SET email = 'head@people.example' WHERE id = '{}'", head.id)).unwrap();
        go_to(&ward, "2026-04-02T02:00:00Z");
        for lot in 0..2 {
            case.judged(&ward, lot, 1, &[1, 0, 2]);
        }
        // Whoever was disqualified after the conclusion is not proposed, wherever the round has put it.
        case.judged(&ward, 2, 1, &[2, 1, 0]);
        let record = ok(&ward.get(&format!("/api/v1/lots/{}/opening", case.lots[2])));
        let first = record["opened"].as_array().unwrap().iter().find(|bid| bid["supplier_id"] == case.bidders[2].id.as_str()).unwrap();
        let forged = json!({"ground": "false_statements", "reason_zh": "业绩合同系伪造", "reason_en": "A reference is forged"});
        let out = posts(&ward, &office.approver, &format!("/lots/{}/opened-bids/{}/disqualification", case.lots[2], first["bid_id"].as_str().unwrap()), Some(&forged));
        assert_eq!(out.status, 200, "{}", out.text);
        let awards: Vec<String> = (0..3).map(|lot| case.noticed(&ward, lot)).collect();
        assert_eq!(ok(&ward.get(&format!("/api/v1/awards/{}", awards[2])))["supplier_id"], json!(case.bidders[1].id));
        let complaints: Vec<String> = awards.iter().map(|award| {
            let challenge = made(&case.challenges(&ward, 0, award));
            ok(&case.replies(&ward, &challenge, "rejected", false));
            let body = json!({"grounds": [2], "statement": "未说明依据"});
            made(&posts(&ward, &case.bidders[0].agent, &format!("/challenges/{challenge}/complaint"), Some(&body)))
        }).collect();
        let does = |who: &Person, complaint: &str, what: &str, body: Option<Value>| posts(&ward, who, &format!("/complaints/{complaint}/{what}"), body.as_ref());
        let accepts = |complaint: &str, days: Value| does(&regulator, complaint, "acceptance", Some(json!({"suspension_days": days})));
        let decides = |complaint: &str, consequence: &str| {
            let body = json!({"outcome": "upheld", "consequence": consequence, "decision_zh": "投诉成立", "decision_en": "Upheld"});
            ok(&does(&regulator, complaint, "decision", Some(body)))
        };
        refused(&does(&office.approver, &complaints[0], "acceptance", Some(json!({"suspension_days": 1}))), 403, "forbidden");

        // A suspension is of the whole book, is lifted, or ends by itself.
        ok(&accepts(&complaints[0], json!(2)));
        refused(&case.confirms(&ward, &awards[1]), 409, "book_suspended");
        ok(&does(&regulator, &complaints[0], "suspension-lifting", None));
        refused(&does(&regulator, &complaints[0], "suspension-lifting", None), 409, "book_not_suspended");
        ok(&accepts(&complaints[1], json!(2)));
        go_to(&ward, "2026-04-04T15:59:59Z");
        refused(&case.confirms(&ward, &awards[2]), 409, "book_suspended");
        go_to(&ward, "2026-04-15T16:00:00Z");
        refused(&case.confirms(&ward, &awards[2]), 409, "award_blocked");
        refused(&does(&regulator, &complaints[1], "suspension-lifting", None), 409, "book_not_suspended");

        // The winner is out, and the next in rank is proposed.
        let upheld = decides(&complaints[0], "award_cancelled");
        assert_eq!((&upheld["state"], &upheld["consequence"]), (&json!("decided"), &json!("award_cancelled")));
        let ended = ok(&ward.get(&format!("/api/v1/awards/{}", awards[0])));
        assert_eq!((&ended["state"], &ended["end_cause"], &ended["end_reason_zh"]), (&json!("ended"), &json!("complaint_upheld"), &json!("投诉成立")));
        let known = ok(&gets(&ward, &office.officer, &format!("/lots/{}/awards", case.lots[0])));
        assert_eq!((&known["items"][1]["place"], &known["items"][1]["state"]), (&json!(2), &json!("proposed")));

        // A new round before anything is proposed.
        decides(&complaints[1], "reevaluation");
        assert_eq!(case.standing(&ward, 1), "opened");
        refused(&case.proposes(&ward, 1), 409, "award_needs_new_round");
        go_to(&ward, "2026-04-16T02:00:00Z");
        case.judged(&ward, 1, 2, &[1, 2]);
        let again = made(&case.proposes(&ward, 1));
        assert_eq!(ok(&gets(&ward, &office.officer, &format!("/awards/{again}")))["place"], 1);

        // Not taken up, the award goes on; withdrawn, it is over.
        ok(&does(&regulator, &complaints[2], "refusal", Some(json!({"reason": "不符合受理条件"}))));
        refused(&does(&case.bidders[0].agent, &complaints[2], "withdrawal", None), 409, "complaint_wrong_state");
        ok(&case.confirms(&ward, &awards[2]));
        let challenge = case.challenges(&ward, 2, &awards[2]);
        refused(&challenge, 409, "challenge_late");

        // Cancelled: what is open ends, the money goes back, and whoever has bid is told once, by whatever way they hear of it.
        let before = case.balances(&ward);
        ok(&posts(&ward, &office.approver, &format!("/contract-books/{}/cancellation", case.book), Some(&why())));
        assert_eq!((before[1].as_str(), case.balances(&ward)), ("7050600.00", ["10000000.00", "0.00", "0.00"].map(str::to_owned)));
        assert_eq!([0, 1, 2].map(|lot| case.standing(&ward, lot)), [json!("cancelled"), json!("cancelled"), json!("cancelled")]);
        assert_eq!(ok(&ward.get(&format!("/api/v1/awards/{}", awards[2])))["end_cause"], "dropped");
        let zone = ward.context().calendar.zone;
        while !block_on(ward.context().db.upkeep(move |tx| wardbook::books::notices::tell(tx, zone))).unwrap() {}
        let mails = lines(&ward, &format!("SELECT kind AS line FROM outbox WHERE account_id = '{}' ORDER BY kind", head.id));
        let count = |kind: &str| mails.iter().filter(|one| *one == kind).count();
        assert_eq!(count("book.cancelled"), 1, "{mails:?}");
        assert!(count("lot.happened") >= 6, "{mails:?}");
        refused(&case.proposes(&ward, 0), 409, "book_wrong_state");
        refused(&posts(&ward, &office.officer, &format!("/lots/{}/evaluation", case.lots[0]), None), 409, "book_wrong_state");
        let opening = posts(&ward, &office.officer, &format!("/contract-books/{}/opening", case.book), None);
        assert_eq!(opening.status, 200, "what was opened stays so: {}", opening.text);
    }

    fn an_award_goes_on_only_while_its_round_is_the_last_and_its_bid_is_in(ward) {
        let case = Case::new(&ward, 4, &STRICT);
        let office = &case.office;
        go_to(&ward, "2026-04-02T02:00:00Z");
        for lot in 0..4 {
            case.judged(&ward, lot, 1, &[1, 0, 2]);
        }
        let scored_again = |lot: usize| {
            let (id, by) = (&case.lots[lot], &office.officer.id);
            let row = format!("'{id}', 2, 'miscalculated', '计算错误', 'Added up wrongly', '{by}', '2026-04-02 02:00:00'");
            sql(&ward, &format!("INSERT INTO score_rounds (lot_id, round, ground, reason_zh, reason_en, opened_by, opened_at) VALUES ({row})")).unwrap();
        };
        let disqualified = |lot: usize| {
            let record = ok(&ward.get(&format!("/api/v1/lots/{}/opening", case.lots[lot])));
            let first = record["opened"].as_array().unwrap().iter().find(|bid| bid["supplier_id"] == case.bidders[1].id.as_str()).unwrap().clone();
            let path = format!("/lots/{}/opened-bids/{}/disqualification", case.lots[lot], first["bid_id"].as_str().unwrap());
            let ground = json!({"ground": "false_statements", "reason_zh": "业绩合同系伪造", "reason_en": "A reference is forged"});
            let out = posts(&ward, &office.approver, &path, Some(&ground));
            assert_eq!(out.status, 200, "{}", out.text);
        };
        // While bids are scored again nothing is decided or noticed on the round before, and nothing is proposed.
        let first = made(&case.proposes(&ward, 0));
        scored_again(0);
        refused(&case.decides(&ward, &first), 409, "award_needs_new_round");
        scored_again(1);
        refused(&case.proposes(&ward, 1), 409, "award_needs_new_round");
        // Of a bid that was disqualified since, the award is neither noticed nor, after its notice, confirmed.
        let third = made(&case.proposes(&ward, 2));
        ok(&case.decides(&ward, &third));
        disqualified(2);
        refused(&case.notices(&ward, &third), 409, "award_blocked");
        let next = ok(&posts(&ward, &office.approver, &format!("/awards/{third}/disqualification"), Some(&why())))["next"].clone();
        assert_eq!((&next["supplier_id"], &next["state"]), (&json!(case.bidders[0].id), &json!("proposed")));
        // What was not prepared while it could be signed is not the winner's failure: the award is cancelled, and the same bid proposed again.
        let fourth = case.noticed(&ward, 3);
        go_to(&ward, "2026-04-20T00:00:00Z");
        ok(&case.confirms(&ward, &fourth));
        go_to(&ward, "2026-06-01T00:00:00Z");
        refused(&posts(&ward, &office.officer, &format!("/awards/{fourth}/contract"), None), 409, "contract_signing_late");
        ok(&posts(&ward, &office.approver, &format!("/awards/{fourth}/cancellation"), Some(&why())));
        let again = case.proposes(&ward, 3);
        assert_eq!((again.status, &again.json()["supplier_id"]), (201, &json!(case.bidders[1].id)), "{}", again.text);
    }
}
