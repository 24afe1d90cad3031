//! Packages of releases and of records: what is put round them. Pure.

use crate::kernel::refusal::Fault;
use crate::publish::rules_json::{Json, Object};
use crate::publish::rules_merge::{compiled, versioned};
use crate::publish::rules_publisher::Publisher;

/// Where a page lies among the others.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// The page after it.
    pub next: Option<String>,
    /// The page before it.
    pub prev: Option<String>,
}

impl Links {
    fn written(self) -> Object {
        Object::new().with("next", self.next).with("prev", self.prev)
    }
}

/// A package of releases, each as the bytes that it was published as.
pub fn releases<'c>(
    publisher: &Publisher,
    (uri, published): (&str, &str),
    links: Links,
    contents: impl Iterator<Item = &'c str>,
) -> String {
    let head = publisher
        .head(uri, published)
        .with("links", links.written())
        .written();
    let contents: Vec<&str> = contents.collect();
    closed(&head, "releases", &contents.join(","))
}

/// A package of records, each of all releases of one process, in their order.
///
/// # Errors
/// A fault if the releases of a process do not fit each other.
pub fn records(
    publisher: &Publisher,
    (uri, published): (&str, &str),
    links: Links,
    processes: &[Vec<Object>],
) -> Result<String, Fault> {
    let head = publisher
        .head(uri, published)
        .with("links", links.written())
        .written();
    let records: Result<Vec<String>, Fault> = processes.iter().map(|releases| record(releases)).collect();
    Ok(closed(&head, "records", &records?.join(",")))
}

fn record(releases: &[Object]) -> Result<String, Fault> {
    let ocid = releases.first().and_then(|release| release.text("ocid"));
    Ok(Object::new()
        .with("ocid", ocid)
        .with("releases", releases.to_vec())
        .with("compiledRelease", compiled(releases)?)
        .with("versionedRelease", versioned(releases)?)
        .written())
}

/// An object with one more member, an array, which may be empty: a page without anything is a page.
fn closed(head: &str, name: &str, values: &str) -> String {
    let open = head.strip_suffix('}').unwrap_or(head);
    let name = Json::from(name).written();
    format!("{open},{name}:[{values}]}}")
}
