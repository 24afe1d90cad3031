//! How organisations are shown, and what is asked for when one is registered or changed. What is personal stands apart, in a
//! member that only those get who may open the organisation.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::registry::acts_organisations::matter;
use crate::registry::rules_organisations::{
    Entered, Organisation, OrganisationKind, Size, State, Version, size_class,
};
use crate::registry::rules_size::{Industry, SizeClass, SizeDeclaration, SizeFacts};
use crate::web::actor::Actor;
use crate::web::body::given;
use crate::web::policy::{self, Action};

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organisation, example = json!({
    "id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "kind": "company", "name_zh": "梧桐洁城环境服务有限公司",
    "name_en": "Wutong Clean City Co., Ltd.", "credit_code": "914403001922038216", "area_id": "area_01jd3n8f5teqkrzvq1c0m6h2ax",
    "state": "verified", "may_supply": true, "size_class": "small", "industry": "other_services", "size_derived": true,
    "verified_at": "2026-03-03T08:00:00.000000Z", "version": 2, "created_at": "2026-03-02T08:00:00.000000Z",
    "updated_at": "2026-03-03T08:00:00.000000Z", "private": null
}))]
pub struct OrganisationView {
    /// Its id.
    pub id: OrganisationId,
    /// What sort of organisation it is.
    pub kind: OrganisationKind,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Unified social credit code.
    #[schema(required = true)]
    pub credit_code: Option<String>,
    /// Where it is at home.
    #[schema(required = true)]
    pub area_id: Option<AreaId>,
    /// How far it has come.
    pub state: State,
    /// True for kinds that may take on public services.
    pub may_supply: bool,
    /// Class of a company; `null` if it has declared nothing.
    #[schema(required = true)]
    pub size_class: Option<SizeClass>,
    /// Line of business that the class is of.
    #[schema(required = true)]
    pub industry: Option<Industry>,
    /// True if the class follows from declared figures by 工信部联企业〔2011〕300号, false if it is as declared.
    #[schema(required = true)]
    pub size_derived: Option<bool>,
    /// When its particulars were found true, UTC; `null` while they are not.
    #[schema(required = true)]
    pub verified_at: Option<String>,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was registered, UTC.
    pub created_at: String,
    /// When it was last changed, UTC.
    pub updated_at: String,
    /// What is not public; `null` for whoever may not see it.
    #[schema(required = true)]
    pub private: Option<OrganisationPrivate>,
}

/// What of an organisation its own people, the platform and auditors see.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "legal_representative": "高清岚", "contact_name": "高清岚", "phone": "13800000000", "mail": "office@jiecheng.example.com",
    "address": "凤鸣区梧桐街道 1 号", "member_count": null, "size": null, "registered_by": "user_01jd3n8f5teqkrzvq1c0m6h2ax",
    "verified_by": "user_01jd3n8f5teqkrzvq1c0m6h2ay", "evidence": "营业执照副本", "note": null,
    "changed_by": "user_01jd3n8f5teqkrzvq1c0m6h2ay"
}))]
pub struct OrganisationPrivate {
    /// Legal representative; of a residents' group the leader.
    #[schema(required = true)]
    pub legal_representative: Option<String>,
    /// Whom to talk to.
    #[schema(required = true)]
    pub contact_name: Option<String>,
    /// Their telephone number.
    #[schema(required = true)]
    pub phone: Option<String>,
    /// Their mail address.
    #[schema(required = true)]
    pub mail: Option<String>,
    /// Registered address.
    #[schema(required = true)]
    pub address: Option<String>,
    /// Members of a residents' group.
    #[schema(required = true)]
    pub member_count: Option<i64>,
    /// What a company declared of its size.
    #[schema(required = true)]
    pub size: Option<SizeView>,
    /// Which account registered it.
    #[schema(required = true)]
    pub registered_by: Option<String>,
    /// Which account found its particulars true.
    #[schema(required = true)]
    pub verified_by: Option<String>,
    /// What they were compared with.
    #[schema(required = true)]
    pub evidence: Option<String>,
    /// Why it was refused or closed.
    #[schema(required = true)]
    pub note: Option<String>,
    /// Which account made this version.
    pub changed_by: String,
}

/// What a company declared of its size.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SizeDeclaration, example = json!({
    "industry": "other_services", "employees": 42, "revenue": {"amount": "3000000.00", "currency": "CNY"}, "assets": null,
    "class": "small", "derived": true, "declared_at": "2026-03-02T08:00:00.000000Z",
    "declared_by": "user_01jd3n8f5teqkrzvq1c0m6h2ax"
}))]
pub struct SizeView {
    /// Line of business.
    pub industry: Industry,
    /// People employed.
    #[schema(required = true)]
    pub employees: Option<i64>,
    /// Revenue of a year.
    #[schema(required = true)]
    pub revenue: Option<Money>,
    /// Total assets.
    #[schema(required = true)]
    pub assets: Option<Money>,
    /// The class.
    pub class: SizeClass,
    /// True if it follows from the figures.
    pub derived: bool,
    /// When it was declared, UTC.
    pub declared_at: String,
    /// By which account.
    pub declared_by: String,
}

impl From<&SizeDeclaration> for SizeView {
    fn from(size: &SizeDeclaration) -> Self {
        Self {
            industry: size.facts.industry,
            employees: size.facts.employees,
            revenue: size.facts.revenue,
            assets: size.facts.assets,
            class: size.class,
            derived: size.derived,
            declared_at: rfc3339(size.declared_at),
            declared_by: size.declared_by.clone(),
        }
    }
}

impl OrganisationView {
    /// What this actor sees of the organisation.
    pub fn of(organisation: &Organisation, actor: &Actor) -> Self {
        let opened = policy::allows(actor, Action::OpenOrganisation, matter(organisation));
        Self::made(organisation, &organisation.current, opened)
    }

    /// One version of the organisation, in full.
    pub fn of_version(organisation: &Organisation, version: &Version) -> Self {
        Self::made(organisation, version, true)
    }

    fn made(organisation: &Organisation, version: &Version, opened: bool) -> Self {
        let particulars = &version.particulars;
        let size = particulars.size.as_ref();
        Self {
            id: organisation.id.clone(),
            kind: organisation.kind,
            name_zh: particulars.name_zh.clone(),
            name_en: particulars.name_en.clone(),
            credit_code: particulars.credit_code.as_ref().map(ToString::to_string),
            area_id: particulars.area_id.clone(),
            state: version.state,
            may_supply: organisation.kind.may_supply(),
            size_class: size_class(organisation.kind, particulars),
            industry: size.map(|size| size.facts.industry),
            size_derived: size.map(|size| size.derived),
            verified_at: version
                .verification
                .as_ref()
                .map(|verification| rfc3339(verification.at)),
            version: version.version,
            created_at: rfc3339(organisation.created_at),
            updated_at: rfc3339(version.changed_at),
            private: opened.then(|| private(organisation, version)),
        }
    }

    /// The `ETag`: that of a version for whoever may change it, another one for what everyone sees of it.
    pub fn etag(&self) -> String {
        let version = self.version;
        match self.private {
            Some(_) => crate::web::conditional::etag(version),
            None => format!("\"v{version}-public\""),
        }
    }
}

fn private(organisation: &Organisation, version: &Version) -> OrganisationPrivate {
    let particulars = version.particulars.clone();
    let verification = version.verification.as_ref();
    OrganisationPrivate {
        legal_representative: particulars.legal_representative,
        contact_name: particulars.contact_name,
        phone: particulars.phone,
        mail: particulars.mail,
        address: particulars.address,
        member_count: particulars.member_count,
        size: version.particulars.size.as_ref().map(SizeView::from),
        registered_by: organisation.registered_by.clone(),
        verified_by: verification.map(|verification| verification.by.clone()),
        evidence: verification.map(|verification| verification.evidence.clone()),
        note: version.note.clone(),
        changed_by: version.changed_by.clone(),
    }
}

/// What a company declares of its size. The class follows from the figures for property management, business services and other
/// services (工信部联企业〔2011〕300号); elsewhere, and where figures are missing, it is to be declared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"industry": "other_services", "employees": 42}))]
pub struct NewSize {
    /// Line of business.
    industry: Industry,
    /// People employed.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10_000_000)]
    employees: Option<i64>,
    /// Revenue of the year before.
    #[serde(default)]
    revenue: Option<Money>,
    /// Total assets at the end of the year before.
    #[serde(default)]
    assets: Option<Money>,
    /// The class, where it does not follow.
    #[serde(default)]
    class: Option<SizeClass>,
}

impl From<NewSize> for Size {
    fn from(size: NewSize) -> Self {
        let facts = SizeFacts {
            industry: size.industry,
            employees: size.employees,
            revenue: size.revenue,
            assets: size.assets,
        };
        Self::Declared(facts, size.class)
    }
}

/// An organisation to register. Texts are without invisible characters, and do not begin with `=`, `+`, `-` or `@`, which
/// spreadsheets would take for a formula.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "company", "name_zh": "梧桐洁城环境服务有限公司", "name_en": "Wutong Clean City Co., Ltd.",
    "credit_code": "9144030071526726XG", "legal_representative": "高清岚", "contact_name": "高清岚", "phone": "13800000000",
    "mail": "office@jiecheng.example.com", "size": {"industry": "other_services", "employees": 42}
}))]
pub struct NewOrganisation {
    /// What sort of organisation it is; never changes.
    pub kind: OrganisationKind,
    /// Chinese name.
    #[schema(min_length = 1, max_length = 100)]
    name_zh: String,
    /// English name.
    #[schema(min_length = 1, max_length = 100)]
    name_en: String,
    /// Unified social credit code (GB 32100); companies and social organisations have one, residents' groups none.
    #[serde(default)]
    #[schema(max_length = 18)]
    credit_code: Option<String>,
    /// Where it is at home; of a residents' group its community.
    #[serde(default)]
    area_id: Option<AreaId>,
    /// Legal representative, or a residents' group's leader; whoever registers itself names one.
    #[serde(default)]
    #[schema(max_length = 100)]
    legal_representative: Option<String>,
    /// Whom to talk to; whoever registers itself names one.
    #[serde(default)]
    #[schema(max_length = 100)]
    contact_name: Option<String>,
    /// Their telephone number; whoever registers itself names one.
    #[serde(default)]
    #[schema(max_length = 30)]
    phone: Option<String>,
    /// Their mail address.
    #[serde(default)]
    #[schema(max_length = 254)]
    mail: Option<String>,
    /// Registered address.
    #[serde(default)]
    #[schema(max_length = 200)]
    address: Option<String>,
    /// Members of a residents' group.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100_000)]
    member_count: Option<i64>,
    /// What a company declares of its size.
    #[serde(default)]
    size: Option<NewSize>,
}

impl From<NewOrganisation> for Entered {
    fn from(new: NewOrganisation) -> Self {
        Self {
            name_zh: new.name_zh,
            name_en: new.name_en,
            credit_code: new.credit_code,
            area_id: new.area_id,
            legal_representative: new.legal_representative,
            contact_name: new.contact_name,
            phone: new.phone,
            mail: new.mail,
            address: new.address,
            member_count: new.member_count,
            size: new.size.map_or(Size::Undeclared, Size::from),
        }
    }
}

/// Other particulars; what is left out stays as it is, and `null` takes it away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"phone": "13900000000", "address": null}))]
pub struct OrganisationChange {
    /// Chinese name.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    pub name_zh: Option<String>,
    /// English name.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    pub name_en: Option<String>,
    /// Unified social credit code.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 18)]
    pub credit_code: Option<Option<String>>,
    /// Where it is at home.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<AreaId>)]
    pub area_id: Option<Option<AreaId>>,
    /// Legal representative or leader.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub legal_representative: Option<Option<String>>,
    /// Whom to talk to.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub contact_name: Option<Option<String>>,
    /// Their telephone number.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 30)]
    pub phone: Option<Option<String>>,
    /// Their mail address.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 254)]
    pub mail: Option<Option<String>>,
    /// Registered address.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub address: Option<Option<String>>,
    /// Members of a residents' group.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100_000)]
    pub member_count: Option<Option<i64>>,
    /// What a company declares of its size; `null` takes the declaration away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<NewSize>)]
    pub size: Option<Option<NewSize>>,
}

/// What a verification rests on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVerification {
    /// What the particulars were compared with.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "营业执照副本；国家企业信用信息公示系统 2026-03-03"
    )]
    pub evidence: String,
}

/// Why something is refused or ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grounds {
    /// The reason, for those concerned.
    #[schema(min_length = 1, max_length = 500, example = "营业执照与名称不符")]
    pub reason: String,
}
