//! How sure a difference is among as many comparisons as a run makes.

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::{Comparison, Metric, Subject};
use crate::stats::{benjamini_hochberg, significance};

/// Gives the comparisons of times that have a test their q: those of jobs together, and those of steps.
pub(super) fn adjust(comparisons: &mut [Comparison]) {
    let (mut jobs, mut steps) = (Vec::new(), Vec::new());
    let p_values: Vec<Option<f64>> = comparisons.par_iter().map(p_value).collect();
    for (index, (one, p)) in comparisons.iter().zip(p_values).enumerate() {
        let family = if one.case.subject == Subject::Job { &mut jobs } else { &mut steps };
        family.extend(p.map(|p| (index, p)));
    }
    for family in [jobs, steps] {
        let p_values: Vec<f64> = family.iter().map(|(_, p)| *p).collect();
        let adjusted = benjamini_hochberg(&p_values).expect("p-values of a test");
        family.iter().zip(adjusted).for_each(|((index, _), q)| comparisons[*index].q = Some(q));
    }
}

/// Of the test that the ratio is 1. Empty for other metrics than time, without an interval, and where neighbouring blocks
/// depend on one another, for the test supposes that they do not.
fn p_value(one: &Comparison) -> Option<f64> {
    let independent = one.course.is_some_and(|course| !course.dependent(one.blocks));
    let tested = one.metric == Metric::ElapsedNs && independent && one.verdict.is_some();
    if tested { significance(&one.pairs, 1.0).ok() } else { None }
}
