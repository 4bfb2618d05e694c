//! BuildKit's output, chunk by chunk: the docker command's plain text, buildx's records, or the engine's own stream.

mod build;
mod graph;
mod pieces;
mod plain;
mod rawjson;
mod said;
mod step;
mod trace;
mod verify;

use std::time::Duration;

pub use build::{BuildkitBuild, Incomplete, Reported};
pub use verify::Contradiction;

use super::json::{self, StreamError};
use super::lines::Lines;
use graph::Graph;
use pieces::{Piece, Pieces};
use plain::Plain;
use said::Said;

/// Reads the output of one build with BuildKit. All three forms become the same records, merged by one rule, so records
/// may repeat, come in any order, and be glued to one another.
///
/// RUN output is no record in any form: plain text has a number and a time before each line of it, and the others carry
/// it apart.
#[derive(Debug, Default)]
pub struct BuildkitLog {
    plain_lines: Lines,
    pieces: Pieces,
    api_lines: Lines,
    plain: Plain,
    graph: Graph,
    said: Said,
    image: Option<String>,
    error: Option<StreamError>,
    /// Something that is a record, or part of one, could not be read.
    unreadable: bool,
}

impl BuildkitLog {
    /// Takes a chunk of the docker command's stderr with `--progress=plain` that arrived `at` since the start of the
    /// build. Any cut will do.
    pub fn plain(&mut self, at: Duration, chunk: &[u8]) {
        self.plain_lines.push(at, chunk, |since, line| match self.plain.line(since, at, line) {
            Some(record) => self.graph.merge(at, record),
            None => self.said.line(line),
        });
    }

    /// Takes a chunk of the docker command's stderr with `--progress=rawjson`.
    pub fn rawjson(&mut self, at: Duration, chunk: &[u8]) {
        let mut pieces = std::mem::take(&mut self.pieces);
        pieces.push(at, chunk, |since, piece| self.piece(since, piece));
        self.pieces = pieces;
    }

    /// Takes a chunk of the JSON stream that the engine answers a build of version 2 with.
    pub fn api(&mut self, at: Duration, chunk: &[u8]) {
        let mut lines = std::mem::take(&mut self.api_lines);
        lines.push(at, chunk, |since, line| json::records(line).into_iter().for_each(|one| self.record(since, one)));
        self.api_lines = lines;
    }

    /// Ends the stream. A last line of text without its line break is dropped: it was cut.
    pub fn finish(mut self) -> BuildkitBuild {
        std::mem::take(&mut self.pieces).finish(|since, piece| self.piece(since, piece));
        let mut lines = std::mem::take(&mut self.api_lines);
        self.unreadable |= lines.truncated();
        if let Some((since, line)) = lines.pending() {
            json::records(line).into_iter().for_each(|one| self.record(since, one));
        }
        BuildkitBuild::new(&self.graph, self.image, self.error, self.said.into_text(), self.unreadable)
    }

    fn piece(&mut self, at: Duration, piece: Piece<'_>) {
        let text = match piece {
            Piece::Object(object) => match rawjson::parse(object) {
                Some(record) => return self.graph.merge(at, record),
                None => object,
            },
            Piece::Text(text) => text,
        };
        self.unreadable |= text.windows(VERTEXES.len()).any(|word| word == VERTEXES);
        self.said.line(text);
    }

    fn record(&mut self, at: Duration, record: json::Record) {
        match record {
            json::Record::Trace(base64) => match trace::decode(&base64) {
                Ok(record) => self.graph.merge(at, record),
                Err(error) => {
                    self.unreadable = true;
                    self.said.line(format!("a record of the builder cannot be decoded: {error}").as_bytes());
                }
            },
            json::Record::Image(id) => self.image = Some(id),
            json::Record::Error(error) => self.error = Some(error),
            json::Record::Stray(text) => {
                self.unreadable |= text.contains(json::TRACE);
                self.said.line(text.as_bytes());
            }
            json::Record::Stream(_) | json::Record::Other => {}
        }
    }
}

/// No record of buildx that counts is without it.
const VERTEXES: &[u8] = b"\"vertexes\"";
