//! The part of dindbench that runs inside its own containers: it supervises an engine, or stands beside one, forwards
//! to the registry, answers probes, and carries connections.
//!
//! A container's configuration is one JSON argument; requests and replies are JSON lines on its standard streams.

mod calibration;
mod certificates;
mod cgroup;
mod control;
mod daemonless;
mod device;
mod dial;
mod disk;
mod fingerprint;
mod forward;
mod machine;
mod mounted;
mod network;
mod operation;
mod outpost;
mod pressure;
mod protocol;
mod rootless;
mod second;
mod supervisor;

pub use calibration::calibrate;
pub use dial::dial;
pub use disk::try_file_system;
pub use fingerprint::{Fingerprint, fingerprint};
pub use forward::{Target, forward};
pub use mounted::Mounted;
pub use operation::{Operation, Said};
pub use outpost::outpost;
pub use protocol::{
    DaemonlessConfig, DiskConfig, EngineConfig, Machine, NestedDisk, Reading, Reply, Request, RootlessSide,
    ServiceConfig, Swap,
};
pub use second::Second;
pub use supervisor::{supervise, supervise_daemonless};

/// Where the packed image keeps this program, its libraries and the loader that starts it.
pub const FOLDER: &str = "/dindbench";

/// Where the registry answers wherever an engine is under test.
pub const REGISTRY_ADDRESS: &str = "127.0.0.1:5000";

/// Something that must be there before an engine can start is not.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}: {reason}")]
pub struct AgentError {
    action: String,
    reason: String,
}

impl AgentError {
    fn new(action: impl Into<String>, reason: impl ToString) -> Self {
        Self { action: action.into(), reason: reason.to_string() }
    }
}

/// The command line that starts this program in a container made from the packed image.
pub fn command<S: Into<String>>(arguments: impl IntoIterator<Item = S>) -> Vec<String> {
    let start = [
        format!("{FOLDER}/loader"),
        "--library-path".into(),
        format!("{FOLDER}/lib"),
        format!("{FOLDER}/dindbench"),
        "inside".into(),
    ];
    start.into_iter().chain(arguments.into_iter().map(Into::into)).collect()
}
