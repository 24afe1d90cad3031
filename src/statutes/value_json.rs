//! The schema of a rule's value in JSON: an object whose one member is named after the kind. It says the same limits as
//! [`RuleValue::check`], so that most of what cannot be is refused with its place before anything is judged.

use serde_json::json;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, Type};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::kernel::money::Money;
use crate::kernel::score::Score;
use crate::kernel::weight::Weight;
use crate::statutes::value::{
    BANDS_MAX, CHOICES_MAX, Count, Days, Kind, Minutes, Months, NAME_LENGTH_MAX, RuleValue, Share,
    WORD_LENGTH_MAX, WorkingDays, Years,
};

impl PartialSchema for RuleValue {
    fn schema() -> RefOr<Schema> {
        let all = Kind::ALL.into_iter().fold(OneOfBuilder::new(), |all, kind| {
            all.item(
                ObjectBuilder::new()
                    .property(kind.name(), inner(kind))
                    .required(kind.name())
                    .additional_properties(Some(AdditionalProperties::FreeForm(false))),
            )
        });
        all.description(Some(
            "What a rule says: an object with the kind as its one member.",
        ))
        .examples([json!({ "days": 20 })])
        .into()
    }
}

impl ToSchema for RuleValue {
    fn name() -> std::borrow::Cow<'static, str> {
        "StatuteRuleValue".into()
    }
}

fn inner(kind: Kind) -> RefOr<Schema> {
    match kind {
        Kind::Days => number(Days::MAX),
        Kind::WorkingDays => number(WorkingDays::MAX),
        Kind::Minutes => number(Minutes::MAX),
        Kind::Months => number(Months::MAX),
        Kind::Years => number(Years::MAX),
        Kind::Count => number(Count::MAX),
        Kind::Percent => Weight::schema(),
        Kind::Money => Money::schema(),
        Kind::Boolean => ObjectBuilder::new().schema_type(Type::Boolean).into(),
        Kind::Share => closed(&["numerator", "denominator", "exceeded"])
            .property("numerator", number(Share::TERM_MAX))
            .property("denominator", number(Share::TERM_MAX))
            .property("exceeded", ObjectBuilder::new().schema_type(Type::Boolean))
            .into(),
        Kind::Choices => list(words(closed(&["code", "name_zh", "name_en"])), CHOICES_MAX),
        Kind::Bands => list(
            words(closed(&["code", "name_zh", "name_en", "from", "to"]))
                .property("from", Score::schema())
                .property("to", Score::schema()),
            BANDS_MAX,
        ),
    }
}

fn number(max: u32) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .maximum(Some(max))
        .into()
}

fn text(length_max: usize) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(length_max))
        .into()
}

/// An object with these members and no others.
fn closed(members: &[&str]) -> ObjectBuilder {
    members.iter().fold(
        ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false))),
        |object, member| object.required(*member),
    )
}

fn words(object: ObjectBuilder) -> ObjectBuilder {
    object
        .property("code", text(WORD_LENGTH_MAX))
        .property("name_zh", text(NAME_LENGTH_MAX))
        .property("name_en", text(NAME_LENGTH_MAX))
}

fn list(item: ObjectBuilder, length_max: usize) -> RefOr<Schema> {
    ArrayBuilder::new()
        .items(RefOr::T(Schema::Object(item.build())))
        .min_items(Some(1))
        .max_items(Some(length_max))
        .into()
}
