//! Several jobs at once in one topology: how long the slowest takes, how even they are, and what each pays for the others.

use std::collections::BTreeMap;

use super::comparison::in_pairs;
use super::paired::Paired;
use super::row::{Row, Table};
use super::{Arm, Metric};
use crate::case::Edit;
use crate::stats::{Estimate, Level, Ordered, median};

/// The jobs of one edit in one topology.
#[derive(Clone, Debug, PartialEq)]
pub struct AtOnce {
    pub topology: usize,
    /// The first topology that is the same but for the number of its jobs.
    pub family: usize,
    pub edit: Edit,
    /// Jobs at the same time.
    pub concurrency: usize,
    /// The time of the slowest job in nanoseconds: of its start and its steps. What is done between them to measure is in no
    /// job's time, so by the clock the last one ends a little later.
    pub slowest: Estimate,
    /// The fastest job's time by the slowest one's: 1 where all take the same.
    pub evenness: Estimate,
    /// A job's time by that of a job alone in the same topology, paired within blocks; empty for a job alone, and where the
    /// run has none.
    pub slowdown: Option<Estimate>,
}

/// Jobs at once, or the means of several such moments in one block.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Moment {
    slowest: f64,
    evenness: f64,
    /// Of one job, their mean.
    time: f64,
}

/// By edit and topology, those of one job at a time too; nothing of a run that has no jobs at once.
pub(super) fn at_once(table: &Table) -> Vec<AtOnce> {
    let arms = &table.arms;
    if arms.iter().all(|arm| arm.concurrency() == 1) {
        return Vec::new();
    }
    let cases = cases(table);
    let each = cases.iter().filter_map(|((edit, topology), blocks)| {
        let alone = alone(arms, *topology).and_then(|other| cases.get(&(*edit, other)));
        Some(AtOnce {
            topology: *topology,
            family: family(arms, *topology),
            edit: *edit,
            concurrency: arms[*topology].concurrency(),
            slowest: estimate(blocks, |moment| moment.slowest)?,
            evenness: estimate(blocks, |moment| moment.evenness)?,
            slowdown: alone.and_then(|alone| {
                let pairs: Vec<_> = in_pairs(&times(blocks), &times(alone)).into_iter().map(|(_, pair)| pair).collect();
                Paired::new(&pairs).ratio(Level::P95)
            }),
        })
    });
    each.collect()
}

/// The same topology with one job at a time, for one that has several.
fn alone(arms: &[Arm], topology: usize) -> Option<usize> {
    let crowded = arms[topology].concurrency() > 1;
    arms.iter().position(|arm| crowded && arm.concurrency() == 1 && related(arm, &arms[topology]))
}

fn family(arms: &[Arm], topology: usize) -> usize {
    arms.iter().position(|arm| related(arm, &arms[topology])).unwrap_or(topology)
}

/// Whether two topologies are the same but for the number of their jobs.
fn related(one: &Arm, other: &Arm) -> bool {
    one.kind == other.kind
        && one.parameters_without(&[Arm::CONCURRENCY]) == other.parameters_without(&[Arm::CONCURRENCY])
}

/// Of each edit and topology the blocks, in their order.
fn cases(table: &Table) -> BTreeMap<(Edit, usize), Vec<(u32, Moment)>> {
    let mut jobs: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for row in table.jobs.iter().filter(|row| row.counts()) {
        if let Some(elapsed) = row.measures.get(Metric::ElapsedNs) {
            jobs.entry(place(row)).or_default().push(elapsed);
        }
    }
    let mut cases: BTreeMap<_, BTreeMap<u32, Vec<Moment>>> = BTreeMap::new();
    for ((edit, topology, block, _), times) in jobs {
        // Where one of them failed, the others had the machine to themselves.
        if times.len() == table.arms[topology].concurrency() {
            cases.entry((edit, topology)).or_default().entry(block).or_default().push(Moment::of(&times));
        }
    }
    let means = |blocks: BTreeMap<u32, Vec<Moment>>| {
        blocks.into_iter().map(|(block, moments)| (block, Moment::mean(&moments))).collect()
    };
    cases.into_iter().map(|(case, blocks)| (case, means(blocks))).collect()
}

/// Edit, topology, block and job number: what jobs at once have in common.
fn place(row: &Row) -> (Edit, usize, u32, u32) {
    (row.edit, row.job.topology as usize, row.job.block, row.job.number)
}

impl Moment {
    /// Of the times of jobs that begin together.
    fn of(times: &[f64]) -> Self {
        let slowest = times.iter().copied().fold(0.0, f64::max);
        let fastest = times.iter().copied().fold(f64::INFINITY, f64::min);
        Self { slowest, evenness: fastest / slowest, time: mean(times.iter().copied()) }
    }

    fn mean(moments: &[Self]) -> Self {
        let mean = |part: fn(&Self) -> f64| mean(moments.iter().map(part));
        Self { slowest: mean(|one| one.slowest), evenness: mean(|one| one.evenness), time: mean(|one| one.time) }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len();
    values.sum::<f64>() / count as f64
}

fn estimate(blocks: &[(u32, Moment)], part: fn(&Moment) -> f64) -> Option<Estimate> {
    Some(median(&Ordered::new(blocks.iter().map(|(_, moment)| part(moment))).ok()?, Level::P95))
}

fn times(blocks: &[(u32, Moment)]) -> Vec<(u32, f64)> {
    blocks.iter().map(|(block, moment)| (*block, moment.time)).collect()
}
