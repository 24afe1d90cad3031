//! The way in for the first administrator, and for the next one if nobody else can invite them: links that an operator on the
//! machine sees and nobody else. Never written to the log of operation.

use crate::app::server::House;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::people::acts_links::{self, Invite};
use crate::people::rules::Email;
use crate::people::secrets;
use crate::web::actor::Actor;
use crate::web::policy::Role;

/// The link by which the first administrator's account is opened; `None` if there is an administrator, or nothing can be written.
/// It is made anew at every start, and the one before is void.
///
/// # Errors
/// A fault of the database.
pub fn offer(house: &House) -> Answer<Option<String>> {
    if house.context.db.halted().is_some() {
        return Ok(None);
    }
    let secret = secrets::mint()?;
    let kept = secret.clone();
    let offered = house
        .context
        .db
        .write_and_wait(move |tx| acts_links::offer_bootstrap(tx, &kept))?;
    Ok(offered.then(|| link(house, &secret)))
}

/// The link by which somebody takes over an account in a role of the platform. It is not sent by mail: whoever needs this may have
/// none.
///
/// # Errors
/// Those of [`acts_links::invite`].
pub fn invite(house: &House, email: Email, role: Role) -> Answer<String> {
    let command = Invite {
        email,
        language: Language::Chinese,
        role,
        organisation_id: None,
    };
    let secret = secrets::mint()?;
    let kept = secret.clone();
    let invited = move |tx: &mut crate::db::writer::Tx<'_>| {
        acts_links::invite(tx, &Actor::system(), &command, &kept, false).map(|_| ())
    };
    house.context.db.write_and_wait(invited)?;
    Ok(link(house, &secret))
}

fn link(house: &House, secret: &str) -> String {
    format!("{}/invitations/{secret}", house.settings.public_url())
}

/// Reads a mail address from the command line.
///
/// # Errors
/// A fault if it is none.
pub fn address(text: &str) -> Result<Email, Fault> {
    text.parse().map_err(|error| Fault::caused("--email", error))
}
