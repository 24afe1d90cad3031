//! Request bodies. A JSON body is checked against the schema that the OpenAPI document publishes for it, so that the
//! document cannot promise what the service does not enforce, and every fault is reported at once, each with its place
//! and in both languages.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use zeroize::{Zeroize, Zeroizing};

use crate::kernel::refusal::{Answer, Fault, Objection, Refusal, Stop};
use crate::kernel::text::Text;
use crate::text;
use crate::web::context::Context;
use crate::web::envelope::RequestInfo;
use crate::web::pattern::in_words;
use crate::web::problem::{BODY_TOO_LARGE, INVALID, MALFORMED, TIMED_OUT, UNSUPPORTED_CONTENT};

/// Objects and arrays inside each other; a deeper body is refused before it is parsed.
pub const JSON_DEPTH_MAX: usize = 32;

/// More faults than this are not listed.
const OBJECTIONS_MAX: usize = 100;

/// Tells `null` from a member that is left out, for `deserialize_with` beside `default`.
///
/// # Errors
/// Those of the member's own type.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A body that has not been read yet. A handler reads it after it has asked the policy, so that whoever may not do a
/// thing is told so whatever they sent.
pub struct Incoming {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Incoming {
    type Error = Stop;
    type Future = Ready<Answer<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self {
            request: request.clone(),
            payload: payload.take(),
        }))
    }
}

/// A JSON body that fits its schema, and the hash of its bytes.
pub struct Body<T> {
    /// The value.
    pub value: T,
    /// SHA-256 of the bytes as they came.
    pub digest: [u8; 32],
}

/// A JSON body that is nobody's business: what of it this process holds in its own memory is wiped when it is dropped.
pub struct SecretBody<T: Zeroize> {
    /// The value.
    pub value: Zeroizing<T>,
    /// The bytes as they came.
    pub bytes: Zeroizing<Vec<u8>>,
    /// SHA-256 of the bytes. A short text could be guessed by it.
    pub digest: [u8; 32],
}

/// A body of bytes whose kind the handler chooses among a few.
pub struct RawBody {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes.
    pub digest: [u8; 32],
}

impl Incoming {
    /// Reads a JSON body.
    ///
    /// # Errors
    /// [`UNSUPPORTED_CONTENT`]; [`BODY_TOO_LARGE`]; [`MALFORMED`] if it is not JSON, too deep, or breaks off;
    /// [`INVALID`] with every fault.
    pub async fn json<T: DeserializeOwned + ToSchema>(self) -> Answer<Body<T>> {
        let context = Context::of(&self.request)?;
        let bytes_max = context.settings.body_bytes_max;
        refuse_other_content(&self.request, &["application/json"])?;
        let bytes = collect(self.payload, bytes_max).await?;
        let value = parse::<T>(context, &bytes)?;
        Ok(Body {
            value,
            digest: Sha256::digest(&bytes).into(),
        })
    }

    /// As [`Self::json`], for what must leave no trace in memory. A member that is given twice is refused, too.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub async fn secret_json<T>(self, bytes_max: usize) -> Answer<SecretBody<T>>
    where
        T: DeserializeOwned + ToSchema + Zeroize,
    {
        let context = Context::of(&self.request)?;
        refuse_other_content(&self.request, &["application/json"])?;
        // Room for all of it from the beginning: bytes that grow are copied, and the copies are not wiped.
        let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max));
        gather(self.payload, bytes_max, &mut bytes).await?;
        let mut shape = shape::<T>(context, &bytes)?;
        wipe(&mut shape);
        let value = serde_json::from_slice(&bytes).map_err(|error| not_json(&error))?;
        Ok(SecretBody {
            value: Zeroizing::new(value),
            digest: Sha256::digest(bytes.as_slice()).into(),
            bytes,
        })
    }

    /// Reads the body if its media type is one of `kinds`.
    ///
    /// # Errors
    /// [`UNSUPPORTED_CONTENT`], [`BODY_TOO_LARGE`], or [`MALFORMED`] if it breaks off.
    pub async fn bytes(self, kinds: &[&str], bytes_max: usize) -> Answer<RawBody> {
        refuse_other_content(&self.request, kinds)?;
        let bytes = collect(self.payload, bytes_max).await?;
        let digest = Sha256::digest(&bytes).into();
        Ok(RawBody { bytes, digest })
    }

    /// Reads the body piece by piece, whatever its media type is: for what is too large to be held at once. The request may
    /// then take as long as `within` allows, as long as its pieces keep coming.
    ///
    /// # Errors
    /// [`UNSUPPORTED_CONTENT`] if it is compressed; [`BODY_TOO_LARGE`] if it says itself that it is.
    pub fn stream(self, bytes_max: u64, within: Duration) -> Answer<Stream> {
        let silence_max = Context::of(&self.request)?.settings.request_timeout;
        refuse_coding(&self.request)?;
        let length = self.request.headers().get(CONTENT_LENGTH);
        let length = length
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse::<u64>().ok());
        if length.is_some_and(|length| length > bytes_max) {
            return Err(too_large(bytes_max));
        }
        if let Some(info) = self.request.extensions().get::<RequestInfo>() {
            info.patience.extend(within);
        }
        let pieces = self.payload.map(|piece| piece.map_err(|_| broken_off().into()));
        Ok(Stream::new(pieces.boxed_local(), bytes_max, silence_max))
    }

    /// The request, and its body as it comes, for `multipart.rs`.
    pub(super) fn apart(self) -> (HttpRequest, Payload) {
        (self.request, self.payload)
    }
}

/// A body, or a part of one, that is read piece by piece.
pub struct Stream {
    pieces: LocalBoxStream<'static, Answer<Bytes>>,
    left: u64,
    bytes_max: u64,
    silence_max: Duration,
}

impl Stream {
    /// What is read from these pieces: `bytes_max` bytes at most, and never silent for longer than `silence_max`.
    pub(super) fn new(
        pieces: LocalBoxStream<'static, Answer<Bytes>>,
        bytes_max: u64,
        silence_max: Duration,
    ) -> Self {
        Self {
            pieces,
            left: bytes_max,
            bytes_max,
            silence_max,
        }
    }

    /// The next piece; `None` after the last one.
    ///
    /// # Errors
    /// [`BODY_TOO_LARGE`]; [`MALFORMED`] if the body breaks off; [`TIMED_OUT`] if nothing comes for as long as a whole request
    /// may usually take.
    pub async fn next(&mut self) -> Answer<Option<Bytes>> {
        let piece = tokio::time::timeout(self.silence_max, self.pieces.next()).await;
        let Some(piece) = piece.map_err(|_| TIMED_OUT.refuse().retry_after(1))? else {
            return Ok(None);
        };
        let piece = piece?;
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.left = self
            .left
            .checked_sub(length)
            .ok_or_else(|| too_large(self.bytes_max))?;
        Ok(Some(piece))
    }
}

pub(super) fn broken_off() -> Refusal {
    MALFORMED.because(Text::fixed("请求体不完整", "the body breaks off"))
}

pub(super) fn too_large(bytes_max: u64) -> Stop {
    BODY_TOO_LARGE
        .because(text!("最多 {bytes_max} 字节", "at most {bytes_max} bytes"))
        .into()
}

fn refuse_coding(request: &HttpRequest) -> Answer<()> {
    let coding = request.headers().get(CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let why = Text::fixed("不接受压缩的请求体", "send the body without Content-Encoding");
        return Err(UNSUPPORTED_CONTENT.because(why).into());
    }
    Ok(())
}

/// The media type that a request says its body is of, in lower case and without parameters; empty if it does not say.
pub fn claimed_type(request: &HttpRequest) -> String {
    let sent = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

pub(super) fn refuse_other_content(request: &HttpRequest, kinds: &[&str]) -> Answer<()> {
    refuse_coding(request)?;
    let essence = claimed_type(request);
    if kinds.contains(&essence.as_str()) {
        return Ok(());
    }
    let wanted = kinds.join(", ");
    Err(UNSUPPORTED_CONTENT
        .because(text!(
            "Content-Type 应为 {wanted}",
            "send it with Content-Type: {wanted}"
        ))
        .into())
}

async fn collect(payload: Payload, bytes_max: usize) -> Answer<Vec<u8>> {
    let mut bytes = Vec::new();
    gather(payload, bytes_max, &mut bytes).await?;
    Ok(bytes)
}

async fn gather(mut payload: Payload, bytes_max: usize, bytes: &mut Vec<u8>) -> Answer<()> {
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| broken_off())?;
        if bytes.len().saturating_add(chunk.len()) > bytes_max {
            return Err(too_large(u64::try_from(bytes_max).unwrap_or(u64::MAX)));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(())
}

/// Overwrites every text of a value.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

fn parse<T: DeserializeOwned + ToSchema>(context: &Context, bytes: &[u8]) -> Answer<T> {
    // The schema has let it through, so what is left are values that a type of ours refuses.
    serde_json::from_value(shape::<T>(context, bytes)?).map_err(|error| {
        let message = error.to_string();
        INVALID
            .because(text!(
                "值不符合要求：{message}",
                "a value is not valid: {message}"
            ))
            .into()
    })
}

/// What the bytes are as JSON, if it fits the schema.
fn shape<T: ToSchema>(context: &Context, bytes: &[u8]) -> Answer<Value> {
    if depth(bytes) > JSON_DEPTH_MAX {
        return Err(MALFORMED
            .because(text!(
                "JSON 嵌套不得超过 {JSON_DEPTH_MAX} 层",
                "JSON may be nested {JSON_DEPTH_MAX} deep at most"
            ))
            .into());
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| not_json(&error))?;
    let validator = validator(context, &T::name())?;
    let objections: Vec<Objection> = validator
        .iter_errors(&value)
        .flat_map(|error| objections(&error))
        .take(OBJECTIONS_MAX)
        .collect();
    if !objections.is_empty() {
        return Err(INVALID.refuse().listing(objections).into());
    }
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Refusal {
    let (line, column) = (error.line(), error.column());
    MALFORMED.because(text!(
        "第 {line} 行第 {column} 列不是有效的 JSON",
        "not valid JSON at line {line}, column {column}"
    ))
}

/// How deep objects and arrays lie in each other, by counting brackets outside strings.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in bytes {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                depth = depth.saturating_add(1);
                deepest = deepest.max(depth);
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The validator of a schema of the OpenAPI document, made at its first use.
fn validator(context: &Context, name: &str) -> Result<Arc<Validator>, Fault> {
    let schemas = &context.schemas;
    if let Some(known) = schemas
        .made
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(name)
    {
        return Ok(known.clone());
    }
    let made = Arc::new(compile(&schemas.document, name)?);
    let mut made_so_far = schemas.made.write().unwrap_or_else(PoisonError::into_inner);
    Ok(HashMap::entry(&mut made_so_far, name.to_owned())
        .or_insert(made)
        .clone())
}

fn compile(document: &Value, name: &str) -> Result<Validator, Fault> {
    let components = document.get("components").cloned().unwrap_or_default();
    let known = components.pointer(&format!("/schemas/{name}")).is_some();
    if !known {
        return Err(Fault::broken(format!(
            "the OpenAPI document has no schema {name}"
        )));
    }
    let schema =
        serde_json::json!({ "$ref": format!("#/components/schemas/{name}"), "components": components });
    jsonschema::draft202012::new(&schema)
        .map_err(|error| Fault::broken(format!("the schema {name} is not valid: {error}")))
}

/// One objection for each thing wrong, in both languages.
fn objections(error: &ValidationError<'_>) -> Vec<Objection> {
    let at = error.instance_path().to_string();
    let child = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    let one = |pointer: String, code, detail| {
        vec![Objection {
            pointer,
            code,
            detail,
        }]
    };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            one(child(name), "required", Text::fixed("必填", "is required"))
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| Objection {
                pointer: child(name),
                code: "unknown_member",
                detail: Text::fixed("没有这个字段", "there is no such member"),
            })
            .collect(),
        ValidationErrorKind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(wanted) => wanted.to_string(),
                TypeKind::Multiple(set) => set
                    .iter()
                    .map(|one| one.to_string())
                    .collect::<Vec<_>>()
                    .join(" | "),
            };
            one(
                at,
                "wrong_type",
                text!("类型应为 {wanted}", "must be of type {wanted}"),
            )
        }
        ValidationErrorKind::MinLength { limit } => one(
            at,
            "too_short",
            text!("至少 {limit} 个字符", "at least {limit} characters"),
        ),
        ValidationErrorKind::MaxLength { limit } => one(
            at,
            "too_long",
            text!("最多 {limit} 个字符", "at most {limit} characters"),
        ),
        ValidationErrorKind::MinItems { limit } => {
            one(at, "too_few", text!("至少 {limit} 项", "at least {limit} items"))
        }
        ValidationErrorKind::MaxItems { limit } => {
            one(at, "too_many", text!("最多 {limit} 项", "at most {limit} items"))
        }
        ValidationErrorKind::Minimum { limit } => {
            one(at, "too_small", text!("不得小于 {limit}", "at least {limit}"))
        }
        ValidationErrorKind::Maximum { limit } => {
            one(at, "too_large", text!("不得大于 {limit}", "at most {limit}"))
        }
        ValidationErrorKind::Pattern { pattern } => one(at, "wrong_form", in_words(pattern)),
        ValidationErrorKind::Enum { options } => one(
            at,
            "not_one_of",
            text!("应为 {options} 之一", "must be one of {options}"),
        ),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }
            if meant(context).is_some() =>
        {
            let meant = meant(context).into_iter().flatten();
            meant.flat_map(objections).collect()
        }
        _ => {
            let message = error.masked().to_string();
            one(at, "not_valid", text!("不符合要求：{message}", "{message}"))
        }
    }
}

/// Of several forms that a value may have and has none of, the one that it was meant to have, if that is plain: not that of nothing at
/// all, and not one that another word in a member of its own (`kind`) stands for.
fn meant<'e, 'v>(forms: &'e [Vec<ValidationError<'v>>]) -> Option<&'e [ValidationError<'v>]> {
    let is_other = |error: &ValidationError<'_>| match error.kind() {
        ValidationErrorKind::Type { kind } => matches!(kind, TypeKind::Single(JsonType::Null)),
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
            error.instance_path().to_string().ends_with("/kind")
        }
        _ => false,
    };
    let mut likely = forms.iter().filter(|errors| !errors.iter().any(is_other));
    let only = likely.next()?;
    likely.next().is_none().then_some(only.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::text::Language;

    #[test]
    fn depth_counts_brackets_outside_strings_only() {
        assert_eq!(depth(b"1"), 0);
        assert_eq!(depth(br#"{"a":[{"b":"[[[[\"[["}]}"#), 3);
        assert_eq!(depth("[".repeat(500).as_bytes()), 500);
        assert_eq!(depth(br#"["\\"]["#), 1);
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let document = serde_json::json!({"components": {"schemas": {"Lamp": {
            "type": "object",
            "required": ["name", "watts"],
            "additionalProperties": false,
            "properties": {
                "name": {"type": "string", "minLength": 2, "maxLength": 4},
                "watts": {"type": "integer", "minimum": 1},
                "kind": {"enum": ["led", "arc"]},
                "a/b": {"type": "string", "pattern": "^x"},
            },
        }}}});
        let validator = compile(&document, "Lamp").unwrap();
        let check = |value: Value| -> Vec<(String, &'static str)> {
            validator
                .iter_errors(&value)
                .flat_map(|e| objections(&e))
                .map(|o| (o.pointer, o.code))
                .collect()
        };
        assert!(check(serde_json::json!({"name": "灯灯", "watts": 3})).is_empty());
        let mut found = check(serde_json::json!({"name": "x", "kind": "gas", "colour": 1, "a/b": "y"}));
        found.sort();
        assert_eq!(
            found,
            [
                ("/a~1b".into(), "wrong_form"),
                ("/colour".into(), "unknown_member"),
                ("/kind".into(), "not_one_of"),
                ("/name".into(), "too_short"),
                ("/watts".into(), "required"),
            ]
        );
        assert_eq!(check(serde_json::json!([])), [(String::new(), "wrong_type")]);
        let error = validator
            .iter_errors(&serde_json::json!({"name": "ok", "watts": 0}))
            .flat_map(|e| objections(&e))
            .next();
        assert_eq!(error.unwrap().detail.in_language(Language::English), "at least 1");
        assert!(compile(&document, "Candle").is_err());
    }

    #[test]
    fn of_several_forms_the_one_that_was_meant_is_judged() {
        let form = |kind: &str, field: &str| {
            serde_json::json!({"type": "object", "required": ["kind", field], "additionalProperties": false,
                "properties": {"kind": {"type": "string", "enum": [kind]}, field: {"type": "integer", "minimum": 1}}})
        };
        let document = serde_json::json!({"components": {"schemas": {"Lamp": {"oneOf": [
            {"type": "null"},
            {"oneOf": [form("led", "watts"), form("oil", "litres")]},
        ]}}}});
        let validator = compile(&document, "Lamp").unwrap();
        let check = |value: Value| -> Vec<(String, &'static str)> {
            let errors = validator.iter_errors(&value);
            errors
                .flat_map(|e| objections(&e))
                .map(|o| (o.pointer, o.code))
                .collect()
        };
        assert!(
            check(Value::Null).is_empty()
                && check(serde_json::json!({"kind": "oil", "litres": 2})).is_empty()
        );
        assert_eq!(
            check(serde_json::json!({"kind": "led", "watts": 0})),
            [("/watts".to_owned(), "too_small")]
        );
        assert_eq!(
            check(serde_json::json!({"kind": "oil"})),
            [("/litres".to_owned(), "required")]
        );
        // Nothing says which of them was meant.
        assert_eq!(
            check(serde_json::json!({"kind": "gas"})),
            [(String::new(), "not_valid")]
        );
    }
}
