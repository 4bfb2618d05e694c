//! `bench.txt`: elapsed times as lines of Rust's own benchmarks, which trackers of benchmarks read.

use crate::analysis::{Analysis, Cell, Metric, Subject};
use crate::record::RunRecord;
use crate::report::data::{median, spread};

/// One line per topology and case that has a time.
pub(super) fn render(run: &RunRecord, analysis: &Analysis) -> String {
    let elapsed = analysis.cells.iter().filter(|cell| cell.metric == Metric::ElapsedNs);
    elapsed.filter_map(|cell| line(run, analysis, cell)).collect()
}

/// The median, and how far the farthest block is from it, in whole nanoseconds.
fn line(run: &RunRecord, analysis: &Analysis, cell: &Cell) -> Option<String> {
    let (median, [min, max, ..]) = (median(&cell.summary)?.point, spread(&cell.summary)?);
    let farthest = (median - min).max(max - median);
    Some(format!("test {} ... bench: {median:.0} ns/iter (+/- {farthest:.0})\n", name(run, analysis, cell)))
}

fn name(run: &RunRecord, analysis: &Analysis, cell: &Cell) -> String {
    let subject = match &cell.case.subject {
        Subject::Job => "job".to_owned(),
        // The implicit steps are called like their operation.
        Subject::Step { op, name } if *name == op.to_string() => name.clone(),
        Subject::Step { op, name } => format!("{op}:{}", word(name)),
    };
    let topology = word(&analysis.arms[cell.topology].name);
    format!("{}/{topology}/{subject}/{}", word(&run.scenario), cell.case.edit)
}

/// A name without a blank, which would end it for a tracker, and without anything else that means something: other
/// bytes are `%XX`, as in addresses, so that two names stay two.
fn word(name: &str) -> String {
    let mut word = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            word.push(char::from(byte));
        } else {
            word.push_str(&format!("%{byte:02X}"));
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word() {
        assert_eq!(word("dind-kept_2.0"), "dind-kept_2.0");
        assert_eq!(word("a b/c%20\n\u{1b}é"), "a%20b%2Fc%2520%0A%1B%C3%A9");
    }
}
