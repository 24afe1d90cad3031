//! Who may read an attachment. What hangs on a matter is read by whoever may read the matter, and only the matter's own slice
//! knows who that is; it lies above this one, so it is asked through [`Access`], which `app/` registers. What no slice
//! answers for is read by nobody.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::db::conn::Conn;
use crate::files::rules::{Attachment, Visibility};
use crate::kernel::refusal::Answer;
use crate::web::actor::Actor;

/// Answers for the matters of one kind.
pub trait Access: Send + Sync {
    /// The kind of matter, as acts name it when they attach: what its ids begin with.
    fn matter_kind(&self) -> &'static str;

    /// True if the actor may read what hangs on this matter.
    ///
    /// # Errors
    /// A fault of the database.
    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool>;

    /// True if the actor may read this file of the matter, where that is not the same for each of them.
    ///
    /// # Errors
    /// A fault of the database.
    fn may_read_file(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        (matter_id, _): (&str, &Attachment),
    ) -> Answer<bool> {
        self.may_read(conn, actor, matter_id)
    }
}

/// Everyone who answers. Clones share them.
#[derive(Clone, Default)]
pub struct Deciders(Arc<RwLock<HashMap<&'static str, Arc<dyn Access>>>>);

impl Deciders {
    /// From now on the matters of this kind are answered for.
    pub fn register(&self, access: Arc<dyn Access>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(access.matter_kind(), access);
    }

    /// True if the actor may read the attachment: what hangs on nothing is its uploader's, what is public everyone's, and
    /// about the rest the matter decides.
    ///
    /// # Errors
    /// Those of [`Access::may_read`].
    pub fn may_read(&self, conn: &mut Conn, actor: &Actor, attachment: &Attachment) -> Answer<bool> {
        let Some(hanging) = &attachment.hanging else {
            return Ok(actor.id() == Some(&attachment.uploaded_by));
        };
        if hanging.visibility == Visibility::Public {
            return Ok(true);
        }
        let decider = {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            known.get(hanging.matter_kind.as_str()).cloned()
        };
        match decider {
            Some(decider) => decider.may_read_file(conn, actor, (&hanging.matter_id, attachment)),
            None => Ok(false),
        }
    }
}
