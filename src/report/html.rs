//! The report as one HTML file: no network, no script, its font inside.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::page::Page;
use super::plot::FONT;
use super::table::{HEADINGS, LEGEND, Row};

#[derive(Template)]
#[template(path = "report.html")]
struct Html<'a> {
    page: &'a Page,
    font: String,
    legend: &'static str,
}

pub(super) fn render(page: &Page) -> Result<String, askama::Error> {
    Html { page, font: embedded_font(), legend: LEGEND }.render()
}

/// The font as it stands in a page.
pub(super) fn embedded_font() -> String {
    STANDARD.encode(FONT)
}

/// Keeps a number and its unit, and both sides of an equals sign, on one line.
pub(super) fn unbroken(text: &str) -> String {
    const UNITS: [&str; 15] =
        ["ns", "µs", "ms", "s", "min", "h", "B", "kB", "MB", "GB", "TB", "%", "CI", "block", "blocks"];
    let mut words = text.split(' ').peekable();
    let mut line = String::with_capacity(text.len());
    while let Some(word) = words.next() {
        line.push_str(word);
        let Some(next) = words.peek() else { break };
        let number = word == "%" || word.ends_with(|last: char| last.is_ascii_digit());
        let unit = UNITS.contains(&next.trim_end_matches([',', ';', '.', ')', ':']));
        line.push(if number && unit || word == "=" || *next == "=" { '\u{a0}' } else { ' ' });
    }
    line
}

/// The comparison table, which the page holds once per subject.
#[derive(Template)]
#[template(path = "comparison.html")]
struct Comparison<'a> {
    rows: &'a [Row],
    headings: [&'static str; 8],
}

impl Html<'_> {
    fn unbroken(&self, text: &str) -> String {
        unbroken(text)
    }

    fn comparison<'b>(&self, rows: &'b [Row]) -> Comparison<'b> {
        Comparison { rows, headings: HEADINGS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_with_its_unit() {
        assert_eq!(
            unbroken("a (95.3 % CI 1.1–1.2, n = 7 blocks; 2.20 s against 1 min 02 s)."),
            "a (95.3\u{a0}%\u{a0}CI 1.1–1.2, n\u{a0}=\u{a0}7\u{a0}blocks; 2.20\u{a0}s against 1\u{a0}min 02\u{a0}s)."
        );
    }
}
