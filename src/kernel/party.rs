//! Ids of those who act and of the places they act for, and the kinds of organisations: every floor speaks of them, so they
//! belong to none of the slices.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

crate::ids! {
    /// An account: a person who can sign in.
    AccountId "user"
    /// An area of the tree: city, district, street or community.
    AreaId "area"
    /// An organisation: a department, a company, a residents' group.
    OrganisationId "org"
}

/// What an organisation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    /// 部门: a department of the district.
    Department,
    /// 街道办事处.
    StreetOffice,
    /// 居民委员会: the residents' committee of a community.
    Community,
    /// 公司.
    Company,
    /// 社会组织: a registered non-profit.
    SocialOrganisation,
    /// 居民小组: residents who do a piece of work together, without being registered anywhere.
    ResidentsGroup,
    /// 审计机关.
    AuditOffice,
    /// 财政局: decides complaints, debars, sets the rules.
    FinanceBureau,
}

impl OrganisationKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Department,
        Self::StreetOffice,
        Self::Community,
        Self::Company,
        Self::SocialOrganisation,
        Self::ResidentsGroup,
        Self::AuditOffice,
        Self::FinanceBureau,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::StreetOffice => "street_office",
            Self::Community => "community",
            Self::Company => "company",
            Self::SocialOrganisation => "social_organisation",
            Self::ResidentsGroup => "residents_group",
            Self::AuditOffice => "audit_office",
            Self::FinanceBureau => "finance_bureau",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_alike_in_the_api_and_in_the_database() {
        for kind in OrganisationKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(OrganisationKind::named(kind.name()), Some(kind));
        }
        assert_eq!(OrganisationKind::named("guild"), None);
    }
}
