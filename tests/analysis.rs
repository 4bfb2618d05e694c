//! Analyses of small made-up runs, by values.

use std::collections::BTreeMap;

use dindbench::analysis::{
    AnalyseError, Analysis, CaseKey, Cell, Choices, Comparison, Contrast, Metric, Subject, Summary, Verdict, analyse,
    drifting,
};
use dindbench::case::{Builder, Driver, Edit, ErrorClass, Op, Status};
use dindbench::record::{
    ArmRecord, Environment, HostRecord, InstructionRow, ReadError, RunDir, RunRecord, SCHEMA, Sample, Writer,
};
use time::OffsetDateTime;

const SOCKET: (&str, &str, &str) = ("socket", "socket", "");
const KEPT: (&str, &str, &str) = ("kept", "dind", "lifecycle=keep storage_driver=auto");
const DIND: (&str, &str, &str) = ("dind", "dind", "lifecycle=recreate storage_driver=auto");

/// A run in the making. Its jobs have the steps start, build `app`, stop.
#[derive(Clone)]
struct Run {
    record: RunRecord,
    samples: Vec<Sample>,
    instructions: Vec<InstructionRow>,
}

/// Where a job is, in its topology.
#[derive(Clone, Copy)]
struct At {
    block: u32,
    attempt: u32,
    job: u32,
    edit: Edit,
}

fn block(block: u32) -> At {
    At { block, attempt: 1, job: 1, edit: Edit::First }
}

impl Run {
    /// The first arm is the baseline.
    fn new(arms: &[(&str, &str, &str)]) -> Self {
        let arm = |(name, kind, parameters): &(&str, &str, &str)| ArmRecord {
            name: (*name).into(),
            kind: (*kind).into(),
            parameters: (*parameters).into(),
        };
        let record = RunRecord {
            schema: SCHEMA,
            run_id: "r1".into(),
            host: "h".into(),
            started_at: "2024-01-01T00:00:00Z".into(),
            command_line: vec!["dindbench".into(), "run".into()],
            version: "0.1.0".into(),
            revision: "abc".into(),
            lock_digest: None,
            scenario: "quick".into(),
            scenario_digest: "sha256:00".into(),
            question: "What does it cost?".into(),
            baseline: arms[0].0.into(),
            analysis: String::new(),
            seed: 1,
            blocks: 6,
            precision: None,
            wait_for_quiet_ns: None,
            driver: Driver::Cli,
            builder: Builder::Auto,
            warnings: Vec::new(),
            unavailable: BTreeMap::new(),
            environment: environment(),
            arms: arms.iter().map(arm).collect(),
            scenario_text: "question = \"What does it cost?\"\n".into(),
        };
        Self { record, samples: Vec::new(), instructions: Vec::new() }
    }

    /// Adds a job whose steps took `elapsed`, and gives its rows for change.
    fn job(&mut self, topology: &str, at: At, elapsed: [u64; 3]) -> &mut [Sample] {
        let steps = [(Op::Start, "start"), (Op::Build, "app"), (Op::Stop, "stop")];
        let rows = steps.into_iter().zip(elapsed).map(|((op, step), elapsed)| sample(topology, at, op, step, elapsed));
        self.samples.extend(rows);
        let first = self.samples.len() - 3;
        &mut self.samples[first..]
    }

    fn instruction(&mut self, topology: &str, at: At, index: u32, cached: bool) {
        self.instructions.push(InstructionRow {
            schema: SCHEMA,
            run_id: "r1".into(),
            scenario: "quick".into(),
            block: at.block,
            topology: topology.into(),
            attempt: at.attempt,
            worker: 0,
            job: at.job,
            step: "app".into(),
            index,
            text: format!("RUN {index}").as_str().into(),
            cached,
            elapsed_ns: None,
        });
    }

    fn try_analyse(self) -> Result<Analysis, AnalyseError> {
        analyse(&self.record, self.samples.into_iter().map(Ok), self.instructions.into_iter().map(Ok))
    }

    fn analyse(self) -> Analysis {
        self.try_analyse().unwrap()
    }
}

fn environment() -> Environment {
    Environment {
        host: HostRecord {
            kernel: "6.1".into(),
            operating_system: "Debian".into(),
            architecture: "x86_64".into(),
            cpu_model: "cpu".into(),
            cpus: 2,
            memory_bytes: 1,
            cgroup_version: "2".into(),
            lsm: String::new(),
            clock_source: "tsc".into(),
            governor: String::new(),
            smt: None,
            virtualised: None,
            swap_bytes: None,
        },
        privilege: "real".into(),
        inner_privilege: None,
        docker_command: None,
        host_kind: "reference".into(),
        registry: "own".into(),
        engines: BTreeMap::new(),
        images: BTreeMap::new(),
        unknown: BTreeMap::new(),
    }
}

fn sample(topology: &str, at: At, op: Op, step: &str, elapsed: u64) -> Sample {
    Sample {
        schema: SCHEMA,
        run_id: "r1".into(),
        host: "h".into(),
        scenario: "quick".into(),
        block: at.block,
        warmup: at.block == 0,
        position: 0,
        topology: topology.into(),
        attempt: at.attempt,
        worker: 0,
        lifecycle: None,
        driver: Driver::Cli,
        builder: (op == Op::Build).then_some(Builder::Buildkit),
        job: at.job,
        edit: at.edit,
        step: step.into(),
        op,
        started_at: OffsetDateTime::UNIX_EPOCH,
        elapsed_ns: Some(elapsed),
        upload_ns: None,
        export_ns: None,
        status: Status::Ok,
        error_class: None,
        error: "".into(),
        flags: String::new(),
        instructions_total: None,
        instructions_cached: None,
        layers_total: None,
        layers_reused: None,
        bytes_pulled: None,
        bytes_pushed: None,
        disk_bytes: None,
        disk_delta_bytes: None,
        engine_disk_bytes: None,
        inodes_delta: None,
        volumes_leaked: None,
        cpu_ns: None,
        peak_memory_bytes: None,
        io_read_bytes: None,
        io_write_bytes: None,
        engine_version: "28.5".into(),
        storage_driver: "overlay2".into(),
        backing_fs: "extfs".into(),
        image_id: String::new(),
    }
}

fn fail(row: &mut Sample, status: Status) {
    row.status = status;
    row.error_class = Some(ErrorClass::CommandFailed);
    row.error = "exit code 1\nin RUN".into();
}

fn job_after(edit: Edit) -> CaseKey {
    CaseKey { subject: Subject::Job, edit }
}

fn step(op: Op, name: &str) -> CaseKey {
    CaseKey { subject: Subject::Step { op, name: name.into() }, edit: Edit::First }
}

fn cell<'a>(analysis: &'a Analysis, topology: usize, case: &CaseKey, metric: Metric) -> Option<&'a Cell> {
    analysis.cells.iter().find(|cell| cell.topology == topology && cell.case == *case && cell.metric == metric)
}

fn elapsed<'a>(analysis: &'a Analysis, topology: usize, case: &CaseKey) -> &'a Summary {
    &cell(analysis, topology, case, Metric::ElapsedNs).expect("the cell exists").summary
}

fn comparison(analysis: &Analysis, topology: usize, metric: Metric) -> &Comparison {
    let case = job_after(Edit::First);
    let wanted = |found: &&Comparison| found.topology == topology && found.case == case && found.metric == metric;
    analysis.comparisons.iter().find(wanted).expect("the comparison exists")
}

/// The point and the number of blocks of a median.
fn point(summary: &Summary) -> (f64, usize) {
    match summary {
        Summary::Median { estimate, .. } => (estimate.point, estimate.n),
        other => panic!("not a median: {other:?}"),
    }
}

/// Six blocks of two arms, with these factors between them; the baseline's jobs take 400, 410, ... 450.
fn two_arms(factors: [f64; 6]) -> Run {
    let mut run = Run::new(&[SOCKET, DIND]);
    for (index, factor) in (1..).zip(factors) {
        let base = 390 + 10 * u64::from(index);
        run.job("socket", block(index), [50, base - 100, 50]);
        let other = (base as f64 * factor).round() as u64;
        run.job("dind", block(index), [60, other - 120, 60]);
    }
    run
}

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
    assert_eq!((ratio.n, found.pairs.len(), interval.coverage), (6, 6, 0.968_75));
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
    assert_eq!((ratio.interval, found.pairs.len(), found.verdict), (None, 1, None));
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
fn a_run_without_rows_is_empty() {
    let analysis = Run::new(&[SOCKET, DIND]).analyse();
    assert_eq!((analysis.blocks, analysis.cells.len(), analysis.points.len(), analysis.arms.len()), (0, 0, 0, 2));
}

#[test]
fn the_warm_up_is_seen_but_not_counted() {
    let mut run = two_arms([2.0; 6]);
    let measured = run.clone().analyse();
    run.job("socket", block(0), [9_000, 9_000, 9_000]);
    fail(&mut run.job("dind", block(0), [1, 1, 1])[1], Status::Failed);
    let analysis = run.analyse();
    assert_eq!((&analysis.cells, &analysis.comparisons), (&measured.cells, &measured.comparisons));
    assert_eq!(analysis.blocks, 6);
    let warm: Vec<_> = analysis.points.iter().filter(|point| point.warmup).map(|point| point.value).collect();
    assert_eq!(warm, [27_000.0, 9_000.0, 9_000.0, 9_000.0, 1.0, 1.0]);
    let [failure] = analysis.failures.as_slice() else { panic!("{:?}", analysis.failures) };
    assert_eq!((failure.count, failure.share.n), (1, 7), "the warm-up is a start like any other");
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
    assert_eq!((found.pairs.len(), found.ratio, found.difference, found.verdict), (0, None, None, None));
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
    assert_eq!((found.pairs.len(), found.ratio.unwrap().n, found.verdict), (5, 5, None));
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
    assert!(analysis.points.iter().all(|point| point.block == 1));
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
    run.job("socket", At { job: 2, edit: Edit::None, ..block(2) }, [0, 40, 0]);
    let analysis = run.analyse();
    let Summary::Median { estimate, min, max, .. } = elapsed(&analysis, 0, &job_after(Edit::None)) else { panic!() };
    assert_eq!((estimate.n, *min, *max), (2, 30.0, 40.0));
}

#[test]
fn jobs_at_once_last_until_the_slowest_has_ended() {
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
    assert_eq!((of(0).concurrency, of(0).makespan.point, of(0).slowdown), (1, 1_000.0, None));
    assert_eq!((of(1).concurrency, of(1).makespan.point, of(1).makespan.n), (2, 2_000.0, 6));
    assert_eq!((of(1).evenness.point, of(1).slowdown.unwrap().point), (0.75, 1.75));
}

/// Jobs of two topologies: the second begins slower, pulls less and leaves as much.
fn slow_starter(slower: u64, later: u64) -> Choices {
    let mut run = Run::new(&[SOCKET, DIND]);
    for number in 1..=3 {
        for (topology, times, bytes) in [("socket", [100, 100, 100], 50), ("dind", [slower, later, later], 10)] {
            for (job, elapsed) in (1..).zip(times) {
                let at = At { job, edit: if job == 1 { Edit::First } else { Edit::None }, ..block(number) };
                for row in run.job(topology, at, [0, elapsed, 0]) {
                    (row.bytes_pulled, row.disk_bytes) = (Some(bytes), Some(1_000));
                }
            }
        }
    }
    Choices::of(&run.analyse())
}

#[test]
fn a_choice_has_means_over_the_sequence_and_who_is_better_in_all() {
    let choices = slow_starter(160, 40);
    let [socket, dind] = choices.list.as_slice() else { panic!() };
    let times = [socket, dind].map(|one| one.elapsed_ns.map(|time| (time.point, time.n)));
    assert_eq!(times, [Some((100.0, 3)), Some((80.0, 3))]);
    assert_eq!((socket.bytes_pulled, dind.bytes_pulled, dind.disk_bytes), (Some(150.0), Some(30.0), Some(1_000.0)));
    assert_eq!((socket.beaten_by, dind.beaten_by), (Some(1), None));
    // Slower and with fewer bytes: neither is better in all. Within the margin there is no difference.
    let choices = slow_starter(160, 100);
    assert_eq!(choices.list.iter().map(|one| one.beaten_by).collect::<Vec<_>>(), [None, None]);
    assert_eq!(slow_starter(104, 104).list[0].beaten_by, Some(1));
}

#[test]
fn a_slow_beginning_pays_off_where_the_sums_cross() {
    let choices = slow_starter(160, 40);
    assert_eq!((choices.overtakes(1, 0), choices.overtakes(0, 1)), (Some(3), None), "160 and 200 against 100 and 200");
    assert_eq!(slow_starter(90, 90).overtakes(1, 0), None, "it was ahead from the first");
    assert_eq!(slow_starter(400, 40).overtakes(1, 0), None, "not within the sequence");
}

#[test]
fn a_run_of_one_job_at_a_time_has_none_at_once() {
    assert_eq!(two_arms([2.0; 6]).analyse().at_once, []);
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
    let points: Vec<_> = analysis.points.iter().filter(|point| point.metric == Metric::DiskBytes).collect();
    assert_eq!(points.len(), 12);
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

#[test]
fn the_order_of_the_blocks_in_the_file_does_not_matter() {
    let mut run = two_arms([1.5, 3.0, 1.4, 1.6, 2.0, 1.5]);
    let before = run.clone().analyse();
    run.samples.rotate_left(9);
    assert_eq!(run.analyse(), before);
}

#[test]
fn rows_of_another_run_are_refused() {
    let mut run = two_arms([2.0; 6]);
    run.samples[3].topology = "elsewhere".into();
    let error = run.try_analyse().unwrap_err();
    assert!(matches!(&error, AnalyseError::UnknownTopology { name, .. } if name == "elsewhere"), "{error}");

    let mut run = two_arms([2.0; 6]);
    run.record.baseline = "elsewhere".into();
    assert!(matches!(run.try_analyse(), Err(AnalyseError::UnknownBaseline { .. })));
}

#[test]
fn an_unreadable_row_ends_the_analysis() {
    let run = two_arms([2.0; 6]);
    let broken = || ReadError::Row { path: "samples.csv".into(), line: 8, reason: "broken".into() };
    let samples = run.samples.iter().cloned().map(Ok).chain([Err(broken())]);
    let error = analyse(&run.record, samples, std::iter::empty()).unwrap_err();
    assert_eq!(error.to_string(), "samples.csv, line 8: broken");
}

#[test]
fn a_run_directory_gives_the_same_analysis() {
    let mut run = two_arms([1.5, 3.0, 1.4, 1.6, 2.0, 1.5]);
    run.instruction("dind", block(1), 1, true);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut writer = Writer::create(&path, &run.record).unwrap();
    run.samples.iter().for_each(|row| writer.sample(row).unwrap());
    run.instructions.iter().for_each(|row| writer.instruction(row).unwrap());
    assert_eq!(Analysis::of(&RunDir::open(&path).unwrap()).unwrap(), run.analyse());
}
