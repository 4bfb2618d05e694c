//! Finite values in ascending order, with what can be read off them: quantiles and spread.

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
    #[error("{0} is no p-value: one lies between 0 and 1")]
    NotProbability(f64),
    #[error("a pooled effect needs variances above 0, and one is {0}: leave out what has no spread")]
    NotVariance(f64),
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

    /// The `p`-quantile by linear interpolation between order statistics, h = (n - 1) p + 1; `p` is from 0
    /// to 1. Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996),
    /// definition 7; the default of R's `quantile`.
    pub(super) fn quantile(&self, p: f64) -> f64 {
        let place = (self.0.len() - 1) as f64 * p;
        let below = place.floor() as usize;
        let above = place.ceil() as usize;
        self.0[below] + (self.0[above] - self.0[below]) * (place - place.floor())
    }

    /// The arithmetic mean, in the values' unit; infinite where their sum is. It lies among the values, which their sum may
    /// miss by a rounding.
    pub fn mean(&self) -> f64 {
        let mean = self.0.iter().sum::<f64>() / self.0.len() as f64;
        if mean.is_finite() { mean.clamp(self.min(), self.max()) } else { mean }
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ordered(values: &[f64]) -> Ordered {
        Ordered::new(values.iter().copied()).unwrap()
    }

    /// In floating point three times 0.1 is more than 0.3.
    #[test]
    fn a_mean_lies_among_its_values() {
        assert_eq!(ordered(&[0.1; 3]).mean(), 0.1);
        assert_eq!(ordered(&[1.0, 2.0, 6.0]).mean(), 3.0);
        assert_eq!(ordered(&[f64::MAX; 2]).mean(), f64::INFINITY);
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
    }

    /// By hand: median 3, deviations 2 1 0 1 97.
    #[test]
    fn mad_sorts_the_deviations() {
        assert_eq!(ordered(&[100.0, 1.0, 3.0, 2.0, 4.0]).mad(), 1.0);
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
