//! How likely a ratio at least as far from a stated one is by chance.

use super::signed_rank::SignedRank;
use super::walsh::Walsh;
use super::{Ordered, Unusable};

/// Two-sided p-value of the signed-rank test that `a / b` over pairs `(a, b)` is `hypothesis`: `2 P(T⁺ <= s)`, s being how
/// many Walsh averages of ln(a / b) are not on the side of ln `hypothesis` on which most are. It is at most 5 % if and
/// only if the 95 % interval of `ratio` excludes `hypothesis`; ties and zeros are kept, and can only raise it. Wilcoxon,
/// "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945), in the form of Tukey, "The simplest
/// signed-rank tests" (1949).
///
/// # Errors
/// No pair, a value that is not finite, or one that is not positive, the hypothesis among them.
pub fn significance(pairs: &[(f64, f64)], hypothesis: f64) -> Result<f64, Unusable> {
    let given = pairs.iter().flat_map(|(a, b)| [*a, *b]).chain([hypothesis]);
    if let Some(wrong) = given.into_iter().find(|value| *value <= 0.0) {
        return Err(Unusable::NotPositive(wrong));
    }
    let logarithms = Ordered::new(pairs.iter().map(|(a, b)| (a / b).ln()))?;
    let stated = Ordered::new([hypothesis.ln()])?.min();
    let walsh = Walsh::new(logarithms.values());
    let [(not_above, _), (below, _)] = walsh.up_to([stated, stated.next_down()]);
    let not_below = walsh.count() - below;
    let few = not_above.min(not_below);
    // Beyond half of the averages, where the distribution is not tabled, it is 1.
    if few > walsh.count() / 2 {
        return Ok(1.0);
    }
    Ok((2.0 * SignedRank::new(pairs.len()).at_most(few)).min(1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::{Level, ratio};

    /// The nine patients of Hollander, Wolfe and Chicken, section 3.1, by the ratio of their scale factors: SciPy 1.17,
    /// `wilcoxon(log(before / after), method='exact')`, and the same less log(1.5).
    #[test]
    fn p_values_are_those_of_scipy() {
        let before = [1830.0, 500.0, 1620.0, 2480.0, 1680.0, 1880.0, 1550.0, 3060.0, 1300.0];
        let after = [878.0, 647.0, 598.0, 2050.0, 1060.0, 1290.0, 1060.0, 3140.0, 1290.0];
        let pairs: Vec<_> = before.into_iter().zip(after).collect();
        assert_eq!(significance(&pairs, 1.0), Ok(0.054_687_5));
        assert_eq!(significance(&pairs, 1.5), Ok(0.496_093_75));
    }

    /// By hand: six ratios above 1 have all signs alike, as one of 2^5 assignments; six ratios of 1 show nothing.
    #[test]
    fn extremes_by_hand() {
        let above = [1.1, 1.2, 1.3, 1.4, 1.5, 1.6].map(|ratio| (ratio, 1.0));
        assert_eq!(significance(&above, 1.0), Ok(1.0 / 32.0));
        assert_eq!(significance(&[(2.0, 2.0); 6], 1.0), Ok(1.0));
        assert_eq!(significance(&[(2.0, 1.0)], 1.0), Ok(1.0));
    }

    #[test]
    fn what_has_no_ratio_is_refused() {
        assert_eq!(significance(&[], 1.0), Err(Unusable::Empty));
        assert_eq!(significance(&[(1.0, 0.0)], 1.0), Err(Unusable::NotPositive(0.0)));
        assert_eq!(significance(&[(1.0, 1.0)], -1.0), Err(Unusable::NotPositive(-1.0)));
        assert!(matches!(significance(&[(1.0, 1.0)], f64::NAN), Err(Unusable::NotFinite(_))));
        assert!(matches!(significance(&[(1.0, f64::NAN)], 1.0), Err(Unusable::NotFinite(_))));
    }

    proptest! {
        /// Powers of two, so that ties and ratios of 1 are common and exact.
        #[test]
        fn a_hypothesis_is_refused_if_and_only_if_the_interval_excludes_it(
            pairs in prop::collection::vec((0_i32..4, 0_i32..4), 6..25),
        ) {
            let pairs: Vec<_> = pairs.into_iter().map(|(a, b)| (2_f64.powi(a), 2_f64.powi(b))).collect();
            let interval = ratio(&pairs, Level::P95).unwrap().interval.unwrap();
            let p = significance(&pairs, 1.0).unwrap();
            prop_assert_eq!(p <= 0.05, interval.low > 1.0 || interval.high < 1.0);
            let turned: Vec<_> = pairs.iter().map(|(a, b)| (*b, *a)).collect();
            prop_assert_eq!(significance(&turned, 1.0).unwrap(), p);
        }
    }
}
