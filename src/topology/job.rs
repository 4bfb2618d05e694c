//! The job container: the same image and the same command in every topology; only what answers at its socket differs.

use super::{OuterHost, SOCKET, SOCKET_FOLDER};
use crate::engine::{Command, ContainerSpec, Engine, EngineError, Mount, Network, Output, Patience};

/// The folder of the job container that holds the build contexts.
pub const WORK_FOLDER: &str = "/tmp";

/// A running job container on the outer engine.
#[derive(Debug)]
pub struct JobContainer {
    engine: Engine,
    name: String,
}

impl JobContainer {
    /// Starts the container of one job, with an engine's socket in it.
    pub(super) async fn start(host: &OuterHost, job: u32, socket: Mount) -> Result<Self, EngineError> {
        let spec = ContainerSpec {
            name: host.name(&format!("job-{job}")),
            image: host.image.clone(),
            command: vec!["sleep".to_owned(), "infinity".to_owned()],
            environment: vec![format!("DOCKER_HOST=unix://{SOCKET}"), "HOME=/root".to_owned()],
            labels: host.labels("job"),
            mounts: vec![socket],
            network: Network::Bridge,
            privilege: None,
            dead_man: false,
        };
        host.engine.create_container(&spec).await?;
        host.engine.start_container(&spec.name).await?;
        Ok(Self { engine: host.engine.clone(), name: spec.name })
    }

    /// The mount of a folder of the outer engine's in which its socket stands.
    pub(super) fn socket_folder(source: &str) -> Mount {
        Mount::Bind { source: source.to_owned(), target: SOCKET_FOLDER.to_owned(), read_only: false }
    }

    /// The mount of a socket itself, whose folder holds what is no job's business.
    pub(super) fn socket_file(source: &str) -> Mount {
        Mount::Bind { source: source.to_owned(), target: SOCKET.to_owned(), read_only: false }
    }

    /// Executes one command of the job.
    pub async fn exec(&self, command: &Command, patience: Patience) -> Result<Output, EngineError> {
        self.engine.exec(&self.name, command, patience).await
    }

    /// Unpacks a tar archive into the work folder.
    pub async fn copy_in(&self, tar: std::fs::File) -> Result<(), EngineError> {
        let chunks = crate::engine::image::file_chunks(tokio::fs::File::from_std(tar));
        self.engine.copy_in(&self.name, WORK_FOLDER, chunks).await
    }

    pub async fn remove(self) -> Result<(), EngineError> {
        self.engine.remove_container(&self.name).await
    }
}
