//! Reading through HTTP: one area by its id, in turn over all of them, and the first 20 of the list; by nobody in
//! particular and by somebody signed in.

use crate::Options;
use crate::bare::{self, AREAS};
use crate::client::{self, Load, Request};
use crate::report::{Line, Report};
use crate::ward::{Database, Ward};

/// All lines of one database.
pub fn measure(options: &Options, database: &Database, report: &mut Report) {
    let ward = Ward::start(database, options.workers(), None);
    let street = ward.street();
    let ids: Vec<String> = (0..AREAS)
        .map(|n| ward.area(Some(&street), &bare::name(n)))
        .collect();
    let list = "/api/v1/areas?limit=20";
    check(&ward, &format!("/api/v1/areas/{}", ids[0]), list);
    for (signed_in, token) in [("", None), (", signed in", Some(ward.token.as_str()))] {
        let items = ids
            .iter()
            .map(|id| Request::get(&format!("/api/v1/areas/{id}"), token))
            .collect();
        let lists = vec![Request::get(list, token)];
        for (what, requests, beside) in [("item", items, bare::ITEM), ("list of 20", lists, bare::LIST)] {
            let what = format!("G {what}{signed_in}");
            if !what.contains(&options.lines) {
                continue;
            }
            for clients in &options.clients {
                let tally = Load {
                    on: &ward.served,
                    clients: *clients,
                    threads: options.threads,
                    window: options.window(),
                    requests: Vec::clone(&requests),
                    wanted: 200,
                }
                .run();
                report.add(
                    Line::of(&what, database.name(), *clients, options.window(), tally),
                    Some(beside),
                );
            }
        }
    }
}

/// What is measured must be what is meant.
fn check(ward: &Ward, item: &str, list: &str) {
    let answer = |path: &str| -> serde_json::Value {
        let (status, text) = client::ask(ward.served.address, &Request::get(path, None));
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("the answer is JSON")
    };
    assert_eq!(answer(item)["name_zh"], bare::name(0));
    let list = answer(list);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(20));
    assert!(list["next_cursor"].is_string());
}
