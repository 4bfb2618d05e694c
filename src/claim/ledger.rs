//! All claims, embedded in the program: the files of `scenarios/claims/`.

use std::collections::BTreeMap;
use std::path::Path;

use super::file::parse;
use super::{Claim, InvalidClaim};
use crate::case::Verdict;
use crate::scenario::{self, Scenario};

/// Each identifier with its file's text, in the order of the ledger.
macro_rules! files {
    ($($id:ident)*) => {
        [$((stringify!($id), include_str!(concat!("../../scenarios/claims/", stringify!($id), ".toml")))),*]
    };
}

const FILES: [(&str, &str); 58] = files!(
    C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19 C20 C21 C22 C23 C24 C25 C26 C27 C28 C29 C30 C31
    C32 C33 C34 C35 C36 C37 C38 C39 C40 C41 C42 C43 C44 C45 C46 C47 C48 S1 S2 S3 S4 S5 S6 S7 S8 S9 S10
);

/// Scenarios that claims rest on.
const SCENARIOS: [(&str, &str); 2] = [
    ("cache", include_str!("../../scenarios/claims/measured/cache.toml")),
    ("rootless", include_str!("../../scenarios/claims/measured/rootless.toml")),
];

/// Scripts that several claims have.
const SCRIPTS: [(&str, &str); 1] = [("drop-in.sh", include_str!("../../scenarios/claims/drop-in.sh"))];

/// What published runs found, by claim and engine.
const EXPECTED: &str = include_str!("../../scenarios/claims/expected.toml");

type Expected = BTreeMap<String, BTreeMap<String, Verdict>>;

fn expected() -> Expected {
    toml::from_str(EXPECTED).expect("expected verdicts are valid, which a test checks")
}

/// Every claim, in the order of the ledger.
pub fn ledger() -> Vec<Claim> {
    let mut expected = expected();
    let claim = |(id, text): &(&str, &str)| {
        let claim = parse(id, text).expect("embedded claims are valid, which a test checks");
        Claim { expected: expected.remove(*id).unwrap_or_default(), ..claim }
    };
    FILES.iter().map(claim).collect()
}

/// Reads a claim from a text.
///
/// # Errors
/// The first fault that is found.
pub fn claim(id: &str, text: &str) -> Result<Claim, InvalidClaim> {
    parse(id, text)
}

/// A scenario that claims rest on.
pub fn measured_scenario(name: &str) -> Option<Scenario> {
    let text = measured_text(name)?;
    Some(scenario::parse(name, text, Path::new(".")).expect("embedded scenarios are valid, which a test checks"))
}

pub(super) fn measured_text(name: &str) -> Option<&'static str> {
    SCENARIOS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

pub(super) fn shared_script(name: &str) -> Option<&'static str> {
    SCRIPTS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::claim::Procedure;

    /// The arms that can decide a claim.
    fn arms(claim: &Claim) -> BTreeSet<String> {
        match &claim.procedure {
            Procedure::Script(script) => {
                let arms = script.arms.iter().filter(|arm| !arm.control);
                arms.map(|arm| arm.topology.name.clone()).collect()
            }
            Procedure::Measured(measured) => {
                let arms = measured.arms.iter().filter(|arm| !arm.control);
                arms.map(|arm| arm.topology.clone()).collect()
            }
            Procedure::Lab(lab) => lab.arms.iter().filter(|arm| !arm.control).map(|arm| arm.name.clone()).collect(),
            Procedure::None { .. } | Procedure::Umbrella(_) => BTreeSet::new(),
        }
    }

    #[test]
    fn every_file_is_a_claim_and_every_claim_it_rests_on_is_there() {
        for (id, text) in FILES {
            let claim = parse(id, text).unwrap_or_else(|error| panic!("{error}"));
            if let Procedure::Umbrella(umbrella) = &claim.procedure {
                for member in umbrella.members() {
                    let other = FILES.iter().find(|(known, _)| *known == member.claim);
                    let (other, text) = other.unwrap_or_else(|| panic!("{id} rests on {member}"));
                    assert_ne!(id, *other, "{id} rests on itself");
                    let known = |arm| arms(&parse(other, text).unwrap()).contains(arm);
                    assert!(member.arm.as_ref().is_none_or(known), "{id} rests on {member}");
                }
            }
            assert_eq!(claim.paragraphs.is_empty(), id.starts_with('S'), "{id}: the article is silent on S alone");
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/claims");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".toml")?.to_owned()))
            .filter(|name| name != "expected")
            .collect();
        let claims: BTreeSet<String> = FILES.iter().map(|(id, _)| (*id).to_owned()).collect();
        assert_eq!(there, claims);
        assert!(expected().keys().all(|id| claims.contains(id)), "a verdict is expected of no claim");
    }

    #[test]
    fn every_claim_with_arms_can_be_refuted_and_is_controlled() {
        for claim in ledger() {
            let (arms, controls, conditions) = match &claim.procedure {
                Procedure::Script(script) => (
                    script.arms.len(),
                    script.arms.iter().filter(|arm| arm.control).count(),
                    script.arms.iter().map(|arm| arm.holds.len()).max().unwrap_or(0),
                ),
                Procedure::Measured(measured) => (
                    measured.arms.len(),
                    measured.arms.iter().filter(|arm| arm.control).count(),
                    measured.arms.iter().map(|arm| arm.holds.len()).max().unwrap_or(0),
                ),
                Procedure::Lab(lab) => (
                    lab.arms.len(),
                    lab.arms.iter().filter(|arm| arm.control).count(),
                    lab.arms.iter().map(|arm| arm.holds.len()).max().unwrap_or(0),
                ),
                Procedure::None { .. } | Procedure::Umbrella(_) => continue,
            };
            assert!(arms > controls, "{}: nothing but controls", claim.id);
            // One arm with one condition has nothing beside it that shows that the probe can tell the difference.
            assert!(arms > 1 || conditions > 1, "{}: no control", claim.id);
        }
    }

    #[test]
    fn scripts_that_are_decided_by_times_are_known() {
        let timed = |claim: &Claim| matches!(&claim.procedure, Procedure::Script(script) if script.is_timed());
        let timed: Vec<String> = ledger().into_iter().filter(timed).map(|claim| claim.id).collect();
        assert_eq!(timed, ["C4", "C5", "C6", "S7", "S9"]);
    }
}
