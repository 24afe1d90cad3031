//! Which version of the rules applies, and which may be loaded. Pure: versions and a date come in, a decision goes out. A
//! version is never changed: until it applies it may be corrected by a further revision, of which the last one counts;
//! from the day it applies on, only a later version can change the rules. A matter keeps the id of the version under which it
//! was published.

use chrono::NaiveDate;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::audit::entry::EventId;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Kind, Objection, Reason, Refusal};
use crate::kernel::text::Text;
use crate::statutes::codes;
use crate::statutes::profile::{Document, Profile, RULE_NOT_SET, Rule};
use crate::text;
use crate::web::problem::INVALID;

crate::ids! {
    /// One revision of one version of a jurisdiction's rules.
    StatuteId "statute"
}

/// Bytes of a stored profile at most.
pub const CONTENT_BYTES_MAX: usize = 1_048_576;

/// There is a version of that day; whoever means to correct it has to name it.
pub static DATE_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "statute_date_taken",
    "该日期已有规则版本；如为更正，请在 corrects 中指明",
    "There is a version of that day; to correct it, name it in `corrects`",
);
/// What is to be corrected is not the revision that counts for that day.
pub static NOT_CURRENT: Reason = Reason::new(
    Kind::Conflict,
    "statute_not_current",
    "所更正的不是该日期的现行修订",
    "What is to be corrected is not the revision that counts for that day",
);
/// No version applies on the day.
pub static NONE_IN_FORCE: Reason = Reason::new(
    Kind::Conflict,
    "no_statute_in_force",
    "该日没有适用的规则版本",
    "No version of the rules applies on that day",
);

/// The reasons of this slice.
pub static REASONS: [&Reason; 4] = [&DATE_TAKEN, &NOT_CURRENT, &NONE_IN_FORCE, &RULE_NOT_SET];

/// One revision of one version of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statute {
    /// Its id, which a matter keeps.
    pub id: StatuteId,
    /// Counts the corrections made before the version applied, from 1.
    pub revision: i64,
    /// True if it came with the program and no regulator loaded it.
    pub built_in: bool,
    /// SHA-256 of the stored bytes, as the log has it.
    pub sha256: [u8; 32],
    /// The event that records it.
    pub event_id: EventId,
    /// When it was loaded, UTC.
    pub loaded_at: Instant,
    /// What it says.
    pub profile: Profile,
}

impl Statute {
    /// What decides which of two of a jurisdiction's versions counts: the later day, then the later revision.
    fn rank(&self) -> (NaiveDate, i64) {
        (self.profile.effective_from, self.revision)
    }
}

/// The hash of a profile's stored bytes.
pub fn sha256(content: &str) -> [u8; 32] {
    Sha256::digest(content.as_bytes()).into()
}

/// The version that applies in a jurisdiction on a local date: of those whose first day has come the latest, and of its
/// revisions the last. `None` before the first version.
pub fn in_force<'s>(statutes: &'s [Statute], jurisdiction: &str, date: NaiveDate) -> Option<&'s Statute> {
    statutes
        .iter()
        .filter(|one| one.profile.jurisdiction == jurisdiction && one.profile.effective_from <= date)
        .max_by_key(|one| one.rank())
}

/// Checks what a regulator wants to load, as far as that can be told from it alone.
///
/// # Errors
/// [`INVALID`] with every fault, `/effective_from` among them unless it is after `today`.
pub fn check(document: Document, today: NaiveDate) -> Result<Profile, Refusal> {
    let too_early = document
        .effective_from
        .parse::<crate::statutes::profile::Day>()
        .is_ok_and(|day| day.0 <= today);
    let checked = Profile::checked(document);
    let mut faults = checked.as_ref().err().cloned().unwrap_or_default();
    if too_early {
        faults.insert(
            0,
            Objection {
                pointer: "/effective_from".to_owned(),
                code: "not_after_today",
                detail: text!(
                    "应晚于今日 {today}：已适用的规则不得更改",
                    "must be after today, {today}: rules that apply already are not changed"
                ),
            },
        );
    }
    match checked {
        Ok(profile) if faults.is_empty() => Ok(profile),
        _ => Err(INVALID.refuse().listing(faults)),
    }
}

/// What the store knows about the place that a version is to take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'s> {
    /// The version that applies until then, its last revision.
    pub before: Option<&'s Statute>,
    /// The last revision of a version of the same day.
    pub same_day: Option<&'s Statute>,
    /// The revision that the caller means to correct.
    pub corrects: Option<&'s StatuteId>,
}

/// The number of the revision that a version becomes; `document` is what the profile was made of.
///
/// # Errors
/// [`DATE_TAKEN`] where there is one of that day and none was named; [`NOT_CURRENT`] where another was named than the one
/// that counts; [`INVALID`] with every rule that says something else than before without saying since when.
pub fn revision(profile: &Profile, document: &Document, place: Place<'_>) -> Result<i64, Refusal> {
    let revision = match (place.corrects, place.same_day) {
        (None, None) => 1,
        (Some(named), Some(same)) if *named == same.id => same.revision.saturating_add(1),
        (None, Some(_)) => return Err(DATE_TAKEN.refuse().at("/effective_from")),
        (Some(_), _) => return Err(NOT_CURRENT.refuse().at("?corrects")),
    };
    let faults: Vec<Objection> = place
        .before
        .map(|before| unexplained(&before.profile, profile, document))
        .unwrap_or_default();
    if faults.is_empty() {
        Ok(revision)
    } else {
        Err(INVALID.refuse().listing(faults))
    }
}

/// Rules whose value is another than before although they claim to be as old.
fn unexplained(before: &Profile, after: &Profile, document: &Document) -> Vec<Objection> {
    let mut faults = Vec::new();
    for rule in &after.rules {
        let known = before.find(&rule.code).and_then(|known| known.value.as_ref());
        if known != rule.value.as_ref() && rule.effective_from <= before.effective_from {
            let (code, from) = (&rule.code, before.effective_from);
            // The profile has its rules in the order of their codes; the caller's may be another.
            let place = document.rules.iter().position(|written| written.code == *code);
            faults.push(Objection {
                pointer: format!("/rules/{}/effective_from", place.unwrap_or_default()),
                code: "unexplained_change",
                detail: text!(
                    "{code} 的值与 {from} 起的版本不同，其 effective_from 应晚于该日",
                    "{code} says something else than the version from {from}, so its effective_from is later than that"
                ),
            });
        }
    }
    faults
}

/// What is stored of a profile that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The revision.
    pub revision: i64,
    /// True if it came with the program as well.
    pub built_in: bool,
    /// The hash of its bytes.
    pub sha256: [u8; 32],
}

/// The revision that a profile of the program is to become among those stored of its day, oldest first. `None` if it is there
/// already, or if a regulator has had the last word on that day. A newer program may say more than an older one did, about
/// versions that apply already too: what was published before keeps the revision it had.
pub fn built_in_revision(stored: &[Stored], sha256: &[u8; 32]) -> Option<i64> {
    let known = stored.iter().any(|one| one.sha256 == *sha256);
    match stored.last() {
        None => Some(1),
        Some(last) if last.built_in && !known => Some(last.revision.saturating_add(1)),
        Some(_) => None,
    }
}

/// What differs in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StatuteRulePart)]
pub enum Part {
    /// What it says.
    Value,
    /// What it says in words.
    Text,
    /// Where it stands.
    Citations,
    /// How well it is founded.
    Standing,
    /// Its days.
    Dates,
}

/// A rule that two versions do not have alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which rule.
    pub code: String,
    /// What differs; everything if only one has it.
    pub parts: Vec<Part>,
    /// As it was.
    pub before: Option<Rule>,
    /// As it is.
    pub after: Option<Rule>,
}

/// Rule by rule what differs, in the order of the codes; codes that the program does not know any more come last.
pub fn differences(before: &Profile, after: &Profile) -> Vec<Difference> {
    let unknown = before.rules.iter().chain(&after.rules);
    let mut order: Vec<&str> = codes::ALL.iter().map(|entry| entry.code).collect();
    for rule in unknown {
        if !order.contains(&rule.code.as_str()) {
            order.push(&rule.code);
        }
    }
    order
        .into_iter()
        .filter_map(|code| difference(code, before.find(code), after.find(code)))
        .collect()
}

fn difference(code: &str, before: Option<&Rule>, after: Option<&Rule>) -> Option<Difference> {
    let all = [
        Part::Value,
        Part::Text,
        Part::Citations,
        Part::Standing,
        Part::Dates,
    ];
    let parts: Vec<Part> = match (before, after) {
        (None, None) => Vec::new(),
        (Some(before), Some(after)) => all
            .into_iter()
            .filter(|part| match part {
                Part::Value => before.value != after.value,
                Part::Text => (&before.text_zh, &before.text_en) != (&after.text_zh, &after.text_en),
                Part::Citations => before.citations != after.citations,
                Part::Standing => before.standing != after.standing,
                Part::Dates => {
                    (before.effective_from, before.effective_to) != (after.effective_from, after.effective_to)
                }
            })
            .collect(),
        _ => all.to_vec(),
    };
    (!parts.is_empty()).then(|| Difference {
        code: code.to_owned(),
        parts,
        before: before.cloned(),
        after: after.cloned(),
    })
}

/// The sentence that no version applies.
pub fn none_in_force(jurisdiction: &str, date: NaiveDate) -> Text {
    text!(
        "{jurisdiction} 在 {date} 没有适用的规则版本",
        "no version of the rules of {jurisdiction} applies on {date}"
    )
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;
    use crate::statutes::built_in;
    use crate::statutes::value::{Days, RuleValue};

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn statute(profile: Profile, revision: i64) -> Statute {
        let at = chrono::Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap();
        Statute {
            id: StatuteId::mint(at),
            revision,
            built_in: true,
            sha256: sha256(&profile.written().unwrap()),
            event_id: EventId::mint(at),
            loaded_at: at,
            profile,
        }
    }

    fn all() -> Vec<Statute> {
        let profiles = built_in::profiles().unwrap();
        profiles.into_iter().map(|profile| statute(profile, 1)).collect()
    }

    fn document(profile: &Profile) -> Document {
        serde_json::from_str(&profile.written().unwrap()).unwrap()
    }

    fn later(profile: &Profile, from: &str) -> Profile {
        Profile {
            effective_from: date(from),
            ..profile.clone()
        }
    }

    fn codes_of(refusal: &Refusal) -> Vec<(&str, &str)> {
        let all = refusal.objections.iter();
        all.map(|one| (one.pointer.as_str(), one.code)).collect()
    }

    #[test]
    fn a_version_applies_from_its_first_day_until_the_next_one_does() {
        let statutes = all();
        let on = |day: &str| {
            in_force(&statutes, "cn", date(day)).map(|one| one.profile.effective_from.to_string())
        };
        for (day, first) in [
            ("2025-05-31", None),
            ("2025-06-01", Some("2025-06-01")),
            ("2025-12-31", Some("2025-06-01")),
            ("2026-01-01", Some("2026-01-01")),
            ("2026-01-31", Some("2026-01-01")),
            ("2026-02-01", Some("2026-02-01")),
            ("2199-12-31", Some("2026-02-01")),
        ] {
            assert_eq!(on(day).as_deref(), first, "{day}");
        }
        assert!(in_force(&statutes, "cn-31", date("2026-03-01")).is_none());
        assert_eq!(
            in_force(&statutes, "test", date("2026-03-01"))
                .unwrap()
                .profile
                .jurisdiction,
            "test"
        );
    }

    #[test]
    fn of_several_revisions_the_last_one_counts_in_whatever_order_they_come() {
        let mut statutes = all();
        let newest = statutes[2].profile.clone();
        statutes.insert(0, statute(newest.clone(), 3));
        statutes.push(statute(newest, 2));
        assert_eq!(in_force(&statutes, "cn", date("2026-02-01")).unwrap().revision, 3);
        assert_eq!(in_force(&statutes, "cn", date("2026-01-31")).unwrap().revision, 1);
    }

    #[test]
    fn what_applies_today_or_did_cannot_be_loaded() {
        let profile = all()[2].profile.clone();
        let load = |from: &str| check(document(&later(&profile, from)), date("2026-03-02"));
        assert!(load("2026-03-03").is_ok());
        for from in ["2026-03-02", "2026-02-01"] {
            assert_eq!(
                codes_of(&load(from).unwrap_err()),
                [("/effective_from", "not_after_today")]
            );
        }
        let mut bad = document(&profile);
        bad.name_zh = String::new();
        assert_eq!(
            codes_of(&check(bad, date("2026-03-02")).unwrap_err()),
            [("/effective_from", "not_after_today"), ("/name_zh", "not_valid")]
        );
    }

    #[test]
    fn a_correction_names_the_revision_that_counts() {
        let statutes = all();
        let (before, profile) = (&statutes[2], later(&statutes[2].profile, "2026-09-01"));
        let pending = statute(profile.clone(), 4);
        let ask = |same_day: Option<&Statute>, corrects: Option<&StatuteId>| {
            let place = Place {
                before: Some(before),
                same_day,
                corrects,
            };
            revision(&profile, &document(&profile), place).map_err(|refusal| refusal.reason.code)
        };
        assert_eq!(ask(None, None), Ok(1));
        assert_eq!(ask(Some(&pending), None), Err("statute_date_taken"));
        assert_eq!(ask(Some(&pending), Some(&pending.id)), Ok(5));
        assert_eq!(ask(Some(&pending), Some(&before.id)), Err("statute_not_current"));
        assert_eq!(ask(None, Some(&before.id)), Err("statute_not_current"));
    }

    #[test]
    fn a_value_that_changes_says_since_when() {
        let statutes = all();
        let before = &statutes[2];
        let mut after = later(&before.profile, "2026-09-01");
        let place = Place {
            before: Some(before),
            ..Place::default()
        };
        let rule = after
            .rules
            .iter_mut()
            .find(|rule| rule.code == "tender.period_days_min")
            .unwrap();
        rule.value = Some(RuleValue::Days(Days(25)));
        let mut written = document(&after);
        written.rules.reverse();
        let at = written
            .rules
            .iter()
            .position(|rule| rule.code == "tender.period_days_min")
            .unwrap();
        let refusal = revision(&after, &written, place).unwrap_err();
        assert_eq!(
            codes_of(&refusal),
            [(
                format!("/rules/{at}/effective_from").as_str(),
                "unexplained_change"
            )]
        );
        let rule = after
            .rules
            .iter_mut()
            .find(|rule| rule.code == "tender.period_days_min")
            .unwrap();
        rule.effective_from = date("2026-09-01");
        assert_eq!(revision(&after, &document(&after), place), Ok(1));
        // Other words for the same rule are no change of the rule.
        let rule = after
            .rules
            .iter_mut()
            .find(|rule| rule.code == "tender.bids_min")
            .unwrap();
        rule.text_en = "At least three".to_owned();
        assert_eq!(revision(&after, &document(&after), place), Ok(1));
    }

    #[test]
    fn differences_name_the_rule_and_what_of_it() {
        let statutes = all();
        let (first, second, third) = (&statutes[0].profile, &statutes[1].profile, &statutes[2].profile);
        assert_eq!(differences(third, third), []);
        let found = differences(second, third);
        assert_eq!(found.len(), 7);
        for one in &found {
            assert!(one.code.starts_with("evaluation.abnormally_low"), "{}", one.code);
            assert!(one.parts.contains(&Part::Value) && one.parts.contains(&Part::Standing));
            assert!(!one.parts.contains(&Part::Citations));
        }
        assert_eq!(differences(first, third).len(), 20);
        let mut other = third.clone();
        other.rules.remove(0);
        other.rules[0].code = "planning.unheard_of".to_owned();
        let found = differences(third, &other);
        let codes: Vec<_> = found
            .iter()
            .map(|one| (one.code.as_str(), one.before.is_some(), one.after.is_some()))
            .collect();
        assert_eq!(
            codes,
            [
                ("planning.intention_notice_days_min", true, false),
                ("planning.intention_notice_contents", true, false),
                ("planning.unheard_of", false, true)
            ]
        );
    }

    #[test]
    fn what_comes_with_the_program_is_loaded_once_and_never_over_a_regulator() {
        let (ours, other) = ([1; 32], [2; 32]);
        let stored = |revision, built_in, sha256| Stored {
            revision,
            built_in,
            sha256,
        };
        assert_eq!(built_in_revision(&[], &ours), Some(1));
        assert_eq!(built_in_revision(&[stored(1, true, ours)], &ours), None);
        // A newer program says more.
        assert_eq!(built_in_revision(&[stored(1, true, other)], &ours), Some(2));
        // And an older one beside it does not take it back.
        assert_eq!(
            built_in_revision(&[stored(1, true, ours), stored(2, true, other)], &ours),
            None
        );
        assert_eq!(
            built_in_revision(&[stored(1, true, other), stored(2, false, [3; 32])], &ours),
            None
        );
    }
}
