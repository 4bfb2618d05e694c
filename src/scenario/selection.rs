//! A part of a scenario, some of its topologies, or one of them twice.

use super::{Expectation, Scenario, Topology};

/// A choice of topologies that is no scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    #[error("scenario {scenario} has no topology {name:?}; it has: {known}")]
    Unknown { scenario: String, name: String, known: String },
    #[error("{baseline:?} is the baseline of scenario {scenario} and cannot be left out; add it: {remedy}")]
    WithoutBaseline { scenario: String, baseline: String, remedy: String },
}

impl Scenario {
    /// This scenario with the named topologies only, in its own order, and with their expectations.
    ///
    /// The text stays the whole file's.
    pub fn only(mut self, names: &[String]) -> Result<Self, SelectionError> {
        if let Some(name) = names.iter().find(|name| !self.topologies.iter().any(|topology| topology.name == **name)) {
            let known: Vec<&str> = self.topologies.iter().map(|topology| topology.name.as_str()).collect();
            let known = known.join(", ");
            return Err(SelectionError::Unknown { scenario: self.name, name: name.clone(), known });
        }
        if !names.contains(&self.baseline) {
            let remedy = format!("--only {},{}", self.baseline, names.join(","));
            return Err(SelectionError::WithoutBaseline { scenario: self.name, baseline: self.baseline, remedy });
        }
        self.topologies.retain(|topology| names.contains(&topology.name));
        self.expectations.retain(|expectation| names.contains(&expectation.topology));
        Ok(self)
    }

    /// This scenario with its baseline once more, under another name and with the same expectations, unless it stands there
    /// twice already: what the two differ by is noise.
    pub fn with_repeat(mut self) -> Self {
        let Some(baseline) = self.topologies.iter().find(|topology| topology.name == self.baseline).cloned() else {
            return self;
        };
        let alike = |topology: &&Topology| Topology { name: baseline.name.clone(), ..(*topology).clone() } == baseline;
        if self.topologies.iter().filter(alike).count() > 1 {
            return self;
        }
        let mut name = format!("{}-again", baseline.name);
        while self.topologies.iter().any(|topology| topology.name == name) {
            name.push_str("-again");
        }
        let expected = self.expectations.iter().filter(|expectation| expectation.topology == baseline.name);
        let again: Vec<_> = expected.map(|one| Expectation { topology: name.clone(), ..one.clone() }).collect();
        self.expectations.extend(again);
        self.topologies.push(Topology { name, ..baseline });
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{QUICK, SelectionError, builtin};

    fn only(names: &[&str]) -> Result<crate::scenario::Scenario, SelectionError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        builtin(QUICK).unwrap().only(&names)
    }

    #[test]
    fn the_baseline_is_repeated_once_with_what_must_hold_of_it() {
        let quick = builtin(QUICK).unwrap();
        let twice = quick.clone().with_repeat();
        let [.., again] = &twice.topologies[..] else { panic!("no topology") };
        assert_eq!((again.name.as_str(), &again.kind), ("socket-again", &quick.topologies[0].kind));
        assert_eq!(twice.topologies.len(), quick.topologies.len() + 1);
        let of = |name: &str| {
            let expectations = twice.expectations.iter().filter(|expectation| expectation.topology == name);
            expectations.map(|one| (one.job, one.step, one.instructions_cached)).collect::<Vec<_>>()
        };
        assert!(!of("socket").is_empty());
        assert_eq!(of("socket"), of("socket-again"));
        assert_eq!(twice.clone().with_repeat(), twice);
    }

    #[test]
    fn a_part_keeps_the_files_order_and_its_own_expectations() {
        let part = only(&["dind", "socket"]).unwrap();
        let names: Vec<_> = part.topologies.iter().map(|topology| topology.name.as_str()).collect();
        assert_eq!(names, ["socket", "dind"]);
        assert!(part.expectations.iter().all(|expectation| expectation.topology != "dind-kept"));
        assert_eq!(part.expectations.len(), 4);
    }

    #[test]
    fn a_stranger_and_a_missing_baseline_are_told_with_the_remedy() {
        let stranger = only(&["socket", "podman"]).unwrap_err().to_string();
        assert_eq!(stranger, "scenario quick has no topology \"podman\"; it has: socket, dind-kept, dind");
        let missing = only(&["dind"]).unwrap_err().to_string();
        assert!(missing.ends_with("add it: --only socket,dind"), "{missing}");
    }
}
