//! The outbox's tables. A mail is inserted in the transaction of the act that it tells of; afterwards only its state moves, by
//! updates that say which state they mean.

use chrono::{NaiveDateTime, NaiveTime};
use diesel::dsl::{count_star, exists, min};
use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{mail_preferences, outbox};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::outbox::address::{Address, NAME_LENGTH_MAX, one_line};
use crate::outbox::content::Content;
use crate::outbox::notice::{Notice, Recipient};
use crate::outbox::rules::{
    Category, Due, Failure, Frequency, KEPT_FOR, MailId, Preferences, REMEMBERED_FOR, State,
};
use crate::outbox::store_listed::TO_VOTERS;

/// Bytes of one mail's facts as JSON.
pub const FACTS_BYTES_MAX: usize = 262_144;

/// Bytes of a key.
const KEY_LENGTH_MAX: usize = 200;

/// Rows that one round of tidying touches.
const TIDIED_MAX: i64 = 1_000;

#[derive(Insertable)]
#[diesel(table_name = outbox)]
struct NewMail<'a> {
    id: &'a MailId,
    dedup_key: &'a str,
    kind: &'static str,
    category: &'static str,
    account_id: Option<&'a str>,
    address: &'a str,
    name: &'a str,
    language: &'static str,
    facts: String,
    secret: bool,
    state: &'static str,
    attempts: i64,
    next_at: NaiveDateTime,
    useful_until: Option<NaiveDateTime>,
    created_at: NaiveDateTime,
}

/// Queues a mail in the transaction of the act that it tells of; there is no other way to send one. False if one with its
/// key was queued before, whatever has become of it: then nothing is sent.
///
/// # Errors
/// A fault of the database, or if the key or the facts are not within their limits, which is the caller's bug.
pub fn enqueue(tx: &mut Tx<'_>, notice: &Notice) -> Answer<bool> {
    let now = tx.now();
    Ok(insert(tx.conn(), notice, now)?.is_some())
}

/// Whether a mail was queued under that key, whatever has become of it.
///
/// # Errors
/// A fault of the database.
pub fn was_queued(conn: &mut Conn, key: &str) -> Answer<bool> {
    let found: Option<MailId> = outbox::table
        .filter(outbox::dedup_key.eq(key))
        .select(outbox::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// The beginning of an instant's day, UTC.
pub(super) fn day_of(at: Instant) -> Instant {
    at.date_naive().and_time(NaiveTime::MIN).and_utc()
}

/// As [`enqueue`], for what the outbox itself writes: digests. Tells the new mail's id.
pub(super) fn insert(conn: &mut Conn, notice: &Notice, now: Instant) -> Answer<Option<MailId>> {
    let key = notice.key.as_str();
    if !(1..=KEY_LENGTH_MAX).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Fault::broken("a notice's key is 1 to 200 visible ASCII characters").into());
    }
    let facts =
        serde_json::to_string(&notice.content).map_err(|error| Fault::caused("write facts", error))?;
    if facts.len() > FACTS_BYTES_MAX {
        let kind = notice.content.kind();
        return Err(Fault::broken(format!("the facts of a {kind} mail are {} bytes", facts.len())).into());
    }
    // An id tells when it was made, and which of two is older: that of a mail to a voter tells nothing.
    let id = if notice.content.is_to_voter() {
        MailId::by_chance()?
    } else {
        MailId::mint(now)
    };
    let row = NewMail {
        id: &id,
        dedup_key: key,
        kind: notice.content.kind(),
        category: notice.content.category().name(),
        account_id: notice.to.account_id.as_deref(),
        address: notice.to.address.whole(),
        name: &one_line(&notice.to.name, NAME_LENGTH_MAX),
        language: notice.to.language.tag(),
        facts,
        secret: notice.content.is_secret(),
        state: State::Waiting.name(),
        attempts: 0,
        next_at: notice.not_before.unwrap_or(now).max(now).naive_utc(),
        useful_until: notice.useful_until.map(|until| until.naive_utc()),
        created_at: now.naive_utc(),
    };
    let inserted = both!(conn, c => diesel::insert_into(outbox::table)
        .values(&row)
        .on_conflict(outbox::dedup_key)
        .do_nothing()
        .execute(c))?;
    Ok((inserted == 1).then_some(id))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = outbox)]
struct ParcelRow {
    id: MailId,
    category: String,
    account_id: Option<String>,
    address: Option<String>,
    name: Option<String>,
    language: String,
    facts: Option<String>,
    attempts: i64,
    useful_until: Option<NaiveDateTime>,
    created_at: NaiveDateTime,
}

/// A mail with everything that is needed to send it.
#[derive(Clone)]
pub struct Parcel {
    /// Its id.
    pub id: MailId,
    /// To whom.
    pub to: Recipient,
    /// What it says; none if what is stored cannot be read.
    pub content: Option<Content>,
    /// Why it is sent.
    pub category: Category,
    /// How often it was tried, this time included.
    pub attempts: i64,
    /// After this instant it is useless.
    pub useful_until: Option<Instant>,
    /// When it was queued.
    pub created_at: Instant,
}

impl Parcel {
    /// What decides about its course.
    pub fn due(&self) -> Due {
        Due {
            category: self.category,
            has_account: self.to.account_id.is_some(),
            is_digest: matches!(self.content, Some(Content::Digest(_))),
            is_secret: self.content.as_ref().is_some_and(Content::is_secret),
            useful_until: self.useful_until,
        }
    }
}

impl TryFrom<ParcelRow> for Parcel {
    type Error = Fault;

    fn try_from(row: ParcelRow) -> Result<Self, Fault> {
        let address = row
            .address
            .and_then(|address| address.parse::<Address>().ok())
            .ok_or_else(|| Fault::broken(format!("{} has no address", row.id)))?;
        Ok(Self {
            to: Recipient {
                account_id: row.account_id,
                address,
                name: row.name.unwrap_or_default(),
                language: language(&row.language)?,
            },
            // Facts of another version, say. The mail is given up rather than the outbox stopped.
            content: row.facts.and_then(|facts| serde_json::from_str(&facts).ok()),
            category: category(&row.category)?,
            id: row.id,
            attempts: row.attempts,
            useful_until: row.useful_until.map(|until| until.and_utc()),
            created_at: row.created_at.and_utc(),
        })
    }
}

fn language(tag: &str) -> Result<Language, Fault> {
    [Language::Chinese, Language::English]
        .into_iter()
        .find(|language| language.tag() == tag)
        .ok_or_else(|| Fault::broken(format!("a mail in the language {tag}")))
}

pub(super) fn category(name: &str) -> Result<Category, Fault> {
    Category::named(name).ok_or_else(|| Fault::broken(format!("a mail of category {name}")))
}

/// Up to `max` mails in this state whose time has come, those that have waited longest first. One that cannot be read, because
/// another version wrote it, is given up: it must not keep all others from being sent.
///
/// # Errors
/// A fault of the database.
pub fn due(conn: &mut Conn, state: State, now: Instant, max: i64) -> Answer<Vec<Parcel>> {
    let rows: Vec<ParcelRow> = outbox::table
        .filter(outbox::state.eq(state.name()))
        .filter(outbox::next_at.le(now.naive_utc()))
        .order((outbox::next_at, outbox::id))
        .select(ParcelRow::as_select())
        .limit(max)
        .load(conn)?;
    readable(conn, rows, now)
}

fn readable(conn: &mut Conn, rows: Vec<ParcelRow>, now: Instant) -> Answer<Vec<Parcel>> {
    let mut parcels = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, attempts) = (row.id.clone(), row.attempts);
        match Parcel::try_from(row) {
            Ok(parcel) => parcels.push(parcel),
            Err(fault) => {
                tracing::error!(%fault, "a mail cannot be read and is given up");
                let given_up = Standing::ended(State::Dead, Some(Failure::Unsendable), now);
                diesel::update(outbox::table.find(&id))
                    .set((&given_up, outbox::attempts.eq(attempts.saturating_add(1))))
                    .execute(conn)?;
            }
        }
    }
    Ok(parcels)
}

/// True if a mail in either of the two states that wait for their time is due.
///
/// # Errors
/// A fault of the database.
pub fn is_anything_due(conn: &mut Conn, now: Instant) -> Answer<bool> {
    let open = [State::Waiting, State::Held].map(State::name);
    let due = outbox::table
        .filter(outbox::state.eq_any(open))
        .filter(outbox::next_at.le(now.naive_utc()));
    Ok(diesel::select(exists(due)).get_result(conn)?)
}

/// Mails of one account that are held for a digest whose time has come.
///
/// # Errors
/// A fault of the database.
pub fn held_of(conn: &mut Conn, account_id: &str, now: Instant, max: i64) -> Answer<Vec<Parcel>> {
    let rows: Vec<ParcelRow> = outbox::table
        .filter(outbox::account_id.eq(account_id))
        .filter(outbox::state.eq(State::Held.name()))
        .filter(outbox::next_at.le(now.naive_utc()))
        .order(outbox::id)
        .select(ParcelRow::as_select())
        .limit(max)
        .load(conn)?;
    readable(conn, rows, now)
}

/// Where a mail stands next.
#[derive(AsChangeset)]
#[diesel(table_name = outbox, treat_none_as_null = true)]
struct Standing<'a> {
    state: &'static str,
    next_at: Option<NaiveDateTime>,
    last_failure: Option<&'static str>,
    digest_id: Option<&'a MailId>,
    ended_at: Option<NaiveDateTime>,
}

impl<'a> Standing<'a> {
    fn open(state: State, next_at: Instant, failure: Option<Failure>) -> Self {
        Self {
            state: state.name(),
            next_at: Some(next_at.naive_utc()),
            last_failure: failure.map(Failure::name),
            digest_id: None,
            ended_at: None,
        }
    }

    fn ended(state: State, failure: Option<Failure>, now: Instant) -> Self {
        Self {
            state: state.name(),
            next_at: None,
            last_failure: failure.map(Failure::name),
            digest_id: None,
            ended_at: Some(now.naive_utc()),
        }
    }
}

/// Moves a mail on, if it stands where `parcel` says. False if it does not: somebody was faster.
fn advance(conn: &mut Conn, parcel: &Parcel, from: State, attempts: i64, to: &Standing<'_>) -> Answer<bool> {
    let stands = outbox::table
        .find(&parcel.id)
        .filter(outbox::state.eq(from.name()))
        .filter(outbox::attempts.eq(parcel.attempts));
    let is_secret = parcel.content.as_ref().is_some_and(Content::is_secret);
    let forgets = is_secret && to.ended_at.is_some() && to.state != State::Dead.name();
    let gone: Option<String> = None;
    let next = (to, outbox::attempts.eq(attempts));
    let changed = if forgets {
        diesel::update(stands)
            .set((next, outbox::facts.eq(gone)))
            .execute(conn)?
    } else {
        diesel::update(stands).set(next).execute(conn)?
    };
    Ok(changed == 1)
}

/// Takes a mail to send it: counts the attempt, and keeps everybody from it until `free_at`. `None` if somebody else has it.
///
/// # Errors
/// A fault of the database.
pub fn claim(conn: &mut Conn, parcel: Parcel, free_at: Instant) -> Answer<Option<Parcel>> {
    let attempts = parcel.attempts.saturating_add(1);
    let next = Standing::open(State::Waiting, free_at, None);
    let taken = advance(conn, &parcel, State::Waiting, attempts, &next)?;
    Ok(taken.then_some(Parcel { attempts, ..parcel }))
}

/// Keeps a mail for the digest of an instant.
///
/// # Errors
/// A fault of the database.
pub fn hold(conn: &mut Conn, parcel: &Parcel, until: Instant) -> Answer<bool> {
    let next = Standing::open(State::Held, until, None);
    advance(conn, parcel, State::Waiting, parcel.attempts, &next)
}

/// Does not send a mail that waits or is held.
///
/// # Errors
/// A fault of the database.
pub fn dropped(
    conn: &mut Conn,
    parcel: &Parcel,
    from: State,
    why: Option<Failure>,
    now: Instant,
) -> Answer<bool> {
    let next = Standing::ended(State::Dropped, why, now);
    advance(conn, parcel, from, parcel.attempts, &next)
}

/// Records that the mail server has taken a mail.
///
/// # Errors
/// A fault of the database.
pub fn sent(conn: &mut Conn, parcel: &Parcel, now: Instant) -> Answer<bool> {
    let next = Standing::ended(State::Sent, None, now);
    advance(conn, parcel, State::Waiting, parcel.attempts, &next)
}

/// Records that an attempt failed: the mail waits until `again_at`, or is given up.
///
/// # Errors
/// A fault of the database.
pub fn failed(
    conn: &mut Conn,
    parcel: &Parcel,
    failure: Failure,
    again_at: Option<Instant>,
    now: Instant,
) -> Answer<bool> {
    let next = match again_at {
        Some(at) => Standing::open(State::Waiting, at, Some(failure)),
        None => Standing::ended(State::Dead, Some(failure), now),
    };
    advance(conn, parcel, State::Waiting, parcel.attempts, &next)
}

/// Records that a held mail is part of a digest.
///
/// # Errors
/// A fault of the database.
pub fn collected(conn: &mut Conn, parcel: &Parcel, digest: &MailId, now: Instant) -> Answer<bool> {
    let next = Standing {
        digest_id: Some(digest),
        ..Standing::ended(State::Collected, None, now)
    };
    advance(conn, parcel, State::Held, parcel.attempts, &next)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = mail_preferences)]
struct PreferencesRow {
    duty: String,
    news: String,
    language: Option<String>,
    version: i64,
}

impl TryFrom<PreferencesRow> for Preferences {
    type Error = Fault;

    fn try_from(row: PreferencesRow) -> Result<Self, Fault> {
        let frequency = |name: &str| {
            Frequency::named(name).ok_or_else(|| Fault::broken(format!("mail that comes {name}")))
        };
        Ok(Self {
            duty: frequency(&row.duty)?,
            news: frequency(&row.news)?,
            language: row.language.as_deref().map(language).transpose()?,
            version: row.version,
        })
    }
}

/// What an account has chosen, or what holds while it has not.
///
/// # Errors
/// A fault of the database.
pub fn preferences(conn: &mut Conn, account_id: &str) -> Answer<Preferences> {
    let row = mail_preferences::table
        .find(account_id)
        .select(PreferencesRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Preferences::try_from).transpose()?.unwrap_or_default())
}

/// Blanks what is not needed any more, and forgets mail that nobody will ask for again; up to 1,000 of each. What was given
/// up and not queued again by then is dropped. Tells whether there was anything.
///
/// # Errors
/// A fault of the database.
pub fn tidy(conn: &mut Conn, now: Instant) -> Answer<bool> {
    let ended_before = |age: chrono::Duration| outbox::ended_at.lt((now - age).naive_utc());
    let old: Vec<MailId> = outbox::table
        .filter(ended_before(KEPT_FOR))
        .filter(outbox::address.is_not_null())
        .order((outbox::ended_at, outbox::id))
        .select(outbox::id)
        .limit(TIDIED_MAX)
        .load(conn)?;
    let gone: Option<String> = None;
    diesel::update(
        outbox::table
            .filter(outbox::id.eq_any(&old))
            .filter(outbox::state.eq(State::Dead.name())),
    )
    .set((outbox::state.eq(State::Dropped.name()), outbox::facts.eq(&gone)))
    .execute(conn)?;
    diesel::update(outbox::table.filter(outbox::id.eq_any(&old)))
        .set((
            outbox::facts.eq(&gone),
            outbox::address.eq(&gone),
            outbox::name.eq(&gone),
        ))
        .execute(conn)?;
    let forgotten: Vec<MailId> = outbox::table
        .filter(ended_before(REMEMBERED_FOR))
        .order((outbox::ended_at, outbox::id))
        .select(outbox::id)
        .limit(TIDIED_MAX)
        .load(conn)?;
    diesel::delete(outbox::table.filter(outbox::id.eq_any(&forgotten))).execute(conn)?;
    Ok(!old.is_empty() || !forgotten.is_empty())
}

/// How much mail stands where, for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be sent.
    pub waiting: i64,
    /// Given up.
    pub dead: i64,
    /// When the oldest that is to be sent was queued.
    pub oldest: Option<Instant>,
}

/// How much mail stands where; what waits without mail to voters, of whom nobody learns how many are written to.
///
/// # Errors
/// A fault of the database.
pub fn counts(conn: &mut Conn) -> Answer<Counts> {
    let (waiting, oldest): (i64, Option<NaiveDateTime>) = outbox::table
        .filter(outbox::state.eq(State::Waiting.name()))
        .filter(outbox::kind.ne_all(TO_VOTERS))
        .select((count_star(), min(outbox::created_at)))
        .first(conn)?;
    let dead = outbox::table
        .filter(outbox::state.eq(State::Dead.name()))
        .count()
        .get_result(conn)?;
    Ok(Counts {
        waiting,
        dead,
        oldest: oldest.map(|oldest| oldest.and_utc()),
    })
}

/// Queues a mail again that was given up. False if it was not.
///
/// # Errors
/// A fault of the database.
pub fn requeue(conn: &mut Conn, id: &MailId, now: Instant) -> Answer<bool> {
    let dead = outbox::table
        .find(id)
        .filter(outbox::state.eq(State::Dead.name()));
    let again = Standing::open(State::Waiting, now, None);
    let changed = diesel::update(dead)
        .set((&again, outbox::attempts.eq(0_i64)))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Saves what an account has chosen over the version before it.
///
/// # Errors
/// A fault of the database, or if that version is not there any more.
pub fn save_preferences(
    conn: &mut Conn,
    account_id: &str,
    preferences: &Preferences,
    now: Instant,
) -> Answer<()> {
    let before = preferences.version.saturating_sub(1);
    let values = (
        mail_preferences::duty.eq(preferences.duty.name()),
        mail_preferences::news.eq(preferences.news.name()),
        mail_preferences::language.eq(preferences.language.map(Language::tag)),
        mail_preferences::version.eq(preferences.version),
        mail_preferences::updated_at.eq(now.naive_utc()),
    );
    let changed = if before == Preferences::default().version {
        diesel::insert_into(mail_preferences::table)
            .values((mail_preferences::account_id.eq(account_id), values))
            .execute(conn)?
    } else {
        let row = mail_preferences::table
            .find(account_id)
            .filter(mail_preferences::version.eq(before));
        diesel::update(row).set(values).execute(conn)?
    };
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} rows of preferences saved instead of one")).into())
    }
}

/// Forgets a person: what waits is not sent, what was sent is not known any more, and what they had chosen is gone. For the
/// act by which an account is erased.
///
/// # Errors
/// A fault of the database.
pub fn forget_account(tx: &mut Tx<'_>, account_id: &str) -> Answer<()> {
    let now = tx.now();
    let gone: Option<String> = None;
    let unsent = [State::Waiting, State::Held, State::Dead].map(State::name);
    let forgotten = (
        outbox::facts.eq(&gone),
        outbox::address.eq(&gone),
        outbox::name.eq(&gone),
    );
    let of_account = || outbox::table.filter(outbox::account_id.eq(account_id));
    diesel::update(of_account().filter(outbox::state.eq_any(unsent)))
        .set((&Standing::ended(State::Dropped, None, now), forgotten))
        .execute(tx.conn())?;
    diesel::update(of_account()).set(forgotten).execute(tx.conn())?;
    diesel::delete(mail_preferences::table.find(account_id)).execute(tx.conn())?;
    Ok(())
}

/// Forgets every mail of a kind whose key begins with `{prefix}:`, sent or not: then not even that it was sent is known. For what has become useless.
///
/// # Errors
/// A fault of the database.
pub fn forget_kind(tx: &mut Tx<'_>, kind: &str, prefix: &str) -> Answer<()> {
    // A semicolon is what comes after a colon.
    let of_prefix = outbox::table
        .filter(outbox::dedup_key.ge(format!("{prefix}:")))
        .filter(outbox::dedup_key.lt(format!("{prefix};")))
        .filter(outbox::kind.eq(kind));
    diesel::delete(of_prefix).execute(tx.conn())?;
    Ok(())
}

/// Does not send an account's news that wait or are held.
///
/// # Errors
/// A fault of the database.
pub fn decline_news(conn: &mut Conn, account_id: &str, now: Instant) -> Answer<()> {
    let unsent = outbox::table
        .filter(outbox::account_id.eq(account_id))
        .filter(outbox::state.eq_any([State::Waiting.name(), State::Held.name()]))
        .filter(outbox::category.eq(Category::News.name()));
    diesel::update(unsent)
        .set(&Standing::ended(State::Dropped, None, now))
        .execute(conn)?;
    Ok(())
}
