//! A vertical axis from zero: round ticks in the unit that a person would choose.

use crate::units;

/// What the axis measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    Nanos,
    Bytes,
}

/// Ticks from 0 to `top`, which is itself a tick at or above every value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) quantity: Quantity,
    pub(super) step: f64,
    pub(super) top: f64,
}

/// How many intervals an axis has at most.
const INTERVALS: f64 = 6.0;
const SECOND: f64 = 1e9;
const MINUTE: f64 = 60e9;
const HOUR: f64 = 3600e9;

impl Axis {
    /// The axis for finite values from 0 to `largest`.
    pub(super) fn up_to(quantity: Quantity, largest: f64) -> Self {
        let step = step(quantity, largest / INTERVALS);
        // A value on the last tick would have its mark cut in half: there is always some room above.
        let top = ((largest * 1.02 / step).ceil() * step).max(step);
        Self { quantity, step, top }
    }

    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        let step = self.step;
        (0..=(self.top / step).round() as u32).map(move |index| f64::from(index) * step)
    }

    pub(super) fn label(&self, value: f64) -> String {
        if value == 0.0 {
            return "0".to_owned();
        }
        let text = match self.quantity {
            Quantity::Nanos => units::nanos(value),
            Quantity::Bytes => units::bytes(value),
        };
        without_idle_zeros(&text)
    }
}

/// The smallest round step that is not below `least`.
fn step(quantity: Quantity, least: f64) -> f64 {
    const CLOCK: [f64; 14] = [
        10.0 * SECOND,
        15.0 * SECOND,
        30.0 * SECOND,
        MINUTE,
        2.0 * MINUTE,
        5.0 * MINUTE,
        10.0 * MINUTE,
        15.0 * MINUTE,
        30.0 * MINUTE,
        HOUR,
        2.0 * HOUR,
        3.0 * HOUR,
        6.0 * HOUR,
        12.0 * HOUR,
    ];
    match quantity {
        Quantity::Nanos if least > 5.0 * SECOND => CLOCK
            .into_iter()
            .find(|step| *step >= least)
            .unwrap_or_else(|| 12.0 * HOUR * (least / (12.0 * HOUR)).ceil()),
        Quantity::Nanos => decimal_step(least),
        Quantity::Bytes => decimal_step(least).max(1.0),
    }
}

fn decimal_step(least: f64) -> f64 {
    if least <= 0.0 {
        return 1.0;
    }
    let magnitude = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|factor| factor * magnitude).find(|step| *step >= least).unwrap_or(10.0 * magnitude)
}

/// `1.50 s` as `1.5 s`, `2.00 s` as `2 s`.
fn without_idle_zeros(text: &str) -> String {
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round_in_their_own_unit() {
        for (quantity, largest, labels) in [
            (Quantity::Nanos, 4.3e9, vec!["0", "1 s", "2 s", "3 s", "4 s", "5 s"]),
            (Quantity::Nanos, 1.0, vec!["0", "0.2 ns", "0.4 ns", "0.6 ns", "0.8 ns", "1 ns", "1.2 ns"]),
            (Quantity::Nanos, 100e9, vec!["0", "30 s", "1 min 00 s", "1 min 30 s", "2 min 00 s"]),
            (Quantity::Nanos, 80_000e9, vec!["0", "6 h 00 min", "12 h 00 min", "18 h 00 min", "24 h 00 min"]),
            (Quantity::Nanos, 0.0, vec!["0", "1 ns"]),
            (Quantity::Bytes, 0.0, vec!["0", "1 B"]),
            (Quantity::Bytes, 62.4e6, vec!["0", "20 MB", "40 MB", "60 MB", "80 MB"]),
        ] {
            let axis = Axis::up_to(quantity, largest);
            assert_eq!(axis.ticks().map(|tick| axis.label(tick)).collect::<Vec<_>>(), labels);
        }
    }

    proptest! {
        #[test]
        fn every_value_is_below_the_top_and_the_ticks_are_few(largest in 0.0..1e17f64) {
            for quantity in [Quantity::Nanos, Quantity::Bytes] {
                let axis = Axis::up_to(quantity, largest);
                prop_assert!(axis.top >= largest);
                prop_assert!((2..=9).contains(&axis.ticks().count()));
            }
        }
    }
}
