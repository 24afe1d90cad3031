//! Sends what is due. One instance does it at a time: on SQLite the one that serves, on PostgreSQL the one that holds the
//! seat, and everything it writes goes over the seat's own connection. A mail is claimed before it is sent, so that two
//! senders never have the same one, and marked the moment it is taken. What a crash leaves in between is sent again when
//! the claim has run out, under the same `Message-ID`: SMTP knows no better.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Stopwatch};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::watch;

use crate::db::conn::{Conn, DatabaseUrl};
use crate::db::database::Db;
use crate::db::seat::Seat;
use crate::kernel::clock::{Clock, Instant};
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::outbox::content::{Content, Unsealing};
use crate::outbox::digest;
use crate::outbox::letter::{Letter, Letterhead, Reader};
use crate::outbox::rules::{self, Category, Course, Failure, State};
use crate::outbox::store::{self, Parcel};
use crate::outbox::transport::{Envelope, Transport};
use crate::outbox::unsubscribe::UnsubscribeKey;

/// Mails on their way at the same time. One that a server sits on holds up no more than these, and not for longer than the
/// timeout.
const BATCH_MAX: i64 = 8;

/// How long the sender rests when nothing is due, and how often the others ask for the seat.
const REST: Duration = Duration::from_millis(200);

/// How long it rests after a failure of the database.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How long mail that is on its way gets when the service goes down.
const GRACE: Duration = Duration::from_secs(5);

/// How much longer than the timeout a claim holds: for the database's own delays.
const CLAIM_MARGIN: Duration = Duration::from_secs(30);

/// How often marking a mail as taken is tried before it is left to be sent again.
const MARKS_MAX: u32 = 10;

/// How often the outbox is tidied, by the ward's clock.
const TIDY_EVERY: chrono::Duration = chrono::Duration::hours(1);

/// How often it is counted for the metrics.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// PostgreSQL's advisory lock of the sender's seat: any number, but always the same.
const SEAT: i64 = 0x7761_7264_0003;

/// What mail looks like and where it goes.
pub struct Mailing {
    /// Where it goes.
    pub transport: Transport,
    /// Who writes.
    pub head: Letterhead,
    /// What makes the links that switch mail off.
    pub key: UnsubscribeKey,
    /// What opens the links that are sealed until they are sent.
    pub seals: Box<dyn Unsealing>,
    /// How long one mail may take.
    pub timeout: Duration,
}

impl Mailing {
    /// Where mail to an account is switched off, if mail of this kind can be.
    fn unsubscribe_url(&self, parcel: &Parcel) -> Result<Option<String>, Fault> {
        let may = parcel.category == Category::News
            || matches!(&parcel.content, Some(Content::Digest(digest)) if digest.has_news());
        match &parcel.to.account_id {
            Some(account_id) if may => {
                let token = self.key.token(account_id)?;
                Ok(Some(self.head.url(&format!("/api/v1/mail/unsubscribe/{token}"))))
            }
            _ => Ok(None),
        }
    }

    /// Writes a mail and sends it.
    async fn deliver(&self, parcel: &Parcel, language: Language) -> Result<(), Failure> {
        let message = self.written(parcel, language).map_err(|fault| {
            tracing::error!(mail = %parcel.id, %fault, "a mail could not be written");
            Failure::Unsendable
        })?;
        self.transport
            .send(Envelope {
                id: &parcel.id,
                from: &self.head.from,
                to: &parcel.to.address,
                message: &message,
            })
            .await
    }

    fn written(&self, parcel: &Parcel, language: Language) -> Result<Vec<u8>, Fault> {
        let content = parcel
            .content
            .as_ref()
            .ok_or_else(|| Fault::broken("its facts cannot be read"))?
            .opened(&*self.seals)?;
        let unsubscribe = self.unsubscribe_url(parcel)?;
        let reader = Reader {
            id: parcel.id.as_str(),
            address: &parcel.to.address,
            name: &parcel.to.name,
            language,
            written_at: parcel.created_at,
            unsubscribe: unsubscribe.as_deref(),
        };
        Letter::new(&content, &self.head, &reader).message(&self.head, &reader)
    }
}

/// The thread that sends.
pub struct Sender {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Sender {
    /// Starts it.
    ///
    /// # Errors
    /// A fault if the thread cannot be started.
    pub fn start(mailing: Mailing, db: Db, clock: Clock, url: &DatabaseUrl) -> Result<Self, Fault> {
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Fault::caused("start the sender of mail", error))?;
        let seat = match url {
            DatabaseUrl::Sqlite(_) => None,
            DatabaseUrl::Postgres(_) => Some(Seat::new(url.clone(), SEAT)),
        };
        let office = Office {
            mailing: Arc::new(mailing),
            db,
            clock,
            seat,
            leads: false,
            tidied_at: None,
            counted: None,
        };
        let thread = std::thread::Builder::new()
            .name("outbox".into())
            .spawn(move || runtime.block_on(office.serve(stopped)))
            .map_err(|error| Fault::caused("start the sender of mail", error))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Takes no more mail, gives what is on its way a moment, and returns.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Without a receiver the thread has ended already.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sender of mail panicked");
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.end();
    }
}

/// A mail that is claimed, and the language to write it in.
type Claimed = (Parcel, Language);

struct Office {
    mailing: Arc<Mailing>,
    db: Db,
    clock: Clock,
    /// PostgreSQL only.
    seat: Option<Seat>,
    leads: bool,
    tidied_at: Option<Instant>,
    counted: Option<Stopwatch>,
}

impl Office {
    async fn serve(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let rest = match self.turn(&mut stop).await {
                Ok(true) => continue,
                Ok(false) => REST,
                Err(failure) => {
                    tracing::warn!(%failure, "the outbox could not be worked on");
                    self.leave();
                    REST_AFTER_FAILURE
                }
            };
            // Whether the rest is over or the service goes down: the loop looks.
            let _ = tokio::time::timeout(rest, stop.changed()).await;
        }
    }

    fn leave(&mut self) {
        self.leads = false;
        if let Some(seat) = &mut self.seat {
            seat.leave();
        }
    }

    /// One round; true if there may be more to do at once.
    async fn turn(&mut self, stop: &mut watch::Receiver<bool>) -> Answer<bool> {
        self.count();
        if self.db.halted().is_some() {
            // What cannot be marked as sent must not be sent.
            self.leave();
            return Ok(false);
        }
        if let Some(seat) = &mut self.seat
            && !seat.take()?
        {
            self.leads = false;
            return Ok(false);
        }
        if !self.leads {
            self.leads = true;
            tracing::info!("this instance sends the mail now");
        }
        self.tidy().await?;
        let now = self.clock.now();
        if !self.db.read_and_wait(|conn| store::is_anything_due(conn, now))? {
            return Ok(false);
        }
        let mailing = self.mailing.clone();
        let digests = self
            .keep(move |conn, now| digest::collect(conn, &mailing.head, now))
            .await?;
        let claimed = self.claim().await?;
        let busy = digests > 0 || !claimed.is_empty();
        self.send(claimed, stop).await;
        Ok(busy)
    }

    /// Runs a job in a transaction of its own: the holder of a seat on the seat's connection, which is not serialisable and so
    /// in no act's way.
    async fn keep<T, F>(&mut self, mut job: F) -> Answer<T>
    where
        F: FnMut(&mut Conn, Instant) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        match &mut self.seat {
            Some(seat) => {
                let now = self.clock.now();
                seat.transaction(|conn| job(conn, now))
            }
            None => upkeep(&self.db, job).await,
        }
    }

    /// Decides about the mails that are due, and claims those that are to be sent.
    async fn claim(&mut self) -> Answer<Vec<Claimed>> {
        let zone = self.mailing.head.zone;
        let held_for = chrono::Duration::from_std(self.mailing.timeout.saturating_add(CLAIM_MARGIN))
            .map_err(|error| Fault::caused("the timeout of mail", error))?;
        self.keep(move |conn, now| {
            let mut claimed = Vec::new();
            for parcel in store::due(conn, State::Waiting, now, BATCH_MAX)? {
                let preferences = match &parcel.to.account_id {
                    Some(account_id) => store::preferences(conn, account_id)?,
                    None => rules::Preferences::default(),
                };
                match rules::course(&parcel.due(), &preferences, now, zone) {
                    Course::Send => {
                        let language = preferences.language.unwrap_or(parcel.to.language);
                        let parcel = store::claim(conn, parcel, now + held_for)?;
                        claimed.extend(parcel.map(|parcel| (parcel, language)));
                    }
                    Course::Hold(until) => {
                        store::hold(conn, &parcel, until)?;
                    }
                    Course::Decline => {
                        store::dropped(conn, &parcel, State::Waiting, None, now)?;
                    }
                    Course::TooLate => {
                        let why = Some(Failure::TooLate);
                        store::dropped(conn, &parcel, State::Waiting, why, now)?;
                    }
                }
            }
            Ok(claimed)
        })
        .await
    }

    /// Sends what is claimed, all at once, and marks each the moment it is known how it went.
    async fn send(&mut self, claimed: Vec<Claimed>, stop: &mut watch::Receiver<bool>) {
        let sends = claimed.into_iter().map(|(parcel, language)| {
            let mailing = self.mailing.clone();
            async move {
                // One mail that cannot be written must not keep all others from being sent.
                let delivered = AssertUnwindSafe(mailing.deliver(&parcel, language))
                    .catch_unwind()
                    .await;
                (parcel, delivered.unwrap_or(Err(Failure::Unsendable)))
            }
        });
        let mut sends: FuturesUnordered<_> = sends.collect();
        let out_of_time = async {
            // Without a sender the service is gone.
            let _ = stop.wait_for(|stop| *stop).await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::pin!(out_of_time);
        loop {
            tokio::select! {
                next = sends.next() => match next {
                    Some((parcel, outcome)) => self.settle(&parcel, outcome).await,
                    None => return,
                },
                () = &mut out_of_time => {
                    tracing::warn!(mails = sends.len(), "mail on its way was left; it is sent again after the next start");
                    return;
                }
            }
        }
    }

    /// Marks a mail. A mail that was taken and cannot be marked would be sent twice, so it is tried for a while, and if the seat
    /// is lost, like anybody else's write: the mark holds only for the attempt that it is about.
    async fn settle(&mut self, parcel: &Parcel, outcome: Result<(), Failure>) {
        match outcome {
            // How many voters were reminded is how many had not voted.
            Ok(()) if parcel.content.as_ref().is_some_and(Content::is_to_voter) => {}
            Ok(()) => metrics::counter!("wardbook_mail_sent_total").increment(1),
            Err(failure) => {
                metrics::counter!("wardbook_mail_failed_total", "failure" => failure.name()).increment(1);
                tracing::warn!(mail = %parcel.id, failure = failure.name(), attempts = parcel.attempts, "a mail was not taken");
            }
        }
        for attempt in 0..MARKS_MAX {
            let parcel = parcel.clone();
            let mark = move |conn: &mut Conn, now: Instant| match outcome {
                Ok(()) => store::sent(conn, &parcel, now),
                Err(failure) => {
                    let again_at = rules::next_attempt(parcel.attempts, failure, now);
                    store::failed(conn, &parcel, failure, again_at, now)
                }
            };
            let marked = if attempt == 0 {
                self.keep(mark).await
            } else {
                upkeep(&self.db, mark).await
            };
            match marked {
                Ok(_) => return,
                Err(stop) => {
                    tracing::warn!(%stop, "a mail could not be marked");
                    self.leave();
                    tokio::time::sleep(REST_AFTER_FAILURE).await;
                }
            }
        }
    }

    async fn tidy(&mut self) -> Answer<()> {
        let now = self.clock.now();
        if self.tidied_at.is_some_and(|at| now - at < TIDY_EVERY) {
            return Ok(());
        }
        self.mailing.transport.make_room();
        while self.keep(store::tidy).await? {}
        self.tidied_at = Some(now);
        Ok(())
    }

    /// Tells the metrics, on every instance.
    fn count(&mut self) {
        if self.counted.is_some_and(|at| at.elapsed() < COUNT_EVERY) {
            return;
        }
        self.counted = Some(Stopwatch::now());
        let Ok(counts) = self.db.read_and_wait(store::counts) else {
            return;
        };
        let gauge = |count: i64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let age = counts
            .oldest
            .map_or(0, |oldest| (self.clock.now() - oldest).num_seconds());
        metrics::gauge!("wardbook_mail_waiting").set(gauge(counts.waiting));
        metrics::gauge!("wardbook_mail_dead").set(gauge(counts.dead));
        metrics::gauge!("wardbook_mail_oldest_seconds").set(gauge(age.max(0)));
    }
}

async fn upkeep<T, F>(db: &Db, mut job: F) -> Answer<T>
where
    F: FnMut(&mut Conn, Instant) -> Answer<T> + Send + 'static,
    T: Send + 'static,
{
    db.upkeep(move |tx| {
        let now = tx.now();
        job(tx.conn(), now)
    })
    .await
}
