//! `instructions.csv`: one row per Dockerfile instruction of a build.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::{ReadError, Text, text};

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

/// The same as an analysis needs it, borrowed from the line that it was read from; the fields are those of `InstructionRow`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Instruction<'a> {
    pub block: u32,
    #[serde(borrow, deserialize_with = "text::unescaped")]
    pub topology: Cow<'a, str>,
    pub attempt: u32,
    pub worker: u32,
    pub job: u32,
    #[serde(borrow, deserialize_with = "text::unescaped")]
    pub step: Cow<'a, str>,
    pub index: u32,
    #[serde(borrow, deserialize_with = "text::unescaped")]
    pub text: Cow<'a, str>,
    pub cached: bool,
}

/// The columns of an instruction, in the order of its fields.
const COLUMNS: [&str; 9] = ["block", "topology", "attempt", "worker", "job", "step", "index", "text", "cached"];

impl<'a> From<&'a InstructionRow> for Instruction<'a> {
    fn from(row: &'a InstructionRow) -> Self {
        Self {
            block: row.block,
            topology: Cow::Borrowed(row.topology.as_str()),
            attempt: row.attempt,
            worker: row.worker,
            job: row.job,
            step: Cow::Borrowed(row.step.as_str()),
            index: row.index,
            text: Cow::Borrowed(row.text.as_str()),
            cached: row.cached,
        }
    }
}

/// The rows of one `instructions.csv`, each in the place of the one before it.
pub struct Instructions(Columns);

impl Instructions {
    pub(super) fn open(path: PathBuf) -> Result<Self, ReadError> {
        Ok(Self(Columns::open(path, &COLUMNS)?))
    }

    /// The next row; empty at the end.
    ///
    /// # Errors
    /// As of `Observations`.
    pub fn read(&mut self) -> Result<Option<Instruction<'_>>, ReadError> {
        self.0.read()
    }
}
