//! Values far from the others. They are flagged and kept: a slow run is a measurement too.

use super::Ordered;

/// A modified z above this is flagged: ten standard deviations, were the values normal. It is hyperfine's threshold.
const FAR: f64 = 10.0;

/// The MAD times this estimates the standard deviation of normal values: 1 / Φ⁻¹(3/4).
const NORMAL: f64 = 1.482_602_218_505_602;

/// Tukey's fences, in the values' unit: beyond `mild` a value is an outlier, beyond `severe` a severe one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Fences {
    /// [Q1 - 1.5 IQR, Q3 + 1.5 IQR]
    mild: (f64, f64),
    /// [Q1 - 3 IQR, Q3 + 3 IQR]
    severe: (f64, f64),
}

impl Fences {
    /// From the quartiles Q1 and Q3 of type 7, IQR = Q3 - Q1. Tukey, "Exploratory Data Analysis" (1977), section 2D,
    /// whose own quartiles (hinges) differ a little. Where the middle half is equal, the fences lie on it.
    fn of(sample: &Ordered) -> Self {
        let (first, third) = sample.quartiles();
        let fences = |width: f64| (first - width * (third - first), third + width * (third - first));
        Self { mild: fences(1.5), severe: fences(3.0) }
    }
}

/// Distance from the median, in standard deviations that outliers do not stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ModifiedZ {
    median: f64,
    scale: f64,
}

impl ModifiedZ {
    /// Empty where the MAD is 0, because at least half of the values are equal: there is no unit to measure in.
    fn of(sample: &Ordered) -> Option<Self> {
        let scale = NORMAL * sample.mad();
        (scale > 0.0).then(|| Self { median: sample.median(), scale })
    }

    /// `(x - median) / (1.4826 MAD)`, negative below the median. Iglewicz and Hoaglin, "How to Detect and Handle
    /// Outliers" (1993), who write it as 0.6745 (x - median) / MAD.
    fn score(self, value: f64) -> f64 {
        (value - self.median) / self.scale
    }
}

/// How many values are outliers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outliers {
    /// Beyond the mild fences and within the severe ones.
    pub mild: usize,
    pub severe: usize,
    /// With a modified z above `FAR` in size; empty where there is none.
    pub far: Option<usize>,
}

impl Outliers {
    pub fn of(sample: &Ordered) -> Self {
        let Fences { mild, severe } = Fences::of(sample);
        let severe = beyond(sample, |value| value < severe.0, |value| value > severe.1);
        let all = beyond(sample, |value| value < mild.0, |value| value > mild.1);
        let far =
            ModifiedZ::of(sample).map(|z| beyond(sample, |value| z.score(value) < -FAR, |value| z.score(value) > FAR));
        Self { mild: all - severe, severe, far }
    }
}

/// How many values are low or high: the first ones and the last ones.
fn beyond(sample: &Ordered, low: impl Fn(f64) -> bool, high: impl Fn(f64) -> bool) -> usize {
    let values = sample.values();
    let (lows, not_high) = (values.partition_point(|value| low(*value)), values.partition_point(|value| !high(*value)));
    lows + values.len() - not_high
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ordered(values: &[f64]) -> Ordered {
        Ordered::new(values.iter().copied()).unwrap()
    }

    /// By hand, with the quartiles of R's `quantile`: of 1 to 9, 14, 30 they are 3.5 and 8.5, so IQR 5.
    #[test]
    fn fences_lie_beyond_the_quartiles() {
        let sample = ordered(&[9.0, 2.0, 3.0, 30.0, 5.0, 6.0, 7.0, 8.0, 1.0, 14.0, 4.0]);
        assert_eq!(Fences::of(&sample), Fences { mild: (-4.0, 16.0), severe: (-11.5, 23.5) });
        assert_eq!(Outliers::of(&sample), Outliers { mild: 0, severe: 1, far: Some(0) });
    }

    /// By hand: median 3, MAD 1, so 100 has (100 - 3) / 1.4826.
    #[test]
    fn a_modified_z_is_not_stretched_by_what_it_finds() {
        let sample = ordered(&[1.0, 2.0, 3.0, 4.0, 100.0]);
        let z = ModifiedZ::of(&sample).unwrap();
        assert!((z.score(100.0) - 65.425_5).abs() < 1e-4, "{}", z.score(100.0));
        assert!((z.score(2.0) + 0.674_490).abs() < 1e-6);
        assert_eq!(Outliers::of(&sample).far, Some(1));
    }

    /// A first run that has to read everything, as users of hyperfine met it.
    #[test]
    fn a_slow_first_run_is_flagged_and_moves_no_median() {
        let rest = [18.0, 17.6, 18.3, 18.5, 17.8, 18.1, 18.4, 17.7, 18.2];
        let all: Vec<f64> = [31.3].into_iter().chain(rest).collect();
        assert_eq!(Outliers::of(&ordered(&all)), Outliers { mild: 0, severe: 1, far: Some(1) });
        assert!((ordered(&all).median() - ordered(&rest).median()).abs() < 0.1);
        assert!(ordered(&all).mean() - ordered(&rest).mean() > 1.0, "a mean is moved");
    }

    /// All alike but one by a tenth of a millisecond, as users of hyperfine met it: there is no unit for an alarm.
    #[test]
    fn a_microscopic_difference_is_not_far() {
        let times: Vec<f64> = std::iter::repeat_n(18e9, 9).chain([18e9 + 1e5]).collect();
        assert_eq!(Outliers::of(&ordered(&times)).far, None);
    }

    #[test]
    fn a_value_on_a_fence_is_within() {
        let sample = ordered(&[0.0, 1.0, 2.0, 3.0, 4.0, 7.0]);
        assert_eq!(Fences::of(&sample).mild, (-2.5, 7.5));
        assert_eq!(Outliers::of(&sample), Outliers { mild: 0, severe: 0, far: Some(0) });
        let sample = ordered(&[0.0, 1.0, 2.0, 3.0, 6.0]);
        assert_eq!((Fences::of(&sample).mild, Outliers::of(&sample).mild), ((-2.0, 6.0), 0));
    }

    #[test]
    fn equal_values_have_no_outlier_and_no_z() {
        for values in [&[5.0][..], &[5.0; 4]] {
            assert_eq!(Outliers::of(&ordered(values)), Outliers { mild: 0, severe: 0, far: None });
        }
        // Most are equal: any other value is beyond the fences, and there is no unit for a z.
        let most = ordered(&[5.0, 5.0, 5.0, 5.0, 6.0]);
        assert_eq!(Outliers::of(&most), Outliers { mild: 0, severe: 1, far: None });
    }

    proptest! {
        #[test]
        fn counting_by_halves_is_counting_each(values in prop::collection::vec(prop_oneof![-9_i32..9, -99_i32..99], 1..40)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let sample = ordered(&values);
            let Fences { mild, severe } = Fences::of(&sample);
            let outside = |fence: (f64, f64)| values.iter().filter(|x| **x < fence.0 || **x > fence.1).count();
            let far = ModifiedZ::of(&sample).map(|z| values.iter().filter(|x| z.score(**x).abs() > FAR).count());
            let expected = Outliers { mild: outside(mild) - outside(severe), severe: outside(severe), far };
            prop_assert_eq!(Outliers::of(&sample), expected);
            prop_assert!(severe.0 <= mild.0 && mild.0 <= mild.1 && mild.1 <= severe.1);
        }

        #[test]
        fn a_slower_outlier_stays_one(values in prop::collection::vec(0_i32..1000, 8..40), more in 0_i32..1000) {
            let with = |last: i32| ordered(&values.iter().copied().chain([last]).map(f64::from).collect::<Vec<_>>());
            // The largest value moves no quartile of nine values or more by growing.
            let (least, most) = (with(1000), with(1000 + more));
            let all = |sample: &Ordered| Outliers::of(sample).mild + Outliers::of(sample).severe;
            prop_assert!(all(&least) <= all(&most));
        }
    }
}
