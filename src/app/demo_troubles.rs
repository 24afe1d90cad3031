//! The defects of the demo: what is wrong where, in the words of whoever reports it first, by which each is found. All invented. Data only.

/// Something that is wrong.
pub struct Trouble {
    /// The number of the place.
    pub place: i64,
    /// What, by the standard.
    pub category: &'static str,
    /// In the words of the first report.
    pub words: &'static str,
}

const fn trouble(place: i64, category: &'static str, words: &'static str) -> Trouble {
    Trouble {
        place,
        category,
        words,
    }
}

const LAMPS: &str = "lamps_repaired";
const EQUIPMENT: &str = "equipment_intact";
const COMPLAINTS: &str = "complaints_answered";
const STAIRS: &str = "stairs_swept";
const OTHER: &str = "other";

/// Put right in time, and confirmed by whoever has reported it.
pub static DARK_STAIRS: Trouble = trouble(1, LAMPS, "3 号楼二单元三楼楼道灯不亮，老人上下楼看不见。");
/// Reported by somebody without an account, sent on by an officer, and confirmed by silence.
pub static BIN: Trouble = trouble(3, OTHER, "垃圾桶满了三天没有人清，苍蝇很多。");
/// Found and confirmed by an officer.
pub static DOOR: Trouble = trouble(2, EQUIPMENT, "5 号楼单元门闭门器损坏，门禁常开。");
/// Reported by four, and put right too late.
pub static DARK_GATE: Trouble = trouble(5, LAMPS, "柳絮里大门口的灯全灭了。");
/// Reopened by whoever has reported it, and confirmed by them at last.
pub static COMPLAINT: Trouble = trouble(4, COMPLAINTS, "水泵房夜里噪声大，投诉两次没有答复。");
/// Abuse, hidden and rejected.
pub static ABUSE: Trouble = trouble(6, OTHER, "你们就是一群废物，早点滚蛋。");
/// Not of this contract.
pub static FOREIGN_LIGHTS: Trouble = trouble(2, OTHER, "小区外路口的红绿灯坏了。");
/// Taken back.
pub static TWICE_CALLED: Trouble = trouble(3, OTHER, "楼上漏水到楼道。");
/// Reopened by an officer.
pub static PUMP: Trouble = trouble(3, EQUIPMENT, "水泵房机械密封漏水，地面积水。");
/// Confirmed by silence.
pub static DUST: Trouble = trouble(6, STAIRS, "2 号楼楼道一周没有清扫，烟头很多。");
/// Confirmed by somebody without an account, by the link of their report.
pub static BROKEN_LOCK: Trouble = trouble(2, EQUIPMENT, "7 号楼单元门锁坏了，关不上。");
/// Reopened when the demo begins.
pub static RAILING: Trouble = trouble(1, EQUIPMENT, "1 号楼门前台阶扶手松动。");
/// Late when the demo begins, and reported by three.
pub static DARK_PATH: Trouble = trouble(4, LAMPS, "2 号楼东侧小路的路灯不亮。");
/// Put right when the demo begins, and not confirmed.
pub static DAMP_WALL: Trouble = trouble(5, EQUIPMENT, "4 号楼顶层楼道墙面渗水起皮。");
/// Sent to the contractor when the demo begins, who has said nothing.
pub static CRACKED_COVER: Trouble = trouble(2, EQUIPMENT, "6 号楼前井盖开裂，踩上去会响。");
/// Waits for an officer when the demo begins, with a picture.
pub static SPILT: Trouble = trouble(6, OTHER, "装修垃圾堆在消防通道上。");
/// The contractor knows of it when the demo begins.
pub static UNSWEPT: Trouble = trouble(3, COMPLAINTS, "反映楼道堆物一周，物业没有回话。");
/// Waits for an officer when the demo begins.
pub static NO_ANSWER: Trouble = trouble(1, COMPLAINTS, "报修电话连打两天没有人接。");
