//! The ratios of several runs, host by host, and of all hosts where they have a common number.

use super::forest::{Forest, Line};
use super::{Figure, PlotError};
use crate::analysis::{Pool, PoolCase};
use crate::case::Edit;
use crate::report::shown::shown;
use crate::report::words::runs;

/// Each pool with the index of its topology in its runs.
pub(super) fn figure(pools: &[(Pool, usize)]) -> Result<Option<Figure>, PlotError> {
    Forest {
        name: "pooled",
        title: "How much longer a job takes, in all runs",
        values: "time of the topology by that of the one it is compared with, logarithmic",
        caption: "A mark per host, with the interval of its blocks, or that of its runs where these differ more; right of 1× the \
                  topology is slower. Three hosts or more have a common ratio, with hosts as random effects."
            .to_owned(),
        lines: lines(pools),
    }
    .figure()
}

/// Pools of one topology and reference below one heading.
fn lines(pools: &[(Pool, usize)]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut last = None;
    for (pool, topology) in pools {
        let PoolCase { scenario, setup, edit, topology: name, reference } = &pool.case;
        // The first edit stands for all that have the rest in common.
        let all_edits = PoolCase { edit: Edit::First, ..pool.case.clone() };
        if last.as_ref() != Some(&all_edits) {
            let (scenario, engine) = (shown(scenario), shown(&setup.engine));
            lines.push(Line::Heading(format!("{scenario}: {} / {}, engine {engine}", shown(name), shown(reference))));
            last = Some(all_edits);
        }
        lines.extend(pool.hosts.iter().map(|one| Line::Ratio {
            label: format!("{edit}, {}, {}", shown(&one.host), runs(one.runs)),
            topology: *topology,
            estimate: *one.quoted(),
        }));
        lines.extend(pool.all.map(|(estimate, _)| Line::Ratio {
            label: format!("{edit}, all {} hosts", pool.hosts.len()),
            topology: *topology,
            estimate,
        }));
    }
    lines
}
