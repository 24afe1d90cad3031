//! Gives the demo's street office its money: a fund, the budget lines of its five books, and the duty of the fifth delegated to a
//! community together with the money for it. All by the acts, two people for each movement.

use chrono_tz::Tz;

use crate::app::demo_cast::CHIEFS;
use crate::app::demo_stage::{cast, organisation_of};
use crate::budget::acts;
use crate::budget::acts_delegations::{self, DraftDelegation, Place};
use crate::budget::acts_movements::{self, Decide};
use crate::budget::rules::{BudgetLineId, FundId, FundKind, NewFund, NewLine};
use crate::budget::rules_delegations::EnteredTerms;
use crate::budget::rules_movements::{MovementKind, NewMovement};
use crate::budget::store::{self, FundFilter, LineFilter};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;

const YEAR: i64 = 2026;
const BASIS: &str = "凤财预〔2026〕3号";
/// Why the money is moved at the beginning of the year.
const REASON: &str = "年初安排";

/// A budget line of the demo, with what is allocated to it in yuan.
struct Line {
    code: &'static str,
    category: &'static str,
    purpose: (&'static str, &'static str),
    yuan: i64,
}

/// The lines that the five books are bought with; each has its book's whole budget.
const LINES: [Line; 5] = [
    Line {
        code: "SAN-01",
        category: "sanitation",
        purpose: ("道路保洁", "Street sanitation"),
        yuan: 2_350_200,
    },
    Line {
        code: "GRN-01",
        category: "greening",
        purpose: ("绿化养护", "Greening upkeep"),
        yuan: 580_400,
    },
    Line {
        code: "SEC-01",
        category: "security",
        purpose: ("治安巡防", "Security patrol"),
        yuan: 705_600,
    },
    Line {
        code: "PRO-01",
        category: "property",
        purpose: ("老旧小区准物业", "Estate upkeep"),
        yuan: 841_800,
    },
    Line {
        code: "SAN-02",
        category: "sanitation",
        purpose: ("公厕与绿地自管", "Self-managed toilets and greens"),
        yuan: 96_000,
    },
];

/// What the whole fund gets for the year, in yuan: the five books' budgets and something to spare.
const APPROPRIATED_YUAN: i64 = 5_000_000;

/// The street office's people who handle money.
struct Office {
    finance: Actor,
    second: Actor,
    street: OrganisationId,
    fund: FundId,
    zone: Tz,
}

/// Makes the fund with its lines and the delegation, unless there is one.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn endow(tx: &mut Tx<'_>, place: &Place) -> Answer<()> {
    if !store::funds(tx.conn(), &FundFilter::default(), 1)?.is_empty() {
        tx.nothing_to_change();
        return Ok(());
    }
    let finance = cast(tx, "finance")?;
    let street = organisation_of(&finance)?;
    let fund = NewFund {
        code: "WT-FW".to_owned(),
        kind: FundKind::SpecialFund,
        organisation_id: street.clone(),
        name_zh: "梧桐街道公共服务专项".to_owned(),
        name_en: "Public services of Wutong Street".to_owned(),
        basis: BASIS.to_owned(),
    };
    let office = Office {
        fund: acts::create_fund(tx, &finance, &fund)?.id,
        second: cast(tx, "finance2")?,
        finance,
        street,
        zone: place.zone,
    };
    office.moves(tx, MovementKind::Appropriation, (None, APPROPRIATED_YUAN), REASON)?;
    let mut last = None;
    for line in &LINES {
        let id = office.line(tx, line, line.code, &office.street)?;
        office.moves(tx, MovementKind::Allocation, (Some(&id), line.yuan), REASON)?;
        last = Some((line, id));
    }
    match last {
        Some((line, from)) => office.delegate(tx, place, line, from),
        None => Ok(()),
    }
}

impl Office {
    fn line(
        &self,
        tx: &mut Tx<'_>,
        line: &Line,
        code: &str,
        organisation: &OrganisationId,
    ) -> Answer<BudgetLineId> {
        let new = NewLine {
            fiscal_year: YEAR,
            code: code.to_owned(),
            organisation_id: organisation.clone(),
            category: line.category.to_owned(),
            purpose_zh: line.purpose.0.to_owned(),
            purpose_en: line.purpose.1.to_owned(),
        };
        Ok(acts::create_line(tx, &self.finance, &self.fund, &new)?.id)
    }

    /// One proposes, the other confirms.
    fn moves(
        &self,
        tx: &mut Tx<'_>,
        kind: MovementKind,
        (to, yuan): (Option<&BudgetLineId>, i64),
        reason: &str,
    ) -> Answer<()> {
        let new = NewMovement {
            kind,
            fiscal_year: YEAR,
            from_line_id: None,
            to_line_id: to.cloned(),
            amount: amount(yuan)?,
            document: kind.is_appropriation().then(|| BASIS.to_owned()),
            reason: reason.to_owned(),
        };
        let proposed = acts_movements::propose(tx, &self.finance, &self.fund, &new, self.zone)?;
        let decide = Decide {
            fund_id: self.fund.clone(),
            id: proposed.id,
            reason: None,
            zone: self.zone,
        };
        acts_movements::confirm(tx, &self.second, &decide)?;
        Ok(())
    }

    /// The duty of the last line goes to the community that does it itself, with the money.
    fn delegate(&self, tx: &mut Tx<'_>, place: &Place, line: &Line, from: BudgetLineId) -> Answer<()> {
        let chief = CHIEFS.iter().find(|chief| chief.body == Some("guiyuan"));
        let chief = chief.ok_or_else(|| Fault::broken("a community of the demo without a chief"))?;
        let community = organisation_of(&cast(tx, chief.name)?)?;
        let to = self.line(tx, line, "GUI-01", &community)?;
        let command = DraftDelegation {
            from_organisation_id: self.street.clone(),
            to_organisation_id: community,
            terms: EnteredTerms {
                scope_zh: Some(Some("桂园社区公厕与绿地自管".to_owned())),
                scope_en: Some(Some(
                    "Toilets and greens of Guiyuan, kept by its residents".to_owned(),
                )),
                document_number: Some(Some("梧街发〔2026〕1号".to_owned())),
                document_date: Some(Some("2026-01-04".to_owned())),
                amount: Some(Some(amount(line.yuan)?)),
                from_line_id: Some(Some(from)),
                to_line_id: Some(Some(to)),
            },
        };
        let officer = cast(tx, "officer")?;
        let drafted = acts_delegations::draft(tx, &officer, &command)?;
        let approver = cast(tx, "approver")?;
        acts_delegations::put_into_effect(tx, &approver, &drafted.id, Expected::Any, place)?;
        Ok(())
    }
}

/// Allocates more to a budget line out of what the fund has left: one proposes, the other confirms.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn allocate(tx: &mut Tx<'_>, code: &str, yuan: i64, zone: Tz) -> Answer<()> {
    let line = store::lines(tx.conn(), &LineFilter::default(), 100)?;
    let line = line.into_iter().find(|line| line.code == code);
    let line = line.ok_or_else(|| Fault::broken("a budget line of the demo is missing"))?;
    let finance = cast(tx, "finance")?;
    let office = Office {
        second: cast(tx, "finance2")?,
        street: organisation_of(&finance)?,
        fund: line.fund_id,
        finance,
        zone,
    };
    office.moves(
        tx,
        MovementKind::Allocation,
        (Some(&line.id), yuan),
        "补充安排，用于合同追加",
    )
}

fn amount(yuan: i64) -> Answer<Money> {
    Ok(Money::from_yuan(yuan).map_err(|error| Fault::caused("an amount of the demo", error))?)
}
