//! The log for verifiers: checkpoint, key, tiles, entry bundles and proofs, as C2SP tlog-tiles and tlog-proof want them.
//! Plain files to whoever reads them; never an account, never a word that is not in the log.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, get, web};

use crate::audit::entry::EventId;
use crate::audit::proof::Proof;
use crate::audit::store;
use crate::audit::tile::{self, Bundle, Resource, Tile};
use crate::audit::tree::{self, Hash, Unprovable};
use crate::db::conn::Conn;
use crate::kernel::refusal::{Answer, Fault, Kind, Reason, Stop};
use crate::web::actor::Shared;
use crate::web::operations::Operations;
use crate::web::problem::NOT_FOUND;

/// The event has no place in the log yet.
pub static NOT_SEQUENCED: Reason = Reason::new(
    Kind::Busy,
    "not_sequenced",
    "该事件尚未编入日志",
    "The event has no place in the log yet",
);

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(checkpoint)
        .service(key)
        .service(tile_or_bundle)
        .service(proof);
}

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The newest checkpoint
///
/// The size of the log and the root of its tree, signed (C2SP tlog-checkpoint).
#[utoipa::path(
    operation_id = "read_checkpoint",
    tag = "log",
    responses(
        (status = 200, description = "A signed note", body = String, content_type = "text/plain",
            example = "ward.example/audit\n3\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n— ward.example/audit bFC35w…\n"),
        (status = 404, description = "The log is just being started"),
    ),
    extensions(("x-action" = json!("ReadLog"))),
)]
#[get("/audit/checkpoint")]
async fn checkpoint(context: Shared) -> Answer<HttpResponse> {
    let last = context
        .db
        .glance(store::last_checkpoint)
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(text(last.note))
}

/// The log's public key
///
/// One line: `name+key id+base64(0x01 ‖ Ed25519 public key)` (C2SP signed-note). Compare it with the one you were given
/// by somebody else than this server.
#[utoipa::path(
    operation_id = "read_log_key",
    tag = "log",
    responses(
        (status = 200, description = "A verifier key", body = String, content_type = "text/plain",
            example = "ward.example/audit+6c50b7e7+AQYQZ0Ohqs3ZpSeqHqbBUk9YUrIXCfHDGJxMpYfOhHkH\n"),
        (status = 404, description = "The log is just being started"),
    ),
    extensions(("x-action" = json!("ReadLog"))),
)]
#[get("/audit/key")]
async fn key(context: Shared) -> Answer<HttpResponse> {
    let log = context
        .db
        .glance(store::log)
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(text(format!("{}\n", log.verifier_key)))
}

/// A tile of hashes, or a bundle of entries
///
/// `{L}/{N}` or `{L}/{N}.p/{W}`: hashes of level L; `entries/{N}` or `entries/{N}.p/{W}`: entries, each after its length
/// in two bytes (C2SP tlog-tiles). What has once been published never changes.
#[utoipa::path(
    operation_id = "read_tile",
    tag = "log",
    params(("tile" = String, Path, max_length = 100, description = "`0/000`, `1/x001/234.p/17`, `entries/000` …", example = "0/000.p/1")),
    responses(
        (status = 200, description = "32 bytes a hash; or lengths and entries", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "The log is not that long, or the path is not spelled so"),
    ),
    extensions(("x-action" = json!("ReadLog"))),
)]
#[get("/audit/tile/{tile:.*}")]
async fn tile_or_bundle(context: Shared, path: web::Path<String>) -> Answer<HttpResponse> {
    let resource: Resource = format!("tile/{path}").parse().map_err(|_| NOT_FOUND.refuse())?;
    let content = context
        .db
        .glance(move |conn| match resource {
            Resource::Tile(tile) => hashes(conn, &tile),
            Resource::Bundle(bundle) => entries(conn, &bundle),
        })
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, IMMUTABLE))
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")))
        .body(content))
}

/// The content of a tile of hashes; none if the tree is not that large.
///
/// # Errors
/// A fault of the database.
pub fn hashes(conn: &mut Conn, tile: &Tile) -> Answer<Option<Vec<u8>>> {
    let Some(first) = first_of(tile.index()) else {
        return Ok(None);
    };
    let found = store::node_hashes(conn, i64::from(tile.level()) * 8, first, i64::from(tile.width()))?;
    Ok((found.len() == usize::from(tile.width())).then(|| found.concat()))
}

/// The content of a bundle of entries; none if the log is not that long.
///
/// # Errors
/// A fault of the database.
pub fn entries(conn: &mut Conn, bundle: &Bundle) -> Answer<Option<Vec<u8>>> {
    let Some(first) = first_of(bundle.index()) else {
        return Ok(None);
    };
    let found = store::entries(conn, first, i64::from(bundle.width()))?;
    if found.len() != usize::from(bundle.width()) {
        return Ok(None);
    }
    let content = tile::encode_entries(found.iter().map(Vec::as_slice));
    Ok(Some(
        content.map_err(|error| Fault::caused("an entry of the log", error))?,
    ))
}

/// The first place in a tile; `None` beyond what any log holds.
fn first_of(index: u64) -> Option<i64> {
    i64::try_from(index).ok()?.checked_mul(i64::from(tile::WIDTH_MAX))
}

/// Proof that an event is in the log
///
/// The inclusion proof of an event against the newest checkpoint, checkable without this server (C2SP tlog-proof).
#[utoipa::path(
    operation_id = "read_proof",
    tag = "log",
    params(("event" = EventId, Path, description = "The event")),
    responses(
        (status = 200, description = "A proof", body = String, content_type = "text/plain",
            example = "c2sp.org/tlog-proof@v1\nindex 1\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\nward.example/audit\n3\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n— ward.example/audit bFC35w…\n"),
        (status = 404, description = "There is no such event"),
        (status = 503, description = "`not_sequenced`: it has no place yet; try again shortly"),
    ),
    extensions(("x-action" = json!("ReadLog"))),
)]
#[get("/audit/proof/{event}")]
async fn proof(context: Shared, event: web::Path<String>) -> Answer<HttpResponse> {
    let id: EventId = event.parse().map_err(|_| NOT_FOUND.refuse())?;
    let proof = context.db.read(move |conn| prove(conn, &id)).await?;
    Ok(text(proof.to_string()))
}

/// The proof of an event against the newest checkpoint.
///
/// # Errors
/// Not found; [`NOT_SEQUENCED`]; a fault if the stored tree is not whole.
pub fn prove(conn: &mut Conn, id: &EventId) -> Answer<Proof> {
    if store::event(conn, id)?.is_none() {
        return Err(NOT_FOUND.refuse().into());
    }
    let (index, last) = match (store::leaf_index(conn, id)?, store::last_checkpoint(conn)?) {
        (Some(index), Some(last)) => (index, last),
        _ => return Err(NOT_SEQUENCED.refuse().retry_after(1).into()),
    };
    let size = u64::try_from(last.size).map_err(|error| Fault::caused("the log's size", error))?;
    let index = u64::try_from(index).map_err(|error| Fault::caused("an event's place", error))?;
    if index >= size {
        return Err(Fault::broken("the newest checkpoint does not cover an event that has its place").into());
    }
    let hashes =
        tree::inclusion_proof(index, size, &mut |level, at| node(conn, level, at)).map_err(|error| {
            match error {
                Unprovable::Node(stop) => stop,
                Unprovable::OutsideTree => Fault::broken("an event outside its tree").into(),
            }
        })?;
    Ok(Proof {
        extra: Vec::new(),
        index,
        hashes,
        checkpoint: last.note,
    })
}

/// The hash of any complete subtree, from the nearest stored level below it.
fn node(conn: &mut Conn, level: u8, index: u64) -> Result<Hash, Stop> {
    let stored_level = level / 8 * 8;
    let width = 1_i64 << (level - stored_level);
    let first = i64::try_from(index)
        .ok()
        .and_then(|index| index.checked_mul(width));
    let first = first.ok_or_else(|| Fault::broken("a node beyond any log"))?;
    let below = store::node_hashes(conn, i64::from(stored_level), first, width)?;
    if i64::try_from(below.len()) != Ok(width) {
        return Err(Fault::broken(format!(
            "the stored tree lacks nodes at level {stored_level} from {first}"
        ))
        .into());
    }
    Ok(tree::fold(&below).ok_or_else(|| Fault::broken("a subtree that is not complete"))?)
}

fn text(content: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        ))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .body(content)
}
