//! How many trials began on a machine that was disturbed.

use std::collections::{BTreeMap, BTreeSet};

use super::row::JobKey;

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
