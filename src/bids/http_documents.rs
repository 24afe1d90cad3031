//! The files of opened bids over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::bids::acts_documents::{self as acts, Handed};
use crate::bids::acts_opened::{self, NamedBid};
use crate::bids::rules::BidId;
use crate::books::rules::LotId;
use crate::budget::desk::parsed;
use crate::files::rules::AttachmentId;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(hand_in).service(list);
}

/// Files to hand in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BidFiles, example = json!({"attachment_ids": ["file_01jd3n8f5teqkrzvq1c0m6h2ax"]}))]
pub struct FilesBody {
    /// What you have uploaded and not used yet; each is a file that the bid names by its hash.
    #[schema(min_items = 1, max_items = 50)]
    attachment_ids: Vec<AttachmentId>,
}

/// A document of a bid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BidFile, example = json!({"name": "作业方案.pdf", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "bytes": 120394, "attachment_id": null}))]
pub struct FileView {
    /// What it is, as the bid says.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How many they are.
    pub bytes: i64,
    /// The file, once it was handed in; see `/attachments/{id}`.
    #[schema(required = true)]
    pub attachment_id: Option<AttachmentId>,
}

/// The documents of a bid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BidFileList)]
pub struct FilesView {
    /// In the order of the bid.
    #[schema(max_items = 50)]
    pub items: Vec<FileView>,
}

impl From<Handed> for FileView {
    fn from((document, attachment_id): Handed) -> Self {
        Self {
            name: document.name,
            sha256: document.sha256,
            bytes: document.bytes,
            attachment_id,
        }
    }
}

impl From<Vec<Handed>> for FilesView {
    fn from(handed: Vec<Handed>) -> Self {
        Self {
            items: handed.into_iter().map(FileView::from).collect(),
        }
    }
}

/// Hand in files of an opened bid
///
/// Sealed with a bid are the names and hashes of its documents. Once it was opened, its bidder hands in the files themselves: upload each, and
/// name them here. Only files that the bid names are taken, each once. Pictures are uploaded with `keep_metadata=true`, or they are not the files whose
/// hashes were sealed.
#[utoipa::path(
    operation_id = "hand_in_bid_files",
    tag = "openings",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    request_body = FilesBody,
    responses(
        (status = 200, description = "The bid's documents as they are now", body = FilesView),
        (status = 404, description = "No such bid was opened"),
        (status = 409, description = "`bid_document_not_named`, `attachment_unknown`, `attachment_in_use`, `attachment_wrong_type`"),
    ),
    extensions(("x-action" = json!("HandInBidDocuments"))),
)]
#[post("/lots/{id}/opened-bids/{bid}/documents")]
async fn hand_in(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::HandInBidDocuments)?;
    let body = incoming.json::<FilesBody>().await?;
    let (lot, bid) = path.into_inner();
    let of = NamedBid {
        lot: parsed(&lot)?,
        bid: parsed(&bid)?,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let handed = acts::hand_in(tx, by, &of, &body.value.attachment_ids)?;
            Ok(Reply::json(200, &FilesView::from(handed))?)
        })
        .await
}

/// See the documents of an opened bid
///
/// What it names, and which of the files were handed in. Whoever may read the bid sees them.
#[utoipa::path(
    operation_id = "list_bid_files",
    tag = "openings",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    responses(
        (status = 200, description = "The documents", body = FilesView),
        (status = 404, description = "There is no such opened bid, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("ReadOpenings"))),
)]
#[get("/lots/{id}/opened-bids/{bid}/documents")]
async fn list(context: Shared, actor: Actor, path: web::Path<(String, String)>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOpenings, Matter::default())?;
    let (lot, bid) = path.into_inner();
    let (lot, bid) = (parsed::<LotId>(&lot)?, parsed::<BidId>(&bid)?);
    let handed = context
        .db
        .read(move |conn| {
            let (sealed, key) = acts_opened::readable(conn, &actor, (&lot, &bid))?;
            let document = acts_opened::read_again(&bid, &sealed, &key)?;
            acts::handed(conn, &bid, document)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(FilesView::from(handed)))
}
