//! `dind-mirror`: a pull-through mirror between an inner engine and the registry, which outlives the engine.

use super::companion::{Companion, Parts};
use super::error::TopologyError;
use super::{OuterHost, REGISTRY_FOLDER, REGISTRY_SOCKET};
use crate::agent;
use crate::engine::Mount;

/// Where the mirror's socket and store are, in its container.
const FOLDER: &str = "/run/mirror";
const STORE: &str = "/run/mirror/store";

/// Starts a mirror, and returns when it listens.
pub(super) async fn start(host: &OuterHost) -> Result<Companion, TopologyError> {
    let parts = Parts {
        role: "mirror",
        image: &host.image,
        command: agent::command(["mirror", STORE, REGISTRY_SOCKET, FOLDER]),
        environment: Vec::new(),
        mounts: vec![host.registry.clone()],
        folder: FOLDER,
        socket: "registry.sock",
    };
    Companion::start(host, parts).await
}

/// What an engine has in the place of the registry: the mirror's socket has the same name.
pub(super) fn mount(mirror: &Companion) -> Mount {
    mirror.mount(REGISTRY_FOLDER)
}
