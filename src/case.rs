//! The closed vocabularies that identify what was measured; every word is listed in `docs/glossary.md`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};

/// One operation of a job. `start` and `stop` are implicit in every job.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Op {
    Start,
    Pull,
    Build,
    Run,
    Push,
    Stop,
}

/// What changed before a job: in its contexts, or what its base image is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    VariantArray,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Edit {
    /// Job 1: nothing was built before.
    First,
    None,
    Source,
    Dependencies,
    Base,
}

/// How a step ended. Only `ok` rows enter a statistic.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Status {
    Ok,
    Failed,
    Timeout,
    /// The step ran, but not under the conditions it was meant to run under.
    Invalid,
}

/// What happens to the inner engine between two jobs.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    VariantArray,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Lifecycle {
    /// Engine and data are thrown away.
    #[default]
    Recreate,
    /// The engine is stopped and started on the same data.
    Restart,
    /// The engine goes on running.
    Keep,
}

/// How a step is executed in the job container.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    VariantArray,
    JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Driver {
    /// The docker command, as a CI job runs it.
    #[default]
    Cli,
    /// The Engine API, without a command.
    Api,
}

/// Which builder a build asks for. What ran is recorded in the row.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    VariantArray,
    JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Builder {
    /// The one that the job's own docker command would use.
    #[default]
    Auto,
    Classic,
    Buildkit,
    /// Of podman and buildah, which have no other; it cannot be asked for.
    #[value(skip)]
    #[schemars(skip)]
    Buildah,
}

/// A file system of an inner engine's own, in a file.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum FileSystem {
    Ext4,
    Xfs,
    Btrfs,
}

/// Why a step or a trial did not count: a closed list, so that failures can be counted by kind.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ErrorClass {
    /// A RUN instruction, or the command of a `run` step, returned a non-zero code.
    CommandFailed,
    /// An image or tag that the registry or the engine does not have.
    ImageMissing,
    /// The registry answered 429.
    RateLimited,
    /// The registry could not be reached, or answered with an error of its own.
    Registry,
    /// A digest did not match its content.
    Corrupt,
    /// The docker command may not use the socket.
    SocketPermission,
    /// An engine ended, or closed the connection, in the middle of its work.
    EngineDied,
    /// An engine was not ready before its deadline.
    EngineNotReady,
    /// The engine refused a request for a reason that no other class names.
    EngineError,
    /// The builder that ran, or would run, is not the one that was asked for.
    WrongBuilder,
    /// No space, or no inodes, left on a device.
    DiskFull,
    /// The docker command's output did not make sense, or ended too early.
    BadStream,
    /// A step took longer than the scenario's `step_timeout`.
    StepTimeout,
    /// A step printed nothing for longer than the scenario's `stall_timeout`.
    StallTimeout,
    /// The wrong number of instructions was cached, or another expectation broke.
    Expectation,
    /// Dindbench itself could not do its part.
    Harness,
}

/// What an experiment found of a claim.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Verdict {
    Confirmed,
    Refuted,
    /// It holds in some arms of the experiment and not in others.
    Conditional,
    /// The experiment was done and does not decide it.
    Undecided,
    /// No experiment can be done here, for a reason that is told. Counts neither for nor against.
    NotTestable,
}

/// What disturbed the machine when a trial began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Disturbance {
    /// Something waited for a processor.
    CpuPressure,
    /// Something waited for a disk.
    IoPressure,
    /// A hypervisor gave processor time to others.
    Steal,
    /// Too many tasks could run.
    Load,
    /// A container that is not this run's was started since the block began.
    ForeignContainer,
    /// The disk has little room left beside what a trial takes.
    LowDisk,
}
