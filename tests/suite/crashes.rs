//! What the service promises when its process ends: of itself, by SIGTERM under load, or by SIGKILL in the middle of
//! everything. Real processes over data that outlives them; each test ends with `wardbook verify log`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::faults::eventually;
use crate::logbook::verify;
use crate::on_both_sites;
use crate::process::{Load, Process, Site, under_load};

/// What must be true whatever happened: which areas there are, and up to where the log was signed.
struct Books<'a> {
    token: String,
    parent: String,
    /// By name.
    areas: BTreeMap<String, String>,
    /// A checkpoint that a witness kept.
    kept: Option<String>,
    site: &'a Site,
}

impl<'a> Books<'a> {
    /// Begins them with a first area.
    fn open(site: &'a Site, server: &Process, token: String) -> Self {
        let parent = server.add(&token, None, "first");
        Self {
            token,
            parent,
            areas: BTreeMap::new(),
            kept: None,
            site,
        }
    }

    /// After a load: sends again what was not answered, under the same keys, and then every area that was acknowledged is
    /// there under its id, there is no other, there is one event for each, and the log holds and continues what was kept.
    fn check(&mut self, server: &Process, load: Load) {
        let kept_size = self.kept.as_deref().map_or(0, size);
        self.areas.extend(load.acknowledged);
        for name in load.unanswered {
            let id = server.add(&self.token, Some(&self.parent), &name);
            self.areas.insert(name, id);
        }
        assert_eq!(listed(server, &self.parent), self.areas);

        let created = || lines(server, "area.created");
        eventually("every event to have its place", || {
            (created() > self.areas.len()).then_some(())
        });
        assert_eq!(
            created(),
            self.areas.len() + 1,
            "one event for each area and one for the first"
        );
        assert_eq!(lines(server, "log.started"), 1);

        let key = server.get("/audit/key");
        let (code, said) = verify(&server.url("/audit"), key.trim(), self.kept.as_deref());
        assert_eq!(code, 0, "{said}");
        let checkpoint = server.get("/audit/checkpoint");
        assert!(size(&checkpoint) > kept_size, "the log went on");
        self.kept = Some(checkpoint);
    }

    /// The mark of the log, once it is there.
    fn mark_is_there(&self) -> bool {
        self.site.dir.path().join("data/keys/log-mark").exists()
    }
}

fn size(checkpoint: &str) -> u64 {
    checkpoint.lines().nth(1).unwrap().parse().unwrap()
}

/// Events of a type that have their place.
fn lines(server: &Process, kind: &str) -> usize {
    server
        .get(&format!("/api/v1/audit/export?type={kind}"))
        .lines()
        .count()
}

/// Every area under `parent`, by name; two of one name would not fit.
fn listed(server: &Process, parent: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/areas?parent_id={parent}&limit=200{cursor}");
        let page: Value = serde_json::from_str(&server.get(&path)).unwrap();
        for area in page["items"].as_array().unwrap() {
            let text = |member: &str| area[member].as_str().unwrap().to_owned();
            assert_eq!(found.insert(text("name_zh"), text("id")), None);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

on_both_sites! {
    fn killing_the_process_under_load_loses_no_acknowledged_write(site) {
        let mut server = site.serve();
        let mut books = Books::open(site, &server, site.token());
        for round in 0..5 {
            let address = [server.url("")];
            let (token, parent) = (books.token.clone(), books.parent.clone());
            let load = under_load(&address, &token, &parent, &format!("r{round}"), |acknowledged| {
                eventually("a load", || (acknowledged()[0] >= 60).then_some(()));
                if round == 1 {
                    // From now on the mark takes part: the database must never be behind it.
                    eventually("the mark", || books.mark_is_there().then_some(()));
                }
                server.kill();
            });
            assert_eq!(load.refused, [], "nothing was refused");
            assert!(load.acknowledged.len() >= 60 && !load.unanswered.is_empty());
            server = site.serve();
            books.check(&server, load);
        }
    }

    /// Everything that was taken is answered before the process ends, and it ends well. The token is one that
    /// `wardbook admin token` issued beside the running server.
    fn a_process_told_to_end_under_load_finishes_what_it_has_taken(site) {
        let mut server = site.serve();
        let arguments = ["admin", "token", "--subject", "user_x", "--role", "admin", "--minutes", "60"];
        let issued = site.command(&arguments).output().unwrap();
        assert!(issued.status.success(), "{}", String::from_utf8_lossy(&issued.stderr));
        let token = String::from_utf8(issued.stdout).unwrap().trim().to_owned();
        let mut books = Books::open(site, &server, token);
        for round in 0..2 {
            let address = [server.url("")];
            let (token, parent) = (books.token.clone(), books.parent.clone());
            let load = under_load(&address, &token, &parent, &format!("r{round}"), |acknowledged| {
                eventually("a load", || (acknowledged()[0] >= 60).then_some(()));
                server.terminate();
                let ended = server.ended();
                assert!(ended.success(), "{ended}\n{}", server.log());
            });
            for (status, code) in &load.refused {
                assert_eq!((*status, code.as_str()), (503, "shutting_down"));
            }
            assert!(!server.log().contains("ERROR"), "{}", server.log());
            server = site.serve();
            books.check(&server, load);
        }
    }
}

/// Two servers over one PostgreSQL and one key directory.
mod two_instances_share_the_work_and_hand_the_log_over {
    use super::*;

    fn leads(server: &Process) -> bool {
        server.log().contains("this instance sequences the log now")
    }

    #[test]
    fn postgres() {
        let Some(site) = Site::postgres() else { return };
        let site = &site;
        // At the same moment over nothing: tables, keys and the log are made once.
        let (one, other) = (site.start(), site.start());
        let (one, other) = (one.ready(), other.ready());
        assert_eq!(one.get("/audit/key"), other.get("/audit/key"));
        let mut books = Books::open(site, &one, site.token());
        let (token, parent) = (books.token.clone(), books.parent.clone());

        // What the one has acknowledged, the other shows; a key that the one has seen, the other knows.
        let id = one.add(&token, Some(&parent), "through-one");
        assert!(other.get(&format!("/api/v1/areas/{id}")).contains("through-one"));
        assert_eq!(other.add(&token, Some(&parent), "through-one"), id);
        books.areas.insert("through-one".to_owned(), id);

        let both = [one.url(""), other.url("")];
        let load = under_load(&both, &token, &parent, "a", |acknowledged| {
            eventually("work on both", || {
                acknowledged().iter().all(|count| *count >= 60).then_some(())
            });
        });
        assert_eq!((&load.refused, &load.unanswered), (&vec![], &vec![]));
        books.check(&one, load);
        assert_eq!(one.log_size(), other.log_size());

        // Exactly one leads; killed under load, it is followed by the other, and the log goes on.
        eventually("a leader", || (leads(&one) || leads(&other)).then_some(()));
        assert!(leads(&one) != leads(&other), "{}\n{}", one.log(), other.log());
        let (mut leader, follower) = if leads(&one) { (one, other) } else { (other, one) };
        let both = [leader.url(""), follower.url("")];
        let load = under_load(&both, &token, &parent, "b", |acknowledged| {
            eventually("a load", || {
                acknowledged().iter().all(|count| *count >= 60).then_some(())
            });
            leader.kill();
            let (written, signed) = (acknowledged()[1], follower.log_size());
            eventually("the follower to lead", || leads(&follower).then_some(()));
            eventually("the follower to write on", || {
                (acknowledged()[1] >= written + 60).then_some(())
            });
            eventually("the log to go on", || {
                (follower.log_size() > signed).then_some(())
            });
        });
        assert_eq!(load.refused, []);
        books.check(&follower, load);

        // A newcomer joins, and takes over when the leader ends as it should.
        let newcomer = site.serve();
        let (mut leader, follower) = (follower, newcomer);
        assert!(!leads(&follower));
        leader.terminate();
        assert!(leader.ended().success(), "{}", leader.log());
        let load = under_load(&[follower.url("")], &token, &parent, "c", |acknowledged| {
            eventually("a load", || (acknowledged()[0] >= 60).then_some(()));
        });
        books.check(&follower, load);
        assert!(leads(&follower));
    }
}
