//! Publication goes on while the service runs: what the log tells of and everybody may know becomes a release shortly after.

use std::sync::Arc;

use crate::app::keeping::Keeper;
use crate::app::server::House;
use crate::kernel::refusal::Answer;
use crate::publish::acts;

impl Keeper {
    /// What is looked at in every round.
    pub(super) async fn publish(&self) {
        loop {
            match self.publish_next().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(stop) => {
                    tracing::warn!(%stop, "what has become public could not be published");
                    return;
                }
            }
        }
    }

    /// Publishes a part; false if nothing was left.
    async fn publish_next(&self) -> Answer<bool> {
        let (context, publisher) = (self.context.clone(), self.publisher.clone());
        let prepare = move |conn: &mut crate::db::conn::Conn| {
            acts::prepare(conn, &publisher, (&context.calendar, &context.clock))
        };
        let Some(prepared) = self.context.db.read(prepare).await? else {
            return Ok(false);
        };
        let prepared = Arc::new(prepared);
        let publish = move |tx: &mut crate::db::writer::Tx<'_>| acts::publish(tx, &prepared);
        self.context.db.upkeep(publish).await?;
        Ok(true)
    }
}

impl House {
    /// Publishes all that has become public, for commands and the demo, which have no keeper.
    ///
    /// # Errors
    /// A fault of the database, or of facts that do not fit each other.
    pub fn publish_all(&self) -> Answer<()> {
        let (context, publisher) = (&self.context, self.settings.publisher()?);
        loop {
            let at = (&context.calendar, &context.clock);
            let prepared = context
                .db
                .read_and_wait(|conn| acts::prepare(conn, &publisher, at))?;
            let Some(prepared) = prepared else {
                return Ok(());
            };
            context
                .db
                .upkeep_and_wait(move |tx| acts::publish(tx, &prepared))?;
        }
    }
}
