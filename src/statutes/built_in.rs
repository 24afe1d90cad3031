//! The profiles that come with the program: `cn`, the rules of mainland China in dated versions, and `test`, a lenient one for
//! trying out. A file holds the first version whole and of each later one only the rules that differ; here they are made whole.

use serde::Deserialize;

use crate::kernel::refusal::{Fault, Refusal};
use crate::statutes::profile::{Document, Profile, RuleDocument};
use crate::web::problem::INVALID;

/// The jurisdiction of a ward that configures none.
pub const JURISDICTION_DEFAULT: &str = "cn";
/// The jurisdiction whose rules are for tests and trials only.
pub const JURISDICTION_OF_TESTS: &str = "test";

const FILES: [&str; 2] = [
    include_str!("profiles/cn.json"),
    include_str!("profiles/test.json"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    jurisdiction: String,
    versions: Vec<Version>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    effective_from: String,
    name_zh: String,
    name_en: String,
    note_zh: String,
    note_en: String,
    rules: Vec<RuleDocument>,
}

/// Those that a ward of this jurisdiction needs: its country's, for a place with rules of its own leans on them. A real ward
/// never sees the lenient ones.
///
/// # Errors
/// As [`profiles`].
pub fn profiles_for(jurisdiction: &str) -> Result<Vec<Profile>, Fault> {
    let country = jurisdiction.split('-').next().unwrap_or_default();
    let mut all = profiles()?;
    all.retain(|profile| profile.jurisdiction == country);
    Ok(all)
}

/// All of them, whole and checked, each jurisdiction's oldest version first.
///
/// # Errors
/// A fault if one of them is not good, which a test would have shown.
pub fn profiles() -> Result<Vec<Profile>, Fault> {
    let mut all = Vec::new();
    for file in FILES {
        all.extend(whole(file)?);
    }
    Ok(all)
}

fn whole(file: &str) -> Result<Vec<Profile>, Fault> {
    let series: Series =
        serde_json::from_str(file).map_err(|error| Fault::caused("read a profile built in", error))?;
    let mut rules: Vec<RuleDocument> = Vec::new();
    let mut profiles = Vec::new();
    for version in series.versions {
        for rule in version.rules {
            match rules.iter_mut().find(|known| known.code == rule.code) {
                Some(known) => *known = rule,
                None => rules.push(rule),
            }
        }
        let document = Document {
            jurisdiction: series.jurisdiction.clone(),
            effective_from: version.effective_from,
            name_zh: version.name_zh,
            name_en: version.name_en,
            note_zh: version.note_zh,
            note_en: version.note_en,
            rules: rules.clone(),
        };
        let profile = Profile::checked(document).map_err(|faults| {
            let refusal: Refusal = INVALID.refuse().listing(faults);
            Fault::caused("a profile built in", crate::kernel::refusal::Stop::from(refusal))
        })?;
        profiles.push(profile);
    }
    Ok(profiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_version_is_the_one_before_with_what_differs() {
        let all = profiles().unwrap();
        let heads: Vec<_> = all
            .iter()
            .map(|profile| (profile.jurisdiction.as_str(), profile.effective_from.to_string()))
            .collect();
        let expected = [
            ("cn", "2025-06-01"),
            ("cn", "2026-01-01"),
            ("cn", "2026-02-01"),
            ("test", "2000-01-01"),
        ];
        assert_eq!(heads, expected.map(|(place, from)| (place, from.to_owned())));
        assert!(
            all.iter()
                .all(|profile| profile.rules.len() == crate::statutes::codes::ALL.len())
        );
    }

    #[test]
    fn a_ward_gets_its_countrys_rules_and_no_others() {
        let of = |jurisdiction: &str| -> Vec<String> {
            let all = profiles_for(jurisdiction).unwrap().into_iter();
            all.map(|profile| profile.jurisdiction).collect()
        };
        assert_eq!(of("cn"), ["cn"; 3]);
        assert_eq!(of("cn-31"), ["cn"; 3]);
        assert_eq!(of("test"), ["test"]);
        assert_eq!(of("xx"), [""; 0]);
    }

    #[test]
    fn a_file_that_is_not_good_says_what_is_wrong() {
        let error = whole("{}").unwrap_err().to_string();
        assert!(error.contains("jurisdiction"), "{error}");
        let empty = r#"{"jurisdiction": "cn", "versions": [{"effective_from": "2025-06-01", "name_zh": "x", "name_en": "x",
            "note_zh": "x", "note_en": "x", "rules": []}]}"#;
        let error = whole(empty).unwrap_err().to_string();
        assert!(error.contains("tender.period_days_min"), "{error}");
    }
}
