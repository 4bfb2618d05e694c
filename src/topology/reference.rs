//! The reference host: an outer engine that dindbench starts itself, in a container, on a disk of its own.
//!
//! Every trial gets a fresh one whose disk is a copy of one prepared disk, so that cold is cold in every arm and the
//! user's engine sees nothing of a job but one container.

use super::error::TopologyError;
use super::site::Site;
use super::{
    DATA_ROOT, DISK_FOLDER, Held, JobContainer, OUTER_BRIDGE, OuterHost, REGISTRY_FOLDER, REGISTRY_SOCKET, SOCKET,
    SOCKET_FOLDER, dial, ready,
};
use crate::agent::{self, DiskConfig, EngineConfig, Machine, Reply, Request};
use crate::engine::{ContainerSpec, Description, Engine, Mount, Network, Privilege};
use crate::image::{Packed, archive};
use crate::journal::{Journal, Kind};

/// Apparent size of an outer engine's disk; it is sparse.
const DISK_BYTES: u64 = 64 << 30;
const PREPARED_DISK: &str = "/disks/prepared.img";
const TRIAL_DISK: &str = "/disks/trial.img";

/// What the outer engines of a run are started from.
pub struct Reference {
    pub(super) site: Site,
    disk_volume: String,
    seed: u64,
    started: u32,
}

impl Reference {
    /// Prepares the disk that every trial's disk is a copy of. Returns also what machine it is, and what the outer engine
    /// says of itself: every trial's is the same build on a copy of the same disk.
    pub(super) async fn prepare(
        site: Site,
        journal: &mut Journal,
        packed: &Packed,
        seed: u64,
    ) -> Result<(Self, Machine, Description), TopologyError> {
        let disk_volume = journal.name("disk");
        journal.creating(Kind::Volume, &disk_volume)?;
        site.engine.create_volume(&disk_volume, &journal.labels("disk")).await?;
        let mut reference = Self { site, disk_volume, seed, started: 0 };
        let disk = DiskConfig { file: PREPARED_DISK.into(), copy_of: None, bytes: DISK_BYTES };
        let mut host = reference.start(journal, disk).await?;
        let image = &reference.site.image;
        let archive = archive(packed, image, &journal.labels("host-engine")).await?;
        host.engine.load_image(image, archive).await?;
        let (machine, outer) = (host.machine().await?, host.engine.describe().await?);
        host.finish().await?;
        Ok((reference, machine, outer))
    }

    /// Starts an outer engine on a fresh copy of the prepared disk, and returns when it answers.
    pub(super) async fn open(&mut self, journal: &mut Journal) -> Result<OuterHost, TopologyError> {
        self.site.reset().await?;
        let disk = DiskConfig { file: TRIAL_DISK.into(), copy_of: Some(PREPARED_DISK.into()), bytes: DISK_BYTES };
        self.start(journal, disk).await
    }

    async fn start(&mut self, journal: &mut Journal, disk: DiskConfig) -> Result<OuterHost, TopologyError> {
        self.started += 1;
        let spec = self.spec(journal, disk);
        journal.creating(Kind::Container, &spec.name)?;
        let held = Held::start(&self.site.engine, &spec).await?;
        let engine = self.site.engine.through(held.name(), dial(), "outer");
        let death = async { TopologyError::Died(held.death().await) };
        match ready(&engine, death).await {
            Ok(()) => Ok(self.host(held, engine)),
            Err(error) => {
                held.remove().await?;
                Err(error)
            }
        }
    }

    fn spec(&self, journal: &Journal, disk: DiskConfig) -> ContainerSpec {
        let config = EngineConfig {
            socket: SOCKET.into(),
            data_root: DATA_ROOT.into(),
            storage_driver: None,
            bridge: OUTER_BRIDGE.to_owned(),
            registry: REGISTRY_SOCKET.into(),
            disk: Some(disk),
            remount_cgroups: self.site.privilege == Privilege::Explicit,
            control: true,
        };
        ContainerSpec {
            name: journal.name(&format!("host-{}", self.started)),
            image: self.site.image.clone(),
            command: agent::command(["engine", &config.to_argument()]),
            environment: Vec::new(),
            labels: journal.labels("outer"),
            mounts: vec![
                Mount::Volume { name: self.disk_volume.clone(), target: DISK_FOLDER.to_owned() },
                self.site.registry_mount(),
            ],
            network: Network::Bridge,
            privilege: Some(self.site.privilege),
            dead_man: true,
        }
    }

    fn host(&self, held: Held, engine: Engine) -> OuterHost {
        let registry =
            Mount::Bind { source: REGISTRY_FOLDER.to_owned(), target: REGISTRY_FOLDER.to_owned(), read_only: true };
        OuterHost {
            held,
            engine,
            run: self.site.run.clone(),
            image: self.site.image.clone(),
            privilege: self.site.privilege,
            socket: JobContainer::socket_folder(SOCKET_FOLDER),
            registry,
            lasting: false,
            cache: None,
            seed: self.seed,
        }
    }
}

impl OuterHost {
    /// Stops the engine in good order, so that its disk is whole.
    async fn finish(&mut self) -> Result<(), TopologyError> {
        self.held.ask::<Reply>(&Request::Finish).await?;
        self.held.death().await;
        Ok(())
    }
}
