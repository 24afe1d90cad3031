//! The inspections of the demo: when, by whom, and what was measured. All invented. Data only.

use crate::app::demo_scenes::When;

/// The indicators that are looked at, in the order of a visit's values.
pub const LOOKED_AT: [&str; 7] = [
    "equipment_intact",
    "repairs_on_time",
    "rework",
    "repair_arrival",
    "complaints_handled",
    "shared_parts_patrolled",
    "stairs_swept",
];

/// Where is inspected.
pub enum Spot {
    /// At a stop that was drawn for a period.
    Stop {
        /// The period.
        period: i64,
        /// The stop.
        stop: i64,
    },
    /// Unannounced, at a place of the lot.
    Unannounced {
        /// The number of the place.
        place: i64,
        /// Where exactly.
        location: &'static str,
    },
}

/// An inspection.
pub struct Visit {
    /// When it is recorded; it began forty minutes before.
    pub at: When,
    /// By whom.
    pub by: &'static str,
    /// Where.
    pub spot: Spot,
    /// A value for each of [`LOOKED_AT`].
    pub values: [&'static str; 7],
    /// What the inspector says of it.
    pub note: Option<&'static str>,
    /// Whether there is a picture, of the first thing that was looked at.
    pub has_picture: bool,
}

const fn stop(at: When, by: &'static str, (period, stop): (i64, i64), values: [&'static str; 7]) -> Visit {
    Visit {
        at,
        by,
        spot: Spot::Stop { period, stop },
        values,
        note: None,
        has_picture: false,
    }
}

const fn surprise(
    at: When,
    by: &'static str,
    (place, location): (i64, &'static str),
    values: [&'static str; 7],
    note: &'static str,
) -> Visit {
    Visit {
        at,
        by,
        spot: Spot::Unannounced { place, location },
        values,
        note: Some(note),
        has_picture: true,
    }
}

const WANG: &str = "officer";
const GAO: &str = "officer2";

/// All is as it should be.
pub static APRIL_1: Visit = stop(
    (4, 9, 2, 45),
    WANG,
    (1, 1),
    ["96.4", "100", "0.6", "18", "100", "2", "2"],
);
/// The stairs were swept once a week.
pub static APRIL_2: Visit = stop(
    (4, 14, 2, 45),
    GAO,
    (1, 2),
    ["95.2", "100", "0.8", "24", "100", "2", "1"],
);
/// The contractor contests what was found of the equipment, and is right.
pub static APRIL_3: Visit = stop(
    (4, 17, 2, 45),
    WANG,
    (1, 3),
    ["94.1", "100", "0.4", "22", "100", "2", "2"],
);
/// All is as it should be.
pub static APRIL_4: Visit = stop(
    (4, 28, 2, 45),
    GAO,
    (1, 4),
    ["95.8", "100", "0.9", "27", "100", "3", "2"],
);
/// A repair began late.
pub static APRIL_SURPRISE: Visit = surprise(
    (4, 23, 1, 35),
    WANG,
    (5, "柳絮里 2 号楼至 4 号楼"),
    ["95.1", "98.2", "0.7", "29", "100", "2", "2"],
    "一单报修隔日才完成。",
);
/// All is as it should be.
pub static MAY_1: Visit = stop(
    (5, 12, 2, 45),
    WANG,
    (2, 1),
    ["95.5", "100", "0.5", "19", "100", "3", "2"],
);
/// Somebody came late; the contractor contests that, and is wrong.
pub static MAY_2: Visit = stop(
    (5, 14, 1, 45),
    GAO,
    (2, 2),
    ["95.3", "100", "0.9", "41", "100", "2", "2"],
);
/// The equipment is worse.
pub static MAY_3: Visit = stop(
    (5, 22, 2, 45),
    WANG,
    (2, 3),
    ["93.8", "100", "1.0", "26", "100", "2", "2"],
);
/// All is as it should be.
pub static MAY_4: Visit = stop(
    (5, 29, 2, 45),
    GAO,
    (2, 4),
    ["95.0", "100", "0.8", "23", "100", "2", "2"],
);
/// Written down under the wrong contract, and annulled.
pub static MAY_MISTAKEN: Visit = Visit {
    at: (5, 18, 3, 45),
    by: GAO,
    spot: Spot::Unannounced {
        place: 6,
        location: "青石里 1 号楼",
    },
    values: ["88.0", "91.5", "3.2", "55", "96.0", "1", "1"],
    note: None,
    has_picture: false,
};
/// A complaint was not handled.
pub static MAY_SURPRISE: Visit = surprise(
    (5, 28, 1, 35),
    WANG,
    (1, "槐荫一村 3 号楼至 6 号楼"),
    ["95.7", "100", "0.6", "21", "97.5", "2", "2"],
    "一件投诉未登记。",
);
/// The stairs were swept once a week.
pub static JUNE_1: Visit = stop(
    (6, 9, 2, 45),
    GAO,
    (3, 1),
    ["95.0", "100", "0.9", "28", "100", "2", "1"],
);
/// The stairs again, and repairs that were late.
pub static JUNE_2: Visit = stop(
    (6, 12, 2, 45),
    WANG,
    (3, 2),
    ["95.1", "97.0", "1.0", "28", "100", "2", "1"],
);
/// The stairs once more, and repairs that had to be done again.
pub static JUNE_3: Visit = stop(
    (6, 23, 6, 45),
    GAO,
    (3, 3),
    ["95.1", "100", "1.1", "25", "100", "2", "1"],
);
/// After this the buyer gives notice.
pub static JUNE_SURPRISE: Visit = surprise(
    (6, 30, 1, 35),
    WANG,
    (4, "槐荫四村 1 号楼至 5 号楼"),
    ["94.2", "100", "1.4", "27", "100", "2", "1"],
    "楼道多日未扫，两处维修返工。",
);
/// Better.
pub static JULY_1: Visit = stop(
    (7, 10, 6, 45),
    WANG,
    (4, 1),
    ["95.4", "100", "0.9", "24", "100", "2", "2"],
);
/// All is as it should be.
pub static JULY_2: Visit = stop(
    (7, 16, 2, 45),
    GAO,
    (4, 2),
    ["96.0", "100", "0.5", "20", "100", "3", "2"],
);
/// The contractor contests what was found, which is not decided when the demo begins.
pub static JULY_SURPRISE: Visit = surprise(
    (7, 21, 7, 35),
    GAO,
    (3, "槐荫三村 2 号楼"),
    ["95.2", "100", "1.4", "26", "100", "2", "2"],
    "同一住户一周内两次上门。",
);
