//! A rule profile: everything that one version of a jurisdiction's rules says, each rule with its source. A [`Document`] is
//! what somebody wrote; a [`Profile`] has every code of [`codes`](crate::statutes::codes) exactly once, with a value of the
//! right kind or expressly none. Pure, and never without both languages or without a citation.

use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::refusal::{Answer, Fault, Kind as RefusalKind, Objection, Reason};
use crate::kernel::text::Text;
use crate::statutes::codes::{self, Entry, Key};
use crate::statutes::value::{Kind, Kinded, RuleValue};
use crate::statutes::wording;
use crate::text;

/// Rules in one document at most; more than there are codes, so that those that should not be there can be told.
pub const RULES_MAX: usize = 500;
/// Citations of one rule at most.
pub const CITATIONS_MAX: usize = 10;
/// Characters of a profile's name.
pub const NAME_LENGTH_MAX: usize = 200;
/// Characters of a note, of what a rule says, of the name of a law.
pub const TEXT_LENGTH_MAX: usize = 1_000;
/// Characters of the articles of a citation.
pub const ARTICLES_LENGTH_MAX: usize = 100;
/// Characters of a jurisdiction.
pub const JURISDICTION_LENGTH_MAX: usize = 40;

/// The statutes in force do not set the rule that is asked for.
pub static RULE_NOT_SET: Reason = Reason::new(
    RefusalKind::Conflict,
    "rule_not_set",
    "适用的规则版本未设定该规则",
    "The rules that apply do not set this one",
);

/// Whose rules they are: `cn`, or a place in it that has its own, `cn-31`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Jurisdiction(String);

impl Jurisdiction {
    /// The form, as a regular expression.
    pub const PATTERN: &str = "^[a-z]{2,8}(-[a-z0-9]{1,8}){0,3}$";

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no jurisdiction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a jurisdiction is written like cn or cn-31: lower-case letters, then up to three parts after hyphens"
)]
pub struct NoJurisdiction;

impl FromStr for Jurisdiction {
    type Err = NoJurisdiction;

    fn from_str(text: &str) -> Result<Self, NoJurisdiction> {
        let mut parts = text.split('-');
        let country = parts.next().unwrap_or_default();
        let country_fits =
            (2..=8).contains(&country.len()) && country.bytes().all(|byte| byte.is_ascii_lowercase());
        let place = |part: &str| {
            (1..=8).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if country_fits && parts.clone().count() <= 3 && parts.all(place) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoJurisdiction)
        }
    }
}

/// A local date as profiles and queries write it, `2026-02-01`; other ways of writing one are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub NaiveDate);

impl Day {
    /// The form, as a regular expression.
    pub const PATTERN: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
}

/// Why a text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a date is written like 2026-02-01 and lies between 1900 and 2199")]
pub struct NoDay;

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let date: NaiveDate = text.parse().map_err(|_| NoDay)?;
        if date.to_string() == text && (1900..2200).contains(&date.year()) {
            Ok(Self(date))
        } else {
            Err(NoDay)
        }
    }
}

/// How well a rule is founded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StatuteRuleStanding)]
pub enum Standing {
    /// Checked against the text that is cited.
    Verified,
    /// Widely stated, but not checked against the text.
    WidelyStated,
    /// A default of the system where the law is silent.
    HouseDefault,
    /// This version does not set the rule.
    NotSet,
}

impl Standing {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::WidelyStated => "widely_stated",
            Self::HouseDefault => "house_default",
            Self::NotSet => "not_set",
        }
    }
}

/// Where a rule stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StatuteCitation)]
pub struct Citation {
    /// The law, in Chinese.
    #[schema(min_length = 1, max_length = 1000, example = "中华人民共和国政府采购法")]
    pub instrument_zh: String,
    /// The law, in English.
    #[schema(min_length = 1, max_length = 1000, example = "Government Procurement Law")]
    pub instrument_en: String,
    /// Which articles, where they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 100, example = "35")]
    pub articles: Option<String>,
}

/// A version of a jurisdiction's rules, as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStatute)]
pub struct Document {
    /// Whose rules they are: a country, or a place in it.
    #[schema(
        max_length = 40,
        pattern = "^[a-z]{2,8}(-[a-z0-9]{1,8}){0,3}$",
        example = "cn"
    )]
    pub jurisdiction: String,
    /// The first day on which they apply, in the ward's zone; later than today.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", example = "2026-09-01")]
    pub effective_from: String,
    /// Chinese name.
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "中国内地政府购买公共服务规则（2026-09-01 起）"
    )]
    pub name_zh: String,
    /// English name.
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "Rules of public purchase in mainland China, from 2026-09-01"
    )]
    pub name_en: String,
    /// Why there is a new version, in Chinese.
    #[schema(min_length = 1, max_length = 1000, example = "公开招标数额标准调整。")]
    pub note_zh: String,
    /// Why there is a new version, in English.
    #[schema(
        min_length = 1,
        max_length = 1000,
        example = "The open-tender threshold is changed."
    )]
    pub note_en: String,
    /// Every rule, each code exactly once: those of the version before, changed where they are to differ.
    #[schema(max_items = 500)]
    pub rules: Vec<RuleDocument>,
}

/// One rule, as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStatuteRule)]
pub struct RuleDocument {
    /// Which rule.
    #[schema(min_length = 1, max_length = 100, example = "tender.period_days_min")]
    pub code: String,
    /// What sort of value it has, as the rules are read: only to be left as it is.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// What it says, in the kind that the rule has; `null` if this version does not set it.
    #[schema(required = true)]
    pub value: Option<RuleValue>,
    /// Since when these rules say so. If the value is another than before, later than the version before.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", example = "2026-09-01")]
    pub effective_from: String,
    /// The last day, where the law says one. A version that follows has to change the rule.
    #[serde(default)]
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", example = "2027-08-31")]
    pub effective_to: Option<String>,
    /// How well it is founded; `not_set` exactly where the value is `null`.
    pub standing: Standing,
    /// What it says, in Chinese.
    #[schema(
        min_length = 1,
        max_length = 1000,
        example = "自采购文件发出至投标截止不少于 20 日"
    )]
    pub text_zh: String,
    /// What it says, in English.
    #[schema(
        min_length = 1,
        max_length = 1000,
        example = "From issue to bid deadline at least 20 days"
    )]
    pub text_en: String,
    /// Where it stands, at least one.
    #[schema(max_items = 10)]
    pub citations: Vec<Citation>,
}

/// One rule of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Which rule.
    pub code: String,
    /// What it says; none if this version does not set it.
    pub value: Option<RuleValue>,
    /// Since when these rules say so; what is cited may be older.
    pub effective_from: NaiveDate,
    /// The last day, where the law says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_to: Option<NaiveDate>,
    /// How well it is founded.
    pub standing: Standing,
    /// What it says, in Chinese.
    pub text_zh: String,
    /// What it says, in English.
    pub text_en: String,
    /// Where it stands.
    pub citations: Vec<Citation>,
}

/// A version of a jurisdiction's rules, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Whose rules they are.
    pub jurisdiction: String,
    /// The first day on which they apply, in the ward's zone.
    pub effective_from: NaiveDate,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Why there is this version, in Chinese.
    pub note_zh: String,
    /// Why there is this version, in English.
    pub note_en: String,
    /// The rules, in the order of [`codes::ALL`].
    pub rules: Vec<Rule>,
}

impl Profile {
    /// What the rule says.
    ///
    /// # Errors
    /// [`RULE_NOT_SET`] if this version does not set it.
    pub fn rule<V: Kinded>(&self, key: Key<V>) -> Answer<V> {
        self.rule_if_set(key)?.ok_or_else(|| {
            let (code, jurisdiction, from) = (key.code(), &self.jurisdiction, self.effective_from);
            RULE_NOT_SET
                .because(text!(
                    "{jurisdiction} 自 {from} 起的规则未设定 {code}",
                    "the rules of {jurisdiction} from {from} do not set {code}"
                ))
                .into()
        })
    }

    /// What the rule says; `None` if this version does not set it, or is older than the rule's code.
    ///
    /// # Errors
    /// A fault if the stored value is of another kind, which no profile that was checked has.
    pub fn rule_if_set<V: Kinded>(&self, key: Key<V>) -> Result<Option<V>, Fault> {
        let Some(value) = self.find(key.code()).and_then(|rule| rule.value.as_ref()) else {
            return Ok(None);
        };
        let read = V::of(value);
        read.map(Some)
            .ok_or_else(|| Fault::broken(format!("the rule {} is of another kind", key.code())))
    }

    /// The rule of that code, with its text and sources.
    pub fn find(&self, code: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.code == code)
    }

    /// Checks a document. Every fault is listed: first those of its head, then those of each rule in its order, then the
    /// codes that are missing.
    ///
    /// # Errors
    /// The faults, with their places in the document.
    pub fn checked(document: Document) -> Result<Self, Vec<Objection>> {
        let mut faults = Faults::default();
        let jurisdiction = document.jurisdiction.parse::<Jurisdiction>();
        if let Err(why) = &jurisdiction {
            faults.add("/jurisdiction".to_owned(), "wrong_form", no_jurisdiction(*why));
        }
        let effective_from = faults.date("/effective_from", &document.effective_from);
        for (pointer, words, max) in [
            ("/name_zh", &document.name_zh, NAME_LENGTH_MAX),
            ("/name_en", &document.name_en, NAME_LENGTH_MAX),
            ("/note_zh", &document.note_zh, TEXT_LENGTH_MAX),
            ("/note_en", &document.note_en, TEXT_LENGTH_MAX),
        ] {
            faults.sentence(pointer.to_owned(), words, max);
        }
        let mut rules: Vec<Rule> = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for (place, rule) in document.rules.into_iter().enumerate().take(RULES_MAX) {
            let at = format!("/rules/{place}");
            if seen.contains(&rule.code) {
                faults.add(
                    format!("{at}/code"),
                    "repeated",
                    Text::fixed("该规则已出现过", "this rule was there before"),
                );
            }
            seen.push(rule.code.clone());
            rules.extend(faults.rule(&at, rule, effective_from));
        }
        for Entry { code, .. } in codes::ALL {
            if !seen.iter().any(|known| known == code) {
                faults.add(
                    "/rules".to_owned(),
                    "rule_missing",
                    text!("缺少规则 {code}", "the rule {code} is missing"),
                );
            }
        }
        match (jurisdiction, effective_from) {
            (Ok(jurisdiction), Some(effective_from)) if faults.0.is_empty() => {
                rules.sort_by_key(|rule| codes::ALL.iter().position(|entry| entry.code == rule.code));
                Ok(Self {
                    jurisdiction: jurisdiction.0,
                    effective_from,
                    name_zh: document.name_zh,
                    name_en: document.name_en,
                    note_zh: document.note_zh,
                    note_en: document.note_en,
                    rules,
                })
            }
            _ => Err(faults.0),
        }
    }

    /// The profile as the bytes that are stored and hashed, once.
    ///
    /// # Errors
    /// A fault if it cannot be written, which memory always can.
    pub fn written(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(|error| Fault::caused("write a rule profile", error))
    }

    /// A stored profile. It was checked by the version of the program that stored it: codes that have been added since are
    /// not set in it, and what it says of codes that are no more is kept for whoever reads it.
    ///
    /// # Errors
    /// A fault if it is no profile.
    pub fn stored(content: &str) -> Result<Self, Fault> {
        serde_json::from_str(content).map_err(|error| Fault::caused("read a stored rule profile", error))
    }
}

fn no_jurisdiction(_: NoJurisdiction) -> Text {
    Text::fixed(
        "法域应写作 cn 或 cn-31：小写字母，其后最多三段以连字符相连",
        "a jurisdiction is written like cn or cn-31: lower-case letters, then up to three parts after hyphens",
    )
}

/// The faults found so far.
#[derive(Default)]
struct Faults(Vec<Objection>);

impl Faults {
    fn add(&mut self, pointer: String, code: &'static str, detail: Text) {
        self.0.push(Objection {
            pointer,
            code,
            detail,
        });
    }

    fn date(&mut self, pointer: &str, text: &str) -> Option<NaiveDate> {
        let day = text.parse::<Day>().ok();
        if day.is_none() {
            self.add(
                pointer.to_owned(),
                "not_a_date",
                Text::fixed(
                    "应为 1900 至 2199 年间的日期，如 2026-02-01",
                    "must be a date between 1900 and 2199, like 2026-02-01",
                ),
            );
        }
        day.map(|day| day.0)
    }

    fn sentence(&mut self, pointer: String, words: &str, length_max: usize) {
        if let Err(why) = wording::sentence(words, length_max) {
            self.add(pointer, "not_valid", why);
        }
    }

    /// A rule whose dates can be read; `version` is the first day of the version it stands in, if that could be read.
    fn rule(&mut self, at: &str, rule: RuleDocument, version: Option<NaiveDate>) -> Option<Rule> {
        match codes::entry(&rule.code) {
            None => self.add(
                format!("{at}/code"),
                "unknown_rule",
                Text::fixed("没有这个规则", "there is no such rule"),
            ),
            Some(entry) => {
                if rule.kind.is_some_and(|kind| kind != entry.kind) {
                    self.wrong_kind(format!("{at}/kind"), entry.kind);
                }
                self.value(&format!("{at}/value"), rule.value.as_ref(), entry.kind);
            }
        }
        if rule.value.is_none() != (rule.standing == Standing::NotSet) {
            self.add(
                format!("{at}/standing"),
                "wrong_standing",
                Text::fixed(
                    "未设定（值为 null）的规则，其依据为 not_set，反之亦然",
                    "a rule without a value is not_set, and no other is",
                ),
            );
        }
        self.sentence(format!("{at}/text_zh"), &rule.text_zh, TEXT_LENGTH_MAX);
        self.sentence(format!("{at}/text_en"), &rule.text_en, TEXT_LENGTH_MAX);
        self.citations(&format!("{at}/citations"), &rule.citations);
        let from = self.date(&format!("{at}/effective_from"), &rule.effective_from);
        let to = match &rule.effective_to {
            Some(text) => self.date(&format!("{at}/effective_to"), text).map(Some),
            None => Some(None),
        };
        let (from, to) = (from?, to?);
        if version.is_some_and(|version| from > version) {
            self.add(
                format!("{at}/effective_from"),
                "after_version",
                Text::fixed(
                    "不得晚于本版本的生效日期",
                    "must not be later than the first day of this version",
                ),
            );
        }
        if to.is_some_and(|to| to < from || version.is_some_and(|version| to < version)) {
            self.add(
                format!("{at}/effective_to"),
                "before_version",
                Text::fixed(
                    "不得早于本版本的生效日期",
                    "must not be earlier than the first day of this version",
                ),
            );
        }
        Some(Rule {
            code: rule.code,
            value: rule.value,
            effective_from: from,
            effective_to: to,
            standing: rule.standing,
            text_zh: rule.text_zh,
            text_en: rule.text_en,
            citations: rule.citations,
        })
    }

    fn value(&mut self, at: &str, value: Option<&RuleValue>, kind: Kind) {
        let Some(value) = value else { return };
        if value.kind() != kind {
            self.wrong_kind(at.to_owned(), kind);
        }
        if let Err(why) = value.check() {
            self.add(at.to_owned(), "not_valid", why);
        }
    }

    fn wrong_kind(&mut self, pointer: String, kind: Kind) {
        let wanted = kind.name();
        self.add(
            pointer,
            "wrong_kind",
            text!(
                "该规则的值应为 {wanted}",
                "the value of this rule is of the kind {wanted}"
            ),
        );
    }

    fn citations(&mut self, at: &str, citations: &[Citation]) {
        if citations.is_empty() {
            self.add(
                at.to_owned(),
                "citation_missing",
                Text::fixed("规则应注明出处", "a rule says where it stands"),
            );
        }
        if citations.len() > CITATIONS_MAX {
            self.add(
                at.to_owned(),
                "too_many",
                text!("最多 {CITATIONS_MAX} 项", "at most {CITATIONS_MAX} items"),
            );
        }
        for (place, citation) in citations.iter().enumerate().take(CITATIONS_MAX) {
            let at = format!("{at}/{place}");
            self.sentence(
                format!("{at}/instrument_zh"),
                &citation.instrument_zh,
                TEXT_LENGTH_MAX,
            );
            self.sentence(
                format!("{at}/instrument_en"),
                &citation.instrument_en,
                TEXT_LENGTH_MAX,
            );
            if let Some(articles) = &citation.articles {
                self.sentence(format!("{at}/articles"), articles, ARTICLES_LENGTH_MAX);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kernel::refusal::Stop;
    use crate::statutes::built_in;
    use crate::statutes::value::{Days, Share};

    fn builtin() -> Vec<Profile> {
        built_in::profiles().unwrap()
    }

    /// A good document, as JSON to be spoilt.
    fn document() -> serde_json::Value {
        let profile = builtin().remove(2);
        serde_json::from_str(&profile.written().unwrap()).unwrap()
    }

    fn faults(document: serde_json::Value) -> Vec<(String, &'static str)> {
        let document: Document = serde_json::from_value(document).unwrap();
        match Profile::checked(document) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.into_iter().map(|one| (one.pointer, one.code)).collect(),
        }
    }

    #[test]
    fn what_is_stored_is_read_back_as_it_was_and_checks_again() {
        for profile in builtin() {
            let content = profile.written().unwrap();
            assert_eq!(Profile::stored(&content).unwrap(), profile);
            assert_eq!(Profile::stored(&content).unwrap().written().unwrap(), content);
            let document: Document = serde_json::from_str(&content).unwrap();
            assert_eq!(Profile::checked(document).unwrap(), profile);
        }
        assert!(Profile::stored("{}").is_err() && Profile::stored("").is_err());
    }

    #[test]
    fn every_rule_built_in_speaks_both_languages_and_says_where_it_stands() {
        for profile in builtin() {
            for rule in &profile.rules {
                let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c));
                assert!(
                    chinese(&rule.text_zh) && !rule.text_zh.trim().is_empty(),
                    "{}",
                    rule.code
                );
                assert!(
                    rule.text_en.is_ascii() || rule.text_en.contains(['“', '×']),
                    "{}",
                    rule.code
                );
                assert!(!rule.text_en.trim().is_empty(), "{}", rule.code);
                assert!(!rule.citations.is_empty(), "{}", rule.code);
                for citation in &rule.citations {
                    assert!(chinese(&citation.instrument_zh), "{}", rule.code);
                    assert!(citation.instrument_en.is_ascii(), "{}", rule.code);
                }
            }
        }
    }

    #[test]
    fn all_faults_of_a_document_are_listed_with_their_places() {
        assert_eq!(faults(document()), []);
        let mut bad = document();
        bad["jurisdiction"] = json!("China");
        bad["effective_from"] = json!("2026-2-30");
        bad["name_en"] = json!("=1");
        bad["note_zh"] = json!(" ");
        bad["rules"][0]["code"] = json!("planning.colour_of_the_door");
        bad["rules"][2]["value"] = json!({"days": 3});
        bad["rules"][3]["value"] = json!(null);
        bad["rules"][4]["code"] = bad["rules"][5]["code"].clone();
        bad["rules"][6]["text_zh"] = json!("");
        bad["rules"][7]["citations"] = json!([]);
        bad["rules"][8]["citations"][0]["articles"] = json!("@35");
        bad["rules"][9]["effective_from"] = json!("yesterday");
        bad["rules"][11]["value"] = json!({"choices": []});
        bad["rules"][12]["effective_to"] = json!("2025-05-31");
        bad["rules"][13]["standing"] = json!("not_set");
        let found = faults(bad);
        let expected = [
            ("/jurisdiction", "wrong_form"),
            ("/effective_from", "not_a_date"),
            ("/name_en", "not_valid"),
            ("/note_zh", "not_valid"),
            ("/rules/0/code", "unknown_rule"),
            ("/rules/2/value", "wrong_kind"),
            ("/rules/3/standing", "wrong_standing"),
            ("/rules/4/value", "wrong_kind"),
            ("/rules/5/code", "repeated"),
            ("/rules/6/text_zh", "not_valid"),
            ("/rules/7/citations", "citation_missing"),
            ("/rules/8/citations/0/articles", "not_valid"),
            ("/rules/9/effective_from", "not_a_date"),
            ("/rules/11/value", "not_valid"),
            ("/rules/12/effective_to", "before_version"),
            ("/rules/13/standing", "wrong_standing"),
            ("/rules", "rule_missing"),
            ("/rules", "rule_missing"),
        ];
        assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn a_rule_begins_with_its_version_at_the_latest_and_ends_in_it_at_the_earliest() {
        let mut bad = document();
        bad["rules"][0]["effective_from"] = json!("2026-02-02");
        bad["rules"][1]["effective_to"] = json!("2026-01-31");
        bad["rules"][2]["effective_to"] = json!("2026-02-01");
        bad["rules"][3]["effective_from"] = json!("2026-02-01");
        assert_eq!(
            faults(bad),
            [
                ("/rules/0/effective_from".to_owned(), "after_version"),
                ("/rules/1/effective_to".to_owned(), "before_version"),
            ]
        );
    }

    #[test]
    fn an_empty_document_lacks_every_rule() {
        let mut empty = document();
        empty["rules"] = json!([]);
        assert_eq!(faults(empty).len(), codes::ALL.len());
        let mut cited = document();
        let citation = cited["rules"][0]["citations"][0].clone();
        cited["rules"][0]["citations"] = json!(vec![citation; 11]);
        assert_eq!(faults(cited), [("/rules/0/citations".to_owned(), "too_many")]);
    }

    #[test]
    fn a_rule_is_asked_for_by_its_key_and_what_is_not_set_is_refused() {
        let all = builtin();
        let (first, newest) = (&all[0], &all[2]);
        assert_eq!(newest.rule(codes::TENDER_PERIOD_DAYS_MIN).unwrap(), Days(20));
        assert!(
            newest
                .rule(codes::RESIDENTS_REPRESENTATIVES_QUORUM)
                .unwrap()
                .is_met(40, 60)
        );
        assert!(
            newest
                .rule(codes::TENDER_COLLUSION_SIGNS)
                .unwrap()
                .names("alike_files")
        );
        let interest = newest
            .rule(codes::PAYMENT_OVERDUE_INTEREST_PERCENT_PER_DAY)
            .unwrap();
        assert_eq!(interest.decimal().to_string(), "0.05");
        let grades = newest.rule(codes::ACCEPTANCE_GRADES).unwrap();
        assert_eq!(grades.band_of("90".parse().unwrap()).unwrap().code, "excellent");
        let threshold = newest.rule(codes::PLANNING_OPEN_TENDER_THRESHOLD).unwrap();
        assert_eq!(threshold.to_string(), "2000000.00");
        assert!(!newest.rule(codes::PLANNING_FLOOR_PRICE_ALLOWED).unwrap());

        let key = codes::EVALUATION_ABNORMALLY_LOW_AVERAGE_PERCENT;
        assert_eq!(first.rule_if_set(key).unwrap(), None);
        let Err(Stop::Refused(refusal)) = first.rule(key) else {
            panic!()
        };
        assert_eq!(refusal.reason.code, "rule_not_set");
    }

    /// A profile that an older program stored lacks newer codes; one that a newer program stored may say more.
    #[test]
    fn a_stored_profile_may_lack_a_rule_and_have_one_that_nobody_knows() {
        let mut older = document();
        older["rules"]
            .as_array_mut()
            .unwrap()
            .retain(|rule| rule["code"] != "tender.period_days_min");
        older["rules"][0]["code"] = json!("planning.no_more");
        let profile = Profile::stored(&older.to_string()).unwrap();
        assert_eq!(profile.rule_if_set(codes::TENDER_PERIOD_DAYS_MIN).unwrap(), None);
        assert!(profile.find("planning.no_more").is_some());
        let mut broken = document();
        let place = codes::ALL
            .iter()
            .position(|entry| entry.code == "tender.period_days_min")
            .unwrap();
        broken["rules"][place]["value"] = json!({"years": 20});
        let profile = Profile::stored(&broken.to_string()).unwrap();
        assert!(matches!(
            profile.rule(codes::TENDER_PERIOD_DAYS_MIN),
            Err(Stop::Fault(_))
        ));
        assert!(
            profile
                .rule_if_set(codes::PANEL_EXPERT_SHARE_MIN)
                .unwrap()
                .is_some_and(|share: Share| !share.exceeded)
        );
    }

    #[test]
    fn jurisdictions_and_days_are_written_in_one_way() {
        for good in ["cn", "cn-31", "cn-31-0101", "test", "cn-a-b-c"] {
            assert!(good.parse::<Jurisdiction>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "c",
            "CN",
            "cn-",
            "-cn",
            "cn--1",
            "cn_31",
            "cn-a-b-c-d",
            "中国",
            "cn-123456789",
            "abcdefghi",
        ] {
            assert!(bad.parse::<Jurisdiction>().is_err(), "{bad}");
        }
        for good in ["1900-01-01", "2026-02-28", "2199-12-31"] {
            assert!(good.parse::<Day>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "2026-2-1",
            "2026-02-30",
            "2200-01-01",
            "1899-12-31",
            "+2026-01-01",
            "2026-01-01 ",
            "20260101",
        ] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
    }
}
