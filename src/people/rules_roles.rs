//! Who may hold which role, who gives it, how long a deputy may stand in, and what a machine's token may be used for. Pure.

use chrono::Duration;

use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, AreaId, OrganisationId, OrganisationKind};
use crate::kernel::refusal::{Kind, Objection, Reason, Refusal};
use crate::kernel::text::Text;
use crate::text;
use crate::web::actor::Grant;
use crate::web::policy::{self, Role};
use crate::web::problem::INVALID;

crate::ids! {
    /// A role given to an account.
    GrantId "grant"
    /// A role lent to a deputy.
    DeputationId "deputation"
    /// A machine's token.
    ApiTokenId "token"
}

/// The longest a deputy may stand in for somebody: a year.
pub const DEPUTATION_MAX: Duration = Duration::days(366);
/// The longest a machine's token may be valid: a year.
pub const API_TOKEN_LIFETIME_MAX: Duration = Duration::days(366);
/// Machines' tokens that one account may have at a time.
pub const API_TOKENS_MAX: usize = 20;
/// Deputations of one grant that may be in force or still to come.
pub const DEPUTATIONS_MAX: usize = 10;

/// The account named is not there, or cannot be given anything.
pub static ACCOUNT_UNKNOWN: Reason = Reason::new(
    Kind::Conflict,
    "account_unknown",
    "账户不存在或已停用",
    "There is no such account, or it is not active",
);
/// The organisation named is not there.
pub static ORGANISATION_UNKNOWN: Reason = Reason::new(
    Kind::Conflict,
    "organisation_unknown",
    "组织不存在",
    "There is no such organisation",
);
/// Roles are given in organisations that somebody has verified.
pub static ORGANISATION_NOT_VERIFIED: Reason = Reason::new(
    Kind::Conflict,
    "organisation_not_verified",
    "该组织尚未通过核验",
    "The organisation is not verified",
);
/// The role does not exist in an organisation of that kind, or needs one and none is named.
pub static ROLE_MISPLACED: Reason = Reason::new(
    Kind::Conflict,
    "role_misplaced",
    "该角色不适用于此类组织",
    "The role is not one of such an organisation",
);
/// The platform's administrator has no say in who does an organisation's work.
pub static ROLE_OF_ORGANISATION: Reason = Reason::new(
    Kind::Conflict,
    "role_of_organisation",
    "该角色由所在组织的管理员授予",
    "The organisation's own administrator gives this role",
);
/// Nobody gives themself a role.
pub static ROLE_TO_ONESELF: Reason = Reason::new(
    Kind::Conflict,
    "role_to_oneself",
    "不得为自己授予角色",
    "Nobody gives themself a role",
);
/// The account has the role already.
pub static ROLE_HELD: Reason = Reason::new(
    Kind::Conflict,
    "role_held",
    "该账户已具有此角色",
    "The account has this role already",
);
/// Without an administrator nobody could be made one.
pub static LAST_ADMIN: Reason = Reason::new(
    Kind::Conflict,
    "last_admin",
    "不能收回最后一名平台管理员的角色",
    "The last administrator of the platform stays one",
);
/// The role is personal and cannot be lent.
pub static NOT_DEPUTABLE: Reason = Reason::new(
    Kind::Conflict,
    "not_deputable",
    "该角色不得代理",
    "This role cannot be done by a deputy",
);
/// The deputy is the principal, is not active, or has nothing to do with the organisation.
pub static DEPUTY_UNFIT: Reason = Reason::new(
    Kind::Conflict,
    "deputy_unfit",
    "代理人须为同一组织的其他在职人员",
    "A deputy is another active person of the same organisation",
);
/// The same person stands in already for some of that time, or there are too many deputies.
pub static DEPUTATION_OVERLAPS: Reason = Reason::new(
    Kind::Conflict,
    "deputation_overlaps",
    "与已有的代理期限重叠，或代理人过多",
    "It overlaps with another deputation of the same person, or there are too many",
);
/// It has ended already.
pub static ALREADY_ENDED: Reason = Reason::new(
    Kind::Conflict,
    "already_ended",
    "已经终止",
    "It has ended already",
);
/// Only a person in a session makes tokens: a token that could make others would never expire.
pub static SESSION_NEEDED: Reason = Reason::new(
    Kind::Conflict,
    "session_needed",
    "须登录后在会话中操作",
    "Sign in as a person to do this",
);
/// The account has as many tokens as it may have.
pub static TOO_MANY_TOKENS: Reason = Reason::new(
    Kind::Conflict,
    "too_many_tokens",
    "令牌数量已达上限，请先撤销不用的令牌",
    "There are as many tokens as an account may have; revoke one first",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 14] = [
    &ACCOUNT_UNKNOWN,
    &ORGANISATION_UNKNOWN,
    &ORGANISATION_NOT_VERIFIED,
    &ROLE_MISPLACED,
    &ROLE_OF_ORGANISATION,
    &ROLE_TO_ONESELF,
    &ROLE_HELD,
    &LAST_ADMIN,
    &NOT_DEPUTABLE,
    &DEPUTY_UNFIT,
    &DEPUTATION_OVERLAPS,
    &ALREADY_ENDED,
    &SESSION_NEEDED,
    &TOO_MANY_TOKENS,
];

/// Roles that exist without an organisation: the platform's administrator, and experts who may be drawn into a panel.
pub const PLATFORM_ROLES: [Role; 2] = [Role::Admin, Role::Evaluator];

/// Whether a role exists in an organisation of this kind. `resident` exists in none: it comes from the roll of a community.
pub fn may_hold(kind: OrganisationKind, role: Role) -> bool {
    use OrganisationKind as K;
    match role {
        Role::OrganisationAdmin | Role::OpeningWitness => true,
        Role::BuyerOfficer | Role::BuyerApprover => {
            matches!(kind, K::Department | K::StreetOffice | K::Community)
        }
        // A community pays for what it buys with the money that was delegated to it.
        Role::FinanceOfficer => matches!(
            kind,
            K::Department | K::StreetOffice | K::Community | K::FinanceBureau
        ),
        Role::SupplierAgent => matches!(
            kind,
            K::Company | K::SocialOrganisation | K::ResidentsGroup | K::Community
        ),
        Role::Registrar => kind == K::Community,
        Role::Auditor => kind == K::AuditOffice,
        Role::Regulator => kind == K::FinanceBureau,
        Role::StandardsKeeper => matches!(kind, K::Department | K::FinanceBureau),
        Role::Public | Role::Resident | Role::Evaluator | Role::Admin | Role::System => false,
    }
}

/// Whether whoever holds a role may lend it. What is personal (a share of an opening key, an expert's judgement, a vote) and
/// the platform's own administration cannot be lent.
pub fn may_be_lent(role: Role) -> bool {
    matches!(
        role,
        Role::BuyerOfficer
            | Role::BuyerApprover
            | Role::FinanceOfficer
            | Role::SupplierAgent
            | Role::Registrar
            | Role::Auditor
            | Role::Regulator
            | Role::StandardsKeeper
            | Role::OrganisationAdmin
    )
}

/// Roles that are acted in only after a second factor, because what is done in them binds others; the configuration may say
/// otherwise.
pub const SECOND_FACTOR_ROLES: [Role; 10] = [
    Role::BuyerOfficer,
    Role::BuyerApprover,
    Role::FinanceOfficer,
    Role::Evaluator,
    Role::Registrar,
    Role::Auditor,
    Role::Regulator,
    Role::StandardsKeeper,
    Role::OrganisationAdmin,
    Role::Admin,
];

/// Grants that may be used, and those that only a second factor would add.
pub fn by_strength(
    grants: Vec<Grant>,
    strong: bool,
    second_factor_roles: &[Role],
) -> (Vec<Grant>, Vec<Grant>) {
    grants
        .into_iter()
        .partition(|grant| strong || !second_factor_roles.contains(&grant.role))
}

/// What is known of the organisation in which a role is to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Employer {
    /// Its id.
    pub id: OrganisationId,
    /// What it is.
    pub kind: OrganisationKind,
    /// Whether somebody has verified it, and it still exists.
    pub is_verified: bool,
    /// Its community, for a residents' committee.
    pub area_id: Option<AreaId>,
}

/// In what capacity a role is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// The service itself, setting the ward up.
    System,
    /// The platform's administrator.
    Admin,
    /// The administrator of the organisation in question.
    OrganisationAdmin,
}

/// The grant of a role, if it may be given so. A registrar's is for the community's own area.
///
/// # Errors
/// In this order: [`ROLE_TO_ONESELF`], [`ROLE_MISPLACED`], [`ROLE_OF_ORGANISATION`], [`ORGANISATION_NOT_VERIFIED`].
pub fn give(
    giver: Giver,
    is_own_account: bool,
    role: Role,
    employer: Option<&Employer>,
) -> Result<Grant, Refusal> {
    if is_own_account && giver != Giver::System {
        return Err(ROLE_TO_ONESELF.refuse());
    }
    let Some(employer) = employer else {
        return match (PLATFORM_ROLES.contains(&role), giver) {
            (false, _) => Err(ROLE_MISPLACED.refuse().at("/organisation_id")),
            (true, Giver::OrganisationAdmin) => Err(ROLE_MISPLACED.refuse().at("/role")),
            (true, _) => Ok(Grant::of(role)),
        };
    };
    if !may_hold(employer.kind, role) {
        return Err(ROLE_MISPLACED.refuse().at("/role"));
    }
    if giver == Giver::Admin && role != Role::OrganisationAdmin {
        return Err(ROLE_OF_ORGANISATION.refuse().at("/role"));
    }
    if !employer.is_verified {
        return Err(ORGANISATION_NOT_VERIFIED.refuse().at("/organisation_id"));
    }
    let grant = Grant::of(role).in_organisation(employer.id.clone());
    match (role, &employer.area_id) {
        (Role::Registrar, Some(area)) => Ok(grant.in_area(area.clone())),
        (Role::Registrar, None) => Err(ROLE_MISPLACED.refuse().at("/organisation_id")),
        _ => Ok(grant),
    }
}

/// A period for which somebody stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// From this instant on.
    pub from: Instant,
    /// Before this instant.
    pub until: Instant,
}

impl Period {
    /// True at `now`.
    pub fn holds_at(&self, now: Instant) -> bool {
        self.from <= now && now < self.until
    }

    /// True if there is an instant in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }
}

/// The period of a deputation; without a beginning it begins now.
///
/// # Errors
/// [`INVALID`] with every fault: it begins in the past, ends before it begins, or is longer than [`DEPUTATION_MAX`].
pub fn period(from: Option<Instant>, until: Instant, now: Instant) -> Result<Period, Refusal> {
    let begins = from.unwrap_or(now);
    let mut objections = Vec::new();
    if begins < now {
        objections.push(objection(
            "/from",
            "in_the_past",
            Text::fixed("不得早于当前时间", "lies in the past"),
        ));
    }
    if until <= begins {
        objections.push(objection(
            "/until",
            "ends_too_early",
            Text::fixed("须晚于开始时间", "must be after the beginning"),
        ));
    } else if until - begins > DEPUTATION_MAX {
        let days = DEPUTATION_MAX.num_days();
        objections.push(objection(
            "/until",
            "too_long",
            text!(
                "代理期限最长 {days} 天",
                "a deputy stands in for {days} days at most"
            ),
        ));
    }
    if objections.is_empty() {
        Ok(Period { from: begins, until })
    } else {
        Err(INVALID.refuse().listing(objections))
    }
}

fn objection(pointer: &str, code: &'static str, detail: Text) -> Objection {
    Objection {
        pointer: pointer.to_owned(),
        code,
        detail,
    }
}

/// What is known of a deputation that is asked for.
#[derive(Clone, Debug)]
pub struct Lending<'a> {
    /// The role that is lent.
    pub role: Role,
    /// Whose it is.
    pub principal: &'a AccountId,
    /// Who is to stand in.
    pub deputy: &'a AccountId,
    /// True if the deputy's account is active and has some role in the same organisation.
    pub deputy_belongs: bool,
    /// For when.
    pub period: Period,
    /// Those of the same grant that have not ended: who, and for when.
    pub others: &'a [(AccountId, Period)],
}

/// Whether the role may be lent so.
///
/// # Errors
/// In this order: [`NOT_DEPUTABLE`], [`DEPUTY_UNFIT`], [`DEPUTATION_OVERLAPS`].
pub fn lend(lending: &Lending<'_>) -> Result<(), Refusal> {
    if !may_be_lent(lending.role) {
        return Err(NOT_DEPUTABLE.refuse().at("/grant_id"));
    }
    if lending.principal == lending.deputy || !lending.deputy_belongs {
        return Err(DEPUTY_UNFIT.refuse().at("/deputy_id"));
    }
    let clashes = |(who, when): &(AccountId, Period)| who == lending.deputy && when.overlaps(&lending.period);
    if lending.others.iter().any(clashes) || lending.others.len() >= DEPUTATIONS_MAX {
        return Err(DEPUTATION_OVERLAPS.refuse().at("/until"));
    }
    Ok(())
}

/// The scopes of a machine's token, sorted and each once.
///
/// # Errors
/// [`INVALID`] naming each that does not exist, and listing those that do.
pub fn scopes(asked: &[String]) -> Result<Vec<String>, Refusal> {
    let known = policy::scopes();
    let mut objections = Vec::new();
    for (place, scope) in asked.iter().enumerate() {
        if !known.contains(&scope.as_str()) {
            let all = known.join(", ");
            objections.push(objection(
                &format!("/scopes/{place}"),
                "not_one_of",
                text!("应为 {all} 之一", "must be one of {all}"),
            ));
        }
    }
    if !objections.is_empty() {
        return Err(INVALID.refuse().listing(objections));
    }
    let mut scopes = asked.to_vec();
    scopes.sort();
    scopes.dedup();
    Ok(scopes)
}

/// Until when a machine's token is valid.
///
/// # Errors
/// [`INVALID`] if that is not after now, or later than [`API_TOKEN_LIFETIME_MAX`] from now.
pub fn expiry(asked: Instant, now: Instant) -> Result<Instant, Refusal> {
    if asked <= now || asked - now > API_TOKEN_LIFETIME_MAX {
        let days = API_TOKEN_LIFETIME_MAX.num_days();
        return Err(INVALID.refuse().listing(vec![objection(
            "/expires_at",
            "out_of_range",
            text!(
                "须晚于当前时间且不超过 {days} 天",
                "must lie in the future, at most {days} days from now"
            ),
        )]));
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use proptest::prelude::*;

    fn at(day: i64) -> Instant {
        chrono::Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap() + Duration::days(day)
    }

    fn employer(kind: OrganisationKind) -> Employer {
        Employer {
            id: OrganisationId::mint(at(0)),
            kind,
            is_verified: true,
            area_id: Some(AreaId::mint(at(0))),
        }
    }

    fn code<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> &'static str {
        answer.map_or_else(|refusal| refusal.reason.code, |_| "given")
    }

    #[test]
    fn every_role_but_the_residents_can_be_given_somewhere_and_only_where_it_belongs() {
        for role in Role::ALL {
            let kinds: Vec<_> = OrganisationKind::ALL
                .into_iter()
                .filter(|kind| may_hold(*kind, role))
                .collect();
            let nowhere = matches!(role, Role::Public | Role::Resident | Role::System);
            assert_eq!(
                kinds.is_empty() && !PLATFORM_ROLES.contains(&role),
                nowhere,
                "{role:?}"
            );
        }
        assert!(!may_hold(OrganisationKind::Company, Role::BuyerOfficer));
        assert!(!may_hold(OrganisationKind::Department, Role::Auditor));
        assert!(!may_hold(OrganisationKind::Department, Role::SupplierAgent));
        assert!(may_hold(OrganisationKind::Community, Role::Registrar));
        // Whoever buys has somebody to pay for it; whoever only supplies pays nobody.
        for kind in OrganisationKind::ALL {
            if may_hold(kind, Role::BuyerOfficer) {
                assert!(may_hold(kind, Role::FinanceOfficer), "{kind:?}");
            }
        }
        assert!(!may_hold(OrganisationKind::ResidentsGroup, Role::FinanceOfficer));
        // Who orders a service may know what clean means; who is paid for it may not decide that.
        assert!(may_hold(OrganisationKind::Department, Role::StandardsKeeper));
        assert!(!may_hold(OrganisationKind::Company, Role::StandardsKeeper));
        assert!(!may_hold(OrganisationKind::StreetOffice, Role::StandardsKeeper));
    }

    #[test]
    fn refusals_come_in_the_documented_order() {
        let mut office = employer(OrganisationKind::StreetOffice);
        let try_it = |giver, own, role, office: Option<&Employer>| code(give(giver, own, role, office));
        use Giver::{Admin, OrganisationAdmin, System};
        assert_eq!(
            try_it(OrganisationAdmin, false, Role::BuyerOfficer, Some(&office)),
            "given"
        );
        assert_eq!(
            try_it(Admin, false, Role::OrganisationAdmin, Some(&office)),
            "given"
        );
        assert_eq!(
            try_it(Admin, false, Role::BuyerOfficer, Some(&office)),
            "role_of_organisation"
        );
        assert_eq!(try_it(System, false, Role::BuyerOfficer, Some(&office)), "given");
        assert_eq!(try_it(Admin, true, Role::Admin, None), "role_to_oneself");
        assert_eq!(try_it(System, true, Role::Admin, None), "given");
        assert_eq!(try_it(Admin, false, Role::Admin, None), "given");
        assert_eq!(
            try_it(OrganisationAdmin, false, Role::Admin, None),
            "role_misplaced"
        );
        assert_eq!(try_it(Admin, false, Role::BuyerOfficer, None), "role_misplaced");
        assert_eq!(
            try_it(Admin, false, Role::Auditor, Some(&office)),
            "role_misplaced"
        );
        assert_eq!(
            try_it(System, false, Role::Resident, Some(&office)),
            "role_misplaced"
        );
        office.is_verified = false;
        assert_eq!(
            try_it(OrganisationAdmin, false, Role::BuyerOfficer, Some(&office)),
            "organisation_not_verified"
        );
    }

    #[test]
    fn a_registrar_is_one_of_the_communitys_own_area() {
        let mut committee = employer(OrganisationKind::Community);
        let grant = give(Giver::OrganisationAdmin, false, Role::Registrar, Some(&committee)).unwrap();
        assert_eq!(grant.area, committee.area_id);
        committee.area_id = None;
        assert_eq!(
            code(give(
                Giver::OrganisationAdmin,
                false,
                Role::Registrar,
                Some(&committee)
            )),
            "role_misplaced"
        );
    }

    #[test]
    fn a_period_lies_ahead_and_is_no_longer_than_a_year() {
        let now = at(0);
        assert_eq!(
            period(None, at(1), now).unwrap(),
            Period {
                from: now,
                until: at(1)
            }
        );
        assert!(period(Some(at(1)), at(1) + DEPUTATION_MAX, now).is_ok());
        let faults = |from, until| -> Vec<String> {
            period(from, until, now)
                .unwrap_err()
                .objections
                .into_iter()
                .map(|objection| objection.pointer)
                .collect()
        };
        assert_eq!(faults(Some(at(-1)), at(-2)), ["/from", "/until"]);
        assert_eq!(faults(None, now), ["/until"]);
        assert_eq!(
            faults(None, now + DEPUTATION_MAX + Duration::microseconds(1)),
            ["/until"]
        );
        let one = Period {
            from: at(1),
            until: at(2),
        };
        assert!(one.holds_at(at(1)) && !one.holds_at(at(2)) && !one.holds_at(at(0)));
        let next = Period {
            from: at(2),
            until: at(3),
        };
        assert!(!one.overlaps(&next) && one.overlaps(&one));
    }

    #[test]
    fn a_role_is_lent_to_another_person_of_the_organisation_once_at_a_time() {
        let (anna, boris) = (AccountId::mint(at(0)), AccountId::mint(at(0)));
        let when = |from, until| Period {
            from: at(from),
            until: at(until),
        };
        let lending = |role, deputy, belongs, others| {
            code(lend(&Lending {
                role,
                principal: &anna,
                deputy,
                deputy_belongs: belongs,
                period: when(5, 9),
                others,
            }))
        };
        assert_eq!(lending(Role::BuyerApprover, &boris, true, &[]), "given");
        assert_eq!(lending(Role::Evaluator, &boris, true, &[]), "not_deputable");
        assert_eq!(lending(Role::Admin, &boris, true, &[]), "not_deputable");
        assert_eq!(lending(Role::BuyerApprover, &anna, true, &[]), "deputy_unfit");
        assert_eq!(lending(Role::BuyerApprover, &boris, false, &[]), "deputy_unfit");
        let before = [(boris.clone(), when(1, 5))];
        assert_eq!(lending(Role::BuyerApprover, &boris, true, &before), "given");
        let overlapping = [(boris.clone(), when(8, 12))];
        assert_eq!(
            lending(Role::BuyerApprover, &boris, true, &overlapping),
            "deputation_overlaps"
        );
        let many: Vec<_> = (0..DEPUTATIONS_MAX)
            .map(|_| (AccountId::mint(at(0)), when(1, 2)))
            .collect();
        assert_eq!(
            lending(Role::BuyerApprover, &boris, true, &many),
            "deputation_overlaps"
        );
    }

    #[test]
    fn a_weak_session_has_the_roles_that_bind_nobody_else() {
        let all = vec![
            Grant::of(Role::Resident),
            Grant::of(Role::Auditor),
            Grant::of(Role::SupplierAgent),
        ];
        let (granted, withheld) = by_strength(all.clone(), false, &SECOND_FACTOR_ROLES);
        assert_eq!(
            granted,
            [Grant::of(Role::Resident), Grant::of(Role::SupplierAgent)]
        );
        assert_eq!(withheld, [Grant::of(Role::Auditor)]);
        assert_eq!(
            by_strength(all.clone(), true, &SECOND_FACTOR_ROLES),
            (all, Vec::new())
        );
    }

    #[test]
    fn scopes_are_those_of_the_policy() {
        let asked = |names: &[&str]| scopes(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            asked(&["log.read", "areas.read", "log.read"]).unwrap(),
            ["areas.read", "log.read"]
        );
        let refusal = asked(&["areas.read", "everything", "Areas.read"]).unwrap_err();
        let places: Vec<_> = refusal.objections.iter().map(|o| o.pointer.as_str()).collect();
        assert_eq!(places, ["/scopes/1", "/scopes/2"]);
        assert!(expiry(at(1), at(0)).is_ok() && expiry(at(366), at(0)).is_ok());
        assert!(expiry(at(0), at(0)).is_err() && expiry(at(367), at(0)).is_err());
    }

    proptest! {
        #[test]
        fn no_administrator_gives_what_is_not_theirs_to_give(role in 0..Role::ALL.len(), kind in 0..OrganisationKind::ALL.len()) {
            let (role, office) = (Role::ALL[role], employer(OrganisationKind::ALL[kind]));
            if give(Giver::Admin, false, role, Some(&office)).is_ok() {
                prop_assert_eq!(role, Role::OrganisationAdmin);
            }
            prop_assert!(give(Giver::OrganisationAdmin, false, role, None).is_err());
            prop_assert!(give(Giver::OrganisationAdmin, true, role, Some(&office)).is_err());
        }
    }
}
