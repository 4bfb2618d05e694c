//! The ledger of claims: statements about giving a CI job a Docker, each with an experiment that can come out either way.
//!
//! A claim is a file of `scenarios/claims/`. What is to be observed stands there before anything is tried; what is observed
//! on a host of its own, thrown away afterwards, decides. See `docs/scenarios.md` for the grammar.

mod condition;
mod file;
mod judgement;
mod lab;
mod ledger;
mod measured;
mod said;
mod script;
mod umbrella;

use std::collections::BTreeMap;

pub use condition::{Condition, Value};
pub use file::InvalidClaim;
pub use judgement::{DETAIL, Judgement, Observations, Observed, Tried, judge};
pub use lab::{Kernel, Lab, LabArm, Machine, tried_in_lab};
pub use ledger::{claim, ledger, measured_scenario};
pub use measured::{observe, precision, too_narrow};
pub use script::{Site, missing_systems, tried};
pub use umbrella::{Member, Umbrella};

use crate::case::Verdict;
use crate::scenario::Topology;

/// One statement and how it is tested.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Such as `C23`; `S` where the article is silent.
    pub id: String,
    pub statement: String,
    /// Of the article, 0 for its title; empty where it is silent.
    pub paragraphs: Vec<u32>,
    /// What must be observed for it to be confirmed, in words.
    pub rule: String,
    /// What the experiment touches.
    pub touches: String,
    /// What to know beside the finding; may be empty.
    pub comment: String,
    /// Programs of the outer engine's host without which there is no experiment.
    pub needs: Vec<String>,
    /// Verdicts of published runs, by the outer engine's version as far as it matters. They are no part of the digest: what
    /// must be observed was there before them.
    pub expected: BTreeMap<String, Verdict>,
    pub procedure: Procedure,
    /// `sha256:` of its file, and of the script or scenario that it shares with others.
    pub digest: String,
}

/// How a claim is tested.
#[derive(Clone, Debug, PartialEq)]
pub enum Procedure {
    /// No experiment decides it.
    None { reason: String },
    /// Shell scripts on kernels that only the lab's virtual machines have.
    Lab(Lab),
    /// It follows from other claims.
    Umbrella(Umbrella),
    /// Shell scripts in jobs and on their host.
    Script(Script),
    /// A scenario's measurements.
    Measured(Measured),
}

/// Shell scripts, in the order in which they are executed, in every arm and every repetition.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// On the host, before the job.
    pub before: Option<String>,
    /// In the job.
    pub job: String,
    /// In a second job, beside the first one.
    pub neighbour: Option<String>,
    /// On the host, when no job is left.
    pub after: Option<String>,
    pub arms: Vec<ScriptArm>,
    /// Two arms whose results are compared, one by one.
    pub alike: Option<[String; 2]>,
}

impl Script {
    /// Whether times decide it, which other work at the same time would lengthen. Their names end with their unit.
    pub fn is_timed(&self) -> bool {
        let times = ["_ms", "_of_time"];
        let mut observations = self.arms.iter().flat_map(|arm| arm.holds.keys());
        observations.any(|observation| times.iter().any(|time| observation.ends_with(time)))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ScriptArm {
    pub topology: Topology,
    pub control: bool,
    pub holds: BTreeMap<String, Condition>,
}

/// What a scenario's samples must show. Several claims can rest on one scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// A name of [`measured_scenario`].
    pub scenario: String,
    pub arms: Vec<MeasuredArm>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredArm {
    /// A topology of the scenario.
    pub topology: String,
    pub control: bool,
    pub holds: BTreeMap<String, Condition>,
}

impl Claim {
    /// The verdict that a published run of an engine of this version had, where there is one.
    pub fn expected(&self, version: &str) -> Option<Verdict> {
        let of = |known: &&String| version == known.as_str() || version.starts_with(&format!("{known}."));
        self.expected.keys().find(of).map(|known| self.expected[known])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_expected_as_far_as_it_is_given() {
        let expected = BTreeMap::from([("20.10".to_owned(), Verdict::Confirmed)]);
        let claim = Claim { expected, ..ledger().remove(0) };
        assert_eq!(claim.expected("20.10.24+dfsg1"), Some(Verdict::Confirmed));
        assert_eq!((claim.expected("20.1"), claim.expected("28.5.2")), (None, None));
    }
}
