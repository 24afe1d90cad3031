//! The pages on which one votes: behind a mailed link or the QR code of a letter, and at a terminal where the code of a letter is typed. They need no script.
//! What a form does is done by the same functions as for the API.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};

use crate::ballots::acts_voting::{Found, Receipt, Shown, found};
use crate::ballots::http_receipt_pages::RECEIPT;
use crate::ballots::http_voting::{heard, note_wrong};
use crate::ballots::polling::AtPolling;
use crate::ballots::rules::{ABSTAIN, Ballot, Kind as BallotKind, Question};
use crate::ballots::rules_questions::Answered;
use crate::ballots::store_letters::{self, Letter};
use crate::kernel::id;
use crate::kernel::refusal::{Answer, Objection, Refusal, Stop};
use crate::kernel::text::Text;
use crate::outbox::wording::{Both, moment};
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::page::{Field, Filled, Kind, Reader, Sheet};

/// Every page of this file, and the methods that it has.
pub const PAGES: [(&str, &[&str]); 2] = [("/v/{token}", &["GET", "POST"]), ("/vote", &["GET", "POST"])];

/// The fields of questions, in their order: as many as a ballot can have.
const FIELDS: [&str; 10] = ["q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9", "q10"];

/// Serves them.
pub fn pages(config: &mut web::ServiceConfig) {
    config
        .service(show_vote)
        .service(send_vote)
        .service(show_terminal)
        .service(send_terminal);
}

/// The last part of a path that a page was found at.
fn last_part(request: &HttpRequest) -> String {
    request.path().rsplit('/').next().unwrap_or_default().to_owned()
}

/// What somebody is asked who shows a code.
struct Asked {
    ballot: Ballot,
    /// The letter that was printed for them, if one was.
    letter: Option<Letter>,
}

/// What a code is good for, while votes are taken.
async fn asked(request: &HttpRequest, context: &Shared, polling: &AtPolling, code: &str) -> Answer<Asked> {
    let (shown, at, now) = (Shown::Code(code.to_owned()), polling.clone(), context.clock.now());
    let asked = context
        .db
        .glance_primary(move |conn| {
            let Found { ballot, voter } = found(conn, &Actor::public(), &at, &shown)?;
            ballot.takes_votes(now)?;
            let letter = store_letters::letter(conn, &ballot.id, voter.number)?;
            Ok(Asked { ballot, letter })
        })
        .await;
    note_wrong(request, context, asked)
}

fn fields(ballot: &Ballot) -> impl Iterator<Item = (&'static str, &Question)> {
    FIELDS.into_iter().zip(&ballot.terms.questions)
}

/// The form, with what was chosen in it. Nothing is chosen beforehand: a first choice would be taken too often.
///
/// Whether there is a vote is not said: whoever has printed a letter could open it to learn who has voted. The form has a number of its own, drawn by chance: sent
/// twice it is one vote.
fn form(context: &Shared, asked: &Asked, filled: Option<&Filled>) -> Answer<Sheet> {
    let ballot = &asked.ballot;
    let (zh, en) = (&ballot.title_zh, &ballot.title_en);
    let until = moment(ballot.closes_at, context.calendar.zone);
    let Both {
        zh: until_zh,
        en: until_en,
    } = &until;
    let mut sheet = Sheet::new(text!("{zh}", "{en}")).says(text!(
        "请您评价。{until_zh} 截止；在此之前可以更改，以最后一次为准。",
        "Please rate it. You can vote until {until_en}, and change your vote until then; the last one counts."
    ));
    sheet = sheet.says(Text::fixed(
        "如先前已有一份投票，提交后将取代它。",
        "If there is a vote already, yours replaces it.",
    ));
    if let Some(said) = letter(context, asked.letter.as_ref()) {
        sheet = sheet.says(said);
    }
    sheet = sheet.says(Text::fixed(
        "计票后，任何人都无法得知您投了什么。",
        "Once it is counted nobody can learn how you have voted.",
    ));
    for (name, question) in fields(ballot) {
        let none = (String::new(), Text::fixed("请选择", "Please choose"));
        let mut choices = vec![none];
        choices.extend(ballot.terms.scale.iter().map(|choice| {
            (
                choice.code.clone(),
                Text::made(choice.name_zh.clone(), choice.name_en.clone()),
            )
        }));
        if ballot.terms.may_abstain {
            choices.push((ABSTAIN.to_owned(), Text::fixed("弃权", "No answer")));
        }
        let label = Text::made(question.text_zh.clone(), question.text_en.clone());
        let mut field = Field::new(name, Kind::Choice, label).choices(choices);
        if let Some(bid) = &question.about {
            let shown = Text::fixed(
                "查看该投标的公开内容（在新页面打开）",
                "See what is public of this bid (in a new page)",
            );
            field = field.beside(shown, format!("/opened-bids/{}/{bid}", ballot.matter_id));
        }
        sheet = sheet.asks(field.value(filled.map_or("", |filled| filled.get(name))));
    }
    let nonce = match filled.and_then(|filled| filled.given("nonce")) {
        Some(nonce) => nonce.to_owned(),
        None => hex::encode(id::random::<16>()?),
    };
    Ok(sheet
        .carries("nonce", nonce)
        .button("vote", Text::fixed("投票", "Vote")))
}

/// That a letter was printed for whoever is asked: whoever has it can vote in their place.
fn letter(context: &Shared, letter: Option<&Letter>) -> Option<Text> {
    let letter = letter?;
    let printings = letter.printings;
    let at = moment(letter.printed_at()?, context.calendar.zone);
    let (zh, en) = (&at.zh, &at.en);
    Some(text!(
        "为您打印的投票函：共 {printings} 次，最近一次于 {zh}。如果您没有收到，持有者可能代您投票；请告知街道办事处，并在截止前再投一次，以最后一次为准。",
        "Letters printed for you: {printings}, the last one on {en}. If you have not received it, whoever has it could vote in your place: tell your street office, and vote once more before the close, because the last vote counts."
    ))
}

/// What was chosen. A question without a choice is left out, and then told as one without an answer.
fn answers(ballot: &Ballot, filled: &Filled) -> Vec<Answered> {
    fields(ballot)
        .filter_map(|(name, question)| {
            Some(Answered {
                question: question.code.clone(),
                choice: filled.given(name)?.to_owned(),
            })
        })
        .collect()
}

/// What leads from a page of votes to the one on which something is said in words, which is apart from it and belongs to the floor above.
fn in_words() -> Text {
    Text::fixed(
        "说几句话（与投票分开）",
        "Say something in your own words (apart from your vote)",
    )
}

/// The way there: by the link, or with the code that the page carries.
fn words_too(sheet: Sheet, ballot: &Ballot, code: String, carry: bool) -> Sheet {
    if ballot.kind != BallotKind::Rating {
        return sheet;
    }
    if carry {
        sheet
            .carries("code", code)
            .button_to("/vote/words", "code", in_words())
    } else {
        sheet.leads_to(in_words(), format!("/v/{code}/words"))
    }
}

fn thanks(receipt: &Receipt) -> Sheet {
    let mut sheet = Sheet::new(Text::fixed("已投票，谢谢", "You have voted, thank you"))
        .says(Text::fixed(
            "如先前已有一份投票，它已被取代；截止前以最后一次为准。",
            "If there was a vote already, yours has replaced it. Until the close the last one counts.",
        ))
        .says(Text::fixed(
            "请保存凭据（复制下面的文字，或下载文件）：计票后，凭它可以查到您的票是否计入。凭据不含姓名和时间；出示给他人，他人就会知道您投了什么。",
            "Keep your receipt: copy the text below, or take it along as a file. After the count you find by it whether your vote was counted. It holds no name and no time; to whomever you show it you show how you have voted.",
        ));
    let ballot = &receipt.ballot_id;
    for slip in &receipt.slips {
        let hash = &slip.sha256;
        sheet = sheet.leads_to(
            text!("计票后查询：{hash}", "After the count, was it counted: {hash}"),
            format!("/v/{ballot}/counted/{hash}"),
        );
    }
    let text = Field::new(RECEIPT, Kind::Kept, Text::fixed("凭据", "Your receipt"));
    sheet.asks(text.value(&receipt_file(receipt))).button_to(
        "/vote/receipt",
        "receipt",
        Text::fixed("下载凭据", "Download the receipt"),
    )
}

/// A receipt as a file: the signed note, and after an empty line what the voter needs to make each hash themselves.
fn receipt_file(receipt: &Receipt) -> String {
    let mut text = format!("{}\nown_sha256 {}\n", receipt.receipt, receipt.own_sha256);
    for slip in &receipt.slips {
        let (question, choice, sha256) = (&slip.question, &slip.choice, &slip.sha256);
        let (salt, part) = (&slip.salt, &slip.salt_part);
        text.push_str(&format!(
            "slip {sha256} {question} {choice} salt {salt} salt_part {part}\n"
        ));
    }
    text
}

/// A refusal of a vote, with its faults at the fields of the page: also that nothing was chosen, which an answer has no place for.
fn at_fields(ballot: &Ballot, refusal: &Refusal, (filled, said): (&Filled, &[Answered])) -> Refusal {
    let mut refusal = refusal.clone();
    let before = refusal.objections.len();
    refusal
        .objections
        .retain(|objection| objection.pointer != "/answers");
    if refusal.objections.len() < before {
        let empty = fields(ballot).filter(|(name, _)| filled.given(name).is_none());
        refusal.objections.extend(empty.map(|(name, _)| Objection {
            pointer: format!("/{name}"),
            code: refusal.reason.code,
            detail: Text::fixed("请选择一项", "Please choose one"),
        }));
    }
    for objection in &mut refusal.objections {
        let mut parts = objection.pointer.trim_start_matches("/answers/").split('/');
        let place: Option<usize> = parts.next().and_then(|place| place.parse().ok());
        let answer = place.and_then(|place| said.get(place));
        let field = answer.and_then(|answer| fields(ballot).find(|(_, one)| one.code == answer.question));
        if let Some((name, _)) = field {
            objection.pointer = format!("/{name}");
        }
    }
    refusal
}

/// Hears the vote of a form.
async fn voted(
    (reader, request): (&Reader, &HttpRequest),
    (context, polling): (&Shared, &AtPolling),
    (code, filled): (String, &Filled),
    carry: bool,
) -> Answer<HttpResponse> {
    let asked = asked(request, context, polling, &code).await?;
    let said = answers(&asked.ballot, filled);
    let nonce = filled.given("nonce").map(str::to_owned);
    let cast = (Shown::Code(code.clone()), said.clone(), nonce);
    match heard(request, (context, polling), Actor::public(), cast).await {
        Ok(receipt) => {
            // Sent again after another vote it would bring this one back.
            let sheet = words_too(thanks(&receipt), &asked.ballot, code, carry).ends();
            reader.show(StatusCode::OK, &sheet)
        }
        Err(Stop::Refused(refusal)) => {
            let sheet = form(context, &asked, Some(filled))?.answers(filled);
            let sheet = if carry { sheet.carries("code", code) } else { sheet };
            reader.show_refused(sheet, &at_fields(&asked.ballot, &refusal, (filled, &said)))
        }
        Err(stop) => Err(stop),
    }
}

#[get("/v/{token}")]
async fn show_vote(request: HttpRequest, context: Shared, polling: AtPolling) -> HttpResponse {
    let reader = Reader::of(&request);
    let code = last_part(&request);
    let answer = match asked(&request, &context, &polling, &code).await {
        Ok(asked) => form(&context, &asked, None)
            .and_then(|sheet| reader.show(StatusCode::OK, &words_too(sheet, &asked.ballot, code, false))),
        Err(stop) => Err(stop),
    };
    reader.answer(answer)
}

#[post("/v/{token}")]
async fn send_vote(
    request: HttpRequest,
    context: Shared,
    polling: AtPolling,
    incoming: Incoming,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match Filled::of(&request, incoming).await {
        Ok(filled) => {
            let said = (last_part(&request), &filled);
            voted((&reader, &request), (&context, &polling), said, false).await
        }
        Err(stop) => Err(stop),
    };
    reader.answer(answer)
}

fn terminal(code: &str) -> Sheet {
    Sheet::new(Text::fixed("投票", "Vote"))
        .says(Text::fixed(
            "请由您本人输入投票函上的投票码。任何工作人员都不能代您投票。",
            "Type the code of your letter yourself. Nobody of the staff can vote for you.",
        ))
        .asks(
            Field::new("code", Kind::Code, Text::fixed("投票码", "Code"))
                .value(code)
                .at_most(60),
        )
        .button("code", Text::fixed("下一步", "Go on"))
        .leads_to(in_words(), "/vote/words")
}

#[get("/vote")]
async fn show_terminal(request: HttpRequest) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = reader.show(StatusCode::OK, &terminal(""));
    reader.answer(answer)
}

#[post("/vote")]
async fn send_terminal(
    request: HttpRequest,
    context: Shared,
    polling: AtPolling,
    incoming: Incoming,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = typed(&reader, &request, (&context, &polling), incoming).await;
    reader.answer(answer)
}

/// First the code, and then the vote, to which the form carries the code along.
async fn typed(
    reader: &Reader,
    request: &HttpRequest,
    (context, polling): (&Shared, &AtPolling),
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let filled = Filled::of(request, incoming).await?;
    let code = filled.get("code").to_owned();
    if filled.get("step") == "vote" {
        return voted((reader, request), (context, polling), (code, &filled), true).await;
    }
    match asked(request, context, polling, &code).await {
        Ok(asked) => {
            let sheet = form(context, &asked, None)?.carries("code", code);
            reader.show(StatusCode::OK, &sheet.answers(&filled))
        }
        Err(Stop::Refused(refusal)) => reader.show_refused(terminal("").answers(&filled), &refusal),
        Err(stop) => Err(stop),
    }
}
