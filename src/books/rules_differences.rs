//! What differs between two versions of a book, field by field. Members of lists that have a code, or a number, are the same where
//! that is the same, wherever they stand; others where they stand. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Differences that are listed at most. A book has fewer fields than that.
pub const DIFFERENCES_MAX: usize = 20_000;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: a JSON pointer in which members that have a code are named by it.
    pub pointer: String,
    /// What was there; `None` if nothing was.
    pub before: Option<Value>,
    /// What is there; `None` if nothing is.
    pub after: Option<Value>,
}

/// Every field that differs, in the order of their places.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut found, String::new(), Some(before), Some(after));
    found
}

fn compare(found: &mut Vec<Difference>, pointer: String, before: Option<&Value>, after: Option<&Value>) {
    if before == after || found.len() >= DIFFERENCES_MAX {
        return;
    }
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            members(found, &pointer, before, after);
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            members(found, &pointer, &named(before), &named(after));
        }
        _ => found.push(Difference {
            pointer,
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

fn members(
    found: &mut Vec<Difference>,
    pointer: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        compare(
            found,
            format!("{pointer}/{escaped}"),
            before.get(name),
            after.get(name),
        );
    }
}

/// A list as an object: by the members' codes or numbers if all have one and no two the same, else by their places.
fn named(list: &[Value]) -> Map<String, Value> {
    let names: Option<Vec<String>> = list.iter().map(name_of).collect();
    let distinct = names.filter(|names| names.iter().collect::<BTreeSet<_>>().len() == names.len());
    let names = distinct.unwrap_or_else(|| (0..list.len()).map(|place| place.to_string()).collect());
    names.into_iter().zip(list.iter().cloned()).collect()
}

fn name_of(member: &Value) -> Option<String> {
    let name = member.get("code").or_else(|| member.get("number"))?;
    name.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_told_one_by_one_and_members_known_by_their_code() {
        let before = json!({"title": "a", "lots": [{"code": "1", "n": 1}, {"code": "2", "n": 2}], "areas": ["x", "y"], "same": [1]});
        let after = json!({"title": "b", "lots": [{"code": "2", "n": 3}, {"code": "1", "n": 1}, {"code": "a/b", "n": 4}], "areas": ["x"], "same": [1]});
        let told: Vec<_> = differences(&before, &after)
            .into_iter()
            .map(|one| (one.pointer, one.before, one.after))
            .collect();
        assert_eq!(
            told,
            [
                ("/areas/1".to_owned(), Some(json!("y")), None),
                ("/lots/2/n".to_owned(), Some(json!(2)), Some(json!(3))),
                (
                    "/lots/a~1b".to_owned(),
                    None,
                    Some(json!({"code": "a/b", "n": 4}))
                ),
                ("/title".to_owned(), Some(json!("a")), Some(json!("b"))),
            ]
        );
        assert_eq!(differences(&after, &after), []);
        // Two members of one code are known by their places.
        let doubled = json!([{"code": "1"}, {"code": "1", "n": 1}]);
        assert_eq!(
            differences(&doubled, &json!([{"code": "1"}, {"code": "1"}]))[0].pointer,
            "/1/n"
        );
    }
}
