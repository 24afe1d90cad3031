//! Reports of defects: what somebody may say, who is heard at once, and how much is taken. What those without an account have written or photographed is
//! shown to the public by nobody but an officer. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contracts::rules_defects::{Category, DefectId};
use crate::contracts::rules_defects_clock::Demand;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::{Language, Text, is_hidden};
use crate::outbox::address::Address;
use crate::registry::rules_text::Form;
use crate::standards::rules_evaluation::TimeLimit;
use crate::text;

crate::ids! {
    /// What somebody has reported.
    DefectReportId "defectreport"
}

/// Characters of a report, of a note on a fix, and of a reason.
pub const WORDS_LENGTH_MAX: usize = 1_000;
/// Photos of one report, or of one fix.
pub const PHOTOS_MAX: usize = 4;
/// Bytes of one photo: more than telephones make.
pub const PHOTO_BYTES_MAX: u64 = 10_485_760;
/// Reports of one defect that are kept; the others are only counted.
pub const REPORTS_KEPT_MAX: i64 = 20;
/// What is reported by nobody in particular goes to the contractor at once if it has to be put right within so many seconds: until somebody has looked at
/// it, it would be late.
pub const URGENT_SECONDS: u64 = 86_400;
/// Days after the end of a matter for which the mail addresses of those without an account are kept.
pub const CONTACT_DAYS: i64 = 30;

/// The contract's service has not begun, or is over.
pub static NOT_SERVED: Reason = Reason::new(
    Kind::Conflict,
    "defect_not_served",
    "该合同不在服务期内",
    "The service of the contract has not begun, or is over",
);
/// Without an account one has to stand at the place.
pub static CODE_NEEDED: Reason = Reason::new(
    Kind::Conflict,
    "defect_code_needed",
    "未登录的报告须使用现场的报修码",
    "Without an account a report needs the code that is put up at the place",
);
/// The reason does not change.
pub static MODERATED_SO: Reason = Reason::new(
    Kind::Conflict,
    "defect_report_moderated_so",
    "该报告已是此状态",
    "The report stands like that already",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 3] = [&NOT_SERVED, &CODE_NEEDED, &MODERATED_SO];

/// In which capacity somebody reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DefectReporter)]
pub enum Reporter {
    /// The buyer's officer, who inspects.
    Officer,
    /// A resident of the ward.
    Resident,
    /// Somebody else with an account.
    Account,
    /// Somebody without.
    Anonymous,
}

impl Reporter {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Officer, Self::Resident, Self::Account, Self::Anonymous];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Resident => "resident",
            Self::Account => "account",
            Self::Anonymous => "anonymous",
        }
    }

    /// The capacity of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reporter| reporter.name() == name)
    }

    /// Whether the contractor is told at once, of something that demands this much: of what officers and residents report always, of what others report if
    /// it cannot wait.
    pub fn is_heard_at_once(self, demand: Demand) -> bool {
        match self {
            Self::Officer | Self::Resident => true,
            Self::Account | Self::Anonymous => {
                matches!(demand, Some((_, TimeLimit::Seconds(seconds))) if seconds <= URGENT_SECONDS)
            }
        }
    }

    /// Whether only so many are taken of a place and day.
    pub const fn is_limited(self) -> bool {
        match self {
            Self::Officer => false,
            Self::Resident | Self::Account | Self::Anonymous => true,
        }
    }

    /// How public what they say is at first: an officer speaks for the office.
    pub const fn visibility(self) -> Visibility {
        match self {
            Self::Officer => Visibility::Released,
            Self::Resident | Self::Account | Self::Anonymous => Visibility::Unreleased,
        }
    }
}

/// Who may see the words and photos of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DefectReportVisibility)]
pub enum Visibility {
    /// The parties of the contract, and auditors.
    Unreleased,
    /// Everybody.
    Released,
    /// The buyer's people and auditors only.
    Hidden,
}

impl Visibility {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Unreleased, Self::Released, Self::Hidden];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreleased => "unreleased",
            Self::Released => "released",
            Self::Hidden => "hidden",
        }
    }

    /// The visibility of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|visibility| visibility.name() == name)
    }
}

/// Whoever looks at a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The buyer's people and auditors.
    Buyer,
    /// The contractor's people.
    Contractor,
    /// Whoever has written it.
    Author,
    /// Everybody.
    Public,
}

/// Whether words and photos of a report are shown to somebody, of a defect that the contractor was told of or not.
pub const fn shows(visibility: Visibility, reader: Reader, is_dispatched: bool) -> bool {
    match (visibility, reader) {
        (_, Reader::Buyer | Reader::Author) | (Visibility::Released, Reader::Public | Reader::Contractor) => {
            true
        }
        (Visibility::Unreleased, Reader::Contractor) => is_dispatched,
        (Visibility::Unreleased | Visibility::Hidden, Reader::Public)
        | (Visibility::Hidden, Reader::Contractor) => false,
    }
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefectReport {
    /// Its id.
    pub id: DefectReportId,
    /// Of which defect.
    pub defect_id: DefectId,
    /// Its number among those of the defect, from 1.
    pub number: i64,
    /// In which capacity.
    pub reporter: Reporter,
    /// By which account, if by one.
    pub account_id: Option<String>,
    /// What was said.
    pub words: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Why an officer has hidden it.
    pub reason: Option<String>,
    /// Counts the changes, from 1.
    pub revision: i64,
    /// When, UTC.
    pub reported_at: Instant,
    /// On which day of the ward.
    pub reported_on: NaiveDate,
}

impl DefectReport {
    /// The same report with another visibility.
    ///
    /// # Errors
    /// [`MODERATED_SO`]; [`INVALID`](crate::web::problem::INVALID) without a reason for hiding it.
    pub fn moderated(self, visibility: Visibility, reason: Option<&str>) -> Result<Self, Refusal> {
        if self.visibility == visibility {
            return Err(MODERATED_SO.refuse());
        }
        let mut form = Form::new();
        let reason = match (visibility, reason) {
            (Visibility::Hidden, reason) => Some(words(&mut form, "/reason", reason.unwrap_or_default())),
            (Visibility::Released | Visibility::Unreleased, _) => None,
        };
        form.finish(Self {
            visibility,
            reason,
            revision: self.revision.saturating_add(1),
            ..self
        })
    }
}

/// Where somebody without an account wants to hear of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// The mail address.
    pub address: Address,
    /// In which language.
    pub language: Language,
}

/// What somebody says.
#[derive(Clone, Default)]
pub struct Said {
    /// The code of a category.
    pub category: String,
    /// What is wrong.
    pub words: String,
    /// When it happened, UTC: officers only.
    pub occurred_at: Option<Instant>,
    /// Where those without an account want to hear of it.
    pub contact: Option<String>,
}

/// What somebody says, checked.
#[derive(Clone)]
pub struct Checked {
    /// What is wrong, by the standard.
    pub category: Category,
    /// In their own words.
    pub words: String,
    /// When it happened, UTC.
    pub occurred_at: Option<Instant>,
    /// Where they want to hear of it.
    pub contact: Option<Contact>,
}

/// Several lines of text: what a person may write, without what hides.
pub fn words(form: &mut Form, pointer: &str, words: &str) -> String {
    // Telephones put these into emoji; without them a simpler picture is left.
    let lines = words.replace("\r\n", "\n").replace(['\u{fe0f}', '\u{200d}'], "");
    let trimmed = lines.trim();
    let length = trimmed.chars().count();
    if !(1..=WORDS_LENGTH_MAX).contains(&length) {
        form.object(
            pointer,
            text!(
                "应为 1 至 {WORDS_LENGTH_MAX} 个字符",
                "must have 1 to {WORDS_LENGTH_MAX} characters"
            ),
        );
    } else if trimmed.chars().any(|one| one != '\n' && is_hidden(one)) {
        form.object(
            pointer,
            Text::fixed("含有不可见字符", "must not have invisible characters"),
        );
    }
    trimmed.to_owned()
}

/// Words that stand alone.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID).
pub fn only_words(pointer: &str, said: &str) -> Result<String, Refusal> {
    let mut form = Form::new();
    let said = words(&mut form, pointer, said);
    form.finish(said)
}

/// Checks what somebody says in a capacity, of a contract with these categories; every fault is listed.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID).
pub fn checked(
    said: &Said,
    reporter: Reporter,
    (categories, language): (&[Category], Language),
    now: Instant,
) -> Result<Checked, Refusal> {
    let mut form = Form::new();
    let category = categories.iter().find(|one| one.code == said.category);
    if category.is_none() {
        form.object(
            "/category",
            Text::fixed(
                "请选择该地点的一个问题类别",
                "choose one of the categories of this place",
            ),
        );
    }
    let words = words(&mut form, "/text", &said.words);
    match said.occurred_at {
        Some(_) if reporter != Reporter::Officer => form.object(
            "/occurred_at",
            Text::fixed("仅采购人的检查人员可填写", "only the buyer's officers say this"),
        ),
        Some(at) if at > now => form.object(
            "/occurred_at",
            Text::fixed("不得晚于现在", "must not lie in the future"),
        ),
        _ => {}
    }
    let given = said
        .contact
        .as_deref()
        .map(str::trim)
        .filter(|mail| !mail.is_empty());
    let contact = given.and_then(|mail| {
        if reporter != Reporter::Anonymous {
            form.object(
                "/contact",
                Text::fixed(
                    "已登录的无需填写，消息将发送到账户邮箱",
                    "leave this out: with an account you hear of it at the account's address",
                ),
            );
            return None;
        }
        let mail = form.mail("/contact", mail);
        let address = mail.parse().ok()?;
        Some(Contact { address, language })
    });
    let category = category.cloned().unwrap_or_else(Category::other);
    form.finish(Checked {
        category,
        words,
        occurred_at: said.occurred_at,
        contact,
    })
}

/// Whether the service runs on a day.
///
/// # Errors
/// [`NOT_SERVED`].
pub fn is_served(
    today: NaiveDate,
    (from, until): (Option<NaiveDate>, Option<NaiveDate>),
) -> Result<(), Refusal> {
    let has_begun = from.is_none_or(|from| from <= today);
    let is_over = until.is_some_and(|until| until < today);
    if has_begun && !is_over {
        return Ok(());
    }
    let (from, until) = (
        from.map(|day| day.to_string()).unwrap_or_default(),
        until.map(|day| day.to_string()).unwrap_or_default(),
    );
    Err(NOT_SERVED.because(text!(
        "服务期为 {from} 至 {until}",
        "it is served from {from} to {until}"
    )))
}

/// What came for a place on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Reports that were taken.
    pub taken: i64,
    /// Those of them that joined a defect that was there.
    pub joined: i64,
    /// Reports beyond the day's maximum, which were only counted.
    pub only_counted: i64,
    /// Reports that were refused because their network or account had reported too often.
    pub refused: i64,
    /// Reports that an officer has hidden.
    pub hidden: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standards::rules_documents::CountsFrom;
    use chrono::{Duration, TimeZone, Utc};

    fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 5, 4, 0, 0, 0).unwrap()
    }

    fn said() -> Said {
        Said {
            category: "other".to_owned(),
            words: " 灯不亮\r\n两天了\u{fe0f} ".to_owned(),
            occurred_at: None,
            contact: Some("wang@mail.example".to_owned()),
        }
    }

    fn faults(said: &Said, reporter: Reporter) -> Vec<String> {
        let categories = [Category::other()];
        let result = checked(said, reporter, (&categories, Language::English), now());
        let objections = result.err().map(|refusal| refusal.objections).unwrap_or_default();
        objections.into_iter().map(|one| one.pointer).collect()
    }

    #[test]
    fn what_is_said_is_checked_whole() {
        let categories = [Category::other()];
        let good = checked(
            &said(),
            Reporter::Anonymous,
            (&categories, Language::English),
            now(),
        )
        .ok()
        .unwrap();
        assert_eq!(good.words, "灯不亮\n两天了");
        assert!(
            good.contact
                .is_some_and(|contact| contact.address.whole() == "wang@mail.example")
        );
        let bad = Said {
            category: "nothing".to_owned(),
            words: "a\u{202e}b".to_owned(),
            occurred_at: Some(now()),
            contact: Some("nowhere".to_owned()),
        };
        assert_eq!(
            faults(&bad, Reporter::Anonymous),
            ["/category", "/text", "/occurred_at", "/contact"]
        );
        assert_eq!(faults(&said(), Reporter::Resident), ["/contact"]);
        let late = Said {
            occurred_at: Some(now() + Duration::seconds(1)),
            contact: None,
            ..said()
        };
        assert_eq!(faults(&late, Reporter::Officer), ["/occurred_at"]);
        let past = Said {
            occurred_at: Some(now()),
            contact: Some("  ".to_owned()),
            ..said()
        };
        assert!(faults(&past, Reporter::Officer).is_empty());
        let long = Said {
            words: "字".repeat(WORDS_LENGTH_MAX + 1),
            ..said()
        };
        assert_eq!(faults(&long, Reporter::Anonymous), ["/text"]);
        let empty = Said {
            words: " \n ".to_owned(),
            ..said()
        };
        assert_eq!(faults(&empty, Reporter::Anonymous), ["/text"]);
    }

    #[test]
    fn officers_and_residents_are_heard_at_once_and_others_if_it_cannot_wait() {
        let within = |seconds| Some((CountsFrom::Report, TimeLimit::Seconds(seconds)));
        for reporter in Reporter::ALL {
            let trusted = matches!(reporter, Reporter::Officer | Reporter::Resident);
            assert_eq!(reporter.is_heard_at_once(None), trusted);
            assert_eq!(reporter.is_heard_at_once(within(URGENT_SECONDS + 1)), trusted);
            assert!(reporter.is_heard_at_once(within(URGENT_SECONDS)));
            assert_eq!(Reporter::named(reporter.name()), Some(reporter));
        }
        let days = Some((CountsFrom::Report, TimeLimit::WorkingDays(1)));
        assert!(
            !Reporter::Anonymous.is_heard_at_once(days),
            "a working day may be a long weekend"
        );
    }

    #[test]
    fn nobody_but_an_officer_makes_words_public() {
        for visibility in Visibility::ALL {
            assert_eq!(Visibility::named(visibility.name()), Some(visibility));
            assert_eq!(
                shows(visibility, Reader::Public, true),
                visibility == Visibility::Released
            );
            assert!(shows(visibility, Reader::Buyer, false) && shows(visibility, Reader::Author, false));
            assert_eq!(
                shows(visibility, Reader::Contractor, true),
                visibility != Visibility::Hidden
            );
        }
        assert!(!shows(Visibility::Unreleased, Reader::Contractor, false));
        let report = DefectReport {
            id: DefectReportId::mint(now()),
            defect_id: DefectId::mint(now()),
            number: 1,
            reporter: Reporter::Anonymous,
            account_id: None,
            words: "x".to_owned(),
            visibility: Visibility::Unreleased,
            reason: None,
            revision: 1,
            reported_at: now(),
            reported_on: now().date_naive(),
        };
        let refused = |visibility, reason| {
            report
                .clone()
                .moderated(visibility, reason)
                .unwrap_err()
                .reason
                .code
        };
        assert_eq!(
            refused(Visibility::Unreleased, None),
            "defect_report_moderated_so"
        );
        assert_eq!(refused(Visibility::Hidden, None), "invalid");
        let hidden = report
            .clone()
            .moderated(Visibility::Hidden, Some("辱骂"))
            .unwrap();
        assert_eq!((hidden.reason.as_deref(), hidden.revision), (Some("辱骂"), 2));
        let shown = hidden.moderated(Visibility::Released, None).unwrap();
        assert_eq!((shown.reason, shown.revision), (None, 3));
    }

    #[test]
    fn a_contract_is_served_from_its_first_day_to_its_last() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let span = (Some(day("2026-05-01")), Some(day("2027-04-30")));
        assert!(is_served(day("2026-05-01"), span).is_ok() && is_served(day("2027-04-30"), span).is_ok());
        for outside in ["2026-04-30", "2027-05-01"] {
            assert_eq!(
                is_served(day(outside), span).unwrap_err().reason.code,
                "defect_not_served"
            );
        }
        assert!(is_served(day("2030-01-01"), (None, None)).is_ok());
    }
}
