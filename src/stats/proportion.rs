//! How often something happens, from how often it did.

use statrs::distribution::{Beta, Binomial, ContinuousCDF, DiscreteCDF};

use super::interval::{Estimate, Interval, Level};

/// The share of `count` in `n`, with the interval of Clopper and Pearson (1934, Biometrika 26): between the shares that
/// would give so few, and so many, in half of the allowed error. Its coverage is that of the level or more, whatever the
/// true share is; the level is what is told.
///
/// Empty where `n` is 0 or `count` is larger.
pub fn proportion(count: usize, n: usize, level: Level) -> Option<Estimate> {
    if n == 0 || count > n {
        return None;
    }
    let (hits, misses) = (count as f64, (n - count) as f64);
    let error = (1.0 - level.probability()) / 2.0;
    let quantile = |a: f64, b: f64, at: f64| Beta::new(a, b).expect("both are above 0").inverse_cdf(at);
    let low = if count == 0 { 0.0 } else { quantile(hits, misses + 1.0, error) };
    let high = if count == n { 1.0 } else { quantile(hits + 1.0, misses, 1.0 - error) };
    Some(Estimate { point: hits / n as f64, interval: Some(Interval { low, high, coverage: level.probability() }), n })
}

/// The counts between which one in `n` independent tries lies with this probability or a little more, where each succeeds
/// with chance `share`: the middle of the binomial distribution. Empty where `n` is 0, or `share` no probability.
pub fn likely_counts(n: usize, share: f64, level: Level) -> Option<(usize, usize)> {
    let tail = (1.0 - level.probability()) / 2.0;
    let counts = Binomial::new(share, n as u64).ok().filter(|_| n > 0)?;
    let at_most = |count: u64| counts.cdf(count);
    let low = (0..=n as u64).find(|count| at_most(*count) > tail)?;
    let high = (low..=n as u64).find(|count| at_most(*count) >= 1.0 - tail)?;
    Some((low as usize, high as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(count: usize, n: usize) -> Interval {
        proportion(count, n, Level::P95).unwrap().interval.unwrap()
    }

    /// R: `binom.test(5, 20)`, `binom.test(3, 300)`; without hits 1 - 0.025^(1/n).
    #[test]
    fn it_is_that_of_the_exact_binomial_test() {
        for (count, n, low, high) in [
            (5, 20, 0.086_571_47, 0.491_045_87),
            (0, 300, 0.0, 1.0 - 0.025_f64.powf(1.0 / 300.0)),
            (300, 300, 0.025_f64.powf(1.0 / 300.0), 1.0),
            (1, 1, 0.025, 1.0),
        ] {
            let found = interval(count, n);
            assert!((found.low - low).abs() < 1e-7 && (found.high - high).abs() < 1e-7, "{count} of {n}: {found:?}");
        }
        assert_eq!(proportion(3, 300, Level::P95).unwrap().point, 0.01);
    }

    /// The bounds are where the binomial distribution itself puts half of the error.
    #[test]
    fn at_its_bounds_what_was_found_is_as_unlikely_as_allowed() {
        for (count, n) in [(1, 10), (3, 300), (17, 40), (39, 40)] {
            let found = interval(count, n);
            let at_most = |share: f64, k: usize| Binomial::new(share, n as u64).unwrap().cdf(k as u64);
            assert!((at_most(found.high, count) - 0.025).abs() < 1e-6, "{count} of {n}");
            assert!((1.0 - at_most(found.low, count - 1) - 0.025).abs() < 1e-6, "{count} of {n}");
        }
    }

    /// R: `qbinom(c(0.005, 0.995), 200, 0.95)` gives 181 and 197; of ten fair coins all counts but 0 and 10 have 99.8 %.
    #[test]
    fn likely_counts_are_the_quantiles_of_the_binomial_distribution() {
        assert_eq!(likely_counts(200, 0.95, Level::P99), Some((181, 197)));
        assert_eq!(likely_counts(10, 0.5, Level::P95), Some((2, 8)));
        assert_eq!(likely_counts(7, 1.0, Level::P99), Some((7, 7)));
        assert_eq!((likely_counts(0, 0.5, Level::P95), likely_counts(3, 1.5, Level::P95)), (None, None));
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(proportion(0, 0, Level::P95), None);
        assert_eq!(proportion(2, 1, Level::P95), None);
    }
}
