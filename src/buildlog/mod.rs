//! Reads what a build printed: which instructions ran, which were cached, when each began, and why a build failed.
//!
//! Each builder has a log: [`ClassicLog`] takes the classic builder's output, as text or as the engine's JSON stream,
//! [`BuildkitLog`] BuildKit's, as text, as buildx's records or as the engine's stream, [`BuildahLog`] that of podman and
//! buildah. They give a [`ClassicBuild`], a [`BuildkitBuild`] and a [`BuildahBuild`]: instructions as they were printed.
//! `verify` of each holds that against the images that really exist; only its [`Instruction`]s may be counted.
//! [`failure`] names the kind of an error.

mod buildah;
mod buildkit;
mod classic;
mod failure;
mod json;
mod lines;
mod trail;
mod transfer;
mod verify;

pub use buildah::{BuildahBuild, BuildahLog};
pub use buildkit::{BuildkitBuild, BuildkitLog, Contradiction, Incomplete, Reported};
pub use classic::{ClassicBuild, ClassicLog, Printed};
pub use failure::{Failure, buildah_failure, failure};
pub use json::StreamError;
pub use transfer::Transfer;
pub use verify::{Instruction, Mismatch};
