//! Who may do what: one table of action × role × condition. An act asks it before anything else; nothing else in the
//! house decides about permission. `tests/snapshots/policy.txt` is the table for review.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Kind, Reason};
use crate::web::actor::{Actor, Grant};

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

/// The account may do this, but only in a session with a second factor.
pub static SECOND_FACTOR_REQUIRED: Reason = Reason::new(
    Kind::Forbidden,
    "second_factor_required",
    "此操作需要启用并通过双重验证",
    "This needs a session with a second factor",
);
/// The account may do this, but the machine's token was not made for it.
pub static SCOPE_MISSING: Reason = Reason::new(
    Kind::Forbidden,
    "scope_missing",
    "此令牌的权限范围不包含该操作",
    "This token's scopes do not cover it",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 4] = [
    &UNAUTHENTICATED,
    &FORBIDDEN,
    &SECOND_FACTOR_REQUIRED,
    &SCOPE_MISSING,
];

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
    /// Keeps the catalogue of service standards.
    StandardsKeeper,
    /// Gives and takes the roles of one organisation; has none of them thereby.
    OrganisationAdmin,
    Admin,
    System,
}

impl Role {
    /// All of them, in the order of the product's table.
    pub const ALL: [Self; 15] = [
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
        Self::StandardsKeeper,
        Self::OrganisationAdmin,
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
            Self::StandardsKeeper => "standards_keeper",
            Self::OrganisationAdmin => "organisation_admin",
            Self::Admin => "admin",
            Self::System => "system",
        }
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
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
    /// See organisations that are public, suppliers and debarments.
    ReadOrganisations,
    /// See what of an organisation is not public, its earlier versions, and organisations that are not public yet.
    OpenOrganisation,
    /// Register a company, a social organisation or a residents' group.
    RegisterOrganisation,
    /// Enter a public body.
    EnterOrganisation,
    /// Change an organisation's particulars.
    ChangeOrganisation,
    /// Find an organisation's particulars true or not.
    VerifyOrganisation,
    /// Close an organisation.
    CloseOrganisation,
    /// Propose another bank account for an organisation, or take the proposal back.
    ProposeBankAccount,
    /// Confirm another bank account.
    ConfirmBankAccount,
    /// See the whole number of a bank account.
    OpenBankAccount,
    /// Claim a qualification for an organisation, or withdraw it.
    ClaimQualification,
    /// Find a qualification true or not.
    VerifyQualification,
    /// Hang evidence on what an organisation says of itself.
    GiveEvidence,
    /// Debar a supplier, or lift that.
    DebarSupplier,
    /// See the log's public part: checkpoint, tiles, proofs, events without who and what is private.
    ReadLog,
    /// See who caused an event and its private content.
    OpenEvent,
    /// Ask for the events of one person.
    FindEventsByActor,
    /// See the rules that apply, and those that did.
    ReadStatutes,
    /// Load a version of the rules.
    LoadStatute,
    /// See categories of services, and the standards that were published.
    ReadStandards,
    /// See drafts of standards.
    OpenStandardDrafts,
    /// Add, rename and retire categories of services.
    KeepServiceCategories,
    /// Add a standard, begin a version, write a draft.
    DraftStandard,
    /// Publish a draft of a standard.
    PublishStandard,
    /// Take a published version from further use.
    WithdrawStandard,
    /// Move a simulated clock.
    MoveClock,
    /// Change the keys that sign tokens.
    RotateTokenKey,
    /// See how one's own mail comes.
    ReadOwnMailPreferences,
    /// Change how one's own mail comes.
    ChangeOwnMailPreferences,
    /// Switch mail off by the link in it.
    UnsubscribeMail,
    /// See which mail stands where, without what it says.
    ListMail,
    /// Queue mail again that was given up.
    RequeueMail,
    /// See who holds which role.
    ReadRoles,
    /// Give an account a role.
    GiveRole,
    /// Take a role away.
    TakeRole,
    /// See who stands in for whom.
    ReadDeputies,
    /// Lend one of one's own roles.
    AppointDeputy,
    /// End a deputation before its time.
    RevokeDeputy,
    /// Make, see and revoke one's own machines' tokens.
    ManageApiTokens,
    /// See who did what on a matter.
    ReadDuties,
    /// See who is on a community's roll.
    ReadRoll,
    /// Take a community's roll away as a table.
    ExportRoll,
    /// Enter residents, change their details and those of households, take residents off the roll.
    ChangeRoll,
    /// Import a roll from a table.
    ImportRoll,
    /// Take everything personal about a resident away, for good.
    EraseResident,
    /// Invite residents by letter.
    PrintLetters,
    /// See those numbers of a roll that speak of nobody in particular.
    ReadRollStatistics,
    /// See all numbers of a roll.
    ReadWholeRollStatistics,
    /// See what a roll says of oneself.
    ReadOwnResidence,
    /// Claim a place on a roll with a letter.
    ClaimResidence,
    /// Open an account with a letter, and claim the place on a roll with it.
    RegisterResidence,
    /// Sign in, and stay so.
    SignIn,
    /// Make an account that is in use at once, with its first roles.
    CreateAccount,
    /// Invite somebody to an account with a first role.
    InviteAccount,
    /// Send somebody who has not come yet another invitation.
    ReinviteAccount,
    /// See who has an account.
    ReadAccounts,
    /// See what is known of one account.
    ReadAccount,
    /// Change an account's name or language.
    ChangeAccount,
    /// Close an account for a while.
    SuspendAccount,
    /// Open it again.
    ReinstateAccount,
    /// Close an account for good.
    CloseAccount,
    /// Add, confirm or remove one's own second factor.
    ManageSecondFactor,
    /// Take a second factor away from somebody who has lost it.
    RemoveLostSecondFactor,
    /// Choose another password, knowing the present one.
    ChangeOwnPassword,
    /// Link, see and unlink who one is at another provider.
    ManageIdentities,
    /// See where one is signed in.
    ReadOwnSessions,
    /// Sign out, here or everywhere.
    EndOwnSessions,
    /// Upload a file.
    UploadAttachment,
    /// See what one has uploaded and not used yet.
    ListOwnAttachments,
    /// See or download an attachment; the matter it hangs on decides which.
    ReadAttachment,
    /// Remove what one has uploaded and not used yet.
    RemoveAttachment,
    /// See funds, delegations that took effect, and totals of money.
    ReadFunds,
    /// Make, change and close a fund.
    ManageFund,
    /// See budget lines, their movements and the ledger.
    ReadBudget,
    /// List those of them that one may see.
    ListBudget,
    /// Make, change and close a budget line.
    ManageBudgetLine,
    /// Propose that money moves between funds and lines, or take the proposal back.
    ProposeMovement,
    /// Confirm or refuse that.
    ConfirmMovement,
    /// Reserve money of a line.
    ReserveBudget,
    /// Commit what was reserved, or release it.
    CommitBudget,
    /// Write a delegation.
    DraftDelegation,
    /// Put a delegation into effect, or end it.
    EffectDelegation,
    /// Record that somebody was assessed on a duty.
    RecordAssessment,
    /// See intention notices that were published.
    ReadIntentions,
    /// Take what was published as open data.
    ReadPublication,
    /// See what is written of them and not published.
    OpenIntentionDrafts,
    /// Write an intention notice, or a correction of one.
    DraftIntention,
    /// Publish what was written, or withdraw a notice.
    PublishIntention,
    /// See a record of consultation.
    ReadConsultation,
    /// List those that one may see.
    ListConsultations,
    /// Write a record of consultation.
    DraftConsultation,
    /// Say what one thinks of a need as its reviewer.
    ReviewConsultation,
    /// Conclude a consultation.
    ConcludeConsultation,
    /// Search what is public.
    SearchPublished,
    /// See what one has saved of one's searching.
    ReadOwnSavedSearches,
    /// Save a search, or delete it.
    ChangeOwnSavedSearches,
    /// See which books and categories one follows.
    ReadOwnFollows,
    /// Follow one, or follow it no longer.
    ChangeOwnFollows,
    /// See whether one has a secret address of the calendar of what one follows.
    ReadOwnCalendarLink,
    /// Make such an address, or end it.
    ChangeOwnCalendarLink,
    /// See contract books that were published.
    ReadBooks,
    /// See those that were not.
    OpenBookDrafts,
    /// List those of them that one may see.
    ListBookDrafts,
    /// Begin a book, write it, submit it.
    DraftBook,
    /// Approve a book, or send it back.
    ApproveBook,
    /// Publish a book.
    PublishBook,
    /// Give a book up that was not published.
    DiscardBook,
    /// Cancel a published book.
    CancelBook,
    /// Write an addendum to a published book.
    DraftAddendum,
    /// Give an addendum up that was not published.
    DiscardAddendum,
    /// Publish an addendum.
    PublishAddendum,
    /// Register and see one's own recipients as a witness of openings.
    RegisterWitnessKey,
    /// Download one's own share of an opening key.
    ReadOwnShare,
    /// Show that one can open it.
    RehearseShare,
    /// Hand it in for the opening.
    HandInShare,
    /// Ask about a published book, or take that back.
    AskEnquiry,
    /// See what one's supplier asked.
    ReadOwnEnquiries,
    /// See what waits for an answer.
    OpenEnquiries,
    /// Answer an enquiry.
    AnswerEnquiry,
    /// See who asked, once bids were opened.
    OpenEnquiryAskers,
    /// Open a book's bids when their time has come.
    OpenBids,
    /// See what came of openings, and bids that hold nothing personal and nothing confidential.
    ReadOpenings,
    /// See opened bids whole.
    ReadOpenedBids,
    /// Decide what of opened bids is kept from the public.
    DecideConfidentiality,
    /// Hand in the files that an opened bid of one's own names.
    HandInBidDocuments,
    /// Score bids as a member of the panel, and dissent from the result.
    ScoreBids,
    /// Have bids scored again on a ground.
    OpenScoringRound,
    /// Conclude the judging of a lot.
    ConcludeEvaluation,
    /// See how a lot was judged once that is published; before that whoever has to do with it sees it.
    ReadEvaluation,
    /// See how a lot is judged before that is published.
    OpenEvaluation,
    /// Record what a meeting of residents' representatives gave.
    RecordAppraisal,
    /// Confirm what another person recorded of that.
    ConfirmAppraisal,
    /// List the pool of experts.
    ListExperts,
    /// See what the pool says of one expert.
    ReadExpert,
    /// Add experts to the pool, change what is known of them, and take them out.
    KeepExperts,
    /// See a panel that was published; before that whoever has to do with it sees their part.
    ReadPanel,
    /// See how far a panel is, without the experts' names.
    OpenPanel,
    /// See who is on a panel before that is public.
    OpenPanelNames,
    /// Have a panel drawn, and name the buyer's own members.
    DrawPanel,
    /// Record that a member of a panel did not come.
    RunPanel,
    /// Sit on a panel: declare interests, elect the chair, record what the panel decides.
    SitOnPanel,
    /// List the panels on which one sits.
    ReadOwnSeats,
    /// Read opened bids as a member of the panel that judges them.
    ReadJudgedBids,
    /// See how bids are examined before they are scored.
    ReadAdmission,
    /// Begin the examination of bids, and decide whether bidders are eligible.
    CheckEligibility,
    /// Disqualify a bid after its examination.
    DisqualifyBid,
    /// See what the panel asks of one's own bid.
    ReadPanelQuestions,
    /// Answer that.
    AnswerPanel,
    /// Seal, replace, confirm and withdraw a bid of a supplier.
    SubmitBid,
    /// See a supplier's own bids; before the opening nobody sees any other.
    ReadOwnBids,
    /// List the bids of the suppliers that one acts for.
    ListOwnBids,
    /// Record what was lodged with a supplier's own bid.
    LodgeBidSecurity,
    /// See what was lodged with bids, once it may be known who has bid.
    ReadBidSecurities,
    /// Confirm and return it.
    KeepBidSecurity,
    /// See how far lots have come, awards since their notice, decisions about complaints, and who is listed.
    ReadAwards,
    /// See awards before their notice.
    OpenAwards,
    /// Propose the next in rank for an award.
    ProposeAward,
    /// Decide for a proposed award.
    DecideAward,
    /// Publish the notice of an award.
    PublishAwardNotice,
    /// Confirm an award against which nothing stands.
    ConfirmAward,
    /// Take an award back, put its winner out, or note that the winner did not sign in time.
    EndAward,
    /// Withdraw as the winner.
    WithdrawFromAward,
    /// See one's own supplier's scores and rank.
    ReadOwnResult,
    /// Ask about a result for one's own supplier.
    AskAboutResult,
    /// Challenge an award for one's own supplier, and withdraw that.
    FileChallenge,
    /// Complain to the regulator for one's own supplier, and withdraw that.
    FileComplaint,
    /// Read queries, challenges and complaints that one is a party of, or that one oversees.
    ReadOwnDisputes,
    /// Read queries, challenges and complaints about what one's own organisation buys.
    OpenDisputes,
    /// Reply to queries about results.
    ReplyToQuery,
    /// Reply to challenges.
    ReplyToChallenge,
    /// Take complaints up or not, suspend books, and decide.
    HandleComplaint,
    /// See signed contracts.
    ReadContracts,
    /// See contracts of one's own organisation before they are signed.
    OpenContracts,
    /// Prepare the contract of a confirmed award.
    PrepareContract,
    /// Sign a contract for either party.
    SignContract,
    /// Sign a contract for the buyer.
    SignForBuyer,
    /// Sign a contract for the supplier.
    SignForSupplier,
    /// Record what was lodged for one's own supplier's contract.
    LodgePerformanceSecurity,
    /// Confirm and return what was lodged for contracts.
    KeepPerformanceSecurity,
    /// Have it drawn where to inspect, and leave out what cannot be inspected.
    PlanInspections,
    /// See where is inspected before everybody does.
    OpenInspectionPlans,
    /// Record an inspection.
    RecordInspection,
    /// Annul an inspection that was a mistake.
    AnnulInspection,
    /// Contest an item of an inspection of one's own supplier's work.
    ContestInspection,
    /// Decide a contest of an inspection.
    DecideInspectionContest,
    /// See the places at which can be reported.
    ReadServedPlaces,
    /// Give places of contracts codes, other ones, or none.
    KeepServedPlaces,
    /// See defects that contractors were told of.
    ReadDefects,
    /// See all defects of what one's own organisation buys, and everything that was said of them.
    OpenDefects,
    /// Report a defect.
    ReportDefect,
    /// See what one has reported oneself.
    ReadOwnDefectReports,
    /// Say whether what one has reported was put right, or take it back.
    FollowDefect,
    /// Send defects to contractors or not, decide about them for the buyer, show and hide reports.
    DecideDefects,
    /// Acknowledge defects, and put them right.
    HandleDefects,
    /// Propose a variation of a signed contract.
    ProposeVariation,
    /// Take a proposed variation back.
    WithdrawVariation,
    /// Issue a notice of rectification.
    IssueRectification,
    /// Acknowledge a notice, and report that it is put right, for one's own supplier.
    AnswerRectification,
    /// Decide whether something is put right, and take notices back.
    DecideRectification,
    /// Decide what follows from a trigger that is due.
    DecideTrigger,
    /// Propose to end a contract before its time, and take that back.
    ProposeTermination,
    /// Be heard on the end of one's own supplier's contract.
    StateOnTermination,
    /// Decide about the end of a contract.
    DecideTermination,
    /// Hand a period of one's own supplier's contract over.
    HandOverPeriod,
    /// See certificates of acceptance before they are signed, and who was invited.
    OpenAcceptances,
    /// Draft a certificate of acceptance.
    DraftAcceptance,
    /// Sign one for the buyer.
    SignAcceptance,
    /// Object to one about one's own supplier's work.
    ObjectToAcceptance,
    /// Decide such an objection.
    DecideAcceptanceObjection,
    /// See ballots of residents, and what came of them.
    ReadBallots,
    /// See the box of a ballot of which too little was cast for everybody to see it.
    OpenBallotBox,
    /// Call a ballot of residents, or take it back.
    CallBallot,
    /// Vote with a code; whose it is, is looked up.
    CastVote,
    /// Vote as whoever is signed in.
    CastOwnVote,
    /// Count a ballot that has closed.
    CountBallot,
    /// Print letters with codes for voters.
    PrintBallotLetters,
    /// Say who represents residents, and who has no vote on whose work.
    KeepVoterListings,
    /// Release what a voter says of a period in words, or withhold it.
    ModerateComment,
    /// Reply to it for one's own supplier.
    ReplyToComment,
    /// Claim a payment for one's own supplier.
    MakeClaim,
    /// Certify one as the buyer.
    CertifyClaim,
    /// Say that a period has nothing to be paid any more.
    ClosePeriod,
    /// Send one back.
    ReturnClaim,
    /// Approve its payment.
    ApproveClaim,
    /// Execute it, or say that the bank could not.
    ExecuteClaim,
    /// Say by which reference the bank has paid it.
    ConfirmPayment,
    /// See payment batches, and what a bank said of them.
    ReadPaymentBatches,
    /// Put a payment batch together, or take it back.
    MakePaymentBatch,
    /// Get its file, which has whole account numbers, for the bank.
    OpenPaymentFile,
    /// See what is spent, grouped, and follow it.
    ReadSpending,
    /// Read in what others have published.
    ImportHistory,
    /// Read in tables of what a ward had before; each row is also asked about by itself.
    ImportTables,
    /// See imports and what they found.
    ReadImports,
    /// See what was imported.
    ReadImported,
}

impl Action {
    /// Which scope a machine's token needs for this, besides the role of its account.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::ReadAreas => "areas.read",
            Self::CreateArea | Self::RenameArea | Self::MoveArea | Self::ImportAreas => "areas.write",
            Self::ReadOrganisations | Self::OpenOrganisation | Self::OpenBankAccount => "organisations.read",
            Self::RegisterOrganisation
            | Self::EnterOrganisation
            | Self::ChangeOrganisation
            | Self::VerifyOrganisation
            | Self::CloseOrganisation
            | Self::ProposeBankAccount
            | Self::ConfirmBankAccount
            | Self::ClaimQualification
            | Self::VerifyQualification
            | Self::GiveEvidence
            | Self::DebarSupplier => "organisations.write",
            Self::ReadLog | Self::OpenEvent | Self::FindEventsByActor => "log.read",
            Self::ReadStatutes => "statutes.read",
            Self::LoadStatute => "statutes.write",
            Self::ReadStandards | Self::OpenStandardDrafts => "standards.read",
            Self::KeepServiceCategories
            | Self::DraftStandard
            | Self::PublishStandard
            | Self::WithdrawStandard => "standards.write",
            Self::MoveClock | Self::RotateTokenKey => "platform.write",
            Self::ReadOwnMailPreferences => "account.read",
            Self::ChangeOwnMailPreferences | Self::UnsubscribeMail => "account.write",
            Self::ListMail => "platform.read",
            Self::RequeueMail => "platform.write",
            Self::ReadRoles | Self::ReadDeputies => "people.read",
            Self::GiveRole | Self::TakeRole | Self::AppointDeputy | Self::RevokeDeputy => "people.write",
            // No scope that anyone can ask for: a token never makes or revokes tokens.
            Self::ManageApiTokens => "",
            // Nor an address that is good when the token is no more.
            Self::ChangeOwnCalendarLink => "",
            // Nor one for what only a person does, in a session.
            Self::SignIn
            | Self::RegisterResidence
            | Self::ReadOwnSessions
            | Self::EndOwnSessions
            | Self::ManageSecondFactor
            | Self::RemoveLostSecondFactor
            | Self::ChangeOwnPassword
            | Self::ManageIdentities => "",
            Self::ReadDuties => "log.read",
            Self::ReadRoll | Self::ExportRoll | Self::ReadRollStatistics | Self::ReadWholeRollStatistics => {
                "roll.read"
            }
            Self::ChangeRoll | Self::ImportRoll | Self::EraseResident | Self::PrintLetters => "roll.write",
            Self::ReadOwnResidence => "residence.read",
            Self::ClaimResidence => "residence.write",
            Self::ListOwnAttachments | Self::ReadAttachment => "files.read",
            Self::UploadAttachment | Self::RemoveAttachment => "files.write",
            Self::ReadFunds | Self::ReadBudget | Self::ListBudget | Self::ReadSpending => "budget.read",
            Self::ManageFund
            | Self::ManageBudgetLine
            | Self::ProposeMovement
            | Self::ConfirmMovement
            | Self::ReserveBudget
            | Self::CommitBudget
            | Self::DraftDelegation
            | Self::EffectDelegation
            | Self::RecordAssessment => "budget.write",
            Self::ReadIntentions
            | Self::OpenIntentionDrafts
            | Self::ReadConsultation
            | Self::ListConsultations
            | Self::SearchPublished
            | Self::ReadPublication => "planning.read",
            Self::ReadOwnSavedSearches | Self::ReadOwnFollows | Self::ReadOwnCalendarLink => "account.read",
            Self::ChangeOwnSavedSearches | Self::ChangeOwnFollows => "account.write",
            Self::DraftIntention
            | Self::PublishIntention
            | Self::DraftConsultation
            | Self::ReviewConsultation
            | Self::ConcludeConsultation => "planning.write",
            Self::ReadBooks
            | Self::OpenBookDrafts
            | Self::ListBookDrafts
            | Self::ReadOwnEnquiries
            | Self::OpenEnquiries
            | Self::OpenEnquiryAskers => "books.read",
            Self::DraftBook
            | Self::ApproveBook
            | Self::PublishBook
            | Self::DiscardBook
            | Self::CancelBook
            | Self::DraftAddendum
            | Self::DiscardAddendum
            | Self::PublishAddendum
            | Self::AskEnquiry
            | Self::AnswerEnquiry => "books.write",
            Self::ReadOwnShare | Self::ReadOpenings | Self::ReadOpenedBids => "openings.read",
            Self::RegisterWitnessKey
            | Self::RehearseShare
            | Self::HandInShare
            | Self::OpenBids
            | Self::DecideConfidentiality => "openings.write",
            Self::ReadEvaluation | Self::OpenEvaluation => "evaluations.read",
            Self::ScoreBids
            | Self::OpenScoringRound
            | Self::ConcludeEvaluation
            | Self::RecordAppraisal
            | Self::ConfirmAppraisal => "evaluations.write",
            Self::ReadOwnBids | Self::ListOwnBids | Self::ReadBidSecurities | Self::ReadPanelQuestions => {
                "bids.read"
            }
            Self::SubmitBid
            | Self::HandInBidDocuments
            | Self::LodgeBidSecurity
            | Self::KeepBidSecurity
            | Self::AnswerPanel => "bids.write",
            Self::ReadAwards | Self::OpenAwards | Self::ReadOwnResult => "awards.read",
            Self::ProposeAward
            | Self::DecideAward
            | Self::PublishAwardNotice
            | Self::ConfirmAward
            | Self::EndAward
            | Self::WithdrawFromAward => "awards.write",
            Self::ReadOwnDisputes | Self::OpenDisputes => "disputes.read",
            Self::AskAboutResult
            | Self::FileChallenge
            | Self::FileComplaint
            | Self::ReplyToQuery
            | Self::ReplyToChallenge
            | Self::HandleComplaint => "disputes.write",
            Self::ReadContracts
            | Self::OpenContracts
            | Self::OpenInspectionPlans
            | Self::OpenAcceptances
            | Self::ReadServedPlaces
            | Self::ReadDefects
            | Self::OpenDefects
            | Self::ReadOwnDefectReports => "contracts.read",
            Self::PrepareContract
            | Self::SignContract
            | Self::SignForBuyer
            | Self::SignForSupplier
            | Self::LodgePerformanceSecurity
            | Self::KeepPerformanceSecurity
            | Self::PlanInspections
            | Self::RecordInspection
            | Self::AnnulInspection
            | Self::ContestInspection
            | Self::DecideInspectionContest
            | Self::KeepServedPlaces
            | Self::ReportDefect
            | Self::FollowDefect
            | Self::DecideDefects
            | Self::HandleDefects
            | Self::ProposeVariation
            | Self::WithdrawVariation
            | Self::IssueRectification
            | Self::AnswerRectification
            | Self::DecideRectification
            | Self::DecideTrigger
            | Self::ProposeTermination
            | Self::StateOnTermination
            | Self::DecideTermination
            | Self::HandOverPeriod
            | Self::DraftAcceptance
            | Self::SignAcceptance
            | Self::ObjectToAcceptance
            | Self::DecideAcceptanceObjection => "contracts.write",
            Self::ReadBallots | Self::OpenBallotBox => "ballots.read",
            Self::CallBallot
            | Self::CastVote
            | Self::CastOwnVote
            | Self::CountBallot
            | Self::PrintBallotLetters
            | Self::KeepVoterListings
            | Self::ModerateComment
            | Self::ReplyToComment => "ballots.write",
            Self::MakeClaim
            | Self::CertifyClaim
            | Self::ClosePeriod
            | Self::ReturnClaim
            | Self::ApproveClaim
            | Self::ExecuteClaim
            | Self::ConfirmPayment
            | Self::MakePaymentBatch => "payments.write",
            Self::ReadPaymentBatches | Self::OpenPaymentFile => "payments.read",
            Self::ImportHistory | Self::ImportTables => "imports.write",
            Self::ReadImports | Self::ReadImported => "imports.read",
            Self::ListExperts
            | Self::ReadExpert
            | Self::ReadPanel
            | Self::OpenPanel
            | Self::OpenPanelNames
            | Self::ReadOwnSeats
            | Self::ReadJudgedBids
            | Self::ReadAdmission => "panels.read",
            Self::KeepExperts
            | Self::DrawPanel
            | Self::RunPanel
            | Self::SitOnPanel
            | Self::CheckEligibility
            | Self::DisqualifyBid => "panels.write",
            Self::ReadAccounts | Self::ReadAccount => "people.read",
            Self::CreateAccount
            | Self::InviteAccount
            | Self::ReinviteAccount
            | Self::ChangeAccount
            | Self::SuspendAccount
            | Self::ReinstateAccount
            | Self::CloseAccount => "people.write",
        }
    }
}

/// All scopes there are, sorted.
pub fn scopes() -> Vec<&'static str> {
    let mut scopes: Vec<&str> = TABLE.iter().map(|(action, _)| action.scope()).collect();
    scopes.retain(|scope| !scope.is_empty());
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

/// What must hold of the matter besides the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing more.
    Anywhere,
    /// Whoever it is has an account.
    SignedIn,
    /// The matter is the actor's own doing.
    OwnDoing,
    /// The matter is the actor's own account, or hangs on it.
    OwnAccount,
    /// The role is held in the organisation that the matter belongs to.
    OwnOrganisation,
    /// The role is held for the area that the matter belongs to, or for one above it.
    OwnArea,
}

/// What the conditions look at; the fields that do not apply stay empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Matter<'a> {
    /// Who brought the matter about.
    pub caused_by: Option<&'a str>,
    /// Whose account it is, or hangs on.
    pub account: Option<&'a str>,
    /// Which organisation it belongs to.
    pub organisation: Option<&'a OrganisationId>,
    /// Which area it belongs to: the ids from the root of the tree down to it, each followed by a slash.
    pub area_path: Option<&'a str>,
}

impl<'a> Matter<'a> {
    /// What an organisation's own people decide about.
    pub fn of_organisation(organisation: &'a OrganisationId) -> Self {
        Self {
            organisation: Some(organisation),
            ..Self::default()
        }
    }

    /// What belongs to an area.
    pub fn of_area(path: &'a str) -> Self {
        Self {
            area_path: Some(path),
            ..Self::default()
        }
    }

    /// What is about one account.
    pub fn of_account(account: &'a str) -> Self {
        Self {
            account: Some(account),
            ..Self::default()
        }
    }
}

use Action::{
    AppointDeputy, CreateArea, FindEventsByActor, GiveRole, ImportAreas, ListOwnAttachments, ManageApiTokens,
    MoveArea, MoveClock, OpenEvent, ReadAreas, ReadAttachment, ReadDeputies, ReadDuties, ReadLog, ReadRoles,
    RemoveAttachment, RenameArea, RevokeDeputy, RotateTokenKey, TakeRole, UploadAttachment,
};
use Action::{
    ChangeAccount, ChangeOwnPassword, CloseAccount, CreateAccount, EndOwnSessions, InviteAccount,
    ManageIdentities, ManageSecondFactor, ReadAccount, ReadAccounts, ReadOwnSessions, ReinstateAccount,
    ReinviteAccount, RemoveLostSecondFactor, SignIn, SuspendAccount,
};
use Action::{
    ChangeOrganisation, ClaimQualification, CloseOrganisation, ConfirmBankAccount, DebarSupplier,
    EnterOrganisation, GiveEvidence, OpenBankAccount, OpenOrganisation, ProposeBankAccount,
    ReadOrganisations, RegisterOrganisation, VerifyOrganisation, VerifyQualification,
};
use Action::{
    ChangeRoll, ClaimResidence, EraseResident, ExportRoll, ImportRoll, PrintLetters, ReadOwnResidence,
    ReadRoll, ReadRollStatistics, ReadWholeRollStatistics, RegisterResidence,
};
use Action::{
    CommitBudget, ConfirmMovement, DraftDelegation, EffectDelegation, ListBudget, ManageBudgetLine,
    ManageFund, ProposeMovement, ReadBudget, ReadFunds, RecordAssessment, ReserveBudget,
};
use Condition::{Anywhere, OwnAccount, OwnArea, OwnDoing, OwnOrganisation, SignedIn};
use Role::Registrar;
use Role::{Admin, Auditor, OrganisationAdmin, Public, System};
use Role::{BuyerApprover, BuyerOfficer, FinanceOfficer, Regulator, SupplierAgent};

/// The table. What is not in it is forbidden.
pub const TABLE: &[(Action, &[(Role, Condition)])] = &[
    (ReadAreas, &[(Public, Anywhere)]),
    (CreateArea, &[(Admin, Anywhere), (System, Anywhere)]),
    (RenameArea, &[(Admin, Anywhere), (System, Anywhere)]),
    (MoveArea, &[(Admin, Anywhere), (System, Anywhere)]),
    (ImportAreas, &[(Admin, Anywhere), (System, Anywhere)]),
    (ReadOrganisations, &[(Public, Anywhere)]),
    // Whoever registered an organisation, as long as it is not public; from then on its own people.
    (
        OpenOrganisation,
        &[
            (Admin, Anywhere),
            (Auditor, Anywhere),
            (Regulator, Anywhere),
            (OrganisationAdmin, OwnOrganisation),
            (SupplierAgent, OwnOrganisation),
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (FinanceOfficer, OwnOrganisation),
            (Public, OwnDoing),
        ],
    ),
    (RegisterOrganisation, &[(Public, SignedIn)]),
    (EnterOrganisation, &[(Admin, Anywhere), (System, Anywhere)]),
    (
        ChangeOrganisation,
        &[
            (Admin, Anywhere),
            (OrganisationAdmin, OwnOrganisation),
            (Public, OwnDoing),
        ],
    ),
    (VerifyOrganisation, &[(Admin, Anywhere), (Regulator, Anywhere)]),
    (
        CloseOrganisation,
        &[
            (Admin, Anywhere),
            (OrganisationAdmin, OwnOrganisation),
            (Public, OwnDoing),
        ],
    ),
    (
        ProposeBankAccount,
        &[
            (OrganisationAdmin, OwnOrganisation),
            (SupplierAgent, OwnOrganisation),
            (FinanceOfficer, OwnOrganisation),
        ],
    ),
    (
        ConfirmBankAccount,
        &[
            (OrganisationAdmin, OwnOrganisation),
            (SupplierAgent, OwnOrganisation),
            (FinanceOfficer, OwnOrganisation),
        ],
    ),
    (OpenBankAccount, &[(FinanceOfficer, Anywhere)]),
    (
        ClaimQualification,
        &[
            (OrganisationAdmin, OwnOrganisation),
            (SupplierAgent, OwnOrganisation),
        ],
    ),
    (VerifyQualification, &[(Admin, Anywhere), (Regulator, Anywhere)]),
    // Those who say a thing and those who compare it; for bank accounts and debarments, whoever proposes or decides them.
    (
        GiveEvidence,
        &[
            (Admin, Anywhere),
            (Regulator, Anywhere),
            (OrganisationAdmin, OwnOrganisation),
            (SupplierAgent, OwnOrganisation),
            (Public, OwnDoing),
        ],
    ),
    (DebarSupplier, &[(Regulator, Anywhere)]),
    (ReadLog, &[(Public, Anywhere)]),
    (OpenEvent, &[(Auditor, Anywhere), (Public, OwnDoing)]),
    (FindEventsByActor, &[(Auditor, Anywhere), (Public, OwnDoing)]),
    (Action::ReadStatutes, &[(Public, Anywhere)]),
    (
        Action::LoadStatute,
        &[(Role::Regulator, Anywhere), (System, Anywhere)],
    ),
    // Whoever keeps standards keeps them for the whole ward. Not the platform's administrator: what clean means is no matter of
    // running the service. The service itself only brings along what the program comes with.
    (Action::ReadStandards, &[(Public, Anywhere)]),
    (Action::OpenStandardDrafts, &[(Role::StandardsKeeper, Anywhere)]),
    (
        Action::KeepServiceCategories,
        &[(Role::StandardsKeeper, Anywhere), (System, Anywhere)],
    ),
    (Action::DraftStandard, &[(Role::StandardsKeeper, Anywhere)]),
    (
        Action::PublishStandard,
        &[(Role::StandardsKeeper, Anywhere), (System, Anywhere)],
    ),
    (Action::WithdrawStandard, &[(Role::StandardsKeeper, Anywhere)]),
    (MoveClock, &[(Admin, Anywhere), (System, Anywhere)]),
    (RotateTokenKey, &[(Admin, Anywhere), (System, Anywhere)]),
    (Action::ReadOwnMailPreferences, &[(Public, SignedIn)]),
    (Action::ChangeOwnMailPreferences, &[(Public, SignedIn)]),
    (Action::UnsubscribeMail, &[(Public, Anywhere)]),
    (Action::ListMail, &[(Admin, Anywhere)]),
    (Action::RequeueMail, &[(Admin, Anywhere)]),
    (
        ReadRoles,
        &[
            (Admin, Anywhere),
            (Auditor, Anywhere),
            (OrganisationAdmin, OwnOrganisation),
            (Public, OwnAccount),
        ],
    ),
    (
        GiveRole,
        &[
            (Admin, Anywhere),
            (OrganisationAdmin, OwnOrganisation),
            (System, Anywhere),
        ],
    ),
    (
        TakeRole,
        &[
            (Admin, Anywhere),
            (OrganisationAdmin, OwnOrganisation),
            (System, Anywhere),
        ],
    ),
    (
        ReadDeputies,
        &[
            (Auditor, Anywhere),
            (OrganisationAdmin, OwnOrganisation),
            (Public, OwnAccount),
        ],
    ),
    (AppointDeputy, &[(Public, SignedIn)]),
    (
        RevokeDeputy,
        &[(OrganisationAdmin, OwnOrganisation), (Public, OwnAccount)],
    ),
    (ManageApiTokens, &[(Public, SignedIn)]),
    (ReadDuties, &[(Auditor, Anywhere)]),
    // Not the platform's administrator and not the auditors: who lives where is their registrar's business alone.
    (ReadRoll, &[(Registrar, OwnArea), (System, Anywhere)]),
    (ChangeRoll, &[(Registrar, OwnArea), (System, Anywhere)]),
    (ImportRoll, &[(Registrar, OwnArea), (System, Anywhere)]),
    (ExportRoll, &[(Registrar, OwnArea)]),
    (EraseResident, &[(Registrar, OwnArea)]),
    (PrintLetters, &[(Registrar, OwnArea), (System, Anywhere)]),
    (ReadRollStatistics, &[(Public, Anywhere)]),
    (
        ReadWholeRollStatistics,
        &[(Registrar, OwnArea), (Auditor, Anywhere)],
    ),
    (ReadOwnResidence, &[(Public, SignedIn)]),
    (ClaimResidence, &[(Public, SignedIn)]),
    (RegisterResidence, &[(Public, Anywhere)]),
    (SignIn, &[(Public, Anywhere)]),
    (CreateAccount, &[(System, Anywhere)]),
    (
        InviteAccount,
        &[
            (Admin, Anywhere),
            (OrganisationAdmin, OwnOrganisation),
            (System, Anywhere),
        ],
    ),
    (ReinviteAccount, &[(Admin, Anywhere)]),
    (ReadAccounts, &[(Admin, Anywhere)]),
    (ReadAccount, &[(Admin, Anywhere), (Public, OwnAccount)]),
    (ChangeAccount, &[(Admin, Anywhere), (Public, OwnAccount)]),
    (SuspendAccount, &[(Admin, Anywhere)]),
    (ReinstateAccount, &[(Admin, Anywhere)]),
    (CloseAccount, &[(Admin, Anywhere)]),
    (ManageSecondFactor, &[(Public, SignedIn)]),
    (RemoveLostSecondFactor, &[(Admin, Anywhere)]),
    (ChangeOwnPassword, &[(Public, SignedIn)]),
    (ManageIdentities, &[(Public, SignedIn)]),
    (ReadOwnSessions, &[(Public, SignedIn)]),
    (EndOwnSessions, &[(Public, SignedIn)]),
    (UploadAttachment, &[(Public, SignedIn)]),
    (ListOwnAttachments, &[(Public, SignedIn)]),
    (ReadAttachment, &[(Public, Anywhere)]),
    (RemoveAttachment, &[(Public, SignedIn)]),
    (ReadFunds, &[(Public, Anywhere)]),
    // Not the platform's administrator, who has no power over money and need not see whose it is.
    (
        ReadBudget,
        &[
            (Auditor, Anywhere),
            (Regulator, Anywhere),
            (FinanceOfficer, OwnOrganisation),
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
        ],
    ),
    (
        ListBudget,
        &[
            (Auditor, Anywhere),
            (Regulator, Anywhere),
            (FinanceOfficer, Anywhere),
            (BuyerOfficer, Anywhere),
            (BuyerApprover, Anywhere),
        ],
    ),
    (ManageFund, &[(FinanceOfficer, OwnOrganisation)]),
    (ManageBudgetLine, &[(FinanceOfficer, OwnOrganisation)]),
    (ProposeMovement, &[(FinanceOfficer, OwnOrganisation)]),
    (
        ConfirmMovement,
        &[
            (FinanceOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
        ],
    ),
    (
        ReserveBudget,
        &[(FinanceOfficer, OwnOrganisation), (BuyerOfficer, OwnOrganisation)],
    ),
    (
        CommitBudget,
        &[
            (FinanceOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
        ],
    ),
    (
        DraftDelegation,
        &[(FinanceOfficer, OwnOrganisation), (BuyerOfficer, OwnOrganisation)],
    ),
    (
        EffectDelegation,
        &[
            (FinanceOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
        ],
    ),
    (
        RecordAssessment,
        &[(BuyerOfficer, OwnOrganisation), (BuyerApprover, OwnOrganisation)],
    ),
    (Action::ReadIntentions, &[(Public, Anywhere)]),
    // What is planned and not public is nobody's business outside the body, the auditors' neither: it binds nobody yet.
    (
        Action::OpenIntentionDrafts,
        &[
            (FinanceOfficer, OwnOrganisation),
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
        ],
    ),
    (Action::DraftIntention, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::PublishIntention, &[(BuyerApprover, OwnOrganisation)]),
    (
        Action::ReadConsultation,
        &[
            (Auditor, Anywhere),
            (Regulator, Anywhere),
            (FinanceOfficer, OwnOrganisation),
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
        ],
    ),
    (
        Action::ListConsultations,
        &[
            (Auditor, Anywhere),
            (Regulator, Anywhere),
            (FinanceOfficer, Anywhere),
            (BuyerOfficer, Anywhere),
            (BuyerApprover, Anywhere),
        ],
    ),
    (Action::DraftConsultation, &[(BuyerOfficer, OwnOrganisation)]),
    (
        Action::ReviewConsultation,
        &[
            (FinanceOfficer, OwnOrganisation),
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
        ],
    ),
    (Action::ConcludeConsultation, &[(BuyerApprover, OwnOrganisation)]),
    (Action::SearchPublished, &[(Public, Anywhere)]),
    (Action::ReadPublication, &[(Public, Anywhere)]),
    (Action::ReadOwnSavedSearches, &[(Public, SignedIn)]),
    (Action::ChangeOwnSavedSearches, &[(Public, SignedIn)]),
    (Action::ReadOwnFollows, &[(Public, SignedIn)]),
    (Action::ChangeOwnFollows, &[(Public, SignedIn)]),
    (Action::ReadOwnCalendarLink, &[(Public, SignedIn)]),
    (Action::ChangeOwnCalendarLink, &[(Public, SignedIn)]),
    // A book that is not public is its buyer's alone, and the auditors'.
    (Action::ReadBooks, &[(Public, Anywhere)]),
    (
        Action::OpenBookDrafts,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Auditor, Anywhere),
        ],
    ),
    (
        Action::ListBookDrafts,
        &[
            (BuyerOfficer, Anywhere),
            (BuyerApprover, Anywhere),
            (Auditor, Anywhere),
        ],
    ),
    (Action::DraftBook, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::ApproveBook, &[(BuyerApprover, OwnOrganisation)]),
    (Action::PublishBook, &[(BuyerApprover, OwnOrganisation)]),
    (
        Action::DiscardBook,
        &[(BuyerOfficer, OwnOrganisation), (BuyerApprover, OwnOrganisation)],
    ),
    (Action::CancelBook, &[(BuyerApprover, OwnOrganisation)]),
    (Action::DraftAddendum, &[(BuyerOfficer, OwnOrganisation)]),
    (
        Action::DiscardAddendum,
        &[(BuyerOfficer, OwnOrganisation), (BuyerApprover, OwnOrganisation)],
    ),
    (Action::PublishAddendum, &[(BuyerApprover, OwnOrganisation)]),
    // Whose share it is, is looked up; to everyone else there is none.
    (Action::RegisterWitnessKey, &[(Role::OpeningWitness, Anywhere)]),
    (Action::ReadOwnShare, &[(Role::OpeningWitness, Anywhere)]),
    (Action::RehearseShare, &[(Role::OpeningWitness, Anywhere)]),
    (Action::HandInShare, &[(Role::OpeningWitness, Anywhere)]),
    // When nobody has, the service does.
    (
        Action::OpenBids,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (System, Anywhere),
        ],
    ),
    (Action::ReadOpenings, &[(Public, Anywhere)]),
    (Action::AskEnquiry, &[(SupplierAgent, OwnOrganisation)]),
    (Action::ReadOwnEnquiries, &[(SupplierAgent, OwnOrganisation)]),
    (
        Action::OpenEnquiries,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Auditor, Anywhere),
        ],
    ),
    (Action::AnswerEnquiry, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::OpenEnquiryAskers, &[(Auditor, Anywhere)]),
    // Not the platform's administrator, and no other bidder.
    (
        Action::ReadOpenedBids,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Auditor, Anywhere),
            (Regulator, Anywhere),
        ],
    ),
    (Action::DecideConfidentiality, &[(BuyerApprover, OwnOrganisation)]),
    // Who may be drawn is known to those who keep the pool, and to each expert of themself: not to buyers, who would know whom to expect.
    (Action::ListExperts, &[(Auditor, Anywhere), (Regulator, Anywhere)]),
    (
        Action::ReadExpert,
        &[
            (Role::Evaluator, OwnAccount),
            (Auditor, Anywhere),
            (Regulator, Anywhere),
        ],
    ),
    (Action::KeepExperts, &[(Regulator, Anywhere)]),
    (Action::ReadPanel, &[(Public, Anywhere)]),
    (
        Action::OpenPanel,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Auditor, Anywhere),
        ],
    ),
    (Action::OpenPanelNames, &[(Auditor, Anywhere)]),
    (Action::DrawPanel, &[(BuyerApprover, OwnOrganisation)]),
    (
        Action::RunPanel,
        &[(BuyerOfficer, OwnOrganisation), (BuyerApprover, OwnOrganisation)],
    ),
    // Whose seat it is, is looked up; to everyone else there is none.
    (
        Action::SitOnPanel,
        &[
            (BuyerOfficer, OwnAccount),
            (BuyerApprover, OwnAccount),
            (Role::Evaluator, OwnAccount),
        ],
    ),
    (
        Action::ReadOwnSeats,
        &[
            (BuyerOfficer, Anywhere),
            (BuyerApprover, Anywhere),
            (Role::Evaluator, Anywhere),
        ],
    ),
    (
        Action::ReadJudgedBids,
        &[
            (BuyerOfficer, OwnAccount),
            (BuyerApprover, OwnAccount),
            (Role::Evaluator, OwnAccount),
        ],
    ),
    (
        Action::ReadAdmission,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Role::Evaluator, OwnAccount),
            (Auditor, Anywhere),
            (Regulator, Anywhere),
        ],
    ),
    (
        Action::CheckEligibility,
        &[(BuyerOfficer, OwnOrganisation), (BuyerApprover, OwnOrganisation)],
    ),
    (Action::DisqualifyBid, &[(BuyerApprover, OwnOrganisation)]),
    (Action::ReadPanelQuestions, &[(SupplierAgent, OwnOrganisation)]),
    (Action::AnswerPanel, &[(SupplierAgent, OwnOrganisation)]),
    // Whose seat on the panel it is, and who has the chair, is looked up; to everyone else there is none.
    (
        Action::ScoreBids,
        &[
            (BuyerOfficer, OwnAccount),
            (BuyerApprover, OwnAccount),
            (Role::Evaluator, OwnAccount),
        ],
    ),
    (
        Action::OpenScoringRound,
        &[(BuyerApprover, OwnOrganisation), (Role::Evaluator, OwnAccount)],
    ),
    (
        Action::ConcludeEvaluation,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Role::Evaluator, OwnAccount),
        ],
    ),
    (Action::ReadEvaluation, &[(Public, Anywhere)]),
    // Neither the platform's administrator nor any bidder, before the result is published.
    (
        Action::OpenEvaluation,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Auditor, Anywhere),
            (Regulator, Anywhere),
        ],
    ),
    (Action::RecordAppraisal, &[(BuyerOfficer, OwnOrganisation)]),
    (
        Action::ConfirmAppraisal,
        &[(BuyerOfficer, OwnOrganisation), (BuyerApprover, OwnOrganisation)],
    ),
    // A sealed bid is its bidder's alone: no buyer, auditor or administrator learns even that it exists.
    (Action::SubmitBid, &[(SupplierAgent, OwnOrganisation)]),
    (Action::HandInBidDocuments, &[(SupplierAgent, OwnOrganisation)]),
    (Action::ReadOwnBids, &[(SupplierAgent, OwnOrganisation)]),
    (Action::ListOwnBids, &[(SupplierAgent, Anywhere)]),
    (Action::LodgeBidSecurity, &[(SupplierAgent, OwnOrganisation)]),
    (
        Action::ReadBidSecurities,
        &[(FinanceOfficer, OwnOrganisation), (Auditor, Anywhere)],
    ),
    (Action::KeepBidSecurity, &[(FinanceOfficer, OwnOrganisation)]),
    (Action::ReadAwards, &[(Public, Anywhere)]),
    // Whom an award is about is the buyer's and the auditors' until its notice.
    (
        Action::OpenAwards,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Auditor, Anywhere),
        ],
    ),
    (Action::ProposeAward, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::DecideAward, &[(BuyerApprover, OwnOrganisation)]),
    (
        Action::PublishAwardNotice,
        &[(BuyerOfficer, OwnOrganisation), (BuyerApprover, OwnOrganisation)],
    ),
    (Action::ConfirmAward, &[(BuyerApprover, OwnOrganisation)]),
    (Action::EndAward, &[(BuyerApprover, OwnOrganisation)]),
    (Action::WithdrawFromAward, &[(SupplierAgent, OwnOrganisation)]),
    (Action::ReadOwnResult, &[(SupplierAgent, OwnOrganisation)]),
    (Action::AskAboutResult, &[(SupplierAgent, OwnOrganisation)]),
    (Action::FileChallenge, &[(SupplierAgent, OwnOrganisation)]),
    (Action::FileComplaint, &[(SupplierAgent, OwnOrganisation)]),
    (
        Action::ReadOwnDisputes,
        &[
            (SupplierAgent, OwnOrganisation),
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Auditor, Anywhere),
            (Regulator, Anywhere),
        ],
    ),
    (
        Action::OpenDisputes,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Auditor, Anywhere),
            (Regulator, Anywhere),
        ],
    ),
    (Action::ReplyToQuery, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::ReplyToChallenge, &[(BuyerApprover, OwnOrganisation)]),
    (Action::HandleComplaint, &[(Regulator, Anywhere)]),
    (Action::ReadContracts, &[(Public, Anywhere)]),
    (
        Action::OpenContracts,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (FinanceOfficer, OwnOrganisation),
            (SupplierAgent, OwnOrganisation),
            (OrganisationAdmin, OwnOrganisation),
            (Auditor, Anywhere),
        ],
    ),
    (Action::PrepareContract, &[(BuyerOfficer, OwnOrganisation)]),
    (
        Action::SignContract,
        &[
            (BuyerApprover, OwnOrganisation),
            (SupplierAgent, OwnOrganisation),
            (OrganisationAdmin, OwnOrganisation),
        ],
    ),
    (Action::SignForBuyer, &[(BuyerApprover, OwnOrganisation)]),
    (
        Action::SignForSupplier,
        &[
            (SupplierAgent, OwnOrganisation),
            (OrganisationAdmin, OwnOrganisation),
        ],
    ),
    (
        Action::LodgePerformanceSecurity,
        &[(SupplierAgent, OwnOrganisation)],
    ),
    (
        Action::KeepPerformanceSecurity,
        &[(FinanceOfficer, OwnOrganisation)],
    ),
    (Action::PlanInspections, &[(BuyerOfficer, OwnOrganisation)]),
    (
        Action::OpenInspectionPlans,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Auditor, Anywhere),
        ],
    ),
    (Action::ReadServedPlaces, &[(Public, Anywhere)]),
    (Action::KeepServedPlaces, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::ReadDefects, &[(Public, Anywhere)]),
    (
        Action::OpenDefects,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Auditor, Anywhere),
        ],
    ),
    (Action::RecordInspection, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::AnnulInspection, &[(BuyerApprover, OwnOrganisation)]),
    (Action::ContestInspection, &[(SupplierAgent, OwnOrganisation)]),
    (
        Action::DecideInspectionContest,
        &[(BuyerApprover, OwnOrganisation)],
    ),
    (Action::ReportDefect, &[(Public, Anywhere)]),
    (Action::ReadOwnDefectReports, &[(Public, SignedIn)]),
    // Whoever has the link of a report has no account; whose report it is, is looked up.
    (Action::FollowDefect, &[(Public, Anywhere)]),
    (Action::DecideDefects, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::HandleDefects, &[(SupplierAgent, OwnOrganisation)]),
    (Action::ProposeVariation, &[(BuyerOfficer, OwnOrganisation)]),
    (
        Action::WithdrawVariation,
        &[(BuyerOfficer, OwnOrganisation), (BuyerApprover, OwnOrganisation)],
    ),
    (Action::IssueRectification, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::AnswerRectification, &[(SupplierAgent, OwnOrganisation)]),
    // By whoever of the two has not issued the notice, which the separation of duties sees to.
    (
        Action::DecideRectification,
        &[(BuyerOfficer, OwnOrganisation), (BuyerApprover, OwnOrganisation)],
    ),
    (Action::DecideTrigger, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::ProposeTermination, &[(BuyerOfficer, OwnOrganisation)]),
    (
        Action::StateOnTermination,
        &[
            (SupplierAgent, OwnOrganisation),
            (OrganisationAdmin, OwnOrganisation),
        ],
    ),
    (Action::DecideTermination, &[(BuyerApprover, OwnOrganisation)]),
    (Action::HandOverPeriod, &[(SupplierAgent, OwnOrganisation)]),
    (
        Action::OpenAcceptances,
        &[
            (BuyerOfficer, OwnOrganisation),
            (BuyerApprover, OwnOrganisation),
            (Auditor, Anywhere),
        ],
    ),
    (Action::DraftAcceptance, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::SignAcceptance, &[(BuyerApprover, OwnOrganisation)]),
    (Action::ObjectToAcceptance, &[(SupplierAgent, OwnOrganisation)]),
    (
        Action::DecideAcceptanceObjection,
        &[(BuyerApprover, OwnOrganisation)],
    ),
    (Action::ReadBallots, &[(Public, Anywhere)]),
    (Action::OpenBallotBox, &[(Auditor, Anywhere)]),
    (Action::CallBallot, &[(BuyerOfficer, OwnOrganisation)]),
    // Whoever has the vote casts it themself; there is no action by which staff does.
    (Action::CastVote, &[(Public, Anywhere)]),
    (Action::CastOwnVote, &[(Public, SignedIn)]),
    (Action::CountBallot, &[(System, Anywhere)]),
    (Action::PrintBallotLetters, &[(Registrar, OwnArea)]),
    (Action::KeepVoterListings, &[(Registrar, OwnArea)]),
    (Action::ModerateComment, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::ReplyToComment, &[(SupplierAgent, OwnOrganisation)]),
    (Action::MakeClaim, &[(SupplierAgent, OwnOrganisation)]),
    (Action::CertifyClaim, &[(BuyerOfficer, OwnOrganisation)]),
    (Action::ClosePeriod, &[(BuyerOfficer, OwnOrganisation)]),
    (
        Action::ReturnClaim,
        &[(BuyerOfficer, OwnOrganisation), (FinanceOfficer, OwnOrganisation)],
    ),
    (Action::ApproveClaim, &[(FinanceOfficer, OwnOrganisation)]),
    (Action::ExecuteClaim, &[(FinanceOfficer, OwnOrganisation)]),
    (Action::ConfirmPayment, &[(FinanceOfficer, OwnOrganisation)]),
    (
        Action::ReadPaymentBatches,
        &[(FinanceOfficer, OwnOrganisation), (Auditor, Anywhere)],
    ),
    (Action::MakePaymentBatch, &[(FinanceOfficer, OwnOrganisation)]),
    (Action::OpenPaymentFile, &[(FinanceOfficer, OwnOrganisation)]),
    (Action::ReadSpending, &[(Public, Anywhere)]),
    (Action::ImportHistory, &[(Admin, Anywhere), (System, Anywhere)]),
    (
        Action::ImportTables,
        &[
            (Admin, Anywhere),
            (FinanceOfficer, OwnOrganisation),
            (System, Anywhere),
        ],
    ),
    (Action::ReadImports, &[(Admin, Anywhere), (Auditor, Anywhere)]),
    (Action::ReadImported, &[(Public, Anywhere)]),
];

/// True if the table lets the actor do this with the matter. Of an auditor, whom it would not be allowed otherwise, it is remembered until the request is answered.
pub fn allows(actor: &Actor, action: Action, matter: Matter<'_>) -> bool {
    let is_allowed = actor.within_scope(action.scope()) && granted(actor, actor.grants(), action, matter);
    if is_allowed && actor.has(Auditor) && !granted(actor, &unless_auditor(actor), action, matter) {
        actor.looks_as_auditor(action);
    }
    is_allowed
}

/// What somebody may do in other capacities.
fn unless_auditor(actor: &Actor) -> Vec<Grant> {
    let others = actor.grants().iter().filter(|grant| grant.role != Auditor);
    others.cloned().collect()
}

/// True if the actor may do this with some matter or other: asked before a matter is looked up, so that whoever may do it
/// with none learns nothing of it.
pub fn may_at_all(actor: &Actor, action: Action) -> bool {
    let signed_in = actor.id().is_some();
    rows(action).any(|(role, condition)| actor.has(role) && (condition == Anywhere || signed_in))
}

/// True if one of these grants, or being somebody at all, is listed with a condition that holds.
fn granted(actor: &Actor, grants: &[Grant], action: Action, matter: Matter<'_>) -> bool {
    rows(action).any(|(role, condition)| {
        (role == Public && holds(condition, actor, None, matter))
            || grants
                .iter()
                .filter(|grant| grant.role == role)
                .any(|grant| holds(condition, actor, Some(grant), matter))
    })
}

fn rows(action: Action) -> impl Iterator<Item = (Role, Condition)> {
    TABLE
        .iter()
        .filter(move |(listed, _)| *listed == action)
        .flat_map(|(_, grants)| grants.iter().copied())
}

fn holds(condition: Condition, actor: &Actor, grant: Option<&Grant>, matter: Matter<'_>) -> bool {
    match condition {
        Anywhere => true,
        SignedIn => actor.id().is_some(),
        OwnDoing => actor.id().is_some() && actor.id() == matter.caused_by,
        OwnAccount => actor.id().is_some() && actor.id() == matter.account,
        OwnOrganisation => grant
            .and_then(|grant| grant.organisation.as_ref())
            .is_some_and(|own| matter.organisation == Some(own)),
        OwnArea => grant
            .and_then(|grant| grant.area.as_ref())
            .zip(matter.area_path)
            .is_some_and(|(own, path)| path.split('/').any(|id| id == own.as_str())),
    }
}

/// In which capacity the actor does this with the matter: the grant by which the table allows it, one held outright before one
/// held as a deputy; `None` where it is allowed to them as themselves.
pub fn grant_for<'a>(actor: &'a Actor, action: Action, matter: Matter<'_>) -> Option<&'a Grant> {
    if rows(action).any(|(role, condition)| role == Public && holds(condition, actor, None, matter)) {
        return None;
    }
    let fitting = |grant: &&Grant| {
        rows(action)
            .any(|(role, condition)| role == grant.role && holds(condition, actor, Some(grant), matter))
    };
    let held = || actor.grants().iter().filter(fitting);
    held()
        .find(|grant| grant.deputy_of.is_none())
        .or_else(|| held().next())
}

/// Refuses unless the table allows it.
///
/// # Errors
/// [`UNAUTHENTICATED`] to whoever did not say who they are, [`SCOPE_MISSING`] to a machine's token that was not made for this,
/// [`SECOND_FACTOR_REQUIRED`] to whoever could do it in a stronger session, [`FORBIDDEN`] to everyone else.
pub fn allow(actor: &Actor, action: Action, matter: Matter<'_>) -> Answer<()> {
    if allows(actor, action, matter) {
        return Ok(());
    }
    let reason = if actor.id().is_none() {
        &UNAUTHENTICATED
    } else if granted(actor, actor.grants(), action, matter) {
        &SCOPE_MISSING
    } else if granted(actor, actor.withheld(), action, matter) {
        &SECOND_FACTOR_REQUIRED
    } else {
        &FORBIDDEN
    };
    Err(reason.refuse().into())
}

/// Refuses whoever may not do this with any matter whatever; see [`may_at_all`].
///
/// # Errors
/// [`UNAUTHENTICATED`], [`SCOPE_MISSING`], [`SECOND_FACTOR_REQUIRED`], [`FORBIDDEN`].
pub fn allow_at_all(actor: &Actor, action: Action) -> Answer<()> {
    let reason = match (may_at_all(actor, action), actor.id()) {
        (true, _) if actor.within_scope(action.scope()) => return Ok(()),
        (true, _) => &SCOPE_MISSING,
        (false, None) => &UNAUTHENTICATED,
        (false, Some(_)) => {
            let withheld =
                |(role, _): (Role, Condition)| actor.withheld().iter().any(|grant| grant.role == role);
            if rows(action).any(withheld) {
                &SECOND_FACTOR_REQUIRED
            } else {
                &FORBIDDEN
            }
        }
    };
    Err(reason.refuse().into())
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
    use crate::kernel::party::AreaId;

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
        let caused = |id| Matter {
            caused_by: Some(id),
            ..Matter::default()
        };
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
    fn a_role_in_one_organisation_or_area_is_none_in_another() {
        let now = crate::kernel::clock::Clock::system().now();
        let (mine, other) = (OrganisationId::mint(now), OrganisationId::mint(now));
        let (street, community) = (AreaId::mint(now), AreaId::mint(now));
        let path = format!("{street}/{community}/");
        let grants = [
            Grant::of(Role::BuyerOfficer).in_organisation(mine.clone()),
            Grant::of(Role::Registrar).in_area(street.clone()),
        ];
        let actor = Actor::in_session("user_a".into(), "session_a".into(), grants.to_vec());
        let check = |grant: usize, condition, matter| holds(condition, &actor, grants.get(grant), matter);
        assert!(check(0, OwnOrganisation, Matter::of_organisation(&mine)));
        assert!(!check(0, OwnOrganisation, Matter::of_organisation(&other)));
        // The other grant's role is not held in that organisation.
        assert!(!check(1, OwnOrganisation, Matter::of_organisation(&mine)));
        assert!(check(1, OwnArea, Matter::of_area(&path)));
        let elsewhere = format!("{community}/");
        assert!(!check(1, OwnArea, Matter::of_area(&elsewhere)));
        assert!(!check(0, OwnArea, Matter::of_area(&path)));
        assert!(!check(0, OwnOrganisation, Matter::default()) && !check(1, OwnArea, Matter::default()));
        assert!(check(2, OwnAccount, Matter::of_account("user_a")));
        assert!(!check(2, OwnAccount, Matter::of_account("user_b")));
        assert!(!holds(OwnAccount, &Actor::public(), None, Matter::default()));
        assert!(
            check(2, SignedIn, Matter::default())
                && !holds(SignedIn, &Actor::public(), None, Matter::default())
        );
    }

    #[test]
    fn who_may_do_a_thing_outright_does_it_in_no_one_elses_place() {
        let now = crate::kernel::clock::Clock::system().now();
        let (mine, other) = (OrganisationId::mint(now), OrganisationId::mint(now));
        let administrator = |organisation: &OrganisationId| {
            Grant::of(OrganisationAdmin).in_organisation(organisation.clone())
        };
        let deputy = administrator(&mine).as_deputy_of("user_b");
        let actor =
            |grants: &[Grant]| Actor::in_session("user_a".into(), "session_a".into(), grants.to_vec());
        let matter = Matter::of_organisation(&mine);
        let by = |grants: &[Grant]| grant_for(&actor(grants), ChangeOrganisation, matter).cloned();
        assert_eq!(
            by(&[deputy.clone(), administrator(&mine)]),
            Some(administrator(&mine))
        );
        assert_eq!(by(&[administrator(&other), deputy.clone()]), Some(deputy.clone()));
        assert_eq!(by(&[Grant::of(Admin), deputy.clone()]), Some(Grant::of(Admin)));
        assert_eq!(by(&[administrator(&other)]), None);
        // What everyone with an account may do is done as oneself.
        assert_eq!(grant_for(&actor(&[deputy]), RegisterOrganisation, matter), None);
    }

    #[test]
    fn a_machines_token_does_only_what_it_was_made_for_and_a_weak_session_less() {
        let refused = |actor: &Actor| match allow(actor, CreateArea, Matter::default()) {
            Err(crate::kernel::refusal::Stop::Refused(refusal)) => refusal.reason.code,
            other => unreachable!("{other:?}"),
        };
        let machine = |scope: &str, role| {
            Actor::by_api_token(
                "user_a".into(),
                "t".into(),
                vec![scope.into()],
                vec![Grant::of(role)],
            )
        };
        assert!(allow(&machine("areas.write", Admin), CreateArea, Matter::default()).is_ok());
        assert_eq!(refused(&machine("areas.read", Admin)), "scope_missing");
        assert_eq!(refused(&machine("areas.write", Auditor)), "forbidden");
        let weak = Actor::in_session("user_a".into(), "s".into(), Vec::new());
        assert_eq!(refused(&weak), "forbidden");
        let weak = weak.withholding(vec![Grant::of(Admin)]);
        assert_eq!(refused(&weak), "second_factor_required");
        assert!(allow_at_all(&weak, CreateArea).is_err() && !may_at_all(&weak, CreateArea));
        assert!(may_at_all(&weak, OpenEvent) && !may_at_all(&Actor::public(), OpenEvent));
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
