//! Who may not bid for a lot, or not beside whom: debarment, qualifications, size where a lot is reserved, one hand behind two bidders,
//! recusal against the buyer. The same questions are asked twice: when a bid is made, as warnings to its bidder, and at the opening, where
//! the answers decide. Rules come from the statutes in force for the book, with their sources. Pure.

use chrono::NaiveDate;

use crate::bids::rules_document::{BidDocument, TieKind};
use crate::books::rules_documents::{BookDocument, LotDocument, RequirementDocument, SmeDocument};
use crate::books::rules_readiness::Item;
use crate::kernel::party::{OrganisationId, OrganisationKind};
use crate::kernel::refusal::Fault;
use crate::kernel::text::Text;
use crate::registry::rules_debarments::{Debarment, is_debarred};
use crate::registry::rules_organisations::{Organisation, State};
use crate::registry::rules_qualifications::{KNOWN, Qualification, State as Claimed, known_kind};
use crate::registry::rules_size::SizeClass;
use crate::statutes::codes::{self, Key};
use crate::statutes::profile::Profile;
use crate::statutes::value::{Choices, Kinded};
use crate::text;

/// Somebody else who bids for the lot, or might.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// Who.
    pub supplier_id: OrganisationId,
    /// Its names, in Chinese and English.
    pub name: (String, String),
    /// Its unified social credit code.
    pub credit_code: Option<String>,
    /// Who is in charge of it.
    pub person_in_charge: Option<String>,
    /// The credit codes of those it declares to be of one hand with it, and how.
    pub ties: Vec<(TieKind, String)>,
}

/// What has to be known.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// Who bids.
    pub supplier: &'f Organisation,
    /// Its debarments.
    pub debarments: &'f [Debarment],
    /// Its qualifications, verified ones and others.
    pub qualifications: &'f [Qualification],
    /// What it bids.
    pub document: &'f BidDocument,
    /// The book.
    pub book: &'f BookDocument,
    /// The lot.
    pub lot: &'f LotDocument,
    /// How many accounts act both for the buyer and for the bidder.
    pub shared_accounts: usize,
    /// Who else bids; before the opening whoever of the registered suppliers might.
    pub rivals: &'f [Rival],
    /// The day on which it is asked, a date of the ward.
    pub today: NaiveDate,
    /// The rules in force for the book.
    pub profile: &'f Profile,
}

/// Everything that stands against the bid, in this order: debarment, qualifications, size, one hand, recusal.
///
/// # Errors
/// A fault if a rule that is set is of another kind.
pub fn items(facts: Facts<'_>) -> Result<Vec<Item>, Fault> {
    let mut found = Found {
        items: Vec::new(),
        profile: facts.profile,
    };
    standing(&mut found, facts);
    qualifications(&mut found, facts);
    size(&mut found, facts);
    one_hand(&mut found, facts)?;
    recusal(&mut found, facts)?;
    Ok(found.items)
}

struct Found<'f> {
    items: Vec<Item>,
    profile: &'f Profile,
}

impl Found<'_> {
    fn add(&mut self, pointer: &str, code: &'static str, rule: Option<&'static str>, detail: Text) {
        let cited = rule.and_then(|code| self.profile.find(code));
        self.items.push(Item {
            pointer: pointer.to_owned(),
            code,
            detail,
            rule,
            citations: cited.map(|rule| rule.citations.clone()).unwrap_or_default(),
        });
    }

    /// Whether a rule lists this; one that is not set lists nothing.
    fn lists(&self, key: Key<Choices>, name: &str) -> Result<bool, Fault> {
        Ok(set(self.profile, key)?.is_some_and(|choices| choices.names(name)))
    }
}

fn set<V: Kinded>(profile: &Profile, key: Key<V>) -> Result<Option<V>, Fault> {
    profile.rule_if_set(key)
}

fn standing(found: &mut Found<'_>, facts: Facts<'_>) {
    if facts.supplier.current.state != State::Verified {
        found.add(
            "/supplier_id",
            "not_verified",
            None,
            Text::fixed("承接主体未经核验", "the supplier is not verified"),
        );
    }
    if is_debarred(facts.debarments, facts.today) {
        found.add(
            "/supplier_id",
            "debarred",
            None,
            Text::fixed("处于禁止参加政府采购活动期间", "the supplier is debarred"),
        );
    }
}

/// Whether a qualification is of the kind that a book asks for, by its code or by the name of a known kind.
fn is_of(qualification: &Qualification, required: &RequirementDocument) -> bool {
    let kind = qualification.licence.kind.as_str();
    required.kind.as_deref().map_or_else(
        || known_kind(kind).is_some_and(|known| known.name_zh == required.name_zh.trim()),
        |code| code == kind,
    )
}

/// Whether the register can answer for what a book requires. A requirement of no kind that it knows is words, which people compare with what
/// the bid says.
fn is_kept(required: &RequirementDocument) -> bool {
    let by_name = || KNOWN.iter().any(|known| known.name_zh == required.name_zh.trim());
    required.kind.is_some() || by_name()
}

/// Each qualification that the book requires and that does not hold. It is missing only where the register can know that: what is claimed and
/// not decided yet is as good as its evidence, and a consortium may have it through a member whom the register does not know.
fn qualifications(found: &mut Found<'_>, facts: Facts<'_>) {
    for required in &facts.book.qualifications {
        let (zh, en) = (&required.name_zh, &required.name_en);
        let of_kind = || facts.qualifications.iter().filter(|one| is_of(one, required));
        if of_kind().any(|one| one.holds_on(facts.today)) {
            continue;
        }
        let is_claimed = of_kind().any(|one| one.state == Claimed::Claimed && !one.has_expired(facts.today));
        let (code, detail) = if is_claimed || !is_kept(required) || !facts.document.consortium.is_empty() {
            (
                "qualification_unproven",
                text!(
                    "登记中未见有效的“{zh}”，须审查证明材料",
                    "{en}: the register has none that is verified and holds; the evidence is to be looked at"
                ),
            )
        } else if of_kind().any(|one| one.has_expired(facts.today)) {
            (
                "qualification_expired",
                text!("“{zh}”已过期", "{en}: has expired"),
            )
        } else {
            (
                "qualification_missing",
                text!("未见有效的“{zh}”", "{en}: none that is verified and holds"),
            )
        };
        found.add("/supplier_id", code, None, detail);
    }
}

fn is_small(class: SizeClass) -> bool {
    matches!(class, SizeClass::Micro | SizeClass::Small | SizeClass::Medium)
}

fn size(found: &mut Found<'_>, facts: Facts<'_>) {
    let declared = facts.document.size.as_ref().map(|size| size.class);
    let registered = facts
        .supplier
        .current
        .particulars
        .size
        .as_ref()
        .map(|size| size.class);
    if let (Some(declared), Some(registered)) = (declared, registered)
        && declared != registered
    {
        let (declared, registered) = (declared.name(), registered.name());
        found.add(
            "/size/class",
            "size_differs",
            None,
            text!(
                "投标声明为 {declared}，登记为 {registered}",
                "the bid says {declared}, the register {registered}"
            ),
        );
    }
    let is_company = facts.supplier.kind == OrganisationKind::Company;
    if facts.lot.sme != Some(SmeDocument::Reserved {}) || !is_company {
        return;
    }
    let rule = Some(codes::SME_FULL_RESERVE_BUDGET_MAX.code());
    // What the register knows goes before what the bid says of itself.
    let is_large = registered.is_some_and(|class| !is_small(class));
    match declared {
        Some(class) if is_small(class) && !is_large => {}
        Some(_) => found.add(
            "/size/class",
            "not_small",
            rule,
            Text::fixed(
                "本标段专门面向中小企业，投标声明或登记的规模不属于中小企业",
                "the lot is reserved for small and medium enterprises, and by the bid or by the register it is none",
            ),
        ),
        None => found.add(
            "/size",
            "size_not_declared",
            rule,
            Text::fixed(
                "本标段专门面向中小企业，须附中小企业声明函",
                "the lot is reserved for small and medium enterprises; declare the size",
            ),
        ),
    }
    let partners = [
        ("/subcontractors", &facts.document.subcontractors),
        ("/consortium", &facts.document.consortium),
    ];
    for (pointer, partners) in partners {
        for (index, partner) in partners.iter().enumerate() {
            if !partner.size.as_ref().is_some_and(|size| is_small(size.class)) {
                found.add(
                    &format!("{pointer}/{index}/size"),
                    "not_small",
                    rule,
                    Text::fixed(
                        "专门面向中小企业的，联合体成员与分包方均应为中小企业",
                        "where a lot is reserved, every member and subcontractor is a small or medium enterprise",
                    ),
                );
            }
        }
    }
}

/// How two bidders are of one hand, if they are.
fn tie(facts: Facts<'_>, rival: &Rival) -> Option<TieKind> {
    let particulars = &facts.supplier.current.particulars;
    let own_code = particulars.credit_code.as_ref().map(|code| code.as_str());
    let declared = facts.document.ties.iter();
    let by_bidder = declared
        .filter(|tie| Some(tie.credit_code.as_str()) == rival.credit_code.as_deref())
        .map(|tie| tie.kind);
    let by_rival = rival
        .ties
        .iter()
        .filter(|(_, code)| Some(code.as_str()) == own_code)
        .map(|(kind, _)| *kind);
    let same_person = particulars.legal_representative.is_some()
        && particulars.legal_representative == rival.person_in_charge;
    by_bidder
        .chain(by_rival)
        .chain(same_person.then_some(TieKind::SamePersonInCharge))
        .next()
}

fn one_hand(found: &mut Found<'_>, facts: Facts<'_>) -> Result<(), Fault> {
    let key = codes::TENDER_SAME_CONTROL_TIES;
    let others = facts
        .rivals
        .iter()
        .filter(|rival| rival.supplier_id != facts.supplier.id);
    let tied: Vec<(TieKind, &Rival)> = others
        .filter_map(|rival| tie(facts, rival).map(|kind| (kind, rival)))
        .collect();
    for kind in [TieKind::SamePersonInCharge, TieKind::Holding] {
        let of_kind: Vec<&Rival> = tied
            .iter()
            .filter(|(one, _)| *one == kind)
            .map(|(_, rival)| *rival)
            .collect();
        if of_kind.is_empty() || !found.lists(key, kind.name())? {
            continue;
        }
        let zh: Vec<&str> = of_kind.iter().map(|rival| rival.name.0.as_str()).collect();
        let en: Vec<&str> = of_kind.iter().map(|rival| rival.name.1.as_str()).collect();
        let (zh, en) = (zh.join("、"), en.join(", "));
        let detail = match kind {
            TieKind::SamePersonInCharge => text!(
                "与{zh}的负责人为同一人，不得参加同一标段",
                "it has the same person in charge as {en}; both may not bid for one lot"
            ),
            TieKind::Holding => text!(
                "与{zh}存在直接控股、管理关系，不得参加同一标段",
                "it holds or manages {en}, or the other way round; both may not bid for one lot"
            ),
        };
        found.add("/supplier_id", "same_control", Some(key.code()), detail);
    }
    Ok(())
}

fn recusal(found: &mut Found<'_>, facts: Facts<'_>) -> Result<(), Fault> {
    let (recent, standing) = (
        codes::TENDER_RECUSAL_RECENT_TIES,
        codes::TENDER_RECUSAL_STANDING_TIES,
    );
    for (index, interest) in facts.document.interests.iter().enumerate() {
        let name = interest.kind.name();
        let rule = if found.lists(recent, name)? {
            recent.code()
        } else if found.lists(standing, name)? {
            standing.code()
        } else {
            continue;
        };
        found.add(
            &format!("/interests/{index}"),
            "recusal",
            Some(rule),
            Text::fixed(
                "采购人员有此利害关系的应当回避",
                "whoever of the buyer's people has this interest steps back",
            ),
        );
    }
    if facts.shared_accounts > 0 {
        let count = facts.shared_accounts;
        found.add(
            "/supplier_id",
            "recusal",
            Some(recent.code()),
            text!(
                "有 {count} 人同时为采购人与投标人办事",
                "{count} people act both for the buyer and for the bidder"
            ),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bids::rules_document::{InterestDocument, InterestKind, SizeDocument, TieDocument};
    use crate::kernel::clock::Instant;
    use crate::registry::rules_debarments::{Debarment, DebarmentId, Decision};
    use crate::registry::rules_organisations::{Particulars, Version};
    use crate::registry::rules_qualifications::{Licence, QualificationId};
    use crate::registry::rules_size::{Industry, SizeDeclaration, SizeFacts};
    use crate::statutes::built_in;
    use chrono::{TimeZone, Utc};

    const CODE: &str = "914403001922038216";
    const OTHER: &str = "9144030071526726XG";

    fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 3, 20, 1, 0, 0).unwrap()
    }

    fn day(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, month, day).unwrap()
    }

    /// A verified company, its book, its lot and its bid, of which tests change what they are about.
    struct World {
        supplier: Organisation,
        debarments: Vec<Debarment>,
        qualifications: Vec<Qualification>,
        document: BidDocument,
        book: BookDocument,
        shared_accounts: usize,
        rivals: Vec<Rival>,
    }

    impl World {
        fn new() -> Self {
            let book = include_str!("../books/templates/sanitation.json");
            let mut book: BookDocument = serde_json::from_str(book).unwrap();
            for lot in &mut book.lots {
                lot.sme = None;
            }
            let particulars = Particulars {
                name_zh: "洁城".to_owned(),
                name_en: "Jiecheng".to_owned(),
                credit_code: Some(CODE.parse().unwrap()),
                area_id: None,
                legal_representative: Some("高清岚".to_owned()),
                contact_name: None,
                phone: None,
                mail: None,
                address: None,
                member_count: None,
                size: None,
            };
            let supplier = Organisation {
                id: "org_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
                kind: OrganisationKind::Company,
                registered_by: None,
                public_at: Some(now()),
                created_at: now(),
                current: Version {
                    version: 1,
                    state: State::Verified,
                    particulars,
                    verification: None,
                    note: None,
                    changed_by: "user_1".to_owned(),
                    changed_at: now(),
                },
            };
            let document = serde_json::json!({
                "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": supplier.id, "book_version": 1, "price_lines": [],
                "total": {"amount": "1.00", "currency": "CNY"}, "criteria": [], "indicators": [], "key_staff": [],
                "subcontractors": [], "consortium": [], "ties": [], "interests": [], "documents": [], "confidential": []
            });
            Self {
                supplier,
                debarments: Vec::new(),
                qualifications: Vec::new(),
                document: serde_json::from_value(document).unwrap(),
                book,
                shared_accounts: 0,
                rivals: Vec::new(),
            }
        }

        fn found(&self) -> Vec<(&'static str, bool)> {
            let profiles = built_in::profiles_for("cn").unwrap();
            let facts = Facts {
                supplier: &self.supplier,
                debarments: &self.debarments,
                qualifications: &self.qualifications,
                document: &self.document,
                book: &self.book,
                lot: &self.book.lots[0],
                shared_accounts: self.shared_accounts,
                rivals: &self.rivals,
                today: day(3, 20),
                profile: profiles.last().unwrap(),
            };
            let items = items(facts).unwrap();
            items
                .into_iter()
                .map(|one| (one.code, !one.citations.is_empty()))
                .collect()
        }

        fn licensed(&mut self, valid_to: Option<NaiveDate>, state: Claimed) {
            self.qualifications = vec![Qualification {
                id: QualificationId::mint(now()),
                organisation_id: self.supplier.id.clone(),
                licence: Licence {
                    kind: "security_service".to_owned(),
                    issuer: "公安局".to_owned(),
                    number: "1".to_owned(),
                    grade: None,
                    valid_from: day(1, 1),
                    valid_to,
                },
                state,
                note: None,
                version: 1,
                claimed_by: "user_1".to_owned(),
                claimed_at: now(),
                decided: None,
            }];
        }
    }

    fn registered(class: SizeClass) -> SizeDeclaration {
        SizeDeclaration {
            class,
            derived: false,
            facts: SizeFacts {
                industry: Industry::OtherServices,
                employees: None,
                revenue: None,
                assets: None,
            },
            declared_at: now(),
            declared_by: "user_a".to_owned(),
        }
    }

    fn size(class: SizeClass) -> SizeDocument {
        SizeDocument {
            industry: Industry::OtherServices,
            employees: None,
            revenue: None,
            assets: None,
            class,
        }
    }

    #[test]
    fn debarment_and_qualifications_are_judged_by_the_day() {
        let mut world = World::new();
        assert_eq!(world.found(), []);
        let debarment = |until| Debarment {
            id: DebarmentId::mint(now()),
            organisation_id: world.supplier.id.clone(),
            decision: Decision {
                from: day(1, 1),
                until,
                reason_zh: "虚假材料".to_owned(),
                reason_en: "False documents".to_owned(),
                document: "1".to_owned(),
            },
            recorded_by: "user_1".to_owned(),
            recorded_at: now(),
            lifting: None,
        };
        let (over, holds) = (debarment(day(3, 19)), debarment(day(3, 20)));
        world.debarments = vec![over.clone()];
        assert_eq!(world.found(), []);
        world.debarments = vec![over, holds];
        world.supplier.current.state = State::Closed;
        assert_eq!(world.found(), [("not_verified", false), ("debarred", false)]);

        let mut world = World::new();
        let known = known_kind("security_service").unwrap();
        world.book.qualifications = vec![RequirementDocument {
            kind: None,
            name_zh: known.name_zh.to_owned(),
            name_en: known.name_en.to_owned(),
        }];
        assert_eq!(world.found(), [("qualification_missing", false)]);
        world.licensed(Some(day(3, 19)), Claimed::Verified);
        assert_eq!(world.found(), [("qualification_expired", false)]);
        world.licensed(None, Claimed::Verified);
        assert_eq!(world.found(), []);
        // What is claimed in time is as good as its evidence, which somebody looks at.
        world.licensed(Some(day(3, 20)), Claimed::Claimed);
        assert_eq!(world.found(), [("qualification_unproven", false)]);
        world.licensed(Some(day(3, 19)), Claimed::Claimed);
        assert_eq!(world.found(), [("qualification_expired", false)]);
    }

    #[test]
    fn only_what_the_register_can_know_is_missing() {
        let mut world = World::new();
        let required = |kind: Option<&str>, name_zh: &str| RequirementDocument {
            kind: kind.map(str::to_owned),
            name_zh: name_zh.to_owned(),
            name_en: "A licence".to_owned(),
        };
        // The code goes before the name, and kinds that have no name here are known by it.
        world.book.qualifications = vec![required(Some("security_service"), "保安许可")];
        assert_eq!(world.found(), [("qualification_missing", false)]);
        world.licensed(None, Claimed::Verified);
        assert_eq!(world.found(), []);
        world.book.qualifications = vec![required(Some("tea"), "保安服务许可证")];
        assert_eq!(world.found(), [("qualification_missing", false)]);
        // Words alone are nothing that can be looked up.
        world.book.qualifications = vec![required(None, "近三年有三项类似业绩")];
        assert_eq!(world.found(), [("qualification_unproven", false)]);
        // A consortium may have it through a member whom the register does not know.
        world.book.qualifications = vec![required(Some("tea"), "茶叶许可")];
        let member = serde_json::json!({"name": "茶行", "credit_code": OTHER, "work": "清运", "percent": "10", "size": null});
        world.document.consortium = vec![serde_json::from_value(member).unwrap()];
        assert_eq!(world.found(), [("qualification_unproven", false)]);
    }

    #[test]
    fn a_reserved_lot_takes_small_and_medium_enterprises_alone() {
        let mut world = World::new();
        world.book.lots[0].sme = Some(SmeDocument::Reserved {});
        assert_eq!(world.found(), [("size_not_declared", true)]);
        for (class, expected) in [
            (SizeClass::Micro, vec![]),
            (SizeClass::Medium, vec![]),
            (SizeClass::Large, vec![("not_small", true)]),
        ] {
            world.document.size = Some(size(class));
            assert_eq!(world.found(), expected);
        }
        // What the register knows goes before what the bid says of itself.
        world.document.size = Some(size(SizeClass::Small));
        world.supplier.current.particulars.size = Some(registered(SizeClass::Large));
        assert_eq!(world.found(), [("size_differs", false), ("not_small", true)]);
        world.supplier.current.particulars.size = None;
        let partner = serde_json::json!({"name": "大公司", "credit_code": OTHER, "work": "清运", "percent": "10", "size": null});
        world.document.consortium = vec![serde_json::from_value(partner).unwrap()];
        assert_eq!(world.found(), [("not_small", true)]);
        // Residents and social organisations are no enterprises, and nothing is asked of their size.
        world.supplier.kind = OrganisationKind::ResidentsGroup;
        assert_eq!(world.found(), []);
    }

    #[test]
    fn one_hand_behind_two_bidders_shows_from_either_side() {
        let rival = |code: &str, person: Option<&str>, ties: Vec<(TieKind, String)>| Rival {
            name: ("德润环境".to_owned(), "Derun".to_owned()),
            supplier_id: "org_01jd3n8f5teqkrzvq1c0m6h2ay".parse().unwrap(),
            credit_code: Some(code.to_owned()),
            person_in_charge: person.map(str::to_owned),
            ties,
        };
        let mut world = World::new();
        world.rivals = vec![rival(OTHER, Some("林德润"), Vec::new())];
        assert_eq!(world.found(), []);
        world.rivals = vec![rival(OTHER, Some("高清岚"), Vec::new())];
        assert_eq!(world.found(), [("same_control", true)]);
        world.rivals = vec![rival(OTHER, None, vec![(TieKind::Holding, CODE.to_owned())])];
        assert_eq!(world.found(), [("same_control", true)]);
        world.rivals = vec![rival(OTHER, None, Vec::new())];
        world.document.ties = vec![TieDocument {
            kind: TieKind::Holding,
            name: "德润".to_owned(),
            credit_code: OTHER.to_owned(),
        }];
        assert_eq!(world.found(), [("same_control", true)]);
        world.rivals = vec![Rival {
            supplier_id: world.supplier.id.clone(),
            ..rival(OTHER, Some("高清岚"), Vec::new())
        }];
        assert_eq!(world.found(), [], "nobody is their own rival");
    }

    #[test]
    fn who_has_to_do_with_both_sides_steps_back() {
        let mut world = World::new();
        world.shared_accounts = 1;
        let interest = |kind| InterestDocument {
            kind,
            name: "王磊".to_owned(),
            text: "2025 年离职".to_owned(),
        };
        world.document.interests = vec![interest(InterestKind::Director), interest(InterestKind::Kin)];
        assert_eq!(world.found(), [("recusal", true); 3]);
    }
}
