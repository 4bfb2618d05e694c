//! What changed between two runs: a table for a terminal, Markdown for a comment, JSON for a program.

mod json;
mod markdown;
mod row;
mod sentence;
mod terminal;

use crate::analysis::{Analysis, Changes, Deviation};
use crate::record::RunRecord;

/// Two runs of one scenario, and what changed from one to the other.
#[derive(Clone, Copy, Debug)]
pub struct TwoRuns<'a> {
    pub base: Side<'a>,
    pub new: Side<'a>,
    pub changes: &'a Changes,
    /// In what the runs differ besides: each may be the cause of a change.
    pub conditions: &'a [Deviation],
}

#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    pub run: &'a RunRecord,
    pub analysis: &'a Analysis,
}

impl TwoRuns<'_> {
    /// For a terminal of `width` columns; without a width as plain text with unbroken lines.
    pub fn terminal(&self, width: Option<u16>) -> String {
        terminal::render(self, width)
    }

    /// For a comment: whole jobs at once, the steps folded.
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }

    /// One object; its keys are in `docs/format.md`.
    pub fn json(&self) -> String {
        json::render(self)
    }
}

/// A deviation in one line that is safe to show.
pub fn told(deviation: &Deviation) -> String {
    sentence::deviation(deviation)
}
