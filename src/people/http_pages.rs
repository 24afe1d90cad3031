//! The pages behind links in mails, for whoever follows one in a browser: to take an account over, and to choose another password.
//! To open a link spends nothing, because mail scanners open links too; what a form does is done by the same functions as for the
//! API. A link that is good for nothing is answered alike whether it was used, has expired or never was.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use zeroize::Zeroizing;

use crate::kernel::refusal::{Answer, Refusal, Stop};
use crate::kernel::text::{Language, Text};
use crate::people::gate::AtGate;
use crate::people::http_links::{self, Acceptance, MailTo};
use crate::people::rules::{self, Account, DISPLAY_NAME_LENGTH_MAX, Email};
use crate::people::rules_links::{LINK_REFUSED, Purpose, RESET_MINUTES};
use crate::people::rules_passwords::{LENGTH_MAX, LENGTH_MIN};
use crate::text;
use crate::web::actor::Shared;
use crate::web::body::Incoming;
use crate::web::context::Context;
use crate::web::page::{Field, Filled, Kind, Reader, Sheet, language_of};
use crate::web::problem::{INVALID, status};

/// Every page of this file, and the methods that it has.
pub const PAGES: [(&str, &[&str]); 3] = [
    ("/invitations/{token}", &["GET", "POST"]),
    ("/password-resets", &["GET", "POST"]),
    ("/password-resets/{token}", &["GET", "POST"]),
];

/// Serves them.
pub fn pages(config: &mut web::ServiceConfig) {
    config
        .service(show_invitation)
        .service(accept_invitation)
        .service(show_forgotten)
        .service(ask_for_reset)
        .service(show_reset)
        .service(reset);
}

/// The secret of the link that was followed.
pub fn token_of(request: &HttpRequest) -> String {
    request.match_info().query("token").to_owned()
}

fn form_shown(reader: &Reader, sheet: &Sheet) -> Answer<HttpResponse> {
    reader.show(StatusCode::OK, sheet)
}

/// What is wrong with a form, as far as the caller can put it right; a link that is good for nothing, and all else, stops.
fn fault_of<T>(checked: Answer<T>) -> Answer<Option<Refusal>> {
    match checked {
        Ok(_) => Ok(None),
        Err(Stop::Refused(refusal)) if refusal.reason != &LINK_REFUSED => Ok(Some(*refusal)),
        Err(stop) => Err(stop),
    }
}

/// That a password was not typed twice alike.
pub fn typed_twice(password: &str, again: &str) -> Option<Refusal> {
    (password != again).then(|| {
        INVALID
            .because(Text::fixed(
                "两次输入的密码不一致",
                "the two passwords are not the same",
            ))
            .at("/password_again")
    })
}

/// The page for a link that is good for nothing.
///
/// # Errors
/// As [`Reader::show`].
pub fn gone(reader: &Reader, sheet: Sheet) -> Answer<HttpResponse> {
    let sheet = sheet.says(Text::fixed(
        "链接只能使用一次，并且过一段时间即失效；如果另有一封较新的邮件，则只有其中的链接有效。",
        "A link works once and for a limited time; if you were sent a newer one, only that one works.",
    ));
    reader.show(status(&LINK_REFUSED), &sheet)
}

/// The same with a password, typed twice.
pub fn password_fields(sheet: Sheet, label: Text, hint: Text, is_required: bool) -> Sheet {
    let field = |name, label| {
        let field = Field::new(name, Kind::Password, label)
            .autocomplete("new-password")
            .at_most(LENGTH_MAX);
        if is_required { field } else { field.optional() }
    };
    sheet.asks(field("password", label).hint(hint)).asks(field(
        "password_again",
        Text::fixed("再次输入密码", "The password again"),
    ))
}

/// Which passwords are good enough.
pub fn password_hint() -> Text {
    text!(
        "{LENGTH_MIN} 至 {LENGTH_MAX} 个字符，不得是常见密码。几个不相关的词组成的句子既安全又好记。",
        "{LENGTH_MIN} to {LENGTH_MAX} characters, none of the common passwords. A few unrelated words are safe and easy to remember."
    )
}

fn whole(account: &Account) -> &str {
    account.email.as_ref().map_or("", Email::whole)
}

/// What an invitation's page is made of.
struct Invitation {
    /// The account that is taken over; none for the first administrator's.
    account: Option<Account>,
}

impl Invitation {
    /// The invitation of a link.
    async fn of(context: &Context, token: &str) -> Answer<Self> {
        match http_links::account_of_link(context, token).await? {
            Some((Purpose::Invitation, Some(account))) if account.state == rules::State::Invited => {
                Ok(Self {
                    account: Some(account),
                })
            }
            Some((Purpose::Bootstrap, None)) => Ok(Self { account: None }),
            _ => Err(LINK_REFUSED.refuse().into()),
        }
    }

    /// The form as somebody has filled it in.
    fn sheet(&self, reader: &Reader, filled: Option<&Filled>) -> Sheet {
        let filled_in = |name: &str| filled.map_or("", |filled| filled.get(name));
        let email = Text::fixed("邮箱地址", "Mail address");
        let sheet = match &self.account {
            Some(account) => Sheet::new(Text::fixed("开立您的账户", "Open your account"))
                .says(Text::fixed(
                    "您受邀使用本系统。填写以下内容后，账户即归您使用。",
                    "You are invited to use this service. Fill this in, and the account is yours.",
                ))
                .asks(
                    Field::new("account", Kind::Fixed, email)
                        .value(whole(account))
                        .autocomplete("username"),
                ),
            None => Sheet::new(Text::fixed("开立首个管理员账户", "Open the first administrator’s account"))
                .says(Text::fixed(
                    "本系统尚无管理员。填写以下内容的人将成为管理员，并可邀请其他人。",
                    "This service has no administrator yet. Whoever fills this in becomes the administrator and can invite others.",
                ))
                .asks(
                    Field::new("email", Kind::Mail, email)
                        .value(filled_in("email"))
                        .autocomplete("username"),
                ),
        };
        let chosen = filled.map_or(reader.language().tag(), |filled| filled.get("language"));
        let sheet = sheet
            .asks(
                Field::new("display_name", Kind::Line, Text::fixed("姓名", "Name"))
                    .value(filled_in("display_name"))
                    .autocomplete("name")
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
        let (label, hint) = match &self.account {
            None => (Text::fixed("密码", "Password"), password_hint()),
            Some(_) => {
                let hint = password_hint();
                let (zh, en) = (
                    hint.in_language(Language::Chinese),
                    hint.in_language(Language::English),
                );
                (
                    Text::fixed("密码（可不设）", "Password (optional)"),
                    text!(
                        "{zh}不设密码的，每次登录时向您的邮箱发送验证码。",
                        "{en} Without one, a code is sent to your mail address each time you sign in."
                    ),
                )
            }
        };
        password_fields(sheet, label, hint, self.account.is_none())
            .button("accept", Text::fixed("开立账户", "Open the account"))
    }

    /// What is wrong with what was filled in, by this page's own rules.
    fn fault_of(&self, filled: &Filled) -> Option<Refusal> {
        let missing = self.account.is_none() && filled.given("password").is_none();
        if missing {
            let detail = Text::fixed("请设置密码", "choose a password");
            return Some(INVALID.because(detail).at("/password"));
        }
        typed_twice(filled.get("password"), filled.get("password_again"))
    }

    /// The same as the request of the API.
    fn acceptance(&self, reader: &Reader, filled: &Filled) -> Acceptance {
        Acceptance {
            display_name: filled.get("display_name").to_owned(),
            language: language_of(filled.get("language"))
                .unwrap_or(reader.language())
                .into(),
            password: filled.given("password").map(str::to_owned),
            email: self.account.is_none().then(|| filled.get("email").to_owned()),
        }
    }
}

fn invitation_gone(reader: &Reader) -> Answer<HttpResponse> {
    let sheet = Sheet::new(LINK_REFUSED.title.clone()).says(Text::fixed(
        "如果您已用此链接开立账户，直接登录即可。否则请联系邀请您的人，由其重新发送邀请。",
        "If you have opened your account with it, simply sign in. If not, ask whoever invited you to send you another invitation.",
    ));
    gone(reader, sheet)
}

/// What a handler answers; for a link that is good for nothing, the page that says so.
pub fn or_gone(
    reader: &Reader,
    answer: Answer<HttpResponse>,
    gone: fn(&Reader) -> Answer<HttpResponse>,
) -> HttpResponse {
    let answer = match answer {
        Err(Stop::Refused(refusal)) if refusal.reason == &LINK_REFUSED => gone(reader),
        answer => answer,
    };
    reader.answer(answer)
}

#[get("/invitations/{token}")]
async fn show_invitation(request: HttpRequest, context: Shared) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match Invitation::of(&context, &token_of(&request)).await {
        Ok(invitation) => form_shown(&reader, &invitation.sheet(&reader, None)),
        Err(stop) => Err(stop),
    };
    or_gone(&reader, answer, invitation_gone)
}

#[post("/invitations/{token}")]
async fn accept_invitation(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    incoming: Incoming,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = accept(&reader, &request, &context, &gate, incoming).await;
    or_gone(&reader, answer, invitation_gone)
}

async fn accept(
    reader: &Reader,
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let filled = Filled::of(request, incoming).await?;
    let token = token_of(request);
    let invitation = Invitation::of(context, &token).await?;
    let said = invitation.acceptance(reader, &filled);
    let checked = http_links::check_acceptance(context, gate, &token, &said).await;
    let faults = [fault_of(checked)?, invitation.fault_of(&filled)];
    let again = |refusal: &Refusal| reader.show_refused(invitation.sheet(reader, Some(&filled)), refusal);
    if let Some(refusal) = rules::all_faults(faults).err() {
        return again(&refusal);
    }
    match http_links::take_over(context, gate, &token, said).await {
        Ok(account) => form_shown(reader, &welcome(&account, gate)),
        Err(Stop::Refused(refusal)) if refusal.reason != &LINK_REFUSED => again(&refusal),
        Err(stop) => Err(stop),
    }
}

fn welcome(account: &Account, gate: &AtGate) -> Sheet {
    let email = whole(account);
    let sheet = Sheet::new(Text::fixed("账户已开立", "Your account is open"))
        .says(text!(
            "接下来：在您所用的应用中以 {email} 登录。此链接不再有效，也不再需要。",
            "What to do next: sign in as {email} in the application you use. This link works no more, and is not needed any more."
        ));
    if gate.settings.second_factor_roles.is_empty() {
        return sheet;
    }
    sheet.says(Text::fixed(
        "公职人员的部分职责须通过双重验证方可行使：首次登录后，请先启用身份验证器应用。",
        "Some roles of officers can be used with a second factor only: set up an authenticator app after you have signed in first.",
    ))
}

fn reset_sheet(account: &Account) -> Sheet {
    let sheet = Sheet::new(Text::fixed("设置新密码", "Choose another password"));
    let sheet = match &account.display_name {
        Some(name) => sheet.says(text!(
            "{name}，您好。设置新密码后，您在所有设备上的登录都会退出。",
            "Hello {name}. Once you have chosen another password, your sessions on all devices end."
        )),
        None => sheet,
    };
    let sheet = sheet.asks(
        Field::new("account", Kind::Fixed, Text::fixed("邮箱地址", "Mail address"))
            .value(whole(account))
            .autocomplete("username"),
    );
    password_fields(
        sheet,
        Text::fixed("新密码", "New password"),
        password_hint(),
        true,
    )
    .button("reset", Text::fixed("设置新密码", "Choose this password"))
}

fn reset_gone(reader: &Reader) -> Answer<HttpResponse> {
    let sheet = Sheet::new(LINK_REFUSED.title.clone()).leads_to(
        Text::fixed(
            "重新申请重设密码的链接",
            "Ask for another link to reset your password",
        ),
        "/password-resets",
    );
    gone(reader, sheet)
}

async fn account_to_reset(context: &Context, token: &str) -> Answer<Account> {
    match http_links::account_of_link(context, token).await? {
        Some((Purpose::PasswordReset, Some(account))) if account.state == rules::State::Active => Ok(account),
        _ => Err(LINK_REFUSED.refuse().into()),
    }
}

#[get("/password-resets/{token}")]
async fn show_reset(request: HttpRequest, context: Shared) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match account_to_reset(&context, &token_of(&request)).await {
        Ok(account) => form_shown(&reader, &reset_sheet(&account)),
        Err(stop) => Err(stop),
    };
    or_gone(&reader, answer, reset_gone)
}

#[post("/password-resets/{token}")]
async fn reset(request: HttpRequest, context: Shared, gate: AtGate, incoming: Incoming) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = choose(&reader, &request, &context, &gate, incoming).await;
    or_gone(&reader, answer, reset_gone)
}

async fn choose(
    reader: &Reader,
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let filled = Filled::of(request, incoming).await?;
    let token = token_of(request);
    let account = account_to_reset(context, &token).await?;
    let password = Zeroizing::new(filled.get("password").to_owned());
    let weak = account
        .email
        .as_ref()
        .and_then(|email| gate.check_password(&password, email).err());
    let faults = [weak, typed_twice(&password, filled.get("password_again"))];
    if let Some(refusal) = rules::all_faults(faults).err() {
        return reader.show_refused(reset_sheet(&account), &refusal);
    }
    match http_links::choose_password(context, gate, &token, password).await {
        Ok(()) => form_shown(reader, &chosen(&account)),
        Err(Stop::Refused(refusal)) if refusal.reason != &LINK_REFUSED => {
            reader.show_refused(reset_sheet(&account), &refusal)
        }
        Err(stop) => Err(stop),
    }
}

fn chosen(account: &Account) -> Sheet {
    let email = whole(account);
    Sheet::new(Text::fixed("密码已更改", "Your password has been changed"))
        .says(text!(
            "接下来：在您所用的应用中以 {email} 和新密码重新登录。此前的登录均已退出。",
            "What to do next: sign in again as {email} with the new password in the application you use. All earlier sessions have ended."
        ))
        .says(Text::fixed(
            "已启用的双重验证保持不变。",
            "A second factor, if you have one, stays as it was.",
        ))
}

fn forgotten_sheet(filled: Option<&Filled>) -> Sheet {
    let email = filled.map_or("", |filled| filled.get("email"));
    Sheet::new(Text::fixed("忘记密码", "Forgotten password"))
        .says(Text::fixed(
            "输入您账户的邮箱地址，我们会向它发送一个链接，用来设置新密码。",
            "Enter the mail address of your account, and a link to choose another password is sent to it.",
        ))
        .asks(
            Field::new("email", Kind::Mail, Text::fixed("邮箱地址", "Mail address"))
                .value(email)
                .autocomplete("username"),
        )
        .button("send", Text::fixed("发送链接", "Send the link"))
}

#[get("/password-resets")]
async fn show_forgotten(request: HttpRequest) -> HttpResponse {
    let reader = Reader::of(&request);
    reader.answer(form_shown(&reader, &forgotten_sheet(None)))
}

#[post("/password-resets")]
async fn ask_for_reset(
    request: HttpRequest,
    context: Shared,
    gate: AtGate,
    incoming: Incoming,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = send(&reader, &request, &context, &gate, incoming).await;
    reader.answer(answer)
}

async fn send(
    reader: &Reader,
    request: &HttpRequest,
    context: &Context,
    gate: &AtGate,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let filled = Filled::of(request, incoming).await?;
    let again = |refusal: &Refusal| reader.show_refused(forgotten_sheet(Some(&filled)), refusal);
    if let Err(refusal) = rules::email(filled.get("email")) {
        return again(&refusal);
    }
    match http_links::send_reset(request, context, gate, &MailTo::address(filled.get("email"))).await {
        Ok(()) => {
            let sheet = Sheet::new(Text::fixed("请查收邮件", "Look into your mail")).says(text!(
                "如果该地址有账户，链接已在途中，{RESET_MINUTES} 分钟内有效，只能使用一次。几分钟后仍未收到的，请查看垃圾邮件，并核对您的地址。",
                "If there is an account with this address, the link is on its way. It works once, for {RESET_MINUTES} minutes. If nothing has \
                 come after some minutes, look among unwanted mail, and check the address."
            ));
            form_shown(reader, &sheet)
        }
        Err(Stop::Refused(refusal)) => again(&refusal),
        Err(stop) => Err(stop),
    }
}
