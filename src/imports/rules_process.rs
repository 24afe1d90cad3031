//! What tables hold of an imported process: who took part, what was awarded, contracted and paid. Pure.

use crate::kernel::clock::Instant;

/// An amount of a currency that may not be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// Hundredths of the currency's unit.
    pub hundredths: Option<i64>,
    /// Its code of three letters.
    pub currency: Option<String>,
}

/// An organisation that something refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its id among the parties.
    pub id: String,
    /// Its name; empty if none is known.
    pub name: String,
}

/// An organisation that took part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its id in the process.
    pub id: String,
    /// Its name; empty if none is known.
    pub name: String,
    /// Its roles, with a blank between two, in their order.
    pub roles: String,
    /// Its id in a register, as `scheme-id`.
    pub identifier: Option<String>,
}

/// A result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its status.
    pub status: Option<String>,
    /// When it was made.
    pub at: Option<Instant>,
    /// What it comes to.
    pub value: Value,
    /// Who got it.
    pub suppliers: Vec<Reference>,
}

/// A contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Its id.
    pub id: String,
    /// The award that it follows from, if there is one of that id.
    pub award_id: Option<String>,
    /// What it is called.
    pub title: String,
    /// Its status.
    pub status: Option<String>,
    /// When it was signed.
    pub signed_at: Option<Instant>,
    /// When it begins.
    pub starts_at: Option<Instant>,
    /// When it ends.
    pub ends_at: Option<Instant>,
    /// What it comes to.
    pub value: Value,
    /// With whom: those that it names, or those of its award.
    pub suppliers: Vec<Reference>,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The contract under which it was made.
    pub contract_id: String,
    /// Its id.
    pub id: String,
    /// When.
    pub at: Option<Instant>,
    /// How much.
    pub value: Value,
    /// By whom.
    pub payer: Option<Reference>,
    /// To whom.
    pub payee: Option<Reference>,
}

/// What tables hold of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub ocid: String,
    /// What it is called.
    pub title: String,
    /// Who buys.
    pub buyer: Option<Reference>,
    /// How: `open`, `selective`, `limited`, `direct`, or what the publisher says.
    pub method: Option<String>,
    /// `goods`, `works`, `services`, or what the publisher says.
    pub category: Option<String>,
    /// The class of the first item, as `scheme-id`.
    pub classification: Option<String>,
    /// The code of the area that the first item is for.
    pub area: Option<String>,
    /// The tender's status.
    pub status: Option<String>,
    /// What it was estimated at.
    pub value: Value,
    /// From when bids were taken.
    pub tender_starts_at: Option<Instant>,
    /// Until when.
    pub tender_ends_at: Option<Instant>,
    /// How many bid.
    pub tenderers: Option<i64>,
    /// The year of the first award, or of what comes next to it.
    pub year: Option<i64>,
    /// Who took part.
    pub parties: Vec<Party>,
    /// What was awarded.
    pub awards: Vec<Award>,
    /// What was contracted.
    pub contracts: Vec<Contract>,
    /// What was paid.
    pub transactions: Vec<Transaction>,
}
