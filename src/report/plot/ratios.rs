//! Every comparison of whole jobs of one run.

use super::forest::{Forest, Line};
use super::{Figure, PlotError};
use crate::analysis::{Analysis, Comparison};
use crate::report::shown::shown;
use crate::report::table::contrast_text;

/// Nothing where no two topologies can be compared.
pub(super) fn figure(analysis: &Analysis) -> Result<Option<Figure>, PlotError> {
    Forest {
        name: "ratios",
        title: "How much longer a job takes",
        values: "time of the topology by that of the one it is compared with, logarithmic",
        caption: "Each mark is the ratio of one comparison of whole jobs, and the line its interval (95 % or a little more; none \
                  below 6 blocks): right of 1× the topology is slower. In the grey stripe a difference would not matter \
                  to a reader; two topologies are called equivalent where the 90 % interval is within it."
            .to_owned(),
        lines: lines(analysis),
    }
    .figure()
}

/// By what a comparison shows, then as they are in the tables.
fn lines(analysis: &Analysis) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut jobs: Vec<&Comparison> = analysis.comparisons.iter().filter(|one| one.of_jobs()).collect();
    jobs.sort_by_key(|one| (one.contrast, one.topology, one.reference, one.case.edit));
    let mut last = None;
    for one in jobs {
        let Some(estimate) = one.ratio else { continue };
        if last.replace(one.contrast) != Some(one.contrast) {
            lines.push(Line::Heading(contrast_text(one.contrast).to_owned()));
        }
        let name = |topology: usize| shown(&analysis.arms[topology].name);
        let label = format!("{} / {}, {}", name(one.topology), name(one.reference), one.case.edit);
        lines.push(Line::Ratio { label, topology: one.topology, estimate });
    }
    lines
}
