//! The reference host: an outer engine that dindbench starts itself, in a container, on a disk of its own.
//!
//! Every trial gets a fresh one whose disk is a copy of one prepared disk, so that cold is cold in every arm and the
//! user's engine sees nothing of a job but one container.

use std::sync::Arc;

use super::dind::{named_driver, other_driver};
use super::error::TopologyError;
use super::host::Learnt;
use super::site::{Site, load, probe_privilege};
use super::{
    DATA_ROOT, DISK_FOLDER, Held, JobContainer, OUTER_BRIDGE, OuterHost, REGISTRY_FOLDER, REGISTRY_SOCKET, SOCKET,
    SOCKET_FOLDER, buildkit, dial, ready,
};
use crate::agent::{self, DiskConfig, EngineConfig, Reply, Request};
use crate::case::FileSystem;
use crate::cleanup;
use crate::engine::{ContainerSpec, Engine, Mount, Powers, Privilege};
use crate::image::RunImages;
use crate::journal::{Journal, Kind};
use crate::scenario::StorageDriver;

/// Apparent size of an outer engine's disk; it is sparse.
const DISK_BYTES: u64 = 64 << 30;
const FILE_SYSTEM: FileSystem = FileSystem::Ext4;
const PREPARED_DISK: &str = "/disks/prepared.img";
const TRIAL_DISK: &str = "/disks/trial.img";

/// What the outer engines of a run are started from.
pub struct Reference {
    pub(super) site: Site,
    disk_volume: String,
    /// How an outer engine grants an inner one's container what it needs.
    inner_privilege: Privilege,
    /// Asked of outer engines.
    storage_driver: StorageDriver,
    seed: u64,
    started: u32,
}

impl Reference {
    /// Prepares the disk that every trial's disk is a copy of, with the images of jobs and inner engines, so that no trial
    /// loads one. What is learnt of its outer engine holds for every trial's, which is the same build on a copy of it.
    pub(super) async fn prepare(
        site: Site,
        journal: &mut Journal,
        images: &RunImages,
        storage_driver: StorageDriver,
        seed: u64,
    ) -> Result<(Self, Learnt), TopologyError> {
        let disk_volume = journal.name("disk");
        journal.creating(Kind::Volume, &disk_volume)?;
        site.engine.create_volume(&disk_volume, &journal.labels(cleanup::DISKS)).await?;
        let inner_privilege = site.privilege;
        let mut reference = Self { site, disk_volume, inner_privilege, storage_driver, seed, started: 0 };
        let disk =
            DiskConfig { file: PREPARED_DISK.into(), copy_of: None, file_system: FILE_SYSTEM, bytes: DISK_BYTES };
        let host = reference.start(journal, disk).await?;
        let (site, outer) = (&reference.site, host.engine.describe().await?);
        if let Some(how) = other_driver(storage_driver, &outer) {
            return Err(TopologyError::Driver(how));
        }
        for image in images.all() {
            load(&host.engine, &site.run, image).await?;
        }
        for image in &images.carried {
            image.give(&host.engine).await?;
        }
        let learnt = Learnt {
            machine: host.machine().await?,
            outer,
            docker_command: site.docker_command(host.container()).await?,
            // A newer engine grants what it has, where an older one around it cannot.
            inner_privilege: probe_privilege(&host.engine, &site.run, &site.image).await?,
            buildkit: buildkit::version(&site.engine, host.container()).await,
        };
        host.finish().await?;
        reference.inner_privilege = learnt.inner_privilege;
        Ok((reference, learnt))
    }

    /// Starts an outer engine on a fresh copy of the prepared disk, and returns when it answers.
    pub(super) async fn open(&mut self, journal: &mut Journal) -> Result<OuterHost, TopologyError> {
        self.site.reset().await?;
        let copy_of = Some(PREPARED_DISK.into());
        let disk = DiskConfig { file: TRIAL_DISK.into(), copy_of, file_system: FILE_SYSTEM, bytes: DISK_BYTES };
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
            storage_driver: named_driver(self.storage_driver),
            containerd_store: self.storage_driver == StorageDriver::Containerd,
            bridge: OUTER_BRIDGE.to_owned(),
            mtu: None,
            service: None,
            registry: REGISTRY_SOCKET.into(),
            disk: Some(disk),
            rootless: None,
            remount_cgroups: self.site.privilege == Privilege::Explicit,
            control: true,
        };
        ContainerSpec {
            name: journal.name(&format!("host-{}", self.started)),
            image: self.site.image.clone(),
            command: agent::command(["engine", &config.to_argument()]),
            labels: journal.labels("outer"),
            mounts: vec![
                Mount::Volume { name: self.disk_volume.clone(), target: DISK_FOLDER.to_owned() },
                self.site.registry_mount(),
            ],
            powers: Some(Powers::Engine(self.site.privilege)),
            dead_man: true,
            ..ContainerSpec::default()
        }
    }

    fn host(&self, held: Held, engine: Engine) -> OuterHost {
        let registry =
            Mount::Bind { source: REGISTRY_FOLDER.to_owned(), target: REGISTRY_FOLDER.to_owned(), read_only: true };
        OuterHost {
            held: Arc::new(held),
            engine,
            run: self.site.run.clone(),
            image: self.site.image.clone(),
            inner_images: self.site.inner_images.clone(),
            proxy_image: self.site.proxy_image.clone(),
            podman_image: self.site.podman_image.clone(),
            privilege: self.inner_privilege,
            socket: JobContainer::socket_folder(SOCKET_FOLDER),
            registry,
            lasting: false,
            cache: None,
            seed: self.seed,
            worker: None,
        }
    }
}

impl OuterHost {
    /// Stops the engine in good order, so that its disk is whole.
    async fn finish(&self) -> Result<(), TopologyError> {
        self.held.ask::<Reply>(&Request::Finish).await?;
        self.held.death().await;
        Ok(())
    }
}
