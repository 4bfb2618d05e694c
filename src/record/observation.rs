//! A row of `samples.csv` as an analysis needs it, borrowed from the line that it was read from: of a million rows none is
//! kept.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::Deserialize;

use super::columns::Columns;
use super::{ReadError, Sample, text};
use crate::case::{Builder, Edit, ErrorClass, Op, Status};

/// What is observed of one step of one job; the fields are those of `Sample`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Observation<'a> {
    pub block: u32,
    pub warmup: bool,
    pub position: u32,
    #[serde(borrow, deserialize_with = "text::unescaped")]
    pub topology: Cow<'a, str>,
    pub attempt: u32,
    pub worker: u32,
    pub builder: Option<Builder>,
    pub job: u32,
    pub edit: Edit,
    #[serde(borrow, deserialize_with = "text::unescaped")]
    pub step: Cow<'a, str>,
    pub op: Op,
    pub elapsed_ns: Option<u64>,
    pub upload_ns: Option<u64>,
    pub export_ns: Option<u64>,
    pub status: Status,
    pub error_class: Option<ErrorClass>,
    #[serde(borrow, deserialize_with = "text::unescaped")]
    pub error: Cow<'a, str>,
    #[serde(borrow)]
    pub flags: Cow<'a, str>,
    pub instructions_total: Option<u32>,
    pub instructions_cached: Option<u32>,
    pub bytes_pulled: Option<u64>,
    pub bytes_pushed: Option<u64>,
    pub disk_bytes: Option<u64>,
    pub disk_delta_bytes: Option<i64>,
    pub cpu_ns: Option<u64>,
    pub peak_memory_bytes: Option<u64>,
    pub io_read_bytes: Option<u64>,
    pub io_write_bytes: Option<u64>,
    #[serde(borrow, deserialize_with = "text::unescaped")]
    pub engine_version: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "text::unescaped")]
    pub storage_driver: Cow<'a, str>,
}

/// The columns of an observation, in the order of its fields.
const COLUMNS: [&str; 30] = [
    "block",
    "warmup",
    "position",
    "topology",
    "attempt",
    "worker",
    "builder",
    "job",
    "edit",
    "step",
    "op",
    "elapsed_ns",
    "upload_ns",
    "export_ns",
    "status",
    "error_class",
    "error",
    "flags",
    "instructions_total",
    "instructions_cached",
    "bytes_pulled",
    "bytes_pushed",
    "disk_bytes",
    "disk_delta_bytes",
    "cpu_ns",
    "peak_memory_bytes",
    "io_read_bytes",
    "io_write_bytes",
    "engine_version",
    "storage_driver",
];

impl<'a> From<&'a Sample> for Observation<'a> {
    fn from(sample: &'a Sample) -> Self {
        Self {
            block: sample.block,
            warmup: sample.warmup,
            position: sample.position,
            topology: Cow::Borrowed(sample.topology.as_str()),
            attempt: sample.attempt,
            worker: sample.worker,
            builder: sample.builder,
            job: sample.job,
            edit: sample.edit,
            step: Cow::Borrowed(sample.step.as_str()),
            op: sample.op,
            elapsed_ns: sample.elapsed_ns,
            upload_ns: sample.upload_ns,
            export_ns: sample.export_ns,
            status: sample.status,
            error_class: sample.error_class,
            error: Cow::Borrowed(sample.error.as_str()),
            flags: Cow::Borrowed(&sample.flags),
            instructions_total: sample.instructions_total,
            instructions_cached: sample.instructions_cached,
            bytes_pulled: sample.bytes_pulled,
            bytes_pushed: sample.bytes_pushed,
            disk_bytes: sample.disk_bytes,
            disk_delta_bytes: sample.disk_delta_bytes,
            cpu_ns: sample.cpu_ns,
            peak_memory_bytes: sample.peak_memory_bytes,
            io_read_bytes: sample.io_read_bytes,
            io_write_bytes: sample.io_write_bytes,
            engine_version: Cow::Borrowed(&sample.engine_version),
            storage_driver: Cow::Borrowed(&sample.storage_driver),
        }
    }
}

/// The rows of one `samples.csv`, each in the place of the one before it.
pub struct Observations(Columns);

impl Observations {
    pub(super) fn open(path: PathBuf) -> Result<Self, ReadError> {
        Ok(Self(Columns::open(path, &COLUMNS)?))
    }

    /// The next row; empty at the end.
    ///
    /// # Errors
    /// A file without one of the columns; a line that cannot be read, is not whole, is of a newer schema, or whose cells have
    /// no meaning.
    pub fn read(&mut self) -> Result<Option<Observation<'_>>, ReadError> {
        self.0.read()
    }
}
