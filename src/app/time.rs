//! What time it is for the ward, and the hand that moves a simulated clock.

use actix_web::{HttpResponse, get, post};
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::audit;
use crate::audit::entry::Event;
use crate::db::conn::Conn;
use crate::db::schema::simulated_clock;
use crate::db::writer::Tx;
use crate::kernel::calendar::local_date;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::refusal::{Answer, Kind, Reason};
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{INVALID, NOT_FOUND};

/// A simulated clock only moves forward.
pub static CLOCK_GOES_FORWARD: Reason = Reason::new(
    Kind::Conflict,
    "clock_goes_forward",
    "模拟时钟只能向前",
    "A simulated clock only moves forward",
);

/// How far one request may move the clock.
const STEP_MAX: Duration = Duration::days(3_660);

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(time).service(move_clock);
}

/// The present instant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Time {
    /// Now, UTC; deadlines are judged by this clock.
    #[schema(example = "2026-03-02T00:00:00.000000Z")]
    pub now: String,
    /// The ward's time zone.
    #[schema(example = "Asia/Shanghai")]
    pub zone: String,
    /// Today in the ward.
    #[schema(example = "2026-03-02")]
    pub local_date: String,
    /// True if the ward works today; `null` beyond the years of the calendar, which are never guessed.
    #[schema(required = true, example = true)]
    pub working_day: Option<bool>,
    /// True on a demo or test server, whose clock is moved by hand.
    #[schema(example = false)]
    pub simulated: bool,
}

/// Where a simulated clock is to stand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTime {
    /// RFC 3339, later than the present.
    #[schema(format = DateTime, max_length = 40, example = "2026-03-02T00:00:00Z")]
    now: String,
}

/// What time it is
#[utoipa::path(
    operation_id = "read_time",
    tag = "time",
    responses((status = 200, description = "The present instant", body = Time)),
    extensions(("x-action" = json!("Everyone"))),
)]
#[get("/time")]
async fn time(context: Shared) -> HttpResponse {
    HttpResponse::Ok().json(shown(&context, context.clock.now()))
}

/// Move the clock forward
///
/// Only where the clock is simulated (`clock = "simulated"`); elsewhere this does not exist.
#[utoipa::path(
    operation_id = "move_clock",
    tag = "time",
    request_body = NewTime,
    responses(
        (status = 200, description = "The new instant", body = Time),
        (status = 404, description = "The clock of this service is not simulated"),
        (status = 409, description = "`clock_goes_forward`"),
    ),
    extensions(("x-action" = json!("MoveClock"))),
)]
#[post("/dev/clock")]
async fn move_clock(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    if !context.clock.is_simulated() {
        return Err(NOT_FOUND.refuse().into());
    }
    policy::allow(&actor, Action::MoveClock, Matter::default())?;
    let body = incoming.json::<NewTime>().await?;
    let to = DateTime::parse_from_rfc3339(&body.value.now)
        .map(|to| to.with_timezone(&Utc))
        .map_err(|_| {
            INVALID
                .because(text!("应为 RFC 3339 时间", "must be an RFC 3339 instant"))
                .at("/now")
        })?;
    let (by, shared) = (actor.clone(), context.clone());
    let response = context
        .write_once(&actor, once, body.digest, move |tx| {
            advance(tx, &by, to)?;
            Ok(Reply::json(200, &shown(&shared, to))?)
        })
        .await?;
    context.clock.advance(to);
    context.clock_moved.notify_one();
    Ok(response)
}

fn shown(context: &Shared, now: Instant) -> Time {
    let today = local_date(now, context.calendar.zone);
    Time {
        now: rfc3339(now),
        zone: context.calendar.zone.to_string(),
        local_date: today.to_string(),
        working_day: context.calendar.days.is_working_day(today).ok(),
        simulated: context.clock.is_simulated(),
    }
}

/// Records where a simulated clock stands from now on.
///
/// # Errors
/// Permission; [`CLOCK_GOES_FORWARD`]; [`INVALID`] for a leap of more than ten years.
pub fn advance(tx: &mut Tx<'_>, actor: &Actor, to: Instant) -> Answer<()> {
    policy::allow(actor, Action::MoveClock, Matter::default())?;
    let now = tx.now();
    if to <= now {
        let now = rfc3339(now);
        return Err(CLOCK_GOES_FORWARD
            .because(text!("现在是 {now}", "it is {now} already"))
            .at("/now")
            .into());
    }
    if to - now > STEP_MAX {
        return Err(INVALID
            .because(text!("一次最多向前十年", "at most ten years at a time"))
            .at("/now")
            .into());
    }
    let stands = simulated_clock::table
        .find(1)
        .select(simulated_clock::id)
        .first::<i64>(tx.conn())
        .optional()?;
    let to_stored = to.naive_utc();
    if stands.is_some() {
        diesel::update(simulated_clock::table.find(1))
            .set(simulated_clock::now_at.eq(to_stored))
            .execute(tx.conn())?;
    } else {
        diesel::insert_into(simulated_clock::table)
            .values((
                simulated_clock::id.eq(1_i64),
                simulated_clock::now_at.eq(to_stored),
            ))
            .execute(tx.conn())?;
    }
    let data = json!({ "from": rfc3339(now), "to": rfc3339(to) });
    let event = Event {
        kind: "clock.moved",
        subject: "clock".to_owned(),
        data,
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// Where the simulated clock of a database stands, if it has one.
///
/// # Errors
/// A fault of the database.
pub fn stands_at(conn: &mut Conn) -> Answer<Option<Instant>> {
    let at = simulated_clock::table
        .find(1)
        .select(simulated_clock::now_at)
        .first::<chrono::NaiveDateTime>(conn)
        .optional()?;
    Ok(at.map(|at| at.and_utc()))
}
