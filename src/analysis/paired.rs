//! What the values of two topologies say, paired within blocks.

use std::cell::OnceCell;

use super::course::dependent;
use super::{Course, Verdict};
use crate::stats::{EQUIVALENCE_MARGIN, Estimate, Level, LogRatios, difference, equivalent};

/// Pairs in the order of their blocks.
pub(super) struct Paired<'a> {
    pairs: &'a [(f64, f64)],
    /// Made with the first question about the ratio; empty where there is no pair, or no ratio because a value is 0.
    ratios: OnceCell<Option<LogRatios>>,
}

impl<'a> Paired<'a> {
    pub fn new(pairs: &'a [(f64, f64)]) -> Self {
        Self { pairs, ratios: OnceCell::new() }
    }

    /// Where blocks depend on one another, with an interval that allows for it. Empty where there is no ratio.
    pub fn ratio(&self, level: Level) -> Option<Estimate> {
        let ratios = self.ratios()?;
        let depend = ratios.autocorrelation().is_some_and(|alike| dependent(alike, self.pairs.len()));
        let estimate = if depend { ratios.dependent_ratio(level).ok()? } else { ratios.ratio(level) };
        Some(self.without_false_interval(estimate, |a, b| a / b))
    }

    /// Empty for fewer than two blocks, for a ratio that is the same in all of them, and where there is none.
    pub fn course(&self) -> Option<Course> {
        Course::of(self.ratios()?)
    }

    fn ratios(&self) -> Option<&LogRatios> {
        self.ratios.get_or_init(|| LogRatios::new(self.pairs).ok()).as_ref()
    }

    /// Empty where there is no pair.
    pub fn difference(&self) -> Option<Estimate> {
        Some(self.without_false_interval(difference(self.pairs, Level::P95).ok()?, |a, b| a - b))
    }

    /// Of the ratio with its interval of 95 %, to which a difference is a question; equivalence is one to that of 90 %.
    /// Empty where there is no interval.
    pub fn verdict(&self, ratio: &Estimate) -> Option<Verdict> {
        let equal = || {
            let narrower = self.ratio(Level::P90).and_then(|ratio| ratio.interval);
            narrower.is_some_and(|narrower| equivalent(&narrower, EQUIVALENCE_MARGIN))
        };
        Some(Verdict::of(&ratio.interval?, equal))
    }

    /// A constant has no spread to take an interval from.
    fn without_false_interval(&self, estimate: Estimate, of: fn(f64, f64) -> f64) -> Estimate {
        let mut results = self.pairs.iter().map(|&(a, b)| of(a, b));
        let first = results.next();
        if results.all(|result| Some(result) == first) { Estimate { interval: None, ..estimate } } else { estimate }
    }
}
