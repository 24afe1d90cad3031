//! How large a company is: what it declares, and the class that follows from it. The classes are those of the 中小企业划型标准规定
//! (工信部联企业〔2011〕300号, in force since 2011-06-18) art 4; a declaration is what bids of small companies rest on
//! (财库〔2020〕46号 art 11). Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::Refusal;
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::text;

/// Employees that a declaration may name at most.
pub const EMPLOYEES_MAX: i64 = 10_000_000;

/// The class of a company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SizeClass {
    /// 微型
    Micro,
    /// 小型
    Small,
    /// 中型
    Medium,
    /// 大型
    Large,
    /// Not a company.
    NotApplicable,
}

impl SizeClass {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Micro,
        Self::Small,
        Self::Medium,
        Self::Large,
        Self::NotApplicable,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Micro => "micro",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// The class of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// The lines of business that the standard tells apart (art 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Industry {
    /// 农、林、牧、渔业
    Agriculture,
    /// 工业
    Manufacturing,
    /// 建筑业
    Construction,
    /// 批发业
    Wholesale,
    /// 零售业
    Retail,
    /// 交通运输业
    Transport,
    /// 仓储业
    Storage,
    /// 邮政业
    Post,
    /// 住宿业
    Lodging,
    /// 餐饮业
    Catering,
    /// 信息传输业
    Telecommunications,
    /// 软件和信息技术服务业
    Software,
    /// 房地产开发经营
    RealEstate,
    /// 物业管理
    PropertyManagement,
    /// 租赁和商务服务业, guarding among them
    BusinessServices,
    /// 其他未列明行业: sanitation and greening (公共设施管理业), residents' services, social work
    OtherServices,
}

impl Industry {
    /// All of them, in the order of the standard.
    pub const ALL: [Self; 16] = [
        Self::Agriculture,
        Self::Manufacturing,
        Self::Construction,
        Self::Wholesale,
        Self::Retail,
        Self::Transport,
        Self::Storage,
        Self::Post,
        Self::Lodging,
        Self::Catering,
        Self::Telecommunications,
        Self::Software,
        Self::RealEstate,
        Self::PropertyManagement,
        Self::BusinessServices,
        Self::OtherServices,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agriculture => "agriculture",
            Self::Manufacturing => "manufacturing",
            Self::Construction => "construction",
            Self::Wholesale => "wholesale",
            Self::Retail => "retail",
            Self::Transport => "transport",
            Self::Storage => "storage",
            Self::Post => "post",
            Self::Lodging => "lodging",
            Self::Catering => "catering",
            Self::Telecommunications => "telecommunications",
            Self::Software => "software",
            Self::RealEstate => "real_estate",
            Self::PropertyManagement => "property_management",
            Self::BusinessServices => "business_services",
            Self::OtherServices => "other_services",
        }
    }

    /// The industry of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|industry| industry.name() == name)
    }
}

/// What a company must reach in every respect to be of a class.
#[derive(Clone, Copy, Debug)]
struct Reach {
    class: SizeClass,
    employees: i64,
    revenue_fen: i64,
    assets_fen: i64,
}

/// 10,000 yuan in fen: the standard's figures are in 万元.
const WAN: i64 = 1_000_000;

const fn reach(class: SizeClass, employees: i64, revenue_wan: i64, assets_wan: i64) -> Reach {
    Reach {
        class,
        employees,
        revenue_fen: revenue_wan * WAN,
        assets_fen: assets_wan * WAN,
    }
}

/// The lower ends of the classes, largest first, by 工信部联企业〔2011〕300号 art 4 (14), (15), (16). What reaches none is micro. The
/// other industries of the standard are not kept here: what is declared of them is taken as declared.
const STANDARD: &[(Industry, [Reach; 3])] = &[
    (
        Industry::PropertyManagement,
        [
            reach(SizeClass::Large, 1_000, 5_000, 0),
            reach(SizeClass::Medium, 300, 1_000, 0),
            reach(SizeClass::Small, 100, 500, 0),
        ],
    ),
    (
        Industry::BusinessServices,
        [
            reach(SizeClass::Large, 300, 0, 120_000),
            reach(SizeClass::Medium, 100, 0, 8_000),
            reach(SizeClass::Small, 10, 0, 100),
        ],
    ),
    (
        Industry::OtherServices,
        [
            reach(SizeClass::Large, 300, 0, 0),
            reach(SizeClass::Medium, 100, 0, 0),
            reach(SizeClass::Small, 10, 0, 0),
        ],
    ),
];

/// What a company says of itself; figures are of the year before, as far as they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeFacts {
    /// Line of business.
    pub industry: Industry,
    /// People employed.
    pub employees: Option<i64>,
    /// Revenue of a year.
    pub revenue: Option<Money>,
    /// Total assets.
    pub assets: Option<Money>,
}

/// A declaration that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeDeclaration {
    /// The class.
    pub class: SizeClass,
    /// True if the class follows from the facts by the standard; false if it is as declared.
    pub derived: bool,
    /// The facts.
    pub facts: SizeFacts,
    /// When, UTC.
    pub declared_at: Instant,
    /// By whom.
    pub declared_by: String,
}

/// The class that follows from the facts; `None` if the standard for the industry is not kept here, or facts that it asks for
/// are missing.
pub fn derived(facts: &SizeFacts) -> Option<SizeClass> {
    let (_, reaches) = STANDARD
        .iter()
        .find(|(industry, _)| *industry == facts.industry)?;
    // `None` where the standard asks for a figure that was not declared.
    let is_reached = |asked: i64, given: Option<i64>| match (asked, given) {
        (0, _) => Some(true),
        (_, None) => None,
        (asked, Some(given)) => Some(given >= asked),
    };
    for reach in reaches {
        let all = is_reached(reach.employees, facts.employees)?
            & is_reached(reach.revenue_fen, facts.revenue.map(Money::fen))?
            & is_reached(reach.assets_fen, facts.assets.map(Money::fen))?;
        if all {
            return Some(reach.class);
        }
    }
    Some(SizeClass::Micro)
}

/// A declaration of these facts and, where it does not follow from them, this class.
///
/// # Errors
/// [`crate::web::problem::INVALID`] at `/size/…`: negative figures; a class that does not follow from the facts, or is missing
/// where none follows.
pub fn declare(
    facts: SizeFacts,
    class: Option<SizeClass>,
    declared_at: Instant,
    declared_by: &str,
) -> Result<SizeDeclaration, Refusal> {
    let mut form = Form::new();
    if facts
        .employees
        .is_some_and(|count| !(0..=EMPLOYEES_MAX).contains(&count))
    {
        form.object(
            "/size/employees",
            text!("应为 0 至 {EMPLOYEES_MAX}", "must be from 0 to {EMPLOYEES_MAX}"),
        );
    }
    for (pointer, amount) in [("/size/revenue", facts.revenue), ("/size/assets", facts.assets)] {
        if amount.is_some_and(Money::is_negative) {
            form.object(pointer, Text::fixed("不得为负数", "must not be negative"));
        }
    }
    let follows = derived(&facts);
    let class = match (follows, class) {
        (Some(follows), Some(declared)) if follows != declared => {
            let (name, industry) = (follows.name(), facts.industry.name());
            form.object(
                "/size/class",
                text!(
                    "按 {industry} 的划型标准（工信部联企业〔2011〕300号）应为 {name}",
                    "by the standard for {industry} (工信部联企业〔2011〕300号) these figures make it {name}"
                ),
            );
            follows
        }
        (Some(follows), _) => follows,
        (None, Some(SizeClass::NotApplicable) | None) => {
            form.object(
                "/size/class",
                Text::fixed(
                    "无法由所报数据推定，须申报 large、medium、small 或 micro",
                    "does not follow from these figures; declare large, medium, small or micro",
                ),
            );
            SizeClass::NotApplicable
        }
        (None, Some(declared)) => declared,
    };
    form.finish(SizeDeclaration {
        class,
        derived: follows.is_some(),
        facts,
        declared_at,
        declared_by: declared_by.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts(industry: Industry, employees: i64, revenue_yuan: i64, assets_yuan: i64) -> SizeFacts {
        SizeFacts {
            industry,
            employees: Some(employees),
            revenue: Some(Money::from_yuan(revenue_yuan).unwrap()),
            assets: Some(Money::from_yuan(assets_yuan).unwrap()),
        }
    }

    #[test]
    fn a_class_begins_exactly_at_its_figures() {
        use Industry::{BusinessServices, OtherServices, PropertyManagement};
        use SizeClass::{Large, Medium, Micro, Small};
        for (industry, employees, revenue, assets, class) in [
            (PropertyManagement, 1_000, 50_000_000, 0, Large),
            (PropertyManagement, 999, 50_000_000, 0, Medium),
            (PropertyManagement, 1_000, 49_999_999, 0, Medium),
            (PropertyManagement, 300, 10_000_000, 0, Medium),
            (PropertyManagement, 299, 10_000_000, 0, Small),
            (PropertyManagement, 300, 9_999_999, 0, Small),
            (PropertyManagement, 100, 5_000_000, 0, Small),
            (PropertyManagement, 99, 5_000_000, 0, Micro),
            (PropertyManagement, 5_000, 4_999_999, 0, Micro),
            (BusinessServices, 300, 0, 1_200_000_000, Large),
            (BusinessServices, 300, 0, 1_199_999_999, Medium),
            (BusinessServices, 100, 0, 80_000_000, Medium),
            (BusinessServices, 99, 0, 80_000_000, Small),
            (BusinessServices, 10, 0, 1_000_000, Small),
            (BusinessServices, 9, 0, 1_000_000, Micro),
            (OtherServices, 300, 0, 0, Large),
            (OtherServices, 299, 0, 0, Medium),
            (OtherServices, 100, 0, 0, Medium),
            (OtherServices, 99, 0, 0, Small),
            (OtherServices, 10, 0, 0, Small),
            (OtherServices, 9, 0, 0, Micro),
        ] {
            let found = derived(&facts(industry, employees, revenue, assets));
            assert_eq!(found, Some(class), "{industry:?} {employees} {revenue} {assets}");
        }
    }

    #[test]
    fn what_does_not_follow_is_as_declared_and_what_follows_cannot_be_declared_otherwise() {
        let now = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let declare = |facts, class| declare(facts, class, now, "user_a");
        let retail = facts(Industry::Retail, 5, 1, 1);
        assert!(declare(retail, None).is_err());
        assert!(declare(retail, Some(SizeClass::NotApplicable)).is_err());
        let declared = declare(retail, Some(SizeClass::Small)).unwrap();
        assert_eq!((declared.class, declared.derived), (SizeClass::Small, false));
        let other = facts(Industry::OtherServices, 42, 0, 0);
        let declared = declare(other, None).unwrap();
        assert_eq!((declared.class, declared.derived), (SizeClass::Small, true));
        let refusal = declare(other, Some(SizeClass::Micro)).unwrap_err();
        assert_eq!(refusal.objections[0].pointer, "/size/class");
        // Employees alone say nothing of a company that manages property.
        let unknown = SizeFacts {
            revenue: None,
            ..facts(Industry::PropertyManagement, 400, 0, 0)
        };
        assert_eq!(derived(&unknown), None);
        assert!(!declare(unknown, Some(SizeClass::Medium)).unwrap().derived);
        let negative = facts(Industry::Retail, -1, -1, -1);
        let pointers: Vec<_> = declare(negative, Some(SizeClass::Micro))
            .unwrap_err()
            .objections
            .into_iter()
            .map(|objection| objection.pointer)
            .collect();
        assert_eq!(pointers, ["/size/employees", "/size/revenue", "/size/assets"]);
    }

    proptest! {
        /// Whoever grows is never of a smaller class for it.
        #[test]
        fn more_of_anything_makes_no_smaller_class(
            which in 0_usize..3, employees in 0_i64..2_000, revenue in 0_i64..100_000_000, assets in 0_i64..2_000_000_000,
            more in 0_i64..1_000,
        ) {
            let industry = STANDARD[which].0;
            let before = derived(&facts(industry, employees, revenue, assets)).unwrap();
            prop_assert!(derived(&facts(industry, employees + more, revenue, assets)).unwrap() >= before);
            prop_assert!(derived(&facts(industry, employees, revenue + more, assets)).unwrap() >= before);
            prop_assert!(derived(&facts(industry, employees, revenue, assets + more)).unwrap() >= before);
        }
    }
}
