//! On what the run was made, how to make it again, and what its numbers do not show.

use super::shown::shown;
use crate::record::{EngineRecord, Environment, HostRecord, RunRecord, own_registry};
use crate::units;

/// Named facts under one heading; ready to be shown, not yet escaped for HTML or Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) title: String,
    pub(super) facts: Vec<(&'static str, String)>,
}

impl Group {
    /// An empty text is a fact that the run could not learn, for a reason that it does not tell.
    fn new<const N: usize>(title: impl Into<String>, facts: [(&'static str, &str); N]) -> Self {
        let known = |text: &str| if text.is_empty() { "unknown".to_owned() } else { shown(text) };
        Self { title: title.into(), facts: facts.into_iter().map(|(name, text)| (name, known(text))).collect() }
    }
}

pub(super) fn groups(run: &RunRecord) -> Vec<Group> {
    let environment = &run.environment;
    let mut groups = vec![host(run, &environment.host)];
    groups.extend(environment.engines.iter().map(|(role, one)| engine(environment, role, one)));
    groups.extend(run.arms.iter().map(|arm| {
        let name = format!("Topology {}", shown(&arm.name));
        Group::new(name, [("kind", arm.kind.as_str()), ("parameters", or_none(&arm.parameters))])
    }));
    groups.extend(environment.images.iter().map(|(name, image)| {
        let size = units::bytes(image.bytes as f64);
        Group::new(format!("Image {}", shown(name)), [("digest", image.digest.as_str()), ("size", &size)])
    }));
    groups
}

/// A fact; where there is none, why not, if the run tells.
fn known(fact: Option<String>, key: &str, environment: &Environment) -> String {
    let reason = || environment.unknown.get(key).map(|reason| format!("unknown: {reason}"));
    fact.filter(|fact| !fact.is_empty()).or_else(reason).unwrap_or_default()
}

fn yes_or_no(fact: bool) -> String {
    if fact { "yes".to_owned() } else { "no".to_owned() }
}

fn or_none(parameters: &str) -> &str {
    if parameters.is_empty() { "none" } else { parameters }
}

fn host(run: &RunRecord, host: &HostRecord) -> Group {
    let processors = format!("{} × {}", host.cpus, host.cpu_model);
    let known = |fact, key: &str| known(fact, &format!("host.{key}"), &run.environment);
    let swap = host.swap_bytes.map(|swap| units::bytes(swap as f64));
    Group::new(
        "Host",
        [
            ("host", run.host.as_str()),
            ("kind", &run.environment.host_kind),
            ("registry", &run.environment.registry),
            ("operating system", &host.operating_system),
            ("kernel", &host.kernel),
            ("architecture", &host.architecture),
            ("processors", &processors),
            ("two threads or more on a core", &known(host.smt.map(yes_or_no), "smt")),
            ("virtualised", &known(host.virtualised.map(yes_or_no), "virtualised")),
            ("memory", &units::bytes(host.memory_bytes as f64)),
            ("swap", &known(swap, "swap_bytes")),
            ("cgroup version", &host.cgroup_version),
            ("security modules", &host.lsm),
            ("clock source", &known(Some(host.clock_source.clone()), "clock_source")),
            ("frequency governor", &known(Some(host.governor.clone()), "governor")),
            ("privilege of the outer engine", &run.environment.privilege),
            ("privilege of inner engines", run.environment.inner_privilege.as_deref().unwrap_or_default()),
            ("docker command of the jobs", run.environment.docker_command.as_deref().unwrap_or_default()),
            ("driver", &run.driver.to_string()),
            ("builder asked for", &run.builder.to_string()),
            ("digest of Cargo.lock", run.lock_digest.as_deref().unwrap_or_default()),
        ],
    )
}

fn engine(environment: &Environment, role: &str, engine: &EngineRecord) -> Group {
    let known = |fact, key: &str| known(fact, &format!("engines.{role}.{key}"), environment);
    let swarm = engine.swarm.clone().map(|state| match engine.swarm_nodes {
        Some(nodes) => format!("{state}, nodes: {nodes}"),
        None => state,
    });
    let mtu = engine.mtu.map(|mtu| mtu.to_string()).unwrap_or_default();
    Group::new(
        format!("Engine {}", shown(role)),
        [
            ("version", engine.version.as_str()),
            ("API version", &engine.api_version),
            ("storage driver", &engine.storage_driver),
            ("backing file system", &known(Some(engine.backing_fs.clone()), "backing_fs")),
            ("native overlay diff", &engine.native_overlay_diff),
            ("cgroup version", &engine.cgroup_version),
            ("MTU in bytes", &mtu),
            ("containerd", &known(engine.containerd.clone(), "containerd")),
            ("runc", &known(engine.runc.clone(), "runc")),
            ("BuildKit", &known(engine.buildkit.clone(), "buildkit")),
            ("without root", &engine.rootless.map(yes_or_no).unwrap_or_default()),
            ("swarm", &known(swarm, "swarm")),
            ("file system of the data root", &known(engine.data_root_fs.clone(), "data_root_fs")),
            ("mount options of the data root", &known(engine.data_root_options.clone(), "data_root_options")),
        ],
    )
}

/// The run's command as a shell takes it.
pub(super) fn command_line(run: &RunRecord) -> String {
    run.command_line.iter().map(|word| shown(&quoted(word))).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./=:,@%+".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What the numbers do not show.
pub(super) fn limits(run: &RunRecord) -> Vec<&'static str> {
    let mut limits = vec![
        "One machine. Ratios hold for this class of machine, these Dockerfiles and these engine versions; they are not \
         a law.",
        if run.environment.registry == own_registry() {
            "The registry runs on the same host. A pull over a real network takes longer, in every topology that pulls."
        } else {
            "The registry is one that was in use before, and every byte passes through dindbench on the engine's host, \
             which counts it: the same in every topology, and one way more than without dindbench."
        },
        "Caches of the kernel are not emptied. Block 0 ran before, is saved, and is in no statistic.",
        "One job at a time, unless the scenario says otherwise. Jobs that compete for disk and processors are a different \
         question.",
        "Every interval stands for itself; none is adjusted for the number of comparisons in the tables, as q is.",
        "Time, cache and disk are measured here. Isolation and security are not numbers of this report.",
    ];
    if run.environment.host_kind == "reference" {
        limits.extend([
            "The data of every trial's engines are a new copy, so what of them is first read in a trial comes from the disk; and \
             peak memory holds the page cache of everything that the reference host read and wrote.",
            "The outer engine itself runs in a container on this reference host, in every topology. Ratios are those of such an \
             engine, and neither they nor the absolute values are those of one on a bare machine.",
        ]);
    } else {
        limits.push(
            "The outer engine is one that was in use before. Its age, its other containers and its stored images are \
             part of what was measured.",
        );
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("--only=socket,dind"), "--only=socket,dind");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
