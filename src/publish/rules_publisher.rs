//! Who publishes, and under which names: the prefix of process ids, addresses, licence, and the extensions of the standard that are used. Pure.

use chrono_tz::Tz;

use crate::kernel::text::Text;
use crate::publish::rules_json::{Json, Object};

/// The prefix that the standard keeps for examples: no real publication has it.
pub const EXAMPLE_PREFIX: &str = "ocds-213czf";

/// The extensions, each pinned to the commit whose files were read.
pub const EXTENSIONS: [&str; 14] = [
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_bid_extension/v1.1.5/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_enquiry_extension/v1.1.5/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_location_extension/v1.1.5/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_lots_extension/v1.1.5/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_awardCriteria_extension/9391240f353e8536992938fe9f7987cd89235331/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_bidOpening_extension/47c576527240c7cd4e1a0fa1b051a9fce2adf5e6/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_metrics_extension/fad91df868907e339e5b3b4af5c334e02b80fa4f/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_transactions_relatedMilestone_extension/0e4793062ba3b84908edfc0f2f6fcf2e60c6b58b/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_performance_failures_extension/ba848ad627309a76e19a5ed9281ade5dbe080915/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_budget_breakdown_extension/345db699d4915049638a701bf2cb91a7439cff29/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_contract_suppliers_extension/213ff47826ef6d9de62b1b7efb9bf490abd8388d/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_contract_signatories_extension/38981b80e5ecf7bdb5e218da0843c2c6d9315bf7/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_contract_completion_extension/5c07b628802353251f0a22800f0003b556a2c209/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_pagination_extension/a0df51b5214325561d4efde52f775ea75271c683/extension.json",
];

/// The description of our own extension.
pub const OWN_EXTENSION: &str = include_str!("extension/extension.json");
/// What our own extension adds to the schema of releases.
pub const OWN_RELEASE_SCHEMA: &str = include_str!("extension/release-schema.json");

/// Who publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// What ids of processes begin with; none if this ward publishes nothing as open contracting data.
    pub prefix: Option<Prefix>,
    /// The service's address as its users see it, without a slash at the end.
    pub public_url: String,
    /// The ward's name.
    pub ward: Text,
    /// The register that the publisher's own number is of, a code of org-id.guide; empty: the service's own.
    pub scheme: String,
    /// The publisher's number there; empty: the host of its address.
    pub uid: String,
    /// The address of the licence.
    pub license: String,
    /// The ward's time zone, in which its days begin.
    pub zone: Tz,
}

/// What ids of processes begin with: `ocds-` and six letters or digits, issued by the Open Contracting Partnership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

/// Why a text is no prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a prefix is `ocds-` and six lower-case letters or digits")]
pub struct NoPrefix;

impl Prefix {
    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the process of a thing: the prefix, and what of the thing's own id is not its kind. It never changes, and no two things share it.
    pub fn process_of(&self, id: &str) -> String {
        let own = id.split_once('_').map_or(id, |(_, own)| own);
        format!("{}-{own}", self.0)
    }
}

impl std::str::FromStr for Prefix {
    type Err = NoPrefix;

    fn from_str(text: &str) -> Result<Self, NoPrefix> {
        let own = text.strip_prefix("ocds-").ok_or(NoPrefix)?;
        let fits = own.len() == 6
            && own
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
        fits.then(|| Self(text.to_owned())).ok_or(NoPrefix)
    }
}

impl Publisher {
    /// An address of this service.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// The host of this service.
    fn host(&self) -> &str {
        let rest = self.public_url.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    /// What every package begins with.
    pub fn head(&self, uri: &str, published: &str) -> Object {
        let scheme = if self.scheme.is_empty() {
            OWN_SCHEME
        } else {
            &self.scheme
        };
        let uid = if self.uid.is_empty() {
            self.host()
        } else {
            &self.uid
        };
        let publisher = Object::new()
            .with("name", self.ward.zh())
            .with("scheme", scheme)
            .with("uid", uid)
            .with("uri", format!("{}/", self.public_url));
        let mut extensions: Vec<Json> = EXTENSIONS.iter().map(|url| Json::from(*url)).collect();
        extensions.push(Json::Text(self.url("/ocds/extension/extension.json")));
        Object::new()
            .with("uri", uri)
            .with("version", "1.1")
            .with("extensions", extensions)
            .with("publishedDate", published)
            .with("publisher", publisher)
            .with("license", self.license.as_str())
            .with("publicationPolicy", self.url("/ocds/policy"))
    }
}

/// The register of organisations that have no number of the state: the ids of this service. `ZZ` is no country.
pub const OWN_SCHEME: &str = "ZZ-WARDBOOK";
/// The register of unified social credit codes.
pub const CREDIT_CODE_SCHEME: &str = "CN-SAIC";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_six_letters_or_digits() {
        let prefix: Prefix = "ocds-213czf".parse().unwrap();
        assert_eq!(
            prefix.process_of("book_01jd3n8f5teqkrzvq1c0m6h2ax"),
            "ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax"
        );
        for bad in [
            "",
            "ocds-",
            "ocds-213cz",
            "ocds-213czff",
            "OCDS-213czf",
            "ocds-213CZF",
            "213czf",
        ] {
            assert_eq!(bad.parse::<Prefix>(), Err(NoPrefix), "{bad}");
        }
    }

    #[test]
    fn every_extension_is_pinned() {
        for url in EXTENSIONS {
            assert!(!url.contains("/master/") && !url.contains("/main/"), "{url}");
        }
        assert!(Json::parse(OWN_EXTENSION).is_ok() && Json::parse(OWN_RELEASE_SCHEMA).is_ok());
    }
}
