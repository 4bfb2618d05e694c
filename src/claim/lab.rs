//! Claims about kernels that most hosts do not have: shell scripts on the lab's virtual machines, thrown away afterwards.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use strum::Display;

use super::said::{self, Trouble};
use super::{Condition, Observations, Observed, Tried};
use crate::engine::{Command, Patience, Privilege};
use crate::record::Text;
use crate::topology::Watch;

/// What must agree before a yes or a no is believed.
const REPETITIONS: u32 = 3;

/// How long a script may take: the machine may be emulated.
const PATIENCE: Patience = Patience { total: Duration::from_secs(900), silence: Duration::from_secs(900) };

/// What is executed on a machine after every script: the next one must not meet what this one left.
const SWEEP: &str = include_str!("sweep.sh");

/// How a machine of the lab is booted: the words of `scripts/lab-vm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Kernel {
    Apparmor,
    SelinuxPermissive,
    SelinuxEnforcing,
}

/// A shell script that is executed on the machine itself, as root.
#[derive(Clone, Debug, PartialEq)]
pub struct Lab {
    /// What it takes that a reference host may not have.
    pub lacks: String,
    pub script: String,
    pub arms: Vec<LabArm>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LabArm {
    pub name: String,
    pub kernel: Kernel,
    pub control: bool,
    pub holds: BTreeMap<String, Condition>,
}

/// A machine of the lab, at hand.
pub struct Machine {
    pub watch: Watch,
    /// The image of engines there.
    pub image: String,
    pub privilege: Privilege,
}

/// Tries every arm on its machine, those of different machines at a time, and adds to the evidence what was executed and
/// what it said.
pub async fn tried_in_lab(machines: &BTreeMap<Kernel, Machine>, lab: &Lab, evidence: &mut String) -> Vec<Tried> {
    said::write_script("on the machine", &lab.script, evidence);
    let of_kernel = async |(kernel, machine): (&Kernel, &Machine)| {
        let mut observed = Vec::new();
        for arm in lab.arms.iter().filter(|arm| arm.kernel == *kernel) {
            let mut evidence = String::new();
            let found = one_arm(machine, lab, arm, &mut evidence).await;
            observed.push((arm.name.clone(), (found, evidence)));
        }
        observed
    };
    let mut observed: BTreeMap<String, (Observed, String)> =
        join_all(machines.iter().map(of_kernel)).await.into_iter().flatten().collect();
    let mut tried = Vec::new();
    for arm in &lab.arms {
        let _ = writeln!(evidence, "\n## {}\n", arm.name);
        let (found, said) = observed.remove(&arm.name).unwrap_or_else(|| {
            (Observed::Absent(format!("the lab's machine with {} is not there", arm.kernel)), String::new())
        });
        evidence.push_str(&said);
        if let Observed::Absent(how) | Observed::Broken(how) = &found {
            let _ = writeln!(evidence, "{}", Text::from(how.as_str()));
        }
        let (name, holds) = (arm.name.clone(), arm.holds.clone());
        tried.push(Tried { arm: name, control: arm.control, holds, observed: found });
    }
    tried
}

async fn one_arm(machine: &Machine, lab: &Lab, arm: &LabArm, evidence: &mut String) -> Observed {
    let mut repetitions = Vec::new();
    for repetition in 1..=REPETITIONS {
        let command = Command {
            environment: vec![
                format!("ARM={}", arm.name),
                format!("KERNEL={}", arm.kernel),
                format!("REPETITION={repetition}"),
                format!("ENGINE_IMAGE={}", machine.image),
                // There is no registry to forward to.
                "FORWARD=".to_owned(),
            ],
            ..Command::new(["sh", "-eu", "-c", &said::whole(&lab.script, machine.privilege)])
        };
        let said = machine.watch.on_machine(&command, PATIENCE).await;
        let mut observations = Observations::new();
        let worked = said::told(evidence, "on the machine", repetition, said, &mut observations);
        let swept = machine.watch.on_machine(&Command::new(["sh", "-eu", "-c", SWEEP]), PATIENCE).await;
        let swept = said::told(evidence, "sweep", repetition, swept, &mut Observations::new());
        match worked.and(swept) {
            Ok(()) => repetitions.push(observations),
            Err(Trouble::Absent(how) | Trouble::Broken(how)) => {
                return Observed::Broken(format!("{how}, in repetition {repetition}"));
            }
        }
    }
    Observed::Repetitions(repetitions)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// It would cost a machine in use its containers, images and volumes.
    #[test]
    fn what_is_no_machine_of_the_lab_is_not_swept() {
        let programs = tempfile::tempdir().unwrap();
        let called = programs.path().join("called");
        for name in ["docker", "xargs", "dmsetup", "losetup"] {
            let program = programs.path().join(name);
            fs::write(&program, format!("#!/bin/sh\necho {name} >>{}\n", called.display())).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut shell = std::process::Command::new("/bin/sh");
        let ended = shell.args(["-eu", "-c", SWEEP]).env("PATH", programs.path()).output().unwrap();
        assert!(ended.status.success());
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "this is no machine of the lab: nothing is swept\n");
        assert!(!called.exists(), "{}", fs::read_to_string(&called).unwrap());
    }
}
