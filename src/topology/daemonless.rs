//! `podman`, `buildah`: no engine. A program in the job's own container pulls, builds and runs, and keeps its images on a
//! volume.
//!
//! A service of podman's on the same storage, which no step of a job talks to, answers what is asked of an engine.

use super::error::Death;
use super::{JobContainer, OuterHost, REGISTRY_SOCKET, SOCKET, dial};
use crate::agent::{self, DaemonlessConfig};
use crate::engine::{Command, ContainerSpec, Description, Engine, EngineError, Mount, Patience, Powers, Source};
use crate::scenario::{Bounds, Daemonless, StorageDriver, Tool};

/// Where root's images are kept, of both programs.
const STORAGE: &str = "/var/lib/containers";

/// Build without a runtime's namespaces, which an ordinary container may not make, and be silent about old control groups.
const ENVIRONMENT: [&str; 3] = ["HOME=/root", "BUILDAH_ISOLATION=chroot", "PODMAN_IGNORE_CGROUPSV1_WARNING=1"];

/// What stands in for an engine, in the container of the job that runs.
#[derive(Debug)]
pub(super) struct Service {
    outer: Engine,
    container: String,
    pub engine: Engine,
}

/// Starts the container of one job. Its storage is what is on this volume, or fresh where there is no such volume.
pub(super) async fn start(
    host: &OuterHost,
    job: u32,
    daemonless: &Daemonless,
    storage: &str,
    bounds: Bounds,
) -> Result<(JobContainer, Service), EngineError> {
    host.engine.create_volume(storage, &host.labels("data")).await?;
    let container = host.name(&format!("job-{job}"));
    let config = DaemonlessConfig {
        socket: SOCKET.into(),
        registry: REGISTRY_SOCKET.into(),
        driver: asked(daemonless.storage_driver).map(str::to_owned),
    };
    let spec = ContainerSpec {
        name: container.clone(),
        image: host.podman_image().to_owned(),
        command: agent::command(["daemonless", &config.to_argument()]),
        environment: ENVIRONMENT.map(str::to_owned).to_vec(),
        labels: host.labels("job"),
        mounts: vec![Mount::Volume { name: storage.to_owned(), target: STORAGE.to_owned() }, host.registry.clone()],
        powers: Some(Powers::Unconfined),
        bounds,
        ..ContainerSpec::default()
    };
    let job = JobContainer::of(&host.engine, spec).await?;
    let engine = host.engine.through(&container, dial(), "podman");
    Ok((job, Service { outer: host.engine.clone(), container, engine }))
}

/// The driver by the name that these programs and this one tell it by; nothing where they choose.
fn asked(driver: StorageDriver) -> Option<&'static str> {
    match driver {
        StorageDriver::Overlay2 => Some("overlay"),
        StorageDriver::FuseOverlayfs => Some("fuse-overlayfs"),
        StorageDriver::Vfs => Some("vfs"),
        StorageDriver::Auto | StorageDriver::Btrfs | StorageDriver::Containerd => None,
    }
}

/// The storage driver that was found, where it is another than was asked for.
pub(super) fn other_driver(daemonless: &Daemonless, found: &Description) -> Option<String> {
    let asked = asked(daemonless.storage_driver).filter(|driver| *driver != found.storage_driver)?;
    Some(format!("the storage driver {asked} was asked for, and {} was taken", found.storage_driver))
}

impl Service {
    /// What an engine would say of itself, with the version of the program that does the job's steps.
    pub async fn describe(&self, tool: Tool) -> Result<Description, EngineError> {
        let mut description = self.engine.describe().await?;
        let program = <&str>::from(tool);
        let ask = async |command: &[&str]| {
            let command = Command::new(command.iter().copied());
            let output = self.outer.exec_well(&self.container, &command, Patience::CHORE).await?;
            Ok::<_, EngineError>(output.text(Source::Stdout))
        };
        // Such as: buildah version 1.28.2 (image-spec 1.0.2, runtime-spec 1.0.2)
        let version = ask(&[program, "--version"]).await?;
        description.version = version.split_whitespace().nth(2).unwrap_or(&version).to_owned();
        // To them fuse-overlayfs is a helper of the driver overlay.
        let options = ask(&["podman", "info", "--format", "{{json .Store.GraphOptions}}"]).await?;
        if options.contains("fuse-overlayfs") {
            description.storage_driver = "fuse-overlayfs".to_owned();
        }
        Ok(description)
    }

    /// The end of the container, where it has ended: nothing asked it to.
    pub async fn dead(&self) -> Result<Option<Death>, EngineError> {
        Death::of(&self.outer, &self.container).await
    }
}
