//! A build with BuildKit, as all its records together tell it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::json::StreamError;
use super::graph::{Graph, Vertex};
use super::step::Step;

/// A build as BuildKit reported it. Before anything is counted, [`BuildkitBuild::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildkitBuild {
    /// Whether any vertex was reported: whether BuildKit built at all.
    pub begun: bool,
    /// Every instruction that has a vertex, by stage and place.
    pub instructions: Vec<Reported>,
    /// Full id of the built image; none where the output ended before that, or an error was reported.
    pub image: Option<String>,
    /// From the start to the first instruction: the docker command's start, the Dockerfile, sending the context and
    /// looking for base images. What of that still goes on beside the first instructions is in no phase.
    pub upload: Option<Duration>,
    /// When the export of the image began, since the start.
    pub exporting: Option<Duration>,
    /// The engine's own error, or that of the vertex which failed.
    pub error: Option<StreamError>,
    /// What was said beside the progress; a failed docker command ends with its reason.
    pub said: String,
    pub(super) incomplete: Option<Incomplete>,
}

/// An instruction as BuildKit reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Place among the instructions that have a vertex, from 1.
    pub index: u32,
    /// Name of its stage; empty where the Dockerfile has one stage without a name.
    pub stage: String,
    pub text: String,
    pub cached: bool,
    /// Since the start of the build.
    pub started: Option<Duration>,
    /// From its start to its end; none where it did not end, or both were told at the same moment.
    pub elapsed: Option<Duration>,
    pub error: Option<String>,
}

/// Why the output does not tell of a whole build.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    #[error("a record of the builder cannot be read")]
    Unreadable,
    #[error("the builder reported an error: {0}")]
    Failed(String),
    #[error("the builder's output ends before an image was written")]
    Unwritten,
    #[error("the builder's output ends before this instruction did: {0}")]
    Unfinished(String),
    #[error("the builder's output has no instruction {number} of {of}")]
    Missing { number: u32, of: u32 },
}

impl BuildkitBuild {
    /// Whether the output tells of a whole build.
    pub fn complete(&self) -> Result<(), Incomplete> {
        self.incomplete.clone().map_or(Ok(()), Err)
    }

    pub(super) fn new(
        graph: &Graph,
        announced: Option<String>,
        error: Option<StreamError>,
        said: String,
        unreadable: bool,
    ) -> Self {
        let vertices = Vertices::of(graph);
        let written = vertices.written(graph).filter(|id| announced.as_ref().is_none_or(|announced| announced == id));
        // A cache that cannot be imported is an error of its vertex, and none of the build.
        let failed = error.is_some() || vertices.step_failed() || written.is_none();
        let of_vertex = || vertices.error().map(|message| StreamError { code: None, message });
        let error = if failed { error.or_else(of_vertex) } else { None };
        let incomplete = match &error {
            _ if unreadable => Some(Incomplete::Unreadable),
            Some(error) => Some(Incomplete::Failed(error.message.clone())),
            None => vertices.incomplete(written.is_some()),
        };
        Self {
            begun: graph.vertices().next().is_some(),
            instructions: vertices.reported(graph),
            image: written.filter(|_| incomplete.is_none()),
            upload: vertices.first_start().and_then(|stamp| graph.since_start(stamp)),
            exporting: vertices.exports.iter().filter_map(|vertex| graph.since_start(vertex.started?)).min(),
            error,
            said,
            incomplete,
        }
    }
}

/// The vertices that matter, sorted out.
struct Vertices<'a> {
    /// Every step but FROM; one may be several vertices, such as a COPY with `--link`.
    steps: BTreeMap<Step<'a>, Vec<&'a Vertex>>,
    /// Numbers of a stage, FROM included.
    numbers: BTreeMap<(&'a str, u32), BTreeSet<u32>>,
    exports: Vec<&'a Vertex>,
    /// Where something went wrong, sorted by time.
    errors: Vec<&'a Vertex>,
}

impl<'a> Vertices<'a> {
    fn of(graph: &'a Graph) -> Self {
        let mut sorted =
            Self { steps: BTreeMap::new(), numbers: BTreeMap::new(), exports: Vec::new(), errors: Vec::new() };
        for vertex in graph.vertices() {
            if vertex.error.is_some() {
                sorted.errors.push(vertex);
            }
            if vertex.name.starts_with("exporting to ") {
                sorted.exports.push(vertex);
            } else if let Some(step) = Step::parse(&vertex.name) {
                sorted.numbers.entry((step.stage, step.of)).or_default().insert(step.number);
                if !step.is_from() {
                    sorted.steps.entry(step).or_default().push(vertex);
                }
            }
        }
        sorted.errors.sort_by_key(|vertex| (vertex.completed, &vertex.key));
        sorted
    }

    /// What failed, rather than what was cancelled for it.
    fn error(&self) -> Option<String> {
        let message = |vertex: &&Vertex| vertex.error.clone();
        let mut messages = self.errors.iter().filter_map(message);
        messages.clone().find(|message| !message.ends_with("context canceled")).or_else(|| messages.next())
    }

    fn step_failed(&self) -> bool {
        self.steps.values().flatten().chain(&self.exports).any(|vertex| vertex.error.is_some())
    }

    /// The image that one export wrote, and no other another.
    fn written(&self, graph: &'a Graph) -> Option<String> {
        let done = self.exports.iter().filter(|vertex| vertex.completed.is_some());
        let images: BTreeSet<&str> = done.filter_map(|vertex| graph.written(vertex)).collect();
        images.first().filter(|_| images.len() == 1).map(|image| (*image).to_owned())
    }

    fn incomplete(&self, written: bool) -> Option<Incomplete> {
        if !written {
            return Some(Incomplete::Unwritten);
        }
        let open = |(_, vertices): &(_, &Vec<&Vertex>)| {
            vertices.iter().any(|vertex| vertex.started.is_none() || vertex.completed.is_none())
        };
        if let Some((step, _)) = self.steps.iter().find(open) {
            return Some(Incomplete::Unfinished(step.text.to_owned()));
        }
        // Of several stages, two that begin alike share vertices under the name of one.
        let ((_, of), numbers) = self.numbers.first_key_value().filter(|((stage, _), _)| stage.is_empty())?;
        let missing = (1..=*of).find(|number| !numbers.contains(number))?;
        Some(Incomplete::Missing { number: missing, of: *of })
    }

    fn first_start(&self) -> Option<i128> {
        self.steps.values().flatten().filter_map(|vertex| vertex.started).min()
    }

    fn reported(&self, graph: &Graph) -> Vec<Reported> {
        let reported = |(index, (step, vertices)): (u32, (&Step<'_>, &Vec<&Vertex>))| {
            let started = vertices.iter().filter_map(|vertex| vertex.started).min();
            let ended = vertices.iter().map(|vertex| vertex.completed).min().flatten();
            let last = vertices.iter().filter_map(|vertex| vertex.completed).max().filter(|_| ended.is_some());
            let elapsed = last.zip(started).and_then(|(last, started)| u64::try_from(last - started).ok());
            Reported {
                index,
                stage: step.stage.to_owned(),
                text: step.text.to_owned(),
                cached: vertices.iter().all(|vertex| graph.cached(vertex)),
                started: started.and_then(|stamp| graph.since_start(stamp)),
                elapsed: elapsed.filter(|nanos| *nanos > 0).map(Duration::from_nanos),
                error: vertices.iter().find_map(|vertex| vertex.error.clone()),
            }
        };
        let mut instructions: Vec<Reported> = (1..).zip(&self.steps).map(reported).collect();
        found_in_the_cache(&mut instructions);
        instructions
    }
}

/// A vertex whose result nobody had to load ends without a word of the cache, such as a WORKDIR on `scratch` below
/// instructions that were all cached. The key of an instruction holds that of the one before it: where it was cached,
/// so was all that its stage has before it. A COPY with `--link` alone stands on nothing.
fn found_in_the_cache(instructions: &mut [Reported]) {
    for index in (1..instructions.len()).rev() {
        let (before, from) = instructions.split_at_mut(index);
        let (one, above) = (&mut before[index - 1], &from[0]);
        one.cached |= above.cached && above.stage == one.stage && !linked(&above.text) && !linked(&one.text);
    }
}

fn linked(text: &str) -> bool {
    text.split_whitespace().any(|word| word == "--link" || word == "--link=true")
}
