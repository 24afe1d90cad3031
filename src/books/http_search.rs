//! The public search over HTTP: parse, call one query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get};
use chrono::NaiveDateTime;
use serde::Serialize;
use utoipa::ToSchema;

use crate::books::acts_search::{KIND_BOOK, KIND_STANDARD};
use crate::books::rules_search::{Piece, Term, snippet, terms};
use crate::books::rules_stages::Stage;
use crate::books::store_search::{Found, Order, Wanted, find};
use crate::budget::desk;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::{Actor, Shared};
use crate::web::operations::Operations;
use crate::web::paging::{Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Hits on a page that says nothing of it, and at most.
const HITS_USUAL: u16 = 20;
const HITS_MAX: u16 = 100;
/// How an instant stands in a cursor.
const INSTANT: &str = "%Y-%m-%dT%H:%M:%S%.6f";

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(search);
}

/// What sort of thing is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SearchKind {
    /// Intention notices.
    IntentionNotice,
    /// Contract books.
    ContractBook,
    /// Service standards.
    ServiceStandard,
}

impl SearchKind {
    const ALL: [Self; 3] = [Self::IntentionNotice, Self::ContractBook, Self::ServiceStandard];

    /// The name in the API and in the database.
    const fn name(self) -> &'static str {
        match self {
            Self::IntentionNotice => "intention_notice",
            Self::ContractBook => KIND_BOOK,
            Self::ServiceStandard => KIND_STANDARD,
        }
    }
}

/// In which order hits come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SearchSort {
    /// What says most of it first.
    Relevance,
    /// The newest first.
    Date,
    /// The most money first.
    Value,
    /// The soonest deadline for bids first.
    Deadline,
}

/// A piece of a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnippetPiece {
    /// The text, as it stands; no markup.
    pub text: String,
    /// True if it is what was searched for.
    pub hit: bool,
}

impl From<Piece> for SnippetPiece {
    fn from(piece: Piece) -> Self {
        Self {
            text: piece.text,
            hit: piece.is_hit,
        }
    }
}

/// Something public that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "intention_notice", "id": "intention_01jd3n8f5teqkrzvq1c0m6h2ax", "path": "/api/v1/intention-notices/intention_01jd3n8f5teqkrzvq1c0m6h2ax",
    "title_zh": "道路环卫保洁", "title_en": "Street sanitation", "snippet_zh": [{"text": "主次干道", "hit": false}, {"text": "环卫", "hit": true}],
    "snippet_en": [{"text": "Daily cleaning", "hit": false}], "category": "sanitation", "buyer": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "value": {"amount": "2350200.00", "currency": "CNY"}, "published_at": "2026-03-02T02:00:00.000000Z", "stage": "planned", "closes_at": null
}))]
pub struct SearchHit {
    /// What sort of thing it is.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Where it is read.
    pub path: String,
    /// Its title, in Chinese.
    pub title_zh: String,
    /// Its title, in English.
    pub title_en: String,
    /// What it says about what was searched for, in Chinese.
    pub snippet_zh: Vec<SnippetPiece>,
    /// What it says about what was searched for, in English.
    pub snippet_en: Vec<SnippetPiece>,
    /// The category of services.
    pub category: String,
    /// Whose it is.
    #[schema(required = true)]
    pub buyer: Option<String>,
    /// What it is about in money.
    #[schema(required = true)]
    pub value: Option<Money>,
    /// When it became public, UTC.
    pub published_at: String,
    /// How far it has come: `planned`, `open` as long as bids are taken, `closed` after that, or `cancelled`; `null` for what has no
    /// stages.
    #[schema(required = true, example = "open")]
    pub stage: Option<&'static str>,
    /// Until when bids are taken, UTC.
    #[schema(required = true)]
    pub closes_at: Option<String>,
}

fn hit(found: Found, terms: &[Term], now: Instant) -> Result<SearchHit, Fault> {
    let shown = |text: &str| snippet(text, terms).into_iter().map(SnippetPiece::from).collect();
    let value = found.value_fen.map(Money::from_fen).transpose();
    let closes_at = found.closes_at.map(|at| at.and_utc());
    let stage = found.stage.as_deref();
    let stage = stage.and_then(|stored| Stage::at(stored, closes_at, now));
    Ok(SearchHit {
        stage: stage.map(Stage::name),
        closes_at: closes_at.map(rfc3339),
        snippet_zh: shown(&found.body_zh),
        snippet_en: shown(&found.body_en),
        kind: found.kind,
        id: found.subject_id,
        path: found.path,
        title_zh: found.title_zh,
        title_en: found.title_en,
        category: found.category,
        buyer: found.organisation_id,
        value: value.map_err(|error| Fault::caused("read a found amount", error))?,
        published_at: rfc3339(found.published_at.and_utc()),
    })
}

/// Search what is public
///
/// Chinese is found inside longer words (环卫 in 道路环卫保洁), words of letters by how they begin; a hit has all that was asked for. Without
/// `q` everything that fits the filters: intention notices, contract books, and of each service standard its newest version. Nothing
/// that is not public is ever found. A new version of a standard is found within a minute.
#[utoipa::path(
    operation_id = "search",
    tag = "planning",
    params(
        ("q" = Option<String>, Query, max_length = 100, description = "What to search for: at most 12 terms, of which every two neighbouring Chinese characters are one", example = "环卫"),
        ("kind" = Option<String>, Query, pattern = "^(intention_notice|contract_book|service_standard)$", description = "Of this kind", example = "contract_book"),
        ("stage" = Option<String>, Query, pattern = "^(planned|open|closed|cancelled)$", description = "In this stage: `open` is what takes bids now", example = "open"),
        ("category" = Option<String>, Query, max_length = 40, description = "Of this category of services", example = "sanitation"),
        ("area_id" = Option<AreaId>, Query, description = "About this area, one within it, or a larger one that it lies in: what a street is served with serves its communities"),
        ("buyer" = Option<OrganisationId>, Query, description = "Of this buyer"),
        ("from" = Option<String>, Query, format = "date-time", description = "Public from this instant on", example = "2026-03-01T00:00:00Z"),
        ("until" = Option<String>, Query, format = "date-time", description = "Public before this instant", example = "2026-04-01T00:00:00Z"),
        ("value_min" = Option<String>, Query, max_length = 20, description = "For at least so many yuan", example = "100000.00"),
        ("value_max" = Option<String>, Query, max_length = 20, description = "For at most so many yuan", example = "2000000.00"),
        ("sort" = Option<String>, Query, pattern = "^(relevance|date|value|deadline)$", description = "By relevance, as usual with `q`; by date, the newest first; by value, the highest first; or by the deadline for bids, the soonest first, which leaves out what has none: with `stage=open` what can still be bid for", example = "date"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 100, description = "Hits on a page, 20 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<SearchHit>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("SearchPublished"))),
)]
#[get("/search")]
async fn search(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::SearchPublished, Matter::default())?;
    let now = context.clock.now();
    let (wanted, limit, question) = asked(&request, now)?;
    let (order, terms) = (wanted.order.clone(), wanted.terms.clone());
    let found = context
        .db
        .read(move |conn| find(conn, &wanted, desk::one_more(limit)))
        .await?;
    let page = Page::cut(found, limit, &question, |one| key(&order, one));
    let next_cursor = page.next_cursor;
    let hits: Result<Vec<SearchHit>, Fault> =
        page.items.into_iter().map(|one| hit(one, &terms, now)).collect();
    let page = Page {
        items: hits?,
        next_cursor,
    };
    Ok(page.answer(&request))
}

/// Where the next page begins.
fn key(order: &Order, one: &Found) -> Vec<String> {
    let by = match order {
        Order::Relevance(_) => one.relevance.to_string(),
        Order::Value(_) => one.value_fen.unwrap_or_default().to_string(),
        Order::Deadline(_) => one.closes_at.unwrap_or_default().format(INSTANT).to_string(),
        Order::Newest(_) | Order::Sequence(_) => one.published_at.format(INSTANT).to_string(),
    };
    vec![by, one.sequence.to_string()]
}

fn asked(request: &HttpRequest, now: Instant) -> Answer<(Wanted, u16, Question)> {
    let mut query = Query::of(request);
    let q = query.text("q");
    let kind = query.one_of("kind", &SearchKind::ALL.map(|kind| (kind.name(), kind)));
    let stage = query.one_of("stage", &Stage::ALL.map(|stage| (stage.name(), stage)));
    let category = query.text("category");
    let area = query.parsed::<AreaId>("area_id");
    let organisation = query.parsed::<OrganisationId>("buyer");
    let (from, until) = (query.instant("from"), query.instant("until"));
    let (value_min, value_max) = (
        query.parsed::<Money>("value_min"),
        query.parsed::<Money>("value_max"),
    );
    let sorts = [
        ("relevance", SearchSort::Relevance),
        ("date", SearchSort::Date),
        ("value", SearchSort::Value),
        ("deadline", SearchSort::Deadline),
    ];
    let sort = query.one_of("sort", &sorts);
    let limit = query.limit(HITS_USUAL, HITS_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let found = match &q {
        Some(q) => terms(q)?,
        None => Vec::new(),
    };
    let sort = sort.unwrap_or(if found.is_empty() {
        SearchSort::Date
    } else {
        SearchSort::Relevance
    });
    let question = Question::of(&[
        "search",
        &format!(
            "{found:?} {kind:?} {stage:?} {category:?} {area:?} {organisation:?} {from:?} {until:?} {value_min:?} {value_max:?} {sort:?}"
        ),
    ]);
    let after = question.after(cursor.as_deref(), 2)?;
    let wanted = Wanted {
        terms: found,
        kind: kind.map(|kind| kind.name().to_owned()),
        category,
        area,
        stage: stage.map(|stage| (stage, now)),
        organisation,
        from,
        until,
        value_min,
        value_max,
        order: order(sort, after)?,
    };
    Ok((wanted, limit, question))
}

fn order(sort: SearchSort, after: Option<Vec<String>>) -> Answer<Order> {
    let after = match after.as_deref() {
        Some([by, sequence]) => Some((by.clone(), sequence.parse::<i64>().map_err(|_| bad_cursor())?)),
        _ => None,
    };
    if matches!(sort, SearchSort::Date | SearchSort::Deadline) {
        let moment = |text: &str| NaiveDateTime::parse_from_str(text, INSTANT).map_err(|_| bad_cursor());
        let after = match after {
            Some((at, sequence)) => Some((moment(&at)?, sequence)),
            None => None,
        };
        return Ok(if sort == SearchSort::Date {
            Order::Newest(after)
        } else {
            Order::Deadline(after)
        });
    }
    let after = match after {
        Some((number, sequence)) => Some((number.parse::<i64>().map_err(|_| bad_cursor())?, sequence)),
        None => None,
    };
    Ok(match sort {
        SearchSort::Value => Order::Value(after),
        SearchSort::Relevance | SearchSort::Date | SearchSort::Deadline => Order::Relevance(after),
    })
}
