//! A book as one document to be printed, complete and in both languages: what it is, both parties' duties, dates, how bids are judged,
//! securities, each lot with all of its tables, what went before, its documents, and the rules that it stands on. Pure: what has to be
//! looked up beside the book is given.

use chrono_tz::Tz;

use crate::books::acts_consultations::PublicConsultation;
use crate::books::print_lots::{self, LotPrint};
use crate::books::print_words::{self as words, line, moment, money, percent, same, two, unsaid};
use crate::books::rules::{Book, State};
use crate::books::rules_documents::{BookDocument, Party};
use crate::books::rules_intentions::Intention;
use crate::books::rules_readiness_lots::bid_security;
use crate::books::store_versions::Version;
use crate::files::rules::Attachment;
use crate::kernel::refusal::Fault;
use crate::kernel::text::Text;
use crate::statutes::codes;
use crate::statutes::profile::{Citation, Rule};
use crate::statutes::rules::Statute;
use crate::text;
use crate::web::print::{Block, Cell, Clause, Document, Table};

/// A book with everything that is looked up to print it.
pub struct Print<'p> {
    /// The book.
    pub book: &'p Book,
    /// The published version that is printed; none of a book that is not public.
    pub version: Option<&'p Version>,
    /// The name of its buyer.
    pub buyer: Text,
    /// The name of its category.
    pub category: Text,
    /// The names of its areas.
    pub areas: Vec<Text>,
    /// The rules that it was published under, or that would hold if it were published now; none if none do.
    pub statute: Option<&'p Statute>,
    /// What is known of each lot.
    pub lots: Vec<LotPrint>,
    /// Its documents.
    pub documents: Vec<Attachment>,
    /// The intention notice that it names.
    pub intention: Option<Intention>,
    /// What may be told of the consultation that it names.
    pub consultation: Option<PublicConsultation>,
    /// The ward's zone.
    pub zone: Tz,
    /// The service's address.
    pub public_url: String,
}

impl Print<'_> {
    /// What is printed of it.
    pub fn said(&self) -> &BookDocument {
        match self.version {
            Some(version) => version.content.document(),
            None => self.book.content.document(),
        }
    }
}

/// The pieces of a document, and how many of its parts have begun.
pub(super) struct Pieces {
    blocks: Vec<Block>,
    parts: usize,
}

impl Pieces {
    pub(super) fn part(&mut self, zh: &str, en: &str) {
        self.parts = self.parts.saturating_add(1);
        let (numeral, number) = (words::numeral(self.parts), self.parts);
        self.blocks.push(Block::Part(Text::made(
            format!("{numeral}、{zh}"),
            format!("{number}. {en}"),
        )));
    }

    pub(super) fn section(&mut self, zh: &'static str, en: &'static str) {
        self.blocks.push(Block::Section(Text::fixed(zh, en)));
    }

    pub(super) fn says(&mut self, text: Text) {
        self.blocks.push(Block::Paragraph(text));
    }

    pub(super) fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }

    pub(super) fn facts(&mut self, facts: Vec<(Text, Cell)>) {
        self.blocks.push(Block::Facts(facts));
    }
}

pub(super) fn fact(zh: &'static str, en: &'static str, value: Text) -> (Text, Cell) {
    (Text::fixed(zh, en), vec![value])
}

/// The whole book.
///
/// # Errors
/// A fault of arithmetic beyond all bounds.
pub fn document(print: &Print<'_>) -> Result<Document, Fault> {
    let said = print.said();
    let mut pieces = Pieces {
        blocks: Vec::new(),
        parts: 0,
    };
    standing(&mut pieces, print);
    overview(&mut pieces, print);
    duties(&mut pieces, said);
    timetable(&mut pieces, print);
    judging(&mut pieces, print);
    securities(&mut pieces, said)?;
    for (index, lot) in said.lots.iter().enumerate() {
        print_lots::lot(&mut pieces, lot, print.lots.get(index));
    }
    planning(&mut pieces, print);
    documents(&mut pieces, print);
    rules(&mut pieces, print);
    proof(&mut pieces, print);
    Ok(Document {
        kind: Text::fixed("项目承包责任书", "Project contract book"),
        title: two(&said.title_zh, &said.title_en),
        blocks: pieces.blocks,
    })
}

/// What nobody must overlook who holds the paper in their hands.
fn standing(pieces: &mut Pieces, print: &Print<'_>) {
    let mut warn = |text: Text| pieces.blocks.push(Block::Warning(text));
    if print.version.is_none() {
        warn(Text::fixed(
            "本件尚未发布，不具效力，仅供内部审阅。",
            "This is not published. It binds nobody and is for review within the organisation alone.",
        ));
    }
    if let (Some(version), Some(publication)) = (print.version, &print.book.publication) {
        let (number, newest) = (version.number, publication.versions);
        if number < newest {
            warn(text!(
                "本件为第 {number} 版，已被第 {newest} 版取代。",
                "This is version {number}. Version {newest} holds in its place."
            ));
        }
    }
    if let Some((at, reason)) = &print.book.cancelled {
        let (at, why) = (moment(Some(*at), print.zone), line(reason));
        warn(Text::made(
            format!("本项目已于{}终止。理由：{}", at.zh(), why.zh()),
            format!("Cancelled on {}. Reason: {}", at.en(), why.en()),
        ));
    }
}

fn overview(pieces: &mut Pieces, print: &Print<'_>) {
    let said = print.said();
    pieces.part("概况", "Overview");
    let mut facts = vec![
        fact("项目编号", "Book", same(&print.book.id)),
        fact("采购人", "Buyer", print.buyer.clone()),
        fact("服务类别", "Category", print.category.clone()),
        (
            Text::fixed("服务区域", "Areas served"),
            or_unsaid(print.areas.clone()),
        ),
        fact("评审方法", "Method", words::method(said.method)),
        fact("状态", "State", words::state(print.book.state)),
    ];
    if let Some(version) = print.version {
        facts.push(fact("版本", "Version", same(version.number)));
        let at = moment(Some(version.published_at), print.zone);
        facts.push(fact("发布时间", "Published", at));
        if let Some(reason) = &version.reason {
            facts.push(fact("变更理由", "Reason for the amendment", line(reason)));
            let affects = if version.affects_bids {
                Text::fixed(
                    "影响投标文件，此前递交的投标须重新确认",
                    "It affects bids: those sealed before have to be confirmed",
                )
            } else {
                Text::fixed("不影响投标文件", "It does not affect bids")
            };
            facts.push(fact("对投标的影响", "Effect on bids", affects));
        }
        let hash = same(hex::encode(version.sha256));
        facts.push(fact("内容摘要（SHA-256）", "SHA-256 of the content", hash));
    }
    if said.budget_is_stable {
        facts.push(fact(
            "预算",
            "Budget",
            Text::fixed(
                "预算稳定，服务期可超过一年",
                "Stable enough for a term of more than a year",
            ),
        ));
    }
    pieces.facts(facts);
    let mut table = Table::new(
        Text::fixed("标段", "Lots"),
        [
            Text::fixed("标段", "Lot"),
            Text::fixed("名称", "Title"),
            Text::fixed("最高限价", "Ceiling"),
        ],
        &[2],
    );
    for lot in &said.lots {
        table.row([
            vec![same(&lot.code)],
            vec![two(&lot.title_zh, &lot.title_en)],
            vec![lot.ceiling.map_or_else(unsaid, money)],
        ]);
    }
    let budget = print
        .version
        .map_or(&print.book.content, |version| &version.content);
    if let (Some(total), true) = (budget.budget(), said.lots.len() > 1) {
        table.row([vec![Text::fixed("合计", "Total")], Vec::new(), vec![money(total)]]);
    }
    pieces.table(table);
}

fn or_unsaid(cell: Cell) -> Cell {
    if cell.is_empty() { vec![unsaid()] } else { cell }
}

fn duties(pieces: &mut Pieces, said: &BookDocument) {
    pieces.part("双方责任", "Duties of both parties");
    for (party, zh, en) in [
        (Party::Buyer, "采购人的责任", "The buyer’s duties"),
        (Party::Supplier, "承接主体的责任", "The supplier’s duties"),
    ] {
        pieces.section(zh, en);
        let clauses: Vec<Clause> = said
            .clauses
            .iter()
            .filter(|clause| clause.party == party)
            .map(|clause| Clause {
                number: clause.number.clone(),
                text: two(&clause.text_zh, &clause.text_en),
            })
            .collect();
        if clauses.is_empty() {
            pieces.says(unsaid());
        } else {
            pieces.blocks.push(Block::Clauses(clauses));
        }
    }
}

fn timetable(pieces: &mut Pieces, print: &Print<'_>) {
    let (times, zone) = (&print.said().timetable, print.zone);
    pieces.part("时间安排", "Timetable");
    pieces.facts(vec![
        fact(
            "提问截止",
            "Enquiries until",
            moment(times.enquiry_deadline, zone),
        ),
        fact("答复截止", "Answers until", moment(times.answer_deadline, zone)),
        fact("投标截止", "Bids until", moment(times.bid_deadline, zone)),
        fact("开标", "Opening", moment(times.opening, zone)),
        fact("服务开始", "Service from", words::day(times.service_from)),
        fact("服务结束", "Service until", words::day(times.service_until)),
    ]);
}

fn judging(pieces: &mut Pieces, print: &Print<'_>) {
    let said = print.said();
    pieces.part("资格与评审", "Qualifications and evaluation");
    let required = said.qualifications.iter();
    let required: Cell = required.map(|one| two(&one.name_zh, &one.name_en)).collect();
    let required = if required.is_empty() {
        vec![Text::fixed("不要求特定资质", "None in particular")]
    } else {
        required
    };
    let mut facts = vec![
        (Text::fixed("投标人资质", "Qualifications of bidders"), required),
        fact("评审方法", "Method", words::method(said.method)),
        fact("同分规则", "Tie rule", words::tie_rule(said.tie_rule)),
        fact("得分修约", "Rounding", words::rounding(said.rounding)),
        fact("开标密钥", "Opening key", words::custody(said.custody.as_ref())),
    ];
    if let Some(publication) = &print.book.publication {
        let recipient = same(&publication.recipient);
        facts.push(fact("投标加密公钥（age）", "Bids are sealed to (age)", recipient));
    }
    pieces.facts(facts);
}

fn securities(pieces: &mut Pieces, said: &BookDocument) -> Result<(), Fault> {
    pieces.part("保证金", "Securities");
    let none = || Text::fixed("不收取", "None");
    let bid: Cell = match said.bid_security_percent {
        None => vec![none()],
        Some(share) => {
            let mut lines = vec![text!("最高限价的 {share}%", "{share}% of the ceiling")];
            for lot in &said.lots {
                if let Some(amount) = bid_security(said, lot)? {
                    let (code, amount) = (&lot.code, amount.grouped());
                    lines.push(text!("标段 {code}：{amount} 元", "Lot {code}: CNY {amount}"));
                }
            }
            lines
        }
    };
    let performance = said.performance_security_percent.map_or_else(none, |share| {
        text!("合同价款的 {share}%", "{share}% of the price of the contract")
    });
    pieces.facts(vec![
        (Text::fixed("投标保证金", "Bid security"), bid),
        fact("履约保证金", "Performance security", performance),
    ]);
    Ok(())
}

fn planning(pieces: &mut Pieces, print: &Print<'_>) {
    let said = print.said();
    if said.intention_id.is_none() && said.consultation_id.is_none() {
        return;
    }
    pieces.part("前期工作", "What went before");
    let mut facts = Vec::new();
    if let Some(id) = &said.intention_id {
        let mut lines = vec![same(id)];
        if let Some(notice) = &print.intention {
            lines.extend(
                notice
                    .current
                    .as_ref()
                    .map(|version| version.content.title.clone()),
            );
            if notice.published_at.is_some() {
                lines.push(moment(notice.published_at, print.zone));
            }
        }
        facts.push((Text::fixed("采购意向公开", "Intention notice"), lines));
    }
    if let Some(id) = &said.consultation_id {
        let mut lines = vec![same(id)];
        if let Some(record) = &print.consultation {
            let (consulted, reviewers) = (record.consulted, record.reviewers);
            lines.push(record.title.clone());
            lines.push(words::day(Some(record.concluded_on)));
            lines.push(text!(
                "征求意见 {consulted} 方，论证 {reviewers} 人",
                "{consulted} consulted, {reviewers} reviewers"
            ));
            lines.push(record.conclusion.clone());
        }
        facts.push((Text::fixed("需求论证", "Consultation on the need"), lines));
    }
    pieces.facts(facts);
}

fn documents(pieces: &mut Pieces, print: &Print<'_>) {
    if print.documents.is_empty() {
        return;
    }
    pieces.part("附件", "Documents");
    let mut table = Table::new(
        Text::fixed("随本责任书公开的文件", "Files that are public with the book"),
        [
            Text::fixed("文件", "File"),
            Text::fixed("字节", "Bytes"),
            Text::fixed("SHA-256", "SHA-256"),
        ],
        &[1],
    );
    for file in &print.documents {
        table.row([
            vec![same(&file.name), same(&file.id)],
            vec![same(file.bytes)],
            vec![same(&file.sha256)],
        ]);
    }
    pieces.table(table);
}

/// The rules of the statutes that a book is judged by before it is published, and that bind whoever holds it afterwards.
fn stood_on() -> [&'static str; 23] {
    [
        codes::PLANNING_INTENTION_NOTICE_DAYS_MIN.code(),
        codes::PLANNING_CONSULTATION_RECORD_REQUIRED.code(),
        codes::PLANNING_SPLITTING_FORBIDDEN.code(),
        codes::PLANNING_OPEN_TENDER_THRESHOLD.code(),
        codes::PLANNING_CONDITIONS_FORBIDDEN.code(),
        codes::PLANNING_TERM_YEARS_MAX.code(),
        codes::SME_FULL_RESERVE_BUDGET_MAX.code(),
        codes::SME_DEDUCTION_DECLARED_IN_BOOK.code(),
        codes::TENDER_PERIOD_DAYS_MIN.code(),
        codes::TENDER_DOCUMENT_AVAILABLE_WORKING_DAYS_MIN.code(),
        codes::TENDER_CLARIFICATION_DAYS_MIN.code(),
        codes::TENDER_BID_SECURITY_PERCENT_MAX.code(),
        codes::TENDER_OPENING_AT_DEADLINE.code(),
        codes::TENDER_BIDS_MIN.code(),
        codes::EVALUATION_METHODS.code(),
        codes::EVALUATION_PRICE_WEIGHT_PERCENT_MIN_SERVICES.code(),
        codes::CONTRACT_SIGNING_DAYS_MAX.code(),
        codes::CONTRACT_PERFORMANCE_SECURITY_PERCENT_MAX.code(),
        codes::CONTRACT_SUPPLEMENTS_PERCENT_MAX.code(),
        codes::PAYMENT_DAYS_MAX.code(),
        codes::PAYMENT_DAYS_MAX_IF_AGREED.code(),
        codes::PAYMENT_AUDIT_IS_PRECONDITION.code(),
        codes::APPRAISAL_MAY_DECIDE_BELOW_THRESHOLD.code(),
    ]
}

fn rules(pieces: &mut Pieces, print: &Print<'_>) {
    let Some(statute) = print.statute else {
        return;
    };
    let profile = &statute.profile;
    pieces.part("适用规则", "Rules that apply");
    let name = two(&profile.name_zh, &profile.name_en);
    let hash = hex::encode(statute.sha256);
    pieces.facts(vec![
        fact("规则版本", "Version of the rules", name),
        fact("编号", "Id", same(&statute.id)),
        fact("摘要（SHA-256）", "SHA-256", same(hash)),
    ]);
    let mut table = Table::new(
        Text::fixed("本责任书所依据的规则", "What this book stands on"),
        [Text::fixed("规则", "Rule"), Text::fixed("依据", "Source")],
        &[],
    );
    for rule in stood_on().into_iter().filter_map(|code| profile.find(code)) {
        // A rule that this version does not set binds nobody.
        if rule.value.is_some() {
            table.row(cited(rule));
        }
    }
    pieces.table(table);
}

fn cited(rule: &Rule) -> [Cell; 2] {
    let source = |one: &Citation| {
        let articles = one.articles.as_deref();
        let zh = articles.map_or_else(String::new, |articles| format!("第 {articles} 条"));
        let en = articles.map_or_else(String::new, |articles| format!(", art. {articles}"));
        Text::made(
            format!("{}{zh}", one.instrument_zh),
            format!("{}{en}", one.instrument_en),
        )
    };
    [
        vec![two(&rule.text_zh, &rule.text_en)],
        rule.citations.iter().map(source).collect(),
    ]
}

/// How whoever holds the paper finds out that it says what was published.
fn proof(pieces: &mut Pieces, print: &Print<'_>) {
    let Some(version) = print.version else {
        return;
    };
    let (id, number, url) = (&print.book.id, version.number, &print.public_url);
    let hash = hex::encode(version.sha256);
    pieces.part("核验", "How to check it");
    pieces.says(text!(
        "本件依据机器可读版本印制：{url}/api/v1/contract-books/{id}/versions/{number}/content 。其字节的 SHA-256 为 {hash} ，\
         与公开日志中该次发布事件所载一致；如与本件不一致，以该版本为准。",
        "This is printed from the machine-readable version at {url}/api/v1/contract-books/{id}/versions/{number}/content. The SHA-256 of its \
         bytes is {hash}, which the event of the publication in the public log has as well. Where the two differ, that version holds."
    ));
    if print.book.state == State::Cancelled {
        pieces.says(Text::fixed(
            "终止不改变已发布的内容。",
            "The cancellation changes nothing of what was published.",
        ));
    }
}

/// A cell with a percentage.
pub(super) fn share(weight: crate::kernel::weight::Weight) -> Cell {
    vec![percent(weight)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::rules;
    use crate::books::rules_content::Content;
    use crate::books::templates;
    use crate::kernel::clock::Instant;
    use crate::kernel::local_day::ZONE_DEFAULT;
    use crate::kernel::party::OrganisationId;
    use crate::kernel::text::Language;
    use crate::standards::built_in::catalogue;
    use crate::standards::rules as standard_rules;
    use crate::standards::rules_indicators::Line;
    use crate::web::print::Tongue;
    use chrono::{TimeZone, Utc};

    fn at() -> Instant {
        Utc.with_ymd_and_hms(2026, 3, 2, 0, 30, 0).unwrap()
    }

    /// The template of sanitation with a standard of which one indicator is tightened, and one added.
    fn book() -> (Book, LotPrint) {
        let mut said = templates::template("sanitation").unwrap().unwrap();
        let built_in = catalogue().unwrap();
        let built_in = built_in
            .iter()
            .find(|one| one.standard.code == "street_sanitation")
            .unwrap();
        let entered = standard_rules::Entered {
            code: "street_sanitation",
            jurisdiction: "cn",
            title: ("清扫标准", "Street cleaning"),
            source: ("CJJ/T 126", "CJJ/T 126"),
        };
        let standard = standard_rules::standard(
            standard_rules::StandardId::mint(at()),
            "sanitation",
            entered,
            at(),
        )
        .unwrap();
        let draft = standard_rules::draft(
            standard_rules::StandardVersionId::mint(at()),
            standard.id.clone(),
            0,
            built_in.content.clone(),
            at(),
        )
        .unwrap();
        let mut tightened = built_in.content.indicator("cigarette_ends").unwrap().document();
        for limit in &mut tightened.limits {
            limit.threshold = Some("1".to_owned());
        }
        let mut added = tightened.clone();
        added.code = "chewing_gum".to_owned();
        (added.name_zh, added.name_en) = ("口香糖".to_owned(), "Chewing gum".to_owned());
        let lot = &mut said.lots[0];
        lot.indicators = vec![tightened, added];
        lot.quantities[0].grade = Some("class_1".to_owned());
        lot.ceiling = Some("2350200.00".parse().unwrap());
        said.bid_security_percent = Some("2".parse().unwrap());
        let book = rules::draft(
            rules::BookId::mint(at()),
            OrganisationId::mint(at()),
            Content::checked(said).unwrap(),
            at(),
        );
        let known = LotPrint {
            id: None,
            standard: Some((standard, draft)),
        };
        (book, known)
    }

    fn written(book: &Book, version: Option<&Version>, lot: LotPrint, tongue: Tongue) -> String {
        let print = Print {
            book,
            version,
            buyer: Text::fixed("梧桐街道办事处", "Wutong Street Office"),
            category: Text::fixed("环卫", "Sanitation"),
            areas: vec![Text::fixed("梧桐街道", "Wutong Street")],
            statute: None,
            lots: vec![lot],
            documents: Vec::new(),
            intention: None,
            consultation: None,
            zone: ZONE_DEFAULT,
            public_url: "https://ward.example".to_owned(),
        };
        let document = document(&print).unwrap();
        document.written(&Text::fixed("甲区", "A ward"), tongue).unwrap()
    }

    #[test]
    fn everything_that_a_book_says_is_printed_in_both_languages() {
        let (book, lot) = book();
        let page = written(&book, None, lot, Tongue::Both);
        let said = book.content.document();
        let mut expected = vec![
            "2,350,200.00 元".to_owned(),
            "CNY 47,004.00".to_owned(),
            "口香糖".to_owned(),
            "新增".to_owned(),
            "收紧；原标准：".to_owned(),
            "≤\u{a0}1 个/1000 平方米".to_owned(),
            "≤\u{a0}4 个/1000 平方米".to_owned(),
            "尚未发布".to_owned(),
            "Wutong Street Office".to_owned(),
        ];
        for clause in &said.clauses {
            expected.extend([
                clause.number.clone(),
                clause.text_zh.clone(),
                clause.text_en.clone(),
            ]);
        }
        let lot = &said.lots[0];
        expected.extend(
            lot.criteria
                .iter()
                .flat_map(|one| [one.name_zh.clone(), one.name_en.clone()]),
        );
        expected.extend(lot.score_sources.iter().map(|one| one.name_en.clone()));
        expected.extend(lot.penalties.iter().map(|one| one.name_zh.clone()));
        for band in &lot.pay_tables[0].bands {
            expected.push(format!("{} ≤ 得分 ", band.from).replace('<', "&#60;"));
        }
        for text in expected {
            let shown = text.replace('&', "&#38;").replace('\'', "&#39;");
            assert!(page.contains(&shown), "{text}");
        }
        // Only the grade of the lot's places.
        assert!(!page.contains("四级道路") && page.contains("一级道路"));
    }

    #[test]
    fn a_printed_version_says_how_it_is_checked_and_whether_it_holds() {
        let (draft, lot) = book();
        let version = Version {
            book_id: draft.id.clone(),
            number: 1,
            content: draft.content.clone(),
            sha256: [7; 32],
            reason: None,
            affects_bids: false,
            published_at: at(),
        };
        let published = Book {
            state: State::Cancelled,
            publication: Some(rules::Publication {
                at: at(),
                statute_id: crate::statutes::rules::StatuteId::mint(at()),
                recipient: "age1xyz".to_owned(),
                versions: 2,
            }),
            cancelled: Some((
                at(),
                Line {
                    zh: "预算调整".to_owned(),
                    en: "The budget was cut".to_owned(),
                },
            )),
            ..draft
        };
        let english = Tongue::One(Language::English);
        let page = written(&published, Some(&version), lot, english);
        for text in [
            "This is version 1. Version 2 holds in its place.",
            "Cancelled on 2 March 2026, 08:30 (Asia/Shanghai). Reason: The budget was cut",
            &"07".repeat(32),
            "/versions/1/content",
            "age1xyz",
        ] {
            assert!(page.contains(text), "{text}");
        }
        assert!(
            !page.contains("is not published") && !page.contains("责任"),
            "one language alone"
        );
    }
}
