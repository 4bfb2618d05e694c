//! Finds the user's engine and says what was tried where none answers.

use std::path::PathBuf;
use std::time::Duration;

use super::Failure;
use crate::claim::Kernel;
use crate::cli::Host;
use crate::engine::{Certificates, Description, Endpoint, Engine, Found, Settings};
use crate::journal::cache_folder;
use crate::scenario::StorageDriver;
use crate::topology::Place;

/// How long the user's engine may take to answer a ping.
const DEADLINE: Duration = Duration::from_secs(10);

/// No engine could be reached.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum NoEngine {
    #[error("no Docker engine answers at {endpoint} (from {origin}): {reason}")]
    #[diagnostic(help(
        "start the engine, or name another one with DOCKER_HOST or DOCKER_CONTEXT; `docker version` must work for this user"
    ))]
    Silent { endpoint: String, origin: String, reason: String },
    #[error("{0}")]
    #[diagnostic(help("DOCKER_HOST, DOCKER_CONTEXT and DOCKER_CONFIG are read as the docker command reads them"))]
    Settings(String),
}

/// A machine of the lab that is not there.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("the lab's machine with {kernel} is not started: cannot read {}: {cause}", path.display())]
#[diagnostic(help("`scripts/lab-vm start` builds the lab's machines and boots them"))]
pub struct NoLab {
    kernel: Kernel,
    path: PathBuf,
    cause: std::io::Error,
}

/// An engine on which there is something to do.
#[derive(Clone)]
pub struct Connected {
    pub engine: Engine,
    pub description: Description,
    /// Where the trials of a run on this host happen.
    pub place: Place,
}

/// The engine on which a host is, or on which a reference host is started.
///
/// `storage_driver` is asked of the outer engines of a reference host; `buildkit_builds` is how many builds of a trial may use
/// BuildKit's cache on the user's own engine.
pub async fn engine(host: &Host, storage_driver: StorageDriver, buildkit_builds: u32) -> Result<Connected, NoEngine> {
    let found = found(host)?;
    let place = match host {
        Host::Reference => Place::Reference { storage_driver },
        Host::Local | Host::Url(_) => in_use(&found, buildkit_builds),
    };
    answering(found, place).await
}

/// The engine of a machine that `scripts/lab-vm` has booted, where that wrote how to reach it.
pub async fn lab(kernel: Kernel) -> Result<Connected, Failure> {
    let folder = cache_folder().join("lab").join(kernel.to_string());
    let path = folder.join("endpoint");
    let url = match std::fs::read_to_string(&path) {
        Ok(url) => url,
        Err(cause) => return Err(Failure::could_not_run(NoLab { kernel, path, cause })),
    };
    let origin = path.display().to_string();
    let endpoint = Endpoint::parse(url.trim(), Some(Certificates::in_folder(&folder)))
        .map_err(|reason| NoEngine::Settings(format!("{origin} says `{url}`: {reason}")))?;
    let found = Found { endpoint, origin };
    let place = in_use(&found, 0);
    Ok(answering(found, place).await?)
}

fn in_use(found: &Found, buildkit_builds: u32) -> Place {
    Place::Local { socket: found.endpoint.socket_there().display().to_string(), buildkit_builds }
}

async fn answering(Found { endpoint, origin }: Found, place: Place) -> Result<Connected, NoEngine> {
    let engine = Engine::at(endpoint.clone(), "user");
    let silent = |reason: String| NoEngine::Silent { endpoint: endpoint.to_string(), origin: origin.clone(), reason };
    engine.ping(DEADLINE).await.map_err(|error| silent(error.cause.to_string()))?;
    let description = engine.describe().await.map_err(|error| silent(error.cause.to_string()))?;
    Ok(Connected { engine, description, place })
}

fn found(host: &Host) -> Result<Found, NoEngine> {
    let settings = Settings::from_environment();
    match host {
        Host::Reference | Host::Local => settings.endpoint().map_err(|error| NoEngine::Settings(error.to_string())),
        Host::Url(url) => {
            let folder = settings.cert_path.clone().unwrap_or_else(|| settings.config.clone());
            let certificates = settings.tls_verify.then(|| Certificates::in_folder(&folder));
            let endpoint = Endpoint::parse(url, certificates)
                .map_err(|reason| NoEngine::Settings(format!("--host says `{url}`: {reason}")))?;
            Ok(Found { endpoint, origin: "--host".to_owned() })
        }
    }
}

impl From<NoEngine> for Failure {
    fn from(error: NoEngine) -> Self {
        Self::could_not_run(error)
    }
}
