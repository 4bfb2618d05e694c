//! Estimates with exact intervals; every method names its source.

/// A statistic with its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub point: f64,
    /// Empty below the number of observations at which an interval of this level exists.
    pub interval: Option<Interval>,
    /// Observations that it rests on.
    pub n: usize,
}

/// A confidence interval with the coverage that it really has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
    /// Exact coverage probability, at least the level asked for.
    pub coverage: f64,
}
