//! From rows to estimates and comparisons: pure, and the same for report, adaptive runner and claims.

use crate::case::{Edit, ErrorClass, Op};
use crate::stats::Estimate;

/// What a run's rows say. Topologies are indices into `arms`, which keep the scenario's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    pub arms: Vec<Arm>,
    /// Index of the baseline topology.
    pub baseline: usize,
    /// Measured blocks that have at least one valid trial.
    pub blocks: usize,
    /// One per topology, case and metric that has data or a failure.
    pub cells: Vec<Cell>,
    /// Every topology against the baseline, and the contrasts of lifecycle.
    pub comparisons: Vec<Comparison>,
    /// Every usable sample, for plots.
    pub points: Vec<Point>,
    pub ledger: Vec<LedgerCell>,
    pub failures: Vec<Failure>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    pub name: String,
    pub kind: String,
    pub parameters: String,
    /// Storage drivers, engine versions, builders that really ran: more than one is worth a warning.
    pub storage_drivers: Vec<String>,
    pub engines: Vec<String>,
    pub builders: Vec<String>,
}

/// What is compared: a step of the job, or the whole job, after an edit. With the topology it is the case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseKey {
    pub subject: Subject,
    pub edit: Edit,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// All steps of a job, start and stop included: what the CI user waits for.
    Job,
    /// One step; `name` as in samples.csv.
    Step { op: Op, name: String },
}

/// A named column of samples.csv; the unit is in its name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display, strum::VariantArray, strum::EnumString,
)]
#[strum(serialize_all = "snake_case")]
pub enum Metric {
    ElapsedNs,
    BytesPulled,
    DiskDeltaBytes,
    DiskBytes,
    CpuNs,
    PeakMemoryBytes,
    IoReadBytes,
    IoWriteBytes,
    InstructionsCached,
}

/// One metric of one case in one topology. Within a block the samples of a case (several jobs with the same edit)
/// are averaged first, so that a block counts once.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    pub topology: usize,
    pub case: CaseKey,
    pub metric: Metric,
    pub summary: Summary,
    /// Samples that failed, timed out or were invalid: they are in no statistic.
    pub excluded: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Summary {
    /// No usable sample.
    Missing,
    /// All `n` values are the same.
    Constant { value: f64, n: usize },
    /// Median with its exact order-statistic interval.
    Median { estimate: Estimate, min: f64, max: f64, mad: f64, quartiles: (f64, f64) },
}

/// A topology against another one, paired within blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub contrast: Contrast,
    pub topology: usize,
    pub reference: usize,
    pub case: CaseKey,
    pub metric: Metric,
    /// `topology / reference`; empty for a metric that can be 0.
    pub ratio: Option<Estimate>,
    /// `topology - reference`, in the metric's unit.
    pub difference: Option<Estimate>,
    /// Blocks in which both have a valid value.
    pub pairs: usize,
    pub verdict: Option<Verdict>,
}

/// Which of the two effects a comparison shows. Only topologies that differ in nothing else are given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Contrast {
    /// An inner engine that is kept, against the outer engine.
    Nesting,
    /// An inner engine thrown away between jobs, against one that is kept.
    Lifecycle,
    /// Against the baseline, with more than one thing different.
    Whole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Verdict {
    Faster,
    Slower,
    /// The 90 % interval lies within the stated margin (two one-sided tests).
    Equivalent,
    /// Neither a difference nor an equivalence is shown.
    Indistinguishable,
}

/// One value along the sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub topology: usize,
    pub block: u32,
    pub warmup: bool,
    pub job: u32,
    pub edit: Edit,
    pub subject: Subject,
    pub metric: Metric,
    pub value: f64,
}

/// How often one instruction was cached in one job, over the measured blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerCell {
    pub topology: usize,
    /// The build's step name.
    pub step: String,
    pub job: u32,
    pub edit: Edit,
    /// From 1.
    pub instruction: u32,
    pub text: String,
    pub cached: u32,
    pub builds: u32,
}

/// Failures of one class in one topology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub topology: usize,
    pub op: Op,
    pub class: ErrorClass,
    pub count: usize,
    /// One of the messages.
    pub example: String,
}
