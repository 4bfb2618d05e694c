//! The null distribution of Wilcoxon's signed-rank statistic.

use statrs::distribution::{ContinuousCDF, Normal};

use super::Level;
use super::interval::Rank;

/// Largest number of pairs whose distribution is computed exactly: 22 576 probabilities, 180 kB.
const EXACT_PAIRS: usize = 300;

/// The distribution of T⁺, the sum of the ranks with a positive sign, where every sign is a fair coin; equally, the
/// distribution of the number of Walsh averages above the centre of symmetry.
#[derive(Debug)]
pub(super) enum SignedRank {
    /// P(T⁺ <= t) for every t up to half of the largest value.
    Exact { pairs: usize, cumulative: Vec<f64> },
    /// Normal approximation with continuity correction. At 301 pairs its coverage is within 10⁻⁴ of the exact one.
    Normal { pairs: usize, approximation: Normal },
}

impl SignedRank {
    /// Exact up to 300 pairs, by adding one rank at a time: each is in the sum with probability 1/2. Wilcoxon,
    /// "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945); Hollander, Wolfe and Chicken,
    /// "Nonparametric Statistical Methods", 3rd edition, section 3.1, also for mean and variance beyond.
    pub fn new(pairs: usize) -> Self {
        if pairs <= EXACT_PAIRS { Self::exact(pairs) } else { Self::normal(pairs) }
    }

    /// The rank of the interval's lower bound among the Walsh averages.
    pub fn rank(&self, level: Level) -> Option<Rank> {
        let (Self::Exact { pairs, .. } | Self::Normal { pairs, .. }) = self;
        Rank::largest(averages(*pairs) / 2, level, |sum| self.at_most(sum))
    }

    fn exact(pairs: usize) -> Self {
        let half = averages(pairs) as usize / 2;
        let mut probability = vec![0.0; half + 1];
        probability[0] = 1.0;
        for rank in 1..=pairs {
            for sum in (0..=half).rev() {
                let without = probability[sum];
                let with = if sum >= rank { probability[sum - rank] } else { 0.0 };
                probability[sum] = (without + with) / 2.0;
            }
        }
        let mut total = 0.0;
        for entry in &mut probability {
            total += *entry;
            *entry = total;
        }
        Self::Exact { pairs, cumulative: probability }
    }

    fn normal(pairs: usize) -> Self {
        let n = pairs as f64;
        let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0;
        let approximation = Normal::new(n * (n + 1.0) / 4.0, variance.sqrt()).expect("the variance is positive");
        Self::Normal { pairs, approximation }
    }

    /// P(T⁺ <= sum), for a sum up to half of the largest value.
    pub fn at_most(&self, sum: u64) -> f64 {
        match self {
            Self::Exact { cumulative, .. } => cumulative[sum as usize],
            Self::Normal { approximation, .. } => approximation.cdf(sum as f64 + 0.5),
        }
    }
}

/// The number of Walsh averages of `n` values, each value with itself included: the largest value of T⁺.
pub(super) fn averages(n: usize) -> u64 {
    let n = n as u64;
    n * (n + 1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every assignment of signs, counted.
    #[test]
    fn the_distribution_is_that_of_all_signs() {
        for pairs in 1..=12_usize {
            let mut sums = vec![0_u32; averages(pairs) as usize + 1];
            for signs in 0..1_u32 << pairs {
                let sum: usize = (1..=pairs).filter(|rank| signs & (1 << (rank - 1)) != 0).sum();
                sums[sum] += 1;
            }
            let distribution = SignedRank::new(pairs);
            let mut below = 0;
            for sum in 0..=averages(pairs) / 2 {
                below += sums[sum as usize];
                assert_eq!(distribution.at_most(sum), f64::from(below) / f64::from(1_u32 << pairs), "{pairs}, {sum}");
            }
        }
    }

    /// n = 6 by hand: only T = 0 has probability below 1/40, so k = 1. n = 7: the sums 0, 1, 2 are reached in one way
    /// each and 3 in two, 3/128 <= 1/40 < 5/128, so k = 3. The others are one more than the critical values of the
    /// published tables for a two-sided 5 % test: 8, 52, 137, 434, and for 10 %: 10, 60, 151.
    #[test]
    fn ranks_are_those_of_the_tables() {
        for (pairs, level, k, coverage) in [
            (6, Level::P95, 1, 1.0 - 2.0 / 64.0),
            (7, Level::P95, 3, 1.0 - 6.0 / 128.0),
            (10, Level::P95, 9, 1.0 - 50.0 / 1024.0),
            (20, Level::P95, 53, 0.951_559_066_772_460_9),
            (30, Level::P95, 138, 0.950_289_878_994_226_5),
            (50, Level::P95, 435, 0.950_553_593_199_398_3),
            (300, Level::P95, 19_629, 0.950_034_849_263_420_9),
            (5, Level::P90, 1, 1.0 - 2.0 / 32.0),
            (7, Level::P90, 4, 1.0 - 10.0 / 128.0),
            (10, Level::P90, 11, 0.916_015_625),
            (20, Level::P90, 61, 0.902_692_794_799_804_7),
            (30, Level::P90, 152, 0.903_898_427_262_902_3),
        ] {
            let rank = SignedRank::new(pairs).rank(level).unwrap();
            assert_eq!(rank.k, k, "n = {pairs}");
            assert!((rank.coverage - coverage).abs() < 1e-12, "n = {pairs}: {}", rank.coverage);
        }
        assert_eq!(SignedRank::new(5).rank(Level::P95), None);
        assert_eq!(SignedRank::new(4).rank(Level::P90), None);
    }

    /// Exact, from integers: k = 19 765 and 0.950 017 426 at 95 %; k = 20 239 and 0.900 113 433 at 90 %.
    #[test]
    fn the_approximation_takes_over_without_a_step() {
        for (level, k, coverage) in [(Level::P95, 19_765, 0.950_017_426), (Level::P90, 20_239, 0.900_113_433)] {
            let rank = SignedRank::new(301).rank(level).unwrap();
            assert!(rank.k.abs_diff(k) <= 5, "{}", rank.k);
            assert!((rank.coverage - coverage).abs() < 3e-4, "{}", rank.coverage);
        }
    }
}
