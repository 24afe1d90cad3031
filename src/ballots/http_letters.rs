//! Letters to voters over HTTP. No SQL and no rule.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderName};
use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::ballots::acts_letters::{self as acts, Printed, Readers};
use crate::ballots::letters;
use crate::ballots::polling::AtPolling;
use crate::ballots::rules::{BallotId, LETTERS_PRINTED};
use crate::budget::desk::parsed;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::registry::http_letters::PaperSize;
use crate::registry::letters::Paper;
use crate::registry::rules_roll::ResidentId;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};
use crate::web::problem::INVALID;

/// How many more voters another batch would write to.
const LETTERS_REMAINING: HeaderName = HeaderName::from_static("letters-remaining");

/// How many entries of the roll got none, because they are not those that were frozen.
const LETTERS_UNVOUCHED: HeaderName = HeaderName::from_static("letters-unvouched");

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(print);
}

/// Letters to print: for voters who are named, or for everyone in the community who has none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBallotLetters, example = json!({"ballot_id": "ballot_01jd3n8f5teqkrzvq1c0m6h2ax", "everyone": true, "paper": "a5"}))]
pub struct NewLetters {
    /// The ballot.
    ballot_id: BallotId,
    /// The voters, by their ids on the roll.
    #[serde(default)]
    #[schema(nullable = false, min_items = 1, max_items = 500)]
    resident_ids: Option<Vec<ResidentId>>,
    /// `true` instead of `resident_ids`: everybody in the community who has a vote and no letter, the first 500.
    #[serde(default)]
    everyone: bool,
    /// What they are printed on; A4 by default.
    #[serde(default)]
    paper: PaperSize,
}

/// Print letters to voters
///
/// One page to print, a sheet for each, with a QR code and a code to type. It is shown this once: the codes are kept as hashes, and printing for the same
/// voter again makes the old ones void. Whether somebody has voted is not told, and makes no difference.
#[utoipa::path(
    operation_id = "print_ballot_letters",
    tag = "ballots",
    params(("id" = AreaId, Path, description = "The community")),
    request_body = NewLetters,
    responses(
        (status = 200, description = "The letters", content((String = "text/html", example = "<!doctype html><html lang=\"zh-CN\"><title>桂园社区 · Guiyuan Community</title>…</html>")),
            headers(("Letters-Remaining" = i64, description = "How many more voters another batch of everyone would write to"),
                ("Letters-Unvouched" = i64, description = "How many entries of the roll got none, because they are not those that were frozen"))),
        (status = 404, description = "There is no such community or ballot, or its roll is not yours"),
        (status = 409, description = "`ballot_withdrawn`, `ballot_closed`, `ballot_nobody_to_write`, `ballot_letters_printed`"),
        (status = 422, description = "Somebody has no vote there (`ballot_not_a_voter`), or their entry is not the one that was frozen (`ballot_entry_changed`); every one is listed"),
    ),
    extensions(("x-action" = json!("PrintBallotLetters"))),
)]
#[post("/areas/{id}/ballot-letters")]
async fn print(
    (context, polling): (Shared, AtPolling),
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::PrintBallotLetters)?;
    let area = parsed::<AreaId>(&id)?;
    let body = incoming.json::<NewLetters>().await?;
    let readers = match (body.value.resident_ids, body.value.everyone) {
        (Some(ids), false) => Readers::Named(ids),
        (None, true) => Readers::Everyone,
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
    let (by, at, ballot) = (actor.clone(), polling, body.value.ballot_id);
    // The page goes round the answer that is remembered, so that neither codes nor names are stored with it.
    let made: Arc<Mutex<Option<Printed>>> = Arc::default();
    let keep = made.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let printed = acts::print(tx, &by, &at, (&area, &ballot), &readers)?;
            let counted = json!({ "letters": printed.letters.len() });
            *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(printed);
            Ok(Reply::json(200, &counted)?)
        })
        .await?;
    let made = made.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(printed) = made else {
        return Err(LETTERS_PRINTED.refuse().into());
    };
    let zone = context.calendar.zone;
    let page = letters::page(&printed, paper, &context.settings.public_url, zone)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_SECURITY_POLICY, paper.security_policy()))
        .insert_header((LETTERS_REMAINING, printed.remaining.to_string()))
        .insert_header((LETTERS_UNVOUCHED, printed.unvouched.to_string()))
        .content_type("text/html; charset=utf-8")
        .body(page))
}
