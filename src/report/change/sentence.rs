//! What is said above and below the table of changes.

use super::row::estimate;
use super::{Side, TwoRuns};
use crate::analysis::{Change, Changes, Deviation};
use crate::report::shown::shown;
use crate::report::words::{blocks, subject};

/// Characters of a value that a line shows.
const SHOWN: usize = 60;

/// Which run it is.
pub(super) fn origin(side: Side<'_>) -> String {
    let run = side.run;
    let parts = [shown(&run.run_id), format!("host {}", shown(&run.host)), shown(&run.started_at)];
    format!("{}, {}", parts.join(", "), blocks(side.analysis.blocks))
}

/// The outcome in one sentence.
pub(super) fn outcome(changes: &Changes) -> String {
    let bound = bound(changes);
    let (of, cases) = (changes.compared, if changes.compared == 1 { "case" } else { "cases" });
    match changes.regressions().count() {
        0 => format!("No regression: in none of {of} {cases} does the whole interval of the change lie above {bound}."),
        1 => format!("1 regression: in 1 of {of} {cases} the whole interval of the change lies above {bound}."),
        n => format!("{n} regressions: in {n} of {of} {cases} the whole interval of the change lies above {bound}."),
    }
}

/// One line per regression.
pub(super) fn regressions(two: &TwoRuns<'_>) -> Vec<String> {
    let line = |change: &Change| {
        let name = shown(&two.new.analysis.arms[change.topology].name);
        let (what, edit) = (subject(&change.case.subject), change.case.edit);
        format!("{name}, {what}, edit {edit}: {}", estimate(&change.change))
    };
    two.changes.regressions().map(line).collect()
}

/// What a reader must know before the numbers.
pub(super) fn cautions(two: &TwoRuns<'_>) -> Vec<String> {
    let mut cautions = Vec::new();
    if two.base.run.run_id == two.new.run.run_id {
        cautions.push("BASE and NEW are the same run.".to_owned());
    }
    cautions.extend(two.conditions.iter().map(|one| format!("Not the same in both runs: {}.", deviation(one))));
    match two.changes.undecided() {
        0 => {}
        n => cautions.push(format!(
            "{n} of {} cases cannot be decided, for a run has no value of them or too few blocks for an interval: a \
             regression there is not found.",
            two.changes.list.len()
        )),
    }
    for (name, side) in [("BASE", two.base), ("NEW", two.new)] {
        match side.analysis.failures.iter().map(|failure| failure.count).sum::<usize>() {
            0 => {}
            n => cautions.push(format!("Samples of {name} that failed, timed out or were invalid: {n}.")),
        }
    }
    cautions
}

/// A deviation in one line.
pub(super) fn deviation(deviation: &Deviation) -> String {
    let value = |text: &Option<String>| text.as_ref().map_or_else(|| "not recorded".to_owned(), |text| short(text));
    format!("{}: base {}, new {}", short(&deviation.key), value(&deviation.base), value(&deviation.new))
}

fn short(text: &str) -> String {
    let line = shown(text);
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.is_empty() => "empty".to_owned(),
        None => line,
    }
}

/// What the columns mean.
pub(super) fn legend(two: &TwoRuns<'_>) -> String {
    let baseline = shown(&two.new.run.baseline);
    format!(
        "Ratio = time of the topology / time of {baseline}, paired within the blocks of one run. Change = new ratio / base \
         ratio, of two independent samples: above 1× the topology became slower against {baseline}. The intervals of all \
         {} changes hold together with 95 %, whole jobs and single steps with half of the error each. A regression is a \
         change whose whole interval lies above {}; equivalent, one whose interval lies within that factor either way. \
         Medians of different runs share no block: they are shown, and decide nothing.",
        two.changes.compared,
        bound(two.changes)
    )
}

/// The ratio that the threshold stands for.
fn bound(changes: &Changes) -> String {
    // Percentages are decimal, fractions are not: 0.07 is 7.000000000000001 %.
    format!("{}×", ((1.0 + changes.threshold) * 1e9).round() / 1e9)
}
