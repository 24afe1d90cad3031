//! What the law wants shown to residents (居务公开), in sentences: what a release says that the one before it of its process did not. Made of the two releases alone, so that it
//! says nothing that was not published, and always the same. Pure.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::money::Money;
use crate::kernel::text::Text;
use crate::publish::rules_disclosures_contracts as contract_part;
use crate::publish::rules_json::{Json, Object};
use crate::publish::rules_release::body;
use crate::publish::rules_tables::money;
use crate::text;

/// What sort of thing the law wants shown (城市居民委员会组织法; `publicity.contents` of the statutes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DisclosureKind)]
pub enum Kind {
    /// 决定事项: what is planned, asked for, decided, changed and ended.
    Decisions,
    /// 政府拨付的经费、物资及其使用: prices, payments, deductions.
    GovernmentFunds,
    /// 服务项目的实施: acceptances, and what residents say.
    ServiceProjects,
}

impl Kind {
    /// All of them, in the order of the law.
    pub const ALL: [Self; 3] = [Self::Decisions, Self::GovernmentFunds, Self::ServiceProjects];

    /// The name in the API, which is the code in the statutes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::GovernmentFunds => "government_funds",
            Self::ServiceProjects => "service_projects",
        }
    }

    /// What residents read.
    pub const fn title(self) -> Text {
        match self {
            Self::Decisions => Text::fixed("决定事项", "Decisions"),
            Self::GovernmentFunds => Text::fixed("政府经费及其使用", "Government money and its use"),
            Self::ServiceProjects => Text::fixed("服务项目的实施", "How the work is done"),
        }
    }

    /// What the tags of a release look like in which there can be any of it: patterns, one of which fits.
    pub const fn tags(self) -> [&'static str; 2] {
        match self {
            Self::Decisions => ["%", "%"],
            Self::GovernmentFunds => ["%contract%", "%implementation%"],
            Self::ServiceProjects => ["%implementation%", "%contractTermination%"],
        }
    }
}

/// Something that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What sort of thing it is.
    pub kind: Kind,
    /// What it is, in a sentence.
    pub what: Text,
    /// The amount that it is about.
    pub amount: Option<Money>,
}

impl Told {
    /// A thing of a kind.
    pub(super) const fn of(kind: Kind, what: Text, amount: Option<Money>) -> Self {
        Self { kind, what, amount }
    }

    const fn decision(what: Text, amount: Option<Money>) -> Self {
        Self::of(Kind::Decisions, what, amount)
    }
}

/// What a release says that `previous`, the release before it of the process, did not; at least one thing.
pub fn told(previous: Option<&Object>, release: &Object) -> Vec<Told> {
    let before = previous.map(body);
    let (before, now) = (before.as_ref(), body(release));
    let mut found = Vec::new();
    match section(Some(&now), "tender") {
        None => planned(before, &now, &mut found),
        Some(tender) => {
            tendered(before, (&now, tender), &mut found);
            awarded(before, &now, &mut found);
            contract_part::contracts(before, &now, &mut found);
        }
    }
    if found.is_empty() {
        let title = title(release);
        let (zh, en) = (title.zh(), title.en());
        let what = text!(
            "“{zh}”的公开内容有更新。",
            "What is public of \"{en}\" was brought up to date."
        );
        found.push(Told::decision(what, None));
    }
    found
}

/// What the process is about.
pub fn title(release: &Object) -> Text {
    let planned = || {
        words(
            section(section(Some(release), "planning"), "budget")?,
            "description",
        )
    };
    section(Some(release), "tender")
        .and_then(|tender| words(tender, "title"))
        .or_else(planned)
        .unwrap_or_else(nameless)
}

/// How many versions of its book a release knows.
pub fn versions(release: &Object) -> usize {
    let is_book = |one: &&Object| one.text("documentType") == Some("technicalSpecifications");
    section(Some(release), "tender").map_or(0, |tender| tender.objects("documents").filter(is_book).count())
}

fn nameless() -> Text {
    Text::fixed("（无题）", "(untitled)")
}

/// A member that is an object.
pub(super) fn section<'o>(object: Option<&'o Object>, name: &str) -> Option<&'o Object> {
    object?.get(name)?.as_object()
}

/// A text in both languages; in English what there is in Chinese, where there is no English.
pub(super) fn words(object: &Object, name: &str) -> Option<Text> {
    let zh = object.text(name)?;
    let en = object.text(&format!("{name}_en")).unwrap_or(zh);
    Some(Text::made(zh.trim().to_owned(), en.trim().to_owned()))
}

/// What something is called.
pub(super) fn called(object: &Object) -> Text {
    words(object, "title").unwrap_or_else(nameless)
}

/// A text to be put after a sentence, if there is any.
pub(super) fn because(reason: Option<Text>) -> (String, String) {
    reason.map_or_else(
        || ("。".to_owned(), ".".to_owned()),
        |reason| (format!("：{}", reason.zh()), format!(": {}", reason.en())),
    )
}

/// The thing of the same id in what was there before.
pub(super) fn same<'o>(before: Option<&'o Object>, name: &str, one: &Object) -> Option<&'o Object> {
    let id = one.get("id");
    before?.objects(name).find(|other| other.get("id") == id)
}

/// Things that were not there before.
pub(super) fn fresh<'o>(before: Option<&Object>, now: &'o Object, name: &str) -> Vec<&'o Object> {
    now.objects(name)
        .filter(|one| same(before, name, one).is_none())
        .collect()
}

/// The name of an organisation that a release refers to, as its parties have it.
pub(super) fn party(now: &Object, reference: Option<&Object>) -> Text {
    let known = reference.and_then(|reference| same(Some(now), "parties", reference));
    known
        .or(reference)
        .and_then(|party| words(party, "name"))
        .unwrap_or_else(nameless)
}

fn planned(before: Option<&Object>, now: &Object, found: &mut Vec<Told>) {
    let Some(planning) = section(Some(now), "planning") else {
        return;
    };
    let budget = section(Some(planning), "budget");
    let title = budget
        .and_then(|budget| words(budget, "description"))
        .unwrap_or_else(nameless);
    let amount = budget.and_then(|budget| money(budget, &["amount"]));
    let (zh, en) = (title.zh(), title.en());
    let yuan = amount.unwrap_or(Money::ZERO).grouped();
    let what = match section(before, "planning") {
        None => text!(
            "公布采购意向“{zh}”，预算 {yuan} 元。",
            "It is planned to buy \"{en}\", for {yuan} yuan."
        ),
        Some(old) if old != planning => text!(
            "采购意向“{zh}”有更正，预算 {yuan} 元。",
            "What is planned to be bought as \"{en}\" was corrected; the budget is {yuan} yuan."
        ),
        Some(_) => return,
    };
    found.push(Told::decision(what, amount));
}

fn is(object: Option<&Object>, status: &str) -> bool {
    object.and_then(|object| object.text("status")) == Some(status)
}

/// Whether something has come to stand so.
pub(super) fn becomes(before: Option<&Object>, now: &Object, status: &str) -> bool {
    is(Some(now), status) && !is(before, status)
}

fn tendered(before: Option<&Object>, (now, tender): (&Object, &Object), found: &mut Vec<Told>) {
    let old = section(before, "tender");
    let title = called(tender);
    let (zh, en) = (title.zh(), title.en());
    if old.is_none() {
        let amount = money(tender, &["value"]);
        let yuan = amount.unwrap_or(Money::ZERO).grouped();
        let what = text!(
            "公布项目承包责任书“{zh}”，最高限价合计 {yuan} 元。",
            "The contract book \"{en}\" was published. All of it may cost {yuan} yuan at most."
        );
        found.push(Told::decision(what, amount));
    }
    for amendment in fresh(old, tender, "amendments") {
        let (why_zh, why_en) = because(words(amendment, "rationale"));
        let what = text!(
            "项目承包责任书“{zh}”发布补遗{why_zh}",
            "The contract book \"{en}\" was changed by an addendum{why_en}"
        );
        found.push(Told::decision(what, None));
    }
    let answers = fresh(old, tender, "enquiries").len();
    if answers > 0 {
        let what = text!(
            "公布对“{zh}”询问的答复，共 {answers} 条。",
            "Questions about \"{en}\" were answered: {answers}."
        );
        found.push(Told::decision(what, None));
    }
    let opened =
        |tender: Option<&Object>| section(tender, "bidOpening").is_some_and(|one| one.get("date").is_some());
    let bids = section(Some(now), "bids");
    if opened(Some(tender)) && !opened(old) {
        let count = bids.map_or(0, |bids| bids.objects("details").count());
        let what = text!(
            "“{zh}”已开标，收到投标 {count} 份。",
            "Bids for \"{en}\" were opened: {count} had come in."
        );
        found.push(Told::decision(what, None));
    }
    if bids.is_some_and(|bids| are_judged(section(before, "bids"), bids)) {
        let what = text!(
            "公布“{zh}”的评审结果。",
            "The results of judging the bids for \"{en}\" were published."
        );
        found.push(Told::decision(what, None));
    }
    for lot in tender.objects("lots") {
        if becomes(same(old, "lots", lot), lot, "unsuccessful") {
            let lot = called(lot);
            let (lot_zh, lot_en) = (lot.zh(), lot.en());
            let what = text!(
                "“{zh}”的标包“{lot_zh}”没有成交。",
                "Nobody gets the lot \"{lot_en}\" of \"{en}\"."
            );
            found.push(Told::decision(what, None));
        }
    }
    if becomes(old, tender, "cancelled") {
        let what = text!("“{zh}”的采购已取消。", "The purchase of \"{en}\" was cancelled.");
        found.push(Told::decision(what, None));
    }
}

/// Whether what bids came to is there and was not so before.
fn are_judged(before: Option<&Object>, bids: &Object) -> bool {
    bids.objects("details").any(|bid| {
        let judged = bid.get("evaluation");
        let known = same(before, "details", bid).and_then(|bid| bid.get("evaluation"));
        judged.is_some() && judged != known
    })
}

fn awarded(before: Option<&Object>, now: &Object, found: &mut Vec<Told>) {
    for award in now.objects("awards") {
        let old = same(before, "awards", award);
        let (lot, supplier) = (called(award), party(now, award.objects("suppliers").next()));
        let (zh, en) = (lot.zh(), lot.en());
        let (by_zh, by_en) = (supplier.zh(), supplier.en());
        let amount = money(award, &["value"]);
        let yuan = amount.unwrap_or(Money::ZERO).grouped();
        if old.is_none() {
            let what = text!(
                "中标公告：“{zh}”由{by_zh}承包，报价 {yuan} 元。",
                "Notice of award: {by_en} is to do \"{en}\", for {yuan} yuan."
            );
            found.push(Told::decision(what, amount));
        }
        if becomes(old, award, "active") {
            let what = text!(
                "“{zh}”由{by_zh}承包已确定，价格 {yuan} 元。",
                "It is settled that {by_en} does \"{en}\", for {yuan} yuan."
            );
            found.push(Told::decision(what, amount));
        }
        if becomes(old, award, "cancelled") {
            let (why_zh, why_en) = because(words(award, "description"));
            let what = text!(
                "“{zh}”由{by_zh}承包的决定不再有效{why_zh}",
                "That {by_en} does \"{en}\" holds no more{why_en}"
            );
            found.push(Told::decision(what, None));
        }
    }
}

/// The number at the end of an id such as `period-3`.
pub(super) fn number_of(id: Option<&Json>, kind: &str) -> Option<String> {
    let id = id.and_then(Json::as_text)?;
    id.strip_prefix(kind).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Object {
        Json::parse(text).unwrap().as_object().unwrap().clone()
    }

    fn sentences(before: Option<&str>, now: &str) -> Vec<(&'static str, String, String, Option<String>)> {
        let before = before.map(read);
        told(before.as_ref(), &read(now))
            .into_iter()
            .map(|one| {
                let amount = one.amount.map(|amount| amount.to_string());
                (
                    one.kind.name(),
                    one.what.zh().to_owned(),
                    one.what.en().to_owned(),
                    amount,
                )
            })
            .collect()
    }

    fn decision(zh: &str, en: &str, amount: Option<&str>) -> (&'static str, String, String, Option<String>) {
        (
            "decisions",
            zh.to_owned(),
            en.to_owned(),
            amount.map(str::to_owned),
        )
    }

    const PLANNED: &str = r#"{"ocid":"o","id":"o-1","planning":{"budget":{"description":"道路保洁","description_en":"Street cleaning","amount":{"amount":2350200,"currency":"CNY"}}}}"#;
    const ASKED: &str = r#"{"ocid":"o","id":"o-1","planning":{"budget":{}},"tender":{"id":"b","title":"道路保洁","title_en":"Street cleaning","status":"active",
        "value":{"amount":2350200,"currency":"CNY"},"bidOpening":{"description":"later"},"lots":[{"id":"l","title":"一包","status":"active"}],"documents":[{"id":"version-1","documentType":"technicalSpecifications"},{"id":"attachment_1","documentType":"biddingDocuments"}]}}"#;

    #[test]
    fn what_is_planned_is_told_with_its_budget() {
        assert_eq!(
            sentences(None, PLANNED),
            [decision(
                "公布采购意向“道路保洁”，预算 2,350,200.00 元。",
                "It is planned to buy \"Street cleaning\", for 2,350,200.00 yuan.",
                Some("2350200.00")
            )]
        );
        let more = PLANNED.replace("2350200", "2400000").replace("o-1", "o-2");
        assert_eq!(
            sentences(Some(PLANNED), &more),
            [decision(
                "采购意向“道路保洁”有更正，预算 2,400,000.00 元。",
                "What is planned to be bought as \"Street cleaning\" was corrected; the budget is 2,400,000.00 yuan.",
                Some("2400000.00")
            )]
        );
        assert_eq!(
            (title(&read(PLANNED)).en(), versions(&read(PLANNED))),
            ("Street cleaning", 0)
        );
    }

    #[test]
    fn a_book_is_told_step_by_step_until_its_award_is_settled() {
        assert_eq!(
            sentences(None, ASKED),
            [decision(
                "公布项目承包责任书“道路保洁”，最高限价合计 2,350,200.00 元。",
                "The contract book \"Street cleaning\" was published. All of it may cost 2,350,200.00 yuan at most.",
                Some("2350200.00")
            )]
        );
        assert_eq!(versions(&read(ASKED)), 1);
        let amended = ASKED.replace(
            r#""bidOpening""#,
            r#""amendments":[{"id":"addendum-1","rationale":"更正面积","rationale_en":"The area was wrong"}],"enquiries":[{"id":"1"},{"id":"2"}],"bidOpening""#,
        );
        assert_eq!(
            sentences(Some(ASKED), &amended),
            [
                decision(
                    "项目承包责任书“道路保洁”发布补遗：更正面积",
                    "The contract book \"Street cleaning\" was changed by an addendum: The area was wrong",
                    None
                ),
                decision(
                    "公布对“道路保洁”询问的答复，共 2 条。",
                    "Questions about \"Street cleaning\" were answered: 2.",
                    None
                ),
            ]
        );
        let bids = r#""bids":{"details":[{"id":"1"},{"id":"2"}]},"tender""#;
        let opened = ASKED
            .replace(r#""tender""#, bids)
            .replace(r#""description":"later""#, r#""date":"x""#);
        assert_eq!(
            sentences(Some(ASKED), &opened),
            [decision(
                "“道路保洁”已开标，收到投标 2 份。",
                "Bids for \"Street cleaning\" were opened: 2 had come in.",
                None
            )]
        );
        let award = r#""awards":[{"id":"a","title":"一包","title_en":"Lot one","status":"pending","value":{"amount":2298600,"currency":"CNY"},"suppliers":[{"id":"s","name":"洁城公司"}]}],
            "parties":[{"id":"s","name":"洁城公司","name_en":"Jiecheng"}],"tender""#;
        let judged = opened.replace(r#"{"id":"2"}"#, r#"{"id":"2","evaluation":{"rank":1}}"#);
        let noticed = judged.replace(r#""tender""#, award);
        assert_eq!(
            sentences(Some(&opened), &noticed),
            [
                decision(
                    "公布“道路保洁”的评审结果。",
                    "The results of judging the bids for \"Street cleaning\" were published.",
                    None
                ),
                decision(
                    "中标公告：“一包”由洁城公司承包，报价 2,298,600.00 元。",
                    "Notice of award: Jiecheng is to do \"Lot one\", for 2,298,600.00 yuan.",
                    Some("2298600.00")
                ),
            ]
        );
        let settled = noticed.replace("pending", "active");
        assert_eq!(
            sentences(Some(&noticed), &settled),
            [decision(
                "“一包”由洁城公司承包已确定，价格 2,298,600.00 元。",
                "It is settled that Jiecheng does \"Lot one\", for 2,298,600.00 yuan.",
                Some("2298600.00")
            )]
        );
        let ended = noticed.replace(
            r#""status":"pending""#,
            r#""status":"cancelled","description":"放弃","description_en":"It declined""#,
        );
        assert_eq!(
            sentences(Some(&noticed), &ended),
            [decision(
                "“一包”由洁城公司承包的决定不再有效：放弃",
                "That Jiecheng does \"Lot one\" holds no more: It declined",
                None
            )]
        );
    }

    #[test]
    fn what_comes_to_nothing_is_told_too() {
        let lost = ASKED.replace(
            r#""title":"一包","status":"active""#,
            r#""title":"一包","status":"unsuccessful""#,
        );
        assert_eq!(
            sentences(Some(ASKED), &lost),
            [decision(
                "“道路保洁”的标包“一包”没有成交。",
                "Nobody gets the lot \"一包\" of \"Street cleaning\".",
                None
            )]
        );
        let cancelled = ASKED.replacen(r#""status":"active""#, r#""status":"cancelled""#, 1);
        assert_eq!(
            sentences(Some(ASKED), &cancelled),
            [decision(
                "“道路保洁”的采购已取消。",
                "The purchase of \"Street cleaning\" was cancelled.",
                None
            )]
        );
    }

    #[test]
    fn every_release_says_something() {
        let moved = ASKED.replace("later", "even later");
        assert_eq!(
            sentences(Some(ASKED), &moved),
            [decision(
                "“道路保洁”的公开内容有更新。",
                "What is public of \"Street cleaning\" was brought up to date.",
                None
            )]
        );
        assert_eq!(sentences(None, "{}").len(), 1);
    }
}
