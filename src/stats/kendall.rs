//! Whether one quantity rises or falls with another, by Kendall's tau.

use statrs::distribution::{ContinuousCDF, Normal};

use super::{Ordered, Unusable};

/// Largest number of pairs whose distribution is computed exactly.
const EXACT_PAIRS: usize = 100;

/// Rank correlation, and how likely one of this size is without any.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kendall {
    /// τ_b, from -1 (each rise of one is a fall of the other) to 1.
    pub tau: f64,
    /// Two-sided p-value of independence.
    pub p: f64,
}

/// τ_b = (C - D) / √((N - T)(N - U)) over pairs `(x, y)`: of all N = n (n - 1) / 2 pairs of them, C rise together, D do
/// not, T are tied in x and U in y. Time is that of sorting. The p-value is exact up to n = 100
/// without ties, by the number of permutations with so few inversions; else from the normal approximation, with the
/// variance that ties leave and no continuity correction. Kendall, "A new measure of rank correlation", Biometrika 30
/// (1938), and "Rank Correlation Methods", 4th edition (1970), chapters 3 to 5.
///
/// Empty for one pair, and where all x or all y are equal.
///
/// # Errors
/// No pair, or a value that is not finite.
pub fn kendall(pairs: &[(f64, f64)]) -> Result<Option<Kendall>, Unusable> {
    let x = Ordered::new(pairs.iter().map(|(x, _)| *x))?;
    let y = Ordered::new(pairs.iter().map(|(_, y)| *y))?;
    if x.constant() || y.constant() {
        return Ok(None);
    }
    let (x_ties, y_ties) = (Ties::of(&x), Ties::of(&y));
    let (concordant, discordant) = agreement(pairs, &x_ties, &y_ties);
    let n = pairs.len() as f64;
    let excess = concordant as f64 - discordant as f64;
    let untied = |ties: &Ties| (n * (n - 1.0) - ties.pairs) / 2.0;
    let tau = (excess / (untied(&x_ties) * untied(&y_ties)).sqrt()).clamp(-1.0, 1.0);
    let p = if pairs.len() <= EXACT_PAIRS && x_ties.pairs == 0.0 && y_ties.pairs == 0.0 {
        exact(pairs.len(), concordant.min(discordant))
    } else {
        2.0 * Normal::standard().cdf(-excess.abs() / variance(n, &x_ties, &y_ties).sqrt())
    };
    Ok(Some(Kendall { tau, p }))
}

/// How many pairs of pairs rise together, and how many do not. In the order of x the latter are the inversions of y. Knight,
/// "A computer method for calculating Kendall's tau with ungrouped data", JASA 61 (1966).
fn agreement(pairs: &[(f64, f64)], x: &Ties, y: &Ties) -> (usize, usize) {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|one, other| one.partial_cmp(other).expect("finite values"));
    let two = |n: usize| n * n.saturating_sub(1) / 2;
    let tied_in_both: usize = sorted.chunk_by(|one, other| one == other).map(|group| two(group.len())).sum();
    let tied = (x.pairs + y.pairs) as usize / 2 - tied_in_both;
    let mut in_order_of_x: Vec<f64> = sorted.iter().map(|(_, y)| *y).collect();
    let discordant = inversions(&mut in_order_of_x);
    (two(pairs.len()) - tied - discordant, discordant)
}

/// How often a value comes before a smaller one. The values are sorted meanwhile.
fn inversions(values: &mut [f64]) -> usize {
    if values.len() < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(values.len() / 2);
    let mut count = inversions(left) + inversions(right);
    let mut not_above = 0;
    for value in right.iter() {
        not_above += left[not_above..].iter().take_while(|one| *one <= value).count();
        count += left.len() - not_above;
    }
    // Two ascending runs, which a stable sort merges.
    values.sort_by(|one, other| one.partial_cmp(other).expect("finite values"));
    count
}

/// Sums over the groups of equal values, t being the size of one.
struct Ties {
    /// Σ t (t - 1)
    pairs: f64,
    /// Σ t (t - 1)(t - 2)
    triples: f64,
    /// Σ t (t - 1)(2 t + 5)
    weighted: f64,
}

impl Ties {
    fn of(values: &Ordered) -> Self {
        let mut ties = Self { pairs: 0.0, triples: 0.0, weighted: 0.0 };
        for group in values.values().chunk_by(|a, b| a == b) {
            let t = group.len() as f64;
            let pairs = t * (t - 1.0);
            ties.pairs += pairs;
            ties.triples += pairs * (t - 2.0);
            ties.weighted += pairs * (2.0 * t + 5.0);
        }
        ties
    }
}

/// Of C - D among independent values with these ties. Kendall (1970), formula 4.4.
fn variance(n: f64, x: &Ties, y: &Ties) -> f64 {
    let pairs = n * (n - 1.0);
    (pairs * (2.0 * n + 5.0) - x.weighted - y.weighted) / 18.0
        + x.pairs * y.pairs / (2.0 * pairs)
        + x.triples * y.triples / (9.0 * pairs * (n - 2.0))
}

/// Twice the chance that a random permutation of `n` has at most so many inversions. The i-th
/// value adds 0 to i - 1 inversions, each as likely.
fn exact(n: usize, fewest: usize) -> f64 {
    let mut chance = vec![0.0; fewest + 1];
    chance[0] = 1.0;
    for added in 2..=n {
        let mut window = 0.0;
        let before = chance.clone();
        for (sum, entry) in chance.iter_mut().enumerate() {
            window += before[sum] - if sum >= added { before[sum - added] } else { 0.0 };
            *entry = window / added as f64;
        }
    }
    (2.0 * chance.iter().sum::<f64>()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(pairs: &[(f64, f64)]) -> Kendall {
        kendall(pairs).unwrap().unwrap()
    }

    fn counted(n: u32, y: impl Fn(u32) -> u32) -> Vec<(f64, f64)> {
        (0..n).map(|x| (f64::from(x), f64::from(y(x)))).collect()
    }

    /// Lightness of canned tuna and a panel's score: Hollander and Wolfe, section 8.1, the example of R's `cor.test`.
    /// Published: tau 0.4444 and p 0.1194; SciPy 1.17: 0.119 438 932 980 6.
    #[test]
    fn the_published_example_is_reproduced() {
        let lightness = [44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1];
        let score = [2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8];
        let tuna = of(&lightness.into_iter().zip(score).collect::<Vec<_>>());
        assert!((tuna.tau - 4.0 / 9.0).abs() < 1e-15 && (tuna.p - 0.119_438_932_980_6).abs() < 1e-12, "{tuna:?}");
    }

    /// SciPy 1.17, `kendalltau` with `method='asymptotic'`.
    #[test]
    fn ties_are_those_of_scipy() {
        let x = [1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        let y = [2.0, 1.0, 3.0, 3.0, 5.0, 4.0, 4.0, 8.0, 6.0, 9.0];
        let tied = of(&x.into_iter().zip(y).collect::<Vec<_>>());
        assert!((tied.tau - 0.813_953_488_372_093).abs() < 1e-12, "{tied:?}");
        assert!((tied.p - 0.001_469_449_864_818_4).abs() < 1e-12, "{tied:?}");
    }

    /// SciPy 1.17, exact at 60 pairs and asymptotic at 101.
    #[test]
    fn many_pairs_are_those_of_scipy() {
        let exact = of(&counted(60, |x| x * 7 % 61));
        assert!((exact.p - 0.171_016_435_694_227).abs() < 1e-12, "{exact:?}");
        let approximate = of(&counted(101, |x| x * 7 % 101));
        assert!((approximate.p - 0.033_639_707_245_155).abs() < 1e-10, "{approximate:?}");
    }

    /// By hand: of the six orders of three, one has no inversion and two have one.
    #[test]
    fn three_values_by_hand() {
        let p = |n, fewest| exact(n, fewest);
        assert!((p(3, 0) - 1.0 / 3.0).abs() < 1e-15 && p(3, 1) == 1.0);
        assert_eq!(of(&counted(2, |x| x)), Kendall { tau: 1.0, p: 1.0 });
    }

    #[test]
    fn what_has_none_is_empty_or_refused() {
        assert_eq!(kendall(&[(1.0, 2.0)]), Ok(None));
        assert_eq!(kendall(&[(1.0, 2.0), (1.0, 3.0)]), Ok(None));
        assert_eq!(kendall(&[(1.0, 2.0), (3.0, 2.0)]), Ok(None));
        assert_eq!(kendall(&[]), Err(Unusable::Empty));
        assert!(matches!(kendall(&[(1.0, f64::NAN)]), Err(Unusable::NotFinite(_))));
    }

    /// By looking at every two.
    fn counted_pairs(pairs: &[(f64, f64)]) -> (usize, usize) {
        let (mut concordant, mut discordant) = (0, 0);
        for (index, first) in pairs.iter().enumerate() {
            for second in &pairs[index + 1..] {
                if first.0 == second.0 || first.1 == second.1 {
                    continue;
                }
                if (first.0 < second.0) == (first.1 < second.1) { concordant += 1 } else { discordant += 1 }
            }
        }
        (concordant, discordant)
    }

    proptest! {
        #[test]
        fn agreement_is_that_of_every_two(pairs in prop::collection::vec((-5_i32..5, -5_i32..5), 1..60)) {
            let pairs: Vec<_> = pairs.into_iter().map(|(x, y)| (f64::from(x), f64::from(y))).collect();
            let ties = |of: fn(&(f64, f64)) -> f64| Ties::of(&Ordered::new(pairs.iter().map(of)).unwrap());
            prop_assert_eq!(agreement(&pairs, &ties(|pair| pair.0), &ties(|pair| pair.1)), counted_pairs(&pairs));
        }

        #[test]
        fn order_does_not_matter_and_turning_one_side_turns_the_sign(
            pairs in prop::collection::vec((-9_i32..9, -9_i32..9), 3..40),
        ) {
            let pairs: Vec<_> = pairs.into_iter().map(|(x, y)| (f64::from(x), f64::from(y))).collect();
            let original = kendall(&pairs).unwrap();
            prop_assert_eq!(kendall(&pairs.iter().rev().copied().collect::<Vec<_>>()).unwrap(), original);
            let turned = kendall(&pairs.iter().map(|(x, y)| (*x, -y)).collect::<Vec<_>>()).unwrap();
            prop_assert_eq!(turned, original.map(|one| Kendall { tau: -one.tau, p: one.p }));
            if let Some(Kendall { tau, p }) = original {
                prop_assert!(tau.abs() <= 1.0 && (0.0..=1.0).contains(&p));
            }
        }

        #[test]
        fn any_rising_function_leaves_it(values in prop::collection::vec(-1e3..1e3, 3..40)) {
            let pairs: Vec<_> = (0_u32..).map(f64::from).zip(values.iter().copied()).collect();
            let risen: Vec<_> = pairs.iter().map(|(x, y): &(f64, f64)| (x.sqrt(), y * 2.0)).collect();
            prop_assert_eq!(kendall(&risen), kendall(&pairs));
        }
    }
}
