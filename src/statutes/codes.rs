//! The rules that the service asks for: every code, once, with the kind of value it has. A profile gives all of them; what is
//! not here no profile can say, and what is here no profile can leave out. The codes are part of the API and never change
//! their meaning; numbers are never here, they stand in the profiles.

use std::marker::PhantomData;

use crate::kernel::money::Money;
use crate::statutes::value::{
    Bands, Choices, Count, Days, Kind, Kinded, Minutes, Months, Percent, Share, WorkingDays, Years,
};

/// The code of a rule whose value reads as `V`, so that a question of the wrong kind does not compile.
pub struct Key<V> {
    code: &'static str,
    kind: PhantomData<fn() -> V>,
}

impl<V> Clone for Key<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Key<V> {}

impl<V> Key<V> {
    const fn new(code: &'static str) -> Self {
        Self {
            code,
            kind: PhantomData,
        }
    }

    /// The code, as it stands in profiles and in the API.
    pub const fn code(self) -> &'static str {
        self.code
    }
}

/// A code that a profile has to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The code: the part of a contract's life it belongs to, a dot, and what it says, unit and qualifier last.
    pub code: &'static str,
    /// The kind of value it has.
    pub kind: Kind,
}

/// The entry of a code, if there is such a rule.
pub fn entry(code: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.code == code)
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident: $kind:ident = $code:literal;)+) => {
        $($(#[$doc])* pub const $name: Key<$kind> = Key::new($code);)+

        /// Every code, in the order of a contract's life.
        pub const ALL: &[Entry] = &[$(Entry { code: $code, kind: <$kind as Kinded>::KIND }),+];
    };
}

codes! {
    /// The intention notice is published at least 30 days before the book.
    PLANNING_INTENTION_NOTICE_DAYS_MIN: Days = "planning.intention_notice_days_min";

    /// The intention notice states name, overview, budget and expected month.
    PLANNING_INTENTION_NOTICE_CONTENTS: Choices = "planning.intention_notice_contents";

    /// Services to the public need a record of consultation before publication.
    PLANNING_CONSULTATION_RECORD_REQUIRED: bool = "planning.consultation_record_required";

    /// Whoever reviews the need did not draft it.
    PLANNING_REVIEWERS_DIFFER_FROM_DRAFTERS: bool = "planning.reviewers_differ_from_drafters";

    /// Amounts of the same buyer, category and budget line in one fiscal year are added up against the open-tender threshold.
    PLANNING_SPLITTING_SUMMED_OVER: Choices = "planning.splitting_summed_over";

    /// Splitting an amount to avoid open tender is forbidden.
    PLANNING_SPLITTING_FORBIDDEN: bool = "planning.splitting_forbidden";

    /// The open-tender threshold: from this amount on the tender is open.
    PLANNING_OPEN_TENDER_THRESHOLD: Money = "planning.open_tender_threshold";

    /// The budget is disclosed.
    PLANNING_BUDGET_DISCLOSED: bool = "planning.budget_disclosed";

    /// A ceiling price may be set.
    PLANNING_CEILING_PRICE_ALLOWED: bool = "planning.ceiling_price_allowed";

    /// A floor price may not be set.
    PLANNING_FLOOR_PRICE_ALLOWED: bool = "planning.floor_price_allowed";

    /// Conditions of size that neither qualify nor score.
    PLANNING_CONDITIONS_FORBIDDEN: Choices = "planning.conditions_forbidden";

    /// Who may supply.
    PLANNING_SUPPLIER_KINDS: Choices = "planning.supplier_kinds";

    /// The term is at most one year.
    PLANNING_TERM_YEARS_MAX: Years = "planning.term_years_max";

    /// The term is up to three years if the budget is stable.
    PLANNING_TERM_YEARS_MAX_IF_BUDGET_STABLE: Years = "planning.term_years_max_if_budget_stable";

    /// Up to a budget of 2,000,000 yuan everything is reserved for small and medium enterprises.
    SME_FULL_RESERVE_BUDGET_MAX: Money = "sme.full_reserve_budget_max";

    /// Above that, at least 30 % of the buyer's yearly total is reserved.
    SME_YEARLY_RESERVE_PERCENT_MIN: Percent = "sme.yearly_reserve_percent_min";

    /// Of what is reserved at least 60 % is for small and micro enterprises.
    SME_SMALL_MICRO_PERCENT_MIN: Percent = "sme.small_micro_percent_min";

    /// Where nothing is reserved, the price deduction for small and micro bidders is at least 10 %.
    SME_DEDUCTION_PERCENT_MIN: Percent = "sme.deduction_percent_min";

    /// The price deduction for small and micro bidders is at most 20 %.
    SME_DEDUCTION_PERCENT_MAX: Percent = "sme.deduction_percent_max";

    /// The price deduction for a consortium is at least 4 %.
    SME_CONSORTIUM_DEDUCTION_PERCENT_MIN: Percent = "sme.consortium_deduction_percent_min";

    /// The price deduction for a consortium is at most 6 %.
    SME_CONSORTIUM_DEDUCTION_PERCENT_MAX: Percent = "sme.consortium_deduction_percent_max";

    /// It is for a consortium whose small and micro enterprises, subcontractors among them, have at least 30 % of the price.
    SME_CONSORTIUM_SHARE_PERCENT_MIN: Percent = "sme.consortium_share_percent_min";

    /// The deduction is declared in the book.
    SME_DEDUCTION_DECLARED_IN_BOOK: bool = "sme.deduction_declared_in_book";

    /// The deduction counts in evaluation only; the contract keeps the bid price.
    SME_DEDUCTION_IN_EVALUATION_ONLY: bool = "sme.deduction_in_evaluation_only";

    /// From issue to bid deadline at least 20 days.
    TENDER_PERIOD_DAYS_MIN: Days = "tender.period_days_min";

    /// The document is available for at least 5 working days.
    TENDER_DOCUMENT_AVAILABLE_WORKING_DAYS_MIN: WorkingDays = "tender.document_available_working_days_min";

    /// Changes that affect bids are made at least 15 days before the deadline.
    TENDER_CLARIFICATION_DAYS_MIN: Days = "tender.clarification_days_min";

    /// Changes that come later than that move the deadline.
    TENDER_CLARIFICATION_MOVES_DEADLINE: bool = "tender.clarification_moves_deadline";

    /// A clarification or change never changes what is bought, nor the conditions of qualification.
    TENDER_CLARIFICATION_NEVER_CHANGES: Choices = "tender.clarification_never_changes";

    /// The bid security is at most 2 % of the budget.
    TENDER_BID_SECURITY_PERCENT_MAX: Percent = "tender.bid_security_percent_max";

    /// The bid security is returned within 5 working days of the award notice.
    TENDER_BID_SECURITY_RETURN_WORKING_DAYS_MAX: WorkingDays = "tender.bid_security_return_working_days_max";

    /// For the winner that time counts from signing.
    TENDER_BID_SECURITY_WINNER_COUNTS_FROM_SIGNING: bool = "tender.bid_security_winner_counts_from_signing";

    /// A late bid is refused, and logged.
    TENDER_LATE_BID_REFUSED: bool = "tender.late_bid_refused";

    /// Opening is at the deadline.
    TENDER_OPENING_AT_DEADLINE: bool = "tender.opening_at_deadline";

    /// With fewer than 3 bids nothing is opened; the lot is unsuccessful.
    TENDER_BIDS_MIN: Count = "tender.bids_min";

    /// What makes two bidders of one hand, so that both are out.
    TENDER_SAME_CONTROL_TIES: Choices = "tender.same_control_ties";

    /// Signs of collusion.
    TENDER_COLLUSION_SIGNS: Choices = "tender.collusion_signs";

    /// Recusal looks back 3 years.
    TENDER_RECUSAL_YEARS: Years = "tender.recusal_years";

    /// Whoever was employee, director or owner within those years steps back.
    TENDER_RECUSAL_RECENT_TIES: Choices = "tender.recusal_recent_ties";

    /// Whoever is kin or has another interest steps back.
    TENDER_RECUSAL_STANDING_TIES: Choices = "tender.recusal_standing_ties";

    /// A panel has at least 5 members.
    PANEL_MEMBERS_MIN: Count = "panel.members_min";

    /// A panel has an odd number of members.
    PANEL_MEMBERS_ODD: bool = "panel.members_odd";

    /// At least two thirds of a panel are experts.
    PANEL_EXPERT_SHARE_MIN: Share = "panel.expert_share_min";

    /// From a budget of 10,000,000 yuan, or where the impact is large, a larger panel is needed.
    PANEL_LARGE_BUDGET_MIN: Money = "panel.large_budget_min";

    /// A larger panel has at least 7 members.
    PANEL_LARGE_MEMBERS_MIN: Count = "panel.large_members_min";

    /// The buyer's member does not chair.
    PANEL_BUYER_MEMBER_MAY_CHAIR: bool = "panel.buyer_member_may_chair";

    /// The names are secret until the result.
    PANEL_NAMES_SECRET_UNTIL_RESULT: bool = "panel.names_secret_until_result";

    /// The methods are comprehensive scoring and lowest evaluated price.
    EVALUATION_METHODS: Choices = "evaluation.methods";

    /// The benchmark is the lowest price among responsive bids after policy deduction, which feeds both benchmark and bid.
    EVALUATION_BENCHMARK_AFTER_DEDUCTION: bool = "evaluation.benchmark_after_deduction";

    /// The price score is benchmark / bid × 100.
    EVALUATION_PRICE_SCORE_FULL: Count = "evaluation.price_score_full";

    /// The weights add up to 100 %.
    EVALUATION_WEIGHTS_SUM_PERCENT: Percent = "evaluation.weights_sum_percent";

    /// The price weighs at least 10 % for services.
    EVALUATION_PRICE_WEIGHT_PERCENT_MIN_SERVICES: Percent = "evaluation.price_weight_percent_min_services";

    /// The price weighs at least 30 % for goods.
    EVALUATION_PRICE_WEIGHT_PERCENT_MIN_GOODS: Percent = "evaluation.price_weight_percent_min_goods";

    /// The highest and the lowest price are never dropped.
    EVALUATION_EXTREME_PRICES_DROPPED: bool = "evaluation.extreme_prices_dropped";

    /// Qualification conditions are not scored.
    EVALUATION_QUALIFICATION_SCORED: bool = "evaluation.qualification_scored";

    /// Every factor is quantified.
    EVALUATION_FACTORS_QUANTIFIED: bool = "evaluation.factors_quantified";

    /// Each member scores alone.
    EVALUATION_MEMBERS_SCORE_ALONE: bool = "evaluation.members_score_alone";

    /// With fewer than 3 responsive bids nothing is evaluated; the lot is unsuccessful.
    EVALUATION_RESPONSIVE_BIDS_MIN: Count = "evaluation.responsive_bids_min";

    /// Rank by total, then by price, then by the declared tie rule, else by a random draw.
    EVALUATION_RANK_ORDER: Choices = "evaluation.rank_order";

    /// A random draw is recorded and can be reproduced.
    EVALUATION_DRAW_REPRODUCIBLE: bool = "evaluation.draw_reproducible";

    /// With the lowest evaluated price only arithmetic correction and policy deduction apply.
    EVALUATION_LOWEST_PRICE_ADJUSTMENTS: Choices = "evaluation.lowest_price_adjustments";

    /// The order of corrections where prices differ within a bid.
    EVALUATION_CORRECTION_ORDER: Choices = "evaluation.correction_order";

    /// The bidder confirms a correction, or the bid is invalid.
    EVALUATION_CORRECTION_NEEDS_CONFIRMATION: bool = "evaluation.correction_needs_confirmation";

    /// A price strictly below 50 % of the average of responsive bids is abnormally low.
    EVALUATION_ABNORMALLY_LOW_AVERAGE_PERCENT: Percent = "evaluation.abnormally_low_average_percent";

    /// A price strictly below 50 % of the second-lowest is abnormally low.
    EVALUATION_ABNORMALLY_LOW_SECOND_LOWEST_PERCENT: Percent = "evaluation.abnormally_low_second_lowest_percent";

    /// A price strictly below 45 % of the ceiling is abnormally low.
    EVALUATION_ABNORMALLY_LOW_CEILING_PERCENT: Percent = "evaluation.abnormally_low_ceiling_percent";

    /// Where there is no ceiling, the budget stands in for it.
    EVALUATION_ABNORMALLY_LOW_BUDGET_IF_NO_CEILING: bool = "evaluation.abnormally_low_budget_if_no_ceiling";

    /// Abnormally low is judged by original prices, before any deduction.
    EVALUATION_ABNORMALLY_LOW_ORIGINAL_PRICES: bool = "evaluation.abnormally_low_original_prices";

    /// The bidder gets at least 30 minutes to justify it in writing.
    EVALUATION_ABNORMALLY_LOW_JUSTIFICATION_MINUTES_MIN: Minutes = "evaluation.abnormally_low_justification_minutes_min";

    /// An abnormally low price that is not justified makes the bid invalid.
    EVALUATION_ABNORMALLY_LOW_UNJUSTIFIED_INVALID: bool = "evaluation.abnormally_low_unjustified_invalid";

    /// Dissent is written down.
    EVALUATION_DISSENT_WRITTEN: bool = "evaluation.dissent_written";

    /// Scores are given anew only on stated grounds.
    EVALUATION_RESCORING_NEEDS_GROUND: bool = "evaluation.rescoring_needs_ground";

    /// Scoring anew is a new recorded round.
    EVALUATION_RESCORING_NEW_ROUND: bool = "evaluation.rescoring_new_round";

    /// The report goes to the buyer within 2 working days.
    AWARD_REPORT_WORKING_DAYS_MAX: WorkingDays = "award.report_working_days_max";

    /// The buyer decides within 5 working days.
    AWARD_DECISION_WORKING_DAYS_MAX: WorkingDays = "award.decision_working_days_max";

    /// The notice is published within 2 working days.
    AWARD_NOTICE_WORKING_DAYS_MAX: WorkingDays = "award.notice_working_days_max";

    /// The public notice stands for 1 working day.
    AWARD_PUBLIC_NOTICE_WORKING_DAYS: WorkingDays = "award.public_notice_working_days";

    /// Losers learn their own score and rank.
    AWARD_LOSERS_TOLD_OWN_RESULT: bool = "award.losers_told_own_result";

    /// The contract is signed within 30 days of the notice.
    CONTRACT_SIGNING_DAYS_MAX: Days = "contract.signing_days_max";

    /// The contract makes no substantive change.
    CONTRACT_SUBSTANTIVE_CHANGE_ALLOWED: bool = "contract.substantive_change_allowed";

    /// The contract is public within 2 working days.
    CONTRACT_PUBLICATION_WORKING_DAYS_MAX: WorkingDays = "contract.publication_working_days_max";

    /// The performance security is at most 10 % of the contract.
    CONTRACT_PERFORMANCE_SECURITY_PERCENT_MAX: Percent = "contract.performance_security_percent_max";

    /// Supplements together are at most 10 % of the original amount.
    CONTRACT_SUPPLEMENTS_PERCENT_MAX: Percent = "contract.supplements_percent_max";

    /// Records are kept for at least 15 years.
    CONTRACT_RECORD_YEARS_MIN: Years = "contract.record_years_min";

    /// The contractor contests an item of an inspection within 5 working days of its record.
    INSPECTION_CONTEST_WORKING_DAYS_MAX: WorkingDays = "inspection.contest_working_days_max";

    /// An enquiry is answered within 3 working days.
    DISPUTES_ENQUIRY_REPLY_WORKING_DAYS_MAX: WorkingDays = "disputes.enquiry_reply_working_days_max";

    /// A challenge is filed within 7 working days.
    DISPUTES_CHALLENGE_FILING_WORKING_DAYS_MAX: WorkingDays = "disputes.challenge_filing_working_days_max";

    /// A challenge is answered within 7 working days.
    DISPUTES_CHALLENGE_REPLY_WORKING_DAYS_MAX: WorkingDays = "disputes.challenge_reply_working_days_max";

    /// A complaint is filed within 15 working days after the reply was due.
    DISPUTES_COMPLAINT_FILING_WORKING_DAYS_MAX: WorkingDays = "disputes.complaint_filing_working_days_max";

    /// A complaint is decided within 30 working days.
    DISPUTES_COMPLAINT_DECISION_WORKING_DAYS_MAX: WorkingDays = "disputes.complaint_decision_working_days_max";

    /// A suspension lasts at most 30 days.
    DISPUTES_SUSPENSION_DAYS_MAX: Days = "disputes.suspension_days_max";

    /// A complaint does not go beyond the challenge.
    DISPUTES_COMPLAINT_BEYOND_CHALLENGE_ALLOWED: bool = "disputes.complaint_beyond_challenge_allowed";

    /// After 3 unfounded complaints within the period the complainant is listed.
    DISPUTES_UNFOUNDED_COMPLAINTS_LISTED: Count = "disputes.unfounded_complaints_listed";

    /// The period in which unfounded complaints are counted, in months.
    DISPUTES_UNFOUNDED_COMPLAINTS_MONTHS: Months = "disputes.unfounded_complaints_months";

    /// The first day is not counted.
    COUNTING_FIRST_DAY_EXCLUDED: bool = "counting.first_day_excluded";

    /// A last day on a holiday rolls forward.
    COUNTING_LAST_DAY_ROLLS_FORWARD: bool = "counting.last_day_rolls_forward";

    /// “以上”, “以下” and “以内” include the number itself.
    COUNTING_BOUNDS_INCLUSIVE: bool = "counting.bounds_inclusive";

    /// The buyer has signed a certificate within 7 working days of what was handed over, or silence accepts it.
    ACCEPTANCE_INSPECTION_WORKING_DAYS_MAX: WorkingDays = "acceptance.inspection_working_days_max";

    /// The contractor objects to a certificate within 5 working days of its signature.
    ACCEPTANCE_OBJECTION_WORKING_DAYS_MAX: WorkingDays = "acceptance.objection_working_days_max";

    /// The acceptance certificate covers each standard.
    ACCEPTANCE_EACH_STANDARD_COVERED: bool = "acceptance.each_standard_covered";

    /// Public services invite the people served to the acceptance.
    ACCEPTANCE_SERVED_PEOPLE_INVITED: bool = "acceptance.served_people_invited";

    /// The opinion of the people served is recorded.
    ACCEPTANCE_OPINION_RECORDED: bool = "acceptance.opinion_recorded";

    /// The result of the acceptance is published.
    ACCEPTANCE_RESULT_PUBLISHED: bool = "acceptance.result_published";

    /// Whoever handled the purchase does not accept the work.
    ACCEPTANCE_HANDLER_MAY_ACCEPT: bool = "acceptance.handler_may_accept";

    /// Grades of performance: excellent from 90, good 80 to 90, fair 60 to 80, poor below 60.
    ACCEPTANCE_GRADES: Bands = "acceptance.grades";

    /// Whoever accepts the work does not pay for it.
    PAYMENT_ACCEPTOR_MAY_PAY: bool = "payment.acceptor_may_pay";

    /// No purchase without a budget.
    PAYMENT_BUDGET_REQUIRED: bool = "payment.budget_required";

    /// Payment is within 30 days of acceptance.
    PAYMENT_DAYS_MAX: Days = "payment.days_max";

    /// The contract may say up to 60 days.
    PAYMENT_DAYS_MAX_IF_AGREED: Days = "payment.days_max_if_agreed";

    /// An inspection period that passes in silence counts as acceptance.
    PAYMENT_SILENT_INSPECTION_ACCEPTS: bool = "payment.silent_inspection_accepts";

    /// The undisputed part is paid.
    PAYMENT_UNDISPUTED_PART_PAID: bool = "payment.undisputed_part_paid";

    /// An audit is not a precondition of payment.
    PAYMENT_AUDIT_IS_PRECONDITION: bool = "payment.audit_is_precondition";

    /// Overdue interest is 0.05 % a day unless agreed otherwise.
    PAYMENT_OVERDUE_INTEREST_PERCENT_PER_DAY: Percent = "payment.overdue_interest_percent_per_day";

    /// The auditee comments within 10 days.
    AUDIT_COMMENT_DAYS_MAX: Days = "audit.comment_days_max";

    /// Findings, rectification and result are reported and published.
    AUDIT_RESULTS_PUBLISHED: Choices = "audit.results_published";

    /// No active delegation without scope, authorisation document and committed funds.
    DELEGATION_NEEDED_BEFORE_ACTIVE: Choices = "delegation.needed_before_active";

    /// An assessment of a community for a duty it got no money for is flagged.
    DELEGATION_UNFUNDED_ASSESSMENT_FLAGGED: bool = "delegation.unfunded_assessment_flagged";

    /// Voters are at least 18 years old.
    RESIDENTS_VOTER_AGE_YEARS_MIN: Years = "residents.voter_age_years_min";

    /// Voters are on the community's roll.
    RESIDENTS_VOTER_ON_ROLL: bool = "residents.voter_on_roll";

    /// A representative stands for at least 20 households.
    RESIDENTS_REPRESENTATIVE_HOUSEHOLDS_MIN: Count = "residents.representative_households_min";

    /// A representative stands for at most 50 households.
    RESIDENTS_REPRESENTATIVE_HOUSEHOLDS_MAX: Count = "residents.representative_households_max";

    /// A representatives' meeting needs at least two thirds of them.
    RESIDENTS_REPRESENTATIVES_QUORUM: Share = "residents.representatives_quorum";

    /// A representatives' meeting decides by more than half of those present.
    RESIDENTS_REPRESENTATIVES_MAJORITY: Share = "residents.representatives_majority";

    /// A residents' meeting needs more than half of them.
    RESIDENTS_MEETING_QUORUM: Share = "residents.meeting_quorum";

    /// A residents' meeting decides by more than half of those present.
    RESIDENTS_MEETING_MAJORITY: Share = "residents.meeting_majority";

    /// A residents' meeting is called 10 days before.
    RESIDENTS_MEETING_NOTICE_DAYS_MIN: Days = "residents.meeting_notice_days_min";

    /// Owners of at least two thirds of the area take part.
    PROPERTY_PARTICIPATION_AREA_MIN: Share = "property.participation_area_min";

    /// At least two thirds of the owners by heads take part.
    PROPERTY_PARTICIPATION_HEADS_MIN: Share = "property.participation_heads_min";

    /// An ordinary matter needs more than half of the participating area.
    PROPERTY_ORDINARY_AREA_MAJORITY: Share = "property.ordinary_area_majority";

    /// An ordinary matter needs more than half of the participating heads.
    PROPERTY_ORDINARY_HEADS_MAJORITY: Share = "property.ordinary_heads_majority";

    /// Area and heads are tallied separately.
    PROPERTY_TALLIED_SEPARATELY: bool = "property.tallied_separately";

    /// Above the open-tender threshold residents do not replace the panel.
    APPRAISAL_REPLACES_PANEL_ABOVE_THRESHOLD: bool = "appraisal.replaces_panel_above_threshold";

    /// As a declared criterion, residents' appraisal typically weighs at least 10 % of the total.
    APPRAISAL_WEIGHT_PERCENT_MIN: Percent = "appraisal.weight_percent_min";

    /// As a declared criterion, residents' appraisal typically weighs at most 30 % of the total.
    APPRAISAL_WEIGHT_PERCENT_MAX: Percent = "appraisal.weight_percent_max";

    /// Residents' appraisal is part of the award, of acceptance and of every period's assessment.
    APPRAISAL_PART_OF: Choices = "appraisal.part_of";

    /// Below the threshold, or for self-managed facilities, an appraisal ballot may itself decide the award.
    APPRAISAL_MAY_DECIDE_BELOW_THRESHOLD: bool = "appraisal.may_decide_below_threshold";

    /// Self-managed facilities: public toilets, green space, culture and sports facilities.
    APPRAISAL_SELF_MANAGED_FACILITIES: Choices = "appraisal.self_managed_facilities";

    /// What is made public: decisions, government funds and materials and their use, how service projects are carried out.
    PUBLICITY_CONTENTS: Choices = "publicity.contents";

    /// It stays public for at least 15 days.
    PUBLICITY_DAYS_MIN: Days = "publicity.days_min";

    /// What is made public is truthful.
    PUBLICITY_TRUTHFUL: bool = "publicity.truthful";

    /// It is open to query.
    PUBLICITY_OPEN_TO_QUERY: bool = "publicity.open_to_query";

    /// A rating ballot is one per resident, or one per household.
    RATING_BALLOT_UNITS: Choices = "rating.ballot_units";

    /// Below the declared turnout the result is not binding.
    RATING_BINDING_BELOW_TURNOUT: bool = "rating.binding_below_turnout";

    /// Bidders' kin and staff do not rate.
    RATING_EXCLUDED: Choices = "rating.excluded";

    /// Only aggregates with at least 10 ballots in a cell are public.
    RATING_CELL_BALLOTS_MIN: Count = "rating.cell_ballots_min";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statutes::wording;

    #[test]
    fn every_code_is_there_once_and_says_where_it_belongs() {
        for (place, entry) in ALL.iter().enumerate() {
            assert_eq!(
                ALL.iter().position(|other| other.code == entry.code),
                Some(place),
                "{}",
                entry.code
            );
            let (part, rule) = entry.code.split_once('.').unwrap();
            assert!(
                wording::word(part, 20).is_ok() && wording::word(rule, 60).is_ok(),
                "{}",
                entry.code
            );
        }
    }

    /// The unit is in the name, so that whoever asks sees what they get.
    #[test]
    fn a_code_says_its_unit() {
        for Entry { code, kind } in ALL {
            let named = |unit: &str| code.contains(unit);
            match kind {
                Kind::Days => assert!(named("days") && !named("working"), "{code}"),
                Kind::WorkingDays => assert!(named("working_days"), "{code}"),
                Kind::Minutes | Kind::Months | Kind::Years | Kind::Percent => {
                    assert!(named(kind.name()), "{code}");
                }
                _ => assert!(!named("days") && !named("percent"), "{code}"),
            }
        }
    }
}
