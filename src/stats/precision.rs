//! When a run that may end early has seen enough.

use super::Estimate;

/// Blocks at which such a run is first looked at, and between two looks.
const FIRST: u32 = 10;
const BETWEEN: u32 = 5;

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
