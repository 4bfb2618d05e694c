//! Jobs at once.

use dindbench::case::Status;

use crate::run::{Run, block, fail, two_arms};

#[test]
fn jobs_at_once_are_told_by_the_slowest() {
    let alone = ("dind", "dind", "lifecycle=recreate");
    let both = ("both", "dind", "lifecycle=recreate concurrency=2");
    let mut run = Run::new(&[alone, both]);
    for number in 1..=6 {
        run.job("dind", block(number), [0, 1_000, 0]);
        for (worker, elapsed) in [(0, 1_500), (1, 2_000)] {
            run.job("both", block(number), [0, elapsed, 0]).iter_mut().for_each(|row| row.worker = worker);
        }
    }
    // With one of two jobs failed, the other had the machine to itself.
    for (worker, elapsed) in [(0, 10), (1, 10)] {
        run.job("both", block(7), [0, elapsed, 0]).iter_mut().for_each(|row| row.worker = worker);
    }
    fail(run.samples.last_mut().unwrap(), Status::Failed);
    let at_once = run.analyse().at_once;
    let of = |topology: usize| at_once.iter().find(|one| one.topology == topology).unwrap();
    assert_eq!((of(0).concurrency, of(0).slowest.point, of(0).slowdown), (1, 1_000.0, None));
    assert_eq!((of(1).concurrency, of(1).slowest.point, of(1).slowest.n), (2, 2_000.0, 6));
    assert_eq!((of(0).family, of(1).family), (0, 0));
    assert_eq!((of(1).evenness.point, of(1).slowdown.unwrap().point), (0.75, 1.75));
}

#[test]
fn a_run_of_one_job_at_a_time_has_none_at_once() {
    assert_eq!(two_arms([2.0; 6]).analyse().at_once, []);
}
