//! What trials of the same work differ by.

use std::fmt;

use rand_chacha::ChaCha8Rng;

use super::{Drifting, Recorded};

pub enum Machine {
    Drifting(Drifting),
    Recorded(Recorded),
}

impl Machine {
    /// ln(time / usual time), one for each trial in the order in which they run. `heavier` has the same length, and tells
    /// which trials are of the topology with a tail of its own. As many numbers are drawn whatever it holds, so the same
    /// generator is the same machine.
    pub fn slowness(&self, heavier: &[bool], random: &mut ChaCha8Rng) -> Vec<f64> {
        match self {
            Self::Drifting(drifting) => drifting.slowness(heavier, random),
            Self::Recorded(recorded) => recorded.slowness(heavier.len(), random),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Drifting(drifting) => drifting.fmt(formatter),
            Self::Recorded(recorded) => recorded.fmt(formatter),
        }
    }
}
