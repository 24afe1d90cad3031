//! The rules of organisations: what kinds there are, which particulars each has, and how one comes to be verified, refused and
//! closed. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
pub use crate::kernel::party::OrganisationKind;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules::Level;
use crate::registry::rules_credit_code::{CreditCode, CreditCodeError};
use crate::registry::rules_size::{self, SizeClass, SizeDeclaration, SizeFacts};
use crate::registry::rules_text::Form;
use crate::text;

/// Characters of a name.
pub const NAME_LENGTH_MAX: usize = 100;
/// Characters of an address.
pub const ADDRESS_LENGTH_MAX: usize = 200;
/// Characters of what verification, refusal and closing rest on.
pub const NOTE_LENGTH_MAX: usize = 500;
/// Members of a residents' group.
pub const MEMBERS_MAX: i64 = 100_000;
/// Registrations of one account that wait or were refused.
pub const REGISTRATIONS_OPEN_MAX: i64 = 10;

/// The area named is not there.
pub static AREA_UNKNOWN: Reason = Reason::new(
    Kind::Conflict,
    "organisation_area_unknown",
    "所属区域不存在",
    "The organisation's area is not there",
);
/// A residents' group belongs to a community, not to a street or a district.
pub static AREA_WRONG_LEVEL: Reason = Reason::new(
    Kind::Conflict,
    "organisation_area_wrong_level",
    "居民小组应属于社区",
    "A residents' group belongs to a community",
);
/// A credit code belongs to one organisation.
pub static CREDIT_CODE_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "organisation_credit_code_taken",
    "该统一社会信用代码已被登记",
    "Another organisation has this credit code",
);
/// The organisation is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "organisation_wrong_state",
    "组织当前状态不允许此操作",
    "The organisation's state does not allow this",
);
/// The account has too many registrations that nobody has decided, or that were refused.
pub static TOO_MANY_REGISTRATIONS: Reason = Reason::new(
    Kind::Conflict,
    "organisation_registrations_too_many",
    "待核验或被退回的登记过多",
    "Too many of your registrations wait or were refused",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 5] = [
    &AREA_UNKNOWN,
    &AREA_WRONG_LEVEL,
    &CREDIT_CODE_TAKEN,
    &WRONG_STATE,
    &TOO_MANY_REGISTRATIONS,
];

use OrganisationKind::{
    AuditOffice, Community, Company, Department, FinanceBureau, ResidentsGroup, SocialOrganisation,
    StreetOffice,
};

impl OrganisationKind {
    /// True for those that the platform enters, and that everyone knows of at once; the others register themselves.
    pub const fn is_public_body(self) -> bool {
        match self {
            Department | StreetOffice | Community | AuditOffice | FinanceBureau => true,
            Company | SocialOrganisation | ResidentsGroup => false,
        }
    }

    /// Who may take on a public service: companies, social organisations, communities' own organisations and residents who
    /// have joined together (政府购买服务管理办法, 财政部令第102号 arts 6–7); never the bodies that buy, audit and pay.
    pub const fn may_supply(self) -> bool {
        match self {
            Company | SocialOrganisation | ResidentsGroup | Community => true,
            Department | StreetOffice | AuditOffice | FinanceBureau => false,
        }
    }
}

/// How far an organisation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrganisationState)]
pub enum State {
    /// Its particulars are as it says; nobody has looked at them.
    Registered,
    /// They were compared with evidence.
    Verified,
    /// The evidence did not bear them out.
    Refused,
    /// It is not there any more.
    Closed,
}

impl State {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Registered, Self::Verified, Self::Refused, Self::Closed];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Closed => "closed",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What is known of an organisation, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Particulars {
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Unified social credit code.
    pub credit_code: Option<CreditCode>,
    /// Where it is at home.
    pub area_id: Option<AreaId>,
    /// Legal representative; of a residents' group the leader. Personal.
    pub legal_representative: Option<String>,
    /// Whom to talk to. Personal.
    pub contact_name: Option<String>,
    /// Their telephone number. Personal.
    pub phone: Option<String>,
    /// Their mail address. Personal.
    pub mail: Option<String>,
    /// Registered address; of a residents' group perhaps somebody's home. Personal.
    pub address: Option<String>,
    /// How many residents have joined, of a residents' group.
    pub member_count: Option<i64>,
    /// What a company declares of its size.
    pub size: Option<SizeDeclaration>,
}

/// The same as entered.
#[derive(Clone, Debug, Default)]
pub struct Entered {
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Unified social credit code.
    pub credit_code: Option<String>,
    /// Where it is at home.
    pub area_id: Option<AreaId>,
    /// Legal representative or leader.
    pub legal_representative: Option<String>,
    /// Whom to talk to.
    pub contact_name: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
    /// Their mail address.
    pub mail: Option<String>,
    /// Registered address.
    pub address: Option<String>,
    /// Members of a residents' group.
    pub member_count: Option<i64>,
    /// Size.
    pub size: Size,
}

/// What was entered of a company's size.
#[derive(Clone, Debug, Default)]
pub enum Size {
    /// Nothing.
    #[default]
    Undeclared,
    /// What was declared before.
    AsBefore(SizeDeclaration),
    /// These facts, and this class where it does not follow from them.
    Declared(SizeFacts, Option<SizeClass>),
}

impl From<&Particulars> for Entered {
    fn from(known: &Particulars) -> Self {
        Self {
            name_zh: known.name_zh.clone(),
            name_en: known.name_en.clone(),
            credit_code: known.credit_code.as_ref().map(CreditCode::to_string),
            area_id: known.area_id.clone(),
            legal_representative: known.legal_representative.clone(),
            contact_name: known.contact_name.clone(),
            phone: known.phone.clone(),
            mail: known.mail.clone(),
            address: known.address.clone(),
            member_count: known.member_count,
            size: known.size.clone().map_or(Size::Undeclared, Size::AsBefore),
        }
    }
}

/// An organisation as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// What sort it is; never changes.
    pub kind: OrganisationKind,
    /// Who entered or registered it.
    pub registered_by: Option<String>,
    /// Since when everyone may know of it; none for what registered itself and was never verified.
    pub public_at: Option<Instant>,
    /// When it was registered, UTC.
    pub created_at: Instant,
    /// What holds now.
    pub current: Version,
}

/// One version of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Counts the changes, from 1.
    pub version: i64,
    /// How far it has come.
    pub state: State,
    /// What is known of it.
    pub particulars: Particulars,
    /// Who found that its particulars are true, when, and on what evidence.
    pub verification: Option<Verification>,
    /// Why it was refused or closed.
    pub note: Option<String>,
    /// Who made this version.
    pub changed_by: String,
    /// When, UTC.
    pub changed_at: Instant,
}

/// That the particulars were compared with evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// By whom.
    pub by: String,
    /// When, UTC.
    pub at: Instant,
    /// With what.
    pub evidence: String,
}

/// Who does something, and when.
#[derive(Clone, Copy, Debug)]
pub struct Doing<'a> {
    /// The account.
    pub by: &'a str,
    /// When, UTC.
    pub at: Instant,
}

/// Checks the particulars of an organisation of `kind`; every fault is listed. Companies and social organisations have a credit
/// code, residents' groups have none, but a leader, a community and a number of members; whoever registers itself can be
/// reached.
///
/// # Errors
/// [`crate::web::problem::INVALID`] with the place of every fault.
pub fn particulars(
    kind: OrganisationKind,
    entered: &Entered,
    doing: Doing<'_>,
) -> Result<Particulars, Refusal> {
    let mut form = Form::new();
    let name_zh = form.line("/name_zh", &entered.name_zh, NAME_LENGTH_MAX);
    let name_en = form.line("/name_en", &entered.name_en, NAME_LENGTH_MAX);
    let credit_code = credit_code(&mut form, kind, entered.credit_code.as_deref());
    let legal_representative = form.optional_line(
        "/legal_representative",
        entered.legal_representative.as_deref(),
        NAME_LENGTH_MAX,
    );
    let contact_name = form.optional_line("/contact_name", entered.contact_name.as_deref(), NAME_LENGTH_MAX);
    let phone = entered.phone.as_deref().map(|phone| form.phone("/phone", phone));
    let mail = entered.mail.as_deref().map(|mail| form.mail("/mail", mail));
    let address = form.optional_line("/address", entered.address.as_deref(), ADDRESS_LENGTH_MAX);
    let needed = [
        ("/legal_representative", legal_representative.is_some()),
        ("/contact_name", contact_name.is_some()),
        ("/phone", phone.is_some()),
    ];
    for (pointer, _) in needed
        .iter()
        .filter(|(_, given)| !kind.is_public_body() && !given)
    {
        form.object(pointer, Text::fixed("必填", "is required"));
    }
    members(&mut form, kind, entered);
    let size = size(&mut form, kind, &entered.size, doing);
    form.finish(Particulars {
        name_zh,
        name_en,
        credit_code,
        area_id: entered.area_id.clone(),
        legal_representative,
        contact_name,
        phone,
        mail,
        address,
        member_count: entered.member_count,
        size,
    })
}

fn credit_code(form: &mut Form, kind: OrganisationKind, entered: Option<&str>) -> Option<CreditCode> {
    let needed = matches!(kind, Company | SocialOrganisation);
    match (kind, entered.map(str::parse::<CreditCode>)) {
        (ResidentsGroup, Some(_)) => {
            form.object(
                "/credit_code",
                Text::fixed(
                    "居民小组没有统一社会信用代码",
                    "a residents' group has no credit code",
                ),
            );
            None
        }
        (_, Some(Ok(code))) => Some(code),
        (_, Some(Err(CreditCodeError::Form))) => {
            form.object(
                "/credit_code",
                Text::fixed(
                    "应为 18 位数字和大写字母（不含 I、O、S、V、Z）",
                    "must be 18 digits and capital letters, none of them I, O, S, V or Z",
                ),
            );
            None
        }
        (_, Some(Err(CreditCodeError::Check))) => {
            form.object(
                "/credit_code",
                Text::fixed(
                    "校验码不符（GB 32100），请核对",
                    "the check character does not fit (GB 32100); some character is wrong",
                ),
            );
            None
        }
        (_, None) if needed => {
            form.object("/credit_code", Text::fixed("必填", "is required"));
            None
        }
        (_, None) => None,
    }
}

fn members(form: &mut Form, kind: OrganisationKind, entered: &Entered) {
    match (kind, entered.member_count) {
        (ResidentsGroup, Some(count)) if !(1..=MEMBERS_MAX).contains(&count) => {
            form.object(
                "/member_count",
                text!("应为 1 至 {MEMBERS_MAX}", "must be from 1 to {MEMBERS_MAX}"),
            );
        }
        (ResidentsGroup, None) => form.object("/member_count", Text::fixed("必填", "is required")),
        (ResidentsGroup, Some(_)) | (_, None) => {}
        (_, Some(_)) => form.object(
            "/member_count",
            Text::fixed(
                "仅居民小组填写",
                "only a residents' group has a number of members",
            ),
        ),
    }
    if kind == ResidentsGroup && entered.area_id.is_none() {
        form.object("/area_id", Text::fixed("必填", "is required"));
    }
}

fn size(
    form: &mut Form,
    kind: OrganisationKind,
    entered: &Size,
    doing: Doing<'_>,
) -> Option<SizeDeclaration> {
    match (kind, entered) {
        (_, Size::Undeclared) => None,
        (Company, Size::AsBefore(before)) => Some(before.clone()),
        (Company, Size::Declared(facts, class)) => {
            match rules_size::declare(*facts, *class, doing.at, doing.by) {
                Ok(declaration) => Some(declaration),
                Err(refusal) => {
                    for objection in refusal.objections {
                        form.object(&objection.pointer, objection.detail);
                    }
                    None
                }
            }
        }
        (_, _) => {
            form.object(
                "/size",
                Text::fixed("仅企业申报规模", "only a company declares its size"),
            );
            None
        }
    }
}

/// What is declared of the size of an organisation; none where a company has declared nothing.
pub fn size_class(kind: OrganisationKind, particulars: &Particulars) -> Option<SizeClass> {
    match kind {
        Company => particulars.size.as_ref().map(|size| size.class),
        _ => Some(SizeClass::NotApplicable),
    }
}

/// Whether an organisation of `kind` may be at home in an area of `level`; `None` is an area that is not there.
///
/// # Errors
/// [`AREA_UNKNOWN`], then [`AREA_WRONG_LEVEL`] for a residents' group outside a community.
pub fn at_home(kind: OrganisationKind, level: Option<Level>) -> Result<(), Refusal> {
    match (kind, level) {
        (_, None) => Err(AREA_UNKNOWN.refuse().at("/area_id")),
        (ResidentsGroup, Some(level)) if level != Level::Community => {
            Err(AREA_WRONG_LEVEL.refuse().at("/area_id"))
        }
        _ => Ok(()),
    }
}

/// A new organisation. Public bodies are public at once; what registers itself is so when it is verified.
pub fn register(
    id: OrganisationId,
    kind: OrganisationKind,
    particulars: Particulars,
    doing: Doing<'_>,
) -> Organisation {
    Organisation {
        id,
        kind,
        registered_by: Some(doing.by.to_owned()),
        public_at: kind.is_public_body().then_some(doing.at),
        created_at: doing.at,
        current: Version {
            version: 1,
            state: State::Registered,
            particulars,
            verification: None,
            note: None,
            changed_by: doing.by.to_owned(),
            changed_at: doing.at,
        },
    }
}

/// What verification vouches for: names, credit code, who may sign.
fn vouched(particulars: &Particulars) -> impl PartialEq + '_ {
    (
        &particulars.name_zh,
        &particulars.name_en,
        &particulars.credit_code,
        &particulars.legal_representative,
    )
}

/// Whether another verification is due once these particulars hold instead.
pub fn needs_verification(organisation: &Organisation, particulars: &Particulars) -> bool {
    let current = &organisation.current;
    current.state != State::Verified || vouched(&current.particulars) != vouched(particulars)
}

/// The organisation with other particulars; `None` if it has them already and nobody waits for another look at them. What
/// verification vouched for cannot be changed without another one, and what was refused is registered again.
///
/// # Errors
/// [`WRONG_STATE`] for a closed organisation.
pub fn change(
    organisation: Organisation,
    particulars: Particulars,
    doing: Doing<'_>,
) -> Result<Option<Organisation>, Refusal> {
    let current = &organisation.current;
    if current.state == State::Closed {
        return Err(wrong_state(current.state));
    }
    if current.particulars == particulars && current.state != State::Refused {
        return Ok(None);
    }
    let due = needs_verification(&organisation, &particulars);
    let state = if due { State::Registered } else { State::Verified };
    let verification = current.verification.clone().filter(|_| !due);
    Ok(Some(next(organisation, doing, |version| Version {
        state,
        particulars,
        verification,
        note: None,
        ..version
    })))
}

/// The organisation, its particulars found true. Everyone may know of it from now on.
///
/// # Errors
/// [`WRONG_STATE`] unless it waits for this; a fault of the text.
pub fn verify(organisation: Organisation, evidence: &str, doing: Doing<'_>) -> Result<Organisation, Refusal> {
    let evidence = note("/evidence", evidence)?;
    if organisation.current.state != State::Registered {
        return Err(wrong_state(organisation.current.state));
    }
    let public_at = organisation.public_at.or(Some(doing.at));
    let verified = next(organisation, doing, |version| Version {
        state: State::Verified,
        verification: Some(Verification {
            by: doing.by.to_owned(),
            at: doing.at,
            evidence,
        }),
        note: None,
        ..version
    });
    Ok(Organisation {
        public_at,
        ..verified
    })
}

/// The organisation, its particulars not borne out by evidence.
///
/// # Errors
/// As [`verify`].
pub fn refuse(organisation: Organisation, reason: &str, doing: Doing<'_>) -> Result<Organisation, Refusal> {
    let reason = note("/reason", reason)?;
    if organisation.current.state != State::Registered {
        return Err(wrong_state(organisation.current.state));
    }
    Ok(next(organisation, doing, |version| Version {
        state: State::Refused,
        note: Some(reason),
        ..version
    }))
}

/// The organisation, not there any more; its history stays.
///
/// # Errors
/// [`WRONG_STATE`] if it is closed already; a fault of the text.
pub fn close(organisation: Organisation, reason: &str, doing: Doing<'_>) -> Result<Organisation, Refusal> {
    let reason = note("/reason", reason)?;
    if organisation.current.state == State::Closed {
        return Err(wrong_state(State::Closed));
    }
    Ok(next(organisation, doing, |version| Version {
        state: State::Closed,
        note: Some(reason),
        ..version
    }))
}

fn next(
    organisation: Organisation,
    doing: Doing<'_>,
    change: impl FnOnce(Version) -> Version,
) -> Organisation {
    let current = change(organisation.current);
    Organisation {
        current: Version {
            version: current.version.saturating_add(1),
            changed_by: doing.by.to_owned(),
            changed_at: doing.at,
            ..current
        },
        ..organisation
    }
}

fn note(pointer: &str, text: &str) -> Result<String, Refusal> {
    let mut form = Form::new();
    let line = form.line(pointer, text, NOTE_LENGTH_MAX);
    form.finish(line)
}

fn wrong_state(state: State) -> Refusal {
    let name = state.name();
    WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}"))
}
