//! Tables of a ward's running data over HTTP: parse, call one act, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::imports::acts::NewImport;
use crate::imports::acts_tables::{self as acts, Came, Table};
use crate::imports::rules::{ImportId, Kind, kept_name};
use crate::imports::rules_tables::{self as rules, Sort};
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::registry::http_roll_import::charset;
use crate::registry::import_roll::decode;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(take);
}

/// What came of a table, or would.
#[derive(Debug, Serialize, ToSchema)]
pub struct TableImport {
    /// True if nothing was done.
    #[schema(example = false)]
    pub dry_run: bool,
    /// True if the same table was read in before, and nothing was done.
    #[schema(example = false)]
    pub unchanged: bool,
    /// Rows of the table, all of them good.
    #[schema(example = 2)]
    pub rows: usize,
    /// Ids of the organisations or budget lines that were made, in the order of the rows; those of a trial are of nothing.
    #[schema(example = json!(["org_01jd3n8f5teqkrzvq1c0m6h2ax", "org_01jd3n8f5teqkrzvq1c0m6h2ay"]))]
    pub made: Vec<String>,
    /// The import that contracts are kept as; `null` of a trial, and of other tables.
    #[schema(required = true)]
    pub import_id: Option<ImportId>,
    /// Contracts that are new.
    #[schema(example = 0)]
    pub contracts_added: i64,
    /// Contracts that say something else than before.
    #[schema(example = 0)]
    pub contracts_changed: i64,
}

impl TableImport {
    fn of(came: Came, table: &Table) -> Self {
        Self {
            dry_run: table.is_trial,
            unchanged: came.is_known,
            rows: table.rows.len(),
            made: came.made,
            import_id: came
                .import
                .map(|import| import.id)
                .filter(|_| came.is_known || !table.is_trial),
            contracts_added: came.counts.processes_added,
            contracts_changed: came.counts.processes_changed,
        }
    }
}

/// Read in a table of running data
///
/// What a ward has before it works with this service, as CSV in UTF-8 or GB18030, at most 5,000 rows. `kind` is
/// `organisations` (类型 kind, 名称 name_zh, 英文名称 name_en, 统一社会信用代码 credit_code, 区域代码 area_code, 法定代表人 legal_representative, 联系人 contact_name, 电话 phone,
/// 邮箱 mail, 地址 address, 成员数 member_count), `budget-lines` (资金编码 fund_code, 年度 fiscal_year, 编码 code, 单位 organisation, 类别 category, 用途 purpose_zh, 英文用途
/// purpose_en) or `contracts` (合同编号 number, 名称 title, 采购单位 buyer, 承包单位 supplier, 统一社会信用代码 supplier_credit_code, 区域代码 area_code, 类别 category, 合同金额
/// value, 已付金额 paid, 截至日期 as_of, 签订日期 signed_on, 到期日期 ends_on): headings are in either language, in any order.
///
/// Each organisation and budget line is made as it would be alone, with the same permissions and rules; contracts are kept as imported history, and enter no books. Every fault of
/// every row is told at once, as `/row/column`, rows counted from 0 and the line of the file in words; with one fault nothing is done. With `dry_run=true` all of it is judged, and nothing is done.
#[utoipa::path(
    operation_id = "import_table",
    tag = "imports",
    params(
        ("kind" = String, Path, max_length = 20, description = "`organisations`, `budget-lines` or `contracts`", example = "contracts"),
        ("dry_run" = Option<bool>, Query, description = "`true`: judge everything, do nothing"),
        ("name" = Option<String>, Query, max_length = 200, description = "The file's name", example = "contracts-2026.csv"),
    ),
    request_body(content = String, content_type = "text/csv",
        example = "合同编号,名称,采购单位,承包单位,区域代码,类别,合同金额,已付金额,截至日期,到期日期\nH-1,老旧小区保洁,梧桐街道办事处,洁净保洁有限公司,310101001,sanitation,240000.00,80000.00,2026-01-31,2026-12-31\n"),
    responses(
        (status = 200, description = "What was done, or would be", body = TableImport),
        (status = 404, description = "There is no such kind of table"),
    ),
    extensions(("x-action" = json!("ImportTables"))),
)]
#[post("/imports/csv/{kind}")]
async fn take(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    kind: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ImportTables)?;
    let sort = Sort::named(&kind).ok_or_else(|| NOT_FOUND.refuse())?;
    let mut query = Query::of(&request);
    let words = [("true", true), ("false", false)];
    let is_trial = query.one_of("dry_run", &words).unwrap_or(false);
    let name = query.text("name");
    query.finish()?;
    let body = incoming
        .bytes(&["text/csv"], context.settings.import_bytes_max)
        .await?;
    let text = decode(&body.bytes, charset(&request).as_deref())?;
    let bytes = i64::try_from(body.bytes.len()).map_err(|error| Fault::caused("measure a table", error))?;
    let rows = rules::rows(&text, sort)?;
    let table = Table {
        sort,
        rows,
        file: NewImport {
            name: kept_name(name.as_deref().unwrap_or(sort.name())),
            sha256: Sha256::digest(&body.bytes).into(),
            bytes,
            kind: Kind::Contracts,
            waits: false,
        },
        is_trial,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let came = acts::read_in(tx, by, &table).map_err(|stop| match stop {
                Stop::Refused(refusal) => rules::with_lines(*refusal, &table.rows).into(),
                fault @ Stop::Fault(_) => fault,
            })?;
            Ok(Reply::json(200, &TableImport::of(came, &table))?)
        })
        .await
}
