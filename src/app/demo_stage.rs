//! Puts the demo's cast on the stage: every organisation, person, role and resident through the act that a real one comes by.
//! What is there already is left as it is, so that a start that was interrupted is continued by the next one.

use std::collections::HashMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use sha2::{Digest, Sha256};

use crate::app::demo_cast::{
    Body, CHIEFS, EXPERTS, Figures, PLATFORM, PUBLIC_BODIES, RESIDENTS, STAFF, SUPPLIER_PEOPLE, SUPPLIERS,
    Somebody,
};
use crate::app::{demo, demo_roll};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, AreaId, OrganisationId, OrganisationKind};
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::people::acts::{self as people, CreateAccount};
use crate::people::acts_roles::{self, GiveRole};
use crate::people::identities::grants_of;
use crate::people::rules::Email;
use crate::people::store as people_store;
use crate::registry::acts_letters::{self, ClaimResidence, Invited, PrintLetters};
use crate::registry::acts_organisations::{self, DecideOrganisation, RegisterOrganisation};
use crate::registry::acts_qualifications::{self, Decide};
use crate::registry::acts_roll_import::{self, ImportRoll};
use crate::registry::import_roll::{self, Mode, Row};
use crate::registry::rules_organisations::{Entered, Size};
use crate::registry::rules_qualifications::Licence;
use crate::registry::rules_roll::{self, State};
use crate::registry::rules_size::SizeFacts;
use crate::registry::store_qualifications;
use crate::registry::store_roll;
use crate::registry::store_roll_reading::{self as reading, ResidentFilter, Sort};
use crate::registry::{acts, import, store};
use crate::web::actor::{Actor, Grant};
use crate::web::conditional::Expected;
use crate::web::policy::Role;

/// The communities of the demo and the registrars who keep their rolls, in the order of their rolls.
const ROLLS: [(&str, &str); 5] = [
    ("990101001001", "guiyuan.registrar"),
    ("990101001002", "huaiyin.registrar"),
    ("990101001003", "liudi.registrar"),
    ("990101001004", "fenglin.registrar"),
    ("990101001005", "zhuxi.registrar"),
];

/// What suppliers are licensed for: who says so, the kind, the issuer and the number.
const LICENCES: [(&str, &str, &str, &str); 12] = [
    (
        "qinglan.owner",
        "city_cleaning",
        "凤城市城市管理局",
        "凤环许 2025-011",
    ),
    (
        "jiecheng.owner",
        "city_cleaning",
        "凤城市城市管理局",
        "凤环许 2025-027",
    ),
    (
        "derun.owner",
        "city_cleaning",
        "凤城市城市管理局",
        "凤环许 2025-032",
    ),
    (
        "xinhe.owner",
        "city_cleaning",
        "凤城市城市管理局",
        "凤环许 2025-045",
    ),
    ("lvhe.owner", "greening", "凤城市园林绿化协会", "凤绿证 2025-008"),
    (
        "cuiping.owner",
        "greening",
        "凤城市园林绿化协会",
        "凤绿证 2025-014",
    ),
    ("luzhi.owner", "greening", "凤城市园林绿化协会", "凤绿证 2025-021"),
    (
        "anlan.owner",
        "security_service",
        "凤城市公安局",
        "凤保服 20250007",
    ),
    (
        "panshi.owner",
        "security_service",
        "凤城市公安局",
        "凤保服 20250012",
    ),
    (
        "mingdun.owner",
        "security_service",
        "凤城市公安局",
        "凤保服 20250019",
    ),
    (
        "anju.owner",
        "property_service",
        "凤城市物业管理协会",
        "凤物证 2025-003",
    ),
    (
        "huaian.owner",
        "property_service",
        "凤城市物业管理协会",
        "凤物证 2025-016",
    ),
];

/// What the stage is set with.
pub struct Scenery {
    /// The area tree.
    pub areas: Vec<import::Row>,
    /// The hash of everybody's password.
    pub password_hash: String,
}

/// The stage in the middle of a transaction.
struct Stage<'s, 'tx, 'conn> {
    tx: &'tx mut Tx<'conn>,
    scenery: &'s Scenery,
    areas: HashMap<String, AreaId>,
    bodies: HashMap<&'static str, OrganisationId>,
    people: HashMap<&'static str, AccountId>,
}

/// Sets the stage: the tree, everybody and their roles, in one transaction, unless it is set.
///
/// # Errors
/// A fault if something of the demo cannot be: its data are wrong then.
pub fn set(tx: &mut Tx<'_>, scenery: &Scenery) -> Answer<()> {
    if !store::areas_of_codes(tx.conn(), &["9901"])?.is_empty() {
        tx.nothing_to_change();
        return Ok(());
    }
    let areas = acts::import(tx, &Actor::system(), &scenery.areas, false)?;
    let areas = areas
        .into_iter()
        .filter_map(|area| area.designation.code.map(|code| (code, area.id)))
        .collect();
    let mut stage = Stage {
        tx,
        scenery,
        areas,
        bodies: HashMap::new(),
        people: HashMap::new(),
    };
    for somebody in PLATFORM.iter().chain(EXPERTS.iter().map(|(expert, _)| expert)) {
        stage.enter(somebody, somebody.roles)?;
    }
    for body in &PUBLIC_BODIES {
        stage.register(body, "admin")?;
        stage.verify(body.key, "admin2", "机构设立文件")?;
    }
    for chief in &CHIEFS {
        stage.enter(chief, &[])?;
        stage.give("admin", chief)?;
    }
    for worker in &STAFF {
        stage.enter(worker, &[])?;
        stage.give(chief_of(worker)?, worker)?;
    }
    stage.bring_suppliers()?;
    for resident in &RESIDENTS {
        stage.enter(resident, &[])?;
    }
    Ok(())
}

fn chief_of(worker: &Somebody) -> Answer<&'static str> {
    let chief = CHIEFS.iter().find(|chief| chief.body == worker.body);
    Ok(chief
        .ok_or_else(|| Fault::broken("somebody of the demo without a chief"))?
        .name)
}

impl Stage<'_, '_, '_> {
    fn area(&self, code: &str) -> Answer<AreaId> {
        let found = self.areas.get(code).cloned();
        Ok(found.ok_or_else(|| Fault::broken("an area of the demo is missing"))?)
    }

    fn body(&self, key: &str) -> Answer<OrganisationId> {
        let found = self.bodies.get(key).cloned();
        Ok(found.ok_or_else(|| Fault::broken("an organisation of the demo is missing"))?)
    }

    fn actor(&mut self, name: &str) -> Answer<Actor> {
        cast(self.tx, name)
    }

    fn enter(&mut self, somebody: &Somebody, roles: &[Role]) -> Answer<()> {
        let command = CreateAccount {
            email: address(somebody.name)?,
            display_name: somebody.display_name.to_owned(),
            language: Language::Chinese,
            password_hash: Some(self.scenery.password_hash.clone()),
            grants: roles.iter().copied().map(Grant::of).collect(),
        };
        let account = people::create(self.tx, &Actor::system(), &command)?;
        self.people.insert(somebody.name, account.id);
        Ok(())
    }

    /// Gives somebody their roles in their organisation.
    fn give(&mut self, by: &str, somebody: &Somebody) -> Answer<()> {
        let organisation_id = self.body(somebody.body.unwrap_or_default())?;
        let giver = self.actor(by)?;
        let account_id = self.people.get(somebody.name).cloned();
        let account_id = account_id.ok_or_else(|| Fault::broken("somebody of the demo is missing"))?;
        for role in somebody.roles {
            let command = GiveRole {
                account_id: account_id.clone(),
                role: *role,
                organisation_id: Some(organisation_id.clone()),
            };
            acts_roles::give_role(self.tx, &giver, &command)?;
        }
        Ok(())
    }

    fn register(&mut self, body: &Body, by: &str) -> Answer<()> {
        let is_supplier = body.in_charge.is_some();
        let private = |value: &str| is_supplier.then(|| value.to_owned());
        let size = match body.size {
            Some(figures) => Size::Declared(size_facts(figures)?, None),
            None => Size::Undeclared,
        };
        let contact = SUPPLIER_PEOPLE
            .iter()
            .find(|somebody| somebody.body == Some(body.key) && !somebody.roles.is_empty());
        let number = SUPPLIERS.iter().position(|one| one.key == body.key);
        let command = RegisterOrganisation {
            kind: body.kind,
            entered: Entered {
                name_zh: body.name_zh.to_owned(),
                name_en: body.name_en.to_owned(),
                credit_code: body.credit_code.map(str::to_owned),
                area_id: Some(self.area(body.area)?),
                legal_representative: body.in_charge.map(str::to_owned),
                contact_name: contact.map(|somebody| somebody.display_name.to_owned()),
                phone: number.map(|number| format!("0990-55503{number:02}")),
                mail: private(&demo::address_of(body.key)),
                address: private("凤鸣区梧桐街道"),
                member_count: (body.kind == OrganisationKind::ResidentsGroup).then_some(12),
                size,
            },
        };
        let actor = self.actor(by)?;
        let registered = acts_organisations::register(self.tx, &actor, &command)?;
        self.bodies.insert(body.key, registered.id);
        Ok(())
    }

    fn verify(&mut self, key: &str, by: &str, grounds: &str) -> Answer<()> {
        let command = DecideOrganisation {
            id: self.body(key)?,
            expected: Expected::Any,
            grounds: grounds.to_owned(),
        };
        let actor = self.actor(by)?;
        acts_organisations::verify(self.tx, &actor, &command)?;
        Ok(())
    }

    /// Each is registered by its owner, verified by the regulator, and then has an agent.
    fn bring_suppliers(&mut self) -> Answer<()> {
        for somebody in &SUPPLIER_PEOPLE {
            self.enter(somebody, &[])?;
        }
        for body in &SUPPLIERS {
            let of_body = |somebody: &&Somebody| somebody.body == Some(body.key);
            let (owners, agents): (Vec<&Somebody>, Vec<&Somebody>) = SUPPLIER_PEOPLE
                .iter()
                .filter(of_body)
                .partition(|somebody| somebody.roles.is_empty());
            let owner = owners
                .first()
                .ok_or_else(|| Fault::broken("a supplier of the demo without an owner"))?;
            self.register(body, owner.name)?;
            self.verify(body.key, "regulator", "营业执照或登记证书原件")?;
            for agent in agents {
                self.give(owner.name, agent)?;
            }
        }
        Ok(())
    }
}

fn size_facts(figures: Figures) -> Answer<SizeFacts> {
    let yuan = |yuan| Money::from_yuan(yuan).map_err(|error| Fault::caused("an amount of the demo", error));
    Ok(SizeFacts {
        industry: figures.industry,
        employees: Some(figures.employees),
        revenue: Some(yuan(figures.revenue_yuan)?),
        assets: figures.assets_yuan.map(yuan).transpose()?,
    })
}

/// Somebody of the demo, with whatever they may do by now.
pub(super) fn cast(tx: &mut Tx<'_>, name: &str) -> Answer<Actor> {
    let now = tx.now();
    acting(tx.conn(), name, now)
}

/// Somebody of the demo, with whatever they may do at an instant.
pub(super) fn acting(conn: &mut Conn, name: &str, now: Instant) -> Answer<Actor> {
    let email = address(name)?;
    let (account, _) = people_store::account_of_email(conn, &email)?
        .ok_or_else(|| Fault::broken("somebody of the demo is missing"))?;
    acting_as(conn, account.id.as_str(), now)
}

/// Whoever has an account, with whatever they may do at an instant.
pub(super) fn acting_as(conn: &mut Conn, account: &str, now: Instant) -> Answer<Actor> {
    let grants = grants_of(conn, account, now)?;
    Ok(Actor::in_session(
        account.to_owned(),
        "session_demo".to_owned(),
        grants,
    ))
}

/// The organisation that somebody of the demo works for.
pub(super) fn organisation_of(actor: &Actor) -> Answer<OrganisationId> {
    let own = actor.grants().iter().find_map(|grant| grant.organisation.clone());
    Ok(own.ok_or_else(|| Fault::broken("somebody of the demo is in no organisation"))?)
}

/// Suppliers claim what they are licensed for, and the regulator verifies it, unless that is done.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn license(tx: &mut Tx<'_>) -> Answer<()> {
    let regulator = cast(tx, "regulator")?;
    let mut licensed = 0_usize;
    for (owner, kind, issuer, number) in LICENCES {
        let actor = cast(tx, owner)?;
        let organisation_id = organisation_of(&actor)?;
        if store_qualifications::count(tx.conn(), &organisation_id)? > 0 {
            continue;
        }
        let valid_to = NaiveDate::from_ymd_opt(2028, 6, 30);
        let licence = Licence {
            kind: kind.to_owned(),
            issuer: issuer.to_owned(),
            number: number.to_owned(),
            grade: None,
            valid_from: NaiveDate::from_ymd_opt(2025, 7, 1).unwrap_or_default(),
            valid_to,
        };
        let claimed = acts_qualifications::claim(tx, &actor, &organisation_id, &licence)?;
        let decide = Decide {
            organisation_id,
            id: claimed.id,
            grounds: "许可证原件".to_owned(),
        };
        acts_qualifications::verify(tx, &regulator, &decide)?;
        licensed = licensed.saturating_add(1);
    }
    if licensed == 0 {
        tx.nothing_to_change();
    }
    Ok(())
}

fn address(name: &str) -> Answer<Email> {
    let address = demo::address_of(name).parse();
    Ok(address.map_err(|error| Fault::caused("an address of the demo", error))?)
}

/// The area of a code.
pub(super) fn community(tx: &mut Tx<'_>, code: &str) -> Answer<AreaId> {
    let found = store::areas_of_codes(tx.conn(), &[code])?.pop();
    Ok(found
        .ok_or_else(|| Fault::broken("an area of the demo is missing"))?
        .id)
}

/// The rolls that the registrars import, one for each community.
///
/// # Errors
/// A fault if the table of one cannot be read.
pub fn rolls() -> Answer<Vec<Roll>> {
    ROLLS
        .into_iter()
        .enumerate()
        .map(|(place, (community, registrar))| {
            let table = demo_roll::table(place);
            Ok(Roll {
                community,
                registrar,
                rows: import_roll::read_table(&table)?,
                digest: Sha256::digest(table.as_bytes()).into(),
            })
        })
        .collect()
}

/// A roll to be imported.
#[derive(Clone)]
pub struct Roll {
    community: &'static str,
    registrar: &'static str,
    rows: Vec<Row>,
    digest: [u8; 32],
}

/// Judges a roll as its registrar does before importing it; nothing if it is there already.
///
/// # Errors
/// A fault, or a refusal if the demo's table is not good.
pub fn preview_roll(tx: &mut Tx<'_>, zone: Tz, roll: &Roll) -> Answer<Option<String>> {
    tx.nothing_to_change();
    let area_id = community(tx, roll.community)?;
    if store_roll::residents_count(tx.conn(), &area_id)? > 0 {
        return Ok(None);
    }
    let actor = cast(tx, roll.registrar)?;
    let judged = acts_roll_import::preview(tx, &actor, zone, &command(area_id, roll, None))?;
    Ok(Some(judged.preview))
}

/// Imports a roll as it was judged.
///
/// # Errors
/// As [`preview_roll`].
pub fn import_roll(tx: &mut Tx<'_>, zone: Tz, roll: &Roll, preview: &str) -> Answer<()> {
    let area_id = community(tx, roll.community)?;
    let actor = cast(tx, roll.registrar)?;
    acts_roll_import::import(
        tx,
        &actor,
        zone,
        &command(area_id, roll, Some(preview.to_owned())),
    )?;
    Ok(())
}

fn command(area_id: AreaId, roll: &Roll, preview: Option<String>) -> ImportRoll {
    ImportRoll {
        area_id,
        rows: roll.rows.clone(),
        table_digest: roll.digest,
        mode: Mode::Add,
        preview,
    }
}

/// The residents with accounts take their places on the roll with the codes of their letters, unless they have.
///
/// # Errors
/// A fault, or a refusal if one of them is not on the roll.
pub fn claim_residences(tx: &mut Tx<'_>, zone: Tz) -> Answer<()> {
    let registrar = cast(tx, "guiyuan.registrar")?;
    let area_id = community(tx, "990101001001")?;
    let mut claimed = 0_usize;
    for somebody in &RESIDENTS {
        let actor = cast(tx, somebody.name)?;
        if actor.has(Role::Resident) {
            continue;
        }
        let filter = ResidentFilter {
            area_id: area_id.clone(),
            household_id: None,
            state: State::Active,
            text: Some(somebody.display_name.to_owned()),
            sort: Sort::Household,
            after: None,
        };
        let found = reading::residents(tx.conn(), &filter, 1)?.pop();
        let found = found.ok_or_else(|| Fault::broken("a resident of the demo is not on the roll"))?;
        let birth_date = rules_roll::on_roll(&found.resident)?.birth_date.to_string();
        let invitation = PrintLetters {
            area_id: area_id.clone(),
            invited: Invited::Named(vec![found.resident.id]),
            valid_until: None,
        };
        let printed = acts_letters::print(tx, &registrar, zone, &invitation)?;
        let letter = printed.letters.into_iter().next();
        let letter = letter.ok_or_else(|| Fault::broken("a letter of the demo was not printed"))?;
        let claim = ClaimResidence {
            code: letter.codes.typed,
            birth_date,
        };
        acts_letters::claim(tx, &actor, zone, &claim)?;
        claimed = claimed.saturating_add(1);
    }
    if claimed == 0 {
        tx.nothing_to_change();
    }
    Ok(())
}
