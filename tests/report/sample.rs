//! A made-up run with realistic values: the analysis that the tests report on.

use std::collections::BTreeMap;

use dindbench::analysis::{
    Analysis, Arm, CaseKey, Cell, Comparison, Contrast, Failure, LedgerCell, Metric, Point, Points, Subject, Summary,
    Verdict,
};
use dindbench::case::{Builder, Driver, Edit, ErrorClass, Op, Status};
use dindbench::record::{ArmRecord, EngineRecord, Environment, HostRecord, ImageRecord, RunRecord, Text, TrialRow};
use dindbench::stats::{Estimate, Interval, Level, Outliers, proportion};
use time::Duration;
use time::macros::datetime;

const MS: f64 = 1e6;
const MB: f64 = 1e6;

/// Edits before jobs 1, 2, ...
pub const EDITS: [Edit; 6] = [Edit::First, Edit::None, Edit::Source, Edit::None, Edit::Source, Edit::None];

const INSTRUCTIONS: [&str; 6] = [
    "RUN apt-get update && apt-get install --yes --no-install-recommends build-essential pkg-config libssl-dev",
    "WORKDIR /app",
    "COPY package.json package-lock.json ./",
    "RUN npm ci",
    "COPY . .",
    "RUN npm run build -- --mode \"production\" && echo '<done>'",
];

/// How a topology of the sample behaves.
#[derive(Clone)]
pub struct Behaviour {
    pub name: &'static str,
    /// Factor on every time.
    pub nesting: f64,
    /// Whether the cache is gone after each job.
    pub forgets: bool,
    /// Whether every job fails.
    pub fails: bool,
}

pub fn socket() -> Behaviour {
    Behaviour { name: "socket", nesting: 1.0, forgets: false, fails: false }
}

pub fn kept() -> Behaviour {
    Behaviour { name: "dind-kept", nesting: 1.08, forgets: false, fails: false }
}

pub fn recreated() -> Behaviour {
    Behaviour { name: "dind", nesting: 1.08, forgets: true, fails: false }
}

pub fn failing(name: &'static str) -> Behaviour {
    Behaviour { name, nesting: 1.0, forgets: true, fails: true }
}

/// The analysis of `blocks` blocks, with the contrasts given as (contrast, topology, reference).
pub fn analysis(behaviours: &[Behaviour], blocks: u32, contrasts: &[(Contrast, usize, usize)]) -> Analysis {
    let points = points(behaviours, blocks);
    let cells = cells(behaviours, &points);
    let comparisons = contrasts.iter().flat_map(|contrast| comparisons(&points, *contrast)).collect();
    Analysis {
        arms: behaviours.iter().map(arm).collect(),
        baseline: 0,
        blocks: blocks as usize,
        cells,
        comparisons,
        jobs: points.values().flatten().filter(|point| !point.warmup).map(|point| (point.job, point.edit)).collect(),
        ledger: ledger(behaviours, blocks),
        phases: None,
        at_once: Vec::new(),
        order: None,
        disturbed: BTreeMap::new(),
        failures: failures(behaviours, blocks),
        expectations: Vec::new(),
        points,
    }
}

/// The usual three: socket, kept dind, recreated dind.
pub fn three(blocks: u32) -> Analysis {
    analysis(
        &[socket(), kept(), recreated()],
        blocks,
        &[(Contrast::Nesting, 1, 0), (Contrast::Lifecycle, 2, 1), (Contrast::Whole, 2, 0)],
    )
}

fn arm(behaviour: &Behaviour) -> Arm {
    let (kind, parameters) =
        if behaviour.name.starts_with("dind") { ("dind", "storage_driver=overlay2") } else { ("socket", "") };
    Arm {
        name: behaviour.name.to_owned(),
        kind: kind.to_owned(),
        parameters: parameters.to_owned(),
        storage_drivers: vec!["overlay2".to_owned()],
        engines: vec!["28.5.1".to_owned()],
        builders: vec!["buildkit".to_owned()],
    }
}

/// From -1 to 1, the same on every machine.
pub fn noise<const N: usize>(parts: [u32; N]) -> f64 {
    let mixed = parts.iter().fold(0x9e37_79b9u32, |hash, part| (hash ^ part).wrapping_mul(0x85eb_ca6b).rotate_left(13));
    f64::from(mixed % 20_001) / 10_000.0 - 1.0
}

fn points(behaviours: &[Behaviour], blocks: u32) -> Points {
    let mut points = Points::new();
    for block in 0..=blocks {
        for (topology, behaviour) in behaviours.iter().enumerate().filter(|(_, behaviour)| !behaviour.fails) {
            for (job, edit) in (1..).zip(EDITS) {
                let cold = behaviour.forgets || edit == Edit::First;
                let wobble = 1.0 + 0.03 * noise([block, topology as u32, job]) + 0.02 * noise([block, 7, 7]);
                let start = (if behaviour.name == "socket" {
                    310.0
                } else if behaviour.forgets {
                    1180.0
                } else {
                    420.0
                }) * MS;
                let work = match (cold, edit) {
                    (true, _) => 5400.0 * MS,
                    (false, Edit::Source) => 1650.0 * MS,
                    (false, _) => 980.0 * MS,
                };
                let pulled = if cold { 62_417_338.0 } else { 0.0 };
                let disk =
                    1180.0 * MB + if behaviour.forgets { 6.0 * MB } else { (190.0 + 14.0 * f64::from(job)) * MB };
                let mut add = |subject: Subject, metric: Metric, value: f64| {
                    let of_subject = points.entry((subject, metric)).or_default();
                    of_subject.push(Point { topology, block, warmup: block == 0, job, edit, value });
                };
                let build = Subject::Step { op: Op::Build, name: "app".to_owned() };
                let start_step = Subject::Step { op: Op::Start, name: "start".to_owned() };
                add(start_step, Metric::ElapsedNs, start * wobble);
                add(build, Metric::ElapsedNs, work * behaviour.nesting * wobble);
                add(Subject::Job, Metric::ElapsedNs, (start + work * behaviour.nesting) * wobble);
                add(Subject::Job, Metric::BytesPulled, pulled);
                add(Subject::Job, Metric::DiskBytes, disk * (1.0 + 0.004 * noise([block, job, 3])));
            }
        }
    }
    points.values_mut().for_each(|points| points.sort_by_key(|point| (point.topology, point.block, point.job)));
    points
}

/// The values of one case by block, several jobs of a block averaged.
fn by_block(points: &Points, topology: usize, case: &CaseKey, metric: Metric) -> BTreeMap<u32, f64> {
    let mut sums: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for point in points
        .get(&(case.subject.clone(), metric))
        .into_iter()
        .flatten()
        .filter(|point| !point.warmup && (point.topology, point.edit) == (topology, case.edit))
    {
        let sum = sums.entry(point.block).or_default();
        *sum = (sum.0 + point.value, sum.1 + 1.0);
    }
    sums.into_iter().map(|(block, (sum, count))| (block, sum / count)).collect()
}

fn cells(behaviours: &[Behaviour], points: &Points) -> Vec<Cell> {
    let keys = points.iter().flat_map(|((subject, metric), points)| {
        points.iter().map(|point| (CaseKey { subject: subject.clone(), edit: point.edit }, *metric))
    });
    let mut keys: Vec<(CaseKey, Metric)> = keys.collect();
    // A failed job is a case without a usable sample.
    keys.extend(EDITS.map(|edit| (CaseKey { subject: Subject::Job, edit }, Metric::ElapsedNs)));
    keys.sort();
    keys.dedup();
    let mut cells = Vec::new();
    for (case, metric) in keys {
        for (topology, behaviour) in behaviours.iter().enumerate() {
            let values: Vec<f64> = by_block(points, topology, &case, metric).into_values().collect();
            let excluded = if behaviour.fails { 7 } else { 0 };
            cells.push(Cell { topology, case: case.clone(), metric, summary: summary(values), excluded });
        }
    }
    cells
}

fn summary(mut values: Vec<f64>) -> Summary {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match values.as_slice() {
        [] => Summary::Missing,
        [first, .., last] if first != last => {
            let interval =
                (n >= 6).then(|| Interval { low: *first, high: *last, coverage: 1.0 - 2.0 * 0.5f64.powi(n as i32) });
            Summary::Median {
                estimate: Estimate { point: values[n / 2], interval, n },
                min: *first,
                max: *last,
                mad: (last - first) / 4.0,
                quartiles: (values[n / 4], values[3 * n / 4]),
                outliers: Outliers { mild: 1, severe: 0, far: Some(0) },
            }
        }
        [value, ..] => Summary::Constant { value: *value, n },
    }
}

fn comparisons(points: &Points, (contrast, topology, reference): (Contrast, usize, usize)) -> Vec<Comparison> {
    let build = Subject::Step { op: Op::Build, name: "app".to_owned() };
    let cases = [Subject::Job, build].into_iter().flat_map(|subject| {
        [Edit::First, Edit::None, Edit::Source].map(|edit| CaseKey { subject: subject.clone(), edit })
    });
    cases
        .map(|case| {
            let own = by_block(points, topology, &case, Metric::ElapsedNs);
            let other = by_block(points, reference, &case, Metric::ElapsedNs);
            let pairs: Vec<(f64, f64)> =
                own.iter().filter_map(|(block, value)| Some((*value, *other.get(block)?))).collect();
            let logs: Vec<f64> = pairs.iter().map(|(own, other)| (own / other).ln()).collect();
            let ratio = hodges_lehmann(&logs);
            let verdict = ratio.and_then(|ratio| ratio.interval).map(verdict);
            let metric = Metric::ElapsedNs;
            Comparison {
                contrast,
                topology,
                reference,
                case,
                metric,
                ratio,
                difference: None,
                blocks: pairs.len(),
                pairs,
                verdict,
                q: Some(0.016),
                undisturbed: None,
                course: None,
            }
        })
        .collect()
}

/// The interval is the exact one for 7 pairs: signed-rank sums up to 2 have a probability of 3/128.
fn hodges_lehmann(logs: &[f64]) -> Option<Estimate> {
    let mut walsh: Vec<f64> =
        (0..logs.len()).flat_map(|i| (i..logs.len()).map(move |j| f64::midpoint(logs[i], logs[j]))).collect();
    walsh.sort_by(f64::total_cmp);
    let point = walsh.get(walsh.len() / 2)?.exp();
    let interval = (logs.len() == 7).then(|| Interval {
        low: walsh[2].exp(),
        high: walsh[walsh.len() - 3].exp(),
        coverage: 1.0 - 6.0 / 128.0,
    });
    Some(Estimate { point, interval, n: logs.len() })
}

fn verdict(interval: Interval) -> Verdict {
    if interval.low > 1.0 {
        Verdict::Slower
    } else if interval.high < 1.0 {
        Verdict::Faster
    } else {
        Verdict::Indistinguishable
    }
}

fn ledger(behaviours: &[Behaviour], blocks: u32) -> Vec<LedgerCell> {
    let mut ledger = Vec::new();
    for (topology, behaviour) in behaviours.iter().enumerate().filter(|(_, behaviour)| !behaviour.fails) {
        for (job, edit) in (1..).zip(EDITS) {
            for (instruction, text) in (1..).zip(INSTRUCTIONS) {
                let hit = !behaviour.forgets && (edit == Edit::None || (edit == Edit::Source && instruction < 5));
                // One build of the kept engine lost its cache in a garbage collection.
                let lost = u32::from(topology == 1 && job == 4 && blocks > 1);
                let cached = if hit { blocks - lost } else { 0 };
                let (step, text) = ("app".to_owned(), text.to_owned());
                ledger.push(LedgerCell { topology, step, job, edit, instruction, text, cached, builds: blocks });
            }
        }
    }
    ledger
}

fn failures(behaviours: &[Behaviour], blocks: u32) -> Vec<Failure> {
    let failing = behaviours.iter().enumerate().filter(|(_, behaviour)| behaviour.fails);
    failing
        .map(|(topology, _)| Failure {
            topology,
            op: Op::Start,
            class: ErrorClass::EngineNotReady,
            count: blocks as usize,
            failed: blocks as usize,
            share: proportion(blocks as usize, 3 * blocks as usize, Level::P95).unwrap(),
            example: "the inner engine did not answer within 60 s: failed to mount overlay: invalid argument"
                .to_owned(),
        })
        .collect()
}

pub fn run() -> RunRecord {
    RunRecord {
        schema: 1,
        run_id: "0192f0c1-7b1e-7c3a-9d55-3f2f6c0a1e77".to_owned(),
        host: "builder-3".to_owned(),
        started_at: "2025-03-04T09:30:00Z".to_owned(),
        command_line: ["dindbench", "run", "quick", "--blocks", "7", "--host-label", "builder-3"]
            .map(str::to_owned)
            .to_vec(),
        version: "0.1.0".to_owned(),
        revision: "4c1f9a2".to_owned(),
        lock_digest: Some("sha256:1f0c".to_owned()),
        scenario: "quick".to_owned(),
        scenario_digest: "sha256:8d1e2c51ac3f3d7b0a5f5c4ad0a4b6f0e5a8a3f1c5d0a9b7b2c3d4e5f6a7b8c9".to_owned(),
        question: "What does a CI job pay for its Docker when nothing changed, and when a source file changed?"
            .to_owned(),
        baseline: "socket".to_owned(),
        analysis: "The job builds a small image from six instructions.\n\nEvery topology uses the same engine build."
            .to_owned(),
        seed: 20_250_304,
        blocks: 7,
        precision: None,
        wait_for_quiet_ns: None,
        driver: Driver::Cli,
        builder: Builder::Auto,
        warnings: vec!["The host was not quiet: another container used 12 % of a processor in block 3.".to_owned()],
        unavailable: BTreeMap::from([(
            "io_read_bytes".to_owned(),
            "the io controller is not enabled for this cgroup".to_owned(),
        )]),
        environment: environment(),
        arms: [
            ("socket", "socket", ""),
            ("dind-kept", "dind", "lifecycle=keep"),
            ("dind", "dind", "lifecycle=recreate"),
        ]
        .map(|(name, kind, parameters)| ArmRecord {
            name: name.to_owned(),
            kind: kind.to_owned(),
            parameters: parameters.to_owned(),
        })
        .to_vec(),
        scenario_text: "question = \"What does a CI job pay for its Docker?\"\n\n[[topology]]\nuse = \"socket\"\n"
            .to_owned(),
    }
}

fn environment() -> Environment {
    let engine = EngineRecord {
        version: "28.5.1".to_owned(),
        api_version: "1.51".to_owned(),
        storage_driver: "overlay2".to_owned(),
        backing_fs: "extfs".to_owned(),
        native_overlay_diff: "true".to_owned(),
        cgroup_version: "2".to_owned(),
        mtu: Some(1500),
        containerd: Some("v1.7.28".to_owned()),
        runc: Some("1.3.0".to_owned()),
        buildkit: None,
        rootless: Some(false),
        swarm: Some("active".to_owned()),
        swarm_nodes: Some(3),
        data_root_fs: Some("ext4".to_owned()),
        data_root_options: Some("rw,relatime,discard".to_owned()),
        version_json: "{}".to_owned(),
        info_json: "{}".to_owned(),
    };
    let image = ImageRecord { digest: "sha256:5b0bcabd1ed2".to_owned(), bytes: 217_000_000 };
    Environment {
        host: HostRecord {
            kernel: "6.12.48".to_owned(),
            operating_system: "Debian GNU/Linux 13 (trixie)".to_owned(),
            architecture: "x86_64".to_owned(),
            cpu_model: "AMD EPYC 7B13".to_owned(),
            cpus: 4,
            memory_bytes: 16_777_216_000,
            cgroup_version: "2".to_owned(),
            lsm: "lockdown,capability,apparmor".to_owned(),
            clock_source: "tsc".to_owned(),
            governor: String::new(),
            smt: Some(false),
            virtualised: None,
            swap_bytes: Some(2_147_479_552),
        },
        privilege: "real".to_owned(),
        inner_privilege: Some("real".to_owned()),
        host_kind: "reference".to_owned(),
        registry: "own".to_owned(),
        engines: BTreeMap::from([("outer".to_owned(), engine)]),
        docker_command: Some("Docker version 28.5.1, build e180ab8".to_owned()),
        images: BTreeMap::from([("host-engine".to_owned(), image)]),
        unknown: BTreeMap::from([
            ("host.governor".to_owned(), "the kernel has no file scaling_governor".to_owned()),
            ("engines.outer.buildkit".to_owned(), "docker buildx inspect names none".to_owned()),
        ]),
    }
}

/// One every half minute, a second of which it was waited for.
pub fn trials(analysis: &Analysis) -> Vec<TrialRow> {
    let mut trials = Vec::new();
    for block in 1..=7u32 {
        for (position, arm) in (0u32..).zip(&analysis.arms) {
            trials.push(TrialRow {
                schema: 1,
                run_id: "0192f0c1-7b1e-7c3a-9d55-3f2f6c0a1e77".to_owned(),
                scenario: "quick".to_owned(),
                block,
                warmup: false,
                position,
                topology: Text::from(arm.name.as_str()),
                attempt: 1,
                worker: 0,
                kind: arm.kind.clone(),
                parameters: Text::from(arm.parameters.as_str()),
                data_root: "volume".to_owned(),
                engine: "28.5.1".to_owned(),
                status: Status::Ok,
                error_class: None,
                error: Text::default(),
                started_at: datetime!(2025-03-04 09:30 UTC) + Duration::seconds(30 * trials.len() as i64),
                setup_ns: Some(800_000_000 + u64::from(block) * 11_000_000),
                teardown_ns: Some(120_000_000),
                psi_cpu_ns: None,
                psi_io_ns: None,
                psi_memory_ns: None,
                steal_ns: None,
                calibration_ns: None,
                waited_ns: Some(1_000_000_000),
            });
        }
    }
    trials
}
