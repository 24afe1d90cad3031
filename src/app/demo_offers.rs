//! What the bidders of the demo offer for its five books: prices, plans, people. All invented. Data only; `demo_bids.rs` makes bids of it.

use crate::app::demo_plans::{Pair, Plan, of_line};
use crate::kernel::refusal::Fault;

/// Somebody who would do the work.
pub struct Member {
    /// Their name.
    pub name: &'static str,
    /// As what.
    pub position: &'static str,
    /// What qualifies them.
    pub qualification: Option<&'static str>,
}

/// A carrier to whom a bidder would give part of the work. A small one would have the price judged as lower.
pub struct Subcontractor {
    /// Its name.
    pub name: &'static str,
    /// Its unified social credit code.
    pub credit_code: &'static str,
    /// What it would do.
    pub work: Pair,
    /// For which part of the price, in percent.
    pub percent: &'static str,
    /// Its employees.
    pub employees: i64,
    /// Its revenue of a year, in yuan.
    pub revenue_yuan: i64,
}

/// What somebody offers for a book.
pub struct Offer {
    /// The budget line of the book, by which it is found.
    pub line: &'static str,
    /// Who bids, for the supplier whose agent they are.
    pub by: &'static str,
    /// Month, day and hour of 2026 in which the bid comes in, UTC.
    pub at: (u32, u32, u32),
    /// A unit price for each quantity, in yuan.
    pub prices: &'static [&'static str],
    /// What they come to, in yuan.
    pub yuan: i64,
    /// The plan of the work.
    pub work: Pair,
    /// People and equipment.
    pub means: Pair,
    /// What they have done of the kind.
    pub experience: Pair,
    /// Who would do the work.
    pub staff: &'static [Member],
    /// Where the offer is better than what is demanded: the indicator, and how.
    pub better: &'static [(&'static str, Pair)],
    /// To whom part of it would be given.
    pub subcontractor: Option<Subcontractor>,
    /// The number of the transfer of the bid security, where the book asks for one.
    pub security: Option<&'static str>,
}

impl Offer {
    /// The book that it is for.
    ///
    /// # Errors
    /// A fault if there is none.
    pub fn plan(&self) -> Result<&'static Plan, Fault> {
        of_line(self.line)
    }
}

const fn member(name: &'static str, position: &'static str, qualification: Option<&'static str>) -> Member {
    Member {
        name,
        position,
        qualification,
    }
}

/// What is offered, in the order in which it comes in.
pub static OFFERS: [Offer; 14] = [
    Offer {
        line: "PRO-01",
        by: "jiecheng.agent",
        at: (2, 11, 3),
        prices: &["13.2"],
        yuan: 805_200,
        work: (
            "六个小区分两片管理，每片设一名片长；门岗 24 小时值守，楼道每周清扫两次，公共设施每月巡查三次。",
            "Two districts with a head each; gates kept round the clock, stairs swept twice a week, shared parts walked through three times a month.",
        ),
        means: (
            "保洁 14 人、门岗 12 人、维修 3 人，电动工具车 2 辆；报修电话 24 小时接听。",
            "14 cleaners, 12 gatekeepers and 3 for repairs with two tool carts; calls for repair are taken round the clock.",
        ),
        experience: (
            "近三年类似合同 2 份：柳堤社区保洁、竹溪社区门岗。",
            "Two contracts of the kind in three years: cleaning in Liudi, gatekeeping in Zhuxi.",
        ),
        staff: &[
            member("石坚", "项目经理", Some("物业项目经理证书，同类经验 6 年")),
            member("杨勇", "工程主管", Some("电工证")),
        ],
        better: &[],
        subcontractor: None,
        security: None,
    },
    Offer {
        line: "PRO-01",
        by: "huaian.agent",
        at: (2, 12, 2),
        prices: &["12.96"],
        yuan: 790_560,
        work: (
            "按小区设管家，每日巡查记录上墙；保洁、门岗、小修由同一班组负责。",
            "A steward for each estate whose daily rounds are posted; one team cleans, keeps the gate and does small repairs.",
        ),
        means: (
            "保洁 12 人、门岗 12 人、维修 2 人，与本街道维修点合作。",
            "12 cleaners, 12 gatekeepers and 2 for repairs, with the repair shop of the street.",
        ),
        experience: (
            "近三年类似合同 1 份：槐荫路沿街楼院管理。",
            "One contract of the kind in three years: the courtyards along Huaiyin Road.",
        ),
        staff: &[member("成荫", "项目经理", Some("物业管理师，同类经验 9 年"))],
        better: &[(
            "households_contacted",
            ("年度入户联系率 80 %", "80 % of households are visited in a year"),
        )],
        subcontractor: None,
        security: None,
    },
    Offer {
        line: "PRO-01",
        by: "anju.agent",
        at: (2, 13, 6),
        prices: &["13.55081967"],
        yuan: 826_600,
        work: (
            "每两个小区一名专职管家；建立设施台账，先修后查，维修进度每日公示；每季度开一次居民恳谈会。",
            "A steward for every two estates; a register of shared parts, repairs first and paper after, progress posted daily; residents are heard every quarter.",
        ),
        means: (
            "保洁 15 人、门岗 12 人、维修 4 人，应急值班车 1 辆，二十分钟内到场。",
            "15 cleaners, 12 gatekeepers, 4 for repairs and a car on call that comes within twenty minutes.",
        ),
        experience: (
            "近三年类似合同 4 份，均为无物业老旧小区，考核良好以上。",
            "Four contracts of the kind in three years, all of older estates without a manager, all rated good or better.",
        ),
        staff: &[
            member("路平", "项目经理", Some("物业管理师，同类经验 11 年")),
            member("江平", "工程主管", Some("电工证、消防设施操作员证")),
            member("夏荷", "客服主管", None),
        ],
        better: &[
            (
                "repair_arrival",
                (
                    "报修后 20 分钟内到场",
                    "Repairs begin within 20 minutes of a call",
                ),
            ),
            (
                "shared_parts_patrolled",
                (
                    "公共设施每月巡查 4 次",
                    "Shared parts are walked through four times a month",
                ),
            ),
        ],
        subcontractor: None,
        security: None,
    },
    Offer {
        line: "GUI-01",
        by: "green.agent",
        at: (2, 13, 7),
        prices: &["13200", "3.5"],
        yuan: 96_000,
        work: (
            "队员分六组各管一座公厕，每日保洁八次；绿地分片包干，由住在旁边的队员照看。",
            "Six pairs keep a toilet each and clean it eight times a day; each part of the green is kept by those who live beside it.",
        ),
        means: (
            "队员 12 人，均为本社区居民；工具由社区提供仓库存放。",
            "Twelve members, all residents of the community; it stores their tools.",
        ),
        experience: (
            "自 2023 年起自管桂园社区中心绿地。",
            "It has kept the central green of Guiyuan since 2023.",
        ),
        staff: &[member("桂英", "队长", None)],
        better: &[(
            "toilets_cleaned",
            (
                "每座公厕每日保洁 8 次",
                "Each toilet is cleaned eight times a day",
            ),
        )],
        subcontractor: None,
        security: None,
    },
    Offer {
        line: "SAN-01",
        by: "qinglan.agent",
        at: (6, 29, 3),
        prices: &["13", "9.72", "6.84"],
        yuan: 2_248_000,
        work: (
            "机械清扫为主、人工保洁为辅，一级道路三班巡回，雨后四小时内排除积水。",
            "Machines first and hands after; three shifts on class 1 roads; rain water is gone within four hours.",
        ),
        means: (
            "洗扫车 4 辆、小型清扫车 6 辆、保洁员 68 人，设备均为自有。",
            "Four sweepers, six small ones and 68 cleaners; all machines are its own.",
        ),
        experience: (
            "近三年同类合同 6 份，合计面积 180 万平方米。",
            "Six contracts of the kind in three years, of 1.8 million m² together.",
        ),
        staff: &[
            member("江水", "项目经理", Some("环卫工程中级职称")),
            member("郑海", "安全主管", Some("安全生产考核合格证")),
        ],
        better: &[],
        subcontractor: Some(Subcontractor {
            name: "凤城顺达清运有限公司",
            credit_code: "91990101MA2HT0135M",
            work: ("果皮箱垃圾夜间清运", "Takes away the waste of bins at night"),
            percent: "8",
            employees: 180,
            revenue_yuan: 21_000_000,
        }),
        security: Some("凤城银行 2026-0629-0117"),
    },
    Offer {
        line: "SAN-01",
        by: "jiecheng.agent",
        at: (6, 29, 4),
        prices: &["13.31", "10", "6.91"],
        yuan: 2_298_600,
        work: (
            "每条道路定人定段，早晚高峰前完成普扫；菜市场周边 20:00 至 21:00 专人保洁。",
            "Every stretch has its cleaner and is swept before the rush; somebody is at the market from 20:00 to 21:00.",
        ),
        means: (
            "洗扫车 2 辆、电动保洁车 18 辆、保洁员 62 人，均住本街道。",
            "Two sweepers, 18 electric carts and 62 cleaners, who all live in the street.",
        ),
        experience: (
            "近三年同类合同 3 份，均在本区。",
            "Three contracts of the kind in three years, all in this district.",
        ),
        staff: &[
            member("石坚", "项目经理", Some("同类经验 8 年")),
            member("何芳", "现场主管", None),
        ],
        better: &[(
            "bins_washed",
            ("果皮箱每月清洗 3 次", "Bins are washed three times a month"),
        )],
        subcontractor: None,
        security: Some("梧桐农商行 2026-0629-0032"),
    },
    Offer {
        line: "SAN-01",
        by: "derun.agent",
        at: (6, 29, 5),
        prices: &["12.5", "9.32", "6.54"],
        yuan: 2_156_000,
        work: (
            "全区统一调度，夜间机械洗扫，白天人工巡回，以视频巡查补足人力。",
            "Dispatched from one centre: washed by machines at night, kept by hand by day, with cameras where there are fewer hands.",
        ),
        means: (
            "洗扫车 5 辆、保洁员 54 人，数字化调度平台一套。",
            "Five sweepers, 54 cleaners and a platform for dispatch.",
        ),
        experience: (
            "近三年同类合同 5 份，合计面积 140 万平方米。",
            "Five contracts of the kind in three years, of 1.4 million m² together.",
        ),
        staff: &[member("田园", "项目经理", Some("环卫工程高级职称"))],
        better: &[],
        subcontractor: None,
        security: Some("凤城银行 2026-0629-0121"),
    },
    Offer {
        line: "SAN-01",
        by: "xinhe.agent",
        at: (6, 29, 5),
        prices: &["13.51", "10.08", "7.07"],
        yuan: 2_331_000,
        work: (
            "五个社区各设一组，组长每日与社区对账；背街小巷增加午后一次保洁。",
            "A team for each community, whose head goes through the day with it; lanes are cleaned once more after noon.",
        ),
        means: (
            "小型清扫车 3 辆、电动保洁车 12 辆、保洁员 60 人。",
            "Three small sweepers, 12 electric carts and 60 cleaners.",
        ),
        experience: (
            "近三年同类合同 2 份，考核均为优秀。",
            "Two contracts of the kind in three years, both rated excellent.",
        ),
        staff: &[
            member("谷雨", "项目经理", Some("同类经验 5 年")),
            member("米兰", "现场主管", None),
        ],
        better: &[],
        subcontractor: None,
        security: Some("凤城银行 2026-0629-0124"),
    },
    Offer {
        line: "GRN-01",
        by: "cuiping.agent",
        at: (6, 29, 6),
        prices: &["7.75", "5.85", "4.25"],
        yuan: 548_000,
        work: (
            "按季节编制养护月历，春季集中修剪，夏季加密浇灌，枯枝当日清除。",
            "A calendar of upkeep by seasons: pruning in spring, more water in summer, dead branches gone the same day.",
        ),
        means: (
            "园艺师 2 人、绿化工 16 人，高枝车 1 辆、洒水车 1 辆。",
            "Two gardeners and 16 workers, a lift and a water cart.",
        ),
        experience: (
            "近三年同类合同 3 份。",
            "Three contracts of the kind in three years.",
        ),
        staff: &[member("苏木", "项目经理", Some("园林绿化工程师"))],
        better: &[(
            "dead_branches",
            ("枯枝 12 小时内清除", "Dead branches are removed within 12 hours"),
        )],
        subcontractor: None,
        security: None,
    },
    Offer {
        line: "GRN-01",
        by: "lvhe.agent",
        at: (6, 29, 7),
        prices: &["8", "6.04", "4.42"],
        yuan: 566_400,
        work: (
            "组织社区居民认养街头绿地，专业人员负责修剪和植保，每季度公开养护记录。",
            "Residents adopt street gardens; gardeners prune and protect; the record of upkeep is posted every quarter.",
        ),
        means: (
            "园艺师 2 人、绿化工 14 人、志愿者 40 名，工具齐备。",
            "Two gardeners, 14 workers and 40 volunteers with their tools.",
        ),
        experience: (
            "近三年同类合同 4 份，成活率均在 99 % 以上。",
            "Four contracts of the kind in three years, with survival above 99 %.",
        ),
        staff: &[
            member("林木", "项目经理", Some("园林绿化工程师")),
            member("叶青", "植保员", Some("植物保护员证")),
        ],
        better: &[("survival", ("成活率不低于 99 %", "At least 99 % survive"))],
        subcontractor: None,
        security: None,
    },
    Offer {
        line: "GRN-01",
        by: "luzhi.agent",
        at: (6, 29, 7),
        prices: &["7.35", "5.55", "4.09"],
        yuan: 521_000,
        work: (
            "标准化巡养，分三个片区轮作，绿篱与草坪机械修剪。",
            "Rounds by a standard in three districts; hedges and lawns are cut by machine.",
        ),
        means: (
            "园艺师 1 人、绿化工 13 人，修剪机 8 台。",
            "One gardener, 13 workers and eight machines.",
        ),
        experience: (
            "近三年同类合同 2 份。",
            "Two contracts of the kind in three years.",
        ),
        staff: &[member("白芷", "项目经理", Some("园林绿化助理工程师"))],
        better: &[],
        subcontractor: None,
        security: None,
    },
    Offer {
        line: "SEC-01",
        by: "anlan.agent",
        at: (6, 29, 8),
        prices: &["12000", "54600"],
        yuan: 691_200,
        work: (
            "三岗四班三运转，夜间每小时巡逻一次，路线经过全部老旧小区出入口。",
            "Three posts in four shifts; a patrol every hour at night that passes the gates of all older estates.",
        ),
        means: (
            "保安员 12 人均持证，退役军人 5 人，电动巡逻车 2 辆，每月培训一次。",
            "Twelve certified guards, five of them veterans, two electric patrol cars, training every month.",
        ),
        experience: (
            "近三年同类合同 3 份。",
            "Three contracts of the kind in three years.",
        ),
        staff: &[
            member("雷鸣", "项目经理", Some("二级保安师")),
            member("石虎", "队长", Some("三级保安师")),
        ],
        better: &[],
        subcontractor: None,
        security: None,
    },
    Offer {
        line: "SEC-01",
        by: "panshi.agent",
        at: (6, 29, 8),
        prices: &["10800", "53700"],
        yuan: 676_800,
        work: (
            "岗亭、巡逻与视频联动，接警后八分钟内到场，巡逻轨迹每日报街道。",
            "Posts, patrols and cameras work together; on site within eight minutes; the day's routes go to the street office.",
        ),
        means: (
            "保安员 12 人均持证，机动队 4 人，消防演练每年 4 次。",
            "Twelve certified guards, four more on call, four fire drills a year.",
        ),
        experience: (
            "近三年同类合同 5 份，无责任事故。",
            "Five contracts of the kind in three years, without an accident of its fault.",
        ),
        staff: &[
            member("岳峰", "项目经理", Some("一级保安师")),
            member("高山", "队长", Some("二级保安师")),
        ],
        better: &[
            ("response", ("接警后 8 分钟内到场", "On site within 8 minutes")),
            ("fire_drills", ("消防演练每年 4 次", "Four fire drills a year")),
        ],
        subcontractor: None,
        security: None,
    },
    Offer {
        line: "SEC-01",
        by: "mingdun.agent",
        at: (6, 29, 9),
        prices: &["9600", "52800"],
        yuan: 662_400,
        work: (
            "三岗三班制，白天两小时、夜间一小时巡逻一次。",
            "Three posts in three shifts; a patrol every two hours by day and every hour at night.",
        ),
        means: (
            "保安员 12 人均持证，对讲机与执法记录仪配齐。",
            "Twelve certified guards with radios and body cameras.",
        ),
        experience: (
            "近三年同类合同 2 份。",
            "Two contracts of the kind in three years.",
        ),
        staff: &[member("甲盾", "项目经理", Some("三级保安师"))],
        better: &[],
        subcontractor: None,
        security: None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::demo_plans::PLANS;
    use crate::bids::rules_responses::line_amount;
    use crate::kernel::money::Money;

    #[test]
    fn prices_add_up_to_what_is_offered_and_stay_below_the_ceiling() {
        for offer in &OFFERS {
            let plan = offer.plan().unwrap();
            assert_eq!(offer.prices.len(), plan.quantities.len(), "{}", offer.by);
            let lines = offer.prices.iter().zip(plan.quantities);
            let sum = Money::sum(lines.map(|(price, quantity)| line_amount(price, quantity.amount).unwrap()));
            assert_eq!(
                sum.unwrap(),
                Money::from_yuan(offer.yuan).unwrap(),
                "{}",
                offer.by
            );
            assert!(offer.yuan <= plan.yuan, "{}", offer.by);
        }
        assert!(OFFERS.is_sorted_by_key(|offer| offer.at));
        assert!(
            PLANS
                .iter()
                .all(|plan| OFFERS.iter().any(|offer| offer.line == plan.line))
        );
    }
}
