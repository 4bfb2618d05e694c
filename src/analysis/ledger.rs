//! Which instruction was cached in which job, and how often.

use std::collections::BTreeMap;

use super::AnalyseError;
use super::row::{JobKey, Table, topology};
use crate::case::{Edit, Op};
use crate::record::{InstructionRow, ReadError, RunRecord};

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

/// The instructions of builds whose own row counts: others have no outcome to speak of. The table is
/// settled.
pub(super) fn ledger(
    run: &RunRecord,
    table: &Table,
    instructions: impl Iterator<Item = Result<InstructionRow, ReadError>>,
) -> Result<Vec<LedgerCell>, AnalyseError> {
    let mut cells: BTreeMap<(u32, u32, u32, u32), LedgerCell> = BTreeMap::new();
    for instruction in instructions {
        let instruction = instruction?;
        let job = job_of(run, &instruction)?;
        let Some(build) = table.find(job, Op::Build, instruction.step.as_str()) else { continue };
        let key = (job.topology, job.number, table.steps.rank(build.subject), instruction.index);
        let cell = cells.entry(key).or_insert_with(|| LedgerCell {
            topology: job.topology as usize,
            step: instruction.step.as_str().to_owned(),
            job: job.number,
            edit: build.edit,
            instruction: instruction.index,
            text: instruction.text.as_str().to_owned(),
            cached: 0,
            builds: 0,
        });
        cell.cached += u32::from(instruction.cached);
        cell.builds += 1;
    }
    Ok(cells.into_values().collect())
}

fn job_of(run: &RunRecord, row: &InstructionRow) -> Result<JobKey, AnalyseError> {
    Ok(JobKey {
        topology: topology(run, row.topology.as_str())?,
        block: row.block,
        attempt: row.attempt,
        worker: row.worker,
        number: row.job,
    })
}
