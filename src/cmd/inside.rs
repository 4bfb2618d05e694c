//! `dindbench inside`: what this program does in the containers that it starts.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, Failure, notice};
use crate::agent::{self, DaemonlessConfig, EngineConfig, Operation, Second, Target};
use crate::cli::Inside;
use crate::registry::{self, Mirror, Registry, Upstream};
use crate::units::as_nanos;
use crate::{fixture, image};

/// Ends the process itself: a blocked read of standard input would keep it alive.
pub fn run(role: Inside) -> Result<Exit, Failure> {
    let ended = match role {
        Inside::Engine { config } => engine(&config),
        Inside::Daemonless { config } => daemonless(&config),
        Inside::Operation { operation } => operate(&operation).map(|()| 0),
        Inside::Outpost { registry } => {
            runtime().and_then(|runtime| runtime.block_on(agent::outpost(registry)).map_err(|error| error.to_string()))
        }
        Inside::Registry { store, socket, seed, upstream } => serve(store, socket, seed, upstream),
        Inside::Mirror { store, origin, folder } => {
            runtime().and_then(|runtime| runtime.block_on(mirror(store, origin, &folder))).map(|()| 0)
        }
        Inside::Pack { own } => {
            let out = std::io::BufWriter::with_capacity(256 << 10, std::io::stdout().lock());
            image::gather(&own, std::io::stdin().lock(), out).map(|()| 0).map_err(|error| error.to_string())
        }
        Inside::FileSystem { file_system, folder } => {
            agent::try_file_system(file_system, &folder).map(|()| 0).map_err(|error| error.to_string())
        }
        Inside::Second { folder } => {
            Second::watch(&folder).map_err(|error| error.to_string()).and_then(|one| say(&one))
        }
        Inside::Calibrate { folder } => {
            agent::calibrate(&folder).map_err(|error| error.to_string()).and_then(|took| say(&as_nanos(took)))
        }
        Inside::Fingerprint { proc } => {
            agent::fingerprint(&proc).map_err(|error| error.to_string()).and_then(|one| say(&one))
        }
        Inside::Forward { registry } => runtime().and_then(|runtime| runtime.block_on(pass_on(registry))).map(|()| 0),
        Inside::Dial { socket, seconds } => {
            agent::dial(&socket, Duration::from_secs(seconds)).map(|()| 0).map_err(|error| error.to_string())
        }
    };
    match ended {
        Ok(code) => std::process::exit(i32::from(code)),
        Err(error) => {
            notice(error);
            std::process::exit(1)
        }
    }
}

/// One line of JSON on standard output.
fn say(what: &impl Serialize) -> Result<u8, String> {
    let line = serde_json::to_string(what).map_err(|error| error.to_string())?;
    writeln!(std::io::stdout(), "{line}").map(|()| 0).map_err(|error| error.to_string())
}

fn engine(config: &str) -> Result<u8, String> {
    let config: EngineConfig = serde_json::from_str(config).map_err(|error| format!("the configuration: {error}"))?;
    runtime()?.block_on(agent::supervise(config)).map_err(|error| error.to_string())
}

fn daemonless(config: &str) -> Result<u8, String> {
    let config: DaemonlessConfig =
        serde_json::from_str(config).map_err(|error| format!("the configuration: {error}"))?;
    runtime()?.block_on(agent::supervise_daemonless(config)).map_err(|error| error.to_string())
}

fn operate(operation: &str) -> Result<(), String> {
    let operation: Operation = serde_json::from_str(operation).map_err(|error| format!("the operation: {error}"))?;
    runtime()?.block_on(operation.execute()).map_err(|error| error.to_string())
}

/// Goes on until the process is ended.
async fn pass_on(registry: PathBuf) -> Result<(), String> {
    let forwarded = agent::forward(agent::REGISTRY_ADDRESS, Target::Unix(registry)).await;
    forwarded.map_err(|error| error.to_string())?;
    std::future::pending().await
}

/// Makes the fixtures, serves them, and answers requests until nobody can ask any more, or this program is to end.
fn serve(store: PathBuf, socket: PathBuf, seed: u64, upstream: Option<Upstream>) -> Result<u8, String> {
    let registry = Registry::open(&store, upstream).map_err(|error| error.to_string())?;
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let mut stop = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        let served = tokio::select! {
            served = answer(&registry, &socket, seed) => served,
            _ = stop.recv() => Ok(()),
        };
        // However this ended, nothing of it is to stay in a registry that others run.
        let withdrawn = registry.withdraw().await.map_err(|error| error.to_string());
        served.and(withdrawn).map(|()| 0)
    });
    // It would wait for the next line of standard input.
    runtime.shutdown_background();
    ended
}

async fn answer(registry: &Registry, socket: &Path, seed: u64) -> Result<(), String> {
    fixtures(registry, seed, &fixture::labels()).await?;
    let listener = listen(socket)?;
    let router = registry.router();
    tokio::spawn(async move { registry::serve(listener, router).await });
    let mut requests = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = requests.next_line().await.map_err(|error| error.to_string())? {
        let request: registry::Request = serde_json::from_str(&line).map_err(|error| error.to_string())?;
        let reply = registry.answer(&request).await.map_err(|error| error.to_string())?;
        if let registry::Request::Renew { seed, labels } = request {
            fixtures(registry, seed, &labels).await?;
        }
        let mut reply = serde_json::to_vec(&reply).map_err(|error| error.to_string())?;
        reply.push(b'\n');
        let mut stdout = tokio::io::stdout();
        stdout.write_all(&reply).await.map_err(|error| error.to_string())?;
        stdout.flush().await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A socket that engines without root can reach too; nobody else has its folder.
fn listen(socket: &Path) -> Result<tokio::net::UnixListener, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", socket.display());
    let listener = tokio::net::UnixListener::bind(socket).map_err(wrong)?;
    std::fs::set_permissions(socket, Permissions::from_mode(0o666)).map_err(wrong)?;
    Ok(listener)
}

/// Stands between engines and a registry until the container is removed.
async fn mirror(store: PathBuf, origin: PathBuf, folder: &Path) -> Result<(), String> {
    agent::forward(agent::REGISTRY_ADDRESS, Target::Unix(origin)).await.map_err(|error| error.to_string())?;
    let address = format!("http://{}", agent::REGISTRY_ADDRESS).parse()?;
    let mirror = Mirror::open(store, address).map_err(|error| error.to_string())?;
    registry::serve(listen(&folder.join("registry.sock"))?, mirror.router()).await.map_err(|error| error.to_string())
}

async fn fixtures(registry: &Registry, seed: u64, labels: &BTreeMap<String, String>) -> Result<(), String> {
    let root = Path::new("/");
    fixture::images::write(registry.store(), seed, labels, root).map_err(|error| error.to_string())?;
    let repository = fixture::REPOSITORY.parse().map_err(|error: registry::Error| error.to_string())?;
    registry.publish(&repository).await.map_err(|error| error.to_string())
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())
}
