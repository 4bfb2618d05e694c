//! Whether a place within a block is a good one to have: what stands first may find a machine that what stands second does
//! not.

use std::collections::BTreeMap;

use super::Metric;
use super::paired::Paired;
use super::row::Row;
use crate::stats::{Estimate, Level, Ordered};

/// The time of the first trial of a block against that of the second, each as a part of the median of its topology in all
/// places but the first, paired within blocks. A trial's time is the sum of its jobs'.
///
/// Of a topology that stood first in more than half of its blocks, that median rests on few trials, which all pairs would share,
/// or on none: blocks with one of these in either place tell nothing. Empty where there are no others. A trial that was run again
/// was so after all others, whatever its place: it has no part in this.
pub(super) fn order(jobs: &[Row]) -> Option<Estimate> {
    let trials = trials(jobs);
    let mut of_topology: BTreeMap<u32, (usize, Vec<f64>)> = BTreeMap::new();
    for ((_, position), trial) in &trials {
        let (first, later) = of_topology.entry(trial.topology).or_default();
        if *position == 0 { *first += 1 } else { later.push(trial.time) }
    }
    let mixed = of_topology.into_iter().filter(|(_, (first, later))| *first <= later.len());
    let medians: BTreeMap<u32, f64> =
        mixed.filter_map(|(topology, (_, later))| Some((topology, Ordered::new(later).ok()?.median()))).collect();
    let part = |block: u32, position: u32| {
        let trial = trials.get(&(block, position))?;
        Some(trial.time / medians.get(&trial.topology)?)
    };
    let firsts = trials.keys().filter(|(_, position)| *position == 0).map(|(block, _)| *block);
    let pairs: Vec<(f64, f64)> = firsts.filter_map(|block| Some((part(block, 0)?, part(block, 1)?))).collect();
    Paired::new(&pairs).ratio(Level::P95)
}

struct Trial {
    topology: u32,
    jobs: usize,
    time: f64,
}

/// By block and position, those with as many jobs as any of their topology.
fn trials(jobs: &[Row]) -> BTreeMap<(u32, u32), Trial> {
    let mut trials: BTreeMap<(u32, u32), Trial> = BTreeMap::new();
    for row in jobs.iter().filter(|row| row.counts() && row.job.attempt == 1) {
        let Some(time) = row.measures.get(Metric::ElapsedNs) else { continue };
        let begun = Trial { topology: row.job.topology, jobs: 0, time: 0.0 };
        let trial = trials.entry((row.job.block, row.position)).or_insert(begun);
        trial.jobs += 1;
        trial.time += time;
    }
    let mut whole: BTreeMap<u32, usize> = BTreeMap::new();
    for trial in trials.values() {
        let most = whole.entry(trial.topology).or_default();
        *most = trial.jobs.max(*most);
    }
    trials.retain(|_, trial| trial.jobs == whole[&trial.topology]);
    trials
}
