//! What a report says, for programs: JSON, CSV, lines for trackers of benchmarks, and test cases of the expectations.

mod csv;
mod json;
mod junit;
mod lines;

pub(super) use junit::findings;

use super::ReportError;
use crate::analysis::Analysis;
use crate::record::RunRecord;

/// Every file for programs, by its name in the report's folder.
pub(super) fn files(run: &RunRecord, analysis: &Analysis) -> Result<[(&'static str, String); 4], ReportError> {
    Ok([
        ("summary.json", json::render(run, analysis)),
        ("summary.csv", csv::render(run, analysis)?),
        ("bench.txt", lines::render(run, analysis)),
        ("junit.xml", junit::render(run, analysis)?),
    ])
}
