//! What is done again and again while the service runs: keys and the mark of the log are looked after, what nobody needs any
//! more is forgotten, what was gathered in memory is written down. Changes nothing of the ward but through acts.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use chrono::NaiveDate;

use crate::app::operation;
use crate::audit;
use crate::audit::sequencer::Sequencer;
use crate::audit::startup::Mark;
use crate::award::acts_overdue;
use crate::ballots::polling::AtPolling;
use crate::bids::acts_openings::{self as openings, Place};
use crate::bids::{acts_amendments as amendments, acts_disclosure as disclosure, store_openings};
use crate::books::custody::Custody;
use crate::books::rules::BookId;
use crate::books::{acts_enquiries, acts_search, acts_witnesses, notices};
use crate::contracts::reception::AtReception;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::people::identities::Identities;
use crate::people::{store_api_tokens, store_links, store_outside, store_sessions};
use crate::publish::http::AtPublisher;
use crate::registry::acts_qualifications::{self, Reminded};
use crate::registry::store_registrations;
use crate::web::actor::Actor;
use crate::web::context::Context;
use crate::web::idempotency;

/// How often the mark is brought up to date, and the key directory read again.
const ROUND_EVERY: Duration = Duration::from_secs(2);
/// How often old answers are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// Old sessions that are forgotten at a time.
const SESSIONS_FORGOTTEN_MAX: i64 = 500;
/// How often organisations are reminded besides the beginning of each day: of what was verified since.
const REMIND_EVERY: Duration = Duration::from_secs(3_600);
/// How often it is written down when machines' tokens were last used.
const NOTE_USE_EVERY: Duration = Duration::from_secs(60);
/// How often buyers are told of enquiries that were not answered in time, and contractors reminded of defects.
const ESCALATE_EVERY: Duration = Duration::from_secs(60);

/// How often people are told of what happens to books and of what their saved searches find, and what the search lacks is put into it.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// How often it is looked whether a lot whose book was cancelled has bids that are still kept secret.
const DISCLOSE_EVERY: Duration = Duration::from_secs(60);

/// How often it is looked whether bids wait to be opened, and ballots to be counted.
const OPEN_EVERY: Duration = Duration::from_secs(60);
/// How long the buyer's people have for it before the service opens them.
const OPENED_AFTER_MINUTES: i64 = 5;
/// Books that are opened in one round at most.
const OPENED_AT_ONCE: i64 = 10;

/// Everything that is looked after.
pub struct Keeper {
    /// The shared state.
    pub context: web::Data<Context>,
    /// The mark of the log.
    pub mark: Mark,
    /// What signs the log.
    pub sequencer: Sequencer,
    /// Who is who.
    pub identities: Arc<Identities>,
    /// Who keeps the keys that open bids.
    pub custody: web::Data<Custody>,
    /// Where reports of defects come in.
    pub reception: AtReception,
    /// Where votes come in.
    pub polling: AtPolling,
    /// Who publishes.
    pub publisher: AtPublisher,
}

impl Keeper {
    /// Goes on until the runtime ends.
    pub async fn keep(self) {
        let mut marked: i64 = 0;
        let mut round: u32 = 0;
        let mut reminded: Option<NaiveDate> = None;
        loop {
            // Whoever moves a simulated clock does not wait for what is due then: everything is.
            let moved = self.context.clock_moved.notified();
            let is_moved = tokio::time::timeout(ROUND_EVERY, moved).await.is_ok();
            round = round.wrapping_add(1);
            let is_due = |every| is_moved || is_due(round, every);
            operation::sum_up_metrics();
            // A key that another instance has made signs here too from now on, and one that was deleted is not trusted.
            if let Err(fault) = self.context.tokens.reload() {
                tracing::warn!(%fault, "the keys of access tokens could not be read again");
            }
            if self.context.db.halted().is_some() {
                self.advance_mark_while_halted();
                continue;
            }
            self.advance_mark(&mut marked).await;
            self.publish().await;
            // At the start, and whenever a day of the ward has begun.
            let today = local_date(self.context.clock.now(), self.context.calendar.zone);
            if reminded != Some(today) || is_due(REMIND_EVERY) {
                let told = self.tell_of_defects().await;
                reminded = (self.remind().await && told).then_some(today);
            }
            if is_due(FORGET_EVERY) {
                self.forget_old_answers().await;
            }
            if is_due(TELL_EVERY) {
                self.complete_the_search().await;
                // Before what saved searches find: whoever follows a book hears of it once.
                self.tell_of_books().await;
                self.tell_hits().await;
                self.tell_bidders().await;
            }
            if is_due(ESCALATE_EVERY) {
                self.escalate().await;
                self.escalate_disputes().await;
                self.watch_defects().await;
                self.note_silence().await;
            }
            if is_due(NOTE_USE_EVERY) {
                self.note_use_of_tokens().await;
            }
            if is_due(DISCLOSE_EVERY) {
                self.disclose_ended().await;
            }
            if is_due(OPEN_EVERY) {
                self.open_what_waits().await;
            }
            // At the start too: a ballot that closed while nothing ran is counted as soon as something does, because its votes can be read until then.
            if round == 1 || is_due(OPEN_EVERY) {
                self.keep_ballots().await;
            }
        }
    }

    fn advance_mark_while_halted(&self) {
        if let Some(note) = self.sequencer.witnessed()
            && let Err(fault) = self.mark.advance(&note, self.sequencer.verifier())
        {
            tracing::warn!(%fault, "the mark of the log could not be written");
        }
    }

    async fn advance_mark(&self, marked: &mut i64) {
        match self.context.db.read(audit::store::last_checkpoint).await {
            Ok(Some(newest)) if newest.size != *marked => {
                match self.mark.advance(&newest.note, self.sequencer.verifier()) {
                    Ok(()) => *marked = newest.size,
                    Err(fault) => tracing::warn!(%fault, "the mark of the log could not be written"),
                }
            }
            Ok(_) => {}
            Err(stop) => tracing::warn!(%stop, "the newest checkpoint could not be read"),
        }
    }

    async fn forget_old_answers(&self) {
        let forgotten: Answer<usize> = self
            .context
            .db
            .upkeep(|tx| {
                let now = tx.now();
                let sessions = store_sessions::forget_old(tx, SESSIONS_FORGOTTEN_MAX)?;
                store_links::forget_old(tx)?;
                store_outside::forget_old(tx)?;
                store_registrations::forget_expired(tx)?;
                Ok(idempotency::forget_old(tx, now)?.saturating_add(sessions))
            })
            .await;
        if let Err(stop) = forgotten {
            tracing::warn!(%stop, "old answers and sessions could not be forgotten");
        }
    }

    /// Reminds organisations of qualifications that end. Tells whether it came to the end of them.
    async fn remind(&self) -> bool {
        let zone = self.context.calendar.zone;
        let mut after: Option<Reminded> = None;
        loop {
            let from = after.take();
            let reminded: Answer<Option<Reminded>> = self
                .context
                .db
                .upkeep(move |tx| acts_qualifications::remind(tx, zone, from.as_ref()))
                .await;
            match reminded {
                Ok(None) => return true,
                Ok(next) => after = next,
                Err(stop) => {
                    tracing::warn!(%stop, "nobody could be reminded of qualifications that end");
                    return false;
                }
            }
        }
    }

    /// Puts into the search what it lacks: standards, whose slice does not know it.
    async fn complete_the_search(&self) {
        loop {
            match self.context.db.upkeep(acts_search::catch_up).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(stop) => {
                    tracing::warn!(%stop, "the search could not be completed");
                    return;
                }
            }
        }
    }

    /// Tells people of what happened to books that they follow or are qualified for.
    async fn tell_of_books(&self) {
        let zone = self.context.calendar.zone;
        loop {
            match self.context.db.upkeep(move |tx| notices::tell(tx, zone)).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(stop) => {
                    tracing::warn!(%stop, "nobody could be told of what happened to books");
                    return;
                }
            }
        }
    }

    /// Tells bidders whose bids have to be confirmed.
    async fn tell_bidders(&self) {
        let now = self.context.clock.now();
        let unaware = match self
            .context
            .db
            .read(move |conn| amendments::unaware(conn, now))
            .await
        {
            Ok(unaware) => unaware,
            Err(stop) => return tracing::warn!(%stop, "it could not be read whom an addendum concerns"),
        };
        for one in unaware {
            let told = self
                .context
                .db
                .upkeep(move |tx| amendments::tell(tx, one.clone()))
                .await;
            if let Err(stop) = told {
                tracing::warn!(%stop, "somebody could not be told of an addendum");
            }
        }
    }

    /// Ends the secrecy of bids for lots that will never be opened.
    async fn disclose_ended(&self) {
        let ended = match self.context.db.read(disclosure::ended).await {
            Ok(ended) => ended,
            Err(stop) => return tracing::warn!(%stop, "it could not be read which lots have ended"),
        };
        for lot in ended {
            let done = self.context.db.write(move |tx| disclosure::end(tx, &lot)).await;
            if let Err(stop) = done {
                tracing::warn!(%stop, "the secrecy of bids for a lot that has ended could not be ended");
            }
        }
    }

    /// Opens the bids that nobody has opened although their time has come: nobody's absence delays an opening. Where witnesses share the key and have
    /// not handed in enough of it, they are waited for.
    async fn open_what_waits(&self) {
        let before = self.context.clock.now() - chrono::Duration::minutes(OPENED_AFTER_MINUTES);
        let waiting = move |conn: &mut Conn| store_openings::waiting(conn, before, OPENED_AT_ONCE);
        let waiting = match self.context.db.read(waiting).await {
            Ok(waiting) => waiting,
            Err(stop) => return tracing::warn!(%stop, "it could not be read which bids wait to be opened"),
        };
        for book in waiting {
            let name = book.to_string();
            match self.open_one(book.clone()).await {
                Ok(()) => tracing::info!(book = name, "opened the bids that nobody had opened"),
                Err(Stop::Refused(_)) => self.remind_of_shares(book).await,
                Err(stop) => tracing::warn!(book = name, %stop, "bids could not be opened"),
            }
        }
    }

    /// Reminds whoever has to hand in a share for an opening, where there are too few.
    async fn remind_of_shares(&self, book: BookId) {
        let today = local_date(self.context.clock.now(), self.context.calendar.zone);
        let remind = move |tx: &mut Tx<'_>| acts_witnesses::remind(tx, &book, today);
        if let Err(stop) = self.context.db.upkeep(remind).await {
            tracing::warn!(%stop, "nobody could be reminded of shares that are missing");
        }
    }

    async fn open_one(&self, book: BookId) -> Answer<()> {
        let (now, zone) = (self.context.clock.now(), self.context.calendar.zone);
        let (of, keeper, db) = (book.clone(), self.custody.clone(), self.context.db.clone());
        let prepare = move || {
            let place = Place {
                zone,
                keeper: &keeper,
            };
            db.read_primary_and_wait(|conn| openings::prepare(conn, &Actor::system(), &of, now, place))
        };
        let prepared = web::block(prepare)
            .await
            .map_err(|error| Fault::caused("open bids", error))??;
        let prepared = Arc::new(prepared);
        let open = move |tx: &mut Tx<'_>| {
            openings::open(tx, &Actor::system(), &book, prepared.as_ref().as_ref()).map(|_| ())
        };
        self.context.db.write(open).await
    }

    /// Tells people of what has become public and fits what they saved.
    async fn tell_hits(&self) {
        loop {
            match self.context.db.upkeep(acts_search::tell_hits).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(stop) => {
                    tracing::warn!(%stop, "nobody could be told of what their searches find");
                    return;
                }
            }
        }
    }

    /// Tells approvers of enquiries that were not answered in time.
    async fn escalate(&self) {
        let mut after: Option<BookId> = None;
        loop {
            let from = after.take();
            let told: Answer<Option<BookId>> = self
                .context
                .db
                .upkeep(move |tx| acts_enquiries::escalate(tx, from.as_ref()))
                .await;
            match told {
                Ok(None) => return,
                Ok(next) => after = next,
                Err(stop) => {
                    tracing::warn!(%stop, "nobody could be told of enquiries without an answer");
                    return;
                }
            }
        }
    }

    /// Tells whoever has not replied to what bidders say of results, or not decided about complaints, in time.
    async fn escalate_disputes(&self) {
        for kind in acts_overdue::Kind::ALL {
            let mut after = String::new();
            loop {
                let (context, from) = (self.context.clone(), after.clone());
                let told: Answer<Option<String>> = self
                    .context
                    .db
                    .upkeep(move |tx| acts_overdue::escalate(tx, &context.calendar, kind, &from))
                    .await;
                match told {
                    Ok(None) => break,
                    Ok(Some(next)) => after = next,
                    Err(stop) => {
                        tracing::warn!(%stop, "nobody could be told of what is overdue");
                        return;
                    }
                }
            }
        }
    }

    async fn note_use_of_tokens(&self) {
        let used = self.identities.take_used();
        if used.is_empty() {
            return;
        }
        let noted: Answer<()> = self
            .context
            .db
            .upkeep(move |tx| store_api_tokens::note_use(tx, &used))
            .await;
        if let Err(stop) = noted {
            tracing::warn!(%stop, "the use of tokens could not be noted");
        }
    }
}

/// True once in every so many rounds.
fn is_due(round: u32, every: Duration) -> bool {
    let rounds = (every.as_secs() / ROUND_EVERY.as_secs()).max(1);
    u64::from(round) % rounds == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chore_is_due_once_in_its_time() {
        let due = (1..=300).filter(|round| is_due(*round, NOTE_USE_EVERY)).count();
        assert_eq!(due, 10);
        assert!(is_due(1, Duration::from_secs(1)) && is_due(300, FORGET_EVERY) && !is_due(1, FORGET_EVERY));
    }
}
