//! A community's roll over HTTP: parse, call one act or query, render. No SQL and no rule. A roll that is not the caller's is not
//! there. What is read is shown whole to the registrar and to the resident; what is written is answered with ids only, because such
//! an answer is remembered under its `Idempotency-Key`, and an erased person must not live on in it.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::local_day::local_date;
use crate::kernel::party::{AccountId, AreaId};
use crate::kernel::refusal::Answer;
use crate::registry::acts_roll::{self as acts, ChangeHousehold, EnterResident};
use crate::registry::rules::Area;
use crate::registry::rules_roll::{Entry, Household, HouseholdId, Resident, ResidentId, State};
use crate::registry::rules_roll_statistics::{self as statistics, RollNumbers};
use crate::registry::store_roll_reading::{self as reading, Listed, ResidentFilter, Sort};
use crate::registry::{store, store_roll};
use crate::web::actor::{Actor, Shared};
use crate::web::body::{Incoming, given};
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list)
        .service(enter)
        .service(numbers)
        .service(change_household)
        .service(own);
}

/// A household.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Household)]
pub struct HouseholdView {
    /// Its id.
    pub id: HouseholdId,
    /// Building, unit and room.
    #[schema(example = "3-2-501")]
    pub code: String,
    /// The area of the dwelling, square metres; `null` where it is not known.
    #[schema(required = true, example = "89.35")]
    pub dwelling_area_m2: Option<String>,
    /// Counts the changes, from 1.
    #[schema(example = 1)]
    pub version: i64,
}

impl From<Household> for HouseholdView {
    fn from(household: Household) -> Self {
        Self {
            id: household.id,
            code: household.code,
            dwelling_area_m2: household.dwelling_area.map(|area| area.to_string()),
            version: household.version,
        }
    }
}

/// A resident, for their registrar and for themself. What is personal is `null` once they are erased.
#[derive(Serialize, ToSchema)]
#[schema(as = Resident)]
pub struct ResidentView {
    /// Their id.
    pub id: ResidentId,
    /// The community.
    pub area_id: AreaId,
    /// Where they stand.
    pub state: State,
    /// Their household.
    #[schema(required = true)]
    pub household: Option<HouseholdView>,
    /// Name.
    #[schema(required = true, example = "王小梅")]
    pub name: Option<String>,
    /// Date of birth.
    #[schema(required = true, value_type = Option<String>, format = Date, example = "1984-07-19")]
    pub birth_date: Option<NaiveDate>,
    /// True if they own the dwelling, alone or with others.
    #[schema(example = true)]
    pub is_owner: bool,
    /// Telephone number.
    #[schema(required = true, example = "13800138000")]
    pub phone: Option<String>,
    /// Mail address.
    #[schema(required = true, example = "wang@example.org")]
    pub email: Option<String>,
    /// True if an account has claimed their place.
    #[schema(example = false)]
    pub has_account: bool,
    /// Until when the letter that was last printed for them can be used, UTC; `null` without such a letter.
    #[schema(required = true, example = "2026-05-01T16:00:00.000000Z")]
    pub letter_expires_at: Option<String>,
    /// When they came onto the roll, by the ward's calendar.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    pub entered_on: NaiveDate,
    /// When they left it.
    #[schema(required = true, value_type = Option<String>, format = Date, example = "2026-09-30")]
    pub left_on: Option<NaiveDate>,
    /// Counts the changes, from 1; also the `ETag`.
    #[schema(example = 1)]
    pub version: i64,
    /// When they were entered, UTC.
    #[schema(example = "2026-03-02T00:00:00.000000Z")]
    pub created_at: String,
    /// When they were last changed, UTC.
    #[schema(example = "2026-03-02T00:00:00.000000Z")]
    pub updated_at: String,
}

impl From<Listed> for ResidentView {
    fn from(listed: Listed) -> Self {
        let resident = listed.resident;
        let person = resident.person.as_ref();
        Self {
            household: listed.household.map(HouseholdView::from),
            name: person.map(|person| person.name.clone()),
            birth_date: person.map(|person| person.birth_date),
            is_owner: person.is_some_and(|person| person.is_owner),
            phone: person.and_then(|person| person.phone.clone()),
            email: person.and_then(|person| person.email.clone()),
            has_account: resident.account_id.is_some(),
            letter_expires_at: listed.letter_expires_at.map(rfc3339),
            id: resident.id,
            area_id: resident.area_id,
            state: resident.state,
            entered_on: resident.entered_on,
            left_on: resident.left_on,
            version: resident.version,
            created_at: rfc3339(resident.created_at),
            updated_at: rfc3339(resident.updated_at),
        }
    }
}

/// Which resident was written, without anything personal.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResidentReference {
    /// Their id.
    pub id: ResidentId,
    /// The community.
    pub area_id: AreaId,
    /// Where they stand now.
    pub state: State,
    /// Their version now; also the `ETag`.
    #[schema(example = 2)]
    pub version: i64,
}

impl From<Resident> for ResidentReference {
    fn from(resident: Resident) -> Self {
        Self {
            id: resident.id,
            area_id: resident.area_id,
            state: resident.state,
            version: resident.version,
        }
    }
}

/// Somebody to enter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewResident {
    /// The code of their household: building, unit and room. It is added if it is not there.
    #[schema(min_length = 1, max_length = 50, example = "3-2-501")]
    household: String,
    /// The area of its dwelling, square metres, as the title deed states it. One that is known already is not changed by this.
    #[serde(default)]
    #[schema(max_length = 12, example = "89.35")]
    dwelling_area_m2: Option<String>,
    /// Name, in any script; without invisible characters.
    #[schema(min_length = 1, max_length = 100, example = "王小梅")]
    name: String,
    /// Date of birth.
    #[schema(max_length = 20, example = "1984-07-19")]
    birth_date: String,
    /// True if they own the dwelling, alone or with others.
    #[serde(default)]
    #[schema(example = true)]
    is_owner: bool,
    /// Telephone number.
    #[serde(default)]
    #[schema(max_length = 30, example = "138 0013 8000")]
    phone: Option<String>,
    /// Mail address.
    #[serde(default)]
    #[schema(max_length = 254, example = "wang@example.org")]
    email: Option<String>,
}

/// Another code or dwelling area; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HouseholdDetails {
    /// Building, unit and room, unique in the community.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 50, example = "3-2-501")]
    code: Option<String>,
    /// The area of the dwelling, square metres; `null` when it is not known after all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 12, example = "91.20")]
    dwelling_area_m2: Option<Option<String>>,
}

/// A community's roll in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct RollStatistics {
    /// The community.
    pub area_id: AreaId,
    /// The day that ages are counted on, by the ward's calendar.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    pub on: NaiveDate,
    /// The numbers.
    pub numbers: RollNumbers,
}

/// The residents that an account is.
#[derive(Serialize, ToSchema)]
pub struct OwnResidence {
    /// One for each community on whose roll the account has claimed a place.
    pub items: Vec<ResidentView>,
}

/// List residents
///
/// The roll of a community, for its registrar. A cursor is good while the resident that it stands at is on no other place.
#[utoipa::path(
    operation_id = "list_residents",
    tag = "roll",
    params(
        ("id" = AreaId, Path, description = "The community"),
        ("household_id" = Option<HouseholdId>, Query, description = "Of this household"),
        ("state" = Option<State>, Query, description = "In this state, `active` by default"),
        ("q" = Option<String>, Query, description = "With this text in the name or in the household's code; Latin letters in either case", example = "3-2"),
        ("sort" = Option<Sort>, Query, description = "The order, `household` by default; with `-` the other way round"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<ResidentView>),
        (status = 404, description = "There is no such community, or its roll is not yours"),
    ),
    extensions(("x-action" = json!("ReadRoll"))),
)]
#[get("/areas/{id}/residents")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadRoll)?;
    let wanted = asked(&request)?;
    let area = roll_of(&context, &actor, Action::ReadRoll, &id).await?;
    let limit = wanted.limit;
    let (filter, question) = filter(wanted, area.id)?;
    let residents = context
        .db
        .read(move |conn| reading::residents(conn, &filter, i64::from(limit).saturating_add(1)))
        .await?;
    let page = Page::cut(residents, limit, &question, |one| {
        vec![one.resident.id.to_string()]
    });
    // No `Link`: it would repeat the query, and with it whatever name was searched for.
    Ok(HttpResponse::Ok().json(page.map(ResidentView::from)))
}

/// What a listing asks for, whichever community's it is.
struct Wanted {
    household_id: Option<HouseholdId>,
    state: State,
    text: Option<String>,
    sort: Sort,
    limit: u16,
    cursor: Option<String>,
}

fn asked(request: &HttpRequest) -> Answer<Wanted> {
    let mut query = Query::of(request);
    let household_id = query.parsed::<HouseholdId>("household_id");
    let state = query
        .one_of("state", &State::ALL.map(|state| (state.name(), state)))
        .unwrap_or(State::Active);
    let text = query.text("q");
    let sorts = [
        ("household", Sort::Household),
        ("-household", Sort::HouseholdDown),
        ("name", Sort::Name),
        ("-name", Sort::NameDown),
        ("entered", Sort::Entered),
        ("-entered", Sort::EnteredDown),
    ];
    let sort = query.one_of("sort", &sorts).unwrap_or(Sort::Household);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    Ok(Wanted {
        household_id,
        state,
        text,
        sort,
        limit,
        cursor,
    })
}

/// The filter and the question of a listing.
fn filter(wanted: Wanted, area_id: AreaId) -> Answer<(ResidentFilter, Question)> {
    let Wanted {
        household_id,
        state,
        text,
        sort,
        cursor,
        ..
    } = wanted;
    let question = Question::of(&[
        area_id.as_str(),
        household_id.as_ref().map_or("", HouseholdId::as_str),
        state.name(),
        text.as_deref().unwrap_or_default(),
        &format!("{sort:?}"),
    ]);
    let after = match question.after(cursor.as_deref(), 1)?.as_deref() {
        Some([id]) => Some(id.parse().map_err(|_| bad_cursor())?),
        _ => None,
    };
    let filter = ResidentFilter {
        area_id,
        household_id,
        state,
        text,
        sort,
        after,
    };
    Ok((filter, question))
}

/// Enter a resident
///
/// Puts somebody on the roll of a community, from today on.
#[utoipa::path(
    operation_id = "enter_resident",
    tag = "roll",
    params(("id" = AreaId, Path, description = "The community")),
    request_body = NewResident,
    responses(
        (status = 201, description = "The new resident", body = ResidentReference, headers(("ETag" = String, description = "The version, for `If-Match`"), ("Location" = String, description = "Where the resident is"))),
        (status = 404, description = "There is no such community, or its roll is not yours"),
        (status = 409, description = "`resident_known`, `dwelling_area_differs`, `roll_full`"),
    ),
    extensions(("x-action" = json!("ChangeRoll"))),
)]
#[post("/areas/{id}/residents")]
async fn enter(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let area = roll_of(&context, &actor, Action::ChangeRoll, &id).await?;
    let body = incoming.json::<NewResident>().await?;
    let NewResident {
        household,
        dwelling_area_m2,
        name,
        birth_date,
        is_owner,
        phone,
        email,
    } = body.value;
    let entry = Entry {
        household,
        dwelling_area_m2,
        name,
        birth_date,
        is_owner,
        phone,
        email,
    };
    let command = EnterResident {
        area_id: area.id,
        entry,
    };
    let (by, zone) = (actor.clone(), context.calendar.zone);
    context
        .write_once(&actor, once, body.digest, move |tx| {
            reply(201, acts::enter(tx, &by, zone, &command)?)
        })
        .await
}

/// Change a household
///
/// Its code, or the area of its dwelling. Needs `If-Match` with the household's version.
#[utoipa::path(
    operation_id = "change_household",
    tag = "roll",
    params(("id" = HouseholdId, Path, description = "The household"), ("If-Match" = String, Header, max_length = 100, description = "The version you mean, as an `ETag`; `*` for whatever it is now", example = "\"v1\"")),
    request_body = HouseholdDetails,
    responses(
        (status = 200, description = "The household as it is now", body = HouseholdView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such household, or the roll it is on is not yours"),
        (status = 409, description = "`household_code_taken`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ChangeRoll"))),
)]
#[patch("/households/{id}")]
async fn change_household(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let id = own_household(&context, &actor, &id).await?;
    let body = incoming.json::<HouseholdDetails>().await?;
    let command = ChangeHousehold {
        id,
        expected: Expected::of(&request)?,
        code: body.value.code,
        dwelling_area_m2: body.value.dwelling_area_m2,
    };
    let household = context
        .db
        .write(move |tx| acts::change_household(tx, &actor, &command))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(household.version)))
        .json(HouseholdView::from(household)))
}

/// Read a roll in numbers
///
/// Everybody may read the numbers that speak of ten people or more; others are `null`, and bands of age are put together until they
/// do. The registrar of the community and auditors read all of them.
#[utoipa::path(
    operation_id = "read_roll_statistics",
    tag = "roll",
    params(("id" = AreaId, Path, description = "The community")),
    responses(
        (status = 200, description = "The numbers of today", body = RollStatistics),
        (status = 404, description = "There is no such community"),
    ),
    extensions(("x-action" = json!("ReadRollStatistics"))),
)]
#[get("/areas/{id}/roll/statistics")]
async fn numbers(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadRollStatistics, Matter::default())?;
    let id: AreaId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    let on = local_date(context.clock.now(), context.calendar.zone);
    let counted = context
        .db
        .read(move |conn| {
            let area = store::area(conn, &id)?.filter(crate::registry::rules_roll::has_roll);
            let area = area.ok_or_else(|| NOT_FOUND.refuse())?;
            let counts = reading::counts(conn, &area.id, on)?;
            Ok((area, counts))
        })
        .await?;
    let (area, counts) = counted;
    let sees_all = policy::allows(
        &actor,
        Action::ReadWholeRollStatistics,
        Matter::of_area(&area.path),
    );
    let numbers = if sees_all {
        statistics::whole(&counts)
    } else {
        statistics::published(&counts)
    };
    Ok(HttpResponse::Ok().json(RollStatistics {
        area_id: area.id,
        on,
        numbers,
    }))
}

/// Read one's own residence
///
/// What the roll says of the residents whose place this account has claimed.
#[utoipa::path(
    operation_id = "read_own_residence",
    tag = "roll",
    responses((status = 200, description = "The residents that this account is; none if it has claimed no place", body = OwnResidence)),
    extensions(("x-action" = json!("ReadOwnResidence"))),
)]
#[get("/me/residence")]
async fn own(context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOwnResidence, Matter::default())?;
    // A token that was issued on the machine itself may name what is no account.
    let account: Option<AccountId> = actor.id().and_then(|id| id.parse().ok());
    let mut items = Vec::new();
    if let Some(account) = account {
        let found = context
            .db
            .read(move |conn| {
                let own = store_roll::residents_of_account(conn, &account)?;
                own.iter()
                    .map(|resident| reading::one(conn, &resident.id))
                    .collect::<Answer<Vec<_>>>()
            })
            .await?;
        items.extend(found.into_iter().flatten().map(ResidentView::from));
    }
    Ok(HttpResponse::Ok().json(OwnResidence { items }))
}

/// The community of that id, if its roll is the actor's to do this with.
pub(super) async fn roll_of(context: &Shared, actor: &Actor, action: Action, id: &str) -> Answer<Area> {
    policy::allow_at_all(actor, action)?;
    let id: AreaId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    let by = actor.clone();
    context
        .db
        .glance(move |conn| acts::community(conn, &by, action, &id))
        .await
}

async fn own_household(context: &Shared, actor: &Actor, id: &str) -> Answer<HouseholdId> {
    policy::allow_at_all(actor, Action::ChangeRoll)?;
    let id: HouseholdId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    let by = actor.clone();
    context
        .db
        .glance(move |conn| {
            let found = store_roll::household(conn, &id)?.ok_or_else(|| NOT_FOUND.refuse())?;
            acts::community(conn, &by, Action::ChangeRoll, &found.area_id)?;
            Ok(found.id)
        })
        .await
}

pub(super) fn reply(status: u16, resident: Resident) -> Answer<Reply> {
    let etag = conditional::etag(resident.version);
    let location = format!("/api/v1/residents/{}", resident.id);
    let reply = Reply::json(status, &ResidentReference::from(resident))?.etag(etag);
    Ok(if status == 201 {
        reply.location(location)
    } else {
        reply
    })
}
