//! From rows to estimates and comparisons: pure, and the same for report, adaptive runner and claims.
//!
//! Which rows enter a statistic:
//! - Of several attempts of a trial the last one counts whose rows are all `ok`; if there is none, the last one
//!   without an `invalid` row. Other attempts are superseded.
//! - An `invalid` row excludes all rows of its attempt: the trial did not run under the conditions it was meant for.
//! - A `failed` or `timeout` row excludes itself and the total of its job. Other steps of the trial count.
//! - A job has a total only if it has every step of the run's jobs, `start` and `stop` among them: a run that was
//!   interrupted leaves a job without one.
//! - The warm-up block is in `points`, `failures` and `expectations`, and in nothing else.
//!
//! One pass over the rows; each takes 128 bytes, and then 32 as a point.

mod arm;
mod at_once;
mod attempt;
mod cell;
mod change;
mod choice;
mod comparison;
mod contrast;
mod control;
mod course;
mod deviation;
mod disturbed;
mod expectation;
mod failure;
mod job;
mod ledger;
mod metric;
mod multiplicity;
mod order;
mod paired;
mod phase;
mod point;
mod pool;
mod row;
mod steps;
mod storage;
mod trial;

pub use arm::{Arm, Fallback};
pub use at_once::AtOnce;
pub use cell::{Cell, Summary};
pub use change::{Change, Changes, Undecidable, changes};
pub use choice::{Axis, Choice, Choices, NEGLIGIBLE_BYTES};
pub use comparison::{Comparison, Undisturbed, Verdict};
pub use contrast::Contrast;
pub use control::{SelfCheck, self_checks, together};
pub use course::{Course, drifting};
pub use deviation::{Deviation, conditions, scenarios};
pub use disturbed::{MOST_STEAL, Stolen, stolen};
pub use expectation::{Checked, Found};
pub use failure::Failure;
pub use ledger::LedgerCell;
pub use metric::Metric;
pub use phase::Phase;
pub use point::{Point, Points};
pub use pool::{HostRatio, Pool, PoolCase, Setup, pools};
pub use storage::{Storage, storage_grid};
pub use trial::TrialTimes;

use std::collections::BTreeMap;
use std::thread;

use self::expectation::Expectations;
use self::ledger::Ledger;
use self::row::Table;
use crate::case::{Edit, Op};
use crate::record::{
    Event, Instruction, InstructionRow, Instructions, Observation, ReadError, RunDir, RunRecord, Sample,
};
use crate::stats::{Estimate, half_width};

/// What a run's rows say. Topologies are indices into `arms`, which keep the scenario's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    pub arms: Vec<Arm>,
    /// Index of the baseline topology.
    pub baseline: usize,
    /// Measured blocks that gave at least one usable sample.
    pub blocks: usize,
    /// One per topology, case and metric that has data or a failure. By subject (the whole job, then its steps in
    /// their order), edit, topology and metric.
    pub cells: Vec<Cell>,
    /// Every topology against the baseline, and the contrasts of lifecycle, wherever both have a cell. By subject,
    /// edit, pair of topologies and metric.
    pub comparisons: Vec<Comparison>,
    /// The sequence: each job of which a measured block has a usable sample, and the edit before it.
    pub jobs: BTreeMap<u32, Edit>,
    /// Every usable sample, for plots.
    pub points: Points,
    /// By topology, job, step and instruction.
    pub ledger: Vec<LedgerCell>,
    /// By topology, in the order in which they end; empty where the run's events are not at hand.
    pub phases: Option<Vec<Phase>>,
    /// By edit and topology; nothing where no topology has several jobs at once.
    pub at_once: Vec<AtOnce>,
    /// The time of a block's first trial against its second, each as a part of the median of its topology in other places; empty
    /// where too few topologies stood in several.
    pub order: Option<Estimate>,
    /// Trials of measured blocks by what disturbed the machine when they began, a word of `flags` in samples.csv.
    pub disturbed: BTreeMap<String, usize>,
    /// By topology, op and class.
    pub failures: Vec<Failure>,
    /// In the scenario's order.
    pub expectations: Vec<Checked>,
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

/// A run that cannot be analysed.
#[derive(Debug, thiserror::Error)]
pub enum AnalyseError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(
        "run {run_id}: a row names the topology {name:?}, which run.toml does not list: rows and run.toml are of different runs"
    )]
    UnknownTopology { run_id: String, name: String },
    #[error(
        "run {run_id}: the baseline {name:?} is not among the topologies that run.toml lists: set `baseline` to one of them"
    )]
    UnknownBaseline { run_id: String, name: String },
    #[error(
        "run {run_id}: two rows are of block {block}, topology {topology:?}, attempt {attempt}, worker {worker}, job {job} and the \
         same step: samples.csv has a part twice"
    )]
    Twice { run_id: String, block: u32, topology: String, attempt: u32, worker: u32, job: u32 },
    #[error("run {run_id}: the expectations of the scenario_text in run.toml cannot be read: {reason}")]
    Scenario { run_id: String, reason: String },
}

impl Analysis {
    /// How closely the least known ratio of whole jobs is known; empty where one has no interval.
    pub fn half_width(&self) -> Option<f64> {
        let jobs = self.comparisons.iter().filter(|one| one.of_jobs());
        let ratios: Option<Vec<_>> = jobs.map(|one| one.ratio.as_ref()).collect();
        half_width(ratios?)
    }

    /// Reads and analyses a run directory.
    ///
    /// # Errors
    /// A file that cannot be read, or rows that are not of this run.
    pub fn of(run: &RunDir) -> Result<Self, AnalyseError> {
        let (mut reading, mut rows) = (Reading::begin(run.record())?, run.observations()?);
        while let Some(row) = rows.read()? {
            reading.add(&row)?;
        }
        let settled = reading.settle()?;
        // Neither needs the other, and together they are most of what is left to do.
        let (ledger, compared) = thread::scope(|scope| {
            let ledger = scope.spawn(|| settled.ledger(run.executed()?));
            let compared = settled.compared();
            (ledger.join().expect("reading does not panic"), compared)
        });
        settled.end(ledger?, compared, run.phases()?.map(|phases| Box::new(phases) as Events))
    }
}

/// Events that are parts of steps.
pub type Events = Box<dyn Iterator<Item = Result<Event, ReadError>>>;

/// Analyses the rows of one run, in any order but that of the events of one job.
///
/// # Errors
/// The first row that cannot be read, or one that is not of this run.
pub fn analyse(
    run: &RunRecord,
    samples: impl Iterator<Item = Result<Sample, ReadError>>,
    instructions: impl Iterator<Item = Result<InstructionRow, ReadError>>,
    phases: Option<Events>,
) -> Result<Analysis, AnalyseError> {
    let mut reading = Reading::begin(run)?;
    for sample in samples {
        reading.add(&Observation::from(&sample?))?;
    }
    let (settled, mut ledger) = (reading.settle()?, Ledger::default());
    for instruction in instructions {
        ledger.add(run, &settled.table, &Instruction::from(&instruction?))?;
    }
    let compared = settled.compared();
    settled.end(ledger, compared, phases)
}

/// What is known of a run while its rows are read.
struct Reading<'a> {
    run: &'a RunRecord,
    baseline: usize,
    expectations: Expectations,
    table: Table,
}

impl<'a> Reading<'a> {
    fn begin(run: &'a RunRecord) -> Result<Self, AnalyseError> {
        let baseline = run
            .arms
            .iter()
            .position(|arm| arm.name == run.baseline)
            .ok_or_else(|| AnalyseError::UnknownBaseline { run_id: run.run_id.clone(), name: run.baseline.clone() })?;
        Ok(Self { run, baseline, expectations: Expectations::of(run)?, table: Table::new(run) })
    }

    fn add(&mut self, row: &Observation) -> Result<(), AnalyseError> {
        self.expectations.observe(row);
        self.table.add(self.run, row)
    }

    fn settle(mut self) -> Result<Settled<'a>, AnalyseError> {
        self.table.settle(self.run)?;
        let Self { run, baseline, expectations, table } = self;
        Ok(Settled { run, baseline, expectations, table })
    }
}

/// What is known of a run whose samples were read.
struct Settled<'a> {
    run: &'a RunRecord,
    baseline: usize,
    expectations: Expectations,
    table: Table,
}

impl Settled<'_> {
    fn ledger(&self, mut rows: Instructions) -> Result<Ledger, AnalyseError> {
        let mut ledger = Ledger::default();
        while let Some(row) = rows.read()? {
            ledger.add(self.run, &self.table, &row)?;
        }
        Ok(ledger)
    }

    fn compared(&self) -> (Vec<Cell>, Vec<Comparison>) {
        comparison::cells_and_comparisons(&self.table, self.baseline)
    }

    fn end(
        self,
        ledger: Ledger,
        (cells, comparisons): (Vec<Cell>, Vec<Comparison>),
        phases: Option<Events>,
    ) -> Result<Analysis, AnalyseError> {
        let Self { run, baseline, expectations, mut table } = self;
        let phases = phases.map(|phases| phase::phases(run, &table, phases)).transpose()?;
        let at_once = at_once::at_once(&table);
        let (order, disturbed) = (order::order(&table.jobs), std::mem::take(&mut table.disturbed).into_counts());
        let (blocks, jobs) = (table.measured_blocks(), table.sequence());
        let (points, arms, failures) = table.into_points();
        Ok(Analysis {
            arms,
            baseline,
            blocks,
            cells,
            comparisons,
            jobs,
            points,
            ledger: ledger.into_list(),
            phases,
            at_once,
            order,
            disturbed,
            failures,
            expectations: expectations.into_list(run),
        })
    }
}
