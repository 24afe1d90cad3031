//! Merging: what the releases of one process say together, by the rules of the Open Contracting Data Standard 1.1 ("Merging"): a compiled release has the last
//! value of everything, a versioned release every value with the release that it came with. Pure.

use crate::kernel::refusal::Fault;
use crate::publish::rules_json::{Json, Object};

/// What belongs to a release alone, and is not merged.
const OMITTED: [&str; 3] = ["date", "id", "tag"];

/// Arrays that are taken whole, in the schema with the extensions that are published here. A test compares them with the schema.
pub const TAKEN_WHOLE: [&str; 55] = [
    "awards/amendment/changes",
    "awards/amendments/changes",
    "awards/documents/relatedLots",
    "awards/items/additionalClassifications",
    "awards/items/deliveryLocation/gazetteer/identifiers",
    "awards/items/deliveryLocation/geometry/coordinates",
    "awards/relatedLots",
    "awards/suppliers/additionalIdentifiers",
    "bids/details/documents/relatedLots",
    "bids/details/relatedLots",
    "bids/details/tenderers/additionalIdentifiers",
    "buyer/additionalIdentifiers",
    "contracts/amendment/changes",
    "contracts/amendments/changes",
    "contracts/documents/relatedLots",
    "contracts/implementation/documents/relatedLots",
    "contracts/implementation/milestones/documents/relatedLots",
    "contracts/implementation/milestones/relatedLots",
    "contracts/implementation/transactions/payee/additionalIdentifiers",
    "contracts/implementation/transactions/payer/additionalIdentifiers",
    "contracts/items/additionalClassifications",
    "contracts/items/deliveryLocation/gazetteer/identifiers",
    "contracts/items/deliveryLocation/geometry/coordinates",
    "contracts/milestones/documents/relatedLots",
    "contracts/milestones/relatedLots",
    "contracts/relatedProcesses/relationship",
    "contracts/signatories/additionalIdentifiers",
    "contracts/suppliers/additionalIdentifiers",
    "parties/additionalIdentifiers",
    "parties/roles",
    "planning/budget/budgetBreakdown/sourceParty/additionalIdentifiers",
    "planning/documents/relatedLots",
    "planning/milestones/documents/relatedLots",
    "planning/milestones/relatedLots",
    "relatedProcesses/relationship",
    "tender/additionalProcurementCategories",
    "tender/amendment/changes",
    "tender/amendments/changes",
    "tender/bidOpening/location/gazetteer/identifiers",
    "tender/bidOpening/location/geometry/coordinates",
    "tender/documents/relatedLots",
    "tender/enquiries/author/additionalIdentifiers",
    "tender/items/additionalClassifications",
    "tender/items/deliveryLocation/gazetteer/identifiers",
    "tender/items/deliveryLocation/geometry/coordinates",
    "tender/lotGroups/awardCriteria/criteria",
    "tender/lotGroups/relatedLots",
    "tender/lots/awardCriteria/criteria",
    "tender/lots/bidOpening/location/gazetteer/identifiers",
    "tender/lots/bidOpening/location/geometry/coordinates",
    "tender/milestones/documents/relatedLots",
    "tender/milestones/relatedLots",
    "tender/procuringEntity/additionalIdentifiers",
    "tender/submissionMethod",
    "tender/tenderers/additionalIdentifiers",
];

/// A release as it takes part in a merge.
#[derive(Clone, Copy)]
struct Step<'r> {
    id: &'r Json,
    date: &'r Json,
    tag: &'r Json,
}

/// Whether a value is taken whole and not gone into: what the schema says so of, what is neither object nor array, and arrays of anything but objects.
fn is_whole(path: &str, value: &Json) -> bool {
    match value {
        Json::Object(_) => TAKEN_WHOLE.contains(&path),
        Json::Array(values) => {
            TAKEN_WHOLE.contains(&path) || values.iter().any(|one| one.as_object().is_none())
        }
        _ => true,
    }
}

fn inconsistent(path: &str) -> Fault {
    Fault::broken(format!(
        "releases of one process disagree about what sort of thing {path} is"
    ))
}

/// What a value becomes in what is merged.
trait Merging {
    /// The value that stands after a release says `new` where `old` stood; nothing if none does.
    fn leaf(&self, old: Option<&Json>, new: &Json) -> Option<Json>;
}

/// Only the last value counts.
struct Compiling;

impl Merging for Compiling {
    fn leaf(&self, _old: Option<&Json>, new: &Json) -> Option<Json> {
        (*new != Json::Null).then(|| new.clone())
    }
}

/// Each value is kept, unless it is the one that stood there.
struct Versioning<'r>(Step<'r>);

impl Merging for Versioning<'_> {
    fn leaf(&self, old: Option<&Json>, new: &Json) -> Option<Json> {
        let mut history = old.and_then(Json::as_array).unwrap_or_default().to_vec();
        let last = history.last().and_then(Json::as_object);
        if last.and_then(|last| last.get("value")) != Some(new) {
            let mut entry = Object::new();
            entry.set("releaseID", self.0.id.clone());
            entry.set("releaseDate", self.0.date.clone());
            entry.set("releaseTag", self.0.tag.clone());
            entry.set("value", new.clone());
            history.push(Json::Object(entry));
        }
        Some(Json::Array(history))
    }
}

/// Merges members. True if there was anything in them, if only a `null`: what is empty all the way down leaves no trace.
fn merge(
    into: &mut Object,
    from: &Object,
    (path, in_array): (&str, bool),
    merging: &impl Merging,
) -> Result<bool, Fault> {
    let mut said = false;
    for (name, value) in from.members() {
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        };
        // The id by which an object of an array is found again is no value of it.
        if OMITTED.contains(&path.as_str()) || (in_array && name == "id") {
            continue;
        }
        if is_whole(&path, value) {
            match merging.leaf(into.get(name), value) {
                Some(merged) => into.set(name, merged),
                None => into.remove(name),
            }
            said = true;
            continue;
        }
        let known = into.get(name).cloned();
        let merged = match (value, known) {
            (Json::Object(value), known @ (None | Some(Json::Object(_)))) => {
                let mut place = known
                    .as_ref()
                    .and_then(Json::as_object)
                    .cloned()
                    .unwrap_or_default();
                let told = merge(&mut place, value, (&path, false), merging)?;
                told.then_some(Json::Object(place))
            }
            (Json::Array(values), known @ (None | Some(Json::Array(_)))) => {
                let mut place = known
                    .as_ref()
                    .and_then(Json::as_array)
                    .unwrap_or_default()
                    .to_vec();
                let told = merge_items(&mut place, values, &path, merging)?;
                told.then_some(Json::Array(place))
            }
            _ => return Err(inconsistent(&path)),
        };
        if let Some(merged) = merged {
            into.set(name, merged);
            said = true;
        }
    }
    Ok(said)
}

/// Objects of an array are the same where their ids are; without an id each is another. True if there was anything in them.
fn merge_items(
    into: &mut Vec<Json>,
    values: &[Json],
    path: &str,
    merging: &impl Merging,
) -> Result<bool, Fault> {
    let mut said = false;
    for value in values.iter().filter_map(Json::as_object) {
        let id = value.get("id").filter(|id| **id != Json::Null);
        let mut made = Object::new();
        if let Some(id) = id {
            made.set("id", id.clone());
        }
        let known = id.and_then(|id| {
            let is_same = |one: &&mut Json| one.as_object().and_then(|one| one.get("id")) == Some(id);
            into.iter_mut().find(is_same)
        });
        match known {
            Some(Json::Object(place)) => {
                merge(place, value, (path, true), merging)?;
                said = true;
            }
            Some(_) => return Err(inconsistent(path)),
            None => {
                let told = merge(&mut made, value, (path, true), merging)?;
                if told || !made.is_empty() {
                    into.push(Json::Object(made));
                    said = true;
                }
            }
        }
    }
    Ok(said)
}

/// Releases in the order of their dates; what is not dated comes first.
fn in_order(releases: &[Object]) -> Vec<&Object> {
    let mut sorted: Vec<&Object> = releases.iter().collect();
    sorted.sort_by_key(|release| release.text("date").unwrap_or_default());
    sorted
}

/// The compiled release of releases of one process.
///
/// # Errors
/// A fault if they disagree about what sort of thing something is.
pub fn compiled(releases: &[Object]) -> Result<Object, Fault> {
    let mut merged = Object::new();
    merged.set("tag", Json::Array(vec![Json::from("compiled")]));
    for release in in_order(releases) {
        let word = |name: &str| release.text(name).unwrap_or_default();
        let (ocid, date) = (word("ocid"), word("date"));
        merged.set("id", Json::Text(format!("{ocid}-{date}")));
        merged.set("date", Json::from(date));
        merged.set("ocid", Json::from(ocid));
        merge(&mut merged, release, ("", false), &Compiling)?;
    }
    Ok(merged)
}

/// The versioned release of releases of one process.
///
/// # Errors
/// As [`compiled`].
pub fn versioned(releases: &[Object]) -> Result<Object, Fault> {
    let mut merged = Object::new();
    for release in in_order(releases) {
        let of = |name: &str| release.get(name).unwrap_or(&Json::Null);
        merged.set("ocid", of("ocid").clone());
        let mut rest = release.clone();
        rest.remove("ocid");
        let step = Step {
            id: of("id"),
            date: of("date"),
            tag: of("tag"),
        };
        merge(&mut merged, &rest, ("", false), &Versioning(step))?;
    }
    Ok(merged)
}
