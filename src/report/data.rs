//! Cases, estimates and objects as programs read them.

use serde::Serialize;

use crate::analysis::{CaseKey, Subject, Summary};
use crate::case::{Edit, Op};
use crate::record::Text;
use crate::stats::{Estimate, Outliers};

/// What was measured: a step with its name, or a whole job, which has none.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Place<'a> {
    pub(super) op: Measured,
    pub(super) step: Option<&'a str>,
    pub(super) edit: Edit,
}

/// The op of a step, or the whole job.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Measured {
    Job(JobWord),
    Op(Op),
}

/// The word for a whole job where an op may stand.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum JobWord {
    Job,
}

impl<'a> Place<'a> {
    pub(super) fn of(case: &'a CaseKey) -> Self {
        let (op, step) = match &case.subject {
            Subject::Job => (Measured::Job(JobWord::Job), None),
            Subject::Step { op, name } => (Measured::Op(*op), Some(name.as_str())),
        };
        Self { op, step, edit: case.edit }
    }
}

/// An estimate at full precision.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Number {
    point: f64,
    low: Option<f64>,
    high: Option<f64>,
    coverage: Option<f64>,
    n: usize,
}

impl Number {
    pub(super) fn of(estimate: Estimate) -> Self {
        let Estimate { point, interval, n } = estimate;
        Self {
            point,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            coverage: interval.map(|interval| interval.coverage),
            n,
        }
    }
}

/// The median of a cell, or the value that all of its blocks share, which has no interval.
pub(super) fn median(summary: &Summary) -> Option<Estimate> {
    match summary {
        Summary::Missing => None,
        Summary::Constant { value, n } => Some(Estimate { point: *value, interval: None, n: *n }),
        Summary::Median { estimate, .. } => Some(*estimate),
    }
}

/// Smallest and largest value, quartiles, and the median absolute deviation.
pub(super) fn spread(summary: &Summary) -> Option<[f64; 5]> {
    match summary {
        Summary::Missing => None,
        Summary::Constant { value, .. } => Some([*value, *value, *value, *value, 0.0]),
        Summary::Median { min, max, quartiles: (q1, q3), mad, .. } => Some([*min, *max, *q1, *q3, *mad]),
    }
}

/// How many values lie far from the others; none where all are the same.
pub(super) fn outliers(summary: &Summary) -> Option<Outliers> {
    match summary {
        Summary::Missing => None,
        Summary::Constant { .. } => Some(Outliers { mild: 0, severe: 0, far: None }),
        Summary::Median { outliers, .. } => Some(*outliers),
    }
}

/// An object as text. Whatever could drive a terminal that shows it stands in a string, and there as an escape.
pub(super) fn object(object: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(object).expect("numbers and text have a form in JSON");
    let mut safe = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if character == '\n' || !Text::needs_escape(character) {
            safe.push(character);
        } else {
            safe.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
    }
    safe.push('\n');
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_and_drives_no_terminal() {
        let hostile = "a\u{1b}[31m\u{9b}m\u{202e}\u{7f}\r\n\"\\é";
        let text = object(&[hostile]);
        assert!(text.chars().all(|character| character == '\n' || !Text::needs_escape(character)));
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), [hostile]);
    }
}
