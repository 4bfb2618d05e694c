//! One metric of one case in one topology: a value per block, and their summary.

use super::metric::Measures;
use super::row::{Row, Standing};
use super::{CaseKey, Metric};
use crate::stats::{Estimate, Level, Ordered, Outliers, median};

/// One metric of one case in one topology. Within a block the samples of a case (several jobs with the same edit)
/// are averaged first, so that a block counts once; a block in which one of these jobs has no value does not count, for its mean
/// would be that of other jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    pub topology: usize,
    pub case: CaseKey,
    pub metric: Metric,
    pub summary: Summary,
    /// Samples of measured blocks, all attempts, that are in no statistic: they failed, timed out, were invalid or came after a
    /// job that failed, or another job of their block did.
    pub excluded: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Summary {
    /// No usable sample.
    Missing,
    /// All `n` values are the same, and there are at least two.
    Constant { value: f64, n: usize },
    /// Median with its exact order-statistic interval; `mad` is not scaled, `quartiles` are of type 7.
    Median { estimate: Estimate, min: f64, max: f64, mad: f64, quartiles: (f64, f64), outliers: Outliers },
}

impl Summary {
    /// The median, or the value that all observations share.
    pub fn centre(&self) -> Option<f64> {
        match self {
            Self::Missing => None,
            Self::Constant { value, .. } => Some(*value),
            Self::Median { estimate, .. } => Some(estimate.point),
        }
    }

    /// Of one value per block.
    fn of(values: &[(u32, f64)]) -> Self {
        let Ok(values) = Ordered::new(values.iter().map(|(_, value)| *value)) else { return Self::Missing };
        let n = values.values().len();
        if n > 1 && values.constant() {
            return Self::Constant { value: values.min(), n };
        }
        Self::Median {
            estimate: median(&values, Level::P95),
            min: values.min(),
            max: values.max(),
            mad: values.mad(),
            quartiles: values.quartiles(),
            outliers: Outliers::of(&values),
        }
    }
}

/// The measured rows of one case in one topology.
#[derive(Debug)]
pub(super) struct CaseRows<'a> {
    pub topology: usize,
    /// Of the rows that count, each with its block, ascending: every metric asks for them, and rows lie far apart.
    counted: Vec<(u32, &'a Measures)>,
    excluded: usize,
    /// Blocks in which the machine was disturbed when its trial began, ascending.
    disturbed: Vec<u32>,
}

impl<'a> CaseRows<'a> {
    /// `rows` are of one case in one topology, sorted by block; with all its workers it has so many jobs with the case's edit.
    /// Empty if the measured blocks have nothing of it.
    pub fn new(rows: &[&'a Row], jobs: usize) -> Option<Self> {
        let counting = rows.iter().filter(|row| row.counts()).map(|row| (row.job.block, &row.measures));
        let counting: Vec<_> = counting.collect();
        let whole = counting.chunk_by(|(a, _), (b, _)| a == b).filter(|block| block.len() >= jobs);
        let counted: Vec<_> = whole.flatten().copied().collect();
        let excluded = rows.iter().filter(|row| row.standing == Standing::Excluded && !row.warmup).count();
        let excluded = excluded + counting.len() - counted.len();
        let disturbed = || rows.iter().filter(|row| row.flagged && row.counts()).map(|row| row.job.block).collect();
        let measured = excluded > 0 || !counted.is_empty();
        measured.then(|| Self { topology: rows[0].job.topology as usize, counted, excluded, disturbed: disturbed() })
    }

    pub fn measured(&self, metric: Metric) -> bool {
        self.counted.iter().any(|(_, measures)| measures.get(metric).is_some())
    }

    pub fn disturbed(&self, block: u32) -> bool {
        self.disturbed.binary_search(&block).is_ok()
    }
}

/// One metric of them.
#[derive(Debug)]
pub(super) struct Series<'a> {
    pub arm: &'a CaseRows<'a>,
    pub metric: Metric,
    /// Block and mean of its samples, for the blocks that have any.
    pub values: Vec<(u32, f64)>,
}

impl<'a> Series<'a> {
    pub fn new(arm: &'a CaseRows<'a>, metric: Metric) -> Self {
        Self { arm, metric, values: block_means(&arm.counted, metric) }
    }

    /// Whether there is a cell, in a case for which this metric was measured.
    pub fn has_cell(&self) -> bool {
        self.arm.excluded > 0 || !self.values.is_empty()
    }

    pub fn cell(&self, case: &CaseKey) -> Cell {
        Cell {
            topology: self.arm.topology,
            case: case.clone(),
            metric: self.metric,
            summary: Summary::of(&self.values),
            excluded: self.arm.excluded,
        }
    }
}

fn block_means(counted: &[(u32, &Measures)], metric: Metric) -> Vec<(u32, f64)> {
    let blocks = counted.chunk_by(|(a, _), (b, _)| a == b);
    blocks.filter_map(|block| Some((block[0].0, mean(block, metric)?))).collect()
}

/// Empty if one of them has not the metric.
fn mean(block: &[(u32, &Measures)], metric: Metric) -> Option<f64> {
    let sum: Option<f64> = block.iter().map(|(_, measures)| measures.get(metric)).sum();
    sum.map(|sum| sum / block.len() as f64)
}
