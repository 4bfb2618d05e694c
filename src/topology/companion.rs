//! A container that stands beside engines from the first job of a trial to its end, and answers at a socket in a volume.

use std::time::Duration;

use super::OuterHost;
use super::error::{Death, TopologyError};
use crate::engine::{Command, ContainerSpec, Engine, EngineError, Mount, Patience};

const START: Patience = Patience { total: Duration::from_secs(30), silence: Duration::from_secs(30) };

/// A running companion, and the volume with its socket.
#[derive(Debug)]
pub(super) struct Companion {
    outer: Engine,
    container: String,
    volume: String,
}

/// What a companion is made of.
pub(super) struct Parts<'a> {
    /// Its name on the outer engine, and the role that its labels tell.
    pub role: &'static str,
    pub image: &'a str,
    pub command: Vec<String>,
    /// `NAME=VALUE`.
    pub environment: Vec<String>,
    /// Besides its own volume.
    pub mounts: Vec<Mount>,
    /// Where its volume is, and the socket in it.
    pub folder: &'static str,
    pub socket: &'static str,
}

impl Companion {
    /// Starts it, and returns when its socket is there: it listens before it gives it its name.
    pub async fn start(host: &OuterHost, parts: Parts<'_>) -> Result<Self, TopologyError> {
        let (outer, container) = (&host.engine, host.name(parts.role));
        let volume = container.clone();
        outer.create_volume(&volume, &host.labels(parts.role)).await?;
        let own = Mount::Volume { name: volume.clone(), target: parts.folder.to_owned() };
        let spec = ContainerSpec {
            name: container.clone(),
            image: parts.image.to_owned(),
            command: parts.command,
            environment: parts.environment,
            labels: host.labels(parts.role),
            mounts: parts.mounts.into_iter().chain([own]).collect(),
            ..ContainerSpec::default()
        };
        outer.create_container(&spec).await?;
        outer.start_container(&container).await?;
        let companion = Self { outer: outer.clone(), container, volume };
        let started = format!("until [ -S {}/{} ]; do sleep 0.01; done", parts.folder, parts.socket);
        match outer.exec(&companion.container, &Command::new(["sh", "-c", &started]), START).await {
            Ok(_) => Ok(companion),
            // One that has ended says why.
            Err(error) => Err(companion.dead().await?.map_or_else(|| error.into(), TopologyError::Died)),
        }
    }

    /// The volume with the socket, in a folder of another container.
    pub fn mount(&self, folder: &str) -> Mount {
        Mount::Volume { name: self.volume.clone(), target: folder.to_owned() }
    }

    pub fn volume(&self) -> &str {
        &self.volume
    }

    /// Its end, where it has ended.
    pub async fn dead(&self) -> Result<Option<Death>, EngineError> {
        Death::of(&self.outer, &self.container).await
    }
}
