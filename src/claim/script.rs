//! Claims that shell scripts decide: in jobs and on their host, a reference host that is thrown away.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use super::said::{self, Trouble};
use super::{DETAIL, Observations, Observed, Script, ScriptArm, Tried, Value};
use crate::agent;
use crate::engine::{Command, EngineError, Output, Patience, Privilege};
use crate::fixture::{self, images::BASE};
use crate::image::System;
use crate::journal::Journal;
use crate::record::Text;
use crate::scenario::{EngineVersion, Kind, Topology};
use crate::topology::{Arm, Host, JobContainer, OuterHost, TopologyError, TrialKey};

/// What must agree before a yes or a no is believed.
const REPETITIONS: u32 = 3;

/// How long one script may take.
const PATIENCE: Patience = Patience { total: Duration::from_secs(120), silence: Duration::from_secs(120) };

/// What the results of an operation begin with, where two arms are compared.
const RESULT: &str = "op_";

/// How many of them differ.
const DIFFERING: &str = "differing_ops";

/// Where scripts are executed.
pub struct Site<'a> {
    pub host: &'a mut Host,
    pub journal: &'a mut Journal,
    /// Systems that some arms need and that were not built on this machine.
    pub missing: &'a BTreeSet<System>,
}

/// One arm at work, for one claim.
struct Stage<'a> {
    site: &'a Site<'a>,
    outer: OuterHost,
    script: &'a Script,
    arm: &'a str,
    /// How the engine of the arm's jobs grants a container what an engine needs.
    granted: Privilege,
    evidence: &'a mut String,
}

/// Tries every arm, and adds to the evidence what was executed and what it said.
///
/// # Errors
/// A host cannot be had, or not be removed: what follows would not be tried on what it is meant for.
pub async fn tried(
    site: &mut Site<'_>,
    id: &str,
    script: &Script,
    needs: &[String],
    evidence: &mut String,
) -> Result<Vec<Tried>, TopologyError> {
    write_scripts(script, evidence);
    let mut tried = Vec::new();
    for arm in &script.arms {
        let _ = writeln!(evidence, "\n## {}\n", arm.topology.name);
        let observed = match missing_system(&arm.topology.kind, site.missing) {
            Some(reason) => Observed::Absent(reason),
            None => one_arm(site, id, script, arm, needs, evidence).await?,
        };
        if let Observed::Absent(how) | Observed::Broken(how) = &observed {
            let _ = writeln!(evidence, "{}", Text::from(how.as_str()));
        }
        tried.push(Tried { arm: arm.topology.name.clone(), control: arm.control, holds: arm.holds.clone(), observed });
    }
    if let Some(alike) = &script.alike {
        compare(&mut tried, alike);
    }
    Ok(tried)
}

/// The reason why one of these cannot be had, where scripts/images has not built what it takes.
pub fn missing_systems(topologies: &[Topology], missing: &BTreeSet<System>) -> Option<String> {
    topologies.iter().find_map(|topology| missing_system(&topology.kind, missing))
}

/// The reason why an arm cannot be had, where scripts/images has not built what it takes.
fn missing_system(kind: &Kind, missing: &BTreeSet<System>) -> Option<String> {
    let system = match kind {
        Kind::SocketProxy => System::Proxy,
        Kind::Daemonless(_) => System::Podman,
        Kind::Dind(dind) if dind.engine != EngineVersion::Auto => System::Engine(dind.engine),
        Kind::Socket | Kind::Host | Kind::Dind(_) => return None,
    };
    missing.contains(&system).then(|| format!("it needs a system that is not built: scripts/images {system}"))
}

/// On a host of its own, which is removed whatever happened there.
async fn one_arm(
    site: &mut Site<'_>,
    id: &str,
    script: &Script,
    arm: &ScriptArm,
    needs: &[String],
    evidence: &mut String,
) -> Result<Observed, TopologyError> {
    let key = TrialKey { salt: format!("{id}/{}", arm.topology.name), jobs: REPETITIONS };
    let outer = site.host.open(site.journal, &key).await?;
    let granted = granted(&arm.topology.kind, site.host.learnt.inner_privilege);
    let mut stage = Stage { site, outer: outer.clone(), script, arm: &arm.topology.name, granted, evidence };
    let observed = match stage.lacking(needs).await {
        Some(program) => Observed::Absent(format!("the outer engine's host has no {program}")),
        None => stage.repetitions(arm).await,
    };
    drop(stage);
    outer.remove().await?;
    Ok(observed)
}

impl Stage<'_> {
    async fn lacking(&self, needs: &[String]) -> Option<String> {
        for program in needs {
            let found = Command::new(["sh", "-c", "command -v \"$0\"", program]);
            if !matches!(self.outer.exec(&found, Patience::CHORE).await, Ok(Output { exit_code: 0, .. })) {
                return Some(program.clone());
            }
        }
        None
    }

    async fn repetitions(&mut self, arm: &ScriptArm) -> Observed {
        let mut main = Arm::new(&arm.topology.kind, &self.outer).bounded(arm.topology.bounds);
        let beside = self.outer.for_worker(1);
        let mut other = main.beside(&beside);
        let mut repetitions = Vec::new();
        for repetition in 1..=REPETITIONS {
            let observed = self.repetition(repetition, &mut main, (&beside, &mut other)).await;
            match observed {
                Ok(observed) => repetitions.push(observed),
                // What started once can be had here.
                Err(Trouble::Absent(how)) if repetition == 1 => return Observed::Absent(how),
                Err(Trouble::Absent(how) | Trouble::Broken(how)) => {
                    return Observed::Broken(format!("{how}, in repetition {repetition}"));
                }
            }
        }
        Observed::Repetitions(repetitions)
    }

    /// Jobs are stopped also where a script of theirs went wrong.
    async fn repetition(
        &mut self,
        repetition: u32,
        main: &mut Arm,
        (beside, other): (&OuterHost, &mut Arm),
    ) -> Result<Observations, Trouble> {
        let mut observations = Observations::new();
        let script = self.script;
        if let Some(before) = &script.before {
            self.on_host("before", before, repetition, &mut observations).await?;
        }
        let outer = self.outer.clone();
        let mut jobs = Vec::new();
        let worked = async {
            jobs.push(start(main, &outer, repetition).await?);
            self.in_job("job", &jobs[0], &script.job, repetition, &mut observations).await?;
            if let Some(neighbour) = &script.neighbour {
                jobs.push(start(other, beside, repetition).await?);
                self.in_job("neighbour", &jobs[1], neighbour, repetition, &mut observations).await?;
            }
            Ok(())
        };
        let worked = worked.await;
        let mut jobs = jobs.into_iter();
        let stopped = main.stop(&outer, jobs.next()).await.and(other.stop(beside, jobs.next()).await);
        worked?;
        // A script may have wrecked its engine: what became of it is the experiment.
        if let Err(error) = stopped {
            let _ = writeln!(self.evidence, "the job's end: {}\n", Text::from(error.to_string().as_str()));
        }
        if let Some(after) = &script.after {
            self.on_host("after", after, repetition, &mut observations).await?;
        }
        Ok(observations)
    }

    async fn on_host(
        &mut self,
        part: &str,
        text: &str,
        repetition: u32,
        observations: &mut Observations,
    ) -> Result<(), Trouble> {
        let privilege = self.site.host.learnt.inner_privilege;
        let said = self.outer.exec(&self.command(text, repetition, privilege), PATIENCE).await;
        self.told(part, repetition, said, observations)
    }

    async fn in_job(
        &mut self,
        part: &str,
        job: &JobContainer,
        text: &str,
        repetition: u32,
        observations: &mut Observations,
    ) -> Result<(), Trouble> {
        let said = job.exec(&self.command(text, repetition, self.granted), PATIENCE).await;
        self.told(part, repetition, said, observations)
    }

    fn command(&self, text: &str, repetition: u32, privilege: Privilege) -> Command {
        let environment = [
            format!("ARM={}", self.arm),
            format!("REPETITION={repetition}"),
            format!("BASE={}", fixture::image_name(BASE)),
            format!("ENGINE_IMAGE={}", self.site.host.image()),
            format!("FORWARD={}", agent::command(["forward"]).join(" ")),
        ];
        Command {
            environment: environment.to_vec(),
            ..Command::new(["sh", "-eu", "-c", &said::whole(text, privilege)])
        }
    }

    fn told(
        &mut self,
        part: &str,
        repetition: u32,
        said: Result<Output, EngineError>,
        observations: &mut Observations,
    ) -> Result<(), Trouble> {
        said::told(self.evidence, part, repetition, said, observations)
    }
}

/// An arm whose job cannot start is not to be had here.
async fn start(arm: &mut Arm, outer: &OuterHost, repetition: u32) -> Result<JobContainer, Trouble> {
    let prepared = arm.prepare(outer).await.map_err(|error| Trouble::Broken(error.to_string()));
    prepared?;
    match arm.start(outer, repetition).await {
        Ok(started) => Ok(started.job),
        Err(error) => Err(Trouble::Absent(error.to_string())),
    }
}

/// A newer engine grants what it has, where an old one around it cannot grant what it lacks.
fn granted(kind: &Kind, around: Privilege) -> Privilege {
    match kind {
        Kind::Dind(dind) if matches!(dind.engine, EngineVersion::V26_1 | EngineVersion::V28_5) => Privilege::Real,
        _ => around,
    }
}

/// Tells both arms how many of their results differ, repetition by repetition, and which.
fn compare(tried: &mut [Tried], [one, other]: &[String; 2]) {
    let of = |name: &str| {
        tried.iter().find(|tried| tried.arm == name).and_then(|tried| match &tried.observed {
            Observed::Repetitions(repetitions) => Some(repetitions.clone()),
            Observed::Broken(_) | Observed::Absent(_) => None,
        })
    };
    let (Some(ones), Some(others)) = (of(one), of(other)) else { return };
    for (index, (one_of, other_of)) in ones.iter().zip(&others).enumerate() {
        let differing = differing(one_of, other_of);
        for arm in tried.iter_mut().filter(|tried| [one, other].contains(&&tried.arm)) {
            if let Observed::Repetitions(repetitions) = &mut arm.observed {
                let count = Value::exactly(f64::from(u32::try_from(differing.len()).unwrap_or(u32::MAX)));
                repetitions[index].insert(DIFFERING.to_owned(), count);
                repetitions[index].insert(format!("{DIFFERING}{DETAIL}"), Value::Text(differing.join(" ")));
            }
        }
    }
}

/// Names of operations whose results differ, or that only one of the two has.
fn differing(one: &Observations, other: &Observations) -> Vec<String> {
    let results: BTreeMap<&String, (Option<&Value>, Option<&Value>)> =
        one.keys().chain(other.keys()).map(|name| (name, (one.get(name), other.get(name)))).collect();
    let differ = results.into_iter().filter(|(name, (one, other))| name.starts_with(RESULT) && one != other);
    differ.map(|(name, _)| name.trim_start_matches(RESULT).to_owned()).collect()
}

fn write_scripts(script: &Script, evidence: &mut String) {
    let parts = [
        ("before, on the host", script.before.as_ref()),
        ("job", Some(&script.job)),
        ("neighbour", script.neighbour.as_ref()),
        ("after, on the host", script.after.as_ref()),
    ];
    for (part, text) in parts {
        if let Some(text) = text {
            said::write_script(part, text, evidence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Verdict;
    use crate::claim::{Condition, judge};
    use crate::scenario::Dind;

    fn observations(values: &[(&str, &str)]) -> Observations {
        let value = |(name, value): &(&str, &str)| ((*name).to_owned(), Value::Text((*value).to_owned()));
        values.iter().map(value).collect()
    }

    #[test]
    fn results_that_differ_are_counted_in_both_arms() {
        let arm = |name: &str, observed: Observations| Tried {
            arm: name.to_owned(),
            control: false,
            holds: BTreeMap::from([("differing_ops".to_owned(), Condition::AtMost(1.0))]),
            observed: Observed::Repetitions(vec![observed]),
        };
        let one = observations(&[("op_run", "hi"), ("op_ps", "1"), ("other", "a")]);
        let alike = ["socket", "dind"].map(str::to_owned);
        for (other, expected, names) in [
            (observations(&[("op_run", "hi"), ("op_ps", "2"), ("other", "b")]), Verdict::Confirmed, "ps"),
            (observations(&[("op_run", "ho"), ("other", "a")]), Verdict::Refuted, "ps run"),
        ] {
            let mut tried = [arm("socket", one.clone()), arm("dind", other)];
            compare(&mut tried, &alike);
            assert_eq!(judge(&tried).verdict, expected);
            let Observed::Repetitions(repetitions) = &tried[1].observed else { panic!("no repetitions") };
            assert_eq!(repetitions[0]["differing_ops_detail"], Value::Text(names.to_owned()));
        }
    }

    #[test]
    fn a_newer_engine_inside_an_old_one_grants_what_it_has() {
        let dind = |engine| Kind::Dind(Dind { engine, ..Dind::default() });
        for (kind, expected) in [
            (Kind::Socket, Privilege::Explicit),
            (dind(EngineVersion::Auto), Privilege::Explicit),
            (dind(EngineVersion::V20_10), Privilege::Explicit),
            (dind(EngineVersion::V28_5), Privilege::Real),
        ] {
            assert_eq!(granted(&kind, Privilege::Explicit), expected, "{kind:?}");
        }
    }

    #[test]
    fn an_arm_whose_system_was_not_built_says_how_to_build_it() {
        let missing = BTreeSet::from([System::Proxy, System::Engine(EngineVersion::V28_5)]);
        let told = missing_system(&Kind::SocketProxy, &missing).expect("a reason");
        assert!(told.ends_with("scripts/images proxy"), "{told}");
        assert_eq!(missing_system(&Kind::Socket, &missing), None);
    }
}
