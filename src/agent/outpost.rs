//! What stands beside the user's own engine, in its host's network: the registry's address there, and the counters of
//! the whole machine.

use std::path::{Path, PathBuf};

use super::control::{Control, reply};
use super::machine::{self, Data};
use super::{AgentError, REGISTRY_ADDRESS, Reading, Reply, Request, Target, disk, forward, pressure};

/// Why the counters of an engine that serves others too stay empty.
const SHARED: &str = "the engine is not dindbench's own: what is this run's and what is others' cannot be told apart";

/// Forwards to the registry and answers requests until nobody can ask any more.
pub async fn outpost(registry: PathBuf) -> Result<u8, AgentError> {
    forward(REGISTRY_ADDRESS, Target::Unix(registry.clone())).await?;
    // The registry's socket is on a volume of the engine.
    let around = registry.parent().unwrap_or(Path::new("/"));
    let mut control = Control::open();
    loop {
        match control.next().await? {
            Some(Request::Probe { .. }) => reply(&Reply::Reading(Box::new(read()))).await?,
            Some(Request::Machine) => {
                let data = Data { around, within: None };
                reply(&Reply::Machine(Box::new(machine::describe(&read(), &data, Some(SHARED))))).await?;
            }
            Some(Request::Attached { name }) => reply(&Reply::Attached(disk::attached(&name)?)).await?,
            Some(Request::Finish) => {
                reply(&Reply::Finished).await?;
                return Ok(0);
            }
            None => return Ok(0),
        }
    }
}

fn read() -> Reading {
    Reading {
        psi_cpu_ns: pressure::stalled_ns("cpu"),
        psi_io_ns: pressure::stalled_ns("io"),
        psi_memory_ns: pressure::stalled_ns("memory"),
        steal_ns: pressure::steal_ns(),
        ..Reading::default()
    }
}
