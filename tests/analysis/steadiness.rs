//! What a run says of its own numbers: the place within a block, disturbed trials, and how many comparisons there are.

use dindbench::analysis::{Metric, Undisturbed, Verdict};

use crate::run::{comparison, two_arms};

/// Slower in every block, in no order.
const SLOWER: [f64; 6] = [1.5, 1.6, 1.52, 1.58, 1.61, 1.55];

/// The arms take turns to be first, and what is first takes a tenth longer.
#[test]
fn a_place_that_costs_time_is_seen_whatever_stands_there() {
    let mut run = two_arms([1.0; 6]);
    for row in &mut run.samples {
        let second = (row.topology.as_str() == "dind") == (row.block % 2 == 0);
        row.position = u32::from(second);
        row.elapsed_ns = row.elapsed_ns.map(|nanos| nanos * if second { 1_000 } else { 1_100 });
    }
    let order = run.clone().analyse().order.expect("both places are taken");
    assert!((order.point - 1.1).abs() < 0.03 && order.interval.unwrap().low > 1.0 && order.n == 6, "{order:?}");
    // A trial that was run again was no first one, whatever its place.
    let mut again = run.clone();
    for row in again.samples.iter_mut().filter(|row| (row.block, row.topology.as_str()) == (1, "dind")) {
        row.attempt = 2;
    }
    assert_eq!(again.analyse().order.unwrap().n, 5);
    // A trial that lost a job is no whole one.
    run.samples.retain(|row| (row.block, row.topology.as_str()) != (3, "dind"));
    assert_eq!(run.analyse().order.unwrap().n, 5);
}

/// One arm stands first in five blocks of six, so that its median is that of what stands first: nothing can be told.
#[test]
fn a_place_that_one_topology_has_nearly_to_itself_is_not_judged() {
    let mut run = two_arms([1.0; 6]);
    for row in &mut run.samples {
        let second = (row.topology.as_str() == "dind") == (row.block == 6);
        row.position = u32::from(second);
        row.elapsed_ns = row.elapsed_ns.map(|nanos| nanos * if second { 1_000 } else { 1_500 });
    }
    assert_eq!(run.analyse().order, None);
}

#[test]
fn a_verdict_is_given_without_the_disturbed_blocks_too() {
    let mut run = two_arms(SLOWER);
    assert_eq!(comparison(&run.clone().analyse(), 1, Metric::ElapsedNs).undisturbed, None);
    for row in run.samples.iter_mut().filter(|row| row.block > 4 && row.topology.as_str() == "dind") {
        row.flags = "load;steal".to_owned();
    }
    let analysis = run.analyse();
    let found = comparison(&analysis, 1, Metric::ElapsedNs);
    assert_eq!((found.blocks, found.verdict), (6, Some(Verdict::Slower)), "they are in the statistics");
    assert_eq!(found.undisturbed, Some(Undisturbed { blocks: 4, verdict: None }), "four blocks have no interval");
    let trials: Vec<_> = analysis.disturbed.into_iter().collect();
    assert_eq!(trials, [("load".to_owned(), 2), ("steal".to_owned(), 2)]);
}

/// By hand: six ratios above 1 are one of 2^5 assignments of signs, and the only comparison of jobs is alone in its family.
#[test]
fn a_comparison_of_jobs_is_adjusted_for_those_of_jobs_alone() {
    let analysis = two_arms(SLOWER).analyse();
    assert_eq!(comparison(&analysis, 1, Metric::ElapsedNs).q, Some(1.0 / 32.0));
    // Blocks that take turns depend on one another, which the test supposes they do not.
    let turns = two_arms([0.5, 0.6, 0.5, 0.6, 0.5, 0.6]).analyse();
    assert_eq!(comparison(&turns, 1, Metric::ElapsedNs).q, None);
}
