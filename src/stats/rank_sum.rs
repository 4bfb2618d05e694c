//! The null distribution of the Mann-Whitney statistic.

use statrs::distribution::{ContinuousCDF, Normal};

use super::Level;
use super::interval::Rank;

/// Largest sample whose distribution is computed exactly, some millions of sums.
const EXACT_VALUES: usize = 60;

/// The distribution of U, the number of pairs of one value of each sample in which the first sample's is the larger,
/// where both samples are of one distribution and every order of all values is equally probable.
#[derive(Debug)]
pub(super) enum RankSum {
    /// P(U <= u) for every u up to half of the largest value.
    Exact { pairs: u64, cumulative: Vec<f64> },
    /// Normal approximation with continuity correction. Its tails are a little heavier than the exact ones, so that
    /// intervals cover no less than they say.
    Normal { pairs: u64, approximation: Normal },
}

impl RankSum {
    /// Exact up to 60 values in each sample, by taking away the largest of all values: it is of the first sample in as
    /// many of the orders as that has a share of the values, and is then above all of the second. Mann and Whitney,
    /// "On a test of whether one of two random variables is stochastically larger than the other", Annals of
    /// Mathematical Statistics 18 (1947), also for mean and variance beyond.
    pub fn new(first: usize, second: usize) -> Self {
        let pairs = first as u64 * second as u64;
        if first.max(second) <= EXACT_VALUES {
            Self::Exact { pairs, cumulative: cumulative(first, second) }
        } else {
            let variance = pairs as f64 * (first + second + 1) as f64 / 12.0;
            let approximation = Normal::new(pairs as f64 / 2.0, variance.sqrt()).expect("the variance is positive");
            Self::Normal { pairs, approximation }
        }
    }

    /// The rank of the interval's lower bound among the differences of all pairs.
    pub fn rank(&self, level: Level) -> Option<Rank> {
        let (Self::Exact { pairs, .. } | Self::Normal { pairs, .. }) = self;
        Rank::largest(pairs / 2, level, |pairs| self.at_most(pairs))
    }

    /// P(U <= u), for `u` up to half of the largest value.
    fn at_most(&self, u: u64) -> f64 {
        match self {
            Self::Exact { cumulative, .. } => cumulative[u as usize],
            Self::Normal { approximation, .. } => approximation.cdf(u as f64 + 0.5),
        }
    }
}

fn cumulative(first: usize, second: usize) -> Vec<f64> {
    let half = first * second / 2;
    // By the size of the first sample, for a second one that grows. With none in either there are no pairs.
    let mut by_first = vec![vec![0.0; half + 1]; first + 1];
    by_first.iter_mut().for_each(|probability| probability[0] = 1.0);
    for b in 1..=second {
        for a in 1..=first {
            let of_first = a as f64 / (a + b) as f64;
            for u in 0..=half {
                let above = if u >= b { by_first[a - 1][u - b] } else { 0.0 };
                by_first[a][u] = of_first * above + (1.0 - of_first) * by_first[a][u];
            }
        }
    }
    let mut cumulative = by_first.swap_remove(first);
    let mut total = 0.0;
    for entry in &mut cumulative {
        total += *entry;
        *entry = total;
    }
    cumulative
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    /// Every choice of the first sample's places among all values, counted.
    #[test]
    fn the_distribution_is_that_of_all_orders() {
        for (first, second) in [(1, 1), (1, 5), (3, 4), (4, 3), (5, 5), (6, 7)] {
            let mut counts = vec![0_u32; first * second + 1];
            for places in 0..1_u32 << (first + second) {
                if places.count_ones() as usize == first {
                    let above = |place: u32| place - (places & ((1 << place) - 1)).count_ones();
                    let u: u32 = (0..(first + second) as u32).filter(|p| places >> p & 1 == 1).map(above).sum();
                    counts[u as usize] += 1;
                }
            }
            let (all, distribution) = (counts.iter().sum::<u32>(), RankSum::new(first, second));
            let mut below = 0;
            for (u, count) in counts.iter().enumerate().take(first * second / 2 + 1) {
                below += count;
                let expected = f64::from(below) / f64::from(all);
                assert!((distribution.at_most(u as u64) - expected).abs() < 1e-12, "{first}, {second}, {u}");
            }
        }
    }

    /// One more than the critical values of the published tables for a two-sided 5 % test: 0, 5, 8, 23, 127.
    #[test]
    fn ranks_are_those_of_the_tables() {
        for (first, second, k) in [(4, 4, 1), (6, 6, 6), (7, 7, 9), (10, 10, 24), (20, 20, 128), (5, 10, 9)] {
            assert_eq!(RankSum::new(first, second).rank(Level::P95).unwrap().k, k, "{first}, {second}");
        }
        assert_eq!(RankSum::new(3, 3).rank(Level::P95), None);
        assert_eq!(RankSum::new(0, 7).rank(Level::P95), None);
    }

    #[test]
    fn beyond_the_exact_sizes_no_interval_covers_less_than_it_says() {
        let joint = Level::Joint95(NonZeroUsize::new(40).unwrap());
        for level in [Level::P95, joint] {
            let exact = RankSum::Exact { pairs: 61 * 61, cumulative: cumulative(61, 61) };
            let approximate = RankSum::new(61, 61).rank(level).unwrap();
            let true_coverage = 1.0 - 2.0 * exact.at_most(approximate.k - 1);
            assert!((0.0..3e-4).contains(&(true_coverage - approximate.coverage)), "{approximate:?}, {true_coverage}");
            assert!(exact.rank(level).unwrap().k.abs_diff(approximate.k) <= 8);
        }
    }
}
