//! What a run has created on an engine, written down before it is created, so that a killed run can be undone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Label that names the run on everything a run creates.
pub const RUN_LABEL: &str = "dindbench.run";
/// Label that says what an object is for.
pub const ROLE_LABEL: &str = "dindbench.role";

/// Label of images that says which trial they were made for: no two have the same seed.
pub const SEED_LABEL: &str = "dindbench.seed";

/// The journal of a run could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the journal {}: {reason}", path.display())]
pub struct JournalError {
    action: &'static str,
    path: PathBuf,
    reason: String,
}

/// Kinds of objects on an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Kind {
    Container,
    Network,
    Volume,
    Image,
}

/// One object that a run is about to create.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    pub kind: Kind,
    pub name: String,
}

/// The first line of a journal.
#[derive(Serialize, Deserialize)]
struct Head {
    /// The id that the engine gives itself: another engine may hold nothing of this run.
    engine: String,
}

/// BuildKit's records on an engine in use: those that were there before the run, which are not ours whatever they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheNote {
    pub before: BTreeSet<String>,
    /// Builds of one trial, at most: after each trial its records are removed.
    pub builds: u32,
}

/// The line of a journal that holds one.
#[derive(Serialize, Deserialize)]
struct CacheLine {
    cache: CacheNote,
}

/// The open journal of a living run. It is locked while the run lives, so that nobody cleans up under it.
#[derive(Debug)]
pub struct Journal {
    run: String,
    path: PathBuf,
    file: File,
    entries: Vec<Entry>,
}

impl Journal {
    /// Opens the journal of a new run on the engine with this id.
    pub fn create(folder: &Path, run: &str, engine: &str) -> Result<Self, JournalError> {
        let path = folder.join(format!("{run}.jsonl"));
        let wrong =
            |reason: std::io::Error| JournalError { action: "create", path: path.clone(), reason: reason.to_string() };
        std::fs::create_dir_all(folder).map_err(wrong)?;
        // It has its name once it is locked: nobody finds it who could take it for that of a dead run.
        let begun = folder.join(format!("{run}.new"));
        let file = OpenOptions::new().append(true).create_new(true).open(&begun).map_err(wrong)?;
        file.try_lock().map_err(|error| wrong(error.into()))?;
        std::fs::rename(&begun, &path).map_err(wrong)?;
        let mut journal = Self { run: run.to_owned(), path, file, entries: Vec::new() };
        journal.write(&Head { engine: engine.to_owned() })?;
        Ok(journal)
    }

    pub fn run(&self) -> &str {
        &self.run
    }

    /// A name for an object of this run.
    pub fn name(&self, suffix: &str) -> String {
        format!("dindbench-{}-{suffix}", self.run)
    }

    /// The labels of an object of this run.
    pub fn labels(&self, role: &str) -> BTreeMap<String, String> {
        labels(&self.run, role)
    }

    /// Writes down, safely on disk, that an object is about to be created.
    pub fn creating(&mut self, kind: Kind, name: &str) -> Result<(), JournalError> {
        let entry = Entry { kind, name: name.to_owned() };
        self.write(&entry)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes down, safely on disk, which records of the build cache are not ours.
    pub fn note_cache(&mut self, note: &CacheNote) -> Result<(), JournalError> {
        self.write(&CacheLine { cache: note.clone() })
    }

    /// Everything written down so far.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn write(&mut self, record: &impl Serialize) -> Result<(), JournalError> {
        let wrong = |reason: String| JournalError { action: "write to", path: self.path.clone(), reason };
        let mut line = serde_json::to_vec(record).map_err(|error| wrong(error.to_string()))?;
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(|error| wrong(error.to_string()))
    }

    /// Ends the journal of a run that has removed everything it created.
    pub fn close(self) -> Result<(), JournalError> {
        remove(&self.path)
    }
}

/// The labels of an object of a run.
pub fn labels(run: &str, role: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(RUN_LABEL.to_owned(), run.to_owned()), (ROLE_LABEL.to_owned(), role.to_owned())])
}

/// The journal of a run that ended without closing it.
#[derive(Debug)]
pub struct Abandoned {
    pub run: String,
    /// Id of the engine that it ran on; empty where the run was killed before it wrote a line.
    pub engine: Option<String>,
    pub entries: Vec<Entry>,
    /// Empty where the run did not build with BuildKit on this engine.
    pub cache: Option<CacheNote>,
    path: PathBuf,
    /// Held, so that two clean-ups do not meet.
    _lock: File,
}

impl Abandoned {
    /// Forgets the journal, once everything in it is gone.
    pub fn close(self) -> Result<(), JournalError> {
        remove(&self.path)
    }
}

/// What the journal of a run that is alive says so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alive {
    pub run: String,
    /// Empty where it has not written a line yet.
    pub engine: Option<String>,
    /// Whether it has noted the records of a build cache in use, as one does that builds there.
    pub notes_cache: bool,
}

/// The journals in a state folder: those of abandoned runs, and those of the runs that are alive.
pub fn survey(folder: &Path) -> Result<(Vec<Abandoned>, Vec<Alive>), JournalError> {
    let (mut abandoned, mut alive) = (Vec::new(), Vec::new());
    let wrong =
        |reason: std::io::Error| JournalError { action: "list", path: folder.to_owned(), reason: reason.to_string() };
    let files = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((abandoned, alive)),
        other => other.map_err(wrong)?,
    };
    for file in files {
        let path = file.map_err(wrong)?.path();
        let Some(run) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jsonl")).map(str::to_owned)
        else {
            continue;
        };
        match read(&path, &run) {
            Ok(Found::Abandoned(journal)) => abandoned.push(journal),
            Ok(Found::Alive(journal)) => alive.push(journal),
            // Its run has ended since the folder was listed, and left nothing.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(JournalError { action: "read", path, reason: error.to_string() }),
        }
    }
    abandoned.sort_by(|a, b| a.run.cmp(&b.run));
    alive.sort_by(|a, b| a.run.cmp(&b.run));
    Ok((abandoned, alive))
}

enum Found {
    Abandoned(Abandoned),
    Alive(Alive),
}

fn read(path: &Path, run: &str) -> std::io::Result<Found> {
    let lock = File::open(path)?;
    let alive = match lock.try_lock() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    let (run, text) = (run.to_owned(), std::fs::read_to_string(path)?);
    let mut lines = text.lines();
    let engine = lines.next().and_then(|line| serde_json::from_str(line).ok()).map(|head: Head| head.engine);
    // A run killed while it wrote leaves half a line, and has created nothing of that name yet.
    let entries = lines.clone().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let cache = lines.find_map(|line| serde_json::from_str(line).ok()).map(|line: CacheLine| line.cache);
    Ok(match alive {
        true => Found::Alive(Alive { run, engine, notes_cache: cache.is_some() }),
        false => Found::Abandoned(Abandoned { run, engine, entries, cache, path: path.to_owned(), _lock: lock }),
    })
}

fn remove(path: &Path) -> Result<(), JournalError> {
    std::fs::remove_file(path).map_err(|error| JournalError {
        action: "remove",
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// The per-user folder for journals: `$XDG_STATE_HOME/dindbench`, else `~/.local/state/dindbench`.
pub fn state_folder() -> PathBuf {
    std::env::var_os("XDG_STATE_HOME").map_or_else(|| home().join(".local/state"), PathBuf::from).join("dindbench")
}

/// The per-user folder for packed images: `$XDG_CACHE_HOME/dindbench`, else `~/.cache/dindbench`.
pub fn cache_folder() -> PathBuf {
    std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home().join(".cache"), PathBuf::from).join("dindbench")
}

fn home() -> PathBuf {
    std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_run_is_left_alone_and_an_abandoned_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path(), "r1", "engine").unwrap();
        journal.creating(Kind::Volume, "dindbench-r1-disk").unwrap();
        let note = CacheNote { before: BTreeSet::from(["a".to_owned()]), builds: 3 };
        journal.note_cache(&note).unwrap();
        let (abandoned, alive) = survey(folder.path()).unwrap();
        assert!(abandoned.is_empty());
        let living = |run: &str, notes_cache| Alive { run: run.into(), engine: Some("engine".into()), notes_cache };
        assert_eq!(alive, [living("r1", true)]);
        let other = Journal::create(folder.path(), "r0", "engine").unwrap();
        assert_eq!(survey(folder.path()).unwrap().1, [living("r0", false), living("r1", true)]);
        other.close().unwrap();

        drop(journal);
        std::fs::write(
            folder.path().join("r2.jsonl"),
            "{\"engine\":\"e\"}\n{\"kind\":\"image\",\"name\":\"i\"}\n{\"kind\":\"cont",
        )
        .unwrap();
        let (abandoned, alive) = survey(folder.path()).unwrap();
        assert!(alive.is_empty());
        let told: Vec<_> = abandoned.iter().map(|journal| (journal.run.as_str(), journal.entries.clone())).collect();
        assert_eq!(
            told,
            [
                ("r1", vec![Entry { kind: Kind::Volume, name: "dindbench-r1-disk".into() }]),
                ("r2", vec![Entry { kind: Kind::Image, name: "i".into() }]),
            ]
        );
        assert_eq!((&abandoned[0].cache, &abandoned[1].cache), (&Some(note), &None));
        abandoned.into_iter().for_each(|journal| journal.close().unwrap());
        assert!(survey(folder.path()).unwrap().0.is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_journals() {
        let folder = tempfile::tempdir().unwrap();
        assert!(survey(&folder.path().join("none")).unwrap().0.is_empty());
    }
}
