//! The form by which a defect is reported, as the API and the page receive it. What is received is counted before it is stored, and what is refused leaves nothing in the
//! store of files.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::contracts::acts_defect_reports::{self as acts, Bounds, Filed, NewReport, Outcome};
use crate::contracts::acts_defects::{PHOTO_TYPES, Setting};
use crate::contracts::reception::{AtReception, From as Sender, Reception, Turn};
use crate::contracts::rules_defect_reports::{Day, DefectReportId, PHOTO_BYTES_MAX, PHOTOS_MAX, Said};
use crate::contracts::rules_defects::{DefectId, State};
use crate::contracts::rules_places::{PlaceCode, PlaceRef, ServedPlaceId};
use crate::contracts::store_places;
use crate::files::acts::Upload;
use crate::files::desk::{Desk, Files, Turn as FilesTurn};
use crate::files::intake::{self, Claim};
use crate::files::rules::TYPE_NOT_ALLOWED;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault, Objection, Refusal, Stop};
use crate::kernel::text::{Language, Text};
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::{Incoming, Stream};
use crate::web::context::Context;
use crate::web::idempotency::{Once, Reply};
use crate::web::multipart::{Form, FormLimits, Part};
use crate::web::page::Filled;
use crate::web::policy::Role;
use crate::web::problem::INVALID;

/// Bytes of a form besides its photos.
const FORM_BYTES_MAX: u64 = 262_144;
/// How often somebody whose photos are not received yet is looked after, and how many times.
const TURN_EVERY: Duration = Duration::from_millis(100);
const TURN_TRIES_MAX: u32 = 100;
/// The fields of a report.
const FIELDS: [&str; 5] = ["place", "category", "text", "occurred_at", "contact"];
/// Under which name answers to those without an account are remembered; keys are for them to choose so that nobody else has the same.
const ANONYMOUS: &str = "anonymous";

/// What became of a report.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = DefectReceipt, example = json!({
    "outcome": "opened", "place_id": "servedplace_01jd3n8f5teqkrzvq1c0m6h2ax", "defect_id": "defect_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "reported",
    "reports_count": 1, "report_id": "defectreport_01jd3n8f5teqkrzvq1c0m6h2ax",
    "follow_up": "defectreport_01jd3n8f5teqkrzvq1c0m6h2ax.CwQ2lI5oJ7hUMnA0yWb0Og"
}))]
pub struct ReceiptView {
    /// `opened`: it is new; `joined`: it was reported before, and is now once more; `counted`: the place has had so many reports today that this one is only
    /// counted.
    #[schema(pattern = "^(opened|joined|counted)$")]
    pub outcome: String,
    /// For which place.
    pub place_id: ServedPlaceId,
    /// The defect; `null` if it was only counted.
    pub defect_id: Option<DefectId>,
    /// How far that has come.
    pub state: Option<State>,
    /// How many have reported it.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub reports_count: Option<i64>,
    /// The report; `null` where enough of the same were kept.
    pub report_id: Option<DefectReportId>,
    /// For those without an account: the token by which they hear what came of it and say whether it is put right. Keep it: nobody else has it.
    #[schema(max_length = 100)]
    pub follow_up: Option<String>,
}

/// A form that was received, with its photos in the store.
pub(super) struct Received {
    /// What was filled in.
    pub fields: Filled,
    photos: Vec<Upload>,
    digest: [u8; 32],
}

/// A form that was not received, with what was filled in before that was clear: whoever has typed it need not do so again.
pub(super) struct Broken {
    pub stop: Stop,
    pub fields: Filled,
}

/// Whoever sends a report, and where it is received.
pub(super) struct Counter<'c> {
    pub context: &'c Context,
    pub files: &'c Files,
    pub reception: &'c Reception,
    pub actor: &'c Actor,
    pub network: IpAddr,
    pub now: Instant,
}

impl Counter<'_> {
    /// Receives a form. `more` are fields besides those of a report.
    ///
    /// # Errors
    /// In this order: too many at once; those of the form; too many reports; what is wrong with a photo; fields that are no report's.
    pub(super) async fn receive(&self, incoming: Incoming, more: &[&str]) -> Answer<Received> {
        self.receive_knowing(incoming, &mut Vec::new(), more).await
    }

    async fn receive_knowing(
        &self,
        incoming: Incoming,
        fields: &mut Vec<(String, String)>,
        more: &[&str],
    ) -> Answer<Received> {
        let photos_max = u64::try_from(PHOTOS_MAX).unwrap_or(u64::MAX);
        let file_bytes_max = PHOTO_BYTES_MAX.min(self.files.limits.file_bytes_max);
        let form = incoming.form(FormLimits {
            bytes_max: file_bytes_max
                .saturating_mul(photos_max)
                .saturating_add(FORM_BYTES_MAX),
            file_bytes_max,
            within: self.files.timeout,
        })?;
        let mut photos = Vec::new();
        let received = self.gather(form, fields, &mut photos).await;
        let checked = received.and_then(|prints| {
            let written = serde_json::to_vec(&(&*fields, &prints))
                .map_err(|error| Fault::caused("write what a form says", error))?;
            let fields = Filled::from_parts(fields.clone())?;
            refuse_unknown(&fields, more)?;
            Ok((fields, Sha256::digest(written).into()))
        });
        match checked {
            Ok((fields, digest)) => Ok(Received {
                fields,
                photos,
                digest,
            }),
            Err(stop) => {
                self.discard(photos.iter().map(|photo| photo.place.as_str()))
                    .await;
                Err(stop)
            }
        }
    }

    /// As [`Self::receive`], of a form that stands on the page of a place and need not say which.
    ///
    /// # Errors
    /// As [`Self::receive`], with what was filled in.
    pub(super) async fn receive_at(
        &self,
        incoming: Incoming,
        code: &PlaceCode,
        more: &[&str],
    ) -> Result<Received, Broken> {
        let mut fields = vec![("place".to_owned(), code.to_string())];
        let received = self.receive_knowing(incoming, &mut fields, more).await;
        received.map_err(|stop| Broken {
            stop,
            // A field that is there twice is filled in with nothing.
            fields: Filled::from_parts(fields).unwrap_or_default(),
        })
    }

    /// Lets somebody send photos, who waits a while if there are many: a crowd before one fallen tree is no attack.
    async fn turns(&self) -> Answer<(Option<Turn>, FilesTurn)> {
        let mut tries = TURN_TRIES_MAX;
        loop {
            match self.turns_now() {
                Err(Stop::Refused(_)) if tries > 0 => tokio::time::sleep(TURN_EVERY).await,
                turns => return turns,
            }
            tries = tries.saturating_sub(1);
        }
    }

    fn turns_now(&self) -> Answer<(Option<Turn>, FilesTurn)> {
        match self.actor.id() {
            Some(account) => Ok((None, self.files.turn(account)?)),
            None => {
                let turn = self.reception.turn()?;
                Ok((Some(turn), self.files.turn(&format!("network {}", self.network))?))
            }
        }
    }

    /// Reads the parts of a form: what was filled in, and a fingerprint of each photo, which are put into the store.
    async fn gather(
        &self,
        mut form: Form,
        fields: &mut Vec<(String, String)>,
        photos: &mut Vec<Upload>,
    ) -> Answer<Vec<String>> {
        let mut prints = Vec::new();
        let mut turns = None;
        let mut is_counted = false;
        while let Some(part) = form.next().await? {
            match part {
                Part::Words { name, value } => fields.push((name, value)),
                Part::File {
                    name,
                    file_name,
                    media_type,
                    body,
                } => {
                    if name != "photos" {
                        let objection = unknown(&name);
                        return Err(INVALID.refuse().listing(vec![objection]).into());
                    }
                    if !is_counted {
                        self.count(fields).await?;
                        is_counted = true;
                    }
                    if turns.is_none() {
                        turns = Some(self.turns().await?);
                    }
                    let claim = Claim {
                        name: file_name,
                        media_type,
                        keeps_metadata: false,
                    };
                    let at = photos.len();
                    let (photo, print) = self.photo(claim, body, at).await?;
                    photos.push(photo);
                    prints.push(print);
                }
            }
        }
        if !is_counted {
            self.count(fields).await?;
        }
        Ok(prints)
    }

    async fn photo(&self, claim: Claim, body: Stream, at: usize) -> Answer<(Upload, String)> {
        let pointer = format!("/photos/{at}");
        if at >= PHOTOS_MAX {
            let detail = text!("最多 {PHOTOS_MAX} 张照片", "at most {PHOTOS_MAX} photos");
            return Err(INVALID.because(detail).at(pointer).into());
        }
        if !PHOTO_TYPES.iter().any(|kind| kind.essence() == claim.media_type) {
            let detail = Text::fixed("照片应为 JPEG、PNG 或 WebP", "a photo is JPEG, PNG or WebP");
            return Err(TYPE_NOT_ALLOWED.because(detail).at(pointer).into());
        }
        let uploader = match self.actor.id() {
            Some(_) => self.actor.clone(),
            None => Actor::system(),
        };
        let taken = intake::take_in(self.files, &self.context.db, &uploader, &claim, body, self.now).await;
        let (photo, sha256) = taken.map_err(|stop| match stop {
            Stop::Refused(refusal) => Stop::from(
                Refusal {
                    objections: Vec::new(),
                    ..*refusal
                }
                .at(pointer.clone()),
            ),
            fault @ Stop::Fault(_) => fault,
        })?;
        let print = hex::encode(intake::fingerprint(sha256, &claim)?);
        Ok((photo, print))
    }

    /// Counts a report, for everybody but officers, who inspect; a refused one is noted for its place.
    async fn count(&self, fields: &[(String, String)]) -> Answer<()> {
        if self.actor.has(Role::BuyerOfficer) {
            return Ok(());
        }
        let sender = match self.actor.id() {
            Some(account) => Sender::Account(account),
            None => Sender::Network(self.network),
        };
        let Err(stop) = self.reception.count(sender, self.now) else {
            return Ok(());
        };
        let place = fields.iter().find(|(name, _)| name == "place");
        let meant = place.and_then(|(_, place)| place.parse::<PlaceRef>().ok());
        if let Some(meant) = meant {
            let found = self
                .context
                .db
                .read(move |conn| store_places::in_use(conn, &meant))
                .await?;
            if let Some(place) = found {
                let day = local_date(self.now, self.context.calendar.zone);
                self.reception.note_refused(place.id, day);
            }
        }
        Err(stop)
    }

    async fn discard(&self, places: impl Iterator<Item = &str>) {
        for place in places {
            // What the caller has to know is why; a store that fails meanwhile is cleared by the sweep.
            let _ = self.files.shelf.delete(place).await;
        }
    }
}

fn unknown(name: &str) -> Objection {
    Objection {
        pointer: format!("/{name}"),
        code: "unknown_member",
        detail: Text::fixed("没有这个字段", "there is no such member"),
    }
}

fn refuse_unknown(fields: &Filled, more: &[&str]) -> Answer<()> {
    let foreign = fields
        .names()
        .filter(|name| !FIELDS.contains(name) && !more.contains(name));
    let objections: Vec<Objection> = foreign.map(unknown).collect();
    if objections.is_empty() {
        Ok(())
    } else {
        Err(INVALID.refuse().listing(objections).into())
    }
}

/// What a form says, as far as it can be read.
fn said(fields: &Filled) -> Answer<(PlaceRef, Said)> {
    let unreadable = || {
        let detail = Text::fixed("没有此代码的地点", "no place has this code");
        INVALID.because(detail).at("/place")
    };
    let place = fields.get("place").parse().map_err(|()| unreadable())?;
    let occurred_at = match fields.given("occurred_at") {
        Some(at) => {
            let read = DateTime::parse_from_rfc3339(at).map_err(|_| {
                let detail = Text::fixed("应为 RFC 3339 时间", "must be RFC 3339");
                INVALID.because(detail).at("/occurred_at")
            })?;
            Some(read.with_timezone(&Utc))
        }
        None => None,
    };
    let said = Said {
        category: fields.get("category").to_owned(),
        words: fields.get("text").to_owned(),
        occurred_at,
        contact: fields.given("contact").map(str::to_owned),
    };
    Ok((place, said))
}

fn receipt(filed: &Filed) -> ReceiptView {
    let outcome = match filed.outcome {
        Outcome::Opened => "opened",
        Outcome::Joined => "joined",
        Outcome::OnlyCounted => "counted",
    };
    ReceiptView {
        outcome: outcome.to_owned(),
        place_id: filed.place.id.clone(),
        defect_id: filed.defect.as_ref().map(|defect| defect.id.clone()),
        state: filed.defect.as_ref().map(|defect| defect.state),
        reports_count: filed.defect.as_ref().map(|defect| defect.reports_count),
        report_id: filed.report.clone(),
        follow_up: None,
    }
}

/// What an act leaves behind for what follows its transaction.
#[derive(Default)]
struct Aftermath {
    used: Vec<bool>,
    only_counted: Option<(ServedPlaceId, NaiveDate)>,
}

/// Files what was received, and answers with what became of it.
///
/// # Errors
/// Those of the act.
pub(super) async fn file(
    counter: &Counter<'_>,
    (context, files, reception): (&Shared, &Desk, &AtReception),
    once: Once,
    received: Received,
    language: Language,
) -> Answer<(Reply, ReceiptView)> {
    let places: Vec<String> = received.photos.iter().map(|photo| photo.place.clone()).collect();
    let (place, said) = match said(&received.fields) {
        Ok(read) => read,
        Err(stop) => {
            counter.discard(places.iter().map(String::as_str)).await;
            return Err(stop);
        }
    };
    let new = NewReport {
        place,
        said,
        language,
        photos: received.photos,
    };
    let aftermath: Arc<Mutex<Aftermath>> = Arc::default();
    let left = aftermath.clone();
    let (by, asked, desk, at) = (
        counter.actor.clone(),
        context.clone(),
        files.clone(),
        reception.clone(),
    );
    let done = context
        .reply_once(
            counter.actor.id().or(Some(ANONYMOUS)),
            once,
            received.digest,
            move |tx| {
                let bounds = Bounds {
                    per_place: at.limits.per_place,
                    files: &desk.limits,
                };
                let setting = Setting {
                    calendar: &asked.calendar,
                    key: &at.key,
                };
                // A transaction that lost a race runs again, and leaves behind what its last run does.
                *left.lock().unwrap_or_else(PoisonError::into_inner) = Aftermath::default();
                let filed = acts::report(tx, &by, &new, (bounds, setting))?;
                let only_counted = filed.outcome == Outcome::OnlyCounted;
                *left.lock().unwrap_or_else(PoisonError::into_inner) = Aftermath {
                    used: filed.used.clone(),
                    only_counted: only_counted.then(|| (filed.place.id.clone(), filed.day)),
                };
                let status = if only_counted { 202 } else { 201 };
                Ok(Reply::json(status, &receipt(&filed))?)
            },
        )
        .await;
    let after = std::mem::take(&mut *aftermath.lock().unwrap_or_else(PoisonError::into_inner));
    // A fault does not say whether it was done; the sweep will see.
    if !matches!(done, Err(Stop::Fault(_))) {
        let used = |at: usize| after.used.get(at).copied().unwrap_or_default();
        let unused = places.iter().enumerate().filter(|(at, _)| !used(*at));
        counter.discard(unused.map(|(_, place)| place.as_str())).await;
    }
    if let Some((place, day)) = after.only_counted {
        let more = Day {
            only_counted: 1,
            ..Day::default()
        };
        let one = [(place, day, more)];
        context.db.upkeep(move |tx| acts::count(tx, &one)).await?;
    }
    let reply = done?;
    let mut view: ReceiptView = reply.value()?;
    if counter.actor.id().is_none()
        && let Some(report) = &view.report_id
    {
        view.follow_up = Some(reception.key.token(report)?);
    }
    Ok((reply.saying(&view)?, view))
}
