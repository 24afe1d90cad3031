//! `Idempotency-Key`: a request sent again with the same key gets the same answer and does nothing a second time. The
//! answer is stored in the transaction of the act, so that there is no moment at which one exists without the other.
//! Only done work is remembered: what changed nothing, a refusal or a trial, may simply be asked for again.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{ETAG, HeaderName, HeaderValue, IF_MATCH, LOCATION};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use chrono::Duration;
use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::both;
use crate::db::moment::Moment;
use crate::db::schema::idempotency_keys;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault, Kind, Reason, Stop};
use crate::kernel::text::Text;
use crate::web::actor::Actor;
use crate::web::context::Context;
use crate::web::problem::MALFORMED;

/// The same key was used for something else.
pub static KEY_REUSED: Reason = Reason::new(
    Kind::Invalid,
    "idempotency_key_reused",
    "该 Idempotency-Key 已用于另一请求",
    "This Idempotency-Key was used for another request",
);
/// A request with the same key is being worked on.
pub static IN_PROGRESS: Reason = Reason::new(
    Kind::Conflict,
    "idempotency_in_progress",
    "相同 Idempotency-Key 的请求正在处理",
    "A request with this Idempotency-Key is being worked on",
);

/// How long answers are remembered.
pub const REMEMBERED_FOR: Duration = Duration::hours(24);

/// The request header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Set to `true` in an answer that was given before.
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// An answer that can be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    etag: Option<String>,
    location: Option<String>,
    body: String,
    /// The body to give to whoever sends the request again, where that is another one.
    repeated: Option<String>,
    replayed: bool,
}

impl Reply {
    /// An answer with a JSON body.
    ///
    /// # Errors
    /// A fault if the value cannot be written as JSON.
    pub fn json<T: Serialize>(status: u16, value: &T) -> Result<Self, Fault> {
        let body = serde_json::to_string(value).map_err(|error| Fault::caused("write an answer", error))?;
        Ok(Self {
            status,
            etag: None,
            location: None,
            body,
            repeated: None,
            replayed: false,
        })
    }

    /// The same answer, but whoever sends the request again gets this one: for secrets that are shown once, of which nothing
    /// may be stored.
    ///
    /// # Errors
    /// A fault if the value cannot be written as JSON.
    pub fn remembered_as<T: Serialize>(mut self, value: &T) -> Result<Self, Fault> {
        let body = serde_json::to_string(value).map_err(|error| Fault::caused("write an answer", error))?;
        self.repeated = Some(body);
        Ok(self)
    }

    /// The same answer with an `ETag`.
    #[must_use]
    pub fn etag(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }

    /// The same answer with a `Location`.
    #[must_use]
    pub fn location(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// What the answer says.
    ///
    /// # Errors
    /// A fault if it says something else.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_str(&self.body).map_err(|error| Fault::caused("read an answer", error))
    }

    /// The same answer saying this: for what is added each time anew and stored nowhere.
    ///
    /// # Errors
    /// A fault if the value cannot be written as JSON.
    pub fn saying<T: Serialize>(mut self, value: &T) -> Result<Self, Fault> {
        self.body = serde_json::to_string(value).map_err(|error| Fault::caused("write an answer", error))?;
        Ok(self)
    }

    /// The answer as it is sent.
    ///
    /// # Errors
    /// A fault if its status is none.
    pub fn into_response(self) -> Answer<HttpResponse> {
        let status = actix_web::http::StatusCode::from_u16(self.status)
            .map_err(|error| Fault::caused("a status code", error))?;
        let mut response = HttpResponseBuilder::new(status);
        response.content_type("application/json");
        if let Some(etag) = self.etag {
            response.insert_header((ETAG, etag));
        }
        if let Some(location) = self.location {
            response.insert_header((LOCATION, location));
        }
        if self.replayed {
            response.insert_header((IDEMPOTENT_REPLAYED, HeaderValue::from_static("true")));
        }
        Ok(response.body(self.body))
    }
}

/// The key of a request and what the request is, read from its headers.
#[derive(Clone, Debug)]
pub struct Once {
    key: Option<String>,
    request: Vec<u8>,
}

impl FromRequest for Once {
    type Error = Stop;
    type Future = Ready<Answer<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Once {
    fn of(request: &HttpRequest) -> Answer<Self> {
        let mut keys = request.headers().get_all(IDEMPOTENCY_KEY);
        let key = match (keys.next(), keys.next()) {
            (None, _) => None,
            (Some(key), None) => Some(valid_key(key).ok_or_else(|| {
                MALFORMED.because(Text::fixed(
                    "Idempotency-Key 应为 1 至 255 个可见 ASCII 字符",
                    "an Idempotency-Key has 1 to 255 visible ASCII characters",
                ))
            })?),
            (Some(_), Some(_)) => {
                return Err(MALFORMED
                    .because(Text::fixed(
                        "Idempotency-Key 重复",
                        "Idempotency-Key is given twice",
                    ))
                    .into());
            }
        };
        let if_match = request
            .headers()
            .get(IF_MATCH)
            .map_or(&b""[..], HeaderValue::as_bytes);
        let line = format!("{} {}\n", request.method(), request.uri());
        Ok(Self {
            key,
            request: [line.as_bytes(), if_match].concat(),
        })
    }

    /// The same request with the key that a form carries in a hidden field, because a browser without script sends no such header.
    #[must_use]
    pub fn keyed(mut self, key: &str) -> Self {
        self.key = self.key.or_else(|| checked_key(key));
        self
    }

    /// What the request is: method, path, query, `If-Match` and body.
    fn fingerprint(&self, body_digest: &[u8; 32]) -> Vec<u8> {
        Sha256::new()
            .chain_update(Sha256::digest(&self.request))
            .chain_update(body_digest)
            .finalize()
            .to_vec()
    }
}

fn valid_key(value: &HeaderValue) -> Option<String> {
    checked_key(value.to_str().ok()?)
}

fn checked_key(key: &str) -> Option<String> {
    ((1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()))
        .then(|| key.to_owned())
}

/// The digest of a body that an operation does not have.
pub const NO_BODY: [u8; 32] = [0; 32];

impl Context {
    /// As [`Self::write_once`], for the usual handler: whose act is told by whom.
    ///
    /// # Errors
    /// As [`Self::write_once`].
    pub async fn act_once<F>(
        &self,
        actor: Actor,
        once: Once,
        body_digest: [u8; 32],
        mut act: F,
    ) -> Answer<HttpResponse>
    where
        F: FnMut(&mut Tx<'_>, &Actor) -> Answer<Reply> + Send + 'static,
    {
        let by = actor.clone();
        self.write_once(&actor, once, body_digest, move |tx| act(tx, &by))
            .await
    }

    /// Runs an act at most once for a key and answers the request. Without a key it is simply run.
    ///
    /// # Errors
    /// What the act answers; [`KEY_REUSED`], [`IN_PROGRESS`].
    pub async fn write_once<F>(
        &self,
        actor: &Actor,
        once: Once,
        body_digest: [u8; 32],
        act: F,
    ) -> Answer<HttpResponse>
    where
        F: FnMut(&mut Tx<'_>) -> Answer<Reply> + Send + 'static,
    {
        self.reply_once(actor.id(), once, body_digest, act)
            .await?
            .into_response()
    }

    /// As [`Self::write_once`], for whoever is known by something else than an account, and with the answer before it is sent.
    ///
    /// # Errors
    /// As [`Self::write_once`].
    pub async fn reply_once<F>(
        &self,
        who: Option<&str>,
        once: Once,
        body_digest: [u8; 32],
        mut act: F,
    ) -> Answer<Reply>
    where
        F: FnMut(&mut Tx<'_>) -> Answer<Reply> + Send + 'static,
    {
        let fingerprint = once.fingerprint(&body_digest);
        let (Some(key), Some(actor)) = (once.key, who.map(str::to_owned)) else {
            return self.db.write(act).await;
        };
        // Held by the job, not by the caller: whoever hangs up leaves the work running.
        let hold = self
            .in_progress
            .take(&actor, &key)
            .ok_or_else(|| IN_PROGRESS.refuse().retry_after(1))?;
        self.db
            .write(move |tx| {
                let _held = &hold;
                if let Some(known) = find(tx, &actor, &key)? {
                    if known.fingerprint != fingerprint {
                        return Err(KEY_REUSED.refuse().into());
                    }
                    tx.nothing_to_change();
                    return known.reply();
                }
                let reply = act(tx)?;
                remember(tx, &actor, &key, &fingerprint, &reply)?;
                Ok(reply)
            })
            .await
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
struct Known {
    fingerprint: Vec<u8>,
    status: i64,
    etag: Option<String>,
    location: Option<String>,
    body: String,
    created_at: Moment,
}

impl Known {
    fn reply(self) -> Answer<Reply> {
        let status = u16::try_from(self.status).map_err(|error| Fault::caused("a stored status", error))?;
        Ok(Reply {
            status,
            etag: self.etag,
            location: self.location,
            body: self.body,
            repeated: None,
            replayed: true,
        })
    }
}

fn find(tx: &mut Tx<'_>, actor: &str, key: &str) -> Answer<Option<Known>> {
    let oldest = Moment::from(tx.now() - REMEMBERED_FOR);
    let known: Option<Known> = both!(tx.conn(), c => {
        idempotency_keys::table.find((actor, key)).select(Known::as_select()).first(c)
    })
    .optional()?;
    match known {
        Some(known) if known.created_at < oldest => {
            diesel::delete(idempotency_keys::table.find((actor, key))).execute(tx.conn())?;
            Ok(None)
        }
        known => Ok(known),
    }
}

fn remember(tx: &mut Tx<'_>, actor: &str, key: &str, fingerprint: &[u8], reply: &Reply) -> Answer<()> {
    let created_at = Moment::from(tx.now());
    let row = diesel::insert_into(idempotency_keys::table).values((
        idempotency_keys::actor.eq(actor),
        idempotency_keys::key.eq(key),
        idempotency_keys::fingerprint.eq(fingerprint),
        idempotency_keys::status.eq(i64::from(reply.status)),
        idempotency_keys::etag.eq(&reply.etag),
        idempotency_keys::location.eq(&reply.location),
        idempotency_keys::body.eq(reply.repeated.as_ref().unwrap_or(&reply.body)),
        idempotency_keys::created_at.eq(created_at),
    ));
    both!(tx.conn(), c => row.execute(c))?;
    Ok(())
}

/// Forgets answers that are older than [`REMEMBERED_FOR`], some at a time; upkeep.
///
/// # Errors
/// A fault of the database.
pub fn forget_old(tx: &mut Tx<'_>, now: Instant) -> Answer<usize> {
    let oldest = Moment::from(now - REMEMBERED_FOR);
    let deleted = diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.lt(oldest)))
        .execute(tx.conn())?;
    Ok(deleted)
}
