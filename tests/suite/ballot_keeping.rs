//! That a ballot which has closed is counted by the service itself, without anybody asking, and once: after a restart, and by two programs over one database.

use std::time::Duration;

use serde_json::{Value, json};

use crate::ballot_crashes::{agent, house, moved, sent, serve};
use crate::evening_stage::staged;
use crate::faults::eventually;
use crate::on_both_sites;
use crate::process::Process;

/// Residents who vote.
const VOTERS: usize = 12;

/// The counts in the log. Reading it counts nothing.
fn counts(server: &Process) -> Vec<Value> {
    let export = server.get("/api/v1/audit/export?type=ballot.closed");
    export
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

on_both_sites! {
    fn a_ballot_that_has_closed_is_counted_once_by_whatever_runs(site) {
        let first = house(site);
        let staged = staged(&first, VOTERS);
        first.close();
        let mut server = serve(site);
        let agent = agent();
        for code in &staged.codes {
            let body = json!({"code": code, "answers": [{"question": "overall", "choice": "fair"}]});
            assert_eq!(sent(&agent, &server.url("/api/v1/ballot-votes"), &body).unwrap().0, 200);
        }
        assert_eq!(counts(&server).len(), 0);
        moved(site, &server, &staged);
        server.kill();

        // Two of them start again where the database can be shared, and nobody asks for the ballot.
        let again = serve(site);
        let other = site.database.is_some().then(|| serve(site));
        let closed = eventually("the ballot to be counted", || Some(counts(&again)).filter(|closed| !closed.is_empty()));
        assert_eq!(closed.len(), 1);
        // Each has looked at it more than once by then.
        std::thread::sleep(Duration::from_secs(6));
        for server in [Some(&again), other.as_ref()].into_iter().flatten() {
            assert_eq!(counts(server), closed);
            assert!(!server.log().contains("could not be counted"), "{}", server.log());
        }
        let ballot: Value = serde_json::from_str(&again.get(&format!("/api/v1/ballots/{}", staged.ballot))).unwrap();
        assert_eq!((&ballot["state"], &ballot["result"]["ballots"], &ballot["result"]["score"]), (&json!("counted"), &json!(VOTERS), &json!("60.00")));
    }
}
