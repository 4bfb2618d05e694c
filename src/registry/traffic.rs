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

impl Snapshot {
    /// What went through the registry between an earlier snapshot and this one. Empty where that is not known: the
    /// registry was restarted in between, or the other snapshot is the later one.
    pub fn since(&self, before: &Self) -> Option<Traffic> {
        if self.instance != before.instance {
            return None;
        }
        let (now, then) = (&self.traffic, &before.traffic);
        Some(Traffic {
            requests: now.requests.checked_sub(then.requests)?,
            manifest_requests: now.manifest_requests.checked_sub(then.manifest_requests)?,
            manifest_bytes: now.manifest_bytes.checked_sub(then.manifest_bytes)?,
            blob_requests: now.blob_requests.checked_sub(then.blob_requests)?,
            blob_bytes: now.blob_bytes.checked_sub(then.blob_bytes)?,
            blob_bytes_received: now.blob_bytes_received.checked_sub(then.blob_bytes_received)?,
            manifests_received: now.manifests_received.checked_sub(then.manifests_received)?,
            errors: now.errors.checked_sub(then.errors)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::array::uniform8;
    use proptest::prelude::*;

    fn traffic(values: [u64; 8]) -> Traffic {
        Traffic {
            requests: values[0],
            manifest_requests: values[1],
            manifest_bytes: values[2],
            blob_requests: values[3],
            blob_bytes: values[4],
            blob_bytes_received: values[5],
            manifests_received: values[6],
            errors: values[7],
        }
    }

    fn snapshot(instance: &str, values: [u64; 8]) -> Snapshot {
        Snapshot { instance: instance.to_owned(), traffic: traffic(values) }
    }

    #[test]
    fn nothing_is_known_across_a_restart_even_where_every_counter_grew() {
        assert_eq!(snapshot("b", [9; 8]).since(&snapshot("a", [1; 8])), None);
    }

    proptest! {
        #[test]
        fn since_undoes_addition(before in uniform8(0u64..1 << 40), grown in uniform8(0u64..1 << 40)) {
            let after: [u64; 8] = std::array::from_fn(|index| before[index] + grown[index]);
            prop_assert_eq!(snapshot("a", after).since(&snapshot("a", before)), Some(traffic(grown)));
        }

        #[test]
        fn one_counter_going_backwards_is_enough(values in uniform8(1u64..1 << 40), which in 0usize..8) {
            let mut after = values;
            after[which] -= 1;
            prop_assert_eq!(snapshot("a", after).since(&snapshot("a", values)), None);
        }

        #[test]
        fn a_snapshot_survives_json(values: [u64; 8]) {
            let snapshot = snapshot("a", values);
            let text = serde_json::to_string(&snapshot).unwrap();
            prop_assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot);
        }
    }
}
