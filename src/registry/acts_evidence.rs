//! Evidence: attachments that are hung on an organisation, on a change of its bank account, on a qualification, or on a debarment.
//! Each hangs for good on what it was given for, as long as that is still to be decided or goes on; it is read by the organisation's
//! own people, by those who verify and by auditors, and by nobody else, because it shows what is personal.

use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files;
use crate::files::access::Access;
use crate::files::media::MediaType;
use crate::files::rules::{Attachment, AttachmentId, Use, Visibility};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault, Kind, Reason};
use crate::registry::acts_bank_accounts::Which;
use crate::registry::acts_organisations::{known, matter};
use crate::registry::rules_bank_accounts::{BankAccountChangeId, CHANGE_DECIDED, ChangeState};
use crate::registry::rules_debarments::{DebarmentId, ENDED};
use crate::registry::rules_organisations::{self, Organisation};
use crate::registry::rules_qualifications::{self, QualificationId};
use crate::registry::{store_bank_accounts, store_debarments, store_organisations, store_qualifications};
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;

/// Attachments that hang on one of these matters at most.
pub const EVIDENCE_MAX: usize = 20;

/// The matter has as much evidence as one may have.
pub static TOO_MUCH: Reason = Reason::new(
    Kind::Conflict,
    "evidence_too_much",
    "证明材料数量已达上限",
    "As much evidence hangs on this as may",
);

/// What evidence is: documents that are not changed by opening them, and pictures of them.
const TYPES: &[MediaType] = &[MediaType::Pdf, MediaType::Png, MediaType::Jpeg, MediaType::Webp];

/// What evidence is given for.
#[derive(Clone, Debug)]
pub enum About {
    /// What an organisation says of itself.
    Organisation(OrganisationId),
    /// That a bank account is its own.
    BankAccountChange(Which),
    /// That it is licensed.
    Qualification(OrganisationId, QualificationId),
    /// That it is debarred.
    Debarment(DebarmentId),
}

impl About {
    /// What somebody has to be allowed who gives it.
    pub const fn action(&self) -> Action {
        match self {
            Self::Organisation(_) | Self::Qualification(..) => Action::GiveEvidence,
            Self::BankAccountChange(_) => Action::ProposeBankAccount,
            Self::Debarment(_) => Action::DebarSupplier,
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Organisation(_) => "org",
            Self::BankAccountChange(_) => "accountchange",
            Self::Qualification(..) => "qualification",
            Self::Debarment(_) => "debarment",
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Organisation(id) => id.as_str(),
            Self::BankAccountChange(which) => which.id.as_str(),
            Self::Qualification(_, id) => id.as_str(),
            Self::Debarment(id) => id.as_str(),
        }
    }
}

/// The organisation that it is about, and why no more evidence is taken, if that is so.
fn found(conn: &mut Conn, actor: &Actor, about: &About) -> Answer<(Organisation, Option<&'static Reason>)> {
    let missing = || NOT_FOUND.refuse();
    Ok(match about {
        About::Organisation(id) => {
            let organisation = known(conn, actor, id)?;
            let closed = organisation.current.state == rules_organisations::State::Closed;
            (organisation, closed.then_some(&rules_organisations::WRONG_STATE))
        }
        About::BankAccountChange(which) => {
            let organisation = known(conn, actor, &which.organisation_id)?;
            let change = store_bank_accounts::change(conn, &which.id)?
                .filter(|change| change.organisation_id == which.organisation_id)
                .ok_or_else(missing)?;
            let decided = change.state != ChangeState::Proposed;
            (organisation, decided.then_some(&CHANGE_DECIDED))
        }
        About::Qualification(organisation_id, id) => {
            use rules_qualifications::State::{Claimed, Verified};
            let organisation = known(conn, actor, organisation_id)?;
            let qualification = store_qualifications::qualification(conn, id)?
                .filter(|qualification| qualification.organisation_id == *organisation_id)
                .ok_or_else(missing)?;
            let over = !matches!(qualification.state, Claimed | Verified);
            (organisation, over.then_some(&rules_qualifications::WRONG_STATE))
        }
        About::Debarment(id) => {
            let (debarment, _) = store_debarments::debarment(conn, id)?.ok_or_else(missing)?;
            let organisation = known(conn, actor, &debarment.organisation_id)?;
            (organisation, debarment.lifting.is_some().then_some(&ENDED))
        }
    })
}

/// Hangs attachments of the actor's on what they are evidence for.
///
/// # Errors
/// Permission; not found; a matter that is over; [`TOO_MUCH`]; those of [`files::acts::attach`].
pub fn give(tx: &mut Tx<'_>, actor: &Actor, about: &About, ids: &[AttachmentId]) -> Answer<Vec<Attachment>> {
    policy::allow_at_all(actor, about.action())?;
    let (organisation, over) = found(tx.conn(), actor, about)?;
    policy::allow(actor, about.action(), matter(&organisation))?;
    if let Some(reason) = over {
        return Err(reason.refuse().into());
    }
    let hanging = files::store::attached_to(tx.conn(), about.id())?.len();
    if hanging.saturating_add(ids.len()) > EVIDENCE_MAX {
        return Err(TOO_MUCH
            .because(text!(
                "最多 {EVIDENCE_MAX} 份，已有 {hanging} 份",
                "at most {EVIDENCE_MAX}; there are {hanging}"
            ))
            .at("/attachment_ids")
            .into());
    }
    for (at, id) in ids.iter().enumerate() {
        let to = Use {
            matter_kind: about.kind(),
            matter_id: about.id(),
            visibility: Visibility::Matter,
            types: TYPES,
            pointer: &format!("/attachment_ids/{at}"),
        };
        files::acts::attach(tx, actor, id, to)?;
    }
    files::store::attached_to(tx.conn(), about.id())
}

/// What evidence there is.
///
/// # Errors
/// Permission; not found.
pub fn given(conn: &mut Conn, actor: &Actor, about: &About) -> Answer<Vec<Attachment>> {
    policy::allow_at_all(actor, Action::OpenOrganisation)?;
    let (organisation, _) = found(conn, actor, about)?;
    policy::allow(actor, Action::OpenOrganisation, matter(&organisation))?;
    files::store::attached_to(conn, about.id())
}

type OrganisationOf = fn(&mut Conn, &str) -> Answer<Option<OrganisationId>>;

/// Answers for the evidence of one kind of matter.
pub struct EvidenceAccess {
    kind: &'static str,
    organisation_of: OrganisationOf,
}

/// Answers for all four kinds.
pub fn deciders() -> [EvidenceAccess; 4] {
    let answers = |kind, organisation_of: OrganisationOf| EvidenceAccess {
        kind,
        organisation_of,
    };
    [
        answers("org", |_, id| Ok(Some(read(id)?))),
        answers("accountchange", |conn, id| {
            let id: BankAccountChangeId = read(id)?;
            Ok(store_bank_accounts::change(conn, &id)?.map(|change| change.organisation_id))
        }),
        answers("qualification", |conn, id| {
            let id: QualificationId = read(id)?;
            Ok(store_qualifications::qualification(conn, &id)?.map(|found| found.organisation_id))
        }),
        answers("debarment", |conn, id| {
            let id: DebarmentId = read(id)?;
            Ok(store_debarments::debarment(conn, &id)?.map(|(debarment, _)| debarment.organisation_id))
        }),
    ]
}

fn read<T: std::str::FromStr>(id: &str) -> Result<T, Fault> {
    id.parse()
        .map_err(|_| Fault::broken("evidence hangs on what is no matter of its kind"))
}

impl Access for EvidenceAccess {
    fn matter_kind(&self) -> &'static str {
        self.kind
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let Some(id) = (self.organisation_of)(conn, matter_id)? else {
            return Ok(false);
        };
        let organisation = store_organisations::organisation(conn, &id)?;
        Ok(organisation.is_some_and(|organisation| {
            policy::allows(actor, Action::OpenOrganisation, matter(&organisation))
        }))
    }
}
