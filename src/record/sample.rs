//! `samples.csv`: one row per step.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Text;
use crate::case::{Builder, Driver, Edit, ErrorClass, Lifecycle, Op, Status};

/// Everything measured about one step of one job of one trial. The field names are the columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    pub schema: u32,
    pub run_id: String,
    pub host: String,
    pub scenario: String,
    /// 0 is the warm-up block.
    pub block: u32,
    pub warmup: bool,
    /// Place of the trial in its block, from 0.
    pub position: u32,
    pub topology: Text,
    /// 1 for the first try of a trial, 2 for its re-run.
    pub attempt: u32,
    /// Which of several jobs at once, from 0.
    pub worker: u32,
    /// Empty where the topology has no inner engine.
    pub lifecycle: Option<Lifecycle>,
    pub driver: Driver,
    /// The builder that ran; empty where nothing was built.
    pub builder: Option<Builder>,
    /// Number of the job in its sequence, from 1.
    pub job: u32,
    pub edit: Edit,
    /// A build's tag, or the step's index from 0; `start` and `stop` for the implicit steps.
    pub step: Text,
    pub op: Op,
    /// Wall time, for labels only; durations are from the monotonic clock.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    pub elapsed_ns: Option<u64>,
    pub upload_ns: Option<u64>,
    pub export_ns: Option<u64>,
    pub status: Status,
    pub error_class: Option<ErrorClass>,
    pub error: Text,
    /// Words joined by `;`, each explained in `docs/format.md`.
    pub flags: String,
    pub instructions_total: Option<u32>,
    pub instructions_cached: Option<u32>,
    pub layers_total: Option<u32>,
    pub layers_reused: Option<u32>,
    /// Layer and config bytes that the registry served in this step.
    pub bytes_pulled: Option<u64>,
    pub bytes_pushed: Option<u64>,
    /// Allocated bytes on the outer engine's file system after the step.
    pub disk_bytes: Option<u64>,
    pub disk_delta_bytes: Option<i64>,
    /// What the job's own engine says that it stores, from its `/system/df`.
    pub engine_disk_bytes: Option<u64>,
    pub inodes_delta: Option<i64>,
    /// Volumes on the outer engine after a job that belong to no engine which lives on; those of earlier jobs count again.
    pub volumes_leaked: Option<u32>,
    pub cpu_ns: Option<u64>,
    pub peak_memory_bytes: Option<u64>,
    pub io_read_bytes: Option<u64>,
    pub io_write_bytes: Option<u64>,
    #[serde(with = "super::text::escaped")]
    pub engine_version: String,
    #[serde(with = "super::text::escaped")]
    pub storage_driver: String,
    #[serde(with = "super::text::escaped")]
    pub backing_fs: String,
    #[serde(with = "super::text::escaped")]
    pub image_id: String,
}
