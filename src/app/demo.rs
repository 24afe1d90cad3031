//! The demo ward: 凤鸣区 梧桐街道 (fictional), made through the same acts as a real one, with a simulated clock. A second
//! start finds what is there and adds nothing.

use chrono::{Duration, TimeZone, Utc};

use crate::app::server::House;
use crate::app::settings::{MailTransport, Settings};
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::acts;
use crate::registry::import;
use crate::web::actor::Actor;
use crate::web::policy::Role;

/// Where the demo's clock stands at first: 1 March 2026, 08:00 in Shanghai.
pub fn start() -> Instant {
    Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0)
        .single()
        .unwrap_or_default()
}

/// Gives the demo ward its name, at the head of its mail, unless the configuration gives it another; its mail goes into files.
pub fn name_ward(settings: &mut Settings) {
    let usual = Settings::default();
    if settings.ward_name_zh == usual.ward_name_zh && settings.ward_name_en == usual.ward_name_en {
        settings.ward_name_zh = "凤鸣区梧桐街道".to_owned();
        settings.ward_name_en = "Wutong Street, Fengming District".to_owned();
    }
    settings.mail_transport = MailTransport::File;
}

/// The area tree: a city, the district, the street and its five communities. Codes are of a region that does not exist.
const AREAS: &str = "code,parent_code,name_zh,name_en
9901,,凤城市,Fengcheng City
990101,9901,凤鸣区,Fengming District
990101001,990101,梧桐街道,Wutong Street
990101001001,990101001,桂园社区,Guiyuan Community
990101001002,990101001,槐荫社区,Huaiyin Community
990101001003,990101001,柳堤社区,Liudi Community
990101001004,990101001,枫林社区,Fenglin Community
990101001005,990101001,竹溪社区,Zhuxi Community
";

/// Somebody who can act in the demo.
pub struct Person {
    /// Their account.
    pub id: &'static str,
    /// In which capacity.
    pub role: Role,
    /// An access token for them.
    pub token: String,
}

/// Makes the demo ward, unless it is there.
///
/// # Errors
/// A fault of the database.
pub fn make(house: &House) -> Answer<()> {
    let rows = import::read(AREAS.as_bytes())?;
    house.context.db.write_and_wait(move |tx| {
        let known = crate::registry::store::areas_of_codes(tx.conn(), &["9901"])?;
        if !known.is_empty() {
            tx.nothing_to_change();
            return Ok(());
        }
        acts::import(tx, &Actor::system(), &rows, false)?;
        Ok(())
    })
}

/// Who can sign in, with a token for each. The demo's clock stands still until it is moved, and so do their lifetimes.
///
/// # Errors
/// A fault if a token cannot be signed.
pub fn people(house: &House) -> Result<Vec<Person>, Fault> {
    let accounts = [
        ("user_01kjm0000000000000000adm0n", Role::Admin),
        ("user_01kjm0000000000000000aud0t", Role::Auditor),
        ("user_01kjm0000000000000000res0d", Role::Resident),
    ];
    let (tokens, now) = (&house.context.tokens, house.context.clock.now());
    accounts
        .into_iter()
        .map(|(id, role)| {
            Ok(Person {
                id,
                role,
                token: tokens.issue(id, &[role], Duration::hours(24), now)?,
            })
        })
        .collect()
}
