//! Jobs at once: what several pay for each other, topology by topology.

use super::resources::Grid;
use super::shown::shown;
use super::words::{coverage, ratio, value};
use crate::analysis::{Analysis, AtOnce, Metric};
use crate::stats::{Estimate, Interval};

/// Edit by edit; empty where the run has one job at a time.
pub(super) fn at_once(analysis: &Analysis) -> Grid {
    let headings = [
        "edit",
        "topology",
        "jobs at once",
        "the slowest job",
        "jobs per minute",
        "a job's time by that of one alone",
        "fastest by slowest",
    ];
    let mut last = None;
    let rows = analysis.at_once.iter().map(|one| {
        let edit = if last.replace(one.edit) == Some(one.edit) { String::new() } else { one.edit.to_string() };
        vec![
            edit,
            shown(&analysis.arms[one.topology].name),
            one.concurrency.to_string(),
            with_interval(one.slowest),
            format!("{:.1}", per_minute(one)),
            one.slowdown.as_ref().map_or_else(String::new, |slowdown| {
                let text = ratio(slowdown);
                format!("{}, {}", text.point, text.interval)
            }),
            format!("{:.2}", one.evenness.point),
        ]
    });
    Grid { rows: rows.collect(), headings: headings.map(str::to_owned).to_vec() }
}

fn with_interval(time: Estimate) -> String {
    let shown = |nanos| value(Metric::ElapsedNs, nanos);
    match time.interval {
        Some(Interval { low, high, coverage: probability }) => {
            format!("{} ({}–{}, {} CI)", shown(time.point), shown(low), shown(high), coverage(probability))
        }
        None => format!("{} (no interval)", shown(time.point)),
    }
}

fn per_minute(one: &AtOnce) -> f64 {
    const MINUTE_NS: f64 = 60e9;
    one.concurrency as f64 * MINUTE_NS / one.slowest.point
}
