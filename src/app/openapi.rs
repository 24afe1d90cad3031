//! The OpenAPI document: collected from the handlers, then completed with what holds for all of them, so that no handler
//! repeats it and none can forget it.

use std::collections::BTreeMap;

use actix_web::App;
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt, scope};

use crate::app::{operation, time};
use crate::kernel::refusal::Fault;
use crate::web::policy::{Role, TABLE};
use crate::web::problem::{Problem, ProblemItem};
use crate::{audit, registry};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "wardbook",
        description = "The system of record through which a city ward buys, rates and pays for its everyday public services.\n\n\
            Instants are RFC 3339, UTC. Whatever was not done comes back as a problem document (RFC 9457) in the language of \
            `Accept-Language` (zh-CN, en). A POST may carry an `Idempotency-Key`: sent again with the same key, it gets the \
            same answer and does nothing twice. Lists are read page by page with `cursor`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "areas", description = "The tree of city, districts, streets and communities"),
        (name = "log", description = "The tamper-evident log of every change"),
        (name = "time", description = "The clock that deadlines are judged by"),
        (name = "operation", description = "For operators and programs"),
    ),
    components(schemas(Problem, ProblemItem)),
)]
struct Head;

/// Every operation of the service.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .configure(operation::operations)
        .configure(audit::http_tiles::operations)
        .service(
            scope("/api/v1")
                .configure(registry::http::operations)
                .configure(audit::http::operations)
                .configure(time::operations),
        );
}

/// The document as JSON.
///
/// # Errors
/// A fault if it cannot be written, which a test would have shown.
pub fn document() -> Result<Value, Fault> {
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(Head::openapi())
        .configure(operations)
        .split_for_parts();
    let mut document =
        serde_json::to_value(document).map_err(|error| Fault::caused("write the OpenAPI document", error))?;
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".to_owned(), security_schemes());
    }
    for (path, item) in members(&mut document, "paths") {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete(&path, method, operation);
        }
    }
    Ok(document)
}

/// The document as it stands in `api-spec/openapi.json`.
///
/// # Errors
/// As [`document`].
pub fn text() -> Result<String, Fault> {
    let text = serde_json::to_string_pretty(&document()?)
        .map_err(|error| Fault::caused("write the OpenAPI document", error))?;
    Ok(text + "\n")
}

fn members<'v>(value: &'v mut Value, name: &str) -> impl Iterator<Item = (String, &'v mut Value)> {
    value
        .get_mut(name)
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value))
}

fn security_schemes() -> Value {
    json!({ "access_token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token, EdDSA. Its keys are at /.well-known/jwks.json",
    }})
}

/// Which roles may do what the operation does.
pub fn roles_of(action: &str) -> Vec<Role> {
    TABLE
        .iter()
        .filter(|(listed, _)| format!("{listed:?}") == action)
        .flat_map(|(_, grants)| grants.iter().map(|(role, _)| *role))
        .filter(|role| *role != Role::System)
        .collect()
}

/// Adds what holds for every operation of its kind.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let action = operation
        .get("x-action")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let reads_account = action != "Everyone" && !path.starts_with("/audit/");
    let roles = roles_of(&action);
    let public = !reads_account || roles.contains(&Role::Public);
    let Some(operation) = operation.as_object_mut() else {
        return;
    };

    let takes_body = operation.contains_key("requestBody");
    let is_post = method == "post";
    let mut statuses = BTreeMap::from([
        ("429", "Too many requests; `Retry-After` says when to come back"),
        ("500", "Something failed on the server"),
        (
            "503",
            "Not now: the queue is full, the database is away, or the service is read-only; `Retry-After` says when",
        ),
    ]);
    if reads_account {
        statuses.insert("400", "The request could not be read; every fault is listed");
        statuses.insert("401", "No access token, or one that is not valid");
        operation.insert(
            "security".to_owned(),
            if public {
                json!([{}, { "access_token": [] }])
            } else {
                json!([{ "access_token": [] }])
            },
        );
    } else {
        operation.insert("security".to_owned(), json!([]));
    }
    if !public {
        statuses.insert("403", "The account may not do this");
        let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        let said = operation
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let description = format!(
            "{said}\n\nFor: {}.",
            names
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        operation.insert("description".to_owned(), json!(description.trim_start()));
    }
    if takes_body {
        statuses.insert("413", "The body is too large");
        statuses.insert("415", "The body is of a kind that is not read here");
        statuses.insert("422", "The body holds values that are not valid, or the `Idempotency-Key` was used for another request; every fault is listed");
    }
    if is_post {
        let header = json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "1 to 255 visible ASCII characters, remembered for 24 hours",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        });
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        if let Some(parameters) = parameters.as_array_mut() {
            parameters.push(header);
        }
        statuses.insert(
            "409",
            "A request with the same `Idempotency-Key` is being worked on",
        );
    }
    if path.ends_with("/export") || path.ends_with("/areas") && method == "get" {
        statuses.insert("406", "None of the accepted formats is offered");
    }
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    for (status, description) in statuses {
        let response = responses.as_object_mut().map(|all| {
            all.entry(status)
                .or_insert_with(|| json!({ "description": description }))
        });
        if let Some(response) = response.and_then(Value::as_object_mut)
            && response.get("description").and_then(Value::as_str) != Some(description)
        {
            let own = response
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let both = if own.starts_with('`') || status == "409" {
                format!("{own}; or: {description}")
            } else {
                own.to_owned()
            };
            response.insert("description".to_owned(), json!(both));
        }
    }
    for (status, response) in responses.as_object_mut().into_iter().flatten() {
        describe(status, response);
    }
}

/// What every answer of a status has.
fn describe(status: &str, response: &mut Value) {
    let Some(response) = response.as_object_mut() else {
        return;
    };
    if status.starts_with(['4', '5']) && !response.contains_key("content") {
        response.insert(
            "content".to_owned(),
            json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }),
        );
    }
    let headers = response.entry("headers").or_insert_with(|| json!({}));
    if let Some(headers) = headers.as_object_mut() {
        headers.insert(
            "X-Request-Id".to_owned(),
            json!({ "description": "The request's id; name it when you ask the operator", "schema": { "type": "string" } }),
        );
        if matches!(status, "429" | "503") {
            headers.insert(
                "Retry-After".to_owned(),
                json!({ "description": "Seconds to wait", "schema": { "type": "integer" } }),
            );
        }
    }
}
