//! The job container: the same image and the same command in every topology; only what answers at its socket differs.

use super::{SOCKET, SOCKET_FOLDER};
use crate::engine::{Command, ContainerSpec, Engine, EngineError, Mount, Output, Patience};
use crate::journal;

/// The folder of the job container that holds the build contexts.
pub const WORK_FOLDER: &str = "/tmp";

/// A running job container on the outer engine.
#[derive(Debug)]
pub struct JobContainer {
    engine: Engine,
    name: String,
}

impl JobContainer {
    /// Starts the container of one job, with the folder of an engine's socket in it.
    pub async fn start(
        outer: &Engine,
        run: &str,
        image: &str,
        job: u32,
        socket_folder: Mount,
    ) -> Result<Self, EngineError> {
        let spec = ContainerSpec {
            name: format!("dindbench-{run}-job-{job}"),
            image: image.to_owned(),
            command: vec!["sleep".to_owned(), "infinity".to_owned()],
            environment: vec![format!("DOCKER_HOST=unix://{SOCKET}"), "HOME=/root".to_owned()],
            labels: journal::labels(run, "job"),
            mounts: vec![socket_folder],
            privilege: None,
            dead_man: false,
        };
        outer.create_container(&spec).await?;
        outer.start_container(&spec.name).await?;
        Ok(Self { engine: outer.clone(), name: spec.name })
    }

    /// The mount of the folder in which every engine's socket stands, from a bind source or a volume.
    pub(super) fn bind(source: &str) -> Mount {
        Mount::Bind { source: source.to_owned(), target: SOCKET_FOLDER.to_owned(), read_only: false }
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
