//! What is done again and again about acceptances while the service runs: that silence has accepted a period is written down, and both parties are told.

use crate::app::keeping::Keeper;
use crate::contracts::acts_acceptance_objections::note_silence;
use crate::kernel::refusal::Answer;

impl Keeper {
    /// What is looked at every minute.
    pub(super) async fn note_silence(&self) {
        loop {
            let noted: Answer<bool> = self.context.db.write(note_silence).await;
            match noted {
                Ok(true) => return,
                Ok(false) => {}
                Err(stop) => {
                    tracing::warn!(%stop, "it could not be written down which periods silence has accepted");
                    return;
                }
            }
        }
    }
}
