//! How long a stream may take, and how long it may be silent.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::time::Instant;

use super::Cause;

/// The two limits that every stream from an engine is under: the client's own timeout ends with the answer's headers,
/// and would leave a hung stream hanging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub total: Duration,
    pub silence: Duration,
}

impl Patience {
    /// For dindbench's own chores, such as loading an image.
    pub const CHORE: Self = Self { total: Duration::from_secs(300), silence: Duration::from_secs(60) };

    /// For a chore that says nothing until it is done.
    pub const SILENT_CHORE: Self = Self { silence: Self::CHORE.total, ..Self::CHORE };

    /// A watch that starts now.
    pub(super) fn start(self) -> Watch {
        Watch { patience: self, deadline: Instant::now() + self.total }
    }
}

/// A running patience.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    patience: Patience,
    deadline: Instant,
}

impl Watch {
    /// The next item, or the limit that was reached first.
    pub async fn next<S: Stream + Unpin>(&self, stream: &mut S) -> Result<Option<S::Item>, Cause> {
        self.bound(stream.next()).await
    }

    /// The result of a single wait, under the same two limits.
    pub async fn bound<F: Future>(&self, work: F) -> Result<F::Output, Cause> {
        let silence = Instant::now() + self.patience.silence;
        tokio::time::timeout_at(silence.min(self.deadline), work).await.map_err(|_| {
            if self.deadline <= silence {
                Cause::Timeout(self.patience.total)
            } else {
                Cause::Stall(self.patience.silence)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    const PATIENCE: Patience = Patience { total: Duration::from_millis(9500), silence: Duration::from_secs(3) };

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_stalls() {
        let watch = PATIENCE.start();
        let error = watch.next(&mut stream::pending::<()>()).await.unwrap_err();
        assert!(matches!(error, Cause::Stall(limit) if limit == PATIENCE.silence));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_goes_on_for_ever_times_out() {
        let watch = PATIENCE.start();
        let mut ticks = Box::pin(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some(((), ()))
        }));
        let mut seen = 0;
        let error = loop {
            match watch.next(&mut ticks).await {
                Ok(_) => seen += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Cause::Timeout(limit) if limit == PATIENCE.total));
        assert_eq!(seen, 9);
    }
}
