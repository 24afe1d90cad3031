//! What people are written about their accounts: always through the outbox, in the transaction of the act.

use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Language;
use crate::outbox;
use crate::outbox::content::Content;
use crate::outbox::notice::{Notice, Recipient};
use crate::outbox::wording::Both;
use crate::people::rules::{Account, Email};
use crate::people::{store, store_grants};
use crate::web::actor::{Actor, Grant};
use crate::web::policy::Role;

/// Queues a mail to an account's owner. One whose person is erased gets none. `key` tells mails of one account apart.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    account: &Account,
    key: &str,
    content: impl Into<Content>,
    useful_until: Option<Instant>,
) -> Answer<()> {
    let Some(email) = &account.email else {
        return Ok(());
    };
    let name = account.display_name.as_deref().unwrap_or_default();
    let address = address_of(email)?;
    let to = Recipient::account(account.id.as_str(), address, name, account.language);
    let mut notice = Notice::new(format!("{}:{key}", account.id), to, content);
    notice.useful_until = useful_until;
    outbox::store::enqueue(tx, &notice)?;
    Ok(())
}

/// What a role is called.
pub(super) fn role_in_words(role: Role) -> Both {
    let (zh, en) = match role {
        Role::Public => ("公众", "member of the public"),
        Role::BuyerOfficer => ("采购经办人", "buyer's officer"),
        Role::BuyerApprover => ("采购审批人", "buyer's approver"),
        Role::FinanceOfficer => ("财务人员", "finance officer"),
        Role::SupplierAgent => ("供应商代表", "supplier's agent"),
        Role::Evaluator => ("评审专家", "evaluator"),
        Role::OpeningWitness => ("开标监督人", "opening witness"),
        Role::Registrar => ("居民名册管理员", "registrar"),
        Role::Resident => ("居民", "resident"),
        Role::Auditor => ("审计人员", "auditor"),
        Role::Regulator => ("监管人员", "regulator"),
        Role::StandardsKeeper => ("服务标准管理员", "standards keeper"),
        Role::OrganisationAdmin => ("单位管理员", "organisation administrator"),
        Role::Admin => ("平台管理员", "platform administrator"),
        Role::System => ("系统", "system"),
    };
    Both::new(zh, en)
}

/// What the organisation of a role is called; that of the platform's own roles is this service.
pub(super) fn place_in_words(conn: &mut Conn, grant: &Grant) -> Answer<Both> {
    let named = match &grant.organisation {
        Some(id) => store_grants::organisation_name(conn, id)?,
        None => None,
    };
    Ok(match named {
        Some((zh, en)) => Both::new(zh, en),
        None => Both::new("本系统", "this service"),
    })
}

/// What whoever acts is called, where they have a name.
pub(super) fn name_of(conn: &mut Conn, actor: &Actor) -> Answer<String> {
    let account = match actor.id().and_then(|id| id.parse::<AccountId>().ok()) {
        Some(id) => store::account(conn, &id)?,
        None => None,
    };
    let name = account.and_then(|account| account.display_name);
    Ok(name.unwrap_or_else(|| "管理员 / The administrator".to_owned()))
}

/// Queues a mail to an address that is no account's.
pub(super) fn tell_stranger(
    tx: &mut Tx<'_>,
    email: &Email,
    language: Language,
    key: &str,
    content: impl Into<Content>,
    useful_until: Instant,
) -> Answer<()> {
    let to = Recipient::stranger(address_of(email)?, language);
    let notice = Notice::new(key, to, content).useful_until(useful_until);
    outbox::store::enqueue(tx, &notice)?;
    Ok(())
}

fn address_of(email: &Email) -> Result<outbox::address::Address, Fault> {
    email
        .whole()
        .parse()
        .map_err(|_| Fault::broken("a mail address that the outbox does not know as one"))
}
