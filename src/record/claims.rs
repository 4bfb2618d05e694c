//! The files of a test of claims: `claims.toml`, written before the first claim, and `findings.csv`, one row per claim.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::reader::{self, read_record};
use super::writer::{self, write_record, write_text};
use super::{Environment, ReadError, Text, WriteError};
use crate::case::Verdict;

/// The description of a test of claims, besides its findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimsRecord {
    pub schema: u32,
    pub run_id: String,
    /// Digest of the machine's identity, or the name given by `--host-label`.
    pub host: String,
    /// RFC 3339.
    pub started_at: String,
    pub command_line: Vec<String>,
    /// Version of dindbench and the source revision it was built from.
    pub version: String,
    pub revision: String,
    pub seed: u64,
    /// Sentences that change how the findings are to be read.
    pub warnings: Vec<String>,
    pub environment: Environment,
}

/// What was found of one claim. The field names are the columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingRow {
    pub schema: u32,
    pub run_id: String,
    pub host: String,
    pub claim: String,
    /// `sha256:` of the claim's file.
    pub digest: String,
    /// Paragraphs of the article joined by `;`, 0 for its title; empty where it is silent.
    pub paragraphs: String,
    pub statement: Text,
    /// What must be observed for it to be confirmed.
    pub rule: Text,
    pub comment: Text,
    /// Of the outer engine.
    pub engine_version: String,
    pub storage_driver: String,
    pub kernel: String,
    pub verdict: Verdict,
    /// What the verdict rests on.
    pub reason: Text,
    /// The verdict that published runs had of this engine; empty where there is none.
    pub expected: Option<Verdict>,
    pub elapsed_ns: u64,
    /// The file with what was executed and what it said, below the run directory; empty where nothing was.
    pub evidence: String,
}

/// The open files of a test of claims.
#[derive(Debug)]
pub struct ClaimsWriter {
    dir: PathBuf,
    findings: writer::Rows,
}

/// Folder of the evidence in a run directory.
const EVIDENCE: &str = "evidence";

impl ClaimsWriter {
    /// Creates the run directory with its files, and writes `claims.toml`.
    pub fn create(dir: &Path, record: &ClaimsRecord) -> Result<Self, WriteError> {
        let evidence = dir.join(EVIDENCE);
        std::fs::create_dir_all(&evidence).map_err(|error| WriteError::new(&evidence, error))?;
        write_record(&dir.join("claims.toml"), record)?;
        Ok(Self { dir: dir.to_owned(), findings: writer::Rows::create(dir.join("findings.csv"))? })
    }

    /// Keeps evidence of a claim; returns its place below the run directory.
    pub fn evidence(&self, claim: &str, text: &str) -> Result<String, WriteError> {
        let place = format!("{EVIDENCE}/{claim}.md");
        write_text(&self.dir.join(&place), text)?;
        Ok(place)
    }

    pub fn finding(&mut self, row: &FindingRow) -> Result<(), WriteError> {
        self.findings.append(row)
    }
}

/// The directory of a test of claims, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimsDir {
    pub record: ClaimsRecord,
    /// In the order in which they were found.
    pub findings: Vec<FindingRow>,
}

impl ClaimsDir {
    /// Whether a directory is one of a test of claims.
    pub fn is(path: &Path) -> bool {
        path.join("claims.toml").is_file()
    }

    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let record = read_record(&path.join("claims.toml"))?;
        let findings = reader::Rows::open(path.join("findings.csv"))?.collect::<Result<_, _>>()?;
        Ok(Self { record, findings })
    }
}
