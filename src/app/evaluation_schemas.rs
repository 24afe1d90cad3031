//! The public JSON schemas of what goes into an evaluation or a period's pay and of their derivations, made from the types that read and write them, so that they
//! cannot promise what is not done. They stand in `api-spec/`, and a test compares.

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::award::rules_evaluation::Input;
use crate::award::rules_evaluation_derivation::Derivation;
use crate::kernel::refusal::Fault;
use crate::payments::rules_pay;

#[derive(OpenApi)]
#[openapi(components(schemas(Input, Derivation, rules_pay::Input, rules_pay::Derivation)))]
struct Parts;

/// The schema of what an evaluation goes in with.
///
/// # Errors
/// A fault if it cannot be written.
pub fn input() -> Result<String, Fault> {
    written("EvaluationInput")
}

/// The schema of a derivation.
///
/// # Errors
/// A fault if it cannot be written.
pub fn derivation() -> Result<String, Fault> {
    written("EvaluationDerivation")
}

/// The schema of what a period's pay goes in with.
///
/// # Errors
/// A fault if it cannot be written.
pub fn pay_input() -> Result<String, Fault> {
    written("PeriodPayInput")
}

/// The schema of its derivation.
///
/// # Errors
/// A fault if it cannot be written.
pub fn pay_derivation() -> Result<String, Fault> {
    written("PeriodPayDerivation")
}

fn written(name: &str) -> Result<String, Fault> {
    let all = serde_json::to_value(Parts::openapi())
        .map_err(|error| Fault::caused("write the schemas of an evaluation", error))?;
    let all = all
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .ok_or_else(|| Fault::broken("there are no schemas of an evaluation"))?;
    let mut needed = Map::new();
    collect(name, all, &mut needed)?;
    let root = needed
        .remove(name)
        .ok_or_else(|| Fault::broken(format!("there is no schema {name}")))?;
    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("title".to_owned(), json!(name));
    schema.extend(root.as_object().cloned().unwrap_or_default());
    schema.insert("$defs".to_owned(), Value::Object(needed));
    let text = serde_json::to_string_pretty(&Value::Object(schema))
        .map_err(|error| Fault::caused("write the schemas of an evaluation", error))?;
    Ok(text.replace("#/components/schemas/", "#/$defs/") + "\n")
}

/// The schema of that name, and those that it refers to.
fn collect(name: &str, all: &Map<String, Value>, needed: &mut Map<String, Value>) -> Result<(), Fault> {
    if needed.contains_key(name) {
        return Ok(());
    }
    let schema = all
        .get(name)
        .ok_or_else(|| Fault::broken(format!("there is no schema {name}")))?;
    needed.insert(name.to_owned(), schema.clone());
    let text = schema.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap_or_default();
        collect(name, all, needed)?;
    }
    Ok(())
}
