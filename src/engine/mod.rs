//! A Docker engine that we can talk to. The only module that names bollard.

mod cache;
mod container;
mod disk;
mod endpoint;
mod error;
mod exec;
pub mod image;
mod label;
mod network;
mod patience;
mod pipe;
mod privilege;
mod run;
mod transport;
mod volume;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;

pub use cache::CacheRecord;
pub use container::{ContainerSpec, Exit, Mount, Network};
pub use disk::DiskUse;
pub use endpoint::{Certificates, Endpoint, EndpointError, Found, Settings};
pub use error::{Cause, EngineError, Verb};
pub use exec::{Command, Output};
pub use patience::Patience;
pub use pipe::{Attached, AttachedInput, AttachedOutput, Source};
pub use privilege::{Powers, Privilege};
pub use wire::BuildRequest;

use transport::{Requests, Route};

/// How long a request may wait for the first byte of its answer. Streams are bounded by a [`Patience`] of their own.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(300);

/// An object's name or id, and its labels.
pub type Labelled = (String, BTreeMap<String, String>);

/// A handle to one engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    docker: Docker,
    requests: Requests,
    /// The engine's role, for messages: `user`, `outer` or `inner`.
    role: Arc<str>,
}

/// What an engine says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    pub version: String,
    pub api_version: String,
    pub id: String,
    pub storage_driver: String,
    /// Name and value as in `docker info` below the storage driver.
    pub driver_status: Vec<(String, String)>,
    pub cgroup_version: String,
    pub security_options: Vec<String>,
    pub kernel: String,
    pub operating_system: String,
    pub architecture: String,
    pub cpus: u32,
    pub memory_bytes: u64,
    /// The whole answers, as JSON.
    pub version_json: String,
    pub info_json: String,
}

impl Description {
    /// Names of the runtimes that containers can have, in their order; empty where the engine tells none.
    pub fn runtimes(&self) -> Vec<String> {
        let info: serde_json::Value = serde_json::from_str(&self.info_json).unwrap_or_default();
        info["Runtimes"].as_object().map(|runtimes| runtimes.keys().cloned().collect()).unwrap_or_default()
    }

    /// A line of the storage driver's status, such as `Backing Filesystem`; empty where the driver has none.
    pub fn driver_status(&self, key: &str) -> &str {
        self.driver_status.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
    }
}

impl Engine {
    /// A handle for the engine at an endpoint. Nothing is sent yet.
    pub fn at(endpoint: Endpoint, role: &str) -> Self {
        Self::over(Route::Direct(endpoint), role)
    }

    /// A handle for an engine that is reached by a command in a container of this engine, whose standard streams
    /// carry the connection.
    pub fn through(&self, container: &str, command: Vec<String>, role: &str) -> Self {
        Self::over(Route::Exec { engine: self.clone(), container: container.to_owned(), command }, role)
    }

    fn over(route: Route, role: &str) -> Self {
        let requests = transport::client(route);
        let transport = Arc::clone(&requests);
        let docker = Docker::connect_with_custom_transport(
            move |request| transport(request),
            Some("http://engine"),
            REQUEST_TIMEOUT.as_secs(),
            bollard::API_DEFAULT_VERSION,
        )
        .expect("a custom transport has no address that could be wrong");
        Self { docker, requests, role: role.into() }
    }

    /// Returns when the engine answers a ping, at the moment it does.
    pub async fn ping(&self, deadline: Duration) -> Result<(), EngineError> {
        let wrap = |cause| self.error(Verb::Ping, "it", cause);
        match tokio::time::timeout(deadline, self.docker.ping()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(wrap(error.into())),
            Err(_) => Err(wrap(Cause::Timeout(deadline))),
        }
    }

    /// The engine's version and information.
    pub async fn describe(&self) -> Result<Description, EngineError> {
        let version_json = self.get_json("/version", Verb::Describe).await?;
        let info_json = self.get_json("/info", Verb::Describe).await?;
        self.description(version_json, info_json)
            .map_err(|error| self.error(Verb::Describe, "it", Cause::Answer(error.to_string())))
    }

    fn description(&self, version_json: String, info_json: String) -> Result<Description, serde_json::Error> {
        let version: VersionAnswer = serde_json::from_str(&version_json)?;
        let info: InfoAnswer = serde_json::from_str(&info_json)?;
        Ok(Description {
            version: version.version,
            api_version: version.api_version,
            id: info.id,
            storage_driver: info.driver,
            driver_status: info.driver_status.unwrap_or_default(),
            cgroup_version: info.cgroup_version.unwrap_or_else(|| "1".to_owned()),
            security_options: info.security_options.unwrap_or_default(),
            kernel: info.kernel_version,
            operating_system: info.operating_system,
            architecture: info.architecture,
            cpus: info.ncpu,
            memory_bytes: info.mem_total,
            version_json,
            info_json,
        })
    }

    fn error(&self, verb: Verb, object: impl Into<String>, cause: Cause) -> EngineError {
        EngineError { verb, object: object.into(), engine: self.role.to_string(), cause }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("role", &self.role).finish_non_exhaustive()
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VersionAnswer {
    version: String,
    api_version: String,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InfoAnswer {
    #[serde(rename = "ID")]
    id: String,
    driver: String,
    driver_status: Option<Vec<(String, String)>>,
    cgroup_version: Option<String>,
    security_options: Option<Vec<String>>,
    kernel_version: String,
    operating_system: String,
    architecture: String,
    #[serde(rename = "NCPU")]
    ncpu: u32,
    mem_total: u64,
}
