//! Who is told by mail of what happens between the evaluation and the contract: always through the outbox, in the transaction of the act that it
//! tells of. Of a supplier its administrators and agents are told, each once.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::award::desk::Known;
use crate::award::rules_awards::Award;
use crate::award::rules_challenges::{Challenge, Query};
use crate::award::rules_complaints::{Complaint, Listing};
use crate::award::rules_endings::Ending;
use crate::bids::store_openings;
use crate::books::rules::{Book, LotId};
use crate::books::store::Lot;
use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::outbox;
use crate::outbox::content::{Content, LotEnded, LotHappened};
use crate::outbox::notice::{Notice, Recipient};
use crate::outbox::wording::Both;
use crate::registry::store_contacts;
use crate::web::policy::Role;

/// Characters of a reason that a mail repeats.
const REASON_LENGTH_MAX: usize = 500;

/// The title of a book as mails have it.
pub(super) fn title(book: &Book) -> Both {
    let said = book.content.document();
    Both::new(said.title_zh.trim(), said.title_en.trim())
}

/// A reason as mails have it, which may be the beginning of a longer one.
pub(super) fn shortened(reason: &str) -> String {
    if reason.chars().count() <= REASON_LENGTH_MAX {
        return reason.to_owned();
    }
    let begun: String = reason.chars().take(REASON_LENGTH_MAX).collect();
    format!("{begun}…")
}

/// Tells readers something once for each `key`.
pub(super) fn tell(tx: &mut Tx<'_>, readers: Vec<Recipient>, key: &str, content: &Content) -> Answer<()> {
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let notice = Notice::new(format!("{key}:{account}"), reader, content.clone());
        outbox::store::enqueue(tx, &notice)?;
    }
    Ok(())
}

/// Everybody whose bid for a lot was opened.
///
/// # Errors
/// A fault of the database.
pub(super) fn bidders(tx: &mut Tx<'_>, lot: &LotId) -> Answer<BTreeSet<OrganisationId>> {
    let opened = store_openings::opened_suppliers(tx.conn(), lot)?;
    Ok(opened.into_iter().map(|(_, supplier)| supplier).collect())
}

/// That a lot came to nothing, to everybody whose bid for it was opened.
pub(super) fn lot_ended(tx: &mut Tx<'_>, (book, lot): (&Book, &Lot), ending: &Ending) -> Answer<()> {
    let content = Content::from(LotEnded {
        book: title(book),
        lot: lot.code.clone(),
        reason: Both::new(shortened(&ending.reason.zh), shortened(&ending.reason.en)),
        path: format!("/api/v1/lots/{}", lot.id),
    });
    for supplier in bidders(tx, &lot.id)? {
        let readers = store_contacts::acting_for(tx.conn(), &supplier)?;
        tell(tx, readers, &format!("{}:ended", lot.id), &content)?;
    }
    Ok(())
}

/// What is told of a lot.
struct Happened {
    happened: Both,
    details: Option<Both>,
    path: String,
}

impl Happened {
    fn new(zh: &str, en: &str, path: String) -> Self {
        Self {
            happened: Both::new(zh, en),
            details: None,
            path,
        }
    }

    fn with(self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            details: Some(Both::new(zh, en)),
            ..self
        }
    }

    fn content(self, known: &Known, is_duty: bool) -> Content {
        let Self {
            happened,
            details,
            path,
        } = self;
        Content::from(LotHappened {
            book: title(&known.book),
            lot: known.lot.code.clone(),
            happened,
            details,
            path,
            is_duty,
        })
    }
}

fn award_path(award: &Award) -> String {
    format!("/api/v1/awards/{}", award.id)
}

/// To those of the buyer who hold a role.
fn tell_buyer(tx: &mut Tx<'_>, known: &Known, role: Role, key: &str, what: Happened) -> Answer<()> {
    let readers = store_contacts::people(tx.conn(), &known.book.organisation_id, role)?;
    tell(tx, readers, key, &what.content(known, true))
}

/// To the administrators of a supplier that has bid.
fn tell_bidder(
    tx: &mut Tx<'_>,
    known: &Known,
    supplier: &OrganisationId,
    (key, what): (&str, Happened),
) -> Answer<()> {
    let readers = store_contacts::acting_for(tx.conn(), supplier)?;
    tell(tx, readers, key, &what.content(known, false))
}

/// To whoever decides about an award: that it was proposed.
pub(super) fn proposed(tx: &mut Tx<'_>, known: &Known, award: &Award) -> Answer<()> {
    let what = Happened::new(
        "已提出中标建议，请采购人决定",
        "an award was proposed and waits for the decision",
        award_path(award),
    );
    tell_buyer(
        tx,
        known,
        Role::BuyerApprover,
        &format!("{}:proposed", award.id),
        what,
    )
}

/// To whoever publishes notices: that it was decided.
pub(super) fn decided(tx: &mut Tx<'_>, known: &Known, award: &Award) -> Answer<()> {
    let what = Happened::new(
        "采购人已确定中标人，请发布中标公告",
        "the award was decided and waits for its notice",
        award_path(award),
    );
    tell_buyer(
        tx,
        known,
        Role::BuyerOfficer,
        &format!("{}:decided", award.id),
        what,
    )
}

/// To everybody whose bid was opened: the winner that they win, the others where they see how they did.
pub(super) fn noticed(
    tx: &mut Tx<'_>,
    known: &Known,
    award: &Award,
    challenges_until: NaiveDate,
) -> Answer<()> {
    for supplier in bidders(tx, &award.lot_id)? {
        let what = if supplier == award.supplier_id {
            let path = format!("/api/v1/awards/{}/notice", award.id);
            Happened::new("贵单位为中标人", "your organisation is to get the contract", path)
        } else {
            let path = format!("/api/v1/lots/{}/award/own-result", award.lot_id);
            Happened::new("中标公告已发布", "the notice of the award was published", path).with(
                format!("可查看贵单位的得分与排序；质疑截至 {challenges_until}。"),
                format!(
                    "You can see your own scores and rank; challenges are taken until {challenges_until}."
                ),
            )
        };
        tell_bidder(tx, known, &supplier, (&format!("{}:noticed", award.id), what))?;
    }
    Ok(())
}

/// To the winner and whoever prepares contracts: that the contract can be signed.
pub(super) fn confirmed(tx: &mut Tx<'_>, known: &Known, award: &Award) -> Answer<()> {
    let what = || {
        Happened::new(
            "中标结果已确认，可签订合同",
            "the award is confirmed, and the contract can be signed",
            award_path(award),
        )
    };
    let key = format!("{}:confirmed", award.id);
    tell_bidder(tx, known, &award.supplier_id, (&key, what()))?;
    tell_buyer(tx, known, Role::BuyerOfficer, &key, what())
}

/// To everybody whose bid was opened if the award was public, and to whoever decides: that it ended.
pub(super) fn award_ended(tx: &mut Tx<'_>, known: &Known, award: &Award) -> Answer<()> {
    let reason = award.ended.as_ref().map(|ended| &ended.reason);
    let (zh, en) = reason.map_or_else(Default::default, |reason| {
        (shortened(&reason.zh), shortened(&reason.en))
    });
    let what = || {
        Happened::new("中标结果已终止", "the award has ended", award_path(award))
            .with(format!("原因：{zh}"), format!("The reason: {en}"))
    };
    let key = format!("{}:ended", award.id);
    if award.is_public() {
        for supplier in bidders(tx, &award.lot_id)? {
            tell_bidder(tx, known, &supplier, (&key, what()))?;
        }
    }
    tell_buyer(tx, known, Role::BuyerApprover, &key, what())
}

/// To whoever answers: that a bidder asks.
pub(super) fn asked(tx: &mut Tx<'_>, known: &Known, query: &Query) -> Answer<()> {
    let path = format!("/api/v1/result-queries/{}", query.id);
    let what = Happened::new("收到询问，请按期答复", "a bidder asks about the result", path);
    tell_buyer(
        tx,
        known,
        Role::BuyerOfficer,
        &format!("{}:asked", query.id),
        what,
    )
}

/// To the bidder: that the query was replied to.
pub(super) fn query_replied(tx: &mut Tx<'_>, known: &Known, query: &Query) -> Answer<()> {
    let path = format!("/api/v1/result-queries/{}", query.id);
    let what = Happened::new("您的询问已答复", "your query was replied to", path);
    tell_bidder(
        tx,
        known,
        &query.supplier_id,
        (&format!("{}:replied", query.id), what),
    )
}

/// To whoever replies for the buyer: that the award was challenged.
pub(super) fn challenged(tx: &mut Tx<'_>, known: &Known, challenge: &Challenge) -> Answer<()> {
    let path = format!("/api/v1/challenges/{}", challenge.id);
    let what = Happened::new(
        "收到质疑，请按期答复",
        "the award was challenged; reply in time",
        path,
    );
    tell_buyer(
        tx,
        known,
        Role::BuyerApprover,
        &format!("{}:filed", challenge.id),
        what,
    )
}

/// To the challenger and the winner: that the challenge was replied to.
pub(super) fn challenge_replied(
    tx: &mut Tx<'_>,
    known: &Known,
    challenge: &Challenge,
    winner: &OrganisationId,
) -> Answer<()> {
    for supplier in BTreeSet::from([winner, &challenge.supplier_id]) {
        let path = format!("/api/v1/challenges/{}", challenge.id);
        let what = Happened::new("质疑已答复", "a challenge of the award was replied to", path);
        tell_bidder(tx, known, supplier, (&format!("{}:replied", challenge.id), what))?;
    }
    Ok(())
}

fn complaint_path(complaint: &Complaint) -> String {
    format!("/api/v1/complaints/{}", complaint.id)
}

/// To the regulator: that somebody complains.
pub(super) fn complained(tx: &mut Tx<'_>, known: &Known, complaint: &Complaint) -> Answer<()> {
    let what = Happened::new(
        "收到投诉，请决定是否受理",
        "a bidder complains; say whether it is taken up",
        complaint_path(complaint),
    );
    let readers = store_contacts::holders(tx.conn(), Role::Regulator)?;
    tell(
        tx,
        readers,
        &format!("{}:filed", complaint.id),
        &what.content(known, true),
    )
}

/// To the complainant and the buyer: what became of a complaint.
pub(super) fn complaint_moved(
    tx: &mut Tx<'_>,
    known: &Known,
    complaint: &Complaint,
    (zh, en): (&str, &str),
) -> Answer<()> {
    let key = format!("{}:{}", complaint.id, complaint.state.name());
    let what = || Happened::new(zh, en, complaint_path(complaint));
    tell_bidder(tx, known, &complaint.supplier_id, (&key, what()))?;
    tell_buyer(tx, known, Role::BuyerApprover, &key, what())
}

/// To a supplier: that it was listed.
pub(super) fn listed(tx: &mut Tx<'_>, known: &Known, listing: &Listing) -> Answer<()> {
    let what = Happened::new(
        "贵单位因多次投诉查无实据已列入名单",
        "your organisation is listed, because its complaints were unfounded too often",
        "/api/v1/listed-complainants".to_owned(),
    );
    let readers = store_contacts::acting_for(tx.conn(), &listing.supplier_id)?;
    tell(tx, readers, &listing.id.to_string(), &what.content(known, false))
}

/// To whoever is late: approvers of the buyer, or the regulator. Once for each matter.
pub(super) fn overdue(
    tx: &mut Tx<'_>,
    known: &Known,
    (id, path): (&str, String),
    is_regulators: bool,
) -> Answer<()> {
    let what = Happened::new(
        "答复或处理期限已过",
        "the time to reply or to decide is over",
        path,
    );
    let readers = if is_regulators {
        store_contacts::holders(tx.conn(), Role::Regulator)?
    } else {
        store_contacts::people(tx.conn(), &known.book.organisation_id, Role::BuyerApprover)?
    };
    tell(tx, readers, &format!("{id}:overdue"), &what.content(known, true))
}
