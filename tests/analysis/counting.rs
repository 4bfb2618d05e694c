//! Which rows count.

use std::collections::BTreeMap;

use dindbench::analysis::{Analysis, Found, Metric, Subject, Summary};
use dindbench::case::{Edit, ErrorClass, Op, Status};

use crate::run::{At, Run, SOCKET, block, cell, comparison, elapsed, fail, job_after, point, step, two_arms};

#[test]
fn the_warm_up_is_seen_but_not_counted() {
    let mut run = two_arms([2.0; 6]);
    let measured = run.clone().analyse();
    run.job("socket", block(0), [9_000, 9_000, 9_000]);
    fail(&mut run.job("dind", block(0), [1, 1, 1])[1], Status::Failed);
    let analysis = run.analyse();
    assert_eq!((&analysis.cells, &analysis.comparisons), (&measured.cells, &measured.comparisons));
    assert_eq!(analysis.blocks, 6);
    let mut warm: Vec<f64> =
        analysis.points.values().flatten().filter(|point| point.warmup).map(|point| point.value).collect();
    warm.sort_by(f64::total_cmp);
    assert_eq!(warm, [1.0, 1.0, 9_000.0, 9_000.0, 9_000.0, 27_000.0]);
    assert_eq!(analysis.measured(&Subject::Job, Metric::ElapsedNs).count(), 12, "the warm-up is not among these");
    let [failure] = analysis.failures.as_slice() else { panic!("{:?}", analysis.failures) };
    assert_eq!((failure.count, failure.share.n), (1, 7), "the warm-up is a start like any other");
}

#[test]
fn a_failed_step_excludes_itself_and_its_job() {
    let mut run = two_arms([2.0; 6]);
    for row in run.samples.iter_mut().filter(|row| row.topology.as_str() == "dind" && row.op == Op::Build) {
        fail(row, Status::Timeout);
    }
    let analysis = run.analyse();
    for case in [job_after(Edit::First), step(Op::Build, "app")] {
        let found = cell(&analysis, 1, &case, Metric::ElapsedNs).unwrap();
        assert_eq!((&found.summary, found.excluded), (&Summary::Missing, 6));
    }
    assert_eq!(elapsed(&analysis, 1, &step(Op::Start, "start")), &Summary::Constant { value: 60.0, n: 6 });
    let found = comparison(&analysis, 1, Metric::ElapsedNs);
    assert_eq!((found.blocks, found.ratio, found.difference, found.verdict), (0, None, None, None));
    let [failure] = analysis.failures.as_slice() else { panic!("{:?}", analysis.failures) };
    assert_eq!((failure.topology, failure.op, failure.class), (1, Op::Build, ErrorClass::CommandFailed));
    assert_eq!((failure.count, failure.example.as_str()), (6, "exit code 1\nin RUN"));
    assert_eq!((failure.share.point, failure.share.n), (1.0, 6));
}

#[test]
fn a_block_in_which_one_arm_failed_is_no_pair() {
    let mut run = two_arms([1.5, 3.0, 1.5, 1.5, 3.0, 1.5]);
    fail(&mut run.samples[4], Status::Failed);
    let analysis = run.analyse();
    let found = comparison(&analysis, 1, Metric::ElapsedNs);
    assert_eq!((found.blocks, found.ratio.unwrap().n, found.verdict), (5, 5, None));
    assert_eq!(analysis.blocks, 6);
    let cells = |topology| cell(&analysis, topology, &job_after(Edit::First), Metric::ElapsedNs).unwrap();
    assert_eq!((point(&cells(0).summary).1, point(&cells(1).summary).1), (6, 5));
    assert_eq!((cells(0).excluded, cells(1).excluded), (0, 1));
}

#[test]
fn an_invalid_row_excludes_its_whole_trial() {
    let mut run = Run::new(&[SOCKET]);
    run.job("socket", block(1), [1, 2, 3]);
    let second = At { job: 2, edit: Edit::None, ..block(2) };
    run.job("socket", block(2), [10, 20, 30]);
    fail(&mut run.job("socket", second, [10, 20, 30])[1], Status::Invalid);
    let analysis = run.analyse();
    assert_eq!(analysis.blocks, 1);
    let first = cell(&analysis, 0, &job_after(Edit::First), Metric::ElapsedNs).unwrap();
    assert_eq!((point(&first.summary), first.excluded), ((6.0, 1), 1));
    let again = cell(&analysis, 0, &job_after(Edit::None), Metric::ElapsedNs).unwrap();
    assert_eq!((&again.summary, again.excluded), (&Summary::Missing, 1));
    assert!(analysis.points.values().flatten().all(|point| point.block == 1));
    assert_eq!(analysis.jobs, BTreeMap::from([(1, Edit::First)]), "no usable sample tells of the second job");
}

#[test]
fn the_last_clean_attempt_counts() {
    let attempt = |attempt| At { attempt, ..block(1) };
    let mut run = Run::new(&[SOCKET]);
    fail(&mut run.job("socket", attempt(1), [1, 1, 1])[1], Status::Failed);
    run.job("socket", attempt(2), [10, 10, 10]);
    let mut analysis = run.clone().analyse();
    assert_eq!(point(elapsed(&analysis, 0, &job_after(Edit::First))), (30.0, 1));
    assert_eq!(point(elapsed(&analysis, 0, &step(Op::Start, "start"))), (10.0, 1));
    let excluded = |analysis: &Analysis, case| cell(analysis, 0, &case, Metric::ElapsedNs).unwrap().excluded;
    assert_eq!(excluded(&analysis, step(Op::Build, "app")), 1);
    assert_eq!(excluded(&analysis, step(Op::Start, "start")), 0);

    // A third attempt that fails does not take the second one's place; a clean one does.
    fail(&mut run.job("socket", attempt(3), [7, 7, 7])[0], Status::Failed);
    analysis = run.clone().analyse();
    assert_eq!(point(elapsed(&analysis, 0, &job_after(Edit::First))), (30.0, 1));
    run.job("socket", attempt(4), [5, 5, 5]);
    analysis = run.analyse();
    assert_eq!(point(elapsed(&analysis, 0, &job_after(Edit::First))), (15.0, 1));
}

#[test]
fn without_a_clean_attempt_the_last_valid_one_counts() {
    let attempt = |attempt| At { attempt, ..block(1) };
    let mut run = Run::new(&[SOCKET]);
    fail(&mut run.job("socket", attempt(1), [1, 1, 1])[1], Status::Failed);
    fail(&mut run.job("socket", attempt(2), [2, 2, 2])[1], Status::Failed);
    fail(&mut run.job("socket", attempt(3), [3, 3, 3])[1], Status::Invalid);
    let analysis = run.analyse();
    assert_eq!(point(elapsed(&analysis, 0, &step(Op::Start, "start"))), (2.0, 1));
    let build = cell(&analysis, 0, &step(Op::Build, "app"), Metric::ElapsedNs).unwrap();
    assert_eq!((&build.summary, build.excluded), (&Summary::Missing, 3));
}

#[test]
fn an_interrupted_job_has_steps_and_no_total() {
    let mut run = Run::new(&[SOCKET]);
    run.job("socket", block(1), [1, 2, 3]);
    run.job("socket", block(2), [10, 20, 30]);
    run.samples.pop();
    let analysis = run.analyse();
    let job = cell(&analysis, 0, &job_after(Edit::First), Metric::ElapsedNs).unwrap();
    assert_eq!((point(&job.summary), job.excluded), ((6.0, 1), 0));
    assert_eq!(point(elapsed(&analysis, 0, &step(Op::Build, "app"))), (11.0, 2));
}

#[test]
fn jobs_after_the_same_edit_are_averaged_within_a_block() {
    let mut run = Run::new(&[SOCKET]);
    for (number, elapsed) in [(1, 500), (2, 10), (3, 20), (4, 60)] {
        let edit = if number == 1 { Edit::First } else { Edit::None };
        run.job("socket", At { job: number, edit, ..block(1) }, [0, elapsed, 0]);
    }
    // A block that lacks two of the three: its mean would be that of another job.
    run.job("socket", At { job: 2, edit: Edit::None, ..block(2) }, [0, 40, 0]);
    for (number, elapsed) in [(2, 20), (3, 40), (4, 60)] {
        run.job("socket", At { job: number, edit: Edit::None, ..block(3) }, [0, elapsed, 0]);
    }
    let analysis = run.analyse();
    let Summary::Median { estimate, min, max, .. } = elapsed(&analysis, 0, &job_after(Edit::None)) else { panic!() };
    assert_eq!((estimate.n, *min, *max), (2, 30.0, 40.0));
}

/// The first job leaves no cache, so the second one is none with nothing changed; the third is. A build that broke an expectation
/// was made all the same.
#[test]
fn a_job_after_one_that_failed_is_in_no_statistic() {
    let of_class = |class| {
        let mut run = Run::new(&[SOCKET]);
        let at = |job| At { job, edit: if job == 1 { Edit::First } else { Edit::None }, ..block(1) };
        let build = &mut run.job("socket", at(1), [0, 900, 0])[1];
        fail(build, Status::Failed);
        build.error_class = Some(class);
        for (job, elapsed) in [(2, 900), (3, 100)] {
            run.job("socket", at(job), [0, elapsed, 0]);
        }
        run.analyse().measured(&Subject::Job, Metric::ElapsedNs).map(|point| point.value).collect()
    };
    let found: [Vec<f64>; 2] = [ErrorClass::CommandFailed, ErrorClass::Expectation].map(of_class);
    assert_eq!(found, [vec![100.0], vec![900.0, 100.0]]);
}

#[test]
fn the_ledger_counts_builds_that_count() {
    let mut run = Run::new(&[SOCKET]);
    let warm = At { job: 2, edit: Edit::Source, ..block(0) };
    let again = At { block: 3, attempt: 2, ..warm };
    for at in [warm, At { block: 1, ..warm }, At { block: 2, ..warm }, again] {
        run.job("socket", at, [1, 2, 3]);
        run.instruction("socket", at, 1, true);
        run.instruction("socket", at, 2, at.block == 2);
    }
    // Superseded and failed: its first instruction was cached, but the build has no outcome.
    let failed = At { attempt: 1, ..again };
    fail(&mut run.job("socket", failed, [1, 2, 3])[1], Status::Failed);
    run.instruction("socket", failed, 1, false);
    // Written just before an interruption: there is no row of its build.
    run.instruction("socket", At { block: 4, ..warm }, 1, false);
    let analysis = run.analyse();
    let counts: Vec<_> = analysis
        .ledger
        .iter()
        .map(|cell| {
            (cell.step.as_str(), cell.job, cell.edit, cell.instruction, cell.text.as_str(), cell.cached, cell.builds)
        })
        .collect();
    let expected = [("app", 2, Edit::Source, 1, "RUN 1", 3, 3), ("app", 2, Edit::Source, 2, "RUN 2", 1, 3)];
    assert_eq!(counts, expected);
}

/// Two jobs at once: the first finds everything, the second does not, whichever row is written first.
#[test]
fn what_one_of_several_jobs_at_once_breaks_is_broken() {
    for workers in [[0, 1], [1, 0]] {
        let mut run = Run::new(&[SOCKET]);
        run.record.scenario_text =
            "[[expect]]\ntopology = \"socket\"\njob = 1\nstep = \"app\"\ninstructions_cached = \"all\"\n".into();
        for worker in workers {
            for row in run.job("socket", block(0), [0, 10, 0]) {
                row.worker = worker;
                (row.instructions_total, row.instructions_cached) = (Some(2), Some(2 - worker));
            }
        }
        let found = run.analyse().expectations.remove(0).blocks;
        assert_eq!(found, [(0, Found::Broken { cached: 1, total: 2 })], "{workers:?}");
    }
}
