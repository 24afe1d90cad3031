//! What is done again and again about ballots while the service runs: votes are counted when their time has come, and voters are written to.

use crate::app::keeping::Keeper;
use crate::ballots::acts_mail::{self as mail, Mailing};
use crate::ballots::rules::BallotId;
use crate::ballots::{acts_counting, store};
use crate::kernel::refusal::Answer;

/// Ballots that are looked at in one round at most.
const AT_ONCE: i64 = 50;

impl Keeper {
    /// What is looked at every minute.
    pub(super) async fn keep_ballots(&self) {
        let now = self.context.clock.now();
        let due = self
            .context
            .db
            .read(move |conn| store::due(conn, now, AT_ONCE))
            .await;
        match due {
            Ok(due) => {
                for id in due {
                    self.count_ballot(id).await;
                }
            }
            Err(stop) => tracing::warn!(%stop, "it could not be read which ballots have closed"),
        }
        match self
            .context
            .db
            .read(move |conn| store::open(conn, now, AT_ONCE))
            .await
        {
            Ok(open) => {
                for ballot in open {
                    for mailing in Mailing::ALL {
                        self.write_to_voters(&ballot.id, mailing).await;
                    }
                }
            }
            Err(stop) => tracing::warn!(%stop, "it could not be read which ballots are open"),
        }
    }

    async fn count_ballot(&self, id: BallotId) {
        let (name, polling) = (id.to_string(), self.polling.clone());
        let counted: Answer<()> = self
            .context
            .db
            .write(move |tx| acts_counting::count(tx, &polling, &id).map(|_| ()))
            .await;
        if let Err(stop) = counted {
            tracing::warn!(ballot = name, %stop, "a ballot that has closed could not be counted");
        }
    }

    async fn write_to_voters(&self, id: &BallotId, mailing: Mailing) {
        loop {
            let (of, polling) = (id.clone(), self.polling.clone());
            let written: Answer<bool> = self
                .context
                .db
                .upkeep(move |tx| mail::write_to_some(tx, &polling, &of, mailing))
                .await;
            match written {
                Ok(true) => return,
                Ok(false) => {}
                Err(stop) => {
                    tracing::warn!(%stop, "voters could not be written to");
                    return;
                }
            }
        }
    }
}
