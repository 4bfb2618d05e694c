//! Reads what a build printed: which instructions ran, which were cached, when each began, and why a build failed.
//!
//! [`ClassicLog`] takes the output of the classic builder, as text or as the engine's JSON stream, and gives a
//! [`ClassicBuild`]: instructions as they were printed. [`ClassicBuild::verify`] holds that against the ids of the
//! images that really exist; only its [`Instruction`]s may be counted. [`failure`] names the kind of an error.

mod classic;
mod failure;
mod json;
mod lines;
mod trail;
mod transfer;
mod verify;

pub use classic::{ClassicBuild, ClassicLog, Printed};
pub use failure::{Failure, failure};
pub use json::StreamError;
pub use transfer::Transfer;
pub use verify::{Instruction, Mismatch};
