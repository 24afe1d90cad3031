//! What is done to the statutes: a regulator loads a version, and the program brings its own along. Each function is one
//! transaction's worth of work, permission first, event last but for the row, which carries the event's id.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::calendar::local_date;
use crate::kernel::refusal::Answer;
use crate::statutes::built_in;
use crate::statutes::profile::{Document, Profile};
use crate::statutes::rules::{self, CONTENT_BYTES_MAX, Difference, NONE_IN_FORCE, Place, Statute, StatuteId};
use crate::statutes::store;
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::BODY_TOO_LARGE;

/// A version to load.
#[derive(Clone, Debug)]
pub struct LoadStatute {
    /// What it is to say.
    pub document: Document,
    /// The revision of the same day that it is to take the place of.
    pub corrects: Option<StatuteId>,
    /// The ward's zone, which decides what today is.
    pub zone: Tz,
    /// True if everything is to be judged and nothing done.
    pub dry_run: bool,
}

/// What loading did, or would do.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The version.
    pub statute: Statute,
    /// The version that applies until then.
    pub before: Option<StatuteId>,
    /// What changes on its first day.
    pub differences: Vec<Difference>,
}

/// The version of the rules that applies in a jurisdiction on a local date: what an act asks when a matter is published,
/// which then keeps its id.
///
/// # Errors
/// [`NONE_IN_FORCE`]; a fault of the database.
pub fn in_force(conn: &mut Conn, jurisdiction: &str, date: NaiveDate) -> Answer<Statute> {
    let found = store::in_force(conn, jurisdiction, date)?;
    Ok(found.ok_or_else(|| NONE_IN_FORCE.because(rules::none_in_force(jurisdiction, date)))?)
}

/// Loads a version that applies from a day to come. With `dry_run` it is judged and not loaded.
///
/// # Errors
/// Permission; [`INVALID`](crate::web::problem::INVALID) with every fault of the document; those of [`rules::revision`];
/// [`BODY_TOO_LARGE`].
pub fn load(tx: &mut Tx<'_>, actor: &Actor, command: &LoadStatute) -> Answer<Loaded> {
    policy::allow(actor, Action::LoadStatute, Matter::default())?;
    let today = local_date(tx.now(), command.zone);
    let profile = rules::check(command.document.clone(), today)?;
    let (jurisdiction, from) = (&profile.jurisdiction, profile.effective_from);
    let before = match from.pred_opt() {
        Some(eve) => store::in_force(tx.conn(), jurisdiction, eve)?,
        None => None,
    };
    let same_day = store::beginning_on(tx.conn(), jurisdiction, from)?;
    let place = Place {
        before: before.as_ref(),
        same_day: same_day.as_ref(),
        corrects: command.corrects.as_ref(),
    };
    let revision = rules::revision(&profile, &command.document, place)?;
    let differences = before
        .as_ref()
        .map(|before| rules::differences(&before.profile, &profile))
        .unwrap_or_default();
    let origin = Origin {
        built_in: false,
        corrects: command.corrects.as_ref(),
        before: before.as_ref().map(|before| &before.id),
        changed: differences.iter().map(|one| one.code.as_str()).collect(),
    };
    let statute = add(tx, actor, profile, revision, &origin)?;
    if command.dry_run {
        tx.nothing_to_change();
    }
    Ok(Loaded {
        statute,
        before: before.map(|before| before.id),
        differences,
    })
}

/// True if the database lacks nothing of what the program brings along for a ward of this jurisdiction.
///
/// # Errors
/// A fault of the database.
pub fn built_in_are_there(conn: &mut Conn, jurisdiction: &str) -> Answer<bool> {
    for profile in built_in::profiles_for(jurisdiction)? {
        let stored = store::revisions(conn, &profile.jurisdiction, profile.effective_from)?;
        if rules::built_in_revision(&stored, &rules::sha256(&profile.written()?)).is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Loads the profiles that the program brings along for a ward of this jurisdiction, unless they are there: several instances may
/// start at once. Tells how many were loaded.
///
/// # Errors
/// Permission; a fault of the database.
pub fn load_built_in(tx: &mut Tx<'_>, actor: &Actor, jurisdiction: &str) -> Answer<usize> {
    policy::allow(actor, Action::LoadStatute, Matter::default())?;
    let mut loaded = 0_usize;
    for profile in built_in::profiles_for(jurisdiction)? {
        let stored = store::revisions(tx.conn(), &profile.jurisdiction, profile.effective_from)?;
        let hash = rules::sha256(&profile.written()?);
        let Some(revision) = rules::built_in_revision(&stored, &hash) else {
            continue;
        };
        let origin = Origin {
            built_in: true,
            ..Origin::default()
        };
        add(tx, actor, profile, revision, &origin)?;
        loaded = loaded.saturating_add(1);
    }
    if loaded == 0 {
        tx.nothing_to_change();
    }
    Ok(loaded)
}

/// Where a statute comes from, for the log.
#[derive(Default)]
struct Origin<'a> {
    built_in: bool,
    corrects: Option<&'a StatuteId>,
    before: Option<&'a StatuteId>,
    changed: Vec<&'a str>,
}

fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    profile: Profile,
    revision: i64,
    origin: &Origin<'_>,
) -> Answer<Statute> {
    let content = profile.written()?;
    if content.len() > CONTENT_BYTES_MAX {
        return Err(BODY_TOO_LARGE
            .because(text!(
                "规则版本最多 {CONTENT_BYTES_MAX} 字节",
                "a version of the rules has at most {CONTENT_BYTES_MAX} bytes"
            ))
            .into());
    }
    let (id, sha256) = (StatuteId::mint(tx.now()), rules::sha256(&content));
    let event = Event {
        kind: "statute.loaded",
        subject: id.to_string(),
        data: json!({
            "jurisdiction": profile.jurisdiction,
            "effective_from": profile.effective_from,
            "revision": revision,
            "built_in": origin.built_in,
            "name_zh": profile.name_zh,
            "name_en": profile.name_en,
            "sha256": hex::encode(sha256),
            "before": origin.before,
            "corrects": origin.corrects,
            "changed": origin.changed,
        }),
        private: Value::Null,
    };
    let statute = Statute {
        event_id: audit::store::append(tx, actor, &event)?,
        id,
        revision,
        built_in: origin.built_in,
        sha256,
        loaded_at: tx.now(),
        profile,
    };
    store::insert(tx, &statute, &content)?;
    Ok(statute)
}
