//! Whether an inner engine starts here, and with which storage driver: told by starting one.

use super::error::TopologyError;
use super::{Arm, Host, TrialKey};
use crate::journal::Journal;
use crate::scenario::{Dind, Kind, Power};

impl Host {
    /// Starts an engine of the outer one's build with this power, as a job would, and ends it again. Returns the storage
    /// driver that it took, or why it does not start.
    pub async fn try_inner(
        &mut self,
        journal: &mut Journal,
        power: Power,
    ) -> Result<Result<String, String>, TopologyError> {
        let outer = self.open(journal, &TrialKey { salt: format!("inner {power:?}"), jobs: 1 }).await?;
        let mut arm = Arm::new(&Kind::Dind(Dind { power, ..Dind::default() }), &outer);
        let (job, driver) = match arm.start(&outer, 1).await {
            Ok(started) => {
                let told = arm.describe().await;
                (Some(started.job), told.map(|engine| engine.storage_driver).map_err(|error| error.to_string()))
            }
            Err(error) => (None, Err(error.to_string())),
        };
        arm.stop(&outer, job).await?;
        outer.remove().await?;
        Ok(driver)
    }
}
