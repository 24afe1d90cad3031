//! Who is told by mail of inspections and contests: the contractor of what concerns its work, the buyer of what waits for it; through the outbox, in the
//! transaction of the act that it tells of.

use crate::contracts::desk::Signed;
use crate::contracts::rules::Party;
use crate::contracts::rules_contests::{Contest, State};
use crate::contracts::rules_inspections_document::InspectionDocument;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::kernel::score::Score;
use crate::outbox;
use crate::outbox::content::{Content, InspectionHappened};
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::registry::store_contacts;
use crate::web::policy::Role;

/// What is told, and about which inspection.
struct Tiding<'t> {
    inspection: &'t InspectionDocument,
    /// Told once to each reader under this.
    key: String,
    happened: Both,
    details: Option<Both>,
}

fn tell(tx: &mut Tx<'_>, signed: &Signed, party: Party, tiding: &Tiding<'_>) -> Answer<()> {
    let readers = match party {
        Party::Supplier => store_contacts::acting_for(tx.conn(), &signed.contract.supplier_id)?,
        Party::Buyer => {
            let buyer = &signed.contract.buyer_id;
            let mut readers = store_contacts::people(tx.conn(), buyer, Role::BuyerApprover)?;
            readers.extend(store_contacts::people(tx.conn(), buyer, Role::BuyerOfficer)?);
            readers
        }
    };
    let said = &signed.document;
    let id = &tiding.inspection.inspection_id;
    let content = Content::from(InspectionHappened {
        book: Both::new(said.title_zh.clone(), said.title_en.clone()),
        lot: said.lot.code.clone(),
        happened: tiding.happened.clone(),
        details: tiding.details.clone(),
        path: format!("/api/v1/inspections/{id}"),
        is_contractor: party == Party::Supplier,
    });
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{}:{account}", tiding.key);
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}

fn told(score: Option<Score>) -> (String, String) {
    match score {
        Some(score) => (format!("得分 {score}"), format!("it scores {score}")),
        None => ("不计分".to_owned(), "nothing of it counts".to_owned()),
    }
}

/// To the contractor: that there was an inspection, what it scores, and until when it can be contested.
pub(super) fn recorded(tx: &mut Tx<'_>, signed: &Signed, inspection: &InspectionDocument) -> Answer<()> {
    let (zh, en) = told(inspection.score);
    let (on, until) = (inspection.inspected_on, inspection.contest_until);
    let tiding = Tiding {
        inspection,
        key: format!("{}:recorded", inspection.inspection_id),
        happened: Both::new(
            format!("{on} 的考核已记录，{zh}"),
            format!("an inspection of {on} was recorded, {en}"),
        ),
        details: Some(Both::new(
            format!("对考核项有异议的，可在 {until} 前（含当日）提出一次。"),
            format!("Each item can be contested once, until {until}."),
        )),
    };
    tell(tx, signed, Party::Supplier, &tiding)
}

/// To both: that it does not count any more, and why.
pub(super) fn annulled(
    tx: &mut Tx<'_>,
    signed: &Signed,
    inspection: &InspectionDocument,
    reason: &str,
) -> Answer<()> {
    let on = inspection.inspected_on;
    let tiding = Tiding {
        inspection,
        key: format!("{}:annulled", inspection.inspection_id),
        happened: Both::new(
            format!("{on} 的考核记录已作废"),
            format!("the inspection of {on} was annulled"),
        ),
        details: Some(Both::new(
            format!("原因：{reason}"),
            format!("The reason: {reason}"),
        )),
    };
    for party in Party::ALL {
        tell(tx, signed, party, &tiding)?;
    }
    Ok(())
}

/// To the buyer: that an item is contested, and waits for somebody else than the inspector.
pub(super) fn contested(
    tx: &mut Tx<'_>,
    signed: &Signed,
    inspection: &InspectionDocument,
    contest: &Contest,
) -> Answer<()> {
    let (on, item) = (inspection.inspected_on, contest.item);
    let tiding = Tiding {
        inspection,
        key: format!("{}:filed", contest.id),
        happened: Both::new(
            format!("承接主体对 {on} 考核的第 {item} 项提出异议"),
            format!("the contractor contests item {item} of the inspection of {on}"),
        ),
        details: Some(Both::new(
            "请由考核人以外的审批人裁定。",
            "An approver who is not the inspector decides.",
        )),
    };
    tell(tx, signed, Party::Buyer, &tiding)
}

/// To both: what was decided, and what the inspection scores now.
pub(super) fn decided(
    tx: &mut Tx<'_>,
    signed: &Signed,
    inspection: &InspectionDocument,
    (contest, score): (&Contest, Option<Score>),
) -> Answer<()> {
    let (on, item) = (inspection.inspected_on, contest.item);
    let (outcome_zh, outcome_en) = match contest.state() {
        State::Upheld => ("成立", "was upheld"),
        State::Filed | State::Rejected => ("不成立", "was rejected"),
    };
    let (zh, en) = told(score);
    let tiding = Tiding {
        inspection,
        key: format!("{}:decided", contest.id),
        happened: Both::new(
            format!("对 {on} 考核第 {item} 项的异议{outcome_zh}，现{zh}"),
            format!("the contest of item {item} of the inspection of {on} {outcome_en}, {en} now"),
        ),
        details: None,
    };
    for party in Party::ALL {
        tell(tx, signed, party, &tiding)?;
    }
    Ok(())
}
