//! Lets the suppliers of the demo bid, and buyers open the bids. All by what requests do as well: a bid is read, held against
//! its lot and sealed in memory, and an act takes it.

use sha2::{Digest, Sha256};

use crate::app::demo_offers::{Offer, Subcontractor};
use crate::app::demo_plans::{Pair, Plan};
use crate::app::demo_stage::{acting, organisation_of};
use crate::app::server::House;
use crate::app::{demo_books, demo_files};
use crate::bids::acts::{self, Sealing};
use crate::bids::desk::{self, Known};
use crate::bids::rules::in_time;
use crate::bids::rules_document::{
    BidDocument, ConfidentialDocument, ConfidentialKind, CriterionResponse, Deviation, DocumentNumber,
    DocumentReference, IndicatorResponse, PartnerDocument, PriceLineDocument, SizeDocument, StaffDocument,
};
use crate::bids::rules_securities::{Kind as SecurityKind, Lodged, bounds};
use crate::bids::{acts_openings, acts_securities, rules_responses, sealing, store, warnings};
use crate::books::custody::Custody;
use crate::books::rules_documents::{CriterionDocument, CriterionKind};
use crate::books::rules_witnesses::may_open;
use crate::books::store as books;
use crate::db::conn::Conn;
use crate::kernel::calendar::local_date;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::weight::Weight;
use crate::registry::rules_size::{Industry, SizeClass, SizeDeclaration};
use crate::registry::store_organisations;
use crate::web::actor::Actor;

/// What bidders say to the appraisal by the residents, in which they have no hand.
const APPRAISED: Pair = (
    "接受居民评议，并在评议前向居民公开服务方案。",
    "The residents' appraisal is accepted; they are shown the plan before it.",
);

/// A bid that is to be taken.
struct Bid {
    agent: Actor,
    sealing: Sealing,
}

/// Makes an offer as a bid, unless there was one of this supplier before, or none is taken now.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn submit(house: &House, offer: &'static Offer) -> Answer<()> {
    let context = &house.context;
    let found = context
        .db
        .read_primary_and_wait(|conn| sealed(conn, house, offer))?;
    let Some(Bid { agent, sealing }) = found else {
        return Ok(());
    };
    let (context, notary) = (context.clone(), house.notary());
    house.context.db.write_and_wait(move |tx| {
        let place = acts::Place {
            zone: context.calendar.zone,
            notary: &notary,
        };
        if let Some(reference) = offer.security {
            let known = desk::known(tx.conn(), &sealing.lot.id)?;
            let profile = acts_securities::profile_of(tx.conn(), &known.lot)?;
            let (book, lot) = (known.book.content.document(), known.document()?);
            let lodged = Lodged {
                kind: SecurityKind::Transfer,
                amount: bounds(book, lot, &profile)?.asked,
                issuer: "凤城银行".to_owned(),
                reference: reference.to_owned(),
                lodged_on: local_date(tx.now(), place.zone),
                expires_on: None,
            };
            let whose = (&sealing.lot.id, &sealing.supplier);
            acts_securities::lodge(tx, &agent, whose, lodged, &context.calendar)?;
        }
        acts::seal(tx, &agent, &sealing, place).map(drop)
    })
}

/// What an offer is as a sealed bid; none if there is nothing to be done.
fn sealed(conn: &mut Conn, house: &House, offer: &Offer) -> Answer<Option<Bid>> {
    let (plan, context) = (offer.plan()?, &house.context);
    let now = context.clock.now();
    let Some(book) = demo_books::public(conn, plan)? else {
        return Ok(None);
    };
    let lot = books::lots_of(conn, &book.id)?.into_iter().next();
    let lot = lot.ok_or_else(|| Fault::broken("a book of the demo has no lot"))?;
    let agent = acting(conn, offer.by, now)?;
    let supplier = organisation_of(&agent)?;
    let known = desk::known(conn, &lot.id)?;
    let is_there = store::last_of(conn, &lot.id, &supplier)?.is_some();
    if is_there || in_time(&known.standing, now).is_err() {
        return Ok(None);
    }
    let document = document(conn, offer, &known, &supplier)?;
    rules_responses::answers(&document, known.asked(&supplier)?)?;
    let against = warnings::of(conn, (&document, &known), context)?;
    if let Some(item) = against.first() {
        let said = item.detail.en();
        return Err(Fault::broken(format!("the bid of {} in the demo: {said}", offer.by)).into());
    }
    let ciphertext = sealing::seal(&document.written()?, known.recipient()?);
    Ok(Some(Bid {
        agent,
        sealing: Sealing {
            lot,
            supplier,
            book_version: document.book_version,
            last: None,
            replacing: None,
            ciphertext: ciphertext.map_err(|error| Fault::caused("seal a bid of the demo", error))?,
        },
    }))
}

fn document(conn: &mut Conn, offer: &Offer, known: &Known, supplier: &OrganisationId) -> Answer<BidDocument> {
    let lot = known.document()?;
    let mut price_lines = Vec::with_capacity(offer.prices.len());
    for ((number, price), quantity) in (1_u32..).zip(offer.prices).zip(&lot.quantities) {
        let amount = rules_responses::line_amount(price, &quantity.amount);
        price_lines.push(PriceLineDocument {
            quantity: number,
            unit_price: (*price).to_owned(),
            amount: amount.ok_or_else(|| Fault::broken("a price of the demo"))?,
        });
    }
    let total = Money::sum(price_lines.iter().map(|line| line.amount));
    let registered = store_organisations::organisation(conn, supplier)?;
    let registered = registered.ok_or_else(|| Fault::broken("a supplier of the demo is missing"))?;
    let proposal = demo_files::proposal(offer.plan()?, offer);
    let criteria = lot.criteria.iter().filter(|one| one.kind != CriterionKind::Price);
    let criteria: Result<Vec<_>, Fault> = criteria.map(|one| response(offer, one)).collect();
    let staff = offer.staff.iter().map(|member| StaffDocument {
        name: member.name.to_owned(),
        position: member.position.to_owned(),
        qualification: member.qualification.map(str::to_owned),
    });
    Ok(BidDocument {
        lot_id: known.lot.id.clone(),
        supplier_id: supplier.clone(),
        book_version: known.standing.versions,
        price_lines,
        total: total.map_err(|error| Fault::caused("a price of the demo", error))?,
        criteria: criteria?,
        indicators: known.indicators.iter().map(|code| kept(offer, code)).collect(),
        size: registered.current.particulars.size.map(declared),
        key_staff: staff.collect(),
        subcontractors: partners(offer.subcontractor.as_ref())?,
        consortium: Vec::new(),
        ties: Vec::new(),
        interests: Vec::new(),
        documents: vec![DocumentReference {
            name: "响应文件.pdf".to_owned(),
            sha256: hex::encode(Sha256::digest(&proposal)),
            bytes: i64::try_from(proposal.len())
                .map_err(|error| Fault::caused("a file of the demo", error))?,
        }],
        confidential: vec![ConfidentialDocument {
            pointer: "/key_staff".to_owned(),
            kind: ConfidentialKind::Personal,
            reason: both(("人员个人信息", "It is about people")),
        }],
    })
}

/// A bid says each thing once; those of the demo say it in both languages.
fn both((zh, en): Pair) -> String {
    format!("{zh}\n{en}")
}

fn response(offer: &Offer, criterion: &CriterionDocument) -> Result<CriterionResponse, Fault> {
    let text = match criterion.kind {
        CriterionKind::Technical if criterion.code == "T1" => offer.work,
        CriterionKind::Technical => offer.means,
        CriterionKind::Business => offer.experience,
        CriterionKind::Appraisal if offer.plan()?.by_ballot => offer.work,
        CriterionKind::Appraisal | CriterionKind::Price => APPRAISED,
    };
    Ok(CriterionResponse {
        code: criterion.code.clone(),
        text: both(text),
        documents: vec![DocumentNumber(1)],
    })
}

fn kept(offer: &Offer, code: &str) -> IndicatorResponse {
    let better = offer.better.iter().find(|(better, _)| *better == code);
    IndicatorResponse {
        code: code.to_owned(),
        deviation: match better {
            Some(_) => Deviation::Positive,
            None => Deviation::None,
        },
        text: better.map(|(_, text)| both(*text)),
    }
}

/// A bidder declares what it has registered.
fn declared(registered: SizeDeclaration) -> SizeDocument {
    let facts = registered.facts;
    SizeDocument {
        industry: facts.industry,
        employees: facts.employees,
        revenue: facts.revenue,
        assets: facts.assets,
        class: registered.class,
    }
}

fn partners(subcontractor: Option<&Subcontractor>) -> Result<Vec<PartnerDocument>, Fault> {
    let Some(one) = subcontractor else {
        return Ok(Vec::new());
    };
    let broken = |error| Fault::caused("a subcontractor of the demo", error);
    let percent: Weight = one
        .percent
        .parse()
        .map_err(|error| Fault::caused("a part of the demo", error))?;
    Ok(vec![PartnerDocument {
        name: one.name.to_owned(),
        credit_code: one.credit_code.to_owned(),
        work: both(one.work),
        percent,
        size: Some(SizeDocument {
            industry: Industry::OtherServices,
            employees: Some(one.employees),
            revenue: Some(Money::from_yuan(one.revenue_yuan).map_err(broken)?),
            assets: None,
            class: SizeClass::Medium,
        }),
    }])
}

/// Opens the bids for the book of a plan, if its opening has come and nobody was faster.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn open(house: &House, plan: &Plan) -> Answer<()> {
    let (context, custody) = (&house.context, Custody::open(&house.settings.keys_dir())?);
    let (now, zone) = (context.clock.now(), context.calendar.zone);
    let place = acts_openings::Place {
        zone,
        keeper: &custody,
    };
    let found = context.db.read_primary_and_wait(|conn| {
        let Some(book) = demo_books::public(conn, plan)? else {
            return Ok(None);
        };
        if may_open(&book, now).is_err() {
            return Ok(None);
        }
        let officer = acting(conn, plan.office.officer, now)?;
        let prepared = acts_openings::prepare(conn, &officer, &book.id, now, place)?;
        Ok(prepared.map(|prepared| (officer, book.id, prepared)))
    })?;
    if let Some((officer, id, prepared)) = found {
        context
            .db
            .write_and_wait(move |tx| acts_openings::open(tx, &officer, &id, Some(&prepared)).map(drop))?;
    }
    Ok(())
}
