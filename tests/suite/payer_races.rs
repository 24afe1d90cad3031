//! Many who pay at once, over HTTP and inside the service, each on a connection of its own where the database lets them: of one commitment never a fen too much is certified or
//! paid, and each payment is made once.

use std::collections::BTreeMap;
use std::sync::{Barrier, Mutex};

use serde_json::{Value, json};
use wardbook::budget::rules_ledger::{AccountCode, Order, TransferCode, TransferId};
use wardbook::kernel::money::Money;
use wardbook::kernel::refusal::{Answer, Stop};
use wardbook::payments::acts_claims::{self, Certifying};
use wardbook::payments::acts_payments;
use wardbook::payments::rules_claims::ClaimId;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::conditional::Expected;
use wardbook::web::policy::Role;

use crate::award_sequences::Dice;
use crate::awards::go_to;
use crate::cast::Person;
use crate::claims::Counter;
use crate::harness::{Reply, Ward};
use crate::ledger::{account, post, verdict};
use crate::on_both;
use crate::treasury::{Treasury, posts};

/// Who races, half of them over HTTP.
const RACERS: usize = 8;
/// Claims for a period of 191,550.00, that are all of it.
const CLAIMS: usize = 12;

fn by_months(lot: &mut Value) {
    lot["payment"] = json!({
        "advance_percent": "0", "periods_percent": "100", "retention_percent": "0", "period": "month", "periods": 12, "shares": []
    });
}

/// Everybody does what there is to do in an order of their own, all at once; how often each thing was done.
fn race(things: &[String], act: &(dyn Fn(usize, &str) -> bool + Sync)) -> BTreeMap<String, u32> {
    let (start, done) = (Barrier::new(RACERS), Mutex::new(BTreeMap::new()));
    std::thread::scope(|threads| {
        for racer in 0..RACERS {
            let (start, done) = (&start, &done);
            threads.spawn(move || {
                start.wait();
                let mut dice = Dice(u64::try_from(racer).unwrap());
                let mut left: Vec<&String> = things.iter().collect();
                while !left.is_empty() {
                    let thing = left.swap_remove(dice.roll(left.len()));
                    if act(racer, thing) {
                        *done.lock().unwrap().entry(thing.clone()).or_insert(0) += 1;
                    }
                }
            });
        }
    });
    done.into_inner().unwrap()
}

/// How it ended: with a refusal at most. Whoever lost every race against the others tries again.
fn is_done<T>(act: impl Fn() -> Answer<T>) -> Result<(), &'static str> {
    loop {
        match act() {
            Ok(_) => return Ok(()),
            Err(Stop::Refused(refusal)) if refusal.reason.code == "contention" => {}
            Err(Stop::Refused(refusal)) => return Err(refusal.reason.code),
            Err(Stop::Fault(fault)) => panic!("{fault}"),
        }
    }
}

/// The same over HTTP.
fn is_good(ask: impl Fn() -> Reply) -> bool {
    loop {
        let status = ask().status;
        assert!(status < 500 || status == 503, "{status}");
        if status != 503 {
            return status == 200;
        }
    }
}

fn inside(counter: &Counter<'_>, who: &Person, role: Role) -> Actor {
    let department = counter.work.case.office.treasury.department.clone();
    Actor::in_session(
        who.id.to_string(),
        "session_race".to_owned(),
        vec![Grant::of(role).in_organisation(department)],
    )
}

fn less() -> Value {
    json!({"less_zh": "余额不足", "less_en": "No more is left"})
}

/// Certifies for what is left, over HTTP or inside.
fn certifies(counter: &Counter<'_>, is_inside: bool, claim: &str) -> bool {
    if !is_inside {
        let certify = |said: &Value| is_good(|| counter.certifies(counter.officer(), claim, said));
        return certify(&json!({})) || certify(&less());
    }
    let officer = inside(counter, counter.officer(), Role::BuyerOfficer);
    let context = counter.ward().house().context.clone();
    let id: ClaimId = claim.parse().unwrap();
    let certify = |less: (Option<String>, Option<String>)| {
        let once = || {
            let (officer, id, shared, less) = (officer.clone(), id.clone(), context.clone(), less.clone());
            context.db.write_and_wait(move |tx| {
                let said = Certifying {
                    penalties: None,
                    less: less.clone(),
                };
                acts_claims::certify(tx, &officer, (&id, Expected::Any), said, &shared.calendar)?;
                Ok(())
            })
        };
        is_done(once).is_ok()
    };
    let words = (Some("余额不足".to_owned()), Some("No more is left".to_owned()));
    certify((None, None)) || certify(words)
}

/// Pays, over HTTP or inside.
fn executes(counter: &Counter<'_>, is_inside: bool, claim: &str) -> bool {
    if !is_inside {
        return is_good(|| counter.acts(&counter.executes, claim, "execution"));
    }
    let finance = inside(counter, &counter.executes, Role::FinanceOfficer);
    let context = counter.ward().house().context.clone();
    let id: ClaimId = claim.parse().unwrap();
    let once = || {
        let (finance, id, shared) = (finance.clone(), id.clone(), context.clone());
        context.db.write_and_wait(move |tx| {
            acts_payments::execute(tx, &finance, (&id, Expected::Any), &shared.calendar)?;
            Ok(())
        })
    };
    is_done(once).is_ok()
}

fn fen(amount: &Value) -> i64 {
    amount["amount"]
        .as_str()
        .unwrap()
        .replace('.', "")
        .parse()
        .unwrap()
}

fn runs(ward: &Ward) {
    let counter = Counter::new(ward, "2027-04-30", by_months);
    go_to(ward, "2026-07-01T02:00:00Z");
    counter.accepts(1);
    counter.accepts(2);

    // Claims that fill a period exactly: each is paid once, whoever tries.
    let claims: Vec<String> = (0..CLAIMS)
        .map(|n| counter.approved(&Counter::of_period(1, "15962.50", &format!("A{n}"))))
        .collect();
    let done = race(&claims, &|racer, claim| executes(&counter, racer % 2 == 0, claim));
    assert_eq!(done.len(), CLAIMS);
    assert!(done.values().all(|times| *times == 1), "{done:?}");
    assert_eq!(
        counter.balances(),
        ["7701400.00", "2107050.00", "0.00", "191550.00"]
    );

    // Claims for three times as much as there is: what is certified adds up to what there is, and is paid once.
    let claims: Vec<String> = (0..CLAIMS)
        .map(|n| counter.claimed(&Counter::of_period(2, "47887.63", &format!("B{n}"))))
        .collect();
    let done = race(&claims, &|racer, claim| {
        certifies(&counter, racer % 2 == 0, claim)
    });
    assert!(done.values().all(|times| *times == 1), "{done:?}");
    let certified: Vec<i64> = claims
        .iter()
        .map(|claim| counter.shown(claim)["certified"].clone())
        .filter(|certified| !certified.is_null())
        .map(|certified| fen(&certified["amount"]))
        .collect();
    assert_eq!((certified.len(), certified.iter().sum::<i64>()), (4, 19_155_000));
    assert_eq!(certified.iter().filter(|amount| **amount == 4_788_763).count(), 3);
    for claim in done.keys() {
        assert_eq!(counter.acts(&counter.approves, claim, "approval").status, 200);
    }
    let paid = race(&claims, &|racer, claim| executes(&counter, racer % 2 == 0, claim));
    assert_eq!((paid.len(), paid.values().all(|times| *times == 1)), (4, true));
    assert_eq!(
        counter.balances(),
        ["7701400.00", "1915500.00", "0.00", "383100.00"]
    );

    // A period is closed once.
    go_to(ward, "2026-08-03T02:00:00Z");
    counter.accepts(3);
    let all = json!({"penalties": [{"penalty": 1, "count": 100, "reason_zh": "未到岗", "reason_en": "Nobody came"}]});
    let path = format!("/contracts/{}/periods/3/closing", counter.work.contract);
    let closed = race(&[path], &|_, path| {
        is_good(|| posts(ward, counter.officer(), path, Some(&all)))
    });
    assert_eq!(closed.values().copied().collect::<Vec<_>>(), [1]);
    assert_eq!(
        counter.balances(),
        ["7892950.00", "1723950.00", "0.00", "383100.00"]
    );
}

on_both! { in "test";
    fn payers_over_http_and_inside_never_pay_a_fen_too_much(ward) {
        runs(&ward);
    }

    /// Below the rules of claims: whatever asks the ledger for money of one hold gets no more than is in it.
    fn one_hold_gives_what_is_in_it_to_whoever_is_first(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let line = treasury.filled(&ward, "LA", "100.00");
        let [available, committed, spent] = [AccountCode::Available, AccountCode::Committed, AccountCode::Spent].map(|code| account(&ward, &line, code));
        let begun = {
            let (available, committed) = (available.clone(), committed.clone());
            ward.context().db.write_and_wait(move |tx| {
                let id = TransferId::mint(tx.now());
                post(tx, vec![Order { id: id.clone(), from: available.clone(), to: committed.clone(), amount: Money::from_fen(10_000).unwrap(), code: TransferCode::Commitment, hold: None, matter: "test".to_owned() }])?;
                Ok(id)
            })
        };
        let hold = begun.unwrap();
        let orders: Vec<String> = (1..=40).map(|n| (100 + n).to_string()).collect();
        let paid = Mutex::new(0_i64);
        race(&orders, &|_, amount| {
            let fen = amount.parse::<i64>().unwrap();
            let done = is_done(|| {
                let (hold, committed, spent) = (hold.clone(), committed.clone(), spent.clone());
                ward.context().db.write_and_wait(move |tx| {
                    let id = TransferId::mint(tx.now());
                    post(tx, vec![Order { id, from: committed.clone(), to: spent.clone(), amount: Money::from_fen(fen).unwrap(), code: TransferCode::Payment, hold: Some(hold.clone()), matter: "test".to_owned() }])
                })
            });
            match done {
                Ok(()) => *paid.lock().unwrap() += fen,
                Err(code) => assert!(["ledger_hold_exceeded", "ledger_hold_ended"].contains(&code), "{code}"),
            }
            done.is_ok()
        });
        let paid = paid.into_inner().unwrap();
        // The smallest of them does not fit any more.
        assert!((9_900..=10_000).contains(&paid), "{paid}");
        let balances = treasury.balances(&ward, &line);
        let yuan = |fen: i64| format!("{}.{:02}", fen / 100, fen % 100);
        assert_eq!((balances["spent"].as_str().unwrap(), balances["committed"].as_str().unwrap()), (yuan(paid).as_str(), yuan(10_000 - paid).as_str()));
        assert!(verdict(&ward).holds());
    }
}
