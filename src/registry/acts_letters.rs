//! Inviting residents by letter, and claiming a place on the roll with one.

use chrono::{Duration, NaiveDate};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::id;
use crate::kernel::local_day::{end_of_day, local_date};
use crate::kernel::party::{AccountId, AreaId};
use crate::kernel::refusal::{Answer, Fault, Objection, Refusal};
use crate::kernel::text::Text;
use crate::registry::acts_roll::{community, event};
use crate::registry::rules::Area;
use crate::registry::rules_letters::{
    self as letters, ACCOUNT_NEEDED, BIRTH_DATE_WRONG, CODE_NOT_GOOD, Codes, LETTERS_MAX, NOBODY_TO_INVITE,
    NOT_INVITABLE, Presented, RESIDENCE_TAKEN, VALID_DAYS_MAX, VALID_DAYS_USUAL,
};
use crate::registry::rules_person::{ADULT_AT_YEARS, age_on, birth_date, date};
use crate::registry::rules_roll::{self as rules, Resident, ResidentId, State};
use crate::registry::store_letters::Letter;
use crate::registry::store_roll_reading::{self as reading, Listed};
use crate::registry::{store_letters, store_roll};
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::INVALID;

/// How often bytes are drawn for a code before something must be wrong with the source of chance.
const DRAWS_MAX: usize = 200;

/// Who is invited.
#[derive(Clone, Debug)]
pub enum Invited {
    /// These.
    Named(Vec<ResidentId>),
    /// All adults who have neither an account nor a letter, as many as go into one batch.
    Everyone,
}

/// Letters to print.
#[derive(Clone, Debug)]
pub struct PrintLetters {
    /// The community.
    pub area_id: AreaId,
    /// For whom.
    pub invited: Invited,
    /// The last day on which they can be used.
    pub valid_until: Option<String>,
}

/// One letter, with the codes that exist nowhere else.
#[derive(Clone)]
pub struct LetterText {
    /// Whom it invites.
    pub name: String,
    /// Their household.
    pub household: String,
    /// Its codes.
    pub codes: Codes,
}

/// A batch of letters.
#[derive(Clone)]
pub struct Printed {
    /// The community that invites.
    pub area: Area,
    /// The letters, by household.
    pub letters: Vec<LetterText>,
    /// The last day on which they can be used.
    pub valid_until: NaiveDate,
    /// How many more would be invited by another batch of everyone.
    pub remaining: usize,
}

/// A place on the roll that somebody claims.
#[derive(Clone)]
pub struct ClaimResidence {
    /// The code of a letter.
    pub code: String,
    /// The date of birth of the resident whom the letter invites.
    pub birth_date: String,
}

/// Makes letters for residents. An older letter of the same resident becomes void, whether it has been used or not.
///
/// # Errors
/// Permission; not found; a day that cannot be; `resident_not_invitable` with every one who cannot; `nobody_to_invite`.
pub fn print(tx: &mut Tx<'_>, actor: &Actor, zone: Tz, command: &PrintLetters) -> Answer<Printed> {
    let area = community(tx.conn(), actor, Action::PrintLetters, &command.area_id)?;
    let today = local_date(tx.now(), zone);
    let valid_until = last_day(command.valid_until.as_deref(), today)?;
    let expires_at =
        end_of_day(valid_until, zone).map_err(|error| Fault::caused("a letter's last day", error))?;
    let (invited, remaining) = match &command.invited {
        Invited::Named(ids) => (named(tx, &area, ids, today)?, 0),
        Invited::Everyone => everyone(tx, &area, today)?,
    };
    let mut texts = Vec::new();
    let mut rows = Vec::new();
    for Listed {
        resident, household, ..
    } in invited
    {
        let codes = draw()?;
        rows.push(row(actor, &resident, &codes, tx.now(), expires_at));
        texts.push(LetterText {
            name: rules::on_roll(&resident)?.name.clone(),
            household: household.map(|household| household.code).unwrap_or_default(),
            codes,
        });
    }
    texts.sort_by(|one, other| one.household.cmp(&other.household));
    store_letters::insert(tx, &rows)?;
    let told = Event {
        kind: "letters.printed",
        subject: area.id.to_string(),
        data: json!({ "letters": rows.len(), "valid_until": valid_until }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &told)?;
    Ok(Printed {
        area,
        letters: texts,
        valid_until,
        remaining,
    })
}

fn row(actor: &Actor, resident: &Resident, codes: &Codes, now: Instant, expires_at: Instant) -> Letter {
    Letter {
        resident_id: resident.id.clone(),
        link_hash: letters::link_hash(&codes.link).to_vec(),
        code_hash: letters::typed_hash(&codes.typed).to_vec(),
        printed_by: actor.id().unwrap_or("public").to_owned(),
        printed_at: now.naive_utc(),
        expires_at: expires_at.naive_utc(),
    }
}

fn last_day(asked: Option<&str>, today: NaiveDate) -> Result<NaiveDate, Refusal> {
    let latest = today + Duration::days(VALID_DAYS_MAX);
    let Some(asked) = asked else {
        return Ok(today + Duration::days(VALID_DAYS_USUAL));
    };
    date(asked)
        .filter(|day| (today..=latest).contains(day))
        .ok_or_else(|| {
            INVALID
                .because(text!(
                    "应为今天至 {VALID_DAYS_MAX} 天内的日期",
                    "must be a day from today on, within {VALID_DAYS_MAX} days"
                ))
                .at("/valid_until")
        })
}

fn draw() -> Answer<Codes> {
    for _ in 0..DRAWS_MAX {
        if let Some(codes) = letters::codes(id::random()?, id::random()?) {
            return Ok(codes);
        }
    }
    Err(Fault::broken("chance draws the same all the time").into())
}

fn named(tx: &mut Tx<'_>, area: &Area, ids: &[ResidentId], today: NaiveDate) -> Answer<Vec<Listed>> {
    let mut ids_once: Vec<&ResidentId> = Vec::new();
    let (mut invited, mut objections) = (Vec::new(), Vec::new());
    for (at, id) in ids.iter().enumerate() {
        if ids_once.contains(&id) {
            continue;
        }
        ids_once.push(id);
        let found = reading::one(tx.conn(), id)?.filter(|found| found.resident.area_id == area.id);
        match found.as_ref().map(|found| invitable(&found.resident, today)) {
            Some(Ok(())) => invited.extend(found),
            Some(Err((code, detail))) => objections.push(Objection {
                pointer: format!("/resident_ids/{at}"),
                code,
                detail,
            }),
            None => objections.push(Objection {
                pointer: format!("/resident_ids/{at}"),
                code: "not_found",
                detail: Text::fixed("名册上没有该居民", "no such resident is on this roll"),
            }),
        }
    }
    if objections.is_empty() {
        Ok(invited)
    } else {
        Err(NOT_INVITABLE.refuse().listing(objections).into())
    }
}

fn invitable(resident: &Resident, today: NaiveDate) -> Result<(), (&'static str, Text)> {
    let Ok(person) = rules::on_roll(resident) else {
        return Err((
            "resident_not_on_roll",
            Text::fixed("已不在名册上", "is not on the roll any more"),
        ));
    };
    if resident.account_id.is_some() {
        return Err(("has_account", Text::fixed("已有账户", "has an account already")));
    }
    if age_on(person.birth_date, today) < ADULT_AT_YEARS {
        return Err((
            "not_adult",
            text!("未满 {ADULT_AT_YEARS} 周岁", "is younger than {ADULT_AT_YEARS}"),
        ));
    }
    Ok(())
}

fn everyone(tx: &mut Tx<'_>, area: &Area, today: NaiveDate) -> Answer<(Vec<Listed>, usize)> {
    let max = i64::try_from(LETTERS_MAX).unwrap_or(i64::MAX);
    let now = tx.now();
    let (ids, all) = store_letters::uninvited(tx.conn(), &area.id, today, now, max)?;
    if ids.is_empty() {
        return Err(NOBODY_TO_INVITE.refuse().into());
    }
    let mut invited = Vec::new();
    for id in &ids {
        invited.extend(reading::one(tx.conn(), id)?);
    }
    let remaining = usize::try_from(all).unwrap_or_default().saturating_sub(ids.len());
    Ok((invited, remaining))
}

/// Makes the actor's account that of the resident whom a letter invites, and a resident of the community. The letter is used up.
///
/// # Errors
/// Permission; `residence_account_needed`; a code that was mistyped; `residence_code_not_good`, whichever of the possible reasons it
/// is; `residence_taken`.
pub fn claim(tx: &mut Tx<'_>, actor: &Actor, zone: Tz, command: &ClaimResidence) -> Answer<Resident> {
    policy::allow(actor, Action::ClaimResidence, Matter::default())?;
    let account: AccountId = actor
        .id()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| ACCOUNT_NEEDED.refuse())?;
    if !store_letters::is_account(tx.conn(), &account)? {
        return Err(ACCOUNT_NEEDED.refuse().into());
    }
    let (code, born) = read_claim(command, local_date(tx.now(), zone))?;
    let now = tx.now();
    let (letter, resident) = invited(tx.conn(), &code, born, now)?;
    take_place(tx, actor, account, &letter, resident)
}

/// A letter that can be used and the resident whom it invites, for whoever has its code and knows their date of birth.
///
/// # Errors
/// `residence_code_not_good`, whichever of the possible reasons it is.
pub fn invited(
    conn: &mut Conn,
    code: &Presented,
    born: NaiveDate,
    now: Instant,
) -> Answer<(Letter, Resident)> {
    let letter = store_letters::letter(conn, code)?
        .filter(|letter| now.naive_utc() < letter.expires_at)
        .ok_or_else(|| CODE_NOT_GOOD.refuse())?;
    let resident = invited_by(conn, &letter)?
        .filter(|resident| is_born(resident, born))
        .ok_or_else(|| CODE_NOT_GOOD.refuse())?;
    Ok((letter, resident))
}

/// The resident whom a letter invites, if they are still on the roll and nobody's account yet.
fn invited_by(conn: &mut Conn, letter: &Letter) -> Answer<Option<Resident>> {
    let resident = store_roll::resident(conn, &letter.resident_id)?;
    Ok(resident.filter(|resident| resident.account_id.is_none() && rules::on_roll(resident).is_ok()))
}

fn is_born(resident: &Resident, born: NaiveDate) -> bool {
    rules::on_roll(resident).is_ok_and(|person| person.birth_date == born)
}

/// As [`claim`], for an account that is being opened on the strength of the resident's letter, in the same transaction.
///
/// # Errors
/// Permission; `residence_code_not_good` if the letter can be used no more; `residence_birth_date_wrong`; `residence_taken`.
pub fn claim_on_opening(
    tx: &mut Tx<'_>,
    actor: &Actor,
    account: &AccountId,
    resident_id: &ResidentId,
    born: NaiveDate,
) -> Answer<Resident> {
    policy::allow(actor, Action::ClaimResidence, Matter::default())?;
    let now = tx.now().naive_utc();
    let letter = store_letters::letter_of(tx.conn(), resident_id)?
        .filter(|letter| now < letter.expires_at)
        .ok_or_else(|| CODE_NOT_GOOD.refuse())?;
    let resident = invited_by(tx.conn(), &letter)?.ok_or_else(|| CODE_NOT_GOOD.refuse())?;
    if !is_born(&resident, born) {
        return Err(BIRTH_DATE_WRONG.refuse().at("/birth_date").into());
    }
    take_place(tx, actor, account.clone(), &letter, resident)
}

fn take_place(
    tx: &mut Tx<'_>,
    actor: &Actor,
    account: AccountId,
    letter: &Letter,
    resident: Resident,
) -> Answer<Resident> {
    let own = store_roll::residents_of_account(tx.conn(), &account)?;
    if own
        .iter()
        .any(|other| other.area_id == resident.area_id && other.state == State::Active)
    {
        return Err(RESIDENCE_TAKEN.refuse().into());
    }
    let linked = rules::link(resident, account.clone(), tx.now())?;
    store_roll::update_resident(tx, &linked)?;
    store_letters::void(tx, &linked.id)?;
    store_letters::grant(tx, &account, &linked.area_id, &letter.printed_by)?;
    audit::store::append(tx, actor, &event("residence.claimed", &linked, Value::Null))?;
    Ok(linked)
}

/// Reads a claim, without asking whether it is right.
///
/// # Errors
/// [`INVALID`] at `/code` and `/birth_date`: what can be no code of a letter, or no date of birth.
pub fn read_claim(command: &ClaimResidence, today: NaiveDate) -> Answer<(Presented, NaiveDate)> {
    let mut form = crate::registry::rules_person::Form::default();
    let mistyped = Text::fixed(
        "邀请码有误，请核对每一位",
        "this is no code of a letter; check every character",
    );
    let code = form.field("/code", letters::presented(&command.code).ok_or(mistyped));
    let born = form.field("/birth_date", birth_date(&command.birth_date, today));
    form.end()?;
    match (code, born) {
        (Some(code), Some(born)) => Ok((code, born)),
        _ => Err(INVALID.refuse().into()),
    }
}
