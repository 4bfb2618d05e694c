//! What a job used besides time, and how its trials went.

use std::ops::RangeInclusive;

use super::shown::shown;
use super::words::{self, cell, centre_text, spread_text};
use crate::analysis::{Analysis, CaseKey, Cell, Metric, Subject, Summary};
use crate::case::{Op, Status};
use crate::record::TrialRow;
use crate::stats::Estimate;
use crate::units;

/// A table whose cells are ready to be shown, but not yet escaped for HTML or Markdown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) headings: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// In the order in which they are read: the phases of builds, what travels, what stays, what it cost.
const METRICS: [Metric; 11] = [
    Metric::UploadNs,
    Metric::ExportNs,
    Metric::BytesPulled,
    Metric::BytesPushed,
    Metric::DiskDeltaBytes,
    Metric::DiskBytes,
    Metric::InstructionsCached,
    Metric::CpuNs,
    Metric::PeakMemoryBytes,
    Metric::IoReadBytes,
    Metric::IoWriteBytes,
];

/// Medians of whole jobs for every metric that has data somewhere; what was pushed only where a step pushes.
pub(super) fn jobs(analysis: &Analysis) -> Grid {
    let usable = |metric: Metric| {
        move |cell: &&Cell| {
            cell.metric == metric && cell.case.subject == Subject::Job && cell.summary != Summary::Missing
        }
    };
    let pushes = |cell: &Cell| matches!(cell.case.subject, Subject::Step { op: Op::Push, .. });
    let metrics: Vec<Metric> = METRICS
        .into_iter()
        .filter(|metric| *metric != Metric::BytesPushed || analysis.cells.iter().any(pushes))
        .filter(|metric| analysis.cells.iter().any(|cell| usable(*metric)(&cell)))
        .collect();
    let mut cases: Vec<&CaseKey> = metrics
        .iter()
        .flat_map(|metric| analysis.cells.iter().filter(usable(*metric)))
        .map(|cell| &cell.case)
        .collect();
    cases.sort_unstable();
    cases.dedup();
    let mut rows = Vec::new();
    for case in cases {
        for (topology, arm) in analysis.arms.iter().enumerate() {
            let edit = if topology == 0 { case.edit.to_string() } else { String::new() };
            let values = metrics.iter().map(|metric| value(analysis, topology, case, *metric));
            rows.push([edit, shown(&arm.name)].into_iter().chain(values).collect());
        }
    }
    let headings = ["edit", "topology"].into_iter().chain(metrics.into_iter().map(words::metric));
    Grid { headings: headings.map(str::to_owned).collect(), rows }
}

fn value(analysis: &Analysis, topology: usize, case: &CaseKey, metric: Metric) -> String {
    let Some(cell) = cell(analysis, topology, case, metric) else { return "no data".to_owned() };
    let (centre, spread) = (centre_text(metric, &cell.summary), spread_text(metric, &cell.summary));
    if spread.is_empty() { centre } else { format!("{centre}, {spread}") }
}

/// One line per topology: trials, re-runs, and the set-up that no other number contains.
pub(super) fn trials(analysis: &Analysis, trials: &[TrialRow]) -> Grid {
    let headings = ["topology", "trials", "ok", "re-runs", "set-up, untimed", "tear-down, untimed"];
    let rows = analysis.arms.iter().map(|arm| {
        let own: Vec<&TrialRow> =
            trials.iter().filter(|trial| !trial.warmup && trial.topology.as_str() == arm.name).collect();
        let count = |wanted: fn(&TrialRow) -> bool| own.iter().filter(|trial| wanted(trial)).count().to_string();
        vec![
            shown(&arm.name),
            own.len().to_string(),
            count(|trial| trial.status == Status::Ok),
            count(|trial| trial.attempt > 1),
            span(own.iter().filter_map(|trial| trial.setup_ns)),
            span(own.iter().filter_map(|trial| trial.teardown_ns)),
        ]
    });
    Grid { rows: rows.collect(), headings: headings.map(str::to_owned).to_vec() }
}

/// From the shortest to the longest.
fn span(durations: impl Iterator<Item = u64> + Clone) -> String {
    match (durations.clone().min(), durations.max()) {
        (Some(low), Some(high)) => span_text(low..=high),
        _ => "no data".to_owned(),
    }
}

fn span_text(range: RangeInclusive<u64>) -> String {
    let (low, high) = (units::nanos(*range.start() as f64), units::nanos(*range.end() as f64));
    if low == high { low } else { format!("{low} to {high}") }
}

/// In percent, with the interval.
fn share(share: Estimate) -> String {
    let percent = |part: f64| format!("{:.1}", part * 100.0);
    let point = format!("{} %", percent(share.point));
    match share.interval {
        Some(interval) => format!("{point} ({}–{})", percent(interval.low), percent(interval.high)),
        None => point,
    }
}

/// Every class of failure with one of its messages.
pub(super) fn failures(analysis: &Analysis) -> Grid {
    let headings = ["topology", "step", "class", "samples", "share (95 % CI)", "one of the messages"];
    let rows = analysis.failures.iter().map(|failure| {
        vec![
            shown(&analysis.arms[failure.topology].name),
            failure.op.to_string(),
            failure.class.to_string(),
            format!("{} of {}", failure.count, failure.share.n),
            share(failure.share),
            shown(&failure.example),
        ]
    });
    Grid { rows: rows.collect(), headings: headings.map(str::to_owned).to_vec() }
}
