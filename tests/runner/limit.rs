//! A run that ends before its plan does so between two blocks, never within one.

use std::time::Duration;

use dindbench::runner::Event;
use tokio::sync::watch;

use crate::fake::Fake;
use crate::run::{Ends, plan, quick, run_into};

/// Three trials of ten seconds make a block, and with the warm-up there are six.
#[tokio::test(start_paused = true)]
async fn no_block_begins_that_would_end_too_late() {
    for (seconds, trials, left_out) in [(29, 3, 5), (59, 3, 5), (60, 6, 4), (95, 9, 3), (180, 18, 0)] {
        let quick = quick();
        let folder = tempfile::tempdir().unwrap();
        let mut fake = Fake::new(&quick).lasting(Duration::from_secs(10));
        let limit = Ends { time_limit: Some(Duration::from_secs(seconds)), ..Ends::default() };
        let tally = run_into(&folder.path().join("run"), &quick, &plan(&quick, 5), &mut fake, limit, |_, _| {}).await;
        let tally = tally.unwrap();
        assert_eq!((tally.trials, tally.left_out), (trials, left_out), "{seconds} s");
        assert_eq!((tally.spoiled, tally.interrupted), (0, false));
    }
}

#[tokio::test(start_paused = true)]
async fn no_block_begins_when_enough_is_known() {
    for (enough, trials, unneeded) in [(1, 6, 4), (3, 12, 2), (5, 18, 0), (9, 18, 0)] {
        let (quick, folder) = (quick(), tempfile::tempdir().unwrap());
        let (dir, mut fake) = (folder.path().join("run"), Fake::new(&quick));
        let ends = Ends { enough: Some(enough), ..Ends::default() };
        let tally = run_into(&dir, &quick, &plan(&quick, 5), &mut fake, ends, |_, _| {}).await.unwrap();
        assert_eq!((tally.trials, tally.unneeded, tally.left_out), (trials, unneeded, 0), "after {enough} blocks");
    }
}

/// Interrupted in its second measured block, it is not precise enough after the third.
#[tokio::test(start_paused = true)]
async fn nothing_is_enough_after_an_interruption() {
    let (quick, folder) = (quick(), tempfile::tempdir().unwrap());
    let (dir, mut fake) = (folder.path().join("run"), Fake::new(&quick));
    let (ends, mut trials) = (Ends { enough: Some(3), ..Ends::default() }, 0);
    let interrupt = |tell: &watch::Sender<bool>, event: Event| {
        trials += u32::from(event == Event::TrialEnds);
        if trials == 7 {
            tell.send_replace(true);
        }
    };
    let tally = run_into(&dir, &quick, &plan(&quick, 5), &mut fake, ends, interrupt).await.unwrap();
    assert_eq!((tally.trials, tally.unneeded, tally.interrupted), (7, 0, true));
}
