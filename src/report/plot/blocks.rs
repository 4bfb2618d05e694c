//! The run in its order: whether the machine, or a topology, changed from the first block to the last.

use std::collections::BTreeSet;

use super::axis::Quantity;
use super::chart::{Chart, Mark, Slot};
use super::columns::Column;
use super::{Figure, PlotError};
use crate::analysis::{Analysis, TrialTimes};

/// The mean time of a job in every block that has all of them.
pub(super) fn figure(analysis: &Analysis) -> Result<Figure, PlotError> {
    let trials = analysis.trials();
    let most = trials.iter().map(timed).max().unwrap_or(0);
    let blocks: BTreeSet<u32> = trials.iter().map(|trial| trial.block).collect();
    let blocks: Vec<u32> = blocks.into_iter().collect();
    let mut slots = vec![vec![Slot::default(); analysis.arms.len()]; blocks.len()];
    for trial in trials.iter().filter(|trial| timed(trial) == most) {
        let mean = trial.jobs.iter().flatten().sum::<f64>() / most as f64;
        let shown = mean.is_finite() && mean >= 0.0;
        if let Some(column) = blocks.binary_search(&trial.block).ok().filter(|_| shown) {
            slots[column][trial.topology] = Slot { points: vec![(0, mean)], centre: Some(mean), interval: None };
        }
    }
    Chart {
        name: "blocks",
        title: "Job times in the order of the run",
        caption: "Each mark is the mean time of the jobs of one trial; a line joins the blocks of a topology. What moves all \
                  lines alike is the machine, and cancels in the ratios; a line that leaves the others does not."
            .to_owned(),
        values: "elapsed time of a job, mean of the sequence",
        along: "block",
        quantity: Quantity::Nanos,
        mark: Mark::Line,
        arms: &analysis.arms,
        columns: blocks.iter().map(|block| Column { heading: block.to_string(), detail: String::new() }).collect(),
        slots,
        unplottable: 0,
    }
    .figure()
}

/// How many of a trial's jobs have a time.
fn timed(trial: &TrialTimes) -> usize {
    trial.jobs.iter().flatten().count()
}
