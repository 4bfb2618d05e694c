//! Estimates with exact intervals, tests and flags; every method names its source.
//!
//! Values come as `Ordered` where their order means nothing, and as a slice where it does. An error is a value that no
//! statistic is defined for; what the values given are too few or too equal for is empty.

mod autocorrelation;
mod equivalence;
mod holm;
mod interval;
mod kendall;
mod median;
mod ordered;
mod outlier;
mod paired;
mod precision;
mod proportion;
mod rank_sum;
mod signed_rank;
mod unpaired;
mod walsh;

pub use autocorrelation::autocorrelation;
pub use equivalence::{EQUIVALENCE_MARGIN, equivalent};
pub use holm::holm;
pub use interval::{Estimate, Interval, Level};
pub use kendall::{Kendall, kendall};
pub use median::median;
pub use ordered::{Ordered, Unusable};
pub use outlier::Outliers;
pub use paired::{difference, ratio};
pub use precision::{half_width, looks};
pub use proportion::proportion;
pub use unpaired::{fewest_unpaired, unpaired_ratio};
