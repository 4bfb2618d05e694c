//! A topology against another one, paired within blocks.

use super::cell::Series;
use super::contrast::{Pair, pairs};
use super::row::{Row, Table};
use super::{CaseKey, Cell, Contrast, Course, Metric, Subject};
use crate::stats::{
    EQUIVALENCE_MARGIN, Estimate, Interval, Level, benjamini_hochberg, dependent_ratio, difference, equivalent, ratio,
    significance,
};

/// A topology against another one, paired within blocks. Where all differences (or ratios) are the same number, the
/// estimate has no interval: a constant has no spread to take one from.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub contrast: Contrast,
    pub topology: usize,
    pub reference: usize,
    pub case: CaseKey,
    pub metric: Metric,
    /// `topology / reference`; empty for a metric that can be 0.
    pub ratio: Option<Estimate>,
    /// `topology - reference`, in the metric's unit.
    pub difference: Option<Estimate>,
    /// The values of both, the topology's first, of each block in which both have a valid one.
    pub pairs: Vec<(f64, f64)>,
    /// Of `elapsed_ns` only; empty where the ratio has no interval.
    pub verdict: Option<Verdict>,
    /// Of `elapsed_ns` only; empty for a constant ratio.
    pub course: Option<Course>,
    /// Share of wrong ones among the differences shown that are at least as clear as this one, as it is to be expected in all
    /// comparisons of jobs, or of steps, of the run together (Benjamini and Hochberg). Of `elapsed_ns` only; empty where
    /// neighbouring blocks depend on one another, for its test supposes that they do not.
    pub q: Option<f64>,
    /// Empty where no machine was disturbed when one of these trials began.
    pub undisturbed: Option<Undisturbed>,
}

/// What a comparison says without the blocks in which the machine was disturbed when one of the two trials began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undisturbed {
    /// Blocks that are left.
    pub blocks: usize,
    pub verdict: Option<Verdict>,
}

impl Comparison {
    /// Whether it compares the times of whole jobs.
    pub fn of_jobs(&self) -> bool {
        (self.metric, &self.case.subject) == (Metric::ElapsedNs, &Subject::Job)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Verdict {
    Faster,
    Slower,
    /// The ratio lies within the stated margin: within a run by two one-sided tests, between two runs by the interval.
    Equivalent,
    /// Neither a difference nor an equivalence is shown.
    Indistinguishable,
}

/// All cells and comparisons, case by case. Leaves the table's rows sorted by case, topology and block.
pub(super) fn cells_and_comparisons(table: &mut Table, baseline: usize) -> (Vec<Cell>, Vec<Comparison>) {
    let pairs = pairs(&table.arms, baseline);
    let steps = &table.steps;
    table.rows.sort_unstable_by_key(|row| (steps.rank(row.subject), row.edit, row.job));
    let (mut cells, mut comparisons) = (Vec::new(), Vec::new());
    for rows in table.rows.chunk_by(|a, b| (a.subject, a.edit) == (b.subject, b.edit)) {
        let case = CaseKey { subject: steps.subject(rows[0].subject).clone(), edit: rows[0].edit };
        let arms = series(rows);
        let metrics = Series::metrics(&arms);
        for arm in &arms {
            let present = metrics.iter().filter(|metric| arm.has_cell(**metric));
            cells.extend(present.map(|metric| arm.cell(&case, *metric)));
        }
        for pair in &pairs {
            comparisons.extend(compare(*pair, &arms, &case, &metrics));
        }
    }
    adjust(&mut comparisons);
    (cells, comparisons)
}

/// One series per topology that has measured rows in this case.
fn series(rows: &[Row]) -> Vec<Series> {
    rows.chunk_by(|a, b| a.job.topology == b.job.topology).filter_map(Series::new).collect()
}

/// The comparisons of one pair in one case: none where one of the two has no cell.
fn compare(pair: Pair, arms: &[Series], case: &CaseKey, metrics: &[Metric]) -> Vec<Comparison> {
    let find = |topology| arms.iter().find(|series| series.topology == topology);
    let (Some(arm), Some(reference)) = (find(pair.topology), find(pair.reference)) else { return Vec::new() };
    let both = metrics.iter().filter(|metric| arm.has_cell(**metric) && reference.has_cell(**metric));
    both.map(|&metric| {
        let blocks = in_pairs(arm.values(metric), reference.values(metric));
        let disturbed = |block: &u32| arm.disturbed(*block) || reference.disturbed(*block);
        let quiet = blocks.iter().filter(|(block, _)| !disturbed(block)).map(|(_, pair)| *pair).collect();
        comparison(pair, case, metric, blocks.iter().map(|(_, pair)| *pair).collect(), quiet)
    })
    .collect()
}

/// `quiet` are the pairs of blocks in which the machine was not disturbed.
fn comparison(
    pair: Pair,
    case: &CaseKey,
    metric: Metric,
    pairs: Vec<(f64, f64)>,
    quiet: Vec<(f64, f64)>,
) -> Comparison {
    let timed = metric == Metric::ElapsedNs;
    let course = if timed { Course::of(&pairs) } else { None };
    let ratio95 = if metric.has_ratio() { ratio_of(&pairs, Level::P95) } else { None };
    let difference = difference(&pairs, Level::P95).ok();
    Comparison {
        contrast: pair.contrast,
        topology: pair.topology,
        reference: pair.reference,
        case: case.clone(),
        metric,
        difference: difference.map(|estimate| without_false_interval(estimate, &pairs, |a, b| a - b)),
        verdict: if timed { verdict(&pairs) } else { None },
        undisturbed: (timed && quiet.len() < pairs.len())
            .then(|| Undisturbed { blocks: quiet.len(), verdict: verdict(&quiet) }),
        ratio: ratio95,
        course,
        q: None,
        pairs,
    }
}

/// Of pairs in the order of their blocks; where these depend on one another, with an interval that allows for it. Empty
/// where there is no pair, or no ratio because a value is 0.
fn ratio_of(pairs: &[(f64, f64)], level: Level) -> Option<Estimate> {
    let dependent = Course::of(pairs).is_some_and(|course| course.dependent(pairs.len()));
    let estimate = if dependent { dependent_ratio(pairs, level) } else { ratio(pairs, level) }.ok()?;
    Some(without_false_interval(estimate, pairs, |a, b| a / b))
}

/// Values of the blocks that both have, the topology's first, each with its block; both are sorted by block.
pub(super) fn in_pairs(topology: &[(u32, f64)], reference: &[(u32, f64)]) -> Vec<(u32, (f64, f64))> {
    let partner = |block: u32| reference.binary_search_by_key(&block, |(other, _)| *other).ok();
    topology.iter().filter_map(|&(block, value)| Some((block, (value, reference[partner(block)?].1)))).collect()
}

fn without_false_interval(estimate: Estimate, pairs: &[(f64, f64)], of: fn(f64, f64) -> f64) -> Estimate {
    let mut results = pairs.iter().map(|&(a, b)| of(a, b));
    let first = results.next();
    if results.all(|result| Some(result) == first) { Estimate { interval: None, ..estimate } } else { estimate }
}

/// Equivalence is a question to the 90 % interval, difference one to that of 95 %. Empty where that has no interval.
fn verdict(pairs: &[(f64, f64)]) -> Option<Verdict> {
    let equal = || {
        let narrower = ratio_of(pairs, Level::P90).and_then(|ratio| ratio.interval);
        narrower.is_some_and(|narrower| equivalent(&narrower, EQUIVALENCE_MARGIN))
    };
    Some(Verdict::of(&ratio_of(pairs, Level::P95)?.interval?, equal))
}

/// Gives the comparisons of times that have a test their q: those of jobs together, and those of steps.
fn adjust(comparisons: &mut [Comparison]) {
    let tested = |one: &Comparison| {
        let independent = one.course.is_some_and(|course| !course.dependent(one.pairs.len()));
        (one.metric == Metric::ElapsedNs && independent && one.verdict.is_some())
            .then(|| significance(&one.pairs, 1.0).ok())?
    };
    let values: Vec<Option<f64>> = comparisons.iter().map(tested).collect();
    for jobs in [true, false] {
        let family: Vec<(usize, f64)> = (0..).zip(&values).filter_map(|(index, p)| Some((index, (*p)?))).collect();
        let family: Vec<_> = family
            .into_iter()
            .filter(|(index, _)| (comparisons[*index].case.subject == Subject::Job) == jobs)
            .collect();
        let p_values: Vec<f64> = family.iter().map(|(_, p)| *p).collect();
        let adjusted = benjamini_hochberg(&p_values).expect("p-values of a test");
        family.iter().zip(adjusted).for_each(|((index, _), q)| comparisons[*index].q = Some(q));
    }
}

impl Verdict {
    /// A difference if the interval of a ratio excludes 1, else what `equal` says.
    pub(super) fn of(ratio: &Interval, equal: impl FnOnce() -> bool) -> Self {
        match ratio {
            Interval { high, .. } if *high < 1.0 => Self::Faster,
            Interval { low, .. } if *low > 1.0 => Self::Slower,
            _ if equal() => Self::Equivalent,
            _ => Self::Indistinguishable,
        }
    }
}
