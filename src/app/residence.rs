//! The page behind the links of invitation letters. It lies on the top floor because it joins what two slices below do not know of
//! each other: who signs in, and whose place on the roll a letter offers. The letter's code stands behind the `#` of the link, where
//! no server and no log on the way sees it; a few lines of script put it into its field, and without them it is typed from the
//! letter. Whoever fills the form in is signed in for this one act and signed out again.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};

use crate::app::registration;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Objection, Refusal, Stop};
use crate::kernel::text::Text;
use crate::people::acts_sessions;
use crate::people::gate::AtGate;
use crate::people::http_links::{self, MailTo};
use crate::people::http_sessions::{self, SessionTokens, SignIn};
use crate::people::rules;
use crate::people::rules_links::{CODE_MINUTES, ChallengeId};
use crate::people::rules_passwords::LENGTH_MAX;
use crate::people::rules_totp::{SECOND_FACTOR_NEEDED, SECOND_FACTOR_REFUSED};
use crate::registry::acts_letters::{self, ClaimResidence};
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::context::Context;
use crate::web::page::{Field, Filled, Kind, Reader, Sheet};
use crate::web::problem::INVALID;

/// The page, and the methods that it has.
pub const PAGES: [(&str, &[&str]); 1] = [("/residence", &["GET", "POST"])];

/// Puts the code behind the `#` into its field, and takes it out of the address line.
pub const SCRIPT: &str = include_str!("../../templates/residence.js");

/// Serves it.
pub fn pages(config: &mut web::ServiceConfig) {
    config.service(show).service(send);
}

/// What the form carries from one time to the next.
#[derive(Clone, Default)]
struct Stage {
    /// The code that was asked for by mail, instead of a password.
    challenge: Option<ChallengeId>,
    /// True if the account has a second factor.
    second_factor: bool,
}

/// The page with what a letter asks of whoever has it.
pub fn letter_fields(sheet: Sheet, filled: Option<&Filled>) -> Sheet {
    let filled_in = |name: &str| filled.map_or("", |filled| filled.get(name));
    sheet
        .asks(
            Field::new("code", Kind::Code, Text::fixed("邀请码", "Code of the letter"))
                .hint(Text::fixed(
                    "扫描二维码打开本页的，已自动填写；否则请输入邀请函上二维码下方的 16 位邀请码，字母不分大小写。",
                    "Filled in if you have scanned the QR code; else the 16 characters below it, in upper or lower case.",
                ))
                .value(filled_in("code"))
                .at_most(60),
        )
        .asks(
            birth_date_field(filled_in("birth_date"))
                .hint(Text::fixed("例如 1984-07-19", "For example 1984-07-19")),
        )
}

/// A date of birth.
pub fn birth_date_field(value: &str) -> Field {
    Field::new("birth_date", Kind::Line, Text::fixed("出生日期", "Date of birth"))
        .value(value)
        .autocomplete("bday")
        .at_most(20)
}

fn sheet(filled: Option<&Filled>, stage: &Stage) -> Sheet {
    let filled_in = |name: &str| filled.map_or("", |filled| filled.get(name));
    let sheet = Sheet::new(Text::fixed("关联居民身份", "Become a resident in this service"))
        .says(Text::fixed(
            "凭社区的邀请函，可以把您的账户与居民名册上的您关联起来，从而参加本社区公共服务项目的评议与评价。",
            "With your community’s letter you make your account that of the resident you are, and take part in appraising and rating \
             its public services.",
        ))
        .leads_to(
            Text::fixed("我还没有账号", "I have no account yet"),
            registration::PATH,
        );
    let sheet = letter_fields(sheet, filled).asks(
        Field::new(
            "email",
            Kind::Mail,
            Text::fixed("您账户的邮箱地址", "Mail address of your account"),
        )
        .value(filled_in("email"))
        .autocomplete("username"),
    );
    let sheet = match &stage.challenge {
        Some(challenge) => sheet
            .carries("challenge_id", challenge.to_string())
            .asks(
                Field::new("mailed_code", Kind::Code, Text::fixed("邮件验证码", "Code from your mail"))
                    .hint(text!(
                        "如果该地址有账户，六位验证码已发出，{CODE_MINUTES} 分钟内有效。",
                        "If there is an account with this address, a code of six digits is on its way. It works for {CODE_MINUTES} minutes."
                    ))
                    .autocomplete("one-time-code")
                    .at_most(6),
            ),
        None => sheet.asks(
            Field::new("password", Kind::Password, Text::fixed("密码", "Password"))
                .hint(Text::fixed(
                    "没有密码的，请用下面的第二个按钮获取邮件验证码。",
                    "If you have none, let a code be sent to you with the second button.",
                ))
                .autocomplete("current-password")
                .at_most(LENGTH_MAX),
        ),
    };
    let sheet = if stage.second_factor {
        sheet.carries("asked_factor", "yes".to_owned()).asks(
            Field::new(
                "second_factor",
                Kind::Code,
                Text::fixed("双重验证码", "Second factor"),
            )
            .hint(Text::fixed(
                "身份验证器应用显示的验证码，或一个恢复码。",
                "The code that your authenticator app shows, or a recovery code.",
            ))
            .autocomplete("one-time-code")
            .at_most(30),
        )
    } else {
        sheet
    };
    let mail = match &stage.challenge {
        None => Text::fixed("没有密码，发送邮件验证码", "I have no password: send me a code"),
        Some(_) => Text::fixed("重新发送验证码", "Send another code"),
    };
    sheet
        .button("claim", Text::fixed("关联", "Make me that resident"))
        .button("mail", mail)
        .runs(SCRIPT)
}

#[get("/residence")]
async fn show(request: HttpRequest) -> HttpResponse {
    let reader = Reader::of(&request);
    reader.answer(reader.show(StatusCode::OK, &sheet(None, &Stage::default())))
}

#[post("/residence")]
async fn send(request: HttpRequest, context: Shared, gate: AtGate, incoming: Incoming) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = sent(&reader, &request, &context, &gate, incoming).await;
    reader.answer(answer)
}

async fn sent(
    reader: &Reader,
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let filled = Filled::of(request, incoming).await?;
    let mut stage = Stage {
        challenge: filled.given("challenge_id").and_then(|id| id.parse().ok()),
        second_factor: filled.given("asked_factor").is_some(),
    };
    let done = if filled.get("step") == "mail" {
        mailed(request, context, gate, &filled, &mut stage)
            .await
            .map(|()| None)
    } else {
        claimed(request, context, gate, &filled, &stage).await.map(Some)
    };
    match done {
        Ok(None) => reader.show(StatusCode::OK, &sheet(Some(&filled), &stage)),
        Ok(Some(())) => reader.show(StatusCode::OK, &welcome()),
        Err(Stop::Refused(refusal)) => {
            stage.second_factor |=
                refusal.reason == &SECOND_FACTOR_NEEDED || refusal.reason == &SECOND_FACTOR_REFUSED;
            reader.show_refused(sheet(Some(&filled), &stage), &refusal)
        }
        Err(stop) => Err(stop),
    }
}

/// Has a code sent to the address, instead of a password.
async fn mailed(
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    filled: &Filled,
    stage: &mut Stage,
) -> Answer<()> {
    let email = filled.get("email");
    rules::email(email)?;
    stage.challenge = Some(http_links::send_code(request, context, gate, &MailTo::address(email)).await?);
    Ok(())
}

/// Signs in, claims the place on the roll, and signs out again, whether it was given or not.
async fn claimed(
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    filled: &Filled,
    stage: &Stage,
) -> Answer<()> {
    let command = ClaimResidence {
        code: filled.get("code").to_owned(),
        birth_date: filled.get("birth_date").to_owned(),
    };
    let zone = context.calendar.zone;
    let today = local_date(context.clock.now(), zone);
    // What cannot be right is told before anybody's password is looked at.
    let read = acts_letters::read_claim(&command, today).err();
    let unfilled = unfilled(filled, stage);
    if let Some(refusal) = together(read, unfilled)? {
        return Err(refusal.into());
    }
    let shown = match &stage.challenge {
        Some(challenge) => SignIn::with_code(challenge.clone(), filled.get("mailed_code")),
        None => SignIn::with_password(filled.get("email"), filled.get("password")),
    };
    let tokens =
        http_sessions::signed_in(request, context, gate, shown.and(filled.given("second_factor"))).await?;
    let actor = actor_of(&tokens);
    let claimed = claim(context, &actor, command).await;
    let session = tokens.session_id;
    let ended = context
        .db
        .write(move |tx| acts_sessions::sign_out(tx, &actor, &session).map(|_| ()))
        .await;
    claimed.and(ended)
}

/// Whoever has just signed in. A claim asks for an account, not for any role of it.
fn actor_of(tokens: &SessionTokens) -> Actor {
    Actor::in_session(
        tokens.account_id.to_string(),
        tokens.session_id.to_string(),
        Vec::new(),
    )
}

async fn claim(context: &Context, actor: &Actor, command: ClaimResidence) -> Answer<()> {
    context.throttle.guess(actor.id().unwrap_or_default())?;
    let (by, zone) = (actor.clone(), context.calendar.zone);
    context
        .db
        .write(move |tx| acts_letters::claim(tx, &by, zone, &command).map(|_| ()))
        .await
}

/// Fields without which nobody can be signed in.
fn unfilled(filled: &Filled, stage: &Stage) -> Vec<Objection> {
    let proof = match &stage.challenge {
        Some(_) => "mailed_code",
        None => "password",
    };
    ["email", proof]
        .into_iter()
        .filter(|name| filled.given(name).is_none())
        .map(|name| Objection {
            pointer: format!("/{name}"),
            code: "required",
            detail: Text::fixed("必填", "is required"),
        })
        .collect()
}

/// All that is wrong, as one refusal.
fn together(read: Option<Stop>, unfilled: Vec<Objection>) -> Answer<Option<Refusal>> {
    let mut objections = match read {
        None => Vec::new(),
        Some(Stop::Refused(refusal)) => refusal.objections,
        Some(fault) => return Err(fault),
    };
    objections.extend(unfilled);
    Ok((!objections.is_empty()).then(|| INVALID.refuse().listing(objections)))
}

fn welcome() -> Sheet {
    Sheet::new(Text::fixed("已关联居民身份", "You are a resident in this service now"))
        .says(Text::fixed(
            "您的账户已与居民名册上的您关联。邀请码不再有效，邀请函可以销毁。",
            "Your account is now that of the resident you are on the roll. The code works no more; you can destroy the letter.",
        ))
        .says(Text::fixed(
            "接下来：在您所用的应用中登录，即可查看名册上关于您的信息，并参加本社区项目的评议与评价。您在本页的登录已退出。",
            "What to do next: sign in with the application you use, see what the roll says of you, and take part in appraising and rating. \
             You have been signed out of this page.",
        ))
}
