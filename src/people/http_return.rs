//! The page on which the browser comes back from another provider. It changes nothing and shows nothing that others could have put
//! there.

use actix_web::http::header::HeaderValue;
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;

use crate::kernel::refusal::{Answer, Fault};
use crate::people::rules_outside::is_opaque;
use crate::people::secrets::hash_of;
use crate::people::store_outside;
use crate::web::actor::Shared;
use crate::web::envelope::CONTENT_SECURITY_POLICY;
use crate::web::operations::Operations;
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Where the provider sends the browser back to, unless the configuration names a page of a client's.
pub const RETURN_PATH: &str = "/sign-in/return";

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(returned);
}

/// The page on which the browser comes back, in both languages.
#[derive(Template)]
#[template(path = "sign_in_return.html")]
struct ReturnPage {
    /// What is to be taken to the program; none if the provider has refused.
    answer: Option<String>,
}

/// What the page may do: show itself.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// Come back from the provider
///
/// The page to which the provider sends the browser, unless `oidc_redirect_url` names one of a client's own. It changes nothing: it
/// shows what has to be taken to the program in which the sign-in was begun. Whatever else the provider adds is not looked at.
#[utoipa::path(
    operation_id = "return_from_provider",
    tag = "people",
    params(
        ("code" = Option<String>, Query, description = "What the provider gives for the sign-in"),
        ("state" = Option<String>, Query, description = "Which sign-in it is of"),
        ("iss" = Option<String>, Query, description = "The provider"),
        ("error" = Option<String>, Query, description = "Why there is no code"),
    ),
    responses(
        (status = 200, description = "A page, in both languages", body = String, content_type = "text/html", example = "<!doctype html>"),
        (status = 404, description = "No sign-in waits for this"),
    ),
    extensions(("x-action" = json!("Everyone"))),
)]
#[get("/sign-in/return")]
async fn returned(request: HttpRequest, context: Shared) -> Answer<HttpResponse> {
    // What a provider adds of its own is passed over (RFC 6749, 4.1.2), so the query is not finished.
    let mut query = Query::of(&request);
    let [code, state, issuer, error] = ["code", "state", "iss", "error"].map(|name| query.text(name));
    let state = state
        .filter(|state| is_opaque(state))
        .ok_or_else(|| NOT_FOUND.refuse())?;
    let (hash, now) = (hash_of(&state), context.clock.now());
    let is_awaited = move |conn: &mut _| store_outside::is_awaited(conn, &hash, now);
    if !context.db.glance_primary(is_awaited).await? {
        return Err(NOT_FOUND.refuse().into());
    }
    let answer = match (code.filter(|code| is_opaque(code)), error) {
        (Some(code), None) => {
            let mut answer = form_urlencoded::Serializer::new(String::new());
            answer.append_pair("code", &code).append_pair("state", &state);
            if let Some(issuer) = issuer {
                answer.append_pair("iss", &issuer);
            }
            Some(answer.finish())
        }
        (None, Some(_)) => None,
        _ => return Err(NOT_FOUND.refuse().into()),
    };
    let html = ReturnPage { answer }
        .render()
        .map_err(|error| Fault::caused("write a page", error))?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .body(html))
}
