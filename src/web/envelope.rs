//! What is round every request: an id, the limits, a deadline, a net under panics, the caller's language, the security
//! headers, one line in the log and the metrics. Never looks into a body and never logs an address, a query or a token.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use futures_util::FutureExt;

use crate::db::writer::panic_text;
use crate::kernel::id;
use crate::kernel::refusal::{Refusal, Stop};
use crate::kernel::text::Language;
use crate::web::context::Context;
use crate::web::limits::{client_address, network_of};
use crate::web::origins;
use crate::web::problem::{self, INTERNAL, PROBLEM_JSON, TIMED_OUT, Unwritten, WrittenOut};

/// The header that carries a request's id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What a browser may load for an answer; a handler may set its own.
pub const CONTENT_SECURITY_POLICY: HeaderName = HeaderName::from_static("content-security-policy");

/// What the envelope knows of a request; handlers find it in the request's extensions.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// The request's id.
    pub id: String,
    /// The language that the caller reads.
    pub language: Language,
    /// How long the request may take.
    pub patience: Patience,
    /// True if only the head of the answer is wanted, so that nobody need open what the body would be read from.
    pub is_head: bool,
}

/// How long a request may take. A handler that reads or writes a file allows itself more than the usual.
#[derive(Clone, Debug)]
pub struct Patience(Arc<AtomicU64>);

impl Patience {
    fn new(usual: Duration) -> Self {
        let patience = Self(Arc::default());
        patience.extend(usual);
        patience
    }

    /// Allows at least this much, counted from the beginning of the request.
    pub fn extend(&self, to: Duration) {
        let millis = u64::try_from(to.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_max(millis, Ordering::SeqCst);
    }

    /// How much is allowed.
    pub fn allowed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }

    /// What `work` gives, or `None` if it takes longer.
    async fn bear<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let begun = tokio::time::Instant::now();
        let mut work = pin!(work);
        loop {
            let allowed = self.allowed();
            match tokio::time::timeout_at(begun + allowed, work.as_mut()).await {
                Ok(done) => return Some(done),
                // It has asked for more meanwhile.
                Err(_) if self.allowed() > allowed => {}
                Err(_) => return None,
            }
        }
    }
}

/// The middleware.
///
/// # Errors
/// Only with an answer inside that is already written out.
pub async fn envelope(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Stopwatch::now();
    let Some(context) = request.app_data::<web::Data<Context>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let info = info_of(&request, &context);
    let method = request.method().clone();
    let unrecorded = is_unrecorded(request.path());
    let origin = origins::allowed(request.headers(), &context.settings.cors_origins);
    request.extensions_mut().insert(info.clone());
    if method == Method::HEAD {
        // Whatever can be got can be asked for by HEAD; the connection leaves the body out by itself.
        request.head_mut().method = Method::GET;
    }

    let work = AssertUnwindSafe(next.call(request)).catch_unwind();
    let refusal = match info.patience.bear(work).await {
        Some(Ok(Ok(response))) => {
            let mut response = written_out(response.map_into_boxed_body(), &info);
            finish(response.headers_mut(), &info, &context);
            let route = response.request().match_pattern();
            let route = route.as_deref().unwrap_or("none");
            if !unrecorded && !is_unrecorded(route) {
                record(&method, route, response.status(), started, &info);
            }
            return Ok(response);
        }
        Some(Ok(Err(error))) => refusal_of(&error),
        Some(Err(panic)) => {
            tracing::error!(
                request_id = info.id,
                panic = panic_text(&*panic),
                "a handler panicked"
            );
            INTERNAL.refuse()
        }
        None => TIMED_OUT.refuse().retry_after(1),
    };
    let mut response = problem::response(&refusal, info.language, &info.id);
    finish(response.headers_mut(), &info, &context);
    if let Some(origin) = origin {
        origins::mark(response.headers_mut(), origin);
    }
    if !unrecorded {
        record(&method, "none", response.status(), started, &info);
    }
    Err(InternalError::from_response("written out", response).into())
}

/// The middleware that counts a request of its address. It lies inside the answer to a browser's preflight and inside
/// what marks answers for other origins, so that a page of another origin can read that it asks too often.
///
/// # Errors
/// Those of the services within.
pub async fn throttled(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(context) = request.app_data::<web::Data<Context>>() {
        let address = address_of(request.request(), context);
        if let Err(stop) = context.throttle.address(address) {
            return Ok(request.into_response(stop.error_response()));
        }
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

fn address_of(request: &HttpRequest, context: &Context) -> IpAddr {
    let peer = request.peer_addr().map(|socket| socket.ip());
    let forwarded = forwarded_for(request.headers());
    client_address(peer, forwarded.as_deref(), &context.settings.trusted_proxies)
}

/// The network that a request comes from: an IPv4 address, or an IPv6 /64. For counting, never for keeping.
pub fn client_network(request: &HttpRequest, context: &Context) -> IpAddr {
    network_of(address_of(request, context))
}

/// All `X-Forwarded-For` headers as one: a proxy may append a line of its own instead of adding to the client's, and
/// the last word must be the proxy's (RFC 9110 §5.3). One that is not text hides what stands before it.
fn forwarded_for(headers: &HeaderMap) -> Option<String> {
    let lines: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

fn info_of(request: &ServiceRequest, context: &Context) -> RequestInfo {
    let header = |name: &HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let peer = request.peer_addr().map(|socket| socket.ip().to_canonical());
    let trusted = peer.is_some_and(|peer| {
        context
            .settings
            .trusted_proxies
            .iter()
            .any(|network| network.contains(&peer))
    });
    let given = header(&REQUEST_ID).filter(|id| trusted && is_request_id(id));
    RequestInfo {
        id: given.map_or_else(|| id::mint("request", context.clock.now()), str::to_owned),
        language: Language::preferred(header(&ACCEPT_LANGUAGE).unwrap_or_default()),
        patience: Patience::new(context.settings.request_timeout),
        is_head: request.method() == Method::HEAD,
    }
}

fn is_request_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Writes out the problem document of an answer that is not a success and has none yet.
fn written_out(mut response: ServiceResponse<BoxBody>, info: &RequestInfo) -> ServiceResponse<BoxBody> {
    if response.status().is_success()
        || response.status().is_redirection()
        || response.status().is_informational()
        || response.response().extensions().contains::<WrittenOut>()
    {
        return response;
    }
    let left = response.response_mut().extensions_mut().remove::<Unwritten>();
    let is_problem = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(PROBLEM_JSON.as_bytes()));
    let refusal = match left {
        Some(Unwritten(refusal)) => refusal,
        None if is_problem => return response,
        None => match problem::of_status(response.status()) {
            Some(refusal) => refusal,
            None => return response,
        },
    };
    let mut written = problem::response(&refusal, info.language, &info.id);
    // The body is another one; the rest (`Allow`, what other origins may see) holds as before.
    let mut own: Vec<HeaderName> = written.headers().keys().cloned().collect();
    own.extend([CONTENT_ENCODING, CONTENT_LENGTH]);
    for (name, value) in response.headers() {
        if !own.contains(name) {
            written.headers_mut().append(name.clone(), value.clone());
        }
    }
    response.into_response(written)
}

fn refusal_of(error: &Error) -> Refusal {
    if let Some(stop) = error.as_error::<Stop>() {
        return match stop.error_response().extensions_mut().remove::<Unwritten>() {
            Some(Unwritten(refusal)) => refusal,
            None => INTERNAL.refuse(),
        };
    }
    let response: HttpResponse = error.error_response();
    problem::of_status(response.status()).unwrap_or_else(|| INTERNAL.refuse())
}

fn finish(headers: &mut HeaderMap, info: &RequestInfo, context: &Context) {
    if let Ok(id) = HeaderValue::from_str(&info.id) {
        headers.insert(REQUEST_ID, id);
    }
    // How a handler says that its bytes are to be sent as they are; it is no coding to tell anybody of (RFC 9110 §8.4.1).
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding == "identity")
    {
        headers.remove(CONTENT_ENCODING);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            ),
        );
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.append(
        VARY,
        HeaderValue::from_static("accept, accept-encoding, accept-language, authorization"),
    );
    if context.settings.tls {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
}

fn record(method: &Method, route: &str, status: StatusCode, started: Stopwatch, info: &RequestInfo) {
    let took = started.elapsed();
    METERS.with_borrow_mut(|meters| {
        let meters = match meters.get_mut(route) {
            Some(meters) => meters,
            None => meters
                .entry(route.to_owned())
                .or_insert_with(|| Meters::of(route)),
        };
        meters.seconds.record(took.as_secs_f64());
        meters
            .requests(known_method(method), route, status.as_u16())
            .increment(1);
    });
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(target: "wardbook::access", request_id = info.id, %method, route, status = status.as_u16(), micros);
}

thread_local! {
    /// The meters of each route, as many as there are routes: to look one up by its labels costs more than to answer a
    /// small request.
    static METERS: RefCell<HashMap<String, Meters>> = RefCell::default();
}

/// Segments of a path by which a request is neither logged nor counted: whoever reads the log or the metrics would learn that there are
/// bids, and when they came. What is broken there is logged all the same, without saying where.
const UNRECORDED: [&str; 5] = [
    "bids",
    "sealed-bids",
    "bid-form",
    "bid-securities",
    "own-bid-securities",
];

/// Whether a path, or the pattern that it fits, is of those that leave no trace. Whatever spelling of a path leads to a handler, either
/// the one or the other shows it.
fn is_unrecorded(path: &str) -> bool {
    path.split('/').any(|segment| UNRECORDED.contains(&segment))
}

/// What is counted of one route.
struct Meters {
    seconds: metrics::Histogram,
    /// By method and status; only those that have occurred.
    requests: Vec<(&'static str, u16, metrics::Counter)>,
}

impl Meters {
    fn of(route: &str) -> Self {
        Self {
            seconds: metrics::histogram!("wardbook_http_request_seconds", "route" => route.to_owned()),
            requests: Vec::new(),
        }
    }

    fn requests(&mut self, method: &'static str, route: &str, status: u16) -> metrics::Counter {
        let known = self
            .requests
            .iter()
            .find(|known| known.0 == method && known.1 == status);
        if let Some((_, _, counter)) = known {
            return counter.clone();
        }
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.to_string()),
        ];
        let counter = metrics::counter!("wardbook_http_requests_total", &labels);
        self.requests.push((method, status, counter.clone()));
        counter
    }
}

/// Anyone can invent methods; the metrics know only these.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_about_bids_leave_no_trace_and_others_do() {
        for secret in [
            "/api/v1/bids",
            "/api/v1/bids/bid_x/withdrawal",
            "/api/v1/lots/lot_x/bids",
            "/api/v1/lots/{id}/sealed-bids",
            "/api/v1/lots/lot_x/bid-form",
            "/api/v1/lots/lot_x/own-bid-securities",
            "/api/v1/bid-securities/x/return",
        ] {
            assert!(is_unrecorded(secret), "{secret}");
        }
        for open in [
            "/api/v1/contract-books/bids_x",
            "/api/v1/lots",
            "/metrics",
            "none",
            "/api/v1/forbids",
        ] {
            assert!(!is_unrecorded(open), "{open}");
        }
    }
}
