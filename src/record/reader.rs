//! Reads a run directory back.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{Event, InstructionRow, RunRecord, SCHEMA, Sample, TrialRow};

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
        let file = path.join("run.toml");
        let text = std::fs::read_to_string(&file)
            .map_err(|error| ReadError::Open { path: file.clone(), reason: error.to_string() })?;
        refuse_newer(&file, schema_of(&text))?;
        let record =
            toml::from_str(&text).map_err(|error| ReadError::Record { path: file, reason: error.to_string() })?;
        Ok(Self { path: path.to_owned(), record })
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

    pub fn instructions(&self) -> Result<impl Iterator<Item = Result<InstructionRow, ReadError>> + use<>, ReadError> {
        Rows::open(self.path.join("instructions.csv"))
    }

    pub fn trials(&self) -> Result<impl Iterator<Item = Result<TrialRow, ReadError>> + use<>, ReadError> {
        Rows::open(self.path.join("trials.csv"))
    }

    /// The recorded events; none where the run ended before its first step.
    pub fn events(&self) -> Result<impl Iterator<Item = Result<Event, ReadError>> + use<>, ReadError> {
        let path = self.path.join("events.jsonl");
        let file = open(&path)?;
        Ok(BufReader::new(file).lines().zip(1..).map(move |(line, number)| {
            let wrong = |reason: String| ReadError::Row { path: path.clone(), line: number, reason };
            let line = line.map_err(|error| wrong(error.to_string()))?;
            serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))
        }))
    }
}

/// The schema number of a run.toml, readable even where the rest has changed.
fn schema_of(text: &str) -> u32 {
    #[derive(serde::Deserialize)]
    struct Head {
        schema: u32,
    }
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

/// The rows of one CSV file, checked for their schema one by one.
struct Rows<T> {
    path: PathBuf,
    rows: csv::StringRecordsIntoIter<BufReader<File>>,
    headers: csv::StringRecord,
    row: PhantomData<T>,
}

impl<T: DeserializeOwned> Rows<T> {
    fn open(path: PathBuf) -> Result<Self, ReadError> {
        let mut reader = csv::Reader::from_reader(BufReader::new(open(&path)?));
        let headers = reader
            .headers()
            .map_err(|error| ReadError::Record { path: path.clone(), reason: error.to_string() })?
            .clone();
        Ok(Self { path, rows: reader.into_records(), headers, row: PhantomData })
    }

    fn parse(&self, record: Result<csv::StringRecord, csv::Error>) -> Result<T, ReadError> {
        let wrong =
            |line, reason: csv::Error| ReadError::Row { path: self.path.clone(), line, reason: reason.to_string() };
        let record = record.map_err(|error| wrong(error.position().map_or(0, csv::Position::line), error))?;
        // `schema` is the first column of every file.
        if let Some(found) = record.get(0).and_then(|cell| cell.parse().ok()) {
            refuse_newer(&self.path, found)?;
        }
        let line = record.position().map_or(0, csv::Position::line);
        record.deserialize(Some(&self.headers)).map_err(|error| wrong(line, error))
    }
}

impl<T: DeserializeOwned> Iterator for Rows<T> {
    type Item = Result<T, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.rows.next()?;
        Some(self.parse(record))
    }
}
