//! What every handler shares: the database, the clock, the keys and the limits. Made once by `app/`; handlers get it as
//! `Shared` and never reach around it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use actix_web::{HttpRequest, web};
use chrono_tz::Tz;
use ipnet::IpNet;
use tokio::sync::Notify;

use crate::db::database::Db;
use crate::kernel::calendar::Calendar;
use crate::kernel::clock::Clock;
use crate::kernel::days::Days;
use crate::kernel::refusal::Fault;
use crate::kernel::text::Text;
use crate::web::actor::{Identify, nobody_is_known};
use crate::web::limits::Throttle;
use crate::web::token::Tokens;

/// What the configuration says about requests.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// The service's address as its users see it, without a slash at the end.
    pub public_url: String,
    /// The ward's name.
    pub ward: Text,
    /// Proxies whose `X-Forwarded-For` and `X-Request-Id` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose pages may use the API.
    pub cors_origins: Vec<String>,
    /// Bytes of a JSON body.
    pub body_bytes_max: usize,
    /// Bytes of an imported table.
    pub import_bytes_max: usize,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// True if `/metrics` is served on the public port.
    pub metrics_in_public: bool,
    /// Whose rules apply in this ward: a jurisdiction of the statutes.
    pub jurisdiction: String,
    /// True if the service is reached over TLS, so that browsers are told to insist on it.
    pub tls: bool,
}

/// When it is which day in the ward, and which days it works.
pub struct WardCalendar {
    /// The ward's time zone.
    pub zone: Tz,
    /// Public holidays and make-up workdays.
    pub days: Calendar,
}

impl WardCalendar {
    /// Its days, as rules count them.
    pub const fn counted(&self) -> Days<'_> {
        Days {
            calendar: &self.days,
            zone: self.zone,
        }
    }
}

/// The OpenAPI document, and the validators of its schemas, each made at its first use.
pub struct Schemas {
    /// The document as JSON.
    pub document: serde_json::Value,
    pub(crate) made: RwLock<HashMap<String, Arc<jsonschema::Validator>>>,
}

impl Schemas {
    /// Those of a document.
    pub fn of(document: serde_json::Value) -> Self {
        Self {
            document,
            made: RwLock::default(),
        }
    }
}

/// The state shared by all requests.
pub struct Context {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// Working days, and the zone they are counted in.
    pub calendar: WardCalendar,
    /// The keys that sign and check access tokens.
    pub tokens: Tokens,
    /// Tells who shows a credential.
    pub identify: Identify,
    /// Limits of requests per address and per account.
    pub throttle: Throttle,
    /// What the configuration says.
    pub settings: WebSettings,
    /// The OpenAPI document, against whose schemas bodies are checked.
    pub schemas: Arc<Schemas>,
    /// Told whenever somebody moves a simulated clock: what is due at the new hour is done at once.
    pub clock_moved: Arc<Notify>,
    pub(crate) in_progress: Arc<InProgress>,
}

impl Context {
    /// The shared state.
    pub fn new(
        db: Db,
        clock: Clock,
        calendar: WardCalendar,
        tokens: Tokens,
        throttle: Throttle,
        settings: WebSettings,
        schemas: Arc<Schemas>,
    ) -> Self {
        Self {
            db,
            clock,
            calendar,
            tokens,
            identify: nobody_is_known(),
            throttle,
            settings,
            schemas,
            clock_moved: Arc::default(),
            in_progress: Arc::default(),
        }
    }

    /// The same state with this knowledge of accounts.
    #[must_use]
    pub fn identifying(mut self, identify: Identify) -> Self {
        self.identify = identify;
        self
    }

    /// The context that a request belongs to.
    ///
    /// # Errors
    /// A fault if the server was put together without one.
    pub fn of(request: &HttpRequest) -> Result<&Self, Fault> {
        request
            .app_data::<web::Data<Self>>()
            .map(web::Data::get_ref)
            .ok_or_else(|| Fault::broken("the server has no context"))
    }
}

/// Keys of requests that are being worked on in this process.
#[derive(Default)]
pub struct InProgress(Mutex<HashSet<(String, String)>>);

/// Holds a key while its request is worked on.
pub struct Hold {
    of: Arc<InProgress>,
    key: (String, String),
}

impl InProgress {
    /// Takes the key, unless another request holds it.
    pub fn take(self: &Arc<Self>, actor: &str, key: &str) -> Option<Hold> {
        let key = (actor.to_owned(), key.to_owned());
        let fresh = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone());
        fresh.then(|| Hold {
            of: self.clone(),
            key,
        })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.of
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
