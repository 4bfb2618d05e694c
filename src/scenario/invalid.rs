//! What is wrong with a scenario file: where, why, and what would be right.

use std::fmt::Display;
use std::ops::Range;

use miette::{Diagnostic, NamedSource, SourceSpan};

/// A scenario file that cannot be used.
///
/// Shown plainly it is one line, `file:line:column: message`; as a diagnostic it also shows the place and what would be right.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Invalid {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in bytes, as the diagnostic's own header counts.
    pub column: usize,
    pub message: String,
    /// What would be right.
    #[help]
    pub help: String,
    #[source_code]
    text: NamedSource<String>,
    #[label]
    span: SourceSpan,
}

impl Invalid {
    pub(super) fn new(fault: Fault, file: &str, text: &str) -> Self {
        let at = first_line(fault.at, text);
        let before = &text.as_bytes()[..at.start];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        Self {
            file: file.to_owned(),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: at.start - line_start + 1,
            message: fault.message,
            help: fault.help,
            text: NamedSource::new(file, harmless(text)),
            span: at.into(),
        }
    }
}

/// A fault before it is known which file it is in.
#[derive(Debug)]
pub(super) struct Fault {
    /// Bytes of the text.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    /// What would be right.
    pub(super) help: String,
}

impl Fault {
    pub(super) fn new(at: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: help.into() }
    }

    /// For what the grammar has and dindbench has not.
    pub(super) fn not_built(at: Range<usize>, what: impl Display, works: &str) -> Self {
        Self::new(at, format!("{what} is not built yet"), format!("what works now: {works}"))
    }
}

/// What to write instead of `word`, given the words that are known.
pub(super) fn advice(word: &str, known: &[&str]) -> String {
    let list = known.join(", ");
    match closest(word, known) {
        Some(near) => format!("did you mean `{near}`? Known here: {list}"),
        None if known.is_empty() => "nothing can stand here".to_owned(),
        None => format!("known here: {list}"),
    }
}

/// The known word that is few enough typing errors away to be what was meant.
fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let most = 1 + word.chars().count() / 3;
    let near = known.iter().map(|candidate| (distance(word, candidate), *candidate));
    near.filter(|(edits, candidate)| *edits <= most && *edits < candidate.chars().count()).min().map(|(_, near)| near)
}

/// Levenshtein's distance: insertions, deletions and substitutions of characters.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (deleted, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = deleted + 1;
        for (at, b) in to.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[at + 1];
            row[at + 1] = substituted.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[to.len()]
}

/// A missing key is reported for its whole table; the table's first line is enough to show.
fn first_line(at: Range<usize>, text: &str) -> Range<usize> {
    let start = at.start.min(text.len());
    let end = at.end.clamp(start, text.len());
    let length = text.as_bytes()[start..end].iter().position(|byte| *byte == b'\n').unwrap_or(end - start);
    start..start + length
}

/// The text with control characters replaced, byte for byte, so that showing it cannot drive a terminal.
fn harmless(text: &str) -> String {
    let replaced = |character: char| match character {
        '\n' | '\t' => character,
        control if control.is_control() && control.is_ascii() => ' ',
        // The C1 controls take two bytes; so does this.
        control if control.is_control() => '·',
        other => other,
    };
    text.chars().map(replaced).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_shown_keeps_every_position_and_drives_no_terminal(text in any::<String>()) {
            let shown = harmless(&text);
            prop_assert_eq!(shown.len(), text.len());
            prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }

        #[test]
        fn any_span_of_any_text_has_a_position(text in any::<String>(), start in 0_usize..80, length in 0_usize..80) {
            let invalid = Invalid::new(Fault::new(start..start + length, "m", "h"), "f", &text);
            prop_assert!(invalid.line >= 1 && invalid.column >= 1);
        }

        #[test]
        fn distance_is_symmetric_and_zero_only_for_equals(a in "[a-c]{0,6}", b in "[a-c]{0,6}") {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert_eq!(distance(&a, &b) == 0, a == b);
        }
    }

    #[test]
    fn a_typing_error_finds_its_word_and_a_stranger_none() {
        let known = ["recreate", "restart", "keep"];
        assert_eq!(closest("kep", &known), Some("keep"));
        assert_eq!(closest("recrate", &known), Some("recreate"));
        assert_eq!(closest("podman", &known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn positions_count_from_one() {
        let invalid = Invalid::new(Fault::new(6..9, "wrong", "right"), "a.toml", "x = 1\n\nyes = 2");
        assert_eq!(invalid.to_string(), "a.toml:2:1: wrong");
        let invalid = Invalid::new(Fault::new(9..10, "wrong", "right"), "a.toml", "x = 1\n\nyes = 2");
        assert_eq!((invalid.line, invalid.column), (3, 3));
    }
}
