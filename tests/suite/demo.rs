//! The demo ward: what it holds when it is made, and that making it again adds nothing.

use serde_json::{Value, json};
use wardbook::app::demo;
use wardbook::app::server::Server;
use wardbook::app::settings::{ClockKind, Environment, Settings};
use wardbook::audit;
use wardbook::audit::source::HttpSource;
use wardbook::audit::verify::verify_log;
use wardbook::books::rules::State;
use wardbook::books::store::{PublicFilter, book, lots_of, public};

use crate::harness::PostgresDatabase;
use crate::on_both_sites;

on_both_sites! {
    fn the_demo_stands_where_its_tour_begins_with_sealed_bids_and_one_book_opened(site) {
        let mut settings = Settings {
            environment: Environment::Development,
            clock: ClockKind::Simulated,
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: site.dir.path().join("data"),
            database_url: site.database.as_ref().map(PostgresDatabase::url).unwrap_or_default(),
            ..Settings::default()
        };
        demo::name_ward(&mut settings);
        let server = Server::start(settings, demo::start()).unwrap();
        let house = server.house.as_ref().unwrap();
        let db = &house.context.db;
        let mut events = 0;
        for round in 0..2 {
            demo::make(house).unwrap();
            assert_eq!(house.context.clock.now(), demo::stands());
            let size = db.read_and_wait(audit::store::last_checkpoint).unwrap().map_or(0, |last| last.size);
            assert!(round == 0 || size == events || site.database.is_some(), "{events} events became {size}");
            events = size;
        }
        let books = db.read_and_wait(|conn| {
            let heads = public(conn, &PublicFilter::default(), 10)?;
            heads.iter().map(|head| book(conn, &head.id)).collect::<Result<Vec<_>, _>>()
        });
        let books: Vec<_> = books.unwrap().into_iter().flatten().collect();
        assert_eq!(books.len(), 5);
        let amended = books.iter().filter(|book| book.publication.as_ref().is_some_and(|one| one.versions == 2));
        assert_eq!(amended.count(), 1);
        let mut opened = Vec::new();
        for book in books {
            let said = book.content.document();
            let (publication, deadline) = (book.publication.unwrap(), said.timetable.bid_deadline.unwrap());
            assert!(book.state == State::Published && publication.at < demo::stands(), "{}", said.title_en);
            assert!(said.intention_id.is_some() && said.consultation_id.is_some() && said.documents.len() == 1, "{}", said.title_en);
            let lot = db.read_and_wait(|conn| lots_of(conn, &book.id)).unwrap().remove(0);
            let (status, record) = get(&server, &format!("/api/v1/lots/{}/opening", lot.id), None);
            assert_eq!(status, if deadline > demo::stands() { 404 } else { 200 }, "{}", said.title_en);
            if status == 200 {
                opened.push(record);
            }
        }
        let [record] = opened.as_slice() else { panic!("{} books were opened", opened.len()) };
        assert_eq!((&record["outcome"], &record["bids"]), (&json!("opened"), &json!(3)));
        let bids = record["opened"].as_array().unwrap();
        let totals: Vec<_> = bids.iter().map(|bid| bid["total"]["amount"].as_str().unwrap()).collect();
        assert_eq!(totals, ["790560.00", "805200.00", "826600.00"]);
        assert!(bids.iter().all(|bid| bid["findings"] == json!([])), "{record}");
        bids_for_the_others_are_their_bidders_alone(&server);
        wardens_agree(&server);
        server.stop().unwrap();
    }
}

/// What an address answers, to somebody with a token or to nobody in particular.
fn get(server: &Server, path: &str, token: Option<&str>) -> (u16, Value) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let mut request = ureq::Agent::new_with_config(config).get(format!("http://{}{path}", server.address));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut answer = request.call().unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (
        answer.status().as_u16(),
        serde_json::from_str(&text).unwrap_or_default(),
    )
}

fn signed_in(server: &Server, name: &str) -> String {
    let body = json!({ "email": demo::address_of(name), "password": demo::PASSWORD }).to_string();
    let request = ureq::post(format!("http://{}/api/v1/sessions", server.address));
    let mut answer = request
        .header("content-type", "application/json")
        .send(body)
        .unwrap();
    let tokens: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// Of fourteen bids three are open; of the others only their bidders know.
fn bids_for_the_others_are_their_bidders_alone(server: &Server) {
    let db = &server.house.as_ref().unwrap().context.db;
    while !db
        .read_and_wait(|conn| audit::store::waiting(conn, 1))
        .unwrap()
        .is_empty()
    {
        std::thread::yield_now();
    }
    let (mine, rival) = (
        signed_in(server, "jiecheng.agent"),
        signed_in(server, "qinglan.agent"),
    );
    let (_, list) = get(server, "/api/v1/bids", Some(&mine));
    // For street sanitation, and for the estates.
    let own = list["items"].as_array().unwrap();
    assert_eq!(own.len(), 2, "{list}");
    let officer = signed_in(server, "officer");
    assert_eq!(get(server, "/api/v1/bids", Some(&officer)).0, 403);
    for bid in own {
        let path = format!("/api/v1/bids/{}", bid["bid_id"].as_str().unwrap());
        assert_eq!(get(server, &path, Some(&mine)).0, 200);
        assert_eq!(get(server, &path, Some(&rival)).0, 404);
        assert_ne!(get(server, &path, Some(&officer)).0, 200);
    }
    let auditor = signed_in(server, "auditor");
    let (_, events) = get(server, "/api/v1/audit/events?type=bid.sealed", Some(&auditor));
    assert_eq!(events["items"].as_array().unwrap().len(), 3, "{events}");
    let (_, lodged) = get(
        server,
        "/api/v1/audit/events?type=bid_security.lodged",
        Some(&auditor),
    );
    assert_eq!(lodged["items"], json!([]));
}

/// The log and the ledger hold.
fn wardens_agree(server: &Server) {
    let address = format!("http://{}/audit", server.address);
    let key = ureq::get(format!("{address}/key"))
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    let verdict = verify_log(
        &HttpSource::new(&address),
        &key.trim().parse().unwrap(),
        None,
        &mut |_, _| {},
    );
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    let ledger = server
        .house
        .as_ref()
        .unwrap()
        .context
        .db
        .read_and_wait(wardbook::budget::verify::verify);
    let ledger = ledger.unwrap();
    assert!(ledger.holds(), "{ledger}");
}
