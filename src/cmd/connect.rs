//! Finds the user's engine and says what was tried where none answers.

use std::time::Duration;

use super::Failure;
use crate::cli::Host;
use crate::engine::{Certificates, Description, Endpoint, Engine, Found, Settings};
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

/// The user's engine.
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
    let Found { endpoint, origin } = found(host)?;
    let engine = Engine::at(endpoint.clone(), "user");
    let silent = |reason: String| NoEngine::Silent { endpoint: endpoint.to_string(), origin: origin.clone(), reason };
    engine.ping(DEADLINE).await.map_err(|error| silent(error.cause.to_string()))?;
    let description = engine.describe().await.map_err(|error| silent(error.cause.to_string()))?;
    let place = match host {
        Host::Reference => Place::Reference { storage_driver },
        Host::Local | Host::Url(_) => {
            Place::Local { socket: endpoint.socket_there().display().to_string(), buildkit_builds }
        }
    };
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
