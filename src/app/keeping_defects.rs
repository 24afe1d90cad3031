//! What is done again and again about defects while the service runs: contractors are reminded, silence is written down, officers hear of what is late,
//! what was refused is counted, addresses are forgotten.

use crate::app::keeping::Keeper;
use crate::contracts::acts_defects::Setting;
use crate::contracts::{acts_defect_reports, acts_defects_watch as watch};
use crate::kernel::refusal::Answer;

impl Keeper {
    /// What is looked at every minute.
    pub(super) async fn watch_defects(&self) {
        let mut after = String::new();
        loop {
            let from = after.clone();
            let reminded: Answer<Option<String>> =
                self.context.db.upkeep(move |tx| watch::remind(tx, &from)).await;
            match reminded {
                Ok(None) => break,
                Ok(Some(next)) => after = next,
                Err(stop) => {
                    tracing::warn!(%stop, "no contractor could be reminded of defects");
                    break;
                }
            }
        }
        self.settle_defects().await;
        let refused = watch::refused(&self.reception);
        if refused.is_empty() {
            return;
        }
        let counted: Answer<()> = self
            .context
            .db
            .upkeep(move |tx| acts_defect_reports::count(tx, &refused))
            .await;
        if let Err(stop) = counted {
            tracing::warn!(%stop, "refused reports of defects could not be counted");
        }
    }

    /// Writes down what silence has confirmed.
    async fn settle_defects(&self) {
        loop {
            let (context, reception) = (self.context.clone(), self.reception.clone());
            let settled: Answer<bool> = self
                .context
                .db
                .write(move |tx| {
                    let setting = Setting {
                        calendar: &context.calendar,
                        key: &reception.key,
                    };
                    watch::settle_silent(tx, setting)
                })
                .await;
            match settled {
                Ok(true) => return,
                Ok(false) => {}
                Err(stop) => {
                    tracing::warn!(%stop, "it could not be written down which defects silence has confirmed");
                    return;
                }
            }
        }
    }

    /// What is looked at when a day of the ward begins, and some times after. Tells whether it was done.
    pub(super) async fn tell_of_defects(&self) -> bool {
        let zone = self.context.calendar.zone;
        let told: Answer<()> = self
            .context
            .db
            .upkeep(move |tx| {
                watch::forget(tx)?;
                watch::tell_officers(tx, zone)
            })
            .await;
        if let Err(stop) = &told {
            tracing::warn!(%stop, "no officer could be told of late defects");
        }
        told.is_ok()
    }
}
