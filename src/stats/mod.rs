//! Estimates with exact intervals; every method names its source.

mod equivalence;
mod interval;
mod median;
mod ordered;
mod paired;
mod proportion;
mod rank_sum;
mod signed_rank;
mod unpaired;
mod walsh;

pub use equivalence::{EQUIVALENCE_MARGIN, equivalent};
pub use interval::{Estimate, Interval, Level};
pub use median::median;
pub use ordered::{Ordered, Unusable};
pub use paired::{difference, ratio};
pub use proportion::proportion;
pub use unpaired::{fewest_unpaired, unpaired_ratio};
