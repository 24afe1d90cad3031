//! The pages behind the codes that are put up at places: one on which anybody reports what is wrong there, and one on which they hear what came of it. What a form
//! does is done by the same functions as for the API; nothing of a page runs.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::contracts::acts_defects::{self as acts, Setting};
use crate::contracts::desk_defects::{self as desk, Known};
use crate::contracts::http_defect_forms::{Broken, Counter, file};
use crate::contracts::http_defect_views::{DefectView, shown_one};
use crate::contracts::reception::AtReception;
use crate::contracts::rules_defect_reports::{
    DefectReport, DefectReportId, PHOTOS_MAX, WORDS_LENGTH_MAX, is_served,
};
use crate::contracts::rules_defects::{Decider, Defect, Standing, State, may_reopen, reporter_confirms};
use crate::contracts::rules_defects_clock::heard_until;
use crate::contracts::rules_places::{PlaceCode, PlaceRef, ServedPlace};
use crate::contracts::store_defects::Round;
use crate::contracts::{store_defect_reports, store_defects};
use crate::db::conn::Conn;
use crate::files::desk::Desk;
use crate::kernel::clock::Instant;
use crate::kernel::days::Days;
use crate::kernel::id;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Refusal, Stop};
use crate::kernel::text::Text;
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::Expected;
use crate::web::context::Context;
use crate::web::envelope::client_network;
use crate::web::idempotency::Once;
use crate::web::page::{Field, Filled, Kind, Reader, Sheet, refuse_from_elsewhere};
use crate::web::problem::NOT_FOUND;

/// Every page of this file, and the methods that it has.
pub const PAGES: [(&str, &[&str]); 2] = [
    ("/r/{code}", &["GET", "POST"]),
    ("/r/reports/{token}", &["GET", "POST"]),
];

/// Fields that a page carries besides those of a report.
const CARRIED: [&str; 2] = ["key", "step"];

/// Serves them.
pub fn pages(config: &mut web::ServiceConfig) {
    config
        .service(show_following)
        .service(say)
        .service(show_form)
        .service(send);
}

/// The last part of a path that a page was found at.
fn last_part(request: &HttpRequest) -> &str {
    request.path().rsplit('/').next().unwrap_or_default()
}

async fn place_of(context: &Context, code: &str) -> Answer<(PlaceCode, ServedPlace, Known)> {
    let code: PlaceCode = code.parse().map_err(|()| NOT_FOUND.refuse())?;
    let meant = PlaceRef::Code(code.clone());
    let (place, known) = context.db.read(move |conn| desk::place(conn, &meant)).await?;
    Ok((code, place, known))
}

fn no_such_place(reader: &Reader) -> Answer<HttpResponse> {
    let sheet = Sheet::new(Text::fixed("此代码已失效", "This code leads nowhere")).says(Text::fixed(
        "请核对代码；也可能它已被更换。现场张贴的最新代码有效。",
        "Check it; or it was replaced: the one that is put up at the place now works.",
    ));
    reader.show(StatusCode::NOT_FOUND, &sheet)
}

fn or_nowhere(reader: &Reader, answer: Answer<HttpResponse>) -> HttpResponse {
    let answer = match answer {
        Err(Stop::Refused(refusal)) if refusal.reason == &NOT_FOUND => no_such_place(reader),
        answer => answer,
    };
    reader.answer(answer)
}

/// The form, with a key by which the same form that is sent twice is one report.
fn form(place: &ServedPlace, known: &Known, filled: Option<&Filled>) -> Answer<Sheet> {
    let filled_in = |name: &str| filled.map_or("", |filled| filled.get(name));
    let key = match filled.and_then(|filled| filled.given("key")) {
        Some(key) => key.to_owned(),
        None => BASE64_URL_SAFE_NO_PAD.encode(id::random::<16>()?),
    };
    let choices = known
        .categories_to_report()
        .into_iter()
        .map(|category| (category.code, Text::made(category.name_zh, category.name_en)));
    let (title_zh, title_en) = (&known.signed.document.title_zh, &known.signed.document.title_en);
    let (place_zh, place_en) = (&place.name_zh, &place.name_en);
    let chosen = filled.map_or(crate::contracts::rules_defects::OTHER, |filled| {
        filled.get("category")
    });
    Ok(Sheet::new(text!("报告问题：{place_zh}", "Report what is wrong: {place_en}"))
        .says(text!(
            "本地点由“{title_zh}”合同服务。无需账户。",
            "This place is served under the contract “{title_en}”. You need no account."
        ))
        .says(Text::fixed(
            "请勿写入或拍入他人的个人信息。文字和照片经审核后才会公开。",
            "Please write of nobody in person, and photograph nobody. Words and photos are public only once an officer has released them.",
        ))
        .carries("key", key)
        .asks(
            Field::new("category", Kind::Choice, Text::fixed("问题类别", "What kind"))
                .choices(choices.collect())
                .value(chosen),
        )
        .asks(
            Field::new("text", Kind::Words, Text::fixed("问题描述", "What is wrong"))
                .value(filled_in("text"))
                .at_most(WORDS_LENGTH_MAX),
        )
        .asks(
            Field::new("photos", Kind::Photos, Text::fixed("照片（可不附）", "Photos (optional)"))
                .hint(text!(
                    "最多 {PHOTOS_MAX} 张，JPEG、PNG 或 WebP。",
                    "Up to {PHOTOS_MAX}, JPEG, PNG or WebP."
                ))
                .optional(),
        )
        .asks(
            Field::new("contact", Kind::Mail, Text::fixed("邮箱（可不填）", "Mail address (optional)"))
                .hint(Text::fixed(
                    "用于告知处理结果；不公开，办结一个月后删除。",
                    "To tell you what came of it. It is shown to nobody, and forgotten a month after the end.",
                ))
                .value(filled_in("contact"))
                .autocomplete("email")
                .optional(),
        )
        .button("send", Text::fixed("提交", "Send")))
}

/// What stands there before the service begins and after its end: nobody is to write down what then cannot be taken.
fn closed(place: &ServedPlace, known: &Known, refusal: &Refusal) -> Sheet {
    let (title_zh, title_en) = (&known.signed.document.title_zh, &known.signed.document.title_en);
    let (place_zh, place_en) = (&place.name_zh, &place.name_en);
    let sheet = Sheet::new(text!("{place_zh}", "{place_en}"))
        .says(refusal.reason.title.clone())
        .says(text!("合同：{title_zh}", "The contract: “{title_en}”"));
    match &refusal.detail {
        Some(detail) => sheet.says(detail.clone()),
        None => sheet,
    }
}

#[get("/r/{code}")]
async fn show_form(request: HttpRequest, context: Shared) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match place_of(&context, last_part(&request)).await {
        Ok((_, place, known)) => {
            let today = local_date(context.clock.now(), context.calendar.zone);
            let sheet = match is_served(today, known.signed.term()) {
                Ok(()) => form(&place, &known, None),
                Err(refusal) => Ok(closed(&place, &known, &refusal)),
            };
            sheet.and_then(|sheet| reader.show(StatusCode::OK, &sheet))
        }
        Err(stop) => Err(stop),
    };
    or_nowhere(&reader, answer)
}

#[post("/r/{code}")]
async fn send(
    request: HttpRequest,
    context: Shared,
    files: Desk,
    reception: AtReception,
    once: Once,
    incoming: Incoming,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let desks = (&context, &files, &reception);
    let answer = sent(&reader, &request, desks, once, incoming).await;
    or_nowhere(&reader, answer)
}

async fn sent(
    reader: &Reader,
    request: &HttpRequest,
    (context, files, reception): (&Shared, &Desk, &AtReception),
    once: Once,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    refuse_from_elsewhere(request)?;
    let (code, place, known) = place_of(context, last_part(request)).await?;
    let actor = Actor::public();
    let counter = Counter {
        context,
        files,
        reception,
        actor: &actor,
        network: client_network(request, context),
        now: context.clock.now(),
    };
    let received = match counter.receive_at(incoming, &code, &CARRIED).await {
        Ok(received) => received,
        Err(Broken {
            stop: Stop::Refused(refusal),
            fields,
        }) => return reader.show_refused(form(&place, &known, Some(&fields))?, &refusal),
        Err(Broken { stop, .. }) => return Err(stop),
    };
    let filled = received.fields.clone();
    let once = once.keyed(filled.get("key"));
    match file(
        &counter,
        (context, files, reception),
        once,
        received,
        reader.language(),
    )
    .await
    {
        Ok((_, receipt)) => {
            let path = match &receipt.report_id {
                Some(report) => Some(reception.key.path(report)?),
                None => None,
            };
            reader.show(
                StatusCode::OK,
                &thanks(receipt.reports_count.unwrap_or_default(), path),
            )
        }
        Err(Stop::Refused(refusal)) => reader.show_refused(form(&place, &known, Some(&filled))?, &refusal),
        Err(stop) => Err(stop),
    }
}

fn thanks(count: i64, path: Option<String>) -> Sheet {
    let sheet = Sheet::new(Text::fixed("已收到，谢谢", "Received, thank you"));
    let sheet = match count {
        0 => sheet.says(Text::fixed(
            "该地点今日报告较多，本次报告已计数。",
            "There are many reports of this place today; yours was counted.",
        )),
        1 => sheet.says(Text::fixed(
            "紧急问题已直接通知承接单位，其他问题由采购人核查后派单。",
            "What is urgent has gone to the contractor at once; anything else does when the office has looked at it.",
        )),
        many => sheet.says(text!(
            "同一问题已有人报告，现共 {many} 次。",
            "Others have reported the same; it was reported {many} times now."
        )),
    };
    match path {
        Some(path) => sheet
            .says(Text::fixed(
                "请保存以下链接：可随时查看进展，并告知问题是否确已解决。",
                "Keep this link: by it you see how far it has come, and say whether it is really put right.",
            ))
            .leads_to(Text::fixed("查看进展", "How far it has come"), path),
        None => sheet,
    }
}

/// What a link is of.
struct Followed {
    report: DefectReport,
    defect: Defect,
    view: DefectView,
    /// The calls to the contractor as they are stored, the first one first.
    rounds: Vec<Round>,
    /// Until when reporters are heard about the present fix, UTC.
    heard_until: Option<Instant>,
}

impl Followed {
    fn standing(&self) -> Option<Standing> {
        self.heard_until.map(|until| Standing {
            is_first: self.report.number == 1,
            until,
        })
    }
}

fn followed(conn: &mut Conn, id: &DefectReportId, days: Days<'_>, now: Instant) -> Answer<Followed> {
    let report = store_defect_reports::report(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let defect = store_defects::defect(conn, &report.defect_id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let defect = defect.as_of(now);
    let view = shown_one(conn, &Actor::public(), defect.clone(), now)?;
    let rounds = store_defects::rounds(conn, &[&defect.id])?;
    let fixed_at = rounds.last().and_then(|round| round.fixed_at);
    let heard_until = fixed_at
        .filter(|_| defect.state == State::Fixed)
        .map(|at| heard_until(at.and_utc(), days));
    Ok(Followed {
        report,
        defect,
        view,
        rounds,
        heard_until,
    })
}

fn how_far(state: State) -> Text {
    match state {
        State::Reported => Text::fixed("等待采购人核查。", "It waits for the office to look at it."),
        State::Dispatched => Text::fixed("已通知承接单位。", "The contractor was told."),
        State::Acknowledged => Text::fixed("承接单位已接单。", "The contractor is at it."),
        State::Fixed => Text::fixed("承接单位称已处理。", "The contractor says that it is put right."),
        State::Reopened => Text::fixed(
            "未解决，已要求重新处理。",
            "It was not put right; the contractor was told again.",
        ),
        State::Confirmed => Text::fixed("已办结。", "It is closed."),
        State::Rejected => Text::fixed("经核不成立。", "It was found to be no defect."),
        State::Withdrawn => Text::fixed("已撤回。", "It was withdrawn."),
    }
}

/// What was said to have been done, and what was found to be wrong with it, round by round: only the last one's fix can still hold.
fn rounds(mut sheet: Sheet, followed: &Followed) -> Sheet {
    let Followed {
        view, rounds, defect, ..
    } = followed;
    let (several, is_alone) = (view.rounds.len() > 1, defect.reports_count == 1);
    for (shown, round) in view.rounds.iter().zip(rounds) {
        let number = shown.number;
        if several && (shown.note.is_some() || round.reopened_at.is_some()) {
            sheet = sheet.says(text!("第 {number} 次处理", "Attempt {number}"));
        }
        if let Some(note) = &shown.note {
            sheet = sheet.says(text!("处理说明：{note}", "What was done: {note}"));
        }
        for (photo, at) in shown.evidence.iter().zip(1..) {
            sheet = sheet.points_to(
                text!("处理照片 {at}", "Photo {at} of it"),
                format!("/api/v1/attachments/{photo}/content"),
            );
        }
        // Their own words, and nobody else's: those of others were released by nobody.
        let is_own = round.reopened_by.as_deref() == Some(Decider::Reporter.name()) && is_alone;
        if let Some(reason) = round.reason.as_ref().filter(|_| is_own) {
            sheet = sheet.says(text!(
                "您认为未解决：{reason}",
                "You found it not put right: {reason}"
            ));
        }
    }
    sheet
}

fn progress(followed: &Followed, filled: Option<&Filled>, now: Instant) -> Sheet {
    let Followed {
        report, defect, view, ..
    } = followed;
    let (zh, en) = (&view.place_zh, &view.place_en);
    let (what_zh, what_en) = (&view.category.name_zh, &view.category.name_en);
    let words = &report.words;
    let mut sheet = Sheet::new(text!("{zh}：{what_zh}", "{en}: {what_en}"))
        .says(how_far(defect.state))
        .says(text!("您的描述：{words}", "What you said: {words}"));
    if let Some(reason) = &view.reason {
        sheet = sheet.says(text!("原因：{reason}", "The reason: {reason}"));
    }
    sheet = rounds(sheet, followed);
    if let Some(standing) = followed.standing() {
        let reopens = may_reopen(defect.round, Some(standing), now);
        if reopens.is_ok() {
            sheet = sheet.asks(
                Field::new(
                    "reason",
                    Kind::Words,
                    Text::fixed("未解决的，请说明", "If it is not put right: why"),
                )
                .value(filled.map_or("", |filled| filled.get("reason")))
                .at_most(WORDS_LENGTH_MAX)
                .optional(),
            );
        }
        if reporter_confirms(standing, now).is_ok() {
            sheet = sheet.button("confirm", Text::fixed("已解决", "It is put right"));
        }
        match reopens {
            Ok(()) => sheet = sheet.button("reopen", Text::fixed("未解决", "It is not put right")),
            // Why nothing is asked any more.
            Err(refusal) => {
                sheet = sheet.says(refusal.reason.title.clone());
            }
        }
    }
    let may_withdraw =
        matches!(defect.state, State::Reported | State::Dispatched) && defect.reports_count == 1;
    if may_withdraw {
        sheet = sheet.button("withdraw", Text::fixed("撤回报告", "Withdraw the report"));
    }
    sheet
}

async fn following(
    context: &Shared,
    reception: &AtReception,
    token: &str,
) -> Answer<(DefectReportId, Followed)> {
    let id = reception.key.report(token)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let (of, now, asked) = (id.clone(), context.clock.now(), context.clone());
    let found = context
        .db
        .glance_primary(move |conn| followed(conn, &of, asked.calendar.counted(), now))
        .await?;
    Ok((id, found))
}

#[get("/r/reports/{token}")]
async fn show_following(request: HttpRequest, context: Shared, reception: AtReception) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match following(&context, &reception, last_part(&request)).await {
        Ok((_, found)) => reader.show(StatusCode::OK, &progress(&found, None, context.clock.now())),
        Err(stop) => Err(stop),
    };
    reader.answer(answer)
}

#[post("/r/reports/{token}")]
async fn say(
    request: HttpRequest,
    context: Shared,
    reception: AtReception,
    incoming: Incoming,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = said(&reader, &request, (&context, &reception), incoming).await;
    reader.answer(answer)
}

async fn said(
    reader: &Reader,
    request: &HttpRequest,
    (context, reception): (&Shared, &AtReception),
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let filled = Filled::of(request, incoming).await?;
    let token = last_part(request);
    let (id, found) = following(context, reception, token).await?;
    match speak(context, reception, (id, &found), &filled).await {
        Ok(()) => {
            let (_, now) = following(context, reception, token).await?;
            reader.show(StatusCode::OK, &progress(&now, None, context.clock.now()))
        }
        Err(Stop::Refused(refusal)) => {
            let refusal: &Refusal = &refusal;
            reader.show_refused(progress(&found, Some(&filled), context.clock.now()), refusal)
        }
        Err(stop) => Err(stop),
    }
}

/// Does what a button says.
async fn speak(
    context: &Shared,
    reception: &AtReception,
    (link, found): (DefectReportId, &Followed),
    filled: &Filled,
) -> Answer<()> {
    let (asked, at, defect) = (context.clone(), reception.clone(), found.defect.id.clone());
    // What the person has seen is what they speak of.
    let expected = Expected::Version(found.defect.revision);
    let (step, reason) = (filled.get("step").to_owned(), filled.get("reason").to_owned());
    context
        .db
        .write(move |tx| {
            let setting = Setting {
                calendar: &asked.calendar,
                key: &at.key,
            };
            let (actor, of) = (Actor::public(), (&defect, Some(&link)));
            match step.as_str() {
                "confirm" => acts::confirm(tx, &actor, of, expected, setting),
                "reopen" => acts::reopen(tx, &actor, of, (expected, reason.as_str()), setting),
                "withdraw" => acts::withdraw(tx, &actor, of, expected),
                _ => Err(NOT_FOUND.refuse().into()),
            }
            .map(|_| ())
        })
        .await
}
