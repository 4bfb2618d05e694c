//! The changes as a comment.

use super::TwoRuns;
use super::row::{HEADINGS, Row, rows};
use super::sentence::{cautions, legend, origin, outcome, regressions};
use crate::analysis::Subject;
use crate::report::markdown::{inline, table};
use crate::report::shown::shown;

pub(super) fn render(two: &TwoRuns<'_>) -> String {
    let mut text =
        format!("## dindbench: {}\n\n{}\n", inline(&shown(&two.new.run.scenario)), inline(&outcome(two.changes)));
    list(&mut text, "", &regressions(two));
    text.push_str(&format!("\n- base: {}\n- new: {}\n", inline(&origin(two.base)), inline(&origin(two.new))));
    let cautions = cautions(two);
    if !cautions.is_empty() {
        text.push_str("\n> **Before you read the numbers**\n>\n");
        list(&mut text, "> ", &cautions);
    }
    text.push_str("\n### Whole jobs\n\n");
    add(&mut text, &rows(two, |subject| *subject == Subject::Job));
    text.push_str("\n<details><summary>Every step</summary>\n\n");
    add(&mut text, &rows(two, |subject| *subject != Subject::Job));
    text.push_str(&format!("\n</details>\n\n{}\n", inline(&legend(two))));
    text
}

fn list(text: &mut String, before: &str, lines: &[String]) {
    if before.is_empty() && !lines.is_empty() {
        text.push('\n');
    }
    lines.iter().for_each(|line| text.push_str(&format!("{before}- {}\n", inline(line))));
}

fn add(text: &mut String, rows: &[Row]) {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.to_vec()).collect();
    table(text, &HEADINGS.map(str::to_owned), &rows);
}
