//! Residents' ratings of the periods of a contract: the buyer calls a ballot about a period, residents vote, and what comes of it is the score of the
//! contract's source of that kind. The votes are the business of the floor below.

use crate::award::desk as awards;
use crate::ballots::acts::{self as ballots, Call};
use crate::ballots::polling::Polling;
use crate::ballots::rules::{Ballot, Kind};
use crate::ballots::rules_asked::{Asked, settled};
use crate::ballots::rules_derivation::Outcome;
use crate::ballots::rules_questions::NewBallot;
use crate::ballots::store;
use crate::books::rules_documents::SourceKind;
use crate::contracts::acts_inspections::not_own_work;
use crate::contracts::acts_periods;
use crate::contracts::desk::{self, Signed};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_periods::Period;
use crate::contracts::rules_source_scores::{Given, Rated};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::local_day::start_of_day;
use crate::kernel::refusal::{Answer, Fault, Kind as ReasonKind, Reason};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};

/// The contract does not score what residents say.
pub static RATING_NO_SOURCE: Reason = Reason::new(
    ReasonKind::Conflict,
    "rating_no_source",
    "该合同没有群众满意度这一评分来源",
    "The contract has no source of scores that is the residents' rating",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 1] = [&RATING_NO_SOURCE];

/// Calls a ballot about a period.
///
/// # Errors
/// In this order: permission; not found; that whoever calls works for the contractor; a period that is not there; [`RATING_NO_SOURCE`]; those of [`settled`]; a ballot that opens
/// before the period does; those of [`ballots::call`].
pub fn call(
    tx: &mut Tx<'_>,
    actor: &Actor,
    polling: &Polling,
    (id, number): (&ContractId, i64),
    (asked, calendar): (&Asked, &WardCalendar),
) -> Answer<Ballot> {
    policy::allow_at_all(actor, Action::CallBallot)?;
    let signed = desk::signed(tx.conn(), id)?;
    policy::allow(actor, Action::CallBallot, signed.of_buyer())?;
    not_own_work(actor, &signed)?;
    let (signed, period) = acts_periods::period(tx.conn(), id, number)?;
    let sources = signed.document.lot.score_sources.iter();
    let sources: Vec<_> = sources
        .filter(|source| source.kind == SourceKind::Rating)
        .collect();
    if sources.is_empty() {
        return Err(RATING_NO_SOURCE.refuse().into());
    }
    let said = sources.iter().find_map(|source| source.ballot.as_ref());
    let new = &settled(asked, said)?;
    may_be_asked(new, &period, calendar)?;
    let book = awards::known(tx.conn(), &signed.contract.lot_id)?.book;
    let (title_zh, title_en) = title(&signed, number);
    let about = [signed.contract.supplier_id.clone()];
    let call = Call {
        kind: Kind::Rating,
        matter_id: id.as_str(),
        matter_number: number,
        organisation_id: &signed.contract.buyer_id,
        title_zh,
        title_en,
        areas: &book.content.document().areas,
        about: &about,
        new,
        profile: &signed.profile,
        zone: calendar.zone,
    };
    ballots::call(tx, actor, polling, &call)
}

fn title(signed: &Signed, number: i64) -> (String, String) {
    let document = &signed.document;
    let (zh, en) = (&document.title_zh, &document.title_en);
    (format!("{zh}：第 {number} 期"), format!("{en}: period {number}"))
}

/// Nobody rates what has not begun, nor bids.
fn may_be_asked(new: &NewBallot, period: &Period, calendar: &WardCalendar) -> Answer<()> {
    let begins = start_of_day(period.span.first, calendar.zone)
        .map_err(|error| Fault::caused("the first day of a period", error))?;
    let mut form = Form::new();
    if new.opens_at < begins {
        form.object(
            "/opens_at",
            Text::fixed("不得早于本期第一日", "must not lie before the period begins"),
        );
    }
    for (at, question) in new.questions.iter().enumerate() {
        if question.about.is_some() {
            form.object(
                &format!("/questions/{at}/about"),
                Text::fixed("仅用于投标评议", "belongs to appraisals of bids"),
            );
        }
    }
    Ok(form.finish(())?)
}

/// What residents say of a period, once their votes are counted.
///
/// # Errors
/// A fault of the database.
pub(super) fn rated(conn: &mut Conn, id: &ContractId, number: i64) -> Answer<Option<Rated>> {
    let result = store::result_of(conn, Kind::Rating, id.as_str(), number)?;
    Ok(result.map(|result| match (result.outcome, result.score) {
        (Outcome::Binding, Some(score)) => Rated::Binding(Given {
            score,
            count: result.ballots,
            is_settled: true,
        }),
        _ => Rated::NonBinding {
            count: result.ballots,
        },
    }))
}
