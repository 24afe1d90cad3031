//! What is examined of a bid, generated from its book, the record of its opening and the bid itself: who may bid at all, which the buyer
//! decides (87号令 art 44), and whether what is offered answers, which the panel decides (art 50). What the opening has found stands beside each
//! item; what leaves nothing to decide is decided by the rule. Pure.

use rust_decimal::Decimal;

use crate::award::rules_admission::{Asked, Decision, Examined, ExaminedItem, Side};
use crate::bids::rules_document::{BidDocument, Deviation, PartnerDocument};
use crate::bids::rules_opening::{Finding, OpenedBid};
use crate::bids::rules_responses::{self as responses, answers, corrected_total};
use crate::bids::rules_securities::State as SecurityState;
use crate::books::rules::LotId;
use crate::books::rules_documents::{BookDocument, CriterionKind, LotDocument, SmeDocument};
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Fault, Objection};
use crate::kernel::text::Text;
use crate::registry::rules_size::SizeClass;
use crate::standards::rules_indicators::Line;
use crate::statutes::codes;
use crate::statutes::profile::Profile;
use crate::statutes::value::Percent;
use crate::text;

/// Faults of form that one item lists at most.
const FAULTS_LISTED_MAX: usize = 20;

/// What a list is generated from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'s> {
    /// The lot.
    pub lot_id: &'s LotId,
    /// What the record of the opening says of the bid.
    pub opened: &'s OpenedBid,
    /// The bid.
    pub document: &'s BidDocument,
    /// Its book.
    pub book: &'s BookDocument,
    /// Its lot.
    pub lot: &'s LotDocument,
    /// The codes of the lot's indicators.
    pub indicators: &'s [String],
    /// How far each security is that was recorded with the bid.
    pub securities: &'s [SecurityState],
    /// The rules in force for the book.
    pub profile: &'s Profile,
    /// When the examination begins.
    pub now: Instant,
}

/// The bid, with its list.
///
/// # Errors
/// A fault if the statute holds another kind of value than its rule has.
pub fn examined(sources: Sources<'_>) -> Result<Examined, Fault> {
    let share_min = sources
        .profile
        .rule_if_set(codes::SME_CONSORTIUM_SHARE_PERCENT_MIN)?;
    let (is_sme, is_sme_consortium) = sizes(sources.document, share_min.map(Percent::decimal));
    let mut list = List {
        sources,
        items: Vec::new(),
    };
    list.eligibility();
    list.offer();
    list.price();
    Ok(Examined {
        bid_id: sources.opened.bid_id.clone(),
        supplier_id: sources.opened.supplier_id.clone(),
        total: sources.opened.total,
        lines: corrected_total(sources.document, sources.lot),
        is_sme,
        is_sme_consortium,
        items: list.items,
        correction: None,
        justification: None,
        disqualification: None,
    })
}

fn is_small(class: SizeClass) -> bool {
    matches!(class, SizeClass::Micro | SizeClass::Small)
}

/// Whether a bidder counts as small or micro, by what it declares: a consortium does if all of it is. And whether it does not, but those of the consortium and of
/// the subcontractors who are have at least that part of the price together (财库〔2020〕46号 art 9); any part, where the rules of the book say no number.
pub fn sizes(document: &BidDocument, share_min: Option<Decimal>) -> (bool, bool) {
    let of_partner =
        |partner: &PartnerDocument| partner.size.as_ref().is_some_and(|size| is_small(size.class));
    let leader = document.size.as_ref().is_some_and(|size| is_small(size.class));
    let whole = leader && document.consortium.iter().all(of_partner);
    let others = || document.consortium.iter().chain(&document.subcontractors);
    let percent = |is_counted: &dyn Fn(&PartnerDocument) -> bool| -> Decimal {
        let counted = others().filter(|partner| is_counted(partner));
        counted.map(|partner| partner.percent.percent()).sum()
    };
    let own = Decimal::ONE_HUNDRED
        .saturating_sub(percent(&|_| true))
        .max(Decimal::ZERO);
    let small = percent(&of_partner).saturating_add(if leader { own } else { Decimal::ZERO });
    let part = small > Decimal::ZERO && share_min.is_none_or(|min| small >= min);
    (whole, !whole && part)
}

struct List<'s> {
    sources: Sources<'s>,
    items: Vec<ExaminedItem>,
}

/// A new item.
struct New<'n> {
    code: &'n str,
    side: Side,
    text: Text,
    pointer: &'n str,
    findings: Vec<Finding>,
    rule: Option<&'static str>,
}

impl List<'_> {
    /// Adds an item. A decisive finding fails it without anybody's discretion.
    fn add(&mut self, new: New<'_>) {
        let decisive = new.findings.iter().find(|finding| finding.is_decisive);
        let by_rule = decisive.map(|finding| {
            let reason = Line {
                zh: finding.detail_zh.clone(),
                en: finding.detail_en.clone(),
            };
            (false, reason)
        });
        self.push(new, by_rule);
    }

    fn push(&mut self, new: New<'_>, by_rule: Option<(bool, Line)>) {
        let rule = new
            .rule
            .map(str::to_owned)
            .or_else(|| new.findings.iter().find_map(|finding| finding.rule.clone()));
        let cited = rule.as_deref().and_then(|code| self.sources.profile.find(code));
        let citations = cited.map(|rule| rule.citations.clone()).unwrap_or_default();
        let position = i64::try_from(self.items.len())
            .unwrap_or(i64::MAX)
            .saturating_add(1);
        self.items.push(ExaminedItem {
            code: new.code.to_owned(),
            side: new.side,
            position,
            asked: Asked {
                text_zh: new.text.zh().to_owned(),
                text_en: new.text.en().to_owned(),
                pointer: new.pointer.to_owned(),
                findings: new.findings,
                by_rule: by_rule.as_ref().map(|(passes, _)| *passes),
                rule,
                citations,
            },
            decisions: by_rule
                .map(|(passes, reason)| Decision {
                    number: 1,
                    passes,
                    reason,
                    decided_by: None,
                    decided_at: self.sources.now,
                })
                .into_iter()
                .collect(),
            dissents: Vec::new(),
        });
    }

    fn found(&self, codes: &[&str]) -> Vec<Finding> {
        let findings = self.sources.opened.findings.iter();
        findings
            .filter(|finding| codes.contains(&finding.code.as_str()))
            .cloned()
            .collect()
    }

    fn eligibility(&mut self) {
        let side = Side::Eligibility;
        let plain = |code, text, pointer, findings| New {
            code,
            side,
            text,
            pointer,
            findings,
            rule: None,
        };
        let verified = Text::fixed("承接主体已经核验", "the supplier is verified");
        self.add(plain(
            "supplier_verified",
            verified,
            "/supplier_id",
            self.found(&["not_verified"]),
        ));
        let free = Text::fixed("未处于禁止参加政府采购活动期间", "the supplier is not debarred");
        self.add(plain(
            "not_debarred",
            free,
            "/supplier_id",
            self.found(&["debarred"]),
        ));
        let of_qualifications = self.found(&[
            "qualification_missing",
            "qualification_expired",
            "qualification_unproven",
        ]);
        for (number, required) in (1..).zip(&self.sources.book.qualifications) {
            let (zh, en) = (&required.name_zh, &required.name_en);
            // The opening names the qualification in its sentence and nowhere else.
            let named = format!("“{zh}”");
            let own = of_qualifications
                .iter()
                .filter(|one| one.detail_zh.contains(&named));
            let text = text!("具有有效的“{zh}”", "holds a valid {en}");
            let code = format!("qualification_{number}");
            self.add(New {
                code: &code,
                side,
                text,
                pointer: "/supplier_id",
                findings: own.cloned().collect(),
                rule: None,
            });
        }
        let of_size = self.found(&["not_small", "size_not_declared", "size_differs"]);
        if self.sources.lot.sme == Some(SmeDocument::Reserved {}) || !of_size.is_empty() {
            let text = Text::fixed(
                "中小企业声明属实，且符合本标段要求",
                "what is declared of the size is true, and is what the lot asks for",
            );
            self.add(New {
                rule: Some(codes::SME_FULL_RESERVE_BUDGET_MAX.code()),
                ..plain("size", text, "/size", of_size)
            });
        }
        let hand = Text::fixed(
            "与其他投标人之间不存在负责人为同一人或者直接控股、管理关系",
            "no other bidder for the lot is of one hand with it",
        );
        self.add(New {
            rule: Some(codes::TENDER_SAME_CONTROL_TIES.code()),
            ..plain("same_control", hand, "/ties", self.found(&["same_control"]))
        });
        let recusal = Text::fixed(
            "采购人员中有利害关系的已经回避",
            "those of the buyer's people who have an interest in it have stepped back",
        );
        self.add(New {
            rule: Some(codes::TENDER_RECUSAL_RECENT_TIES.code()),
            ..plain("recusal", recusal, "/interests", self.found(&["recusal"]))
        });
    }

    fn respond(&mut self, code: &str, text: Text, pointer: &str, findings: Vec<Finding>) {
        self.add(New {
            code,
            side: Side::Responsiveness,
            text,
            pointer,
            findings,
            rule: None,
        });
    }

    fn offer(&mut self) {
        let Sources {
            lot_id,
            opened,
            document,
            lot,
            indicators,
            ..
        } = self.sources;
        let asked = responses::Asked {
            lot_id,
            supplier_id: &opened.supplier_id,
            lot,
            indicators,
        };
        let faults = answers(document, asked).err();
        let faults = faults.map(|refusal| refusal.objections).unwrap_or_default();
        for criterion in lot.criteria.iter().filter(|one| one.kind != CriterionKind::Price) {
            let response = document
                .criteria
                .iter()
                .position(|response| response.code == criterion.code);
            let (zh, en) = (&criterion.name_zh, &criterion.name_en);
            let text = text!("响应了评审因素“{zh}”", "answers the criterion {en}");
            let code = format!("criterion_{}", criterion.code);
            let (pointer, findings) = match response {
                Some(index) => {
                    let pointer = format!("/criteria/{index}");
                    let findings = below(&faults, &pointer);
                    (pointer, findings)
                }
                None => (
                    "/criteria".to_owned(),
                    vec![finding(
                        "no_response",
                        "/criteria",
                        &Text::fixed("没有响应", "there is no response"),
                    )],
                ),
            };
            self.respond(&code, text, &pointer, findings);
        }
        self.indicators(&faults);
        let elsewhere = |fault: &&Objection| {
            !["/criteria", "/indicators", "/price_lines", "/total"]
                .iter()
                .any(|part| fault.pointer.starts_with(part))
        };
        let of_form: Vec<Finding> = faults
            .iter()
            .filter(elsewhere)
            .take(FAULTS_LISTED_MAX)
            .map(of_fault)
            .collect();
        if !of_form.is_empty() {
            let text = Text::fixed(
                "投标文件的其他内容符合要求",
                "the rest of what it says is as the book asks",
            );
            self.respond("form", text, "", of_form);
        }
        let terms = Text::fixed(
            "接受服务期限与全部实质性条款，没有附加条件",
            "it accepts the term and every clause, and makes no condition of its own",
        );
        self.respond("terms", terms, "", Vec::new());
        if self.sources.book.bid_security_percent.is_some() {
            self.security();
        }
    }

    /// An item for each indicator that is not answered or is offered worse, which has to be judged by itself, and one for all others.
    fn indicators(&mut self, faults: &[Objection]) {
        let (document, codes) = (self.sources.document, self.sources.indicators);
        let mut fine: usize = 0;
        for code in codes {
            let index = document.indicators.iter().position(|one| one.code == *code);
            let response = index.and_then(|index| document.indicators.get(index));
            let item = format!("indicator_{code}");
            let text = text!(
                "指标 {code} 符合要求",
                "what is offered for {code} is as the book asks"
            );
            match (index, response) {
                (Some(index), Some(response)) if response.deviation == Deviation::Negative => {
                    let pointer = format!("/indicators/{index}");
                    let said = response.text.as_deref().unwrap_or_default();
                    let mut findings = below(faults, &pointer);
                    let detail = text!("负偏离：{said}", "offered worse: {said}");
                    findings.insert(0, finding("negative_deviation", &pointer, &detail));
                    self.respond(&item, text, &pointer, findings);
                }
                (Some(_), Some(_)) => fine = fine.saturating_add(1),
                _ => {
                    let detail = Text::fixed("没有响应", "there is no response");
                    let findings = vec![finding("no_response", "/indicators", &detail)];
                    self.respond(&item, text, "/indicators", findings);
                }
            }
        }
        if fine > 0 {
            let text = text!(
                "其余 {fine} 项指标均已响应，且无负偏离",
                "the other {fine} indicators are answered, and none is offered worse"
            );
            self.respond("indicators", text, "/indicators", Vec::new());
        }
    }

    fn security(&mut self) {
        let text = Text::fixed(
            "投标保证金已按要求提交",
            "the bid security was lodged as the book asks",
        );
        let detail = if self.sources.securities.contains(&SecurityState::Confirmed) {
            None
        } else if self.sources.securities.contains(&SecurityState::Lodged) {
            Some(Text::fixed(
                "尚未核实到账",
                "it was recorded, and nobody has found it yet",
            ))
        } else {
            Some(Text::fixed("没有已提交的保证金", "none was lodged"))
        };
        let findings = detail.map(|detail| finding("bid_security_missing", "", &detail));
        self.respond("bid_security", text, "", findings.into_iter().collect());
    }

    fn price(&mut self) {
        let Sources {
            opened,
            document,
            lot,
            ..
        } = self.sources;
        let (total, lines) = (opened.total, corrected_total(document, lot));
        let new = |code, text, findings| New {
            code,
            side: Side::Responsiveness,
            text,
            pointer: "/total",
            findings,
            rule: None,
        };
        let text = Text::fixed("各项报价之和等于总价", "the lines come to the price");
        let added = Money::sum(document.price_lines.iter().map(|line| line.amount)).ok();
        let detail = match lines {
            None => Some(Text::fixed("单价不能汇总", "its unit prices cannot be reckoned")),
            Some(lines) if lines != total => Some(text!(
                "单价汇总为 {lines}，总价为 {total}，须作算术修正",
                "its unit prices come to {lines}, and it says {total}; that has to be corrected"
            )),
            Some(_) if added != Some(total) => Some(Text::fixed(
                "分项金额之和与总价不一致",
                "the amounts of its lines do not add up to its price",
            )),
            Some(_) => None,
        };
        match detail {
            Some(detail) => {
                let findings = vec![finding("price_differs", "/total", &detail)];
                self.add(new("price_adds_up", text, findings));
            }
            None => {
                let reason = Line {
                    zh: "单价汇总与总价一致".to_owned(),
                    en: "its unit prices come to its price".to_owned(),
                };
                self.push(new("price_adds_up", text, Vec::new()), Some((true, reason)));
            }
        }
        let Some(ceiling) = lot.ceiling else { return };
        let text = text!(
            "报价不超过最高限价 {ceiling}",
            "the price is not above the ceiling, {ceiling}"
        );
        if total > ceiling {
            let detail = text!("报价 {total} 超过最高限价", "the price, {total}, is above it");
            let findings = vec![finding("above_ceiling", "/total", &detail)];
            self.add(new("price_within_ceiling", text, findings));
        } else {
            let reason = Line {
                zh: "报价不超过最高限价".to_owned(),
                en: "the price is not above the ceiling".to_owned(),
            };
            self.push(
                new("price_within_ceiling", text, Vec::new()),
                Some((true, reason)),
            );
        }
    }
}

fn finding(code: &str, pointer: &str, detail: &Text) -> Finding {
    Finding {
        code: code.to_owned(),
        pointer: pointer.to_owned(),
        is_decisive: false,
        detail_zh: detail.zh().to_owned(),
        detail_en: detail.en().to_owned(),
        rule: None,
        citations: Vec::new(),
    }
}

fn of_fault(fault: &Objection) -> Finding {
    finding(fault.code, &fault.pointer, &fault.detail)
}

fn below(faults: &[Objection], pointer: &str) -> Vec<Finding> {
    let inside = format!("{pointer}/");
    faults
        .iter()
        .filter(|fault| fault.pointer == pointer || fault.pointer.starts_with(&inside))
        .take(FAULTS_LISTED_MAX)
        .map(of_fault)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::statutes::built_in;
    use chrono::{TimeZone, Utc};
    use serde_json::{Value, json};

    static CN: LazyLock<Profile> = LazyLock::new(|| built_in::profiles_for("cn").unwrap().pop().unwrap());

    /// A book, a bid for its one lot, and what its opening has found, of which tests change what they are about.
    struct World {
        book: BookDocument,
        document: BidDocument,
        findings: Vec<Finding>,
        securities: Vec<SecurityState>,
        indicators: Vec<String>,
    }

    fn yuan(amount: &str) -> Value {
        json!({"amount": amount, "currency": "CNY"})
    }

    impl World {
        fn new() -> Self {
            let book = include_str!("../books/templates/sanitation.json");
            let mut book: BookDocument = serde_json::from_str(book).unwrap();
            book.lots[0].sme = None;
            book.lots[0].ceiling = Some("600.00".parse().unwrap());
            let criteria = book.lots[0].criteria.iter();
            let criteria: Vec<Value> = criteria
                .filter(|one| one.kind != CriterionKind::Price)
                .map(|one| json!({"code": one.code, "text": "两班作业", "documents": []}))
                .collect();
            let document = json!({
                "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "book_version": 1,
                "price_lines": [{"quantity": 1, "unit_price": "500", "amount": yuan("500.00")}], "total": yuan("500.00"), "criteria": criteria,
                "indicators": [{"code": "arrival", "deviation": "none", "text": null}, {"code": "noise", "deviation": "positive", "text": "更低"}],
                "key_staff": [], "subcontractors": [], "consortium": [], "ties": [], "interests": [], "documents": [], "confidential": []
            });
            Self {
                book,
                document: serde_json::from_value(document).unwrap(),
                findings: Vec::new(),
                securities: Vec::new(),
                indicators: vec!["arrival".to_owned(), "noise".to_owned()],
            }
        }

        fn finds(&mut self, code: &str, is_decisive: bool, detail_zh: &str) {
            self.findings.push(Finding {
                is_decisive,
                detail_zh: detail_zh.to_owned(),
                ..finding(code, "/supplier_id", &Text::fixed("", "found"))
            });
        }

        fn examined(&self) -> Examined {
            let opened = OpenedBid {
                bid_id: "bid_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
                supplier_id: self.document.supplier_id.clone(),
                supplier_zh: "洁城".to_owned(),
                supplier_en: "Jiecheng".to_owned(),
                version: 1,
                sha256: "0".repeat(64),
                total: self.document.total,
                file_key: "0".repeat(32),
                is_public: true,
                findings: self.findings.clone(),
            };
            examined(Sources {
                lot_id: &self.document.lot_id,
                opened: &opened,
                document: &self.document,
                book: &self.book,
                lot: &self.book.lots[0],
                indicators: &self.indicators,
                securities: &self.securities,
                profile: &CN,
                now: Utc.with_ymd_and_hms(2026, 4, 1, 2, 0, 0).unwrap(),
            })
            .unwrap()
        }

        fn item(&self, code: &str) -> Option<ExaminedItem> {
            self.examined().items.into_iter().find(|item| item.code == code)
        }

        /// What stands beside an item, and what the rule says.
        fn beside(&self, code: &str) -> (Vec<String>, Option<bool>) {
            let item = self.item(code).unwrap();
            let found = item.asked.findings.into_iter();
            (found.map(|one| one.code).collect(), item.asked.by_rule)
        }
    }

    #[test]
    fn a_bid_without_a_fault_has_every_item_once_and_only_its_price_is_decided() {
        let world = World::new();
        let items = world.examined().items;
        let codes: Vec<&str> = items.iter().map(|item| item.code.as_str()).collect();
        assert_eq!(
            codes[..4],
            ["supplier_verified", "not_debarred", "same_control", "recusal"]
        );
        assert!(codes.contains(&"indicators") && codes.contains(&"terms") && !codes.contains(&"form"));
        assert!(!codes.contains(&"size") && !codes.contains(&"bid_security"));
        let decided: Vec<&str> = items
            .iter()
            .filter(|item| item.decision().is_some())
            .map(|item| item.code.as_str())
            .collect();
        assert_eq!(decided, ["price_adds_up", "price_within_ceiling"]);
        assert!(items.iter().all(|item| item.asked.findings.is_empty()));
        assert!(
            (1..)
                .zip(&items)
                .all(|(position, item)| item.position == position)
        );
        let tied = world.item("same_control").unwrap();
        assert_eq!(
            (tied.side, tied.asked.citations.is_empty()),
            (Side::Eligibility, false)
        );
    }

    #[test]
    fn what_the_opening_found_stands_beside_its_item_and_a_decisive_finding_fails_it() {
        let mut world = World::new();
        world.finds("debarred", true, "处于禁止期间");
        world.finds("same_control", false, "负责人同名");
        let failed = world.item("not_debarred").unwrap();
        let decision = failed.decision().unwrap();
        assert_eq!(
            (decision.passes, &*decision.reason.zh, &decision.decided_by),
            (false, "处于禁止期间", &None)
        );
        assert_eq!(
            world.beside("same_control"),
            (vec!["same_control".to_owned()], None)
        );
        world.book.qualifications = serde_json::from_value(json!([{"name_zh": "道路运输", "name_en": "Transport"}, {"name_zh": "保安服务", "name_en": "Guards"}])).unwrap();
        world.finds("qualification_expired", true, "“保安服务”已过期");
        assert_eq!(world.beside("qualification_1"), (vec![], None));
        world.finds("qualification_unproven", false, "登记中未见有效的“道路运输”");
        assert_eq!(
            world.beside("qualification_1"),
            (vec!["qualification_unproven".to_owned()], None)
        );
        assert_eq!(
            world.beside("qualification_2"),
            (vec!["qualification_expired".to_owned()], Some(false))
        );
        world.finds("size_differs", false, "不一致");
        assert_eq!(world.beside("size"), (vec!["size_differs".to_owned()], None));
    }

    #[test]
    fn offers_that_are_missing_or_worse_are_judged_by_themselves() {
        let mut world = World::new();
        let first = world.document.criteria[0].code.clone();
        world.document.criteria.remove(0);
        assert_eq!(
            world.beside(&format!("criterion_{first}")),
            (vec!["no_response".to_owned()], None)
        );
        world.document.indicators[0].deviation = Deviation::Negative;
        world.document.indicators[0].text = Some("45 分钟".to_owned());
        world.indicators.push("litter".to_owned());
        assert_eq!(world.beside("indicator_arrival").0, ["negative_deviation"]);
        assert_eq!(world.beside("indicator_litter").0, ["no_response"]);
        assert!(
            world
                .item("indicators")
                .unwrap()
                .asked
                .text_en
                .contains("other 1")
        );
        world.document.documents =
            serde_json::from_value(json!([{"name": "a.pdf", "sha256": "x", "bytes": 1}])).unwrap();
        assert_eq!(world.beside("form").0, ["invalid"]);
    }

    #[test]
    fn a_price_that_does_not_add_up_or_is_too_high_is_nobody_elses_to_overlook() {
        let mut world = World::new();
        world.document.total = "501.00".parse().unwrap();
        assert_eq!(
            world.beside("price_adds_up"),
            (vec!["price_differs".to_owned()], None)
        );
        let examined = world.examined();
        assert_eq!(
            (examined.total.to_string(), examined.lines.unwrap().to_string()),
            ("501.00".to_owned(), "500.00".to_owned())
        );
        world.document.price_lines[0].unit_price = "x".to_owned();
        assert_eq!(
            (world.examined().lines, world.beside("price_adds_up").0.len()),
            (None, 1)
        );
        world.document.total = "600.00".parse().unwrap();
        assert_eq!(world.beside("price_within_ceiling"), (vec![], Some(true)));
        world.document.total = "600.01".parse().unwrap();
        assert_eq!(
            world.beside("price_within_ceiling"),
            (vec!["above_ceiling".to_owned()], None)
        );
    }

    #[test]
    fn a_security_that_the_book_asks_for_is_looked_for() {
        let mut world = World::new();
        world.book.bid_security_percent = Some(serde_json::from_value(json!("1")).unwrap());
        assert_eq!(world.beside("bid_security").0.len(), 1);
        for (states, found) in [
            (vec![SecurityState::Lodged], 1),
            (vec![SecurityState::NotFound], 1),
            (vec![SecurityState::NotFound, SecurityState::Confirmed], 0),
        ] {
            world.securities = states;
            assert_eq!(world.beside("bid_security").0.len(), found);
        }
    }

    #[test]
    fn a_consortium_is_small_if_all_of_it_is_and_has_small_ones_from_a_share_on() {
        let size = |class: &str| json!({"industry": "other_services", "employees": 9, "class": class});
        let partner = |(class, percent): &(&str, &str)| json!({"name": "乙", "credit_code": "9144030071526726XG", "work": "清运", "percent": percent, "size": size(class)});
        let thirty = Some(Decimal::from(30));
        type Partners<'p> = &'p [(&'p str, &'p str)];
        type Case<'p> = (
            Option<&'p str>,
            Partners<'p>,
            Partners<'p>,
            Option<Decimal>,
            (bool, bool),
        );
        let cases: [Case<'_>; 15] = [
            (None, &[], &[], thirty, (false, false)),
            (Some("micro"), &[], &[], thirty, (true, false)),
            (Some("medium"), &[], &[], thirty, (false, false)),
            (Some("small"), &[], &[("large", "90")], thirty, (true, false)),
            (Some("small"), &[("micro", "20")], &[], thirty, (true, false)),
            // A leader has what the others leave.
            (Some("small"), &[("large", "70")], &[], thirty, (false, true)),
            (Some("small"), &[("large", "70.01")], &[], thirty, (false, false)),
            (
                Some("small"),
                &[("large", "60"), ("micro", "20")],
                &[("medium", "10")],
                thirty,
                (false, true),
            ),
            // Partners and subcontractors count together.
            (Some("large"), &[("small", "30")], &[], thirty, (false, true)),
            (Some("large"), &[("small", "29.99")], &[], thirty, (false, false)),
            (
                Some("large"),
                &[("small", "10")],
                &[("micro", "20")],
                thirty,
                (false, true),
            ),
            (
                Some("large"),
                &[("large", "30")],
                &[("small", "29.99")],
                thirty,
                (false, false),
            ),
            // Rules that say no number, and what adds up to more than all.
            (Some("large"), &[], &[("small", "0.01")], None, (false, true)),
            (
                Some("small"),
                &[("large", "100"), ("large", "100")],
                &[],
                None,
                (false, false),
            ),
            (None, &[("large", "50")], &[("large", "50")], None, (false, false)),
        ];
        for (leader, consortium, subcontractors, min, expected) in cases {
            let mut world = World::new();
            let partners = |some: Partners<'_>| {
                let partners: Vec<Value> = some.iter().map(partner).collect();
                serde_json::from_value(json!(partners)).unwrap()
            };
            world.document.size = serde_json::from_value(leader.map_or(Value::Null, size)).unwrap();
            world.document.consortium = partners(consortium);
            world.document.subcontractors = partners(subcontractors);
            assert_eq!(
                sizes(&world.document, min),
                expected,
                "{leader:?} {consortium:?} {subcontractors:?}"
            );
        }
        // The rules of mainland China ask for it.
        let mut world = World::new();
        world.document.size = serde_json::from_value(size("large")).unwrap();
        for (percent, is_one) in [("29", false), ("30", true)] {
            world.document.consortium =
                serde_json::from_value(json!([partner(&("small", percent))])).unwrap();
            assert_eq!(world.examined().is_sme_consortium, is_one, "{percent}");
        }
    }
}
