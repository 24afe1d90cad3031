//! A resident who has a letter and no account opens one. It lies on the top floor because it joins what two slices below do not know
//! of each other: whose letter it is, and who has an account. The letter and the date of birth prove the person, a mailed link the
//! address; only both together make an account, and then account, place on the roll and the letter's end are one transaction. The
//! date of birth is asked for once more with the link, because a mistyped address sends the link to a stranger.

use actix_web::HttpRequest;
use chrono::{Duration, NaiveDate};
use zeroize::Zeroizing;

use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault, Refusal, Stop};
use crate::kernel::text::Language;
use crate::people::acts_registrations::{self, OfferAccount, OpenAccount};
use crate::people::gate::{AtGate, Evenly};
use crate::people::rules::{self, Account, Email};
use crate::people::rules_links::{LINK_REFUSED, REGISTRATION_HOURS};
use crate::people::secrets::{self, hash_of};
use crate::people::throttle::Tried;
use crate::registry::acts_letters::{self, ClaimResidence};
use crate::registry::rules_letters::Presented;
use crate::registry::rules_person::birth_date;
use crate::registry::rules_roll::Resident;
use crate::registry::store_letters;
use crate::registry::store_registrations::{self, Registration};
use crate::web::actor::Actor;
use crate::web::context::Context;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::INVALID;

/// Where the mailed link leads, less its secret; the page there has the same path as the operation under `/api/v1`.
pub const PATH: &str = "/residence-registrations";
/// Where somebody with an account claims their place.
const PATH_WITH_ACCOUNT: &str = "/residence";

/// Somebody who asks for an account.
#[derive(Clone)]
pub struct Ask {
    /// The code of a letter.
    pub code: String,
    /// The date of birth of the resident whom the letter invites.
    pub birth_date: String,
    /// The address that the account is to have.
    pub email: String,
    /// The language of the mail.
    pub language: Language,
}

/// What is asked for, once it is read.
struct Asked {
    code: Presented,
    born: NaiveDate,
    email: Email,
    language: Language,
}

/// Has a link mailed by which the account is opened, or, if the address has an account, a mail that says so. Nobody learns from the
/// answer which of the two it was, nor from the time that it takes.
///
/// # Errors
/// What cannot be a code, a date of birth or an address; `residence_code_not_good`; [`crate::web::limits::TOO_MANY_REQUESTS`].
pub async fn ask(request: &HttpRequest, context: &Context, gate: &AtGate, said: &Ask) -> Answer<()> {
    policy::allow(&Actor::public(), Action::RegisterResidence, Matter::default())?;
    let asked = read(context, said)?;
    let evenly = Evenly::begin();
    let done = send(request, context, gate, asked).await;
    evenly.end().await;
    done
}

/// Reads what is asked for; every fault is told.
fn read(context: &Context, said: &Ask) -> Answer<Asked> {
    let claim = ClaimResidence {
        code: said.code.clone(),
        birth_date: said.birth_date.clone(),
    };
    let today = local_date(context.clock.now(), context.calendar.zone);
    let (claimed, fault) = match acts_letters::read_claim(&claim, today) {
        Ok(claimed) => (Some(claimed), None),
        Err(Stop::Refused(refusal)) => (None, Some(*refusal)),
        Err(stop) => return Err(stop),
    };
    let email = rules::email(&said.email);
    rules::all_faults([fault, email.as_ref().err().cloned()])?;
    let ((code, born), email) = claimed.zip(email.ok()).ok_or_else(|| INVALID.refuse())?;
    Ok(Asked {
        code,
        born,
        email,
        language: said.language,
    })
}

/// Tells by whom a letter is counted: by its resident, whichever of its two codes is shown, or by a code that is none.
fn counted_as(conn: &mut Conn, code: &Presented) -> Answer<String> {
    Ok(match store_letters::letter(conn, code)? {
        Some(letter) => format!("letter {}", letter.resident_id),
        None => format!("no letter {}", hex::encode(code.hash())),
    })
}

async fn send(request: &HttpRequest, context: &Context, gate: &AtGate, asked: Asked) -> Answer<()> {
    let (code, born, now) = (asked.code, asked.born, context.clock.now());
    let (counted_as, judged) = context
        .db
        .read(move |conn| {
            let counted_as = counted_as(conn, &code)?;
            Ok((
                counted_as,
                acts_letters::invited(conn, &code, born, now).map(|_| ()),
            ))
        })
        .await?;
    // No judgement is told that was not counted before.
    let of_letter = gate.trier(request, context, &counted_as, None)?;
    gate.count(Tried::Letter, &of_letter, now)?;
    judged?;
    gate.forgive(Tried::Letter, &of_letter);
    let of_address = gate.trier(request, context, asked.email.whole(), None)?;
    gate.count(Tried::LetterMail, &of_letter, now)?;
    gate.count(Tried::Mail, &of_address, now)?;
    let secret = secrets::mint()?;
    context.db.upkeep(move |tx| offer(tx, &asked, &secret)).await
}

/// Mails what is to be mailed, and keeps for which letter; upkeep. Of the links of one letter only the newest is good: whoever asks
/// again may have mistyped their address before.
fn offer(tx: &mut Tx<'_>, asked: &Asked, secret: &str) -> Answer<()> {
    policy::allow(&Actor::public(), Action::RegisterResidence, Matter::default())?;
    let now = tx.now();
    let (letter, resident) = acts_letters::invited(tx.conn(), &asked.code, asked.born, now)?;
    let latest = now + Duration::hours(i64::from(REGISTRATION_HOURS));
    let command = OfferAccount {
        email: asked.email.clone(),
        language: asked.language,
        expires_at: latest.min(letter.expires_at.and_utc()),
        path: PATH,
        path_with_account: PATH_WITH_ACCOUNT,
    };
    store_registrations::void(tx, &resident.id)?;
    if !acts_registrations::offer_account(tx, &command, secret)? {
        return Ok(());
    }
    let registration = Registration {
        resident_id: resident.id,
        link_hash: hash_of(secret).to_vec(),
        email: asked.email.whole().to_owned(),
        tries: 0,
        created_at: now.naive_utc(),
        expires_at: command.expires_at.naive_utc(),
    };
    store_registrations::insert(tx, &registration)
}

/// What somebody says who opens their account by the link.
pub struct Open {
    /// The date of birth once more.
    pub birth_date: String,
    /// The name that the account is to have.
    pub display_name: String,
    /// The language that they read.
    pub language: Language,
    /// Their password.
    pub password: Zeroizing<String>,
}

/// What came of it.
pub struct Opened {
    /// The account.
    pub account: Account,
    /// The resident that it is.
    pub resident: Resident,
}

/// The address that a link was sent to.
///
/// # Errors
/// [`LINK_REFUSED`].
pub async fn address_of(context: &Context, token: &str) -> Answer<Email> {
    let (link, now) = (hash_of(token), context.clock.now());
    let registration = context
        .db
        .read(move |conn| store_registrations::of_link(conn, &link, now))
        .await?
        .ok_or_else(|| LINK_REFUSED.refuse())?;
    Ok(email_of(&registration)?)
}

fn email_of(registration: &Registration) -> Result<Email, Fault> {
    let email = registration.email.parse();
    email.map_err(|_| Fault::broken("a registration's address is none"))
}

/// What is wrong with what was filled in, as far as it can be told without asking whose letter it is.
pub fn faults_of(context: &Context, gate: &AtGate, email: &Email, said: &Open) -> [Option<Refusal>; 3] {
    let today = local_date(context.clock.now(), context.calendar.zone);
    let born =
        birth_date(&said.birth_date, today).map_err(|detail| INVALID.because(detail).at("/birth_date"));
    [
        born.err(),
        rules::display_name(&said.display_name).err(),
        gate.check_password(&said.password, email).err(),
    ]
}

/// Opens the account and claims the place on the roll with it.
///
/// # Errors
/// [`LINK_REFUSED`]; every fault; `residence_birth_date_wrong`; `account_email_taken`; `residence_code_not_good`.
pub async fn open(context: &Context, gate: &AtGate, token: &str, said: Open) -> Answer<Opened> {
    let email = address_of(context, token).await?;
    rules::all_faults(faults_of(context, gate, &email, &said))?;
    let today = local_date(context.clock.now(), context.calendar.zone);
    let born = birth_date(&said.birth_date, today).map_err(|_| INVALID.refuse())?;
    let link = hash_of(token);
    // In a transaction of its own, so that a wrong one stays counted.
    let heard = context
        .db
        .upkeep(move |tx| {
            let heard = store_registrations::count_try(tx, &link)?;
            if !heard {
                tx.nothing_to_change();
            }
            Ok(heard)
        })
        .await?;
    if !heard {
        return Err(LINK_REFUSED.refuse().into());
    }
    let Open {
        display_name,
        language,
        password,
        ..
    } = said;
    let command = OpenAccount {
        email,
        display_name,
        language,
        password_hash: gate.hasher.hash(password).await?,
    };
    context
        .db
        .write(move |tx| opened(tx, &link, &command, born))
        .await
}

/// The account and the place on the roll, both or neither.
fn opened(tx: &mut Tx<'_>, link: &[u8; 32], command: &OpenAccount, born: NaiveDate) -> Answer<Opened> {
    policy::allow(&Actor::public(), Action::RegisterResidence, Matter::default())?;
    let now = tx.now();
    // Sent to this very address, for this very letter, and to nobody else since.
    let registration = store_registrations::of_link(tx.conn(), link, now)?
        .filter(|registration| registration.email == command.email.whole())
        .ok_or_else(|| LINK_REFUSED.refuse())?;
    let account = acts_registrations::open_account(tx, link, command)?;
    let actor = Actor::in_session(account.id.to_string(), String::new(), Vec::new());
    let resident = acts_letters::claim_on_opening(tx, &actor, &account.id, &registration.resident_id, born)?;
    Ok(Opened { account, resident })
}
