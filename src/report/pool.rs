//! What several runs of a scenario say together.

use super::shown::shown;
use super::words::{blocks, ratio, runs};
use crate::analysis::{HostRatio, Pool, PoolCase};

/// One sentence of a ratio: by host, and of all hosts where they have a common number.
pub fn pool(pool: &Pool) -> String {
    let host = |one: &HostRatio| {
        let words = ratio(one.quoted());
        let evidence = format!("{}, {}", words.interval, blocks(one.blocks.n));
        format!("{} ({evidence}) on {}, {}", words.point, shown(&one.host), runs(one.runs))
    };
    let mut parts: Vec<String> = pool.hosts.iter().map(host).collect();
    parts.extend(pool.all.as_ref().map(|(estimate, i2)| {
        let all = ratio(estimate);
        format!("all {} hosts {} ({}, I² {:.0} %)", pool.hosts.len(), all.point, all.interval, i2 * 100.0)
    }));
    let PoolCase { scenario, setup, edit, topology, reference } = &pool.case;
    let (scenario, engine, parts) = (shown(scenario), shown(&setup.engine), parts.join("; "));
    format!("{scenario}, {} to {}, edit {edit}, engine {engine}: {parts}", shown(topology), shown(reference))
}
