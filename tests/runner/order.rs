//! Trials run in the plan's order, and every trial, job and step in its own.

use dindbench::case::{ErrorClass, Status};
use dindbench::plan::Plan;
use dindbench::runner::Event;
use dindbench::scenario::Scenario;
use dindbench::workload::Fault;

use crate::fake::{Fake, Turn};
use crate::run::{plan, quick, run};

fn in_order(scenario: &Scenario, plan: &Plan) -> Vec<String> {
    let trial = |block: u32, topology: usize| format!("{block} {}", scenario.topologies[topology].name);
    plan.blocks.iter().flat_map(|block| block.order.iter().map(|topology| trial(block.index, *topology))).collect()
}

#[tokio::test(start_paused = true)]
async fn trials_are_opened_in_the_plans_order_the_warm_up_first() {
    let quick = quick();
    let plan = plan(&quick, 7);
    let run = run(&quick, &plan, Fake::new(&quick)).await;
    assert_eq!(run.opened(), in_order(&quick, &plan));
    assert_eq!(run.opened().len(), 24);
    assert!(run.opened()[..3].iter().all(|trial| trial.starts_with("0 ")));
    assert_eq!((run.tally.trials, run.tally.spoiled, run.tally.interrupted), (24, 0, false));
}

#[tokio::test(start_paused = true)]
async fn a_trial_does_its_jobs_one_after_the_other_and_each_step_in_its_place() {
    let quick = quick();
    let plan = plan(&quick, 1);
    let run = run(&quick, &plan, Fake::new(&quick)).await;
    let job = |job: u32| {
        let parts = ["start", "0", "app", "2", "stop"].map(|step| format!("job {job}: {step}"));
        std::iter::once("dead?".to_owned()).chain(parts)
    };
    for block in 0..=1 {
        for topology in ["socket", "dind-kept", "dind"] {
            let open = format!("open {block} {topology}");
            let all: Vec<_> = std::iter::once(open).chain((1..=3).flat_map(job)).chain(["close".to_owned()]).collect();
            assert_eq!(run.calls_of(block, topology), all);
        }
    }
    assert_eq!(run.calls.len(), 6 * 20, "and nothing else is called");
}

#[tokio::test(start_paused = true)]
async fn jobs_at_once_go_on_side_by_side_and_the_next_begin_when_all_have_ended() {
    let mut quick = quick();
    for topology in &mut quick.topologies {
        topology.concurrency = 2.try_into().unwrap();
    }
    let plan = plan(&quick, 1);
    let fails = Turn::Fails(Fault::failed(ErrorClass::EngineDied, "gone"));
    let fake = Fake::new(&quick).at(1, "dind", "worker 1 job 1: app", fails);
    let run = run(&quick, &plan, fake).await;
    let both = |call: String| [call.clone(), format!("worker 1 {call}")];
    let job = |job: u32| {
        let parts =
            ["start", "0", "app", "2", "stop"].into_iter().flat_map(move |step| both(format!("job {job}: {step}")));
        std::iter::once("dead?".to_owned()).chain(parts)
    };
    let all: Vec<String> = (1..=3).flat_map(job).collect();
    let calls = run.calls_of(1, "socket");
    assert_eq!(calls[1..calls.len() - 1], all);
    let calls = run.calls_of(1, "dind");
    assert!(!calls.contains(&"worker 1 job 1: 2"), "a failed job ends, and the one beside it goes on");
    assert!(calls.contains(&"job 1: 2") && calls.contains(&"worker 1 job 2: 2"));
    let samples = run.samples();
    let of_dind = samples.iter().filter(|sample| sample.topology.as_str() == "dind" && sample.block == 1);
    let failed: Vec<_> = of_dind.filter(|sample| sample.status == Status::Failed).collect();
    assert_eq!(failed.iter().map(|sample| (sample.worker, sample.job)).collect::<Vec<_>>(), [(1, 1)]);
    assert_eq!(samples.iter().filter(|sample| sample.worker == 1).count() * 2, samples.len() - 1);
}

#[tokio::test(start_paused = true)]
async fn a_seed_gives_the_same_calls_again_and_another_seed_others() {
    let quick = quick();
    let calls = async |seed| run(&quick, &Plan::new(&quick, 3, seed), Fake::new(&quick)).await.calls;
    let first = calls(1).await;
    assert_eq!(calls(1).await, first);
    assert_ne!(calls(2).await, first);
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_told_of_every_trial_and_part() {
    let quick = quick().only(&["socket".to_owned()]).unwrap();
    let run = run(&quick, &plan(&quick, 1), Fake::new(&quick)).await;
    let words = |event: &Event| match event {
        Event::Waits { .. } => "waits".to_owned(),
        Event::TrialBegins { block, topology } => format!("begins {block} {topology}"),
        Event::PartEnds { job, step, elapsed, .. } => format!("job {job}: {step} {}", elapsed.unwrap().as_millis()),
        Event::Spoiled { message, .. } => message.clone(),
        Event::TrialEnds => "ends".to_owned(),
    };
    let told: Vec<_> = run.told.iter().map(words).collect();
    let warm_up = [
        "begins 0 socket",
        "job 1: start 300",
        "job 1: 0 900",
        "job 1: app 1040",
        "job 1: 2 150",
        "job 1: stop 200",
        "job 2: start 300",
        "job 2: 0 20",
        "job 2: app 40",
        "job 2: 2 150",
        "job 2: stop 200",
        "job 3: start 300",
        "job 3: 0 20",
        "job 3: app 440",
        "job 3: 2 150",
        "job 3: stop 200",
        "ends",
    ];
    assert_eq!(told[..17], warm_up);
    assert_eq!((told[17].as_str(), told.len()), ("begins 1 socket", 34));
}
