//! Pages of what the law wants shown of a community (居务公开): where a resident finds theirs, and what is shown of it. They show what the API shows to everybody, and nothing else.
//! No SQL and no rule; without a script, as all pages.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, web};

use crate::budget::desk::parsed;
use crate::db::conn::Conn;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::publish::desk_disclosures::{Asked, Entry, Minimum, Shown};
use crate::publish::http::{AtPublisher, allowed};
use crate::publish::http_disclosures::{asked, cursor, found, note};
use crate::publish::rules_disclosures::Kind;
use crate::registry::rules::{Area, Level};
use crate::registry::store::{self as registry, AreaFilter, Sort, SortKey};
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::page::{Field, Kind as FieldKind, Reader, Sheet};
use crate::web::page_part::Part;
use crate::web::paging::{Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every page of this file, and the methods that it has.
pub const PAGES: [(&str, &[&str]); 2] = [("/disclosures", &["GET"]), ("/disclosures/{area}", &["GET"])];

/// Communities on a page.
const COMMUNITIES: u16 = 50;
/// Things that are shown on a page.
const ENTRIES: u16 = 20;
/// Characters of a name to search by.
const NAME_MAX: usize = 100;

/// Serves them.
pub fn pages(config: &mut web::ServiceConfig) {
    config.service(communities).service(community);
}

#[get("/disclosures")]
async fn communities(request: HttpRequest, context: Shared, publisher: AtPublisher) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match listed(&request, (&context, &publisher)).await {
        Ok(sheet) => reader.show(StatusCode::OK, &sheet),
        Err(stop) => Err(stop),
    };
    reader.answer(answer)
}

#[get("/disclosures/{area}")]
async fn community(
    request: HttpRequest,
    context: Shared,
    publisher: AtPublisher,
    area: web::Path<String>,
) -> HttpResponse {
    let reader = Reader::of(&request);
    let answer = match of_area(&request, (&context, &publisher), &area).await {
        Ok(sheet) => reader.show(StatusCode::OK, &sheet),
        Err(stop) => Err(stop),
    };
    reader.answer(answer)
}

/// A community, with the name of what it lies in.
struct Named {
    area: Area,
    within: Option<Text>,
}

fn name(area: &Area) -> Text {
    Text::made(area.designation.name_zh.clone(), area.designation.name_en.clone())
}

fn named(conn: &mut Conn, filter: &AreaFilter) -> Answer<Vec<Named>> {
    let mut parents: BTreeMap<String, Option<Text>> = BTreeMap::new();
    let mut found = Vec::new();
    for area in registry::areas(conn, filter, i64::from(COMMUNITIES).saturating_add(1))? {
        let within = match &area.parent_id {
            None => None,
            Some(id) => {
                if !parents.contains_key(id.as_str()) {
                    let parent = registry::area(conn, id)?;
                    parents.insert(id.to_string(), parent.as_ref().map(name));
                }
                parents.get(id.as_str()).cloned().flatten()
            }
        };
        found.push(Named { area, within });
    }
    Ok(found)
}

async fn listed(request: &HttpRequest, (context, publisher): (&Shared, &AtPublisher)) -> Answer<Sheet> {
    allowed(&Actor::public(), publisher)?;
    policy::allow(&Actor::public(), Action::ReadAreas, Matter::default())?;
    let mut query = Query::of(request);
    let searched = query.text("q");
    let at = query.text("cursor");
    query.text("lang");
    query.finish()?;
    let words = searched.clone().unwrap_or_default();
    let question = Question::of(&["disclosed_communities", &words]);
    let after = question.after(at.as_deref(), 2)?;
    let after = match after.as_deref() {
        Some([name, id]) => Some((SortKey::Name(name.clone()), id.clone())),
        _ => None,
    };
    let is_first = after.is_none();
    let filter = AreaFilter {
        parent_id: None,
        within: None,
        level: Some(Level::Community),
        text: searched,
        sort: Sort::Name,
        after,
    };
    let areas = context.db.read(move |conn| named(conn, &filter)).await?;
    let key = |one: &Named| vec![one.area.designation.name_zh.clone(), one.area.id.to_string()];
    let page = Page::cut(areas, COMMUNITIES, &question, key);
    Ok(index(&page, &words, (is_first, at.as_deref())))
}

/// Where a resident finds their community.
fn index(page: &Page<Named>, words: &str, (is_first, at): (bool, Option<&str>)) -> Sheet {
    let mut kept = vec![("q", words)];
    kept.extend(at.map(|at| ("cursor", at)));
    kept.retain(|(_, value)| !value.is_empty());
    let mut sheet = Sheet::new(Text::fixed("居务公开", "What is public about your community"))
        .says(Text::fixed(
            "请选择您的社区，查看与它有关的决定、政府经费及其使用、服务项目的实施。无需登录；公开后一直可查，不会撤下。",
            "Choose your community to see what was decided for it, what government money was spent on, and how the work is done. No account is needed, and nothing is ever taken down.",
        ))
        .searches(
            Field::new("q", FieldKind::Line, Text::fixed("社区名称", "Name of the community"))
                .value(words)
                .at_most(NAME_MAX)
                .optional(),
            Text::fixed("查找", "Search"),
        )
        .asked(&kept);
    if page.items.is_empty() {
        return sheet
            .says(if is_first && words.is_empty() {
                Text::fixed("尚未登记任何社区。", "No community is registered yet.")
            } else {
                Text::fixed("没有这样的社区。", "There is no such community.")
            })
            .leads_to(Text::fixed("全部社区", "All communities"), "/disclosures");
    }
    let mut part = Part::new(Text::fixed("社区", "Communities"));
    for one in &page.items {
        let own = name(&one.area);
        let label = match &one.within {
            None => own,
            Some(within) => {
                let (zh, en) = (own.zh(), own.en());
                let (in_zh, in_en) = (within.zh(), within.en());
                text!("{zh}（{in_zh}）", "{en} ({in_en})")
            }
        };
        part = part.leads_to(label, format!("/disclosures/{}", one.area.id));
    }
    sheet = sheet.part(part);
    if let Some(next) = &page.next_cursor {
        let path = with_query("/disclosures", &[("q", words), ("cursor", next)]);
        sheet = sheet.leads_to(Text::fixed("更多社区", "More communities"), path);
    }
    if !is_first {
        let path = with_query("/disclosures", &[("q", words)]);
        sheet = sheet.leads_to(Text::fixed("回到第一页", "Back to the first page"), path);
    }
    sheet.leads_to(Text::fixed("返回首页", "Back to the front page"), "/")
}

/// A path with what is asked for; what is empty is not.
fn with_query(path: &str, asked: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(asked.iter().filter(|(_, value)| !value.is_empty()));
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

async fn of_area(
    request: &HttpRequest,
    (context, publisher): (&Shared, &AtPublisher),
    area: &str,
) -> Answer<Sheet> {
    allowed(&Actor::public(), publisher)?;
    let area = parsed::<AreaId>(area)?;
    let mut query = Query::of(request);
    query.text("lang");
    let (question, asked) = asked(query, area, (ENTRIES, ENTRIES))?;
    let shown = found(context, asked.clone()).await?;
    Ok(sheet(&shown, &asked, &question))
}

/// What is asked for, as it stands in the address of the page.
fn kept(asked: &Asked) -> Vec<(&'static str, String)> {
    let day = |day: Option<chrono::NaiveDate>| day.map_or_else(String::new, |day| day.to_string());
    let kind = asked.kind.map_or("", Kind::name).to_owned();
    vec![
        ("kind", kind),
        ("from", day(asked.from)),
        ("until", day(asked.until)),
    ]
}

fn pairs<'p>(kept: &'p [(&'static str, String)]) -> Vec<(&'p str, &'p str)> {
    let pairs = kept.iter().map(|(name, value)| (*name, value.as_str()));
    pairs.filter(|(_, value)| !value.is_empty()).collect()
}

/// What is shown of a community.
fn sheet(shown: &Shown, asked: &Asked, question: &Question) -> Sheet {
    let own = name(&shown.area);
    let (zh, en) = (own.zh(), own.en());
    let path = format!("/disclosures/{}", shown.area.id);
    let kept = kept(asked);
    let mut here = pairs(&kept);
    let at = cursor(question, asked.after);
    here.extend(at.as_deref().map(|at| ("cursor", at)));
    let mut sheet = Sheet::new(text!("{zh}：居务公开", "{en}: what is public"))
        .says(Text::fixed(
            "法律要求向居民公开的事项：决定、政府经费及其使用、服务项目的实施；包括为本社区、为本社区所在街道和区市采购的服务。最新的在前。",
            "What the law wants residents to see: decisions, government money and its use, how the work is done; of services for this community and for the street, district and city that it lies in. The newest first.",
        ))
        .says(note(asked, shown))
        .asked(&here);
    if !shown.entries.is_empty() || !pairs(&kept).is_empty() {
        sheet = sheet.part(kinds(&path, asked));
    }
    for entry in &shown.entries {
        sheet = sheet.part(part(entry));
    }
    if let Some(next) = cursor(question, shown.next) {
        let mut further = pairs(&kept);
        further.push(("cursor", &next));
        sheet = sheet.leads_to(
            Text::fixed("更早的", "What is older"),
            with_query(&path, &further),
        );
    }
    if asked.after.is_some() {
        sheet = sheet.leads_to(
            Text::fixed("最新的", "What is newest"),
            with_query(&path, &pairs(&kept)),
        );
    }
    sheet
        .leads_to(Text::fixed("其他社区", "Other communities"), "/disclosures")
        .leads_to(Text::fixed("返回首页", "Back to the front page"), "/")
}

/// The ways to what is of one kind, and back to all of it.
fn kinds(path: &str, asked: &Asked) -> Part {
    let mut part = Part::new(Text::fixed("只看", "Only"));
    for kind in Kind::ALL.into_iter().filter(|kind| asked.kind != Some(*kind)) {
        part = part.leads_to(kind.title(), with_query(path, &[("kind", kind.name())]));
    }
    if pairs(&kept(asked)).is_empty() {
        part
    } else {
        part.leads_to(Text::fixed("全部事项", "Everything"), path)
    }
}

/// Since when something is shown, how long that is, and how long it has to be.
fn since(entry: &Entry) -> Text {
    let (at, days) = (entry.since_local.format("%Y-%m-%d %H:%M"), entry.days);
    let (rule_zh, rule_en) = match &entry.minimum {
        Some(Minimum {
            days: Some(min),
            citations,
            ..
        }) => {
            let named = |name: fn(&crate::statutes::profile::Citation) -> &str, between: &str| {
                citations.iter().map(name).collect::<Vec<_>>().join(between)
            };
            let (zh, en) = (
                named(|one| &one.instrument_zh, "、"),
                named(|one| &one.instrument_en, ", "),
            );
            (
                format!("；法定不少于 {min} 日（{zh}）。"),
                format!("; the law wants at least {min} ({en})."),
            )
        }
        _ => (
            "；当时的规则未规定最短时间。".to_owned(),
            "; the rules of that day want no least time.".to_owned(),
        ),
    };
    text!(
        "自 {at} 起公开，已公开 {days} 日{rule_zh}",
        "Shown since {at}; days so far: {days}{rule_en}"
    )
}

fn part(entry: &Entry) -> Part {
    let title = entry.told.kind.title();
    let (zh, en) = (title.zh(), title.en());
    let day = entry.since_local.date();
    let mut part = Part::new(text!("{day} · {zh}", "{day} · {en}"))
        .says(entry.told.what.clone())
        .says(since(entry));
    if entry.versions > 0 {
        let path = format!(
            "/api/v1/contract-books/{}/versions/{}/print?lang=both",
            entry.subject_id, entry.versions
        );
        part = part.points_to(Text::fixed("项目承包责任书", "The contract book"), path);
    }
    part.points_to(
        Text::fixed("公开的数据", "The published data"),
        format!("/ocds/releases/{}/{}", entry.ocid, entry.release_id),
    )
}
