//! An interrupted run ends in good order, wherever it is.

use dindbench::case::{ErrorClass, Status};
use dindbench::plan::{Block, Plan};
use dindbench::runner::{Event, Tally};
use dindbench::workload::Fault;

use crate::fake::{Fake, Turn};
use crate::run::{Run, quick, run, run_until};

const WHOLE: &str = "1: start 0 app 2 stop";

/// Two trials of the warm-up and three that are measured; the fourth of all is the only one of `dind`.
fn plan() -> Plan {
    Plan { seed: 1, blocks: vec![Block { index: 0, order: vec![0, 1] }, Block { index: 1, order: vec![0, 2, 1] }] }
}

/// A run whose `dind` trial hangs at a call, and is interrupted there.
async fn hung_at(call: &'static str) -> Run {
    let quick = quick();
    run(&quick, &plan(), Fake::new(&quick).at(1, "dind", call, Turn::Hangs)).await
}

/// The interrupted trial was closed, none came after it, its row says why, and all files are whole.
fn ended_well(run: &Run, last_calls: &[&str]) {
    assert_eq!(
        run.tally,
        Tally { trials: 4, spoiled: 1, interrupted: true, left_out: 0, unneeded: 0, unclear_records: 0 }
    );
    assert_eq!(run.opened().last(), Some(&"1 dind"));
    assert!(
        run.calls.ends_with(&last_calls.iter().map(|call| (*call).to_owned()).collect::<Vec<_>>()),
        "{:?}",
        run.calls
    );
    let trial = run.trial(1, "dind");
    assert_eq!((trial.status, trial.error_class), (Status::Failed, Some(ErrorClass::Harness)));
    assert_eq!((trial.error.as_str(), trial.teardown_ns.is_some()), ("the run was interrupted", true));
    assert_eq!(run.trials().len(), 4);
    assert_eq!(run.instructions().len(), 10 * run.events().len());
    assert_eq!(run.analysis().blocks, 1);
}

#[tokio::test(start_paused = true)]
async fn during_the_opening_of_a_trial() {
    let run = hung_at("open").await;
    ended_well(&run, &["open 1 dind", "close"]);
    assert_eq!(run.outline(1, "dind"), [] as [&str; 0]);
    assert_eq!(run.trial(1, "dind").setup_ns, None);
}

#[tokio::test(start_paused = true)]
async fn during_a_part_that_hangs() {
    for (call, rows) in [
        ("job 2: start", vec![WHOLE]),
        ("job 2: app", vec![WHOLE, "2: start 0"]),
        ("job 2: stop", vec![WHOLE, "2: start 0 app 2"]),
    ] {
        let run = hung_at(call).await;
        ended_well(&run, &[call, "close"]);
        assert_eq!(run.outline(1, "dind"), rows, "a half-done part has no row");
        assert!(run.trial(1, "dind").setup_ns.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn while_an_engine_is_asked_whether_it_lives() {
    let run = hung_at("dead?").await;
    ended_well(&run, &["open 1 dind", "dead?", "close"]);
}

/// The end of a part in the trial of `dind`.
fn done(event: &Event, job: u32, step: &str) -> bool {
    matches!(event, Event::PartEnds { topology, job: j, step: s, .. } if topology == "dind" && (*j, s.as_str()) == (job, step))
}

#[tokio::test(start_paused = true)]
async fn between_two_parts() {
    let quick = quick();
    let run = run_until(&quick, &plan(), Fake::new(&quick), |event| done(event, 2, "app")).await;
    ended_well(&run, &["job 2: app", "close"]);
    assert_eq!(run.outline(1, "dind"), [WHOLE, "2: start 0 app"], "a part that was done keeps its row");
}

#[tokio::test(start_paused = true)]
async fn between_two_jobs() {
    let quick = quick();
    let run = run_until(&quick, &plan(), Fake::new(&quick), |event| done(event, 1, "stop")).await;
    ended_well(&run, &["job 1: stop", "close"]);
    assert_eq!(run.outline(1, "dind"), [WHOLE]);
}

#[tokio::test(start_paused = true)]
async fn between_two_trials() {
    let quick = quick();
    let trial = std::cell::Cell::new(0);
    let run = run_until(&quick, &plan(), Fake::new(&quick), |event| {
        trial.set(trial.get() + u32::from(*event == Event::TrialEnds));
        trial.get() == 2
    })
    .await;
    assert_eq!(run.opened(), ["0 socket", "0 dind-kept"]);
    assert_eq!(
        run.tally,
        Tally { trials: 2, spoiled: 0, interrupted: true, left_out: 0, unneeded: 0, unclear_records: 0 }
    );
    assert!(run.trials().iter().all(|trial| trial.status == Status::Ok));
    assert_eq!((run.samples().len(), run.analysis().blocks), (30, 0), "there is but the warm-up");
}

/// What failed before says more about the trial than the interruption.
#[tokio::test(start_paused = true)]
async fn an_earlier_fault_stays_the_trials_own() {
    let quick = quick();
    for hung in ["job 2: app", "job 1: stop"] {
        let rate = Fault::failed(ErrorClass::RateLimited, "429");
        let fake = Fake::new(&quick).at(1, "dind", "job 1: 0", Turn::Fails(rate)).at(1, "dind", hung, Turn::Hangs);
        let run = run(&quick, &plan(), fake).await;
        assert_eq!(run.trial(1, "dind").error_class, Some(ErrorClass::RateLimited));
        assert_eq!(
            run.tally,
            Tally { trials: 4, spoiled: 1, interrupted: true, left_out: 0, unneeded: 0, unclear_records: 0 }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_last_job_its_trial_is_closed_and_whole() {
    let quick = quick();
    let run = run_until(&quick, &plan(), Fake::new(&quick), |event| done(event, 3, "stop")).await;
    assert_eq!(
        run.tally,
        Tally { trials: 4, spoiled: 0, interrupted: true, left_out: 0, unneeded: 0, unclear_records: 0 }
    );
    assert_eq!(run.calls.last().map(String::as_str), Some("close"));
    assert_eq!(run.trial(1, "dind").status, Status::Ok);
}
