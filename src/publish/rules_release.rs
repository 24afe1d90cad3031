//! Releases: what is new of a process since the last one, under which tags, and when. A release is made once, keeps its id and its bytes for ever, and carries the
//! whole public state of its process. A state that says nothing new makes none. Pure.

use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::money::Money;
use crate::publish::rules_json::{Json, Object};

/// What a release has beside the state of its process.
const ENVELOPE: [&str; 4] = ["ocid", "id", "date", "tag"];

/// A release to be.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// The id of the process.
    pub ocid: &'p str,
    /// Counts the releases of the process, from 1.
    pub number: i64,
    /// When it is made, UTC; later than every release before.
    pub at: Instant,
}

impl Place<'_> {
    /// The release's id: the process and the number, so that it is never given twice.
    pub fn id(&self) -> String {
        format!("{}-{}", self.ocid, self.number)
    }
}

/// The release of a state after `previous`, the last release of the process; nothing if it says nothing new.
pub fn release(previous: Option<&Object>, state: &Object, place: Place<'_>) -> Option<Object> {
    let before = previous.map(body);
    let mut state = state.clone();
    if let Some(before) = &before {
        carry(before, &mut state);
    }
    let last = previous.and_then(|previous| previous.text("id"));
    number_amendments(before.as_ref(), &mut state, (&place.id(), last));
    if before.as_ref() == Some(&state) {
        return None;
    }
    let tags = tags(before.as_ref(), &state);
    if let Some(before) = &before {
        unset(before, &mut state);
    }
    let tags: Vec<Json> = tags.into_iter().map(Json::from).collect();
    let mut release = Object::new()
        .with("ocid", place.ocid)
        .with("id", place.id())
        .with("date", rfc3339(place.at))
        .with("tag", tags);
    for (name, value) in state.members() {
        release.set(name, value.clone());
    }
    Some(release)
}

/// The state that a release carries: without what belongs to the release, and without what it takes back.
pub fn body(release: &Object) -> Object {
    let mut state = Object::new();
    for (name, value) in release.members() {
        if !ENVELOPE.contains(&name) {
            state.set(name, value.clone());
        }
    }
    without_nulls(&state)
}

fn without_nulls(object: &Object) -> Object {
    let mut kept = Object::new();
    for (name, value) in object.members() {
        match value {
            Json::Null => {}
            Json::Object(inner) => kept.set(name, Json::Object(without_nulls(inner))),
            Json::Array(values) => {
                let values = values.iter().map(|value| match value {
                    Json::Object(inner) => Json::Object(without_nulls(inner)),
                    other => other.clone(),
                });
                kept.set(name, Json::Array(values.collect()));
            }
            other => kept.set(name, other.clone()),
        }
    }
    kept
}

fn id_of(value: &Json) -> Option<&Json> {
    value.as_object().and_then(|object| object.get("id"))
}

fn are_known_by_id(values: &[Json]) -> bool {
    !values.is_empty() && values.iter().all(|value| id_of(value).is_some())
}

/// Keeps what a merge cannot take away: things of an array, and objects. An addendum that drops a quantity leaves it published with none of it, and a payment
/// whose money came back stays with nothing.
fn carry(before: &Object, state: &mut Object) {
    for (name, old) in before.members() {
        match (old, state.get_mut(name)) {
            (Json::Object(old), Some(Json::Object(new))) => carry(old, new),
            (Json::Array(old), Some(Json::Array(new))) if are_known_by_id(old) => carry_items(name, old, new),
            (Json::Object(_), None) => state.set(name, old.clone()),
            (Json::Array(values), None) if are_known_by_id(values) => {
                let mut kept = Vec::new();
                carry_items(name, values, &mut kept);
                state.set(name, Json::Array(kept));
            }
            _ => {}
        }
    }
}

/// What was there stays in its order, and what is new comes after it: the order in which a merge has them.
fn carry_items(name: &str, old: &[Json], new: &mut Vec<Json>) {
    let mut kept = Vec::with_capacity(new.len().max(old.len()));
    for one in old {
        let at = new.iter().position(|other| id_of(other) == id_of(one));
        match (one, at.map(|at| new.remove(at))) {
            (Json::Object(one), Some(Json::Object(mut other))) => {
                carry(one, &mut other);
                kept.push(Json::Object(other));
            }
            (_, Some(other)) => kept.push(other),
            (Json::Object(one), None) => {
                let mut gone = one.clone();
                match name {
                    "items" => gone.set("quantity", Json::Number("0".to_owned())),
                    // The bank had confirmed it, and the money came back.
                    "transactions" => gone.set("value", Json::from(Money::ZERO)),
                    _ => {}
                }
                kept.push(Json::Object(gone));
            }
            (one, None) => kept.push(one.clone()),
        }
    }
    kept.append(new);
    *new = kept;
}

/// Says of each amendment with which release it came, and which it amended; once, and the same in every later release.
fn number_amendments(before: Option<&Object>, state: &mut Object, (own, last): (&str, Option<&str>)) {
    let of_tender = before
        .and_then(|before| before.get("tender"))
        .and_then(Json::as_object);
    if let Some(Json::Object(tender)) = state.get_mut("tender") {
        number_those(of_tender, tender, (own, last));
    }
    let old: Vec<&Object> = before
        .map(|before| before.objects("contracts").collect())
        .unwrap_or_default();
    if let Some(Json::Array(contracts)) = state.get_mut("contracts") {
        for contract in contracts {
            if let Json::Object(contract) = contract {
                let known = old.iter().find(|one| one.get("id") == contract.get("id"));
                number_those(known.copied(), contract, (own, last));
            }
        }
    }
}

fn number_those(before: Option<&Object>, section: &mut Object, (own, last): (&str, Option<&str>)) {
    let Some(Json::Array(amendments)) = section.get_mut("amendments") else {
        return;
    };
    for amendment in amendments {
        if let Json::Object(amendment) = amendment {
            let mut old = before.into_iter().flat_map(|before| before.objects("amendments"));
            match old.find(|one| one.get("id") == amendment.get("id")) {
                Some(known) => {
                    for name in ["releaseID", "amendsReleaseID"] {
                        if let Some(value) = known.get(name) {
                            amendment.set(name, value.clone());
                        }
                    }
                }
                None => {
                    amendment.set("releaseID", Json::from(own));
                    if let Some(last) = last {
                        amendment.set("amendsReleaseID", Json::from(last));
                    }
                }
            }
        }
    }
}

/// Says `null` of what was there and is not: the one way in which a merge takes something back.
fn unset(before: &Object, state: &mut Object) {
    for (name, old) in before.members() {
        match (old, state.get_mut(name)) {
            (_, None) => state.set(name, Json::Null),
            (Json::Object(old), Some(Json::Object(new))) => unset(old, new),
            (Json::Array(old), Some(Json::Array(new))) if are_known_by_id(old) => {
                for one in new {
                    let same = old.iter().find(|other| id_of(other) == id_of(one));
                    if let (Some(Json::Object(same)), Json::Object(one)) = (same, one) {
                        unset(same, one);
                    }
                }
            }
            _ => {}
        }
    }
}

fn has_more(before: Option<&Object>, now: &Object, name: &str) -> bool {
    let mut known = before.into_iter().flat_map(|before| before.objects(name));
    let known: Vec<Option<&Json>> = known.by_ref().map(|one| one.get("id")).collect();
    now.objects(name).any(|one| !known.contains(&one.get("id")))
}

fn differs(before: Option<&Object>, now: &Object, except: &[&str]) -> bool {
    let rest = |object: &Object| {
        let mut object = object.clone();
        for name in except {
            object.remove(name);
        }
        object
    };
    before.map(rest) != Some(rest(now))
}

/// What a release is about: found by comparing, so that no tag is given for a change that is not in it.
fn tags(before: Option<&Object>, now: &Object) -> Vec<&'static str> {
    let mut tags = Vec::new();
    let section = |object: Option<&Object>, name: &str| {
        object
            .and_then(|object| object.get(name))
            .and_then(Json::as_object)
            .cloned()
    };
    if let Some(planning) = section(Some(now), "planning") {
        match section(before, "planning") {
            None => tags.push("planning"),
            Some(old) if old != planning => tags.push("planningUpdate"),
            Some(_) => {}
        }
    }
    if let Some(tender) = section(Some(now), "tender") {
        tag_tender(section(before, "tender").as_ref(), &tender, &mut tags);
    }
    let is_told = tags.iter().any(|tag| tag.starts_with("tender"));
    if !is_told && section(Some(now), "bids") != section(before, "bids") {
        tags.push("tenderUpdate");
    }
    tag_awards(before, now, &mut tags);
    tag_contracts(before, now, &mut tags);
    if tags.is_empty() {
        let is_tender = now.get("tender").is_some();
        tags.push(if is_tender {
            "tenderUpdate"
        } else {
            "planningUpdate"
        });
    }
    tags
}

fn tag_tender(before: Option<&Object>, now: &Object, tags: &mut Vec<&'static str>) {
    let is_amended = has_more(before, now, "amendments");
    let is_cancelled = |tender: &Object| tender.text("status") == Some("cancelled");
    let ends = is_cancelled(now) && !before.is_some_and(is_cancelled);
    if before.is_none() {
        tags.push("tender");
    }
    if is_amended {
        tags.push("tenderAmendment");
    }
    if ends {
        tags.push("tenderCancellation");
    }
    if before.is_some() && !is_amended && !ends && differs(before, now, &[]) {
        tags.push("tenderUpdate");
    }
}

fn tag_awards(before: Option<&Object>, now: &Object, tags: &mut Vec<&'static str>) {
    let known = |id: Option<&Json>| {
        before.and_then(|before| before.objects("awards").find(|one| one.get("id") == id))
    };
    let is_cancelled = |award: &Object| award.text("status") == Some("cancelled");
    let mut said = [false; 3];
    for award in now.objects("awards") {
        match known(award.get("id")) {
            None => said[0] = true,
            Some(old) if is_cancelled(award) && !is_cancelled(old) => said[1] = true,
            Some(old) if old != award => said[2] = true,
            Some(_) => {}
        }
    }
    let names = ["award", "awardCancellation", "awardUpdate"];
    tags.extend(
        names
            .into_iter()
            .zip(said)
            .filter(|(_, is)| *is)
            .map(|(name, _)| name),
    );
}

fn tag_contracts(before: Option<&Object>, now: &Object, tags: &mut Vec<&'static str>) {
    let mut said = [false; 6];
    for contract in now.objects("contracts") {
        let old = before.and_then(|before| {
            before
                .objects("contracts")
                .find(|one| one.get("id") == contract.get("id"))
        });
        let is_amended = has_more(old, contract, "amendments");
        let is_ended = |one: &Object| one.text("status") == Some("terminated");
        let ends = is_ended(contract) && !old.is_some_and(is_ended);
        let work = contract.get("implementation");
        let worked = old.and_then(|old| old.get("implementation"));
        let [is_new, amended, changed, begun, went_on, ended] = &mut said;
        *is_new |= old.is_none();
        *amended |= is_amended;
        *ended |= ends;
        *changed |= old.is_some() && !is_amended && !ends && differs(old, contract, &["implementation"]);
        *begun |= work.is_some() && worked.is_none();
        *went_on |= work.is_some() && worked.is_some() && work != worked;
    }
    let names = [
        "contract",
        "contractAmendment",
        "contractUpdate",
        "implementation",
        "implementationUpdate",
        "contractTermination",
    ];
    tags.extend(
        names
            .into_iter()
            .zip(said)
            .filter(|(_, is)| *is)
            .map(|(name, _)| name),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::rules_merge::{compiled, versioned};

    fn read(text: &str) -> Object {
        Json::parse(text).unwrap().as_object().unwrap().clone()
    }

    fn made(previous: Option<&Object>, state: &str, number: i64) -> Option<Object> {
        let at = format!("2026-03-01T00:00:0{number}Z").parse().unwrap();
        let place = Place {
            ocid: "ocds-213czf-1",
            number,
            at,
        };
        release(previous, &read(state), place)
    }

    fn tags_of(release: &Object) -> Vec<&str> {
        let tags = release.get("tag").and_then(Json::as_array).unwrap();
        tags.iter().filter_map(Json::as_text).collect()
    }

    #[test]
    fn a_state_that_says_nothing_new_makes_no_release() {
        let state = r#"{"planning":{"budget":{"amount":{"amount":1,"currency":"CNY"}}},"tender":{"id":"b","amendments":[{"id":"a"}]}}"#;
        let first = made(None, state, 1).unwrap();
        assert_eq!(tags_of(&first), ["planning", "tender", "tenderAmendment"]);
        assert_eq!(first.text("id"), Some("ocds-213czf-1-1"));
        assert_eq!(first.text("date"), Some("2026-03-01T00:00:01.000000Z"));
        assert_eq!(made(Some(&first), state, 2), None);
    }

    #[test]
    fn an_amendment_keeps_the_release_that_it_came_with() {
        let first = made(None, r#"{"tender":{"id":"b","title":"x"}}"#, 1).unwrap();
        let amended = r#"{"tender":{"id":"b","title":"y","amendments":[{"id":"a"}]}}"#;
        let second = made(Some(&first), amended, 2).unwrap();
        assert_eq!(tags_of(&second), ["tenderAmendment"]);
        let later = r#"{"tender":{"id":"b","title":"z","amendments":[{"id":"a"},{"id":"c"}]}}"#;
        let third = made(Some(&second), later, 3).unwrap();
        assert!(third.written().contains(
            r#""amendments":[{"id":"a","releaseID":"ocds-213czf-1-2","amendsReleaseID":"ocds-213czf-1-1"},{"id":"c","releaseID":"ocds-213czf-1-3","amendsReleaseID":"ocds-213czf-1-2"}]"#
        ), "{}", third.written());
    }

    #[test]
    fn tags_say_what_is_new() {
        let steps = [
            (r#"{"tender":{"id":"b","status":"active"}}"#, vec!["tender"]),
            (
                r#"{"tender":{"id":"b","status":"active"},"bids":{"details":[{"id":"1"}]}}"#,
                vec!["tenderUpdate"],
            ),
            (
                r#"{"tender":{"id":"b","status":"active"},"bids":{"details":[{"id":"1"}]},"awards":[{"id":"a","status":"pending"}]}"#,
                vec!["award"],
            ),
            (
                r#"{"tender":{"id":"b","status":"complete"},"bids":{"details":[{"id":"1"}]},"awards":[{"id":"a","status":"active"}]}"#,
                vec!["tenderUpdate", "awardUpdate"],
            ),
            (
                r#"{"tender":{"id":"b","status":"complete"},"bids":{"details":[{"id":"1"}]},"awards":[{"id":"a","status":"active"}],"contracts":[{"id":"c","awardID":"a","status":"active"}]}"#,
                vec!["contract"],
            ),
            (
                r#"{"tender":{"id":"b","status":"complete"},"bids":{"details":[{"id":"1"}]},"awards":[{"id":"a","status":"active"}],"contracts":[{"id":"c","awardID":"a","status":"active","implementation":{"milestones":[{"id":"1","status":"met","dateMet":"x"}]}}]}"#,
                vec!["implementation"],
            ),
            (
                r#"{"tender":{"id":"b","status":"complete"},"bids":{"details":[{"id":"1"}]},"awards":[{"id":"a","status":"active"}],"contracts":[{"id":"c","awardID":"a","status":"active","implementation":{"milestones":[{"id":"1","status":"notMet"}]}}]}"#,
                vec!["implementationUpdate"],
            ),
            (
                r#"{"tender":{"id":"b","status":"complete"},"bids":{"details":[{"id":"1"}]},"awards":[{"id":"a","status":"cancelled"}],"contracts":[{"id":"c","awardID":"a","status":"terminated","implementation":{"milestones":[{"id":"1","status":"notMet"}]}}]}"#,
                vec!["awardCancellation", "contractTermination"],
            ),
        ];
        let mut releases: Vec<Object> = Vec::new();
        for (number, (state, tags)) in (1..).zip(&steps) {
            let made = made(releases.last(), state, number).unwrap();
            assert_eq!(tags_of(&made), *tags, "{state}");
            releases.push(made);
            // What all of them say together is the last state.
            let merged = compiled(&releases).unwrap();
            let mut rest = body(&merged);
            rest.remove("ocid");
            assert_eq!(rest, read(state));
            assert!(versioned(&releases).is_ok());
        }
        let sixth = releases[6].written();
        assert!(sixth.contains(r#""dateMet":null"#), "{sixth}");
    }

    #[test]
    fn what_is_new_comes_after_what_was_there() {
        let first = made(
            None,
            r#"{"tender":{"id":"b","items":[{"id":"2","quantity":5}]}}"#,
            1,
        )
        .unwrap();
        let more = r#"{"tender":{"id":"b","items":[{"id":"1","quantity":7},{"id":"2","quantity":5}]}}"#;
        let second = made(Some(&first), more, 2).unwrap();
        assert!(
            second
                .written()
                .contains(r#"[{"id":"2","quantity":5},{"id":"1","quantity":7}]"#)
        );
        assert_eq!(made(Some(&second), more, 3), None);
    }

    #[test]
    fn what_a_merge_cannot_take_away_stays_and_says_so() {
        let first = made(
            None,
            r#"{"tender":{"id":"b","items":[{"id":"1","quantity":5},{"id":"2","quantity":7}]}}"#,
            1,
        )
        .unwrap();
        let less = r#"{"tender":{"id":"b","items":[{"id":"1","quantity":5}]}}"#;
        let second = made(Some(&first), less, 2).unwrap();
        assert!(second.written().contains(r#"{"id":"2","quantity":0}"#));
        let paid =
            r#"{"tender":{"id":"b","transactions":[{"id":"1","value":{"amount":5,"currency":"CNY"}}]}}"#;
        let before = made(None, paid, 1).unwrap();
        let back = made(Some(&before), r#"{"tender":{"id":"b"}}"#, 2).unwrap();
        assert!(
            back.written()
                .contains(r#"[{"id":"1","value":{"amount":0,"currency":"CNY"}}]"#),
            "{}",
            back.written()
        );
        assert_eq!(made(Some(&second), less, 3), None);
    }
}
