//! What the panel asks bidders about their prices, and what they answer: a corrected price to confirm, an abnormally low one to justify. Each
//! function is one transaction's worth of work, permission first, event last. What is not answered in time is answered by silence, which
//! needs no act: whoever looks later sees it.

use chrono::Duration;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::acts_admission::{account_of, chaired, open, readable};
use crate::award::acts_panels::{tell, title};
use crate::award::admitted::verdict;
use crate::award::desk::{Known, goes_on, known};
use crate::award::rules_admission::{
    ADMISSION_UNDECIDED, Correction, Examined, Found, JUSTIFICATION_DOCUMENTS_MAX, JUSTIFICATION_EXISTS,
    JUSTIFICATION_NOT_ANSWERED, JUSTIFICATION_NOT_OPEN, Justification, PRICE_NOT_LOW, REASON_LENGTH_MAX,
    STATEMENT_LENGTH_MAX, Statement,
};
use crate::award::rules_corrections::{
    ANSWER_MINUTES_MAX, ANSWER_MINUTES_MIN, CORRECTION_EXISTS, CORRECTION_NOT_OPEN, proposed,
};
use crate::award::store_admission as store;
use crate::bids::acts_confidentiality::is_file_public;
use crate::bids::acts_opened::NamedBid;
use crate::bids::rules::BidId;
use crate::bids::store_openings;
use crate::books::rules::LotId;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files;
use crate::files::access::Access;
use crate::files::media::MediaType;
use crate::files::rules::{Attachment, AttachmentId, Use, Visibility};
use crate::kernel::clock::{Clock, Instant};
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Stop};
use crate::kernel::text::{Text, is_hidden};
use crate::outbox::content::{Content, PriceCorrected, PriceQuestioned};
use crate::registry::rules_text::Form;
use crate::registry::store_contacts;
use crate::standards::rules_indicators::Line;
use crate::statutes::codes;
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{INVALID, NOT_FOUND};

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    (lot, bid): (&LotId, &BidId),
    private: Value,
) -> Answer<()> {
    let event = Event {
        kind,
        subject: lot.to_string(),
        data: json!({"bid_id": bid}),
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

fn bid_of<'e>(bids: &'e [Examined], bid: &BidId) -> Answer<&'e Examined> {
    let found = bids.iter().find(|one| one.bid_id == *bid);
    Ok(found.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// Until when somebody answers who gets so many minutes.
fn until(now: Instant, minutes: u32, min: u32) -> Answer<Instant> {
    let min = min.max(1);
    if !(min..=ANSWER_MINUTES_MAX).contains(&minutes) {
        let detail = text!(
            "应为 {min} 至 {ANSWER_MINUTES_MAX} 分钟",
            "must be {min} to {ANSWER_MINUTES_MAX} minutes"
        );
        return Err(INVALID.because(detail).at("/minutes").into());
    }
    let until = now.checked_add_signed(Duration::minutes(i64::from(minutes)));
    Ok(until.ok_or_else(|| INVALID.refuse().at("/minutes"))?)
}

fn questions(lot: &LotId, bid: &BidId) -> String {
    format!("/api/v1/lots/{lot}/opened-bids/{bid}/questions")
}

/// What the panel read in a bid.
#[derive(Clone, Debug)]
pub struct Read {
    /// The price in its body, where that is another amount than was read out.
    pub body: Option<Money>,
    /// The amount in words, as it stands there.
    pub words: Option<String>,
    /// How many minutes the bidder gets to confirm.
    pub minutes: u32,
}

/// The chair records what a bid says of its price, which is corrected in the order of the statutes and put to the bidder.
///
/// # Errors
/// Those of [`chaired`] and [`open`]; not found, if there is no such bid; [`ADMISSION_UNDECIDED`] for a bid that is out; [`CORRECTION_EXISTS`];
/// those of [`proposed`]; too few or too many minutes.
pub fn correct(tx: &mut Tx<'_>, actor: &Actor, (lot, bid): (&LotId, &BidId), read: &Read) -> Answer<()> {
    let known = chaired(tx, actor, lot)?;
    let bids = open(tx.conn(), lot)?;
    let examined = bid_of(&bids, bid)?;
    if examined.correction.is_some() {
        return Err(CORRECTION_EXISTS.refuse().into());
    }
    let now = tx.now();
    let answer_until = until(now, read.minutes, ANSWER_MINUTES_MIN)?;
    let order = known.profile.rule(codes::EVALUATION_CORRECTION_ORDER)?;
    let amounts = (examined.total, examined.lines);
    let (_, corrected) = proposed(amounts, read.body, read.words.as_deref(), &order)?;
    let correction = Correction {
        body: read.body,
        words: read.words.clone(),
        steps: corrected.steps,
        price: corrected.price,
        proposed_by: account_of(actor)?,
        proposed_at: now,
        answer_until,
        answered: None,
    };
    store::insert_correction(tx, (lot, bid), &correction)?;
    let private = json!({"price": correction.price, "steps": correction.steps});
    record(tx, actor, "price.corrected", (lot, bid), private)?;
    let content = Content::from(PriceCorrected {
        book: title(&known.book),
        lot: known.lot.code.clone(),
        from: examined.total,
        to: correction.price,
        until: answer_until,
        path: questions(lot, bid),
    });
    let readers = store_contacts::acting_for(tx.conn(), &examined.supplier_id)?;
    tell(
        tx,
        readers,
        &format!("{bid}:corrected"),
        &content,
        Some(answer_until),
    )
}

/// A lot and a bid for it, if the actor acts for its bidder. Somebody else's is not there.
///
/// # Errors
/// Permission; not found.
pub fn own(conn: &mut Conn, actor: &Actor, action: Action, (lot, bid): (&LotId, &BidId)) -> Answer<Known> {
    policy::allow_at_all(actor, action)?;
    let known = known(conn, lot)?;
    let opened = store_openings::opened_bid(conn, lot, bid)?.ok_or_else(|| NOT_FOUND.refuse())?;
    if policy::allows(actor, action, Matter::of_organisation(&opened.supplier_id)) {
        Ok(known)
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// The bidder confirms a corrected price, or does not, which puts the bid out.
///
/// # Errors
/// Permission; not found; a book that was cancelled; those of [`open`]; [`CORRECTION_NOT_OPEN`], also when the time is over.
pub fn answer_correction(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot, bid): (&LotId, &BidId),
    confirms: bool,
) -> Answer<()> {
    let known = own(tx.conn(), actor, Action::AnswerPanel, (lot, bid))?;
    goes_on(&known.book)?;
    let bids = open(tx.conn(), lot)?;
    let correction = bid_of(&bids, bid)?.correction.as_ref();
    let waits = correction.is_some_and(|one| one.answered.is_none() && tx.now() < one.answer_until);
    if !waits {
        return Err(CORRECTION_NOT_OPEN.refuse().into());
    }
    let by = account_of(actor)?;
    store::answer_correction(tx, (lot, bid), (&by, confirms))?;
    let private = json!({"confirms": confirms});
    record(tx, actor, "price.correction_answered", (lot, bid), private)
}

/// The chair asks a bidder to justify an abnormally low price, once everything else of all bids is decided: only then it is known which
/// prices it is held against.
///
/// # Errors
/// Those of [`chaired`] and [`open`]; not found, if there is no such bid; [`JUSTIFICATION_EXISTS`]; [`ADMISSION_UNDECIDED`]; [`PRICE_NOT_LOW`];
/// fewer minutes than the statutes give, or too many.
pub fn question(tx: &mut Tx<'_>, actor: &Actor, (lot, bid): (&LotId, &BidId), minutes: u32) -> Answer<()> {
    let known = chaired(tx, actor, lot)?;
    let bids = open(tx.conn(), lot)?;
    let examined = bid_of(&bids, bid)?;
    if examined.justification.is_some() {
        return Err(JUSTIFICATION_EXISTS.refuse().into());
    }
    let now = tx.now();
    let verdict = verdict(tx.conn(), &known, now)?;
    if verdict
        .missing
        .iter()
        .any(|item| !item.code.starts_with("justification"))
    {
        return Err(ADMISSION_UNDECIDED.refuse().into());
    }
    let admitted = verdict.bids.into_iter().find(|one| one.bid_id == *bid);
    let tests = admitted.filter(|one| one.out.is_none()).map(|one| one.tests);
    let tests = tests.filter(|tests| !tests.is_empty());
    let tests = tests.ok_or_else(|| PRICE_NOT_LOW.refuse())?;
    let min = known
        .profile
        .rule(codes::EVALUATION_ABNORMALLY_LOW_JUSTIFICATION_MINUTES_MIN)?;
    let answer_until = until(now, minutes, min.0)?;
    let justification = Justification {
        tests,
        asked_at: now,
        answer_until,
        answered: None,
        found: None,
    };
    store::insert_justification(tx, (lot, bid), &account_of(actor)?, &justification)?;
    let private = json!({"tests": justification.tests});
    record(tx, actor, "price.questioned", (lot, bid), private)?;
    let content = Content::from(PriceQuestioned {
        book: title(&known.book),
        lot: known.lot.code.clone(),
        until: answer_until,
        path: questions(lot, bid),
    });
    let readers = store_contacts::acting_for(tx.conn(), &examined.supplier_id)?;
    tell(
        tx,
        readers,
        &format!("{bid}:questioned"),
        &content,
        Some(answer_until),
    )
}

fn statement(said: &str, documents: &[AttachmentId], now: Instant) -> Answer<Statement> {
    let mut form = Form::new();
    let trimmed = said.trim();
    let length = trimmed.chars().count();
    if !(1..=STATEMENT_LENGTH_MAX).contains(&length) {
        let detail = text!(
            "应为 1 至 {STATEMENT_LENGTH_MAX} 个字符",
            "must have 1 to {STATEMENT_LENGTH_MAX} characters"
        );
        form.object("/text", detail);
    }
    if trimmed.chars().any(|one| one != '\n' && is_hidden(one)) {
        let detail = Text::fixed("含有不可见字符", "must not have invisible characters");
        form.object("/text", detail);
    }
    if documents.len() > JUSTIFICATION_DOCUMENTS_MAX {
        let detail = text!(
            "最多 {JUSTIFICATION_DOCUMENTS_MAX} 份",
            "at most {JUSTIFICATION_DOCUMENTS_MAX} of them"
        );
        form.object("/documents", detail);
    }
    Ok(form.finish(Statement {
        text: trimmed.to_owned(),
        documents: documents.iter().map(ToString::to_string).collect(),
        at: now,
    })?)
}

/// The bidder justifies an abnormally low price, in writing and in time.
///
/// # Errors
/// Permission; not found; a book that was cancelled; those of [`open`]; [`JUSTIFICATION_NOT_OPEN`], also when the time is over; what is wrong with
/// the text or an attachment.
pub fn justify(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot, bid): (&LotId, &BidId),
    (said, documents): (&str, &[AttachmentId]),
) -> Answer<()> {
    let known = own(tx.conn(), actor, Action::AnswerPanel, (lot, bid))?;
    goes_on(&known.book)?;
    let bids = open(tx.conn(), lot)?;
    let now = tx.now();
    let justification = bid_of(&bids, bid)?.justification.as_ref();
    let waits = justification.is_some_and(|one| one.answered.is_none() && now < one.answer_until);
    if !waits {
        return Err(JUSTIFICATION_NOT_OPEN.refuse().into());
    }
    let statement = statement(said, documents, now)?;
    for (index, id) in documents.iter().enumerate() {
        let to = Use {
            matter_kind: BidId::PREFIX,
            matter_id: bid.as_str(),
            visibility: Visibility::Matter,
            types: &MediaType::ALL,
            pointer: &format!("/documents/{index}"),
        };
        files::acts::attach(tx, actor, id, to)?;
    }
    store::answer_justification(tx, (lot, bid), &account_of(actor)?, &statement)?;
    let private = json!({"documents": statement.documents});
    record(tx, actor, "price.justified", (lot, bid), private)
}

/// The chair records whether the panel finds a price justified.
///
/// # Errors
/// Those of [`chaired`] and [`open`]; not found, if there is no such bid; [`JUSTIFICATION_NOT_ANSWERED`]; a reason that is none.
pub fn judge(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot, bid): (&LotId, &BidId),
    (accepted, reason_zh, reason_en): (bool, &str, &str),
) -> Answer<()> {
    chaired(tx, actor, lot)?;
    let bids = open(tx.conn(), lot)?;
    let justification = bid_of(&bids, bid)?.justification.as_ref();
    let waits = justification.is_some_and(|one| one.answered.is_some() && one.found.is_none());
    if !waits {
        return Err(JUSTIFICATION_NOT_ANSWERED.refuse().into());
    }
    let mut form = Form::new();
    let reason = Line {
        zh: form.line("/reason_zh", reason_zh, REASON_LENGTH_MAX),
        en: form.line("/reason_en", reason_en, REASON_LENGTH_MAX),
    };
    let reason = form.finish(reason)?;
    let found = Found {
        accepted,
        reason,
        at: tx.now(),
    };
    store::judge_justification(tx, (lot, bid), &account_of(actor)?, &found)?;
    let private = json!({"accepted": accepted});
    record(tx, actor, "price.justification_judged", (lot, bid), private)
}

/// Who may read what hangs on an opened bid: whoever sees how it is examined, and its bidder; and everybody what the bid names and is not kept from
/// the public.
pub struct BidAccess {
    /// What tells the time, because what is kept may become public.
    pub clock: Clock,
}

impl Access for BidAccess {
    fn matter_kind(&self) -> &'static str {
        BidId::PREFIX
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let Ok(bid) = matter_id.parse::<BidId>() else {
            return Ok(false);
        };
        let Some(lot) = store_openings::lot_of(conn, &bid)? else {
            return Ok(false);
        };
        let granted = |found: Answer<Known>| match found {
            Ok(_) => Ok(true),
            Err(Stop::Refused(_)) => Ok(false),
            Err(stop) => Err(stop),
        };
        let is_own = granted(own(conn, actor, Action::ReadPanelQuestions, (&lot, &bid)))?;
        Ok(is_own || granted(readable(conn, actor, &lot))?)
    }

    fn may_read_file(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        (matter_id, attachment): (&str, &Attachment),
    ) -> Answer<bool> {
        if self.may_read(conn, actor, matter_id)? {
            return Ok(true);
        }
        let Ok(bid) = matter_id.parse::<BidId>() else {
            return Ok(false);
        };
        match store_openings::lot_of(conn, &bid)? {
            Some(lot) => is_file_public(conn, NamedBid { lot, bid }, &attachment.sha256, self.clock.now()),
            None => Ok(false),
        }
    }
}
