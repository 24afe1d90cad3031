//! What the demo's buyer and contractor settle about their contract while it is served: a rectification, refused once and then accepted, and a variation
//! that both sign. All by the acts.

use crate::app::demo_inspections::{AGENT, APPROVER, OFFICER, recorded};
use crate::app::demo_rounds::Visit;
use crate::app::demo_scenes::{Rectifying, Varying};
use crate::app::demo_service::{Ward, contract, upload};
use crate::app::demo_stage::cast;
use crate::contracts::acts_rectifications::{self, Deciding, Issuing};
use crate::contracts::rules::{ContractId, Party};
use crate::contracts::rules_rectifications::{self, Rectification};
use crate::contracts::rules_variations::{Cause, Entered, Kind, State, Variation};
use crate::contracts::{acts_variations, store_rectifications, store_variations};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files::acts::Upload;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;

/// How many working days the contractor has, at first and once more.
const DAYS: (u32, u32) = (5, 3);
/// What the variation adds, in yuan: over the eight periods that are left when it is signed, 750.00 each.
const ADDED_YUAN: i64 = 6_000;
/// The first period that it changes.
const FROM_PERIOD: i64 = 5;

fn line((zh, en): (&str, &str)) -> Line {
    Line {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

fn missing(what: &str) -> Fault {
    Fault::broken(format!("the demo has no such {what}"))
}

/// A step of the rectification.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn rectify(tx: &mut Tx<'_>, ward: &Ward, step: &Rectifying, pictures: &[Upload]) -> Answer<()> {
    let contract = contract(tx.conn())?.id;
    if let Rectifying::Issue(visit) = step {
        return issue(tx, ward, &contract, visit);
    }
    let one = open_notice(tx.conn(), &contract)?;
    let about = (&one.id, Expected::Any);
    match step {
        Rectifying::Issue(_) => Ok(()),
        Rectifying::Acknowledge => {
            let agent = cast(tx, AGENT)?;
            acts_rectifications::acknowledge(tx, &agent, about).map(drop)
        }
        Rectifying::Report(words) => {
            let agent = cast(tx, AGENT)?;
            let shown = upload(tx, &agent, pictures, &ward.limits)?;
            acts_rectifications::report(tx, &agent, about, (words, &shown)).map(drop)
        }
        Rectifying::Refuse => {
            let deciding = Deciding {
                is_accepted: false,
                decision_zh: "槐荫四村 4、5 号楼本周仍只清扫一次，请补齐。".to_owned(),
                decision_en:
                    "Houses 4 and 5 of Huaiyin Estate 4 were still swept once only this week; make up for it."
                        .to_owned(),
                deadline: (None, Some(DAYS.1)),
            };
            decide(tx, ward, about, &deciding)
        }
        Rectifying::Accept => {
            let deciding = Deciding {
                is_accepted: true,
                decision_zh: "复查六处，楼道清扫达标，维修台账齐全，予以通过。".to_owned(),
                decision_en: "Six places were looked at again: the stairs are swept as they should be, and the register of repairs is whole.".to_owned(),
                deadline: (None, None),
            };
            decide(tx, ward, about, &deciding)
        }
    }
}

fn issue(tx: &mut Tx<'_>, ward: &Ward, contract: &ContractId, visit: &Visit) -> Answer<()> {
    let found = recorded(tx.conn(), contract, visit)?;
    let issuing = Issuing {
        entered: rules_rectifications::Entered {
            wrong: line((
                "六月多次考核楼道每周仅清扫一次，返修率超标。",
                "In June the stairs were swept once a week only at several inspections, and too many repairs had to be done again.",
            )),
            matters: vec![found.document.inspection_id.to_string()],
            indicators: vec!["stairs_swept".to_owned(), "rework".to_owned()],
        },
        deadline: (None, Some(DAYS.0)),
        attachments: Vec::new(),
    };
    let officer = cast(tx, OFFICER)?;
    acts_rectifications::issue(tx, &officer, contract, &issuing, ward.calendar()).map(drop)
}

fn decide(
    tx: &mut Tx<'_>,
    ward: &Ward,
    about: (&rules_rectifications::RectificationId, Expected),
    deciding: &Deciding,
) -> Answer<()> {
    let approver = cast(tx, APPROVER)?;
    acts_rectifications::decide(tx, &approver, about, deciding, ward.calendar()).map(drop)
}

fn open_notice(conn: &mut Conn, contract: &ContractId) -> Answer<Rectification> {
    let newest = store_rectifications::of_contract(conn, contract, (None, None), 1)?.pop();
    Ok(newest.ok_or_else(|| missing("notice"))?)
}

/// A step of the variation.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn vary(tx: &mut Tx<'_>, ward: &Ward, step: &Varying) -> Answer<()> {
    let contract = contract(tx.conn())?.id;
    match step {
        Varying::Propose => {
            let amount = Money::from_yuan(ADDED_YUAN);
            let entered = Entered {
                kind: Kind::Supplement,
                cause: Cause::Area,
                words: line((
                    "自第 5 期起将槐荫路 9 号院（约 600 平方米）纳入服务范围。",
                    "From period 5 on the courtyard of 9 Huaiyin Road, some 600 m², is served as well.",
                )),
                amount: amount.map_err(|error| Fault::caused("an amount of the demo", error))?,
                from_period: Some(FROM_PERIOD),
                until: None,
            };
            let officer = cast(tx, OFFICER)?;
            acts_variations::propose(tx, &officer, &contract, entered, ward.calendar()).map(drop)
        }
        Varying::SupplierSigns => {
            let agent = cast(tx, AGENT)?;
            sign(tx, ward, &contract, (&agent, Party::Supplier))
        }
        Varying::BuyerSigns => {
            let approver = cast(tx, APPROVER)?;
            sign(tx, ward, &contract, (&approver, Party::Buyer))
        }
    }
}

fn sign(tx: &mut Tx<'_>, ward: &Ward, contract: &ContractId, (actor, party): (&Actor, Party)) -> Answer<()> {
    let all: Vec<Variation> = store_variations::of_contract(tx.conn(), contract)?;
    let pending = all.into_iter().find(|one| one.state == State::Proposed);
    let pending = pending.ok_or_else(|| missing("variation"))?;
    let sha256 = hex::encode(pending.sha256);
    acts_variations::sign(tx, actor, &pending.id, (party, &sha256), ward.calendar()).map(drop)
}
