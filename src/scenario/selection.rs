//! A part of a scenario, some of its topologies, or one of them more than once.

use super::{Expectation, Scenario, Topology};

/// By this part of its time the control of a run is lengthened: what a reader would call a small difference.
const CONTROL_DELAY: f64 = 0.1;

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

    /// This scenario with its baseline twice more, under other names and with the same expectations, unless it stands there
    /// so already: as it is, so that what the two differ by is noise, and lengthened by a known part, which the run must see.
    pub fn with_controls(self) -> Self {
        self.with_copy("again", None).with_copy("delayed", Some(CONTROL_DELAY))
    }

    fn with_copy(mut self, suffix: &str, delay: Option<f64>) -> Self {
        let Some(baseline) = self.topologies.iter().find(|topology| topology.name == self.baseline).cloned() else {
            return self;
        };
        let copy = Topology { delay, ..baseline.clone() };
        let alike = |other: &&Topology| {
            other.name != baseline.name && Topology { name: copy.name.clone(), ..(*other).clone() } == copy
        };
        if self.topologies.iter().any(|other| alike(&other)) {
            return self;
        }
        // A name has 64 characters at most, all of one byte.
        let stem = &baseline.name[..baseline.name.len().min(40)];
        let mut name = format!("{stem}-{suffix}");
        while self.topologies.iter().any(|topology| topology.name == name) {
            name.push('_');
        }
        let expected = self.expectations.iter().filter(|expectation| expectation.topology == baseline.name);
        let again: Vec<_> = expected.map(|one| Expectation { topology: name.clone(), ..one.clone() }).collect();
        self.expectations.extend(again);
        self.topologies.push(Topology { name, ..copy });
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::name::is_topology_name;
    use crate::scenario::{QUICK, SelectionError, Topology, builtin};

    fn only(names: &[&str]) -> Result<crate::scenario::Scenario, SelectionError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        builtin(QUICK).unwrap().only(&names)
    }

    #[test]
    fn the_baseline_stands_there_twice_more_with_what_must_hold_of_it() {
        let quick = builtin(QUICK).unwrap();
        let controlled = quick.clone().with_controls();
        let [.., again, delayed] = &controlled.topologies[..] else { panic!("no topologies") };
        let baseline = &quick.topologies[0];
        assert_eq!(again, &Topology { name: "socket-again".to_owned(), ..baseline.clone() });
        assert_eq!(delayed, &Topology { name: "socket-delayed".to_owned(), delay: Some(0.1), ..baseline.clone() });
        assert_eq!(controlled.topologies.len(), quick.topologies.len() + 2);
        let of = |name: &str| {
            let expectations = controlled.expectations.iter().filter(|expectation| expectation.topology == name);
            expectations.map(|one| (one.job, one.step, one.instructions_cached)).collect::<Vec<_>>()
        };
        assert!(!of("socket").is_empty());
        assert_eq!((of("socket-again"), of("socket-delayed")), (of("socket"), of("socket")));
        assert_eq!(controlled.clone().with_controls(), controlled);
    }

    #[test]
    fn a_copy_of_a_long_name_has_a_name_too() {
        let mut long = builtin(QUICK).unwrap();
        let name = "a".repeat(64);
        long.topologies[0].name.clone_from(&name);
        long.baseline = name;
        let names: Vec<_> = long.with_controls().topologies.into_iter().map(|one| one.name).collect();
        assert!(names.iter().all(|name| is_topology_name(name)), "{names:?}");
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
