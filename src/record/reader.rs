//! Reads a run directory back.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::marker::PhantomData;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::event::PHASE;
use super::{Event, InstructionRow, Instructions, Observations, RunRecord, SCHEMA, Sample, TrialRow};

/// A file of a run directory could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot open {}: {reason}; a run directory holds run.toml, samples.csv, instructions.csv and trials.csv", path.display())]
    Open { path: PathBuf, reason: String },
    #[error("{}, line {line}: {reason}", path.display())]
    Row { path: PathBuf, line: u64, reason: String },
    #[error("{}: {reason}", path.display())]
    Record { path: PathBuf, reason: String },
    #[error("{} has schema {found}, and this dindbench reads up to {SCHEMA}: use a newer dindbench", path.display())]
    Newer { path: PathBuf, found: u32 },
}

/// A run directory, opened for reading. Rows are streamed: a million samples need no memory.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
    record: RunRecord,
}

impl RunDir {
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Ok(Self { path: path.to_owned(), record: read_record(&path.join("run.toml"))? })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn record(&self) -> &RunRecord {
        &self.record
    }

    pub fn samples(&self) -> Result<impl Iterator<Item = Result<Sample, ReadError>> + use<>, ReadError> {
        Rows::open(self.path.join("samples.csv"))
    }

    /// The same rows, as an analysis needs them.
    pub fn observations(&self) -> Result<Observations, ReadError> {
        Observations::open(self.path.join("samples.csv"))
    }

    pub fn instructions(&self) -> Result<impl Iterator<Item = Result<InstructionRow, ReadError>> + use<>, ReadError> {
        Rows::open(self.path.join("instructions.csv"))
    }

    /// The same rows, as an analysis needs them.
    pub fn executed(&self) -> Result<Instructions, ReadError> {
        Instructions::open(self.path.join("instructions.csv"))
    }

    pub fn trials(&self) -> Result<impl Iterator<Item = Result<TrialRow, ReadError>> + use<>, ReadError> {
        Rows::open(self.path.join("trials.csv"))
    }

    /// The recorded events; none where the run ended before its first step.
    pub fn events(&self) -> Result<impl Iterator<Item = Result<Event, ReadError>> + use<>, ReadError> {
        self.events_that(|_| true)
    }

    /// The events that are parts of a step; empty where the directory has no `events.jsonl`, which a published one may
    /// leave out.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn phases(&self) -> Result<Option<impl Iterator<Item = Result<Event, ReadError>> + use<>>, ReadError> {
        let there = self.path.join("events.jsonl").exists();
        there.then(|| self.events_that(|source| source == PHASE)).transpose()
    }

    /// The events of these sources. What a step printed is long: lines of other sources are not taken apart.
    fn events_that(
        &self,
        wanted: fn(&str) -> bool,
    ) -> Result<impl Iterator<Item = Result<Event, ReadError>> + use<>, ReadError> {
        let path = self.path.join("events.jsonl");
        let lines = BufReader::new(open(&path)?).lines().zip(1..);
        Ok(lines.filter_map(move |(line, number)| event(&path, number, line, wanted).transpose()))
    }
}

/// The event of a line, if it is of a wanted source.
fn event(
    path: &Path,
    line: u64,
    text: io::Result<String>,
    wanted: fn(&str) -> bool,
) -> Result<Option<Event>, ReadError> {
    let wrong = |reason: String| ReadError::Row { path: path.to_owned(), line, reason };
    let text = text.map_err(|error| wrong(error.to_string()))?;
    let head: EventHead = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    refuse_newer(path, head.schema)?;
    let event = wanted(&head.source).then(|| serde_json::from_str(&text));
    event.transpose().map_err(|error| wrong(error.to_string()))
}

/// What of an event decides whether it is read.
#[derive(serde::Deserialize)]
struct EventHead<'a> {
    schema: u32,
    // A newer file may have none, and is to be refused for its age.
    #[serde(borrow, default)]
    source: Cow<'a, str>,
}

/// A TOML file that begins with its schema.
pub(super) fn read_record<T: DeserializeOwned>(file: &Path) -> Result<T, ReadError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| ReadError::Open { path: file.to_owned(), reason: error.to_string() })?;
    refuse_newer(file, schema_of(&text))?;
    toml::from_str(&text).map_err(|error| ReadError::Record { path: file.to_owned(), reason: error.to_string() })
}

/// What stays readable even where the rest has changed.
#[derive(serde::Deserialize)]
struct Head {
    schema: u32,
}

/// The schema number of a run.toml.
fn schema_of(text: &str) -> u32 {
    toml::from_str::<Head>(text).map_or(0, |head| head.schema)
}

fn refuse_newer(path: &Path, found: u32) -> Result<(), ReadError> {
    if found > SCHEMA { Err(ReadError::Newer { path: path.to_owned(), found }) } else { Ok(()) }
}

fn open(path: &Path) -> Result<File, ReadError> {
    File::open(path).map_err(|error| {
        let reason = if error.kind() == ErrorKind::NotFound { "no such file".to_owned() } else { error.to_string() };
        ReadError::Open { path: path.to_owned(), reason }
    })
}

/// The lines of one CSV file, checked for their schema one by one.
pub(super) struct Lines {
    path: PathBuf,
    reader: csv::Reader<File>,
    pub(super) headers: csv::StringRecord,
    /// The line that was read last.
    pub(super) record: csv::StringRecord,
    /// Where a last line without an end stops.
    torn: Option<u64>,
}

impl Lines {
    /// Bytes that are read at a time.
    const PIECE: usize = 1 << 17;

    pub(super) fn open(path: PathBuf) -> Result<Self, ReadError> {
        let wrong = |reason: String| ReadError::Record { path: path.clone(), reason };
        let file = open(&path)?;
        let torn = torn(&file).map_err(|error| wrong(error.to_string()))?;
        let mut reader = csv::ReaderBuilder::new().buffer_capacity(Self::PIECE).from_reader(file);
        let headers = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
        let lines = Self { path, reader, headers, record: csv::StringRecord::new(), torn };
        if lines.at_torn_end() { Err(lines.cut_off(1)) } else { Ok(lines) }
    }

    /// Reads the next line into `record`; tells whether there was one.
    pub(super) fn read(&mut self) -> Result<bool, ReadError> {
        match self.reader.read_record(&mut self.record) {
            Ok(false) => return Ok(false),
            read if self.at_torn_end() => {
                let position = read.as_ref().map_or_else(csv::Error::position, |_| self.record.position());
                return Err(self.cut_off(position.map_or(0, csv::Position::line)));
            }
            Ok(true) => {}
            Err(error) => return Err(self.wrong(&error, error.position())),
        }
        // `schema` is the first column of every file.
        if let Some(found) = self.record.get(0).and_then(|cell| cell.parse().ok()) {
            refuse_newer(&self.path, found)?;
        }
        Ok(true)
    }

    /// Where a column stands in every line.
    pub(super) fn place(&self, column: &str) -> Result<usize, ReadError> {
        let place = self.headers.iter().position(|name| name == column);
        place.ok_or_else(|| ReadError::Record { path: self.path.clone(), reason: format!("it has no column {column}") })
    }

    /// The number in the file of the line that was read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    /// That the line which was read last has no meaning.
    fn meaningless(&self, error: &csv::Error) -> ReadError {
        self.wrong(error, self.record.position())
    }

    fn wrong(&self, error: &csv::Error, position: Option<&csv::Position>) -> ReadError {
        let line = position.map_or(0, csv::Position::line);
        ReadError::Row { path: self.path.clone(), line, reason: error.to_string() }
    }

    /// Whether the line that was read last has no end. Its last cell may be cut short and still look like a value.
    fn at_torn_end(&self) -> bool {
        self.torn == Some(self.reader.position().byte())
    }

    fn cut_off(&self, line: u64) -> ReadError {
        let reason = "the line has no end: the run ended while it was written; remove it to read the lines before it";
        ReadError::Row { path: self.path.clone(), line, reason: reason.to_owned() }
    }
}

/// The rows of one CSV file.
pub(super) struct Rows<T> {
    lines: Lines,
    row: PhantomData<T>,
}

impl<T: DeserializeOwned> Rows<T> {
    pub(super) fn open(path: PathBuf) -> Result<Self, ReadError> {
        Ok(Self { lines: Lines::open(path)?, row: PhantomData })
    }

    fn read(&mut self) -> Result<Option<T>, ReadError> {
        if !self.lines.read()? {
            return Ok(None);
        }
        let row = self.lines.record.deserialize(Some(&self.lines.headers));
        row.map(Some).map_err(|error| self.lines.meaningless(&error))
    }
}

/// The length of a file whose last line has no end.
fn torn(file: &File) -> io::Result<Option<u64>> {
    let length = file.metadata()?.len();
    let Some(last) = length.checked_sub(1) else { return Ok(None) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok((byte != *b"\n").then_some(length))
}

impl<T: DeserializeOwned> Iterator for Rows<T> {
    type Item = Result<T, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
