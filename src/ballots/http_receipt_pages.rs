//! What a voter does with a receipt: takes it along as a file, and asks after the count whether a slip of it is in the box. No script, and no SQL.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};

use crate::ballots::acts::seen;
use crate::ballots::http::counted;
use crate::ballots::polling::AtPolling;
use crate::ballots::rules::{Ballot, BallotId};
use crate::ballots::rules_slips;
use crate::ballots::{store, store_papers};
use crate::kernel::refusal::{Answer, Stop};
use crate::kernel::text::Text;
use crate::outbox::wording::moment;
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::page::{Field, Filled, Kind, Reader, Sheet};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{INVALID, MALFORMED, NOT_FOUND};

/// Every page of this file, and the methods that it has.
pub const PAGES: [(&str, &[&str]); 3] = [
    ("/v/{ballot}/counted", &["GET", "POST"]),
    ("/v/{ballot}/counted/{hash}", &["GET"]),
    ("/vote/receipt", &["POST"]),
];

/// The field in which a receipt stands.
pub const RECEIPT: &str = "receipt";
/// Bytes of a receipt at most.
const RECEIPT_BYTES_MAX: usize = 16 * 1024;

/// Serves them. Before the pages of votes, whose paths they begin with.
pub fn pages(config: &mut web::ServiceConfig) {
    config
        .service(show_counted)
        .service(send_counted)
        .service(show_slip)
        .service(take_along);
}

/// What is known of a slip.
enum Fate {
    NotYet,
    Counted,
    NotThere,
}

/// What becomes of a ballot and, where one is asked about, of a slip. It is counted, where the time has come and nobody has.
async fn fate(
    (context, polling): (&Shared, &AtPolling),
    ballot: &str,
    hash: Option<[u8; 32]>,
) -> Answer<(Ballot, Fate)> {
    policy::allow(&Actor::public(), Action::ReadBallots, Matter::default())?;
    let id: BallotId = ballot.parse().map_err(|_| NOT_FOUND.refuse())?;
    counted(context, polling, &id).await?;
    context
        .db
        .read(move |conn| {
            let ballot = seen(conn, &id)?;
            let fate = match hash {
                _ if store::result(conn, &id)?.is_none() => Fate::NotYet,
                Some(hash) if store_papers::is_in_box(conn, &id, &hash)? => Fate::Counted,
                _ => Fate::NotThere,
            };
            Ok((ballot, fate))
        })
        .await
}

fn title() -> Text {
    Text::fixed("我的票计入了吗", "Was my vote counted?")
}

/// The page on which a hash is typed.
fn question(ballot: &Ballot, hash: &str) -> Sheet {
    let (zh, en) = (&ballot.title_zh, &ballot.title_en);
    Sheet::new(title())
        .says(text!("{zh}", "{en}"))
        .says(Text::fixed(
            "凭据中每个问题有一个 64 位的编号。输入一个，查询它是否在票箱中。",
            "Your receipt has a hash of 64 digits for each question. Type one to see whether it is in the box.",
        ))
        .asks(
            Field::new("hash", Kind::Code, Text::fixed("编号", "Hash"))
                .value(hash)
                .at_most(64),
        )
        .button("find", Text::fixed("查询", "Look it up"))
}

/// What is found of a hash, in words.
fn found(context: &Shared, ballot: &Ballot, hash: &str, fate: &Fate) -> Sheet {
    let (zh, en) = (&ballot.title_zh, &ballot.title_en);
    let sheet = Sheet::new(title())
        .says(text!("{zh}", "{en}"))
        .says(text!("{hash}", "{hash}"));
    let until = moment(ballot.closes_at, context.calendar.zone);
    let (until_zh, until_en) = (&until.zh, &until.en);
    match fate {
        Fate::Counted => sheet.says(Text::fixed(
            "是：这张票在票箱中，已计入。",
            "Yes: this slip is in the box, and was counted.",
        )),
        Fate::NotThere => sheet
            .says(Text::fixed(
                "否：票箱中没有这张票。",
                "No: there is no such slip in the box.",
            ))
            .says(Text::fixed(
                "如果您后来又投过票，请用最后一次的凭据查询。如果这就是最后一次的凭据，请把它交给审计人员：它有签名，可以证明。",
                "If you have voted again since, ask with the last receipt. If this is the last one, give it to the auditors: it is signed, and proves it.",
            )),
        Fate::NotYet if ballot.withdrawn_at.is_some() => sheet.says(Text::fixed(
            "本次投票在开始前已撤回，没有计票。",
            "This ballot was withdrawn before it opened, and nothing is counted.",
        )),
        Fate::NotYet => sheet.says(text!(
            "尚未计票。投票于 {until_zh} 截止，请在那之后再来查询。",
            "The votes are not counted yet. The ballot closes on {until_en}; come back after that."
        )),
    }
}

fn hash_of(typed: &str) -> Option<[u8; 32]> {
    hex::decode(typed.trim()).ok()?.try_into().ok()
}

#[get("/v/{ballot}/counted")]
async fn show_counted(
    request: HttpRequest,
    ballot: web::Path<String>,
    context: Shared,
    polling: AtPolling,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match fate((&context, &polling), &ballot, None).await {
        Ok((ballot, _)) => reader.show(StatusCode::OK, &question(&ballot, "")),
        Err(stop) => Err(stop),
    };
    reader.answer(answer)
}

#[post("/v/{ballot}/counted")]
async fn send_counted(
    (request, ballot): (HttpRequest, web::Path<String>),
    context: Shared,
    polling: AtPolling,
    incoming: Incoming,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match Filled::of(&request, incoming).await {
        Ok(filled) => looked_up(&reader, (&context, &polling), &ballot, &filled).await,
        Err(stop) => Err(stop),
    };
    reader.answer(answer)
}

async fn looked_up(
    reader: &Reader,
    at: (&Shared, &AtPolling),
    ballot: &str,
    filled: &Filled,
) -> Answer<HttpResponse> {
    let typed = filled.get("hash");
    let hash = hash_of(typed);
    let (ballot, fate) = fate(at, ballot, hash).await?;
    let Some(hash) = hash else {
        let refusal = INVALID
            .because(Text::fixed(
                "应为 64 位十六进制数",
                "must be 64 hexadecimal digits",
            ))
            .at("/hash");
        return reader.show_refused(question(&ballot, typed).answers(filled), &refusal);
    };
    let sheet = found(at.0, &ballot, &hex::encode(hash), &fate);
    reader.show(StatusCode::OK, &sheet.answers(filled))
}

#[get("/v/{ballot}/counted/{hash}")]
async fn show_slip(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    context: Shared,
    polling: AtPolling,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match hash_of(&path.1) {
        None => Err(NOT_FOUND.refuse().into()),
        Some(hash) => match fate((&context, &polling), &path.0, Some(hash)).await {
            Ok((ballot, fate)) => {
                let sheet = found(&context, &ballot, &hex::encode(hash), &fate);
                let again = format!("/v/{}/counted", ballot.id);
                let sheet = sheet.leads_to(Text::fixed("查询另一个编号", "Look up another hash"), again);
                reader.show(StatusCode::OK, &sheet)
            }
            Err(stop) => Err(stop),
        },
    };
    reader.answer(answer)
}

/// Gives a receipt back as a file. It is kept nowhere: it comes with the form, and goes with the answer.
#[post("/vote/receipt")]
async fn take_along(request: HttpRequest, incoming: Incoming) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match Filled::of(&request, incoming).await {
        Ok(filled) => file(&filled),
        Err(stop) => Err(stop),
    };
    reader.answer(answer)
}

fn file(filled: &Filled) -> Result<HttpResponse, Stop> {
    let text = filled.get(RECEIPT).replace("\r\n", "\n");
    let begins = format!("{}\n", rules_slips::RECEIPT);
    if text.len() > RECEIPT_BYTES_MAX || !text.starts_with(&begins) {
        return Err(MALFORMED.refuse().into());
    }
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((
            CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"ballot-receipt.txt\""),
        ))
        .body(text))
}
