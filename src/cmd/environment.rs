//! On what a run is made: the machine, its engines and its images, with the reason for everything that is not known.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use time::format_description::well_known::Rfc3339;

use super::description::Setting;
use super::tenancy::Tenancy;
use crate::agent::Mounted;
use crate::engine::Description;
use crate::image::RunImages;
use crate::record::{EngineRecord, Environment, HostRecord, ImageRecord, own_registry};
use crate::registry::Address;
use crate::topology::{Host, Learnt, NOT_ASKED};
use crate::units::hex;

/// The names of the two engines in `engines`.
const USER: &str = "user";
const OUTER: &str = "outer";

/// The time of day, for labels.
pub(super) fn now() -> String {
    // A time that has no RFC 3339 form is beyond the year 9999.
    time::OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

/// A digest of the machine's identity, unless a name is given.
pub(super) fn host_name(label: Option<&str>, user: &Description) -> String {
    let digest = || format!("host-{}", &hex(&Sha256::digest(format!("dindbench host {}", user.id)))[..12]);
    label.map_or_else(digest, str::to_owned)
}

pub(super) fn environment(
    setting: &Setting<'_>,
    tenancy: &Tenancy<'_>,
    user: &Description,
    host: &Host,
) -> Environment {
    let Learnt { machine, outer, docker_command, inner_privilege, buildkit } = &host.learnt;
    // On a reference host the outer engine has data of its own; else it is the user's engine.
    let own = if setting.host.is_reference() { &machine.within } else { &machine.around };
    let outer = EngineRecord { mtu: machine.mtu, buildkit: buildkit.clone().ok(), ..engine(outer, own.as_ref()) };
    let mut environment = Environment {
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
            smt: machine.smt,
            virtualised: machine.virtualised,
            swap_bytes: machine.swap.map(|swap| swap.bytes),
        },
        privilege: host.privilege().to_string(),
        inner_privilege: Some(inner_privilege.to_string()),
        host_kind: setting.host.to_string(),
        registry: setting.registry.map_or_else(own_registry, Address::to_string),
        engines: BTreeMap::from([(USER.to_owned(), engine(user, machine.around.as_ref())), (OUTER.to_owned(), outer)]),
        docker_command: Some(docker_command.clone()),
        images: tenancy
            .images
            .iter()
            .flat_map(RunImages::all)
            .map(|image| (image.name.clone(), ImageRecord { digest: image.digest(), bytes: image.bytes() }))
            .collect(),
        unknown: BTreeMap::new(),
    };
    environment.unknown = unknown(&environment, buildkit.as_ref().err());
    environment
}

fn engine(description: &Description, data_root: Option<&Mounted>) -> EngineRecord {
    let swarm = description.swarm();
    EngineRecord {
        version: description.version.clone(),
        api_version: description.api_version.clone(),
        storage_driver: description.storage_driver.clone(),
        backing_fs: description.driver_status("Backing Filesystem").to_owned(),
        native_overlay_diff: description.driver_status("Native Overlay Diff").to_owned(),
        cgroup_version: description.cgroup_version.clone(),
        mtu: None,
        containerd: description.component("containerd"),
        runc: description.component("runc"),
        buildkit: None,
        rootless: Some(description.rootless()),
        swarm: swarm.as_ref().map(|swarm| swarm.state.clone()),
        swarm_nodes: swarm.and_then(|swarm| swarm.nodes),
        data_root_fs: data_root.map(|mounted| mounted.file_system.clone()),
        data_root_options: data_root.map(|mounted| mounted.options.clone()),
        version_json: description.version_json.clone(),
        info_json: description.info_json.clone(),
    }
}

/// Why facts are empty, by their keys below `environment`. `buildkit` is why the outer engine's is.
fn unknown(environment: &Environment, buildkit: Option<&String>) -> BTreeMap<String, String> {
    let Environment { host, engines, .. } = environment;
    let machine = [
        ("host.cpu_model", host.cpu_model.is_empty(), "/proc/cpuinfo has no line `model name`"),
        ("host.clock_source", host.clock_source.is_empty(), "the kernel has no file current_clocksource"),
        (
            "host.governor",
            host.governor.is_empty(),
            "the kernel does not govern the processors' frequency: no file scaling_governor, as in most virtual machines",
        ),
        ("host.smt", host.smt.is_none(), "the kernel has no file /sys/devices/system/cpu/smt/active"),
        (
            "host.virtualised",
            host.virtualised.is_none(),
            "/proc/cpuinfo has no line `flags`, as on processors that are no x86, and there is no /sys/hypervisor/type",
        ),
        ("host.swap_bytes", host.swap_bytes.is_none(), "/proc/meminfo has no lines `SwapTotal` and `SwapFree`"),
    ];
    let machine = machine.into_iter().map(|(key, empty, reason)| (key.to_owned(), empty, reason.to_owned()));
    let engines = engines.iter().flat_map(|(role, engine)| {
        let buildkit = buildkit.filter(|_| role == OUTER).map_or(NOT_ASKED, String::as_str).to_owned();
        let component = |name: &str| format!("the engine's answer to /version has no component {name}");
        let mount = || "/proc/self/mountinfo does not tell what the data root is mounted from".to_owned();
        [
            ("backing_fs", engine.backing_fs.is_empty(), "the storage driver tells none".to_owned()),
            ("containerd", engine.containerd.is_none(), component("containerd")),
            ("runc", engine.runc.is_none(), component("runc")),
            ("buildkit", engine.buildkit.is_none(), buildkit),
            ("swarm", engine.swarm.is_none(), "the engine's answer to /info has no state of a swarm".to_owned()),
            ("data_root_fs", engine.data_root_fs.is_none(), mount()),
            ("data_root_options", engine.data_root_options.is_none(), mount()),
        ]
        .map(|(key, empty, reason)| (format!("engines.{role}.{key}"), empty, reason))
    });
    machine.chain(engines).filter(|(_, empty, _)| *empty).map(|(key, _, reason)| (key, reason)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = r#"{"Components":[{"Name":"containerd","Version":"1.6.20"}]}"#;

    fn description() -> Description {
        Description {
            version: "20.10".to_owned(),
            api_version: "1.41".to_owned(),
            id: String::new(),
            storage_driver: "overlay2".to_owned(),
            driver_status: Vec::new(),
            cgroup_version: "1".to_owned(),
            security_options: vec!["name=rootless".to_owned()],
            kernel: String::new(),
            operating_system: String::new(),
            architecture: String::new(),
            cpus: 2,
            memory_bytes: 1,
            version_json: VERSION.to_owned(),
            info_json: "{}".to_owned(),
        }
    }

    fn environment(outer: EngineRecord, smt: Option<bool>) -> Environment {
        let word = String::new;
        Environment {
            host: HostRecord {
                kernel: word(),
                operating_system: word(),
                architecture: word(),
                cpu_model: "cpu".to_owned(),
                cpus: 2,
                memory_bytes: 1,
                cgroup_version: word(),
                lsm: word(),
                clock_source: "tsc".to_owned(),
                governor: word(),
                smt,
                virtualised: Some(false),
                swap_bytes: Some(0),
            },
            privilege: word(),
            inner_privilege: None,
            host_kind: word(),
            registry: word(),
            engines: BTreeMap::from([(USER.to_owned(), engine(&description(), None)), (OUTER.to_owned(), outer)]),
            docker_command: None,
            images: BTreeMap::new(),
            unknown: BTreeMap::new(),
        }
    }

    #[test]
    fn what_an_engine_says_is_taken_apart() {
        let mounted = Mounted { file_system: "ext4".to_owned(), options: "rw,relatime".to_owned() };
        let record = engine(&description(), Some(&mounted));
        assert_eq!(record.containerd.as_deref(), Some("1.6.20"));
        assert_eq!((record.runc, record.rootless, record.swarm), (None, Some(true), None));
        assert_eq!(record.data_root_fs.as_deref(), Some("ext4"));
        assert_eq!(record.data_root_options.as_deref(), Some("rw,relatime"));
    }

    #[test]
    fn every_empty_fact_has_its_reason_and_no_other_has_one() {
        let mounted = Mounted { file_system: "ext4".to_owned(), options: "rw".to_owned() };
        let outer = EngineRecord { swarm: Some("inactive".to_owned()), ..engine(&description(), Some(&mounted)) };
        let (smt, why) = (None, "buildx is not there".to_owned());
        let reasons = unknown(&environment(outer.clone(), smt), Some(&why));
        let expected = [
            "engines.outer.backing_fs",
            "engines.outer.buildkit",
            "engines.outer.runc",
            "engines.user.backing_fs",
            "engines.user.buildkit",
            "engines.user.data_root_fs",
            "engines.user.data_root_options",
            "engines.user.runc",
            "engines.user.swarm",
            "host.governor",
            "host.smt",
        ];
        assert_eq!(reasons.keys().collect::<Vec<_>>(), expected);
        assert_eq!((&reasons["engines.outer.buildkit"], reasons["engines.user.buildkit"].as_str()), (&why, NOT_ASKED));
        let known = EngineRecord { buildkit: Some("v0.25.1".to_owned()), ..outer };
        let reasons = unknown(&environment(known, Some(true)), None);
        assert!(!reasons.contains_key("engines.outer.buildkit") && !reasons.contains_key("host.smt"));
    }
}
