//! Attachments over HTTP: parse, call one act or query, render. No SQL and no rule. What a caller may not know of is not found.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_RANGE, ContentDisposition,
    ETAG, HeaderName, HeaderValue, IF_RANGE, RANGE,
};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError, delete, get, post, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::StreamExt;
use serde::Serialize;
use utoipa::ToSchema;

use crate::files::desk::{Desk, Files};
use crate::files::intake::{self, Claim};
use crate::files::range::{self, Part};
use crate::files::rules::{Attachment, AttachmentId, Hanging, RANGE_NOT_SATISFIABLE, Visibility};
use crate::files::store::{self, Content};
use crate::files::{acts, delivery, name};
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::{Answer, Fault, Refusal, Stop};
use crate::kernel::text::Text;
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::{Incoming, claimed_type};
use crate::web::conditional;
use crate::web::context::Context;
use crate::web::envelope::{CONTENT_SECURITY_POLICY, RequestInfo};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter, UNAUTHENTICATED};
use crate::web::problem::{INVALID, MALFORMED, NOT_FOUND};
use crate::web::query::Query;

/// The digest of a whole file, whichever part of it is sent (RFC 9530).
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// Every operation of this slice.
pub fn operations(config: &mut impl Operations) {
    config
        .service(upload)
        .service(list)
        .service(read)
        .service(download)
        .service(remove);
}

/// An attachment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attachment)]
pub struct AttachmentView {
    /// Its id.
    pub id: AttachmentId,
    /// The file's name, cleaned; it ends as its type's names do.
    #[schema(example = "清扫方案.pdf")]
    pub name: String,
    /// What the bytes are.
    #[schema(example = "application/pdf")]
    pub media_type: &'static str,
    /// How many bytes.
    #[schema(example = 48_213)]
    pub bytes: u64,
    /// True if it is a picture whose metadata was removed: `bytes` and `sha256` are those of what is kept.
    #[schema(example = false)]
    pub metadata_removed: bool,
    /// SHA-256 of the bytes, hexadecimal.
    #[schema(example = "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9")]
    pub sha256: String,
    /// When it was uploaded, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub uploaded_at: String,
    /// What it hangs on; `null` until an act has hung it on something.
    #[schema(required = true)]
    pub attached_to: Option<AttachedTo>,
}

/// What an attachment hangs on.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachedTo {
    /// The kind of the matter.
    #[schema(example = "book")]
    pub matter_kind: String,
    /// The matter's id.
    #[schema(example = "book_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub matter_id: String,
    /// `public`: everyone may read it; `matter`: whoever may read the matter.
    #[schema(example = "public")]
    pub visibility: &'static str,
    /// Since when, UTC.
    #[schema(example = "2026-03-01T09:00:00.000000Z")]
    pub attached_at: String,
}

impl From<Hanging> for AttachedTo {
    fn from(hanging: Hanging) -> Self {
        Self {
            matter_kind: hanging.matter_kind,
            matter_id: hanging.matter_id,
            visibility: hanging.visibility.name(),
            attached_at: rfc3339(hanging.attached_at),
        }
    }
}

impl From<Attachment> for AttachmentView {
    fn from(attachment: Attachment) -> Self {
        Self {
            id: attachment.id,
            name: attachment.name,
            media_type: attachment.media_type.essence(),
            bytes: attachment.bytes,
            metadata_removed: attachment.metadata_removed,
            sha256: attachment.sha256,
            uploaded_at: rfc3339(attachment.uploaded_at),
            attached_to: attachment.hanging.map(AttachedTo::from),
        }
    }
}

/// Upload a file
///
/// The body is the file itself, and `Content-Type` what it is: it is compared with the bytes. The name comes in
/// `Content-Disposition` or in `name`. The file is yours alone until something you do hangs it on a matter (publishing a book,
/// handing in a claim); what hangs on nothing for a day is removed.
///
/// A picture (JPEG, PNG, WebP) is kept without its metadata: where and when it was taken, by whom and with what, and what follows its end. What it
/// shows keeps every bit, its colours and which way up it is. Where the bytes have to stay as they are, because their hash was declared before (the files
/// of a bid), send `keep_metadata=true`.
#[utoipa::path(
    operation_id = "upload_attachment",
    tag = "attachments",
    params(
        ("name" = Option<String>, Query, description = "The file's name, where there is no `Content-Disposition`", example = "清扫方案.pdf"),
        ("keep_metadata" = Option<bool>, Query, description = "True to keep a picture byte for byte, with all that it says of place and time", example = false),
        ("Content-Disposition" = Option<String>, Header, max_length = 2000, description = "`attachment` with the file's name (RFC 6266)", example = "attachment; filename*=UTF-8''%E6%96%B9%E6%A1%88.pdf"),
    ),
    request_body(description = "The bytes of the file. Taken are usually PDF, PNG, JPEG, WebP, DOCX, XLSX, PPTX, ODT, ODS, CSV and \
        plain text in UTF-8, each under its own media type", content(
        (String = "application/pdf", example = "%PDF-1.7\n%%EOF\n"),
        (String = "text/csv", example = "项目,数量\n清扫,3\n"),
        (String = "text/plain", example = "每日清扫两次\n"),
        (String = "image/jpeg", example = "the bytes of the picture"),
        (String = "image/png", example = "the bytes of the picture"),
        (String = "image/webp", example = "the bytes of the picture"),
    )),
    responses(
        (status = 201, description = "The new attachment", body = AttachmentView, headers(("Location" = String, description = "Where the attachment is"))),
        (status = 409, description = "`attachment_quota_of_unattached`"),
        (status = 413, description = "The file is larger than the maximum"),
        (status = 415, description = "`attachment_type_not_allowed`, `attachment_type_differs`"),
        (status = 422, description = "`attachment_infected`, `attachment_picture_broken`; or the file is empty, or has no name"),
        (status = 429, description = "`attachment_quota_of_day`, `uploads_at_once`"),
        (status = 503, description = "`scanner_unavailable`, `file_store_unavailable`, `uploads_busy`"),
    ),
    extensions(("x-action" = json!("UploadAttachment"))),
)]
#[post("/attachments")]
async fn upload(
    request: HttpRequest,
    context: Shared,
    files: Desk,
    actor: Actor,
    once: Once,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::UploadAttachment, Matter::default())?;
    let claim = claim_of(&request)?;
    let _turn = files.turn(account(&actor)?)?;
    let body = incoming.stream(files.limits.file_bytes_max, files.timeout)?;
    let now = context.clock.now();
    let (command, sha256) = intake::take_in(&files, &context.db, &actor, &claim, body, now).await?;
    let digest = intake::fingerprint(sha256, &claim)?;
    let (by, limits, place) = (actor.clone(), files.limits.clone(), command.place.clone());
    let used = Arc::new(AtomicBool::new(false));
    let use_it = used.clone();
    let done = context
        .write_once(&actor, once, digest, move |tx| {
            use_it.store(false, Ordering::SeqCst);
            let uploaded = acts::upload(tx, &by, &command, &limits)?;
            use_it.store(uploaded.place_is_used, Ordering::SeqCst);
            let location = format!("/api/v1/attachments/{}", uploaded.attachment.id);
            Ok(Reply::json(201, &AttachmentView::from(uploaded.attachment))?.location(location))
        })
        .await;
    // The same bytes lay there already, or the act has refused. A fault does not say whether it was done; the sweep will see.
    if !used.load(Ordering::SeqCst) && !matches!(done, Err(Stop::Fault(_))) {
        let _ = files.shelf.delete(&place).await;
    }
    done
}

fn account(actor: &Actor) -> Answer<&str> {
    Ok(actor.id().ok_or_else(|| UNAUTHENTICATED.refuse())?)
}

/// What a request says of the file that it brings.
fn claim_of(request: &HttpRequest) -> Answer<Claim> {
    let mut query = Query::of(request);
    let in_query = query.text("name");
    let keeps_metadata = query.one_of("keep_metadata", &[("true", true), ("false", false)]);
    query.finish()?;
    let in_header = match request.headers().get(CONTENT_DISPOSITION) {
        Some(header) => {
            let unreadable = || {
                let why = Text::fixed(
                    "Content-Disposition 无法解析",
                    "Content-Disposition cannot be read",
                );
                MALFORMED.because(why)
            };
            let disposition = ContentDisposition::from_raw(header).map_err(|_| unreadable())?;
            match disposition.get_filename_ext() {
                Some(name) => Some(String::from_utf8(name.value.clone()).map_err(|_| unreadable())?),
                None => disposition.get_filename().map(str::to_owned),
            }
        }
        None => None,
    };
    let name = in_header.or(in_query).ok_or_else(|| {
        let why = Text::fixed(
            "请在 Content-Disposition 或参数 name 中给出文件名",
            "give the file's name in Content-Disposition or in the parameter name",
        );
        INVALID.because(why).at("?name")
    })?;
    Ok(Claim {
        name,
        media_type: claimed_type(request),
        keeps_metadata: keeps_metadata.unwrap_or_default(),
    })
}

/// List your unused files
///
/// What you have uploaded and nothing has been done with yet, oldest first.
#[utoipa::path(
    operation_id = "list_own_attachments",
    tag = "attachments",
    params(
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<AttachmentView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ListOwnAttachments"))),
)]
#[get("/attachments")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ListOwnAttachments, Matter::default())?;
    let account = account(&actor)?.to_owned();
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["attachments", &account]);
    let after = question.after(cursor.as_deref(), 1)?;
    let after = after.and_then(|mut parts| parts.pop()).unwrap_or_default();
    let found = context
        .db
        .glance(move |conn| store::unattached(conn, &account, &after, i64::from(limit).saturating_add(1)))
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.id.to_string()]).map(AttachmentView::from);
    Ok(page.answer(&request))
}

/// Read an attachment
///
/// What it is and what it hangs on; the file itself is at `content`.
#[utoipa::path(
    operation_id = "read_attachment",
    tag = "attachments",
    params(("id" = AttachmentId, Path, description = "The attachment")),
    responses(
        (status = 200, description = "The attachment", body = AttachmentView),
        (status = 404, description = "There is no such attachment, or you may not know of it"),
    ),
    extensions(("x-action" = json!("ReadAttachment"))),
)]
#[get("/attachments/{id}")]
async fn read(context: Shared, files: Desk, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAttachment, Matter::default())?;
    let (attachment, _) = readable(&context, &files, actor, &id).await?;
    Ok(HttpResponse::Ok().json(AttachmentView::from(attachment)))
}

/// An attachment that the actor may read, and where its content lies.
async fn readable(context: &Context, files: &Files, actor: Actor, id: &str) -> Answer<(Attachment, Content)> {
    let id: AttachmentId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    let deciders = files.deciders.clone();
    context
        .db
        .read(move |conn| {
            let attachment = store::attachment(conn, &id)?.ok_or_else(|| NOT_FOUND.refuse())?;
            if !deciders.may_read(conn, &actor, &attachment)? {
                return Err(NOT_FOUND.refuse().into());
            }
            let content = store::content(conn, &attachment.sha256)?;
            let content = content.ok_or_else(|| Fault::broken("an attachment without its content"))?;
            Ok((attachment, content))
        })
        .await
}

/// Download a file
///
/// Always as a download, never shown in a page. One range of bytes can be asked for with `Range`; several are answered with the
/// whole file.
#[utoipa::path(
    operation_id = "download_attachment",
    tag = "attachments",
    params(
        ("id" = AttachmentId, Path, description = "The attachment"),
        ("Range" = Option<String>, Header, max_length = 100, description = "One range of bytes", example = "bytes=0-1023"),
        ("If-Range" = Option<String>, Header, max_length = 100, description = "The `ETag` of the file that the range is to be of; of another one, all is sent", example = "\"5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9\""),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9\""),
    ),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream", headers(
            ("ETag" = String, description = "The file's SHA-256"),
            ("Repr-Digest" = String, description = "The whole file's SHA-256 (RFC 9530)"),
            ("Content-Disposition" = String, description = "`attachment` and the file's name"),
        )),
        (status = 206, description = "The part that was asked for", body = Vec<u8>, content_type = "application/octet-stream", headers(
            ("Content-Range" = String, description = "Which part"),
            ("ETag" = String, description = "The file's SHA-256"),
            ("Repr-Digest" = String, description = "The whole file's SHA-256 (RFC 9530)"),
        )),
        (status = 304, description = "Your copy (`If-None-Match`) is the file"),
        (status = 404, description = "There is no such attachment, or you may not know of it"),
        (status = 416, description = "`range_not_satisfiable`", headers(("Content-Range" = String, description = "How long the file is"))),
    ),
    extensions(("x-action" = json!("ReadAttachment"))),
)]
#[get("/attachments/{id}/content")]
async fn download(
    request: HttpRequest,
    context: Shared,
    files: Desk,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAttachment, Matter::default())?;
    let (attachment, content) = readable(&context, &files, actor, &id).await?;
    let etag = format!("\"{}\"", attachment.sha256);
    if conditional::is_current(&request, &etag) {
        let mut response = HttpResponse::NotModified();
        response
            .insert_header((ETAG, etag))
            .insert_header(cached(&attachment));
        return Ok(response.finish());
    }
    let part = match part_asked(&request, &etag, attachment.bytes) {
        Part::Outside => return Ok(outside(attachment.bytes)),
        Part::Whole => None,
        Part::Bytes(part) => Some(part),
    };
    let mut response = match &part {
        None => HttpResponse::Ok(),
        Some(part) => {
            let (first, last) = (part.start, part.end.saturating_sub(1));
            let mut response = HttpResponse::PartialContent();
            response.insert_header((
                CONTENT_RANGE,
                format!("bytes {first}-{last}/{}", attachment.bytes),
            ));
            response
        }
    };
    let digest = hex::decode(&attachment.sha256).map_err(|error| Fault::caused("a stored hash", error))?;
    response
        .insert_header((ETAG, etag))
        .insert_header(cached(&attachment))
        .insert_header((ACCEPT_RANGES, HeaderValue::from_static("bytes")))
        .insert_header((CONTENT_DISPOSITION, name::disposition(&attachment.name)))
        .insert_header((REPR_DIGEST, format!("sha-256=:{}:", BASE64.encode(digest))))
        .insert_header((
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("sandbox; default-src 'none'"),
        ))
        // As it is: a range of a compressed file would be another one.
        .insert_header((CONTENT_ENCODING, HeaderValue::from_static("identity")))
        .content_type(attachment.media_type.content_type());
    let length = part
        .as_ref()
        .map_or(attachment.bytes, |part| part.end.saturating_sub(part.start));
    let is_head = request
        .extensions()
        .get::<RequestInfo>()
        .is_some_and(|info| info.is_head);
    let stream = if is_head {
        futures_util::stream::empty().boxed()
    } else {
        opened(&files, attachment, &content, part).await?
    };
    Ok(response.body(SizedStream::new(length, stream)))
}

fn part_asked(request: &HttpRequest, etag: &str, bytes: u64) -> Part {
    let header = |name| {
        request
            .headers()
            .get(name)
            .map(|value: &HeaderValue| value.to_str().unwrap_or_default())
    };
    match (header(RANGE), header(IF_RANGE)) {
        (Some(range), None) => range::part(range, bytes),
        (Some(range), Some(tag)) if range::still_the_same(tag, etag) => range::part(range, bytes),
        _ => Part::Whole,
    }
}

async fn opened(
    files: &Files,
    attachment: Attachment,
    content: &Content,
    part: Option<std::ops::Range<u64>>,
) -> Answer<futures_util::stream::LocalBoxStream<'static, std::io::Result<web::Bytes>>> {
    let fetched = files.shelf.fetch(&content.place, part.clone()).await?;
    if fetched.bytes != attachment.bytes {
        let (sha256, bytes) = (attachment.sha256, fetched.bytes);
        return Err(Fault::broken(format!("the file {sha256} is damaged: it has {bytes} bytes")).into());
    }
    Ok(match part {
        Some(_) => delivery::part(fetched.stream, files.timeout).boxed_local(),
        None => delivery::whole(fetched.stream, files.timeout, attachment.sha256).boxed_local(),
    })
}

/// What a cache may do with a file: keep it, but ask every time whether it may still be seen; one that is not for everybody
/// only in the reader's own.
fn cached(attachment: &Attachment) -> (HeaderName, HeaderValue) {
    let public = attachment
        .hanging
        .as_ref()
        .is_some_and(|hanging| hanging.visibility == Visibility::Public);
    let who = if public { "no-cache" } else { "private, no-cache" };
    (CACHE_CONTROL, HeaderValue::from_static(who))
}

fn outside(bytes: u64) -> HttpResponse {
    let refusal: Refusal =
        RANGE_NOT_SATISFIABLE.because(text!("文件有 {bytes} 字节", "the file has {bytes} bytes"));
    let mut response = Stop::from(refusal).error_response();
    if let Ok(range) = HeaderValue::from_str(&format!("bytes */{bytes}")) {
        response.headers_mut().insert(CONTENT_RANGE, range);
    }
    response
}

/// Remove an unused file
///
/// One of your own that hangs on nothing. What hangs on a matter belongs to the record and stays.
#[utoipa::path(
    operation_id = "remove_attachment",
    tag = "attachments",
    params(("id" = AttachmentId, Path, description = "The attachment")),
    responses(
        (status = 200, description = "What was removed", body = AttachmentView),
        (status = 404, description = "There is no such attachment of yours"),
        (status = 409, description = "`attachment_already_attached`"),
    ),
    extensions(("x-action" = json!("RemoveAttachment"))),
)]
#[delete("/attachments/{id}")]
async fn remove(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::RemoveAttachment, Matter::default())?;
    let id: AttachmentId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    let removed = context.db.write(move |tx| acts::remove(tx, &actor, &id)).await?;
    Ok(HttpResponse::Ok().json(AttachmentView::from(removed)))
}
