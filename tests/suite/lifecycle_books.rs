//! The five books of the lifecycle: what is bought, who bids at which price, what the bids are given, and what that has to come to. The figures of
//! the worked examples and of the demo ward. Data only.

/// Something in Chinese and in English.
pub type Pair = (&'static str, &'static str);

/// What somebody bids.
pub struct Bid {
    /// The supplier.
    pub by: &'static str,
    /// A price for each quantity.
    pub unit_prices: &'static [&'static str],
    /// What they come to.
    pub total: &'static str,
    /// What it is given for its plan, its means and its experience by each of the panel, and by the residents.
    pub points: [&'static str; 4],
}

/// A book.
pub struct Book {
    /// Who buys.
    pub buyer: &'static str,
    /// The code of its budget line.
    pub line: &'static str,
    /// The category, which is also the template's.
    pub category: &'static str,
    /// The code of the area that is served.
    pub area: &'static str,
    /// Its title.
    pub title: Pair,
    /// The ceiling.
    pub budget: &'static str,
    /// How much of what: in Chinese, in English, the amount, the unit, and the grade of the standard.
    pub quantities: &'static [(
        &'static str,
        &'static str,
        &'static str,
        Pair,
        Option<&'static str>,
    )],
    /// The bids.
    pub bids: &'static [Bid],
    /// For each bid the price that is judged, its points, the total and the rank.
    pub result: &'static [[&'static str; 4]],
    /// Who wins, and at which price.
    pub winner: (&'static str, &'static str),
    /// What the first eleven months and the last pay.
    pub months: [&'static str; 2],
    /// What the winner lodges before the contract is signed.
    pub security: &'static str,
}

impl Book {
    /// Whether the residents' representatives decide alone.
    pub fn is_by_ballot(&self) -> bool {
        self.bids.len() == 1
    }

    /// Whether it is above the threshold of an open tender.
    pub fn is_open(&self) -> bool {
        self.budget == "2350200.00"
    }
}

const fn bid(
    by: &'static str,
    unit_prices: &'static [&'static str],
    total: &'static str,
    points: [&'static str; 4],
) -> Bid {
    Bid {
        by,
        unit_prices,
        total,
        points,
    }
}

const M2: Pair = ("平方米", "m²");

/// The books, in the order of the demo ward.
pub static BOOKS: [Book; 5] = [
    Book {
        buyer: "street",
        line: "SAN-01",
        category: "sanitation",
        area: "990101001",
        title: ("梧桐街道道路环卫保洁", "Street sanitation"),
        budget: "2350200.00",
        quantities: &[
            ("一级道路", "Class 1 roads", "58000", M2, Some("class_1")),
            ("二级道路", "Class 2 roads", "96000", M2, Some("class_2")),
            ("三级道路", "Class 3 roads", "82000", M2, Some("class_3")),
        ],
        // E2: the deduction for small companies makes B the winner, at the price that it has bid.
        bids: &[
            bid(
                "qinglan",
                &["13", "9.72", "6.84"],
                "2248000.00",
                ["22", "18", "8", "12.20"],
            ),
            bid(
                "jiecheng",
                &["13.31", "10", "6.91"],
                "2298600.00",
                ["22", "18", "8", "12.10"],
            ),
            bid(
                "derun",
                &["12.5", "9.32", "6.54"],
                "2156000.00",
                ["21", "17", "8", "12.40"],
            ),
            bid(
                "xinhe",
                &["13.51", "10.08", "7.07"],
                "2331000.00",
                ["20", "16", "8", "11.70"],
            ),
        ],
        result: &[
            ["2248000.00", "27.61", "87.81", "2"],
            ["2068740.00", "30.00", "90.10", "1"],
            ["2156000.00", "28.79", "87.19", "3"],
            ["2097900.00", "29.58", "85.28", "4"],
        ],
        winner: ("jiecheng", "2298600.00"),
        months: ["191550.00", "191550.00"],
        security: "114930.00",
    },
    Book {
        buyer: "street",
        line: "GRN-01",
        category: "greening",
        area: "990101001",
        title: ("梧桐街道公共绿地养护", "Upkeep of public greens"),
        budget: "580400.00",
        quantities: &[
            ("街头绿地", "Street gardens", "22000", M2, Some("grade_1")),
            ("行道绿带", "Green strips", "50000", M2, Some("grade_2")),
            ("社区绿地", "Community greens", "20000", M2, Some("grade_2")),
        ],
        bids: &[
            bid(
                "cuiping",
                &["7.75", "5.85", "4.25"],
                "548000.00",
                ["31", "22", "9", "9.30"],
            ),
            bid(
                "lvhe",
                &["8", "6.04", "4.42"],
                "566400.00",
                ["32", "23", "9", "9.90"],
            ),
            bid(
                "luzhi",
                &["7.35", "5.55", "4.09"],
                "521000.00",
                ["29", "21", "8", "8.80"],
            ),
        ],
        result: &[
            ["548000.00", "19.01", "90.31", "2"],
            ["566400.00", "18.40", "92.30", "1"],
            ["521000.00", "20.00", "86.80", "3"],
        ],
        winner: ("lvhe", "566400.00"),
        months: ["47200.00", "47200.00"],
        security: "28320.00",
    },
    Book {
        buyer: "street",
        line: "SEC-01",
        category: "security",
        area: "990101001",
        title: ("梧桐街道治安巡防", "Security patrol"),
        budget: "705600.00",
        quantities: &[
            (
                "二十四小时岗位",
                "Posts kept round the clock",
                "3",
                ("个", "posts"),
                None,
            ),
            ("保安员", "Guards", "12", ("名", "guards"), None),
        ],
        bids: &[
            bid("anlan", &["12000", "54600"], "691200.00", ["27", "18", "8", "9"]),
            bid("panshi", &["10800", "53700"], "676800.00", ["28", "18", "9", "9"]),
            bid(
                "mingdun",
                &["9600", "52800"],
                "662400.00",
                ["27", "17", "8", "8.50"],
            ),
        ],
        result: &[
            ["691200.00", "28.75", "90.75", "2"],
            ["676800.00", "29.36", "93.36", "1"],
            ["662400.00", "30.00", "90.50", "3"],
        ],
        winner: ("panshi", "676800.00"),
        months: ["56400.00", "56400.00"],
        security: "33840.00",
    },
    Book {
        buyer: "street",
        line: "PRO-01",
        category: "property",
        area: "990101001002",
        title: ("槐荫社区老旧小区准物业服务", "Upkeep of older estates"),
        budget: "841800.00",
        quantities: &[("服务建筑面积", "Floor area served", "61000", M2, Some("basic"))],
        bids: &[
            bid("jiecheng", &["13.2"], "805200.00", ["27", "22", "8", "11.50"]),
            bid("huaian", &["12.96"], "790560.00", ["28", "22", "8", "12.25"]),
            bid("anju", &["13.55081967"], "826600.00", ["28", "23", "9", "12.40"]),
        ],
        result: &[
            ["805200.00", "19.64", "88.14", "3"],
            ["790560.00", "20.00", "90.25", "2"],
            ["826600.00", "19.13", "91.53", "1"],
        ],
        winner: ("anju", "826600.00"),
        // E4: 12 months of 826,600.00.
        months: ["68883.33", "68883.37"],
        security: "41330.00",
    },
    Book {
        buyer: "guiyuan",
        line: "GUI-01",
        category: "sanitation",
        area: "990101001001",
        title: ("桂园社区公厕与绿地自管", "Toilets and greens kept by residents"),
        budget: "96000.00",
        quantities: &[
            ("公厕", "Toilets", "6", ("座", "toilets"), Some("class_2")),
            ("绿地", "Greens", "4800", M2, Some("class_2")),
        ],
        bids: &[bid("green_team", &["13200", "3.5"], "96000.00", ["", "", "", ""])],
        // 44 of 60 representatives: 22 very satisfied, 14 satisfied, 6 so so, 2 not.
        result: &[["96000.00", "null", "85.45", "1"]],
        winner: ("green_team", "96000.00"),
        months: ["8000.00", "8000.00"],
        security: "4800.00",
    },
];

/// What the representatives say of the only bid for the toilets, from the best to the worst.
pub const REPRESENTATIVES: [usize; 5] = [22, 14, 6, 2, 0];

/// A month of the first book: how many faults are found, of a tenth of a point each; how many residents say what, from the best to the worst; and what
/// both score together, what that takes off, and what is left.
pub struct Month {
    /// Faults.
    pub faults: u32,
    /// Residents, from those who are very satisfied to those who are not at all.
    pub residents: [usize; 5],
    /// The score of the inspection.
    pub inspected: &'static str,
    /// The residents' score.
    pub rated: &'static str,
    /// The score of the month.
    pub score: &'static str,
    /// What is deducted.
    pub deducted: &'static str,
    /// What is payable.
    pub payable: &'static str,
}

const fn month(
    faults: u32,
    residents: [usize; 5],
    scores: [&'static str; 3],
    [deducted, payable]: [&'static str; 2],
) -> Month {
    let [inspected, rated, score] = scores;
    Month {
        faults,
        residents,
        inspected,
        rated,
        score,
        deducted,
        payable,
    }
}

/// The months of the first book that residents rate: those of E3, and the survey of E4.
pub static MONTHS: [Month; 5] = [
    month(
        66,
        [20, 16, 4, 0, 0],
        ["93.40", "88.00", "92.32"],
        ["0.00", "191550.00"],
    ),
    month(
        115,
        [12, 20, 8, 0, 0],
        ["88.50", "82.00", "87.20"],
        ["2681.70", "188868.30"],
    ),
    month(
        195,
        [8, 20, 12, 0, 0],
        ["80.50", "78.00", "80.00"],
        ["9577.50", "181972.50"],
    ),
    month(
        220,
        [8, 17, 11, 4, 0],
        ["78.00", "74.50", "77.30"],
        ["14749.35", "176800.65"],
    ),
    month(
        0,
        [120, 50, 20, 8, 2],
        ["100.00", "87.60", "97.52"],
        ["0.00", "191550.00"],
    ),
];

/// The month of the first book that is paid ten days late, and what that costs (E4).
pub const LATE: (usize, i64, &str) = (6, 10, "957.75");
/// What twelve months of the first book come to: 12 × 191,550.00 less what the scores took off.
pub const PAID: &str = "2271591.45";
/// What was taken off, which is the line's again.
pub const RELEASED: &str = "27008.55";
