//! The comparison table: absolute values, ratios with their base, verdicts and what was excluded.

use comfy_table::presets::{ASCII_MARKDOWN, UTF8_HORIZONTAL_ONLY};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table};

use super::shown::shown;
use super::words::{centre_text, ratio, spread_text};
use crate::analysis::{Analysis, CaseKey, Cell, Comparison, Contrast, Metric, Subject, Verdict};
use crate::case::Edit;

/// One line: a topology after an edit, and one of the comparisons it takes part in. Every field is ready to be
/// shown, but not yet escaped for HTML or Markdown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// Filled in the first line of each edit only.
    pub(super) edit: String,
    /// Topology, median, spread and excluded are filled in the first line of each topology only.
    pub(super) topology: String,
    pub(super) median: String,
    pub(super) spread: String,
    pub(super) excluded: String,
    pub(super) reference: String,
    pub(super) contrast: String,
    pub(super) ratio: String,
    pub(super) interval: String,
    pub(super) n: String,
    pub(super) verdict: String,
    /// `q 0.016`
    pub(super) q: String,
}

/// What the columns mean, said once under every table.
pub(super) const LEGEND: &str = "Ratio = time of the topology / time of what it is compared with: above 1× it is \
    slower, below 1× faster. It is made within blocks, so it is not the quotient of two medians. An interval (CI) is \
    printed with its true coverage and exists from 6 blocks on, and is not adjusted for the number of comparisons; q is: the share of wrong ones to be expected among all differences with a q as \
    small. \
    Excluded samples are in no statistic: they failed, timed out, were invalid, came after a job that failed, or another job of \
    their block did.";

pub(super) const HEADINGS: [&str; 8] =
    ["edit", "topology", "median time", "compared with", "ratio", "n", "verdict", "excluded"];

/// The elapsed times of one subject, by edit and then in the scenario's order of topologies.
pub(super) fn rows(analysis: &Analysis, subject: &Subject) -> Vec<Row> {
    let cells: Vec<&Cell> = analysis
        .cells
        .iter()
        .filter(|cell| cell.metric == Metric::ElapsedNs && cell.case.subject == *subject)
        .collect();
    let mut edits: Vec<Edit> = cells.iter().map(|cell| cell.case.edit).collect();
    edits.sort_unstable();
    edits.dedup();
    edits.into_iter().flat_map(|edit| edit_rows(analysis, &cells, subject, edit)).collect()
}

fn edit_rows(analysis: &Analysis, cells: &[&Cell], subject: &Subject, edit: Edit) -> Vec<Row> {
    let case = CaseKey { subject: subject.clone(), edit };
    let mut rows: Vec<Row> = (0..analysis.arms.len())
        .flat_map(|topology| {
            let cell = cells.iter().find(|cell| cell.topology == topology && cell.case == case);
            topology_rows(analysis, topology, cell.copied(), &case)
        })
        .collect();
    if let Some(first) = rows.first_mut() {
        first.edit = edit.to_string();
    }
    rows
}

fn topology_rows(analysis: &Analysis, topology: usize, cell: Option<&Cell>, case: &CaseKey) -> Vec<Row> {
    let mut comparisons: Vec<&Comparison> = analysis
        .comparisons
        .iter()
        .filter(|one| one.topology == topology && one.metric == Metric::ElapsedNs && one.case == *case)
        .collect();
    comparisons.sort_by_key(|one| match one.contrast {
        Contrast::Nesting => 0,
        Contrast::Lifecycle => 1,
        Contrast::JobContainer => 2,
        Contrast::Proxy => 3,
        Contrast::Repeat => 4,
        Contrast::Control => 5,
        Contrast::Whole => 6,
    });
    let mut rows: Vec<Row> = comparisons.into_iter().map(|one| compared(analysis, one)).collect();
    if rows.is_empty() {
        let contrast = if topology == analysis.baseline { "baseline" } else { "" };
        rows.push(Row { contrast: contrast.to_owned(), ..Row::default() });
    }
    let first = &mut rows[0];
    first.topology = shown(&analysis.arms[topology].name);
    first.median = cell.map_or_else(|| "no data".to_owned(), |cell| centre_text(cell.metric, &cell.summary));
    first.spread = cell.map_or_else(String::new, |cell| spread_text(cell.metric, &cell.summary));
    first.excluded = cell.map_or(0, |cell| cell.excluded).to_string();
    rows
}

fn compared(analysis: &Analysis, comparison: &Comparison) -> Row {
    let words = comparison.ratio.as_ref().map(ratio);
    let verdict = match (comparison.verdict, &comparison.ratio) {
        (Some(verdict), _) => verdict_text(verdict).to_owned(),
        (None, Some(_)) => "undecided".to_owned(),
        (None, None) => "not comparable".to_owned(),
    };
    Row {
        reference: shown(&analysis.arms[comparison.reference].name),
        contrast: contrast_text(comparison.contrast).to_owned(),
        ratio: words.as_ref().map_or_else(|| "–".to_owned(), |words| words.point.clone()),
        interval: words.map_or_else(String::new, |words| words.interval),
        n: comparison.blocks.to_string(),
        verdict,
        q: comparison
            .q
            .map_or_else(String::new, |q| if q < 0.001 { "q < 0.001".to_owned() } else { format!("q {q:.3}") }),
        ..Row::default()
    }
}

pub(super) fn contrast_text(contrast: Contrast) -> &'static str {
    match contrast {
        Contrast::Nesting => "nesting",
        Contrast::Lifecycle => "lifecycle",
        Contrast::JobContainer => "job container",
        Contrast::Proxy => "proxy",
        Contrast::Repeat => "none: noise floor",
        Contrast::Control => "none: control",
        Contrast::Whole => "more than one difference",
    }
}

fn verdict_text(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Equivalent => "equivalent",
        Verdict::Indistinguishable => "indistinguishable",
    }
}

impl Row {
    /// The cells under `HEADINGS`.
    pub(super) fn cells(&self) -> [String; 8] {
        let with = |main: &str, detail: &str| match (main, detail) {
            ("", detail) => detail.to_owned(),
            (main, "") => main.to_owned(),
            (main, detail) => format!("{main}, {detail}"),
        };
        [
            self.edit.clone(),
            self.topology.clone(),
            with(&self.median, &self.spread),
            if self.reference.is_empty() {
                self.contrast.clone()
            } else {
                format!("{} ({})", self.reference, self.contrast)
            },
            with(&self.ratio, &self.interval),
            self.n.clone(),
            with(&self.verdict, &self.q),
            self.excluded.clone(),
        ]
    }
}

/// The table of whole jobs for a terminal of `width` columns; without a width as plain text with unbroken lines.
pub fn terminal(analysis: &Analysis, width: Option<u16>) -> String {
    let mut table = styled(width);
    table.set_header(HEADINGS);
    for row in rows(analysis, &Subject::Job) {
        table.add_row(row.cells());
    }
    for numeric in [5, 7] {
        if let Some(column) = table.column_mut(numeric) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{}\n{LEGEND}\n", table.trim_fmt())
}

/// A table of texts for a terminal of `width` columns; without a width as plain text with unbroken lines.
pub fn plain(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>, width: Option<u16>) -> String {
    let mut table = styled(width);
    table.set_header(headings);
    for row in rows {
        table.add_row(row.iter().map(|cell| shown(cell)));
    }
    format!("{}\n", table.trim_fmt())
}

/// An empty table for a terminal of `width` columns, or for plain text.
pub(super) fn styled(width: Option<u16>) -> Table {
    let mut table = Table::new();
    match width {
        Some(width) => table
            .load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.load_style(ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled),
    };
    table
}
