//! When two topologies may be called equal.

use super::Interval;

/// A ratio that is off by less than this, in either direction, makes no difference to a reader: 5 %.
pub const EQUIVALENCE_MARGIN: f64 = 0.05;

/// Whether a ratio lies within [1 / (1 + margin), 1 + margin], by two one-sided tests at 5 %: both reject if and only
/// if its 90 % interval lies within. Schuirmann, "A comparison of the two one-sided tests procedure and the power
/// approach for assessing the equivalence of average bioavailability", Journal of Pharmacokinetics and
/// Biopharmaceutics 15 (1987).
pub fn equivalent(ratio90: &Interval, margin: f64) -> bool {
    ratio90.low >= 1.0 / (1.0 + margin) && ratio90.high <= 1.0 + margin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_must_lie_within_and_neither_direction_is_favoured() {
        let within = |low, high| equivalent(&Interval { low, high, coverage: 0.9 }, EQUIVALENCE_MARGIN);
        assert!(within(0.96, 1.04));
        assert!(within(1.0 / 1.05, 1.05));
        assert!(!within(0.951, 1.01), "0.951 is below 1 / 1.05");
        assert!(!within(0.99, 1.051));
    }
}
