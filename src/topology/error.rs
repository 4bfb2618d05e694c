//! What goes wrong with an environment, and how an engine's end is told.

use std::fmt;
use std::time::Duration;

use crate::case::FileSystem;
use crate::engine::{Engine, EngineError};
use crate::image::ImageError;
use crate::journal::JournalError;
use crate::registry;
use crate::scenario::EngineVersion;

/// An environment could not be provided.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Registry(#[from] registry::Error),
    #[error("{0}")]
    Died(Death),
    #[error("the {role} engine did not answer within {}", humantime::format_duration(*.deadline))]
    NotReady { role: String, deadline: Duration },
    #[error("the outer engine is another than asked for: {0}")]
    Driver(String),
    #[error("a loop device still has the file {file}, long after its engine has gone")]
    Attached { file: String },
    #[error(
        "data_root = \"loop:{file_system}\" cannot be had with an engine {engine}: {reason}. The systems of scripts/images have \
         what makes it: name one as the topology's `engine`, or leave the topology out with --only"
    )]
    FileSystem { engine: EngineVersion, file_system: FileSystem, reason: String },
    #[error(
        "what the lifecycle throws away after a job is still there, so this job would find it: see how the stop before it failed"
    )]
    StillThere,
    #[error("the {container} container gave an answer that makes no sense: {reason}")]
    Answer { container: String, reason: String },
}

/// The end of an engine, or of another program of ours in a container, that should have gone on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// Name of the container.
    pub container: String,
    /// Empty where the container is gone with its exit code.
    pub exit_code: Option<i64>,
    /// The last line that names an error, else the last line.
    pub last_line: String,
}

impl Death {
    /// The end of a container, where it has ended.
    pub(super) async fn of(engine: &Engine, container: &str) -> Result<Option<Self>, EngineError> {
        let Some(exit) = engine.exit_of(container).await? else { return Ok(None) };
        let last_line = last_error_line(&engine.last_lines(container, 50).await?);
        Ok(Some(Self { container: container.to_owned(), exit_code: Some(exit.code), last_line }))
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the container {} ended", self.container)?;
        if let Some(code) = self.exit_code {
            write!(f, " with exit code {code}")?;
        }
        if !self.last_line.is_empty() {
            write!(f, "; its last words: {}", self.last_line)?;
        }
        Ok(())
    }
}

/// The line of a log that says why a program ended: the last one that reads like an error, else the last one.
pub(super) fn last_error_line(log: &str) -> String {
    const ERRORS: [&str; 7] = ["level=fatal", "level=error", "failed to", "cannot", "rror:", "panic", "refused"];
    let lines: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty() && !chatter(line)).collect();
    let telling = lines.iter().rev().find(|line| ERRORS.iter().any(|word| line.contains(word)));
    telling.or(lines.last()).map_or_else(String::new, |line| (*line).to_owned())
}

/// Whether a line says no more than that something else has ended.
fn chatter(line: &str) -> bool {
    line.starts_with("dindbench: the engine ended") || (line.starts_with("[rootlesskit:child") && line.ends_with("EOF"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_is_told_not_the_chatter_after_it() {
        let log = "time=\"1\" level=info msg=\"Starting up\"\n\
            failed to start daemon: error initializing graphdriver: driver not supported\n\
            time=\"2\" level=info msg=\"bye\"\ndindbench: the engine ended: exit status: 1\n";
        assert_eq!(
            last_error_line(log),
            "failed to start daemon: error initializing graphdriver: driver not supported"
        );
        assert_eq!(last_error_line("one\ntwo\n"), "two");
        assert_eq!(last_error_line(""), "");
        let log =
            "[rootlesskit:parent] error: failed to setup network: ip: not found\n[rootlesskit:child ] error: EOF\n";
        assert_eq!(last_error_line(log), "[rootlesskit:parent] error: failed to setup network: ip: not found");
    }
}
