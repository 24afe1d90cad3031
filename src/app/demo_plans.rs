//! What the demo's five contract books are about, with the intention notices and consultations that go before them. All invented. Data
//! only; `demo_planning.rs` and `demo_books.rs` bring it about.

use crate::kernel::refusal::Fault;

/// Something in Chinese and in English.
pub type Pair = (&'static str, &'static str);

/// Who buys, and by whom.
pub struct Office {
    /// Writes.
    pub officer: &'static str,
    /// Reviews needs, if there is somebody beside the expert from outside.
    pub reviewer: Option<&'static str>,
    /// Publishes, concludes, approves.
    pub approver: &'static str,
    /// Looks after the money.
    pub finance: &'static str,
    /// Whom one may ask.
    pub contact: &'static str,
}

static STREET: Office = Office {
    officer: "officer",
    reviewer: Some("officer2"),
    approver: "approver",
    finance: "finance",
    contact: "王磊 0990-5550101",
};

static GUIYUAN: Office = Office {
    officer: "guiyuan.officer",
    reviewer: None,
    approver: "guiyuan.approver",
    finance: "guiyuan.finance",
    contact: "桂明 0990-5550205",
};

/// So much of something.
pub struct Quantity {
    /// Of what.
    pub name: Pair,
    /// How much.
    pub amount: &'static str,
    /// In which unit.
    pub unit: Pair,
    /// The grade of the standard.
    pub grade: Option<&'static str>,
}

/// An indicator beside those of the standard, or a stricter one in the place of one of them.
pub struct Own {
    /// Its code.
    pub code: &'static str,
    /// The threshold.
    pub threshold: &'static str,
    /// What it is, if the standard does not have it: its name, what it demands, and its unit.
    pub added: Option<(Pair, Pair, &'static str)>,
    /// Whether it is a time that counts from a report, and the threshold the longest; otherwise the threshold is the least.
    pub is_time: bool,
}

/// The days on which things happen, as year, month and day; by the hour it is always nine.
pub struct Dates {
    /// Enquiries until.
    pub enquiries: (i32, u32, u32),
    /// Answers until.
    pub answers: (i32, u32, u32),
    /// Bids until, and their opening.
    pub bids: (i32, u32, u32),
    /// The service begins.
    pub service_from: (i32, u32, u32),
    /// Its last day.
    pub service_until: (i32, u32, u32),
}

/// Of the books whose contracts have been served for some months when the demo begins.
static EARLY: Dates = Dates {
    enquiries: (2026, 2, 10),
    answers: (2026, 2, 12),
    bids: (2026, 2, 27),
    service_from: (2026, 4, 1),
    service_until: (2027, 3, 31),
};

/// Of the book whose award is in its standstill when the demo begins.
static NOTICED: Dates = Dates {
    enquiries: (2026, 6, 30),
    answers: (2026, 7, 2),
    bids: (2026, 7, 17),
    service_from: (2026, 9, 1),
    service_until: (2027, 8, 31),
};

/// Of the book whose bids are examined when the demo begins.
static EXAMINED: Dates = Dates {
    enquiries: (2026, 7, 2),
    answers: (2026, 7, 6),
    bids: (2026, 7, 21),
    service_from: (2026, 9, 1),
    service_until: (2027, 8, 31),
};

/// Of the book that takes bids when the demo begins.
static LATE: Dates = Dates {
    enquiries: (2026, 7, 6),
    answers: (2026, 7, 10),
    bids: (2026, 7, 28),
    service_from: (2026, 9, 1),
    service_until: (2027, 8, 31),
};

/// A book of the demo.
pub struct Plan {
    /// Who buys.
    pub office: &'static Office,
    /// The code of the budget line.
    pub line: &'static str,
    /// The category, which is also the template's.
    pub category: &'static str,
    /// The code of the standard.
    pub standard: &'static str,
    /// The title.
    pub title: Pair,
    /// The code of the area that is served.
    pub area: &'static str,
    /// The ceiling.
    pub yuan: i64,
    /// The month in which the notice expects it.
    pub month: &'static str,
    /// What the notice says.
    pub overview: Pair,
    /// What is needed.
    pub need: Pair,
    /// What the people served say to it.
    pub wish: Pair,
    /// What came of asking.
    pub conclusion: Pair,
    /// How much of what.
    pub quantities: &'static [Quantity],
    /// Where.
    pub places: &'static [Pair],
    /// Its own indicators.
    pub own: &'static [Own],
    /// Whether the residents' ballot decides.
    pub by_ballot: bool,
    /// When.
    pub dates: &'static Dates,
}

impl Plan {
    /// Whether it is published before the holidays, and its bids are opened after them.
    pub fn is_early(&self) -> bool {
        std::ptr::eq(self.dates, &EARLY)
    }
}

/// The plan of the book of a budget line.
///
/// # Errors
/// A fault if there is none.
pub fn of_line(line: &str) -> Result<&'static Plan, Fault> {
    let plan = PLANS.iter().find(|plan| plan.line == line);
    plan.ok_or_else(|| Fault::broken(format!("the demo has no book of {line}")))
}

const M2: Pair = ("平方米", "m²");

const fn quantity(name: Pair, amount: &'static str, unit: Pair, grade: Option<&'static str>) -> Quantity {
    Quantity {
        name,
        amount,
        unit,
        grade,
    }
}

/// The five books, in their order.
pub static PLANS: [Plan; 5] = [
    Plan {
        office: &STREET,
        line: "SAN-01",
        category: "sanitation",
        standard: "street_sanitation",
        title: ("梧桐街道道路环卫保洁", "Street sanitation of Wutong Street"),
        area: "990101001",
        yuan: 2_350_200,
        month: "2026-06",
        overview: (
            "主次干道和背街小巷的日常保洁、洒水与垃圾收运，为期 12 个月。",
            "Daily cleaning of main roads and back lanes, sprinkling and collection of waste, for twelve months.",
        ),
        need: (
            "主次干道每日两扫、全天巡回保洁，背街小巷每日一扫。",
            "Main roads are swept twice a day and kept clean all day; back lanes are swept once.",
        ),
        wish: (
            "希望菜市场周边增加晚间保洁。",
            "They ask for cleaning in the evening round the market.",
        ),
        conclusion: (
            "需求成立，增加菜市场周边晚间保洁，果皮箱每月清洗两次。",
            "The need is there. The market is cleaned in the evening as well, and bins are washed twice a month.",
        ),
        quantities: &[
            quantity(("一级道路", "Class 1 roads"), "58000", M2, Some("class_1")),
            quantity(("二级道路", "Class 2 roads"), "96000", M2, Some("class_2")),
            quantity(("三级道路", "Class 3 roads"), "82000", M2, Some("class_3")),
        ],
        places: &[
            (
                "梧桐大道（桂园路至槐荫路）",
                "Wutong Avenue from Guiyuan Road to Huaiyin Road",
            ),
            ("槐荫路、柳堤路全线", "Huaiyin Road and Liudi Road"),
            (
                "枫林巷、竹溪巷及菜市场周边",
                "Fenglin Lane, Zhuxi Lane, and round the market",
            ),
        ],
        own: &[
            Own {
                code: "bins_washed",
                threshold: "2",
                added: None,
                is_time: false,
            },
            Own {
                code: "market_evening",
                threshold: "1",
                added: Some((
                    ("菜市场晚间保洁", "The market in the evening"),
                    (
                        "每日 20:00 后菜市场周边保洁次数",
                        "How often it is cleaned round the market after 20:00",
                    ),
                    "per_day",
                )),
                is_time: false,
            },
        ],
        by_ballot: false,
        dates: &LATE,
    },
    Plan {
        office: &STREET,
        line: "GRN-01",
        category: "greening",
        standard: "greening_upkeep",
        title: (
            "梧桐街道公共绿地养护",
            "Upkeep of the public greens of Wutong Street",
        ),
        area: "990101001",
        yuan: 580_400,
        month: "2026-06",
        overview: (
            "街头绿地和行道树的浇灌、修剪与病虫害防治，为期 12 个月。",
            "Watering, pruning and pest control of street greens and trees, for twelve months.",
        ),
        need: (
            "街头绿地按一级养护，行道绿带和社区绿地按二级养护。",
            "Street gardens are kept to grade 1, green strips and community greens to grade 2.",
        ),
        wish: (
            "希望及时清理枯枝，保证行走安全。",
            "They ask that dead branches be removed in time, for the safety of those who walk there.",
        ),
        conclusion: (
            "需求成立，绿地等级和面积已核实。",
            "The need is there; grades and areas have been checked.",
        ),
        quantities: &[
            quantity(("街头绿地", "Street gardens"), "22000", M2, Some("grade_1")),
            quantity(("行道绿带", "Green strips"), "50000", M2, Some("grade_2")),
            quantity(("社区绿地", "Community greens"), "20000", M2, Some("grade_2")),
        ],
        places: &[
            (
                "梧桐大道两侧及街头绿地",
                "Both sides of Wutong Avenue and its gardens",
            ),
            ("五个社区的公共绿地", "The public greens of the five communities"),
        ],
        own: &[],
        by_ballot: false,
        dates: &EXAMINED,
    },
    Plan {
        office: &STREET,
        line: "SEC-01",
        category: "security",
        standard: "security_service",
        title: ("梧桐街道治安巡防", "Security patrol of Wutong Street"),
        area: "990101001",
        yuan: 705_600,
        month: "2026-06",
        overview: (
            "三个岗位二十四小时值守与巡逻，共 12 名保安员，为期 12 个月。",
            "Three posts kept round the clock, and patrols, by twelve guards, for twelve months.",
        ),
        need: (
            "三个治安岗亭二十四小时有人值守，夜间每小时巡逻一次。",
            "Three posts are kept round the clock; at night there is a patrol every hour.",
        ),
        wish: (
            "希望夜间巡逻覆盖老旧小区出入口。",
            "They ask that patrols at night pass the gates of the older estates.",
        ),
        conclusion: (
            "需求成立，巡逻路线已包括老旧小区出入口。",
            "The need is there; the routes pass the gates of the older estates.",
        ),
        quantities: &[
            quantity(
                ("二十四小时岗位", "Posts kept round the clock"),
                "3",
                ("个", "posts"),
                None,
            ),
            quantity(("保安员", "Guards"), "12", ("名", "guards"), None),
        ],
        places: &[
            ("梧桐广场岗亭", "The post on Wutong Square"),
            ("菜市场岗亭", "The post at the market"),
            ("槐荫路岗亭", "The post on Huaiyin Road"),
        ],
        own: &[],
        by_ballot: false,
        dates: &NOTICED,
    },
    Plan {
        office: &STREET,
        line: "PRO-01",
        category: "property",
        standard: "property_service",
        title: (
            "槐荫社区老旧小区准物业服务",
            "Upkeep of the older estates of Huaiyin",
        ),
        area: "990101001002",
        yuan: 841_800,
        month: "2026-02",
        overview: (
            "无物业管理的老旧小区保洁、秩序维护、公共设施维修，为期 12 个月。",
            "Cleaning, order and repairs of shared parts in older estates without a manager, for twelve months.",
        ),
        need: (
            "六个老旧小区共 6.1 万平方米，保洁、门岗、公共设施小修。",
            "Six older estates of 61,000 m²: cleaning, gatekeeping, small repairs of shared parts.",
        ),
        wish: (
            "希望报修后半小时内到场。",
            "They ask that somebody come within half an hour of a call for repair.",
        ),
        conclusion: (
            "需求成立，报修到场时限按标准三十分钟执行。",
            "The need is there; repairs arrive within the thirty minutes of the standard.",
        ),
        quantities: &[quantity(
            ("服务建筑面积", "Floor area served"),
            "61000",
            M2,
            Some("basic"),
        )],
        places: &[
            ("槐荫一村", "Huaiyin Estate 1"),
            ("槐荫二村", "Huaiyin Estate 2"),
            ("槐荫三村", "Huaiyin Estate 3"),
            ("槐荫四村", "Huaiyin Estate 4"),
            ("柳絮里", "Liuxu Terrace"),
            ("青石里", "Qingshi Terrace"),
        ],
        own: &[
            Own {
                code: "stairs_swept",
                threshold: "2",
                added: Some((
                    ("楼道清扫", "Stairs swept"),
                    ("楼道每周清扫次数", "How often a week stairs are swept"),
                    "per_week",
                )),
                is_time: false,
            },
            Own {
                code: "lamps_repaired",
                threshold: "24",
                added: Some((
                    ("公共照明修复", "Lamps repaired"),
                    (
                        "报修后公共照明的修复时限",
                        "How soon after a report a shared lamp is repaired",
                    ),
                    "hour",
                )),
                is_time: true,
            },
        ],
        by_ballot: false,
        dates: &EARLY,
    },
    Plan {
        office: &GUIYUAN,
        line: "GUI-01",
        category: "sanitation",
        standard: "street_sanitation",
        title: (
            "桂园社区公厕与绿地自管",
            "Toilets and greens of Guiyuan, kept by its residents",
        ),
        area: "990101001001",
        yuan: 96_000,
        month: "2026-02",
        overview: (
            "社区六座公厕的保洁和 4800 平方米绿地的日常养护，由居民组织承接，为期 12 个月。",
            "Cleaning of six public toilets and daily care of 4,800 m² of greens by an organisation of residents, for twelve months.",
        ),
        need: (
            "六座公厕每日保洁不少于七次，绿地保持完好。",
            "Six toilets are cleaned at least seven times a day, and the greens are kept whole.",
        ),
        wish: (
            "希望由本社区居民承接，就近管理。",
            "They wish that residents of the community take it on and look after it nearby.",
        ),
        conclusion: (
            "需求成立，属居民自管设施，由居民代表会议评议发包。",
            "The need is there. These are facilities that residents keep themselves; their representatives’ meeting decides.",
        ),
        quantities: &[
            quantity(("公厕", "Toilets"), "6", ("座", "toilets"), Some("class_2")),
            quantity(("绿地", "Greens"), "4800", M2, Some("class_2")),
        ],
        places: &[
            (
                "桂园路 12 号、36 号、58 号公厕",
                "The toilets at 12, 36 and 58 Guiyuan Road",
            ),
            ("桂香里三座公厕", "The three toilets of Guixiang Terrace"),
            ("桂园社区中心绿地", "The central green of Guiyuan"),
        ],
        own: &[
            Own {
                code: "toilets_cleaned",
                threshold: "7",
                added: Some((
                    ("公厕保洁次数", "Cleaning of toilets"),
                    ("每座公厕每日保洁次数", "How often each toilet is cleaned a day"),
                    "per_day",
                )),
                is_time: false,
            },
            Own {
                code: "lawn_cover",
                threshold: "95",
                added: Some((
                    ("草坪覆盖率", "Cover of lawns"),
                    ("草坪覆盖面积占比", "The part of a lawn's area that is covered"),
                    "percent",
                )),
                is_time: false,
            },
        ],
        by_ballot: true,
        dates: &EARLY,
    },
];
