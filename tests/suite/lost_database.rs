//! What becomes of a write or a read when PostgreSQL fails without telling diesel how (a deadlock, a timeout, a value it cannot
//! store), and of the service when PostgreSQL is gone. SQLite has neither locks to wait for nor a server to lose.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant as Stopwatch};

use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::json;
use wardbook::audit::store;
use wardbook::db::conn::{Access, Conn, connect};
use wardbook::db::database::Db;
use wardbook::db::migrate;
use wardbook::db::writer::Tx;
use wardbook::kernel::refusal::{Answer, Stop};
use wardbook::registry::acts::{self, CreateArea};
use wardbook::web::actor::Actor;
use wardbook::web::policy::Role;

use crate::faults::eventually;
use crate::harness::Ward;
use crate::process::Site;

/// `on_postgres! { fn name(ward) { … } }`: as `on_both!`, on PostgreSQL alone.
macro_rules! on_postgres {
    ($($(#[$doc:meta])* fn $name:ident($ward:ident) $body:block)+) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            fn scenario($ward: Ward) $body

            #[test]
            fn postgres() {
                if let Some(ward) = Ward::postgres() {
                    scenario(ward);
                }
            }
        }
    )+};
}

fn db(ward: &Ward) -> Db {
    ward.context().db.clone()
}

/// Adds a city through its act.
fn add(tx: &mut Tx<'_>, name: &str) -> Answer<()> {
    let admin = Actor::signed_in("user_admin".to_owned(), vec![Role::Admin]);
    let city = CreateArea {
        parent_id: None,
        name_zh: name.to_owned(),
        name_en: name.to_owned(),
        code: None,
    };
    acts::create(tx, &admin, &city)?;
    Ok(())
}

fn run(conn: &mut Conn, statement: &str) -> Answer<()> {
    diesel::sql_query(statement).execute(conn)?;
    Ok(())
}

fn names(ward: &Ward) -> Vec<String> {
    let all = ward.get("/api/v1/areas?limit=200").json();
    let items = all["items"].as_array().unwrap().iter();
    items
        .map(|area| area["name_zh"].as_str().unwrap().to_owned())
        .collect()
}

/// A job, and how often it is run.
fn counted(
    mut job: impl FnMut(&mut Tx<'_>, u32) -> Answer<()> + Send + 'static,
) -> (
    Arc<AtomicU32>,
    impl FnMut(&mut Tx<'_>) -> Answer<()> + Send + 'static,
) {
    let runs = Arc::new(AtomicU32::new(0));
    let count = runs.clone();
    let run = move |tx: &mut Tx<'_>| {
        let earlier = count.fetch_add(1, Ordering::SeqCst);
        job(tx, earlier)
    };
    (runs, run)
}

/// The code of a refusal, or the text of a fault.
fn outcome<T>(answer: Answer<T>) -> Result<T, String> {
    answer.map_err(|stop| match stop {
        Stop::Refused(refusal) => refusal.reason.code.to_owned(),
        Stop::Fault(fault) => format!("a fault: {fault}"),
    })
}

/// The same ward, whose statements may take no longer than this.
fn hurried(mut ward: Ward, limit: Duration) -> Ward {
    let url = ward.database.as_ref().unwrap().url();
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!(
        "{url}{joint}options=-c%20statement_timeout%3D{}",
        limit.as_millis()
    );
    ward.restart(|settings| settings.database_url = url);
    ward
}

on_postgres! {
    /// PostgreSQL has no place for a zero character in a text. Nobody can send one so far, but if somebody could, it would be a
    /// bug, which is neither contention nor worth thirty-two attempts.
    fn a_value_that_cannot_be_stored_is_a_fault_at_once(ward) {
        let (runs, job) = counted(|tx, _| {
            add(tx, "凤城市")?;
            diesel::sql_query("SELECT $1").bind::<Text, _>("a\0b").execute(tx.conn())?;
            Ok(())
        });
        let answer = outcome(db(&ward).write_and_wait(job)).unwrap_err();
        assert!(answer.starts_with("a fault: query the database"), "{answer}");
        // More than one only if the machine was so busy that the statement seemed to wait for a lock.
        assert!(runs.load(Ordering::SeqCst) <= 3, "{runs:?}");
        assert_eq!(names(&ward), Vec::<String>::new());
        assert_eq!(ward.post("/api/v1/areas", &json!({"name_zh": "凤城市", "name_en": "x"})).status, 201);
    }

    fn a_statement_that_takes_too_long_is_given_up_at_once_and_its_caller_told(ward) {
        let ward = hurried(ward, Duration::from_millis(1_500));
        let (runs, job) = counted(|tx, _| {
            add(tx, "凤城市")?;
            run(tx.conn(), "SELECT pg_sleep(30)")
        });
        let begun = Stopwatch::now();
        assert_eq!(outcome(db(&ward).write_and_wait(job)), Err("database_timed_out".to_owned()));
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        let read = db(&ward).read_and_wait(|conn| run(conn, "SELECT pg_sleep(30)"));
        assert_eq!(outcome(read), Err("database_timed_out".to_owned()));
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        assert_eq!(names(&ward), Vec::<String>::new());
        let explained = ward.get("/problems/database_timed_out").json();
        assert_eq!(explained["status"], 503);
    }

    /// Two writers take the same two rows in opposite order. PostgreSQL ends one of them, and diesel has no name for that; it
    /// is run again, and both are done.
    fn a_deadlock_is_a_lost_race(ward) {
        for name in ["甲", "乙"] {
            ward.area(None, name);
        }
        let both_have_one = Arc::new(Barrier::new(2));
        let touch = |tx: &mut Tx<'_>, name: &str| {
            run(tx.conn(), &format!("UPDATE areas SET name_en = name_en || 'x' WHERE name_zh = '{name}'"))
        };
        let (counts, answers): (Vec<_>, Vec<_>) = std::thread::scope(|threads| {
            let writers: Vec<_> = [("甲", "乙"), ("乙", "甲")]
                .into_iter()
                .map(|(first, second)| {
                    let (db, both_have_one) = (db(&ward), both_have_one.clone());
                    threads.spawn(move || {
                        let (runs, job) = counted(move |tx, earlier| {
                            touch(tx, first)?;
                            if earlier == 0 {
                                both_have_one.wait();
                            }
                            touch(tx, second)?;
                            add(tx, &format!("{first}{second}"))
                        });
                        let answer = outcome(db.write_and_wait(job));
                        (runs.load(Ordering::SeqCst), answer)
                    })
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).unzip()
        });
        assert_eq!(answers, [Ok(()), Ok(())]);
        assert!(counts.iter().sum::<u32>() >= 3, "somebody lost: {counts:?}");
        let mut all = names(&ward);
        all.sort();
        assert_eq!(all, ["乙", "乙甲", "甲", "甲乙"]);
        let longest = ward.get("/api/v1/areas?q=xx").json();
        assert_eq!(longest["items"].as_array().unwrap().len(), 2, "each row was touched twice: {longest}");
    }

    /// The probe of readiness must know before anybody tries to write, and again when it is over.
    fn a_ward_whose_database_is_gone_is_not_ready_until_it_is_back(ward) {
        let database = ward.database.as_ref().unwrap();
        let ready = || ward.get("/health/ready").status;
        let alive = || db(&ward).writer_is_alive();
        assert!(alive() && ready() == 200);

        // Connections that are merely cut are replaced, and nobody need write for that.
        database.cutter()();
        eventually("the writers to come back", || (alive() && ready() == 200).then_some(()));

        database.allow_connections(false);
        database.cutter()();
        eventually("the writers to notice", || (!alive()).then_some(()));
        let refused = ward.get("/health/ready");
        assert_eq!((refused.status, refused.code().as_str()), (503, "database_unavailable"));
        let refused = ward.post("/api/v1/areas", &json!({"name_zh": "凤城市", "name_en": "x"}));
        assert_eq!((refused.status, refused.code().as_str()), (503, "database_unavailable"));
        assert_eq!(refused.header("retry-after"), Some("2"));
        assert_eq!(ward.get("/health/live").status, 200);

        database.allow_connections(true);
        eventually("the writers to come back", || (alive() && ready() == 200).then_some(()));
        assert_eq!(ward.post("/api/v1/areas", &json!({"name_zh": "凤城市", "name_en": "x"})).status, 201);
    }
}

/// A pooler that pools transactions puts another process of the server behind the connection each time. A function that tells
/// another process each time looks the same from here.
mod behind_a_pooler_that_pools_transactions_nothing_is_sequenced {
    use super::*;

    #[test]
    fn postgres() {
        let Some(site) = Site::postgres() else { return };
        let url = site.database_url();
        migrate::up(&url).unwrap();
        let mut conn = connect(&url, Access::Write).unwrap();
        for statement in [
            "CREATE SEQUENCE processes",
            "CREATE FUNCTION pg_backend_pid() RETURNS int LANGUAGE sql AS $$ SELECT nextval('processes')::int $$",
            "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET search_path = public, pg_catalog'; END $$",
        ] {
            run(&mut conn, statement).unwrap();
        }
        let server = site.serve();
        eventually("the sequencer to refuse", || {
            server.log().contains("leads through a pooler").then_some(())
        });
        let unplaced = |conn: &mut Conn| store::waiting(conn, 10).unwrap().len();
        assert!(
            unplaced(&mut conn) > 0,
            "the event that starts the log, and others"
        );
        run(&mut conn, "DROP FUNCTION public.pg_backend_pid").unwrap();
        eventually("the sequencer to go on", || {
            (unplaced(&mut conn) == 0).then_some(())
        });
    }
}
