//! One effect from several hosts that need not share it.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{Estimate, Interval, Level, Ordered, Unusable};

/// Hosts below which no pooled number is given: the spread between two is no more than their difference.
const FEWEST: usize = 3;

/// What one host found, such as the logarithm of a ratio, and the square of its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    pub value: f64,
    pub variance: f64,
}

/// The mean of the effects, and how much they differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pooled {
    /// In the unit of the effects; `n` is the number of hosts. Its interval is empty where all effects are equal.
    pub estimate: Estimate,
    /// Variance between hosts, in the squared unit of the effects; 0 where they differ no more than their errors do.
    pub tau2: f64,
    /// Share of the differences that is more than error, from 0 to 1.
    pub i2: f64,
}

/// The random-effects mean `μ = Σ wᵢ yᵢ / Σ wᵢ`, `wᵢ = 1 / (vᵢ + τ²)`, with the variance between hosts of DerSimonian and
/// Laird, `τ² = max(0, (Q - (k - 1)) / (S₁ - S₂ / S₁))`, Q and the sums S of powers of the weights being those of
/// `wᵢ = 1 / vᵢ`, and the interval of Hartung and Knapp, μ ± t_(k-1) √q, `q = Σ wᵢ (yᵢ - μ)² / ((k - 1) Σ wᵢ)`.
/// DerSimonian and Laird, "Meta-analysis in clinical trials", Controlled Clinical Trials 7 (1986); Hartung and Knapp, "A
/// refined method for the meta-analysis of controlled clinical trials with binary outcome", Statistics in Medicine 20
/// (2001); `I² = max(0, 1 - (k - 1) / Q)`: Higgins and Thompson, Statistics in Medicine 21 (2002).
///
/// Empty for fewer than three hosts: list what each of them found.
///
/// # Errors
/// No effect, one that is not finite, or a variance that is not above 0.
pub fn random_effects(effects: &[Effect], level: Level) -> Result<Option<Pooled>, Unusable> {
    let values = Ordered::new(effects.iter().map(|effect| effect.value))?;
    Ordered::new(effects.iter().map(|effect| effect.variance))?;
    if let Some(wrong) = effects.iter().find(|effect| effect.variance <= 0.0) {
        return Err(Unusable::NotVariance(wrong.variance));
    }
    if effects.len() < FEWEST {
        return Ok(None);
    }
    let freedom = (effects.len() - 1) as f64;
    let fixed = Weighted::new(effects, 0.0);
    let excess = fixed.spread - freedom;
    let tau2 = (excess / (fixed.weight - fixed.squares / fixed.weight)).max(0.0);
    let i2 = if fixed.spread > 0.0 { (excess / fixed.spread).max(0.0) } else { 0.0 };
    let random = Weighted::new(effects, tau2);
    let error = (random.spread / (freedom * random.weight)).sqrt();
    let interval = (!values.constant()).then(|| interval(random.mean, error, freedom, level));
    Ok(Some(Pooled { estimate: Estimate { point: random.mean, interval, n: effects.len() }, tau2, i2 }))
}

fn interval(mean: f64, error: f64, freedom: f64, level: Level) -> Interval {
    let t = StudentsT::new(0.0, 1.0, freedom).expect("freedom is positive");
    let half = t.inverse_cdf(f64::midpoint(1.0, level.probability())) * error;
    Interval { low: mean - half, high: mean + half, coverage: level.probability() }
}

/// The mean of effects by the inverse of their variance, `tau2` added to each.
struct Weighted {
    mean: f64,
    /// Σ w
    weight: f64,
    /// Σ w²
    squares: f64,
    /// Σ w (y - mean)²
    spread: f64,
}

impl Weighted {
    fn new(effects: &[Effect], tau2: f64) -> Self {
        let weights = effects.iter().map(|effect| (1.0 / (effect.variance + tau2), effect.value));
        let weight: f64 = weights.clone().map(|(weight, _)| weight).sum();
        let mean = weights.clone().map(|(weight, value)| weight * value).sum::<f64>() / weight;
        Self {
            mean,
            weight,
            squares: weights.clone().map(|(weight, _)| weight * weight).sum(),
            spread: weights.map(|(weight, value)| weight * (value - mean).powi(2)).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn effects(effects: &[(f64, f64)]) -> Vec<Effect> {
        effects.iter().map(|&(value, variance)| Effect { value, variance }).collect()
    }

    fn of(given: &[(f64, f64)]) -> Pooled {
        random_effects(&effects(given), Level::P95).unwrap().unwrap()
    }

    fn bounds(pooled: &Pooled) -> (f64, f64) {
        let interval = pooled.estimate.interval.unwrap();
        (interval.low, interval.high)
    }

    /// Thirteen trials of the BCG vaccine, from Colditz et al., JAMA 271 (1994), as in R's metafor (`dat.bcg`): cases and
    /// others among the vaccinated, the same among the others; effects are logarithms of risk ratios. metafor publishes
    /// -0.7141, τ² 0.3088 and I² 92.12 % for `method="DL"`; interval and digits from statsmodels 0.15, `combine_effects`.
    #[test]
    fn the_published_example_is_reproduced() {
        let trials = [
            (4.0, 119.0, 11.0, 128.0),
            (6.0, 300.0, 29.0, 274.0),
            (3.0, 228.0, 11.0, 209.0),
            (62.0, 13_536.0, 248.0, 12_619.0),
            (33.0, 5036.0, 47.0, 5761.0),
            (180.0, 1361.0, 372.0, 1079.0),
            (8.0, 2537.0, 10.0, 619.0),
            (505.0, 87_886.0, 499.0, 87_892.0),
            (29.0, 7470.0, 45.0, 7232.0),
            (17.0, 1699.0, 65.0, 1600.0),
            (186.0, 50_448.0, 141.0, 27_197.0),
            (5.0, 2493.0, 3.0, 2338.0),
            (27.0, 16_886.0, 29.0, 17_825.0),
        ];
        let effect = |(a, b, c, d): (f64, f64, f64, f64)| {
            ((a / (a + b) / (c / (c + d))).ln(), 1.0 / a - 1.0 / (a + b) + 1.0 / c - 1.0 / (c + d))
        };
        let pooled = of(&trials.map(effect));
        assert!((pooled.tau2 - 0.308_760_262_862_376).abs() < 1e-12, "{pooled:?}");
        assert!((pooled.i2 - 0.921_173_468_545_62).abs() < 1e-12, "{pooled:?}");
        assert!((pooled.estimate.point + 0.714_117).abs() < 1e-6, "{pooled:?}");
        let (low, high) = bounds(&pooled);
        assert!((low + 1.107_821_35).abs() < 1e-7 && (high + 0.320_413_09).abs() < 1e-7, "{pooled:?}");
    }

    /// By hand: variances 1 and effects 0, 3, 6 give Q = 18, τ² = (18 - 2) / (3 - 1) = 8, so all weights are 1/9; the
    /// error is √(2 / (2 · 3 / 9)) = √3, and t₂ at 97.5 % is 4.302 652 73.
    #[test]
    fn three_hosts_by_hand() {
        let pooled = of(&[(0.0, 1.0), (3.0, 1.0), (6.0, 1.0)]);
        assert!((pooled.tau2 - 8.0).abs() < 1e-12 && (pooled.i2 - 16.0 / 18.0).abs() < 1e-12, "{pooled:?}");
        let half = 4.302_652_73 * 3.0_f64.sqrt();
        let (low, high) = bounds(&pooled);
        assert!((low - 3.0 + half).abs() < 1e-7 && (high - 3.0 - half).abs() < 1e-7, "{pooled:?}");
    }

    #[test]
    fn hosts_that_agree_have_no_variance_between_them() {
        let pooled = of(&[(0.10, 0.04), (0.20, 0.02), (0.15, 0.03)]);
        assert_eq!((pooled.tau2, pooled.i2), (0.0, 0.0));
        assert!((pooled.estimate.point - 0.161_538_461_5).abs() < 1e-9, "{pooled:?}");
        // statsmodels 0.15, fixed effect with the same variance of the mean.
        let (low, high) = bounds(&pooled);
        assert!((low - 0.039_931).abs() < 1e-6 && (high - 0.283_146).abs() < 1e-6, "{pooled:?}");
        let same = of(&[(0.5, 0.1), (0.5, 0.2), (0.5, 0.3)]);
        assert_eq!((same.estimate.interval, same.tau2, same.i2), (None, 0.0, 0.0));
    }

    #[test]
    fn what_cannot_be_pooled_is_empty_or_refused() {
        let given = |given: &[(f64, f64)]| random_effects(&effects(given), Level::P95);
        assert_eq!(given(&[(1.0, 1.0), (2.0, 1.0)]), Ok(None));
        assert_eq!(given(&[]), Err(Unusable::Empty));
        assert_eq!(given(&[(1.0, 1.0), (2.0, 0.0), (3.0, 1.0)]), Err(Unusable::NotVariance(0.0)));
        assert_eq!(given(&[(1.0, -1.0)]), Err(Unusable::NotVariance(-1.0)));
        assert!(matches!(given(&[(f64::NAN, 1.0)]), Err(Unusable::NotFinite(_))));
        assert!(matches!(given(&[(1.0, f64::INFINITY)]), Err(Unusable::NotFinite(_))));
    }

    proptest! {
        #[test]
        fn the_mean_lies_within_the_effects_and_order_does_not_matter(
            given in prop::collection::vec((-5.0..5.0, 0.01..2.0), 3..12),
        ) {
            let pooled = of(&given);
            let values = Ordered::new(given.iter().map(|(value, _)| *value)).unwrap();
            let point = pooled.estimate.point;
            prop_assert!(values.min() - 1e-9 <= point && point <= values.max() + 1e-9);
            prop_assert!(pooled.tau2 >= 0.0 && (0.0..=1.0).contains(&pooled.i2));
            let mut turned = given.clone();
            turned.rotate_left(1);
            let turned = of(&turned);
            prop_assert!((turned.estimate.point - point).abs() < 1e-9 && (turned.tau2 - pooled.tau2).abs() < 1e-9);
        }
    }
}
