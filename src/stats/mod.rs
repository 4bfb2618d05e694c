//! Estimates with exact intervals, tests and flags; every method names its source.
//!
//! Values come as `Ordered` where their order means nothing, and as a slice where it does. An error is a value that no
//! statistic is defined for; what the values given are too few or too equal for is empty.

mod autocorrelation;
mod bca;
mod block_bootstrap;
mod equivalence;
mod hierarchical;
mod interval;
mod kendall;
mod median;
mod multiplicity;
mod ordered;
mod outlier;
mod paired;
mod precision;
mod proportion;
mod random_effects;
mod rank_sum;
mod resample;
mod signed_rank;
mod significance;
mod unpaired;
mod walsh;

pub use autocorrelation::autocorrelation;
pub use bca::mean;
pub use equivalence::{EQUIVALENCE_MARGIN, equivalent};
pub use interval::{Estimate, Interval, Level};
pub use kendall::{Kendall, kendall};
pub use median::median;
pub use multiplicity::{benjamini_hochberg, holm};
pub use ordered::{Ordered, Unusable};
pub use outlier::Outliers;
pub use paired::{LogRatios, difference, hierarchical_ratio, ratio};
pub use precision::{FORESEEN_NOISE, enough_blocks, foreseen_half_width, half_width, implied_noise, looks};
pub use proportion::{likely_counts, proportion};
pub use random_effects::{Effect, Pooled, random_effects};
pub use significance::significance;
pub use unpaired::{fewest_unpaired, unpaired_ratio};
