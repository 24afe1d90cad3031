//! Reports of defects: taken in, joined to what is open already, shown or hidden. Each function is one transaction's worth of work, permission first,
//! event last.

use chrono::NaiveDate;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::contracts::acts_defects::{PHOTO_TYPES, Setting, call, record, settle};
use crate::contracts::desk_defects::{Known, place, reporter, seen};
use crate::contracts::rules_defect_reports::{
    CODE_NEEDED, Checked, Day, DefectReport, DefectReportId, REPORTS_KEPT_MAX, Reporter, Said, Visibility,
    checked, is_served,
};
use crate::contracts::rules_defects::{Defect, DefectId, State};
use crate::contracts::rules_places::{PlaceRef, ServedPlace, ServedPlaceId};
use crate::contracts::{store_defect_reports as store, store_defects};
use crate::db::writer::Tx;
use crate::files;
use crate::files::acts::Upload;
use crate::files::rules::{Limits as FileLimits, Use, Visibility as FileVisibility};
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Language;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// What somebody reports.
#[derive(Clone)]
pub struct NewReport {
    /// Where.
    pub place: PlaceRef,
    /// What.
    pub said: Said,
    /// In which language they want to hear of it.
    pub language: Language,
    /// Photos that lie in the store.
    pub photos: Vec<Upload>,
}

/// How much is taken.
#[derive(Clone, Copy)]
pub struct Bounds<'b> {
    /// Reports of one place in a day.
    pub per_place: u32,
    /// Bytes of files.
    pub files: &'b FileLimits,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is a defect of its own.
    Opened,
    /// It was reported before; now it is once more.
    Joined,
    /// The place has had so many today that this one is only counted.
    OnlyCounted,
}

/// What became of a report.
pub struct Filed {
    /// In a word.
    pub outcome: Outcome,
    /// Where.
    pub place: ServedPlace,
    /// On which day of the ward.
    pub day: NaiveDate,
    /// The defect, unless it was only counted.
    pub defect: Option<Defect>,
    /// The report, if it was kept.
    pub report: Option<DefectReportId>,
    /// Which of the photos' places are those that will be read.
    pub used: Vec<bool>,
}

/// Whoever acts for somebody without an account.
fn acting(actor: &Actor) -> Actor {
    match actor.id() {
        Some(_) => actor.clone(),
        None => Actor::system(),
    }
}

/// Takes a report in.
///
/// # Errors
/// In this order: permission; not found; [`CODE_NEEDED`]; those of [`checked`] and [`is_served`]; those of attachments.
pub fn report(
    tx: &mut Tx<'_>,
    actor: &Actor,
    new: &NewReport,
    (bounds, setting): (Bounds<'_>, Setting<'_>),
) -> Answer<Filed> {
    policy::allow(actor, Action::ReportDefect, Matter::default())?;
    let (place, known) = place(tx.conn(), &new.place)?;
    let reporter = reporter(actor, &known.signed.contract);
    if reporter == Reporter::Anonymous && matches!(new.place, PlaceRef::Id(_)) {
        return Err(CODE_NEEDED.refuse().at("/place").into());
    }
    let now = tx.now();
    let said = checked(&new.said, reporter, (&known.categories(), new.language), now)?;
    let day = local_date(now, setting.calendar.zone);
    is_served(day, known.signed.term())?;
    let so_far = store::day(tx.conn(), &place.id, day)?;
    if reporter.is_limited() && so_far.taken >= i64::from(bounds.per_place) {
        // Counted afterwards, outside of the log, which a flood must not fill.
        tx.nothing_to_change();
        return Ok(Filed {
            outcome: Outcome::OnlyCounted,
            place,
            day,
            defect: None,
            report: None,
            used: vec![false; new.photos.len()],
        });
    }
    let open = store_defects::open_at(tx.conn(), &place.id, &said.category.code)?;
    let open = match open {
        Some(open) => Some(settle(tx, open, setting)?).filter(|defect| defect.state.is_open()),
        None => None,
    };
    let outcome = if open.is_some() {
        Outcome::Joined
    } else {
        Outcome::Opened
    };
    let defect = match open {
        Some(open) => join(tx, actor, (open, &said), reporter)?,
        None => begin(tx, actor, (&known, &place), &said, reporter)?,
    };
    let kept = store::kept(tx.conn(), &defect.id)?;
    let (report, used) = if kept < REPORTS_KEPT_MAX {
        let written = written(&defect, kept.saturating_add(1), (actor, reporter), (&said, day));
        let used = keep(tx, actor, &written, (&said, new), bounds)?;
        (Some(written.id), used)
    } else {
        (None, vec![false; new.photos.len()])
    };
    let more = Day {
        taken: 1,
        joined: i64::from(outcome == Outcome::Joined),
        ..Day::default()
    };
    store::add_to_day(tx, &place.id, day, more)?;
    let demand = known.demand(&defect.category.code, &place);
    let defect = if defect.state == State::Reported && reporter.is_heard_at_once(demand) {
        call(tx, &acting(actor), &known, defect, setting)?
    } else {
        defect
    };
    Ok(Filed {
        outcome,
        place,
        day,
        defect: Some(defect),
        report,
        used,
    })
}

/// A defect that nobody has reported before.
fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (known, place): (&Known, &ServedPlace),
    said: &Checked,
    reporter: Reporter,
) -> Answer<Defect> {
    let now = tx.now();
    let defect = Defect {
        id: DefectId::mint(now),
        contract_id: known.signed.contract.id.clone(),
        place_id: place.id.clone(),
        category: said.category.clone(),
        state: State::Reported,
        revision: 1,
        reports_count: 1,
        reported_at: now,
        last_reported_at: now,
        occurred_at: said.occurred_at,
        round: 0,
        due_at: None,
        silent_at: None,
        closed: None,
        reason: None,
    };
    store_defects::insert(tx, &defect)?;
    let data = json!({ "reporter": reporter.name() });
    record(
        tx,
        &acting(actor),
        "defect.reported",
        &defect,
        data,
        hashed(&said.words),
    )?;
    Ok(defect)
}

/// A defect that was reported once more.
fn join(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (open, said): (Defect, &Checked),
    reporter: Reporter,
) -> Answer<Defect> {
    let joined = Defect {
        reports_count: open.reports_count.saturating_add(1),
        last_reported_at: tx.now(),
        ..open
    };
    store_defects::join(tx, &joined)?;
    let data = json!({ "reporter": reporter.name(), "reports_count": joined.reports_count });
    record(
        tx,
        &acting(actor),
        "defect.joined",
        &joined,
        data,
        hashed(&said.words),
    )?;
    Ok(joined)
}

/// What ties the log to words without holding them: they may have to go one day.
fn hashed(words: &str) -> Value {
    json!({ "words_sha256": hex::encode(Sha256::digest(words.as_bytes())) })
}

fn written(
    defect: &Defect,
    number: i64,
    (actor, reporter): (&Actor, Reporter),
    (said, day): (&Checked, NaiveDate),
) -> DefectReport {
    DefectReport {
        id: DefectReportId::mint(defect.last_reported_at),
        defect_id: defect.id.clone(),
        number,
        reporter,
        account_id: actor.id().map(str::to_owned),
        words: said.words.clone(),
        visibility: reporter.visibility(),
        reason: None,
        revision: 1,
        reported_at: defect.last_reported_at,
        reported_on: day,
    }
}

/// Keeps a report with its photos and where its author wants to hear of it.
fn keep(
    tx: &mut Tx<'_>,
    actor: &Actor,
    report: &DefectReport,
    (said, new): (&Checked, &NewReport),
    bounds: Bounds<'_>,
) -> Answer<Vec<bool>> {
    store::insert(tx, report)?;
    if let Some(contact) = &said.contact {
        store::keep_contact(tx, &report.id, contact)?;
    }
    // What those without an account upload is the service's, within what an account may upload in a day.
    let uploader = acting(actor);
    let mut used = Vec::new();
    for (at, photo) in new.photos.iter().enumerate() {
        let uploaded = files::acts::upload(tx, &uploader, photo, bounds.files)?;
        let to = Use {
            matter_kind: DefectReportId::PREFIX,
            matter_id: report.id.as_str(),
            visibility: FileVisibility::Matter,
            types: &PHOTO_TYPES,
            pointer: &format!("/photos/{at}"),
        };
        files::acts::attach(tx, &uploader, &uploaded.attachment.id, to)?;
        used.push(uploaded.place_is_used);
    }
    Ok(used)
}

/// Shows the words and photos of a report to everybody, or to nobody outside the buyer's office.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`DefectReport::moderated`].
pub fn moderate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&DefectReportId, Expected),
    (visibility, reason): (Visibility, Option<&str>),
) -> Answer<DefectReport> {
    policy::allow_at_all(actor, Action::DecideDefects)?;
    let before = store::report(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let now = tx.now();
    let found = seen(tx.conn(), actor, &before.defect_id, now)?;
    let matter = Matter::of_organisation(&found.contract.buyer_id);
    policy::allow(actor, Action::DecideDefects, matter)?;
    expected.check(before.revision)?;
    let day = before.reported_on;
    let moderated = before.moderated(visibility, reason)?;
    store::moderate(tx, &moderated)?;
    if visibility == Visibility::Hidden {
        let more = Day {
            hidden: 1,
            ..Day::default()
        };
        store::add_to_day(tx, &found.defect.place_id, day, more)?;
    }
    let event = Event {
        kind: "defect_report.moderated",
        subject: moderated.id.to_string(),
        data: json!({ "defect_id": moderated.defect_id, "visibility": visibility.name() }),
        private: json!({ "reason": moderated.reason }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(moderated)
}

/// Counts reports that were not taken; upkeep, because a flood of them is no change of the ward.
///
/// # Errors
/// A fault of the database.
pub fn count(tx: &mut Tx<'_>, of: &[(ServedPlaceId, NaiveDate, Day)]) -> Answer<()> {
    for (place, day, more) in of {
        store::add_to_day(tx, place, *day, *more)?;
    }
    Ok(())
}
