//! How many trials began on a machine that was disturbed, and what of it others had while they ran.

use std::collections::{BTreeMap, BTreeSet};

use super::row::JobKey;
use crate::record::TrialRow;

/// Share of the processors' time that a hypervisor may give to others.
pub const MOST_STEAL: f64 = 0.01;

/// The share of the processors' time that a hypervisor gave to others while trials ran.
#[derive(Clone, Debug, PartialEq)]
pub struct Stolen {
    pub share: f64,
    /// The trial with the most of it, by topology and block, and its share.
    pub worst: (String, u32, f64),
}

/// Of the measured trials. One lasts until the next one is waited for, so the last one of a run is not among them. Empty where
/// the kernel does not tell.
pub fn stolen(trials: &[TrialRow], processors: u32) -> Option<Stolen> {
    let mut by_start: Vec<&TrialRow> = trials.iter().collect();
    by_start.sort_by_key(|trial| trial.started_at);
    let lasted = |trial: &TrialRow, next: &TrialRow| {
        let nanos =
            (next.started_at - trial.started_at).whole_nanoseconds() as f64 - next.waited_ns.unwrap_or(0) as f64;
        nanos * f64::from(processors)
    };
    let told: Vec<(&TrialRow, f64, f64)> = by_start
        .windows(2)
        .filter(|pair| !pair[0].warmup)
        .filter_map(|pair| Some((pair[0], pair[0].steal_ns? as f64, lasted(pair[0], pair[1]))))
        .filter(|(_, _, time)| *time > 0.0)
        .collect();
    let (trial, stolen, time) = told.iter().max_by(|a, b| (a.1 / a.2).total_cmp(&(b.1 / b.2)))?;
    let sum = |of: fn(&(&TrialRow, f64, f64)) -> f64| told.iter().map(of).sum::<f64>();
    let share = sum(|(_, stolen, _)| *stolen) / sum(|(_, _, time)| *time);
    Some(Stolen { share, worst: (trial.topology.as_str().to_owned(), trial.block, stolen / time) })
}

/// The trials, by what disturbed the machine.
#[derive(Debug, Default)]
pub(super) struct Disturbed(BTreeMap<String, BTreeSet<(u32, u32, u32)>>);

impl Disturbed {
    /// Notes the words of a row's flags, which are those of its trial.
    pub fn note(&mut self, job: &JobKey, flags: &str) {
        for word in flags.split(';').filter(|word| !word.is_empty()) {
            self.0.entry(word.to_owned()).or_default().insert((job.topology, job.block, job.attempt));
        }
    }

    pub fn into_counts(self) -> BTreeMap<String, usize> {
        self.0.into_iter().map(|(word, trials)| (word, trials.len())).collect()
    }
}
