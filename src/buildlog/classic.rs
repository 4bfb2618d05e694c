//! The classic builder's output, chunk by chunk, as text or as JSON.

use std::time::Duration;

use super::json::{Record, StreamError, records};
use super::lines::{Lines, shorten};
use super::trail::{Kind, Trail};

/// Reads the output of one build with the classic builder. Linear in the size of the output; memory is bounded by the
/// longest line that counts, not by the output, unless RUN output imitates the builder.
///
/// Intermediate containers must be removed, as is the default: without `Removing intermediate container` the end of
/// RUN output cannot be told, and such a build never becomes complete.
#[derive(Debug, Default)]
pub struct ClassicLog {
    text: Lines,
    json: Lines,
    trail: Trail,
    image: Option<String>,
    error: Option<StreamError>,
    stray: Option<String>,
}

/// A build as its output tells it. RUN output is part of that: before anything is counted, [`ClassicBuild::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicBuild {
    /// The N of `Step k/N`: every FROM, and every ARG before the first FROM, counts as a step there. None where the
    /// builder printed no step.
    pub steps: Option<u32>,
    /// Number of FROM lines seen.
    pub stages: u32,
    /// Short id printed for the last FROM; none for `scratch`.
    pub base: Option<String>,
    pub instructions: Vec<Printed>,
    /// Short id of the built image; none where the output ended before that, or the engine reported an error.
    pub image: Option<String>,
    /// From the start to the first step: reading the context, sending it, and the engine's unpacking.
    pub upload: Option<Duration>,
    /// The engine's own error, or text that is no record. Only a JSON stream can tell it from RUN output.
    pub error: Option<StreamError>,
}

/// An instruction as it was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Place among the instructions of the Dockerfile, from 1. FROM, and an ARG before the first FROM, have none.
    pub index: u32,
    /// Number of the FROM above it, from 1.
    pub stage: u32,
    pub text: String,
    /// `Using cache`, together with the id of an image.
    pub hit: bool,
    /// Short id of the image that it led to; none for the instruction in which the output ended.
    pub image: Option<String>,
    /// When its header arrived, since the start of the build.
    pub started: Duration,
    /// Until the builder went on to the next step or reported the image; none for the instruction in which the output
    /// ended.
    pub elapsed: Option<Duration>,
}

impl ClassicBuild {
    /// Whether the output says that an image was built.
    pub fn complete(&self) -> bool {
        self.image.is_some()
    }
}

impl ClassicLog {
    /// Takes a chunk of the docker command's stdout, or of the `stream` fields of JSON records, that arrived `at` since
    /// the start of the build. Any cut will do, also within a character.
    pub fn text(&mut self, at: Duration, chunk: &[u8]) {
        self.text.push(at, chunk, |since, line| self.trail.line(since, line));
    }

    /// Takes a chunk of the JSON stream that the engine answers a build with.
    pub fn json(&mut self, at: Duration, chunk: &[u8]) {
        let mut found = Vec::new();
        self.json.push(at, chunk, |since, line| found.extend(records(line).into_iter().map(|record| (since, record))));
        for (since, record) in found {
            self.record(since, record);
        }
    }

    /// Ends the stream. A last text line without its line break is dropped: the builder ends every line, so that
    /// one was cut.
    pub fn finish(mut self) -> ClassicBuild {
        if let Some((since, last)) = self.json.pending().map(|(since, line)| (since, records(line))) {
            last.into_iter().for_each(|record| self.record(since, record));
        }
        let image = self.finished_image();
        let mut build = ClassicBuild {
            steps: self.trail.announced(),
            stages: 0,
            base: None,
            instructions: Vec::new(),
            upload: self.trail.first_header_at(),
            error: self.error.or_else(|| match image {
                Some(_) => None,
                None => self.stray.map(|message| StreamError { code: None, message }),
            }),
            image,
        };
        for step in self.trail.steps() {
            let header = step.header;
            match header.kind {
                Kind::Global => {}
                Kind::From => {
                    build.stages = header.stage;
                    build.base = step.outcome.and_then(|outcome| outcome.image);
                }
                Kind::Instruction => build.instructions.push(Printed {
                    index: u32::try_from(build.instructions.len() + 1).unwrap_or(u32::MAX),
                    stage: header.stage,
                    text: header.text.clone(),
                    hit: step.outcome.as_ref().is_some_and(|outcome| outcome.hit),
                    image: step.outcome.and_then(|outcome| outcome.image),
                    started: header.at,
                    elapsed: step.until.and_then(|until| until.checked_sub(header.at)),
                }),
            }
        }
        build
    }

    fn record(&mut self, at: Duration, record: Record) {
        match record {
            Record::Stream(text) => self.text(at, text.as_bytes()),
            Record::Image(id) => self.image = Some(id),
            Record::Error(error) => self.error = Some(error),
            Record::Stray(text) => self.stray = Some(text),
            // Another builder's record, and what counts for none.
            Record::Trace(_) | Record::Other => {}
        }
    }

    /// The image that text and records agree on.
    fn finished_image(&self) -> Option<String> {
        let printed = self.trail.built_image().filter(|_| self.error.is_none())?;
        let agreed = self.image.as_deref().is_none_or(|id| shorten(id) == printed);
        agreed.then(|| printed.to_owned())
    }
}
