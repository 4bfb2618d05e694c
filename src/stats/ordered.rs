//! Finite values in ascending order, with what can be read off them: quantiles, spread and fences.

/// Makes the median absolute deviation of normal data estimate their standard deviation: 1 / Φ⁻¹(3/4).
const NORMAL_MAD: f64 = 1.482_602_218_505_602;

/// At least one value, all finite, in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordered(Vec<f64>);

/// Values that no statistic is defined for.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Unusable {
    #[error("there is no value to take a statistic of: leave the case out")]
    Empty,
    #[error("{0} is not a finite number: leave missing values out before taking a statistic")]
    NotFinite(f64),
    #[error("a ratio needs positive values, and one is {0}: take the difference instead")]
    NotPositive(f64),
}

/// Tukey's fences: values outside the inner pair are mild outliers, outside the outer pair severe ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fences {
    /// Q1 - 1.5 IQR and Q3 + 1.5 IQR.
    pub inner: (f64, f64),
    /// Q1 - 3 IQR and Q3 + 3 IQR.
    pub outer: (f64, f64),
}

impl Ordered {
    /// # Errors
    /// No value at all, or one that is NaN or infinite.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Result<Self, Unusable> {
        let mut values: Vec<f64> = values.into_iter().collect();
        if let Some(&wrong) = values.iter().find(|value| !value.is_finite()) {
            return Err(Unusable::NotFinite(wrong));
        }
        if values.is_empty() {
            return Err(Unusable::Empty);
        }
        values.sort_by(f64::total_cmp);
        Ok(Self(values))
    }

    pub fn values(&self) -> &[f64] {
        &self.0
    }

    pub fn min(&self) -> f64 {
        self.0[0]
    }

    pub fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// Whether all values are the same.
    pub fn constant(&self) -> bool {
        self.min() == self.max()
    }

    /// The `p`-quantile by linear interpolation between order statistics, h = (n - 1) p + 1; `p` is held within
    /// 0 and 1. Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996),
    /// definition 7; the default of R's `quantile`.
    pub fn quantile(&self, p: f64) -> f64 {
        let place = (self.0.len() - 1) as f64 * p.clamp(0.0, 1.0);
        let below = place.floor() as usize;
        let above = place.ceil() as usize;
        self.0[below] + (self.0[above] - self.0[below]) * (place - place.floor())
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// First and third quartile.
    pub fn quartiles(&self) -> (f64, f64) {
        (self.quantile(0.25), self.quantile(0.75))
    }

    /// Median absolute deviation from the median, in the values' unit and not scaled. Hampel, "The influence curve
    /// and its role in robust estimation", JASA 69 (1974).
    pub fn mad(&self) -> f64 {
        let median = self.median();
        let mut deviations: Vec<f64> = self.0.iter().map(|value| (value - median).abs()).collect();
        deviations.sort_by(f64::total_cmp);
        Self(deviations).median()
    }

    /// The median absolute deviation times 1.4826, comparable to a standard deviation; the default of R's `mad`.
    pub fn scaled_mad(&self) -> f64 {
        NORMAL_MAD * self.mad()
    }

    /// Fences for flagging, never for dropping. Tukey, "Exploratory Data Analysis" (1977), with type 7 quartiles in
    /// place of his hinges.
    pub fn fences(&self) -> Fences {
        let (first, third) = self.quartiles();
        let fence = |width: f64| (first - width * (third - first), third + width * (third - first));
        Fences { inner: fence(1.5), outer: fence(3.0) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ordered(values: &[f64]) -> Ordered {
        Ordered::new(values.iter().copied()).unwrap()
    }

    #[test]
    fn nothing_and_not_a_number_are_refused() {
        assert_eq!(Ordered::new([]), Err(Unusable::Empty));
        assert!(matches!(Ordered::new([1.0, f64::NAN]), Err(Unusable::NotFinite(value)) if value.is_nan()));
        assert_eq!(Ordered::new([f64::INFINITY, 1.0]), Err(Unusable::NotFinite(f64::INFINITY)));
    }

    /// R: `quantile(c(1, 2, 3, 4))`, `quantile(1:10, c(.25, .9))`.
    #[test]
    fn quantiles_are_those_of_r() {
        let four = ordered(&[4.0, 2.0, 3.0, 1.0]);
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|p| four.quantile(p)), [1.0, 1.75, 2.5, 3.25, 4.0]);
        let ten = Ordered::new((1..=10).map(f64::from)).unwrap();
        assert_eq!((ten.quantile(0.25), ten.quantile(0.9)), (3.25, 9.1));
        assert_eq!(ordered(&[7.0]).quantile(0.3), 7.0);
        assert_eq!((four.quantile(-1.0), four.quantile(2.0)), (1.0, 4.0));
    }

    /// By hand: median 3, deviations 2 1 0 1 97. R: `mad(c(1, 2, 3, 4, 100))` is 1.4826.
    #[test]
    fn mad_sorts_the_deviations() {
        let values = ordered(&[100.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!(values.mad(), 1.0);
        assert!((values.scaled_mad() - 1.4826).abs() < 1e-5);
    }

    /// By hand: quartiles of 1..9 are 3 and 7.
    #[test]
    fn fences_stand_one_and_a_half_and_three_ranges_away() {
        let fences = Ordered::new((1..=9).map(f64::from)).unwrap().fences();
        assert_eq!(fences, Fences { inner: (-3.0, 13.0), outer: (-9.0, 19.0) });
    }

    proptest! {
        #[test]
        fn quantiles_rise_and_stay_within_the_data(
            values in prop::collection::vec(-1e12..1e12, 1..40), p in 0.0..1.0, q in 0.0..1.0,
        ) {
            let values = ordered(&values);
            let (p, q) = if p < q { (p, q) } else { (q, p) };
            prop_assert!(values.min() <= values.quantile(p));
            prop_assert!(values.quantile(p) <= values.quantile(q));
            prop_assert!(values.quantile(q) <= values.max());
        }

        #[test]
        fn spread_ignores_a_shift_and_follows_a_scale(
            values in prop::collection::vec(-1_000_000..1_000_000, 1..40), shift in -1_000_000..1_000_000,
        ) {
            let original = Ordered::new(values.iter().map(|&value| f64::from(value))).unwrap();
            let moved = Ordered::new(values.iter().map(|&value| f64::from(value) * -2.0 + f64::from(shift))).unwrap();
            prop_assert_eq!(moved.mad(), 2.0 * original.mad());
            prop_assert_eq!(moved.median(), -2.0 * original.median() + f64::from(shift));
        }
    }
}
