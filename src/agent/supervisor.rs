//! The first process of an engine's container.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::cgroup::Version;
use super::control::{Control, reply};
use super::disk::Disk;
use super::machine::{self, Data};
use super::{
    AgentError, DaemonlessConfig, EngineConfig, NestedDisk, REGISTRY_ADDRESS, Reading, Reply, Request, RootlessSide,
    Target, certificates, daemonless, device, disk, forward, network, pressure, rootless,
};

/// What dockerd keeps only while it runs.
const EXEC_ROOT: &str = "/run/docker";
const PID_FILE: &str = "/run/docker.pid";

/// The engine's settings that are no options of its command.
const CONFIG_FILE: &str = "/run/docker.json";
const CONTAINERD_STORE: &str = r#"{ "features": { "containerd-snapshotter": true } }"#;

/// Starts an engine and stays until it ends. Returns the container's exit code.
pub async fn supervise(config: EngineConfig) -> Result<u8, AgentError> {
    let cgroup = Version::detect();
    forward(REGISTRY_ADDRESS, registry(&config)).await?;
    if config.rootless == Some(RootlessSide::Outside) {
        let engine = spawn(&mut rootless::command(&config)?)?;
        return Supervisor { engine, disk: None, cgroup }.ended().await;
    }
    let disk = config.disk.as_ref().map(|disk| Disk::mount(disk, &config.data_root)).transpose()?;
    if config.rootless.is_none() {
        cgroup.prepare(config.remount_cgroups)?;
        device::make_nodes()?;
    }
    network::check_bridge(&config.bridge)?;
    if let Some((name, folder)) = config.service.as_ref().and_then(|service| service.tls.as_ref()) {
        certificates::provide(name, folder)?;
    }
    forget_earlier_life()?;
    let engine = start(&config)?;
    let mut supervisor = Supervisor { engine, disk, cgroup };
    if config.control { supervisor.serve(&config).await } else { supervisor.ended().await }
}

/// Prepares a job container without an engine, and stays until what stands in for one ends.
pub async fn supervise_daemonless(config: DaemonlessConfig) -> Result<u8, AgentError> {
    forward(REGISTRY_ADDRESS, Target::Unix(config.registry.clone())).await?;
    let engine = spawn(&mut daemonless::command(&config)?)?;
    Supervisor { engine, disk: None, cgroup: Version::detect() }.ended().await
}

/// The way to the registry. Within namespaces of its own an engine has the way out that everything there has.
fn registry(config: &EngineConfig) -> Target {
    match config.rootless {
        Some(RootlessSide::Inside) => Target::Tcp(rootless::REGISTRY),
        Some(RootlessSide::Outside) | None => Target::Unix(config.registry.clone()),
    }
}

/// Removes what an engine that was killed left in this container. Nothing of it lives, and the process numbers in its
/// files are those of others now: an engine would take them for running ones, and not start.
fn forget_earlier_life() -> Result<(), AgentError> {
    for (path, removed) in [(PID_FILE, std::fs::remove_file(PID_FILE)), (EXEC_ROOT, std::fs::remove_dir_all(EXEC_ROOT))]
    {
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(AgentError::new(format!("remove {path} of an engine that was killed"), error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn start(config: &EngineConfig) -> Result<Child, AgentError> {
    let folder =
        config.socket.parent().ok_or_else(|| AgentError::new("start the engine", "its socket has no folder"))?;
    std::fs::create_dir_all(folder).map_err(|error| AgentError::new(format!("make {}", folder.display()), error))?;
    let mut command = Command::new("dockerd");
    command
        .arg(format!("--host=unix://{}", config.socket.display()))
        .arg(format!("--data-root={}", config.data_root.display()))
        .args([format!("--exec-root={EXEC_ROOT}"), format!("--pidfile={PID_FILE}")])
        .arg(format!("--bip={}", config.bridge))
        .arg(format!("--mtu={}", config.mtu.map_or_else(network::mtu, Ok)?));
    if let Some(driver) = &config.storage_driver {
        command.arg(format!("--storage-driver={driver}"));
    }
    if config.containerd_store {
        // There is no option of the command for it in every version.
        std::fs::write(CONFIG_FILE, CONTAINERD_STORE)
            .map_err(|error| AgentError::new(format!("write {CONFIG_FILE}"), error))?;
        command.arg(format!("--config-file={CONFIG_FILE}"));
    }
    if let Some(service) = &config.service {
        command.arg(format!("--host=tcp://0.0.0.0:{}", service.port)).args(certificates::options(service));
    }
    spawn(&mut command)
}

fn spawn(command: &mut Command) -> Result<Child, AgentError> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::null())
        // Standard output carries replies; the engine logs to standard error anyway.
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| AgentError::new(format!("start {program}"), error))
}

struct Supervisor {
    engine: Child,
    disk: Option<Disk>,
    cgroup: Version,
}

impl Supervisor {
    /// Answers requests until told to finish, until nobody can ask any more, or until the engine ends.
    async fn serve(&mut self, config: &EngineConfig) -> Result<u8, AgentError> {
        let mut control = Control::open();
        // The registry's socket is on a volume of the engine around this one.
        let around = config.registry.parent().unwrap_or(Path::new("/"));
        let data = Data { around, within: Some(&config.data_root) };
        loop {
            let request = tokio::select! {
                ended = self.engine.wait() => return exit_code(ended),
                request = control.next() => request?,
            };
            match request {
                Some(Request::Probe { settle, nested }) => {
                    reply(&Reply::Reading(Box::new(self.read(settle, nested.as_ref())?))).await?;
                }
                Some(Request::Attached { name }) => reply(&Reply::Attached(disk::attached(&name)?)).await?,
                Some(Request::Machine) => {
                    let machine = machine::describe(&self.read(false, None)?, &data, None);
                    reply(&Reply::Machine(Box::new(machine))).await?;
                }
                Some(Request::Finish) => {
                    self.finish().await?;
                    reply(&Reply::Finished).await?;
                    return Ok(0);
                }
                None => return Ok(0),
            }
        }
    }

    /// Stays until the engine ends, by itself or because the container is asked to stop.
    async fn ended(&mut self) -> Result<u8, AgentError> {
        let mut asked =
            signal(SignalKind::terminate()).map_err(|error| AgentError::new("listen for a request to stop", error))?;
        tokio::select! {
            ended = self.engine.wait() => return exit_code(ended),
            _ = asked.recv() => self.terminate()?,
        }
        let code = exit_code(self.engine.wait().await)?;
        // An engine that was killed can leave its data root in use; the file system then goes with the container.
        if code == 0 {
            self.disk.take().map_or(Ok(()), Disk::unmount)?;
        }
        Ok(code)
    }

    fn read(&self, settle: bool, nested: Option<&NestedDisk>) -> Result<Reading, AgentError> {
        if let Some(disk) = self.disk.as_ref().filter(|_| settle) {
            disk.settle(nested)?;
        }
        let used = self.disk.as_ref().and_then(|disk| disk.used(nested, settle));
        let io = self.disk.as_ref().and_then(Disk::io_bytes);
        let peak_memory_bytes = self.cgroup.peak_memory().filter(|_| self.cgroup.reset_peak());
        Ok(Reading {
            disk_bytes: used.map(|used| used.bytes),
            inodes: used.and_then(|used| used.inodes),
            cpu_ns: self.cgroup.cpu_ns(),
            peak_memory_bytes,
            io_read_bytes: io.map(|(read, _)| read),
            io_write_bytes: io.map(|(_, written)| written),
            psi_cpu_ns: pressure::stalled_ns("cpu"),
            psi_io_ns: pressure::stalled_ns("io"),
            psi_memory_ns: pressure::stalled_ns("memory"),
            steal_ns: pressure::steal_ns(),
        })
    }

    /// Asks the engine to end in good order.
    fn terminate(&self) -> Result<(), AgentError> {
        if let Some(pid) = self.engine.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)
                .map_err(|error| AgentError::new("stop dockerd", error))?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), AgentError> {
        self.terminate()?;
        self.engine.wait().await.map_err(|error| AgentError::new("wait for dockerd", error))?;
        self.disk.take().map_or(Ok(()), Disk::unmount)
    }
}

/// The engine's own code; 128 and the signal where a signal ended it, as a shell would say.
fn exit_code(ended: std::io::Result<std::process::ExitStatus>) -> Result<u8, AgentError> {
    use std::os::unix::process::ExitStatusExt;

    let status = ended.map_err(|error| AgentError::new("wait for dockerd", error))?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    // Nobody may be reading any more.
    let _ = writeln!(std::io::stderr(), "dindbench: the engine ended: {status}");
    Ok(u8::try_from(code).unwrap_or(1))
}
