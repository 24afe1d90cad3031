//! The pages on which a resident opens an account with a letter: one asks for the link, the other stands behind it. To open a link
//! spends nothing; what a form does is done by the same functions as for the API.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use zeroize::Zeroizing;

use crate::app::registration::{self, Ask, Open, Opened};
use crate::app::residence;
use crate::kernel::refusal::{Answer, Refusal, Stop};
use crate::kernel::text::Text;
use crate::people::gate::AtGate;
use crate::people::http_pages::{gone, or_gone, password_fields, password_hint, token_of, typed_twice};
use crate::people::rules::{self, DISPLAY_NAME_LENGTH_MAX, Email};
use crate::people::rules_links::{LINK_REFUSED, REGISTRATION_HOURS};
use crate::text;
use crate::web::actor::Shared;
use crate::web::body::Incoming;
use crate::web::context::Context;
use crate::web::page::{Field, Filled, Kind, Reader, Sheet, language_of};

/// Every page of this file, and the methods that it has.
pub const PAGES: [(&str, &[&str]); 2] = [
    (registration::PATH, &["GET", "POST"]),
    ("/residence-registrations/{token}", &["GET", "POST"]),
];

/// Serves them.
pub fn pages(config: &mut web::ServiceConfig) {
    config
        .service(show_asking)
        .service(ask)
        .service(show_opening)
        .service(open);
}

fn asking_sheet(filled: Option<&Filled>) -> Sheet {
    let filled_in = |name: &str| filled.map_or("", |filled| filled.get(name));
    let sheet = Sheet::new(Text::fixed(
        "凭邀请函开立账户",
        "Open an account with your letter",
    ))
    .says(Text::fixed(
        "填写邀请函上的邀请码、您的出生日期和邮箱地址，我们会向该邮箱发送一个链接；打开链接即可设置密码、开立账户，并关联居民名册上的您。",
        "Enter the code of your community’s letter, your date of birth and your mail address, and a link is sent to you. With it you choose a \
         password, open your account and become a resident in this service.",
    ))
    .says(Text::fixed(
        "没有邮箱的，请联系社区居委会：居民名册管理员会告诉您如何参加。",
        "If you have no mail address, ask your residents’ committee: it will tell you how to take part.",
    ))
    .leads_to(Text::fixed("我已有账号", "I have an account already"), "/residence");
    residence::letter_fields(sheet, filled)
        .asks(
            Field::new(
                "email",
                Kind::Mail,
                Text::fixed("您的邮箱地址", "Your mail address"),
            )
            .hint(Text::fixed(
                "请核对：链接将发送到这里，今后也用它登录。",
                "Check it: the link is sent there, and you sign in with it later.",
            ))
            .value(filled_in("email"))
            .autocomplete("email"),
        )
        .button("send", Text::fixed("发送链接", "Send the link"))
        .runs(residence::SCRIPT)
}

#[get("/residence-registrations")]
async fn show_asking(request: HttpRequest) -> HttpResponse {
    let reader = Reader::of(&request);
    reader.answer(reader.show(StatusCode::OK, &asking_sheet(None)))
}

#[post("/residence-registrations")]
async fn ask(request: HttpRequest, context: Shared, gate: AtGate, incoming: Incoming) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = asked(&reader, &request, &context, &gate, incoming).await;
    reader.answer(answer)
}

async fn asked(
    reader: &Reader,
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let filled = Filled::of(request, incoming).await?;
    let said = Ask {
        code: filled.get("code").to_owned(),
        birth_date: filled.get("birth_date").to_owned(),
        email: filled.get("email").to_owned(),
        language: reader.language(),
    };
    match registration::ask(request, context, gate, &said).await {
        Ok(()) => reader.show(StatusCode::OK, &on_its_way()),
        Err(Stop::Refused(refusal)) => reader.show_refused(asking_sheet(Some(&filled)), &refusal),
        Err(stop) => Err(stop),
    }
}

fn on_its_way() -> Sheet {
    Sheet::new(Text::fixed("请查收邮件", "Look into your mail"))
        .says(text!(
            "邮件已在途中。其中的链接只能使用一次，最长 {REGISTRATION_HOURS} 小时有效。请保留邀请函，直到账户开立。",
            "A mail is on its way. The link in it works once, for {REGISTRATION_HOURS} hours at most. Keep the letter until your account is open."
        ))
        .says(Text::fixed(
            "几分钟后仍未收到的，请查看垃圾邮件；地址填错的，请重新填写，此前的链接随即失效。",
            "If nothing has come after some minutes, look among unwanted mail. If you have mistyped the address, ask again: the link before \
             works no more then.",
        ))
        .leads_to(Text::fixed("重新填写", "Ask again"), registration::PATH)
}

fn opening_sheet(reader: &Reader, email: &Email, filled: Option<&Filled>) -> Sheet {
    let filled_in = |name: &str| filled.map_or("", |filled| filled.get(name));
    let chosen = filled.map_or(reader.language().tag(), |filled| filled.get("language"));
    let sheet = Sheet::new(Text::fixed("开立您的账户", "Open your account"))
        .says(Text::fixed(
            "填写以下内容后，账户即归您使用，并与居民名册上的您关联；邀请函随即失效。",
            "Fill this in, and the account is yours, and you are a resident in this service. The letter is used up then.",
        ))
        .asks(
            Field::new("account", Kind::Fixed, Text::fixed("邮箱地址", "Mail address"))
                .value(email.whole())
                .autocomplete("username"),
        )
        .asks(
            residence::birth_date_field(filled_in("birth_date")).hint(Text::fixed(
                "请再填写一次，例如 1984-07-19：以防本邮件误投他人。",
                "Once more, for example 1984-07-19: this mail might have reached somebody else.",
            )),
        )
        .asks(
            Field::new("display_name", Kind::Line, Text::fixed("称呼", "Name"))
                .hint(Text::fixed(
                    "由您自定，不必是名册上的姓名。",
                    "Whatever you like to be called; it need not be your name on the roll.",
                ))
                .value(filled_in("display_name"))
                .autocomplete("nickname")
                .at_most(DISPLAY_NAME_LENGTH_MAX),
        )
        .asks(
            Field::new(
                "language",
                Kind::Language,
                Text::fixed("邮件语言", "Language of mail"),
            )
            .value(chosen),
        );
    password_fields(sheet, Text::fixed("密码", "Password"), password_hint(), true)
        .button("open", Text::fixed("开立账户", "Open the account"))
}

fn opening_gone(reader: &Reader) -> Answer<HttpResponse> {
    let sheet = Sheet::new(LINK_REFUSED.title.clone())
        .says(Text::fixed(
            "如果您已用此链接开立账户，直接登录即可。否则请凭邀请函重新申请链接；邀请函已使用、作废或过期的，请向社区居委会索取新的邀请函。",
            "If you have opened your account with it, simply sign in. If not, ask for another link with your letter; if the letter was used, \
             replaced or has expired, ask your residents’ committee for a new one.",
        ))
        .leads_to(
            Text::fixed("重新申请链接", "Ask for another link"),
            registration::PATH,
        );
    gone(reader, sheet)
}

#[get("/residence-registrations/{token}")]
async fn show_opening(request: HttpRequest, context: Shared) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match registration::address_of(&context, &token_of(&request)).await {
        Ok(email) => reader.show(StatusCode::OK, &opening_sheet(&reader, &email, None)),
        Err(stop) => Err(stop),
    };
    or_gone(&reader, answer, opening_gone)
}

#[post("/residence-registrations/{token}")]
async fn open(request: HttpRequest, context: Shared, gate: AtGate, incoming: Incoming) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = opened(&reader, &request, &context, &gate, incoming).await;
    or_gone(&reader, answer, opening_gone)
}

async fn opened(
    reader: &Reader,
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let filled = Filled::of(request, incoming).await?;
    let token = token_of(request);
    let email = registration::address_of(context, &token).await?;
    let said = Open {
        birth_date: filled.get("birth_date").to_owned(),
        display_name: filled.get("display_name").to_owned(),
        language: language_of(filled.get("language")).unwrap_or(reader.language()),
        password: Zeroizing::new(filled.get("password").to_owned()),
    };
    let again =
        |refusal: &Refusal| reader.show_refused(opening_sheet(reader, &email, Some(&filled)), refusal);
    let twice = typed_twice(&said.password, filled.get("password_again"));
    let [born, name, password] = registration::faults_of(context, gate, &email, &said);
    if let Some(refusal) = rules::all_faults([born, name, password, twice]).err() {
        return again(&refusal);
    }
    match registration::open(context, gate, &token, said).await {
        Ok(opened) => reader.show(StatusCode::OK, &welcome(&opened)),
        Err(Stop::Refused(refusal)) if refusal.reason != &LINK_REFUSED => again(&refusal),
        Err(stop) => Err(stop),
    }
}

fn welcome(opened: &Opened) -> Sheet {
    let email = opened.account.email.as_ref().map_or("", Email::whole);
    Sheet::new(Text::fixed(
        "账户已开立，居民身份已关联",
        "Your account is open, and you are a resident in this service",
    ))
    .says(Text::fixed(
        "邀请码和本链接均不再有效，邀请函可以销毁。",
        "The letter’s code and this link work no more; you can destroy the letter.",
    ))
    .says(text!(
        "接下来：在您所用的应用中以 {email} 登录，即可查看名册上关于您的信息，并参加本社区项目的评议与评价。",
        "What to do next: sign in as {email} with the application you use, see what the roll says of you, and take part in appraising and rating."
    ))
}
