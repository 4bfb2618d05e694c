//! An estimate, its confidence interval, and the rank at which an interval of order statistics begins.

use std::num::NonZeroUsize;

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
    /// Coverage probability. Of ranks (medians, paired ratios and differences) it is what the interval really has, at
    /// least the level asked for: exact, but for signed-rank intervals of more than 300 pairs, which are within 10⁻⁴ of
    /// it. Of a share it is the least that it has; of bootstraps and t distributions it is the level asked for, which they
    /// reach in large samples alone.
    pub coverage: f64,
}

/// The coverage asked of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// 90 %, for two one-sided tests at 5 %.
    P90,
    /// 95 %, for everything that is quoted.
    P95,
    /// 99 %, for what is to be wrong hardly ever.
    P99,
    /// What one of so many intervals needs for 95 % that all of them hold (Bonferroni): the share of error is divided.
    Joint95(NonZeroUsize),
}

impl Level {
    pub fn probability(self) -> f64 {
        match self {
            Self::P90 => 0.90,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
            Self::Joint95(intervals) => 1.0 - 0.05 / intervals.get() as f64,
        }
    }
}

impl Interval {
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

impl Estimate {
    /// Point and bounds through an increasing function; ranks, and with them the coverage, stay what they are.
    pub fn map(self, increasing: impl Fn(f64) -> f64) -> Self {
        let interval = self.interval.map(|interval| Interval {
            low: increasing(interval.low),
            high: increasing(interval.high),
            coverage: interval.coverage,
        });
        Self { point: increasing(self.point), interval, n: self.n }
    }
}

/// Where an interval between the k-th smallest and the k-th largest of ordered values begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rank {
    /// From 1.
    pub k: u64,
    pub coverage: f64,
}

impl Rank {
    /// The largest `k` up to `limit` whose coverage `1 - 2 P(S <= k - 1)` reaches the level, S being the symmetric
    /// statistic that counts values below the true location; empty where not even `k` = 1 does.
    pub fn largest(limit: u64, level: Level, at_most: impl Fn(u64) -> f64) -> Option<Self> {
        let coverage = |k: u64| 1.0 - 2.0 * at_most(k - 1);
        let (mut good, mut bad) = (0, limit + 1);
        while bad - good > 1 {
            let k = good + (bad - good) / 2;
            if coverage(k) >= level.probability() { good = k } else { bad = k }
        }
        (good > 0).then(|| Self { k: good, coverage: coverage(good) })
    }
}
