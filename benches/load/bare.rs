//! What a server without any of ours does: actix-web with nothing around its handlers, which write the same values of
//! the same types as JSON for every request. No database, no identity, no limits, no log: nothing can be faster here.

use std::process::Command;

use actix_web::{App, HttpResponse, HttpServer, get, web};
use wardbook::kernel::clock::{Clock, rfc3339};
use wardbook::registry::http::AreaView;
use wardbook::registry::rules::{AreaId, Level};
use wardbook::web::paging::Page;

use crate::Options;
use crate::client::{Load, Request};
use crate::report::{Line, Report};
use crate::ward::Served;

/// The line of one value.
pub const ITEM: &str = "B bare actix, item";
/// The line of twenty.
pub const LIST: &str = "B bare actix, list of 20";

/// Areas that there are.
pub const AREAS: usize = 250;

/// The name of an area.
pub fn name(number: usize) -> String {
    format!("桂园社区{number:04}")
}

/// Both lines.
pub fn measure(options: &Options, report: &mut Report) {
    let program = std::env::current_exe().expect("this program has a path");
    let workers = options.workers().to_string();
    let served = Served::start(Command::new(program).args(["--serve-bare", "--workers", &workers]));
    for (what, path) in [(ITEM, "/item"), (LIST, "/list")] {
        for clients in &options.clients {
            let tally = Load {
                on: &served,
                clients: *clients,
                threads: options.threads,
                window: options.window(),
                requests: vec![Request::get(path, None)],
                wanted: 200,
            }
            .run();
            report.add(Line::of(what, "–", *clients, options.window(), tally), None);
        }
    }
}

struct Values {
    item: AreaView,
    list: Page<AreaView>,
}

/// Is the bare server, until it is killed.
pub fn serve(workers: usize) {
    let now = Clock::system().now();
    let street = AreaId::mint(now);
    let area = |number| AreaView {
        id: AreaId::mint(now),
        parent_id: Some(street.clone()),
        level: Level::Community,
        code: None,
        name_zh: name(number),
        name_en: name(number),
        version: 1,
        created_at: rfc3339(now),
        updated_at: rfc3339(now),
    };
    let values = web::Data::new(Values {
        item: area(0),
        list: Page {
            items: (0..20).map(area).collect(),
            next_cursor: Some("x".repeat(104)),
        },
    });
    let running = actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || App::new().app_data(values.clone()).service(item).service(list))
            .workers(workers)
            .bind("127.0.0.1:0")?;
        println!("bare actix listens on http://{}", server.addrs()[0]);
        server.run().await
    });
    running.expect("the bare server runs");
}

#[get("/item")]
async fn item(values: web::Data<Values>) -> HttpResponse {
    HttpResponse::Ok().json(&values.item)
}

#[get("/list")]
async fn list(values: web::Data<Values>) -> HttpResponse {
    HttpResponse::Ok().json(&values.list)
}
