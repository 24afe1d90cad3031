//! What an organisation's people are told by mail: always through the outbox, in the transaction of the act that it tells of. Told
//! are its administrators, and whoever registered it as long as it is not public and so has none.

use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Language;
use crate::outbox;
use crate::outbox::content::{
    BankAccountChangeProposed, BankAccountChangeWithdrawn, BankAccountChanged, Content, DebarmentLifted,
    DebarmentRecorded, OrganisationRefused, OrganisationVerified, QualificationExpiring,
};
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::registry::rules_bank_accounts::{BankAccountChange, ChangeState};
use crate::registry::rules_debarments::Debarment;
use crate::registry::rules_organisations::Organisation;
use crate::registry::rules_qualifications::{Qualification, known_kind};
use crate::registry::rules_reminders::Reminder;
use crate::registry::store_contacts;
use crate::web::actor::Actor;

/// The name of an organisation in both languages.
pub(super) fn name_of(organisation: &Organisation) -> Both {
    let particulars = &organisation.current.particulars;
    Both::new(&particulars.name_zh, &particulars.name_en)
}

/// Tells an organisation's people something once for each `key`.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    organisation: &Organisation,
    key: &str,
    content: impl Fn(Language) -> Content,
) -> Answer<()> {
    tell_until(tx, organisation, key, None, content)
}

fn tell_until(
    tx: &mut Tx<'_>,
    organisation: &Organisation,
    key: &str,
    useful_until: Option<Instant>,
    content: impl Fn(Language) -> Content,
) -> Answer<()> {
    let mut readers = store_contacts::administrators(tx.conn(), &organisation.id)?;
    if let Some(registrant) = &organisation.registered_by
        && organisation.public_at.is_none()
    {
        readers.extend(store_contacts::account(tx.conn(), registrant)?);
    }
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let content = content(reader.language);
        let mut notice = Notice::new(format!("{key}:{account}"), reader, content);
        notice.useful_until = useful_until;
        outbox::store::enqueue(tx, &notice)?;
    }
    Ok(())
}

fn by(tx: &mut Tx<'_>, actor: &Actor) -> Answer<String> {
    let name = match actor.id() {
        Some(id) => store_contacts::name(tx.conn(), id)?,
        None => None,
    };
    Ok(name.unwrap_or_else(|| "管理员 / The administrator".to_owned()))
}

/// That an organisation was verified.
pub(super) fn verified(tx: &mut Tx<'_>, organisation: &Organisation) -> Answer<()> {
    let key = format!("{}:{}", organisation.id, organisation.current.version);
    let path = format!("/api/v1/organisations/{}", organisation.id);
    tell(tx, organisation, &key, |_| {
        OrganisationVerified {
            organisation: name_of(organisation),
            path: path.clone(),
        }
        .into()
    })
}

/// That an organisation was refused.
pub(super) fn refused(tx: &mut Tx<'_>, organisation: &Organisation) -> Answer<()> {
    let key = format!("{}:{}", organisation.id, organisation.current.version);
    tell(tx, organisation, &key, |_| {
        OrganisationRefused {
            organisation: name_of(organisation),
            reason: organisation.current.note.clone().unwrap_or_default(),
        }
        .into()
    })
}

/// What has become of a change of the bank account.
pub(super) fn bank_account(
    tx: &mut Tx<'_>,
    actor: &Actor,
    organisation: &Organisation,
    change: &BankAccountChange,
) -> Answer<()> {
    let by = by(tx, actor)?;
    let key = format!("{}:{}", change.id, change.state.name());
    tell(tx, organisation, &key, |_| {
        let (organisation, by) = (name_of(organisation), by.clone());
        match change.state {
            ChangeState::Proposed => BankAccountChangeProposed { organisation, by }.into(),
            ChangeState::Confirmed => BankAccountChanged {
                organisation,
                by,
                number_masked: change.account.masked(),
            }
            .into(),
            ChangeState::Withdrawn => BankAccountChangeWithdrawn { organisation, by }.into(),
        }
    })
}

/// That a supplier is debarred, or not any more.
pub(super) fn debarment(tx: &mut Tx<'_>, organisation: &Organisation, debarment: &Debarment) -> Answer<()> {
    let (decision, lifting) = (&debarment.decision, &debarment.lifting);
    let what = if lifting.is_some() { "lifted" } else { "recorded" };
    let path = format!("/api/v1/debarments/{}", debarment.id);
    let in_language = |language, zh: &String, en: &String| match language {
        Language::Chinese => zh.clone(),
        Language::English => en.clone(),
    };
    tell(
        tx,
        organisation,
        &format!("{}:{what}", debarment.id),
        |language| match lifting {
            None => DebarmentRecorded {
                organisation: name_of(organisation),
                reason: in_language(language, &decision.reason_zh, &decision.reason_en),
                from: decision.from,
                until: decision.until,
                path: path.clone(),
            }
            .into(),
            Some(lifting) => DebarmentLifted {
                organisation: name_of(organisation),
                reason: in_language(language, &lifting.reason_zh, &lifting.reason_en),
                on: lifting.on,
                path: path.clone(),
            }
            .into(),
        },
    )
}

/// That a qualification ends soon: once for each version of it and each distance.
pub(super) fn expiring(
    tx: &mut Tx<'_>,
    organisation: &Organisation,
    qualification: &Qualification,
    reminder: Reminder,
    useful_until: Option<Instant>,
) -> Answer<()> {
    let (id, version, distance) = (&qualification.id, qualification.version, reminder.distance);
    let key = format!("{id}:expiring:{version}:{distance}");
    let licence = &qualification.licence;
    let named = match known_kind(&licence.kind) {
        Some(kind) => Both::new(kind.name_zh, kind.name_en),
        None => Both::same(&licence.kind),
    };
    let number = &licence.number;
    tell_until(tx, organisation, &key, useful_until, |_| {
        QualificationExpiring {
            supplier: name_of(organisation),
            qualification: Both::new(
                format!("{}（{number}）", named.zh),
                format!("{} ({number})", named.en),
            ),
            days_left: reminder.days_left,
        }
        .into()
    })
}
