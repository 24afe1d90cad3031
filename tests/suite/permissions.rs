//! Who may do what, asked of the running service: every operation of the OpenAPI document in every role, signed in or not.
//! What is expected follows from the policy table alone; the table itself is reviewed as `tests/snapshots/policy.txt`.

use serde_json::{Value, json};
use wardbook::app::openapi;
use wardbook::web::policy::{self, Condition, Role, TABLE};

use crate::api_spec::{example_of_body, operations, resolved};
use crate::harness::{Ask, Reply, Ward};
use crate::on_both;

/// What a role is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// Whatever the operation answers, but no refusal for want of permission.
    Allowed,
    /// A refusal.
    Refused,
    /// The role is listed with a condition that a stranger's matter does not meet: a refusal, or the matter is not there.
    NotThisMatter,
}

/// What a role is to get of an operation; `None` if the operation says no word about it.
fn expected(operation: &Value, role: Role) -> Option<Expected> {
    let action = operation["x-action"].as_str()?;
    if action == "Everyone" {
        return Some(Expected::Allowed);
    }
    let (_, grants) = TABLE.iter().find(|(listed, _)| format!("{listed:?}") == action)?;
    // Everyone may act as the public, and so may every role.
    let mut conditions: Vec<Condition> = grants
        .iter()
        .filter(|(granted, _)| *granted == role || *granted == Role::Public)
        .map(|(_, condition)| *condition)
        .collect();
    // Whoever did not say who they are meets no condition.
    conditions.retain(|condition| role != Role::Public || *condition == Condition::Anywhere);
    let open = |condition: &Condition| matches!(condition, Condition::Anywhere | Condition::SignedIn);
    Some(match conditions.as_slice() {
        [] => Expected::Refused,
        some if some.iter().any(open) => Expected::Allowed,
        _ => Expected::NotThisMatter,
    })
}

/// A request of the operation that is good in every other way, so that only permission can refuse it.
fn good_request<'w>(
    ward: &'w Ward,
    document: &Value,
    path: &str,
    method: &str,
    operation: &Value,
    area: &str,
) -> Ask<'w> {
    let mut path = path.to_owned();
    let mut query = Vec::new();
    let mut headers = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        if parameter["in"] == "path" {
            let value = match resolved(document, &parameter["schema"])["pattern"].as_str() {
                Some(pattern) if pattern.starts_with("^area_") => area.to_owned(),
                Some(_) => "event_01jd3n8f5teqkrzvq1c0m6h2ax".to_owned(),
                None => parameter["example"]
                    .as_str()
                    .expect("a path parameter has an example")
                    .to_owned(),
            };
            path = path.replace(&format!("{{{name}}}"), &value);
        } else if name == "If-Match" {
            headers.push((name.to_owned(), "*".to_owned()));
        } else if parameter["in"] == "query" && parameter["required"] == true {
            let schema = resolved(document, &parameter["schema"]);
            let mut examples =
                [&parameter["example"], &schema["examples"][0], &schema["example"]].into_iter();
            match examples.find(|example| !example.is_null()) {
                Some(Value::String(text)) => query.push(format!("{name}={text}")),
                Some(other) => query.push(format!("{name}={other}")),
                None => panic!("{path}: the required parameter {name} has no example"),
            }
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let mut ask = ward.ask(method, &path);
    for (name, value) in headers {
        ask = ask.header(&name, &value);
    }
    let content = operation["requestBody"]["content"].as_object();
    match content.and_then(|kinds| kinds.iter().next()) {
        None => ask,
        Some((kind, media)) => match example_of_body(document, media).expect("a body has an example") {
            Value::String(text) => ask.body(kind, text),
            body => ask.json(&body),
        },
    }
}

/// What is wrong with an answer, if anything.
fn fault_of(reply: &Reply, role: Role, expected: Expected) -> Option<String> {
    let refusal = match (expected, role) {
        (Expected::Allowed, _) => {
            let refused = matches!(reply.status, 401 | 403) || reply.status >= 500;
            return refused.then(|| format!("is answered with {} though the policy allows it", reply.status));
        }
        (Expected::NotThisMatter, _) if reply.status == 404 => return None,
        (_, Role::Public) => (401, "unauthenticated"),
        (_, _) => (403, "forbidden"),
    };
    let code = serde_json::from_str::<Value>(&reply.text).map(|problem| problem["code"].clone());
    (reply.status != refusal.0 || code.ok() != Some(json!(refusal.1))).then(|| {
        format!(
            "is answered with {} {} instead of {refusal:?}",
            reply.status, reply.text
        )
    })
}

on_both! {
    fn every_operation_is_open_to_whom_the_policy_says_and_to_nobody_else(ward) {
        let document = openapi::document().unwrap();
        let area = ward.area(None, "凤城市");
        let mut faults = Vec::new();
        let (mut allowed_seen, mut refused_seen) = (0, 0);
        for (path, method, operation) in operations(&document) {
            // No token may claim to be the service itself, which tests/suite/tokens.rs shows.
            for role in Role::ALL.into_iter().filter(|role| *role != Role::System) {
                let who = format!("{method} {path} by {}", role.name());
                let Some(expected) = expected(&operation, role) else {
                    faults.push(format!("{who}: x-action is {}, which the policy does not list", operation["x-action"]));
                    continue;
                };
                let reply = good_request(&ward, &document, &path, &method, &operation, &area).by(role).send();
                *(if expected == Expected::Allowed { &mut allowed_seen } else { &mut refused_seen }) += 1;
                if let Some(fault) = fault_of(&reply, role, expected) {
                    faults.push(format!("{who} {fault}"));
                }
                // Who may not do it learns nothing of how: not even that the body is no body.
                if expected == Expected::Refused && method != "GET" {
                    let reply = good_request(&ward, &document, &path, &method, &operation, "nonsense").by(role).body("image/png", "%").send();
                    if let Some(fault) = fault_of(&reply, role, expected) {
                        faults.push(format!("{who}, with nonsense, {fault}"));
                    }
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert!(allowed_seen > 100 && refused_seen > 50, "{allowed_seen} allowed and {refused_seen} refused: is the table empty?");
    }

    fn what_an_account_did_itself_is_open_to_it(ward) {
        ward.area(None, "凤城市");
        ward.settle();
        let ask = |role: Role, actor: &str| ward.ask("GET", &format!("/api/v1/audit/events?actor={actor}")).by(role).send();
        for role in Role::ALL.into_iter().filter(|role| !matches!(role, Role::System | Role::Public)) {
            assert_eq!(ask(role, &format!("user_{}", role.name())).status, 200, "{}", role.name());
            let other = ask(role, "user_somebody_else");
            assert_eq!(other.status, if role == Role::Auditor { 200 } else { 403 }, "{}", role.name());
        }
        assert_eq!(ask(Role::Public, "user_admin").code(), "unauthenticated");
        let opened = |role: Role| ward.ask("GET", "/api/v1/audit/events?type=area.created").by(role).send().json()["items"][0]["opened"].clone();
        assert_eq!(opened(Role::Admin)["actor"], "user_admin");
        assert_eq!(opened(Role::Auditor)["actor"], "user_admin");
        assert_eq!(opened(Role::Resident), json!(null));
        assert_eq!(opened(Role::Regulator), json!(null));
        assert_eq!(opened(Role::Public), json!(null));
    }
}

#[test]
fn an_operation_without_an_action_has_no_expectation() {
    for action in [json!(null), json!(""), json!("MakeTea"), json!(5)] {
        assert_eq!(expected(&json!({ "x-action": action }), Role::Admin), None);
    }
    assert_eq!(expected(&json!({}), Role::Admin), None);
    assert_eq!(
        expected(&json!({ "x-action": "CreateArea" }), Role::Admin),
        Some(Expected::Allowed)
    );
    assert_eq!(
        expected(&json!({ "x-action": "CreateArea" }), Role::Auditor),
        Some(Expected::Refused)
    );
    assert_eq!(
        expected(&json!({ "x-action": "ReadAreas" }), Role::Public),
        Some(Expected::Allowed)
    );
    assert_eq!(
        expected(&json!({ "x-action": "OpenEvent" }), Role::Resident),
        Some(Expected::NotThisMatter)
    );
    assert_eq!(
        expected(&json!({ "x-action": "OpenEvent" }), Role::Public),
        Some(Expected::Refused)
    );
}

#[test]
fn the_policy_is_the_one_that_was_reviewed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/policy.txt");
    let listing = policy::listing();
    if std::env::var_os("WARDBOOK_TEST_UPDATE").is_some() {
        std::fs::write(path, &listing).unwrap();
    }
    let reviewed = std::fs::read_to_string(path).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (now, before) = (lines(&listing), lines(&reviewed));
    let granted: Vec<_> = now
        .iter()
        .filter(|line| !before.contains(line))
        .map(|line| format!("+ {line}"))
        .collect();
    let taken: Vec<_> = before
        .iter()
        .filter(|line| !now.contains(line))
        .map(|line| format!("- {line}"))
        .collect();
    assert!(
        reviewed == listing,
        "the policy is not the one that was reviewed:\n{}\n\nIf each of these lines is meant, write the new listing with\n\
         \n    WARDBOOK_TEST_UPDATE=1 cargo test --test suite the_policy_is\n\nand let somebody read the difference.",
        [granted, taken].concat().join("\n")
    );
}
