//! A trial waits for a quiet machine, but not for ever, and what is measured on one that is not is flagged.

use std::time::Duration;

use dindbench::analysis::Analysis;
use dindbench::case::Disturbance;
use dindbench::plan::{Block, Plan};
use dindbench::record::RunDir;
use dindbench::runner::Event;
use dindbench::scenario::Scenario;

use crate::fake::Fake;
use crate::run::{Ends, quick, run_into};

/// One measured block, in the order of the scenario.
fn one_block(scenario: &Scenario) -> Plan {
    Plan { seed: 1, blocks: vec![Block { index: 1, order: (0..scenario.topologies.len()).collect() }] }
}

async fn guarded(looks: Vec<Vec<Disturbance>>, seconds: u64) -> (Vec<String>, Vec<Event>, RunDir, tempfile::TempDir) {
    let (quick, folder) = (quick(), tempfile::tempdir().unwrap());
    let dir = folder.path().join("run");
    let (mut fake, mut told) = (Fake::new(&quick).looking(looks), Vec::new());
    let ends = Ends { patience: Some(Duration::from_secs(seconds)), ..Ends::default() };
    run_into(&dir, &quick, &one_block(&quick), &mut fake, ends, |_, event| told.push(event)).await.unwrap();
    (fake.calls.into_inner(), told, RunDir::open(&dir).unwrap(), folder)
}

fn flags(run: &RunDir, topology: &str) -> Vec<String> {
    let rows = run.samples().unwrap().map(Result::unwrap).filter(|row| row.topology.as_str() == topology);
    let mut flags: Vec<String> = rows.map(|row| row.flags).collect();
    flags.dedup();
    flags
}

#[tokio::test(start_paused = true)]
async fn a_trial_begins_as_soon_as_the_machine_is_quiet() {
    let busy = vec![Disturbance::CpuPressure, Disturbance::Load];
    let (calls, told, run, _folder) = guarded(vec![busy.clone(), busy.clone()], 60).await;
    assert_eq!(calls[..5], ["block", "look", "look", "look", "open 1 socket"]);
    let waits = told.iter().filter(|event| matches!(event, Event::Waits { disturbances } if disturbances.len() == 2));
    assert_eq!(waits.count(), 2);
    assert_eq!(flags(&run, "socket"), [""], "it was quiet when the trial began");
}

/// Each look takes a second by the clock.
#[tokio::test(start_paused = true)]
async fn a_machine_that_is_never_quiet_is_waited_for_in_vain_and_flags_the_trial() {
    let looks = (0..4).map(|_| vec![Disturbance::IoPressure, Disturbance::Steal]).collect();
    let (calls, _, run, _folder) = guarded(looks, 4).await;
    assert_eq!(calls[..6], ["block", "look", "look", "look", "look", "open 1 socket"]);
    assert_eq!(flags(&run, "socket"), ["io-pressure;steal"]);
    assert_eq!((flags(&run, "dind-kept"), flags(&run, "dind")), (vec![String::new()], vec![String::new()]));
    let analysis = Analysis::of(&run).unwrap();
    assert_eq!(analysis.disturbed.into_iter().collect::<Vec<_>>(), [("io-pressure".into(), 1), ("steal".into(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn every_block_begins_with_the_same_work_and_its_trials_tell_its_time() {
    let (calls, _, run, _folder) = guarded(Vec::new(), 60).await;
    assert_eq!(calls.iter().filter(|call| *call == "block").count(), 1);
    assert_eq!(calls.iter().filter(|call| *call == "look").count(), 3, "one before each trial");
    let times: Vec<_> =
        run.trials().unwrap().map(|row| row.unwrap()).map(|row| (row.calibration_ns, row.waited_ns)).collect();
    assert_eq!(times, [(Some(150_000_000), Some(1_000_000_000)); 3]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_wait_begins_no_trial() {
    let (quick, folder) = (quick(), tempfile::tempdir().unwrap());
    let mut fake = Fake::new(&quick).looking(std::iter::repeat_n(vec![Disturbance::Load], 9));
    let ends = Ends { patience: Some(Duration::from_secs(60)), ..Ends::default() };
    let interrupt = |tell: &tokio::sync::watch::Sender<bool>, event| {
        tell.send_replace(matches!(event, Event::Waits { .. }));
    };
    let dir = folder.path().join("run");
    let tally = run_into(&dir, &quick, &one_block(&quick), &mut fake, ends, interrupt).await.unwrap();
    assert_eq!((tally.trials, tally.interrupted), (0, true));
    assert_eq!(fake.calls.into_inner(), ["block", "look"]);
    assert_eq!(RunDir::open(&dir).unwrap().trials().unwrap().count(), 0);
}
