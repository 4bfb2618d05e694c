//! A time limit ends a run between two blocks, never within one.

use std::time::Duration;

use crate::fake::Fake;
use crate::run::{plan, quick, run_into};

/// Three trials of ten seconds make a block, and with the warm-up there are six.
#[tokio::test(start_paused = true)]
async fn no_block_begins_that_would_end_too_late() {
    for (seconds, trials, left_out) in [(29, 3, 5), (59, 3, 5), (60, 6, 4), (95, 9, 3), (180, 18, 0)] {
        let quick = quick();
        let folder = tempfile::tempdir().unwrap();
        let mut fake = Fake::new(&quick).lasting(Duration::from_secs(10));
        let limit = Some(Duration::from_secs(seconds));
        let tally = run_into(&folder.path().join("run"), &quick, &plan(&quick, 5), &mut fake, limit, |_, _| {}).await;
        let tally = tally.unwrap();
        assert_eq!((tally.trials, tally.left_out), (trials, left_out), "{seconds} s");
        assert_eq!((tally.spoiled, tally.interrupted), (0, false));
    }
}
