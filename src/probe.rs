//! Counters around a step: read before, read after, subtracted. Never inside a timed region.

use crate::agent::{NestedDisk, Reading};
use crate::registry::Snapshot;
use crate::topology::{Host, OuterHost, TopologyError};

/// All counters at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    reading: Reading,
    served: Snapshot,
}

/// What a step used. Empty where this host has no such figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    pub bytes_pulled: Option<u64>,
    pub bytes_pushed: Option<u64>,
    pub disk_bytes: Option<u64>,
    pub disk_delta_bytes: Option<i64>,
    /// What the job's own engine says that it stores; read after the last step of a job only, because it is slow.
    pub engine_disk_bytes: Option<u64>,
    pub inodes_delta: Option<i64>,
    pub volumes_leaked: Option<u32>,
    pub cpu_ns: Option<u64>,
    pub peak_memory_bytes: Option<u64>,
    pub io_read_bytes: Option<u64>,
    pub io_write_bytes: Option<u64>,
}

impl Point {
    /// Reads every counter, of an inner engine's own file system too, with everything settled on disk first where that is asked for.
    pub async fn read(
        outer: &OuterHost,
        host: &Host,
        settle: bool,
        nested: Option<NestedDisk>,
    ) -> Result<Self, TopologyError> {
        Ok(Self { reading: outer.read(settle, nested).await?, served: host.served().await? })
    }

    /// What was used since an earlier point.
    pub fn since(&self, before: &Self) -> Delta {
        let (now, then) = (&self.reading, &before.reading);
        let traffic = self.served.since(&before.served);
        Delta {
            bytes_pulled: traffic.as_ref().map(|traffic| traffic.blob_bytes),
            bytes_pushed: traffic.as_ref().map(|traffic| traffic.blob_bytes_received),
            disk_bytes: now.disk_bytes,
            disk_delta_bytes: change(now.disk_bytes, then.disk_bytes),
            engine_disk_bytes: None,
            inodes_delta: change(now.inodes, then.inodes),
            volumes_leaked: None,
            cpu_ns: rise(now.cpu_ns, then.cpu_ns),
            peak_memory_bytes: now.peak_memory_bytes,
            io_read_bytes: rise(now.io_read_bytes, then.io_read_bytes),
            io_write_bytes: rise(now.io_write_bytes, then.io_write_bytes),
        }
    }
}

/// How far a counter rose; empty where it is missing or went backwards, which no counter does.
pub fn rise(now: Option<u64>, then: Option<u64>) -> Option<u64> {
    now?.checked_sub(then?)
}

fn change(now: Option<u64>, then: Option<u64>) -> Option<i64> {
    i64::try_from(now?).ok()?.checked_sub(i64::try_from(then?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_stays_missing_and_a_counter_never_falls() {
        assert_eq!(rise(Some(5), Some(3)), Some(2));
        assert_eq!(rise(Some(3), Some(5)), None);
        assert_eq!(rise(None, Some(5)), None);
        assert_eq!(change(Some(3), Some(5)), Some(-2));
        assert_eq!(change(Some(3), None), None);
    }
}
