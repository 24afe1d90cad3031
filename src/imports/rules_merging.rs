//! The releases of one process together: merged by the rules of the standard, with what publishers lose in it put back. Pure.

use std::collections::BTreeMap;

use crate::imports::rules_findings::Code;
use crate::imports::rules_reading::texts;
use crate::imports::rules_repairs::Findings;
use crate::publish::rules_json::{Json, Object};
use crate::publish::rules_merge::compiled;

/// Releases that are tried one by one when they contradict each other.
const TRIED_MAX: usize = 40;

/// What the releases of a process say together. Each comes with its id, in the order in which it was imported; what contradicts those before in shape is left
/// out and told.
pub fn merged(releases: &[(String, Object)], findings: &mut Findings) -> Object {
    let all: Vec<Object> = releases.iter().map(|(_, release)| release.clone()).collect();
    let mut merged = match compiled(&all) {
        Ok(merged) => merged,
        Err(_) => one_by_one(releases, findings),
    };
    if releases.len() > 1 {
        put_roles_back(&mut merged, &all, findings);
    }
    merged
}

fn one_by_one(releases: &[(String, Object)], findings: &mut Findings) -> Object {
    let mut sorted: Vec<&(String, Object)> = releases.iter().collect();
    sorted.sort_by_key(|(_, release)| release.text("date").unwrap_or_default());
    let beginning = sorted.len().saturating_sub(TRIED_MAX);
    let mut good = Vec::new();
    let mut merged = Object::new();
    for (at, (id, release)) in sorted.into_iter().enumerate() {
        let tried = (at >= beginning).then(|| {
            good.push(release.clone());
            compiled(&good)
        });
        match tried {
            Some(Ok(together)) => merged = together,
            Some(Err(_)) => {
                good.pop();
                findings.add(Code::MergeConflict, "", id, "");
            }
            None => findings.add(Code::MergeConflict, "", id, ""),
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
