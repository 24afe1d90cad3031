//! Mail over HTTP: one's own preferences, the link that switches mail off, and what administrators do about mail that did not
//! arrive. Nobody reads other people's mail here.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use askama::Template;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::outbox::acts::{self, ChangePreferences};
use crate::outbox::rules::{Category, Failure, Frequency, MailId, Preferences, State};
use crate::outbox::store;
use crate::outbox::store_listed::{self, Listed};
use crate::outbox::unsubscribe::UnsubscribeKey;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::envelope::CONTENT_SECURITY_POLICY;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter, UNAUTHENTICATED};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this slice.
pub fn operations(config: &mut impl Operations) {
    config
        .service(read_preferences)
        .service(change_preferences)
        .service(ask_unsubscribe)
        .service(unsubscribe)
        .service(list)
        .service(requeue);
}

/// How the caller wants their own mail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MailPreferences)]
pub struct PreferencesView {
    /// For matters one has to act on: `at_once` or `daily`.
    pub duty: Frequency,
    /// For what one asked to hear about.
    pub news: Frequency,
    /// In which language; `null`: in the account's.
    #[schema(required = true, value_type = Option<String>, example = "en")]
    pub language: Option<Language>,
    /// Counts the changes, from 1; also the `ETag`.
    #[schema(example = 1)]
    pub version: i64,
}

impl From<Preferences> for PreferencesView {
    fn from(preferences: Preferences) -> Self {
        Self {
            duty: preferences.duty,
            news: preferences.news,
            language: preferences.language,
            version: preferences.version,
        }
    }
}

/// What can be chosen for matters one has to act on.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DutyMailFrequency)]
pub enum DutyFrequency {
    /// Each mail when it happens.
    AtOnce,
    /// All of a day in one mail, at eight in the morning.
    Daily,
}

/// A language of mail.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[schema(as = MailLanguage)]
pub enum MailLanguage {
    /// Chinese.
    #[serde(rename = "zh-CN")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

/// How the caller wants their own mail from now on. What guards the account always comes at once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMailPreferences {
    /// For matters one has to act on, which cannot be switched off.
    duty: DutyFrequency,
    /// For what one asked to hear about.
    news: Frequency,
    /// In which language; leave it out for the account's.
    #[serde(default)]
    language: Option<MailLanguage>,
}

/// A mail, as administrators see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Mail)]
pub struct MailView {
    /// Its id.
    pub id: MailId,
    /// What it is about.
    #[schema(example = "sign_in.code")]
    pub kind: String,
    /// Why it is sent.
    pub category: Category,
    /// Where it stands.
    pub state: State,
    /// How often it was tried since it was queued.
    #[schema(example = 10)]
    pub attempts: i64,
    /// Why the last attempt failed; `null` if none did.
    #[schema(required = true)]
    pub last_failure: Option<Failure>,
    /// The address without its name; `null` once it was forgotten, 30 days after the end.
    #[schema(required = true, example = "w***@example.org")]
    pub address: Option<String>,
    /// When it was queued, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub created_at: String,
    /// When it is tried, or told in a digest; `null` if it is not.
    #[schema(required = true, example = json!(null))]
    pub next_at: Option<String>,
    /// When it was sent, collected, dropped or given up; `null` before.
    #[schema(required = true, example = "2026-03-02T08:00:00.000000Z")]
    pub ended_at: Option<String>,
}

impl From<Listed> for MailView {
    fn from(mail: Listed) -> Self {
        Self {
            id: mail.id,
            kind: mail.kind,
            category: mail.category,
            state: mail.state,
            attempts: mail.attempts,
            last_failure: mail.last_failure,
            address: mail.address,
            created_at: rfc3339(mail.created_at),
            next_at: mail.next_at.map(rfc3339),
            ended_at: mail.ended_at.map(rfc3339),
        }
    }
}

/// Read one's mail preferences
///
/// Those of the account that asks.
#[utoipa::path(
    operation_id = "read_mail_preferences",
    tag = "mail",
    params(("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\"")),
    responses(
        (status = 200, description = "The preferences", body = PreferencesView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the current one"),
    ),
    extensions(("x-action" = json!("ReadOwnMailPreferences"))),
)]
#[get("/me/mail-preferences")]
async fn read_preferences(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOwnMailPreferences, Matter::default())?;
    let account_id = actor.id().ok_or_else(|| UNAUTHENTICATED.refuse())?.to_owned();
    let preferences = context
        .db
        .glance(move |conn| store::preferences(conn, &account_id))
        .await?;
    let etag = conditional::etag(preferences.version);
    let current = conditional::is_current(&request, &etag);
    let mut response = if current {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("private, no-cache")));
    Ok(if current {
        response.finish()
    } else {
        response.json(PreferencesView::from(preferences))
    })
}

/// Change one's mail preferences
///
/// Those of the account that asks, as a whole. Needs `If-Match`. News that still wait are not sent once they are switched off.
#[utoipa::path(
    operation_id = "change_mail_preferences",
    tag = "mail",
    params(("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = NewMailPreferences,
    responses(
        (status = 200, description = "The preferences as they are now", body = PreferencesView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ChangeOwnMailPreferences"))),
)]
#[put("/me/mail-preferences")]
async fn change_preferences(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ChangeOwnMailPreferences, Matter::default())?;
    let body = incoming.json::<NewMailPreferences>().await?;
    let command = ChangePreferences {
        expected: Expected::of(&request)?,
        duty: match body.value.duty {
            DutyFrequency::AtOnce => Frequency::AtOnce,
            DutyFrequency::Daily => Frequency::Daily,
        },
        news: body.value.news,
        language: body.value.language.map(|language| match language {
            MailLanguage::Chinese => Language::Chinese,
            MailLanguage::English => Language::English,
        }),
    };
    let preferences = context
        .db
        .write(move |tx| acts::change_preferences(tx, &actor, &command))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(preferences.version)))
        .json(PreferencesView::from(preferences)))
}

/// The page behind the link, in both languages: its reader has not said which.
#[derive(Template)]
#[template(path = "unsubscribe.html")]
struct UnsubscribePage {
    done: bool,
}

/// What the page may do: show itself, and post to where it came from.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
);

fn page(done: bool) -> Answer<HttpResponse> {
    let html = UnsubscribePage { done }
        .render()
        .map_err(|error| Fault::caused("write a page", error))?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .body(html))
}

/// Ask before switching mail off
///
/// The page behind the link in a mail. It changes nothing: mail programs and scanners follow links by themselves.
#[utoipa::path(
    operation_id = "ask_unsubscribe_mail",
    tag = "mail",
    params(("token" = String, Path, max_length = 200, description = "From the link in a mail", example = "user_01jd3n8f5teqkrzvq1c0m6h2ax.q83vEjRWeJA")),
    responses(
        (status = 200, description = "A page with a button, in both languages", body = String, content_type = "text/html", example = "<!doctype html>"),
        (status = 404, description = "The link is not one of ours"),
    ),
    extensions(("x-action" = json!("UnsubscribeMail"))),
)]
#[get("/mail/unsubscribe/{token}")]
async fn ask_unsubscribe(
    actor: Actor,
    key: web::Data<UnsubscribeKey>,
    token: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::UnsubscribeMail, Matter::default())?;
    key.account(&token)?.ok_or_else(|| NOT_FOUND.refuse())?;
    page(false)
}

/// Switch mail off
///
/// One click, without signing in (RFC 8058): news about what the account follows are not sent any more. Whatever body comes with
/// it is not looked at. A second time it changes nothing.
#[utoipa::path(
    operation_id = "unsubscribe_mail",
    tag = "mail",
    params(("token" = String, Path, max_length = 200, description = "From the link in a mail", example = "user_01jd3n8f5teqkrzvq1c0m6h2ax.q83vEjRWeJA")),
    responses(
        (status = 200, description = "A page that says so, in both languages", body = String, content_type = "text/html", example = "<!doctype html>"),
        (status = 404, description = "The link is not one of ours"),
    ),
    extensions(("x-action" = json!("UnsubscribeMail"))),
)]
#[post("/mail/unsubscribe/{token}")]
async fn unsubscribe(
    context: Shared,
    actor: Actor,
    key: web::Data<UnsubscribeKey>,
    token: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::UnsubscribeMail, Matter::default())?;
    let account_id = key.account(&token)?.ok_or_else(|| NOT_FOUND.refuse())?;
    context
        .db
        .write(move |tx| acts::unsubscribe(tx, &actor, &account_id))
        .await?;
    page(true)
}

/// List mail
///
/// Newest first: by default what was given up. Shows neither what it says nor whose it is.
#[utoipa::path(
    operation_id = "list_mail",
    tag = "mail",
    params(
        ("state" = Option<State>, Query, description = "Mail in this state; `dead` if it is left out"),
        ("limit" = Option<u16>, Query, description = "Items on a page"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of mail", body = Page<MailView>)),
    extensions(("x-action" = json!("ListMail"))),
)]
#[get("/admin/mail")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ListMail, Matter::default())?;
    let states = State::ALL.map(|state| (state.name(), state));
    let mut query = Query::of(&request);
    let state = query.one_of("state", &states).unwrap_or(State::Dead);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["mail", state.name()]);
    let after = question
        .after(cursor.as_deref(), 1)?
        .and_then(|mut key| key.pop());
    let mails = context
        .db
        .glance(move |conn| store_listed::list(conn, state, after.as_deref(), i64::from(limit) + 1))
        .await?;
    let page = Page::cut(mails, limit, &question, |mail| vec![mail.id.to_string()]).map(MailView::from);
    Ok(page.answer(&request))
}

/// Queue a mail again
///
/// One that was given up: it is tried from the beginning.
#[utoipa::path(
    operation_id = "requeue_mail",
    tag = "mail",
    params(("id" = MailId, Path, description = "The mail")),
    responses(
        (status = 200, description = "The mail as it stands now", body = MailView),
        (status = 404, description = "There is no such mail"),
        (status = 409, description = "`mail_not_dead`"),
    ),
    extensions(("x-action" = json!("RequeueMail"))),
)]
#[post("/admin/mail/{id}/requeue")]
async fn requeue(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::RequeueMail, Matter::default())?;
    let id: MailId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    let by = actor.clone();
    context
        .write_once(&actor, once, [0; 32], move |tx| {
            Ok(Reply::json(200, &MailView::from(acts::requeue(tx, &by, &id)?))?)
        })
        .await
}
