//! The table of changes for a terminal.

use comfy_table::{CellAlignment, ColumnConstraint};

use super::TwoRuns;
use super::row::{HEADINGS, rows};
use super::sentence::{cautions, legend, origin, outcome, regressions};
use crate::report::table::styled;

pub(super) fn render(two: &TwoRuns<'_>, width: Option<u16>) -> String {
    let mut text = format!("base  {}\nnew   {}\n\n{}\n", origin(two.base), origin(two.new), outcome(two.changes));
    regressions(two).iter().for_each(|line| text.push_str(&format!("- {line}\n")));
    let cautions = cautions(two);
    if !cautions.is_empty() {
        text.push_str("\nBefore you read the numbers:\n");
        cautions.iter().for_each(|caution| text.push_str(&format!("- {caution}\n")));
    }
    let mut table = styled(width);
    table.set_header(HEADINGS);
    for row in rows(two, |_| true) {
        table.add_row(row);
    }
    for numeric in [3, 4] {
        if let Some(column) = table.column_mut(numeric) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // Words of a known length, which are not to be broken.
    for words in [1, 9] {
        if let Some(column) = table.column_mut(words) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    format!("{text}\n{}\n{}\n", table.trim_fmt(), legend(two))
}
