//! The OpenAPI document: collected from the handlers, then completed with what holds for all of them, so that no handler
//! repeats it and none can forget it.

use std::sync::{Arc, OnceLock};

use actix_web::{App, web};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa_actix_web::{AppExt, scope};

use crate::app::{http_registration, operation, time};
use crate::audit::http::Order as EventSort;
use crate::kernel::refusal::Fault;
use crate::registry::rules_roll::State as ResidentState;
use crate::registry::store::Sort as AreaSort;
use crate::registry::store_organisations::Sort as OrganisationSort;
use crate::registry::store_roll_reading::Sort as ResidentSort;
use crate::web::context::Schemas;
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL};
use crate::web::policy::{Condition, Role, TABLE};
use crate::web::problem::{Problem, ProblemItem};
use crate::web::query::VALUE_LENGTH_MAX;
use crate::{
    audit, award, ballots, bids, books, budget, contracts, duties, files, imports, outbox, oversight,
    payments, people, publish, registry, standards, statutes,
};

/// Where the API lies.
const API: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "wardbook",
        description = "The system of record through which a city ward buys, rates and pays for its everyday public services.\n\n\
            Instants are RFC 3339, UTC. Whatever was not done comes back as a problem document (RFC 9457) in the language of \
            `Accept-Language` (zh-CN, en). A parameter that an operation does not have is refused. A POST may carry an `Idempotency-Key`: sent again with the same key, it gets the \
            same answer and does nothing twice. Lists are read page by page with `cursor`.\n\n\
            What to do first 先做什么:\n\n\
            - Residents 居民: `POST /api/v1/ballot-votes` with the code of a letter 凭信函代码投票; `POST /api/v1/defect-reports`, or the code at the place 扫码报告问题.\n\
            - Suppliers 承接主体: `GET /api/v1/search` for books that ask for bids 检索正在征集投标的承包责任书; `wardbook bid seal` on a machine of your own 在自己的电脑上密封投标.\n\
            - Buyers 采购人: `POST /api/v1/sessions`, then `POST /api/v1/contract-books` 登录后起草承包责任书.\n\
            - Auditors 审计: `GET /api/v1/audit/events`, `GET /ocds/records`, and [how to check us](/check) 怎样核对我们.\n\
            - Operators 运行: `GET /health/ready`, `wardbook --help`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "organisations", description = "Who acts: public bodies, companies, social organisations, residents' groups"),
        (name = "areas", description = "The tree of city, districts, streets and communities"),
        (name = "people", description = "Accounts and signing in, roles and deputies, and the tokens of machines"),
        (name = "attachments", description = "Files that people upload"),
        (name = "statutes", description = "The rules that apply, as dated data with citations"),
        (name = "standards", description = "What public services are measured by: categories, standards and their versions"),
        (name = "books", description = "What is bought, by which rules, and for how much at most"),
        (name = "openings", description = "Who keeps the keys that open bids, and what came of the openings"),
        (name = "bids", description = "Sealed bids: until their lot is opened, each is known to its bidder alone"),
        (name = "evaluations", description = "How bids are scored, by whom, and what comes of it"),
        (name = "panels", description = "Who judges bids: the pool of experts, panels drawn from it, and what they find before they score"),
        (name = "awards", description = "Who gets the contract, why, and how far each lot has come"),
        (name = "disputes", description = "What bidders ask about results, challenge, and complain of to the regulator"),
        (name = "contracts", description = "The contracts that both parties have signed"),
        (name = "inspections", description = "How signed contracts are kept: periods, inspections and what they score"),
        (name = "ballots", description = "What residents are asked, how they vote, and what comes of it; never for elections"),
        (name = "payments", description = "What periods come to, and claims from the invoice to the bank's reference"),
        (name = "spending", description = "What the ward spends, grouped and followed, for everyone"),
        (name = "defects", description = "What is wrong at the places that contracts serve: reported by anybody, put right by contractors"),
        (name = "budget", description = "Where the ward's money comes from, and who may spend it on what"),
        (name = "planning", description = "What is planned to be bought, and what was asked before"),
        (name = "ledger", description = "Every movement of money, in double entry"),
        (name = "publication", description = "What became public, as open contracting data (OCDS) that anybody can take elsewhere"),
        (name = "imports", description = "What others have published, read in and kept apart from this ward's own"),
        (name = "roll", description = "The residents' roll of each community, seen by its registrar and by each resident themself"),
        (name = "log", description = "The tamper-evident log of every change"),
        (name = "mail", description = "What the service tells people, and how they want it"),
        (name = "time", description = "The clock that deadlines are judged by"),
        (name = "operation", description = "For operators and programs"),
    ),
    servers((url = "/", description = "This service")),
    components(schemas(Problem, ProblemItem, OrganisationSort, AreaSort, EventSort, ResidentSort, ResidentState)),
)]
struct Head;

/// Those operations whose paths are not the API's.
fn beside(config: &mut impl Operations) {
    config
        .configure(operation::operations)
        .configure(audit::http_tiles::operations)
        .configure(publish::http::operations)
        .configure(publish::http_files::operations)
        .configure(publish::http_tables::operations_beside)
        .configure(publish::http_feeds::operations)
        .configure(publish::http_calendars::operations_beside)
        .configure(people::http_return::operations);
}

/// Those of the API, under its path.
fn api(config: &mut impl Operations) {
    config
        .configure(registry::http_organisations::operations)
        .configure(registry::http_organisation_decisions::operations)
        .configure(registry::http_bank_accounts::operations)
        .configure(registry::http_qualifications::operations)
        .configure(registry::http_debarments::operations)
        .configure(registry::http_evidence::operations)
        .configure(registry::http::operations)
        .configure(people::http_roles::operations)
        .configure(people::http_api_tokens::operations)
        .configure(duties::http::operations)
        .configure(registry::http_roll_import::operations)
        .configure(registry::http_roll_export::operations)
        .configure(registry::http_roll::operations)
        .configure(registry::http_resident::operations)
        .configure(registry::http_letters::operations)
        .configure(http_registration::operations)
        .configure(people::http_sessions::operations)
        .configure(people::http_links::operations)
        .configure(people::http_outside::operations)
        .configure(people::http_passwords::operations)
        .configure(people::http_second_factor::operations)
        .configure(people::http_accounts::operations)
        .configure(statutes::http::operations)
        .configure(standards::http::operations)
        .configure(standards::http_versions::operations)
        .configure(standards::http_evaluations::operations)
        .configure(budget::http::operations)
        .configure(budget::http_lines::operations)
        .configure(budget::http_movements::operations)
        .configure(budget::http_year_ends::operations)
        .configure(budget::http_delegations::operations)
        .configure(budget::http_assessments::operations)
        .configure(budget::http_holds::operations)
        .configure(budget::http_ledger::operations)
        .configure(books::http_intentions::operations)
        .configure(books::http_consultations::operations)
        .configure(books::http_purchase_totals::operations)
        .configure(publish::http_tables::operations)
        .configure(publish::http_disclosures::operations)
        .configure(publish::http_calendars::operations)
        .configure(books::http_search::operations)
        .configure(books::http_saved_searches::operations)
        .configure(books::http_follows::operations)
        .configure(books::http::operations)
        .configure(books::http_publication::operations)
        .configure(books::http_addenda::operations)
        .configure(books::http_print::operations)
        .configure(books::http_witnesses::operations)
        .configure(books::http_enquiries::operations)
        .configure(books::http_witnesses::operations)
        .configure(bids::http_openings::operations)
        .configure(bids::http_confidentiality::operations)
        .configure(bids::http_documents::operations)
        .configure(bids::http::operations)
        .configure(bids::http_own::operations)
        .configure(bids::http_securities::operations)
        .configure(ballots::http::operations)
        .configure(ballots::http_voting::operations)
        .configure(ballots::http_letters::operations)
        .configure(ballots::http_listings::operations)
        .configure(award::http_lots::operations)
        .configure(award::http_awards::operations)
        .configure(award::http_challenges::operations)
        .configure(award::http_complaints::operations)
        .configure(contracts::http::operations)
        .configure(contracts::http_securities::operations)
        .configure(contracts::http_periods::operations)
        .configure(contracts::http_ratings::operations)
        .configure(contracts::http_comments::operations)
        .configure(contracts::http_plans::operations)
        .configure(contracts::http_inspections::operations)
        .configure(contracts::http_contests::operations)
        .configure(contracts::http_places::operations)
        .configure(contracts::http_defect_lists::operations)
        .configure(contracts::http_defects::operations)
        .configure(contracts::http_defect_follow_ups::operations)
        .configure(contracts::http_defect_reports::operations)
        .configure(contracts::http_variations::operations)
        .configure(contracts::http_rectifications::operations)
        .configure(contracts::http_triggers::operations)
        .configure(contracts::http_terminations::operations)
        .configure(contracts::http_acceptances::operations)
        .configure(contracts::http_acceptance_signatures::operations)
        .configure(contracts::http_performance::operations)
        .configure(payments::http_pay_statements::operations)
        .configure(payments::http_claims::operations)
        .configure(payments::http_claim_decisions::operations)
        .configure(payments::http_closings::operations)
        .configure(payments::http_batches::operations)
        .configure(payments::http_bank_statements::operations)
        .configure(oversight::http_spending::operations)
        .configure(oversight::http_trace::operations)
        .configure(oversight::http_comparisons::operations)
        .configure(imports::http::operations)
        .configure(imports::http_processes::operations)
        .configure(imports::http_tables::operations)
        .configure(award::http_experts::operations)
        .configure(award::http_panels::operations)
        .configure(award::http_admission::operations)
        .configure(award::http_prices::operations)
        .configure(award::http_scores::operations)
        .configure(award::http_evaluation::operations)
        .configure(award::http_appraisal_ballots::operations)
        .configure(award::http_listings::operations)
        .configure(audit::http::operations)
        .configure(outbox::http::operations)
        .configure(files::http::operations)
        .configure(time::operations);
}

/// Every operation of the service, to be answered.
pub fn operations(config: &mut web::ServiceConfig) {
    beside(config);
    web::ServiceConfig::service(config, web::scope(API).configure(api));
}

/// What the operations are checked by: the document, and the validators of its schemas. It is made once for all servers of a process.
///
/// # Errors
/// As [`document`].
pub fn schemas() -> Result<Arc<Schemas>, Fault> {
    static MADE: OnceLock<Arc<Schemas>> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(made.clone());
    }
    let made = Arc::new(Schemas::of(document()?));
    Ok(MADE.get_or_init(|| made).clone())
}

/// The document as JSON.
///
/// # Errors
/// A fault if it cannot be written, which a test would have shown.
pub fn document() -> Result<Value, Fault> {
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(Head::openapi())
        .configure(|config| beside(config))
        .service(scope(API).configure(|config| api(config)))
        .split_for_parts();
    let mut document =
        serde_json::to_value(document).map_err(|error| Fault::caused("write the OpenAPI document", error))?;
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".to_owned(), security_schemes());
        name_items_of_pages(components);
    }
    for (path, item) in members(&mut document, "paths") {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                complete(&path, method, operation);
            }
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

/// A page of areas holds areas, not things that look like them: a generated client should have one type for both.
fn name_items_of_pages(components: &mut Map<String, Value>) {
    let pages = components.get_mut("schemas").and_then(Value::as_object_mut);
    for (name, page) in pages.into_iter().flatten() {
        let Some(of) = name.strip_prefix("Page_") else {
            continue;
        };
        if let Some(items) = page.pointer_mut("/properties/items/items") {
            *items = json!({ "$ref": format!("#/components/schemas/{of}") });
        }
    }
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

/// True if the operation answers whoever does not say who they are: no condition but none holds of a stranger.
fn answers_strangers(action: &str) -> bool {
    TABLE
        .iter()
        .filter(|(listed, _)| format!("{listed:?}") == action)
        .any(|(_, grants)| grants.contains(&(Role::Public, Condition::Anywhere)))
}

/// What decides about an operation's common parts.
struct Shape<'a> {
    method: &'a str,
    /// It asks who is calling.
    reads_account: bool,
    /// It asks, but answers strangers too.
    public: bool,
    takes_body: bool,
    /// Another representation than JSON can be asked for.
    negotiates: bool,
    /// The answer holds a secret, so that it is not stored under an `Idempotency-Key`.
    secret: bool,
}

/// Adds what holds for every operation of its kind.
fn complete(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let action = operation
        .get("x-action")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let roles = roles_of(&action);
    // The log's files are for everybody; whoever reads them is not even asked.
    let reads_account = action != "Everyone" && !path.starts_with("/audit/");
    let shape = Shape {
        method,
        reads_account,
        public: !reads_account || answers_strangers(&action),
        takes_body: operation.contains_key("requestBody"),
        negotiates: operation
            .get("responses")
            .and_then(|responses| responses.pointer("/200/content"))
            .and_then(Value::as_object)
            .is_some_and(|content| content.len() > 1),
        secret: operation.get("x-secret-answer").is_some(),
    };
    let security = match (shape.reads_account, shape.public) {
        (false, _) => json!([]),
        (true, true) => json!([{}, { "access_token": [] }]),
        (true, false) => json!([{ "access_token": [] }]),
    };
    operation.insert("security".to_owned(), security);
    if !shape.public {
        name_roles(operation, &roles);
    }
    complete_parameters(operation, &shape);
    complete_responses(operation, &shape);
}

fn name_roles(operation: &mut Map<String, Value>, roles: &[Role]) {
    let said = operation
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let names: Vec<String> = roles
        .iter()
        .map(|role| match role {
            // With a condition, or else strangers would be answered.
            Role::Public => "everyone with an account".to_owned(),
            role => format!("`{}`", role.name()),
        })
        .collect();
    let description = format!("{said}\n\nFor: {}.", names.join(", "));
    operation.insert("description".to_owned(), json!(description.trim_start()));
}

fn complete_parameters(operation: &mut Map<String, Value>, shape: &Shape<'_>) {
    let once = shape.method == "post" && !shape.secret;
    if !once && !operation.contains_key("parameters") {
        return;
    }
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    let Some(parameters) = parameters.as_array_mut() else {
        return;
    };
    for parameter in parameters.iter_mut() {
        let name = parameter.get("name").and_then(Value::as_str).map(str::to_owned);
        let in_query = parameter.get("in").and_then(Value::as_str) == Some("query");
        let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut) else {
            continue;
        };
        if name.as_deref() == Some("limit") {
            *schema = Map::from_iter([
                ("type".to_owned(), json!("integer")),
                ("minimum".to_owned(), json!(1)),
                ("maximum".to_owned(), json!(LIMIT_MAX)),
                ("default".to_owned(), json!(LIMIT_USUAL)),
            ]);
        } else if in_query && schema.get("type").and_then(Value::as_str) == Some("string") {
            schema
                .entry("maxLength")
                .or_insert_with(|| json!(VALUE_LENGTH_MAX));
        }
    }
    if once {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "1 to 255 visible ASCII characters; what was done under it is remembered for 24 hours. What did nothing, \
                            a refusal or a trial, is not remembered",
            "example": "7d7a2f9c-6e1b-4c7e-9a57-0f5d0b8f4c11",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        }));
    }
}

const LIMITED: &str = "Too many requests; `Retry-After` says when to come back";
const UNREADABLE: &str = "The request could not be read; every fault is listed";
const UNKNOWN: &str = "No access token, or one that is not valid";
const NOT_ALLOWED: &str = "The account may not do this";
const TWICE_AT_ONCE: &str = "A request with the same `Idempotency-Key` is being worked on";
const INVALID: &str = "The body holds values that are not valid, or the `Idempotency-Key` was used for another request; \
                       every fault is listed";
const FAILED: &str = "Something failed on the server";
const NOT_NOW: &str =
    "Not now: the queue is full, the database is away, or the service is read-only; `Retry-After` says when";

/// The refusals that every operation of a shape can answer with.
fn refusals(shape: &Shape<'_>) -> impl Iterator<Item = (&'static str, &'static str)> {
    let (body, post) = (shape.takes_body, shape.method == "post");
    [
        (true, "400", UNREADABLE),
        (shape.reads_account, "401", UNKNOWN),
        (!shape.public, "403", NOT_ALLOWED),
        (shape.negotiates, "406", "None of the accepted formats is offered"),
        (post && !shape.secret, "409", TWICE_AT_ONCE),
        (body, "413", "The body is too large"),
        (body, "415", "The body is of a kind that is not read here"),
        (body, "422", INVALID),
        (true, "429", LIMITED),
        (true, "500", FAILED),
        (true, "503", NOT_NOW),
    ]
    .into_iter()
    .filter(|(applies, ..)| *applies)
    .map(|(_, status, description)| (status, description))
}

fn complete_responses(operation: &mut Map<String, Value>, shape: &Shape<'_>) {
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else {
        return;
    };
    for (status, general) in refusals(shape) {
        let response = responses.entry(status).or_insert_with(|| json!({}));
        let described = match response.get("description").and_then(Value::as_str) {
            Some(own) if own != general => format!("{own}; or: {general}"),
            _ => general.to_owned(),
        };
        if let Some(response) = response.as_object_mut() {
            response.insert("description".to_owned(), json!(described));
        }
    }
    for (status, response) in responses.iter_mut() {
        if let Some(response) = response.as_object_mut() {
            complete_response(status, response, shape);
        }
    }
}

/// What every answer of a status has.
fn complete_response(status: &str, response: &mut Map<String, Value>, shape: &Shape<'_>) {
    let refuses = status.starts_with(['4', '5']);
    if refuses && !response.contains_key("content") {
        response.insert(
            "content".to_owned(),
            json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }),
        );
    }
    for (kind, begins) in [
        ("application/octet-stream", None),
        ("application/age", Some("age-encryption.org/v1\n")),
    ] {
        let content = response.get_mut("content");
        if let Some(bytes) = content.and_then(|content| content.get_mut(kind)) {
            // utoipa takes bytes for a list of numbers.
            *bytes = json!({ "schema": { "type": "string", "format": "binary" } });
            if let Some(begins) = begins {
                *bytes = json!({ "schema": { "type": "string", "format": "binary" }, "example": begins });
            }
        }
    }
    let headers = response.entry("headers").or_insert_with(|| json!({}));
    let Some(headers) = headers.as_object_mut() else {
        return;
    };
    let mut header = |name: &str, kind: &str, description: &str| {
        headers.insert(
            name.to_owned(),
            json!({ "description": description, "schema": { "type": kind } }),
        );
    };
    header(
        "X-Request-Id",
        "string",
        "The request's id; name it when you ask the operator",
    );
    if refuses {
        header("Content-Language", "string", "`zh-CN` or `en`");
    }
    match status {
        "401" => header("WWW-Authenticate", "string", "How to say who you are"),
        "429" | "503" => header("Retry-After", "integer", "Seconds to wait"),
        "200" | "201" if shape.method == "post" && !shape.secret => {
            header(
                "Idempotent-Replayed",
                "string",
                "`true` if this answer was given before",
            );
        }
        _ => {}
    }
}
