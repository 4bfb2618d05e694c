//! The parts of a start.

use dindbench::analysis::Phase;
use dindbench::case::{Edit, Status};

use crate::run::{At, DIND, Run, SOCKET, block, fail};

fn phase(topology: usize, name: &str, elapsed_ns: f64) -> Phase {
    Phase { topology, name: name.into(), elapsed_ns }
}

#[test]
fn a_part_lasts_from_the_end_of_the_one_before_it() {
    let mut run = Run::new(&[SOCKET, DIND]);
    for (number, engine) in [(1, 400), (2, 500), (3, 900)] {
        run.job("socket", block(number), [200, 1_000, 50]);
        run.phases("dind", block(number), &[("engine", engine), ("job-container", engine + 150)]);
        run.job("dind", block(number), [engine + 150, 1_000, 50]);
        run.phases("socket", block(number), &[("job-container", 190 + u64::from(number))]);
    }
    let expected = [phase(0, "job-container", 192.0), phase(1, "engine", 500.0), phase(1, "job-container", 150.0)];
    assert_eq!(run.analyse().phases.unwrap(), expected);
}

#[test]
fn only_first_starts_that_count_have_parts() {
    let mut run = Run::new(&[SOCKET]);
    let again = At { attempt: 2, ..block(1) };
    let second = At { job: 2, edit: Edit::None, ..again };
    for (at, end) in [(block(0), 1), (block(1), 10), (again, 100), (second, 1_000)] {
        run.job("socket", at, [end, 500, 50]);
        run.phases("socket", at, &[("job-container", end)]);
    }
    let failed = run.samples.iter_mut().find(|row| (row.block, row.attempt) == (1, 1)).unwrap();
    fail(failed, Status::Invalid);
    assert_eq!(run.analyse().phases.unwrap(), [phase(0, "job-container", 100.0)]);
}

#[test]
fn jobs_at_once_count_once_per_block() {
    let mut run = Run::new(&[SOCKET]);
    for (at, ends) in [(block(1), [100, 300]), (block(2), [500, 500]), (block(3), [600, 600])] {
        for (worker, end) in (0..).zip(ends) {
            run.job("socket", at, [end, 500, 50]).iter_mut().for_each(|row| row.worker = worker);
            run.phases("socket", at, &[("job-container", end)]);
            run.phases.as_mut().unwrap().last_mut().unwrap().worker = worker;
        }
    }
    assert_eq!(run.analyse().phases.unwrap(), [phase(0, "job-container", 500.0)]);
}

#[test]
fn a_run_without_its_events_is_told_from_one_whose_starts_had_no_parts() {
    let mut run = Run::new(&[SOCKET]);
    run.job("socket", block(1), [10, 500, 50]);
    assert_eq!(run.clone().analyse().phases, None);
    run.phases("socket", block(1), &[]);
    assert_eq!(run.analyse().phases, Some(Vec::new()));
}

#[test]
fn an_event_of_another_run_is_refused() {
    let mut run = Run::new(&[SOCKET]);
    run.job("socket", block(1), [10, 500, 50]);
    run.phases("elsewhere", block(1), &[("engine", 5)]);
    assert!(run.try_analyse().unwrap_err().to_string().contains("\"elsewhere\""));
}
