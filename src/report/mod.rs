//! What a person reads: one self-contained HTML page, Markdown for a pull request, and the figures; and the same
//! numbers for programs.
//!
//! A report is a pure function of the rows and `run.toml`: it needs no Docker, and the same run gives the same bytes.

mod answer;
mod at_once;
mod caution;
pub mod change;
mod choice;
mod claims;
mod data;
mod environment;
mod html;
mod markdown;
mod noise;
mod overview;
mod page;
mod plot;
mod pool;
mod resources;
mod shown;
mod steadiness;
mod summary;
pub mod table;
mod words;

use std::path::{Path, PathBuf};

pub use answer::{Sentence, answer};
pub use claims::{Found, ledger, standing, write_claims, write_findings};
pub use noise::self_check;
pub use overview::{Member, write_overview};
pub use plot::{Figure, PlotError, figures};
pub use pool::pool;

use crate::analysis::Analysis;
use crate::record::{RunRecord, TrialRow};

/// The files of a finished report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub html: PathBuf,
    pub markdown: PathBuf,
    /// Every figure as SVG; with the feature `png` as PNG too.
    pub plots: Vec<PathBuf>,
    /// What programs read: `summary.json`, `summary.csv`, `bench.txt`, `junit.xml`.
    pub data: Vec<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("cannot write {}: {reason}; the directory of a report must be writable", path.display())]
    Write { path: PathBuf, reason: String },
    #[error("cannot read the prices of the recorded scenario: {0}")]
    Cost(String),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("cannot fill in the report's page: {0}")]
    Page(#[from] askama::Error),
    #[error("cannot put the report's numbers into rows: {0}")]
    Rows(#[from] csv::Error),
}

/// Writes `report.html`, `report.md`, the figures in `plots/` and the files for programs into `dir`, over those of an earlier
/// report. What was found of claims becomes a section of it.
pub fn write(
    dir: &Path,
    run: &RunRecord,
    analysis: &Analysis,
    trials: &[TrialRow],
    found: &[Found],
) -> Result<Written, ReportError> {
    let page = page::Page::new(run, analysis, trials, found)?;
    let html = html::render(&page)?;
    let data = summary::files(run, analysis)?;
    let plots = folder(dir)?;
    let written = Written {
        html: file(dir.join("report.html"), html.as_bytes())?,
        markdown: file(dir.join("report.md"), markdown::render(&page).as_bytes())?,
        plots: page.figures.iter().map(|figure| plot(&plots, figure)).collect::<Result<Vec<_>, _>>()?.concat(),
        data: data.iter().map(|(name, text)| file(dir.join(name), text.as_bytes())).collect::<Result<_, _>>()?,
    };
    Ok(written)
}

/// Makes the folder of a report's figures.
fn folder(dir: &Path) -> Result<PathBuf, ReportError> {
    let plots = dir.join("plots");
    match std::fs::create_dir_all(&plots) {
        Ok(()) => Ok(plots),
        Err(error) => Err(ReportError::Write { path: plots, reason: error.to_string() }),
    }
}

/// A figure in each of its forms.
fn plot(plots: &Path, figure: &Figure) -> Result<Vec<PathBuf>, ReportError> {
    let place = plots.join(figure.name);
    Ok(vec![
        file(place.with_extension("svg"), figure.svg.as_bytes())?,
        #[cfg(feature = "png")]
        file(place.with_extension("png"), &figure.png()?)?,
    ])
}

fn file(path: PathBuf, content: &[u8]) -> Result<PathBuf, ReportError> {
    match std::fs::write(&path, content) {
        Ok(()) => Ok(path),
        Err(error) => Err(ReportError::Write { path, reason: error.to_string() }),
    }
}
