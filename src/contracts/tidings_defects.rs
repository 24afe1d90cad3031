//! Who is told by mail of what happens to defects: the contractor when it is called, reminded or called off, whoever has reported when something came of it,
//! the buyer's officers of what is late. In the transaction of the act that it tells of.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::contracts::acts_defects::Setting;
use crate::contracts::desk_defects::Known;
use crate::contracts::rules_defects::{Decider, Defect, REPORTER_DAYS, SILENCE_DAYS, State};
use crate::contracts::{store_defect_reports, store_places};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox;
use crate::outbox::content::{Content, DefectHappened, DefectNews, DefectsWaiting, News};
use crate::outbox::notice::{Notice, Recipient};
use crate::outbox::wording::Both;
use crate::registry::store_contacts;
use crate::web::policy::Role;

/// Where and what, in words.
fn named(conn: &mut Conn, defect: &Defect) -> Answer<(Both, Both)> {
    let place = store_places::place(conn, &defect.place_id)?;
    let place = place.ok_or_else(|| Fault::broken(format!("{} is nowhere", defect.id)))?;
    let category = &defect.category;
    Ok((
        Both::new(place.name_zh, place.name_en),
        Both::new(category.name_zh.clone(), category.name_en.clone()),
    ))
}

/// Tells the contractor's people something about a round of a defect, once for each `key`.
fn tell_contractor(
    tx: &mut Tx<'_>,
    known: &Known,
    defect: &Defect,
    (key, happened): (&str, Both),
) -> Answer<()> {
    let (place, category) = named(tx.conn(), defect)?;
    let said = &known.signed.document;
    let content = Content::from(DefectHappened {
        contract: Both::new(said.title_zh.clone(), said.title_en.clone()),
        place,
        category,
        happened,
        due_at: defect.due_at.filter(|_| defect.state.is_called()),
        path: format!("/api/v1/defects/{}", defect.id),
    });
    let readers = store_contacts::acting_for(tx.conn(), &known.signed.contract.supplier_id)?;
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{}:{key}:{}:{account}", defect.id, defect.round);
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}

/// That the contractor is called, or called anew.
pub(super) fn called(tx: &mut Tx<'_>, known: &Known, defect: &Defect) -> Answer<()> {
    let happened = match defect.state {
        State::Reopened => Both::new(
            "问题未解决，请重新处理",
            "it was not put right; please see to it again",
        ),
        _ => Both::new("有问题待处理", "something has to be put right"),
    };
    tell_contractor(tx, known, defect, ("called", happened))
}

/// That most of its time is gone.
pub(super) fn reminded(tx: &mut Tx<'_>, known: &Known, defect: &Defect) -> Answer<()> {
    let happened = Both::new("处理时限将至", "the time for putting it right is nearly over");
    tell_contractor(tx, known, defect, ("reminded", happened))
}

/// That it need not do anything any more.
pub(super) fn called_off(tx: &mut Tx<'_>, known: &Known, defect: &Defect) -> Answer<()> {
    let happened = match defect.state {
        State::Withdrawn => Both::new(
            "报告人已撤回，无需处理",
            "it was withdrawn; nothing is to be done",
        ),
        _ => Both::new(
            "经核不成立，无需处理",
            "it was found to be none; nothing is to be done",
        ),
    };
    tell_contractor(tx, known, defect, ("called_off", happened))
}

/// Tells those who have reported a defect what came of it: everybody once for each round and news, by whichever of their reports.
pub(super) fn to_reporters(tx: &mut Tx<'_>, defect: &Defect, setting: Setting<'_>) -> Answer<()> {
    let news = match (defect.state, defect.closed.map(|closed| closed.by)) {
        (State::Fixed, _) => News::Fixed,
        (State::Confirmed, Some(Decider::Silence)) => News::ClosedBySilence,
        (State::Confirmed, _) => News::Closed,
        (State::Rejected, _) => News::Rejected,
        (
            State::Reported | State::Dispatched | State::Acknowledged | State::Reopened | State::Withdrawn,
            _,
        ) => {
            return Ok(());
        }
    };
    let (place, category) = named(tx.conn(), defect)?;
    let mut told = BTreeSet::new();
    for (reader, path, is_link) in readers(tx.conn(), defect, setting)? {
        if !told.insert(reader.address.whole().to_lowercase()) {
            continue;
        }
        let content = DefectNews {
            place: place.clone(),
            category: category.clone(),
            news,
            reason: defect.reason.clone().filter(|_| news == News::Rejected),
            heard_days: REPORTER_DAYS,
            silent_days: SILENCE_DAYS,
            path,
            is_link,
        };
        // Of the address nothing stands in the key: the number among those who are told does.
        let key = format!("{}:{}:{}:{}", defect.id, news.name(), defect.round, told.len());
        outbox::store::enqueue(tx, &Notice::new(key, reader, content))?;
    }
    Ok(())
}

/// Whoever wants to hear of a defect, where it leads them, and whether that is a link which lets in whoever has it.
fn readers(conn: &mut Conn, defect: &Defect, setting: Setting<'_>) -> Answer<Vec<(Recipient, String, bool)>> {
    let mut readers = Vec::new();
    for (report, contact) in store_defect_reports::contacts(conn, &defect.id)? {
        let to = Recipient::stranger(contact.address, contact.language);
        readers.push((to, setting.key.path(&report)?, true));
    }
    for report in store_defect_reports::of_defects(conn, &[&defect.id])? {
        let Some(account) = &report.account_id else {
            continue;
        };
        if let Some(to) = store_contacts::account(conn, account)? {
            readers.push((to, format!("/api/v1/defects/{}", defect.id), false));
        }
    }
    Ok(readers)
}

/// What is late and what waits, to the officers of a buyer, once a day.
pub(super) fn digest(
    tx: &mut Tx<'_>,
    buyer: &OrganisationId,
    today: NaiveDate,
    (overdue, waiting): (i64, i64),
) -> Answer<()> {
    let content = Content::from(DefectsWaiting {
        overdue,
        waiting,
        path: "/api/v1/defects?overdue=true".to_owned(),
    });
    for reader in store_contacts::people(tx.conn(), buyer, Role::BuyerOfficer)? {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{buyer}:defects:{today}:{account}");
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}
