//! How a job reaches an engine: the host with the outer engine, and on it one file per kind of topology.

mod arm;
mod buildkit;
mod companion;
mod daemonless;
mod dind;
mod error;
mod file_system;
mod held;
mod host;
mod inner;
mod job;
mod local;
mod mirror;
mod preload;
mod proxy;
mod reference;
mod service;
mod site;
mod watch;

pub use arm::{Arm, Started};
pub use buildkit::NOT_ASKED;
pub use dind::SYSBOX;
pub use error::{Death, TopologyError};
pub use file_system::Tried;
pub use held::Held;
pub use host::{Host, Learnt, OuterHost, Place, TrialKey};
pub use job::JobContainer;
pub use local::traces;
pub use watch::{Watch, differences};

use std::pin::pin;
use std::time::Duration;

use crate::engine::{Cause, Engine, EngineError};

/// Where an engine's socket is, in its own container and in the job container alike.
const SOCKET: &str = "/run/engine/docker.sock";
const SOCKET_FOLDER: &str = "/run/engine";
const REGISTRY_FOLDER: &str = "/run/registry";
const REGISTRY_SOCKET: &str = "/run/registry/registry.sock";
const DATA_ROOT: &str = "/var/lib/docker";
const DISK_FOLDER: &str = "/disks";

/// How long an engine may take until it answers its first ping.
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// How long after a broken connection the end of its engine may come.
const OBITUARY_DEADLINE: Duration = Duration::from_secs(3);

/// The default bridge of the outer engine and of an inner one: a range for each level of nesting, all away from the
/// range that docker itself takes first.
const OUTER_BRIDGE: &str = "10.201.0.1/24";
const INNER_BRIDGE: &str = "10.202.0.1/24";

/// The name of an object that a trial makes on an outer engine.
fn name(run: &str, suffix: &str) -> String {
    format!("dindbench-{run}-{suffix}")
}

/// The command that carries a connection to the engine in a container.
fn dial() -> Vec<String> {
    crate::agent::command(["dial", SOCKET, &READY_DEADLINE.as_secs().to_string()])
}

/// Returns when an engine answers its first ping, or with the story of its end.
async fn ready(engine: &Engine, death: impl Future<Output = TopologyError>) -> Result<(), TopologyError> {
    let mut death = pin!(death);
    tokio::select! {
        biased;
        answer = engine.ping(READY_DEADLINE) => match answer {
            Ok(()) => Ok(()),
            // An engine that ends drops its connections first: what it says with its end explains more.
            Err(error) => Err(tokio::time::timeout(OBITUARY_DEADLINE, death).await.unwrap_or_else(|_| not_ready(error))),
        },
        error = &mut death => Err(error),
    }
}

fn not_ready(error: EngineError) -> TopologyError {
    match error.cause {
        Cause::Timeout(deadline) => TopologyError::NotReady { role: error.engine, deadline },
        _ => error.into(),
    }
}
