//! The parts of a start: what the first job of a trial waits for before its first command.

use std::collections::BTreeMap;

use super::AnalyseError;
use super::row::{JobKey, Table, topology};
use crate::case::{Edit, Op};
use crate::record::{Event, ReadError, RunRecord};
use crate::stats::Ordered;

/// One part of the start of a first job.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    pub topology: usize,
    /// As in events.jsonl.
    pub name: String,
    /// Median over the blocks, in nanoseconds.
    pub elapsed_ns: f64,
}

/// The times of one part by block; several where jobs are at once.
struct Part {
    topology: u32,
    name: String,
    blocks: BTreeMap<u32, Vec<f64>>,
}

/// By topology, in the order in which they end, of starts that count. The table is settled.
pub(super) fn phases(
    run: &RunRecord,
    table: &Table,
    events: impl Iterator<Item = Result<Event, ReadError>>,
) -> Result<Vec<Phase>, AnalyseError> {
    let mut parts: Vec<Part> = Vec::new();
    // A part begins where the one before it in the same job ended.
    let mut ends: BTreeMap<JobKey, u64> = BTreeMap::new();
    for event in events {
        let event = event?;
        let job = job_of(run, &event)?;
        let start = table.find(job, Op::Start, &event.step);
        if start.is_none_or(|start| start.edit != Edit::First) {
            continue;
        }
        let began = ends.insert(job, event.at_ns).unwrap_or(0);
        let known = parts.iter().position(|part| part.topology == job.topology && part.name == event.text);
        let place = known.unwrap_or_else(|| {
            parts.push(Part { topology: job.topology, name: event.text, blocks: BTreeMap::new() });
            parts.len() - 1
        });
        parts[place].blocks.entry(job.block).or_default().push(event.at_ns.saturating_sub(began) as f64);
    }
    parts.sort_by_key(|part| part.topology);
    Ok(parts.into_iter().filter_map(Part::into_phase).collect())
}

impl Part {
    fn into_phase(self) -> Option<Phase> {
        let means = self.blocks.values().map(|times| times.iter().sum::<f64>() / times.len() as f64);
        let elapsed_ns = Ordered::new(means).ok()?.median();
        Some(Phase { topology: self.topology as usize, name: self.name, elapsed_ns })
    }
}

fn job_of(run: &RunRecord, event: &Event) -> Result<JobKey, AnalyseError> {
    Ok(JobKey {
        topology: topology(run, &event.topology)?,
        block: event.block,
        attempt: event.attempt,
        worker: event.worker,
        number: event.job,
    })
}
