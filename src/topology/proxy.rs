//! `socket-proxy`: the outer engine's socket behind a proxy that passes on what a list allows.

use std::time::Duration;

use super::error::{Death, TopologyError, last_error_line};
use super::{OuterHost, SOCKET, SOCKET_FOLDER};
use crate::engine::{Command, ContainerSpec, Engine, EngineError, Mount, Network, Patience};

/// Where the proxy's own socket is, beside the engine's, in its container.
const FOLDER: &str = "/run/proxy";

/// What a job may ask for: the first part of a request's path. What is in a request is not looked at, so who may create
/// containers may still mount whatever the engine's host has.
const ALLOWED: &str = "_ping|version|info|events|auth|build|session|grpc|images|containers|distribution";

/// A proxy serves when its socket is there: it listens before it gives it its name.
const STARTED: &str = "until [ -S /run/proxy/docker.sock ]; do sleep 0.01; done";
const START: Patience = Patience { total: Duration::from_secs(30), silence: Duration::from_secs(30) };

/// A running proxy, and the volume with its socket.
#[derive(Debug)]
pub(super) struct Proxy {
    outer: Engine,
    container: String,
    volume: String,
}

impl Proxy {
    /// Starts a proxy, and returns when it listens.
    pub async fn start(host: &OuterHost) -> Result<Self, TopologyError> {
        let (outer, container, volume) = (&host.engine, host.name("proxy"), host.name("socket"));
        outer.create_volume(&volume, &host.labels("socket")).await?;
        let script = "printf %s \"$CONFIGURATION\" > /tmp/haproxy.cfg && exec haproxy -f /tmp/haproxy.cfg";
        let spec = ContainerSpec {
            name: container.clone(),
            image: host.proxy_image().to_owned(),
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            environment: vec![format!("CONFIGURATION={}", configuration())],
            labels: host.labels("socket-proxy"),
            mounts: vec![host.socket.clone(), Mount::Volume { name: volume.clone(), target: FOLDER.to_owned() }],
            network: Network::Bridge,
            privilege: None,
            dead_man: false,
        };
        outer.create_container(&spec).await?;
        outer.start_container(&container).await?;
        let proxy = Self { outer: outer.clone(), container, volume };
        match outer.exec(&proxy.container, &Command::new(["sh", "-c", STARTED]), START).await {
            Ok(_) => Ok(proxy),
            // A proxy that has ended says why.
            Err(error) => Err(proxy.dead().await?.map_or_else(|| error.into(), TopologyError::Died)),
        }
    }

    /// The volume with the socket, as a job container has an engine's.
    pub fn socket_mount(&self) -> Mount {
        Mount::Volume { name: self.volume.clone(), target: SOCKET_FOLDER.to_owned() }
    }

    pub fn volume(&self) -> &str {
        &self.volume
    }

    /// The end of the proxy, where it has ended.
    pub async fn dead(&self) -> Result<Option<Death>, EngineError> {
        let Some(exit) = self.outer.exit_of(&self.container).await? else { return Ok(None) };
        let last_line = last_error_line(&self.outer.last_lines(&self.container, 50).await?);
        Ok(Some(Death { container: self.container.clone(), exit_code: Some(exit.code), last_line }))
    }
}

/// Nothing is cut off or held back that an engine would not: streams may be silent for hours, and small parts go at once.
fn configuration() -> String {
    format!(
        "\
defaults
    mode http
    option http-no-delay
    timeout connect 5s
    timeout client 24h
    timeout server 24h
    timeout tunnel 24h
frontend job
    bind unix@{FOLDER}/docker.sock mode 666
    http-request deny unless {{ path -m reg ^(/v[0-9.]+)?/({ALLOWED})(/|$) }}
    default_backend engine
backend engine
    server engine unix@{SOCKET}
"
    )
}
