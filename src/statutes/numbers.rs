//! What the rules of mainland China say, written down a second time: each rule's value and source as the ward's handbook of
//! rules has them, against what the profile built in says. A number that is wrong in one place shows here.

use chrono::NaiveDate;

use crate::statutes::built_in;
use crate::statutes::codes;
use crate::statutes::profile::{Profile, Standing};
use crate::statutes::value::RuleValue;

/// The sources, and by what they are recognised.
const SOURCES: [(&str, &str); 14] = [
    ("法", "中华人民共和国政府采购法"),
    ("条例", "中华人民共和国政府采购法实施条例"),
    ("87", "财政部令第87号"),
    ("94", "财政部令第94号"),
    ("102", "财政部令第102号"),
    ("2020/10", "财库〔2020〕10号"),
    ("2021/22", "财库〔2021〕22号"),
    ("2020/46", "财库〔2020〕46号"),
    ("2022/19", "财库〔2022〕19号"),
    ("2026/2", "财库〔2026〕2号"),
    ("802", "国务院令第802号"),
    ("居委会", "城市居民委员会组织法"),
    ("民法典", "中华人民共和国民法典"),
    ("m", "未核对原文"),
];

/// Code, value, sources with their articles. `-` is a default of the house.
const RULES: &[(&str, &str, &str)] = &[
    ("planning.intention_notice_days_min", "30", "2020/10"),
    (
        "planning.intention_notice_contents",
        "name; overview; budget; expected_month",
        "2020/10",
    ),
    (
        "planning.consultation_record_required",
        "true",
        "条例 15; 2021/22",
    ),
    ("planning.reviewers_differ_from_drafters", "true", "2021/22"),
    (
        "planning.splitting_summed_over",
        "buyer; category; budget_line; fiscal_year",
        "法 28; 条例 28",
    ),
    ("planning.splitting_forbidden", "true", "法 28; 条例 28"),
    ("planning.open_tender_threshold", "2000000.00", "法 28; 条例 28"),
    ("planning.budget_disclosed", "true", "条例 30; 87 12"),
    ("planning.ceiling_price_allowed", "true", "条例 30; 87 12"),
    ("planning.floor_price_allowed", "false", "条例 30; 87 12"),
    (
        "planning.conditions_forbidden",
        "registered_capital; turnover; staff_count",
        "87 17",
    ),
    (
        "planning.supplier_kinds",
        "company; social_organisation; community_organisation; rural_collective; qualified_individual",
        "102",
    ),
    ("planning.term_years_max", "1", "102"),
    ("planning.term_years_max_if_budget_stable", "3", "102"),
    ("sme.full_reserve_budget_max", "2000000.00", "2020/46"),
    ("sme.yearly_reserve_percent_min", "30", "2020/46"),
    ("sme.small_micro_percent_min", "60", "2020/46"),
    ("sme.deduction_percent_min", "10", "2022/19"),
    ("sme.deduction_percent_max", "20", "2022/19"),
    ("sme.consortium_deduction_percent_min", "4", "2022/19"),
    ("sme.consortium_deduction_percent_max", "6", "2022/19"),
    ("sme.consortium_share_percent_min", "30", "2020/46 9"),
    ("sme.deduction_declared_in_book", "true", "2022/19"),
    ("sme.deduction_in_evaluation_only", "true", "2022/19"),
    ("tender.period_days_min", "20", "法 35; 87 16, 18"),
    ("tender.document_available_working_days_min", "5", "87 16, 18"),
    ("tender.clarification_days_min", "15", "条例 31; 87 27"),
    ("tender.clarification_moves_deadline", "true", "条例 31; 87 27"),
    (
        "tender.clarification_never_changes",
        "object; qualifications",
        "87 27",
    ),
    ("tender.bid_security_percent_max", "2", "条例 33"),
    ("tender.bid_security_return_working_days_max", "5", "条例 33"),
    (
        "tender.bid_security_winner_counts_from_signing",
        "true",
        "条例 33",
    ),
    ("tender.late_bid_refused", "true", "87 33"),
    ("tender.opening_at_deadline", "true", "87 39"),
    ("tender.bids_min", "3", "87 41, 43"),
    (
        "tender.same_control_ties",
        "same_person_in_charge; holding",
        "条例 18",
    ),
    (
        "tender.collusion_signs",
        "same_preparer; same_agent; same_contact; alike_files; regular_price_steps; securities_from_one_account",
        "87 37",
    ),
    ("tender.recusal_years", "3", "条例 9"),
    (
        "tender.recusal_recent_ties",
        "employee; director; owner",
        "条例 9",
    ),
    ("tender.recusal_standing_ties", "kin; other_interest", "条例 9"),
    ("panel.members_min", "5", "87 45–47"),
    ("panel.members_odd", "true", "87 45–47"),
    ("panel.expert_share_min", ">=2/3", "87 45–47"),
    ("panel.large_budget_min", "10000000.00", "87 45–47"),
    ("panel.large_members_min", "7", "87 45–47"),
    ("panel.buyer_member_may_chair", "false", "87 45–47"),
    ("panel.names_secret_until_result", "true", "87 45–47"),
    (
        "evaluation.methods",
        "comprehensive_scoring; lowest_evaluated_price",
        "87 54–60",
    ),
    ("evaluation.benchmark_after_deduction", "true", "87 54–60"),
    ("evaluation.price_score_full", "100", "87 54–60"),
    ("evaluation.weights_sum_percent", "100", "87 54–60"),
    ("evaluation.price_weight_percent_min_services", "10", "87 54–60"),
    ("evaluation.price_weight_percent_min_goods", "30", "87 54–60"),
    ("evaluation.extreme_prices_dropped", "false", "87 54–60"),
    ("evaluation.qualification_scored", "false", "87 54–60"),
    ("evaluation.factors_quantified", "true", "87 54–60"),
    ("evaluation.members_score_alone", "true", "87 54–60"),
    ("evaluation.responsive_bids_min", "3", "87 41, 43"),
    (
        "evaluation.rank_order",
        "total_descending; price_ascending; declared_tie_rule; random_draw",
        "87 54–60",
    ),
    ("evaluation.draw_reproducible", "true", "87 54–60"),
    (
        "evaluation.lowest_price_adjustments",
        "arithmetic_correction; policy_deduction",
        "87 54–60",
    ),
    (
        "evaluation.correction_order",
        "opening_list_over_body; words_over_figures; unit_price_over_total",
        "87 54–60",
    ),
    ("evaluation.correction_needs_confirmation", "true", "87 54–60"),
    ("evaluation.abnormally_low_average_percent", "50", "2026/2"),
    ("evaluation.abnormally_low_second_lowest_percent", "50", "2026/2"),
    ("evaluation.abnormally_low_ceiling_percent", "45", "2026/2"),
    ("evaluation.abnormally_low_budget_if_no_ceiling", "true", "2026/2"),
    ("evaluation.abnormally_low_original_prices", "true", "2026/2"),
    (
        "evaluation.abnormally_low_justification_minutes_min",
        "30",
        "2026/2",
    ),
    ("evaluation.abnormally_low_unjustified_invalid", "true", "2026/2"),
    ("evaluation.dissent_written", "true", "87 54–60"),
    ("evaluation.rescoring_needs_ground", "true", "87 54–60"),
    ("evaluation.rescoring_new_round", "true", "87 54–60"),
    ("award.report_working_days_max", "2", "条例 43; 87 69"),
    ("award.decision_working_days_max", "5", "条例 43; 87 69"),
    ("award.notice_working_days_max", "2", "条例 43; 87 69"),
    ("award.public_notice_working_days", "1", "条例 43; 87 69"),
    ("award.losers_told_own_result", "true", "条例 43; 87 69"),
    ("contract.signing_days_max", "30", "法 46–47"),
    ("contract.substantive_change_allowed", "false", "法 46–47"),
    ("contract.publication_working_days_max", "2", "条例 50"),
    ("contract.performance_security_percent_max", "10", "条例 48"),
    ("contract.supplements_percent_max", "10", "法 49"),
    ("contract.record_years_min", "15", "法 42"),
    ("inspection.contest_working_days_max", "5", "-"),
    ("disputes.enquiry_reply_working_days_max", "3", "94"),
    ("disputes.challenge_filing_working_days_max", "7", "94"),
    ("disputes.challenge_reply_working_days_max", "7", "94"),
    ("disputes.complaint_filing_working_days_max", "15", "94"),
    ("disputes.complaint_decision_working_days_max", "30", "94"),
    ("disputes.suspension_days_max", "30", "94"),
    ("disputes.complaint_beyond_challenge_allowed", "false", "94"),
    ("disputes.unfounded_complaints_listed", "3", "94"),
    ("disputes.unfounded_complaints_months", "12", "94"),
    ("counting.first_day_excluded", "true", "87 85–86"),
    ("counting.last_day_rolls_forward", "true", "87 85–86"),
    ("counting.bounds_inclusive", "true", "87 85–86"),
    ("acceptance.inspection_working_days_max", "7", "-"),
    ("acceptance.objection_working_days_max", "5", "-"),
    ("acceptance.each_standard_covered", "true", "条例 45"),
    ("acceptance.served_people_invited", "true", "条例 45"),
    ("acceptance.opinion_recorded", "true", "条例 45"),
    ("acceptance.result_published", "true", "条例 45"),
    ("acceptance.handler_may_accept", "false", "法 61"),
    (
        "acceptance.grades",
        "poor 0-60; fair 60-80; good 80-90; excellent 90-100",
        "m",
    ),
    ("payment.acceptor_may_pay", "false", "法 61"),
    ("payment.budget_required", "true", "802"),
    ("payment.days_max", "30", "802"),
    ("payment.days_max_if_agreed", "60", "802"),
    ("payment.silent_inspection_accepts", "true", "802"),
    ("payment.undisputed_part_paid", "true", "802"),
    ("payment.audit_is_precondition", "false", "802"),
    ("payment.overdue_interest_percent_per_day", "0.05", "802"),
    ("audit.comment_days_max", "10", "m"),
    ("audit.results_published", "findings; rectification; result", "m"),
    (
        "delegation.needed_before_active",
        "scope; authorisation_document; committed_funds",
        "-",
    ),
    ("delegation.unfunded_assessment_flagged", "true", "-"),
    ("residents.voter_age_years_min", "18", "居委会"),
    ("residents.voter_on_roll", "true", "居委会"),
    ("residents.representative_households_min", "20", "居委会"),
    ("residents.representative_households_max", "50", "居委会"),
    ("residents.representatives_quorum", ">=2/3", "居委会"),
    ("residents.representatives_majority", ">1/2", "居委会"),
    ("residents.meeting_quorum", ">1/2", "居委会"),
    ("residents.meeting_majority", ">1/2", "居委会"),
    ("residents.meeting_notice_days_min", "10", "居委会"),
    ("property.participation_area_min", ">=2/3", "民法典 278"),
    ("property.participation_heads_min", ">=2/3", "民法典 278"),
    ("property.ordinary_area_majority", ">1/2", "民法典 278"),
    ("property.ordinary_heads_majority", ">1/2", "民法典 278"),
    ("property.tallied_separately", "true", "民法典 278"),
    ("appraisal.replaces_panel_above_threshold", "false", "-"),
    ("appraisal.weight_percent_min", "10", "-"),
    ("appraisal.weight_percent_max", "30", "-"),
    ("appraisal.part_of", "award; acceptance; period_assessment", "-"),
    ("appraisal.may_decide_below_threshold", "true", "-"),
    (
        "appraisal.self_managed_facilities",
        "public_toilets; green_space; culture_and_sports",
        "-",
    ),
    (
        "publicity.contents",
        "decisions; government_funds; service_projects",
        "居委会",
    ),
    ("publicity.days_min", "15", "居委会"),
    ("publicity.truthful", "true", "居委会"),
    ("publicity.open_to_query", "true", "居委会"),
    ("rating.ballot_units", "resident; household", "-"),
    ("rating.binding_below_turnout", "false", "-"),
    ("rating.excluded", "bidders_kin; bidders_staff", "-"),
    ("rating.cell_ballots_min", "10", "-"),
];

/// What is widely stated and was not checked against the text.
const WIDELY_STATED: [&str; 5] = [
    "planning.term_years_max",
    "planning.term_years_max_if_budget_stable",
    "acceptance.grades",
    "audit.comment_days_max",
    "audit.results_published",
];

fn cn() -> Vec<Profile> {
    let all = built_in::profiles().unwrap().into_iter();
    all.filter(|profile| profile.jurisdiction == "cn").collect()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The sources of a rule in the short form of the table above.
fn sources(profile: &Profile, code: &str) -> String {
    let rule = profile.find(code).unwrap();
    if rule.standing == Standing::HouseDefault {
        return "-".to_owned();
    }
    let short = rule.citations.iter().map(|citation| {
        let found = SOURCES
            .iter()
            .filter(|(_, sign)| citation.instrument_zh.contains(sign));
        // 政府采购法 is the beginning of its regulations' name.
        let (short, _) = found.max_by_key(|(_, sign)| sign.len()).unwrap();
        match &citation.articles {
            Some(articles) => format!("{short} {articles}"),
            None => (*short).to_owned(),
        }
    });
    short.collect::<Vec<_>>().join("; ")
}

#[test]
fn every_rule_has_the_value_and_the_source_that_it_is_said_to_have() {
    let versions = cn();
    let newest = versions.last().unwrap();
    for (code, value, source) in RULES {
        let rule = newest.find(code).unwrap_or_else(|| panic!("{code}"));
        assert_eq!(
            rule.value.as_ref().map(RuleValue::cell).as_deref(),
            Some(*value),
            "{code}"
        );
        assert_eq!(sources(newest, code), *source, "{code}");
    }
    let (listed, known): (Vec<&str>, Vec<&str>) = (
        RULES.iter().map(|(code, ..)| *code).collect(),
        codes::ALL.iter().map(|entry| entry.code).collect(),
    );
    assert_eq!(listed, known);
    let widely: Vec<&str> = newest
        .rules
        .iter()
        .filter(|rule| rule.standing == Standing::WidelyStated)
        .map(|rule| rule.code.as_str())
        .collect();
    assert_eq!(widely, WIDELY_STATED);
}

#[test]
fn what_is_young_is_not_set_before_and_nothing_else_differs() {
    let versions = cn();
    let firsts: Vec<NaiveDate> = versions.iter().map(|profile| profile.effective_from).collect();
    assert_eq!(
        firsts,
        [date("2025-06-01"), date("2026-01-01"), date("2026-02-01")]
    );
    let young = |source: &str| -> Vec<&str> {
        RULES
            .iter()
            .filter(|(.., of)| *of == source)
            .map(|(code, ..)| *code)
            .collect()
    };
    let unset = |profile: &Profile| -> Vec<String> {
        profile
            .rules
            .iter()
            .filter(|rule| rule.value.is_none())
            .map(|rule| rule.code.clone())
            .collect()
    };
    let [first, second, third] = versions.as_slice() else {
        panic!("{firsts:?}")
    };
    assert_eq!(unset(first), [young("2026/2"), young("居委会")].concat());
    assert_eq!(unset(second), young("2026/2"));
    assert_eq!(unset(third), Vec::<String>::new());
    let changed = |before: &Profile, after: &Profile| -> Vec<String> {
        let all = crate::statutes::rules::differences(before, after);
        all.into_iter().map(|one| one.code).collect()
    };
    assert_eq!(changed(first, second), young("居委会"));
    assert_eq!(changed(second, third), young("2026/2"));
    assert_eq!((young("居委会").len(), young("2026/2").len()), (13, 7));
    for rule in first.rules.iter().filter(|rule| rule.value.is_none()) {
        let until = if rule.code.starts_with("evaluation.") {
            "2026-01-31"
        } else {
            "2025-12-31"
        };
        assert_eq!(rule.effective_to, Some(date(until)), "{}", rule.code);
    }
}

#[test]
fn the_lenient_profile_asks_for_nothing_that_takes_time_or_company() {
    let all = built_in::profiles().unwrap();
    let test = all.iter().find(|profile| profile.jurisdiction == "test").unwrap();
    assert!(test.effective_from < date("2001-01-01"));
    let value = |code: &str| test.find(code).unwrap().value.as_ref().unwrap().cell();
    for entry in codes::ALL {
        let said = value(entry.code);
        if entry.code.ends_with("_days_min") || entry.code.ends_with("_minutes_min") {
            assert_eq!(said, "0", "{}", entry.code);
        }
        if entry.code.ends_with("bids_min") || entry.code.ends_with("members_min") {
            assert_eq!(said, "1", "{}", entry.code);
        }
        if entry.code.starts_with("evaluation.abnormally_low") && entry.code.ends_with("_percent") {
            assert_eq!(said, "0", "{}", entry.code);
        }
    }
    assert_eq!(value("panel.members_odd"), "false");
}
