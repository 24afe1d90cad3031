//! Problem documents (RFC 9457) and the one table that turns a kind of refusal into a status code. Never shows a
//! fault to a caller: its text goes to the operator's log, once.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::refusal::{Kind, Reason, Refusal, Stop};
use crate::kernel::text::{Language, Text};

/// The media type of every answer that is not a success.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The request or its body is not readable.
pub static MALFORMED: Reason = Reason::new(
    Kind::Malformed,
    "malformed",
    "请求无法解析",
    "The request could not be read",
);
/// There is no such path, or no such thing, or the caller may not know of it.
pub static NOT_FOUND: Reason = Reason::new(Kind::Hidden, "not_found", "未找到", "Not found");
/// The path exists, but not with this method.
pub static METHOD_NOT_ALLOWED: Reason = Reason::new(
    Kind::NoSuchMethod,
    "method_not_allowed",
    "不支持该请求方法",
    "This method is not offered here",
);
/// No representation that the caller accepts.
pub static NOT_ACCEPTABLE: Reason = Reason::new(
    Kind::NotAcceptable,
    "not_acceptable",
    "无法提供所要求的格式",
    "None of the accepted formats is offered here",
);
/// The body is larger than the maximum.
pub static BODY_TOO_LARGE: Reason = Reason::new(
    Kind::TooLarge,
    "body_too_large",
    "请求体过大",
    "The request body is too large",
);
/// The body is of a kind that is not read here.
pub static UNSUPPORTED_CONTENT: Reason = Reason::new(
    Kind::UnsupportedContent,
    "unsupported_content",
    "不支持的内容类型",
    "This content type is not read here",
);
/// The body was read, but holds values that are not valid.
pub static INVALID: Reason = Reason::new(
    Kind::Invalid,
    "invalid",
    "内容不符合要求",
    "Some values are not valid",
);
/// Something failed on this side.
pub static INTERNAL: Reason = Reason::new(
    Kind::Busy,
    "internal",
    "服务器内部错误",
    "Something failed on the server",
);
/// The answer took longer than the maximum.
pub static TIMED_OUT: Reason = Reason::new(
    Kind::Busy,
    "timed_out",
    "处理超时；如为写入，可能已生效，请以相同的 Idempotency-Key 重试",
    "This took too long; a write may still have been done, so send it again with the same Idempotency-Key",
);

/// The reasons of this floor.
pub static REASONS: [&Reason; 9] = [
    &MALFORMED,
    &NOT_FOUND,
    &METHOD_NOT_ALLOWED,
    &NOT_ACCEPTABLE,
    &BODY_TOO_LARGE,
    &UNSUPPORTED_CONTENT,
    &INVALID,
    &INTERNAL,
    &TIMED_OUT,
];

/// The status code of each kind of refusal: the only place where they are decided.
pub fn status(reason: &Reason) -> StatusCode {
    if std::ptr::eq(reason, &raw const INTERNAL) {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    match reason.kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Hidden => StatusCode::NOT_FOUND,
        Kind::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
        Kind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Stale => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::UnsupportedContent => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Unsatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::VersionMissing => StatusCode::PRECONDITION_REQUIRED,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Busy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What a caller sees when a request was not done (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Where the reason is explained, relative to the service's address.
    #[schema(example = "/problems/area_name_taken")]
    pub r#type: String,
    /// The reason in a few words, the same at every occurrence.
    #[schema(example = "An area of this name is already there")]
    pub title: String,
    /// The HTTP status code again.
    #[schema(example = 409)]
    pub status: u16,
    /// What was wrong this time.
    #[schema(example = "您的版本是 v1，当前版本是 v2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Stable name of the reason, for programs.
    #[schema(example = "area_name_taken")]
    pub code: String,
    /// The id of the request, as in the `X-Request-Id` header; name it when you ask the operator.
    #[schema(example = "request_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub request_id: String,
    /// Every fault found in the input.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemItem>,
}

/// One fault in the input.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemItem {
    /// JSON pointer (RFC 6901) into the body, or `?name` for a query parameter.
    #[schema(example = "/name_zh")]
    pub pointer: String,
    /// Stable name of the fault.
    #[schema(example = "too_long")]
    pub code: String,
    /// The fault in words.
    #[schema(example = "最多 100 个字符")]
    pub detail: String,
}

impl Problem {
    /// The document of a refusal, in one language.
    pub fn of(refusal: &Refusal, language: Language, request_id: &str) -> Self {
        let words = |text: &Text| text.in_language(language).to_owned();
        Self {
            r#type: format!("/problems/{}", refusal.reason.code),
            title: words(&refusal.reason.title),
            status: status(refusal.reason).as_u16(),
            detail: refusal.detail.as_ref().map(words),
            code: refusal.reason.code.to_owned(),
            request_id: request_id.to_owned(),
            errors: refusal
                .objections
                .iter()
                .map(|objection| ProblemItem {
                    pointer: objection.pointer.clone(),
                    code: objection.code.to_owned(),
                    detail: words(&objection.detail),
                })
                .collect(),
        }
    }
}

/// The whole answer for a refusal.
pub fn response(refusal: &Refusal, language: Language, request_id: &str) -> HttpResponse {
    let problem = Problem::of(refusal, language, request_id);
    let mut response = HttpResponseBuilder::new(status(refusal.reason));
    response
        .insert_header((CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON)))
        .insert_header((CONTENT_LANGUAGE, HeaderValue::from_static(language.tag())));
    if let Some(seconds) = refusal.retry_after_seconds {
        response.insert_header((RETRY_AFTER, seconds));
    }
    if refusal.reason.kind == Kind::Unauthenticated {
        response.insert_header((
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"wardbook\""),
        ));
    }
    response.body(serde_json::to_vec(&problem).unwrap_or_default())
}

/// The refusal that fits a status which the framework decided by itself.
pub fn of_status(code: StatusCode) -> Option<Refusal> {
    let reason = match code {
        StatusCode::NOT_FOUND => &NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED => &METHOD_NOT_ALLOWED,
        StatusCode::NOT_ACCEPTABLE => &NOT_ACCEPTABLE,
        StatusCode::PAYLOAD_TOO_LARGE => &BODY_TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => &UNSUPPORTED_CONTENT,
        code if code.is_client_error() => &MALFORMED,
        code if code.is_server_error() => &INTERNAL,
        _ => return None,
    };
    Some(reason.refuse())
}

/// Left in a response that is as it should be, whatever its status: a page for people, who cannot read a problem document.
pub struct WrittenOut;

/// Left in the response by [`Stop::error_response`]; the envelope, which knows the caller's language, writes it out.
pub struct Unwritten(pub Refusal);

impl ResponseError for Stop {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => status(refusal.reason),
            Self::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let refusal = match self {
            Self::Refused(refusal) => (**refusal).clone(),
            Self::Fault(fault) => {
                tracing::error!(%fault, "a request failed");
                INTERNAL.refuse()
            }
        };
        let mut response = HttpResponse::new(self.status_code());
        response.extensions_mut().insert(Unwritten(refusal));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_everything_in_the_callers_language() {
        let refusal = INVALID
            .because(Text::fixed("两处有误", "two faults"))
            .at("/name_zh")
            .retry_after(3);
        let problem = Problem::of(&refusal, Language::English, "req_1");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["type"], "/problems/invalid");
        assert_eq!(json["status"], 422);
        assert_eq!(json["detail"], "two faults");
        assert_eq!(json["errors"][0]["pointer"], "/name_zh");
        assert_eq!(
            Problem::of(&refusal, Language::Chinese, "").title,
            "内容不符合要求"
        );
        assert_eq!(
            response(&refusal, Language::Chinese, "r")
                .headers()
                .get("retry-after")
                .unwrap(),
            "3"
        );
    }

    #[test]
    fn a_fault_keeps_its_cause_to_itself() {
        let stop: Stop = crate::kernel::refusal::Fault::broken("password=hunter2").into();
        let response = stop.error_response();
        assert_eq!(response.status(), 500);
        let left = response.extensions();
        assert_eq!(left.get::<Unwritten>().unwrap().0.reason.code, "internal");
        assert!(left.get::<Unwritten>().unwrap().0.detail.is_none());
    }
}
