//! Importing a roll over HTTP: previewed first, then done exactly so.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::party::AreaId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_roll_import::{self as acts, ImportRoll, Imported};
use crate::registry::http_roll::roll_of;
use crate::registry::import_roll::{self as import, Mode};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(import_table);
}

/// What an import did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct RollImport {
    /// True if nothing was done.
    #[schema(example = true)]
    pub dry_run: bool,
    /// What to send as `preview` to have exactly this done.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015")]
    pub preview: String,
    /// Rows in the table, all of them good.
    #[schema(example = 2)]
    pub rows: usize,
    /// Households added.
    #[schema(example = 1)]
    pub households_added: usize,
    /// Households that got another dwelling area.
    #[schema(example = 0)]
    pub households_changed: usize,
    /// Residents entered.
    #[schema(example = 2)]
    pub entered: usize,
    /// Residents with other details.
    #[schema(example = 0)]
    pub changed: usize,
    /// Residents in the table just as they are on the roll.
    #[schema(example = 0)]
    pub unchanged: usize,
    /// Residents who left, because the table is the whole roll and they are not in it.
    #[schema(example = 0)]
    pub departed: usize,
    /// Residents who are not in the table and stay all the same.
    #[schema(example = 0)]
    pub absent: usize,
}

fn report(imported: Imported, dry_run: bool) -> RollImport {
    RollImport {
        dry_run,
        preview: imported.preview,
        rows: imported.rows,
        households_added: imported.households_added,
        households_changed: imported.households_changed,
        entered: imported.entered,
        changed: imported.changed,
        unchanged: imported.unchanged,
        departed: imported.departed,
        absent: imported.absent,
    }
}

/// Import a roll
///
/// A table (CSV, first line the names of the columns) of at most 20,000 rows: `household` (户号), `name` (姓名), `birth_date`
/// (出生日期), and, where there is something to say, `dwelling_area` (面积, square metres), `owner` (业主, 是 or 否), `phone` (手机),
/// `email` (邮箱). In UTF-8 or GB18030: say which with a `charset` in `Content-Type`, or leave it to the service.
///
/// Residents are known again by household, name and date of birth. A column that is not there leaves what is known; an empty cell
/// takes the telephone number or mail address away. With `mode=replace` the table is the whole roll, and whoever is not in it has
/// moved away.
///
/// First with `dry_run=true`: the answer says what would be done, or is a report of every fault by row and column. Then, with the
/// `preview` of that answer, the same table again: everything is done, or nothing. If the table or the roll has changed since, it is
/// refused.
#[utoipa::path(
    operation_id = "import_residents",
    tag = "roll",
    params(
        ("id" = AreaId, Path, description = "The community"),
        ("dry_run" = Option<bool>, Query, description = "`true`: judge everything, do nothing"),
        ("preview" = Option<String>, Query, max_length = 64, description = "The `preview` of the trial", example = "9f86d081884c7d659a2feaa0c55ad015"),
        ("mode" = Option<String>, Query, max_length = 10, description = "`add` (the default) or `replace`", example = "replace"),
    ),
    request_body(content = String, content_type = "text/csv",
        example = "户号,姓名,出生日期,面积,业主,手机,邮箱\n3-2-501,王小梅,1984-07-19,89.35,是,13800138000,\n3-2-501,王大山,2012/5/1,,否,,\n"),
    responses(
        (status = 200, description = "What was done, or would be", body = RollImport),
        (status = 404, description = "There is no such community, or its roll is not yours"),
        (status = 409, description = "`preview_stale`, `roll_full`"),
        (status = 428, description = "`preview_missing`"),
    ),
    extensions(("x-action" = json!("ImportRoll"))),
)]
#[post("/areas/{id}/residents/import")]
async fn import_table(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ImportRoll)?;
    let mut query = Query::of(&request);
    let dry_run = query
        .one_of("dry_run", &[("true", true), ("false", false)])
        .unwrap_or(false);
    let modes = [Mode::Add, Mode::Replace].map(|mode| (mode.name(), mode));
    let mode = query.one_of("mode", &modes).unwrap_or(Mode::Add);
    let preview = query.text("preview");
    query.finish()?;
    let area = roll_of(&context, &actor, Action::ImportRoll, &id).await?;
    let body = incoming
        .bytes(&["text/csv"], context.settings.import_bytes_max)
        .await?;
    let text = import::decode(&body.bytes, charset(&request).as_deref())?;
    let command = ImportRoll {
        area_id: area.id,
        rows: import::read_table(&text)?,
        table_digest: body.digest,
        mode,
        preview,
    };
    let (by, zone) = (actor.clone(), context.calendar.zone);
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let imported = if dry_run {
                acts::preview(tx, &by, zone, &command)?
            } else {
                acts::import(tx, &by, zone, &command)?
            };
            Ok(Reply::json(200, &report(imported, dry_run))?)
        })
        .await
}

/// The `charset` of the body, if the request says one.
pub fn charset(request: &HttpRequest) -> Option<String> {
    let kind = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    kind.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.to_owned())
    })
}
