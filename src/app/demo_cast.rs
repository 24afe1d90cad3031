//! Who is in the demo ward: its organisations and people, all of them invented. Data only; `demo.rs` puts them on the stage.

use crate::kernel::party::OrganisationKind as Kind;
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
    /// For suppliers: employees, and revenue of a year in yuan.
    pub size: Option<(i64, i64)>,
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
        size: None,
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
pub const SUPPLIERS: [Body; 6] = [
    Body {
        key: "qinglan",
        kind: Kind::Company,
        name_zh: "清澜环卫有限公司",
        name_en: "Qinglan Sanitation Ltd",
        credit_code: Some("91990101MA2QL0017P"),
        area: "990101",
        size: Some((420, 96_000_000)),
    },
    Body {
        key: "jiecheng",
        kind: Kind::Company,
        name_zh: "梧桐洁城服务有限公司",
        name_en: "Wutong Clean City Services Ltd",
        credit_code: Some("91990101MA2WT00248"),
        area: "990101001",
        size: Some((86, 8_400_000)),
    },
    Body {
        key: "derun",
        kind: Kind::Company,
        name_zh: "德润环境服务有限公司",
        name_en: "Derun Environment Ltd",
        credit_code: Some("91990101MA2DR0034T"),
        area: "9901",
        size: Some((350, 71_000_000)),
    },
    Body {
        key: "xinhe",
        kind: Kind::Company,
        name_zh: "新禾保洁有限公司",
        name_en: "Xinhe Cleaning Ltd",
        credit_code: Some("91990101MA2XH0046D"),
        area: "990101",
        size: Some((54, 4_900_000)),
    },
    Body {
        key: "lvhe",
        kind: Kind::SocialOrganisation,
        name_zh: "凤鸣区绿禾社区服务中心",
        name_en: "Lühe Community Service Centre",
        credit_code: Some("52990101MJ0LH00520"),
        area: "990101",
        size: None,
    },
    Body {
        key: "green_team",
        kind: Kind::ResidentsGroup,
        name_zh: "桂园社区环卫绿化队",
        name_en: "Guiyuan Sanitation and Greening Team",
        credit_code: None,
        area: "990101001001",
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

/// The platform's own: two administrators, because one enters an organisation and another verifies it, and experts.
pub const PLATFORM: [Somebody; 5] = [
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
    Somebody {
        name: "expert1",
        display_name: "沈克",
        body: None,
        roles: &[Role::Evaluator],
    },
    Somebody {
        name: "expert2",
        display_name: "蒋菁",
        body: None,
        roles: &[Role::Evaluator],
    },
    Somebody {
        name: "expert3",
        display_name: "韩松",
        body: None,
        roles: &[Role::Evaluator],
    },
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
pub const STAFF: [Somebody; 21] = [
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
    person("witness", "孙悦", "street", &[Role::OpeningWitness]),
    person("guiyuan.officer", "桂明", "guiyuan", &[Role::BuyerOfficer]),
    person("guiyuan.approver", "桂春", "guiyuan", &[Role::BuyerApprover]),
    person("guiyuan.registrar", "罗册", "guiyuan", &[Role::Registrar]),
    person("huaiyin.registrar", "梁簿", "huaiyin", &[Role::Registrar]),
    person("liudi.registrar", "宋录", "liudi", &[Role::Registrar]),
    person("fenglin.registrar", "唐籍", "fenglin", &[Role::Registrar]),
    person("zhuxi.registrar", "于档", "zhuxi", &[Role::Registrar]),
];

/// Those who register the suppliers, and their agents.
pub const SUPPLIER_PEOPLE: [Somebody; 12] = [
    person("qinglan.owner", "清澜", "qinglan", &[]),
    person("jiecheng.owner", "洁城", "jiecheng", &[]),
    person("derun.owner", "德润", "derun", &[]),
    person("xinhe.owner", "新禾", "xinhe", &[]),
    person("lvhe.owner", "绿禾", "lvhe", &[]),
    person("green.owner", "桂兰", "green_team", &[]),
    person("qinglan.agent", "江水", "qinglan", &[Role::SupplierAgent]),
    person("jiecheng.agent", "石坚", "jiecheng", &[Role::SupplierAgent]),
    person("derun.agent", "田园", "derun", &[Role::SupplierAgent]),
    person("xinhe.agent", "谷雨", "xinhe", &[Role::SupplierAgent]),
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
