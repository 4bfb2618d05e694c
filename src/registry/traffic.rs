//! What went through a registry, as counters that are read before and after a step and subtracted.

use serde::{Deserialize, Serialize};

/// Counts of requests and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    pub requests: u64,
    /// GET and HEAD of manifests.
    pub manifest_requests: u64,
    /// Bytes of manifests that were sent.
    pub manifest_bytes: u64,
    /// GET and HEAD of blobs.
    pub blob_requests: u64,
    /// Bytes of blobs that were sent, config included. Counted as they are handed to the connection: of a transfer that
    /// a client broke off, no more than the connection's buffers hold (below 1 MiB) is counted and was not received.
    pub blob_bytes: u64,
    /// Bytes of blobs that were received, also by an upload that failed.
    pub blob_bytes_received: u64,
    /// Manifests that were stored.
    pub manifests_received: u64,
    /// Answers of 400 and above, without a 404 to a HEAD: that is how a client asks whether something is there.
    pub errors: u64,
}

/// The counters of one running registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Differs between any two registries, also after a restart.
    pub instance: String,
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Two snapshots that cannot be subtracted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADifference {
    #[error("the registry was restarted between two readings of its counters: what went through it then is not known")]
    Restarted,
    #[error("the registry's counters went backwards: the readings were taken in the other order")]
    Backwards,
}

/// One answered request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// From 0, in the order in which answers ended.
    pub seq: u64,
    pub method: String,
    /// Without the query.
    pub path: String,
    pub status: u16,
    /// Bytes of the answer's body that were sent.
    pub bytes: u64,
}

/// The newest part of the access log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// What to ask for next: one above the newest entry's `seq`.
    pub next: u64,
    /// Entries that were asked for and are no longer held.
    pub forgotten: u64,
    pub entries: Vec<LogEntry>,
}

impl Snapshot {
    /// What went through the registry between an earlier snapshot and this one.
    pub fn since(&self, before: &Self) -> Result<Traffic, NotADifference> {
        if self.instance != before.instance {
            return Err(NotADifference::Restarted);
        }
        self.traffic.minus(&before.traffic).ok_or(NotADifference::Backwards)
    }
}

impl Traffic {
    fn minus(&self, before: &Self) -> Option<Self> {
        Some(Self {
            requests: self.requests.checked_sub(before.requests)?,
            manifest_requests: self.manifest_requests.checked_sub(before.manifest_requests)?,
            manifest_bytes: self.manifest_bytes.checked_sub(before.manifest_bytes)?,
            blob_requests: self.blob_requests.checked_sub(before.blob_requests)?,
            blob_bytes: self.blob_bytes.checked_sub(before.blob_bytes)?,
            blob_bytes_received: self.blob_bytes_received.checked_sub(before.blob_bytes_received)?,
            manifests_received: self.manifests_received.checked_sub(before.manifests_received)?,
            errors: self.errors.checked_sub(before.errors)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::array::uniform8;
    use proptest::prelude::*;

    fn traffic(values: [u64; 8]) -> Traffic {
        let [
            requests,
            manifest_requests,
            manifest_bytes,
            blob_requests,
            blob_bytes,
            blob_bytes_received,
            manifests_received,
            errors,
        ] = values;
        Traffic {
            requests,
            manifest_requests,
            manifest_bytes,
            blob_requests,
            blob_bytes,
            blob_bytes_received,
            manifests_received,
            errors,
        }
    }

    fn snapshot(instance: &str, values: [u64; 8]) -> Snapshot {
        Snapshot { instance: instance.to_owned(), traffic: traffic(values) }
    }

    #[test]
    fn a_restart_is_an_error_also_when_every_counter_grew() {
        assert_eq!(snapshot("b", [9; 8]).since(&snapshot("a", [1; 8])), Err(NotADifference::Restarted));
    }

    #[test]
    fn the_form_that_is_read_over_http() {
        let json = serde_json::to_value(snapshot("a", [1, 2, 3, 4, 5, 6, 7, 8])).unwrap();
        assert_eq!(json["instance"], "a");
        assert_eq!(json["blob_bytes"], 5);
        assert_eq!(json["errors"], 8);
    }

    proptest! {
        #[test]
        fn since_undoes_addition(before in uniform8(0u64..1 << 40), grown in uniform8(0u64..1 << 40)) {
            let after: [u64; 8] = std::array::from_fn(|index| before[index] + grown[index]);
            prop_assert_eq!(snapshot("a", after).since(&snapshot("a", before)), Ok(traffic(grown)));
        }

        #[test]
        fn one_counter_going_backwards_is_enough(values in uniform8(1u64..1 << 40), which in 0usize..8) {
            let mut after = values;
            after[which] -= 1;
            prop_assert_eq!(snapshot("a", after).since(&snapshot("a", values)), Err(NotADifference::Backwards));
        }

        #[test]
        fn a_snapshot_survives_json(values: [u64; 8]) {
            let snapshot = snapshot("a", values);
            let text = serde_json::to_string(&snapshot).unwrap();
            prop_assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot);
        }
    }
}
