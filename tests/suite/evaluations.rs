//! Judging bids: each member of the panel alone, rounds, residents' appraisals, the conclusion, and that anybody can reckon it again.

use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::award::rules_admission::{Disqualification, Examined, Ground};
use wardbook::award::rules_panel::{Draw, Member, MemberKind, MemberState, Panel};
use wardbook::award::{store_admission, store_panels, store_scores};
use wardbook::bids::rules::BidId;
use wardbook::books::rules::{BookId, LotId};
use wardbook::db::writer::Tx;
use wardbook::kernel::party::AccountId;
use wardbook::kernel::refusal::Answer;
use wardbook::standards::rules_indicators::Line;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::Role;

use crate::awards::go_to;
use crate::ballots::{peopled, recomputed, votes};
use crate::bids::{Bidder, DEADLINE, Tender, taken};
use crate::books::{Office, at_once, ok};
use crate::cast::{Person, person};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{CODES, refused, sql};
use crate::outbox::lines;
use crate::planning::uploaded;
use crate::roll_letters::codes;
use crate::treasury::{gets, posts};

/// A book of one lot whose bids were opened.
pub struct Judging {
    /// What is bid for.
    pub tender: Tender,
    /// In the order of their prices.
    pub bids: Vec<String>,
    /// Who bids, in the order of the prices given.
    pub bidders: Vec<Bidder>,
    /// The book.
    pub book: BookId,
    /// Its lot.
    pub lot: LotId,
}

/// What another slice's acts do, shorter: the tests of those are elsewhere.
fn done(ward: &Ward, act: impl Fn(&mut Tx<'_>) -> Answer<()> + Send + 'static) {
    let event = Event {
        kind: "test.cast",
        subject: "test".to_owned(),
        data: json!({}),
        private: Value::Null,
    };
    let write = move |tx: &mut Tx<'_>| {
        act(tx)?;
        audit::store::append(tx, &Actor::system(), &event)?;
        Ok(())
    };
    ward.context().db.write_and_wait(write).unwrap();
}

impl Judging {
    /// With bids at these prices for a unit.
    pub fn new(ward: &Ward, change: impl FnOnce(&mut Value), prices: &[&str]) -> Self {
        let office = Office::new(ward);
        let mut body = office.whole(ward);
        change(&mut body["content"]);
        let (id, book) = office.published(ward, &body);
        let lot = book["lots"][0]["id"].as_str().unwrap().to_owned();
        let tender = Tender {
            recipient: book["recipient"].as_str().unwrap().to_owned(),
            lot: lot.clone(),
            office,
            book,
        };
        let names = ["洁城公司", "德润公司", "新禾公司", "清澜公司"];
        let mut bidders = Vec::new();
        for ((name, code), price) in names.iter().zip(CODES).zip(prices) {
            let bidder = Bidder::new(ward, name, code);
            taken(
                &bidder.submits(ward, &tender, &bidder.bid(ward, &tender, price), None),
                201,
            );
            bidders.push(bidder);
        }
        ward.context().clock.advance(DEADLINE.parse().unwrap());
        ok(&posts(
            ward,
            &tender.office.officer,
            &format!("/contract-books/{id}/opening"),
            None,
        ));
        let record = ok(&ward.get(&format!("/api/v1/lots/{lot}/opening")));
        let opened = record["opened"].as_array().unwrap();
        Self {
            bids: opened
                .iter()
                .map(|bid| bid["bid_id"].as_str().unwrap().to_owned())
                .collect(),
            book: id.parse().unwrap(),
            lot: lot.parse().unwrap(),
            tender,
            bidders,
        }
    }

    /// As [`seated`].
    fn panel(&self, ward: &Ward, seats: usize) -> Vec<Person> {
        seated(ward, &self.book, seats)
    }

    /// As [`examined`].
    pub fn examined(&self, ward: &Ward, out: &[usize]) {
        examined(ward, (&self.book, &self.lot), &self.tender.office.approver, out);
    }

    /// An address below the lot.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/lots/{}{rest}", self.lot)
    }

    /// Reads below the lot.
    pub fn sees(&self, ward: &Ward, who: &Person, rest: &str) -> Reply {
        who.asks(ward, "GET", &self.path(rest)).send()
    }

    /// Posts below the lot.
    pub fn posts(&self, ward: &Ward, who: &Person, rest: &str, body: Option<&Value>) -> Reply {
        posts(ward, who, &format!("/lots/{}{rest}", self.lot), body)
    }

    fn saves(&self, ward: &Ward, who: &Person, scores: &Value, etag: Option<&str>) -> Reply {
        let mut ask = who.asks(ward, "PUT", &self.path("/score-sheets/own"));
        if let Some(etag) = etag {
            ask = ask.header("if-match", etag);
        }
        ask.json(&json!({ "scores": scores })).send()
    }

    /// Points for T1, T2 and B1, a triple for each bid.
    fn scores(&self, points: &[[&str; 3]]) -> Value {
        let bids = self.bids.iter().zip(points);
        bids.map(|(bid, [t1, t2, b1])| {
            json!({"bid_id": bid, "criteria": [
                {"code": "T1", "score": t1}, {"code": "T2", "score": t2}, {"code": "B1", "score": b1},
            ]})
        })
        .collect()
    }

    fn hands_in(&self, ward: &Ward, who: &Person, points: &[[&str; 3]]) {
        ok(&self.saves(ward, who, &self.scores(points), None));
        ok(&self.posts(ward, who, "/score-sheets/own/handing-in", None));
    }

    /// The derivation, as the log has it, and as it comes out again.
    pub fn holds(&self, ward: &Ward, who: &Person, result: &Value) -> Value {
        let bytes = who
            .asks(ward, "GET", &self.path("/evaluation/derivation"))
            .bytes();
        assert_eq!(
            hex::encode(Sha256::digest(&bytes)),
            result["sha256"].as_str().unwrap()
        );
        let logged = ward.events("lot.evaluated");
        assert_eq!(
            logged.last().unwrap()["entry"]["data"]["sha256"],
            result["sha256"]
        );
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("derivation.json");
        std::fs::write(&file, &bytes).unwrap();
        let told = Command::new(env!("CARGO_BIN_EXE_wardbook"))
            .args(["recompute", "evaluation", file.to_str().unwrap()])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&told.stdout);
        assert!(
            told.status.success() && text.contains("it holds, byte by byte"),
            "{text} {told:?}"
        );
        serde_json::from_slice(&bytes).unwrap()
    }
}

/// A panel of so many experts who sit; the first has the chair.
pub fn seated(ward: &Ward, book: &BookId, seats: usize) -> Vec<Person> {
    let people: Vec<Person> = (0..seats)
        .map(|_| person(ward, &[Grant::of(Role::Evaluator)]))
        .collect();
    let accounts: Vec<AccountId> = people.iter().map(|one| one.id.clone()).collect();
    let book = book.clone();
    done(ward, move |tx| {
        let now = tx.now();
        let panel = Panel {
            book_id: book.clone(),
            size: i64::try_from(seats).unwrap(),
            experts: i64::try_from(seats).unwrap(),
            has_large_impact: false,
            requested_at: now,
            disclosed_at: None,
            draws: Vec::new(),
            members: Vec::new(),
        };
        store_panels::insert(tx, &panel)?;
        let mut candidates = accounts.clone();
        candidates.sort();
        store_panels::insert_draw(
            tx,
            &book,
            &Draw {
                number: 1,
                seed: [7; 32],
                candidates,
                drawn_at: now,
            },
        )?;
        for (seat, account) in (1_i64..).zip(&accounts) {
            let mut member = Member {
                account_id: account.clone(),
                seat,
                kind: MemberKind::Expert,
                drawn: Some((1, seat)),
                state: MemberState::Called,
                called_at: now,
                declared_at: None,
                interests: Vec::new(),
                ended_at: None,
                reason: None,
                vote: None,
                is_chair: false,
            };
            store_panels::insert_member(tx, &book, &member)?;
            member.state = MemberState::Sitting;
            member.declared_at = Some(now);
            member.is_chair = seat == 1;
            store_panels::update_member(tx, &book, &member)?;
        }
        Ok(())
    });
    people
}

/// The examination of a lot's bids, in which nothing is to be decided; some of them are out.
pub fn examined(ward: &Ward, (book, lot): (&BookId, &LotId), by: &Person, out: &[usize]) {
    let record = ok(&ward.get(&format!("/api/v1/lots/{lot}/opening")));
    let examined: Vec<Examined> = record["opened"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(index, bid)| Examined {
            bid_id: bid["bid_id"].as_str().unwrap().parse().unwrap(),
            supplier_id: bid["supplier_id"].as_str().unwrap().parse().unwrap(),
            total: serde_json::from_value(bid["total"].clone()).unwrap(),
            lines: None,
            is_sme: true,
            is_sme_consortium: false,
            items: Vec::new(),
            correction: None,
            justification: None,
            disqualification: out.contains(&index).then(|| Disqualification {
                ground: Ground::FalseStatements,
                reason: Line {
                    zh: "业绩不实".to_owned(),
                    en: "What it says of its experience is false".to_owned(),
                },
                at: ward.context().clock.now(),
            }),
        })
        .collect();
    let (book, lot) = (book.clone(), lot.clone());
    let by: AccountId = by.id.clone();
    done(ward, move |tx| {
        store_admission::insert(tx, (&book, &lot), &examined)?;
        for bid in &examined {
            if let Some(disqualification) = &bid.disqualification {
                store_admission::disqualify(tx, (&lot, &bid.bid_id), &by, disqualification)?;
            }
        }
        Ok(())
    });
}

fn of<'d>(derivation: &'d Value, bid: &str) -> &'d Value {
    let mut bids = derivation["result"]["bids"].as_array().unwrap().iter();
    bids.find(|one| one["bidder"] == bid).unwrap()
}

/// Prices 400, 450, 500 give 30.00, 26.67, 24.00 of 30 points.
const FIRST: [[[&str; 3]; 3]; 3] = [
    [["20", "15", "8"], ["22.5", "18", "10"], ["24", "19", "10"]],
    [["19", "14", "8"], ["23", "18", "10"], ["24.5", "19", "10"]],
    [["18.01", "15", "8"], ["23", "17", "10"], ["24", "20", "10"]],
];

on_both! { in "test";
    fn bids_are_scored_alone_judged_and_judged_again(ward) {
        let judging = Judging::new(&ward, |_| {}, &["500", "450", "400"]);
        let evaluators = judging.panel(&ward, 3);
        let office = &judging.tender.office;
        let chair = &evaluators[0];
        refused(&judging.saves(&ward, chair, &json!([]), None), 409, "admission_not_begun");
        judging.examined(&ward, &[]);

        // Only whoever sits scores, and nothing that cannot be; all of that is told at once.
        let other = person(&ward, &[Grant::of(Role::Evaluator)]);
        refused(&judging.saves(&ward, &other, &json!([]), None), 404, "not_found");
        refused(&judging.saves(&ward, &office.officer, &json!([]), None), 404, "not_found");
        refused(&judging.saves(&ward, &judging.bidders[0].agent, &json!([]), None), 403, "forbidden");
        let wrong = json!([{"bid_id": judging.bids[0], "criteria": [
            {"code": "T1", "score": "25.01"}, {"code": "T2", "score": "1.234"}, {"code": "P1", "score": "30"}, {"code": "T1", "score": "-1"},
        ]}, {"bid_id": BidId::mint(ward.context().clock.now()).to_string(), "criteria": []}]);
        let reply = judging.saves(&ward, chair, &wrong, None);
        refused(&reply, 422, "invalid");
        let places: Vec<String> = reply.faults().into_iter().map(|(place, _)| place).collect();
        for place in ["/scores/0/criteria/0/score", "/scores/0/criteria/1/score", "/scores/0/criteria/2/code", "/scores/0/criteria/3/code", "/scores/0/criteria/3/score", "/scores/1/bid_id"] {
            assert!(places.iter().any(|one| one == place), "{place} {places:?}");
        }

        // A draft may be incomplete, what is handed in not.
        let part = judging.scores(&FIRST[0][..2]);
        assert_eq!(ok(&judging.saves(&ward, chair, &part, None))["version"], 1);
        refused(&judging.saves(&ward, chair, &part, None), 428, "version_missing");
        refused(&judging.saves(&ward, chair, &part, Some("\"v2\"")), 412, "version_stale");
        let reply = judging.posts(&ward, chair, "/score-sheets/own/handing-in", None);
        refused(&reply, 422, "invalid");
        assert_eq!(reply.faults().len(), 3, "{}", reply.text);
        ok(&judging.saves(&ward, chair, &judging.scores(&FIRST[0]), Some("\"v1\"")));
        let sheet = ok(&judging.posts(&ward, chair, "/score-sheets/own/handing-in", None));
        assert_eq!((&sheet["version"], sheet["handed_in_at"].is_string()), (&json!(3), true));
        refused(&judging.saves(&ward, chair, &part, Some("\"v3\"")), 409, "sheet_handed_in");
        assert!(sql(&ward, "UPDATE score_sheets SET content = '{}'").is_err() && sql(&ward, "DELETE FROM score_sheets").is_err());

        // Nobody sees a score before all are in.
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        for who in [&evaluators[1], &office.officer, &auditor] {
            let seen = ok(&judging.sees(&ward, who, "/score-sheets"));
            assert_eq!(seen, json!({"round": 1, "members": 3, "handed_in": 1, "items": []}));
        }
        for who in [&other, &judging.bidders[2].agent] {
            refused(&judging.sees(&ward, who, "/score-sheets"), 404, "not_found");
        }
        refused(&judging.sees(&ward, &evaluators[1], "/score-sheets/own"), 404, "not_found");
        refused(&judging.posts(&ward, chair, "/evaluation", None), 409, "sheets_missing");
        refused(&judging.posts(&ward, &evaluators[1], "/evaluation", None), 403, "panel_not_chair");
        refused(&judging.posts(&ward, &office.officer, "/evaluation", None), 403, "panel_not_chair");
        refused(&judging.posts(&ward, &other, "/evaluation", None), 404, "not_found");
        judging.hands_in(&ward, &evaluators[1], &FIRST[1]);
        judging.hands_in(&ward, &evaluators[2], &FIRST[2]);
        let seen = ok(&judging.sees(&ward, &auditor, "/score-sheets"));
        assert!(seen["items"].as_array().unwrap().iter().any(|one| one["account_id"] == chair.id.as_str()), "{seen}");
        refused(&judging.posts(&ward, chair, "/evaluation", None), 409, "appraisal_missing");

        // What the residents gave is recorded by one, and confirmed by another.
        let points: Value = judging.bids.iter().zip(["12", "15", "9.5"])
            .map(|(bid, points)| json!({"bid_id": bid, "criteria": [{"code": "A1", "score": points}]})).collect();
        let minutes = uploaded(&ward, &office.officer);
        let record = |held_on: &str, points: &Value| {
            let body = json!({"held_on": held_on, "eligible": 60, "present": 43, "minutes_id": minutes, "points": points});
            office.officer.asks(&ward, "PUT", &judging.path("/appraisal")).json(&body).send()
        };
        refused(&record("2026-04-02", &points), 422, "invalid");
        refused(&record("2026-04-01", &json!([])), 422, "invalid");
        assert_eq!(ok(&record("2026-04-01", &points))["version"], 1);
        refused(&record("2026-04-01", &points), 428, "version_missing");
        refused(&judging.posts(&ward, chair, "/evaluation", None), 409, "appraisal_missing");
        refused(&judging.posts(&ward, &office.officer, "/appraisal/confirmation", None), 403, "separation_of_duties");
        ok(&judging.posts(&ward, &office.approver, "/appraisal/confirmation", None));
        refused(&judging.posts(&ward, &office.approver, "/appraisal/confirmation", None), 409, "appraisal_confirmed");
        assert_eq!(gets(&ward, &auditor, &format!("/attachments/{minutes}/content")).status, 200);
        assert_eq!(gets(&ward, &judging.bidders[0].agent, &format!("/attachments/{minutes}/content")).status, 404);

        // Concluded twice at once, once.
        let conclude = || judging.posts(&ward, chair, "/evaluation", None);
        let replies = at_once([&conclude, &conclude]);
        let mut statuses = replies.each_ref().map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", replies[0].text, replies[1].text);
        assert_eq!(ward.events("lot.evaluated").len(), 1);
        let result = ok(&judging.sees(&ward, &office.officer, "/evaluation"));
        let derivation = judging.holds(&ward, &auditor, &result);
        // (20 + 19 + 18.01) ÷ 3 = 19.00, 14.67, 8.00, 12.00 and 30.00 for the price.
        let [first, second, third] = [0, 1, 2].map(|index: usize| of(&derivation, &judging.bids[index]));
        assert_eq!((&first["scores"], &first["price_score"], &first["total"]), (&json!({"A1": "12.00", "B1": "8.00", "T1": "19.00", "T2": "14.67"}), &json!("30.00"), &json!("83.67")));
        assert_eq!((&second["total"], &third["total"]), (&json!("92.17"), &json!("87.00")));
        assert_eq!(derivation["result"]["ranking"], json!([judging.bids[1], judging.bids[2], judging.bids[0]]));
        assert_eq!(result["places"][0]["bid_id"], judging.bids[1].as_str());
        for who in [&other, &judging.bidders[2].agent] {
            refused(&judging.sees(&ward, who, "/evaluation"), 404, "not_found");
            refused(&judging.sees(&ward, who, "/evaluation/derivation"), 404, "not_found");
            refused(&judging.sees(&ward, who, "/appraisal"), 404, "not_found");
        }
        refused(&judging.saves(&ward, chair, &part, Some("*")), 409, "scoring_concluded");

        // A dissent, once; and another round, on a ground and by whoever may.
        let dissent = json!({"reason": "T2 的评分标准适用有误"});
        assert_eq!(judging.posts(&ward, &evaluators[2], "/evaluation/dissents", Some(&dissent)).status, 201);
        refused(&judging.posts(&ward, &evaluators[2], "/evaluation/dissents", Some(&dissent)), 409, "evaluation_dissented");
        refused(&judging.posts(&ward, &other, "/evaluation/dissents", Some(&dissent)), 404, "not_found");
        let round = |ground: &str| json!({"ground": ground, "reason_zh": "一项评分畸高", "reason_en": "A score is far above the others"});
        refused(&judging.posts(&ward, &office.officer, "/scoring-rounds", Some(&round("abnormal_scores"))), 403, "forbidden");
        refused(&judging.posts(&ward, &evaluators[1], "/scoring-rounds", Some(&round("abnormal_scores"))), 403, "forbidden");
        refused(&judging.posts(&ward, chair, "/scoring-rounds", Some(&round("ordered_anew"))), 409, "rescoring_ground");
        for (one, evaluator) in evaluators.iter().enumerate() {
            sql(&ward, &format!("UPDATE accounts SET email = 'evaluator{one}@people.example' WHERE id = '{}'", evaluator.id)).unwrap();
        }
        let opened = judging.posts(&ward, chair, "/scoring-rounds", Some(&round("abnormal_scores")));
        assert_eq!((opened.status, &opened.json()["round"]), (201, &json!(2)));
        refused(&judging.posts(&ward, &office.approver, "/scoring-rounds", Some(&round("abnormal_scores"))), 409, "rescoring_not_concluded");
        refused(&judging.posts(&ward, chair, "/evaluation", None), 409, "sheets_missing");
        let told = lines(&ward, "SELECT account_id AS line FROM outbox WHERE kind = 'scoring.reopened' ORDER BY account_id");
        let mut sit: Vec<&str> = evaluators.iter().map(|one| one.id.as_str()).collect();
        sit.sort_unstable();
        assert_eq!(told, sit, "everybody who sits is told, and nobody else");
        for evaluator in &evaluators {
            judging.hands_in(&ward, evaluator, &[["25", "20", "10"], ["5", "5", "5"], ["5", "5", "5"]]);
        }
        let again = conclude();
        assert_eq!(again.status, 201, "{}", again.text);
        let result = ok(&judging.sees(&ward, chair, "/evaluation"));
        assert_eq!((&result["round"], &result["dissents"]), (&json!(2), &json!([])));
        assert_eq!(judging.holds(&ward, &auditor, &result)["result"]["ranking"][0], judging.bids[0].as_str());
        assert!(sql(&ward, "DELETE FROM evaluations").is_err() && sql(&ward, "UPDATE score_rounds SET ground = 'out_of_range'").is_err());

        // Once it is published everybody sees it, without names.
        let lot = judging.lot.clone();
        done(&ward, move |tx| store_scores::disclose(tx, &lot));
        let public = ward.get(&judging.path("/evaluation"));
        assert_eq!(ok(&public)["sha256"], result["sha256"]);
        // The round before stays as it was for whoever saw it, was never public, and is not: what is published is.
        let of_round = |round: &str| format!("/evaluation?round={round}");
        let first = ok(&judging.sees(&ward, &office.officer, &of_round("1")));
        assert_eq!((&first["round"], &first["dissents"][0]["reason"], first["sha256"] == result["sha256"]), (&json!(1), &dissent["reason"], false));
        let derivation = judging.sees(&ward, &office.officer, "/evaluation/derivation?round=1");
        assert_eq!((derivation.status, derivation.json()["round"].clone()), (200, json!(1)));
        for path in [of_round("1"), of_round("3"), "/evaluation/derivation?round=1".to_owned()] {
            refused(&ward.get(&judging.path(&path)), 404, "not_found");
        }
        assert_eq!(ok(&ward.get(&judging.path(&of_round("2"))))["sha256"], result["sha256"]);
        refused(&ward.get(&judging.path(&of_round("none"))), 400, "malformed");
        let sheets = ok(&ward.get(&judging.path("/score-sheets")));
        assert_eq!((sheets["items"].as_array().unwrap().len(), &sheets["items"][0]["account_id"]), (3, &Value::Null));
        assert_eq!(ok(&ward.get(&judging.path("/appraisal")))["recorded_by"], Value::Null);
        assert_eq!(ward.get(&judging.path("/score-sheets/own")).status, 401);
        refused(&judging.posts(&ward, chair, "/scoring-rounds", Some(&round("miscalculated"))), 409, "rescoring_too_late");
        for kind in ["score_sheet.saved", "score_sheet.handed_in", "scoring_round.opened", "evaluation.dissented", "lot.evaluated"] {
            let told = serde_json::to_string(&ward.events(kind).iter().map(|event| event["entry"].clone()).collect::<Vec<_>>()).unwrap();
            assert!(!evaluators.iter().any(|one| told.contains(one.id.as_str())), "{kind} tells who: {told}");
        }
    }

    fn residents_appraise_by_a_ballot_in_the_place_of_a_meeting(ward) {
        let judging = Judging::new(&ward, |_| {}, &["500", "450", "400"]);
        let office = &judging.tender.office;
        let evaluators = judging.panel(&ward, 3);
        let city = judging.tender.book["content"]["areas"][0].as_str().unwrap();
        let [gui, _] = peopled(&ward, city, [13, 0]);
        let body = json!({"opens_at": "2026-04-02T00:00:00Z", "closes_at": "2026-04-03T00:00:00Z", "unit": "residents", "quorum_percent": 67});
        let calls = |who: &Person| judging.posts(&ward, who, "/appraisal-ballot", Some(&body));
        refused(&calls(&office.officer), 409, "admission_not_begun");
        judging.examined(&ward, &[]);
        // Kin of a bidder have no vote.
        let kin = gui.all(&ward)[0]["id"].as_str().unwrap().to_owned();
        let listed = gui.ask(&ward, "POST", "voter-listings").json(&json!({"resident_id": kin, "organisation_id": judging.bidders[2].id})).send();
        assert_eq!(listed.status, 201, "{}", listed.text);
        for stranger in [&office.approver, &judging.bidders[0].agent, &evaluators[0]] {
            refused(&calls(stranger), 403, "forbidden");
        }
        let view = calls(&office.officer);
        assert_eq!(view.status, 201, "{}", view.text);
        let (ballot, questions) = (view.json()["id"].as_str().unwrap().to_owned(), view.json()["questions"].clone());
        assert_eq!((&view.json()["kind"], &view.json()["electorate"], questions.as_array().unwrap().len()), (&json!("appraisal"), &json!(12), 3));
        refused(&calls(&office.officer), 409, "appraisal_by_ballot");
        let minutes = uploaded(&ward, &office.officer);
        let points: Value = judging.bids.iter().map(|bid| json!({"bid_id": bid, "criteria": [{"code": "A1", "score": "1"}]})).collect();
        let record = json!({"held_on": "2026-04-01", "eligible": 60, "present": 43, "minutes_id": minutes, "points": points});
        let records = || office.officer.asks(&ward, "PUT", &judging.path("/appraisal")).json(&record).send();
        refused(&records(), 409, "appraisal_by_ballot");

        let page = gui.ask(&ward, "POST", "ballot-letters").json(&json!({"ballot_id": ballot, "everyone": true})).send();
        go_to(&ward, "2026-04-02T00:00:00Z");
        for (at, code) in codes(&page.text).iter().enumerate() {
            // Everybody finds the first good and the second very good; of the third seven of twelve find it fair, and the others poor.
            let of_bid = |bid: &str| match judging.bids.iter().position(|one| one == bid).unwrap() {
                0 => "good",
                1 => "very_good",
                _ if at < 7 => "fair",
                _ => "poor",
            };
            let answers: Value = questions.as_array().unwrap().iter().map(|one| {
                let bid = one["about"].as_str().unwrap();
                json!({"question": one["code"], "choice": of_bid(bid)})
            }).collect();
            assert_eq!(votes(&ward, code, &answers).status, 200);
        }
        for (evaluator, points) in evaluators.iter().zip(&FIRST).take(2) {
            judging.hands_in(&ward, evaluator, points);
        }
        go_to(&ward, "2026-04-03T00:00:00Z");
        // It is counted at once, and nobody learns what of it while somebody of the panel has still to score: not who scores, nor who audits, nor by the log.
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        let path = format!("/ballots/{ballot}");
        for who in [&evaluators[2], &office.officer, &office.approver, &auditor] {
            let view = ok(&gets(&ward, who, &path));
            assert_eq!((&view["state"], &view["is_held"], &view["result"]), (&json!("counted"), &json!(true), &Value::Null));
            for part in ["tally", "box", "record"] {
                refused(&gets(&ward, who, &format!("{path}/{part}")), 409, "ballot_result_held");
            }
            let listed = ok(&gets(&ward, who, &format!("/ballots?matter_id={}", judging.lot)));
            assert_eq!(listed["items"][0]["result"], Value::Null);
        }
        let closed = ward.events("ballot.closed").remove(0)["entry"]["data"].clone();
        let mut named: Vec<&str> = closed.as_object().unwrap().keys().map(String::as_str).collect();
        named.sort_unstable();
        assert_eq!(named, ["ballots", "box_sha256", "electorate", "outcome", "participations", "roll_counted_sha256", "roll_sha256", "sha256", "terms_changed", "unvouched"]);
        assert_eq!(lines(&ward, "SELECT CAST(count(*) AS TEXT) AS line FROM ballot_papers"), ["0"], "the votes are nobody's any more");
        refused(&judging.posts(&ward, &evaluators[0], "/evaluation", None), 409, "sheets_missing");
        judging.hands_in(&ward, &evaluators[2], &FIRST[2]);
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["outcome"], &tally["ballots"]), (&json!("binding"), &json!(12)));
        // The hash in the log was of this, and could not be tried out: chance is in it.
        assert_eq!(tally["blind"].as_str().unwrap().len(), 64);
        let text = ward.get(&format!("/api/v1{path}/tally")).text;
        assert_eq!(hex::encode(Sha256::digest(&text)), closed["sha256"].as_str().unwrap());
        let record = ward.get(&format!("/api/v1{path}/record")).text;
        assert_eq!(recomputed(&ward, &record, true).status.code(), Some(0));
        let view = ok(&ward.get(&format!("/api/v1{path}")));
        assert_eq!((&view["is_held"], &view["result"]["outcome"]), (&json!(false), &json!("binding")));
        refused(&records(), 409, "appraisal_by_ballot");
        assert_eq!(judging.posts(&ward, &evaluators[0], "/evaluation", None).status, 201);
        let result = ok(&judging.sees(&ward, &evaluators[0], "/evaluation"));
        let derivation = judging.holds(&ward, &evaluators[0], &result);
        let scores = |bid: usize| {
            let mut bids = derivation["input"]["bids"].as_array().unwrap().iter();
            bids.find(|one| one["bidder"] == judging.bids[bid].as_str()).unwrap()["scores"]["A1"].clone()
        };
        // Of fifteen points: 80 %, all, and 620/12 %.
        assert_eq!([scores(0), scores(1), scores(2)], [json!(["12.00"]), json!(["15.00"]), json!(["7.75"])]);
        assert_eq!(derivation["input"]["meeting"]["eligible"], json!(12));
    }

    fn where_too_few_vote_a_meeting_may_still_appraise(ward) {
        let judging = Judging::new(&ward, |_| {}, &["500", "450", "400"]);
        let office = &judging.tender.office;
        let evaluators = judging.panel(&ward, 3);
        let city = judging.tender.book["content"]["areas"][0].as_str().unwrap();
        peopled(&ward, city, [12, 0]);
        judging.examined(&ward, &[]);
        let body = json!({"opens_at": "2026-04-02T00:00:00Z", "closes_at": "2026-04-03T00:00:00Z", "unit": "residents", "quorum_percent": 67});
        let view = judging.posts(&ward, &office.officer, "/appraisal-ballot", Some(&body));
        assert_eq!(view.status, 201, "{}", view.text);
        go_to(&ward, "2026-04-03T00:00:00Z");
        for (evaluator, points) in evaluators.iter().zip(&FIRST) {
            judging.hands_in(&ward, evaluator, points);
        }
        let minutes = uploaded(&ward, &office.officer);
        let points: Value = judging.bids.iter().map(|bid| json!({"bid_id": bid, "criteria": [{"code": "A1", "score": "9"}]})).collect();
        let record = json!({"held_on": "2026-04-03", "eligible": 60, "present": 43, "minutes_id": minutes, "points": points});
        let records = || office.officer.asks(&ward, "PUT", &judging.path("/appraisal")).json(&record).send();
        // As long as it is not counted it may still bind.
        let ballot = view.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(ok(&ward.get(&format!("/api/v1/ballots/{ballot}")))["result"]["outcome"], "withheld");
        refused(&judging.posts(&ward, &evaluators[0], "/evaluation", None), 409, "appraisal_not_binding");
        ok(&records());
        ok(&judging.posts(&ward, &office.approver, "/appraisal/confirmation", None));
        assert_eq!(judging.posts(&ward, &evaluators[0], "/evaluation", None).status, 201);
    }

    fn the_lowest_price_needs_no_scores(ward) {
        let judging = Judging::new(&ward, |content| {
            content["method"] = json!("lowest_evaluated_price");
            let mut price = content["lots"][0]["criteria"][0].clone();
            price["weight"] = json!("100");
            content["lots"][0]["criteria"] = json!([price]);
            content["lots"][0]["sme"] = json!({"kind": "deduction", "percent": "10", "consortium_percent": null});
        }, &["500", "450", "400", "300"]);
        let evaluators = judging.panel(&ward, 1);
        judging.examined(&ward, &[0]);
        refused(&judging.saves(&ward, &evaluators[0], &json!([]), None), 409, "scoring_nothing");
        let minutes = uploaded(&ward, &judging.tender.office.officer);
        let record = json!({"held_on": "2026-04-01", "eligible": 60, "present": 43, "minutes_id": minutes, "points": []});
        refused(&judging.tender.office.officer.asks(&ward, "PUT", &judging.path("/appraisal")).json(&record).send(), 409, "appraisal_nothing");
        assert_eq!(judging.posts(&ward, &evaluators[0], "/evaluation", None).status, 201);
        let result = ok(&judging.sees(&ward, &evaluators[0], "/evaluation"));
        let derivation = judging.holds(&ward, &evaluators[0], &result);
        assert_eq!(derivation["result"]["ranking"], json!([judging.bids[1], judging.bids[2], judging.bids[3]]));
        let out = of(&derivation, &judging.bids[0]);
        assert_eq!((&out["rank"], &out["out"]["code"]), (&Value::Null, &json!("disqualified")));
        // What is judged is less the deduction, what is paid is not.
        assert_eq!((&of(&derivation, &judging.bids[1])["evaluated_price"], &result["places"][0]["price"]["amount"]), (&json!("360.00"), &json!("400.00")));
        refused(&judging.posts(&ward, &evaluators[0], "/scoring-rounds", Some(&json!({"ground": "miscalculated", "reason_zh": "错", "reason_en": "Wrong"}))), 409, "scoring_nothing");
    }

    fn with_nobody_left_the_lot_comes_to_nothing(ward) {
        let judging = Judging::new(&ward, |_| {}, &["500", "450", "400"]);
        let office = &judging.tender.office;
        judging.examined(&ward, &[0, 1, 2]);
        let balances = || office.treasury.balances(&ward, &office.line);
        assert_eq!(balances()["reserved"], "600.00");
        let stranger = person(&ward, &[Grant::of(Role::BuyerOfficer)]);
        refused(&judging.posts(&ward, &stranger, "/evaluation", None), 403, "forbidden");
        assert_eq!(judging.posts(&ward, &office.officer, "/evaluation", None).status, 201);
        let result = ok(&judging.sees(&ward, &office.officer, "/evaluation"));
        assert_eq!(result["outcome"], "unsuccessful");
        assert_eq!(judging.holds(&ward, &office.officer, &result)["result"]["ranking"], json!([]));
        assert_eq!((&balances()["reserved"], ward.events("lot.unsuccessful").len()), (&json!("0.00"), 1));
        refused(&judging.posts(&ward, &office.officer, "/evaluation", None), 409, "scoring_concluded");
        // That nobody gets it is public, and so is why.
        assert_eq!(ok(&ward.get(&judging.path("/evaluation")))["outcome"], "unsuccessful");
    }
}
