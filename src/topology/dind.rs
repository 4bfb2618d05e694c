//! `dind`: an inner engine in a privileged container beside the job container.

use std::time::Duration;

use super::error::{Death, TopologyError, last_error_line};
use super::{DATA_ROOT, INNER_BRIDGE, OuterHost, REGISTRY_SOCKET, SOCKET, SOCKET_FOLDER, dial, ready};
use crate::agent::{self, EngineConfig};
use crate::engine::{ContainerSpec, Engine, EngineError, Mount, Network, Privilege};
use crate::scenario::{DataRoot, Dind, StorageDriver};

/// How long an engine may take to stop: more than the 15 s that it gives its own containers.
const STOP_GRACE: Duration = Duration::from_secs(30);

/// An inner engine with the volumes that go with it.
#[derive(Debug)]
pub(super) struct InnerEngine {
    outer: Engine,
    container: String,
    /// The volumes of its socket and, where they are on one, of its data.
    volumes: Vec<String>,
    pub engine: Engine,
    /// Not started yet, or stopped on purpose.
    stopped: bool,
}

/// The volume that holds an inner engine's data.
pub(super) fn data_volume(host: &OuterHost) -> String {
    host.name("data")
}

impl InnerEngine {
    /// Starts an inner engine, and returns when it answers. Its volumes are fresh, but for data that were kept: an
    /// engine that is to create a volume which exists takes that one.
    pub async fn start(host: &OuterHost, dind: &Dind) -> Result<Self, TopologyError> {
        let outer = &host.engine;
        let container = host.name("engine");
        let socket = host.name("socket");
        outer.create_volume(&socket, &host.labels("socket")).await?;
        let mut volumes = vec![socket.clone()];
        let data = match dind.data_root {
            DataRoot::Fresh | DataRoot::Kept => {
                let name = data_volume(host);
                outer.create_volume(&name, &host.labels("data")).await?;
                volumes.push(name.clone());
                Mount::Volume { name, target: DATA_ROOT.to_owned() }
            }
            DataRoot::Tmpfs => Mount::Memory { target: DATA_ROOT.to_owned() },
        };
        let socket = Mount::Volume { name: socket, target: SOCKET_FOLDER.to_owned() };
        let spec = ContainerSpec {
            name: container.clone(),
            image: host.inner_image(dind.engine).to_owned(),
            command: agent::command(["engine", &config(host.privilege, dind).to_argument()]),
            environment: Vec::new(),
            labels: host.labels("inner"),
            mounts: vec![data, socket, host.registry.clone()],
            network: Network::Bridge,
            privilege: Some(host.privilege),
            dead_man: false,
        };
        outer.create_container(&spec).await?;
        let engine = outer.through(&container, dial(), "inner");
        let mut inner = Self { outer: outer.clone(), container, volumes, engine, stopped: true };
        inner.resume().await?;
        Ok(inner)
    }

    /// Starts the engine's container, and returns when the engine answers.
    pub async fn resume(&mut self) -> Result<(), TopologyError> {
        self.outer.start_container(&self.container).await?;
        let death = async {
            // Whatever the wait says: the obituary asks the container itself.
            let _ = self.outer.wait_container(&self.container).await;
            self.obituary().await
        };
        ready(&self.engine, death).await?;
        self.stopped = false;
        Ok(())
    }

    /// Stops the engine as `docker stop` does.
    ///
    /// # Errors
    /// Also where it was dead already, or had to be killed: its data were not put down in good order then.
    pub async fn stop(&mut self) -> Result<(), TopologyError> {
        let ended = self.outer.wait_container(&self.container);
        let (code, stopped) = tokio::join!(ended, self.outer.stop_container(&self.container, STOP_GRACE));
        stopped?;
        self.stopped = true;
        match code? {
            0 => Ok(()),
            _ => Err(self.obituary().await),
        }
    }

    pub fn stopped(&self) -> bool {
        self.stopped
    }

    async fn obituary(&self) -> TopologyError {
        match self.end().await {
            Ok(Some(death)) => TopologyError::Died(death),
            Ok(None) => TopologyError::Answer {
                container: self.container.clone(),
                reason: "the outer engine says that it ended and that it runs".to_owned(),
            },
            Err(error) => error.into(),
        }
    }

    /// The end of this engine, where it has ended and not as it was asked to.
    pub async fn dead(&self) -> Result<Option<Death>, EngineError> {
        let end = self.end().await?;
        Ok(end.filter(|death| !self.stopped || death.exit_code != Some(0)))
    }

    async fn end(&self) -> Result<Option<Death>, EngineError> {
        let Some(exit) = self.outer.exit_of(&self.container).await? else { return Ok(None) };
        let last_line = last_error_line(&self.outer.last_lines(&self.container, 50).await?);
        Ok(Some(Death { container: self.container.clone(), exit_code: Some(exit.code), last_line }))
    }

    /// The volume of the folder in which this engine's socket stands.
    pub fn socket_mount(&self) -> Mount {
        Mount::Volume { name: self.volumes[0].clone(), target: SOCKET_FOLDER.to_owned() }
    }

    pub fn volumes(&self) -> &[String] {
        &self.volumes
    }

    /// Removes the engine, and its data unless they are kept.
    pub async fn remove(&self, data_root: DataRoot) -> Result<(), EngineError> {
        self.outer.remove_container(&self.container).await?;
        let kept = usize::from(data_root == DataRoot::Kept);
        for volume in &self.volumes[..self.volumes.len() - kept] {
            self.outer.remove_volume(volume).await?;
        }
        Ok(())
    }
}

fn config(privilege: Privilege, dind: &Dind) -> EngineConfig {
    EngineConfig {
        socket: SOCKET.into(),
        data_root: DATA_ROOT.into(),
        storage_driver: match dind.storage_driver {
            StorageDriver::Auto => None,
            named => Some(named.to_string()),
        },
        bridge: INNER_BRIDGE.to_owned(),
        registry: REGISTRY_SOCKET.into(),
        disk: None,
        remount_cgroups: privilege == Privilege::Explicit,
        control: false,
    }
}
