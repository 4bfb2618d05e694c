//! p-values of several tests, adjusted for their number.

use super::Unusable;

/// Holm's adjusted p-values, in the order given: `max over j <= i of min(1, (m - j + 1) p_(j))`, p_(1) being the smallest of
/// m. A hypothesis is refused if its adjusted value is at most α, and the chance to refuse any true one is then at most α,
/// however the tests depend on one another. Holm, "A simple sequentially rejective multiple test procedure",
/// Scandinavian Journal of Statistics 6 (1979). None gives none.
///
/// # Errors
/// A value that is not from 0 to 1.
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, Unusable> {
    let order = ascending(p_values)?;
    let mut largest = 0.0_f64;
    let adjusted = order.iter().enumerate().map(|(place, &index)| {
        largest = largest.max(p_values[index] * (order.len() - place) as f64).min(1.0);
        (index, largest)
    });
    Ok(in_place(adjusted))
}

/// Benjamini's and Hochberg's adjusted p-values (q), in the order given: `min over j >= i of min(1, p_(j) m / j)`. Of the
/// hypotheses with q at most α, a share of α is expected to be refused wrongly, for independent or positively dependent
/// tests. Benjamini and Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57
/// (1995). None gives none.
///
/// # Errors
/// A value that is not from 0 to 1.
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>, Unusable> {
    let order = ascending(p_values)?;
    let mut smallest = 1.0_f64;
    let adjusted = order.iter().enumerate().rev().map(|(place, &index)| {
        smallest = smallest.min(p_values[index] * order.len() as f64 / (place + 1) as f64);
        (index, smallest)
    });
    Ok(in_place(adjusted))
}

/// Indices of the values, the smallest value first.
fn ascending(p_values: &[f64]) -> Result<Vec<usize>, Unusable> {
    if let Some(&wrong) = p_values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
        return Err(Unusable::NotProbability(wrong));
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    Ok(order)
}

/// Every index once, with its value.
fn in_place(adjusted: impl ExactSizeIterator<Item = (usize, f64)>) -> Vec<f64> {
    let mut values = vec![0.0; adjusted.len()];
    adjusted.for_each(|(index, value)| values[index] = value);
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The fifteen p-values of Benjamini and Hochberg's own example, section 4.
    const PUBLISHED: [f64; 15] = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590,
        1.0,
    ];

    fn close(found: &[f64], expected: &[f64]) -> bool {
        found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    /// By hand, m = 5. Holm: 5 x 0.005, 4 x 0.01, 3 x 0.03, then 2 x 0.04 = 0.08 is raised to 0.09, and 0.2. Benjamini and
    /// Hochberg: 0.2, 0.04 x 5/4, 0.03 x 5/3 = 0.05, 0.01 x 5/2, and 0.005 x 5 = 0.025.
    #[test]
    fn five_values_by_hand_keep_their_places() {
        let values = [0.01, 0.04, 0.03, 0.005, 0.2];
        assert!(close(&holm(&values).unwrap(), &[0.04, 0.09, 0.09, 0.025, 0.2]));
        assert!(close(&benjamini_hochberg(&values).unwrap(), &[0.025, 0.05, 0.05, 0.025, 0.2]));
    }

    /// statsmodels 0.15, `multipletests` with `holm` and `fdr_bh`. At 5 % three hypotheses are refused by Holm, as by
    /// Bonferroni in the paper, and four by Benjamini and Hochberg.
    #[test]
    fn the_published_example_is_reproduced() {
        let strict = holm(&PUBLISHED).unwrap();
        let expected =
            [0.0015, 0.0056, 0.0247, 0.114, 0.2211, 0.278, 0.278, 0.278, 0.3213, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        assert!(close(&strict, &expected), "{strict:?}");
        let rate = benjamini_hochberg(&PUBLISHED).unwrap();
        assert!(close(&rate[..5], &[0.0015, 0.003, 0.0095, 0.035_625, 0.0603]), "{rate:?}");
        assert!((rate[6] - 0.447 / 7.0).abs() < 1e-12 && rate[14] == 1.0);
        let refused = |values: &[f64]| values.iter().filter(|value| **value <= 0.05).count();
        assert_eq!((refused(&strict), refused(&rate)), (3, 4));
    }

    #[test]
    fn what_is_no_p_value_is_refused_and_none_gives_none() {
        for adjust in [holm, benjamini_hochberg] {
            assert_eq!(adjust(&[]), Ok(Vec::new()));
            assert_eq!(adjust(&[0.3]), Ok(vec![0.3]));
            assert_eq!(adjust(&[0.5, -0.1]), Err(Unusable::NotProbability(-0.1)));
            assert_eq!(adjust(&[1.5]), Err(Unusable::NotProbability(1.5)));
            assert!(matches!(adjust(&[f64::NAN]), Err(Unusable::NotProbability(_))));
        }
    }

    proptest! {
        #[test]
        fn holm_is_never_below_benjamini_and_hochberg_nor_they_below_the_value(
            values in prop::collection::vec(0.0..=1.0, 1..40),
        ) {
            let (strict, rate) = (holm(&values).unwrap(), benjamini_hochberg(&values).unwrap());
            for ((value, strict), rate) in values.iter().zip(&strict).zip(&rate) {
                let slack = 1.0 + 1e-12;
                prop_assert!(*value <= rate * slack && *rate <= strict * slack && *strict <= 1.0);
            }
        }

        #[test]
        fn adjusting_keeps_the_order_and_follows_the_places(
            values in prop::collection::vec(0.0..=1.0, 2..40), turn in any::<prop::sample::Index>(),
        ) {
            let turn = turn.index(values.len());
            let mut turned = values.clone();
            turned.rotate_left(turn);
            for adjust in [holm, benjamini_hochberg] {
                let mut adjusted = adjust(&values).unwrap();
                for (a, b) in values.iter().zip(&adjusted) {
                    for (c, d) in values.iter().zip(&adjusted) {
                        prop_assert!(a > c || b <= d);
                    }
                }
                adjusted.rotate_left(turn);
                prop_assert_eq!(adjust(&turned).unwrap(), adjusted);
            }
        }
    }
}
