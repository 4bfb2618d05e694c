//! Reads what a build printed: why it failed.

mod failure;

pub use failure::{Failure, failure};
