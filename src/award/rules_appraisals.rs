//! What a meeting of residents' representatives gave a lot's bids (城市居民委员会组织法): recorded from its minutes by one person, confirmed by
//! another, and void without the quorum. Pure.

use chrono::NaiveDate;

use crate::award::rules_evaluation::Meeting;
use crate::award::rules_scores::Scores;
use crate::books::rules::LotId;
use crate::files::rules::AttachmentId;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::text;

/// Residents' representatives at most.
pub const ELIGIBLE_MAX: u32 = 1_000_000;

/// The lot has nothing that residents appraise.
pub static APPRAISAL_NOTHING: Reason = Reason::new(
    Kind::Conflict,
    "appraisal_nothing",
    "该标段没有群众评议项",
    "The lot has nothing that residents appraise",
);
/// The meeting had no quorum.
pub static APPRAISAL_NO_QUORUM: Reason = Reason::new(
    Kind::Conflict,
    "appraisal_no_quorum",
    "到会人数未达法定人数，评议结果无效",
    "Too few came for the meeting to have a quorum; what it gave does not count",
);
/// The record was confirmed.
pub static APPRAISAL_CONFIRMED: Reason = Reason::new(
    Kind::Conflict,
    "appraisal_confirmed",
    "评议结果已经确认，不得修改",
    "The record was confirmed and does not change any more",
);
/// No record was confirmed, or it does not have every bid.
pub static APPRAISAL_MISSING: Reason = Reason::new(
    Kind::Conflict,
    "appraisal_missing",
    "尚无经确认的群众评议结果，或结果未涵盖全部投标",
    "No record of the residents' appraisal was confirmed, or it leaves a bid out",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 4] = [
    &APPRAISAL_NOTHING,
    &APPRAISAL_NO_QUORUM,
    &APPRAISAL_CONFIRMED,
    &APPRAISAL_MISSING,
];

/// What residents gave, by whichever way, as it goes into an evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appraised {
    /// Who could take part and who did, and the quorum.
    pub meeting: Meeting,
    /// What they gave.
    pub points: Scores,
}

/// The record of a meeting that appraised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appraisal {
    /// The lot.
    pub lot_id: LotId,
    /// Counts the changes, from 1.
    pub version: i64,
    /// On which day it met.
    pub held_on: NaiveDate,
    /// Who could come and who came, and the quorum.
    pub meeting: Meeting,
    /// The minutes.
    pub minutes: AttachmentId,
    /// What it gave.
    pub points: Scores,
    /// Who recorded it.
    pub recorded_by: AccountId,
    /// When, UTC.
    pub recorded_at: Instant,
    /// Who confirmed it, and when, UTC.
    pub confirmed: Option<(AccountId, Instant)>,
}

/// Whether the meeting can have been, and had its quorum. Faults of the form come first.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID); [`APPRAISAL_NO_QUORUM`].
pub fn held(meeting: Meeting, held_on: NaiveDate, today: NaiveDate) -> Result<(), Refusal> {
    let mut form = Form::new();
    for (field, count) in [("/eligible", meeting.eligible), ("/present", meeting.present)] {
        if !(1..=ELIGIBLE_MAX).contains(&count) {
            form.object(
                field,
                text!("应为 1 至 {ELIGIBLE_MAX}", "must be from 1 to {ELIGIBLE_MAX}"),
            );
        }
    }
    if meeting.present > meeting.eligible {
        form.object(
            "/present",
            Text::fixed("超过应到人数", "must be at most `eligible`"),
        );
    }
    if held_on > today {
        form.object(
            "/held_on",
            Text::fixed("会议尚未召开", "must not lie in the future"),
        );
    }
    form.finish(())?;
    if meeting.is_quorate() {
        return Ok(());
    }
    let (present, eligible) = (meeting.present, meeting.eligible);
    let (above, below) = (meeting.quorum.numerator, meeting.quorum.denominator);
    Err(APPRAISAL_NO_QUORUM
        .because(text!(
            "应到 {eligible} 人，实到 {present} 人，未达 {above}/{below}",
            "{present} of {eligible} came, and it takes {above}/{below}"
        ))
        .at("/present"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::award::rules_evaluation::Quorum;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn meeting(eligible: u32, present: u32, exceeded: bool) -> Meeting {
        Meeting {
            eligible,
            present,
            quorum: Quorum {
                numerator: 2,
                denominator: 3,
                exceeded,
            },
        }
    }

    #[test]
    fn a_quorum_is_reached_exactly() {
        let today = day("2026-04-02");
        let code = |meeting| {
            held(meeting, today, today)
                .err()
                .map(|refusal| refusal.reason.code)
        };
        assert_eq!(code(meeting(60, 40, false)), None);
        assert_eq!(code(meeting(60, 39, false)), Some("appraisal_no_quorum"));
        assert_eq!(code(meeting(60, 40, true)), Some("appraisal_no_quorum"));
        let refusal = held(meeting(0, 5, false), day("2026-04-03"), today).unwrap_err();
        let places: Vec<&str> = refusal
            .objections
            .iter()
            .map(|one| one.pointer.as_str())
            .collect();
        assert_eq!(places, ["/eligible", "/present", "/held_on"]);
    }
}
