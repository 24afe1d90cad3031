//! Who may do what: one table of action × role × condition. An act asks it before anything else; nothing else in the
//! house decides about permission. `tests/snapshots/policy.txt` is the table for review.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::refusal::{Answer, Kind, Reason};
use crate::web::actor::Actor;

/// The action needs an account and the request named none.
pub static UNAUTHENTICATED: Reason = Reason::new(
    Kind::Unauthenticated,
    "unauthenticated",
    "需要登录",
    "Sign in to do this",
);
/// The account may not do this.
pub static FORBIDDEN: Reason = Reason::new(
    Kind::Forbidden,
    "forbidden",
    "无权执行此操作",
    "You may not do this",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&UNAUTHENTICATED, &FORBIDDEN];

/// In what capacity someone acts. `public` is everyone, signed in or not; `system` is the service itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "each is described in the product's table of roles, and its name says it"
)]
pub enum Role {
    Public,
    BuyerOfficer,
    BuyerApprover,
    FinanceOfficer,
    SupplierAgent,
    Evaluator,
    OpeningWitness,
    Registrar,
    Resident,
    Auditor,
    Regulator,
    Admin,
    System,
}

impl Role {
    /// All of them, in the order of the product's table.
    pub const ALL: [Self; 13] = [
        Self::Public,
        Self::BuyerOfficer,
        Self::BuyerApprover,
        Self::FinanceOfficer,
        Self::SupplierAgent,
        Self::Evaluator,
        Self::OpeningWitness,
        Self::Registrar,
        Self::Resident,
        Self::Auditor,
        Self::Regulator,
        Self::Admin,
        Self::System,
    ];

    /// The name in tokens and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::BuyerOfficer => "buyer_officer",
            Self::BuyerApprover => "buyer_approver",
            Self::FinanceOfficer => "finance_officer",
            Self::SupplierAgent => "supplier_agent",
            Self::Evaluator => "evaluator",
            Self::OpeningWitness => "opening_witness",
            Self::Registrar => "registrar",
            Self::Resident => "resident",
            Self::Auditor => "auditor",
            Self::Regulator => "regulator",
            Self::Admin => "admin",
            Self::System => "system",
        }
    }
}

/// Everything that can be done or seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// See an area, or the tree.
    ReadAreas,
    /// Add an area.
    CreateArea,
    /// Give an area another name or code.
    RenameArea,
    /// Hang an area under another parent.
    MoveArea,
    /// Add many areas from a table.
    ImportAreas,
    /// See the log's public part: checkpoint, tiles, proofs, events without who and what is private.
    ReadLog,
    /// See who caused an event and its private content.
    OpenEvent,
    /// Ask for the events of one person.
    FindEventsByActor,
    /// Move a simulated clock.
    MoveClock,
    /// Change the keys that sign tokens.
    RotateTokenKey,
}

/// What must hold of the matter besides the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing more.
    Anywhere,
    /// The matter is the actor's own doing.
    OwnDoing,
}

/// What the conditions look at; the fields that do not apply stay empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Matter<'a> {
    /// Who brought the matter about.
    pub caused_by: Option<&'a str>,
}

use Action::{
    CreateArea, FindEventsByActor, ImportAreas, MoveArea, MoveClock, OpenEvent, ReadAreas, ReadLog,
    RenameArea, RotateTokenKey,
};
use Condition::{Anywhere, OwnDoing};
use Role::{Admin, Auditor, Public, System};

/// The table. What is not in it is forbidden.
pub const TABLE: &[(Action, &[(Role, Condition)])] = &[
    (ReadAreas, &[(Public, Anywhere)]),
    (CreateArea, &[(Admin, Anywhere), (System, Anywhere)]),
    (RenameArea, &[(Admin, Anywhere), (System, Anywhere)]),
    (MoveArea, &[(Admin, Anywhere), (System, Anywhere)]),
    (ImportAreas, &[(Admin, Anywhere), (System, Anywhere)]),
    (ReadLog, &[(Public, Anywhere)]),
    (OpenEvent, &[(Auditor, Anywhere), (Public, OwnDoing)]),
    (FindEventsByActor, &[(Auditor, Anywhere), (Public, OwnDoing)]),
    (MoveClock, &[(Admin, Anywhere), (System, Anywhere)]),
    (RotateTokenKey, &[(Admin, Anywhere), (System, Anywhere)]),
];

/// True if the table lets the actor do this with the matter.
pub fn allows(actor: &Actor, action: Action, matter: Matter<'_>) -> bool {
    TABLE
        .iter()
        .filter(|(listed, _)| *listed == action)
        .flat_map(|(_, grants)| *grants)
        .any(|(role, condition)| actor.has(*role) && holds(*condition, actor, matter))
}

fn holds(condition: Condition, actor: &Actor, matter: Matter<'_>) -> bool {
    match condition {
        Anywhere => true,
        OwnDoing => actor.id().is_some() && actor.id() == matter.caused_by,
    }
}

/// Refuses unless the table allows it.
///
/// # Errors
/// [`UNAUTHENTICATED`] to whoever did not say who they are, [`FORBIDDEN`] to everyone else.
pub fn allow(actor: &Actor, action: Action, matter: Matter<'_>) -> Answer<()> {
    if allows(actor, action, matter) {
        Ok(())
    } else if actor.id().is_none() {
        Err(UNAUTHENTICATED.refuse().into())
    } else {
        Err(FORBIDDEN.refuse().into())
    }
}

/// The table as text, a line for each grant, for the reviewed snapshot.
pub fn listing() -> String {
    let mut lines = String::new();
    for (action, grants) in TABLE {
        for (role, condition) in *grants {
            lines.push_str(&format!("{action:?} · {} · {condition:?}\n", role.name()));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_forbidden_and_strangers_are_asked_to_sign_in() {
        let admin = Actor::signed_in("user_a".into(), vec![Admin]);
        let resident = Actor::signed_in("user_r".into(), vec![Role::Resident]);
        let none = Matter::default();
        assert!(allow(&admin, CreateArea, none).is_ok());
        let refused = |actor: &Actor| match allow(actor, CreateArea, none) {
            Err(crate::kernel::refusal::Stop::Refused(refusal)) => refusal.reason.code,
            other => unreachable!("{other:?}"),
        };
        assert_eq!(refused(&resident), "forbidden");
        assert_eq!(refused(&Actor::public()), "unauthenticated");
    }

    #[test]
    fn an_event_is_opened_for_auditors_and_for_whoever_caused_it() {
        let caused = |id| Matter { caused_by: Some(id) };
        let resident = Actor::signed_in("user_r".into(), vec![Role::Resident]);
        assert!(allows(&resident, OpenEvent, caused("user_r")));
        assert!(!allows(&resident, OpenEvent, caused("user_x")));
        assert!(!allows(&Actor::public(), OpenEvent, Matter::default()));
        assert!(allows(
            &Actor::signed_in("user_a".into(), vec![Auditor]),
            OpenEvent,
            caused("user_x")
        ));
        // The platform's administrator has no power over what people did.
        assert!(!allows(
            &Actor::signed_in("user_p".into(), vec![Admin]),
            OpenEvent,
            caused("user_x")
        ));
    }

    #[test]
    fn every_action_is_listed_once_and_role_names_are_those_of_the_api() {
        let mut seen: Vec<Action> = TABLE.iter().map(|(action, _)| *action).collect();
        let listed = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), listed);
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
    }
}
