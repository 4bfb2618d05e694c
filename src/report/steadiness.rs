//! Whether the blocks of a run are alike, as its intervals suppose: outliers, drift, neighbours.

use std::collections::BTreeMap;

use super::data::outliers;
use super::resources::Grid;
use super::shown::shown;
use super::words::{ratio, value};
use crate::analysis::{
    Analysis, Cell, Comparison, Course, MOST_STEAL, Metric, Stolen, Subject, Verdict, drifting, stolen,
};
use crate::record::{RunRecord, TrialRow};
use crate::stats::{Estimate, Ordered, kendall};

/// The times of whole jobs, topology by topology, with the comparison to the baseline where there is one.
pub(super) fn steadiness(analysis: &Analysis) -> Grid {
    let headings = [
        "edit",
        "topology",
        "outliers (mild, severe)",
        "compared with",
        "drift over the run (Kendall's τ)",
        "neighbouring blocks (lag-1 autocorrelation)",
    ];
    let rows = jobs(analysis).filter_map(|cell| Some((cell, outliers(&cell.summary)?))).map(|(cell, outliers)| {
        let compared = analysis.comparisons.iter().find(|one| {
            (one.topology, one.reference, one.metric) == (cell.topology, analysis.baseline, cell.metric)
                && one.case == cell.case
        });
        let course = compared.and_then(|one| one.course);
        vec![
            cell.case.edit.to_string(),
            shown(&analysis.arms[cell.topology].name),
            format!("{}, {}", outliers.mild, outliers.severe),
            compared.map_or_else(String::new, |one| shown(&analysis.arms[one.reference].name)),
            course.map_or_else(String::new, drift),
            course.map_or_else(String::new, |course| format!("{:.2}", course.autocorrelation)),
        ]
    });
    Grid { rows: rows.collect(), headings: headings.map(str::to_owned).to_vec() }
}

/// Sentences for the first screen, where a reader must know.
pub(super) fn cautions(analysis: &Analysis) -> Vec<String> {
    let drifts = drifting(&analysis.comparisons).into_iter().map(|(one, p)| {
        let tau = one.course.map_or(0.0, |course| course.drift.tau);
        let way = if tau > 0.0 { "rises" } else { "falls" };
        format!(
            "The ratio of {} {way} over the run (Kendall's τ {tau:.2}, p = {p:.3} for all comparisons of jobs together): \
             what was measured at its end is not what was measured at its beginning.",
            pair(analysis, one)
        )
    });
    let dependent = analysis.comparisons.iter().filter(|one| one.of_jobs()).filter_map(|one| {
        let course = one.course.filter(|course| course.dependent(one.blocks))?;
        Some(format!(
            "Neighbouring blocks depend on one another in the ratio of {} (lag-1 autocorrelation {:.2}): its interval is \
             the wider of the usual one and one that allows for it.",
            pair(analysis, one),
            course.autocorrelation
        ))
    });
    let placed = analysis.order.filter(|order| order.interval.is_some_and(|interval| !interval.holds(1.0)));
    let placed = placed.map(|order| {
        format!("{} The random order spreads that over the topologies, the better the more blocks.", first(&order))
    });
    drifts
        .chain(dependent)
        .chain(placed)
        .chain(disturbed(analysis))
        .chain(changed(analysis))
        .chain(far(analysis))
        .collect()
}

/// Whether what stands first in a block takes as long as what stands second.
fn first(order: &Estimate) -> String {
    let words = ratio(order);
    format!(
        "The first trial of a block takes {} as long as the second ({}), each against the median of its topology in other places.",
        words.point, words.interval
    )
}

/// Sentences about the run as a whole: the place within a block, and the machine by the fixed work that every block begins
/// with.
pub(super) fn notes(analysis: &Analysis, trials: &[TrialRow]) -> Vec<String> {
    analysis.order.as_ref().map(first).into_iter().chain(calibration(trials)).collect()
}

/// A sentence for the first screen: what others had of the processors while trials ran, where that is more than little.
pub(super) fn neighbours(run: &RunRecord, trials: &[TrialRow]) -> Option<String> {
    let Stolen { share, worst: (topology, block, most) } = stolen(trials, run.environment.host.cpus)?;
    (share > MOST_STEAL).then(|| {
        format!(
            "Others on the same hardware had {:.1} % of this machine's processors while trials ran, and {:.1} % in one of them \
             ({}, block {block}): times are longer by that, and less alike.",
            share * 100.0,
            most * 100.0,
            shown(&topology)
        )
    })
}

fn calibration(trials: &[TrialRow]) -> Option<String> {
    let measured = trials.iter().filter(|row| !row.warmup);
    let by_block: BTreeMap<u32, u64> = measured.filter_map(|row| Some((row.block, row.calibration_ns?))).collect();
    let series: Vec<(f64, f64)> = by_block.iter().map(|(block, nanos)| (f64::from(*block), *nanos as f64)).collect();
    let times = Ordered::new(series.iter().map(|(_, nanos)| *nanos)).ok()?;
    let time = |nanos| value(Metric::ElapsedNs, nanos);
    let drift = kendall(&series).ok().flatten().map(|drift| format!("; drift τ {:.2}, p = {:.3}", drift.tau, drift.p));
    Some(format!(
        "A fixed piece of work of the processor and the disk, at the beginning of every block, took {} ({} to {}{}).",
        time(times.median()),
        time(times.min()),
        time(times.max()),
        drift.unwrap_or_default()
    ))
}

fn disturbed(analysis: &Analysis) -> Option<String> {
    let by: Vec<String> =
        analysis.disturbed.iter().map(|(word, trials)| format!("{} in {trials}", shown(word))).collect();
    (!by.is_empty()).then(|| {
        format!(
            "The machine was not quiet when some trials began ({}): they are in the statistics, and flagged in samples.csv.",
            by.join(", ")
        )
    })
}

/// Verdicts that are others without the blocks in which the machine was disturbed.
fn changed(analysis: &Analysis) -> impl Iterator<Item = String> {
    analysis.comparisons.iter().filter(|one| one.of_jobs()).filter_map(|one| {
        let without = one.undisturbed.filter(|without| without.verdict != one.verdict)?;
        let word = |verdict: Option<Verdict>| verdict.map_or("undecided".to_owned(), |verdict| verdict.to_string());
        Some(format!(
            "The verdict of {} is {}; by the {} of {} blocks in which the machine was quiet it is {}.",
            pair(analysis, one),
            word(one.verdict),
            without.blocks,
            one.blocks,
            word(without.verdict)
        ))
    })
}

/// Values more than ten standard deviations from the median, were they normal without them.
fn far(analysis: &Analysis) -> Option<String> {
    let found: usize = jobs(analysis).filter_map(|cell| outliers(&cell.summary)?.far).sum();
    let (times, lie) = if found == 1 { ("time", "lies") } else { ("times", "lie") };
    (found > 0).then(|| {
        format!("{found} {times} of a job {lie} very far from the others. Nothing is left out for being slow: see Steadiness.")
    })
}

fn jobs(analysis: &Analysis) -> impl Iterator<Item = &Cell> {
    analysis.cells.iter().filter(|cell| (cell.metric, &cell.case.subject) == (Metric::ElapsedNs, &Subject::Job))
}

fn drift(course: Course) -> String {
    format!("{:.2}, p = {:.3}", course.drift.tau, course.drift.p)
}

fn pair(analysis: &Analysis, one: &Comparison) -> String {
    let name = |topology: usize| shown(&analysis.arms[topology].name);
    format!("{} to {}, edit {}", name(one.topology), name(one.reference), one.case.edit)
}
