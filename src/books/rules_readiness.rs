//! What a book lacks before it may be published: everything that is missing, and everything that the rules in force do not allow,
//! each with its place, and with the rule and its sources where it is one of those. The same list is shown while drafting and
//! refuses the publication. Pure: what has to be known of the world is given as facts.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use crate::books::rules_content::Content;
use crate::books::rules_documents::{BookDocument, CustodyDocument, LotDocument, Method, Party};
use crate::books::rules_splitting::{Purchase, SplittingRule, judge};
use crate::budget::rules::BudgetLine;
use crate::kernel::calendar::{Calendar, local_date};
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Objection, Reason, Refusal};
use crate::kernel::text::Text;
use crate::standards::rules::Version;
use crate::statutes::codes::{self, Key};
use crate::statutes::profile::{Citation, Profile};
use crate::statutes::value::Kinded;
use crate::text;

/// The intention notice that a book keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intended {
    /// When it was published, UTC.
    pub published_at: Instant,
    /// For how much it was.
    pub budget: Money,
    /// What other books that keep to it have taken of that.
    pub taken: Money,
}

/// What went before the book.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Planning {
    /// The intention notice that the book names, if it counts.
    pub intended: Option<Intended>,
    /// Whether the consultation on the need is concluded.
    pub consultation_concluded: bool,
    /// The book's own lots as purchases.
    pub own: Vec<Purchase>,
    /// What the buyer has bought, or is about to buy, without this book.
    pub others: Vec<Purchase>,
}

/// What is known of the budget line of a lot.
#[derive(Clone, Debug)]
pub struct LineFacts {
    /// The line.
    pub line: BudgetLine,
    /// What of it is free.
    pub available: Money,
}

/// What is known of a lot.
#[derive(Clone, Debug, Default)]
pub struct LotFacts {
    /// The version of the standard that it names, if it may be taken.
    pub standard: Option<Version>,
    /// The budget line that it names, if there is one.
    pub line: Option<LineFacts>,
}

/// What was published before, where an addendum is judged: what was lawful then and stays as it is, is not asked again.
#[derive(Clone, Copy, Debug)]
pub struct Published<'f> {
    /// The version that the addendum changes.
    pub content: &'f Content,
    /// When the book was published first, UTC.
    pub at: Instant,
}

/// What is known of a witness that the book names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WitnessFacts {
    /// Whether it is an account in use that holds the role.
    pub is_witness: bool,
    /// The recipient that they registered last.
    pub recipient: Option<String>,
}

/// What is known of the world.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// Who buys.
    pub organisation_id: &'f OrganisationId,
    /// Now.
    pub now: Instant,
    /// The ward's zone.
    pub zone: Tz,
    /// The ward's working days.
    pub calendar: &'f Calendar,
    /// The rules in force.
    pub profile: &'f Profile,
    /// What went before.
    pub planning: &'f Planning,
    /// Whether the category takes new books.
    pub category_is_open: bool,
    /// The places in the list of areas that name no area.
    pub unknown_areas: &'f [usize],
    /// What is known of each witness, if the key is to be shared.
    pub witnesses: &'f [WitnessFacts],
    /// What is known of each lot.
    pub lots: &'f [LotFacts],
    /// What was published before; `None` for a book that is published for the first time.
    pub published: Option<Published<'f>>,
}

/// Something that stands against publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where in the book.
    pub pointer: String,
    /// The stable code of what is wrong.
    pub code: &'static str,
    /// In words.
    pub detail: Text,
    /// The code of the rule, if it is one of the statutes.
    pub rule: Option<&'static str>,
    /// Where the rule stands.
    pub citations: Vec<Citation>,
}

/// Code of what is not there yet.
pub const MISSING: &str = "missing";
/// Code of what does not fit the rest of the ward.
pub const UNFIT: &str = "unfit";
/// Code of what the rules do not allow.
pub const UNLAWFUL: &str = "unlawful";

/// The refusal of a publication for that reason, with every item.
pub fn refusal(reason: &'static Reason, items: &[Item]) -> Refusal {
    let objections = items.iter().map(|item| Objection {
        pointer: item.pointer.clone(),
        code: item.rule.unwrap_or(item.code),
        detail: cited(item),
    });
    reason.refuse().listing(objections.collect())
}

fn cited(item: &Item) -> Text {
    let source = |instrument: &str, articles: &Option<String>| match articles {
        Some(articles) => format!("{instrument} {articles}"),
        None => instrument.to_owned(),
    };
    let zh: Vec<String> = item
        .citations
        .iter()
        .map(|one| source(&one.instrument_zh, &one.articles))
        .collect();
    let en: Vec<String> = item
        .citations
        .iter()
        .map(|one| source(&one.instrument_en, &one.articles))
        .collect();
    if zh.is_empty() {
        return item.detail.clone();
    }
    Text::made(
        format!("{}（{}）", item.detail.zh(), zh.join("；")),
        format!("{} ({})", item.detail.en(), en.join("; ")),
    )
}

pub(super) struct Findings<'f> {
    pub(super) facts: Facts<'f>,
    items: Vec<Item>,
}

/// Everything that stands against publication, in the order of the book.
///
/// # Errors
/// A rule that is not set; a fault of arithmetic beyond all bounds.
pub fn items(content: &Content, facts: Facts<'_>) -> Answer<Vec<Item>> {
    let book = content.document();
    let mut findings = Findings {
        facts,
        items: Vec::new(),
    };
    findings.head(book);
    findings.timetable(book)?;
    findings.sense(book);
    findings.conditions(book)?;
    match facts.published {
        None => findings.forerunners(content.budget())?,
        // What an addendum adds was announced as well.
        Some(before) if content.budget() > before.content.budget() => findings.announced(content.budget())?,
        Some(_) => {}
    }
    findings.splitting(content.budget())?;
    findings.method(book, content.budget())?;
    findings.securities(book)?;
    for (index, lot) in book.lots.iter().enumerate() {
        let known = facts.lots.get(index).cloned().unwrap_or_default();
        let place = format!("/lots/{index}");
        findings.scope(&place, lot);
        findings.payment_days(&place, lot)?;
        findings.standard(&place, lot, known.standard.as_ref());
        findings.money(&place, book, lot, known.line.as_ref());
        findings.judged(&place, book, lot, content.budget())?;
    }
    findings.lines_suffice(book);
    Ok(findings.items)
}

impl Findings<'_> {
    pub(super) fn add(&mut self, pointer: &str, code: &'static str, detail: Text) {
        self.items.push(Item {
            pointer: pointer.to_owned(),
            code,
            detail,
            rule: None,
            citations: Vec::new(),
        });
    }

    pub(super) fn missing_if(&mut self, is_missing: bool, pointer: &str, detail: Text) {
        if is_missing {
            self.add(pointer, MISSING, detail);
        }
    }

    pub(super) fn unlawful<V>(&mut self, key: Key<V>, pointer: &str, detail: Text) {
        let citations = self.facts.profile.find(key.code());
        self.items.push(Item {
            pointer: pointer.to_owned(),
            code: UNLAWFUL,
            detail,
            rule: Some(key.code()),
            citations: citations.map(|rule| rule.citations.clone()).unwrap_or_default(),
        });
    }

    pub(super) fn rule<V: Kinded>(&self, key: Key<V>) -> Answer<V> {
        self.facts.profile.rule(key)
    }

    fn head(&mut self, book: &BookDocument) {
        if !self.facts.category_is_open {
            self.add(
                "/category",
                UNFIT,
                Text::fixed(
                    "服务类别不存在或已停用",
                    "there is no such category, or it is retired",
                ),
            );
        }
        self.missing_if(
            book.areas.is_empty(),
            "/areas",
            Text::fixed("未写明服务区域", "says no areas"),
        );
        for index in self.facts.unknown_areas {
            self.add(
                &format!("/areas/{index}"),
                UNFIT,
                Text::fixed("没有该区域", "there is no such area"),
            );
        }
        for (party, detail) in [
            (
                Party::Buyer,
                Text::fixed("未写明采购人的责任", "says no duty of the buyer"),
            ),
            (
                Party::Supplier,
                Text::fixed("未写明承接主体的责任", "says no duty of the supplier"),
            ),
        ] {
            self.missing_if(
                !book.clauses.iter().any(|clause| clause.party == party),
                "/clauses",
                detail,
            );
        }
        self.missing_if(
            book.tie_rule.is_none(),
            "/tie_rule",
            Text::fixed("未写明同分规则", "says no tie rule"),
        );
        self.custody(book.custody.as_ref());
        self.missing_if(
            book.lots.is_empty(),
            "/lots",
            Text::fixed("至少一个标段", "needs a lot"),
        );
    }

    fn custody(&mut self, custody: Option<&CustodyDocument>) {
        let witnesses = match custody {
            None => {
                self.add(
                    "/custody",
                    MISSING,
                    Text::fixed("未写明开标密钥由谁保管", "says not who keeps the opening key"),
                );
                return;
            }
            Some(CustodyDocument::Custodial {}) => return,
            Some(CustodyDocument::Shared { witnesses, .. }) => witnesses,
        };
        let known = self.facts.witnesses;
        for index in 0..witnesses.len() {
            let fact = known.get(index);
            let recipient = fact.and_then(|one| one.recipient.as_ref());
            let (code, detail) = if !fact.is_some_and(|one| one.is_witness) {
                let detail = Text::fixed(
                    "该账户未担任开标见证人",
                    "is no account in use with the role of opening witness",
                );
                (UNFIT, detail)
            } else if recipient.is_none() {
                let detail = Text::fixed(
                    "该见证人尚未登记 age 接收方",
                    "has not registered an age recipient yet",
                );
                (MISSING, detail)
            } else {
                continue;
            };
            self.add(&format!("/custody/witnesses/{index}"), code, detail);
        }
    }

    pub(super) fn today(&self) -> NaiveDate {
        local_date(self.facts.now, self.facts.zone)
    }

    /// The day from which the time for bids counts: that of the first publication.
    fn issued(&self) -> NaiveDate {
        let at = self.facts.published.map_or(self.facts.now, |before| before.at);
        local_date(at, self.facts.zone)
    }

    /// The lot of that code as it was published before.
    pub(super) fn published_lot(&self, code: &str) -> Option<&LotDocument> {
        let before = self.facts.published?;
        before.content.document().lots.iter().find(|lot| lot.code == code)
    }

    fn timetable(&mut self, book: &BookDocument) -> Answer<()> {
        let times = &book.timetable;
        for (field, is_missing) in [
            ("enquiry_deadline", times.enquiry_deadline.is_none()),
            ("answer_deadline", times.answer_deadline.is_none()),
            ("bid_deadline", times.bid_deadline.is_none()),
            ("opening", times.opening.is_none()),
            ("service_from", times.service_from.is_none()),
            ("service_until", times.service_until.is_none()),
        ] {
            self.missing_if(
                is_missing,
                &format!("/timetable/{field}"),
                Text::fixed("未写明", "is not said"),
            );
        }
        let before = self.facts.published.map(|before| before.content.document());
        let stays = before.is_some_and(|before| before.timetable.enquiry_deadline == times.enquiry_deadline);
        if let Some(deadline) = times.enquiry_deadline
            && deadline <= self.facts.now
            && !stays
        {
            self.add(
                "/timetable/enquiry_deadline",
                UNFIT,
                Text::fixed("已过", "is past"),
            );
        }
        if let Some(deadline) = times.bid_deadline {
            self.deadline(deadline)?;
        }
        if let (Some(deadline), Some(opening)) = (times.bid_deadline, times.opening)
            && self.rule(codes::TENDER_OPENING_AT_DEADLINE)?
            && deadline != opening
        {
            self.unlawful(
                codes::TENDER_OPENING_AT_DEADLINE,
                "/timetable/opening",
                Text::fixed("开标应在投标截止时", "must be the deadline for bids"),
            );
        }
        if let (Some(from), Some(until)) = (times.service_from, times.service_until) {
            self.term(from, until, book.budget_is_stable)?;
        }
        Ok(())
    }

    fn deadline(&mut self, deadline: Instant) -> Answer<()> {
        let pointer = "/timetable/bid_deadline";
        let (issued, last) = (self.issued(), local_date(deadline, self.facts.zone));
        if deadline <= self.facts.now {
            self.add(pointer, UNFIT, Text::fixed("已过", "is past"));
            return Ok(());
        }
        let days = self.rule(codes::TENDER_PERIOD_DAYS_MIN)?.0;
        let between = last.signed_duration_since(issued).num_days();
        if between < i64::from(days) {
            let detail = text!(
                "自发出之日起至投标截止不得少于 {days} 日，现为 {between} 日",
                "must lie at least {days} days after publication, and not {between}"
            );
            self.unlawful(codes::TENDER_PERIOD_DAYS_MIN, pointer, detail);
        }
        let working = self.rule(codes::TENDER_DOCUMENT_AVAILABLE_WORKING_DAYS_MIN)?.0;
        match self.facts.calendar.working_days_between(issued, last) {
            Ok(between) if between < working => {
                let detail = text!(
                    "文件提供期限不得少于 {working} 个工作日，现为 {between} 个",
                    "leaves {between} working days for the documents, of which there must be {working}"
                );
                self.unlawful(codes::TENDER_DOCUMENT_AVAILABLE_WORKING_DAYS_MIN, pointer, detail);
            }
            Ok(_) => {}
            Err(_) => self.add(
                pointer,
                UNFIT,
                Text::fixed("工作日历未覆盖该日期", "lies beyond the calendar of working days"),
            ),
        }
        Ok(())
    }

    fn term(&mut self, from: NaiveDate, until: NaiveDate, is_stable: bool) -> Answer<()> {
        let key = if is_stable {
            codes::PLANNING_TERM_YEARS_MAX_IF_BUDGET_STABLE
        } else {
            codes::PLANNING_TERM_YEARS_MAX
        };
        let years = self.rule(key)?.0;
        let end = i32::try_from(years)
            .ok()
            .and_then(|years| from.year().checked_add(years))
            // A year that begins on 29 February ends on 28 February, the day before 1 March.
            .and_then(|year| {
                from.with_year(year)
                    .or_else(|| NaiveDate::from_ymd_opt(year, 3, 1))
            });
        if end.is_some_and(|end| until >= end) {
            self.unlawful(
                key,
                "/timetable/service_until",
                if years == 1 {
                    Text::fixed("服务期不得超过 1 年", "the term is at most one year")
                } else {
                    text!("服务期不得超过 {years} 年", "the term is at most {years} years")
                },
            );
        }
        Ok(())
    }

    /// What has to have gone before a book; asked once, before it is published.
    fn forerunners(&mut self, budget: Option<Money>) -> Answer<()> {
        let days = self.rule(codes::PLANNING_INTENTION_NOTICE_DAYS_MIN)?.0;
        if days > 0 {
            let waited = self.facts.planning.intended.map(|notice| {
                self.today()
                    .signed_duration_since(local_date(notice.published_at, self.facts.zone))
                    .num_days()
            });
            if waited.is_none_or(|waited| waited < i64::from(days)) {
                let detail = text!(
                    "同一采购人、同一类别的采购意向应至少提前 {days} 日公开",
                    "an intention notice of this buyer and category must have been public for at least {days} days"
                );
                self.unlawful(codes::PLANNING_INTENTION_NOTICE_DAYS_MIN, "/intention_id", detail);
            }
        }
        self.announced(budget)?;
        if self.rule(codes::PLANNING_CONSULTATION_RECORD_REQUIRED)?
            && !self.facts.planning.consultation_concluded
        {
            let detail = Text::fixed(
                "公共服务应有同一采购人、同一类别的需求论证记录",
                "a service to the public needs a concluded consultation of this buyer and category",
            );
            self.unlawful(
                codes::PLANNING_CONSULTATION_RECORD_REQUIRED,
                "/consultation_id",
                detail,
            );
        }
        Ok(())
    }

    /// What a notice announced, its budget among it, is what is bought: one notice covers several books as far as its budget goes.
    fn announced(&mut self, budget: Option<Money>) -> Answer<()> {
        let (Some(notice), Some(budget)) = (self.facts.planning.intended, budget) else {
            return Ok(());
        };
        let names_budget = self
            .rule(codes::PLANNING_INTENTION_NOTICE_CONTENTS)?
            .names("budget");
        let total = budget.checked_add(notice.taken).ok();
        if names_budget && total.is_none_or(|total| total > notice.budget) {
            let (announced, taken) = (notice.budget.grouped(), notice.taken.grouped());
            let detail = text!(
                "采购意向公开的预算为 {announced} 元，其他责任书已占用 {taken} 元，本次超出",
                "the notice announced {announced} yuan, of which other books have taken {taken}, and this is more"
            );
            self.unlawful(codes::PLANNING_INTENTION_NOTICE_CONTENTS, "/intention_id", detail);
        }
        Ok(())
    }

    fn splitting(&mut self, budget: Option<Money>) -> Answer<()> {
        let rule = SplittingRule::of(self.facts.profile)?;
        // What reaches the threshold alone is said of its method.
        if budget.is_none_or(|budget| budget >= rule.threshold) {
            return Ok(());
        }
        let planning = self.facts.planning;
        let all: Vec<Purchase> = planning.own.iter().chain(&planning.others).cloned().collect();
        let mut is_split = false;
        for purchase in &planning.own {
            is_split |= judge(purchase, &all, &rule)?.forbidden;
        }
        if is_split {
            let detail = Text::fixed(
                "与同类采购合计已达公开招标限额，不得化整为零",
                "together with what was bought alike it reaches the threshold of open tender, which must not be split",
            );
            self.unlawful(codes::PLANNING_SPLITTING_FORBIDDEN, "/lots", detail);
        }
        Ok(())
    }

    /// Whether the statutes name the method for open tenders.
    fn names(&self, method: Option<Method>) -> Answer<bool> {
        let methods = self.rule(codes::EVALUATION_METHODS)?;
        Ok(method.is_none_or(|method| methods.names(method.name())))
    }

    fn method(&mut self, book: &BookDocument, budget: Option<Money>) -> Answer<()> {
        self.missing_if(
            book.method.is_none(),
            "/method",
            Text::fixed("未写明评审方法", "says no method"),
        );
        let threshold = self.rule(codes::PLANNING_OPEN_TENDER_THRESHOLD)?;
        if !self.names(book.method)? && budget.is_some_and(|budget| budget >= threshold) {
            let detail = Text::fixed(
                "达到公开招标限额的，不得采用此方法",
                "is no method for open tenders, which this amount needs",
            );
            self.unlawful(codes::EVALUATION_METHODS, "/method", detail);
        }
        Ok(())
    }

    fn securities(&mut self, book: &BookDocument) -> Answer<()> {
        for (key, pointer, percent) in [
            (
                codes::TENDER_BID_SECURITY_PERCENT_MAX,
                "/bid_security_percent",
                book.bid_security_percent,
            ),
            (
                codes::CONTRACT_PERFORMANCE_SECURITY_PERCENT_MAX,
                "/performance_security_percent",
                book.performance_security_percent,
            ),
        ] {
            let max = self.rule(key)?.0;
            if percent.is_some_and(|percent| percent > max) {
                self.unlawful(key, pointer, text!("不得超过 {max}%", "is at most {max} %"));
            }
        }
        Ok(())
    }
}
