//! Pages for people who follow a link from a mail or a letter. A page is put together from pieces in both languages, as a mail is,
//! and written by one template: every page has the same head, a label at every field, what is wrong at the field and in a list
//! above, and the way to the other language. It loads nothing; what little runs is known to the content security policy by its hash.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LANGUAGE, HOST, HeaderValue, ORIGIN, RETRY_AFTER};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use crate::kernel::refusal::{Answer, Fault, Kind as RefusalKind, Reason, Refusal, Stop};
use crate::kernel::text::{Language, Text};
use crate::text;
use crate::web::body::Incoming;
use crate::web::context::Context;
use crate::web::envelope::{CONTENT_SECURITY_POLICY, RequestInfo};
use crate::web::page_part::{Link, Part, without_addresses};
use crate::web::problem::{INTERNAL, MALFORMED, WrittenOut, status};

/// The form was sent by a page of somebody else.
pub static FROM_ELSEWHERE: Reason = Reason::new(
    RefusalKind::Forbidden,
    "form_from_elsewhere",
    "该表单不是从本系统的页面提交的",
    "This form was not sent from a page of this service",
);

/// Largest form that is read, in bytes: several times what the fields of any page can hold.
const FORM_BYTES_MAX: usize = 32 * 1024;
/// Fields that a form has at most.
const FORM_FIELDS_MAX: usize = 50;
/// What browsers send forms as.
const FORM: &str = "application/x-www-form-urlencoded";

const STYLE: &str = include_str!("../../templates/page.css");

static STYLE_HASH: LazyLock<String> = LazyLock::new(|| hash_of(STYLE));

fn hash_of(text: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(text))
}

/// What a field is filled in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line of text.
    Line,
    /// A code, which no keyboard should improve.
    Code,
    /// A mail address.
    Mail,
    /// A password; never sent back to the browser.
    Password,
    /// Nothing: it is only shown.
    Fixed,
    /// One of the two languages.
    Language,
    /// Several lines of text.
    Words,
    /// One of the field's choices.
    Choice,
    /// Several lines to keep: shown, and sent along.
    Kept,
    /// Photos, several if need be; a form that asks for them is sent as `multipart/form-data`.
    Photos,
}

/// A field of a form.
#[derive(Clone, Debug)]
pub struct Field {
    name: &'static str,
    label: Text,
    hint: Option<Text>,
    beside: Option<(Text, String)>,
    kind: Kind,
    value: String,
    autocomplete: &'static str,
    length_max: usize,
    required: bool,
    choices: Vec<(String, Text)>,
    fault: Option<Text>,
}

impl Field {
    /// A field that must be filled in. `name` is that of the member of the same request as JSON.
    pub fn new(name: &'static str, kind: Kind, label: Text) -> Self {
        Self {
            name,
            label,
            hint: None,
            beside: None,
            kind,
            value: String::new(),
            autocomplete: "off",
            length_max: 254,
            required: true,
            choices: Vec::new(),
            fault: None,
        }
    }

    /// The same with a line that helps.
    #[must_use]
    pub fn hint(mut self, hint: Text) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The same with another page of this service to look at, which opens beside the form: what was filled in is not lost.
    #[must_use]
    pub fn beside(mut self, label: Text, path: impl Into<String>) -> Self {
        self.beside = Some((label, path.into()));
        self
    }

    /// The same as it was filled in.
    #[must_use]
    pub fn value(mut self, value: &str) -> Self {
        value.clone_into(&mut self.value);
        self
    }

    /// The same with what a browser or a password manager may fill in.
    #[must_use]
    pub fn autocomplete(mut self, what: &'static str) -> Self {
        self.autocomplete = what;
        self
    }

    /// The same, of so many characters at most.
    #[must_use]
    pub fn at_most(mut self, characters: usize) -> Self {
        self.length_max = characters;
        self
    }

    /// The same with what can be chosen: what is sent, and what is read.
    #[must_use]
    pub fn choices(mut self, choices: Vec<(String, Text)>) -> Self {
        self.choices = choices;
        self
    }

    /// The same, which may stay empty.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    fn shown(&self) -> &str {
        match self.kind {
            Kind::Password => "",
            _ => &self.value,
        }
    }

    fn is_code(&self) -> bool {
        self.kind == Kind::Code
    }

    /// What is kept, as HTML in which no two slashes are side by side: nothing of it is to be taken for an address.
    fn kept(&self) -> String {
        without_addresses(&self.value)
    }

    fn described_by(&self) -> Option<String> {
        let name = self.name;
        match (&self.hint, &self.fault) {
            (None, None) => None,
            (Some(_), None) => Some(format!("{name}-hint")),
            (None, Some(_)) => Some(format!("{name}-fault")),
            (Some(_), Some(_)) => Some(format!("{name}-fault {name}-hint")),
        }
    }
}

struct Button {
    step: &'static str,
    label: Text,
    /// Where the form is sent instead of to its own page.
    elsewhere: Option<&'static str>,
}

/// A page without a language yet.
pub struct Sheet {
    title: Text,
    paragraphs: Vec<Text>,
    parts: Vec<Part>,
    links: Vec<Link>,
    hidden: Vec<(&'static str, String)>,
    fields: Vec<Field>,
    buttons: Vec<Button>,
    faults: Vec<Text>,
    script: Option<&'static str>,
    again: Vec<(String, String)>,
    search: Option<(Field, Text)>,
    query: String,
    is_last: bool,
}

impl Sheet {
    /// A page that has nothing but a title.
    pub fn new(title: Text) -> Self {
        Self {
            title,
            paragraphs: Vec::new(),
            parts: Vec::new(),
            links: Vec::new(),
            hidden: Vec::new(),
            fields: Vec::new(),
            buttons: Vec::new(),
            faults: Vec::new(),
            script: None,
            again: Vec::new(),
            search: None,
            query: String::new(),
            is_last: false,
        }
    }

    /// The same with a paragraph.
    #[must_use]
    pub fn says(mut self, text: Text) -> Self {
        self.paragraphs.push(text);
        self
    }

    /// The same with a part that has a title of its own.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// The same with a way to another page of this service.
    #[must_use]
    pub fn leads_to(mut self, label: Text, path: impl Into<String>) -> Self {
        self.links.push(Link::to_page(label, path));
        self
    }

    /// The same with a way to something of this service that is no page, such as a file.
    #[must_use]
    pub fn points_to(mut self, label: Text, path: impl Into<String>) -> Self {
        self.links.push(Link::to_file(label, path));
        self
    }

    /// The same with something that the form carries along.
    #[must_use]
    pub fn carries(mut self, name: &'static str, value: String) -> Self {
        self.hidden.push((name, value));
        self
    }

    /// The same with a field.
    #[must_use]
    pub fn asks(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// The same with a button; `step` is sent as the field of that name. The first one is what the enter key presses.
    #[must_use]
    pub fn button(mut self, step: &'static str, label: Text) -> Self {
        self.buttons.push(Button {
            step,
            label,
            elsewhere: None,
        });
        self
    }

    /// The same with a button that sends the form to another page of this service.
    #[must_use]
    pub fn button_to(mut self, path: &'static str, step: &'static str, label: Text) -> Self {
        self.buttons.push(Button {
            step,
            label,
            elsewhere: Some(path),
        });
        self
    }

    /// The same with a field to search by: what is filled in is asked of this page, and stands in its address.
    #[must_use]
    pub fn searches(mut self, field: Field, button: Text) -> Self {
        self.search = Some((field, button));
        self
    }

    /// The same as what was asked for in its address, which the way to the other language keeps.
    #[must_use]
    pub fn asked(mut self, query: &[(&str, &str)]) -> Self {
        let mut kept = form_urlencoded::Serializer::new(String::new());
        kept.extend_pairs(query);
        self.query = kept.finish();
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self
    }

    /// The same as the answer to a form: whoever wants it in the other language sends the form again, and loses nothing of it.
    #[must_use]
    pub fn answers(mut self, filled: &Filled) -> Self {
        self.again.clone_from(&filled.0);
        self
    }

    /// The same as what came of a form that must not be sent again: it is in one language, because another one would take sending it once more.
    #[must_use]
    pub fn ends(mut self) -> Self {
        self.is_last = true;
        self
    }

    /// The same with a script of our own, which must not hold `</`.
    #[must_use]
    pub fn runs(mut self, script: &'static str) -> Self {
        self.script = Some(script);
        self
    }

    /// The same with what was wrong with the form, at the fields where it was, and above them where it was in none.
    #[must_use]
    pub fn refused(mut self, refusal: &Refusal) -> Self {
        for objection in &refusal.objections {
            // What is wrong with one of several photos stands at the field of all of them.
            let name = objection.pointer.trim_start_matches('/');
            let name = name.split('/').next().unwrap_or_default();
            let field = self
                .fields
                .iter_mut()
                .find(|field| field.name == name && field.fault.is_none());
            match field {
                Some(field) => field.fault = Some(objection.detail.clone()),
                None => self.faults.push(objection.detail.clone()),
            }
        }
        if refusal.objections.is_empty() {
            let detail = refusal.detail.as_ref().unwrap_or(&refusal.reason.title);
            self.faults.push(detail.clone());
        }
        self
    }

    fn has_files(&self) -> bool {
        self.fields.iter().any(|field| field.kind == Kind::Photos)
    }

    fn security_policy(&self) -> String {
        let style = STYLE_HASH.as_str();
        let script = self
            .script
            .map(|script| format!(" script-src 'sha256-{}';", hash_of(script)))
            .unwrap_or_default();
        format!(
            "default-src 'none'; style-src 'sha256-{style}';{script} form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
    }
}

#[derive(Template)]
#[template(path = "page.html")]
struct Html<'a> {
    language: Language,
    other: Language,
    ward: &'a Text,
    style: &'static str,
    sheet: &'a Sheet,
}

impl Html<'_> {
    fn say<'t>(&self, text: &'t Text) -> &'t str {
        text.in_language(self.language)
    }

    fn is_refused(&self) -> bool {
        !self.sheet.faults.is_empty() || self.sheet.fields.iter().any(|field| field.fault.is_some())
    }

    fn wrong(&self) -> &'static Text {
        static WRONG: Text = Text::fixed("请更正以下内容", "Please put this right");
        &WRONG
    }

    fn colon(&self) -> &'static str {
        match self.language {
            Language::Chinese => "：",
            Language::English => ": ",
        }
    }

    fn name_of_other(&self) -> &'static str {
        match self.other {
            Language::Chinese => "中文",
            Language::English => "English",
        }
    }
}

/// Whoever looks at a page, and in which language: that of the link they followed on the page, else that of their browser.
pub struct Reader {
    language: Language,
    ward: Text,
    request_id: String,
}

impl Reader {
    /// Whoever sends this request.
    pub fn of(request: &HttpRequest) -> Self {
        let info = request.extensions().get::<RequestInfo>().cloned();
        let preferred = info.as_ref().map(|info| info.language).unwrap_or_default();
        let chosen = form_urlencoded::parse(request.query_string().as_bytes())
            .find(|(name, _)| name == "lang")
            .and_then(|(_, tag)| language_of(&tag));
        Self {
            language: chosen.unwrap_or(preferred),
            ward: Context::of(request)
                .map_or_else(|_| Text::fixed("", ""), |context| context.settings.ward.clone()),
            request_id: info.map(|info| info.id).unwrap_or_default(),
        }
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// A page as an answer.
    ///
    /// # Errors
    /// A fault if the template cannot be written, which a test would have shown.
    pub fn show(&self, code: StatusCode, sheet: &Sheet) -> Answer<HttpResponse> {
        let html = Html {
            language: self.language,
            other: match self.language {
                Language::Chinese => Language::English,
                Language::English => Language::Chinese,
            },
            ward: &self.ward,
            style: STYLE,
            sheet,
        };
        let html = html
            .render()
            .map_err(|error| Fault::caused("write a page", error))?;
        let mut response = HttpResponseBuilder::new(code)
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_LANGUAGE, HeaderValue::from_static(self.language.tag())))
            .insert_header((CONTENT_SECURITY_POLICY, sheet.security_policy()))
            .body(html);
        response.extensions_mut().insert(WrittenOut);
        Ok(response)
    }

    /// The form again, with what was wrong with it.
    ///
    /// # Errors
    /// As [`Self::show`].
    pub fn show_refused(&self, sheet: Sheet, refusal: &Refusal) -> Answer<HttpResponse> {
        let mut response = self.show(status(refusal.reason), &sheet.refused(refusal))?;
        wait(&mut response, refusal);
        Ok(response)
    }

    /// What a handler answers; if it stopped, a page that says so.
    pub fn answer(&self, answer: Answer<HttpResponse>) -> HttpResponse {
        let refusal = match answer {
            Ok(response) => return response,
            Err(Stop::Refused(refusal)) => *refusal,
            Err(Stop::Fault(fault)) => {
                tracing::error!(%fault, "a page failed");
                INTERNAL.refuse()
            }
        };
        let id = &self.request_id;
        let mut sheet = Sheet::new(refusal.reason.title.clone());
        if let Some(detail) = &refusal.detail {
            sheet = sheet.says(detail.clone());
        }
        let sheet = sheet.says(text!(
            "如需帮助，请告知本系统的管理人员此请求编号：{id}",
            "If you need help, tell whoever runs this service the id of the request: {id}"
        ));
        let mut response = self
            .show(status(refusal.reason), &sheet)
            .unwrap_or_else(|_| HttpResponse::new(status(refusal.reason)));
        wait(&mut response, &refusal);
        response
    }
}

fn wait(response: &mut HttpResponse, refusal: &Refusal) {
    if let Some(seconds) = refusal.retry_after_seconds {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
}

/// The language that a form or a link names.
pub fn language_of(tag: &str) -> Option<Language> {
    [Language::Chinese, Language::English]
        .into_iter()
        .find(|language| language.tag() == tag)
}

/// What somebody has filled in. Has no `Debug`: it holds passwords and codes.
#[derive(Clone, Default)]
pub struct Filled(Vec<(String, String)>);

impl Filled {
    /// Reads the form of a request.
    ///
    /// # Errors
    /// [`FROM_ELSEWHERE`]; those of [`Incoming::bytes`]; [`MALFORMED`] if it is no form of a browser.
    pub async fn of(request: &HttpRequest, incoming: Incoming) -> Answer<Self> {
        refuse_from_elsewhere(request)?;
        let body = incoming.bytes(&[FORM], FORM_BYTES_MAX).await?;
        let fields: Vec<(String, String)> = form_urlencoded::parse(&body.bytes)
            .take(FORM_FIELDS_MAX.saturating_add(1))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let twice = |at: usize, name: &str| fields.iter().take(at).any(|(known, _)| known == name);
        let is_readable = fields.len() <= FORM_FIELDS_MAX
            && fields.iter().enumerate().all(|(at, (name, value))| {
                // What stands for bytes that are no text; a password must not be kept with it.
                !value.contains('\u{fffd}') && !twice(at, name)
            });
        if is_readable {
            Ok(Self(fields))
        } else {
            Err(MALFORMED.refuse().into())
        }
    }

    /// What was filled in, of a form that was read as one with files.
    ///
    /// # Errors
    /// [`MALFORMED`] for a field that is there twice.
    pub fn from_parts(fields: Vec<(String, String)>) -> Answer<Self> {
        let twice = |at: usize, name: &str| fields.iter().take(at).any(|(known, _)| known == name);
        if fields.iter().enumerate().any(|(at, (name, _))| twice(at, name)) {
            return Err(MALFORMED
                .because(Text::fixed("字段重复", "a field is given twice"))
                .into());
        }
        Ok(Self(fields))
    }

    /// What a field holds; empty if the form does not have it.
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// The names of all fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// What a field holds, if anything.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }
}

/// Refuses a form that a page of somebody else sends. The secret of such a page's link or the password in it is what a stranger
/// lacks, so this is a second lock. `Sec-Fetch-Site` is believed before `Origin`, because browsers say `Origin: null` of the forms of
/// a page that, like ours, sends no referrer.
///
/// # Errors
/// [`FROM_ELSEWHERE`].
pub fn refuse_from_elsewhere(request: &HttpRequest) -> Answer<()> {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value.map(|value| value.to_str().unwrap_or_default())
    };
    let from_here = match (header("sec-fetch-site"), header(ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, None | Some("null")) => true,
        (None, Some(origin)) => {
            let own = Context::of(request)?.settings.public_url.as_str();
            let authority = |url: &str| {
                url.split_once("://")
                    .and_then(|(_, rest)| rest.split('/').next())
                    .map(str::to_owned)
            };
            let host = header(HOST.as_str()).map(str::to_owned);
            let from = authority(origin);
            from.is_some() && (from == authority(own) || from == host)
        }
    };
    if from_here {
        Ok(())
    } else {
        Err(FROM_ELSEWHERE.refuse().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::problem::INVALID;

    fn reader(language: Language) -> Reader {
        Reader {
            language,
            ward: Text::fixed("甲<区", "A & B"),
            request_id: "request_1".to_owned(),
        }
    }

    fn body(response: HttpResponse) -> String {
        use actix_web::body::MessageBody;
        let bytes = response.into_body().try_into_bytes();
        String::from_utf8(bytes.map(|bytes| bytes.to_vec()).unwrap_or_default()).unwrap()
    }

    fn form() -> Sheet {
        Sheet::new(Text::fixed("标题", "Title"))
            .carries("kept", "\"><script>".to_owned())
            .asks(
                Field::new("name", Kind::Line, Text::fixed("姓名", "Name"))
                    .value("<b>\"x\"")
                    .hint(Text::fixed("提示", "A hint")),
            )
            .asks(
                Field::new("password", Kind::Password, Text::fixed("密码", "Password")).value("never shown"),
            )
            .button("go", Text::fixed("提交", "Send"))
    }

    #[test]
    fn whatever_was_filled_in_is_text_and_a_password_is_not_sent_back() {
        let page = body(reader(Language::English).show(StatusCode::OK, &form()).unwrap());
        assert!(
            page.contains("<html lang=\"en\">") && page.contains("href=\"?lang=zh-CN\""),
            "{page}"
        );
        assert!(!page.contains("<b>") && !page.contains("<script") && !page.contains("never shown"));
        assert!(page.contains("for=\"name\"") && page.contains("aria-describedby=\"name-hint\""));
        assert!(!page.contains("aria-invalid") && !page.contains("class=\"errors\""));
    }

    #[test]
    fn what_is_wrong_stands_at_its_field_and_above_all_of_them() {
        let refusal = INVALID
            .because(Text::fixed("太短", "too short"))
            .at("/password")
            .at("/nowhere");
        let response = reader(Language::Chinese)
            .show_refused(form(), &refusal.retry_after(9))
            .unwrap();
        assert_eq!(
            (
                response.status().as_u16(),
                response.headers().get("retry-after").unwrap().to_str().unwrap()
            ),
            (422, "9")
        );
        let page = body(response);
        assert!(
            page.contains("<li><a href=\"#password\">密码：太短</a></li>") && page.contains("<li>太短</li>"),
            "{page}"
        );
        assert!(page.contains("id=\"password-fault\">太短") && page.contains("aria-invalid=\"true\""));
        assert!(
            page.contains("<title>请更正以下内容：标题 · 甲&#60;区</title>"),
            "{page}"
        );
    }

    #[test]
    fn the_policy_names_what_the_page_holds() {
        let script = "document.title='x'";
        let sheet = form().runs(script);
        let policy = sheet.security_policy();
        let page = body(reader(Language::English).show(StatusCode::OK, &sheet).unwrap());
        let between = |from: &str, to: &str| {
            let (_, rest) = page.split_once(from).unwrap();
            rest.split_once(to).unwrap().0.to_owned()
        };
        let (style, run) = (between("<style>", "</style>"), between("<script>", "</script>"));
        assert!(
            policy.contains(&format!("style-src 'sha256-{}'", hash_of(&style))),
            "{policy}"
        );
        assert!(
            policy.contains(&format!("script-src 'sha256-{}'", hash_of(&run))),
            "{policy}"
        );
        assert!(!form().security_policy().contains("script-src"));
    }

    #[test]
    fn a_handler_that_stopped_is_answered_with_a_page() {
        let stopped = reader(Language::English).answer(Err(Fault::broken("secret").into()));
        assert_eq!(stopped.status(), 500);
        let page = body(stopped);
        assert!(page.contains("request_1") && !page.contains("secret"));
    }
}
