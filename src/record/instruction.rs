//! `instructions.csv`: one row per Dockerfile instruction of a build.

use serde::{Deserialize, Serialize};

use super::Text;

/// One instruction of one build. FROM is not an instruction that a builder executes, and has no row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstructionRow {
    pub schema: u32,
    pub run_id: String,
    pub scenario: String,
    pub block: u32,
    pub topology: Text,
    pub attempt: u32,
    pub worker: u32,
    pub job: u32,
    pub step: Text,
    /// Place among the instructions of the Dockerfile, from 1.
    pub index: u32,
    pub text: Text,
    pub cached: bool,
    /// From this instruction's first output to the next one's, as seen by the client; empty for the
    /// instruction in which a build failed.
    pub elapsed_ns: Option<u64>,
}
