//! The kinds of mail there are. A new kind is a struct of its facts with a [`Facts`] of its own, and one line in the list
//! below; its words are [`Text`](crate::kernel::text::Text), which does not exist in one language only. Facts are stored
//! as JSON until the mail is sent: a field that is added to a kind later needs `#[serde(default)]`, because mail of the
//! version before may still wait.

use serde::{Deserialize, Serialize};

use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::Wording;

pub use crate::outbox::content_accounts::{
    AccountBootstrap, AccountInvited, AccountKnown, FactorChange, IdentityChanged, PasswordChanged,
    PasswordReset, RefreshReuseDetected, ResidenceRegistration, SecondFactorChanged, SignInCode,
};
pub use crate::outbox::content_awards::{LotEnded, LotHappened};
pub use crate::outbox::content_ballots::{
    BallotLetterReplaced, BallotOpened, BallotRollChanged, BallotTermsChanged, RatingCommentReleased,
    RatingCommentsWaiting, Unsealing,
};
pub use crate::outbox::content_books::{Because, BookAmended, BookCancelled, BookPublished};
pub use crate::outbox::content_contracts::{BankPaymentsHappened, InspectionHappened};
pub use crate::outbox::content_defects::{DefectHappened, DefectNews, DefectsWaiting, News};
pub use crate::outbox::content_enquiries::{EnquiriesUnanswered, EnquiryMade};
pub use crate::outbox::content_matters::{
    BankAccountChangeProposed, BankAccountChangeWithdrawn, BankAccountChanged, DebarmentLifted,
    DebarmentRecorded, DeputyAppointed, DeputyEnded, Digest, DigestItem, FollowedHappened,
    OrganisationRefused, OrganisationVerified, QualificationExpiring, RoleGiven, RoleTaken,
};

pub use crate::outbox::content_openings::{
    BidFate, ConfidentialityDecided, LotOpened, ShareSealed, SharesAwaited,
};
pub use crate::outbox::content_panels::{
    BidDisqualified, PanelCalled, PanelIncomplete, PanelLeft, PriceCorrected, PriceQuestioned,
    ScoringReopened,
};

/// What the facts of one kind of mail can tell.
pub trait Facts {
    /// Why such a mail is sent.
    fn category(&self) -> Category;

    /// True if it holds a code or a link that lets in whoever has it: then it is forgotten the moment it is sent.
    fn is_secret(&self) -> bool {
        false
    }

    /// What it says.
    fn wording(&self, head: &Letterhead) -> Wording;
}

/// `kinds! { /// … Name "na.me" }`: the enum of all kinds, and what each of them answers.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $kind:literal)+) => {
        /// What a mail is about, with its facts. Has no `Debug`, because facts hold codes, links and names.
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "facts")]
        pub enum Content {
            $($(#[$doc])* #[serde(rename = $kind)] $name($name),)+
        }

        impl Content {
            /// Every kind's name.
            pub const KINDS: &'static [&'static str] = &[$($kind),+];

            /// The name of its kind.
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind,)+ }
            }

            fn facts(&self) -> &dyn Facts {
                match self { $(Self::$name(facts) => facts,)+ }
            }
        }

        $(impl From<$name> for Content {
            fn from(facts: $name) -> Self {
                Self::$name(facts)
            }
        })+
    };
}

kinds! {
    /// Somebody is invited to open an account.
    AccountInvited "account.invited"
    /// The first administrator's way in.
    AccountBootstrap "account.bootstrap"
    /// A resident with a letter opens an account.
    ResidenceRegistration "residence.registration"
    /// A resident with a letter has an account already.
    AccountKnown "account.known"
    /// A one-time code to sign in with.
    SignInCode "sign_in.code"
    /// A way to choose another password.
    PasswordReset "password.reset"
    /// The password is another one.
    PasswordChanged "password.changed"
    /// The second factor is another one, or none.
    SecondFactorChanged "second_factor.changed"
    /// One can sign in through another provider, or no longer.
    IdentityChanged "identity.changed"
    /// A refresh token was shown twice.
    RefreshReuseDetected "refresh_reuse.detected"
    /// A role was given.
    RoleGiven "role.given"
    /// A role was taken away.
    RoleTaken "role.taken"
    /// Somebody stands in for somebody else.
    DeputyAppointed "deputy.appointed"
    /// Somebody stands in for somebody else no longer.
    DeputyEnded "deputy.ended"
    /// A qualification is about to expire.
    QualificationExpiring "qualification.expiring"
    /// An organisation was verified.
    OrganisationVerified "organisation.verified"
    /// An organisation was not verified.
    OrganisationRefused "organisation.refused"
    /// Another bank account was proposed; a second person has to agree.
    BankAccountChangeProposed "bank_account.change_proposed"
    /// Another bank account was agreed to.
    BankAccountChanged "bank_account.changed"
    /// A proposed bank account was taken back.
    BankAccountChangeWithdrawn "bank_account.change_withdrawn"
    /// A supplier was debarred.
    DebarmentRecorded "debarment.recorded"
    /// A debarment was lifted.
    DebarmentLifted "debarment.lifted"
    /// A contract book was published.
    BookPublished "book.published"
    /// A contract book has a further version.
    BookAmended "book.amended"
    /// A contract book was cancelled.
    BookCancelled "book.cancelled"
    /// Something was asked about a book.
    EnquiryMade "enquiry.made"
    /// Something was not answered in time.
    EnquiriesUnanswered "enquiries.unanswered"
    /// Something happened to what the person follows.
    FollowedHappened "followed.happened"
    /// A share of an opening key was sealed to a witness.
    ShareSealed "share.sealed"
    /// Bids wait to be opened for want of shares.
    SharesAwaited "shares.awaited"
    /// A lot was opened for which one's organisation has bid.
    LotOpened "lot.opened"
    /// The buyer has decided what of one's bid is kept from the public.
    ConfidentialityDecided "bid.confidentiality_decided"
    /// A lot came to nothing for which one's organisation has bid.
    LotEnded "lot.ended"
    /// Somebody was called to a seat of a panel.
    PanelCalled "panel.called"
    /// Somebody was recorded as absent from one.
    PanelLeft "panel.left"
    /// A seat is free, and nobody is left to be called.
    PanelIncomplete "panel.incomplete"
    /// Bids are scored again.
    ScoringReopened "scoring.reopened"
    /// The price of a bid was corrected; its bidder has to confirm it.
    PriceCorrected "price.corrected"
    /// The price of a bid is abnormally low; its bidder has to justify it.
    PriceQuestioned "price.questioned"
    /// A bid was disqualified.
    BidDisqualified "bid.disqualified"
    /// Something happened between the evaluation of a lot and its contract.
    LotHappened "lot.happened"
    /// Something happened to an inspection of work under a contract.
    InspectionHappened "inspection.happened"
    /// Payments that go to the bank wait for a finance officer, or were answered by it.
    BankPaymentsHappened "bank_payments.happened"
    /// Something happened to a defect that the contractor has to know of.
    DefectHappened "defect.happened"
    /// Something came of what somebody has reported.
    DefectNews "defect.news"
    /// Defects are late, or wait for an officer.
    DefectsWaiting "defects.waiting"
    /// A ballot is open in which the reader has a vote.
    BallotOpened "ballot.opened"
    /// A letter was printed for the reader, and makes their older one void if they had one.
    BallotLetterReplaced "ballot.letter_replaced"
    /// The roll of a ballot was found changed.
    BallotRollChanged "ballot.roll_changed"
    /// The terms of a ballot were found changed.
    BallotTermsChanged "ballot.terms_changed"
    /// Comments on a period wait for an officer.
    RatingCommentsWaiting "rating_comments.waiting"
    /// A comment on a period became public.
    RatingCommentReleased "rating_comment.released"
    /// What was kept for the morning.
    Digest "digest"
}

impl Content {
    /// Why it is sent.
    pub fn category(&self) -> Category {
        self.facts().category()
    }

    /// True if it is forgotten the moment it is sent.
    pub fn is_secret(&self) -> bool {
        self.facts().is_secret()
    }

    /// What it says.
    pub fn wording(&self, head: &Letterhead) -> Wording {
        self.facts().wording(head)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::kernel::clock::Instant;
    use crate::outbox::wording::Both;
    use chrono::{NaiveDate, TimeZone, Utc};

    fn at() -> Instant {
        Utc.with_ymd_and_hms(2026, 3, 9, 0, 30, 0).unwrap()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// One mail of each kind; whatever comes from outside is `hostile`.
    pub fn samples(hostile: &str) -> Vec<Content> {
        let both = || Both::new(format!("甲{hostile}"), format!("A{hostile}"));
        let one = || format!("A{hostile}");
        let path = || format!("/x/{hostile}");
        let item = |news| DigestItem {
            subject: both(),
            path: Some(path()),
            news,
        };
        vec![
            AccountInvited {
                by: one(),
                organisation: both(),
                path: path(),
                expires_at: at(),
            }
            .into(),
            AccountBootstrap {
                path: path(),
                expires_at: at(),
            }
            .into(),
            ResidenceRegistration {
                path: path(),
                expires_at: at(),
            }
            .into(),
            AccountKnown { path: path() }.into(),
            SignInCode {
                code: "042137".to_owned(),
                minutes: 10,
            }
            .into(),
            PasswordReset {
                path: path(),
                minutes: 30,
            }
            .into(),
            PasswordChanged { at: at() }.into(),
            SecondFactorChanged {
                change: FactorChange::CodeUsed,
                at: at(),
            }
            .into(),
            IdentityChanged {
                provider: both(),
                linked: true,
                at: at(),
            }
            .into(),
            RefreshReuseDetected { at: at() }.into(),
            RoleGiven {
                role: both(),
                organisation: both(),
                by: one(),
            }
            .into(),
            RoleTaken {
                role: both(),
                organisation: both(),
            }
            .into(),
            DeputyAppointed {
                principal: one(),
                role: both(),
                organisation: both(),
                from: date("2026-03-02"),
                until: date("2026-03-31"),
            }
            .into(),
            DeputyEnded {
                principal: one(),
                role: both(),
                organisation: both(),
            }
            .into(),
            QualificationExpiring {
                supplier: both(),
                qualification: both(),
                days_left: 1,
            }
            .into(),
            OrganisationVerified {
                organisation: both(),
                path: path(),
            }
            .into(),
            OrganisationRefused {
                organisation: both(),
                reason: format!("A\nB{hostile}"),
            }
            .into(),
            BankAccountChangeProposed {
                organisation: both(),
                by: one(),
            }
            .into(),
            BankAccountChanged {
                organisation: both(),
                by: one(),
                number_masked: one(),
            }
            .into(),
            BankAccountChangeWithdrawn {
                organisation: both(),
                by: one(),
            }
            .into(),
            DebarmentRecorded {
                organisation: both(),
                reason: one(),
                from: date("2026-03-02"),
                until: date("2027-03-01"),
                path: path(),
            }
            .into(),
            DebarmentLifted {
                organisation: both(),
                reason: one(),
                on: date("2026-06-01"),
                path: path(),
            }
            .into(),
            BookPublished {
                book: both(),
                buyer: both(),
                category: both(),
                ceiling: Some("2350200.00".to_owned()),
                bid_deadline: Some(at()),
                path: path(),
                because: Because::Supplier {
                    organisation: both(),
                    category: both(),
                },
            }
            .into(),
            BookAmended {
                book: both(),
                version: 2,
                reason: Some(both()),
                affects_bids: true,
                bid_deadline: Some(at()),
                path: path(),
                because: Because::Bidder { organisation: both() },
            }
            .into(),
            BookCancelled {
                book: both(),
                reason: Some(both()),
                path: path(),
                because: Because::FollowsCategory { category: both() },
            }
            .into(),
            EnquiryMade {
                book: both(),
                path: path(),
            }
            .into(),
            EnquiriesUnanswered {
                book: both(),
                count: 3,
                path: path(),
            }
            .into(),
            FollowedHappened {
                what: both(),
                happened: both(),
                path: path(),
            }
            .into(),
            ShareSealed {
                book: both(),
                opening: at(),
                path: path(),
            }
            .into(),
            SharesAwaited {
                book: both(),
                given: 1,
                threshold: 2,
                is_witness: true,
                path: path(),
            }
            .into(),
            LotOpened {
                book: both(),
                lot: one(),
                is_unsuccessful: false,
                bid: Some(BidFate::Opened {
                    against: vec![both()],
                }),
                path: path(),
            }
            .into(),
            ConfidentialityDecided {
                book: both(),
                accepted: 1,
                refused: 2,
                public_from: Some(at()),
                path: path(),
            }
            .into(),
            LotEnded {
                book: both(),
                lot: one(),
                reason: both(),
                path: path(),
            }
            .into(),
            PanelCalled {
                book: both(),
                for_buyer: false,
                path: path(),
            }
            .into(),
            PanelLeft {
                book: both(),
                reason: one(),
            }
            .into(),
            PanelIncomplete {
                book: both(),
                path: path(),
            }
            .into(),
            ScoringReopened {
                book: both(),
                lot: one(),
                round: 2,
                ground: both(),
                path: path(),
            }
            .into(),
            PriceCorrected {
                book: both(),
                lot: one(),
                from: "500.01".parse().unwrap(),
                to: "500.00".parse().unwrap(),
                until: at(),
                path: path(),
            }
            .into(),
            PriceQuestioned {
                book: both(),
                lot: one(),
                until: at(),
                path: path(),
            }
            .into(),
            BidDisqualified {
                book: both(),
                lot: one(),
                reason: both(),
            }
            .into(),
            LotHappened {
                book: both(),
                lot: one(),
                happened: both(),
                details: Some(both()),
                path: path(),
                is_duty: false,
            }
            .into(),
            InspectionHappened {
                book: both(),
                lot: one(),
                happened: both(),
                details: Some(both()),
                path: path(),
                is_contractor: true,
            }
            .into(),
            BankPaymentsHappened {
                happened: both(),
                details: Some(both()),
                path: path(),
            }
            .into(),
            DefectHappened {
                contract: both(),
                place: both(),
                category: both(),
                happened: both(),
                due_at: Some(at()),
                path: path(),
            }
            .into(),
            DefectNews {
                place: both(),
                category: both(),
                news: News::Rejected,
                reason: Some(one()),
                heard_days: 3,
                silent_days: 7,
                path: path(),
                is_link: false,
            }
            .into(),
            DefectsWaiting {
                overdue: 2,
                waiting: 1,
                path: path(),
            }
            .into(),
            BallotOpened {
                ballot: both(),
                closes_at: at(),
                is_reminder: true,
                path: path(),
                is_link: false,
            }
            .into(),
            BallotLetterReplaced {
                ballot: both(),
                closes_at: at(),
                is_first: true,
            }
            .into(),
            BallotRollChanged {
                ballot: both(),
                path: path(),
            }
            .into(),
            BallotTermsChanged {
                ballot: both(),
                path: path(),
            }
            .into(),
            RatingCommentsWaiting {
                ballot: both(),
                path: path(),
            }
            .into(),
            RatingCommentReleased {
                ballot: both(),
                path: path(),
            }
            .into(),
            Digest {
                date: date("2026-03-09"),
                items: vec![item(false), item(true)],
            }
            .into(),
        ]
    }

    #[test]
    fn there_is_a_sample_of_every_kind_and_its_facts_survive_being_stored() {
        let samples = samples("");
        let kinds: Vec<&str> = samples.iter().map(Content::kind).collect();
        assert!(kinds.contains(&BallotOpened::KIND));
        assert_eq!(kinds, Content::KINDS);
        for content in samples {
            let stored = serde_json::to_string(&content).unwrap();
            let read: Content = serde_json::from_str(&stored).unwrap();
            assert!(read == content, "{}", content.kind());
            assert!(!content.is_secret() || content.category() == Category::Security);
        }
    }

    #[test]
    fn a_digest_can_be_declined_only_if_it_holds_no_duty() {
        let item = |news| DigestItem {
            subject: Both::same("x"),
            path: None,
            news,
        };
        let of = |items: Vec<DigestItem>| Digest {
            date: date("2026-03-09"),
            items,
        };
        assert_eq!(of(vec![item(true)]).category(), Category::News);
        assert_eq!(of(vec![item(true), item(false)]).category(), Category::Duty);
        assert!(of(vec![item(true), item(false)]).has_news() && !of(vec![item(false)]).has_news());
    }
}
