//! What the law wants shown of a community (居务公开), over HTTP, as JSON and as a table. No SQL and no rule; nobody signs in for it.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::kernel::text::plain_cell;
use crate::publish::desk_disclosures::{Asked, At, Entry, Minimum, Shown, shown};
use crate::publish::http::{AtPublisher, allowed};
use crate::publish::rules_disclosures::Kind;
use crate::publish::rules_publisher::Publisher;
use crate::statutes::codes::PUBLICITY_DAYS_MIN;
use crate::statutes::profile::{Citation, Day};
use crate::web::actor::{Actor, Shared};
use crate::web::format::{Format, csv_table};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::query::Query;

/// Those of the API.
pub fn operations(config: &mut impl Operations) {
    config.service(list_disclosures);
}

/// For how long the law wants something shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DisclosureMinimum)]
pub struct MinimumView {
    /// The version of the rules that was in force on the day on which it was published.
    #[schema(example = "statute_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub statute_id: String,
    /// The rule.
    #[schema(example = "publicity.days_min")]
    pub rule: &'static str,
    /// How many days at least; `null` if that version does not set it.
    #[schema(required = true, minimum = 0, maximum = 36500, example = 15)]
    pub days: Option<u32>,
    /// What the rule says, in Chinese.
    #[schema(example = "公开时间不少于 15 日")]
    pub text_zh: String,
    /// What the rule says, in English.
    #[schema(example = "It stays public for at least 15 days")]
    pub text_en: String,
    /// Where it stands.
    #[schema(max_items = 10)]
    pub citations: Vec<Citation>,
}

impl From<Minimum> for MinimumView {
    fn from(minimum: Minimum) -> Self {
        Self {
            statute_id: minimum.statute.to_string(),
            rule: PUBLICITY_DAYS_MIN.code(),
            days: minimum.days,
            text_zh: minimum.text.zh().to_owned(),
            text_en: minimum.text.en().to_owned(),
            citations: minimum.citations,
        }
    }
}

/// Something that is shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Disclosure, example = json!({
    "release_id": "ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax-7", "number": 1, "kind": "government_funds",
    "what_zh": "与洁城公司签订合同“道路保洁”，合同价 2,298,600.00 元。", "what_en": "The contract \"Street cleaning\" was signed with Jiecheng, for 2,298,600.00 yuan.",
    "amount": {"amount": "2298600.00", "currency": "CNY"}, "ocid": "ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax", "subject_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax",
    "title_zh": "道路保洁", "title_en": "Street cleaning", "shown_since": "2026-04-14T02:00:00.000000Z", "shown_days": 20,
    "minimum": {"statute_id": "statute_01jd3n8f5teqkrzvq1c0m6h2ax", "rule": "publicity.days_min", "days": 15, "text_zh": "公开时间不少于 15 日",
        "text_en": "It stays public for at least 15 days",
        "citations": [{"instrument_zh": "中华人民共和国城市居民委员会组织法", "instrument_en": "Organic Law of Urban Residents' Committees"}]},
    "url": "https://ward.example/ocds/releases/ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax/ocds-213czf-01jd3n8f5teqkrzvq1c0m6h2ax-7"
}))]
pub struct DisclosureView {
    /// The release that says it first.
    pub release_id: String,
    /// Its number among what that release says, from 1.
    #[schema(minimum = 1, maximum = 1000000)]
    pub number: u32,
    /// What sort of thing it is.
    pub kind: Kind,
    /// What it is, in Chinese.
    pub what_zh: String,
    /// What it is, in English.
    pub what_en: String,
    /// The amount that it is about, if it is about one.
    #[schema(required = true)]
    pub amount: Option<Money>,
    /// The process.
    pub ocid: String,
    /// The contract book, or the notice of what is planned.
    pub subject_id: String,
    /// What the process is about, in Chinese.
    pub title_zh: String,
    /// What the process is about, in English.
    pub title_en: String,
    /// Since when it is shown, UTC: the instant of the release.
    pub shown_since: String,
    /// How many days of the ward it has been shown; the first day is not counted.
    #[schema(minimum = 0, maximum = 1000000)]
    pub shown_days: i64,
    /// For how long the law wants it shown; `null` if no rules were in force.
    #[schema(required = true)]
    pub minimum: Option<MinimumView>,
    /// Where the release is.
    pub url: String,
}

impl DisclosureView {
    fn of(entry: Entry, publisher: &Publisher) -> Self {
        Self {
            url: publisher.url(&format!("/ocds/releases/{}/{}", entry.ocid, entry.release_id)),
            release_id: entry.release_id,
            number: entry.number,
            kind: entry.told.kind,
            what_zh: entry.told.what.zh().to_owned(),
            what_en: entry.told.what.en().to_owned(),
            amount: entry.told.amount,
            ocid: entry.ocid,
            subject_id: entry.subject_id,
            title_zh: entry.title.zh().to_owned(),
            title_en: entry.title.en().to_owned(),
            shown_since: rfc3339(entry.since),
            shown_days: entry.days,
            minimum: entry.minimum.map(MinimumView::from),
        }
    }

    fn row(&self) -> Vec<String> {
        let minimum = self.minimum.as_ref();
        let sources = minimum.map(|minimum| {
            let named: Vec<&str> = minimum
                .citations
                .iter()
                .map(|one| one.instrument_zh.as_str())
                .collect();
            named.join("；")
        });
        vec![
            self.release_id.clone(),
            self.number.to_string(),
            self.kind.name().to_owned(),
            plain_cell(&self.what_zh),
            plain_cell(&self.what_en),
            self.amount.map_or_else(String::new, |amount| amount.to_string()),
            self.ocid.clone(),
            self.subject_id.clone(),
            plain_cell(&self.title_zh),
            plain_cell(&self.title_en),
            self.shown_since.clone(),
            self.shown_days.to_string(),
            minimum
                .and_then(|minimum| minimum.days)
                .map_or_else(String::new, |days| days.to_string()),
            plain_cell(&sources.unwrap_or_default()),
        ]
    }
}

/// The columns of the table.
const COLUMNS: [&str; 14] = [
    "release_id",
    "number",
    "kind",
    "what_zh",
    "what_en",
    "amount",
    "ocid",
    "subject_id",
    "title_zh",
    "title_en",
    "shown_since",
    "shown_days",
    "days_min",
    "source_zh",
];

/// A page of what is shown of an area.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Disclosures)]
pub struct DisclosuresView {
    /// The area.
    pub area_id: AreaId,
    /// Its Chinese name.
    #[schema(example = "桂花社区")]
    pub area_name_zh: String,
    /// Its English name.
    #[schema(example = "Guihua Community")]
    pub area_name_en: String,
    /// How long it stays, or that there is nothing, in Chinese.
    #[schema(example = "公开后一直可查，不会撤下。")]
    pub note_zh: String,
    /// How long it stays, or that there is nothing, in English.
    #[schema(example = "Whatever is shown stays; nothing is ever taken down.")]
    pub note_en: String,
    /// The newest first; what one release says, in its own order.
    #[schema(max_items = 200)]
    pub items: Vec<DisclosureView>,
    /// What to send as `cursor` for the next page, which may be there although this one is not full; `null` on the last one.
    #[schema(
        required = true,
        example = "eyJvZiI6IjVjMGQ3ZTk0MTJhYiIsImFmdGVyIjpbIjE3IiwiMSJdfQ"
    )]
    pub next_cursor: Option<String>,
}

/// What is said of a page: how long what is on it stays, or why there is nothing.
pub(super) fn note(asked: &Asked, shown: &Shown) -> Text {
    let is_narrowed = asked.kind.is_some() || asked.from.is_some() || asked.until.is_some();
    match (
        shown.entries.is_empty(),
        &shown.next,
        is_narrowed || asked.after.is_some(),
    ) {
        (false, _, _) => Text::fixed(
            "公开后一直可查，不会撤下。",
            "Whatever is shown stays; nothing is ever taken down.",
        ),
        (true, Some(_), _) => Text::fixed(
            "这一段时间没有符合条件的事项，请继续看更早的。",
            "There is nothing of what you ask for in this part; go on to what is older.",
        ),
        (true, None, true) => Text::fixed(
            "没有更多符合条件的事项。",
            "There is nothing more of what you ask for.",
        ),
        (true, None, false) => Text::fixed(
            "尚未公布与这里有关的事项。一经公布，即在此处显示，并且不会撤下。",
            "Nothing that concerns this place has been published yet. Once it is, it is shown here, and never taken down.",
        ),
    }
}

/// The question of a list, which its cursors belong to, and what is asked for.
///
/// # Errors
/// Faults of the query; a cursor that cannot be followed.
pub(super) fn asked(mut query: Query, area: AreaId, (usual, max): (u16, u16)) -> Answer<(Question, Asked)> {
    let kind = query.one_of("kind", &Kind::ALL.map(|kind| (kind.name(), kind)));
    let from = query.parsed::<Day>("from").map(|day| day.0);
    let until = query.parsed::<Day>("until").map(|day| day.0);
    let limit = query.limit(usual, max);
    let cursor = query.text("cursor");
    query.finish()?;
    let day = |day: Option<chrono::NaiveDate>| day.map_or_else(String::new, |day| day.to_string());
    let question = Question::of(&[
        "disclosures",
        area.as_str(),
        kind.map_or("", Kind::name),
        &day(from),
        &day(until),
    ]);
    let after = match question.after(cursor.as_deref(), 2)?.as_deref() {
        Some([sequence, number]) => Some((
            sequence.parse().map_err(|_| bad_cursor())?,
            number.parse().map_err(|_| bad_cursor())?,
        )),
        _ => None,
    };
    let asked = Asked {
        area,
        kind,
        from,
        until,
        after,
        max: usize::from(limit),
    };
    Ok((question, asked))
}

/// The cursor of the next page.
pub(super) fn cursor(question: &Question, next: Option<(i64, u32)>) -> Option<String> {
    next.map(|(sequence, number)| question.cursor(vec![sequence.to_string(), number.to_string()]))
}

/// Looks it up.
///
/// # Errors
/// Those of [`shown`].
pub(super) async fn found(context: &Shared, asked: Asked) -> Answer<Shown> {
    let shared = context.clone();
    context
        .db
        .read(move |conn| {
            let at = At {
                jurisdiction: &shared.settings.jurisdiction,
                zone: shared.calendar.zone,
                now: shared.clock.now(),
            };
            shown(conn, &asked, at)
        })
        .await
}

/// List what the law wants shown of a community
///
/// 居务公开: decisions, government money and its use, and how services are done, of every process that is for the area, for one within it or around it, or whose buyer is its residents'
/// committee; the newest first, each thing once, since its release. Nothing is ever taken down. As CSV with `Accept: text/csv`: the same page as a table. A page can be shorter than
/// `limit`, even empty, and have a next one.
#[utoipa::path(
    operation_id = "list_disclosures",
    tag = "publication",
    params(
        ("id" = AreaId, Path, description = "The area, usually a community"),
        ("kind" = Option<Kind>, Query, description = "Of this kind"),
        ("from" = Option<String>, Query, format = Date, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description = "Shown on this day or later, by the ward's calendar"),
        ("until" = Option<String>, Query, format = Date, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description = "Shown before this day"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", content(
            (DisclosuresView = "application/json"),
            (String = "text/csv", example = "release_id,number,kind,what_zh,what_en,amount,ocid,subject_id,title_zh,title_en,shown_since,shown_days,days_min,source_zh\r\n")
        ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such area, or nothing is published here"),
    ),
    extensions(("x-action" = json!("ReadPublication"))),
)]
#[get("/areas/{id}/disclosures")]
async fn list_disclosures(
    request: HttpRequest,
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    allowed(&actor, &publisher)?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let area = parsed::<AreaId>(&id)?;
    let (question, asked) = asked(Query::of(&request), area, (LIMIT_USUAL, LIMIT_MAX))?;
    let shown = found(&context, asked.clone()).await?;
    let note = note(&asked, &shown);
    let page = Page {
        next_cursor: cursor(&question, shown.next),
        items: shown.entries,
    };
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    let page = page.map(|entry| DisclosureView::of(entry, &publisher));
    if format == Format::Csv {
        let table = csv_table(&COLUMNS, page.items.iter().map(DisclosureView::row))?;
        response.insert_header((
            CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"disclosures.csv\""),
        ));
        return Ok(response.content_type("text/csv; charset=utf-8").body(table));
    }
    response.insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    Ok(response.json(DisclosuresView {
        area_id: shown.area.id,
        area_name_zh: shown.area.designation.name_zh,
        area_name_en: shown.area.designation.name_en,
        note_zh: note.zh().to_owned(),
        note_en: note.en().to_owned(),
        items: page.items,
        next_cursor: page.next_cursor,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::rules_disclosures::Told;

    #[test]
    fn no_cell_is_a_formula() {
        let publisher = Publisher {
            prefix: None,
            public_url: "https://ward.example".to_owned(),
            ward: Text::fixed("梧桐街道", "Wutong"),
            scheme: String::new(),
            uid: String::new(),
            license: String::new(),
            zone: chrono_tz::Asia::Shanghai,
        };
        let entry = Entry {
            sequence: 7,
            number: 1,
            release_id: "o-1".to_owned(),
            ocid: "o".to_owned(),
            subject_id: "book_1".to_owned(),
            title: Text::fixed("=SUM(A1)", "@x"),
            versions: 1,
            told: Told {
                kind: Kind::Decisions,
                what: Text::fixed("+1", "-1"),
                amount: None,
            },
            since: "2026-03-02T00:00:00Z".parse().unwrap(),
            since_local: "2026-03-02T08:00:00".parse().unwrap(),
            days: 3,
            minimum: None,
        };
        let row = DisclosureView::of(entry, &publisher).row();
        assert_eq!(row.len(), COLUMNS.len());
        let given = ["'+1", "'-1", "", "o", "book_1", "'=SUM(A1)", "'@x"];
        assert_eq!(row.get(3..10).unwrap(), given);
    }
}
