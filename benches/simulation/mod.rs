//! Simulated runs: the noise of a machine, the order of trials that the planner gives, and how often the intervals that
//! come out hold the ratio that was put in.

mod cell;
mod drifting;
mod machine;
mod order;
mod recorded;

pub use cell::{Blocks, Cell, Tally};
pub use drifting::{Drifting, Tail};
pub use machine::Machine;
pub use order::Order;
pub use recorded::Recorded;
