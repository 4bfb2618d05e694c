//! `run.toml`: what was run, on what, with which seed; written before the first trial.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::case::{Builder, Driver};

/// The whole description of a run, besides its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub schema: u32,
    pub run_id: String,
    /// Digest of the machine's identity, or the name given by `--host-label`.
    pub host: String,
    /// RFC 3339.
    pub started_at: String,
    pub command_line: Vec<String>,
    /// Version of dindbench and the source revision it was built from.
    pub version: String,
    pub revision: String,
    /// `sha256:` of the Cargo.lock that it was built with; empty in files of older versions, and where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_digest: Option<String>,
    pub scenario: String,
    /// `sha256:` of the scenario's text.
    pub scenario_digest: String,
    pub question: String,
    /// Name of the topology that all others are compared to; one of `arms`.
    pub baseline: String,
    /// The scenario's prose, printed above the results; may be empty.
    pub analysis: String,
    pub seed: u64,
    /// Measured blocks; the warm-up block comes before them.
    pub blocks: u32,
    /// With `--precision`, and where claims rest on the run, the half-width of a ratio's interval at which it ends before all
    /// its blocks: 0.02 for 2 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<f64>,
    /// How long a trial waits for a quiet machine, 0 where nobody looks; empty in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_for_quiet_ns: Option<u64>,
    pub driver: Driver,
    pub builder: Builder,
    /// Sentences that change how the numbers are to be read, shown on the report's first screen.
    pub warnings: Vec<String>,
    /// What could not be measured here, and why: column name to reason.
    pub unavailable: BTreeMap<String, String>,
    pub environment: Environment,
    /// The arms in the scenario's order.
    pub arms: Vec<ArmRecord>,
    /// The scenario file itself, so that a report needs nothing else.
    pub scenario_text: String,
}

/// One topology of the run, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmRecord {
    pub name: String,
    pub kind: String,
    /// `key=value` joined by spaces.
    pub parameters: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    pub host: HostRecord,
    /// `real` (`--privileged`) or `explicit` (a set of capabilities and options, because the engine could not grant it).
    pub privilege: String,
    /// The same, of the outer engine towards inner ones; empty in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner_privilege: Option<String>,
    /// `reference`, `local` or a URL.
    pub host_kind: String,
    /// `own`, or the address of a registry that others run.
    // Runs that do not say it are older than the choice.
    #[serde(default = "own_registry")]
    pub registry: String,
    /// Engines by the role they play: `user`, `outer`.
    pub engines: BTreeMap<String, EngineRecord>,
    /// What the docker command of every job says of its version; empty in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker_command: Option<String>,
    /// Images by name.
    pub images: BTreeMap<String, ImageRecord>,
    /// What is empty below this because it could not be had, and why: key to reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, String>,
}

/// The word for dindbench's own registry.
pub fn own_registry() -> String {
    "own".to_owned()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostRecord {
    pub kernel: String,
    pub operating_system: String,
    pub architecture: String,
    pub cpu_model: String,
    pub cpus: u32,
    pub memory_bytes: u64,
    pub cgroup_version: String,
    /// Active Linux security modules; empty where the kernel does not say.
    pub lsm: String,
    pub clock_source: String,
    pub governor: String,
    /// Whether two or more threads share a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smt: Option<bool>,
    /// Whether a hypervisor is under the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtualised: Option<bool>,
    /// Size of all swap, used or not; 0 where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap_bytes: Option<u64>,
}

/// An engine's own account of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineRecord {
    pub version: String,
    pub api_version: String,
    pub storage_driver: String,
    pub backing_fs: String,
    pub native_overlay_diff: String,
    pub cgroup_version: String,
    /// Bytes; empty where the engine is not ours to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Versions of its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containerd: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runc: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buildkit: Option<String>,
    /// Whether it runs without root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rootless: Option<bool>,
    /// The engine's word for its state in a swarm, such as `inactive`, and the number of nodes where it knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swarm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swarm_nodes: Option<u64>,
    /// File system under its data root, in the kernel's word, and the options that it is mounted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_root_fs: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_root_options: Option<String>,
    /// The raw answers of `/version` and `/info`, as JSON.
    pub version_json: String,
    pub info_json: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// `sha256:` of the image's configuration or manifest.
    pub digest: String,
    pub bytes: u64,
}
