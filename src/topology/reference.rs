//! The reference host: an outer engine that dindbench starts itself, in a container, on a disk of its own.
//!
//! Every trial gets a fresh one whose disk is a copy of one prepared disk, so that cold is cold in every arm and the
//! user's engine sees nothing of a job but one container.

use std::collections::BTreeMap;

use super::error::TopologyError;
use super::{DATA_ROOT, DISK_FOLDER, Held, OUTER_BRIDGE, REGISTRY_FOLDER, REGISTRY_SOCKET, SOCKET, dial, ready};
use crate::agent::{self, DiskConfig, EngineConfig, Machine, Reading, Reply, Request};
use crate::engine::{Command, ContainerSpec, Description, Engine, EngineError, Mount, Patience, Privilege, Source};
use crate::image::{EngineImage, EngineImages, archive};
use crate::journal::{self, Journal, Kind};
use crate::registry::{self, Snapshot};
use crate::scenario::EngineVersion;

/// Apparent size of an outer engine's disk; it is sparse.
const DISK_BYTES: u64 = 64 << 30;
const PREPARED_DISK: &str = "/disks/prepared.img";
const TRIAL_DISK: &str = "/disks/trial.img";

/// Everything that the trials of a run share on the user's engine.
pub struct Reference {
    site: Site,
    registry: Held,
    /// The machine under the user's engine.
    pub machine: Machine,
    /// The outer engine's own account of itself; every trial's is the same build on a copy of the same disk.
    pub outer: Description,
    /// What the docker command of every job says of its version.
    pub docker_command: String,
    /// The images of inner engines on every outer engine.
    inner: BTreeMap<EngineVersion, String>,
    inner_privilege: Privilege,
}

/// Where and from what outer engines are started.
struct Site {
    engine: Engine,
    run: String,
    image: String,
    disk_volume: String,
    registry_volume: String,
    privilege: Privilege,
    started: u32,
}

/// One outer engine.
pub struct OuterHost {
    held: Held,
    pub engine: Engine,
}

impl Reference {
    /// Loads the outer engine's image, starts the registry, and prepares the disk that every trial's disk is a copy of:
    /// with the images of all inner engines, so that no trial loads one.
    pub async fn prepare(
        engine: &Engine,
        journal: &mut Journal,
        images: &EngineImages,
        seed: u64,
    ) -> Result<Self, TopologyError> {
        let mut site = Site::prepare(engine, journal, &images.outer).await?;
        let registry = site.start_registry(journal, seed).await?;
        let disk = DiskConfig { file: PREPARED_DISK.into(), copy_of: None, bytes: DISK_BYTES };
        let mut host = site.start_host(journal, disk).await?;
        let outer_image = load(&host.engine, journal.run(), &images.outer).await?;
        let versions = [EngineVersion::Auto, images.outer_version];
        let mut inner = BTreeMap::from(versions.map(|version| (version, outer_image.clone())));
        for (version, image) in &images.inner {
            inner.insert(*version, load(&host.engine, journal.run(), image).await?);
        }
        let inner_privilege = probe_privilege(&host.engine, journal.run(), &outer_image).await?;
        let docker_command = site.docker_command(&host).await?;
        let (machine, outer) = (host.machine().await?, host.engine.describe().await?);
        host.finish().await?;
        Ok(Self { site, registry, machine, outer, docker_command, inner, inner_privilege })
    }

    /// Starts an outer engine on a fresh copy of the prepared disk, and returns when it answers.
    pub async fn host(&mut self, journal: &mut Journal) -> Result<OuterHost, TopologyError> {
        let disk = DiskConfig { file: TRIAL_DISK.into(), copy_of: Some(PREPARED_DISK.into()), bytes: DISK_BYTES };
        self.site.start_host(journal, disk).await
    }

    /// What the registry has served so far.
    pub async fn served(&mut self) -> Result<Snapshot, TopologyError> {
        self.registry.ask(&registry::Request::Counters).await
    }

    /// The image that outer engines and job containers are made from, under the same name on every engine.
    pub fn image(&self) -> &str {
        &self.site.image
    }

    /// The image of an inner engine of this version, on an outer engine.
    pub fn inner_image(&self, version: EngineVersion) -> &str {
        self.inner.get(&version).expect("a run prepares an image of every version that its scenario names")
    }

    pub fn run(&self) -> &str {
        &self.site.run
    }

    /// How the user's engine grants an outer engine's container what it needs.
    pub fn privilege(&self) -> Privilege {
        self.site.privilege
    }

    /// How an outer engine grants an inner one's container what it needs: a newer one does with what it has.
    pub fn inner_privilege(&self) -> Privilege {
        self.inner_privilege
    }
}

impl Site {
    async fn prepare(engine: &Engine, journal: &mut Journal, image: &EngineImage) -> Result<Self, TopologyError> {
        journal.creating(Kind::Image, &reference(journal.run(), image))?;
        let image = load(engine, journal.run(), image).await?;
        let (disk_volume, registry_volume) = (journal.name("disk"), journal.name("registry"));
        for (volume, role) in [(&disk_volume, "disk"), (&registry_volume, "registry")] {
            journal.creating(Kind::Volume, volume)?;
            engine.create_volume(volume, &journal.labels(role)).await?;
        }
        journal.creating(Kind::Container, &probe_name(journal.run()))?;
        let privilege = probe_privilege(engine, journal.run(), &image).await?;
        let (engine, run) = (engine.clone(), journal.run().to_owned());
        Ok(Self { engine, run, image, disk_volume, registry_volume, privilege, started: 0 })
    }

    async fn start_registry(&self, journal: &mut Journal, seed: u64) -> Result<Held, TopologyError> {
        let store = format!("{REGISTRY_FOLDER}/store");
        let spec = ContainerSpec {
            name: journal.name("registry"),
            image: self.image.clone(),
            command: agent::command(["registry", &store, REGISTRY_SOCKET, &seed.to_string()]),
            environment: Vec::new(),
            labels: journal.labels("registry"),
            mounts: vec![self.registry_mount()],
            privilege: None,
            dead_man: true,
        };
        journal.creating(Kind::Container, &spec.name)?;
        let mut held = Held::start(&self.engine, &spec).await?;
        // It answers when the fixtures are made and the socket is open.
        held.ask::<Snapshot>(&registry::Request::Counters).await?;
        Ok(held)
    }

    async fn start_host(&mut self, journal: &mut Journal, disk: DiskConfig) -> Result<OuterHost, TopologyError> {
        self.started += 1;
        let config = EngineConfig {
            socket: SOCKET.into(),
            data_root: DATA_ROOT.into(),
            storage_driver: None,
            bridge: OUTER_BRIDGE.to_owned(),
            registry: REGISTRY_SOCKET.into(),
            disk: Some(disk),
            remount_cgroups: self.privilege == Privilege::Explicit,
            control: true,
        };
        let spec = ContainerSpec {
            name: journal.name(&format!("host-{}", self.started)),
            image: self.image.clone(),
            command: agent::command(["engine", &config.to_argument()]),
            environment: Vec::new(),
            labels: journal.labels("outer"),
            mounts: vec![
                Mount::Volume { name: self.disk_volume.clone(), target: DISK_FOLDER.to_owned() },
                self.registry_mount(),
            ],
            privilege: Some(self.privilege),
            dead_man: true,
        };
        journal.creating(Kind::Container, &spec.name)?;
        let held = Held::start(&self.engine, &spec).await?;
        let engine = self.engine.through(held.name(), dial(), "outer");
        let death = async { TopologyError::Died(held.death().await) };
        match ready(&engine, death).await {
            Ok(()) => Ok(OuterHost { held, engine }),
            Err(error) => {
                held.remove().await?;
                Err(error)
            }
        }
    }

    /// The first line of what the docker command in the image says of its version.
    async fn docker_command(&self, host: &OuterHost) -> Result<String, EngineError> {
        let output =
            self.engine.exec(host.container(), &Command::new(["docker", "--version"]), Patience::CHORE).await?;
        Ok(output.text(Source::Stdout).lines().next().unwrap_or_default().to_owned())
    }

    fn registry_mount(&self) -> Mount {
        Mount::Volume { name: self.registry_volume.clone(), target: REGISTRY_FOLDER.to_owned() }
    }
}

impl OuterHost {
    pub fn container(&self) -> &str {
        self.held.name()
    }

    /// Every counter of the host, the outer engine and all that it runs included.
    pub async fn read(&mut self, settle: bool) -> Result<Reading, TopologyError> {
        match self.held.ask(&Request::Probe { settle }).await? {
            Reply::Reading(reading) => Ok(*reading),
            other => Err(self.unasked(&other)),
        }
    }

    async fn machine(&mut self) -> Result<Machine, TopologyError> {
        match self.held.ask(&Request::Machine).await? {
            Reply::Machine(machine) => Ok(machine),
            other => Err(self.unasked(&other)),
        }
    }

    fn unasked(&self, reply: &Reply) -> TopologyError {
        TopologyError::Answer { container: self.held.name().to_owned(), reason: format!("{reply:?} was not asked for") }
    }

    /// The end of the outer engine, where it has ended.
    pub async fn dead(&self) -> Option<super::Death> {
        self.held.dead().await
    }

    /// Stops the engine in good order, so that its disk is whole.
    async fn finish(&mut self) -> Result<(), TopologyError> {
        self.held.ask::<Reply>(&Request::Finish).await?;
        self.held.death().await;
        Ok(())
    }

    /// Throws the host away, with its disk.
    pub async fn remove(self) -> Result<(), EngineError> {
        self.held.remove().await
    }
}

/// The name of an image on every engine of a run.
fn reference(run: &str, image: &EngineImage) -> String {
    format!("dindbench/{}:{run}", image.name)
}

/// Loads an image, and returns its name there.
async fn load(engine: &Engine, run: &str, image: &EngineImage) -> Result<String, TopologyError> {
    let name = reference(run, image);
    engine.load_image(&name, archive(image, &name, &journal::labels(run, &image.name)).await?).await?;
    Ok(name)
}

fn probe_name(run: &str) -> String {
    format!("dindbench-{run}-privilege")
}

/// Whether an engine can grant `--privileged`: it is asked to start a container with it.
async fn probe_privilege(engine: &Engine, run: &str, image: &str) -> Result<Privilege, TopologyError> {
    let spec = ContainerSpec {
        name: probe_name(run),
        image: image.to_owned(),
        command: vec!["true".to_owned()],
        environment: Vec::new(),
        labels: journal::labels(run, "privilege"),
        mounts: Vec::new(),
        privilege: Some(Privilege::Real),
        dead_man: false,
    };
    engine.create_container(&spec).await?;
    let started = engine.start_container(&spec.name).await;
    engine.remove_container(&spec.name).await?;
    match started {
        Ok(()) => Ok(Privilege::Real),
        Err(error) if error.to_string().contains("operation not permitted") => Ok(Privilege::Explicit),
        Err(error) => Err(error.into()),
    }
}
