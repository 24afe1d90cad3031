//! What is given to the bids for two books of the demo: by each member of the panel, and by the residents' representatives. All invented. Data
//! only; `demo_judging.rs` has it given. Plans and people are found good, for all points of the criterion, or fair, for seven tenths; each
//! contract of the kind is two points: so say the books.

use crate::app::demo_plans::Plan;

/// What one bid is given.
pub struct Marks {
    /// The budget line of the book.
    pub line: &'static str,
    /// Who bids.
    pub by: &'static str,
    /// By each member in the order of the seats: for the plan of work, for people and means, and for experience.
    pub members: [[&'static str; 3]; 5],
    /// By the residents' representatives.
    pub residents: &'static str,
}

/// The criteria that members score, in the order of their marks.
pub const BY_MEMBERS: [&str; 3] = ["T1", "T2", "B1"];
/// The criterion that residents score.
pub const BY_RESIDENTS: &str = "A1";

/// The marks of every bid that is scored.
pub static MARKS: [Marks; 6] = [
    Marks {
        line: "PRO-01",
        by: "jiecheng.agent",
        members: [
            ["30", "25", "4"],
            ["30", "25", "4"],
            ["21", "25", "4"],
            ["30", "25", "4"],
            ["30", "25", "4"],
        ],
        residents: "11.30",
    },
    Marks {
        line: "PRO-01",
        by: "huaian.agent",
        members: [
            ["30", "25", "2"],
            ["30", "25", "2"],
            ["30", "25", "2"],
            ["30", "25", "2"],
            ["30", "25", "2"],
        ],
        residents: "13.25",
    },
    Marks {
        line: "PRO-01",
        by: "anju.agent",
        members: [
            ["30", "25", "8"],
            ["30", "17.5", "8"],
            ["30", "25", "8"],
            ["30", "25", "8"],
            ["30", "17.5", "8"],
        ],
        residents: "12.40",
    },
    Marks {
        line: "SEC-01",
        by: "anlan.agent",
        members: [
            ["30", "20", "6"],
            ["30", "20", "6"],
            ["30", "20", "6"],
            ["21", "20", "6"],
            ["30", "20", "6"],
        ],
        residents: "7.80",
    },
    Marks {
        line: "SEC-01",
        by: "panshi.agent",
        members: [
            ["30", "20", "10"],
            ["21", "14", "10"],
            ["30", "20", "10"],
            ["30", "20", "10"],
            ["30", "14", "10"],
        ],
        residents: "8.20",
    },
    Marks {
        line: "SEC-01",
        by: "mingdun.agent",
        members: [
            ["30", "20", "4"],
            ["30", "20", "4"],
            ["30", "14", "4"],
            ["30", "20", "4"],
            ["30", "20", "4"],
        ],
        residents: "7.70",
    },
];

/// The marks of the bids for a plan's book.
pub fn of(plan: &Plan) -> impl Iterator<Item = &'static Marks> {
    let line = plan.line;
    MARKS.iter().filter(move |marks| marks.line == line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::demo_offers::OFFERS;
    use crate::kernel::money::Money;

    /// Points in hundredths, read as money is.
    fn points(text: &str) -> i64 {
        text.parse::<Money>().unwrap().fen()
    }

    #[test]
    fn what_is_given_comes_to_what_the_demo_is_to_show() {
        let mut others = Vec::new();
        for marks in &MARKS {
            assert!(
                OFFERS
                    .iter()
                    .any(|one| (one.line, one.by) == (marks.line, marks.by))
            );
            let given: i64 = marks.members.iter().flatten().map(|one| points(one)).sum();
            assert_eq!(given % 5, 0, "{}", marks.by);
            others.push(given / 5 + points(marks.residents));
        }
        assert_eq!(others, [6_850, 7_025, 7_240, 6_200, 6_400, 6_050]);
    }
}
