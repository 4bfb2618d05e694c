//! Where the steps of a job are executed: the same image and the same command in every topology that has an engine; only
//! what answers at its socket differs.

use super::{OuterHost, SOCKET, SOCKET_FOLDER};
use crate::engine::{Command, ContainerSpec, Engine, EngineError, Mount, Network, Output, Patience};
use crate::scenario::Bounds;

/// The folder that archives are unpacked to: an engine does not see what is mounted within a container.
const UPLOAD_FOLDER: &str = "/tmp";

/// The container in which the steps of one job are executed: one of the job's own on the outer engine, or with `host` the
/// one that the outer engine itself is in.
#[derive(Debug)]
pub struct JobContainer {
    engine: Engine,
    name: String,
    /// Holds the build contexts.
    folder: String,
    /// What commands are given besides the container's own environment.
    environment: Vec<String>,
    room: Room,
}

/// How a job reaches its engine.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub mounts: Vec<Mount>,
    /// `NAME=VALUE`, as the docker command reads them.
    pub environment: Vec<String>,
    pub network: Network,
}

impl Access {
    /// Through a socket in a folder that is mounted.
    pub fn socket(mount: Mount) -> Self {
        Self { mounts: vec![mount], environment: vec![docker_host()], network: Network::Bridge }
    }
}

/// What goes with the job.
#[derive(Debug)]
enum Room {
    Container,
    /// A volume of the outer engine's, which holds the job's folder.
    Volume {
        outer: Engine,
        name: String,
    },
}

impl JobContainer {
    /// Starts the container of one job, from which an engine can be reached.
    pub(super) async fn start(host: &OuterHost, job: u32, access: Access, bounds: Bounds) -> Result<Self, EngineError> {
        let home = "HOME=/root".to_owned();
        let spec = ContainerSpec {
            name: host.name(&format!("job-{job}")),
            image: host.image.clone(),
            command: vec!["sleep".to_owned(), "infinity".to_owned()],
            environment: access.environment.into_iter().chain([home]).collect(),
            labels: host.labels("job"),
            mounts: access.mounts,
            network: access.network,
            bounds,
            ..ContainerSpec::default()
        };
        Self::of(&host.engine, spec).await
    }

    /// Starts a container of this kind for one job.
    pub(super) async fn of(outer: &Engine, spec: ContainerSpec) -> Result<Self, EngineError> {
        outer.create_container(&spec).await?;
        outer.start_container(&spec.name).await?;
        Ok(Self {
            engine: outer.clone(),
            name: spec.name,
            folder: UPLOAD_FOLDER.to_owned(),
            environment: Vec::new(),
            room: Room::Container,
        })
    }

    /// Makes a folder for a job that runs where the outer engine does. It is a volume's, so that contexts are on the disk
    /// that holds those of other topologies, and home and temporary files with them, so that no job finds another's.
    pub(super) async fn beside_engine(host: &OuterHost, job: u32) -> Result<Self, EngineError> {
        let volume = host.name(&format!("job-{job}"));
        let folder = host.engine.create_volume(&volume, &host.labels("job")).await?;
        Ok(Self {
            engine: host.held.engine().clone(),
            name: host.container().to_owned(),
            environment: vec![docker_host(), format!("HOME={folder}"), format!("TMPDIR={folder}")],
            folder,
            room: Room::Volume { outer: host.engine.clone(), name: volume },
        })
    }

    /// The mount of a folder of the outer engine's in which its socket stands.
    pub(super) fn socket_folder(source: &str) -> Mount {
        Mount::Bind { source: source.to_owned(), target: SOCKET_FOLDER.to_owned(), read_only: false }
    }

    /// The mount of a socket itself, whose folder holds what is no job's business.
    pub(super) fn socket_file(source: &str) -> Mount {
        Mount::Bind { source: source.to_owned(), target: SOCKET.to_owned(), read_only: false }
    }

    /// The path of a folder that was copied in.
    pub fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    /// Executes one command of the job.
    pub async fn exec(&self, command: &Command, patience: Patience) -> Result<Output, EngineError> {
        let mut command = command.clone();
        command.environment.extend(self.environment.iter().cloned());
        self.engine.exec(&self.name, &command, patience).await
    }

    /// Unpacks a tar archive that holds one folder of this name.
    pub async fn copy_in(&self, name: &str, tar: std::fs::File) -> Result<(), EngineError> {
        let chunks = crate::engine::image::file_chunks(tokio::fs::File::from_std(tar));
        self.engine.copy_in(&self.name, UPLOAD_FOLDER, chunks).await?;
        if self.folder == UPLOAD_FOLDER {
            return Ok(());
        }
        let unpacked = format!("{UPLOAD_FOLDER}/{name}");
        let moved = Command::new(["mv", &unpacked, &self.folder]);
        self.engine.exec_well(&self.name, &moved, Patience::CHORE).await.map(drop)
    }

    pub async fn remove(self) -> Result<(), EngineError> {
        match self.room {
            Room::Container => self.engine.remove_container(&self.name).await,
            Room::Volume { outer, name } => outer.remove_volume(&name).await,
        }
    }
}

pub(super) fn docker_host() -> String {
    format!("DOCKER_HOST=unix://{SOCKET}")
}
