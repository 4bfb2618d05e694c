//! Made-up run directories of the scenario `quick`, row by row: what `report` and `compare` read.

use std::path::Path;

use dindbench::analysis::Analysis;
use dindbench::case::{Builder, Driver, Edit, Op, Status};
use dindbench::record::{RunDir, RunRecord, SCHEMA, Sample, Text, Writer};
use time::macros::datetime;

use crate::sample;

const MS: f64 = 1e6;

pub const QUICK: &str = include_str!("../../scenarios/quick.toml");

/// A step of every job, and its time in ms where the cache is cold, warm, or holds all but the source.
const STEPS: [(Op, &str, [f64; 3]); 5] = [
    (Op::Start, "start", [310.0, 310.0, 310.0]),
    (Op::Pull, "0", [1700.0, 90.0, 90.0]),
    (Op::Build, "app", [2100.0, 130.0, 780.0]),
    (Op::Run, "2", [400.0, 400.0, 400.0]),
    (Op::Stop, "stop", [110.0, 110.0, 110.0]),
];

/// A run to be made.
#[derive(Clone)]
pub struct Made {
    pub record: RunRecord,
    /// Of the noise.
    pub seed: u32,
    /// Factor on the times of each topology, in the order of the record.
    pub factors: Vec<f64>,
    pub blocks: u32,
}

/// A run of `quick` of ten blocks, with noise of its own.
pub fn made(seed: u32) -> Made {
    let record = RunRecord {
        run_id: format!("20250304-quick-{seed:08x}"),
        scenario_text: QUICK.to_owned(),
        blocks: 10,
        builder: Builder::Classic,
        ..sample::run()
    };
    let factors = vec![1.0; record.arms.len()];
    Made { record, seed, factors, blocks: 10 }
}

impl Made {
    pub fn write(&self, dir: &Path) {
        let mut writer = Writer::create(dir, &self.record).unwrap();
        self.samples().iter().for_each(|sample| writer.sample(sample).unwrap());
        writer.sync().unwrap();
    }

    pub fn analysis(&self) -> Analysis {
        let dir = tempfile::tempdir().unwrap();
        self.write(dir.path());
        Analysis::of(&RunDir::open(dir.path()).unwrap()).unwrap()
    }

    /// The rows; block 0 is the warm-up.
    pub fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        for block in 0..=self.blocks {
            for topology in 0..self.record.arms.len() {
                for (job, edit) in (1..).zip([Edit::First, Edit::None, Edit::Source]) {
                    samples.extend((0..STEPS.len()).map(|step| self.sample(block, topology, (job, edit), step)));
                }
            }
        }
        samples
    }

    fn sample(&self, block: u32, topology: usize, (job, edit): (u32, Edit), step: usize) -> Sample {
        let arm = &self.record.arms[topology];
        let (op, name, times) = STEPS[step];
        let cold = edit == Edit::First || arm.parameters.contains("lifecycle=recreate");
        let time = MS * times[if cold { 0 } else { usize::from(edit == Edit::Source) + 1 }];
        let own = sample::noise([self.seed, block, topology as u32, job, step as u32]);
        let shared = sample::noise([self.seed, block, 99]);
        Sample {
            schema: SCHEMA,
            run_id: self.record.run_id.clone(),
            host: self.record.host.clone(),
            scenario: self.record.scenario.clone(),
            block,
            warmup: block == 0,
            position: topology as u32,
            topology: arm.name.as_str().into(),
            attempt: 1,
            worker: 0,
            lifecycle: None,
            driver: Driver::Cli,
            builder: (op == Op::Build).then_some(Builder::Classic),
            job,
            edit,
            step: name.into(),
            op,
            started_at: datetime!(2025-03-04 09:30 UTC),
            elapsed_ns: Some((time * self.factors[topology] * (1.0 + 0.03 * own + 0.05 * shared)) as u64),
            upload_ns: None,
            export_ns: None,
            status: Status::Ok,
            error_class: None,
            error: Text::default(),
            flags: String::new(),
            instructions_total: (op == Op::Build).then_some(10),
            instructions_cached: (op == Op::Build).then_some(if cold {
                0
            } else if edit == Edit::Source {
                6
            } else {
                10
            }),
            layers_total: None,
            layers_reused: None,
            bytes_pulled: Some(if op == Op::Pull && cold { 62_417_338 } else { 0 }),
            bytes_pushed: Some(0),
            disk_bytes: None,
            disk_delta_bytes: None,
            engine_disk_bytes: None,
            inodes_delta: None,
            volumes_leaked: None,
            cpu_ns: None,
            peak_memory_bytes: None,
            io_read_bytes: None,
            io_write_bytes: None,
            engine_version: "28.5.1".to_owned(),
            storage_driver: "overlay2".to_owned(),
            backing_fs: "extfs".to_owned(),
            image_id: String::new(),
        }
    }
}
