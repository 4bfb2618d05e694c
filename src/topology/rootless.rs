//! Whether an engine without root starts here: told by starting one.

use super::error::TopologyError;
use super::{Arm, Host, TrialKey};
use crate::journal::Journal;
use crate::scenario::{Dind, Kind, Power};

impl Host {
    /// Starts an engine without root, of the engine's own build, as a job would, and ends it again. Returns why it does not
    /// start; empty where it does.
    pub async fn try_rootless(&mut self, journal: &mut Journal) -> Result<Option<String>, TopologyError> {
        let outer = self.open(journal, &TrialKey { salt: "rootless".to_owned(), jobs: 1 }).await?;
        let mut arm = Arm::new(&Kind::Dind(Dind { power: Power::Rootless, ..Dind::default() }), &outer);
        let (job, reason) = match arm.start(&outer, 1).await {
            Ok(started) => (Some(started.job), None),
            Err(error) => (None, Some(error.to_string())),
        };
        arm.stop(&outer, job).await?;
        outer.remove().await?;
        Ok(reason)
    }
}
