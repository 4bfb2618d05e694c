//! The common form of all records, and the one rule by which they are merged.

use std::collections::HashMap;
use std::time::Duration;

/// Nanoseconds on the clock of whoever gives the times: the engine's, or the client's own where the output has none.
pub(super) type Stamp = i128;

/// The state of one vertex of BuildKit's graph, as a record tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Vertex {
    /// A digest, or the number that plain text has instead. Nothing but this run's output knows it.
    pub key: String,
    pub name: String,
    pub cached: bool,
    pub started: Option<Stamp>,
    pub completed: Option<Stamp>,
    pub error: Option<String>,
}

impl Vertex {
    /// When what the record tells had happened. The end comes after all else of the same moment.
    fn told(&self) -> (Option<Stamp>, bool) {
        (self.started.max(self.completed), self.completed.is_some())
    }
}

/// An image that a vertex says it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub vertex: String,
    /// Full id.
    pub image: String,
}

impl Written {
    /// What a status of a vertex says: `writing image sha256:…`, with or without more behind it.
    pub fn parse(vertex: &str, status: &str) -> Option<Self> {
        let image = status.strip_prefix("writing image ")?.split(' ').next()?;
        let hex = image.strip_prefix("sha256:")?;
        let whole = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        whole.then(|| Self { vertex: vertex.to_owned(), image: image.to_owned() })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub vertices: Vec<Vertex>,
    pub written: Vec<Written>,
}

/// Everything that the records say, whatever their order.
#[derive(Debug, Default)]
pub(super) struct Graph {
    vertices: HashMap<String, Vertex>,
    written: HashMap<String, String>,
    /// What leads from a stamp to the time since the start of the build: nothing arrives before it happened, so it is
    /// the least of the differences seen.
    offset: Option<i128>,
}

impl Graph {
    /// Takes a record that arrived `at` since the start of the build. Of several states of a vertex the latest counts:
    /// where an instruction begins to read its sources, BuildKit first calls the one before it cached, and then may
    /// execute it after all.
    pub fn merge(&mut self, at: Duration, record: Record) {
        for vertex in record.vertices {
            if let (Some(stamp), _) = vertex.told() {
                let offset = i128::try_from(at.as_nanos()).unwrap_or(i128::MAX).saturating_sub(stamp);
                self.offset = Some(self.offset.map_or(offset, |least| least.min(offset)));
            }
            match self.vertices.get_mut(&vertex.key) {
                Some(known) if known.told() > vertex.told() => {}
                Some(known) => *known = vertex,
                None => {
                    self.vertices.insert(vertex.key.clone(), vertex);
                }
            }
        }
        self.written.extend(record.written.into_iter().map(|written| (written.vertex, written.image)));
    }

    pub fn vertices(&self) -> impl Iterator<Item = &Vertex> {
        self.vertices.values()
    }

    pub fn written(&self, vertex: &Vertex) -> Option<&str> {
        self.written.get(&vertex.key).map(String::as_str)
    }

    /// A stamp as the time since the start of the build.
    pub fn since_start(&self, stamp: Stamp) -> Option<Duration> {
        let nanos = stamp.checked_add(self.offset?)?;
        u64::try_from(nanos).ok().map(Duration::from_nanos)
    }
}
