//! The files of a run directory: what a row holds, how it is appended, and how it is read back.
//!
//! Base units at full precision; an empty cell where a value is unavailable, never 0. See `docs/format.md`.

mod claims;
mod columns;
mod event;
mod instruction;
mod observation;
mod reader;
mod run;
mod sample;
mod text;
mod trial;
mod writer;

pub use claims::{ClaimsDir, ClaimsRecord, ClaimsWriter, FindingRow};
pub use event::{Event, PHASE};
pub use instruction::{Instruction, InstructionRow, Instructions};
pub use observation::{Observation, Observations};
pub use reader::{ReadError, RunDir};
pub use run::{ArmRecord, EngineRecord, Environment, HostRecord, ImageRecord, RunRecord, own_registry};
pub use sample::Sample;
pub use text::Text;
pub use trial::TrialRow;
pub use writer::{WriteError, Writer};

/// The version of every file of a run. A reader refuses a newer one.
pub const SCHEMA: u32 = 1;
