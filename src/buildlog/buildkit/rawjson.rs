//! The records that buildx prints with `--progress=rawjson`.

use serde::Deserialize;
use time::OffsetDateTime;

use super::graph::{Record, Status, Vertex};

#[derive(Deserialize)]
struct Wire {
    vertexes: Option<Vec<WireVertex>>,
    statuses: Option<Vec<WireStatus>>,
}

#[derive(Deserialize)]
struct WireVertex {
    digest: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    cached: bool,
    #[serde(default, with = "time::serde::rfc3339::option")]
    started: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    completed: Option<OffsetDateTime>,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct WireStatus {
    #[serde(default)]
    id: String,
    vertex: String,
}

impl From<Wire> for Record {
    fn from(wire: Wire) -> Self {
        let vertex = |wire: WireVertex| Vertex {
            key: wire.digest,
            name: wire.name,
            cached: wire.cached,
            started: wire.started.map(OffsetDateTime::unix_timestamp_nanos),
            completed: wire.completed.map(OffsetDateTime::unix_timestamp_nanos),
            error: Some(wire.error).filter(|error| !error.is_empty()),
        };
        Self {
            vertices: wire.vertexes.into_iter().flatten().map(vertex).collect(),
            statuses: wire
                .statuses
                .into_iter()
                .flatten()
                .filter_map(|status| Status::parse(&status.vertex, &status.id))
                .collect(),
        }
    }
}

/// The record that an object is; none where it is another object, such as part of a command that is quoted.
pub(super) fn parse(object: &[u8]) -> Option<Record> {
    serde_json::from_slice::<Wire>(object).ok().map(Record::from)
}
