//! What suppliers ask about a published book, and what they are answered. Answers are public and do not name the asker: what is public of
//! an enquiry is what the buyer's officer writes, the question included, in both languages. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::entry::commitment;
use crate::books::rules::{Book, BookId, State as BookState, WRONG_STATE as BOOK_WRONG_STATE};
use crate::books::rules_planning::passage;
use crate::kernel::clock::Instant;
use crate::kernel::party::{OrganisationId, OrganisationKind};
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::registry::rules_organisations::State as OrganisationState;
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::text;

crate::ids! {
    /// An enquiry about a published book.
    EnquiryId "enquiry"
}

/// Characters of a question or an answer.
pub const TEXT_LENGTH_MAX: usize = 2_000;
/// Enquiries of one supplier about one book, those that were withdrawn counted in.
pub const OF_SUPPLIER_MAX: i64 = 20;
/// Enquiries about one book.
pub const OF_BOOK_MAX: i64 = 500;

/// Who asks is no supplier that was verified.
pub static NOT_VERIFIED: Reason = Reason::new(
    Kind::Conflict,
    "enquiry_not_verified",
    "只有已核验的供应商可以提问",
    "Only suppliers that were verified may ask",
);
/// Who asks is debarred.
pub static DEBARRED: Reason = Reason::new(
    Kind::Conflict,
    "enquiry_debarred",
    "被限制参与采购期间不得提问",
    "Who is debarred may not ask",
);
/// The deadline for enquiries has passed.
pub static CLOSED: Reason = Reason::new(
    Kind::Conflict,
    "enquiry_closed",
    "提问已截止",
    "The deadline for enquiries has passed",
);
/// There are as many as there may be.
pub static TOO_MANY: Reason = Reason::new(
    Kind::Conflict,
    "enquiry_too_many",
    "提问数量已达上限",
    "There are as many enquiries as there may be",
);
/// It was answered or withdrawn already.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "enquiry_wrong_state",
    "该提问已答复或已撤回",
    "The enquiry was answered or withdrawn already",
);
/// There is no such addendum.
pub static ADDENDUM_UNKNOWN: Reason = Reason::new(
    Kind::Conflict,
    "enquiry_addendum_unknown",
    "没有该编号的补遗",
    "There is no published addendum of that number",
);
/// Who asked is told to nobody before bids are opened.
pub static ASKERS_SEALED: Reason = Reason::new(
    Kind::Conflict,
    "enquiry_askers_sealed",
    "开标前不得查看提问人",
    "Who asked is sealed until bids are opened",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 7] = [
    &NOT_VERIFIED,
    &DEBARRED,
    &CLOSED,
    &TOO_MANY,
    &WRONG_STATE,
    &ADDENDUM_UNKNOWN,
    &ASKERS_SEALED,
];

/// How far an enquiry has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EnquiryState)]
pub enum State {
    /// It waits for its answer.
    Open,
    /// It was answered, in public.
    Answered,
    /// Whoever asked took it back.
    Withdrawn,
}

/// Who asked. Has no `Debug`: it is shown to nobody, and to no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Asker {
    /// For which supplier.
    pub organisation_id: OrganisationId,
    /// Which account.
    pub account_id: String,
    /// Without it the commitment in the log could be guessed: there are few suppliers.
    pub salt: [u8; 32],
}

impl Asker {
    /// What the log has instead of who asked: hexadecimal SHA-256(salt ‖ account ‖ line feed ‖ organisation).
    pub fn commitment(&self) -> String {
        commitment(
            &self.salt,
            &format!("{}\n{}", self.account_id, self.organisation_id),
        )
    }
}

/// An answer. It is public, and never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Counts the answers about a book, from 1, in the order in which they were given.
    pub number: i64,
    /// What was asked, in the words of whoever answers.
    pub question: Line,
    /// What is answered.
    pub answer: Line,
    /// The number of the addendum that makes what the answer changes.
    pub addendum: Option<i64>,
    /// When, UTC.
    pub at: Instant,
}

/// An enquiry without who asked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enquiry {
    /// Its id.
    pub id: EnquiryId,
    /// About which book.
    pub book_id: BookId,
    /// In the words of whoever asked; never public, because words tell.
    pub question: String,
    /// When, UTC.
    pub asked_at: Instant,
    /// When it was taken back, UTC.
    pub withdrawn_at: Option<Instant>,
    /// What it was answered.
    pub answer: Option<Answer>,
}

impl Enquiry {
    /// How far it has come.
    pub const fn state(&self) -> State {
        match (&self.answer, &self.withdrawn_at) {
            (Some(_), _) => State::Answered,
            (None, Some(_)) => State::Withdrawn,
            (None, None) => State::Open,
        }
    }
}

/// What is known of who would ask, and of how much was asked.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// What the organisation is, if there is one.
    pub standing: Option<(OrganisationKind, OrganisationState)>,
    /// Whether it is debarred today.
    pub is_debarred: bool,
    /// What it has asked about this book.
    pub of_supplier: i64,
    /// What all have asked about this book.
    pub of_book: i64,
}

fn published(book: &Book) -> Result<(), Refusal> {
    if book.state == BookState::Published {
        return Ok(());
    }
    let name = book.state.name();
    Err(BOOK_WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")))
}

/// An enquiry, if it may be made. It is refused for the first of these that applies: a book that is not published, who is no verified
/// supplier, who is debarred, the deadline, the numbers, the words.
///
/// # Errors
/// `book_wrong_state`, [`NOT_VERIFIED`], [`DEBARRED`], [`CLOSED`], [`TOO_MANY`]; a question that does not fit.
pub fn ask(
    id: EnquiryId,
    book: &Book,
    asking: Asking,
    question: &str,
    now: Instant,
) -> Result<Enquiry, Refusal> {
    published(book)?;
    let may_ask = asking
        .standing
        .is_some_and(|(kind, state)| kind.may_supply() && state == OrganisationState::Verified);
    if !may_ask {
        return Err(NOT_VERIFIED.refuse().at("/organisation_id"));
    }
    if asking.is_debarred {
        return Err(DEBARRED.refuse().at("/organisation_id"));
    }
    let deadline = book.content.document().timetable.enquiry_deadline;
    if deadline.is_none_or(|deadline| now >= deadline) {
        return Err(CLOSED.refuse());
    }
    // Which of the two it is is not told: how many others asked is nobody's business.
    if asking.of_supplier >= OF_SUPPLIER_MAX || asking.of_book >= OF_BOOK_MAX {
        return Err(TOO_MANY.refuse());
    }
    let mut form = Form::new();
    let question = passage(&mut form, "/question", question, TEXT_LENGTH_MAX);
    let question = form.finish(question)?;
    Ok(Enquiry {
        id,
        book_id: book.id.clone(),
        question,
        asked_at: now,
        withdrawn_at: None,
        answer: None,
    })
}

/// The enquiry, taken back.
///
/// # Errors
/// [`WRONG_STATE`] unless it is open.
pub fn withdraw(before: Enquiry, now: Instant) -> Result<Enquiry, Refusal> {
    if before.state() != State::Open {
        return Err(WRONG_STATE.refuse());
    }
    Ok(Enquiry {
        withdrawn_at: Some(now),
        ..before
    })
}

/// What is entered of an answer.
#[derive(Clone, Debug)]
pub struct Entered {
    /// What was asked, in Chinese and English.
    pub question: (String, String),
    /// What is answered, in Chinese and English.
    pub answer: (String, String),
    /// The number of the addendum that makes what it changes.
    pub addendum: Option<i64>,
}

/// The enquiry, answered; `number` is the next number of answers about its book. After the deadline for answers it is late, which is shown
/// and refused by nobody: an answer that comes late is better than none.
///
/// # Errors
/// [`WRONG_STATE`] unless it is open; `book_wrong_state`; every fault of the words; [`ADDENDUM_UNKNOWN`].
pub fn answer(
    before: Enquiry,
    book: &Book,
    entered: &Entered,
    (number, now): (i64, Instant),
) -> Result<Enquiry, Refusal> {
    if before.state() != State::Open {
        return Err(WRONG_STATE.refuse());
    }
    published(book)?;
    let mut form = Form::new();
    let mut said = |pointer: &str, text: &str| passage(&mut form, pointer, text, TEXT_LENGTH_MAX);
    let question = Line {
        zh: said("/question_zh", &entered.question.0),
        en: said("/question_en", &entered.question.1),
    };
    let answer = Line {
        zh: said("/answer_zh", &entered.answer.0),
        en: said("/answer_en", &entered.answer.1),
    };
    let (question, answer) = form.finish((question, answer))?;
    let versions = book
        .publication
        .as_ref()
        .map_or(0, |publication| publication.versions);
    if entered
        .addendum
        .is_some_and(|number| !(1..versions).contains(&number))
    {
        return Err(ADDENDUM_UNKNOWN.refuse().at("/addendum"));
    }
    let answer = Answer {
        number,
        question,
        answer,
        addendum: entered.addendum,
        at: now,
    };
    Ok(Enquiry {
        answer: Some(answer),
        ..before
    })
}

/// Whether answers to a book are overdue: the deadline for them has come.
pub fn is_overdue(book: &Book, now: Instant) -> bool {
    let deadline = book.content.document().timetable.answer_deadline;
    deadline.is_some_and(|deadline| now >= deadline)
}

/// Whether it may be told who asked about a book: not before bids are opened, as nobody learns who might bid (招标投标法 art 22).
///
/// # Errors
/// [`ASKERS_SEALED`].
pub fn may_name_askers(book: &Book, now: Instant) -> Result<(), Refusal> {
    let opening = book.content.document().timetable.opening;
    if opening.is_some_and(|opening| now >= opening) {
        Ok(())
    } else {
        Err(ASKERS_SEALED.refuse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::rules_content::Content;
    use crate::books::{rules as books, templates};
    use crate::statutes::rules::StatuteId;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn book() -> Book {
        let mut document = templates::template("sanitation").unwrap().unwrap();
        document.timetable.enquiry_deadline = Some(at("2026-03-12T01:00:00Z"));
        document.timetable.answer_deadline = Some(at("2026-03-17T01:00:00Z"));
        document.timetable.bid_deadline = Some(at("2026-04-01T01:00:00Z"));
        document.timetable.opening = Some(at("2026-04-01T01:00:00Z"));
        let now = at("2026-03-02T00:00:00Z");
        let content = Content::checked(document).unwrap();
        let draft = books::draft(BookId::mint(now), OrganisationId::mint(now), content, now);
        let approved = books::approve(books::submit(draft, now).unwrap(), now).unwrap();
        books::publish(approved, StatuteId::mint(now), "age1".to_owned(), now).unwrap()
    }

    const VERIFIED: Option<(OrganisationKind, OrganisationState)> =
        Some((OrganisationKind::Company, OrganisationState::Verified));

    const ASKING: Asking = Asking {
        standing: VERIFIED,
        is_debarred: false,
        of_supplier: 0,
        of_book: 0,
    };

    fn refused(asking: Asking, question: &str, now: &str) -> &'static str {
        let asked = ask(EnquiryId::mint(at(now)), &book(), asking, question, at(now));
        asked.map_or_else(|refusal| refusal.reason.code, |_| "asked")
    }

    #[test]
    fn verified_suppliers_ask_strictly_before_the_deadline_and_not_without_end() {
        let last = "2026-03-12T00:59:59Z";
        assert_eq!(refused(ASKING, "几时开工？", last), "asked");
        assert_eq!(
            refused(ASKING, "几时开工？", "2026-03-12T01:00:00Z"),
            "enquiry_closed"
        );
        for (asking, code) in [
            (
                Asking {
                    of_supplier: OF_SUPPLIER_MAX - 1,
                    of_book: OF_BOOK_MAX - 1,
                    ..ASKING
                },
                "asked",
            ),
            (
                Asking {
                    of_supplier: OF_SUPPLIER_MAX,
                    ..ASKING
                },
                "enquiry_too_many",
            ),
            (
                Asking {
                    of_book: OF_BOOK_MAX,
                    ..ASKING
                },
                "enquiry_too_many",
            ),
            (
                Asking {
                    is_debarred: true,
                    of_book: OF_BOOK_MAX,
                    ..ASKING
                },
                "enquiry_debarred",
            ),
            (
                Asking {
                    standing: None,
                    is_debarred: true,
                    ..ASKING
                },
                "enquiry_not_verified",
            ),
            (
                Asking {
                    standing: Some((OrganisationKind::Company, OrganisationState::Registered)),
                    ..ASKING
                },
                "enquiry_not_verified",
            ),
            (
                Asking {
                    standing: Some((OrganisationKind::Department, OrganisationState::Verified)),
                    ..ASKING
                },
                "enquiry_not_verified",
            ),
        ] {
            assert_eq!(refused(asking, "几时开工？", last), code);
        }
        assert_eq!(refused(ASKING, &"字".repeat(TEXT_LENGTH_MAX), last), "asked");
        assert_eq!(
            refused(ASKING, &"字".repeat(TEXT_LENGTH_MAX + 1), last),
            "invalid"
        );
    }

    #[test]
    fn an_answer_names_an_addendum_that_there_is_and_comes_once() {
        let now = at("2026-03-03T00:00:00Z");
        let asked = ask(EnquiryId::mint(now), &book(), ASKING, "几时开工？", now).unwrap();
        let said = || ("甲".to_owned(), "A".to_owned());
        let entered = |addendum| Entered {
            question: said(),
            answer: said(),
            addendum,
        };
        let amended = books::amend(book(), book().content, now).unwrap();
        let code = |book: &Book, addendum| {
            answer(asked.clone(), book, &entered(addendum), (1, now))
                .map_or_else(|refusal| refusal.reason.code, |_| "answered")
        };
        assert_eq!(
            (code(&book(), None), code(&book(), Some(1))),
            ("answered", "enquiry_addendum_unknown")
        );
        assert_eq!(
            (
                code(&amended, Some(1)),
                code(&amended, Some(2)),
                code(&amended, Some(0))
            ),
            ("answered", "enquiry_addendum_unknown", "enquiry_addendum_unknown")
        );
        let answered = answer(asked.clone(), &book(), &entered(None), (1, now)).unwrap();
        assert_eq!(answered.state(), State::Answered);
        assert!(
            withdraw(answered.clone(), now).is_err()
                && answer(answered, &book(), &entered(None), (2, now)).is_err()
        );
        assert!(
            !is_overdue(&book(), at("2026-03-17T00:59:59Z"))
                && is_overdue(&book(), at("2026-03-17T01:00:00Z"))
        );
        assert!(
            may_name_askers(&book(), at("2026-04-01T00:59:59Z")).is_err()
                && may_name_askers(&book(), at("2026-04-01T01:00:00Z")).is_ok()
        );
    }
}
