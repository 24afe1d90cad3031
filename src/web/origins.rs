//! Pages of other origins (CORS): what a browser is told of which origins may use the API, if the configuration names any.
//! Decides nothing about permission: whoever has a token may act, from wherever.

use actix_cors::Cors;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_DISPOSITION, CONTENT_RANGE, ETAG,
    HeaderMap, HeaderName, HeaderValue, LINK, LOCATION, ORIGIN, RETRY_AFTER, VARY,
};

/// Methods that such a page may use.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/// Request headers that it may set.
const ASKED: [&str; 10] = [
    "accept",
    "accept-language",
    "authorization",
    "content-disposition",
    "content-type",
    "if-match",
    "if-none-match",
    "if-range",
    "idempotency-key",
    "range",
];
/// Headers of an answer that it may read.
const SHOWN: [HeaderName; 9] = [
    CONTENT_DISPOSITION,
    CONTENT_RANGE,
    HeaderName::from_static("repr-digest"),
    ETAG,
    LINK,
    LOCATION,
    RETRY_AFTER,
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("idempotent-replayed"),
];

/// The middleware that answers preflights and marks answers for these origins.
pub fn cors(origins: &[String]) -> Cors {
    let mut cors = Cors::default()
        .allowed_methods(METHODS)
        .allowed_headers(ASKED)
        .expose_headers(SHOWN)
        .max_age(3_600);
    for origin in origins {
        cors = cors.allowed_origin(origin);
    }
    cors
}

/// The origin that a request comes from, if its pages may read the answer.
pub fn allowed(headers: &HeaderMap, origins: &[String]) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    origins
        .iter()
        .any(|allowed| allowed.as_bytes() == origin.as_bytes())
        .then(|| origin.clone())
}

/// Marks an answer that was written outside the middleware, because nothing came out of what is inside it.
pub fn mark(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    let shown = SHOWN.map(|name| name.to_string()).join(", ");
    if let Ok(shown) = HeaderValue::from_str(&shown) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, shown);
    }
    headers.append(VARY, HeaderValue::from_static("origin"));
}
