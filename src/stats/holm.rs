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

    /// By hand, m = 5: 5 x 0.005, 4 x 0.01, 3 x 0.03, then 2 x 0.04 = 0.08 is raised to 0.09, and 0.2.
    #[test]
    fn five_values_by_hand_keep_their_places() {
        assert!(close(&holm(&[0.01, 0.04, 0.03, 0.005, 0.2]).unwrap(), &[0.04, 0.09, 0.09, 0.025, 0.2]));
    }

    /// statsmodels 0.15, `multipletests` with `holm`. At 5 % three hypotheses are refused, as by Bonferroni in the paper.
    #[test]
    fn the_published_example_is_reproduced() {
        let adjusted = holm(&PUBLISHED).unwrap();
        let expected =
            [0.0015, 0.0056, 0.0247, 0.114, 0.2211, 0.278, 0.278, 0.278, 0.3213, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        assert!(close(&adjusted, &expected), "{adjusted:?}");
        assert_eq!(adjusted.iter().filter(|value| **value <= 0.05).count(), 3);
    }

    #[test]
    fn what_is_no_p_value_is_refused_and_none_gives_none() {
        assert_eq!(holm(&[]), Ok(Vec::new()));
        assert_eq!(holm(&[0.3]), Ok(vec![0.3]));
        assert_eq!(holm(&[0.5, -0.1]), Err(Unusable::NotProbability(-0.1)));
        assert_eq!(holm(&[1.5]), Err(Unusable::NotProbability(1.5)));
        assert!(matches!(holm(&[f64::NAN]), Err(Unusable::NotProbability(_))));
    }

    proptest! {
        #[test]
        fn adjusting_keeps_the_order_and_follows_the_places(
            values in prop::collection::vec(0.0..=1.0, 2..40), turn in any::<prop::sample::Index>(),
        ) {
            let turn = turn.index(values.len());
            let mut turned = values.clone();
            turned.rotate_left(turn);
            let mut adjusted = holm(&values).unwrap();
            for (a, b) in values.iter().zip(&adjusted) {
                prop_assert!(a <= b && *b <= 1.0);
                for (c, d) in values.iter().zip(&adjusted) {
                    prop_assert!(a > c || b <= d);
                }
            }
            adjusted.rotate_left(turn);
            prop_assert_eq!(holm(&turned).unwrap(), adjusted);
        }
    }
}
