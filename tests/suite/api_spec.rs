//! The OpenAPI document: the one in the repository is the one the code gives, and a client made from it would lack
//! nothing: names, examples, limits, refusals, permissions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use wardbook::app::openapi;
use wardbook::web::policy::TABLE;

/// Every operation of the document: path, method, operation.
pub fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("the document has paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("a path has operations").iter();
        methods.map(move |(method, operation)| (path.clone(), method.to_uppercase(), operation.clone()))
    });
    operations.collect()
}

/// What a `$ref` stands for, or the value itself.
pub fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference
                .strip_prefix('#')
                .expect("references stay in the document");
            let found = document.pointer(pointer);
            resolved(
                document,
                found.unwrap_or_else(|| panic!("{reference} leads nowhere")),
            )
        }
        None => value,
    }
}

/// The example of a schema: its own, or one made of its members' examples. `Err` names what has none.
pub fn example(document: &Value, schema: &Value) -> Result<Value, String> {
    let schema = resolved(document, schema);
    if let Some(given) = schema.get("example") {
        return Ok(given.clone());
    }
    if let Some(given) = schema["examples"].as_array().and_then(|all| all.first()) {
        return Ok(given.clone());
    }
    if let Some(word) = schema["enum"].as_array().and_then(|all| all.first()) {
        return Ok(word.clone());
    }
    if let Some(one) = schema["oneOf"].as_array().and_then(|all| all.first()) {
        return example(document, one);
    }
    if let Some(items) = schema.get("items") {
        return Ok(Value::Array(vec![example(document, items)?]));
    }
    if schema["type"] == "object" {
        let mut object = Map::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let member = example(document, member).map_err(|inner| format!("{name}: {inner}"))?;
            object.insert(name.clone(), member);
        }
        return Ok(Value::Object(object));
    }
    Err(format!("no example in {schema}"))
}

/// The example of a body: the media type's own, or its schema's.
pub fn example_of_body(document: &Value, media: &Value) -> Result<Value, String> {
    match media.get("example") {
        Some(given) => Ok(given.clone()),
        None => example(document, &media["schema"]),
    }
}

fn fits(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let mut schema = schema.clone();
    let components = document["components"].clone();
    let whole = schema.as_object_mut().expect("a schema is an object");
    whole.insert("components".to_owned(), components);
    let validator = jsonschema::draft202012::new(&schema).map_err(|error| error.to_string())?;
    let faults: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("; "))
    }
}

/// Calls `visit` with every `$ref` below a value.
fn references(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(reference) if name == "$ref" => visit(reference),
                    _ => references(member, visit),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, visit)),
        _ => {}
    }
}

fn is_number(schema: &Value) -> bool {
    let of = |kind: &Value| kind == "integer" || kind == "number";
    // What may be left out is of two types, one of which is null.
    of(&schema["type"])
        || schema["type"]
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(of))
}

/// True if the values of a schema cannot grow without end.
fn is_limited(document: &Value, schema: &Value) -> bool {
    let schema = resolved(document, schema);
    if schema.get("enum").is_some() || schema["type"] == "boolean" || schema["type"] == "null" {
        return true;
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices.iter().all(|choice| is_limited(document, choice));
    }
    if is_number(schema) {
        return schema.get("minimum").is_some() && schema.get("maximum").is_some();
    }
    if let Some(members) = schema["properties"].as_object() {
        return members.values().all(|member| is_limited(document, member));
    }
    if schema["type"] == "array" {
        return schema.get("maxItems").is_some() && is_limited(document, &schema["items"]);
    }
    schema.get("maxLength").is_some() || schema.get("pattern").is_some()
}

/// Every fault of the document, one a line.
fn faults(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids = BTreeMap::new();
    for (path, method, operation) in operations(document) {
        let name = format!("{method} {path}");
        let mut lacks = |what: &str| faults.push(format!("{name}: {what}"));
        match operation["operationId"].as_str() {
            None => lacks("no operationId"),
            Some(id) => {
                if let Some(other) = ids.insert(id.to_owned(), name.clone()) {
                    lacks(&format!("the operationId {id} is that of {other}"));
                }
            }
        }
        if operation["summary"].as_str().unwrap_or_default().is_empty() {
            lacks("no summary");
        }
        let declared = |tag: &Value| {
            document["tags"]
                .as_array()
                .is_some_and(|tags| tags.iter().any(|known| known["name"] == *tag))
        };
        match operation["tags"].as_array().map(Vec::as_slice) {
            Some([tag]) if declared(tag) => {}
            _ => lacks("not exactly one tag, or one that is not described"),
        }
        let action = operation["x-action"].as_str().unwrap_or_default();
        let listed = TABLE.iter().any(|(known, _)| format!("{known:?}") == action);
        if action != "Everyone" && !listed {
            lacks(&format!("x-action is `{action}`, which the policy does not know"));
        }
        if operation["security"].as_array().is_none() {
            lacks("security is not stated");
        }
        for placeholder in path.split('/').filter(|part| part.starts_with('{')) {
            let wanted = placeholder.trim_matches(['{', '}']);
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            if !parameters
                .iter()
                .any(|one| one["name"] == wanted && one["in"] == "path" && one["required"] == true)
            {
                lacks(&format!("{placeholder} is not among the parameters"));
            }
        }
        faults_of_parameters(document, &operation, &mut lacks);
        faults_of_body(document, &operation, &mut lacks);
        faults_of_responses(document, &operation, &mut lacks);
    }
    faults_of_components(document, &mut |what| faults.push(what.to_owned()));
    faults
}

fn faults_of_parameters(document: &Value, operation: &Value, lacks: &mut impl FnMut(&str)) {
    let mut seen = BTreeSet::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        if !seen.insert((parameter["in"].to_string(), name.to_owned())) {
            lacks(&format!("the parameter {name} is there twice"));
        }
        if parameter["description"].as_str().unwrap_or_default().is_empty() {
            lacks(&format!("the parameter {name} is not described"));
        }
        if !is_limited(document, &parameter["schema"]) {
            lacks(&format!("the parameter {name} has no limit"));
        }
        if let Some(given) = parameter.get("example")
            && let Err(why) = fits(document, &parameter["schema"], given)
        {
            lacks(&format!(
                "the example of the parameter {name} does not fit: {why}"
            ));
        }
    }
}

fn faults_of_body(document: &Value, operation: &Value, lacks: &mut impl FnMut(&str)) {
    let Some(body) = operation.get("requestBody") else {
        return;
    };
    if body["required"] != true {
        lacks("the body is not required");
    }
    for (kind, media) in body["content"].as_object().into_iter().flatten() {
        match example_of_body(document, media) {
            Err(why) => lacks(&format!("the {kind} body: {why}")),
            Ok(example) => {
                if let Err(why) = fits(document, &media["schema"], &example) {
                    lacks(&format!("the example of the {kind} body does not fit: {why}"));
                }
            }
        }
        // A table is limited in bytes and rows, which no schema can say.
        if kind == "application/json" && !is_limited(document, &media["schema"]) {
            lacks("the body has a member without a limit");
        }
    }
}

fn faults_of_responses(document: &Value, operation: &Value, lacks: &mut impl FnMut(&str)) {
    let responses = operation["responses"].as_object().cloned().unwrap_or_default();
    if !responses.keys().any(|status| status.starts_with('2')) {
        lacks("no answer for success");
    }
    for (status, response) in &responses {
        if response["description"].as_str().unwrap_or_default().is_empty() {
            lacks(&format!("{status} is not described"));
        }
        if response["headers"].get("X-Request-Id").is_none() {
            lacks(&format!("{status} lacks X-Request-Id"));
        }
        let content = response["content"].as_object();
        match status.chars().next() {
            Some('4' | '5') => {
                let schema = response.pointer("/content/application~1problem+json/schema/$ref");
                if schema != Some(&Value::from("#/components/schemas/Problem"))
                    || content.is_none_or(|kinds| kinds.len() != 1)
                {
                    lacks(&format!("{status} is not a problem document"));
                }
            }
            Some('2') => {
                let kinds = content.into_iter().flatten();
                if kinds.clone().count() == 0 {
                    lacks(&format!("{status} has no content"));
                }
                for (kind, media) in kinds.filter(|(kind, _)| *kind != "application/octet-stream") {
                    match example_of_body(document, media) {
                        Err(why) => lacks(&format!("{status} {kind}: {why}")),
                        Ok(example) => {
                            if let Err(why) = fits(document, &media["schema"], &example) {
                                lacks(&format!("the example of {status} {kind} does not fit: {why}"));
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let must = |status: &str, why: bool, lacks: &mut dyn FnMut(&str)| {
        if why && !responses.contains_key(status) {
            lacks(&format!("{status} is missing"));
        }
    };
    let open = operation["security"]
        .as_array()
        .is_some_and(|ways| ways.is_empty());
    let strangers = operation["security"]
        .as_array()
        .is_some_and(|ways| ways.is_empty() || ways.iter().any(|way| *way == serde_json::json!({})));
    let if_match = operation["parameters"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["name"] == "If-Match"));
    let updates = if_match.is_some();
    // What may begin something as well as replace it can be asked for without.
    let must_name_it = if_match.is_some_and(|one| one["required"] == true);
    must("429", true, lacks);
    must("500", true, lacks);
    must("503", true, lacks);
    must("401", !open, lacks);
    must("403", !strangers, lacks);
    for status in ["400", "413", "415", "422"] {
        must(status, operation.get("requestBody").is_some(), lacks);
    }
    must("412", updates, lacks);
    must("428", must_name_it, lacks);
}

fn faults_of_components(document: &Value, lacks: &mut impl FnMut(&str)) {
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut open: Vec<String> = Vec::new();
    references(document, &mut |reference| {
        if document.pointer(reference.trim_start_matches('#')).is_none() {
            lacks(&format!("{reference} leads nowhere"));
        }
    });
    references(&document["paths"], &mut |reference| {
        open.push(reference.to_owned())
    });
    let mut used = BTreeSet::new();
    while let Some(reference) = open.pop() {
        if used.insert(reference.clone())
            && let Some(schema) = document.pointer(reference.trim_start_matches('#'))
        {
            references(schema, &mut |inner| open.push(inner.to_owned()));
        }
    }
    for (name, schema) in schemas {
        if !used.contains(&format!("#/components/schemas/{name}")) {
            lacks(&format!("the schema {name} is not used"));
        }
        for (member, of) in schema["properties"].as_object().into_iter().flatten() {
            let own = |of: &Value| !of["description"].as_str().unwrap_or_default().is_empty();
            let said = own(of) || of["oneOf"].as_array().is_some_and(|all| all.iter().any(own));
            if !said {
                lacks(&format!("{name}.{member} is not described"));
            }
        }
    }
}

#[test]
fn the_document_in_the_repository_is_the_one_the_code_gives() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/api-spec/openapi.json");
    let known = std::fs::read_to_string(path).expect("api-spec/openapi.json is there");
    assert!(
        known == openapi::text().unwrap(),
        "api-spec/openapi.json is not what the code gives; look at the difference after \
         `cargo run -- openapi --write api-spec/openapi.json`"
    );
}

#[test]
fn a_client_made_from_the_document_would_lack_nothing() {
    let document = openapi::document().unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert!(operations(&document).len() >= 21);
    let found = faults(&document);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The operations at a path, with the components that they use.
fn only_of(path: &str, mut document: Value) -> Value {
    let kept = document["paths"].as_object_mut().unwrap();
    kept.retain(|key, _| key == path);
    let mut used = BTreeSet::new();
    let mut open = vec![document["paths"].to_string()];
    while let Some(text) = open.pop() {
        for found in text.split("#/components/schemas/").skip(1) {
            let name = found.split('"').next().unwrap_or_default().to_owned();
            if used.insert(name.clone()) {
                open.push(document["components"]["schemas"][&name].to_string());
            }
        }
    }
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    schemas.retain(|name, _| used.contains(name));
    document
}

/// The lint itself: whatever it is to find, it finds in a document that was damaged so.
#[test]
fn a_damaged_document_does_not_pass() {
    // The whole of it is judged by the test above; here it is judged anew for each damage.
    let whole = only_of("/api/v1/areas", openapi::document().unwrap());
    assert_eq!(faults(&whole), [""; 0]);
    let areas = "/paths/~1api~1v1~1areas/";
    let damages: [(&str, &str, Option<Value>, &str); 14] = [
        ("get", "operationId", None, "no operationId"),
        ("post", "operationId", Some("list_areas".into()), "is that of"),
        ("get", "summary", None, "no summary"),
        ("get", "tags", Some(serde_json::json!(["other"])), "tag"),
        ("post", "x-action", Some("MakeTea".into()), "MakeTea"),
        ("post", "security", None, "security"),
        ("get/parameters/3", "description", None, "not described"),
        (
            "get/parameters/3",
            "schema",
            Some(serde_json::json!({"type": "string"})),
            "no limit",
        ),
        (
            "get/parameters/3/schema",
            "$ref",
            Some("#/components/schemas/Nothing".into()),
            "nowhere",
        ),
        ("post/requestBody", "required", None, "not required"),
        (
            "post/requestBody/content/application~1json/schema",
            "$ref",
            Some("#/components/schemas/AreaId".into()),
            "NewArea is not used",
        ),
        ("post/responses", "422", None, "422 is missing"),
        (
            "post/responses/409",
            "content",
            None,
            "409 is not a problem document",
        ),
        ("post/responses/201", "content", None, "201 has no content"),
    ];
    for (place, member, value, expected) in damages {
        let mut document = whole.clone();
        let at = document.pointer_mut(&format!("{areas}{place}")).unwrap();
        let at = at.as_object_mut().unwrap();
        match value {
            Some(value) => drop(at.insert(member.to_owned(), value)),
            None => assert!(at.remove(member).is_some(), "{place} has no {member}"),
        }
        let found = std::panic::catch_unwind(|| faults(&document))
            .unwrap_or_else(|panic| vec![panic.downcast_ref::<String>().cloned().unwrap_or_default()]);
        assert!(
            found.iter().any(|fault| fault.contains(expected)),
            "{place} {member}: {found:?}"
        );
    }
    let mut document = whole.clone();
    document["components"]["schemas"]["NewArea"]["properties"]["name_zh"]["example"] = "".into();
    assert!(
        faults(&document)
            .iter()
            .any(|fault| fault.contains("does not fit"))
    );
}
