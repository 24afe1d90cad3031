//! What is known of a process that everybody may know: the facts that releases are made of. Nothing that is sealed and nobody's personal data has a place in
//! these types; what a slice shows to its own people only is not read into them. Pure.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::award::rules_awards::Award;
use crate::award::rules_notice::Derived;
use crate::award::rules_results::Place;
use crate::award::rules_standing::LotStanding;
use crate::bids::rules::BidId;
use crate::bids::rules_opening::OpeningRecord;
use crate::books::rules::{BookId, LotId};
use crate::books::rules_documents::{BookDocument, LotDocument};
use crate::books::rules_enquiries::Answer as EnquiryAnswer;
use crate::books::rules_intentions::Intention;
use crate::contracts::rules::Contract;
use crate::contracts::rules_defects::Category;
use crate::contracts::rules_document::{ContractDocument, PartyDocument};
use crate::contracts::rules_periods::Schedule;
use crate::contracts::rules_terminations::Closed;
use crate::contracts::rules_variations::Variation;
use crate::files::rules::Attachment;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::score::Score;
use crate::standards::rules_indicators::{Indicator, Line};

/// What has become public of what is planned, before there is a book.
#[derive(Clone, Debug)]
pub struct PlannedFacts {
    /// The notice, as it is shown to everybody.
    pub intention: Intention,
    /// Who plans.
    pub buyer: PartyDocument,
}

/// What has become public of a contract book and of all that came of it.
#[derive(Clone, Debug)]
pub struct BookFacts {
    /// The book.
    pub id: BookId,
    /// Who buys.
    pub buyer: OrganisationId,
    /// What it says: its current version.
    pub document: BookDocument,
    /// When it was first published, UTC.
    pub published_at: Instant,
    /// The versions after the first: its addenda.
    pub addenda: Vec<AddendumFacts>,
    /// The files that any of its versions lists, in the order in which they were published.
    pub files: Vec<FileFacts>,
    /// When its bids were opened, UTC.
    pub opened_at: Option<Instant>,
    /// When it was cancelled, UTC.
    pub cancelled_at: Option<Instant>,
    /// Answers to enquiries.
    pub answers: Vec<EnquiryAnswer>,
    /// Its lots.
    pub lots: Vec<LotFacts>,
    /// The contracts that both parties have signed.
    pub contracts: Vec<ContractFacts>,
    /// Everybody who is named, by their id.
    pub parties: BTreeMap<OrganisationId, PartyDocument>,
}

/// A version of a book that took the place of another.
#[derive(Clone, Debug)]
pub struct AddendumFacts {
    /// Its number among the addenda, from 1.
    pub number: i64,
    /// When it was published, UTC.
    pub at: Instant,
    /// Why.
    pub reason: Option<Line>,
}

/// A file that a version of a book lists.
#[derive(Clone, Debug)]
pub struct FileFacts {
    /// The file.
    pub file: Attachment,
    /// When the first version that lists it was published, UTC.
    pub at: Instant,
}

/// What has become public of a lot.
#[derive(Clone, Debug)]
pub struct LotFacts {
    /// The lot.
    pub id: LotId,
    /// What the book says of it.
    pub document: LotDocument,
    /// What the service is measured by.
    pub indicators: Vec<Indicator>,
    /// How far it has come.
    pub standing: LotStanding,
    /// The record of its opening, if its bids were opened.
    pub opening: Option<OpeningRecord>,
    /// When the version of each opened bid that counted was received, UTC.
    pub received: BTreeMap<BidId, Instant>,
    /// What came of the last round of judging that is published: places, and points.
    pub results: Option<(Vec<Place>, Vec<Derived>)>,
    /// Its awards since their notices.
    pub awards: Vec<Award>,
}

/// What has become public of a contract.
#[derive(Clone, Debug)]
pub struct ContractFacts {
    /// The contract.
    pub contract: Contract,
    /// What it says.
    pub document: ContractDocument,
    /// The first and the last day of the service as they are now.
    pub term: (Option<NaiveDate>, Option<NaiveDate>),
    /// Its indicators.
    pub indicators: Vec<Indicator>,
    /// Its periods.
    pub schedule: Option<Schedule>,
    /// What holds of the periods for which an acceptance was begun.
    pub accepted: BTreeMap<i64, Acceptance>,
    /// What residents say of its periods.
    pub ratings: BTreeMap<i64, (Score, u32)>,
    /// What was paid, and the bank has confirmed.
    pub payments: Vec<PaymentFacts>,
    /// What was counted of its penalties in claims that were paid, and with periods that were closed.
    pub penalties: Vec<PenaltyFacts>,
    /// Defects that were upheld, of the periods for which an acceptance was begun.
    pub defects: Vec<DefectFacts>,
    /// Variations that both parties have signed.
    pub variations: Vec<Variation>,
    /// The decision by which it was ended.
    pub ended: Option<Closed>,
    /// Whether it is completed, without having been ended.
    pub is_completed: bool,
}

/// What holds of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// Nothing yet.
    Open,
    /// It is accepted since then, UTC.
    Accepted(Instant),
    /// It was refused.
    Refused,
}

/// What was paid.
#[derive(Clone, Debug)]
pub struct PaymentFacts {
    /// The claim's id.
    pub id: String,
    /// The period, of a claim for one.
    pub period: Option<i64>,
    /// How much.
    pub amount: Money,
    /// When, UTC.
    pub at: Instant,
}

/// What was counted of a penalty.
#[derive(Clone, Debug)]
pub struct PenaltyFacts {
    /// The period.
    pub period: i64,
    /// Which of the lot's penalties, from 1.
    pub penalty: i64,
    /// How many cases or days.
    pub count: u32,
}

/// How many defects of a sort that were reported in a period have turned out to be some; never who has reported them.
#[derive(Clone, Debug)]
pub struct DefectFacts {
    /// The period.
    pub period: i64,
    /// What was wrong.
    pub category: Category,
    /// How many.
    pub count: i64,
}
