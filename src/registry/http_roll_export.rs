//! Exporting a roll over HTTP. By POST, because it leaves an event; remembered under no `Idempotency-Key`, because it is personal.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, post, web};

use crate::kernel::party::AreaId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_roll_export as acts;
use crate::registry::export_roll::{Encoding, table};
use crate::registry::http_roll::roll_of;
use crate::web::actor::{Actor, Shared};
use crate::web::envelope::RequestInfo;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(export_table);
}

/// Export a roll
///
/// Everybody who is on the roll, as a table (CSV) with the columns that an import reads, named in the language of `Accept-Language`. In
/// UTF-8 with the mark that spreadsheets need, or in GB18030. A cell that a spreadsheet would run as a formula stands behind an
/// apostrophe, which an import takes away again. That it was exported, and by whom, is an event of the log.
#[utoipa::path(
    operation_id = "export_residents",
    tag = "roll",
    params(
        ("id" = AreaId, Path, description = "The community"),
        ("encoding" = Option<String>, Query, max_length = 10, description = "`utf-8` (the default) or `gb18030`", example = "gb18030"),
    ),
    responses(
        (status = 200, description = "The roll", content((String = "text/csv", example = "户号,姓名,出生日期,面积,业主,手机,邮箱\r\n3-2-501,王小梅,1984-07-19,89.35,是,13800138000,\r\n"))),
        (status = 404, description = "There is no such community, or its roll is not yours"),
        (status = 422, description = "A text on the roll has no form in GB18030"),
    ),
    extensions(("x-action" = json!("ExportRoll")), ("x-secret-answer" = json!(true))),
)]
#[post("/areas/{id}/residents/export")]
async fn export_table(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ExportRoll)?;
    let mut query = Query::of(&request);
    let encodings = Encoding::ALL.map(|encoding| (encoding.name(), encoding));
    let encoding = query.one_of("encoding", &encodings).unwrap_or(Encoding::Utf8);
    query.finish()?;
    let language = request
        .extensions()
        .get::<RequestInfo>()
        .map(|info| info.language)
        .unwrap_or_default();
    let area_id = roll_of(&context, &actor, Action::ExportRoll, &id).await?.id;
    let (by, of) = (actor.clone(), area_id.clone());
    let (bytes, residents) = context
        .db
        .read(move |conn| {
            let roll = acts::whole(conn, &by, &of)?;
            Ok((table(&roll, encoding, language)?, roll.len()))
        })
        .await?;
    // Nobody has it before it is durable that they took it.
    context
        .db
        .write(move |tx| acts::record(tx, &actor, &area_id, residents, encoding))
        .await?;
    let kind = match encoding {
        Encoding::Utf8 => "text/csv; charset=utf-8",
        Encoding::Gb18030 => "text/csv; charset=gb18030",
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static(kind)))
        .insert_header((
            CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"roll.csv\""),
        ))
        .body(bytes))
}
