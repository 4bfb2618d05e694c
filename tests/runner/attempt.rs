//! An invalid trial is run again, once, at the end of its block.

use dindbench::case::{ErrorClass, Status};
use dindbench::runner::Event;
use dindbench::workload::Fault;

use crate::fake::{Fake, Turn};
use crate::run::{plan, quick, run, run_until};

const MISSES: Turn = Turn::Hits(9);

#[tokio::test(start_paused = true)]
async fn an_invalid_trial_is_run_again_at_the_end_of_its_block_and_both_are_kept() {
    let quick = quick();
    let plan = plan(&quick, 2);
    let fake = Fake::new(&quick).at(1, "socket", "job 2: app", MISSES);
    let run = run(&quick, &plan, fake).await;
    let mut order: Vec<String> = Vec::new();
    for block in &plan.blocks {
        order.extend(block.order.iter().map(|place| format!("{} {}", block.index, quick.topologies[*place].name)));
        order.extend((block.index == 1).then(|| "1 socket".to_owned()));
    }
    assert_eq!(run.opened(), order);
    let attempts = run.trials().into_iter().filter(|row| (row.block, row.topology.as_str()) == (1, "socket"));
    let attempts: Vec<_> = attempts.map(|row| (row.attempt, row.status)).collect();
    assert_eq!(attempts, [(1, Status::Invalid), (2, Status::Ok)]);
    assert_eq!((run.tally.trials, run.tally.spoiled), (9, 0));
    let analysis = run.analysis();
    assert_eq!(analysis.blocks, 2, "the second attempt completes its block");
}

#[tokio::test(start_paused = true)]
async fn what_is_invalid_twice_stays_so() {
    let quick = quick();
    let fake = Fake::new(&quick).at(1, "dind", "job 2: app", MISSES).at_attempt(2, 1, "dind", "job 3: app", MISSES);
    let run = run(&quick, &plan(&quick, 1), fake).await;
    assert_eq!(run.opened().iter().filter(|opened| **opened == "1 dind").count(), 2);
    assert_eq!((run.tally.trials, run.tally.spoiled), (6, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_a_result_and_is_not_tried_again() {
    let quick = quick();
    let fault = Fault::failed(ErrorClass::CommandFailed, "no");
    let run = run(&quick, &plan(&quick, 1), Fake::new(&quick).at(1, "socket", "job 2: app", Turn::Fails(fault))).await;
    assert_eq!((run.opened().len(), run.tally.spoiled), (6, 1));
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_tries_nothing_again() {
    let quick = quick();
    let fake = Fake::new(&quick).at(1, "socket", "job 2: app", MISSES);
    let trials = std::cell::Cell::new(0);
    let run = run_until(&quick, &plan(&quick, 1), fake, |event| {
        if matches!(event, Event::TrialEnds) {
            trials.set(trials.get() + 1);
        }
        trials.get() == 6
    })
    .await;
    assert_eq!((run.opened().len(), run.tally.interrupted), (6, true));
}
