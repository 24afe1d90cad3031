//! What is served beside the operations: the OpenAPI document, the page that shows it, and what is said where nothing is.

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, HeaderValue, LOCATION};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError, get, web};
use serde_json::{Map, Value};
use utoipa_swagger_ui::Config;

use crate::app::{front, operation, registration_pages, residence};
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Shared;
use crate::web::envelope::CONTENT_SECURITY_POLICY;
use crate::web::problem::{METHOD_NOT_ALLOWED, NOT_FOUND, Unwritten, status};
use crate::web::query::Query;
use crate::{ballots, bids, contracts, people, publish};

/// The OpenAPI document.
#[get("/api/openapi.json")]
pub async fn openapi_json(context: Shared) -> Answer<HttpResponse> {
    let text = serde_json::to_vec(&context.schemas.document)
        .map_err(|error| Fault::caused("write the document", error))?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")))
        .body(text))
}

/// The page's address without its slash.
#[get("/docs")]
pub async fn docs_redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

/// What the page may load: itself and the document. It writes styles into its elements, hence `unsafe-inline` for those;
/// its small pictures are part of its style sheet.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// The page that shows the document; all of it is in the binary, and it asks no other host whether the document is valid.
#[get("/docs/{file:.*}")]
pub async fn docs(file: web::Path<String>) -> Answer<HttpResponse> {
    let config = Config::from("/api/openapi.json").validator_url("none");
    let found = utoipa_swagger_ui::serve(&file, Arc::new(config))
        .map_err(|error| Fault::broken(format!("the page of the document: {error}")))?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok()
        .content_type(found.content_type)
        .insert_header((CONTENT_SECURITY_POLICY, DOCS_POLICY))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")))
        .body(found.bytes.into_owned()))
}

/// Metrics, on their own port.
#[get("/metrics")]
pub async fn metrics_only(context: Shared) -> Answer<HttpResponse> {
    operation::rendered(&context)
}

/// The middleware that refuses what the document rules out and no handler would notice: a method that a path does not have
/// but a pattern covering it has, and parameters of an operation that has none.
///
/// # Errors
/// Those of the services within.
pub async fn as_documented(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let refused = request
        .app_data::<Shared>()
        .and_then(|context| refused_by(&context.schemas.document, &request));
    match refused {
        Some(refused) => Ok(request.into_response(refused)),
        None => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
    }
}

fn refused_by(document: &Value, request: &ServiceRequest) -> Option<HttpResponse> {
    let (method, path) = (request.method().as_str(), request.path());
    let own = document.get("paths").and_then(|paths| paths.get(path));
    if own.is_some() && operation_at(document, method, path).is_none() {
        return Some(nothing_at(document, path));
    }
    if request.query_string().is_empty() {
        return None;
    }
    let operation = operation_at(document, method, path)?;
    // An operation that is given one of its own parameters reads them itself, and tells all of their faults together.
    let mut parameters = operation
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|parameter| parameter.get("in").is_some_and(|place| place == "query"))
        .filter_map(|parameter| parameter.get("name").and_then(Value::as_str));
    let given: Vec<String> = form_urlencoded::parse(request.query_string().as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect();
    if parameters.any(|name| given.iter().any(|given| given == name)) {
        return None;
    }
    let unknown = Query::of(request.request()).finish().err()?;
    Some(unknown.error_response())
}

/// The answer where no operation is: 405 with `Allow` if the path has others, else 404.
pub async fn nothing_here(request: HttpRequest, context: Shared) -> HttpResponse {
    nothing_at(&context.schemas.document, request.path())
}

fn nothing_at(document: &Value, path: &str) -> HttpResponse {
    let allowed = methods_at(document, path);
    let refusal = if allowed.is_empty() {
        NOT_FOUND.refuse()
    } else {
        METHOD_NOT_ALLOWED.refuse()
    };
    let mut response = HttpResponse::new(status(refusal.reason));
    if let Ok(value) = HeaderValue::from_str(&allowed.join(", "))
        && !allowed.is_empty()
    {
        response.headers_mut().insert(ALLOW, value);
    }
    response.extensions_mut().insert(Unwritten(refusal));
    response
}

/// Pages for people, which no client is made for, and which the document therefore does not have.
pub fn pages(config: &mut web::ServiceConfig) {
    config
        .configure(front::pages)
        .configure(people::http_pages::pages)
        .configure(residence::pages)
        .configure(registration_pages::pages)
        .configure(contracts::http_defect_pages::pages)
        .configure(contracts::http_comment_pages::pages)
        .configure(bids::http_public_pages::pages)
        .configure(ballots::http_receipt_pages::pages)
        .configure(publish::http_disclosure_pages::pages)
        .configure(ballots::http_pages::pages);
}

/// The methods of a page at a path.
fn methods_of_page(path: &str) -> impl Iterator<Item = &'static str> {
    let pages = people::http_pages::PAGES.into_iter().chain(residence::PAGES);
    pages
        .chain(front::PAGES)
        .chain(registration_pages::PAGES)
        .chain(contracts::http_defect_pages::PAGES)
        .chain(contracts::http_comment_pages::PAGES)
        .chain(bids::http_public_pages::PAGES)
        .chain(ballots::http_receipt_pages::PAGES)
        .chain(publish::http_disclosure_pages::PAGES)
        .chain(ballots::http_pages::PAGES)
        .filter(move |(pattern, _)| fits(pattern, path))
        .flat_map(|(_, methods)| methods.iter().copied())
}

/// What is served beside the operations can only be got.
fn is_document(path: &str) -> bool {
    path == "/api/openapi.json" || path == "/docs" || path.starts_with("/docs/")
}

/// What the document has at a path: under the path itself, else under every pattern that covers it.
fn items_at<'d>(document: &'d Value, path: &str) -> impl Iterator<Item = &'d Map<String, Value>> {
    let paths = document.get("paths").and_then(Value::as_object);
    let own = paths.and_then(|paths| paths.get(path));
    let patterns = paths.filter(|_| own.is_none()).into_iter().flatten();
    let covering = patterns
        .filter(move |(pattern, _)| fits(pattern, path))
        .map(|(_, item)| item);
    own.into_iter().chain(covering).filter_map(Value::as_object)
}

/// The operation of a path, by the document.
fn operation_at<'d>(document: &'d Value, method: &str, path: &str) -> Option<&'d Value> {
    let method = method.to_lowercase();
    items_at(document, path).find_map(|item| item.get(&method))
}

/// The methods that a path has, by the document.
fn methods_at(document: &Value, path: &str) -> Vec<String> {
    let mut methods: Vec<String> = items_at(document, path)
        .flat_map(|item| item.keys())
        .map(|method| method.to_uppercase())
        .chain(is_document(path).then(|| Method::GET.to_string()))
        .chain(methods_of_page(path).map(str::to_owned))
        .collect();
    if methods.iter().any(|method| method == Method::GET.as_str()) {
        methods.push(Method::HEAD.to_string());
    }
    methods.sort();
    methods.dedup();
    methods
}

/// True if a path of the document, with its `{parameters}`, covers this one.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some("{tile}"), Some(_)) => return true,
            (Some(part), Some(segment)) if part == segment => {}
            (Some(part), Some(segment)) if part.starts_with('{') && !segment.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_other_methods_is_told_from_no_path_at_all() {
        assert!(fits("/api/v1/areas/{id}", "/api/v1/areas/area_1"));
        assert!(fits("/audit/tile/{tile}", "/audit/tile/0/x001/000"));
        assert!(!fits("/api/v1/areas/{id}", "/api/v1/areas/"));
        assert!(!fits("/api/v1/areas/{id}", "/api/v1/areas/a/b"));
        let document = serde_json::json!({
            "paths": {"/a/{id}": {"get": {}, "patch": {}}, "/a/import": {"post": {}}, "/b": {"post": {}}}
        });
        assert_eq!(methods_at(&document, "/a/1"), ["GET", "HEAD", "PATCH"]);
        assert_eq!(methods_at(&document, "/a/import"), ["POST"]);
        assert_eq!(methods_at(&document, "/b"), ["POST"]);
        assert!(methods_at(&document, "/c").is_empty());
        assert_eq!(methods_at(&document, "/docs/"), ["GET", "HEAD"]);
        assert_eq!(methods_at(&document, "/invitations/x"), ["GET", "HEAD", "POST"]);
        assert!(methods_at(&document, "/invitations/").is_empty());
    }
}
