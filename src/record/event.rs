//! `events.jsonl`: every stream record that a number was derived from.

use serde::{Deserialize, Serialize};

/// The source of an event that is a part of a step.
pub const PHASE: &str = "phase";

/// One line of output, or one phase, with the time at which it was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub schema: u32,
    pub block: u32,
    pub topology: String,
    pub attempt: u32,
    pub worker: u32,
    pub job: u32,
    pub step: String,
    /// Nanoseconds since the step began.
    pub at_ns: u64,
    /// `stdout` and `stderr` of the step's command, or `phase` for a part of the step that ended.
    pub source: String,
    pub text: String,
}
