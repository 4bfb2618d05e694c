//! `dindbench compare`: holds a run against an older one of the same scenario; needs no Docker.

use miette::Diagnostic;

use super::report::ReportRunError;
use super::{Exit, Failure, print, terminal_width};
use crate::analysis::{self, Analysis, Deviation, Undecidable};
use crate::cli::{CompareArgs, ComparisonFormat};
use crate::record::RunDir;
use crate::report::change::{Side, TwoRuns, told};

/// Deviations that a refusal names; what follows from them is seldom of use.
const TOLD: usize = 8;

/// Two runs that cannot be compared.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum Refusal {
    #[error("BASE and NEW did not measure the same thing{}", list(.0))]
    #[diagnostic(help(
        "compare runs of one scenario, with the same --only, --driver, --builder and kind of --host; blocks and seed may differ"
    ))]
    Scenarios(Vec<Deviation>),
    #[error(transparent)]
    #[diagnostic(help("compare runs in which a topology other than the baseline has valid values"))]
    NothingShared(Undecidable),
    #[error("{reason}")]
    #[diagnostic(help("with at least {needed} blocks in each run there is one: run with --blocks {needed} or more"))]
    TooFewBlocks { reason: Undecidable, needed: usize },
}

pub fn run(args: &CompareArgs) -> Result<Exit, Failure> {
    let (base_dir, new_dir) = (open(&args.base)?, open(&args.new)?);
    let (base, new) = (base_dir.record(), new_dir.record());
    let differ = analysis::scenarios(base, new);
    if !differ.is_empty() {
        return Err(Failure::usage(Refusal::Scenarios(differ)));
    }
    let base = Side { run: base, analysis: &analyse(&base_dir)? };
    let new = Side { run: new, analysis: &analyse(&new_dir)? };
    let threshold = args.threshold.fraction();
    let changes = &analysis::changes(base.analysis, new.analysis, threshold).map_err(Refusal::from)?;
    let conditions = &analysis::conditions((base.run, base.analysis), (new.run, new.analysis));
    let two = TwoRuns { base, new, changes, conditions };
    let text = match args.format {
        ComparisonFormat::Table => two.terminal(terminal_width()),
        ComparisonFormat::Markdown => two.markdown(),
        ComparisonFormat::Json => two.json(),
    };
    print(text.as_bytes())?;
    Ok(if changes.regressions().next().is_some() { Exit::Regression } else { Exit::Done })
}

fn open(path: &std::path::Path) -> Result<RunDir, ReportRunError> {
    Ok(RunDir::open(path)?)
}

fn analyse(dir: &RunDir) -> Result<Analysis, ReportRunError> {
    Ok(Analysis::of(dir)?)
}

fn list(differ: &[Deviation]) -> String {
    let mut text: String = differ.iter().take(TOLD).map(|one| format!("\n  {}", told(one))).collect();
    if differ.len() > TOLD {
        text.push_str(&format!("\n  and {} more", differ.len() - TOLD));
    }
    text
}

impl From<Undecidable> for Refusal {
    fn from(reason: Undecidable) -> Self {
        match reason {
            Undecidable::NothingShared => Self::NothingShared(reason),
            Undecidable::TooFewBlocks { needed, .. } => Self::TooFewBlocks { reason, needed },
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::usage(refusal)
    }
}
