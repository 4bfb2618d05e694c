//! Paired differences and ratios by Hodges and Lehmann, with the exact signed-rank interval.

use super::autocorrelation::autocorrelation_of;
use super::block_bootstrap::block_bootstrap;
use super::hierarchical::hierarchical_bootstrap;
use super::signed_rank::SignedRank;
use super::walsh::Walsh;
use super::{Estimate, Interval, Level, Ordered, Unusable};

/// Most pairs of which the block bootstrap draws.
const RESAMPLED: usize = 300;
/// Groups of neighbours in a longer series.
const GROUPS: usize = 20;

/// The centre of symmetric values: the median of their M = n (n + 1) / 2 Walsh averages, with the interval
/// [W_(k), W_(M+1-k)] that inverts the signed-rank test. There is none below n = 6 at 95 % and n = 5 at 90 %; beyond
/// n = 300, k comes from the normal approximation. Memory is that of the values, time mostly a few passes over them.
/// Hodges and Lehmann, "Estimates of location based on rank tests", Annals of Mathematical Statistics 34 (1963);
/// Tukey, "The simplest signed-rank tests" (1949), for the interval. Ties and zeros are kept, for they can only raise
/// the coverage: Noether, "Wilcoxon confidence intervals for location parameters in the discrete case", JASA 62 (1967).
fn hodges_lehmann(values: &Ordered, level: Level) -> Estimate {
    let n = values.values().len();
    let walsh = Walsh::new(values.values());
    let Some(rank) = SignedRank::new(n).rank(level) else {
        return Estimate { point: walsh.median(), interval: None, n };
    };
    let (low, point, high) = walsh.median_between(rank.k);
    Estimate { point, interval: Some(Interval { low, high, coverage: rank.coverage }), n }
}

/// The centre of symmetric values by Hodges and Lehmann, in their unit, without an interval: for a bootstrap.
pub(super) fn centre(values: &Ordered) -> f64 {
    Walsh::new(values.values()).median()
}

/// `a - b` over pairs `(a, b)`, in their unit.
///
/// # Errors
/// No pair, or a value that is not finite.
pub fn difference(pairs: &[(f64, f64)], level: Level) -> Result<Estimate, Unusable> {
    let differences = Ordered::new(pairs.iter().map(|(a, b)| a - b))?;
    Ok(hodges_lehmann(&differences, level))
}

/// `ln(a / b)` over pairs `(a, b)`, which every question about a ratio begins with.
#[derive(Clone, Debug)]
pub struct LogRatios {
    /// In the order of the pairs.
    series: Vec<f64>,
    ordered: Ordered,
}

impl LogRatios {
    /// # Errors
    /// No pair, a value that is not finite, or one that is not positive.
    pub fn new(pairs: &[(f64, f64)]) -> Result<Self, Unusable> {
        if let Some(wrong) = not_positive(pairs) {
            return Err(Unusable::NotPositive(wrong));
        }
        let series: Vec<f64> = pairs.iter().map(|(a, b)| (a / b).ln()).collect();
        let ordered = Ordered::new(series.iter().copied())?;
        Ok(Self { series, ordered })
    }

    /// The centre of the logarithms, put back on the scale of ratios.
    pub fn ratio(&self, level: Level) -> Estimate {
        hodges_lehmann(&self.ordered, level).map(f64::exp)
    }

    /// The same where neighbouring pairs depend on one another, in the order in which they were measured: the interval reaches
    /// as far as that of [`Self::ratio`] and as that of the block bootstrap, whichever is farther. The bootstrap alone would be
    /// too narrow: of few blocks it covers less than it says. It draws the same each time. Of more than 300 pairs, where
    /// resampling would take minutes, that of 20 groups of neighbours stands for it. No interval where [`Self::ratio`] has none.
    pub fn dependent_ratio(&self, level: Level) -> Result<Estimate, Unusable> {
        /// Any will do, as long as the same rows give the same report.
        const SEED: u64 = 25;
        let independent = self.ratio(level);
        let dependent = match self.series.len() {
            ..=RESAMPLED => block_bootstrap(&self.series, centre, level, SEED)?,
            _ => of_groups(&self.series, level)?,
        };
        let interval = independent.interval.zip(dependent.map(f64::exp).interval).map(|(one, other)| Interval {
            low: one.low.min(other.low),
            high: one.high.max(other.high),
            coverage: one.coverage,
        });
        Ok(Estimate { interval: interval.or(independent.interval), ..independent })
    }

    /// How alike neighbouring pairs are; see [`autocorrelation`](super::autocorrelation()).
    pub fn autocorrelation(&self) -> Option<f64> {
        autocorrelation_of(&self.series, &self.ordered).ok()?
    }

    /// In the order of the pairs.
    pub fn series(&self) -> &[f64] {
        &self.series
    }
}

/// `a / b` over pairs `(a, b)`: the centre of ln(a / b), put back on the scale of ratios.
///
/// # Errors
/// No pair, a value that is not finite, or one that is not positive.
pub fn ratio(pairs: &[(f64, f64)], level: Level) -> Result<Estimate, Unusable> {
    Ok(LogRatios::new(pairs)?.ratio(level))
}

/// The centre of a long series whose neighbours are alike, from the centres of 20 groups of neighbours: groups are so long
/// that they are all but independent. Ibragimov and Müller, "t-statistic based correlation and heterogeneity robust
/// inference", Journal of Business and Economic Statistics 28 (2010), with the signed-rank interval in place of Student's.
///
/// # Errors
/// No value, or one that is not finite.
fn of_groups(series: &[f64], level: Level) -> Result<Estimate, Unusable> {
    let groups = series.chunks(series.len().div_ceil(GROUPS).max(1));
    let centres: Vec<f64> =
        groups.map(|group| Ok(centre(&Ordered::new(group.iter().copied())?))).collect::<Result<_, Unusable>>()?;
    Ok(hodges_lehmann(&Ordered::new(centres)?, level))
}

/// The same of the pairs of several runs, one list per run, with the percentile interval of the hierarchical bootstrap: what
/// differs from run to run is in it. It draws the same each time.
///
/// # Errors
/// No run, a run without a pair, a value that is not finite, or one that is not positive.
pub fn hierarchical_ratio(runs: &[Vec<(f64, f64)>], level: Level) -> Result<Estimate, Unusable> {
    /// Any will do, as long as the same rows give the same report.
    const SEED: u64 = 18;
    if let Some(wrong) = runs.iter().find_map(|pairs| not_positive(pairs)) {
        return Err(Unusable::NotPositive(wrong));
    }
    let logarithms: Vec<Vec<f64>> =
        runs.iter().map(|pairs| pairs.iter().map(|(a, b)| (a / b).ln()).collect()).collect();
    Ok(hierarchical_bootstrap(&logarithms, centre, level, SEED)?.map(f64::exp))
}

fn not_positive(pairs: &[(f64, f64)]) -> Option<f64> {
    pairs.iter().flat_map(|(a, b)| [*a, *b]).find(|value| *value <= 0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn dependent(pairs: &[(f64, f64)]) -> Result<Estimate, Unusable> {
        LogRatios::new(pairs)?.dependent_ratio(Level::P95)
    }

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
    }

    /// Depression scale factors of nine patients before and after a tranquilizer: Hollander, Wolfe and Chicken,
    /// section 3.1, and the example of R's `wilcox.test`, in thousandths. Published: 0.46, and 0.010 to 0.786 at 96.1 %.
    #[test]
    fn the_published_example_is_reproduced() {
        let before = [1830.0, 500.0, 1620.0, 2480.0, 1680.0, 1880.0, 1550.0, 3060.0, 1300.0];
        let after = [878.0, 647.0, 598.0, 2050.0, 1060.0, 1290.0, 1060.0, 3140.0, 1290.0];
        let pairs: Vec<_> = before.into_iter().zip(after).collect();
        let interval = Interval { low: 10.0, high: 786.0, coverage: 0.960_937_5 };
        let expected = Estimate { point: 460.0, interval: Some(interval), n: 9 };
        assert_eq!(difference(&pairs, Level::P95), Ok(expected));
    }

    /// By hand: of the 21 averages of 1 2 4 8 16 32 the extremes are the interval at k = 1, and the eleventh is 8.5.
    #[test]
    fn six_pairs_are_bounded_by_their_extremes() {
        let pairs = [33.0, 17.0, 9.0, 5.0, 3.0, 2.0].map(|value| (value, 1.0));
        let estimate = difference(&pairs, Level::P95).unwrap();
        let interval = Interval { low: 1.0, high: 32.0, coverage: 0.968_75 };
        assert_eq!(estimate, Estimate { point: 8.5, interval: Some(interval), n: 6 });
    }

    /// Powers of two, so that logarithms are whole multiples: 1 2 4 8 16 32 has its centre at 2^2.5.
    #[test]
    fn a_ratio_is_the_centre_of_logarithms() {
        let pairs = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0].map(|value| (3.0 * value, 3.0));
        let estimate = ratio(&pairs, Level::P95).unwrap();
        assert!(close(estimate.point, 2_f64.powf(2.5)), "{estimate:?}");
        let interval = estimate.interval.unwrap();
        assert!(close(interval.low, 1.0) && close(interval.high, 32.0), "{estimate:?}");
    }

    /// The centre is the same. Neighbours that are alike make the interval wider than that of independent pairs, and those
    /// that are unlike do not make it narrower.
    #[test]
    fn dependent_pairs_have_the_same_centre_and_never_a_narrower_interval() {
        let of = |high: fn(u32) -> bool| -> [Estimate; 2] {
            let value = |block: u32| if high(block) { 1.3 } else { 1.0 } + f64::from(block % 3) / 50.0;
            let pairs: Vec<_> = (0..24).map(|block| (value(block), 1.0)).collect();
            [ratio(&pairs, Level::P95).unwrap(), dependent(&pairs).unwrap()]
        };
        let width = |estimate: &Estimate| estimate.interval.map(|one| one.high / one.low).unwrap();
        let [apart, alike] = of(|block| block < 12);
        assert!(close(apart.point, alike.point) && width(&alike) > width(&apart), "{alike:?} against {apart:?}");
        assert_eq!(of(|block| block < 12)[1], alike, "the same rows give the same interval");
        let [apart, unlike] = of(|block| block % 2 == 0);
        assert!(width(&unlike) >= width(&apart), "{unlike:?} against {apart:?}");
        assert_eq!(dependent(&[(2.0, 1.0); 5]).unwrap().interval, None);
        assert_eq!(dependent(&[(0.0, 1.0)]), Err(Unusable::NotPositive(0.0)));
    }

    /// 400 series of 600 values, each 0.8 of the one before it and noise: three standard errors of the observed coverage are
    /// 0.033. An interval that supposes independence covers 0 in about half of them.
    #[test]
    fn groups_cover_a_long_series_of_neighbours_as_often_as_they_say() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let (mut by_groups, mut by_values) = (0, 0);
        let covers = |estimate: &Estimate| estimate.interval.is_some_and(|one| one.low <= 0.0 && 0.0 <= one.high);
        for _ in 0..400 {
            let mut state = 0.0;
            let series: Vec<f64> = (0..600)
                .map(|_| {
                    state = 0.8 * state + random.random_range(-1.0_f64..1.0);
                    state
                })
                .collect();
            by_groups += u32::from(covers(&of_groups(&series, Level::P95).unwrap()));
            by_values += u32::from(covers(&hodges_lehmann(&Ordered::new(series).unwrap(), Level::P95)));
        }
        assert!((f64::from(by_groups) / 400.0 - 0.95).abs() < 0.033, "{by_groups} of 400");
        assert!(by_values < 260, "{by_values} of 400");
    }

    #[test]
    fn a_long_dependent_ratio_reaches_farther_than_an_independent_one() {
        let pairs: Vec<_> = (0..900).map(|block| (if block / 90 % 2 == 0 { 1.3 } else { 1.0 }, 1.0)).collect();
        let [apart, alike] = [ratio(&pairs, Level::P95).unwrap(), dependent(&pairs).unwrap()];
        let (narrow, wide) = (apart.interval.unwrap(), alike.interval.unwrap());
        assert!(close(apart.point, alike.point) && wide.low < narrow.low && narrow.high < wide.high, "{wide:?}");
    }

    #[test]
    fn what_has_no_ratio_is_refused() {
        assert_eq!(ratio(&[(1.0, 1.0), (0.0, 2.0)], Level::P95), Err(Unusable::NotPositive(0.0)));
        assert_eq!(ratio(&[(1.0, -2.0)], Level::P95), Err(Unusable::NotPositive(-2.0)));
        assert!(matches!(ratio(&[(f64::NAN, 1.0)], Level::P95), Err(Unusable::NotFinite(_))));
        assert_eq!(difference(&[], Level::P95), Err(Unusable::Empty));
    }

    #[test]
    fn one_pair_is_a_point_without_an_interval() {
        assert_eq!(difference(&[(5.0, 3.0)], Level::P90), Ok(Estimate { point: 2.0, interval: None, n: 1 }));
    }

    /// 2 000 samples of ten values from a symmetric distribution centred at 0: three standard errors of the observed
    /// coverage are 0.0145.
    #[test]
    fn intervals_cover_as_often_as_they_say() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let samples = 2_000;
        let mut covered = 0;
        let mut stated = 0.0;
        for _ in 0..samples {
            // The cube has heavy tails: normal theory would be wrong here.
            let values = Ordered::new((0..10).map(|_| random.random_range(-1.0_f64..1.0).powi(3))).unwrap();
            let interval = hodges_lehmann(&values, Level::P95).interval.unwrap();
            covered += u32::from(interval.low <= 0.0 && 0.0 <= interval.high);
            stated = interval.coverage;
        }
        let observed = f64::from(covered) / f64::from(samples);
        assert!((observed - stated).abs() < 0.0145, "{observed} against {stated}");
    }

    fn whole(values: &[i32]) -> Vec<f64> {
        values.iter().map(|&value| f64::from(value)).collect()
    }

    proptest! {
        #[test]
        fn an_interval_covers_its_level_and_holds_the_estimate(
            values in prop::collection::vec(-1e9..1e9, 6..60), narrow in any::<bool>(),
        ) {
            let level = if narrow { Level::P90 } else { Level::P95 };
            let estimate = hodges_lehmann(&Ordered::new(values).unwrap(), level);
            let interval = estimate.interval.unwrap();
            prop_assert!(interval.low <= estimate.point && estimate.point <= interval.high);
            prop_assert!((level.probability()..=1.0).contains(&interval.coverage));
        }

        #[test]
        fn a_shift_and_a_scale_go_through(
            values in prop::collection::vec(-1_000_000..1_000_000, 6..40), shift in -1_000_000..1_000_000,
        ) {
            let values = whole(&values);
            let moved = values.iter().map(|value| value * 4.0 + f64::from(shift));
            let original = hodges_lehmann(&Ordered::new(values.iter().copied()).unwrap(), Level::P95);
            let expected = original.map(|value| value * 4.0 + f64::from(shift));
            prop_assert_eq!(hodges_lehmann(&Ordered::new(moved).unwrap(), Level::P95), expected);
        }

        #[test]
        fn the_order_of_the_pairs_does_not_matter(
            pairs in prop::collection::vec((1_i32..1_000_000, 1_i32..1_000_000), 1..40), start in any::<prop::sample::Index>(),
        ) {
            let mut pairs: Vec<_> = pairs.iter().map(|&(a, b)| (f64::from(a), f64::from(b))).collect();
            let before = ratio(&pairs, Level::P95);
            let start = start.index(pairs.len());
            pairs.rotate_left(start);
            prop_assert_eq!(ratio(&pairs, Level::P95), before);
        }

        #[test]
        fn exchanging_the_two_sides_inverts_the_ratio(
            pairs in prop::collection::vec((1_i32..1_000_000, 1_i32..1_000_000), 6..40),
        ) {
            let forth: Vec<_> = pairs.iter().map(|&(a, b)| (f64::from(a), f64::from(b))).collect();
            let back: Vec<_> = forth.iter().map(|&(a, b)| (b, a)).collect();
            let (forth, back) = (ratio(&forth, Level::P95).unwrap(), ratio(&back, Level::P95).unwrap());
            let (there, again) = (forth.interval.unwrap(), back.interval.unwrap());
            prop_assert!(close(forth.point * back.point, 1.0));
            prop_assert!(close(there.low * again.high, 1.0) && close(there.high * again.low, 1.0));
        }
    }
}
