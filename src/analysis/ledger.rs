//! Which instruction was cached in which job, and how often.

use std::collections::BTreeMap;

use super::AnalyseError;
use super::row::{JobKey, Table, topology};
use crate::case::{Edit, Op};
use crate::record::{Instruction, RunRecord};

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
    /// In one line that is safe to show; as the first build had it.
    pub text: String,
    pub cached: u32,
    pub builds: u32,
}

/// What is known of instructions while their rows are read.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By topology, job, step and instruction.
    cells: BTreeMap<(u32, u32, u32, u32), LedgerCell>,
    /// The build whose instruction was read last: those of one build follow one another.
    last: Option<(JobKey, String, Option<Build>)>,
}

/// A build whose own row counts: others have no outcome to speak of.
#[derive(Clone, Copy, Debug)]
struct Build {
    rank: u32,
    edit: Edit,
}

impl Ledger {
    /// Adds the next row of a run whose table is settled.
    ///
    /// # Errors
    /// It is not of this run.
    pub fn add(&mut self, run: &RunRecord, table: &Table, instruction: &Instruction) -> Result<(), AnalyseError> {
        let job = job_of(run, instruction)?;
        let Some(build) = self.build(table, job, &instruction.step) else { return Ok(()) };
        let key = (job.topology, job.number, build.rank, instruction.index);
        let cell = self.cells.entry(key).or_insert_with(|| LedgerCell {
            topology: job.topology as usize,
            step: instruction.step.clone().into_owned(),
            job: job.number,
            edit: build.edit,
            instruction: instruction.index,
            text: instruction.text.clone().into_owned(),
            cached: 0,
            builds: 0,
        });
        cell.cached += u32::from(instruction.cached);
        cell.builds += 1;
        Ok(())
    }

    fn build(&mut self, table: &Table, job: JobKey, step: &str) -> Option<Build> {
        if let Some((known, name, build)) = &self.last
            && (*known, name.as_str()) == (job, step)
        {
            return *build;
        }
        let found = table.find(job, Op::Build, step);
        let build = found.map(|row| Build { rank: table.steps.rank(row.subject), edit: row.edit });
        self.last = Some((job, step.to_owned(), build));
        build
    }

    pub fn into_list(self) -> Vec<LedgerCell> {
        self.cells.into_values().collect()
    }
}

fn job_of(run: &RunRecord, row: &Instruction) -> Result<JobKey, AnalyseError> {
    Ok(JobKey {
        topology: topology(run, &row.topology)?,
        block: row.block,
        attempt: row.attempt,
        worker: row.worker,
        number: row.job,
    })
}
