//! How the demo's months of service are accepted: the first by a certificate, the second by silence, and the third waits. All by the acts.

use crate::app::demo_inspections::{AGENT, APPROVER, OFFICER};
use crate::app::demo_scenes::Accepting;
use crate::app::demo_service::{Ward, contract};
use crate::app::demo_stage::cast;
use crate::contracts::desk_acceptances::prefilled;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptance_findings::{Entered, EnteredFinding, ServedPerson};
use crate::contracts::rules_acceptances::Conclusion;
use crate::contracts::{acts_acceptances as acts, store_acceptances as store};
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::conditional::Expected;

/// Residents' representatives who were invited, and what they said.
const SERVED: [(&str, Option<&str>); 3] = [
    ("周桂芬", Some("楼道比以前干净，夜里灯也亮了。")),
    ("陈立", Some("报修来得快，大门口的灯修得慢了些。")),
    ("何秀英", None),
];

/// A step of the acceptance of a period.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn accept(tx: &mut Tx<'_>, ward: &Ward, period: i64, step: &Accepting) -> Answer<()> {
    let contract = contract(tx.conn())?.id;
    let of = (&contract, period);
    match step {
        Accepting::HandOver(words) => {
            let agent = cast(tx, AGENT)?;
            acts::hand_over(tx, &agent, of, (words, &[]), ward.calendar()).map(drop)
        }
        Accepting::Draft => {
            let entered = entered(tx, ward, of)?;
            let officer = cast(tx, OFFICER)?;
            acts::draft(tx, &officer, of, entered, ward.calendar()).map(drop)
        }
        Accepting::Sign => {
            let approver = cast(tx, APPROVER)?;
            let missing = || Fault::broken("the demo has no such certificate");
            let last = store::last(tx.conn(), &contract, period)?.ok_or_else(missing)?;
            let draft = store::draft(tx.conn(), &last.id, last.drafts)?.ok_or_else(missing)?;
            let about = (&last.id, Expected::Any);
            acts::sign(tx, &approver, about, &hex::encode(draft.sha256), ward.calendar()).map(drop)
        }
    }
}

/// A certificate that finds what inspections say.
fn entered(tx: &mut Tx<'_>, ward: &Ward, (contract, period): (&ContractId, i64)) -> Answer<Entered> {
    let now = tx.now();
    let found = prefilled(tx.conn(), contract, period, (ward.calendar(), now))?;
    let findings = found.bases.into_iter().map(|basis| EnteredFinding {
        indicator: basis.indicator,
        finding: basis.suggested,
        words: None,
    });
    let served = SERVED.into_iter().map(|(name, words)| ServedPerson {
        name: name.to_owned(),
        took_part: words.is_some(),
        words: words.map(str::to_owned),
    });
    Ok(Entered {
        findings: findings.collect(),
        served: served.collect(),
        summary: (
            Some("到场的居民代表总体满意，希望照明报修更快。".to_owned()),
            Some(
                "The representatives who came are content on the whole, and want lamps to be mended sooner."
                    .to_owned(),
            ),
        ),
        conclusion: Conclusion::Accepted,
        undisputed: None,
        reason: (None, None),
    })
}
