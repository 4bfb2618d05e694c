//! The table of changes: absolute medians of both runs, the ratios within each, and what changed.

use super::{Side, TwoRuns};
use crate::analysis::{CaseKey, Change, Metric, Subject};
use crate::report::shown::shown;
use crate::report::words::{cell, centre_text, ratio, subject};
use crate::stats::Estimate;

pub(super) const HEADINGS: [&str; 10] = [
    "step",
    "edit",
    "topology",
    "base median, unpaired",
    "new median, unpaired",
    "base ratio",
    "new ratio",
    "change",
    "n",
    "verdict",
];

/// The cells of one line, ready to be shown, but not yet escaped for Markdown.
pub(super) type Row = [String; HEADINGS.len()];

/// The rows of the subjects that are asked for: in each case the baseline, whose times are in every ratio, and then the
/// other topologies.
pub(super) fn rows(two: &TwoRuns<'_>, wanted: impl Fn(&Subject) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut before: Option<&CaseKey> = None;
    for change in two.changes.list.iter().filter(|change| wanted(&change.case.subject)) {
        let case = &change.case;
        if before != Some(case) {
            let step = if before.is_some_and(|before| before.subject == case.subject) {
                String::new()
            } else {
                subject(&case.subject)
            };
            let baseline = two.new.analysis.baseline;
            let [name, base, new] = absolute(two, baseline, case);
            let empty = String::new;
            let edit = case.edit.to_string();
            rows.push([step, edit, name, base, new, empty(), empty(), empty(), empty(), "baseline".to_owned()]);
            before = Some(case);
        }
        rows.push(row(two, change));
    }
    rows
}

fn row(two: &TwoRuns<'_>, change: &Change) -> Row {
    let [name, base, new] = absolute(two, change.topology, &change.case);
    let count = |estimate: &Option<Estimate>| estimate.map_or(0, |estimate| estimate.n);
    [
        String::new(),
        String::new(),
        name,
        base,
        new,
        estimate(&change.base),
        estimate(&change.new),
        estimate(&change.change),
        format!("{} and {}", count(&change.base), count(&change.new)),
        verdict(change),
    ]
}

/// The topology's name, and its medians in both runs.
fn absolute(two: &TwoRuns<'_>, topology: usize, case: &CaseKey) -> [String; 3] {
    let median = |side: Side<'_>| {
        cell(side.analysis, topology, case, Metric::ElapsedNs)
            .map_or_else(|| "no data".to_owned(), |cell| centre_text(cell.metric, &cell.summary))
    };
    [shown(&two.new.analysis.arms[topology].name), median(two.base), median(two.new)]
}

/// A ratio with its interval.
pub(super) fn estimate(estimate: &Option<Estimate>) -> String {
    estimate.as_ref().map(ratio).map_or_else(|| "–".to_owned(), |words| format!("{}, {}", words.point, words.interval))
}

fn verdict(change: &Change) -> String {
    match (change.verdict, change.change) {
        (Some(verdict), _) if change.regression => format!("{verdict}: regression"),
        (Some(verdict), _) => verdict.to_string(),
        (None, Some(_)) => "undecided".to_owned(),
        (None, None) => "not comparable".to_owned(),
    }
}
