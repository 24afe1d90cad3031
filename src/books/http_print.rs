//! The printable form of a book, and the bytes of its versions, over HTTP: parse, call one query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::books::acts_consultations::PublicConsultation;
use crate::books::http::place;
use crate::books::http_publication::numbered;
use crate::books::print::{self, Print};
use crate::books::print_lots::LotPrint;
use crate::books::rules::{Book, BookId};
use crate::books::rules_documents::BookDocument;
use crate::books::rules_intentions::Intention;
use crate::books::store_versions::{self, Version};
use crate::books::{acts, acts_consultations, store, store_consultations, store_intentions};
use crate::budget::desk::parsed;
use crate::db::conn::Conn;
use crate::files;
use crate::kernel::calendar::local_date;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::kernel::text::Text;
use crate::people::store_grants::organisation_name;
use crate::registry::store as areas;
use crate::standards::rules::State as StandardState;
use crate::standards::{store as standards, store_versions as standard_versions};
use crate::statutes;
use crate::statutes::rules::Statute;
use crate::web::actor::{Actor, Shared};
use crate::web::context::Context;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::print::{Document, Tongue};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// The digest of what is sent (RFC 9530).
static REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(print_current)
        .service(print_version)
        .service(read_content);
}

/// Print a book
///
/// A whole page in HTML that says everything the book says and is made to be printed on A4: as it is now, a draft too for those who
/// may see it. It loads nothing and runs nothing.
#[utoipa::path(
    operation_id = "print_book",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("lang" = Option<String>, Query, pattern = "^(zh-CN|zh|en|both)$", description = "In Chinese, in English, or in both side by side, as usual", example = "both"),
    ),
    responses(
        (status = 200, description = "The book, to be printed", body = String, content_type = "text/html", example = "<!doctype html>"),
        (status = 404, description = "There is no such book"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books/{id}/print")]
async fn print_current(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let tongue = asked(&request)?;
    let id = parsed::<BookId>(&id)?;
    let shared = context.clone();
    let document = context
        .db
        .read(move |conn| {
            let book = acts::seen(conn, &actor, &id)?;
            let version = match &book.publication {
                Some(publication) => store_versions::version(conn, &id, publication.versions)?,
                None => None,
            };
            printed(conn, &shared, &book, version.as_ref())
        })
        .await?;
    document.answer(&context.settings.ward, tongue)
}

/// Print a published version of a book
///
/// As it was published, with a word on what holds in its place.
#[utoipa::path(
    operation_id = "print_book_version",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the version", example = "1"),
        ("lang" = Option<String>, Query, pattern = "^(zh-CN|zh|en|both)$", description = "In Chinese, in English, or in both side by side, as usual", example = "both"),
    ),
    responses(
        (status = 200, description = "The version, to be printed", body = String, content_type = "text/html", example = "<!doctype html>"),
        (status = 404, description = "There is no such version"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books/{id}/versions/{number}/print")]
async fn print_version(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let tongue = asked(&request)?;
    let (id, number) = path.into_inner();
    let (id, number) = (parsed::<BookId>(&id)?, numbered(&number)?);
    let shared = context.clone();
    let document = context
        .db
        .read(move |conn| {
            let book = acts::seen(conn, &actor, &id)?;
            let version = store_versions::version(conn, &id, number)?;
            let version = version.ok_or_else(|| NOT_FOUND.refuse())?;
            printed(conn, &shared, &book, Some(&version))
        })
        .await?;
    document.answer(&context.settings.ward, tongue)
}

/// Read the bytes of a published version
///
/// Exactly those whose SHA-256 the log has: what `sha256sum` says of this answer is the `sha256` of the version. They never change.
#[utoipa::path(
    operation_id = "read_book_version_content",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the version", example = "1"),
    ),
    responses(
        (status = 200, description = "The content of the version", body = BookDocument, headers(
            ("ETag" = String, description = "The SHA-256 of the bytes, hexadecimal"),
            ("Repr-Digest" = String, description = "The same as RFC 9530 writes it"),
        )),
        (status = 404, description = "There is no such version"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books/{id}/versions/{number}/content")]
async fn read_content(
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let (id, number) = path.into_inner();
    let (id, number) = (parsed::<BookId>(&id)?, numbered(&number)?);
    let found = context
        .db
        .glance(move |conn| store_versions::bytes(conn, &id, number))
        .await?;
    let (content, sha256) = found.ok_or_else(|| NOT_FOUND.refuse())?;
    let digest = BASE64_STANDARD.encode(sha256);
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((ETAG, format!("\"{}\"", hex::encode(sha256))))
        .insert_header((REPR_DIGEST.clone(), format!("sha-256=:{digest}:")))
        .insert_header((
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ))
        .body(content))
}

fn asked(request: &HttpRequest) -> Answer<Tongue> {
    let mut query = Query::of(request);
    let tongue = query.one_of("lang", &Tongue::NAMED);
    query.finish()?;
    Ok(tongue.unwrap_or(Tongue::Both))
}

/// A book with everything that is looked up for it, as a document.
fn printed(conn: &mut Conn, context: &Context, book: &Book, version: Option<&Version>) -> Answer<Document> {
    let said = version
        .map_or(&book.content, |version| &version.content)
        .document();
    let buyer = organisation_name(conn, &book.organisation_id)?;
    let buyer = buyer.ok_or_else(|| Fault::broken(format!("the buyer of {} is not there", book.id)))?;
    let category = standards::category(conn, &said.category)?;
    let category = category.map_or_else(
        || Text::made(said.category.clone(), said.category.clone()),
        |category| Text::made(category.name.zh, category.name.en),
    );
    let mut names = Vec::new();
    for id in &said.areas {
        if let Some(area) = areas::area(conn, id)? {
            names.push(Text::made(area.designation.name_zh, area.designation.name_en));
        }
    }
    let statute = statute_of(conn, context, book)?;
    // In the order of the book, and nothing that was taken off its list: each hangs on the book, or on the addendum that has brought it.
    let mut documents = Vec::new();
    for id in &said.documents {
        documents.extend(files::store::attachment(conn, id)?);
    }
    let (intention, consultation) = planned(conn, book, said)?;
    let print = Print {
        book,
        version,
        buyer: Text::made(buyer.0, buyer.1),
        category,
        areas: names,
        statute: statute.as_ref(),
        lots: lots_of(conn, book, said)?,
        documents,
        intention,
        consultation,
        zone: context.calendar.zone,
        public_url: context.settings.public_url.clone(),
    };
    Ok(print::document(&print)?)
}

/// What went before a book, as far as it may be told: a draft may name whatever it likes, and what is another body's or not public says
/// nothing here.
fn planned(
    conn: &mut Conn,
    book: &Book,
    said: &BookDocument,
) -> Answer<(Option<Intention>, Option<PublicConsultation>)> {
    let intention = match &said.intention_id {
        Some(id) => store_intentions::intention(conn, id)?,
        None => None,
    };
    let intention = intention
        .filter(|notice| notice.published_at.is_some() && notice.organisation_id == book.organisation_id);
    let record = match &said.consultation_id {
        Some(id) => store_consultations::consultation(conn, id)?,
        None => None,
    };
    let consultation = match record {
        Some(record) if record.organisation_id == book.organisation_id => {
            acts_consultations::public_part(conn, &record.id)?
        }
        _ => None,
    };
    Ok((intention, consultation))
}

/// The rules that a book was published under; of a draft those of today, if there are any.
fn statute_of(conn: &mut Conn, context: &Context, book: &Book) -> Answer<Option<Statute>> {
    if let Some(publication) = &book.publication {
        return statutes::store::statute(conn, &publication.statute_id);
    }
    let place = place(context);
    let today = local_date(context.clock.now(), place.calendar.zone);
    match statutes::acts::in_force(conn, place.jurisdiction, today) {
        Ok(statute) => Ok(Some(statute)),
        Err(Stop::Refused(_)) => Ok(None),
        Err(stop) => Err(stop),
    }
}

fn lots_of(conn: &mut Conn, book: &Book, said: &BookDocument) -> Answer<Vec<LotPrint>> {
    let published = store::lots_of(conn, &book.id)?;
    let mut lots = Vec::with_capacity(said.lots.len());
    for lot in &said.lots {
        let id = published.iter().find(|one| one.code == lot.code);
        let version = match &lot.standard_version_id {
            Some(id) => standard_versions::version_of_id(conn, id)?,
            None => None,
        };
        // What a keeper of standards has not published is not told by way of a book that names it.
        let version = version.filter(|version| version.state != StandardState::Draft);
        let standard = match &version {
            Some(version) => standards::standard(conn, &version.standard_id)?,
            None => None,
        };
        lots.push(LotPrint {
            id: id.map(|one| one.id.clone()),
            standard: standard.zip(version),
        });
    }
    Ok(lots)
}
