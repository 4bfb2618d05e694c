//! Time over the jobs of a sequence, added up: when a topology that begins slowly has paid off.

use super::axis::Quantity;
use super::chart::{Chart, Mark, Slot};
use super::sequence::{JOBS, job_columns, with_medians};
use super::{Figure, PlotError};
use crate::analysis::Analysis;

/// The sums of the jobs so far, block by block. A block in which a job has no time ends there: a sum without it would be too
/// small.
pub(super) fn figure(analysis: &Analysis) -> Result<Figure, PlotError> {
    let mut slots = vec![vec![Slot::default(); analysis.arms.len()]; analysis.jobs.len()];
    for trial in analysis.trials() {
        for (column, sum) in slots.iter_mut().zip(trial.sums()) {
            column[trial.topology].points.push((trial.block, sum));
        }
    }
    Chart {
        name: "cumulative",
        title: "Time over the jobs of a sequence, added up",
        caption:
            "The time of a job and of all before it. Each mark is one block; the line joins the medians. Where two \
                  lines cross, the one that is lower afterwards has made up for its beginning."
                .to_owned(),
        values: "elapsed time of this job and all before it",
        along: JOBS,
        quantity: Quantity::Nanos,
        mark: Mark::Line,
        arms: &analysis.arms,
        columns: job_columns(&analysis.jobs),
        slots: with_medians(slots),
        unplottable: 0,
    }
    .figure()
}
