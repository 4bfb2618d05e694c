//! A logarithmic axis of ratios, 1 always on it.

use crate::stats::{Estimate, Interval};

/// Round ratios and their reciprocals.
const TICKS: [f64; 17] =
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1.0, 1.25, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

/// The outermost ticks.
pub(super) struct RatioAxis {
    low: f64,
    high: f64,
}

impl RatioAxis {
    /// From a tick at or below the least value to one at or above the largest.
    pub(super) fn around<'a>(estimates: impl Iterator<Item = &'a Estimate>) -> Self {
        let ends = estimates.flat_map(|estimate| match estimate.interval {
            Some(Interval { low, high, .. }) => [low.min(estimate.point), high.max(estimate.point)],
            None => [estimate.point; 2],
        });
        let (least, largest) =
            ends.fold((1.0_f64, 1.0_f64), |(least, largest), end| (least.min(end), largest.max(end)));
        let low = TICKS.iter().rev().copied().find(|tick| *tick < least / 1.02).unwrap_or(TICKS[0]);
        let high = TICKS.iter().copied().find(|tick| *tick > largest * 1.02).unwrap_or(TICKS[TICKS.len() - 1]);
        Self { low, high }
    }

    /// Place of a ratio from 0 to 1. What is beyond the outermost ticks stands at the edge.
    pub(super) fn share(&self, ratio: f64) -> f64 {
        (ratio.clamp(self.low, self.high) / self.low).ln() / (self.high / self.low).ln()
    }

    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> {
        TICKS.into_iter().filter(|tick| (self.low..=self.high).contains(tick))
    }

    pub(super) fn label(tick: f64) -> String {
        format!("{tick}×")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(points: &[f64]) -> RatioAxis {
        let estimates: Vec<Estimate> =
            points.iter().map(|point| Estimate { point: *point, interval: None, n: 7 }).collect();
        RatioAxis::around(estimates.iter())
    }

    #[test]
    fn a_ratio_and_its_reciprocal_are_as_far_from_1() {
        let axis = axis(&[0.6, 1.7]);
        assert_eq!(axis.ticks().collect::<Vec<_>>(), [0.5, 0.8, 1.0, 1.25, 2.0]);
        let from_1 = |ratio: f64| axis.share(ratio) - axis.share(1.0);
        assert!((from_1(1.25) + from_1(0.8)).abs() < 1e-12 && from_1(1.25) > 0.0);
        assert_eq!((axis.share(0.5), axis.share(2.0)), (0.0, 1.0));
    }

    #[test]
    fn what_no_axis_holds_stands_at_its_edge() {
        let axis = axis(&[1e-14, 8.64e13]);
        assert_eq!((axis.share(1e-14), axis.share(8.64e13)), (0.0, 1.0));
        assert_eq!(axis_of_nothing(), [0.8, 1.0, 1.25]);
    }

    fn axis_of_nothing() -> Vec<f64> {
        axis(&[]).ticks().collect()
    }
}
