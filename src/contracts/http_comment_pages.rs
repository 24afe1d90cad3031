//! The pages on which a voter says something of a period in their own words, apart from the page on which they vote: behind the same link, or with the code of a letter. They need no
//! script. What a form does is done by the same functions as for the API.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};

use crate::ballots::acts_voting::Shown;
use crate::ballots::http_voting::note_wrong;
use crate::ballots::polling::AtPolling;
use crate::ballots::rules::Ballot;
use crate::contracts::acts_comments as acts;
use crate::contracts::http_comments::taken;
use crate::contracts::rules_defect_reports::WORDS_LENGTH_MAX;
use crate::kernel::refusal::{Answer, Stop};
use crate::kernel::text::Text;
use crate::outbox::wording::moment;
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::page::{Field, Filled, Kind, Reader, Sheet};

/// Every page of this file, and the methods that it has.
pub const PAGES: [(&str, &[&str]); 2] = [
    ("/v/{token}/words", &["GET", "POST"]),
    ("/vote/words", &["GET", "POST"]),
];

/// Serves them. Before the pages of votes, whose paths they begin with.
pub fn pages(config: &mut web::ServiceConfig) {
    config
        .service(show_linked)
        .service(send_linked)
        .service(show_typed)
        .service(send_typed);
}

/// The ballot whose voter shows a code, while something can be said.
async fn asked(request: &HttpRequest, context: &Shared, polling: &AtPolling, code: &str) -> Answer<Ballot> {
    let (shown, at, now) = (Shown::Code(code.to_owned()), polling.clone(), context.clock.now());
    let asked = context
        .db
        .glance_primary(move |conn| acts::may_say(conn, &Actor::public(), &at, &shown, now))
        .await;
    note_wrong(request, context, asked)
}

/// The form, with what it costs to write something.
fn form(context: &Shared, ballot: &Ballot, words: &str) -> Sheet {
    let (zh, en) = (&ballot.title_zh, &ballot.title_en);
    let until = moment(ballot.closes_at, context.calendar.zone);
    let (until_zh, until_en) = (&until.zh, &until.en);
    Sheet::new(text!("{zh}：说几句话", "{en}: in your own words"))
        .says(text!(
            "您可以在 {until_zh} 之前说一次，无论是否已投票。提交后不能修改或撤回。",
            "You can say something once, until {until_en}, whether you have voted or not. It cannot be changed or taken back."
        ))
        .says(Text::fixed(
            "意见与您的投票分开保存，不记录是谁写的。但文字本身可能让人认出您：请不要写姓名、门牌号，也不要写只有您知道的事。",
            "It is kept apart from your vote, and not with who has written it. But words can tell who you are: write no name and no address, and nothing that only you can know.",
        ))
        .says(Text::fixed(
            "采购人的经办人先审阅，然后公开或注明理由不公开；承包方可以回复一次。公开的记录会显示有人在何时提交了意见，不显示内容和提交人。",
            "An officer of the buyer reads it first, and makes it public or withholds it for a reason; the contractor may reply once. The public log says that and when something was written, and neither what nor by whom.",
        ))
        .asks(
            Field::new("words", Kind::Words, Text::fixed("您的意见", "Your words"))
                .value(words)
                .at_most(WORDS_LENGTH_MAX),
        )
        .button("say", Text::fixed("提交意见", "Send your words"))
}

fn thanks() -> Sheet {
    Sheet::new(Text::fixed("已收到，谢谢", "It was taken, thank you")).says(Text::fixed(
        "经办人审阅后决定是否公开。因为不知道是谁写的，我们不会通知您。",
        "An officer reads it and decides whether it becomes public. Nobody knows who wrote it, so you are not told.",
    ))
}

/// Hears what a form says. `carry` puts the code into the form again, which has no link that holds it.
async fn said(
    (reader, request): (&Reader, &HttpRequest),
    (context, polling): (&Shared, &AtPolling),
    (code, filled): (String, &Filled),
    carry: bool,
) -> Answer<HttpResponse> {
    let ballot = asked(request, context, polling, &code).await?;
    let words = filled.get("words").to_owned();
    let shown = Shown::Code(code.clone());
    match taken(request, (context, polling), Actor::public(), (shown, words)).await {
        Ok(_) => reader.show(StatusCode::OK, &thanks()),
        Err(Stop::Refused(refusal)) => {
            let sheet = form(context, &ballot, filled.get("words")).answers(filled);
            let sheet = if carry { sheet.carries("code", code) } else { sheet };
            reader.show_refused(sheet, &refusal)
        }
        Err(stop) => Err(stop),
    }
}

#[get("/v/{token}/words")]
async fn show_linked(
    request: HttpRequest,
    token: web::Path<String>,
    context: Shared,
    polling: AtPolling,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match asked(&request, &context, &polling, &token).await {
        Ok(ballot) => reader.show(StatusCode::OK, &form(&context, &ballot, "")),
        Err(stop) => Err(stop),
    };
    reader.answer(answer)
}

#[post("/v/{token}/words")]
async fn send_linked(
    (request, token): (HttpRequest, web::Path<String>),
    context: Shared,
    polling: AtPolling,
    incoming: Incoming,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match Filled::of(&request, incoming).await {
        Ok(filled) => {
            let from = (token.into_inner(), &filled);
            said((&reader, &request), (&context, &polling), from, false).await
        }
        Err(stop) => Err(stop),
    };
    reader.answer(answer)
}

fn entrance() -> Sheet {
    Sheet::new(Text::fixed("说几句话", "In your own words"))
        .says(Text::fixed(
            "请由您本人输入投票函上的投票码。这不会投票，也不会改变您的投票。",
            "Type the code of your letter yourself. This casts no vote, and changes none.",
        ))
        .asks(Field::new("code", Kind::Code, Text::fixed("投票码", "Code")).at_most(60))
        .button("code", Text::fixed("下一步", "Go on"))
}

#[get("/vote/words")]
async fn show_typed(request: HttpRequest) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = reader.show(StatusCode::OK, &entrance());
    reader.answer(answer)
}

#[post("/vote/words")]
async fn send_typed(
    request: HttpRequest,
    context: Shared,
    polling: AtPolling,
    incoming: Incoming,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = typed(&reader, &request, (&context, &polling), incoming).await;
    reader.answer(answer)
}

/// First the code, and then the words, to which the form carries the code along.
async fn typed(
    reader: &Reader,
    request: &HttpRequest,
    (context, polling): (&Shared, &AtPolling),
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let filled = Filled::of(request, incoming).await?;
    let code = filled.get("code").to_owned();
    if filled.get("step") == "say" {
        return said((reader, request), (context, polling), (code, &filled), true).await;
    }
    match asked(request, context, polling, &code).await {
        Ok(ballot) => {
            let sheet = form(context, &ballot, "").carries("code", code);
            reader.show(StatusCode::OK, &sheet.answers(&filled))
        }
        Err(Stop::Refused(refusal)) => reader.show_refused(entrance().answers(&filled), &refusal),
        Err(stop) => Err(stop),
    }
}
