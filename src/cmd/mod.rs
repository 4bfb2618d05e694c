//! The commands: each takes its arguments, does its work, and says how it ended.

pub mod claims;
pub mod clean;
pub mod compare;
pub mod completions;
mod connect;
mod description;
pub mod doctor;
mod environment;
mod forecast;
pub mod init;
pub mod inside;
mod interrupt;
pub mod man;
pub mod plan;
mod progress;
pub mod report;
pub mod run;
pub mod schema;
mod tenancy;

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use miette::{Diagnostic, Report};

use crate::analysis::Analysis;
use crate::cli::NotBuilt;
use crate::record::{RunDir, Text};
use crate::scenario::{LoadError, SelectionError};

/// Says something on stderr. Where nobody reads that any more, as when the key that interrupts this program has ended
/// `tee` too, the command goes on, and above all tears down.
fn notice(what: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "dindbench: {what}");
}

/// Says that records of the user's build cache are left because nobody can tell whose they are.
fn tell_left(records: usize) {
    if records > 0 {
        notice(format_args!(
            "{records} records of the build cache are new and may be another build's: they are left there"
        ));
    }
}

/// How a command ended, as the shell sees it. The numbers are a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// Nothing was measured.
    CouldNotRun = 1,
    /// Wrong usage, or an invalid scenario.
    Usage = 2,
    /// It ran, but some trials failed or were invalid, or an expectation broke.
    Incomplete = 3,
    /// A claim's verdict differs from the published one of that engine.
    UnexpectedVerdict = 4,
    /// `compare` found a regression.
    Regression = 5,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early: what to tell, and the exit code that goes with it.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub report: Report,
}

impl Failure {
    pub fn usage(error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self { exit: Exit::Usage, report: Report::new(error) }
    }

    pub fn could_not_run(error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self { exit: Exit::CouldNotRun, report: Report::new(error) }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Invalid(invalid) => Self::usage(*invalid),
            other => Self::usage(other),
        }
    }
}

impl From<SelectionError> for Failure {
    fn from(error: SelectionError) -> Self {
        Self { exit: Exit::Usage, report: Report::msg(error) }
    }
}

impl From<NotBuilt> for Failure {
    fn from(error: NotBuilt) -> Self {
        Self::usage(error)
    }
}

/// Writes a command's data to stdout. A reader that has seen enough and closed the pipe is no failure.
pub fn print(data: &[u8]) -> Result<Exit, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(data).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure { exit: Exit::CouldNotRun, report: miette::miette!("cannot write to stdout: {error}") })
        }
        _ => Ok(Exit::Done),
    }
}

/// Empty where stdout is no terminal.
fn terminal_width() -> Option<u16> {
    rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
}

/// An error that ended a command before or while it measured. It may tell what engines and registries said, whose words a terminal
/// must not take for its own.
fn could_not_run(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    let lines: Vec<String> = error.to_string().lines().map(escaped).collect();
    Failure { exit: Exit::CouldNotRun, report: Report::msg(lines.join("\n")) }
}

/// One line of others' words, as a terminal may show it.
fn escaped(line: &str) -> String {
    Text::from(line).escaped()
}

/// Whether every job's ratio of the run in this directory is known as closely as the goal says. Files that cannot be read are
/// told of at the end.
fn precise(dir: &Path, goal: f64) -> bool {
    let known = || Analysis::of(&RunDir::open(dir).ok()?).ok()?.half_width();
    known().is_some_and(|width| width <= goal)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(could_not_run)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The widest of the published run's ratios is that of `dind-kept` after a source edit, 0.8777 to 1.0412: √(1.0412 / 0.8777) is
    /// 1.089.
    #[test]
    fn a_run_is_known_as_closely_as_its_widest_ratio() {
        let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/2026-11-25-cloud-2cpu");
        assert_eq!([0.08, 0.10].map(|goal| precise(&run, goal)), [false, true]);
        assert!(!precise(Path::new("no such run"), 1.0));
    }
}
