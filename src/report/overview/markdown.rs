//! The overview for a pull request.

use super::{LIMITS, Overview};
use crate::report::markdown::{inline, table};

pub(super) fn render(page: &Overview) -> String {
    let mut text = format!("# {}\n\n{}\n", inline(&page.title), inline(&page.origin.join(" · ")));
    if !page.cautions.is_empty() {
        text.push_str("\n> **Before you read the numbers**\n>\n");
        page.cautions.iter().for_each(|caution| text.push_str(&format!("> - {}\n", inline(caution))));
    }
    text.push_str("\n## Runs\n\n");
    table(&mut text, &page.runs.headings, &page.runs.rows);
    text.push_str("\nTheir own reports:\n\n");
    for (row, link) in page.runs.rows.iter().zip(&page.links) {
        text.push_str(&format!("- [{}]({link}.md)\n", inline(&row[0])));
    }
    text.push_str("\n## What they say together\n\n");
    if page.ratios.rows.is_empty() {
        text.push_str("No two of them measured the same ratio.\n");
    } else {
        table(&mut text, &page.ratios.headings, &page.ratios.rows);
    }
    if let Some(figure) = &page.figure {
        text.push_str(&format!("\n![{}](plots/{}.svg)\n\n{}\n", figure.title, figure.name, inline(&figure.caption)));
    }
    if !page.checks.is_empty() {
        text.push_str("\n## What they say of themselves\n\n");
        page.checks.iter().for_each(|check| text.push_str(&format!("- {}\n", inline(check))));
    }
    if !page.conditions.rows.is_empty() {
        text.push_str("\n## What differs\n\n");
        table(&mut text, &page.conditions.headings, &page.conditions.rows);
    }
    text.push_str("\n## How to read it\n\n");
    LIMITS.iter().for_each(|limit| text.push_str(&format!("- {}\n", inline(limit))));
    text
}
