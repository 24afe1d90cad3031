//! Addenda to a published book: which state follows which, what an addendum may change, what follows from it for bids, and how far the
//! deadline has to lie behind it. What it changes beside that has to be as lawful as a book's first publication, which is the business
//! of `rules_readiness.rs`. Pure.

use chrono::{Duration, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::books::rules::{Book, BookId, State as BookState, VERSIONS_MAX, WRONG_STATE as BOOK_WRONG_STATE};
use crate::books::rules_content::Content;
use crate::books::rules_differences::Difference;
use crate::books::rules_documents::{BookDocument, LotDocument, SmeDocument, TEXT_LENGTH_MAX};
use crate::books::rules_readiness::{Item, UNFIT, UNLAWFUL};
use crate::kernel::calendar::local_date;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::refusal::{Answer, Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::statutes::codes::{self, Key};
use crate::statutes::profile::Profile;
use crate::text;

crate::ids! {
    /// An addendum to a published book.
    AddendumId "addendum"
}

/// The addendum is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "addendum_wrong_state",
    "补遗当前状态不允许此操作",
    "The addendum's state does not allow this",
);
/// Another addendum to the book is being written.
pub static ALREADY_OPEN: Reason = Reason::new(
    Kind::Conflict,
    "addendum_already_open",
    "该项目承包责任书已有一份起草中的补遗",
    "Another addendum to the book is being written",
);
/// It says nothing that the book does not say.
pub static CHANGES_NOTHING: Reason = Reason::new(
    Kind::Conflict,
    "addendum_changes_nothing",
    "补遗未改变任何内容",
    "The addendum changes nothing",
);
/// Something is missing, or not as the rules want it.
pub static NOT_READY: Reason = Reason::new(
    Kind::Conflict,
    "addendum_not_ready",
    "补遗尚有缺漏或不合规之处",
    "Something of the addendum is missing or unlawful",
);
/// Bids are not taken any more.
pub static BIDS_CLOSED: Reason = Reason::new(
    Kind::Conflict,
    "book_bids_closed",
    "投标已截止",
    "The deadline for bids has passed",
);
/// The book has as many versions as one may have.
pub static TOO_MANY_VERSIONS: Reason = Reason::new(
    Kind::Conflict,
    "book_too_many_versions",
    "版本数量已达上限",
    "The book has as many versions as one may have",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 6] = [
    &WRONG_STATE,
    &ALREADY_OPEN,
    &CHANGES_NOTHING,
    &NOT_READY,
    &BIDS_CLOSED,
    &TOO_MANY_VERSIONS,
];

/// How far an addendum has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AddendumState)]
pub enum State {
    /// It is being written.
    Draft,
    /// It is a version of the book.
    Published,
    /// It was given up.
    Discarded,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Published, Self::Discarded];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Discarded => "discarded",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// An addendum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addendum {
    /// Its id.
    pub id: AddendumId,
    /// To which book.
    pub book_id: BookId,
    /// How far it has come.
    pub state: State,
    /// The version of the book that it changes.
    pub base: i64,
    /// Counts the book's published addenda, from 1; the version that it made is the one after.
    pub number: Option<i64>,
    /// Why.
    pub reason: Line,
    /// Whether its drafter says that it affects bids. What its fields show counts beside: see [`Self::affects_bids`].
    pub said_to_affect_bids: bool,
    /// What the book is to say.
    pub content: Content,
    /// SHA-256 of the stored bytes.
    pub sha256: [u8; 32],
    /// Counts the changes, from 1.
    pub revision: i64,
    /// When it was begun, UTC.
    pub created_at: Instant,
    /// When it was changed last, UTC.
    pub updated_at: Instant,
}

/// What is entered of an addendum.
#[derive(Clone, Debug)]
pub struct Entered {
    /// Why, in Chinese and English. It becomes public.
    pub reason: (String, String),
    /// Whether it affects bids, though its fields do not show it. `false` says nothing: what they show counts in any case.
    pub affects_bids: bool,
    /// What the book is to say.
    pub content: Content,
}

impl Addendum {
    /// Whether bids that were sealed before have to be confirmed, given what it changes. A drafter can say that it affects bids where the
    /// fields do not show it, and never that it does not where they do.
    pub fn affects_bids(&self, changes: &[Difference]) -> bool {
        self.said_to_affect_bids || changes.iter().any(affects)
    }
}

/// The reason of an addendum, checked.
fn reason(entered: &Entered) -> Result<Line, Refusal> {
    let mut form = Form::new();
    let reason = Line {
        zh: form.line("/reason_zh", &entered.reason.0, TEXT_LENGTH_MAX),
        en: form.line("/reason_en", &entered.reason.1, TEXT_LENGTH_MAX),
    };
    form.finish(reason)
}

/// A draft of an addendum to a book's current version, which is `base`.
///
/// # Errors
/// A reason that is none.
pub fn draft(
    id: AddendumId,
    (book_id, base): (BookId, i64),
    entered: Entered,
    now: Instant,
) -> Result<Addendum, Refusal> {
    Ok(Addendum {
        id,
        book_id,
        state: State::Draft,
        base,
        number: None,
        reason: reason(&entered)?,
        said_to_affect_bids: entered.affects_bids,
        content: entered.content,
        // Set when it is written out.
        sha256: [0; 32],
        revision: 1,
        created_at: now,
        updated_at: now,
    })
}

fn advanced(before: Addendum, state: State, now: Instant) -> Addendum {
    Addendum {
        state,
        revision: before.revision.saturating_add(1),
        updated_at: now,
        ..before
    }
}

/// Whether it is still being written.
///
/// # Errors
/// [`WRONG_STATE`].
pub fn is_open(addendum: &Addendum) -> Result<(), Refusal> {
    if addendum.state == State::Draft {
        return Ok(());
    }
    let name = addendum.state.name();
    Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")))
}

/// The draft as it is entered now; `None` if it says that already.
///
/// # Errors
/// [`WRONG_STATE`] unless it is a draft; a reason that is none.
pub fn rewrite(before: Addendum, entered: Entered, now: Instant) -> Result<Option<Addendum>, Refusal> {
    let reason = reason(&entered)?;
    is_open(&before)?;
    let is_same = before.reason == reason
        && before.said_to_affect_bids == entered.affects_bids
        && before.content == entered.content;
    if is_same {
        return Ok(None);
    }
    Ok(Some(Addendum {
        reason,
        said_to_affect_bids: entered.affects_bids,
        content: entered.content,
        ..advanced(before, State::Draft, now)
    }))
}

/// The draft, given up.
///
/// # Errors
/// [`WRONG_STATE`] unless it is a draft.
pub fn discard(before: Addendum, now: Instant) -> Result<Addendum, Refusal> {
    is_open(&before)?;
    Ok(advanced(before, State::Discarded, now))
}

/// The addendum, public.
///
/// # Errors
/// [`WRONG_STATE`] unless it is a draft.
pub fn publish(before: Addendum, now: Instant) -> Result<Addendum, Refusal> {
    is_open(&before)?;
    let number = Some(before.base);
    Ok(Addendum {
        number,
        ..advanced(before, State::Published, now)
    })
}

/// Whether a book may have another version now: it is published, and takes bids. Returns the number of its current one.
///
/// # Errors
/// `book_wrong_state` unless it is published; [`BIDS_CLOSED`] from the deadline on; [`TOO_MANY_VERSIONS`].
pub fn may_amend(book: &Book, now: Instant) -> Result<i64, Refusal> {
    let name = book.state.name();
    let versions = match (&book.publication, book.state) {
        (Some(publication), BookState::Published) => publication.versions,
        _ => return Err(BOOK_WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}"))),
    };
    let deadline = book.content.document().timetable.bid_deadline;
    if deadline.is_none_or(|deadline| now >= deadline) {
        return Err(BIDS_CLOSED.refuse());
    }
    if versions >= VERSIONS_MAX {
        let detail = text!("最多 {VERSIONS_MAX} 个", "at most {VERSIONS_MAX}");
        return Err(TOO_MANY_VERSIONS.because(detail));
    }
    Ok(versions)
}

/// Whether a bid that was sealed under a version of its book has to be confirmed, or replaced, before it counts: true if a later version
/// affects bids. `last_affecting` is the number of the last version that does.
pub fn needs_confirmation(sealed_under: i64, last_affecting: Option<i64>) -> bool {
    last_affecting.is_some_and(|number| number > sealed_under)
}

/// Whether a change may bear on the preparation of bids (条例 art 31). Whatever a bidder reads may; what does not is more time, and what
/// the buyer says of its own budget. A date that comes earlier, or that cannot be read, does.
pub fn affects(change: &Difference) -> bool {
    match change.pointer.as_str() {
        "/budget_is_stable" => false,
        "/timetable/enquiry_deadline"
        | "/timetable/answer_deadline"
        | "/timetable/bid_deadline"
        | "/timetable/opening" => {
            let later = instant(change.before.as_ref()).zip(instant(change.after.as_ref()));
            later.is_none_or(|(before, after)| after < before)
        }
        _ => true,
    }
}

fn instant(value: Option<&Value>) -> Option<Instant> {
    serde_json::from_value(value?.clone()).ok()
}

/// When an addendum is judged, and by what.
#[derive(Clone, Copy)]
pub struct Judging<'j> {
    /// The rules that hold for the book.
    pub profile: &'j Profile,
    /// Now.
    pub now: Instant,
    /// The ward's zone.
    pub zone: Tz,
}

/// Everything that an addendum may not do because it is one, in the order of the book. What it may never change:
///
/// - what is bought (87号令 art 27): the category, the areas that are served, and which lots there are. Quantities and the places in them
///   are corrected; whoever wants something else bought cancels the book and publishes another;
/// - who may bid (the same): the qualifications, and whether a lot is reserved for small and medium enterprises;
/// - the method, which decided whether the tender is open, and the notice and consultation that went before it: they were asked once;
/// - who keeps the opening key: it was made with the book, and bids are sealed to it;
/// - which budget line pays for a lot: its money is reserved there. The ceiling may change as far as that line has it.
///
/// The buyer is no part of what a book says. Criteria, standards, payment and the rest may change as long as bidders have time for it:
/// the law asks for days, and not for silence. No date comes earlier than it was published, for bidders rely on it.
///
/// # Errors
/// A rule that is not set.
pub fn objections(
    before: &BookDocument,
    after: &BookDocument,
    affects_bids: bool,
    judging: Judging<'_>,
) -> Answer<Vec<Item>> {
    let mut found = Found {
        judging,
        items: Vec::new(),
    };
    found.never_changed(before, after)?;
    found.dates(before, after);
    if affects_bids {
        found.time_left(before, after)?;
    }
    Ok(found.items)
}

struct Found<'j> {
    judging: Judging<'j>,
    items: Vec<Item>,
}

/// What the law never lets an addendum change, and by which word the rule names it.
const OBJECT: &str = "object";
const QUALIFICATIONS: &str = "qualifications";

impl Found<'_> {
    fn unfit(&mut self, pointer: &str, detail: Text) {
        self.items.push(Item {
            pointer: pointer.to_owned(),
            code: UNFIT,
            detail,
            rule: None,
            citations: Vec::new(),
        });
    }

    fn unlawful<V>(&mut self, key: Key<V>, pointer: &str, detail: Text) {
        let rule = self.judging.profile.find(key.code());
        self.items.push(Item {
            pointer: pointer.to_owned(),
            code: UNLAWFUL,
            detail,
            rule: Some(key.code()),
            citations: rule.map(|rule| rule.citations.clone()).unwrap_or_default(),
        });
    }

    /// What never changes, by the law where the rules say so; where they do not, because the house does not know how.
    fn never(&mut self, what: &str, pointer: &str, detail: Text) -> Answer<()> {
        let key = codes::TENDER_CLARIFICATION_NEVER_CHANGES;
        let named = self.judging.profile.rule_if_set(key)?;
        if named.is_some_and(|named| named.names(what)) {
            self.unlawful(key, pointer, detail);
        } else {
            self.unfit(pointer, detail);
        }
        Ok(())
    }

    fn never_changed(&mut self, before: &BookDocument, after: &BookDocument) -> Answer<()> {
        if before.category != after.category {
            let detail = Text::fixed(
                "不得改变采购标的：服务类别",
                "what is bought never changes: its category",
            );
            self.never(OBJECT, "/category", detail)?;
        }
        if before.areas != after.areas {
            let detail = Text::fixed(
                "不得改变采购标的：服务区域",
                "what is bought never changes: the areas that are served",
            );
            self.never(OBJECT, "/areas", detail)?;
        }
        if before.method != after.method {
            self.unfit(
                "/method",
                Text::fixed("发布后不得改变", "never changes after publication"),
            );
        }
        if before.qualifications != after.qualifications {
            let detail = Text::fixed("不得改变资格条件", "the conditions of qualification never change");
            self.never(QUALIFICATIONS, "/qualifications", detail)?;
        }
        if before.custody != after.custody {
            let detail = Text::fixed(
                "开标密钥已随发布生成，不得改变",
                "never changes: the opening key was made with the book",
            );
            self.unfit("/custody", detail);
        }
        for (pointer, is_same) in [
            ("/intention_id", before.intention_id == after.intention_id),
            (
                "/consultation_id",
                before.consultation_id == after.consultation_id,
            ),
            ("/tie_rule", before.tie_rule == after.tie_rule),
            ("/rounding", before.rounding == after.rounding),
        ] {
            if !is_same {
                self.unfit(
                    pointer,
                    Text::fixed("发布后不得改变", "never changes after publication"),
                );
            }
        }
        let codes =
            |book: &BookDocument| -> Vec<String> { book.lots.iter().map(|lot| lot.code.clone()).collect() };
        if codes(before) != codes(after) {
            let detail = Text::fixed(
                "不得改变采购标的：标段的数量、编号和顺序",
                "what is bought never changes: how many lots there are, their codes and order",
            );
            self.never(OBJECT, "/lots", detail)?;
        }
        for (index, lot) in after.lots.iter().enumerate() {
            let published = before.lots.iter().find(|known| known.code == lot.code);
            if let Some(published) = published {
                self.lot(&format!("/lots/{index}"), published, lot)?;
            }
        }
        Ok(())
    }

    fn lot(&mut self, place: &str, before: &LotDocument, after: &LotDocument) -> Answer<()> {
        if before.budget_line_id != after.budget_line_id {
            let detail = Text::fixed(
                "资金已在原预算项预留，不得改变",
                "never changes: its money is reserved on that line",
            );
            self.unfit(&format!("{place}/budget_line_id"), detail);
        }
        // How points are given may be put in better words; what is judged and what it weighs is frozen.
        let judged = |lot: &LotDocument| -> Vec<_> {
            let criteria = lot.criteria.iter();
            criteria
                .map(|one| (one.code.clone(), one.kind, one.weight))
                .collect()
        };
        if judged(before) != judged(after) {
            self.unfit(
                &format!("{place}/criteria"),
                Text::fixed(
                    "评审因素及权重自发布起冻结，不得改变",
                    "the criteria and their weights are frozen with the publication",
                ),
            );
        }
        let is_reserved = |lot: &LotDocument| matches!(lot.sme, Some(SmeDocument::Reserved {}));
        if is_reserved(before) != is_reserved(after) {
            let detail = Text::fixed(
                "是否预留给中小企业属资格条件，不得改变",
                "the conditions of qualification never change: whether it is reserved for small and medium enterprises",
            );
            self.never(QUALIFICATIONS, &format!("{place}/sme"), detail)?;
        }
        Ok(())
    }

    fn dates(&mut self, before: &BookDocument, after: &BookDocument) {
        let (before, after) = (&before.timetable, &after.timetable);
        for (field, was, is) in [
            (
                "enquiry_deadline",
                before.enquiry_deadline,
                after.enquiry_deadline,
            ),
            ("answer_deadline", before.answer_deadline, after.answer_deadline),
            ("bid_deadline", before.bid_deadline, after.bid_deadline),
        ] {
            if was.zip(is).is_some_and(|(was, is)| is < was) {
                let detail = Text::fixed("不得早于已发布的时点", "must not come before what was published");
                self.unfit(&format!("/timetable/{field}"), detail);
            }
        }
    }

    /// Enough days between a change that affects bids and the deadline; with too few the deadline moves.
    fn time_left(&mut self, before: &BookDocument, after: &BookDocument) -> Answer<()> {
        let profile = self.judging.profile;
        let days = profile.rule(codes::TENDER_CLARIFICATION_DAYS_MIN)?.0;
        let moves = profile.rule(codes::TENDER_CLARIFICATION_MOVES_DEADLINE)?;
        // Where the deadline does not move, only the one that was published can be far enough away.
        let counted = if moves { after } else { before };
        let Some(deadline) = counted.timetable.bid_deadline else {
            return Ok(());
        };
        let (today, last) = (self.date(self.judging.now), self.date(deadline));
        let between = last.signed_duration_since(today).num_days();
        if between >= i64::from(days) {
            return Ok(());
        }
        if !moves {
            let detail = text!(
                "可能影响投标的修改应在投标截止 {days} 日前发出，现余 {between} 日",
                "what affects bids changes at least {days} days before their deadline, which is {between} days away"
            );
            self.unlawful(codes::TENDER_CLARIFICATION_DAYS_MIN, "", detail);
            return Ok(());
        }
        let earliest = before
            .timetable
            .bid_deadline
            .and_then(|published| earliest_deadline(published, days, self.judging))
            .map(rfc3339)
            .unwrap_or_default();
        let detail = text!(
            "可能影响投标的修改距投标截止不足 {days} 日的，应顺延投标截止时间：现余 {between} 日，最早为 {earliest}",
            "what affects bids moves a deadline that is less than {days} days away: it would be {between}, and the earliest is {earliest}"
        );
        self.unlawful(
            codes::TENDER_CLARIFICATION_MOVES_DEADLINE,
            "/timetable/bid_deadline",
            detail,
        );
        Ok(())
    }

    fn date(&self, at: Instant) -> NaiveDate {
        local_date(at, self.judging.zone)
    }
}

/// The earliest deadline that leaves so many days from now: the published one, or the same time of day on a later one. `None` if that is
/// beyond all calendars.
pub fn earliest_deadline(published: Instant, days: u32, judging: Judging<'_>) -> Option<Instant> {
    let zone = judging.zone;
    let first = local_date(judging.now, zone).checked_add_signed(Duration::days(i64::from(days)))?;
    if local_date(published, zone) >= first {
        return Some(published);
    }
    let time = published.with_timezone(&zone).time();
    // Where clocks are put forward that day, the hour may not be there; then it is the next one.
    let moved = first.and_time(time);
    let later = moved.checked_add_signed(Duration::hours(1))?;
    [moved, later]
        .iter()
        .find_map(|local| zone.from_local_datetime(local).earliest())
        .map(|local| local.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::books::rules_differences::differences;
    use crate::books::templates;
    use crate::kernel::calendar::ZONE_DEFAULT;
    use crate::kernel::money::Money;
    use crate::statutes::built_in;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn book() -> BookDocument {
        let mut book = templates::template("sanitation").unwrap().unwrap();
        book.timetable.enquiry_deadline = Some(at("2026-03-12T01:00:00Z"));
        book.timetable.answer_deadline = Some(at("2026-03-17T01:00:00Z"));
        book.timetable.bid_deadline = Some(at("2026-04-01T01:00:00Z"));
        book.timetable.opening = Some(at("2026-04-01T01:00:00Z"));
        for lot in &mut book.lots {
            lot.ceiling = Some(Money::from_fen(60_000).unwrap());
        }
        book
    }

    fn changes(change: impl FnOnce(&mut BookDocument)) -> (BookDocument, Vec<Difference>) {
        let before = book();
        let mut after = before.clone();
        change(&mut after);
        let found = differences(&value(&before), &value(&after));
        (after, found)
    }

    fn value(document: &BookDocument) -> Value {
        serde_json::to_value(document).unwrap()
    }

    fn profile(jurisdiction: &str) -> Profile {
        built_in::profiles_for(jurisdiction).unwrap().remove(0)
    }

    fn judged(
        jurisdiction: &str,
        now: &str,
        change: impl FnOnce(&mut BookDocument),
    ) -> Vec<(String, &'static str)> {
        let profile = profile(jurisdiction);
        let judging = Judging {
            profile: &profile,
            now: at(now),
            zone: ZONE_DEFAULT,
        };
        let (after, found) = changes(change);
        let affects_bids = found.iter().any(affects);
        let items = objections(&book(), &after, affects_bids, judging).unwrap();
        items
            .into_iter()
            .map(|item| (item.pointer, item.rule.unwrap_or(item.code)))
            .collect()
    }

    #[test]
    fn whatever_a_bidder_reads_affects_bids_and_more_time_does_not() {
        let affects_bids = |change: fn(&mut BookDocument)| changes(change).1.iter().any(affects);
        assert!(!affects_bids(|_| {}));
        assert!(!affects_bids(|book| book.budget_is_stable = true));
        let later = |book: &mut BookDocument| {
            book.timetable.bid_deadline = Some(at("2026-04-08T01:00:00Z"));
            book.timetable.opening = Some(at("2026-04-08T01:00:00Z"));
            book.timetable.answer_deadline = Some(at("2026-03-20T01:00:00Z"));
        };
        assert!(!affects_bids(later));
        for change in [
            |book: &mut BookDocument| book.timetable.bid_deadline = Some(at("2026-03-31T01:00:00Z")),
            |book: &mut BookDocument| book.timetable.opening = None,
            |book: &mut BookDocument| book.timetable.service_until = Some("2027-04-30".parse().unwrap()),
            |book: &mut BookDocument| book.title_en.push('s'),
            |book: &mut BookDocument| book.clauses[0].text_zh.push('。'),
            |book: &mut BookDocument| book.lots[0].ceiling = Some(Money::from_fen(1).unwrap()),
            |book: &mut BookDocument| book.lots[0].criteria[1].scale_en.push('.'),
            |book: &mut BookDocument| book.lots[0].quantities[0].amount = "2".to_owned(),
            |book: &mut BookDocument| book.performance_security_percent = None,
            |book: &mut BookDocument| book.tie_rule = None,
        ] {
            assert!(affects_bids(change));
        }
    }

    #[test]
    fn what_is_bought_who_may_bid_and_what_money_and_key_hang_on_never_change() {
        use crate::books::rules_documents::{CustodyDocument, Method, RequirementDocument};
        let never = "tender.clarification_never_changes";
        let found = judged("cn", "2026-03-03T00:00:00Z", |book| {
            book.category = "greening".to_owned();
            book.method = Some(Method::LowestEvaluatedPrice);
            book.qualifications.push(RequirementDocument {
                kind: None,
                name_zh: "许可证".to_owned(),
                name_en: "A licence".to_owned(),
            });
            book.custody = Some(CustodyDocument::Shared {
                threshold: 2,
                witnesses: [
                    "user_01jd3n8f5teqkrzvq1c0m6h2ax",
                    "user_01jd3n8f5teqkrzvq1c0m6h2ay",
                ]
                .map(|witness| witness.parse().unwrap())
                .to_vec(),
            });
            let mut second = book.lots[0].clone();
            second.code = "2".to_owned();
            book.lots.push(second);
            book.lots[0].sme = None;
            book.lots[0].budget_line_id = Some("budgetline_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap());
        });
        let expected = [
            ("/category", never),
            ("/method", "unfit"),
            ("/qualifications", never),
            ("/custody", "unfit"),
            ("/lots", never),
            ("/lots/0/budget_line_id", "unfit"),
            ("/lots/0/sme", never),
        ];
        assert_eq!(found, expected.map(|(pointer, rule)| (pointer.to_owned(), rule)));
        assert_eq!(judged("cn", "2026-03-03T00:00:00Z", |_| {}), []);
    }

    #[test]
    fn a_deadline_less_than_fifteen_days_away_moves_and_none_comes_earlier() {
        let text = |book: &mut BookDocument| book.clauses[0].text_zh.push('。');
        // 17 March is fifteen days before 1 April in Shanghai; 18 March is not.
        assert_eq!(judged("cn", "2026-03-17T15:59:59Z", text), []);
        let moves = || {
            [(
                "/timetable/bid_deadline".to_owned(),
                "tender.clarification_moves_deadline",
            )]
        };
        assert_eq!(judged("cn", "2026-03-17T16:00:00Z", text), moves());
        let moved = |day: &'static str| {
            move |book: &mut BookDocument| {
                book.clauses[0].text_zh.push('。');
                book.timetable.bid_deadline = Some(at(day));
            }
        };
        assert_eq!(
            judged("cn", "2026-03-30T00:00:00Z", moved("2026-04-13T01:00:00Z")),
            moves()
        );
        assert_eq!(
            judged("cn", "2026-03-30T00:00:00Z", moved("2026-04-14T01:00:00Z")),
            []
        );
        // More time alone may be given until the last minute.
        let later = |book: &mut BookDocument| book.timetable.bid_deadline = Some(at("2026-04-02T01:00:00Z"));
        assert_eq!(judged("cn", "2026-04-01T00:59:59Z", later), []);
        let earlier = |book: &mut BookDocument| {
            book.timetable.enquiry_deadline = Some(at("2026-03-11T01:00:00Z"));
            book.timetable.bid_deadline = Some(at("2026-03-31T01:00:00Z"));
        };
        let unfit = |pointer: &str| (pointer.to_owned(), "unfit");
        assert_eq!(
            judged("test", "2026-03-03T00:00:00Z", earlier),
            [
                unfit("/timetable/enquiry_deadline"),
                unfit("/timetable/bid_deadline")
            ]
        );
        assert_eq!(
            judged("test", "2026-03-31T00:00:00Z", text),
            [],
            "these rules ask for no days"
        );
    }

    #[test]
    fn a_drafter_says_that_it_affects_bids_and_never_that_it_does_not() {
        let (after, found) = changes(|book| book.budget_is_stable = true);
        let entered = |affects_bids| Entered {
            reason: ("更正".to_owned(), "Corrected".to_owned()),
            affects_bids,
            content: Content::checked(after.clone()).unwrap(),
        };
        let now = at("2026-03-03T00:00:00Z");
        let to = || (BookId::mint(now), 1);
        let addendum = |says| draft(AddendumId::mint(now), to(), entered(says), now).unwrap();
        assert!(!addendum(false).affects_bids(&found) && addendum(true).affects_bids(&found));
        let text = Difference {
            pointer: "/title_en".to_owned(),
            before: Some(json!("a")),
            after: Some(json!("b")),
        };
        assert!(addendum(false).affects_bids(&[text]));
        let published = publish(addendum(false), now).unwrap();
        assert_eq!(
            (published.number, published.state, published.revision),
            (Some(1), State::Published, 2)
        );
        assert_eq!(
            publish(published.clone(), now).unwrap_err().reason.code,
            "addendum_wrong_state"
        );
        assert_eq!(
            discard(published, now).unwrap_err().reason.code,
            "addendum_wrong_state"
        );
        assert_eq!(rewrite(addendum(true), entered(true), now), Ok(None));
        assert!(rewrite(discard(addendum(true), now).unwrap(), entered(false), now).is_err());
    }

    #[test]
    fn a_bid_is_confirmed_if_a_later_version_affects_it() {
        assert!(!needs_confirmation(1, None));
        assert!(needs_confirmation(1, Some(2)) && needs_confirmation(1, Some(4)));
        assert!(!needs_confirmation(2, Some(2)) && !needs_confirmation(3, Some(2)));
    }

    proptest! {
        #[test]
        fn the_earliest_deadline_is_lawful_and_the_day_before_is_not(minutes in 0_i64..200_000, days in 0_u32..60, published in 0_i64..100_000) {
            let start = Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap();
            let (now, published) = (start + Duration::minutes(minutes), start + Duration::minutes(published));
            let profile = profile("test");
            for zone in [ZONE_DEFAULT, chrono_tz::Europe::Berlin] {
                let judging = Judging { profile: &profile, now, zone };
                let earliest = earliest_deadline(published, days, judging).unwrap();
                let between = |deadline: Instant| local_date(deadline, zone).signed_duration_since(local_date(now, zone)).num_days();
                prop_assert!(earliest >= published && between(earliest) >= i64::from(days));
                prop_assert!(earliest == published || between(earliest) == i64::from(days));
            }
        }
    }
}
