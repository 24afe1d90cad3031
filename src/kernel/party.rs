//! Ids of those who act and of the places they act for: every floor speaks of them, so they belong to none of the slices.

crate::ids! {
    /// An account: a person who can sign in.
    AccountId "user"
    /// An area of the tree: city, district, street or community.
    AreaId "area"
    /// An organisation: a department, a company, a residents' group.
    OrganisationId "org"
}
