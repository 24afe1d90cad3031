//! Random lives of several books in one ward, published as they go: bid for, amended, cancelled, opened or with too few bids, awarded, challenged, signed, varied, inspected, accepted
//! and refused, paid, returned, failed and ended, in whatever order the dice say. Whether an act is let happen is not asked here; what is published after it has to be right by the
//! standard, to tell nothing of a bid before its opening, and nothing of anybody ever.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde_json::{Value, json};
use wardbook::kernel::clock::rfc3339;
use wardbook::kernel::local_day::local_date;
use wardbook::publish::rules_json::Object;

use crate::addenda::addendum;
use crate::award_sequences::Dice;
use crate::awards::why;
use crate::bids::{Bidder, Tender};
use crate::books::ok;
use crate::cast::Person;
use crate::claims::{Counter, by_halves};
use crate::defects::{form, photo};
use crate::harness::{Reply, Ward};
use crate::inspections::inspection;
use crate::on_both;
use crate::organisations::{CODES, PRIVATE};
use crate::planning::uploaded;
use crate::publication_checks::{everything, holds, kept, publish, tags};
use crate::treasury::{gets, posts, yuan};
use crate::variations::asked;

/// Acts of a life, and after how many of them what is published is looked through.
const STEPS: usize = 160;
const LOOKED_THROUGH: usize = 24;
/// After how many of them what there is is published, as the service does every two seconds.
const PUBLISHED: usize = 3;
/// On this day the book was published that all others are like.
const FIRST_DAY: &str = "2026-03-03";
/// What nobody may find in what is published, besides what organisations have entered about their people.
const PERSONAL: [&str; 11] = [
    "王小梅",
    "13900001111",
    "槐荫里三号",
    "wang.xiaomei@mail.example",
    "people.example",
    "张三丰",
    "李四光",
    "6222021112345678903",
    "2026061500012345",
    "FP-2026-",
    "user_",
];
/// Names the number that the dice of all lives begin with, to look for what the usual ones do not come upon.
const SEED: &str = "WARDBOOK_TEST_SEED";
/// A bidder that nobody knows of until one of its bids is opened.
const RARE: &str = "德润公司";

/// A bid that was handed in.
struct Sealed {
    /// Whose: of the bidders the place.
    bidder: usize,
    /// What nobody may find until it is opened: its id and its price.
    words: [String; 2],
}

/// A book beside the one whose lots are awarded.
struct Book {
    id: String,
    /// What everybody sees of it, with the key that bids are sealed to.
    published: Value,
    lot: String,
    deadline: DateTime<Utc>,
    bids: Vec<Sealed>,
    /// Whether its bids may be known.
    is_opened: bool,
    /// Whether nothing more is done with it.
    is_over: bool,
}

impl Book {
    fn ocid(&self) -> String {
        format!("ocds-213czf-{}", self.id.strip_prefix("book_").unwrap())
    }
}

/// A ward in which something happens.
struct Life<'w> {
    ward: &'w Ward,
    counter: Counter<'w>,
    rare: Bidder,
    dice: Dice,
    books: Vec<Book>,
    /// Contracts beside the one that is served, each with the place of its bidder.
    others: Vec<(String, usize)>,
    /// Contracts for which a security was lodged.
    secured: BTreeSet<String>,
    variations: Vec<String>,
    acceptances: Vec<String>,
    claims: Vec<String>,
    defects: Vec<String>,
    terminations: Vec<(String, usize)>,
    place: Option<String>,
    /// Counts what has to be different each time.
    number: usize,
    done: usize,
}

impl<'w> Life<'w> {
    fn new(ward: &'w Ward, seed: u64) -> Self {
        let counter = Counter::of_lots(ward, ("2026-10-31", 3), by_halves);
        counter.work.case.judged(ward, 1, 1, &[0, 1, 2]);
        counter.work.case.judged(ward, 2, 1, &[2, 1]);
        Self {
            ward,
            counter,
            rare: Bidder::new(ward, RARE, CODES[3]),
            dice: Dice(seed),
            books: Vec::new(),
            others: Vec::new(),
            secured: BTreeSet::new(),
            variations: Vec::new(),
            acceptances: Vec::new(),
            claims: Vec::new(),
            defects: Vec::new(),
            terminations: Vec::new(),
            place: None,
            number: 0,
            done: 0,
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.ward.context().clock.now()
    }

    fn today(&self) -> NaiveDate {
        local_date(self.now(), self.ward.context().calendar.zone)
    }

    fn next(&mut self) -> usize {
        self.number += 1;
        self.number
    }

    /// What was answered, if it was done. What a rule says no to is no fault; what fails inside is one.
    fn tried(&mut self, reply: &Reply) -> Option<Value> {
        assert!(reply.status < 500, "{}", reply.text);
        let is_done = (200..300).contains(&reply.status);
        self.done += usize::from(is_done);
        is_done.then(|| serde_json::from_str(&reply.text).unwrap_or_default())
    }

    fn posts(&mut self, who: &Person, path: &str, body: Option<&Value>) -> Option<Value> {
        let reply = posts(self.ward, who, path, body);
        self.tried(&reply)
    }

    /// The id of what was made, if it was.
    fn made(&mut self, who: &Person, path: &str, body: &Value) -> Option<String> {
        let made = self.posts(who, path, Some(body))?;
        made["id"].as_str().map(str::to_owned)
    }

    fn officer(&self) -> Person {
        self.counter.officer().clone()
    }

    fn approver(&self) -> Person {
        self.counter.work.case.office.approver.clone()
    }

    fn bidder(&self, place: usize) -> &Bidder {
        self.counter.work.case.bidders.get(place).unwrap_or(&self.rare)
    }

    /// One of a list, if it has any.
    fn one_of(&mut self, all: &[String]) -> Option<String> {
        (!all.is_empty()).then(|| all[self.dice.roll(all.len())].clone())
    }

    /// A book like the first one, so many days later.
    fn publishes_a_book(&mut self) -> Option<()> {
        let (officer, approver) = (self.officer(), self.approver());
        let first = ok(&self
            .ward
            .get(&format!("/api/v1/contract-books/{}", self.counter.work.case.book)));
        let mut content = first["content"].clone();
        let days = self.today() - FIRST_DAY.parse::<NaiveDate>().unwrap();
        for (_, value) in content["timetable"].as_object_mut().unwrap() {
            let Some(text) = value.as_str() else { continue };
            *value = match (text.parse::<NaiveDate>(), text.parse::<DateTime<Utc>>()) {
                (Ok(day), _) => json!((day + days).to_string()),
                (_, Ok(at)) => json!(rfc3339(at + days)),
                _ => continue,
            };
        }
        let number = self.next();
        content["title_zh"] = json!(format!("零星保洁第 {number} 项"));
        content["title_en"] = json!(format!("Some cleaning, no. {number}"));
        content["lots"] = json!([content["lots"][0]]);
        content["lots"][0]["ceiling"] = yuan("600.00");
        if self.dice.roll(2) == 0 {
            content["documents"] = json!([uploaded(self.ward, &officer)]);
        }
        let department = self.counter.work.case.office.treasury.department.clone();
        let body = json!({"organisation_id": department, "content": content});
        let id = self.made(&officer, "/contract-books", &body)?;
        let path = format!("/contract-books/{id}");
        self.posts(&officer, &format!("{path}/submission"), None)?;
        self.posts(&approver, &format!("{path}/approval"), None)?;
        let published = self.posts(&approver, &format!("{path}/publication"), None)?;
        let deadline = published["content"]["timetable"]["bid_deadline"]
            .as_str()
            .unwrap();
        self.books.push(Book {
            lot: published["lots"][0]["id"].as_str().unwrap().to_owned(),
            deadline: deadline.parse().unwrap(),
            id,
            published,
            bids: Vec::new(),
            is_opened: false,
            is_over: false,
        });
        Some(())
    }

    /// The place of a book that still takes bids, or that nobody has opened.
    fn waiting_book(&mut self, is_due: bool) -> Option<usize> {
        let now = self.now();
        let fits = |book: &Book| !book.is_over && !book.is_opened && (book.deadline <= now) == is_due;
        let all: Vec<usize> = (0..self.books.len())
            .filter(|at| fits(&self.books[*at]))
            .collect();
        (!all.is_empty()).then(|| all[self.dice.roll(all.len())])
    }

    fn bids(&mut self) -> Option<()> {
        let at = self.waiting_book(false)?;
        let place = self.dice.roll(4);
        let number = self.next();
        // No other amount of the ward looks like it.
        let price = format!("{}.{:02}", 311 + number % 280, 37 + number % 60);
        let book = &self.books[at];
        let tender: Tender = self.counter.work.case.tender(&book.published, &book.lot);
        let bidder = self.bidder(place);
        let bid = bidder.bid(self.ward, &tender, &price);
        let total = bid["total"]["amount"].as_str().unwrap().to_owned();
        let reply = bidder.submits(self.ward, &tender, &bid, None);
        let taken = self.tried(&reply)?;
        let id = taken["version"]["bid_id"].as_str().unwrap().to_owned();
        self.books[at].bids.push(Sealed {
            bidder: place,
            words: [id, total],
        });
        Some(())
    }

    fn opens_a_book(&mut self) -> Option<()> {
        let at = self.waiting_book(true)?;
        let path = format!("/contract-books/{}/opening", self.books[at].id);
        let opening = self.posts(&self.officer(), &path, None)?;
        self.books[at].is_over = true;
        self.books[at].is_opened = opening["items"][0]["outcome"] == "opened";
        Some(())
    }

    fn amends_a_book(&mut self) -> Option<()> {
        let at = self.waiting_book(false)?;
        let id = self.books[at].id.clone();
        let now = ok(&self.ward.get(&format!("/api/v1/contract-books/{id}")));
        let number = self.next();
        let file = (self.dice.roll(2) == 0).then(|| uploaded(self.ward, &self.officer()));
        let affects = self.dice.roll(4) == 0;
        let mut body = addendum(&now, |content| {
            content["title_en"] = json!(format!("Some cleaning, amended as no. {number}"));
            if let Some(file) = file {
                content["documents"] = json!([file]);
            }
        });
        body["affects_bids"] = json!(affects);
        let addendum = self.made(&self.officer(), &format!("/contract-books/{id}/addenda"), &body)?;
        self.posts(
            &self.approver(),
            &format!("/addenda/{addendum}/publication"),
            None,
        )?;
        Some(())
    }

    fn cancels_a_book(&mut self) -> Option<()> {
        let is_due = self.dice.roll(3) == 0;
        let at = self.waiting_book(is_due)?;
        let path = format!("/contract-books/{}/cancellation", self.books[at].id);
        self.posts(&self.approver(), &path, Some(&why()))?;
        self.books[at].is_over = true;
        Some(())
    }

    fn asks_about_a_book(&mut self) -> Option<()> {
        let at = self.waiting_book(false)?;
        let place = self.dice.roll(3);
        let (agent, supplier) = (self.bidder(place).agent.clone(), self.bidder(place).id.clone());
        let body = json!({"organisation_id": supplier, "question": "王小梅 13900001111 问：面积多大？"});
        let path = format!("/contract-books/{}/enquiries", self.books[at].id);
        let enquiry = self.made(&agent, &path, &body)?;
        let answer = json!({"question_zh": "面积多大？", "question_en": "How large is it?", "answer_zh": "见清单。", "answer_en": "See the list.", "addendum": null});
        self.posts(
            &self.officer(),
            &format!("/enquiries/{enquiry}/answer"),
            Some(&answer),
        )?;
        Some(())
    }

    /// Leads the award of another lot on, mostly, or ends it.
    fn awards(&mut self) -> Option<()> {
        let lot = 1 + self.dice.roll(2);
        let (officer, approver) = (self.officer(), self.approver());
        let id = self.counter.work.case.lots[lot].clone();
        let all = gets(self.ward, &officer, &format!("/lots/{id}/awards")).json();
        let last = all["items"].as_array().unwrap().last().cloned();
        let report = json!({"report": "评审报告：推荐第一候选人"});
        let proposal = format!("/lots/{id}/award-proposal");
        let Some(award) = last.filter(|award| award["state"] != "ended") else {
            self.posts(&officer, &proposal, Some(&report))?;
            return Some(());
        };
        let path = format!("/awards/{}", award["id"].as_str().unwrap());
        let bidders = &self.counter.work.case.bidders;
        let winner = bidders
            .iter()
            .position(|bidder| award["supplier_id"] == *bidder.id)?;
        let agent = bidders[winner].agent.clone();
        let (loser, other) = (
            bidders[(winner + 1) % 3].agent.clone(),
            bidders[(winner + 1) % 3].id.clone(),
        );
        match (self.dice.roll(8), award["state"].as_str().unwrap()) {
            (0, _) => self.posts(&approver, &format!("{path}/cancellation"), Some(&why())),
            (1, _) => self.posts(&approver, &format!("{path}/disqualification"), Some(&why())),
            (2, "noticed" | "confirmed") => self.posts(&agent, &format!("{path}/withdrawal"), Some(&why())),
            (3, "noticed") => {
                let ground = json!({"facts": "评分与标准不符", "basis": "87号令第55条", "claim": "重新评审"});
                let body = json!({"supplier_id": other, "grounds": [ground]});
                let challenge = self.made(&loser, &format!("{path}/challenges"), &body)?;
                let reply = json!({"outcome": "rejected", "affects_result": false, "reply": "经复核"});
                self.posts(&approver, &format!("/challenges/{challenge}/reply"), Some(&reply))
            }
            (_, "proposed") => self.posts(
                &approver,
                &format!("{path}/decision"),
                Some(&json!({"decision": "同意"})),
            ),
            (_, "decided") => self.posts(&officer, &format!("{path}/notice"), None),
            (_, "noticed") => self.posts(&approver, &format!("{path}/confirmation"), None),
            (_, "confirmed") => {
                let contract = self.posts(&officer, &format!("{path}/contract"), None)?;
                let word = |member: &str| contract[member].as_str().unwrap().to_owned();
                let (id, hash) = (word("id"), word("sha256"));
                if self.secured.insert(id.clone()) {
                    self.counter
                        .work
                        .case
                        .secures(self.ward, winner, &id, "120000.00");
                }
                let signs = |party: &str| json!({"party": party, "sha256": hash});
                let path = format!("/contracts/{id}/signatures");
                self.posts(&agent, &path, Some(&signs("supplier")));
                self.posts(&approver, &path, Some(&signs("buyer")))?;
                self.others.push((id, winner));
                Some(Value::Null)
            }
            _ => None,
        }?;
        Some(())
    }

    fn varies(&mut self) -> Option<()> {
        let contract = self.counter.work.contract.clone();
        let (officer, approver) = (self.officer(), self.approver());
        let supplier = self.counter.work.supplier().clone();
        let variations = self.variations.clone();
        match (self.dice.roll(4), self.one_of(&variations)) {
            (0, _) | (_, None) => {
                let body = match self.dice.roll(3) {
                    0 => asked("supplement", "6000.00", None),
                    1 => asked("reduction", "-3000.00", None),
                    _ => asked("extension", "1000.00", Some("2026-11-20")),
                };
                let made = self.made(&officer, &format!("/contracts/{contract}/variations"), &body)?;
                self.variations.push(made);
            }
            (1, Some(_)) => {
                let id = variations.last()?;
                self.posts(&officer, &format!("/variations/{id}/withdrawal"), Some(&why()))?;
            }
            (_, Some(_)) => {
                let id = variations.last()?.clone();
                let shown = gets(self.ward, &supplier, &format!("/variations/{id}"));
                let sha256 = self.tried(&shown)?["sha256"].clone();
                for (who, party) in [(&supplier, "supplier"), (&approver, "buyer")] {
                    let body = json!({"party": party, "sha256": sha256});
                    let signed = self.posts(who, &format!("/variations/{id}/signatures"), Some(&body));
                    if signed.is_none() {
                        // A period that it changes has begun since.
                        self.posts(&officer, &format!("/variations/{id}/withdrawal"), Some(&why()));
                    }
                }
            }
        }
        Some(())
    }

    fn inspects(&mut self) -> Option<()> {
        let ends = ["4", "5", "6", "7", "9"][self.dice.roll(5)];
        let mut body = inspection(ends, None);
        body["started_at"] = json!(rfc3339(self.now() - Duration::hours(1)));
        let path = format!("/contracts/{}/inspections", self.counter.work.contract);
        self.made(&self.officer(), &path, &body)?;
        Some(())
    }

    /// Hands a period over, accepts or refuses it, objects to that, decides about the objection.
    fn accepts(&mut self) -> Option<()> {
        // A third period is one that a variation has added.
        let period = [1, 1, 1, 2, 2, 2, 3][self.dice.roll(7)];
        let officer = self.officer();
        let acceptances = self.acceptances.clone();
        let known = self.one_of(&acceptances);
        let path = format!("/contracts/{}/periods/{period}", self.counter.work.contract);
        match (self.dice.roll(6), known) {
            (0, _) => {
                let supplier = self.counter.work.supplier().clone();
                let body = json!({"hand_over": "按合同完成保洁", "attachment_ids": []});
                let id = self.made(&supplier, &format!("{path}/hand-over"), &body)?;
                self.acceptances.push(id);
            }
            (1, Some(id)) => {
                let supplier = self.counter.work.supplier().clone();
                let reply = self.counter.work.objects(&supplier, &id);
                self.tried(&reply)?;
            }
            (2, Some(id)) => {
                let is_upheld = self.dice.roll(2) == 0;
                let reply = self
                    .counter
                    .work
                    .decides(&self.counter.work.second, &id, is_upheld);
                self.tried(&reply)?;
            }
            _ => {
                let prefill = gets(self.ward, &officer, &format!("{path}/acceptance-draft"));
                self.tried(&prefill)?;
                let conclusion = [
                    "accepted",
                    "accepted",
                    "accepted",
                    "accepted_with_reservations",
                    "refused",
                ][self.dice.roll(5)];
                let body = self.counter.work.draft_of(period, conclusion);
                let id = self.made(&officer, &format!("{path}/acceptance-draft"), &body)?;
                self.acceptances.push(id.clone());
                let reply = self.counter.work.signs(&self.approver(), &id);
                self.tried(&reply)?;
            }
        }
        Some(())
    }

    fn claims(&mut self) -> Option<()> {
        let claims = self.claims.clone();
        let known = self.one_of(&claims);
        let Some(id) = known.filter(|_| self.dice.roll(4) != 0) else {
            let invoice = format!("FP-2026-{}", self.next());
            let body = match self.dice.roll(8) {
                0 => Counter::of_part("advance", "229860.00", &invoice),
                1 => Counter::of_part("retention", "114930.00", &invoice),
                2..=4 => Counter::of_period(1, ["500000.00", "900000.00"][self.dice.roll(2)], &invoice),
                _ => Counter::of_period(2, ["500000.00", "900000.00"][self.dice.roll(2)], &invoice),
            };
            let supplier = self.counter.work.supplier().clone();
            let path = format!("/contracts/{}/claims", self.counter.work.contract);
            let made = self.made(&supplier, &path, &body)?;
            self.claims.push(made);
            return Some(());
        };
        let state = self.counter.shown(&id)["state"].as_str().unwrap().to_owned();
        let counter = &self.counter;
        let reply = match (self.dice.roll(6), state.as_str()) {
            (0, "claimed" | "certified" | "approved") => counter.ends(counter.officer(), &id, "return"),
            (0 | 1, "executed") => counter.ends(&counter.reconciles, &id, "failure"),
            (_, "claimed") => {
                let whole = counter.certifies(counter.officer(), &id, &json!({}));
                if whole.status == 422 {
                    let mut less = json!({"less_zh": "因", "less_en": "Because"});
                    if self.dice.roll(2) == 0 {
                        less["penalties"] =
                            json!([{"penalty": 1, "count": 2, "reason_zh": "逾期", "reason_en": "Late"}]);
                    }
                    counter.certifies(counter.officer(), &id, &less)
                } else {
                    whole
                }
            }
            (_, "certified") => counter.acts(&counter.approves, &id, "approval"),
            (_, "approved") => counter.acts(&counter.executes, &id, "execution"),
            (_, "executed") => counter.confirms(&counter.reconciles, &id),
            _ => {
                let period = 1 + self.dice.roll(2);
                let path = format!("/contracts/{}/periods/{period}/closing", counter.work.contract);
                posts(self.ward, counter.officer(), &path, Some(&json!({})))
            }
        };
        self.tried(&reply)?;
        Some(())
    }

    /// Somebody who passes by reports something; it is put right, or found to be none.
    fn reports(&mut self) -> Option<()> {
        let officer = self.officer();
        if self.place.is_none() {
            let path = format!("/contracts/{}/served-places", self.counter.work.contract);
            let coded = self.posts(&officer, &path, Some(&json!({"places": [{"number": 1}]})))?;
            self.place = coded["items"][0]["code"].as_str().map(str::to_owned);
        }
        let defects = self.defects.clone();
        let known = self.one_of(&defects);
        let Some(id) = known.filter(|_| self.dice.roll(3) != 0) else {
            let code = self.place.clone()?;
            let text = "王小梅，住槐荫里三号，电话 13900001111：门前积水";
            let fields = [
                ("place", code.as_str()),
                ("category", "other"),
                ("text", text),
                ("contact", "wang.xiaomei@mail.example"),
            ];
            let (kind, body) = form(&fields, &[]);
            let reply = self
                .ward
                .ask("POST", "/api/v1/defect-reports")
                .body(&kind, body)
                .send();
            let taken = self.tried(&reply)?;
            let id = taken["defect_id"].as_str()?.to_owned();
            self.posts(&officer, &format!("/defects/{id}/dispatch"), None);
            self.defects.push(id);
            return Some(());
        };
        let agent = self.counter.work.supplier().clone();
        match self.dice.roll(6) {
            0 => self.posts(
                &officer,
                &format!("/defects/{id}/rejection"),
                Some(&json!({"reason": "不属本合同"})),
            ),
            1 | 2 => self.posts(&officer, &format!("/defects/{id}/confirmation"), Some(&json!({}))),
            _ => {
                let upload = agent.asks(self.ward, "POST", "/api/v1/attachments?name=after.png");
                let upload = upload.body("image/png", photo()).send();
                let file = self.tried(&upload)?["id"].clone();
                self.posts(
                    &agent,
                    &format!("/defects/{id}/fix"),
                    Some(&json!({"note": "已清除", "evidence": [file]})),
                )
            }
        }?;
        Some(())
    }

    /// Ends a contract before its time; the one that is served too, when it is late.
    fn terminates(&mut self) -> Option<()> {
        let (officer, approver) = (self.officer(), self.approver());
        if let Some((id, winner)) = self.terminations.last().cloned()
            && self.dice.roll(3) != 0
        {
            let agent = self.bidder(winner).agent.clone();
            self.posts(
                &agent,
                &format!("/terminations/{id}/statement"),
                Some(&json!({"statement": "王小梅已更换项目经理"})),
            );
            let ends =
                json!({"ends": self.dice.roll(3) != 0, "decision_zh": "同意", "decision_en": "Agreed"});
            self.posts(&approver, &format!("/terminations/{id}/decision"), Some(&ends))?;
            return Some(());
        }
        let served = (self.counter.work.contract.clone(), 1);
        let is_late = self.today() > "2026-09-15".parse().unwrap();
        let all: Vec<(String, usize)> = self
            .others
            .iter()
            .cloned()
            .chain(is_late.then_some(served))
            .collect();
        if all.is_empty() {
            return None;
        }
        let (contract, winner) = all[self.dice.roll(all.len())].clone();
        let today = self.today();
        let settlement = ["0.00", "1000.00", "90000.00"][self.dice.roll(3)];
        let body = json!({"ground": "breach", "reason_zh": "拒不整改", "reason_en": "Nothing was put right", "effective_on": (today + Duration::days(20)).to_string(),
            "settlement": yuan(settlement), "basis_zh": "已完成工作量", "basis_en": "The work that was done", "statement_until": (today + Duration::days(3)).to_string()});
        let id = self.made(&officer, &format!("/contracts/{contract}/terminations"), &body)?;
        self.terminations.push((id, winner));
        Some(())
    }

    fn waits(&mut self) -> Option<()> {
        let days = 1 + i64::try_from(self.dice.roll(14)).unwrap();
        let later = self.now() + Duration::days(days);
        self.ward.context().clock.advance(later).then_some(())
    }

    fn steps(&mut self) {
        // What was not done was not allowed, or there was nothing to do it to.
        let _: Option<()> = match self.dice.roll(42) {
            0 => self.publishes_a_book(),
            1..=4 => self.bids(),
            5 => self.amends_a_book(),
            6 => self.cancels_a_book(),
            7 => self.asks_about_a_book(),
            8 | 9 => self.opens_a_book(),
            10..=14 => self.awards(),
            15..=17 => self.varies(),
            18 | 19 => self.inspects(),
            20..=23 => self.accepts(),
            24..=30 => self.claims(),
            31 | 32 => self.reports(),
            33..=35 => self.terminates(),
            _ => self.waits(),
        };
    }

    /// Publishes, and looks through all of it.
    fn looks(&self) -> Vec<Object> {
        let releases = holds(self.ward);
        let all = everything(self.ward, &[2026, 2027]);
        for word in PERSONAL.iter().chain(&PRIVATE) {
            assert!(!all.contains(word), "{word} is published");
        }
        let is_known = |book: &Book| book.is_opened && book.bids.iter().any(|bid| bid.bidder == 3);
        if !self.books.iter().any(is_known) {
            for word in [RARE, self.rare.id.as_str()] {
                assert!(
                    !all.contains(word),
                    "{word} is published before any of its bids was opened"
                );
            }
        }
        for book in self.books.iter().filter(|book| !book.is_opened) {
            for word in book.bids.iter().flat_map(|bid| &bid.words) {
                assert!(
                    !all.contains(word.as_str()),
                    "{word} of {} is published before its opening",
                    book.id
                );
            }
            let ocid = book.ocid();
            let own = releases
                .iter()
                .filter(|release| release.text("ocid") == Some(ocid.as_str()));
            let own: String = own.map(Object::written).collect();
            assert!(!own.is_empty(), "{} is not published", book.id);
            for bid in &book.bids {
                let word = &self.bidder(bid.bidder).id;
                assert!(
                    !own.contains(word.as_str()),
                    "{word} is published with {} before its opening",
                    book.id
                );
            }
        }
        releases
    }
}

/// Lives by the dice, and looks through what is published every few steps. What the releases were about, by their tags. The environment may have it begin with another number.
fn lives(ward: &Ward, usual: u64) -> BTreeSet<String> {
    let seed = std::env::var(SEED).map_or(usual, |seed| seed.parse().unwrap());
    let mut life = Life::new(ward, seed);
    // A book to begin with, so that somebody can bid for something.
    assert!(
        life.publishes_a_book().is_some(),
        "a book like the first one can be published"
    );
    for step in 1..=STEPS {
        life.steps();
        if step % PUBLISHED == 0 {
            publish(ward);
        }
        if step % LOOKED_THROUGH == 0 {
            life.looks();
        }
    }
    let releases = life.looks();
    assert!(life.done > STEPS / 3, "only {} acts were done", life.done);
    kept(ward);
    tags(&releases).into_keys().collect()
}

/// What a life has to have been about, nearly all of it, so that it is worth looking through.
const TOLD: [&str; 13] = [
    "planning",
    "tender",
    "tenderAmendment",
    "tenderCancellation",
    "tenderUpdate",
    "award",
    "awardCancellation",
    "awardUpdate",
    "contract",
    "contractAmendment",
    "contractTermination",
    "implementation",
    "implementationUpdate",
];

fn is_worth_it(told: &BTreeSet<String>) {
    let missing: Vec<&&str> = TOLD.iter().filter(|tag| !told.contains(**tag)).collect();
    assert!(missing.len() <= 2, "nothing was told of {missing:?}");
}

on_both! { in "test";
    fn whatever_happens_what_is_published_is_right_and_tells_nothing_too_early(ward) {
        is_worth_it(&lives(&ward, 16));
    }

    fn another_life_is_published_as_well(ward) {
        is_worth_it(&lives(&ward, 13));
    }
}
