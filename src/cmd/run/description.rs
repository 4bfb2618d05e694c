//! `run.toml`: everything about a run but its rows, put together before the first trial.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use time::format_description::well_known::Rfc3339;

use crate::case::Builder;
use crate::cli::RunArgs;
use crate::cmd::tenancy::Tenancy;
use crate::engine::{Description, Privilege};
use crate::plan::Plan;
use crate::record::{ArmRecord, EngineRecord, Environment, HostRecord, ImageRecord, RunRecord, SCHEMA};
use crate::scenario::Scenario;
use crate::topology::Reference;
use crate::units::hex;

pub(super) fn record(
    args: &RunArgs,
    scenario: &Scenario,
    plan: &Plan,
    tenancy: &Tenancy<'_>,
    user: &Description,
    reference: &Reference,
) -> RunRecord {
    let machine = &reference.machine;
    let label = || format!("host-{}", &hex(&Sha256::digest(format!("dindbench host {}", user.id)))[..12]);
    RunRecord {
        schema: SCHEMA,
        run_id: tenancy.run_id().to_owned(),
        host: args.host_label.clone().unwrap_or_else(label),
        // A time that has no RFC 3339 form is beyond the year 9999.
        started_at: time::OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
        command_line: std::env::args().collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: env!("DINDBENCH_REVISION").to_owned(),
        scenario: scenario.name.clone(),
        scenario_digest: format!("sha256:{}", hex(&Sha256::digest(&scenario.text))),
        question: scenario.question.clone(),
        baseline: scenario.baseline.clone(),
        analysis: scenario.analysis.clone(),
        seed: plan.seed,
        blocks: u32::try_from(plan.blocks.len() - 1).unwrap_or(u32::MAX),
        driver: scenario.job.driver,
        builder: scenario.job.builder,
        warnings: warnings(reference),
        unavailable: unavailable(machine.unavailable.clone(), scenario.job.builder),
        environment: Environment {
            host: HostRecord {
                kernel: user.kernel.clone(),
                operating_system: user.operating_system.clone(),
                architecture: user.architecture.clone(),
                cpu_model: machine.cpu_model.clone(),
                cpus: user.cpus,
                memory_bytes: user.memory_bytes,
                cgroup_version: user.cgroup_version.clone(),
                lsm: user.security_options.join(", "),
                clock_source: machine.clock_source.clone(),
                governor: machine.governor.clone(),
            },
            privilege: reference.privilege().to_string(),
            host_kind: args.host.to_string(),
            engines: BTreeMap::from([
                ("user".to_owned(), engine(user, None)),
                ("outer".to_owned(), engine(&reference.outer, machine.mtu)),
            ]),
            images: tenancy
                .packed
                .iter()
                .map(|packed| {
                    ("host-engine".to_owned(), ImageRecord { digest: packed.digest.clone(), bytes: packed.bytes })
                })
                .collect(),
        },
        arms: scenario
            .topologies
            .iter()
            .map(|topology| ArmRecord {
                name: topology.name.clone(),
                kind: topology.kind.word().to_owned(),
                parameters: topology.kind.parameters(),
            })
            .collect(),
        scenario_text: scenario.text.clone(),
    }
}

fn engine(description: &Description, mtu: Option<u32>) -> EngineRecord {
    EngineRecord {
        version: description.version.clone(),
        api_version: description.api_version.clone(),
        storage_driver: description.storage_driver.clone(),
        backing_fs: description.driver_status("Backing Filesystem").to_owned(),
        native_overlay_diff: description.driver_status("Native Overlay Diff").to_owned(),
        cgroup_version: description.cgroup_version.clone(),
        mtu,
        version_json: description.version_json.clone(),
        info_json: description.info_json.clone(),
    }
}

/// What changes how the numbers are to be read.
fn warnings(reference: &Reference) -> Vec<String> {
    match reference.privilege() {
        Privilege::Real => Vec::new(),
        Privilege::Explicit => vec![
            "this engine cannot grant --privileged: engines in containers run with an explicit set of capabilities \
             (all but SYS_RESOURCE) and without confinement instead"
                .to_owned(),
        ],
    }
}

fn unavailable(mut counters: BTreeMap<String, String>, builder: Builder) -> BTreeMap<String, String> {
    if builder == Builder::Classic {
        counters.insert("export_ns".to_owned(), "the classic builder has no export phase of its own".to_owned());
    }
    counters.insert("calibration_ns".to_owned(), "no calibration work is run yet".to_owned());
    counters
}
