//! Contesting an item of an inspection, and deciding that: each function is one transaction's worth of work, permission first, event last.

use serde_json::json;

use crate::contracts::acts_inspections::{Seen, append, not_own_work, seen as seen_inspection};
use crate::contracts::desk::acting;
use crate::contracts::rules_contests::{self as rules, Contest, InspectionContestId, Verdict};
use crate::contracts::rules_inspections::{ANNULLED, InspectionId};
use crate::contracts::store_contests as store;
use crate::contracts::tidings_inspections as tidings;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store::{Capacity, undertake};
use crate::files;
use crate::files::access::Access;
use crate::files::media::MediaType;
use crate::files::rules::{AttachmentId, Use, Visibility};
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action, Role};
use crate::web::problem::NOT_FOUND;

/// What a contest may rest on.
const FILES: &[MediaType] = &[MediaType::Pdf, MediaType::Jpeg, MediaType::Png, MediaType::Webp];

/// A contest with its inspection.
pub struct Contested {
    /// The contest.
    pub contest: Contest,
    /// The inspection.
    pub of: Seen,
}

/// A contest of that id. That there is one is public.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, id: &InspectionContestId) -> Answer<Contested> {
    let contest = store::contest(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let of = seen_inspection(conn, &contest.inspection_id)?;
    Ok(Contested { contest, of })
}

/// Contests an item of an inspection for the contractor.
///
/// # Errors
/// In this order: permission; not found; [`ANNULLED`]; those of [`rules::may_contest`]; those of the files.
pub fn file(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &InspectionId,
    (item, reason, files): (i64, &str, &[AttachmentId]),
    calendar: &WardCalendar,
) -> Answer<Contested> {
    policy::allow_at_all(actor, Action::ContestInspection)?;
    let of = seen_inspection(tx.conn(), id)?;
    policy::allow(actor, Action::ContestInspection, of.signed.of_supplier())?;
    if of.inspection.annulled.is_some() {
        return Err(ANNULLED.refuse().into());
    }
    let before = store::of_inspection(tx.conn(), id)?;
    let document = &of.inspection.document;
    let today = local_date(tx.now(), calendar.zone);
    let reason = rules::may_contest(document, &before, (item, reason), today)?;
    let contest = Contest {
        id: InspectionContestId::mint(tx.now()),
        inspection_id: id.clone(),
        item,
        reason,
        filed_by: acting(actor)?,
        filed_at: tx.now(),
        revision: 1,
        decided: None,
    };
    store::insert(tx, &contest)?;
    for (index, file) in files.iter().enumerate() {
        let to = Use {
            matter_kind: InspectionContestId::PREFIX,
            matter_id: contest.id.as_str(),
            visibility: Visibility::Matter,
            types: FILES,
            pointer: &format!("/attachment_ids/{index}"),
        };
        files::acts::attach(tx, actor, file, to)?;
    }
    let told = (
        json!({ "contest_id": contest.id, "item": item }),
        json!({ "reason": contest.reason }),
    );
    append(tx, actor, "inspection.contested", document, told)?;
    tidings::contested(tx, &of.signed, document, &contest)?;
    Ok(Contested { contest, of })
}

/// Decides a contest; another person of the buyer than the inspector.
///
/// # Errors
/// In this order: permission; not found; a stale revision; that it is one's own work; [`ANNULLED`]; those of [`rules::decided`]; separation of duties.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&InspectionContestId, Expected),
    (verdict, decision): (&Verdict, &str),
) -> Answer<Contested> {
    policy::allow_at_all(actor, Action::DecideInspectionContest)?;
    let Contested { contest, of } = seen(tx.conn(), id)?;
    policy::allow(actor, Action::DecideInspectionContest, of.signed.of_buyer())?;
    expected.check(contest.revision)?;
    not_own_work(actor, &of.signed)?;
    if of.inspection.annulled.is_some() {
        return Err(ANNULLED.refuse().into());
    }
    let document = &of.inspection.document;
    let content = of.signed.indicators(tx.conn())?;
    let by = (acting(actor)?, tx.now());
    let contest = rules::decided(contest, document, &content, (verdict, decision), by)??;
    let capacity = Capacity {
        role: Role::BuyerApprover,
        organisation: Some(&of.signed.contract.buyer_id),
    };
    undertake(
        tx,
        actor,
        capacity,
        Duty::DecideContest,
        document.inspection_id.as_str(),
    )?;
    store::decide(tx, &contest)?;
    let all = store::of_inspection(tx.conn(), &document.inspection_id)?;
    let score = rules::tally_that_holds(document, &all)?.score;
    let decided = contest.decided.as_ref();
    let told = json!({
        "contest_id": contest.id, "item": contest.item, "outcome": contest.state(), "decision": decided.map(|one| &one.decision),
        "corrected": decided.and_then(|one| one.corrected.as_ref()).map(|item| json!({ "value": item.value, "lost": item.lost })),
        "score": score,
    });
    append(
        tx,
        actor,
        "inspection.contest_decided",
        document,
        (told, serde_json::Value::Null),
    )?;
    tidings::decided(tx, &of.signed, document, (&contest, score))?;
    Ok(Contested { contest, of })
}

/// Answers for the files of a contest: they are the parties' and the auditors'.
pub struct ContestAccess;

impl Access for ContestAccess {
    fn matter_kind(&self) -> &'static str {
        InspectionContestId::PREFIX
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let id: InspectionContestId = matter_id
            .parse()
            .map_err(|_| Fault::broken("a file hangs on what is no contest"))?;
        Ok(seen(conn, &id)?.of.signed.is_insider(actor))
    }
}
