//! Following books and categories: each function is one transaction's worth of work, permission first, event last. What somebody follows
//! is nobody else's business: no event says it.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::books::rules_follows::{FOLLOWS_MAX, Follow, FollowId, Followed, TOO_MANY};
use crate::books::{store as books, store_follows as store};
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::account;
use crate::standards::store as standards;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Begins to follow something. What the actor follows already stays as it is, which the second value tells.
///
/// # Errors
/// Permission; a book that is not public, or a category that there is not, is not found; [`TOO_MANY`].
pub fn begin(tx: &mut Tx<'_>, actor: &Actor, followed: Followed) -> Answer<(Follow, bool)> {
    policy::allow(actor, Action::ChangeOwnFollows, Matter::default())?;
    let account = account(actor)?;
    match &followed {
        Followed::Book(id) => {
            let book = books::book(tx.conn(), id)?;
            book.filter(|book| book.state.is_public())
                .ok_or_else(|| NOT_FOUND.refuse().at("/book_id"))?;
        }
        Followed::Category(code) => {
            standards::category(tx.conn(), code)?.ok_or_else(|| NOT_FOUND.refuse().at("/category"))?;
        }
    }
    let own = store::of_account(tx.conn(), account)?;
    if let Some(known) = own.iter().find(|one| one.followed == followed) {
        tx.nothing_to_change();
        return Ok((known.clone(), true));
    }
    if own.len() >= FOLLOWS_MAX {
        return Err(TOO_MANY.refuse().into());
    }
    let follow = Follow {
        id: FollowId::mint(tx.now()),
        account_id: account.to_owned(),
        followed,
        begun_at: tx.now(),
    };
    store::insert(tx, &follow)?;
    audit::store::append(tx, actor, &event("follow.begun", &follow))?;
    Ok((follow, false))
}

/// Follows something no longer.
///
/// # Errors
/// Permission; not found, somebody else's too.
pub fn end(tx: &mut Tx<'_>, actor: &Actor, id: &FollowId) -> Answer<Follow> {
    policy::allow(actor, Action::ChangeOwnFollows, Matter::default())?;
    let own = store::of_account(tx.conn(), account(actor)?)?;
    let follow = own.into_iter().find(|one| one.id == *id);
    let follow = follow.ok_or_else(|| NOT_FOUND.refuse())?;
    store::delete(tx, id)?;
    audit::store::append(tx, actor, &event("follow.ended", &follow))?;
    Ok(follow)
}

fn event(kind: &'static str, follow: &Follow) -> Event {
    Event {
        kind,
        subject: follow.id.to_string(),
        data: json!({}),
        private: Value::Null,
    }
}
