//! What the harness and its program in a container say to each other.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Mounted;
use crate::case::FileSystem;

/// How an engine is to be started in its container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineConfig {
    /// Unix socket on which the engine answers.
    pub socket: PathBuf,
    pub data_root: PathBuf,
    /// Empty for the engine's own choice.
    pub storage_driver: Option<String>,
    /// Whether containerd keeps the images, in the place of a storage driver.
    pub containerd_store: bool,
    /// Address and prefix of the engine's default bridge. Each level of nesting has its own, because an inner bridge
    /// with the same range would shadow the outer one.
    pub bridge: String,
    /// Packet size of the engine's default bridge in bytes; empty for that of the container's own interface.
    pub mtu: Option<u32>,
    /// Where the engine answers over the network too.
    pub service: Option<ServiceConfig>,
    /// The registry's socket, to which 127.0.0.1:5000 is forwarded.
    pub registry: PathBuf,
    /// A file system of its own for the data root.
    pub disk: Option<DiskConfig>,
    /// For an engine without root, on which side of its namespaces this is.
    pub rootless: Option<RootlessSide>,
    /// Control groups are mounted read-only without `--privileged`.
    pub remount_cgroups: bool,
    /// Whether standard input carries requests, and its end means the end of the container.
    pub control: bool,
}

impl EngineConfig {
    /// The one argument that configures an engine's container.
    pub fn to_argument(&self) -> String {
        serde_json::to_string(self).expect("paths of ours and numbers are JSON")
    }
}

/// How a container without an engine is prepared for a program that does an engine's work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonlessConfig {
    /// Unix socket on which podman's service answers.
    pub socket: PathBuf,
    /// The registry's socket, to which 127.0.0.1:5000 is forwarded.
    pub registry: PathBuf,
    /// `overlay`, `fuse-overlayfs` or `vfs`; empty for the programs' own choice.
    pub driver: Option<String>,
}

impl DaemonlessConfig {
    /// The one argument that configures a job container without an engine.
    pub fn to_argument(&self) -> String {
        serde_json::to_string(self).expect("paths of ours are JSON")
    }
}

/// Where a supervisor of an engine without root is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootlessSide {
    /// It is the container's root, and starts another one without root.
    Outside,
    /// It is root within namespaces of its own, and starts the engine.
    Inside,
}

/// An engine's TCP port, open to the networks that its container is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceConfig {
    pub port: u16,
    /// With mutual TLS: the name that clients call the engine by, and the folder that their certificates are written to.
    pub tls: Option<(String, PathBuf)>,
}

/// A file with a file system in it, mounted through a loop device at the data root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskConfig {
    pub file: PathBuf,
    /// The prepared disk of which `file` becomes a fresh sparse copy; empty to format a new one where there is none.
    pub copy_of: Option<PathBuf>,
    pub file_system: FileSystem,
    /// Apparent size of a new disk.
    pub bytes: u64,
}

/// A file system in a file on this disk, mounted in a container of the engine's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NestedDisk {
    /// A process in that container; none where it does not run.
    pub pid: Option<u32>,
    /// Both as they are there.
    pub file: PathBuf,
    pub root: PathBuf,
    pub file_system: FileSystem,
}

/// A line on standard input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Read every counter, and start a new memory peak. `settle` writes everything out first, so that the disk
    /// figures are of settled data.
    Probe { settle: bool, nested: Option<NestedDisk> },
    /// Tell whether a loop device of this machine still has a file of this name: until then its file system writes.
    Attached { name: String },
    /// Tell what machine this is.
    Machine,
    /// Stop the engine in good order, unmount the disk, and end.
    Finish,
}

/// A line on standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    Reading(Box<Reading>),
    Machine(Box<Machine>),
    Attached(bool),
    Finished,
}

/// The machine under everything, as the kernel shows it to a container. Empty where the kernel does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu_model: String,
    pub clock_source: String,
    /// How the processors' frequency is governed.
    pub governor: String,
    /// Whether two or more threads share a core.
    pub smt: Option<bool>,
    /// Whether a hypervisor is under the kernel.
    pub virtualised: Option<bool>,
    pub swap: Option<Swap>,
    /// Packet size of the container's own interface.
    pub mtu: Option<u32>,
    /// What the data of the engine lie on that this container is on, as a volume of it shows.
    pub around: Option<Mounted>,
    /// What the data of the engine in this container lie on; empty where there is none.
    pub within: Option<Mounted>,
    /// Counters that cannot be read here, with the reason: column of samples.csv to words.
    pub unavailable: BTreeMap<String, String>,
}

/// Memory that the kernel can move to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    pub bytes: u64,
    pub used_bytes: u64,
}

/// All counters at one moment, of everything in the supervising container. Empty where this host has no such figure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Allocated bytes on the data root's own file system.
    pub disk_bytes: Option<u64>,
    pub inodes: Option<u64>,
    pub cpu_ns: Option<u64>,
    /// Since the previous reading; includes page cache on cgroup v1.
    pub peak_memory_bytes: Option<u64>,
    /// Bytes that passed the data root's block device.
    pub io_read_bytes: Option<u64>,
    pub io_write_bytes: Option<u64>,
    /// Pressure-stall totals of the whole machine.
    pub psi_cpu_ns: Option<u64>,
    pub psi_io_ns: Option<u64>,
    pub psi_memory_ns: Option<u64>,
    pub steal_ns: Option<u64>,
}
