//! Appends rows to the files of a run directory.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Event, InstructionRow, RunRecord, Sample, TrialRow};

/// A file of the run directory could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {reason}", path.display())]
pub struct WriteError {
    path: PathBuf,
    reason: String,
}

impl WriteError {
    pub(super) fn new(path: &Path, reason: impl ToString) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// The open files of one run. Rows reach the operating system one by one, so that an aborted run is
/// readable; `sync` is called between jobs, never inside a timed region.
#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    samples: Rows,
    instructions: Rows,
    trials: Rows,
    events: File,
}

impl Writer {
    /// Creates the run directory with its files and writes `run.toml`.
    pub fn create(dir: &Path, run: &RunRecord) -> Result<Self, WriteError> {
        std::fs::create_dir_all(dir).map_err(|error| WriteError::new(dir, error))?;
        write_record(&dir.join("run.toml"), run)?;
        Ok(Self {
            dir: dir.to_owned(),
            samples: Rows::create(dir.join("samples.csv"))?,
            instructions: Rows::create(dir.join("instructions.csv"))?,
            trials: Rows::create(dir.join("trials.csv"))?,
            events: append(&dir.join("events.jsonl"))?,
        })
    }

    pub fn sample(&mut self, row: &Sample) -> Result<(), WriteError> {
        self.samples.append(row)
    }

    pub fn instruction(&mut self, row: &InstructionRow) -> Result<(), WriteError> {
        self.instructions.append(row)
    }

    pub fn trial(&mut self, row: &TrialRow) -> Result<(), WriteError> {
        self.trials.append(row)
    }

    pub fn events(&mut self, events: &[Event]) -> Result<(), WriteError> {
        let path = self.dir.join("events.jsonl");
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event).map_err(|error| WriteError::new(&path, error))?;
            lines.push(b'\n');
        }
        self.events.write_all(&lines).map_err(|error| WriteError::new(&path, error))
    }

    /// Makes everything written so far survive a crash of the machine.
    pub fn sync(&self) -> Result<(), WriteError> {
        for (file, path) in [
            (self.samples.csv.get_ref(), &self.samples.path),
            (self.instructions.csv.get_ref(), &self.instructions.path),
            (self.trials.csv.get_ref(), &self.trials.path),
            (&self.events, &self.dir.join("events.jsonl")),
        ] {
            file.sync_data().map_err(|error| WriteError::new(path, error))?;
        }
        Ok(())
    }
}

/// One CSV file; its header is written with the first row.
#[derive(Debug)]
pub(super) struct Rows {
    path: PathBuf,
    csv: csv::Writer<File>,
}

impl Rows {
    pub(super) fn create(path: PathBuf) -> Result<Self, WriteError> {
        let file = append(&path)?;
        Ok(Self { csv: csv::Writer::from_writer(file), path })
    }

    pub(super) fn append(&mut self, row: &impl Serialize) -> Result<(), WriteError> {
        self.csv.serialize(row).map_err(|error| WriteError::new(&self.path, error))?;
        self.csv.flush().map_err(|error| WriteError::new(&self.path, error))
    }
}

/// Writes a new file, and makes it survive a crash of the machine.
pub(super) fn write_record(path: &Path, record: &impl Serialize) -> Result<(), WriteError> {
    write_text(path, &toml::to_string(record).map_err(|error| WriteError::new(path, error))?)
}

pub(super) fn write_text(path: &Path, text: &str) -> Result<(), WriteError> {
    let mut file = append(path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| WriteError::new(path, error))
}

fn append(path: &Path) -> Result<File, WriteError> {
    OpenOptions::new().create_new(true).append(true).open(path).map_err(|error| WriteError::new(path, error))
}
