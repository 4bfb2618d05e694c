//! The ratio of two independent samples by Hodges and Lehmann, with the exact rank-sum interval.

use super::rank_sum::RankSum;
use super::{Estimate, Interval, Level, Ordered, Unusable};

/// How many times as large the values of `new` are as those of `base`, where no value of one belongs to one of the
/// other: the median of ln(y / x) over all pairs of an x of `base` and a y of `new`, with the interval between the
/// k-th smallest and the k-th largest of them that inverts the Mann-Whitney test, put back on the scale of ratios. It
/// supposes that the two samples are independent and have distributions of one shape. Hodges and Lehmann, "Estimates
/// of location based on rank tests", Annals of Mathematical Statistics 34 (1963); Hollander, Wolfe and Chicken,
/// "Nonparametric Statistical Methods", 3rd edition, sections 4.2 and 4.3. Where all quotients are the same there is
/// no interval: there is no spread to take one from.
///
/// # Errors
/// No value in one of the samples, one that is not finite, or one that is not positive.
pub fn unpaired_ratio(base: &[f64], new: &[f64], level: Level) -> Result<Estimate, Unusable> {
    if let Some(wrong) = base.iter().chain(new).find(|value| **value <= 0.0) {
        return Err(Unusable::NotPositive(*wrong));
    }
    let logarithms = Ordered::new(new.iter().flat_map(|y| base.iter().map(move |x| (y / x).ln())))?;
    let values = logarithms.values();
    let rank = RankSum::new(new.len(), base.len()).rank(level).filter(|_| !logarithms.constant());
    let interval = rank.map(|rank| {
        let k = rank.k as usize;
        Interval { low: values[k - 1], high: values[values.len() - k], coverage: rank.coverage }
    });
    Ok(Estimate { point: logarithms.median(), interval, n: base.len() + new.len() }.map(f64::exp))
}

/// The fewest values in each of two samples for which an interval of this level exists.
pub fn fewest_unpaired(level: Level) -> usize {
    (1..).find(|n| RankSum::new(*n, *n).rank(level).is_some()).expect("every level is below 1")
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn exps(values: &[f64]) -> Vec<f64> {
        values.iter().map(|value| value.exp()).collect()
    }

    /// By hand: differences of 5 6 7 8 and 1 2 3 4 are from 1 to 7, 4 the most frequent; with four and four the
    /// interval is from the smallest to the largest, at 1 - 2 / 70.
    #[test]
    fn four_and_four_are_bounded_by_their_extremes() {
        let estimate = unpaired_ratio(&exps(&[1.0, 2.0, 3.0, 4.0]), &exps(&[5.0, 6.0, 7.0, 8.0]), Level::P95).unwrap();
        let interval = estimate.interval.unwrap();
        assert!((estimate.point.ln() - 4.0).abs() < 1e-9 && estimate.n == 8);
        assert!((interval.low.ln() - 1.0).abs() < 1e-9 && (interval.high.ln() - 7.0).abs() < 1e-9);
        assert!((interval.coverage - (1.0 - 2.0 / 70.0)).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_ratio_is_refused_and_a_constant_has_no_interval() {
        assert_eq!(unpaired_ratio(&[], &[1.0], Level::P95), Err(Unusable::Empty));
        assert_eq!(unpaired_ratio(&[1.0], &[], Level::P95), Err(Unusable::Empty));
        assert_eq!(unpaired_ratio(&[1.0], &[0.0], Level::P95), Err(Unusable::NotPositive(0.0)));
        assert!(matches!(unpaired_ratio(&[1.0], &[f64::NAN], Level::P95), Err(Unusable::NotFinite(_))));
        let constant = unpaired_ratio(&[2.0; 9], &[3.0; 9], Level::P95).unwrap();
        assert_eq!((constant.interval, constant.n), (None, 18));
        assert!((constant.point - 1.5).abs() < 1e-12);
    }

    #[test]
    fn an_interval_takes_more_blocks_the_more_cases_it_is_one_of() {
        let fewest = |cases| fewest_unpaired(Level::Joint95(NonZeroUsize::new(cases).unwrap()));
        assert_eq!(fewest_unpaired(Level::P95), 4);
        // 2 / C(12, 6) = 1 / 462, 2 / C(14, 7) = 1 / 1716, 2 / C(16, 8) = 1 / 6435; each has room for a twentieth of that.
        assert_eq!([1, 23, 24, 85, 86, 321, 322].map(fewest), [4, 6, 7, 7, 8, 8, 9]);
    }

    /// 2 000 pairs of samples of one distribution; three standard errors of the observed coverage are 0.0146.
    #[test]
    fn intervals_cover_as_often_as_they_say() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        for (base, new) in [(7, 7), (10, 20)] {
            let (mut covered, mut stated) = (0, 0.0);
            for _ in 0..2_000 {
                // The cube has heavy tails: normal theory would be wrong here.
                let mut sample =
                    |n: usize| (0..n).map(|_| random.random_range(-1.0_f64..1.0).powi(3).exp()).collect::<Vec<_>>();
                let interval = unpaired_ratio(&sample(base), &sample(new), Level::P95).unwrap().interval.unwrap();
                covered += u32::from(interval.low <= 1.0 && 1.0 <= interval.high);
                stated = interval.coverage;
            }
            let observed = f64::from(covered) / 2_000.0;
            assert!((observed - stated).abs() < 0.0146, "{base}, {new}: {observed} against {stated}");
        }
    }

    proptest! {
        #[test]
        fn exchanging_the_two_samples_inverts_the_ratio(
            base in prop::collection::vec(1_i32..1_000_000, 4..20), new in prop::collection::vec(1_i32..1_000_000, 4..20),
        ) {
            let floats = |values: &[i32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
            let (base, new) = (floats(&base), floats(&new));
            let forth = unpaired_ratio(&base, &new, Level::P95).unwrap();
            let back = unpaired_ratio(&new, &base, Level::P95).unwrap();
            let close = |product: f64| (product - 1.0).abs() < 1e-9;
            prop_assert!(close(forth.point * back.point));
            if let (Some(there), Some(again)) = (forth.interval, back.interval) {
                prop_assert!(close(there.low * again.high) && close(there.high * again.low));
                prop_assert!(there.low <= forth.point && forth.point <= there.high);
                prop_assert!((0.95..=1.0).contains(&there.coverage));
            }
        }
    }
}
