//! Awards books of the demo, has the contracts of two signed and the award of another challenged. All by the acts, each by whom it is the duty of; what was done before, or is
//! not in the state for it, is left as it is.

use crate::app::demo_judging::lot_of;
use crate::app::demo_offers::OFFERS;
use crate::app::demo_plans::Plan;
use crate::app::demo_stage::{cast, organisation_of};
use crate::award::rules_awards::{Award, State};
use crate::award::rules_challenges::Ground;
use crate::award::{acts_awards, acts_challenges, store_awards, store_challenges};
use crate::bids::rules_securities::{Kind as SecurityKind, Lodged};
use crate::contracts::rules::Party;
use crate::contracts::{acts as contracts, acts_securities as securities};
use crate::contracts::{store, store_securities};
use crate::db::writer::Tx;
use crate::kernel::calendar::local_date;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;

const REPORT: &str =
    "评标委员会推荐综合得分第一的投标人为中标候选人。The panel recommends the bidder whose total is highest.";
const DECISION: &str =
    "同意评标报告，确定排名第一的候选人中标。Agreed; the contract goes to the first in rank.";
const FOUND: &str = "已到账，与银行回单核对无误。It has come in, as the bank's receipt says.";
/// Who is second for the patrols, and what they say against the award: facts, the rule, what they ask for.
const CHALLENGER: &str = "anlan.agent";
const CHALLENGED: (&str, &str, &str) = (
    "服务方案一项，我方夜间巡逻安排与中标人相同，得分却低。",
    "87号令第五十五条：评审因素应当细化和量化，且与相应的商务条件和采购需求对应。",
    "请公布该项各评委的评分理由，并复核我方得分。",
);

/// The award of a plan's book, if it stands in a state; otherwise there is nothing to change.
fn standing(tx: &mut Tx<'_>, plan: &Plan, state: State) -> Answer<Option<Award>> {
    let (_, lot) = lot_of(tx.conn(), plan)?;
    let award = store_awards::standing_of(tx.conn(), &lot.id)?;
    let award = award.filter(|award| award.state == state);
    if award.is_none() {
        tx.nothing_to_change();
    }
    Ok(award)
}

/// The officer proposes whoever is first in rank, unless somebody was proposed before.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn propose(tx: &mut Tx<'_>, plan: &Plan) -> Answer<()> {
    let (_, lot) = lot_of(tx.conn(), plan)?;
    if !store_awards::of_lot(tx.conn(), &lot.id)?.is_empty() {
        tx.nothing_to_change();
        return Ok(());
    }
    let officer = cast(tx, plan.office.officer)?;
    acts_awards::propose(tx, &officer, &lot.id, REPORT)?;
    Ok(())
}

/// The approver decides.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn decide(tx: &mut Tx<'_>, plan: &Plan) -> Answer<()> {
    if let Some(award) = standing(tx, plan, State::Proposed)? {
        let approver = cast(tx, plan.office.approver)?;
        acts_awards::decide(tx, &approver, (&award.id, Expected::Any), DECISION)?;
    }
    Ok(())
}

/// The officer publishes the notice.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn notice(tx: &mut Tx<'_>, plan: &Plan, calendar: &WardCalendar) -> Answer<()> {
    if let Some(award) = standing(tx, plan, State::Decided)? {
        let officer = cast(tx, plan.office.officer)?;
        acts_awards::notice(tx, &officer, (&award.id, Expected::Any), calendar)?;
    }
    Ok(())
}

/// Somebody who did not win challenges the award, unless they did.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn challenge(tx: &mut Tx<'_>, plan: &Plan, calendar: &WardCalendar) -> Answer<()> {
    let Some(award) = standing(tx, plan, State::Noticed)? else {
        return Ok(());
    };
    let challenger = cast(tx, CHALLENGER)?;
    let supplier = organisation_of(&challenger)?;
    if !store_challenges::of_award(tx.conn(), &award.id)?.is_empty() {
        tx.nothing_to_change();
        return Ok(());
    }
    let (facts, basis, claim) = CHALLENGED;
    let ground = Ground {
        facts: facts.to_owned(),
        basis: basis.to_owned(),
        claim: claim.to_owned(),
    };
    acts_challenges::file(tx, &challenger, (&award.id, &supplier), &[ground], calendar)?;
    Ok(())
}

/// After the standstill the approver confirms the award, the officer prepares the contract, and the winner lodges what it asks for.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn confirm(tx: &mut Tx<'_>, plan: &Plan, calendar: &WardCalendar) -> Answer<()> {
    let Some(award) = standing(tx, plan, State::Noticed)? else {
        return Ok(());
    };
    let (officer, approver) = (cast(tx, plan.office.officer)?, cast(tx, plan.office.approver)?);
    acts_awards::confirm(tx, &approver, (&award.id, Expected::Any), calendar)?;
    let contract = contracts::prepare(tx, &officer, &award.id, calendar)?.contract;
    if !contract.security.is_zero() {
        let lodged = Lodged {
            kind: SecurityKind::Transfer,
            amount: contract.security,
            issuer: "凤城银行".to_owned(),
            reference: "凤城银行 2026-0318-0206".to_owned(),
            lodged_on: local_date(tx.now(), calendar.zone),
            expires_on: None,
        };
        let winner = winner(tx, plan, &award)?;
        securities::lodge(tx, &winner, &contract.id, lodged, calendar)?;
    }
    Ok(())
}

fn winner(tx: &mut Tx<'_>, plan: &Plan, award: &Award) -> Answer<Actor> {
    for offer in OFFERS.iter().filter(|offer| offer.line == plan.line) {
        let agent = cast(tx, offer.by)?;
        if organisation_of(&agent)? == award.supplier_id {
            return Ok(agent);
        }
    }
    Err(Fault::broken("a winner of the demo has not bid").into())
}

/// The finance officer finds the security, and both sign.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn sign(tx: &mut Tx<'_>, plan: &Plan, calendar: &WardCalendar) -> Answer<()> {
    let Some(award) = standing(tx, plan, State::Confirmed)? else {
        return Ok(());
    };
    let contract = store::of_award(tx.conn(), &award.id)?;
    let contract = contract.ok_or_else(|| Fault::broken("the demo has no contract"))?;
    let finance = cast(tx, plan.office.finance)?;
    for security in store_securities::of_contract(tx.conn(), &contract.id)? {
        let which = (&security.id, Expected::Any);
        securities::decide(tx, &finance, which, (true, FOUND))?;
    }
    let sha256 = hex::encode(contract.sha256);
    let (winner, approver) = (winner(tx, plan, &award)?, cast(tx, plan.office.approver)?);
    for (actor, party) in [(&winner, Party::Supplier), (&approver, Party::Buyer)] {
        contracts::sign(tx, actor, &contract.id, (party, &sha256), calendar)?;
    }
    Ok(())
}
