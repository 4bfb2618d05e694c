//! A statistic of several runs, of which each is alike within itself.

use rand::RngExt as _;

use super::resample::{RESAMPLES, distribution, percentile};
use super::{Estimate, Level, Ordered, Unusable};

/// The statistic of the values of all runs together, one list per run, with its percentile interval from 10 000
/// resamples: first as many runs as there are, then of each as many values as it has, both with replacement. So what
/// differs from run to run is in it. Davison and Hinkley, "Bootstrap Methods and their Application" (1997), section 3.8;
/// Ren et al., "Nonparametric bootstrapping for hierarchical data", Journal of Applied Statistics 37 (2010). The order
/// of values within a run, and that of runs, change the random draw and nothing else.
///
/// No interval for fewer than two runs, nor where all values are equal. With few runs it covers less than its level.
///
/// # Errors
/// No run, a run without a value, a value that is not finite, or a statistic that overflows.
pub(super) fn hierarchical_bootstrap(
    runs: &[Vec<f64>],
    statistic: impl Fn(&Ordered) -> f64,
    level: Level,
    seed: u64,
) -> Result<Estimate, Unusable> {
    if runs.iter().any(Vec::is_empty) {
        return Err(Unusable::Empty);
    }
    let all = Ordered::new(runs.iter().flatten().copied())?;
    let (point, n) = (statistic(&all), all.values().len());
    if runs.len() < 2 || all.constant() {
        return Ok(Estimate { point, interval: None, n });
    }
    let resampled = distribution(
        RESAMPLES,
        seed,
        |random, drawn| {
            for _ in runs {
                let run = &runs[random.random_range(0..runs.len())];
                drawn.extend((0..run.len()).map(|_| run[random.random_range(0..run.len())]));
            }
        },
        |drawn| Ok(statistic(&Ordered::new(drawn)?)),
    )?;
    Ok(percentile(point, n, level, &resampled))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By hand: each run is constant, so a resample is decided by its runs. All three are the first with chance 1/27 =
    /// 3.7 %, more than the 2.5 % that lie below the interval, so its bounds are the runs' own values. Values drawn without
    /// regard to runs would have a mean of 0 in 3^-30 of the resamples.
    #[test]
    fn runs_are_drawn_before_values() {
        let runs = [vec![0.0; 10], vec![1.0; 10], vec![2.0; 10]];
        let estimate = hierarchical_bootstrap(&runs, Ordered::mean, Level::P95, 1).unwrap();
        let interval = estimate.interval.unwrap();
        assert_eq!((estimate.point, estimate.n, interval.low, interval.high), (1.0, 30, 0.0, 2.0));
    }

    /// By hand: with two runs that are the same two values, four draws are all 0 with chance 1/16 = 6.25 %.
    #[test]
    fn values_are_drawn_within_runs() {
        let runs = [vec![0.0, 1.0], vec![0.0, 1.0]];
        let bounds = |level| {
            let interval = hierarchical_bootstrap(&runs, Ordered::mean, level, 1).unwrap().interval.unwrap();
            (interval.low, interval.high)
        };
        assert_eq!((bounds(Level::P90), bounds(Level::P95)), ((0.0, 1.0), (0.0, 1.0)));
        let apart = [vec![0.0, 1.0, 0.0, 1.0], vec![1.0, 0.0, 1.0, 0.0]];
        let interval = hierarchical_bootstrap(&apart, Ordered::mean, Level::P95, 1).unwrap().interval.unwrap();
        // Of eight fair draws, none is 1 with 0.4 % and at most one with 3.5 %.
        assert_eq!((interval.low, interval.high), (0.125, 0.875));
    }

    #[test]
    fn what_has_no_spread_has_no_interval() {
        let of = |runs: &[Vec<f64>]| hierarchical_bootstrap(runs, Ordered::median, Level::P95, 1);
        assert_eq!(of(&[vec![1.0, 2.0, 6.0]]), Ok(Estimate { point: 2.0, interval: None, n: 3 }));
        assert_eq!(of(&[vec![1.0], vec![1.0, 1.0]]), Ok(Estimate { point: 1.0, interval: None, n: 3 }));
        assert_eq!(of(&[]), Err(Unusable::Empty));
        assert_eq!(of(&[vec![1.0], Vec::new()]), Err(Unusable::Empty));
        assert!(matches!(of(&[vec![1.0], vec![f64::NAN]]), Err(Unusable::NotFinite(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn bounds_lie_within_the_data_and_a_seed_gives_the_same_again(
            runs in prop::collection::vec(prop::collection::vec(-1e6..1e6, 1..5), 2..5), seed: u64,
        ) {
            let estimate = hierarchical_bootstrap(&runs, Ordered::median, Level::P90, seed).unwrap();
            let all = Ordered::new(runs.iter().flatten().copied()).unwrap();
            let interval = estimate.interval.unwrap();
            prop_assert!(all.min() <= interval.low && interval.low <= interval.high && interval.high <= all.max());
            prop_assert_eq!(hierarchical_bootstrap(&runs, Ordered::median, Level::P90, seed), Ok(estimate));
        }
    }
}
