//! Cells, and ratios paired within blocks.

use dindbench::analysis::{Contrast, Metric, Subject, Summary, Verdict, drifting};
use dindbench::case::{Edit, Op};

use crate::run::{DIND, KEPT, Run, SOCKET, block, cell, comparison, elapsed, job_after, point, step, two_arms};

#[test]
fn a_job_takes_the_sum_of_its_steps() {
    let analysis = two_arms([2.0; 6]).analyse();
    assert_eq!((analysis.blocks, analysis.baseline), (6, 0));
    let Summary::Median { estimate, min, max, mad, quartiles, .. } = elapsed(&analysis, 0, &job_after(Edit::First))
    else {
        panic!("six different values are no constant");
    };
    assert_eq!((estimate.point, *min, *max, *mad, *quartiles), (425.0, 400.0, 450.0, 15.0, (412.5, 437.5)));
    let interval = estimate.interval.unwrap();
    assert_eq!((interval.low, interval.high), (400.0, 450.0));
    assert!((interval.coverage - 0.968_75).abs() < 1e-12);
    assert_eq!(point(elapsed(&analysis, 0, &step(Op::Build, "app"))), (325.0, 6));
    assert_eq!(elapsed(&analysis, 1, &step(Op::Stop, "stop")), &Summary::Constant { value: 60.0, n: 6 });
}

#[test]
fn cells_keep_the_order_of_a_job() {
    let analysis = two_arms([2.0; 6]).analyse();
    let subjects: Vec<_> = analysis.cells.iter().map(|cell| (&cell.case.subject, cell.topology)).collect();
    let expected = [job_after(Edit::First), step(Op::Start, "start"), step(Op::Build, "app"), step(Op::Stop, "stop")];
    let expected: Vec<_> = expected.iter().flat_map(|case| [(&case.subject, 0), (&case.subject, 1)]).collect();
    assert_eq!(subjects, expected);
}

/// Factors 1.5 in four blocks and 3 in two: of the 21 averages of their logarithms the middle one is ln 1.5 or
/// half-way. By hand: 10 averages are ln 1.5, 8 are (ln 1.5 + ln 3) / 2, 3 are ln 3; the eleventh is the half-way one.
#[test]
fn a_ratio_is_paired_within_blocks() {
    let analysis = two_arms([1.5, 3.0, 1.5, 1.5, 3.0, 1.5]).analyse();
    let found = comparison(&analysis, 1, Metric::ElapsedNs);
    let ratio = found.ratio.unwrap();
    assert!((ratio.point - 4.5_f64.sqrt()).abs() < 1e-12, "{ratio:?}");
    let interval = ratio.interval.unwrap();
    assert!((interval.low - 1.5).abs() < 1e-12 && (interval.high - 3.0).abs() < 1e-12, "{ratio:?}");
    assert_eq!((ratio.n, found.blocks, interval.coverage), (6, 6, 0.968_75));
    assert_eq!((found.contrast, found.verdict), (Contrast::Whole, Some(Verdict::Slower)));
    // Differences: 200 820 210 215 880 225. Ten averages are of two small ones, so the eleventh is (200 + 820) / 2.
    let difference = found.difference.unwrap();
    assert_eq!((difference.point, difference.interval.map(|i| (i.low, i.high))), (510.0, Some((200.0, 880.0))));
}

#[test]
fn verdicts_follow_the_intervals() {
    for (factors, verdict) in [
        ([0.5, 0.6, 0.5, 0.6, 0.5, 0.6], Verdict::Faster),
        ([0.99, 1.01, 0.99, 1.01, 0.99, 1.01], Verdict::Equivalent),
        ([0.7, 1.4, 0.8, 1.2, 0.9, 1.1], Verdict::Indistinguishable),
    ] {
        let analysis = two_arms(factors).analyse();
        assert_eq!(comparison(&analysis, 1, Metric::ElapsedNs).verdict, Some(verdict), "{factors:?}");
    }
}

#[test]
fn a_constant_gets_no_interval_and_no_verdict() {
    let mut run = Run::new(&[SOCKET, DIND]);
    for index in 1..=8 {
        run.job("socket", block(index), [1, 8, 1]);
        run.job("dind", block(index), [2, 16, 2]);
    }
    let analysis = run.analyse();
    assert_eq!(elapsed(&analysis, 0, &job_after(Edit::First)), &Summary::Constant { value: 10.0, n: 8 });
    let found = comparison(&analysis, 1, Metric::ElapsedNs);
    let (ratio, difference) = (found.ratio.unwrap(), found.difference.unwrap());
    assert!((ratio.point - 2.0).abs() < 1e-12);
    assert_eq!((difference.point, difference.n), (10.0, 8));
    assert_eq!((ratio.interval, difference.interval, found.verdict), (None, None, None));
}

#[test]
fn one_block_has_points_and_no_interval() {
    let mut run = Run::new(&[SOCKET, DIND]);
    run.job("socket", block(1), [10, 80, 10]);
    run.job("dind", block(1), [10, 130, 10]);
    let analysis = run.analyse();
    assert_eq!(point(elapsed(&analysis, 0, &job_after(Edit::First))), (100.0, 1));
    let found = comparison(&analysis, 1, Metric::ElapsedNs);
    let ratio = found.ratio.unwrap();
    assert!((ratio.point - 1.5).abs() < 1e-12);
    assert_eq!((ratio.interval, found.blocks, found.verdict), (None, 1, None));
}

#[test]
fn one_topology_has_cells_and_no_comparison() {
    let mut run = Run::new(&[SOCKET]);
    run.job("socket", block(1), [1, 2, 3]);
    let analysis = run.analyse();
    assert_eq!(analysis.comparisons, []);
    assert_eq!(point(elapsed(&analysis, 0, &job_after(Edit::First))), (6.0, 1));
}

#[test]
fn the_least_known_ratio_of_a_job_is_the_precision_of_a_run() {
    let run = two_arms([1.0, 1.1, 1.2, 1.3, 1.4, 1.5]).analyse();
    let jobs: Vec<_> = run
        .comparisons
        .iter()
        .filter(|one| one.case.subject == Subject::Job && one.metric == Metric::ElapsedNs)
        .collect();
    let widest =
        jobs.iter().map(|one| one.ratio.unwrap().interval.unwrap()).map(|one| (one.high / one.low).sqrt() - 1.0);
    assert_eq!(run.half_width(), widest.reduce(f64::max));
    assert_eq!(two_arms([2.0; 6]).analyse().half_width(), None, "a constant ratio has no interval");
}

/// Of six values in order, one order of 720 rises throughout and one falls: p = 2/720.
#[test]
fn a_ratio_that_rises_over_the_run_is_a_drift() {
    let rising = two_arms([1.1, 1.2, 1.3, 1.4, 1.5, 1.6]).analyse();
    let drifting = drifting(&rising.comparisons);
    let jobs = rising.comparisons.iter().filter(|one| one.case.subject == Subject::Job && one.course.is_some()).count();
    let [(one, p)] = drifting.as_slice() else { panic!("{drifting:?}") };
    let course = one.course.unwrap();
    assert_eq!((one.topology, course.drift.tau), (1, 1.0));
    assert!((course.drift.p - 2.0 / 720.0).abs() < 1e-12 && (p - jobs as f64 * course.drift.p).abs() < 1e-12);
    assert!(course.autocorrelation > 0.3 && !course.dependent(6), "six blocks show little");
    assert!(course.dependent(60));
    let steady = two_arms([1.2, 1.1, 1.3, 1.3, 1.1, 1.2]).analyse();
    assert!(dindbench::analysis::drifting(&steady.comparisons).is_empty());
    let constant = two_arms([2.0; 6]).analyse();
    assert!(constant.comparisons.iter().all(|one| one.case.subject != Subject::Job || one.course.is_none()));
}

#[test]
fn a_missing_metric_has_no_cell_and_no_comparison() {
    let mut run = two_arms([2.0; 6]);
    for (index, row) in run.samples.iter_mut().enumerate() {
        row.cpu_ns = (row.topology.as_str() == "dind").then_some(100 + index as u64);
        row.bytes_pulled = (row.op != Op::Stop).then_some(0);
        row.disk_bytes = (row.op == Op::Stop).then_some(1_000);
    }
    let analysis = run.analyse();
    let job = job_after(Edit::First);
    assert_eq!(cell(&analysis, 0, &job, Metric::CpuNs), None);
    assert!(cell(&analysis, 1, &job, Metric::CpuNs).is_some());
    assert!(analysis.comparisons.iter().all(|found| found.metric != Metric::CpuNs));
    // One step without the metric leaves the job without it.
    assert_eq!(cell(&analysis, 0, &job, Metric::BytesPulled), None);
    let build = cell(&analysis, 0, &step(Op::Build, "app"), Metric::BytesPulled).unwrap();
    assert_eq!(build.summary, Summary::Constant { value: 0.0, n: 6 });
    // Disk is what the last step left.
    assert_eq!(cell(&analysis, 0, &job, Metric::DiskBytes).unwrap().summary, Summary::Constant { value: 1e3, n: 6 });
    assert_eq!(analysis.measured(&Subject::Job, Metric::DiskBytes).count(), 12);
    assert!(analysis.points.keys().all(|(subject, metric)| *subject == Subject::Job || *metric == Metric::ElapsedNs));
}

#[test]
fn a_metric_that_can_be_zero_has_differences_only() {
    let mut run = two_arms([2.0; 6]);
    for row in &mut run.samples {
        row.bytes_pulled = Some(if row.topology.as_str() == "dind" { u64::from(row.block) } else { 0 });
        row.peak_memory_bytes = Some(if row.topology.as_str() == "dind" { 0 } else { 7 });
    }
    let analysis = run.analyse();
    let bytes = comparison(&analysis, 1, Metric::BytesPulled);
    assert_eq!((bytes.ratio, bytes.difference.unwrap().point, bytes.verdict), (None, 10.5, None));
    // A memory peak of 0 is no peak, but the numbers are what they are: no ratio is made of it.
    let memory = comparison(&analysis, 1, Metric::PeakMemoryBytes);
    assert_eq!((memory.ratio, memory.difference.unwrap().point), (None, -7.0));
}

#[test]
fn nesting_and_lifecycle_are_compared_apart() {
    let mut run = Run::new(&[SOCKET, KEPT, DIND]);
    for index in 1..=6 {
        let drift = u64::from(index) * 3;
        run.job("socket", block(index), [0, 100 + drift, 0]);
        run.job("kept", block(index), [0, 110 + drift, 0]);
        run.job("dind", block(index), [80, 200 + drift, 20]);
    }
    let analysis = run.analyse();
    let job = job_after(Edit::First);
    let found: Vec<_> = analysis
        .comparisons
        .iter()
        .filter(|found| found.case == job)
        .map(|found| (found.contrast, found.topology, found.reference, found.difference.unwrap().point))
        .collect();
    let expected =
        [(Contrast::Nesting, 1, 0, 10.0), (Contrast::Whole, 2, 0, 200.0), (Contrast::Lifecycle, 2, 1, 190.0)];
    assert_eq!(found, expected);
    assert_eq!(analysis.arms[1].engines, ["28.5"]);
    assert_eq!(analysis.arms[1].builders, ["buildkit"]);
}
