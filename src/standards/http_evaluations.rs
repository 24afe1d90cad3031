//! Judging measured values by a version of a standard, and comparing two versions, over HTTP. Nothing here changes anything.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::kernel::refusal::{Answer, Objection};
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::standards::acts::Named;
use crate::standards::http_versions::{named, seen};
use crate::standards::rules::StandardId;
use crate::standards::rules_differences::differences;
use crate::standards::rules_evaluation::{Measured, evaluate};
use crate::standards::rules_indicators::Content;
use crate::standards::rules_units::Unit;
use crate::standards::view::{ComparisonView, DifferenceView, EvaluationView, EvaluationsView};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{INVALID, MALFORMED};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(compare).service(judge);
}

/// Compare two versions of a standard
///
/// Which indicators this version has that another one of the same standard does not, which it has lost, and which say something
/// else: field by field, and whether more or less is allowed.
#[utoipa::path(
    operation_id = "compare_standard_versions",
    tag = "standards",
    params(
        ("id" = StandardId, Path, description = "The standard"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,3}$", description = "The number of the version that is asked about", example = "2"),
        ("from" = String, Query, pattern = "^[1-9][0-9]{0,3}$", description = "The number of the version to compare with", example = "1"),
    ),
    responses(
        (status = 200, description = "What differs", body = ComparisonView),
        (status = 404, description = "There is no such version"),
    ),
    extensions(("x-action" = json!("ReadStandards"))),
)]
#[get("/standards/{id}/versions/{number}/differences")]
async fn compare(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStandards, Matter::default())?;
    let mut query = Query::of(&request);
    let from = query.text("from");
    query.finish()?;
    let from = from.ok_or_else(|| {
        MALFORMED.refuse().listing(vec![Objection {
            pointer: "?from".to_owned(),
            code: "required",
            detail: Text::fixed("必填", "is required"),
        }])
    })?;
    let (id, number) = path.into_inner();
    let older: Named = named((id.clone(), from))?;
    let after = seen(&context, &actor, named((id, number))?).await?;
    let before = seen(&context, &actor, older).await?;
    let only_in = |one: &Content, other: &Content| -> Vec<String> {
        let grades = one.grades.iter();
        grades
            .filter(|grade| !other.grades.iter().any(|known| known.code == grade.code))
            .map(|grade| grade.code.clone())
            .collect()
    };
    let view = ComparisonView {
        from: (&before).into(),
        to: (&after).into(),
        grades_added: only_in(&after.content, &before.content),
        grades_removed: only_in(&before.content, &after.content),
        differences: differences(&before.content, &after.content)
            .into_iter()
            .map(DifferenceView::from)
            .collect(),
    };
    Ok(HttpResponse::Ok().json(view))
}

/// Values to be judged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Measurements {
    /// The values, each with its indicator.
    #[schema(min_items = 1, max_items = 200)]
    measurements: Vec<Measurement>,
}

/// A value that was measured.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"indicator": "cigarette_ends", "grade": "class_1", "value": "7", "unit": "piece", "sample_area_m2": "500"}))]
pub struct Measurement {
    /// The code of the indicator.
    #[schema(max_length = 40, example = "cigarette_ends")]
    indicator: String,
    /// The code of the grade of the place; needed where the indicator tells grades apart.
    #[serde(default)]
    #[schema(max_length = 40, example = "class_1")]
    grade: Option<String>,
    /// How much, an exact decimal; a time of day as `07:42`.
    #[schema(
        pattern = "^((0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?|([01][0-9]|2[0-3]):[0-5][0-9])$",
        example = "7"
    )]
    value: String,
    /// In which unit: that of the indicator, or another of the same dimension.
    unit: Unit,
    /// For what is so many on 1000 m² and was counted on a sample: how many square metres that has.
    #[serde(default)]
    #[schema(pattern = "^(0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?$", example = "500")]
    sample_area_m2: Option<String>,
}

/// Judge measured values
///
/// By the indicators of a version, without keeping anything: whether each is met, by how much not, and how many points that costs.
/// Units of the same dimension are converted exactly, others refused.
#[utoipa::path(
    operation_id = "evaluate_measurements",
    tag = "standards",
    params(
        ("id" = StandardId, Path, description = "The standard"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,3}$", description = "The number of the version", example = "1"),
    ),
    request_body = Measurements,
    responses(
        (status = 200, description = "What came of it", body = EvaluationsView),
        (status = 404, description = "There is no such version"),
    ),
    extensions(("x-action" = json!("ReadStandards"))),
)]
#[post("/standards/{id}/versions/{number}/evaluations")]
async fn judge(
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStandards, Matter::default())?;
    let body = incoming.json::<Measurements>().await?;
    let version = seen(&context, &actor, named(path.into_inner())?).await?;
    let view = judged(&version.content, body.value.measurements)?;
    Ok(HttpResponse::Ok().json(view))
}

/// Judges all of them, or tells of each that cannot be judged.
fn judged(content: &Content, measurements: Vec<Measurement>) -> Answer<EvaluationsView> {
    let mut evaluations = Vec::new();
    let mut faults = Vec::new();
    for (place, measurement) in measurements.into_iter().enumerate() {
        let Some(indicator) = content.indicator(&measurement.indicator) else {
            faults.push(Objection {
                pointer: format!("/measurements/{place}/indicator"),
                code: "unknown_indicator",
                detail: Text::fixed("本版没有这个指标", "the version has no such indicator"),
            });
            continue;
        };
        let measured = Measured {
            unit: measurement.unit,
            value: measurement.value,
            sample_area_m2: measurement.sample_area_m2,
        };
        match evaluate(content, indicator, measurement.grade.as_deref(), &measured) {
            Ok(evaluation) => {
                evaluations.push(EvaluationView::of(indicator, measurement.grade, evaluation));
            }
            Err(fault) => faults.push(Objection {
                pointer: format!("/measurements/{place}{}", fault.pointer),
                ..fault
            }),
        }
    }
    if !faults.is_empty() {
        return Err(INVALID.refuse().listing(faults).into());
    }
    let mut points_lost = Score::ZERO;
    for lost in evaluations.iter().filter_map(|one| one.points_lost) {
        // What a score cannot say any more is beyond every scale.
        points_lost = points_lost
            .checked_add(lost)
            .map_err(|_| INVALID.refuse().at("/measurements"))?;
    }
    Ok(EvaluationsView {
        evaluations,
        points_lost,
    })
}
