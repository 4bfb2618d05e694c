//! How busy a machine is while dindbench does nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{AgentError, disk, pressure};

/// Averages of the kernel would still hold our own last trial twenty seconds later.
const LENGTH: Duration = Duration::from_secs(1);

/// What a machine did in a second, and how it was at its end. Empty where the kernel does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    pub elapsed_ns: u64,
    /// Rise of the pressure-stall totals of the whole machine.
    pub psi_cpu_ns: Option<u64>,
    pub psi_io_ns: Option<u64>,
    /// Time that a hypervisor gave to others, all processors together.
    pub steal_ns: Option<u64>,
    /// Tasks that ran or could have run, without the one that looked: the lesser of two looks, for a task that was there for
    /// a moment is no load.
    pub runnable: Option<u64>,
    pub processors: u32,
    /// Bytes that the disk of the engine's data has left.
    pub free_disk_bytes: Option<u64>,
}

impl Second {
    /// Looks for a second. `folder` is on the disk of the engine's data.
    pub fn watch(folder: &Path) -> Result<Self, AgentError> {
        let totals = || (pressure::stalled_ns("cpu"), pressure::stalled_ns("io"), pressure::steal_ns());
        let (began, before, first) = (Instant::now(), totals(), pressure::runnable());
        std::thread::sleep(LENGTH);
        let (elapsed, after) = (began.elapsed(), totals());
        let rise = |now: Option<u64>, then: Option<u64>| now?.checked_sub(then?);
        let processors =
            std::thread::available_parallelism().map_err(|error| AgentError::new("count the processors", error))?;
        Ok(Self {
            elapsed_ns: crate::units::as_nanos(elapsed),
            psi_cpu_ns: rise(after.0, before.0),
            psi_io_ns: rise(after.1, before.1),
            steal_ns: rise(after.2, before.2),
            runnable: first.zip(pressure::runnable()).map(|(first, last)| first.min(last)),
            processors: u32::try_from(processors.get()).unwrap_or(u32::MAX),
            free_disk_bytes: disk::free_bytes(folder),
        })
    }
}
