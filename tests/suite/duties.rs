//! Separation of duties in the database: nobody checks their own work on one matter, not through a deputy, and not by doing
//! both at the same moment.

use std::sync::Barrier;

use serde_json::{Value, json};
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::duties::rules::Duty;
use wardbook::duties::store::{self, Capacity};
use wardbook::kernel::refusal::{Answer, Stop};
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::Role;

use crate::harness::Ward;
use crate::on_both;

fn officer(account: &str) -> Actor {
    let grants = vec![Grant::of(Role::BuyerOfficer)];
    Actor::in_session(account.to_owned(), "session_1".to_owned(), grants)
}

/// Does a duty as an act does: with its event, in one transaction.
fn undertake(ward: &Ward, actor: &Actor, duty: Duty, matter: &'static str) -> Answer<()> {
    let actor = actor.clone();
    ward.context().db.write_and_wait(move |tx| {
        let capacity = Capacity {
            role: Role::BuyerOfficer,
            organisation: None,
        };
        store::undertake(tx, &actor, capacity, duty, matter)?;
        let event = Event {
            kind: "duty.done",
            subject: matter.to_owned(),
            data: json!({ "duty": duty.name() }),
            private: Value::Null,
        };
        audit::store::append(tx, &actor, &event)?;
        Ok(())
    })
}

fn code(answer: Answer<()>) -> &'static str {
    match answer {
        Ok(()) => "done",
        Err(Stop::Refused(refusal)) => refusal.reason.code,
        Err(Stop::Fault(fault)) => panic!("{fault}"),
    }
}

on_both! {
    fn nobody_checks_their_own_work_on_one_matter(ward) {
        let (anna, boris) = (officer("user_anna"), officer("user_boris"));
        assert_eq!(code(undertake(&ward, &anna, Duty::Draft, "book_1")), "done");
        assert_eq!(code(undertake(&ward, &anna, Duty::Approve, "book_1")), "separation_of_duties");
        assert_eq!(ward.events("duty.done").len(), 1, "what was refused left a trace");
        // Drafting once more is no check, another matter is another matter, and another person may approve.
        assert_eq!(code(undertake(&ward, &anna, Duty::Draft, "book_1")), "done");
        assert_eq!(code(undertake(&ward, &anna, Duty::Approve, "book_2")), "done");
        assert_eq!(code(undertake(&ward, &boris, Duty::Approve, "book_1")), "done");
        assert_eq!(code(undertake(&ward, &boris, Duty::Draft, "book_1")), "separation_of_duties");
        let done = ward.context().db.read_and_wait(|conn| store::done_on(conn, "book_1")).unwrap();
        let done: Vec<_> = done.iter().map(|done| (done.duty, done.person.as_str())).collect();
        assert_eq!(done, [(Duty::Approve, "user_boris"), (Duty::Draft, "user_anna")]);
    }

    fn a_deputys_doing_counts_as_that_of_both(ward) {
        let deputy = Actor::in_session("user_deputy".to_owned(), "session_2".to_owned(), vec![
            Grant::of(Role::BuyerOfficer).as_deputy_of("user_anna"),
        ]);
        assert_eq!(code(undertake(&ward, &deputy, Duty::Draft, "book_1")), "done");
        assert_eq!(code(undertake(&ward, &officer("user_anna"), Duty::Approve, "book_1")), "separation_of_duties");
        assert_eq!(code(undertake(&ward, &officer("user_deputy"), Duty::Approve, "book_1")), "separation_of_duties");
        assert_eq!(code(undertake(&ward, &officer("user_anna"), Duty::Draft, "book_2")), "done");
        assert_eq!(code(undertake(&ward, &deputy, Duty::Approve, "book_2")), "separation_of_duties");
    }

    fn two_duties_at_the_same_moment_are_not_both_done(ward) {
        let matters = ["book_1", "book_2", "book_3", "book_4", "book_5", "book_6", "book_7", "book_8"];
        for matter in matters {
            let line = Barrier::new(2);
            let codes = std::thread::scope(|threads| {
                [Duty::Certify, Duty::Authorise]
                    .map(|duty| {
                        let (ward, line) = (&ward, &line);
                        threads.spawn(move || {
                            line.wait();
                            code(undertake(ward, &officer("user_anna"), duty, matter))
                        })
                    })
                    .map(|thread| thread.join().unwrap())
            });
            let mut codes = codes.to_vec();
            codes.sort_unstable();
            assert_eq!(codes, ["done", "separation_of_duties"], "{matter}");
        }
    }
}
