//! A scenario: one TOML file with a question, its topologies, its job, its sequence and its expectations.
//!
//! The grammar is whole (see `docs/scenarios.md`): what is not built yet is refused as such, with file, line and
//! column.

mod check;
mod document;
mod invalid;
mod mark;
mod name;
mod schema;
mod selection;
mod source;
mod stated;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

pub use invalid::Invalid;
pub use mark::Mark;
pub use name::carriable;
pub use schema::schema;
use schemars::JsonSchema;
pub use selection::SelectionError;
use serde::Deserialize;
pub use source::{BUILTINS, LoadError, QUICK, builtin, load, parse};
pub use stated::{Stated, stated, stated_cost};

use crate::case::{Builder, Driver, Edit, FileSystem, Lifecycle};

/// The build contexts that dindbench generates, as they stand after `fixture:`.
pub const FIXTURE_CONTEXTS: [&str; 4] = ["ten", "many", "big", "multistage"];

/// The one of them that is built on nothing.
const BASELESS: &str = "big";

/// A checked scenario. What it names exists within it: baseline, expectations' topologies and steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The file's stem, or the built-in's name.
    pub name: String,
    /// The file's whole text.
    pub text: String,
    pub question: String,
    /// Name of the topology that all others are compared to.
    pub baseline: String,
    /// Prose printed above the results; may be empty.
    pub analysis: String,
    /// In the file's order, names unique.
    pub topologies: Vec<Topology>,
    pub job: Job,
    pub sequence: Sequence,
    pub expectations: Vec<Expectation>,
    pub limits: Limits,
    pub cost: Option<Cost>,
}

/// How a job reaches an engine, under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Topology {
    pub name: String,
    pub kind: Kind,
    /// Of the job's container, and of its engine's where it has one: of each by itself.
    pub bounds: Bounds,
    /// Jobs at the same time.
    pub concurrency: NonZeroU32,
    /// Part of its own time by which everything is lengthened here, in the client: what a run must be able to see.
    pub delay: Option<f64>,
}

/// What a container may take of its machine; by default everything.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Processors.
    pub cpus: Option<f64>,
    pub memory_bytes: Option<u64>,
}

/// The topologies that are built, each with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The outer engine's socket, mounted into the job container.
    Socket,
    /// The outer engine's socket behind a proxy that passes on what a list allows.
    SocketProxy,
    /// No job container: the job runs where the outer engine does.
    Host,
    /// An inner engine in a privileged container of its own.
    Dind(Dind),
    /// No engine: a program in the job container does an engine's work.
    Daemonless(Daemonless),
}

/// A program that pulls, builds and runs without an engine; its storage is on a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemonless {
    pub tool: Tool,
    /// One of its own choice, the kernel's overlay, fuse-overlayfs or vfs.
    pub storage_driver: StorageDriver,
    /// Fresh for each job, or kept.
    pub data_root: DataRoot,
}

/// The program of a daemonless topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Tool {
    Podman,
    Buildah,
}

/// An inner engine; by default thrown away after each job, of the outer one's build, on a volume, reached by a socket.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dind {
    pub lifecycle: Lifecycle,
    pub engine: EngineVersion,
    pub storage_driver: StorageDriver,
    pub data_root: DataRoot,
    /// Where it is reached over a network; empty for a socket in a volume that both containers have.
    pub service: Option<Service>,
    /// Fixture images that are loaded into an engine that has them not, before the job; in the order of the job's pulls.
    pub preload: Vec<String>,
    /// Whether a mirror that outlives it stands between it and the registry.
    pub mirror: bool,
    /// What its container is given.
    pub power: Power,
    /// Where the cache of its builds goes at a job's end, and comes from in the next job; empty where it goes nowhere.
    pub cache: Option<CacheStore>,
    /// Packet size of its default bridge in bytes; empty for that of the network around it.
    pub mtu: Option<u32>,
}

/// What lets an engine run in a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Power {
    /// A privileged container.
    #[default]
    Privileged,
    /// An engine without root, in a container without more capabilities than others.
    Rootless,
    /// A runtime that gives an ordinary container what an engine needs.
    Sysbox,
}

/// What holds a build cache in a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, strum::Display, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum CacheStore {
    /// The image itself, which the job pushes at its end: what its last stage is made of.
    Inline,
    /// A manifest of its own, which the build writes: all stages. Only where containerd keeps the engine's images.
    Registry,
}

/// An engine that is reached over the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Whether both sides show certificates.
    pub tls: bool,
}

/// Where an inner engine keeps its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::Display, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum DataRoot {
    /// A volume per engine, removed with it.
    #[default]
    Fresh,
    /// A volume that outlives the engine within a trial.
    Kept,
    /// The engine container's own writable layer.
    Container,
    /// Memory.
    Tmpfs,
    /// A folder on the outer engine's disk, bound by its path.
    Bind,
    /// A file system in a file on the outer engine's disk.
    #[strum(serialize = "loop:ext4")]
    LoopExt4,
    #[strum(serialize = "loop:xfs")]
    LoopXfs,
    #[strum(serialize = "loop:btrfs")]
    LoopBtrfs,
}

impl DataRoot {
    /// The file system of its own that it is.
    pub fn file_system(self) -> Option<FileSystem> {
        match self {
            Self::LoopExt4 => Some(FileSystem::Ext4),
            Self::LoopXfs => Some(FileSystem::Xfs),
            Self::LoopBtrfs => Some(FileSystem::Btrfs),
            Self::Fresh | Self::Kept | Self::Container | Self::Tmpfs | Self::Bind => None,
        }
    }
}

/// The storage driver asked of an engine; what it chose is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::Display, clap::ValueEnum)]
#[strum(serialize_all = "kebab-case")]
pub enum StorageDriver {
    /// The engine's own choice.
    #[default]
    Auto,
    Overlay2,
    Vfs,
    FuseOverlayfs,
    Btrfs,
    /// None: containerd keeps images and containers.
    Containerd,
}

/// The version of an engine, as it is asked for.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Deserialize,
    strum::Display,
    strum::VariantArray,
    JsonSchema,
    clap::ValueEnum,
)]
pub enum EngineVersion {
    /// The build of the engine around it.
    #[default]
    #[serde(rename = "auto")]
    #[strum(serialize = "auto")]
    #[value(name = "auto")]
    Auto,
    #[serde(rename = "20.10")]
    #[strum(serialize = "20.10")]
    #[value(name = "20.10")]
    V20_10,
    #[serde(rename = "26.1")]
    #[strum(serialize = "26.1")]
    #[value(name = "26.1")]
    V26_1,
    #[serde(rename = "28.5")]
    #[strum(serialize = "28.5")]
    #[value(name = "28.5")]
    V28_5,
}

/// What one CI job does with Docker.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub driver: Driver,
    pub builder: Builder,
    /// Images of the user's engine that every engine has when a job's steps begin.
    pub carry: Vec<String>,
    pub steps: Vec<Step>,
}

/// One operation of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Pull {
        image: ImageRef,
    },
    Build(Build),
    Run {
        image: ImageRef,
        command: Vec<String>,
    },
    /// `image` is the tag of an earlier build step of the same job.
    Push {
        image: String,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Build {
    pub context: Context,
    /// Path of the Dockerfile within the context.
    pub file: String,
    pub tag: String,
    pub args: BTreeMap<String, String>,
    /// The stage to build; empty for the last.
    pub target: Option<String>,
    /// The files of a context of the user's that an edit changes.
    pub edited: BTreeMap<Edit, Edited>,
}

/// A file that an edit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// Path within the context.
    pub path: String,
    pub mark: Mark,
}

/// A build context: generated, or a folder beside the scenario file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// `fixture:NAME`, generated from the seed.
    Fixture(String),
    /// An existing folder.
    Folder(PathBuf),
}

/// An image that a step names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ImageRef {
    /// `fixture:NAME`: a tag of the fixture repository in dindbench's own registry.
    Fixture(String),
    /// The tag of an earlier build step of the same job.
    Built(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    pub jobs: NonZeroU32,
    /// By job number, from 2; jobs not named have `none`, job 1 has `first`.
    pub edits: BTreeMap<u32, Edit>,
    /// Measured blocks, without the warm-up block.
    pub blocks: u32,
}

/// What must hold after a step of a job; where it does not, the trial is invalid.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub topology: String,
    /// From 1.
    pub job: u32,
    /// Index of the step in the job.
    pub step: usize,
    pub instructions_cached: Expected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    All,
    Exactly(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub step_timeout: Duration,
    /// Longest silence of a step's output.
    pub stall_timeout: Duration,
}

/// Prices in any one currency, for the report's decision section; those of bytes per 10⁹ of them, stored ones also per month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Cost {
    pub jobs_per_day: Option<f64>,
    pub price_per_minute: Option<f64>,
    pub price_per_gb_stored: Option<f64>,
    pub price_per_gb_moved: Option<f64>,
}

impl Expected {
    /// By the word that stands in a scenario instead of a number.
    fn of_word(word: &str) -> Option<Self> {
        match word {
            "all" => Some(Self::All),
            "none" => Some(Self::Exactly(0)),
            _ => None,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Exactly(count) => count.fmt(f),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { step_timeout: Duration::from_secs(300), stall_timeout: Duration::from_secs(30) }
    }
}

impl Sequence {
    /// The edit that precedes a job; `job` counts from 1.
    pub fn edit(&self, job: u32) -> Edit {
        if job == 1 { Edit::First } else { self.edits.get(&job).copied().unwrap_or(Edit::None) }
    }
}

impl Job {
    /// The name of a step in rows and expectations: a build's tag, else its index from 0.
    pub fn step_name(&self, index: usize) -> String {
        match &self.steps[index] {
            Step::Build(build) => build.tag.clone(),
            Step::Pull { .. } | Step::Run { .. } | Step::Push { .. } => index.to_string(),
        }
    }
}

impl Topology {
    /// Whether several jobs at once share one engine.
    pub fn shared(&self) -> bool {
        self.concurrency.get() > 1 && self.kind.lifecycle().is_none() && self.kind.tool().is_none()
    }

    /// The parameters as `key=value` joined by spaces.
    pub fn parameters(&self) -> String {
        let Bounds { cpus, memory_bytes } = self.bounds;
        let cpus = cpus.map(|cpus| format!("cpus={cpus}"));
        let memory = memory_bytes.map(|bytes| format!("memory_bytes={bytes}"));
        let kind = Some(self.kind.parameters()).filter(|parameters| !parameters.is_empty());
        let concurrency = (self.concurrency.get() > 1).then(|| format!("concurrency={}", self.concurrency));
        let delay = self.delay.map(|delay| format!("delay={delay}"));
        [kind, cpus, memory, concurrency, delay].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

impl Kind {
    /// The word for this kind in a scenario's `use`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::SocketProxy => "socket-proxy",
            Self::Host => "host",
            Self::Dind(Dind { power: Power::Rootless, .. }) => "dind-rootless",
            Self::Dind(Dind { power: Power::Sysbox, .. }) => "sysbox",
            Self::Dind(Dind { service: Some(_), .. }) => "dind-service",
            Self::Dind(Dind { cache: Some(_), .. }) => "dind-cache",
            Self::Dind(Dind { mirror: true, .. }) => "dind-mirror",
            Self::Dind(Dind { preload, .. }) if !preload.is_empty() => "dind-preload",
            Self::Dind(_) => "dind",
            Self::Daemonless(daemonless) => daemonless.tool.into(),
        }
    }

    /// Empty where the topology has no inner engine.
    pub fn lifecycle(&self) -> Option<Lifecycle> {
        match self {
            Self::Socket | Self::SocketProxy | Self::Host | Self::Daemonless(_) => None,
            Self::Dind(dind) => Some(dind.lifecycle),
        }
    }

    /// What does a job's steps without an engine.
    pub fn tool(&self) -> Option<Tool> {
        match self {
            Self::Socket | Self::SocketProxy | Self::Host | Self::Dind(_) => None,
            Self::Daemonless(daemonless) => Some(daemonless.tool),
        }
    }

    /// How steps are executed where this driver is asked for: without an engine there is no API.
    pub fn driver(&self, asked: Driver) -> Driver {
        self.tool().map_or(asked, |_| Driver::Cli)
    }

    /// What holds the cache of its builds between jobs, where something in a registry does.
    pub fn cache(&self) -> Option<CacheStore> {
        match self {
            Self::Socket | Self::SocketProxy | Self::Host | Self::Daemonless(_) => None,
            Self::Dind(dind) => dind.cache,
        }
    }

    /// The version asked of the engine that the job talks to.
    pub fn engine(&self) -> EngineVersion {
        match self {
            Self::Socket | Self::SocketProxy | Self::Host | Self::Daemonless(_) => EngineVersion::Auto,
            Self::Dind(dind) => dind.engine,
        }
    }

    /// Where the job's engine keeps its data.
    pub fn data_root(&self) -> &'static str {
        match self {
            Self::Socket | Self::SocketProxy | Self::Host => "outer",
            Self::Dind(dind) => dind.data_root.into(),
            Self::Daemonless(daemonless) => daemonless.data_root.into(),
        }
    }

    /// The parameters as `key=value` joined by spaces.
    pub fn parameters(&self) -> String {
        match self {
            Self::Socket | Self::SocketProxy | Self::Host => String::new(),
            Self::Dind(dind) => {
                let Dind {
                    lifecycle,
                    engine,
                    storage_driver,
                    data_root,
                    service,
                    preload,
                    mirror,
                    power: _,
                    cache,
                    mtu,
                } = dind;
                let mut parameters = format!(
                    "lifecycle={lifecycle} engine={engine} storage_driver={storage_driver} data_root={data_root}"
                );
                let tls = service.map(|Service { tls }| format!(" tls={tls}"));
                let preload = (!preload.is_empty()).then(|| " preload=true".to_owned());
                let mirror = mirror.then(|| " mirror=true".to_owned());
                let cache = cache.map(|cache| format!(" cache={cache}"));
                let mtu = mtu.map(|mtu| format!(" mtu={mtu}"));
                parameters.extend([tls, preload, mirror, cache, mtu].into_iter().flatten());
                parameters
            }
            Self::Daemonless(Daemonless { tool: _, storage_driver, data_root }) => {
                format!("storage_driver={storage_driver} data_root={data_root}")
            }
        }
    }
}

impl Scenario {
    /// The versions asked of the topologies' engines.
    pub fn engines(&self) -> BTreeSet<EngineVersion> {
        self.topologies.iter().map(|topology| topology.kind.engine()).collect()
    }

    /// The file systems in files that the topologies' engines want, each with the engine's version.
    pub fn file_systems(&self) -> BTreeSet<(EngineVersion, FileSystem)> {
        let wanted = self.topologies.iter().filter_map(|topology| match &topology.kind {
            Kind::Dind(dind) => Some((dind.engine, dind.data_root.file_system()?)),
            Kind::Socket | Kind::SocketProxy | Kind::Host | Kind::Daemonless(_) => None,
        });
        wanted.collect()
    }
}

impl Build {
    /// Whether an edit changes what this build is made from.
    pub fn changed_by(&self, edit: Edit) -> bool {
        match (&self.context, edit) {
            (_, Edit::First | Edit::None) => false,
            (context @ Context::Fixture(_), Edit::Base) => context.on_base(),
            (Context::Fixture(_), Edit::Source | Edit::Dependencies) => true,
            (Context::Folder(_), edit) => self.edited.contains_key(&edit),
        }
    }
}

impl Context {
    /// Whether this is a generated context that is built on `fixture:base`.
    fn on_base(&self) -> bool {
        matches!(self, Self::Fixture(name) if name != BASELESS)
    }

    pub fn word(&self) -> String {
        match self {
            Self::Fixture(name) => format!("fixture:{name}"),
            Self::Folder(path) => path.display().to_string(),
        }
    }
}
