//! Small made-up runs, and what an analysis of one says.

use std::collections::BTreeMap;

use dindbench::analysis::{
    AnalyseError, Analysis, CaseKey, Cell, Comparison, Events, Metric, Subject, Summary, analyse,
};
use dindbench::case::{Builder, Driver, Edit, ErrorClass, Op, Status};
use dindbench::record::{ArmRecord, Environment, Event, HostRecord, InstructionRow, PHASE, RunRecord, SCHEMA, Sample};
use time::OffsetDateTime;

pub const SOCKET: (&str, &str, &str) = ("socket", "socket", "");

pub const KEPT: (&str, &str, &str) = ("kept", "dind", "lifecycle=keep storage_driver=auto");

pub const DIND: (&str, &str, &str) = ("dind", "dind", "lifecycle=recreate storage_driver=auto");

/// A run in the making. Its jobs have the steps start, build `app`, stop.
#[derive(Clone)]
pub struct Run {
    pub record: RunRecord,
    pub samples: Vec<Sample>,
    pub instructions: Vec<InstructionRow>,
    pub phases: Option<Vec<Event>>,
}

/// Where a job is, in its topology.
#[derive(Clone, Copy)]
pub struct At {
    pub block: u32,
    pub attempt: u32,
    pub job: u32,
    pub edit: Edit,
}

pub fn block(block: u32) -> At {
    At { block, attempt: 1, job: 1, edit: Edit::First }
}

impl Run {
    /// The first arm is the baseline.
    pub fn new(arms: &[(&str, &str, &str)]) -> Self {
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
        Self { record, samples: Vec::new(), instructions: Vec::new(), phases: None }
    }

    /// Adds a job whose steps took `elapsed`, and gives its rows for change.
    pub fn job(&mut self, topology: &str, at: At, elapsed: [u64; 3]) -> &mut [Sample] {
        let steps = [(Op::Start, "start"), (Op::Build, "app"), (Op::Stop, "stop")];
        let rows = steps.into_iter().zip(elapsed).map(|((op, step), elapsed)| sample(topology, at, op, step, elapsed));
        self.samples.extend(rows);
        let first = self.samples.len() - 3;
        &mut self.samples[first..]
    }

    pub fn instruction(&mut self, topology: &str, at: At, index: u32, cached: bool) {
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

    /// Adds the parts of a job's start, each with the time at which it ended.
    pub fn phases(&mut self, topology: &str, at: At, ends: &[(&str, u64)]) {
        let event = |(name, at_ns): &(&str, u64)| Event {
            schema: SCHEMA,
            block: at.block,
            topology: topology.into(),
            attempt: at.attempt,
            worker: 0,
            job: at.job,
            step: "start".into(),
            at_ns: *at_ns,
            source: PHASE.into(),
            text: (*name).into(),
        };
        self.phases.get_or_insert_default().extend(ends.iter().map(event));
    }

    pub fn try_analyse(self) -> Result<Analysis, AnalyseError> {
        let phases = self.phases.map(|phases| Box::new(phases.into_iter().map(Ok)) as Events);
        analyse(&self.record, self.samples.into_iter().map(Ok), self.instructions.into_iter().map(Ok), phases)
    }

    pub fn analyse(self) -> Analysis {
        self.try_analyse().unwrap()
    }
}

pub fn environment() -> Environment {
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

pub fn sample(topology: &str, at: At, op: Op, step: &str, elapsed: u64) -> Sample {
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

pub fn fail(row: &mut Sample, status: Status) {
    row.status = status;
    row.error_class = Some(ErrorClass::CommandFailed);
    row.error = "exit code 1\nin RUN".into();
}

pub fn job_after(edit: Edit) -> CaseKey {
    CaseKey { subject: Subject::Job, edit }
}

pub fn step(op: Op, name: &str) -> CaseKey {
    CaseKey { subject: Subject::Step { op, name: name.into() }, edit: Edit::First }
}

pub fn cell<'a>(analysis: &'a Analysis, topology: usize, case: &CaseKey, metric: Metric) -> Option<&'a Cell> {
    analysis.cells.iter().find(|cell| cell.topology == topology && cell.case == *case && cell.metric == metric)
}

pub fn elapsed<'a>(analysis: &'a Analysis, topology: usize, case: &CaseKey) -> &'a Summary {
    &cell(analysis, topology, case, Metric::ElapsedNs).expect("the cell exists").summary
}

pub fn comparison(analysis: &Analysis, topology: usize, metric: Metric) -> &Comparison {
    let case = job_after(Edit::First);
    let wanted = |found: &&Comparison| found.topology == topology && found.case == case && found.metric == metric;
    analysis.comparisons.iter().find(wanted).expect("the comparison exists")
}

/// The point and the number of blocks of a median.
pub fn point(summary: &Summary) -> (f64, usize) {
    match summary {
        Summary::Median { estimate, .. } => (estimate.point, estimate.n),
        other => panic!("not a median: {other:?}"),
    }
}

/// Six blocks of two arms, with these factors between them; the baseline's jobs take 400, 410, ... 450.
pub fn two_arms(factors: [f64; 6]) -> Run {
    let mut run = Run::new(&[SOCKET, DIND]);
    for (index, factor) in (1..).zip(factors) {
        let base = 390 + 10 * u64::from(index);
        run.job("socket", block(index), [50, base - 100, 50]);
        let other = (base as f64 * factor).round() as u64;
        run.job("dind", block(index), [60, other - 120, 60]);
    }
    run
}
