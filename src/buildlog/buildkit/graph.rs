//! The common form of all records, and the one rule by which they are merged.

use std::collections::{HashMap, HashSet};
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

/// What a vertex says of its work, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub vertex: String,
    pub said: Said,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Written(Written),
    /// It brings a layer of an image here.
    Fetches,
}

/// An image that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Full id.
    pub image: String,
    /// Whether the id is the image's where there is another too: of an image with attestations, containerd takes the list
    /// that holds both, and not the manifest in it.
    pub whole: bool,
}

/// What stands before an id. The first is said where the engine keeps its images itself, the others where containerd does.
const WRITTEN: [(&str, bool); 3] =
    [("writing image ", true), ("exporting manifest list ", true), ("exporting manifest ", false)];

impl Status {
    /// Of a status such as `writing image sha256:…`, with or without more behind it.
    pub fn parse(vertex: &str, status: &str) -> Option<Self> {
        let fetches = status.strip_prefix("extracting ").unwrap_or(status).starts_with("sha256:");
        let said = if fetches { Said::Fetches } else { Said::Written(Written::parse(status)?) };
        Some(Self { vertex: vertex.to_owned(), said })
    }
}

impl Written {
    fn parse(status: &str) -> Option<Self> {
        let (rest, whole) = WRITTEN.iter().find_map(|(start, whole)| Some((status.strip_prefix(start)?, *whole)))?;
        let image = rest.split(' ').next()?;
        let hex = image.strip_prefix("sha256:")?;
        let id = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        id.then(|| Self { image: image.to_owned(), whole })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub vertices: Vec<Vertex>,
    pub statuses: Vec<Status>,
}

/// Everything that the records say, whatever their order.
#[derive(Debug, Default)]
pub(super) struct Graph {
    vertices: HashMap<String, Vertex>,
    written: HashMap<String, Written>,
    /// Vertices that ended as cached at some time, and those that brought a layer here.
    once_cached: HashSet<String>,
    fetching: HashSet<String>,
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
            if vertex.cached && vertex.completed.is_some() {
                self.once_cached.insert(vertex.key.clone());
            }
            match self.vertices.get_mut(&vertex.key) {
                Some(known) if known.told() > vertex.told() => {}
                Some(known) => *known = vertex,
                None => {
                    self.vertices.insert(vertex.key.clone(), vertex);
                }
            }
        }
        for Status { vertex, said } in record.statuses {
            match said {
                Said::Fetches => drop(self.fetching.insert(vertex)),
                Said::Written(written) if written.whole => drop(self.written.insert(vertex, written)),
                Said::Written(written) => drop(self.written.entry(vertex).or_insert(written)),
            }
        }
    }

    /// Whether a vertex was found in the cache. One of an imported cache begins again after that, when something needs its
    /// layers, and brings them here; it executes nothing.
    pub fn cached(&self, vertex: &Vertex) -> bool {
        vertex.cached || (self.once_cached.contains(&vertex.key) && self.fetching.contains(&vertex.key))
    }

    pub fn vertices(&self) -> impl Iterator<Item = &Vertex> {
        self.vertices.values()
    }

    pub fn written(&self, vertex: &Vertex) -> Option<&str> {
        self.written.get(&vertex.key).map(|written| written.image.as_str())
    }

    /// A stamp as the time since the start of the build.
    pub fn since_start(&self, stamp: Stamp) -> Option<Duration> {
        let nanos = stamp.checked_add(self.offset?)?;
        u64::try_from(nanos).ok().map(Duration::from_nanos)
    }
}
