//! A statistic over many resamples of the same values, from a seed.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::{Estimate, Interval, Level, Ordered, Unusable};

/// Resamples of every bootstrap.
pub(super) const RESAMPLES: usize = 10_000;

/// The statistic of `resamples` resamples, in ascending order. `draw` puts one resample, at least one finite value, into
/// the empty list that it is given, in no order. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7
/// (1979).
///
/// # Errors
/// A statistic that overflows.
pub(super) fn distribution(
    resamples: usize,
    seed: u64,
    mut draw: impl FnMut(&mut ChaCha8Rng, &mut Vec<f64>),
    statistic: impl Fn(Vec<f64>) -> Result<f64, Unusable>,
) -> Result<Ordered, Unusable> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut statistics = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        let mut drawn = Vec::new();
        draw(&mut random, &mut drawn);
        statistics.push(statistic(drawn)?);
    }
    Ordered::new(statistics)
}

/// The percentile interval: what the middle share of the resamples lies in. Efron and Tibshirani, "An Introduction to the
/// Bootstrap" (1993), chapter 13; it is carried along by any increasing function of the statistic.
pub(super) fn percentile(point: f64, n: usize, level: Level, distribution: &Ordered) -> Estimate {
    let tail = (1.0 - level.probability()) / 2.0;
    let (low, high) = (distribution.quantile(tail), distribution.quantile(1.0 - tail));
    Estimate { point, interval: Some(Interval { low, high, coverage: level.probability() }), n }
}
