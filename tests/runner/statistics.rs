//! From a run to its statistics: what failed enters none, and the order of the trials keeps drift out of a comparison.

use std::path::Path;

use dindbench::analysis::{
    Analysis, CaseKey, Cell, Comparison, Contrast, Metric, Subject, Summary, Verdict, self_checks,
};
use dindbench::case::{Edit, ErrorClass, Op};
use dindbench::plan::{Block, Plan};
use dindbench::scenario::{Scenario, parse};
use dindbench::workload::Fault;

use crate::fake::{Fake, Turn};
use crate::run::{plan, quick, run};

fn elapsed<'a>(analysis: &'a Analysis, topology: &str, subject: &Subject) -> &'a Cell {
    let case = CaseKey { subject: subject.clone(), edit: Edit::First };
    let arm = analysis.arms.iter().position(|arm| arm.name == topology);
    let here = |cell: &&Cell| Some(cell.topology) == arm && cell.case == case && cell.metric == Metric::ElapsedNs;
    analysis.cells.iter().find(here).expect("the cell exists")
}

/// How long a first job takes in one topology against another.
fn job_against<'a>(analysis: &'a Analysis, topology: &str, reference: &str) -> &'a Comparison {
    let arm = |name| analysis.arms.iter().position(|arm| arm.name == name).unwrap();
    let (topology, reference) = (arm(topology), arm(reference));
    let case = CaseKey { subject: Subject::Job, edit: Edit::First };
    let here = |found: &&Comparison| {
        (found.topology, found.reference, found.metric) == (topology, reference, Metric::ElapsedNs)
            && found.case == case
    };
    analysis.comparisons.iter().find(here).expect("the comparison exists")
}

/// Ten measured blocks, in the first few of which the first build of `dind` fails at once.
async fn with_failures(failures: u32) -> Analysis {
    let quick = quick().only(&["socket".to_owned(), "dind".to_owned()]).unwrap();
    let fault = Fault::failed(ErrorClass::CommandFailed, "exit code 1");
    let fake = (1..=failures)
        .fold(Fake::new(&quick), |fake, block| fake.at(block, "dind", "job 1: app", Turn::Fails(fault.clone())));
    run(&quick, &plan(&quick, 10), fake).await.analysis()
}

#[tokio::test(start_paused = true)]
async fn trials_that_fail_at_once_are_counted_and_not_fast() {
    let analysis = with_failures(3).await;
    let build = Subject::Step { op: Op::Build, name: "app".into() };
    for subject in [Subject::Job, build] {
        let cell = elapsed(&analysis, "dind", &subject);
        let Summary::Median { estimate, min, .. } = cell.summary else { panic!("{cell:?}") };
        assert_eq!((estimate.n, cell.excluded), (7, 3));
        assert!(min >= 1e9, "a failure took 1 ms: {min}");
    }
    let other = elapsed(&analysis, "socket", &Subject::Job);
    assert!(matches!(other.summary, Summary::Median { estimate, .. } if estimate.n == 10), "{other:?}");
    assert_eq!(other.excluded, 0);
    let [failure] = analysis.failures.as_slice() else { panic!("{:?}", analysis.failures) };
    assert_eq!((failure.op, failure.class, failure.count), (Op::Build, ErrorClass::CommandFailed, 3));
    let found = job_against(&analysis, "dind", "socket");
    assert_eq!((found.blocks, found.difference.unwrap().n), (7, 7));
}

#[tokio::test(start_paused = true)]
async fn with_fewer_pairs_than_an_interval_needs_there_is_no_verdict() {
    for (failures, pairs, verdict) in [(4, 6, Some(Verdict::Slower)), (5, 5, None), (10, 0, None)] {
        let analysis = with_failures(failures).await;
        let found = job_against(&analysis, "dind", "socket");
        assert_eq!((found.blocks, found.verdict), (pairs, verdict));
        assert_eq!(found.ratio.is_some(), pairs > 0);
        assert_eq!(found.ratio.and_then(|ratio| ratio.interval).is_some(), verdict.is_some());
    }
}

/// The same topology under two names.
fn twins() -> Scenario {
    let text = r#"
        question = "q"
        baseline = "a"
        topology = [{ name = "a", use = "socket" }, { name = "b", use = "socket" }]
        [job]
        builder = "classic"
        steps = [{ op = "build", context = "fixture:ten", tag = "app" }]
        [sequence]
        jobs = 1
        blocks = 10
    "#;
    parse("twins", text, Path::new(".")).unwrap()
}

/// Every trial takes 2 % longer than the one before it, whatever it runs.
async fn on_a_machine_that_slows_down(blocks: Vec<Block>) -> Analysis {
    let twins = twins();
    let fake = Fake::new(&twins).slower_each_trial(1.02);
    run(&twins, &Plan { seed: 0, blocks }, fake).await.analysis()
}

#[tokio::test(start_paused = true)]
async fn shuffled_blocks_keep_drift_out_of_a_comparison() {
    for seed in 1..=3 {
        let analysis = on_a_machine_that_slows_down(Plan::new(&twins(), 10, seed).blocks).await;
        let ratio = job_against(&analysis, "b", "a").ratio.unwrap();
        let interval = ratio.interval.unwrap();
        assert!(interval.low <= 1.0 && 1.0 <= interval.high, "seed {seed}: {ratio:?}");
        assert!((ratio.point - 1.0).abs() < 0.021, "seed {seed}: {ratio:?}");
    }
}

/// One topology after the other, as one would do it by hand: the second one seems a fifth slower.
#[tokio::test(start_paused = true)]
async fn one_arm_after_the_other_measures_the_drift() {
    let one_after_the_other = [0, 1].map(|topology| (1..=10).map(move |index| Block { index, order: vec![topology] }));
    let analysis = on_a_machine_that_slows_down(one_after_the_other.into_iter().flatten().collect()).await;
    let found = job_against(&analysis, "b", "a");
    let ratio = found.ratio.unwrap();
    assert_eq!(found.blocks, 10);
    assert!((ratio.point - 1.02_f64.powi(10)).abs() < 1e-6, "{ratio:?}");
    assert_eq!(found.verdict, Some(Verdict::Slower));
}

/// Every time is lengthened by what really passes on the clock, so the ratio is known.
#[tokio::test(start_paused = true)]
async fn a_control_is_seen_as_long_as_it_was_made() {
    let quick = quick().only(&["socket".to_owned()]).unwrap().with_controls();
    let analysis = run(&quick, &plan(&quick, 10), Fake::new(&quick)).await.analysis();
    let found = job_against(&analysis, "socket-delayed", "socket");
    assert_eq!(found.contrast, Contrast::Control);
    // The clock of a test goes on in whole milliseconds.
    let ratio = found.ratio.unwrap().point;
    assert!((1.1..1.11).contains(&ratio), "{ratio}");
    let again = job_against(&analysis, "socket-again", "socket");
    assert_eq!((again.contrast, again.ratio.unwrap().point), (Contrast::Repeat, 1.0));
    let checks = self_checks(&analysis.arms, &analysis.comparisons);
    assert!(checks.iter().all(|check| check.expected == 1.1), "equal times have no interval: {checks:?}");
}
