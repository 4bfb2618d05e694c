//! `run.toml`: everything about a run but its rows, put together before the first trial.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::environment::{environment, host_name, now};
use super::tenancy::Tenancy;
use crate::case::Builder;
use crate::cli::{self, ClaimHost, Percent, RunArgs};
use crate::engine::{Description, Privilege};
use crate::plan::Plan;
use crate::record::{ArmRecord, RunRecord, SCHEMA};
use crate::registry::{Address, Upstream};
use crate::scenario::{Dind, Kind, Power, Scenario, Topology};
use crate::topology::Host;
use crate::units::{as_nanos, hex};

/// What was asked for besides a scenario and its plan.
#[derive(Clone)]
pub(super) struct Setting<'a> {
    pub host: ClaimHost,
    /// A registry that others run.
    pub registry: Option<&'a Address>,
    pub host_label: Option<&'a str>,
    /// Half-width of a ratio's interval, as a part of it.
    pub precision: Option<f64>,
    pub wait_for_quiet: Duration,
}

impl<'a> Setting<'a> {
    pub fn of(args: &'a RunArgs) -> Self {
        Self {
            host: ClaimHost::Engine(args.host.clone()),
            registry: args.registry.as_ref(),
            host_label: args.host_label.as_deref(),
            precision: args.design.precision.map(Percent::fraction),
            wait_for_quiet: args.wait_for_quiet,
        }
    }
}

pub(super) fn record(
    setting: &Setting<'_>,
    scenario: &Scenario,
    plan: &Plan,
    tenancy: &Tenancy<'_>,
    user: &Description,
    host: &Host,
) -> RunRecord {
    RunRecord {
        schema: SCHEMA,
        run_id: tenancy.run_id().to_owned(),
        host: host_name(setting.host_label, user),
        started_at: now(),
        command_line: std::env::args().collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: env!("DINDBENCH_REVISION").to_owned(),
        lock_digest: option_env!("DINDBENCH_LOCK_DIGEST").map(str::to_owned),
        scenario: scenario.name.clone(),
        scenario_digest: format!("sha256:{}", hex(&Sha256::digest(&scenario.text))),
        question: scenario.question.clone(),
        baseline: scenario.baseline.clone(),
        analysis: scenario.analysis.clone(),
        seed: plan.seed,
        blocks: u32::try_from(plan.blocks.len() - 1).unwrap_or(u32::MAX),
        precision: setting.precision,
        wait_for_quiet_ns: Some(as_nanos(setting.wait_for_quiet)),
        driver: scenario.job.driver,
        builder: scenario.job.builder,
        warnings: warnings(setting, Some(scenario), host),
        unavailable: unavailable(setting, scenario, host.learnt.machine.unavailable.clone()),
        environment: environment(setting, tenancy, user, host),
        arms: scenario
            .topologies
            .iter()
            .map(|topology| ArmRecord {
                name: topology.name.clone(),
                kind: topology.kind.word().to_owned(),
                parameters: topology.parameters(),
            })
            .collect(),
        scenario_text: scenario.text.clone(),
    }
}

/// What changes how the numbers are to be read.
pub(super) fn warnings(setting: &Setting<'_>, scenario: Option<&Scenario>, host: &Host) -> Vec<String> {
    let privilege = match (host.privilege(), host.learnt.inner_privilege) {
        (Privilege::Real, Privilege::Real) => None,
        (Privilege::Explicit, Privilege::Explicit) => Some(("this engine", "engines in containers run")),
        (Privilege::Explicit, Privilege::Real) => Some(("this engine", "the outer engine runs")),
        (Privilege::Real, Privilege::Explicit) => Some(("the outer engine", "inner engines run")),
    };
    let privilege = privilege.map(|(engine, runs)| {
        format!(
            "{engine} cannot grant --privileged: {runs} with an explicit set of capabilities (all but SYS_RESOURCE) and \
             without confinement instead"
        )
    });
    let shared = match setting.host {
        ClaimHost::Engine(cli::Host::Reference) => None,
        ClaimHost::Engine(_) => Some(
            "the outer engine is one in use, with its age, its settings and its other work; where its storage driver or \
             version differs from the inner engines', --host reference runs both on the same",
        ),
        ClaimHost::Lab => Some(
            "the lab's machines are virtual, and may be emulated: what works there is told, and no time; of the machines \
             that differ in their security modules alone the first is described",
        ),
    };
    let registry = setting.registry.map(|address| {
        format!(
            "the registry is one in use, {address}: its distance, its age and its other clients are part of every pull \
             and push"
        )
    });
    let fixed = privilege.into_iter().chain(shared.map(str::to_owned));
    let topologies = scenario.iter().flat_map(|scenario| &scenario.topologies);
    let larger = topologies.filter_map(|topology| larger_packets(topology, host.learnt.machine.mtu?));
    fixed.chain(registry).chain(host.lasting().map(lasting)).chain(larger).collect()
}

/// Packets that are larger than those of the network around them are lost on the way, without a word. An engine without
/// root has a way out of its own, which takes them apart.
fn larger_packets(topology: &Topology, around: u32) -> Option<String> {
    let Kind::Dind(Dind { mtu: Some(mtu), power: Power::Privileged | Power::Sysbox, .. }) = topology.kind else {
        return None;
    };
    (mtu > around).then(|| {
        format!(
            "packets of {} may have {mtu} bytes, and those of the network around it {around}: what its containers send \
             to the network can be lost without a word",
            topology.name
        )
    })
}

/// Said before the first trial and after the last.
pub(super) fn lasting(upstream: &Upstream) -> String {
    format!(
        "the registry deletes no image: all that this run puts there stays, in the repositories below {upstream}; \
         remove them with its own means"
    )
}

fn unavailable(
    setting: &Setting<'_>,
    scenario: &Scenario,
    mut counters: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut say = |column: &str, reason: &str| counters.insert(column.to_owned(), reason.to_owned());
    if scenario.job.builder == Builder::Classic {
        say("export_ns", "the classic builder has no export phase of its own");
    }
    if scenario.topologies.iter().any(|topology| topology.concurrency.get() > 1) {
        let reason = "what the host's counters rise by is nobody's alone while several jobs run";
        say("bytes, disk, processor, memory and IO of jobs at once", reason);
    }
    if scenario.topologies.iter().any(|topology| topology.kind.tool().is_some()) {
        say(
            "layers_total and layers_reused of podman and buildah",
            "they do not tell the layers that move from the others",
        );
        say(
            "upload_ns and export_ns of podman and buildah",
            "they send no context to an engine, and export nothing from it",
        );
    }
    if setting.wait_for_quiet.is_zero() {
        say("flags, waited_ns and calibration_ns", "--wait-for-quiet 0s looks at nothing before a trial");
    }
    if !setting.host.is_reference() {
        say("engine_disk_bytes", "the engine stores what others built too");
        say("volumes_leaked", "nobody can say whose a volume without a label is on an engine that others use");
    }
    counters
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::scenario::Bounds;

    #[test]
    fn packets_larger_than_those_around_are_warned_of() {
        let told = |mtu, power| {
            let kind = Kind::Dind(Dind { mtu, power, ..Dind::default() });
            let (bounds, concurrency) = (Bounds::default(), NonZeroU32::MIN);
            larger_packets(&Topology { name: "one".to_owned(), kind, bounds, concurrency, delay: None }, 1400)
        };
        let warning = told(Some(1500), Power::Privileged).expect("a warning");
        assert!(warning.starts_with("packets of one may have 1500 bytes, and those of the network around it 1400"));
        for (mtu, power) in
            [(Some(1400), Power::Privileged), (None, Power::Privileged), (Some(65_520), Power::Rootless)]
        {
            assert_eq!(told(mtu, power), None, "{mtu:?}");
        }
    }
}
