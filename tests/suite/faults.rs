//! What the data layer promises when something goes wrong inside the process: a job that fails, panics or lies, a caller
//! that hangs up, a full queue, a shutdown, a race, a lost connection. What needs a process to die is in `crashes.rs`.
//! Nothing here depends on how fast the machine is: jobs are held at a gate until everything stands as the test wants it.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread::{JoinHandle, ScopedJoinHandle};
use std::time::{Duration, Instant as Stopwatch};

use diesel::prelude::*;
use serde_json::json;
use wardbook::db::conn::{Access, Conn, DatabaseUrl, connect};
use wardbook::db::database::Db;
use wardbook::db::schema::{areas, audit_checkpoints, audit_events, idempotency_keys};
use wardbook::db::writer::Tx;
use wardbook::kernel::refusal::{Answer, Fault, Stop};
use wardbook::registry::acts::{self, CreateArea};
use wardbook::registry::rules::AreaId;
use wardbook::web::actor::Actor;
use wardbook::web::idempotency;
use wardbook::web::policy::Role;

use crate::harness::{Reply, Ward};
use crate::on_both;

/// How long anything may take on a machine that is busy with something else; no test waits so long in order to pass.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Asks again and again until there is an answer.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Stopwatch::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Every writer of a ward, busy until the gate is opened: what is written meanwhile waits in the queue.
struct Gate {
    holding: Option<mpsc::Sender<()>>,
    held: Vec<JoinHandle<Answer<()>>>,
}

impl Gate {
    fn shut(db: &Db, writers: usize) -> Self {
        let (holding, opened) = mpsc::channel::<()>();
        let opened = Arc::new(Mutex::new(opened));
        let (arrived, arrivals) = mpsc::channel();
        let held = (0..writers)
            .map(|_| {
                let (db, opened, arrived) = (db.clone(), opened.clone(), arrived.clone());
                std::thread::spawn(move || {
                    db.write_and_wait(move |tx| {
                        arrived.send(()).unwrap();
                        // An error: the sender is gone, and with it the gate.
                        let _ = opened.lock().unwrap().recv();
                        tx.nothing_to_change();
                        Ok(())
                    })
                })
            })
            .collect();
        for _ in 0..writers {
            arrivals
                .recv_timeout(PATIENCE)
                .expect("a writer comes to the gate");
        }
        Self {
            holding: Some(holding),
            held,
        }
    }

    /// One for each writer that the harness gives a ward.
    fn of(ward: &Ward) -> Self {
        let writers = if ward.database.is_some() { 4 } else { 1 };
        Self::shut(&db(ward), writers)
    }

    fn open(mut self) {
        drop(self.holding.take());
        for writer in self.held.drain(..) {
            writer.join().unwrap().unwrap();
        }
    }
}

fn db(ward: &Ward) -> Db {
    ward.context().db.clone()
}

fn admin() -> Actor {
    Actor::signed_in("user_admin".to_owned(), vec![Role::Admin])
}

fn city(name: &str) -> CreateArea {
    CreateArea {
        parent_id: None,
        name_zh: name.to_owned(),
        name_en: name.to_owned(),
        code: None,
    }
}

/// Adds a city through its act.
fn add(tx: &mut Tx<'_>, name: &str) -> Answer<AreaId> {
    Ok(acts::create(tx, &admin(), &city(name))?.id)
}

/// Adds a city's row and nothing else.
fn add_silently(tx: &mut Tx<'_>, name: &str) -> Answer<()> {
    let now = tx.now().naive_utc();
    let id = AreaId::mint(tx.now());
    insert_row(tx.conn(), id.as_str(), name, now)?;
    Ok(())
}

fn insert_row(conn: &mut Conn, id: &str, name: &str, at: chrono::NaiveDateTime) -> QueryResult<usize> {
    diesel::insert_into(areas::table)
        .values((
            areas::id.eq(id),
            areas::level.eq("city"),
            areas::name_zh.eq(name),
            areas::name_en.eq(name),
            areas::path.eq(format!("{id}/")),
            areas::version.eq(1_i64),
            areas::created_at.eq(at),
            areas::updated_at.eq(at),
        ))
        .execute(conn)
}

/// The names of all areas, in order.
fn names(ward: &Ward) -> Vec<String> {
    db(ward)
        .read_and_wait(|conn| {
            Ok(areas::table
                .select(areas::name_zh)
                .order(areas::name_zh)
                .load(conn)?)
        })
        .unwrap()
}

/// As [`names`], while connections come and go.
fn names_or_none(ward: &Ward) -> Option<Vec<String>> {
    let found = db(ward).read_and_wait(|conn| Ok(areas::table.select(areas::name_zh).load(conn)?));
    found.ok()
}

/// Events in the log, waiting ones included.
fn events(ward: &Ward) -> i64 {
    db(ward)
        .read_and_wait(|conn| Ok(audit_events::table.count().get_result(conn)?))
        .unwrap()
}

fn keys(conn: &mut Conn) -> i64 {
    idempotency_keys::table.count().get_result(conn).unwrap()
}

fn keys_of(ward: &Ward) -> i64 {
    db(ward).read_and_wait(|conn| Ok(keys(conn))).unwrap()
}

fn fault(stop: Stop) -> String {
    match stop {
        Stop::Fault(fault) => fault.to_string(),
        Stop::Refused(refusal) => panic!("refused instead: {refusal:?}"),
    }
}

fn refusal(stop: Stop) -> &'static str {
    match stop {
        Stop::Refused(refusal) => refusal.reason.code,
        Stop::Fault(fault) => panic!("a fault instead: {fault}"),
    }
}

/// A panic that says nothing on standard error, where people would take it for a failure.
fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// A POST of a new city under an idempotency key.
fn post_city(ward: &Ward, name: &str) -> Reply {
    ward.ask("POST", "/api/v1/areas")
        .by(Role::Admin)
        .header("idempotency-key", name)
        .json(&json!({ "name_zh": name, "name_en": name }))
        .send()
}

fn numbered(prefix: &str, count: u32) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}-{n:03}")).collect()
}

fn joined<T>(handles: Vec<ScopedJoinHandle<'_, T>>) -> Vec<T> {
    handles.into_iter().map(|handle| handle.join().unwrap()).collect()
}

/// Waits until so many writes wait, at least: what the house does for itself may wait among them.
fn wait_for_queue(db: &Db, count: usize) {
    eventually("the writes to queue up", || {
        (db.writes_waiting() >= count).then_some(())
    });
}

fn wait_for_empty_queue(db: &Db) {
    eventually("the queue to be empty", || {
        (db.writes_waiting() == 0).then_some(())
    });
}

on_both! {
    /// Fifty writes gather behind a busy writer. One fails and one panics, both after they have written: they alone are
    /// told so and they alone leave nothing. On SQLite one checkpoint over all of the others shows that it was one group.
    fn of_fifty_grouped_jobs_one_that_fails_and_one_that_panics_fail_alone(ward) {
        const FAILS: usize = 17;
        const PANICS: usize = 33;
        let before = events(&ward);
        let jobs = numbered("a", 50);
        let gate = Gate::of(&ward);
        let answers = std::thread::scope(|threads| {
            let waiting: Vec<_> = jobs
                .iter()
                .enumerate()
                .map(|(n, name)| {
                    let (db, name) = (db(&ward), name.clone());
                    threads.spawn(move || {
                        db.write_and_wait(move |tx| {
                            let id = add(tx, &name)?;
                            match n {
                                FAILS => Err(Fault::broken("this one fails").into()),
                                PANICS => panic_quietly(),
                                _ => Ok(id),
                            }
                        })
                    })
                })
                .collect();
            wait_for_queue(&db(&ward), 50);
            gate.open();
            joined(waiting)
        });
        for (n, answer) in answers.into_iter().enumerate() {
            match n {
                FAILS => assert_eq!(fault(answer.unwrap_err()), "this one fails"),
                PANICS => assert_eq!(fault(answer.unwrap_err()), "a job panicked: on purpose"),
                _ => drop(answer.unwrap()),
            }
        }
        let mut expected = jobs;
        expected.remove(PANICS);
        expected.remove(FAILS);
        assert_eq!(names(&ward), expected);
        assert_eq!(events(&ward), before + 48, "one event for each that was done, none for the two");
        ward.settle();
        if ward.database.is_none() {
            let signed: Vec<i64> = db(&ward)
                .read_and_wait(|conn| {
                    Ok(audit_checkpoints::table
                        .filter(audit_checkpoints::size.gt(before))
                        .select(audit_checkpoints::size)
                        .load(conn)?)
                })
                .unwrap();
            assert_eq!(signed, [before + 48], "one transaction, one checkpoint");
        }
        assert_eq!(post_city(&ward, "a-017").status, 201, "its name is free");
    }

    fn a_write_that_records_no_event_is_a_fault_and_leaves_nothing(ward) {
        let before = events(&ward);
        let answer = db(&ward).write_and_wait(|tx| add_silently(tx, "无痕市"));
        assert_eq!(fault(answer.unwrap_err()), "a write recorded no event");
        assert_eq!((names(&ward), events(&ward)), (vec![], before));
    }

    fn an_act_that_finds_nothing_to_change_is_undone_and_answered(ward) {
        let before = events(&ward);
        let answer = db(&ward).write_and_wait(|tx| {
            add(tx, "凤城市")?;
            add_silently(tx, "无痕市")?;
            tx.nothing_to_change();
            Ok(42)
        });
        assert_eq!(answer.unwrap(), 42);
        assert_eq!((names(&ward), events(&ward)), (vec![], before));
    }

    /// PostgreSQL answers COMMIT with success when it rolls back a transaction in which a statement failed.
    fn a_job_that_swallows_an_error_of_the_database_is_told_the_truth(ward) {
        let answer = db(&ward).write_and_wait(|tx| {
            let id = add(tx, "凤城市")?;
            let now = tx.now().naive_utc();
            let again = insert_row(tx.conn(), id.as_str(), "青溪市", now);
            assert!(again.is_err(), "the id is taken");
            Ok(())
        });
        let done = names(&ward) == ["凤城市"];
        assert_eq!(answer.is_ok(), done, "answered {answer:?}, and it is {done} that it was done");
        assert_eq!(done, ward.database.is_none());
    }

    /// Whoever has the answer may send the same request again, so its key must be free by then.
    fn a_job_lets_go_of_what_it_holds_before_its_caller_is_answered(ward) {
        struct Held(Arc<AtomicBool>);
        impl Drop for Held {
            fn drop(&mut self) {
                // Long enough for the caller to look, if it were told already.
                std::thread::sleep(Duration::from_millis(50));
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let let_go = Arc::new(AtomicBool::new(false));
        let held = Held(let_go.clone());
        db(&ward)
            .write_and_wait(move |tx| {
                let _held = &held;
                add(tx, "凤城市")
            })
            .unwrap();
        assert!(let_go.load(Ordering::SeqCst));
    }

    fn a_client_that_hangs_up_neither_loses_nor_doubles_its_write(ward) {
        let token = ward.token(Role::Admin);
        let send = |name: &str| {
            let body = json!({ "name_zh": name, "name_en": name }).to_string();
            let mut stream = TcpStream::connect(ward.server().address).unwrap();
            let request = format!(
                "POST /api/v1/areas HTTP/1.1\r\nHost: ward.test\r\nAuthorization: Bearer {token}\r\n\
                 Idempotency-Key: {name}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(request.as_bytes()).unwrap();
            stream
        };

        // Hung up on while the write waits in the queue: it is done, once, although nobody waits for it.
        let waited = numbered("a", 10);
        let gate = Gate::of(&ward);
        let streams: Vec<_> = waited.iter().map(|name| send(name)).collect();
        wait_for_queue(&db(&ward), 10);
        drop(streams);
        gate.open();
        eventually("ten writes that nobody waits for", || (names(&ward) == waited).then_some(()));
        for name in &waited {
            let again = post_city(&ward, name);
            assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
        }

        // Hung up on at once, wherever the request was by then: sent again, it is done exactly once.
        let at_once = numbered("b", 20);
        for name in &at_once {
            drop(send(name));
        }
        for name in &at_once {
            eventually("the same request again", || match post_city(&ward, name) {
                reply if reply.status == 409 && reply.code() == "idempotency_in_progress" => None,
                reply => {
                    assert_eq!(reply.status, 201, "{}", reply.text);
                    Some(())
                }
            });
        }
        let all = [waited, at_once].concat();
        assert_eq!(names(&ward), all);
        assert_eq!(ward.events("area.created").len(), all.len());
    }

    fn a_full_queue_refuses_with_503_does_nothing_of_it_and_recovers(ward) {
        let mut ward = ward;
        ward.restart(|settings| {
            settings.write_queue_max = 3;
            settings.database_writers = 1;
        });
        let queued = numbered("a", 3);
        let gate = Gate::shut(&db(&ward), 1);
        let ward = &ward;
        std::thread::scope(|threads| {
            // What the house itself writes now and then may take a place before one of them.
            let insists = |name: &str| loop {
                let reply = post_city(ward, name);
                if reply.status != 503 {
                    return reply;
                }
                std::thread::yield_now();
            };
            let waiting: Vec<_> = queued
                .iter()
                .map(|name| threads.spawn(move || insists(name)))
                .collect();
            wait_for_queue(&db(ward), 3);
            for _ in 0..2 {
                let refused = post_city(ward, "b");
                assert_eq!((refused.status, refused.code().as_str()), (503, "write_queue_full"));
                let seconds: u32 = refused.header("retry-after").unwrap().parse().unwrap();
                assert!(seconds >= 1);
            }
            assert_eq!(ward.get("/api/v1/areas").status, 200, "reads go on");
            assert_eq!(db(ward).writes_waiting(), 3);
            gate.open();
            for reply in joined(waiting) {
                assert_eq!(reply.status, 201, "{}", reply.text);
            }
        });
        assert_eq!(names(ward), queued);
        let done = post_city(ward, "b");
        assert_eq!((done.status, done.header("idempotent-replayed")), (201, None));
    }

    fn a_drained_writer_answers_what_waited_and_refuses_what_comes_after(ward) {
        let queued = numbered("a", 20);
        let gate = Gate::of(&ward);
        std::thread::scope(|threads| {
            let waiting: Vec<_> = queued
                .iter()
                .map(|name| {
                    let (db, name) = (db(&ward), name.clone());
                    threads.spawn(move || db.write_and_wait(move |tx| add(tx, &name)))
                })
                .collect();
            wait_for_queue(&db(&ward), 20);
            let draining = threads.spawn(|| db(&ward).drain());
            // A closed queue counts as empty, although nothing of it can have been done yet.
            wait_for_empty_queue(&db(&ward));
            gate.open();
            for answer in joined(waiting) {
                answer.unwrap();
            }
            draining.join().unwrap();
        });
        assert_eq!(refusal(db(&ward).write_and_wait(|tx| add(tx, "b")).unwrap_err()), "shutting_down");
        assert_eq!(names(&ward), queued);
    }

    /// The listening socket is closed while twenty requests wait for the writer: all of them are done and answered.
    fn a_server_that_stops_answers_every_request_it_has_taken(ward) {
        let mut ward = ward;
        ward.restart(|settings| settings.shutdown_timeout_seconds = 100);
        let queued = numbered("a", 20);
        let (address, token, db) = (ward.server().address, ward.token(Role::Admin), db(&ward));
        let url = ward.url("/api/v1/areas");
        let gate = Gate::of(&ward);
        let server = ward.server.take().unwrap();
        std::thread::scope(|threads| {
            let waiting: Vec<_> = queued
                .iter()
                .map(|name| {
                    let (url, token) = (&url, &token);
                    threads.spawn(move || {
                        let agent = ureq::Agent::new_with_defaults();
                        let sent = agent
                            .post(url)
                            .header("authorization", &format!("Bearer {token}"))
                            .content_type("application/json")
                            .send(json!({ "name_zh": name, "name_en": name }).to_string());
                        sent.map(|reply| reply.status().as_u16())
                    })
                })
                .collect();
            wait_for_queue(&db, 20);
            let stopping = threads.spawn(move || server.stop());
            eventually("the port to be closed", || TcpListener::bind(address).ok().map(drop));
            gate.open();
            for status in joined(waiting) {
                assert_eq!(status.unwrap(), 201);
            }
            stopping.join().unwrap().unwrap();
        });
        ward.restart(|_| {});
        assert_eq!(names(&ward), queued);
    }

    fn of_many_who_race_for_the_same_thing_exactly_one_wins(ward) {
        const RIVALS: usize = 12;
        let top = ward.area(None, "凤城市");
        let race = |ask: &(dyn Fn(usize) -> Reply + Sync)| {
            let line = Barrier::new(RIVALS);
            std::thread::scope(|threads| {
                let rivals: Vec<_> = (0..RIVALS)
                    .map(|n| {
                        let line = &line;
                        threads.spawn(move || {
                            line.wait();
                            ask(n)
                        })
                    })
                    .collect();
                joined(rivals)
            })
        };
        let tally = |replies: &[Reply], won: u16, lost: (u16, &str)| {
            let winners = replies.iter().filter(|reply| reply.status == won).count();
            assert_eq!(winners, 1, "{replies:?}");
            for reply in replies.iter().filter(|reply| reply.status != won) {
                assert_eq!((reply.status, reply.code().as_str()), lost, "{}", reply.text);
            }
        };
        for round in 0..4 {
            // The same version of the same area, under as many names.
            let area = ward.area(Some(&top), &format!("甲-{round}"));
            let replies = race(&|n| {
                ward.ask("PATCH", &format!("/api/v1/areas/{area}"))
                    .by(Role::Admin)
                    .header("if-match", "\"v1\"")
                    .json(&json!({ "name_zh": format!("乙-{round}-{n}") }))
                    .send()
            });
            tally(&replies, 200, (412, "version_stale"));

            // The same name under the same parent.
            let replies = race(&|_| {
                ward.post("/api/v1/areas", &json!({ "parent_id": top, "name_zh": format!("丙-{round}"), "name_en": "C" }))
            });
            tally(&replies, 201, (409, "area_name_taken"));

            // The same code under different names.
            let replies = race(&|n| {
                let name = format!("丁-{round}-{n}");
                let code = format!("31010{round}");
                ward.post("/api/v1/areas", &json!({ "parent_id": top, "name_zh": name, "name_en": "D", "code": code }))
            });
            tally(&replies, 201, (409, "area_code_taken"));

            // The same request under the same key: one does it, the others are told to wait or get its answer.
            let replies = race(&|_| post_city(&ward, &format!("e-{round}")));
            let first: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
            assert!(!first.is_empty());
            for reply in &replies {
                match reply.status {
                    201 => assert_eq!(reply.text, first[0].text),
                    _ => assert_eq!((reply.status, reply.code().as_str()), (409, "idempotency_in_progress")),
                }
            }
        }
        assert_eq!(ward.events("area.renamed").len(), 4);
        assert_eq!(ward.events("area.created").len(), 1 + 4 * 4);
    }

    fn the_side_that_reads_cannot_write(ward) {
        let now = ward.context().clock.now().naive_utc();
        let attempt = move |conn: &mut Conn| -> Answer<()> {
            insert_row(conn, "area_00000000000000000000000000", "偷写市", now)?;
            Ok(())
        };
        let db = db(&ward);
        fault(db.read_and_wait(attempt).unwrap_err());
        fault(block_on(db.read(attempt)).unwrap_err());
        fault(block_on(db.glance(attempt)).unwrap_err());
        assert_eq!(names(&ward), Vec::<String>::new());
        db.write_and_wait(move |tx| {
            attempt(tx.conn())?;
            add(tx, "凤城市")
        })
        .expect("the writer can");
        assert_eq!(names(&ward), ["偷写市", "凤城市"]);
    }

    /// Forgetting old keys records no event, may fail or die half-way, and then has forgotten nothing.
    fn upkeep_is_done_whole_or_not_at_all(ward) {
        for name in numbered("a", 5) {
            assert_eq!(post_city(&ward, &name).status, 201);
        }
        let before = events(&ward);
        let db = db(&ward);
        let forget = |tx: &mut Tx<'_>| {
            let later = tx.now() + idempotency::REMEMBERED_FOR + chrono::Duration::seconds(1);
            let forgotten = idempotency::forget_old(tx, later)?;
            assert_eq!((forgotten, keys(tx.conn())), (5, 0));
            Ok(forgotten)
        };
        let failed = block_on(db.upkeep(move |tx| {
            forget(tx)?;
            Err::<usize, _>(Fault::broken("this one fails").into())
        }));
        assert_eq!(fault(failed.unwrap_err()), "this one fails");
        let panicked = block_on(db.upkeep::<usize, _>(move |tx| {
            forget(tx)?;
            panic_quietly()
        }));
        assert_eq!(fault(panicked.unwrap_err()), "a job panicked: on purpose");
        assert_eq!(keys_of(&ward), 5);

        if let Some(database) = &ward.database {
            // The server loses the connection between the deletion and the commit.
            let cut_off = database.cutter();
            let lost = block_on(db.upkeep(move |tx| {
                let forgotten = forget(tx)?;
                cut_off();
                Ok(forgotten)
            }));
            fault(lost.unwrap_err());
        } else {
            // What is on the disk between the deletion and the commit is what a crash there would leave.
            let (from, crash) = (ward.dir.path().to_owned(), tempfile::tempdir().unwrap());
            let to = crash.path().to_owned();
            let crashed = block_on(db.upkeep::<usize, _>(move |tx| {
                forget(tx)?;
                for file in ["wardbook.db", "wardbook.db-wal"] {
                    std::fs::copy(from.join(file), to.join(file)).unwrap();
                }
                Err(Fault::broken("this one fails").into())
            }));
            fault(crashed.unwrap_err());
            let copy = DatabaseUrl::Sqlite(crash.path().join("wardbook.db"));
            assert_eq!(keys(&mut connect(&copy, Access::Write).unwrap()), 5);
        }
        assert_eq!(keys_of(&ward), 5);
        let again = post_city(&ward, "a-000");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));

        let done = block_on(db.upkeep(move |tx| forget(tx)));
        assert_eq!((done.unwrap(), keys_of(&ward)), (5, 0));
        assert_eq!(events(&ward), before, "upkeep is no event");
    }
}

/// Only a server can be lost: these are PostgreSQL's.
mod a_connection_that_is_lost {
    use super::*;

    mod before_the_commit_is_replaced_and_the_act_done_once {
        use super::*;

        #[test]
        fn postgres() {
            let Some(ward) = Ward::postgres() else { return };
            let cut_off = ward.database.as_ref().unwrap().cutter();
            let before = events(&ward);
            let runs = Arc::new(AtomicU32::new(0));
            let count = runs.clone();
            db(&ward)
                .write_and_wait(move |tx| {
                    if count.fetch_add(1, Ordering::SeqCst) == 0 {
                        add_silently(tx, "凤城市")?;
                        cut_off();
                    }
                    add(tx, "凤城市")
                })
                .unwrap();
            assert_eq!(runs.load(Ordering::SeqCst), 2);
            assert_eq!(
                (names(&ward), events(&ward)),
                (vec!["凤城市".to_owned()], before + 1)
            );
        }
    }

    /// Nobody can know whether it was done, so it is neither answered as done nor run a second time.
    mod at_the_commit_is_a_fault_and_the_act_is_not_repeated {
        use super::*;

        #[test]
        fn postgres() {
            let Some(ward) = Ward::postgres() else { return };
            let cut_off = ward.database.as_ref().unwrap().cutter();
            let runs = Arc::new(AtomicU32::new(0));
            let count = runs.clone();
            let answer = db(&ward).write_and_wait(move |tx| {
                count.fetch_add(1, Ordering::SeqCst);
                add(tx, "凤城市")?;
                cut_off();
                Ok(())
            });
            fault(answer.unwrap_err());
            assert_eq!(runs.load(Ordering::SeqCst), 1);
            assert_eq!(names(&ward), Vec::<String>::new());
            assert_eq!(post_city(&ward, "a").status, 201);
        }
    }

    /// Every idle connection dies, twice over: the next requests, at least one for each writer and reader, notice nothing.
    mod while_it_was_idle_is_replaced_unnoticed {
        use super::*;

        #[test]
        fn postgres() {
            let Some(ward) = Ward::postgres() else { return };
            let cut_off = ward.database.as_ref().unwrap().cutter();
            for round in 0..2 {
                cut_off();
                for name in numbered(&format!("a{round}"), 12) {
                    let reply = post_city(&ward, &name);
                    assert_eq!(reply.status, 201, "{}", reply.text);
                    assert_eq!(ward.get("/api/v1/areas").status, 200);
                }
            }
            assert_eq!(ward.get("/health/ready").status, 200);
            assert_eq!(names(&ward).len(), 24);
            assert_eq!(
                ward.events("area.created").len(),
                24,
                "the sequencer has come back too"
            );
        }
    }

    /// Under load, requests get 503, or 500 if they were caught at the very commit. Sent again they are done exactly once.
    mod under_load_costs_a_retry_at_most {
        use super::*;

        #[test]
        fn postgres() {
            let Some(ward) = Ward::postgres() else { return };
            let cut_off = ward.database.as_ref().unwrap().cutter();
            let (stop, ward) = (AtomicBool::new(false), &ward);
            let written: Vec<String> = std::thread::scope(|threads| {
                let writers: Vec<_> = (0..4)
                    .map(|thread| {
                        let stop = &stop;
                        threads.spawn(move || {
                            let mut written = Vec::new();
                            while !stop.load(Ordering::SeqCst) {
                                let name = format!("a{thread}-{:04}", written.len());
                                eventually("the same write again", || {
                                    let reply = post_city(ward, &name);
                                    assert!(matches!(reply.status, 201 | 500 | 503), "{}", reply.text);
                                    (reply.status == 201).then_some(())
                                });
                                written.push(name);
                            }
                            written
                        })
                    })
                    .collect();
                let reader = threads.spawn(|| {
                    while !stop.load(Ordering::SeqCst) {
                        let reply = ward.get("/api/v1/areas?limit=1");
                        assert!(matches!(reply.status, 200 | 503), "{}", reply.text);
                    }
                });
                for cut in 1..=4 {
                    cut_off();
                    // Not time but work has to pass between two cuts.
                    let seen = eventually("a read", || names_or_none(ward)).len();
                    eventually("the writes to go on", || {
                        (names_or_none(ward).is_some_and(|names| names.len() >= seen + 8)).then_some(cut)
                    });
                }
                stop.store(true, Ordering::SeqCst);
                reader.join().unwrap();
                joined(writers).concat()
            });
            let mut expected = written;
            expected.sort();
            assert_eq!(names(ward), expected);
            ward.settle();
        }
    }
}
