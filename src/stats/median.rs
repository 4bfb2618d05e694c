//! The median and its exact interval between two order statistics.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::interval::Rank;
use super::{Estimate, Interval, Level, Ordered};

/// The sample median with the interval [x_(k), x_(n+1-k)] that inverts the sign test: k is the largest rank with
/// 1 - 2 P(Bin(n, 1/2) <= k - 1) >= level, for any continuous distribution; for discrete ones the coverage is a
/// lower bound. There is none below n = 6 at 95 % and n = 5 at 90 %.
/// Thompson, "On confidence ranges for the median", Annals of Mathematical Statistics 7 (1936); David and Nagaraja,
/// "Order Statistics", 3rd edition, section 7.1.
pub fn median(sample: &Ordered, level: Level) -> Estimate {
    let values = sample.values();
    let n = values.len();
    let interval = rank(n as u64, level).map(|rank| {
        let k = rank.k as usize;
        Interval { low: values[k - 1], high: values[n - k], coverage: rank.coverage }
    });
    Estimate { point: sample.median(), interval, n }
}

fn rank(n: u64, level: Level) -> Option<Rank> {
    let below = Binomial::new(0.5, n).expect("one half is a probability");
    Rank::largest(n / 2, level, |successes| below.cdf(successes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Ranks and coverages by summing binomial coefficients as integers.
    #[test]
    fn ranks_are_those_of_the_binomial_table() {
        for (n, level, k, coverage) in [
            (5, Level::P90, 1, 0.9375),
            (6, Level::P95, 1, 0.96875),
            (7, Level::P95, 1, 0.984375),
            (9, Level::P95, 2, 0.9609375),
            (10, Level::P95, 2, 0.978515625),
            (20, Level::P95, 6, 0.958_610_534_667_968_8),
            (30, Level::P90, 11, 0.901_262_853_294_611),
            (30, Level::P95, 10, 0.957_226_054_742_932_3),
            (301, Level::P95, 134, 0.950_152_924_734_243_8),
        ] {
            let rank = rank(n, level).unwrap();
            assert_eq!(rank.k, k, "n = {n}");
            assert!((rank.coverage - coverage).abs() < 1e-10, "n = {n}: {}", rank.coverage);
        }
    }

    #[test]
    fn too_few_values_have_no_interval() {
        let five = Ordered::new([5.0, 1.0, 4.0, 2.0, 3.0]).unwrap();
        assert_eq!(median(&five, Level::P95), Estimate { point: 3.0, interval: None, n: 5 });
        assert!(median(&five, Level::P90).interval.is_some());
    }

    #[test]
    fn ten_values_are_bounded_by_the_second_and_the_ninth() {
        let ten = Ordered::new((1..=10).map(|value| f64::from(value * value))).unwrap();
        let estimate = median(&ten, Level::P95);
        let interval = estimate.interval.unwrap();
        assert_eq!((estimate.point, interval.low, interval.high), (30.5, 4.0, 81.0));
    }

    proptest! {
        #[test]
        fn an_interval_covers_its_level_and_holds_the_median(
            values in prop::collection::vec(-1e9..1e9, 6..200), narrow in any::<bool>(),
        ) {
            let level = if narrow { Level::P90 } else { Level::P95 };
            let estimate = median(&Ordered::new(values).unwrap(), level);
            let interval = estimate.interval.unwrap();
            prop_assert!(interval.low <= estimate.point && estimate.point <= interval.high);
            prop_assert!((level.probability()..=1.0).contains(&interval.coverage));
        }
    }
}
