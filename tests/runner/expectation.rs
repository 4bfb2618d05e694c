//! A build with the wrong number of cached instructions is invalid, and so is its trial.

use std::path::Path;

use dindbench::analysis::{CaseKey, Found, Metric, Subject};
use dindbench::case::{Edit, ErrorClass, Status};
use dindbench::scenario::{Scenario, parse};
use dindbench::workload::Fault;

use crate::fake::{Fake, Turn};
use crate::run::{Run, plan, quick, run};

/// One measured block of the quick scenario, with one turn in it.
async fn turned(topology: &'static str, call: &'static str, turn: Turn) -> Run {
    let quick = quick();
    run(&quick, &plan(&quick, 1), Fake::new(&quick).at(1, topology, call, turn)).await
}

#[tokio::test(start_paused = true)]
async fn a_wrong_number_of_hits_is_named_with_the_right_one() {
    for (topology, job, call, hits, message) in [
        ("socket", 2, "job 2: app", 9, "expected 10 of 10 instructions cached, and 9 were"),
        ("dind-kept", 3, "job 3: app", 7, "expected 6 of 10 instructions cached, and 7 were"),
        ("dind", 2, "job 2: app", 10, "expected 0 of 10 instructions cached, and 10 were"),
    ] {
        let run = turned(topology, call, Turn::Hits(hits)).await;
        let row = run.sample(1, topology, job, "app");
        assert_eq!((row.status, row.error_class), (Status::Invalid, Some(ErrorClass::Expectation)));
        assert_eq!((row.error.as_str(), row.instructions_cached), (message, Some(hits as u32)));
        assert!(row.elapsed_ns.is_some(), "what was measured is kept");
        let trial = run.trial(1, topology);
        assert_eq!((trial.status, trial.error_class), (Status::Invalid, Some(ErrorClass::Expectation)));
        assert_eq!(trial.error.as_str(), message);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_found_instead_is_told_by_expectation_and_block() {
    let found = |run: &Run, topology: &str, job: u32| {
        let analysis = run.analysis();
        let mut all = analysis.expectations.iter();
        all.find(|one| (one.stated.topology.as_str(), one.stated.job) == (topology, job)).unwrap().blocks.clone()
    };
    let run = turned("dind-kept", "job 3: app", Turn::Hits(7)).await;
    assert_eq!(found(&run, "dind-kept", 3), [(0, Found::Held), (1, Found::Held)], "the second attempt stands");
    let quick = quick();
    let fake = Fake::new(&quick).at(1, "dind-kept", "job 3: app", Turn::Hits(8));
    let fake = fake.at_attempt(2, 1, "dind-kept", "job 3: app", Turn::Hits(7));
    let run = self::run(&quick, &plan(&quick, 1), fake).await;
    assert_eq!(found(&run, "dind-kept", 3), [(0, Found::Held), (1, Found::Broken { cached: 7, total: 10 })]);
    assert_eq!(found(&run, "dind-kept", 2), [(0, Found::Held), (1, Found::Held)]);
    let fault = Fault::failed(ErrorClass::DiskFull, "no space left on device");
    let run = turned("socket", "job 2: app", Turn::Fails(fault)).await;
    assert_eq!(found(&run, "socket", 2), [(0, Found::Held), (1, Found::Missing(Some(ErrorClass::DiskFull)))]);
}

#[tokio::test(start_paused = true)]
async fn nothing_may_be_cached_in_the_first_job() {
    let run = turned("socket", "job 1: app", Turn::Hits(1)).await;
    let row = run.sample(1, "socket", 1, "app");
    assert_eq!(row.status, Status::Invalid);
    assert_eq!(row.error.as_str(), "expected 0 of 10 instructions cached, and 1 were");
}

/// The pull of the first job fails, so nothing was built before the second: its build is no warm one, and the third is.
#[tokio::test(start_paused = true)]
async fn a_build_after_a_job_that_failed_is_that_failures_and_spoils_nothing_else() {
    let quick = quick();
    let fault = Fault::failed(ErrorClass::RateLimited, "429");
    let fake = Fake::new(&quick).at(1, "socket", "job 1: 0", Turn::Fails(fault));
    let run = run(&quick, &plan(&quick, 1), fake.at(1, "socket", "job 2: app", Turn::Hits(0))).await;
    let row = run.sample(1, "socket", 2, "app");
    assert_eq!((row.status, row.error_class), (Status::Failed, Some(ErrorClass::Expectation)));
    assert_eq!(row.error.as_str(), "expected 10 of 10 instructions cached, and 0 were, after a job that failed");
    assert_eq!(run.sample(1, "socket", 3, "app").status, Status::Ok);
    assert_eq!(run.trials().iter().filter(|trial| trial.attempt == 2).count(), 0);
    let times = |edit| {
        let analysis = run.analysis();
        let mut cells =
            analysis.cells.into_iter().filter(|cell| cell.metric == Metric::ElapsedNs && cell.topology == 0);
        cells.find(|cell| cell.case == CaseKey { subject: Subject::Job, edit }).unwrap().summary.centre()
    };
    assert_eq!((times(Edit::None), times(Edit::Source).is_some()), (None, true));
}

/// A failed job leaves less for the next one, and neither more nor anything for the one after.
#[tokio::test(start_paused = true)]
async fn what_no_failed_job_can_cause_is_invalid_after_one_too() {
    let quick = quick();
    let fault = Fault::failed(ErrorClass::RateLimited, "429");
    for (call, job, hits, expected) in [
        ("job 2: app", 2, 9, Status::Failed),
        ("job 3: app", 3, 5, Status::Invalid),
        ("job 3: app", 3, 7, Status::Invalid),
    ] {
        let fake = Fake::new(&quick).at(1, "socket", "job 1: 0", Turn::Fails(fault.clone()));
        let run = run(&quick, &plan(&quick, 1), fake.at(1, "socket", call, Turn::Hits(hits))).await;
        assert_eq!(run.sample(1, "socket", job, "app").status, expected, "{call}, {hits} hits");
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_build_did_its_work_and_the_job_goes_on() {
    let run = turned("socket", "job 2: app", Turn::Hits(0)).await;
    let expected = ["1: start 0 app 2 stop", "2: start 0 app(invalid) 2 stop", "3: start 0 app 2 stop"];
    assert_eq!(run.outline(1, "socket"), expected);
    let first = run.instructions().into_iter().filter(|row| (row.attempt, row.block, row.job) == (1, 1, 2));
    let cached = first.filter(|row| row.cached).count();
    assert_eq!(cached, 10, "those of dind-kept alone");
}

#[tokio::test(start_paused = true)]
async fn a_failed_build_is_held_against_no_expectation() {
    let fault = Fault::failed(ErrorClass::DiskFull, "no space left on device");
    let run = turned("socket", "job 2: app", Turn::Fails(fault)).await;
    let row = run.sample(1, "socket", 2, "app");
    assert_eq!((row.status, row.error_class), (Status::Failed, Some(ErrorClass::DiskFull)));
}

#[tokio::test(start_paused = true)]
async fn the_executors_own_doubts_are_as_good_as_an_expectation() {
    let run = turned("socket", "job 3: app", Turn::Fails(Fault::invalid("the built file holds the old bytes"))).await;
    assert_eq!(run.outline(1, "socket")[2], "3: start 0 app(invalid) 2 stop");
    assert_eq!(run.trial(1, "socket").error.as_str(), "the built file holds the old bytes");
}

/// A job of two builds of one context, the second one with these arguments; a second job, where there are edits.
fn twice(expect: &str, args: &str, edits: &str) -> Scenario {
    let jobs = if edits.is_empty() { 1 } else { 2 };
    let text = format!(
        r#"
        question = "q"
        baseline = "socket"
        topology = [{{ use = "socket" }}]
        expect = [{expect}]
        [job]
        builder = "classic"
        steps = [
          {{ op = "build", context = "fixture:ten", tag = "one" }},
          {{ op = "build", context = "fixture:ten", tag = "two", args = {{ {args} }} }},
        ]
        [sequence]
        jobs = {jobs}
        blocks = 1
        edits = {{ {edits} }}
        "#
    );
    parse("twice", &text, Path::new(".")).unwrap()
}

async fn second(scenario: &Scenario, hits: usize) -> Vec<String> {
    let fake = Fake::new(scenario).at(1, "socket", "job 1: two", Turn::Hits(hits));
    run(scenario, &plan(scenario, 1), fake).await.outline(1, "socket")
}

/// Two builds, and only the first is cold by nature: the second may share steps with it.
#[tokio::test(start_paused = true)]
async fn a_second_build_of_the_first_job_may_be_cached_unless_it_is_said() {
    let said = r#"{ topology = "socket", job = 1, step = "two", instructions_cached = 3 }"#;
    for (expect, outline) in [("", "1: start one two stop"), (said, "1: start one two(invalid) stop")] {
        assert_eq!(second(&twice(expect, "A = \"1\"", ""), 4).await, [outline]);
    }
}

/// Whatever its tag is, it is the same build.
#[tokio::test(start_paused = true)]
async fn what_the_same_job_has_built_before_is_all_there() {
    for (hits, outline) in [(10, "1: start one two stop"), (9, "1: start one two(invalid) stop")] {
        assert_eq!(second(&twice("", "", ""), hits).await, [outline]);
    }
}

/// The edit is in the first of the two, and the second one finds all that the first has built.
#[tokio::test(start_paused = true)]
async fn after_an_edit_too_what_the_same_job_has_built_before_is_all_there() {
    let scenario = twice("", "", "2 = \"source\"");
    for (hits, outline) in [(10, "2: start one two stop"), (9, "2: start one two(invalid) stop")] {
        let fake = Fake::new(&scenario).at(1, "socket", "job 1: two", Turn::Hits(10));
        let fake = fake.at(1, "socket", "job 2: one", Turn::Hits(6)).at(1, "socket", "job 2: two", Turn::Hits(hits));
        assert_eq!(run(&scenario, &plan(&scenario, 1), fake).await.outline(1, "socket")[1], outline);
    }
}

/// A moved base is none of a build that begins from nothing.
#[tokio::test(start_paused = true)]
async fn a_build_that_an_edit_does_not_reach_may_find_everything() {
    let text = r#"
        question = "q"
        baseline = "socket"
        topology = [{ use = "socket" }]
        [job]
        builder = "classic"
        steps = [
          { op = "pull", image = "fixture:base" },
          { op = "build", context = "fixture:ten", tag = "ten" },
          { op = "build", context = "fixture:big", tag = "big" },
        ]
        [sequence]
        jobs = 2
        blocks = 1
        edits = { 2 = "base" }
        "#;
    let scenario = parse("base", text, Path::new(".")).unwrap();
    for (call, outline) in
        [("job 2: big", "2: start 0 ten big stop"), ("job 2: ten", "2: start 0 ten(invalid) big stop")]
    {
        let fake = Fake::new(&scenario).at(1, "socket", call, Turn::Hits(10));
        assert_eq!(run(&scenario, &plan(&scenario, 1), fake).await.outline(1, "socket")[1], outline);
    }
}

/// Ten warm builds that miss, as when an edit leaves size and time of a file alike: none of them is a fast time.
#[tokio::test(start_paused = true)]
async fn every_build_that_misses_its_edit_is_invalid() {
    let quick = quick().only(&["socket".to_owned()]).unwrap();
    let fake = (1..=20).fold(Fake::new(&quick), |fake, turn| {
        fake.at_attempt(1 + turn % 2, turn.div_ceil(2), "socket", "job 3: app", Turn::Hits(10))
    });
    let run = run(&quick, &plan(&quick, 10), fake).await;
    let invalid = run.samples().into_iter().filter(|row| row.status == Status::Invalid);
    let blocks: Vec<_> = invalid.map(|row| (row.block, row.job, row.step.as_str().to_owned())).collect();
    let both = |block| [(block, 3, "app".to_owned()), (block, 3, "app".to_owned())];
    assert_eq!(blocks, (1..=10).flat_map(both).collect::<Vec<_>>());
    assert_eq!((run.tally.trials, run.tally.spoiled), (11, 10));
    let analysis = run.analysis();
    assert_eq!(analysis.blocks, 0, "an invalid build leaves nothing of its trial");
    assert!(analysis.cells.iter().all(|cell| cell.excluded == 20));
}
