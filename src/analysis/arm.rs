//! One arm of a run: what was asked for, and what really ran.

use strum::VariantArray as _;

use crate::record::{ArmRecord, Observation};

/// A driver that an engine chooses by itself where it can have none of those that make a copy only of what changes, in the
/// kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Fallback {
    Vfs,
    FuseOverlayfs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    pub name: String,
    pub kind: String,
    pub parameters: String,
    /// Storage drivers, engine versions, builders that really ran: more than one is worth a warning.
    pub storage_drivers: Vec<String>,
    pub engines: Vec<String>,
    pub builders: Vec<String>,
}

impl Arm {
    /// The parameter that says how many jobs it has at the same time.
    pub(super) const CONCURRENCY: &str = "concurrency";

    pub(super) fn new(record: &ArmRecord) -> Self {
        Self {
            name: record.name.clone(),
            kind: record.kind.clone(),
            parameters: record.parameters.clone(),
            storage_drivers: Vec::new(),
            engines: Vec::new(),
            builders: Vec::new(),
        }
    }

    /// Notes what a row says that ran, the row of a failed step too.
    pub(super) fn observe(&mut self, sample: &Observation) {
        note(&mut self.storage_drivers, &sample.storage_driver);
        note(&mut self.engines, &sample.engine_version);
        if let Some(builder) = sample.builder {
            note(&mut self.builders, &builder.to_string());
        }
    }

    /// Jobs at the same time.
    pub fn concurrency(&self) -> usize {
        self.parameter(Self::CONCURRENCY).and_then(|jobs| jobs.parse().ok()).unwrap_or(1)
    }

    /// Whether it pulls before its first job, where nothing is counted.
    pub fn pulls_beforehand(&self) -> bool {
        self.kind == "dind-preload"
    }

    /// The slow drivers that ran in an engine that was left the choice: it could not have a quick one.
    pub fn fallbacks(&self) -> impl Iterator<Item = Fallback> {
        let left = self.parameter("storage_driver") == Some("auto");
        let ran = |fallback: &Fallback| self.storage_drivers.contains(&fallback.to_string());
        Fallback::VARIANTS.iter().copied().filter(move |fallback| left && ran(fallback))
    }

    /// A parameter's value; empty where the arm has no such parameter.
    pub fn parameter(&self, key: &str) -> Option<&str> {
        self.pairs().find(|(found, _)| *found == key).map(|(_, value)| value)
    }

    /// The parameters without those named, in one order.
    pub(super) fn parameters_without(&self, keys: &[&str]) -> Vec<(&str, &str)> {
        let mut others: Vec<_> = self.pairs().filter(|(found, _)| !keys.contains(found)).collect();
        others.sort_unstable();
        others
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.split_whitespace().filter_map(|word| word.split_once('='))
    }
}

/// Keeps a list of distinct words in order.
fn note(words: &mut Vec<String>, word: &str) {
    if word.is_empty() {
        return;
    }
    if let Err(place) = words.binary_search_by(|known| known.as_str().cmp(word)) {
        words.insert(place, word.to_owned());
    }
}
