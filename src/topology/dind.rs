//! `dind`: an inner engine in a privileged container beside the job container.

use super::error::{Death, TopologyError, last_error_line};
use super::{DATA_ROOT, INNER_BRIDGE, OuterHost, REGISTRY_SOCKET, SOCKET, SOCKET_FOLDER, dial, ready};
use crate::agent::{self, EngineConfig};
use crate::engine::{ContainerSpec, Engine, EngineError, Mount, Network, Privilege};
use crate::scenario::{Dind, StorageDriver};

/// A running inner engine with the volumes that go with it.
#[derive(Debug)]
pub(super) struct InnerEngine {
    outer: Engine,
    container: String,
    volumes: [String; 2],
    pub engine: Engine,
}

impl InnerEngine {
    /// Starts an inner engine on fresh volumes, and returns when it answers.
    pub async fn start(host: &OuterHost, dind: &Dind) -> Result<Self, TopologyError> {
        let outer = &host.engine;
        let container = host.name("engine");
        let [data, socket] = ["data", "socket"].map(|role| host.name(role));
        for (volume, role) in [(&data, "data"), (&socket, "socket")] {
            outer.create_volume(volume, &host.labels(role)).await?;
        }
        let spec = ContainerSpec {
            name: container.clone(),
            image: host.image.clone(),
            command: agent::command(["engine", &config(host.privilege, dind).to_argument()]),
            environment: Vec::new(),
            labels: host.labels("inner"),
            mounts: vec![
                Mount::Volume { name: data.clone(), target: DATA_ROOT.to_owned() },
                Mount::Volume { name: socket.clone(), target: SOCKET_FOLDER.to_owned() },
                host.registry.clone(),
            ],
            network: Network::Bridge,
            privilege: Some(host.privilege),
            dead_man: false,
        };
        outer.create_container(&spec).await?;
        outer.start_container(&container).await?;
        let engine = outer.through(&container, dial(), "inner");
        let inner = Self { outer: outer.clone(), container, volumes: [data, socket], engine };
        let death = async {
            // Whatever the wait says: the obituary asks the container itself.
            let _ = outer.wait_container(&inner.container).await;
            inner.obituary().await
        };
        ready(&inner.engine, death).await?;
        Ok(inner)
    }

    async fn obituary(&self) -> TopologyError {
        match self.dead().await {
            Ok(Some(death)) => TopologyError::Died(death),
            Ok(None) => TopologyError::Answer {
                container: self.container.clone(),
                reason: "the outer engine says that it ended and that it runs".to_owned(),
            },
            Err(error) => error.into(),
        }
    }

    /// The end of this engine, where it has ended.
    pub async fn dead(&self) -> Result<Option<Death>, EngineError> {
        let Some(exit) = self.outer.exit_of(&self.container).await? else { return Ok(None) };
        let last_line = last_error_line(&self.outer.last_lines(&self.container, 50).await?);
        Ok(Some(Death { container: self.container.clone(), exit_code: Some(exit.code), last_line }))
    }

    /// The volume of the folder in which this engine's socket stands.
    pub fn socket_mount(&self) -> Mount {
        Mount::Volume { name: self.volumes[1].clone(), target: SOCKET_FOLDER.to_owned() }
    }

    pub fn volumes(&self) -> &[String] {
        &self.volumes
    }

    /// Removes the engine with its data.
    pub async fn remove(&self) -> Result<(), EngineError> {
        self.outer.remove_container(&self.container).await?;
        for volume in &self.volumes {
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
