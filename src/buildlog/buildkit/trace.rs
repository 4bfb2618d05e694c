//! The records within the engine's own stream: base64 around BuildKit's `StatusResponse`, as protocol buffers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;

use super::graph::{Record, Stamp, Status, Vertex};

/// Of BuildKit's `control.proto` what is read here; the decoder skips other fields.
#[derive(Clone, PartialEq, Message)]
struct StatusResponse {
    #[prost(message, repeated, tag = "1")]
    vertexes: Vec<WireVertex>,
    #[prost(message, repeated, tag = "2")]
    statuses: Vec<WireStatus>,
}

#[derive(Clone, PartialEq, Message)]
struct WireVertex {
    #[prost(string, tag = "1")]
    digest: String,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(bool, tag = "4")]
    cached: bool,
    #[prost(message, optional, tag = "5")]
    started: Option<Timestamp>,
    #[prost(message, optional, tag = "6")]
    completed: Option<Timestamp>,
    #[prost(string, tag = "7")]
    error: String,
}

#[derive(Clone, PartialEq, Message)]
struct WireStatus {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    vertex: String,
}

#[derive(Clone, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Timestamp {
    fn stamp(self) -> Stamp {
        Stamp::from(self.seconds) * 1_000_000_000 + Stamp::from(self.nanos)
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum TraceError {
    #[error(transparent)]
    Base64(#[from] base64::DecodeError),
    #[error(transparent)]
    Protobuf(#[from] prost::DecodeError),
}

pub(super) fn decode(aux: &str) -> Result<Record, TraceError> {
    let response = StatusResponse::decode(STANDARD.decode(aux)?.as_slice())?;
    let vertex = |wire: WireVertex| Vertex {
        key: wire.digest,
        name: wire.name,
        cached: wire.cached,
        started: wire.started.map(Timestamp::stamp),
        completed: wire.completed.map(Timestamp::stamp),
        error: Some(wire.error).filter(|error| !error.is_empty()),
    };
    Ok(Record {
        vertices: response.vertexes.into_iter().map(vertex).collect(),
        statuses: response
            .statuses
            .into_iter()
            .filter_map(|status| Status::parse(&status.vertex, &status.id))
            .collect(),
    })
}
