//! Time over the jobs of a sequence, added up: when a topology that begins slowly has paid off.

use std::collections::BTreeMap;

use super::axis::Quantity;
use super::chart::{Chart, Mark, Slot};
use super::sequence::{JOBS, is_job, job_columns, jobs, with_medians};
use super::{Figure, PlotError};
use crate::analysis::{Analysis, Metric};

/// The sums of the jobs so far, block by block. A block in which a job has no time ends there: a sum without it would be too
/// small.
pub(super) fn figure(analysis: &Analysis) -> Result<Figure, PlotError> {
    let jobs = jobs(analysis);
    let mut slots = vec![vec![Slot::default(); analysis.arms.len()]; jobs.len()];
    for ((topology, block), times) in times(analysis) {
        let in_order = jobs.keys().map_while(|job| times.get(job).copied().map(Times::mean));
        let sums = in_order.scan(0.0, |sum, time| {
            *sum += time;
            Some(*sum)
        });
        for (column, sum) in sums.enumerate() {
            slots[column][topology].points.push((block, sum));
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
        columns: job_columns(&jobs),
        slots: with_medians(slots),
        unplottable: 0,
    }
    .figure()
}

/// The times of jobs with one number: several where they are at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    sum: f64,
    count: u32,
}

impl Times {
    pub(super) fn mean(self) -> f64 {
        self.sum / f64::from(self.count)
    }
}

/// By topology and block, those of each job.
pub(super) fn times(analysis: &Analysis) -> BTreeMap<(usize, u32), BTreeMap<u32, Times>> {
    let mut times: BTreeMap<_, BTreeMap<u32, Times>> = BTreeMap::new();
    for point in analysis.points.iter().filter(|point| !point.warmup && is_job(point, Metric::ElapsedNs)) {
        let job = times.entry((point.topology, point.block)).or_default().entry(point.job).or_default();
        job.sum += point.value;
        job.count += 1;
    }
    times
}
