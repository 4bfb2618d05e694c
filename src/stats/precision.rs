//! When a run that may end early has seen enough.

use std::f64::consts::PI;

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::Estimate;

/// Blocks at which such a run is first looked at, and between two looks.
const FIRST: u32 = 10;
const BETWEEN: u32 = 5;
/// Twice one half to the power of n is above 5 % for fewer.
const FEWEST: u32 = 6;

/// The numbers of measured blocks after which to look, the last of them `last`: 10, 15, 20, and so on.
pub fn looks(last: u32) -> impl Iterator<Item = u32> {
    (FIRST..last).step_by(BETWEEN as usize).chain([last])
}

/// How closely the least known of these ratios is known: the factor, less 1, by which either bound of its interval is away
/// from the middle, `√(high / low) - 1`. It is the same for a ratio and its inverse, and for any size of the ratio: where
/// the interval lies, and whether it excludes 1, has no part in it, so a run cannot end because its result pleases.
/// Nordin and Schultzberg, "Precision-based designs for sequential randomized experiments", arXiv 2405.03487 (2024): for
/// means, with a width fixed beforehand intervals keep their coverage as it gets small.
///
/// Empty where there is no ratio, or one without an interval.
pub fn half_width<'a>(ratios: impl IntoIterator<Item = &'a Estimate>) -> Option<f64> {
    let widths = ratios.into_iter().map(|ratio| ratio.interval.map(|one| (one.high / one.low).sqrt() - 1.0));
    widths.reduce(|widest, width| Some(widest?.max(width?))).flatten()
}

/// How much one time differs from the next, as a part of it, on a machine that is fit for measuring.
pub const FORESEEN_NOISE: f64 = 0.05;

/// The half-width that the interval of a ratio will have after so many blocks, where single times have this relative
/// standard deviation: `exp(t σ √2 / √(n · 3/π)) - 1`, t being that of Student at 97.5 % with n - 1 degrees of freedom, and
/// 3/π the efficiency of Hodges and Lehmann's centre for normal values (Lehmann, "Nonparametrics", 1975, section 4.3).
/// Empty below six blocks, which give no interval.
pub fn foreseen_half_width(blocks: u32, noise: f64) -> Option<f64> {
    Some((noise * per_noise(blocks)?).exp_m1())
}

/// The noise of single times of which so many blocks came to this half-width: the inverse of [`foreseen_half_width`].
pub fn implied_noise(blocks: u32, half_width: f64) -> Option<f64> {
    Some(half_width.ln_1p() / per_noise(blocks)?)
}

/// Half-width of a ratio's logarithm for a noise of 1.
fn per_noise(blocks: u32) -> Option<f64> {
    if blocks < FEWEST {
        return None;
    }
    let n = f64::from(blocks);
    let t = StudentsT::new(0.0, 1.0, n - 1.0).expect("freedom is positive").inverse_cdf(0.975);
    Some(t * (2.0 / (n * 3.0 / PI)).sqrt())
}

/// The first look at which that half-width is reached; empty where it is not even at the last.
pub fn enough_blocks(goal: f64, noise: f64, last: u32) -> Option<u32> {
    looks(last).find(|blocks| foreseen_half_width(*blocks, noise).is_some_and(|width| width <= goal))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::Interval;

    fn ratio(low: f64, high: f64) -> Estimate {
        Estimate { point: (low * high).sqrt(), interval: Some(Interval { low, high, coverage: 0.95 }), n: 20 }
    }

    #[test]
    fn looks_are_five_blocks_apart_and_end_with_the_last() {
        assert_eq!(looks(40).collect::<Vec<_>>(), [10, 15, 20, 25, 30, 35, 40]);
        assert_eq!(looks(22).collect::<Vec<_>>(), [10, 15, 20, 22]);
        assert_eq!(looks(10).collect::<Vec<_>>(), [10]);
        assert_eq!(looks(7).collect::<Vec<_>>(), [7]);
    }

    /// By hand: √(1.21 / 1) = 1.1.
    #[test]
    fn the_widest_ratio_decides() {
        let (close, wide) = (ratio(1.40, 1.44), ratio(1.0, 1.21));
        let found = half_width([&close, &wide, &close]).unwrap();
        assert!((found - 0.1).abs() < 1e-12, "{found}");
        assert!(half_width([&close]).unwrap() < 0.02);
    }

    /// Simulated before (10, 20 and 30 blocks): 2.0, 1.3, 1.1 % for a noise of 2 %; 4.9, 3.4, 2.7 % for 5 %; 10, 6.7, 5.3 %
    /// for 10 %.
    #[test]
    fn widths_are_about_those_that_were_simulated() {
        for (noise, simulated) in [(0.02, [2.0, 1.3, 1.1]), (0.05, [4.9, 3.4, 2.7]), (0.1, [10.0, 6.7, 5.3])] {
            for (blocks, expected) in [10, 20, 30].into_iter().zip(simulated) {
                let found = foreseen_half_width(blocks, noise).unwrap() * 100.0;
                assert!((found / expected - 1.0).abs() < 0.13, "{blocks} blocks, noise {noise}: {found} %");
            }
        }
        assert_eq!((foreseen_half_width(5, 0.01), implied_noise(5, 0.01)), (None, None));
        let back = implied_noise(12, foreseen_half_width(12, 0.03).unwrap()).unwrap();
        assert!((back - 0.03).abs() < 1e-12, "{back}");
    }

    #[test]
    fn more_noise_takes_more_blocks_and_too_much_too_many() {
        assert_eq!([0.01, 0.02, 0.03].map(|noise| enough_blocks(0.02, noise, 40)), [Some(10), Some(15), Some(25)]);
        assert_eq!(enough_blocks(0.02, 0.1, 40), None);
    }

    #[test]
    fn what_has_no_interval_is_not_known_closely() {
        let point = Estimate { interval: None, ..ratio(1.0, 1.0) };
        for ratios in [&[][..], &[&point], &[&ratio(1.0, 1.01), &point], &[&point, &ratio(1.0, 1.01)]] {
            assert_eq!(half_width(ratios.iter().copied()), None);
        }
    }

    proptest! {
        #[test]
        fn neither_size_nor_direction_of_a_ratio_matters(low in 0.1..10.0, width in 1.0..1.2, size in 0.01..100.0) {
            let (low, width): (f64, f64) = (low, width);
            let high = low * width;
            let expected = half_width([&ratio(low, high)]).unwrap();
            for same in [ratio(low * size, high * size), ratio(1.0 / high, 1.0 / low)] {
                prop_assert!((half_width([&same]).unwrap() - expected).abs() < 1e-9);
            }
        }
    }
}
