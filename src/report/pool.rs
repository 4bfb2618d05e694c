//! What several runs of a scenario say together.

use super::shown::shown;
use super::words::ratio;
use crate::analysis::{Pool, PoolCase};
use crate::stats::Estimate;

/// One sentence of a ratio: by host, and of all hosts where they have a common number.
pub fn pool(pool: &Pool) -> String {
    let words = |estimate: &Estimate| {
        let words = ratio(estimate);
        format!("{} ({}, {} blocks)", words.point, words.interval, estimate.n)
    };
    let runs = |runs: usize| if runs == 1 { "one run".to_owned() } else { format!("{runs} runs") };
    let mut parts: Vec<String> = pool
        .hosts
        .iter()
        .map(|(host, of_host, estimate)| format!("{} on {}, {}", words(estimate), shown(host), runs(*of_host)))
        .collect();
    parts.extend(pool.all.as_ref().map(|(estimate, i2)| {
        let all = ratio(estimate);
        format!("all {} hosts {} ({}, I² {:.0} %)", pool.hosts.len(), all.point, all.interval, i2 * 100.0)
    }));
    let PoolCase { scenario, edit, topology, reference, .. } = &pool.case;
    format!("{}, {} to {}, edit {edit}: {}", shown(scenario), shown(topology), shown(reference), parts.join("; "))
}
