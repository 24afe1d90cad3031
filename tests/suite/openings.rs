//! Openings: at the deadline and never before, by the key of the service or by witnesses' shares; what is opened, what is not and why, and
//! that anybody can check it.

use std::sync::Barrier;

use serde_json::{Value, json};
use wardbook::app::opening_verification::{Place, verify};
use wardbook::bids::{acts_openings, sealing, store_openings};
use wardbook::books::acts_witnesses;
use wardbook::books::custody::Custody;
use wardbook::kernel::refusal::Stop;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::Role;

use crate::bids::{Bidder, DEADLINE, Tender, taken};
use crate::books::{Office, ok};
use crate::cast::{Person, person};
use crate::evidence::uploaded;
use crate::faults::block_on;
use crate::files::{pdf, phone_jpeg};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{CODES, refused, sql};
use crate::outbox::lines;
use crate::panels::Opened;
use crate::suppliers::debarment;
use crate::treasury::{gets, posts};
use crate::witnesses::{Witness, shared_book};

fn opens(ward: &Ward, who: &Person, book: &str) -> Reply {
    posts(ward, who, &format!("/contract-books/{book}/opening"), None)
}

fn codes(bid: &Value) -> Vec<(&str, bool)> {
    let findings = bid["findings"].as_array().unwrap().iter();
    findings
        .map(|one| {
            (
                one["code"].as_str().unwrap(),
                one["is_decisive"].as_bool().unwrap(),
            )
        })
        .collect()
}

on_both! { in "test";
    fn bids_are_opened_by_two_of_three_shares_and_anybody_can_check_it(ward) {
        let office = Office::new(&ward);
        let witnesses = [(); 3].map(|()| Witness::registered(&ward));
        let book = shared_book(&ward, (&office, office.whole(&ward)), 2, &[&witnesses[0], &witnesses[1], &witnesses[2]]);
        let id = book["id"].as_str().unwrap().to_owned();
        let tender = Tender {
            lot: book["lots"][0]["id"].as_str().unwrap().to_owned(),
            recipient: book["recipient"].as_str().unwrap().to_owned(),
            office,
            book,
        };
        let bidders: Vec<Bidder> = ["洁城公司", "德润公司", "新禾公司", "清澜公司"].iter().zip(CODES).map(|(name, code)| Bidder::new(&ward, name, code)).collect();
        // One in the open and one sealed by its bidder; the third sends the bytes of the second, the fourth seals to another key.
        taken(&bidders[0].submits(&ward, &tender, &bidders[0].bid(&ward, &tender, "500"), None), 201);
        let mut cheaper = bidders[1].bid(&ward, &tender, "400");
        cheaper["key_staff"] = json!([{"name": "某人", "position": "项目经理", "qualification": null}]);
        let sealed = sealing::seal(cheaper.to_string().as_bytes(), &tender.recipient).unwrap();
        taken(&bidders[1].sends(&ward, &tender, &sealed, (1, None)), 201);
        taken(&bidders[2].sends(&ward, &tender, &sealed, (1, None)), 201);
        let elsewhere = age::x25519::Identity::generate().to_public().to_string();
        let astray = sealing::seal(bidders[3].bid(&ward, &tender, "1").to_string().as_bytes(), &elsewhere).unwrap();
        taken(&bidders[3].sends(&ward, &tender, &astray, (1, None)), 201);

        // Not before its time, not by anybody, and not with fewer shares than it takes.
        refused(&opens(&ward, &tender.office.officer, &id), 409, "opening_not_yet");
        let sheets = [0, 1, 2].map(|index: usize| witnesses[index].sheet(&ward, &id));
        ward.context().clock.advance(DEADLINE.parse().unwrap());
        let debarred = ward.ask("POST", "/api/v1/debarments").by(Role::Regulator).json(&debarment(&bidders[0].id, "2026-04-01", "2028-03-31")).send();
        assert_eq!(debarred.status, 201, "{}", debarred.text);
        refused(&opens(&ward, &witnesses[0].person, &id), 403, "forbidden");
        refused(&opens(&ward, &tender.office.officer, &id), 409, "opening_shares_missing");
        ok(&witnesses[2].hands_in(&ward, &id, &sheets[2].share.to_hex()));
        refused(&opens(&ward, &tender.office.officer, &id), 409, "opening_shares_missing");
        // Whoever has not handed in theirs is reminded, once a day, and so are the buyer's people.
        let day = wardbook::kernel::local_day::local_date(ward.context().clock.now(), ward.context().calendar.zone);
        for who in [&witnesses[0].person, &witnesses[1].person, &witnesses[2].person, &tender.office.officer, &tender.office.approver] {
            sql(&ward, &format!("UPDATE accounts SET email = '{0}@ward.example' WHERE id = '{0}'", who.id)).unwrap();
        }
        for day in [day, day, day.succ_opt().unwrap()] {
            let book = id.parse().unwrap();
            let remind = ward.context().db.upkeep(move |tx| acts_witnesses::remind(tx, &book, day));
            block_on(remind).unwrap();
        }
        let reminded = lines(&ward, "SELECT account_id AS line FROM outbox WHERE kind = 'shares.awaited' ORDER BY account_id");
        let mut awaited: Vec<&str> = [&witnesses[0].person, &witnesses[1].person, &tender.office.officer, &tender.office.approver].iter().flat_map(|who| [who.id.as_str(); 2]).collect();
        awaited.sort_unstable();
        assert_eq!(reminded, awaited);
        assert_eq!(ward.get(&format!("/api/v1/lots/{}/opening", tender.lot)).status, 404);
        assert_eq!(ok(&ward.get(&format!("/api/v1/contract-books/{id}/opening")))["items"], json!([]));
        ok(&witnesses[0].hands_in(&ward, &id, &sheets[0].share.to_hex()));

        // Asked twice at once, opened once.
        let barrier = Barrier::new(2);
        let at_once = |who: &Person| { barrier.wait(); opens(&ward, who, &id) };
        let (a, b) = std::thread::scope(|scope| {
            let other = scope.spawn(|| at_once(&tender.office.approver));
            (at_once(&tender.office.officer), other.join().unwrap())
        });
        let opening = ok(&a);
        assert_eq!((ok(&b), opening["items"][0]["outcome"].as_str()), (opening.clone(), Some("opened")));
        let told = ward.events("lot.opened");
        assert_eq!((told.len(), &told[0]["entry"]["data"]["sha256"]), (1, &opening["items"][0]["sha256"]));
        assert_eq!((ward.events("bid.sealed").len(), &told[0]["entry"]["data"]["entries"]), (4, &json!(4)), "what was kept out of the log stands in it now");
        assert_eq!(sql(&ward, "UPDATE given_shares SET sealed = NULL WHERE sealed IS NOT NULL").unwrap(), 0, "the shares are forgotten");
        assert_eq!(ok(&witnesses[1].hands_in(&ward, &id, &sheets[1].share.to_hex()))["given"], 3);
        assert_eq!(sql(&ward, "UPDATE given_shares SET sealed = NULL WHERE sealed IS NOT NULL").unwrap(), 0);

        let path = format!("/api/v1/lots/{}", tender.lot);
        let record = ok(&ward.get(&format!("{path}/opening")));
        let opened = record["opened"].as_array().unwrap();
        assert_eq!(opened.iter().map(|bid| bid["supplier_id"].as_str().unwrap()).collect::<Vec<_>>(), [bidders[1].id.as_str(), &bidders[0].id], "the lowest price first");
        assert_eq!((&record["key"], &record["bids"], &record["still_sealed"]), (&json!({"kind": "shared", "threshold": 2, "shares": [1, 3]}), &json!(4), &json!([])));
        let mut unopenable: Vec<_> = record["unopenable"].as_array().unwrap().iter().map(|bid| (bid["supplier_id"].as_str().unwrap(), bid["reason"].as_str().unwrap())).collect();
        unopenable.sort_by_key(|(_, reason)| *reason);
        assert_eq!(unopenable, [(bidders[2].id.as_str(), "names_another"), (&bidders[3].id, "not_to_this_book")]);
        // The register has one name for who is in charge of both, which the panel looks into; a debarment decides.
        assert_eq!((codes(&opened[0]), codes(&opened[1])), (vec![("same_control", false)], vec![("debarred", true), ("same_control", false)]));
        assert!(sql(&ward, "UPDATE openings SET outcome = 'unsuccessful'").is_err() && sql(&ward, "DELETE FROM opened_bids").is_err());

        // One of them holds nothing personal: everybody checks it, and the auditor both. What somebody has changed does not hold.
        let url = ward.url(&format!("{path}/opening"));
        let verdict = verify(&Place::Url(url.clone(), None)).unwrap();
        assert_eq!((verdict.checked, verdict.missing.len(), verdict.exit_code()), (1, 1, 2), "{verdict}");
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        let verdict = verify(&Place::Url(url, Some(auditor.token.clone()))).unwrap();
        assert_eq!((verdict.checked, verdict.exit_code(), Some(verdict.sha256.as_str())), (2, 0, opening["items"][0]["sha256"].as_str()), "{verdict}");
        let bid = format!("{path}/opened-bids/{}", opened[0]["bid_id"].as_str().unwrap());
        assert_eq!(ward.get(&bid).status, 404);
        assert_eq!(gets(&ward, &bidders[0].agent, bid.trim_start_matches("/api/v1")).status, 404);
        assert_eq!(ok(&gets(&ward, &tender.office.officer, bid.trim_start_matches("/api/v1")))["total"], cheaper["total"]);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("record.json");
        std::fs::write(&file, record.to_string().replace(opened[0]["total"]["amount"].as_str().unwrap(), "0.01")).unwrap();
        std::fs::write(dir.path().join(format!("{}.age", opened[0]["sha256"].as_str().unwrap())), &sealed).unwrap();
        let files = Place::Files(file, Some(dir.path().to_owned()));
        assert_eq!(verify(&files).unwrap().exit_code(), 1, "another price");
    }

    fn what_was_withdrawn_or_not_confirmed_stays_sealed_and_each_bidder_is_told_of_its_own(ward) {
        let tender = Tender::new(&ward);
        let id = tender.book["id"].as_str().unwrap();
        let codes = CODES.iter().copied().chain(["91330100255508888E"]);
        let names = ["洁城公司", "德润公司", "新禾公司", "清澜公司", "绿洲公司"];
        let bidders: Vec<Bidder> = names.iter().zip(codes).map(|(name, code)| Bidder::new(&ward, name, code)).collect();
        for (number, bidder) in bidders.iter().enumerate() {
            sql(&ward, &format!("UPDATE accounts SET email = 'agent{number}@bidder.example' WHERE id = '{}'", bidder.agent.id)).unwrap();
        }
        let hash = |bytes: &[u8]| hex::encode(wardbook::bids::rules::hash(bytes));
        taken(&bidders[0].submits(&ward, &tender, &bidders[0].bid(&ward, &tender, "300"), None), 201);
        tender.addendum(&ward, true);
        // One does nothing about it, one withdraws, three bid as the book is now.
        let bid = taken(&bidders[1].submits(&ward, &tender, &bidders[1].bid(&ward, &tender, "310"), None), 201);
        taken(&bidders[1].acts(&ward, bid["bid_id"].as_str().unwrap(), "withdrawal", None), 200);
        let (scheme, other, picture) = (pdf("scheme"), pdf("other"), phone_jpeg(5));
        let (db, clock, zone) = (&ward.context().db, &ward.context().clock, ward.context().calendar.zone);
        let keeper = Custody::open(&ward.house().settings.keys_dir()).unwrap();
        let prepared = |now| {
            let book = id.parse().unwrap();
            db.read_primary_and_wait(|conn| acts_openings::prepare(conn, &Actor::system(), &book, now, acts_openings::Place { zone, keeper: &keeper })).unwrap()
        };
        // Decrypted for an opening before the last bids are there, as if these had begun before the deadline and come in after it.
        let overtaken = prepared(DEADLINE.parse().unwrap());
        for (bidder, price) in bidders[2..].iter().zip(["320", "330", "340"]) {
            let mut bid = bidder.bid(&ward, &tender, price);
            bid["documents"] = json!([{"name": "方案.pdf", "sha256": hash(&scheme), "bytes": scheme.len()}, {"name": "现场.jpg", "sha256": hash(&picture), "bytes": picture.len()}]);
            bid["key_staff"] = json!([{"name": "某人", "position": "项目经理", "qualification": null}]);
            taken(&bidder.submits(&ward, &tender, &bid, None), 201);
        }
        let etag = |ward: &Ward| ward.get(&format!("/api/v1/contract-books/{id}")).header("etag").unwrap().to_owned();
        let (before, read) = (etag(&ward), || ok(&ward.get(&format!("/api/v1/contract-books/{id}"))));
        assert_eq!(read()["opened_at"], json!(null));
        ward.context().clock.advance(DEADLINE.parse().unwrap());
        let debarred = ward.ask("POST", "/api/v1/debarments").by(Role::Regulator).json(&debarment(&bidders[4].id, "2026-04-01", "2028-03-31")).send();
        assert_eq!(debarred.status, 201, "{}", debarred.text);
        // By the service itself, as it does when nobody has come.
        let waits = |minutes: i64| {
            let before = clock.now() + chrono::Duration::minutes(minutes);
            db.read_and_wait(move |conn| store_openings::waiting(conn, before, 10)).unwrap()
        };
        assert_eq!((waits(-5).len(), waits(1).iter().map(ToString::to_string).collect::<Vec<_>>()), (0, vec![id.to_owned()]));
        let open = |prepared: Option<acts_openings::Prepared>| {
            let book = id.parse().unwrap();
            db.write_and_wait(move |tx| acts_openings::open(tx, &Actor::system(), &book, prepared.as_ref()).map(|_| ()))
        };
        let stopped = open(overtaken).unwrap_err();
        assert!(matches!(&stopped, Stop::Refused(refusal) if refusal.reason.code == "opening_overtaken"), "{stopped}");
        assert!(read()["opened_at"].is_null(), "no bid is lost for having come in late");
        open(prepared(clock.now())).unwrap();
        assert_eq!(waits(1), []);
        assert!(read()["opened_at"].is_string() && etag(&ward) != before, "whoever has a copy sees that it is not current");

        let path = format!("/api/v1/lots/{}", tender.lot);
        let record = ok(&ward.get(&format!("{path}/opening")));
        assert_eq!((&record["bids"], record["opened"].as_array().unwrap().len()), (&json!(3), 3));
        let mut sealed: Vec<&str> = record["still_sealed"].as_array().unwrap().iter().map(|bid| bid["reason"].as_str().unwrap()).collect();
        sealed.sort_unstable();
        assert_eq!(sealed, ["unconfirmed", "withdrawn"]);
        let told = lines(&ward, "SELECT account_id || ' ' || facts AS line FROM outbox WHERE kind = 'lot.opened'");
        let of = |bidder: &Bidder| {
            let mut own = told.iter().filter(|line| line.starts_with(bidder.agent.id.as_str()));
            (own.next().cloned().unwrap_or_default(), own.count())
        };
        for (bidder, words) in bidders.iter().zip(["unconfirmed", "withdrawn", "\"against\":[]", "\"against\":[]", "debarred"]) {
            let (line, more) = of(bidder);
            assert!(line.contains(words) && more == 0, "{words}: {line}");
        }

        // Its bidder reads it, and hands in the files that it names, and no others; the other bidders get neither.
        let bid = record["opened"].as_array().unwrap().iter().find(|bid| bid["supplier_id"] == bidders[2].id.as_str()).unwrap();
        let own = format!("{path}/opened-bids/{}", bid["bid_id"].as_str().unwrap());
        let reads = |bidder: &Bidder, path: &str| bidder.agent.asks(&ward, "GET", path).send();
        assert_eq!(ok(&reads(&bidders[2], &own))["total"], bid["total"]);
        assert_eq!((reads(&bidders[3], &own).status, reads(&bidders[3], &format!("{own}/documents")).status), (404, 404));
        let upload = |bidder: &Bidder, bytes: &[u8]| uploaded(bidder.agent.asks(&ward, "POST", "/api/v1/attachments"), "application/pdf", bytes);
        let hands_in = |bidder: &Bidder, file: &str| bidder.agent.asks(&ward, "POST", &format!("{own}/documents")).json(&json!({"attachment_ids": [file]})).send();
        let files = [upload(&bidders[2], &other), upload(&bidders[2], &scheme), upload(&bidders[2], &scheme), upload(&bidders[3], &scheme)];
        refused(&hands_in(&bidders[2], &files[0]), 409, "bid_document_not_named");
        refused(&hands_in(&bidders[3], &files[3]), 403, "forbidden");
        assert_eq!(ok(&hands_in(&bidders[2], &files[1]))["items"][0]["attachment_id"], json!(files[1]));
        refused(&hands_in(&bidders[2], &files[2]), 409, "bid_document_not_named");
        // A picture whose hash was sealed is handed in as the camera wrote it.
        let pictures = ["", "?keep_metadata=true"].map(|query| uploaded(bidders[2].agent.asks(&ward, "POST", &format!("/api/v1/attachments{query}")), "image/jpeg", &picture));
        let refusal = hands_in(&bidders[2], &pictures[0]);
        refused(&refusal, 409, "bid_document_not_named");
        assert!(refusal.text.contains("keep_metadata=true"), "{}", refusal.text);
        assert_eq!(ok(&hands_in(&bidders[2], &pictures[1]))["items"][1]["attachment_id"], json!(pictures[1]));
        let download = |who: &Person| gets(&ward, who, &format!("/attachments/{}/content", files[1])).status;
        assert_eq!([&tender.office.officer, &bidders[2].agent, &bidders[3].agent].map(download), [200; 3], "nobody has marked it as confidential");
        let figures = ok(&ward.get(&format!("{path}/opening/statistics")));
        assert_eq!((&figures["opened"], &figures["out"], &figures["still_sealed"], &figures["lowest"]), (&json!(3), &json!(1), &json!(2), &bid["total"]));
        assert_eq!(ok(&gets(&ward, &tender.office.officer, &format!("{}/documents", own.trim_start_matches("/api/v1"))))["items"][0]["attachment_id"], json!(files[1]));
        assert_eq!((ward.events("bid.documents_handed_in").len(), ward.get("/api/v1/contract-books/book_01jd3n8f5teqkrzvq1c0m6h2ax/opening").status), (2, 404));
    }

    fn a_lot_with_too_few_bids_is_unsuccessful_and_its_money_is_free_again(ward) {
        let tender = Tender::new(&ward);
        let id = tender.book["id"].as_str().unwrap();
        for (name, code) in ["洁城公司", "德润公司"].iter().zip(CODES) {
            let bidder = Bidder::new(&ward, name, code);
            taken(&bidder.submits(&ward, &tender, &bidder.bid(&ward, &tender, "500"), None), 201);
        }
        ward.context().clock.advance(DEADLINE.parse().unwrap());
        let balances = || tender.office.treasury.balances(&ward, &tender.office.line);
        assert_eq!(balances()["reserved"], "600.00");
        let opening = ok(&opens(&ward, &tender.office.officer, id));
        assert_eq!(opening["items"][0]["outcome"], "unsuccessful");
        assert_eq!((&balances()["reserved"], &balances()["available"]), (&json!("0.00"), &json!("1000.00")));
        let record = ok(&ward.get(&format!("/api/v1/lots/{}/opening", tender.lot)));
        assert_eq!((&record["bids"], &record["bids_min"], &record["opened"], &record["unopenable"]), (&json!(2), &json!(3), &json!([]), &json!([])));
        assert_eq!(record["key"], json!({"kind": "custodial", "threshold": null, "shares": []}));
        assert_eq!(ok(&opens(&ward, &tender.office.approver, id)), opening);
        assert_eq!((ward.events("lot.unsuccessful").len(), ward.events("lot.opened").len()), (1, 0));
        let stranger = person(&ward, &[Grant::of(Role::BuyerOfficer)]);
        refused(&opens(&ward, &stranger, id), 403, "forbidden");
    }
}

on_both! { in "cn";
    fn what_a_bidder_marks_is_kept_from_the_public_until_the_buyer_has_decided(ward) {
        let hash = |bytes: &[u8]| hex::encode(wardbook::bids::rules::hash(bytes));
        let (scheme, recipe) = (pdf("scheme"), pdf("recipe"));
        let opened = Opened::saying(&ward, &[("500.00", "500"), ("510.00", "510"), ("520.00", "520")], |bid| {
            bid["documents"] = json!([
                {"name": "方案.pdf", "sha256": hash(&scheme), "bytes": scheme.len()}, {"name": "配方.pdf", "sha256": hash(&recipe), "bytes": recipe.len()},
            ]);
            bid["key_staff"] = json!([{"name": "某人", "position": "项目经理", "qualification": null}]);
            bid["confidential"] = json!([
                {"pointer": "/documents/1", "kind": "trade_secret", "reason": "专有配方"}, {"pointer": "/criteria/0/text", "kind": "trade_secret", "reason": "专有技术"},
            ]);
        });
        let (tender, bidders) = (&opened.tender, &opened.bidders);
        sql(&ward, &format!("UPDATE accounts SET email = 'agent@qing.example' WHERE id = '{}'", bidders[0].agent.id)).unwrap();
        let record = ok(&ward.get(&format!("/api/v1/lots/{}/opening", tender.lot)));
        let bid = record["opened"].as_array().unwrap().iter().find(|bid| bid["supplier_id"] == bidders[0].id.as_str()).unwrap();
        let own = format!("/api/v1/lots/{}/opened-bids/{}", tender.lot, bid["bid_id"].as_str().unwrap());
        let files = [&scheme, &recipe].map(|file| uploaded(bidders[0].agent.asks(&ward, "POST", "/api/v1/attachments"), "application/pdf", file));
        ok(&bidders[0].agent.asks(&ward, "POST", &format!("{own}/documents")).json(&json!({"attachment_ids": files})).send());
        let by = |file: &str| [&tender.office.officer, &bidders[0].agent, &bidders[1].agent].map(|who| gets(&ward, who, &format!("/attachments/{file}/content")).status);
        assert_eq!((by(&files[0]), by(&files[1])), ([200, 200, 200], [200, 200, 404]), "what is marked stays with those whom it concerns");

        let view = format!("{own}/public-view");
        let public = ok(&ward.get(&view));
        assert_eq!(public["kept"], json!(["/criteria/0/text", "/documents/1", "/key_staff/0/name", "/key_staff/0/qualification"]));
        assert_eq!((&public["document"]["total"], &public["document"]["criteria"][0]["text"], &public["document"]["key_staff"][0]["name"]), (&bid["total"], &json!(null), &json!(null)));
        assert_eq!((public["files"].as_array().unwrap().len(), &public["files"][0]["attachment_id"], &public["marks"][1]["state"]), (1, &json!(files[0]), &json!("pending")));
        let decides = |who: &Person, decisions: Value| who.asks(&ward, "POST", &format!("{own}/confidentiality")).json(&json!({"decisions": decisions})).send();
        let decision = |mark: u32, is_accepted: bool| json!({"mark": mark, "is_accepted": is_accepted, "reason": "经核实"});
        for nobody in [&tender.office.officer, &bidders[0].agent] {
            refused(&decides(nobody, json!([decision(1, true)])), 403, "forbidden");
        }
        refused(&decides(&tender.office.approver, json!([decision(3, true)])), 422, "invalid");
        let decided = ok(&decides(&tender.office.approver, json!([decision(1, true), decision(2, false)])));
        assert_eq!((&decided["marks"][0]["state"], &decided["marks"][1]["state"], &decided["kept"]), (&json!("accepted"), &json!("refused"), &public["kept"]), "not yet");
        let told = lines(&ward, "SELECT account_id AS line FROM outbox WHERE kind = 'bid.confidentiality_decided'");
        assert_eq!(told, [bidders[0].agent.id.to_string()]);
        let events = ward.events("bid.confidentiality_decided");
        assert_eq!((events.len(), &events[0]["entry"]["data"]["decisions"][1]["is_accepted"]), (1, &json!(false)));
        assert!(sql(&ward, "UPDATE bid_confidentiality_decisions SET is_accepted = is_accepted").is_err() && sql(&ward, "DELETE FROM bid_confidentiality_decisions").is_err());

        // From the end of the seventh working day on, and no second earlier; then it is too late for another decision.
        let public_from: chrono::DateTime<chrono::Utc> = decided["marks"][1]["public_from"].as_str().unwrap().parse().unwrap();
        let clock = &ward.context().clock;
        assert!((7..20).contains(&(public_from - clock.now()).num_days()));
        clock.advance(public_from - chrono::Duration::seconds(1));
        assert_eq!(ok(&ward.get(&view))["document"]["criteria"][0]["text"], json!(null));
        clock.advance(public_from);
        let public = ok(&ward.get(&view));
        assert!(public["document"]["criteria"][0]["text"].is_string(), "{public}");
        assert_eq!(public["kept"], json!(["/documents/1", "/key_staff/0/name", "/key_staff/0/qualification"]));
        refused(&decides(&tender.office.approver, json!([decision(2, true)])), 409, "confidentiality_public_already");
    }
}
