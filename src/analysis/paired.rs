//! What the values of two topologies say, paired within blocks.

use super::Verdict;
use super::course::depend;
use crate::stats::{EQUIVALENCE_MARGIN, Estimate, Level, dependent_ratio, difference, equivalent, ratio};

/// Pairs in the order of their blocks.
pub(super) struct Paired<'a> {
    pairs: &'a [(f64, f64)],
}

impl<'a> Paired<'a> {
    pub fn new(pairs: &'a [(f64, f64)]) -> Self {
        Self { pairs }
    }

    /// Where blocks depend on one another, with an interval that allows for it. Empty where there is no pair, or no ratio
    /// because a value is 0.
    pub fn ratio(&self, level: Level) -> Option<Estimate> {
        let estimate = if depend(self.pairs) { dependent_ratio(self.pairs, level) } else { ratio(self.pairs, level) };
        Some(self.without_false_interval(estimate.ok()?, |a, b| a / b))
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
