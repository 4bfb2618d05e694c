//! `trials.csv`: one row per attempt of a trial.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Text;
use crate::case::{ErrorClass, Status};

/// One attempt of one trial: how it was set up, how it ended, and how quiet the host was meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRow {
    pub schema: u32,
    pub run_id: String,
    pub scenario: String,
    pub block: u32,
    pub warmup: bool,
    pub position: u32,
    pub topology: Text,
    pub attempt: u32,
    pub worker: u32,
    /// Kind of the topology, such as `dind`.
    pub kind: String,
    /// The topology's parameters as `key=value` joined by spaces.
    pub parameters: Text,
    /// Where the job's engine kept its data.
    pub data_root: String,
    /// Version of the engine that the job talked to.
    #[serde(with = "super::text::escaped")]
    pub engine: String,
    pub status: Status,
    pub error_class: Option<ErrorClass>,
    pub error: Text,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    pub setup_ns: Option<u64>,
    pub teardown_ns: Option<u64>,
    /// Rise of the pressure-stall totals over the trial.
    pub psi_cpu_ns: Option<u64>,
    pub psi_io_ns: Option<u64>,
    pub psi_memory_ns: Option<u64>,
    /// Time that a hypervisor took from this machine over the trial, all cores together.
    pub steal_ns: Option<u64>,
    /// Time of the fixed calibration work of the trial's block; empty where none was run.
    pub calibration_ns: Option<u64>,
    /// How long the machine was looked at, and waited for, before the trial; empty where nobody looked.
    #[serde(default)]
    pub waited_ns: Option<u64>,
}
