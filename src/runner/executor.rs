//! The one seam of the project: what a runner needs of whatever executes its trials. Docker is one executor; the tests
//! have another that follows a script.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use crate::case::{Disturbance, Edit};
use crate::probe::Delta;
use crate::workload::{Fault, Outcome};

/// Which trial: its place in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// 0 is the warm-up.
    pub block: u32,
    pub warmup: bool,
    /// Place within the block, from 0.
    pub position: u32,
    /// Index into the scenario's topologies.
    pub topology: usize,
    /// From 1.
    pub attempt: u32,
}

/// A part of a job: one row of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Start,
    /// Index of the step in the job.
    Step(usize),
    Stop,
}

/// Which job of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobSlot {
    /// Which of several jobs at once, from 0.
    pub worker: u32,
    /// From 1.
    pub job: u32,
    /// What changed before it.
    pub edit: Edit,
}

/// What was measured of one part of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub outcome: Outcome,
    pub delta: Delta,
    /// Empty where the engine did not live to tell.
    pub engine: EngineFacts,
}

/// What the engine that a job talks to says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineFacts {
    pub version: String,
    pub storage_driver: String,
    pub backing_fs: String,
}

/// A provided environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    pub setup: Duration,
}

/// A removed environment, and how quiet the machine was over the trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    pub teardown: Duration,
    /// Records of the build cache on the user's own engine that are left there, because another build may have made them.
    pub unclear_records: usize,
    pub psi_cpu_ns: Option<u64>,
    pub psi_io_ns: Option<u64>,
    pub psi_memory_ns: Option<u64>,
    pub steal_ns: Option<u64>,
}

/// Executes the trials of a run, one at a time; jobs at once are parts under way at the same time. Any future may be
/// dropped half-way when the run is interrupted; then `close` follows.
pub trait Executor {
    /// Begins a block: notes who else works on the machine, and tells how long a fixed piece of work takes.
    fn begin_block(&mut self) -> impl Future<Output = Result<Duration, Fault>>;

    /// What disturbs the machine, after a look of a second.
    fn disturbances(&self) -> impl Future<Output = Result<BTreeSet<Disturbance>, Fault>>;

    /// Provides the environment of a trial.
    fn open(&mut self, slot: &Slot) -> impl Future<Output = Result<Opened, Fault>>;

    /// Does one part of a job.
    fn part(&self, job: JobSlot, part: Part) -> impl Future<Output = Measured>;

    /// Whether the outer engine has ended, so that no further job can run in this trial.
    fn dead(&self) -> impl Future<Output = bool>;

    /// Removes the environment, whole or half-made.
    fn close(&mut self) -> impl Future<Output = Result<Closed, Fault>>;
}
