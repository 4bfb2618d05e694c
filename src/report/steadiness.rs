//! Whether the blocks of a run are alike, as its intervals suppose: outliers, drift, neighbours.

use super::data::outliers;
use super::resources::Grid;
use super::shown::shown;
use crate::analysis::{Analysis, Cell, Comparison, Course, Metric, Subject, drifting};

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
        let course = one.course.filter(|course| course.dependent(one.pairs.len()))?;
        Some(format!(
            "Neighbouring blocks depend on one another in the ratio of {} (lag-1 autocorrelation {:.2}): its interval \
             supposes that they do not, and can be too narrow.",
            pair(analysis, one),
            course.autocorrelation
        ))
    });
    drifts.chain(dependent).chain(far(analysis)).collect()
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
