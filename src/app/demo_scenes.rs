//! What happens in the demo under the contract that is served, from the first day of its service to the day on which the demo begins: inspections, defects,
//! a rectification, a variation, acceptances; how it is paid is in `demo_bills.rs`. All invented. Data only; `demo_service.rs` plays it.

use crate::app::demo_bills::{Counter, Paying};
use crate::app::demo_rounds::{
    APRIL_1, APRIL_2, APRIL_3, APRIL_4, APRIL_SURPRISE, JULY_1, JULY_2, JULY_SURPRISE, JUNE_1, JUNE_2,
    JUNE_3, JUNE_SURPRISE, MAY_1, MAY_2, MAY_3, MAY_4, MAY_MISTAKEN, MAY_SURPRISE, Visit,
};
use crate::app::demo_team::TeamStep;
use crate::app::demo_troubles::{
    ABUSE, BIN, BROKEN_LOCK, COMPLAINT, CRACKED_COVER, DAMP_WALL, DARK_GATE, DARK_PATH, DARK_STAIRS, DOOR,
    DUST, FOREIGN_LIGHTS, NO_ANSWER, PUMP, RAILING, SPILT, TWICE_CALLED, Trouble, UNSWEPT,
};

/// Month, day, hour and minute of 2026, UTC.
pub type When = (u32, u32, u32, u32);

/// Something that happens.
pub struct Scene {
    /// When: never on the hour, which is when the books of the demo get on.
    pub at: When,
    /// What.
    pub deed: Deed,
}

/// What happens.
pub enum Deed {
    /// So many places, from the first on, get their codes.
    Code(i64),
    /// It is drawn where is inspected in a period.
    Draw {
        /// The period.
        period: i64,
        /// How many stops.
        stops: i64,
    },
    /// An inspection is recorded.
    Inspect(&'static Visit),
    /// A stop is left out.
    Omit {
        /// The period of its plan.
        period: i64,
        /// Its number.
        stop: i64,
        /// Why.
        reason: &'static str,
    },
    /// An inspection is annulled.
    Annul {
        /// Which.
        visit: &'static Visit,
        /// Why.
        reason: &'static str,
    },
    /// The contractor contests what was found.
    Contest {
        /// Of which inspection.
        visit: &'static Visit,
        /// About which indicator.
        indicator: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A contest is decided.
    Decide {
        /// Of which inspection.
        visit: &'static Visit,
        /// About which indicator.
        indicator: &'static str,
        /// The value that it should have been, if it is upheld.
        corrected: Option<&'static str>,
        /// Why.
        decision: &'static str,
    },
    /// A defect takes a turn.
    Defect(&'static Trouble, Turn),
    /// What silence has confirmed is written down.
    Settle,
    /// A step of the rectification.
    Rectify(Rectifying),
    /// More money is allocated to a budget line: somebody proposes, somebody else confirms.
    Allocate {
        /// Its code.
        line: &'static str,
        /// How much, in yuan.
        yuan: i64,
    },
    /// A step of the variation.
    Vary(Varying),
    /// A step of the rating of a period.
    Rate(i64, Poll),
    /// A step of the acceptance of a period.
    Accept(i64, Accepting),
    /// A step on the way to the money of a contract.
    Pay(&'static Counter, Paying),
    /// Something about the toilets.
    Team(TeamStep),
}

impl Deed {
    /// Whether there is a picture of it.
    pub fn has_picture(&self) -> bool {
        match self {
            Self::Inspect(visit) => visit.has_picture,
            Self::Defect(_, Turn::Report { has_picture, .. }) => *has_picture,
            Self::Defect(_, Turn::Fix(_)) | Self::Rectify(Rectifying::Report(_)) => true,
            _ => false,
        }
    }

    /// Whether the picture shows that it is put right.
    pub fn shows_it_whole(&self) -> bool {
        matches!(
            self,
            Self::Defect(_, Turn::Fix(_)) | Self::Rectify(Rectifying::Report(_))
        )
    }
}

/// What happens to a defect.
pub enum Turn {
    /// Somebody reports it, or reports it once more.
    Report {
        /// Who; nobody has an account who is not named.
        by: Option<&'static str>,
        /// Where somebody without one wants to hear of it.
        contact: Option<&'static str>,
        /// In which words, if not in those of the first.
        words: Option<&'static str>,
        /// Whether there is a picture.
        has_picture: bool,
    },
    /// The first report is shown to everybody.
    Release,
    /// The first report is hidden, for a reason.
    Hide(&'static str),
    /// It is sent to the contractor.
    Dispatch,
    /// It is no defect of this contract, for a reason.
    Reject(&'static str),
    /// The contractor knows.
    Acknowledge,
    /// The contractor has put it right, and says how.
    Fix(&'static str),
    /// Somebody confirms it: who has an account, or else whoever has reported it first.
    Confirm(Option<&'static str>),
    /// Somebody reopens it, for a reason.
    Reopen(&'static str, &'static str),
    /// Who has reported it takes it back.
    Withdraw(&'static str),
}

/// Steps of the rectification.
pub enum Rectifying {
    /// The officer issues the notice after an inspection.
    Issue(&'static Visit),
    /// The contractor knows.
    Acknowledge,
    /// The contractor reports.
    Report(&'static str),
    /// The approver is not content.
    Refuse,
    /// The approver is.
    Accept,
}

/// Steps of the variation.
pub enum Varying {
    /// The officer proposes it.
    Propose,
    /// The contractor signs.
    SupplierSigns,
    /// The approver signs, and it holds.
    BuyerSigns,
}

/// Steps of a rating.
pub enum Poll {
    /// The officer calls it.
    Call {
        /// From when on votes are taken.
        opens: When,
        /// From when on they are not.
        closes: When,
    },
    /// So many vote, from those who are very satisfied to those who are not at all.
    Vote([usize; 5]),
    /// The votes are counted.
    Count,
}

/// Steps of the acceptance of a period.
pub enum Accepting {
    /// The contractor hands it over, and says what was done.
    HandOver(&'static str),
    /// The officer drafts the certificate.
    Draft,
    /// The approver signs it.
    Sign,
}

const fn scene(at: When, deed: Deed) -> Scene {
    Scene { at, deed }
}

const fn defect(at: When, trouble: &'static Trouble, turn: Turn) -> Scene {
    scene(at, Deed::Defect(trouble, turn))
}

const fn visit(visit: &'static Visit) -> Scene {
    scene(visit.at, Deed::Inspect(visit))
}

const fn report(by: &'static str, has_picture: bool) -> Turn {
    Turn::Report {
        by: Some(by),
        contact: None,
        words: None,
        has_picture,
    }
}

const fn passer_by(contact: Option<&'static str>, has_picture: bool) -> Turn {
    Turn::Report {
        by: None,
        contact,
        words: None,
        has_picture,
    }
}

const fn once_more(by: Option<&'static str>, words: &'static str) -> Turn {
    Turn::Report {
        by,
        contact: None,
        words: Some(words),
        has_picture: false,
    }
}

const R1: &str = "resident1";
const R2: &str = "resident2";
const OFFICER: &str = "officer";

/// What happens, in its order.
pub static SCENES: &[Scene] = &[
    scene((4, 1, 1, 10), Deed::Code(6)),
    scene((4, 1, 2, 10), Deed::Draw { period: 1, stops: 4 }),
    defect((4, 8, 11, 20), &DARK_STAIRS, report(R1, true)),
    defect((4, 9, 0, 40), &DARK_STAIRS, Turn::Acknowledge),
    visit(&APRIL_1),
    defect(
        (4, 9, 3, 15),
        &DARK_STAIRS,
        Turn::Fix("已更换三楼感应灯并检查同楼其余灯具。"),
    ),
    defect((4, 9, 12, 5), &DARK_STAIRS, Turn::Confirm(Some(R1))),
    visit(&APRIL_2),
    defect((4, 15, 9, 30), &BIN, passer_by(None, true)),
    defect((4, 16, 1, 25), &BIN, Turn::Release),
    defect((4, 16, 1, 30), &BIN, Turn::Dispatch),
    defect((4, 16, 2, 10), &BIN, Turn::Acknowledge),
    defect(
        (4, 16, 6, 20),
        &BIN,
        Turn::Fix("已清运并冲洗桶位，增加一次午间清运。"),
    ),
    visit(&APRIL_3),
    scene(
        (4, 20, 7, 30),
        Deed::Contest {
            visit: &APRIL_3,
            indicator: "equipment_intact",
            reason: "考核时计入的两台水泵前一日已修复，维修单随附于现场台账。",
        },
    ),
    defect((4, 22, 2, 40), &DOOR, report(OFFICER, true)),
    scene(
        (4, 22, 6, 30),
        Deed::Decide {
            visit: &APRIL_3,
            indicator: "equipment_intact",
            corrected: Some("95.6"),
            decision: "经核对维修单，两台水泵当日可用，更正为 95.6%。",
        },
    ),
    defect((4, 22, 8, 10), &DOOR, Turn::Acknowledge),
    visit(&APRIL_SURPRISE),
    defect((4, 23, 7, 50), &DOOR, Turn::Fix("已更换闭门器，门禁恢复正常。")),
    scene((4, 24, 0, 10), Deed::Settle),
    defect((4, 24, 3, 20), &DOOR, Turn::Confirm(Some(OFFICER))),
    scene(
        (4, 27, 1, 15),
        Deed::Rate(
            1,
            Poll::Call {
                opens: (4, 28, 0, 0),
                closes: (5, 5, 0, 0),
            },
        ),
    ),
    visit(&APRIL_4),
    scene((4, 30, 11, 5), Deed::Rate(1, Poll::Vote([12, 11, 5, 2, 0]))),
    scene((5, 5, 0, 1), Deed::Rate(1, Poll::Count)),
    scene((5, 6, 1, 10), Deed::Draw { period: 2, stops: 4 }),
    scene(
        (5, 6, 7, 40),
        Deed::Accept(
            1,
            Accepting::HandOver(
                "四月服务期满：六个小区保洁、维修、秩序维护均按责任书完成，台账见附件柜第 4 册。",
            ),
        ),
    ),
    defect(
        (5, 6, 12, 10),
        &DARK_GATE,
        passer_by(Some("passer-by@wutong.example"), true),
    ),
    defect(
        (5, 6, 13, 5),
        &DARK_GATE,
        once_more(Some(R2), "大门口两盏灯都不亮，晚上看不清台阶。"),
    ),
    defect(
        (5, 6, 23, 30),
        &DARK_GATE,
        once_more(None, "早上六点进出还是黑的。"),
    ),
    defect((5, 7, 0, 20), &DARK_GATE, once_more(None, "柳絮里大门灯坏了。")),
    defect((5, 7, 1, 5), &DARK_GATE, Turn::Acknowledge),
    defect(
        (5, 7, 13, 35),
        &DARK_GATE,
        Turn::Fix("线路短路，已换线并更换两盏灯，超出时限一个多小时。"),
    ),
    scene((5, 8, 2, 20), Deed::Accept(1, Accepting::Draft)),
    scene((5, 8, 8, 30), Deed::Accept(1, Accepting::Sign)),
    defect((5, 11, 1, 15), &COMPLAINT, report(R2, false)),
    defect((5, 11, 2, 5), &COMPLAINT, Turn::Acknowledge),
    visit(&MAY_1),
    defect(
        (5, 12, 8, 20),
        &COMPLAINT,
        Turn::Fix("已致电答复，说明施工安排。"),
    ),
    defect(
        (5, 13, 11, 10),
        &COMPLAINT,
        Turn::Reopen(R2, "只打了一个电话，噪声还在，没有解决。"),
    ),
    visit(&MAY_2),
    defect((5, 14, 3, 10), &COMPLAINT, Turn::Acknowledge),
    scene(
        (5, 14, 7, 20),
        Deed::Contest {
            visit: &MAY_2,
            indicator: "repair_arrival",
            reason: "当日道路施工绕行，到场超时不应由我方承担。",
        },
    ),
    scene((5, 15, 0, 10), Deed::Settle),
    defect(
        (5, 15, 6, 30),
        &COMPLAINT,
        Turn::Fix("已为水泵加装隔振垫，夜间实测 42 分贝。"),
    ),
    defect((5, 16, 2, 15), &COMPLAINT, Turn::Confirm(Some(R2))),
    visit(&MAY_MISTAKEN),
    scene(
        (5, 18, 8, 10),
        Deed::Decide {
            visit: &MAY_2,
            indicator: "repair_arrival",
            corrected: None,
            decision: "施工绕行已提前一周告知，责任书约定的到场时限不因此顺延。",
        },
    ),
    scene(
        (5, 19, 2, 20),
        Deed::Annul {
            visit: &MAY_MISTAKEN,
            reason: "误将另一小区的记录录入本合同。",
        },
    ),
    defect((5, 20, 13, 40), &ABUSE, passer_by(None, false)),
    defect((5, 21, 1, 20), &ABUSE, Turn::Hide("仅有辱骂，无可处理的内容。")),
    defect(
        (5, 21, 1, 25),
        &ABUSE,
        Turn::Reject("报告中没有可以核实的问题，如有问题请重新报告。"),
    ),
    visit(&MAY_3),
    scene(
        (5, 25, 1, 15),
        Deed::Rate(
            2,
            Poll::Call {
                opens: (5, 26, 0, 0),
                closes: (6, 2, 0, 0),
            },
        ),
    ),
    defect((5, 26, 10, 20), &FOREIGN_LIGHTS, report(R1, false)),
    defect(
        (5, 27, 1, 40),
        &FOREIGN_LIGHTS,
        Turn::Reject("小区外市政道路的信号灯不在本合同范围内，已转交交警部门。"),
    ),
    visit(&MAY_SURPRISE),
    visit(&MAY_4),
    scene((5, 30, 11, 5), Deed::Rate(2, Poll::Vote([11, 9, 4, 1, 1]))),
    scene((6, 1, 1, 10), Deed::Draw { period: 3, stops: 4 }),
    scene((6, 2, 0, 1), Deed::Rate(2, Poll::Count)),
    defect((6, 3, 4, 20), &TWICE_CALLED, report(R2, false)),
    defect((6, 3, 5, 5), &TWICE_CALLED, Turn::Withdraw(R2)),
    visit(&JUNE_1),
    defect((6, 10, 3, 40), &PUMP, report(OFFICER, true)),
    defect((6, 11, 1, 30), &PUMP, Turn::Acknowledge),
    visit(&JUNE_2),
    defect((6, 15, 7, 20), &PUMP, Turn::Fix("已更换机械密封，积水已排干。")),
    defect((6, 16, 2, 30), &PUMP, Turn::Reopen(OFFICER, "复查时仍有渗水。")),
    scene(
        (6, 16, 3, 40),
        Deed::Accept(
            2,
            Accepting::HandOver("五月服务期满，请予验收。水泵噪声已处理，居民投诉均已答复。"),
        ),
    ),
    defect((6, 16, 6, 5), &PUMP, Turn::Acknowledge),
    scene(
        (6, 17, 2, 20),
        Deed::Omit {
            period: 3,
            stop: 4,
            reason: "当日小区停电检修，设备无法逐项检查。",
        },
    ),
    defect(
        (6, 18, 8, 10),
        &PUMP,
        Turn::Fix("泵体更换完毕，连续运行两日无渗漏。"),
    ),
    defect((6, 22, 1, 20), &PUMP, Turn::Confirm(Some(OFFICER))),
    visit(&JUNE_3),
    defect((6, 24, 11, 20), &DUST, report(R1, true)),
    defect((6, 25, 0, 50), &DUST, Turn::Acknowledge),
    defect((6, 25, 9, 10), &DUST, Turn::Fix("已补扫并安排周末复扫。")),
    scene(
        (6, 25, 9, 15),
        Deed::Rate(
            3,
            Poll::Call {
                opens: (6, 26, 0, 0),
                closes: (7, 2, 0, 0),
            },
        ),
    ),
    // In the holidays hardly anybody is at home: too few for it to bind.
    scene((6, 28, 11, 5), Deed::Rate(3, Poll::Vote([2, 4, 3, 2, 1]))),
    visit(&JUNE_SURPRISE),
    scene((7, 1, 1, 10), Deed::Draw { period: 4, stops: 4 }),
    scene((7, 2, 0, 1), Deed::Rate(3, Poll::Count)),
    scene((7, 2, 2, 20), Deed::Rectify(Rectifying::Issue(&JUNE_SURPRISE))),
    scene((7, 2, 6, 30), Deed::Rectify(Rectifying::Acknowledge)),
    scene((7, 3, 0, 10), Deed::Settle),
    defect((7, 6, 9, 20), &BROKEN_LOCK, passer_by(None, false)),
    defect((7, 7, 1, 20), &BROKEN_LOCK, Turn::Release),
    defect((7, 7, 1, 25), &BROKEN_LOCK, Turn::Dispatch),
    defect(
        (7, 7, 8, 20),
        &BROKEN_LOCK,
        Turn::Fix("已更换单元门锁芯，钥匙已分发。"),
    ),
    scene(
        (7, 8, 3, 10),
        Deed::Rectify(Rectifying::Report(
            "已增配保洁员两名，楼道恢复每周清扫两次；返修两处已复验。",
        )),
    ),
    defect((7, 8, 11, 10), &BROKEN_LOCK, Turn::Confirm(None)),
    scene(
        (7, 9, 2, 20),
        Deed::Allocate {
            line: "PRO-01",
            yuan: 6_000,
        },
    ),
    scene((7, 9, 6, 30), Deed::Rectify(Rectifying::Refuse)),
    scene((7, 10, 2, 20), Deed::Vary(Varying::Propose)),
    visit(&JULY_1),
    scene(
        (7, 13, 2, 30),
        Deed::Rectify(Rectifying::Report("槐荫四村排班已补齐，本周清扫记录及照片随附。")),
    ),
    scene((7, 13, 6, 20), Deed::Vary(Varying::SupplierSigns)),
    scene((7, 14, 3, 20), Deed::Rectify(Rectifying::Accept)),
    scene((7, 14, 6, 30), Deed::Vary(Varying::BuyerSigns)),
    visit(&JULY_2),
    defect((7, 20, 1, 20), &RAILING, report(R1, true)),
    defect((7, 20, 2, 30), &RAILING, Turn::Acknowledge),
    defect((7, 20, 12, 30), &DARK_PATH, report(R2, true)),
    defect((7, 21, 0, 30), &DARK_PATH, Turn::Acknowledge),
    visit(&JULY_SURPRISE),
    scene(
        (7, 21, 9, 50),
        Deed::Accept(3, Accepting::HandOver("六月服务期满，整改已通过复核，请予验收。")),
    ),
    defect((7, 22, 2, 40), &DAMP_WALL, report(OFFICER, true)),
    defect((7, 22, 5, 20), &RAILING, Turn::Fix("已重新焊接并补漆。")),
    defect((7, 22, 8, 5), &DAMP_WALL, Turn::Acknowledge),
    defect(
        (7, 22, 13, 20),
        &DARK_PATH,
        once_more(None, "走路全靠手机照，报了也没人来。"),
    ),
    defect((7, 23, 2, 10), &CRACKED_COVER, passer_by(None, true)),
    scene(
        (7, 23, 7, 20),
        Deed::Contest {
            visit: &JULY_SURPRISE,
            indicator: "rework",
            reason: "两次上门均为同一住户新增的报修，不属于返修。",
        },
    ),
    defect((7, 24, 1, 20), &CRACKED_COVER, Turn::Release),
    defect((7, 24, 1, 25), &CRACKED_COVER, Turn::Dispatch),
    defect(
        (7, 24, 8, 10),
        &DAMP_WALL,
        Turn::Fix("已修补屋面防水并重新粉刷。"),
    ),
    defect(
        (7, 24, 10, 40),
        &RAILING,
        Turn::Reopen(R1, "焊点又裂了，扶手还是晃。"),
    ),
    defect(
        (7, 24, 13, 10),
        &DARK_PATH,
        once_more(None, "二号楼东侧小路还是没灯。"),
    ),
    defect(
        (7, 25, 9, 20),
        &SPILT,
        passer_by(Some("another-passer-by@wutong.example"), true),
    ),
    defect((7, 26, 2, 10), &UNSWEPT, report(R1, false)),
    defect((7, 26, 3, 30), &UNSWEPT, Turn::Acknowledge),
    defect((7, 26, 9, 40), &NO_ANSWER, passer_by(None, false)),
];
