//! The releases of one process together: merged by the rules of the standard, with what publishers lose in it put back. Pure.

use std::collections::BTreeMap;

use crate::imports::rules_findings::Code;
use crate::imports::rules_reading::texts;
use crate::imports::rules_repairs::Findings;
use crate::publish::rules_json::{Json, Object};
use crate::publish::rules_merge::compiled;

/// Releases that are tried one by one when they contradict each other.
const TRIED_MAX: usize = 40;

/// A release that says something of a process.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its id.
    pub id: String,
    /// SHA-256 of what was published.
    pub sha256: Vec<u8>,
    /// What is read of it.
    pub release: Object,
}

/// An id as people count: its numbers by their size, what is between them as it stands.
fn counted(id: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let mut rest = id;
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let end = rest
            .find(|c: char| c.is_ascii_digit() != is_number)
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        // Of numbers without zeros in front the longer one is the larger.
        let number = part.trim_start_matches('0');
        parts.push(if is_number {
            (number.len(), number)
        } else {
            (0, part)
        });
    }
    parts
}

fn date_of(said: &Said) -> &str {
    said.release.text("date").unwrap_or_default()
}

/// What the releases of a process say together, in whichever order they came: they are merged by their dates, those of one date by their ids, those of one id by their content.
/// What contradicts those before in shape is left out and told.
pub fn merged(mut releases: Vec<Said>, findings: &mut Findings) -> Object {
    releases.sort_by(|one, other| {
        date_of(one)
            .cmp(date_of(other))
            .then_with(|| counted(&one.id).cmp(&counted(&other.id)))
            .then_with(|| one.sha256.cmp(&other.sha256))
    });
    let all: Vec<Object> = releases.iter().map(|said| said.release.clone()).collect();
    let mut merged = match compiled(&all) {
        Ok(merged) => merged,
        Err(_) => one_by_one(&releases, findings),
    };
    if releases.len() > 1 {
        put_roles_back(&mut merged, &all, findings);
    }
    merged
}

fn one_by_one(sorted: &[Said], findings: &mut Findings) -> Object {
    let beginning = sorted.len().saturating_sub(TRIED_MAX);
    let mut good = Vec::new();
    let mut merged = Object::new();
    for (at, said) in sorted.iter().enumerate() {
        let tried = (at >= beginning).then(|| {
            good.push(said.release.clone());
            compiled(&good)
        });
        match tried {
            Some(Ok(together)) => merged = together,
            Some(Err(_)) => {
                good.pop();
                findings.add(Code::MergeConflict, "", &said.id, "");
            }
            None => findings.add(Code::MergeConflict, "", &said.id, ""),
        }
    }
    merged
}

/// Roles are replaced whole when releases are merged; a later release that repeats a party without its earlier roles loses them.
fn put_roles_back(merged: &mut Object, releases: &[Object], findings: &mut Findings) {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for party in releases.iter().flat_map(|release| release.objects("parties")) {
        let Some(id) = party.text("id") else { continue };
        let roles = all.entry(id.to_owned()).or_default();
        for role in texts(party, "roles") {
            if !roles.iter().any(|known| known == role) {
                roles.push(role.to_owned());
            }
        }
    }
    let Some(Json::Array(parties)) = merged.get_mut("parties") else {
        return;
    };
    for (at, party) in parties.iter_mut().enumerate() {
        let Json::Object(party) = party else { continue };
        let Some(roles) = party.text("id").and_then(|id| all.get(id)) else {
            continue;
        };
        let has: Vec<&str> = texts(party, "roles").collect();
        if roles.iter().any(|role| !has.contains(&role.as_str())) {
            findings.add(
                Code::RolesLost,
                &format!("/parties/{at}/roles"),
                &has.join(" "),
                &roles.join(" "),
            );
            let whole = roles.iter().map(|role| Json::from(role.as_str())).collect();
            party.set("roles", Json::Array(whole));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(id: &str, hash: u8, date: &str, title: &str) -> Said {
        Said {
            id: id.to_owned(),
            sha256: vec![hash],
            release: Object::new()
                .with("ocid", "o")
                .with("id", id)
                .with("date", date)
                .with("language", title),
        }
    }

    #[test]
    fn releases_say_the_same_together_in_whichever_order_they_come() {
        let (early, late) = ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z");
        let all = [
            said("z", 1, early, "first"),
            said("r-9", 2, late, "second"),
            said("r-010", 3, late, "third"),
            said("r-10", 4, late, "fourth"),
        ];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
            let some = order.into_iter().filter_map(|at| all.get(at).cloned()).collect();
            let merged = merged(some, &mut Findings::default());
            assert_eq!(merged.text("language"), Some("fourth"), "{order:?}");
        }
        // Of one id and date, the content decides, and so on every machine alike.
        for order in [[0, 1], [1, 0]] {
            let two = [said("a", 7, late, "x"), said("a", 8, late, "y")];
            let some = order.into_iter().filter_map(|at| two.get(at).cloned()).collect();
            assert_eq!(merged(some, &mut Findings::default()).text("language"), Some("y"));
        }
    }

    #[test]
    fn ids_are_counted_as_people_do() {
        let mut ids = ["10", "9", "a", "a-2", "a-10", "", "007"];
        ids.sort_by(|one, other| counted(one).cmp(&counted(other)));
        assert_eq!(ids, ["", "a", "a-2", "a-10", "007", "9", "10"]);
    }
}
