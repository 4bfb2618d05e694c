//! The rows of samples.csv and the totals of jobs, reduced to what statistics need.

use std::collections::{BTreeMap, BTreeSet};

use super::disturbed::Disturbed;
use super::failure::Failures;
use super::metric::Measures;
use super::steps::Steps;
use super::{AnalyseError, Arm, Failure, Points, attempt, job, point};
use crate::case::{Edit, ErrorClass, Op, Status};
use crate::record::{Observation, RunRecord};

/// One step of one job, or a whole job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub job: JobKey,
    /// A number of `Steps`.
    pub subject: u32,
    pub edit: Edit,
    /// Place of the trial within its block, from 0.
    pub position: u32,
    pub warmup: bool,
    /// Whether the machine was disturbed when the trial began.
    pub flagged: bool,
    /// Whether it did its work, and so left behind what a step leaves that is well. One that broke an expectation did.
    pub did_its_work: bool,
    pub standing: Standing,
    pub measures: Measures,
}

/// One job of one attempt of a trial. The order is that of a sequence within a topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JobKey {
    pub topology: u32,
    pub block: u32,
    pub attempt: u32,
    pub worker: u32,
    pub number: u32,
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its status, until the attempts of its trial are known: nothing counts before.
    Met(Status),
    Usable,
    /// It failed, timed out, or is of an invalid attempt: it is counted and enters no statistic.
    Excluded,
    /// Another attempt of its trial counts.
    Superseded,
}

impl JobKey {
    /// Topology and block.
    pub fn trial(self) -> (u32, u32) {
        (self.topology, self.block)
    }

    fn twice(self, run: &RunRecord, arm: &Arm) -> AnalyseError {
        let Self { block, attempt, worker, number: job, .. } = self;
        AnalyseError::Twice { run_id: run.run_id.clone(), block, topology: arm.name.clone(), attempt, worker, job }
    }
}

impl Row {
    /// Usable, and not of the warm-up.
    pub fn counts(&self) -> bool {
        self.standing == Standing::Usable && !self.warmup
    }
}

/// All rows of a run, with what was met while reading them.
#[derive(Debug)]
pub(super) struct Table {
    /// Of steps, by topology; by job and step once they are settled. Each topology's come in about that order, so that sorting
    /// them is little more than a look at them.
    pub rows: Vec<Vec<Row>>,
    /// Totals of jobs, by job.
    pub jobs: Vec<Row>,
    pub steps: Steps,
    pub arms: Vec<Arm>,
    failures: Failures,
    pub disturbed: Disturbed,
    /// The last row of each worker: several of them write by turns.
    last: BTreeMap<u32, (JobKey, u32)>,
}

impl Table {
    pub fn new(run: &RunRecord) -> Self {
        Self {
            rows: vec![Vec::new(); run.arms.len()],
            jobs: Vec::new(),
            steps: Steps::new(),
            arms: run.arms.iter().map(Arm::new).collect(),
            failures: Failures::default(),
            disturbed: Disturbed::default(),
            last: BTreeMap::new(),
        }
    }

    /// Adds the next row of the run.
    ///
    /// # Errors
    /// It is not of this run.
    pub fn add(&mut self, run: &RunRecord, row: &Observation) -> Result<(), AnalyseError> {
        let job = job_of(run, row)?;
        let previous = self.last.get(&job.worker).filter(|(same, _)| *same == job);
        let subject = self.steps.number(row.op, &row.step, previous.map_or(Steps::JOB, |(_, step)| *step));
        self.last.insert(job.worker, (job, subject));
        self.arms[job.topology as usize].observe(row);
        self.failures.count(job.topology as usize, row);
        if !row.warmup {
            self.disturbed.note(&job, &row.flags);
        }
        self.rows[job.topology as usize].push(Row {
            job,
            subject,
            edit: row.edit,
            position: row.position,
            warmup: row.warmup,
            flagged: !row.flags.is_empty(),
            did_its_work: matches!(row.status, Status::Ok | Status::Invalid)
                || row.error_class == Some(ErrorClass::Expectation),
            standing: Standing::Met(row.status),
            measures: Measures::of_sample(row),
        });
        Ok(())
    }

    /// Sorts the rows by job and step, decides which count, and adds the totals of jobs.
    ///
    /// # Errors
    /// A step has two rows.
    pub fn settle(&mut self, run: &RunRecord) -> Result<(), AnalyseError> {
        for (rows, arm) in self.rows.iter_mut().zip(&self.arms) {
            rows.sort_by_key(|row| (row.job, self.steps.rank(row.subject)));
            if let Some(twice) = rows.array_windows().find(|[a, b]| (a.job, a.subject) == (b.job, b.subject)) {
                return Err(twice[0].job.twice(run, arm));
            }
            attempt::settle(rows);
            self.jobs.extend(job::totals(rows, &self.steps));
        }
        Ok(())
    }

    /// The row of a step, if it counts. The rows are settled.
    pub fn find(&self, job: JobKey, op: Op, step: &str) -> Option<&Row> {
        let place = (job, self.steps.rank(self.steps.find(op, step)?));
        let rows = &self.rows[job.topology as usize];
        let found = rows.binary_search_by_key(&place, |row| (row.job, self.steps.rank(row.subject))).ok()?;
        Some(&rows[found]).filter(|row| row.counts())
    }

    pub fn measured_blocks(&self) -> usize {
        let trials = self.rows.iter().flat_map(|rows| rows.chunk_by(|a, b| a.job.block == b.job.block));
        let counted = trials.filter(|trial| trial.iter().any(Row::counts));
        counted.map(|trial| trial[0].job.block).collect::<BTreeSet<_>>().len()
    }

    /// The jobs that have a row that counts, each with the edit before it.
    pub fn sequence(&self) -> BTreeMap<u32, Edit> {
        let jobs = self.rows.iter().flat_map(|rows| rows.chunk_by(|a, b| a.job == b.job));
        let mut sequence = BTreeMap::new();
        for row in jobs.filter_map(|job| job.iter().find(|row| row.counts())) {
            sequence.insert(row.job.number, row.edit);
        }
        sequence
    }

    pub fn into_points(self) -> (Points, Vec<Arm>, Vec<Failure>) {
        let points = point::points(self.rows, &self.jobs, &self.steps);
        (points, self.arms, self.failures.into_list())
    }
}

/// Index of the topology that a row names.
///
/// # Errors
/// The run has no such topology.
pub(super) fn topology(run: &RunRecord, name: &str) -> Result<u32, AnalyseError> {
    let index = run.arms.iter().position(|arm| arm.name == name);
    index
        .map(|index| index as u32)
        .ok_or_else(|| AnalyseError::UnknownTopology { run_id: run.run_id.clone(), name: name.to_owned() })
}

fn job_of(run: &RunRecord, sample: &Observation) -> Result<JobKey, AnalyseError> {
    Ok(JobKey {
        topology: topology(run, &sample.topology)?,
        block: sample.block,
        attempt: sample.attempt,
        worker: sample.worker,
        number: sample.job,
    })
}
