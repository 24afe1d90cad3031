//! The demo ward: what it holds when it is made, and that making it again adds nothing.

use wardbook::app::demo;
use wardbook::app::server::Server;
use wardbook::app::settings::{ClockKind, Environment, Settings};
use wardbook::audit;
use wardbook::books::rules::State;
use wardbook::books::store::{PublicFilter, book, public};

use crate::harness::PostgresDatabase;
use crate::on_both_sites;

on_both_sites! {
    fn the_demo_stands_where_its_tour_begins_and_its_five_books_take_bids(site) {
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
        for book in books {
            let said = book.content.document();
            let (publication, deadline) = (book.publication.unwrap(), said.timetable.bid_deadline.unwrap());
            assert!(book.state == State::Published && publication.at < demo::stands() && deadline > demo::stands(), "{}", said.title_en);
            assert!(said.intention_id.is_some() && said.consultation_id.is_some() && said.documents.len() == 1, "{}", said.title_en);
        }
        server.stop().unwrap();
    }
}
