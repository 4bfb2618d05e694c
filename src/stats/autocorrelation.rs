//! Whether values that follow one another are alike.

use super::{Ordered, Unusable};

/// Lag-1 autocorrelation of values in the order in which they were measured, without a unit, from -1 to 1:
/// `Σ (x_t - x̄)(x_{t+1} - x̄) / Σ (x_t - x̄)²`, the first sum one term shorter. Box and Jenkins, "Time Series Analysis"
/// (1970), section 2.1.5. Independent values have about -1/n on average and, at 95 %, less than 2/√n in size.
///
/// Empty for one value, and where all are equal.
///
/// # Errors
/// No value, one that is not finite, or values whose sum overflows.
pub fn autocorrelation(series: &[f64]) -> Result<Option<f64>, Unusable> {
    autocorrelation_of(series, &Ordered::new(series.iter().copied())?)
}

/// The same, given the values in ascending order too.
pub(super) fn autocorrelation_of(series: &[f64], ordered: &Ordered) -> Result<Option<f64>, Unusable> {
    if ordered.constant() {
        return Ok(None);
    }
    let mean = ordered.mean();
    if !mean.is_finite() {
        return Err(Unusable::NotFinite(mean));
    }
    // Scaled, so that squares neither overflow nor vanish.
    let largest = (ordered.max() - mean).max(mean - ordered.min());
    let deviations: Vec<f64> = series.iter().map(|value| (value - mean) / largest).collect();
    let products: f64 = deviations.windows(2).map(|pair| pair[0] * pair[1]).sum();
    Ok(Some(products / deviations.iter().map(|deviation| deviation * deviation).sum::<f64>()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(series: &[f64]) -> f64 {
        autocorrelation(series).unwrap().unwrap()
    }

    /// Luteinizing hormone in blood, R's data set `lh`, whose `acf(lh)` prints 0.576; statsmodels 0.15: 0.57552448.
    #[test]
    fn the_published_series_is_reproduced() {
        let tenths = [
            24, 24, 24, 22, 21, 15, 23, 23, 25, 20, 19, 17, 22, 18, 32, 32, 27, 22, 22, 19, 19, 18, 27, 30, 23, 20, 20,
            29, 29, 27, 27, 23, 26, 24, 18, 17, 15, 14, 21, 33, 35, 35, 31, 26, 21, 34, 30, 29,
        ];
        let series: Vec<f64> = tenths.iter().map(|tenth| f64::from(*tenth) / 10.0).collect();
        assert!((of(&series) - 0.575_524_48).abs() < 1e-8, "{}", of(&series));
    }

    /// By hand: deviations -1, 1, -1, 1 give (-3) / 4; deviations -1.5 -0.5 0.5 1.5 give (0.75 - 0.25 + 0.75) / 5.
    #[test]
    fn alternating_is_negative_and_rising_positive() {
        assert_eq!(of(&[1.0, 3.0, 1.0, 3.0]), -0.75);
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0]), 0.25);
    }

    #[test]
    fn what_has_none_is_empty_or_refused() {
        assert_eq!(autocorrelation(&[1.0]), Ok(None));
        assert_eq!(autocorrelation(&[2.0; 5]), Ok(None));
        assert_eq!(autocorrelation(&[]), Err(Unusable::Empty));
        assert!(matches!(autocorrelation(&[1.0, f64::NAN]), Err(Unusable::NotFinite(_))));
        assert_eq!(autocorrelation(&[f64::MAX, f64::MAX, 1.0]), Err(Unusable::NotFinite(f64::INFINITY)));
    }

    proptest! {
        #[test]
        fn it_lies_within_one_and_ignores_direction_and_scale(
            series in prop::collection::vec(-1e6..1e6, 2..60), shift in -1e3..1e3,
        ) {
            let original = of(&series);
            prop_assert!(original.abs() <= 1.0);
            let backwards: Vec<f64> = series.iter().rev().map(|value| 3.0 * value + shift).collect();
            prop_assert!((of(&backwards) - original).abs() < 1e-6);
        }
    }
}
