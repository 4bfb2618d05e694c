//! `dindbench report`: reads runs back and writes their reports; needs no Docker.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{Exit, Failure, could_not_run, notice, print};
use crate::analysis::{AnalyseError, Analysis, pools, self_checks, together};
use crate::cli::ReportArgs;
use crate::record::{ClaimsDir, ReadError, RunDir, RunRecord, TrialRow};
use crate::report::{self, Found, Member, ReportError, Written};

#[derive(Debug, thiserror::Error)]
pub enum ReportRunError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Analyse(#[from] AnalyseError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("{} and an earlier run directory have the same name, and their reports would overwrite each other: \
             report them one by one", path.display())]
    SameName { path: PathBuf },
    #[error("{} is a copy of the run in {}, whose samples would count twice: leave one of them out", path.display(), other.display())]
    SameRun { path: PathBuf, other: PathBuf },
}

/// Writes a report per run: into the run directory itself, or into `out`. Several runs each get a folder of
/// their own name in `out`, which itself gets a page of all of them; what they tell together is said on standard error too.
/// Nothing is written unless every run can be opened and has a place of its own.
///
/// Tests of claims become a section of every report; without runs they are reported together, as one ledger.
pub fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let (tests, runs): (Vec<PathBuf>, Vec<PathBuf>) = args.runs.iter().cloned().partition(|run| ClaimsDir::is(run));
    let found = found(&tests)?;
    if runs.is_empty() {
        let ledger =
            report::write_claims(args.out.as_ref().unwrap_or(&tests[0]), &found).map_err(ReportRunError::from)?;
        return print(format!("{}\n", ledger.display()).as_bytes());
    }
    let reported = reports(&runs, args.out.as_deref(), &found)?;
    let mut places: Vec<&Path> = reported.iter().map(|one| one.written.html.as_path()).collect();
    let overview = match &args.out {
        Some(out) if reported.len() > 1 => Some(overview(out, &reported)?),
        _ => None,
    };
    places.extend(overview.as_deref());
    if reported.len() > 1 {
        of_all(&reported);
    }
    let places: String = places.iter().map(|place| format!("{}\n", place.display())).collect();
    print(places.as_bytes())
}

/// A run whose report was written.
struct Reported {
    /// The folder of the report.
    place: PathBuf,
    written: Written,
    record: RunRecord,
    analysis: Analysis,
}

impl Reported {
    fn member(&self) -> Member<'_> {
        let folder = self.place.file_name().unwrap_or_default();
        Member { run: &self.record, analysis: &self.analysis, folder }
    }
}

/// Writes the page of all runs into the folder that holds their own reports.
fn overview(out: &Path, reported: &[Reported]) -> Result<PathBuf, ReportRunError> {
    let members: Vec<Member> = reported.iter().map(Reported::member).collect();
    Ok(report::write_overview(out, &members)?)
}

/// Says what several runs tell together.
fn of_all(reported: &[Reported]) {
    pools(reported.iter().map(|one| (&one.record, &one.analysis)))
        .iter()
        .for_each(|one| notice(format_args!("all runs: {}", report::pool(one))));
    let checks = reported.iter().flat_map(|one| self_checks(&one.analysis.arms, &one.analysis.comparisons));
    together(checks.collect()).iter().for_each(|one| notice(format_args!("all runs: {}", report::self_check(one))));
}

fn found(tests: &[PathBuf]) -> Result<Vec<Found>, ReportRunError> {
    tests.iter().map(|test| Ok((test.clone(), ClaimsDir::open(test)?))).collect()
}

fn reports(runs: &[PathBuf], out: Option<&Path>, found: &[Found]) -> Result<Vec<Reported>, ReportRunError> {
    let dirs: Vec<RunDir> = runs.iter().map(|run| RunDir::open(run)).collect::<Result<_, _>>()?;
    let mut places: Vec<PathBuf> = Vec::with_capacity(dirs.len());
    for dir in &dirs {
        let place = match out {
            None => dir.path().to_owned(),
            Some(out) if dirs.len() == 1 => out.to_owned(),
            Some(out) => out.join(name(dir.path())),
        };
        if places.contains(&place) {
            return Err(ReportRunError::SameName { path: dir.path().to_owned() });
        }
        places.push(place);
    }
    // A test of claims measures several scenarios in one run.
    let measured = |dir: &RunDir| (dir.record().run_id.clone(), dir.record().scenario.clone());
    for (index, dir) in dirs.iter().enumerate() {
        if let Some(other) = dirs[..index].iter().find(|other| measured(other) == measured(dir)) {
            return Err(ReportRunError::SameRun { path: dir.path().to_owned(), other: other.path().to_owned() });
        }
    }
    let one = |(dir, place): (&RunDir, &PathBuf)| {
        let analysis = Analysis::of(dir)?;
        let written = write(dir, &analysis, place, found)?;
        Ok(Reported { place: place.clone(), written, record: dir.record().clone(), analysis })
    };
    dirs.iter().zip(&places).map(one).collect()
}

/// Writes the report of one run.
pub fn write(dir: &RunDir, analysis: &Analysis, place: &Path, found: &[Found]) -> Result<Written, ReportRunError> {
    let trials: Vec<TrialRow> = dir.trials()?.collect::<Result<_, _>>()?;
    Ok(report::write(place, dir.record(), analysis, &trials, found)?)
}

impl From<ReportRunError> for Failure {
    fn from(error: ReportRunError) -> Self {
        could_not_run(error)
    }
}

/// The last part of a run directory's path. A path such as `.` has none of its own: its canonical form has.
fn name(run: &Path) -> OsString {
    let full = run.canonicalize().unwrap_or_else(|_| run.to_owned());
    full.file_name().unwrap_or(OsStr::new("run")).to_owned()
}
