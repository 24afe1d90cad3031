//! Changing the keys that sign access tokens.

use serde_json::{Value, json};

use crate::app::server::House;
use crate::audit;
use crate::audit::entry::Event;
use crate::kernel::refusal::Answer;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};

/// Makes a new key and records it. Returns the key's id. The file comes first: a key that is in the log but not on the
/// disk could not sign, while one that is on the disk and not in the log has signed nothing yet.
///
/// # Errors
/// A fault if the key cannot be written or recorded.
pub fn rotate(house: &House) -> Answer<String> {
    let actor = Actor::system();
    policy::allow(&actor, Action::RotateTokenKey, Matter::default())?;
    let kid = house.context.tokens.rotate(house.context.clock.now())?;
    let event = Event {
        kind: "token_key.rotated",
        subject: "token_key".to_owned(),
        data: json!({ "kid": kid }),
        private: Value::Null,
    };
    house
        .context
        .db
        .write_and_wait(move |tx| audit::store::append(tx, &actor, &event).map(|_| ()))?;
    Ok(kid)
}
