//! Who is in the demo ward: its organisations and people, all of them invented. Data only; `demo.rs` puts them on the stage.

use crate::kernel::party::OrganisationKind as Kind;
use crate::registry::rules_size::Industry;
use crate::web::policy::Role;

/// An organisation of the demo.
pub struct Body {
    /// What the list of people calls it.
    pub key: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Chinese name.
    pub name_zh: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// Unified social credit code, of the invented region 990101.
    pub credit_code: Option<&'static str>,
    /// The code of the area where it is at home.
    pub area: &'static str,
    /// For suppliers: who is in charge. Each has somebody else: one person in charge of two would look like one hand behind both.
    pub in_charge: Option<&'static str>,
    /// For companies: how large they are.
    pub size: Option<Figures>,
}

/// What a company declares of its size.
#[derive(Clone, Copy)]
pub struct Figures {
    /// Line of business.
    pub industry: Industry,
    /// Employees.
    pub employees: i64,
    /// Revenue of a year, in yuan.
    pub revenue_yuan: i64,
    /// Total assets in yuan, where the standard for the industry asks for them.
    pub assets_yuan: Option<i64>,
}

/// A company of cleaners or gardeners.
const fn services(employees: i64, revenue_yuan: i64) -> Figures {
    Figures {
        industry: Industry::OtherServices,
        employees,
        revenue_yuan,
        assets_yuan: None,
    }
}

/// A company of guards.
const fn guards(employees: i64, revenue_yuan: i64, assets_yuan: i64) -> Figures {
    Figures {
        industry: Industry::BusinessServices,
        employees,
        revenue_yuan,
        assets_yuan: Some(assets_yuan),
    }
}

/// A company that keeps estates.
const fn estates(employees: i64, revenue_yuan: i64) -> Figures {
    Figures {
        industry: Industry::PropertyManagement,
        employees,
        revenue_yuan,
        assets_yuan: None,
    }
}

const fn public(
    key: &'static str,
    kind: Kind,
    name: (&'static str, &'static str),
    credit_code: &'static str,
    area: &'static str,
) -> Body {
    Body {
        key,
        kind,
        name_zh: name.0,
        name_en: name.1,
        credit_code: Some(credit_code),
        area,
        in_charge: None,
        size: None,
    }
}

const fn company(
    key: &'static str,
    name: (&'static str, &'static str),
    credit_code: &'static str,
    area: &'static str,
    (in_charge, size): (&'static str, Figures),
) -> Body {
    Body {
        key,
        kind: Kind::Company,
        name_zh: name.0,
        name_en: name.1,
        credit_code: Some(credit_code),
        area,
        in_charge: Some(in_charge),
        size: Some(size),
    }
}

/// Departments, offices and residents' committees.
pub const PUBLIC_BODIES: [Body; 9] = [
    public(
        "bureau",
        Kind::FinanceBureau,
        ("凤鸣区财政局", "Fengming District Finance Bureau"),
        "11990101009901016T",
        "990101",
    ),
    public(
        "audit",
        Kind::AuditOffice,
        ("凤鸣区审计局", "Fengming District Audit Office"),
        "11990101009901024M",
        "990101",
    ),
    public(
        "department",
        Kind::Department,
        ("凤鸣区城市管理局", "Fengming District Urban Management"),
        "11990101009901032G",
        "990101",
    ),
    public(
        "street",
        Kind::StreetOffice,
        ("梧桐街道办事处", "Wutong Street Office"),
        "11990101009901040B",
        "990101001",
    ),
    public(
        "guiyuan",
        Kind::Community,
        ("桂园社区居民委员会", "Guiyuan Residents' Committee"),
        "55990101990110013X",
        "990101001001",
    ),
    public(
        "huaiyin",
        Kind::Community,
        ("槐荫社区居民委员会", "Huaiyin Residents' Committee"),
        "55990101990110021Q",
        "990101001002",
    ),
    public(
        "liudi",
        Kind::Community,
        ("柳堤社区居民委员会", "Liudi Residents' Committee"),
        "5599010199011003XG",
        "990101001003",
    ),
    public(
        "fenglin",
        Kind::Community,
        ("枫林社区居民委员会", "Fenglin Residents' Committee"),
        "55990101990110048G",
        "990101001004",
    ),
    public(
        "zhuxi",
        Kind::Community,
        ("竹溪社区居民委员会", "Zhuxi Residents' Committee"),
        "55990101990110056B",
        "990101001005",
    ),
];

/// Those who take on the work.
pub const SUPPLIERS: [Body; 13] = [
    company(
        "qinglan",
        ("清澜环卫有限公司", "Qinglan Sanitation Ltd"),
        "91990101MA2QL0017P",
        "990101",
        ("沈清澜", services(420, 96_000_000)),
    ),
    company(
        "jiecheng",
        ("梧桐洁城服务有限公司", "Wutong Clean City Services Ltd"),
        "91990101MA2WT00248",
        "990101001",
        ("石建诚", services(86, 8_400_000)),
    ),
    company(
        "derun",
        ("德润环境服务有限公司", "Derun Environment Ltd"),
        "91990101MA2DR0034T",
        "9901",
        ("林德润", services(350, 71_000_000)),
    ),
    company(
        "xinhe",
        ("新禾保洁有限公司", "Xinhe Cleaning Ltd"),
        "91990101MA2XH0046D",
        "990101",
        ("谷新禾", services(54, 4_900_000)),
    ),
    company(
        "cuiping",
        ("翠屏园林养护有限公司", "Cuiping Greening Ltd"),
        "91990101MA2CP00675",
        "990101",
        ("崔屏", services(48, 5_600_000)),
    ),
    company(
        "luzhi",
        ("绿枝园艺有限公司", "Lüzhi Gardening Ltd"),
        "91990101MA2LX00779",
        "9901",
        ("叶知春", services(33, 3_200_000)),
    ),
    company(
        "anlan",
        ("安澜保安服务有限公司", "Anlan Guarding Ltd"),
        "91990101MA2AL008XY",
        "990101",
        ("安远", guards(68, 6_900_000, 6_200_000)),
    ),
    company(
        "panshi",
        ("磐石保安服务有限公司", "Panshi Guarding Ltd"),
        "91990101MA2PH009XA",
        "9901",
        ("潘磊", guards(124, 12_800_000, 9_000_000)),
    ),
    company(
        "mingdun",
        ("鸣盾保安服务有限公司", "Mingdun Guarding Ltd"),
        "91990101MA2MD0108H",
        "990101",
        ("鲁鸣", guards(45, 4_100_000, 3_100_000)),
    ),
    company(
        "anju",
        ("安居里物业服务有限公司", "Anjuli Estates Ltd"),
        "91990101MA2AJ0118W",
        "990101",
        ("居正安", estates(130, 11_200_000)),
    ),
    company(
        "huaian",
        ("槐安物业服务有限公司", "Huai'an Estates Ltd"),
        "91990101MA2HA0123J",
        "990101001",
        ("怀远", estates(62, 4_100_000)),
    ),
    Body {
        key: "lvhe",
        kind: Kind::SocialOrganisation,
        name_zh: "凤鸣区绿禾社区服务中心",
        name_en: "Lühe Community Service Centre",
        credit_code: Some("52990101MJ0LH00520"),
        area: "990101",
        in_charge: Some("林禾"),
        size: None,
    },
    Body {
        key: "green_team",
        kind: Kind::ResidentsGroup,
        name_zh: "桂园社区环卫绿化队",
        name_en: "Guiyuan Sanitation and Greening Team",
        credit_code: None,
        area: "990101001001",
        in_charge: Some("桂兰"),
        size: None,
    },
];

/// Somebody in the demo.
pub struct Somebody {
    /// What stands before the `@` of their address.
    pub name: &'static str,
    /// What they are called.
    pub display_name: &'static str,
    /// The organisation that they belong to; none for the platform's and for residents.
    pub body: Option<&'static str>,
    /// What they do there.
    pub roles: &'static [Role],
}

const fn person(
    name: &'static str,
    display_name: &'static str,
    body: &'static str,
    roles: &'static [Role],
) -> Somebody {
    Somebody {
        name,
        display_name,
        body: Some(body),
        roles,
    }
}

/// The platform's own: two administrators, because one enters an organisation and another verifies it.
pub const PLATFORM: [Somebody; 2] = [
    Somebody {
        name: "admin",
        display_name: "林岚",
        body: None,
        roles: &[Role::Admin],
    },
    Somebody {
        name: "admin2",
        display_name: "吴桐",
        body: None,
        roles: &[Role::Admin],
    },
];

/// An expert, with the categories of services that they know.
type Expert = (Somebody, &'static [&'static str]);

const fn expert(
    name: &'static str,
    display_name: &'static str,
    categories: &'static [&'static str],
) -> Expert {
    let somebody = Somebody {
        name,
        display_name,
        body: None,
        roles: &[Role::Evaluator],
    };
    (somebody, categories)
}

const STREETS: &[&str] = &["greening", "sanitation"];
const HOUSES: &[&str] = &["property", "security"];
const PRICES: &[&str] = &["greening", "property", "sanitation", "security"];

/// The experts of the pool: eight for each category, so that a panel of five has some to spare.
pub const EXPERTS: [Expert; 12] = [
    expert("expert1", "沈克", HOUSES),
    expert("expert2", "蒋菁", STREETS),
    expert("expert3", "韩松", PRICES),
    expert("expert4", "朱砚", HOUSES),
    expert("expert5", "秦川", STREETS),
    expert("expert6", "尤岩", PRICES),
    expert("expert7", "吕青", HOUSES),
    expert("expert8", "施宁", STREETS),
    expert("expert9", "孔越", PRICES),
    expert("expert10", "卫平", HOUSES),
    expert("expert11", "陶然", STREETS),
    expert("expert12", "姜澄", PRICES),
];

/// Administrators of public bodies, who give the others their roles.
pub const CHIEFS: [Somebody; 9] = [
    person("bureau.chief", "郑和平", "bureau", &[Role::OrganisationAdmin]),
    person("audit.chief", "何清", "audit", &[Role::OrganisationAdmin]),
    person(
        "department.chief",
        "冯毅",
        "department",
        &[Role::OrganisationAdmin],
    ),
    person("street.chief", "陈静", "street", &[Role::OrganisationAdmin]),
    person("guiyuan.chair", "桂芳", "guiyuan", &[Role::OrganisationAdmin]),
    person("huaiyin.chair", "槐生", "huaiyin", &[Role::OrganisationAdmin]),
    person("liudi.chair", "柳文", "liudi", &[Role::OrganisationAdmin]),
    person("fenglin.chair", "枫叶", "fenglin", &[Role::OrganisationAdmin]),
    person("zhuxi.chair", "竹青", "zhuxi", &[Role::OrganisationAdmin]),
];

/// Those who do the work of public bodies.
pub const STAFF: [Somebody; 25] = [
    person("regulator", "周正", "bureau", &[Role::Regulator]),
    person("standards.keeper", "章程", "department", &[Role::StandardsKeeper]),
    person("bureau.finance", "钱多", "bureau", &[Role::FinanceOfficer]),
    person("auditor", "苏明", "audit", &[Role::Auditor]),
    person(
        "auditor2",
        "丁一",
        "audit",
        &[Role::Auditor, Role::OpeningWitness],
    ),
    person("department.officer", "许诺", "department", &[Role::BuyerOfficer]),
    person(
        "department.approver",
        "曹严",
        "department",
        &[Role::BuyerApprover],
    ),
    person(
        "department.finance",
        "金账",
        "department",
        &[Role::FinanceOfficer],
    ),
    person("officer", "王磊", "street", &[Role::BuyerOfficer]),
    person("officer2", "高远", "street", &[Role::BuyerOfficer]),
    person("approver", "李娜", "street", &[Role::BuyerApprover]),
    person("finance", "张敏", "street", &[Role::FinanceOfficer]),
    person("finance2", "赵强", "street", &[Role::FinanceOfficer]),
    person("finance3", "吴清", "street", &[Role::FinanceOfficer]),
    person("witness", "孙悦", "street", &[Role::OpeningWitness]),
    person("guiyuan.officer", "桂明", "guiyuan", &[Role::BuyerOfficer]),
    person("guiyuan.approver", "桂春", "guiyuan", &[Role::BuyerApprover]),
    person("guiyuan.finance", "桂账", "guiyuan", &[Role::FinanceOfficer]),
    person("guiyuan.finance2", "桂款", "guiyuan", &[Role::FinanceOfficer]),
    person("guiyuan.finance3", "桂核", "guiyuan", &[Role::FinanceOfficer]),
    person("guiyuan.registrar", "罗册", "guiyuan", &[Role::Registrar]),
    person("huaiyin.registrar", "梁簿", "huaiyin", &[Role::Registrar]),
    person("liudi.registrar", "宋录", "liudi", &[Role::Registrar]),
    person("fenglin.registrar", "唐籍", "fenglin", &[Role::Registrar]),
    person("zhuxi.registrar", "于档", "zhuxi", &[Role::Registrar]),
];

/// Those who register the suppliers, and their agents.
pub const SUPPLIER_PEOPLE: [Somebody; 26] = [
    person("qinglan.owner", "清澜", "qinglan", &[]),
    person("jiecheng.owner", "洁城", "jiecheng", &[]),
    person("derun.owner", "德润", "derun", &[]),
    person("xinhe.owner", "新禾", "xinhe", &[]),
    person("cuiping.owner", "崔屏", "cuiping", &[]),
    person("luzhi.owner", "叶知春", "luzhi", &[]),
    person("anlan.owner", "安远", "anlan", &[]),
    person("panshi.owner", "潘磊", "panshi", &[]),
    person("mingdun.owner", "鲁鸣", "mingdun", &[]),
    person("anju.owner", "居正安", "anju", &[]),
    person("huaian.owner", "怀远", "huaian", &[]),
    person("lvhe.owner", "绿禾", "lvhe", &[]),
    person("green.owner", "桂兰", "green_team", &[]),
    person("qinglan.agent", "江水", "qinglan", &[Role::SupplierAgent]),
    person("jiecheng.agent", "石坚", "jiecheng", &[Role::SupplierAgent]),
    person("derun.agent", "田园", "derun", &[Role::SupplierAgent]),
    person("xinhe.agent", "谷雨", "xinhe", &[Role::SupplierAgent]),
    person("cuiping.agent", "苏木", "cuiping", &[Role::SupplierAgent]),
    person("luzhi.agent", "白芷", "luzhi", &[Role::SupplierAgent]),
    person("anlan.agent", "雷鸣", "anlan", &[Role::SupplierAgent]),
    person("panshi.agent", "岳峰", "panshi", &[Role::SupplierAgent]),
    person("mingdun.agent", "甲盾", "mingdun", &[Role::SupplierAgent]),
    person("anju.agent", "路平", "anju", &[Role::SupplierAgent]),
    person("huaian.agent", "成荫", "huaian", &[Role::SupplierAgent]),
    person("lvhe.agent", "林木", "lvhe", &[Role::SupplierAgent]),
    person("green.agent", "桂英", "green_team", &[Role::SupplierAgent]),
];

/// Residents with an account; their places on the roll of 桂园社区 are the first two of it.
pub const RESIDENTS: [Somebody; 2] = [
    Somebody {
        name: "resident1",
        display_name: "赵伟",
        body: None,
        roles: &[],
    },
    Somebody {
        name: "resident2",
        display_name: "钱芳",
        body: None,
        roles: &[],
    },
];
