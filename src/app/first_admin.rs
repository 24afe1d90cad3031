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

/// An account that a token may be issued for on this machine: only one of people, and nobody in the service's own name.
///
/// # Errors
/// Why it is none.
pub fn account(name: &str) -> Result<String, String> {
    let fits = name
        .strip_prefix("user_")
        .is_some_and(|rest| (1..=64).contains(&rest.len()))
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if fits {
        Ok(name.to_owned())
    } else {
        Err("an account is user_ and letters, digits or underscores".to_owned())
    }
}

/// A role that may be given on this machine.
///
/// # Errors
/// If there is none of that name, or nobody holds it by being given it.
pub fn role(name: &str) -> Result<Role, String> {
    Role::ALL
        .into_iter()
        .find(|role| role.name() == name && !matches!(role, Role::Public | Role::System))
        .ok_or_else(|| "no such role".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_for_accounts_of_people_only() {
        assert!(account("user_01kjm0").is_ok());
        for bad in ["system", "public", "user_", "user_a b", "user_字"] {
            assert!(account(bad).is_err(), "{bad}");
        }
        assert!(role("auditor").is_ok());
        assert!(role("system").is_err() && role("public").is_err() && role("emperor").is_err());
    }
}
