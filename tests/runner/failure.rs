//! What fails is written down as failed, spoils its trial, and ends nothing but what depends on it.

use dindbench::case::{ErrorClass, Status};
use dindbench::runner::Event;
use dindbench::workload::Fault;

use crate::fake::{Fake, Turn};
use crate::run::{Run, plan, quick, run};

const WHOLE: [&str; 3] = ["1: start 0 app 2 stop", "2: start 0 app 2 stop", "3: start 0 app 2 stop"];

fn fails(class: ErrorClass, message: &str) -> Turn {
    Turn::Fails(Fault::failed(class, message))
}

/// One measured block of the quick scenario with one turn in its `dind` trial.
async fn spoiled(call: &'static str, turn: Turn) -> Run {
    let quick = quick();
    let run = run(&quick, &plan(&quick, 1), Fake::new(&quick).at(1, "dind", call, turn)).await;
    assert_eq!(run.opened().len(), 6, "the run goes on");
    assert_eq!((run.tally.trials, run.tally.spoiled, run.tally.interrupted), (6, 1, false));
    for trial in run.trials().iter().filter(|trial| (trial.block, trial.topology.as_str()) != (1, "dind")) {
        assert_eq!((trial.status, trial.error_class, trial.error.as_str()), (Status::Ok, None, ""));
        assert_eq!(run.outline(trial.block, trial.topology.as_str()), WHOLE);
    }
    run
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_build_comes_the_stop_and_then_the_next_job() {
    let message = "The command '/bin/sh -c make' returned a non-zero code: 2\n\x1b[31mmake: \"all\", no rule";
    let run = spoiled("job 2: app", fails(ErrorClass::CommandFailed, message)).await;
    assert_eq!(run.outline(1, "dind"), ["1: start 0 app 2 stop", "2: start 0 app(failed) stop", WHOLE[2]]);
    let row = run.sample(1, "dind", 2, "app");
    assert_eq!((row.error_class, row.error.as_str()), (Some(ErrorClass::CommandFailed), message));
    assert_eq!((row.instructions_total, row.instructions_cached), (None, None), "it has no outcome to count");
    let trial = run.trial(1, "dind");
    assert_eq!((trial.status, trial.error_class), (Status::Failed, Some(ErrorClass::CommandFailed)));
    assert_eq!((trial.error.as_str(), trial.setup_ns.is_some(), trial.teardown_ns.is_some()), (message, true, true));
    assert_eq!(run.text("trials.csv").lines().count(), 1 + 6);
    assert_eq!(run.text("samples.csv").lines().count(), 1 + 6 * 15 - 1);
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_in_a_job_the_job_is_stopped() {
    for (call, second) in [
        ("job 2: start", "2: start(failed) stop"),
        ("job 2: 0", "2: start 0(failed) stop"),
        ("job 2: 2", "2: start 0 app 2(failed) stop"),
        ("job 2: stop", "2: start 0 app 2 stop(failed)"),
    ] {
        let run = spoiled(call, fails(ErrorClass::EngineError, "no")).await;
        assert_eq!(run.outline(1, "dind"), [WHOLE[0], second, WHOLE[2]]);
        assert_eq!(run.trial(1, "dind").status, Status::Failed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_out_stays_one() {
    let fault = Fault { status: Status::Timeout, class: ErrorClass::StallTimeout, message: "silent for 30 s".into() };
    let run = spoiled("job 1: app", Turn::Fails(fault)).await;
    assert_eq!(run.outline(1, "dind"), ["1: start 0 app(timeout) stop", WHOLE[1], WHOLE[2]]);
    let trial = run.trial(1, "dind");
    assert_eq!((trial.status, trial.error_class), (Status::Timeout, Some(ErrorClass::StallTimeout)));
}

#[tokio::test(start_paused = true)]
async fn a_trial_bears_the_name_of_its_first_fault() {
    let quick = quick();
    let fake = Fake::new(&quick)
        .at(1, "dind", "job 1: 0", fails(ErrorClass::RateLimited, "429"))
        .at(1, "dind", "job 1: stop", fails(ErrorClass::EngineError, "second"))
        .at(1, "dind", "job 2: app", fails(ErrorClass::CommandFailed, "third"))
        .at(1, "dind", "close", fails(ErrorClass::EngineError, "fourth"));
    let run = run(&quick, &plan(&quick, 1), fake).await;
    let trial = run.trial(1, "dind");
    assert_eq!((trial.error_class, trial.error.as_str()), (Some(ErrorClass::RateLimited), "429"));
    assert_eq!(run.tally.spoiled, 1, "a trial is spoiled once");
    let told: Vec<_> = run
        .told
        .iter()
        .filter_map(|event| match event {
            Event::Spoiled { block: 1, topology, job, step, message } if topology == "dind" => {
                Some((*job, step.as_str(), message.as_str()))
            }
            _ => None,
        })
        .collect();
    let expected =
        [(Some(1), "0", "429"), (Some(1), "stop", "second"), (Some(2), "app", "third"), (None, "tear-down", "fourth")];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_cannot_be_opened_has_no_rows_and_is_closed() {
    let run = spoiled("open", fails(ErrorClass::EngineNotReady, "not ready after 60 s")).await;
    assert_eq!(run.calls_of(1, "dind"), ["open 1 dind", "close"]);
    assert_eq!(run.outline(1, "dind"), [] as [&str; 0]);
    let trial = run.trial(1, "dind");
    assert_eq!((trial.status, trial.error_class), (Status::Failed, Some(ErrorClass::EngineNotReady)));
    assert_eq!((trial.error.as_str(), trial.engine.as_str()), ("not ready after 60 s", ""));
    assert_eq!((trial.setup_ns, trial.teardown_ns), (None, Some(500_000_000 + 131_000)));
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_cannot_be_closed_says_so() {
    let run = spoiled("close", fails(ErrorClass::EngineError, "device or resource busy")).await;
    assert_eq!(run.outline(1, "dind"), WHOLE);
    let trial = run.trial(1, "dind");
    assert_eq!((trial.status, trial.error.as_str()), (Status::Failed, "device or resource busy"));
    assert_eq!((trial.setup_ns.is_some(), trial.teardown_ns), (true, None));
    assert_eq!((trial.psi_cpu_ns, trial.psi_io_ns), (None, None));
}

#[tokio::test(start_paused = true)]
async fn without_its_outer_engine_a_trial_has_no_further_job() {
    let quick = quick();
    let ended = fails(ErrorClass::EngineDied, "the outer engine ended with signal 9");
    let fake = Fake::new(&quick).at(1, "dind", "job 2: app", ended).at(1, "dind", "job 2: stop", Turn::Dies);
    let run = run(&quick, &plan(&quick, 1), fake).await;
    assert_eq!(run.outline(1, "dind"), [WHOLE[0], "2: start 0 app(failed) stop"]);
    let calls = run.calls_of(1, "dind");
    assert_eq!(calls[calls.len() - 3..], ["job 2: stop", "dead?", "close"]);
    assert_eq!(run.trial(1, "dind").error.as_str(), "the outer engine ended with signal 9");
    assert_eq!((run.opened().len(), run.tally.trials, run.tally.spoiled), (6, 6, 1), "the next trial has another one");
}

#[tokio::test(start_paused = true)]
async fn an_outer_engine_that_ends_unnoticed_spoils_its_trial_too() {
    let run = spoiled("job 1: stop", Turn::Dies).await;
    assert_eq!(run.outline(1, "dind"), [WHOLE[0]]);
    let trial = run.trial(1, "dind");
    assert_eq!((trial.status, trial.error_class), (Status::Failed, Some(ErrorClass::EngineDied)));
    assert_eq!(trial.error.as_str(), "the outer engine had ended before job 2");
    let told =
        |event: &Event| matches!(event, Event::Spoiled { job: Some(2), message, .. } if message.contains("job 2"));
    assert!(run.told.iter().any(told), "{:?}", run.told);
}
