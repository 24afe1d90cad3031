//! Lets a supplier of the demo ask about the first book, and its buyer answer in public and amend the book by what was asked. All by the
//! acts.

use crate::app::demo_books;
use crate::app::demo_plans::PLANS;
use crate::app::demo_stage::{cast, organisation_of};
use crate::books::acts_addenda::{self, WriteAddendum};
use crate::books::acts_enquiries::{self, Ask};
use crate::books::acts_publication::Place;
use crate::books::rules::Book;
use crate::books::rules_documents::{BookDocument, ClauseDocument, Party};
use crate::books::rules_enquiries::Entered;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::web::conditional::Expected;

/// Asks, amends and answers, unless the first book was amended already or takes no bids.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn clarify(tx: &mut Tx<'_>, place: Place<'_>) -> Answer<()> {
    let now = tx.now();
    let [plan, ..] = &PLANS;
    let Some(book) = demo_books::public(tx.conn(), plan)?.filter(|book| is_fresh(book, now)) else {
        tx.nothing_to_change();
        return Ok(());
    };
    let asker = cast(tx, "jiecheng.agent")?;
    let ask = Ask {
        organisation_id: organisation_of(&asker)?,
        question: "菜市场周边的晚间保洁在什么时段进行？".to_owned(),
    };
    let asked = acts_enquiries::ask(tx, &asker, &book.id, &ask, place.calendar.zone)?;
    let (officer, approver) = (cast(tx, plan.office.officer)?, cast(tx, plan.office.approver)?);
    let addendum = WriteAddendum {
        reason: (
            "根据答疑，补充菜市场晚间保洁的时段。".to_owned(),
            "As was asked, it says when the market is cleaned in the evening.".to_owned(),
        ),
        affects_bids: false,
        document: amended(&book),
    };
    let drafted = acts_addenda::draft(tx, &officer, &book.id, &addendum)?;
    let published = acts_addenda::publish(tx, &approver, &drafted.id, Expected::Any, place)?;
    let answer = Entered {
        question: (
            ask.question,
            "At what time is it cleaned round the market in the evening?".to_owned(),
        ),
        answer: (
            "每日 20:00 至 21:00，见第 1 号补充文件第 2.9 条。".to_owned(),
            "From 20:00 to 21:00 every day; see clause 2.9 of addendum 1.".to_owned(),
        ),
        addendum: published.number,
    };
    acts_enquiries::answer(tx, &officer, &asked.id, &answer)?;
    Ok(())
}

fn is_fresh(book: &Book, now: crate::kernel::clock::Instant) -> bool {
    let asked_until = book.content.document().timetable.enquiry_deadline;
    let versions = book.publication.as_ref().map(|one| one.versions);
    versions == Some(1) && asked_until.is_some_and(|until| until > now)
}

fn amended(book: &Book) -> BookDocument {
    let mut document = book.content.document().clone();
    document.clauses.push(ClauseDocument {
        number: "2.9".to_owned(),
        party: Party::Supplier,
        text_zh: "每日 20:00 至 21:00 对菜市场周边进行晚间保洁。".to_owned(),
        text_en: "Cleans round the market from 20:00 to 21:00 every evening.".to_owned(),
    });
    document
}
