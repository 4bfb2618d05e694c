//! The scenario file as it is written: its keys, their types and the words they take.
//!
//! The whole grammar is here, also what is not built yet; `check` decides what can be used. The JSON schema is made from
//! these types, so their documentation is what an editor shows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, Range};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, de};
use strum::Display;
use toml::Spanned;

use super::invalid::Fault;
use super::{CacheStore, EngineVersion};
use crate::case::{Builder, Driver, Lifecycle};

/// A value and where it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(super) struct At<T>(Spanned<T>);

/// A question about ways of giving a CI job a Docker, and how to answer it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(title = "dindbench scenario")]
pub(super) struct File {
    /// What the scenario is to answer, in one sentence.
    pub(super) question: String,
    /// Name of the topology that all others are compared to.
    pub(super) baseline: At<String>,
    /// Prose printed above the results.
    #[serde(default)]
    pub(super) analysis: String,
    /// The ways of giving the job a Docker that are compared.
    #[serde(rename = "topology")]
    pub(super) topologies: Vec<Topology>,
    pub(super) job: Job,
    pub(super) sequence: Sequence,
    /// What must hold after a step; where it does not, the trial is invalid.
    #[serde(default, rename = "expect")]
    pub(super) expectations: Vec<Expect>,
    #[serde(default)]
    pub(super) limits: Limits,
    /// Prices, for the report's decision section.
    pub(super) cost: Option<Cost>,
}

/// How a job reaches an engine and where that engine keeps its data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Topology {
    #[serde(rename = "use")]
    pub(super) kind: At<Use>,
    /// Defaults to the word of `use`.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9._-]{0,63}$"))]
    pub(super) name: Option<At<String>>,
    /// What happens to the inner engine between two jobs; default `recreate`.
    pub(super) lifecycle: Option<At<Lifecycle>>,
    /// Version of the inner engine; default `auto`, the outer engine's own build.
    pub(super) engine: Option<At<EngineVersion>>,
    /// Storage driver asked of the inner engine; default `auto`, the engine's own choice.
    pub(super) storage_driver: Option<At<StorageDriver>>,
    /// Where the inner engine keeps its data; default `fresh`.
    pub(super) data_root: Option<At<DataRoot>>,
    /// Whether a pull-through mirror stands between the inner engine and the registry.
    pub(super) mirror: Option<At<bool>>,
    /// Whether the job's images are loaded into the inner engine before the job.
    pub(super) preload: Option<At<bool>>,
    /// What holds the build cache of a `dind-cache` in the registry; default `inline`.
    pub(super) cache: Option<At<CacheStore>>,
    /// Whether the job and a `dind-service` show each other certificates; default `true`.
    pub(super) tls: Option<At<bool>>,
    pub(super) limits: Option<At<Bounds>>,
    /// Bytes of a packet on the inner engine's networks.
    pub(super) mtu: Option<At<u32>>,
    /// Jobs at the same time; default: the sequence's.
    #[schemars(range(min = 1, max = 64))]
    pub(super) concurrency: Option<At<u32>>,
    /// A control of what a run can see: by this part of its time every step is lengthened in the client, 0.1 for 10 %.
    #[schemars(range(min = 0.001, max = 10))]
    pub(super) delay: Option<At<f64>>,
}

/// The topologies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Display, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Use {
    /// The outer engine's socket, mounted into the job container.
    Socket,
    /// No job container: the job runs where the outer engine does. Only on a reference host.
    Host,
    /// The outer engine's socket behind a proxy that filters requests.
    SocketProxy,
    /// An inner engine in a privileged container of its own.
    Dind,
    /// An inner engine in a service container, reached over a network with TLS.
    DindService,
    /// An inner engine behind a pull-through mirror that outlives it.
    DindMirror,
    /// An inner engine that is given the images out of the outer one.
    DindPreload,
    /// An inner engine that imports and exports its build cache.
    DindCache,
    /// An inner engine without root.
    DindRootless,
    /// An inner engine under the sysbox runtime.
    Sysbox,
    /// No engine: buildah in the job container, its storage on a volume.
    Buildah,
    /// No engine: podman in the job container, its storage on a volume.
    Podman,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Display, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub(super) enum StorageDriver {
    Auto,
    Overlay2,
    Vfs,
    FuseOverlayfs,
    Btrfs,
    Containerd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Display, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub(super) enum DataRoot {
    /// A volume per engine, removed with it.
    Fresh,
    /// A named volume that outlives the engine within a trial.
    Kept,
    /// The engine container's own writable layer.
    Container,
    /// Memory; not with `restart`.
    Tmpfs,
    /// A folder on the outer engine's disk, bound by its path.
    Bind,
    /// A file system of its own in a file, ext4.
    #[serde(rename = "loop:ext4")]
    #[strum(serialize = "loop:ext4")]
    LoopExt4,
    /// A file system of its own in a file, xfs.
    #[serde(rename = "loop:xfs")]
    #[strum(serialize = "loop:xfs")]
    LoopXfs,
    /// A file system of its own in a file, btrfs.
    #[serde(rename = "loop:btrfs")]
    #[strum(serialize = "loop:btrfs")]
    LoopBtrfs,
}

/// Bounds of the job's container, and of its engine's where it has one: of each by itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Bounds {
    /// Processors.
    pub(super) cpus: Option<At<f64>>,
    /// Such as `2GiB`.
    pub(super) memory: Option<At<String>>,
}

/// What one CI job does with Docker.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Job {
    /// How a step is executed; default `cli`, the docker command.
    pub(super) driver: Option<At<Driver>>,
    /// Which builder a build asks for; default `auto`, the one that the job's own docker command would use.
    pub(super) builder: Option<At<Builder>>,
    /// Images of your engine that every engine is given before the steps begin, untimed: bases that no registry in reach
    /// has.
    #[serde(default)]
    pub(super) carry: Vec<At<String>>,
    /// The operations of the job, in order.
    pub(super) steps: At<Vec<At<Step>>>,
}

/// One operation of a job.
// Written with the tag `op`; `document` turns that into the form read here, because serde reads an inner tag through a
// buffer that forgets where a value stood.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(tag = "op")]
pub(super) enum Step {
    Pull(PullStep),
    Build(BuildStep),
    Run(RunStep),
    Push(PushStep),
}

/// Fetches an image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct PullStep {
    /// `fixture:NAME`.
    pub(super) image: At<String>,
}

/// Builds an image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct BuildStep {
    /// `fixture:NAME`, or a folder beside the scenario file.
    pub(super) context: At<String>,
    /// The Dockerfile's path within the context; default `Dockerfile`.
    pub(super) file: Option<At<String>>,
    /// Name of the image that is built, and of this step.
    pub(super) tag: At<String>,
    /// Build arguments.
    #[serde(default)]
    pub(super) args: BTreeMap<String, String>,
    /// Stage to build; default: the last.
    pub(super) target: Option<At<String>>,
    /// File of a folder that the edit `source` changes: its path within the context.
    pub(super) source: Option<At<String>>,
    /// File of a folder that the edit `dependencies` changes: its path within the context.
    pub(super) dependencies: Option<At<String>>,
}

/// Runs a command in a container.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RunStep {
    /// The tag of an earlier build step, or `fixture:NAME`.
    pub(super) image: At<String>,
    pub(super) command: At<Vec<String>>,
}

/// Sends an image to a registry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct PushStep {
    /// The tag of an earlier build step.
    pub(super) image: At<String>,
}

/// Jobs in a row in one topology, and how often that is repeated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Sequence {
    #[schemars(range(min = 1))]
    pub(super) jobs: At<u32>,
    /// What changes before a job, by job number from 2; jobs not named: `none`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<u32, Change>")]
    pub(super) edits: BTreeMap<At<String>, At<Change>>,
    /// Measured blocks, besides the warm-up block; default 20.
    #[schemars(range(min = 1))]
    pub(super) blocks: Option<At<u32>>,
    /// Jobs at the same time, each with a sequence of its own; default 1.
    #[schemars(range(min = 1, max = 64))]
    pub(super) concurrency: Option<At<u32>>,
}

/// What changed before a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Display, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Change {
    None,
    Source,
    Dependencies,
    Base,
}

/// What must hold after a step of a job.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Expect {
    /// Name of a topology.
    pub(super) topology: At<String>,
    /// From 1.
    #[schemars(range(min = 1))]
    pub(super) job: At<u32>,
    /// A build's tag, or a step's index from 0.
    pub(super) step: At<WordOrNumber>,
    /// Instructions that the builder finds cached.
    #[schemars(schema_with = "cached_schema")]
    pub(super) instructions_cached: At<WordOrNumber>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WordOrNumber {
    Word(String),
    Number(u32),
}

/// When a step is given up.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Limits {
    /// Longest time of a step; default `5m`.
    pub(super) step_timeout: Option<At<String>>,
    /// Longest silence of a step's output; default `30s`.
    pub(super) stall_timeout: Option<At<String>>,
}

/// Prices, in any one currency.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Cost {
    pub(super) jobs_per_day: Option<At<f64>>,
    /// Per minute of a runner.
    pub(super) price_per_minute: Option<At<f64>>,
    /// Per gigabyte (10^9 bytes) and month.
    pub(super) price_per_gb_stored: Option<At<f64>>,
    /// Per gigabyte (10^9 bytes).
    pub(super) price_per_gb_moved: Option<At<f64>>,
}

impl<T> At<T> {
    pub(super) fn span(&self) -> Range<usize> {
        self.0.span()
    }

    pub(super) fn fault(&self, message: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault::new(self.span(), message, help)
    }
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get_ref()
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for WordOrNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = WordOrNumber;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word or a number")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<WordOrNumber, E> {
                Ok(WordOrNumber::Word(word.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<WordOrNumber, E> {
                let small = u32::try_from(number);
                small.map(WordOrNumber::Number).map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for WordOrNumber {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "WordOrNumber".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 0 }] })
    }
}

fn cached_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [{ "enum": ["all", "none"] }, { "type": "integer", "minimum": 0 }] })
}
