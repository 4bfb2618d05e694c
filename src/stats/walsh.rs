//! Order statistics of the Walsh averages (x_i + x_j) / 2, i <= j, without forming them.

use super::signed_rank::averages;

/// Values whose averages are few enough to be formed.
const FEW: usize = 64;
/// Averages that are few enough to be formed, by value.
const FORMED: u64 = 4;

/// Where the range that holds an average is divided next.
#[derive(Clone, Copy)]
enum Guess {
    /// A little before and behind it, as if averages were evenly spread.
    Before,
    Behind,
    /// Whether it is the largest of the range: with many equal averages it soon is.
    BelowHigh,
    Half,
}

const GUESSES: [Guess; 4] = [Guess::Before, Guess::Behind, Guess::BelowHigh, Guess::Half];

/// The Walsh averages of values in ascending order. But for the median of a few, at most four times as many as there are values
/// are stored: time per order statistic is at most 256 passes over the values, and mostly a small part of that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walsh<'a>(&'a [f64]);

impl<'a> Walsh<'a> {
    /// `ascending` is not empty and has no NaN.
    pub fn new(ascending: &'a [f64]) -> Self {
        Self(ascending)
    }

    pub fn count(self) -> u64 {
        averages(self.0.len())
    }

    /// The median of all averages. A bootstrap asks for that of a few values many times, where forming them is quicker.
    pub fn median(self) -> f64 {
        if self.0.len() <= FEW { self.median_of_all() } else { self.median_by_halving() }
    }

    fn median_of_all(self) -> f64 {
        let partners = self.0.iter().enumerate();
        let mut all: Vec<f64> =
            partners.flat_map(|(index, value)| self.0[index..].iter().map(|other| value.midpoint(*other))).collect();
        let (half, odd) = (all.len() / 2, all.len() % 2 == 1);
        let (below, middle, _) = all.select_nth_unstable_by(half, f64::total_cmp);
        let lower = if odd { *middle } else { below.iter().copied().fold(f64::NEG_INFINITY, f64::max) };
        // A zero may be found as -0.
        lower.midpoint(*middle) + 0.0
    }

    fn median_by_halving(self) -> f64 {
        let (lower, upper) = (self.count().div_ceil(2), self.count() / 2 + 1);
        let middle = self.smallest(lower);
        if lower == upper { middle } else { middle.midpoint(self.smallest(upper)) }
    }

    /// The `k`-th smallest average, `k` from 1: the range of floating-point numbers between the extremes is narrowed until it
    /// holds few averages, which are then formed, or is a single number. Either way the result is exact.
    pub fn smallest(self, k: u64) -> f64 {
        let n = self.0.len() as u64;
        let mut low = order_key(self.0[0]);
        let mut high = order_key(self.0[self.0.len() - 1]);
        // What is below the range; a number, for zeros of either sign are one.
        let mut above = f64::NEG_INFINITY;
        let (mut below, mut not_above) = (0, self.count());
        let mut guesses = GUESSES.into_iter().cycle();
        while low < high && not_above - below > FORMED * n {
            let evenly = |rank: u64| {
                let share = rank.saturating_sub(below) as f64 / (not_above - below) as f64;
                let (from, to) = (from_order_key(low), from_order_key(high));
                order_key(from + (to - from) * share).clamp(low, high - 1)
            };
            let middle = match guesses.next() {
                Some(Guess::Before) => evenly(k.saturating_sub(n)),
                Some(Guess::Behind) => evenly(k + n),
                Some(Guess::BelowHigh) => high - 1,
                // Rounded down, so that the range always shrinks.
                Some(Guess::Half) | None => low.midpoint(high),
            };
            let bound = from_order_key(middle);
            let (count, largest) = self.up_to(bound);
            if count >= k {
                (high, not_above) = (order_key(largest).min(middle), count);
            } else {
                (low, above, below) = (middle + 1, bound, count);
            }
        }
        let found = if low == high {
            from_order_key(low)
        } else {
            let mut few = self.between(above, from_order_key(high));
            *few.select_nth_unstable_by((k - below - 1) as usize, f64::total_cmp).1
        };
        // A zero may be found as -0.
        found + 0.0
    }

    /// The averages above one bound and at most the other.
    fn between(self, above: f64, not_above: f64) -> Vec<f64> {
        let (mut first, mut last) = (self.0.len(), self.0.len());
        let mut averages = Vec::new();
        for (index, value) in self.0.iter().enumerate() {
            while last > index && value.midpoint(self.0[last - 1]) > not_above {
                last -= 1;
            }
            while first > index && value.midpoint(self.0[first - 1]) > above {
                first -= 1;
            }
            averages.extend(self.0[first.max(index).min(last)..last].iter().map(|other| value.midpoint(*other)));
        }
        averages
    }

    /// How many averages are at most `bound`.
    pub fn not_above(self, bound: f64) -> u64 {
        self.up_to(bound).0
    }

    /// How many averages are at most `bound`, and the largest of them, by two ends that move towards each other. Johnson and
    /// Mizoguchi, "Selecting the kth element in X + Y and X_1 + X_2 + ... + X_m", SIAM Journal on Computing 7 (1978).
    fn up_to(self, bound: f64) -> (u64, f64) {
        let mut partners = self.0.len();
        let (mut count, mut largest) = (0, f64::NEG_INFINITY);
        for (index, value) in self.0.iter().enumerate() {
            while partners > index && value.midpoint(self.0[partners - 1]) > bound {
                partners -= 1;
            }
            if partners <= index {
                break;
            }
            count += (partners - index) as u64;
            largest = largest.max(value.midpoint(self.0[partners - 1]));
        }
        (count, largest)
    }
}

const SIGN: u64 = 1 << 63;

/// Maps floating-point numbers to integers in the same order; every integer between two images is an image.
fn order_key(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn from_order_key(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted_averages(values: &[f64]) -> Vec<f64> {
        let mut all = Vec::new();
        for (index, value) in values.iter().enumerate() {
            all.extend(values[index..].iter().map(|other| value.midpoint(*other) + 0.0));
        }
        all.sort_by(f64::total_cmp);
        all
    }

    proptest! {
        #[test]
        fn selection_finds_what_sorting_finds(
            mut values in prop::collection::vec(prop_oneof![-4_i32..4, any::<i32>()], 1..24), scale in any::<i16>(),
        ) {
            values.sort_unstable();
            let scale = f64::from(scale).abs() / 1e7;
            let values: Vec<f64> = values.iter().map(|&value| f64::from(value) * scale).collect();
            let walsh = Walsh::new(&values);
            let all = sorted_averages(&values);
            prop_assert_eq!(walsh.count(), all.len() as u64);
            for (k, average) in (1..).zip(&all) {
                prop_assert_eq!(walsh.smallest(k), *average);
            }
            let middle = all.len() / 2;
            let median = if all.len() % 2 == 1 { all[middle] } else { all[middle - 1].midpoint(all[middle]) };
            prop_assert_eq!((walsh.median_of_all(), walsh.median_by_halving()), (median, median));
        }

        #[test]
        fn keys_keep_the_order(first in prop::num::f64::NORMAL, second in prop::num::f64::NORMAL) {
            prop_assert_eq!(from_order_key(order_key(first)), first);
            prop_assert_eq!(order_key(first) < order_key(second), first < second);
        }
    }

    #[test]
    fn huge_values_do_not_overflow() {
        assert_eq!(Walsh::new(&[-f64::MAX, f64::MAX, f64::MAX]).smallest(6), f64::MAX);
    }
}
