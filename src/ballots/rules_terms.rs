//! Whether a ballot is still the one that was called: what the service is about to count by, beside what the log has of the call. Terms that somebody changes behind its
//! back could fix the result; so they decide nothing. Pure.

use serde_json::Value;

use crate::ballots::rules::{Ballot, CELL_BALLOTS_MIN, Terms};
use crate::ballots::rules_recomputing::terms_sha256;
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::Fault;

/// What is told of a ballot that the log does not have exactly one call of.
pub const CALL: &str = "call";

/// What calls did not always tell the log: of a ballot whose call did not, it is not compared.
const LATER: [&str; 3] = ["title_zh", "title_en", "organisation_id"];

/// What of a ballot its call tells the log, by the names that it has there. The roll is told too, and has seals of its own.
///
/// # Errors
/// A fault if the terms cannot be written, which a test would have shown.
pub fn told(ballot: &Ballot) -> Result<[(&'static str, Value); 10], Fault> {
    Ok([
        ("kind", Value::from(ballot.kind.name())),
        ("matter_id", Value::from(ballot.matter_id.as_str())),
        ("matter_number", Value::from(ballot.matter_number)),
        ("opens_at", Value::from(rfc3339(ballot.opens_at))),
        ("closes_at", Value::from(rfc3339(ballot.closes_at))),
        ("electorate", Value::from(ballot.electorate)),
        ("terms_sha256", Value::from(terms_sha256(&ballot.terms)?)),
        ("title_zh", Value::from(ballot.title_zh.as_str())),
        ("title_en", Value::from(ballot.title_en.as_str())),
        ("organisation_id", Value::from(ballot.organisation_id.as_str())),
    ])
}

/// What of a ballot is not as it was called, by those names; [`CALL`] where the log has no call of it, or several. `called` is what the log has.
///
/// # Errors
/// As [`told`].
pub fn changed(ballot: &Ballot, called: &[Value]) -> Result<Vec<String>, Fault> {
    let [called] = called else {
        return Ok(vec![CALL.to_owned()]);
    };
    let differs = |(name, value): &(&str, Value)| match called.get(*name) {
        Some(known) => known != value,
        None => !LATER.contains(name),
    };
    Ok(told(ballot)?
        .into_iter()
        .filter(differs)
        .map(|(name, _)| name.to_owned())
        .collect())
}

/// A ballot as it is counted whose terms were changed: whatever they say, fewer than ten are never told of.
pub fn guarded(ballot: Ballot) -> Ballot {
    let cell_ballots_min = ballot.terms.cell_ballots_min.max(CELL_BALLOTS_MIN);
    Ballot {
        terms: Terms {
            cell_ballots_min,
            ..ballot.terms
        },
        ..ballot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ballots::rules::tests::{at, terms};
    use crate::ballots::rules::{Kind, Unit};
    use crate::ballots::rules_derivation::tests::ballot;
    use crate::ballots::rules_double_tally::tests::doubled;
    use serde_json::json;

    #[test]
    fn each_term_that_is_another_than_the_call_has_is_told_by_its_name() {
        let honest = ballot(doubled(), 60);
        let called = Value::Object(
            told(&honest)
                .unwrap()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        );
        let found = |ballot: &Ballot| changed(ballot, std::slice::from_ref(&called)).unwrap();
        assert_eq!(found(&honest), Vec::<String>::new());
        let with = |change: &dyn Fn(&mut Ballot)| {
            let mut other = honest.clone();
            change(&mut other);
            found(&other)
        };
        assert_eq!(with(&|one| one.kind = Kind::Appraisal), ["kind"]);
        assert_eq!(
            with(&|one| one.matter_id = "contract_x".to_owned()),
            ["matter_id"]
        );
        assert_eq!(with(&|one| one.matter_number = 2), ["matter_number"]);
        assert_eq!(with(&|one| one.opens_at = at(1, 0)), ["opens_at"]);
        assert_eq!(with(&|one| one.closes_at = at(10, 0)), ["closes_at"]);
        assert_eq!(with(&|one| one.electorate = 61), ["electorate"]);
        let of_terms: [&dyn Fn(&mut Terms); 8] = [
            &|terms| terms.unit = Unit::Residents,
            &|terms| terms.communities.clear(),
            &|terms| terms.questions[0].text_en = "Is it bad?".to_owned(),
            &|terms| terms.scale[1].value = "81".parse().unwrap(),
            &|terms| terms.may_abstain = !terms.may_abstain,
            &|terms| terms.quorum_percent = 1,
            &|terms| terms.cell_ballots_min = 11,
            &|terms| terms.double_tally = None,
        ];
        for change in of_terms {
            assert_eq!(with(&|one| change(&mut one.terms)), ["terms_sha256"]);
        }
        let both = with(&|one| {
            one.closes_at = at(10, 0);
            one.terms.quorum_percent = 1;
        });
        assert_eq!(both, ["closes_at", "terms_sha256"]);
        assert_eq!(with(&|one| one.title_zh = "其他".to_owned()), ["title_zh"]);
        assert_eq!(with(&|one| one.title_en = "Other".to_owned()), ["title_en"]);
        assert_eq!(
            with(&|one| one.organisation_id = "org_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap()),
            ["organisation_id"]
        );
        // A call of before these were told is no other call.
        let mut older = called.clone();
        for name in LATER {
            older.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(changed(&honest, &[older]).unwrap(), Vec::<String>::new());
        // The roll has seals, and is told of by them.
        assert_eq!(with(&|one| one.roll_sha256 = [0; 32]), Vec::<String>::new());
        assert_eq!(changed(&honest, &[]).unwrap(), [CALL]);
        assert_eq!(
            changed(&honest, &[called.clone(), called.clone()]).unwrap(),
            [CALL]
        );
        assert_eq!(changed(&honest, &[json!({})]).unwrap().len(), 7);
    }

    #[test]
    fn few_are_not_told_of_whatever_the_terms_say() {
        let mut lowered = ballot(terms(), 60);
        lowered.terms.cell_ballots_min = 1;
        assert_eq!(guarded(lowered).terms.cell_ballots_min, 10);
        let mut raised = ballot(terms(), 60);
        raised.terms.cell_ballots_min = 30;
        assert_eq!(guarded(raised).terms.cell_ballots_min, 30);
    }
}
