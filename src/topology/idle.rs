//! What the counters of the machine do while nothing of dindbench's is at work.

use std::time::{Duration, Instant};

use super::error::TopologyError;
use super::{Host, TrialKey};
use crate::agent::Reading;
use crate::journal::Journal;

/// How long is looked.
const LOOK: Duration = Duration::from_secs(1);

/// The counters before and after some time in which dindbench waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    pub before: Reading,
    pub after: Reading,
    pub elapsed: Duration,
}

impl Host {
    /// Opens a host, as a trial would, and lets it be. What the preparation has written is written out before.
    pub async fn idle(&mut self, journal: &mut Journal) -> Result<Idle, TopologyError> {
        let outer = self.open(journal, &TrialKey { salt: "idle".to_owned(), jobs: 0 }).await?;
        outer.read(true, None).await?;
        // The reading itself, and what the engine does with its start, are over by then.
        tokio::time::sleep(LOOK).await;
        let before = outer.read(false, None).await?;
        let began = Instant::now();
        tokio::time::sleep(LOOK).await;
        let after = outer.read(false, None).await?;
        // From the answer to the first question to that to the second one: the way there and back is in both.
        let elapsed = began.elapsed();
        outer.remove().await?;
        Ok(Idle { before, after, elapsed })
    }
}
