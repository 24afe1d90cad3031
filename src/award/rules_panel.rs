//! The panel of a book, 评标委员会: of how many it consists, who is called to which seat, who declares an interest and steps back, who takes
//! the chair. The numbers come from the statutes. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::bids::rules_document::InterestKind;
use crate::books::rules::BookId;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Kind, Objection, Reason, Refusal};
use crate::kernel::text::{Text, is_hidden};
use crate::registry::rules_text::Form;
use crate::statutes::codes;
use crate::statutes::profile::Profile;
use crate::text;

/// Seats of one panel at most.
pub const SIZE_MAX: u32 = 99;
/// Interests that one member declares at most.
pub const INTERESTS_MAX: usize = 50;
/// Characters of what somebody says of an interest, or of why they do not come.
pub const REASON_LENGTH_MAX: usize = 2_000;

/// There is a panel already.
pub static PANEL_EXISTS: Reason = Reason::new(
    Kind::Conflict,
    "panel_exists",
    "评标委员会已经抽取",
    "The panel was drawn already",
);
/// The bids were not opened yet, or none of them was.
pub static PANEL_TOO_EARLY: Reason = Reason::new(
    Kind::Conflict,
    "panel_too_early",
    "开标后有投标可评的，方可抽取评标委员会",
    "A panel is drawn when bids were opened that it can judge",
);
/// It is not composed as the statutes want it.
pub static PANEL_COMPOSITION: Reason = Reason::new(
    Kind::Conflict,
    "panel_composition",
    "评标委员会的组成不合规定",
    "The panel is not composed as the statutes want it",
);
/// Too few experts can be drawn.
pub static PANEL_POOL_TOO_SMALL: Reason = Reason::new(
    Kind::Conflict,
    "panel_pool_too_small",
    "专家库中可抽取的专家不足",
    "Too few experts of the pool can be drawn",
);
/// Somebody named cannot sit for the buyer.
pub static PANEL_MEMBER_UNFIT: Reason = Reason::new(
    Kind::Conflict,
    "panel_member_unfit",
    "该人员不得作为采购人代表参加评标委员会",
    "This person cannot sit on the panel for the buyer",
);
/// No seat of the kind is free.
pub static PANEL_NO_SEAT: Reason = Reason::new(
    Kind::Conflict,
    "panel_no_seat",
    "没有空缺的席位",
    "No seat of this kind is free",
);
/// Drawn experts are still to be called.
pub static PANEL_STILL_CALLING: Reason = Reason::new(
    Kind::Conflict,
    "panel_still_calling",
    "没有需要补抽的席位",
    "No seat needs another draw",
);
/// The panel's names are public, and it does not change any more.
pub static PANEL_DISCLOSED: Reason = Reason::new(
    Kind::Conflict,
    "panel_disclosed",
    "评标委员会名单已公告，不再变更",
    "The panel was published and does not change any more",
);
/// The member has declared already.
pub static PANEL_DECLARED: Reason = Reason::new(
    Kind::Conflict,
    "panel_declared",
    "您已作出声明",
    "You have declared already",
);
/// The panel is not complete.
pub static PANEL_INCOMPLETE: Reason = Reason::new(
    Kind::Conflict,
    "panel_incomplete",
    "评标委员会尚未组成或尚无组长",
    "The panel is not complete yet, or has no chair",
);
/// There is a chair.
pub static PANEL_CHAIR_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "panel_chair_taken",
    "组长已经推选",
    "The chair was elected already",
);
/// This member cannot take the chair.
pub static PANEL_NO_CHAIR: Reason = Reason::new(
    Kind::Conflict,
    "panel_no_chair",
    "该成员不得担任组长",
    "This member cannot take the chair",
);
/// Only the chair records what the panel decides.
pub static PANEL_NOT_CHAIR: Reason = Reason::new(
    Kind::Forbidden,
    "panel_not_chair",
    "由评标委员会组长记录评委会的决定",
    "The chair records what the panel decides",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 13] = [
    &PANEL_EXISTS,
    &PANEL_TOO_EARLY,
    &PANEL_COMPOSITION,
    &PANEL_POOL_TOO_SMALL,
    &PANEL_MEMBER_UNFIT,
    &PANEL_NO_SEAT,
    &PANEL_STILL_CALLING,
    &PANEL_DISCLOSED,
    &PANEL_DECLARED,
    &PANEL_INCOMPLETE,
    &PANEL_CHAIR_TAKEN,
    &PANEL_NO_CHAIR,
    &PANEL_NOT_CHAIR,
];

/// As what somebody sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PanelMemberKind)]
pub enum MemberKind {
    /// 评审专家, drawn.
    Expert,
    /// 采购人代表, named by the buyer.
    Buyer,
}

impl MemberKind {
    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expert => "expert",
            Self::Buyer => "buyer",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Expert, Self::Buyer]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// What became of a call to a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PanelMemberState)]
pub enum MemberState {
    /// Called, and has not declared yet.
    Called,
    /// Has declared to have no interest, and sits.
    Sitting,
    /// Declared an interest.
    SteppedBack,
    /// Did not accept, or cannot go on.
    Declined,
    /// Did not come.
    Absent,
    /// Came next in the order of the draw and could not be called any more.
    PassedOver,
}

impl MemberState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Called,
        Self::Sitting,
        Self::SteppedBack,
        Self::Declined,
        Self::Absent,
        Self::PassedOver,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Called => "called",
            Self::Sitting => "sitting",
            Self::SteppedBack => "stepped_back",
            Self::Declined => "declined",
            Self::Absent => "absent",
            Self::PassedOver => "passed_over",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the seat is taken by somebody in it.
    pub const fn holds_a_seat(self) -> bool {
        matches!(self, Self::Called | Self::Sitting)
    }
}

/// What a member has to do with a bidder. Personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PanelInterest, example = json!({"kind": "employee", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "text": "2024 年前任职"}))]
pub struct Interest {
    /// What.
    pub kind: InterestKind,
    /// With which bidder.
    pub supplier_id: OrganisationId,
    /// What it is about.
    #[schema(min_length = 1, max_length = 2000)]
    pub text: String,
}

/// Somebody who was called to a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub account_id: AccountId,
    /// Which seat, from 1; the experts' come first.
    pub seat: i64,
    /// As what.
    pub kind: MemberKind,
    /// In which draw, and where in its order, each from 1; `None` for the buyer's.
    pub drawn: Option<(i64, i64)>,
    /// What became of it.
    pub state: MemberState,
    /// When, UTC.
    pub called_at: Instant,
    /// When they first declared what interests they have, UTC.
    pub declared_at: Option<Instant>,
    /// Which.
    pub interests: Vec<Interest>,
    /// When they stopped holding the seat, UTC.
    pub ended_at: Option<Instant>,
    /// Why, in the words of whoever said so, or the name of what stood against calling them.
    pub reason: Option<String>,
    /// Whom they want in the chair.
    pub vote: Option<AccountId>,
    /// Whether they have it.
    pub is_chair: bool,
}

impl Member {
    /// Since when they sat, and until when if they do not any more; `None` if they never did, because they had an interest to declare, or
    /// declared nothing.
    pub fn sat(&self) -> Option<(Instant, Option<Instant>)> {
        let from = self.declared_at?;
        let never = self.ended_at.is_some_and(|end| end <= from);
        (!never).then_some((from, self.ended_at))
    }
}

/// A draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Counts them, from 1.
    pub number: i64,
    /// The secret until the result.
    pub seed: [u8; 32],
    /// Everybody who could be drawn, sorted.
    pub candidates: Vec<AccountId>,
    /// When, UTC.
    pub drawn_at: Instant,
}

/// The panel of a book, of all its lots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panel {
    /// The book.
    pub book_id: BookId,
    /// Seats.
    pub size: i64,
    /// How many of them are experts'.
    pub experts: i64,
    /// Whether its impact on society is large, which asks for a larger panel.
    pub has_large_impact: bool,
    /// When it was drawn first, UTC.
    pub requested_at: Instant,
    /// When its names became public, UTC.
    pub disclosed_at: Option<Instant>,
    /// The draws, the first one first.
    pub draws: Vec<Draw>,
    /// Everybody who was called, by seat, and within a seat as they were called.
    pub members: Vec<Member>,
}

impl Panel {
    /// Of which kind a seat is.
    pub fn kind_of(&self, seat: i64) -> MemberKind {
        if seat <= self.experts {
            MemberKind::Expert
        } else {
            MemberKind::Buyer
        }
    }

    /// Whoever holds a seat now.
    pub fn holder(&self, seat: i64) -> Option<&Member> {
        let mut of_seat = self.members.iter().filter(|member| member.seat == seat);
        of_seat.find(|member| member.state.holds_a_seat())
    }

    /// The seats of a kind that nobody holds, in their order.
    pub fn free(&self, kind: MemberKind) -> Vec<i64> {
        (1..=self.size)
            .filter(|seat| self.kind_of(*seat) == kind && self.holder(*seat).is_none())
            .collect()
    }

    /// What became of an account's call, if it was called.
    pub fn member(&self, account: &str) -> Option<&Member> {
        let mut members = self.members.iter();
        members.find(|member| member.account_id.as_str() == account)
    }

    /// The seat that an account holds now.
    pub fn seat_of(&self, account: &str) -> Option<&Member> {
        self.member(account).filter(|member| member.state.holds_a_seat())
    }

    /// Whether somebody sits on every seat.
    pub fn is_complete(&self) -> bool {
        i64::try_from(sitting(self).count()).is_ok_and(|count| count == self.size)
    }

    /// Whoever has the chair.
    pub fn chair(&self) -> Option<&Member> {
        sitting(self).find(|member| member.is_chair)
    }

    /// Whether it can begin its work: complete, and with a chair.
    ///
    /// # Errors
    /// [`PANEL_INCOMPLETE`].
    pub fn works(&self) -> Result<(), Refusal> {
        if self.is_complete() && self.chair().is_some() {
            Ok(())
        } else {
            Err(PANEL_INCOMPLETE.refuse())
        }
    }
}

/// Those who sit: who have declared to have no interest, and were not replaced.
pub fn sitting(panel: &Panel) -> impl Iterator<Item = &Member> {
    let members = panel.members.iter();
    members.filter(|member| member.state == MemberState::Sitting)
}

/// What a buyer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Composition {
    /// Seats.
    pub size: u32,
    /// How many of them are the buyer's own.
    pub buyers: u32,
    /// What the book's lots may cost at most, together.
    pub budget: Money,
    /// Whether its impact on society is large.
    pub has_large_impact: bool,
}

/// Whether a panel may be composed like this (87号令 arts 45–47): enough members, an odd number, enough experts.
///
/// # Errors
/// [`PANEL_COMPOSITION`] with everything that is wrong; a rule that is not set.
pub fn composed(asked: Composition, profile: &Profile) -> Answer<()> {
    let mut wrong: Vec<Objection> = Vec::new();
    let mut object = |pointer: &str, code: &'static str, detail: Text| {
        wrong.push(Objection {
            pointer: pointer.to_owned(),
            code,
            detail,
        });
    };
    let is_large = asked.has_large_impact || asked.budget >= profile.rule(codes::PANEL_LARGE_BUDGET_MIN)?;
    let (usual, large) = (codes::PANEL_MEMBERS_MIN, codes::PANEL_LARGE_MEMBERS_MIN);
    let (min, code) = if is_large {
        (profile.rule(large)?.0, large.code())
    } else {
        (profile.rule(usual)?.0, usual.code())
    };
    if asked.size < min {
        object(
            "/size",
            code,
            text!("应不少于 {min} 人", "must be at least {min}"),
        );
    }
    if profile.rule(codes::PANEL_MEMBERS_ODD)? && asked.size.is_multiple_of(2) {
        let detail = Text::fixed("应为单数", "must be odd");
        object("/size", codes::PANEL_MEMBERS_ODD.code(), detail);
    }
    let experts = asked.size.saturating_sub(asked.buyers);
    let (size, share) = (asked.size, profile.rule(codes::PANEL_EXPERT_SHARE_MIN)?);
    if !share.is_met(u64::from(experts), u64::from(size)) {
        let detail = text!(
            "{size} 人中有专家 {experts} 人，专家比例不足",
            "{experts} experts of {size} members are too few"
        );
        object("/buyer_members", codes::PANEL_EXPERT_SHARE_MIN.code(), detail);
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(PANEL_COMPOSITION.refuse().listing(wrong).into())
}

/// Why somebody cannot sit for the buyer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuyersMember {
    /// Whether the account is in use and acts for the buyer.
    pub acts_for_buyer: bool,
    /// Whether the account acts for a bidder as well.
    pub acts_for_bidder: bool,
    /// Whether they did something on the book that nobody judges bids beside.
    pub did_duty: bool,
    /// Whether they were called to a seat of the panel already, or are named twice.
    pub was_called: bool,
}

/// Whether somebody can sit for the buyer.
///
/// # Errors
/// [`PANEL_MEMBER_UNFIT`] at `pointer`, the first that applies: acts for the buyer, called once, no duty, no bidder.
pub fn named(member: BuyersMember, pointer: &str) -> Result<(), Refusal> {
    let detail = if !member.acts_for_buyer {
        Text::fixed("不是采购人的在用账户", "does not act for the buyer")
    } else if member.was_called {
        Text::fixed("已在评标委员会中", "was called to this panel already")
    } else if member.did_duty {
        Text::fixed(
            "曾起草、论证或审批本项目",
            "drafted, reviewed or approved this book",
        )
    } else if member.acts_for_bidder {
        Text::fixed("同时为投标人办事", "acts for a bidder as well")
    } else {
        return Ok(());
    };
    Err(PANEL_MEMBER_UNFIT.because(detail).at(pointer))
}

/// Who comes next in the order of a draw: the places that are left, the first one first.
pub fn waiting(panel: &Panel) -> Vec<(i64, i64, AccountId)> {
    let Some(draw) = panel.draws.last() else {
        return Vec::new();
    };
    let called = panel
        .members
        .iter()
        .filter(|member| member.drawn.is_some_and(|(number, _)| number == draw.number))
        .count();
    let order = crate::award::rules_draw::order(&draw.seed, &draw.candidates);
    (1_i64..)
        .zip(order)
        .skip(called)
        .map(|(place, account)| (draw.number, place, account))
        .collect()
}

/// What somebody declares, checked: kinds that the statutes know, bidders that there are.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID) with every fault; a rule of another kind.
pub fn declared(
    interests: Vec<Interest>,
    bidders: &[OrganisationId],
    profile: &Profile,
) -> Answer<Vec<Interest>> {
    let mut form = Form::new();
    if interests.len() > INTERESTS_MAX {
        form.object(
            "/interests",
            text!("最多 {INTERESTS_MAX} 项", "at most {INTERESTS_MAX} of them"),
        );
    }
    let lists = |name: &str| -> Answer<bool> {
        for key in [
            codes::TENDER_RECUSAL_RECENT_TIES,
            codes::TENDER_RECUSAL_STANDING_TIES,
        ] {
            if profile
                .rule_if_set(key)?
                .is_some_and(|choices| choices.names(name))
            {
                return Ok(true);
            }
        }
        Ok(false)
    };
    for (index, one) in interests.iter().take(INTERESTS_MAX).enumerate() {
        let at = |field: &str| format!("/interests/{index}/{field}");
        if !lists(one.kind.name())? {
            form.object(
                &at("kind"),
                Text::fixed("不属应回避的情形", "is nothing that one steps back for"),
            );
        }
        if !bidders.contains(&one.supplier_id) {
            form.object(
                &at("supplier_id"),
                Text::fixed("不是本项目的投标人", "is no bidder for this book"),
            );
        }
        said(&mut form, &at("text"), &one.text);
    }
    Ok(form.finish(interests)?)
}

/// What somebody says, of several lines perhaps.
pub fn said(form: &mut Form, pointer: &str, text: &str) -> String {
    let trimmed = text.trim();
    let length = trimmed.chars().count();
    if !(1..=REASON_LENGTH_MAX).contains(&length) {
        form.object(
            pointer,
            text!(
                "应为 1 至 {REASON_LENGTH_MAX} 个字符",
                "must have 1 to {REASON_LENGTH_MAX} characters"
            ),
        );
    }
    if trimmed
        .chars()
        .any(|character| character != '\n' && is_hidden(character))
    {
        form.object(
            pointer,
            Text::fixed("含有不可见字符", "must not have invisible characters"),
        );
    }
    trimmed.to_owned()
}

/// Whether members may vote for this one, by this one's kind.
///
/// # Errors
/// [`PANEL_INCOMPLETE`] before everybody sits; [`PANEL_CHAIR_TAKEN`]; [`PANEL_NO_CHAIR`] for whoever does not sit, or sits for the buyer where
/// the statutes keep the chair from those; a rule that is not set.
pub fn may_chair(panel: &Panel, candidate: &AccountId, profile: &Profile) -> Answer<()> {
    if !panel.is_complete() {
        return Err(PANEL_INCOMPLETE.refuse().into());
    }
    if panel.chair().is_some() {
        return Err(PANEL_CHAIR_TAKEN.refuse().into());
    }
    let member = sitting(panel).find(|member| member.account_id == *candidate);
    let fits = match member.map(|member| member.kind) {
        Some(MemberKind::Expert) => true,
        Some(MemberKind::Buyer) => profile.rule(codes::PANEL_BUYER_MEMBER_MAY_CHAIR)?,
        None => false,
    };
    if fits {
        Ok(())
    } else {
        Err(PANEL_NO_CHAIR.refuse().at("/account_id").into())
    }
}

/// Who is elected: whomever more than half of the seats vote for.
pub fn elected(panel: &Panel) -> Option<AccountId> {
    let mut votes: BTreeMap<&AccountId, i64> = BTreeMap::new();
    for member in sitting(panel) {
        if let Some(vote) = &member.vote
            && sitting(panel).any(|candidate| candidate.account_id == *vote)
        {
            let count = votes.entry(vote).or_default();
            *count = count.saturating_add(1);
        }
    }
    votes
        .into_iter()
        .find(|(_, count)| count.saturating_mul(2) > panel.size)
        .map(|(account, _)| account.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::award::rules_draw;
    use crate::kernel::refusal::Stop;
    use crate::statutes::built_in;
    use chrono::{TimeZone, Utc};
    use proptest::prelude::*;

    fn profile() -> Profile {
        built_in::profiles_for("cn").unwrap().pop().unwrap()
    }

    fn account(number: u32) -> AccountId {
        format!("user_01jd3n8f5teqkrzvq1c0{number:06}").parse().unwrap()
    }

    fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 4, 1, 2, 0, 0).unwrap()
    }

    /// A panel of four experts and one of the buyer's, drawn from so many, whose seats nobody was called to yet.
    fn drawn(candidates: u32) -> Panel {
        Panel {
            book_id: "book_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            size: 5,
            experts: 4,
            has_large_impact: false,
            requested_at: now(),
            disclosed_at: None,
            draws: vec![Draw {
                number: 1,
                seed: [7; 32],
                candidates: (0..candidates).map(account).collect(),
                drawn_at: now(),
            }],
            members: Vec::new(),
        }
    }

    fn member(account_id: AccountId, seat: i64, drawn: Option<(i64, i64)>) -> Member {
        Member {
            account_id,
            seat,
            kind: if drawn.is_some() {
                MemberKind::Expert
            } else {
                MemberKind::Buyer
            },
            drawn,
            state: MemberState::Sitting,
            called_at: now(),
            declared_at: Some(now()),
            interests: Vec::new(),
            ended_at: None,
            reason: None,
            vote: None,
            is_chair: false,
        }
    }

    /// The same, with everybody on their seats.
    fn sitting_panel() -> Panel {
        let mut panel = drawn(9);
        for (seat, (draw, place, account)) in (1..=4).zip(waiting(&drawn(9))) {
            panel.members.push(member(account, seat, Some((draw, place))));
        }
        panel.members.push(member(account(500), 5, None));
        panel
    }

    fn wrong(size: u32, buyers: u32, budget: &str, has_large_impact: bool) -> Vec<&'static str> {
        let asked = Composition {
            size,
            buyers,
            budget: budget.parse().unwrap(),
            has_large_impact,
        };
        match composed(asked, &profile()) {
            Ok(()) => Vec::new(),
            Err(Stop::Refused(refusal)) => refusal.objections.iter().map(|one| one.code).collect(),
            Err(other) => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_panel_is_composed_as_the_statutes_want_it() {
        let (usual, odd, share, large) = (
            "panel.members_min",
            "panel.members_odd",
            "panel.expert_share_min",
            "panel.large_members_min",
        );
        let cases: [(u32, u32, &str, bool, &[&str]); 11] = [
            (5, 1, "9999999.99", false, &[]),
            (5, 0, "100.00", false, &[]),
            (5, 2, "100.00", false, &[share]),
            (3, 1, "100.00", false, &[usual]),
            (6, 2, "100.00", false, &[odd]),
            (4, 2, "100.00", false, &[usual, odd, share]),
            // From ten million on, or where the impact is large, seven.
            (5, 1, "10000000.00", false, &[large]),
            (5, 1, "100.00", true, &[large]),
            (7, 2, "10000000.00", true, &[]),
            (7, 3, "10000000.00", false, &[share]),
            (9, 3, "100.00", false, &[]),
        ];
        for (size, buyers, budget, has_large_impact, expected) in cases {
            assert_eq!(
                wrong(size, buyers, budget, has_large_impact),
                expected,
                "{size} with {buyers}"
            );
        }
    }

    #[test]
    fn who_sits_for_the_buyer_has_nothing_else_to_do_with_it() {
        let fit = BuyersMember {
            acts_for_buyer: true,
            ..BuyersMember::default()
        };
        assert!(named(fit, "/x").is_ok());
        for unfit in [
            BuyersMember::default(),
            BuyersMember {
                was_called: true,
                ..fit
            },
            BuyersMember {
                did_duty: true,
                ..fit
            },
            BuyersMember {
                acts_for_bidder: true,
                ..fit
            },
        ] {
            assert_eq!(
                named(unfit, "/x").unwrap_err().reason.code,
                "panel_member_unfit",
                "{unfit:?}"
            );
        }
    }

    #[test]
    fn seats_are_free_until_somebody_holds_them_and_again_when_they_leave() {
        let mut panel = drawn(9);
        assert_eq!(
            (panel.free(MemberKind::Expert), panel.free(MemberKind::Buyer)),
            (vec![1, 2, 3, 4], vec![5])
        );
        assert!(!panel.is_complete());
        panel = sitting_panel();
        assert!(
            panel.is_complete() && panel.works().is_err(),
            "it has no chair yet"
        );
        panel.members[0].is_chair = true;
        assert!(panel.works().is_ok());
        panel.members[1].state = MemberState::SteppedBack;
        assert_eq!(panel.free(MemberKind::Expert), [2]);
        assert!(panel.works().is_err() && panel.seat_of(panel.members[1].account_id.as_str()).is_none());
        assert_eq!(sitting(&panel).count(), 4);
    }

    #[test]
    fn who_sat_for_a_while_is_told_from_who_never_did() {
        let sat = member(account(1), 1, Some((1, 1)));
        assert_eq!(sat.sat(), Some((now(), None)));
        let later = now() + chrono::Duration::hours(1);
        let left = |declared_at, ended_at| {
            Member {
                state: MemberState::SteppedBack,
                declared_at,
                ended_at: Some(ended_at),
                ..sat.clone()
            }
            .sat()
        };
        assert_eq!(left(Some(now()), later), Some((now(), Some(later))));
        assert_eq!((left(Some(now()), now()), left(None, later)), (None, None));
    }

    #[test]
    fn the_next_is_whoever_the_order_says_until_nobody_is_left() {
        let panel = drawn(6);
        let order = rules_draw::order(&[7; 32], &panel.draws[0].candidates);
        let next: Vec<AccountId> = waiting(&panel)
            .into_iter()
            .map(|(_, _, account)| account)
            .collect();
        assert_eq!(next, order);
        let mut called = panel.clone();
        for (place, account) in (1_i64..).zip(&order).take(5) {
            called
                .members
                .push(member(account.clone(), place.min(4), Some((1, place))));
        }
        assert_eq!(waiting(&called), [(1, 6, order[5].clone())]);
        // A further draw begins its own order, and what is left of the one before is not called any more.
        called.draws.push(Draw {
            number: 2,
            seed: [8; 32],
            candidates: vec![account(900)],
            drawn_at: now(),
        });
        assert_eq!(waiting(&called), [(2, 1, account(900))]);
        assert_eq!(
            waiting(&Panel {
                draws: Vec::new(),
                ..called
            }),
            []
        );
    }

    #[test]
    fn the_chair_is_an_expert_whom_more_than_half_of_the_seats_want() {
        let mut panel = sitting_panel();
        let experts: Vec<AccountId> = panel.members.iter().map(|one| one.account_id.clone()).collect();
        let code = |panel: &Panel, candidate: &AccountId| match may_chair(panel, candidate, &profile()) {
            Ok(()) => "",
            Err(Stop::Refused(refusal)) => refusal.reason.code,
            Err(other) => unreachable!("{other:?}"),
        };
        assert_eq!(code(&panel, &experts[0]), "");
        assert_eq!(code(&panel, &account(500)), "panel_no_chair");
        assert_eq!(code(&panel, &account(501)), "panel_no_chair");
        assert_eq!(elected(&panel), None);
        for voter in [0, 4] {
            panel.members[voter].vote = Some(experts[2].clone());
        }
        for voter in [1, 2] {
            panel.members[voter].vote = Some(experts[1].clone());
        }
        assert_eq!(elected(&panel), None, "two of five are not enough");
        panel.members[3].vote = Some(experts[2].clone());
        assert_eq!(elected(&panel), Some(experts[2].clone()));
        // A vote for somebody who has left counts for nobody.
        panel.members[2].state = MemberState::Declined;
        assert_eq!(elected(&panel), None);
        assert_eq!(code(&panel, &experts[0]), "panel_incomplete");
        panel.members[2].state = MemberState::Sitting;
        panel.members[2].is_chair = true;
        assert_eq!(code(&panel, &experts[0]), "panel_chair_taken");
    }

    #[test]
    fn interests_are_of_the_kinds_of_the_statutes_and_in_bidders() {
        let bidder: OrganisationId = "org_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap();
        let interest = |supplier: &str, text: &str| Interest {
            kind: InterestKind::Kin,
            supplier_id: supplier.parse().unwrap(),
            text: text.to_owned(),
        };
        let bidders = [bidder.clone()];
        let good = vec![interest(bidder.as_str(), "表亲")];
        assert_eq!(declared(good.clone(), &bidders, &profile()).unwrap(), good);
        assert!(declared(Vec::new(), &bidders, &profile()).unwrap().is_empty());
        let bad = vec![interest("org_01jd3n8f5teqkrzvq1c0m6h2ay", "\u{202e}")];
        let Err(Stop::Refused(refusal)) = declared(bad, &bidders, &profile()) else {
            unreachable!("a bad interest was taken");
        };
        let places: Vec<&str> = refusal.objections.iter().map(|one| &*one.pointer).collect();
        assert_eq!(places, ["/interests/0/supplier_id", "/interests/0/text"]);
        let test = built_in::profiles_for("test").unwrap().pop().unwrap();
        let none = Profile {
            rules: Vec::new(),
            ..test
        };
        assert!(
            declared(good, &bidders, &none).is_err(),
            "statutes that list no kind"
        );
    }

    proptest! {
        #[test]
        fn of_any_votes_at_most_one_is_elected_and_by_more_than_half(votes in proptest::collection::vec(proptest::option::of(0_usize..5), 5)) {
            let mut panel = sitting_panel();
            let ids: Vec<AccountId> = panel.members.iter().map(|one| one.account_id.clone()).collect();
            for (member, vote) in panel.members.iter_mut().zip(&votes) {
                member.vote = vote.map(|one| ids[one].clone());
            }
            let most = (0..5).find(|one| votes.iter().filter(|vote| **vote == Some(*one)).count() >= 3);
            prop_assert_eq!(elected(&panel), most.map(|one| ids[one].clone()));
        }
    }
}
