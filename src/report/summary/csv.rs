//! `summary.csv`: one row per topology, case and metric, with its comparison to the baseline.

use serde::Serialize;

use super::json::SCHEMA;
use crate::analysis::{Analysis, Cell, Comparison, Subject};
use crate::case::Edit;
use crate::record::{RunRecord, Text};
use crate::report::ReportError;
use crate::report::data::{median, spread};
use crate::stats::{Estimate, Interval};

/// The field names are the columns.
#[derive(Serialize)]
struct Row {
    schema: u32,
    run_id: Text,
    scenario: Text,
    topology: Text,
    op: String,
    step: Text,
    edit: Edit,
    metric: String,
    n: usize,
    median: Option<f64>,
    median_low: Option<f64>,
    median_high: Option<f64>,
    median_coverage: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    q1: Option<f64>,
    q3: Option<f64>,
    mad: Option<f64>,
    excluded: usize,
    baseline: Text,
    pairs: Option<usize>,
    ratio: Option<f64>,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    ratio_coverage: Option<f64>,
    difference: Option<f64>,
    difference_low: Option<f64>,
    difference_high: Option<f64>,
    difference_coverage: Option<f64>,
    verdict: Option<String>,
}

pub(super) fn render(run: &RunRecord, analysis: &Analysis) -> Result<String, ReportError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for cell in &analysis.cells {
        writer.serialize(row(run, analysis, cell))?;
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error).map_err(csv::Error::from)?;
    Ok(String::from_utf8(bytes).expect("text and numbers are UTF-8"))
}

fn row(run: &RunRecord, analysis: &Analysis, cell: &Cell) -> Row {
    let (op, step) = match &cell.case.subject {
        Subject::Job => ("job".to_owned(), ""),
        Subject::Step { op, name } => (op.to_string(), name.as_str()),
    };
    let median = median(&cell.summary);
    let spread = spread(&cell.summary);
    let compared = against_baseline(analysis, cell);
    let (ratio, difference) = (compared.and_then(|one| one.ratio), compared.and_then(|one| one.difference));
    Row {
        schema: SCHEMA,
        run_id: run.run_id.as_str().into(),
        scenario: run.scenario.as_str().into(),
        topology: analysis.arms[cell.topology].name.as_str().into(),
        op,
        step: step.into(),
        edit: cell.case.edit,
        metric: cell.metric.to_string(),
        n: median.map_or(0, |median| median.n),
        median: median.map(|median| median.point),
        median_low: bound(median, |interval| interval.low),
        median_high: bound(median, |interval| interval.high),
        median_coverage: bound(median, |interval| interval.coverage),
        min: spread.map(|[min, ..]| min),
        max: spread.map(|[_, max, ..]| max),
        q1: spread.map(|[_, _, q1, ..]| q1),
        q3: spread.map(|[_, _, _, q3, _]| q3),
        mad: spread.map(|[.., mad]| mad),
        excluded: cell.excluded,
        baseline: run.baseline.as_str().into(),
        pairs: compared.map(|one| one.blocks),
        ratio: ratio.map(|ratio| ratio.point),
        ratio_low: bound(ratio, |interval| interval.low),
        ratio_high: bound(ratio, |interval| interval.high),
        ratio_coverage: bound(ratio, |interval| interval.coverage),
        difference: difference.map(|difference| difference.point),
        difference_low: bound(difference, |interval| interval.low),
        difference_high: bound(difference, |interval| interval.high),
        difference_coverage: bound(difference, |interval| interval.coverage),
        verdict: compared.and_then(|one| one.verdict).map(|verdict| verdict.to_string()),
    }
}

fn bound(estimate: Option<Estimate>, of: fn(Interval) -> f64) -> Option<f64> {
    estimate.and_then(|estimate| estimate.interval).map(of)
}

fn against_baseline<'a>(analysis: &'a Analysis, cell: &Cell) -> Option<&'a Comparison> {
    let compared = |one: &&Comparison| {
        (one.topology, one.reference) == (cell.topology, analysis.baseline)
            && (one.metric, &one.case) == (cell.metric, &cell.case)
    };
    analysis.comparisons.iter().find(compared)
}
