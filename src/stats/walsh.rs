//! Order statistics of the Walsh averages (x_i + x_j) / 2, i <= j, without forming them.

use super::signed_rank::averages;

/// Values whose averages are few enough to be formed.
const FEW: usize = 64;
/// Averages that are few enough to be formed, by value.
const FORMED: u64 = 1;
/// By which part of the values' number a guess is before or behind the rank that is looked for.
const AROUND: u64 = 4;
/// Values that stand for all of them where a search begins, and how many of their averages the one that is looked for may be
/// away from its place among them.
const SKETCHED: usize = 64;
const AWAY: isize = 16;

/// Where the range that holds an average is divided next.
#[derive(Clone, Copy)]
enum Guess {
    /// A little before and behind it, as the sketch has it.
    SketchedBefore,
    SketchedBehind,
    /// A little before and behind it, as if averages were evenly spread.
    Before,
    Behind,
    /// Whether it is the largest of the range: with many equal averages it soon is.
    BelowHigh,
    Half,
}

const GUESSES: [Guess; 4] = [Guess::Before, Guess::Behind, Guess::BelowHigh, Guess::Half];

/// The Walsh averages of values in ascending order. But for the median of a few, about as many as there are values are stored at
/// most: time per order statistic is at most 256 passes over the values, and mostly a small part of that.
#[derive(Clone, Debug)]
pub(super) struct Walsh {
    /// Half of each value: an average is the sum of two. Halving is exact, but for the last bit of numbers below 10⁻³⁰⁷.
    halves: Vec<f64>,
    /// Averages of some of many values, ascending; empty for a few.
    sketch: Vec<f64>,
}

impl Walsh {
    /// `ascending` is not empty and has no NaN.
    pub fn new(ascending: &[f64]) -> Self {
        let halves: Vec<f64> = ascending.iter().map(|value| value / 2.0).collect();
        let sketch = if halves.len() <= SKETCHED { Vec::new() } else { sketch(&halves) };
        Self { halves, sketch }
    }

    pub fn count(&self) -> u64 {
        averages(self.halves.len())
    }

    /// The median of all averages. A bootstrap asks for that of a few values many times, where forming them is quicker.
    pub fn median(&self) -> f64 {
        if self.halves.len() <= FEW { self.median_of_all() } else { self.median_by_halving() }
    }

    fn median_of_all(&self) -> f64 {
        let mut all = formed(&self.halves);
        let (half, odd) = (all.len() / 2, all.len() % 2 == 1);
        let (below, middle, _) = all.select_nth_unstable_by(half, f64::total_cmp);
        let lower = if odd { *middle } else { below.iter().copied().fold(f64::NEG_INFINITY, f64::max) };
        // A zero may be found as -0.
        lower.midpoint(*middle) + 0.0
    }

    fn median_by_halving(&self) -> f64 {
        let [middle] = self.smallest([self.count().div_ceil(2)]);
        self.median_from(middle)
    }

    /// The median of all averages, and those of the `k`-th smallest and the `k`-th largest, `k` from 1.
    pub fn median_between(&self, k: u64) -> (f64, f64, f64) {
        let [low, middle, high] = self.smallest([k, self.count().div_ceil(2), self.count() + 1 - k]);
        (low.average, self.median_from(middle), high.average)
    }

    /// `middle` is that in the middle, or the lower one of two.
    fn median_from(&self, middle: Found) -> f64 {
        if self.count() % 2 == 1 {
            return middle.average;
        }
        let upper = middle.next.unwrap_or_else(|| self.smallest([self.count() / 2 + 1])[0].average);
        middle.average.midpoint(upper)
    }

    /// The averages of these ranks, from 1: the range of floating-point numbers between the extremes is narrowed until it holds
    /// few averages, which are then formed, or is a single number. Either way the result is exact. Those of several ranks at
    /// once take little longer than one.
    fn smallest<const RANKS: usize>(&self, ranks: [u64; RANKS]) -> [Found; RANKS] {
        let mut searches = ranks.map(|rank| Search::whole(self, rank));
        let mut guesses = self.first_guesses().iter().chain(GUESSES.iter().cycle());
        while searches.iter().any(|search| search.goes_on(self)) {
            let guess = *guesses.next().unwrap_or(&Guess::Half);
            let middles = searches.each_ref().map(|search| search.guessed(self, guess));
            let found = self.up_to(middles.map(from_order_key));
            for (search, (middle, found)) in searches.iter_mut().zip(middles.into_iter().zip(found)) {
                search.divide(middle, found);
            }
        }
        searches.map(|search| search.end(self))
    }

    /// Those that a sketch allows.
    fn first_guesses(&self) -> &'static [Guess] {
        if self.sketch.is_empty() { &[] } else { &[Guess::SketchedBefore, Guess::SketchedBehind] }
    }

    /// The average of the sketch that is so many places away from that of this rank.
    fn sketched(&self, rank: u64, away: isize) -> f64 {
        let last = self.sketch.len() - 1;
        let place = (last as f64 * (rank as f64 / self.count() as f64)) as usize;
        self.sketch[place.saturating_add_signed(away).min(last)]
    }

    /// The averages above one bound and at most the other.
    fn between(&self, above: f64, not_above: f64) -> Vec<f64> {
        let mut ends = [above, not_above].map(|bound| Ends::new(bound, self.halves.len()));
        // Of each value, how many from the first have an average with it up to a bound.
        let mut partners = vec![[0; 2]; self.halves.len() + 1];
        for _ in 0..self.halves.len() {
            for (bound, ends) in ends.iter_mut().enumerate() {
                partners[ends.index][bound] = ends.partners;
                ends.move_on(&self.halves);
            }
        }
        ends.iter().enumerate().for_each(|(bound, ends)| partners[ends.index][bound] = ends.partners);
        let mut averages = Vec::new();
        for ((index, half), [first, last]) in self.halves.iter().enumerate().zip(partners) {
            averages.extend(self.halves[first.max(index).min(last)..last].iter().map(|other| half + other));
        }
        averages
    }

    /// How many averages are at most each of these bounds, and the largest of them, by two ends that move towards each other.
    /// Johnson and Mizoguchi, "Selecting the kth element in X + Y and X_1 + X_2 + ... + X_m", SIAM Journal on Computing 7
    /// (1978).
    pub fn up_to<const BOUNDS: usize>(&self, bounds: [f64; BOUNDS]) -> [(u64, f64); BOUNDS] {
        let mut ends = bounds.map(|bound| Ends::new(bound, self.halves.len()));
        // One end of each moves at a time, so that a processor has something to do while it waits for one of them.
        for _ in 0..self.halves.len() {
            ends.iter_mut().for_each(|ends| ends.move_on(&self.halves));
        }
        ends.map(|ends| (ends.count as u64, ends.largest))
    }
}

/// Where the averages up to a bound were counted to.
struct Ends {
    bound: f64,
    /// The least value that is not done with, and how many from the first are possible partners of it.
    index: usize,
    partners: usize,
    count: usize,
    largest: f64,
}

impl Ends {
    fn new(bound: f64, partners: usize) -> Self {
        Self { bound, index: 0, partners, count: 0, largest: f64::NEG_INFINITY }
    }

    /// Takes one more value into account: of n values it is done after n times. Which end moves is as good as random, so it has
    /// no branch for a processor to foresee.
    fn move_on(&mut self, halves: &[f64]) {
        let average = halves[self.index] + halves[self.partners - 1];
        let within = average <= self.bound;
        self.count += usize::from(within) * (self.partners - self.index);
        let candidate = if within { average } else { f64::NEG_INFINITY };
        self.largest = if candidate > self.largest { candidate } else { self.largest };
        self.index += usize::from(within);
        self.partners -= usize::from(!within);
    }
}

/// All averages of a few values, given their halves.
fn formed(halves: &[f64]) -> Vec<f64> {
    halves.iter().enumerate().flat_map(|(index, half)| halves[index..].iter().map(move |other| half + other)).collect()
}

/// The averages of values at even distances, ascending.
fn sketch(halves: &[f64]) -> Vec<f64> {
    let place = |index: usize| (2 * index + 1) * halves.len() / (2 * SKETCHED);
    let some: Vec<f64> = (0..SKETCHED).map(|index| halves[place(index)]).collect();
    let mut averages = formed(&some);
    averages.sort_unstable_by(f64::total_cmp);
    averages
}

/// The average of one rank, and that of the next one, where looking for the former has shown it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Found {
    average: f64,
    next: Option<f64>,
}

/// What is known of the average of one rank: keys of the numbers that it is one of.
struct Search {
    rank: u64,
    low: u64,
    high: u64,
    /// What is below the range; a number, for zeros of either sign are one.
    above: f64,
    /// Averages below the range, and those not above it.
    below: u64,
    not_above: u64,
}

impl Search {
    fn whole(walsh: &Walsh, rank: u64) -> Self {
        let [low, high] = [0, walsh.halves.len() - 1].map(|end| order_key(2.0 * walsh.halves[end]));
        Self { rank, low, high, above: f64::NEG_INFINITY, below: 0, not_above: walsh.count() }
    }

    fn goes_on(&self, walsh: &Walsh) -> bool {
        self.low < self.high && self.not_above - self.below > FORMED * walsh.halves.len() as u64
    }

    /// Leaves the part that holds the average: up to `middle`, or above it. `count` averages, of which this is the largest, are
    /// up to it.
    fn divide(&mut self, middle: u64, (count, largest): (u64, f64)) {
        if self.low == self.high {
            return;
        }
        if count >= self.rank {
            (self.high, self.not_above) = (order_key(largest).min(middle), count);
        } else {
            (self.low, self.above, self.below) = (middle + 1, from_order_key(middle), count);
        }
    }

    /// A number of the range, and not its last one unless it is the only one.
    fn guessed(&self, walsh: &Walsh, guess: Guess) -> u64 {
        let last = self.high.saturating_sub(1).max(self.low);
        let around = walsh.halves.len() as u64 / AROUND;
        let evenly = |rank: u64| {
            let share = rank.saturating_sub(self.below) as f64 / (self.not_above - self.below) as f64;
            let (from, to) = (from_order_key(self.low), from_order_key(self.high));
            order_key(from + (to - from) * share).clamp(self.low, last)
        };
        let sketched = |away| order_key(walsh.sketched(self.rank, away)).clamp(self.low, last);
        match guess {
            Guess::SketchedBefore => sketched(-AWAY),
            Guess::SketchedBehind => sketched(AWAY),
            Guess::Before => evenly(self.rank.saturating_sub(around)),
            Guess::Behind => evenly(self.rank + around),
            Guess::BelowHigh => last,
            // Rounded down, so that the range always shrinks.
            Guess::Half => self.low.midpoint(self.high),
        }
    }

    fn end(self, walsh: &Walsh) -> Found {
        // A zero may be found as -0.
        let found =
            |average: f64, next: Option<f64>| Found { average: average + 0.0, next: next.map(|next| next + 0.0) };
        if self.low == self.high {
            let average = from_order_key(self.low);
            return found(average, (self.rank < self.not_above).then_some(average));
        }
        let mut few = walsh.between(self.above, from_order_key(self.high));
        let (_, average, behind) = few.select_nth_unstable_by((self.rank - self.below - 1) as usize, f64::total_cmp);
        found(*average, behind.iter().copied().min_by(f64::total_cmp))
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
                let [found] = walsh.smallest([k]);
                prop_assert_eq!(found.average, *average);
                // Where it is known it is right; k is the next one's place.
                prop_assert!(found.next.is_none_or(|next| all.get(k as usize) == Some(&next)));
            }
            let middle = all.len() / 2;
            let median = if all.len() % 2 == 1 { all[middle] } else { all[middle - 1].midpoint(all[middle]) };
            prop_assert_eq!((walsh.median_of_all(), walsh.median_by_halving()), (median, median));
        }

        /// So many that a sketch guides the search, and with many ties or none.
        #[test]
        fn several_ranks_of_many_values_are_found_at_once(
            mut values in prop_oneof![
                prop::collection::vec(-4_i32..4, 65..300),
                prop::collection::vec(any::<i32>(), 65..300),
                prop::collection::vec(prop_oneof![8 => Just(7), 1 => any::<i32>()], 65..300),
            ],
            ranks in any::<[prop::sample::Index; 3]>(),
        ) {
            values.sort_unstable();
            let values: Vec<f64> = values.iter().map(|&value| f64::from(value) / 3.0).collect();
            let walsh = Walsh::new(&values);
            let all = sorted_averages(&values);
            let places = ranks.map(|rank| rank.index(all.len()));
            let found = walsh.smallest(places.map(|place| place as u64 + 1));
            prop_assert_eq!(found.map(|found| found.average), places.map(|place| all[place]));
            let place = places[0].min(all.len() - 1 - places[0]);
            let median = all[(all.len() - 1) / 2].midpoint(all[all.len() / 2]);
            prop_assert_eq!(walsh.median_between(place as u64 + 1), (all[place], median, all[all.len() - 1 - place]));
            let bounds = [all[places[1]], all[places[2]].next_down()];
            let counted = bounds.map(|bound| all.iter().filter(|average| **average <= bound).count() as u64);
            prop_assert_eq!(walsh.up_to(bounds).map(|(count, _)| count), counted);
        }

        #[test]
        fn keys_keep_the_order(first in prop::num::f64::NORMAL, second in prop::num::f64::NORMAL) {
            prop_assert_eq!(from_order_key(order_key(first)), first);
            prop_assert_eq!(order_key(first) < order_key(second), first < second);
        }
    }

    #[test]
    fn huge_values_do_not_overflow() {
        assert_eq!(Walsh::new(&[-f64::MAX, f64::MAX, f64::MAX]).smallest([6])[0].average, f64::MAX);
    }
}
