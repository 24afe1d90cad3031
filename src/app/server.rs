//! Puts the service together and takes it apart again: migrations, keys, log, database, threads, HTTP. The same for the
//! command line, the demo and the tests, so that what is tested is what runs.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::{App, HttpServer, web};

use crate::app::keeping::Keeper;
use crate::app::settings::{ClockKind, Settings};
use crate::app::{documents, ledger, looks, mail, openapi, operation, sign_in, time};
use crate::audit::note::Signer;
use crate::audit::sequencer::Sequencer;
use crate::audit::startup::{self, Finding, Mark};
use crate::audit::{self, store::LogRow};
use crate::award::acts_appraisal_ballots;
use crate::ballots::polling::{AtPolling, Polling};
use crate::bids::receipts::Notary;
use crate::books::custody::Custody;
use crate::contracts::follow_up::FollowUpKey;
use crate::contracts::reception::{AtReception, Reception};
use crate::db::conn::{Access, Conn, DatabaseUrl, connect};
use crate::db::database::{Db, Halting};
use crate::db::migrate;
use crate::files::desk::Desk;
use crate::imports::desk::AtImports;
use crate::kernel::calendar::local_date;
use crate::kernel::clock::{Clock, Instant};
use crate::kernel::id;
use crate::kernel::refusal::{Fault, Stop};
use crate::outbox::sender::Sender;
use crate::outbox::unsubscribe::UnsubscribeKey;
use crate::people::gate::{AtGate, Gate};
use crate::people::identities::Identities;
use crate::publish::http::AtPublisher;
use crate::web::actor::Actor;
use crate::web::context::{Context, WardCalendar};
use crate::web::envelope::{envelope, throttled};
use crate::web::limits::Throttle;
use crate::web::origins::cors;
use crate::web::secret_file;
use crate::web::token::Tokens;
use crate::{publish, standards, statutes};

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// The service without its HTTP side: for commands, and the inside of a server.
pub struct House {
    /// The configuration it was opened with.
    pub settings: Settings,
    /// The shared state.
    pub context: web::Data<Context>,
    /// What signing in needs besides.
    pub gate: AtGate,
    identities: Arc<Identities>,
    /// The store of files, and who may read them.
    pub files: Desk,
    mark: Mark,
    sequencer: Sequencer,
    url: DatabaseUrl,
    stop: Arc<AtomicBool>,
    leader: Option<JoinHandle<()>>,
}

impl House {
    /// Opens the service: runs migrations, makes what is missing, checks the log. `start` is where a simulated clock
    /// begins in a new database.
    ///
    /// # Errors
    /// A fault that says what could not be opened. A log that does not hold is no error: the service is read-only then.
    pub fn open(settings: Settings, start: Instant) -> Result<Self, Fault> {
        secret_file::private_directory(&settings.data_dir)?;
        let keys = settings.keys_dir();
        secret_file::private_directory(&keys)?;
        let url = settings.database()?;
        if let DatabaseUrl::Sqlite(path) = &url
            && !path.exists()
        {
            secret_file::write_if_missing(path, b"")?;
        }
        for version in migrate::up(&url)? {
            tracing::info!(version, "migrated the database");
        }
        let clock = clock_of(&settings, &url, start)?;
        let signer = Signer::new(&log_name(&settings, &url)?, &*log_seed(&keys)?)
            .map_err(|error| Fault::caused("log_origin", error))?;
        let sequencer = Sequencer::new(signer);
        let in_group = sequencer.clone();
        let halting: Arc<OnceLock<Halting>> = Arc::default();
        let halting_later = halting.clone();
        let db = Db::open(
            &url,
            settings.read_database()?.as_ref(),
            &clock,
            settings.limits(),
            Box::new(move |conn, now| {
                let done = in_group.run_all(conn, now);
                if let (Some(why), Some(halting)) = (in_group.distrust(), halting_later.get()) {
                    halting.halt(why);
                }
                done
            }),
        )?;
        halting.get_or_init(|| db.halting());
        let tokens = Tokens::open(&keys, &settings.public_url(), clock.now())?;
        let schemas = openapi::schemas()?;
        let calendar = WardCalendar {
            zone: settings.zone,
            days: settings.calendar()?,
        };
        let throttle = Throttle::new(settings.rates());
        let gate = web::Data::new(Gate::open(
            settings.sign_in(),
            sign_in::provider(&settings)?,
            &keys,
        )?);
        let identities = Arc::new(Identities::new(settings.second_factor_roles.clone()));
        let context = Context::new(db, clock, calendar, tokens, throttle, settings.web(), schemas);
        let context = web::Data::new(context.identifying(identities.identify()));
        let mark = Mark::in_directory(&keys);
        let files = web::Data::new(crate::app::files::open(&settings)?);
        crate::app::files::register(&files, &context.clock);
        let mut house = Self {
            settings,
            context,
            gate,
            identities,
            files,
            mark,
            sequencer,
            url,
            stop: Arc::default(),
            leader: None,
        };
        house.check_log()?;
        house.start_sequencing()?;
        Ok(house)
    }

    /// Brings the rules that come with the program into the database, which is the one place they are read from. For a server only:
    /// a command that exports the log writes nothing into it.
    fn load_statutes(&self) -> Result<(), Fault> {
        let (db, jurisdiction) = (&self.context.db, self.settings.jurisdiction.clone());
        if db.halted().is_some() {
            return Ok(());
        }
        let there = |conn: &mut Conn| statutes::acts::built_in_are_there(conn, &jurisdiction);
        if !db.read_primary_and_wait(there).map_err(opening)? {
            let of = jurisdiction.clone();
            let loaded = db
                .write_and_wait(move |tx| statutes::acts::load_built_in(tx, &Actor::system(), &of))
                .map_err(opening)?;
            tracing::info!(loaded, "loaded the rules that come with the program");
        }
        let today = local_date(self.context.clock.now(), self.settings.zone);
        let applies = |conn: &mut Conn| statutes::store::in_force(conn, &jurisdiction, today);
        if db.read_primary_and_wait(applies).map_err(opening)?.is_none() {
            tracing::warn!(
                jurisdiction,
                "no rules apply here today; a regulator has to load them"
            );
        }
        Ok(())
    }

    /// Brings the service standards that come with the program into the database, on the same terms.
    fn load_standards(&self) -> Result<(), Fault> {
        let (db, jurisdiction) = (&self.context.db, self.settings.jurisdiction.clone());
        if db.halted().is_some() {
            return Ok(());
        }
        let there = |conn: &mut Conn| standards::acts::built_in_are_there(conn, &jurisdiction);
        if db.read_primary_and_wait(there).map_err(opening)? {
            return Ok(());
        }
        let of = jurisdiction.clone();
        let loaded = db
            .write_and_wait(move |tx| standards::acts::load_built_in(tx, &Actor::system(), &of))
            .map_err(opening)?;
        tracing::info!(
            loaded,
            "published the service standards that come with the program"
        );
        Ok(())
    }

    /// Refuses to publish under another prefix than before.
    fn keep_prefix(&self) -> Result<(), Fault> {
        let publisher = self.settings.publisher()?;
        let db = &self.context.db;
        db.read_primary_and_wait(|conn| publish::acts::keeps_prefix(conn, &publisher))
            .map_err(opening)
    }

    /// Who signs the receipts of bids.
    pub fn notary(&self) -> Notary {
        Notary::new(self.sequencer.clone())
    }

    /// Where votes come in.
    pub fn polling(&self, custody: web::Data<Custody>) -> Polling {
        Polling::new(custody, self.sequencer.clone(), acts_appraisal_ballots::is_held)
    }

    /// Checks the stored log before anything is signed over it, and starts a new one in a new database. Asks the database
    /// that is written to: a replica that lags behind would look like an older backup.
    fn check_log(&self) -> Result<(), Fault> {
        let verifier = self.sequencer.verifier().clone();
        let db = &self.context.db;
        let ours = LogRow {
            origin: verifier.name().to_owned(),
            verifier_key: verifier.to_string(),
        };
        let known = db.read_primary_and_wait(audit::store::log).map_err(opening)?;
        if let Some(known) = &known {
            same_key(known, &ours)?;
        }
        let mark = self.mark.read(&verifier)?;
        match db
            .read_primary_and_wait(|conn| startup::check(conn, &verifier, &mark))
            .map_err(opening)?
        {
            Finding::Sound(entries) => tracing::info!(entries, "the log holds"),
            Finding::Broken(why) => {
                tracing::error!(
                    why = why.in_language(crate::kernel::text::Language::English),
                    "the log does not hold; read-only"
                );
                db.halt(why);
                return Ok(());
            }
        }
        if known.is_none() {
            let row = ours.clone();
            let started = db
                .write_and_wait(move |tx| audit::acts::start_log(tx, &row))
                .map_err(opening)?;
            // Another instance may have been faster.
            same_key(&started, &ours)?;
        }
        Ok(())
    }

    /// On PostgreSQL, a thread that takes the sequencer's seat when it is free.
    fn start_sequencing(&mut self) -> Result<(), Fault> {
        if matches!(self.url, DatabaseUrl::Sqlite(_)) {
            return Ok(());
        }
        let (sequencer, url, mark, context, stop) = (
            self.sequencer.clone(),
            self.url.clone(),
            self.mark.clone(),
            self.context.clone(),
            self.stop.clone(),
        );
        let thread = std::thread::Builder::new()
            .name("sequencer".into())
            .spawn(move || sequencer.serve(&url, &mark, &context.db, &context.clock, &stop))
            .map_err(|error| Fault::caused("start the sequencer", error))?;
        self.leader = Some(thread);
        Ok(())
    }

    /// The thread that sends mail: of a server, never of a command that runs beside it.
    fn start_sending(&self) -> Result<Sender, Fault> {
        let mailing = mail::mailing(&self.settings)?;
        let (db, clock) = (self.context.db.clone(), self.context.clock.clone());
        Sender::start(mailing, db, clock, &self.url)
    }

    /// Copies the newest checkpoint beside the keys, where a restored backup does not reach it.
    fn bring_mark_up(&self) {
        let newest = match self.context.db.halted() {
            // The database is not to be believed.
            Some(_) => self.sequencer.witnessed(),
            None => match self.context.db.read_and_wait(audit::store::last_checkpoint) {
                Ok(newest) => newest.map(|newest| newest.note),
                Err(_) => None,
            },
        };
        if let Some(note) = newest
            && let Err(fault) = self.mark.advance(&note, self.sequencer.verifier())
        {
            tracing::warn!(%fault, "the mark of the log could not be written");
        }
    }

    /// Finishes every write, gives the seat up and leaves the mark of the log.
    pub fn close(mut self) {
        self.shut();
    }

    fn shut(&mut self) {
        self.context.db.drain();
        self.stop.store(true, Ordering::SeqCst);
        if let Some(leader) = self.leader.take()
            && leader.join().is_err()
        {
            tracing::error!("the sequencer panicked");
        }
        self.bring_mark_up();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if !self.stop.load(Ordering::SeqCst) {
            self.shut();
        }
    }
}

fn same_key(known: &LogRow, ours: &LogRow) -> Result<(), Fault> {
    if known.verifier_key == ours.verifier_key {
        return Ok(());
    }
    let (theirs, ours) = (&known.verifier_key, &ours.verifier_key);
    Err(Fault::broken(format!(
        "the log of this database is signed with the key {theirs}, but the key directory holds {ours}; \
         give this instance the keys of the first one (keys_dir)"
    )))
}

fn opening(stop: Stop) -> Fault {
    Fault::caused("open the service", stop)
}

fn clock_of(settings: &Settings, url: &DatabaseUrl, start: Instant) -> Result<Clock, Fault> {
    if settings.clock == ClockKind::System {
        return Ok(Clock::system().in_zone(settings.zone));
    }
    let stands = time::stands_at(&mut connect(url, Access::Read)?).map_err(opening)?;
    Ok(Clock::simulated(stands.unwrap_or(start)).in_zone(settings.zone))
}

/// The log keeps the name it was started with, whatever the configuration says later.
fn log_name(settings: &Settings, url: &DatabaseUrl) -> Result<String, Fault> {
    let known = audit::store::log(&mut connect(url, Access::Read)?).map_err(opening)?;
    Ok(known.map_or_else(|| settings.log_origin(), |log| log.origin))
}

/// The seed of the log's key, made at the first start.
fn log_seed(keys: &Path) -> Result<zeroize::Zeroizing<[u8; 32]>, Fault> {
    let file = keys.join("log.key");
    if !file.exists() {
        // If another instance starts at the same moment, the first one's key is everybody's.
        let seed = zeroize::Zeroizing::new(id::random::<32>()?);
        secret_file::write_if_missing(&file, hex::encode(seed.as_slice()).as_bytes())?;
    }
    secret_file::read_seed(&file)
}

/// A server that answers.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it serves its metrics, if that is a port of their own.
    pub metrics_address: Option<SocketAddr>,
    /// The inside.
    pub house: Option<House>,
    post: Option<Sender>,
    handle: ServerHandle,
    running: Option<JoinHandle<std::io::Result<()>>>,
}

impl Server {
    /// Binds the port, opens the house and answers requests on threads of its own until it is stopped or the process is
    /// told to end.
    ///
    /// # Errors
    /// A fault if the port is taken or the house cannot be opened.
    pub fn start(settings: Settings, start: Instant) -> Result<Self, Fault> {
        operation::record_metrics()?;
        let listener = listen(settings.listen)?;
        let metrics = match settings.metrics_listen.as_str() {
            "" => None,
            other => Some(listen(
                other
                    .parse()
                    .map_err(|error| Fault::caused("metrics_listen", error))?,
            )?),
        };
        let own = |listener: &TcpListener| {
            listener
                .local_addr()
                .map_err(|error| Fault::caused("listen", error))
        };
        let address = own(&listener)?;
        let metrics_address = metrics.as_ref().map(own).transpose()?;
        let mut settings = settings;
        settings.listen = address;
        let house = House::open(settings, start)?;
        house.load_statutes()?;
        house.load_standards()?;
        house.keep_prefix()?;
        ledger::measure_older(&house)?;
        let post = house.start_sending()?;
        let key = web::Data::new(UnsubscribeKey::open(&house.settings.keys_dir())?);
        let custody = web::Data::new(Custody::open(&house.settings.keys_dir())?);
        let notary = web::Data::new(house.notary());
        let reception = web::Data::new(Reception::new(
            house.settings.reception(),
            FollowUpKey::open(&house.settings.keys_dir())?,
        ));
        let (settings, context, gate) = (house.settings.clone(), house.context.clone(), house.gate.clone());
        let keeper = Keeper {
            context: context.clone(),
            mark: house.mark.clone(),
            sequencer: house.sequencer.clone(),
            identities: house.identities.clone(),
            custody: custody.clone(),
            reception: reception.clone(),
            polling: web::Data::new(house.polling(custody.clone())),
            publisher: web::Data::new(house.settings.publisher()?),
        };
        let files = house.files.clone();
        let imports = web::Data::new(settings.imports().swept());
        let (ready, started) = std::sync::mpsc::channel();
        let running = std::thread::Builder::new()
            .name("http".into())
            .spawn(move || {
                actix_web::rt::System::new().block_on(async move {
                    let keys = (
                        &key,
                        &custody,
                        &notary,
                        (&reception, &keeper.polling, &keeper.publisher, &imports),
                    );
                    let server = http(&settings, &context, keys, &files, &gate, listener, metrics)?;
                    actix_web::rt::spawn(keeper.keep());
                    actix_web::rt::spawn(crate::app::files::keep(context, files));
                    // The receiver waits for exactly this.
                    let _ = ready.send(server.handle());
                    server.await
                })
            })
            .map_err(|error| Fault::caused("start the server", error))?;
        let handle = started
            .recv()
            .map_err(|_| Fault::broken("the server did not start"))?;
        Ok(Self {
            address,
            metrics_address,
            house: Some(house),
            post: Some(post),
            handle,
            running: Some(running),
        })
    }

    /// Waits until the server has ended (Ctrl-C, SIGTERM), then finishes what waits.
    ///
    /// # Errors
    /// A fault if the server failed.
    pub fn wait(mut self) -> Result<(), Fault> {
        self.join()
    }

    /// Ends it: requests that run are finished, new ones refused, every write answered.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub fn stop(mut self) -> Result<(), Fault> {
        // The command is sent when `stop` is called; the future only waits for it.
        drop(self.handle.stop(true));
        self.join()
    }

    fn join(&mut self) -> Result<(), Fault> {
        let Some(running) = self.running.take() else {
            return Ok(());
        };
        let ended = running.join().map_err(|_| Fault::broken("the server panicked"))?;
        if let Some(post) = self.post.take() {
            // Before the writer is drained: what is on its way must be marked.
            post.stop();
        }
        if let Some(house) = self.house.take() {
            house.close();
        }
        ended.map_err(|error| Fault::caused("serve", error))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Err(fault) = self.join() {
            tracing::error!(%fault, "the server ended badly");
        }
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, Fault> {
    TcpListener::bind(address).map_err(|error| Fault::caused(format!("listen on {address}"), error))
}

/// What the server's keys sign and open, and what the slices that have a desk of their own are given.
type KeysAndSlices<'a> = (
    &'a web::Data<UnsubscribeKey>,
    &'a web::Data<Custody>,
    &'a web::Data<Notary>,
    (&'a AtReception, &'a AtPolling, &'a AtPublisher, &'a AtImports),
);

/// The HTTP side.
fn http(
    settings: &Settings,
    context: &web::Data<Context>,
    (key, custody, notary, slices): KeysAndSlices<'_>,
    files: &Desk,
    gate: &AtGate,
    listener: TcpListener,
    metrics: Option<TcpListener>,
) -> std::io::Result<actix_web::dev::Server> {
    let (reception, polling, publisher, imports) = slices;
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
        workers => workers,
    };
    if let Some(metrics) = metrics {
        let context = context.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(context.clone())
                .service(documents::metrics_only)
        })
        .workers(1)
        .disable_signals()
        .listen(metrics)?
        .run();
        actix_web::rt::spawn(server);
    }
    let (context, key, files, gate) = (context.clone(), key.clone(), files.clone(), gate.clone());
    let (custody, notary, reception) = (custody.clone(), notary.clone(), reception.clone());
    let (polling, publisher, imports) = (polling.clone(), publisher.clone(), imports.clone());
    let origins = settings.cors_origins.clone();
    HttpServer::new(move || {
        App::new()
            .app_data(context.clone())
            .app_data(key.clone())
            .app_data(files.clone())
            .app_data(gate.clone())
            .app_data(custody.clone())
            .app_data(notary.clone())
            .app_data(reception.clone())
            .app_data(polling.clone())
            .app_data(publisher.clone())
            .app_data(imports.clone())
            .configure(openapi::operations)
            .service(documents::openapi_json)
            .service(documents::docs_redirect)
            .service(documents::docs)
            .configure(documents::pages)
            .default_service(web::to(documents::nothing_here))
            .wrap(from_fn(looks::recorded))
            .wrap(from_fn(documents::as_documented))
            .wrap(from_fn(throttled))
            .wrap(Condition::new(!origins.is_empty(), cors(&origins)))
            .wrap(Compress::default())
            .wrap(from_fn(envelope))
    })
    .workers(workers)
    .max_connections(settings.connections_max)
    .client_request_timeout(HEAD_TIMEOUT)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(settings.shutdown_timeout_seconds)
    .listen(listener)
    .map(HttpServer::run)
}
