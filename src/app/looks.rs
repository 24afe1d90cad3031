//! What auditors are shown that not everybody is, is in the log before they have it.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError};

use crate::audit::acts::{Look, record_look};
use crate::web::actor::{Actor, Shared};

/// Records what an answer shows to an auditor as one. An answer that cannot be recorded is not given: then it is that of the failure.
///
/// # Errors
/// Those of what answers.
pub async fn recorded(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let context = request.app_data::<Shared>().cloned();
    let is_read = request.method().is_safe();
    let response = next.call(request).await?.map_into_boxed_body();
    // Whoever changes something has an event of that.
    if !is_read || !response.status().is_success() {
        return Ok(response);
    }
    let actor = response.request().extensions().get::<Actor>().cloned();
    let (Some(actor), Some(context)) = (actor, context) else {
        return Ok(response);
    };
    let actions = actor.looks();
    if actions.is_empty() {
        return Ok(response);
    }
    let asked = response.request().uri().to_string();
    let look = Look { asked, actions };
    let written = context.db.write(move |tx| record_look(tx, &actor, &look)).await;
    match written {
        Ok(()) => Ok(response),
        Err(stop) => Ok(response
            .into_response(stop.error_response())
            .map_into_boxed_body()),
    }
}
