//! Text that others wrote stays text wherever it is shown.

use dindbench::analysis::{Analysis, Phase, Subject};
use dindbench::record::RunRecord;
use dindbench::report::{figures, table};
use proptest::prelude::*;

use crate::drawn::assert_inside;
use crate::{example, rendered, sample};

/// `text` in every place of a run that somebody else fills.
fn spread(text: &str) -> (RunRecord, Analysis) {
    let (mut run, mut analysis) = (sample::run(), example());
    let owned = || text.to_owned();
    for arm in &mut analysis.arms {
        (arm.name, arm.kind, arm.parameters) = (owned(), owned(), owned());
        arm.storage_drivers = vec![owned(), format!("{text}2")];
    }
    analysis.ledger.iter_mut().for_each(|cell| cell.text = owned());
    analysis.phases = Some(vec![Phase { topology: 0, name: owned(), elapsed_ns: 1e9 }]);
    analysis.failures.iter_mut().for_each(|failure| failure.example = owned());
    for subject in analysis.cells.iter_mut().map(|cell| &mut cell.case.subject) {
        if let Subject::Step { name, .. } = subject {
            *name = owned();
        }
    }
    (run.question, run.scenario, run.host, run.started_at) = (format!("Q {text}"), owned(), owned(), owned());
    (run.version, run.revision, run.run_id) = (owned(), format!("r{text}"), owned());
    run.warnings = vec![owned()];
    run.unavailable = [(owned(), owned())].into();
    run.environment.privilege = owned();
    run.environment.host.cpu_model = owned();
    run.environment.engines = [(owned(), run.environment.engines["outer"].clone())].into();
    (run, analysis)
}

/// The marks that give a text its structure.
pub fn structure(text: &str, marks: &[&str]) -> Vec<usize> {
    marks.iter().map(|mark| text.matches(mark).count()).collect()
}

/// The marks that give HTML and SVG their structure.
pub const TAGS: [&str; 3] = ["<", ">", "\""];

/// That the figures of a run with a hostile text in it are built as those of one with a harmless text in its place.
pub fn assert_figures_contained(hostile: &Analysis, plain: &Analysis) {
    let (hostile, plain) = (figures(hostile).unwrap(), figures(plain).unwrap());
    assert_eq!(hostile.len(), plain.len());
    for (figure, plain) in hostile.iter().zip(plain) {
        assert_eq!(structure(&figure.svg, &TAGS), structure(&plain.svg, &TAGS), "{}", figure.name);
        // XML forbids these even as references.
        let allowed = |character: char| {
            character == '\n' || !(character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}'))
        };
        assert!(figure.svg.chars().all(allowed), "{}", figure.name);
    }
}

fn assert_contained(hostile: &str) {
    let (run, analysis) = spread(hostile);
    let (plain_run, plain_analysis) = spread("harmless");
    let (html, markdown) = rendered(&run, &analysis);
    let (plain_html, plain_markdown) = rendered(&plain_run, &plain_analysis);
    assert_eq!(structure(&html, &TAGS), structure(&plain_html, &TAGS));
    assert_figures_contained(&analysis, &plain_analysis);
    let markdown = markdown.replace("&#64;<!-- -->", "");
    let marks = ["\n", "|", "`", "<", "[", "](", "@", "://"];
    assert_eq!(structure(&markdown, &marks), structure(&plain_markdown, &marks));
    let controls = |text: &str| text.chars().filter(|character| character.is_control() && *character != '\n').count();
    for text in [&html, &markdown, &table::terminal(&analysis, None), &table::terminal(&analysis, Some(100))] {
        assert_eq!(controls(text), 0);
    }
}

pub const TRICKS: [&str; 10] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "]]><!-- --> <![CDATA[ & &lt; &#60;script>",
    "</text></svg><svg onload=alert(1)>",
    "a|b`c`|\n| --- |",
    "[link](https://example.org) @somebody ![x](y) www.example.org",
    "\u{1b}[31mred\u{1b}[0m\u{7}\u{9b}31m\r\nnext",
    "\u{202e}abc\u{2066}\u{200f}\u{61c}",
    "nul \0 and \u{fffe}\u{ffff}",
    "{{ page.question }} {% raw %}",
];

#[test]
fn known_tricks_stay_text() {
    TRICKS.into_iter().for_each(assert_contained);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_text_stays_text(text in "\\PC{1,30}|[\\x00-\\x7f]{1,30}") {
        assert_contained(&format!("x{text}"));
    }
}

#[test]
fn a_very_long_name_breaks_nothing() {
    let (run, mut analysis) = spread(&"long-name-".repeat(400));
    assert_inside(&analysis, "long names");
    analysis.arms[0].name = "日本語".repeat(200);
    assert_inside(&analysis, "wide characters");
    assert!(rendered(&run, &analysis).0.len() < 2_000_000);
}
