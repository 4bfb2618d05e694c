//! `dind`: an inner engine in a privileged container beside the job container.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{Death, TopologyError};
use super::job::Access;
use super::service::{self, ServiceNetwork};
use super::{DATA_ROOT, DISK_FOLDER, INNER_BRIDGE, OuterHost, REGISTRY_SOCKET, SOCKET, SOCKET_FOLDER, dial, ready};
use crate::agent::{self, DiskConfig, EngineConfig, NestedDisk, RootlessSide};
use crate::engine::{ContainerSpec, Description, Engine, EngineError, Mount, Network, Powers, Privilege};
use crate::scenario::{Bounds, DataRoot, Dind, Power, StorageDriver};

/// Apparent size of an inner engine's own file system; its file is sparse.
const DISK_BYTES: u64 = 32 << 30;

/// What an engine says of its storage where containerd keeps its images.
const CONTAINERD_STORE: &str = "io.containerd.snapshotter.v1";

/// The runtime's name, as its packages register it with an engine.
pub const SYSBOX: &str = "sysbox-runc";

/// How long an engine may take to stop: more than the 15 s that it gives its own containers.
const STOP_GRACE: Duration = Duration::from_secs(30);

/// An inner engine with the volumes that go with it.
#[derive(Debug)]
pub(super) struct InnerEngine {
    outer: Engine,
    container: String,
    /// The volume that holds the data, where they are on one.
    data: Option<String>,
    /// The volume that holds the socket.
    socket: String,
    service: Option<ServiceNetwork>,
    /// The file that a file system of the data's own is in, and a process of the container that has it mounted.
    disk: Option<NestedDisk>,
    pub engine: Engine,
    /// Not started yet, or stopped on purpose.
    stopped: bool,
}

/// The volume that holds an inner engine's data.
pub(super) fn data_volume(host: &OuterHost) -> String {
    host.name("data")
}

impl InnerEngine {
    /// Creates an inner engine, which is not started. Its volumes are fresh, but for data that were kept: an engine that
    /// is to create a volume which exists takes that one.
    /// `registry` brings the socket of what the engine has for its registry.
    pub async fn create(host: &OuterHost, dind: &Dind, registry: Mount, bounds: Bounds) -> Result<Self, EngineError> {
        let outer = &host.engine;
        let container = host.name("engine");
        let (data, root) = data_root(host, dind.data_root).await?;
        let socket = host.name("socket");
        outer.create_volume(&socket, &host.labels("socket")).await?;
        let service = match dind.service {
            Some(service) => Some(ServiceNetwork::create(host, service).await?),
            None => None,
        };
        let mounts = [Mount::Volume { name: socket.clone(), target: SOCKET_FOLDER.to_owned() }, registry];
        let certificates = service.as_ref().and_then(ServiceNetwork::certificates_mount);
        let spec = ContainerSpec {
            name: container.clone(),
            image: host.inner_image(dind.engine).to_owned(),
            bounds,
            command: agent::command(["engine", &config(host, dind).to_argument()]),
            labels: host.labels("inner"),
            mounts: root.into_iter().chain(mounts).chain(certificates).collect(),
            network: service.as_ref().map_or(Network::Bridge, ServiceNetwork::of_engine),
            powers: Some(powers(dind.power, host.privilege)),
            ..ContainerSpec::default()
        };
        outer.create_container(&spec).await?;
        let engine = outer.through(&container, dial(), "inner");
        let disk = nested(host, dind);
        Ok(Self { outer: outer.clone(), container, data, socket, service, disk, engine, stopped: true })
    }

    /// Starts the engine's container.
    pub async fn start(&self) -> Result<(), TopologyError> {
        Ok(self.outer.start_container(&self.container).await?)
    }

    /// Returns when the engine in the container that was started answers. One that does not in time is stopped: it would come up
    /// meanwhile, and the next job would find its start done.
    pub async fn ready(&mut self) -> Result<(), TopologyError> {
        let death = async {
            // Whatever the wait says: the obituary asks the container itself.
            let _ = self.outer.wait_container(&self.container).await;
            self.obituary().await
        };
        let up = ready(&self.engine, death).await;
        self.stopped = match up {
            Ok(()) => false,
            Err(_) => self.outer.stop_container(&self.container, STOP_GRACE).await.is_ok(),
        };
        up
    }

    /// Stops the engine as `docker stop` does.
    ///
    /// # Errors
    /// Also where it was dead already, or had to be killed: its data were not put down in good order then.
    pub async fn stop(&mut self, host: &OuterHost) -> Result<(), TopologyError> {
        let ended = self.outer.wait_container(&self.container);
        // A container that cannot be stopped does not end either.
        let (code, ()) = tokio::try_join!(ended, self.outer.stop_container(&self.container, STOP_GRACE))?;
        self.stopped = true;
        self.unmounted(host).await?;
        match code {
            0 => Ok(()),
            _ => Err(self.obituary().await),
        }
    }

    pub fn stopped(&self) -> bool {
        self.stopped
    }

    async fn obituary(&self) -> TopologyError {
        match Death::of(&self.outer, &self.container).await {
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
        let end = Death::of(&self.outer, &self.container).await?;
        Ok(end.filter(|death| !self.stopped || death.exit_code != Some(0)))
    }

    /// How a job reaches this engine.
    pub fn access(&self) -> Access {
        match &self.service {
            Some(service) => service.access(),
            None => Access::socket(Mount::Volume { name: self.socket.clone(), target: SOCKET_FOLDER.to_owned() }),
        }
    }

    /// The volume of the folder in which this engine's socket stands.
    pub fn socket(&self) -> &str {
        &self.socket
    }

    pub fn volumes(&self) -> Vec<String> {
        let certificates = self.service.as_ref().and_then(ServiceNetwork::certificates);
        self.data.iter().chain([&self.socket]).chain(certificates).cloned().collect()
    }

    /// Removes the engine, and its data unless they are kept.
    pub async fn remove(&self, host: &OuterHost, data_root: DataRoot) -> Result<(), TopologyError> {
        self.outer.remove_container(&self.container).await?;
        self.outer.remove_volume(&self.socket).await?;
        if let Some(service) = &self.service {
            service.remove(&self.outer).await?;
        }
        self.unmounted(host).await?;
        match &self.data {
            Some(data) if data_root != DataRoot::Kept => Ok(self.outer.remove_volume(data).await?),
            _ => Ok(()),
        }
    }

    /// Returns when the file system of the data's own, where there is one, is mounted no more and all of it written out.
    async fn unmounted(&self, host: &OuterHost) -> Result<(), TopologyError> {
        match self.disk.as_ref().and_then(|disk| disk.file.file_name()) {
            Some(name) => host.released(&name.to_string_lossy()).await,
            None => Ok(()),
        }
    }

    /// The file system of the data's own, where there is one; it is mounted while the engine runs.
    pub async fn disk(&mut self) -> Result<Option<NestedDisk>, EngineError> {
        let Some(disk) = &mut self.disk else { return Ok(None) };
        if self.stopped {
            disk.pid = None;
        } else if disk.pid.is_none() {
            disk.pid = self.outer.process_of(&self.container).await?;
        }
        Ok(Some(disk.clone()))
    }
}

/// The volume of an inner engine's data, where they are on one, and the mount of its data root; none for the container's
/// own layer. A folder to bind is that of a volume, so that it goes as volumes go, and no other path of the host is touched.
async fn data_root(host: &OuterHost, root: DataRoot) -> Result<(Option<String>, Option<Mount>), EngineError> {
    let target = DATA_ROOT.to_owned();
    let volume = data_volume(host);
    let create = async || host.engine.create_volume(&volume, &host.labels("data")).await;
    Ok(match root {
        DataRoot::Container => (None, None),
        DataRoot::Tmpfs => (None, Some(Mount::Memory { target })),
        DataRoot::LoopExt4 | DataRoot::LoopXfs | DataRoot::LoopBtrfs => {
            create().await?;
            (Some(volume.clone()), Some(Mount::Volume { name: volume, target: DISK_FOLDER.to_owned() }))
        }
        DataRoot::Fresh | DataRoot::Kept => {
            create().await?;
            (Some(volume.clone()), Some(Mount::Volume { name: volume, target }))
        }
        DataRoot::Bind => {
            let source = create().await?;
            (Some(volume), Some(Mount::Bind { source, target, read_only: false }))
        }
    })
}

/// Where the file system of an inner engine's own is, in its container.
fn nested(host: &OuterHost, dind: &Dind) -> Option<NestedDisk> {
    let file_system = dind.data_root.file_system()?;
    Some(NestedDisk { pid: None, file: disk_file(host), root: DATA_ROOT.into(), file_system })
}

/// Its name is the trial's own: a loop device tells it to the whole machine.
fn disk_file(host: &OuterHost) -> PathBuf {
    Path::new(DISK_FOLDER).join(format!("{}.img", data_volume(host)))
}

/// The storage driver that an engine found itself with, where it is another than it was asked for: not every version
/// refuses what it cannot have.
pub(super) fn other_driver(asked: StorageDriver, found: &Description) -> Option<String> {
    let taken = match asked {
        StorageDriver::Auto => true,
        StorageDriver::Containerd => found.driver_status("driver-type") == CONTAINERD_STORE,
        named => named.to_string() == found.storage_driver,
    };
    let told = || format!("the storage driver {asked} was asked for, and the engine took {}", found.storage_driver);
    (!taken).then(told)
}

/// The driver that an engine is given by name.
pub(super) fn named_driver(asked: StorageDriver) -> Option<String> {
    match asked {
        StorageDriver::Auto | StorageDriver::Containerd => None,
        named => Some(named.to_string()),
    }
}

fn powers(power: Power, privilege: Privilege) -> Powers {
    match power {
        Power::Privileged => Powers::Engine(privilege),
        Power::Rootless => Powers::Unconfined,
        Power::Sysbox => Powers::Runtime(SYSBOX),
    }
}

fn config(host: &OuterHost, dind: &Dind) -> EngineConfig {
    let disk = |file_system| DiskConfig { file: disk_file(host), copy_of: None, file_system, bytes: DISK_BYTES };
    EngineConfig {
        socket: SOCKET.into(),
        data_root: DATA_ROOT.into(),
        storage_driver: named_driver(dind.storage_driver),
        containerd_store: dind.storage_driver == StorageDriver::Containerd,
        bridge: INNER_BRIDGE.to_owned(),
        mtu: dind.mtu,
        service: dind.service.map(service::config),
        registry: REGISTRY_SOCKET.into(),
        disk: dind.data_root.file_system().map(disk),
        rootless: (dind.power == Power::Rootless).then_some(RootlessSide::Outside),
        remount_cgroups: powers(dind.power, host.privilege) == Powers::Engine(Privilege::Explicit),
        control: false,
    }
}
