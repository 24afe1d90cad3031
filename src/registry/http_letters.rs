//! Letters of invitation, and claims made with them, over HTTP.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderName};
use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::kernel::party::AreaId;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::registry::acts_letters::{self as acts, ClaimResidence, Invited, PrintLetters, Printed};
use crate::registry::http_roll::roll_of;
use crate::registry::letters::{self, Paper};
use crate::registry::rules_letters::LETTERS_PRINTED;
use crate::registry::rules_roll::ResidentId;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::INVALID;

/// How many more residents another batch would invite.
const LETTERS_REMAINING: HeaderName = HeaderName::from_static("letters-remaining");

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(print).service(claim);
}

/// A size of paper.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaperSize {
    /// 210 × 297 mm.
    #[default]
    A4,
    /// 148 × 210 mm.
    A5,
}

/// Letters to print: for residents who are named, or for everyone who has neither an account nor a letter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLetters {
    /// The residents, adults without an account.
    #[serde(default)]
    #[schema(nullable = false, min_items = 1, max_items = 500)]
    resident_ids: Option<Vec<ResidentId>>,
    /// `true` instead of `resident_ids`: all adults who have neither an account nor a letter that can be used, the first 500 by household.
    #[serde(default)]
    #[schema(example = false)]
    everyone: bool,
    /// The last day on which the letters can be used: within a year, in 60 days by default.
    #[serde(default)]
    #[schema(nullable = false, max_length = 20, example = "2026-04-30")]
    valid_until: Option<String>,
    /// What they are printed on; A4 by default.
    #[serde(default)]
    paper: PaperSize,
}

/// A place on a roll that is claimed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClaim {
    /// The code of the letter: the one in its link, or the one in print, with or without hyphens.
    #[schema(min_length = 1, max_length = 60, example = "7ZQK-2M4V-9XHD-0RCP")]
    code: String,
    /// The date of birth of the resident whom the letter invites.
    #[schema(min_length = 1, max_length = 20, example = "1984-07-19")]
    birth_date: String,
}

/// A place on a roll that was claimed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Claimed {
    /// The resident that the account is from now on.
    pub resident_id: ResidentId,
    /// The community, as whose resident the account may act.
    pub area_id: AreaId,
}

/// Print letters of invitation
///
/// One page to print, a sheet for each resident, with a QR code and a code to type. It is shown this once: the codes are kept as
/// hashes, and printing for the same residents again makes new ones and the old ones void. Sent again with the same
/// `Idempotency-Key`, the request does nothing and is refused with `letters_printed`.
#[utoipa::path(
    operation_id = "print_letters",
    tag = "roll",
    params(("id" = AreaId, Path, description = "The community")),
    request_body = NewLetters,
    responses(
        (status = 200, description = "The letters", content((String = "text/html", example = "<!doctype html><html lang=\"zh-CN\"><title>桂园社区 · Guiyuan Community</title>…</html>")),
            headers(("Letters-Remaining" = i64, description = "How many more residents another batch of everyone would invite"))),
        (status = 404, description = "There is no such community, or its roll is not yours"),
        (status = 409, description = "`resident_not_invitable`, `nobody_to_invite`, `letters_printed`"),
    ),
    extensions(("x-action" = json!("PrintLetters"))),
)]
#[post("/areas/{id}/invitation-letters")]
async fn print(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let area = roll_of(&context, &actor, Action::PrintLetters, &id).await?;
    let body = incoming.json::<NewLetters>().await?;
    let invited = match (body.value.resident_ids, body.value.everyone) {
        (Some(ids), false) => Invited::Named(ids),
        (None, true) => Invited::Everyone,
        _ => {
            let detail = Text::fixed(
                "请在 resident_ids 与 everyone 中选择其一",
                "give either resident_ids or everyone",
            );
            return Err(INVALID.because(detail).at("/resident_ids").into());
        }
    };
    let paper = match body.value.paper {
        PaperSize::A4 => Paper::A4,
        PaperSize::A5 => Paper::A5,
    };
    let command = PrintLetters {
        area_id: area.id,
        invited,
        valid_until: body.value.valid_until,
    };
    let (by, zone) = (actor.clone(), context.calendar.zone);
    // The page goes round the answer that is remembered, so that neither codes nor names are stored with it.
    let made: Arc<Mutex<Option<Printed>>> = Arc::default();
    let keep = made.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let printed = acts::print(tx, &by, zone, &command)?;
            let counted = json!({ "letters": printed.letters.len() });
            *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(printed);
            Ok(Reply::json(200, &counted)?)
        })
        .await?;
    let made = made.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(printed) = made else {
        return Err(LETTERS_PRINTED.refuse().into());
    };
    let page = letters::page(&printed, paper, &context.settings.public_url)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_SECURITY_POLICY, paper.security_policy()))
        .insert_header((LETTERS_REMAINING, printed.remaining.to_string()))
        .content_type("text/html; charset=utf-8")
        .body(page))
}

/// Claim a residence
///
/// Makes the account that of the resident whom a letter invites. A wrong code, a wrong date of birth, a used letter and an old one
/// are refused alike.
#[utoipa::path(
    operation_id = "claim_residence",
    tag = "roll",
    request_body = NewClaim,
    responses(
        (status = 200, description = "The account is that resident from now on", body = Claimed),
        (status = 409, description = "`residence_code_not_good`, `residence_account_needed`, `residence_taken`"),
    ),
    extensions(("x-action" = json!("ClaimResidence"))),
)]
#[post("/residence-claims")]
async fn claim(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ClaimResidence, Matter::default())?;
    let body = incoming.json::<NewClaim>().await?;
    context.throttle.guess(actor.id().unwrap_or_default())?;
    let command = ClaimResidence {
        code: body.value.code,
        birth_date: body.value.birth_date,
    };
    let (by, zone) = (actor.clone(), context.calendar.zone);
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let resident = acts::claim(tx, &by, zone, &command)?;
            let claimed = Claimed {
                resident_id: resident.id,
                area_id: resident.area_id,
            };
            Ok(Reply::json(200, &claimed)?)
        })
        .await
}
