//! The report for a pull request: question, answer, table, and links to the figures.

use super::page::Page;
use super::table::{HEADINGS, LEGEND};

pub(super) fn render(page: &Page) -> String {
    let mut text = format!("# {}\n\n{}\n", inline(&page.question), inline(&page.origin.join(" · ")));
    for sentence in &page.answer {
        text.push_str(&format!("\n**{}:** {}\n", sentence.effect, inline(&sentence.text)));
    }
    if !page.cautions.is_empty() {
        text.push_str("\n> **Before you read the numbers**\n>\n");
        page.cautions.iter().for_each(|caution| text.push_str(&format!("> - {}\n", inline(caution))));
    }
    text.push_str("\n## Elapsed time of a whole job\n\n");
    let rows: Vec<Vec<String>> = page.jobs.iter().map(|row| row.cells().to_vec()).collect();
    table(&mut text, &HEADINGS.map(str::to_owned), &rows);
    text.push_str(&format!("\n{}\n", inline(LEGEND)));
    page.prose.iter().for_each(|paragraph| text.push_str(&format!("\n{}\n", inline(paragraph))));
    text.push_str("\n## Figures\n");
    for figure in &page.figures {
        text.push_str(&format!("\n![{}](plots/{}.svg)\n\n{}\n", figure.title, figure.name, inline(&figure.caption)));
    }
    for (title, grid) in [
        ("Jobs at once", &page.at_once),
        ("What a job used", &page.resources),
        ("Failures", &page.failures),
        ("Steadiness", &page.steadiness),
        ("Trials", &page.trials),
    ] {
        if !grid.rows.is_empty() {
            text.push_str(&format!("\n## {title}\n\n"));
            table(&mut text, &grid.headings, &grid.rows);
        }
        if title == "Steadiness" {
            page.steadiness_notes.iter().for_each(|note| text.push_str(&format!("\n{}\n", inline(note))));
        }
    }
    if !page.decision.grid.rows.is_empty() {
        text.push_str("\n## What it means for a choice\n\n");
        page.decision.sentences.iter().for_each(|sentence| text.push_str(&format!("- {}\n", inline(sentence))));
        text.push('\n');
        table(&mut text, &page.decision.grid.headings, &page.decision.grid.rows);
    }
    if !page.claims.rows.is_empty() {
        text.push_str("\n## What is said, tested\n\n");
        table(&mut text, &page.claims.headings, &page.claims.rows);
    }
    text.push_str(&format!("\n## How to repeat it\n\n{}\n\n", code(&page.command)));
    page.identity.iter().for_each(|(name, value)| text.push_str(&format!("- {name}: {}\n", inline(value))));
    text.push_str("\n## What the numbers do not show\n\n");
    page.limits.iter().for_each(|limit| text.push_str(&format!("- {}\n", inline(limit))));
    for (what, why) in &page.unavailable {
        text.push_str(&format!("- Not measured: {}, because {}\n", inline(what), inline(why)));
    }
    text
}

pub(super) fn table(text: &mut String, headings: &[String], rows: &[Vec<String>]) {
    let mut line = |cells: &[String]| {
        text.push('|');
        cells.iter().for_each(|cell| text.push_str(&format!(" {cell} |")));
        text.push('\n');
    };
    line(headings);
    line(&vec!["---".to_owned(); headings.len()]);
    for row in rows {
        line(&row.iter().map(|cell| inline(cell)).collect::<Vec<_>>());
    }
}

/// Text that no Markdown reader takes for anything but text, within a table cell too. Entities rather than
/// backslashes: a table splits its cells before it looks at anything else.
pub(super) fn inline(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '~' | '|' | '[' | ']' | '#' | '!' | '$' => {
                safe.push_str(&format!("&#{};", character as u32));
            }
            // Sites turn "@name" into a message to that person, an address into a link.
            '@' => safe.push_str("&#64;<!-- -->"),
            other => safe.push(other),
        }
    }
    safe.replace("://", "&#58;//").replace("www.", "www&#46;")
}

/// An indented block, in which nothing is read as Markdown.
fn code(line: &str) -> String {
    format!("    {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(
            inline("a|b `c` <script> [x](https://y) @me *_"),
            "a&#124;b &#96;c&#96; &lt;script&gt; &#91;x&#93;(https&#58;//y) &#64;<!-- -->me &#42;&#95;"
        );
        assert_eq!(inline("dind-kept takes 1.08× as long"), "dind-kept takes 1.08× as long");
    }

    #[test]
    fn a_cell_cannot_add_a_column_or_a_row() {
        let mut text = String::new();
        table(&mut text, &["a".into(), "b".into()], &[vec!["x|y".into(), "`|`".into()]]);
        assert_eq!(text, "| a | b |\n| --- | --- |\n| x&#124;y | &#96;&#124;&#96; |\n");
    }
}
