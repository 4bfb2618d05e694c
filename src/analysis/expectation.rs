//! What became of the scenario's expectations, block by block.

use std::collections::BTreeMap;

use super::AnalyseError;
use crate::case::{ErrorClass, Op, Status};
use crate::record::{Observation, RunRecord};
use crate::scenario::{Expected, Stated, stated};

/// One expectation, and what every block found. The warm-up's count too: an expectation that breaks there spoils a
/// trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub stated: Stated,
    /// Whether the run has the topology at all.
    pub ran: bool,
    /// By block, of every one up to the last that was begun with any topology; a time limit leaves out whole blocks.
    pub blocks: Vec<(u32, Found)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Held,
    Broken {
        cached: u32,
        total: u32,
    },
    /// No build whose instructions were counted; with the class of what went wrong first in that trial.
    Missing(Option<ErrorClass>),
}

/// Expectations and what was met of them while rows are read.
#[derive(Debug)]
pub(super) struct Expectations {
    list: Vec<Stated>,
    /// By expectation and block: attempt, and what it found.
    found: BTreeMap<(usize, u32), (u32, Found)>,
    /// By topology and block: what went wrong first.
    wrong: BTreeMap<(String, u32), ErrorClass>,
    /// Blocks that were begun, from 0.
    begun: u32,
}

impl Expectations {
    /// # Errors
    /// The recorded scenario cannot be read.
    pub fn of(run: &RunRecord) -> Result<Self, AnalyseError> {
        let list = stated(&run.scenario_text)
            .map_err(|reason| AnalyseError::Scenario { run_id: run.run_id.clone(), reason })?;
        Ok(Self { list, found: BTreeMap::new(), wrong: BTreeMap::new(), begun: 0 })
    }

    pub fn observe(&mut self, sample: &Observation) {
        let topology = &*sample.topology;
        self.begun = self.begun.max(sample.block + 1);
        if let (false, Some(class)) = (sample.status == Status::Ok, sample.error_class) {
            self.wrong.entry((topology.to_owned(), sample.block)).or_insert(class);
        }
        if sample.op != Op::Build {
            return;
        }
        let meant =
            |one: &Stated| (one.topology.as_str(), one.job, one.step.as_str()) == (topology, sample.job, &*sample.step);
        let (Some(index), Some(cached), Some(total)) =
            (self.list.iter().position(meant), sample.instructions_cached, sample.instructions_total)
        else {
            return;
        };
        let found = found(self.list[index].instructions_cached, cached, total);
        let entry = self.found.entry((index, sample.block)).or_insert((sample.attempt, found));
        // Of several attempts the last one stands; of several jobs at once the one that broke it.
        let broken_too = sample.attempt == entry.0 && found != Found::Held;
        if sample.attempt > entry.0 || broken_too {
            *entry = (sample.attempt, found);
        }
    }

    pub fn into_list(self, run: &RunRecord) -> Vec<Checked> {
        let checked = |(index, stated): (usize, &Stated)| {
            let ran = run.arms.iter().any(|arm| arm.name == stated.topology);
            let missing = |block| Found::Missing(self.wrong.get(&(stated.topology.clone(), block)).copied());
            let block =
                |block| (block, self.found.get(&(index, block)).map_or_else(|| missing(block), |(_, found)| *found));
            let blocks = (0..self.begun).filter(|_| ran).map(block).collect();
            Checked { stated: stated.clone(), ran, blocks }
        };
        self.list.iter().enumerate().map(checked).collect()
    }
}

fn found(expected: Expected, cached: u32, total: u32) -> Found {
    let holds = match expected {
        Expected::All => cached == total,
        Expected::Exactly(count) => cached == count,
    };
    if holds { Found::Held } else { Found::Broken { cached, total } }
}
