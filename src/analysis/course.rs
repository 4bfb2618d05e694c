//! How a comparison went over the run: whether its blocks are alike, as its interval supposes.

use super::Comparison;
use crate::stats::{Kendall, LogRatios, holm, kendall};

/// A drift is told at this error for all job times of a run together.
const DRIFT_LEVEL: f64 = 0.05;

/// Of the logarithms of a topology's ratio to another one, in the order of the blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// Whether it rises or falls with the block.
    pub drift: Kendall,
    /// How alike neighbouring blocks are: lag-1 autocorrelation.
    pub autocorrelation: f64,
}

impl Course {
    /// Empty for fewer than two blocks, and for a ratio that is the same in all of them.
    pub(super) fn of(ratios: &LogRatios) -> Option<Self> {
        let by_block: Vec<_> = (0_u32..).map(f64::from).zip(ratios.series().iter().copied()).collect();
        let (drift, autocorrelation) = (kendall(&by_block).ok()??, ratios.autocorrelation()?);
        Some(Self { drift, autocorrelation })
    }

    /// Whether neighbouring blocks are more alike, or less, than independent ones are at 95 %, and more than a little.
    pub fn dependent(self, blocks: usize) -> bool {
        dependent(self.autocorrelation, blocks)
    }
}

pub(super) fn dependent(autocorrelation: f64, blocks: usize) -> bool {
    autocorrelation.abs() > (2.0 / (blocks as f64).sqrt()).max(0.3)
}

/// The comparisons of job times that drift, each with its p-value for as many as there are (Holm).
pub fn drifting(comparisons: &[Comparison]) -> Vec<(&Comparison, f64)> {
    let jobs = comparisons.iter().filter(|one| one.of_jobs());
    let courses: Vec<(&Comparison, Course)> = jobs.filter_map(|one| Some((one, one.course?))).collect();
    let values: Vec<f64> = courses.iter().map(|(_, course)| course.drift.p).collect();
    let adjusted = holm(&values).expect("p-values of a test");
    let told = courses.into_iter().zip(adjusted).map(|((one, _), p)| (one, p));
    told.filter(|(_, p)| *p <= DRIFT_LEVEL).collect()
}
