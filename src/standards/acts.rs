//! What is done to the catalogue: each function is one transaction's worth of work, permission first, event last. Whoever keeps
//! standards may publish a draft of their own: a version binds nobody until a book takes it, and that book is approved by
//! another person than its drafter.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::registry::acts_roll_import::{PREVIEW_MISSING, PREVIEW_STALE};
use crate::standards::acts_categories::{self as categories, AddCategory};
use crate::standards::built_in::{self, BuiltIn};
use crate::standards::rules::{
    self, CATEGORY_CLOSED, CONTENT_BYTES_MAX, CategoryState, DRAFT_OPEN, Entered, STANDARD_TAKEN, Standard,
    StandardId, StandardVersionId, Standing, State, Version,
};
use crate::standards::rules_differences::{Difference, differences};
use crate::standards::rules_documents::ContentDocument;
use crate::standards::rules_indicators::Content;
use crate::standards::table::Table;
use crate::standards::{store, store_versions};
use crate::text;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{BODY_TOO_LARGE, NOT_FOUND};

/// A standard to add.
#[derive(Clone, Debug)]
pub struct CreateStandard {
    /// The code of its category.
    pub category: String,
    /// Its code.
    pub code: String,
    /// Where it holds.
    pub jurisdiction: String,
    /// Its title, in Chinese and English.
    pub title: (String, String),
    /// Where its figures come from, in Chinese and English.
    pub source: (String, String),
}

/// Another title or source; what is `None` stays as it is.
#[derive(Clone, Debug)]
pub struct RetitleStandard {
    /// Which standard.
    pub id: StandardId,
    /// Which version of its head.
    pub expected: Expected,
    /// Chinese title.
    pub title_zh: Option<String>,
    /// English title.
    pub title_en: Option<String>,
    /// Chinese source.
    pub source_zh: Option<String>,
    /// English source.
    pub source_en: Option<String>,
}

/// Which version of a standard is meant.
#[derive(Clone, Debug)]
pub struct Named {
    /// Of which standard.
    pub standard_id: StandardId,
    /// Which number.
    pub number: i64,
}

/// A table to import into a draft.
#[derive(Clone, Debug)]
pub struct ImportIndicators {
    /// Into which draft.
    pub draft: Named,
    /// The table.
    pub table: Table,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// What the trial answered; `None` only judges.
    pub preview: Option<String>,
}

/// What an import did, or would do.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The draft.
    pub version: Version,
    /// What differs from the draft as it was.
    pub differences: Vec<Difference>,
    /// What ties the doing to the trial: a digest of the table and of the draft's revision.
    pub preview: String,
}

/// Adds a standard, with a first draft that says nothing yet.
///
/// # Errors
/// Permission; those of the rules; [`CATEGORY_CLOSED`]; [`STANDARD_TAKEN`].
pub fn create(tx: &mut Tx<'_>, actor: &Actor, command: &CreateStandard) -> Answer<Standard> {
    policy::allow(actor, Action::DraftStandard, Matter::default())?;
    let standard = add_standard(tx, actor, command)?;
    let draft = rules::draft(
        StandardVersionId::mint(tx.now()),
        standard.id.clone(),
        0,
        Content::default(),
        tx.now(),
    )?;
    begin(tx, actor, draft, None)?;
    Ok(standard)
}

fn add_standard(tx: &mut Tx<'_>, actor: &Actor, command: &CreateStandard) -> Answer<Standard> {
    let entered = Entered {
        code: &command.code,
        jurisdiction: &command.jurisdiction,
        title: (&command.title.0, &command.title.1),
        source: (&command.source.0, &command.source.1),
    };
    let standard = rules::standard(StandardId::mint(tx.now()), &command.category, entered, tx.now())?;
    let category = store::category(tx.conn(), &command.category)?;
    if category.is_none_or(|category| category.state != CategoryState::Active) {
        return Err(CATEGORY_CLOSED.refuse().at("/category").into());
    }
    if store::standard_of_code(tx.conn(), &standard.code)?.is_some() {
        return Err(STANDARD_TAKEN.refuse().at("/code").into());
    }
    store::insert_standard(tx, &standard)?;
    audit::store::append(tx, actor, &standard_event("standard.created", &standard, false))?;
    Ok(standard)
}

/// Gives a standard another title or source. As it is named already, nothing changes.
///
/// # Errors
/// Permission; not found; a stale version; those of the rules.
pub fn retitle(tx: &mut Tx<'_>, actor: &Actor, command: &RetitleStandard) -> Answer<Standard> {
    policy::allow(actor, Action::DraftStandard, Matter::default())?;
    let standard = store::standard(tx.conn(), &command.id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    command.expected.check(standard.version)?;
    let or = |given: &Option<String>, known: &str| given.clone().unwrap_or_else(|| known.to_owned());
    let title = (
        or(&command.title_zh, &standard.title.zh),
        or(&command.title_en, &standard.title.en),
    );
    let source = (
        or(&command.source_zh, &standard.source.zh),
        or(&command.source_en, &standard.source.en),
    );
    let changed = rules::retitle(
        standard.clone(),
        (&title.0, &title.1),
        (&source.0, &source.1),
        tx.now(),
    )?;
    let Some(changed) = changed else {
        tx.nothing_to_change();
        return Ok(standard);
    };
    store::update_standard(tx, &changed)?;
    let is_public = store::has_version(tx.conn(), &changed.id, &State::PUBLIC)?;
    audit::store::append(
        tx,
        actor,
        &standard_event("standard.retitled", &changed, is_public),
    )?;
    Ok(changed)
}

/// Begins the next version as a copy: of the one named, or else of the newest that is public.
///
/// # Errors
/// Permission; not found; [`DRAFT_OPEN`]; those of the rules.
pub fn draft(tx: &mut Tx<'_>, actor: &Actor, id: &StandardId, from: Option<i64>) -> Answer<Version> {
    policy::allow(actor, Action::DraftStandard, Matter::default())?;
    store::standard(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    if store_versions::draft(tx.conn(), id)?.is_some() {
        return Err(DRAFT_OPEN.refuse().into());
    }
    let source = match from {
        Some(number) => {
            let named = store_versions::version(tx.conn(), id, number)?;
            Some(named.ok_or_else(|| NOT_FOUND.refuse())?)
        }
        None => store_versions::newest(tx.conn(), id)?,
    };
    let copied = source.as_ref().map(|version| version.number);
    let content = source.map(|version| version.content).unwrap_or_default();
    let last = store_versions::last_number(tx.conn(), id)?;
    let draft = rules::draft(
        StandardVersionId::mint(tx.now()),
        id.clone(),
        last,
        content,
        tx.now(),
    )?;
    begin(tx, actor, draft, copied)
}

fn begin(tx: &mut Tx<'_>, actor: &Actor, draft: Version, copied: Option<i64>) -> Answer<Version> {
    let (draft, content) = hashed(draft)?;
    store_versions::insert(tx, &draft, &content)?;
    let data = json!({ "standard_id": draft.standard_id, "number": draft.number, "copy_of": copied });
    audit::store::append(tx, actor, &version_event("standard.drafted", &draft, data))?;
    Ok(draft)
}

/// The version with the hash of its bytes, and the bytes.
fn hashed(version: Version) -> Answer<(Version, String)> {
    let content = version.content.document().written()?;
    if content.len() > CONTENT_BYTES_MAX {
        let detail = text!(
            "一个版本最多 {CONTENT_BYTES_MAX} 字节",
            "a version has at most {CONTENT_BYTES_MAX} bytes"
        );
        return Err(BODY_TOO_LARGE.because(detail).into());
    }
    let sha256 = rules::sha256(&content);
    Ok((Version { sha256, ..version }, content))
}

fn found(tx: &mut Tx<'_>, named: &Named) -> Answer<Version> {
    let version = store_versions::version(tx.conn(), &named.standard_id, named.number)?;
    Ok(version.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// Writes a draft anew. What it says already is no change.
///
/// # Errors
/// Permission; not found; a stale version; those of the rules.
pub fn rewrite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    named: &Named,
    expected: Expected,
    document: &ContentDocument,
) -> Answer<Version> {
    policy::allow(actor, Action::DraftStandard, Matter::default())?;
    let before = found(tx, named)?;
    expected.check(before.revision)?;
    let content = rules::content(document)?;
    let Some(rewritten) = rules::rewrite(before.clone(), content, tx.now())? else {
        tx.nothing_to_change();
        return Ok(before);
    };
    save(tx, actor, rewritten)
}

fn save(tx: &mut Tx<'_>, actor: &Actor, rewritten: Version) -> Answer<Version> {
    let (rewritten, content) = hashed(rewritten)?;
    store_versions::rewrite(tx, &rewritten, &content)?;
    // What a draft says is nobody's business before it is published.
    let data = json!({ "standard_id": rewritten.standard_id, "number": rewritten.number, "revision": rewritten.revision });
    audit::store::append(tx, actor, &version_event("standard.redrafted", &rewritten, data))?;
    Ok(rewritten)
}

/// Judges a table of indicators for a draft, and does nothing.
///
/// # Errors
/// Permission; not found; those of the rules, among them every fault of every row.
pub fn preview(tx: &mut Tx<'_>, actor: &Actor, command: &ImportIndicators) -> Answer<Imported> {
    let (_, imported) = judged(tx, actor, command)?;
    tx.nothing_to_change();
    Ok(imported)
}

/// Imports a table into a draft: its indicators take the place of those that were there.
///
/// # Errors
/// As [`preview`]; [`PREVIEW_MISSING`], [`PREVIEW_STALE`].
pub fn import(tx: &mut Tx<'_>, actor: &Actor, command: &ImportIndicators) -> Answer<Imported> {
    policy::allow(actor, Action::DraftStandard, Matter::default())?;
    let Some(seen) = &command.preview else {
        return Err(PREVIEW_MISSING.refuse().at("?preview").into());
    };
    let (rewritten, imported) = judged(tx, actor, command)?;
    if *seen != imported.preview {
        return Err(PREVIEW_STALE.refuse().at("?preview").into());
    }
    match rewritten {
        Some(rewritten) => Ok(Imported {
            version: save(tx, actor, rewritten)?,
            ..imported
        }),
        None => {
            tx.nothing_to_change();
            Ok(imported)
        }
    }
}

fn judged(tx: &mut Tx<'_>, actor: &Actor, command: &ImportIndicators) -> Answer<(Option<Version>, Imported)> {
    policy::allow(actor, Action::DraftStandard, Matter::default())?;
    let before = found(tx, &command.draft)?;
    let content = command.table.content(&before.content.document())?;
    let differences = differences(&before.content, &content);
    let preview = Sha256::new()
        .chain_update(command.digest)
        .chain_update(before.id.as_str())
        .chain_update(before.revision.to_be_bytes())
        .finalize();
    let rewritten = rules::rewrite(before.clone(), content, tx.now())?;
    let imported = Imported {
        version: rewritten.clone().unwrap_or(before),
        differences,
        preview: hex::encode(preview.iter().take(16).copied().collect::<Vec<u8>>()),
    };
    Ok((rewritten, imported))
}

/// Gives a draft up. Another may be begun; the number is not given again.
///
/// # Errors
/// Permission; not found; a stale version; a version that is no draft.
pub fn discard(tx: &mut Tx<'_>, actor: &Actor, named: &Named, expected: Expected) -> Answer<Version> {
    policy::allow(actor, Action::DraftStandard, Matter::default())?;
    let draft = found(tx, named)?;
    expected.check(draft.revision)?;
    rules::may_discard(&draft)?;
    store_versions::discard(tx, &draft)?;
    let data = json!({ "standard_id": draft.standard_id, "number": draft.number });
    audit::store::append(tx, actor, &version_event("standard.discarded", &draft, data))?;
    Ok(draft)
}

/// Publishes a draft.
///
/// # Errors
/// Permission; not found; a stale version; those of the rules.
pub fn publish(tx: &mut Tx<'_>, actor: &Actor, named: &Named, expected: Expected) -> Answer<Version> {
    policy::allow(actor, Action::PublishStandard, Matter::default())?;
    let before = found(tx, named)?;
    expected.check(before.revision)?;
    let published = rules::publish(before, tx.now())?;
    store_versions::advance(tx, &published)?;
    let standard = store::standard(tx.conn(), &published.standard_id)?;
    let standard = standard.ok_or_else(|| Fault::broken("a version without its standard"))?;
    audit::store::append(tx, actor, &published_event(&published, &standard))?;
    Ok(published)
}

/// Takes a published version from further use. Whoever uses it keeps it.
///
/// # Errors
/// Permission; not found; those of the rules.
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, named: &Named, reason: &(String, String)) -> Answer<Version> {
    policy::allow(actor, Action::WithdrawStandard, Matter::default())?;
    let before = found(tx, named)?;
    let withdrawn = rules::withdraw(before, (&reason.0, &reason.1), tx.now())?;
    store_versions::advance(tx, &withdrawn)?;
    let data = json!({
        "standard_id": withdrawn.standard_id,
        "number": withdrawn.number,
        "reason_zh": withdrawn.withdrawn.as_ref().map(|(_, reason)| &reason.zh),
        "reason_en": withdrawn.withdrawn.as_ref().map(|(_, reason)| &reason.en),
    });
    audit::store::append(tx, actor, &version_event("standard.withdrawn", &withdrawn, data))?;
    Ok(withdrawn)
}

/// True if the database lacks nothing of what the program brings along for a ward of this jurisdiction.
///
/// # Errors
/// A fault of the database.
pub fn built_in_are_there(conn: &mut Conn, jurisdiction: &str) -> Answer<bool> {
    for one in built_in::catalogue_for(jurisdiction)? {
        let (_, standing) = standing(conn, &one.standard.code)?;
        if rules::built_in_is_due(&standing, &one.content) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn standing(conn: &mut Conn, code: &str) -> Answer<(Option<Standard>, Standing)> {
    let Some(standard) = store::standard_of_code(conn, code)? else {
        return Ok((None, Standing::Missing));
    };
    let newest = store_versions::newest(conn, &standard.id)?;
    Ok((Some(standard), Standing::There(Box::new(newest))))
}

/// Publishes what the program brings along for a ward of this jurisdiction, unless it is there: several instances may start at
/// once. Tells how many versions were added.
///
/// # Errors
/// Permission; a fault of the database.
pub fn load_built_in(tx: &mut Tx<'_>, actor: &Actor, jurisdiction: &str) -> Answer<usize> {
    policy::allow(actor, Action::PublishStandard, Matter::default())?;
    let mut added = 0_usize;
    for one in built_in::catalogue_for(jurisdiction)? {
        let (standard, standing) = standing(tx.conn(), &one.standard.code)?;
        if rules::built_in_is_due(&standing, &one.content) {
            load(tx, actor, standard, one)?;
            added = added.saturating_add(1);
        }
    }
    if added == 0 {
        tx.nothing_to_change();
    }
    Ok(added)
}

fn load(tx: &mut Tx<'_>, actor: &Actor, known: Option<Standard>, one: BuiltIn) -> Answer<()> {
    let standard = match known {
        Some(standard) => standard,
        None => {
            if store::category(tx.conn(), &one.category.code)?.is_none() {
                let command = AddCategory {
                    code: one.category.code.clone(),
                    name_zh: one.category.name_zh,
                    name_en: one.category.name_en,
                };
                categories::add(tx, actor, &command)?;
            }
            let entered = Entered {
                code: &one.standard.code,
                jurisdiction: built_in::JURISDICTION,
                title: (&one.standard.title_zh, &one.standard.title_en),
                source: (&one.standard.source_zh, &one.standard.source_en),
            };
            // Into a category that was retired as well: it is the ward's, and takes nothing new from its keepers.
            let standard =
                rules::standard(StandardId::mint(tx.now()), &one.category.code, entered, tx.now())?;
            store::insert_standard(tx, &standard)?;
            audit::store::append(tx, actor, &standard_event("standard.created", &standard, true))?;
            standard
        }
    };
    let last = store_versions::last_number(tx.conn(), &standard.id)?;
    let id = StandardVersionId::mint(tx.now());
    let draft = rules::draft(id, standard.id.clone(), last, one.content, tx.now())?;
    let (version, content) = hashed(rules::publish(draft, tx.now())?)?;
    let version = Version {
        built_in: true,
        ..version
    };
    store_versions::insert(tx, &version, &content)?;
    audit::store::append(tx, actor, &published_event(&version, &standard))?;
    Ok(())
}

/// What is only being drafted is its keepers' business, and so in the private part of its event.
fn standard_event(kind: &'static str, standard: &Standard, is_public: bool) -> Event {
    let says = json!({
        "category": standard.category,
        "code": standard.code,
        "jurisdiction": standard.jurisdiction,
        "title_zh": standard.title.zh,
        "title_en": standard.title.en,
        "source_zh": standard.source.zh,
        "source_en": standard.source.en,
    });
    let (data, private) = if is_public {
        (says, Value::Null)
    } else {
        (json!({}), says)
    };
    Event {
        kind,
        subject: standard.id.to_string(),
        data,
        private,
    }
}

fn version_event(kind: &'static str, version: &Version, data: Value) -> Event {
    Event {
        kind,
        subject: version.id.to_string(),
        data,
        private: Value::Null,
    }
}

fn published_event(version: &Version, standard: &Standard) -> Event {
    let data = json!({
        "standard_id": version.standard_id,
        "code": standard.code,
        "number": version.number,
        "built_in": version.built_in,
        "indicators": version.content.indicators.len(),
        "sha256": hex::encode(version.sha256),
    });
    version_event("standard.published", version, data)
}

/// Refuses unless a book may take the version: it is public and was not withdrawn.
///
/// # Errors
/// Not found, also for a draft; [`rules::WRONG_STATE`].
pub fn usable(conn: &mut Conn, id: &StandardVersionId) -> Answer<Version> {
    let version = store_versions::version_of_id(conn, id)?;
    let version = version.filter(|version| version.state != State::Draft);
    let version = version.ok_or_else(|| NOT_FOUND.refuse())?;
    if version.state == State::Withdrawn {
        let detail = Text::fixed("该版本已停用", "the version was withdrawn from further use");
        return Err(rules::WRONG_STATE.because(detail).into());
    }
    Ok(version)
}
