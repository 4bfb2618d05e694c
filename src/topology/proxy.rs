//! `socket-proxy`: the outer engine's socket behind a proxy that passes on what a list allows.

use super::companion::{Companion, Parts};
use super::error::TopologyError;
use super::{OuterHost, SOCKET};

/// Where the proxy's own socket is, beside the engine's, in its container.
const FOLDER: &str = "/run/proxy";

/// What a job may ask for: the first part of a request's path. What is in a request is not looked at, so who may create
/// containers may still mount whatever the engine's host has.
const ALLOWED: &str = "_ping|version|info|events|auth|build|session|grpc|images|containers|distribution";

/// Starts a proxy, and returns when it listens.
pub(super) async fn start(host: &OuterHost) -> Result<Companion, TopologyError> {
    let script = "printf %s \"$CONFIGURATION\" > /tmp/haproxy.cfg && exec haproxy -f /tmp/haproxy.cfg";
    let parts = Parts {
        role: "socket-proxy",
        image: host.proxy_image(),
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        environment: vec![format!("CONFIGURATION={}", configuration())],
        mounts: vec![host.socket.clone()],
        folder: FOLDER,
        socket: "docker.sock",
    };
    Companion::start(host, parts).await
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
