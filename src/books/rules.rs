//! A contract book and which state follows which: it is drafted, submitted, approved, published, and may be cancelled. What was
//! published never changes; an addendum adds a version. Pure.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::books::rules_content::Content;
use crate::books::rules_documents::TEXT_LENGTH_MAX;
use crate::kernel::clock::Instant;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::statutes::rules::StatuteId;
use crate::text;

crate::ids! {
    /// A contract book.
    BookId "book"
    /// A lot of a published book.
    LotId "lot"
}

/// Bytes of a stored book at most.
pub const CONTENT_BYTES_MAX: usize = 1_048_576;
/// Versions of one published book at most.
pub const VERSIONS_MAX: i64 = 100;

/// The book is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "book_wrong_state",
    "项目承包责任书当前状态不允许此操作",
    "The book's state does not allow this",
);
/// Something is missing, or not as the rules want it.
pub static NOT_READY: Reason = Reason::new(
    Kind::Conflict,
    "book_not_ready",
    "项目承包责任书尚有缺漏或不合规之处",
    "Something of the book is missing or unlawful",
);
/// There is no such category, or it takes nothing new.
pub static CATEGORY_CLOSED: Reason = Reason::new(
    Kind::Invalid,
    "book_category_closed",
    "服务类别不存在或已停用",
    "There is no such category of services, or it is retired",
);
/// The buyer is no public body that was verified.
pub static NO_BUYER: Reason = Reason::new(
    Kind::Conflict,
    "book_no_buyer",
    "采购人应为已核验的公共机构",
    "The buyer must be a public body that was verified",
);
/// There is no template of that name.
pub static TEMPLATE_UNKNOWN: Reason = Reason::new(
    Kind::Conflict,
    "book_template_unknown",
    "没有该类别的模板",
    "There is no template for that category",
);

/// The reasons of this slice.
pub static REASONS: [&Reason; 5] = [
    &WRONG_STATE,
    &NOT_READY,
    &CATEGORY_CLOSED,
    &NO_BUYER,
    &TEMPLATE_UNKNOWN,
];

/// How far a book has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BookState)]
pub enum State {
    /// It is being written.
    Draft,
    /// It waits for its approval.
    Submitted,
    /// It may be published.
    Approved,
    /// It is public, and its money is reserved.
    Published,
    /// It was cancelled after it was published, and its money is free again.
    Cancelled,
    /// It was given up before it was published.
    Discarded,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Draft,
        Self::Submitted,
        Self::Approved,
        Self::Published,
        Self::Cancelled,
        Self::Discarded,
    ];
    /// Those in which something may still become of it, and that nobody outside the buyer's organisation learns of.
    pub const INSIDE: [Self; 3] = [Self::Draft, Self::Submitted, Self::Approved];
    /// Those that everyone sees.
    pub const PUBLIC: [Self; 2] = [Self::Published, Self::Cancelled];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Published => "published",
            Self::Cancelled => "cancelled",
            Self::Discarded => "discarded",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether everyone sees a book in it.
    pub fn is_public(self) -> bool {
        Self::PUBLIC.contains(&self)
    }
}

/// What a publication fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// When, UTC.
    pub at: Instant,
    /// The version of the rules that held then, and that the book keeps.
    pub statute_id: StatuteId,
    /// To whom bids are sealed: an age X25519 recipient.
    pub recipient: String,
    /// Counts the published versions, from 1.
    pub versions: i64,
}

/// A contract book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// Its id.
    pub id: BookId,
    /// Who buys.
    pub organisation_id: OrganisationId,
    /// How far it has come.
    pub state: State,
    /// What it says now.
    pub content: Content,
    /// SHA-256 of the stored bytes, as the log has it of every published version.
    pub sha256: [u8; 32],
    /// Counts the changes, from 1.
    pub revision: i64,
    /// When it was begun, UTC.
    pub created_at: Instant,
    /// When it was changed last, UTC.
    pub updated_at: Instant,
    /// Why it was sent back to its drafters last.
    pub sent_back: Option<String>,
    /// Since it was published.
    pub publication: Option<Publication>,
    /// When its bids were opened, UTC.
    pub opened_at: Option<Instant>,
    /// When it was cancelled, UTC, and why.
    pub cancelled: Option<(Instant, Line)>,
}

/// The hash of a book's stored bytes.
pub fn sha256(content: &str) -> [u8; 32] {
    Sha256::digest(content.as_bytes()).into()
}

/// A draft.
pub fn draft(id: BookId, organisation_id: OrganisationId, content: Content, now: Instant) -> Book {
    Book {
        id,
        organisation_id,
        state: State::Draft,
        content,
        // Set when it is written out.
        sha256: [0; 32],
        revision: 1,
        created_at: now,
        updated_at: now,
        sent_back: None,
        publication: None,
        opened_at: None,
        cancelled: None,
    }
}

fn in_state(book: &Book, wanted: &[State]) -> Result<(), Refusal> {
    if wanted.contains(&book.state) {
        return Ok(());
    }
    let name = book.state.name();
    Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")))
}

fn advanced(before: Book, state: State, now: Instant) -> Book {
    Book {
        state,
        revision: before.revision.saturating_add(1),
        updated_at: now,
        ..before
    }
}

/// The draft with other content; `None` if it says that already.
///
/// # Errors
/// [`WRONG_STATE`] unless it is a draft.
pub fn rewrite(before: Book, content: Content, now: Instant) -> Result<Option<Book>, Refusal> {
    in_state(&before, &[State::Draft])?;
    if content == before.content {
        return Ok(None);
    }
    let rewritten = advanced(before, State::Draft, now);
    Ok(Some(Book { content, ..rewritten }))
}

/// The draft, waiting for its approval.
///
/// # Errors
/// [`WRONG_STATE`] unless it is a draft.
pub fn submit(before: Book, now: Instant) -> Result<Book, Refusal> {
    in_state(&before, &[State::Draft])?;
    let submitted = advanced(before, State::Submitted, now);
    Ok(Book {
        sent_back: None,
        ..submitted
    })
}

/// The book, a draft again.
///
/// # Errors
/// [`WRONG_STATE`] unless it was submitted or approved and not published; a reason that is none.
pub fn send_back(before: Book, reason: &str, now: Instant) -> Result<Book, Refusal> {
    let mut form = Form::new();
    let reason = form.line("/reason", reason, TEXT_LENGTH_MAX);
    let reason = form.finish(reason)?;
    in_state(&before, &[State::Submitted, State::Approved])?;
    let back = advanced(before, State::Draft, now);
    Ok(Book {
        sent_back: Some(reason),
        ..back
    })
}

/// The book, approved.
///
/// # Errors
/// [`WRONG_STATE`] unless it was submitted.
pub fn approve(before: Book, now: Instant) -> Result<Book, Refusal> {
    in_state(&before, &[State::Submitted])?;
    Ok(advanced(before, State::Approved, now))
}

/// The book, given up. What it said stays with its organisation.
///
/// # Errors
/// [`WRONG_STATE`] if it was published, or given up before.
pub fn discard(before: Book, now: Instant) -> Result<Book, Refusal> {
    in_state(&before, &State::INSIDE)?;
    Ok(advanced(before, State::Discarded, now))
}

/// Whether it may be published as far as its state goes.
///
/// # Errors
/// [`WRONG_STATE`] unless it was approved.
pub fn may_publish(book: &Book) -> Result<(), Refusal> {
    in_state(book, &[State::Approved])
}

/// The book, public.
///
/// # Errors
/// [`WRONG_STATE`] unless it was approved.
pub fn publish(
    before: Book,
    statute_id: StatuteId,
    recipient: String,
    now: Instant,
) -> Result<Book, Refusal> {
    may_publish(&before)?;
    let published = advanced(before, State::Published, now);
    let publication = Publication {
        at: now,
        statute_id,
        recipient,
        versions: 1,
    };
    Ok(Book {
        publication: Some(publication),
        ..published
    })
}

/// The published book with another version, which says something else.
///
/// # Errors
/// [`WRONG_STATE`] unless it is published.
pub fn amend(before: Book, content: Content, now: Instant) -> Result<Book, Refusal> {
    in_state(&before, &[State::Published])?;
    let publication = before.publication.clone().map(|publication| Publication {
        versions: publication.versions.saturating_add(1),
        ..publication
    });
    let amended = advanced(before, State::Published, now);
    Ok(Book {
        content,
        publication,
        ..amended
    })
}

/// The book, cancelled. What was published stays to be read.
///
/// # Errors
/// [`WRONG_STATE`] unless it is published; a reason that is none.
pub fn cancel(before: Book, (zh, en): (&str, &str), now: Instant) -> Result<Book, Refusal> {
    let mut form = Form::new();
    let reason = Line {
        zh: form.line("/reason_zh", zh, TEXT_LENGTH_MAX),
        en: form.line("/reason_en", en, TEXT_LENGTH_MAX),
    };
    let reason = form.finish(reason)?;
    in_state(&before, &[State::Published])?;
    let cancelled = advanced(before, State::Cancelled, now);
    Ok(Book {
        cancelled: Some((now, reason)),
        ..cancelled
    })
}
