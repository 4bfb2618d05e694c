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

/// What an engine has to do with a swarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swarm {
    /// `inactive`, `pending`, `active`, `error` or `locked`.
    pub state: String,
    /// Of the whole swarm; only a manager knows it.
    pub nodes: Option<u64>,
}

impl Description {
    /// Names of the runtimes that containers can have, in their order; empty where the engine tells none.
    pub fn runtimes(&self) -> Vec<String> {
        let info: serde_json::Value = serde_json::from_str(&self.info_json).unwrap_or_default();
        info["Runtimes"].as_object().map(|runtimes| runtimes.keys().cloned().collect()).unwrap_or_default()
    }

    /// Version of a part of the engine, such as `containerd` or `runc`; empty where the engine does not tell it.
    pub fn component(&self, name: &str) -> Option<String> {
        let version: serde_json::Value = serde_json::from_str(&self.version_json).unwrap_or_default();
        let part = version["Components"].as_array()?.iter().find(|part| part["Name"] == name)?;
        Some(part["Version"].as_str()?.to_owned()).filter(|version| !version.is_empty())
    }

    /// Whether the engine runs without root.
    pub fn rootless(&self) -> bool {
        self.security_options.iter().any(|option| option.split(',').any(|part| part == "name=rootless"))
    }

    /// How many containers run on the engine; empty where it does not tell.
    pub fn running_containers(&self) -> Option<u64> {
        let info: serde_json::Value = serde_json::from_str(&self.info_json).unwrap_or_default();
        info["ContainersRunning"].as_u64()
    }

    /// The engine's part in a swarm; empty where it does not tell.
    pub fn swarm(&self) -> Option<Swarm> {
        let info: serde_json::Value = serde_json::from_str(&self.info_json).unwrap_or_default();
        let state = info["Swarm"]["LocalNodeState"].as_str().filter(|state| !state.is_empty())?.to_owned();
        // Of one that is in no swarm, some versions say that it has 0 nodes, and others nothing.
        let nodes = info["Swarm"]["Nodes"].as_u64().filter(|nodes| *nodes > 0);
        Some(Swarm { state, nodes })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Of engine 20.10, shortened.
    const VERSION: &str = r#"{"Version":"20.10.24+dfsg1","ApiVersion":"1.41","Components":[
        {"Name":"Engine","Version":"20.10.24+dfsg1","Details":{"ApiVersion":"1.41"}},
        {"Name":"containerd","Version":"1.6.20~ds1","Details":{"GitCommit":"1.6.20~ds1-1+deb12u3"}},
        {"Name":"runc","Version":"1.1.5+ds1"},{"Name":"docker-init","Version":""}]}"#;
    const INFO: &str = r#"{"ID":"F2SH","Driver":"overlay2","DriverStatus":[["Backing Filesystem","extfs"]],
        "CgroupVersion":"1","SecurityOptions":["name=seccomp,profile=default"],"KernelVersion":"6.18",
        "OperatingSystem":"Debian","Architecture":"x86_64","NCPU":2,"MemTotal":25276063744,
        "Swarm":{"NodeID":"","LocalNodeState":"inactive","ControlAvailable":false}}"#;

    fn description(version: &str, info: &str) -> Description {
        let endpoint = Endpoint::parse("tcp://127.0.0.1:1", None).unwrap();
        Engine::at(endpoint, "user").description(version.to_owned(), info.to_owned()).unwrap()
    }

    #[test]
    fn the_parts_of_an_engine_have_versions_of_their_own() {
        let told = description(VERSION, INFO);
        assert_eq!(told.component("containerd").as_deref(), Some("1.6.20~ds1"));
        assert_eq!(told.component("runc").as_deref(), Some("1.1.5+ds1"));
        assert_eq!(told.component("docker-init"), None);
        assert_eq!(told.component("else"), None);
        assert_eq!(description(r#"{"Version":"1","ApiVersion":"1"}"#, INFO).component("runc"), None);
    }

    #[test]
    fn an_engine_without_root_says_so_among_its_security_options() {
        let with = |options| description(VERSION, &INFO.replace(r#"["name=seccomp,profile=default"]"#, options));
        assert!(!description(VERSION, INFO).rootless());
        assert!(with(r#"["name=seccomp,profile=default","name=rootless"]"#).rootless());
        assert!(!with("null").rootless());
    }

    #[test]
    fn running_containers_are_those_that_the_engine_counts() {
        let with = |count: &str| description(VERSION, &INFO.replace(r#""ID""#, &format!(r#"{count}"ID""#)));
        assert_eq!(with(r#""Containers":9,"ContainersRunning":4,"#).running_containers(), Some(4));
        assert_eq!(with("").running_containers(), None);
    }

    #[test]
    fn a_swarm_is_told_with_its_nodes_by_a_manager() {
        let with = |swarm: &str| {
            let none = r#""LocalNodeState":"inactive","ControlAvailable":false"#;
            description(VERSION, &INFO.replace(none, swarm)).swarm().map(|swarm| (swarm.state, swarm.nodes))
        };
        for (swarm, expected) in [
            (r#""LocalNodeState":"inactive""#, Some(("inactive", None))),
            (r#""LocalNodeState":"inactive","Nodes":0"#, Some(("inactive", None))),
            (r#""LocalNodeState":"active","ControlAvailable":true,"Nodes":3"#, Some(("active", Some(3)))),
            (r#""LocalNodeState":"active","ControlAvailable":false"#, Some(("active", None))),
            (r#""Error":"""#, None),
        ] {
            assert_eq!(with(swarm), expected.map(|(state, nodes)| (state.to_owned(), nodes)), "{swarm}");
        }
    }
}
