//! What of a book would make no sense, or shut suppliers out by their size: conditions that the rules forbid to ask for or to score, services
//! that begin before anybody can have been chosen, and quantities of nothing. Part of [`rules_readiness`](crate::books::rules_readiness).

use crate::books::rules_documents::BookDocument;
use crate::books::rules_readiness::{Findings, UNFIT};
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::statutes::codes;
use crate::text;

impl Findings<'_> {
    /// Requirements and criteria that name a condition which neither qualifies nor scores (87号令 art 17). Only what is named by its usual name
    /// is found; whoever approves a book reads the rest.
    ///
    /// # Errors
    /// A rule that is not set.
    pub(super) fn conditions(&mut self, book: &BookDocument) -> Answer<()> {
        let forbidden = self.rule(codes::PLANNING_CONDITIONS_FORBIDDEN)?;
        let mut named: Vec<(String, [String; 2])> = Vec::new();
        for (index, one) in book.qualifications.iter().enumerate() {
            named.push((
                format!("/qualifications/{index}"),
                lower([&one.name_zh, &one.name_en]),
            ));
        }
        for (index, lot) in book.lots.iter().enumerate() {
            for (number, one) in lot.criteria.iter().enumerate() {
                let place = format!("/lots/{index}/criteria/{number}");
                named.push((place, lower([&one.name_zh, &one.name_en])));
            }
        }
        for (place, [zh, en]) in named {
            for choice in &forbidden.0 {
                if zh.contains(&choice.name_zh.to_lowercase()) || en.contains(&choice.name_en.to_lowercase())
                {
                    let (of_zh, of_en) = (&choice.name_zh, &choice.name_en);
                    let detail = text!(
                        "{of_zh}不得作为资格要求或者评审因素",
                        "{of_en} may neither qualify nor score"
                    );
                    self.unlawful(codes::PLANNING_CONDITIONS_FORBIDDEN, &place, detail);
                }
            }
        }
        Ok(())
    }

    /// Services begin when somebody can have been chosen for them, and are of something.
    pub(super) fn sense(&mut self, book: &BookDocument) {
        let times = &book.timetable;
        if let (Some(from), Some(opening)) = (times.service_from, times.opening)
            && from <= local_date(opening, self.facts.zone)
        {
            self.add(
                "/timetable/service_from",
                UNFIT,
                Text::fixed("应晚于开标日", "must be after the day of the opening"),
            );
        }
        for (index, lot) in book.lots.iter().enumerate() {
            for (number, one) in lot.quantities.iter().enumerate() {
                if one.amount.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
                    self.add(
                        &format!("/lots/{index}/quantities/{number}/amount"),
                        UNFIT,
                        Text::fixed("应大于零", "must be more than nothing"),
                    );
                }
            }
        }
    }
}

fn lower(names: [&String; 2]) -> [String; 2] {
    names.map(|name| name.to_lowercase())
}
